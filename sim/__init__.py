"""cocotb benches for emitted units: drivers, monitors, scoreboard, and their runner."""

from .runner import SIMULATORS, BenchResult, run_bench

__all__ = ["SIMULATORS", "BenchResult", "run_bench"]
