"""Kills, full disks, damaged caches and two processes at once: what is on disk is whole, or it is refused.

Faults are set at every step, not at random: a forked child counts the steps that Python reports to its
audit hooks (open, mkdir, rename, link, remove) and is killed, or refused, at one of them.
"""

import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from designs import hand_made

from hwact import cli, emit
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.emit.folder import locked, replace_file, undisturbed
from hwact.errors import CheckError, RequestError, ToolError
from hwact.synth import flow, tools

FORMATS = ("--input", "SQ3.3", "--output", "SQ1.5")
#: Steps that change a disk, by the names of Python's audit events.
STEPS = ("open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir")
REFUSABLE = ("open", "os.mkdir", "os.rename", "os.link")
REFUSALS = (errno.EROFS, errno.EACCES, errno.EIO)
#: Exit status of a child that never came to the step of its fault.
DONE = 9
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def unit_files(note="old", name="one_bit"):
    """The files of a tiny unit; `note` tells versions apart in each of them."""
    design = hand_made()["one_bit"].renamed(name)
    certificate = {"digest": design.digest, "level": None, "checks": []}
    return emit.unit_files(
        design, command=note, statistics={}, certificate=certificate, curves={}, verilog=f"// {note}\n"
    )


def tree(folder):
    """Every file and folder below a folder: bytes of the files, None for folders."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
    }


def sound(folder):
    """Whether a folder's files are those that its certificate is about."""
    try:
        contents, _ = emit.read_manifest(folder)
        emit.check_seal(folder, [path for paths in contents["files"].values() for path in paths])
    except (CheckError, RequestError):
        return False
    return True


def after_steps(step, fault, events=STEPS):
    """From now on, call `fault` at the given step of this process that changes the disk (cannot be undone).

    Returns a function that tells whether the step was reached.
    """
    left = [step]

    def watch(event, arguments):
        if event not in events or (event == "open" and not arguments[2] & WRITING):
            return
        left[0] -= 1
        if left[0] == 0:
            fault()

    sys.addaudithook(watch)
    return lambda: left[0] <= 0


def in_child(action):
    """Exit status of a forked process that runs ``action()``: 77 for an exception."""
    child = os.fork()
    if child == 0:
        status = 77
        try:
            status = action() or 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def faulty_write(step, fault, target, files):
    """Write a folder in a child with a fault at one step: 0 written, 2 refused, 77 anything else."""

    def act():
        after_steps(step, fault)
        try:
            emit.write_folder(target, files)
        except RequestError:
            return 2

    return in_child(act)


def process(*arguments, **options):
    """The command line as a process."""
    command = [sys.executable, "-m", "hwact.cli", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), **options.pop("env", {})}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options
    )


