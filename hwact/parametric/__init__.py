"""Parametric units: beta * f(alpha * x), with alpha and beta of every channel in a small memory."""

from .design import ParametricDesign
from .guarantee import Guarantee, guarantee
from .spec import ParametricSpec

__all__ = ["Guarantee", "ParametricDesign", "ParametricSpec", "guarantee"]
