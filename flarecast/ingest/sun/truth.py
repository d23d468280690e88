"""The two truths of a simulated window: what the hidden state says, and what the rows let one know of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.ingest.sun.emergence import HOUR, Regions
from flarecast.ingest.sun.flares import drawn_rate, share_at_least
from flarecast.ingest.sun.rows import STAGE_AT_ZERO, Rows
from flarecast.ingest.sun.states import (
    DISGUISE_PRIOR,
    DISGUISES,
    MOODS,
    N_LEVELS,
    Lives,
    fading,
    level_moves,
    level_prior,
    mood_moves,
    stationary,
    trigger_moves,
)

IntArray = NDArray[np.int64]
Move = Callable[[NDArray[np.float64]], NDArray[np.float64]]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Issues:
    """Windows as the simulator sees them, in the order of region and age; arrays of shape (window,).

    Attributes:
        region: Index of the region.
        age: Whole hours that the region has been in view at issue time.
        to_limb: Whole hours until it reaches the west limb.
    """

    region: IntArray
    age: IntArray
    to_limb: IntArray


def outcome_table(flux: float, lead: int, horizon: int, unassigned_share: float) -> FloatArray:
    """Probability of an assigned flare of at least a flux [W m-2] by state at issue and hours still in view.

    With P the moves of level and trigger, f the chance to fade, r the rate of such flares and hours counted
    back from the end of the span, the chance of none is
    q_0 = 1, q_k = f + (1 - f) P exp(-r) q_(k-1) inside the span, without exp(-r) in the lead.

    Args:
        flux: Threshold [W m-2].
        lead: Hours from issue to the begin of the valid span.
        horizon: Length of the valid span [h].
        unassigned_share: Share of flares whose region the list does not name.

    Returns:
        Shape (hours in view inside the valid span, level, trigger), hours from 0 to `horizon`.
    """
    rate = drawn_rate() * share_at_least(flux) * (1 - unassigned_share)
    quiet, fade = np.exp(-rate), fading()[:, None]
    moves, switches = level_moves(), trigger_moves()
    none = np.ones((horizon + 1, N_LEVELS, 2))
    for hours in range(1, horizon + 1):
        none[hours] = fade + (1 - fade) * (moves @ (quiet * none[hours - 1]) @ switches.T)
    for _ in range(lead):
        none = fade + (1 - fade) * (moves @ none @ switches.T)
    return 1 - none


def given_state(tables: FloatArray, lives: Lives, issues: Issues, lead: int) -> FloatArray:
    """Probability of each event given the hidden state at issue time, shape (event, window).

    Args:
        tables: `outcome_table` of each event, shape (event, hours in view, level, trigger).
        lives: Hidden states.
        issues: Windows.
        lead: Hours from issue to the begin of the valid span.
    """
    now = issues.age - 1
    level, trigger = lives.level[issues.region, now], lives.trigger[issues.region, now]
    return tables[:, _in_span(issues, lead, tables.shape[1] - 1), level, trigger]


def given_rows(tables: FloatArray, regions: Regions, rows: Rows, issues: Issues, lead: int) -> FloatArray:
    """Probability of each event given all rows up to issue time, shape (event, window).

    The Bayes filter of the simulator. Level and disguise are shown by `stage` alone, trigger and mood by
    `stress` alone, and the two pairs are independent: each has its own filter, and the posterior is their
    product. A row whose cells are all missing shows nothing; single missing cells take nothing away, because
    the other cells give `stage` and `stress` too.

    Args:
        tables: `outcome_table` of each event, shape (event, hours in view, level, trigger).
        regions: All regions.
        rows: What they show.
        issues: Windows.
        lead: Hours from issue to the begin of the valid span.
    """
    level_order, trigger_order = np.arange(N_LEVELS), np.arange(2)
    prior = DISGUISE_PRIOR[:, None] * level_prior(regions)[:, None, :]
    alive = (1 - fading())[:, None] * level_moves()
    evidence = _evidence(regions, rows, rows.stage + STAGE_AT_ZERO, rows.noise[0])
    level = _filter(prior, lambda p: p @ alive, DISGUISES[:, None] + level_order, evidence, issues)

    settled = stationary(mood_moves())[:, None] * stationary(trigger_moves())
    prior = np.broadcast_to(settled, (regions.start.size, *settled.shape))
    evidence = _evidence(regions, rows, rows.stress, rows.noise[1])
    switched = mood_moves().T, trigger_moves()
    trigger = _filter(
        prior, lambda p: switched[0] @ p @ switched[1], MOODS[:, None] + trigger_order, evidence, issues
    )
    hours = _in_span(issues, lead, tables.shape[1] - 1)
    probability: FloatArray = np.einsum("nl,enlt,nt->en", level, tables[:, hours], trigger)
    return np.clip(probability, 0, 1)


def _in_span(issues: Issues, lead: int, horizon: int) -> IntArray:
    """Hours of the valid span in which the region can still be seen if it does not fade, shape (window,)."""
    return np.clip(issues.to_limb - lead, 0, horizon)


def _evidence(
    regions: Regions, rows: Rows, shown: NDArray[np.float32], noise: NDArray[np.float32]
) -> FloatArray:
    """Sums of shown / noise^2 and 1 / noise^2 over the rows of each hour, shape (2, region, hour)."""
    there = ~rows.missing
    n_regions, n_hours = regions.start.size, int(regions.n_visible.max())
    cell = rows.region * n_hours + (rows.time - 1) // HOUR - regions.start[rows.region]
    weight = noise[there].astype(np.float64) ** -2
    sums = [np.bincount(cell[there], w, n_regions * n_hours) for w in (weight * shown[there], weight)]
    return np.array(sums, dtype=np.float64).reshape(2, n_regions, n_hours)


def _filter(
    prior: FloatArray, move: Move, level_of: IntArray, evidence: FloatArray, issues: Issues
) -> FloatArray:
    """Posterior of a hidden pair at each issue time: the forward recursion, all regions side by side.

    Args:
        prior: Distribution of the pair in the first hour in view, shape (region, hidden, shaping).
        move: Moves a distribution one hour ahead, without what fades.
        level_of: What the pair shows, a whole number, shape (hidden, shaping).
        evidence: Sums over the rows of each hour, shape (2, region, hour).
        issues: Windows.

    Returns:
        Posterior of the shaping one of the pair, shape (window, shaping).
    """
    needed = np.zeros(prior.shape[0], dtype=np.int64)
    np.maximum.at(needed, issues.region, issues.age)
    order = np.argsort(-needed, kind="stable")
    place = np.argsort(order)[issues.region]
    by_age = np.split(np.argsort(issues.age, kind="stable"), np.cumsum(np.bincount(issues.age))[:-1])
    shown = np.arange(level_of.min(), level_of.max() + 1)
    posterior, belief = np.zeros((issues.age.size, prior.shape[2])), prior[order]
    for age in range(1, int(needed.max(initial=0)) + 1):
        n_active = int((needed >= age).sum())
        belief = belief[:n_active] if age == 1 else move(belief[:n_active])
        first, second = evidence[:, order[:n_active], age - 1, None]
        chance = first * shown - second / 2 * shown**2
        chance = np.exp(chance - chance.max(axis=1, keepdims=True))
        belief = belief * chance[:, level_of - shown[0]]
        belief /= belief.sum(axis=(1, 2), keepdims=True)
        posterior[by_age[age]] = belief[place[by_age[age]]].sum(axis=1)
    return posterior
