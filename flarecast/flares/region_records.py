"""Rows of SWPC's `solar_regions.json`: which region they are about, at the end of which day.

A row holds the place and spots of a region at the end of its `observed_date`, the flares of that day, and the
probabilities for the next. Numbers have four digits and are completed by date. A row is left out, and
counted, where its number or its day can not be: no region of that time has the number, it was first seen
years before, or its Carrington longitude is not the one that its longitude has on that day.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flarecast import served
from flarecast.cycles import central_longitude
from flarecast.flares import clock
from flarecast.flares.numbering import complete_one
from flarecast.schema import NO_TIME

LARGEST_ERROR = 12
"""Rows have a wrong Carrington longitude by up to 10 deg; a date wrong by a year has one by 141 deg."""

LONGEST_SEEN = 60 * clock.DAY
"""A number is used for one rotation; later it is another region's, or a misprint."""

NO_DAY, NO_NUMBER, REPEATED = "no day", "no number of a region of that time", "region named twice in a day"
WRONG_DATE = "a day that its Carrington longitude contradicts"


class RegionRecord(NamedTuple):
    """A row: the place that messages name, the end of its day [s since 1970], its five-digit number."""

    where: str
    time: int
    region: int
    fields: served.Record

    @property
    def departed(self) -> bool:
        """Whether SWPC carries the region on behind the west limb, with the spots of days before."""
        return served.text(self.fields, "status") == "d"


def read_region_records(paths: Sequence[Path], tally: served.Served) -> list[RegionRecord]:
    """Rows of all files, one a region and day: of several files the one that goes on longest counts.

    Raises:
        FlarecastError: A file cannot be read or is no such file.
    """
    files = [_read_file(path, tally) for path in paths]
    files.sort(key=lambda rows: max((row.time for row in rows), default=0))
    latest = {(row.time, row.region): row for rows in files for row in rows}
    return [latest[key] for key in sorted(latest)]


def _read_file(path: Path, tally: served.Served) -> list[RegionRecord]:
    """Rows of one file."""
    records = served.read_records(path, "regions", tally)
    rows: dict[tuple[int, int], RegionRecord] = {}
    for where, record, day in served.timed(records, _day, NO_TIME, tally):
        if day == NO_TIME:
            tally.skip(where, NO_DAY, "an observed_date like 2025-10-24", dict(record))
            continue
        time = day + clock.DAY
        region = _number(record, day)
        if not region or _seen_before(record, day):
            tally.skip(where, NO_NUMBER, f"the number of a region of {_date(record)}", record.get("region"))
        elif _contradicted(record, time):
            tally.skip(where, WRONG_DATE, "a Carrington longitude of that day", dict(record))
        elif (time, region) in rows:
            tally.skip(where, REPEATED, "each region once a day", record.get("region"))
        else:
            rows[time, region] = RegionRecord(where, time, region, record)
    return list(rows.values())


def _day(record: served.Record) -> int:
    """First second of the day observed; `NO_TIME` where there is none."""
    time = clock.moment(served.text(record, "observed_date"))
    return time if time == NO_TIME or time % clock.DAY == 0 else NO_TIME


def _date(record: served.Record) -> str:
    return served.text(record, "observed_date")


def _number(record: served.Record, day: int) -> int:
    """Five-digit number; 0 where there is none that a region of that day can have."""
    number = served.number(record, "region", 1, 99_999)
    return complete_one(int(number), day) if number == number and number == int(number) else 0


def _seen_before(record: served.Record, day: int) -> bool:
    """Whether the number was first given long before, or after, that day."""
    first = clock.moment(served.text(record, "first_date"))
    return first != NO_TIME and not -clock.DAY <= day + clock.DAY - first <= LONGEST_SEEN


def _contradicted(record: served.Record, time: int) -> bool:
    """Whether longitude (east positive in these files) and Carrington longitude are of another day."""
    east = served.number(record, "longitude", -180, 180)
    carrington = served.number(record, "carrington_longitude", 0, 360)
    error = (carrington + east - central_longitude(time) + 180) % 360 - 180
    return abs(error) > LARGEST_ERROR  # NaN, not told, contradicts nothing
