"""Lines told apart by their hash: which are new, which repeat, which contradict.

A series is one region's lines on one time grid, by slot: the number of a step of 12 minutes. Of each slot the
hash of its line is kept, so that a line met again, in the up to twelve windows that share it, is known at
once. A window with a line that differs from the one kept goes to another series of its region.
"""

from collections.abc import Iterable

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

CADENCE = 720
"""Seconds between lines."""

N_STEPS = 60
"""Lines of a window."""

ABSENT = 0
"""Hash of a slot without a line."""

_FARTHEST = 20_000
"""A series spans some months at most: a window farther off than so many slots begins another."""


def hashes(lines: Iterable[bytes], n_lines: int) -> IntArray:
    """A number from 1 on for each line, shape (n_lines,).

    It is CRC-32 + 1, which finds any change of up to 32 bits in a row, and of others all but one in 4e9.
    """
    found = np.fromiter(map(isal_zlib.crc32, lines), np.int64, n_lines)
    found += 1
    return found


class Series:
    """Hashes of one series by slot; the array grows as slots are asked for."""

    __slots__ = ("_kept", "_origin", "number")

    def __init__(self, number: int, first_slot: int) -> None:
        self.number = number
        self._origin = first_slot - 4 * N_STEPS
        self._kept = np.zeros(16 * N_STEPS, dtype=np.int64)

    def view(self, first_slot: int, n_slots: int) -> IntArray | None:
        """The hashes of some slots, to read and to write; None if they are too far from the others."""
        start = first_slot - self._origin
        if start < 0 or start + n_slots > self._kept.size:
            if not -_FARTHEST <= start <= self._kept.size + _FARTHEST:
                return None
            self._grow(start, start + n_slots)
            start = first_slot - self._origin
        return self._kept[start : start + n_slots]

    def _grow(self, start: int, stop: int) -> None:
        """Make room, with as much again on the side that lacked it."""
        before = max(0, -start) and -start + self._kept.size
        after = max(0, stop - self._kept.size) and stop
        self._kept = np.pad(self._kept, (before, after))
        self._origin -= before


class SeriesTable:
    """All series of a reading, by region and phase of their grid.

    Attributes:
        regions: HARP number of each series, by its number.
    """

    def __init__(self) -> None:
        self._of: dict[tuple[int, int], list[Series]] = {}
        self.regions: list[int] = []
        self.phases: list[int] = []

    def place(self, key: tuple[int, int], first_slot: int, found: IntArray) -> tuple[Series, IntArray | None]:
        """Find the series that a window's lines belong to: the first that contradicts none of them.

        Args:
            key: HARP number and phase [s].
            first_slot: Slot of the first hash.
            found: Hashes of the window's slots, `ABSENT` where it has no line, shape (slot,).

        Returns:
            The series, or a new one, and the indices of the slots it has no line for yet; None if there are
            none.
        """
        for series in self._of.setdefault(key, []):
            kept = series.view(first_slot, found.size)
            if kept is None:
                continue
            if kept.tobytes() == found.tobytes():
                return series, None
            known = kept != ABSENT
            if not (known & (found != ABSENT) & (kept != found)).any():
                new = np.flatnonzero(~known & (found != ABSENT))
                return series, (new if new.size else None)
        series = Series(len(self.regions), first_slot)
        self._of[key].append(series)
        self.regions.append(key[0])
        self.phases.append(key[1])
        return series, np.flatnonzero(found != ABSENT)

    @staticmethod
    def keep(series: Series, first_slot: int, found: IntArray, new: IntArray) -> None:
        """Remember the hashes of new lines."""
        kept = series.view(first_slot, found.size)
        assert kept is not None
        kept[new] = found[new]
