"""Frozen values that are written as JSON and known by the digest of their text."""

import hashlib
import json
from dataclasses import replace
from functools import cached_property

from .errors import RequestError

__all__ = ["Record", "require"]

#: What comes of plain values that lack something, or hold what does not belong there.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError, RecursionError)


def require(condition, sentence):
    """Raise RequestError with `sentence` unless `condition` holds."""
    if not condition:
        raise RequestError(sentence)


class Record:
    """A frozen dataclass with ``to_dict``, and with ``_from_plain``, which rebuilds it from that."""

    #: What the value is, in messages.
    noun = "Design"

    @cached_property
    def digest(self):
        """SHA-256 of the canonical JSON text, in hexadecimal."""
        text = json.dumps(self._digested(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _digested(self):
        """What the digest is of: all of it, unless a class leaves out what changes nothing."""
        return self.to_dict()

    @classmethod
    def from_dict(cls, plain):
        """Rebuild a value from that of `to_dict`.

        Raises
        ------
        RequestError
            If anything is missing, of the wrong kind or out of range.
        """
        try:
            return cls._from_plain(plain)
        except RequestError:
            raise
        except _MALFORMED as error:
            raise RequestError(f"{cls.noun} must be complete and well formed, not with {error!r}") from None

    def renamed(self, name):
        """The same value under another module name."""
        return replace(self, name=name)
