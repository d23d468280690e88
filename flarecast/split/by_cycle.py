"""Roles by solar cycle: learn from whole cycles, test on others."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.interleaving import PATTERN, interleave, make_calendar
from flarecast.split.roles import TEST, Roles


def by_cycle(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    train_cycles: tuple[int, ...] = (23,),
    test_cycles: tuple[int, ...] = (24,),
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Test on some solar cycles; train, validate and calibrate on interleaved blocks of others.

    A window belongs to the cycle of its issue time; windows of other cycles are unused. Training cycles that
    follow each other share one calendar of blocks (see `interleaving`).

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        train_cycles: Solar cycles of train, validation and calibration.
        test_cycles: Solar cycles of test.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: A cycle in both lists, unknown or without windows; blocks too short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    calendar = make_calendar(block_rotations, pattern, embargo)
    for name, numbers in (("train_cycles", train_cycles), ("test_cycles", test_cycles)):
        _check_numbers(name, numbers)
    if set(train_cycles) & set(test_cycles):
        raise FlarecastError(
            f"split: expected train_cycles and test_cycles without a cycle in common, got "
            f"{list(train_cycles)} and {list(test_cycles)}"
        )
    issue_time = windows["issue_time"].values
    cycle = cycles.cycle_of(issue_time)
    absent = sorted((set(train_cycles) | set(test_cycles)) - set(cycle.tolist()))
    if absent:
        there = ", ".join(map(str, np.unique(cycle[cycle > 0]))) or "none of the table"
        raise FlarecastError(
            f"split: expected windows in solar cycle {', '.join(map(str, absent))}, got none; "
            f"the file has windows of cycle {there}"
        )
    role = np.zeros((1, cycle.size), dtype=np.int8)
    words = []
    for run in _runs(train_cycles):
        inside = np.isin(cycle, run)
        role[0, inside], text = interleave(issue_time[inside], calendar)
        words.append(text)
    role[0, np.isin(cycle, list(test_cycles))] = TEST
    return settle(windows, role, embargo, blocks="; ".join(words))


def _check_numbers(name: str, numbers: Sequence[int]) -> None:
    """Raise unless this is a list of solar cycles of the table."""
    whole = isinstance(numbers, (list, tuple)) and all(type(number) is int for number in numbers)
    if not whole or not numbers:
        raise FlarecastError(f"split.{name}: expected a list of solar cycles like [23], got {numbers!r}")
    for number in numbers:
        cycles.span(number)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Cycles that follow each other, in runs: [22, 23, 25] -> [[22, 23], [25]]."""
    ordered = sorted(set(numbers))
    runs = [ordered[:1]]
    for before, after in pairwise(ordered):
        if after == before + 1:
            runs[-1].append(after)
        else:
            runs.append([after])
    return runs
