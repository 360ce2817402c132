"""Verification: what it certifies, and the sentence for each thing that may be wrong."""

import math
from dataclasses import replace

import numpy as np
import pytest
from small_units import small_design, small_verilog

from hwact import CheckError, Spec
from hwact.design import Design, Lines, Minimality, Table
from hwact.verify import Certificate, Check, check_circuit, measure
from hwact.verify import golden as golden_module


def spec(**changes):
    return Spec(**{"function": "tanh", "input": "SQ4.4", "output": "SQ1.7", "method": "pwl"} | changes)


def with_channel(design, name="y", **changes):
    """The same design with changes to one channel."""
    channels = tuple(replace(c, **changes) if c.name == name else c for c in design.channels)
    return replace(design, channels=channels)


def check(design):
    """Golden checks of every output."""
    return [one for measured in measure(design).values() for one in measured.check()]


# -- certificate -------------------------------------------------------------------------------


def test_verified_table_has_its_bound_and_its_circuit_in_its_certificate():
    """Both rungs, each over every code."""
    design = spec(method="table").design()
    certificate = design.verify()
    assert certificate.digest == design.digest
    assert [(one.check, one.output, one.codes, one.result) for one in certificate.checks] == [
        ("bound", "y", 256, "passed"),
        ("minimality", "y", 256, "passed"),
        ("circuit", "y", 256, "passed"),
        ("range", "y", 256, "passed"),
        ("symmetry", "y", 254 if design.channels[0].fold.index == "negate" else 256, "passed"),
        ("monotone", "y", 256, "passed"),
        ("overflow", "y", 256, "passed"),
        ("c_model", "y", 256, "passed"),
    ]
    assert certificate.checks[0].method == (
        "golden model, faithful, against rigorous enclosures "
        "(Arb, radius at most 2^-30 ulp, less near the bound)"
    )
    assert certificate.checks[0].tools[0].startswith("python-flint ")
    assert [tool.split()[0] for tool in certificate.checks[2].tools] == ["Yosys", "g++"]
    assert certificate.checks[1].method == "no line serves any of 10 windows: at least 11 segments"


@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        (
            {
                "function": "gelu",
                "output": "SQ4.4",
                "derivative": "slope",
                "interface": "pipe",
                "reset": "async-low",
            },
            [
                ("bound", "y"),
                ("minimality", "y"),
                ("slope", "dy"),
                ("circuit", "y and dy"),
                ("stalls", "y and dy"),
                ("range", "y"),
                ("monotone", "y"),
                ("range", "dy"),
                ("overflow", "y and dy"),
                ("c_model", "y and dy"),
            ],
        ),
        (
            {
                "derivative": "direct",
                "derivative_output": "UQ1.7",
                "interface": "stream",
                "domain": "-3:5",
                "latency": 1,
            },
            [
                ("bound", "y"),
                ("minimality", "y"),
                ("bound", "dy"),
                ("minimality", "dy"),
                ("circuit", "y and dy"),
                ("stalls", "y and dy"),
                ("range", "y"),
                ("symmetry", "y"),
                ("monotone", "y"),
                ("range", "dy"),
                ("monotone", "dy"),
                ("overflow", "y and dy"),
                ("c_model", "y and dy"),
            ],
        ),
    ],
)
def test_verified_units_with_derivative_and_handshakes(changes, checks):
    """Both outputs, and the rules of the interface under stalls."""
    assert [(one.check, one.output) for one in spec(**changes).design().verify().checks] == checks


def test_slopes_of_a_given_format_claim_no_witnessed_minimum():
    """The argument is by enumeration there, and the certificate does not pretend."""
    design = spec(derivative="slope", derivative_output="SQ2.5").design()
    assert [(one.check, one.output) for one in check(design)] == [("bound", "y"), ("slope", "dy")]


def test_certificate_survives_json_and_belongs_to_one_design():
    """Newer checks replace older ones of their kind, and the order is that of the rungs."""
    old, new = (
        Check("rtl", "circuit", "y", "old", 1),
        Check("rtl", "circuit", "y", "new", 2, tools=("Yosys 1",)),
    )
    bound = Check("golden", "bound", "y", "m", 1)
    certificate = Certificate("d", (bound, old))
    assert Certificate.from_dict(certificate.to_dict(), "d") == certificate
    assert Certificate.from_dict(certificate.to_dict(), "other").checks == ()
    for plain in (
        None,
        {},
        {"digest": "d"},
        {"digest": "d", "checks": [{"check": "bound"}]},
        {"digest": "d", "checks": [3]},
        {"digest": "d", "checks": [{**certificate.to_dict()["checks"][0], "result": "failed"}]},
    ):
        assert Certificate.from_dict(plain, "d") == Certificate("d", ())
    assert Certificate("d", (old,)).joined((new, bound)).checks == (bound, new)
    assert certificate.joined(()) == certificate


