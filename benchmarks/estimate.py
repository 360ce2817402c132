"""How far estimates are from synthesised units, the model that they rest on, and how long they take.

``--measure calibration`` synthesises units of some functions, ``--measure held-out`` of others; both add rows to
``estimate.csv`` until there are as many as asked for, and go on where they stopped. ``--calibrate`` fits the model to
the first kind and writes ``hwact/estimate/models.json`` with the error that it has on the second kind, and ``--write``
puts that error into the docs. Delete the file to measure all of it again.
"""

import argparse
import csv
import functools
import hashlib
import json
import random
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from tables import table, write

from hwact import Spec
from hwact.emit.verilog import verilog
from hwact.errors import RequestError
from hwact.estimate import Model, estimate
from hwact.fit import fit
from hwact.fit.choice import Chooser
from hwact.fit.features import Features, unit_features
from hwact.synth import count_cells, tool_versions
from hwact.synth.targets import FAMILIES as SYNTHESISED

HERE = Path(__file__).parent
RESULTS = HERE / "estimate.csv"
MODELS = HERE.parent / "hwact" / "estimate" / "models.json"
FIELDS = ("set", "family", "request", "picks", "digest", "kind", "luts", "carries", "ffs", "dsps", "features", "yosys")
FAMILIES = ("ice40", "ecp5", "gowin")
#: Units that the weights of the first family are worth in the calibration of the others.
_PRIOR = 4

# -- requests ----------------------------------------------------------------------------------

FUNCTIONS = {
    "calibration": (
        "tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "erf", "exp(-x)", "sqrt", "reciprocal", "log2", "sin",
        "x*exp(-x*x)", "tanh(x)/2+x/4", "1/(1+x*x)", "sigmoid(3*x)-x/8", "diff(tanh(x))", "diff(silu(x))", "x*tanh(x)",
        "sqrt(1+x*x)",
    ),
    "held-out": (
        "mish", "selu", "celu", "softsign", "arctan", "arcsinh", "gaussian", "gelu_tanh", "log_sigmoid", "exp2",
        "rsqrt",
        "x*sigmoid(1.702*x)", "diff(sigmoid(x))", "diff(gelu(x))", "x/(1+x*x)", "exp(-x*x/2)*sin(3*x)",
        "tanh(2*x)*exp(-x/4)", "sin(x)*sin(x)", "log2(1+x*x)", "erf(x)*x/2", "arctan(x*x)", "x*x/16-x/3",
        "tanh(sin(x))",
        "sqrt(2+sin(2*x))", "exp(-x)*x",
    ),
}  # fmt: skip
#: Input format without fraction bits, domain, and output format, where the usual ones do not do.
INPUTS = {
    "sqrt": ("UQ2", None, "UQ1"),
    "reciprocal": ("UQ4", "0.5:15", "UQ2"),
    "log2": ("UQ3", "0.25:7", "SQ3"),
    "rsqrt": ("UQ3", "0.5:7", "UQ1"),
    "exp(-x)": ("UQ4", None, "UQ0"),
    "exp2": ("SQ2", None, "UQ2"),
    "exp(-x)*x": ("UQ4", None, "UQ0"),
    "tanh(2*x)*exp(-x/4)": ("UQ4", None, "UQ0"),
}
OUTPUTS = {
    "SQ1": ("softsign", "tanh", "erf"),
    "SQ2": ("arctan", "sin", "diff(gelu(x))", "diff(silu(x))"),
    "SQ3": ("arcsinh", "tanh(x)/2+x/4"),
    "SQ4": ("softplus", "gelu", "silu", "mish", "gelu_tanh", "elu", "celu", "x*sigmoid(1.702*x)", "x*x/16-x/3"),
    "SQ5": ("selu", "log_sigmoid"),
    "UQ0": ("sigmoid", "diff(sigmoid(x))"),
    "UQ1": ("gaussian", "1/(1+x*x)", "diff(tanh(x))", "sqrt(2+sin(2*x))", "arctan(x*x)", "sin(x)*sin(x)"),
    "UQ3": ("erf(x)*x/2",),
    "UQ4": ("log2(1+x*x)", "x*tanh(x)", "sqrt(1+x*x)"),
}
WIDTHS = {6: 2, 7: 2.5, 8: 6, 9: 3, 10: 5, 11: 2.5, 12: 4, 13: 0.6, 14: 0.6, 16: 0.6}
BOUNDS = {"faithful": 14, "1.5ulp": 2, "2ulp": 1, "correct": 1, "0.75ulp": 1}
DERIVATIVES = {"none": 62, "direct": 28, "slope": 10}
WAYS = {
    "auto": 24, "uniform": 4, "dyadic": 3, "pwl": 3, "table": 2, "dsp": 1.2, "shift-add": 1.2, "lsq": 0.6,
    "minimax": 0.6,
}  # fmt: skip


