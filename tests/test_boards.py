"""Boards: their data, the plans of their builds, what is refused, and bitstreams read back."""

import doctest
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import shlex
import stat
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from amaranth.hdl import Cat, Elaboratable, Module, Signal
from hwact.boards import BOARDS, Board, find_board
from hwact.boards import build as builds
from hwact.boards.demos import DEMOS
from hwact.boards.flash import PROGRAMMERS, flash, flash_command, programmer
from hwact.boards.steps import Step, fmax_of
from hwact.boards.unpacked import TOP, pins_of, read_bitstream, unpacked

from hwact import boards
from hwact.cli.board import board as group
from hwact.errors import CheckError, RequestError, ToolError

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    "icebreaker icestick ice40-hx8k ulx3s-12f ulx3s-25f ulx3s-45f ulx3s-85f orangecrab-25f orangecrab-85f "
    "tang-nano-9k tang-primer-20k"
).split()


class Echo(Elaboratable):
    """A demonstration of nothing: what it receives goes back, LED 0 toggles, LED 1 is lit while a button is pressed."""

    def __init__(self, board, designs):
        self.rx, self.tx = Signal(init=1), Signal()
        self.leds, self.buttons = Signal(len(board.pads("led"))), Signal(len(board.pads("button")))

    def elaborate(self, platform):
        m = Module()
        count = Signal(24)
        m.d.sync += count.eq(count + 1)
        m.d.comb += [self.tx.eq(self.rx), self.leds.eq(Cat(count[0], self.buttons.any(), count[2:]))]
        return m


@pytest.fixture
def echo(monkeypatch):
    """The demonstration ``echo``."""
    monkeypatch.setitem(DEMOS, "echo", Echo)


def plan(name, seed=1):
    """The plan of the demonstration ``echo``."""
    return builds.plan_build(find_board(name), [], demo="echo", seed=seed)


def fake_tools(monkeypatch, fmax=30.0, used=100, tell=None):
    """Let every step write its products without running a tool; the commands that ran."""
    ran = []

    def step_run(self, folder):
        ran.append(str(self))
        if tell and self.places:
            raise ToolError(tell)
        report = {"fmax": {"clk": {"achieved": fmax}}, "utilization": {"TRELLIS_COMB": {"used": used, "available": 24288}}}
        Path(folder, "nextpnr.json").write_text(json.dumps(report))
        Path(folder, "nextpnr.log").write_text("placed")
        for ending in (".bin", ".bit", ".fs"):
            Path(folder, "demo" + ending).write_bytes(b"bits")

    monkeypatch.setattr(Step, "run", step_run)
    return ran


# -- data --------------------------------------------------------------------------------------


def test_boards_that_are_promised_are_there():
    """By the names that documents use."""
    assert list(BOARDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_constraints_put_every_signal_on_its_pin(name, echo):
    """Serial line, clock, LEDs and buttons: the pins that the board's data tells are those in the constraints."""
    board, made = BOARDS[name], plan(name)
    lines = made.sources[made.constraints].replace(";", "").replace('"', "").splitlines()
    keyword, place = {"ice40": ("set_io", 2), "ecp5": ("LOCATE", 4), "gowin": ("IO_LOC", 2)}[board.family]
    located = sorted(line.split()[place] for line in lines if line.startswith(keyword))
    told = board.pins()
    assert located == sorted(pin.removeprefix("~") for pin in told.values())
    assert {"clk", "rx", "tx"} <= set(told)
    assert len(set(located)) == len(located)


@pytest.mark.parametrize(
    "name, line", [("icebreaker", ("6", "9")), ("icestick", ("9", "8")), ("ulx3s-85f", ("M1", "L4")),
                   ("orangecrab-25f", ("N17", "M18")), ("tang-nano-9k", ("18", "17"))]
)  # fmt: skip
def test_serial_lines_are_those_of_the_schematics(name, line):
    """What the board receives comes first."""
    pins = BOARDS[name].pins()
    assert (pins["rx"], pins["tx"]) == line


def test_own_board_is_a_small_class(hw, tmp_path):
    """In a module of the working folder."""
    text = (
        "from hwact.boards import Board\n\n\nclass Mine(Board):\n"
        '    name, title = "mine", "My board"\n    platform = "amaranth_boards.icesugar:ICESugarPlatform"\n'
        '    units = (("tanh", "SQ2.2", "SQ1.3", "UQ0.4"),)\n'
    )
    (tmp_path / "my_own_boards.py").write_text(text)
    status, out, err = hw("board", "build", "my_own_boards:Mine", "--dry-run")
    assert (status, err) == (0, "")
    assert "--up5k" in out and "into mine, with tanh" in out


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("icebraker", "Board must be one of icebreaker, .*, or module:Class, not 'icebraker'"),
        ("nowhere:Mine", "Board must be a class that Python finds, not 'nowhere:Mine': .*"),
        ("json:JSONDecoder", "Board must be a class of hwact.boards.Board with a name, not 'json:JSONDecoder'"),
    ],
)
def test_unknown_boards_are_refused(hw, text, sentence):
    """With the names there are."""
    status, out, err = hw("board", "build", text)
    assert (status, out) == (2, "")
    assert re.fullmatch(f"hwact: {sentence}\n", err)


