"""NOAA region numbers with five digits.

NOAA counts regions since 1972 and prints the last four digits: 9999 was followed by 0000, which is 10000, on
2002-06-14. Some lists add 10000 to every number, also to those of before (18026 for 8026 in 1997). So a
number tells its last four digits, and its date tells the rest.
"""

import re

import numpy as np
from numpy.typing import NDArray

from flarecast.cycles import seconds

IntArray = NDArray[np.int64]

NUMBER_AT: dict[str, int] = {
    "1972-01": 1,
    "1987-01": 4765,
    "1989-01": 5315,
    "1990-01": 5882,
    "1991-01": 6455,
    "1993-01": 7394,
    "1996-01": 7938,
    "1998-01": 8131,
    "2000-01": 8824,
    "2002-01": 9773,
    "2004-01": 10537,
    "2007-01": 10938,
    "2010-01": 11040,
    "2012-01": 11396,
    "2014-01": 11955,
    "2016-01": 12485,
    "2019-01": 12733,
    "2022-01": 12932,
    "2023-01": 13190,
    "2024-01": 13546,
    "2026-01": 14330,
}
"""Number of a region on the disk in some months: medians of NOAA's flare lists, the last extrapolated."""

FARTHEST = 1000
"""A number farther than this from what its date has is a misprint, and the region is unknown."""

_YEARLY = 350
_YEAR = 365.25 * 86_400
_TIMES = np.array([seconds(month) for month in NUMBER_AT], dtype=np.float64)
_NUMBERS = np.array(list(NUMBER_AT.values()), dtype=np.float64)
_LONG = re.compile(r"(?<!\d)\d{4,5}(?!\d)")
_SHORT = re.compile(r"\d{1,3}")


def complete(number: NDArray[np.integer], time: IntArray) -> IntArray:
    """Five-digit region numbers.

    Args:
        number: As printed, with any number of leading digits; 0 = unknown.
        time: When it was printed [s since 1970], same shape.

    Returns:
        Numbers of the same shape; 0 = unknown, or no number of that time.
    """
    number, time = np.asarray(number, dtype=np.int64), np.asarray(time, dtype=np.float64)
    expected = np.interp(time, _TIMES, _NUMBERS) + np.maximum(time - _TIMES[-1], 0) / _YEAR * _YEARLY
    last_digits = number % 10_000
    full = last_digits + 10_000 * np.rint((expected - last_digits) / 10_000).astype(np.int64)
    likely = (number > 0) & (number < 100_000) & (full > 0) & (np.abs(full - expected) <= FARTHEST)
    return np.where(likely, full, 0)


def complete_one(number: int, time: int) -> int:
    """Five-digit number of one region; 0 = unknown."""
    return int(complete(np.array([number]), np.array([time]))[0])


def printed_number(text: str) -> int:
    """Region number in a list's cell: `11429`, `1429.0`, `NOAA 11429`, `N17W40 ( 2936 )`.

    0 where there is none (a position, `None`, an empty cell), or more than one.
    """
    text = text.strip().removesuffix(".0")
    numbers = set(_LONG.findall(text))
    if len(numbers) == 1:
        return int(numbers.pop())
    return int(text) if _SHORT.fullmatch(text) else 0
