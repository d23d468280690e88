"""The largest flare of each window's valid span: of its region, or anywhere."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def largest(
    track: IntArray, valid_from: IntArray, horizon: int, flares: tuple[IntArray, IntArray, FloatArray]
) -> IntArray:
    """Index of the largest flare of each window's track that peaks in its valid span, -1 if none.

    Args:
        track: Track of each window, ascending, shape (window,).
        valid_from: UTC [s since 1970], ascending inside each track, shape (window,).
        horizon: Length of the valid spans [s].
        flares: Track, peak [s since 1970] and flux [W m-2] of each flare, shapes (flare,).

    Returns:
        Shape (window,); of equal flares the first.
    """
    chosen = np.full(track.size, -1, dtype=np.int64)
    flare_track, peak, flux = flares
    if track.size == 0 or peak.size == 0:
        return chosen
    base = min(valid_from.min(), peak.min()) - horizon
    shift = max(valid_from.max(), peak.max()) - base + 2 * horizon
    window_key = track * shift + (valid_from - base)
    flare_key = flare_track * shift + (peak - base)
    first = np.searchsorted(window_key, flare_key - horizon, side="right")
    stop = np.searchsorted(window_key, flare_key, side="right")
    flare = np.repeat(np.arange(peak.size), stop - first)
    within = np.arange(flare.size) - np.repeat(np.cumsum(stop - first) - (stop - first), stop - first)
    window = first[flare] + within
    order = np.lexsort((-peak[flare], flux[flare], window))
    chosen[window[order]] = flare[order]  # the last of equal indices stays: the largest flare
    return chosen


def largest_flux(
    track: IntArray, valid_from: IntArray, horizon: int, flares: tuple[IntArray, IntArray, FloatArray]
) -> FloatArray:
    """Flux [W m-2] of the largest flare of each window's track, 0 if none; arguments as of `largest`."""
    which = largest(track, valid_from, horizon, flares)
    found = np.zeros(track.size)
    found[which >= 0] = flares[2][which[which >= 0]]
    return found


def largest_anywhere(valid_from: IntArray, horizon: int, peak: IntArray, flux: FloatArray) -> FloatArray:
    """Flux [W m-2] of the largest flare of each valid span, whatever its track, 0 if none.

    Args:
        valid_from: UTC [s since 1970], in any order, shape (window,).
        horizon: Length of the valid spans [s].
        peak: Of each flare [s since 1970], shape (flare,).
        flux: Of each flare [W m-2], shape (flare,).
    """
    spans, span = np.unique(valid_from, return_inverse=True)
    return largest_flux(np.zeros_like(spans), spans, horizon, (np.zeros_like(peak), peak, flux))[span]
