"""docs/waves: the timing diagrams are drawn, and show what the circuits do."""

import importlib.util
import json
from pathlib import Path

from amaranth.sim import Simulator

from hwact import Spec

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


def levels(wave):
    """A wave's character in each cycle; dots repeat."""
    found = []
    for character in wave:
        found.append(found[-1] if character == "." else character)
    return found


def test_stream_drawing_is_what_the_unit_does():
    """Inputs as drawn; the drawn outputs come out, and what is drawn as unknown may be anything."""
    drawing = json.loads((WAVES / "stream.json").read_text())
    rows = {row["name"]: row for group in drawing["signal"] if isinstance(group, list) for row in group[1:]}
    design = Spec("tanh", "SQ2.4", "SQ1.5", interface="stream", latency=2).design()
    codes = dict(zip("3457", (5, 9, -20, 31)))
    unit, seen = design.create(), {name: [] for name in ("i_ready", "o_valid", "o_y")}
    waves = {name: levels(row["wave"]) for name, row in rows.items()}

    async def bench(context):
        for cycle in range(len(waves["i_valid"])):
            context.set(unit.i.payload, codes.get(waves["i_payload"][cycle], 0))
            context.set(unit.i.valid, int(waves["i_valid"][cycle]))
            context.set(unit.o.ready, int(waves["o_ready"][cycle]))
            for name, value in (("i_ready", unit.i.ready), ("o_valid", unit.o.valid), ("o_y", unit.o.payload.y)):
                seen[name].append(context.get(value))
            await context.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    format = design.channel("y").format
    results = {key: int(format.to_bits(design.evaluate([code]))[0]) for key, code in codes.items()}
    assert [str(bit) for bit in seen["i_ready"]] == waves["i_ready"]
    assert [str(bit) for bit in seen["o_valid"]] == waves["o_valid"]
    assert all(results[key] == value for key, value in zip(waves["o_y"], seen["o_y"]) if key != "x")
