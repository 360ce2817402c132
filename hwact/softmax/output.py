"""A softmax unit's files in memory, as `hwact.output.Unit` for the commands that work on folders."""

from ..emit import manifest_text
from ..output import Unit
from ..verify import Certificate
from .files import datasheet_text, manifest, softmax_files
from .guarantee import guarantee
from .verify import climb
from .verilog import verilog

__all__ = ["SoftmaxUnit"]


class SoftmaxUnit(Unit):
    """A softmax design with the command that makes it, and what follows from both.

    Parameters
    ----------
    design : SoftmaxDesign
    command : str
    certificate : Certificate or None
    """

    kind = "a softmax"
    buffers = True

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.proved = guarantee(design)
        self.certificate = certificate or Certificate(design.digest)
        self._changes = []
        self._certified = {}

    def check_golden(self, tick=None):
        """Check the guarantee, and add that to the certificate."""
        self.certify(climb("golden", self.design, None))

    def climb(self, folder, level, seconds, tick=None, note=None):
        """Establish one rung for the files in `folder`, and add that to the certificate."""
        self.certify(climb(level, self.design, self.verilog_text(folder)))

    def files(self):
        """Every file of the output folder (dict of bytes by relative path)."""
        text = verilog(self.design, command=self.command)
        return softmax_files(
            self.design,
            command=self.command,
            proved=self.proved,
            certificate=self.certificate.to_dict(),
            verilog=text,
        )

    def _changed(self, before, reports):
        resources = before.get("resources", ()) if reports is None else [one.to_dict() for one in reports]
        contents = manifest(
            self.design,
            command=self.command,
            proved=self.proved,
            certificate=self.certificate.to_dict(),
            files=before["files"],
            resources=resources,
        )
        name = self.design.name
        texts = {f"{name}.json": manifest_text(contents), f"{name}.md": datasheet_text(self.design, contents)}
        return {path: text.encode() for path, text in texts.items()}
