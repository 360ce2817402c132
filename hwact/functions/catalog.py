"""The catalogue of functions: data only, each entry with the source it is taken from.

``catalog.tanh`` is the `Function` of that name at its default parameters; `names` lists them all,
`get` looks one up by its name.

Conventions. ``x`` is the input. Where branches meet with a kink, derivatives follow the second
argument of ``min`` and ``max``, so that relu'(0) = 0, relu6'(6) = 0 and hard_tanh'(1) = 0, as in
machine-learning frameworks. Symmetry is one of ``odd``, ``even``, ``point`` (f(x) - f(0) is odd),
``ramp`` (f(x) - max(x, 0) is even) or None.
"""

from dataclasses import dataclass

from ..errors import RequestError

__all__ = ["ENTRIES", "Entry", "get", "names"]


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue.

    Parameters
    ----------
    name : str
    text : str
        The expression in x and the parameters.
    summary : str
        What the function is, in a few words.
    source : str
        Where the definition is taken from.
    symmetry : str or None
        ``odd``, ``even``, ``point``, ``ramp`` or None.
    tails : tuple of (str, str)
        What the function does towards minus and plus infinity, or at the ends of its domain.
    defaults : tuple of (str, str)
        Parameters and their default values, as decimal text.
    """

    name: str
    text: str
    summary: str
    source: str
    symmetry: str | None = None
    tails: tuple[str, str] = ("", "")
    defaults: tuple[tuple[str, str], ...] = ()


_DLMF = "NIST Digital Library of Mathematical Functions (Olver et al., eds.), 2010, "
_GELU = "Hendrycks and Gimpel, Gaussian Error Linear Units (GELUs), 2016, arXiv:1606.08415"
_HARD = "Courbariaux, Bengio and David, BinaryConnect, NeurIPS 2015, arXiv:1511.00363"
_SWISH3 = "Howard et al., Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244"
_MULLER = "Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., Birkhauser, 2018"

_LIST = (
    Entry("tanh", "tanh(x)", "hyperbolic tangent", _DLMF + "4.28.4", "odd", ("-> -1", "-> 1")),
    Entry(
        "sigmoid",
        "sigmoid(x)",
        "logistic function 1/(1 + exp(-x))",
        "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, "
        "Nature 323, 1986",
        "point",
        ("-> 0", "-> 1"),
    ),
    Entry(
        "gelu", "x*erfc(-x/sqrt(2))/2", "Gaussian error linear unit, exact", _GELU, "ramp", ("-> 0", "-> x")
    ),
    Entry(
        "gelu_tanh",
        "x*sigmoid(2*sqrt(2/pi)*(x + 0.044715*x^3))",
        "Gaussian error linear unit, tanh approximation",
        _GELU,
        "ramp",
        ("-> 0", "-> x"),
    ),
    Entry(
        "silu",
        "x*sigmoid(x)",
        "sigmoid linear unit (swish)",
        "Elfwing, Uchibe and Doya, Sigmoid-Weighted Linear Units for Neural Network Function "
        "Approximation in Reinforcement Learning, Neural Networks 107, 2018, arXiv:1702.03118",
        "ramp",
        ("-> 0", "-> x"),
    ),
    Entry(
        "mish",
        "x*tanh(softplus(x))",
        "x tanh(softplus(x))",
        "Misra, Mish: A Self Regularized Non-Monotonic Activation Function, BMVC 2020, arXiv:1908.08681",
        None,
        ("-> 0", "-> x"),
    ),
    Entry(
        "softplus",
        "softplus(x)",
        "log(1 + exp(x))",
        "Dugas, Bengio, Belisle, Nadeau and Garcia, Incorporating Second-Order Functional "
        "Knowledge for Better Option Pricing, NIPS 2000",
        "ramp",
        ("-> 0", "-> x"),
    ),
    Entry(
        "softsign",
        "where(x >= 0, 1 - 1/(1 + x), 1/(1 - x) - 1)",
        "x/(1 + |x|)",
        "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural "
        "networks, AISTATS 2010",
        "odd",
        ("-> -1", "-> 1"),
    ),
    Entry(
        "elu",
        "where(x > 0, x, alpha*expm1(x))",
        "exponential linear unit",
        "Clevert, Unterthiner and Hochreiter, Fast and Accurate Deep Network Learning by "
        "Exponential Linear Units (ELUs), ICLR 2016, arXiv:1511.07289",
        None,
        ("-> -alpha", "x"),
        (("alpha", "1"),),
    ),
    Entry(
        "selu",
        "scale*where(x > 0, x, alpha*expm1(x))",
        "scaled exponential linear unit",
        "Klambauer, Unterthiner, Mayr and Hochreiter, Self-Normalizing Neural Networks, "
        "NIPS 2017, arXiv:1706.02515",
        None,
        ("-> -scale*alpha", "scale*x"),
        (("alpha", "1.6732632423543772848170429916717"), ("scale", "1.0507009873554804934193349852946")),
    ),
    Entry(
        "celu",
        "where(x > 0, x, alpha*expm1(x/alpha))",
        "continuously differentiable exponential linear unit",
        "Barron, Continuously Differentiable Exponential Linear Units, 2017, arXiv:1704.07483",
        None,
        ("-> -alpha", "x"),
        (("alpha", "1"),),
    ),
    Entry("exp", "exp(x)", "exponential function", _DLMF + "4.2", None, ("-> 0", "-> inf")),
    Entry(
        "log_sigmoid",
        "-softplus(-x)",
        "logarithm of the sigmoid",
        "Mikolov, Sutskever, Chen, Corrado and Dean, Distributed Representations of Words and "
        "Phrases and their Compositionality, NIPS 2013, arXiv:1310.4546",
        "ramp",
        ("-> x", "-> 0"),
    ),
    Entry("erf", "erf(x)", "error function", _DLMF + "7.2.1", "odd", ("-> -1", "-> 1")),
    Entry("arctan", "arctan(x)", "inverse tangent", _DLMF + "4.23", "odd", ("-> -pi/2", "-> pi/2")),
    Entry("arcsinh", "arcsinh(x)", "inverse hyperbolic sine", _DLMF + "4.37", "odd", ("-> -inf", "-> inf")),
    Entry(
        "gaussian",
        "exp(-x^2)",
        "Gaussian radial basis function",
        "Broomhead and Lowe, Multivariable functional interpolation and adaptive networks, "
        "Complex Systems 2, 1988",
        "even",
        ("-> 0", "-> 0"),
    ),
    Entry(
        "sin",
        "sin(x)",
        "sine, as a periodic activation",
        "Sitzmann, Martel, Bergman, Lindell and Wetzstein, Implicit Neural Representations with "
        "Periodic Activation Functions, NeurIPS 2020, arXiv:2006.09661",
        "odd",
        ("oscillates", "oscillates"),
    ),
    Entry("hard_sigmoid", "clip(x + 3, 0, 6)/6", "piecewise linear sigmoid", _SWISH3, "point", ("0", "1")),
    Entry("hard_tanh", "clip(x, -1, 1)", "x clipped to -1 to 1", _HARD, "odd", ("-1", "1")),
    Entry(
        "hard_swish",
        "x*clip(x + 3, 0, 6)/6",
        "x times the piecewise linear sigmoid",
        _SWISH3,
        "ramp",
        ("0", "x"),
    ),
    Entry(
        "relu6",
        "clip(x, 0, 6)",
        "rectifier clipped at 6",
        "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010",
        None,
        ("0", "6"),
    ),
    Entry(
        "leaky_relu",
        "where(x > 0, x, slope*x)",
        "rectifier with a small slope below zero",
        "Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, "
        "ICML Workshop on Deep Learning, 2013",
        None,
        ("slope*x", "x"),
        (("slope", "0.01"),),
    ),
    Entry("reciprocal", "1/x", "1/x, undefined at 0", _MULLER, "odd", ("-> 0", "-> 0")),
    Entry("sqrt", "sqrt(x)", "square root, undefined below 0", _MULLER, None, ("0 at 0", "-> inf")),
    Entry(
        "rsqrt",
        "rsqrt(x)",
        "reciprocal square root, undefined at 0 and below",
        _MULLER,
        None,
        ("-> inf at 0", "-> 0"),
    ),
    Entry(
        "log2",
        "log2(x)",
        "binary logarithm, undefined at 0 and below",
        _MULLER,
        None,
        ("-> -inf at 0", "-> inf"),
    ),
    Entry("exp2", "exp2(x)", "2^x", _MULLER, None, ("-> 0", "-> inf")),
)

#: The entries by name, in the order of the documentation.
ENTRIES = {entry.name: entry for entry in _LIST}


def names():
    """Names of the functions, in the order of the documentation."""
    return tuple(ENTRIES)


def get(name):
    """The `Function` of that name.

    Raises
    ------
    RequestError
        If the catalogue has no such name.
    """
    from .function import from_entry

    if name not in ENTRIES:
        raise RequestError(f"Function must be one of {', '.join(ENTRIES)}, not {name!r}")
    return from_entry(ENTRIES[name])


def __getattr__(name):
    if name in ENTRIES:
        return get(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *ENTRIES])
