"""Programmable units: breakpoints, slopes and intercepts in tables that a bus writes, and images of functions for them."""

from .design import Contents, ProgrammableDesign
from .image import Image, ImageSpec
from .spec import ProgrammableSpec

__all__ = ["Contents", "Image", "ImageSpec", "ProgrammableDesign", "ProgrammableSpec"]
