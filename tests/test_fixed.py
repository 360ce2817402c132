"""Fixed-point formats against arithmetic with fractions."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwact.errors import RequestError
from hwact.fixed import ROUNDING_MODES, SQ, UQ, Format, round_shift


def rounded(value, mode):
    """A fraction rounded to an integer, from the definition of the mode."""
    low, high = math.floor(value), math.ceil(value)
    if mode in ("floor", "ceil"):
        return low if mode == "floor" else high
    if mode == "zero":
        return low if value > 0 else high
    if value - low != Fraction(1, 2):
        return low if value - low < Fraction(1, 2) else high
    tie = {"half_up": high, "half_down": low, "half_even": low if low % 2 == 0 else high}
    return tie[mode] if mode in tie else (low if value < 0 else high)


def fitted(code, format, overflow):
    if overflow == "wrap":
        return (code - format.min_code) % (1 << format.width) + format.min_code
    return min(max(code, format.min_code), format.max_code)


@st.composite
def formats(draw, widest=32):
    width, frac_bits = draw(st.integers(1, widest)), draw(st.integers(-40, 72))
    return Format(draw(st.booleans()), width - frac_bits, frac_bits)


def some_codes(format, seed=1):
    """Every code of a narrow format; ends, middle and random ones of a wide one."""
    if format.width <= 8:
        return format.codes()
    draw = random.Random(seed)
    ends = [
        format.min_code,
        format.min_code + 1,
        -1,
        0,
        1,
        format.max_code // 2,
        format.max_code - 1,
        format.max_code,
    ]
    return np.array(
        [c for c in ends if format.contains(c)]
        + [draw.randint(format.min_code, format.max_code) for _ in range(40)]
    )


# -- rounding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ROUNDING_MODES)
@pytest.mark.parametrize("shift", range(-3, 8))
def test_round_shift_equals_fractions_on_every_nine_bit_integer(mode, shift):
    """Each mode, ties and signs included."""
    codes = np.arange(-256, 257)
    expected = [rounded(Fraction(int(code)) / Fraction(2) ** shift, mode) for code in codes]
    assert round_shift(codes, shift, mode).tolist() == expected


@given(st.integers(-(2**61), 2**61), st.integers(1, 62), st.sampled_from(ROUNDING_MODES), st.integers(-1, 1))
def test_round_shift_is_exact_on_large_integers_and_near_ties(code, shift, mode, beside):
    """No intermediate value overflows."""
    for number in (code, (code >> shift << shift) + (1 << shift - 1) + beside):
        if abs(number) < 2**62:
            expected = rounded(Fraction(number, 1 << shift), mode)
            assert int(round_shift(number, shift, mode)) == expected


def test_round_shift_keeps_the_shape():
    """Scalars, matrices and empty arrays."""
    assert round_shift(7, 1).shape == ()
    assert round_shift([[1, 2], [3, 4]], 1).tolist() == [[0, 1], [1, 2]]
    assert round_shift([], 3).shape == (0,)


def test_round_shift_refuses_unknown_modes_and_long_shifts():
    """One sentence each."""
    modes = "floor, ceil, zero, half_up, half_down, half_away, half_even"
    with pytest.raises(RequestError, match=f"^Rounding mode must be one of {modes}, not 'nearest'$"):
        round_shift(1, 1, "nearest")
    with pytest.raises(RequestError, match=r"^Rounding mode must be one of .*, not \[\]$"):
        round_shift(1, 1, [])
    with pytest.raises(RequestError, match="^Shift must be at most 62, not 63$"):
        round_shift(1, 63)


# -- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", range(1, 33))
@pytest.mark.parametrize("signed", [False, True])
def test_format_has_the_codes_of_its_width(width, signed):
    """Range, text and bit patterns, from width 1 to 32 and with any place of the point."""
    for frac_bits in (0, width, width + 3, -2):
        format = Format(signed, width - frac_bits, frac_bits)
        assert (format.width, format.max_code - format.min_code + 1) == (width, 1 << width)
        assert format.min_code == (-(1 << width - 1) if signed else 0)
        assert format.ulp == Fraction(2) ** -frac_bits
        assert Fraction(format.max_value) == format.max_code * format.ulp
        assert Fraction(format.min_value) == format.min_code * format.ulp
        assert Format.parse(str(format)) == format == eval(repr(format))
        codes = some_codes(format)
        assert format.to_bits(codes).tolist() == [code % (1 << width) for code in codes.tolist()]
        assert format.from_bits(format.to_bits(codes)).tolist() == codes.tolist()


def test_formats_are_hashable_ordered_values():
    """Equal formats are one key."""
    assert {SQ(4, 4): 1}[Format(True, 4, 4)] == 1
    assert sorted([SQ(1, 2), UQ(1, 2)]) == [UQ(1, 2), SQ(1, 2)]


@pytest.mark.parametrize(
    ("text", "format"),
    [("SQ4.12", SQ(4, 12)), (" uq0.16 ", UQ(0, 16)), ("UQ-2.10", UQ(-2, 10)), ("sQ9.-3", SQ(9, -3))],
)
def test_parse_reads_formats(text, format):
    """Either case, negative numbers, spaces around."""
    assert Format.parse(text) == format
    assert Format.parse(format) is format


@pytest.mark.parametrize(
    "text", ["", "Q4.4", "SQ4", "SQ4.4.4", "SQ 4.4", "SQ4,4", "SQ+4.4", "SQ4.4\nx", "SQ99999.1", 8, None]
)
def test_parse_refuses_what_is_not_a_format(text):
    """The sentence shows how formats are written."""
    with pytest.raises(RequestError) as caught:
        Format.parse(text)
    assert str(caught.value) == f"Format must be written like SQ4.12 or UQ0.16, not {text!r}"


def test_invalid_formats_never_exist():
    """Width, kinds and the reach of the point are checked when a format is made."""
    for format, width in ((lambda: SQ(1, -1), 0), (lambda: UQ(20, 13), 33), (lambda: SQ(-9, 4), -5)):
        with pytest.raises(RequestError, match=rf"^Format width must be 1 to 32 bits, not {width} \("):
            format()
    with pytest.raises(RequestError, match=r"^Format width must be 1 to 32 bits, not 33 \(SQ1\.32\)$"):
        Format.parse("SQ1.32")
    with pytest.raises(RequestError, match="^Format frac_bits must be -256 to 256, not 300$"):
        SQ(-290, 300)
    with pytest.raises(TypeError, match="^Format int_bits must be an integer, not 4.0$"):
        SQ(4.0, 4)
    with pytest.raises(TypeError, match="^Format frac_bits must be an integer, not True$"):
        SQ(4, True)
    with pytest.raises(TypeError, match="^Signedness must be a bool, not 1$"):
        Format(1, 4, 4)


# -- codes and values --------------------------------------------------------------------------


@given(formats())
def test_codes_survive_the_way_to_values_and_back(format):
    """Values are exact, whatever the rounding."""
    codes = some_codes(format)
    values = format.to_value(codes)
    assert [Fraction(v) for v in values.tolist()] == [c * format.ulp for c in codes.tolist()]
    for mode in ROUNDING_MODES:
        assert format.to_code(values, mode, "error").tolist() == codes.tolist()


@given(
    formats(),
    st.lists(st.integers(-(2**45), 2**45), min_size=1, max_size=20),
    st.sampled_from(ROUNDING_MODES),
    st.sampled_from(["saturate", "wrap"]),
)
def test_values_become_codes_as_fractions_say(format, eighths, mode, overflow):
    """Rounding and overflow of values on a grid of an eighth of an ulp, ties included."""
    values = [float(k * format.ulp / 8) for k in eighths]
    expected = [fitted(rounded(Fraction(k, 8), mode), format, overflow) for k in eighths]
    assert format.to_code(values, mode, overflow).tolist() == expected


def test_values_far_outside_saturate_and_infinities_too():
    """Clamping takes any float but NaN."""
    assert SQ(4, 4).to_code([math.inf, -math.inf, 1e300, -1e300]).tolist() == [127, -128, 127, -128]
    with pytest.raises(RequestError, match="^Value must be a number, not nan$"):
        SQ(4, 4).to_code([0.0, math.nan])
    with pytest.raises(RequestError, match="^Value must be within reach of SQ4.4, not .*inf"):
        SQ(4, 4).to_code(math.inf, overflow="wrap")


def test_overflow_is_saturate_wrap_or_error():
    """Each of them at the edge, and one sentence for any other."""
    assert SQ(2, 2).fit([-9, -8, 7, 8]).tolist() == [-8, -8, 7, 7]
    assert SQ(2, 2).fit([-9, -8, 7, 8], "wrap").tolist() == [7, -8, 7, -8]
    assert UQ(2, 2).fit([-1, 16], "wrap").tolist() == [15, 0]
    with pytest.raises(RequestError, match="^Code must be -8 to 7 in SQ2.2, not 8$"):
        SQ(2, 2).fit([7, 8], "error")
    with pytest.raises(RequestError, match="^Code must be 0 to 15 in UQ2.2, not -1$"):
        UQ(2, 2).to_code(-0.25, overflow="error")
    with pytest.raises(RequestError, match="^Overflow must be saturate, wrap or error, not 'clip'$"):
        SQ(2, 2).fit([0], "clip")


def test_codes_must_be_integers_of_the_format():
    """Kind and range, and an empty list passes."""
    for codes in ([1.0], [True], ["1"], [2**70]):
        with pytest.raises(TypeError, match="^Codes must be integers, not "):
            SQ(4, 4).check_codes(codes)
    with pytest.raises(RequestError, match="^Code must be -128 to 127 in SQ4.4, not 128$"):
        SQ(4, 4).to_value([0, 128])
    assert SQ(4, 4).check_codes([]).dtype == np.int64
    assert SQ(4, 4).check_codes(np.array([[3]], dtype=np.uint8)).tolist() == [[3]]


# -- conversion --------------------------------------------------------------------------------


@given(formats(), formats(), st.sampled_from(ROUNDING_MODES), st.sampled_from(["saturate", "wrap"]))
def test_conversion_between_formats_equals_fractions(source, to, mode, overflow):
    """From any format to any other, over every code or the corners."""
    codes = some_codes(source)
    scale = source.ulp / to.ulp
    expected = [fitted(rounded(code * scale, mode), to, overflow) for code in codes.tolist()]
    assert source.convert(codes, to, mode, overflow).tolist() == expected


@pytest.mark.parametrize("drop", [29, 30, 31, 32, 33, 64])
@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_conversion_by_long_left_shifts_is_exact(drop, overflow):
    """The widest formats, where shifted codes reach the last bit of a word."""
    for source, to in (
        (UQ(32, 0), UQ(32 - drop, drop)),
        (SQ(32, 0), SQ(32 - drop, drop)),
        (UQ(1, 0), UQ(32 - drop, drop)),
    ):
        codes = some_codes(source)
        expected = [fitted(code << drop, to, overflow) for code in codes.tolist()]
        assert source.convert(codes, to, overflow=overflow).tolist() == expected
