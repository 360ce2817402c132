"""Slope times offset, plus intercept, with the low bits dropped.

The arithmetic is decided here once, as integers (`ProductPlan`): what is stored, which operand
drives the rows, and the range of every intermediate value, so that no wire can overflow.
"""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..fixed import signed_digits
from .carry import AddIf, Subtract
from .lookup import span

__all__ = ["Finish", "FinishOdd", "Multiply", "ProductPlan", "Rows", "ShiftAdd"]


def _zeros(values, most):
    """Trailing bits in which all values agree with the first one, at most `most`."""
    reference = values[0]
    differing = 0
    for value in values:
        differing |= value ^ reference
    return min((differing & -differing).bit_length() - 1, most) if differing else most


@dataclass(frozen=True)
class ProductPlan:
    """How ``(slope * offset + intercept) >> shift`` is computed for the segments of one `Lines`.

    Trailing zeros that all slopes share are divided out. Where no slope rises, the offset is inverted
    and counts down to the segment's far end, so that nothing is signed. The low bits in which all intercepts agree
    are not stored: they are the value that the accumulator starts from. Where the segments of each pair meet
    (`Lines.joints`), offsets count from there and are signed, and both segments have the same intercept.

    Parameters
    ----------
    lines : Lines
    """

    lines: object

    @cached_property
    def _trailing(self):
        """Bits that every slope and the shift can lose."""
        together = 0
        for slope in self.lines.slopes:
            together |= slope
        return min((together & -together).bit_length() - 1, self.lines.shift) if together else self.lines.shift

    @property
    def falling(self):
        """Whether no slope rises: then lines are read from their far end, and slopes stored as magnitudes."""
        return max(self.lines.slopes) <= 0 > min(self.lines.slopes)

    @property
    def paired(self):
        """Whether offsets count from the middle of a pair of segments."""
        return self.lines.joints is not None

    @property
    def slopes(self):
        """Stored slopes."""
        sign = -1 if self.falling else 1
        return tuple(sign * (slope >> self._trailing) for slope in self.lines.slopes)

    @property
    def shift(self):
        """Fraction bits of products of stored slopes."""
        return self.lines.shift - self._trailing

    @cached_property
    def _whole(self):
        if self.paired:
            return tuple(value >> self._trailing for value in self.lines.joints)
        far = (1 << self.offset_bits) - 1 if self.falling else 0
        lines = zip(self.lines.slopes, self.lines.intercepts)
        return tuple((intercept + slope * far) >> self._trailing for slope, intercept in lines)

    @cached_property
    def ending(self):
        """Low bits that no stored intercept has."""
        return _zeros(self._whole, self.shift)

    @property
    def start(self):
        """What the accumulator starts from."""
        return self._whole[0] & ((1 << self.ending) - 1)

    @property
    def intercepts(self):
        """Stored intercepts, in units of ``2**ending``."""
        return tuple(intercept >> self.ending for intercept in self._whole)

    @property
    def fraction(self):
        """Fraction bits of the stored intercepts."""
        return self.shift - self.ending

    @property
    def offset_bits(self):
        """Bits of the segment offset."""
        return self.lines.offset_bits

    @property
    def flat(self):
        """Whether there is no product: every slope is zero, or every segment a single code."""
        return not any(self.slopes) or self.offset_bits == 0

    @property
    def slope_shape(self):
        """Shape of a stored slope."""
        return span(min(self.slopes), max(self.slopes))

    @property
    def slope_drives(self):
        """Whether the slope's bits select the rows, rather than the offset's."""
        return self.paired or min(self.slopes) >= 0 and self.slope_shape.width < self.offset_bits

    @property
    def rows(self):
        """Conditional additions of the product in logic."""
        if self.flat or self.lines.multiplier != "logic":
            return 0
        return self.slope_shape.width if self.slope_drives else self.offset_bits

    @cached_property
    def digits(self):
        """Tables for `ShiftAdd`: for each digit, a segment's shifts (0: none, else position + 1) and signs."""
        digits = [signed_digits(slope) for slope in self.slopes]
        padded = [list(one) + [(-1, False)] * (max(map(len, digits)) - len(one)) for one in digits]
        return tuple(
            (tuple(position + 1 for position, _ in column), tuple(int(minus) for _, minus in column))
            for column in zip(*padded)
        )

    @property
    def operand_range(self):
        """Range of what a row adds."""
        if self.slope_drives:
            return -self.paired << self.offset_bits, (1 << self.offset_bits) - 1
        return min(0, *self.slopes), max(0, *self.slopes)

    def row_range(self, row):
        """Range of the accumulator before a row (its bits below the row's weight retired)."""
        least = most = self.start
        low, high = self.operand_range
        for _ in range(row):
            least, most = (least + low) >> 1, (most + high) >> 1
        return least, most

    @property
    def total_range(self):
        """Range of the scaled product with the starting value, in units of ``2**ending``."""
        if self.rows == 0:
            reach = (1 << self.offset_bits) - 1
            ends = [slope * reach + self.start for slope in (*self.operand_range, 0)] + [self.start]
            return min(ends) >> self.ending, max(ends) >> self.ending
        least, most = self.row_range(self.rows)
        if self.ending >= self.rows:
            return least >> (self.ending - self.rows), most >> (self.ending - self.rows)
        kept = self.rows - self.ending
        return least << kept, ((most + 1) << kept) - 1

    @property
    def sum_range(self):
        """Range of the sum, in units of ``2**ending``."""
        least, most = self.total_range
        return least + min(self.intercepts), most + max(self.intercepts)

    @property
    def output_range(self):
        """Bounds of the output g that the circuit can produce, whatever its inputs are."""
        least, most = self.sum_range
        return least >> self.fraction, most >> self.fraction


