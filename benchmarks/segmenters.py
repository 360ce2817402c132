"""Segments that published segmenters and the exact one need: tanh on [0, 8), UQ3.12 to UQ0.15."""

from tables import main, table

from hwact import Spec

FITS = ("lsq", "minimax", "exact")


def row(power):
    """The bound, then the segments of each segmenter."""
    counts = [
        Spec(
            "tanh", input="UQ3.12", output="UQ0.15", bound=f"2^-{power}", method="pwl", fit=fit
        ).design().channel("y").segments
        for fit in FITS
    ]  # fmt: skip
    return (f"2^-{power}", *counts, f"{counts[0] / counts[-1]:.2f}")


def make():
    """The table."""
    head = ("bound", "least squares", "minimax", "exact", "least squares / exact")
    return table(head, [row(power) for power in range(6, 13)])


if __name__ == "__main__":
    main(make, "segmenters", "docs/segmenters.md", __doc__)