def test_platforms_that_pip_has_no_tools_for_are_refused():
    """Others have their vendors' tools."""

    class Arty(Board):
        name, platform = "arty", "amaranth_boards.arty_a7:ArtyA7_35Platform"

    class MachXO2(Board):
        name, platform = "machxo2", "amaranth_boards.machxo2_breakout:MachXO2_7000HE_BreakoutPlatform"

    class Typo(Board):
        name, platform = "typo", "amaranth_boards.icestick:Nothing"

    class Missing(Board):
        name, platform = "missing", "no_such_package.board:Board"

    class Silent(Board):
        name, platform = "silent", "amaranth_boards.ice40_up5k_b_evn:ICE40UP5KBEVNPlatform"

    with pytest.raises(RequestError, match=r"^Board silent must have a uart: let its resources\(\) return one$"):
        Silent().create()
    for board in (Arty(), MachXO2()):
        with pytest.raises(RequestError, match=f"^Device of {board.name} must be an iCE40, an ECP5 or a Gowin, not "):
            board.create()
    with pytest.raises(RequestError, match="^Platform of typo must be written module:Class, not "):
        Typo().create()
    with pytest.raises(ToolError, match="^Package no-such-package must be installed, not missing: pip install "):
        Missing().create()


# -- plans and builds --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["icestick", "orangecrab-85f", "tang-primer-20k"])
def test_steps_name_only_tools_and_files_that_there_are(name, echo):
    """Files that a step reads are sources or the product of a step before it."""
    made = plan(name, seed=7)
    tools = [step.tool for step in made.steps]
    assert tools[0] == "yosys" and tools[1].startswith("nextpnr-")
    placing = str(made.steps[1])
    assert "--seed 7" in placing and "--timing-allow-fail" in placing
    assert f"--freq {made.board.clock_hz / 1e6:g}" in placing
    assert made.constraints in made.sources and "demo.ys" in made.sources
    assert any(made.bitstream in step.arguments for step in made.steps)


