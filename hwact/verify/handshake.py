"""The shell around the arithmetic, proved: what clock enable, valid, ready and reset do.

Every property is about one emitted circuit in *any* state of its registers, reachable or not, so that no
invariant about its inside is needed; `docs/proof.md` tells how they add up to a statement for all time.
"""

from ..ports import SIDEBANDS, ports_of
from .aig import FALSE, TRUE, Aig
from .blocks import Block

__all__ = ["Shell"]


class Shell:
    """The state machine of a unit, driven through the roles of its ports.

    Parameters
    ----------
    machine : Machine
    design : Design
        Says the ports, the interface and the latency; its numbers do not matter.
    """

    def __init__(self, machine, design):
        shell, ports = design.shell, ports_of(design)
        self.machine = machine
        self.interface, self.latency, self.reset, self.lanes = shell.interface, shell.latency, shell.reset, shell.lanes
        self.streaming = shell.streaming
        self._input = design.input
        self._ports = {role: port.name for port in ports for role in port.roles}
        self._fields = {(field.name, field.lane): (port.roles[0], field) for port in ports for field in port.fields}
        self._names = [channel.name for channel in design.channels]
        #: One role for each port that results, and what travels beside them, come out of.
        self._beside = {a: b for a, b in SIDEBANDS.items() if a in self._ports}
        self._data = list(dict.fromkeys(self._fields[name, 0][0] for name in self._names))
        shown = [*self._data, *self._beside.values(), *(["i_ready", "o_valid"] if self.streaming else [])]
        self.registers = machine.depends(self._bits(shown))

    def inputs(self):
        """The machine's words by role, but for the clock."""
        return {
            role: self.machine.inputs[port]
            for role, port in self._ports.items()
            if role != "clk" and port in self.machine.inputs
        }

    # -- the circuit, copied ------------------------------------------------------------------

    def _bits(self, roles):
        """The outputs' literals in the machine, one after another."""
        return [bit for role in roles for bit in self.machine.outputs[self._ports[role]]]

    def _state(self, aig):
        """Any state: a free variable for each register."""
        return {register.name: aig.input() for register in self.registers}

    def _leaves(self, state, inputs):
        """Leaves for a copy: a state, and words by role; without ``rst`` among them, there is no reset."""
        if "rst" in self._ports:
            inputs = {"rst": self._resetting(False)} | inputs
        return self.machine.leaves({self._ports[role]: word for role, word in inputs.items()}, state)

    def _resetting(self, active):
        return [int(active != self.reset.endswith("low"))]

    def _outputs(self, aig, roles, state, inputs):
        return self.machine.aig.copy(self._bits(roles), aig, self._leaves(state, inputs))

    def visible(self, aig, state, inputs):
        """What can be seen of a cycle: the handshake, and results that are valid (bits)."""
        if not self.streaming:
            return self._outputs(aig, self._data, state, inputs)
        roles = ["i_ready", "o_valid", *self._data, *self._beside.values()]
        accepts, valid, *data = self._outputs(aig, roles, state, inputs)
        return [accepts, valid, *(aig.land(valid, bit) for bit in data)]

    def next(self, aig, state, inputs, registers=None):
        """The state after a clock edge (of some registers)."""
        registers = self.registers if registers is None else registers
        literals = self.machine.aig.copy([r.next for r in registers], aig, self._leaves(state, inputs))
        return {register.name: literal for register, literal in zip(registers, literals)}

    def run(self, aig, roles, state, cycles):
        """Outputs in the last of several cycles.

        Parameters
        ----------
        aig : Aig
        roles : sequence of str
        state : dict of str to int
            Literals of the registers in the first cycle.
        cycles : sequence of dict of str to list of int
            Words by role for each cycle; others are free.

        Returns
        -------
        list of int
            Bits of the outputs, one output after another.
        """
        needed = []
        roots = self._bits(roles)
        for _ in cycles[1:]:
            inputs = set(self.machine.aig.cone(roots)[1])
            needed.append([register for register in self.registers if register.output >> 1 in inputs])
            roots = [register.next for register in needed[-1]]
        for inputs, registers in zip(cycles, reversed(needed)):
            state = self.next(aig, state, inputs, registers)
        return self._outputs(aig, roles, state, cycles[-1])

    def code(self, word, lane):
        """The bits of a lane's code in a word of the input port."""
        return word[self._fields["x", lane][1].slice]

    def word(self, aig):
        """A word of the input port: a free variable for each bit."""
        return aig.inputs(len(self.machine.inputs[self._ports["x"]]))

    def function(self, aig, word, lane):
        """Bits of a lane's outputs `latency` moves after a word of codes was accepted, from any state."""
        if self.interface == "comb":
            bits = self._outputs(aig, self._data, {}, {"x": word})
        else:
            valid = {"i_valid": [TRUE]} if self.streaming else {}
            cycles = [self.moving(x=word, **valid), *[self.moving()] * self.latency]
            bits = self.run(aig, self._data, self._state(aig), cycles)
        return [bit for name in self._names for bit in self._split(bits)[name, lane][0]]

    def _split(self, bits):
        """The bits of each output's code, and those of its padding, by name and lane."""
        words = {}
        for role in self._data:
            width = len(self.machine.outputs[self._ports[role]])
            words[role], bits = bits[:width], bits[width:]
        return {
            key: (words[role][field.slice], [words[role][position] for position in field.padding])
            for key, (role, field) in self._fields.items()
            if role in words
        }

    def block(self, lane=0):
        """All codes of a lane beside any codes in the others, and what `function` makes of them."""
        input, aig = self._input, Aig()
        word = self.word(aig)
        x = self.code(word, lane)
        return Block(aig, self.function(aig, word, lane), x, input.min_code, len(x), input.signed)

    # -- properties: what must never be true, by the sentence that then is said -----------------

    def properties(self):
        """The interface's properties: for each name a graph, and literals that must be false by sentence."""
        names = {
            "comb": ("stateless",),
            "pipe": ("registered", "hold", "reset"),
            "stream": ("registered", "ready", "hold", "bubble", "delay", "reset"),
            "axis": ("registered", "ready", "hold", "bubble", "delay", "carried", "padding", "reset"),
        }[self.interface]
        for name in names:
            aig = Aig()
            yield name, aig, dict(getattr(self, f"_{name}")(aig))

    def broken(self, solve):
        """Sentence of the first broken property, or None; `solve` decides a literal of a graph."""
        for _, aig, wrong in self.properties():
            values = solve(aig, aig.any(wrong.values()))
            if values is not False:
                bits = aig.evaluate(list(wrong.values()), values)
                return next(sentence for sentence, bit in zip(wrong, bits) if bit)
        return None

    def moving(self, **words):
        """Words by role for a cycle in which the pipeline moves."""
        return {"ce" if self.interface == "pipe" else "o_ready": [TRUE], **words}

    def _stateless(self, aig):
        """A combinational unit has no registers."""
        for register in self.registers:
            yield f"Circuit must have no register, not {register.name}", TRUE

    @property
    def _registered_outputs(self):
        return [*self._data, *self._beside.values(), *(["o_valid"] if self.streaming else [])]

    def _registered(self, aig):
        """Outputs do not depend on the inputs of their cycle."""
        state = self._state(aig)
        for role in self._registered_outputs:
            a, b = (self._outputs(aig, [role], state, {}) for _ in range(2))
            sentence = f"Port {self._ports[role]} must depend on registers alone, not on inputs of its cycle"
            yield sentence, aig.differ(a, b)

    def _ready(self, aig):
        """``i_ready = o_ready | ~o_valid``, in reset too."""
        state, ready, reset = self._state(aig), [aig.input()], [aig.input()]
        inputs = {"o_ready": ready} | ({"rst": reset} if "rst" in self._ports else {})
        accepts, valid = self._outputs(aig, ["i_ready", "o_valid"], state, inputs)
        ports = (self._ports[role] for role in ("i_ready", "o_ready", "o_valid"))
        sentence = "Port {} must be high where {} is or {} is not, and only there".format(*ports)
        yield sentence, aig.xor(accepts, aig.lor(ready[0], valid ^ 1))

    def _hold(self, aig):
        """No register changes while the pipeline stands still."""
        state = self._state(aig)
        if self.interface == "pipe":
            still, inputs, when = TRUE, {"ce": [FALSE]}, f"{self._ports['ce']} is low"
        else:
            inputs, when = {"o_ready": [FALSE]}, "a result waits to be taken"
            (still,) = self._outputs(aig, ["o_valid"], state, inputs)
        for name, literal in self.next(aig, state, inputs).items():
            sentence = f"Register {name} must hold its value while {when}, not change"
            yield sentence, aig.land(still, aig.xor(literal, state[name]))

    def _bubble(self, aig):
        """While no result is shown, ``o_ready`` has no effect: the pipeline moves."""
        state = self._state(aig)
        roles = ["x", "i_valid", *self._beside]
        free = {role: aig.inputs(len(self.machine.inputs[self._ports[role]])) for role in roles}
        moved, other = (self.next(aig, state, free | {"o_ready": [ready]}) for ready in (TRUE, FALSE))
        (valid,) = self._outputs(aig, ["o_valid"], state, {})
        for name, literal in moved.items():
            sentence = (
                f"Register {name} must move while no result is shown, not wait for {self._ports['o_ready']}"
            )
            yield sentence, aig.land(valid ^ 1, aig.xor(literal, other[name]))

    def _delay(self, aig):
        """What was valid at the input is valid at the output as many moves later as the latency."""
        given = aig.input()
        cycles = [self.moving(i_valid=[given]), *[self.moving()] * self.latency]
        (valid,) = self.run(aig, ["o_valid"], self._state(aig), cycles)
        there, here = self._ports["o_valid"], self._ports["i_valid"]
        sentence = f"Port {there} must show {here} {self.latency} moves later, not another"
        yield sentence, aig.xor(valid, given)

    def _carried(self, aig):
        """What came beside a code comes out beside its result; a code counts where all of its bytes do."""
        given = {role: aig.inputs(len(self.machine.inputs[self._ports[role]])) for role in self._beside}
        cycles = [self.moving(**given), *[self.moving()] * self.latency]
        state = self._state(aig)
        for source, sink in self._beside.items():
            word, wanted = self.run(aig, [sink], state, cycles), given[source]
            if source == "i_keep":
                size, wide = len(wanted) // self.lanes, len(word) // self.lanes
                kept = [aig.any(bit ^ 1 for bit in wanted[k * size : (k + 1) * size]) ^ 1 for k in range(self.lanes)]
                wanted = [bit for bit in kept for _ in range(wide)]
            there, here = self._ports[sink], self._ports[source]
            sentence = f"Port {there} must carry {here} of {self.latency} moves before, not another"
            yield sentence, aig.differ(word, wanted)

    def _padding(self, aig):
        """The bits above a code repeat its sign, or are 0."""
        codes = self._split(self._outputs(aig, self._data, self._state(aig), {}))
        for (name, lane), (code, padding) in codes.items():
            role, field = self._fields[name, lane]
            sign = code[-1] if field.format.signed else FALSE
            what = f"{name} of lane {lane}"
            sentence = f"Port {self._ports[role]} must repeat the sign of {what} in its padding, or have zeros there"
            yield sentence, aig.any(aig.xor(bit, sign) for bit in padding)

    def _reset(self, aig):
        """Power-up and reset empty the pipeline."""
        yield from self._empty(aig, "power-up", self.initial(aig), [])
        if "rst" in self._ports:
            resetting, state = {"rst": self._resetting(True)}, self._state(aig)
            yield from self._empty(aig, "reset", state, [resetting])
            if self.reset.startswith("async"):
                bits = self._outputs(
                    aig, ["o_valid"] if self.streaming else self._data, state, resetting
                )
                port = self._ports["o_valid"] if self.streaming else "y"
                yield (
                    f"Port {port} must be low while an asynchronous reset is asserted, not high",
                    aig.any(bits),
                )

    def initial(self, aig):
        """The state at power-up."""
        return {r.name: aig.input() if r.initial is None else r.initial for r in self.registers}

    def _empty(self, aig, event, state, before):
        if self.interface == "pipe":
            for inputs in before:
                state = self.next(aig, state, inputs)
            for name, literal in state.items():
                yield f"Register {name} must be 0 after {event}, not 1", literal
            return
        for moves in range(self.latency):
            (valid,) = self.run(aig, ["o_valid"], state, [*before, *[self.moving()] * (moves + 1)])
            yield f"Port {self._ports['o_valid']} must be low {moves} moves after {event}, not high", valid
