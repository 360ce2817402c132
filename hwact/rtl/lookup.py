"""Tables of constants as combinational logic, and the shapes of integers."""

from amaranth.hdl import Shape

__all__ = ["lookup", "span"]


def span(least, most):
    """The smallest Amaranth shape that holds every integer from `least` to `most`.

    Returns
    -------
    amaranth.hdl.Shape
    """
    signed = least < 0
    ends = (~end if end < 0 else end for end in (least, most))
    return Shape(max(end.bit_length() for end in ends) + signed, signed)


def lookup(m, address, entries, first, out):
    """Drive `out` with the entry that `address` selects.

    Parameters
    ----------
    m : Module
    address : Value
        Unsigned.
    entries : sequence of int
        Entry k answers address ``first + k``; any other address gets an arbitrary answer.
    first : int
    out : Signal
    """
    groups = {}
    for k, entry in enumerate(entries):
        groups.setdefault(entry, []).append(first + k)
    common = max(groups, key=lambda entry: len(groups[entry]))
    if len(groups) == 1:
        m.d.comb += out.eq(common)
        return
    with m.Switch(address):
        for entry, addresses in groups.items():
            if entry != common:
                with m.Case(*addresses):
                    m.d.comb += out.eq(entry)
        with m.Default():
            m.d.comb += out.eq(common)
