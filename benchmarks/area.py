"""The smallest faithful units, row by row, beside those of FloPoCo and of hand-searched prototypes.

Every row is synthesised anew, unless ``area.csv`` holds it for the same effort: an interrupted run
goes on where it stopped. Delete the file to measure all of it again. All units have LUTs only: no
block RAM, no DSP block.
"""

import argparse
import csv
import math
import time
from pathlib import Path

from tables import table, write

from hwact import Spec
from hwact.emit.verilog import verilog
from hwact.fit.choice import described
from hwact.synth import count_cells

HERE = Path(__file__).parent
RESULTS = HERE / "area.csv"
FIELDS = ("function", "width", "input", "output", "family", "effort", "luts", "area", "carries", "depth", "unit", "tried", "seconds")
#: Column of FloPoCo's area by family.
AREAS = {"ice40": "ice40_lut4", "ecp5": "ecp5_lut4_plus_2ccu2c"}


def baseline(name):
    """Rows of a file of the folder ``baseline`` by function and width."""
    with open(HERE / "baseline" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return {(row["function"], int(row["width"])): row for row in csv.DictReader(file)}


def expression(function):
    """What to ask hwact for: ``f'`` is the derivative of f."""
    return f"diff({function[:-1]}(x))" if function.endswith("'") else function


def measured(row, family, effort):
    """Choose and synthesise the unit of one row."""
    began = time.perf_counter()
    spec = Spec(
        expression(row["function"]), row["input"], row["output"], target=family, effort=effort, name="unit"
    )
    design = spec.design()
    cells = count_cells(verilog(design, command=""), "unit", family, bram=False)
    found = dict(zip(FIELDS, (row[name] for name in FIELDS[:4])))
    found |= {name: getattr(cells, name) for name in ("luts", "area", "carries", "depth")}
    found |= {"family": family, "effort": effort, "unit": described(design.channels[0]).replace(",", ";")}
    return found | {"tried": len(design.trials), "seconds": f"{time.perf_counter() - began:.1f}"}


def results():
    """Rows that were measured before, by function, width and family."""
    if not RESULTS.exists():
        return {}
    with open(RESULTS, encoding="utf-8", newline="") as file:
        return {(row["function"], int(row["width"]), row["family"]): row for row in csv.DictReader(file)}


def save(rows):
    """Write the results in a fixed order."""
    with open(RESULTS, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def requested():
    """Every function, width and format of either baseline."""
    return {**baseline("prototypes"), **baseline("flopoco")}


def run(family, widths, functions, effort):
    """Measure what is missing, the narrow units first."""
    done = results()
    for key, row in sorted(requested().items(), key=lambda item: (item[0][1], item[0])):
        before = done.get((*key, family))
        if key[1] not in widths or functions and key[0] not in functions or before and int(before["effort"]) >= effort:
            continue
        found = measured(row, family, effort)
        done = results() | {(*key, family): found}
        save(done)
        print(*key, family, found["area"], f"{found['seconds']} s", flush=True)


def comparison(family):
    """The table of one family, and the geometric mean and the worst of its ratios to FloPoCo."""
    done, flopoco, prototypes = results(), baseline("flopoco"), baseline("prototypes")
    rows, ratios = [], []
    for key in sorted(requested()):
        if (*key, family) not in done:
            continue
        area = int(done[*key, family]["area"])
        peer = flopoco.get(key, {}).get(AREAS[family])
        prototype = prototypes.get(key, {}).get("ice40_lut4") if family == "ice40" else None
        if peer:
            ratios.append(area / int(peer))
        rows.append((*key, area, peer or "", f"{area / int(peer):.2f}" if peer else "", prototype or "", *(done[*key, family][name] for name in ("effort", "unit"))))
    head = ("function", "bits", "hwact", "FloPoCo", "ratio", "prototype", "effort", "unit")
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else float("nan")
    summary = f"\nGeometric mean of {len(ratios)} ratios: {mean:.3f}. Largest: {max(ratios, default=0):.2f}.\n"
    return table(head, rows) + summary


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=AREAS, action="append", help="both if left out")
    parser.add_argument("--widths", default="8,10,12,16", help="bits, separated by commas")
    parser.add_argument("--function", action="append", help="all of them if left out")
    parser.add_argument("--effort", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/area.md")
    arguments = parser.parse_args()
    for family in arguments.family or AREAS:
        widths = set(map(int, arguments.widths.split(",")))
        run(family, widths, arguments.function, arguments.effort)
        text = comparison(family)
        print(text, end="")
        if arguments.write:
            write(text, f"area-{family}", "docs/area.md")


if __name__ == "__main__":
    main()
