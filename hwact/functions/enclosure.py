"""Three interpreters of an expression: interval forms, Taylor series, and exact rationals.

All of them go through the distinct nodes of the expression once, operands first. A value of None
means "not defined, as far as this interpreter can tell", and passes on to every user but the
branch of a ``where`` that is not taken.
"""

from flint import arb, arb_series, ctx, fmpq

__all__ = ["Program"]

_INF = arb.pos_inf()
_HUGE = arb(2) ** 50  # exp and friends overflow beyond
_MAX_HEIGHT = 4096  # bits of an exact rational
_NOTHING = arb(0), arb(0)
_ZERO, _ONE = fmpq(0), fmpq(1)


class Program:
    """An expression, times a power of two, made ready for evaluation.

    Parameters
    ----------
    expression : Expression
    frac_bits : int
        Results are values of the expression times 2**frac_bits.
    """

    def __init__(self, expression, frac_bits=0):
        self._scale = fmpq(2) ** frac_bits
        nodes = expression.walk()
        index = {node: i for i, node in enumerate(nodes)}
        self._steps = [(node.op, tuple(index[arg] for arg in node.args), node.value) for node in nodes]

    def exact(self, x):
        """Value at a rational `x` (fmpq); None where it is not known to be rational."""
        value = self._exact_values(x)[-1]
        return None if value is None else value * self._scale

    def _exact_values(self, x):
        """Values of all nodes; a product with an exact zero is zero even if the other factor is None."""
        values = []
        for op, args, value in self._steps:
            result = x if op == "x" else _exact(op, [values[i] for i in args], value)
            if result is not None and result.height_bits() > _MAX_HEIGHT:
                result = None
            values.append(result)
        return values

    def interval(self, low, high, prec):
        """Enclosure of the function over [low, high] (arb, exact), computed with `prec` bits.

        Returns
        -------
        tuple of (arb, arb) or None
            Exact end points, possibly infinite; None if the function may be undefined somewhere.
        """
        form = self.form(low, high, prec)
        with ctx.workprec(prec):
            return form and form.pair(low, high)

    def form(self, low, high, prec):
        """As `interval`, but as a `Form`: an exact line in x plus an interval for the rest."""
        known = self._exact_values(low.fmpq()) if low == high else [None] * len(self._steps)
        with ctx.workprec(prec):
            values = []
            for (op, args, value), exact in zip(self._steps, known):
                operands = [values[i] for i in args]
                if exact is not None and None not in operands:
                    values.append(Form(exact))
                elif op == "where":
                    values.append(_where_form(operands, value, low, high))
                elif None in operands:
                    values.append(None)
                else:
                    values.append(_form(op, operands, value, low, high))
            return values[-1] and values[-1].scaled(self._scale)

    def series(self, centre, step, terms, prec):
        """Taylor coefficients of the function of `centre` + `step` t in t, as a list of `terms` arb.

        With a ball as the centre, coefficient k encloses f^(k)/k! times step^k at every point of it.

        Returns
        -------
        list of arb, or None
            None if the function may be undefined or not smooth somewhere on the ball.
        """
        old = ctx.prec, ctx.cap
        try:
            ctx.prec, ctx.cap = prec, terms
            x, values = arb_series([centre, step], terms), []
            for op, args, value in self._steps:
                operands = [values[i] for i in args]
                values.append(x if op == "x" else _series(op, operands, value))
            return _coefficients(values[-1], terms, self._scale)
        finally:
            ctx.prec, ctx.cap = old


# Exact rationals.

_RATIONAL_AT_ZERO = {
    "exp": _ONE, "expm1": _ZERO, "log1p": _ZERO, "sin": _ZERO, "cos": _ONE, "tan": _ZERO, "sinh": _ZERO,
    "cosh": _ONE, "tanh": _ZERO, "sigmoid": fmpq(1, 2), "arctan": _ZERO, "arcsinh": _ZERO, "erf": _ZERO,
    "erfc": _ONE,
}  # fmt: skip


