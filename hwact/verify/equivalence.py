"""Two circuits against each other: the same results for every input, for all time."""

from .aig import TRUE, Aig
from .blocks import Block, Deadline, decide
from .certificate import UndecidedError
from .handshake import Shell
from .machine import read_machine

__all__ = ["equivalent"]


def equivalent(verilog_a, verilog_b, design, *, seconds):
    """Tell whether two Verilog texts of one unit behave alike.

    Alike means: the same outputs in every cycle from power-up on, for every sequence of inputs with codes of
    the domain; a stream's results where they are valid.

    Parameters
    ----------
    verilog_a, verilog_b : str
        Texts with a module ``design.name`` and the ports of `design`.
    design : Design
        Says ports, interface, latency and domain; its numbers do not matter.
    seconds : float
        Time limit.

    Returns
    -------
    bool or None
        True: proved. False: there are inputs for which they differ. None: neither was shown.

    Raises
    ------
    CheckError
        If a circuit cannot be read as gates and registers of one clock.
    ToolError
        If Yosys or the solver is missing or breaks, for instance on Verilog that is not valid.
    """
    deadline = Deadline(seconds, "Equivalence")
    pair = [Shell(read_machine(text, design), design) for text in (verilog_a, verilog_b)]
    try:
        if any(shell.broken(deadline.solve) for shell in pair):
            return False if _separable(pair, design, deadline) else None
        return _same_function(pair, design, deadline)
    except UndecidedError:
        return None


def _same_function(pair, design, deadline):
    """Whether two units in sound shells compute the same."""
    return all(_same_lane(pair, design, lane, deadline) for lane in range(design.shell.lanes))


def _same_lane(pair, design, lane, deadline):
    """Whether the results of a lane are the same, for the same codes in every lane."""
    aig, width = Aig(), design.input.width
    word = pair[0].word(aig)
    roots = [bit for shell in pair for bit in shell.function(aig, word, lane)]
    block = Block(aig, roots, pair[0].code(word, lane), design.input.min_code, width, design.input.signed)
    half = len(roots) // 2

    def differ(block):
        return block.aig.differ(block.roots[:half], block.roots[half:])

    return decide(block, design.domain, differ, deadline) is None


def _separable(pair, design, deadline):
    """Whether some inputs within a few cycles from power-up lead to different outputs."""
    aig = Aig()
    states = [shell.initial(aig) for shell in pair]
    inside, seen = TRUE, []
    for _ in range(2 * design.latency + 4):
        inputs = {role: aig.inputs(len(word)) for role, word in pair[0].inputs().items()}
        for lane in range(design.shell.lanes):
            inside = aig.land(inside, _within(aig, pair[0].code(inputs["x"], lane), design))
        outputs = [shell.visible(aig, state, inputs) for shell, state in zip(pair, states)]
        seen.append(aig.differ(*outputs))
        states = [shell.next(aig, state, inputs) for shell, state in zip(pair, states)]
    return deadline.solve(aig, aig.land(inside, aig.any(seen))) is not False


def _within(aig, x, design):
    """Whether a code lies in the domain."""
    inside, signed = TRUE, design.input.signed
    code = [*x[:-1], x[-1] ^ signed]  # offset binary, so that codes compare as unsigned numbers
    first, last = (end - design.input.min_code for end in design.domain)
    less = more = 0
    for k, bit in enumerate(code):
        less = aig.lor(bit ^ 1, less) if first >> k & 1 else aig.land(bit ^ 1, less)
        more = aig.land(bit, more) if last >> k & 1 else aig.lor(bit, more)
    return aig.land(inside, aig.land(less ^ 1, more ^ 1))
