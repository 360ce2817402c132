"""``NAME.cert.json``: the certificate under a seal, with the digest of every file that it is about."""

import hashlib
import json
from pathlib import Path

from .. import __version__
from ..errors import CheckError
from .manifest import CERTIFICATE, manifest_text

__all__ = ["check_seal", "sealed_text"]

_MAX_BYTES = 16 << 20


def sealed_text(design, command, certificate, files, pending=None):
    """JSON text of a certificate.

    Parameters
    ----------
    design : Design
    command : str
        The command that makes the unit again.
    certificate : dict
        Level, checks and whatever else was certified.
    files : dict of str to bytes or str
        Contents, or SHA-256, of every other file of the output folder, by relative path.
    pending : dict of str to bytes, optional
        Contents of files that are about to be replaced: until they are, either is as certified.

    Returns
    -------
    str
        Its ``seal`` is the SHA-256 of all the rest.
    """
    contents = {
        "hwact": __version__,
        "name": design.name,
        "command": command,
        **certificate,
        "digest": design.digest,
        "domain": list(design.domain),
        "files": {path: _digest(data) for path, data in files.items()},
    }
    if pending:
        contents["pending"] = {path: _digest(data) for path, data in pending.items()}
    return manifest_text({**contents, "seal": _seal(contents)})


def _digest(data):
    return hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else data


def _seal(contents):
    text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
    return _digest(text.encode())


def check_seal(folder, paths=()):
    """Compare an output folder with its certificate.

    Parameters
    ----------
    folder : str or Path
    paths : iterable of str
        Files that the certificate must be about, itself apart.

    Returns
    -------
    dict
        The certificate's contents; its ``files`` are the digests of the files as they are now.

    Raises
    ------
    CheckError
        If there is no certificate, it was altered or leaves out a file, or a file is missing or another one.
    """
    folder = Path(folder)
    contents = _read(folder)
    unnamed = [path for path in paths if path not in contents["files"] and not path.endswith(CERTIFICATE)]
    if unnamed:
        raise CheckError(f"Certificate must be about every file of the unit, not leave out {unnamed[0]}")
    pending = contents.get("pending", {})
    for path, certified in contents["files"].items():
        found = _file_digest(folder, path)
        if found is None or found not in (certified, pending.get(path)):
            state = "missing" if found is None else "altered"
            raise CheckError(f"File {path} must be as it was certified, not {state}: generate the unit again")
        contents["files"][path] = found
    return contents


def _read(folder):
    found = sorted(folder.glob(f"*{CERTIFICATE}"))
    if len(found) != 1:
        raise CheckError(
            f"Output folder must hold one certificate (NAME{CERTIFICATE}), not {len(found)}: generate the unit again"
        )
    try:
        with found[0].open("rb") as file:
            contents = json.loads(file.read(_MAX_BYTES))
        seal = contents.pop("seal")
        tables = contents["files"], contents.get("pending", {})
        if seal == _seal(contents) and all(isinstance(table, dict) for table in tables):
            return contents
    except (OSError, ValueError, RecursionError, KeyError, AttributeError, TypeError):
        pass
    raise CheckError(f"Certificate must be as it was written, not altered: {found[0].name!r}")


def _file_digest(folder, path):
    """SHA-256 of a regular file inside the folder; None where there is none."""
    place = folder / path
    try:
        if place.resolve().is_relative_to(folder.resolve()) and place.is_file():
            with place.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        pass
    return None
