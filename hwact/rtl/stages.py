"""Which circuits a design is made of, in order, and between which of them registers go.

Every channel is a chain of *steps*. Steps read and write named nets; the chains of all channels run
side by side. `schedule` cuts the chains into as many stages as there are clock cycles, so that the
longest stage is as short as it can be.
"""

import functools
import itertools
from dataclasses import dataclass, field

from amaranth.lib import wiring

from ..design import MAX_LATENCY, Fold, Table
from .coefficients import Coefficients
from .fold import FoldInput, Unfold, negates
from .product import Finish, FinishOdd, Multiply, ProductPlan, Rows, ShiftAdd
from .saturate import Saturate
from .search import Offset, Search
from .select import Select, addresses
from .tree import Branches, TreePlan

__all__ = ["Step", "most_stages", "schedule"]


@dataclass
class Step:
    """One circuit, and the nets on its ports.

    Parameters
    ----------
    name : str
        Name of the submodule.
    component : wiring.Component
    nets : dict of str to str or (str, slice)
        Net on each port; a port that is not named has the net of its own name.
    """

    name: str
    component: wiring.Component
    nets: dict = field(default_factory=dict)

    def net(self, port):
        """Net on a port, and the part of it (a slice, or None)."""
        net = self.nets.get(port, port)
        return net if isinstance(net, tuple) else (net, None)

    def ports(self, flow):
        """Names of the ports of one direction."""
        return [name for name, member in self.component.signature.members.items() if member.flow is flow]

    @property
    def reads(self):
        """Nets that the step needs."""
        return {self.net(port)[0] for port in self.ports(wiring.In)}


@dataclass(eq=False)
class _Atom:
    """A step that may stand in any stage, or a part of one.

    Parameters
    ----------
    make : callable
        Makes the step; for a part, of the parts from a first one to before a last one.
    levels : float
        Delay in levels of logic.
    ripple : int
        Bits that a carry passes through beyond that.
    run : str
        Parts of one run that land in the same stage are made as one step.
    key : object
        Channels share the steps of equal keys, which stand at the head of their chains.
    """

    make: object
    levels: float
    ripple: int = 0
    run: str = ""
    key: object = None


#: Levels of logic that a carry takes for each bit; a tree's leaves, whose address has a large fan-out; and each
#: further bit of its address, of which one lookup table may take two.
CARRY, LEAF, BRANCH = 0.08, 1.5, 0.6


