"""Which circuits a design is made of, in order, and between which of them registers go.

Every channel is a chain of *steps*. Steps read and write named nets; the chains of all channels run
side by side. `schedule` cuts the chains into as many stages as there are clock cycles, so that the
longest stage is as short as it can be.
"""

from dataclasses import dataclass, field

from amaranth.lib import wiring

from ..design import Table
from .coefficients import Coefficients
from .fold import FoldInput, Unfold, negates
from .product import Finish, Multiply, ProductPlan, Rows, ShiftAdd
from .saturate import Saturate
from .select import Select, addresses

__all__ = ["Step", "schedule"]


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


@dataclass
class _Atom:
    """A step that may stand in any stage: its delay (in levels of logic), and how to make it.

    Atoms of one non-empty `chain` that land in the same stage are made as one step.
    """

    delay: float
    make: object
    chain: str = ""


def _carry(width):
    """Levels of logic of an adder."""
    return 1 + 0.08 * width


def _nothing():
    """Make no step: another channel makes it for both."""


class _ChannelPlan:
    """The atoms of one channel; `shared` holds the owner of every step that channels share."""

    def __init__(self, design, channel, shared):
        self.design, self.channel, self.shared = design, channel, shared
        self.core, self.fold, self.name = channel.core, channel.fold, channel.name
        most = channel.fold.index_range(design.input, design.domain)[1]
        self.u, self.negative = f"u_{self.fold.index}", "negative" if channel.fold.index != "none" else "upright"
        self.u_width = max(most.bit_length(), 1)

    def _owner(self, *key):
        """Name of the channel that a step which channels can share belongs to: the first one that asks."""
        return self.shared.setdefault(key, self.name)

    def _own(self, *ports):
        return {port: f"{self.name}_{port}" for port in ports}

    def atoms(self):
        """The atoms in order."""
        index = self.fold.index
        delay = {"none": 0.0, "complement": 0.5, "negate": _carry(self.u_width)}[index]

        def make_fold():
            circuit = FoldInput(self.fold, self.design.input, self.u_width)
            return Step(f"fold_{index}", circuit, {"u": self.u, "negative": self.negative})

        own = self._owner("fold", index) == self.name
        first = _Atom(delay, make_fold if own else _nothing)
        middle = self._table() if isinstance(self.core, Table) else self._lines()
        return [first, *middle, *self._ending()]

    def _table(self):
        def make():
            table = Coefficients(self.u_width, self.core.start, {"g": self.core.entries})
            return Step(f"{self.name}_table", table, {"address": self.u, **self._own("g")})

        self.halves = min(self.core.entries), max(self.core.entries)
        self.decremented = False
        return [_Atom(self._lookup_delay(self.u_width), make)]

    @staticmethod
    def _lookup_delay(address_bits):
        return 1 + max(address_bits - 4, 0) * 0.6

    def _lines(self):
        lines, plan = self.core, ProductPlan(self.core)
        self.plan, self.halves = plan, plan.output_range
        self.decremented = plan.fraction == 0 and not self.channel.saturate and negates(
            self.fold, self.channel.format.width
        )
        owner = self._owner("select", self.fold.index, lines.segmentation, lines.starts, lines.stop, plan.paired)
        first, last = addresses(lines)
        segment = {"segment": f"{owner}_segment", "offset": f"{owner}_offset"}

        def make_select():
            return Step(f"{owner}_select", Select(lines, self.u_width), {"u": self.u, **segment})

        def make_tables():
            tables = self._slope_tables()
            tables["intercept"] = tuple(c - self.decremented for c in plan.intercepts)
            circuit = Coefficients(last.bit_length(), first, tables)
            return Step(f"{self.name}_coefficients", circuit, {"address": segment["segment"], **self._own(*tables)})

        compare = {"uniform": 0.0, "dyadic": 2.0, "free": 1 + 0.15 * self.u_width + lines.segments.bit_length()}
        atoms = [
            _Atom(compare[lines.segmentation], make_select if owner == self.name else _nothing),
            _Atom(self._lookup_delay(last.bit_length()), make_tables),
            *self._product(segment["offset"]),
        ]

        def make_finish():
            nets = {**self._own("total", "intercept", "g"), "negative": self.negative}
            return Step(f"{self.name}_finish", Finish(plan, self.decremented), nets)

        return [*atoms, _Atom(_carry(self.channel.format.width), make_finish)]

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
            delay = 2.0 + _carry(self.channel.format.width) * len(plan.digits)
            return [_Atom(delay, lambda: Step(f"{self.name}_shift_add", ShiftAdd(plan), nets))]
        if self.core.multiplier == "dsp":
            nets = {"slope": f"{self.name}_slope", "offset": offset, **self._own("total")}
            return [_Atom(4.0, lambda: Step(f"{self.name}_multiply", Multiply(plan), nets))]
        slope = f"{self.name}_slope"
        driver, operand = (slope, offset) if plan.slope_drives else (offset, slope)
        width = (plan.operand_range[1] - plan.operand_range[0]).bit_length()

        def make_rows(first, last):
            rows = Rows(plan, first, last)
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

        return [_Atom(_carry(width), make_rows, f"{self.name}_rows") for _ in range(plan.rows)]

    def _ending(self):
        channel, design = self.channel, self.design
        outputs = self._output_range() if channel.saturate else (channel.format.min_code, channel.format.max_code)
        result = f"{self.name}_raw" if channel.saturate else self.name

        def make_unfold():
            circuit = Unfold(self.fold, design.input, self.halves, outputs, self.decremented)
            nets = {"g": f"{self.name}_g", "negative": self.negative, "y": result}
            return Step(f"{self.name}_unfold", circuit, nets)

        adds = self.fold.restore == "odd" and not self.decremented or self.fold.restore.startswith("ramp")
        atoms = [_Atom(_carry(channel.format.width) if adds else 0.0, make_unfold)]
        if channel.saturate:

            def make_saturate():
                circuit = Saturate(*outputs, channel.format)
                return Step(f"{self.name}_saturate", circuit, {"raw": result, "y": self.name})

            atoms.append(_Atom(2.0, make_saturate))
        return atoms

    def _output_range(self):
        least, most = self.halves
        fold, input = self.fold, self.design.input
        if fold.restore == "odd":
            return min(least, fold.constant - most), max(most, fold.constant - least)
        if fold.restore == "ramp":
            return least, most + (input.max_code << fold.ramp_shift)
        if fold.restore == "ramp_down":
            return least + (input.min_code << fold.ramp_shift), most
        return least, most


