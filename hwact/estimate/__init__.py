"""How large a unit will be, in a fraction of a second and without synthesis."""

from .estimate import Estimate, estimate
from .model import Model

__all__ = ["Estimate", "Model", "estimate"]
