"""Softmax: the guarantee against an independent reference, the circuit against the golden model."""

import itertools
import json
import random
import subprocess
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from softmax_bench import run_vectors

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.design import Table
from hwact.errors import CheckError, RequestError
from hwact.fixed import SQ, UQ
from hwact.softmax import Exponential, SoftmaxDesign, SoftmaxSpec, guarantee
from hwact.softmax.c_model import c_model_text
from hwact.softmax.vectors import vectors
from hwact.softmax.verify import check_golden, climb, compare, run_verilog
from hwact.softmax.verilog import verilog

#: Small units that between them take every branch: a lone element, no power of two, signs, DSP, a wide input.
SPECS = {
    "tiny": SoftmaxSpec("SQ2.1", "UQ0.6", 3),
    "alone": SoftmaxSpec("SQ2.1", "SQ1.5", 1, bound="0.75ulp"),
    "pair": SoftmaxSpec("UQ3.2", "UQ1.6", 2, multiplier="dsp", reset="none"),
    "seven": SoftmaxSpec("SQ4.4", "UQ0.8", 7, reset="async-low"),
    "wide": SoftmaxSpec("SQ4.7", "UQ0.8", 5, reset="sync-low"),
    "wide_dsp": SoftmaxSpec("UQ4.7", "SQ2.9", 4, multiplier="dsp", bound="2^-8", reset="async-high"),
}
DESIGNS = {}


def made(name):
    """The design of one of `SPECS`, fitted once."""
    if name not in DESIGNS:
        DESIGNS[name] = SPECS[name].design()
    return DESIGNS[name]


def every_vector(design, elements):
    """All vectors of some length (int64, one a row)."""
    return np.array(list(itertools.product(design.input.codes().tolist(), repeat=elements)))


def reference(design, codes):
    """Real softmax in ulps, clamped to the output's range (float64): for bounds with room to spare."""
    values = np.asarray(codes) * float(design.input.ulp)
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    ulps = powers / powers.sum(axis=-1, keepdims=True) * 2.0**design.output.frac_bits
    return np.minimum(ulps, design.output.max_code)


def test_every_vector_of_a_small_unit_keeps_the_guarantee_in_exact_arithmetic():
    """Eight codes, up to three elements: balls around the real softmax, rational bounds, all 584 vectors."""
    design = made("tiny")
    proved = guarantee(design)
    limit, scale = arb(proved.error_ulp.numerator) / proved.error_ulp.denominator, 1 << design.output.frac_bits
    for elements in (1, 2, 3):
        for vector in every_vector(design, elements).tolist():
            powers = [(arb(code) / (1 << design.input.frac_bits)).exp() for code in vector]
            outputs = design.evaluate(vector).tolist()
            for power, output in zip(powers, outputs):
                real = (power / sum(powers) * scale).min(design.output.max_code)
                assert abs(real - output) <= limit, vector
            assert abs(sum(outputs) - scale) <= proved.sum_ulp, vector
            assert all((a <= b) <= (c <= d) for a, c in zip(vector, outputs) for b, d in zip(vector, outputs)), vector


@pytest.mark.parametrize("name", SPECS)
def test_vectors_keep_guarantee_and_order(name):
    """Corners, every offset and random vectors, against float64."""
    design = made(name)
    proved = guarantee(design)
    proved.check(design)
    for vector in vectors(design):
        outputs = design.evaluate(vector)
        assert np.abs(outputs - reference(design, vector)).max() <= float(proved.error_ulp) + 1e-9
        assert abs(int(outputs.sum()) - (1 << design.output.frac_bits)) <= proved.sum_ulp
        assert (np.diff(outputs[np.argsort(vector, kind="stable")]) >= 0).all()


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_any_request_is_proved_or_refused(data):
    """Formats, lengths and bounds that nobody named."""
    width, bits = data.draw(st.integers(2, 11)), data.draw(st.integers(-2, 9))
    input = data.draw(st.sampled_from((SQ, UQ)))(width - bits, bits)
    output = data.draw(st.sampled_from((SQ(1, 7), UQ(0, 1), UQ(0, 5), UQ(2, 9), SQ(3, 3))))
    length = data.draw(st.sampled_from((1, 2, 3, 9, 33, 200)))
    bound = data.draw(st.sampled_from(("faithful", "0.6ulp", "3ulp")))
    design = SoftmaxSpec(input, output, length, bound).design()
    check_golden(design)
    proved, draw = guarantee(design), random.Random(1)
    for vector in [*vectors(design)[:21], *(draw.choices(range(*input_range(design)), k=length) for _ in range(20))]:
        outputs = design.evaluate(vector)
        assert np.abs(outputs - reference(design, vector)).max() <= float(proved.error_ulp) + 1e-9
        assert abs(int(outputs.sum()) - (1 << output.frac_bits)) <= proved.sum_ulp


def input_range(design):
    return design.input.min_code, design.input.max_code + 1


