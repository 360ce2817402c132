"""What the parts of a circuit take on a family of devices, as measured on synthesised units."""

import functools
import json
from dataclasses import dataclass
from importlib.resources import files

from ..errors import RequestError
from ..fit.features import Features

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """Cells of a family of devices for every count of a unit's features.

    Parameters
    ----------
    family : str
    luts, carries : Features
        Cells for each feature; lookup tables that carry cells take up count as such.
    ffs : float
        Flip-flops that synthesis leaves of each.
    units : int
        Synthesised units that the model was calibrated with.
    checked : int
        Other units, of other functions, that its error was measured on.
    median_abs_error, p90_abs_error : float
        Half, and nine in ten, of those have no larger error of their estimated LUTs, relative to the true number.
    tool_versions : dict of str
        What synthesised them.
    """

    family: str
    luts: Features
    carries: Features
    ffs: float
    units: int
    checked: int
    median_abs_error: float
    p90_abs_error: float
    tool_versions: dict

    @classmethod
    def of(cls, family):
        """The model of a family.

        Raises
        ------
        RequestError
            If no units were synthesised for the family.
        """
        models = _models()
        if family not in models:
            raise RequestError(f"Target must be {', '.join(models)} for an estimate, not {family!r}")
        row = models[family]
        return cls(**{**row, "family": family, "luts": Features(**row["luts"]), "carries": Features(**row["carries"])})

    @staticmethod
    def cells(weights, features):
        """Cells of a unit, or of a part of it."""
        return sum(weight * count for weight, count in zip(weights, features))

    @staticmethod
    def reload():
        """Forget what was read of ``models.json``, which has changed."""
        _models.cache_clear()

    def to_dict(self):
        """What ``models.json`` holds of the family."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "family"}
        for name in ("luts", "carries"):
            row[name] = {key: value for key, value in row[name]._asdict().items() if value}
        return row


@functools.cache
def _models():
    return json.loads(files(__package__).joinpath("models.json").read_text(encoding="utf-8"))
