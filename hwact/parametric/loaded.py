"""A parametric unit with contents in its memory, as the checks and benches of units with a sideband take it."""

import numpy as np

__all__ = ["Loaded"]

#: Channels that are written and driven: all of them where there are no more.
MAX_SIDES = 64


class Loaded:
    """A design with an alpha and a beta for some of its channels.

    Parameters
    ----------
    design : ParametricDesign
    seed : int
        Of the parameters: corners of their formats first, in random order, then random codes.

    Attributes
    ----------
    sides, alphas, betas : numpy.ndarray
        Channels and their parameters.
    """

    def __init__(self, design, seed=1):
        self.design, draw = design, np.random.default_rng(seed)
        for name in ("name", "input", "domain", "channels", "shell", "latency", "digest", "sideband", "beside"):
            setattr(self, name, getattr(design, name))
        count = min(design.channels_count, MAX_SIDES)
        self.sides = np.arange(count, dtype=np.int64) * (design.channels_count - 1) // (count - 1)
        self.alphas, self.betas = (self._codes(draw, format, count) for format in (design.alpha, design.beta))

    @staticmethod
    def _codes(draw, format, count):
        corners = [format.min_code, format.max_code, min(1 << max(format.frac_bits, 0), format.max_code), 0]
        codes = draw.integers(format.min_code, format.max_code + 1, count)
        places = draw.permutation(count)[: min(len(corners), count // 2)]
        codes[places] = draw.permutation(corners)[: len(places)]
        return codes

    def evaluate(self, channel, codes, output="y"):
        """Output codes for channels and input codes."""
        place = np.searchsorted(self.sides, channel)
        return self.design.evaluate(self.alphas[place], self.betas[place], codes)

    @property
    def parameters(self):
        """Bits of channel, alpha and beta of every channel (list of tuple of int)."""
        columns = self.sides, self.design.alpha.to_bits(self.alphas), self.design.beta.to_bits(self.betas)
        return list(zip(*(column.tolist() for column in columns)))

    @property
    def loader(self):
        """Verilog that writes one channel after the other, again and again, also while samples are under way."""
        bits = {name: width for name, width in self.beside.items() if name != "w_enable"}
        total, count = sum(bits.values()), len(self.sides)
        row = lambda channel, alpha, beta: (channel << bits["w_alpha"] | alpha) << bits["w_beta"] | beta
        entries = sum(row(*one) << (k * total) for k, one in enumerate(self.parameters))
        return (
            f"  reg [15:0] entry = 0;\n  wire [{count * total - 1}:0] entries = {count * total}'h{entries:x};\n"
            + "".join(f"  wire [{width - 1}:0] loader_{name};\n" for name, width in bits.items())
            + "  wire loader_w_enable = 1'b1;\n"
            + f"  assign {{loader_w_channel, loader_w_alpha, loader_w_beta}} = entries[entry * {total} +: {total}];\n"
            + f"  always @(posedge clk) entry <= entry == {count - 1} ? 0 : entry + 1;\n"
        )
