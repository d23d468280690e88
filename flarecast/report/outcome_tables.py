"""Tables of a report beyond windows and one event: of flares and days, and of all classes at once."""

from collections.abc import Iterable

from flarecast.evaluate.classes import CLASSES
from flarecast.report.content import MODEL, Content
from flarecast.report.names import class_names
from flarecast.report.tables import Cell, Row, Table, cell_of, name_of

OF_FLARES = {
    "flare_recall": "flares warned of",
    "first_flare_recall": "first flares warned of",
    "flare_lead_hours": "hours before the peak",
    "false_alarm_days": "false-alarm days a year",
    "all_clear_days": "clear days that stayed quiet",
    "quiet_days_clear": "quiet days left clear",
}
"""Columns of the table of flares and days."""

COARSE = {"flare_lead_hours", "false_alarm_days"}
"""Of them those that are no shares."""

OF_ALL_CLASSES = {"rpss": "RPSS", "gmgs": "GMGS", "kappa_quadratic": "weighted kappa"}
"""Columns of the table of all classes."""

OF_CLASS = {"class_recall": "recall", "class_precision": "precision"}
"""Columns of the table of the model, class by class."""


def flare_tables(content: Content) -> list[Table]:
    """Flares warned of and days of false alarm, a table an event; none where they were not scored."""
    found = []
    for event in content.events:
        rows = []
        for name in content.compared(event):
            records = {one: content.record(event, name, one) for one in OF_FLARES}
            if any(records.values()):
                cells = tuple(cell_of(record, coarse=one in COARSE) for one, record in records.items())
                rows.append(Row(name_of(content, name), cells, name == MODEL))
        counts = [content.record(event, MODEL, one) for one in ("flare_recall", "first_flare_recall")]
        if rows and counts[0] is not None:
            title = f"Flares and days: {counts[0]['n_occasions']:,} flares"
            title += f", {counts[1]['n_occasions']:,} of them first ones" if counts[1] is not None else ""
            found.append(Table(title, "forecast", tuple(OF_FLARES.values()), tuple(rows), event))
    return found


def class_tables(content: Content) -> list[Table]:
    """Scores of all classes at once of every forecast, and of each class of the model; none of one event."""
    first = content.record(CLASSES, MODEL, "rps")
    if first is None:
        return []
    rows = tuple(
        Row(name_of(content, name), _cells(content, name, OF_ALL_CLASSES), name == MODEL)
        for name in content.compared(CLASSES)
    )
    title = f"All classes at once: {first['n']:,} windows"
    whole = Table(title, "forecast", tuple(OF_ALL_CLASSES.values()), rows, CLASSES)
    return [whole, *_class_by_class(content)]


def _class_by_class(content: Content) -> list[Table]:
    """Recall and precision of the model, a line a class."""
    confusion = next((one for one in content.scores.get("confusion", ()) if one["forecast"] == MODEL), None)
    if confusion is None:
        return []
    classes = [str(one) for one in confusion["classes"]]
    rows = []
    for label, name in zip(classes, class_names(classes), strict=True):
        record = content.record(CLASSES, MODEL, f"class_recall@{label}")
        counted = f" ({record['n_events']:,} windows)" if record is not None else ""
        rows.append(Row(f"{name}{counted}", _cells(content, MODEL, [f"{one}@{label}" for one in OF_CLASS])))
    title = "The model, class by class"
    return [Table(title, "class", tuple(OF_CLASS.values()), tuple(rows), CLASSES)]


def _cells(content: Content, name: str, scores: Iterable[str]) -> tuple[Cell, ...]:
    """Cells of one line."""
    return tuple(cell_of(content.record(CLASSES, name, score)) for score in scores)
