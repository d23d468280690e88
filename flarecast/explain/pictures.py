"""Pictures of explanations: what forecasts lose without each unit, and where single forecasts come from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flarecast.describe.picture import check_name, make_figure, save_figure
from flarecast.explain.attributions import Attributions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 24
MOST_FEATURES = 12
MOST_WINDOWS = 8
MOST_TICKS = 12
COLOURS = {"feature": "#0077bb", "group": "#ee7733", "span": "#882255", "outcome": "#555555"}
"""After Paul Tol's schemes, like those of `describe.colours`."""

TITLES = {
    "feature": "features",
    "group": "groups of features",
    "span": "time before issue",
    "outcome": "history",
}
NAMES = {"bss": "Brier skill score", "roc_auc": "ROC AUC"}

DIVERGING = "PuOr_r"
"""Purple lowers, orange raises the log odds; told apart by every eye."""


def draw_importance(content: Mapping[str, Any], event: str, out: Path, score: str = "bss") -> None:
    """Draw what a score loses when each unit is permuted, with intervals.

    Args:
        content: What `explain_importance` gives.
        event: GOES class.
        out: Picture to write, .png, .svg or .pdf.
        score: One of the scores in it; where it is undefined, ROC AUC.

    Raises:
        FlarecastError: The picture's name ends otherwise.
    """
    check_name(out)
    records = [one for one in content["records"] if one["event"] == event]
    if not any(one["score"] == score and np.isfinite(one["drop"]) for one in records):
        score = "roc_auc"
    records = [one for one in records if one["score"] == score and np.isfinite(one["drop"])]
    kinds = {kind: _ordered(records, kind) for kind in TITLES}
    kinds = {kind: rows for kind, rows in kinds.items() if rows}
    heights = [0.75 + 0.22 * len(rows) for rows in kinds.values()] or [1.0]
    figure = make_figure(8, 0.7 + sum(heights))
    panels = figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]
    for axes, (kind, rows) in zip(panels, kinds.items(), strict=False):
        _draw_bars(axes, rows, COLOURS[kind])
        axes.set_title(TITLES[kind], loc="left", fontsize=10)
    if not kinds:
        panels[0].text(0.5, 0.5, "undefined for these windows", ha="center", transform=panels[0].transAxes)
    first = records[0] if records else {"base": np.nan, "n": 0, "n_events": 0}
    told = f"{event}, role {content['role']}: {first['n_events']:,} events in {first['n']:,} windows"
    title = f"{content['name']}, {told}; {NAMES[score]} {first['base']:.3f}"
    figure.suptitle(title, fontsize=11, ha="left", x=0.01)
    sure = any(np.isfinite(one["low"]) for one in records)
    interval = "with interval" if sure else "too few events for an interval"
    panels[-1].set_xlabel(f"{NAMES[score]} lost when permuted, {interval} (each panel has its own scale)")
    save_figure(figure, out)


def _ordered(records: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Records of one kind, the largest drop first; spans stay in time."""
    rows = [one for one in records if one["kind"] == kind]
    if kind == "span":
        return rows
    return sorted(rows, key=lambda one: -one["drop"])[:MOST_BARS]


def _draw_bars(axes: "Axes", rows: Sequence[Mapping[str, Any]], colour: str) -> None:
    """A bar for each record, its interval over it where there is one."""
    place = np.arange(len(rows))
    drop = np.array([one["drop"] for one in rows], dtype=np.float64)
    ends = np.array([[one["low"], one["high"]] for one in rows], dtype=np.float64)
    axes.barh(place, drop, 0.7, color=colour, zorder=2)
    sure = np.isfinite(ends).all(axis=1)
    far = np.maximum(np.stack([drop - ends[:, 0], ends[:, 1] - drop]), 0)[:, sure]
    axes.errorbar(
        drop[sure], place[sure], xerr=far, fmt="none", ecolor="black", capsize=2, linewidth=1, zorder=3
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(place, [one["unit"] for one in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.spines[["top", "right"]].set_visible(False)


def draw_attributions(found: Sequence[Attributions], out: Path) -> None:
    """Draw shares of log odds by feature and step, a panel a window; at most eight windows.

    Raises:
        FlarecastError: The picture's name ends otherwise.
    """
    check_name(out)
    shown = found[:MOST_WINDOWS]
    height = 0.8 + 0.19 * min(MOST_FEATURES, max(len(one.features) for one in shown))
    figure = make_figure(9, 0.8 + height * len(shown))
    table = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(3, 1))
    for (left, right), one in zip(table, shown, strict=True):
        order = np.argsort(-np.abs(one.shares).sum(axis=0), kind="stable")[:MOST_FEATURES]
        names = [one.features[place] for place in order]
        _draw_map(left, one, order, names)
        total = one.shares[:, order].sum(axis=0)
        raised, lowered = "#e66101", "#5e3c99"
        right.barh(range(len(names)), total, color=[raised if one > 0 else lowered for one in total])
        right.set_yticks([])
        right.set_ylim(len(names) - 0.5, -0.5)
        right.axvline(0, color="black", linewidth=0.8)
        right.tick_params(labelsize=8)
        right.spines[["top", "right", "left"]].set_visible(False)
    table[-1][0].set_xlabel("steps before issue")
    table[-1][1].set_xlabel("log odds, all steps")
    told = f"log odds of {shown[0].event}, window against training mean"
    left_out = f" (the first {len(shown)} of {len(found)})" if len(found) > len(shown) else ""
    figure.suptitle(f"Integrated gradients: {told}{left_out}", fontsize=11, ha="left", x=0.01)
    save_figure(figure, out)


def _draw_map(axes: "Axes", one: Attributions, order: np.ndarray, names: Sequence[str]) -> None:
    """Shares by feature and step in colours that diverge from 0."""
    shares = one.shares[:, order].T
    most = max(float(np.abs(shares).max()), 1e-12)
    image = axes.imshow(shares, aspect="auto", cmap=DIVERGING, vmin=-most, vmax=most, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, pad=0.01).ax.tick_params(labelsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    last = shares.shape[1] - 1
    before = range(0, last + 1, 1 + last // MOST_TICKS)
    axes.set_xticks([last - step for step in before], [str(step) for step in before], fontsize=8)
    raised = one.log_odds - one.baseline
    axes.set_title(
        f"{one.choice.name}: p = {one.probability:.3f}, log odds {one.log_odds:.2f} ({raised:+.2f})",
        loc="left",
        fontsize=9,
    )
