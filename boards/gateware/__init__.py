"""The gateware of the demo: a serial port, frames, a link that serves requests, and the units behind it."""

from .demo import Demo
from .framing import FrameReceiver, FrameSender
from .link import Link
from .uart import UartReceiver, UartTransmitter

__all__ = ["Demo", "FrameReceiver", "FrameSender", "Link", "UartReceiver", "UartTransmitter"]
