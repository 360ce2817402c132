"""The output folder of a softmax: manifest, datasheet and all the rest, in memory."""

from dataclasses import asdict

from .. import __version__
from ..emit import manifest_text, sealed_text
from ..emit.core_file import core_text
from ..emit.datasheet import _certificate as certificate_text
from ..emit.datasheet import _origin as origin_text
from ..emit.datasheet import _resources as resources_text
from ..emit.datasheet import _table as table_text
from ..emit.folder import layout
from ..emit.manifest import CERTIFICATE
from .bench import bench_text, cocotb_bench_text, vectors_text
from .c_model import c_model_text
from .guarantee import ceiling
from .verilog import ports

__all__ = ["datasheet_text", "manifest", "softmax_files"]


def manifest(design, *, command, proved, certificate, files, resources=()):
    """Collect what is known of a softmax unit.

    Parameters
    ----------
    design : SoftmaxDesign
    command : str
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
    return {
        "hwact": __version__,
        "kind": "softmax",
        "digest": design.digest,
        "name": design.name,
        "top": design.name,
        "command": command,
        "function": {"name": "softmax", "expression": "exp(x[k]) / sum(exp(x))"},
        "input": asdict(design.input),
        "output": asdict(design.output),
        "length": design.length,
        "bound": design.bound,
        "guarantee": proved.to_dict(),
        "interface": "stream",
        "latency": design.latency,
        "interval": design.interval,
        "reset": design.reset,
        "ports": ports(design),
        "files": {kind: list(paths) for kind, paths in files.items()},
        "resources": list(resources),
        "certificate": certificate,
        "design": design.to_dict(),
    }


def softmax_files(design, *, command, proved, certificate, verilog):
    """Every file of the output folder.

    Returns
    -------
    dict of str to bytes
        By relative path; the same for the same arguments, byte for byte.
    """
    paths = layout(design.name)
    contents = manifest(design, command=command, proved=proved, certificate=certificate, files=paths)
    description = f"softmax over at most {design.length} elements, {design.input} to {design.output}"
    texts = {
        "verilog": verilog,
        "manifest": manifest_text(contents),
        "datasheet": datasheet_text(design, contents),
        "c_model": c_model_text(design, command),
        "bench": bench_text(design, command),
        "vectors": vectors_text(design, command),
        "cocotb": cocotb_bench_text(design, command),
        "core": core_text(design, command, description),
    }
    files = {paths[kind][0]: text.encode() for kind, text in texts.items()}
    return {**files, f"{design.name}{CERTIFICATE}": sealed_text(design, command, certificate, files).encode()}


def datasheet_text(design, contents):
    """The datasheet in Markdown; `contents` is the manifest."""
    proved = contents["guarantee"]
    low, high = proved["reciprocal_relative_error"]
    facts = [
        ("bound asked for", design.bound),
        ("error of every output at most (ulp)", ceiling(proved["max_error_ulp"])),
        ("sum of the outputs within ... of 1 (ulp)", ceiling(proved["max_sum_error_ulp"])),
        ("order", "preserved: a larger input never has a smaller output, equal inputs have equal outputs"),
        ("exponential, largest error (its ulp)", ceiling(proved["exponential_max_error_ulp"])),
        ("reciprocal, relative error", f"{low:.3g} to {high:.3g}"),
    ]
    kinds = " times ".join(_kind(factor) for factor in design.exponential.factors)
    widths = [
        ("exponential", f"UQ0.{design.exponential_bits}", kinds),
        ("stored of it", design.stored, f"{design.length} elements in block RAM"),
        ("total", design.total_bits, "exact"),
        ("reciprocal", f"UQ0.{design.reciprocal_bits}", f"{_kind(design.reciprocal)}, by {design.index_bits} bits"),
    ]
    roles = [
        (f"`{port}`", "in" if port in _INPUTS else "out", _widths(design).get(role, 1), _role(design, role))
        for role, port in contents["ports"].items()
    ]
    connections = ",\n".join(f"    .{port}({port})" for port in contents["ports"].values())
    return "\n".join(
        [
            f"# {design.name}\n\nA streaming softmax over vectors of 1 to {design.length} elements, "
            f"{design.input} to {design.output}.\nIt computes with integers alone; the C model (`{design.name}.h`) "
            f"and the vectors (`tb/{design.name}.hex`) equal it bit for bit.\n",
            "## Guarantees for every vector\n\n" + table_text(("", ""), facts) + "\nErrors are against the real "
            "softmax clamped to the output's range. What is measured is measured on every code of the inner units;\n"
            "the rest follows in exact rationals.\n",
            "## Interface: stream\n\n" + table_text(("port", "direction", "bits", "meaning"), roles) + _TIMING.format(latency=design.latency, interval=design.interval),
            f"```verilog\n{design.name} {design.name}_i (\n{connections}\n);\n```\n",
            "## Inside\n\n" + table_text(("", "bits", ""), widths),
            certificate_text(design.name, contents["certificate"]),
            resources_text(contents["resources"]),
            origin_text(design, contents),
        ]
    )


def _kind(unit):
    core = unit.channels[0].core
    return f"table of {len(core.entries)}" if core.method == "table" else f"{core.segments} lines"


def _role(design, role):
    kind, _, level = design.reset.partition("-")
    reset = f"{'asynchronous' if kind == 'async' else 'synchronous'} reset, active {level}"
    return reset if role == "rst" else _ROLES[role]


def _widths(design):
    return {"i_payload": design.input.width, "o_payload": design.output.width}


_INPUTS = ("clk", "rst", "rst_n", "i_payload", "i_last", "i_valid", "o_ready")

_ROLES = {
    "clk": "rising edge",
    "i_payload": "input code",
    "i_last": "the input ends its vector; may stay low where vectors have full length",
    "i_valid": "the input is valid",
    "i_ready": "the unit takes the input",
    "o_payload": "output code",
    "o_last": "the output ends its vector",
    "o_valid": "the output is valid",
    "o_ready": "the output is taken",
}

_TIMING = """
A transfer takes place in a cycle with valid and ready at 1. A vector ends at the element with `i_last`, or at its
longest length. Its outputs come in order after its last input. The next vector is taken in while this one is worked
on: a vector of n elements takes at most n + {interval} cycles in a stream of them, and its first output comes at most
n + {latency} cycles after its last input, where nothing stalls. While `o_valid` is 1 and `o_ready` 0 the outputs stay as
they are; `o_valid` never waits for `o_ready`.
"""
