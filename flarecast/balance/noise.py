"""More positives, the added ones not quite as observed."""

import math

import numpy as np

from flarecast.balance.balanced import Balanced, Made, balanced, require_positive
from flarecast.balance.targets import under_targets
from flarecast.balance.train_windows import IntArray, TrainWindows, strata
from flarecast.errors import FlarecastError
from flarecast.goes import SUB_CLASSES


def oversample_noisy(
    train: TrainWindows,
    rng: np.random.Generator,
    *,
    ratio: float = 1.0,
    jitter: float = 0.05,
    scaling: float = 0.1,
) -> Balanced:
    """Keep every window and add noisy copies of positives until `ratio` negatives stand for each positive.

    Windows that may be either positive or negative are left out.

    Args:
        train: The train windows.
        rng: Source of the draw and of the noise.
        ratio: Negatives per positive afterwards.
        jitter: Standard deviation of noise added to every value, in standard deviations of the feature.
        scaling: Standard deviation of the relative change of a feature over a whole window.

    Raises:
        FlarecastError: There are no positives or no negatives, or an option is out of range.
    Source: Um et al. (2017), ICMI 19, 216 (jittering and scaling).
    """
    require_positive("ratio", ratio)
    positive, negative = train.sides()
    there = np.flatnonzero(positive)
    added = max(0, round(int(negative.sum()) / ratio) - there.size)
    parents = np.sort(rng.choice(there, size=added))
    made = noisy_copies(train, parents, rng, jitter, scaling)
    return balanced(train, np.flatnonzero(positive | negative), analytic=False, made=made)


def under_over(
    train: TrainWindows,
    rng: np.random.Generator,
    *,
    copies: dict[str, float] | None = None,
    ratio: float = 1.2,
    jitter: float = 0.05,
    scaling: float = 0.1,
) -> Balanced:
    """Add noisy copies of positives, so many for each letter, and draw `ratio` negatives for each positive.

    Negatives are drawn without replacement in the mix of their sub-classes. Windows whose side or letter is
    open are left out.

    Args:
        train: The train windows.
        rng: Source of the draws and of the noise.
        copies: Copies to add of each letter, per window of it, rounded down; X 10 and M 1.5 if None.
        ratio: Negatives per positive afterwards.
        jitter: See `oversample_noisy`.
        scaling: See `oversample_noisy`.

    Raises:
        FlarecastError: There are no positives or no negatives, more negatives are wanted than there are, or
            an option is out of range.
    Source: rule `under + over`, the "balanced sampling" published with ContReg on SWAN-SF.
    """
    copies = {"X": 10.0, "M": 1.5} if copies is None else copies
    if any(name not in SUB_CLASSES[1:] or not 0 <= n < math.inf for name, n in copies.items()):
        raise FlarecastError(
            f"balance.options: copies: expected numbers not below 0 of B, C, M or X, got {copies}"
        )
    groups = strata(train)
    members = [np.flatnonzero(groups.place == stratum) for stratum in range(len(groups.names))]
    share = np.array([copies.get(name[0], 0.0) for name in groups.names])
    added = np.where(groups.positive, np.floor(share * groups.counts), 0).astype(np.int64)
    targets = under_targets(groups.counts + added, groups.positive, "climatology_kept", ratio)
    kept, parents = [], []
    for stratum, there in enumerate(members):
        if groups.positive[stratum]:
            kept.append(there)
            parents.append(_repeated(there, added[stratum], rng))
            continue
        if targets[stratum] > there.size:
            raise FlarecastError(
                f"under_over: expected at least {targets[stratum]:,} train windows of "
                f"{groups.names[stratum]}, got {there.size:,}; lower balance.options.ratio or copies"
            )
        kept.append(rng.choice(there, size=targets[stratum], replace=False))
    made = noisy_copies(train, np.sort(np.concatenate(parents)), rng, jitter, scaling)
    return balanced(train, np.concatenate(kept), analytic=False, made=made)


def noisy_copies(
    train: TrainWindows, parents: IntArray, rng: np.random.Generator, jitter: float, scaling: float
) -> Made:
    """Copies of windows with noise: value x exp(scaling x one number a feature) + jitter x one a value.

    Raises:
        FlarecastError: A noise is below 0 or not finite.
    """
    for name, value in (("jitter", jitter), ("scaling", scaling)):
        if not 0 <= value < math.inf:
            raise FlarecastError(f"balance.options: {name}: expected a number not below 0, got {value}")
    steps = train.steps(parents).astype(np.float32)
    n, _, n_features = steps.shape
    steps *= np.exp(scaling * rng.standard_normal((n, 1, n_features), dtype=np.float32))
    steps += np.float32(jitter) * rng.standard_normal(steps.shape, dtype=np.float32)
    return Made(steps, train.low[parents], train.high[parents], parents)


def _repeated(windows: IntArray, added: int, rng: np.random.Generator) -> IntArray:
    """So many copies: every window equally often, the rest drawn without replacement."""
    rest = rng.choice(windows, size=added % windows.size, replace=False)
    return np.concatenate([np.repeat(windows, added // windows.size), rest])