def test_result_is_kept_for_the_same_request_alone(echo, monkeypatch, tmp_path):
    """Another seed is built; a spoilt entry is built again."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path))
    ran = fake_tools(monkeypatch)
    first = builds.build(plan("ulx3s-25f"))
    steps = len(ran)
    again = builds.build(plan("ulx3s-25f"))
    assert (len(ran), again.files) == (steps, first.files)
    builds.build(plan("ulx3s-25f", seed=2))
    assert len(ran) == 2 * steps
    for entry in tmp_path.rglob("*.zip"):
        entry.write_bytes(entry.read_bytes()[:-30])
    builds.build(plan("ulx3s-25f"))
    assert len(ran) == 3 * steps


def test_clock_that_is_missed_ends_with_status_1_and_writes_nothing(hw, echo, monkeypatch, tmp_path):
    """Unless the slow bitstream is asked for, which cannot be flashed."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    fake_tools(monkeypatch, fmax=20.0)
    monkeypatch.setattr(Board, "designs", lambda self: [])
    status, out, err = hw("board", "build", "ulx3s-25f", "--demo", "echo")
    assert (status, out) == (1, "")
    assert err == (
        "hwact: Clock of ULX3S 25F must be reached, 25 MHz, not 20 MHz: try another --seed, or units of a larger "
        "--latency\n"
    )
    assert not (tmp_path / "ulx3s-25f").exists()
    assert hw("board", "build", "ulx3s-25f", "--demo", "echo", "--allow-slow")[0] == 0
    status, _, err = hw("board", "flash", "ulx3s-25f", "ulx3s-25f", "--dry-run")
    assert (status, err) == (1, "hwact: Timing of the build must be met, not missed by 20 %\n")


def test_slowest_clock_and_estimate_count(tmp_path):
    """For Gowin the estimate before routing counts too."""
    report = {"fmax": {"a": {"achieved": 40.0}, "b": {"achieved": 30.0}}}
    (tmp_path / "nextpnr.json").write_text(json.dumps(report))
    (tmp_path / "nextpnr.log").write_text("Info: Max frequency for clock 'clk': 25.50 MHz (PASS at 12.00 MHz)\n")
    assert (fmax_of(tmp_path, "ice40"), fmax_of(tmp_path, "gowin")) == (30.0, 25.5)
    (tmp_path / "nextpnr.json").write_text('{"fmax": {}}')
    with pytest.raises(ToolError, match="^Tool nextpnr must report a clock, not none$"):
        fmax_of(tmp_path, "ecp5")


def test_data_sheet_of_the_12f_counts(echo, monkeypatch, tmp_path):
    """nextpnr has all of the 25F's cells to give; the report tells what is granted."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path))
    fake_tools(monkeypatch, used=12_000)
    assert builds.build(plan("ulx3s-12f")).cells == (builds.Cell("TRELLIS_COMB", 12_000, 12_000),)
    fake_tools(monkeypatch, used=12_001)
    with pytest.raises(RequestError, match="^Demonstration must fit .* of ULX3S 12F, not need more: 12001 of 12000 "):
        builds.build(plan("ulx3s-12f", seed=2))
    assert builds.build(plan("ulx3s-25f")).cells[0].available == 24_288


def test_what_does_not_fit_is_refused(echo, monkeypatch, tmp_path):
    """Other failures of the tool stay failures of the tool."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path))
    why = "Tool nextpnr-ice40 must succeed, not fail: Unable to place cell 'x$y', no BELs remaining"
    fake_tools(monkeypatch, tell=why)
    sentence = "^Demonstration must fit the iCE40HX1K-TQ144 of iCEstick, not need more: Unable to place a cell, no BELs "
    with pytest.raises(RequestError, match=sentence):
        builds.build(plan("icestick"))
    fake_tools(monkeypatch, tell="Tool nextpnr-ice40 must finish within 1800 s, not run on")
    with pytest.raises(ToolError, match="^Tool nextpnr-ice40 must finish"):
        builds.build(plan("icestick"))


