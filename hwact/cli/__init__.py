"""The command line: one verb a file."""

import sys

import click

from .. import __version__
from .common import run
from .demo import demo
from .generate import generate
from .list import list_functions
from .show import show
from .simulate import simulate
from .synth import synth
from .verify import verify

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hwact")
def hwact():
    """Smallest proven piecewise-linear activation units in hardware.

    Exit status: 0 done; 1 a check failed; 2 bad request; 3 a tool is missing or broke.
    """


for command in (list_functions, show, generate, verify, simulate, synth, demo):
    hwact.add_command(command)


def main(arguments=None):
    """Run the command line; the process ends with its exit status."""
    sys.exit(run(hwact, arguments))
