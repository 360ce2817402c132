"""The design value: its arithmetic against plain integers, its JSON, and what it refuses."""

import copy
import json
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from designs import hand_made, random_design
from hypothesis import given, settings
from hypothesis import strategies as st

from hwact.design import Channel, Design, Fold, Lines, Minimality, Shell, Table, Trial
from hwact.errors import RequestError
from hwact.fixed import SQ, UQ

MADE = hand_made()
SMALL = [name for name in MADE if name != "widest"]
LINES = Lines("free", (0, 5), 16, 2, (3, -1), (8, 9))
DESIGN = Design(
    "unit", "f", SQ(2, 2), (-8, 7), (Channel("y", "x", "function", SQ(4, 2), "faithful", Fold(), LINES),)
)


def output(design, name, x):
    """One output from the docstring's recipe, in Python integers."""
    channel = design.channel(name)
    fold, core = channel.fold, channel.core
    negative = x < 0 and fold.index != "none"
    if fold.index == "none":
        u = x - design.input.min_code
    else:
        u = x if x >= 0 else (-x if fold.index == "negate" else -x - 1)
    if isinstance(core, Table):
        g = core.entries[u - core.start]
    else:
        k = max(k for k, start in enumerate(core.starts) if start <= u)
        g = (core.slopes[k] * (u - core.starts[k]) + core.intercepts[k]) // 2**core.shift
    if fold.restore == "odd" and negative:
        g = fold.constant - g
    if fold.restore == "ramp":
        g += max(x, 0) * 2**fold.ramp_shift
    if fold.restore == "ramp_down":
        g += min(x, 0) * 2**fold.ramp_shift
    return min(max(g, channel.format.min_code), channel.format.max_code) if channel.saturate else g


def some_codes(design):
    """Every code of a small domain, else the corners."""
    first, last = design.domain
    if last - first < 1 << 13:
        return range(first, last + 1)
    return [first, first + 1, -(1 << 30), -1, 0, 1, (1 << 30) - 1, 1 << 30, last - 1, last]


# -- golden model ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_golden_model_equals_plain_integers_on_hand_made_designs(name):
    """Every fold, segmentation and clamp."""
    design = MADE[name]
    codes = some_codes(design)
    for channel in design.channels:
        expected = [output(design, channel.name, x) for x in codes]
        assert design.evaluate(list(codes), channel.name).tolist() == expected


@pytest.mark.parametrize("seed", range(60))
def test_golden_model_equals_plain_integers_on_random_designs(seed):
    """Whatever the numbers are."""
    design = random_design(seed)
    for channel in design.channels:
        expected = [output(design, channel.name, x) for x in some_codes(design)]
        assert design.evaluate(design.codes(), channel.name).tolist() == expected


def test_golden_model_is_exact_where_products_are_largest():
    """61 bits and no float on the way."""
    lines = Lines("free", (0,), 8, 0, ((1 << 57) + 1,), (-(1 << 59) - 1,))
    channel = replace(DESIGN.channels[0], core=lines, saturate=True, format=SQ(4, 28))
    design = replace(DESIGN, input=UQ(3, 0), domain=(0, 7), channels=(channel,))
    raw = channel.evaluate_raw(np.arange(8), design.input)
    assert raw.tolist() == [((1 << 57) + 1) * x - (1 << 59) - 1 for x in range(8)]


def test_golden_model_keeps_shape_and_gives_int64():
    """Scalars, matrices, empty arrays, any integer type."""
    assert DESIGN.evaluate(0).shape == ()
    matrix = DESIGN.evaluate(np.array([[0, 1], [2, -8]], dtype=np.int8))
    assert matrix.shape == (2, 2) and matrix.dtype == np.int64
    assert matrix[1, 1] == DESIGN.evaluate(-8)
    assert DESIGN.evaluate([]).shape == (0,)
    assert DESIGN.evaluate(np.zeros((3, 0), dtype=int)).shape == (3, 0)


