"""What was checked, by which method, over how many codes: the certificate of a unit."""

import hashlib
from dataclasses import asdict, dataclass

__all__ = ["Certificate", "Check", "sha256"]

#: Checks that are about a Verilog text.
OF_VERILOG = ("circuit", "stalls", "bench")


def sha256(text):
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


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
    verilog : str
        SHA-256 of the Verilog text that was simulated; empty where none was.
    """

    digest: str
    checks: tuple
    verilog: str = ""

    def to_dict(self):
        """Plain values, ready for JSON."""
        text = {"verilog_sha256": self.verilog} if self.verilog else {}
        return {"digest": self.digest, **text, "checks": [asdict(check) for check in self.checks]}

    def about(self, verilog):
        """The certificate without what it says of another Verilog text than `verilog`."""
        if self.verilog in ("", sha256(verilog)):
            return self
        return Certificate(self.digest, tuple(c for c in self.checks if c.check not in OF_VERILOG))

    def joined(self, other):
        """This certificate with another's checks; a newer check of the same kind replaces an older one."""
        if other is None:
            return self
        newer = {(check.check, check.output) for check in other.checks}
        kept = tuple(check for check in self.checks if (check.check, check.output) not in newer)
        return Certificate(self.digest, kept + other.checks, other.verilog or self.verilog)

    @classmethod
    def from_dict(cls, plain, digest):
        """Read a manifest's certificate; one of another design, or none at all, is empty."""
        try:
            if plain["digest"] == digest:
                checks = tuple(Check(**check) for check in plain["checks"])
                return cls(digest, checks, str(plain.get("verilog_sha256", "")))
        except (KeyError, TypeError, AttributeError):
            pass
        return cls(digest, ())
