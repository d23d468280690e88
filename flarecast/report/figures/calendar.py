"""Forecast and outcome day by day, a line for each 27-day rotation: the field's calendar."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flarecast.cycles import DAY, ROTATION_DAYS, iso, rotation_of
from flarecast.describe.colours import CLASS_COLOURS
from flarecast.report.canvas import Panel, paper
from flarecast.report.content import Content

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_ROTATIONS = 190
TITLE = "Calendar"
CAPTION = (
    "Each line is one 27-day rotation of the Sun, read like a page; each cell a day, the darker the likelier "
    "an event was said to be anywhere on the disk; the dots are days on which it came. Bands that return at "
    "the same place are active longitudes. Regions are put together as if they were independent."
)


def draw_calendar(content: Content, event: str) -> Panel:
    """Probability of at least one event on the disk for each day, and the days on which there was one."""
    if content.both(event):
        return Panel("calendar", TITLE, CAPTION, missing=content.both(event), event=event)
    day, probability, came = _by_day(content, event)
    rotation = rotation_of(day * DAY)
    shown = rotation > rotation.max() - MOST_ROTATIONS
    day, probability, came, rotation = (one[shown] for one in (day, probability, came, rotation))
    first = rotation.min()
    near = day.min() + np.arange(ROTATION_DAYS + 1)
    column = (day - near[np.argmax(rotation_of(near * DAY) > first)]) % ROTATION_DAYS
    cells = np.full((int(rotation.max() - first) + 1, ROTATION_DAYS), np.nan)
    cells[rotation - first, column] = probability
    height = 0.034 * len(cells) + 1.1
    figure = paper(max(height, 1.8))
    axes = figure.subplots()
    mesh = axes.imshow(cells, cmap=_blues(), vmin=0, vmax=max(float(np.nanmax(cells)), 1e-3), aspect="auto")
    axes.plot(column[came], (rotation - first)[came], "o", ms=2, color=CLASS_COLOURS["M"], mew=0)
    years = np.unique(day.astype("datetime64[D]").astype("datetime64[Y]"))[1:]
    places = rotation_of(years.astype("datetime64[s]").astype(np.int64)) - first
    axes.set_yticks(places, [str(year) for year in years])
    axes.set(xlabel="day of the 27-day rotation", ylabel="rotations, downwards")
    axes.set_xticks([0, 6, 13, 20, 26], ["1", "7", "14", "21", "27"])
    figure.colorbar(mesh, ax=axes, location="top", aspect=45, label=f"probability of {event} or more")
    table = {
        "day": [iso(one * DAY)[:10] for one in day],
        "probability": probability.tolist(),
        "occurred": came.astype(int).tolist(),
    }
    return Panel("calendar", TITLE, CAPTION, figure, table, event=event)


def _by_day(content: Content, event: str) -> tuple[IntArray, FloatArray, NDArray[np.bool_]]:
    """Days with a forecast [d since 1970], the probability on the disk, and whether there was an event.

    Of several forecasts of one region that begin on one day the first counts; regions are independent.
    """
    rows = np.flatnonzero(content.rows_of(event))
    start, region = content.forecasts["valid_from"].values[rows], content.forecasts["region"].values[rows]
    order = np.argsort(start, kind="stable")
    rows, region = rows[order], region[order].astype(str)
    day = start[order] // DAY
    _, code = np.unique(region, return_inverse=True)
    _, kept = np.unique(day * (code.max() + 1) + code, return_index=True)
    days, place = np.unique(day[kept], return_inverse=True)
    said = content.probability(event)
    assert said is not None
    quiet = np.bincount(place, np.log1p(-np.minimum(said[rows[kept]], 1 - 1e-12)))
    days_all, place_all = np.unique(day, return_inverse=True)
    came = np.bincount(place_all, content.occurred(event)[rows]) > 0
    assert np.array_equal(days, days_all)
    return days, 1 - np.exp(quiet), came


def _blues() -> "Colormap":
    """From paper to deep blue, the missing grey."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("report", ["#eef3f8", "#8fbfe0", "#1f6fb5", "#0b2f55"])
    return colours.with_extremes(bad="#c9ccd1")
