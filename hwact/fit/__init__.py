"""Fitting: from a specification to a `Design` with provably few segments."""

from functools import partial

from ..design import Design
from ..errors import RequestError
from ..functions import Reference
from ..spec import open_parameters
from .choice import Chooser
from .exact import fit_exact
from .problem import Problem, Target
from .published import fit_published
from .slope import AnySlope, HeldSlope, slope_channel

__all__ = ["fit", "held_slopes", "target_of"]


def target_of(function, spec, output, bound, name="y", mode="function", reference=None):
    """The allowed outputs of one channel, from rigorous enclosures of the real function.

    Parameters
    ----------
    function : Function
    spec : Spec
        Gives the input format and the domain.
    output : Format
    bound : ErrorBound
    name, mode : str
        As in `Channel`.
    reference : Reference or None
        The function's, where there is one already.

    Returns
    -------
    Target

    Raises
    ------
    RequestError
        If the function is undefined at a code, or the bound cannot be met.
    """
    reference = reference or Reference(function, spec.input, spec.domain_codes)
    lower, upper = reference.intervals(output, bound)
    exact, _ = reference.enclose(output.frac_bits)
    return Target(
        name=name,
        expression=function.text,
        mode=mode,
        input=spec.input,
        output=output,
        bound=str(bound),
        codes=reference.codes,
        lower=lower,
        upper=upper,
        exact=exact.clip(output.min_code, output.max_code),
    )


def fit(spec, area=None, chooser=Chooser):
    """Fit the unit that a `Spec` asks for.

    Parameters
    ----------
    spec : Spec
    area : function or None
        Measured size of a Design in LUTs, with which the best candidates are compared.
    chooser : type
        What chooses among the candidates of a channel, made as a `Chooser` is.

    Returns
    -------
    Design

    Raises
    ------
    RequestError
        If the function is undefined at a code of the domain, or a bound cannot be met.
    """
    target = target_of(spec.function, spec, spec.output, spec.bound)
    design = partial(
        Design,
        name=spec.name,
        function=spec.function.name,
        input=spec.input,
        domain=spec.domain_codes,
        shell=spec.shell,
        parameters=open_parameters(spec.function),
        carry_cells=spec.carry_cells,
    )

    def choosing(before, variants):
        build = lambda channel, lut_inputs: design(channels=(*before, channel), lut_inputs=lut_inputs)
        return chooser(build, area, spec.tries, variants)

    y, lut_inputs, trials = _fit(target, spec, held_slopes(spec), spec.bound, choosing((), spec.layouts))
    channels = [y]
    if spec.derivative == "slope":
        expression = spec.function.derivative().text
        channels.append(slope_channel(y, expression, spec.input, spec.derivative_output))
    elif spec.derivative == "direct":
        derivative = spec.function.derivative()
        target = target_of(derivative, spec, spec.derivative_output, spec.derivative_bound, "dy", "direct")
        choose_one = choosing((y,), (lut_inputs,))
        dy, _, more = _fit(target, spec, AnySlope(), spec.derivative_bound, choose_one, beside=y)
        channels, trials = [y, dy], (*trials, *more)
    return design(channels=tuple(channels), lut_inputs=lut_inputs, trials=trials)


def held_slopes(spec):
    """The slopes that the first channel of a unit may have.

    Raises
    ------
    RequestError
        If a published segmenter is asked for, which knows no such slopes.
    """
    if spec.derivative != "slope" or spec.derivative_output is None:
        return AnySlope()
    if spec.fit != "exact":
        raise RequestError(f"Derivative output must be left out for --derivative slope with --fit {spec.fit}")
    return HeldSlope(spec.derivative_output, spec.input.frac_bits - spec.output.frac_bits)


def _fit(target, spec, slopes, bound, choose_one, beside=None):
    if spec.fit != "exact":
        # The published segmenters do not know where the output's range ends: their units saturate.
        ulps, _ = bound.in_ulps(target.output)
        return fit_published(Problem(target, slopes, saturate=True), spec.fit, ulps, spec.multiplier), spec.layouts[0], ()
    problem = Problem(target, slopes, spec.saturate)
    method = "pwl" if spec.derivative == "slope" else spec.method
    return fit_exact(problem, method, spec.segmentation, spec.multiplier, choose_one, beside)
