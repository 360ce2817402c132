"""Programmable units: images against the real function, circuit against golden model, and mutants of both."""

import json
import random
import shlex
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import CheckError, RequestError
from hwact.fixed import SQ, UQ
from hwact.programmable import Contents, Image, ImageSpec, ProgrammableDesign, ProgrammableSpec
from hwact.programmable.output import ImageUnit, ProgrammableUnit
from hwact.programmable.probes import codes_of, probes
from hwact.programmable.registers import address_bits, map_dict, map_of, writes_of
from hwact.programmable.rtl import Pipeline, Saturate, Tables
from hwact.programmable.verify import check_circuit, check_image, check_model
from hwact.programmable.verilog import verilog

SMALL = ProgrammableSpec("SQ3.3", "SQ1.5", 6, name="little").design()
#: Units that between them take every branch: signs, buses, multipliers, resets, wide intercepts, no power of two.
UNITS = {
    "small": SMALL,
    "unsigned": ProgrammableSpec("UQ3.4", "UQ0.8", 8, slope="SQ3.9", bus="wishbone", reset="async-low").design(),
    "two": ProgrammableSpec("UQ1.2", "SQ2.2", 2, bus="wishbone", reset="none", multiplier="dsp").design(),
    "wide": ProgrammableSpec("SQ6.6", "SQ4.16", 33, slope="SQ4.20", reset="sync-low", name="wide_one").design(),
    "dsp": ProgrammableSpec("SQ4.4", "SQ2.6", 17, multiplier="dsp", reset="async-high").design(),
}


def test_units_of_the_tests_take_both_widths_of_intercepts():
    """One word and two."""
    assert {design.intercept_bits > 32 for design in UNITS.values()} == {False, True}


@pytest.mark.parametrize("name", UNITS)
def test_golden_model_equals_exact_integers(name):
    """Also for starts that do not rise, where the search is followed bit by bit."""
    design = UNITS[name]
    check_model(design)
    table = probes(design)[-1]
    for code in random.Random(1).choices(range(*(end + k for k, end in enumerate(design.domain))), k=50):
        low, step = 0, 1 << design.levels
        while step := step // 2:
            low += step * (low + step < design.segments and code >= table.starts[low + step])
        total = (table.slopes[low] * code + table.intercepts[low]) // 2**design.shift
        wanted = min(max(total, design.output.min_code), design.output.max_code)
        assert design.evaluate(table, [code]).tolist() == [wanted]


@pytest.mark.parametrize("function", ["tanh", "gelu", "x*sin(2*x)", "exp(x/4)", "hard_tanh", "1/(1+x^2)", "-3"])
@pytest.mark.parametrize("name", ["small", "unsigned", "wide"])
def test_any_function_fits_some_bound_and_keeps_it(name, function):
    """Every code against rigorous enclosures, and the words against the lines."""
    design = UNITS[name]
    image = ImageSpec(design, function, "auto", name="f").image()
    check_image(image)
    assert Image.from_dict(json.loads(json.dumps(image.to_dict()))).digest == image.digest
    assert ProgrammableDesign.from_dict(design.to_dict()) == design


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_any_unit_and_any_domain_is_served_or_refused(data):
    """Formats, slopes and domains that nobody named."""
    width, bits = data.draw(st.integers(2, 9)), data.draw(st.integers(-2, 7))
    input = data.draw(st.sampled_from((SQ, UQ)))(width - bits, bits)
    output = data.draw(st.sampled_from((SQ(1, 7), UQ(0, 1), UQ(0, 5), UQ(2, 9), SQ(3, 3), SQ(9, -2))))
    segments = data.draw(st.integers(2, min(12, 1 << width)))
    try:
        design = ProgrammableSpec(input, output, segments).design()
        low, high = sorted(data.draw(st.tuples(*[st.integers(*design.domain)] * 2)))
        domain = low * input.ulp, high * input.ulp
        image = ImageSpec(design, data.draw(st.sampled_from(("atan(x)", "x^2/3", "silu"))), "auto", domain).image()
    except RequestError as error:
        assert str(error)[0].isupper()
        return
    check_image(image)
    assert image.domain == (low, high)


def test_auto_is_the_tightest_eighth_that_fits():
    """One step tighter is refused, with what would do."""
    design = replace(SMALL, segments=5)
    image = ImageSpec(design, "tanh", "auto").image()
    bound = image.design.channels[0].bound
    eighths = round(float(bound.removesuffix("ulp")) * 8)
    assert ImageSpec(design, "tanh", f"{eighths / 8}ulp").image().digest == image.digest
    with pytest.raises(RequestError, match="^Function tanh must fit 5 segments, not need [67], for .*--segments [67]$"):
        ImageSpec(design, "tanh", f"{eighths / 8 - 0.125}ulp").image()


