"""The command line: one verb a file."""

import importlib
import sys
from collections.abc import Mapping

import click

from .. import __version__
from .common import Group, run, stoppable

__all__ = ["hwact", "main"]

EPILOG = """
hwact list
hwact show gelu
hwact generate tanh --input SQ4.12 --output SQ1.15
hwact estimate tanh --input SQ4.12 --output SQ1.15
hwact image gelu --for programmable
hwact softmax --input SQ4.4 --output UQ0.8 --length 64
hwact verify tanh
hwact simulate tanh
hwact mutate tanh
hwact synth tanh --target ice40
hwact explore --functions tanh,mish --input SQ4.5 --output SQ4.5 --bound faithful,2ulp
hwact results explore --pareto luts,max_error
hwact report explore
hwact fusesoc cores/hwact
hwact board list
"""


class _Verbs(Mapping):
    """Commands by name, each imported when it is asked for: none waits for what another needs.

    Parameters
    ----------
    names : dict of str to str
        ``module:command`` by the verb.
    """

    def __init__(self, names):
        self._names = names

    def __getitem__(self, verb):
        module, _, command = self._names[verb].partition(":")
        return getattr(importlib.import_module(f".{module}", __name__), command)

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)


VERBS = {
    "list": "list:list_functions",
    "show": "show:show",
    "generate": "generate:generate",
    "estimate": "estimate:estimate",
    "image": "image:image",
    "softmax": "softmax:softmax",
    "verify": "verify:verify",
    "simulate": "simulate:simulate",
    "mutate": "mutate:mutate",
    "synth": "synth:synth",
    "explore": "explore:explore",
    "results": "results:results",
    "report": "report:report",
    "fusesoc": "fusesoc:fusesoc",
    "board": "board:board",
    "demo": "demo:demo",
}


@click.group(
    cls=Group,
    commands=_Verbs(VERBS),
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="hwact")
@click.pass_context
def hwact(context):
    """Smallest proven piecewise-linear activation units in hardware.

    Exit status: 0 done; 1 a check failed; 2 bad request; 3 a tool is missing or broke. Every command takes
    --json. HWACT_CACHE names the folder that keeps synthesis results; HWACT_DEBUG=1 shows tracebacks.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments=None):
    """Run the command line; the process ends with its exit status."""
    sys.exit(stoppable(lambda: run(hwact, arguments)))
