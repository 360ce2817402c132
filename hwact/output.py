"""A unit's files in memory: the design measured against the real function and handed to the emitters."""

import os
import tempfile
from pathlib import Path

from .emit import Curve, manifest, manifest_text, read_manifest, unit_files
from .emit.datasheet import datasheet_text
from .emit.verilog import verilog
from .errors import RequestError
from .verify import Certificate, measure, sha256

__all__ = ["Unit"]


class Unit:
    """A design with the command that makes it, and what follows from both.

    Parameters
    ----------
    design : Design
    command : str
    certificate : Certificate or None
    """

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.measured = measure(design)
        self.certificate = certificate or Certificate(design.digest, ())

    @classmethod
    def read(cls, folder):
        """The unit in an output folder.

        Raises
        ------
        RequestError
            If the folder has no sound manifest, or no Verilog.
        """
        contents, design = read_manifest(folder)
        unit = cls(design, str(contents.get("command", "")))
        certificate = Certificate.from_dict(contents.get("certificate"), design.digest)
        unit.certificate = certificate.about(unit.verilog_text(folder))
        return unit

    def certify(self, checks, verilog_text=None):
        """Add passed checks to the certificate; with the Verilog text that they are about."""
        digest = "" if verilog_text is None else sha256(verilog_text)
        self.certificate = self.certificate.joined(Certificate(self.design.digest, tuple(checks), digest))

    def check_golden(self):
        """Check every output of the golden model, and add that to the certificate.

        Raises
        ------
        CheckError
            If an output misses its bound.
        """
        self.certify([check for measured in self.measured.values() for check in measured.check()])

    def files(self, reports=()):
        """Every file of the output folder (dict of bytes by relative path)."""
        curves = {
            name: Curve(
                codes=measured.codes,
                reference=measured.exact * float(measured.channel.format.ulp),
                outputs=measured.outputs,
                error_ulp=measured.outputs - measured.exact,
            )
            for name, measured in self.measured.items()
        }
        return unit_files(
            self.design,
            command=self.command,
            statistics=self.measured,
            certificate=self.certificate.to_dict(),
            curves=curves,
            verilog=verilog(self.design, command=self.command),
            reports=reports,
        )

    def manifest(self, files):
        """The manifest's contents, for a folder with these files by kind."""
        return manifest(
            self.design,
            command=self.command,
            statistics=self.measured,
            certificate=self.certificate.to_dict(),
            files=files,
        )

    def record(self, folder, reports=()):
        """Write the certificate into the manifest and the datasheet of the unit's folder.

        Raises
        ------
        RequestError
            If they cannot be written.
        """
        before, _ = read_manifest(folder)
        contents = self.manifest(before["files"])
        name = self.design.name
        _replace(Path(folder, f"{name}.json"), manifest_text(contents))
        _replace(Path(folder, f"{name}.md"), datasheet_text(self.design, contents, reports))

    def verilog_text(self, folder):
        """The Verilog that stands in the folder.

        Raises
        ------
        RequestError
            If it cannot be read.
        """
        path = Path(folder, f"{self.design.name}.v")
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise RequestError(
                f"Verilog must be a readable file, not {str(path)!r}: {error.strerror}"
            ) from None
        except UnicodeDecodeError:
            raise RequestError(f"Verilog must be UTF-8 text, not as in {str(path)!r}") from None


def _replace(path, text):
    """Write a file whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            try:
                file.write(text)
                file.close()
                os.chmod(file.name, path.stat().st_mode if path.exists() else 0o644)
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise RequestError(f"Folder must be writable, not {str(path.parent)!r}: {error.strerror}") from None
