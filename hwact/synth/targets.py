"""Devices that units are synthesised for, as data: a new one is one row."""

from dataclasses import dataclass

from ..errors import RequestError

__all__ = ["FAMILIES", "TARGETS", "Family", "Target", "find_target"]


@dataclass(frozen=True)
class Family:
    """An architecture that Yosys and nextpnr know.

    Parameters
    ----------
    name : str
    synthesis : str
        Yosys synthesis command.
    unit_flags, dsp_flags, logic_flags : str
        Its options for a unit without pads; with DSP blocks; without them.
    luts, carries, muxes, gates, ffs, dsps, brams : str
        Regular expressions that match the whole names of the cells.
    bram_bits : int
        Capacity of one block RAM.
    carry_luts : int
        Lookup tables that one carry cell takes up beyond those counted.
    nextpnr : str
        The place-and-route tool; empty where there is none.
    mapping : tuple of str
        Yosys commands behind the synthesis.
    bram_flags : str
        Options of `synthesis` for no block RAMs.
    routed_timing : bool
        Whether its timing after routing sees every path. Where it does not, the frequency is the lower of the
        estimate after placement and the figure after routing.
    """

    name: str
    synthesis: str
    unit_flags: str = ""
    dsp_flags: str = ""
    logic_flags: str = ""
    luts: str = ""
    carries: str = ""
    muxes: str = ""
    gates: str = ""
    ffs: str = ""
    dsps: str = ""
    brams: str = ""
    bram_bits: int = 0
    carry_luts: int = 0
    nextpnr: str = ""
    mapping: tuple = ()
    bram_flags: str = "-nobram"
    routed_timing: bool = True

    def flags(self, dsp, bram):
        """Options of `synthesis` for a unit without pads, with or without DSP blocks and block RAMs."""
        flags = (self.unit_flags, self.dsp_flags if dsp else self.logic_flags, "" if bram else self.bram_flags)
        return " ".join(filter(None, flags))

    @property
    def between_ffs(self):
        """Yosys selection of everything but the flip-flops."""
        patterns = self.ffs.replace(".*", "*").replace("\\", "").split("|")
        return " ".join(["*", *(f"t:{pattern} %d" for pattern in patterns)])


FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="ice40",
            synthesis="synth_ice40",
            dsp_flags="-dsp",
            luts="SB_LUT4",
            carries="SB_CARRY",
            ffs="SB_DFF.*",
            dsps="SB_MAC16",
            brams="SB_RAM40_4K.*",
            bram_bits=4096,
            nextpnr="nextpnr-ice40",
        ),
        Family(
            name="ecp5",
            synthesis="synth_ecp5",
            logic_flags="-nodsp",
            luts="LUT4",
            carries="CCU2C",
            muxes="PFUMX|L6MUX21",
            ffs="TRELLIS_FF",
            dsps="MULT18X18D|MULT9X9D",
            brams="DP16KD|PDPW16KD",
            bram_bits=18432,
            carry_luts=2,
            nextpnr="nextpnr-ecp5",
        ),
        Family(
            name="gowin",
            synthesis="synth_gowin",
            # nextpnr 0.11 finds no routed delay through wide multiplexers, nor through some small tables.
            unit_flags="-noiopads -nowidelut",
            logic_flags="-nodsp",
            luts="LUT[1-4]|INV",
            carries="ALU",
            ffs="DFF.*",
            dsps="MULT.*",
            brams="SP|SPX9|SDPB|SDPX9B|DPB|DPX9B|pROM|pROMX9",
            bram_bits=16384,
            carry_luts=1,
            nextpnr="nextpnr-himbaechel-gowin",
            routed_timing=False,
        ),
        Family(
            name="xilinx7",
            synthesis="synth_xilinx -family xc7 -flatten",
            unit_flags="-noiopad -noclkbuf",
            logic_flags="-nodsp",
            luts="LUT[1-6]|INV|SRL16E|SRLC32E",
            carries="CARRY4",
            muxes="MUXF[78]",
            ffs="FD.*",
            dsps="DSP48E1",
            brams="RAMB18E1|RAMB36E1",
            bram_bits=18432,
        ),
        Family(
            name="generic",
            synthesis="synth -flatten",
            gates="\\$_NAND_|\\$_NOT_",
            ffs="\\$_.*DFF.*",
            mapping=("abc -g NAND", "opt_clean"),
            bram_flags="",
        ),
    )
}


@dataclass(frozen=True)
class Target:
    """One device, in one package and speed grade.

    Parameters
    ----------
    name : str
    family : str
        Key of `FAMILIES`.
    device : str
        The device in its vendor's words.
    arguments : tuple of str
        What tells nextpnr the device, package and speed grade.
    dsps : int
        DSP blocks (multipliers) of the device; 1 where the device is left open.
    constraints : str
        Text of a pin constraint file ``shell.cst``, where unconstrained pins are refused.
    pins : tuple of str
        Pins of the package that a unit's ports may have, where they are given out one by one.
    """

    name: str
    family: str
    device: str
    arguments: tuple
    dsps: int = 0
    constraints: str = ""
    pins: tuple = ()


