"""Timing diagrams against circuits: the inputs of a WaveJSON drive a unit, its outputs are compared."""

import json
from pathlib import Path

from amaranth.sim import Simulator
from circuits import PERIOD, Clocked

__all__ = ["diagram", "simulated"]

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "waves"


def diagram(name):
    """Values of every signal of a diagram, one a cycle (dict of list of str)."""
    source = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    signals = {}
    for signal in filter(None, source["signal"]):
        if signal.get("wave", "p")[0] == "p":
            continue
        data, values = iter(signal.get("data", "").split() if isinstance(signal.get("data"), str) else signal.get("data", ())), []
        for character in signal["wave"]:
            if character == ".":
                values.append(values[-1])
            else:
                values.append(next(data) if character in "=23456789" else character)
        signals[signal["name"]] = values
    return signals


def simulated(unit, inputs, outputs):
    """Outputs of a unit, one a cycle, for inputs by name; ``x`` drives a 0 (dict of list of int).

    `inputs` and `outputs` map names to ports of the unit.
    """
    top, found = Clocked(unit), {name: [] for name in outputs}

    async def bench(ctx):
        for cycle in range(len(next(iter(inputs.values()))[1])):
            for port, values in inputs.values():
                ctx.set(port, 0 if values[cycle] == "x" else int(values[cycle]))
            for name, port in outputs.items():
                found[name].append(ctx.get(port))
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(PERIOD, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()
    return found
