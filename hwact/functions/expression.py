"""Expressions in one variable: immutable nodes, a parser, and symbolic derivatives.

Text is read by the tokenizer and precedence parser below and never evaluated as Python.

::

    sum      = product (("+" | "-") product)*
    product  = signed (("*" | "/") signed)*
    signed   = ("-" | "+") signed | power
    power    = atom [("^" | "**") signed]
    atom     = NUMBER | "x" | "pi" | "e" | PARAMETER | call | "(" sum ")"
    call     = NAME "(" argument ("," argument)* ")"
    argument = sum | NAME "=" sum

``where(a > b, yes, no)``, with one of ``>``, ``>=``, ``<``, ``<=``, is the one piecewise primitive;
``abs`` keeps its own node, and ``min``, ``max``, ``clip``, ``relu`` and ``sign`` expand to ``where``.
``diff(E)`` is the derivative of E with respect to x. At a kink it follows the branch that ``where``
takes there; ``min`` and ``max`` take their second argument at a tie and abs'(0) is 0, so that
relu'(0) = 0, as in machine-learning frameworks.
"""

import difflib
import re
from fractions import Fraction
from weakref import WeakValueDictionary

from ..errors import RequestError
from .catalog import ENTRIES

__all__ = ["Expression", "X", "differentiate", "number", "parse"]

MAX_TEXT = 2000
MAX_NESTING = 60
MAX_NODES = 5000
MAX_DEPTH = 250
MAX_POWER = 64
MAX_EXPONENT = 400
MAX_BITS = 8192
_MAX_BITS = 1024  # numbers are folded up to this size

_interned = WeakValueDictionary()


class Expression:
    """A node of an expression: immutable and interned, so that equal nodes are one object.

    Build nodes with `parse`, `number` and the functions of this module; they simplify lightly.

    Attributes
    ----------
    op : str
        ``number``, ``x``, ``pi``, ``e``, ``add``, ``mul``, ``div``, ``neg``, ``pow``, ``where``, or
        the name of a primitive function.
    args : tuple of Expression
        Operands; those of ``where`` are the condition and both branches.
    value : Fraction, int, bool or None
        The number; the exponent of ``pow`` (2 to 64); for ``where``, whether the first branch needs
        the condition above zero (True) or at least zero (False).
    size, depth : int
        Nodes written out as a tree, and levels of it.
    """

    __slots__ = ("__weakref__", "args", "depth", "op", "size", "value")

    def __new__(cls, op, args=(), value=None):
        key = (op, tuple(map(id, args)), value, type(value))
        node = _interned.get(key)
        if node is not None:
            return node
        size = 1 + sum(arg.size for arg in args)
        depth = 1 + max((arg.depth for arg in args), default=0)
        if size > MAX_NODES:
            raise RequestError(f"Expression must have at most {MAX_NODES} nodes, not {size}")
        if depth > MAX_DEPTH:
            raise RequestError(f"Expression must be at most {MAX_DEPTH} operations deep, not {depth}")
        node = super().__new__(cls)
        fields = {"op": op, "args": args, "value": value, "size": size, "depth": depth}
        for name, field in fields.items():
            object.__setattr__(node, name, field)
        _interned[key] = node
        return node

    def __setattr__(self, name, value):
        raise AttributeError("Expression must not be changed")

    def __reduce__(self):
        return Expression, (self.op, self.args, self.value)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return f"parse({str(self)!r})"

    def __str__(self):
        texts = {}
        for node in self.walk():
            texts[node] = _write(node, [texts[arg] for arg in node.args])
        return texts[self][0]

    def walk(self):
        """Every distinct node, operands before their users, as a list."""
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
        return order


# Writing. A text comes with its precedence: 1 sum, 2 product, 3 power, 4 atom.