def _pins(**pins):
    """Pin constraints of the shell's ports."""
    return "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in pins.items())


_TANG_NANO_9K = _pins(clk=52, shift_in=25, load=26, shift_out=27)
_TANG_PRIMER_20K = _pins(clk="H11", shift_in="T7", load="T8", shift_out="T9")

_TQ144 = (
    "1 2 3 4 7 8 9 10 11 12 19 20 21 22 23 24 25 26 28 29 31 32 33 34 37 38 39 41 42 43 44 45 47 48 49 50 "
    "52 56 58 60 61 62 63 64 67 68 70 71 73 74 75 76 78 79 80 81 87 88 90 91 93 94 95 96 97 98 99 101 102 "
    "104 105 106 107 112 113 114 115 116 117 118 119 120 121 122 128 129 134 135 136 137 138 139 141 142 "
    "143 144"
)
_CT256 = (
    "A1 A2 A5 A6 A7 A9 A10 A11 A15 A16 B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12 B13 B14 B15 B16 C1 C2 C3 C4 "
    "C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C16 D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 D11 D13 D14 D15 D16 E2 E3 E4 "
    "E5 E6 E9 E10 E11 E13 E14 E16 F1 F2 F3 F4 F5 F7 F9 F11 F12 F13 F14 F15 F16 G1 G2 G3 G4 G5 G10 G11 G12 "
    "G13 G14 G15 G16 H1 H2 H3 H4 H5 H6 H11 H12 H13 H14 H16 J1 J2 J3 J4 J5 J10 J11 J12 J13 J14 J15 J16 K1 "
    "K3 K4 K5 K9 K11 K12 K13 K14 K15 K16 L1 L3 L4 L5 L6 L7 L9 L10 L11 L12 L13 L14 L16 M1 M2 M3 M4 M5 M6 "
    "M7 M8 M9 M11 M12 M13 M14 M15 M16 N2 N3 N4 N5 N6 N7 N9 N10 N12 N16 P1 P2 P4 P5 P6 P7 P8 P9 P10 P11 "
    "P12 P13 P14 P15 P16 R1 R2 R3 R4 R5 R6 R9 R10 R11 R12 R14 R15 R16 T1 T2 T3 T5 T6 T7 T8 T9 T10 T11 T13 "
    "T14 T15 T16"
)

TARGETS = {
    target.name: target
    for target in (
        Target(
            "ice40-hx1k",
            "ice40",
            "iCE40 HX1K TQ144",
            ("--hx1k", "--package", "tq144"),
            pins=tuple(_TQ144.split()),
        ),
        Target(
            "ice40-hx8k",
            "ice40",
            "iCE40 HX8K CT256",
            ("--hx8k", "--package", "ct256"),
            pins=tuple(_CT256.split()),
        ),
        Target("ice40-up5k", "ice40", "iCE40 UP5K SG48", ("--up5k", "--package", "sg48"), dsps=8),
        Target(
            "ecp5-25k",
            "ecp5",
            "LFE5U-25F-6BG381C",
            ("--25k", "--package", "CABGA381", "--speed", "6"),
            dsps=28,
        ),
        Target(
            "ecp5-85k",
            "ecp5",
            "LFE5U-85F-6BG381C",
            ("--85k", "--package", "CABGA381", "--speed", "6"),
            dsps=156,
        ),
        Target(
            "gowin-gw1n-9c",
            "gowin",
            "GW1NR-LV9QN88PC6/I5",
            ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C", "--vopt", "cst=shell.cst"),
            dsps=20,
            constraints=_TANG_NANO_9K,
        ),
        Target(
            "gowin-gw2a-18",
            "gowin",
            "GW2A-LV18PG256C8/I7",
            ("--device", "GW2A-LV18PG256C8/I7", "--vopt", "family=GW2A-18", "--vopt", "cst=shell.cst"),
            dsps=48,
            constraints=_TANG_PRIMER_20K,
        ),
        Target("xilinx7", "xilinx7", "Xilinx 7 series, synthesis alone", (), dsps=1),
        Target("generic", "generic", "two-input NAND gates, synthesis alone", ()),
    )
}

ALIASES = {"ice40": "ice40-hx8k", "ecp5": "ecp5-25k", "gowin": "gowin-gw1n-9c"}


def find_target(name):
    """The target called `name`; a family's name stands for its usual device.

    Raises
    ------
    RequestError
        If there is none.

    Examples
    --------
    >>> find_target("ice40").device
    'iCE40 HX8K CT256'
    """
    if isinstance(name, Target):
        return name
    target = TARGETS.get(ALIASES.get(name, name))
    if target is None:
        raise RequestError(f"Target must be one of {', '.join([*ALIASES, *TARGETS])}, not {name!r}")
    return target
