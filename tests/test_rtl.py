"""Every component of the circuit on its own and exhaustively, the units made of them, and their Verilog."""

import gc
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module
from circuits import combinational, run_pipe, run_stream
from designs import channel, design, hand_made, random_design, with_shell

from hwact.design import CARRY_CELLS, RESETS, Channel, Design, Fold, Lines, Shell, Table
from hwact.emit.verilog import verilog
from hwact.fixed import SQ, UQ, Format
from hwact.rtl import (
    ActivationUnit,
    Coefficients,
    Datapath,
    Finish,
    FoldInput,
    Multiply,
    Offset,
    ProductPlan,
    Rows,
    Saturate,
    Search,
    Select,
    Unfold,
)
from hwact.rtl.fold import negates
from hwact.rtl.lookup import span
from hwact.rtl.select import addresses
from hwact.rtl.stages import most_stages, schedule
from hwact.rtl.tree import Branches, TreePlan
from hwact.verify.simulate import run_verilog

MADE = {name: made for name, made in hand_made().items() if name != "widest"}


def all_lines():
    """Lines of every segmentation and range of numbers, by name."""
    found = {}
    for made in [*MADE.values(), *(random_design(seed) for seed in range(40))]:
        for one in made.channels:
            if isinstance(one.core, Lines) and one.core.stop <= 512:
                found[f"{made.name}_{one.name}"] = one.core
    return found


LINES = all_lines()


def golden_bits(made, codes, name="y"):
    """Output bit patterns of the golden model."""
    return (made.evaluate(codes, name) & ((1 << made.channel(name).format.width) - 1)).tolist()


