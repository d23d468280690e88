"""The study of calibration as one HTML file, and the one picture of its lesson."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from flarecast.report.document import Document, Part, Picture, document_page, plain_table
from flarecast.report.tables import Table
from flarecast.study.calibration_words import QUESTIONS, told
from flarecast.study.figures import COLOURS, MARKS, draw_legend, draw_svg, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = ("bss", "log_loss", "ece", "calibration_slope", "calibration_intercept", "bss_minus_raw")
NAMES = ("BSS", "log loss", "ECE", "slope", "intercept", "BSS minus raw")
LOWEST = -0.6
"""Bars of BSS are cut here; the number is written beside them."""


def page(content: Mapping[str, Any], picture: str) -> str:
    """HTML of a study.

    Args:
        content: What study.json holds.
        picture: SVG.
    """
    tables = {"calibrators": (_scores, "scores"), "years": (_years, "years")}
    sections = [Part("At a glance", pictures=(Picture(picture, "reliability, Brier skill and years"),))]
    for name, question in QUESTIONS.items():
        found = tuple(make(content[key]) for of, (make, key) in tables.items() if of == name)
        sections.append(Part(question, (content["paragraphs"][name],), tables=found, folded=True))
    about = (str(content["about"]),)
    return document_page(Document("study of calibration", content["run"], about, tuple(sections)))


def draw_lesson(content: Mapping[str, Any]) -> tuple[str, bytes]:
    """Reliability, BSS raw and calibrated, and the years: one picture as SVG and as PNG."""
    figure = new_figure(12, 4)
    left, middle, right = figure.subplots(1, 3)
    _draw_reliability(left, content["reliability"], content["event"])
    _draw_bss(middle, [row for row in content["scores"] if row["event"] == content["event"]])
    _draw_years(right, content["years"])
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=100, metadata={"Software": None})
    return draw_svg(figure), png.getvalue()


def _draw_reliability(axes: "Axes", points: Mapping[str, Sequence[Mapping[str, float]]], event: str) -> None:
    """How often the event came against how likely it was said, with bands."""
    for nth, (label, found) in enumerate(points.items()):
        colour, mark = COLOURS[nth % len(COLOURS)], MARKS[nth % len(MARKS)]
        said, came, low, high = (
            np.array([point[key] for point in found]) for key in ("forecast", "frequency", "low", "high")
        )
        axes.fill_between(said, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(said, came, color=colour, marker=mark, markersize=4, linewidth=1, label=label)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
    axes.set_xlabel("forecast probability")
    axes.set_ylabel("observed frequency")
    axes.set_title(f"{event}: reliability")
    axes.legend(fontsize=8, frameon=False)


def _draw_bss(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    """Bars of BSS, raw and by Platt scaling, a pair a contender; far below 0 they are cut."""
    contenders = list(dict.fromkeys(row["contender"] for row in rows))
    for nth, way in enumerate(("raw", "platt")):
        mine = {row["contender"]: row["bss"] for row in rows if row["way"] == way}
        drawn = [one for one in contenders if mine[one]["value"] is not None]
        for contender in drawn:
            value, place = mine[contender]["value"], contenders.index(contender)
            at, height = place + (nth - 0.5) * 0.4, max(value, LOWEST)
            name = ("raw", "calibrated")[nth] if contender == drawn[0] else None
            axes.bar(at, height, 0.36, color=COLOURS[nth], label=name)
            below = value < 0
            axes.annotate(
                f"{value:.2f}", (at, height), (0, 2 if not below else -2), textcoords="offset points",
                ha="center", va="bottom" if not below else "top", fontsize=8,
            )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.05, high + 0.05)
    axes.set_xticks(range(len(contenders)), [name.replace("_", "\n") for name in contenders])
    axes.set_title("Brier skill score")
    draw_legend(axes, fontsize=7, loc="lower left", handlelength=1)


def _draw_years(axes: "Axes", rows: Sequence[Mapping[str, Any]]) -> None:
    """How often the event came each year, and the mean of what was said."""
    year = [row["year"] for row in rows]
    axes.plot(year, [row["rate"] for row in rows], "o", color="black", label="observed")
    for nth, (way, label) in enumerate((("platt", "frozen calibration"), ("sequential", "sequential"))):
        said = [row["mean_probability"][way] for row in rows]
        axes.plot(year, said, color=COLOURS[nth], marker=MARKS[nth], markersize=3, linewidth=1, label=label)
    axes.set_ylim(0, None)
    axes.locator_params(axis="x", integer=True)
    axes.set_title("Event rate and mean forecast by year")
    axes.legend(fontsize=8, frameon=False)


def _scores(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Table of every contender, event and way."""
    body = [
        (
            *(row["contender"], f"{row['event']}, {row['way']}"),
            *(told(row[score], signed=score == "bss_minus_raw") for score in SHOWN),
            "–" if row["p_value"] is None else f"{row['p_value']:.3f}",
        )
        for row in rows
    ]
    head = ("contender", "event, calibration", *NAMES, "p value of calibration")
    return plain_table(head, body)


def _years(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Table of the years."""
    ways = list(rows[0]["brier"]) if rows else []
    head = (
        "year",
        "windows",
        "events",
        "rate",
        *(f"mean, {way}" for way in ways),
        *(f"Brier, {way}" for way in ways),
    )
    body = [
        (
            *(str(row["year"]), f"{row['n']:,}", f"{row['n_events']:,}", f"{row['rate']:.4f}"),
            *(f"{row['mean_probability'][way]:.4f}" for way in ways),
            *(f"{row['brier'][way]:.5f}" for way in ways),
        )
        for row in rows
    ]
    return plain_table(head, body)