def test_guarantee_of_a_long_vector_is_nearly_reached():
    """All other inputs at the offset of the worst tail: the error grows with the length, as the argument says."""
    design = SoftmaxSpec("SQ4.4", "UQ0.8", 256, bound="2ulp").design()
    offsets = np.arange(1, 256)
    batch = np.repeat(127 - offsets[:, None], 256, axis=1)
    batch[:, 0] = 127
    errors = np.abs(design.evaluate(batch) - reference(design, batch)).max()
    assert 0.5 < errors <= guarantee(design).error_ulp < 2


def test_exponential_that_rises_is_found():
    """The order of the outputs rests on it."""
    design = made("tiny")
    (unit,) = design.exponential.factors
    channel = unit.channels[0]
    entries = list(channel.core.evaluate(np.arange(8)).tolist())
    entries[5] = entries[4] + 1
    broken = replace(channel, core=Table(0, tuple(entries)), fold=replace(channel.fold, index="none"))
    exponential = Exponential(design.exponential.bits, (replace(unit, channels=(broken,)),))
    with pytest.raises(CheckError, match="^Exponential must not rise with the offset, as it does after code 4$"):
        guarantee(replace(design, exponential=exponential))


def test_bound_that_does_not_follow_is_found():
    """A bit less of the exponentials stored, and the proof fails."""
    design = made("tiny")
    loose = replace(design, stored=design.output.frac_bits)
    with pytest.raises(CheckError, match="^Outputs must be proven within faithful, not within "):
        guarantee(loose).check(loose)


def test_design_survives_json():
    """And its digest with it."""
    for name in ("tiny", "wide"):
        design = made(name)
        again = SoftmaxDesign.from_dict(json.loads(json.dumps(design.to_dict())))
        assert again == design and again.digest == design.digest and hash(again) == hash(design)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"length": 1025}, "Length must be 1 to 1024, not 1025"),
        ({"bound": "correct"}, "Bound must be above 1/2 ulp, which the rounding of an output takes, not correct"),
        ({"output": "SQ0.8"}, "Output format must reach 1 - ulp and have a fraction bit, such as UQ0.8 or SQ1.15, not SQ0.8"),
        ({"multiplier": "shift-add"}, "Multiplier must be logic or dsp, not 'shift-add'"),
        ({"input": "SQ9.16"}, "Input format must be at most 24 bits wide, so that every code can be checked, not SQ9.16"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(change, sentence):
    """When they are made."""
    with pytest.raises(RequestError) as caught:
        SoftmaxSpec(**{"input": "SQ4.4", "output": "UQ0.8", "length": 8, **change})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("codes", "sentence"), [([], "1 to 3 elements, not 0"), ([0] * 4, "1 to 3 elements, not 4")])
def test_golden_model_refuses_vectors_of_other_lengths(codes, sentence):
    """Empty ones and longer ones."""
    with pytest.raises(RequestError, match=sentence):
        made("tiny").evaluate(np.array(codes, dtype=np.int64))


# -- the circuit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_circuit_equals_golden_model_through_stalls_and_resets(name):
    """Random lengths; at full rate, under stalls, and with resets in flight."""
    design, draw = made(name), random.Random(1)
    driven = [draw.choices(range(*input_range(design)), k=draw.randint(1, design.length)) for _ in range(24)]
    wanted = [design.evaluate(vector).tolist() for vector in driven]
    assert run_vectors(design, driven).vectors == wanted
    if design.reset != "none":
        resets = (3, 17, 41, 42, 80, 131, 200)
        assert run_vectors(design, driven, stalls=2, resets=resets, reset=design.reset).vectors == wanted


def test_vectors_of_full_length_need_no_last():
    """A vector ends at its longest length whatever `last` says."""
    design = made("seven")
    driven = [list(range(k, k + 7)) for k in range(-40, 40, 9)]
    assert run_vectors(design, driven, fixed=True).vectors == [design.evaluate(v).tolist() for v in driven]


@pytest.mark.parametrize("name", ["pair", "seven", "wide", "wide_dsp"])
def test_timing_is_what_the_design_says(name):
    """Measured where the leading one of the total has the longest way: one large element and small ones."""
    design = made(name)
    for elements in (1, design.length):
        vector = [design.input.max_code] + [design.input.min_code] * (elements - 1)
        alone, stream = run_vectors(design, [vector]), run_vectors(design, [vector] * 8)
        assert alone.answered[0] - alone.accepted[0] - 2 * (elements - 1) == elements + design.latency
        assert elements <= stream.answered[-1] - stream.answered[-2] <= elements + design.interval
    assert stream.answered[-1] - stream.answered[-2] == elements + design.interval


def test_verilog_of_a_small_unit_equals_golden_model_on_every_vector():
    """Eight codes, up to three elements: all 584 vectors, at full rate and under stalls."""
    design = made("tiny")
    driven = [vector.tolist() for n in (1, 2, 3) for vector in every_vector(design, n)]
    for results in run_verilog(verilog(design, command="test"), design, driven, stalls=(0, 1)):
        compare(design, driven, results)


