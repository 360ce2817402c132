"""Drivers: what the bench does to the unit's inputs, once a clock cycle."""

import random
from collections import deque

import numpy as np
from cocotb.triggers import Timer

from ..errors import CheckError
from ..ports import SIDEBANDS, ports_of, roles_of

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
        ports = roles_of(design)
        self._low = design.shell.reset.endswith("low")
        self._clock, self._reset = (getattr(dut, ports[role]) if role in ports else None for role in ("clk", "rst"))

    async def tick(self):
        """Run one clock cycle.

        Raises
        ------
        CheckError
            If the budget is spent.
        """
        if self.cycle >= self.budget:
            raise CheckError(f"Test must end within {self.budget} cycles, not run on")
        if self._clock is not None:
            self._clock.value = 0
        for driver in self.drivers:
            driver.drive()
        await Timer(5, "ns")
        for monitor in self.monitors:
            monitor.look(self.cycle)
        if self._clock is not None:
            self._clock.value = 1
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

    Every lane gets every code, different lanes different ones at a time.

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
        bits, lanes = design.input.to_bits(codes), design.shell.lanes
        step = max(len(bits) // lanes, 1)
        self.beats = deque(zip(*(np.roll(bits, -lane * step).tolist() for lane in range(lanes))))
        self._last = (int(design.input.to_bits(design.domain[0])),) * lanes
        self._noise = random.Random(seed)
        self._ports = {role: port for port in ports_of(design) for role in port.roles}

    def _put(self, role, value):
        getattr(self.dut, self._ports[role].name).value = value

    def _put_beat(self, beat):
        """Put one code into each lane, with noise in the padding."""
        port = self._ports["x"]
        noise = self._noise.getrandbits(8)
        self._put("x", port.pack([code | noise << self.design.input.width for code in beat]))

    def _put_garbage(self, role="x"):
        self._put(role, self._noise.getrandbits(self._ports[role].width))

    def _next(self):
        """The next codes, or the last ones once more when there are none: some code always counts."""
        if self.beats:
            self._last = self.beats.popleft()
        return self._last


class CombSource(_Source):
    """One code a lane and step."""

    def drive(self):
        """Put the next codes on ``x``."""
        self._put_beat(self._next())


class PipeSource(_Source):
    """One code a lane each enabled cycle."""

    def drive(self):
        """Put the next codes on ``x`` with ``ce`` high, or noise with ``ce`` low."""
        enable = self.willing()
        self._put("ce", int(enable))
        if enable:
            self._put_beat(self._next())
        else:
            self._put_garbage()


class StreamSource(_Source):
    """Offers codes, and random sidebands beside them, until they are taken."""

    _offered = False

    def drive(self):
        """Offer the next codes with valid high, or put noise with valid low."""
        if self._offered:
            return
        self._offered = bool(self.beats) and self.willing()
        self._put("i_valid", int(self._offered))
        for role in SIDEBANDS:
            if role in self._ports:
                self._put_garbage(role)
        if self._offered:
            self._put_beat(self.beats[0])
            if "i_keep" in self._ports and self._noise.random() < 0.7:
                self._put("i_keep", (1 << self._ports["i_keep"].width) - 1)
        else:
            self._put_garbage()

    def taken(self):
        """The offered codes were transferred."""
        self._offered = False
        self.beats.popleft()


class StreamSink:
    """Takes results when it is `willing`."""

    def __init__(self, dut, design, willing=always):
        self._ready = getattr(dut, roles_of(design)["o_ready"])
        self.willing = willing

    def drive(self):
        """Set ready."""
        self._ready.value = int(self.willing())
