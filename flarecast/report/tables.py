"""Tables of a report: scores of all forecasts, differences from the model, as cells of text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flarecast.report.content import MODEL, Content, Record
from flarecast.report.names import label_of

SCORES = {
    "bss": "BSS",
    "average_precision": "AP",
    "roc_auc": "ROC AUC",
    "tss": "TSS",
    "hss": "HSS",
    "recall": "recall",
    "false_alarm_ratio": "false alarm ratio",
    "ece": "ECE",
}
"""Columns of the table of scores."""

OWN_RULE = {"hss": "hss"}
"""Scores that are shown at the decision threshold chosen for them, where there is one."""

DIFFERENCES = {"brier": "Brier score", "bss": "BSS", "average_precision": "AP", "tss": "TSS"}
"""Columns of the table of differences."""

P_VALUE = "p (Brier, Holm)"
"""Chance of so large a difference of Brier scores without any, corrected for the number of comparisons."""

SPREAD = {"mean": "mean", "deviation": "standard deviation", "lowest": "lowest", "highest": "highest"}
"""Columns of the table of members, by their names in scores.json."""

TILES = ("bss", "average_precision", "tss", "ece")
NAMES = {"bss": "Brier skill score", "average_precision": "average precision"}


@dataclass(frozen=True)
class Cell:
    """A value and its interval, as text."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    name: str
    cells: tuple[Cell, ...]
    main: bool = False


@dataclass(frozen=True)
class Table:
    """A table: title, heading of the first column and of the others, lines, the event that it is of."""

    title: str
    what: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    event: str


@dataclass(frozen=True)
class Tile:
    """One number of the top: name, value, what stands beneath."""

    name: str
    value: str
    beneath: tuple[str, ...]


def score_tables(content: Content) -> list[Table]:
    """Scores of all forecasts, a table an event."""
    return [_score_table(content, event) for event in content.events if content.compared(event)]


def difference_tables(content: Content) -> list[Table]:
    """Model minus each other forecast, a table an event."""
    found = []
    for event in content.events:
        rows = tuple(_difference_rows(content, event))
        if rows:
            title = "The model minus another, on the same windows"
            found.append(Table(title, "minus", (*DIFFERENCES.values(), P_VALUE), rows, event))
    return found


def member_tables(content: Content) -> list[Table]:
    """How far the members of an ensemble spread, a table an event; none without members."""
    found = []
    for event in content.events:
        spread = {one["score"]: one for one in content.scores.get("seed_spread", ()) if one["event"] == event}
        shown = {name: spread[score] for score, name in SCORES.items() if score in spread}
        rows = tuple(
            Row(name, tuple(cell_of({"value": one[key], "low": None}) for key in SPREAD))
            for name, one in shown.items()
        )
        if rows:
            title = f"The {content.n_members} members one by one, uncalibrated"
            found.append(Table(title, "score", tuple(SPREAD.values()), rows, event))
    return found


def tiles(content: Content) -> Iterator[Tile]:
    """The first numbers that a reader wants, of the main event."""
    event = content.main_event
    for score in TILES:
        record = content.record(event, MODEL, score)
        if record is not None and record["value"] is not None:
            beneath = [_interval(record) or str(record["reason"] or "no interval")]
            beneath += [f"{label_of(name)} {value:z.2f}" for name, value in _beside(content, score)]
            name = f"{NAMES.get(score, SCORES[score])}, {event}"
            yield Tile(name, f"{record['value']:z.2f}", tuple(beneath))


def _beside(content: Content, score: str) -> Iterator[tuple[str, float]]:
    """The same score of the first reference, and of the best possible forecast where one is known."""
    named = [*content.given, *(name for name in ("history_decay", "recent_27") if not content.given)]
    for name in (*named[:1], "truth_observed"):
        record = content.record(content.main_event, name, score)
        if record is not None and record["value"] is not None:
            yield name, float(record["value"])


def name_of(content: Content, forecast: str) -> str:
    """Name of a forecast in a table: that of the model's network for the model."""
    own = str(content.forecasts.attrs.get("model_name", content.forecasts.attrs.get("forecast_name", MODEL)))
    calibrated = ", calibrated" if content.scores.get("calibrated") else ""
    return {MODEL: f"{own}{calibrated}", "raw": f"{own}, uncalibrated"}.get(forecast, label_of(forecast))


def _score_table(content: Content, event: str) -> Table:
    """Scores of all forecasts of one event."""
    first = content.record(event, MODEL, "brier")
    counts = f": {first['n']:,} windows, {first['n_events']:,} events" if first else ""
    if first:
        counts += f" in {first['n_event_blocks']:,} of {first['n_blocks']:,} {first['blocks']}s"
    rows = tuple(
        Row(
            name_of(content, name),
            _cells([content.record(event, name, one, rule=OWN_RULE.get(one, "")) for one in SCORES]),
            name == MODEL,
        )
        for name in content.compared(event)
    )
    return Table(f"{event} or more{counts}", "forecast", tuple(SCORES.values()), rows, event)


def _difference_rows(content: Content, event: str) -> Iterator[Row]:
    """A line for each forecast that the model is compared with."""
    for name in content.compared(event):
        records = [content.record(event, MODEL, f"{score}_minus_{name}") for score in DIFFERENCES]
        if any(record is not None and record["value"] is not None for record in records):
            yield Row(name_of(content, name), (*_cells(records, signed=True), _p_value(records[0])))


def _cells(records: Sequence[Record | None], signed: bool = False) -> tuple[Cell, ...]:
    """Cells of one line."""
    return tuple(cell_of(record, signed) for record in records)


def cell_of(record: Record | None, signed: bool = False, coarse: bool = False) -> Cell:
    """Value and interval, a dash where there is none; with one digit where it is coarse."""
    if record is None or record["value"] is None:
        return Cell("–")
    sign = "+" if signed else ""
    if coarse:
        return Cell(f"{record['value']:{sign}z.1f}", _interval(record, sign, 1))
    return Cell(f"{record['value']:{sign}z.3f}", _interval(record, sign))


def _p_value(record: Record | None) -> Cell:
    """Corrected p value of a difference."""
    value = None if record is None else record.get("p_holm")
    return Cell("–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}")


def _interval(record: Record, sign: str = "", digits: int = 2) -> str:
    """`[0.24, 0.38]`, empty where there is none."""
    if record["low"] is None:
        return ""
    digits += bool(sign) and abs(record["high"] - record["low"]) < 0.05
    return f"[{record['low']:{sign}z.{digits}f}, {record['high']:{sign}z.{digits}f}]"
