"""The cocotb tests of a unit. ``HWACT_BENCH`` names the job that `hwact.sim.runner` wrote.

Each test runs on the emitted Verilog and compares with `Design.evaluate`.
"""

import json
import os
from pathlib import Path

import cocotb

from ..design import Design
from ..errors import CheckError
from ..ports import roles_of
from .driver import Clock, CombSource, PipeSource, StreamSink, StreamSource, always, sometimes
from .monitor import CombMonitor, PipeMonitor, StreamMonitor
from .scoreboard import Scoreboard, stimulus

__all__ = [
    "gives_every_result_at_full_rate",
    "gives_every_result_under_stalls",
    "recovers_from_reset_in_flight",
]

_JOB = json.loads(Path(os.environ["HWACT_BENCH"]).read_text(encoding="utf-8"))
_DESIGN = Design.from_dict(_JOB["design"])
_SEED = _JOB["seed"]
_CODES = stimulus(_DESIGN, _JOB["samples"], _SEED)
_SHELL = _DESIGN.shell
_INTERFACE = _SHELL.interface
_PORTS = roles_of(_DESIGN)


class Bench:
    """One test's clock, drivers, monitor and scoreboard."""

    def __init__(self, dut, codes, *, source_coin=always, sink_coin=always, exact_latency=False):
        self.dut = dut
        self.clock = Clock(dut, _DESIGN, 20 * len(codes) + 2000)
        self.scoreboard = Scoreboard(_DESIGN, _CODES, exact_latency=exact_latency)
        self.start(codes, source_coin, sink_coin)

    def start(self, codes, source_coin=always, sink_coin=always):
        """Put fresh drivers and a fresh monitor in place."""
        kind = {"comb": CombSource, "pipe": PipeSource}.get(_INTERFACE, StreamSource)
        source = kind(self.dut, _DESIGN, codes, source_coin, _SEED)
        self.clock.drivers = [source]
        if _SHELL.streaming:
            self.clock.drivers.append(StreamSink(self.dut, _DESIGN, sink_coin))
            self.clock.monitors = [StreamMonitor(self.dut, self.scoreboard, source)]
        else:
            kind = {"comb": CombMonitor, "pipe": PipeMonitor}[_INTERFACE]
            self.clock.monitors = [kind(self.dut, self.scoreboard)]

    async def reset(self):
        """Reset the unit; what it held is dropped."""
        drivers, monitors = self.clock.drivers, self.clock.monitors
        self.clock.drivers = self.clock.monitors = ()
        for name in ("i_valid", "o_ready", "ce"):
            if name in _PORTS:
                getattr(self.dut, _PORTS[name]).value = 0
        await self.clock.reset()
        self.scoreboard.dropped()
        self.clock.drivers, self.clock.monitors = drivers, monitors

    async def run(self, beats):
        """Run to the last result and write down what it took."""
        samples = beats * _SHELL.lanes
        before = self.scoreboard.received
        await self.clock.run(self.scoreboard, before + samples)
        with open(_JOB["log"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"samples": samples, "cycles": self.clock.cycle}) + "\n")


@cocotb.test()
async def gives_every_result_at_full_rate(dut):
    """A code a cycle goes in, and each result comes exactly ``latency`` cycles later."""
    bench = Bench(dut, _CODES, exact_latency=True)
    await bench.reset()
    await bench.run(len(_CODES))


@cocotb.test(skip=_INTERFACE == "comb")
async def gives_every_result_under_stalls(dut):
    """Random gaps, back-pressure or clock enables change no result, drop none and repeat none."""
    bench = Bench(dut, _CODES, source_coin=sometimes(_SEED), sink_coin=sometimes(_SEED + 1))
    await bench.reset()
    await bench.run(len(_CODES))


@cocotb.test(skip=_INTERFACE == "comb" or _SHELL.reset == "none")
async def recovers_from_reset_in_flight(dut):
    """A reset drops what is in flight, whatever the unit was doing, and the unit then starts afresh."""
    codes = _CODES[:64]
    bench = Bench(dut, codes)
    await bench.reset()
    for flight in range(1, _DESIGN.latency + 3):
        bench.start(codes, sink_coin=lambda: False)
        for _ in range(flight):
            await bench.clock.tick()
        await bench.reset()
        if _SHELL.streaming:
            await _stays_empty(bench)
        bench.start(codes)
        await bench.run(len(codes))
        await bench.reset()


async def _stays_empty(bench):
    bench.start([])
    for _ in range(_DESIGN.latency + 3):
        await bench.clock.tick()
        if int(getattr(bench.dut, _PORTS["o_valid"]).value):
            raise CheckError(f"Port {_PORTS['o_valid']} must be low after a reset, not high")