def sized(head, width):
    """A format of so many bits."""
    return f"{head}.{width - int(head[2:])}"


def drawn(rng, weights):
    """A key of a dictionary of weights."""
    return rng.choices(list(weights), list(weights.values()))[0]


def requests(kind):
    """Endless random requests, always the same ones: fields of a `Spec`."""
    rng = random.Random({"calibration": "calibration2", "held-out": "held_out1"}[kind])
    usual = {function: head for head, functions in OUTPUTS.items() for function in functions}
    while True:
        function, width = rng.choice(FUNCTIONS[kind]), drawn(rng, WIDTHS)
        output_width = max(4, width + rng.choice([-2, -1, 0, 0, 0, 0, 0, 1]))
        heads = rng.choice(["SQ4", "SQ4", "SQ3", "SQ5"]), None, usual.get(function, "SQ2")
        head, domain, output = INPUTS.get(function, heads)
        request = {"function": function, "input": sized(head, width), "output": sized(output, output_width)}
        if domain:
            request["domain"] = domain
        bound, derivative = drawn(rng, BOUNDS), drawn(rng, DERIVATIVES)
        if bound != "faithful":
            request["bound"] = bound
        if derivative != "none":
            request["derivative"] = derivative
        if derivative == "direct":
            head = "SQ2" if function in ("tanh", "sigmoid", "erf") else "SQ3"
            request["derivative_output"] = sized(head, max(5, width + rng.choice([-2, -1, 0, 0])))
        request |= way(drawn(rng, WAYS), width, derivative)
        if rng.random() < 0.12:
            request |= {"interface": rng.choice(["pipe", "stream", "axis"]), "latency": rng.choice([1, 2, 3, 4, 6])}
        if rng.random() < 0.05:
            request["saturate"] = True
        if bound != "correct" or width <= 10:
            yield request


def way(name, width, derivative):
    """The fields that ask for a way to compute a function."""
    if name in ("uniform", "dyadic"):
        return {"method": "pwl", "segmentation": name}
    if name == "pwl" or name == "table" and width <= 11 and derivative != "slope":
        return {"method": name}
    if name in ("dsp", "shift-add"):
        return {"multiplier": name}
    return {"fit": name} if name in ("lsq", "minimax") and width <= 12 else {}


# -- synthesised units -------------------------------------------------------------------------


class Pick(Chooser):
    """Take the candidate of a given rank for every channel, or a random one that is not far from the best."""

    def __init__(self, *arguments, picks, taken):
        super().__init__(*arguments)
        self._picks, self._taken = picks, taken

    def __call__(self, ranked):
        few = [make for estimate, make in ranked if estimate <= 1.6 * ranked[0][0] + 4]
        rank = self._picks(len(few))
        self._taken.append(rank)
        return few[rank](), self.layout, ()


def candidate(spec, picks):
    """A design of candidates by their ranks, and the ranks.

    Parameters
    ----------
    spec : Spec
    picks : function
        From the number of candidates to a rank.
    """
    taken = []
    return fit(spec, chooser=functools.partial(Pick, picks=picks, taken=taken)), taken


def kind_of(design):
    """A word on how a unit is computed."""
    core = design.channels[0].core
    if core.method == "table":
        return "table"
    return "pairs" if core.joints else "lines" if core.segmentation == "uniform" else core.segmentation


def measured(kind, request, family):
    """The row of one request, synthesised; None where it is refused."""
    text = json.dumps(request, sort_keys=True)
    rng = random.Random(text)
    spec = Spec(**request, target=family, name="unit")
    try:
        design, picks = candidate(spec, rng.randrange if kind == "calibration" else lambda count: 0)
    except RequestError:
        return None
    cells = count_cells(verilog(design, command=""), "unit", family, bram=False, dsp=spec.multiplier == "dsp")
    counts = {name: getattr(cells, name) for name in ("luts", "carries", "ffs", "dsps")}
    return row(kind, family, text, picks, design, counts)


