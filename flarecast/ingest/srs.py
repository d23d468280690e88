"""NOAA's solar region summaries, `YYYYMMDDSRS.txt`: the regions on the disk at the end of a UTC day.

    I.  Regions with Sunspots.  Locations Valid at 07/2400Z
    Nmbr Location  Lo  Area  Z   LL   NN Mag Type
    1429 N17E15   299  1270 Dkc  10   28 Beta-Gamma-Delta

Section I: number, location, Carrington longitude, area [1e-6 hemisphere], McIntosh class, extent [deg],
spots, Mount Wilson class; IA: plages without spots, the first three; II: regions due to return, number,
latitude, Carrington longitude. Upper case and other spacing in 1996. The issue date comes from the `:Issued:`
line, the line `SRS Number ...` and the file's name, of which the majority counts; locations are valid at its
00:00.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from flarecast.cycles import central_longitude
from flarecast.flares import clock
from flarecast.flares.archives import Text
from flarecast.flares.event_reports import majority, month_number
from flarecast.flares.numbering import complete_one
from flarecast.ingest.spot_classes import mcintosh, mount_wilson
from flarecast.schema import NO_TIME

SUFFIX = "srs.txt"
SUFFIXES = (SUFFIX, "srs.tar.gz")
LONGEST_LINE = 200

NO_DATE, NO_NUMBER, NO_PLACE = (
    "report without a date",
    "line without a region number",
    "line without a location",
)
REPEATED = "region named twice"

_ISSUED = re.compile(
    r"^:Issued:\s*(\d{4})\s+([A-Z]{3})[A-Z]*\s+(\d{1,2})\s+(\d{4})", re.IGNORECASE | re.MULTILINE
)
_HEADLINE = re.compile(
    r"issued at\s+\d{3,4}\s*Z?\s+on\s+(\d{1,2})\s+([A-Z]{3})[A-Z]*\s+(\d{4})", re.IGNORECASE
)
_NAME = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SECTION = re.compile(r"\s{0,3}(IA|II|I)\.")
_BEGINS = re.compile(r"\s{0,3}(\d{1,5})\s+(\S.*)")
_PLACE = re.compile(r"([NS])(\d{1,2})(?:([EW])(\d{0,3}(\*?)))?\*?(?=\s|$)")
_SPOTS = re.compile(
    r"\s*(\d{1,3})?\s+(\d{4})\s*([A-Z]{3})(?:\s+(\d{1,3}))?(?:\s+(\d{1,3}))?(?:\s+([A-Z][A-Z-]*))?\s*",
    re.IGNORECASE,
)
_LO = re.compile(r"\s*(\d{1,3})\b")
_HEADS = re.compile(r"Nmbr|None", re.IGNORECASE)
_LAST = 3

FARTHEST_LATITUDE, FARTHEST_LONGITUDE = 60, 100
LARGEST_AREA, LARGEST_EXTENT, MOST_SPOTS = 7000, 90, 400
"""Beyond what any region had since 1874: a misprint, so missing."""


class RegionDay(NamedTuple):
    """A region at the end of a day; NaN = missing, section 1 (I), 2 (IA) or 3 (II)."""

    time: int
    region: int
    section: int
    latitude: float = np.nan
    longitude: float = np.nan
    area: float = np.nan
    extent: float = np.nan
    spot_count: float = np.nan
    mcintosh_z: float = np.nan
    mcintosh_p: float = np.nan
    mcintosh_c: float = np.nan
    mount_wilson: float = np.nan


@dataclass(frozen=True)
class Summary:
    """The regions of one report, when it is valid, and when it was issued [s since 1970]."""

    time: int
    issued: int
    regions: list[RegionDay]


@dataclass
class SrsTally:
    """What became of the reports and their lines."""

    n_reports: int = 0
    n_lines: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    n_incomplete: int = 0
    first_bad: str = ""

    def skip(self, where: str, reason: str, expected: str, line: str) -> None:
        """Count a line that is not read, and remember the first as a sentence."""
        self.skipped[reason] += 1
        self.first_bad = self.first_bad or f"{where}: expected {expected}, got {line.strip()[:100]!r}"


def parse_srs(text: Text, tally: SrsTally) -> Summary | None:
    """Read a region summary; None (and counted) where it has no date.

    A line of section I counts if it has a region number, whatever else it lacks.
    """
    tally.n_reports += 1
    issued, time = _issued(text.content), _day(text)
    if time == NO_TIME:
        tally.skip(text.where, NO_DATE, "a line like :Issued: 2012 Mar 08 0030 UTC", text.content[:60])
        return None
    section = 0
    regions: dict[int, RegionDay] = {}
    for number, line in enumerate(text.content.split("\n"), 1):
        where = f"{text.where} line {number}"
        if match := _SECTION.match(line):
            section = ("I", "IA", "II").index(match[1]) + 1
        elif section and (match := _BEGINS.fullmatch(line[:LONGEST_LINE].rstrip())):
            tally.n_lines += 1
            region = complete_one(int(match[1]) or 10_000, time)
            if not region:
                tally.skip(where, NO_NUMBER, "the number of a region of that time", line)
            elif region in regions:
                tally.skip(where, REPEATED, "each region once", line)
            elif section > 1 and not _PLACE.match(match[2]):
                tally.skip(where, NO_PLACE, "a location after the number", line)
            else:
                regions[region] = _region_day(match[2], time, region, section)
                tally.n_incomplete += section == 1 and any(map(np.isnan, regions[region]))
        elif section == 1 and line.strip()[:1].isdigit():
            tally.n_lines += 1
            tally.skip(where, NO_NUMBER, "a line like 1429 N17E15 299 ...", line)
        elif section == _LAST and line[:1].isalpha() and not _HEADS.match(line):
            section = 0  # notices to users follow the last section
    return Summary(time, issued, list(regions.values()))


def latest_summaries(summaries: Sequence[Summary]) -> list[Summary]:
    """One summary a day: the one issued last; of those the one that names most regions. In order of days."""
    best: dict[int, Summary] = {}
    for summary in summaries:
        other = best.get(summary.time)
        if other is None or (summary.issued, len(summary.regions)) > (other.issued, len(other.regions)):
            best[summary.time] = summary
    return [best[time] for time in sorted(best)]


def _issued(content: str) -> int:
    """When the report says it was issued; `NO_TIME` = not told."""
    match = _ISSUED.search(content)
    if match is None:
        return NO_TIME
    return clock.time_of_day(match[4], clock.day_start(int(match[1]), month_number(match[2]), int(match[3])))


def _day(text: Text) -> int:
    """When the locations are valid, 00:00 of the day of issue; `NO_TIME` = no majority.

    A report of the late evening is that of midnight, sent early.
    """
    found = []
    issued = _issued(text.content)
    if issued != NO_TIME:
        found.append((issued + clock.DAY // 8) // clock.DAY * clock.DAY)
    if match := _HEADLINE.search(text.content):
        found.append(clock.day_start(int(match[3]), month_number(match[2]), int(match[1])))
    if found and (match := _NAME.match(text.name)):  # an empty file is no report, whatever its name
        found.append(clock.day_start(int(match[1]), int(match[2]), int(match[3])))
    return majority(found)


def _region_day(rest: str, time: int, region: int, section: int) -> RegionDay:
    """A line's values, from the location on."""
    latitude = longitude = np.nan
    match = _PLACE.match(rest)
    if match:
        latitude = _inside(float(match[2]), 0, FARTHEST_LATITUDE) * (1 if match[1] == "N" else -1)
        rest = rest[match.end() :]
        if match[4] and not match[5]:  # W1* has a digit that nobody knows
            longitude = _inside(float(match[4]), 0, FARTHEST_LONGITUDE) * (1 if match[3] == "W" else -1)
    place = RegionDay(time, region, section, latitude, longitude)
    if section == _LAST and (carrington := _LO.match(rest)):
        west = (float(carrington[1]) - central_longitude(time) + 180) % 360 - 180
        return place._replace(longitude=west)
    if section != 1:
        return place
    spots = _SPOTS.fullmatch(rest if match else rest.partition(" ")[2])
    if spots is None:
        return place
    z, p, c = mcintosh(spots[3])
    return place._replace(
        area=_inside(float(spots[2]), 0, LARGEST_AREA),
        extent=_inside(float(spots[4] or np.nan), 0, LARGEST_EXTENT),
        spot_count=_inside(float(spots[5] or np.nan), 0, MOST_SPOTS),
        mcintosh_z=z,
        mcintosh_p=p,
        mcintosh_c=c,
        mount_wilson=mount_wilson(spots[6] or ""),
    )


def _inside(value: float, low: float, high: float) -> float:
    """The value, NaN outside its range."""
    return value if low <= value <= high else float("nan")
