"""What a network learnt, drawn: in characters while it learns, and as a picture."""

import numpy as np

from ...errors import RequestError

__all__ = ["check_path", "picture", "terminal"]

#: Errors below this are drawn as this, on a logarithmic scale.
_LEAST = 1e-7


def terminal(title, reports, steps, width=78, height=20):
    """Mean squared error over steps, in characters (str)."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, height)
    plotext.title(title)
    plotext.xlabel("step")
    plotext.ylabel("log10 of mean squared error")
    plotext.xlim(0, steps)
    errors = [np.log10(max(report.mean_squared_error, _LEAST)) for report in reports]
    plotext.plot([report.step for report in reports], errors, marker="hd")
    return "\n".join(line.rstrip() for line in plotext.build().splitlines())


def check_path(path):
    """Raise RequestError unless a picture can have this name."""
    if path and not path.endswith((".png", ".svg")):
        raise RequestError(f"Plot must be a .png or .svg file, not {path!r}")


def picture(path, title, reports, network, state, samples):
    """Write error over steps, and the network's output over the plane with the samples, into a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.semilogy([one.step for one in reports], [max(one.mean_squared_error, _LEAST) for one in reports])
    left.set(title=title, xlabel="step", ylabel="mean squared error")
    left.grid(alpha=0.3)
    ulp, span = float(network.data.ulp), 1.25 * np.abs(samples[:, :2]).max()
    axis = np.rint(np.linspace(-span, span, 101)).astype(np.int64)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1)
    output = network.forward(state.weights, plane)[2] * ulp
    colours = right.contourf(axis * ulp, axis * ulp, output, levels=21, cmap="RdBu_r")
    figure.colorbar(colours, label="output")
    upper = samples[:, 2] > samples[:, 2].mean()
    for chosen, marker in ((upper, "o"), (~upper, "s")):
        right.plot(*(samples[chosen, :2].T * ulp), marker, color="black", markersize=3, markerfacecolor="white")
    right.set(title="output and samples", xlabel="x0", ylabel="x1")
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise RequestError(f"Plot must be writable, not {path!r}: {error.strerror}") from None