def _exact(op, args, value):
    if op == "number":
        return fmpq(value.numerator, value.denominator)
    if op == "where":
        if args[0] is None:
            return None
        return args[1] if args[0] > 0 or (not value and args[0] == 0) else args[2]
    if op == "mul" and (args[0] == 0 or args[1] == 0):
        return _ZERO
    if not args or None in args:
        return None
    if op in _EXACT:
        return _EXACT[op](*args)
    if op == "pow":
        return args[0] ** value if args[0].height_bits() * value <= _MAX_HEIGHT else None
    return _RATIONAL_AT_ZERO.get(op) if args[0] == 0 else None


def _root(q):
    if q < 0:
        return None
    top, bottom = q.p.isqrt(), q.q.isqrt()
    return fmpq(top, bottom) if top * top == q.p and bottom * bottom == q.q else None


def _reciprocal_root(q):
    return _root(1 / q) if q > 0 else None


def _power_of_two(q):
    return fmpq(2) ** int(q.p) if q.q == 1 and abs(q.p) < _MAX_HEIGHT else None


def _log_of_two(q):
    if q <= 0 or (q.p != 1 and q.q != 1):
        return None
    whole = int(q.p * q.q)
    bits = whole.bit_length() - 1
    return (fmpq(bits) if q.q == 1 else fmpq(-bits)) if whole == 1 << bits else None


_EXACT = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b != 0 else None,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": _root,
    "rsqrt": _reciprocal_root,
    "exp2": _power_of_two,
    "log2": _log_of_two,
    "log": lambda a: _ZERO if a == 1 else None,
}


# Functions at an arb ball, tight where the ball is thin.


def _sigmoid(a):
    return 1 / (1 + (-a).exp())


def _softplus(a):
    return a + (-a).exp().log1p() if a > 0 else a.exp().log1p()


_POINT = {
    "exp": arb.exp,
    "exp2": lambda a: (a * arb.const_log2()).exp(),
    "expm1": arb.expm1,
    "log": arb.log,
    "log2": lambda a: a.log() / arb.const_log2(),
    "log1p": arb.log1p,
    "sqrt": arb.sqrt,
    "rsqrt": arb.rsqrt,
    "sin": arb.sin,
    "cos": arb.cos,
    "tan": arb.tan,
    "sinh": arb.sinh,
    "cosh": arb.cosh,
    "tanh": arb.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "arctan": arb.atan,
    "arcsinh": arb.asinh,
    "erf": arb.erf,
    "erfc": arb.erfc,
    "abs": abs,
}

# Intervals: pairs of exact end points. A lower end is never plus infinity, nor an upper end minus.

_MONOTONE = {  # direction, limits of the value
    "exp": (1, 0, None),
    "exp2": (1, 0, None),
    "expm1": (1, -1, None),
    "log": (1, None, None),
    "log2": (1, None, None),
    "log1p": (1, None, None),
    "sqrt": (1, 0, None),
    "rsqrt": (-1, 0, None),
    "sinh": (1, None, None),
    "tanh": (1, -1, 1),
    "sigmoid": (1, 0, 1),
    "softplus": (1, 0, None),
    "arctan": (1, None, None),
    "arcsinh": (1, None, None),
    "erf": (1, -1, 1),
    "erfc": (-1, 0, 2),
}
_OVERFLOWING = frozenset(("exp", "exp2", "expm1", "sinh", "cosh"))


def _lower(ball):
    low = ball.lower()
    return -_INF if low.is_nan() else low


def _upper(ball):
    high = ball.upper()
    return _INF if high.is_nan() else high


def _pair(ball):
    return _lower(ball), _upper(ball)


def _hull(low, high):
    """A ball over [low, high]."""
    return low if low == high else low.union(high)


def _interval(op, args, value):
    if op == "number":
        return _pair(arb(fmpq(value.numerator, value.denominator)))
    if op == "pi":
        return _pair(arb.pi())
    if op == "e":
        return _pair(arb.const_e())
    if op == "pow":
        return _power_interval(args[0], value)
    if op in _INTERVAL:
        return _INTERVAL[op](*args)
    return _monotone_interval(op, *args[0])


