"""A comparison on stdout: plain text of at most 80 columns, or rich tables on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import click

from flarecast.cli.printing import print_remarks, print_table

Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, head, rows; the first column is flush left."""

SHOWN = ("tss", "hss", "roc_auc", "average_precision", "bss", "ece")
SHORT = {"average_precision": "avg_prec", "miscalibration": "miscal"}
NAME = 20
"""Widest name of a forecast that is printed whole."""

MOST_PAIRED = 4
"""Of more forecasts only the pairs with the first are printed; the files hold all."""


def print_comparison(content: Mapping[str, Any]) -> None:
    """Print the rules, and for each event the scores, who is better at what, and skill against each other."""
    lines = [*_about(content), *content["rules"], f"truth: {content['truth']}"]
    print_remarks(lines)
    for event in dict.fromkeys(record["event"] for record in content["records"]):
        for table in _tables(content, event):
            click.echo()
            print_table(*table)


def _about(content: Mapping[str, Any]) -> Iterator[str]:
    """A line on each of the forecasts compared."""
    for one in content["forecasts"]:
        before = one["hours_issued_before"]
        issued = "" if before is None else f", issued {before:.3g} h before the span in the median"
        yield f"{one['name']} ({one['file']}): {one['common']:,} of {one['windows']:,} windows{issued}"


def _tables(content: Mapping[str, Any], event: str) -> Iterator[Table]:
    """Scores, differences and mutual skill of one event."""
    records = [one for one in content["records"] if one["event"] == event]
    names = list(dict.fromkeys(one["forecast"] for one in records))
    first = records[0]
    blocks = {one["blocks"]: one["n_event_blocks"] for one in records}
    rest = " and ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in blocks.items())
    title = f"{event} or more: {first['n']:,} windows, {first['n_events']:,} events in {rest}"
    yield title, ("", *(SHORT.get(score, score) for score in SHOWN)), _scores(records, names)
    card = [row for row in content["scorecard"] if row["event"] == event]
    if len(names) > MOST_PAIRED:
        card = [row for row in card if row["first"] == names[0]]
    interval = f"difference [{content['confidence']:.0%} interval]"
    yield "Who is better at what", ("", "score", interval, "p (Holm)", "better"), _differences(card)
    if len(names) <= MOST_PAIRED:
        head = ("Brier skill against", *(_short(name, 12) for name in names))
        yield "", head, _mutual(records, names)


def _scores(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[str, ...]]:
    """A row a forecast: each score at its main decision threshold, `hss` at the one best for it."""
    found: dict[tuple[str, str], Any] = {}
    for one in records:
        key = one["forecast"], one["score"]
        if key not in found or one.get("decision_rule") == one["score"]:
            found[key] = one["value"]
    return [(_short(name), *(_number(found.get((name, score))) for score in SHOWN)) for name in names]


def _differences(card: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row a pair and score."""
    rows: list[tuple[str, ...]] = []
    before = ""
    for row in card:
        pair = f"{_short(row['first'], 12)} - {_short(row['second'], 12)}"
        p = _p_value(row["p_holm"])
        shown = "" if pair == before else pair
        rows.append((shown, SHORT.get(row["score"], row["score"]), _interval(row), p, _better(row)))
        before = pair
    return rows


def _p_value(p: float | None) -> str:
    """`0.021`, or `<0.001`."""
    if p is None:
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _mutual(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[str, ...]]:
    """Brier skill of the row with the column as its reference."""
    found = {(one["forecast"], one["score"]): one["value"] for one in records}
    some = {name for pair in combinations(names, 2) for name in pair}
    return [
        (_short(name), *(_number(found.get((name, f"bss_against_{other}"))) for other in names))
        for name in names
        if name in some
    ]


def _better(row: Mapping[str, Any]) -> str:
    """Name of the better one, or why nobody is."""
    if row["better"]:
        return _short(row["better"], 12)
    return "-" if row["low"] is None else "neither"


def _interval(row: Mapping[str, Any]) -> str:
    """`+0.034 [-0.005, +0.077]`."""
    if row["difference"] is None:
        return "-"
    if row["low"] is None:
        return f"{row['difference']:+.3f} [-, -]"
    return f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _short(name: str, width: int = NAME) -> str:
    """A name, cut where it is too long."""
    return name if len(name) <= width else f"{name[: width - 1]}~"
