"""The ideal stream: a delay line that stands still while its last stage waits to be taken.

What `Shell` proves of an emitted circuit makes it behave as this line does. Here the line's own promises are
proved, for any number of stages, by induction over one clock cycle: no loss, no duplication, order,
stability under stall, recovery after reset. Tokens are watched by colour: two of them, A and the later B, are
chosen by free variables, and a third colour marks what was never accepted, so that the proof is about
every token.

References
----------
P. Wolper: "Expressing interesting properties of programs in propositional temporal logic", POPL 1986
(colours in place of data).
"""

from .aig import FALSE, Aig

__all__ = ["broken_promise", "step"]

COLOURS = ("a", "b", "junk")


def step(aig, state, inputs):
    """One clock cycle of the line.

    Parameters
    ----------
    aig : Aig
    state : dict of str to list of int
        ``valid`` and one word for each colour: a bit a stage, the first stage first.
    inputs : dict of str to int
        ``i_valid``, ``o_ready``, ``rst`` and the colours of the payload.

    Returns
    -------
    (dict, int)
        The next state, and ``i_ready``.
    """
    move = aig.lor(inputs["o_ready"], state["valid"][-1] ^ 1)
    after = {}
    for name, word in state.items():
        first = inputs["i_valid" if name == "valid" else name]
        after[name] = [aig.mux(move, a, b) for a, b in zip([first, *word], word)]
    after["valid"] = [aig.land(inputs["rst"] ^ 1, bit) for bit in after["valid"]]
    return after, move


def broken_promise(latency, solve, step=step):
    """The first promise that a line of `latency` stages does not keep, as a sentence, or None.

    Parameters
    ----------
    latency : int
    solve : callable
        Solver for a literal of a graph: values, or False.
    step : callable
        The line.
    """
    aig = Aig()
    state = {name: aig.inputs(latency) for name in ("valid", *COLOURS)}
    seen = {name: aig.input() for name in ("sent_a", "got_a", "sent_b", "got_b")}
    inputs = {name: aig.input() for name in ("i_valid", "o_ready", "rst", "a", "b")}
    inputs["junk"] = inputs["i_valid"] ^ 1
    after, accepts = step(aig, state, inputs)
    given = aig.land(inputs["i_valid"], accepts)
    taken = aig.land(state["valid"][-1], inputs["o_ready"])
    later = _watch(aig, state, seen, inputs, given, taken)
    assumed = _all(aig, [*_invariant(aig, state, seen).values(), *_colouring(aig, seen, inputs)])
    promises = _promises(aig, state, seen, inputs, taken, after)
    promises |= {
        f"{name}, one cycle later": literal for name, literal in _invariant(aig, after, later).items()
    }
    empty = {name: [FALSE] * latency if name == "valid" else word for name, word in state.items()}
    start = _invariant(aig, empty, dict.fromkeys(seen, FALSE))
    promises |= {f"{name}, at power-up": aig.lor(assumed ^ 1, literal) for name, literal in start.items()}
    for name, literal in promises.items():
        if solve(aig, aig.land(assumed, literal ^ 1)) is not False:
            return f"Delay line of {latency} stages must keep its promise: {name}"
    return None


def _all(aig, literals):
    return aig.any(literal ^ 1 for literal in literals) ^ 1


def _implies(aig, a, b):
    return aig.lor(a ^ 1, b)


def _watch(aig, state, seen, inputs, given, taken):
    """Whether A and B have been accepted and delivered, after this cycle; a reset forgets them."""
    later = {}
    for colour in "ab":
        for name, event, own in (("sent", given, inputs[colour]), ("got", taken, state[colour][-1])):
            kept = aig.lor(seen[f"{name}_{colour}"], aig.land(event, own))
            later[f"{name}_{colour}"] = aig.land(kept, inputs["rst"] ^ 1)
    return later


def _colouring(aig, seen, inputs):
    """A is one token, and B another one behind it."""
    yield _implies(aig, inputs["a"], aig.land(inputs["i_valid"], seen["sent_a"] ^ 1))
    yield _implies(
        aig, inputs["b"], aig.land(inputs["i_valid"], aig.land(seen["sent_a"], seen["sent_b"] ^ 1))
    )


def _invariant(aig, state, seen):
    """What holds in every reachable state."""
    at = {c: [aig.land(v, bit) for v, bit in zip(state["valid"], state[c])] for c in COLOURS}
    promises = {}
    for colour in "ab":
        inside, twice = FALSE, FALSE
        for bit in at[colour]:
            twice = aig.lor(twice, aig.land(inside, bit))
            inside = aig.lor(inside, bit)
        sent, got = seen[f"sent_{colour}"], seen[f"got_{colour}"]
        promises[f"token {colour.upper()} is not lost"] = aig.xor(inside, aig.land(sent, got ^ 1)) ^ 1
        promises[f"token {colour.upper()} is not duplicated"] = twice ^ 1
        promises[f"token {colour.upper()} is sent before it is delivered"] = _implies(aig, got, sent)
    promises["no stage holds what was never accepted"] = aig.any(at["junk"]) ^ 1
    promises["B is sent behind A"] = _implies(aig, seen["sent_b"], seen["sent_a"])
    promises["B stays behind A"] = _behind(aig, at, seen)
    return promises


def _behind(aig, at, seen):
    """Where B is, A is further on, or delivered."""
    ahead, behind = seen["got_a"], _implies(aig, seen["got_b"], seen["got_a"])
    for a, b in zip(reversed(at["a"]), reversed(at["b"])):
        behind = aig.land(behind, _implies(aig, b, ahead))
        ahead = aig.lor(ahead, a)
    return behind


def _promises(aig, state, seen, inputs, taken, after):
    """What is seen at the output."""
    last = {colour: aig.land(taken, state[colour][-1]) for colour in COLOURS}
    stalled = aig.land(state["valid"][-1], aig.lor(inputs["o_ready"], inputs["rst"]) ^ 1)
    same = [aig.xor(after[name][-1], state[name][-1]) ^ 1 for name in state]
    advanced = [aig.xor(b, a) ^ 1 for a, b in zip(state["valid"], after["valid"][1:])]
    moves = aig.land(inputs["o_ready"], inputs["rst"] ^ 1)
    return {
        "A is delivered once": _implies(aig, last["a"], aig.land(seen["sent_a"], seen["got_a"] ^ 1)),
        "B is delivered once, behind A": _implies(
            aig, last["b"], aig.land(aig.land(seen["sent_b"], seen["got_b"] ^ 1), seen["got_a"])
        ),
        "nothing is delivered that was not accepted": last["junk"] ^ 1,
        "a result that waits stays": _implies(aig, stalled, _all(aig, same)),
        "what is not stalled moves on": _implies(aig, moves, _all(aig, advanced)),
        "a reset empties the line": _implies(aig, inputs["rst"], aig.any(after["valid"]) ^ 1),
    }
