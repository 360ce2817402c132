"""Units of several functions: the joint fit, the golden model, the circuit, the files, the commands."""

import json
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from waves import diagram, simulated

from hwact import Spec
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import CheckError, RequestError
from hwact.multi import MultiDesign, MultiSpec
from hwact.multi.c_model import CALL, c_model_text
from hwact.multi.spec import split_functions
from hwact.multi.verify import climb
from hwact.parametric import ParametricSpec
from hwact.sideband.flat import Flat, pairs
from hwact.sideband.verify import check_c_model, check_circuit
from hwact.sideband.verilog import verilog
from hwact.verify.golden import check_golden

#: Every fold, every method, every interface and kind of reset, two to five functions.
REQUESTS = {
    "odd": (("tanh", "sigmoid", "gelu"), {"input": "SQ4.4", "output": "SQ4.4"}),
    "magnitudes": (("tanh", "erf", "sin(x)"), {"input": "SQ3.4", "output": "SQ2.6", "method": "pwl"}),
    "ramps": (("silu", "x-gelu(x)", "softplus"), {"input": "SQ3.3", "output": "SQ4.5", "method": "pwl"}),
    "unfolded": (("exp2(x/2)", "1/x", "sqrt(x)"), {"input": "UQ2.5", "output": "UQ2.6", "domain": "1:4"}),
    "mixed": (("exp(x/4)", "tanh", "cos(x)", "x/2+1/8", "gelu"), {"input": "SQ3.3", "output": "SQ4.4", "method": "pwl"}),
    "tabled": (("tanh", "sigmoid"), {"input": "SQ3.3", "output": "SQ1.6", "method": "table", "interface": "pipe", "latency": 2}),
    "clamped": (("2*x", "x*x"), {"input": "SQ3.4", "output": "SQ2.4", "saturate": True, "method": "pwl"}),
    "slope": (("silu", "tanh"), {"input": "SQ3.3", "output": "SQ3.5", "derivative": "slope", "interface": "stream", "latency": 4}),
    "direct": (
        ("sigmoid", "gelu"),
        {"input": "SQ3.3", "output": "SQ3.5", "derivative": "direct", "derivative_output": "SQ2.5"}
        | {"interface": "pipe", "latency": 1, "reset": "async-low"},
    ),
    "dsp": (("tanh", "softplus"), {"input": "SQ3.4", "output": "SQ4.6", "multiplier": "dsp", "interface": "stream", "reset": "none"}),
    "digits": (("tanh", "gelu"), {"input": "SQ3.3", "output": "SQ3.5", "multiplier": "shift-add", "method": "pwl"}),
    "laid_out": (("tanh", "sigmoid"), {"input": "SQ3.4", "output": "SQ2.6", "target": "ice40", "method": "pwl"}),
}
QUICK = ("odd", "mixed", "slope")


@pytest.fixture(scope="module")
def made():
    """Designs by name, each made once."""
    designs = {}

    def make(name):
        if name not in designs:
            functions, request = REQUESTS[name]
            designs[name] = MultiSpec(functions, name=name, **request).design()
        return designs[name]

    return make


@pytest.mark.parametrize("name", REQUESTS)
def test_every_function_meets_its_bound_on_every_code(made, name):
    """Against enclosures; and the unit selected equals the function alone."""
    design = made(name)
    for number in range(len(design.functions)):
        single = design.single(number)
        check_golden(single)
        for channel in design.channels:
            assert (design.evaluate(number, design.codes(), channel.name) == single.evaluate(design.codes(), channel.name)).all()


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in REQUESTS])
def test_verilog_equals_golden_model_for_every_select_and_code(made, name):
    """In random order, so that select changes from code to code; under stalls and after a reset in flight."""
    design = made(name)
    checks = check_circuit(design, verilog(design, command="test"))
    count = len(design.codes()) << design.select_bits
    assert checks[0].codes == count and checks[0].coverage == "every select and code"
    assert [check.check for check in checks] == ["circuit", *["stalls"][: design.latency], "overflow"]


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in REQUESTS])
def test_c_model_equals_golden_model(made, name):
    """For every select and code, compiled without a warning."""
    design = made(name)
    check_c_model(design, c_model_text(design, ""), CALL.format(unit=design.name))


def test_other_selects_stand_for_the_last_function(made):
    """Five functions have three bits of select."""
    design = made("mixed")
    last = design.evaluate(4, design.codes())
    assert design.select_bits == 3
    for select in (5, 6, 7):
        assert (design.evaluate(select, design.codes()) == last).all()
    for select in (-1, 8):
        with pytest.raises(RequestError):
            design.evaluate(select, 0)


def test_pairs_are_all_and_select_changes():
    """A unit that kept the last function would be found."""
    flat = Flat(MultiSpec(["tanh", "sigmoid"], input="SQ2.2", output="SQ2.2").design())
    codes = pairs(flat, 1 << 10)
    assert sorted(codes.tolist()) == list(range(32))
    assert (np.diff(codes >> flat.bits) != 0).sum() > 8




