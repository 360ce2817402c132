"""The pages about interfaces: commands run, port tables and timing diagrams are those of the units they make."""

import json
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.emit.manifest import read_manifest
from hwact.ports import ports_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted(DOCS.glob("interface-*.md"))
#: Diagrams by page; each shows the unit of the page's first command.
DIAGRAMS = [(page, name) for page in PAGES for name in re.findall(r"\(waves/(\w+)\.svg\)", page.read_text("utf-8"))]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that a page's first command makes; all of its commands are run."""
    folders = {}

    def make(page):
        if page not in folders:
            place = tmp_path_factory.mktemp(page.stem)
            text = page.read_text("utf-8")
            lines = "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).splitlines()
            assert lines and all(line.startswith("hwact generate ") for line in lines)
            for number, line in enumerate(lines):
                folders.setdefault(page, place / "0")
                assert run(hwact, [*shlex.split(line)[1:], "-o", str(place / str(number))]) == 0, line
        return folders[page]

    return make


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_port_tables_are_those_of_the_units(page, made):
    """Name, direction and bits of every port, in order."""
    _, design = read_manifest(made(page))
    ports = [(port.name, port.direction.removesuffix("put"), str(port.width)) for port in ports_of(design)]
    assert re.findall(r"^\| `(\w+)` \| (in|out) \| (\d+) \|", page.read_text("utf-8"), re.MULTILINE) == ports


# -- diagrams ------------------------------------------------------------------------------------


def lanes(signals):
    """Signals of a WaveJSON list, its groups taken apart."""
    for one in signals:
        if isinstance(one, list):
            yield from lanes(one[1:])
        else:
            yield one


def symbols(signal):
    """For each cycle the symbol, and the label where it is a bus."""
    data, label, last = iter(signal.get("data", ())), None, None
    for symbol in signal["wave"]:
        if symbol != ".":
            last, label = symbol, next(data) if symbol in "=23456789" else None
        yield last, label


def word(design, label, part):
    """Bits and mask that a label stands for on a bus: codes a, b, c, results f(a), lane 0 last."""
    letters = dict(zip("abcdepqrs", design.codes()[5 :: len(design.codes()) // 9].tolist()))
    bits = mask = 0
    for field, name in zip(part, reversed(label.split(",")), strict=True):
        if name != "-":
            code = letters[name.removeprefix("f(").rstrip(")")]
            value = int(design.evaluate(code, field.name)) if "(" in name else code
            bits |= (value & (1 << field.padded) - 1) << field.low
            mask |= (1 << field.padded) - 1 << field.low
    return bits, mask


def cycles(design, diagram):
    """For each cycle the ports' values as (bits, mask); clocks are left out."""
    by_name = {port.name: port for port in ports_of(design)}
    shown = {}
    for signal in lanes(diagram["signal"]):
        if signal["wave"].startswith("p"):
            continue
        name, _, part = signal["name"].partition("[")
        port = by_name[name]
        low = int(part.rstrip("]").split(":")[1]) if part else 0
        fields = [field for field in port.fields if not part or field.low == low]
        for cycle, (symbol, label) in enumerate(symbols(signal)):
            if symbol in "01":
                value = int(symbol), 1
            elif symbol == "x":
                value = 0, 0
            elif not fields:
                value = int(label, 2), (1 << port.width) - 1
            else:
                value = word(design, label, fields)
            before = shown.setdefault(cycle, {}).get(name, (0, 0))
            shown[cycle][name] = before[0] | value[0], before[1] | value[1]
    return [shown[cycle] for cycle in sorted(shown)]


def bench(design, diagram):
    """A Verilog bench that plays a diagram's inputs, with noise where it leaves them open, and looks at the outputs."""
    ports, draw = {port.name: port for port in ports_of(design)}, random.Random(1)
    clock = design.shell.clock_name if design.shell.interface != "comb" else None
    lines = ["`timescale 1ns / 1ps", "module bench;"]
    for port in ports.values():
        kind = "reg" if port.direction == "input" else "wire"
        lines.append(f"  {kind} [{port.width - 1}:0] {port.name}{' = 0' if port.name == clock else ''};")
    lines.append(f"  {design.name} dut ({', '.join(f'.{name}({name})' for name in ports)});")
    lines.append("  initial begin")
    for number, values in enumerate(cycles(design, diagram)):
        for name, (bits, mask) in values.items():
            port = ports[name]
            if port.direction == "input":
                bits |= draw.getrandbits(port.width) & ~mask
                lines.append(f"    {name} = {port.width}'h{bits:x};")
        lines.append("    #4;")
        for name, (bits, mask) in values.items():
            port = ports[name]
            if port.direction == "output" and mask:
                test = f"({name} & {port.width}'h{mask:x}) !== {port.width}'h{bits:x}"
                lines.append(f'    if ({test}) $display("WRONG {name} in cycle {number}: %h", {name});')
        if clock:
            lines.append(f"    #1 {clock} = 1; #5 {clock} = 0;")
    return "\n".join([*lines, '    $display("DONE");', "  end", "endmodule", ""])


@pytest.mark.skipif(not shutil.which("iverilog"), reason="iverilog is not installed")
@pytest.mark.parametrize("page, name", DIAGRAMS, ids=[name for _, name in DIAGRAMS])
def test_diagrams_show_what_the_circuit_does(page, name, made, tmp_path):
    """Every value that is drawn is the circuit's in that cycle."""
    folder = made(page)
    _, design = read_manifest(folder)
    diagram = json.loads((DOCS / "waves" / f"{name}.json").read_text("utf-8"))
    (tmp_path / "bench.v").write_text(bench(design, diagram))
    build = ["iverilog", "-g2005", "-o", "bench", "bench.v", str(folder / f"{design.name}.v")]
    subprocess.run(build, cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout == "DONE\n"


def test_every_interface_has_a_page_with_a_diagram():
    """One for each, and one for lanes."""
    assert {page.stem.removeprefix("interface-") for page in PAGES} == {"comb", "pipe", "stream", "axis", "lanes"}
    assert {page for page, _ in DIAGRAMS} == set(PAGES)
