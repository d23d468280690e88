"""The table of models as a page of Markdown and as CSV, with words made from its numbers alone."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flarecast.files import replacing
from flarecast.study.model_rows import AGAINST, DIFFERENCE, SCORES, Cell, verdict

Row = Mapping[str, Any]

NAMES = {"average_precision": "AP", "bss": "BSS", "bss_year": "BSS within years", "tss": "TSS"}
KINDS = {"classical": "classical models", "network": "networks", "baseline": "baselines"}
WORDS = {
    "alike": "Not better, as the interval holds 0",
    "worse": "Not better but worse",
    "unknown": "Not shown to be better, for want of an interval",
}
"""What is said of a model that does not beat the logistic."""


def sentences(content: Mapping[str, Any]) -> Iterator[str]:
    """A paragraph a kind of model on the study's event, and one on what could not be had."""
    rows = [row for row in content["rows"] if row["event"] == content["event"] and row["name"] != AGAINST]
    for kind, plural in KINDS.items():
        mine = [row for row in rows if row["kind"] == kind]
        if mine:
            yield _paragraph(mine, plural)
    n_models = sum(row["kind"] != "baseline" for row in rows)
    if n_models > 1:
        yield (
            f"{n_models} models are compared with the logistic, each with its own interval: one in "
            f"{1 / (1 - content['confidence']):.0f} leaves 0 out by chance alone."
        )
    for name, reason in content["refused"].items():
        yield f"{name} could not be trained: {reason}."


def _paragraph(rows: Sequence[Row], plural: str) -> str:
    """How many beat the logistic, and the differences, those that do not named as such."""
    by_verdict: dict[str, list[str]] = {}
    for row in rows:
        words = f"{row['name']} ({_signed(row[DIFFERENCE])})"
        by_verdict.setdefault(verdict(row[DIFFERENCE]), []).append(words)
    better = by_verdict.get("better", [])
    many = "none beats" if not better else f"{len(better)} {'beats' if len(better) == 1 else 'beat'}"
    text = f"Of {len(rows)} {plural} {many} the logistic in BSS{': ' if better else ''}{', '.join(better)}."
    for name, words in WORDS.items():
        if name in by_verdict:
            text += f" {words}: {', '.join(by_verdict[name])}."
    return text


def model_page(content: Mapping[str, Any], seconds: Mapping[str, float]) -> str:
    """Markdown of a study.

    Args:
        content: What models.json holds.
        seconds: Training time of each model [s].
    """
    lines = [f"# Models: {content['run']}", "", content["about"], ""]
    events = dict.fromkeys([content["event"], *(row["event"] for row in content["rows"])])
    for event in events:
        rows = [row for row in content["rows"] if row["event"] == event]
        windows, came = (rows[0]["n"], rows[0]["n_events"]) if rows else (0, 0)
        lines += [f"## {event}: {windows:,} windows of test, {came:,} with an event", ""]
        lines += _table(rows, seconds)
        if event == content["event"]:
            lines += [one for paragraph in sentences(content) for one in (paragraph, "")]
    lines += [
        "Brackets hold intervals from drawing whole blocks; the last column but one is the paired difference "
        "of the BSS. Seconds are of all trainings of a row, folds included and the choice of options not; "
        "they are measured, and of another run they differ.",
        "",
        *_tries(content["tries"]),
    ]
    return "\n".join(lines)


def _table(rows: Sequence[Row], seconds: Mapping[str, float]) -> list[str]:
    """A table of one event."""
    head = ["model", *(NAMES[score] for score in SCORES), f"BSS minus {AGAINST}", "seconds"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for kind in KINDS:
        for row in rows:
            if row["kind"] == kind:
                cells = [_with_bounds(row[score]) for score in SCORES]
                time = f"{seconds[row['name']]:.1f}" if row["name"] in seconds else ""
                lines.append(f"| {' | '.join([row['name'], *cells, _signed(row[DIFFERENCE]), time])} |")
    return [*lines, ""]


def _tries(tries: Mapping[str, Sequence[Row]]) -> list[str]:
    """What the options were chosen by."""
    if not tries:
        return []
    lines = [
        "## How the options were chosen",
        "",
        "Rolling origin inside the training span; log loss of the pooled test spans, the least was taken.",
        "",
        "| model | options | log loss [nat] | windows | with an event | chosen |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in tries.items():
        first = rows[0]["options"] if rows else {}
        keys = {key for row in rows for key, value in row["options"].items() if value != first.get(key)}
        for row in rows:
            shown = {key: value for key, value in row["options"].items() if key in keys}
            options = ", ".join(f"{key} {_plain(value)}" for key, value in shown.items())
            counts = f"{row['log_loss']:.5f} | {row['n']:,} | {row['n_events']:,}"
            lines.append(f"| {name} | {options} | {counts} | {'yes' if row['chosen'] else ''} |")
    return [*lines, ""]


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """One line a model and event; empty cells are undefined."""
    cells = [*SCORES, DIFFERENCE]
    names = [f"{score}{end}" for score in cells for end in ("", "_low", "_high")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["event", "name", "kind", "model", "options", "n", "n_events", *names])
    for row in rows:
        numbers = [(row[score] or {}).get(end) for score in cells for end in ("value", "low", "high")]
        options = json.dumps(row["options"])
        plain = [row[name] for name in ("event", "name", "kind", "model")]
        writer.writerow([*plain, options, row["n"], row["n_events"], *numbers])
    with replacing(path) as aside:
        aside.write_text(text.getvalue(), encoding="utf-8")


def _with_bounds(cell: Cell) -> str:
    """`0.61 [0.52, 0.66]`, or a dash."""
    if cell["value"] is None:
        return "–"
    bounds = "" if cell["low"] is None else f" [{cell['low']:.2f}, {cell['high']:.2f}]"
    return f"{cell['value']:.3f}{bounds}"


def _signed(cell: Cell | None) -> str:
    """`+0.012 [-0.010, +0.031]`, or nothing."""
    if cell is None or cell["value"] is None:
        return ""
    bounds = "" if cell["low"] is None else f" [{cell['low']:+.3f}, {cell['high']:+.3f}]"
    return f"{cell['value']:+.3f}{bounds}"


def _plain(value: Any) -> str:
    """A value of an option."""
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)
