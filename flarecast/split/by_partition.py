"""Roles by partition of SWAN-SF, in any pairing."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.interleaving import PATTERN, interleave_training, make_calendar
from flarecast.split.roles import Roles


def by_partition(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; partitions decide here)
    *,
    embargo_hours: float | None = None,
    train: tuple[int, ...] = (1,),
    validation: tuple[int, ...] | None = None,
    calibration: tuple[int, ...] | None = None,
    test: tuple[int, ...] = (2,),
    pairs: Literal["next", "all"] | None = None,
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Give whole partitions to the roles, or make a fold of every pair of partitions.

    Where validation or calibration is not given, it is interleaved in the training partitions as in
    `by_cycle`; the pattern `t` interleaves nothing. `pairs = "next"` makes a fold of each partition and the
    one after it (train on 1 and test on 2, 2 and 3 ...), `"all"` one of each ordered pair; then no lists are
    given. Borders of partitions overlap by 11 to 13 days: the embargo takes those from the training side.

    Args:
        windows: A windows Dataset of SWAN-SF.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        train: Partitions of train (and of what is interleaved).
        validation: Partitions of validation.
        calibration: Partitions of calibration.
        test: Partitions of test.
        pairs: Pairs of partitions to make a fold of.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: A partition in two lists or without windows, lists beside pairs, no pair; blocks too
            short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    calendar = make_calendar(block_rotations, pattern, embargo)
    partition, issue_time = windows["partition"].values, windows["issue_time"].values
    asked = {"train": train, "validation": validation, "calibration": calibration, "test": test}
    lists = {name: numbers for name, numbers in asked.items() if numbers is not None}
    if pairs is None:
        folds = [lists]
        calendar = calendar.without(lists.keys() - {"train"})
    else:
        if (train, validation, calibration, test) != ((1,), None, None, (2,)):
            raise FlarecastError(f"split: expected pairs or lists of partitions, got both; pairs = {pairs!r}")
        folds = [{"train": (one,), "test": (other,)} for one, other in _pairs(pairs, partition)]
    role = np.zeros((len(folds), partition.size), dtype=np.int8)
    words, names = [], []
    for number, fold in enumerate(folds):
        _check(fold, partition)
        for name, numbers in fold.items():
            role[number, np.isin(partition, list(numbers))] = ROLES.index(name)
        words.append(interleave_training(role[number], issue_time, calendar))
        names.append(" and ".join(f"{name} {'+'.join(map(str, fold[name]))}" for name in ("train", "test")))
    details = {"blocks": "\n".join(words)} if any(words) else {}
    return settle(windows, role, embargo, fold_names="\n".join(names), **details)


def _pairs(pairs: str, partition: NDArray[np.int8]) -> list[tuple[int, int]]:
    """Partitions of train and test of each fold."""
    there = [int(number) for number in np.unique(partition) if number > 0]
    if pairs == "next":
        found = [(one, one + 1) for one in there if one + 1 in there]
    elif pairs == "all":
        found = [(one, other) for one in there for other in there if one != other]
    else:
        raise FlarecastError(f"split.pairs: expected next or all, got {pairs!r}")
    if not found:
        raise FlarecastError(
            f"split.pairs: expected at least two partitions{' in a row' if pairs == 'next' else ''}, got "
            f"{_listed(there)}; ingest more of SWAN-SF, or split by_time"
        )
    return found


def _check(lists: Mapping[str, Sequence[int]], partition: NDArray[np.int8]) -> None:
    """Raise unless lists of partitions hold windows, and no partition twice."""
    seen: dict[int, str] = {}
    there = [int(number) for number in np.unique(partition) if number > 0]
    for name, numbers in lists.items():
        whole = isinstance(numbers, (list, tuple)) and all(type(number) is int for number in numbers)
        if not whole or not numbers:
            raise FlarecastError(f"split.{name}: expected a list of partitions like [1], got {numbers!r}")
        for number in numbers:
            if number not in there:
                raise FlarecastError(
                    f"split.{name}: expected partitions with windows, got {number}; the file has "
                    f"{_listed(there)} (only ingest swan-sf tells partitions)"
                )
            if seen.setdefault(number, name) != name:
                raise FlarecastError(
                    f"split: expected each partition in one list, got {number} in {seen[number]} and {name}"
                )


def _listed(numbers: Sequence[int]) -> str:
    """Partitions in words."""
    return f"partition {', '.join(map(str, numbers))}" if numbers else "no partition"