def _bits(value):
    """Bits of the longer part of a fraction."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _write_number(value):
    if value < 0:
        return "-" + _write_number(-value)[0], 1
    if value.denominator == 1:
        return str(value.numerator), 4
    rest, digits = value.denominator, 0
    while rest % 10 == 0 or rest % 5 == 0 or rest % 2 == 0:
        rest //= 10 if rest % 10 == 0 else 5 if rest % 5 == 0 else 2
        digits += 1
    if rest != 1 or (digits > 40 and _bits(value) <= _MAX_BITS):
        return f"({value.numerator}/{value.denominator})", 4
    text = str(int(value * 10**digits)).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}", 4


def _in(text, least):
    return text[0] if text[1] >= least else f"({text[0]})"


def _write(node, args):
    op = node.op
    if op == "number":
        return _write_number(node.value)
    if not node.args:
        return op, 4
    if op == "add":
        left, right = _in(args[0], 1), args[1]
        if _negative(node.args[1]):
            return f"{left} - {_in((right[0][1:], 2), 2)}", 1
        return f"{left} + {_in(right, 2)}", 1
    if op in ("mul", "div"):
        return f"{_in(args[0], 2)}{'*' if op == 'mul' else '/'}{_in(args[1], 3)}", 2
    if op == "neg":
        return f"-{_in(args[0], 2)}", 1
    if op == "pow":
        return f"{_in(args[0], 4)}^{node.value}", 3
    texts = [text for text, _ in args]
    if op == "where":
        texts[0] += " > 0" if node.value else " >= 0"
    return f"{op}({', '.join(texts)})", 4


# Building, with light simplification.


def number(value):
    """The node of an exact number (int, Fraction, or decimal text) of at most `MAX_BITS`."""
    value = Fraction(value)
    if _bits(value) > MAX_BITS:
        raise RequestError(f"Number must be at most {MAX_BITS} bits long, not {_bits(value)}")
    return Expression("number", (), value)


X = Expression("x")
PI = Expression("pi")
E = Expression("e")
ZERO, ONE, TWO = number(0), number(1), number(2)
UNDEFINED = Expression("div", (ONE, ZERO))


def _fold(operation, *nodes):
    """The number that `operation` makes of number nodes; None if they are none, or it is too long."""
    if any(node.op != "number" for node in nodes):
        return None
    value = operation(*(node.value for node in nodes))
    return number(value) if _bits(value) <= _MAX_BITS else None


def _negative(node):
    return node.op == "neg" or (node.op == "number" and node.value < 0)


def add(a, b):
    if a is ZERO or b is ZERO:
        return a if b is ZERO else b
    if b is neg(a):
        return ZERO
    return _fold(lambda p, q: p + q, a, b) or Expression("add", (a, b))


def neg(a):
    if a.op == "neg":
        return a.args[0]
    if a is UNDEFINED:
        return a
    return number(-a.value) if a.op == "number" else Expression("neg", (a,))


def sub(a, b):
    return add(a, neg(b))


def mul(a, b):
    if b.op == "number" and a.op != "number":
        a, b = b, a
    if _negative(a):
        return neg(mul(neg(a), b))
    if _negative(b):
        return neg(mul(a, neg(b)))
    if a is ZERO or b is ZERO:
        return ZERO
    if a is ONE or b is ONE:
        return b if a is ONE else a
    folded = _fold(lambda p, q: p * q, a, b)
    if folded is None and a.op == "number" and b.op in ("mul", "div"):
        inner = _fold(lambda p, q: p * q, a, b.args[0])
        if inner is not None:
            return (mul if b.op == "mul" else div)(inner, b.args[1])
    return folded or Expression("mul", (a, b))


def div(a, b):
    if b is ZERO:
        return UNDEFINED
    if _negative(a):
        return neg(div(neg(a), b))
    if _negative(b):
        return neg(div(a, neg(b)))
    if b is ONE or a is ZERO:
        return a
    folded = _fold(lambda p, q: p / q, a, b)
    if folded is None and b.op == "number":
        inverse = _fold(lambda q: 1 / q, b)
        if inverse is not None:
            return mul(inverse, a)
    return folded or Expression("div", (a, b))


def power(a, exponent):
    """`a` to an integer power of magnitude at most `MAX_POWER`."""
    if exponent < 0:
        return div(ONE, power(a, -exponent))
    if exponent <= 1:
        return a if exponent else ONE
    if a.op == "neg":
        return power(a.args[0], exponent) if exponent % 2 == 0 else neg(power(a.args[0], exponent))
    if a.op == "pow" and a.value * exponent <= MAX_POWER:
        return power(a.args[0], a.value * exponent)
    if a.op == "number":
        if _bits(a.value) * exponent <= _MAX_BITS:
            return number(a.value**exponent)
    return Expression("pow", (a,), exponent)


def where(condition, strict, yes, no):
    """`yes` where `condition` is above (strict) or at least zero, else `no`."""
    if condition.op == "number":
        return yes if condition.value > 0 or (not strict and condition.value == 0) else no
    return yes if yes is no else Expression("where", (condition, yes, no), strict)


def sign(a):
    return where(a, True, ONE, where(a, False, ZERO, number(-1)))


def maximum(a, b):
    return where(sub(a, b), True, a, b)


def minimum(a, b):
    return where(sub(b, a), True, a, b)


def _clip(a, low, high):
    return minimum(maximum(a, low), high)


def _general_power(base, exponent):
    """`base` to any power: integer and half-integer exponents exactly, else through exp and log."""
    if exponent.op == "number":
        twice = 2 * exponent.value
        if abs(exponent.value) > MAX_POWER:
            raise RequestError(
                f"Exponent must be {-MAX_POWER} to {MAX_POWER}, not '{_shorten(str(exponent))}'"
            )
        if exponent.value.denominator == 1:
            return power(base, int(exponent.value))
        if twice.denominator == 1:
            return power(call("sqrt", base), int(twice))
    if base is E:
        return call("exp", exponent)
    if base is TWO:
        return call("exp2", exponent)
    return call("exp", mul(exponent, call("log", base)))


_INVERSES = {"exp": "log", "log": "exp", "exp2": "log2", "log2": "exp2", "expm1": "log1p", "log1p": "expm1"}
_AT_ZERO = {
    **dict.fromkeys(("exp", "exp2", "cos", "cosh", "erfc"), ONE),
    **dict.fromkeys(("expm1", "log1p", "sqrt", "sin", "tan", "sinh", "tanh"), ZERO),
    **dict.fromkeys(("arctan", "arcsinh", "erf", "abs"), ZERO),
    "sigmoid": number("0.5"),
}

#: Functions of one argument that are nodes of their own.
PRIMITIVES = frozenset((*_AT_ZERO, "log", "log2", "rsqrt", "softplus"))


def call(name, a):
    """The primitive function `name` of `a`."""
    if a is ZERO and name in _AT_ZERO:
        return _AT_ZERO[name]
    if a is ONE and name in ("log", "log2", "sqrt", "rsqrt"):
        return ONE if name.endswith("sqrt") else ZERO
    if name in ("log", "log2", "log1p") and a.op == _INVERSES[name]:
        return a.args[0]
    if name == "abs" and a.op in ("neg", "abs"):
        return call("abs", a.args[0])
    if name == "abs" and a.op == "number":
        return number(abs(a.value))
    return Expression(name, (a,))


# Derivatives.


def _half_angle(a):
    """tanh', as a product that keeps its relative accuracy in the tails."""
    twice = mul(TWO, a)
    return mul(number(4), mul(call("sigmoid", twice), call("sigmoid", neg(twice))))


