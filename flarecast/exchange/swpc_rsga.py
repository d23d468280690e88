"""SWPC's official flare probabilities out of its daily Report of Solar-Geophysical Activity (RSGA).

A report is issued at about 22 UT and gives the probability of a class M and of a class X flare on each of the
next three UTC days, in percent: not cumulative, day 2 is the second day alone.

    :Issued: 2012 Mar 15 2200 UTC
    III.  Event Probabilities 16 Mar-18 Mar
    Class M    60/60/60
    Class X    10/10/10

The dates of section III say which days are meant, not the file's name nor the issue time: reports come late.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import cycles, files, schema
from flarecast.errors import FlarecastError
from flarecast.exchange import rsga_archive

EVENTS = ("M1.0", "X1.0")
DAY = 86_400
N_DAYS = 3
"""Days that a report forecasts."""

LATEST_DAYS_BEFORE, LATEST_DAYS_AFTER = 2, 3
"""A report valid from more days before or after its issue has a wrong date; real ones: 0 or 1 after."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISSUED = re.compile(
    r"^:Issued:[ \t]*(\d{4})[ \t]+([A-Z]{3})[A-Z]*[ \t]+(\d{1,2})[ \t]+(\d\d):?(\d\d)", re.I | re.M
)
_SECTION = re.compile(
    r"^[ \t]*III\.[ \t]*Event[ \t]+Probabilities[ \t]+"
    r"(\d{1,2})[ \t]*([A-Z]{3})[A-Z]*[ \t]*-[ \t]*(\d{1,2})[ \t]*([A-Z]{3})",
    re.I | re.M,
)
_NEXT_SECTION = re.compile(r"^[ \t]*IV\.", re.M)
# The line has to end: 60/50/4 at the end of a report cut short may have been 60/50/40.
_CLASS = {letter: re.compile(rf"^[ \t]*Class[ \t]+{letter}[ \t]+(\S.*)\n", re.I | re.M) for letter in "MX"}
_PERCENT = re.compile(r"<?(\d{1,3})%?")


class Unreadable(Exception):
    """A report without usable probabilities; the message is the reason under which it is counted."""


