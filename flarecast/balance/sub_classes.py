"""Fewer or more windows of each sub-class X, M, C, B and quiet, in exact numbers."""

import numpy as np

from flarecast.balance.balanced import Balanced, balanced
from flarecast.balance.targets import Rule, over_targets, under_targets
from flarecast.balance.train_windows import IntArray, Strata, TrainWindows, strata
from flarecast.errors import FlarecastError


def undersample_classes(
    train: TrainWindows,
    rng: np.random.Generator,
    *,
    rule: Rule = "climatology_kept",
    ratio: float = 1.0,
    counts: dict[str, int] | None = None,
) -> Balanced:
    """Draw windows of each sub-class without replacement, as many as a rule says.

    Windows whose side or letter is open are left out. The prior is stated where all sub-classes of an
    exclusive class are thinned alike; where quiet and B are one class to the model and thinned differently,
    it is not analytic.

    Args:
        train: The train windows.
        rng: Source of the draw.
        rule: See `targets.under_targets`.
        ratio: Negatives per positive afterwards.
        counts: Windows wanted of single sub-classes by letter, in place of the rule; others stay whole.

    Raises:
        FlarecastError: A class is absent, or a target exceeds what there is.
    """
    from imblearn.under_sampling import RandomUnderSampler

    name = "undersample_classes"
    groups = _groups(train, name, rule, counts)
    if counts is None:
        targets = under_targets(groups.counts, groups.positive, rule, ratio)
    else:
        targets = _given(groups, counts)
    for letter, wanted, there in zip(groups.names, targets, groups.counts, strict=True):
        if wanted > there:
            raise FlarecastError(
                f"{name}: expected at least {wanted:,} train windows of {letter}, got {there:,}; "
                "lower balance.options.ratio or counts, use rule climatology_kept, or oversample_classes"
            )
    return _drawn(train, groups, targets, RandomUnderSampler, rng)


def oversample_classes(
    train: TrainWindows,
    rng: np.random.Generator,
    *,
    rule: Rule = "climatology_kept",
    ratio: float = 1.0,
    counts: dict[str, int] | None = None,
) -> Balanced:
    """Keep all windows and repeat those of each sub-class, drawn with replacement, as often as a rule says.

    Windows whose side or letter is open are left out; the prior is stated as for `undersample_classes`.

    Args:
        train: The train windows.
        rng: Source of the draw.
        rule: See `targets.over_targets`.
        ratio: Negatives per positive afterwards.
        counts: Windows wanted of single sub-classes by letter, in place of the rule; others stay as they are.

    Raises:
        FlarecastError: A class is absent, or a target is less than what there is.
    """
    from imblearn.over_sampling import RandomOverSampler

    name = "oversample_classes"
    groups = _groups(train, name, rule, counts)
    if counts is None:
        targets = over_targets(groups.counts, groups.positive, rule, ratio)
    else:
        targets = _given(groups, counts)
    for letter, wanted, there in zip(groups.names, targets, groups.counts, strict=True):
        if wanted < there:
            raise FlarecastError(
                f"{name}: expected at most {wanted:,} train windows of {letter}, got {there:,}; "
                "lower balance.options.ratio, raise counts, or use undersample_classes"
            )
    return _drawn(train, groups, targets, RandomOverSampler, rng)


def _groups(train: TrainWindows, name: str, rule: Rule, counts: dict[str, int] | None) -> Strata:
    """Strata of the train windows; equal shares need a window of every class."""
    groups = strata(train)
    if counts is None and rule != "climatology_kept":
        train.require_all_classes(name)
    return groups


def _given(groups: Strata, counts: dict[str, int]) -> IntArray:
    """Targets of the configuration, in the order of the strata."""
    unknown = [letter for letter in counts if letter not in groups.names]
    if unknown or min(counts.values(), default=1) < 1:
        raise FlarecastError(
            f"balance.options: counts: expected numbers above 0 for some of {', '.join(groups.names)}, "
            f"got {counts}; name sub-classes that the train windows have"
        )
    there = dict(zip(groups.names, groups.counts, strict=True))
    return np.array([counts.get(name, there[name]) for name in groups.names], dtype=np.int64)


def _drawn(
    train: TrainWindows, groups: Strata, targets: IntArray, sampler: type, rng: np.random.Generator
) -> Balanced:
    """A draw of so many windows of each stratum."""
    placed = np.flatnonzero(groups.place >= 0)
    strategy = {stratum: int(wanted) for stratum, wanted in enumerate(targets)}
    draw = sampler(sampling_strategy=strategy, random_state=int(rng.integers(2**32)))
    draw.fit_resample(placed[:, None], groups.place[placed])
    return balanced(train, placed[draw.sample_indices_], analytic=_even(train, groups, targets))


def _even(train: TrainWindows, groups: Strata, targets: IntArray) -> bool:
    """Whether all strata that an exclusive class is made of are drawn alike, but for rounding."""
    members = [groups.place == stratum for stratum in range(len(groups.names))]
    lowest = np.array([train.low[member].min() for member in members])
    highest = np.array([train.high[member].max() for member in members])
    for one in range(train.n_classes):
        inside = (lowest <= one) & (highest >= one)
        there, wanted = groups.counts[inside], targets[inside]
        if there.size and (np.abs(wanted - there * wanted.sum() / there.sum()) > 1).any():
            return False
    return True
