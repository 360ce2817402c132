"""``NAME.h``: the golden model of a softmax in C."""

from dataclasses import replace

from ..emit.c_model import functions_text
from ..emit.header import block_comment, notice

__all__ = ["c_model_text"]


def c_model_text(design, command):
    """A C99 (and C++) header without dependencies: ``NAME(x, n, y)``, equal to `SoftmaxDesign.evaluate`.

    Parameters
    ----------
    design : SoftmaxDesign
    command : str

    Returns
    -------
    str
    """
    name = design.name
    names = [f"{name}_coarse", f"{name}_fine"] if len(design.exponential.factors) == 2 else [f"{name}_whole"]
    inner = [*zip(names, design.exponential.factors), (f"{name}_reciprocal", design.reciprocal)]
    fill = {
        "name": name,
        "length": design.length,
        "exponential": _exponential(design, names),
        "index": design.index_bits,
        "shift": design.shift - (design.exponential_bits - 1),
        "dropped": design.dropped,
        "most": design.output.max_code,
    }
    preface = [f"{name}: bit-exact model of the hardware unit for softmax, {design.input} to {design.output}."]
    return "\n".join(
        [
            block_comment([*preface, *notice(design, command)]),
            f"#ifndef HWACT_{name}_H\n#define HWACT_{name}_H\n",
            "#include <assert.h>\n#include <stdint.h>\n",
            *(functions_text(replace(unit, name=unit_name)) for unit_name, unit in inner),
            _SOFTMAX.format(**fill),
            f"#endif /* HWACT_{name}_H */\n",
        ]
    )


def _exponential(design, names):
    if len(names) == 1:
        return f"{names[0]}_y((int32_t)offset)"
    low, excess = design.exponential.factors[1].input.width, design.exponential.excess
    coarse, fine = f"{names[0]}_y((int32_t)(offset >> {low}))", f"{names[1]}_y((int32_t)(offset & {(1 << low) - 1}))"
    return f"((int64_t){coarse} * {fine} + ((int64_t)1 << {excess - 1})) >> {excess}"


_SOFTMAX = """\
static inline int64_t {name}_exponential(int64_t offset)
{{
    return {exponential};
}}

/* Softmax of the codes x[0] to x[n - 1], 1 <= n <= {length}, into y, which may be x itself. */
static inline void {name}(const int32_t *x, int n, int32_t *y)
{{
    int64_t largest, total = 0, mantissa, reciprocal;
    int k, exponent = 0, shift;

    assert(n >= 1 && n <= {length});
    largest = x[0];
    for (k = 1; k < n; k++)
        largest = x[k] > largest ? x[k] : largest;
    for (k = 0; k < n; k++)
        total += {name}_exponential(largest - x[k]);
    while (total >> exponent > 1)
        exponent++;
    mantissa = exponent > {index} ? total >> (exponent - {index}) : total << ({index} - exponent);
    reciprocal = {name}_reciprocal_y((int32_t)(mantissa - ((int64_t)1 << {index})));
    shift = exponent + ({shift});
    for (k = 0; k < n; k++) {{
        const int64_t product = ({name}_exponential(largest - x[k]) >> {dropped}) * reciprocal;
        const int64_t rounded = (product + ((int64_t)1 << (shift - 1))) >> shift;
        y[k] = (int32_t)(rounded > INT64_C({most}) ? INT64_C({most}) : rounded);
    }}
}}
"""
