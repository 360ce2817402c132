"""Verification of a parametric unit: the inner one on every code, the bound, the circuit with contents."""

from dataclasses import replace

from ..errors import RequestError
from ..sideband.verify import check_c_model, check_circuit
from ..verify.certificate import Check
from ..verify.golden import check_golden
from .c_model import c_model_text
from .guarantee import guarantee
from .loaded import Loaded

__all__ = ["climb", "rungs"]

_LEVELS = ("golden", "rtl")
#: Contents of the memory that the circuit is run with.
SEEDS = (1, 2)


def rungs(level):
    """The rungs up to `level`.

    Raises
    ------
    RequestError
        If a parametric unit has no such rung.
    """
    if level not in _LEVELS:
        raise RequestError(f"Level must be golden or rtl for a parametric unit, not {level}")
    return _LEVELS[: _LEVELS.index(level) + 1]


def climb(level, design, verilog, proved=None):
    """Establish one rung alone.

    Parameters
    ----------
    level : str
    design : ParametricDesign
    verilog : str
    proved : Guarantee, optional
        The design's, if it is at hand.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a check fails.
    RequestError
        If there is no such rung.
    """
    rungs(level)
    if level == "golden":
        inner = [replace(check, method=f"f alone: {check.method}") for check in check_golden(design.inner)]
        bound = (proved or guarantee(design)).error_ulp
        count = design.domain[1] - design.domain[0] + 1
        method = f"proved: within {bound:.6g} ulp of beta * f(alpha * x)"
        return [*inner, Check("golden", "parameters", "y", method, count, "every alpha, beta and code")]
    checks = []
    for seed in SEEDS:
        found = check_circuit(Loaded(design, seed), verilog)
        checks += [replace(check, check=f"{check.check}_{seed}", coverage=f"{check.coverage}, contents {seed}") for check in found]
    loaded = Loaded(design)
    arrays = "".join(
        f"static const int32_t {name}[] = {{{', '.join(map(str, codes.tolist()))}}};\n"
        for name, codes in (("alphas", loaded.alphas), ("betas", loaded.betas))
    )
    places = [int(place) for place in loaded.sides.searchsorted(range(design.channels_count))]
    arrays += f"static const int places[] = {{{', '.join(map(str, places))}}};\n"
    call = f"{design.name}_{{name}}(alphas[places[{{side}}]], betas[places[{{side}}]], {{x}})"
    return [*checks, check_c_model(loaded, c_model_text(design, "") + arrays, call)]
