"""GOES X-rays minute by minute: means of samples, and one series out of several satellites."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MINUTE = 60
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

TRUE_PER_OPERATIONAL = (1 / 0.85, 1 / 0.70)
"""What the operational flux of GOES-8 to 15 is multiplied with, A and B (NOAA GOES XRS user guide)."""

LARGEST_FLUX = 0.1
"""X28, where the sensors saturated in 2003, is 2.8e-3; what is beyond this is no flux [W m-2]."""


@dataclass(frozen=True)
class Minutes:
    """Means of the good samples of minutes, true flux.

    Attributes:
        minute: Minutes since 1970, ascending, shape (minute,).
        flux: 0.5-4 A (A) and 1-8 A (B) [W m-2], NaN = missing, shape (minute, 2).
        satellite: GOES number, 0 = not told.
        archived: Whether it is of an archive rather than served live.
        n_samples, n_flagged, n_contaminated: Samples of channel B in all, with a bad flag, and with more
            electrons than X-rays or flagged so.
        scale: Scale that the fluxes had in the file.
    """

    minute: IntArray
    flux: NDArray[np.float32]
    satellite: int
    archived: bool
    n_samples: int = 0
    n_flagged: int = 0
    n_contaminated: int = 0
    scale: str = "true"


def averaged(time: FloatArray, flux: FloatArray) -> tuple[IntArray, NDArray[np.float32]]:
    """Means by minute.

    Args:
        time: Start of each sample [s since 1970], any order, shape (sample,).
        flux: NaN = not to be used, shape (sample, channel).

    Returns:
        Minutes since 1970 that have samples, ascending, and means, NaN where a minute has no good sample.
    """
    minute, place = np.unique(np.floor(time / MINUTE).astype(np.int64), return_inverse=True)
    means = np.full((minute.size, flux.shape[1]), np.nan)
    for channel in range(flux.shape[1]):
        good = ~np.isnan(flux[:, channel])
        count = np.bincount(place[good], minlength=minute.size)
        total = np.bincount(place[good], weights=flux[good, channel], minlength=minute.size)
        means[count > 0, channel] = total[count > 0] / count[count > 0]
    return minute, means.astype(np.float32)


def merged(
    pieces: Sequence[Minutes], first: int, stop: int, satellites: Sequence[int]
) -> tuple[NDArray[np.float32], dict[int, int]]:
    """One series: of each minute and channel the flux of the satellite that ranks highest and has any.

    Satellites rank as `satellites` says, then by number, the newest first; of one satellite its archive goes
    before what was served live. Which satellite counts depends on that minute alone, never on a later one.

    Args:
        pieces: In any order.
        first: First minute of the series [min since 1970].
        stop: Minute after its last.
        satellites: GOES numbers, the preferred first.

    Returns:
        Flux [W m-2], shape (stop - first, 2); and by satellite the minutes of channel B that it gave.
    """
    series = np.full((stop - first, 2), np.nan, dtype=np.float32)
    source = np.full(stop - first, -1, dtype=np.int64)
    ranked = list(satellites)

    def rank(piece: Minutes) -> tuple[int, bool]:
        number = piece.satellite
        return (ranked.index(number) if number in ranked else len(ranked) + 1000 - number), not piece.archived

    for piece in sorted(pieces, key=rank, reverse=True):
        inside = (piece.minute >= first) & (piece.minute < stop)
        place, flux = piece.minute[inside] - first, piece.flux[inside]
        for channel in range(2):
            good = ~np.isnan(flux[:, channel])
            series[place[good], channel] = flux[good, channel]
        source[place[~np.isnan(flux[:, 1])]] = piece.satellite
    used, count = np.unique(source[source >= 0], return_counts=True)
    return series, dict(zip(used.tolist(), count.tolist(), strict=True))
