"""hwact: the smallest proven piecewise-linear activation units in hardware.

The flow is a straight line of immutable values: a `Function` and a `Spec` become a `Design`, and
everything else (golden model, circuit, files, proofs) reads the design and nothing more.
"""

from .design import Design
from .errors import CheckError, HwactError, RequestError, ToolError
from .fixed import SQ, UQ, Format
from .functions import ErrorBound, Function, catalog, function
from .spec import Spec

__all__ = [
    "SQ",
    "UQ",
    "CheckError",
    "Design",
    "ErrorBound",
    "Format",
    "Function",
    "HwactError",
    "RequestError",
    "Spec",
    "ToolError",
    "catalog",
    "function",
]

__version__ = "0.1.0"