def test_certificate_reaches_the_highest_rung_that_all_others_are_below():
    """A proof without a simulation is no rung, and a failed rung takes those above with it."""
    bound, circuit, proof = (Check(level, "c", "y", "m", 8) for level in ("golden", "rtl", "proof"))
    assert Certificate("d", (bound, circuit, proof)).level == "proof"
    assert Certificate("d", (bound, proof)).level == "golden"
    assert Certificate("d", (circuit,)).level is None
    assert Certificate("d", (bound, circuit, proof)).below("rtl").checks == (bound,)


# -- measured error ----------------------------------------------------------------------------


def test_measured_errors_are_those_of_plain_floats():
    """Largest, mean and mean squared error, and where the largest is."""
    design = spec().design()
    measured = measure(design)["y"]
    true = np.array([min(max(math.tanh(code / 16) * 128, -128), 127) for code in design.codes()])
    errors = np.abs(design.evaluate(design.codes()) - true)
    assert (
        measured.max_ulp == pytest.approx(errors.max(), abs=1e-6) and measured.max_ulp >= errors.max() - 1e-9
    )
    assert measured.mean_ulp == pytest.approx(errors.mean(), abs=1e-6)
    assert measured.mse_ulp2 == pytest.approx((errors**2).mean(), abs=1e-6)
    assert errors[measured.worst_code + 128] == pytest.approx(errors.max(), abs=1e-6)
    np.testing.assert_allclose(measured.exact, true, atol=1e-6)


def test_floor_of_segments_is_the_integral_of_the_root_of_the_curvature():
    """For x^2 in [0, 1): 1/4 * sqrt(2) / sqrt(bound), whatever the formats; none for a slope."""
    design = spec(function="x^2", input="UQ0.10", output="UQ0.10", bound="2^-8", derivative="slope").design()
    measured = measure(design)
    assert measured["y"].floor_segments == pytest.approx(math.sqrt(2) / 4 * 2**4, abs=0.06)
    assert measured["dy"].floor_segments is None


def in_chunks(monkeypatch, size, shown):
    """Let the golden check hold few codes at once, and draw few."""
    monkeypatch.setattr(golden_module, "_CHUNK", size)
    monkeypatch.setattr(golden_module, "_SHOWN", shown)
    monkeypatch.setattr(golden_module, "_COLUMNS", 8)


@pytest.mark.parametrize("changes", [{}, {"derivative": "slope", "function": "gelu", "output": "SQ4.4"}])
@pytest.mark.parametrize("size", [1, 37, 128])
def test_codes_in_chunks_are_measured_and_checked_as_those_in_one(changes, size, monkeypatch):
    """Largest, mean and squared error, worst code, floor and every check; ticks count all codes."""
    design = spec(**changes).design()
    whole, ticks = measure(design), []
    expected = golden_module.check_golden(design, whole)
    in_chunks(monkeypatch, size, 1 << 16)
    for name, parts in measure(design).items():
        for figure in ("max_ulp", "mean_ulp", "mse_ulp2"):
            assert getattr(parts, figure) == pytest.approx(getattr(whole[name], figure), abs=1e-8)
        for figure in ("worst_code", "floor_segments"):
            assert getattr(parts, figure) == getattr(whole[name], figure)
        np.testing.assert_allclose(parts.exact, whole[name].exact, rtol=0, atol=2.0**-29)
    checks = golden_module.check_golden(design, tick=lambda *tick: ticks.append(tick))
    assert [(one.check, one.codes) for one in checks] == [(one.check, one.codes) for one in expected]
    total = 256 * len(design.channels)
    assert ticks[-1] == (total, total) and ticks == sorted(ticks)


def test_large_domains_are_drawn_at_some_codes_with_the_worst_among_them(monkeypatch):
    """Every code counts in the figures, few are kept."""
    design = spec(input="SQ4.8", output="SQ1.11").design()
    whole = measure(design)["y"]
    worst, mean, floor = whole.worst_code, whole.mean_ulp, whole.floor_segments
    in_chunks(monkeypatch, 1000, 256)
    thin = measure(design)["y"]
    assert (thin.worst_code, thin.mean_ulp) == (worst, pytest.approx(mean))
    assert thin.floor_segments == pytest.approx(floor, rel=0.1)
    assert 256 < len(thin.codes) < 500 and np.all(np.diff(thin.codes) > 0)
    assert {-2048, 2047, worst} <= set(thin.codes.tolist())
    np.testing.assert_array_equal(thin.outputs, design.evaluate(thin.codes))