@pytest.mark.parametrize("field", ["intercepts", "slopes"])
def test_one_wrong_coefficient_is_found(made, field):
    """Of the function whose page it is on, and of the circuit."""
    design = made("odd")
    core = design.channels[0].core
    values = list(getattr(core, field))
    place = len(values) // 2
    values[place] += 1 << core.shift
    broken = replace(design, channels=(replace(design.channels[0], core=replace(core, **{field: tuple(values)})),))
    with pytest.raises(CheckError, match="^Output y of code "):
        climb("golden", broken, None)
    with pytest.raises(CheckError, match="^Output y of code .* in the circuit"):
        check_circuit(design, verilog(broken, command="test"))


def test_wrong_select_is_found(made):
    """A circuit of the same functions in another order."""
    design = made("odd")
    other = MultiSpec(("sigmoid", "tanh", "gelu"), name="odd", **REQUESTS["odd"][1]).design()
    with pytest.raises(CheckError, match="in the circuit"):
        check_circuit(design, verilog(other, command="test"))


@pytest.mark.parametrize("name", ["odd", "slope", "tabled"])
def test_design_survives_json(made, name):
    """And its digest with it."""
    design = made(name)
    again = MultiDesign.from_dict(json.loads(json.dumps(design.to_dict())))
    assert again == design and again.digest == design.digest and hash(again) == hash(design)