def test_folder_with_other_files_is_refused_before_any_work(hw, tmp_path):
    """And is left as it is."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("keep")
    status, _, err = hw("board", "build", "icestick", "-o", "mine")
    assert (status, err) == (2, "hwact: Output folder must be new, empty or an earlier build, not 'mine'\n")
    assert os.listdir(tmp_path / "mine") == ["notes"]


def test_dry_run_writes_nothing(hw, tmp_path):
    """And tells the commands, as JSON too."""
    status, out, err = hw("board", "build", "icestick", "--dry-run")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["yosys", "nextpnr-ice40", "icepack", "Would"]
    status, out, _ = hw("board", "build", "icestick", "--dry-run", "--json")
    told = json.loads(out)
    assert (told["device"], told["clock_mhz"], told["units"][0]["name"]) == ("iCE40HX1K-TQ144", 12.0, "tanh")
    assert len(told["steps"]) == 3
    assert os.listdir(tmp_path) == []


def test_dfu_suffix_is_that_of_the_specification(tmp_path):
    """The CRC-32 of everything before it, not inverted at the end."""
    (tmp_path / "demo.bit").write_bytes(b"configuration")
    Step("dfu-suffix", ("-v", "1209", "-p", "5af0", "-a", "demo.bit")).run(tmp_path)
    data = (tmp_path / "demo.bit").read_bytes()
    assert data[:13] == b"configuration" and data[13:25] == bytes.fromhex("ffff f05a 0912 0001 55464410")
    assert int.from_bytes(data[25:], "little") ^ 0xFFFFFFFF == zlib.crc32(data[:25])


# -- flashing ----------------------------------------------------------------------------------


@pytest.fixture
def built(echo, monkeypatch, tmp_path):
    """Folder of a build for the ULX3S 25F, by tools that do nothing."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    fake_tools(monkeypatch)
    builds.write_build(tmp_path / "built", builds.build(plan("ulx3s-25f")))
    return tmp_path / "built"


@pytest.mark.parametrize("name", NAMES)
def test_programmers_are_those_of_the_platforms(name):
    """And hwact knows what to install for each."""
    command = programmer(BOARDS[name], "/builds")
    assert command[0] in PROGRAMMERS
    assert any(word.startswith("/builds/demo.") for word in command)


def test_flash_calls_the_platform_s_programmer(built, tmp_path, monkeypatch):
    """With the bitstream where it is; what the programmer is told is written down by a stand-in."""
    script = tmp_path / "openFPGALoader"
    script.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\ncp "$4" {tmp_path}/given\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    flash(flash_command(BOARDS["ulx3s-25f"], built))
    assert (tmp_path / "told").read_text() == f"-b ulx3s -m {built}/demo.bit\n"
    assert (tmp_path / "given").read_bytes() == b"bits"


def test_missing_or_failing_programmer_is_told(built, monkeypatch, tmp_path):
    """With what to install."""
    command = flash_command(BOARDS["ulx3s-25f"], built)
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = "^Programmer openFPGALoader must be installed, not missing: apt-get install openfpgaloader$"
    with pytest.raises(ToolError, match=sentence):
        flash(command)
    monkeypatch.undo()
    with pytest.raises(ToolError, match="^Programmer false must succeed, not end with status 1: "):
        flash(["false"])


def test_build_for_another_board_or_altered_is_not_flashed(built):
    """Nor is a folder that holds no build."""
    with pytest.raises(RequestError, match="^Folder must hold a build for icestick, not for ulx3s-25f: "):
        flash_command(BOARDS["icestick"], built)
    (built / "demo.bit").write_bytes(b"bots")
    with pytest.raises(CheckError, match="^Bitstream must be the one that was built, not altered: "):
        flash_command(BOARDS["ulx3s-25f"], built)
    (built / "board.json").write_text("{}")
    with pytest.raises(RequestError, match="^Folder must hold a build of hwact board build, not "):
        flash_command(BOARDS["ulx3s-25f"], built)


def test_build_takes_over_an_earlier_one(built, monkeypatch):
    """Its own files are replaced, others stay."""
    (built / "notes").write_text("keep")
    monkeypatch.setattr(Step, "run", None)
    builds.write_build(built, builds.build(plan("ulx3s-25f")))
    assert (built / "notes").exists() and builds.read_build(built)["board"] == "ulx3s-25f"


# -- bitstreams read back ----------------------------------------------------------------------


def test_only_bitstreams_of_an_ice40_are_read_back(built):
    """And only those of the board."""
    with pytest.raises(RequestError, match="^Bitstream must be that of an iCE40 to be read back, not of the LFE5U"):
        read_bitstream(BOARDS["ulx3s-25f"], built)
    with pytest.raises(RequestError, match="^Bitstream must be for icestick, not for ulx3s-25f: "):
        read_bitstream(BOARDS["icestick"], built)
    with pytest.raises(RequestError, match="^Bitstream must be readable, not "):
        read_bitstream(BOARDS["icestick"], built.parent / "nothing.bin")


