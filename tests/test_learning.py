"""The network that learns: golden model, circuit, and what is learnt."""

import numpy as np
import pytest

from hwact import Spec
from hwact.boards.learning.data import TASKS, find_task
from hwact.boards.learning.gateware import Learner, Region, Register, address
from hwact.boards.learning.network import Network, State, next_noise
from hwact.boards.learning.program import Words, program
from hwact.errors import RequestError


def unit(function="tanh", **options):
    """A small unit with its derivative."""
    given = {"input": "SQ4.8", "output": "SQ2.10", "derivative": "direct", "derivative_output": "SQ2.10", **options}
    return Spec(function, **given).design()


TANH = unit(method="pwl")


class Bench:
    """The circuit in Amaranth's simulator, with a cycle budget."""

    def __init__(self, network, samples, rate, state):
        self.network, self.samples, self.rate, self.state = network, samples, rate, state
        self.dut = Learner(network)

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

    async def learn(self, context, goal, budget):
        """Cycles until the goal is reached."""
        context.set(self.dut.goal, goal)
        context.set(self.dut.start, 1)
        await context.tick()
        context.set(self.dut.start, 0)
        for cycles in range(1, budget + 2):
            if not context.get(self.dut.busy):
                return cycles - 1
            await context.tick()
        pytest.fail(f"Busy after {budget} cycles")

    async def found(self, context):
        """Step, loss, weights and noise."""
        count = self.network.weights
        words = [await self.read(context, address(Region.WORDS, Words.WEIGHTS + k)) for k in range(count)]
        codes = [(word ^ 1 << 31) - (1 << 31) for word in words]
        return context.get(self.dut.step), context.get(self.dut.loss), codes, await self.read(context, Register.NOISE)

    def run(self, steps):
        """Compare every step with the golden model."""
        from amaranth.sim import Simulator

        async def bench(context):
            await self.load(context)
            state = self.state
            for number in range(steps):
                cycles = await self.learn(context, number + 1, 2 * self.dut.cycles_per_step)
                state, loss = self.network.train(state, self.samples, self.rate, 1, number)
                assert cycles == self.dut.cycles_per_step
                assert await self.found(context) == (number + 1, loss, state.weights.tolist(), state.noise)

        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()


def test_circuit_equals_golden_model_after_every_step():
    """Loss, all weights and the generator, on XOR."""
    network = Network(TANH, 4)
    Bench(network, find_task("xor").samples(network), 2048, network.initial(3)).run(20)