def refuse(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a small stream unit, generated once."""
    folder = tmp_path_factory.mktemp("made") / "tanh"
    assert run(hwact, ["generate", "tanh", *FORMATS, "--interface", "stream", "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def unit(made, tmp_path):
    """A copy of `made` that a test may spoil."""
    return shutil.copytree(made, tmp_path / "unit")


# -- killed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["nothing", pytest.param("empty", marks=pytest.mark.slow), "earlier"])
def test_kill_at_any_step_leaves_whole_files_and_a_folder_that_is_taken_over(tmp_path, before):
    """SIGKILL at each step: files are old or new, a mixture is not sound, a second run completes it."""
    new, old, kills = unit_files("new"), unit_files("old"), 0
    for step in range(1, 200):
        home = tmp_path / str(step)
        target = home / "unit"
        home.mkdir()
        if before != "nothing":
            target.mkdir()
        if before == "earlier":
            emit.write_folder(target, old)
            (target / "notes.txt").write_text("mine")
        status = faulty_write(step, kill_self, target, new)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        found = {path: target / path for path in new if (target / path).exists()}
        versions = {
            path: [v for v, files in (("old", old), ("new", new)) if files[path] == place.read_bytes()]
            for path, place in found.items()
        }
        assert all(versions.values()), f"step {step}: a file is half-written"
        if before == "earlier":
            assert len(found) == len(new)
        mixed = not any(all(v in versions.get(path, ()) for path in new) for v in ("old", "new"))
        assert not (mixed and sound(target)), f"step {step}: a mixture counts as sound"
        emit.write_folder(target, new)
        kept = {"notes.txt": b"mine"} if before == "earlier" else {}
        assert {path: data for path, data in tree(target).items() if data is not None} == {**new, **kept}
        assert [path.name for path in home.iterdir()] == ["unit"], f"step {step}: leftovers"
        assert sound(target)
    assert kills >= 20


def test_kill_in_the_middle_of_a_file_leaves_none_half_written(tmp_path, monkeypatch):
    """The half is in a staging folder, which the next run removes."""
    target, new, old = tmp_path / "unit", unit_files("new"), unit_files("old")
    emit.write_folder(target, old)

    def half(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            kill_self()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        assert in_child(lambda: emit.write_folder(target, new)) == -signal.SIGKILL
    assert {path: (target / path).read_bytes() for path in old} == old
    assert sound(target) and len(list(target.iterdir())) == len({path.split("/")[0] for path in old}) + 1
    emit.write_folder(target, new)
    assert {path: data for path, data in tree(target).items() if data is not None} == new


def test_file_that_is_replaced_is_old_or_new_after_a_kill_at_any_step(tmp_path):
    """And no temporary file stays once another one is replaced."""
    place = tmp_path / "file"
    for step in range(1, 50):
        place.write_bytes(b"old")
        place.chmod(0o640)

        def act():
            after_steps(step, kill_self)
            replace_file(place, b"new")

        status = in_child(act)
        assert place.read_bytes() in (b"old", b"new")
        replace_file(place, b"newer")
        assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"newer", 0o640)
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        if status == 0:
            break
    assert step > 4


def test_signals_wait_until_a_folder_is_whole(tmp_path):
    """A signal in the middle of the writing is heard after it."""
    heard = []
    before = signal.signal(
        signal.SIGTERM, lambda *_: heard.append((tmp_path / "unit" / "one_bit.v").exists())
    )
    try:
        with undisturbed():
            signal.raise_signal(signal.SIGTERM)
            assert not heard
            emit.write_folder(tmp_path / "unit", unit_files())
        assert heard == [True]
        signal.raise_signal(signal.SIGTERM)
        assert len(heard) == 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_write_folders_too(tmp_path):
    """Only the main thread may set signal handlers."""
    thread = threading.Thread(target=emit.write_folder, args=(tmp_path / "unit", unit_files()))
    thread.start()
    thread.join()
    assert sound(tmp_path / "unit")


def kill_campaign(verb, unit, tmp_path, delays, numbers):
    """Kill a verb on copies of a unit after each delay; the number of processes that were hit."""
    hits = 0
    for k, delay in enumerate(delays):
        number = numbers[k % len(numbers)]
        home = tmp_path / f"{verb[0]}{k}"
        temporary = home / "tmp"
        temporary.mkdir(parents=True)
        copy = shutil.copytree(unit, home / "unit")
        files = set(tree(copy))
        words = [copy if word == "UNIT" else word for word in verb]
        env = {"TMPDIR": str(temporary), "HWACT_CACHE": str(home / "cache")}
        with process(*words, env=env) as child:
            time.sleep(delay)
            child.send_signal(number)
            _, err = child.communicate(timeout=60)
        if child.returncode:
            hits += 1
            # Python itself is killed while it starts, before there is anyone to hear a signal.
            assert child.returncode in (-number, 128 + number), err
        assert all(path in tree(copy) for path in files), f"after {delay} s: a file is missing"
        if child.returncode == 128 + number:
            assert err == "hwact: Interrupted: nothing was left half-written\n"
            assert set(tree(copy)) == files and not list(temporary.iterdir())
        assert sound(copy) or verb[0] == "generate"
        if verb[0] == "generate":
            assert run(hwact, [str(word) for word in words]) == 0
        else:
            assert run(hwact, ["verify", str(copy), "--level", "golden"]) == 0
        assert set(tree(copy)) == files and sound(copy)
        assert sorted(path.name for path in home.iterdir() if path.name != "cache") == ["tmp", "unit"]
    return hits


AGAIN = ("generate", "tanh", *FORMATS, "--interface", "stream", "-o", "UNIT")
VERIFY = ("verify", "UNIT", "--level", "rtl")
SYNTH = ("synth", "UNIT", "--no-place")


def test_killed_generate_over_an_earlier_output_is_repeated(unit, tmp_path):
    """By SIGKILL and by SIGTERM, in the middle of the work."""
    kill_campaign(AGAIN, unit, tmp_path, (0.9, 1.2), (signal.SIGKILL, signal.SIGTERM))


@pytest.mark.slow
@pytest.mark.parametrize("verb", [AGAIN, VERIFY, SYNTH], ids=lambda verb: verb[0])
def test_killed_verbs_leave_a_sound_folder(unit, tmp_path, verb):
    """SIGKILL, SIGTERM and SIGINT, spread over the whole run."""
    with process(*(unit if word == "UNIT" else word for word in verb)) as child:
        began = time.monotonic()
        child.communicate(timeout=60)
    whole = time.monotonic() - began
    delays = [whole * (k + 0.5) / 6 for k in range(6)]
    hits = kill_campaign(verb, unit, tmp_path, delays, (signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    assert hits >= 2


def test_killed_tool_is_a_broken_tool(tmp_path):
    """Its signal is the reason."""
    with pytest.raises(ToolError, match="^Tool victim must succeed, not fail: status -9$"):
        tools.run(["sh", "-c", "kill -9 $$"], folder=tmp_path, name="victim")


# -- two at once -------------------------------------------------------------------------------


def test_folder_is_held_by_one_process_at_a_time(tmp_path):
    """The second waits, gives up with a sentence, and gets the folder once the first is killed."""
    holder = os.fork()
    if holder == 0:
        with locked(tmp_path):
            (tmp_path / "held").touch()
            time.sleep(60)
        os._exit(0)
    try:
        while not (tmp_path / "held").exists():
            time.sleep(0.01)
        sentence = r"^Output folder must be free within 0.1 s, not in use: '.*'$"
        with pytest.raises(RequestError, match=sentence):
            with locked(tmp_path, 0.1):
                pytest.fail("two at once")
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    with locked(tmp_path, 1):
        assert [path.name for path in tmp_path.iterdir()] == ["held"]


def test_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    """Some network file systems have none."""
    monkeypatch.setattr("fcntl.flock", refuse(errno.EBADF))
    emit.write_folder(tmp_path / "unit", unit_files("old"))
    emit.write_folder(tmp_path / "unit", unit_files("new"))
    assert sound(tmp_path / "unit")


def test_folder_that_cannot_be_locked_is_refused():
    with pytest.raises(RequestError, match="^Output folder must be writable, not 'nowhere': No such file"):
        with locked("nowhere"):
            pytest.fail("there is no folder")


@pytest.mark.parametrize("existing", [False, True])
def test_many_writers_leave_the_output_of_one(tmp_path, existing):
    """Eight processes write eight versions at the same moment."""
    target = tmp_path / "unit"
    versions = [unit_files(str(k)) for k in range(8)]
    if existing:
        emit.write_folder(target, unit_files("old"))
    start = time.monotonic() + 0.1
    children = []
    for files in versions:
        child = os.fork()
        if child == 0:
            try:
                time.sleep(max(0, start - time.monotonic()))
                emit.write_folder(target, files)
                os._exit(0)
            finally:
                os._exit(77)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 8
    assert {path: data for path, data in tree(target).items() if data is not None} in versions
    assert [path.name for path in tmp_path.iterdir()] == ["unit"] and sound(target)


@pytest.mark.slow
@pytest.mark.parametrize("second", [AGAIN, VERIFY], ids=lambda verb: verb[0])
@pytest.mark.parametrize("first", [AGAIN, VERIFY], ids=lambda verb: verb[0])
def test_two_commands_at_once_both_end_well_or_say_why(unit, first, second):
    """And what they leave is sound."""
    words = [[unit if word == "UNIT" else word for word in verb] for verb in (first, second)]
    children = [process(*verb) for verb in words]
    ends = [(child.communicate(timeout=120)[1], child.returncode) for child in children]
    assert 0 in [status for _, status in ends]
    for err, status in ends:
        assert status == 0 or err.startswith("hwact: ") and "Internal" not in err and err.count("\n") == 1
    assert sound(unit)
    assert run(hwact, ["verify", str(unit), "--level", "golden"]) == 0


# -- disks that refuse -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, *(pytest.param(n, marks=pytest.mark.slow) for n in REFUSALS)]
)
@pytest.mark.parametrize("existing", [False, True])
def test_refusal_at_any_step_leaves_everything_as_it_was(tmp_path, existing, number):
    """A full or read-only disk at each open, mkdir, rename and link; the next run is not in its way."""
    new, old, refusals = unit_files("new"), unit_files("old"), 0
    for step in range(1, 200):
        target = tmp_path / str(step) / "unit"
        if existing:
            emit.write_folder(target, old)
        before = tree(target)

        def act():
            reached = after_steps(step, refuse(number), REFUSABLE)
            try:
                emit.write_folder(target, new)
            except RequestError as error:
                assert str(error).endswith(os.strerror(number))
                return 2
            return 0 if reached() else DONE

        status = in_child(act)
        if status == DONE:
            break
        assert status in (0, 2), f"step {step}"
        if status == 0:  # not needed: a folder that is there, a link where a copy serves
            assert sound(target)
            continue
        refusals += 1
        assert tree(target) == before, f"step {step}"
        assert existing or not target.parent.exists()
    assert refusals >= 14


def fault_in_command(words, step, number, watch, home):
    """Exit status and stderr of a command in a child in which one step is refused."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)

    def act():
        os.environ["TMPDIR"], tempfile.tempdir = str(home / "tmp"), None
        os.environ["HWACT_CACHE"] = str(home / "cache")
        err = os.open(home / "err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        out = os.open(os.devnull, os.O_WRONLY)
        sys.stdout, sys.stderr = os.fdopen(out, "w"), os.fdopen(err, "w")
        after_steps(step, refuse(number), watch)
        status = run(hwact, [str(word) for word in words])
        sys.stderr.flush()
        return status

    return in_child(act), (home / "err").read_text()


def check_command_under_faults(words, unit, tmp_path, number, steps):
    faults = 0
    for step in steps:
        home = tmp_path / f"step{step}"
        copy = shutil.copytree(unit, home / "unit")
        real = [copy if word == "UNIT" else word for word in words]
        status, err = fault_in_command(real, step, number, REFUSABLE, home)
        assert status in (0, 2, 3), (step, status, err)
        assert "Internal" not in err and err.count("\n") <= 1, (step, err)
        assert err.startswith("hwact: ") or status == 0, (step, err)
        assert sound(copy) and set(tree(copy)) == set(tree(unit)), f"step {step}"
        assert not list((home / "tmp").iterdir()), f"step {step}"
        faults += bool(err)
        shutil.rmtree(home)
    return faults


@pytest.mark.parametrize(
    "words", [AGAIN, ("verify", "UNIT", "--level", "golden")], ids=lambda words: words[0]
)
def test_full_disk_in_a_command_is_one_sentence(unit, tmp_path, words):
    """At its first steps."""
    assert check_command_under_faults(words, unit, tmp_path, errno.ENOSPC, range(1, 5)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("words", [AGAIN, VERIFY, SYNTH], ids=lambda words: words[0])
def test_full_disk_later_in_a_command_is_one_sentence(unit, tmp_path, words):
    """In the output folder, the cache and the temporary folder."""
    assert check_command_under_faults(words, unit, tmp_path, errno.ENOSPC, range(5, 40, 4)) >= 2


def test_file_size_limit_is_a_refusal(tmp_path):
    """As `ulimit -f` sets it: no file that is cut off."""
    target, files = tmp_path / "unit", unit_files()

    def act():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            emit.write_folder(target, files)
        except RequestError as error:
            return 2 if str(error).endswith(": File too large") else 3

    assert in_child(act) == 2
    assert not list(tmp_path.iterdir())


@contextmanager
def small_disk(place, kilobytes):
    """A file system of its own, where the process may mount one."""
    place.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_keeps_the_earlier_output(tmp_path):
    """A real one, too small for old and new files at once."""
    files = unit_files("old")
    with small_disk(tmp_path / "disk", sum(len(data) for data in files.values()) // 1024 + 80) as disk:
        emit.write_folder(disk / "unit", files)
        (disk / "filler").write_bytes(bytes((os.statvfs(disk).f_bavail - 4) * os.statvfs(disk).f_frsize))
        before = tree(disk)
        with pytest.raises(
            RequestError, match="^Output folder must be writable, .*: No space left on device$"
        ):
            emit.write_folder(disk / "unit", unit_files("new"))
        assert tree(disk) == before and sound(disk / "unit")


def test_read_only_file_system_is_one_sentence(tmp_path):
    """A real one, with an output that stays as it is."""
    with small_disk(tmp_path / "disk", 1024) as disk:
        emit.write_folder(disk / "unit", unit_files("old"))
        before = tree(disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for target in (disk / "unit", disk / "new"):
            with pytest.raises(
                RequestError, match="^Output folder must be writable, .*: Read-only file system$"
            ):
                emit.write_folder(target, unit_files("new"))
        assert tree(disk) == before and sound(disk / "unit")


def test_temporary_folder_that_cannot_be_written_is_one_sentence(monkeypatch, capsys):
    """Status 3."""
    monkeypatch.setattr("tempfile.mkdtemp", refuse(errno.EROFS))
    assert run(hwact, ["list"]) == 3
    assert (
        capsys.readouterr().err
        == "hwact: Temporary folder must be writable, not fail: Read-only file system\n"
    )


@pytest.mark.parametrize("number, sentence", [
    (errno.EDQUOT, "Disk must have room, not be full"),
    (errno.EFBIG, "Disk must have room, not be full"),
    (errno.EROFS, "Files must be readable and writable, not fail: [Errno 30] Read-only file system"),
])  # fmt: skip
def test_refusals_of_the_system_are_no_internal_errors(monkeypatch, capsys, tmp_path, number, sentence):
    """Wherever they come from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hwact.cli.common._discard_stdout", lambda: None)
    monkeypatch.setattr("hwact.spec.Spec.design", refuse(number))
    assert run(hwact, ["generate", "tanh", *FORMATS]) == 3
    assert capsys.readouterr().err == f"hwact: {sentence}\n"


def test_long_sentences_are_cut_in_the_middle(tmp_path, capsys):
    """Whatever a file holds where a name belongs."""
    (tmp_path / "a.json").write_text(json.dumps({"design": {}, "digest": "", "name": "a"}))
    assert run(hwact, ["generate", "tanh", "--input", "x" * 10**6, "--output", "SQ1.5"]) == 2
    err = capsys.readouterr().err
    assert len(err) < 2100 and err.startswith("hwact: Format must be written like") and err.endswith("xx'\n")


# -- the cache ---------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the test's own; what it is asked for is built without tools."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cached(result, key="key"):
    """What the cache answers, and whether it had to be built."""
    built = []
    answer = flow._cached("test", lambda: built.append(1) or result, key)
    return answer, bool(built)


def a_directory(path):
    path.unlink()
    path.mkdir()


def a_loop(path):
    path.unlink()
    path.symlink_to(path.name)


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def the_endless_device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


DAMAGES = [
    *(lambda path, n=n: path.write_bytes(path.read_bytes()[:n]) for n in (0, 1, 40, -1)),
    *(
        lambda path, text=text: path.write_text(text)
        for text in ("[]", "null", "1", '"a"', "{}", '{"digest": 1}')
    ),
    lambda path: path.write_text('{"digest": null, "result": null}'),
    lambda path: path.write_text("[" * 50_000),
    lambda path: path.write_text("9" * 10_000),
    lambda path: path.write_bytes(b"\xff\xfe" * 100),
    lambda path: path.write_bytes(b" " * (1 << 24) + path.read_bytes()),
    lambda path: path.chmod(0) or path.write_text(""),
    a_directory,
    a_loop,
    a_pipe,
    the_endless_device,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_built_again(cache, damage):
    """Whatever stands in its place."""
    assert cached({"luts": 7}) == ({"luts": 7}, True)
    assert cached(None) == ({"luts": 7}, False)
    [entry] = cache.glob("*/*.json")
    damage(entry)
    assert cached({"luts": 8}) == ({"luts": 8}, True)
    assert len(list(entry.parent.iterdir())) == 1


def test_every_flipped_bit_of_an_entry_is_noticed(cache):
    """A flip is noticed, or it leaves the same JSON value."""
    cached({"luts": 7})
    [entry] = cache.glob("*/*.json")
    whole = entry.read_bytes()
    for k in range(0, 8 * len(whole), 3):
        flipped = bytearray(whole)
        flipped[k // 8] ^= 1 << k % 8
        entry.write_bytes(flipped)
        assert flow._kept(entry) in (None, {"luts": 7})
    assert flow._kept(entry) is None


def test_entry_under_another_s_name_is_noticed(cache):
    """Its digest covers what it is the answer to."""
    cached({"luts": 7}, "one")
    cached({"luts": 8}, "two")
    one, two = cache.glob("*/*.json")
    shutil.copy(one, two)
    assert {cached({"luts": 9}, key)[1] for key in ("one", "two")} == {False, True}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_cache_that_cannot_be_written_keeps_nothing_and_costs_nothing(cache, number):
    """At every step: the result is right, no part of an entry is left."""
    for step in range(1, 9):
        shutil.rmtree(cache, ignore_errors=True)

        def act():
            after_steps(step, refuse(number), REFUSABLE)
            return 0 if cached({"luts": 7}) == ({"luts": 7}, True) else 1

        assert in_child(act) == 0
        assert {path.suffix for path in cache.rglob("*") if path.is_file()} <= {".json"}


def test_cache_in_the_place_of_a_file_keeps_nothing(tmp_path, monkeypatch):
    """Neither does one that is full."""
    for place in (tmp_path / "file" / "cache", Path("/dev/full"), Path("/proc/nowhere")):
        (tmp_path / "file").write_text("mine")
        monkeypatch.setenv("HWACT_CACHE", str(place))
        assert cached({"luts": 7}) == ({"luts": 7}, True)


def test_stale_lock_does_not_block(cache, monkeypatch):
    """The lock of the place-and-route tools' compilation ends with its process."""
    cache.mkdir()
    child = os.fork()
    if child == 0:
        with open(cache / "nextpnr-ice40.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kill_self()
    os.waitpid(child, 0)
    asked = []
    monkeypatch.setattr(tools, "_yowasp", lambda *arguments: asked.append(arguments))
    tools._warm.__wrapped__("nextpnr-ice40")
    assert asked and (cache / "nextpnr-ice40.lock").exists()
