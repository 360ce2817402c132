"""What a channel's circuit is made of, in counts that its area is about proportional to.

The counts follow the circuits of `hwact.rtl`; what a count is worth on a family of devices is measured (`model`).
"""

from typing import NamedTuple

import numpy as np

from ..fixed import signed_digits

__all__ = ["Features", "table_nodes", "unit_features"]

#: Bits of the smallest product that synthesis puts into a multiplier block.
_LEAST_PRODUCT = 11


class Features(NamedTuple):
    """Counts of one channel or, added up, of a unit.

    Parameters
    ----------
    channels : float
        1 for every channel.
    negate, complement : float
        Bits of an index that such a fold makes, once for all channels that share it.
    ramp, mirror, correct : float
        Output bits behind a fold: added ramps, inversions, and additions of a constant behind an inversion.
    table : float
        Nodes of a stored function's table, as a tree of multiplexers.
    coefficients : float
        Nodes of the tables of slopes and intercepts.
    first_row, rows : float
        Bits of the first row of a product, and of all others.
    finish : float
        Bits of the addition of the intercept.
    compare, segments, subtract : float
        Of freely placed segments: bits compared, segments joined, and bits of the offset's subtraction.
    blocks : float
        Dyadic blocks that are recognised.
    digits, terms : float
        Of a product by shifts and additions: bits of the terms, times their choices, and bits added.
    clamp : float
        Bits that a saturating output compares and selects.
    dsps : float
        Products in multiplier blocks.
    """

    channels: float = 0.0
    negate: float = 0.0
    complement: float = 0.0
    ramp: float = 0.0
    mirror: float = 0.0
    correct: float = 0.0
    table: float = 0.0
    coefficients: float = 0.0
    first_row: float = 0.0
    rows: float = 0.0
    finish: float = 0.0
    compare: float = 0.0
    segments: float = 0.0
    subtract: float = 0.0
    blocks: float = 0.0
    digits: float = 0.0
    terms: float = 0.0
    clamp: float = 0.0
    dsps: float = 0.0

    def plus(self, other):
        """Both counts together."""
        return Features(*(a + b for a, b in zip(self, other)))


def table_nodes(columns):
    """Four-input leaves and two-way multiplexers of tables of constants, where equal and inverted ones are shared.

    Parameters
    ----------
    columns : numpy.ndarray of bool, shape (bits, entries)
        One row an output bit.
    """
    bits, entries = columns.shape
    if not bits:
        return 0
    size = max(16, 1 << (entries - 1).bit_length())
    padded = np.empty((bits, size), dtype=np.uint8)
    padded[:, :entries] = columns
    padded[:, entries:] = columns[:, -1:]
    leaves = np.packbits(padded.reshape(bits, -1, 16), axis=2).view(">u2")[..., 0].astype(np.int64)
    sign = leaves >> 15
    leaves = leaves ^ (sign * 0xFFFF)
    found, number = np.unique(leaves, return_inverse=True)
    total = len(found) - int(found[0] == 0)
    nodes = number.reshape(leaves.shape) * 2 + sign
    while nodes.shape[1] > 1:
        left, right = nodes[:, ::2], nodes[:, 1::2]
        sign = left & 1
        keys = ((left ^ sign) << 32) | (right ^ sign)
        found, number = np.unique(keys, return_inverse=True)
        total += int((found >> 32 != found & 0xFFFFFFFF).sum())
        nodes = number.reshape(left.shape) * 2 + sign
    return total


def _columns(values):
    """Columns (lowest bit first) of integers in two's complement, constant and repeated ones left out."""
    reach = max(int(values.max()), ~int(values.min()), 0)
    columns = (values[None, :] >> np.arange(reach.bit_length() + 1)[:, None]) & 1 == 1
    return columns[columns.any(axis=1) & ~columns.all(axis=1)]


def _tables(tables, first=0):
    """Nodes of tables with one address, whose common flat tail is cut off at a power of two."""
    tables = [np.asarray(entries, dtype=np.int64) for entries in tables]
    flat = 0
    for entries in tables:
        changes = np.flatnonzero(entries[1:] != entries[:-1])
        flat = max(flat, int(changes[-1]) + 1 if changes.size else 0)
    kept = min((1 << (first + flat).bit_length()) - first, len(tables[0]))
    columns = np.concatenate([_columns(entries[:kept]) for entries in tables])
    return float(table_nodes(np.pad(columns, ((0, 0), (first, 0)), mode="edge") if first else columns))


def _ending(values, most):
    """Low bits in which all integers agree, at most `most`."""
    differing = int(np.bitwise_or.reduce(values ^ values[0]))
    return min((differing & -differing).bit_length() - 1, most) if differing else most


def _bits(least, most):
    """Bits of integers in a range, the sign included."""
    return max(most, ~least, 0).bit_length() + (least < 0)


