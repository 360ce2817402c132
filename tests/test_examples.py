"""The examples in examples/ do what they say."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
from amaranth.sim import Simulator

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def through(component, codes, seed):
    """Outputs of a component with streams i and o, under random stalls; fails after a number of cycles."""
    found, draw = [], random.Random(seed)

    async def source(context):
        for code in codes:
            while draw.random() < 0.3:
                await context.tick()
            context.set(component.i.payload, code)
            context.set(component.i.valid, 1)
            await context.tick().until(component.i.ready)
            context.set(component.i.valid, 0)

    async def sink(context):
        for _ in range(20 * len(codes)):
            context.set(component.o.ready, draw.random() < 0.7)
            _, _, valid, ready, payload = await context.tick().sample(
                component.o.valid, component.o.ready, component.o.payload
            )
            found.extend([payload] if valid and ready else [])
            if len(found) == len(codes):
                return

    simulator = Simulator(component)
    simulator.add_clock(1e-8)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    return found


def test_two_units_in_series_equal_the_golden_models_composed():
    """On every code, in order, with stalls on both sides."""
    example = load("two_units")
    codes = example.TANH.codes()
    expected = example.EXP.evaluate(example.TANH.evaluate(codes))
    bits = example.EXP.channel("y").format.to_bits(expected)
    assert through(example.Chain(), example.TANH.input.to_bits(codes).tolist(), 1) == bits.tolist()
    assert len(np.unique(bits)) > 50


def test_two_units_in_series_are_written_for_synthesis():
    """By the command in its docstring."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / "two_units.py"], cwd=EXAMPLES.parent, capture_output=True, text=True, check=True
    )
    assert r"module \chain" in done.stdout.splitlines()
