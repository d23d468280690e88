"""Times of cells: text to UTC seconds, TAI to UTC, and times put on the grid of their track."""

import math
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from flarecast.cycles import seconds

IntArray = NDArray[np.int64]

EARLIEST, LATEST = 0, 4_102_444_800
"""1970 and 2100: observations of flares by class lie between."""

LEAPS = (
    ("1972-01", 10), ("1972-07", 11), ("1973-01", 12), ("1974-01", 13), ("1975-01", 14), ("1976-01", 15),
    ("1977-01", 16), ("1978-01", 17), ("1979-01", 18), ("1980-01", 19), ("1981-07", 20), ("1982-07", 21),
    ("1983-07", 22), ("1985-07", 23), ("1988-01", 24), ("1990-01", 25), ("1991-01", 26), ("1992-07", 27),
    ("1993-07", 28), ("1994-07", 29), ("1996-01", 30), ("1997-07", 31), ("1999-01", 32), ("2006-01", 33),
    ("2009-01", 34), ("2012-07", 35), ("2015-07", 36), ("2017-01", 37),
)  # fmt: skip
"""First month (UTC) of each value of TAI - UTC [s]. Source: IERS Bulletin C 70; none since 2017."""

_GRIDS = 8
"""Grids that a track's rows are compared with, the last met first."""

_STARTS_UTC = np.array([seconds(month) for month, _ in LEAPS])
_OFFSETS = np.array([offset for _, offset in LEAPS])


def read_time(text: str, form: str) -> float:
    """UTC seconds since 1970 of a cell, read as if it were UTC; NaN where it is no time of 1970 to 2100.

    Args:
        text: The cell.
        form: `iso`, `unix` (seconds) or a format of strptime.
    """
    try:
        if form == "unix":
            moment = float(text) if "_" not in text else math.nan
        else:
            read = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)
            aware = read if read.tzinfo else read.replace(tzinfo=UTC)
            moment = aware.timestamp()
    except (ValueError, OverflowError):
        return math.nan
    return moment if EARLIEST <= moment < LATEST else math.nan


def tai_to_utc(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """UTC of times whose calendar date is that of TAI [s since 1970, as if without leap seconds]."""
    # Before 1972 the difference was no whole number of seconds; nothing of that time is in TAI.
    place = np.searchsorted(_STARTS_UTC + _OFFSETS, time, side="right") - 1
    utc: NDArray[np.float64] = time - _OFFSETS[np.maximum(place, 0)]
    return utc


def snap(time: NDArray[np.float64], cadence: int, tolerance: float) -> IntArray:
    """Times of one track in whole seconds, on the grid of their predecessors where they lie near it.

    A fraction of a second, or a leap second between two rows, would else put two rows into one step. A row
    that is off the grid by more than the tolerance keeps its time and begins a grid of its own, which later
    rows may follow as well as the old one.

    Args:
        time: UTC [s since 1970], ascending, shape (row,).
        cadence: Length of a step [s].
        tolerance: How far from the grid a row may lie [s].

    Returns:
        Shape (row,), ascending.
    """
    whole: IntArray = np.floor(time).astype(np.int64)
    if not (np.diff(whole) % cadence).any():
        return whole
    latest = [int(whole[0])]  # the latest row of each grid, the grid last met first
    for row in range(1, whole.size):
        for nth, before in enumerate(latest):
            step = round((time[row] - before) / cadence) * cadence
            if abs(time[row] - before - step) <= tolerance and before + step >= whole[row - 1]:
                whole[row] = before + step
                del latest[nth]
                break
        else:
            whole[row] = max(whole[row], whole[row - 1])
        latest = [int(whole[row]), *latest[: _GRIDS - 1]]
    return whole