def test_codes_outside_format_or_domain_are_refused():
    """Nothing is computed for a code that has no specified output."""
    with pytest.raises(RequestError, match="^Code must be -8 to 7 in SQ2.2, not 8$"):
        DESIGN.evaluate([0, 8])
    ranged = replace(DESIGN, domain=(-3, 5))
    for code in (-4, 6):
        with pytest.raises(RequestError, match=f"^Code must be in the domain -3:5, not {code}$"):
            ranged.evaluate([0, code])
    assert ranged.codes().tolist() == list(range(-3, 6))
    with pytest.raises(TypeError, match="^Codes must be integers, not float64$"):
        DESIGN.evaluate([0.5])
    with pytest.raises(RequestError, match="^Output must be y, not 'dy'$"):
        DESIGN.evaluate([0], "dy")
    with pytest.raises(RequestError, match="^Output must be y or dy, not 'z'$"):
        MADE["with_derivative"].evaluate([0], "z")


# -- value, digest, JSON -----------------------------------------------------------------------


def test_designs_are_frozen_hashable_values():
    """Equal designs are one key, and none of them changes."""
    assert hash(DESIGN) == hash(copy.deepcopy(DESIGN)) and copy.deepcopy(DESIGN) == DESIGN
    with pytest.raises(FrozenInstanceError):
        DESIGN.name = "other"
    assert DESIGN.renamed("other") == replace(DESIGN, name="other")


def test_digest_is_the_same_in_every_version():
    """A changed digest changes every file that was ever generated: do it on purpose."""
    assert DESIGN.digest == "2f67f4636c8e9d58f069bb4f0f95115ca70f59ed682b37e3327705b9759ae01d"


def leaves(plain, path=()):
    """Paths and values of everything in nested lists and dicts that is neither."""
    if isinstance(plain, (dict, list)):
        items = plain.items() if isinstance(plain, dict) else enumerate(plain)
        for key, value in items:
            yield from leaves(value, (*path, key))
    else:
        yield path, plain


