"""The real function at every code of a format, enclosed rigorously.

The codes are cut into aligned panels of 2^m codes. On a panel the function is replaced by a Taylor
polynomial whose coefficients and remainder Arb encloses (Johansson 2017), and the polynomial is
evaluated for all codes at once in float64 by Horner's rule, whose rounding error has the standard
bound of Higham (2002, section 5.1). Panels split until the sum of all errors is small enough; single
codes are evaluated by Arb. Nothing rests on the accuracy of the C library.

References
----------
F. Johansson, Arb: Efficient Arbitrary-Precision Midpoint-Radius Interval Arithmetic, IEEE
Transactions on Computers 66, 2017. N. J. Higham, Accuracy and Stability of Numerical Algorithms,
2nd ed., SIAM, 2002. K. Makino and M. Berz, Taylor models and other validated functional inclusion
methods, International Journal of Pure and Applied Mathematics 4, 2003.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb

from ..errors import RequestError
from .bound import ErrorBound
from .enclosure import Program

__all__ = ["ErrorStats", "Reference"]

_TERMS = 10  # Taylor coefficients of a panel
_PREC = 128
_PRECISIONS = (64, 128, 256, 512, 1024)
_LIMIT = 2.0**40  # enclosures are clipped here: beyond every output format
_RELATIVE = 2.0**-46  # what float64 evaluation of a panel can be asked for
_THIN = Fraction(1, 1 << 40)  # ulps
_TINY = 2.0**-1000
_SMALL_DENOMINATOR = 1 << 16384
_SMALL = arb(2) ** -16384
_MAX_CODES = 1 << 26
#: Nodes of the expression that one call may evaluate: 40 times what the worst of the catalogue takes at 24 bits.
MAX_WORK = 1 << 20
_PATIENCE = 16384  # evaluations for one call before thin enclosures are taken as they are
_GAP = 8  # undecided codes that are closer than this are decided together
_CHUNK = 1 << 14  # codes evaluated at once, to stay in cache


@dataclass(frozen=True)
class ErrorStats:
    """Errors \\|y - t\\| of outputs against the function, in ulps of the output.

    Parameters
    ----------
    max_ulp : float
        The maximum is at most this, rigorously.
    mean_ulp, mse_ulp2 : float
        Mean of the error and of its square.
    worst_code : int
        Input code of the maximum.
    max_ulp_radius : float
        `max_ulp` exceeds the maximum by at most twice this.
    count : int
        Codes that were compared.
    """

    max_ulp: float
    mean_ulp: float
    mse_ulp2: float
    worst_code: int
    max_ulp_radius: float
    count: int


class Reference:
    """Rigorous values of a function at the codes of a format.

    Parameters
    ----------
    function : Function
    input : Format
    domain : tuple of (int, int), optional
        First and last code; all codes of `input` if left out.

    Raises
    ------
    RequestError
        If the domain is empty, outside `input`, or longer than 2**26 codes.
    """

    def __init__(self, function, input, domain=None):
        self.function, self.input = function, input
        first, last = domain or (input.min_code, input.max_code)
        if not input.min_code <= first <= last <= input.max_code:
            raise RequestError(
                f"Domain must be codes {input.min_code} to {input.max_code} in rising order, "
                f"not {first}:{last}"
            )
        if last - first >= _MAX_CODES:
            raise RequestError(
                f"Domain must be at most {_MAX_CODES} codes, not {last - first + 1}: narrow it with --domain"
            )
        self.domain = first, last
        self._kept = {}

    @property
    def codes(self):
        """The codes of the domain in rising order, as int64."""
        return np.arange(self.domain[0], self.domain[1] + 1, dtype=np.int64)

    def enclose(self, frac_bits, accuracy=2.0**-30):
        """Enclose f(x) * 2**frac_bits at every code of the domain.

        Parameters
        ----------
        frac_bits : int
            Fraction bits of the output; the unit of the result is its ulp.
        accuracy : float
            Radius to aim at, in ulps; 2**-46 of the value where that is more.

        Returns
        -------
        tuple of (numpy.ndarray, numpy.ndarray)
            Middle and radius as float64: the true value, clipped to +-2**40, is within the radius
            of the middle, with no other assumption than IEEE 754 and Arb. A radius of zero means
            that the middle is exact. The arrays are read-only.

        Raises
        ------
        RequestError
            If the function is undefined at a code (the first one is named), or takes more than `MAX_WORK`.
        """
        key = frac_bits, accuracy
        if key not in self._kept:
            self._kept = {key: _Panels(self, frac_bits, accuracy).evaluate()}
        return self._kept[key]

    def intervals(self, output, bound):
        """Outputs that meet the bound, exactly: for every code an interval of output codes.

        Parameters
        ----------
        output : Format
        bound : ErrorBound or str

        Returns
        -------
        tuple of (numpy.ndarray, numpy.ndarray)
            Lowest and highest allowed output code, int64. The output y meets the bound iff
            low <= y <= high. (An edge of the bound is left out where 1024 bits cannot tell whether the
            true value lies on it, and, after thousands of evaluations in Arb, where
            it is within 2**-40 ulp.)

        Raises
        ------
        RequestError
            If the function is undefined at a code, no output code meets the bound at one, or the
            function takes more than `MAX_WORK`.
        """
        limits = _Limits(output, ErrorBound.parse(bound))
        low, high, decided = limits.of_floats(*self.enclose(output.frac_bits))
        _Decider(self, limits, low, high).decide(np.flatnonzero(~decided))
        self._check_nonempty(low, high, limits)
        return low, high

    def error_ulp(self, output, codes, outputs):
        """Errors of `outputs` at the input `codes`, against f clamped to the range of `output`.

        Parameters
        ----------
        output : Format
        codes, outputs : array_like of int
            Input codes within the domain, and an output code for each.

        Returns
        -------
        ErrorStats
        """
        codes, outputs = np.asarray(codes, dtype=np.int64), output.check_codes(outputs)
        if codes.size == 0 or codes.shape != outputs.shape:
            raise RequestError(
                f"Outputs must be one for each of the codes, not {outputs.size} for {codes.size}"
            )
        index = codes - self.domain[0]
        if index.min() < 0 or index.max() > self.domain[1] - self.domain[0]:
            raise RequestError(f"Codes must be within the domain {self.domain[0]} to {self.domain[1]}")
        error, upper = self._errors(output, index, outputs)
        worst = int(upper.argmax())
        return ErrorStats(
            max_ulp=float(upper.flat[worst]),
            mean_ulp=float(error.mean()),
            mse_ulp2=float(np.square(error).mean()),
            worst_code=int(codes.flat[worst]),
            max_ulp_radius=float(upper.flat[worst] - error.flat[worst]),
            count=codes.size,
        )

    def _errors(self, output, index, outputs):
        """Errors of outputs in ulps, and rigorous upper bounds of them."""
        middle, radius = (array[index] for array in self.enclose(output.frac_bits))
        below, true, above = (
            np.clip(middle + sign * radius, output.min_code, output.max_code) for sign in (-1, 0, 1)
        )
        error = np.abs(outputs - true)
        upper = np.maximum(np.abs(outputs - below), np.abs(outputs - above))
        # Float differences round, but not those of exact values with few fraction bits.
        exact = (radius == 0) & (np.ldexp(true, 20) % 1 == 0)
        return error, np.where(exact, upper, upper + 2.0**-50 * (1 + np.abs(true) + upper))

    def _x(self, code):
        """The value of a code, or of a half-integer between two, as an exact arb."""
        return arb(code) * arb(2) ** -self.input.frac_bits

    def _fraction(self, code):
        return code * self.input.ulp

    def _undefined(self, code):
        return RequestError(
            f"Function {self.function.name} must be defined on every code of the domain, not undefined at "
            f"code {code} (x = {float(self._fraction(code))!r}): narrow it with --domain"
        )

    def _check_nonempty(self, low, high, limits):
        empty = low > high
        if empty.any():
            code = self.domain[0] + int(empty.argmax())
            raise RequestError(
                f"Bound {limits.bound} must leave an output code of {limits.output} for every input, not none "
                f"at code {code} (x = {float(self._fraction(code))!r}): "
                "loosen it or add fraction bits to the output"
            )


class _Budget:
    """What is left of `MAX_WORK`: wild functions are refused, instead of evaluated for hours."""

    def __init__(self, function):
        self.function, self.left = function, MAX_WORK

    def spend(self):
        """Pay for one evaluation."""
        self.left -= self.function.expression.size
        if self.left < 0:
            raise RequestError(
                f"Function {self.function.name} must be enclosed within {MAX_WORK} operations, not more: "
                "narrow the domain or the input, or choose a smoother function"
            )


class _Panels:
    """The panels that enclose one function, and their evaluation."""

    def __init__(self, reference, frac_bits, accuracy):
        self.reference, self.accuracy = reference, accuracy
        self.program = Program(reference.function.expression, frac_bits)
        self.polynomials = {}  # log2 of the size: list of (first code, coefficients, radius)
        self._split()

    def evaluate(self):
        first, last = self.reference.domain
        middle, radius = np.empty(last - first + 1), np.empty(last - first + 1)
        for log_size, panels in self.polynomials.items():
            for starts, coefficients, radii in _batches(panels, log_size):
                index = (starts - first)[:, None] + np.arange(1 << log_size)
                middle[index] = np.clip(_horner(coefficients, log_size), -_LIMIT, _LIMIT)
                radius[index] = radii[:, None]
        middle.flags.writeable = radius.flags.writeable = False
        return middle, radius

    def _split(self):
        """Find the panels in rising order, so that the first undefined code is met first."""
        stack = _aligned_blocks(*self.reference.domain)[::-1]
        budget = _Budget(self.reference.function)
        while stack:
            budget.spend()
            start, log_size = stack.pop()
            panel = self._single(start) if log_size == 0 else self._polynomial(start, log_size)
            if panel is not None:
                self.polynomials.setdefault(log_size, []).append((start, *panel))
            else:
                half = log_size - 1
                stack += [(start + (1 << half), half), (start, half)]

    def _single(self, code):
        x = self.reference._x(code)
        for prec in _PRECISIONS[1:]:
            pair = self.program.interval(x, x, prec)
            if pair is not None:
                low, high = (_clip(end) for end in pair)
                middle = float((low + high) / 2)
                radius = _up(abs(high - middle).max(abs(low - middle)))
                if radius <= self._target(abs(middle)) or prec == _PRECISIONS[-1]:
                    return [middle] + [0.0] * _TERMS, radius
        raise self.reference._undefined(code)

    def _target(self, magnitude):
        return max(self.accuracy, _RELATIVE * magnitude)

    def _polynomial(self, start, log_size):
        """Coefficients in t = -1 ... 1 and radius of a panel; None where it has to be split."""
        centre = arb(2 * start + (1 << log_size) - 1) / 2
        step = self.reference._x(arb(1 << log_size) / 2)
        reach = self.reference._x(arb((1 << log_size) - 1) / 2)
        centre = self.reference._x(centre)
        around = self.program.series(arb(centre, reach), step, _TERMS + 1, _PREC)
        if around is None:
            return None
        values, remainder = around[0], around[-1]
        if values > _LIMIT or values < -_LIMIT:
            return [math.copysign(_LIMIT, float(values))] + [0.0] * _TERMS, 0.0
        magnitude = _up(abs(values))
        target = self._target(magnitude)
        if magnitude > 4 * _LIMIT or not remainder.rad() < target:
            return None
        at = self.program.series(centre, step, _TERMS, _PREC)
        if at is None:
            return None
        balls = [*at, remainder]
        floats = [float(ball) for ball in balls]
        if _is_exact(balls, floats, log_size):
            return floats, 0.0
        missed = sum((abs(ball - value).upper() for ball, value in zip(balls, floats)), arb(0))
        # Higham (5.3): gamma_2n times the sum of magnitudes; t is exact.
        rounding = 2.0**-52 * (_TERMS + 2) * sum(map(abs, floats))
        radius = (_up(missed) + rounding) * (1 + 2.0**-40) + _TINY
        return (floats, radius) if radius <= target else None


def _clip(end):
    return max(arb(-_LIMIT), min(arb(_LIMIT), end))


def _up(ball):
    """A float that is at least the ball's upper end."""
    return 0.0 if ball == 0 else math.nextafter(float(ball.upper()), math.inf)


