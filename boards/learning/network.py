"""Golden model of the learning network: every integer that the circuit computes, in NumPy.

A network of two inputs, H hidden neurons and one output learns by stochastic gradient descent, a sample a step.
The activation f and its derivative f' of all neurons come from one unit. With codes as integers, ``one`` the code
of 1 (or of the largest power of two in the output's format) and F_s, F_y, F_d, F_w, F_g the fraction bits of the unit's
input, of its output, of its derivative, of weights and of gradients, a step is::

    s_j   = clip(round((w_j0 x_0 + w_j1 x_1 + w_j2 one) / 2**(F_w + F_y - F_s)))    j = 0 .. H - 1
    h_j, h'_j = f(s_j), f'(s_j)
    s     = clip(round((sum_j v_j h_j + v_H one) / 2**(F_w + F_y - F_s)))
    e     = f(s) - target                       loss += e * e, in full
    g     = round(e rate / 2**(F_y + F_w - F_g))
    delta = round(g f'(s) / 2**F_d)
    back_j  = round(delta v_j / 2**F_w)
    delta_j = round(back_j h'_j / 2**F_d)
    v_j  += noisy(-delta h_j / 2**(F_g + F_y - F_w)),    v_H with one for h_j
    w_jk += noisy(-delta_j x_k / 2**(F_g + F_y - F_w)),  w_j2 with one for x_k

``clip`` saturates to the unit's domain, every other result saturates to 16 bits. ``round`` is to nearest, ties
upward. ``noisy`` rounds down after a random number below one was added, so that updates far below an ulp of the
weights count on average (stochastic rounding); ``nearest`` rounds as everywhere. All of a step uses the weights
before it.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...design import Design, Shell
from ...errors import RequestError
from ...fixed import Format, round_shift
from ...record import Record
from ...spec import DEFAULT_LATENCY

__all__ = ["INPUTS", "MAX_HIDDEN", "ROUNDINGS", "WORD", "Network", "State", "next_noise"]

#: What weights, activations and gradients are stored and multiplied as.
WORD = Format(True, 16, 0)
INPUTS = 2
MAX_HIDDEN = 32
#: Largest initial weights to the output and to hidden neurons.
SPREADS = (0.5, 2.0)
ROUNDINGS = ("stochastic", "nearest")


def next_noise(noise):
    """The next state of the 32-bit generator: xorshift with shifts 13, 17 and 5, of period 2**32 - 1.

    References
    ----------
    G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003, section 3.

    Examples
    --------
    >>> next_noise(1)
    270369
    """
    noise = noise ^ (noise << 13 & 0xFFFFFFFF)
    noise = noise ^ (noise >> 17)
    return noise ^ (noise << 5 & 0xFFFFFFFF)


@dataclass(frozen=True)
class State:
    """What a step changes.

    Parameters
    ----------
    weights : numpy.ndarray of int64
        Codes, the last axis in the order w_00, w_01, w_02, v_0, w_10, ..., v_H: 4 H + 1 of them. Other axes are
        networks that learn side by side.
    noise : numpy.ndarray of int64
        State of the generator of each of those networks, 1 to 2**32 - 1.
    """

    weights: np.ndarray = field(hash=False)
    noise: np.ndarray = field(hash=False)


@dataclass(frozen=True)
class Network(Record):
    """A network with two inputs, one hidden layer and one output, and how it learns.

    Parameters
    ----------
    design : Design
        The unit, of any formats; its domain holds 0. Its interface becomes ``stream``. Of an output that does not fit
        16 bits with its sign, the lowest bits are dropped. Without the output dy, gradients pass activations as if f'
        were 1.
    hidden : int
        Neurons of the hidden layer, 1 to `MAX_HIDDEN`.
    weight, gradient : Format or str
        Signed formats of 16 bits. The learning rate has that of the weights.
    rounding : str
        Of the weights' updates: ``stochastic`` or ``nearest``.

    Raises
    ------
    RequestError
        If formats do not suit each other.
    """

    design: Design
    hidden: int = 8
    weight: Format = "SQ4.12"
    gradient: Format = "SQ2.14"
    rounding: str = "stochastic"

    noun = "Network"

    def __post_init__(self):
        for name in ("weight", "gradient"):
            object.__setattr__(self, name, Format.parse(getattr(self, name)))
        if not isinstance(self.design, Design):
            raise RequestError(f"Unit must be that of a function, not {self.design!r}")
        shell = Shell("stream", self.design.latency or DEFAULT_LATENCY)
        object.__setattr__(self, "design", replace(self.design, shell=shell))
        if type(self.hidden) is not int or not 1 <= self.hidden <= MAX_HIDDEN:
            raise RequestError(f"Hidden neurons must be 1 to {MAX_HIDDEN}, not {self.hidden!r}")
        if self.rounding not in ROUNDINGS:
            raise RequestError(f"Rounding must be {' or '.join(ROUNDINGS)}, not {self.rounding!r}")
        for noun, format in (("Weight", self.weight), ("Gradient", self.gradient)):
            if not format.signed or format.width != WORD.width:
                raise RequestError(f"{noun} format must be signed and {WORD.width} bits wide, not {format}")
        first, last = self.design.domain
        if not first <= 0 <= last:
            raise RequestError(f"Domain of the unit must hold 0, not be {first}:{last}")
        for noun, shift in self.shifts.items():
            if not 0 <= shift <= 30:
                raise RequestError(f"Shift of {noun} must be 0 to 30, not {shift}: choose other formats")

    # -- formats ------------------------------------------------------------------------------

    def dropped(self, name):
        """Lowest bits of the unit's output that are dropped so that it fits a word with its sign."""
        format = self.design.channel(name).format
        return max(format.width + (not format.signed) - WORD.width, 0)

    @property
    def data(self):
        """Format of inputs, targets and activations: that of the unit's output with a sign, as far as it fits."""
        format, dropped = self.design.channel("y").format, self.dropped("y")
        return Format(True, format.int_bits + (not format.signed), format.frac_bits - dropped)

    @property
    def has_derivative(self):
        """Whether the unit computes f'."""
        return len(self.design.channels) == 2

    @property
    def one(self):
        """What biases are multiplied by: the code of 1, or of the largest power of two in the format."""
        return 1 << min(max(self.data.frac_bits, 0), self.data.width - 2)

    @cached_property
    def shifts(self):
        """Bits that each kind of product drops."""
        derivative = 0
        if self.has_derivative:
            derivative = self.design.channel("dy").format.frac_bits - self.dropped("dy")
        w, y, g = self.weight.frac_bits, self.data.frac_bits, self.gradient.frac_bits
        return {
            "none": 0,
            "forward": w + y - self.design.input.frac_bits,
            "rate": y + w - g,
            "derivative": derivative,
            "back": w,
            "update": g + y - w,
        }

    @property
    def noisy(self):
        """Whether updates are rounded at random."""
        return self.rounding == "stochastic" and self.shifts["update"] > 0

    @property
    def weights(self):
        """Number of weights, biases among them."""
        return 4 * self.hidden + 1

    def to_dict(self):
        """Plain numbers and strings, ready for JSON; the unit by its digest."""
        words = {name: str(getattr(self, name)) for name in ("weight", "gradient", "rounding")}
        return {"design": self.design.digest, "hidden": self.hidden, **words}

    # -- learning -----------------------------------------------------------------------------

    def initial(self, seed=1):
        """Random weights for a seed; for a sequence of seeds, those of networks that learn side by side.

        They are uniform, within +-2 for the hidden neurons and within +-1/2 for the output, whose sum then is not
        saturated at the start.

        Examples
        --------
        >>> from hwact import Spec
        >>> unit = Spec("tanh", "SQ3.3", "SQ2.4", derivative="slope").design()
        >>> Network(unit, 2).initial(seed=3).weights.shape, Network(unit, 2).initial(seed=[1, 2]).weights.shape
        ((9,), (2, 9))
        """
        if np.ndim(seed):
            states = [self.initial(one) for one in seed]
            return State(np.stack([s.weights for s in states]), np.stack([s.noise for s in states]))
        random = np.random.default_rng(seed)
        values = random.uniform(-1, 1, self.weights)
        outward = np.arange(self.weights) % 4 == 3
        outward[-1] = True
        weights = self.weight.to_code(values * np.where(outward, *SPREADS))
        return State(weights, random.integers(1, 1 << 32, dtype=np.int64))

    def forward(self, weights, inputs):
        """Activations and derivatives.

        Parameters
        ----------
        weights : numpy.ndarray
            As in `State`.
        inputs : array_like of int
            Codes x_0 and x_1 along the last axis; the other axes go with those of `weights`.

        Returns
        -------
        tuple of numpy.ndarray
            h, h' (last axis: hidden neurons), y, y'.
        """
        neurons = weights[..., :-1].reshape(*weights.shape[:-1], self.hidden, 4)
        inputs = np.asarray(inputs, dtype=np.int64)
        total = neurons[..., 0] * inputs[..., :1] + neurons[..., 1] * inputs[..., 1:] + neurons[..., 2] * self.one
        hidden, slopes = self._activate(total)
        total = (neurons[..., 3] * hidden).sum(axis=-1) + weights[..., -1] * self.one
        return hidden, slopes, *self._activate(total)

    def step(self, state, sample, rate):
        """Learn from one sample.

        Parameters
        ----------
        state : State
        sample : array_like of int
            Codes x_0, x_1 and target.
        rate : int
            Code of the learning rate, in the weights' format.

        Returns
        -------
        State, numpy.ndarray
            What is learnt, and the error e before it (codes).
        """
        x0, x1, target = (int(code) for code in sample)
        weights, shifts = state.weights, self.shifts
        hidden, slopes, output, slope = self.forward(weights, [x0, x1])
        error = WORD.fit(output - target)
        gradient = _rounded(error * rate, shifts["rate"])
        delta = _rounded(gradient * slope, shifts["derivative"])
        back = _rounded(delta[..., None] * weights[..., 3:-1:4], shifts["back"])
        deltas = _rounded(back * slopes, shifts["derivative"])
        products = np.empty_like(weights)
        for k, factor in enumerate((x0, x1, self.one)):
            products[..., k:-1:4] = deltas * factor
        products[..., 3:-1:4] = delta[..., None] * hidden
        products[..., -1] = delta * self.one
        noise, dither = self._dither(state.noise)
        updates = (dither - products) >> shifts["update"]
        return State(WORD.fit(weights + updates), noise), error

    def train(self, state, samples, rate, steps, first=0):
        """Learn from `samples`, one after the other and again from the start.

        Parameters
        ----------
        state : State
        samples : array_like of int
            A row x_0, x_1, target for each sample.
        rate, steps : int
        first : int
            Steps that were done before.

        Returns
        -------
        State, numpy.ndarray of int64
            What is learnt, and the sum of e * e over the steps.
        """
        loss = np.zeros(np.shape(state.noise), dtype=np.int64)
        for number in range(first, first + steps):
            state, error = self.step(state, samples[number % len(samples)], rate)
            loss += error * error
        return state, loss

    def accuracy(self, weights, samples):
        """Share of the samples whose output lies on the target's side of the middle between both targets."""
        samples = np.asarray(samples, dtype=np.int64)
        output = self.forward(weights[..., None, :], samples[:, :2])[2]
        middle = samples[:, 2].min() + samples[:, 2].max()
        return ((2 * output > middle) == (2 * samples[:, 2] > middle)).mean(axis=-1)

    # -- parts --------------------------------------------------------------------------------

    @cached_property
    def _unit(self):
        """Outputs y and dy for every code of the unit's domain."""
        codes = self.design.codes()
        y = self.design.evaluate(codes) >> self.dropped("y")
        return y, self.design.evaluate(codes, "dy") >> self.dropped("dy") if self.has_derivative else np.ones_like(y)

    def _activate(self, total):
        """f and f' of a weighted sum."""
        first, last = self.design.domain
        index = np.clip(round_shift(total, self.shifts["forward"], "half_up"), first, last) - first
        return self._unit[0][index], self._unit[1][index]

    def _dither(self, noise):
        """The generator after a step, and what is added to each weight's product before it is rounded down."""
        shift = self.shifts["update"]
        if not self.noisy:
            return noise, np.int64(1 << shift >> 1)
        drawn = []
        for _ in range(self.weights):
            drawn.append(noise)
            noise = next_noise(noise)
        return noise, np.stack(drawn, axis=-1) & ((1 << shift) - 1)


def _rounded(products, shift):
    """Products without their last bits, to nearest with ties upward, saturated to a word."""
    return WORD.fit(round_shift(products, shift, "half_up"))
