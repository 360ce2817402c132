"""The numbers of a row that a Pareto scatter can have for axes, and what is better."""

import math
from dataclasses import asdict, dataclass

from ..emit.plots import bound_in_ulps
from ..errors import RequestError
from ..fixed import Format

__all__ = ["AXES", "Axis", "axis", "enriched", "usual_axes"]


@dataclass(frozen=True)
class Axis:
    """One number of a row.

    Parameters
    ----------
    key : str
        Its field in a row that `enriched` returns.
    label : str
        For people, with the unit.
    best : str
        ``min`` or ``max``.
    log : bool
        Whether a logarithmic axis shows it best.
    """

    key: str
    label: str
    best: str = "min"
    log: bool = False

    def to_dict(self):
        """JSON-able fields."""
        return asdict(self)


AXES = (
    Axis("luts", "LUTs", log=True),
    Axis("estimated_luts", "LUTs (estimated)", log=True),
    Axis("area", "LUTs with carries", log=True),
    Axis("gates", "NAND2 gates", log=True),
    Axis("max_error", "Largest error", log=True),
    Axis("max_error_ulp", "Largest error (ulp)"),
    Axis("mean_error", "Mean error", log=True),
    Axis("mean_error_ulp", "Mean error (ulp)"),
    Axis("mse_ulp2", "Mean squared error (ulp²)"),
    Axis("derivative_max_error_ulp", "Largest error of the derivative (ulp)"),
    Axis("derivative_mean_error_ulp", "Mean error of the derivative (ulp)"),
    Axis("derivative_mse_ulp2", "Mean squared error of the derivative (ulp²)"),
    Axis("max_bound", "Largest error allowed", log=True),
    Axis("fmax_mhz", "Clock frequency (MHz)", best="max"),
    Axis("latency", "Latency (cycles)"),
    Axis("segments", "Segments", log=True),
    Axis("minimal_segments", "Fewest segments possible", log=True),
    Axis("carries", "Carry cells", log=True),
    Axis("ffs", "Flip-flops"),
    Axis("dsps", "DSP blocks"),
    Axis("bram_bits", "Block RAM (bits)"),
    Axis("input_bits", "Input width (bits)"),
    Axis("output_bits", "Output width (bits)"),
    Axis("seconds", "Time to make (s)", log=True),
)


def axis(key):
    """The axis of this key.

    Raises
    ------
    RequestError
        If there is none.
    """
    for one in AXES:
        if one.key == key:
            return one
    raise RequestError(f"Axis must be one of {', '.join(one.key for one in AXES)}, not {key!r}")


def enriched(row):
    """A row with what follows from it: widths, and errors and bounds as real numbers, which compare across formats.

    Axes that are missing, and numbers that are not finite, become None.
    """
    input, output = _format(row["input"]), _format(row["output"])
    derived = {"input_bits": input and input.width, "output_bits": output and output.width}
    for name in ("max_error", "mean_error"):
        error = row.get(f"{name}_ulp")
        derived[name] = None if error is None or output is None else error * float(output.ulp)
    bound = bound_in_ulps(row.get("bound") or "", output) if output else None
    derived["max_bound"] = None if bound is None else bound * float(output.ulp)
    full = {**dict.fromkeys(one.key for one in AXES), **row, **derived}
    return {key: value if not isinstance(value, float) or math.isfinite(value) else None for key, value in full.items()}


def _format(text):
    """A format, or None: a row may have failed because of what stands there."""
    try:
        return Format.parse(text)
    except (RequestError, TypeError):
        return None


def usual_axes(rows):
    """The two axes that say most about enriched rows: area, and the error in ulps where all have one output format."""
    drawn = [row for row in rows if row["status"] in ("done", "estimated")]
    has = {one.key for one in AXES if any(row[one.key] is not None for row in drawn)}
    formats = {row["output"] for row in drawn}
    error = "max_error_ulp" if len(formats) == 1 else "max_error"
    first = next((key for key in ("luts", "estimated_luts", "segments") if key in has), "luts")
    second = next((key for key in (error, "max_bound", "fmax_mhz", "latency") if key in has), error)
    return first, second
