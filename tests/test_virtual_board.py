"""The unmodified probe against a virtual board, over a pseudo-terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from virtual_boards import BAUD, Relay, Served, demo, designs, image

from hwact.boards import client as client_module
from hwact.boards import probe as probe_module
from hwact.boards.client import Client
from hwact.boards.golden import keep_designs
from hwact.boards.probe import probe
from hwact.boards.virtual import Faults
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import CheckError, RequestError, ToolError


@pytest.fixture
def known(tmp_path, monkeypatch):
    """The small board's designs are known to this machine."""
    demo()
    with Served():
        pass  # compiled in the usual cache
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    keep_designs(designs())


@pytest.fixture
def hasty(monkeypatch):
    """A client that does not wait long for a board that fell silent."""
    monkeypatch.setattr(client_module, "_FALL_BACK", 0.3)
    monkeypatch.setattr(client_module, "_COMMON", (BAUD,))


def test_every_code_of_every_unit_is_the_golden_models(known):
    """Streams, units without a handshake, and tables that the host loads."""
    with Served() as port, Client(port, BAUD) as client:
        results = [probe(client, unit, image=image()) for unit in range(3)]
    assert [result.codes for result in results] == [64, 512, 64]
    assert all(result.passed and not result.retries for result in results)
    assert [result.cycles for result in results] == [
        result.codes + record.latency for result, record in zip(results, demo().records)
    ]


def test_a_bad_line_only_costs_time(known):
    """Flipped bits and garbage are counted, and no result is wrong."""
    with Served(bit_errors=3e-4, garbage=2e-3, seed=2) as port, Client(port, BAUD) as client:
        result = probe(client, 1)
    assert result.passed and result.codes == 512
    assert client.retries > 0


def test_a_board_that_is_unplugged_is_missed(known):
    """In one sentence."""
    sentence = "^Board on /dev/pts/.* must stay connected, not vanish: "
    with Served(unplug_after=900) as port, pytest.raises(ToolError, match=sentence), Client(port, BAUD) as client:
        probe(client, 1)


def test_the_boards_rate_is_found(known, hasty):
    """Should the host begin with another one."""
    with Served() as port, Client(port, 9600) as client:
        assert client.baud == BAUD
        client.speed_up(125_000)
        assert client.baud == 125_000
        assert probe(client, 0).passed


def test_programs_between_host_and_board_may_leave_the_rate_alone(known, hasty):
    """What hands bytes on knows nothing of rates: the board's own one serves."""
    with Served() as port, Relay(port) as outer, Client(outer, BAUD) as client:
        client.speed_up()
        assert probe(client, 0).passed


def test_a_host_that_pauses_for_long_goes_on(known, hasty, monkeypatch):
    """The board has fallen back to its rate by then, and is brought back to the host's."""
    monkeypatch.setattr(client_module, "_QUIET", 0.1)
    with Served() as port, Client(port, BAUD) as client:
        client.speed_up(125_000)
        time.sleep(3)
        assert probe(client, 0).passed
        assert client.retries > 0 and client.baud == 125_000


def test_a_rate_that_does_not_work_is_refused(known, hasty):
    """And the one before stays."""
    with Served() as port, Client(port, BAUD) as client:
        with pytest.raises(RequestError, match="^Rate must be one that .* 1000000 Hz can have, not 333000 baud$"):
            client.speed_up(333_000)
        assert probe(client, 0).passed


def test_a_board_of_an_unknown_rate_is_not_found(known, hasty, monkeypatch):
    """The sentence says what to check."""
    monkeypatch.setattr(client_module, "_COMMON", ())
    sentence = "^Board on .* must answer at 57600 baud or another common rate, "
    with Served() as port, pytest.raises(ToolError, match=sentence):
        Client(port, 57600)


def test_silence_is_told_from_garbage(hasty):
    """A line on which nothing is."""
    master, slave = os.openpty()
    with pytest.raises(ToolError, match="but nothing came back"):
        Client(os.ttyname(slave))
    os.close(master)
    os.close(slave)


