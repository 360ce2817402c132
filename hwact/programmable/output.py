"""The files of a programmable unit or an image in memory, as `hwact.output.Unit` for commands that work on folders."""

from ..emit import manifest_text
from ..errors import CheckError, RequestError
from ..output import Unit
from ..verify import Certificate, Check, measure
from . import files as unit_output
from . import image_files as image_output
from .simulate import run_own_bench
from .verify import check_image, climb
from .verilog import verilog

__all__ = ["ImageUnit", "ProgrammableUnit"]


class ProgrammableUnit(Unit):
    """A programmable design with the command that makes it, and what follows from both.

    Parameters
    ----------
    design : ProgrammableDesign
    command : str
    certificate : Certificate or None
    """

    buffers = True
    kind = "a programmable unit"

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.certificate = certificate or Certificate(design.digest)
        self._changes = []
        self._certified = {}

    def check_golden(self, tick=None):
        """Check the golden model, and add that to the certificate."""
        self.certify(climb("golden", self.design, None))

    def climb(self, folder, level, seconds, tick=None, note=None):
        """Establish one rung for the files in `folder`, and add that to the certificate."""
        self.certify(climb(level, self.design, self.verilog_text(folder)))

    def bench_check(self, folder, simulator="auto"):
        """Run the folder's cocotb bench; its result, and the check that it amounts to (see `hwact.cli.simulate`)."""
        result = run_own_bench(folder, self.design, simulator)
        if not result.passed:
            raise CheckError(result.messages[0] if result.messages else "Bench must run its tests, not none")
        method = f"cocotb bench: tables loaded, swapped under traffic, read back; stalls, resets; {result.simulator}"
        return result, Check("bench", "bench", "y", method, result.samples, "codes of the vectors")

    def files(self):
        """Every file of the output folder (dict of bytes by relative path)."""
        text = verilog(self.design, command=self.command)
        certificate = self.certificate.to_dict()
        return unit_output.unit_files(self.design, command=self.command, certificate=certificate, verilog=text)

    def _changed(self, before, reports):
        resources = before.get("resources", ()) if reports is None else [one.to_dict() for one in reports]
        more = {"files": before["files"], "resources": resources, "certificate": self.certificate.to_dict()}
        contents = unit_output.manifest(self.design, command=self.command, **more)
        return _texts(self.design.name, contents, unit_output.datasheet_text(self.design, contents))


class ImageUnit(Unit):
    """An image with the command that makes it, and what follows from both.

    Parameters
    ----------
    design : Image
    command : str
    certificate : Certificate or None
    """

    kind = "an image"

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.measured = measure(design.design)
        self.certificate = certificate or Certificate(design.digest)
        self._changes = []
        self._certified = {}

    def check_golden(self, tick=None):
        """Check every output and every word, and add that to the certificate."""
        self.certify(check_image(self.design, self.measured, tick))

    def climb(self, folder, level, seconds, tick=None, note=None):
        """Establish the rung ``golden``; those below are the unit's."""
        if level == "golden":
            self.check_golden(tick)
        elif note:
            note(f"An image has no circuit: {level} is for the folder of its unit, {self.design.unit.name}")

    def verilog_text(self, folder):
        """Refuse: an image has no Verilog."""
        raise RequestError(f"Folder must hold a unit, not an image, which has no circuit: {str(folder)!r}")

    def files(self):
        """Every file of the output folder (dict of bytes by relative path)."""
        certificate = self.certificate.to_dict()
        more = {"command": self.command, "statistics": self.measured, "certificate": certificate}
        return image_output.image_files(self.design, **more)

    def _changed(self, before, reports):
        more = {"files": before["files"], "statistics": self.measured, "certificate": self.certificate.to_dict()}
        contents = image_output.manifest(self.design, command=self.command, **more)
        return _texts(self.design.name, contents, image_output.datasheet_text(self.design, contents))


def _texts(name, contents, datasheet):
    """The manifest and the datasheet, by relative path."""
    texts = {f"{name}.json": manifest_text(contents), f"{name}.md": datasheet}
    return {path: text.encode() for path, text in texts.items()}
