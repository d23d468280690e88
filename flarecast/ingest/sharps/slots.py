"""T_REC: text to TAI, TAI to UTC, and the slots of JSOC's time axis.

A TAI time here is the calendar date that T_REC prints, as seconds since 1970 without leap seconds.
"""

import re

import numpy as np
from numpy.typing import NDArray

from flarecast.cycles import iso, seconds
from flarecast.flares.clock import DAY, day_start
from flarecast.ingest.sharps.keywords import CADENCE
from flarecast.ingest.tables.clock import tai_to_utc
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]

FIRST_LIGHT = seconds("2010-03-24")
"""HMI's first images; a record from before is misdated."""

LAST = seconds("2100-01-01")

_DATE = r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})"
_T_REC = re.compile(
    rf"(?:\d{{8}}_)?{_DATE}[_T ](\d{{2}}):?(\d{{2}})(?::?(\d{{2}})(?:\.\d*)?)?(_TAI|_UTC|_UT|Z)?"
)


def read_t_rec(text: str) -> int:
    """TAI of a record: `2010.07.16_18:36:00_TAI`, `20250810_000000_TAI`, `...Z`; else `NO_TIME`.

    Without a suffix it is TAI, as JSOC's T_REC is. The nearest slot of 12 minutes is meant: fractions of a
    second and UTC's whole seconds do not make another one. Of a date printed twice, as in
    `20250810_20250809_220000_TAI` of a public table, the second counts.
    """
    match = _T_REC.fullmatch(text.strip())
    if match is None:
        return NO_TIME
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    start = day_start(year, month, day)
    if start == NO_TIME or hour > 23 or minute > 59 or second > 59:
        return NO_TIME
    time = start + hour * 3600 + minute * 60 + second
    if match[7] not in (None, "_TAI"):
        time = to_tai(time)
    return nearest_slot(time)


def to_tai(utc: int) -> int:
    """TAI of a UTC time [s since 1970]."""
    # The offset at a time up to 37 s off is the same but within that time of a leap second.
    guess = utc + 37
    offset = guess - int(to_utc(np.array([guess]))[0])
    return utc + offset


def to_utc(tai: IntArray) -> IntArray:
    """UTC of TAI times [s since 1970], same shape."""
    return np.rint(tai_to_utc(np.asarray(tai, dtype=np.float64))).astype(np.int64)


def write_t_rec(tai: int) -> str:
    """T_REC of a TAI time: `2011.02.15_00:00:00_TAI`."""
    date, _, clock = iso(tai).removesuffix("Z").partition("T")
    return f"{date.replace('-', '.')}_{clock}_TAI"


def compact(tai: int) -> str:
    """Date of a TAI time in a file's name: `20110215`."""
    return iso(tai)[:10].replace("-", "")


def nearest_slot(tai: int) -> int:
    """Slot nearest to a TAI time: 00:00 UTC, half a minute after 00:00 TAI, is that of 00:00."""
    return round(tai / CADENCE) * CADENCE


def day_of(tai: int) -> int:
    """Start of the TAI day of a time."""
    return tai // DAY * DAY