@pytest.mark.parametrize("size", [1, 37])
def test_wrong_output_in_a_later_chunk_is_named(size, monkeypatch):
    """The first one of all."""
    in_chunks(monkeypatch, size, 1 << 16)
    table = spec(method="table", function="exp", output="UQ4.4", domain="-8:2").design()
    core = table.channels[0].core
    entries = [entry + 3 * (k in (100, 150)) for k, entry in enumerate(core.entries)]
    design = with_channel(table, core=Table(core.start, tuple(entries)))
    with pytest.raises(CheckError, match=rf"^Output y of code {100 + core.start - 128} must be "):
        check(design)


# -- refusals of the golden check --------------------------------------------------------------


def test_wrong_table_entry_is_named_with_code_allowed_and_got():
    """The code, what is allowed, what came."""
    design = spec(method="table").design()
    table = design.channels[0].core
    assert design.channels[0].fold.index != "none"
    entries = list(table.entries)
    entries[8 - table.start] += 3
    code = -8 if design.channels[0].fold.index == "negate" else -9
    got = int(with_channel(design, core=Table(table.start, tuple(entries))).evaluate(code))
    allowed = (math.floor(math.tanh(code / 16) * 128), math.ceil(math.tanh(code / 16) * 128))
    with pytest.raises(CheckError) as caught:
        check(with_channel(design, core=Table(table.start, tuple(entries))))
    assert str(caught.value) == f"Output y of code {code} must be {allowed[0]} to {allowed[1]}, not {got}"
    assert caught.value.exit_status == 1


def test_bound_that_the_design_claims_is_the_one_that_is_checked():
    """A faithful table is not correctly rounded; where one output is allowed the sentence names it."""
    design = spec(method="table").design()
    with pytest.raises(CheckError, match=r"^Output y of code -?\d+ must be -?\d+, not -?\d+$"):
        check(with_channel(design, bound="correct"))


@pytest.mark.parametrize("function", ["tanh(x) + 1/50", "tanh(x*1.02)", "diff(tanh(x))", "softsign"])
def test_another_function_s_design_does_not_pass(function):
    """The expression is read again, and it counts."""
    with pytest.raises(CheckError, match="^Output y of code "):
        check(with_channel(spec().design(), expression=function if "(" in function else f"{function}(x)"))


def slope_design():
    return spec(derivative="slope", function="gelu", output="SQ4.4").design()


@pytest.mark.parametrize("step", [1, -1])
def test_slope_that_is_not_the_line_s_is_refused(step):
    """One unit in the last place of one segment, whether it is long or short."""
    design = slope_design()
    lines = design.channel("dy").core
    for k in range(lines.segments):
        slopes = tuple(c + step * (j == k) for j, c in enumerate(lines.intercepts))
        with pytest.raises(CheckError) as caught:
            check(with_channel(design, "dy", core=replace(lines, intercepts=slopes)))
        assert str(caught.value).startswith("Output dy of code ")
        assert ", the slope of its segment, not " in str(caught.value)


def test_slope_that_varies_within_a_segment_is_refused():
    """A bump between both ends of a segment shows."""
    design = slope_design()
    dy = design.channel("dy").core
    k = int(np.argmax(dy.sizes))
    start = dy.starts[k] + 1
    cut = Lines(
        "free",
        (*dy.starts[: k + 1], start, start + 1, *dy.starts[k + 1 :]),
        dy.stop,
        0,
        (0,) * (dy.segments + 2),
        (*dy.intercepts[: k + 1], dy.intercepts[k] + 1, dy.intercepts[k], *dy.intercepts[k + 1 :]),
    )
    with pytest.raises(CheckError, match="^Output dy of code .* must be .*, the slope of its segment, not "):
        check(with_channel(design, "dy", core=cut))


# -- minimality --------------------------------------------------------------------------------


def tampered(**changes):
    design = spec().design()
    proof = design.channels[0].minimality
    return with_channel(
        design, minimality=replace(proof, **{name: change(proof) for name, change in changes.items()})
    )


def test_true_proof_of_minimality_passes():
    """The base of the tests below."""
    assert [one.check for one in check(tampered())] == ["bound", "minimality"]


