"""Boards: their data, the demo gateware, its protocol and the host's side of it."""