def _is_exact(balls, floats, log_size):
    """Whether Horner's rule is free of rounding: a short polynomial with dyadic coefficients."""
    if not all(ball.is_exact() and ball == value for ball, value in zip(balls, floats)):
        return False
    least, magnitude = math.inf, 0.0  # exponent of the lowest bit, bound of the value
    for value in reversed(floats):
        least = min(least - log_size, _lowest_bit(value))
        magnitude += abs(value)
        if magnitude and math.frexp(magnitude)[1] - least > 52:
            return False
    return True


def _lowest_bit(value):
    """Exponent of the lowest set bit of a float."""
    if value == 0:
        return math.inf
    top, bottom = value.as_integer_ratio()
    return (top & -top).bit_length() - bottom.bit_length()


def _aligned_blocks(first, last):
    """Cut first..last into (start, log2 of size), each start a multiple of its size."""
    blocks = []
    while first <= last:
        log_size = (last - first + 1).bit_length() - 1
        if first:
            log_size = min(log_size, (first & -first).bit_length() - 1)
        blocks.append((first, log_size))
        first += 1 << log_size
    return blocks


def _batches(panels, log_size):
    """Panels of one size as arrays, few enough at a time to stay in cache."""
    count = max(1, _CHUNK >> log_size)
    for i in range(0, len(panels), count):
        starts, coefficients, radii = zip(*panels[i : i + count])
        yield np.array(starts, dtype=np.int64), np.array(coefficients), np.array(radii)


