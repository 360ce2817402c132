"""The output folder of an image: manifest, words, headers and datasheet, in memory."""

from .. import __version__
from ..emit import manifest_text, sealed_text
from ..emit.c_model import c_model_text
from ..emit.datasheet import _accuracy as accuracy_text
from ..emit.datasheet import _certificate as certificate_text
from ..emit.datasheet import _origin as origin_text
from ..emit.datasheet import _segments as segments_text
from ..emit.header import line_comment, notice, plain
from ..emit.manifest import CERTIFICATE
from ..emit.manifest import manifest as function_manifest
from .c_header import image_header_text

__all__ = ["datasheet_text", "image_files", "manifest", "paths_of"]


def paths_of(name):
    """Relative paths of an image's files, by kind."""
    return {
        "manifest": [f"{name}.json"],
        "datasheet": [f"{name}.md"],
        "words": [f"{name}.hex"],
        "c_writes": [f"{name}_image.h"],
        "c_model": [f"{name}.h"],
        "certificate": [f"{name}{CERTIFICATE}"],
    }


def manifest(image, *, command, statistics, certificate, files):
    """Collect what is known of an image (dict, ready for JSON)."""
    of_function = function_manifest(
        image.design, command=command, statistics=statistics, certificate=certificate, files=files
    )
    kept = ("function", "input", "domain", "outputs", "files")
    contents = image.contents
    return {
        "hwact": __version__,
        "kind": "image",
        "digest": image.digest,
        "name": image.name,
        "command": command,
        "unit": {"name": image.unit.name, "digest": image.unit.digest},
        **{key: of_function[key] for key in kept},
        "identifier": image.identifier,
        "starts": list(contents.starts),
        "slopes": list(contents.slopes),
        "intercepts": list(contents.intercepts),
        "writes": [list(pair) for pair in image.writes],
        "certificate": certificate,
        "design": image.to_dict(),
    }


def image_files(image, *, command, statistics, certificate):
    """Every file of the output folder.

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths = paths_of(image.name)
    contents = manifest(image, command=command, statistics=statistics, certificate=certificate, files=paths)
    texts = {
        "manifest": manifest_text(contents),
        "datasheet": datasheet_text(image, contents),
        "words": words_text(image, command),
        "c_writes": image_header_text(image, command),
        "c_model": c_model_text(image.design, command),
    }
    files = {paths[kind][0]: text.encode() for kind, text in texts.items()}
    return {**files, f"{image.name}{CERTIFICATE}": sealed_text(image, command, certificate, files).encode()}


def words_text(image, command):
    """The words in hexadecimal, for ``$readmemh``: each at its word address in the unit."""
    lines, following = [], None
    for address, value in image.writes:
        at = "" if address == following else f"@{address // 4:x} "
        lines.append(f"{at}{value:08x}")
        following = address + 4
    return line_comment("//", notice(image, command)) + "\n".join(lines) + "\n"


def datasheet_text(image, contents):
    """The datasheet in Markdown; `contents` is the manifest."""
    channel, name = image.design.channels[0], image.name
    first, last = image.domain
    head = (
        f"# {name}\n\nAn image of `{plain(channel.expression)}` for the unit `{image.unit.name}`, digest\n"
        f"`{image.unit.digest}`: {channel.core.segments} of its {image.unit.segments} segments.\n\n"
        f"`{name}_image.h` writes it, `{name}.hex` and `{name}.json` hold the same words; `{name}.h` is its model.\n"
        f"The outputs are specified for input codes {first} to {last}.\n"
    )
    return "\n".join(
        [
            head,
            accuracy_text(contents),
            certificate_text(name, contents["certificate"]),
            segments_text(image.design, channel),
            origin_text(image, contents),
        ]
    )
