"""What flared before: features of a region's and of the disk's flares, from lists of flares.

A flare is known from its peak on. Days without an event report are missing, not quiet: sums over a span with
missing days are scaled up by the share of days known, and are NaN where less than a quarter is.
"""

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.features import LEAST_KNOWN
from flarecast.flares.clock import DAY
from flarecast.ingest.region_flares import Flares, covered_days
from flarecast.ingest.region_rows import MEMORY_DAYS, Tracks

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Feature = tuple[FloatArray, str, float]

REGION_SPANS: dict[str, tuple[int, float]] = {
    "1d": (1, 0.5),
    "3d": (3, 1.5),
    "7d": (7, 3.5),
    "all": (MEMORY_DAYS, 7.0),
}
"""Span and half-life of its decayed sum [d]; `all` is since appearance, at most `MEMORY_DAYS`."""

DISK_SPANS: dict[str, tuple[int, float]] = {"1d": (1, 0.5), "7d": (7, 3.5), "27d": (27, 7.0)}

QUIET = 1e-7
"""Stands for the largest flux where there was no flare [W m-2]: B1.0, below which lists are empty."""

UNIT_FLUX = goes.DECADES["C"]


def region_features(tracks: Tracks, flares: Flares) -> dict[str, Feature]:
    """Features of the flares of each row's region: name -> values (row,), unit, memory [h]."""
    sums = _sums(tracks.time, tracks.region, flares, flares.region, REGION_SPANS)
    appeared = np.minimum(tracks.age + 1, MEMORY_DAYS).astype(np.int64)
    days = {
        name: appeared if name == "all" else np.full_like(appeared, REGION_SPANS[name][0]) for name in sums
    }
    return _features("", tracks.time, sums, days, flares, REGION_SPANS)


def disk_features(tracks: Tracks, flares: Flares) -> dict[str, Feature]:
    """Features of all flares on the Sun: name -> values (row,), unit, memory [h]."""
    time, row = np.unique(tracks.time, return_inverse=True)
    nowhere = np.zeros_like(time)
    sums = _sums(time, nowhere, flares, np.zeros_like(flares.region), DISK_SPANS)
    days = {name: np.full_like(time, DISK_SPANS[name][0]) for name in sums}
    found = _features("disk_", time, sums, days, flares, DISK_SPANS)
    return {name: (values[row], unit, memory) for name, (values, unit, memory) in found.items()}


def _sums(
    time: IntArray,
    region: IntArray,
    flares: Flares,
    flare_region: IntArray,
    spans: dict[str, tuple[int, float]],
) -> dict[str, FloatArray]:
    """Numbers of C, M and X flares, largest flux and decayed sum in [time - span, time), shape (row, 5)."""
    longest = max(days for days, _ in spans.values()) * DAY
    row, flare = _pairs(time, region, flares.time, flare_region, longest)
    ago, flux = time[row] - flares.time[flare], flares.flux[flare]
    out = {}
    for name, (days, half_life) in spans.items():
        inside = ago <= days * DAY
        here, much = row[inside], flux[inside]
        letters = [goes.at_least(much, goes.DECADES[letter]) for letter in "CMX"]
        only = [letters[0] & ~letters[1], letters[1] & ~letters[2], letters[2]]
        table = np.zeros((time.size, 5))
        for column, chosen in enumerate(only):
            table[:, column] = np.bincount(here[chosen], minlength=time.size)
        table[:, 3] = QUIET
        np.maximum.at(table[:, 3], here, much)
        weight = np.exp2(-ago[inside] / (half_life * DAY))
        table[:, 4] = np.bincount(here, weights=weight * much / UNIT_FLUX, minlength=time.size)
        out[name] = table
    return out


def _pairs(
    time: IntArray, region: IntArray, flare_time: IntArray, flare_region: IntArray, longest: int
) -> tuple[IntArray, IntArray]:
    """Rows and flares of the same region with 0 < row's time - flare's time <= longest."""
    order = np.lexsort((flare_time, flare_region))
    base = min(time.min(initial=0), flare_time.min(initial=0)) - longest
    shift = max(time.max(initial=0), flare_time.max(initial=0)) - base + longest + 1
    key = flare_region[order] * shift + (flare_time[order] - base)
    row_key = region * shift + (time - base)
    first = np.searchsorted(key, row_key - longest, side="left")
    count = np.searchsorted(key, row_key, side="left") - first
    row = np.repeat(np.arange(time.size), count)
    within = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    return row, order[first[row] + within]


def _features(
    prefix: str,
    time: IntArray,
    sums: dict[str, FloatArray],
    days: dict[str, IntArray],
    flares: Flares,
    spans: dict[str, tuple[int, float]],
) -> dict[str, Feature]:
    """Sums scaled to whole spans, as logarithms."""
    today = time // DAY
    features: dict[str, Feature] = {}
    for name, table in sums.items():
        share = covered_days(flares, today - days[name], today) / days[name]
        known = share >= LEAST_KNOWN
        scale = np.where(known, 1 / np.where(known, share, 1.0), np.nan)
        memory = spans[name][0] * 24.0
        for column, letter in enumerate("cmx"):
            features[f"log1p_{prefix}{letter}_flares_{name}"] = (
                np.log1p(table[:, column] * scale),
                "1",
                memory,
            )
        largest = np.where(known, np.log10(table[:, 3]), np.nan)
        features[f"log10_{prefix}largest_{name}"] = largest, "lg(re 1 W m-2)", memory
        features[f"log1p_{prefix}decayed_{name}"] = np.log1p(table[:, 4] * scale), "1", memory
    return features