def _bell(a):
    """erf'."""
    return mul(div(TWO, call("sqrt", PI)), call("exp", neg(power(a, 2))))


_DERIVATIVES = {
    "exp": lambda a: call("exp", a),
    "exp2": lambda a: mul(call("log", TWO), call("exp2", a)),
    "expm1": lambda a: call("exp", a),
    "log": lambda a: div(ONE, a),
    "log2": lambda a: div(ONE, mul(call("log", TWO), a)),
    "log1p": lambda a: div(ONE, add(ONE, a)),
    "sqrt": lambda a: mul(number("0.5"), call("rsqrt", a)),
    "rsqrt": lambda a: mul(number("-0.5"), power(call("rsqrt", a), 3)),
    "sin": lambda a: call("cos", a),
    "cos": lambda a: neg(call("sin", a)),
    "tan": lambda a: add(ONE, power(call("tan", a), 2)),
    "sinh": lambda a: call("cosh", a),
    "cosh": lambda a: call("sinh", a),
    "tanh": _half_angle,
    "sigmoid": lambda a: mul(call("sigmoid", a), call("sigmoid", neg(a))),
    "softplus": lambda a: call("sigmoid", a),
    "arctan": lambda a: div(ONE, add(ONE, power(a, 2))),
    "arcsinh": lambda a: call("rsqrt", add(ONE, power(a, 2))),
    "erf": _bell,
    "erfc": lambda a: neg(_bell(a)),
    "abs": sign,
}