class Rows(wiring.Component):
    """Some rows of a product: one conditional addition each, after which the lowest bit retires.

    Row i turns the accumulator into ``(accumulator + (operand if driver[i] else 0)) / 2``. Adding
    first and selecting afterwards lets an adder cell do both.

    Parameters
    ----------
    plan : ProductPlan
    first, last : int
        Rows ``first <= i < last``.
    carry_cells : str
        As in `Design`.

    Members
    -------
    accumulator : In
        Absent for the first row of a product, which starts from a constant.
    driver : In
        Bits that select, of the rows concerned.
    operand : In
    retired : In
        Bits retired by earlier rows that the sum still needs; absent where there are none.
    result : Out
        Accumulator behind these rows; absent for the last ones.
    kept : Out
        `retired` and the bits that these rows add to it; absent where there are none, and for the last ones.
    total : Out
        Product and starting value, in units of ``2**ending``; of the last rows alone.
    """

    def __init__(self, plan, first, last, carry_cells=""):
        self._plan, self._carry_cells = plan, carry_cells
        self._rows = range(first, last)
        ports = {"driver": In(last - first), "operand": In(span(*plan.operand_range))}
        if first:
            ports["accumulator"] = In(span(*plan.row_range(first)))
        if first > plan.ending:
            ports["retired"] = In(first - plan.ending)
        if last == plan.rows:
            ports["total"] = Out(span(*plan.total_range))
        else:
            ports["result"] = Out(span(*plan.row_range(last)))
            if last > plan.ending:
                ports["kept"] = Out(last - plan.ending)
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        accumulator = self.accumulator if self._rows.start else Const(plan.start, span(plan.start, plan.start))
        bits = [self.retired] if hasattr(self, "retired") else []
        low, high = plan.operand_range
        for row in self._rows:
            least, most = plan.row_range(row)
            total = Signal(span(least + low, most + high), name=f"row_{row}")
            self._add(m, total, accumulator, self.driver[row - self._rows.start])
            if row >= plan.ending:
                bits.append(total[0])
            accumulator = total >> 1
        if self._rows.stop < plan.rows:
            m.d.comb += self.result.eq(accumulator)
            if bits:
                m.d.comb += self.kept.eq(Cat(*bits))
        else:
            whole = Cat(*bits, accumulator)
            whole = whole.as_signed() if accumulator.shape().signed else whole
            m.d.comb += self.total.eq(whole >> max(plan.ending - plan.rows, 0))
        return m

    def _add(self, m, total, accumulator, driver):
        """Drive `total` with one row."""
        plan, operand = self._plan, self.operand
        inverts, falls = plan.falling and plan.slope_drives, plan.falling and not plan.slope_drives
        if self._carry_cells:
            inverted = (len(total) if operand.shape().signed else len(operand)) if inverts else 0
            m.submodules[f"add_{total.name}"] = adder = AddIf(len(total), falls, inverted)
            m.d.comb += [adder.a.eq(accumulator), adder.b.eq(operand), adder.enable.eq(driver), total.eq(adder.sum)]
            return
        added = accumulator + (~operand if inverts else operand)
        m.d.comb += total.eq(Mux(~driver if falls else driver, added, accumulator))


