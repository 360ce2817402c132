"""Tables that every check loads, the codes it drives, and the transfers that load, read and swap them."""

import random

import numpy as np

from .design import Contents
from .registers import (
    ACTIVE,
    CONTROL,
    SEGMENT,
    SHADOW,
    STATUS,
    UNIT,
    WORD,
    window_bytes,
    word_fields,
    writes_of,
)

__all__ = ["BARRIER", "codes_of", "order_of", "probes", "transfers"]

#: Kinds of transfers, as simulate.cc knows them.
WRITE, WRITE_ERROR, READ, READ_ERROR, SWAP, BARRIER = range(6)
#: How often all tables are swapped to once more, without a pause between a swap and the writes that follow.
ROUNDS = 2
#: Codes that are driven: all of them where there are no more.
MAX_CODES = 1 << 16


def probes(design, seed=1):
    """Tables that between them take every branch (list of Contents).

    The number of the segment; lines of every slope within the output's range; the extremes of all numbers, which
    the clamp must catch; numbers at random, with starts that do not rise.
    """
    draw = random.Random(seed)
    n, half = design.segments, 1 << design.intercept_bits - 1
    low, high = design.domain
    rising = lambda: (low, *sorted(draw.sample(range(low + 1, high + 1), n - 1)))
    any_slope = lambda: draw.randint(design.slope.min_code, design.slope.max_code)
    numbers = tuple(min(design.output.min_code + k, design.output.max_code) << design.shift for k in range(n))
    lines = rising()
    slopes = tuple(any_slope() >> draw.randrange(design.slope.width) for _ in lines)
    heights = (draw.randint(design.output.min_code, design.output.max_code) << design.shift for _ in lines)
    through = tuple(max(-half, min(y - m * x, half - 1)) for x, m, y in zip(lines, slopes, heights))
    ends = (design.slope.min_code, design.slope.max_code), (-half, half - 1)
    extremes = (tuple(draw.choice(pair) for _ in range(n)) for pair in ends)
    noise = (tuple(draw.randint(*pair) for _ in range(n)) for pair in ((low, high), ends[0], ends[1]))
    return [
        Contents(rising(), (0,) * n, numbers),
        Contents(lines, slopes, through),
        Contents(rising(), *extremes),
        Contents(*noise),
    ]


def codes_of(design, tables):
    """Input codes to drive: every one, or of more than `MAX_CODES` those around all starts, the ends and even ones."""
    low, high = design.domain
    if high - low < MAX_CODES:
        return design.codes()
    starts = np.array([start for table in tables for start in table.starts], dtype=np.int64)
    near = (starts[:, None] + np.arange(-2, 3)).ravel()
    even = np.linspace(low, high, MAX_CODES - len(near), dtype=np.int64)
    return np.unique(np.concatenate([near.clip(low, high), even]))


def order_of(tables):
    """Number of the table that each swap of `transfers` leads to."""
    return [*range(len(tables))] * (1 + ROUNDS)


def transfers(design, tables, seed=1):
    """Transfers that load each table, read it back, swap to it under traffic and let every code through.

    Rows of kind, address, data and strobes. Some words are written in two parts; between them are transfers that
    must fail. At the end tables follow each other as fast as the bus can, so that writes meet codes in flight.
    """
    draw = random.Random(seed)
    size, rows = window_bytes(design), []
    words = lambda table, number: writes_of(design, table, draw.getrandbits(WORD) | number)
    read = lambda address, data: rows.append((READ, address, data, 15))
    for number, table in enumerate(tables, 1):
        written = words(table, number)
        for address, data in draw.sample(written, len(written)):
            rows += _write(draw, address, data)
            if draw.random() < 0.2:
                rows.append(_failing(design, draw))
        for address, data in written:
            read(address, data)
        rows.append((SWAP, 4 * CONTROL, 1 | draw.getrandbits(WORD), 15))
        rows.append((BARRIER, 0, 0, 0))
        read(4 * STATUS, number & 1)
        read(4 * UNIT, int(design.digest[:8], 16))
        for address, data in written:
            read(address - SHADOW * size + ACTIVE * size, data)
        # A swap that is not one: its byte is not written, or its bit is zero.
        rows += [(WRITE, 4 * CONTROL, 1, 14), (WRITE, 4 * CONTROL, 2, 15)]
        read(4 * STATUS, number & 1)
    for _ in range(ROUNDS):
        for table in tables:
            written = words(table, 0)
            rows += [(WRITE, address, data, 15) for address, data in draw.sample(written, len(written))]
            rows.append((SWAP, 4 * CONTROL, 1, 15))
    return [*rows, (BARRIER, 0, 0, 0)]


def _write(draw, address, data):
    """A word as a whole, or in two parts, the bytes of the other part at random."""
    if draw.random() < 0.7:
        return [(WRITE, address, data, 15)]
    part = draw.randrange(16)
    mask = sum(255 << 8 * byte for byte in range(4) if part >> byte & 1)
    noise = draw.getrandbits(WORD)
    return [
        (WRITE, address, data & mask | noise & ~mask, part),
        (WRITE, address, data & ~mask | noise & mask, 15 - part),
    ]


def _failing(design, draw):
    """A transfer to an address without a register, or a write to one that is read only."""
    size = window_bytes(design)
    any_word = SEGMENT * draw.randrange(design.segments) + 4 * draw.randrange(4)
    places = [(3 * size + any_word, READ_ERROR), (3 * size + any_word, WRITE_ERROR)]
    places += [
        (ACTIVE * size + any_word, WRITE_ERROR),
        (4 * STATUS, WRITE_ERROR),
        (SEGMENT, READ_ERROR),
        (SEGMENT, WRITE_ERROR),
    ]
    absent = [word for word in range(4) if word not in word_fields(design)]
    for word in absent:
        places += [(SHADOW * size + 4 * word, kind) for kind in (READ_ERROR, WRITE_ERROR)]
    if design.segments < 1 << design.levels:
        beyond = SHADOW * size + SEGMENT * design.segments
        places += [(beyond, READ_ERROR), (beyond, WRITE_ERROR)]
    address, kind = draw.choice(places)
    return kind, address, draw.getrandbits(WORD), 15
