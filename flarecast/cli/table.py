"""The table of scores on stdout: an event a block, a forecast two lines, a score a column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from flarecast.cli.parts import occasion_lines, year_lines
from flarecast.cli.printing import print_remarks, print_table

COLUMNS = ("tss", "hss", "average_precision", "bss", "ece")
"""Scores shown; scores.json holds all."""

SHORT = {"average_precision": "avg_prec"}

MEANING = {
    "raw": "model, uncalibrated",
    "truth_observed": "best possible from rows",
    "truth": "hidden state known",
}
"""What a line is, where the forecast's own name does not say it."""


def print_scores(content: Mapping[str, Any]) -> None:
    """Print the headline scores of scores.json with their intervals, and why some are missing."""
    from flarecast.evaluate import score_table

    rows = [row for row in score_table(content) if row["score"] in COLUMNS]
    own = f"{content['forecast_name']}, calibrated" if content["calibrated"] else content["forecast_name"]
    meaning = MEANING | {"model": own}
    reasons: dict[str, None] = {}
    for event in dict.fromkeys(row["event"] for row in rows):
        of_event = [row for row in rows if row["event"] == event]
        cells_of: list[tuple[str, ...]] = []
        faint: list[int] = []
        for forecast in dict.fromkeys(row["forecast"] for row in of_event):
            cells = [
                next((row for row in of_event if (row["forecast"], row["score"]) == (forecast, name)), None)
                for name in COLUMNS
            ]
            cells_of.append((meaning.get(forecast, forecast), *map(_value, cells)))
            if any(cell is not None and cell["low"] is not None for cell in cells):
                faint.append(len(cells_of))
                cells_of.append(("", *map(_bounds, cells)))
        head = ("", *(SHORT.get(name, name) for name in COLUMNS))
        print_table(_heading(of_event, content), head, cells_of, gap=1, faint=faint)
        click.echo()
        reasons |= dict.fromkeys(_reasons(of_event))
    print_remarks(_remarks(content, reasons))


def _remarks(content: Mapping[str, Any], reasons: Iterable[str]) -> Iterator[str]:
    """What stands under the tables."""
    yield content["about_intervals"]
    yield from _spread_lines(content)
    yield from _lost_lines(content)
    for lines in (occasion_lines, year_lines, _fold_lines):
        yield from lines(content["records"])
    yield from reasons
    for name, pairing in content["pairing"]["references"].items():
        if pairing["pairs"]:
            yield _issue_times(name, pairing)


def _heading(rows: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> str:
    """`M1.0 or more: ...`, with what the scores and all ways to resample them rest on."""
    row = rows[0]
    blocks = " and ".join(
        f"{one['n_event_blocks']:,} of {one['n_blocks']:,} {way}{'' if one['n_blocks'] == 1 else 's'}"
        for way, one in content["blocks"][row["event"]].items()
    )
    role = "all rows" if content["role"] == "all" else f"the {content['role']} role"
    return (
        f"{row['event']} or more, {role}: {row['n']:,} windows, {row['n_events']:,} events in "
        f"{blocks}; value [{content['confidence']:.0%} interval]"
    )


def _spread_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Chance of training: `M1.0: 5 members, uncalibrated, one by one: BSS 0.310 +- 0.012, ...`."""
    shown = {"bss": "BSS", "average_precision": "AP", "roc_auc": "AUC"}
    rows = [one for one in content.get("seed_spread", ()) if one["score"] in shown and not one["reason"]]
    for event in dict.fromkeys(row["event"] for row in rows):
        of_event = {row["score"]: row for row in rows if row["event"] == event}
        values = ", ".join(
            f"{label} {of_event[name]['mean']:.3f} +- {of_event[name]['deviation']:.3f}"
            for name, label in shown.items()
            if name in of_event
        )
        count = next(iter(of_event.values()))["n_members"]
        yield f"{event}: {count} members, uncalibrated, one by one: {values}"


def _lost_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """What the threshold from calibration costs: `M1.0: ... TSS 0.012 [0.00, 0.03] below the best ...`."""
    for record in content["records"]:
        chosen = record.get("decision_rule") == "tss" and record["value"] is not None
        if record["score"] == "tss_lost" and record["forecast"] == "model" and chosen:
            several = "decision_thresholds" in record
            of_all = " with one threshold for all folds" if several else ""
            yield (
                f"{record['event']}: with the decision threshold{'s' * several} from calibration TSS is "
                f"{_cell(record)} below the best that these windows allow{of_all}"
            )


def _fold_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """BSS of every fold: `M1.0 out of fold, uncalibrated: BSS 0.31; by fold 0.28, 0.33, 0.30`."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for record in records:
        raw_of_folds = record["role"] == "out_of_fold"
        if record["score"] == "bss" and record["forecast"] == ("raw" if raw_of_folds else "model"):
            what = f"{record['event']}{' out of fold, uncalibrated' if raw_of_folds else ''}"
            value = "-" if record["value"] is None else f"{record['value']:z.2f}"
            found.setdefault((record["role"], what), {})[record["subset"]] = value
    for (_, what), values in found.items():
        folds = [value for name, value in values.items() if name.startswith("fold_")]
        if folds:
            yield f"{what}: BSS {values.get('all', '-')}; by fold {', '.join(folds)}"


def _value(row: Mapping[str, Any] | None) -> str:
    """`0.612`, or a dash."""
    return "-" if row is None or row["value"] is None else f"{row['value']:z.3f}"


def _bounds(row: Mapping[str, Any] | None) -> str:
    """`[.55,.66]`, `[-,-]` where there is none, empty where there is no value."""
    if row is None or row["value"] is None:
        return ""
    if row["low"] is None:
        return "[-,-]"
    return f"[{_short(row['low'])},{_short(row['high'])}]"


def _short(value: float) -> str:
    """`.55`, `-.16`, `1.02`."""
    return f"{value:z.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.2f}"


def _cell(row: Mapping[str, Any]) -> str:
    """`0.612 [.55,.66]`; the value alone where there is no interval."""
    return _value(row) if row["low"] is None else f"{_value(row)} {_bounds(row)}"


def _issue_times(name: str, pairing: Mapping[str, Any]) -> str:
    """How a reference is paired: `swpc: 4,008 pairs, issued 2 h earlier in the median, e.g. ...`."""
    hours, example = pairing["issue_offset_hours"], pairing["example"]
    when = f"{abs(hours):g} h {'earlier' if hours < 0 else 'later'}" if hours else "at the same time"
    return (
        f"{name}: {pairing['pairs']:,} pairs, issued {when} in the median, e.g. "
        f"{example['reference_issue_time']} beside {example['issue_time']}"
    )


def _reasons(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why values or intervals are missing."""
    cells: dict[str, list[str]] = {}
    for row in rows:
        if row["reason"] and (row["value"] is None or row["low"] is None):
            reason = f"{row['event']}: {row['reason']}"
            cells.setdefault(reason, []).append(f"{row['score']} of {row['forecast']}")
    return [
        f"{reason} ({cells_of[0]}" + (f" and {len(cells_of) - 1} more cells)" if len(cells_of) > 1 else ")")
        for reason, cells_of in cells.items()
    ]
