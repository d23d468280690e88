"""Interleaved blocks: roles spread over a span, so that each sees every phase of the cycle.

The end of a solar cycle is its minimum: what is cut from there has next to no flares. Blocks are whole 27-day
rotations of the fixed calendar of `cycles.rotation_of`; the first begins at the first whole rotation of the
span (what lies before joins it), and what is left over at the end is a block of its own or, where it is
shorter than 2.5 embargoes, part of the last. The letters of the pattern (t train, v validation,
c calibration, x test) go round and round. Which letter comes first is chosen so that the phase of the cycle
that a role sees least of is seen as much as can be (shares compared from the smallest up, of equals the
earlier letter); only dates enter this choice, no flare does.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.schema import ROLES
from flarecast.split.borders import HOUR
from flarecast.split.roles import CALIBRATION, TEST, TRAIN, VALIDATION, RoleArray

PATTERN = "ttvttc"
LETTERS = {"t": TRAIN, "v": VALIDATION, "c": CALIBRATION, "x": TEST}
MOST_ROTATIONS = 6
LEAST_EMBARGOES = 2.5
"""Least length of a block; two embargoes of a training block are lost where both neighbours are not train."""

_ROTATION = cycles.ROTATION_DAYS * cycles.DAY


@dataclass(frozen=True)
class Calendar:
    """Rotations in a block (None: as many as fit the span), pattern of roles, embargo to outlast [h]."""

    rotations: int | None
    pattern: str
    embargo_hours: float

    def without(self, names: Collection[str]) -> "Calendar":
        """The calendar with train in the blocks of some roles, which have their windows from elsewhere."""
        pattern = "".join("t" if ROLES[LETTERS[letter]] in names else letter for letter in self.pattern)
        return replace(self, pattern=pattern)


def make_calendar(rotations: int | None, pattern: str, embargo: float, letters: str = "tvc") -> Calendar:
    """Check a calendar of blocks.

    Args:
        rotations: 27-day rotations in a block; None: six or fewer, so that the span holds the pattern, but as
            many as 2.5 embargoes need.
        pattern: Letters t, v, c (and x).
        embargo: Embargo in force [h].
        letters: Those allowed.

    Raises:
        FlarecastError: Blocks shorter than 2.5 embargoes, or a pattern with other letters or without t.
    """
    if not isinstance(pattern, str) or not set(pattern) <= set(letters) or "t" not in pattern:
        raise FlarecastError(
            f"split.pattern: expected letters {', '.join(letters[:-1])} and {letters[-1]} with at least one "
            f"t, got {pattern!r}"
        )
    if rotations is None:
        return Calendar(None, pattern, embargo)
    if isinstance(rotations, bool) or not isinstance(rotations, int) or rotations < 1:
        raise FlarecastError(f"split.block_rotations: expected a whole number from 1 up, got {rotations!r}")
    least = _least_rotations(embargo)
    if rotations < least:
        raise FlarecastError(
            f"split.block_rotations: expected at least {least} rotations (2.5 embargoes of {embargo:,g} h "
            f"are {LEAST_EMBARGOES * embargo / 24:,g} d), got {rotations} "
            f"({rotations * cycles.ROTATION_DAYS} d); lengthen the blocks, or shorten the windows or the "
            "memory of their features"
        )
    return Calendar(rotations, pattern, embargo)


def fitting_rotations(issue_time: NDArray[np.int64], n_blocks: int, embargo: float) -> int:
    """Rotations in a block so that a span holds so many: six or fewer, but at least 2.5 embargoes [h]."""
    most = int(np.ptp(issue_time)) // _ROTATION // n_blocks
    return max(min(most, MOST_ROTATIONS), _least_rotations(embargo), 1)


def _least_rotations(embargo: float) -> int:
    """Rotations that 2.5 embargoes [h] need."""
    return math.ceil(LEAST_EMBARGOES * embargo * HOUR / _ROTATION)


def interleave(issue_time: NDArray[np.int64], calendar: Calendar) -> tuple[RoleArray, str]:
    """Deal the windows of a span out to the roles of a pattern, block by block.

    Args:
        issue_time: UTC [s since 1970], shape (window,), at least one.
        calendar: Length and pattern of the blocks.

    Returns:
        Roles, shape (window,), and the calendar in words.

    Raises:
        FlarecastError: The span is too short for every role of the pattern.
    """
    embargo, pattern = calendar.embargo_hours, calendar.pattern
    rotations = calendar.rotations or fitting_rotations(issue_time, len(pattern), embargo)
    block = block_of(issue_time, rotations, embargo)
    n_blocks = int(block.max()) + 1
    table = np.bincount(block * 4 + cycles.phase_of(issue_time), minlength=n_blocks * 4).reshape(-1, 4)
    letters = np.array([LETTERS[letter] for letter in pattern], dtype=np.int8)
    place = np.arange(n_blocks)
    first = max(
        range(letters.size),
        key=lambda shift: (_shares(letters[(place + shift) % letters.size], letters, table), -shift),
    )
    role = letters[(block + first) % letters.size]
    turned = pattern[first:] + pattern[:first]
    fewer = "choose fewer block_rotations " if calendar.rotations else "choose a longer span "
    absent = [name for name in sorted(set(pattern)) if not (role == LETTERS[name]).any()]
    if absent:
        days = (issue_time.max() - issue_time.min()) / cycles.DAY
        length = rotations * cycles.ROTATION_DAYS
        raise FlarecastError(
            f"split: expected a training span that holds the pattern {pattern!r} of {length}-day "
            f"blocks ({len(pattern) * length:,} d), got {days:,.0f} d without windows for "
            f"{', '.join(map(repr, absent))}; {fewer}or a shorter pattern"
        )
    start = cycles.iso(int(issue_time.min()))[:10]
    return role, f"{rotations} rotations each, in turn {turned} from {start}"


def interleave_training(role: RoleArray, issue_time: NDArray[np.int64], calendar: Calendar) -> str:
    """Deal the windows of train out by a calendar, in place; the calendar in words, empty where all is train.

    Raises:
        FlarecastError: The span is too short for every role of the pattern.
    """
    if set(calendar.pattern) == {"t"}:
        return ""
    mine = np.flatnonzero(role == TRAIN)
    role[mine], words = interleave(issue_time[mine], calendar)
    return words


def block_of(issue_time: NDArray[np.int64], rotations: int, embargo: float) -> NDArray[np.int64]:
    """Number of the block of each window from 0, shape (window,)."""
    earliest = int(issue_time.min())
    first_whole = cycles.rotation_of(earliest - 1) + 1
    block: NDArray[np.int64] = np.maximum(cycles.rotation_of(issue_time) - first_whole, 0) // rotations
    last = int(block.max())
    left_over = int(issue_time.max() - issue_time[block == last].min())
    if last > 0 and left_over < LEAST_EMBARGOES * embargo * HOUR:
        block[block == last] = last - 1
    return block


def _shares(role_of_block: RoleArray, roles: RoleArray, table: NDArray[np.int64]) -> list[float]:
    """Share of each phase's windows that each role sees, ascending; phases without windows left out."""
    total = table.sum(axis=0)
    seen = [table[role_of_block == role].sum(axis=0) for role in np.unique(roles)]
    shares = np.stack(seen)[:, total > 0] / total[total > 0]
    return sorted(shares.ravel().round(12).tolist())
