"""The shortest pipeline that reaches a clock frequency, measured by place and route."""

from dataclasses import replace

from ..errors import RequestError, ToolError
from .flow import synthesise
from .targets import FAMILIES, find_target

__all__ = ["shortest_pipeline"]

#: Placements of each pipeline tried; the best one counts.
SEEDS = (1, 2, 3)


def shortest_pipeline(design, fmax_mhz, target, *, dsp=False, bram=False, advance=lambda latency, report: None):
    """The design with the least latency that reaches a clock frequency.

    The latency is bisected, as if more of it were never slower; every step is placed and routed.

    Parameters
    ----------
    design : Design
        With a clock.
    fmax_mhz : float
        Goal, for the best of `SEEDS`.
    target : str or Target
    dsp, bram : bool
        As in `synthesise`.
    advance : callable
        Called with every latency tried and its `SynthReport`.

    Returns
    -------
    (Design, SynthReport)

    Raises
    ------
    RequestError
        If the target has no place and route, the unit no clock, or no latency reaches the goal.
    ToolError
        If a tool is missing or fails.
    """
    from ..emit.verilog import verilog
    from ..rtl.stages import most_stages

    target = find_target(target)
    if not FAMILIES[target.family].nextpnr:
        raise RequestError(f"Target must have place and route for a clock frequency, not {target.name}")
    if design.shell.interface == "comb":
        raise RequestError("Interface must be pipe, stream or axis for a clock frequency, not comb")

    def measured(latency):
        staged = replace(design, shell=replace(design.shell, latency=latency))
        text = verilog(staged, command="hwact.synth.shortest_pipeline")
        report = synthesise(text, design.name, target, seeds=SEEDS, dsp=dsp, bram=bram, clock=staged.shell.clock_name)
        if report.status == "failed":
            raise ToolError(f"Synthesis for {target.name} must succeed, not fail: {report.reason}")
        advance(latency, report)
        return staged, report

    low, high = 1, most_stages(design)
    found, report = measured(high)
    if report.fmax_mhz < fmax_mhz:
        raise RequestError(
            f"Clock frequency must be at most the {report.fmax_mhz:g} MHz that {target.name} "
            f"reaches at latency {high}, the most that helps, not {fmax_mhz:g} MHz"
        )
    while low < high:
        middle = (low + high) // 2
        staged, tried = measured(middle)
        if tried.fmax_mhz >= fmax_mhz:
            found, report, high = staged, tried, middle
        else:
            low = middle + 1
    return found, report
