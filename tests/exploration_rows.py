"""Rows and curves of a small exploration, made without synthesis: areas are invented, all else is measured."""

import hashlib
import json

from hwact import Spec
from hwact.errors import HwactError
from hwact.explore.curve import curve
from hwact.verify import measure

#: A function's text that is HTML, script and a template to whoever reads it as such.
HOSTILE = "x*sigmoid(x) + 0*(1 < 2)</script><img src=x onerror=alert(1)>%{x}"

FOUND = """design_digest reason chosen segments minimal_segments luts carries ffs dsps bram_bits fmax_mhz latency
    max_error_ulp mean_error_ulp mse_ulp2 derivative_max_error_ulp derivative_mean_error_ulp derivative_mse_ulp2
    estimated_luts command"""


def row(**request):
    """A row and the curves of its design, or None where there is none."""
    target = request.pop("target", "ice40")
    asked = dict.fromkeys(("expression", "domain", "derivative_output", "derivative_bound"))
    asked |= {"bound": "faithful", "derivative": "none", "method": "auto", "segmentation": "auto", "fit": "exact"}
    asked |= {"multiplier": "auto", "interface": "comb", "requested_latency": 0, "target": target}
    asked |= {"seed": 1, "effort": 0}
    asked |= request
    found = dict.fromkeys(FOUND.split())
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    full = {
        "digest": digest,
        "status": "failed",
        **asked,
        **found,
        "tool_versions": {"yosys": "0.70"},
        "seconds": 0.1,
    }
    try:
        spec = Spec(**request)
        design = spec.design()
    except HwactError as error:
        return {**full, "reason": str(error)}, None
    full |= {"status": "done", "design_digest": design.digest, "command": spec.command(), "latency": design.latency}
    for name, one in measure(design).items():
        prefix = "derivative_" * (name == "dy")
        full |= {
            f"{prefix}max_error_ulp": one.max_ulp,
            f"{prefix}mean_error_ulp": one.mean_ulp,
            f"{prefix}mse_ulp2": one.mse_ulp2,
        }
    channel = design.channel("y")
    area = channel.segments or 64
    full |= {
        "chosen": channel.core.method,
        "segments": channel.segments,
        "luts": 3 * area + design.input.width,
        "carries": area,
        "ffs": 0,
        "dsps": 0,
    }
    full |= {"fmax_mhz": round(5000 / full["luts"], 2), "bram_bits": 0}
    return full, curve(design)


def small():
    """Rows, and a dict of curves by design digest: 21 points, 2 of which failed."""
    pairs = [
        row(function=function, input=f"SQ4.{bits - 4}", output=f"SQ4.{bits - 4}", bound=bound, method="pwl")
        for function in ("tanh", "gelu", "x*sigmoid(1.702*x)")
        for bits in (6, 7, 8)
        for bound in ("faithful", "2ulp")
    ]
    pairs.append(
        row(
            function="tanh",
            input="SQ4.4",
            output="SQ1.7",
            method="pwl",
            derivative="direct",
            derivative_output="SQ2.6",
        )
    )
    pairs.append(row(function="sqrt", input="SQ4.4", output="SQ4.4"))
    pairs.append(row(function=HOSTILE, input="SQ4.4", output="SQ4.4"))
    return [one for one, _ in pairs], {one["design_digest"]: drawn for one, drawn in pairs if drawn}