def _derivative(node, slopes):
    """Derivative of one node, given those of its operands."""
    args = node.args
    if node.op == "x":
        return ONE
    if all(slope is ZERO for slope in slopes) and node.op != "where":
        return ZERO
    if node.op == "add":
        return add(*slopes)
    if node.op == "neg":
        return neg(slopes[0])
    if node.op == "mul":
        return add(mul(slopes[0], args[1]), mul(args[0], slopes[1]))
    if node.op == "div":
        # Dividing twice, rather than by the square, keeps the quotient rule free of overflow.
        return div(sub(slopes[0], mul(node, slopes[1])), args[1])
    if node.op == "pow":
        return mul(mul(number(node.value), power(args[0], node.value - 1)), slopes[0])
    if node.op == "where":
        return where(args[0], node.value, slopes[1], slopes[2])
    return mul(_DERIVATIVES[node.op](args[0]), slopes[0])


def differentiate(expression):
    """Derivative of `expression` with respect to x.

    Raises
    ------
    RequestError
        If it has more than `MAX_NODES` nodes.
    """
    slopes = {}
    for node in expression.walk():
        slopes[node] = _derivative(node, [slopes[arg] for arg in node.args])
    return slopes[expression]


# Parsing.

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|>=|<=|[-+*/^(),=<>])|(?P<end>$))",
    re.ASCII,
)
_SPACE = re.compile(r"\s*", re.ASCII)
_ALIASES = {"atan": "arctan", "asinh": "arcsinh"}
_BUILDERS = {  # name: (arguments, builder)
    "min": (2, minimum),
    "max": (2, maximum),
    "clip": (3, _clip),
    "pow": (2, _general_power),
    "sign": (1, sign),
    "relu": (1, lambda a: maximum(a, ZERO)),
    "diff": (1, differentiate),
}
_COMPARISONS = {">": (1, True), ">=": (1, False), "<": (-1, True), "<=": (-1, False)}


def _shorten(text):
    return text if len(text) <= 60 else text[:57] + "..."


def _function_names():
    return sorted({*PRIMITIVES, *_ALIASES, *_BUILDERS, *ENTRIES, "where"})


