"""Features of the X-ray flux before a moment: latest, background, peaks, mean; of both channels.

Step by step: a minute is known `latency` after its end; of the minutes known at a row's time the last 1, 6
and 24 hours count. The background is the lowest median of the last 24 whole hours of the clock, which a flare
of some hours does not lift.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from flarecast.features import LEAST_KNOWN
from flarecast.ingest.xrs.minutes import MINUTE

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Feature = tuple[FloatArray, str, float]

CHANNELS = ("xrsa", "xrsb")
LOWEST = (1e-10, 1e-9)
"""Smallest flux told from the sensors' noise, channel A and B [W m-2]; less counts as that."""

SPANS = {"1h": 60, "6h": 360, "24h": 1440}
"""Spans of peaks [min]."""

LATEST, DAY, HOUR = 60, 1440, 60
UNIT = "lg(re 1 W m-2)"
HOURS_BEFORE = DAY // HOUR + 1
"""A row reads this much before what it knows [h]: 24 whole hours of the clock, and the one that has begun."""


def xrs_features(
    series: NDArray[np.float32], first: int, time: IntArray, latency_minutes: float
) -> dict[str, Feature]:
    """Features at given times.

    Args:
        series: Flux by minute, NaN = missing, shape (minute, 2); it begins at a whole hour.
        first: First minute of the series [min since 1970].
        time: [s since 1970], any order, shape (row,).
        latency_minutes: From a minute's end to when it is known.

    Returns:
        Name -> values (row,), unit, memory [h]; NaN where too little is known.
    """
    stop = (time - round(latency_minutes * MINUTE)) // MINUTE - first
    stop = stop.clip(0, series.shape[0])
    late = latency_minutes / 60 + 1 / 60
    features: dict[str, Feature] = {}
    for channel, name in enumerate(CHANNELS):
        flux = np.maximum(series[:, channel], np.float32(LOWEST[channel]))  # NaN stays
        known = np.concatenate([[0], np.cumsum(~np.isnan(flux))])
        features[f"log10_{name}_latest"] = (_latest(flux, stop), UNIT, LATEST / 60 + late)
        features[f"log10_{name}_background_24h"] = (_background(flux, stop), UNIT, HOURS_BEFORE + late)
        for span, length in SPANS.items():
            features[f"log10_{name}_peak_{span}"] = (
                _peak(flux, known, stop, length),
                UNIT,
                length / 60 + late,
            )
        features[f"log10_{name}_mean_24h"] = (_mean(flux, known, stop), UNIT, DAY / 60 + late)
    return features


def _latest(flux: NDArray[np.float32], stop: IntArray) -> FloatArray:
    """The last minute known, of the last hour."""
    place = np.where(np.isnan(flux), -1, np.arange(flux.size))
    last = np.concatenate([[-1], np.maximum.accumulate(place)])[stop]
    fresh = (last >= 0) & (last >= stop - LATEST)
    return _log(np.where(fresh, flux[last], np.nan) if flux.size else np.full(stop.size, np.nan))


def _peak(flux: NDArray[np.float32], known: IntArray, stop: IntArray, length: int) -> FloatArray:
    """The largest of the last minutes."""
    filled = np.concatenate([np.full(length, -1, dtype=np.float32), np.nan_to_num(flux, nan=-1)])
    largest = maximum_filter1d(filled, length, origin=(length - 1) // 2, mode="constant", cval=-1)
    values = largest[stop + length - 1]
    return _log(np.where(_enough(known, stop, length), values, np.nan))


def _mean(flux: NDArray[np.float32], known: IntArray, stop: IntArray) -> FloatArray:
    """The mean of the minutes known of the last day."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(flux).astype(np.float64))])
    start = (stop - DAY).clip(0)
    count = known[stop] - known[start]
    enough = _enough(known, stop, DAY)
    mean = (total[stop] - total[start]) / np.maximum(count, 1)
    return _log(np.where(enough, mean, np.nan))


def _background(flux: NDArray[np.float32], stop: IntArray) -> FloatArray:
    """The lowest median of the last 24 whole hours."""
    n_hours = flux.size // HOUR
    hours = flux[: n_hours * HOUR].reshape(n_hours, HOUR)
    medians = np.full(n_hours, np.inf)
    enough = (~np.isnan(hours)).sum(axis=1) * 2 >= HOUR
    medians[enough] = np.nanmedian(hours[enough], axis=1)
    n_span = DAY // HOUR
    padded = np.concatenate([np.full(n_span, np.inf), medians])
    view = np.lib.stride_tricks.sliding_window_view(padded, n_span)[stop // HOUR]
    known = np.isfinite(view).sum(axis=1) >= LEAST_KNOWN * n_span
    return _log(np.where(known, view.min(axis=1), np.nan))


def _enough(known: IntArray, stop: IntArray, length: int) -> NDArray[np.bool_]:
    """Whether enough of the last minutes are known."""
    return np.asarray(known[stop] - known[(stop - length).clip(0)] >= LEAST_KNOWN * length)


def _log(values: NDArray[np.floating]) -> FloatArray:
    """Logarithm, NaN kept."""
    return np.log10(values.astype(np.float64))
