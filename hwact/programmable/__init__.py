"""Programmable units, whose breakpoints, slopes and intercepts a bus writes, and images of functions for them."""

from .design import Contents, ProgrammableDesign
from .image import Image, ImageSpec
from .spec import ProgrammableSpec

__all__ = ["Contents", "Image", "ImageSpec", "ProgrammableDesign", "ProgrammableSpec"]