def _add_interval(a, b):
    return _lower(a[0] + b[0]), _upper(a[1] + b[1])


def _product(a, b):
    return arb(0) if a == 0 or b == 0 else a * b


def _mul_interval(a, b):
    if a[0] == a[1] and b[0] == b[1]:
        return _pair(_product(a[0], b[0]))
    pairs = [_pair(_product(p, q)) for p in a for q in b]
    return min(low for low, _ in pairs), max(high for _, high in pairs)


def _inverse(a):
    return arb(0) if not a.is_finite() else 1 / a


def _div_interval(a, b):
    if not (b[0] > 0 or b[1] < 0):
        return None
    return _mul_interval(a, (_lower(_inverse(b[1])), _upper(_inverse(b[0]))))


def _abs_interval(a):
    if a[0] >= 0:
        return a
    return (-a[1], -a[0]) if a[1] <= 0 else (arb(0), max(-a[0], a[1]))


def _power_interval(a, exponent):
    if exponent % 2 == 0:
        a = _abs_interval(a)
    return _lower(a[0] ** exponent), _upper(a[1] ** exponent)


def _end(op, a, outward):
    """One end of a monotone function's interval: the outward bound of its value at `a`."""
    if op in _OVERFLOWING and abs(a) > _HUGE:
        a, unsafe = (_HUGE if a > 0 else -_HUGE), (a > 0) == (outward > 0)
        if unsafe and op != "sinh":
            return _INF if a > 0 else -_INF
        if unsafe:
            return outward * _INF
    if not a.is_finite():
        return outward * _INF
    return _upper(_POINT[op](a)) if outward > 0 else _lower(_POINT[op](a))


def _monotone_interval(op, low, high):
    if op in ("log", "log2", "rsqrt") and not low > 0:
        return None
    if (op == "sqrt" and not low >= 0) or (op == "log1p" and not low > -1):
        return None
    direction, least, most = _MONOTONE[op]
    if direction < 0:
        low, high = high, low
    bottom, top = _end(op, low, -1), _end(op, high, 1)
    if least is not None and bottom < least:
        bottom = arb(least)
    if most is not None and top > most:
        top = arb(most)
    return bottom, top


def _wave(name):
    def wave(a):
        bottom, top = _pair(_POINT[name](_hull(*a)))
        return max(bottom, arb(-1)), min(top, arb(1))

    return wave


def _tan_interval(a):
    ball = arb.tan(_hull(*a))
    return _pair(ball) if ball.is_finite() else None


def _cosh_interval(a):
    low, high = _abs_interval(a)
    return _end("cosh", low, -1), _end("cosh", high, 1)


_INTERVAL = {
    "add": _add_interval,
    "mul": _mul_interval,
    "div": _div_interval,
    "neg": lambda a: (-a[1], -a[0]),
    "abs": _abs_interval,
    "sin": _wave("sin"),
    "cos": _wave("cos"),
    "tan": _tan_interval,
    "cosh": _cosh_interval,
}

# Forms: an exact line plus an interval. They keep what lies on a line, or approaches one, apart from
# how far it is from it, so that 1 - tanh(x) > 0 is seen at any x without a thousand bits.


