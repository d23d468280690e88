"""Fewer negatives, and none that is nearly a copy of another."""

import numpy as np

from flarecast.balance.balanced import Balanced, balanced, require_positive
from flarecast.balance.train_windows import BoolArray, IntArray, TrainWindows
from flarecast.errors import FlarecastError

HOUR = 3600


def undersample_coherent(
    train: TrainWindows,
    rng: np.random.Generator,
    *,
    hours: float = 24.0,
    ratio: float | None = None,
    hard: float = 0.5,
    thin_positives: bool = False,
) -> Balanced:
    """Keep at most one negative per region and `hours`, hard ones first, spread over regions.

    Windows of one region that overlap are near copies: of those less than `hours` apart one is kept. Hard
    negatives are those that a flare below the event follows, of class C or the strongest letter there is
    among the negatives, and those of regions that have an event at another time; they go first. Where fewer
    are wanted than thinning leaves, up to the share `hard` of them is taken from the hard ones, and every
    region gives one before any gives a second.

    Args:
        train: The train windows.
        rng: Breaks ties.
        hours: Least time between the issue times of two negatives of a region [h].
        ratio: Negatives per positive afterwards; all that thinning leaves if None.
        hard: Share of the negatives to take from the hard ones, from 0 to 1.
        thin_positives: Whether positives are thinned in the same way.

    Raises:
        FlarecastError: There are no positives or no negatives, an option is out of range, or the ratio wants
            more than thinning leaves.
    """
    require_positive("hours", hours)
    if ratio is not None:
        require_positive("ratio", ratio)
    if not 0 <= hard <= 1:
        raise FlarecastError(f"balance.options: hard: expected a share from 0 to 1, got {hard}")
    positive, negative = train.sides()
    is_hard = negative & hard_negatives(train, positive, negative)
    order = rng.permutation(len(train))
    kept = np.flatnonzero(positive)
    if thin_positives:
        kept = apart(train, order[positive[order]], hours)
    negatives = np.concatenate([order[is_hard[order]], order[(negative & ~is_hard)[order]]])
    thinned = apart(train, negatives, hours)
    if ratio is not None:
        wanted = max(1, round(ratio * kept.size))
        if wanted > thinned.size:
            raise FlarecastError(
                f"undersample_coherent: expected at least {wanted:,} negatives {hours:g} h apart, got "
                f"{thinned.size:,}; lower balance.options.ratio or hours"
            )
        thinned = _spread(train, thinned, is_hard, wanted, hard)
    return balanced(train, np.concatenate([kept, thinned]), analytic=False)


def hard_negatives(train: TrainWindows, positive: BoolArray, negative: BoolArray) -> BoolArray:
    """Windows without the event that are most like those with it, shape (window,)."""
    strongest = train.sub_class[negative].max(initial=0)
    flaring = np.isin(train.region, np.unique(train.region[positive]))
    near_miss = (train.sub_class == strongest) if strongest > 0 else np.zeros(len(train), dtype=np.bool_)
    return negative & (near_miss | flaring)


def apart(train: TrainWindows, preferred: IntArray, hours: float) -> IntArray:
    """Windows of which no two of a region are issued less than `hours` apart, greedily by preference.

    Args:
        train: The train windows.
        preferred: Candidates, the most wanted first.
        hours: Least time between two of one region [h].

    Returns:
        Those that are kept, in the order of preference.
    """
    gap = round(hours * HOUR)
    rank = np.argsort(train.region[preferred], kind="stable")  # inside a region preference stays
    chosen = preferred[rank]
    borders = np.flatnonzero(np.diff(train.region[chosen])) + 1
    kept = np.zeros(preferred.size, dtype=np.bool_)
    for places in np.split(rank, borders):
        kept[places] = _greedy(train.issue_time[preferred[places]], gap)
    return preferred[kept]


def _greedy(time: IntArray, gap: int) -> BoolArray:
    """Whether each time, in this order, is at least a gap from all that were taken before it."""
    order = np.argsort(time, kind="stable")
    ascending = time[order]
    position = np.empty_like(order)
    position[order] = np.arange(order.size)
    first = np.searchsorted(ascending, time - gap, side="right")
    last = np.searchsorted(ascending, time + gap, side="left")
    blocked = np.zeros(time.size, dtype=np.bool_)
    taken = np.zeros(time.size, dtype=np.bool_)
    for one in range(time.size):
        if not blocked[position[one]]:
            taken[one] = True
            blocked[first[one] : last[one]] = True
    return taken


def _spread(train: TrainWindows, thinned: IntArray, is_hard: BoolArray, wanted: int, hard: float) -> IntArray:
    """So many of the thinned windows: hard ones up to their share, the rest from the others if they last."""
    of_hard, others = thinned[is_hard[thinned]], thinned[~is_hard[thinned]]
    n_hard = max(min(round(hard * wanted), of_hard.size), wanted - others.size)
    return np.concatenate([_in_turn(train, of_hard)[:n_hard], _in_turn(train, others)[: wanted - n_hard]])


def _in_turn(train: TrainWindows, windows: IntArray) -> IntArray:
    """Windows in an order in which every region gives its first before any gives its second."""
    region = train.region[windows]
    by_region = np.argsort(region, kind="stable")
    _, start, counts = np.unique(region[by_region], return_index=True, return_counts=True)
    turn = np.empty(windows.size, dtype=np.int64)
    turn[by_region] = np.arange(windows.size) - np.repeat(start, counts)
    return windows[np.argsort(turn, kind="stable")]
