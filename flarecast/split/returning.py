"""Regions that come back after a rotation under a new number, recognised by their place on the Sun.

A region that left over the west limb and one that came over the east limb 8 to 24 days later are the same
where their latitudes agree to 5 degrees and their Carrington longitudes to 10, after half a rotation's drift:
spots at latitude b rotate by 14.522 - 2.840 sin(b)^2 degrees a day, the Carrington frame by 14.1844. Of
several such predecessors the nearest counts.

Of 981 NOAA regions of 2008 to 2013 this finds 180 such pairs (171 with the nearest only, 165 without the
drift); with longitudes shifted by 40 to 300 degrees 37 are left, so four in five are no chance.

Source: Howard, Gilman and Gilman (1984), ApJ 283, 373 (rotation of all sunspots, 1921-1982).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.split.regions import is_disk, linked_regions

Returning = Literal["new", "same"]

LEAST_DAYS, MOST_DAYS = 8, 24
"""Time that a region is out of sight, seen up to some way before the limb."""

LATITUDE_TOLERANCE, LONGITUDE_TOLERANCE = 5.0, 10.0
NEAR_LIMB = 50.0
"""A region that leaves or comes is seen this far from the central meridian [degree]."""

_SIDEREAL = 14.1844
_SPOTS = (14.522, -2.840)
"""Rotation of the Carrington frame; of sunspots at the equator, and times sin(latitude)^2 [degree d-1]."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Passages:
    """One passage of each linked region over the disk: times [d], places [degree], shape (region,)."""

    first: Floats
    last: Floats
    mean: Floats
    latitude: Floats
    carrington: Floats
    farthest_east: Floats
    farthest_west: Floats


def link_returning(windows: xr.Dataset, returning: str = "same") -> xr.Dataset:
    """Windows in whose `noaa_regions` a region and its return share a name, so that `linked_regions` is one.

    Args:
        windows: A windows Dataset.
        returning: `same`, or `new`: leave them apart (the windows as they are).

    Raises:
        FlarecastError: It is neither, or the windows do not say where regions are.
    """
    if returning == "new":
        return windows
    if returning != "same":
        raise FlarecastError(f"split.returning: expected new or same, got {returning!r}")
    region = linked_regions(windows)
    before, after = _pairs(_passages(windows, region))
    name_of = dict(zip(region.tolist(), windows["region"].values.tolist(), strict=True))
    extra: dict[int, str] = {}
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        for number in (one, other):
            extra[number] = extra.get(number, "") + f",once {name_of[one]}"
    texts = windows["noaa_regions"].values
    linked = np.empty(texts.shape, dtype=object)
    linked[:] = [text + extra.get(number, "") for text, number in zip(texts, region.tolist(), strict=True)]
    return windows.assign(noaa_regions=(windows["noaa_regions"].dims, linked, windows["noaa_regions"].attrs))


def _passages(windows: xr.Dataset, region: NDArray[np.int64]) -> Passages:
    """Where and when each linked region was seen; NaN and infinite where its place is not known."""
    names = windows["feature"].values.tolist()
    if "longitude" not in windows or "latitude" not in names:
        absent = "longitude" if "longitude" not in windows else "latitude"
        raise FlarecastError(
            f'split.returning: expected windows that say where regions are for "same", got no {absent} from '
            f'{windows.attrs["source"]}; choose "new", or ingest noaa-regions'
        )
    track = windows["track"].values
    region_of_track = np.full(int(track.max(initial=-1)) + 1, -1, dtype=np.int64)
    seen = (windows["n_rows"].values > 0) & ~is_disk(windows)
    region_of_track[track[windows["first_row"].values[seen]]] = region[seen]
    latitude = windows["values"].values[:, names.index("latitude")].astype(np.float64)
    longitude = windows["longitude"].values.astype(np.float64)
    number = region_of_track[track]
    known = (number >= 0) & np.isfinite(latitude) & (np.abs(longitude) <= 90)
    number, latitude, longitude = number[known], latitude[known], longitude[known]
    time = windows["time"].values[known].astype(np.float64)
    n = int(region.max(initial=-1)) + 1

    def mean(values: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.bincount(number, values, n) / np.bincount(number, minlength=n)

    def extreme(reduce: np.ufunc, values: Floats) -> Floats:
        out = np.full(n, np.inf if reduce is np.minimum else -np.inf)
        reduce.at(out, number, values)
        return out

    turn = np.radians(cycles.central_longitude(time) + longitude)
    return Passages(
        first=extreme(np.minimum, time / cycles.DAY),
        last=extreme(np.maximum, time / cycles.DAY),
        mean=mean(time / cycles.DAY),
        latitude=mean(latitude),
        carrington=np.degrees(np.arctan2(mean(np.sin(turn)), mean(np.cos(turn)))),
        farthest_east=extreme(np.minimum, longitude),
        farthest_west=extreme(np.maximum, longitude),
    )


def _pairs(seen: Passages) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Regions that left, and the same regions under the number of their return, shape (pair,) each."""
    leaves = np.flatnonzero(seen.farthest_west >= NEAR_LIMB)
    leaves = leaves[np.argsort(seen.last[leaves])]
    comes = np.flatnonzero(seen.farthest_east <= -NEAR_LIMB)
    start = np.searchsorted(seen.last[leaves], seen.first[comes] - MOST_DAYS, side="left")
    stop = np.searchsorted(seen.last[leaves], seen.first[comes] - LEAST_DAYS, side="right")
    before, after = [], []
    for region, low, high in zip(comes.tolist(), start.tolist(), stop.tolist(), strict=True):
        those = leaves[low:high]
        north = (seen.latitude[region] - seen.latitude[those]) / LATITUDE_TOLERANCE
        middle = np.radians((seen.latitude[region] + seen.latitude[those]) / 2)
        drift = _SPOTS[0] + _SPOTS[1] * np.sin(middle) ** 2 - _SIDEREAL
        west = seen.carrington[region] - seen.carrington[those]
        west = (west - drift * (seen.mean[region] - seen.mean[those]) + 180) % 360 - 180
        west /= LONGITUDE_TOLERANCE
        near = np.flatnonzero((np.abs(north) <= 1) & (np.abs(west) <= 1))
        if near.size:
            before.append(int(those[near[np.argmin(np.hypot(north, west)[near])]]))
            after.append(region)
    return np.array(before, dtype=np.int64), np.array(after, dtype=np.int64)
