"""``NAME.h``: the golden model of a parametric unit in C."""

from ..emit.c_model import functions_text
from ..emit.header import block_comment, notice, plain

__all__ = ["c_model_text"]


def c_model_text(design, command):
    """A C99 (and C++) header without dependencies: ``NAME_y(alpha, beta, x)``, equal to `ParametricDesign.evaluate`.

    Parameters
    ----------
    design : ParametricDesign
    command : str

    Returns
    -------
    str
    """
    name, output = design.name, design.channels[0].format
    function = plain(design.channels[0].expression)
    preface = [f"{name}: bit-exact model of the hardware unit for beta * f(alpha * x), f(x) = {function}."]
    preface += [*notice(design, command), ""]
    formats = {"alpha": design.alpha, "beta": design.beta, "x": design.input, "y": output}
    preface += [f"{role:<5} {format}: code c stands for c * 2**{-format.frac_bits}" for role, format in formats.items()]
    kind = lambda format: "int32_t" if format.max_code < 1 << 31 else "int64_t"
    return "\n".join(
        [
            block_comment(preface),
            f"#ifndef HWACT_{name}_H\n#define HWACT_{name}_H\n",
            "#include <assert.h>\n#include <stdint.h>\n",
            functions_text(design.inner.renamed(f"{name}_inner")),
            _scale(f"{name}_before", design.alpha, design.input),
            _scale(f"{name}_behind", design.beta, output),
            f"static inline {kind(output)} {name}_y(int32_t alpha, int32_t beta, {kind(design.input)} x)\n{{\n"
            f"    return ({kind(output)}){name}_behind(beta, {name}_inner_y(({kind(design.input)}){name}_before(alpha, x)));\n}}\n",
            f"#endif /* HWACT_{name}_H */\n",
        ]
    )


def _scale(name, factor, format):
    shift = factor.frac_bits
    unit, half = f"((int64_t)1 << {abs(shift)})", f"((int64_t)1 << {max(shift - 1, 0)})"
    rounded = f"(total / {unit} - (total % {unit} < 0 ? 1 : 0))" if shift > 0 else f"total * {unit}"
    total = f"(int64_t)factor * code + {half}" if shift > 0 else "(int64_t)factor * code"
    low, high = (f"(-INT64_C({-code}))" if code < 0 else f"INT64_C({code})" for code in (format.min_code, format.max_code))
    return (
        f"static inline int64_t {name}(int64_t factor, int64_t code)\n{{\n    const int64_t total = {total};\n"
        f"    const int64_t rounded = {rounded};\n\n    return rounded < {low} ? {low} : rounded > {high} ? {high} : rounded;\n}}\n"
    )