@pytest.mark.parametrize(
    "changes",
    [
        {"segments": lambda proof: proof.segments + 1},
        {"segments": lambda proof: proof.segments - 1},
        {"witnesses": lambda proof: proof.witnesses[1:]},
        {"witnesses": lambda proof: proof.witnesses + proof.witnesses[:1]},
        {"starts": lambda proof: proof.starts[:-1]},
        {"segments": lambda proof: 40, "witnesses": lambda proof: proof.witnesses * 4},
    ],
)
def test_proof_that_is_too_short_or_too_long_is_refused(changes):
    """One contradiction for every breakpoint."""
    with pytest.raises(CheckError, match=r"^Segments of y must have a proof for each of \d+$"):
        check(tampered(**changes))


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "move", [lambda c: c + 1, lambda c: -c, lambda c: -129, lambda c: 128, lambda c: 10**9]
)
@pytest.mark.parametrize("k", [0, 3, -1])
def test_witness_outside_its_window_or_without_contradiction_is_refused(k, place, move):
    """Codes beyond the domain among them."""

    def moved(proof):
        witnesses = [list(witness) for witness in proof.witnesses]
        witnesses[k][place] = move(witnesses[k][place])
        return tuple(map(tuple, witnesses))

    design = tampered(witnesses=moved)
    witness = design.channels[0].minimality.witnesses[k]
    if contradicts(design, witness, k):
        assert check(design)  # another true witness
        return
    with pytest.raises(CheckError) as caught:
        check(design)
    assert str(caught.value) == f"Segments of y must be proven minimal, not as by codes {witness}"


def contradicts(design, witness, k):
    """Whether a witness proves its window, judged with fractions."""
    from fractions import Fraction

    from hwact.functions import ErrorBound, Reference, function

    lower, upper = Reference(function("tanh"), design.input, design.domain).intervals(
        design.channels[0].format, ErrorBound.parse("faithful")
    )
    starts = design.channels[0].minimality.starts
    k %= len(starts) - 1
    a, b, c, d = witness
    if not (starts[k] <= min(witness) and max(witness) <= starts[k + 1] and a < b and c < d):
        return False
    a, b, c, d = (code + 128 for code in witness)
    return Fraction(int(lower[b] - upper[a] - 1), b - a) >= Fraction(int(upper[d] - lower[c] + 1), d - c)


def test_windows_that_start_before_the_domain_prove_nothing():
    """Codes that no input can have do not count."""
    design = spec(domain="-2:2").design()
    proof = design.channels[0].minimality
    first = (proof.starts[0] - 2, *proof.witnesses[0][1:])
    changed = replace(
        proof, starts=(proof.starts[0] - 5, *proof.starts[1:]), witnesses=(first, *proof.witnesses[1:])
    )
    with pytest.raises(CheckError, match="^Segments of y must be proven minimal, not as by codes "):
        check(with_channel(design, minimality=changed))


def test_design_without_proof_has_no_check_of_it():
    """Nothing is claimed."""
    for proof in (None, Minimality(11, (), ())):
        assert [one.check for one in check(with_channel(spec().design(), minimality=proof))] == ["bound"]


def test_proofs_of_saturating_units_count_the_clamp_in():
    """One line serves hard_tanh, and it is proven that tanh needs what it needs beside the clamp."""
    design = spec(function="hard_tanh", saturate=True).design()
    assert check(design)[1].method == "no line serves any of 0 windows: at least 1 segments"
    design = spec(function="x^3", input="SQ2.5", output="SQ2.4", saturate=True).design()
    assert [one.check for one in check(design)] == ["bound", "minimality"]
    with pytest.raises(CheckError, match="^Segments of y must be proven minimal, not as by codes "):
        unclamped = replace(design.channels[0], saturate=True, minimality=spec(
            function="x^3", input="SQ2.5", output="SQ2.4").design().channels[0].minimality)  # fmt: skip
        check(replace(design, channels=(unclamped,)))


# -- circuit -----------------------------------------------------------------------------------


def test_wrong_circuit_is_named_with_code_expected_and_got():
    """The sentence says which output, which code, what it must be and what it was."""
    design = small_design(derivative=True)
    verilog = small_verilog(design)
    right = int(design.evaluate(5, "dy"))
    old = f"6'd5: dy_table = 6'd{right}"
    assert old in verilog
    with pytest.raises(CheckError) as caught:
        check_circuit(design, verilog.replace(old, f"6'd5: dy_table = 6'd{right + 2}"))
    assert str(caught.value) == f"Output dy of code 5 must be {right} in the circuit, not {right + 2}"


@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_wrong_latency_is_a_failed_check(interface):
    """Measured, not believed."""
    with pytest.raises(CheckError, match="^Latency must be 3 cycles, not 2$"):
        check_circuit(small_design(interface, 3), small_verilog(small_design(interface, 2)))


def test_designs_read_from_json_are_verified_alike():
    """The certificate needs nothing but the design."""
    design = spec(segmentation="uniform").design()
    assert check(Design.from_dict(design.to_dict())) == check(design)
