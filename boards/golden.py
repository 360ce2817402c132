"""The golden model of what a board says it holds, found by its digest."""

import json
import os
import tempfile
from pathlib import Path

from ..design import Design
from ..emit import read_manifest
from ..errors import CheckError, RequestError
from ..programmable import Image, ProgrammableDesign
from ..synth.tools import cache_folder

__all__ = ["find_design", "keep_designs", "load_designs", "read_image"]

#: The manifest of a board's build.
_BUILD = "board.json"


def load_designs(folders):
    """Designs of units' folders and of boards' builds, by digest (dict).

    Raises
    ------
    RequestError
        If a folder holds neither.
    """
    found = {}
    for folder in map(Path, folders):
        for design in _built(folder) if (folder / _BUILD).is_file() else [read_manifest(folder)[1]]:
            found[design.digest] = design
    return found


def _built(folder):
    try:
        plain = json.loads((folder / _BUILD).read_text(encoding="utf-8"))["designs"]
        return [_design(one) for one in plain]
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(f"Folder must hold a unit, or a build of hwact board build, not {str(folder)!r}") from None


def _design(plain):
    return (ProgrammableDesign if "bus" in plain else Design).from_dict(plain)


def read_image(folder):
    """The image in a folder of ``hwact image``."""
    _, image = read_manifest(folder)
    if not isinstance(image, Image):
        raise RequestError(f"Folder must hold an image, not a unit: {str(folder)!r}")
    return image


def keep_designs(designs):
    """Keep designs in the cache, for `find_design`; a cache that cannot be written keeps none."""
    for design in designs:
        path = _kept(design.digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
                json.dump(design.to_dict(), file)
            os.replace(file.name, path)
        except OSError:
            return


def _kept(digest):
    return cache_folder() / "boards" / "designs" / f"{digest}.json"


def find_design(record, folders=()):
    """The design of a board's unit.

    Parameters
    ----------
    record : Record
    folders : iterable of path
        Where to look; without any, among the designs that this machine has put on a board.

    Raises
    ------
    CheckError
        If the design is not there.
    RequestError
        If there is nowhere to look.
    """
    digest, designs = record.digest.hex(), load_designs(folders)
    if digest in designs:
        return designs[digest]
    if designs:
        named = ", ".join(sorted({f"{design.name} {other[:12]}" for other, design in designs.items()}))
        raise CheckError(f"Board must hold one of {named}, not {record.name} of digest {digest[:12]}")
    try:
        design = _design(json.loads(_kept(digest).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        design = None
    if design is None or design.digest != digest:
        raise RequestError(
            f"Golden model of {record.name}, digest {digest[:12]}, must be known: name its folder, or that of the build"
        )
    return design
