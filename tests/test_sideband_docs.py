"""The documents of units of several functions and of parametric units: commands run, tables are today's."""

import re
import shlex
from pathlib import Path

import pytest

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.parametric import ParametricSpec, guarantee

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["multi", "parametric"])
def test_commands_run(name, tmp_path, monkeypatch, capsys):
    """One after the other, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert run(hwact, shlex.split(line)[1:]) == 0, (line, capsys.readouterr().err)


def test_table_of_parametric_units_has_the_proven_error_of_today():
    """Its cells are not synthesised again."""
    design = ParametricSpec("gelu", input="SQ4.4", output="SQ4.4", alpha="UQ1.4", beta="SQ2.4", channels=16).design()
    text = (ROOT / "docs" / "parametric.md").read_text(encoding="utf-8")
    assert f"| `gelu` | SQ4.4 | UQ1.4 | SQ2.4 | 16 | {guarantee(design).error_ulp:.2f} | iCE40 |" in text


def test_one_unit_is_smaller_than_a_unit_each_but_where_it_is_said():
    """The ratios of the table; the text names the rows that do not pay."""
    text = (ROOT / "docs" / "multi.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*`) \| (SQ\S+) \| (\d+) \| (\d+) \| ([\d.]+) \| (\d+) \| (\d+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert len(rows) >= 16
    for functions, format, *cells in rows:
        assert all(float(ratio) < 1 for ratio in (cells[2], cells[5])) or f"{functions} at {format}" in text
