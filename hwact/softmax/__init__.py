"""Softmax over a vector: a streaming unit with an exponential and a reciprocal inside."""

from .design import SoftmaxDesign
from .guarantee import Guarantee, guarantee
from .spec import SoftmaxSpec

__all__ = ["Guarantee", "SoftmaxDesign", "SoftmaxSpec", "guarantee"]