@dataclass(frozen=True)
class Report:
    """One report.

    Attributes:
        order: What puts reports of one issue time in order: when its archive says it was written, its name.
        issue_time: UTC [s since 1970].
        first_day: Start of the first day that it forecasts, UTC [s since 1970].
        percent: Probability of M and of X on each day [%], NaN = none, three pairs.
    """

    order: tuple[float, str]
    issue_time: int
    first_day: int
    percent: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Forecast:
    """One day of one report."""

    report: Report
    valid_from: int
    percent: tuple[float, float]

    @property
    def day_ahead(self) -> int:
        """1 for the day that begins next or has begun, 2 for the one after it."""
        return 1 + max(0, (self.valid_from - self.report.issue_time) // DAY)

    @property
    def late(self) -> bool:
        """Whether the day had begun when the report was issued."""
        return self.report.issue_time > self.valid_from

    @property
    def rank(self) -> tuple[bool, float, tuple[float, str]]:
        """Of several for one day and day ahead the largest counts: the last in time, or the first late."""
        time = self.report.issue_time
        return not self.late, -time if self.late else time, self.report.order


def read_swpc_rsga(raw: Path) -> xr.Dataset:
    """Read every report in `*RSGA.tar.gz` and `*RSGA.txt` files of a folder.

    Of several reports for one day, the same number of days ahead, the last issued at or before the day's
    start counts, else the first issued after it; of two with one issue time the one that its archive says was
    written last. Days ahead are counted from the issue time, so day 2 and 3 are never replaced by a later
    day 1.

    Args:
        raw: Folder, searched recursively, or one archive or report.

    Returns:
        A forecasts Dataset of events M1.0 and X1.0, one window a day and day ahead, without outcomes.
        Attributes count reports, those skipped by reason, and what was replaced.

    Raises:
        FlarecastError: No such files, an archive damaged or cut short, or no report with probabilities.
    """
    paths = rsga_archive.find(raw)
    skipped: Counter[str] = Counter()
    reports = []
    n_reports = 0
    for path in paths:
        for text in rsga_archive.texts(path):
            n_reports += 1
            try:
                reports.append(parse_report(text.content, (text.written, text.name)))
            except Unreadable as reason:
                skipped[str(reason)] += 1
    if not reports:
        reasons = ", ".join(f"{reason} {count}" for reason, count in skipped.items()) or "no report at all"
        raise FlarecastError(f"{raw}: expected reports with event probabilities, got none ({reasons})")
    kept, counts = choose_forecasts(reports)
    attributes = {
        "forecast_name": "swpc",
        "source": "swpc-rsga",
        "source_files": [f"{files.sha256(path)} {_name(path, raw)}" for path in paths],
        "history": f"read-forecasts swpc-rsga: {len(paths)} files",
        "n_reports": n_reports,
        "n_reports_read": len(reports),
        "n_skipped": sum(skipped.values()),
        "skipped": ", ".join(f"{reason} {count}" for reason, count in sorted(skipped.items())),
        **counts,
    }
    return schema.build(schema.FORECASTS, _arrays(kept), attributes)


def parse_report(content: str, order: tuple[float, str] = (0.0, "")) -> Report:
    """Read one report.

    Raises:
        Unreadable: It has no issue time, no section III, dates that do not fit or no three percentages.
    """
    issued = _ISSUED.search(content)
    if issued is None:
        raise Unreadable("no issue time")
    section = _SECTION.search(content)
    if section is None:
        raise Unreadable("no section III")
    issue_time = _issue_time(issued)
    first_day = _first_day(section, issue_time)
    end = _NEXT_SECTION.search(content, section.end())
    lines = content[section.end() : end.start() if end else len(content)]
    by_class = [_percentages(pattern.search(lines)) for pattern in _CLASS.values()]
    if np.isnan(by_class).all():
        raise Unreadable("no probabilities")
    return Report(order, issue_time, first_day, tuple(zip(*by_class, strict=True)))


def choose_forecasts(reports: Iterable[Report]) -> tuple[list[Forecast], dict[str, int]]:
    """Keep one forecast a day and day ahead; count the rest.

    Returns:
        Forecasts by day and issue time; and counts: `n_replaced` by another report for the same day and day
        ahead, which are `n_revisions` (of another issue time), `n_repeats` (same issue time and numbers) or
        `n_conflicts` (same issue time, other numbers); `n_late` of those kept were issued after their day had
        begun.
    """
    groups: dict[tuple[int, int], list[Forecast]] = {}
    for report in reports:
        for ahead, percent in enumerate(report.percent):
            forecast = Forecast(report, report.first_day + ahead * DAY, percent)
            groups.setdefault((forecast.valid_from, forecast.day_ahead), []).append(forecast)
    kept = []
    counts: Counter[str] = Counter()
    for rivals in groups.values():
        best = max(rivals, key=lambda forecast: forecast.rank)
        kept.append(best)
        for other in rivals:
            if other is not best:
                counts[_fate(other, best)] += 1
    kept.sort(key=lambda forecast: (forecast.valid_from, forecast.report.issue_time))
    names = ("n_revisions", "n_repeats", "n_conflicts")
    return kept, {
        "n_replaced": counts.total(),
        **{name: counts[name] for name in names},
        "n_late": sum(forecast.late for forecast in kept),
    }


def _fate(other: Forecast, best: Forecast) -> str:
    """Count under which a forecast that is not kept falls."""
    if other.report.issue_time != best.report.issue_time:
        return "n_revisions"
    same = np.array_equal(other.percent, best.percent, equal_nan=True)
    return "n_repeats" if same else "n_conflicts"


def _issue_time(issued: re.Match[str]) -> int:
    """UTC [s since 1970] of the line `:Issued:`."""
    try:
        month = _MONTHS.index(issued[2].lower()) + 1
        moment = datetime(int(issued[1]), month, int(issued[3]), int(issued[4]), int(issued[5]), tzinfo=UTC)
    except ValueError:
        raise Unreadable("no issue time") from None
    return int(moment.timestamp())


def _first_day(section: re.Match[str], issue_time: int) -> int:
    """Start of the first day of section III, UTC [s since 1970]; its year is the nearest to the issue time.

    The last day is checked to be up to two days later: one real report gives two dates and three numbers.
    """
    issue = datetime.fromtimestamp(issue_time, UTC).date()
    first, last = (_nearest(int(section[place]), section[place + 1], issue) for place in (1, 3))
    if first is None or last is None:
        raise Unreadable("no dates in section III")
    if not timedelta(0) <= last - first < timedelta(N_DAYS):
        raise Unreadable("dates of section III are not three days")
    if not timedelta(-LATEST_DAYS_BEFORE) <= first - issue <= timedelta(LATEST_DAYS_AFTER):
        raise Unreadable("dates of section III far from the issue time")
    return (first - date(1970, 1, 1)).days * DAY


def _nearest(day: int, month: str, issue: date) -> date | None:
    """The date of that day and month nearest to another; None if there is none."""
    if month.lower() not in _MONTHS:
        return None
    candidates = []
    for year in (issue.year - 1, issue.year, issue.year + 1):
        try:
            candidates.append(date(year, _MONTHS.index(month.lower()) + 1, day))
        except ValueError:
            continue
    return min(candidates, key=lambda candidate: abs(candidate - issue), default=None)


def _percentages(line: re.Match[str] | None) -> tuple[float, ...]:
    """Three percentages like `60/60/60`, `<01` read as 1; NaN where the class has no line.

    Raises:
        Unreadable: There are not three, or one is no percentage: the report is not trusted.
    """
    if line is None:
        return (np.nan,) * N_DAYS
    matches = [_PERCENT.fullmatch(token.strip()) for token in line[1].split("/")]
    if len(matches) != N_DAYS or None in matches:
        raise Unreadable("not three percentages")
    percent = tuple(float(match[1]) for match in matches if match)
    if max(percent) > 100:
        raise Unreadable("a percentage above 100")
    return percent


def _name(path: Path, raw: Path) -> str:
    """Name of a file below the folder searched, or of that one file."""
    return path.relative_to(raw).as_posix() if path != raw else path.name


def _arrays(forecasts: list[Forecast]) -> dict[str, Any]:
    """Variables of the file."""
    valid_from = np.array([forecast.valid_from for forecast in forecasts])
    n_windows = valid_from.size
    return {
        "event": list(EVENTS),
        "probability": np.array([forecast.percent for forecast in forecasts]) / 100,
        "occurred": np.full((n_windows, len(EVENTS)), -1),
        "issue_time": [forecast.report.issue_time for forecast in forecasts],
        "valid_from": valid_from,
        "valid_to": valid_from + DAY,
        "region": ["disk"] * n_windows,
        "cluster": [f"rotation {number}" for number in cycles.rotation_of(valid_from)],
        "role": np.full(n_windows, schema.ROLES.index("unused")),
        "fold": np.zeros(n_windows),
    }
