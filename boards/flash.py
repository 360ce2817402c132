"""A bitstream onto a board, with the programmer that the board's platform calls."""

import contextlib
import shutil
import subprocess
from pathlib import Path
from unittest import mock

from ..errors import CheckError, RequestError, ToolError
from .build import read_build
from .steps import NAME

__all__ = ["PROGRAMMERS", "flash", "flash_command", "programmer"]

#: What brings a programmer.
PROGRAMMERS = {
    "iceprog": "apt-get install fpga-icestorm",
    "openFPGALoader": "apt-get install openfpgaloader",
    "dfu-util": "apt-get install dfu-util",
    "fujprog": "see https://github.com/kost/fujprog",
}


def flash_command(board, folder):
    """The command by which the board's platform would program it with the build in `folder` (list of str).

    Raises
    ------
    RequestError
        If the folder holds no build, or one for another board.
    CheckError
        If the bitstream was altered, or misses the board's clock.
    """
    manifest = read_build(folder)
    if manifest["board"] != board.name:
        raise RequestError(f"Folder must hold a build for {board.name}, not for {manifest['board']}: {str(folder)!r}")
    if not manifest["timing_met"]:
        raise CheckError(f"Timing of the build must be met, not missed by {-manifest['margin_percent']:g} %")
    return programmer(board, Path(folder).resolve())


def programmer(board, folder):
    """The command by which the board's platform programs it with a bitstream in `folder` (list of str)."""
    # What the platform hands to the operating system, which does not get it.
    with mock.patch.object(subprocess, "check_call") as called:
        board.create().toolchain_program(_Products(Path(folder)), NAME)
    return [str(word) for word in called.call_args.args[0]]


class _Products:
    """A build's folder as Amaranth's platforms read it."""

    def __init__(self, folder):
        self._folder = folder

    def extract(self, name):
        """Path of a file: it is on this computer already."""
        return contextlib.nullcontext(str(self._folder / name))


def flash(command):
    """Run a programmer; what it says goes to the terminal.

    Raises
    ------
    ToolError
        If it is missing or fails.
    """
    tool = Path(command[0]).name
    if shutil.which(command[0]) is None:
        hint = PROGRAMMERS.get(tool, "see the board's manual")
        raise ToolError(f"Programmer {tool} must be installed, not missing: {hint}")
    status = subprocess.run(command, stdout=2, check=False).returncode
    if status:
        raise ToolError(
            f"Programmer {tool} must succeed, not end with status {status}: is the board connected, and may this user "
            "write to it?"
        )
