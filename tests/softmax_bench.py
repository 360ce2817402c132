"""Simulation of a softmax unit in Amaranth for tests: random stalls, resets in flight, a cycle budget."""

import random
from dataclasses import dataclass, field

from amaranth.sim import Simulator
from circuits import PERIOD, Clocked

__all__ = ["Run", "run_vectors"]


@dataclass
class Run:
    """What came out: output `vectors` in order; the cycles of first and last transfers of each vector."""

    vectors: list = field(default_factory=list)
    accepted: list = field(default_factory=list)
    answered: list = field(default_factory=list)


def run_vectors(design, vectors, *, stalls=None, resets=(), reset="sync-high", fixed=False):
    """Feed vectors and collect theirs, checking the rules on the way.

    With `stalls`, a seed, source and sink pause at random. In the cycles `resets` the reset is pulled; vectors of
    which not every output has come are fed again. With `fixed`, `last` stays low.
    """
    draw, run, unit = random.Random(stalls), Run(), design.create()
    top = Clocked(unit, reset)
    to_bits = lambda vector: design.input.to_bits(vector).tolist()

    async def bench(ctx):
        elements = [(bits, k == len(v) - 1, k == 0) for v in vectors for k, bits in enumerate(to_bits(v))]
        starts = [k for k, element in enumerate(elements) if element[2]]
        position, stalled, current, budget = 0, None, [], 30 * len(elements) + 400 * len(vectors) + 1000
        for cycle in range(budget):
            if cycle in resets:
                ctx.set(top.domain.rst, 1)
                ctx.set(unit.i.valid, draw.random() < 0.5)
                await ctx.tick()
                ctx.set(top.domain.rst, 0)
                ctx.set(unit.i.valid, 0)
                assert not ctx.get(unit.o.valid), "valid must be low after reset"
                position, stalled, current = starts[len(run.vectors)], None, []
                del run.accepted[len(run.vectors) :]
                continue
            valid = position < len(elements) and (stalls is None or draw.random() < 0.7)
            ready = stalls is None or draw.random() < 0.7
            bits, last, first = elements[position] if valid else (draw.getrandbits(design.input.width), 1, 0)
            ctx.set(unit.i.valid, valid)
            ctx.set(unit.i.payload.code, bits)
            ctx.set(unit.i.payload.last, last and not fixed)
            ctx.set(unit.o.ready, not ready)
            shown = ctx.get(unit.o.valid)
            ctx.set(unit.o.ready, ready)
            assert ctx.get(unit.o.valid) == shown, "valid must not wait for ready"
            result = ctx.get(unit.o.payload.code), ctx.get(unit.o.payload.last)
            assert stalled is None or (shown and result == stalled), "results must be stable while stalled"
            stalled = result if shown and not ready else None
            if shown and ready:
                current.append(result[0])
                if result[1]:
                    run.vectors.append(design.output.from_bits(current).tolist())
                    run.answered.append(cycle)
                    current = []
            if valid and ctx.get(unit.i.ready):
                if first:
                    run.accepted.append(cycle)
                position += 1
            if len(run.vectors) == len(vectors):
                return
            await ctx.tick()
        raise AssertionError(f"Received {len(run.vectors)} of {len(vectors)} vectors in {budget} cycles")

    simulator = Simulator(top)
    simulator.add_clock(PERIOD, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()
    return run
