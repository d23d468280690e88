"""Which class was forecast and which came."""

from typing import Any

import numpy as np

from flarecast.report.canvas import Panel, paper, style_of
from flarecast.report.content import MODEL, Content
from flarecast.report.names import class_names

TITLE = "Forecast class and observed class"
CAPTION = (
    "The class forecast is the strongest whose probability reached its decision threshold (for the highest "
    "TSS, chosen on calibration windows). Shares are of each line, so that the diagonal is the recall of "
    "each class; below them the number of windows. Decision thresholds for TSS warn often."
)


def draw_classes(content: Content) -> Panel:
    """Confusion matrix over the exclusive classes between the events."""
    from matplotlib.patches import Rectangle

    found = [one for one in content.scores.get("confusion", ()) if one["forecast"] == MODEL]
    if not found:
        why = content.both(content.events[0]) or "scores.json has no table of classes"
        return Panel("classes", TITLE, CAPTION, missing=why)
    counts = np.array(found[0]["counts"]).T  # forecast by observed in the file
    n, names = len(counts), class_names([str(name) for name in found[0]["classes"]])
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
