"""A comparison of several forecasts as one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from flarecast.report.canvas import FAINT, SETTINGS, as_bytes, draw_grid, paper, style_of
from flarecast.report.document import Document, Part, Picture, document_page, plain_table
from flarecast.report.names import label_of
from flarecast.report.tables import Table, cell_of

SCORES = ("bss", "average_precision", "roc_auc", "tss", "hss", "ece")
NAMES = {"bss": "BSS", "average_precision": "AP", "roc_auc": "ROC AUC", "tss": "TSS", "hss": "HSS"}
NAMES |= {"ece": "ECE", "log_loss": "log loss", "miscalibration": "miscalibration"}
DRAWN = "bss"
CAPTION = (
    "Difference of the Brier skill score, first minus second, on the same windows, with its interval; right "
    "of the line the first is better."
)


def comparison_page(content: Mapping[str, Any]) -> str:
    """HTML of a comparison.

    Args:
        content: What compare.json holds.
    """
    names = [label_of(one["name"]) for one in content["forecasts"]]
    about = [
        f"{label_of(one['name'])}: {one['common']:,} of {one['windows']:,} windows are common to all"
        for one in content["forecasts"]
    ]
    sections = [_event(content, event) for event in dict.fromkeys(one["event"] for one in content["records"])]
    rules = (*content["rules"], f"truth: {content['truth']}", *content["warnings"])
    sections.append(Part("How they were compared", remarks=(*about, *map(str, rules))))
    return document_page(Document("comparison of forecasts", " and ".join(names), (), tuple(sections)))


def _event(content: Mapping[str, Any], event: str) -> Part:
    """Scores and differences of one event."""
    records = [one for one in content["records"] if one["event"] == event]
    card = [row for row in content["scorecard"] if row["event"] == event]
    first = records[0]
    blocks = f"{first['n_event_blocks']:,} {first['blocks']}s"
    said = f"{first['n']:,} windows, {first['n_events']:,} events in {blocks}."
    better = [_sentence(row) for row in card if row["score"] == DRAWN and row["better"]]
    return Part(
        f"{event} or more",
        paragraphs=(" ".join([said, *better]),),
        pictures=_picture(card),
        tables=(_scores(records), _differences(card)),
    )


def _sentence(row: Mapping[str, Any]) -> str:
    """Who has more Brier skill than whom, and by how much."""
    worse = row["second"] if row["better"] == row["first"] else row["first"]
    amount = abs(row["difference"])
    return f"{label_of(row['better'])} has more Brier skill than {label_of(worse)}, by {amount:.3f}."


def _scores(records: Sequence[Mapping[str, Any]]) -> Table:
    """A row a forecast: each score at its main decision threshold, `hss` at the one best for it."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for one in records:
        key = one["forecast"], one["score"]
        if key not in found or one.get("decision_rule") == one["score"]:
            found[key] = one
    names = dict.fromkeys(one["forecast"] for one in records)
    cells = {name: [cell_of(found.get((name, score))) for score in SCORES] for name in names}
    body = [
        (label_of(name), *(f"{one.value} {one.interval}".strip() for one in row))
        for name, row in cells.items()
    ]
    return plain_table(("forecast", *(NAMES[score] for score in SCORES)), body, "Scores with 95 % intervals")


def _differences(card: Sequence[Mapping[str, Any]]) -> Table:
    """A row a pair and score."""
    body = [
        (
            f"{label_of(row['first'])} minus {label_of(row['second'])}",
            NAMES.get(row["score"], row["score"].replace("_", " ")),
            "–" if row["difference"] is None else f"{row['difference']:+.3f}",
            "–" if row["low"] is None else f"{row['low']:+.3f} to {row['high']:+.3f}",
            "–" if row["p_holm"] is None else "<0.001" if row["p_holm"] < 0.001 else f"{row['p_holm']:.3f}",
            label_of(row["better"]) if row["better"] else "neither",
        )
        for row in card
    ]
    head = ("pair", "score", "difference", "95 % interval", "p (Holm)", "better")
    return plain_table(head, body, "Who is better at what")


def _picture(card: Sequence[Mapping[str, Any]]) -> tuple[Picture, ...]:
    """Differences of one score with their intervals; nothing where there is none."""
    import matplotlib as mpl

    from flarecast.describe.picture import settle

    rows = [row for row in card if row["score"] == DRAWN and row["low"] is not None]
    if not rows:
        return ()
    with mpl.rc_context(SETTINGS):
        figure = paper(0.8 + 0.26 * len(rows))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            style = style_of(row["first"], [row["first"]])
            axes.plot([row["low"], row["high"]], [place, place], color=style["color"])
            axes.plot(row["difference"], place, "o", ms=5, color=style["color"])
        axes.axvline(0, color=FAINT, lw=0.9)
        labels = [f"{label_of(row['first'])}\nminus {label_of(row['second'])}" for row in rows]
        axes.set_yticks(range(len(rows)), labels, fontsize=8)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("difference of the Brier skill score")
        draw_grid(axes, "x")
        settle(figure)
        svg = as_bytes(figure, "svg").decode("utf-8")
    return (Picture(svg, "differences of the Brier skill score", CAPTION),)
