"""Hostile input: expressions and manifests that nobody would write by hand, and the limits that stop them."""

import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from designs import hand_made
from hypothesis import given, settings
from hypothesis import strategies as st

import hwact
from hwact import emit
from hwact.cli import hwact as commands
from hwact.cli.common import MAX_SENTENCE, run
from hwact.design import Design
from hwact.emit.folder import PATIENCE
from hwact.errors import HwactError, RequestError
from hwact.functions import expression as limits
from hwact.functions.expression import Expression, X, number, parse
from hwact.spec import MAX_INPUT_WIDTH
from hwact.synth.flow import _MAX_ENTRY

ROOT = Path(hwact.__file__).parents[1]
MANIFEST = sys.modules["hwact.emit.manifest"]
SMALL = ("with_derivative", "whole_table", "negate_ramp", "one_bit")
MADE = hand_made()


# -- limits of expressions: one below, at, and one above ---------------------------------------


def sized(nodes):
    """A flat expression of so many nodes."""
    if nodes <= 2:
        return X if nodes == 1 else Expression("neg", (X,))
    left = (nodes - 1) // 2
    return Expression("add", (sized(left), sized(nodes - 1 - left)))


def deep(levels):
    node = X
    for _ in range(levels - 1):
        node = Expression("sin", (node,))
    return node


LIMITS = {
    "MAX_TEXT": lambda n: parse("x" + " " * (n - 1)),
    "MAX_NESTING": lambda n: parse("(" * (n - 1) + "x" + ")" * (n - 1)),
    "MAX_NODES": sized,
    "MAX_DEPTH": deep,
    "MAX_POWER": lambda n: (parse(f"x^{n}"), parse(f"x^-{n}")),
    "MAX_EXPONENT": lambda n: (parse(f"x*1e{n}"), parse(f"x*1e-{n}")),
    "MAX_BITS": lambda n: (number((1 << n) - 1), parse("b*x", {"b": -(1 << n) + 1})),
}
SENTENCES = {
    "MAX_TEXT": "Expression must be at most 2000 characters long, not 2001",
    "MAX_NESTING": "Expression must nest at most 60 deep, not '" + "(" * 57 + "...'",
    "MAX_NODES": "Expression must have at most 5000 nodes, not 5001",
    "MAX_DEPTH": "Expression must be at most 250 operations deep, not 251",
    "MAX_POWER": "Exponent must be -64 to 64, not '65'",
    "MAX_EXPONENT": "Expression must be well formed, not 'x*1e401': exponent beyond 400 at column 3",
    "MAX_BITS": "Number must be at most 8192 bits long, not 8193",
}


@pytest.mark.parametrize("name", LIMITS)
def test_limit_holds_to_the_unit(name):
    """One below and at the limit is served, one above is refused with the limit in the sentence."""
    most, make = getattr(limits, name), LIMITS[name]
    make(most - 1), make(most)
    with pytest.raises(RequestError) as refused:
        make(most + 1)
    assert str(refused.value) == SENTENCES[name]


def test_every_limit_of_the_parser_is_tested():
    """Their names all begin alike."""
    assert {name for name in vars(limits) if name.startswith("MAX_")} == set(LIMITS)


def test_document_tells_the_limits_of_the_code():
    """Every number of docs/robustness.md."""
    text = " ".join((ROOT / "docs" / "robustness.md").read_text(encoding="utf-8").split())
    rows = re.findall(r"\| ([0-9]+) \| `(MAX_[A-Z]+)` \|", text)
    assert {name: int(value) for value, name in rows} == {name: getattr(limits, name) for name in LIMITS}
    told = {
        r"waits ([0-9]+) s,": PATIENCE,
        r"longer than ([0-9]+) bytes": _MAX_ENTRY,
        r"of at most ([0-9]+) MB": MANIFEST.MAX_BYTES >> 20,
        r"at most ([0-9]+) codes": MANIFEST.MAX_CODES,
        r"at most ([0-9]+) characters": MAX_SENTENCE,
    }
    assert {pattern: int(re.search(pattern, text)[1]) for pattern in told} == told


