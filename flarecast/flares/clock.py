"""Times of flare lists: dates in several styles, bare times of day, and what comes after midnight."""

import re
from datetime import date
from functools import lru_cache

from flarecast.schema import NO_TIME

DAY = 86_400
LONGEST = 12 * 3600
"""No flare is longer [s]: a later end is a misprint."""

FIRST_YEAR, LAST_YEAR = 1970, 2100

_EPOCH = date(1970, 1, 1).toordinal()
_MOMENT = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T _]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d*)?)?)?(?:Z|UTC?)?"
)
_TIME_OF_DAY = re.compile(r"(\d{2}):?(\d{2})(?::(\d{2})(?:\.\d*)?)?")
_HOUR_24 = 24 * 60


@lru_cache(maxsize=4096)
def day_start(year: int, month: int, day: int) -> int:
    """First second of a day [s since 1970]; `NO_TIME` where there is no such day or the year is unlikely."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return NO_TIME
    try:
        return (date(year, month, day).toordinal() - _EPOCH) * DAY
    except ValueError:
        return NO_TIME


def moment(text: str) -> int:
    """UTC seconds of a date and time: `2012-03-07T00:24:00`, `2012/03/07 00:24`, `...Z`; else `NO_TIME`."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return NO_TIME
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    start = day_start(year, month, day)
    return start if start == NO_TIME else _within(start, hour, minute, second)


def time_of_day(text: str, day: int) -> int:
    """UTC seconds of `00:24`, `00:24:00` or `0024` on a day [s since 1970]; else `NO_TIME`."""
    match = _TIME_OF_DAY.fullmatch(text.strip())
    if match is None or day == NO_TIME:
        return NO_TIME
    hour, minute, second = (int(part or 0) for part in match.groups())
    return _within(day, hour, minute, second)


def in_order(start: int, peak: int, end: int) -> tuple[int, int, int]:
    """Start, peak and end in that order.

    A time before the one it should follow is of the next day (lists print the day of the start only, or the
    wrong day after midnight). Where that makes a flare longer than `LONGEST` the time is unknown.
    """
    peak = _after(start, peak)
    return start, peak, _after(start if peak == NO_TIME else peak, end)


def _after(first: int, second: int) -> int:
    """The second time, moved by a day where it would be before the first; unknown where that is too long."""
    if NO_TIME in (first, second):
        return second
    if second < first:
        second += DAY
    return second if 0 <= second - first <= LONGEST else NO_TIME


def _within(day: int, hour: int, minute: int, second: int) -> int:
    """Seconds of a time of a day, 24:00 included; `NO_TIME` where there is no such time."""
    minutes = hour * 60 + minute
    if minute > 59 or second > 60 or minutes > _HOUR_24:
        return NO_TIME
    return day + minutes * 60 + second
