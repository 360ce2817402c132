"""What tests of several files use."""

import pytest

from hwact.cli import hwact
from hwact.cli.common import run


@pytest.fixture
def hw(capsys, tmp_path, monkeypatch):
    """Run the command line in an empty working folder: (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = run(hwact, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
