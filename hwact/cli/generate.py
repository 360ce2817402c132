"""``hwact generate``."""

import json
from dataclasses import replace

import click
from click.core import ParameterSource

from ..emit.folder import check_folder, write_folder
from ..emit.header import figures
from ..errors import RequestError
from ..output import Unit
from ..spec import Spec
from ..synth import find_target, shortest_pipeline
from .common import Verb, echo_json, json_option, progress, show_table
from .multi import functions_option, generate_multi, read_functions
from .options import check_used, parameter_option, read_function, unit_options
from .parametric import generate_parametric, own_request, parametric_options
from .programmable import BUSES, generate_programmable, given_programmable

__all__ = ["generate", "show_unit"]

EPILOG = """
hwact generate tanh --input SQ4.12 --output SQ1.15
hwact generate gelu --input SQ4.8 --output SQ4.8 --derivative direct --derivative-output SQ2.10 -o gelu12
hwact generate "x*sigmoid(b*x)" --parameter b=1.702 --input SQ4.6 --output SQ4.6 --interface stream
hwact generate tanh --input SQ4.12 --output SQ1.15 --interface axis --lanes 4 --clock-name aclk --reset-name aresetn
hwact generate reciprocal --input UQ4.8 --output UQ0.12 --domain 1.5:15 --bound 2^-10
hwact generate silu --input SQ4.12 --output SQ4.12 --interface stream --fmax 100 --target ice40
hwact generate --programmable --segments 32 --input SQ4.8 --output SQ4.8 --bus axi-lite
hwact generate --function "-x*exp(-x^2)" --input SQ3.5 --output SQ1.7 --method pwl --name wavelet
hwact generate --functions "tanh,sigmoid,x*sigmoid(1.702*x)" --input SQ4.8 --output SQ4.8 --interface stream
hwact generate gelu --parametric --channels 64 --alpha UQ2.6 --beta SQ2.6 --input SQ4.8 --output SQ4.8 --interface stream
"""


@click.command(
    "generate", cls=Verb, epilog=EPILOG, short_help="Generate a unit: Verilog, C model, benches, proofs."
)
@click.argument("function", required=False)
@click.option("--function", "expression", help="The function, in place of the argument.")
@functions_option
@parametric_options
@parameter_option
@unit_options
@click.option(
    "--fmax", type=float, metavar="MHZ", help="The least latency that reaches a clock frequency on --target."
)
@click.option(
    "--target",
    metavar="T",
    help="Family to lay tables out for: ice40, ecp5 or gowin; with --fmax a device, as in hwact synth. Without it, "
    "tables stay readable.",
)
@click.option("--programmable", is_flag=True, help="A unit for any function, whose segments are written over a bus.")
@click.option("--segments", type=int, metavar="N", help="Segments that a programmable unit holds.")
@click.option("--bus", type=click.Choice(BUSES), help="Bus of a programmable unit; axi-lite if left out.")
@click.option("--slope-format", metavar="FORMAT", help="Slopes of a programmable unit; SQ2.f if left out.")
@click.option("-o", "folder", type=click.Path(file_okay=False), help="Output folder; ./NAME if left out.")
@click.option("--force", is_flag=True, help="Write into a folder that holds other files.")
@json_option
@click.pass_context
def generate(
    context, function, expression, functions, parameter, input_, fmax, target, folder, force, as_json, programmable,
    segments, bus, slope_format, **request
):
    """Generate the unit of FUNCTION, a name of the catalogue or an expression in x.

    The unit is checked on every input code before anything is written.
    """
    if given_programmable(context):
        return generate_programmable(context, folder, force, as_json)
    if functions and not (function is None and expression is None):
        raise RequestError("Functions must be given all with --functions, not one beside them")
    if not functions and (function is None) == (expression is None):
        raise RequestError("Function must be given once, as the argument or with --function")
    check_used(context, request)
    own = own_request(request)
    if own and (functions or fmax is not None):
        raise RequestError(f"{'Functions' if functions else 'Clock frequency'} must be left out with --parametric")
    if functions:
        if fmax is not None:
            raise RequestError("Clock frequency must be left out with --functions: give --latency")
        family = "any" if target is None else find_target(target).family
        chosen = read_functions(functions, parameter, read_function)
        return generate_multi(chosen, folder, force, as_json, {"input": input_, "target": family, **request})
    _check_goal(fmax, target, request)
    chosen = read_function(expression if function is None else function, parameter)
    family = "any" if target is None else find_target(target).family
    if own:
        if context.get_parameter_source("interface") != ParameterSource.COMMANDLINE:
            request["interface"] = "stream"
        return generate_parametric(chosen, own, folder, force, as_json, {"input": input_, "target": family, **request})
    spec = Spec(chosen, input=input_, target=family, **request)
    place = folder or spec.name
    check_folder(place, spec.name, overwrite=force)
    with progress(f"Fitting {spec.function.text}") as show:
        design = spec.design(tried=show)
    report = None
    if fmax is not None:
        with progress(f"Finding the least latency for {fmax:g} MHz"):
            design, report = shortest_pipeline(design, fmax, target)
            spec = replace(spec, latency=design.latency)
    with progress("Checking every code"):
        unit = Unit(design, spec.command())
        unit.check_golden()
    with progress("Writing files"):
        files = unit.files()
        write_folder(place, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        speed = {} if report is None else {"report": report.to_dict()}
        echo_json({**contents, "folder": place, **speed})
    else:
        show_unit(contents, place)
        if report is not None:
            click.echo(f"Latency {design.latency} reaches {report.fmax_mhz:g} MHz on {report.target}")


def _check_goal(fmax, target, request):
    """Refuse a clock frequency that nothing can be done for."""
    if fmax is None:
        return
    if target is None:
        raise RequestError("Clock frequency must come with a device: add --target, such as ice40")
    if not 0 < fmax < 10_000:
        raise RequestError(f"Clock frequency must be above 0 and below 10000 MHz, not {fmax:g}")
    if request["interface"] == "comb":
        raise RequestError("Interface must be pipe, stream or axis with --fmax, not comb")
    if request["latency"] is not None:
        raise RequestError("Latency must be left out with --fmax")


def show_unit(contents, folder):
    """Print what was made."""
    rows = [
        (
            output["name"],
            output["expression"],
            output["method"]
            if output["segments"] is None
            else f"{output['method']} {output['segmentation']}",
            output["entries"] if output["segments"] is None else output["segments"],
            output["minimal_segments"] if output["minimal_segments"] is not None else "-",
            figures(output["max_error_ulp"]),
            figures(output["mean_error_ulp"]),
        )
        for output in contents["outputs"]
    ]
    columns = ("output", "function", "method", "size", "minimum", "max ulp", "mean ulp")
    show_table(f"{contents['name']}, every code checked", columns, rows)
    click.echo(f"Wrote {folder}, digest {contents['digest'][:12]}")
