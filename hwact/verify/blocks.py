"""Cube and conquer: a question about a circuit, decided block of input codes by block.

In an aligned power-of-two block of codes the leading input bits are constant, tables shrink to a few
entries, and what is left is small enough for a SAT solver; where it is not, the block is split again, down to
single codes.

References
----------
M. J. H. Heule, O. Kullmann, S. Wieringa, A. Biere: "Cube and Conquer: Guiding CDCL SAT Solvers by
Lookaheads", HVC 2011.
"""

import time
from dataclasses import dataclass, replace

from .aig import Aig
from .certificate import UndecidedError

__all__ = ["Block", "Deadline", "decide"]

#: Conflicts after which a block is split.
CONFLICTS = 5000


class Deadline:
    """The end of the time for a proof.

    Parameters
    ----------
    seconds : float
    noun : str
        What is to be decided, as the first word of a sentence.
    """

    def __init__(self, seconds, noun):
        self._seconds = seconds
        self._noun = noun
        self._end = time.monotonic() + seconds

    @property
    def remaining(self):
        """Seconds that are left."""
        return self._end - time.monotonic()

    def check(self):
        """Raise UndecidedError if the time is over."""
        if self.remaining <= 0:
            raise UndecidedError(
                f"{self._noun} must be decided in time, but was not decided in {self._seconds:g} s"
            )

    def solve(self, aig, literal):
        """`Aig.solve` with as many conflicts as it takes: never None."""
        conflicts, answer = CONFLICTS, None
        while answer is None:
            self.check()
            answer = aig.solve(literal, conflicts)
            conflicts *= 2
        return answer


@dataclass(frozen=True)
class Block:
    """Literals of a circuit for input codes ``first`` to ``first + 2**free - 1``.

    Parameters
    ----------
    aig : Aig
    roots : list of int
        What the question is about.
    x : list of int
        Bits of the input code: free variables below bit `free`, constants above.
    first : int
    free : int
    signed : bool
        Whether the leading bit of `x` is a sign.
    """

    aig: Aig
    roots: list
    x: list
    first: int
    free: int
    signed: bool

    @property
    def last(self):
        """Last code."""
        return self.first + (1 << self.free) - 1

    def halves(self):
        """The two blocks that this one consists of, in rising order of codes."""
        top = self.free - 1
        sign = self.signed and self.free == len(self.x)
        for half in (0, 1):
            aig = Aig()
            low = aig.inputs(top)
            bit = half ^ sign
            leaves = {literal >> 1: value for literal, value in zip(self.x, (*low, bit))}
            roots = self.aig.copy(self.roots, aig, leaves)
            first = self.first + (half << top)
            yield replace(
                self, aig=aig, roots=roots, x=[*low, bit, *self.x[self.free :]], first=first, free=top
            )

    def code(self, values):
        """The input code in a model."""
        bits = self.aig.evaluate(self.x, values)
        pattern = sum(bit << k for k, bit in enumerate(bits))
        return pattern - (1 << len(bits)) if self.signed and bits[-1] else pattern


def decide(whole, domain, wrong, deadline, tick=None):
    """Look for an input code of the domain that makes a literal true.

    Parameters
    ----------
    whole : Block
        All input codes.
    domain : (int, int)
        First and last code.
    wrong : callable
        Literal that must never be true, for a block (in its graph); None if it is to be split first.
    deadline : Deadline
    tick : callable, optional
        Called as ``tick(done, total)`` with numbers of codes.

    Returns
    -------
    (Block, dict) or None
        A block and values of its graph's inputs that make the literal true; None if it is proved
        that there are none.

    Raises
    ------
    UndecidedError
        If the time is over first.
    """
    done, total = 0, domain[1] - domain[0] + 1
    waiting = [whole]
    while waiting:
        deadline.check()
        block = waiting.pop()
        if block.last < domain[0] or block.first > domain[1]:
            continue
        answer = None
        if domain[0] <= block.first and block.last <= domain[1]:
            literal = wrong(block)
            if literal is not None:
                answer = (
                    block.aig.solve(literal, CONFLICTS) if block.free else deadline.solve(block.aig, literal)
                )
        if answer is None:
            waiting += reversed(list(block.halves()))
        elif answer is not False:
            return block, answer
        else:
            done += 1 << block.free
            if tick:
                tick(done, total)
    return None
