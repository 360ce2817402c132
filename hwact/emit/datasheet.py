"""``NAME.md``: the datasheet, for people."""

from ..ports import ports_of, sidebands_text
from .header import figures, notice, plain, reset_text

__all__ = ["datasheet_text", "port_rows"]

#: Rows of a segment table before it refers to the manifest.
_ROWS = 64


def datasheet_text(design, contents):
    """The datasheet in Markdown.

    Parameters
    ----------
    design : Design
    contents : dict
        The manifest.

    Returns
    -------
    str
    """
    sections = [
        _title(design, contents),
        _formats(design),
        _accuracy(contents),
        *(f"![{path}]({path})\n" for path in contents["files"].get("plots", ())),
        _interface(design),
        _instance(design),
        _arithmetic(design),
        _certificate(design.name, contents["certificate"]),
        _resources(contents.get("resources") or ()),
        *(_segments(design, channel) for channel in design.channels if channel.core.method == "pwl"),
        _origin(design, contents),
    ]
    return "\n".join(section for section in sections if section)


def _table(head, rows):
    """A Markdown table, aligned as text too."""
    cells = [[_cell(value) for value in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [
        "| " + " | ".join(value.ljust(width) for value, width in zip(row, widths)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return figures(value)
    return plain(value).replace("|", "\\|")


def _code(text):
    """A code span that its text cannot end."""
    return f"`` {plain(text)} ``" if "`" in str(text) else f"`{plain(text)}`"


def _title(design, contents):
    outputs = " and ".join(f"{c.name} = {_code(c.expression)}" for c in design.channels)
    kinds = {"comb": "combinational", "pipe": "pipelined", "stream": "streaming", "axis": "AXI4-Stream"}
    kind, lanes = kinds[design.shell.interface], design.shell.lanes
    article = "An" if kind[0] == "A" else "A"
    rate = "one code" if lanes == 1 else f"{lanes} codes"
    timing = f", {rate} per clock cycle, {design.latency} cycles of latency" if design.latency else ""
    return (
        f"# {design.name}\n\n"
        f"{article} {kind} fixed-point unit for {outputs}{timing}.\n"
        f"It computes with integers alone; the C model (`{design.name}.h`) and the vectors\n"
        f"(`tb/{design.name}.hex`) equal it bit for bit.\n"
    )


def _formats(design):
    ports_ = [("x", design.input), *((channel.name, channel.format) for channel in design.channels)]
    rows = [
        (
            name,
            format,
            format.width,
            format.signed,
            f"2^{-format.frac_bits}",
            format.min_value,
            format.max_value,
        )
        for name, format in ports_
    ]
    first, last = design.domain
    whole = (first, last) == (design.input.min_code, design.input.max_code)
    domain = "every input code" if whole else f"codes {first} to {last}"
    outside = "" if whole else "**Outside the domain the outputs are unspecified.**\n"
    head = ("", "format", "bits", "signed", "one ulp", "smallest", "largest")
    return (
        "## Formats\n\n"
        + _table(head, rows)
        + f"\nA code *c* stands for *c* times one ulp. Domain: {domain}"
        + f" (x = {float(first * design.input.ulp):.6g} to {float(last * design.input.ulp):.6g}).\n"
        + outside
    )


def _accuracy(contents):
    outputs = contents["outputs"]
    rows = [
        ("approximates", *(_code(output["expression"]) for output in outputs)),
        ("bound", *(output["bound"] for output in outputs)),
        ("largest error (ulp)", *(output["max_error_ulp"] for output in outputs)),
        ("at input code", *(output["worst_code"] for output in outputs)),
        ("mean error (ulp)", *(output["mean_error_ulp"] for output in outputs)),
        ("mean square error (ulp^2)", *(output["mse_ulp2"] for output in outputs)),
        ("method", *(_method(output) for output in outputs)),
        ("straight pieces over the domain", *(output["segments"] for output in outputs)),
        ("proven minimum", *(output["minimal_segments"] for output in outputs)),
        ("floor for real coefficients", *(output["floor_segments"] for output in outputs)),
        ("stored segments", *(output["stored_segments"] for output in outputs)),
    ]
    kept = [row for row in rows if any(value is not None for value in row[1:])]
    text = _table(("", *(output["name"] for output in outputs)), kept)
    return (
        "## Accuracy\n\n" + text + "\nErrors are against the real function clamped to the output's range.\n"
    )


def _method(output):
    if output["method"] == "table":
        return f"table of {output['entries']} entries"
    return f"piecewise linear, {output['segmentation']} segments"


_TIMING = {
    "comb": "Combinational: the outputs follow `x`.",
    "pipe": (
        "One code per clock cycle in which `ce` is 1; its result is at the outputs {latency} such cycles\n"
        "later. While `ce` is 0 nothing moves."
    ),
    "stream": (
        "A transfer takes place in a cycle with valid and ready at 1. The unit takes one code per cycle and\n"
        "gives results in order, {latency} cycles later when it is not stalled. While `o_valid` is 1 and\n"
        "`o_ready` 0 the outputs stay as they are; `o_valid` never waits for `o_ready`."
    ),
    "axis": (
        "A transfer takes place in a cycle with `tvalid` and `tready` at 1. The unit takes one transfer per cycle and\n"
        "gives results in order, {latency} cycles later when it is not stalled. While `m_axis_tvalid` is 1 and\n"
        "`m_axis_tready` 0 the outputs stay as they are; `m_axis_tvalid` never waits for `m_axis_tready`.\n"
        "The signals {sidebands} come out beside the results of their codes. All `tkeep` bits of a lane's results are 1\n"
        "where all those of its code are, else 0."
    ),
}

_ROLES = {
    "clk": "rising edge",
    "ce": "clock enable",
    "x": "input code",
    "i_keep": "the bytes of the input that count",
    "i_last": "last transfer of a packet",
    "i_user": "travels with the input",
    "i_valid": "the input is valid",
    "i_ready": "the unit takes the input",
    "y": "output code",
    "dy": "output code, derivative",
    "o_keep": "the bytes of the outputs that count",
    "o_last": "as it came with the input",
    "o_user": "as it came with the input",
    "o_valid": "the outputs are valid",
    "o_ready": "the outputs are taken",
}


def port_rows(design):
    """Port, direction (``in`` or ``out``), bits and meaning of every port, in order."""
    roles = {**_ROLES, "rst": reset_text(design.shell.reset)}
    return [
        (port.name, port.direction.removesuffix("put"), port.width, "; ".join(roles[role] for role in port.roles))
        for port in ports_of(design)
    ]


def _interface(design):
    shell = design.shell
    rows = [(f"`{port}`", *rest) for port, *rest in port_rows(design)]
    return (
        f"## Interface: {shell.interface}\n\n"
        + _table(("port", "direction", "bits", "meaning"), rows)
        + "\n"
        + _TIMING[shell.interface].format(latency=design.latency, sidebands=sidebands_text(design))
        + "\n"
        + _packing(design)
    )


def _packing(design):
    """Which bits are which code, where a port holds more than one code."""
    fields = [(port, field) for port in ports_of(design) for field in port.fields]
    if all(field.format.width == port.width for port, field in fields):
        return ""
    rows = [
        (f"`{port.name}[{field.slice.stop - 1}:{field.low}]`", field.name, field.lane, len(field.padding))
        for port, field in fields
    ]
    padding = (
        "Padding lies above its code: it is ignored at the input, repeats the sign of a signed output and is 0 above\n"
        "an unsigned one.\n"
    )
    padded = any(field.padding for _, field in fields)
    return "\n" + _table(("bits", "code", "lane", "padding above"), rows) + (f"\n{padding}" if padded else "")


def _instance(design):
    connections = ",\n".join(f"    .{port.name}({port.name})" for port in ports_of(design))
    return f"```verilog\n{design.name} {design.name}_i (\n{connections}\n);\n```\n"


_FOLDS = {
    "none": "u = x - ({low})",
    "negate": "u = |x|",
    "complement": "u = x where x >= 0, -x - 1 elsewhere",
}

_RESTORES = {
    "none": "y = g",
    "even": "y = g",
    "odd": "y = g where x >= 0, {constant} - g elsewhere",
    "ramp": "y = g + max(x, 0) * 2^{ramp}",
    "ramp_down": "y = g + min(x, 0) * 2^{ramp}",
}


def _arithmetic(design):
    return "## Arithmetic\n\n" + "\n".join(_steps(design, channel) for channel in design.channels)


def _steps(design, channel):
    fold, core = channel.fold, channel.core
    if core.method == "table":
        look = f"g = entry u{f' - {core.start}' if core.start else ''} of the table"
    else:
        look = (
            "k = the segment that u lies in\n"
            f"g = floor((slope[k] * (u - start[k]) + intercept[k]) / 2^{core.shift})"
        )
    restore = _RESTORES[fold.restore].format(constant=fold.constant, ramp=fold.ramp_shift)
    steps = [_FOLDS[fold.index].format(low=design.input.min_code), look, restore]
    if channel.saturate:
        steps.append(f"y = clamp(y, {channel.format.min_code}, {channel.format.max_code})")
    text = (
        "\n".join(steps).replace("y = ", f"{channel.name} = ").replace("clamp(y,", f"clamp({channel.name},")
    )
    return f"All of `{channel.name}` in integers (codes):\n\n```\n{text}\n```\n"


def _segments(design, channel):
    core = channel.core
    step = float(channel.format.ulp / design.input.ulp) / 2**core.shift
    head = ("k", "start", "codes", "slope", "intercept", "slope as a value")
    columns = zip(core.starts, core.sizes, core.slopes, core.intercepts)
    rows = [(k, a, n, m, c, f"{m * step:.6g}") for k, (a, n, m, c) in enumerate(columns) if k < _ROWS]
    rest = core.segments - _ROWS
    more = f"\n{rest} more segments are in `{design.name}.json`.\n" if rest > 0 else ""
    return f"## Segments of {channel.name}\n\n" + _table(head, rows) + more


_CHECKS = ("level", "check", "output", "codes", "coverage", "method")


def _certificate(name, certificate):
    if not certificate:
        return ""
    checks = certificate.get("checks", ())
    rows = [[check.get(column) for column in _CHECKS] for check in checks]
    tools = dict.fromkeys(tool for check in checks for tool in check.get("tools", ()))
    level = certificate.get("level")
    return (
        "## Certificate\n\n"
        + (f"Established up to the level **{level}**; every check below passed.\n\n" if level else "")
        + (_table(_CHECKS, rows) if rows else "")
        + (f"\nTools: {', '.join(map(plain, tools))}.\n" if tools else "")
        + _CERTIFIED.format(name=name)
    )


_CERTIFIED = """
`{name}.cert.json` holds the same with the digest of every file of this folder. `hwact verify` does the checks
again, and refuses a folder in which a file is not as it was certified.
"""

_RESOURCES = ("target", "luts", "carries", "ffs", "dsps", "brams", "depth", "fmax_mhz", "status")


def _resources(reports):
    if not reports:
        return ""
    columns = [name for name in _RESOURCES if any(report.get(name) is not None for report in reports)]
    rows = [[report.get(name) for name in columns] for report in reports]
    return "## Resources\n\n" + _table([name.replace("_mhz", " (MHz)") for name in columns], rows)


def _origin(design, contents):
    text = notice(design, contents["command"])
    return "## Origin\n\n```\n" + "\n".join(text).replace("```", "'''") + "\n```\n"
