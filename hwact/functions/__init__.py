"""Real functions: catalogue, expressions, error bounds, and rigorous enclosures of their values."""

from .bound import ErrorBound
from .function import Function, function
from .reference import ErrorStats, Reference

__all__ = ["ErrorBound", "ErrorStats", "Function", "Reference", "function"]
