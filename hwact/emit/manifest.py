"""``NAME.json``: the manifest, the part of the output folder that other programs read."""

import json
import math
import stat
import textwrap
from dataclasses import asdict
from pathlib import Path

from .. import __version__
from ..design import Design
from ..errors import RequestError
from ..ports import ports_of, roles_of

__all__ = ["CERTIFICATE", "find_manifest", "manifest", "manifest_text", "packing", "ports", "read_manifest"]

MAX_BYTES = 16 << 20
#: Codes of a domain that is read back, at most: as many as a request may have.
MAX_CODES = 1 << 24
#: How the name of the certificate ends, which is JSON too.
CERTIFICATE = ".cert.json"
_WIDTH = 110


def ports(design):
    """Name of the Verilog port for each role of a unit.

    Parameters
    ----------
    design : Design

    Returns
    -------
    dict of str to str
        Roles in port order: ``clk``, ``rst``, ``ce``, ``x``, ``i_keep``, ``i_last``, ``i_user``, ``i_valid``,
        ``i_ready``, ``y``, ``dy``, ``o_keep``, ``o_last``, ``o_user``, ``o_valid``, ``o_ready``. A role that the
        unit does not have is absent; the outputs of ``axis`` share a port.
    """
    return roles_of(design)


def packing(design):
    """Where each code lies in its port, for people and programs: for every role one entry a lane.

    Returns
    -------
    dict of str to list of dict
        ``port``, ``lane``, ``low`` (position of the lowest bit), ``bits`` and, with its padding, ``padded``.
    """
    places = {}
    for port in ports_of(design):
        for field in port.fields:
            place = {"port": port.name, "lane": field.lane, "low": field.low, "bits": field.format.width}
            places.setdefault(field.name, []).append({**place, "padded": field.padded})
    return places


def manifest(design, *, command, statistics, certificate, files, resources=()):
    """Collect what is known of a unit.

    Parameters
    ----------
    design : Design
    command : str
        The command that makes the unit again.
    statistics : dict of str to object
        For each channel, measured errors: ``max_ulp``, ``mean_ulp``, ``mse_ulp2``, ``worst_code`` and, where
        known, ``floor_segments``.
    certificate : dict or None
        What was checked, by which method, with which result.
    files : dict of str to list of str
        Relative paths by kind.
    resources : sequence of dict
        Synthesis results.

    Returns
    -------
    dict
        Ready for JSON; what does not apply to a unit is None.
    """
    shell = design.shell
    return {
        "hwact": __version__,
        "digest": design.digest,
        "name": design.name,
        "top": design.name,
        "command": command,
        "function": {"name": design.function, "expression": design.channels[0].expression}
        | ({"parameters": dict(design.parameters)} if design.parameters else {}),
        "input": asdict(design.input),
        "domain": list(design.domain),
        "outputs": [_output(channel, statistics.get(channel.name)) for channel in design.channels],
        "interface": shell.interface,
        "latency": shell.latency,
        "initiation_interval": 1,
        "lanes": shell.lanes,
        "reset": None if shell.interface == "comb" else shell.reset,
        "ports": ports(design),
        "packing": packing(design),
        "files": {kind: list(paths) for kind, paths in files.items()},
        "resources": list(resources),
        "tried": [asdict(trial) for trial in design.trials],
        "certificate": certificate,
        "design": design.to_dict(),
    }


def _output(channel, statistics):
    core = channel.core
    return {
        "name": channel.name,
        "mode": channel.mode,
        "expression": channel.expression,
        "format": asdict(channel.format),
        "bound": channel.bound,
        "max_error_ulp": _number(statistics, "max_ulp", float),
        "mean_error_ulp": _number(statistics, "mean_ulp", float),
        "mse_ulp2": _number(statistics, "mse_ulp2", float),
        "worst_code": _number(statistics, "worst_code", int),
        "method": core.method,
        "segments": channel.segments,
        "minimal_segments": channel.minimality.segments if channel.minimality else None,
        "floor_segments": _number(statistics, "floor_segments", float),
        "stored_segments": getattr(core, "segments", None),
        "segmentation": getattr(core, "segmentation", None),
        "shift": getattr(core, "shift", None),
        "multiplier": getattr(core, "multiplier", None),
        "entries": len(core.entries) if core.method == "table" else None,
        "fold": asdict(channel.fold),
        "saturate": channel.saturate,
    }


