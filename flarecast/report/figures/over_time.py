"""Skill year by year, with the events of each year and the sunspot number behind."""

from dataclasses import dataclass
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
IntArray = NDArray[np.int64]

FEWEST_EVENTS, MOST_BESIDE = 5, 2
MARKERS = "o^s"
"""Of the model and what stands beside it: years without neighbours are points without a line."""

TITLE = "Year by year"
CAPTION = (
    "Brier skill of each year against that year's own base rate: what is left when knowing the phase of the "
    "cycle earns nothing. A year with fewer than 5 events has no point; upright lines are 95 % intervals. "
    "Bars: events."
)


@dataclass(frozen=True)
class Years:
    """Years of the windows scored, with the events and the Brier skill of each.

    Attributes:
        years: Ascending, without gaps, shape (year,).
        events: How many, shape (year,).
        skill: Of each forecast by name; None with too few events.
        bounds: Interval of the model's, of the years that have one.
    """

    years: IntArray
    events: IntArray
    skill: dict[str, list[float | None]]
    bounds: dict[int, tuple[float, float]]

    @property
    def table(self) -> dict[str, list[object]]:
        """All numbers, columns by name."""
        years = self.years.tolist()
        return {
            "year": years,
            "events": self.events.tolist(),
            **{f"bss_{name}": [*skill] for name, skill in self.skill.items()},
            **{
                f"bss_{MODEL}_{side}": [self.bounds.get(one, (None, None))[n] for one in years]
                for n, side in enumerate(("low", "high"))
            },
        }


def draw_over_time(content: Content, event: str) -> Panel:
    """Brier skill score and events of each year."""
    if content.both(event):
        return Panel("over_time", TITLE, CAPTION, missing=content.both(event), event=event)
    told = _count_years(content, event)
    figure = paper(3.6)
    axes, below = figure.subplots(2, sharex=True, height_ratios=[2, 1])
    _draw_skill(axes, told, content)
    figure.legend(ncols=3, loc="outside upper left")
    draw_grid(axes)
    _draw_events(below, told)
    caption = CAPTION
    if content.sunspots is not None:
        caption = f"{CAPTION} Area: monthly sunspot number ({content.sunspots.source})."
        _draw_sunspots(below, content.sunspots, told.years)
    return Panel("over_time", TITLE, caption, figure, told.table, event=event)


def _count_years(content: Content, event: str) -> Years:
    """Events and skill of each year, of the model and the most telling beside it, the model last."""
    rows = content.rows_of(event)
    start = content.forecasts["valid_from"].values[rows].astype("datetime64[s]")
    year = start.astype("datetime64[Y]").astype(int) + 1970
    occurred = content.occurred(event)[rows].astype(float)
    years = np.arange(year.min(), year.max() + 1)
    beside = [name for name in content.beside if content.probability(event, name) is not None]
    skill = {}
    for name in reversed([MODEL, *beside[:MOST_BESIDE]]):
        probability = content.probability(event, name)
        assert probability is not None
        skill[name] = [_skill(probability[rows][year == one], occurred[year == one]) for one in years]
    bounds = {
        int(name): (float(record["low"]), float(record["high"]))
        for name, record in content.subsets(event, "bss", "year_").items()
        if record["low"] is not None
    }
    events = np.bincount(year[occurred == 1] - years[0], minlength=years.size)
    return Years(years, events, skill, bounds)


def _draw_skill(axes: "Axes", told: Years, content: Content) -> None:
    """Skill of each forecast, the model on top with its intervals."""
    markers = reversed(MARKERS[: len(told.skill)])
    for (name, skill), marker in zip(told.skill.items(), markers, strict=True):
        axes.plot(
            told.years,
            [np.nan if value is None else value for value in skill],
            marker=marker,
            ms=4 if name == MODEL else 3,
            label=label_of(name),
            **style_of(name, content.names),
        )
    for year, bounds in told.bounds.items():
        axes.plot([year] * 2, bounds, color=style_of(MODEL)["color"], lw=1.2, alpha=0.6)
    axes.axhline(0, color=FAINT, lw=0.9)
    axes.set(ylabel="Brier skill")
    axes.set_ylim(max(axes.get_ylim()[0], -0.6), min(axes.get_ylim()[1], 1))


def _draw_events(axes: "Axes", told: Years) -> None:
    """Events of each year as bars."""
    from matplotlib.ticker import MaxNLocator

    axes.bar(told.years, told.events, color=style_of(MODEL)["color"], width=0.7)
    axes.set(ylabel="events", xlabel="year")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


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
