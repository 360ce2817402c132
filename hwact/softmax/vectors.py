"""Vectors that every check drives: the corners, every exponential, random ones."""

import random

__all__ = ["vectors"]

#: Offsets that are driven: all of them where there are no more.
MAX_OFFSETS = 1 << 12


def vectors(design, seed=1):
    """Lists of input codes, the same for the same design and seed.

    All equal, one hot, two-valued and evenly spread vectors of lengths 1, 2 and the longest; vectors that between
    them hold every offset (or `MAX_OFFSETS` evenly spaced ones); random lengths with random spreads.
    """
    draw = random.Random(seed)
    return [*_corners(design), *_offsets(design), *_random(design, draw)]


def _corners(design):
    low, high = design.input.min_code, design.input.max_code
    middle = (low + high) // 2
    for n in sorted({1, min(2, design.length), design.length}):
        yield from ([code] * n for code in (low, middle, high))
        yield [high] + [low] * (n - 1)
        yield [low] * (n - 1) + [high]
        yield [low + (high - low) * (k % 2) for k in range(n)]
        yield [low + (high - low) * k // max(n - 1, 1) for k in range(n)]


def _offsets(design):
    high, most = design.input.max_code, design.input.max_code - design.input.min_code
    count = min(most + 1, MAX_OFFSETS)
    offsets = [most * k // max(count - 1, 1) for k in range(count)]
    size = max(design.length - 1, 1)
    first = [high] * (design.length > 1)
    return [[*first, *(high - t for t in offsets[k : k + size])] for k in range(0, count, size)]


def _random(design, draw):
    low, high = design.input.min_code, design.input.max_code
    for _ in range(max(8, 2048 // design.length)):
        spread = (high - low) >> draw.randrange(design.input.width)
        bottom = draw.randint(low, high - spread)
        yield [draw.randint(bottom, bottom + spread) for _ in range(draw.randint(1, design.length))]
