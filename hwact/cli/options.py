"""The options with which a unit is asked for, and what they say together."""

import click
from click.core import ParameterSource

from ..design import INTERFACES, MULTIPLIERS, RESETS, SEGMENTATIONS
from ..errors import RequestError
from ..functions import function as function_of
from ..spec import DEFAULT_LATENCY, DERIVATIVES, EFFORTS, FITS, METHODS

__all__ = ["check_used", "parameter_option", "read_function", "unit_options"]

parameter_option = click.option(
    "--parameter",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a parameter of the expression; repeatable.",
)


def read_function(text, parameters):
    """The function written on the command line, with its parameters."""
    values = {}
    for item in parameters:
        name, equals, value = (part.strip() for part in item.partition("="))
        if not (name and equals):
            raise RequestError(f"Parameter must be written NAME=VALUE, not {item!r}")
        if name in values:
            raise RequestError(f"Parameter {name} must be given once, not twice")
        values[name] = value
    return function_of(text, values)


def _choice(name, values, default, text):
    return click.option(f"--{name}", type=click.Choice(values), default=default, show_default=True, help=text)


def unit_options(command):
    """The options that become fields of a `Spec`, its function and its target apart."""
    options = (
        click.option(
            "--input", "input_", required=True, metavar="FORMAT", help="Input format, such as SQ4.12 or UQ0.8."
        ),
        click.option("--output", required=True, metavar="FORMAT", help="Output format."),
        click.option(
            "--bound",
            default="faithful",
            show_default=True,
            help="faithful (< 1 ulp), correct (<= 1/2 ulp), 1.5ulp, 2^-10, 1e-3.",
        ),
        click.option("--domain", metavar="A:B", help="Only input values from A to B, both included, such as 0.5:7.5."),
        _choice("derivative", DERIVATIVES, "none", "Second output: its own approximation, or the slope in use."),
        click.option("--derivative-output", metavar="FORMAT", help="Format of the derivative."),
        click.option("--derivative-bound", default="faithful", show_default=True, help="Bound of a direct derivative."),
        _choice("method", METHODS, "auto", "Lines, a table, or whichever is estimated to be smaller."),
        _choice("segmentation", ("auto", *SEGMENTATIONS), "auto", "Breakpoints; auto with --method pwl is free."),
        _choice("multiplier", ("auto", *MULTIPLIERS), "auto", "How slopes are multiplied."),
        _choice("fit", FITS, "exact", "Exactly minimal, or a published segmenter to compare with."),
        click.option("--saturate", is_flag=True, help="Clamp the output, so that lines may run beyond its range."),
        _choice("interface", INTERFACES, "comb", "Combinational, clock enable, valid and ready, or AXI4-Stream."),
        click.option(
            "--latency",
            type=int,
            help=f"Clock cycles of a unit that is not combinational; {DEFAULT_LATENCY} if left out.",
        ),
        click.option(
            "--reset",
            type=click.Choice(RESETS),
            help="Reset of a clocked unit; sync-high if left out, sync-low for axis.",
        ),
        click.option(
            "--lanes", type=int, default=1, show_default=True, metavar="N", help="Codes taken per clock cycle."
        ),
        click.option(
            "--tuser",
            type=int,
            default=0,
            show_default=True,
            metavar="BITS",
            help="Width of the tuser of an axis unit.",
        ),
        click.option(
            "--clock-name", default="clk", show_default=True, metavar="PORT", help="Name of the clock, such as aclk."
        ),
        click.option(
            "--reset-name",
            default="",
            metavar="PORT",
            help="Name of the reset, such as aresetn; rst or rst_n if left out.",
        ),
        click.option(
            "--effort",
            type=click.IntRange(0, len(EFFORTS) - 1),
            default=0,
            show_default=True,
            help=f"How many candidates are synthesised for the target: {', '.join(map(str, EFFORTS))}.",
        ),
        click.option("--name", help="Name of the Verilog module; the function's if left out."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_used(context, request):
    """Refuse options that the others would leave without any effect."""
    given = {name for name in request if context.get_parameter_source(name) == ParameterSource.COMMANDLINE}
    if request["interface"] == "comb" and "reset" in given and not request.get("parametric"):
        raise RequestError("Reset must come with --interface pipe, stream or axis, not comb")
    if request["derivative"] != "direct" and "derivative_bound" in given:
        raise RequestError(f"Derivative bound must come with --derivative direct, not {request['derivative']}")
