"""A row: what an exploration keeps of a point, flat and ready for JSON."""

from dataclasses import asdict

__all__ = ["COLUMNS", "ERRORS", "STATUSES", "blank"]

#: What became of a point: measured; not possible, with a reason; dominated by its estimate; estimated, as asked for.
STATUSES = ("done", "failed", "pruned", "estimated")
#: Errors of an output: of a derivative with the prefix ``derivative_``.
ERRORS = {"max_error_ulp": "max_ulp", "mean_error_ulp": "mean_ulp", "mse_ulp2": "mse_ulp2"}

_TEXT, _WHOLE, _REAL, _FLAG, _JSON = "text", "whole", "real", "flag", "json"

#: Every column in order, with its kind: ``text``, ``whole``, ``real``, ``flag`` or ``json``.
COLUMNS = {
    "digest": _TEXT,
    "design_digest": _TEXT,
    "status": _TEXT,
    "reason": _TEXT,
    "function": _TEXT,
    "expression": _TEXT,
    "input": _TEXT,
    "output": _TEXT,
    "bound": _TEXT,
    "domain": _TEXT,
    "derivative": _TEXT,
    "derivative_output": _TEXT,
    "derivative_bound": _TEXT,
    "method": _TEXT,
    "segmentation": _TEXT,
    "fit": _TEXT,
    "multiplier": _TEXT,
    "interface": _TEXT,
    "requested_latency": _WHOLE,
    "target": _TEXT,
    "seed": _WHOLE,
    "effort": _WHOLE,
    "place": _FLAG,
    "bram": _FLAG,
    "chosen": _TEXT,
    "segments": _WHOLE,
    "minimal_segments": _WHOLE,
    "luts": _WHOLE,
    "carries": _WHOLE,
    "muxes": _WHOLE,
    "gates": _WHOLE,
    "area": _WHOLE,
    "ffs": _WHOLE,
    "dsps": _WHOLE,
    "bram_bits": _WHOLE,
    "fmax_mhz": _REAL,
    "latency": _WHOLE,
    "max_error": _REAL,
    "mean_error": _REAL,
    "max_error_ulp": _REAL,
    "mean_error_ulp": _REAL,
    "mse_ulp2": _REAL,
    "derivative_max_error_ulp": _REAL,
    "derivative_mean_error_ulp": _REAL,
    "derivative_mse_ulp2": _REAL,
    "estimated_luts": _WHOLE,
    "estimated_low": _WHOLE,
    "estimated_high": _WHOLE,
    "tool_versions": _JSON,
    "seconds": _REAL,
    "command": _TEXT,
}


def blank(point):
    """The row of a point of which nothing is known yet: its request, and null everywhere else."""
    asked = asdict(point)
    return {name: asked.get(name) for name in COLUMNS} | {"digest": point.digest}
