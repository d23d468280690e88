"""A study as one HTML file that needs nothing else: words, pictures, tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from flarecast.report.document import Document, Part, Picture, document_page, plain_table
from flarecast.report.tables import Table
from flarecast.study.arms import CONTRASTS
from flarecast.study.sentences import NAMES

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
    inflation = _shown(pictures, "inflation", "what each wrong way adds to the TSS")
    sections = [Part("What each wrong way adds", pictures=inflation)]
    for name, contrast in content["contrasts"].items():
        shown: tuple[Picture, ...] = ()
        if name == "remedies":
            shown = (
                *_shown(pictures, "remedies", "TSS against BSS of every remedy"),
                *_shown(pictures, "reliability", "reliability of every remedy"),
            )
        tables = (_differences(contrast["rows"]),)
        sections.append(Part(CONTRASTS[name], (contrast["paragraph"],), shown, tables=tables, folded=True))
    sections.append(Part("All arms", tables=(_scores(content["arms"]),)))
    if content["refused"]:
        refused = tuple(f"{name}: {why}" for name, why in content["refused"].items())
        sections.append(Part("What could not be trained", remarks=refused))
    about = (INTRODUCTION, content["about"])
    return document_page(Document("study of temporal coherence", content["run"], about, tuple(sections)))


def _shown(pictures: Mapping[str, str], name: str, what: str) -> tuple[Picture, ...]:
    """A picture that was drawn; nothing where it was not."""
    return (Picture(pictures[name], what),) if pictures.get(name) else ()


def _differences(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Table of a contrast."""
    head = ("model", "arm", "against", "score", "value", "against", "difference", "95 % interval")
    body = [
        (
            *(row["model"], row["arm"], row["against"], NAMES[row["score"]]),
            *(_cell(row[key]) for key in ("value", "value_against", "difference")),
            "" if row["low"] is None else f"{row['low']:+.3f} to {row['high']:+.3f}",
        )
        for row in rows
    ]
    return plain_table(head, body)


def _scores(arms: Sequence[Mapping[str, Any]]) -> Table:
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
    return plain_table(head, body)


def _cell(value: float | None) -> str:
    """A number with three decimals, or a dash."""
    return "–" if value is None else f"{value:.3f}"
