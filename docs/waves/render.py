"""Draw the timing diagrams: ``NAME.json`` (WaveJSON) becomes ``NAME.svg`` beside it.

    python docs/waves/render.py           # write what is missing or out of date
    python docs/waves/render.py --check   # write nothing, exit with 1 if there is any
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

import wavedrom

FOLDER = Path(__file__).parent
SVG = "http://www.w3.org/2000/svg"
LINK = "http://www.w3.org/1999/xlink"


def svg(source):
    """The drawing of a WaveJSON text.

    Parameters
    ----------
    source : str

    Returns
    -------
    str
        The same for the same source, on white, without the symbols that it does not use.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK)
    root = ElementTree.fromstring(wavedrom.render(source).tostring())
    used = {f"{use.get(f'{{{LINK}}}href')}"[1:] for use in root.iter(f"{{{SVG}}}use")}
    for symbols in root.iter(f"{{{SVG}}}defs"):
        for symbol in list(symbols):
            if symbol.tag == f"{{{SVG}}}g" and symbol.get("id") not in used:
                symbols.remove(symbol)
    root.insert(0, ElementTree.Element(f"{{{SVG}}}rect", width="100%", height="100%", fill="white"))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def stale():
    """Drawings that are not those of their sources (dict of str by Path)."""
    drawings = {path.with_suffix(".svg"): svg(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
    return {path: text for path, text in drawings.items() if not path.exists() or path.read_text("utf-8") != text}


def main(arguments):
    """Exit status: 1 if a check finds a drawing that is out of date."""
    found = stale()
    for path, text in found.items():
        print(path.name)
        if "--check" not in arguments:
            path.write_text(text, "utf-8")
    return int("--check" in arguments and bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