# -- shapes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("least", [-9, -8, -1, 0, 1, 7, 8])
def test_span_is_the_smallest_shape_that_holds_a_range(least):
    """Signed only where it must be."""
    for most in range(least, 18):
        shape = span(least, most)
        low, high = (
            (-(1 << shape.width - 1), (1 << shape.width - 1) - 1)
            if shape.signed
            else (0, (1 << shape.width) - 1)
        )
        assert low <= least and most <= high and shape.signed == (least < 0)
        half_low, half_high = -(-low // 2), high // 2
        assert shape.width <= shape.signed or least < half_low or most > half_high


# -- fold and unfold ---------------------------------------------------------------------------


@pytest.mark.parametrize("cells", CARRY_CELLS)
@pytest.mark.parametrize("width", [1, 2, 3, 6])
@pytest.mark.parametrize("index", ["none", "unsigned", "negate", "complement"])
def test_fold_input_equals_golden_fold_on_every_code(index, width, cells):
    """The most negative code among them."""
    format = Format(index != "unsigned", width, 0)
    fold = Fold() if index in ("none", "unsigned") else Fold(index, "even")
    codes = format.codes()
    u, negative = fold.fold(codes, format)
    component = FoldInput(fold, format, max(int(u.max()).bit_length(), 1), cells)
    got = combinational(component, [{"x": int(bits)} for bits in format.to_bits(codes)])
    assert [one["u"] for one in got] == u.tolist()
    assert [one["negative"] for one in got] == negative.tolist()


ODD = [Fold("complement", "odd", constant) for constant in (-16, -1, 0, 5, 15, 16, 31)]
NOT_ODD = [
    Fold(),
    Fold("negate", "even"),
    *(Fold("negate", restore, 0, shift) for restore in ("ramp", "ramp_down") for shift in (0, 2)),
]


@pytest.mark.parametrize("cells", CARRY_CELLS)
@pytest.mark.parametrize("halves", [(0, 12), (-7, 5), (-9, -3)])
@pytest.mark.parametrize(
    ("fold", "decremented"), [(fold, False) for fold in ODD + NOT_ODD] + [(fold, True) for fold in ODD]
)
def test_unfold_equals_golden_unfold_for_every_half_and_code(fold, halves, decremented, cells):
    """Also where the half of an odd fold arrives one less, so that an inversion negates."""
    input = SQ(4, 0)
    pairs = [(g, x) for g in range(halves[0], halves[1] + 1) for x in input.codes().tolist()]
    g, x = (np.array(values) for values in zip(*pairs))
    negative = (x < 0) & (fold.index != "none")
    expected = fold.unfold(g, x, negative)
    component = Unfold(fold, input, halves, (int(expected.min()), int(expected.max())), decremented, cells)
    vectors = [
        {"g": int(a - (decremented and n)), "x": int(b) & 15, "negative": int(n)}
        for a, b, n in zip(g, x, negative)
    ]
    assert [one["y"] for one in combinational(component, vectors)] == expected.tolist()


def test_plain_negations_are_told_from_other_mirrors():
    """A constant that vanishes in the output's width leaves a negation."""
    assert negates(Fold("negate", "odd", 0), 8) and negates(Fold("complement", "odd", 256), 8)
    assert not negates(Fold("complement", "odd", -1), 8) and not negates(Fold("complement", "odd", 256), 9)
    assert not negates(Fold("negate", "even"), 8)


# -- select and coefficients -------------------------------------------------------------------


def located(lines):
    """Every index, its segment, and how far it lies behind the segment's start."""
    indices = np.arange(*lines.range)
    segments = lines.locate(indices)
    return indices.tolist(), segments.tolist(), (indices - np.array(lines.starts)[segments]).tolist()


@pytest.mark.parametrize("name", [name for name, lines in LINES.items() if lines.segmentation != "free"])
def test_select_finds_segment_and_offset_of_every_index(name):
    """Dyadic and uniform blocks."""
    lines = LINES[name]
    indices, segments, offsets = located(lines)
    component = Select(lines, max(indices[-1].bit_length(), 1))
    got = combinational(component, [{"u": u} for u in indices])
    assert [one["segment"] for one in got] == [addresses(lines)[0] + k for k in segments]
    size = lines.sizes[0]
    back = [size * (u // size % 2 == 0) if lines.joints else 0 for u in indices]
    assert [one["offset"] for one in got] == [offset - less for offset, less in zip(offsets, back)]


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 11])
def test_search_finds_the_segment_of_every_index(count, cut):
    """Free breakpoints of any number, in one part and in as many as there are levels."""
    starts = tuple(sorted(random.Random(count).sample(range(1, 60), count)))
    lines = Lines("free", starts, 64, 2, (1,) * count, (0,) * count)
    indices, segments, offsets = located(lines)
    levels = Search.bits(lines) + 1
    rows = [{"u": u} for u in indices]
    for begin, end in zip(*(range(levels), range(1, levels + 1)) if cut else ((0,), (levels,))):
        rows = combinational(Search(lines, 6, begin, end), rows)
        if end < levels:
            rows = [{"flags": row["left"], "found": row["inner"]} for row in rows]
    assert [row["segment"] for row in rows] == segments
    rows = [{"u": u, "start": starts[segment]} for u, segment in zip(indices, segments)]
    assert [row["offset"] for row in combinational(Offset(lines, 6), rows)] == offsets


def test_every_segmentation_is_among_the_lines():
    """Guards the tests above against losing one."""
    assert {lines.segmentation for lines in LINES.values()} == {"free", "dyadic", "uniform"}
    assert {ProductPlan(lines).slope_drives for lines in LINES.values()} == {False, True}
    assert any(ProductPlan(lines).ending > ProductPlan(lines).rows > 0 for lines in LINES.values())
    assert any(0 < ProductPlan(lines).ending < ProductPlan(lines).rows for lines in LINES.values())


@pytest.mark.parametrize("first", [0, 3])
def test_coefficients_answer_every_address(first):
    """Tables of any range, equal entries among them."""
    tables = {"slope": (3, 0, 3, 3, 1), "intercept": (-20, 7, 7, 0, 7), "g": (5,) * 5}
    component = Coefficients(3, first, tables)
    got = combinational(component, [{"address": first + k} for k in range(5)])
    assert got == [{name: entries[k] for name, entries in tables.items()} for k in range(5)]


@pytest.mark.parametrize("first", [0, 3])
def test_coefficients_repeat_the_flat_tail_for_every_address_beyond_it(first):
    """Addresses above the index's width, with whatever low bits, give the last entry."""
    tables = {"slope": (5, 4, 2) + (0,) * 20, "intercept": (1, 8, 11, 12) + (13,) * 19}
    component = Coefficients(5, first, tables)
    got = combinational(component, [{"address": first + k} for k in range(23)])
    assert got == [{name: entries[k] for name, entries in tables.items()} for k in range(23)]


TABLES = {
    "ragged": (3, {"slope": (5, 4, -2, 9) * 9, "intercept": tuple(k * k for k in range(36))}),
    "flat tail": (0, {"g": tuple(range(40)) + (40,) * 60}),
    "constant": (5, {"slope": (3,) * 40, "intercept": (-7,) * 40}),
    "highest bit alone": (0, {"g": (2,) * 64 + (-3,) * 64}),
    "small": (1, {"g": (1, 2, 4)}),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("seed", [1, 2])
def test_tables_cut_anywhere_hold_every_entry(name, seed):
    """The parts of a tree, joined like `hwact.rtl.stages` does, answer as the whole table."""
    first, tables = TABLES[name]
    length = len(next(iter(tables.values())))
    plan = TreePlan((first + length - 1).bit_length(), first, tables)
    chance = random.Random(seed)
    inner = sorted(chance.sample(plan.levels[:-1], min(chance.randint(0, 3), len(plan.levels) - 1)))
    cuts = [0, *inner, plan.levels[-1]]
    rows = [{"address": first + k} for k in range(length)]
    for begin, end in zip(cuts, cuts[1:]):
        rows = combinational(Branches(plan, begin, end), rows)
        if end < plan.width:
            rows = [{"address": row["rest"], "nodes": row["selected"]} for row in rows]
    assert rows == [{name: entries[k] for name, entries in tables.items()} for k in range(length)]


# -- product -----------------------------------------------------------------------------------


class Product(Elaboratable):
    """Rows, cut into groups, or a multiplier, and the final addition, joined like `hwact.rtl.stages` does."""

    def __init__(self, plan, cuts, decrement, cells):
        self.plan, self.cuts, self.cells = plan, cuts, cells
        self.finish = Finish(plan, decrement)
        stored = plan.slopes if not plan.flat else (0,)
        self.slope_shape = span(min(stored), max(stored))

    def elaborate(self, platform):
        from amaranth.hdl import Shape, Signal

        m = Module()
        plan = self.plan
        m.submodules.finish = self.finish
        self.slope = Signal(self.slope_shape)
        self.offset = Signal(Shape(plan.offset_bits + plan.paired, signed=plan.paired))
        if plan.flat:
            return m
        if not plan.rows:
            m.submodules.multiply = multiply = Multiply(plan)
            m.d.comb += [multiply.slope.eq(self.slope), multiply.offset.eq(self.offset)]
            m.d.comb += self.finish.total.eq(multiply.total)
            return m
        driver, operand = (self.slope, self.offset) if plan.slope_drives else (self.offset, self.slope)
        edges, before = [0, *self.cuts, plan.rows], None
        for first, last in zip(edges, edges[1:]):
            m.submodules[f"rows_{first}"] = rows = Rows(plan, first, last, self.cells)
            m.d.comb += [rows.driver.eq(driver[first:last]), rows.operand.eq(operand)]
            if before is not None:
                m.d.comb += rows.accumulator.eq(before.result)
            if hasattr(rows, "retired"):
                m.d.comb += rows.retired.eq(before.kept)
            before = rows
        m.d.comb += self.finish.total.eq(before.total)
        return m


def simulate_product(lines, cuts, decrement, cells=""):
    """g of every segment, offset and sign."""
    from amaranth.sim import Simulator

    plan = ProductPlan(lines)
    product, results = Product(plan, cuts, decrement, cells), []
    cases = [
        (k, d, n) for k, size in enumerate(lines.sizes) for d in range(size) for n in range(1 + decrement)
    ]
    if len(cases) > 300:
        cases = random.Random(1).sample(cases, 300) + cases[:3] + cases[-3:]

    async def bench(ctx):
        for k, d, negative in cases:
            ctx.set(product.slope, plan.slopes[k])
            left = plan.paired and lines.starts[k] // lines.sizes[0] % 2 == 0
            ctx.set(product.offset, d - lines.sizes[0] * left)
            ctx.set(product.finish.intercept, plan.intercepts[k] - decrement)
            if decrement:
                ctx.set(product.finish.negative, negative)
            await ctx.delay(1e-6)
            results.append(ctx.get(product.finish.g))

    fragment = Module()
    fragment.submodules.product = product
    simulator = Simulator(fragment)
    simulator.add_testbench(bench)
    simulator.run()
    expected = [((lines.slopes[k] * d + lines.intercepts[k]) >> lines.shift) - n for k, d, n in cases]
    return results, expected


@pytest.mark.parametrize(("multiplier", "cells"), [("logic", ""), ("logic", "ccu2c"), ("dsp", "")])
@pytest.mark.parametrize("name", LINES)
def test_products_equal_integers_for_every_segment_and_offset(name, multiplier, cells):
    """Rows cut into stages anywhere, or one multiplication; constants shared and trailing zeros left out."""
    lines = replace(LINES[name], multiplier=multiplier)
    rows = ProductPlan(lines).rows
    cuts = sorted(random.Random(name).sample(range(1, rows), min(rows - 1, 2))) if rows > 1 else []
    results, expected = simulate_product(lines, cuts, False, cells)
    assert results == expected


@pytest.mark.parametrize("multiplier", ["logic", "dsp"])
@pytest.mark.parametrize("slopes", [(5, 0, -3, 1), (8, 16, 0, 24), (0, 0, 0, 0), (1, 2, 3, 1)])
@pytest.mark.parametrize("cut", [False, True])
def test_decremented_products_are_one_less_where_negative(slopes, multiplier, cut):
    """The carry of the last adder makes the difference."""
    lines = Lines("uniform", (0, 16, 32, 48), 64, 4, slopes, (8, 24, -24, 56), multiplier)
    rows = ProductPlan(lines).rows
    assert ProductPlan(lines).fraction == 0
    results, expected = simulate_product(lines, [1] if cut and rows > 1 else [], True)
    assert results == expected


@pytest.mark.parametrize("name", LINES)
def test_plan_s_ranges_hold_every_value(name):
    """No wire can overflow."""
    lines, plan = LINES[name], ProductPlan(LINES[name])
    least, most = plan.output_range
    assert least <= lines.evaluate(np.arange(*lines.range)).min()
    assert lines.evaluate(np.arange(*lines.range)).max() <= most
    for k, size in enumerate(lines.sizes):
        low, high = plan.total_range
        for d in (0, size - 1):
            assert low <= (plan.slopes[k] * d + plan.start) >> plan.ending <= high


# -- saturation --------------------------------------------------------------------------------


@pytest.mark.parametrize("format", [SQ(3, 0), UQ(3, 0), SQ(1, 0), UQ(0, 1)])
@pytest.mark.parametrize("reach", [(-20, 20), (0, 5), (-5, -1), (2, 40), (-1, 0)])
def test_saturate_equals_clip_on_every_integer(format, reach):
    """Ranges that stick out on either side, on both or on none."""
    values = range(reach[0], reach[1] + 1)
    got = combinational(Saturate(*reach, format), [{"raw": raw} for raw in values])
    assert [one["y"] for one in got] == np.clip(values, format.min_code, format.max_code).tolist()


# -- datapath ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_combinational_unit_equals_golden_model_on_every_code(name):
    """One design for every branch of the arithmetic."""
    made = MADE[name]
    codes = made.codes()
    got = combinational(ActivationUnit(made), [{"x": int(bits)} for bits in made.input.to_bits(codes)])
    for one in made.channels:
        assert [outputs[one.name] for outputs in got] == golden_bits(made, codes, one.name)


@pytest.mark.parametrize("latency", [1, 2, 4, 7, 20])
@pytest.mark.parametrize(
    "name", ["free_lines", "dyadic_even", "odd_about_one", "negate_ramp", "with_derivative", "folded_table"]
)
def test_datapath_equals_golden_model_at_every_latency(name, latency):
    """A code every clock, results in order, as many cycles later as the design says and no other number."""
    made = with_shell(MADE[name], "pipe", latency)
    codes = np.random.default_rng(latency).permutation(made.codes())[:100]
    names = tuple(one.name for one in made.channels)
    datapath = Datapath(made)
    datapath.latency = latency
    got = run_pipe(datapath, made.input.to_bits(codes).tolist(), outputs=names)
    assert got.results == list(zip(*(golden_bits(made, codes, name) for name in names)))


@pytest.mark.filterwarnings("ignore:<hwact.*created but never used")
def test_channels_share_a_selection_only_where_it_is_the_same():
    """Equal breakpoints of another kind have other addresses."""
    starts, sizes = (32, 48), {"stop": 64, "shift": 2, "slopes": (9, -9), "intercepts": (-20, 140)}
    free, uniform = (Lines(kind, starts, **sizes) for kind in ("free", "uniform"))
    for first, second in ((free, uniform), (uniform, free), (uniform, uniform)):
        made = design(
            "pair",
            SQ(4, 3),
            channel(first, SQ(8, 4)),
            channel(second, SQ(8, 4), name="dy", mode="direct"),
            domain=(-32, -1),
        )
        steps = [step.name for stage in schedule(made) for step in stage]
        assert sum("select" in step or "search" in step for step in steps) == (1 if first is second else 2)
        got = combinational(
            ActivationUnit(made), [{"x": int(bits)} for bits in made.input.to_bits(made.codes())]
        )
        for name in ("y", "dy"):
            assert [outputs[name] for outputs in got] == golden_bits(made, made.codes(), name)
    gc.collect()


def parts(stages):
    """Names of the steps in order, without the numbers of what they cover, and those numbers."""
    names = (re.fullmatch(r"(.*?)(?:_(\d+)_(\d+))?", step.name) for stage in stages for step in stage)
    return [(name[1], range(int(name[2] or 0), int(name[3] or 0) + 1)) for name in names]


@pytest.mark.filterwarnings("ignore:<hwact.*created but never used")
@pytest.mark.parametrize("name", ["uniform_odd", "with_derivative", "free_lines", "folded_table"])
def test_stages_lose_no_step(name):
    """As many stages as cycles; every step, and every part of a step that was cut, in one of them."""
    whole = {kind for kind, _ in parts(schedule(MADE[name]))}
    for latency in (1, 2, 3, 5, 12, most_stages(MADE[name])):
        stages = schedule(with_shell(MADE[name], "pipe", latency))
        assert len(stages) == latency
        found = parts(stages)
        assert {kind for kind, _ in found} == whole
        for kind in whole:
            numbers = [number for one, covered in found if one == kind for number in covered]
            assert numbers == list(range(len(numbers)))
    del stages
    gc.collect()  # steps that no circuit takes in are mourned here, not in another test


# -- shells ------------------------------------------------------------------------------------


@pytest.mark.parametrize("latency", [1, 3])
@pytest.mark.parametrize("reset", ["sync-high", "async-high", "none"])
@pytest.mark.parametrize("stalls", [None, 1])
def test_pipe_unit_moves_with_its_enable_alone(reset, stalls, latency):
    """A result is there `latency` enabled cycles after its code, and stands still while the enable is low."""
    made = with_shell(MADE["with_derivative"], "pipe", latency, reset)
    codes = np.random.default_rng(1).permutation(made.codes())[:80]
    got = run_pipe(
        ActivationUnit(made),
        made.input.to_bits(codes).tolist(),
        stalls=stalls,
        reset=reset,
        outputs=("y", "dy"),
    )
    assert got.results == list(zip(golden_bits(made, codes), golden_bits(made, codes, "dy")))


@pytest.mark.parametrize("latency", [1, 2, 5])
@pytest.mark.parametrize("reset", ["sync-high", "async-high", "none"])
def test_stream_unit_takes_a_code_a_cycle_and_its_latency(reset, latency):
    """At full rate every result takes `latency` cycles and none is missed."""
    made = with_shell(MADE["with_derivative"], "stream", latency, reset)
    codes = made.codes()[::3]
    got = run_stream(
        ActivationUnit(made), made.input.to_bits(codes).tolist(), reset=reset, outputs=("y", "dy")
    )
    assert got.results == list(zip(golden_bits(made, codes), golden_bits(made, codes, "dy")))
    assert got.latencies == {latency} and got.answered[-1] == len(codes) + latency - 1


@pytest.mark.parametrize("latency", [1, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_stream_unit_loses_nothing_under_stalls(seed, latency):
    """Random valid and ready: every result once, in order, stable while it waits."""
    made = with_shell(MADE["uniform_odd"], "stream", latency)
    codes = made.codes()[::2]
    got = run_stream(ActivationUnit(made), made.input.to_bits(codes).tolist(), stalls=seed)
    assert [result for (result,) in got.results] == golden_bits(made, codes)
    assert min(got.latencies) >= latency


@pytest.mark.parametrize("reset", ["sync-high", "async-high"])
def test_reset_empties_a_stream_unit(reset):
    """Codes in flight are gone, and those fed again come out right."""
    made = with_shell(MADE["uniform_odd"], "stream", 3, reset)
    codes = made.codes()[::4]
    unit = ActivationUnit(made)
    got = run_stream(unit, made.input.to_bits(codes).tolist(), stalls=3, reset=reset, resets=(4, 5, 17, 40))
    assert [result for (result,) in got.results] == golden_bits(made, codes)


# -- Verilog -----------------------------------------------------------------------------------


def merged(units):
    """Verilog of many combinational units behind an input that selects, and its design and codes."""
    select, width = (len(units) - 1).bit_length(), max(unit.input.width for unit in units)
    texts, cases, codes = [], [], []
    tables = {name: np.zeros(1 << (select + width), dtype=np.int64) for name in ("y", "dy")}
    for k, unit in enumerate(units):
        unit = unit.renamed(f"unit_{k}")
        texts.append(verilog(unit, command="test"))
        ports = ", ".join(f".{one.name}({one.name}_{k})" for one in unit.channels)
        wires = "".join(f"wire [{one.format.width - 1}:0] {one.name}_{k};\n" for one in unit.channels)
        texts.append(f"{wires}unit_{k} instance_{k} (.x(x[{unit.input.width - 1}:0]), {ports});\n")
        moves = " ".join(f"{one.name} = {one.name}_{k};" for one in unit.channels)
        cases.append(f"{k}: begin {moves} end\n")
        places = (k << width) + unit.input.to_bits(unit.codes())
        for one in unit.channels:
            tables[one.name][places] = golden_bits(unit, unit.codes(), one.name)
        codes.append(places)
    body = "\n".join(texts[1::2])
    top = (
        f"module merged (input [{select + width - 1}:0] x, output reg [31:0] y, output reg [31:0] dy);\n"
        f"{body}always @* begin y = 0; dy = 0; case (x[{select + width - 1}:{width}])\n"
        f"{''.join(cases)}endcase end\nendmodule\n"
    )
    channels = tuple(
        Channel(name, "x", mode, UQ(32, 0), "faithful", Fold(), Table(0, tuple(tables[name].tolist())))
        for name, mode in (("y", "function"), ("dy", "direct"))
    )
    format = UQ(select + width, 0)
    whole = Design("merged", "f", format, (0, format.max_code), channels, Shell())
    return "\n".join([*texts[::2], top]), whole, np.concatenate(codes)


def assert_verilog_equals_golden(units):
    text, whole, codes = merged(units)
    simulation = run_verilog(text, whole, codes)
    for name in ("y", "dy"):
        np.testing.assert_array_equal(simulation.outputs[name], whole.evaluate(codes, name))


def test_verilog_of_hand_made_designs_equals_golden_model_on_every_code():
    """The text as a user gets it, in one compiled simulation."""
    assert_verilog_equals_golden(list(MADE.values()))


def test_verilog_of_random_designs_equals_golden_model_on_every_code():
    """The first seeds; the slow test takes more."""
    assert_verilog_equals_golden([random_design(seed) for seed in range(16)])


@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_verilog_of_many_random_designs_equals_golden_model_on_every_code(block):
    """Hundreds of them."""
    assert_verilog_equals_golden([random_design(seed) for seed in range(16 + 50 * block, 66 + 50 * block)])


def test_segments_of_single_codes_need_no_product():
    """Their offset is always zero, whatever their slopes are."""
    slopes, intercepts = (3, -2, 0, 5, 1, 1, -7, 2), (0, 5, 9, -3, 4, 4, 1, -6)
    units = []
    for multiplier in ("logic", "dsp", "shift-add"):
        lines = Lines("uniform", tuple(range(8)), 8, 1, slopes, intercepts, multiplier)
        channel = Channel("y", "x", "function", SQ(4, 0), "faithful", Fold(), lines)
        units.append(Design("single_codes", "x", UQ(3, 0), (0, 7), (channel,)))
    assert_verilog_equals_golden(units)


def test_verilog_of_the_widest_design_equals_golden_model_at_the_corners():
    """Thirty-two bits in and out."""
    made = hand_made()["widest"]
    low, high = made.domain
    rng = np.random.default_rng(1)
    near = [low, low + 1, -(1 << 30) - 1, -(1 << 30), -1, 0, 1, (1 << 30) - 1, 1 << 30, high - 1, high]
    codes = np.concatenate([near, rng.integers(low, high, 2000, endpoint=True)])
    simulation = run_verilog(verilog(made, command="test"), made, codes)
    for name in ("y", "dy"):
        np.testing.assert_array_equal(simulation.outputs[name], made.evaluate(codes, name))


SHELLS = [
    ("pipe", 1, "async-low"),
    ("pipe", 6, "none"),
    ("stream", 2, "sync-low"),
    ("stream", 4, "async-high"),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_verilog_of_clocked_units_keeps_latency_and_handshakes(shell):
    """At full rate and under stalls, with both polarities of both kinds of reset."""
    made = with_shell(MADE["with_derivative"], *shell)
    text = verilog(made, command="test")
    for stalls in (None, 1):
        simulation = run_verilog(text, made, made.codes(), stalls=stalls)
        for name in ("y", "dy"):
            np.testing.assert_array_equal(simulation.outputs[name], made.evaluate(made.codes(), name))
        assert stalls or simulation.latency == made.latency


@pytest.mark.slow
@pytest.mark.parametrize("name", ["free_lines", "negate_ramp", "folded_table"])
@pytest.mark.parametrize("interface", ["pipe", "stream"])
@pytest.mark.parametrize("reset", RESETS)
def test_verilog_of_every_shell_keeps_latency_and_handshakes(name, interface, reset):
    """Every reset of both interfaces."""
    made = with_shell(MADE[name], interface, 3, reset)
    text = verilog(made, command="test")
    for stalls in (None, 1, 2):
        simulation = run_verilog(text, made, made.codes(), stalls=stalls)
        np.testing.assert_array_equal(simulation.outputs["y"], made.evaluate(made.codes()))
        assert stalls or simulation.latency == 3
