"""The host's side: teach a board, and compare it with the golden model step by step."""

import struct
from dataclasses import dataclass

import numpy as np

from ...errors import CheckError, RequestError
from ..protocol import LARGEST_REQUEST, Command
from .gateware import SAMPLE_BITS, Region, Register, address, cycles_per_step
from .network import State
from .program import Words
from .top import LEARN, MAX_PERIOD, NAME, REPORT

__all__ = ["Report", "Teacher", "hidden_of"]

#: How much slower than its clock a virtual board may be.
_SLOWNESS = 20

_PAIR = struct.Struct(">HI")
_ADDRESS = struct.Struct(">H")
_WORD = struct.Struct(">I")


@dataclass(frozen=True)
class Report:
    """What a board learnt between two reports; the golden model found the same.

    Parameters
    ----------
    step : int
        Steps done so far.
    loss : int
        Sum of squared errors (codes squared) of the steps since the report before.
    mean_squared_error : float
        The same for one step, as a value.
    accuracy : float
        Share of the samples that the network now tells right.
    """

    step: int
    loss: int
    mean_squared_error: float
    accuracy: float


def hidden_of(client):
    """Hidden neurons of the network on a board.

    Raises
    ------
    CheckError
        If the board holds another demonstration.
    """
    if not client.record.name.startswith(NAME):
        raise CheckError(
            f"Board must hold the learning network (hwact board build --demo learn), not {client.record.name}"
        )
    return _read(client, address(Region.REGISTERS, Register.HIDDEN))


def _read(client, where):
    """The word at an address of the board."""
    return _WORD.unpack(client.request(Command.READ, _ADDRESS.pack(where), _WORD.size))[0]


class Teacher:
    """A board that learns, and the golden model beside it.

    Parameters
    ----------
    client : Client
    network : Network
    samples : array_like of int
        Rows of codes x_0, x_1, target; at most 341.
    rate : int
        Code of the learning rate in the weights' format.
    state : State
        To begin with.

    Attributes
    ----------
    state : State
        What the golden model has learnt.
    step : int
        Steps done.

    Raises
    ------
    RequestError
        If there are too many samples, or none.
    """

    def __init__(self, client, network, samples, rate, state):
        self._client, self.network, self._rate = client, network, int(rate)
        self._samples = np.asarray(samples, dtype=np.int64)
        self.state, self.step = state, 0
        if not 0 < self._samples.size <= 1 << SAMPLE_BITS:
            raise RequestError(f"Samples must be 1 to {(1 << SAMPLE_BITS) // 3}, not {len(self._samples)}")
        if not 0 < self._rate <= network.weight.max_code:
            raise RequestError(f"Learning rate must be a code of {network.weight} above 0, not {self._rate}")

    def check(self):
        """Raise CheckError unless the board has this network."""
        record = self._client.record
        if record.digest.hex() != self.network.digest:
            raise CheckError(
                f"Board must hold the network of {self.network.design.name} with digest {self.network.digest[:12]}, "
                f"not {record.name} with digest {record.digest.hex()[:12]}"
            )

    def load(self):
        """Send samples, rate and initial weights."""
        numbers = self._samples.ravel()
        words = {address(Region.SAMPLES, k): number for k, number in enumerate(numbers)}
        words |= {address(Region.WORDS, Words.WEIGHTS + k): code for k, code in enumerate(self.state.weights)}
        words |= {
            address(Region.WORDS, Words.RATE): self._rate,
            address(Region.REGISTERS, Register.NOISE): self.state.noise,
            address(Region.REGISTERS, Register.LAST): len(numbers) - 1,
            address(Region.REGISTERS, Register.STEP): self.step,
        }
        pairs = [_PAIR.pack(where, int(word) & 0xFFFFFFFF) for where, word in words.items()]
        most = LARGEST_REQUEST // _PAIR.size
        for first in range(0, len(pairs), most):
            self._client.request(Command.WRITE, b"".join(pairs[first : first + most]))

    def learn(self, steps):
        """Let the board learn for some steps, the golden model too.

        Parameters
        ----------
        steps : int
            1 to `MAX_PERIOD`.

        Returns
        -------
        Report

        Raises
        ------
        CheckError
            If the board's loss is not the golden model's.
        """
        if not 1 <= steps <= MAX_PERIOD:
            raise RequestError(f"Steps from report to report must be 1 to {MAX_PERIOD}, not {steps}")
        goal = self.step + steps
        seconds = steps * cycles_per_step(self.network) / self._client.record.clock_hz
        reply = self._client.request(LEARN, _WORD.pack(goal), REPORT, wait=_SLOWNESS * seconds)
        done, loss = int.from_bytes(reply[:4]), int.from_bytes(reply[4:])
        self.state, wanted = self.network.train(self.state, self._samples, self._rate, steps, self.step)
        self.step = goal
        if (done, loss) != (goal, wanted):
            raise CheckError(f"Loss at step {goal} must be {wanted}, as the golden model's, not {loss} at step {done}")
        error = loss / steps * float(self.network.data.ulp) ** 2
        return Report(goal, loss, error, float(self.network.accuracy(self.state.weights, self._samples)))

    def board_state(self):
        """What the board has learnt (State)."""
        words = [_read(self._client, address(Region.WORDS, Words.WEIGHTS + k)) for k in range(self.network.weights)]
        noise = _read(self._client, address(Region.REGISTERS, Register.NOISE))
        return State(np.array(words, dtype=np.uint32).astype(np.int32).astype(np.int64), np.int64(noise))

    def check_state(self):
        """Raise CheckError unless the board's weights and generator are the golden model's."""
        found = self.board_state()
        differ = np.flatnonzero(found.weights != self.state.weights)
        if differ.size:
            first = differ[0]
            raise CheckError(
                f"Weight {first} after {self.step} steps must be {self.state.weights[first]}, as the golden model's, "
                f"not {found.weights[first]}"
            )
        if found.noise != self.state.noise:
            raise CheckError(f"Generator after {self.step} steps must be at {self.state.noise}, not {found.noise}")
