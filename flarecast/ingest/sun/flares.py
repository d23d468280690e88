"""Flares: a point process driven by the hidden state, and the largest flare of each window's valid span."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast import goes
from flarecast.cycles import DAY, ROTATION_DAYS
from flarecast.ingest.sun.emergence import HOUR, Regions, activity
from flarecast.ingest.sun.states import Lives, flare_rate

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SMALLEST = 1e-7
"""Flares are drawn from class B1.0 on [W m-2]."""

LARGEST = 5e-3
"""No flare is larger than X50 [W m-2]."""

SLOPE = 1.0
"""Exponent of the cumulative distribution of peak fluxes: a decade up, ten times fewer."""

RISE_SECONDS, RISE_SPREAD = 480.0, 0.6
"""Median rise time of a flare [s], and the spread of its logarithm."""


@dataclass(frozen=True)
class Flares:
    """Detected flares in the order of region and peak; arrays of shape (flare,).

    Attributes:
        region: Index of the region.
        start, peak: UTC [s since 1970].
        flux: Peak 1-8 A flux, cut to one decimal of its class as lists are [W m-2].
        assigned: Whether the list names the region.
    """

    region: IntArray
    start: IntArray
    peak: IntArray
    flux: FloatArray
    assigned: NDArray[np.bool_]


def share_at_least(flux: ArrayLike) -> FloatArray:
    """Share of the flares drawn that reach a peak flux [W m-2], any shape."""
    flux = np.clip(flux, SMALLEST, LARGEST)
    share: FloatArray = (flux**-SLOPE - LARGEST**-SLOPE) / (SMALLEST**-SLOPE - LARGEST**-SLOPE)
    return share


def drawn_rate() -> FloatArray:
    """Flares of any size drawn [h-1], shape (level, trigger)."""
    return flare_rate() / share_at_least(goes.parse_class("C1.0"))


def detection_limit(time: ArrayLike, floor: float) -> FloatArray:
    """Smallest class that a list holds [W m-2]: its floor, or the higher X-ray background of an active Sun.

    The background rises from B1.0 at minimum to B6.3 at the highest maximum; a new limit begins with each
    27 days.

    Args:
        time: UTC [s since 1970], any shape.
        floor: Smallest class of the list [W m-2].
    """
    span = ROTATION_DAYS * DAY
    begin = np.asarray(time, dtype=np.int64) // span * span
    background = np.round(10 ** (0.8 * activity(begin)), 1) * 1e-7
    return np.maximum(background, floor)


def ignite(
    regions: Regions, lives: Lives, unassigned_share: float, floor: float, rng: np.random.Generator
) -> Flares:
    """Draw the flares of all regions while they are in view.

    Within an hour of hidden state x flares are a Poisson process of rate `drawn_rate`[x]; sizes are Pareto.
    """
    hours = np.arange(lives.level.shape[1])
    rate = drawn_rate()[lives.level, lives.trigger] * (hours < lives.n_alive[:, None])
    count = rng.poisson(rate)
    region, hour = np.nonzero(count)
    number = count[region, hour]
    region, hour = np.repeat(region, number), np.repeat(hour, number)
    peak = (regions.start[region] + hour) * HOUR + rng.integers(0, HOUR, region.size)
    order = np.lexsort((peak, region))
    region, peak = region[order], peak[order]
    flux = _one_decimal(_draw_flux(peak.size, rng))
    rise = rng.lognormal(np.log(RISE_SECONDS), RISE_SPREAD, peak.size).astype(np.int64)
    assigned = rng.random(peak.size) >= unassigned_share
    found = goes.at_least(flux / detection_limit(peak, floor), 1.0)
    return Flares(region[found], (peak - rise)[found], peak[found], flux[found], assigned[found])


def _draw_flux(n: int, rng: np.random.Generator) -> FloatArray:
    """Peak fluxes of the truncated Pareto distribution [W m-2], shape (n,)."""
    most, least = SMALLEST**-SLOPE, LARGEST**-SLOPE
    flux: FloatArray = (least + rng.random(n) * (most - least)) ** (-1 / SLOPE)
    return flux


def _one_decimal(flux: FloatArray) -> FloatArray:
    """Cut fluxes [W m-2] to one decimal of their class, B1.0 and above."""
    decade = 10.0 ** np.clip(np.floor(np.log10(flux) + 1e-12), -7, -4)
    cut: FloatArray = np.floor(flux / decade * 10 + 1e-9) / 10 * decade
    return cut
