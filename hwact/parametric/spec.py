"""What a user asks for: a function, and formats of the parameters around it."""

import shlex
from dataclasses import dataclass, replace

from ..errors import RequestError
from ..fixed import Format
from ..sideband.interface import check_shell
from ..spec import DEFAULT_LATENCY, Spec
from .design import OWN_LATENCY, ParametricDesign

__all__ = ["ParametricSpec"]

#: Widest input over which the variation of the function is enclosed, code by code.
MAX_INPUT_WIDTH = 16


@dataclass(frozen=True, init=False)
class ParametricSpec:
    """A request for y = beta * f(alpha * x).

    Parameters
    ----------
    function : Function or str
    alpha, beta : Format or str
    channels : int
        Pairs of parameters, a power of two.
    interface, latency
        ``pipe`` or ``stream``; the latency of the whole unit, at least 4.
    request
        What else `Spec` takes; no derivative and no domain.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.

    Examples
    --------
    >>> from hwact.parametric import ParametricSpec
    >>> design = ParametricSpec("tanh", input="SQ4.4", output="SQ4.4", alpha="UQ2.4", beta="SQ2.4").design()
    >>> design.evaluate(32, -24, 8).tolist()  # -1.5 * tanh(2 * 0.5) * 16
    -18
    """

    spec: Spec
    alpha: Format
    beta: Format
    channels: int

    def __init__(self, function, *, alpha="UQ1.7", beta="UQ1.7", channels=16, interface="stream", latency=None, **request):
        put = lambda name, value: object.__setattr__(self, name, value)
        latency = DEFAULT_LATENCY + OWN_LATENCY if latency is None else latency
        if interface == "comb":
            raise RequestError("Interface must be pipe or stream for a parametric unit, not comb")
        if type(latency) is not int or latency <= OWN_LATENCY:
            raise RequestError(f"Latency must be at least {OWN_LATENCY + 1} for a parametric unit, not {latency!r}")
        put("spec", Spec(function, interface=interface, latency=latency, **request))
        check_shell(self.spec.shell, "a parametric unit")
        put("alpha", Format.parse(alpha))
        put("beta", Format.parse(beta))
        put("channels", channels)
        if self.spec.derivative != "none":
            raise RequestError(f"Derivative must be none for a parametric unit, not {self.spec.derivative}")
        if self.spec.domain is not None:
            raise RequestError("Domain must be left out for a parametric unit")
        if self.spec.input.width > MAX_INPUT_WIDTH:
            raise RequestError(f"Input format must be at most {MAX_INPUT_WIDTH} bits wide for a parametric unit, not {self.spec.input}")

    @property
    def name(self):
        """Name of the Verilog module."""
        return self.spec.name

    def design(self):
        """Fit the inner unit.

        Returns
        -------
        ParametricDesign

        Raises
        ------
        RequestError
            If the function is undefined at a code, or the bound cannot be met.
        """
        inner = replace(self.spec, latency=self.spec.latency - OWN_LATENCY).design()
        return ParametricDesign(self.name, inner.renamed("inner"), self.alpha, self.beta, self.channels)

    def command(self):
        """The command line that makes this request, in a canonical form."""
        words = shlex.split(self.spec.command())
        own = ["--parametric", "--channels", str(self.channels), "--alpha", str(self.alpha), "--beta", str(self.beta)]
        return shlex.join([*words, *own])