def test_slopes_that_do_not_reach_are_named():
    """With real slopes the function would fit."""
    design = ProgrammableSpec("SQ4.4", "SQ5.4", 4, slope="SQ1.6").design()
    with pytest.raises(RequestError, match=", slopes wider than SQ1.6 or a unit of --segments"):
        ImageSpec(design, "3*x/2").image()


def test_segments_are_as_few_as_the_slopes_allow():
    """The greedy fit, checked by brute force over every line of a small unit."""
    design = ProgrammableDesign("tiny", SQ(2, 2), SQ(1, 3), SQ(2, 2), 8)
    image = ImageSpec(design, "tanh").image()
    wanted = np.tanh(design.codes() / 4) * 8
    allowed = lambda y, t: np.abs(np.clip(y, -8, 7) - np.clip(t, -8, 7)) < 1

    def served(start, stop):
        offsets = np.arange(stop - start)
        return any(
            allowed((m * offsets + c) >> design.shift, wanted[start:stop]).all()
            for m in range(design.slope.min_code, design.slope.max_code + 1)
            for c in range(-16 << design.shift, 16 << design.shift)
        )

    count, start = 0, 0
    while start < 16:
        stop = max(stop for stop in range(start + 1, 17) if served(start, stop))
        count, start = count + 1, stop
    assert image.design.channels[0].core.segments == count


def test_units_that_cannot_be_are_refused_in_one_sentence():
    """Of any kind of nonsense."""
    for words, sentence in (
        (("SQ4.4", "SQ1.7", "4"), "Segments must be a whole number, not '4'"),
        (("SQ4.4", "SQ1.7", 4, "UQ2.4"), "Slope format must be signed, such as SQ2.10, not UQ2.4"),
        (("SQ4.4", "SQ1.7", 4, "SQ2.10", "spi"), "Bus must be axi-lite or wishbone, not 'spi'"),
        (("SQ0.1", "SQ1.7", 2), "Input format must be 2 to 24 bits wide, not SQ0.1"),
        (("SQ9.16", "SQ1.7", 2), "Input format must be 2 to 24 bits wide, not SQ9.16"),
    ):
        with pytest.raises(RequestError) as refused:
            ProgrammableSpec(*words)
        assert str(refused.value) == sentence


def test_contents_that_do_not_fit_are_refused():
    """Too few, too large, of the wrong kind."""
    good = probes(SMALL)[0]
    for bad in (
        Contents(good.starts[1:], good.slopes, good.intercepts),
        replace(good, slopes=(1 << 20,) * 6),
        replace(good, intercepts=(1.5,) * 6),
    ):
        with pytest.raises(RequestError, match="^Tables must have "):
            SMALL.evaluate(bad, [0])


@pytest.mark.parametrize("name", UNITS)
def test_register_map_is_whole(name):
    """Registers do not overlap, words hold all bits, every write is to a register that may be written."""
    design = UNITS[name]
    places = {}
    for window in map_of(design):
        for register in window.registers:
            for k in range(register.first, register.first + max(register.count, 1)):
                address = window.address(register.name, k) if register.count else window.base + register.offset
                assert address % 4 == 0 and address < 1 << address_bits(design) and address not in places
                places[address] = register.access
    writes = writes_of(design, probes(design)[1], 7)
    assert all(places[address] == "rw" and 0 <= value < 1 << 32 for address, value in writes)
    shadow = {address for address in places if map_of(design)[1].base <= address < map_of(design)[2].base}
    assert {address for address, _ in writes} == shadow
    assert json.loads(json.dumps(map_dict(design)))["word_bits"] == 32


def test_circuit_equals_golden_model():
    """Tables loaded over AXI4-Lite, swaps under traffic, stalls, resets, every word read back."""
    assert [check.check for check in check_circuit(SMALL, verilog(SMALL, command=""))] == ["circuit", "swaps", "bus"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in UNITS if name != "small"])
def test_circuits_of_other_kinds_equal_the_golden_model(name):
    """Wishbone, DSP, two words of intercept, resets."""
    check_circuit(UNITS[name], verilog(UNITS[name], command=""))


def changed(kind, assignments):
    """A component whose `elaborate` ends with other assignments."""
    original = kind.elaborate

    def elaborate(self, platform):
        m = original(self, platform)
        assignments(m, self)
        return m

    return elaborate


def never_draining(m, pipeline):
    m.d.comb += pipeline.tables.draining.eq(0)


def always_ready(m, pipeline):
    m.d.comb += pipeline.i.ready.eq(1)


def no_clamp(m, saturate):
    m.d.comb += saturate.y.eq(saturate.raw)


def any_write(m, tables):
    m.d.comb += tables.access.cannot_write.eq(0)


def all_bytes(m, tables):
    m.d.comb += tables.pipeline.data.eq(tables.access.data)