def with_leaf(plain, path, value):
    changed = copy.deepcopy(plain)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def other(value):
    """A different value of the same kind that is likely to be valid."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    others = {"free": "uniform", "logic": "dsp", "comb": "pipe", "none": "negate", "sync-high": "none"}
    return others.get(value, f"{value}_") if isinstance(value, str) else 3


def test_digest_changes_with_every_field():
    """No number of a design is left out of the digest, nor of the JSON text."""
    design = replace(
        MADE["with_derivative"],
        shell=Shell("pipe", 2),
        parameters=(("b", "1.5"),),
        channels=(
            replace(MADE["with_derivative"].channels[0], minimality=Minimality(2, (0, 3), ((0, 1, 1, 3),))),
            MADE["with_derivative"].channels[1],
        ),
    )
    seen, changed = {design.digest}, 0
    for path, value in leaves(design.to_dict()):
        try:
            made = Design.from_dict(with_leaf(design.to_dict(), path, other(value)))
        except RequestError:
            continue
        assert made != design and made.digest not in seen, path
        seen.add(made.digest)
        changed += 1
    assert changed > 40


@pytest.mark.parametrize("name", MADE)
def test_json_round_trip_is_the_identity(name):
    """Through text and back: the same value with the same digest."""
    design = MADE[name]
    back = Design.from_dict(json.loads(json.dumps(design.to_dict())))
    assert back == design and back.digest == design.digest and hash(back) == hash(design)


def test_json_holds_every_field_of_every_part():
    """What a dataclass gains, the JSON text gains."""
    plain = replace(DESIGN, lut_inputs=4, carry_cells="ccu2c", trials=(Trial("a table", 2, 1),)).to_dict()
    assert set(plain) == {field.name for field in fields(Design)}
    assert set(plain["channels"][0]) == {field.name for field in fields(Channel)}
    assert set(plain["channels"][0]["core"]) == {field.name for field in fields(Lines)} | {"method"}


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(
        st.one_of(st.integers(-9, 9), st.text(max_size=2), st.none(), st.lists(st.integers(-3, 3))),
        max_size=4,
    ),
    st.dictionaries(st.sampled_from(["method", "signed", "index", "a"]), st.integers(-3, 3), max_size=3),
)


@st.composite
def corrupted(draw):
    """The JSON value of a design with some parts replaced, removed or added."""
    plain = draw(st.sampled_from([MADE[name].to_dict() for name in SMALL]))
    for _ in range(draw(st.integers(1, 3))):
        inner, keys = plain, [()]
        for _ in range(draw(st.integers(0, 4))):
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            nested = [key for key in keys if isinstance(inner[key], (dict, list)) and inner[key]]
            if not nested:
                break
            inner = inner[draw(st.sampled_from(nested))]
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        action = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if keys and action != "add":
            key = draw(st.sampled_from(keys))
            if action == "remove":
                del inner[key]
            else:
                inner[key] = draw(JUNK)
        elif isinstance(inner, dict):
            inner[draw(st.text(max_size=4))] = draw(JUNK)
        else:
            inner.append(draw(JUNK))
    return plain


@settings(max_examples=400, deadline=None)
@given(corrupted())
def test_corrupted_json_is_refused_or_is_a_working_design(plain):
    """RequestError alone: a design that exists evaluates on its whole domain."""
    try:
        design = Design.from_dict(plain)
    except RequestError as error:
        assert "\n" not in str(error)
        return
    for channel in design.channels:
        assert design.evaluate(design.codes(), channel.name).shape == design.codes().shape
    assert Design.from_dict(design.to_dict()) == design


@pytest.mark.parametrize("plain", [None, 3, "text", [], {}, {"name": "unit"}])
def test_json_of_something_else_is_refused(plain):
    """Whatever it is."""
    with pytest.raises(RequestError, match="^Design must be complete and well formed, not with "):
        Design.from_dict(plain)


def test_json_nested_without_end_is_refused():
    """A stack that overflows is a refusal as well."""
    deep = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RequestError, match="^Design must be complete and well formed, not with "):
        Design.from_dict(DESIGN.to_dict() | {"domain": deep})


# -- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "T", "a_1", "x" * 64, "hw_tanh_q4_12"])
def test_names_of_verilog_and_c_are_accepted(name):
    """Letters, digits and underscores, up to 64."""
    assert DESIGN.renamed(name).name == name


@pytest.mark.parametrize(
    "name", ["", "1a", "_a", "a b", "a-b", "a\n", "ä", "x" * 65, "module", "logic", "while", None, 3]
)
def test_names_that_no_module_can_have_are_refused(name):
    """Reserved words of Verilog, SystemVerilog and C among them."""
    with pytest.raises(RequestError) as caught:
        DESIGN.renamed(name)
    wanted = "Name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog or C"
    assert str(caught.value) == f"{wanted}, not {name!r}"


# -- what cannot exist -------------------------------------------------------------------------


def lines(**changes):
    return replace(LINES, **changes)


REFUSED = {
    "Fold index must be none, negate or complement, not 'flip'": lambda: Fold("flip", "odd"),
    "Fold restore must be none, even, odd, ramp or ramp_down, not 'flip'": lambda: Fold("negate", "flip"),
    "Fold must halve and restore, or do neither": lambda: Fold("negate", "none"),
    "Fold ramp_shift must be 0 to 32, not 33": lambda: Fold("negate", "ramp", 0, 33),
    "Fold constant and ramp_shift must be a tuple of integers below 2**60": lambda: Fold(
        "negate", "odd", 1.0
    ),
    "Segmentation must be free, dyadic, uniform, not 'optimal'": lambda: lines(segmentation="optimal"),
    "Multiplier must be logic, dsp, shift-add, not 'booth'": lambda: lines(multiplier="booth"),
    "Lines starts must be a tuple of integers below 2**60": lambda: lines(starts=[0, 5]),
    "Lines slopes must be a tuple of integers below 2**60": lambda: lines(slopes=(1 << 60, 0)),
    "Lines must have as many slopes and intercepts as starts, and at least one": lambda: lines(slopes=(1,)),
    "Lines starts must rise from at least 0 to below stop": lambda: lines(starts=(5, 5)),
    "Lines shift must be 0 to 48, not 49": lambda: lines(shift=49),
    "Lines products must stay below 2**61": lambda: lines(slopes=(1 << 59, 0)),
    "Lines of dyadic segmentation must have aligned power-of-two blocks, not 0+5": lambda: lines(
        segmentation="dyadic"
    ),
    "Lines of uniform segmentation must have blocks of one size": lambda: lines(
        segmentation="uniform", starts=(0, 4), stop=6
    ),
    "Table entries must be a tuple of integers below 2**60": lambda: Table(0, (0.5,)),
    "Table must start at 0 or above and have entries": lambda: Table(0, ()),
    "Minimality witness must have four codes": lambda: Minimality(1, (0,), ((1, 2, 3),)),
    "Minimality witnesses must be a tuple": lambda: Minimality(1, (0,), [1]),
    "Interface must be comb, pipe, stream, axis, not 'axi'": lambda: Shell("axi"),
    "Reset must be sync-high, sync-low, async-high, async-low, none, not 'low'": lambda: Shell(
        "pipe", 1, "low"
    ),
    "Latency must be 0 to 64, not 65": lambda: Shell("pipe", 65),
    "Latency must be 0 to 64, not True": lambda: Shell("pipe", True),
    "Latency must be 0 for comb and at least 1 for pipe, stream and axis, not 1 for comb": lambda: Shell("comb", 1),
    "Latency must be 0 for comb and at least 1 for pipe, stream and axis, not 0 for stream": lambda: Shell(
        "stream"
    ),
    "Channel name must be y or dy, not 'z'": lambda: replace(DESIGN.channels[0], name="z"),
    "Channel mode must be function, direct or slope, not 'm'": lambda: replace(DESIGN.channels[0], mode="m"),
    "Channel saturate must be a bool, not 1": lambda: replace(DESIGN.channels[0], saturate=1),
    "Channel core must be Lines or a Table": lambda: replace(DESIGN.channels[0], core=None),
    "Channel minimality must be a Minimality or None": lambda: replace(DESIGN.channels[0], minimality=3),
    "Channel segments must be an integer or None": lambda: replace(DESIGN.channels[0], segments=1.0),
    "Function must be a string, not None": lambda: replace(DESIGN, function=None),
    "Domain must lie within SQ2.2 (-8:7), not -9:7": lambda: replace(DESIGN, domain=(-9, 7)),
    "Domain must lie within SQ2.2 (-8:7), not 3:2": lambda: replace(DESIGN, domain=(3, 2)),
    "Design domain must be two codes": lambda: replace(DESIGN, domain=(3,)),
    "Design channels must be y, or y and dy, not []": lambda: replace(DESIGN, channels=()),
    "Design channels must be y, or y and dy, not ['y', 'y']": lambda: replace(
        DESIGN, channels=DESIGN.channels * 2
    ),
    "Design parameters must be pairs of strings, not ('b', 1)": lambda: replace(
        DESIGN, parameters=(("b", 1),)
    ),
    "Channel y must cover indices 0 to 15, not 0 to 14": lambda: with_core(Table(0, (0,) * 15)),
    "Channel y must cover indices 0 to 15, not 1 to 15": lambda: with_core(Table(1, (0,) * 15)),
    "Fold must have a signed input format": lambda: replace(
        with_core(Table(0, (0,) * 16), fold=Fold("negate", "even")), input=UQ(2, 2), domain=(0, 15)
    ),
    "Channel y must have mode function, not direct": lambda: with_core(LINES, mode="direct"),
    "Channel dy must be direct where y is a Table, not slope": lambda: replace(
        DESIGN,
        channels=(
            replace(DESIGN.channels[0], core=Table(0, (0,) * 16)),
            replace(DESIGN.channels[0], name="dy", mode="slope"),
        ),
    ),
}


def with_core(core, **changes):
    return replace(DESIGN, channels=(replace(DESIGN.channels[0], core=core, **changes),))


@pytest.mark.parametrize("sentence", REFUSED)
def test_invalid_parts_never_exist(sentence):
    """Each is refused when it is made, in one sentence."""
    with pytest.raises(RequestError) as caught:
        REFUSED[sentence]()
    assert str(caught.value) == sentence
