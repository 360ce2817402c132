"""What was checked, by which method, over how many codes: the certificate of a unit."""

from dataclasses import asdict, dataclass

__all__ = ["Certificate", "Check"]


@dataclass(frozen=True)
class Check:
    """One passed check.

    Parameters
    ----------
    check : str
        ``bound``, ``slope``, ``minimality``, ``circuit``, ``stalls`` or ``bench``.
    output : str
        ``y``, ``dy``, or both.
    method : str
        How the answer was found, for people to read.
    codes : int
        Input codes that were checked.
    result : str
        ``passed``: a check that fails raises, and is in no certificate.
    """

    check: str
    output: str
    method: str
    codes: int
    result: str = "passed"


@dataclass(frozen=True)
class Certificate:
    """The checks that a unit has passed.

    Parameters
    ----------
    digest : str
        Digest of the design.
    checks : tuple of Check
    """

    digest: str
    checks: tuple

    def to_dict(self):
        """Plain values, ready for JSON."""
        return {"digest": self.digest, "checks": [asdict(check) for check in self.checks]}

    def joined(self, other):
        """This certificate with another's checks; a newer check of the same kind replaces an older one."""
        if other is None:
            return self
        newer = {(check.check, check.output) for check in other.checks}
        kept = tuple(check for check in self.checks if (check.check, check.output) not in newer)
        return Certificate(self.digest, kept + other.checks)

    @classmethod
    def from_dict(cls, plain, digest):
        """Read a manifest's certificate; one of another design, or none at all, is empty."""
        try:
            if plain["digest"] == digest:
                return cls(digest, tuple(Check(**check) for check in plain["checks"]))
        except (KeyError, TypeError):
            pass
        return cls(digest, ())
