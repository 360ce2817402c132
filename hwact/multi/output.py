"""The files of a unit of several functions, for the commands that work on folders."""

from ..sideband.output import SidebandFiles
from ..sideband.verilog import verilog
from ..verify import measure
from .files import datasheet_text, manifest, multi_files
from .verify import climb, rungs

__all__ = ["MultiFiles"]


class MultiFiles(SidebandFiles):
    """A `MultiDesign` with the command that makes it, and what follows from both."""

    kind = "a unit of several functions"
    rungs = staticmethod(rungs)

    def _measure(self):
        return [measure(self.design.single(number)) for number in range(len(self.design.functions))]

    def _rung(self, level, text):
        return climb(level, self.design, text, self.measured)

    def _manifest(self, **more):
        given = {"command": self.command, "measured": self.measured, "certificate": self.certificate.to_dict()}
        return manifest(self.design, **given, **more)

    def _datasheet(self, contents):
        return datasheet_text(self.design, contents)

    def files(self):
        """Every file of the output folder (dict of bytes by relative path)."""
        return multi_files(
            self.design,
            command=self.command,
            measured=self.measured,
            certificate=self.certificate.to_dict(),
            verilog=verilog(self.design, command=self.command),
        )
