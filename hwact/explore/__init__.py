"""Exploration: many requests evaluated side by side, kept as rows, and compared."""

from .exploration import Exploration, explore
from .pareto import front
from .point import Point
from .space import Space
from .store import Store

__all__ = ["Exploration", "Point", "Space", "Store", "explore", "front"]