def _horner(coefficients, log_size):
    """Values of polynomials (one a row) at the codes of a panel, t = (2k + 1)/2^m - 1."""
    size = 1 << log_size
    t = (2 * np.arange(size) + 1 - size) / size
    result = np.repeat(coefficients[:, -1:], size, axis=1)
    for k in range(coefficients.shape[1] - 2, -1, -1):
        result *= t
        result += coefficients[:, k : k + 1]
    return result


def _clusters(indices):
    """Cut rising indices where the gap is wide."""
    return np.split(indices, np.flatnonzero(np.diff(indices) > _GAP) + 1) if indices.size else []


class _Limits:
    """Lowest and highest output code for a true value T in ulps: both rise with T."""

    def __init__(self, output, bound):
        self.output, self.bound = output, bound
        self.amount, self.strict = bound.in_ulps(output)

    def of_floats(self, middle, radius):
        """Limits at the lower end of each enclosure, and which are the same at the upper end."""
        inexact = radius > 0
        below = np.where(inexact, np.nextafter(middle - radius, -np.inf), middle)
        above = np.where(inexact, np.nextafter(middle + radius, np.inf), middle)
        low, high = self._of_ends(below, -np.inf)
        low_above, high_above = self._of_ends(above, np.inf)
        return low, high, (low == low_above) & (high == high_above)

    def _of_ends(self, true, outward):
        true = np.clip(true, self.output.min_code, self.output.max_code)
        amount = float(min(self.amount, 1 << 40))
        drift = float(abs(min(self.amount, 1 << 40) - Fraction(amount)))
        least = _sum(true, -amount, drift, outward)
        most = _sum(true, amount, drift, outward)
        low = np.floor(least) + 1 if self.strict else np.ceil(least)
        high = np.ceil(most) - 1 if self.strict else np.floor(most)
        return self._within(low.astype(np.int64), np.maximum), self._within(high.astype(np.int64), np.minimum)

    def _within(self, codes, pick):
        return pick(codes, self.output.min_code if pick is np.maximum else self.output.max_code)

    def of_line(self, constant, slope, rest, steps):
        """Limits that hold on constant + slope * steps + rest, and which are the same all over it."""
        # All edges are multiples of 1/unit from any value of the line, so that what is left of the rest
        # on a grid of 1/(2 unit) decides alike.
        unit = math.lcm(constant.denominator, slope.denominator, self.amount.denominator)
        below, above = math.floor(2 * unit * rest[0]), math.ceil(2 * unit * rest[1])
        below, above = below or int(rest[0] > 0), above or -int(rest[1] < 0)
        first, slope = int(2 * unit * constant), int(2 * unit * slope)
        largest = abs(first) + abs(slope) * int(steps[-1]) + abs(below) + abs(above)
        if (largest + 2 * unit * ((1 << 33) + abs(self.amount))) >= 1 << 62:
            steps = steps.astype(object)
        low, high = self._of_integers(first + slope * steps + below, 2 * unit)
        low_above, high_above = self._of_integers(first + slope * steps + above, 2 * unit)
        same = (low == low_above) & (high == high_above)
        return np.maximum(low, low_above), np.minimum(high, high_above), same

    def _of_integers(self, numerators, unit):
        """Limits at numerators / unit, where unit is a multiple of the amount's denominator."""
        true = np.clip(numerators, self.output.min_code * unit, self.output.max_code * unit)
        amount = int(self.amount * unit)
        low = (true - amount) // unit + 1 if self.strict else -((amount - true) // unit)
        high = -((-amount - true) // unit) - 1 if self.strict else (true + amount) // unit
        return self._within(low.astype(np.int64), np.maximum), self._within(high.astype(np.int64), np.minimum)

    def of_fraction(self, true):
        """Limits at an exact value."""
        true = max(self.output.min_code, min(self.output.max_code, true))
        least, most = true - self.amount, true + self.amount
        low = math.floor(least) + 1 if self.strict else math.ceil(least)
        high = math.ceil(most) - 1 if self.strict else math.floor(most)
        return max(low, self.output.min_code), min(high, self.output.max_code)


def _sum(values, amount, drift, outward):
    """values + amount, exactly where the sum is a float, else rounded outward."""
    total = values + amount
    part = total - values
    missed = (values - (total - part)) + (amount - part)  # Knuth's two-sum: exact
    rough = (missed != 0) | (drift > 0)
    moved = total + math.copysign(2 * drift, outward)
    return np.where(rough, np.nextafter(np.nextafter(moved, outward), outward), total)


class _Decider:
    """Limits of the codes that floats cannot decide, through exact rationals and Arb.

    Fills `low` and `high` in place.
    """

    def __init__(self, reference, limits, low, high):
        self.reference, self.limits, self.low, self.high = reference, limits, low, high
        self.program = Program(reference.function.expression, limits.output.frac_bits)
        self.effort = self.undecidable = 0

    def decide(self, indices):
        stack = _clusters(indices)[::-1]
        budget = _Budget(self.reference.function)
        while stack:
            budget.spend()
            indices = stack.pop()
            self.effort += 1
            if indices.size > 1:
                indices = self._together(indices)
                stack += [half for half in np.array_split(indices, 2)[::-1] if half.size]
            else:
                index = int(indices[0])
                self.low[index], self.high[index] = self._alone(index)

    def _code(self, index):
        return self.reference.domain[0] + int(index)

    def _together(self, indices):
        """Decide what one form over all these codes decides; return the indices left."""
        first, last = self._code(indices[0]), self._code(indices[-1])
        form = self.program.form(self.reference._x(first), self.reference._x(last), _PREC)
        if form is None:
            return indices
        rest = tuple(_rational(end) for end in form.rest)
        constant, slope = _fraction(form.constant), _fraction(form.slope) * self.reference.input.ulp
        constant += slope * first
        low, high, decided = self.limits.of_line(constant, slope, rest, indices - indices[0])
        if self.effort > _PATIENCE and rest[1] - rest[0] < _THIN:
            decided[:] = True
        self.low[indices[decided]], self.high[indices[decided]] = low[decided], high[decided]
        return indices[~decided]

    def _alone(self, index):
        """Limits of one code, at rising precision."""
        x = self.reference._x(self._code(index))
        for prec in _PRECISIONS if self.undecidable < 64 else _PRECISIONS[:3]:
            form = self.program.form(x, x, prec)
            rest = form.rest if form else (-arb.pos_inf(), arb.pos_inf())
            constant = _fraction(form.constant + form.slope * x.fmpq()) if form else Fraction(0)
            below, above = (self.limits.of_fraction(constant + _rational(end)) for end in rest)
            if below == above:
                return below
        self.undecidable += 1
        return max(below[0], above[0]), min(below[1], above[1])


def _fraction(quotient):
    return Fraction(int(quotient.p), int(quotient.q))


def _rational(end):
    """An end point as a Fraction. Tiny ones keep only their sign and huge ones only their order,
    which no bound and no line of at most 4096 bits can tell apart."""
    if abs(end) > 2.0**70:
        return Fraction(1 << 70) if end > 0 else Fraction(-(1 << 70))
    if end != 0 and abs(end) < _SMALL:
        return Fraction(1 if end > 0 else -1, _SMALL_DENOMINATOR)
    return _fraction(end.fmpq())
