"""The output folder of a unit of several functions: manifest, datasheet and all the rest, in memory."""

from dataclasses import asdict

from .. import __version__
from ..emit import manifest_text, sealed_text
from ..emit.core_file import core_text
from ..emit.datasheet import _TIMING as TIMING
from ..emit.datasheet import _certificate as certificate_text
from ..emit.datasheet import _code as code_span
from ..emit.datasheet import _origin as origin_text
from ..emit.datasheet import _resources as resources_text
from ..emit.datasheet import _steps as steps_text
from ..emit.datasheet import _table as table_text
from ..emit.folder import layout
from ..emit.manifest import CERTIFICATE
from ..emit.manifest import _output as output_of
from ..sideband.bench import bench_text, cocotb_bench_text, vectors_text
from ..sideband.interface import component_text, interface_text, ports
from .c_model import c_model_text

__all__ = ["datasheet_text", "manifest", "multi_files"]

def manifest(design, *, command, measured, certificate, files, resources=()):
    """Collect what is known of a unit of several functions.

    Parameters
    ----------
    design : MultiDesign
    command : str
    measured : list of dict of str to Measured
        The outputs of each function.
    certificate : dict
    files : dict of str to list of str
        Relative paths by kind.
    resources : sequence of dict
        Synthesis results.

    Returns
    -------
    dict
        Ready for JSON.
    """
    shell = design.shell
    functions = []
    for number, (name, statistics) in enumerate(zip(design.functions, measured)):
        single = design.single(number)
        functions.append(
            {
                "select": number,
                "name": name,
                "expression": single.channels[0].expression,
                **({"parameters": dict(single.parameters)} if single.parameters else {}),
                "outputs": [output_of(channel, statistics[channel.name]) for channel in single.channels],
            }
        )
    return {
        "hwact": __version__,
        "kind": "multi",
        "digest": design.digest,
        "name": design.name,
        "top": design.name,
        "command": command,
        "functions": functions,
        "select_bits": design.select_bits,
        "input": asdict(design.input),
        "domain": list(design.domain),
        "outputs": [_shared(channel) for channel in design.channels],
        "interface": shell.interface,
        "latency": shell.latency,
        "initiation_interval": 1,
        "reset": None if shell.interface == "comb" else shell.reset,
        "ports": ports(design),
        "files": {kind: list(paths) for kind, paths in files.items()},
        "resources": list(resources),
        "tried": [asdict(trial) for trial in design.trials],
        "certificate": certificate,
        "design": design.to_dict(),
    }


def _shared(channel):
    """What the functions share of an output."""
    core = channel.core
    return {
        "name": channel.name,
        "mode": channel.mode,
        "format": asdict(channel.format),
        "bound": channel.bound,
        "method": core.method,
        "stored_segments": getattr(core, "segments", None),
        "entries": len(core.entries) if core.method == "table" else None,
        "shift": getattr(core, "shift", None),
        "multiplier": getattr(core, "multiplier", None),
        "saturate": channel.saturate,
    }


def multi_files(design, *, command, measured, certificate, verilog):
    """Every file of the output folder.

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths = layout(design.name)
    contents = manifest(design, command=command, measured=measured, certificate=certificate, files=paths)
    description = f"{', '.join(design.functions)}, {design.input} to {design.channels[0].format}"
    parameters = {"input": design.input}
    parameters |= {channel.name: f"{channel.format}, bound {channel.bound}" for channel in design.channels}
    texts = {
        "verilog": verilog,
        "manifest": manifest_text(contents),
        "datasheet": datasheet_text(design, contents),
        "c_model": c_model_text(design, command),
        "bench": bench_text(design, command),
        "vectors": vectors_text(design, command),
        "cocotb": cocotb_bench_text(design, command),
        "core": core_text(design, command, description),
        "ipxact": component_text(design, command, description, paths, parameters),
    }
    files = {paths[kind][0]: text.encode() for kind, text in texts.items()}
    return {**files, f"{design.name}{CERTIFICATE}": sealed_text(design, command, certificate, files).encode()}


def datasheet_text(design, contents):
    """The datasheet in Markdown; `contents` is the manifest."""
    formats = " and ".join(f"{channel.name} {channel.format}" for channel in design.channels)
    rows = [
        (one["select"], output["name"], code_span(output["expression"]), output["bound"])
        + (output["max_error_ulp"], output["mean_error_ulp"], output["worst_code"])
        for one in contents["functions"]
        for output in one["outputs"]
    ]
    head = ("select", "output", "function", "bound", "largest error (ulp)", "mean error (ulp)", "at input code")
    first, last = design.domain
    arithmetic = [
        f"### select = {number}\n\n{steps_text(single, channel)}"
        for number, single in enumerate(map(design.single, range(len(design.functions))))
        for channel in single.channels
    ]
    return "\n".join(
        [
            f"# {design.name}\n\nA fixed-point unit for {len(design.functions)} functions, one of which every sample "
            f"selects: x {design.input} to {formats}.\nIt computes with integers alone; the C model (`{design.name}.h`) "
            f"and the vectors (`tb/{design.name}.hex`) equal it bit for bit.\n",
            "## Functions\n\n" + table_text(head, rows) + "\nErrors are against the real functions clamped to the "
            f"output's range, over codes {first} to {last}. Outside of these the outputs are unspecified.\nOther values "
            f"of `select` are taken for {len(design.functions) - 1}.\n",
            interface_text(design, TIMING[design.shell.interface].format(latency=design.latency)),
            "## Arithmetic\n\nEvery function has its page of one table and a fold of its own; all else is shared.\n",
            *arithmetic,
            certificate_text(design.name, contents["certificate"]),
            resources_text(contents["resources"]),
            origin_text(design, contents),
        ]
    )
