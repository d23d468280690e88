"""Roles by date or by fraction of the time span."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.blocks import PATTERN, blocks, interleave
from flarecast.split.borders import chosen_embargo, settle
from flarecast.split.roles import TRAIN, RoleArray, Roles

Span = tuple[str | float, str | float]
"""Start, inclusive, and end, exclusive: ISO dates, or fractions of the time between first and last window."""


def by_time(  # noqa: PLR0913 (an option is a keyword argument, for every strategy)
    windows: xr.Dataset,
    rng: np.random.Generator,  # noqa: ARG001 (one signature for all strategies; dates decide here)
    *,
    embargo_hours: float | None = None,
    train: Span = (0.0, 0.7),
    validation: Span | None = None,
    calibration: Span | None = None,
    test: Span = (0.7, 1.0),
    block_rotations: int | None = None,
    pattern: str = PATTERN,
) -> Roles:
    """Give each role a span of issue times: `("1996-08", "2004-01")`, `(0.0, 0.7)` or `(0.0, "2004-01")`.

    Validation and calibration spans may lie inside the span of train, which then goes without them, or
    outside. Where one is not given, it is interleaved in the training span as in `by_cycle`; the letter of
    one that is given counts as train, and the pattern `t` interleaves nothing. Windows outside are unused.

    Args:
        windows: A windows Dataset.
        rng: Not used.
        embargo_hours: Least time between the issue times of two roles [h]; None: that of the file.
        train: Span of train (and of what is interleaved).
        validation: Span of validation.
        calibration: Span of calibration.
        test: Span of test.
        block_rotations: 27-day rotations in a block; None: six, or as many as 2.5 embargoes need.
        pattern: Roles of the blocks in turn: t train, v validation, c calibration.

    Raises:
        FlarecastError: A span that is none, ends before it starts, overlaps another or holds no windows;
            blocks too short or too long.
    """
    embargo = chosen_embargo(windows, embargo_hours)
    asked = {"train": train, "validation": validation, "calibration": calibration, "test": test}
    given = {name: span for name, span in asked.items() if span is not None}
    issue_time = windows["issue_time"].values
    spans = {name: _seconds(name, span, issue_time) for name, span in given.items()}
    _check_apart(spans, given)
    calendar = blocks(block_rotations, pattern, embargo)
    for letter, name in (("v", "validation"), ("c", "calibration")):
        if name in given:
            calendar = replace(calendar, pattern=calendar.pattern.replace(letter, "t"))
    role = np.zeros((1, issue_time.size), dtype=np.int8)
    for name, (start, stop) in spans.items():
        role[0, (issue_time >= start) & (issue_time < stop)] = ROLES.index(name)
    _check_filled(role, spans, issue_time)
    details = {}
    if set(calendar.pattern) != {"t"}:
        mine = np.flatnonzero(role[0] == TRAIN)
        role[0, mine], details["blocks"] = interleave(issue_time[mine], calendar)
    return settle(windows, role, embargo, **details)


def _seconds(name: str, span: Span, issue_time: NDArray[np.int64]) -> tuple[int, int]:
    """Start and end of a span, UTC [s since 1970].

    Raises:
        FlarecastError: It is no pair of dates or fractions, or it ends before it starts.
    """
    if not isinstance(span, (list, tuple)) or len(span) != 2:
        raise FlarecastError(
            f"split.{name}: expected a start and an end, dates or fractions like [0.0, 0.7], got {span!r}"
        )
    start, stop = (_moment(name, bound, issue_time) for bound in span)
    if start >= stop:
        raise FlarecastError(f"split.{name}: expected a start before its end, got {span[0]} and {span[1]}")
    return start, stop


def _moment(name: str, bound: object, issue_time: NDArray[np.int64]) -> int:
    """UTC [s since 1970] of a date, or of a fraction of the time from the first window to after the last."""
    if isinstance(bound, str):
        return cycles.seconds(bound)
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not 0 <= bound <= 1:
        raise FlarecastError(f"split.{name}: expected an ISO date or a fraction from 0 to 1, got {bound!r}")
    first, after = int(issue_time.min()), int(issue_time.max()) + 1
    return first + round(bound * (after - first))


def _check_apart(spans: Mapping[str, tuple[int, int]], given: Mapping[str, Span]) -> None:
    """Raise if two spans overlap; validation and calibration may lie inside train."""
    for one, other in combinations(spans, 2):
        if one == "train" and other != "test":
            continue
        if spans[one][0] < spans[other][1] and spans[other][0] < spans[one][1]:
            raise FlarecastError(
                f"split: expected {one} and {other} apart, got {one} {list(given[one])} and "
                f"{other} {list(given[other])}; end one where the other starts"
            )


def _check_filled(
    role: RoleArray, spans: Mapping[str, tuple[int, int]], issue_time: NDArray[np.int64]
) -> None:
    """Raise if a span holds no windows."""
    for name, (start, stop) in spans.items():
        if not (role == ROLES.index(name)).any():
            raise FlarecastError(
                f"split.{name}: expected windows from {cycles.iso(start)} to {cycles.iso(stop)}, got none; "
                f"the file has {cycles.iso(int(issue_time.min()))} to {cycles.iso(int(issue_time.max()))}"
            )
