"""Hand-made designs, one for every branch of the arithmetic, and random ones from a seed.

They approximate nothing: their numbers are chosen so that a wrong fold, clamp, shift or segment shows.
"""

import random
from dataclasses import replace

from hwact.design import Channel, Design, Fold, Lines, Shell, Table
from hwact.fixed import SQ, UQ

__all__ = ["hand_made", "random_design", "with_shell"]


def channel(core, format, *, name="y", fold=Fold(), saturate=False, mode="function"):
    return Channel(name, "f(x)", mode, format, "faithful", fold, core, saturate)


def design(name, input, *channels, domain=None):
    return Design(name, "f", input, domain or (input.min_code, input.max_code), channels)


def with_shell(design, interface, latency=None, reset="sync-high"):
    """The same design behind other ports."""
    if latency is None:
        latency = 0 if interface == "comb" else 3
    return replace(design, shell=Shell(interface, latency, reset))


def hand_made():
    """Designs by name, all combinational and, but for the wide one, of at most 4096 codes."""
    free = Lines("free", (0, 3, 40, 41, 200), 256, 3, (24, -5, 0, 7, -16), (-800, 90, 777, -9, 1000))
    dyadic = Lines(
        "dyadic", (0, 64, 96, 112, 120), 128, 5, (60, 33, -2, 0, -31), (15, 3000, 3900, 3850, 3840)
    )
    uniform = Lines(
        "uniform",
        tuple(range(0, 128, 16)),
        128,
        4,
        (16, 14, 11, 7, 3, 1, 0, 0),
        (8, 264, 488, 664, 776, 824, 840, 840),
    )
    offset = Lines("uniform", (32, 48), 64, 2, (9, -9), (-20, 140))
    one = Lines("free", (0,), 128, 0, (-1,), (5,))
    steep = Lines("free", (0, 5), 129, 1, (9, 300), (0, 45))
    table = Table(0, tuple((k * 37) % 61 - 30 for k in range(64)))
    made = [
        design("free_lines", SQ(4, 4), channel(free, SQ(6, 4), saturate=True)),
        design("dyadic_even", SQ(4, 4), channel(dyadic, SQ(4, 6), fold=Fold("complement", "even"))),
        design("uniform_odd", SQ(4, 4), channel(uniform, SQ(1, 7), fold=Fold("complement", "odd", -1))),
        design("odd_about_one", SQ(4, 4), channel(uniform, SQ(2, 8), fold=Fold("complement", "odd", 128))),
        design(
            "negate_ramp",
            SQ(4, 4),
            channel(steep, SQ(4, 4), fold=Fold("negate", "ramp", 0, 1), saturate=True),
        ),
        design(
            "one_line_ramp_down", SQ(4, 4), channel(one, SQ(8, 4), fold=Fold("complement", "ramp_down", 0, 2))
        ),
        design("uniform_inner", SQ(4, 3), channel(offset, SQ(4, 4)), domain=(-32, -1)),
        design(
            "ranged_folded",
            SQ(4, 4),
            channel(dyadic, SQ(4, 6), fold=Fold("negate", "even")),
            domain=(-100, 127),
        ),
        design("one_code", SQ(4, 4), channel(Table(77, (-3,)), SQ(2, 2)), domain=(-51, -51)),
        design("whole_table", SQ(3, 3), channel(table, SQ(4, 2))),
        design("folded_table", SQ(4, 3), channel(table, SQ(5, 2), fold=Fold("complement", "odd", 7))),
        design("clamped_table", SQ(3, 3), channel(table, SQ(2, 3), saturate=True)),
        design("unsigned_table", UQ(0, 6), channel(Table(0, tuple(range(63, -1, -1))), UQ(2, 4))),
        design("unsigned_clamped", SQ(4, 4), channel(free, UQ(2, 4), saturate=True)),
        design("one_bit", UQ(1, 0), channel(Table(0, (1, 0)), UQ(0, 1))),
        design(
            "with_derivative",
            SQ(4, 4),
            channel(uniform, SQ(1, 7), fold=Fold("complement", "odd", -1)),
            channel(
                uniform, UQ(1, 7), name="dy", fold=Fold("complement", "even"), mode="direct", saturate=True
            ),
        ),
        design("coarse", SQ(9, -3), channel(Table(0, tuple(range(-32, 32))), SQ(-2, 8))),
        design(
            "widest",
            SQ(32, 0),
            channel(
                Lines("free", (0, 1 << 30), 1 << 32, 20, (1 << 20, 1 << 19), (-1 << 51, 1 << 40)), SQ(1, 31)
            ),
            channel(Lines("dyadic", (0,), 1 << 32, 1, (2,), (1,)), UQ(32, 0), name="dy", mode="direct"),
        ),
    ]
    made[-1] = replace(made[-1], channels=tuple(replace(c, saturate=True) for c in made[-1].channels))
    return {design.name: design for design in made}


