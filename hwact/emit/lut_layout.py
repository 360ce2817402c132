"""Tables laid out as networks of lookup tables.

Synthesis restructures logic that it is given, and takes a third more for it: hence every cell of a network
is a module that keeps its hierarchy.
"""

import json
from dataclasses import dataclass

__all__ = ["LutLayout"]

#: Ends of the names of modules that hold tables.
_TABLES = ("_coefficients", "_table")
#: How often the mapping of a table is improved; more gains little.
_ROUNDS = 2
#: Random orders of its address bits that a table is tried with, for decompositions depend on them; fewer for many entries.
_MOST_ORDERS, _FEWEST_ORDERS, _ENTRIES_TIMES_ORDERS = 8, 2, 1024

_CELL = """
// A lookup table: bit A of LUT. It stays whole in synthesis, so that the table's layout does.
(* keep_hierarchy *)
module {name} #(
  parameter WIDTH = 1,
  parameter [(1 << WIDTH) - 1:0] LUT = 0
) (
  input  wire [WIDTH - 1:0] A,
  output wire               Y
);
  assign Y = LUT[A];
endmodule
"""


@dataclass(frozen=True)
class LutLayout:
    """How tables are laid out.

    Parameters
    ----------
    name : str
        Name of the unit.
    inputs : int
        Inputs of a lookup table.
    entries : int
        Entries of the longest table.
    """

    name: str
    inputs: int
    entries: int

    @classmethod
    def of(cls, design, name):
        """The layout that a design asks for, in a unit called `name`; None if its tables stay cases."""
        entries = max(map(_entries, design.channels))
        return cls(name, design.lut_inputs, entries) if design.lut_inputs else None

    @property
    def _orders(self):
        return range(max(_FEWEST_ORDERS, min(_MOST_ORDERS, _ENTRIES_TIMES_ORDERS // self.entries)))

    @property
    def cell_name(self):
        """Name of the module that a lookup table is an instance of."""
        return f"{self.name}_lut"

    @property
    def cell(self):
        """Verilog of that module."""
        return _CELL.format(name=self.cell_name)

    def tries(self, modules):
        """Yosys passes that lay every table out in several ways, and write ``cells.json``.

        Parameters
        ----------
        modules : list of str
            All modules of the unit.

        Returns
        -------
        list of str
        """
        passes = []
        for module in _tables(modules):
            cleaned = ["proc -nomux -norom", "opt_clean -purge", "proc -norom", "opt -full", "techmap", "opt_clean -purge"]
            passes += [f"select {module}", *cleaned, "select -clear"]
            for order in self._orders:
                passes += [
                    f"copy {module} {module}_{order}",
                    f"select {module}_{order}",
                    f"abc -lut {self.inputs} -script +{self._script(order)}",
                    "opt_clean -purge",
                    f"chtype -set {self.cell_name} t:$lut",
                    "select -clear",
                ]
        return [*passes, "tee -q -o cells.json stat -json"]

    def choice(self, modules, cells):
        """Yosys passes that keep the smallest layout of every table.

        Parameters
        ----------
        modules : list of str
            All modules of the unit.
        cells : str
            What was written to ``cells.json``.

        Returns
        -------
        list of str
        """
        counts = json.loads(cells)["modules"]
        passes = []
        for module in _tables(modules):
            best = min(self._orders, key=lambda order: counts[f"\\{module}_{order}"]["num_cells"])
            passes += [f"delete {module}", f"rename {module}_{best} {module}"]
            passes += [f"delete {module}_{order}" for order in self._orders if order != best]
        return passes

    def _script(self, order):
        """ABC's commands: decompose each column, then map for area, again and again."""
        once = f"dch -f; if -K {self.inputs} -a; mfs2 -a; lutpack -S 1"
        again = "; strash; ".join([once] * _ROUNDS)
        shuffle = f"strash; permute -S {order}; " if order else ""
        return f"{shuffle}collapse; dsd; muxes; strash; {again}".replace("; ", ";").replace(" ", ",")


def _entries(channel):
    return len(channel.core.entries) if channel.core.method == "table" else channel.core.segments


def _tables(modules):
    return [module for module in modules if module.endswith(_TABLES)]
