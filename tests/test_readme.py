"""The documents: programs run, links lead to files, tables are those of the benchmarks."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest

from hwact.cli import hwact
from hwact.cli.common import run

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path, language):
    """Code blocks of one language in a document."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


PROGRAMS = [(path.name, k) for path in DOCUMENTS for k in range(len(blocks(path, "python")))]


@pytest.mark.parametrize("name, number", PROGRAMS)
def test_python_examples_run(name, number, capsys):
    """As they stand, from the first line to the last."""
    path = next(path for path in DOCUMENTS if path.name == name)
    exec(compile(blocks(path, "python")[number], name, "exec"), {})
    assert capsys.readouterr().out


def test_readme_example_prints_what_it_says(capsys):
    """The number of segments is the proven minimum, and the golden model gives tanh."""
    exec(blocks(ROOT / "README.md", "python")[0], {})
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "45 segments; fewer are impossible: 45"
    assert [float(word) for word in second.strip("[]").split()] == pytest.approx(
        [-0.9051, 0, 0.2449], abs=2**-11
    )
    assert third == (
        "['bound', 'minimality', 'circuit', 'range', 'symmetry', 'monotone', 'overflow', 'c_model']"
    )


def test_shell_examples_run(tmp_path, monkeypatch, capsys):
    """One after the other, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    lines = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "hwact"
        assert run(hwact, words[1:]) == 0, (line, capsys.readouterr().err)


def test_every_command_is_in_the_overview():
    """And nothing else is."""
    table = re.findall(r"^\| `hwact (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert table == list(hwact.commands)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path):
    """Relative links name files of the repository."""
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


@pytest.fixture
def benchmark(monkeypatch):
    """Import a module of the folder ``benchmarks``."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))

    def load(name):
        specification = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module

    yield load
    sys.modules.pop("tables", None)


def test_segmenters_table_is_the_benchmark_s(benchmark):
    """Its rows are what the command finds today."""
    module = benchmark("segmenters")
    text = (ROOT / "docs" / "segmenters.md").read_text(encoding="utf-8")
    for power in (6, 8, 10):
        assert "| " + " | ".join(map(str, module.row(power))) + " |" in text


def test_fit_time_table_reaches_20_bits(benchmark):
    """Its segments are what the command finds today; its seconds are not compared."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| [\d,]+ \| (\d+) \|", text, re.MULTILINE)
    assert [int(width) for width, _ in rows] == list(range(8, 21, 2))
    assert int(rows[1][1]) == benchmark("fit_time").row(10)[2]


def test_softmax_table_has_the_proven_bounds_of_today(benchmark):
    """And the cycles of today's circuit; its cells are not synthesised again."""
    module = benchmark("softmax")
    case = module.CASES[0]
    design = module.SoftmaxSpec(*case).design()
    proved = module.guarantee(design)
    words = f"{case[0]} to {case[1]}", case[2], case[3], f"{float(proved.error_ulp):.3f}", f"{float(proved.sum_ulp):.1f}"
    text = (ROOT / "docs" / "softmax.md").read_text(encoding="utf-8")
    assert "| " + " | ".join(map(str, (*words, module.interval(design)))) + " |" in text


def test_programmable_shell_example_runs(tmp_path, monkeypatch, capsys):
    """The commands of the page, one after the other, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    lines = blocks(ROOT / "docs" / "programmable.md", "sh")[0].splitlines()
    assert len(lines) >= 5
    for line in lines:
        assert run(hwact, shlex.split(line)[1:]) == 0, (line, capsys.readouterr().err)


def test_swap_diagram_is_the_simulation_s(benchmark):
    """The drawing shows what the circuit does."""
    module = benchmark("swap_wave")
    assert module.PATH.read_text(encoding="utf-8") == module.wave()


def test_programmable_table_has_today_s_latencies(benchmark):
    """Its cells are not synthesised again."""
    module = benchmark("programmable")
    text = (ROOT / "docs" / "programmable.md").read_text(encoding="utf-8")
    for formats, segments, bus in module.CASES:
        latency = module.ProgrammableSpec(*formats, segments, bus=bus).design().latency
        assert f"| {' to '.join(formats)} | {segments} | {bus} | {latency} | " in text
