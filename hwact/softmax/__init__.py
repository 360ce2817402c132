"""Softmax over a vector: a streaming unit with an exponential and a reciprocal inside."""

from .design import SoftmaxDesign
from .exponential import Exponential
from .guarantee import Guarantee, guarantee
from .spec import SoftmaxSpec

__all__ = ["Exponential", "Guarantee", "SoftmaxDesign", "SoftmaxSpec", "guarantee"]
