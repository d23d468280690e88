"""Economic value: what a user saves who acts when acting pays on the forecast."""

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.report.canvas import BAND, FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

FloatArray = NDArray[np.float64]

RATIOS = np.geomspace(0.002, 0.9, 60)
TITLE = "Economic value"
CAPTION = (
    "A user protects whenever the probability exceeds the cost of protection over the loss it prevents. 1: "
    "as good as knowing the future; 0: no better than always or never protecting, whichever is cheaper; "
    "below 0 the forecast costs money."
)


def draw_value(content: Content, event: str) -> Panel:
    """Relative economic value over the cost-loss ratio, deciding at probability = cost / loss."""
    curves = content.curves(event)
    if curves is None:
        return Panel("value", TITLE, CAPTION, missing=content.both(event), event=event)
    place = curves.threshold.size - np.searchsorted(curves.threshold[::-1], RATIOS, side="left")

    def value(hits: FloatArray, false_alarms: FloatArray) -> FloatArray:
        """Shape (..., ratio)."""
        zero = np.zeros((*hits.shape[:-1], 1))
        caught = np.concatenate([zero, hits], axis=-1)[..., place]
        wrong = np.concatenate([zero, false_alarms], axis=-1)[..., place]
        sums = skill.CostSums(caught, wrong, hits[..., -1], false_alarms[..., -1], RATIOS)
        return skill.economic_value(sums)

    figure = paper(3.4)
    axes = figure.subplots()
    style = style_of(MODEL)
    table = {"cost_loss_ratio": RATIOS, "value": value(curves.hits, curves.false_alarms)}
    table["low"], table["high"] = curves.band(value)
    axes.fill_between(RATIOS, table["low"], table["high"], color=style["color"], alpha=BAND, lw=0)
    axes.plot(RATIOS, table["value"], **style)
    axes.axhline(0, color=FAINT, lw=0.9)
    axes.set(xscale="log", ylim=(-0.3, 1), ylabel="relative value")
    axes.set_xlabel("cost of protection / loss prevented")
    draw_grid(axes)
    return Panel("value", TITLE, CAPTION, figure, {k: v.tolist() for k, v in table.items()}, event=event)