@pytest.mark.parametrize(
    ("functions", "change", "sentence"),
    [
        (["tanh"], {}, "Functions must be 2 to 16, not 1"),
        (["tanh"] * 17, {}, "Functions must be 2 to 16, not 17"),
        (["tanh", "gelu"], {"segmentation": "free"}, "Segmentation must be auto or uniform for several functions, not free"),
        (["tanh", "gelu"], {"fit": "lsq"}, "Fit must be exact for several functions, not lsq"),
        (
            ["tanh", "gelu"],
            {"derivative": "slope", "derivative_output": "SQ2.6"},
            "Derivative output must be left out for the slopes of several functions",
        ),
        (
            ["tanh", "gelu"],
            {"input": "SQ4.20"},
            "Input and select must be at most 24 bits wide, so that every code can be checked, not 25",
        ),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(functions, change, sentence):
    """When they are made."""
    with pytest.raises(RequestError) as caught:
        MultiSpec(functions, **{"input": "SQ4.4", "output": "SQ4.4", **change})
    assert str(caught.value) == sentence


def test_lists_of_functions_are_split_at_their_own_commas():
    """Not at those of an expression."""
    assert split_functions("tanh, max(x,0),min(max(x, -1), 1)") == ["tanh", "max(x,0)", "min(max(x, -1), 1)"]


def test_levels_that_take_a_proof_are_refused(made):
    """With the levels that there are."""
    with pytest.raises(RequestError, match="^Level must be golden, rtl or netlist for a unit of several functions, not proof$"):
        climb("proof", made("odd"), "")


def test_timing_diagram_is_what_the_circuit_does():
    """docs/waves/multi.json, cycle by cycle."""
    request = {"input": "SQ4.4", "output": "SQ4.4", "interface": "stream", "latency": 2}
    unit, wave = MultiSpec(["tanh", "sigmoid", "gelu"], **request).design().create(), diagram("multi")
    inputs = {"i_payload": unit.i.payload.x, "i_select": unit.i.payload.select, "i_valid": unit.i.valid, "o_ready": unit.o.ready}
    outputs = {"o_y": unit.o.payload.y, "o_valid": unit.o.valid, "i_ready": unit.i.ready}
    found = simulated(unit, {name: (port, wave[name]) for name, port in inputs.items()}, outputs)
    for name, values in found.items():
        assert [str(value) for value, shown in zip(values, wave[name]) if shown != "x"] == [v for v in wave[name] if v != "x"]


# -- area -------------------------------------------------------------------------------------------


def test_unit_is_smaller_than_its_functions_alone():
    """Synthesised for iCE40 like them; docs/multi.md has more."""
    from hwact.emit.verilog import verilog as single_verilog
    from hwact.synth import count_cells

    functions, request = ("silu", "softplus"), {"input": "SQ4.4", "output": "SQ4.4", "name": "u"}
    together = count_cells(verilog(MultiSpec(functions, **request).design(), command=""), "u", bram=False).area
    alone = [count_cells(single_verilog(Spec(f, **request).design(), command=""), "u", bram=False).area for f in functions]
    assert together < 0.8 * sum(alone)


# -- files and commands -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of one small unit."""
    path = tmp_path_factory.mktemp("multi") / "trio"
    words = ["generate", "--functions", "tanh,x*sigmoid(b*x)", "--functions", "min(x,1)", "--parameter", "b=1.702"]
    words += ["--input", "SQ3.3", "--output", "SQ3.4", "--interface", "stream", "--name", "trio", "-o", str(path)]
    assert run(hwact, words) == 0
    return path


def test_manifest_lists_functions_and_selects(folder):
    """With their errors."""
    contents = json.loads((folder / "trio.json").read_text())
    assert contents["kind"] == "multi" and contents["ports"]["select"] == "i_select"
    assert [(one["select"], one["outputs"][0]["expression"]) for one in contents["functions"]] == [
        (0, "tanh(x)"),
        (1, "x*sigmoid(b*x)"),
        (2, "min(x,1)"),
    ]
    assert all(one["outputs"][0]["max_error_ulp"] < 1 for one in contents["functions"])


def test_folder_is_the_same_when_made_again(folder, tmp_path, capsys):
    """By the command in its manifest, byte for byte."""
    import shlex

    manifest = json.loads((folder / "trio.json").read_text())
    assert run(hwact, [*shlex.split(manifest["command"])[1:], "-o", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == manifest["digest"]
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


def test_plain_verilog_bench_passes_and_can_fail(folder, tmp_path):
    """With Icarus, as it stands; with one vector changed it fails."""
    build = ["iverilog", "-g2005", "-o", str(tmp_path / "bench.vvp"), "trio_tb.v", "../trio.v"]
    subprocess.run(build, cwd=folder / "tb", check=True)
    *head, last = (folder / "tb" / "trio.hex").read_text().splitlines()
    x, y = last.split()
    (tmp_path / "other.hex").write_text("\n".join([*head, f"{x} {int(y, 16) ^ 1:x}"]) + "\n")
    for vectors, verdict in (("trio.hex", "PASS trio: 256 vectors"), (str(tmp_path / "other.hex"), "FAIL trio: vector 255")):
        command = ["vvp", "-n", str(tmp_path / "bench.vvp"), f"+vectors={vectors}"]
        out = subprocess.run(command, cwd=folder / "tb", capture_output=True, text=True).stdout
        assert out.startswith(verdict)


def test_folder_is_verified_and_altered_ones_are_not(folder, tmp_path, capsys):
    """The certificate records what passed."""
    assert run(hwact, ["verify", str(folder), "--json"]) == 0
    passed = json.loads(capsys.readouterr().out)
    assert passed["level"] == "rtl" and [c["check"] for c in passed["checks"]][-4:] == ["circuit", "stalls", "overflow", "c_model"]
    assert run(hwact, ["verify", str(folder), "--level", "proof"]) == 2
    assert run(hwact, ["mutate", str(folder)]) == 2
    text = (folder / "trio.v").read_text()
    (folder / "trio.v").write_text(text + "\n")
    assert run(hwact, ["verify", str(folder)]) == 1
    (folder / "trio.v").write_text(text)


@pytest.mark.slow
def test_folder_is_simulated_synthesised_and_its_netlists_verified(folder, capsys):
    """All other commands."""
    assert run(hwact, ["simulate", str(folder), "--simulator", "icarus"]) == 0
    assert run(hwact, ["synth", str(folder), "--target", "ice40", "--no-place"]) == 0
    assert run(hwact, ["verify", str(folder), "--level", "netlist"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--functions", "tanh,nosuch"], "nosuch"),
        (["--functions", "tanh,gelu", "--parameter", "q=2"], "Parameter must be one of a function's, not 'q=2'"),
        (["tanh", "--functions", "tanh,gelu"], "Functions must be given all with --functions, not one beside them"),
        (["--functions", "tanh,gelu", "--fmax", "100", "--target", "ice40"], "Clock frequency must be left out with --functions"),
    ],
)
def test_bad_commands_leave_nothing(words, sentence, tmp_path, capsys):
    """Exit status 2, one sentence, no folder."""
    formats = ["--input", "SQ3.3", "--output", "SQ3.4", "-o", str(tmp_path / "out")]
    assert run(hwact, ["generate", *words, *formats]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["several functions", "a parametric unit"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"interface": "axis"}, "Interface must be comb, pipe or stream for {}, not axis"),
        ({"interface": "stream", "lanes": 2}, "Lanes must be 1 for {}, not 2"),
        ({"interface": "stream", "clock_name": "aclk"}, "Clock name must be left out for {}, not 'aclk'"),
        ({"interface": "stream", "reset_name": "aresetn"}, "Reset name must be left out for {}, not 'aresetn'"),
    ],
)
def test_shells_of_plain_units_alone_are_refused(kind, words, sentence):
    """AXI4-Stream, lanes and names of the user's own, in one sentence."""
    formats = {"input": "SQ3.3", "output": "SQ3.3"}
    with pytest.raises(RequestError, match=f"^{re.escape(sentence.format(kind))}$"):
        if kind == "several functions":
            MultiSpec(["tanh", "gelu"], **formats, **words)
        else:
            ParametricSpec("tanh", **formats, **words)
