"""Which of several candidates becomes the unit: the one of least estimate, or the smallest of the synthesised ones."""

from ..design import Trial

__all__ = ["Chooser"]

#: Candidates of so many times the least estimate are not worth a synthesis.
MAX_ESTIMATE = 1.4
#: One in so many of the measured candidates, the smallest ones, is measured with the other layouts of tables too.
SECOND_LOOK = 3


class Chooser:
    """Choose among the candidates of one channel.

    Parameters
    ----------
    build : function
        From a channel to the `Design` it would be part of.
    area : function or None
        Measured size of a Design, in LUTs; without it the estimate decides.
    tries : int
        How many candidates are measured.
    variants : tuple of int
        Values of `Design.lut_inputs`: all candidates are measured with the first, the smallest with the others too.
    """

    def __init__(self, build, area=None, tries=0, variants=()):
        self._build, self._area, self._tries, self._variants = build, area, tries, variants

    @property
    def layout(self):
        """The value of `Design.lut_inputs` that estimates are for."""
        return self._variants[0]

    def __call__(self, ranked):
        """Choose from pairs (estimate, channel maker) in rising order of the estimate.

        Returns
        -------
        channel : Channel
        lut_inputs : int
        trials : tuple of Trial
        """
        if self._area is None or self._tries == 0:
            return ranked[0][1](), self._variants[0], ()
        trials, sizes = [], {}

        def measured(channel, estimate, lut_inputs):
            luts = self._area(self._build(channel, lut_inputs))
            trials.append(Trial(f"{channel.name}: {described(channel)}, {_layout(lut_inputs)}", round(estimate), luts))
            return luts

        worth = [one for one in ranked[: self._tries] if one[0] <= MAX_ESTIMATE * ranked[0][0]]
        for k, (estimate, make) in enumerate(worth):
            sizes[k] = measured(make(), estimate, self._variants[0])
        order = sorted(sizes, key=lambda k: (sizes[k], k))
        found = [(sizes[k], 0, k) for k in order]
        for k in order[: 1 + len(order) // SECOND_LOOK]:
            estimate, make = ranked[k]
            for number, other in enumerate(self._variants[1:], 1):
                found.append((measured(make(), estimate, other), number, k))
        _, number, k = min(found)
        return ranked[k][1](), self._variants[number], tuple(trials)


def _layout(lut_inputs):
    return f"tables of {lut_inputs}-input cells" if lut_inputs else "tables as cases"


def described(channel):
    """A few words on how a channel is computed."""
    fold, core = channel.fold, channel.core
    folding = "unfolded" if fold.index == "none" else f"{fold.index} {fold.restore}".replace("_", " ")
    if core.method == "table":
        return f"{folding} table of {len(core.entries)}"
    bits = max(abs(slope) for slope in core.slopes).bit_length()
    pairs = " in pairs" if core.joints else ""
    return f"{folding}, {core.segments} {core.segmentation} segments{pairs}, {bits}-bit slopes, shift {core.shift}"
