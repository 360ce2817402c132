"""The boards: a class of data each."""

from .board import Board

__all__ = ["BOARDS"]


class ICEBreaker(Board):
    name, title = "icebreaker", "iCEBreaker"
    platform = "amaranth_boards.icebreaker:ICEBreakerPlatform"
    wiring = "One USB cable carries power, the bitstream and the serial line; the second port of its FTDI is the line."


class ICEStick(Board):
    name, title = "icestick", "iCEstick"
    platform = "amaranth_boards.icestick:ICEStickPlatform"
    units = (("tanh", "SQ4.4", "SQ1.7", "UQ0.8"),)
    wiring = "The stick goes into a USB socket; the second port of its FTDI is the serial line. It has no button."


class ICE40HX8K(Board):
    name, title = "ice40-hx8k", "iCE40-HX8K breakout"
    platform = "amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform"
    wiring = (
        "One USB cable carries power, the bitstream and the serial line; the second port of its FTDI is the line. "
        "The bitstream goes into the device itself, not into the flash: set the jumpers for that. It has no button."
    )


class _ULX3S(Board):
    wiring = "One USB cable at US1 carries power, the bitstream and the serial line."
    port = "/dev/ttyUSB0"


class ULX3S12F(_ULX3S):
    name, title = "ulx3s-12f", "ULX3S 12F"
    platform = "amaranth_boards.ulx3s:ULX3S_12F_Platform"
    # The die of the 25F, of which Lattice's data sheet grants half.
    limits = {"TRELLIS_COMB": 12_000, "TRELLIS_FF": 12_000, "DP16KD": 32}


class ULX3S25F(_ULX3S):
    name, title = "ulx3s-25f", "ULX3S 25F"
    platform = "amaranth_boards.ulx3s:ULX3S_25F_Platform"


class ULX3S45F(_ULX3S):
    name, title = "ulx3s-45f", "ULX3S 45F"
    platform = "amaranth_boards.ulx3s:ULX3S_45F_Platform"


class ULX3S85F(_ULX3S):
    name, title = "ulx3s-85f", "ULX3S 85F"
    platform = "amaranth_boards.ulx3s:ULX3S_85F_Platform"


class _OrangeCrab(Board):
    wiring = (
        "USB carries power and the bitstream (hold the button while plugging it in), no serial line: connect a "
        "USB-serial adapter of 3.3 V, its TXD to the header's pin 0, its RXD to the header's pin 1, and GND to GND."
    )
    port = "/dev/ttyUSB0"
    leds = (("rgb_led", 0, "r"), ("rgb_led", 0, "g"), ("rgb_led", 0, "b"))

    def resources(self):
        from amaranth.build import Attrs
        from amaranth_boards.resources import UARTResource

        attributes = Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP")
        return [UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=attributes)]


class OrangeCrab25F(_OrangeCrab):
    name, title = "orangecrab-25f", "OrangeCrab r0.2 25F"
    platform = "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform"


class OrangeCrab85F(_OrangeCrab):
    name, title = "orangecrab-85f", "OrangeCrab r0.2 85F"
    platform = "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_85FPlatform"


class TangNano9K(Board):
    name, title = "tang-nano-9k", "Tang Nano 9K"
    platform = "amaranth_boards.tang_nano_9k:TangNano9kPlatform"
    wiring = "One USB cable carries power, the bitstream and the serial line; the second port is the line."


class TangPrimer20K(Board):
    name, title = "tang-primer-20k", "Tang Primer 20K with its dock"
    platform = "amaranth_boards.tang_primer_20k:TangPrimer20kDockPlatform"
    wiring = (
        "The core board sits in the dock. One USB cable at the dock's JTAG socket carries power, the bitstream and the "
        "serial line; the second port is the line. Switch 1 of the dock must be down, which enables the core board."
    )


_CLASSES = (
    ICEBreaker,
    ICEStick,
    ICE40HX8K,
    ULX3S12F,
    ULX3S25F,
    ULX3S45F,
    ULX3S85F,
    OrangeCrab25F,
    OrangeCrab85F,
    TangNano9K,
    TangPrimer20K,
)
BOARDS = {board.name: board for board in (made() for made in _CLASSES)}
