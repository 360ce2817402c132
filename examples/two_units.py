"""Two units in series in a design of one's own: tanh(x) first, exp of that behind it.

    python examples/two_units.py > chain.il   # RTLIL, which Yosys reads
"""

from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hwact import Spec
from hwact.rtl import ActivationUnit

#: The second unit's input format is the first one's output format.
TANH = Spec("tanh", input="SQ4.4", output="SQ1.7", interface="stream", latency=2).design()
EXP = Spec("exp", input="SQ1.7", output="UQ2.6", interface="stream", latency=1).design()


class Chain(wiring.Component):
    """exp(tanh(x)), one code a cycle.

    Members
    -------
    i : In(stream.Signature(8))
        Codes of SQ4.4.
    o : Out(stream.Signature(8))
        Codes of UQ2.6.
    """

    i: In(stream.Signature(TANH.input.width))
    o: Out(stream.Signature(EXP.channel("y").format.width))

    def elaborate(self, platform):
        m = Module()
        m.submodules.tanh = tanh = ActivationUnit(TANH)
        m.submodules.exp = exp = ActivationUnit(EXP)
        wiring.connect(m, wiring.flipped(self.i), tanh.i)
        wiring.connect(m, tanh.o, exp.i)
        wiring.connect(m, exp.o, wiring.flipped(self.o))
        return m


if __name__ == "__main__":
    print(rtlil.convert(Chain(), name="chain", emit_src=False))
