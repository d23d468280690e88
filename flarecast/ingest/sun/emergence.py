"""When regions come into view, where, and how long they can be seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.cycles import CYCLES, DAY, seconds

HOUR = 3_600

SMOOTHED_MAXIMUM = {23: 180.3, 24: 116.4, 25: 160.9}
"""Highest 13-month smoothed sunspot number of each cycle that can be simulated; SILSO, version 2.0."""

END_OF_CYCLE_25 = "2030-12"
"""An eleven-year guess; the table of cycles does not know the next minimum."""

ACTIVITY_AT_MINIMUM = 0.02

DEGREES_PER_HOUR = 13.2 / 24
"""Rotation of a region as seen from Earth [degree h-1]; the same at every latitude here."""

LIMB = 90.0
"""Longitude where a region comes into view (east) and leaves it (west) [degree]."""

ROTATED_IN_SHARE = 0.35
"""Share of regions that were born on the far side and come into view at the east limb."""

FAR_SIDE_HOURS = int(2 * LIMB / DEGREES_PER_HOUR)


@dataclass(frozen=True)
class Regions:
    """Regions in the order of coming into view; every array has shape (region,).

    Attributes:
        start: Hour of coming into view [h since 1970 UTC].
        longitude: Stonyhurst longitude at that hour [degree].
        rotated_in: Whether it came over the east limb (else it was born on the disk).
        n_visible: Whole hours until it reaches the west limb.
        activity: Level of the cycle at that hour, 0 to 1.
    """

    start: NDArray[np.int64]
    longitude: NDArray[np.float64]
    rotated_in: NDArray[np.bool_]
    n_visible: NDArray[np.int64]
    activity: NDArray[np.float64]


def activity(time: ArrayLike) -> NDArray[np.float64]:
    """Level of the solar cycle, the smoothed sunspot number over 180: from 0.02 at a minimum to 1.

    A rise like sin^2 from minimum to maximum, a fall like cos^2 to the next minimum.

    Args:
        time: UTC [s since 1970], any shape, within cycles 23 to 25.
    """
    time = np.asarray(time, dtype=np.float64)
    level = np.zeros(time.shape)
    for cycle, peak in SMOOTHED_MAXIMUM.items():
        begin, top = (seconds(month) for month in CYCLES[cycle])
        end = seconds(CYCLES[cycle + 1][0] if cycle + 1 in CYCLES else END_OF_CYCLE_25)
        rise = np.sin(np.pi / 2 * (time - begin) / (top - begin)) ** 2
        fall = np.cos(np.pi / 2 * (time - top) / (end - top)) ** 2
        inside = (time >= begin) & (time < end)
        level += np.where(inside, np.where(time < top, rise, fall) * peak / 180.3, 0.0)
    return np.clip(level, ACTIVITY_AT_MINIMUM, 1.0)


def emerge(n_regions: int, first: int, last: int, rng: np.random.Generator) -> Regions:
    """Draw regions whose rate of coming into view follows the solar cycle.

    Args:
        n_regions: How many.
        first: Begin of the dates [s since 1970 UTC].
        last: End of the dates, exclusive [s since 1970 UTC].
        rng: Source of chance.
    """
    days = np.linspace(first, last, max(2, (last - first) // DAY + 1))
    grown = np.concatenate([[0.0], np.cumsum((activity(days[1:]) + activity(days[:-1])) * np.diff(days))])
    time = np.sort(np.interp(rng.random(n_regions) * grown[-1], grown, days))
    rotated_in = rng.random(n_regions) < ROTATED_IN_SHARE
    longitude = np.where(rotated_in, -LIMB, rng.uniform(-LIMB, LIMB, n_regions))
    n_visible = np.maximum(1, (LIMB - longitude) / DEGREES_PER_HOUR).astype(np.int64)
    start = (time // HOUR).astype(np.int64)
    return Regions(start, longitude, rotated_in, n_visible, activity(start * HOUR))


def longitude_at(regions: Regions, region: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.float64]:
    """Stonyhurst longitude [degree] of some regions at UTC times [s since 1970], shapes (n,)."""
    hours = (time - regions.start[region] * HOUR) / HOUR
    return regions.longitude[region] + DEGREES_PER_HOUR * hours
