"""What the rows of a region show: its hidden state in part, its own make, noise that grows to the limb."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.ingest.sun.emergence import HOUR, LIMB, Regions, longitude_at
from flarecast.ingest.sun.parameters import FACTORS, Float32Array, from_factors
from flarecast.ingest.sun.states import Lives

IntArray = NDArray[np.int64]

STAGE_AT_ZERO = 5
"""Level + disguise where the factor `stage` is 0."""

N_SHOWING = 2
"""The first two factors show the hidden state; the rest are the region's make."""

NOISE = np.array([0.10, 0.10] + [0.04] * (len(FACTORS) - N_SHOWING), dtype=np.float32)
"""Standard deviation of each factor's noise at disk centre."""

KEPT = 0.9
"""Part of a make factor that a region keeps for life; its drift has the rest of the variance."""

DRIFT_NODE_HOURS = 12
DRIFT_MEMORY = float(np.exp(-DRIFT_NODE_HOURS / 48))

ROW_MISSING = 0.015
CELL_MISSING = 0.0003

MANTISSA_BITS = 10
"""Bits of each value's mantissa that are kept: an instrument's precision of 0.05 %."""


@dataclass(frozen=True)
class Rows:
    """Rows in the order of region and time.

    Attributes:
        region: Index of the region, shape (row,).
        time: UTC [s since 1970], shape (row,).
        longitude: Stonyhurst longitude [degree], shape (row,).
        stage, stress: What the row shows of the hidden state, shape (row,).
        noise: Standard deviation of the noise of stage and stress, shape (2, row).
        missing: Whether nothing of the row was recorded, shape (row,).
        values: The 24 parameters, NaN = missing, shape (row, feature).
    """

    region: IntArray
    time: IntArray
    longitude: Float32Array
    stage: Float32Array
    stress: Float32Array
    noise: Float32Array
    missing: NDArray[np.bool_]
    values: Float32Array


def limb_noise(longitude: NDArray[np.floating]) -> Float32Array:
    """How many times larger the noise is than at disk centre: 1.1 at 50 degrees, 5 at the limb."""
    return (1 + 4 * (longitude / LIMB) ** 6).astype(np.float32)


def observe(
    regions: Regions, lives: Lives, region: IntArray, time: IntArray, rng: np.random.Generator
) -> Rows:
    """Draw what regions show at some times.

    Args:
        regions: All regions.
        lives: Their hidden states.
        region: Index of the region of each row, ascending, shape (row,).
        time: UTC [s since 1970], ascending inside a region, shape (row,). The state of the hour that ends at
            or after it is shown.
        rng: Source of chance.
    """
    hour = (time - 1) // HOUR - regions.start[region]
    longitude = longitude_at(regions, region, time).astype(np.float32)
    noise = NOISE[:, None] * limb_noise(longitude)
    factors = rng.standard_normal((len(FACTORS), time.size), dtype=np.float32)
    factors *= noise
    factors[0] += lives.level[region, hour] + (lives.disguise[region] - STAGE_AT_ZERO)
    factors[1] += lives.trigger[region, hour] + lives.mood[region, hour]
    _add_make(factors[N_SHOWING:], region, (time - regions.start[region] * HOUR) / HOUR, rng)
    hand = np.where(rng.random(regions.start.size) < 0.5, -1, 1).astype(np.float32)
    values = _as_recorded(from_factors(factors, hand[region]))
    missing = rng.random(time.size) < ROW_MISSING
    values[missing] = np.nan
    n_cells = rng.binomial(values.size, CELL_MISSING)
    values.reshape(-1)[rng.integers(0, values.size, n_cells)] = np.nan
    return Rows(region, time, longitude, factors[0], factors[1], noise[:N_SHOWING], missing, values)


def _add_make(
    factors: Float32Array, region: IntArray, hours: NDArray[np.float64], rng: np.random.Generator
) -> None:
    """Add to factors (factor, row) each region's lasting make and its slow drift between 12-hourly nodes."""
    n_regions, n_nodes = int(region.max()) + 1, int(hours.max() // DRIFT_NODE_HOURS) + 2
    node = (hours // DRIFT_NODE_HOURS).astype(np.int64)
    share = (hours / DRIFT_NODE_HOURS - node).astype(np.float32)
    place = region * n_nodes + node
    for factor in factors:
        drift = rng.standard_normal((n_regions, n_nodes), dtype=np.float32)
        for later in range(1, n_nodes):
            drift[:, later] *= np.sqrt(1 - DRIFT_MEMORY**2)
            drift[:, later] += DRIFT_MEMORY * drift[:, later - 1]
        kept = rng.standard_normal((n_regions, 1), dtype=np.float32)
        course = (KEPT * kept + np.sqrt(1 - KEPT**2) * drift).astype(np.float32).reshape(-1)
        before = course[place]
        factor += before + share * (course[place + 1] - before)


def _as_recorded(shown: Float32Array) -> Float32Array:
    """Round values (feature, row) to the instrument's precision, as (row, feature)."""
    dropped = 23 - MANTISSA_BITS
    values = np.ascontiguousarray(shown.T)
    bits = values.view(np.uint32)
    bits += np.uint32(1 << (dropped - 1))
    bits &= np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return values