# -- hostile expressions -----------------------------------------------------------------------

HOSTILE = {
    "tower": "9^9^9^9",
    "tower of x": "x^9^9^9",
    "huge power": "x^(10^9)",
    "huge number": "9" * 1990,
    "long fraction": "x*0." + "3" * 1900,
    "powers of powers": "(((x^64)^64)^64)^64",
    "fifty derivatives": "diff(" * 50 + "tanh(x)" + ")" * 50,
    "derivatives of a power": "diff(" * 58 + "x^60" + ")" * 58,
    "derivatives of a product": "diff(" * 20 + "gelu(sin(x)*mish(x))" + ")" * 20,
    "parentheses": "(" * 100_000,
    "closed parentheses": "(" * 990 + "x" + ")" * 990,
    "signs": "-+" * 999 + "x",
    "doubling maxima": "max(x," * 50 + "x" + ")" * 50,
    "sums": "+".join(["x*x"] * 500),
    "where in where": "where(x>0," * 58 + "x" + ",0)" * 58,
    "long name": "a" * 2000,
    "long name called": "a" * 1990 + "(x)",
    "digits of another script": "x+\u0663",
    "superscript": "x\u00b2",
    "letters that look like x": "\u0445+\uff58",
    "null byte": "x\0+1",
    "lone surrogate": "x+\ud800",
    "line breaks": "x\n+\r\n1",
    "import": "__import__('os').system('touch pwned')",
    "import as a name": "__import__(x)",
    "attribute": "x.__class__",
    "index": "x[0]",
    "lambda": "lambda: x",
    "walrus": "(x:=1)",
    "formatted": "f'{x}'",
    "keyword": "exec(x)",
    "semicolon": "x;x",
    "comment": "x#",
    "infinity": "1e400*1e400*1e400*x",
    "not a number": "inf-inf+nan",
}


def test_long_decimals_are_written_as_they_are_read():
    """A fraction in their place would not fold back into one number."""
    node = parse("x*0." + "3" * 400)
    assert parse(str(node)) is node


