"""The hidden state of a region: four small Markov chains in steps of one hour.

What makes flares: an activity `level` and a `trigger`. What hides them: a `disguise` that the region keeps
for life and adds to the level, and a `mood` that wanders and adds to the trigger. The rows show only the
sums level + disguise and trigger + mood (`parameters`), so even the best forecaster stays in doubt.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from flarecast.ingest.sun.emergence import FAR_SIDE_HOURS, Regions

FloatArray = NDArray[np.float64]

N_LEVELS = 16
DISGUISES = np.arange(-4, 5)
DISGUISE_PRIOR = np.array([comb(8, k) for k in range(9)]) / 2**8
MOODS = np.array([-1, 0, 1])

RISES_PER_HOUR, FALLS_PER_HOUR = 0.011, 0.016
TRIGGER_ON_PER_HOUR, TRIGGER_OFF_PER_HOUR = 1 / 72, 1 / 28
MOOD_LEAVES_ZERO_PER_HOUR, MOOD_RETURNS_PER_HOUR = 1 / 90, 1 / 60

C_FLARES_PER_HOUR = 0.00103 / 24
"""Flares of class C1.0 or more at level 0 without trigger [h-1]."""

GROWTH_PER_LEVEL = 1.85
GROWTH_BY_TRIGGER = 12.0


@dataclass(frozen=True)
class Lives:
    """Hidden states by hour of life; arrays of shape (region, hour), meaningful while hour < n_alive.

    Attributes:
        level: Activity level, 0 to `N_LEVELS` - 1.
        trigger: 0 or 1.
        mood: -1, 0 or 1.
        disguise: -4 to 4, shape (region,).
        n_alive: Hours in view before the region fades or leaves over the limb, shape (region,).
    """

    level: NDArray[np.int8]
    trigger: NDArray[np.int8]
    mood: NDArray[np.int8]
    disguise: NDArray[np.int64]
    n_alive: NDArray[np.int64]


def level_moves() -> FloatArray:
    """Probability of each next level if the region lives on, shape (level, next level)."""
    rises, falls = (np.full(N_LEVELS - 1, rate) for rate in (RISES_PER_HOUR, FALLS_PER_HOUR))
    moves: FloatArray = np.diag(rises, 1) + np.diag(falls, -1)
    moves += np.diag(1 - moves.sum(axis=1))
    return moves


def fading() -> FloatArray:
    """Probability that a region of each level fades within the hour, shape (level,)."""
    faded: FloatArray = 0.014 * np.exp(-np.arange(N_LEVELS) / 2.5)
    return faded


def trigger_moves() -> FloatArray:
    """Probability of each next trigger, shape (trigger, next trigger)."""
    on, off = TRIGGER_ON_PER_HOUR, TRIGGER_OFF_PER_HOUR
    return np.array([[1 - on, on], [off, 1 - off]])


def mood_moves() -> FloatArray:
    """Probability of each next mood, shape (mood, next mood)."""
    leave, back = MOOD_LEAVES_ZERO_PER_HOUR / 2, MOOD_RETURNS_PER_HOUR
    return np.array([[1 - back, back, 0], [leave, 1 - 2 * leave, leave], [0, back, 1 - back]])


def stationary(moves: FloatArray) -> FloatArray:
    """Distribution that a chain settles in, shape (state,)."""
    settled: FloatArray = np.linalg.matrix_power(moves, 1 << 20)[0]
    settled /= settled.sum()
    return settled


def level_prior(regions: Regions) -> FloatArray:
    """Distribution of the level in the first hour in view, shape (region, level).

    A mixture of simple and complex regions, more complex ones at high activity. Those that rotate in have
    evolved for an unknown time on the far side, up to half a rotation, and have not faded.
    """
    level = np.arange(N_LEVELS)
    simple = np.where(level <= 5, 0.62**level, 0.0)
    grown = np.exp(-(((level - 7.5) / 2.2) ** 2) / 2)
    born = np.stack([simple / simple.sum(), grown / grown.sum()])
    alive = (1 - fading())[:, None] * level_moves()
    aged, now = np.zeros_like(born), born
    for _ in range(FAR_SIDE_HOURS):
        aged, now = aged + now, now @ alive
    aged /= aged.sum(axis=1, keepdims=True)
    complex_share = (0.10 + 0.25 * regions.activity)[:, None]
    kinds = np.where(regions.rotated_in[:, None, None], aged, born)
    prior: FloatArray = (1 - complex_share) * kinds[:, 0] + complex_share * kinds[:, 1]
    return prior


def flare_rate() -> FloatArray:
    """Flares of class C1.0 or more [h-1], shape (level, trigger)."""
    growth = GROWTH_PER_LEVEL ** np.arange(N_LEVELS)
    rate: FloatArray = C_FLARES_PER_HOUR * growth[:, None] * np.array([1.0, GROWTH_BY_TRIGGER])
    return rate


def live(regions: Regions, rng: np.random.Generator) -> Lives:
    """Draw the hidden state of every region for every hour that it is in view."""
    n_regions, n_hours = regions.start.size, int(regions.n_visible.max())
    level = _draw(level_prior(regions), rng)
    trigger = _draw(np.tile(stationary(trigger_moves()), (n_regions, 1)), rng)
    mood = _draw(np.tile(stationary(mood_moves()), (n_regions, 1)), rng)
    disguise = DISGUISES[_draw(np.tile(DISGUISE_PRIOR, (n_regions, 1)), rng)]
    paths = np.zeros((3, n_regions, n_hours), dtype=np.int8)
    n_alive, alive = np.zeros(n_regions, dtype=np.int64), np.ones(n_regions, dtype=bool)
    for hour in range(n_hours):
        alive &= hour < regions.n_visible
        n_alive += alive
        paths[:, :, hour] = level, trigger, MOODS[mood]
        alive &= rng.random(n_regions) >= fading()[level]
        level = _draw(level_moves()[level], rng)
        trigger = _draw(trigger_moves()[trigger], rng)
        mood = _draw(mood_moves()[mood], rng)
    return Lives(paths[0], paths[1], paths[2], disguise, n_alive)


def _draw(probability: FloatArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """One state for each row of probabilities (n, state), shape (n,)."""
    chance = rng.random((probability.shape[0], 1))
    drawn: NDArray[np.int64] = (chance > np.cumsum(probability[:, :-1], axis=1)).sum(axis=1)
    return drawn
