"""``hwact fusesoc``, and what FuseSoC calls to have a unit generated."""

import json
import sys
from pathlib import Path

import click
import yaml

from .. import __version__
from ..emit.folder import replace_file
from ..errors import RequestError
from .common import Verb, echo_json, json_option

__all__ = ["fusesoc", "generate_core", "words"]

EPILOG = """
hwact fusesoc
hwact fusesoc cores/hwact
"""

_CORE = """\
CAPI=2:
# Written by `hwact fusesoc`; write it again when Python or hwact moves.
name: hwact:tools:generator:{version}
description: Units of hwact on demand

generators:
  hwact:
    interpreter: {interpreter}
    command: hwact_generate.py
    cache_type: input
    description: A proven unit, from a function, formats and a bound on the error
    usage: |
      The parameters are the long options of `hwact generate` without their dashes, such as
      function, input, output, bound, interface, latency and name; flags are true. Options that
      repeat take a list. With unit: softmax they are those of `hwact softmax`.
"""

_SCRIPT = """\
\"\"\"What FuseSoC runs: python hwact_generate.py INPUT.yml\"\"\"

import sys

from hwact.cli.fusesoc import generate_core

generate_core(sys.argv[1])
"""


@click.command("fusesoc", cls=Verb, epilog=EPILOG, short_help="Write a FuseSoC library whose generator makes units.")
@click.argument("folder", default="hwact_fusesoc", type=click.Path(file_okay=False))
@json_option
def fusesoc(folder, as_json):
    """Write a FuseSoC library to FOLDER, with a generator that other cores may ask for units.

    The generator runs with the Python that runs this command.
    """
    texts = {
        "hwact_generator.core": _CORE.format(version=__version__, interpreter=json.dumps(sys.executable)),
        "hwact_generate.py": _SCRIPT,
    }
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace_file(Path(folder, name), text.encode())
    except OSError as error:
        raise RequestError(f"Folder must be writable, not {str(folder)!r}: {error.strerror}") from None
    if as_json:
        echo_json({"folder": folder, "files": list(texts)})
    else:
        click.echo(f"Wrote {folder}; add it with: fusesoc library add hwact {folder}")


def generate_core(path):
    """Generate the unit that a FuseSoC core asks for into the working folder; the process ends with the exit status.

    Parameters
    ----------
    path : str
        The file that FuseSoC's generator interface (``gapi`` 1.0) hands over.
    """
    from . import main

    asked = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    main(words(asked.get("parameters") or {}))


def words(parameters):
    """The command line that a generator's parameters stand for, without the program's name.

    >>> words({"function": "x*sigmoid(b*x)", "parameter": ["b=1.7"], "saturate": True, "input": "SQ4.4"})
    ['generate', '--function', 'x*sigmoid(b*x)', '--parameter', 'b=1.7', '--saturate', '--input', 'SQ4.4']
    """
    rest = dict(parameters)
    found = ["softmax" if rest.pop("unit", None) == "softmax" else "generate"]
    for key, value in rest.items():
        option = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            found += [option] * value
        else:
            for item in value if isinstance(value, list) else [value]:
                found += [option, str(item)]
    return found
