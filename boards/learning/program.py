"""The program that the learning circuit runs for every sample: data, one instruction after the other.

The circuit is one multiplier between words of a memory, an accumulator, a rounding shift and the unit. An
instruction computes::

    total       = (0 if clear else accumulator) + a * b          # - where `negate`; a and b are words
    accumulator = (total + rounding(shift)) >> shift             # `shift` is a key of Network.shifts

and then has one `Effect`.
"""

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Effect", "Instruction", "Words", "program"]


class Effect(IntEnum):
    """What an instruction does beside the arithmetic."""

    #: Nothing.
    NONE = 0
    #: word[d] = the accumulator, saturated.
    STORE = 1
    #: word[d], word[d + 1] = f(s), f'(s) for s the accumulator, saturated to the unit's domain.
    ACTIVATE = 2
    #: word[d] = the next number of the samples.
    LOAD = 3
    #: Add the total to the loss.
    LOSS = 4


@dataclass(frozen=True)
class Instruction:
    """One step of the circuit; see the top of this file."""

    a: int = 0
    b: int = 0
    d: int = 0
    clear: bool = False
    negate: bool = False
    shift: str = "none"
    effect: Effect = Effect.NONE
    last: bool = False


class Words:
    """Addresses of the words of memory.

    Parameters
    ----------
    hidden : int
        Neurons of the hidden layer.
    """

    #: The integer 1, the code of 1.0, the learning rate, and the sample.
    UNIT, ONE, RATE, X0, X1, TARGET = range(6)
    #: Output and its derivative, error, gradient, delta; those of the neuron in hand.
    Y, DY, ERROR, GRADIENT, DELTA, BACK, DELTA_J = range(6, 13)
    #: Weights, as in `State`.
    WEIGHTS = 16

    def __init__(self, hidden):
        self.hidden = hidden

    def weight(self, j, k):
        """Weight of neuron j from x_0, x_1 and 1 (k = 0, 1, 2) and to the output (k = 3)."""
        return self.WEIGHTS + 4 * j + k

    @property
    def bias(self):
        """The output's bias."""
        return self.weight(self.hidden, 0)

    def activation(self, j):
        """Output of a hidden neuron; its derivative follows."""
        return self.bias + 1 + 2 * j

    @property
    def count(self):
        """Words in use."""
        return self.activation(self.hidden)


def program(hidden):
    """Instructions of a step of a network with so many hidden neurons, in order.

    Examples
    --------
    >>> len(program(4)), len(program(8))
    (67, 123)
    """
    w = Words(hidden)
    steps = [Instruction(d=d, effect=Effect.LOAD) for d in (w.X0, w.X1, w.TARGET)]
    # Forward.
    for j in range(hidden):
        inputs = [(w.weight(j, k), x) for k, x in enumerate((w.X0, w.X1, w.ONE))]
        steps += _neuron(inputs, w.activation(j))
    inputs = [(w.weight(j, 3), w.activation(j)) for j in range(hidden)]
    steps += _neuron([*inputs, (w.bias, w.ONE)], w.Y)
    # Error and its gradient at the output's sum.
    steps += [
        Instruction(w.Y, w.UNIT, clear=True),
        Instruction(w.TARGET, w.UNIT, w.ERROR, negate=True, effect=Effect.STORE),
        Instruction(w.ERROR, w.ERROR, clear=True, effect=Effect.LOSS),
        _product(w.ERROR, w.RATE, w.GRADIENT, "rate"),
        _product(w.GRADIENT, w.DY, w.DELTA, "derivative"),
    ]
    # Backward: a neuron's share is read from its outward weight before that changes.
    for j in range(hidden):
        steps += [
            _product(w.DELTA, w.weight(j, 3), w.BACK, "back"),
            _product(w.BACK, w.activation(j) + 1, w.DELTA_J, "derivative"),
        ]
        for k, x in enumerate((w.X0, w.X1, w.ONE)):
            steps += _update(w.weight(j, k), w.DELTA_J, x)
        steps += _update(w.weight(j, 3), w.DELTA, w.activation(j))
    steps += _update(w.bias, w.DELTA, w.ONE, last=True)
    return tuple(steps)


def _neuron(inputs, d):
    """Weighted sum and activation."""
    (a, b), *others = inputs
    first = Instruction(a, b, clear=True)
    *middle, (a, b) = others
    last = Instruction(a, b, d, shift="forward", effect=Effect.ACTIVATE)
    return [first, *(Instruction(*pair) for pair in middle), last]


def _product(a, b, d, shift):
    return Instruction(a, b, d, clear=True, shift=shift, effect=Effect.STORE)


def _update(weight, delta, factor, last=False):
    """Lower a weight by delta * factor."""
    return [
        Instruction(delta, factor, clear=True, negate=True, shift="update"),
        Instruction(weight, Words.UNIT, weight, effect=Effect.STORE, last=last),
    ]