class Form:
    """All values `constant` + `slope` x + r with r in the interval `rest`.

    Parameters
    ----------
    constant, slope : fmpq
    rest : tuple of (arb, arb)
    """

    __slots__ = ("constant", "rest", "slope")

    def __init__(self, constant=_ZERO, slope=_ZERO, rest=_NOTHING):
        if max(constant.height_bits(), slope.height_bits()) > _MAX_HEIGHT:
            rest, constant, slope = (-_INF, _INF), _ZERO, _ZERO
        self.constant, self.slope, self.rest = constant, slope, rest

    def line(self, low, high):
        """Interval of the line for x in [low, high]."""
        constant = _pair(arb(self.constant))
        if self.slope == 0:
            return constant
        return _add_interval(constant, _mul_interval(_pair(arb(self.slope)), (low, high)))

    def pair(self, low, high):
        """Interval of the whole for x in [low, high]."""
        if self.rest is _NOTHING and self.slope == 0:
            return _pair(arb(self.constant))
        return _add_interval(self.line(low, high), self.rest)

    def scaled(self, factor):
        rest = self.rest if self.rest is _NOTHING else _mul_interval(self.rest, _pair(arb(factor)))
        return Form(self.constant * factor, self.slope * factor, rest)

    def is_number(self):
        return self.rest is _NOTHING and self.slope == 0

    def line_is_zero(self):
        return self.constant == 0 and self.slope == 0

    def __add__(self, other):
        if self.rest is _NOTHING or other.rest is _NOTHING:
            rest = other.rest if self.rest is _NOTHING else self.rest
        else:
            rest = _add_interval(self.rest, other.rest)
        return Form(self.constant + other.constant, self.slope + other.slope, rest)


def _form(op, args, value, low, high):
    if op == "x":
        return Form(slope=_ONE)
    if op == "number":
        return Form(fmpq(value.numerator, value.denominator))
    if op == "add":
        return args[0] + args[1]
    if op == "neg":
        return args[0].scaled(-_ONE)
    if op == "mul" and args[0] is not args[1]:
        return _mul_form(*args, low, high)
    pairs = [arg.pair(low, high) for arg in args]
    if op == "mul":
        return Form(rest=_power_interval(pairs[0], 2))
    if op in _TAILS:
        tail = _TAILS[op](args[0], *pairs[0])
        if tail is not None:
            return tail
    rest = _interval(op, pairs, value)
    return None if rest is None else Form(rest=rest)


def _mul_form(a, b, low, high):
    if b.is_number():
        a, b = b, a
    if a.is_number():
        return b.scaled(a.constant)
    if (a.slope != 0 and b.slope != 0) or a.line_is_zero() or b.line_is_zero():
        return Form(rest=_mul_interval(a.pair(low, high), b.pair(low, high)))
    # (l + r)(m + s) = l m + (l s + r (m + s))
    rest = _mul_interval(a.line(low, high), b.rest)
    rest = _add_interval(rest, _mul_interval(a.rest, b.pair(low, high)))
    return Form(a.constant * b.constant, a.constant * b.slope + a.slope * b.constant, rest)


def _where_form(args, strict, low, high):
    condition, yes, no = args
    if condition is None:
        return None
    bottom, top = condition.pair(low, high)
    if bottom > 0 or (not strict and bottom >= 0):
        return yes
    if top < 0 or (strict and top <= 0):
        return no
    if yes is None or no is None:
        return None
    (a, b), (c, d) = yes.pair(low, high), no.pair(low, high)
    return Form(rest=(min(a, c), max(b, d)))


def _rest(op, low, high, factor=1):
    low, high = _monotone_interval(op, low, high)
    return (low * factor, high * factor) if factor > 0 else (high * factor, low * factor)


def _tanh_tail(form, low, high):
    if low > 1:
        return Form(_ONE, rest=_rest("sigmoid", -2 * high, -2 * low, -2))
    return Form(-_ONE, rest=_rest("sigmoid", 2 * low, 2 * high, 2)) if high < -1 else None


def _sigmoid_tail(form, low, high):
    return Form(_ONE, rest=_rest("sigmoid", -high, -low, -1)) if low > 1 else None


def _softplus_tail(form, low, high):
    return form + Form(rest=_rest("softplus", -high, -low)) if low > 1 else None


def _erf_tail(form, low, high):
    if low > 1:
        return Form(_ONE, rest=_rest("erfc", low, high, -1))
    return Form(-_ONE, rest=_rest("erfc", -high, -low)) if high < -1 else None


def _erfc_tail(form, low, high):
    return Form(fmpq(2), rest=_rest("erfc", -high, -low, -1)) if high < -1 else None


def _expm1_tail(form, low, high):
    return Form(-_ONE, rest=_rest("exp", low, high)) if high < -1 else None


def _abs_tail(form, low, high):
    return form if low >= 0 else form.scaled(-_ONE) if high <= 0 else None


