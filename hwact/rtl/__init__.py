"""The circuit: one Amaranth component per step, and the unit made of them."""

from .coefficients import Coefficients
from .datapath import Datapath
from .fold import FoldInput, Unfold
from .product import Finish, Multiply, ProductPlan, Rows, ShiftAdd
from .saturate import Saturate
from .select import Select
from .unit import ActivationUnit

__all__ = [
    "ActivationUnit",
    "Coefficients",
    "Datapath",
    "Finish",
    "FoldInput",
    "Multiply",
    "ProductPlan",
    "Rows",
    "Saturate",
    "Select",
    "ShiftAdd",
    "Unfold",
]
