"""Skill year by year, with the events of each year and the sunspot number behind."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flarecast.describe.sunspots import Sunspots
from flarecast.report.canvas import FAINT, GRID, Panel, draw_grid, paper, style_of
from flarecast.report.content import MODEL, Content
from flarecast.report.names import label_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FloatArray = NDArray[np.float64]

FEWEST_EVENTS, MOST_BESIDE = 5, 2
MARKERS = "o^s"
"""Of the model and what stands beside it: years without neighbours are points without a line."""

TITLE = "Year by year"
CAPTION = (
    "Brier skill of each year against that year's own base rate: what is left when knowing the phase of the "
    "cycle earns nothing. A year with fewer than 5 events has no point; upright lines are 95 % intervals. "
    "Bars: events."
)


def draw_over_time(content: Content, event: str) -> Panel:
    """Brier skill score and events of each year."""
    from matplotlib.ticker import MaxNLocator

    if content.both(event):
        return Panel("over_time", TITLE, CAPTION, missing=content.both(event), event=event)
    rows = content.rows_of(event)
    start = content.forecasts["valid_from"].values[rows].astype("datetime64[s]")
    year = start.astype("datetime64[Y]").astype(int) + 1970
    occurred = content.occurred(event)[rows].astype(float)
    years = np.arange(year.min(), year.max() + 1)
    table: dict[str, list[object]] = {"year": years.tolist()}
    events = np.bincount(year - years[0], occurred, years.size)
    table["events"] = [int(n) for n in events]
    figure = paper(3.6)
    axes, below = figure.subplots(2, sharex=True, height_ratios=[2, 1])
    beside = [name for name in content.beside if content.probability(event, name) is not None]
    compared = [MODEL, *beside[:MOST_BESIDE]]
    for name, marker in reversed(list(zip(compared, MARKERS, strict=False))):
        probability = content.probability(event, name)
        assert probability is not None
        skill = [_skill(probability[rows][year == one], occurred[year == one]) for one in years]
        table[f"bss_{name}"] = [*skill]
        shown = [np.nan if value is None else value for value in skill]
        axes.plot(
            years,
            shown,
            marker=marker,
            ms=4 if name == MODEL else 3,
            label=label_of(name),
            **style_of(name, content.names),
        )
    bounds = _draw_bounds(axes, content, event)
    table |= {
        f"bss_{MODEL}_{side}": [bounds.get(one, (None, None))[n] for one in years.tolist()]
        for n, side in enumerate(("low", "high"))
    }
    axes.axhline(0, color=FAINT, lw=0.9)
    axes.set(ylabel="Brier skill")
    axes.set_ylim(max(axes.get_ylim()[0], -0.6), min(axes.get_ylim()[1], 1))
    figure.legend(ncols=3, loc="outside upper left")
    draw_grid(axes)
    below.bar(years, events, color=style_of(MODEL)["color"], width=0.7)
    below.set(ylabel="events", xlabel="year")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    caption = CAPTION
    if content.sunspots is not None:
        caption = f"{CAPTION} Area: monthly sunspot number ({content.sunspots.source})."
        _draw_sunspots(below, content.sunspots, years)
    return Panel("over_time", TITLE, caption, figure, table, event=event)


def _draw_bounds(axes: "Axes", content: Content, event: str) -> dict[int, tuple[float, float]]:
    """Intervals of the model's years, where scores.json has them."""
    found = {}
    for name, record in content.subsets(event, "bss", "year_").items():
        if record["low"] is not None:
            found[int(name)] = (float(record["low"]), float(record["high"]))
            axes.plot([int(name)] * 2, found[int(name)], color=style_of(MODEL)["color"], lw=1.2, alpha=0.6)
    return found


def _skill(probability: FloatArray, occurred: FloatArray) -> float | None:
    """Brier skill against the sample's own rate; None with too few events."""
    known = ~np.isnan(probability)
    probability, occurred = probability[known], occurred[known]
    if occurred.sum() < FEWEST_EVENTS or occurred.all():
        return None
    error = float(np.mean((probability - occurred) ** 2))
    return 1 - error / float(occurred.var())


def _draw_sunspots(axes: "Axes", sunspots: Sunspots, years: NDArray[np.int64]) -> None:
    """Monthly sunspot number as an area of its own scale."""
    place = 1970 + sunspots.month / (365.2425 * 86_400) - 0.5
    near = (place > years[0] - 0.6) & (place < years[-1] + 0.6)
    behind = axes.twinx()
    behind.fill_between(place[near], sunspots.number[near], color=GRID, lw=0)
    behind.set_ylabel("sunspot number", color=FAINT)
    behind.spines["right"].set_visible(False)
    behind.tick_params(axis="y", length=0, labelcolor=FAINT)
    behind.set_ylim(bottom=0)
    axes.set_zorder(2)
    axes.patch.set_visible(False)
