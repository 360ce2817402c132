"""The study's page is made of its rows, and its rows are what hwact finds today."""

import importlib.util
import re
import sys

import pytest
from test_readme import ROOT

from hwact import Spec


@pytest.fixture(scope="module")
def study():
    """The module of the study."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    specification = importlib.util.spec_from_file_location("study", ROOT / "benchmarks" / "study.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    sys.path.remove(str(ROOT / "benchmarks"))
    sys.modules.pop("tables", None)


@pytest.fixture(scope="module")
def rows(study):
    """The rows that are kept."""
    return study.load(study.ROWS.read_text(encoding="utf-8"))


def test_page_is_made_of_the_rows(study, rows):
    """Every table and every sentence between the markers."""
    texts, _ = study.make(rows)
    page = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    for name, text in texts.items():
        assert re.search(rf"<!-- {name} -->\n(.*?)<!-- end {name} -->", page, re.DOTALL)[1] == text


def test_rows_survive_their_text(study, rows):
    """Numbers stay numbers, what is missing stays missing."""
    assert study.load(study.save(rows)) == rows
    assert {type(row["luts"]) for row in rows if row["status"] == "done"} == {int}


def test_rows_hold_every_point_of_the_study(study, rows):
    """And no other."""
    from hwact.explore import Exploration

    exploration = Exploration.read({"place": False, "block": list(study.blocks())})
    assert {row["digest"] for row in rows} == {point.digest for point in exploration.space.points()}


@pytest.mark.parametrize(
    "wanted",
    [
        {"method": "pwl"},
        {"method": "pwl", "fit": "lsq", "bound": "4ulp"},
        {"method": "pwl", "segmentation": "uniform", "bound": "2ulp"},
    ],
)
def test_segments_are_those_of_today(study, rows, wanted):
    """Of three points; their areas are not synthesised again."""
    row = study.Rows(rows).find("tanh", 10, **wanted)
    design = Spec("tanh", row["input"], row["output"], target="ice40", **wanted).design()
    assert (design.digest, design.channel("y").segments) == (row["design_digest"], row["segments"])
