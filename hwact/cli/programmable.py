"""``hwact generate --programmable``."""

import json

import click
from click.core import ParameterSource

from ..design import check_name
from ..emit.folder import check_folder, write_folder
from ..errors import RequestError
from .common import echo_json, progress, show_table

__all__ = ["BUSES", "generate_programmable", "given_programmable"]

BUSES = ("axi-lite", "wishbone")
#: Options of a programmable unit alone, and those that it shares with others.
OWN = ("segments", "bus", "slope_format")
SHARED = ("programmable", "input_", "output", "multiplier", "interface", "reset", "name", "folder", "force", "as_json")
WORDS = {"input_": "input", "slope_format": "slope-format", "expression": "function"}


def given_programmable(context):
    """Whether a programmable unit is asked for; its options without that are refused."""
    if context.params["programmable"]:
        return True
    for name in OWN:
        if context.params[name] is not None:
            raise RequestError(f"{_word(name).capitalize()} must come with --programmable")
    return False


def _word(name):
    return WORDS.get(name, name).replace("_", "-")


def _spec(context):
    from ..programmable import ProgrammableSpec

    values = context.params
    for name in values:
        given = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if given and name not in (*OWN, *SHARED):
            raise RequestError(f"{_word(name).capitalize()} must be left out with --programmable")
    if values["segments"] is None:
        raise RequestError("Segments must come with --programmable: add --segments, such as 32")
    if context.get_parameter_source("interface") == ParameterSource.COMMANDLINE and values["interface"] != "stream":
        raise RequestError(f"Interface must be stream with --programmable, not {values['interface']}")
    if values["multiplier"] not in ("auto", "logic", "dsp"):
        raise RequestError(f"Multiplier must be logic or dsp with --programmable, not {values['multiplier']}")
    return ProgrammableSpec(
        input=values["input_"],
        output=values["output"],
        segments=values["segments"],
        slope=values["slope_format"],
        bus=values["bus"] or BUSES[0],
        multiplier="dsp" if values["multiplier"] == "dsp" else "logic",
        reset=values["reset"] or "sync-high",
        name=check_name(values["name"] or "programmable"),
    )


def generate_programmable(context, folder, force, as_json):
    """Generate a unit for any function of a number of segments, which a bus writes."""
    from ..programmable.output import ProgrammableUnit

    spec = _spec(context)
    target = folder or spec.name
    check_folder(target, spec.name, overwrite=force)
    with progress("Checking the golden model"):
        unit = ProgrammableUnit(spec.design(), spec.command())
        unit.check_golden()
    with progress("Writing files"):
        files = unit.files()
        write_folder(target, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        echo_json({**contents, "folder": target})
        return
    design = unit.design
    columns = ("segments", "slopes", "intercept bits", "bus", "address bits", "latency")
    row = (design.segments, design.slope, design.intercept_bits, design.bus, contents["address_bits"], design.latency)
    show_table(f"{design.name}, {design.input} to {design.output}", columns, [row])
    click.echo(f"Wrote {target}, digest {contents['digest'][:12]}")