def mutated(design):
    """The same design with one entry of its derivative's table or lines off by one."""
    channel = design.channels[1]
    field = "entries" if channel.core.method == "table" else "intercepts"
    values = list(getattr(channel.core, field))
    values[len(values) // 2] += 1 if channel.core.method == "table" else 1 << channel.core.shift
    wrong = replace(channel, core=replace(channel.core, **{field: tuple(values)}))
    return replace(design, channels=(design.channels[0], wrong))


def test_a_wrong_table_is_found(known, monkeypatch, capsys):
    """The first mismatch is named, and the exit status is 1."""
    monkeypatch.setattr(probe_module, "find_design", lambda record, folders: mutated(designs()[0]))
    with Served() as port:
        assert run(hwact, ["board", "probe", "--port", port, "--baud", str(BAUD), "--unit", "0", "--json"]) == 1
    out, err = capsys.readouterr()
    (result,) = json.loads(out)
    first = result["first_mismatch"]
    assert not result["passed"] and not result["signature_matches"] and result["mismatches"] > 0
    assert first["output"] == "dy" and first["expected"] == first["found"] + 1
    assert f"dy of code {first['code']} must be {first['expected']}, not {first['found']}; " in err


def test_the_probe_prints_and_plots(known, tmp_path, capsys):
    """A table that pipes, curves in characters, or a picture."""
    image_folder = tmp_path / "tanh.png"
    with Served() as port:
        arguments = ["board", "probe", "--port", port, "--baud", str(BAUD), "--unit", "0"]
        assert run(hwact, arguments) == 0
        text = capsys.readouterr().out
        assert run(hwact, [*arguments, "--png", str(image_folder)]) == 0
    assert text.splitlines()[0].split("\t")[:4] == ["unit", "name", "codes", "mismatches"]
    assert text.splitlines()[1].split("\t")[:4] == ["0", "tanh", "64", "0"]
    assert "as the board answered" in text
    assert image_folder.read_bytes().startswith(b"\x89PNG")


def test_another_design_on_the_board_is_told(known, tmp_path):
    """By its digest."""
    folder = tmp_path / "other"
    assert run(hwact, ["generate", "tanh", "--input", "SQ2.2", "--output", "SQ1.3", "-o", str(folder)]) == 0
    with Served() as port, Client(port, BAUD) as client:
        with pytest.raises(CheckError, match=r"^Board must hold one of tanh \w{12}, not tanh of digest \w{12}$"):
            probe(client, 0, [folder])


def test_an_unknown_design_is_asked_for(known, tmp_path, monkeypatch):
    """Where this machine did not put it on the board."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "empty"))
    with Served() as port, Client(port, BAUD) as client:
        with pytest.raises(RequestError, match="^Golden model of tanh, digest .* must be known"):
            probe(client, 0)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["probe", "--port", "/dev/absent"], 2, "which is missing (ports there are: "),
        (["probe", "--port", "/dev/null"], 2, "Port must be a serial port that can be opened, not '/dev/null'"),
        (["probe", "--port", "x", "--png", "a.txt"], 2, "Plot must be a .png or .svg file, not 'a.txt'"),
        (["probe", "--port", "x", "nowhere"], 2, "nowhere"),
        (["virtual", "nosuch"], 2, "Board must be one of "),
        (["virtual", "icestick", "--inject-bit-errors", "2"], 2, "2.0 is not in the range"),
    ],
)
def test_bad_requests_have_one_sentence(arguments, status, sentence, capsys):
    """And the exit status of their kind."""
    assert run(hwact, ["board", *arguments]) == status
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1


def test_shares_of_faults_are_checked():
    """They are at most 1."""
    with pytest.raises(RequestError, match="^Bit errors must be a share of 0 to 1, not 1.5$"):
        Faults(bit_errors=1.5)


@pytest.mark.slow
def test_the_virtual_icebreaker_answers_every_code_in_time(tmp_path):
    """All 65,536 of a 16-bit unit, from one process to another, within two minutes."""
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "hwact.cli", "board"]
    serving = [*command, "virtual", "icebreaker", "--port-file", str(port_file)]
    board = subprocess.Popen(serving, stdout=subprocess.DEVNULL)
    try:
        while not port_file.exists():
            assert board.poll() is None
            time.sleep(0.2)
        port = port_file.read_text().strip()
        probing = [*command, "probe", "--port", port, "--json"]
        done = subprocess.run(probing, capture_output=True, text=True, check=False)
    finally:
        board.send_signal(signal.SIGTERM)
        assert board.wait(30) == 0
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results[0]["codes"] == 65536
    for result in results:
        assert result["passed"] and result["mismatches"] == 0
        assert result["seconds"] < 120
        assert result["cycles"] == result["codes"] + 3
    assert not port_file.exists()