class Multiply(wiring.Component):
    """A whole product by a multiplication operator, for DSP blocks.

    Parameters
    ----------
    plan : ProductPlan

    Members
    -------
    slope, offset : In
    total : Out
        Product and starting value, in units of ``2**ending``.
    """

    def __init__(self, plan):
        self._plan = plan
        super().__init__(
            {
                "slope": In(plan.slope_shape),
                "offset": In(plan.offset_bits),
                "total": Out(span(*plan.total_range)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        offset = ~self.offset if plan.falling else self.offset
        m.d.comb += self.total.eq((self.slope * offset + plan.start) >> plan.ending)
        return m


class ShiftAdd(wiring.Component):
    """A whole product as a sum of shifted offsets, one for every signed digit of the slope.

    Parameters
    ----------
    plan : ProductPlan

    Members
    -------
    offset : In
    shift_K, minus_K : In
        For digit K, one more than its exponent, or 0 where the slope has no such digit; and its sign.
    total : Out
        Product and starting value, in units of ``2**ending``.
    """

    def __init__(self, plan):
        self._plan = plan
        ports = {name: In(span(min(table), max(table))) for name, table in self.tables(plan).items()}
        super().__init__({"offset": In(plan.offset_bits), "total": Out(span(*plan.total_range)), **ports})

    @staticmethod
    def tables(plan):
        """Entries of the tables that the digits come from, by port."""
        tables = {}
        for k, (shifts, signs) in enumerate(plan.digits):
            tables |= {f"shift_{k}": shifts, f"minus_{k}": signs}
        return tables

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        offset = ~self.offset if plan.falling else self.offset
        total = Const(plan.start, span(plan.start, plan.start))
        for k, (shifts, signs) in enumerate(plan.digits):
            term = Signal(plan.offset_bits + max(shifts), name=f"term_{k}")
            with m.Switch(getattr(self, f"shift_{k}")):
                for shift in sorted(set(shifts) - {0}):
                    with m.Case(shift):
                        m.d.comb += term.eq(offset << (shift - 1))
            minus = getattr(self, f"minus_{k}")
            total = total + Mux(minus, -term, term) if any(signs) else total + term
        m.d.comb += self.total.eq(total >> plan.ending)
        return m


class Finish(wiring.Component):
    """Add the intercept and drop the fraction.

    Parameters
    ----------
    plan : ProductPlan
    decrement : bool
        Give ``g - 1`` instead of g where `negative` is set; the plan then has no fraction. The
        intercept's table holds one less, and the carry makes up for it in the positive half.

    Members
    -------
    total : In
        Product, in units of ``2**ending``; absent where there is none.
    intercept : In
    negative : In(1)
        Present with `decrement`.
    g : Out
    """

    def __init__(self, plan, decrement=False):
        self._plan = plan
        self._decrement = decrement
        stored = plan.intercepts
        ports = {
            "intercept": In(span(min(stored) - decrement, max(stored) - decrement)),
            "g": Out(span(plan.output_range[0] - decrement, plan.output_range[1])),
        }
        if not plan.flat:
            ports["total"] = In(span(*plan.total_range))
        if decrement:
            ports["negative"] = In(1)
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        addend = Const(0) if self._plan.flat else self.total
        if self._decrement:
            # A one below the last bit turns the flag into the adder's carry.
            total = (_with_carry(self.intercept, 1) + _with_carry(addend, ~self.negative)) >> 1
        else:
            total = self.intercept + addend
        m.d.comb += self.g.eq(total >> self._plan.fraction)
        return m


class FinishOdd(wiring.Component):
    """Add the intercept, and mirror what an odd fold has halved, in one adder.

    The table holds ``c - 1`` for the upright half, where ``c - 1 + p + 1`` is the sum, and ``constant - c`` for the
    mirrored one, from which p is subtracted. They are each other's complement, but for the constant.

    Parameters
    ----------
    plan : ProductPlan
        Not flat, and without a fraction.
    constant : int
        As in `Fold`.
    output : Format

    Members
    -------
    total : In
        Product, in units of ``2**ending``.
    intercept : In
        From the table that suits `negative`.
    negative : In(1)
    g : Out
        Output code.
    """

    def __init__(self, plan, constant, output):
        values = (*self.upright(plan), *self.mirrored(plan, constant))
        super().__init__(
            {
                "total": In(span(*plan.total_range)),
                "intercept": In(span(min(values), max(values))),
                "negative": In(1),
                "g": Out(span(output.min_code, output.max_code)),
            }
        )

    @staticmethod
    def upright(plan):
        """The intercept's table."""
        return tuple(c - 1 for c in plan.intercepts)

    @staticmethod
    def mirrored(plan, constant):
        """The intercept's table for the mirrored half."""
        return tuple(constant - c for c in plan.intercepts)

    def elaborate(self, platform):
        m = Module()
        m.submodules.subtract = adder = Subtract(len(self.g))
        m.d.comb += [adder.a.eq(self.intercept), adder.b.eq(self.total), adder.enable.eq(self.negative)]
        m.d.comb += self.g.eq(adder.sum)
        return m


def _with_carry(value, bit):
    """`value` with one more bit below it, of the same signedness."""
    longer = Cat(bit, value) if isinstance(bit, Value) else Cat(Const(bit, 1), value)
    return longer.as_signed() if value.shape().signed else longer
