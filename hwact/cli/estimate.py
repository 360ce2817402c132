"""``hwact estimate``."""

import click

from ..errors import RequestError
from ..spec import TARGETS, Spec
from .common import Verb, echo_json, json_option, show_table
from .options import check_used, parameter_option, read_function, unit_options

__all__ = ["estimate"]

EPILOG = """
hwact estimate tanh --input SQ4.12 --output SQ1.15
hwact estimate gelu --input SQ4.8 --output SQ4.8 --derivative direct --derivative-output SQ2.10 --target ecp5
hwact estimate "x*sigmoid(b*x)" --parameter b=1.702 --input SQ4.6 --output SQ4.6 --interface stream --json
"""


@click.command("estimate", cls=Verb, epilog=EPILOG, short_help="How large a unit will be, within a second.")
@click.argument("function", required=False)
@click.option("--function", "expression", help="The function, in place of the argument.")
@parameter_option
@unit_options
@click.option(
    "--target",
    type=click.Choice(TARGETS[1:]),
    default=TARGETS[1],
    show_default=True,
    help="Family of devices that the unit is laid out for.",
)
@json_option
@click.pass_context
def estimate(context, function, expression, parameter, input_, target, as_json, **request):
    """Estimate the size of the unit that generate would make of FUNCTION, without synthesis.

    The options are those of generate; what it refuses is refused in the same words. The estimate is that of
    --effort 0 and states its error, as measured on units that it was not calibrated with.
    """
    from ..estimate import estimate as estimated

    if (function is None) == (expression is None):
        raise RequestError("Function must be given once, as the argument or with --function")
    check_used(context, request)
    chosen = read_function(expression if function is None else function, parameter)
    found = estimated(Spec(chosen, input=input_, target=target, **request))
    if as_json:
        echo_json(found.to_dict())
        return
    names = ("luts", "low", "high", "carries", "ffs", "dsps", "segments", "latency", "unit")
    show_table(f"{chosen.text} on {target}", names, [tuple(_shown(getattr(found, name)) for name in names)])
    click.echo(found.sentence)


def _shown(value):
    return "-" if value is None else value
