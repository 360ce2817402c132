"""The output folder of a parametric unit: manifest, datasheet and all the rest, in memory."""

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
from .loaded import Loaded

__all__ = ["datasheet_text", "manifest", "parametric_files"]

def manifest(design, *, command, measured, proved, certificate, files, resources=()):
    """Collect what is known of a parametric unit.

    Parameters
    ----------
    design : ParametricDesign
    command : str
    measured : dict of str to Measured
        The inner unit's output.
    proved : Guarantee
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
    channel = design.channels[0]
    return {
        "hwact": __version__,
        "kind": "parametric",
        "digest": design.digest,
        "name": design.name,
        "top": design.name,
        "command": command,
        "function": {"name": design.inner.function, "expression": f"beta * f(alpha * x), f(x) = {channel.expression}"},
        "input": asdict(design.input),
        "output": asdict(channel.format),
        "alpha": asdict(design.alpha),
        "beta": asdict(design.beta),
        "channels": design.channels_count,
        "domain": list(design.domain),
        "inner": output_of(channel, measured["y"]),
        "guarantee": proved.to_dict(),
        "interface": design.shell.interface,
        "latency": design.latency,
        "initiation_interval": 1,
        "reset": design.shell.reset,
        "ports": ports(design),
        "files": {kind: list(paths) for kind, paths in files.items()},
        "resources": list(resources),
        "certificate": certificate,
        "design": design.to_dict(),
    }


def parametric_files(design, *, command, measured, proved, certificate, verilog):
    """Every file of the output folder.

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths, loaded = layout(design.name), Loaded(design)
    contents = manifest(
        design, command=command, measured=measured, proved=proved, certificate=certificate, files=paths
    )
    parameters = {
        "input": design.input,
        "output": design.channels[0].format,
        "alpha": design.alpha,
        "beta": design.beta,
        "channels": design.channels_count,
    }
    texts = {
        "verilog": verilog,
        "manifest": manifest_text(contents),
        "datasheet": datasheet_text(design, contents),
        "c_model": c_model_text(design, command),
        "bench": bench_text(loaded, command),
        "vectors": vectors_text(loaded, command),
        "cocotb": cocotb_bench_text(loaded, command),
        "core": core_text(design, command, contents["function"]["expression"]),
        "ipxact": component_text(design, command, contents["function"]["expression"], paths, parameters),
    }
    files = {paths[kind][0]: text.encode() for kind, text in texts.items()}
    return {**files, f"{design.name}{CERTIFICATE}": sealed_text(design, command, certificate, files).encode()}


def datasheet_text(design, contents):
    """The datasheet in Markdown; `contents` is the manifest."""
    channel, proved = design.channels[0], contents["guarantee"]
    formats = [(role, one, one.width, f"2^{-one.frac_bits}") for role, one in (
        ("x", design.input), ("alpha", design.alpha), ("beta", design.beta), ("y", channel.format)
    )]
    facts = [
        ("largest error of f alone (ulp), E", proved["inner_max_error_ulp"]),
        ("change of f within half an ulp of x (ulp), V", proved["variation_ulp"]),
        ("error for every alpha, beta and x at most (ulp), 1/2 + max |beta| * (E + V)", proved["max_error_ulp"]),
    ]
    timing = (
        TIMING[design.shell.interface].format(latency=design.latency)
        + "\n\nA sample has the alpha and beta that its channel has when it is taken. A write in that cycle counts for "
        "samples\nof later cycles. Writes take both at once, need no handshake and are not held up by stalls. Channels "
        "are undefined\nuntil they are written; a reset leaves them."
    )
    return "\n".join(
        [
            f"# {design.name}\n\nA fixed-point unit for y = beta * f(alpha * x) with f(x) = "
            f"{code_span(channel.expression)}, and an alpha and a beta for each of\n{design.channels_count} channels. It computes "
            f"with integers alone; the C model (`{design.name}.h`) and the vectors (`tb/{design.name}.hex`)\nequal it bit for bit.\n",
            "## Formats\n\n" + table_text(("", "format", "bits", "one ulp"), formats),
            "## Accuracy\n\n" + table_text(("", ""), facts) + "\nErrors are against beta * f(alpha * x), with alpha * x "
            "clamped to the range of x, f and the result to that of y.\n",
            interface_text(design, timing),
            "## Arithmetic\n\n```\nt = clamp(floor((alpha * x + half) / 2^fraction bits of alpha))\n"
            "y = clamp(floor((beta * f(t) + half) / 2^fraction bits of beta))\n```\n\nin codes, where half rounds to nearest. "
            + steps_text(design.inner, channel).replace("All of `y`", "f, `y` of x"),
            certificate_text(design.name, contents["certificate"]),
            resources_text(contents["resources"]),
            origin_text(design, contents),
        ]
    )
