"""The choice among candidates: by estimate, or by what synthesis makes of the best of them."""

import json
import re
from dataclasses import replace

import pytest

from hwact import RequestError, Spec
from hwact.design import Design, Lines, Trial
from hwact.emit.verilog import verilog
from hwact.fit import fit
from hwact.verify import check_circuit, simulate_verilog

TANH = {"function": "tanh", "input": "SQ4.4", "output": "SQ1.7"}


def test_smallest_measured_candidate_is_kept():
    """Not the first one, where a later one is smaller."""
    sizes = iter(range(100, 0, -1))
    design = fit(Spec(**TANH, target="ice40", effort=1), lambda design: next(sizes))
    assert [trial.luts for trial in design.trials] == list(range(100, 100 - len(design.trials), -1))
    assert 2 <= len(design.trials) <= 9
    assert design.lut_inputs == 0  # the last one tried


def test_estimate_decides_without_effort():
    """Nothing is measured, and nothing is reported as tried."""
    design = Spec(**TANH, target="ice40").design()
    assert (design.trials, design.lut_inputs) == ((), 4)


def test_both_outputs_are_chosen_by_measurement():
    """The derivative is measured beside the function's own unit."""
    seen = []
    spec = Spec(**TANH, derivative="direct", derivative_output="UQ1.7", target="ice40", effort=1)
    design = fit(spec, lambda design: seen.append(len(design.channels)) or len(seen))
    assert seen == sorted(seen) and {1, 2} == set(seen)
    assert {trial.candidate[:2] for trial in design.trials} == {"y:", "dy"}


def test_trials_are_kept_but_are_no_part_of_the_digest():
    """A manifest says what was tried; the unit is the same."""
    plain = Spec(**TANH, target="ice40").design()
    tried = replace(plain, trials=(Trial("a table", 50, 40),))
    assert (tried.digest, tried) == (plain.digest, plain)
    assert Design.from_dict(json.loads(json.dumps(tried.to_dict()))).trials == tried.trials


def test_old_manifests_still_read():
    """What a design does not use, its JSON does not hold."""
    plain = Spec(**TANH).design().to_dict()
    assert not {"lut_inputs", "trials"} & set(plain)
    assert Design.from_dict(plain).lut_inputs == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"target": "asic"}, "^Target must be any, ice40, ecp5 or gowin, not 'asic'$"),
        ({"target": "ice40", "effort": 9}, "^Effort must be 0, 1, 2 or 3, not 9$"),
        ({"effort": 1}, "^Effort must come with --target ice40, ecp5 or gowin$"),
    ],
)
def test_impossible_requests_are_refused(words, sentence):
    """In one sentence."""
    with pytest.raises(RequestError, match=sentence):
        Spec(**TANH, **words)


@pytest.mark.parametrize("inputs", [3, 4, 6])
def test_network_of_tables_equals_the_golden_model(inputs):
    """Whatever the size of its cells; no case is left in it."""
    design = replace(Spec(**TANH).design(), lut_inputs=inputs)
    text = verilog(design, command="")
    widths = {int(width) for width in re.findall(r"\.WIDTH\((\d+)\)", text)}
    assert widths and max(widths) <= inputs and "case" not in text
    assert all(check.result == "passed" for check in check_circuit(design, text))


def paired(sign):
    """Lines in two pairs that meet: at the right segment's start where they rise, one before where they fall."""
    back = int(sign < 0)
    left = [10 - 3 * sign * (8 - back), 20 * sign - 1 * sign * (8 - back) + 10]
    right = [10 + 2 * sign * back, 20 * sign + 10]
    intercepts = (left[0], right[0], left[1], right[1])
    return Lines("uniform", (0, 8, 16, 24), 32, 1, (3 * sign, 2 * sign, sign, 0), intercepts)


@pytest.mark.parametrize("sign", [1, -1])
def test_segments_that_meet_in_pairs_are_found(sign):
    """Where they rise and where they fall; one step off and they do not."""
    lines = paired(sign)
    assert lines.joints == (10, 10, 10 + 20 * sign, 10 + 20 * sign)
    first, *others = lines.intercepts
    assert replace(lines, intercepts=(first + 1, *others)).joints is None


@pytest.mark.parametrize("sign", [1, -1])
def test_circuit_of_paired_segments_equals_the_golden_model(sign):
    """Signed offsets, rising and falling."""
    plain = Spec("x", "UQ5.0", "SQ8.0").design()
    channel = replace(plain.channels[0], core=paired(sign))
    design = replace(plain, channels=(channel,))
    outputs = simulate_verilog(verilog(design, command=""), design, design.codes())
    assert (outputs["y"] == design.evaluate(design.codes())).all()
