"""The output folder as a whole: its files in memory, then all of them on disk or none."""

import errno
import fcntl
import os
import re
import secrets
import shutil
import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import RequestError
from .bench import bench_text, vectors_text
from .c_model import c_model_text
from .cocotb_bench import cocotb_bench_text
from .core_file import core_text
from .datasheet import datasheet_text, port_rows
from .header import plain
from .ipxact import ipxact_text
from .manifest import CERTIFICATE, manifest, manifest_text, ports, read_manifest
from .plots import figure
from .seal import sealed_text

__all__ = ["check_folder", "layout", "locked", "replace_file", "undisturbed", "unit_files", "write_folder"]

#: Seconds to wait for another process that writes into the same folder.
PATIENCE = 60
_STAGING = re.compile(r"\.hwact-[0-9a-f]{16}")


def layout(name, curves=()):
    """Relative paths of a unit's files, by kind.

    Parameters
    ----------
    name : str
    curves : iterable of str
        Names of the channels that are plotted.

    Returns
    -------
    dict of str to list of str
    """
    return {
        "verilog": [f"{name}.v"],
        "manifest": [f"{name}.json"],
        "datasheet": [f"{name}.md"],
        "plots": [f"{name}_{channel}.svg" for channel in curves],
        "c_model": [f"{name}.h"],
        "bench": [f"tb/{name}_tb.v"],
        "vectors": [f"tb/{name}.hex"],
        "cocotb": [f"tb/test_{name}.py"],
        "core": [f"{name}.core"],
        "ipxact": ["component.xml"],
        "certificate": [f"{name}{CERTIFICATE}"],
    }


def unit_files(design, *, command, statistics, certificate, curves, verilog):
    """Every file of the output folder.

    Parameters
    ----------
    design : Design
    command : str
        The command that makes the folder again.
    statistics : dict of str to object
        Measured errors by channel, see `manifest`.
    certificate : dict
    curves : dict of str to Curve
        What to plot, by channel; may be empty.
    verilog : str

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths = layout(design.name, curves)
    contents = manifest(design, command=command, statistics=statistics, certificate=certificate, files=paths)
    texts = {
        "verilog": [verilog],
        "manifest": [manifest_text(contents)],
        "datasheet": [datasheet_text(design, contents)],
        "plots": [figure(design, channel, curve, command) for channel, curve in curves.items()],
        "c_model": [c_model_text(design, command)],
        "bench": [bench_text(design, command)],
        "vectors": [vectors_text(design, command)],
        "cocotb": [cocotb_bench_text(design, command)],
        "core": [core_text(design, command)],
        "ipxact": [_component(design, command, paths)],
    }
    files = {path: text.encode() for kind in texts for path, text in zip(paths[kind], texts[kind])}
    seal = sealed_text(design, command, certificate, files)
    return {**files, f"{design.name}{CERTIFICATE}": seal.encode()}


def _component(design, command, paths):
    parameters = {
        "digest": design.digest,
        "input": f"{design.input}, codes {design.domain[0]} to {design.domain[1]}",
        **{c.name: f"{plain(c.expression)}, {c.format}, bound {c.bound}" for c in design.channels},
        "interface": design.shell.interface,
        "latency": design.latency,
    }
    return ipxact_text(
        design,
        command,
        description=", ".join(f"{channel.name} = {channel.expression}" for channel in design.channels),
        rows=port_rows(design),
        roles=ports(design),
        reset=design.shell.reset,
        paths=paths,
        parameters=parameters,
    )


def check_folder(path, name, *, overwrite=False):
    """Refuse a folder that `write_folder` would refuse for what it holds, before any work is done.

    Raises
    ------
    RequestError
        If the folder holds something other than an earlier output of the same name.
    """
    try:
        target = Path(os.path.realpath(path))
        refused = os.path.lexists(target) and not _may_take(target, name, overwrite)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    if refused:
        raise RequestError(
            f"Output folder must be new, empty or an earlier output of {name}, not {str(path)!r}"
        )


def write_folder(path, files, *, overwrite=False):
    """Write a unit's files, all or none.

    A folder that exists is taken over if it is empty or holds an earlier output of the same name; files that
    hwact did not write stay. A new folder appears at once, with all its files. In one that exists, every file
    is replaced whole, the manifest first and the certificate last: whenever the process is killed, the
    manifest is there, so that a second run may go on, and the certificate tells a mixture of old and new
    files. If a step fails, the folder is put back as it was.

    Parameters
    ----------
    path : str or Path
    files : dict of str to bytes
        As from `unit_files`.
    overwrite : bool
        Take over any other folder, too, replacing files of the same names.

    Raises
    ------
    RequestError
        If the folder holds something else, cannot be written, or is in use for longer than `PATIENCE`.
    """
    name = next(file for file in files if file.endswith(CERTIFICATE)).removesuffix(CERTIFICATE)
    check_folder(path, name, overwrite=overwrite)
    try:
        target = Path(os.path.realpath(path))
        _sweep(target.parent)
        if _place(target, files):
            return
        with locked(target):
            check_folder(path, name, overwrite=overwrite)  # another process may have been faster
            _exchange(target, files, name)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


@contextmanager
def locked(path, patience=PATIENCE):
    """Hold a folder for writing: one process at a time, released whatever ends it.

    No file stands for the lock, so none can stay behind. Where the file system has no locks, everybody gets
    it.

    Raises
    ------
    RequestError
        If another process holds the folder for longer than `patience` seconds, or it cannot be read.
    """
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    try:
        _lock(folder, path, patience)
        yield
    finally:
        os.close(folder)


def _lock(folder, path, patience):
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise RequestError(
                    f"Output folder must be free within {patience} s, not in use: {str(path)!r}"
                ) from None
        except OSError:
            return None  # a file system without locks
        time.sleep(0.02)


def replace_file(path, data):
    """Write one file of a folder that is `locked`, whole or not at all; its mode stays.

    Parameters
    ----------
    path : Path
    data : bytes

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    with undisturbed(), _staged(path.parent, {path.name: data}) as new:
        with suppress(FileNotFoundError):
            shutil.copymode(path, new / path.name)
        os.replace(new / path.name, path)


