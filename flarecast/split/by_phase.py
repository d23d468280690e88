"""Roles by phase of the solar cycle: learn from some phases, test on others."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.interleaving import PATTERN, interleave_training, make_calendar
from flarecast.split.roles import TEST, TRAIN, Roles


def by_phase(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    train: tuple[str, ...] = ("minimum", "rise", "decline"),
    test: tuple[str, ...] = ("maximum",),
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Test on some phases of the cycle; train, validate and calibrate on interleaved blocks of others.

    A phase is `minimum`, `rise`, `maximum` or `decline` of every cycle, or of one: `24 maximum`. Dates are
    those of `cycles.phase_of`; a cycle begins with its minimum, so that `24 minimum` is the months around
    December 2008 from then on, and those before December 2019.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        train: Phases of train, validation and calibration.
        test: Phases of test.
        block_rotations: 27-day rotations in a block; None: six or fewer, as the span and 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: A phase that is none, in both lists or without windows; blocks too short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    calendar = make_calendar(block_rotations, pattern, embargo)
    issue_time = windows["issue_time"].values
    cycle, phase = cycles.cycle_of(issue_time), cycles.phase_of(issue_time)
    learns = _chosen("train", train, cycle, phase)
    tests = _chosen("test", test, cycle, phase)
    if (learns & tests).any():
        raise FlarecastError(
            f"split: expected train and test without a phase in common, got {list(train)} and {list(test)}"
        )
    role = np.zeros((1, issue_time.size), dtype=np.int8)
    role[0, learns], role[0, tests] = TRAIN, TEST
    words = interleave_training(role[0], issue_time, calendar)
    return settle(windows, role, embargo, **({"blocks": words} if words else {}))


def _chosen(
    name: str, phases: Sequence[str], cycle: NDArray[np.int64], phase: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each window lies in one of some phases, shape (window,)."""
    if not isinstance(phases, (list, tuple)) or not phases:
        raise FlarecastError(f"split.{name}: expected a list of phases like ['maximum'], got {phases!r}")
    chosen = np.zeros(cycle.shape, dtype=np.bool_)
    for text in phases:
        number, kind = _parse(name, text)
        mine = (phase == kind) & ((cycle == number) if number else True)
        if not mine.any():
            pairs = np.unique(np.stack([cycle, phase]), axis=1).T.tolist()
            there = ", ".join(f"{cycle_} {cycles.PHASES[phase_]}" for cycle_, phase_ in pairs)
            raise FlarecastError(f"split.{name}: expected windows in {text}, got none; the file has {there}")
        chosen |= mine
    return chosen


def _parse(name: str, text: object) -> tuple[int, int]:
    """Cycle (0 = every) and index of the phase in `cycles.PHASES`."""
    words = str(text).split()
    if not 1 <= len(words) <= 2 or words[-1] not in cycles.PHASES or not all(map(str.isdecimal, words[:-1])):
        raise FlarecastError(
            f"split.{name}: expected one of {', '.join(cycles.PHASES)}, alone or after a cycle as in "
            f"'24 maximum', got {text!r}"
        )
    number = int(words[0]) if len(words) == 2 else 0
    if number:
        cycles.span(number)
    return number, cycles.PHASES.index(words[-1])
