"""Assignments and switches of a process as Verilog: a statement is a list of lines."""

__all__ = ["Statements", "block", "grouped"]


class Statements:
    """Writes the statements of one process.

    Parameters
    ----------
    name : str
        What they assign.
    operator : str
        ``=`` or ``<=``.
    net : str
        The net in the process.
    low, high : int
        Bits of it that are wanted.
    offset : int
        Index in the net of bit 0 of `name`.
    word : callable
        Text of a word.
    kept : tuple
        A word that `name` keeps if nothing is assigned.
    """

    def __init__(self, name, operator, net, low, high, *, offset, word, roots, kept=()):
        self._name, self._operator, self._word, self._roots, self._kept = name, operator, word, roots, kept
        self._low, self._offset = low, offset
        self._wanted = [(net, index) for index in range(low, high + 1)]

    def written(self, body):
        """The statements of a body; those that others behind them make void are left out."""
        last = max((k for k, statement in enumerate(body) if self._covers(statement)), default=0)
        return [written for statement in body[last:] for written in self._statement(statement)]

    def reset_first(self, body):
        """The same statements with a condition at their end that overrules them in front, as people write a reset."""
        *others, last = body
        if last[0] == "switch" and others:
            word, cases = last[1:]
            (patterns, inner), *more = cases
            if len(word) == 1 and patterns == ("1",) and not more and any(map(self._covers, inner)):
                return [("switch", word, [(patterns, inner), ((), others)])]
        return body

    def _covers(self, statement):
        """Whether a statement assigns every wanted bit whatever happens."""
        kind, word, rest = statement
        if kind == "assign":
            return set(self._wanted) <= set(word)
        complete = any(not patterns for patterns, _ in rest) or {p for ps, _ in rest for p in ps} == {"0", "1"}
        return complete and all(any(map(self._covers, inner)) for _, inner in rest)

    def _statement(self, statement):
        kind, word, rest = statement
        if kind == "assign":
            return self._assign(dict(zip(word, rest)))
        if not word:
            return self.written(rest[0][1])
        if all(len(p.replace("-", "")) == 1 for patterns, _ in rest for p in patterns) and all(
            len(patterns) < 2 for patterns, _ in rest
        ):
            return [self._chain(word, rest)]
        return [self._case(word, rest)]

    def _assign(self, sources):
        places = [place for place, bit in enumerate(self._wanted) if bit in sources]
        found, start = [], 0
        while start < len(places):
            stop = start + 1
            while stop < len(places) and places[stop] == places[start] + stop - start:
                stop += 1
            word = tuple(sources[self._wanted[place]] for place in places[start:stop])
            first, last = places[start], places[stop - 1]
            if self._roots(word) != self._kept[first : last + 1]:
                found.append([f"{self._target(first, last)} {self._operator} {self._word(word)};"])
            start = stop
        return found

    def _target(self, first, last):
        if last - first + 1 == len(self._wanted):
            return self._name
        low = self._low + first - self._offset
        return f"{self._name}[{low}]" if first == last else f"{self._name}[{low + last - first}:{low}]"

    def _chain(self, word, cases):
        """``if`` and ``else``, where each case looks at one bit."""
        found = []
        for number, (patterns, body) in enumerate(cases):
            inner = self.written(body)
            if not inner and number + 1 == len(cases):
                break
            head = "else " if number else ""
            if patterns and not self._implied(patterns, cases[:number], word):
                pattern = patterns[0][::-1]
                place = next(place for place, digit in enumerate(pattern) if digit != "-")
                bit = self._word((word[place],))
                head += f"if ({bit})" if pattern[place] == "1" else f"if (!{bit})"
            found += block(head.strip(), inner)
        return found

    @staticmethod
    def _implied(patterns, earlier, word):
        """Whether a case is all that is left: 0 behind 1, or 1 behind 0."""
        return len(word) == 1 and any(other for other, _ in earlier) and patterns[0] != earlier[0][0][0]

    def _case(self, word, cases):
        loose = any("-" in pattern for patterns, _ in cases for pattern in patterns)
        found = [f"case{'z' if loose else ''} ({self._word(word)})"]
        for patterns, body in cases:
            items = ", ".join(_pattern(pattern) for pattern in patterns) if patterns else "default"
            found += [f"  {line}" for line in block(f"{items}:", self.written(body))]
        if not any(not patterns for patterns, _ in cases):
            found.append("  default: ;")
        return [*found, "endcase"]


def _pattern(pattern):
    if "-" in pattern:
        return f"{len(pattern)}'b{pattern.replace('-', '?')}"
    return f"{len(pattern)}'h{int(pattern, 2):0{-(-len(pattern) // 4)}x}"


def block(head, statements):
    """One statement: others behind a head, on its line if it is a single one of one line."""
    if len(statements) == 1 and len(statements[0]) == 1:
        return [f"{head} {statements[0][0]}"]
    return [f"{head} begin", *(f"  {line}" for lines in statements for line in lines), "end"]


def grouped(statements):
    """Statements as the one that a function or an always block takes."""
    if len(statements) == 1:
        return statements[0]
    return ["begin", *(f"  {line}" for lines in statements for line in lines), "end"]
