"""Verification: reference bounds golden model, golden model equals circuit."""

from .certificate import Certificate, Check, sha256
from .circuit import check_circuit
from .golden import Measured, measure
from .simulate import Simulation, run_verilog, simulate_verilog

__all__ = [
    "Certificate",
    "Check",
    "Measured",
    "Simulation",
    "check_circuit",
    "measure",
    "run_verilog",
    "sha256",
    "simulate_verilog",
]
