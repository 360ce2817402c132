"""Simulation of Amaranth components for tests: owns clock, reset and the cycle budget."""

import random
from dataclasses import dataclass

from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.sim import Simulator

__all__ = ["Clocked", "combinational", "run_pipe", "run_stream"]

PERIOD = 1e-6


def combinational(component, vectors):
    """Outputs of a component without registers: one dict by port for every dict of inputs."""
    outputs = [name for name, member in component.signature.members.items() if member.flow.name == "Out"]
    results = []

    async def bench(ctx):
        for inputs in vectors:
            for name, value in inputs.items():
                ctx.set(getattr(component, name), value)
            await ctx.delay(PERIOD)
            results.append({name: ctx.get(getattr(component, name)) for name in outputs})

    top = Module()
    top.submodules.dut = component
    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
    return results


class Clocked(Elaboratable):
    """A component in a clock domain of its own, with a kind of reset."""

    def __init__(self, component, reset="sync-high"):
        self.component = component
        self.domain = ClockDomain("sync", reset_less=reset == "none", async_reset=reset.startswith("async"))

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = self.domain
        m.submodules.dut = self.component
        return m


@dataclass
class Run:
    """What came out: `results` in order, and the cycles at which codes went in and results came out."""

    results: list
    accepted: list
    answered: list

    @property
    def latencies(self):
        """Cycles that each result took."""
        return {out - into for into, out in zip(self.accepted, self.answered)}


def _simulate(top, bench):
    simulator = Simulator(top)
    simulator.add_clock(PERIOD, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()


def run_pipe(unit, codes, *, stalls=None, reset="sync-high", outputs=("y",)):
    """Feed a unit with enable; the result of the k-th code is what stands `latency` enabled cycles later.

    While the enable is low, rubbish is on the input and the outputs must stand still.
    """
    draw, run, top = random.Random(stalls), Run([], [], []), Clocked(unit, reset)
    enabled = hasattr(unit, "ce")

    async def bench(ctx):
        steps, waiting = 0, list(codes) + [codes[0]] * unit.latency
        for _ in range(10 * len(waiting) + 100):
            if not waiting:
                return
            ce = stalls is None or draw.random() < 0.5
            before = [ctx.get(getattr(unit, name)) for name in outputs]
            ctx.set(unit.x, waiting[0] if ce else draw.getrandbits(len(unit.x)))
            if enabled:
                ctx.set(unit.ce, ce)
            await ctx.tick()
            now = tuple(ctx.get(getattr(unit, name)) for name in outputs)
            if not ce:
                assert list(now) == before, "outputs must stand still while ce is low"
                continue
            waiting.pop(0)
            steps += 1
            if steps >= unit.latency:
                run.results.append(now)
        raise AssertionError(f"Received {len(run.results)} of {len(codes)} outputs")

    _simulate(top, bench)
    run.results = run.results[: len(codes)]
    return run


def run_stream(unit, codes, *, stalls=None, reset="sync-high", resets=(), outputs=("y",)):
    """Feed a unit with valid and ready, at full rate or with random stalls, and check the rules on the way.

    In the cycles `resets` the reset is pulled; codes in flight are lost then, and fed again.
    """
    draw, run, top = random.Random(stalls), Run([], [], []), Clocked(unit, reset)

    async def bench(ctx):
        position, stalled, pending, budget = 0, None, 0, 12 * len(codes) + 200
        for cycle in range(budget):
            if cycle in resets:
                ctx.set(top.domain.rst, 1)
                ctx.set(unit.i.valid, 0)
                await ctx.tick()
                ctx.set(top.domain.rst, 0)
                assert not ctx.get(unit.o.valid), "valid must be low after reset"
                position, pending, stalled = len(run.results), 0, None
                del run.accepted[position:]
                continue
            valid = position < len(codes) and (stalls is None or draw.random() < 0.6)
            ready = stalls is None or draw.random() < 0.6
            ctx.set(unit.i.valid, valid)
            ctx.set(unit.i.payload, codes[position] if valid else draw.getrandbits(len(unit.i.payload)))
            ctx.set(unit.o.ready, not ready)
            shown = ctx.get(unit.o.valid)
            ctx.set(unit.o.ready, ready)
            assert ctx.get(unit.o.valid) == shown, "valid must not wait for ready"
            result = tuple(ctx.get(getattr(unit.o.payload, name)) for name in outputs)
            assert stalled is None or (shown and result == stalled), "results must be stable while stalled"
            taken, given = shown and ready, valid and ctx.get(unit.i.ready)
            stalled = result if shown and not ready else None
            if taken:
                assert pending, "results must follow a code"
                run.results.append(result)
                run.answered.append(cycle)
                pending -= 1
            if given:
                run.accepted.append(cycle)
                position += 1
                pending += 1
            if len(run.results) == len(codes):
                return
            await ctx.tick()
        raise AssertionError(f"Received {len(run.results)} of {len(codes)} outputs in {budget} cycles")

    _simulate(top, bench)
    return run