def _cut(delays, stages):
    """Group consecutive delays into stages with the smallest possible longest sum; stage of each delay."""
    count = len(delays)
    sums = [0.0]
    for delay in delays:
        sums.append(sums[-1] + delay)
    best = {(0, 0): (0.0, None)}
    for stage in range(1, stages + 1):
        for end in range(count + 1):
            options = (
                (max(best[stage - 1, start][0], sums[end] - sums[start]), start)
                for start in range(end, -1, -1)
                if (stage - 1, start) in best
            )
            found = min(options, default=None)
            if found is not None:
                best[stage, end] = found
    numbers, end = [0] * count, count
    for stage in range(stages, 0, -1):
        start = best[stage, end][1]
        numbers[start:end] = [stage - 1] * (end - start)
        end = start
    return numbers


def schedule(design):
    """Steps of each stage of a design.

    Parameters
    ----------
    design : Design

    Returns
    -------
    list of list of Step
        One list for every clock cycle of latency, and a single one for a combinational unit.
    """
    shared = {}
    chains = [_ChannelPlan(design, channel, shared).atoms() for channel in design.channels]
    levels = max(len(chain) for chain in chains)
    delays = [max(chain[k].delay for chain in chains if k < len(chain)) for k in range(levels)]
    stages = [[] for _ in range(max(design.latency, 1))]
    placed = _cut(delays, len(stages))
    for chain in chains:
        runs = {}
        for atom, stage in zip(chain, placed):
            if atom.chain:
                runs.setdefault(stage, []).append(atom)
        done = 0
        for atom, stage in zip(chain, placed):
            if not atom.chain:
                step = atom.make()
            elif runs[stage] is not None:
                step, done = atom.make(done, done + len(runs[stage])), done + len(runs[stage])
                runs[stage] = None
            else:
                continue
            if step is not None:
                stages[stage].append(step)
    return stages
