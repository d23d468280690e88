"""A run as one page that people read, a model card, and its figures as files."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flarecast.files import replacing
from flarecast.report.canvas import SETTINGS, Panel, as_bytes, inlined
from flarecast.report.content import read_content
from flarecast.report.figures import draw_all
from flarecast.report.page import model_card, page
from flarecast.run_folder import RunFolder

__all__ = ["Panel", "write_report"]

FIGURE_FORMATS = ("svg", "pdf")


def write_report(run: RunFolder, sunspots: Path | None = None) -> list[Panel]:
    """Write report.html, MODEL_CARD.md and figures/ of a run.

    Args:
        run: With scores.json and calibrated.nc (or forecasts.nc) at least; all else may be absent.
        sunspots: SILSO's daily or monthly file; without it what the windows have is drawn.

    Returns:
        The figures, those that are missing included.

    Raises:
        FlarecastError: There are no scores or no forecasts, or a file is damaged.
    """
    import matplotlib as mpl

    content = read_content(run, sunspots)
    pictures: dict[str, str] = {}
    panels = []
    with mpl.rc_context(SETTINGS):
        for panel in draw_all(content):
            if panel.figure is not None:
                pictures[panel.name] = _write_figure(run.figures, panel, len(pictures))
            panels.append(panel)
    _write(run.card, model_card(content))
    _write(run.report, page(content, panels, pictures))
    return panels


def _write_figure(folder: Path, panel: Panel, number: int) -> str:
    """Write one figure and its numbers; returns it as SVG for the page."""
    from flarecast.describe.picture import settle

    assert panel.figure is not None
    settle(panel.figure)
    for kind in FIGURE_FORMATS:
        with replacing(folder / f"{panel.name}.{kind}") as aside:
            content = as_bytes(panel.figure, kind)
            aside.write_bytes(content)
        if kind == "svg":
            svg = content
    if panel.table:
        _write(folder / f"{panel.name}.csv", _as_csv(panel.table))
    return inlined(svg, f"f{number}", f"{panel.title} {panel.event}".strip())


def _as_csv(table: Mapping[str, Sequence[Any]]) -> str:
    """Columns of one length as CSV; what is missing is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(["" if value is None or value != value else value for value in row])
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    """Write text aside and rename it."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")