@contextmanager
def undisturbed():
    """Put off SIGINT, SIGTERM and SIGHUP for the few milliseconds in which a folder is between two states."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, handlers = [], {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            handlers[number] = signal.signal(number, lambda number, frame: heard.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in heard:
            signal.raise_signal(number)


def _unwritable(path, error):
    reason = getattr(error, "strerror", None) or str(error)
    return RequestError(f"Output folder must be writable, not {str(path)!r}: {reason}")


def _may_take(target, name, overwrite):
    try:
        occupied = [file for file in os.listdir(target) if not _STAGING.fullmatch(file)]
    except NotADirectoryError:
        return False
    if overwrite or not occupied:
        return True
    try:
        contents, _ = read_manifest(target / f"{name}.json")
    except RequestError:
        return False
    return contents["name"] == name


def _place(target, files):
    """Put a new folder in its place with all its files; False if there is one already."""
    with undisturbed(), ExitStack() as made:
        if target.exists():
            return False
        _make_folder(target.parent, made)
        with _staged(target.parent, files) as new, ExitStack() as undo:
            undo.callback(_quietly, os.rename, target, new)
            try:
                os.rename(new, target)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                return False  # another process was faster
            undo.pop_all()
        made.pop_all()
    return True


def _exchange(target, files, name):
    """Replace the files of an earlier output, and remove those that the new one does not have."""
    earlier = {file for kind in layout(name, ("y", "dy")).values() for file in kind}
    last = {f"{name}.json": -1, f"{name}{CERTIFICATE}": 1}
    # Inside the folder: its parent may be read-only, or another file system.
    with undisturbed(), _staged(target, files) as new, ExitStack() as undo:
        for file in {*earlier, *files}:
            _keep(target / file, new.parent / "old" / file, undo)
        for file in sorted(files, key=lambda file: last.get(file, 0)):
            _make_folder((target / file).parent, undo)
            os.rename(new / file, target / file)
        for file in earlier - files.keys():
            (target / file).unlink(missing_ok=True)
        undo.pop_all()


@contextmanager
def _staged(home, files):
    """A folder with these files inside another one."""
    _sweep(home)
    staging = home / f".hwact-{secrets.token_hex(8)}"
    try:
        staging.mkdir(mode=0o700)
        with locked(staging):
            for file, data in files.items():
                (staging / "new" / file).parent.mkdir(parents=True, exist_ok=True)
                (staging / "new" / file).write_bytes(data)
            yield staging / "new"
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sweep(home):
    """Remove staging folders that killed processes left behind: those that are in use are locked."""
    with suppress(OSError):
        for stale in filter(_STAGING.fullmatch, os.listdir(home)):
            with suppress(RequestError), locked(home / stale, 0):
                shutil.rmtree(home / stale, ignore_errors=True)


def _keep(file, copy, undo):
    """Note how to put a file back, or that there was none."""
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, f"{os.strerror(errno.EISDIR)}: {file.name}")
    if not os.path.lexists(file):
        undo.callback(_quietly, os.unlink, file)
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, copy, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(file, copy, follow_symlinks=False)
    undo.callback(_quietly, os.rename, copy, file)


def _make_folder(folder, undo):
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        undo.callback(_quietly, missing.rmdir)
        missing.mkdir(exist_ok=True)


def _quietly(action, *arguments):
    with suppress(OSError):
        action(*arguments)
