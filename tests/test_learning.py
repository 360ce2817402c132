"""The network that learns: golden model, circuit, and what is learnt."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.sim import Simulator

from hwact import Spec
from hwact.boards import find_board
from hwact.boards.demos import demo_of
from hwact.boards.learning.data import TASKS, find_task
from hwact.boards.learning.gateware import Learner, Region, Register, address
from hwact.boards.learning.network import WORD, Network, State, next_noise
from hwact.boards.learning.program import Words
from hwact.errors import RequestError

ROOT = Path(__file__).resolve().parents[1]


def unit(function="tanh", input="SQ4.4", output="SQ2.6", **options):
    """A small unit, with its derivative unless told otherwise."""
    given = {"derivative": "direct", "derivative_output": output, **options}
    return Spec(function, input, output, **given).design()


@pytest.fixture(scope="module")
def tanh():
    """The unit of the demonstration, in few words."""
    return unit(input="SQ4.8", output="SQ2.10", method="pwl")


# -- the golden model ------------------------------------------------------------------------------


def test_generator_is_marsaglia_s():
    """The numbers that are known for its usual seed."""
    first = next_noise(2463534242)
    assert (first, next_noise(first)) == (723471715, 2497366906)


def test_step_follows_the_gradient(tanh):
    """Weights move by -rate * dE/dw, E half the squared error, as finite differences of real numbers find it."""
    network = Network(tanh, 3, rounding="nearest")
    state, sample, rate = network.initial(5), [700, -300, 900], network.weight.to_code(4.0)
    scale = float(network.data.ulp)

    def half_squared_error(weights):
        neurons, inputs = weights[:-1].reshape(3, 4), np.array([*np.array(sample[:2]) * scale, 1.0])
        hidden = np.tanh(neurons[:, :3] @ inputs)
        return (np.tanh(neurons[:, 3] @ hidden + weights[-1]) - sample[2] * scale) ** 2 / 2

    weights, small = network.weight.to_value(state.weights), 1e-5
    gradient = [
        (half_squared_error(weights + small * one) - half_squared_error(weights - small * one)) / (2 * small)
        for one in np.eye(network.weights)
    ]
    moved = network.weight.to_value(network.step(state, sample, int(rate))[0].weights) - weights
    assert np.abs(gradient).max() > 0.1
    assert moved == pytest.approx(-4.0 * np.array(gradient), abs=0.02)


def test_random_rounding_keeps_small_updates(tanh):
    """Updates of far less than an ulp move the weights on average, and never where they are rounded to nearest."""
    for rounding, moves in (("stochastic", True), ("nearest", False)):
        network = Network(tanh, 2, rounding=rounding)
        start = network.initial(range(400))
        start = replace(start, weights=np.broadcast_to(start.weights[0], start.weights.shape))
        target = int(network.forward(start.weights[0], [500, 500])[2]) - 300
        state, error = network.step(start, [500, 500, target], 1)
        assert (error == 300).all()
        assert (state.weights != start.weights).any() == moves
        assert np.abs(state.weights - start.weights).max() <= 1


def test_networks_learn_side_by_side_as_alone(tanh):
    """Axes of seeds change nothing."""
    network = Network(tanh, 3)
    samples = find_task("xor").samples(network)
    together, losses = network.train(network.initial([4, 9]), samples, 1024, 30)
    for k, seed in enumerate((4, 9)):
        alone, loss = network.train(network.initial(seed), samples, 1024, 30)
        assert (alone.weights == together.weights[k]).all() and alone.noise == together.noise[k]
        assert loss == losses[k]


@pytest.mark.parametrize(
    "task, error", [("xor", 1e-4), pytest.param("moons", 0.03, marks=pytest.mark.slow)]
)
def test_every_network_learns(tanh, task, error):
    """From eight seeds, within the steps that the demonstration takes."""
    network, task = Network(tanh), find_task(task)
    samples, steps = task.samples(network), task.steps
    last, rate = len(samples), int(network.weight.to_code(task.rate))
    state, _ = network.train(network.initial(range(8)), samples, rate, steps - last)
    state, loss = network.train(state, samples, rate, last, steps - last)
    assert (network.accuracy(state.weights, samples) >= task.goal).all()
    assert (loss / last * float(network.data.ulp) ** 2 < error).all()


def test_nothing_is_learnt_without_the_derivative():
    """XOR, with 1 in its place."""
    plain = unit(input="SQ4.8", output="SQ2.10", derivative="none", derivative_output=None, method="pwl")
    network, task = Network(plain), TASKS["xor"]
    samples = task.samples(network)
    state, _ = network.train(network.initial(range(8)), samples, int(network.weight.to_code(task.rate)), task.steps)
    assert (network.accuracy(state.weights, samples) < 1).all()


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"hidden": 33}, "Hidden neurons must be 1 to 32, not 33"),
        ({"rounding": "up"}, "Rounding must be stochastic or nearest, not 'up'"),
        ({"weight": "SQ4.11"}, "Weight format must be signed and 16 bits wide, not SQ4.11"),
        ({"gradient": "UQ2.14"}, "Gradient format must be signed and 16 bits wide, not UQ2.14"),
        ({"weight": "SQ-9.25"}, "Shift of update must be 0 to 30, not -1: choose other formats"),
    ],
)
def test_network_refuses_what_cannot_be(tanh, options, sentence):
    """In one sentence."""
    with pytest.raises(RequestError, match=f"^{sentence}$"):
        Network(tanh, **options)


def test_network_refuses_a_unit_without_zero():
    """Weights of zero give a sum of zero."""
    with pytest.raises(RequestError, match="^Domain of the unit must hold 0, not be 16:32$"):
        Network(unit(domain="1:2"))


def test_task_is_known_by_name():
    """And no other."""
    with pytest.raises(RequestError, match="^Task must be xor or moons, not 'spiral'$"):
        find_task("spiral")


def test_tables_are_those_of_the_benchmark(monkeypatch):
    """A row of the document is what the command finds today."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    specification = importlib.util.spec_from_file_location("learning", ROOT / "benchmarks" / "learning.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    sys.modules.pop("tables", None)
    name, task = "slope of a tanh within 1/4", TASKS["xor"]
    network = module.network_of(module.UNITS[name])
    row = module.row(name, network, task, *module.curve(network, task))
    assert "| " + " | ".join(map(str, row)) + " |" in (ROOT / module.DOCUMENT).read_text(encoding="utf-8")