MUTANTS = {
    "the rounding": ("unrounded } + 9'h001", "unrounded } + 9'h000"),
    "the limit of the length": ("count == 2'h2", "count == 2'h3"),
    "the place of the leading one": ("takes ? 2'h2 :", "takes ? 2'h1 :"),
    "the reset of the queue": ("if (rst) level <= 2'h0;\n    else level", "level"),
}


@pytest.mark.parametrize("mutant", [*list(MUTANTS)[:1], *(pytest.param(m, marks=pytest.mark.slow) for m in list(MUTANTS)[1:])])
def test_broken_verilog_is_found(mutant):
    """Each is one fault in the text."""
    design = made("tiny")
    text = verilog(design, command="test")
    old, new = MUTANTS[mutant]
    assert old in text
    driven = vectors(design)
    with pytest.raises(CheckError):
        for results in run_verilog(text.replace(old, new), design, driven, stalls=(0, 1)):
            compare(design, driven, results)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_verilog_equals_golden_model(name):
    """Corners, every offset, random vectors; resets and stalls."""
    design = made(name)
    driven = vectors(design)
    for results in run_verilog(verilog(design, command="test"), design, driven, stalls=(0, 1, 2)):
        compare(design, driven, results)


# -- files and commands ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "wide"])
def test_c_model_equals_golden_model(name, tmp_path):
    """Compiled without a warning."""
    design = made(name)
    (tmp_path / "softmax.h").write_text(c_model_text(design, "test"))
    (tmp_path / "main.c").write_text(_MAIN)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined"]
    subprocess.run(["gcc", *flags, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    driven = vectors(design)
    words = "\n".join(" ".join(map(str, [len(v), *v])) for v in driven)
    out = subprocess.run(["./main"], cwd=tmp_path, input=words, capture_output=True, text=True, check=True).stdout
    assert [[int(word) for word in line.split()] for line in out.splitlines()] == [
        design.evaluate(v).tolist() for v in driven
    ]


_MAIN = """
#include <stdio.h>
#include "softmax.h"
int main(void)
{
    int32_t x[1024];
    int n, k;
    while (scanf("%d", &n) == 1) {
        for (k = 0; k < n; k++)
            if (scanf("%d", &x[k]) != 1)
                return 1;
        softmax(x, n, x);
        for (k = 0; k < n; k++)
            printf("%d ", x[k]);
        puts("");
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of one small unit."""
    path = tmp_path_factory.mktemp("softmax") / "attention"
    words = ["softmax", "--input", "SQ2.1", "--output", "UQ0.6", "--length", "3", "--name", "attention", "-o", str(path)]
    assert run(hwact, words) == 0
    return path


def test_folder_is_the_same_when_made_again(folder, tmp_path, capsys):
    """By the command in its manifest, byte for byte."""
    manifest = json.loads((folder / "attention.json").read_text())
    assert run(hwact, [*manifest["command"].split()[1:], "-o", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == manifest["digest"]
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


def test_folder_is_verified_and_altered_ones_are_not(folder, capsys):
    """The certificate records what passed."""
    assert run(hwact, ["verify", str(folder), "--json"]) == 0
    passed = json.loads(capsys.readouterr().out)
    assert passed["level"] == "rtl" and len(passed["checks"]) == 8
    text = (folder / "attention.v").read_text()
    (folder / "attention.v").write_text(text + "\n")
    assert run(hwact, ["verify", str(folder)]) == 1
    (folder / "attention.v").write_text(text)
    assert run(hwact, ["simulate", str(folder)]) == 2


@pytest.mark.slow
def test_plain_verilog_bench_passes(folder):
    """With Icarus, as it stands."""
    build = ["iverilog", "-g2005", "-o", "bench.vvp", "attention_tb.v", "../attention.v"]
    subprocess.run(build, cwd=folder / "tb", check=True)
    out = subprocess.run(["vvp", "-n", "bench.vvp"], cwd=folder / "tb", capture_output=True, text=True).stdout
    assert out.startswith("PASS attention: ")


@pytest.mark.slow
def test_cocotb_bench_passes(folder):
    """With Icarus, as it stands."""
    import sys

    out = subprocess.run([sys.executable, "tb/test_attention.py"], cwd=folder, capture_output=True, text=True).stdout
    assert "PASS attention: 3 of 3 tests" in out


def test_proof_of_every_vector_by_a_solver_is_refused():
    """There are too many."""
    with pytest.raises(RequestError, match="^Level must be golden or rtl for a softmax"):
        climb("proof", made("tiny"), "")


def test_sum_of_a_lone_element_is_one_but_for_the_clamp():
    """A vector of length 1 gives the largest code that is not above 1."""
    assert made("alone").evaluate([3]).tolist() == [31]
    assert made("pair").evaluate([3]).tolist() == [64]
    assert guarantee(made("alone")).error_ulp < Fraction(3, 4)
