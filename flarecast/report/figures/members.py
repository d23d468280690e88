"""How sure the members of an ensemble are: their ranges, and whether the forecasts that they doubt fail."""

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.evaluate.subsets import draw_ways
from flarecast.report.canvas import BAND, FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, SEED, Content
from flarecast.report.curves import N_RESAMPLES, widest

FloatArray = NDArray[np.float64]

N_BINS = 20
LOWEST = 1e-4
"""Smaller probabilities are drawn here."""

RANGES = "What the members say"
RANGES_CAPTION = (
    "In each twentieth of the windows, sorted by probability, the median ends of their ranges, which hold "
    "90 % of the {n} members, calibrated like their mean (the line). A range is about the model, what other "
    "trainings or weights would say: not about the Sun, nor about how far the whole calibration is off. Most "
    "ensembles are too sure: 90 % of the members do not hold the true probability nine times in ten."
)
DOUBT = "Doubt and failure"
DOUBT_CAPTION = (
    "Brier score of the windows that are kept when the most doubted are left out: those that the members "
    "disagree on (epistemic doubt), or simply those whose probability is nearest to 1/2. Doubted forecasts "
    "of a rare event are likely ones, whose errors are large whatever they are worth: only where the "
    "difference, with its 95 % band, is below 0 do the members know more of errors than the probability says."
)


def draw_ranges(content: Content, event: str) -> Panel:
    """Median ends of the 90 % range over the calibrated probability."""
    from matplotlib.ticker import LogLocator, NullFormatter

    forecasts, column = content.forecasts, content.events.index(event)
    rows = np.flatnonzero(content.rows_of(event))
    if not rows.size:
        return Panel("ranges", RANGES, RANGES_CAPTION, missing=content.both(event), event=event)
    names = ("probability", "probability_lower", "probability_upper")
    said = np.stack([forecasts[name].values[rows, column] for name in names])
    order = np.argsort(said[0], kind="stable")
    parts = [part for part in np.array_split(order, N_BINS) if part.size]
    probability, low, high = np.array([np.median(said[:, part], axis=1) for part in parts]).T
    figure = paper(3.6)
    axes = figure.subplots()
    colour = style_of(MODEL)["color"]
    drawn = [np.maximum(one, LOWEST) for one in (probability, low, high)]
    axes.fill_between(*drawn, color=colour, alpha=BAND, lw=0, label="90 % of the members")
    axes.plot(drawn[0], drawn[0], "o-", ms=3, color=colour, label="the forecast")
    axes.set(xscale="log", yscale="log", ylabel="range of the probability")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(f"forecast probability of {event} or more")
    axes.legend(loc="upper left")
    draw_grid(axes)
    caption = RANGES_CAPTION.format(n=forecasts.sizes["realization"])
    table = {"windows": [part.size for part in parts], "probability": probability.tolist()}
    return Panel(
        "ranges", RANGES, caption, figure, table | {"low": low.tolist(), "high": high.tolist()}, event=event
    )


def draw_doubt(content: Content, event: str) -> Panel:
    """Error-retention curves by epistemic doubt and by p (1 - p), and their difference with its band."""
    if content.both(event):
        return Panel("doubt", DOUBT, DOUBT_CAPTION, missing=content.both(event), event=event)
    table = _retained(content, event)
    figure = paper(4.6)
    axes, below = figure.subplots(2, sharex=True, height_ratios=[2, 1])
    style, plain = style_of(MODEL), style_of("climatology") | {"linestyle": "--"}
    axes.plot(table["kept"], table["by_doubt"], label="least doubt of the members first", **style)
    axes.plot(table["kept"], table["by_probability"], label="probability furthest from 1/2 first", **plain)
    axes.set(ylabel="Brier score of those kept", ylim=(0, None))
    axes.legend(loc="best")  # the curve may begin high or low
    below.fill_between(table["kept"], table["low"], table["high"], color=style["color"], alpha=BAND, lw=0)
    below.plot(table["kept"], table["difference"], **style)
    below.axhline(0, color=FAINT, lw=0.9)
    below.set(xlabel="share of the windows that are kept", ylabel="difference", xlim=(0, 1))
    for one in (axes, below):
        draw_grid(one)
    return Panel(
        "doubt", DOUBT, DOUBT_CAPTION, figure, {k: v.tolist() for k, v in table.items()}, event=event
    )


def _retained(content: Content, event: str) -> dict[str, FloatArray]:
    """Both curves and their difference with its band, the wider of all ways to draw."""
    column, rows = content.events.index(event), content.rows_of(event)
    probability = content.forecasts["probability"].values[rows, column]
    error = (probability - content.occurred(event)[rows]) ** 2
    doubts = (content.forecasts["epistemic"].values[rows, column], probability * (1 - probability))
    by_doubt, by_probability = (skill.retained_error(skill.sum_retained(error, doubt)) for doubt in doubts)
    rng = np.random.default_rng(SEED)
    drawn = draw_ways(content.forecasts, column, rows, blocks="wider", rng=rng, resamples=N_RESAMPLES)
    resampled = []
    for sample in drawn.ways.values():
        sums = [skill.sum_retained(error, doubt, sample.blocks) for doubt in doubts]
        first, second = (skill.retained_error(skill.combined(one, sample.counts)) for one in sums)
        resampled.append(first - second)
    low, high = widest(resampled)
    return {
        "kept": skill.RETAINED,
        "by_doubt": by_doubt,
        "by_probability": by_probability,
        "difference": by_doubt - by_probability,
        "low": low,
        "high": high,
    }
