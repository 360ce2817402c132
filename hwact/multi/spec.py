"""What a user asks for: several functions, and one request for all of them."""

import shlex
from dataclasses import dataclass

from ..errors import RequestError
from ..functions import function
from ..sideband.interface import check_shell
from ..spec import MAX_INPUT_WIDTH, Spec
from ..spec import _function_words as function_words
from .design import MAX_FUNCTIONS

__all__ = ["MultiSpec", "split_functions"]


def split_functions(text):
    """The functions of a list with commas; commas within parentheses belong to a function.

    >>> split_functions("tanh,min(x, 1), x*exp(-x)")
    ['tanh', 'min(x, 1)', 'x*exp(-x)']
    """
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


@dataclass(frozen=True, init=False)
class MultiSpec:
    """A request for a unit of several functions.

    Parameters
    ----------
    functions : sequence of Function or str
        Entries of the catalogue or expressions; the first one is selected by 0.
    request
        What `Spec` takes beside its function, for all functions alike. `segmentation` is ``auto`` or ``uniform``,
        `fit` is ``exact``; a slope as `derivative` finds its own format.

    Attributes
    ----------
    specs : tuple of Spec
        The same request for each function alone.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.

    Examples
    --------
    >>> from hwact.multi import MultiSpec
    >>> design = MultiSpec(["tanh", "sigmoid"], input="SQ4.4", output="SQ1.7").design()
    >>> design.evaluate([0, 1], 8).tolist()
    [59, 80]
    """

    specs: tuple

    def __init__(self, functions, *, name=None, **request):
        functions = [function(one) if isinstance(one, str) else one for one in functions]
        if not 2 <= len(functions) <= MAX_FUNCTIONS:
            raise RequestError(f"Functions must be 2 to {MAX_FUNCTIONS}, not {len(functions)}")
        name = "_".join(one.name for one in functions)[:40].rstrip("_") if name is None else name
        object.__setattr__(self, "specs", tuple(Spec(one, name=name, **request) for one in functions))
        self._check()

    def _check(self):
        one = self.common
        check_shell(one.shell, "several functions")
        if one.segmentation not in ("auto", "uniform"):
            raise RequestError(f"Segmentation must be auto or uniform for several functions, not {one.segmentation}")
        if one.fit != "exact":
            raise RequestError(f"Fit must be exact for several functions, not {one.fit}")
        if one.derivative == "slope" and one.derivative_output is not None:
            raise RequestError("Derivative output must be left out for the slopes of several functions")
        width = one.input.width + (len(self.specs) - 1).bit_length()
        if width > MAX_INPUT_WIDTH:
            raise RequestError(
                f"Input and select must be at most {MAX_INPUT_WIDTH} bits wide, so that every code can be checked, not {width}"
            )

    @property
    def common(self):
        """What is asked for of every function (the first one's `Spec`)."""
        return self.specs[0]

    @property
    def name(self):
        """Name of the Verilog module."""
        return self.common.name

    def design(self, *, tried=None):
        """Fit the unit.

        Parameters
        ----------
        tried : function or None
            Called with the number of LUTs after each candidate that was synthesised.

        Returns
        -------
        MultiDesign

        Raises
        ------
        RequestError
            If a function is undefined at a code of the domain, or the bound cannot be met.
        ToolError
            If Yosys is missing or breaks (`effort` above 0).
        """
        from .fit import fit

        return fit(self, self._area(tried) if self.common.effort else None)

    def _area(self, tried):
        from ..sideband.verilog import verilog
        from ..synth import count_cells

        def area(design):
            text, dsp = verilog(design, command=""), self.common.multiplier == "dsp"
            luts = count_cells(text, design.name, self.common.target, dsp=dsp, bram=False).area
            if tried:
                tried(luts)
            return luts

        return area

    def command(self):
        """The command line that makes this request, in a canonical form."""
        parameters, texts = [], []
        for spec in self.specs:
            text, *words = function_words(spec.function)
            texts.append(text.removeprefix("--function="))
            parameters += [word for word in words if word not in parameters or word == "--parameter"]
        pairs = dict.fromkeys(word for word in parameters if word != "--parameter")
        rest = shlex.split(self.common.command())[2 + len(function_words(self.common.function)) :]
        words = ["hwact", "generate", f"--functions={','.join(texts)}"]
        return shlex.join([*words, *(word for pair in pairs for word in ("--parameter", pair)), *rest])
