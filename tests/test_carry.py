"""Additions in carry cells: the cells that are written do what the component does, for every input."""

import itertools
import re
from dataclasses import replace

import pytest
from circuits import combinational, run_pipe
from designs import hand_made

from hwact import Spec
from hwact.design import Design
from hwact.emit.core_file import core_text
from hwact.emit.verilog import verilog
from hwact.errors import RequestError
from hwact.rtl import ActivationUnit, Datapath
from hwact.rtl.carry import AddIf, Mirror, NegateIf, Subtract
from hwact.synth import count_cells, write_netlist
from hwact.verify.netlist import compare, with_models

WIDTH = 3
COMPONENTS = {
    **{f"add {low} {inverted}": AddIf(WIDTH, low, inverted) for low in (False, True) for inverted in range(WIDTH + 1)},
    "subtract": Subtract(WIDTH),
    **{f"mirror {rest}": Mirror(WIDTH, rest) for rest in range(1 << WIDTH)},
    **{f"negate {width}": NegateIf(width) for width in (1, WIDTH)},
}


def chained(chain, inputs):
    """The result of a chain of cells as Lattice describes them (D at 1), for inputs by port."""
    carry, result = chain.carry, 0
    for index, bit in enumerate(chain.bits):
        a, b, c = (inputs[place[0]] >> place[1] & 1 if place else 0 for place in (bit.a, bit.b, bit.c))
        p = bit.init >> (8 | c << 2 | b << 1 | a) & 1
        result |= (p ^ carry) << index
        carry = carry if p else bit.init >> (b << 1 | a) & 1
    return result


@pytest.mark.parametrize("name", COMPONENTS)
def test_chain_equals_component_for_every_input(name):
    """Additions, negations and mirrors, with every inversion and constant."""
    component = COMPONENTS[name]
    widths = {port: len(getattr(component, port)) for port in ("a", "b", "enable") if hasattr(component, port)}
    rows = [dict(zip(widths, values)) for values in itertools.product(*(range(1 << width) for width in widths.values()))]
    results = [row["sum"] for row in combinational(component, rows)]
    assert results == [chained(component.carry_chain, row) for row in rows]


def test_negation_negates_every_number():
    """Modulo a power of two."""
    rows = [{"a": a, "enable": enable} for a in range(8) for enable in range(2)]
    assert [row["sum"] for row in combinational(NegateIf(3), rows)] == [
        (-row["a"] if row["enable"] else row["a"]) % 8 for row in rows
    ]


@pytest.mark.parametrize("name", ["uniform_odd", "free_lines", "with_derivative"])
def test_netlist_with_carry_cells_equals_golden_model_on_every_code(name):
    """The cells that are written for synthesis are those that Yosys keeps."""
    design = replace(hand_made()[name], carry_cells="ccu2c")
    netlist = write_netlist(verilog(design, command=""), design.name, "ecp5", bram=False)
    assert re.search(r"INIT0\(16'h6aaa\)", netlist)
    compare(design, with_models(netlist, design.name, "ecp5"), "ECP5 netlist")


def test_units_with_carry_cells_are_smaller_on_ecp5_and_right_elsewhere():
    """Other devices read the additions as they are."""
    design = Spec("tanh", "SQ4.4", "SQ1.7", target="ecp5", name="unit").design()
    plain = replace(design, carry_cells="")
    assert design.carry_cells == "ccu2c"

    def area(design):
        return count_cells(verilog(design, command=""), "unit", "ecp5", bram=False).area

    assert area(design) < 0.8 * area(plain)
    netlist = write_netlist(verilog(design, command=""), design.name, "ice40", bram=False)
    assert "CCU2C" not in netlist
    compare(design, with_models(netlist, design.name, "ice40"), "iCE40 netlist")


def test_only_units_for_ecp5_have_carry_cells():
    """Whoever does not say what the unit is for gets plain Verilog."""
    chosen = {target: Spec("tanh", "SQ4.2", "SQ1.5", target=target).carry_cells for target in ("any", "ice40", "ecp5", "gowin")}
    assert chosen == {"any": "", "ice40": "", "ecp5": "ccu2c", "gowin": ""}
    assert "CCU2C" not in verilog(Spec("tanh", "SQ4.6", "SQ1.9").design(), command="")


def test_carry_cells_are_part_of_the_digest_and_of_the_manifest():
    """The Verilog differs, so the digest must; files without the entry are read as plain units."""
    plain = hand_made()["uniform_odd"]
    design = replace(plain, carry_cells="ccu2c")
    assert design.digest != plain.digest and "carry_cells" not in plain.to_dict()
    assert Design.from_dict(design.to_dict()) == design
    with pytest.raises(RequestError, match="^Design carry_cells must be empty or ccu2c, not 'ice'$"):
        replace(plain, carry_cells="ice")


def test_files_say_which_device_they_are_for():
    """The head of the Verilog, and the FuseSoC core's synthesis."""
    design = replace(hand_made()["uniform_odd"], carry_cells="ccu2c")
    assert "// For ECP5: where SYNTHESIS is defined" in verilog(design, command="")
    assert "arch: ecp5" in core_text(design, "") and "arch: ice40" in core_text(replace(design, carry_cells=""), "")


#: Odd functions about several centres, as (function, input, output, options): plain negations, other constants, fractions.
ODD = [
    ("tanh", "SQ4.4", "SQ1.7", {}),
    ("sigmoid", "SQ4.4", "SQ2.6", {"segmentation": "free"}),
    ("diff(gelu(x))", "SQ4.4", "SQ2.6", {"segmentation": "uniform", "bound": "2ulp"}),
    ("2*sin(x)", "SQ2.5", "SQ3.6", {"segmentation": "dyadic", "bound": "2ulp"}),
    ("0.3+2*sin(x)", "SQ3.4", "SQ3.6", {"segmentation": "dyadic"}),
]


@pytest.mark.parametrize("latency", [0, 6])
@pytest.mark.parametrize(("function", "input", "output", "options"), ODD)
def test_odd_units_equal_golden_model_on_every_code(function, input, output, options, latency):
    """The final addition mirrors; tables whole and cut by registers."""
    shell = {"interface": "pipe", "latency": latency} if latency else {}
    design = Spec(function, input, output, method="pwl", target="ecp5", **options, **shell).design()
    assert design.channels[0].fold.restore == "odd"
    codes = design.codes()
    bits = design.input.to_bits(codes).tolist()
    if latency:
        found = [y for (y,) in run_pipe(ActivationUnit(design), bits).results]
    else:
        found = [row["y"] for row in combinational(Datapath(design), [{"x": code} for code in bits])]
    assert found == design.channels[0].format.to_bits(design.evaluate(codes)).tolist()
