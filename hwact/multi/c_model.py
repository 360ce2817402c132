"""``NAME.h``: the golden model of a unit of several functions in C."""

from ..emit.c_model import functions_text
from ..emit.header import block_comment, notice, plain

__all__ = ["CALL", "c_model_text"]

#: An output of the C model, for `hwact.sideband.verify.check_c_model`.
CALL = "{unit}_{{name}}({{side}}, {{x}})"


def c_model_text(design, command):
    """A C99 (and C++) header without dependencies: ``NAME_y(select, x)``, equal to `MultiDesign.evaluate`.

    Every function is there alone as well, as ``NAME_0_y(x)``, ``NAME_1_y(x)`` and so on.

    Parameters
    ----------
    design : MultiDesign
    command : str

    Returns
    -------
    str
    """
    name, count = design.name, len(design.functions)
    preface = [f"{name}: bit-exact model of the hardware unit for {count} functions, {design.input} to "]
    preface[0] += " and ".join(str(channel.format) for channel in design.channels) + "."
    preface += [*notice(design, command), ""]
    preface += [f"select {k}: {plain(text)}" for k, text in enumerate(design.channels[0].expressions)]
    singles = [functions_text(design.single(number)) for number in range(count)]
    return "\n".join(
        [
            block_comment(preface),
            f"#ifndef HWACT_{name}_H\n#define HWACT_{name}_H\n",
            "#include <assert.h>\n#include <stdint.h>\n",
            *singles,
            *(_dispatch(design, channel) for channel in design.channels),
            f"#endif /* HWACT_{name}_H */\n",
        ]
    )


def _dispatch(design, channel):
    last = len(design.functions) - 1
    code = lambda format: "int32_t" if format.max_code < 1 << 31 else "int64_t"
    head = f"static inline {code(channel.format)} {design.name}_{channel.name}(int select, {code(design.input)} x)\n{{\n"
    cases = "".join(
        f"    case {number}: return {design.name}_{number}_{channel.name}(x);\n" for number in range(last)
    )
    default = f"    default: return {design.name}_{last}_{channel.name}(x); /* {last} and above */\n"
    return f"{head}    switch (select) {{\n{cases}{default}    }}\n}}\n"
