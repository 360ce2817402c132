"""A unit's files in memory: the design measured against the real function and handed to the emitters."""

from pathlib import Path

from .design import Design
from .emit import (
    Curve,
    check_seal,
    find_manifest,
    manifest,
    manifest_text,
    read_manifest,
    sealed_text,
    unit_files,
)
from .emit.datasheet import datasheet_text
from .emit.folder import locked, replace_file
from .emit.manifest import CERTIFICATE
from .emit.verilog import verilog
from .errors import CheckError, RequestError
from .verify import Certificate, climb, measure, rungs

__all__ = ["Unit"]


class Unit:
    """A design with the command that makes it, and what follows from both.

    Parameters
    ----------
    design : Design
    command : str
    certificate : Certificate or None
    """

    #: What the unit is, in messages.
    kind = "the unit of a function"
    #: Whether the unit has memories that belong into block RAM.
    buffers = False
    #: The rungs up to a level.
    rungs = staticmethod(rungs)

    def __init__(self, design, command, certificate=None):
        self.design = design
        self.command = command
        self.measured = measure(design)
        self.certificate = certificate or Certificate(design.digest)
        self._changes = []
        self._certified = {}

    @classmethod
    def read(cls, folder):
        """The unit in an output folder.

        Raises
        ------
        RequestError
            If the folder has no sound manifest.
        CheckError
            If a file of the folder is not as it was certified.
        """
        find_manifest(folder)
        with locked(folder):
            contents, design = read_manifest(folder)
            sealed = _sealed(folder, contents)
        if contents.get("kind") == "softmax":
            from .softmax.output import SoftmaxUnit as cls
        elif contents.get("kind") == "multi":
            from .multi.output import MultiFiles as cls
        elif contents.get("kind") == "parametric":
            from .parametric.output import ParametricFiles as cls
        elif contents.get("kind") == "programmable":
            from .programmable.output import ProgrammableUnit as cls
        elif contents.get("kind") == "image":
            from .programmable.output import ImageUnit as cls
        unit = cls(design, str(contents.get("command", "")), Certificate.from_dict(sealed, design.digest))
        unit._certified = sealed["files"]
        return unit

    @classmethod
    def read_function(cls, folder):
        """The unit of a function in an output folder; one of another kind is refused."""
        unit = cls.read(folder)
        if not isinstance(unit.design, Design):
            raise RequestError(f"Folder must hold the unit of a function, not {unit.kind}: {str(folder)!r}")
        return unit

    @property
    def clock(self):
        """Name of the clock port; ``clk`` where the design has no `Shell` to name another."""
        shell = getattr(self.design, "shell", None)
        return shell.clock_name if shell else "clk"

    def certify(self, checks):
        """Add passed checks to the certificate."""
        self._change(lambda certificate: certificate.joined(checks))

    def disown(self, level):
        """Take the rung `level`, and those that stand on it, out of the certificate."""
        self._change(lambda certificate: certificate.below(level))

    def _change(self, change):
        self.certificate = change(self.certificate)
        self._changes.append(change)

    def check_golden(self, tick=None):
        """Check every output of the golden model, and add that to the certificate.

        Raises
        ------
        CheckError
            If an output misses its bound.
        """
        self.certify(climb("golden", self.design, None, measured=self.measured, tick=tick))

    def climb(self, folder, level, seconds, tick=None, note=None):
        """Establish one rung for the files in `folder`, and add that to the certificate.

        Raises
        ------
        CheckError
            If a check fails.
        UndecidedError
            If a proof takes longer than `seconds`.
        ToolError
            If a tool is missing or breaks.
        """
        contents, _ = read_manifest(folder)
        text = self.verilog_text(folder)
        given = {"contents": contents, "measured": self.measured, "seconds": seconds, "tick": tick, "note": note}
        self.certify(climb(level, self.design, text, **given))

    def files(self):
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
        )

    def record(self, folder, reports=None):
        """Write the certificate into the unit's folder: sealed, in the manifest and in the datasheet.

        What another process has certified in the meantime stays. A kill at any moment leaves the folder
        as certified as before, or more.

        Parameters
        ----------
        folder : str or Path
        reports : sequence of SynthReport, optional
            Synthesis results for the datasheet, in place of those that are there.

        Raises
        ------
        RequestError
            If the folder cannot be written.
        CheckError
            If a file was altered in the meantime.
        """
        with locked(folder):
            before, _ = read_manifest(folder)
            sealed = _sealed(folder, before)
            self._check_same(sealed["files"])
            self.certificate = Certificate.from_dict(sealed, self.design.digest)
            for change in self._changes:
                self.certificate = change(self.certificate)
            changed = self._changed(before, reports)
            digests, path = sealed["files"], Path(folder, f"{self.design.name}{CERTIFICATE}")
            _replace(path, self._sealed_text(digests, changed))
            for name, data in changed.items():
                _replace(Path(folder, name), data)
            _replace(path, self._sealed_text({**digests, **changed}))

    def _check_same(self, files):
        """Refuse files that are certified, but are not those that were verified."""
        own = {f"{self.design.name}.json", f"{self.design.name}.md"}  # these two tell what else was certified
        changed = [path for path in self._certified if path not in own and files.get(path) != self._certified[path]]
        if changed:
            raise CheckError(f"File {changed[0]} must stay as it was, not be generated anew during verification")

    def _sealed_text(self, files, pending=None):
        return sealed_text(self.design, self.command, self.certificate.to_dict(), files, pending).encode()

    def _changed(self, before, reports):
        """The manifest and the datasheet with this certificate, by relative path."""
        resources = before.get("resources", ()) if reports is None else [one.to_dict() for one in reports]
        contents = manifest(
            self.design,
            command=self.command,
            statistics=self.measured,
            certificate=self.certificate.to_dict(),
            files=before["files"],
            resources=resources,
        )
        name = self.design.name
        texts = {f"{name}.json": manifest_text(contents), f"{name}.md": datasheet_text(self.design, contents)}
        return {path: text.encode() for path, text in texts.items()}

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


def _sealed(folder, contents):
    """The certificate of a folder with this manifest, checked against the files."""
    return check_seal(folder, [path for paths in contents["files"].values() for path in paths])


def _replace(path, data):
    """Write a file of a locked folder, whole or not at all."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise RequestError(f"Folder must be writable, not {str(path.parent)!r}: {error.strerror}") from None
