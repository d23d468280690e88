"""A study as one HTML file that needs nothing else: words, pictures, tables."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from flarecast.study.arms import CONTRASTS
from flarecast.study.sentences import NAMES

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0; }
td, th { padding: 0.15rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd; }
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) { text-align: left; }
svg { max-width: 100%; height: auto; }
details { margin: 0.5rem 0; }
"""
INTRODUCTION = (
    "Windows of one active region that overlap are near copies of each other. A model that is tested on "
    "copies of what it was trained on looks better than it is. Each question below is asked twice, the right "
    "way and the wrong way, on the same data; the difference has a 95 % interval from drawing regions, "
    "and 27-day rotations, again and again, the wider of the two."
)


def page(content: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """HTML of a study.

    Args:
        content: What study.json holds.
        pictures: SVG by name: inflation, remedies, reliability.
    """
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>Temporal coherence, {escape(content['run'])}</title><style>{STYLE}</style></head><body>",
        f"<h1>Temporal coherence: {escape(content['run'])}</h1>",
        f"<p>{escape(INTRODUCTION)}</p><p>{escape(content['about'])}</p>",
        "<h2>What each wrong way adds</h2>",
        pictures.get("inflation", ""),
    ]
    for name, contrast in content["contrasts"].items():
        parts += [f"<h2>{escape(CONTRASTS[name])}</h2>", f"<p>{escape(contrast['paragraph'])}</p>"]
        if name == "remedies":
            parts += [pictures.get("remedies", ""), "<h3>Reliability</h3>", pictures.get("reliability", "")]
        parts.append(_differences(contrast["rows"]))
    parts += ["<h2>All arms</h2>", _scores(content["arms"])]
    if content["refused"]:
        rows = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in content["refused"].items())
        parts.append(f"<h2>What could not be trained</h2><ul>{rows}</ul>")
    return "\n".join([*parts, "</body></html>\n"])


def _differences(rows: Sequence[Mapping[str, Any]]) -> str:
    """Table of a contrast, folded up."""
    head = ("model", "arm", "against", "score", "value", "against", "difference", "95 % interval")
    body = [
        (
            *(row["model"], row["arm"], row["against"], NAMES[row["score"]]),
            *(_cell(row[key]) for key in ("value", "value_against", "difference")),
            "" if row["low"] is None else f"{row['low']:+.3f} to {row['high']:+.3f}",
        )
        for row in rows
    ]
    return f"<details><summary>The numbers</summary>{table(head, body)}</details>"


def _scores(arms: Sequence[Mapping[str, Any]]) -> str:
    """Table of all arms, each on its own test windows."""
    scores = list(arms[0]["scores"]) if arms else []
    head = ("model", "arm", "windows", "events", *(NAMES[score] for score in scores))
    body = [
        (
            *(arm["model"], arm["arm"], f"{arm['n']:,}", f"{arm['n_events']:,}"),
            *(_cell(arm["scores"][score]["value"]) for score in scores),
        )
        for arm in arms
    ]
    return table(head, body)


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """An HTML table."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f"<table><tr>{top}</tr>{rows}</table>"


def _cell(value: float | None) -> str:
    """A number with three decimals, or a dash."""
    return "–" if value is None else f"{value:.3f}"
