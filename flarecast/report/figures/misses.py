"""The worst misses and false alarms: what the model saw before them."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.cycles import iso
from flarecast.goes import compatible_classes, format_class, occurred_table
from flarecast.report.canvas import FAINT, LINE_STYLES, Panel, draw_grid, paper, style_of
from flarecast.report.content import Content
from flarecast.scale import Scaler
from flarecast.schema import ROLES
from flarecast.windows import feature_columns, step_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

N_EACH = 3
N_FEATURES = 3
LONG = 96
"""A longer window is drawn in days [h]."""
COLUMNS = ("kind", "region", "issue_time", "probability", "flare", "feature", "hours_before", "value")
TITLE = "Worst misses and false alarms"
CAPTION = (
    "Left, events that came when least was forecast; right, the highest probabilities after which nothing "
    "came; one of each region. Lines are the features that tell events from quiet windows best in training, "
    "scaled as the model sees them, up to the issue time."
)


def draw_misses(content: Content, event: str) -> Panel:
    """Input of the three worst misses and the three worst false alarms."""
    windows = content.windows
    why = content.both(event) or ("" if windows is not None else content.missing.get("windows", ""))
    if why or windows is None:
        return Panel("misses", TITLE, CAPTION, missing=why, event=event)
    probability = content.probability(event)
    assert probability is not None
    rows = np.flatnonzero(content.rows_of(event))
    came = content.occurred(event)[rows]
    missed = _worst(content, rows[came], probability[rows[came]])
    wrong = _worst(content, rows[~came], -probability[rows[~came]])
    telling = _telling(content, windows, event)
    figure = paper(1.9 * N_EACH + 0.5)
    panels = figure.subplots(N_EACH, 2, sharex=True, sharey=True, squeeze=False)
    cells: list[tuple[object, ...]] = []
    for column, (kind, chosen) in enumerate((("miss", missed), ("false alarm", wrong))):
        for axes in panels[len(chosen) :, column]:
            axes.set_visible(False)
        for axes, row in zip(panels[:, column], chosen, strict=False):
            told = _told(content, int(row), float(probability[row]))
            axes.set_title(f"{told[0]}, {told[1][:10]}\np = {told[2]:.1%}, {told[3]}", fontsize=8, loc="left")
            lines = _inputs(content, windows, int(row), telling)
            _draw_lines(axes, lines, _span(windows) > LONG)
            cells += [(kind, *told, name, *point) for name, points in lines.items() for point in points]
    for axes in panels[-1]:
        axes.set_xlabel(f"{'days' if _span(windows) > LONG else 'hours'} before issue")
    panels[0, 0].invert_xaxis()
    figure.supylabel("scaled value" if content.model.get("scaler") else "value", fontsize="medium")
    columns = 1 if max(map(len, telling)) > 16 else N_FEATURES
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=columns)
    table = dict(zip(COLUMNS, zip(*cells, strict=True), strict=True)) if cells else {}
    return Panel("misses", TITLE, CAPTION, figure, table, event=event)


def _span(windows: xr.Dataset) -> float:
    """Length of a window [h]."""
    return float(windows.attrs["n_steps"]) * float(windows.attrs["cadence_minutes"]) / 60


def _worst(content: Content, rows: IntArray, badness: FloatArray) -> IntArray:
    """Rows of the smallest values, one of each cluster, smallest first."""
    order = rows[np.argsort(badness, kind="stable")]
    cluster = content.forecasts["cluster"].values[order].astype(str)
    _, first = np.unique(cluster, return_index=True)
    found: IntArray = order[np.sort(first)[:N_EACH]]
    return found


def _telling(content: Content, windows: xr.Dataset, event: str) -> list[str]:
    """Features whose last values differ most between events and quiet windows of the train role."""
    names = [str(name) for name in content.model.get("features", windows["feature"].values)]
    last = windows["first_row"].values + windows["n_rows"].values - 1
    use = windows["n_rows"].values > 0
    if content.split is not None:
        use &= content.split["role"].values[0] == ROLES.index("train")
    index = np.flatnonzero(use)
    low, _ = compatible_classes(occurred_table(windows, (event,))[index])
    values = windows["values"].values[last[index]][:, feature_columns(windows, names)].astype(np.float64)
    values = _scaled(content, values)
    groups = values[low == 1], values[low == 0]
    if not all(map(len, groups)):
        return names[:N_FEATURES]
    apart = np.abs(np.nan_to_num(_mean(groups[0]) - _mean(groups[1])))
    return [names[place] for place in np.argsort(-apart, kind="stable")[:N_FEATURES]]


def _mean(values: FloatArray) -> FloatArray:
    """Mean of each column without NaN, NaN where there is nothing."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=0)
    mean: FloatArray = np.full(total.shape, np.nan)
    np.divide(total, known.sum(axis=0), out=mean, where=known.any(axis=0))
    return mean


def _scaled(content: Content, values: FloatArray) -> FloatArray:
    """Values (..., feature) of all the model's features as it sees them; as they are without a model."""
    said = content.model.get("scaler")
    if not said:
        return values
    scaler = Scaler(said["name"], *(np.array(said[name]) for name in ("size", "centre", "spread")))
    return np.asarray(scaler.apply(values.astype(np.float32)), dtype=np.float64)


def _inputs(
    content: Content, windows: xr.Dataset, row: int, names: list[str]
) -> dict[str, list[tuple[float, float]]]:
    """Hours before issue and scaled value of some features of one window; empty where it is not found."""
    issued, region = (content.forecasts[name].values[row] for name in ("issue_time", "region"))
    same = np.flatnonzero((windows["issue_time"].values == issued) & (windows["region"].values == region))
    if not same.size:
        return {}
    features = [str(name) for name in content.model.get("features", windows["feature"].values)]
    rows = step_rows(windows, same[:1])[0]
    cells = windows["values"].values[rows.clip(0)][:, feature_columns(windows, features)]
    steps = _scaled(content, np.where(rows[:, None] < 0, np.nan, cells.astype(np.float64)))
    before = np.arange(len(steps))[::-1] * float(windows.attrs["cadence_minutes"]) / 60
    return {
        name: list(zip(before.tolist(), steps[:, features.index(name)].tolist(), strict=True))
        for name in names
    }


def _draw_lines(axes: "Axes", lines: dict[str, list[tuple[float, float]]], in_days: bool) -> None:
    """Each feature over the time before issue."""
    axes.axhline(0, color=FAINT, lw=0.7)
    draw_grid(axes)
    for (name, points), line in zip(lines.items(), LINE_STYLES, strict=False):
        before, value = np.array(points).T
        marker = "." if len(points) < 3 else ""
        shown = before / 24 if in_days else before
        style = style_of(name, lines) | {"linestyle": line}
        axes.plot(shown, value, lw=1.2, marker=marker, label=name, **style)


def _told(content: Content, row: int, probability: float) -> tuple[str, str, float, str]:
    """Region, issue time, probability, and the class of the largest flare."""
    forecasts = content.forecasts
    region, issued = str(forecasts["region"].values[row]), iso(forecasts["issue_time"].values[row])
    return region, issued, probability, _flare(content, row)


def _flare(content: Content, row: int) -> str:
    """Class of the largest flare, `quiet`, or nothing known."""
    forecasts = content.forecasts
    if "peak_flux" not in forecasts:
        return "class unknown"
    low, high = (float(forecasts[name].values[row]) for name in ("peak_flux", "peak_flux_upper"))
    if low == 0:
        return "quiet"
    name = format_class(low)
    return name if np.isclose(low, high) else f"class {name[0]}"