def in_small_memory():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def test_hostile_expressions_are_read_or_refused_in_no_time_and_memory(tmp_path):
    """All of them in one process of 1 GB, each within a second; nothing is run, written or imported."""
    program = """
import json, sys, time
import hwact.functions.expression, encodings.idna
from hwact.errors import RequestError
from hwact.functions import function
texts = json.load(sys.stdin)
def watch(event, arguments):
    if event in ("exec", "compile", "import", "open", "os.system", "subprocess.Popen"):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(watch)
answers = []
for text in texts:
    began = time.process_time()
    try:
        function(text)
        answer = ""
    except RequestError as error:
        answer = str(error)
    answers.append((answer, time.process_time() - began))
print(json.dumps(answers))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(list(HOSTILE.values())),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=in_small_memory,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    for name, (answer, seconds) in zip(HOSTILE, json.loads(ended.stdout)):
        assert seconds < 1, name
        assert len(answer) < 400 and "\n" not in answer, name
    assert not list(tmp_path.iterdir())


WILD = {
    "fast sine": "sin(10^30*x)",
    "poles": "1/sin(100*x+0.0001)",
    "tangent": "tan(1e10*x)",
    "nested sines": "sin(9*" * 50 + "x" + ")" * 50,
    "undefined everywhere": "log(-x*x-1)",
    "undefined on a half": "sqrt(x)",
    "zero by zero": "0/(x-x)",
    "overflow": "exp(exp(exp(x)))-exp(exp(x^2))",
    "cancellation": "(1+x*1e-300-1)*1e300",
    "steps": "where(sin(1000*x)>0,1,0)",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WILD)
def test_wild_functions_are_fitted_or_refused(tmp_path, name):
    """In 1 GB, and within 10 s of computing."""
    words = [f"--function={WILD[name]}", "--input", "SQ4.6", "--output", "SQ4.6", "--name", "u", "-o", "u"]
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ended = subprocess.run(
        [sys.executable, "-m", "hwact.cli", "generate", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=in_small_memory,
        timeout=120,
    )
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 10
    assert ended.returncode in (0, 2), ended.stderr
    assert (ended.stderr == "") == (ended.returncode == 0) and ended.stderr.count("\n") <= 1


# -- manifests ---------------------------------------------------------------------------------


def whole(name="with_derivative"):
    """A sound manifest, as a value."""
    design = MADE[name]
    text = emit.manifest_text(
        emit.manifest(
            design, command="c", statistics={}, certificate=None, files={"manifest": [f"{name}.json"]}
        )
    )
    return json.loads(text)


def read(folder, data):
    """Read bytes as a manifest: the design, or the sentence that refuses it."""
    path = Path(folder, "m.json")
    path.write_bytes(data)
    try:
        contents, design = emit.read_manifest(path)
    except HwactError as error:
        assert "\n" not in str(error)
        return str(error)
    assert contents["digest"] == design.digest and contents["name"] == design.name
    assert Design.from_dict(design.to_dict()) == design
    return design


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def put(value, path, change):
    """A copy of a JSON value with one place changed."""
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], change)
    return copy


DEEP = "[" * 500 + "]" * 500
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 33, 1 << 31, 1 << 32, 1 << 60, -(1 << 63), 10**9, 10**4000, 0.5, 1e308, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.sampled_from(["", "1", "pwl", "\ud800", "a" * 10_000]),
    st.sampled_from([[], {}, [[]], [0] * 10_000, json.loads(DEEP)]),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_manifest_with_a_changed_place_is_refused_or_says_the_same(tmp_path_factory, data):
    """Whatever is put there, however large: no other exception, and no other design under this digest."""
    contents = whole(data.draw(st.sampled_from(SMALL)))
    path = data.draw(st.sampled_from(list(places(contents))))
    junk = data.draw(JUNK)
    answer = read(tmp_path_factory.getbasetemp(), json.dumps(put(contents, path, lambda _: junk)).encode())
    if isinstance(answer, Design):
        assert answer == MADE[contents["name"]]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_manifest_with_changed_bytes_is_refused_or_says_the_same(tmp_path_factory, data):
    """Cut, flipped, doubled or inserted."""
    name = data.draw(st.sampled_from(SMALL))
    text = bytearray(json.dumps(whole(name)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        k = data.draw(st.integers(0, len(text) - 1))
        span = data.draw(st.integers(0, 40))
        text[k : k + span] = data.draw(
            st.sampled_from([bytes(text[k : k + span]) * 2, b"", b"-", b"9e9"])
        ) or (data.draw(st.binary(max_size=4)))
        if not text:
            break
    answer = read(tmp_path_factory.getbasetemp(), bytes(text))
    if isinstance(answer, Design):
        assert answer == MADE[name]


def sealed(contents):
    """A manifest with the digest that its design really has, as a forger would write it."""
    design = Design.from_dict(contents["design"])
    return {**contents, "design": design.to_dict(), "digest": design.digest, "name": design.name}


TEXTS = {
    "key twice": (
        b'{"design": 1, "design": 2, "digest": 3}',
        "JSON, not 'm.json': the same key twice in one object",
    ),
    "not a number": (b'{"design": NaN, "digest": 3}', "JSON, not 'm.json': NaN is not JSON"),
    "infinity": (b'{"design": -Infinity, "digest": 3}', "JSON, not 'm.json': -Infinity is not JSON"),
    "deep": (b"[" * 10**6, "JSON, not 'm.json': "),
    "long number": (b'{"design": ' + b"9" * 10**6 + b"}", "JSON, not 'm.json': Exceeds the limit"),
    "a list": (b"[" + b"0," * 10**6 + b"0]", "a JSON object, not list: 'm.json'"),
    "no JSON": (b"\x00\xff", "JSON, not 'm.json': "),
    "too long": (b" " * (MANIFEST.MAX_BYTES + 1), "at most 16 MB, not more: 'm.json'"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_that_is_no_manifest_is_refused(tmp_path, name):
    """With the reason."""
    text, reason = TEXTS[name]
    began = time.process_time()
    assert read(tmp_path, text).startswith(f"Manifest must be {reason}")
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_manifest_of_the_largest_size_fits_in_a_gigabyte(tmp_path):
    """The worst are millions of empty lists."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)
            text = b'{"a":[' + b"[]," * (MANIFEST.MAX_BYTES // 3 - 10) + b"[]]}"
            status = 0 if "must have a design" in read(tmp_path, text) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    "width, refused", [(MAX_INPUT_WIDTH, False), (MAX_INPUT_WIDTH + 1, True), (32, True)]
)
def test_domains_are_no_larger_than_those_of_requests(tmp_path, width, refused):
    """A manifest cannot ask for what `Spec` would refuse: the work is in the codes."""
    plain = MADE["one_code"].to_dict()
    plain |= {"input": {"signed": False, "int_bits": width, "frac_bits": 0}, "domain": [0, (1 << width) - 1]}
    core = {"method": "pwl", "segmentation": "free", "starts": [0], "stop": 1 << width, "shift": 0,
            "slopes": [0], "intercepts": [0], "multiplier": "logic"}  # fmt: skip
    plain["channels"][0] |= {"core": core, "segments": 1}
    answer = read(tmp_path, json.dumps(sealed({"design": plain})).encode())
    assert MANIFEST.MAX_CODES == 1 << MAX_INPUT_WIDTH
    assert isinstance(answer, str) == refused
    assert not refused or answer == f"Domain must be at most {1 << 24} codes, not {1 << width}"


