"""Bitstreams: those of right units pass on every code, and faults of bits and tools do not."""

import os
import shutil

import pytest
from designs import hand_made, random_design, with_shell
from small_units import small_design, small_verilog

from hwact.emit.verilog import verilog
from hwact.errors import CheckError, RequestError, ToolError
from hwact.synth import tools
from hwact.verify import bitstream
from hwact.verify.bitstream import check_bitstream, pack_ice40, place, unpack_ice40
from hwact.verify.netlist import compare

ADDING = with_shell(hand_made()["uniform_odd"], "stream", 2)
needs_icestorm = pytest.mark.skipif(not shutil.which("icebox_vlog"), reason="fpga-icestorm is not installed")
#: Where the 20 bits of a logic cell are within its two rows of its tile.
CELL = slice(36, 46)


def emitted(design):
    return verilog(design, command="")


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    """Folder of `ADDING` on an iCE40, its target and the text of its configuration."""
    folder = tmp_path_factory.mktemp("placed")
    target = place(emitted(ADDING), ADDING.name, "ice40", folder)
    return folder, target, (folder / "placed").read_text()


def read_back(placed, text):
    """Verilog of what a configuration becomes on the device."""
    folder, target, _ = placed
    (folder / "placed").write_text(text)
    pack_ice40(folder)
    return unpack_ice40(folder, ADDING.name, target)


def cells(configuration):
    """Number of the first of the two lines of each logic cell in use."""
    lines, first = configuration.splitlines(), None
    for number, line in enumerate(lines):
        if line.startswith("."):
            first = number + 1 if line.startswith(".logic_tile") else None
        elif first is not None and (number - first) % 2 == 0 and "1" in line[CELL] + lines[number + 1][CELL]:
            yield number


def faulty(configuration, change, number=0):
    """The configuration with one logic cell changed: `change` gets its 20 bits, returns others or None."""
    lines = configuration.splitlines()
    for line in cells(configuration):
        bits = change(lines[line][CELL] + lines[line + 1][CELL])
        if bits is None:
            continue
        if number == 0:
            for row, half in enumerate((bits[:10], bits[10:])):
                text = lines[line + row]
                lines[line + row] = text[: CELL.start] + half + text[CELL.stop :]
            return "\n".join(lines) + "\n"
        number -= 1
    raise AssertionError("no such cell")


def flip(bits, *positions):
    return "".join("10"[int(bit)] if k in positions else bit for k, bit in enumerate(bits))


def inverted_table(bits):
    """Of a cell with a register, whose table is surely in use."""
    return flip(bits, *range(8), *range(10, 18)) if bits[9] == "1" else None


def dropped_carry(bits):
    return flip(bits, 8) if bits[8] == "1" else None


def dropped_register(bits):
    return flip(bits, 9) if bits[9] == "1" else None


# -- right units -------------------------------------------------------------------------------


@needs_icestorm
def test_bitstreams_of_both_families_pass(monkeypatch):
    """One check for each family, which says what it rests on, and how far it goes."""
    design, steps = small_design("pipe", 2, derivative=True), []
    ice40, ecp5 = check_bitstream(design, small_verilog(design), tick=lambda *step: steps.append(step))
    assert (ice40.level, ice40.check, ice40.output, ice40.codes) == (
        *("bitstream", "bitstream_ice40", "y and dy"),
        64,
    )
    assert ice40.method.startswith(
        "iCE40 HX1K TQ144 bitstream (synth_ice40 -nobram), unpacked and turned back"
    )
    assert {"nextpnr-ice40", "icepack", "icebox_vlog"} <= {tool.split()[0] for tool in ice40.tools}
    assert (ecp5.level, ecp5.check, ecp5.codes, ecp5.coverage) == (
        "bitstream",
        "bitstream_ecp5",
        0,
        "no codes",
    )
    assert ecp5.method.endswith("lookup tables that were routed; a round trip, not a simulation")
    assert steps == [(done, 9) for done in range(1, 9)]


@needs_icestorm
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_bitstreams_of_random_designs_pass(seed):
    """Every interface and kind of reset, with and without derivative."""
    shells = [
        ("comb",),
        ("pipe", 1, "none"),
        ("pipe", 4, "sync-high"),
        ("stream", 1, "sync-low"),
        ("stream", 3, "async-low"),
        ("stream", 2, "async-high"),
    ]
    design = with_shell(random_design(seed), *shells[seed % len(shells)])
    assert len(check_bitstream(design, emitted(design))) == 2


@needs_icestorm
@pytest.mark.slow
@pytest.mark.parametrize("name", ["one_code", "one_bit", "whole_table", "coarse", "odd_about_one"])
def test_bitstreams_of_constant_and_narrow_outputs_pass(name):
    """A pin may be constant, or joined to another."""
    design = hand_made()[name]
    assert len(check_bitstream(design, emitted(design))) == 2


def test_unit_with_more_pins_than_the_small_device_goes_to_the_large_one(tmp_path):
    """100 pins do not fit 96; every pin has a port of its own."""
    wide = "module wide (input [49:0] x, output [49:0] y); assign y = ~x; endmodule"
    assert place(wide, "wide", "ice40", tmp_path).name == "ice40-hx8k"
    lines = (tmp_path / "pins.pcf").read_text().splitlines()
    assert len({line.split()[1] for line in lines}) == len({line.split()[2] for line in lines}) == 100


# -- faults ------------------------------------------------------------------------------------


