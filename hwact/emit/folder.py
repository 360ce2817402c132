"""The output folder as a whole: its files in memory, then all of them on disk or none."""

import errno
import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import RequestError
from .bench import bench_text, vectors_text
from .c_model import c_model_text
from .cocotb_bench import cocotb_bench_text
from .core_file import core_text
from .datasheet import datasheet_text
from .manifest import CERTIFICATE, manifest, manifest_text, read_manifest
from .plots import figure
from .seal import sealed_text

__all__ = ["check_folder", "layout", "locked", "unit_files", "write_folder"]


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
    }
    files = {path: text.encode() for kind in texts for path, text in zip(paths[kind], texts[kind])}
    seal = sealed_text(design, command, certificate, files)
    return {**files, f"{design.name}{CERTIFICATE}": seal.encode()}


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
    hwact did not write stay. The files are written beside their places first and then moved; whatever
    interrupts that, the folder is put back as it was.

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
        If the folder holds something else, or cannot be written.
    """
    name = next(file for file in files if file.endswith(CERTIFICATE)).removesuffix(CERTIFICATE)
    check_folder(path, name, overwrite=overwrite)
    stale = [file for kind in layout(name, ("y", "dy")).values() for file in kind]
    try:
        _write(Path(os.path.realpath(path)), files, stale)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


@contextmanager
def locked(path):
    """Hold a folder for writing: one process at a time, released whatever ends it."""
    folder = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _unwritable(path, error):
    reason = getattr(error, "strerror", None) or str(error)
    return RequestError(f"Output folder must be writable, not {str(path)!r}: {reason}")


def _may_take(target, name, overwrite):
    try:
        occupied = os.listdir(target)
    except NotADirectoryError:
        return False
    if overwrite or not occupied:
        return True
    try:
        contents, _ = read_manifest(target / f"{name}.json")
    except RequestError:
        return False
    return contents["name"] == name


def _write(target, files, stale):
    with ExitStack() as made:
        _make_folder(target.parent, made)
        # Inside an existing folder: its parent may be read-only, or another file system.
        with _staging(target if target.exists() else target.parent) as staging, ExitStack() as moved:
            new = staging / "new"
            for file, data in files.items():
                (new / file).parent.mkdir(parents=True, exist_ok=True)
                (new / file).write_bytes(data)
            if target.exists():
                _exchange(target, new, staging / "old", files, stale, moved)
            else:
                _move(new, target, moved)
            moved.pop_all()
        made.pop_all()


def _exchange(target, new, old, files, stale, undo):
    """Move what stands in the way to `old`, and the new files in."""
    for file in {**dict.fromkeys(stale), **files}:
        if (target / file).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{os.strerror(errno.EISDIR)}: {file}")
        if os.path.lexists(target / file):
            _make_folder((old / file).parent, undo)
            _move(target / file, old / file, undo)
    for file in files:
        _make_folder((target / file).parent, undo)
        _move(new / file, target / file, undo)


@contextmanager
def _staging(home):
    folder = Path(tempfile.mkdtemp(prefix=".hwact-", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder(folder, undo):
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        undo.callback(_quietly, missing.rmdir)
        missing.mkdir(exist_ok=True)


def _move(source, destination, undo):
    # Noted before it is done: an interrupt may fall in between, and moving back twice does no harm.
    undo.callback(_quietly, os.rename, destination, source)
    os.rename(source, destination)


def _quietly(action, *arguments):
    with suppress(OSError):
        action(*arguments)
