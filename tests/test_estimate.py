"""Estimates: quick, near what synthesis counts, and as strict as a fit."""

import csv
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwact import SQ, RequestError, Spec
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.estimate import Model, estimate
from hwact.estimate.sketch import Blocks, drafts
from hwact.fit import target_of
from hwact.fit.band import Grid
from hwact.fit.features import table_nodes, unit_features
from hwact.fit.problem import Problem
from hwact.fit.slope import AnySlope
from hwact.rtl.registers import register_bits

ROOT = Path(__file__).resolve().parents[1]
TANH = Spec("tanh", "SQ4.6", "SQ1.9")


@pytest.fixture(scope="module")
def benchmark():
    """The command that measures estimates."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    specification = importlib.util.spec_from_file_location("estimate_benchmark", ROOT / "benchmarks" / "estimate.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    sys.path.pop(0)
    yield module
    sys.modules.pop("tables", None)


# -- estimates ---------------------------------------------------------------------------------


def test_sixteen_bits_with_derivative_take_less_than_a_second():
    """Of processor time, Python's start included: the machine may have other things to do."""
    words = "gelu --input SQ4.12 --output SQ4.12 --derivative direct --derivative-output SQ2.14".split()
    program = (
        "import resource, sys; from hwact.cli import hwact; from hwact.cli.common import run\n"
        "status = run(hwact, ['estimate', *sys.argv[1:]])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime, file=sys.stderr); sys.exit(status)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, env=env, check=True)
    assert float(done.stderr) < 1.5


def test_estimate_needs_no_circuit_and_no_tool():
    """Nothing but NumPy and the reference is loaded for a combinational unit."""
    program = (
        "from hwact import Spec; from hwact.estimate import estimate; estimate(Spec('tanh', 'SQ3.3', 'SQ1.5'))\n"
        "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True)
    assert not set(done.stdout.split()) & {"amaranth", "pyosys", "click", "rich", "matplotlib"}


SAMPLE = 12


def test_estimates_are_near_synthesised_units():
    """On a few of the held-out units of the benchmark: half within a tenth or so, hardly any far off."""
    with open(ROOT / "benchmarks" / "estimate.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["set"], row["family"]) == ("held-out", "ice40")]
    rows = [row for row in rows if int(row["luts"]) >= 30][:: max(len(rows) // (2 * SAMPLE), 1)][:SAMPLE]
    errors = [abs(estimate(Spec(**json.loads(row["request"]))).luts / int(row["luts"]) - 1) for row in rows]
    assert len(rows) == SAMPLE
    assert statistics.median(errors) <= 0.12
    assert sorted(errors)[-2] <= 0.35


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "pwl"},
        {"method": "pwl", "segmentation": "dyadic"},
        {"method": "table"},
        {"fit": "lsq", "bound": "2ulp"},
        {"method": "pwl", "derivative": "slope"},
    ],
)
def test_units_that_are_not_sketched_are_those_of_the_fit(request_):
    """Method, segmentation, segments and the words on the structure are the design's."""
    spec = Spec("silu", "SQ4.4", "SQ4.4", interface="pipe", latency=2, **request_)
    design, found = replace(spec, target="ice40").design(), estimate(spec)
    channel = design.channel("y")
    assert (found.method, found.latency, found.segments) == (channel.core.method, 2, channel.segments)
    assert found.segmentation == getattr(channel.core, "segmentation", None)


@pytest.mark.parametrize("function, input, output", [("sigmoid", "SQ4.6", "UQ0.10"), ("softplus", "SQ4.6", "SQ4.6")])
def test_estimate_answers_for_the_unit_that_the_fit_chooses(function, input, output):
    """For units of the catalogue whose best candidate stands out: fold, segments and size."""
    spec = Spec(function, input, output, target="ice40")
    channel, found = spec.design().channel("y"), estimate(spec)
    counted = Model.of("ice40")
    full = counted.cells(counted.luts, unit_features(spec.input, spec.domain_codes, [channel]))
    assert (found.method, found.segments) == (channel.core.method, channel.segments)
    assert abs(found.luts / full - 1) < 0.1


def test_what_asks_for_more_is_estimated_to_take_more():
    """More bits, a tighter bound, a derivative, another lane."""
    sizes = [estimate(Spec("tanh", SQ(4, f), SQ(1, f + 3))).luts for f in (4, 6, 8)]
    assert sizes == sorted(set(sizes))
    tanh = estimate(TANH)
    assert estimate(replace(TANH, bound="correct")).luts > tanh.luts > estimate(replace(TANH, bound="4ulp")).luts
    assert estimate(replace(TANH, derivative="direct", derivative_output="SQ2.8")).luts > 1.3 * tanh.luts
    lanes = estimate(replace(TANH, lanes=3))
    assert abs(lanes.luts - 3 * tanh.luts) <= 3 and abs(lanes.carries - 3 * tanh.carries) <= 3


def test_range_holds_the_estimate():
    """By the error that nine in ten stay below."""
    found = estimate(TANH)
    assert 0 < found.low < found.luts < found.high
    assert found.low == pytest.approx(found.luts / (1 + found.p90_abs_error), abs=1)
    assert found.high == pytest.approx(found.luts / (1 - found.p90_abs_error), abs=1.5)


def test_multipliers_become_blocks_where_they_are_large_enough():
    """One for each channel that multiplies; small products stay in logic."""
    spec = Spec("tanh", "SQ4.8", "SQ1.11", multiplier="dsp", method="pwl")
    assert estimate(spec).dsps == 1 and estimate(replace(spec, lanes=2)).dsps == 2
    assert estimate(spec).luts < estimate(replace(spec, multiplier="logic")).luts
    assert estimate(replace(spec, input="SQ4.2", output="SQ1.3")).dsps == 0


def test_registers_are_counted_for_clocked_units_alone():
    """A stream has a bit of handshake a stage more than a pipe."""
    assert estimate(TANH).ffs == 0
    pipe, longer, stream = (
        estimate(replace(TANH, interface=interface, latency=latency)).ffs
        for interface, latency in (("pipe", 2), ("pipe", 4), ("stream", 4))
    )
    assert 0 < pipe < longer < stream <= longer + 4


def test_register_bits_of_one_stage_are_those_of_the_outputs():
    """Nothing else is kept behind the last stage."""
    spec = replace(TANH, interface="pipe", latency=1, derivative="direct", derivative_output="SQ2.6")
    assert register_bits(spec.design()) == 10 + 8
    assert register_bits(TANH.design()) == 0


@pytest.mark.parametrize(
    "spec",
    [
        Spec("tanh", "SQ1.0", "SQ1.3"),
        Spec("min(x,1)", "UQ-1.2", "SQ0.9", bound="2ulp", derivative="direct", derivative_output="SQ1.7"),
        Spec("sin", "SQ3.4", "SQ2.4", derivative="slope", derivative_output="SQ2.3", bound="2ulp", saturate=True),
        Spec("relu6", "SQ4.4", "SQ4.4", multiplier="shift-add", lanes=2, interface="axis"),
        Spec("tanh", "SQ3.4", "SQ1.5", domain="1:1", method="pwl", segmentation="uniform"),
    ],
    ids=lambda spec: f"{spec.function.text}-{spec.input}",
)
def test_unusual_units_are_estimated(spec):
    """A single bit, no integer bits, held slopes, nothing but wires, a single code: whatever the fit takes."""
    design, found = spec.design(), estimate(spec)
    assert found.method in ("pwl", "table") and found.latency == design.latency
    assert 0 <= found.low <= found.luts <= found.high


def test_target_is_the_spec_s_unless_another_is_given():
    """And iCE40 where neither says."""
    assert estimate(TANH).target == "ice40"
    assert estimate(replace(TANH, target="ecp5")).target == "ecp5"
    assert estimate(replace(TANH, target="ecp5"), "ice40").target == "ice40"


# -- refusals ----------------------------------------------------------------------------------

REFUSED = [
    Spec("log2", "SQ4.4", "SQ4.4"),
    Spec("exp", "SQ4.8", "SQ4.0", bound="2^-6"),
    Spec("exp(-x)", "UQ4.13", "UQ0.4", method="table"),
    Spec("tanh", "SQ4.4", "SQ1.7", fit="lsq", bound="correct"),
    Spec("tanh", "SQ4.4", "SQ1.7", fit="lsq", derivative="slope", derivative_output="SQ2.6", bound="2ulp"),
    Spec("tanh", "SQ4.4", "SQ1.7", derivative="direct", derivative_output="SQ2.6", derivative_bound="2^-9"),
]


@pytest.mark.parametrize("spec", REFUSED, ids=lambda spec: spec.command()[16:60])
def test_what_a_fit_refuses_is_refused_in_the_same_words(spec):
    """Undefined functions, bounds and formats that cannot be met, tables too long."""
    with pytest.raises(RequestError) as fitted:
        spec.design()
    with pytest.raises(RequestError) as estimated:
        estimate(spec)
    assert str(estimated.value) == str(fitted.value)


def test_target_without_a_model_is_refused():
    """In one sentence that names those with one."""
    with pytest.raises(RequestError, match="^Target must be .*ice40.* for an estimate, not 'xilinx7'$"):
        estimate(TANH, "xilinx7")


@pytest.mark.parametrize(
    "words",
    [
        "tanh --input SQ4 --output SQ1.7",
        "tanh --input SQ4.4 --output SQ1.7 --reset none",
        "tanh --input SQ4.4 --output SQ1.7 --derivative-bound 2ulp",
        "tanh --input SQ4.4 --output SQ1.7 --parameter b",
        "tanh --input SQ4.4 --output SQ1.7 --latency 3",
        "tanh --function gelu --input SQ4.4 --output SQ1.7",
        "tnah --input SQ4.4 --output SQ1.7",
        "tanh --input SQ4.4 --output SQ1.7 --domain 9:10",
    ],
)
def test_command_refuses_what_generate_refuses(words, capsys):
    """With status 2 and the same sentence."""
    assert run(hwact, ["estimate", *words.split()]) == 2
    estimated = capsys.readouterr()
    assert run(hwact, ["generate", *words.split()]) == 2
    generated = capsys.readouterr()
    assert estimated.out == generated.out == ""
    assert estimated.err == generated.err != ""


# -- the command -------------------------------------------------------------------------------


def test_command_prints_a_table_and_the_error(capsys):
    """Piped, a head and a row between tabs; then a sentence."""
    assert run(hwact, "estimate tanh --input SQ4.6 --output SQ1.9".split()) == 0
    head, row, sentence = capsys.readouterr().out.splitlines()
    found = dict(zip(head.split("\t"), row.split("\t")))
    expected = estimate(TANH)
    assert (found["luts"], found["segments"]) == (str(expected.luts), str(expected.segments))
    assert sentence == expected.sentence
    assert f"half had estimates within {100 * expected.median_abs_error:.0f} % of" in sentence


def test_command_prints_json(capsys):
    """All fields of the estimate."""
    words = "x*sigmoid(b*x) --parameter b=1.702 --input SQ4.4 --output SQ4.4 --interface stream --target ecp5"
    assert run(hwact, ["estimate", *words.split(), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"luts", "carries", "low", "high", "median_abs_error", "method", "segments", "latency", "seconds"} <= set(
        found
    )
    assert (found["target"], found["latency"]) == ("ecp5", 3)


# -- sketches and counts -----------------------------------------------------------------------


@pytest.mark.parametrize("function", ["tanh", "-tanh(x)", "gelu"])
@pytest.mark.parametrize("bits", [2, 3])
def test_sketched_segments_meet_the_bound(function, bits):
    """On every code, with intercepts of their own and in pairs, rising and falling: what is counted could be built."""
    spec = Spec(function, "SQ3.5", "SQ4.5", bound="1.5ulp")
    problem = Problem(target_of(spec.function, spec, spec.output, spec.bound), AnySlope())
    kinds = set()
    for folded in problem.folds:
        blocks = Blocks(folded, bits)
        if blocks.slopes is None:
            continue
        shift, options = next((s, o) for s in range(12) if (o := blocks.options(Grid(s))) is not None)
        for draft in drafts(blocks, shift, options):
            lines = draft.lines()
            u = np.arange(folded.origin, folded.origin + len(folded.band))
            outputs = lines.evaluate(u)
            assert (folded.band.lower <= outputs).all() and (outputs <= folded.band.upper).all()
            assert lines.joints is not None or draft.joints is None
            kinds.add(draft.joints is not None)
    assert kinds == {False, True}


def test_blocks_have_no_slopes_exactly_where_no_line_serves():
    """As the fit's own test of feasibility says, block by block."""
    spec = Spec("sin", "SQ3.5", "SQ2.6")
    folded = Problem(target_of(spec.function, spec, spec.output, spec.bound), AnySlope()).folds[0]
    served = []
    for bits in range(7):
        size = 1 << bits
        lines = [folded.band.line(start, start + size) for start in range(0, len(folded.band), size)]
        served.append(all(hasattr(line, "slope") for line in lines))
        assert (Blocks(folded, bits).slopes is not None) == served[-1]
    assert set(served) == {False, True}


def test_table_nodes_are_shared():
    """Constant, repeated and inverted parts cost nothing more."""
    random = np.random.default_rng(1).integers(0, 2, (1, 64)).astype(bool)
    assert table_nodes(random) == 4 + 3
    assert table_nodes(np.concatenate([random, random, ~random])) == 7
    assert table_nodes(np.concatenate([random, random], axis=1)) == 7
    assert table_nodes(random[:, :16]) == 1
    assert table_nodes(np.zeros((0, 16), dtype=bool)) == 0


def test_derivative_shares_its_fold():
    """The index is made once."""
    spec = Spec("tanh", "SQ4.6", "SQ1.9", derivative="direct", derivative_output="SQ2.8", target="ice40")
    design = spec.design()
    assert {channel.fold.index for channel in design.channels} == {"negate"}
    counts = unit_features(design.input, design.domain, design.channels)
    alone = unit_features(design.input, design.domain, design.channels[:1])
    assert counts.negate == alone.negate > 0
    assert counts.channels == 2 and counts.coefficients > alone.coefficients


# -- the benchmark -----------------------------------------------------------------------------


def test_models_are_those_of_the_benchmark_s_rows(benchmark):
    """Nobody has edited the weights: they are fitted to the rows that are committed."""
    first = Model.of(benchmark.FAMILIES[0]).luts
    for family in benchmark.FAMILIES:
        rows = benchmark.results("calibration", family)
        counts = np.array([benchmark.Features(**json.loads(row["features"])) for row in rows])
        found = Model.of(family)
        assert found.units == len(rows)
        prior = None if family == benchmark.FAMILIES[0] else first
        assert found.luts == benchmark.weights(counts, np.array([benchmark.taken(row) for row in rows]), prior)


def test_functions_of_the_error_are_not_those_of_the_calibration(benchmark):
    """Held out means held out, and there are a hundred units and more."""
    functions = {
        kind: {json.loads(row["request"])["function"] for row in benchmark.results(kind)}
        for kind in benchmark.FUNCTIONS
    }
    assert not functions["calibration"] & functions["held-out"]
    assert (
        Model.of("ice40").checked
        == sum(benchmark.taken(row) > 0 for row in benchmark.results("held-out", "ice40"))
        >= 100
    )
    assert Model.of("ice40").median_abs_error <= 0.1


def test_shell_examples_run(capsys):
    """The commands of the page, one after the other."""
    text = (ROOT / "docs" / "estimate.md").read_text(encoding="utf-8")
    lines = text.split("```sh\n")[1].split("```")[0].splitlines()
    assert len(lines) == 3
    for line in lines:
        assert run(hwact, line.split()[1:]) == 0, (line, capsys.readouterr().err)
