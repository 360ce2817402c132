"""The independent netlist: a design's documented arithmetic, written as gates a second time.

It is made from the manifest's numbers alone (the dict under ``design``) and shares no code with the
circuit's generator nor with the golden model, so that a misreading of the documentation on either
side shows as a difference. For each output and input code ``x``, as in `hwact.design`::

    u = fold(x);  k: starts[k] <= u < starts[k + 1]
    g = (slopes[k] * (u - starts[k]) + intercepts[k]) >> shift,  or the table's entry
    y = saturate(unfold(g, x))

A netlist is made for one block of input codes at a time: only the segments that the block meets are
in it, and what is constant in the block folds away. Words are two's complement, and wide enough for every
intermediate value.
"""

from bisect import bisect_right

from .aig import FALSE, TRUE

__all__ = ["ReferenceNetlist"]


def constant(value, width):
    """A word that stands for an integer."""
    return [value >> bit & 1 for bit in range(width)]


def extended(word, width, signed):
    """A code's bits as a word of `width` bits."""
    filling = word[-1] if signed else FALSE
    return [*word, *[filling] * (width - len(word))]


def add(aig, a, b, carry=FALSE):
    """a + b + carry, modulo the width of `a`."""
    total = []
    for x, y in zip(a, b, strict=True):
        half = aig.xor(x, y)
        total.append(aig.xor(half, carry))
        carry = aig.lor(aig.land(x, y), aig.land(half, carry))
    return total


def inverted(word):
    """Every bit inverted."""
    return [bit ^ 1 for bit in word]


def subtract(aig, a, b):
    """a - b."""
    return add(aig, a, inverted(b), TRUE)


def choose(aig, condition, a, b):
    """Word a where the condition holds, else b."""
    return [aig.mux(condition, x, y) for x, y in zip(a, b, strict=True)]


def below(aig, a, b):
    """Whether a < b: the sign of the difference, which must fit."""
    return subtract(aig, a, b)[-1]


class ReferenceNetlist:
    """Gates of one output channel, block by block.

    Parameters
    ----------
    channel : dict
        One of the manifest's ``design.channels``.
    input : dict
        The manifest's ``design.input``.
    """

    def __init__(self, channel, input):
        self._fold = channel["fold"]
        self._core = channel["core"]
        self._saturate = channel["saturate"]
        self._signed = input["signed"]
        self._bits = input["int_bits"] + input["frac_bits"]
        format = channel["format"]
        bits = format["int_bits"] + format["frac_bits"]
        self._least = -1 << bits - 1 if format["signed"] else 0
        self._most = self._least + (1 << bits) - 1
        self.width = self._enough()

    def _enough(self):
        """Bits that hold every intermediate value."""
        span = 1 << self._bits + 1
        core, fold = self._core, self._fold
        if core["method"] == "table":
            reach = max(map(abs, core["entries"]))
        else:
            reach = max(map(abs, core["slopes"])) * span + max(map(abs, core["intercepts"]))
        reach += abs(fold["constant"]) + (span << fold["ramp_shift"])
        return max(reach, core.get("stop", 0), span, abs(self._least), self._most).bit_length() + 3

    # -- blocks -------------------------------------------------------------------------------

    def pieces(self, first, last):
        """Stored segments or table entries that the codes `first` to `last` meet."""
        low, high = self._indices(first, last)
        if self._core["method"] == "table":
            return high - low + 1
        return self._segment(high) - self._segment(low) + 1

    def _indices(self, first, last):
        """Least and largest folded index of a block of codes."""
        kind = self._fold["index"]
        if kind == "none":
            bias = 1 << self._bits - 1 if self._signed else 0
            return first + bias, last + bias
        mirrored = {"negate": lambda x: -x, "complement": lambda x: -x - 1}[kind]
        ends = [mirrored(x) if x < 0 else x for x in (first, last)]
        return 0 if first < 0 <= last else min(ends), max(ends)

    def _segment(self, index):
        return bisect_right(self._core["starts"], index) - 1

    # -- gates --------------------------------------------------------------------------------

    def build(self, aig, x, first, last):
        """The output as an integer, for input codes from `first` to `last`.

        Parameters
        ----------
        aig : Aig
        x : list of int
            Bits of the input code, of which the leading ones may be constant.
        first, last : int

        Returns
        -------
        list of int
            A word of `width` bits, two's complement.
        """
        code = extended(x, self.width, self._signed)
        u, negative = self._folded(aig, code)
        low, high = self._indices(first, last)
        core = self._table if self._core["method"] == "table" else self._lines
        return self._clamped(aig, self._unfolded(aig, core(aig, u, low, high), code, negative))

    def _folded(self, aig, code):
        kind = self._fold["index"]
        if kind == "none":
            bias = 1 << self._bits - 1 if self._signed else 0
            return add(aig, code, constant(bias, self.width)), FALSE
        negative = code[-1]
        mirrored = inverted(code)
        if kind == "negate":
            mirrored = add(aig, mirrored, constant(1, self.width))
        return choose(aig, negative, mirrored, code), negative

    def _table(self, aig, u, low, high):
        start, entries = self._core["start"], self._core["entries"]
        bits = max(high.bit_length(), 1)

        def entry(index, position):
            """The word of the entries whose index starts with `index` above the bit `position`."""
            least, most = index << position, (index + 1 << position) - 1
            if most < low or least > high:
                return None
            if not position:
                return constant(entries[index - start], self.width)
            bit = u[position - 1]
            halves = [entry(2 * index + half, position - 1) if bit != 1 - half else None for half in (0, 1)]
            if None in halves:
                return halves[0] or halves[1]
            return choose(aig, bit, halves[1], halves[0])

        return entry(0, bits)

    def _lines(self, aig, u, low, high):
        core = self._core
        first = self._segment(low)
        start, slope, intercept = (
            constant(core[name][first], self.width) for name in ("starts", "slopes", "intercepts")
        )
        for k in range(first + 1, self._segment(high) + 1):
            here = constant(core["starts"][k], self.width)
            before = below(aig, u, here)
            start = choose(aig, before, start, here)
            slope = choose(aig, before, slope, constant(core["slopes"][k], self.width))
            intercept = choose(aig, before, intercept, constant(core["intercepts"][k], self.width))
        offset = subtract(aig, u, start)[: high.bit_length()]
        total = intercept
        for position, bit in enumerate(offset):
            row = [FALSE] * position + [aig.land(bit, digit) for digit in slope[: self.width - position]]
            total = add(aig, total, row)
        return extended(total[core["shift"] :], self.width, signed=True)

    def _unfolded(self, aig, g, code, negative):
        kind = self._fold["restore"]
        if kind == "odd":
            mirrored = subtract(aig, constant(self._fold["constant"], self.width), g)
            return choose(aig, negative, mirrored, g)
        if kind in ("ramp", "ramp_down"):
            beside = negative if kind == "ramp" else negative ^ 1
            shift = self._fold["ramp_shift"]
            ramp = [FALSE] * shift + [aig.land(beside ^ 1, bit) for bit in code[: self.width - shift]]
            return add(aig, g, ramp)
        return g

    def _clamped(self, aig, raw):
        if not self._saturate:
            return raw
        least, most = (constant(end, self.width) for end in (self._least, self._most))
        raw = choose(aig, below(aig, raw, least), least, raw)
        return choose(aig, below(aig, most, raw), most, raw)
