"""Where single forecasts come from: their log odds shared out among features and steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flarecast.report.canvas import FAINT, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_WINDOWS, MOST_FEATURES = 4, 8
TITLE = "Where single forecasts come from"
CAPTION = (
    "Integrated gradients of the windows that were asked for, before calibration: log odds of the forecast "
    "above those of a window with all values at the training mean, shared out among features (left, the "
    "largest shares) and among steps up to the issue time (right). What raises a forecast of one model need "
    "not raise the chance of a flare."
)
COLUMNS = ("region", "issue_time", "event", "probability", "of", "unit", "log_odds")


def draw_attributions(content: Content) -> Panel:
    """Shares by feature and by step, a row a window."""
    records = content.attributions.get("records", ())[:MOST_WINDOWS]
    if not records:
        none = "explain/attributions.json has no window"
        return Panel("attributions", TITLE, CAPTION, missing=content.missing.get("attributions", none))
    cells: list[tuple[object, ...]] = []
    figure = paper(0.3 + (0.7 + 0.19 * MOST_FEATURES) * len(records))
    panels = figure.subplots(len(records), 2, squeeze=False, width_ratios=(3, 2))
    for (left, right), one in zip(panels, records, strict=True):
        head = (one["region"], one["issue_time"], one["event"], one["probability"])
        left.set_title(
            f"{one['region']}, {one['issue_time'][:10]}: p(≥{one['event']}) = {one['probability']:.3f}",
            loc="left",
        )
        largest = _largest(one)
        _draw_features(left, largest)
        steps = list(enumerate(one["by_step"], start=1 - len(one["by_step"])))
        right.bar(*zip(*steps, strict=True), width=0.8, color=style_of(MODEL)["color"])
        right.axhline(0, color=FAINT, lw=0.8)
        right.locator_params(axis="x", integer=True)
        draw_grid(right, "y")
        cells += [(*head, "feature", *pair) for pair in largest]
        cells += [(*head, "step", *pair) for pair in steps]
    panels[-1][0].set_xlabel("log odds")
    panels[-1][1].set_xlabel("step (0: issue)")
    table = dict(zip(COLUMNS, zip(*cells, strict=True), strict=True))
    return Panel("attributions", TITLE, CAPTION, figure, table)


def _largest(one: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Features with the largest shares."""
    return sorted(one["by_feature"].items(), key=lambda pair: -abs(pair[1]))[:MOST_FEATURES]


def _draw_features(axes: "Axes", shares: list[tuple[str, float]]) -> None:
    """A bar a feature, from the baseline to the right where it raised the forecast."""
    names, values = zip(*shares, strict=True)
    axes.barh(range(len(names)), values, 0.7, color=style_of(MODEL)["color"])
    axes.axvline(0, color=FAINT, lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    draw_grid(axes, "x")
