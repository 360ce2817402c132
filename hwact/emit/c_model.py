"""``NAME.h``: the golden model in C, a header to include in a driver, a simulation or a training loop."""

import textwrap

from .header import block_comment, notice, plain

__all__ = ["c_model_text", "functions_text"]


def c_model_text(design, command):
    """The golden model as a C99 (and C++) header without dependencies.

    For each channel a function ``NAME_y(x)`` from input code to output code, equal to `Design.evaluate` on
    every code of the domain and asserting that it gets no other. No right shift of a negative number,
    no overflow, nothing that a compiler may choose.

    Parameters
    ----------
    design : Design
    command : str

    Returns
    -------
    str
    """
    parts = [
        block_comment(_preface(design, command)),
        f"#ifndef HWACT_{design.name}_H\n#define HWACT_{design.name}_H\n",
        "#include <assert.h>\n#include <stdint.h>\n",
        functions_text(design),
        f"#endif /* HWACT_{design.name}_H */\n",
    ]
    return "\n".join(parts)


def functions_text(design):
    """The functions of the golden model alone, without the header's frame."""
    shifts = any(channel.core.method == "pwl" for channel in design.channels)
    parts = [_FLOOR_SHIFT.format(name=design.name)] if shifts else []
    return "\n".join([*parts, *(_channel(design, channel) for channel in design.channels)])


_FLOOR_SHIFT = """\
/* Divide by 2**shift and round down, also where value is negative. */
static inline int64_t {name}_floor_shift(int64_t value, int shift)
{{
    const int64_t unit = (int64_t)1 << shift;
    return value / unit - (value % unit < 0 ? 1 : 0);
}}
"""


def _preface(design, command):
    first, last = design.domain
    yield f"{design.name}: bit-exact model of the hardware unit for {plain(design.channels[0].expression)}."
    yield from notice(design, command)
    yield ""
    yield f"x    {design.input}: code c stands for c * 2**{-design.input.frac_bits}, from {first} to {last}"
    for channel in design.channels:
        yield (
            f"{channel.name:<4} {channel.format}: code c stands for c * 2**{-channel.format.frac_bits};"
            f" {plain(channel.expression)}, bound {plain(channel.bound)}"
        )


def _channel(design, channel):
    first, last = design.domain
    result, argument = _code_type(channel.format), _code_type(design.input)
    tables, core = _CORES[channel.core.method](design.name, f"{design.name}_{channel.name}", channel.core)
    declarations = ["const int64_t code = x;", _fold(design, channel.fold)]
    body = [
        *core,
        _unfold(channel.fold),
        _saturate(channel),
    ]
    return (
        "".join(tables)
        + f"\nstatic inline {result} {design.name}_{channel.name}({argument} x)\n{{\n"
        + "".join(f"    {line}\n" for line in declarations)
        + f"\n    assert(code >= {_literal(first)} && code <= {_literal(last)});\n"
        + "".join(f"    {line}\n" for line in body)
        + "}\n"
    )


def _fold(design, fold):
    if fold.index == "none":
        return f"const int64_t u = code - {_literal(design.input.min_code)};"
    return f"const int64_t u = code < 0 ? {'-code' if fold.index == 'negate' else '-code - 1'} : code;"


def _unfold(fold):
    weight = _literal(1 << fold.ramp_shift)
    restored = {
        "none": "g",
        "even": "g",
        "odd": f"code < 0 ? {_literal(fold.constant)} - g : g",
        "ramp": f"g + (code < 0 ? 0 : code) * {weight}",
        "ramp_down": f"g + (code < 0 ? code : 0) * {weight}",
    }
    return f"const int64_t y = {restored[fold.restore]};"


def _saturate(channel):
    result = _code_type(channel.format)
    if not channel.saturate:
        return f"return ({result})y;"
    low, high = _literal(channel.format.min_code), _literal(channel.format.max_code)
    return f"return ({result})(y < {low} ? {low} : y > {high} ? {high} : y);"


def _table(name, prefix, core):
    return (
        [_array(f"{prefix}_entries", core.entries)],
        [f"const int64_t g = {prefix}_entries[u - {_literal(core.start)}];"],
    )


def _lines(name, prefix, core):
    tables = [_array(f"{prefix}_slopes", core.slopes), _array(f"{prefix}_intercepts", core.intercepts)]
    if core.segmentation == "uniform":
        size = core.sizes[0]
        locate = [
            f"const int64_t k = (u - {_literal(core.starts[0])}) / {_literal(size)};",
            f"const int64_t offset = u % {_literal(size)};",
        ]
    else:
        tables.insert(0, _array(f"{prefix}_starts", core.starts))
        locate = [
            f"int k = 0, end = {core.segments}; /* starts[k] <= u, and u is before segment end */",
            "while (end - k > 1) {",
            "    const int middle = k + (end - k) / 2;",
            f"    if ({prefix}_starts[middle] <= u)",
            "        k = middle;",
            "    else",
            "        end = middle;",
            "}",
            f"const int64_t offset = u - {prefix}_starts[k];",
        ]
    total = f"{prefix}_slopes[k] * offset + {prefix}_intercepts[k]"
    return tables, [*locate, f"const int64_t g = {name}_floor_shift({total}, {core.shift});"]


_CORES = {"table": _table, "pwl": _lines}


def _array(name, values):
    body = textwrap.fill(
        ", ".join(map(_literal, values)), 104, initial_indent="    ", subsequent_indent="    "
    )
    return f"static const {_storage_type(values)} {name}[{len(values)}] = {{\n{body}\n}};\n"


def _storage_type(values):
    low, high = min(values), max(values)
    for width in (8, 16, 32, 64):
        if low >= 0 and high < 1 << width and width < 64:
            return f"uint{width}_t"
        if -(1 << (width - 1)) <= low and high < 1 << (width - 1):
            return f"int{width}_t"
    raise AssertionError("a Design holds integers below 2**60")


def _code_type(format):
    return "int32_t" if format.max_code < 1 << 31 else "int64_t"


def _literal(value):
    """A C integer constant; the smallest 32-bit number has no literal of its own."""
    if -(1 << 31) < value < 1 << 31:
        return str(value)
    return f"INT64_C({value})" if value >= 0 else f"(-INT64_C({-value}))"
