"""The register map, in one place: circuit, documents, headers and images read it here."""

from dataclasses import asdict, dataclass

__all__ = ["ACTIVE", "CONTROL", "SEGMENT", "SHADOW", "STATUS", "Field", "Register", "Window", "map_of", "word_fields"]

#: Bytes of a segment's registers, and the words of them: start (of segment 0, an identifier), slope, intercept.
SEGMENT = 16
START, SLOPE, INTERCEPT, INTERCEPT_HIGH = range(4)
#: Words of the control window.
UNIT, CAPACITY, STATUS, CONTROL = range(4)
#: Windows of equal size, in order; the fourth is empty.
SHADOW, ACTIVE = 1, 2
WORD = 32


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Parameters
    ----------
    name : str
    lsb, width : int
    meaning : str
    signed : bool
        Two's complement.
    """

    name: str
    lsb: int
    width: int
    meaning: str
    signed: bool = False


@dataclass(frozen=True)
class Register:
    """A register of 32 bits, or one of each segment.

    Parameters
    ----------
    name : str
    offset : int
        Bytes from the start of its window; of the first one, where there are several.
    access : str
        ``r`` or ``rw``.
    fields : tuple of Field
    first, count : int
        Segment of the first one, and how many there are, `SEGMENT` bytes apart; 0 where there is only one.
    """

    name: str
    offset: int
    access: str
    fields: tuple
    first: int = 0
    count: int = 0


@dataclass(frozen=True)
class Window:
    """A part of the address space.

    Parameters
    ----------
    name : str
    base : int
        Byte address.
    meaning : str
    registers : tuple of Register
    """

    name: str
    base: int
    meaning: str
    registers: tuple

    def address(self, name, segment=0):
        """Byte address of a register."""
        register = next(one for one in self.registers if one.name == name)
        return self.base + register.offset + SEGMENT * (segment - register.first)


def window_bytes(design):
    """Bytes of a window."""
    return SEGMENT << design.levels


def address_bits(design):
    """Bits of an address."""
    return (4 * window_bytes(design) - 1).bit_length()


def word_fields(design):
    """The fields of a segment's registers by word: (name, lowest bit of the number, its bits in this word)."""
    low = min(design.intercept_bits, WORD)
    words = {START: ("start", 0, design.input.width), SLOPE: ("slope", 0, design.slope.width)}
    words[INTERCEPT] = ("intercept", 0, low)
    if design.intercept_bits > WORD:
        words[INTERCEPT_HIGH] = ("intercept", WORD, design.intercept_bits - WORD)
    return words


def map_of(design):
    """The whole map.

    Returns
    -------
    tuple of Window
    """
    size = window_bytes(design)
    control = Window(
        "CONTROL",
        0,
        "what the unit is, and the swap",
        (
            Register("UNIT", 4 * UNIT, "r", (Field("digest", 0, WORD, "first 32 bits of the unit's digest"),)),
            Register("CAPACITY", 4 * CAPACITY, "r", (Field("segments", 0, 16, "segments of a bank"),)),
            Register(
                "STATUS",
                4 * STATUS,
                "r",
                (
                    Field("active", 0, 1, "the bank of codes that come in now"),
                    Field("draining", 1, 1, "codes of the other bank are in flight: writes wait"),
                ),
            ),
            Register("CONTROL", 4 * CONTROL, "rw", (Field("swap", 0, 1, "write 1 to exchange the banks; reads as 0"),)),
        ),
    )
    return (
        control,
        Window("SHADOW", SHADOW * size, "the bank that is not in use", _tables(design, "rw")),
        Window("ACTIVE", ACTIVE * size, "the bank in use", _tables(design, "r")),
    )


def _tables(design, access):
    words = word_fields(design)
    high = f", bits {WORD} to {design.intercept_bits - 1}" if INTERCEPT_HIGH in words else ""
    one = lambda word, name, field, **more: Register(name, 4 * word, access, (field,), **more)
    registers = [
        one(
            START,
            "IDENTIFIER",
            Field("identifier", 0, WORD, "any number; an image's is the first 32 bits of its digest"),
        ),
        Register(
            "START",
            SEGMENT,
            access,
            (Field("start", 0, design.input.width, "first input code of the segment", design.input.signed),),
            first=1,
            count=design.segments - 1,
        ),
        one(
            SLOPE, "SLOPE", Field("slope", 0, design.slope.width, f"slope, {design.slope}", True), count=design.segments
        ),
        one(
            INTERCEPT,
            "INTERCEPT",
            Field("intercept", 0, words[INTERCEPT][2], f"intercept, 2^-{design.shift} ulp", not high),
            count=design.segments,
        ),
    ]
    if high:
        field = Field("intercept", 0, words[INTERCEPT_HIGH][2], f"intercept{high}", True)
        registers.append(one(INTERCEPT_HIGH, "INTERCEPT_HIGH", field, count=design.segments))
    return tuple(registers)


def writes_of(design, contents, identifier):
    """Writes that load tables into the shadow bank, in rising order of addresses.

    Parameters
    ----------
    design : ProgrammableDesign
    contents : Contents
    identifier : int

    Returns
    -------
    tuple of (int, int)
        Byte address and word.
    """
    base = SHADOW * window_bytes(design)
    numbers = zip(contents.starts, contents.slopes, contents.intercepts)
    writes = []
    for segment, entry in enumerate(numbers):
        values = dict(zip(("start", "slope", "intercept"), entry))
        for word, (name, low, width) in word_fields(design).items():
            value = (values[name] >> low) & ((1 << width) - 1)
            value = identifier if (segment, word) == (0, START) else value
            writes.append((base + SEGMENT * segment + 4 * word, value))
    return tuple(writes)


def map_dict(design):
    """The map, ready for JSON."""
    return {
        "bus": design.bus,
        "word_bits": WORD,
        "address_bits": address_bits(design),
        "segment_bytes": SEGMENT,
        "windows": [asdict(window) for window in map_of(design)],
    }