@pytest.mark.slow
def test_a_million_segments_are_read_in_seconds(tmp_path):
    """Or refused, but not read for ever."""
    count = 1 << 20
    plain = MADE["one_code"].to_dict()
    plain |= {"input": {"signed": False, "int_bits": 20, "frac_bits": 0}, "domain": [0, count - 1]}
    core = {"method": "pwl", "segmentation": "free", "starts": list(range(count)), "stop": count, "shift": 0,
            "slopes": [0] * count, "intercepts": [1] * count, "multiplier": "logic"}  # fmt: skip
    plain["channels"][0] |= {"core": core, "segments": count}
    design = Design.from_dict(plain)
    began = time.process_time()
    text = json.dumps({"design": plain, "digest": design.digest, "name": design.name})
    answer = read(tmp_path, text.encode())
    assert (answer if isinstance(answer, str) else answer.digest).startswith(
        ("Manifest must be", design.digest)
    )
    assert time.process_time() - began < 30


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The folder of a small unit with an exactly minimal segmentation."""
    folder = tmp_path_factory.mktemp("made") / "tanh"
    words = ["tanh", "--input", "SQ3.3", "--output", "SQ1.5", "--method", "pwl"]
    assert run(commands, ["generate", *words, "-o", str(folder)]) == 0
    return folder


def forge(unit, folder, change):
    """Copy a unit, with another design under digests and a seal that fit it."""
    contents = json.loads((unit / "tanh.json").read_text())
    contents = sealed({**contents, "design": change(contents["design"])})
    files = {str(p.relative_to(unit)): p.read_bytes() for p in unit.rglob("*") if p.is_file()}
    certificate = json.loads(files.pop("tanh.cert.json"))
    files["tanh.json"] = emit.manifest_text(contents).encode()
    kept = {key: certificate[key] for key in ("level", "checks")} | {"digest": contents["digest"]}
    design = Design.from_dict(contents["design"])
    files["tanh.cert.json"] = emit.sealed_text(design, certificate["command"], kept, files).encode()
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


@pytest.mark.parametrize("seed", range(6))
def test_forged_design_is_found_by_the_checks_themselves(unit, tmp_path, seed, capsys):
    """Digests and seal fit, yet a number is another one: the golden model is not within the bound."""
    draw = random.Random(seed)

    def change(plain):
        core = plain["channels"][0]["core"]
        k = draw.randrange(len(core["intercepts"]))
        core["intercepts"][k] += draw.choice([-1, 1]) * (2 << core["shift"])
        return plain

    forge(unit, tmp_path, change)
    status = run(commands, ["verify", str(tmp_path), "--level", "golden"])
    assert (status, capsys.readouterr().out) == (1, "")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_forged_manifest_never_ends_in_a_traceback(unit, tmp_path_factory, data):
    """Any place of a design changed, digests and seal right: verify says yes only to what meets its bound."""
    plain = json.loads((unit / "tanh.json").read_text())["design"]
    path = data.draw(st.sampled_from([path for path in places(plain) if path]))
    junk = data.draw(JUNK.filter(lambda value: value != [0] * 10_000))
    folder = tmp_path_factory.mktemp("forged")
    try:
        forge(unit, folder, lambda plain: put(plain, path, lambda _: junk))
    except (RequestError, UnicodeEncodeError, OSError):
        return
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as err:
        status = run(commands, ["verify", str(folder), "--level", "golden"])
    assert status in (0, 1, 2), err.getvalue()
    assert "Internal" not in err.getvalue() and len(err.getvalue()) < MAX_SENTENCE + 100


# -- coverage-guided ---------------------------------------------------------------------------

FUZZER = r"""
import json, sys, tempfile
import atheris

