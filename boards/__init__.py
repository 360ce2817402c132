"""Boards: their data, from designs to bitstreams, the demo gateware, its protocol and the host's side of it."""

from .board import Board, find_board
from .catalog import BOARDS

__all__ = ["BOARDS", "Board", "find_board"]
