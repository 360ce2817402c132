"""Synthesis, placement and routing with tools from PyPI."""

from .flow import Cells, SynthReport, count_cells, steps, synthesise, unit_area, write_netlist
from .speed import shortest_pipeline
from .targets import TARGETS, Target, find_target
from .tools import in_parallel, limit_tools, tool_versions

__all__ = [
    "TARGETS",
    "Cells",
    "SynthReport",
    "Target",
    "count_cells",
    "find_target",
    "in_parallel",
    "limit_tools",
    "shortest_pipeline",
    "steps",
    "synthesise",
    "tool_versions",
    "unit_area",
    "write_netlist",
]
