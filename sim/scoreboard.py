"""What the unit was given against what it answered, bit for bit."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ..errors import CheckError

__all__ = ["Scoreboard", "stimulus"]

#: Domains beyond this are sampled without being listed.
_MANY = 1 << 20


def stimulus(design, samples, seed):
    """Codes to drive: the whole domain if that is at most `samples`, else its corners and a random sample.

    The corners are both ends, the codes about zero, and, for each output, a largest and a smallest one.

    Returns
    -------
    numpy.ndarray of int64
        In random order, so that neighbours in time are not neighbours in value.
    """
    random = np.random.default_rng(seed)
    first, last = design.domain
    if last - first < samples:
        return random.permutation(design.codes())
    few = last - first < _MANY
    pool = design.codes() if few else np.unique(random.integers(first, last, _MANY, endpoint=True))
    corners = [np.array([first, first + 1, last - 1, last]), pool[np.abs(pool) <= 2]]
    for channel in design.channels:
        outputs = design.evaluate(pool, channel.name)
        corners.append(pool[[outputs.argmin(), outputs.argmax()]])
    corners = np.unique(np.concatenate(corners))
    others = np.setdiff1d(pool, corners)
    drawn = random.choice(others, min(max(samples - len(corners), 0), len(others)), replace=False)
    return random.permutation(np.concatenate([corners, drawn]))


@dataclass(frozen=True)
class _Pending:
    code: int
    cycle: int


class Scoreboard:
    """Holds the codes that the unit has accepted until their results come, and compares those.

    Lanes are told of one after the other, the lowest first.

    Parameters
    ----------
    design : Design
        Its `evaluate` is the golden model.
    codes : numpy.ndarray of int64
        Every code that the unit may be given.
    exact_latency : bool
        Whether every result must come exactly ``design.latency`` cycles after its code, not merely in order
        and no earlier.

    Members
    -------
    received : int
        Results that were right.
    """

    def __init__(self, design, codes, *, exact_latency=False):
        self.design = design
        self._golden = {
            channel.name: dict(
                zip(np.ravel(codes).tolist(), design.evaluate(codes, channel.name).ravel().tolist())
            )
            for channel in design.channels
        }
        self.exact_latency = exact_latency
        self.received = 0
        self._pending = deque()

    @property
    def pending(self):
        """Codes whose results have not come."""
        return len(self._pending)

    def accepted(self, code, cycle):
        """The unit took `code` in clock cycle `cycle`."""
        self._pending.append(_Pending(int(code), cycle))

    def answered(self, outputs, cycle):
        """The unit gave `outputs` (a code by name) in clock cycle `cycle`.

        Raises
        ------
        CheckError
            If no result was due, it came at the wrong time, or an output is not the golden model's.
        """
        if not self._pending:
            raise CheckError(f"Result in cycle {cycle} must follow a code, not come unasked")
        pending = self._pending.popleft()
        took = cycle - pending.cycle
        latency = self.design.latency
        if took < latency or (self.exact_latency and took != latency):
            raise CheckError(f"Latency of code {pending.code} must be {latency} cycles, not {took}")
        for name, output in outputs.items():
            expected = self._golden[name].get(pending.code)
            if output != expected:
                raise CheckError(f"Output {name} of code {pending.code} must be {expected}, not {output}")
        self.received += 1

    def dropped(self):
        """A reset emptied the unit: no pending result may come any more."""
        self._pending.clear()
