"""SWPC's official flare probabilities out of the JSON files that it serves.

`solar_probabilities.json` has a record a day: probabilities of C, M and X on the disk for three days.
`solar_regions.json` has a record a region and day: probabilities for the day after. Neither tells when it was
issued: both are of the date's evening, 22 UT, when the daily report is. (The disk's numbers stand nearest to
the regions' of the same date, and the Flare Scoreboard has the regions' as issued at 22 UT for the next day.)
Day 1 is the UTC day after the date.
"""

from pathlib import Path

import xarray as xr

from flarecast import served
from flarecast.errors import FlarecastError
from flarecast.exchange.choosing import Row, as_forecasts, source_files
from flarecast.flares import clock
from flarecast.flares.region_records import RegionRecord, read_region_records
from flarecast.schema import NO_TIME

EVENTS = {"c": "C1.0", "m": "M1.0", "x": "X1.0"}
N_DAYS = 3
ISSUED = 22 * 3600
"""When the report of a day is issued [s of the day]."""

NO_DATE, NO_PERCENTAGE = "no date", "no percentage"


def read_swpc_json(raw: Path) -> xr.Dataset:
    """Read every `solar_probabilities*.json` and `solar_regions*.json` of a folder.

    Args:
        raw: Folder, searched recursively, or one such file.

    Returns:
        A forecasts Dataset of C1.0, M1.0 and X1.0 for the disk and for regions, without outcomes. Attributes
        count records, and those left out by reason.

    Raises:
        FlarecastError: No such files, one that is no such JSON, or no probability in any.
    """
    disk, regions = _files(raw)
    tally = served.Served()
    rows = [row for path in disk for row in _disk_rows(path, tally)]
    records = read_region_records(regions, tally)
    present = [record for record in records if not record.departed]
    rows += [row for record in present for row in _region_rows(record, tally)]
    if not rows:
        raise FlarecastError(
            f"{tally.first_bad or f'{raw}: expected probabilities, got empty lists'}; no forecast was read"
        )
    attributes = {
        "source": "swpc-json",
        "source_files": source_files(raw, [*disk, *regions]),
        "history": f"read-forecasts swpc-json: {len(disk) + len(regions)} files",
        "n_records": tally.n_records,
        "n_skipped": sum(tally.skipped.values()),
        "skipped": tally.reasons(),
        "n_departed": len(records) - len(present),
    }
    return as_forecasts(rows, "swpc", attributes)


def _files(raw: Path) -> tuple[list[Path], list[Path]]:
    """Files of disk and of region probabilities."""
    if raw.is_file():
        is_regions = served.KINDS["regions"].name.fullmatch(raw.name) is not None
        return ([], [raw]) if is_regions else ([raw], [])
    if not raw.is_dir():
        raise FlarecastError(f"{raw}: expected a folder with SWPC's JSON files, found none")
    disk, regions = served.find(raw, "probabilities"), served.find(raw, "regions")
    if not disk and not regions:
        raise FlarecastError(
            f"{raw}: expected files named like solar_probabilities.json or solar_regions.json in it or below,"
            " found none"
        )
    return disk, regions


def _disk_rows(path: Path, tally: served.Served) -> list[Row]:
    """Rows of one file of disk probabilities."""
    rows = []
    records = served.read_records(path, "probabilities", tally)
    for where, record, day in served.timed(records, _day, NO_TIME, tally):
        if day == NO_TIME:
            tally.skip(where, NO_DATE, "a date like 2025-10-24T00:00:00", dict(record))
            continue
        for ahead in range(1, N_DAYS + 1):
            start = day + ahead * clock.DAY
            for letter, event in EVENTS.items():
                percent = _percent(where, record, f"{letter}_class_{ahead}_day", tally)
                if percent == percent:
                    rows.append(Row(day + ISSUED, start, start + clock.DAY, "disk", event, percent / 100))
    return rows


def _region_rows(record: RegionRecord, tally: served.Served) -> list[Row]:
    """Rows of one region and day."""
    start = record.time
    issued, name = start - clock.DAY + ISSUED, f"NOAA {record.region}"
    percents = {
        event: _percent(record.where, record.fields, f"{letter}_flare_probability", tally)
        for letter, event in EVENTS.items()
    }
    return [
        Row(issued, start, start + clock.DAY, name, event, percent / 100)
        for event, percent in percents.items()
        if percent == percent
    ]


def _day(record: served.Record) -> int:
    """First second of the date; `NO_TIME` where there is none."""
    time = clock.moment(served.text(record, "date"))
    return time if time == NO_TIME else time - time % clock.DAY


def _percent(where: str, record: served.Record, name: str, tally: served.Served) -> float:
    """A percentage; NaN where there is none, which is counted unless it is null."""
    value = served.number(record, name, 0, 100)
    if value != value and record.get(name) is not None:
        tally.skip(where, NO_PERCENTAGE, f"{name} from 0 to 100", record.get(name))
    return value
