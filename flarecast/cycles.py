"""Solar cycles, their phases and rotations, by date; the longitude that faces us.

Source: minima and maxima of the 13-month smoothed SILSO sunspot number, version 2.0. The month of a minimum
belongs to the cycle that it begins.
"""

from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import FlarecastError

CYCLES: dict[int, tuple[str, str]] = {
    21: ("1976-03", "1979-12"),
    22: ("1986-09", "1989-11"),
    23: ("1996-08", "2001-11"),
    24: ("2008-12", "2014-04"),
    25: ("2019-12", "2024-10"),
}
"""Cycle number: month of its minimum (its first month) and month of its maximum."""

DAY = 86_400
ROTATION_DAYS = 27
"""Length of a Bartels rotation, the field's calendar of solar rotations [d]."""

PHASES = ("minimum", "rise", "maximum", "decline")
Times = TypeVar("Times", float, NDArray[np.float64])

_NEAR_MINIMUM_DAYS = 548
_NEAR_MAXIMUM_DAYS = 730


def seconds(date: str) -> int:
    """UTC seconds since 1970 of an ISO date or time without zone or with Z: `2012-03`, `2012-03-07T00:24`.

    Raises:
        FlarecastError: It is no date.
    """
    text = f"{date}-01" if len(date) == 7 else date
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FlarecastError(f"date: expected an ISO date like 2012-03-07, got {date!r}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def iso(time: int) -> str:
    """ISO-8601 text of UTC seconds since 1970: `2012-03-07T00:24:00Z`."""
    return datetime.fromtimestamp(int(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(cycle: int) -> tuple[int, int]:
    """First second of a cycle and of the next; the running cycle ends at the largest int64.

    Raises:
        FlarecastError: The cycle is not in the table.
    """
    if cycle not in CYCLES:
        raise FlarecastError(f"solar cycle: expected one of {', '.join(map(str, CYCLES))}, got {cycle}")
    following = CYCLES.get(cycle + 1)
    end = seconds(following[0]) if following else int(np.iinfo(np.int64).max)
    return seconds(CYCLES[cycle][0]), end


def cycle_of(time: ArrayLike) -> NDArray[np.int64]:
    """Solar cycle of UTC times [s since 1970], any shape; 0 before the first cycle of the table."""
    starts = np.array([seconds(minimum) for minimum, _ in CYCLES.values()])
    numbers = np.array([0, *CYCLES])
    return numbers[np.searchsorted(starts, np.asarray(time), side="right")]


def phase_of(time: ArrayLike) -> NDArray[np.int64]:
    """Phase of the cycle as an index into `PHASES`, any shape.

    `minimum` is within 18 months of a minimum, `maximum` within 24 months of a maximum (the smoothed
    number is then above about half its peak); `rise` and `decline` lie between.
    """
    time = np.asarray(time, dtype=np.int64)
    minima = np.array([seconds(minimum) for minimum, _ in CYCLES.values()])
    maxima = np.array([seconds(maximum) for _, maximum in CYCLES.values()])
    to_minimum = np.abs(time[..., None] - minima).min(axis=-1) / DAY
    to_maximum = np.abs(time[..., None] - maxima).min(axis=-1) / DAY
    last = np.searchsorted(maxima, time, side="right") - 1
    after_maximum = (last >= 0) & (np.searchsorted(minima, time, side="right") - 1 <= last)
    phase = np.where(after_maximum, 3, 1)
    phase = np.where(to_maximum <= _NEAR_MAXIMUM_DAYS, 2, phase)
    return np.where(to_minimum <= _NEAR_MINIMUM_DAYS, 0, phase)


def rotation_of(time: ArrayLike) -> NDArray[np.int64]:
    """Bartels rotation number of UTC times [s since 1970]: 27-day blocks of a fixed calendar.

    Source: rotation 1 began on 1832-02-08 (Bartels 1934, Terr. Magn. 39, 201).
    """
    origin = seconds("1832-02-08")
    return (np.asarray(time, dtype=np.int64) - origin) // (ROTATION_DAYS * DAY) + 1


def central_longitude(time: Times) -> Times:
    """Carrington longitude of the disk's centre at UTC times [s since 1970], to 2 deg; any shape [deg].

    Source: Carrington rotation 1 began on 1853-11-09 at 22:40 UT (JD 2398167.4), one takes 27.2753 d
    (Explanatory Supplement to the Astronomical Almanac).
    """
    rotations = (time / DAY + 2_440_587.5 - 2_398_167.4) / 27.2752316
    return 360 * (1 - rotations % 1)
