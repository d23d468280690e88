"""A split over time: who is trained on, chosen by, calibrated on and tested, with the events of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes
from flarecast.describe.colours import ROLE_COLOURS, ROLE_HATCHES
from flarecast.describe.counts import IntArray
from flarecast.describe.picture import (
    check_name,
    dates_of,
    draw_behind,
    edges_of,
    make_figure,
    save_figure,
)
from flarecast.describe.sunspots import Sunspots, find_sunspots
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BINS = 900
"""Bins of time for roles; one is about a pixel and a half wide."""

_HATCH_COLOURS = {"unused": "#8a8a8a"}


@dataclass(frozen=True)
class Content:
    """What is drawn: issue times, roles, whether the event occurred, bins for roles and for events."""

    time: IntArray
    role: NDArray[np.int8]
    occurred: NDArray[np.bool_]
    event: str
    fine: IntArray
    coarse: IntArray


def plot_split(
    windows: xr.Dataset,
    split: xr.Dataset,
    out: Path,
    event: str = "M1.0",
    sunspots: Path | None = None,
) -> None:
    """Draw roles over time: a row for each fold, and of a single fold a panel for each role.

    Args:
        windows: A windows Dataset.
        split: Its split.
        out: Picture to write, .png, .svg or .pdf.
        event: GOES class whose events are marked.
        sunspots: SILSO's daily or monthly file, drawn behind; else what `find_sunspots` finds in windows.

    Raises:
        FlarecastError: The picture's name ends otherwise, or the split has another number of windows.
    """
    check_name(out)
    save_figure(draw_split(windows, split, event, find_sunspots(sunspots, windows)), out)


def draw_split(
    windows: xr.Dataset,
    split: xr.Dataset,
    event: str,
    monthly: Sunspots | None = None,
    width: float = 10,
) -> "Figure":
    """Draw what `plot_split` writes.

    Args:
        windows: A windows Dataset.
        split: Its split.
        event: GOES class whose events are marked.
        monthly: Sunspot numbers, drawn behind.
        width: Of the figure [inch].

    Raises:
        FlarecastError: The split has another number of windows.
    """
    role, time = split["role"].values, windows["issue_time"].values
    if not len(role) or role.shape[1] != time.size or not time.size:
        raise FlarecastError(
            f"split: expected roles for {time.size:,} windows to draw, got {len(role)} folds of "
            f"{role.shape[1]:,}; split these windows again"
        )
    occurred = goes.occurred_table(windows, (event,))[:, 0] == 1
    content = Content(time, role, occurred, event, _fine_edges(time), edges_of(time))
    roles = [name for name in ROLE_COLOURS if (role == ROLES.index(name)).any()]
    lanes = [name for name in roles if name != "unused"] if len(role) == 1 else []
    heights = [1.5, 0.25 + 0.42 * len(role), *[0.9] * len(lanes)]
    figure = make_figure(width, 1.0 + sum(heights))
    panels = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    _draw_events(panels[0], content, monthly)
    _draw_folds(panels[1], content, str(split.attrs.get("fold_names", "")).splitlines())
    for axes, name in zip(panels[2:], lanes, strict=True):
        _draw_role(axes, content, name)
    panels[-1].set_xlim(*dates_of(content.coarse[[0, -1]]))
    _space_dates(panels[-1], width)
    _finish(figure, roles, content, split)
    if monthly is not None:
        credit = f"Grey: {monthly.credit[0].lower()}{monthly.credit[1:]}".replace(": WDC", ",\nWDC")
        panels[-1].set_xlabel(credit, fontsize=7, loc="right", color="#555555")
    return figure


def _fine_edges(time: IntArray) -> IntArray:
    """Edges of the bins of roles [s since 1970], whole days."""
    first, last = int(time.min()) // cycles.DAY, int(time.max()) // cycles.DAY + 1
    step = max(1, -(-(last - first) // MOST_BINS))
    edges: IntArray = cycles.DAY * np.arange(first, last + step, step)
    return edges


def _draw_events(axes: "Axes", content: Content, monthly: Sunspots | None) -> None:
    """Events per week or rotation in front of cycles and sunspot numbers."""
    from matplotlib.ticker import MaxNLocator

    draw_behind(axes, content.coarse, monthly)
    counts = _bars(axes, content, content.occurred)
    axes.set_ylim(0, max(1, counts.max(initial=0)) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    axes.set_ylabel(f"{content.event}\nwindows", rotation=0, ha="right", va="center")
    axes.spines[["top", "right"]].set_visible(False)
    first, last = content.coarse[[0, -1]].tolist()
    for number in cycles.CYCLES:
        start, end = (min(max(moment, first), last) for moment in cycles.span(number))
        if end - start > 0.04 * (last - first):
            middle = dates_of(np.array([(start + end) // 2]))[0]
            axes.annotate(
                f"cycle {number}",
                (middle, 1.0),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=9,
                color="#555555",
            )


def _bars(axes: "Axes", content: Content, chosen: NDArray[np.bool_], top: float = 0.0) -> IntArray:
    """Black bars of the events among some windows, from below, or from the top down where one is given."""
    counts, _ = np.histogram(content.time[chosen], content.coarse)
    width = np.timedelta64(int(content.coarse[1] - content.coarse[0]), "s")
    heights = counts if not top else -counts
    axes.bar(
        dates_of(content.coarse[:-1]), heights, width, bottom=top, align="edge", color="#111111", zorder=4
    )
    return counts


def _draw_role(axes: "Axes", content: Content, name: str) -> None:
    """Windows of one role per bin, from below, and its events from above."""
    mine = content.role[0] == ROLES.index(name)
    edges = content.fine
    counts, _ = np.histogram(content.time[mine], edges)
    top = max(1, counts.max(initial=0)) * 1.9
    _fill(axes, edges, (np.zeros(counts.size), counts.astype(np.float64)), name, hatched=False)
    events = axes.twinx()
    most = max(1, int(np.histogram(content.time[content.occurred], content.coarse)[0].max(initial=0)))
    _bars(events, content, mine & content.occurred, top=most * 2.3)
    events.set_ylim(0, most * 2.3)
    axes.set_ylim(0, top)
    for side in (axes, events):
        side.set_yticks([])
        side.spines[["top", "right", "left"]].set_visible(False)
    axes.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
    n_events = int((mine & content.occurred).sum())
    text = f"{mine.sum():,}\n{n_events:,} {content.event}"
    axes.text(1.01, 0.5, text, transform=axes.transAxes, va="center", fontsize=9)


def _draw_folds(axes: "Axes", content: Content, names: list[str]) -> None:
    """A row for each fold: the share of its windows that each role has, bin by bin."""
    bins = (np.searchsorted(content.fine, content.time, side="right") - 1).clip(max=content.fine.size - 2)
    n_bins = content.fine.size - 1
    for fold, role in enumerate(content.role):
        table = np.bincount(bins * len(ROLES) + role, minlength=n_bins * len(ROLES)).reshape(n_bins, -1)
        total = table.sum(axis=1)
        share = np.divide(table, total[:, None], out=np.full(table.shape, np.nan), where=total[:, None] > 0)
        low = np.full(n_bins, float(fold) + 0.4)
        for name in ROLE_COLOURS:
            high = low - 0.8 * share[:, ROLES.index(name)]
            _fill(axes, content.fine, (high, low), name)
            low = high
        tested = role == ROLES.index("test")
        kind = "test" if tested.any() else "calibration"
        mine = tested if tested.any() else role == ROLES.index(kind)
        text = f"{kind} {mine.sum():,}\n{(mine & content.occurred).sum():,} {content.event}"
        if len(content.role) == 1:
            text = f"{(role == ROLES.index('unused')).sum():,}\nunused"
        axes.annotate(text, (1.01, fold), xycoords=("axes fraction", "data"), va="center", fontsize=7.5)
    n_folds = len(content.role)
    axes.set_ylim(n_folds - 0.45, -0.55)
    labels = ["share"]
    if n_folds > 1:
        known = names if len(names) == n_folds else [""] * n_folds
        labels = [f"{fold}: {name}".rstrip(": ") for fold, name in enumerate(known)]
    axes.set_yticks(range(n_folds), labels, fontsize=8 if n_folds > 1 else 10)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _fill(axes: "Axes", edges: IntArray, between: tuple[Any, Any], name: str, hatched: bool = True) -> None:
    """Area between two heights per bin in the colour and hatch of a role."""
    low, high = (np.repeat(heights, 2) for heights in between)  # both ends of each bin
    axes.fill_between(
        dates_of(np.repeat(edges, 2)[1:-1]),
        low,
        high,
        where=~np.isclose(low, high) & np.isfinite(low),
        facecolor=ROLE_COLOURS[name],
        hatch=ROLE_HATCHES[name] if hatched else None,
        edgecolor=_HATCH_COLOURS.get(name, "white"),
        lw=0,
        zorder=3,
    )


def _space_dates(axes: "Axes", width: float) -> None:
    """So few dates that they do not touch: two inches of the width or more are beside the panels."""
    from matplotlib.dates import DAILY, MONTHLY, YEARLY, AutoDateLocator

    room = max(3, int(width) - 2)
    most = {YEARLY: room * 3 // 2, MONTHLY: room, DAILY: room}
    locator: Any = AutoDateLocator(minticks=2, maxticks=most)  # type: ignore[no-untyped-call]  # it has no types
    locator.intervald |= {MONTHLY: [1, 2, 3, 4, 6, 12], DAILY: [1, 2, 3, 7, 14, 21, 31]}
    axes.xaxis.set_major_locator(locator)


def _finish(figure: Any, roles: list[str], content: Content, split: xr.Dataset) -> None:
    """Title with embargo and bins, and the legend of roles."""
    from matplotlib.patches import Patch

    hours = float(split.attrs["embargo_hours"])
    embargo = f"embargo {hours:g} h" if hours < 96 else f"embargo {hours / 24:g} d"
    if not hours:
        embargo = "no embargo"
    days = [round(int(edges[1] - edges[0]) / cycles.DAY) for edges in (content.fine, content.coarse)]
    title = f"{split.attrs['strategy']}, {embargo}; roles per {days[0]} d, events per {days[1]} d"
    figure.suptitle(title, fontsize=11, ha="left", x=0.01)
    handles = [
        Patch(
            facecolor=ROLE_COLOURS[name],
            hatch=ROLE_HATCHES[name],
            edgecolor=_HATCH_COLOURS.get(name, "white"),
            lw=0,
            label=name if name != "unused" else "unused (outside, embargo, border)",
        )
        for name in roles
    ]
    handles.append(Patch(color="#111111", label=f"windows with an event of {content.event} or more"))
    columns = min(len(handles), max(1, int(figure.get_figwidth() / 1.6)))
    figure.legend(handles=handles, loc="outside lower left", ncols=columns, fontsize=8, frameon=False)
