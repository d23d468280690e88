"""Pictures of a study as SVG text: inflation, remedies, reliability."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from flarecast.study.scoring import rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0077bb", "#ee7733", "#555555", "#882255", "#33bbee", "#aa8833")
MARKS = ("o", "s", "^", "D", "v", "P")
RELIABILITY_BINS = 10
TICKS = (-20, -5, -2, -1, -0.5, 0, 0.5)

INFLATING = ("random_split", "inner_validation", "normalisation", "resampled_test", "threshold")
"""Contrasts that are shown as inflation of the TSS."""


def draw_inflation(contrasts: Mapping[str, Mapping[str, Any]]) -> str:
    """Bars of what each wrong way adds to the TSS, with intervals, a colour a model."""
    rows = [
        row
        for name in INFLATING
        for row in contrasts.get(name, {"rows": []})["rows"]
        if row["score"] == "tss" and row["difference"] is not None and not row["arm"].startswith("test,")
    ]
    labels = list(dict.fromkeys(row["arm"] for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    figure = new_figure(8, 1.2 + 0.5 * max(1, len(labels)))
    axes = figure.subplots()
    height = 0.8 / max(1, len(models))
    for nth, model in enumerate(models):
        mine = [row for row in rows if row["model"] == model]
        place = np.array([labels.index(row["arm"]) for row in mine]) + (nth - (len(models) - 1) / 2) * height
        value = np.array([row["difference"] for row in mine])
        axes.barh(place, value, 0.9 * height, color=COLOURS[nth % len(COLOURS)], label=model)
        sure = np.array([row["low"] is not None for row in mine], dtype=np.bool_)
        ends = np.array([[row["low"], row["high"]] for row in mine if row["low"] is not None]).reshape(-1, 2)
        spread = np.maximum(np.stack([value[sure] - ends[:, 0], ends[:, 1] - value[sure]]), 0)
        axes.errorbar(
            value[sure], place[sure], xerr=spread, fmt="none", ecolor="black", capsize=2, linewidth=1
        )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("TSS added, with 95 % interval")
    draw_legend(axes)
    return draw_svg(figure)


def draw_remedies(rows: Sequence[Mapping[str, Any]]) -> str:
    """TSS against BSS of every remedy, raw hollow and calibrated filled, joined by a line."""
    figure = new_figure(8, 5)
    axes = figure.subplots()
    cells = {(row["model"], row["arm"], row["score"]): row["value"] for row in rows}
    plain = {(row["model"], row["score"]): row["value_against"] for row in rows}
    models = list(dict.fromkeys(row["model"] for row in rows))
    for nth, model in enumerate(models):
        colour, mark = COLOURS[nth % len(COLOURS)], MARKS[nth % len(MARKS)]
        arms = list(dict.fromkeys(row["arm"] for row in rows if row["model"] == model))
        found = [[cells.get((model, arm, score)) for score in ("bss_raw", "bss", "tss")] for arm in arms]
        points = [[float(value) for value in point if value is not None] for point in found]
        points = [point for point in points if len(point) == 3]
        for raw, mended, tss in points:
            axes.plot([raw, mended], [tss, tss], color=colour, linewidth=0.6, alpha=0.6)
        table = np.array(points, dtype=np.float64).reshape(-1, 3)
        axes.plot(table[:, 0], table[:, 2], mark, color=colour, fillstyle="none", label=f"{model}, raw")
        axes.plot(table[:, 1], table[:, 2], mark, color=colour, label=f"{model}, calibrated")
        if None not in (plain.get((model, "bss")), plain.get((model, "tss"))):
            where = plain[model, "bss"], plain[model, "tss"]
            axes.plot(
                *where, mark, color=colour, markersize=13, fillstyle="none", label=f"{model}, no remedy"
            )
    axes.set_xscale("symlog", linthresh=0.5)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("Brier skill score (linear to 0.5, then logarithmic)")
    axes.set_ylabel("TSS at the threshold from calibration")
    draw_legend(axes)
    return draw_svg(figure)


def draw_reliability(named: Mapping[str, xr.Dataset], event: int) -> str:
    """How often the event came against how likely it was said, raw and calibrated, an arm a line."""
    figure = new_figure(8, 4.2)
    for axes, variable, title in zip(
        figure.subplots(1, 2, sharey=True),
        ("probability_raw", "probability"),
        ("raw", "calibrated"),
        strict=True,
    ):
        for nth, (name, forecasts) in enumerate(named.items()):
            rows = rows_of(forecasts, event)
            said = forecasts[variable].values[rows, event]
            came = forecasts["occurred"].values[rows, event] == 1
            bins = np.minimum((said * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
            number = np.bincount(bins, minlength=RELIABILITY_BINS)
            filled = number >= 5
            mean = np.bincount(bins, said, RELIABILITY_BINS)[filled] / number[filled]
            rate = np.bincount(bins, came, RELIABILITY_BINS)[filled] / number[filled]
            style = {"color": COLOURS[nth % len(COLOURS)], "marker": MARKS[nth % len(MARKS)]}
            axes.plot(mean, rate, label=name, linewidth=1, markersize=4, **style)
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
        axes.set_title(title)
        axes.set_xlabel("forecast probability")
    figure.axes[0].set_ylabel("observed frequency")
    draw_legend(figure.axes[0])
    return draw_svg(figure)


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure that belongs to no window system."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def draw_legend(axes: "Axes", **style: Any) -> None:
    """A legend where something has a name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**{"fontsize": 8, "frameon": False} | style)


def draw_svg(figure: "Figure") -> str:
    """The figure as one SVG element, the same bytes for the same numbers."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "flarecast", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
