"""Monitors: what the unit saw and did, read from its ports alone, once a clock cycle."""

from ..errors import CheckError

__all__ = ["CombMonitor", "PipeMonitor", "StreamMonitor"]


def _read(port, name, cycle):
    try:
        return int(port.value)
    except ValueError:
        raise CheckError(f"Port {name} must be defined in cycle {cycle}, not {port.value}") from None


class _Monitor:
    """Tells the scoreboard about accepted codes and results.

    Parameters
    ----------
    dut : handle
    scoreboard : Scoreboard
    """

    prefix = ""

    def __init__(self, dut, scoreboard):
        self.dut = dut
        self.scoreboard = scoreboard
        self.design = scoreboard.design

    def _code(self, name, cycle):
        return int(self.design.input.from_bits(_read(getattr(self.dut, name), name, cycle)))

    def _outputs(self, cycle):
        outputs = {}
        for channel in self.design.channels:
            name = self.prefix + channel.name
            bits = _read(getattr(self.dut, name), name, cycle)
            outputs[channel.name] = int(channel.format.from_bits(bits))
        return outputs


class CombMonitor(_Monitor):
    """The result stands in the same step."""

    def look(self, cycle):
        """Pass on this step's code and result."""
        self.scoreboard.accepted(self._code("x", cycle), cycle)
        self.scoreboard.answered(self._outputs(cycle), cycle)


class PipeMonitor(_Monitor):
    """Counts enabled cycles; the outputs must not move in others."""

    def __init__(self, dut, scoreboard):
        super().__init__(dut, scoreboard)
        self._enabled = 0
        self._moved = False
        self._last = None

    def look(self, cycle):
        """Pass on this cycle's code, and the result that the last enabled cycle brought out."""
        if self._enabled >= self.design.latency:
            outputs = self._outputs(cycle)
            if self._moved:
                self.scoreboard.answered(outputs, self._enabled)
            elif outputs != self._last:
                raise CheckError(f"Outputs must be stable while ce is low, not change in cycle {cycle}")
            self._last = outputs
        self._moved = bool(_read(self.dut.ce, "ce", cycle))
        if self._moved:
            self.scoreboard.accepted(self._code("x", cycle), self._enabled)
            self._enabled += 1


class StreamMonitor(_Monitor):
    """Watches both handshakes; a stalled result must stay as it is.

    Parameters
    ----------
    dut : handle
    scoreboard : Scoreboard
    source : StreamSource
        Told of each transfer.
    """

    prefix = "o_"

    def __init__(self, dut, scoreboard, source):
        super().__init__(dut, scoreboard)
        self.source = source
        self._stalled = None

    def look(self, cycle):
        """Pass on this cycle's transfers."""
        valid, ready = (_read(port, port._name, cycle) for port in (self.dut.o_valid, self.dut.o_ready))
        outputs = self._outputs(cycle) if valid else None
        if self._stalled is not None and outputs != self._stalled:
            raise CheckError(f"Results must be stable while stalled, not change in cycle {cycle}")
        self._stalled = outputs if valid and not ready else None
        if valid and ready:
            self.scoreboard.answered(outputs, cycle)
        if _read(self.dut.i_valid, "i_valid", cycle) and _read(self.dut.i_ready, "i_ready", cycle):
            self.scoreboard.accepted(self._code("i_payload", cycle), cycle)
            self.source.taken()