_TAILS = {
    "tanh": _tanh_tail,
    "sigmoid": _sigmoid_tail,
    "softplus": _softplus_tail,
    "erf": _erf_tail,
    "erfc": _erfc_tail,
    "expm1": _expm1_tail,
    "abs": _abs_tail,
}

# Series: arb_series, or arb for what does not depend on x.


def _constant(a):
    return a if isinstance(a, arb) else a[0]


def _series(op, args, value):
    if op == "number":
        return arb(fmpq(value.numerator, value.denominator))
    if op == "pi":
        return arb.pi()
    if op == "e":
        return arb.const_e()
    if op == "where":
        return _where_series(args, value)
    if None in args:
        return None
    if op == "pow":
        return args[0] ** value
    if op in _ARITHMETIC:
        return _finite(_ARITHMETIC[op], *args)
    if isinstance(args[0], arb):
        return _finite(_POINT[op], args[0])
    return _finite(_SERIES[op], args[0])


def _finite(operation, *args):
    """`operation` of `args`, or None where it is not defined."""
    try:
        result = operation(*args)
    except (ZeroDivisionError, ValueError):
        return None
    return result if result is not None and _constant(result).is_finite() else None


def _where_series(args, strict):
    if args[0] is None:
        return None
    condition = _constant(args[0])
    if condition > 0 or (not strict and condition >= 0):
        return args[1]
    if condition < 0 or (strict and condition <= 0):
        return args[2]
    return None


def _divide_series(a, b):
    # A quotient of series with vanishing constant terms is not defined where x is the centre.
    return None if _constant(b).contains(0) else a / b


def _abs_series(s):
    if s[0] > 0:
        return s
    return -s if s[0] < 0 else None


def _sigmoid_series(s):
    if s[0].mid() >= 0:
        return 1 / (1 + (-s).exp())
    return 1 - 1 / (1 + s.exp())


def _softplus_series(s):
    if s[0].mid() >= 0:
        return s + (1 + (-s).exp()).log()
    return (1 + s.exp()).log()


def _arcsinh_series(s):
    slope = s.derivative() * (1 + s * s).rsqrt()
    return slope.integral() + s[0].asinh()


def _tan_series(s):
    return s.tan() if s[0].tan().is_finite() else None


def _root_series(operation):
    return lambda s: operation(s) if s[0] > 0 else None


_ARITHMETIC = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "div": _divide_series,
    "neg": lambda a: -a,
}
_SERIES = {
    "exp": arb_series.exp,
    "exp2": lambda s: (s * arb.const_log2()).exp(),
    "expm1": lambda s: s.exp() - 1,
    "log": _root_series(arb_series.log),
    "log2": _root_series(lambda s: s.log() / arb.const_log2()),
    "log1p": lambda s: _root_series(arb_series.log)(s + 1),
    "sqrt": _root_series(arb_series.sqrt),
    "rsqrt": _root_series(arb_series.rsqrt),
    "sin": arb_series.sin,
    "cos": arb_series.cos,
    "tan": _tan_series,
    "sinh": lambda s: (s.exp() - (-s).exp()) / 2,
    "cosh": lambda s: (s.exp() + (-s).exp()) / 2,
    "tanh": lambda s: 2 * _sigmoid_series(2 * s) - 1,
    "sigmoid": _sigmoid_series,
    "softplus": _softplus_series,
    "arctan": arb_series.atan,
    "arcsinh": _arcsinh_series,
    "erf": arb_series.erf,
    "erfc": arb_series.erfc,
    "abs": _abs_series,
}


def _coefficients(value, terms, scale):
    """The first `terms` coefficients times `scale`, or None if one is not finite."""
    if value is None:
        return None
    if isinstance(value, arb):
        coefficients = [value] + [arb(0)] * (terms - 1)
    else:
        assert value.prec >= terms, "coefficients beyond the order of the series read as zero"
        coefficients = [value[k] for k in range(terms)]
    return [c * scale for c in coefficients] if all(c.is_finite() for c in coefficients) else None
