"""Days of the disk out of SWPC's JSON, for those that the daily solar data do not hold yet.

| column | file | how |
|---|---|---|
| `sunspot_number`, `sunspot_area` | `solar_regions.json` | ten a group and one a spot; sum of areas |
| `new_regions` | `solar_regions.json` | regions with spots that are new; of days after a day that is told |
| `f107` | `f107_cm_flux.json` | the noon value (20 UT), else that nearest to it |
| `c_flares`, `m_flares`, `x_flares` | `xray_flares.json` | by peak, of days that the list holds whole |
| the same, as a lower bound | `solar_regions.json` | flares with a region, where no list has the day |

In 2012 the summaries' spots give the daily data's sunspot number on 343 of 365 days, its area on 341 and its
new regions on 363.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flarecast import goes, served
from flarecast.flares import clock, read_flares
from flarecast.flares.clock import DAY
from flarecast.ingest import dsd, region_json
from flarecast.ingest.srs import Summary
from flarecast.schema import NO_TIME

NOON = 20 * 3600
"""When the flux at 10.7 cm is measured that counts, local noon at Penticton [s of the day]."""

COUNTS = ("c_flares", "m_flares", "x_flares")
Columns = dict[str, float]


@dataclass(frozen=True)
class ServedDays:
    """What the files tell.

    Attributes:
        paths: Files read.
        days: Columns by day [d since 1970]; a column that is not told is not there.
        lower: Days whose counts leave out flares without a region.
        tally: What became of the records.
    """

    paths: list[Path]
    days: dict[int, Columns]
    lower: frozenset[int]
    tally: served.Served


def read_served_days(folder: Path) -> ServedDays:
    """Read SWPC's JSON files of a folder; no day where there are none.

    Raises:
        FlarecastError: A file is no such JSON.
    """
    regions = region_json.read_served_regions(folder)
    tally = regions.tally
    radio, lists = served.find(folder, "radio"), served.find(folder, "flares")
    days = spot_days(regions.summaries)
    lower = set()
    for day in regions.flares.days.tolist():
        of_day = regions.flares.time // DAY == day
        counts = _counts(regions.flares.flux[of_day])
        days.setdefault(day, {}).update(counts)
        lower.add(day)
    for day, counts in _listed_counts(lists).items():
        days.setdefault(day, {}).update(counts)
        lower.discard(day)
    for day, flux in _radio_days(radio, tally).items():
        days.setdefault(day, {})["f107"] = flux
    return ServedDays([*regions.paths, *radio, *lists], days, frozenset(lower), tally)


def with_served_days(daily: dsd.DailyData | None, of_files: ServedDays) -> dsd.DailyData:
    """Days of both, the daily solar data's where both have one.

    Returns:
        Days on a grid without gaps; `lower` says whose counts are lower bounds.
    """
    table: dict[int, list[float]] = {}
    if daily is not None:
        rows = np.stack([daily.columns[name] for name in dsd.RANGES], axis=1)
        read = ~np.isnan(rows).all(axis=1)
        table = {int(day): row for day, row in zip(daily.day[read], rows[read].tolist(), strict=True)}
        # Days with a line but without a value keep their place on the grid.
        for end in (int(daily.day[0]), int(daily.day[-1])):
            table.setdefault(end, [float("nan")] * len(dsd.RANGES))
    new = {day: columns for day, columns in of_files.days.items() if day not in table}
    for day, columns in new.items():
        table[day] = [columns.get(name, float("nan")) for name in dsd.RANGES]
    joined = dsd.on_grid(table, daily.tally if daily is not None else dsd.Tally())
    lower = np.isin(joined.day, [day for day in new if day in of_files.lower])
    return dsd.DailyData(joined.day, joined.columns, joined.tally, lower, len(new))


def spot_days(summaries: Sequence[Summary]) -> dict[int, Columns]:
    """Spots by day [d since 1970]."""
    days: dict[int, Columns] = {}
    seen: set[int] = set()
    before = NO_TIME
    for summary in summaries:
        spotted = [region for region in summary.regions if region.section == 1]
        columns = {
            "sunspot_number": 10.0 * len(spotted) + _sum([region.spot_count for region in spotted]),
            "sunspot_area": _sum([region.area for region in spotted]),
        }
        if summary.time - before == DAY:
            columns["new_regions"] = float(sum(region.region not in seen for region in spotted))
        before = summary.time
        seen |= {region.region for region in summary.regions}
        days[summary.time // DAY - 1] = columns
    return days


def _sum(values: list[float]) -> float:
    return float(sum(value for value in values if value == value))


def _counts(flux: np.ndarray) -> Columns:
    """Numbers of C, M and X flares."""
    c, m, x = (int(goes.at_least(flux, goes.DECADES[letter]).sum()) for letter in "CMX")
    return dict(zip(COUNTS, (float(c - m), float(m - x), float(x)), strict=True))


def _listed_counts(paths: list[Path]) -> dict[int, Columns]:
    """Counts of the days that lie between the first and the last day of a list."""
    paths = [path for path in paths if served.read_records(path, "flares", served.Served())]
    found: dict[int, Columns] = {}
    if not paths:
        return found
    table = read_flares(paths)
    peak = np.where(table["peak"] != NO_TIME, table["peak"], table["start"])
    flux = table["flux"].to_numpy()
    for path in paths:
        own = peak[(table["source"] == path.name).to_numpy()]
        if own.size:
            for day in range(int(own.min()) // DAY + 1, int(own.max()) // DAY):
                found[day] = _counts(flux[peak // DAY == day])
    return found


def _radio_days(paths: list[Path], tally: served.Served) -> dict[int, float]:
    """Flux at 10.7 cm of each day [1e-22 W m-2 Hz-1]."""
    nearest: dict[int, tuple[int, float]] = {}
    low, high = dsd.RANGES["f107"]
    for path in paths:
        records = served.read_records(path, "radio", tally)
        for where, record, time in served.timed(records, _time, NO_TIME, tally):
            flux = served.number(record, "flux", low, high)
            if time == NO_TIME or flux != flux:
                tally.skip(where, "no radio flux", "a time_tag and a flux of 40 to 1000", dict(record))
                continue
            day, off = time // DAY, abs(time % DAY - NOON)
            if day not in nearest or off < nearest[day][0]:
                nearest[day] = off, flux
    return {day: flux for day, (_, flux) in nearest.items()}


def _time(record: served.Record) -> int:
    """When a flux was measured; `NO_TIME` = not told."""
    return clock.moment(served.text(record, "time_tag"))
