"""The output folder: every emitter is a pure function ``text(design, ...) -> str``, byte for byte repeatable.

Emitters read a `Design`, integers only. What is measured about it (errors, certificate, curves, synthesis
reports) and the Verilog text are handed in.
"""

from .layout import Layout  # first: a module that is imported later would hide the function of its name
from .folder import layout, unit_files, write_folder
from .manifest import find_manifest, manifest, manifest_text, ports, read_manifest
from .plots import Curve
from .seal import check_seal, sealed_text

__all__ = [
    "Curve",
    "Layout",
    "check_seal",
    "find_manifest",
    "layout",
    "manifest",
    "manifest_text",
    "ports",
    "read_manifest",
    "sealed_text",
    "unit_files",
    "write_folder",
]
