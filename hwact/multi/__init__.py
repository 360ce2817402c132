"""Units of several functions: one datapath, and an input that selects the function of every sample."""

from .design import MultiChannel, MultiDesign
from .spec import MultiSpec

__all__ = ["MultiChannel", "MultiDesign", "MultiSpec"]
