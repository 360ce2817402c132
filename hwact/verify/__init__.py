"""Verification: reference bounds golden model, golden model equals circuit."""

from .certificate import LEVELS, Certificate, Check, UndecidedError
from .circuit import check_circuit
from .golden import Measured, measure
from .ladder import DEFAULT_SECONDS, climb, rungs
from .simulate import Simulation, run_verilog, simulate_verilog

__all__ = [
    "DEFAULT_SECONDS",
    "LEVELS",
    "Certificate",
    "Check",
    "Measured",
    "Simulation",
    "UndecidedError",
    "check_circuit",
    "climb",
    "measure",
    "run_verilog",
    "rungs",
    "simulate_verilog",
]