MUTANTS = {
    "writes do not wait": (Pipeline, never_draining),
    "takes codes while stalled": (Pipeline, always_ready),
    "no clamp": (Saturate, no_clamp),
    "writes anywhere": (Tables, any_write),
    "strobes ignored": (Tables, all_bytes),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_found(name, monkeypatch):
    """The check of the circuit can fail."""
    kind, assignments = MUTANTS[name]
    monkeypatch.setattr(kind, "elaborate", changed(kind, assignments))
    with pytest.raises(CheckError):
        check_circuit(SMALL, verilog(SMALL, command=""))


@pytest.mark.slow
def test_codes_that_change_banks_in_flight_are_found(monkeypatch):
    """Without the bank that travels with a code, results are mixed."""
    later = Pipeline._later

    def untagged(self, m, value, name, **more):
        return self.tables.active if name.startswith("bank_") else later(self, m, value, name, **more)

    monkeypatch.setattr(Pipeline, "_later", untagged)
    with pytest.raises(CheckError, match="must be"):
        check_circuit(SMALL, verilog(SMALL, command=""))


def test_words_that_are_not_the_lines_are_found(monkeypatch):
    """The check of an image reads its words back."""
    image = ImageSpec(SMALL, "tanh", "auto").image()
    wrong = ((image.writes[1][0], image.writes[1][1] ^ 1), *(image.writes[:1] + image.writes[2:]))
    monkeypatch.setattr(Image, "writes", wrong)
    with pytest.raises(CheckError, match="^Word of slope 0 must hold"):
        check_image(image)


def test_many_codes_are_chosen_around_starts():
    """An input of 20 bits is driven at chosen codes."""
    design = ProgrammableSpec("SQ4.16", "SQ1.15", 4).design()
    tables = probes(design)
    codes = codes_of(design, tables)
    assert len(codes) <= 1 << 16 and {start for table in tables for start in table.starts} <= set(codes.tolist())


def cli(*words):
    """Exit status of a command."""
    return run(hwact, [str(word) for word in words])


@pytest.fixture
def made(tmp_path):
    """Folders of a unit and an image, made by commands."""
    unit, image = tmp_path / "unit", tmp_path / "wave"
    words = ("--programmable", "--segments", 6, "--input", "SQ3.3", "--output", "SQ1.5", "--name", "unit")
    assert cli("generate", *words, "-o", unit) == 0
    assert (
        cli(
            "image", "sin(b*x)", "--parameter", "b=1.5", "--for", unit, "--bound", "auto", "--name", "wave", "-o", image
        )
        == 0
    )
    return unit, image


def test_folders_are_the_same_twice_and_seal_what_they_hold(made, tmp_path, capsys):
    """Made by the command that they name; no file can be changed behind the certificate."""
    unit = str(made[0])
    for folder, name in zip(reversed(made), ("wave", "unit")):
        contents = json.loads((folder / f"{name}.json").read_text())
        again = tmp_path / "again" / name
        words = shlex.split(contents["command"])
        assert words[0] == "hwact"
        arguments = [unit if before == "--for" else word for before, word in zip(words, words[1:])]
        assert cli(*arguments, "-o", again) == 0, capsys.readouterr().err
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
        assert all((folder / path).read_bytes() == (again / path).read_bytes() for path in files)
        assert cli("verify", folder, "--level", "golden") == 0
        (folder / f"{name}.h").write_text("")
        assert cli("verify", folder, "--level", "golden") == 1


def test_requests_that_make_no_sense_are_refused_in_one_sentence(made, capsys):
    """Options of other units, folders of other kinds."""
    unit, image = made
    formats = ("--input", "SQ3.3", "--output", "SQ1.5")
    for words, sentence in (
        (("generate", "tanh", *formats, "--segments", 3), "Segments must come with --programmable"),
        (("generate", "tanh", *formats, "--bus", "wishbone"), "Bus must come with --programmable"),
        (
            ("generate", "--programmable", *formats),
            "Segments must come with --programmable: add --segments, such as 32",
        ),
        (
            ("generate", "tanh", "--programmable", *formats, "--segments", 4),
            "Function must be left out with --programmable",
        ),
        (("generate", "--programmable", *formats, "--segments", 1), "Segments must be 2 to 64, not 1"),
        (
            ("generate", "--programmable", *formats, "--segments", 4, "--latency", 3),
            "Latency must be left out with --programmable",
        ),
        (
            ("generate", "--programmable", *formats, "--segments", 4, "--interface", "comb"),
            "Interface must be stream with --programmable, not comb",
        ),
        (("image", "tanh", "--for", image), f"Folder must hold a programmable unit, not {str(image)!r}"),
        (("synth", image), f"Folder must hold a unit, not an image, which has no circuit: {str(image)!r}"),
        (("mutate", unit), f"Folder must hold the unit of a function, not a programmable unit: {str(unit)!r}"),
    ):
        capsys.readouterr()
        assert cli(*words) == 2
        assert capsys.readouterr().err.strip() == f"hwact: {sentence}"


def test_c_headers_load_and_compute(made, tmp_path):
    """The writes fill a memory as the JSON says, and both golden models equal the image's."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    unit, image = made
    contents = json.loads((image / "wave.json").read_text())
    lists = {key: ", ".join(map(str, contents[key])) for key in ("starts", "slopes", "intercepts")}
    (tmp_path / "main.c").write_text(
        f"""
        #include "unit.h"
        #include "wave.h"
        #include "wave_image.h"
        #include <stdio.h>
        static const int32_t starts[] = {{{lists["starts"]}}};
        static const int64_t slopes[] = {{{lists["slopes"]}}}, intercepts[] = {{{lists["intercepts"]}}};
        int main(void)
        {{
            static uint32_t memory[1024];
            memory[UNIT_CONTROL_UNIT / 4] = 0x{contents["unit"]["digest"][:8]}u;
            wave_load(memory);
            wave_swap(memory);
            memory[UNIT_ACTIVE_IDENTIFIER / 4] = memory[UNIT_SHADOW_IDENTIFIER / 4];
            printf("%d %d %d %u\\n", wave_suits(memory), wave_loaded(memory), wave_active(memory),
                (unsigned)memory[UNIT_CONTROL_CONTROL / 4]);
            for (int k = 0; k < UNIT_SEGMENTS; k++)
                printf("%u ", (unsigned)memory[(UNIT_SHADOW_SLOPE + k * UNIT_SEGMENT_BYTES) / 4]);
            printf("\\n");
            for (int x = -32; x < 32; x++)
                printf("%d %d ", (int)unit_evaluate(starts, slopes, intercepts, x), (int)wave_y(x));
            return 0;
        }}"""
    )
    command = [
        "cc",
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pedantic",
        f"-I{unit}",
        f"-I{image}",
        "main.c",
        "-o",
        "main",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    flags, slopes, outputs = subprocess.run(
        [tmp_path / "main"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = Image.from_dict(contents["design"])
    assert flags == "1 1 1 1"
    mask = (1 << found.unit.slope.width) - 1
    assert [int(word) for word in slopes.split()] == [slope & mask for slope in found.contents.slopes]
    wanted = found.evaluate(range(-32, 32)).tolist()
    assert [int(word) for word in outputs.split()] == [y for y in wanted for _ in range(2)]
    words = [line for line in (image / "wave.hex").read_text().splitlines() if not line.startswith("//")]
    assert [int(word.split()[-1], 16) for word in words] == [value for _, value in found.writes]


@pytest.mark.parametrize("name", ["small", "unsigned"])
def test_plain_bench_passes_and_finds_a_wrong_vector(name, tmp_path):
    """In Icarus Verilog, over both buses."""
    if not shutil.which("iverilog"):
        pytest.skip("Icarus Verilog is not installed")
    design = UNITS[name]
    for path, data in ProgrammableUnit(design, "test").files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    tb = tmp_path / "tb"
    subprocess.run(["iverilog", "-o", "bench", f"../{design.name}.v", f"{design.name}_tb.v"], cwd=tb, check=True)
    vectors = tb / f"{design.name}.hex"
    text = vectors.read_text()
    wrong = text[:-2] + ("0" if text[-2] != "0" else "1") + "\n"
    for contents, word in ((text, "PASS"), (wrong, "FAIL")):
        vectors.write_text(contents)
        out = subprocess.run(["vvp", "bench"], cwd=tb, capture_output=True, text=True, timeout=100).stdout
        assert out.splitlines()[-1].startswith(word), out


@pytest.mark.slow
def test_commands_verify_and_simulate_a_unit(made):
    """The circuit on every code, and the cocotb bench of the folder."""
    unit, image = made
    assert cli("verify", unit) == 0
    assert cli("simulate", unit) == 0
    assert cli("verify", image) == 0
    assert cli("synth", unit, "--target", "ice40", "--no-place") == 0
    levels = [check["level"] for check in json.loads((unit / "unit.cert.json").read_text())["checks"]]
    assert levels == ["golden", "rtl", "rtl", "rtl", "bench"]


def test_image_of_a_unit_and_its_certificate_name_each_other(made):
    """The image's digest is over the unit too."""
    image = json.loads((made[1] / "wave.json").read_text())
    assert image["unit"]["digest"] == json.loads((made[0] / "unit.json").read_text())["digest"]
    other = Image.from_dict({**image["design"], "unit": {**image["design"]["unit"], "name": "other"}})
    assert other.digest != image["digest"]
    assert ImageUnit(other, "test").design.evaluate([0]).tolist() == [0]
