"""What was checked, by which method, over which codes: the certificate of a unit."""

from dataclasses import asdict, dataclass, fields

from ..errors import CheckError

__all__ = ["LEVELS", "Certificate", "Check", "UndecidedError"]

#: Rungs of the ladder, from the real function down to the configured device; each stands on those before.
LEVELS = ("golden", "rtl", "proof", "netlist", "bitstream")


class UndecidedError(CheckError):
    """A check that ran out of time: neither passed nor failed."""


@dataclass(frozen=True)
class Check:
    """One passed check.

    Parameters
    ----------
    level : str
        One of `LEVELS`, or ``bench``.
    check : str
        ``bound``, ``minimality``, ``circuit``, ``equivalence`` and so on.
    output : str
        ``y``, ``dy``, or both.
    method : str
        How the answer was found, for people to read.
    codes : int
        Input codes that were checked.
    coverage : str
        Which codes these were.
    tools : tuple of str
        Tools that the answer rests on, with their versions.
    result : str
        ``passed``: a check that fails raises, and is in no certificate.
    """

    level: str
    check: str
    output: str
    method: str
    codes: int
    coverage: str = "every code"
    tools: tuple = ()
    result: str = "passed"

    @classmethod
    def from_dict(cls, plain):
        """Read a check back from JSON's values; TypeError or ValueError if they are not one."""
        check = cls(**{**plain, "tools": tuple(plain["tools"])})
        kinds = {"codes": int, "tools": tuple}
        if not all(type(getattr(check, f.name)) is kinds.get(f.name, str) for f in fields(cls)):
            raise TypeError("Check must hold text and one number")
        if not all(type(tool) is str for tool in check.tools) or check.result != "passed":
            raise ValueError("Check must have passed")
        return check


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
    checks: tuple = ()

    @property
    def level(self):
        """The highest rung that was reached with every rung below it, or None."""
        passed = {check.level for check in self.checks}
        reached = None
        for level in LEVELS:
            if level not in passed:
                break
            reached = level
        return reached

    def to_dict(self):
        """Plain values, ready for JSON."""
        checks = [{**asdict(check), "tools": list(check.tools)} for check in self.checks]
        return {"digest": self.digest, "level": self.level, "checks": checks}

    def joined(self, checks):
        """This certificate with more checks; one of the same kind replaces an older one."""
        newer = {(check.check, check.output) for check in checks}
        kept = [check for check in self.checks if (check.check, check.output) not in newer]
        order = (*LEVELS, "bench")
        return Certificate(
            self.digest, tuple(sorted((*kept, *checks), key=lambda check: order.index(check.level)))
        )

    def below(self, level):
        """This certificate without the rung `level` and those that stand on it."""
        kept = LEVELS[: LEVELS.index(level)]
        return Certificate(self.digest, tuple(check for check in self.checks if check.level in kept))

    @classmethod
    def from_dict(cls, plain, digest):
        """Read a certificate; one of another design, or none at all, is empty."""
        try:
            if plain["digest"] == digest:
                return cls(digest, tuple(Check.from_dict(check) for check in plain["checks"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        return cls(digest)
