"""What a board is: a few words beside the pins that its amaranth-boards platform knows."""

import importlib
import re
import sys
from functools import cached_property

from ..errors import RequestError, ToolError

__all__ = ["Board", "find_board"]

#: Families of devices by the toolchain that an Amaranth platform names; the others are not on PyPI.
_FAMILIES = {"IceStorm": "ice40", "Trellis": "ecp5", "Apicula": "gowin"}
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Board:
    """A board: a subclass with these attributes. Clock, device, pins and programmer are the platform's.

    Attributes
    ----------
    name : str
        What the command line calls it: lower-case letters, digits and hyphens.
    title : str
        What people call it.
    platform : str
        ``module:Class`` of an Amaranth platform for an iCE40, ECP5 or Gowin device.
    units : tuple of tuple
        Units of the demonstration unless others are asked for: function, input, output and derivative's format.
    wiring : str
        What is connected to what, in a sentence or two.
    port : str
        Serial port that it usually becomes on Linux.
    leds, buttons : tuple of tuple
        Resource, number and, where it has several pins, the pin's name. Empty: all that are called ``led`` and
        ``button``.
    limits : dict of str to int
        Cells that the data sheet grants, where nextpnr counts more of them.

    Examples
    --------
    >>> class ICESugar(Board):
    ...     name, title = "icesugar", "iCESugar"
    ...     platform = "amaranth_boards.icesugar:ICESugarPlatform"
    >>> ICESugar().clock_hz
    12000000
    """

    name = ""
    title = ""
    platform = ""
    units = (("tanh", "SQ4.12", "SQ1.15", "UQ0.16"), ("gelu", "SQ4.4", "SQ4.4", "SQ2.6"))
    wiring = "The USB cable carries power, the bitstream and the serial line."
    port = "/dev/ttyUSB1"
    leds = ()
    buttons = ()
    limits = {}

    def resources(self):
        """Amaranth resources that the platform lacks; at least a ``uart`` where it has none."""
        return []

    def create(self):
        """A fresh platform with the `resources`; it serves one build.

        Raises
        ------
        RequestError
            If there is no such platform, or its device is of another family.
        ToolError
            If its package is not installed.
        """
        module, _, name = self.platform.partition(":")
        try:
            platform = getattr(importlib.import_module(module), name)()
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0].replace("_", "-")
            raise ToolError(f"Package {package} must be installed, not missing: pip install {package}") from None
        except (AttributeError, ValueError):
            raise RequestError(f"Platform of {self.name} must be written module:Class, not {self.platform!r}") from None
        toolchain = getattr(platform, "toolchain", None)
        if toolchain not in _FAMILIES or (toolchain == "Trellis" and platform.family != "ecp5"):
            raise RequestError(f"Device of {self.name} must be an iCE40, an ECP5 or a Gowin, not one for {toolchain}")
        platform.add_resources(self.resources())
        if ("uart", 0) not in platform.resources:
            raise RequestError(f"Board {self.name} must have a uart: let its resources() return one")
        return platform

    @cached_property
    def _known(self):
        """A platform to look things up in."""
        return self.create()

    @property
    def family(self):
        """``ice40``, ``ecp5`` or ``gowin``."""
        return _FAMILIES[self._known.toolchain]

    @property
    def device(self):
        """The device with its package, in its vendor's words."""
        known = self._known
        if self.family == "gowin":
            return known.part
        if self.family == "ecp5":
            return f"{known.device}-{known.speed}{known.package}{known.grade}"
        return f"{known.device}-{known.package}"

    @property
    def clock_hz(self):
        """Frequency of the clock on the board."""
        return round(self._known.default_clk_frequency)

    def pads(self, kind):
        """Where the ``led`` or ``button`` signals go: resource, number and, of several pins, the pin's name."""
        chosen = {"led": self.leds, "button": self.buttons}[kind]
        return chosen or tuple(key for key in self._known.resources if key[0] == kind)

    def pins(self):
        """Pins that the demonstration uses.

        Returns
        -------
        dict of str to str
            Names of pins by ``clk``, ``rx``, ``tx``, ``led 0``, ``button 0`` and so on; an inverted one has a
            leading ``~``.
        """
        from amaranth.build import Subsignal

        known = self._known
        wires = dict(pair for connector in known.connectors.values() for pair in connector)

        def names(resource, number, part=None):
            ios = known.lookup(resource, number).ios
            if part is not None:
                ios = next(io.ios for io in ios if isinstance(io, Subsignal) and io.name == part)
            return " ".join("~" * ios[0].invert + pin for pin in ios[0].map_names(wires, ios[0]))

        found = {"clk": names(known.default_clk, 0), "rx": names("uart", 0, "rx"), "tx": names("uart", 0, "tx")}
        for kind in ("led", "button"):
            found |= {f"{kind} {k}": names(*pad) for k, pad in enumerate(self.pads(kind))}
        return found

    def designs(self):
        """Designs of the usual `units`, with derivative and valid and ready, laid out for the device."""
        from ..spec import Spec

        return [
            Spec(
                function,
                input=input,
                output=output,
                derivative="direct",
                derivative_output=slope,
                interface="stream",
                target=self.family,
            ).design()
            for function, input, output, slope in self.units
        ]


def find_board(name):
    """The board called `name`, or the one of another's own class, written ``module:Class``.

    Raises
    ------
    RequestError
        If there is none.

    Examples
    --------
    >>> find_board("icestick").title
    'iCEstick'
    """
    from .catalog import BOARDS

    if isinstance(name, Board):
        return name
    if ":" in name:
        return _own(name)
    if name not in BOARDS:
        raise RequestError(f"Board must be one of {', '.join(BOARDS)}, or module:Class, not {name!r}")
    return BOARDS[name]


def _own(text):
    """The board of a class in a module that Python finds, the working folder's included."""
    module, _, name = text.partition(":")
    sys.path.insert(0, "")
    try:
        board = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, ValueError, SyntaxError, TypeError) as error:
        raise RequestError(f"Board must be a class that Python finds, not {text!r}: {error}") from None
    finally:
        sys.path.remove("")
    if not isinstance(board, Board) or not _NAME.fullmatch(board.name):
        raise RequestError(f"Board must be a class of hwact.boards.Board with a name, not {text!r}")
    return board
