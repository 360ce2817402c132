"""Parametric units: the bound, the golden model, the circuit, writes under traffic, the files, the commands."""

import json
import math
import random
import shlex
import subprocess

import numpy as np
import pytest
from amaranth.sim import Simulator
from circuits import PERIOD, Clocked
from waves import diagram, simulated

from hwact import SQ, UQ
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import CheckError, RequestError
from hwact.parametric import ParametricDesign, ParametricSpec, guarantee
from hwact.parametric.loaded import Loaded
from hwact.parametric.verify import climb
from hwact.sideband.verify import check_circuit
from hwact.sideband.verilog import verilog

#: Signed and unsigned parameters, negative and no fraction bits, both interfaces, kinds of reset.
REQUESTS = {
    "gelu": ("gelu", {"input": "SQ3.3", "output": "SQ3.4", "alpha": "UQ2.3", "beta": "SQ2.3", "channels": 4}),
    "tanh": (
        "tanh",
        {"input": "SQ2.4", "output": "SQ1.6", "alpha": "SQ3.0", "beta": "UQ0.4", "channels": 8}
        | {"interface": "pipe", "latency": 4, "reset": "async-low"},
    ),
    "root": (
        "sqrt(x)",
        {"input": "UQ2.4", "output": "UQ3.3", "alpha": "UQ5.-2", "beta": "UQ1.2", "channels": 2, "reset": "none"},
    ),
    "step": ("abs(x)-x/2", {"input": "SQ2.3", "output": "SQ2.4", "alpha": "SQ1.4", "beta": "SQ1.4", "channels": 16, "latency": 7}),
}
REAL = {
    "gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
    "tanh": math.tanh,
    "root": math.sqrt,
    "step": lambda x: abs(x) - x / 2,
}


@pytest.fixture(scope="module")
def made():
    """Designs by name, each made once."""
    designs = {}

    def make(name):
        if name not in designs:
            function, request = REQUESTS[name]
            designs[name] = ParametricSpec(function, name=f"par_{name}", **request).design()
        return designs[name]

    return make


def every(design):
    """Every alpha, beta and x, as three arrays of one shape."""
    return np.meshgrid(design.alpha.codes(), design.beta.codes(), design.input.codes(), indexing="ij")


def reference(design, real, alpha, beta, x):
    """The real function in ulps of the output (float64), clamped as the guarantee says."""
    input, output = design.input, design.channels[0].format
    argument = np.clip(alpha * float(design.alpha.ulp) * x, input.min_code, input.max_code) * float(input.ulp)
    inner = np.clip(np.vectorize(real)(argument) / float(output.ulp), output.min_code, output.max_code)
    return np.clip(beta * float(design.beta.ulp) * inner, output.min_code, output.max_code)


@pytest.mark.parametrize("name", REQUESTS)
def test_error_is_within_the_guarantee_for_every_alpha_beta_and_code(made, name):
    """All of them, for each beta its own bound; and the bound is not far from what happens."""
    design = made(name)
    alpha, beta, x = every(design)
    error = np.abs(design.evaluate(alpha, beta, x) - reference(design, REAL[name], alpha, beta, x))
    proved = guarantee(design)
    bounds = np.array([proved.at(code * float(design.beta.ulp)) for code in design.beta.codes()])
    assert (error.max(axis=(0, 2)) <= bounds + 1e-9).all()
    assert error.max() > 0.4 * proved.error_ulp


def test_products_round_to_nearest_and_clamp():
    """By hand: alpha 1.5, beta -2, identity inside."""
    design = ParametricSpec("x", input="SQ3.1", output="SQ3.1", alpha="UQ1.1", beta="SQ2.0", channels=2).design()
    assert design.evaluate(3, 1, [1, -1, 3, 5, 7, -8]).tolist() == [2, -1, 5, 7, 7, -8]
    assert design.evaluate(2, -2, [1, 3, 5, -8]).tolist() == [-2, -6, -8, 7]


