"""Imports point one way, and what needs no circuit imports none."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import hwact

ROOT = Path(hwact.__file__).parent
#: What each part may import of the others when it is imported, beside `errors` and itself.
ALLOWED = {
    "errors": set(),
    "fixed": set(),
    "functions": {"fixed"},
    "ports": {"fixed"},
    "record": set(),
    "design": {"fixed", "record", "ports"},
    "spec": {"fixed", "functions", "design"},
    "explore": {"fixed", "functions", "design", "spec", "fit", "estimate", "emit", "verify", "synth", "multi"},
    "fit": {"fixed", "functions", "design", "spec"},
    "rtl": {"fixed", "design"},
    "estimate": {"functions", "design", "spec", "fit"},
    "emit": {"fixed", "ports", "design"},
    "multi": {"fixed", "record", "functions", "design", "spec", "fit", "rtl", "emit", "verify", "synth", "output", "sideband"},
    "parametric": {"fixed", "record", "functions", "design", "spec", "rtl", "emit", "verify", "output", "sideband"},
    "programmable": {"fixed", "record", "functions", "design", "spec", "fit", "rtl", "emit", "verify", "synth", "output"},
    "sideband": {"fixed", "emit", "verify", "synth", "output"},
    "softmax": {"fixed", "record", "functions", "design", "spec", "rtl", "emit", "verify", "synth", "output"},
    "boards": {"fixed", "record", "functions", "design", "spec", "fit", "rtl", "emit", "verify", "synth", "output", "programmable"},
}
#: What a function may import when it is called: the methods of a value that make the next one.
LAZY = {
    "design": {"rtl", "emit", "verify"},
    "spec": {"fit", "synth"},
    "estimate": {"rtl"},
    "emit": {"synth", "softmax", "multi", "parametric", "programmable"},
    "programmable": {"sim", "spec"},
    "sideband": {"sim"},
}


def parts(node, package):
    """Parts of hwact that an import statement names."""
    if isinstance(node, ast.ImportFrom) and node.level:
        base = package[: len(package) - node.level + 1]
        names = [*base, *(node.module.split(".") if node.module else [])]
        if len(names) > 1:
            return {names[1]}
        return {alias.name for alias in node.names}
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return {module.split(".")[1] for module in modules if module.startswith("hwact.")}


def imports(part):
    """Parts imported by a part's files: at import, and in functions."""
    origin = Path(find_spec(f"hwact.{part}").origin)  # not every part lies beside the others
    files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
    early, late = set(), set()
    for file in files:
        inner = [part, *file.relative_to(origin.parent).parent.parts] if origin.name == "__init__.py" else []
        package = ["hwact", *inner]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        inside = {
            inner
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.Lambda))
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                (late if node in inside else early).update(parts(node, package))
    known = {path.stem for path in ROOT.iterdir()} | {*ALLOWED, "sim"}
    return (early & known) - {part, "errors"}, (late & known) - {part, "errors"}


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_one_way(part):
    """From the circuit and the files back to the design, from the fit to the design, never ahead."""
    early, late = imports(part)
    if part == "emit":
        early.discard("__version__")
    assert early <= ALLOWED[part]
    assert late <= ALLOWED[part] | LAZY.get(part, set())


def test_reading_of_imports_sees_them():
    """The test above has something to look at."""
    assert imports("fit")[0] == {"design", "fixed", "functions", "spec"}
    assert {"rtl", "emit", "verify"} <= imports("design")[1]


def loaded_by(code):
    """Packages loaded by a fresh Python after some code."""
    program = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_golden_model_needs_neither_amaranth_nor_tools():
    """Importing, fitting and evaluating load no circuit, no plots, no Yosys."""
    packages = loaded_by(
        "from hwact import *\n"
        "design = Spec('tanh', 'SQ3.3', 'SQ1.5', derivative='slope').design()\n"
        "design.evaluate([1, 2]); design.digest; Design.from_dict(design.to_dict())"
    )
    assert {"hwact", "numpy"} <= packages
    assert not packages & {"amaranth", "matplotlib", "pyosys", "cocotb", "click", "rich"}


def test_golden_model_of_a_softmax_needs_neither_amaranth_nor_tools():
    """Fitting, proving and evaluating load no circuit."""
    packages = loaded_by(
        "from hwact.softmax import *\n"
        "design = SoftmaxSpec('SQ2.2', 'UQ0.6', 4).design()\n"
        "design.evaluate([1, 2]); design.digest; guarantee(design); SoftmaxDesign.from_dict(design.to_dict())"
    )
    assert {"hwact", "numpy"} <= packages
    assert not packages & {"amaranth", "matplotlib", "pyosys", "cocotb", "click", "rich"}


def test_golden_models_beside_a_sideband_need_neither_amaranth_nor_tools():
    """Of several functions, and with parameters."""
    packages = loaded_by(
        "from hwact.multi import *; from hwact.parametric import *\n"
        "design = MultiSpec(['tanh', 'gelu'], input='SQ3.3', output='SQ3.3').design()\n"
        "design.evaluate([0, 1], [1, 2]); design.digest; MultiDesign.from_dict(design.to_dict())\n"
        "ParametricSpec('tanh', input='SQ3.3', output='SQ3.3').design().evaluate(1, 2, 3)"
    )
    assert {"hwact", "numpy"} <= packages
    assert not packages & {"amaranth", "matplotlib", "pyosys", "cocotb", "click", "rich"}


def test_golden_model_of_a_stored_design_needs_no_reference():
    """Reading JSON and evaluating fits nothing."""
    packages = loaded_by("import hwact.design, hwact.fixed, hwact.errors")
    assert "numpy" in packages and "amaranth" not in packages
