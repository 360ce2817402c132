"""Drivers: what the bench does to the unit's inputs, once a clock cycle."""

import random
from collections import deque

from cocotb.triggers import Timer

from ..errors import CheckError

__all__ = ["Clock", "CombSource", "PipeSource", "StreamSink", "StreamSource", "always", "sometimes"]


def always():
    """A coin that never refuses."""
    return True


def sometimes(seed):
    """A coin for stalls: runs of willing and unwilling cycles, of random length."""
    generator = random.Random(seed)

    def coins():
        while True:
            odds = generator.choice([0.1, 0.5, 0.9])
            for _ in range(generator.randint(1, 24)):
                yield generator.random() < odds

    return coins().__next__


class Clock:
    """Clock, reset and watchdog of one test.

    In each cycle the drivers set the inputs, the unit settles, the monitors look, and the clock rises.
    Nothing depends on the order in which a simulator calls back.

    Parameters
    ----------
    dut : handle
    design : Design
    budget : int
        Clock cycles after which the test is given up.

    Members
    -------
    cycle : int
        Cycles so far.
    drivers, monitors : list
    """

    def __init__(self, dut, design, budget):
        self.dut = dut
        self.budget = budget
        self.cycle = 0
        self.drivers = []
        self.monitors = []
        self._clocked = design.shell.interface != "comb"
        self._low = design.shell.reset.endswith("low")
        self._reset = None
        if self._clocked and design.shell.reset != "none":
            self._reset = dut.rst_n if self._low else dut.rst

    async def tick(self):
        """Run one clock cycle.

        Raises
        ------
        CheckError
            If the budget is spent.
        """
        if self.cycle >= self.budget:
            raise CheckError(f"Test must end within {self.budget} cycles, not run on")
        if self._clocked:
            self.dut.clk.value = 0
        for driver in self.drivers:
            driver.drive()
        await Timer(5, "ns")
        for monitor in self.monitors:
            monitor.look(self.cycle)
        if self._clocked:
            self.dut.clk.value = 1
            await Timer(5, "ns")
        self.cycle += 1

    def set_reset(self, asserted):
        """Assert or release the reset, if there is one, from the next cycle on."""
        if self._reset is not None:
            self._reset.value = int(asserted != self._low)

    async def reset(self, cycles=3):
        """Hold the reset for some cycles."""
        self.set_reset(True)
        for _ in range(cycles):
            await self.tick()
        self.set_reset(False)

    async def run(self, scoreboard, samples):
        """Tick until `samples` results are right, and on for long enough to see a surplus one.

        Raises
        ------
        CheckError
            If the budget is spent before that.
        """
        try:
            while scoreboard.received < samples:
                await self.tick()
        except CheckError as error:
            if self.cycle < self.budget:
                raise
            raise CheckError(
                f"Received {scoreboard.received} of {samples} outputs in {self.cycle} cycles"
            ) from error
        for _ in range(scoreboard.design.latency + 4):
            await self.tick()


class _Source:
    """Offers codes one after the other, and random ones where nobody should look.

    Parameters
    ----------
    dut : handle
    design : Design
    codes : iterable of int
    willing : callable
        Asked once a cycle whether to go on.
    seed : int
    """

    def __init__(self, dut, design, codes, willing=always, seed=0):
        self.dut = dut
        self.design = design
        self.willing = willing
        self.codes = deque(design.input.to_bits(codes).tolist())
        self._last = int(design.input.to_bits(design.domain[0]))
        self._noise = random.Random(seed)

    def _next(self):
        """The next code, or the last one once more when there are none: some code always counts."""
        if self.codes:
            self._last = self.codes.popleft()
        return self._last

    def _garbage(self):
        return self._noise.getrandbits(self.design.input.width)


class CombSource(_Source):
    """One code a step."""

    def drive(self):
        """Put the next code on ``x``."""
        self.dut.x.value = self._next()


class PipeSource(_Source):
    """One code each enabled cycle."""

    def drive(self):
        """Put the next code on ``x`` with ``ce`` high, or noise with ``ce`` low."""
        enable = self.willing()
        self.dut.ce.value = int(enable)
        self.dut.x.value = self._next() if enable else self._garbage()


class StreamSource(_Source):
    """Offers a code until it is taken."""

    _offered = False

    def drive(self):
        """Put the next code on ``i_payload`` with ``i_valid`` high, or noise with ``i_valid`` low."""
        if not self._offered and self.codes and self.willing():
            self._offered = True
        self.dut.i_valid.value = int(self._offered)
        self.dut.i_payload.value = self.codes[0] if self._offered else self._garbage()

    def taken(self):
        """The offered code was transferred."""
        self._offered = False
        self.codes.popleft()


class StreamSink:
    """Takes results when it is `willing`."""

    def __init__(self, dut, willing=always):
        self.dut = dut
        self.willing = willing

    def drive(self):
        """Set ``o_ready``."""
        self.dut.o_ready.value = int(self.willing())
