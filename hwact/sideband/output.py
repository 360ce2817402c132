"""The files in memory of a unit with a sideband, as `hwact.output.Unit` for the commands that work on folders."""

from ..emit import manifest_text
from ..output import Unit
from ..verify import Certificate
from .verify import check_bench

__all__ = ["SidebandFiles"]


class SidebandFiles(Unit):
    """A design with the command that makes it, and what follows from both.

    Parameters
    ----------
    design
    command : str
    certificate : Certificate or None
    """

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.measured = self._measure()
        self.certificate = certificate or Certificate(design.digest)
        self._changes = []
        self._certified = {}

    def _measure(self):
        """What is measured of the golden model."""
        raise NotImplementedError

    def _rung(self, level, text):
        """Checks of one rung."""
        raise NotImplementedError

    def _manifest(self, **more):
        """The manifest."""
        raise NotImplementedError

    def _datasheet(self, contents):
        """The datasheet."""
        raise NotImplementedError

    def check_golden(self, tick=None):
        """Check the golden model, and add that to the certificate."""
        self.certify(self._rung("golden", None))

    def climb(self, folder, level, seconds, tick=None, note=None):
        """Establish one rung for the files in `folder`, and add that to the certificate."""
        self.certify(self._rung(level, self.verilog_text(folder)))

    def bench_check(self, folder, simulator):
        """The check that the cocotb bench amounts to, run on the Verilog in `folder`."""
        files = self.files()
        files[f"{self.design.name}.v"] = self.verilog_text(folder).encode()
        return check_bench(self.design, files, simulator)

    def _changed(self, before, reports):
        resources = before.get("resources", ()) if reports is None else [one.to_dict() for one in reports]
        contents = self._manifest(files=before["files"], resources=resources)
        name = self.design.name
        texts = {f"{name}.json": manifest_text(contents), f"{name}.md": self._datasheet(contents)}
        return {path: text.encode() for path, text in texts.items()}
