"""And-inverter graphs: gates as pairs of integers, equal gates shared, constants folded.

A *literal* is twice a node's number, plus one where it is inverted: 0 is false, 1 is true, and
``literal ^ 1`` is its inverse. Nodes are numbered so that a gate comes after its operands. A *word*
is a list of literals, the least significant bit first.

References
----------
A. Kuehlmann, F. Krohm: "Equivalence checking using cuts and heaps", DAC 1997.
G. S. Tseitin: "On the complexity of derivation in propositional calculus", 1968.
"""

import importlib.metadata

from ..errors import ToolError

__all__ = ["Aig", "solver_version"]

FALSE, TRUE = 0, 1
_MISSING = "Tool python-sat must be installed, not missing: pip install python-sat"


class Aig:
    """A growing graph of AND gates over free inputs."""

    def __init__(self):
        self._gates = [None]  # for each node its two operands, or None for an input and the constant
        self._numbers = {}

    def __len__(self):
        """Nodes, the constant and the inputs among them."""
        return len(self._gates)

    # -- gates --------------------------------------------------------------------------------

    def input(self):
        """A new free variable."""
        self._gates.append(None)
        return 2 * len(self._gates) - 2

    def inputs(self, width):
        """A word of new free variables."""
        return [self.input() for _ in range(width)]

    def land(self, a, b):
        """a AND b."""
        if a > b:
            a, b = b, a
        if a < 2:
            return b if a else FALSE
        if a ^ b < 2:
            return a if a == b else FALSE
        pair = (a, b)
        node = self._numbers.get(pair)
        if node is None:
            node = self._numbers[pair] = len(self._gates)
            self._gates.append(pair)
        return 2 * node

    def lor(self, a, b):
        """a OR b."""
        return self.land(a ^ 1, b ^ 1) ^ 1

    def xor(self, a, b):
        """a XOR b."""
        return self.land(self.land(a, b) ^ 1, self.land(a ^ 1, b ^ 1) ^ 1)

    def mux(self, condition, a, b):
        """a where the condition holds, else b."""
        if a == b:
            return a
        return self.land(self.land(condition, a) ^ 1, self.land(condition ^ 1, b) ^ 1) ^ 1

    def any(self, word):
        """OR of all bits."""
        result = FALSE
        for bit in word:
            result = self.lor(result, bit)
        return result

    def differ(self, a, b):
        """Whether two words of one width differ."""
        return self.any([self.xor(x, y) for x, y in zip(a, b, strict=True)])

    # -- cones --------------------------------------------------------------------------------

    def cone(self, roots):
        """What literals depend on: their gates in rising order, and their inputs (lists of nodes)."""
        gates, inputs = set(), set()
        waiting = [root >> 1 for root in roots]
        while waiting:
            node = waiting.pop()
            if node in gates or not node:
                continue
            pair = self._gates[node]
            if pair is None:
                inputs.add(node)
                continue
            gates.add(node)
            waiting.append(pair[0] >> 1)
            waiting.append(pair[1] >> 1)
        return sorted(gates), sorted(inputs)

    def copy(self, roots, target, leaves):
        """Rebuild literals in another graph.

        Parameters
        ----------
        roots : list of int
        target : Aig
        leaves : dict of int to int
            Literal of `target` for inputs of this graph (by node); one that is left out becomes a new
            input, and is entered.

        Returns
        -------
        list of int
            Literals of `target`.
        """
        gates, inputs = self.cone(roots)
        for node in inputs:
            if node not in leaves:
                leaves[node] = target.input()
        image = {0: FALSE, **leaves}
        land = target.land
        for node in gates:
            a, b = self._gates[node]
            image[node] = land(image[a >> 1] ^ a & 1, image[b >> 1] ^ b & 1)
        return [image[root >> 1] ^ root & 1 for root in roots]

    def evaluate(self, roots, values):
        """Bits of literals for values of the inputs (dict of bool by node; others are 0)."""
        gates, inputs = self.cone(roots)
        bits = {0: 0, **{node: int(values.get(node, 0)) for node in inputs}}
        for node in gates:
            a, b = self._gates[node]
            bits[node] = (bits[a >> 1] ^ a & 1) & (bits[b >> 1] ^ b & 1)
        return [bits[root >> 1] ^ root & 1 for root in roots]

    # -- satisfiability -----------------------------------------------------------------------

    def solve(self, root, conflicts):
        """Look for values of the inputs that make a literal true.

        Parameters
        ----------
        root : int
        conflicts : int
            Conflicts after which the solver gives up.

        Returns
        -------
        dict, False or None
            Values of the inputs (bool by node); False if there are none, which is proved; None if
            the solver gave up.

        Raises
        ------
        ToolError
            If the solver is missing or its answer is wrong.
        """
        if root < 2:
            return {} if root else False
        gates, inputs = self.cone([root])
        names = {node: number for number, node in enumerate((*inputs, *gates), 1)}
        clauses = [[_signed(names, root)]]
        for node in gates:
            a, b = (_signed(names, operand) for operand in self._gates[node])
            out = names[node]
            clauses += [-out, a], [-out, b], [out, -a, -b]
        model = _solve(clauses, conflicts)
        if model is None or model is False:
            return model
        values = {node: model[names[node] - 1] > 0 for node in inputs}
        if self.evaluate([root], values) != [1]:
            raise ToolError("Tool python-sat must give a model of the clauses, not another assignment")
        return values


def _signed(names, literal):
    return -names[literal >> 1] if literal & 1 else names[literal >> 1]


def _solve(clauses, conflicts):
    """A model (list of int), False if it is proved that there is none, or None."""
    try:
        from pysat.solvers import Glucose4
    except ImportError:
        raise ToolError(_MISSING) from None
    with Glucose4(bootstrap_with=clauses) as solver:
        solver.conf_budget(conflicts)
        answer = solver.solve_limited(expect_interrupt=True)
        if answer is True:
            return solver.get_model()
        return False if answer is False else None


def solver_version():
    """Name and version of the solver."""
    try:
        return f"Glucose 4 (python-sat {importlib.metadata.version('python-sat')})"
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(_MISSING) from None