_FOLDS = {
    "none": ("none",),
    "negate": ("even", "odd", "ramp", "ramp_down"),
    "complement": ("even", "odd", "ramp", "ramp_down"),
}


def random_design(seed, name=None):
    """A combinational design of 3 to 9 input bits, drawn from `seed`; its outputs are clamped."""
    draw = random.Random(seed)
    width = draw.randint(3, 9)
    index = draw.choice(list(_FOLDS))
    fold = Fold(index, draw.choice(_FOLDS[index]))
    if fold.restore == "odd":
        fold = replace(fold, constant=draw.randint(-40, 40))
    elif fold.restore.startswith("ramp"):
        fold = replace(fold, ramp_shift=draw.randint(0, 3))
    signed = index != "none" or draw.random() < 0.5
    bits = draw.randint(-3, width + 3)
    input = (SQ if signed else UQ)(width - bits, bits)
    channels = [_random_channel(draw, "y", input, fold)]
    if draw.random() < 0.4:
        channels.append(_random_channel(draw, "dy", input, fold))
    return design(name or f"random_{seed}", input, *channels)


def _random_channel(draw, name, input, fold):
    width = draw.randint(1, 12)
    format = draw.choice((SQ, UQ))(width - 3, 3)
    low, last = fold.index_range(input, (input.min_code, input.max_code))
    scale = 1 << draw.randint(1, width)
    if draw.random() < 0.25:
        core = Table(0, tuple(draw.randint(-scale, scale) for _ in range(last + 1)))
    else:
        core = _random_lines(draw, last + 1, scale)
    return channel(
        core, format, name=name, fold=fold, saturate=True, mode="function" if name == "y" else "direct"
    )


def _random_lines(draw, stop, scale):
    segmentation = draw.choice(("free", "dyadic", "uniform"))
    bits = (stop - 1).bit_length()
    if segmentation == "free":
        starts = (0, *sorted(draw.sample(range(1, stop), draw.randint(0, min(9, stop - 1)))))
    elif segmentation == "uniform":
        size = 1 << draw.randint(max(0, bits - 4), bits)
        starts, stop = tuple(range(0, stop, size)), -(-stop // size) * size
    else:
        starts, stop = tuple(_blocks(draw, 0, 1 << bits)), 1 << bits
    shift = draw.randint(0, 8)
    slopes = tuple(draw.randint(-scale, scale) << draw.randint(0, shift) >> 2 for _ in starts)
    intercepts = tuple(draw.randint(-scale, scale) << shift for _ in starts)
    return Lines(
        segmentation, starts, stop, shift, slopes, intercepts, draw.choice(("logic", "dsp", "shift-add"))
    )


def _blocks(draw, start, size):
    """Starts of aligned power-of-two blocks that fill [start, start + size)."""
    if size == 1 or draw.random() < 0.4:
        return [start]
    half = size // 2
    return _blocks(draw, start, half) + _blocks(draw, start + half, half)
