"""The emitted C header against the circuit: equal on every code, compiled."""

import tempfile
from pathlib import Path

import numpy as np

from ..errors import CheckError
from ..synth.tools import named, run
from .certificate import Check
from .golden import chunks

__all__ = ["check_c_model"]

_COMPILER = ("g++", "-x", "c", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")
_MAIN = """\
#include "unit.h"
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{{
    FILE *file = fopen("outputs", "wb");
    const int64_t last = count == 3 ? strtoll(arguments[2], NULL, 10) : 0;
    if (count != 3 || !file)
        return 1;
    for (int64_t x = strtoll(arguments[1], NULL, 10); x <= last; x++) {{
        const int64_t outputs[] = {{{calls}}};
        if (fwrite(outputs, sizeof outputs, 1, file) != 1)
            return 1;
    }}
    return fclose(file) != 0;
}}
"""


def check_c_model(design, outputs):
    """Compare the C model with outputs for every code of the domain.

    Parameters
    ----------
    design : Design
    outputs : dict of str to numpy.ndarray

    Returns
    -------
    Check

    Raises
    ------
    CheckError
        At the first code whose output differs.
    ToolError
        If the compiler is missing, or refuses the header.
    """
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        _build(design, folder)
        for codes in chunks(design):
            run([str(folder / "model"), str(codes[0]), str(codes[-1])], folder=folder, name="C model")
            results = np.fromfile(folder / "outputs", dtype=np.int64).reshape(-1, len(design.channels))
            for got, channel in zip(results.T, design.channels):
                _compare(channel.name, codes, got, outputs[channel.name][codes - design.domain[0]])
    names = " and ".join(channel.name for channel in design.channels)
    method = "C model equals the circuit, compiled"
    return Check("rtl", "c_model", names, method, len(outputs["y"]), tools=(named("g++"),))


def _build(design, folder):
    """Leave the program ``model`` in `folder`."""
    from ..emit.c_model import c_model_text

    calls = ", ".join(f"{design.name}_{channel.name}(x)" for channel in design.channels)
    (folder / "unit.h").write_text(c_model_text(design, ""), encoding="utf-8")
    (folder / "model.c").write_text(_MAIN.format(calls=calls), encoding="utf-8")
    run([*_COMPILER, "model.c", "-o", "model"], folder=folder, name="g++")


def _compare(name, codes, got, expected):
    wrong = got != expected
    if len(got) != len(codes) or wrong.any():
        k = wrong.argmax()
        raise CheckError(
            f"Output {name} of code {codes[k]} must be {expected[k]} in the C model, not {got[k]}"
        )