@pytest.mark.parametrize("name", ["gelu", *(pytest.param(n, marks=pytest.mark.slow) for n in list(REQUESTS)[1:])])
def test_verilog_and_c_model_equal_golden_model(made, name):
    """Every channel and code, two contents of the memory, stalls, resets."""
    design = made(name)
    checks = climb("rtl", design, verilog(design, command="test"))
    assert checks[0].codes == len(design.codes() if hasattr(design, "codes") else design.input.codes()) * design.channels_count
    assert checks[-1].check == "c_model"


def test_other_rounding_is_found(made):
    """A unit for a neighbouring format of beta."""
    design = made("gelu")
    function, request = REQUESTS["gelu"]
    other = ParametricSpec(function, name="par_gelu", **{**request, "beta": "SQ3.2"}).design()
    with pytest.raises(CheckError, match="in the circuit"):
        check_circuit(Loaded(design), verilog(other, command="test"))


@pytest.mark.parametrize("name", REQUESTS)
def test_each_sample_has_the_pair_of_the_moment_it_is_taken(made, name):
    """Writes of both parameters in most cycles, to the channel at hand too, through stalls; never a mixed pair."""
    design, draw = made(name), random.Random(name)
    unit = design.create()
    stream = design.shell.interface == "stream"
    top, wanted, found = Clocked(unit, design.shell.reset), [], []
    pairs = {}

    async def bench(ctx):
        ctx.set(unit.w_enable, 1)
        for channel in range(design.channels_count):
            pairs[channel] = await write(ctx, channel)
            await ctx.tick()
        took = 0
        for _ in range(600):
            channel, x = draw.randrange(design.channels_count), draw.randint(design.input.min_code, design.input.max_code)
            source, offered, ready = (unit.i.payload, draw.random() < 0.8, draw.random() < 0.7) if stream else (unit, 1, draw.random() < 0.7)
            ctx.set(source.x, x)
            ctx.set(source.channel, channel)
            if stream:
                ctx.set(unit.i.valid, offered)
                ctx.set(unit.o.ready, ready)
            else:
                ctx.set(unit.ce, ready)
            written = draw.random() < 0.7
            target = channel if draw.random() < 0.5 else draw.randrange(design.channels_count)
            ctx.set(unit.w_enable, written)
            fresh = await write(ctx, target)
            if stream and ready and ctx.get(unit.o.valid):
                found.append(ctx.get(unit.o.payload.y))
            if offered and (ctx.get(unit.i.ready) if stream else ready):
                wanted.append(int(design.evaluate(*pairs[channel], x)))
            if not stream and ready:
                took += 1
            await ctx.tick()
            if not stream and ready and took >= design.latency:
                found.append(ctx.get(unit.y))
            if written:
                pairs[target] = fresh

    async def write(ctx, channel):
        pair = [draw.randint(format.min_code, format.max_code) for format in (design.alpha, design.beta)]
        ctx.set(unit.w_channel, channel)
        ctx.set(unit.w_alpha, pair[0])
        ctx.set(unit.w_beta, pair[1])
        return pair

    simulator = Simulator(top)
    simulator.add_clock(PERIOD, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()
    assert len(found) > 200
    assert design.channels[0].format.from_bits(found).tolist() == wanted[: len(found)]


def test_timing_diagram_is_what_the_circuit_does():
    """docs/waves/parametric.json, cycle by cycle."""
    request = {"input": "SQ4.4", "output": "SQ4.4", "alpha": "SQ3.4", "beta": "SQ3.4", "channels": 2, "latency": 4}
    design, wave = ParametricSpec("tanh", **request).design(), diagram("parametric")
    unit = design.create()
    inputs = {"i_payload": unit.i.payload.x, "i_channel": unit.i.payload.channel, "i_valid": unit.i.valid}
    inputs |= {"o_ready": unit.o.ready, **{name: getattr(unit, name) for name in design.beside}}
    outputs = {"o_y": unit.o.payload.y, "o_valid": unit.o.valid, "i_ready": unit.i.ready}
    found = simulated(unit, {name: (port, wave[name]) for name, port in inputs.items()}, outputs)
    for name, values in found.items():
        shown = [(value, int(want) % 256) for value, want in zip(values, wave[name]) if want != "x"]
        assert shown and all(value == want for value, want in shown), name


def test_design_survives_json(made):
    """And its digest with it."""
    design = made("tanh")
    again = ParametricDesign.from_dict(json.loads(json.dumps(design.to_dict())))
    assert again == design and again.digest == design.digest and hash(again) == hash(design)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"channels": 3}, "Channels must be a power of two from 2 to 1024, not 3"),
        ({"interface": "comb"}, "Interface must be pipe or stream for a parametric unit, not comb"),
        ({"latency": 3}, "Latency must be at least 4 for a parametric unit, not 3"),
        ({"domain": "0:1"}, "Domain must be left out for a parametric unit"),
        ({"derivative": "slope"}, "Derivative must be none for a parametric unit, not slope"),
        ({"alpha": SQ(1, 24)}, "Alpha must be at most 24 bits wide, not SQ1.24"),
        ({"input": UQ(1, 16)}, "Input format must be at most 16 bits wide for a parametric unit, not UQ1.16"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(change, sentence):
    """When they are made, or fitted."""
    with pytest.raises(RequestError) as caught:
        ParametricSpec("tanh", **{"input": "SQ2.2", "output": "SQ2.2", **change}).design()
    assert str(caught.value) == sentence


# -- files and commands -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of one small unit."""
    path = tmp_path_factory.mktemp("parametric") / "prelu"
    words = ["generate", "x*sigmoid(b*x)", "--parameter", "b=2", "--parametric", "--channels", "4", "--alpha", "UQ1.3"]
    words += ["--beta", "SQ2.3", "--input", "SQ3.2", "--output", "SQ3.3", "--name", "prelu", "-o", str(path)]
    assert run(hwact, words) == 0
    return path


def test_manifest_has_formats_and_guarantee(folder):
    """And the ports of the memory."""
    contents = json.loads((folder / "prelu.json").read_text())
    assert contents["kind"] == "parametric" and contents["channels"] == 4 and contents["interface"] == "stream"
    assert contents["guarantee"]["max_error_ulp"] > contents["inner"]["max_error_ulp"]
    assert [port for port in contents["ports"] if port.startswith("w_")] == ["w_enable", "w_channel", "w_alpha", "w_beta"]


def test_folder_is_the_same_when_made_again(folder, tmp_path, capsys):
    """By the command in its manifest, byte for byte."""
    manifest = json.loads((folder / "prelu.json").read_text())
    assert run(hwact, [*shlex.split(manifest["command"])[1:], "-o", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == manifest["digest"]
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


def test_plain_verilog_bench_passes(folder, tmp_path):
    """With Icarus, as it stands."""
    bench = str(tmp_path / "bench.vvp")
    subprocess.run(["iverilog", "-g2005", "-o", bench, "prelu_tb.v", "../prelu.v"], cwd=folder / "tb", check=True)
    out = subprocess.run(["vvp", "-n", bench], cwd=folder / "tb", capture_output=True, text=True).stdout
    assert out.startswith("PASS prelu: 128 vectors")


def test_folder_is_verified_and_altered_ones_are_not(folder, capsys):
    """The certificate records what passed."""
    assert run(hwact, ["verify", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["level"] == "rtl"
    assert run(hwact, ["verify", str(folder), "--level", "netlist"]) == 2
    text = (folder / "prelu.v").read_text()
    (folder / "prelu.v").write_text(text + "\n")
    assert run(hwact, ["verify", str(folder)]) == 1
    (folder / "prelu.v").write_text(text)


@pytest.mark.slow
def test_folder_is_simulated_and_synthesised(folder, capsys):
    """All other commands."""
    assert run(hwact, ["simulate", str(folder), "--simulator", "icarus"]) == 0
    assert run(hwact, ["synth", str(folder), "--target", "ice40", "--no-place"]) == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tanh", "--alpha", "UQ1.3"], "Alpha must come with --parametric"),
        (["--functions", "tanh,gelu", "--parametric"], "Functions must be left out with --parametric"),
        (["tanh", "--parametric", "--interface", "comb"], "Interface must be pipe or stream for a parametric unit, not comb"),
    ],
)
def test_bad_commands_leave_nothing(words, sentence, tmp_path, capsys):
    """Exit status 2, one sentence, no folder."""
    formats = ["--input", "SQ3.3", "--output", "SQ3.4", "-o", str(tmp_path / "out")]
    assert run(hwact, ["generate", *words, *formats]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