@pytest.mark.slow
def test_bitstream_does_what_the_circuit_does(echo, tmp_path):
    """Read back from a real build: the line, LEDs and a button whose pins are inverted, as they are for the eye."""
    from hwact.boards.virtual import virtual_machine

    board = BOARDS["icebreaker"]
    built = builds.build(plan("icebreaker"))
    assert built.timing_met and {"ICESTORM_LC", "SB_IO"} <= {cell.name for cell in built.cells if cell.used}
    builds.write_build(tmp_path / "built", built)
    bits = read_bitstream(board, tmp_path / "built")
    assert read_bitstream(board, tmp_path / "built" / "demo.bin") == bits
    with virtual_machine(unpacked(board, bits), TOP, pins_of(board), board.clock_hz) as machine:
        # Longer than the reset after power-up, in which nothing counts.
        machine.run(1 << 9, 115200)
        before = machine.lit[:2]
        machine.run(1 << 10, 115200)
        between = machine.lit[:2]
        machine.buttons = 1
        assert machine.run(1 << 14, 115200, b"hwact") == b"hwact"
        assert [between[k] - before[k] for k in (0, 1)] == [1 << 9, 0]
        assert [machine.lit[k] - between[k] for k in (0, 1)] == [1 << 13, 1 << 14]


@pytest.mark.slow
def test_probe_finds_every_code_right_in_a_bitstream(hw, tmp_path):
    """The usual build for the iCEstick, read back, behind a pseudo-terminal; the probe is that for real boards."""
    status, out, err = hw("board", "build", "icestick", "--json")
    assert (status, err) == (0, "")
    report = json.loads(out)
    assert report["timing_met"] and report["cells"]["ICESTORM_LC"]["used"] < 1280
    words = ["board", "virtual", "icestick", "--from-bitstream", "icestick", "--port-file", "port", "--seconds", "300"]
    process = subprocess.Popen([sys.executable, "-m", "hwact.cli", *words], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        for _ in range(3000):
            if process.poll() is not None or (tmp_path / "port").exists():
                break
            time.sleep(0.1)
        port = (tmp_path / "port").read_text().strip()
        status, out, err = hw("board", "probe", "icestick", "--port", port, "--json")
    finally:
        process.terminate()
        process.wait(30)
    assert (status, err) == (0, "")
    [tried] = json.loads(out)
    assert (tried["codes"], tried["mismatches"]) == (256, 0)
    assert not (tmp_path / "port").exists()


# -- documents ---------------------------------------------------------------------------------


@pytest.fixture
def benchmark(monkeypatch):
    """The module that writes the documents."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    specification = importlib.util.spec_from_file_location("boards_benchmark", ROOT / "benchmarks" / "boards.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_documents_are_those_of_the_data_and_of_real_builds(benchmark):
    """A page a board, and the table; every board has been built and meets its clock."""
    found = benchmark.results()
    assert set(found) == set(BOARDS) and all(result["timing_met"] for result in found.values())
    assert benchmark.overview(found) in (ROOT / "docs" / "boards.md").read_text(encoding="utf-8")
    for path, text in benchmark.pages(found).items():
        assert path.read_text(encoding="utf-8") == text


def test_examples_of_the_commands_are_sound():
    """Every example of the group and of its commands parses."""
    for name, command in group.commands.items():
        assert "--json" in {option for parameter in command.params for option in parameter.opts}
        for line in command.epilog.strip().splitlines():
            words = shlex.split(line.split("&")[0].replace("$(cat port)", "port"))
            assert words[:3] == ["hwact", "board", name]
            if "--from-bitstream" not in words:
                command.make_context(name, words[3:])


MODULES = [module.name for module in pkgutil.walk_packages(boards.__path__, "hwact.boards.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name):
    """Boards lie in a folder of their own, where pytest does not look for examples."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0