def _number(statistics, name, kind):
    value = getattr(statistics, name, None)
    if value is None or not math.isfinite(value):
        return None
    return kind(value)


def manifest_text(contents):
    """JSON text of a manifest: as deep as needed, long lists of numbers wrapped instead of one a line."""
    return _pretty(contents, "") + "\n"


def _pretty(value, indent):
    line = json.dumps(value, allow_nan=False)
    if len(indent) + len(line) <= _WIDTH - 20 or not isinstance(value, (dict, list)):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key)}: {_pretty(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if all(isinstance(item, int) for item in value):
        return (
            "[\n"
            + textwrap.fill(line[1:-1], _WIDTH, initial_indent=inner, subsequent_indent=inner)
            + f"\n{indent}]"
        )
    return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"


def find_manifest(folder):
    """Path of the one manifest in an output folder.

    Raises
    ------
    RequestError
        If the folder cannot be read, or does not hold exactly one ``.json`` file.
    """
    try:
        found = sorted(
            path
            for path in Path(folder).iterdir()
            if path.suffix == ".json" and not path.name.endswith(CERTIFICATE)
        )
    except (OSError, ValueError):
        raise RequestError(f"Output folder must be a readable folder, not {str(folder)!r}") from None
    if len(found) != 1:
        raise RequestError(
            f"Output folder must hold one manifest (NAME.json), not {len(found)}: {str(folder)!r}"
        )
    return found[0]


def read_manifest(path):
    """Read and check a manifest.

    Parameters
    ----------
    path : str or Path
        The manifest, or the output folder that holds it.

    Returns
    -------
    (dict, Design, or that of another kind)
        The manifest as it stands, and the design in it, whose digest is the manifest's.

    Raises
    ------
    RequestError
        If it cannot be read, is not a manifest, has a domain of more than `MAX_CODES` codes, or its design
        is not the one that its digest names.
    """
    path = Path(path)
    if path.is_dir():
        path = find_manifest(path)
    contents = _parse(_read(path), path)
    if not isinstance(contents, dict):
        raise RequestError(f"Manifest must be a JSON object, not {type(contents).__name__}: {path.name!r}")
    for key in ("design", "digest"):
        if key not in contents:
            raise RequestError(f"Manifest must have a {key}, not none: {path.name!r}")
    design = _kind(contents).from_dict(contents["design"])
    _check_agreement(contents, design)
    return contents, design


def _kind(contents):
    """Class of the design in a manifest."""
    if contents.get("kind") == "programmable":
        from ..programmable import ProgrammableDesign as found
    elif contents.get("kind") == "image":
        from ..programmable import Image as found
    elif contents.get("kind") == "softmax":
        from ..softmax import SoftmaxDesign as found
    elif contents.get("kind") == "multi":
        from ..multi import MultiDesign as found
    elif contents.get("kind") == "parametric":
        from ..parametric import ParametricDesign as found
    else:
        found = Design
    return found


def _read(path):
    data = None
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        pass
    if data is None:
        raise RequestError(f"Manifest must be a readable file, not {str(path)!r}")
    if len(data) > MAX_BYTES:
        raise RequestError(f"Manifest must be at most {MAX_BYTES >> 20} MB, not more: {path.name!r}")
    return data


def _parse(data, path):
    try:
        return json.loads(data, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RequestError(f"Manifest must be JSON, not {path.name!r}: {reason}") from None


def _object(pairs):
    """A JSON object; one that says a thing twice means nothing."""
    contents = dict(pairs)
    if len(contents) < len(pairs):
        raise ValueError("the same key twice in one object")
    return contents


def _no_number(text):
    raise ValueError(f"{text} is not JSON")


def _check_agreement(contents, design):
    """Refuse a manifest that says one thing in its summary and another in its design, or too many codes."""
    first, last = design.domain
    if last - first >= MAX_CODES:
        raise RequestError(f"Domain must be at most {MAX_CODES} codes, not {last - first + 1}")
    if contents["digest"] != design.digest or contents["design"] != design.to_dict():
        raise RequestError(
            f"Manifest must have its design's digest {design.digest}, not {contents['digest']!r}"
        )
    if contents.get("name") != design.name:
        raise RequestError(
            f"Manifest must have its design's name {design.name!r}, not {contents.get('name')!r}"
        )
