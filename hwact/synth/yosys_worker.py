"""Run Yosys passes in a process of their own: ``python yosys_worker.py passes.json``.

The file holds a list of command lines. Yosys writes its log to file descriptor 1 and ends the
process on an error, so neither reaches the caller. This file imports nothing of hwact.
"""

import json
import sys


def main(path):
    """Run the passes that the JSON file lists, in order, on one design."""
    from pyosys import libyosys

    with open(path, encoding="utf-8") as file:
        passes = json.load(file)
    design = libyosys.Design()
    for line in passes:
        libyosys.run_pass(line, design)


if __name__ == "__main__":
    main(sys.argv[1])
