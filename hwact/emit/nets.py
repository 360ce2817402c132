"""Names and ranges of a module's nets in Verilog."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count

__all__ = ["Nets", "Port", "plain_name"]

#: Stems of the names of results that have no name of their own.
_STEMS = {
    **{"$add": "sum", "$sub": "difference", "$mul": "product", "$neg": "negated", "$not": "inverted"},
    **{"$and": "both", "$or": "either", "$xor": "flipped", "$mux": "chosen", "$memrd_v2": "read"},
    **{"$eq": "equal", "$ne": "unequal", "$lt": "below", "$le": "at_most", "$gt": "above", "$ge": "reached"},
    **{"$shl": "shifted", "$shr": "shifted", "$sshr": "shifted", "$shift": "selected"},
    **{"$reduce_or": "any", "$reduce_bool": "any", "$reduce_and": "all", "$reduce_xor": "parity"},
}


def plain_name(name, taken):
    """`name` in letters, digits and single underscores, changed until it is not among those `taken`; now it is."""
    plain = re.sub(r"\$\d+$", "", name)
    plain = re.sub(r"\W+|_{2,}", "_", plain).strip("_") or "net"
    plain = plain if plain[0].isalpha() else f"net_{plain}"
    names = chain([plain], (f"{plain}_{k}" for k in count(2)))
    free = next(name for name in names if name not in taken)
    taken.add(free)
    return free


@dataclass(frozen=True)
class Port:
    """A port that is left of a module.

    Parameters
    ----------
    wire : Wire
    name : str
        In Verilog.
    net : str or None
        The net that it is; None for an output that is made of parts of nets.
    low, high : int
        Its range.
    """

    wire: object
    name: str
    net: object
    low: int
    high: int


class Nets:
    """Names and ranges of the nets of a module.

    Parameters
    ----------
    scope : Scope
    is_top : bool
        The top module's ports are those that were asked for, whatever is read of them.
    taken : set of str
        Names that no net may have; those that are given are added.

    Attributes
    ----------
    names : dict of str to str
        Name of each net that is read.
    ranges : dict of str to (int, int)
        Lowest and highest bit of each.
    ports : list of Port
        In order.
    """

    def __init__(self, scope, is_top, taken):
        self._scope, self._is_top, self._taken = scope, is_top, taken
        self.ranges = {net: span for net, span in scope.ranges.items() if net not in scope.merged}
        self.names, self.ports = {}, []
        ports = scope.module.ports
        for wire in ports if is_top else sorted(ports, key=lambda wire: wire.direction):
            self._port(wire)
        for net in scope.module.wires:
            if net in self.ranges and net not in self.names:
                word = scope.word(net, 0, self.ranges[net][1])
                self.names[net] = self._named(net, self._best(word) or self._stem(net))

    def fresh(self, stem):
        """A name for something else in the module."""
        return plain_name(stem, self._taken)

    def local(self, stem, others):
        """A name within a function, which hides none outside and is not among `others`."""
        return plain_name(stem, self._taken | set(others))

    def _port(self, wire):
        scope, name = self._scope, wire.name
        if wire.direction == "input":
            if self._is_top:
                self.ranges[name] = 0, wire.width - 1
            if name in self.ranges:
                self._take(wire, name)
        elif name in scope.outputs:
            low, high = scope.outputs[name]
            word = scope.roots(scope.word(name, low, high))
            net = word[0][0]
            driven = net in self.ranges and net not in self.names and net not in scope.inputs
            if driven and self.ranges[net] == (low, high) and word == scope.word(net, low, high):
                self._take(wire, net)
            else:
                self.ports.append(Port(wire, self.fresh(self._port_name(wire, word)), None, low, high))

    def _take(self, wire, net):
        """Make a net a port."""
        word = self._scope.word(net, 0, self.ranges[net][1])
        self.names[net] = self._named(net, self._port_name(wire, word))
        self.ports.append(Port(wire, self.names[net], net, *self.ranges[net]))

    def _port_name(self, wire, word):
        """A port's name; Amaranth gives mere numbers to parts of words."""
        return self._best(word) or "part" if wire.name.startswith("port$") else wire.name

    def _named(self, net, name):
        """A name for a net; one bit of many is called that."""
        low, high = self.ranges[net]
        part = low == high and self._scope.module.wires[net].width > 1 and high > 0
        return self.fresh(f"{name}_bit_{low}" if part and not self._is_top else name)

    @cached_property
    def _sourced(self):
        """Names that the source has for each driven bit: rank, name, index and width."""
        scope, found = self._scope, {}
        pins = {port for cell in scope.cells if not cell.kind.startswith("$") for port in cell.ports}
        for place, wire in enumerate(scope.module.wires.values()):
            if not wire.name.startswith(("$", "port$")):
                name = re.sub(r"\$\d+$", "", wire.name)
                rank = name in pins or wire.direction == "input", name != wire.name, place
                for index, bit in enumerate(scope.roots(scope.word(wire.name))):
                    found.setdefault(bit, []).append((rank, name, index, wire.width))
        return found

    def _best(self, word):
        """The best name for a word: that of a wire which it begins, or is a part of; None if there is none."""
        for whole in (True, False):
            for rank, name, index, width in sorted(self._sourced.get(word[0], ())):
                bits = [(rank, name, index + place, width) for place in range(len(word))]
                inside = all(one in self._sourced.get(bit, ()) for bit, one in zip(word, bits))
                if inside and whole and index == 0:
                    return name
                if inside and not whole:
                    last = index + len(word) - 1
                    return f"{name}_bit_{index}" if last == index else f"{name}_bits_{last}_{index}"
        return None

    def _stem(self, net):
        stem = _STEMS.get(getattr(self._scope.driver(net), "kind", ""), "net")
        return next(name for name in (f"{stem}_{k}" for k in count(1)) if name not in self._taken)
