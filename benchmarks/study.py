"""The study of trade-offs, docs/study.md: explorations whose rows are kept, and tables and plots made of them."""

import argparse
import contextlib
import csv
import io
import tempfile
from pathlib import Path

from tables import ROOT, table, write

from hwact.explore import Exploration, Store, explore
from hwact.explore.pool import Processes
from hwact.fixed import Format

ROWS = ROOT / "docs" / "study" / "rows.csv"
#: What is kept of a row, each with its type.
KEPT = {
    **dict.fromkeys("function input output bound derivative derivative_output method segmentation fit".split(), str),
    **dict.fromkeys("target status reason chosen".split(), str),
    **dict.fromkeys("luts carries segments minimal_segments".split(), int),
    **dict.fromkeys("max_error_ulp mean_error_ulp derivative_max_error_ulp".split(), float),
    **dict.fromkeys("digest design_digest".split(), str),
}
WIDTHS = range(6, 13)
TABLES = range(6, 11)
FORMATS = {"tanh": lambda bits: (f"SQ4.{bits - 4}", f"SQ1.{bits - 1}"), "gelu": lambda bits: (f"SQ4.{bits - 4}",) * 2}
SEGMENTATIONS = ("free", "dyadic", "uniform")
BOUNDS = ("faithful", "2ulp", "4ulp")
FITS = ("lsq", "minimax", "exact")
DERIVATIVES = ("none", "slope", "direct")
NAMES = {"lsq": "least squares", "minimax": "minimax (PLAC)", "exact": "exact"}


# -- what is run -------------------------------------------------------------------------------


def block(function, bits, **axes):
    """Axes of the points of a function at one width."""
    input, output = FORMATS[function](bits)
    return {"functions": function, "input": input, "output": output, **axes}


def blocks():
    """Every point of the study; those that several sections share are evaluated once."""
    for function in FORMATS:
        yield from (block(function, bits) for bits in WIDTHS)
        yield from (block(function, bits, method=method) for bits in TABLES for method in ("table", "pwl"))
        yield block(function, 10, method="pwl", segmentation=list(SEGMENTATIONS), bound=list(BOUNDS))
        yield block(function, 10, method="pwl", fit=list(FITS), bound=list(BOUNDS))
        for bits in (8, 10):
            yield block(
                function, bits, method="pwl", derivative=list(DERIVATIVES), derivative_output=f"SQ2.{bits - 2}"
            )


def run(folder, jobs):
    """The rows of the study, from the store in `folder` where they are there already."""
    exploration = Exploration.read({"place": False, "block": list(blocks())})
    with Store(folder, create=True) as store, Processes(jobs) as pool:
        explore(exploration, store, pool)
        kept = {row["digest"]: row for row in store.rows()}
    # In the order of the space, whichever point was done first.
    return [{key: kept[point.digest][key] for key in KEPT} for point in exploration.space.points()]


