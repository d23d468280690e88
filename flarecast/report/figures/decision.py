"""Skill over the decision threshold, with the one that was chosen before the test."""

import numpy as np
from numpy.typing import NDArray

from flarecast.report.canvas import BAND, FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

FloatArray = NDArray[np.float64]

TITLE = "Choice of the decision threshold"
CAPTION = (
    "An event is forecast from this probability on. The upright lines are the decision thresholds that were "
    "chosen on calibration windows, for the highest TSS and the highest HSS, before the test was looked at. "
    "A frequency bias of 1 forecasts as many events as come."
)

WIDE = 1.001
"""Least ratio of the largest probability to the smallest for an axis of their own."""


def draw_decision(content: Content, event: str) -> Panel:
    """TSS, HSS and frequency bias over the decision threshold."""
    curves = content.curves(event)
    if curves is None:
        return Panel("decision", TITLE, CAPTION, missing=content.both(event), event=event)
    threshold = np.maximum(curves.threshold, 1e-5)
    figure = paper(4.4)
    axes, below = figure.subplots(2, sharex=True, height_ratios=[3, 1.4])
    table: dict[str, FloatArray] = {"decision_threshold": curves.threshold}
    for name, curve, style in (("tss", _tss, style_of(MODEL)), ("hss", _hss, style_of("swpc"))):
        table[name] = curve(curves.hits, curves.false_alarms)
        table[f"{name}_low"], table[f"{name}_high"] = curves.band(curve)
        axes.plot(threshold, table[name], label=name.upper(), **style)
        axes.fill_between(
            threshold, table[f"{name}_low"], table[f"{name}_high"], color=style["color"], alpha=BAND, lw=0
        )
    table["frequency_bias"] = (curves.hits + curves.false_alarms) / curves.events.sum()
    below.plot(threshold, table["frequency_bias"], color=style_of(MODEL)["color"])
    below.axhline(1, color=FAINT, lw=0.8)
    for score, style in (("tss", style_of(MODEL)), ("hss", style_of("swpc"))):
        record = content.record(event, MODEL, score, rule=score)
        chosen = record.get("decision_threshold") if record else None
        if chosen:
            for one in (axes, below):
                one.axvline(max(chosen, 1e-5), lw=0.9, **style)
    if threshold.max() < WIDE * threshold.min():  # too little to draw an axis of it
        axes.set_xlim(threshold.min() / 2, threshold.max() * 2)
    axes.set(ylabel="skill", ylim=(min(0.0, float(np.nanmin(table["hss"]))), 1), xscale="log")
    below.set(xlabel=f"decision threshold for {event} or more", ylabel="bias", yscale="log")
    for one in (axes, below):
        draw_grid(one)
    axes.legend(loc="upper left", ncols=2)
    return Panel("decision", TITLE, CAPTION, figure, {k: v.tolist() for k, v in table.items()}, event=event)


def _tss(hits: FloatArray, false_alarms: FloatArray) -> FloatArray:
    """TSS at each decision threshold, shape (..., bin)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits / hits[..., -1:] - false_alarms / false_alarms[..., -1:])


def _hss(hits: FloatArray, false_alarms: FloatArray) -> FloatArray:
    """HSS (HSS2) at each decision threshold, shape (..., bin)."""
    events, quiet = hits[..., -1:], false_alarms[..., -1:]
    misses, correct = events - hits, quiet - false_alarms
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = events * (misses + correct) + (hits + false_alarms) * quiet
        return np.asarray(2 * (hits * correct - false_alarms * misses) / chance)
