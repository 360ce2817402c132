"""What the derivative unit is for: one network learns with different derivatives, in its golden model.

``--write`` puts the tables and the plot into docs/.
"""

import sys

import numpy as np
from tables import ROOT, main, table

from hwact import Spec
from hwact.boards.learning.data import TASKS
from hwact.boards.learning.gateware import cycles_per_step
from hwact.boards.learning.network import Network

DOCUMENT, PLOT = "docs/learning.md", ROOT / "docs" / "learning.svg"
SEEDS = range(1, 33)
REPORTS = 40
_BASE = {"input": "SQ4.8", "output": "SQ2.10", "interface": "stream"}
_DIRECT = {"derivative": "direct", "derivative_output": "SQ2.10"}
#: Units of tanh by what they give as its derivative.
UNITS = {
    "direct, faithful": {**_DIRECT},
    "direct, within 2^-4": {**_DIRECT, "derivative_bound": "2^-4", "method": "pwl"},
    "direct, within 1/4": {**_DIRECT, "derivative_bound": "0.25", "method": "pwl"},
    "direct, within 1/2": {**_DIRECT, "derivative_bound": "0.5", "method": "pwl"},
    "slope of a faithful tanh": {"derivative": "slope", "method": "pwl"},
    "slope of a tanh within 2^-4": {"derivative": "slope", "method": "pwl", "bound": "2^-4"},
    "slope of a tanh within 1/4": {"derivative": "slope", "method": "pwl", "bound": "0.25"},
    "none: 1 in its place": {},
}


def network_of(options):
    """The network with such a unit."""
    return Network(Spec("tanh", **{**_BASE, **options}).design())


def curve(network, task):
    """Mean squared error of every seed between reports, and the accuracy of every seed in the end."""
    samples = task.samples(network)
    state, rate, errors, step = network.initial(SEEDS), int(network.weight.to_code(task.rate)), [], 0
    period = task.steps // REPORTS
    for _ in range(REPORTS):
        state, loss = network.train(state, samples, rate, period, step)
        step += period
        errors.append(loss / period * float(network.data.ulp) ** 2)
    return np.array(errors), network.accuracy(state.weights, samples)


def row(name, network, task, errors, accuracy):
    """One unit, one task."""
    channel = network.design.channels[-1]
    pieces = (channel.segments or "table") if network.has_derivative else "-"
    learnt = f"{(accuracy >= task.goal).sum()} of {len(SEEDS)}"
    return name, pieces, learnt, f"{100 * np.median(accuracy):.1f}", f"{np.median(errors[-1]):.2g}"


def draw(curves):
    """Median errors over steps, a panel a task, as SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "learning", "svg.fonttype": "none"}):
        figure = Figure(figsize=(11, 4.4), layout="constrained")
        for axes, task in zip(figure.subplots(1, len(TASKS)), TASKS.values()):
            for name, found in curves.items():
                steps = (np.arange(REPORTS) + 1) * (task.steps // REPORTS)
                axes.semilogy(steps, np.maximum(np.median(found[task.name], axis=1), 1e-7), label=name)
            axes.set(title=task.name, xlabel="step", ylabel="mean squared error, median of 32 networks")
            axes.grid(alpha=0.3)
        axes.legend(title="derivative", fontsize="small")
        figure.savefig(PLOT, metadata={"Date": None, "Creator": None})


def make():
    """A table for each task; with ``--write`` the plot too."""
    rows, curves = {task: [] for task in TASKS}, {}
    for name, options in UNITS.items():
        network = network_of(options)
        curves[name] = {}
        for task in TASKS.values():
            errors, accuracy = curve(network, task)
            curves[name][task.name] = errors
            rows[task.name].append(row(name, network, task, errors, accuracy))
    if "--write" in sys.argv:
        draw(curves)
    head = "derivative", "pieces", "networks that learn it", "median accuracy (%)", "last mean squared error, median"
    cycles = cycles_per_step(network_of(UNITS["direct, faithful"]))
    return "".join(
        f"\n**{task.name}**: {task.steps} steps, {task.steps * cycles / 12e6:.2f} s at 12 MHz; to learn means "
        f"an accuracy of at least {100 * task.goal:g} %.\n\n{table(head, rows[task.name])}"
        for task in TASKS.values()
    )


if __name__ == "__main__":
    main(make, "learning", DOCUMENT, __doc__)
