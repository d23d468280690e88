"""Windows or flares over time by class, with the solar cycles and the sunspot number behind."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from flarecast import cycles
from flarecast.describe.colours import CLASS_COLOURS
from flarecast.describe.content import kind_of
from flarecast.describe.counts import CLASSES, IntArray, class_numbers
from flarecast.describe.of_flares import read_flares
from flarecast.describe.sunspots import Sunspots, find_sunspots
from flarecast.errors import FlarecastError
from flarecast.exchange import open_forecasts
from flarecast.files import replacing
from flarecast.schema import WINDOWS, open_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
_WEEK, _ROTATION = 7 * cycles.DAY, cycles.ROTATION_DAYS * cycles.DAY
_SHORT = 2 * 365 * cycles.DAY


def plot(path: Path, out: Path, sunspots: Path | None = None) -> None:
    """Draw a panel for each class: how many windows (or flares) of it begin in each week or rotation.

    Args:
        path: windows.nc, forecasts or flares.csv.
        out: Picture to write, .png, .svg or .pdf.
        sunspots: SILSO's daily or monthly file, drawn behind; else what `find_sunspots` finds in windows.

    Raises:
        FlarecastError: Nothing in the file has a time and a class, or the picture's name ends otherwise.
    """
    check_name(out)
    time, numbers, what, windows = _classes(path)
    if not time.size:
        raise FlarecastError(f"{path}: expected {what} to draw, got none")
    monthly = find_sunspots(sunspots, windows)
    shown = [name for name in CLASS_COLOURS if (numbers == CLASSES.index(name)).any()]
    figure = make_figure(10, 1.1 + 1.25 * len(shown))
    panels = figure.subplots(len(shown), sharex=True, squeeze=False)[:, 0]
    edges = edges_of(time)
    for axes, name in zip(panels, shown, strict=True):
        draw_behind(axes, edges, monthly)
        _draw_class(axes, edges, time[numbers == CLASSES.index(name)], name)
    _finish(figure, panels, edges, (path.name, what), monthly)
    save_figure(figure, out)


def check_name(out: Path) -> None:
    """Raise unless the name of a picture says what it is."""
    if out.suffix.lower().removeprefix(".") not in FORMATS:
        raise FlarecastError(f"{out}: expected a name that ends in .png, .svg or .pdf, got {out.suffix!r}")


def make_figure(width: float, height: float) -> "Figure":
    """An empty figure [inch] that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: "Figure", out: Path) -> None:
    """Write a figure; no date and no random names inside, so that the same data give the same bytes."""
    import matplotlib as mpl

    kind = out.suffix.lower().removeprefix(".")
    settle(figure)
    with replacing(out) as aside, mpl.rc_context({"svg.hashsalt": "flarecast"}):
        figure.savefig(aside, format=kind, dpi=150, metadata=METADATA[kind])


def settle(figure: "Figure") -> None:
    """Lay a figure out once and for all: the layout's solver differs in the last bits from call to call."""
    figure.draw_without_rendering()
    figure.set_layout_engine(None)
    for axes in figure.axes:
        axes.set_position(tuple(round(part, 6) for part in axes.get_position().bounds))


METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": "flarecast"},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def _classes(path: Path) -> tuple[IntArray, IntArray, str, xr.Dataset | None]:
    """Time and class of each window or flare, what they are, and the windows where it is those."""
    kind = kind_of(path)
    if kind == "flares":
        flares = read_flares(path)
        return flares.peak, class_numbers(flares.flux, flares.flux_upper), "flares", None
    if kind == "split":
        raise FlarecastError(f"{path}: expected windows, forecasts or flares to draw, got a split")
    dataset: xr.Dataset = open_file(path, WINDOWS) if kind == "windows" else open_forecasts(path)
    if "peak_flux" not in dataset or "peak_flux_upper" not in dataset:
        raise FlarecastError(
            f"{path}: expected forecasts that know their peak fluxes, got none; draw the windows"
        )
    numbers = class_numbers(dataset["peak_flux"].values, dataset["peak_flux_upper"].values)
    return dataset["valid_from"].values, numbers, "windows", dataset if kind == "windows" else None