class _ChannelPlan:
    """The atoms of one channel."""

    def __init__(self, design, channel, owners):
        self.design, self.channel, self._owners = design, channel, owners
        self.core, self.fold, self.name = channel.core, channel.fold, channel.name
        most = channel.fold.index_range(design.input, design.domain)[1]
        self.u, self.negative = f"u_{self.fold.index}", "negative" if channel.fold.index != "none" else "upright"
        self.u_width = max(most.bit_length(), 1)
        self.index, self.minus = channel.fold.index, self.negative

    def _own(self, *ports):
        return {port: f"{self.name}_{port}" for port in ports}

    def atoms(self):
        """The atoms in order."""
        middle = self._table() if isinstance(self.core, Table) else self._lines()
        return [self._fold(), *middle, *self._ending()]

    def _fold(self):
        index = self.fold.index

        def make():
            circuit = FoldInput(self.fold, self.design.input, self.u_width, self.design.carry_cells)
            return Step(f"fold_{index}", circuit, {"u": self.u, "negative": self.negative})

        levels = {"none": 0.0, "complement": 0.5, "negate": 1.0}[index]
        return _Atom(make, levels, self.u_width if index == "negate" else 0, key=index)

    def _table(self):
        self.halves = min(self.core.entries), max(self.core.entries)
        self.decremented, self.mirrored = False, {}
        return self._lookup("table", self.u_width, self.core.start, {"g": self.core.entries}, self.u)

    def _lookup(self, name, width, first, tables, address):
        """Atoms of tables: one for the leaves of the tree that they are, and one for every further address bit."""
        plan = TreePlan(width, first, tables, self.mirrored)
        levels = [0, *plan.levels]
        name = f"{self.name}_{name}"
        outputs = self._own(*tables)

        def make(begin, end):
            if end - begin == len(plan.levels):
                nets = {"address": address, "negative": self.negative, **outputs}
                return Step(name, Coefficients(width, first, tables, self.mirrored), nets)
            nets = {"address": f"{name}_rest" if begin else address, "rest": f"{name}_rest", "negative": self.negative}
            nets |= {"nodes": f"{name}_nodes", "selected": f"{name}_nodes", **outputs}
            return Step(f"{name}_{begin}_{end - 1}", Branches(plan, levels[begin], levels[end]), nets)

        return [_Atom(make, BRANCH if k else LEAF, run=name) for k in range(len(plan.levels))]

    def _lines(self):
        lines, plan = self.core, ProductPlan(self.core)
        self.plan, self.halves = plan, plan.output_range
        mirrors = self._mirrors()
        self.mirrored = {"intercept": FinishOdd.mirrored(plan, self.fold.constant)} if mirrors else {}
        self.decremented = mirrors or plan.fraction == 0 and not self.channel.saturate and self._negates()
        key = self.index, lines.segmentation, lines.starts, lines.stop, plan.paired
        owner = self._owners.setdefault(key, self.name)
        segment = f"{owner}_segment"
        tables = self._slope_tables()
        tables["intercept"] = tuple(c - self.decremented for c in plan.intercepts)
        if lines.segmentation == "free":
            select, offset, subtract = self._search(owner, key), f"{self.name}_offset", self._subtract()
            if not plan.flat:
                tables["start"] = lines.starts
        else:
            select, offset, subtract = self._select(owner, key), f"{owner}_offset", []
        first, last = addresses(lines)

        def make_finish():
            nets = {**self._own("total", "intercept", "g"), "negative": self.minus}
            if self.mirrored:
                circuit = FinishOdd(plan, self.fold.constant, self.channel.format)
            else:
                circuit = Finish(plan, self.decremented)
            return Step(f"{self.name}_finish", circuit, nets)

        return [
            *select,
            *self._lookup("coefficients", last.bit_length(), first, tables, segment),
            *([] if plan.flat else subtract),
            *self._product(offset),
            _Atom(make_finish, 1.0, self.channel.format.width),
        ]

    def _select(self, owner, key):
        def make():
            nets = {"u": self.u, "segment": f"{owner}_segment", "offset": f"{owner}_offset"}
            return Step(f"{owner}_select", Select(self.core, self.u_width), nets)

        return [_Atom(make, {"uniform": 0.0, "dyadic": 2.0}[self.core.segmentation], key=key)]

    def _search(self, owner, key):
        """Atoms of the search among free breakpoints: the comparison, and one for every bit of the number."""
        nets = {"u": self.u, "segment": f"{owner}_segment"}
        nets |= {port: f"{owner}_flags" for port in ("flags", "left")}
        nets |= {port: f"{owner}_found" for port in ("found", "inner")}

        def make(begin, end):
            return Step(f"{owner}_search_{begin}_{end - 1}", Search(self.core, self.u_width, begin, end), nets)

        run, count = f"{owner}_search", Search.bits(self.core)
        compare = _Atom(make, 1.0, self.u_width, run, (key, 0))
        return [compare, *(_Atom(make, 1.0, 0, run, (key, level)) for level in range(1, count + 1))]

    def _subtract(self):
        def make():
            nets = {"u": self.u, **self._own("start", "offset")}
            return Step(f"{self.name}_subtract", Offset(self.core, self.u_width), nets)

        return [_Atom(make, 1.0, self.u_width)]

    def _slope_tables(self):
        """Tables that the product needs, by port."""
        if self.plan.flat:
            return {}
        return ShiftAdd.tables(self.plan) if self.core.multiplier == "shift-add" else {"slope": self.plan.slopes}

    def _product(self, offset):
        """Atoms of the product: a multiplier, or a row for every bit of the driving operand."""
        plan = self.plan
        if plan.flat:
            return []
        if self.core.multiplier == "shift-add":
            nets = {"offset": offset, **self._own("total", *ShiftAdd.tables(plan))}
            return [
                _Atom(
                    lambda: Step(f"{self.name}_shift_add", ShiftAdd(plan), nets),
                    2.0 + len(plan.digits),
                    self.channel.format.width,
                )
            ]
        if self.core.multiplier == "dsp":
            nets = {"slope": f"{self.name}_slope", "offset": offset, **self._own("total")}
            return [_Atom(lambda: Step(f"{self.name}_multiply", Multiply(plan), nets), 4.0)]
        slope = f"{self.name}_slope"
        driver, operand = (slope, offset) if plan.slope_drives else (offset, slope)
        width = (plan.operand_range[1] - plan.operand_range[0]).bit_length()

        def make_rows(first, last):
            rows = Rows(plan, first, last, self.design.carry_cells)
            nets = {
                "driver": (driver, slice(first, last)),
                "operand": operand,
                "accumulator": f"{self.name}_accumulator",
                "retired": f"{self.name}_retired",
                "kept": f"{self.name}_retired",
                "result": f"{self.name}_accumulator",
                "total": f"{self.name}_total",
            }
            return Step(f"{self.name}_rows_{first}_{last - 1}", rows, nets)

        return [_Atom(make_rows, 1.0, width, run=f"{self.name}_rows") for _ in range(plan.rows)]

    def _ending(self):
        channel = self.channel
        outputs = self._output_range() if channel.saturate else (channel.format.min_code, channel.format.max_code)
        result = f"{self.name}_raw" if channel.saturate else self.name

        def make_unfold():
            nets = {**self._own("g", "inverted"), "negative": self.negative, "y": result}
            return Step(f"{self.name}_unfold", self._unfold(outputs), nets)

        atoms = [_Atom(make_unfold, 1.0, channel.format.width) if self._adds() else _Atom(make_unfold, 0.0)]
        if channel.saturate:

            def make_saturate():
                circuit = Saturate(*outputs, channel.format)
                return Step(f"{self.name}_saturate", circuit, {"raw": result, "y": self.name})

            atoms.append(_Atom(make_saturate, 2.0))
        return atoms

    def _negates(self):
        """Whether a fold mirrors by a plain negation."""
        return negates(self.fold, self.channel.format.width)

    def _mirrors(self):
        """Whether the final addition mirrors too."""
        odd = self.fold.restore == "odd" and not self.channel.saturate
        # With a fraction the mirrored intercepts are no complements of the others, and their table costs more.
        return odd and bool(self.design.carry_cells) and not self.plan.flat and self.plan.fraction == 0

    def _unfold(self, outputs):
        """The circuit that restores the full range."""
        if self.mirrored:
            return Unfold(Fold(), self.design.input, outputs, outputs)
        cells = self.design.carry_cells
        return Unfold(self.fold, self.design.input, self.halves, outputs, self.decremented, cells)

    def _adds(self):
        """Whether that circuit has an adder."""
        return self.fold.restore == "odd" and not self.decremented or self.fold.restore.startswith("ramp")

    def _output_range(self):
        return unfolded_range(self.fold, self.halves, self.design.input)


