"""The output folder of a programmable unit: manifest, datasheet, register map and all the rest, in memory."""

from dataclasses import asdict

from .. import __version__
from ..emit import layout, manifest_text, sealed_text
from ..emit.core_file import core_text
from ..emit.datasheet import _certificate as certificate_text
from ..emit.datasheet import _origin as origin_text
from ..emit.datasheet import _resources as resources_text
from ..emit.datasheet import _table as table_text
from ..emit.ipxact import ipxact_text
from ..emit.manifest import CERTIFICATE
from .bench import bench_text, cocotb_bench_text, vectors_text
from .c_header import unit_header_text
from .registers import SEGMENT, address_bits, map_dict, map_of
from .verilog import BUS_NAMES, port_rows, ports

__all__ = ["datasheet_text", "manifest", "paths_of", "unit_files"]


def paths_of(name):
    """Relative paths of a unit's files, by kind."""
    return {**layout(name), "registers": [f"registers/{name}.json"]}


def manifest(design, *, command, certificate, files, resources=()):
    """Collect what is known of a programmable unit (dict, ready for JSON)."""
    return {
        "hwact": __version__,
        "kind": "programmable",
        "digest": design.digest,
        "name": design.name,
        "top": design.name,
        "command": command,
        "input": asdict(design.input),
        "output": asdict(design.output),
        "slope": asdict(design.slope),
        "segments": design.segments,
        "shift": design.shift,
        "intercept_bits": design.intercept_bits,
        "bus": design.bus,
        "address_bits": address_bits(design),
        "interface": "stream",
        "latency": design.latency,
        "initiation_interval": 1,
        "reset": design.reset,
        "ports": ports(design),
        "files": {kind: list(paths) for kind, paths in files.items()},
        "resources": list(resources),
        "certificate": certificate,
        "design": design.to_dict(),
    }


def unit_files(design, *, command, certificate, verilog):
    """Every file of the output folder.

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths = paths_of(design.name)
    contents = manifest(design, command=command, certificate=certificate, files=paths)
    description = f"programmable function of {design.segments} segments, {design.input} to {design.output}"
    registers = {"hwact": __version__, "unit": design.name, "digest": design.digest, **map_dict(design)}
    texts = {
        "verilog": verilog,
        "manifest": manifest_text(contents),
        "datasheet": datasheet_text(design, contents),
        "registers": manifest_text(registers),
        "c_model": unit_header_text(design, command),
        "bench": bench_text(design, command),
        "vectors": vectors_text(design, command),
        "cocotb": cocotb_bench_text(design, command),
        "core": core_text(design, command, description),
        "ipxact": _component(design, command, description, paths),
    }
    files = {paths[kind][0]: text.encode() for kind, text in texts.items()}
    return {**files, f"{design.name}{CERTIFICATE}": sealed_text(design, command, certificate, files).encode()}


def _component(design, command, description, paths):
    parameters = {
        "digest": design.digest,
        "input": design.input,
        "output": design.output,
        "slopes": design.slope,
        "segments": design.segments,
        "bus": BUS_NAMES[design.bus],
        "latency": design.latency,
    }
    return ipxact_text(
        design,
        command,
        description=description,
        rows=port_rows(design),
        roles=ports(design),
        reset=design.reset,
        paths=paths,
        parameters=parameters,
    )


def datasheet_text(design, contents):
    """The datasheet in Markdown; `contents` is the manifest."""
    rows = [(f"`{port}`", *rest) for port, *rest in port_rows(design)]
    connections = ",\n".join(f"    .{port}({port})" for port in contents["ports"].values())
    facts = [
        ("input", design.input),
        ("output", design.output),
        ("slopes", design.slope),
        ("shift", design.shift),
        ("intercepts", f"{design.intercept_bits} bits, signed"),
        ("segments of a bank", design.segments),
        ("latency (cycles)", design.latency),
    ]
    return "\n".join(
        [
            f"# {design.name}\n\nA streaming unit for any function, {design.input} to {design.output}, of at most "
            f"{design.segments} straight segments.\nTheir tables are written over {BUS_NAMES[design.bus]} into one of two "
            "banks while the other is in use.\n",
            "## What it computes\n\n"
            + _ARITHMETIC.format(shift=design.shift, low=design.output.min_code, high=design.output.max_code),
            table_text(("", ""), facts),
            "## Interface: stream\n\n" + table_text(("port", "direction", "bits", "meaning"), rows),
            _TIMING.format(latency=design.latency),
            f"```verilog\n{design.name} {design.name}_i (\n{connections}\n);\n```\n",
            registers_text(design),
            certificate_text(design.name, contents["certificate"]),
            resources_text(contents["resources"]),
            origin_text(design, contents),
        ]
    )


def registers_text(design):
    """The register map in Markdown."""
    rows = []
    for window in map_of(design):
        for register in window.registers:
            address = f"`0x{window.base + register.offset:x}`"
            name = register.name
            if register.count:
                address += f" + `0x{SEGMENT:x}` * " + (f"(k - {register.first})" if register.first else "k")
                name += f"[k], k = {register.first} to {register.first + register.count - 1}"
            for field in register.fields:
                top = field.lsb + field.width - 1
                bits = f"{top}:{field.lsb}" if field.width > 1 else str(top)
                meaning = field.meaning + (", two's complement" if field.signed else "")
                rows.append((window.name, name, address, register.access, bits, meaning))
    windows = [f"* {window.name}: {window.meaning}\n" for window in map_of(design)]
    return (
        "## Registers\n\n"
        + f"Words of 32 bits at byte addresses of {address_bits(design)} bits; the last two of them are ignored.\n\n"
        + "".join(windows)
        + "\n"
        + table_text(("window", "register", "address", "access", "bits", "meaning"), rows)
        + _RULES[design.bus]
    )


_ARITHMETIC = """\
All in integers (codes), with the bank that was active when x was taken:

```
k = the last segment with START[k] <= x, found by binary search; 0 where there is none
y = clamp(floor((SLOPE[k] * x + INTERCEPT[k]) / 2^{shift}), {low}, {high})
```

Starts must rise or stay; segments that are not needed repeat the last one. No contents of the tables overflow.
"""

_TIMING = """
A transfer takes place in a cycle with valid and ready at 1. The unit takes one code per cycle and gives results in
order, {latency} cycles later when it is not stalled. While `o_valid` is 1 and `o_ready` 0 the output stays as it is;
`o_valid` never waits for `o_ready`.

A swap takes effect with one code: those before it are computed with the old bank alone, those after it with the new
one alone. Until the last of the old ones has left the tables (`draining`), every write over the bus waits; reads do
not. A reset drops the codes in flight and makes bank 0 active; it leaves the tables as they are. Before they are
written they hold zeros on FPGAs, and anything on chips.
"""

_RULES = {
    "axi-lite": """
A write is taken when address and data are both there; one transfer is worked on at a time. Bytes without a strobe stay
as they are. Where there is no register, or one of the wrong access, the answer is SLVERR: nothing is written, and zero
is read. Bits beyond a field are kept, read back, and not used.
""",
    "wishbone": """
Wishbone B4, 32-bit port, granularity of 8 bits, byte addresses. Two cycles a transfer where nothing waits. Classic
masters leave `stall` open; pipelined ones have each strobe taken in the cycle of its answer. Bytes that are not
selected stay as they are. Where there is no register, or one of the wrong access, `err` answers in place of `ack`:
nothing is written, and zero is read. Bits beyond a field are kept, read back, and not used.
""",
}
