"""The circuit: one Amaranth component per step, and the unit made of them."""

from .coefficients import Coefficients
from .datapath import Datapath
from .fold import FoldInput, Unfold
from .product import Finish, FinishOdd, Multiply, ProductPlan, Rows, ShiftAdd
from .saturate import Saturate
from .search import Offset, Search
from .select import Select
from .tree import Branches, TreePlan
from .unit import ActivationUnit

__all__ = [
    "ActivationUnit",
    "Branches",
    "Coefficients",
    "Datapath",
    "Finish",
    "FinishOdd",
    "FoldInput",
    "Multiply",
    "Offset",
    "ProductPlan",
    "Rows",
    "Saturate",
    "Search",
    "Select",
    "ShiftAdd",
    "TreePlan",
    "Unfold",
]