def unfolded_range(fold, halves, input):
    """Range of what a fold makes of halves in a range.

    Returns
    -------
    (int, int)
    """
    least, most = halves
    if fold.restore == "odd":
        return min(least, fold.constant - most), max(most, fold.constant - least)
    if fold.restore == "ramp":
        return least, most + (input.max_code << fold.ramp_shift)
    if fold.restore == "ramp_down":
        return least + (input.min_code << fold.ramp_shift), most
    return least, most


def _delay(atoms):
    """Levels of logic of consecutive atoms in one stage; the carries of adders in a row run side by side."""
    total, ripple = 0.0, 0
    for atom in atoms:
        total += atom.levels
        if atom.ripple:
            ripple = max(ripple, atom.ripple)
        elif atom.levels:
            total, ripple = total + CARRY * ripple, 0
    return total + CARRY * ripple


#: Stages are cut so that the sum of this power of their delays is least: even ones, the longest first of all.
BALANCE = 8


def _cut(atoms, stages):
    """Stage of each atom."""
    count = len(atoms)
    costs = {
        (start, end): _delay(atoms[start:end]) ** BALANCE
        for start in range(count + 1)
        for end in range(start, count + 1)
    }
    best = [{0: (0.0, None)}]
    for _ in range(stages):
        best.append(
            {
                end: min((cost + costs[start, end], start) for start, (cost, _) in best[-1].items() if start <= end)
                for end in range(count + 1)
            }
        )
    numbers, end = [], count
    for stage in range(stages, 0, -1):
        start = best[stage][end][1]
        numbers[:0] = [stage - 1] * (end - start)
        end = start
    return numbers


def schedule(design, plan=_ChannelPlan):
    """Steps of each stage of a design.

    Parameters
    ----------
    design : Design
    plan : type
        Makes the atoms of a channel.

    Returns
    -------
    list of list of Step
        One list for every clock cycle of latency, and a single one for a combinational unit.
    """
    stages = [[] for _ in range(max(design.latency, 1))]
    chains = _chains(design, plan)
    placed = [_cut(atoms, len(stages)) for atoms in chains]
    first, made = {}, set()
    for atom, stage in zip(itertools.chain(*chains), itertools.chain(*placed)):
        first[atom.key or atom] = min(stage, first.get(atom.key or atom, stage))
    for atoms in chains:
        for key, stage, make in _makers(atoms, [first[atom.key or atom] for atom in atoms]):
            if key not in made:
                stages[stage].append(make())
                made.add(key)
    return stages


def most_stages(design, plan=_ChannelPlan):
    """The latency beyond which registers would have nothing left to part."""
    return min(max(sum(atom.levels > 0 for atom in atoms) for atoms in _chains(design, plan)) or 1, MAX_LATENCY)


def _chains(design, plan):
    """The atoms of every channel."""
    owners = {}
    return [plan(design, channel, owners).atoms() for channel in design.channels]


def _makers(atoms, stages):
    """Key, stage and maker of each step of a chain."""
    done = {}
    for (stage, run), group in itertools.groupby(zip(atoms, stages), lambda pair: (pair[1], pair[0].run or pair[0])):
        atoms = [atom for atom, _ in group]
        key, make = atoms[0].key or atoms[0], atoms[0].make
        if atoms[0].run:
            begin = done.get(run, 0)
            done[run] = begin + len(atoms)
            make = functools.partial(make, begin, done[run])
        yield key, stage, make