# -- the circuit -----------------------------------------------------------------------------------


class Bench:
    """The circuit in Amaranth's simulator, compared with the golden model after every step."""

    def __init__(self, network, samples, rate, state):
        self.network, self.samples, self.rate, self.state = network, np.asarray(samples), rate, state
        self.dut = Learner(network)

    def run(self, steps):
        """Fails where a step takes too long, or anything differs."""

        async def bench(context):
            await self.load(context)
            state = self.state
            for number in range(steps):
                cycles = await self.learn(context, number + 1)
                state, loss = self.network.train(state, self.samples, self.rate, 1, number)
                assert cycles == self.dut.cycles_per_step
                assert await self.found(context) == (number + 1, loss, state.weights.tolist(), state.noise)

        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()

    async def write(self, context, where, value):
        context.set(self.dut.address, where)
        context.set(self.dut.write_data, int(value) & 0xFFFFFFFF)
        context.set(self.dut.write, 1)
        await context.tick()
        context.set(self.dut.write, 0)

    async def read(self, context, where):
        context.set(self.dut.address, where)
        await context.tick()
        return context.get(self.dut.read_data)

    async def load(self, context):
        numbers = self.samples.ravel()
        for k, number in enumerate(numbers):
            await self.write(context, address(Region.SAMPLES, k), number)
        for k, weight in enumerate(self.state.weights):
            await self.write(context, address(Region.WORDS, Words.WEIGHTS + k), weight)
        await self.write(context, address(Region.WORDS, Words.RATE), self.rate)
        await self.write(context, Register.NOISE, self.state.noise)
        await self.write(context, Register.LAST, len(numbers) - 1)
        await self.write(context, Register.STEP, 0)
        assert await self.read(context, Register.HIDDEN) == self.network.hidden

    async def learn(self, context, goal):
        """Cycles until the goal is reached."""
        context.set(self.dut.goal, goal)
        context.set(self.dut.start, 1)
        await context.tick()
        context.set(self.dut.start, 0)
        budget = 2 * self.dut.cycles_per_step
        for cycles in range(budget):
            if not context.get(self.dut.busy):
                return cycles
            await context.tick()
        pytest.fail(f"Busy after {budget} cycles")

    async def found(self, context):
        """Step, loss, weights and noise."""
        words = [
            await self.read(context, address(Region.WORDS, Words.WEIGHTS + k)) for k in range(self.network.weights)
        ]
        noise = await self.read(context, Register.NOISE)
        return context.get(self.dut.step), context.get(self.dut.loss), [_signed(word) for word in words], noise


def _signed(word):
    return (word ^ 1 << 31) - (1 << 31)


CASES = {
    "tanh": (unit, {}, {}),
    "rounding to nearest": (unit, {}, {"rounding": "nearest"}),
    "no derivative": (unit, {"derivative": "none", "derivative_output": None}, {}),
    "slope, other formats": (
        unit,
        {"function": "gelu", "input": "SQ3.6", "output": "SQ3.7", "derivative": "slope", "derivative_output": None},
        {"weight": "SQ6.10", "gradient": "SQ3.13"},
    ),
    "outputs too wide for a word": (
        unit,
        {"function": "sigmoid", "output": "UQ0.16", "derivative_output": "UQ-2.18", "interface": "comb"},
        {},
    ),
    "part of the domain": (unit, {"domain": "-1.25:2", "latency": 1, "interface": "pipe"}, {}),
    "unsigned input": (unit, {"function": "sqrt(x+1)", "input": "UQ3.4", "output": "SQ3.5"}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_circuit_equals_golden_model_after_every_step(case):
    """Loss, all weights and the generator, in as many cycles as are promised."""
    make, options, settings = CASES[case]
    network = Network(make(**options), 2, **settings)
    Bench(network, find_task("xor").samples(network), int(network.weight.to_code(0.5)), network.initial(3)).run(5)


def test_circuit_saturates_as_the_golden_model_does():
    """Weights, rate and samples at the ends of their ranges; the loss of two steps adds up."""
    network = Network(unit(output="SQ2.14"), 2)
    random = np.random.default_rng(1)
    ends = random.choice([WORD.min_code, WORD.max_code], (3, 3))
    weights = random.choice([WORD.min_code, WORD.max_code], network.weights)
    Bench(network, ends, WORD.max_code, State(weights, np.int64(0xFFFFFFFF))).run(5)


def test_demonstration_has_one_unit(tanh):
    """For all its neurons."""
    with pytest.raises(RequestError, match="^Network must have one unit, not 2$"):
        demo_of("learn", find_board("icebreaker"), [tanh, tanh])