def edges_of(time: IntArray) -> IntArray:
    """Edges of the bins [s since 1970]: weeks for up to two years, else 27-day Bartels rotations."""
    step = _WEEK if time.max() - time.min() <= _SHORT else _ROTATION
    origin = cycles.seconds("1832-02-08")
    first, last = (int(moment - origin) // step for moment in (time.min(), time.max()))
    edges: IntArray = origin + step * np.arange(first, last + 2)
    return edges


def _draw_class(axes: "Axes", edges: IntArray, time: IntArray, name: str) -> None:
    """Bars of one class."""
    from matplotlib.ticker import MaxNLocator

    counts, _ = np.histogram(time, edges)
    axes.bar(
        dates_of(edges[:-1]),
        counts,
        width=np.timedelta64(int(edges[1] - edges[0]), "s"),
        align="edge",
        color=CLASS_COLOURS[name],
        zorder=3,
    )
    axes.set_ylim(0, max(1, counts.max()) * 1.15)
    axes.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold", color=CLASS_COLOURS[name])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.text(1.01, 0.5, f"{time.size:,}", transform=axes.transAxes, va="center", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def draw_behind(axes: "Axes", edges: IntArray, monthly: Sunspots | None) -> None:
    """Every other cycle shaded, and the sunspot number as an area of its own scale."""
    first, last = int(edges[0]), int(edges[-1])
    behind = axes.twinx()
    for number in cycles.CYCLES:
        start, end = cycles.span(number)
        if number % 2 and start < last and end > first:
            left, right = dates_of(np.array([max(start, first), min(end, last)]))
            behind.axvspan(left, right, color="#f1efe6", zorder=0, lw=0)
    top = 1.0
    if monthly is not None:
        near = (monthly.month > first - _ROTATION * 2) & (monthly.month < last + _ROTATION * 2)
        spots = monthly.number[near]
        months = dates_of(monthly.month[near])
        behind.fill_between(months, spots, color="#d2d2d2", lw=0, zorder=1)
        top = max(spots.max(initial=0.0) * 1.15, 1.0)
        _draw_in_front(axes, months, spots, top)
    behind.set_ylim(0, top)
    behind.set_yticks([])
    behind.spines[["top", "right"]].set_visible(False)
    behind.set_zorder(1)
    axes.set_zorder(2)
    axes.patch.set_visible(False)


def _draw_in_front(axes: "Axes", months: Any, spots: Any, top: float) -> None:
    """The edge of the area, before the bars, which may hide all of it."""
    front = axes.twinx()
    front.plot(months, spots, color="#9a9a9a", lw=0.9)
    front.set_ylim(0, top)
    front.set_axis_off()
    front.set_zorder(3)


def _finish(
    figure: Any, panels: Any, edges: IntArray, told: tuple[str, str], monthly: Sunspots | None
) -> None:
    """Title, cycle numbers above the first panel, credit below the last."""
    name, what = told
    first, last = int(edges[0]), int(edges[-1])
    for number in cycles.CYCLES:
        start, end = (min(max(moment, first), last) for moment in cycles.span(number))
        if end - start > 0.04 * (last - first):
            panels[0].annotate(
                f"cycle {number}",
                (dates_of(np.array([(start + end) // 2]))[0], 1.02),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
                fontsize=9,
                color="#555555",
            )
    days = round(int(edges[1] - edges[0]) / cycles.DAY)
    behind = " (grey: monthly sunspot number)" if monthly is not None else ""
    figure.suptitle(f"{name}: {what} by class per {days} days{behind}", fontsize=11, ha="left", x=0.01)
    panels[-1].set_xlim(*dates_of(np.array([first, last])))
    if monthly is not None:
        panels[-1].annotate(
            monthly.credit,
            (1, 0),
            (0, -24),
            "axes fraction",
            "offset points",
            fontsize=7,
            ha="right",
            va="top",
        )


def dates_of(time: IntArray) -> Any:
    """Times for matplotlib."""
    return time.astype("datetime64[s]")
