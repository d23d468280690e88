"""The page and the model card, by templates that escape whatever they are given."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import tomli_w

from flarecast import __version__
from flarecast.report import words
from flarecast.report.canvas import Panel, variables
from flarecast.report.content import MODEL, Content
from flarecast.report.facts import environment_of, facts_of
from flarecast.report.glossary import GLOSSARY
from flarecast.report.outcome_tables import class_tables, flare_tables
from flarecast.report.tables import difference_tables, member_tables, score_tables, tiles

if TYPE_CHECKING:
    from jinja2 import Environment

CLOSER = ("calendar", "misses", "ranges", "doubt", "classes", "training", "importance", "attributions")
"""Figures that stand in the last part of the page."""


def page(content: Content, panels: Sequence[Panel], pictures: Mapping[str, str]) -> str:
    """HTML of a report.

    Args:
        content: A run.
        panels: Its figures, missing ones included.
        pictures: SVG of those that were drawn, by name, safe to stand in a page.
    """
    from markupsafe import Markup

    found = templates(escape=True)
    said = _said(content)
    style = found.get_template("style.css").render(variables=variables())
    return found.get_template("report.html.j2").render(
        said,
        title=f"{content.name}: flare forecasts and their skill",
        style=Markup(style),
        panels=panels,
        pictures={name: Markup(svg) for name, svg in pictures.items()},
        closer=CLOSER,
        class_tables=class_tables(content),
        tables_of_events=[*difference_tables(content), *flare_tables(content), *member_tables(content)],
        tiles=list(tiles(content)),
        findings=list(words.findings(content.audit)),
        verdict=words.audit_verdict(content.audit),
        facts=facts_of(content) | environment_of(content),
        config=tomli_w.dumps(content.config.resolved()) if content.config else "",
        glossary=GLOSSARY,
        version=__version__,
    )


def model_card(content: Content) -> str:
    """MODEL_CARD.md in the layout of Hugging Face."""
    metrics = [
        {"type": score, "name": f"{score} {event}", "value": record["value"]}
        for event in content.events
        for score in ("bss", "average_precision", "tss", "brier", "ece")
        if (record := content.record(event, MODEL, score)) is not None and record["value"] is not None
    ]
    run = re.sub(r"[^A-Za-z0-9_-]", "_", content.name)
    return templates(escape=False).get_template("model_card.md.j2").render(
        _said(content),
        metrics=metrics,
        source=str(content.forecasts.attrs.get("source", "unknown")),
        facts=facts_of(content),
        environment=environment_of(content),
        verdict=words.audit_verdict(content.audit)[1],
        reproduce=f"flarecast run RAW -c config.toml -o {run}",
    )  # fmt: skip


def _said(content: Content) -> dict[str, Any]:
    """What page and card share."""
    role = content.scores["role"]
    return {
        "name": content.name,
        "what": words.what(content),
        "sentences": words.headline(content),
        "within": words.WITHIN,
        "events": content.events,
        "period": words.period(content),
        "role": "all windows, as there is no test role" if role == "all" else f"the {role} role",
        "score_tables": score_tables(content),
        "warnings": [str(warning) for warning in content.scores.get("warnings", ())],
    }


def templates(escape: bool) -> "Environment":
    """Templates of this package; a name that is not given is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("flarecast.report"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    found.filters |= {
        "anchor": partial(re.sub, r"[^A-Za-z0-9]+", "-"),
        "yaml": json.dumps,
        "plain": _plain,
    }
    return found


def _plain(text: object) -> str:
    """Text for Markdown on one line: what would be markup is escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(str(text).split()))
