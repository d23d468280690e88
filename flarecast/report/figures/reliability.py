"""Reliability: how often it came when so much was forecast, with a consistency band and counts."""

import numpy as np
from numpy.typing import NDArray

from flarecast.report.canvas import BAND, FAINT, GRID, INK, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content
from flarecast.report.curves import Curves, widest
from flarecast.skill.sums import ratio

FloatArray = NDArray[np.float64]

N_BINS = 10
TITLE = "Reliability"
CAPTION = (
    "Each point is a tenth of the events: when this probability was forecast, so often it came. Points in "
    "the band around the diagonal agree with perfect calibration, given how few independent regions or "
    "rotations there are. In the shaded wedge a forecast adds to the Brier skill. Below: how often "
    "each probability was forecast."
)


def draw_reliability(content: Content, event: str) -> Panel:
    """Observed frequency over forecast probability with the band in which calibrated forecasts would fall."""
    curves = content.curves(event)
    if curves is None:
        return Panel("reliability", TITLE, CAPTION, missing=content.both(event), event=event)
    table = _bins(curves)
    figure = paper(4.6)
    axes, below = figure.subplots(2, sharex=True, height_ratios=[4, 1])
    base = float(curves.events.sum() / (curves.events.sum() + curves.non_events.sum()))
    top = min(1.0, 1.1 * max(*table["mean_probability"], *table["observed_frequency"], 2 * base))
    axes.fill_between([0, base], 0, [base / 2, base], color=GRID, alpha=0.6, lw=0)
    axes.fill_between([base, top], [base, (top + base) / 2], top, color=GRID, alpha=0.6, lw=0)
    axes.plot([0, top], [0, top], color=FAINT, lw=0.9)
    axes.axhline(base, color=FAINT, lw=0.7, ls=":")
    axes.annotate("base rate", (top, base), ha="right", va="bottom", fontsize=8, color=FAINT)
    colour = style_of(MODEL)["color"]
    low, high = table["consistency_low"], table["consistency_high"]
    axes.fill_between(table["mean_probability"], low, high, color=colour, alpha=BAND, lw=0)
    axes.plot(table["mean_probability"], table["observed_frequency"], "o-", color=colour, ms=4)
    axes.set(ylabel="observed frequency", xlim=(0, top), ylim=(0, top))
    draw_grid(axes)
    counted = curves.events + curves.non_events
    edges = np.linspace(0, top, 31)
    heights, _ = np.histogram(curves.threshold, edges, weights=counted)
    below.bar(edges[:-1], heights, np.diff(edges), align="edge", color=colour, lw=0)
    below.set_yscale("symlog", linthresh=1)
    below.set(xlabel=f"forecast probability of {event} or more", ylabel="windows")
    below.tick_params(axis="y", which="minor", left=False)
    below.yaxis.label.set_color(INK)
    return Panel(
        "reliability", TITLE, CAPTION, figure, {k: v.tolist() for k, v in table.items()}, event=event
    )


def _bins(curves: Curves) -> dict[str, FloatArray]:
    """Probabilities and frequencies in bins of equal numbers of events and of windows, lowest first."""
    counted = curves.events + curves.non_events
    share = (curves.events / curves.events.sum() + counted / counted.sum())[::-1].cumsum() / 2
    code = np.minimum((share * N_BINS * (1 - 1e-9)).astype(int), N_BINS - 1)[::-1]
    _, code = np.unique(code, return_inverse=True)
    gathered = np.eye(code.max() + 1)[code]
    n, came = counted @ gathered, curves.events @ gathered
    mean = np.nan_to_num(curves.mean * counted) @ gathered / n
    drawn = zip(curves.drawn_events, curves.drawn_non_events, curves.drawn_sum, strict=True)
    low, high = widest(
        ratio((events - sums) @ gathered, (events + others) @ gathered) - (came / n - mean)
        for events, others, sums in drawn
    )
    return {
        "mean_probability": mean,
        "observed_frequency": came / n,
        "consistency_low": np.clip(mean + low, 0, 1),
        "consistency_high": np.clip(mean + high, 0, 1),
        "windows": n,
        "events": came,
    }
