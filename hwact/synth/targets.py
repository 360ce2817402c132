"""Devices that units are synthesised for, as data: a new one is one row."""

from dataclasses import dataclass

from ..errors import RequestError

__all__ = ["FAMILIES", "Family", "TARGETS", "Target", "find_target"]


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
    """

    name: str
    family: str
    device: str
    arguments: tuple
    dsps: int = 0
    constraints: str = ""


def _pins(**pins):
    """Pin constraints of the shell's ports."""
    return "".join(f'IO_LOC "{port}" {pin};\n' for port, pin in pins.items())


_TANG_NANO_9K = _pins(clk=52, shift_in=25, load=26, shift_out=27)
_TANG_PRIMER_20K = _pins(clk="H11", shift_in="T7", load="T8", shift_out="T9")

TARGETS = {
    target.name: target
    for target in (
        Target("ice40-hx1k", "ice40", "iCE40 HX1K TQ144", ("--hx1k", "--package", "tq144")),
        Target("ice40-hx8k", "ice40", "iCE40 HX8K CT256", ("--hx8k", "--package", "ct256")),
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
