"""The learning demonstration on a virtual board: its circuit, compiled, thousands of steps long."""

import json
import subprocess
import sys
import time

import pytest

from hwact.boards import find_board
from hwact.boards.demos import demo_of, designs_of
from hwact.boards.learning.data import TASKS
from hwact.boards.learning.gateware import Region, Register, address
from hwact.boards.learning.host import Teacher, hidden_of
from hwact.boards.learning.network import Network
from hwact.boards.learning.program import Words
from hwact.boards.learning.top import LEARN, MAX_PERIOD
from hwact.boards.protocol import FAULT, REPLY, Command, Decoder, Fault, Frame, Record
from hwact.boards.virtual import machine_of
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import CheckError, RequestError

BOARD = find_board("icebreaker")
BAUD = BOARD.clock_hz // 104


class Direct:
    """A client without a serial port: frames to the machine and back, with a cycle budget."""

    def __init__(self, machine):
        self.machine = machine
        self.record = Record.from_bytes(self.request(Command.IDENTIFY))

    def exchange(self, kind, payload=b"", budget=20_000_000):
        """The reply to a request, a frame."""
        decoder, data, end = Decoder(), Frame(kind, payload, 7).to_bytes(), self.machine.cycles + budget
        while self.machine.cycles < end:
            for frame in decoder.feed(self.machine.run(4096, BAUD, data)):
                return frame
            data = b""
        pytest.fail(f"No reply to request {kind} in {budget} cycles")

    def request(self, kind, payload=b"", size=None, wait=0.0):
        frame = self.exchange(kind, payload)
        assert frame.kind == kind | REPLY and size in (None, len(frame.payload))
        return frame.payload


@pytest.fixture(scope="module")
def designs():
    """The unit that a build puts on the board."""
    return designs_of("learn", BOARD)


@pytest.fixture
def top(designs):
    """The circuit that a build puts on the board."""
    return demo_of("learn", BOARD, designs)


@pytest.fixture
def client(top):
    """The circuit, just powered up."""
    machine = machine_of(top, BOARD.clock_hz)
    yield Direct(machine)
    machine.close()


@pytest.fixture(scope="module")
def network(designs):
    """The golden model."""
    return Network(designs[0])