watched = ["hwact.design", "hwact.fixed", "hwact.emit.manifest", "hwact.functions.expression"]
with atheris.instrument_imports(include=watched):
    from hwact.design import Design
    from hwact.emit.manifest import read_manifest
    from hwact.functions.expression import parse
from hwact.errors import HwactError

place = tempfile.NamedTemporaryFile(suffix=".json")


def manifest(data):
    place.seek(0)
    place.truncate()
    place.write(data)
    place.flush()
    contents, design = read_manifest(place.name)
    assert contents["digest"] == design.digest


def design(data):
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        return
    made = Design.from_dict(plain)
    if made.domain[1] - made.domain[0] < 4096:
        for channel in made.channels:
            made.evaluate(made.codes(), channel.name)
    assert Design.from_dict(made.to_dict()) == made


def expression(data):
    node = parse(data.decode(errors="surrogateescape"))
    text = str(node)
    assert len(text) > 2000 or parse(text) is node


targets = {"manifest": manifest, "design": design, "expression": expression}


def one(data):
    try:
        targets[sys.argv[1]](data)
    except HwactError:
        pass


atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
atheris.Fuzz()
"""


@pytest.mark.slow
@pytest.mark.parametrize("target, runs", [("manifest", 4000), ("design", 4000), ("expression", 15000)])
def test_coverage_guided_fuzzing_finds_nothing(tmp_path, target, runs):
    """A fixed number of runs from a fixed seed: no exception but the refusals, no hang, 2 GB at most."""
    pytest.importorskip("atheris")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    if target == "expression":
        seeds = [*HOSTILE.values(), *WILD.values()]
        seeds = [text.encode(errors="surrogatepass") for text in seeds if len(text) <= 2000]
    else:
        seeds = [
            json.dumps(whole(name) if target == "manifest" else MADE[name].to_dict()).encode()
            for name in SMALL
        ]
    for k, data in enumerate(seeds):
        (corpus / str(k)).write_bytes(data)
    options = [f"-runs={runs}", "-seed=1", "-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", str(corpus)]
    ended = subprocess.run(
        [sys.executable, "-c", FUZZER, target, *options],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert f"Done {runs} runs" in ended.stderr
