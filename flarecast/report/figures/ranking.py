"""ROC and precision-recall: what can be caught at what price, whatever the calibration."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flarecast.report.canvas import BAND, FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content
from flarecast.report.names import label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

GRID_POINTS = 101
MOST_BESIDE = 3
"""References drawn beside the model at most."""

ROC_CAPTION = (
    "Each point is a decision threshold: share of the events caught against share of the quiet windows "
    "that were warned in vain. The diagonal is guessing. With rare events even a small false alarm rate "
    "means many false alarms."
)
RECALL_CAPTION = (
    "Share of the warnings that came true against share of the events caught. The dotted line is the base "
    "rate, what guessing has; the area under the curve is the average precision."
)


def draw_roc(content: Content, event: str) -> Panel:
    """Recall over the false alarm rate."""
    grid = np.linspace(0, 1, GRID_POINTS)

    def curve(hits: FloatArray, false_alarms: FloatArray) -> FloatArray:
        return _along(false_alarms, hits, grid)

    panel, axes = _draw(content, event, ("roc", "ROC", ROC_CAPTION), curve)
    if axes is not None:
        axes.plot([0, 1], [0, 1], color=FAINT, lw=0.9)
        axes.set(xlabel="false alarm rate", ylabel="recall")
    return panel


def draw_precision_recall(content: Content, event: str) -> Panel:
    """Precision over recall."""
    grid = np.linspace(0.01, 1, GRID_POINTS - 1)

    def curve(hits: FloatArray, false_alarms: FloatArray) -> FloatArray:
        wanted = grid * hits[..., -1:]
        wrong = _along(hits, false_alarms, grid) * false_alarms[..., -1:]
        with np.errstate(invalid="ignore"):
            return np.asarray(wanted / (wanted + wrong))

    told = ("precision_recall", "Precision and recall", RECALL_CAPTION)
    panel, axes = _draw(content, event, told, curve, grid)
    if axes is not None:
        rows = content.rows_of(event)
        axes.axhline(content.occurred(event)[rows].mean(), color=FAINT, lw=0.9, ls=":")
        axes.set(xlabel="recall", ylabel="precision")
    return panel


def _draw(
    content: Content,
    event: str,
    told: tuple[str, str, str],
    curve: Callable[[FloatArray, FloatArray], FloatArray],
    grid: FloatArray | None = None,
) -> tuple[Panel, "Axes | None"]:
    """The model's curve with its band, references without."""
    key, title, caption = told
    curves = content.curves(event)
    if curves is None:
        return Panel(key, title, caption, missing=content.both(event), event=event), None
    points = np.linspace(0, 1, GRID_POINTS) if grid is None else grid
    figure = paper(4.4)
    axes = figure.subplots()
    table: dict[str, FloatArray] = {"x": points}
    beside = [name for name in content.beside if content.curves(event, name)][:MOST_BESIDE]
    for name in (*beside, MODEL):
        counted = content.curves(event, name)
        assert counted is not None
        table[name] = curve(counted.hits, counted.false_alarms)
        axes.plot(points, table[name], label=label_of(name), **style_of(name, content.names))
    table[f"{MODEL}_low"], table[f"{MODEL}_high"] = curves.band(curve)
    shade = style_of(MODEL)["color"]
    axes.fill_between(points, table[f"{MODEL}_low"], table[f"{MODEL}_high"], color=shade, alpha=BAND, lw=0)
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    draw_grid(axes)
    axes.legend(loc="lower right" if key == "roc" else "upper right")
    return Panel(key, title, caption, figure, {k: v.tolist() for k, v in table.items()}, event=event), axes


def _along(across: FloatArray, up: FloatArray, grid: FloatArray) -> FloatArray:
    """Share of `up` where the share of `across` is that of the grid, linear between decision thresholds."""
    flat = across.reshape(-1, across.shape[-1]), up.reshape(-1, up.shape[-1])
    out = np.full((len(flat[0]), grid.size), np.nan)
    for row, (x, y) in enumerate(zip(*flat, strict=True)):
        if x[-1] > 0 and y[-1] > 0:
            out[row] = np.interp(grid, np.append(0, x / x[-1]), np.append(0, y / y[-1]))
    return out.reshape(*across.shape[:-1], grid.size)
