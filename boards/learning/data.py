"""What the network learns: XOR and two moons, as codes."""

from dataclasses import dataclass

import numpy as np

from ...errors import RequestError

__all__ = ["TASKS", "Task", "find_task"]

#: Targets lie as far from the ends of the activation's range as this share of it.
_MARGIN = 1 / 16


def _xor(random, count):
    """The four corners, in turn."""
    del random, count
    corners = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    return corners / 2, corners[:, 0] != corners[:, 1]


def _moons(random, count):
    """Two half circles that reach into each other, with normal noise of 0.1, scaled into +-1."""
    above = np.arange(count) % 2 == 0
    angle = random.uniform(0, np.pi, count)
    x = np.where(above, np.cos(angle), 1 - np.cos(angle))
    y = np.where(above, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x - 0.5, y - 0.25], axis=1) + random.normal(0, 0.1, (count, 2))
    return points / 2, above


@dataclass(frozen=True)
class Task:
    """A set of samples to learn, and what suits it.

    Parameters
    ----------
    name : str
    points : callable
        ``points(random, count)``: inputs (rows of two values) and labels (bool).
    count : int
        Samples.
    rate, steps, period : float, int, int
        Learning rate, steps, and steps from one report to the next.
    goal : float
        Accuracy to reach.
    """

    name: str
    points: object
    count: int
    rate: float
    steps: int
    period: int
    goal: float

    def samples(self, network, seed=1):
        """Rows of codes x_0, x_1, target in the network's data format.

        Targets lie a little inside the range of the unit's activation, and within +-1, so that they can be reached.

        Examples
        --------
        >>> from hwact import Spec
        >>> from hwact.boards.learning.network import Network
        >>> find_task("xor").samples(Network(Spec("tanh", "SQ3.3", "SQ2.4", derivative="slope").design())).tolist()
        [[-8, -8, -13], [-8, 8, 13], [8, -8, 13], [8, 8, -13]]
        """
        inputs, labels = self.points(np.random.default_rng(seed), self.count)
        format = network.data
        outputs = network.design.evaluate(network.design.codes()) >> network.dropped("y")
        one = network.data.to_code(1.0)
        low, high = max(int(outputs.min()), -one), min(int(outputs.max()), one)
        margin = (high - low) * _MARGIN
        targets = np.where(labels, round(high - margin), round(low + margin))
        codes = format.fit(np.rint(inputs / float(format.ulp)).astype(np.int64))
        return np.column_stack([codes, targets]).astype(np.int64)


TASKS = {
    task.name: task
    for task in (
        Task("xor", _xor, 4, rate=0.25, steps=800, period=20, goal=1.0),
        Task("moons", _moons, 256, rate=0.125, steps=10240, period=256, goal=0.95),
    )
}


def find_task(name):
    """The task called `name`.

    Raises
    ------
    RequestError
        If there is none.
    """
    if name not in TASKS:
        raise RequestError(f"Task must be {' or '.join(TASKS)}, not {name!r}")
    return TASKS[name]
