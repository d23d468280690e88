"""The study of SWPC's verification as a page in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flarecast.study.published import BRIER_25, DAYS, DAYS_25, FIRST_YEAR, LAST_YEAR, M_DAYS, X_DAYS

NEAR = 0.0101
NAMES = {"swpc": "SWPC", "persistence": "persistence"}
SHOWN = {
    "M": tuple(
        f"{record}, {what}"
        for record in ("catalogue", "list", "operational")
        for what in ("M alone", "M or X")
    ),
    "X": ("catalogue", "list", "operational"),
}
"""Readings in the order of the columns; that of the paper first."""


def page(content: Mapping[str, Any]) -> str:
    """Markdown of the study.

    Args:
        content: What swpc_verification.json holds.
    """
    parts = [
        "# SWPC's forecasts, verified again",
        "Made by `flarecast study swpc-verification RAW -o OUT`. Camporeale & Berger (2025, Space "
        f"Weather 23, e2025SW004546) verified SWPC's daily probabilities of {FIRST_YEAR} to "
        f"{LAST_YEAR}, {DAYS:,} days "
        f"with {M_DAYS:,} days of M and {X_DAYS} of X flares. Here the rows of SWPC and of persistence are "
        f"computed from the daily reports of {content['years']}, {content['days']:,} days, with every "
        "reading "
        f"of the flare records ({'; '.join(content['about'])}).",
        _readings(content),
        "## Tables 2-5 and 9-12",
        _explained(content["tables"]),
        *(_table(content["tables"], event) for event in "MX"),
        "## After long quiet, and after an X flare",
        _history(content["cells"]),
        "## By cycle",
        "What the years leave out is cycle 25. Inside cycles 23 and 24 the numbers can be held against an "
        "independent replication of the paper (measured from its files, not printed in the paper): M alone, "
        "day 1, decision threshold 0.20.",
        _cycles(content["cycles"]),
    ]
    return "\n\n".join(parts) + "\n"


def _readings(content: Mapping[str, Any]) -> str:
    """What the readings are, and how many days each has."""
    counts = "; ".join(
        f"{one['labels']}, {one['event']}: {one['events']:,} of {one['days']:,} days"
        for one in content["labels"]
    )
    return (
        "*Operational* labels are the counts of the daily solar data; the *list* is a list of single "
        "flares on "
        "the operational scale; the *catalogue* is that list brought to the true flux scale from 2002 on "
        "(divided by 0.70), as the reprocessed catalogue of the paper is, while before 2002 the paper has "
        "reports on the operational scale, too. *M alone* is the paper's event, a day with a flare "
        "of class M; "
        f"*M or X* is M1.0 or more. {counts}."
    )


def _explained(tables: Sequence[Mapping[str, Any]]) -> str:
    """How many numbers agree, and why the others do not."""
    first = [row for row in tables if row["labels"] == SHOWN[row["event"]][0]]
    near = sum(abs(row["difference"]) <= NEAR for row in first)
    return (
        f"By the reading of the paper {near} of {len(first)} numbers are within 0.01 of the printed "
        "ones. What "
        "is left are the years: inside cycles 23 and 24 the same computation gives the numbers of an "
        "independent replication (last table), and the paper goes on to 2024 with cycle 25, whose base rate "
        "(0.29 against 0.23 and 0.14) and TSS at 0.20 (0.63 against 0.49 and 0.60) are the highest in that "
        f"replication; scores that rise with the base rate are lower without it.{_with_cycle_25(first)} "
        "Thresholds of Tables 10 and 11 are not transcribed; that of Table 9 stands for them. A "
        "bold number is "
        "within 0.01."
    )


def _with_cycle_25(first: Sequence[Mapping[str, Any]]) -> str:
    """The Brier score that these years and the replication's cycle 25 make together; empty for "
    "other years.
    """
    rows = [row for row in first if (row["score"], row["forecast"], row["event"]) == ("brier", "swpc", "M")]
    if not rows or rows[0]["n"] > DAYS - DAYS_25 + 100:
        return ""
    ours, n = rows[0]["ours"], rows[0]["n"]
    pooled = (ours * n + BRIER_25 * DAYS_25) / (n + DAYS_25)
    return (
        f" Brier scores can be added up: {ours:.3f} over these {n:,} days and the replication's "
        f"{BRIER_25:.3f} "
        f"over {DAYS_25:,} days of cycle 25 make {pooled:.3f}, printed as {rows[0]['published']:.2f}."
    )


def _table(tables: Sequence[Mapping[str, Any]], event: str) -> str:
    """The printed numbers of an event beside ours, a column a reading."""
    there = {row["labels"] for row in tables}
    readings = [name for name in SHOWN[event] if name in there]
    head = ["table", "day", "forecast", "at", "score", "printed", *readings, "difference", "note"]
    found: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in tables:
        if row["event"] == event:
            key = (row["table"], row["day_ahead"], row["forecast"], row["threshold"], row["score"])
            found.setdefault(key, {})[row["labels"]] = row
    body = []
    for (table, ahead, forecast, threshold, score), by_reading in found.items():
        first = by_reading[readings[0]]
        at = "" if forecast == "persistence" else f"{threshold:.2f}"
        ours = [_near(by_reading[name]) for name in readings]
        note = "" if abs(first["difference"]) <= NEAR else _note(first)
        body.append(
            [
                *(str(table), str(ahead), NAMES[forecast], at, score, f"{first['published']:.2f}"),
                *ours,
                *(f"{first['difference']:+.3f}", note),
            ]
        )
    return f"{event}:\n\n" + _markdown(head, body)


def _note(row: Mapping[str, Any]) -> str:
    """Why a number differs."""
    if row["table"] in (10, 11):
        return "years; threshold not transcribed"
    return "years"


def _history(cells: Sequence[Mapping[str, Any]]) -> str:
    """Counts of X forecasts at 5 %, printed and ours."""
    names = ("hits", "misses", "false_alarms", "correct_negatives")
    head = ["days", "labels", *(name.replace("_", " ") for name in names), "recall", "false alarm ratio"]
    body = []
    for what in dict.fromkeys(row["what"] for row in cells):
        of_what = [row for row in cells if row["what"] == what]
        body.append([what, "printed", *_counts(of_what[0]["published"], names)])
        body += [[what, row["labels"], *_counts(row["ours"], names)] for row in of_what]
    text = (
        "X on day 1 at 5 %: *storm after the calm* are the days with more than 30 days since the "
        "last X flare, "
        "*all clear* the three days after each X day, those of two X days counted twice. Shares compare "
        "between spans of different length, counts do not.\n\n"
    )
    return text + _markdown(head, body)


def _counts(cells: Mapping[str, int], names: Sequence[str]) -> Iterator[str]:
    """Counts, recall and false alarm ratio as texts."""
    yield from (f"{cells[name]:,}" for name in names)
    hits = cells["hits"]
    for bottom in (hits + cells["misses"], hits + cells["false_alarms"]):
        value = hits / bottom if bottom else float("nan")
        yield f"{value if bottom == hits + cells['misses'] else 1 - value:.2f}"


def _cycles(rows: Sequence[Mapping[str, Any]]) -> str:
    """Scores by cycle beside the replication's."""
    head = ["cycle", "labels", "days", "score", "replication", "ours", "difference"]
    body = [
        [
            *(str(row["cycle"]), row["labels"], f"{row['n']:,}", row["score"], f"{row['published']:.3f}"),
            *(f"{row['ours']:.3f}", f"{row['difference']:+.3f}"),
        ]
        for row in rows
    ]
    return _markdown(head, body)


def _near(row: Mapping[str, Any]) -> str:
    """A number, bold where it is within 0.01 of the printed one."""
    text = f"{row['ours']:.3f}"
    return f"**{text}**" if abs(row["difference"]) <= NEAR else text


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table."""
    rule = "|".join("---" for _ in head)
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in body)])