def teacher_of(client, network, task, seed=1):
    """A teacher with its board checked and loaded."""
    assert hidden_of(client) == network.hidden
    rate = network.weight.to_code(task.rate)
    teacher = Teacher(client, network, task.samples(network, seed), rate, network.initial(seed))
    teacher.check()
    teacher.load()
    return teacher


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_board_learns_as_the_golden_model_does(client, network, name):
    """Every loss, and all weights in the end; and it does learn."""
    task = TASKS[name]
    teacher = teacher_of(client, network, task)
    reports = [teacher.learn(task.period) for _ in range(task.steps // task.period)]
    teacher.check_state()
    assert reports[-1].step == task.steps
    assert reports[-1].accuracy >= task.goal
    assert reports[-1].mean_squared_error < reports[0].mean_squared_error / 10


@pytest.mark.slow
def test_wrong_weights_are_found(client, network):
    """In the board's losses, and in its weights where no loss shows them."""
    pair = address(Region.WORDS, Words.WEIGHTS + 4).to_bytes(2) + bytes(4)
    teacher = teacher_of(client, network, TASKS["xor"])
    teacher.learn(8)
    teacher.check_state()
    client.request(Command.WRITE, pair)
    with pytest.raises(CheckError, match="^Weight 4 after 8 steps must be -?[0-9]+, as the golden model's, not 0$"):
        teacher.check_state()
    with pytest.raises(CheckError, match="^Loss at step 12 must be [0-9]+, as .* model's, not [0-9]+ at step 12$"):
        teacher.learn(4)
    with pytest.raises(RequestError, match="^Steps from report to report must be 1 to 4096, not 5000$"):
        teacher.learn(5000)
    other = Network(network.design, rounding="nearest")
    wanted, there = other.digest[:12], network.digest[:12]
    with pytest.raises(CheckError, match=f"^Board must hold .* {wanted}, not learn_tanh with digest {there}$"):
        Teacher(client, other, TASKS["xor"].samples(other), 1, other.initial(1)).check()


@pytest.mark.slow
def test_requests_are_refused_or_repeated_without_harm(client, network):
    """Wrong lengths and commands have their faults; to learn up to the same step once more changes nothing."""
    assert client.exchange(Command.PING, b"\x01\xa5\xff").payload == b"\x01\xa5\xff"
    for kind, payload, fault in (
        (Command.SWEEP, b"", Fault.COMMAND),
        (Command.IDENTIFY, b"\0\0", Fault.LENGTH),
        (Command.IDENTIFY, b"\1", Fault.ARGUMENT),
        (Command.READ, b"\0", Fault.LENGTH),
        (Command.WRITE, bytes(7), Fault.LENGTH),
        (LEARN, bytes(3), Fault.LENGTH),
        (LEARN, (MAX_PERIOD + 1).to_bytes(4), Fault.ARGUMENT),
        (LEARN, bytes([0xFF] * 4), Fault.ARGUMENT),
    ):
        frame = client.exchange(kind, payload)
        assert (frame.kind, frame.payload) == (FAULT, bytes([fault])), kind
    teacher = teacher_of(client, network, TASKS["xor"])
    first = client.request(LEARN, (6).to_bytes(4), 10)
    again = client.request(LEARN, (6).to_bytes(4), 10)
    state, loss = network.train(teacher.state, TASKS["xor"].samples(network), 1024, 6)
    assert first == again == (6).to_bytes(4) + int(loss).to_bytes(6)
    assert (teacher.board_state().weights == state.weights).all()
    assert client.request(Command.READ, int(Register.STEP).to_bytes(2), 4) == (6).to_bytes(4)


@pytest.fixture
def port(tmp_path):
    """A virtual board in a process of its own."""
    path = tmp_path / "port"
    command = [sys.executable, "-m", "hwact.cli", "board", "virtual", "icebreaker", "--demo", "learn"]
    board = subprocess.Popen([*command, "--port-file", str(path), "--seconds", "300"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 200
        while not path.exists() and board.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        yield path.read_text(encoding="utf-8").strip()
    finally:
        board.terminate()
        assert board.wait(30) == 0


@pytest.mark.slow
def test_command_watches_a_virtual_board(port, tmp_path, capsys, monkeypatch):
    """The unmodified command on a pseudo-terminal: lines, JSON, a picture, and what it refuses."""
    monkeypatch.chdir(tmp_path)
    learn = ["board", "learn", "--port", port]
    assert run(hwact, [*learn, "--steps", "48", "--png", "xor.png"]) == 0
    lines = capsys.readouterr()
    assert [line.split("\t")[0] for line in lines.out.splitlines()] == ["step", "20", "40", "48"]
    assert "3 losses and 33 weights equal the golden model's" in lines.err
    assert (tmp_path / "xor.png").read_bytes().startswith(b"\x89PNG")
    assert run(hwact, [*learn, "--steps", "40", "--seed", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], found["matches"], len(found["weights"])) == (40, True, 33)
    assert run(hwact, [*learn, "--rate", "9"]) == 2
    assert "Learning rate must be above 0 and at most 7.99976, not 9" in capsys.readouterr().err


def test_command_refuses_before_it_opens_a_port(capsys):
    """A task or a file that cannot be, and a port that is not there."""
    learn = ["board", "learn", "--port", "/dev/nowhere"]
    for options, sentence in (
        (["--task", "spiral"], "Task must be xor or moons, not 'spiral'"),
        (["--png", "loss.txt"], "Plot must be a .png or .svg file, not 'loss.txt'"),
        ([], "Port must be a serial port that can be opened, not '/dev/nowhere'"),
    ):
        assert run(hwact, [*learn, *options]) == 2
        assert sentence in capsys.readouterr().err
