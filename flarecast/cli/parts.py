"""Lines under the table of scores: flares and days, and the years beside the pooled score."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Records = Iterable[Mapping[str, Any]]


def occasion_lines(records: Records) -> Iterator[str]:
    """`M1.0: model warned of 71 % of 610 flares, 12 h before the peak; ...`, a line an event."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in records:
        if record["forecast"] == "model" and "n_occasions" in record and record["value"] is not None:
            found.setdefault(record["event"], {})[record["score"]] = record
    for event, scores in found.items():
        parts = list(_parts(scores))
        if parts:
            yield f"{event}: the model {'; '.join(parts)}"


def _parts(scores: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is said of one event."""
    value = {name: float(record["value"]) for name, record in scores.items()}
    if "flare_recall" in value:
        n = scores["flare_recall"]["n_occasions"]
        early = f", {value['flare_lead_hours']:.0f} h before the peak" if "flare_lead_hours" in value else ""
        yield f"warned of {value['flare_recall']:.0%} of {n:,} flares{early}"
    if "first_flare_recall" in value:
        n = scores["first_flare_recall"]["n_occasions"]
        yield f"of {value['first_flare_recall']:.0%} of {n:,} first ones after 30 quiet days"
    if "false_alarm_days" in value:
        had = "" if "flare_recall" in value else "had "
        yield f"{had}{value['false_alarm_days']:.1f} false-alarm days a year"
    if "all_clear_days" in value:
        yield f"{value['all_clear_days']:.1%} of the days without a warning stayed quiet"


def year_lines(records: Records) -> Iterator[str]:
    """`M1.0 by year: BSS 0.31 pooled; 2011 0.20, 2012 0.18; none in 3 others`, a line an event with years."""
    found: dict[str, dict[str, str]] = {}
    for record in records:
        year = record["subset"].removeprefix("year_")
        if record["score"] != "bss" or record["forecast"] != "model" or record["role"] == "out_of_fold":
            continue
        if record["subset"] in ("all", f"year_{year}"):
            value = "-" if record["value"] is None else f"{record['value']:z.2f}"
            found.setdefault(record["event"], {}).setdefault(year, value)
    for event, values in found.items():
        known = [f"{year} {value}" for year, value in values.items() if year != "all" and value != "-"]
        others = list(values.values()).count("-") - (values.get("all") == "-")
        none = f"; none in {others} other{'' if others == 1 else 's'}" if others else ""
        if known:
            yield f"{event} by year: BSS {values.get('all', '-')} pooled; {', '.join(known)}{none}"