def unit_features(input, domain, channels):
    """Counts of a unit.

    Parameters
    ----------
    input : Format
    domain : (int, int)
        First and last input code.
    channels : sequence of Channel

    Returns
    -------
    Features
    """
    total = Features()
    for k, channel in enumerate(channels):
        u_width = max(channel.fold.index_range(input, domain)[1].bit_length(), 1)
        total = total.plus(_channel(channel, u_width, channels[:k]))
    return total


def _channel(channel, u_width, beside):
    """Counts of one channel; what it shares with those beside it costs nothing more."""
    fold, core, output = channel.fold, channel.core, channel.format
    counts = {"channels": 1.0}
    if fold.index != "none" and all(other.fold.index != fold.index for other in beside):
        counts[fold.index] = u_width
    plain = fold.restore == "odd" and fold.constant % (1 << output.width) == 0
    if core.method == "table":
        counts["table"] = _tables([core.entries], core.start)
        decremented = False
    else:
        decremented = _lines(counts, channel, u_width, plain and not channel.saturate, beside)
    if fold.restore.startswith("ramp"):
        counts["ramp"] = output.width
    elif fold.restore == "odd":
        counts["mirror" if decremented or (fold.constant + 1) % (1 << output.width) == 0 else "correct"] = output.width
    if channel.saturate:
        counts["clamp"] = output.width
    return Features(**counts)


def _lines(counts, channel, u_width, plain, beside):
    """Add the counts of straight segments; return whether a mirrored half comes decremented."""
    lines = channel.core
    slopes, offset_bits = np.array(lines.slopes, dtype=np.int64), lines.offset_bits
    together = int(np.bitwise_or.reduce(slopes))
    trailing = min((together & -together).bit_length() - 1, lines.shift) if together else lines.shift
    falling = slopes.max() <= 0 > slopes.min()
    joints = lines.joints
    whole = np.array(lines.intercepts if joints is None else joints, dtype=np.int64)
    if joints is None and falling:
        whole = whole + slopes * ((1 << offset_bits) - 1)
    whole, slopes = whole >> trailing, (-slopes if falling else slopes) >> trailing
    ending = _ending(whole, lines.shift - trailing)
    fraction = lines.shift - trailing - ending
    stored, flat = whole >> ending, offset_bits == 0 or not together
    decremented = plain and fraction == 0
    counts["coefficients"] = _coefficients(lines, slopes, stored - decremented, flat)
    if not flat or decremented:
        counts["finish"] = _bits(int(stored.min()), int(stored.max()))
    if not flat:
        _product(counts, lines, slopes, offset_bits, joints is not None)
    if not any(_same_segments(channel, other) for other in beside):
        if lines.segmentation == "dyadic":
            counts["blocks"] = float(lines.segments)
        elif lines.segmentation == "free":
            counts["compare"], counts["segments"] = float((lines.segments - 1) * u_width), float(lines.segments - 1)
    if lines.segmentation == "free" and not flat:
        counts["subtract"] = float(u_width)
    return decremented


def _same_segments(channel, other):
    def found_by(one):
        return one.core.method == "pwl" and (one.fold.index, one.core.segmentation, one.core.starts)

    return found_by(channel) == found_by(other)


def _coefficients(lines, slopes, stored, flat):
    """Nodes of the tables of a piecewise-linear channel."""
    first = lines.starts[0] >> lines.offset_bits if lines.segmentation == "uniform" else 0
    if lines.joints is not None:
        odd = first % 2  # a pair's two segments share an entry: the address's lowest bit does not count
        pairs = np.concatenate([stored[:odd], stored[odd::2]])
        return _tables([pairs], first // 2) + _tables([slopes], first)
    tables = [stored]
    if lines.segmentation == "free" and not flat:
        tables.append(np.array(lines.starts))
    if not flat:
        tables.append(slopes)
    return _tables(tables, first)


def _product(counts, lines, slopes, offset_bits, paired):
    """Add the counts of the multiplication."""
    if lines.multiplier == "shift-add":
        digits = max(len(signed_digits(slope)) for slope in set(slopes.tolist()))
        width = offset_bits + int(np.abs(slopes).max()).bit_length()
        counts["digits"], counts["terms"] = float(digits * width), float(max(digits - 1, 0) * width)
        return
    slope_width = _bits(int(slopes.min()), int(slopes.max()))
    if lines.multiplier == "dsp" and slope_width + offset_bits >= _LEAST_PRODUCT:
        counts["dsps"] = 1.0
        return
    if paired or slopes.min() >= 0 and slope_width < offset_bits:
        rows, width = slope_width, offset_bits + paired
    else:
        rows, width = offset_bits, slope_width
    counts["first_row"], counts["rows"] = float(width), float((rows - 1) * (width + 1))
