"""Monitors: what the unit saw and did, read from its ports alone, once a clock cycle."""

from collections import deque

from ..errors import CheckError
from ..ports import SIDEBANDS, ports_of

__all__ = ["CombMonitor", "PipeMonitor", "StreamMonitor"]


def _read(port, name, cycle):
    try:
        return int(port.value)
    except ValueError:
        raise CheckError(f"Port {name} must be defined in cycle {cycle}, not {port.value}") from None


class _Monitor:
    """Tells the scoreboard about accepted codes and results, lane by lane.

    Parameters
    ----------
    dut : handle
    scoreboard : Scoreboard
    """

    def __init__(self, dut, scoreboard):
        self.dut = dut
        self.scoreboard = scoreboard
        self.design = scoreboard.design
        self._ports = {role: port for port in ports_of(self.design) for role in port.roles}
        self._results = list(dict.fromkeys(self._ports[channel.name] for channel in self.design.channels))

    def _bits(self, role, cycle):
        name = self._ports[role].name
        return _read(getattr(self.dut, name), name, cycle)

    def _accepted(self, now, cycle):
        """The codes on the input were taken at the time `now`."""
        port = self._ports["x"]
        mask = (1 << self.design.input.width) - 1
        for word in port.unpack(self._bits("x", cycle)):
            self.scoreboard.accepted(int(self.design.input.from_bits(word & mask)), now)

    def _outputs(self, cycle):
        """The outputs of each lane, by name."""
        lanes = [{} for _ in range(self.design.shell.lanes)]
        for port in self._results:
            for field, word in zip(port.fields, port.unpack(self._bits(port.roles[0], cycle))):
                code = int(field.format.from_bits(word & (1 << field.format.width) - 1))
                if word != code & (1 << field.padded) - 1:
                    raise CheckError(f"Port {port.name} must repeat signs in its padding, not hold {word:#x}")
                lanes[field.lane][field.name] = code
        return lanes

    def _answered(self, lanes, now):
        for outputs in lanes:
            self.scoreboard.answered(outputs, now)


class CombMonitor(_Monitor):
    """The result stands in the same step."""

    def look(self, cycle):
        """Pass on this step's codes and results."""
        self._accepted(cycle, cycle)
        self._answered(self._outputs(cycle), cycle)


class PipeMonitor(_Monitor):
    """Counts enabled cycles; the outputs must not move in others."""

    def __init__(self, dut, scoreboard):
        super().__init__(dut, scoreboard)
        self._enabled = 0
        self._moved = False
        self._last = None

    def look(self, cycle):
        """Pass on this cycle's codes, and the results that the last enabled cycle brought out."""
        if self._enabled >= self.design.latency:
            outputs = self._outputs(cycle)
            if self._moved:
                self._answered(outputs, self._enabled)
            elif outputs != self._last:
                raise CheckError(f"Outputs must be stable while ce is low, not change in cycle {cycle}")
            self._last = outputs
        self._moved = bool(self._bits("ce", cycle))
        if self._moved:
            self._accepted(self._enabled, cycle)
            self._enabled += 1


class StreamMonitor(_Monitor):
    """Watches both handshakes; a stalled result must stay as it is, and sidebands stay with their codes.

    Parameters
    ----------
    dut : handle
    scoreboard : Scoreboard
    source : StreamSource
        Told of each transfer.
    """

    def __init__(self, dut, scoreboard, source):
        super().__init__(dut, scoreboard)
        self.source = source
        self._stalled = None
        self._sidebands = {a: b for a, b in SIDEBANDS.items() if a in self._ports}
        self._waiting = deque()

    def look(self, cycle):
        """Pass on this cycle's transfers."""
        valid, ready = (self._bits(role, cycle) for role in ("o_valid", "o_ready"))
        shown = None
        if valid:
            shown = self._outputs(cycle), {role: self._bits(role, cycle) for role in self._sidebands.values()}
        if self._stalled is not None and shown != self._stalled:
            raise CheckError(f"Results must be stable while stalled, not change in cycle {cycle}")
        self._stalled = shown if valid and not ready else None
        if valid and ready:
            outputs, sidebands = shown
            self._answered(outputs, cycle)
            self._compare(sidebands, cycle)
        if self._bits("i_valid", cycle) and self._bits("i_ready", cycle):
            self._accepted(cycle, cycle)
            self._waiting.append({b: self._carried(a, self._bits(a, cycle)) for a, b in self._sidebands.items()})
            self.source.taken()

    def _carried(self, role, bits):
        """What a sideband must be at the output: keep bits, of which each lane has its own, are all or none."""
        if role != "i_keep":
            return bits
        lanes = self.design.shell.lanes
        taken, given = (self._ports[role].width // lanes for role in ("i_keep", "o_keep"))
        kept = [bits >> lane * taken & (1 << taken) - 1 == (1 << taken) - 1 for lane in range(lanes)]
        return sum(((1 << given) - 1) << lane * given for lane in range(lanes) if kept[lane])

    def _compare(self, sidebands, cycle):
        wanted = self._waiting.popleft()
        for role, bits in sidebands.items():
            if bits != wanted[role]:
                name = self._ports[role].name
                raise CheckError(f"Port {name} must be {wanted[role]:#x} in cycle {cycle}, not {bits:#x}")