def save(rows):
    """Rows as CSV text."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(KEPT), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def load(text):
    """The rows of a CSV text."""
    return [
        {key: KEPT[key](value) if value else None for key, value in row.items()}
        for row in csv.DictReader(io.StringIO(text))
    ]


# -- what is found -----------------------------------------------------------------------------


class Rows:
    """Rows, found by what was asked for."""

    def __init__(self, rows):
        self.rows = rows

    def find(self, function, bits, **wanted):
        """The row of a point."""
        input, output = FORMATS[function](bits)
        usual = {"bound": "faithful", "derivative": "none", "method": "auto", "segmentation": "auto", "fit": "exact"}
        wanted = {"function": function, "input": input, "output": output, **usual, **wanted}
        found = [row for row in self.rows if all(row[key] == value for key, value in wanted.items())]
        if len(found) != 1:
            raise SystemExit(f"Study must hold one row of {wanted}, not {len(found)}")
        return found[0]


def cell(row, key):
    """A number of a row, as text."""
    if row["status"] != "done":
        return "not met"
    value = row[key]
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def ratio(a, b, key="luts"):
    """How many times `b` the number of `a` is, as text."""
    return f"{a[key] / b[key]:.2f}" if a["status"] == b["status"] == "done" and b[key] else "-"


def bits_section(rows):
    """What does one more bit cost?"""
    found = {function: [rows.find(function, bits) for bits in WIDTHS] for function in FORMATS}
    head = (
        "bits",
        *(f"{function}: {what}" for function in FORMATS for what in ("LUTs", "times the last", "structure")),
    )
    lines = []
    for k, bits in enumerate(WIDTHS):
        cells = []
        for function in FORMATS:
            row = found[function][k]
            cells += [
                cell(row, "luts"),
                ratio(row, found[function][k - 1]) if k else "-",
                row["chosen"].removeprefix("y: "),
            ]
        lines.append((bits, *cells))
    growth = {name: (one[-1]["luts"] / one[0]["luts"]) ** (1 / (len(WIDTHS) - 1)) for name, one in found.items()}
    facts = " and ".join(f"{value:.2f} for {name}" for name, value in growth.items())
    text = (
        f"From {WIDTHS[0]} to {WIDTHS[-1]} bits, input and output alike and faithful, one more bit multiplies the"
        f" LUTs by {facts}, as a geometric mean. Straight segments alone need twice as many for two more bits, a"
        " factor of 1.41 a bit, each with wider coefficients; a table's entries double with each bit of the input."
        " hwact takes whichever it estimates to be smaller, so the structure changes on the way up."
    )
    plot = lines_plot(
        "bits", "LUTs", {name: (WIDTHS, [row["luts"] for row in one]) for name, one in found.items()}, log=True
    )
    return table(head, lines), text, {"bits": plot}


def segments_section(rows):
    """Uniform against dyadic and free segments."""
    lines, bars = [], {}
    for function in FORMATS:
        for bound in BOUNDS:
            found = [rows.find(function, 10, method="pwl", segmentation=kind, bound=bound) for kind in SEGMENTATIONS]
            lines.append(
                (
                    function,
                    bound,
                    *(cell(row, key) for key in ("segments", "luts") for row in found),
                    ratio(found[2], found[0], "segments"),
                )
            )
            bars[f"{function}\n{bound}"] = [row["luts"] for row in found]
    head = (
        "function",
        "bound",
        *(f"{what}, {kind}" for what in ("segments", "LUTs") for kind in SEGMENTATIONS),
        "uniform / free",
    )
    triples = [tuple(triple) for triple in bars.values() if None not in triple]
    least = {kind: sum(triple[k] == min(triple) for triple in triples) for k, kind in enumerate(SEGMENTATIONS)}
    text = (
        "At 10 bits, over the whole domain. Free breakpoints give the fewest segments, which is proven; uniform ones"
        " need more, as the last column says. In LUTs it is another matter: free breakpoints pay for comparators and"
        f" for a subtraction, while the top bits of the input select a uniform segment. Of these {len(triples)}"
        " cases, "
        + ", ".join(f"{kind} segments are smallest in {number}" for kind, number in least.items())
        + ". Choose free segments where the number of coefficients counts, as in a programmable unit, and leave the"
        " rest to `auto`."
    )
    return table(head, lines), text, {"segments": bars_plot(bars, SEGMENTATIONS, "LUTs")}


def tables_section(rows):
    """Tables against lines."""
    methods = ("table", "pwl", "auto")
    lines, series, last = [], {}, {}
    for function in FORMATS:
        found = {method: [rows.find(function, bits, method=method) for bits in TABLES] for method in methods}
        for k, bits in enumerate(TABLES):
            lines.append(
                (
                    function,
                    bits,
                    *(cell(found[method][k], "luts") for method in methods),
                    found["auto"][k]["chosen"].removeprefix("y: "),
                )
            )
            if found["table"][k]["luts"] <= found["pwl"][k]["luts"]:
                last[function] = bits
        for method in methods[:2]:
            series[f"{function}, {'table' if method == 'table' else 'free segments'}"] = (
                TABLES,
                [row["luts"] for row in found[method]],
            )
    pairs = [
        (rows.find(function, bits, method="table"), rows.find(function, bits))
        for function in FORMATS
        for bits in TABLES
    ]
    won = [auto["luts"] / full["luts"] for full, auto in pairs if auto["luts"] < full["luts"]]
    lost = sum(auto["luts"] > full["luts"] for full, auto in pairs)
    ends = " and ".join(f"up to {bits} bits for {name}" for name, bits in last.items()) or "at none of these widths"
    text = (
        f"A table in LUTs is no larger than the fewest free segments {ends}, of {TABLES[0]} to {TABLES[-1]} bits: it"
        " multiplies nothing and compares nothing. What beats a table are uniform segments with short slopes: in"
        f" {len(won)} of {len(pairs)} cases `auto` takes something smaller than the table, at best {min(won):.2f} of"
        f" its LUTs, and in {lost} something larger, where its estimate is wrong. Quadratics are not compared: hwact"
        " has no quadratic method."
    )
    head = ("function", "bits", "LUTs, table", "LUTs, free segments", "LUTs, auto", "what auto takes")
    return table(head, lines), text, {"tables": lines_plot("bits", "LUTs", series, log=True)}


def derivatives_section(rows):
    """Slope against direct derivative."""
    lines, extra, errors = [], {"slope": [], "direct": []}, {"slope": [], "direct": []}
    for function in FORMATS:
        for bits in (8, 10):
            found = {kind: rows.find(function, bits, method="pwl", derivative=kind) for kind in DERIVATIVES}
            alone = found["none"]["luts"]
            for kind, row in found.items():
                format = row["derivative_output"] or "-"
                more = "-" if kind == "none" else row["luts"] - alone
                lines.append((function, bits, kind, row["luts"], more, format, cell(row, "derivative_max_error_ulp")))
                if kind != "none":
                    extra[kind].append(row["luts"] / alone - 1)
                    errors[kind].append(row["derivative_max_error_ulp"] * float(Format.parse(format).ulp))
    ends = lambda values, form: (f"{min(values):{form}}", f"{max(values):{form}}")
    shrinks = min(map(min, extra.values())) < 0
    span = {kind: (*ends(extra[kind], "+.0%"), *ends(errors[kind], ".2g")) for kind in extra}
    text = (
        f"The slope of the segment in use changes the LUTs by {span['slope'][0]} to {span['slope'][1]} of the"
        f" function's alone and differs from the true derivative by up to {span['slope'][2]} to {span['slope'][3]}; a"
        f" derivative of its own, faithful in its format, changes them by {span['direct'][0]} to {span['direct'][1]}"
        f" and errs by at most {span['direct'][2]} to {span['direct'][3]}."
        + (
            " (Where an output more makes a unit smaller, other coefficients were chosen, by estimate.)"
            if shrinks
            else ""
        )
        + " The slope is exact in another sense: it is the gradient of what the hardware computes. Take it to train"
        " through the unit, and a direct derivative where f' itself is wanted."
    )
    head = ("function", "bits", "derivative", "LUTs", "more LUTs", "format of dy", "largest error of dy (ulp)")
    return table(head, lines), text, {}


def fits_section(rows):
    """Least squares against minimax against the exact fit, at equal error."""
    lines, cases, bars, excess = [], [], {}, {fit: [] for fit in FITS[:2]}
    for function in FORMATS:
        for bound in BOUNDS:
            found = {fit: rows.find(function, 10, method="pwl", fit=fit, bound=bound) for fit in FITS}
            lines.append(
                (
                    function,
                    bound,
                    *(cell(found[fit], key) for key in ("segments", "luts", "mean_error_ulp") for fit in FITS),
                )
            )
            bars[f"{function}\n{bound}"] = [found[fit]["segments"] for fit in FITS]
            cases.append(found)
            for fit, ratios in excess.items():
                if found[fit]["status"] == "done":
                    ratios.append(found[fit]["segments"] / found["exact"]["segments"])
    done = [{fit: row for fit, row in found.items() if row["status"] == "done"} for found in cases]
    smallest = sum(found["exact"]["luts"] == min(row["luts"] for row in found.values()) for found in done)
    worst = sum(
        found["exact"]["mean_error_ulp"] == max(row["mean_error_ulp"] for row in found.values()) for found in done
    )
    spans = " and ".join(
        (
            f"{NAMES[fit]} takes {min(ratios):.2f} to {max(ratios):.2f} times the exact number"
            if ratios
            else f"{NAMES[fit]} meets none of these bounds"
        )
        for fit, ratios in excess.items()
    )
    text = (
        "All three are held to the same bound on the largest error, with free segments at 10 bits: in segments,"
        f" {spans}. Least squares (Liao et al. 2023) minimises another error, so its pieces are shorter; PLAC"
        " minimises the right one for real numbers and then rounds. The exact fit decides on the rounded outputs"
        " themselves, which is why no segmentation can have fewer segments. Fewest segments are not always fewest"
        f" LUTs, because the coefficients differ in width: the exact fit has the fewest LUTs in {smallest} of"
        f" {len(bars)} cases. It uses the whole bound, so its mean error is the largest in {worst} of them."
    )
    head = (
        "function",
        "bound",
        *(f"{what}, {NAMES[fit]}" for what in ("segments", "LUTs", "mean error (ulp)") for fit in FITS),
    )
    return table(head, lines), text, {"fits": bars_plot(bars, [NAMES[fit] for fit in FITS], "segments")}


SECTIONS = {
    "bits": bits_section,
    "segments": segments_section,
    "tables": tables_section,
    "derivatives": derivatives_section,
    "fits": fits_section,
}


def make(rows):
    """Every section's Markdown by its marker, and every plot by its file name."""
    rows, texts, plots = Rows(rows), {}, {}
    for name, section in SECTIONS.items():
        found, text, drawn = section(rows)
        pictures = "".join(f"![{section.__doc__}](study/{plot}.svg)\n\n" for plot in drawn)
        texts[f"study-{name}"] = f"{wrapped(text)}\n\n{pictures}{found}"
        plots |= {f"{plot}.svg": svg for plot, svg in drawn.items()}
    return texts, plots


