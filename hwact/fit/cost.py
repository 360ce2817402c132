"""A quick estimate of a channel's size in four-input LUTs, to rank candidates before any synthesis."""

import numpy as np

__all__ = ["cost", "dyadic_select", "free_select", "table_luts"]

#: What a mapped table takes, against the tree of multiplexers that is counted: as cases, and laid out beforehand.
CASE_FACTOR, LAID_OUT_FACTOR = 1.15, 0.88
#: Bits of a row beyond its operand's.
ROW_OVERHEAD = 1.5


def table_luts(columns):
    """Four-input LUTs for a table of constants, as a multiplexer tree that shares equal sub-tables.

    Parameters
    ----------
    columns : numpy.ndarray of bool, shape (bits, entries)
        One row an output bit.
    """
    bits, entries = columns.shape
    size = max(16, 1 << (entries - 1).bit_length())
    padded = np.zeros((bits, size), dtype=np.uint8)
    padded[:, :entries] = columns
    padded[:, entries:] = columns[:, -1:]
    total = 0
    leaves = np.packbits(padded.reshape(bits, -1, 16), axis=2).view(">u2")[..., 0].astype(np.int64)
    nodes = np.minimum(leaves, 0xFFFF - leaves) * 2 + (leaves > 0x7FFF)  # up to complement, and the sign
    total += _different(nodes >> 1, nodes >> 1 != 0)
    while nodes.shape[1] > 1:
        pairs, numbers = np.unique(nodes[:, ::2] << 32 | nodes[:, 1::2], return_inverse=True)
        total += int((pairs >> 32 != pairs & 0xFFFFFFFF).sum())
        nodes = numbers.reshape(bits, -1)
    return total


def _different(values, counted):
    return len(np.unique(values[counted]))


def _bits(values):
    """Columns (LSB first) of integers in two's complement, constant columns left out."""
    values = np.asarray(values, dtype=np.int64)
    width = int(max(abs(int(values.min())), abs(int(values.max())), 1)).bit_length() + 1
    columns = (values[None, :] >> np.arange(width)[:, None]) & 1 == 1
    varies = columns.any(axis=1) & ~columns.all(axis=1)
    return columns[varies]


def _table(values):
    """LUTs of one table, whose flat tail is cut off at a power of two."""
    flat = len(values) - 1
    while flat and values[flat - 1] == values[-1]:
        flat -= 1
    columns = _bits(values[: 1 << flat.bit_length()])
    return float(table_luts(columns)) if len(columns) else 0.0


def cost(fold, core, input, output, beside=None, lut_inputs=0):
    """Estimated LUT4s of a channel.

    Parameters
    ----------
    fold : Fold
    core : Lines or Table
    input, output : Format
    beside : Fold or None
        Fold of another channel of the same unit: the same index costs nothing more.
    lut_inputs : int
        As in `Design`.

    Returns
    -------
    float
    """
    # What is laid out beforehand cannot take in the inversions of a fold.
    folding = {"none": 0.0, "negate": input.width, "complement": input.width / (1 if lut_inputs else 2)}[fold.index]
    factor = LAID_OUT_FACTOR if lut_inputs else CASE_FACTOR
    if beside is not None and beside.index == fold.index:
        folding = 0.0
    ramp = output.width if fold.restore.startswith("ramp") else 0.0
    mirror = output.width if fold.restore == "odd" else 0.0
    if core.method == "table":
        return folding + ramp + mirror + min(factor, 1.0) * _table(core.entries)
    return folding + ramp + _lines(core, input, output, factor)


def free_select(segments, input):
    """Estimated LUT4s that find one of so many segments with free breakpoints."""
    return segments * input.width * 0.6


def dyadic_select(segments):
    """Estimated LUT4s that find one of so many dyadic segments."""
    return segments * 1.2


def _lines(lines, input, output, factor):
    offset_bits = lines.offset_bits
    select = 0.0
    if lines.segmentation == "free":
        select = free_select(lines.segments, input) + (input.width * 1.5 if offset_bits else 0)
    elif lines.segmentation == "dyadic":
        select = dyadic_select(lines.segments) + offset_bits
    reach = max(abs(m) for m in lines.slopes)
    both_signs = min(lines.slopes) < 0 < max(lines.slopes)
    zeros = min(((m & -m).bit_length() - 1 for m in lines.slopes if m), default=0)
    slope_bits = max(reach.bit_length() + both_signs - zeros, 0)
    rows = offset_bits if both_signs else min(offset_bits, slope_bits)
    product = rows * (max(offset_bits, slope_bits) + ROW_OVERHEAD + both_signs)
    intercepts = lines.intercepts
    if lines.joints is not None:
        product = slope_bits * (offset_bits + 2 + ROW_OVERHEAD)
        odd = lines.starts[0] // lines.sizes[0] % 2
        intercepts = (*lines.joints[:odd], *lines.joints[odd::2])
    tables = _table(lines.slopes) + _table(intercepts)
    return select + product + factor * tables + output.width
