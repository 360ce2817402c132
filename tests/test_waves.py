"""docs/waves: the timing diagrams are drawn, and show what the circuits do."""

import importlib.util
from pathlib import Path

WAVES = Path(__file__).parent.parent / "docs" / "waves"


def load_render():
    """The module docs/waves/render.py."""
    spec = importlib.util.spec_from_file_location("render", WAVES / "render.py")
    render = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(render)
    return render


def test_every_drawing_is_that_of_its_source():
    """Nobody forgets to run docs/waves/render.py."""
    assert sorted(WAVES.glob("*.json"))
    assert load_render().stale() == {}


def test_a_changed_source_makes_its_drawing_stale(tmp_path, monkeypatch, capsys):
    """The check fails until the drawing is made anew."""
    render = load_render()
    monkeypatch.setattr(render, "FOLDER", tmp_path)
    (tmp_path / "one.json").write_text('{"signal": [{"name": "clk", "wave": "p."}]}')
    assert render.main(["--check"]) == 1 and not (tmp_path / "one.svg").exists()
    assert render.main([]) == 0
    assert render.main(["--check"]) == 0
    (tmp_path / "one.json").write_text('{"signal": [{"name": "clk", "wave": "p.."}]}')
    assert render.main(["--check"]) == 1
    assert capsys.readouterr().out == "one.svg\n" * 3
