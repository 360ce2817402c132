"""C headers: the register map and golden model of a unit, and the writes of an image."""

import textwrap

from ..emit.header import block_comment, notice, plain
from .registers import ACTIVE, CONTROL, SEGMENT, map_of, window_bytes

__all__ = ["image_header_text", "unit_header_text"]


def unit_header_text(design, command):
    """A C99 (and C++) header without dependencies: addresses, fields, and ``NAME_evaluate``, the golden model.

    Parameters
    ----------
    design : ProgrammableDesign
    command : str

    Returns
    -------
    str
    """
    name, upper = design.name, design.name.upper()
    preface = f"{name}: registers and bit-exact model of a programmable unit, {design.input} to {design.output}."
    lines = [
        ("SEGMENTS", design.segments, "segments of a bank"),
        ("SHIFT", design.shift, "fraction bits of a product, in output ulps"),
        ("SEGMENT_BYTES", SEGMENT, "from one segment's registers to the next one's"),
    ]
    for window in map_of(design):
        for register in window.registers:
            lines.append((f"{window.name}_{register.name}", hex(window.base + register.offset), _words(register)))
    for register in {register.name: register for window in map_of(design) for register in window.registers}.values():
        for field in register.fields:
            stem = f"{register.name}_{field.name.upper()}"
            lines += [(f"{stem}_LSB", field.lsb, field.meaning), (f"{stem}_BITS", field.width, "")]
    defines = "".join(
        f"#define {upper}_{stem} {value}".ljust(56) + (f" /* {words} */" if words else "") + "\n"
        for stem, value, words in lines
    ).replace(" \n", "\n")
    fill = {
        "name": name,
        "segments": design.segments,
        "shift": design.shift,
        "low": design.output.min_code,
        "high": design.output.max_code,
        "top": 1 << design.levels >> 1,
    }
    return "\n".join(
        [
            block_comment([preface, *notice(design, command)]),
            f"#ifndef HWACT_{name}_H\n#define HWACT_{name}_H\n\n#include <stdint.h>\n",
            defines,
            _MODEL.format(**fill),
            f"#endif /* HWACT_{name}_H */\n",
        ]
    )


def _words(register):
    if not register.count:
        return "read only" if register.access == "r" else "read and write"
    return f"of segment {register.first}; {'read only' if register.access == 'r' else 'read and write'}"


_MODEL = """\
/* Output code for input code x with the numbers of one bank; starts[0] is not used. */
static inline int64_t {name}_evaluate(const int32_t *starts, const int64_t *slopes, const int64_t *intercepts, int32_t x)
{{
    const int64_t unit = (int64_t)1 << {shift};
    int segment = 0, step;
    int64_t total, y;

    for (step = {top}; step > 0; step /= 2)
        if (segment + step < {segments} && x >= starts[segment + step])
            segment += step;
    total = slopes[segment] * x + intercepts[segment];
    y = total / unit - (total % unit < 0 ? 1 : 0);
    return y < INT64_C({low}) ? INT64_C({low}) : y > INT64_C({high}) ? INT64_C({high}) : y;
}}
"""


def image_header_text(image, command):
    """A C99 header: the writes of an image, ``NAME_load`` that does them and ``NAME_swap``.

    Parameters
    ----------
    image : Image
    command : str

    Returns
    -------
    str
    """
    name, unit, writes = image.name, image.unit, image.writes
    channel = image.design.channels[0]
    preface = [
        f"{name}_image: {plain(channel.expression)}, bound {plain(channel.bound)}, for the unit {unit.name},",
        f"digest of the unit: {unit.digest}",
    ]
    pairs = ", ".join(f"{{0x{address:x}u, 0x{value:08x}u}}" for address, value in writes)
    body = textwrap.fill(pairs, 104, initial_indent="    ", subsequent_indent="    ")
    fill = {
        "name": name,
        "count": len(writes),
        "body": body,
        "unit": f"0x{unit.digest[:8]}u",
        "identifier": f"0x{image.identifier:08x}u",
        "control": hex(4 * CONTROL),
        "active": hex(ACTIVE * window_bytes(unit)),
    }
    return "\n".join(
        [
            block_comment([*preface, *notice(image, command)]),
            f"#ifndef HWACT_{name}_IMAGE_H\n#define HWACT_{name}_IMAGE_H\n\n#include <stdint.h>\n",
            _IMAGE.format(**fill),
            f"#endif /* HWACT_{name}_IMAGE_H */\n",
        ]
    )


_IMAGE = """\
/* Byte addresses, from the unit's own, and words. */
static const struct {{ uint32_t address, value; }} {name}_writes[{count}] = {{
{body}
}};

/* Whether the unit at `base` is the one that the image is for. */
static inline int {name}_suits(const volatile uint32_t *base)
{{
    return base[0] == {unit};
}}

/* Write the image into the shadow bank of the unit at `base`; what the unit computes stays as it is. */
static inline void {name}_load(volatile uint32_t *base)
{{
    int k;

    for (k = 0; k < {count}; k++)
        base[{name}_writes[k].address / 4] = {name}_writes[k].value;
}}

/* Whether every word of the image is in the shadow bank. */
static inline int {name}_loaded(const volatile uint32_t *base)
{{
    int k;

    for (k = 0; k < {count}; k++)
        if (base[{name}_writes[k].address / 4] != {name}_writes[k].value)
            return 0;
    return 1;
}}

/* Exchange the banks: codes that come in from now on are computed with what was loaded. */
static inline void {name}_swap(volatile uint32_t *base)
{{
    base[{control} / 4] = 1;
}}

/* Whether the image is in use, by its identifier. */
static inline int {name}_active(const volatile uint32_t *base)
{{
    return base[{active} / 4] == {identifier};
}}
"""
