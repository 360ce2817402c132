"""The command line: one verb a file."""

import sys

import click

from .. import __version__
from .common import Group, run, stoppable
from .demo import demo
from .fusesoc import fusesoc
from .generate import generate
from .image import image
from .list import list_functions
from .mutate import mutate
from .show import show
from .simulate import simulate
from .softmax import softmax
from .synth import synth
from .verify import verify

__all__ = ["hwact", "main"]

EPILOG = """
hwact list
hwact show gelu
hwact generate tanh --input SQ4.12 --output SQ1.15
hwact image gelu --for programmable
hwact softmax --input SQ4.4 --output UQ0.8 --length 64
hwact verify tanh
hwact simulate tanh
hwact mutate tanh
hwact synth tanh --target ice40
hwact fusesoc cores/hwact
"""


@click.group(
    cls=Group,
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


for command in (list_functions, show, generate, image, softmax, verify, simulate, mutate, synth, fusesoc, demo):
    hwact.add_command(command)


def main(arguments=None):
    """Run the command line; the process ends with its exit status."""
    sys.exit(stoppable(lambda: run(hwact, arguments)))