def wrapped(text, width=118):
    """A paragraph in lines of at most `width` characters."""
    import textwrap

    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


# -- plots -------------------------------------------------------------------------------------

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


@contextlib.contextmanager
def drawing(ylabel):
    """Axes to draw into, and a list that takes the SVG text."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(
        ["default", {"svg.hashsalt": "hwact", "font.size": 9.0, "axes.linewidth": 0.7, "figure.facecolor": "white"}]
    ):
        canvas, done = Figure(figsize=(7.2, 3.6), layout="constrained"), []
        axes = canvas.add_subplot()
        yield axes, done
        axes.set_ylabel(ylabel)
        axes.grid(axis="y", color="#e6e8eb", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8.5)
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
        done.append("".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines()))


def lines_plot(xlabel, ylabel, series, log=False):
    """One line a series of (x, y); points without a number are left out."""
    with drawing(ylabel) as (axes, done):
        for k, (name, (across, up)) in enumerate(series.items()):
            points = [(a, b) for a, b in zip(across, up) if b is not None]
            axes.plot(
                *zip(*points), marker="osD^"[k % 4], markersize=4.5, linewidth=1.4, color=COLOURS[k % 4], label=name
            )
        axes.set_xlabel(xlabel)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(_locator())
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
    return done[0]


def _locator():
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1, 2, 5))


def bars_plot(groups, names, ylabel):
    """A group of bars for each key; numbers that are missing have none."""
    with drawing(ylabel) as (axes, done):
        width = 0.8 / len(names)
        for k, name in enumerate(names):
            places = [place + (k - (len(names) - 1) / 2) * width for place in range(len(groups))]
            bars = axes.bar(
                places, [values[k] or 0 for values in groups.values()], width * 0.92, color=COLOURS[k], label=name
            )
            axes.bar_label(bars, [values[k] or "none" for values in groups.values()], fontsize=7.5, padding=1.5)
        axes.set_xticks(range(len(groups)), list(groups))
    return done[0]


def main():
    """Run the study, print it, and write it with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/study.md and docs/study/")
    parser.add_argument(
        "--store", metavar="DIR", help="folder whose store is resumed and kept; a temporary one if left out"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--from-rows", action="store_true", help="make the page of the rows in docs/study/rows.csv; run nothing"
    )
    arguments = parser.parse_args()
    if arguments.from_rows:
        rows = load(ROWS.read_text(encoding="utf-8"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = load(save(run(Path(arguments.store or folder), arguments.jobs)))
    texts, plots = make(rows)
    if arguments.write:
        ROWS.parent.mkdir(exist_ok=True)
        ROWS.write_text(save(rows), encoding="utf-8")
        for name, svg in plots.items():
            (ROWS.parent / name).write_text(svg, encoding="utf-8")
        for name, text in texts.items():
            write(text, name, "docs/study.md")
    print("\n".join(texts.values()), end="")


if __name__ == "__main__":
    main()