def row(kind, family, text, picks, design, counts):
    """One row of the results."""
    made_of = {
        name: count
        for name, count in unit_features(design.input, design.domain, design.channels)._asdict().items()
        if count
    }
    return {
        "set": kind,
        "family": family,
        "request": text,
        "picks": " ".join(map(str, picks)),
        "digest": hashlib.sha256(design.digest.encode()).hexdigest()[:12],
        "kind": kind_of(design),
        **counts,
        "features": json.dumps(made_of),
        "yosys": tool_versions()["pyosys"],
    }


def results(kind=None, family=None):
    """Rows that were measured before."""
    if not RESULTS.exists():
        return []
    with open(RESULTS, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [one for one in rows if kind in (None, one["set"]) and family in (None, one["family"])]


def measure(kind, family, units):
    """Synthesise units until there are enough."""
    done = {one["request"] for one in results(kind, family)}
    new = not RESULTS.exists()
    for request in requests(kind):
        if len(done) >= units:
            return
        if json.dumps(request, sort_keys=True) in done:
            continue
        found = measured(kind, request, family)
        if found:
            with open(RESULTS, "a", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
                if new:
                    writer.writeheader()
                writer.writerow(found)
            new = False
            done.add(found["request"])
            print(kind, family, len(done), found["luts"], found["request"], flush=True)


# -- the model ---------------------------------------------------------------------------------


def weights(counts, cells, prior=None, rounds=40):
    """Weights of at least zero that bring counts nearest to cells, relative to these and not minding a few outliers.

    Those of another family count as much as `_PRIOR` units, where there are any.
    """
    scale = 1 / np.maximum(cells, 8)
    importance = np.ones(len(cells))
    start = np.zeros(counts.shape[1]) if prior is None else np.array(prior)
    found = start.copy()
    for _ in range(rounds):
        rows = counts * (scale * importance)[:, None]
        normal, aim = rows.T @ rows, rows.T @ (cells * scale * importance)
        used = np.flatnonzero(np.diagonal(normal))
        if prior is not None:
            pull = np.diagonal(normal) * _PRIOR / len(cells)
            normal, aim = normal + np.diag(pull), aim + pull * start
        for _ in range(200):
            for k in used:
                found[k] = max(0.0, found[k] + (aim[k] - normal[k] @ found) / normal[k, k])
        missed = np.abs(counts @ found - cells) * scale
        importance = 1 / np.sqrt(np.maximum(missed, 0.02))
    return Features(*(round(float(value), 3) for value in found))


def taken(row):
    """Lookup tables that a unit takes up, those of its carry cells included."""
    return int(row["luts"]) + SYNTHESISED[row["family"]].carry_luts * int(row["carries"])


def model(family):
    """The model of a family, its error not yet known."""
    rows, first = results("calibration", family), None if family == FAMILIES[0] else Model.of(FAMILIES[0])
    counts = np.array([Features(**json.loads(one["features"])) for one in rows])
    luts, carries = np.array([taken(one) for one in rows]), np.array([float(one["carries"]) for one in rows])
    return Model(
        family=family,
        luts=weights(counts, luts, first and first.luts),
        carries=weights(counts, carries, first and first.carries),
        ffs=first.ffs if first else kept_registers(rows),
        units=len(rows),
        checked=0,
        median_abs_error=0.0,
        p90_abs_error=0.0,
        tool_versions={"pyosys": rows[0]["yosys"]},
    )


def kept_registers(rows):
    """Flip-flops for each register that a unit has by its schedule; the others hold constants or copies."""
    clocked = [one for one in rows if int(one["ffs"])]
    before = Model.of(FAMILIES[0]).ffs
    counted = [estimate(Spec(**json.loads(one["request"])), FAMILIES[0]).ffs / before for one in clocked]
    return round(statistics.median(int(one["ffs"]) / count for one, count in zip(clocked, counted)), 3)


def save(found):
    """Write a family's model beside the others."""
    models = json.loads(MODELS.read_text(encoding="utf-8"))
    models = {family: models[family] for family in FAMILIES if family in models} | {found.family: found.to_dict()}
    MODELS.write_text(json.dumps(models, indent=2) + "\n", encoding="utf-8")
    Model.reload()


def errors(family):
    """Relative errors of the estimates of every held-out unit, with its row."""
    rows = [one for one in results("held-out", family) if taken(one)]
    return [(estimate(Spec(**json.loads(one["request"])), family).luts / taken(one) - 1, one) for one in rows]


def quantiles(found):
    """Median and 90th percentile of the magnitudes of errors."""
    magnitudes = [abs(error) for error, _ in found]
    return round(float(np.median(magnitudes)), 4), round(float(np.quantile(magnitudes, 0.9)), 4)


def calibrate(family):
    """Fit the model of a family, and state its error on the held-out units."""
    found = model(family)
    save(found)
    checked = errors(family)
    median, p90 = quantiles(checked)
    save(replace(found, checked=len(checked), median_abs_error=median, p90_abs_error=p90))


# -- tables for the docs -----------------------------------------------------------------------


def groups(found):
    """Errors by what the units are."""
    yield "all", found
    for kind, noun in (("table", "tables"), ("lines", "uniform lines"), ("pairs", "uniform lines in pairs")):
        yield noun, [one for one in found if one[1]["kind"] == kind]
    yield "dyadic and free lines", [one for one in found if one[1]["kind"] in ("dyadic", "free")]
    for words, wanted in (("without derivative", False), ("with derivative", True)):
        yield words, [one for one in found if ("derivative" in json.loads(one[1]["request"])) == wanted]
    for low, high in ((6, 8), (9, 11), (12, 16)):
        yield f"{low} to {high} bits", [one for one in found if low <= _width(one[1]) <= high]


def _width(row):
    return Spec(**json.loads(row["request"])).input.width


def accuracy():
    """The error on held-out units, by family and kind."""
    rows = []
    for family in FAMILIES:
        for noun, found in groups(errors(family)):
            if found:
                median, p90 = quantiles(found)
                rows.append((family, noun, len(found), f"{100 * median:.1f} %", f"{100 * p90:.1f} %"))
    return table(("family", "units", "count", "median error", "nine in ten within"), rows)


#: What is timed: catalogue functions, their formats without fraction bits, with and without derivative.
TIMED = {
    "tanh": ("SQ4", "SQ1"), "sigmoid": ("SQ4", "UQ0"), "gelu": ("SQ4", "SQ4"), "silu": ("SQ4", "SQ4"),
    "mish": ("SQ4", "SQ4"),
    "softplus": ("SQ4", "SQ4"), "softsign": ("SQ4", "SQ1"), "elu": ("SQ4", "SQ4"), "erf": ("SQ4", "SQ1"),
    "arctan": ("SQ4", "SQ2"), "arcsinh": ("SQ4", "SQ3"), "gaussian": ("SQ4", "UQ1"), "gelu_tanh": ("SQ4", "SQ4"),
    "log_sigmoid": ("SQ4", "SQ5"), "sin": ("SQ4", "SQ2"), "celu": ("SQ4", "SQ4"),
}  # fmt: skip


def points():
    """Requests of 8 to 12 bits over the catalogue, with and without derivative."""
    for function, (head, output) in TIMED.items():
        for width in range(8, 13):
            for bound in ("faithful", "2ulp"):
                request = {
                    "function": function,
                    "input": sized(head, width),
                    "output": sized(output, width),
                    "bound": bound,
                }
                yield request
                if function not in ("softsign", "elu", "celu"):
                    yield request | {"derivative": "direct", "derivative_output": sized("SQ2", width)}


def speed():
    """How many points a minute one process estimates."""
    specs = [Spec(**request, target="ice40") for request in points()]
    estimate(specs[0])
    began = time.process_time()
    for spec in specs:
        estimate(spec)
    seconds = time.process_time() - began
    rate, each = 60 * len(specs) / seconds, 1000 * seconds / len(specs)
    return f"{len(specs)} points in {seconds:.1f} s of one core: {rate:,.0f} a minute, {each:.0f} ms each.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=FUNCTIONS, help="synthesise units of one set")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="all if left out")
    parser.add_argument("--units", type=int, default=120, help="rows that there shall be of that set and family")
    parser.add_argument("--calibrate", action="store_true", help="write the model")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/estimate.md")
    arguments = parser.parse_args()
    for family in arguments.family or FAMILIES:
        if arguments.measure:
            measure(arguments.measure, family, arguments.units)
        if arguments.calibrate:
            calibrate(family)
    if arguments.measure:
        return
    for text, name in ((accuracy(), "estimate-accuracy"), (speed(), "estimate-speed")):
        print(text, end="")
        if arguments.write:
            write(text, name, "docs/estimate.md")


if __name__ == "__main__":
    main()
