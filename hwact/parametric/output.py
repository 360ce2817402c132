"""The files of a parametric unit, for the commands that work on folders."""

from ..sideband.output import SidebandFiles
from ..sideband.verilog import verilog
from ..verify import measure
from .files import datasheet_text, manifest, parametric_files
from .guarantee import guarantee
from .verify import climb, rungs

__all__ = ["ParametricFiles"]


class ParametricFiles(SidebandFiles):
    """A `ParametricDesign` with the command that makes it, and what follows from both."""

    kind = "a parametric unit"
    buffers = True
    rungs = staticmethod(rungs)

    def _measure(self):
        measured = measure(self.design.inner)
        self.proved = guarantee(self.design, measured["y"])
        return measured

    def _rung(self, level, text):
        return climb(level, self.design, text, self.proved)

    def _given(self):
        known = {"command": self.command, "measured": self.measured, "proved": self.proved}
        return {**known, "certificate": self.certificate.to_dict()}

    def _manifest(self, **more):
        return manifest(self.design, **self._given(), **more)

    def _datasheet(self, contents):
        return datasheet_text(self.design, contents)

    def files(self):
        """Every file of the output folder (dict of bytes by relative path)."""
        return parametric_files(self.design, **self._given(), verilog=verilog(self.design, command=self.command))
