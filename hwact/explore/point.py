"""One point of a space: everything that decides a row, as text and small integers."""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass

from ..functions import function
from ..spec import TARGETS, Spec
from ..synth.targets import FAMILIES, find_target

__all__ = ["Point"]


@dataclass(frozen=True)
class Point:
    """A request, the device that it is synthesised for, and how far.

    What does not bear on a point is put to its plain value, so that points which would give the same row are equal:
    the formats of a derivative that is not asked for, the latency of a combinational unit, the segmentation of a table,
    the seed of a placement that does not take place.

    Parameters
    ----------
    function, input, output, bound, derivative, derivative_output, derivative_bound, domain, method, segmentation, fit, \
multiplier, interface, requested_latency, effort
        As in `Spec`, formats and bounds as text. An `interface` of ``auto`` is ``pipe`` where a latency is asked for,
        else ``comb``.
    target : str
        As `hwact.synth.find_target` takes it; tables are laid out for its family.
    seed : int
        Seed of the placement.
    place : bool
        Whether to place and route.
    bram : bool
        Whether tables may become block RAMs.
    estimate : bool
        Estimate only: nothing is synthesised.
    """

    function: str
    input: str
    output: str
    bound: str = "faithful"
    derivative: str = "none"
    derivative_output: object = None
    derivative_bound: str = "faithful"
    domain: object = None
    method: str = "auto"
    segmentation: str = "auto"
    fit: str = "exact"
    multiplier: str = "auto"
    interface: str = "auto"
    requested_latency: object = None
    effort: int = 0
    target: str = "ice40"
    seed: int = 1
    place: bool = True
    bram: bool = False
    estimate: bool = False

    def __post_init__(self):
        put = functools.partial(object.__setattr__, self)
        if self.derivative == "none":
            put("derivative_output", None)
        if self.derivative != "direct":
            put("derivative_bound", "faithful")
        if self.method == "table":
            put("segmentation", "auto")
            put("fit", "exact")
            put("multiplier", "auto")
        if self.interface == "auto":
            put("interface", "pipe" if self.requested_latency else "comb")
        if self.interface == "comb":
            put("requested_latency", None)
        if self.estimate or not FAMILIES[find_target(self.target).family].nextpnr:
            put("place", False)
        if self.estimate:
            put("bram", False)
        if not self.place:
            put("seed", 1)

    @functools.cached_property
    def digest(self):
        """SHA-256 of the canonical JSON text, in hexadecimal: the key of the point's row."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def spec(self):
        """The request for the unit.

        Raises
        ------
        RequestError
            If it contradicts itself.
        """
        family = find_target(self.target).family
        request = asdict(self)
        for name in ("seed", "place", "bram", "estimate"):
            del request[name]
        request["function"] = _function(self.function)
        request["latency"] = request.pop("requested_latency")
        request["target"] = family if family in TARGETS else "any"
        return Spec(**request)


@functools.lru_cache(maxsize=256)
def _function(text):
    return function(text)

