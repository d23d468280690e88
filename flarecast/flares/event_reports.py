"""NOAA's edited event reports, `YYYYMMDDevents.txt`: the flares of one UTC day.

    2160       0249   0253      0256  G15  5   XRA  1-8A      C7.2    1.5E-03   1428

Event number (two to four digits), `+` where lines belong together, begin, maximum and end (letters: B
before, A after, U uncertain), observatory, quality, type, band, class, integrated flux [J m-2], region. Only
XRA lines give a class. Columns shift, so they are told apart by their content. The day is that of the begin;
it comes from the `:Date:` line, the headline and the file's name, of which the majority counts.
"""

import re
from collections import Counter
from dataclasses import dataclass

from flarecast.flares import clock
from flarecast.flares.archives import Text
from flarecast.flares.entry import BROKEN, NO_WHEN, Entry, Tally, class_fluxes
from flarecast.flares.numbering import complete_one, printed_number
from flarecast.flares.scales import satellite_number
from flarecast.schema import NO_TIME

SUFFIX = "events.txt"
SUFFIXES = (SUFFIX, "events.tar.gz")

NO_DATE = "report without a date"

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST_LINE = 200

_DATE_LINE = re.compile(r"^:Date:\s*(\d{4})\s+(\d{1,2})\s+(\d{1,2})", re.IGNORECASE | re.MULTILINE)
_HEADLINE = re.compile(
    r"edited events for\s+(\d{4})\s+([A-Z]{3})[A-Z]*\s+(\d{1,2})", re.IGNORECASE | re.MULTILINE
)
_CREATED = re.compile(
    r"^:Created:\s*(\d{4})\s+([A-Z]{3})[A-Z]*\s+(\d{1,2})\s+(\d{4})", re.IGNORECASE | re.MULTILINE
)
_NAME = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = r"([A-Z]?\d{4}|/+)"
_FLARE = re.compile(
    rf"\s*(?:\d{{1,5}}\s*)?\+?\s+{_TIME}\s+{_TIME}\s+{_TIME}\s+(\S+\s+)??(?:\S\s+)?XRA\s+(\S+)\s+([ABCMX][\d.]*)(.*)"
)


@dataclass(frozen=True)
class Report:
    """The flares of one day, and when the report was made [s since 1970; `NO_TIME` = not told]."""

    day: int
    created: int
    entries: list[Entry]


def parse_report(text: Text, tally: Tally, source: str = "") -> Report | None:
    """Read an event report; None (and counted) where it has no date.

    Args:
        text: The report.
        tally: Takes what became of its XRA lines.
        source: Name of the list that goes into the entries.
    """
    day = _day(text)
    if day == NO_TIME:
        tally.n_lines += 1
        tally.skip(text.where, NO_DATE, "a line like :Date: 2012 03 07", text.content[:60])
        return None
    entries = []
    for number, line in enumerate(text.content.split("\n"), 1):
        if "XRA" not in line or line.startswith("#"):
            continue
        tally.n_lines += 1
        problem, entry = _flare(line[:LONGEST_LINE], day, source)
        if entry is None:
            tally.skip(f"{text.where} line {number}", *problem, line)
        else:
            tally.n_read += 1
            entries.append(entry)
    return Report(day, _created(text.content), entries)


def latest_reports(reports: list[Report]) -> list[Report]:
    """One report a day: the one created last; of those the one with most flares. In order of days."""
    best: dict[int, Report] = {}
    for report in reports:
        other = best.get(report.day)
        if other is None or (report.created, len(report.entries)) > (other.created, len(other.entries)):
            best[report.day] = report
    return [best[day] for day in sorted(best)]


def month_number(text: str) -> int:
    """1 to 12 from the first three letters of a month; 0 = no month."""
    short = text[:3].lower()
    return MONTHS.index(short) + 1 if short in MONTHS else 0


def _day(text: Text) -> int:
    """First second of the report's day by the majority of its dates; `NO_TIME` = no majority."""
    found = []
    if match := _DATE_LINE.search(text.content):
        found.append(clock.day_start(*map(int, match.groups())))
    if match := _HEADLINE.search(text.content):
        found.append(clock.day_start(int(match[1]), month_number(match[2]), int(match[3])))
    if found and (match := _NAME.match(text.name)):  # an empty file is no report, whatever its name
        found.append(clock.day_start(*map(int, match.groups())))
    return majority(found)


def majority(times: list[int]) -> int:
    """The time that most name, `NO_TIME` left out; `NO_TIME` where there is none or several contradict."""
    ranked = Counter(time for time in times if time != NO_TIME).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return NO_TIME
    return ranked[0][0]


def _created(content: str) -> int:
    """When the report was made; `NO_TIME` = not told."""
    match = _CREATED.search(content)
    if match is None:
        return NO_TIME
    return clock.time_of_day(match[4], clock.day_start(int(match[1]), month_number(match[2]), int(match[3])))


def _flare(line: str, day: int, source: str) -> tuple[tuple[str, str], Entry | None]:
    """The flare of an XRA line; or the reason why there is none, and what was expected."""
    match = _FLARE.match(line)
    fluxes = class_fluxes(match[6]) if match else None
    if match is None or fluxes is None or match[5] != "1-8A":
        return (BROKEN, "times, XRA, 1-8A and a class"), None
    times = [
        clock.time_of_day(match[column].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), day) for column in (1, 2, 3)
    ]
    start, peak, end = clock.in_order(*times)
    if start == peak == end == NO_TIME:
        return (NO_WHEN, "a time of begin, maximum or end"), None
    when = next(time for time in (peak, start, end) if time != NO_TIME)
    region = complete_one(printed_number(_region(match[7])), when)
    satellite = satellite_number(match[4] or "")
    return ("", ""), Entry(start, peak, end, *fluxes, region, satellite, source=source)


def _region(rest: str) -> str:
    """The last word after the class where it can be a region: it has four or five digits."""
    words = rest.split()
    return words[-1] if words and len(words[-1]) in (4, 5) else ""
