"""Synthesis, placement and routing with tools from PyPI."""

from .flow import Cells, SynthReport, count_cells, synthesise, unit_area, write_netlist
from .targets import TARGETS, Target, find_target
from .tools import tool_versions

__all__ = [
    "Cells",
    "SynthReport",
    "TARGETS",
    "Target",
    "count_cells",
    "find_target",
    "synthesise",
    "tool_versions",
    "unit_area",
    "write_netlist",
]
