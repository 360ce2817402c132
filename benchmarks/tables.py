"""Markdown tables, printed or written between the markers of a document."""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def table(head, rows):
    """Rows as a Markdown table."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def write(text, name, document):
    """Put `text` between the lines ``<!-- NAME -->`` and ``<!-- end NAME -->`` of `document`."""
    path = ROOT / document
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
    before = path.read_text(encoding="utf-8")
    if len(block.findall(before)) != 1:
        raise SystemExit(f"Document must hold the marker {name} once: {document}")
    path.write_text(block.sub(lambda match: f"{match[1]}{text}{match[2]}", before), encoding="utf-8")


def main(make, name, document, description):
    """Print the table of `make`, or write it with ``--write``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", action="store_true", help=f"write the table into {document}")
    arguments = parser.parse_args()
    text = make()
    if arguments.write:
        write(text, name, document)
    print(text, end="")