@needs_icestorm
def test_faults_in_the_configured_cells_are_caught(placed):
    """A table inverted, a carry and a register dropped: the bits as they were pass, each fault does not."""
    text = placed[2]
    compare(ADDING, read_back(placed, text), "bitstream")
    for change in (inverted_table, dropped_carry, dropped_register):
        with pytest.raises(CheckError, match=", in the bitstream$"):
            compare(ADDING, read_back(placed, faulty(text, change)), "bitstream")


@needs_icestorm
@pytest.mark.slow
@pytest.mark.parametrize("change", [dropped_carry, dropped_register])
def test_every_carry_and_register_matters(placed, change):
    """Whichever of the first four is dropped, some code or stall shows it."""
    for number in range(4):
        with pytest.raises(CheckError):
            compare(ADDING, read_back(placed, faulty(placed[2], change, number)), "bitstream")


@pytest.mark.parametrize("drop", ["lookup", "byte"])
def test_ecp5_bitstream_that_lost_something_is_caught(monkeypatch, drop):
    """A packer that is not the inverse of the unpacker, and one that always writes the same."""
    files = {
        "placed": ".tile R2C3:PLC2\nword: SLICEA.K0.INIT 1111000011110000\n",
        "unit.bit": "12",
        "unpacked": ".tile R2C3:PLC2\nword: SLICEA.K0.INIT 1111000011110000\n",
        "again.bit": "12",
    }
    files |= {"unpacked": ".tile R2C3:PLC2\n"} if drop == "lookup" else {"again.bit": "13"}
    monkeypatch.setattr(bitstream, "place", lambda *_: bitstream.find_target("ecp5"))
    monkeypatch.setattr(bitstream, "run_yowasp", lambda *_, **__: "")
    monkeypatch.setattr(bitstream, "product", lambda folder, name, tool: files[name].encode())
    monkeypatch.setattr(bitstream, "_check_ice40", lambda *_: None)
    sentence = {
        "lookup": "hold the lookup tables that were routed",
        "byte": "be the same when it is unpacked",
    }
    with pytest.raises(CheckError, match=f"^Bitstream for LFE5U-25F-6BG381C must {sentence[drop]}"):
        check_bitstream(ADDING, "")


# -- tools that are missing or do nothing ------------------------------------------------------


def script(folder, name, body):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_missing_icestorm_is_named_with_its_package(monkeypatch):
    """The failed check of the other family would come first; this one passes."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(bitstream, "_check_ecp5", lambda *_: None)
    sentence = "^Tool icebox_vlog must be installed, not missing: apt-get install fpga-icestorm$"
    with pytest.raises(ToolError, match=sentence):
        check_bitstream(ADDING, emitted(ADDING))


@needs_icestorm
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("exit 0", r"^Tool icebox_vlog must write unpacked\.v, not nothing$"),
        ("exit 1", "^Tool icebox_vlog must succeed, not fail: status 1$"),
        ("echo '// done'", "^Tool yosys must succeed, not fail: "),
    ],
)
def test_icebox_vlog_that_does_nothing_is_no_yes(placed, tmp_path, monkeypatch, body, sentence):
    """Neither silence nor a comment is a circuit."""
    script(tmp_path, "icebox_vlog", body)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ToolError, match=sentence):
        compare(ADDING, read_back(placed, placed[2]), "bitstream")


@pytest.mark.parametrize("silent", ["nextpnr-ice40", "icepack", "iceunpack"])
def test_packers_that_do_nothing_are_no_yes(placed, monkeypatch, silent):
    """Each tool's own file is asked for, in a folder that held none."""
    folder, target, text = placed
    (folder / "placed").write_text(text)
    for name in ("unit.bin", "unpacked", "unpacked.v"):
        (folder / name).unlink(missing_ok=True)
    if silent == "nextpnr-ice40":
        (folder / "placed").unlink()
    run = tools.run_yowasp
    monkeypatch.setattr(
        bitstream, "run_yowasp", lambda tool, *a, **k: "" if tool == silent else run(tool, *a, **k)
    )
    with pytest.raises(ToolError, match=rf"^Tool {silent} must write \S+, not nothing$"):
        if silent == "nextpnr-ice40":
            place(emitted(ADDING), ADDING.name, "ice40", folder)
        pack_ice40(folder)
        unpack_ice40(folder, ADDING.name, target)


@pytest.mark.parametrize(("tool", "family"), [("nextpnr-ice40", "ice40"), ("ecppack", "ecp5")])
def test_missing_package_is_named(monkeypatch, tool, family):
    """No package, no answer."""
    version = tools._version
    monkeypatch.setattr(tools, "_version", lambda name: None if name.endswith(family) else version(name))
    other = {"ice40": "_check_ecp5", "ecp5": "_check_ice40"}[family]
    monkeypatch.setattr(bitstream, other, lambda *_: None)
    monkeypatch.setattr(bitstream, "named", lambda name: tools.require_yowasp(tool))
    with pytest.raises(
        ToolError, match=f"^Tool {tool} must be installed, not missing: pip install yowasp-nextpnr-"
    ):
        check_bitstream(ADDING, "")


def test_unit_too_large_for_every_device_is_refused(tmp_path, monkeypatch):
    """One sentence, whatever the tool calls it."""

    def full(*_, **__):
        raise ToolError(
            "Tool nextpnr-ecp5 must succeed, not fail: Unable to place cell 'y', no BELs remaining"
        )

    monkeypatch.setattr(bitstream, "run_yowasp", full)
    sentence = "^Unit must fit LFE5U-85F-6BG381C, not need more cells or pins$"
    with pytest.raises(RequestError, match=sentence):
        place(emitted(ADDING), ADDING.name, "ecp5", tmp_path)
