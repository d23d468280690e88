"""Spans of issue times: dates, or fractions of the time between first and last window."""

import numpy as np
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.roles import RoleArray

Moment = str | float
"""ISO date, or fraction of the time between first and last window."""

Span = tuple[Moment, Moment]
"""Start, inclusive, and end, exclusive."""


def seconds_of(name: str, span: Span, issue_time: NDArray[np.int64]) -> tuple[int, int]:
    """Start and end of a span, UTC [s since 1970].

    Raises:
        FlarecastError: It is no pair of dates or fractions, or it ends before it starts.
    """
    if not isinstance(span, (list, tuple)) or len(span) != 2:
        raise FlarecastError(
            f"split.{name}: expected a start and an end, dates or fractions like [0.0, 0.7], got {span!r}"
        )
    start, stop = (moment(name, bound, issue_time) for bound in span)
    if start >= stop:
        raise FlarecastError(f"split.{name}: expected a start before its end, got {span[0]} and {span[1]}")
    return start, stop


def moment(name: str, bound: object, issue_time: NDArray[np.int64]) -> int:
    """UTC [s since 1970] of a date, or of a fraction of the time from the first window to after the last.

    Raises:
        FlarecastError: It is neither.
    """
    if isinstance(bound, str):
        try:
            return cycles.seconds(bound)
        except FlarecastError as error:
            raise FlarecastError(f"split.{name}: {error}") from error
    if isinstance(bound, bool) or not isinstance(bound, (int, float)) or not 0 <= bound <= 1:
        raise FlarecastError(f"split.{name}: expected an ISO date or a fraction from 0 to 1, got {bound!r}")
    first, after = int(issue_time.min()), int(issue_time.max()) + 1
    return first + round(bound * (after - first))


def mark(role: RoleArray, number: int, span: tuple[int, int], issue_time: NDArray[np.int64]) -> None:
    """Give the windows of a span a role, in place; a later mark overwrites an earlier one."""
    role[(issue_time >= span[0]) & (issue_time < span[1])] = number


def check_filled(
    role: RoleArray, number: int, span: tuple[int, int], issue_time: NDArray[np.int64], where: str = ""
) -> None:
    """Raise if no window of a fold has the role of a span."""
    if not (role == number).any():
        start, stop = map(cycles.iso, span)
        raise FlarecastError(
            f"split.{ROLES[number]}: expected windows from {start} to {stop}{where}, got none; the file has "
            f"{cycles.iso(int(issue_time.min()))} to {cycles.iso(int(issue_time.max()))}"
        )


def in_words(span: tuple[int, int]) -> str:
    """Days of a span, for the name of a fold."""
    return f"{cycles.iso(span[0])[:10]} to {cycles.iso(span[1])[:10]}"
