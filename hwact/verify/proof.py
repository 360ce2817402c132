"""The proof rung: the emitted circuit equals an independently written netlist of the tables, by SAT.

What is proved, and how it adds up for all time, is told in ``docs/proof.md``.
"""

from ..emit.manifest import ports
from ..errors import CheckError, ToolError
from ..ports import sidebands_text
from ..synth.tools import tool_versions
from .aig import Aig, solver_version
from .blocks import Deadline, decide
from .certificate import Check
from .delay_line import broken_promise
from .equivalence import equivalent
from .handshake import Shell
from .machine import read_machine
from .reference_netlist import ReferenceNetlist, extended

__all__ = ["equivalent", "prove"]

#: Codes of a block that may meet several segments or entries.
SMALL = 256


def prove(design, contents, verilog, *, seconds, tick=None):
    """Prove that a Verilog text does what its manifest says, for every code of the domain and for all time.

    Parameters
    ----------
    design : Design
    contents : dict
        The manifest, whose ``design`` the reference netlist is made from.
    verilog : str
        The emitted text.
    seconds : float
        Time limit.
    tick : callable, optional
        Called as ``tick(done, total)`` with numbers of codes.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If there is a counterexample.
    UndecidedError
        If the time limit is reached first.
    ToolError
        If Yosys or the solver is missing or breaks.
    """
    plain = contents["design"]
    if plain != design.to_dict() or contents["ports"] != ports(design):
        raise CheckError(f"Manifest must be that of the design {design.digest[:12]}, not another one")
    deadline = Deadline(seconds, "Proof")
    _try_solver(deadline)
    try:
        machine = read_machine(verilog, design, deadline.remaining)
    except ToolError:
        deadline.check()
        raise
    shell = Shell(machine, design)
    promise = broken_promise(shell.latency, deadline.solve) if shell.streaming else None
    sentence = promise or shell.broken(deadline.solve)
    if sentence:
        raise CheckError(f"{sentence}: found by SAT")
    blocks = _prove_function(plain, shell, deadline, tick)
    return _checks(design, shell, blocks)


def _try_solver(deadline):
    """Raise ToolError unless the solver finds what there is, and only that."""
    aig = Aig()
    a, b = aig.inputs(2)
    differ = aig.xor(a, b)
    if (
        deadline.solve(aig, differ) is False
        or deadline.solve(aig, aig.land(aig.land(differ, a), b)) is not False
    ):
        raise ToolError("Tool python-sat must tell satisfiable clauses from others, not answer at random")


def _prove_function(plain, shell, deadline, tick):
    """Compare the outputs with the reference netlist on every code; return the number of blocks."""
    channels = plain["channels"]
    netlists = [ReferenceNetlist(channel, plain["input"]) for channel in channels]
    decided = []

    def pairs(block):
        """What each output is, and what it must be."""
        position = 0
        for channel, netlist in zip(channels, netlists):
            format = channel["format"]
            stop = position + format["int_bits"] + format["frac_bits"]
            got = extended(block.roots[position:stop], netlist.width, format["signed"])
            position = stop
            yield got, netlist.build(block.aig, block.x, block.first, block.last)

    def wrong(block):
        several = any(netlist.pieces(block.first, block.last) > 1 for netlist in netlists)
        if several and 1 << block.free > SMALL:
            return None
        decided.append(block.first)
        return block.aig.any(block.aig.differ(*pair) for pair in pairs(block))

    total = (plain["domain"][1] - plain["domain"][0] + 1) * shell.lanes
    for lane in range(shell.lanes):
        before = total // shell.lanes * lane
        move = tick and (lambda done, _, before=before: tick(before + done, total))
        found = decide(shell.block(lane), plain["domain"], wrong, deadline, move)
        if found is None:
            continue
        block, values = found
        results = [[_integer(block.aig.evaluate(word, values)) for word in pair] for pair in pairs(block)]
        name, (got, want) = next((c["name"], pair) for c, pair in zip(channels, results) if pair[0] != pair[1])
        where = f" of lane {lane}" if shell.lanes > 1 else ""
        raise CheckError(
            f"Output {name}{where} of code {block.code(values)} must be {want} in the circuit, not {got}: found by SAT"
        )
    return len(decided)


def _integer(bits):
    """The number that a word's bits stand for."""
    return sum(bit << k for k, bit in enumerate(bits)) - (bits[-1] << len(bits))


def _checks(design, shell, blocks):
    outputs = " and ".join(channel.name for channel in design.channels)
    tools = f"Yosys {tool_versions()['pyosys']}", solver_version()
    lanes = f" in each of {shell.lanes} lanes, whatever the others take" if shell.lanes > 1 else ""
    found = {
        "equivalence": (
            f"equals an independent netlist of the tables{lanes}, SAT on {blocks} blocks of codes",
            "every code",
        )
    }
    start = "power-up" if shell.reset == "none" else f"power-up and {shell.reset} reset"
    if shell.interface == "pipe":
        still = "no register changes while the enable is low, outputs are registered: k = 1"
        cleared = f"all {len(shell.registers)} registers are 0 after {start}: k = 1"
        found |= {"hold": (still, "every state"), "reset": (cleared, "every state")}
    if shell.streaming:
        line = (
            f"a delay line of {shell.latency} stages: registered, ready, hold, bubble by k = 1, delay by k = "
            f"{shell.latency}; the line has no loss, no duplication, order, stability: by induction, k = 1"
        )
        empty = f"no result is valid after {start} before one was accepted: k = {shell.latency}"
        found |= {"handshake": (line, "every state"), "reset": (empty, "every state")}
    if shell.interface == "axis":
        carried = f"{sidebands_text(design)} come out beside their codes' results: k = {shell.latency}; padding: k = 0"
        found |= {"sidebands": (carried, "every state")}
    codes = design.domain[1] - design.domain[0] + 1
    return [Check("proof", check, outputs, how, codes, which, tools) for check, (how, which) in found.items()]