class _Parser:
    """Precedence parser over one text; `position` is the next token's index."""

    def __init__(self, text, bindings):
        self.text, self.bindings = text, bindings
        self.tokens = list(self._tokenize())
        self.position = self.nesting = 0

    def _tokenize(self):
        start = 0
        while True:
            match = _TOKEN.match(self.text, start)
            if match is None:
                column = _SPACE.match(self.text, start).end()
                raise self._error(f"unexpected character {self.text[column]!r}", column)
            kind = match.lastgroup
            yield kind, match[kind], match.start(kind)
            if kind == "end":
                return
            start = match.end()

    def _error(self, reason, start=None):
        start = self.tokens[self.position][2] if start is None else start
        return RequestError(
            f"Expression must be well formed, not {_shorten(self.text)!r}: {reason} at column {start + 1}"
        )

    def _take(self, *symbols):
        """The next token's text if it is one of these symbols, which it then passes; else None."""
        kind, text, _ = self.tokens[self.position]
        if kind != "symbol" or text not in symbols:
            return None
        self.position += 1
        return text

    def _expect(self, symbol, reason=None):
        if self._take(symbol) is None:
            raise self._error(reason or f"expected {symbol!r}")

    def _nest(self):
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise RequestError(
                f"Expression must nest at most {MAX_NESTING} deep, not {_shorten(self.text)!r}"
            )

    def whole(self):
        node = self.sum()
        if self.tokens[self.position][0] != "end":
            raise self._error("expected an operator")
        return node

    def sum(self):
        self._nest()
        node = self.product()
        while symbol := self._take("+", "-"):
            node = (add if symbol == "+" else sub)(node, self.product())
        self.nesting -= 1
        return node

    def product(self):
        node = self.signed()
        while symbol := self._take("*", "/"):
            node = (mul if symbol == "*" else div)(node, self.signed())
        return node

    def signed(self):
        negative = False
        while symbol := self._take("+", "-"):
            negative ^= symbol == "-"
        node = self.power()
        return neg(node) if negative else node

    def power(self):
        base = self.atom()
        if not self._take("^", "**"):
            return base
        self._nest()
        node = _general_power(base, self.signed())
        self.nesting -= 1
        return node

    def atom(self):
        kind, text, start = self.tokens[self.position]
        if kind == "number":
            self.position += 1
            return self._number(text, start)
        if kind == "name":
            self.position += 1
            called = self._take("(")
            return self._call(text, start) if called else self._name(text, start)
        if self._take("("):
            node = self.sum()
            self._expect(")")
            return node
        raise self._error("expected a value")

    def _number(self, text, start):
        _, _, exponent = text.lower().partition("e")
        if exponent and (len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT):
            raise self._error(f"exponent beyond {MAX_EXPONENT}", start)
        return number(text)

    def _name(self, text, start):
        if text in self.bindings:
            return self.bindings[text]
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text in _function_names():
            raise self._error("expected '('")
        raise self._unknown(text, start)

    def _unknown(self, text, start):
        known = [*_CONSTANTS, *self.bindings, *_function_names()]
        # Whole activation functions are meant more often than the primitives beside them.
        near = difflib.get_close_matches(text, ENTRIES, n=1) or difflib.get_close_matches(text, known, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        return RequestError(
            f"Expression must use known names, not {_shorten(text)!r} at column {start + 1}{hint}"
        )

    def _call(self, name, start):
        name = _ALIASES.get(name, name)
        if name == "where":
            return self._where()
        if name not in PRIMITIVES and name not in _BUILDERS and name not in ENTRIES:
            raise self._unknown(name, start)
        args, keywords = self._arguments(name)
        count, build = _BUILDERS.get(name, (1, None))
        if len(args) != count:
            raise self._error(f"{name} takes {count} argument{'s' * (count > 1)}, not {len(args)},", start)
        if build:
            return build(*args)
        if name in PRIMITIVES:
            return call(name, args[0])
        return expand(ENTRIES[name], args[0], keywords)

    def _where(self):
        left = self.sum()
        symbol = self._take(*_COMPARISONS)
        if symbol is None:
            raise self._error("expected a comparison")
        direction, strict = _COMPARISONS[symbol]
        right = self.sum()
        condition = sub(left, right) if direction > 0 else sub(right, left)
        self._expect(",")
        yes = self.sum()
        self._expect(",")
        no = self.sum()
        self._expect(")")
        return where(condition, strict, yes, no)

    def _arguments(self, name):
        """Positional and keyword arguments up to and with the closing parenthesis."""
        args, keywords = [], {}
        available = [key for key, _ in ENTRIES[name].defaults] if name in ENTRIES else []
        while True:
            kind, text, start = self.tokens[self.position]
            if kind == "name" and self.tokens[self.position + 1][1] == "=":
                if text not in available:
                    names = f"one of {', '.join(available)}" if available else "left out"
                    raise RequestError(
                        f"Parameter of {name} must be {names}, not {_shorten(text)!r} at column {start + 1}"
                    )
                self.position += 2
                keywords[text] = self.sum()
            else:
                args.append(self.sum())
            if self._take(")"):
                return args, keywords
            self._expect(",", "expected ',' or ')'")


_CONSTANTS = {"x": X, "pi": PI, "e": E}


def expand(entry, argument=X, parameters=None):
    """The expression of a catalogue entry at `argument`; `parameters` are nodes that replace defaults."""
    bindings = {name: number(default) for name, default in entry.defaults}
    return _Parser(entry.text, {**bindings, **(parameters or {}), "x": argument}).whole()


def parse(text, parameters=None):
    """Read an expression.

    Parameters
    ----------
    text : str
        At most `MAX_TEXT` characters in the grammar of this module.
    parameters : mapping of str to Fraction, optional
        Values of the names that stand for numbers.

    Returns
    -------
    Expression

    Raises
    ------
    RequestError
        If `text` is malformed, uses an unknown name, or exceeds a limit of this module.

    Examples
    --------
    >>> str(parse("diff(tanh(x))"))
    '4*(sigmoid(2*x)*sigmoid(-2*x))'
    >>> str(parse("2*x**2 - b", {"b": Fraction(1, 2)}))
    '2*x^2 - 0.5'
    """
    if not isinstance(text, str):
        raise TypeError(f"Expression must be text, not {text!r}")
    if len(text) > MAX_TEXT:
        raise RequestError(f"Expression must be at most {MAX_TEXT} characters long, not {len(text)}")
    return _Parser(text, {name: number(value) for name, value in (parameters or {}).items()}).whole()
