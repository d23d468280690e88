"""Which class was forecast and which came."""

from itertools import pairwise
from typing import Any

import numpy as np

from flarecast.report.canvas import Panel, paper, style_of
from flarecast.report.content import MODEL, Content

TITLE = "Forecast class and observed class"
CAPTION = (
    "The class forecast is the strongest whose probability reached its decision threshold (for the highest "
    "TSS, chosen on calibration windows). Shares are of each line, so that the diagonal is the recall of "
    "each class; below them the number of windows. Decision thresholds for TSS warn often."
)


def draw_classes(content: Content) -> Panel:
    """Confusion matrix over the exclusive classes between the events."""
    from matplotlib.patches import Rectangle

    events = content.events
    records = [content.record(event, MODEL, "tss") for event in events]
    chosen = [None if one is None else one.get("decision_threshold") for one in records]
    rows = np.logical_and.reduce([content.rows_of(event) for event in events])
    occurred = np.stack([content.occurred(event) for event in events], axis=1)[rows]
    if None in chosen or not rows.any() or not occurred.any():
        why = content.both(events[0]) or "not every event has one decision threshold"
        return Panel("classes", TITLE, CAPTION, missing=why)
    said = content.forecasts["probability"].values[rows] >= np.array(chosen, dtype=float)
    numbers = np.arange(1, len(events) + 1)
    came, forecast = (occurred * numbers).max(axis=1), (said * numbers).max(axis=1)
    n = len(events) + 1
    counts = np.bincount(came * n + forecast, minlength=n * n).reshape(n, n)
    names = [f"below {events[0]}"]
    names += [f"{low} to {high}" for low, high in pairwise(events)]
    names += [f"{events[-1]} or more"]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = paper(1.1 + 0.62 * n)
    axes = figure.subplots()
    colour = style_of(MODEL)["color"]
    for (row, column), part in np.ndenumerate(share):
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, alpha=0.02 + 0.45 * part, lw=0))
        axes.text(column, row - 0.05, f"{part:.0%}", va="bottom", ha="center", fontsize=10)
        axes.text(column, row + 0.08, f"{counts[row, column]:,}", va="top", ha="center", fontsize=8)
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set(xlabel="forecast", ylabel="observed")
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    cells = [(observed, said_so) for observed in names for said_so in names]
    table: dict[str, list[Any]] = {
        "observed": [one for one, _ in cells],
        "forecast": [one for _, one in cells],
        "windows": counts.ravel().tolist(),
    }
    return Panel("classes", TITLE, CAPTION, figure, table)
