"""What was forecast and what came of it, in the order of issue, and what was known when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """Forecasts of one event by one model that it was not trained on, rising in issue time.

    Attributes:
        probability: As fixed calibration gives it; NaN = not forecast, shape (n,).
        occurred: 1, 0 or -1 (unknown), shape (n,).
        issue_time: When the forecast was issued [s since 1970], shape (n,).
        known_time: From when on the outcome may be used [s since 1970], shape (n,).
        weight: How much of an outcome is new, where windows overlap, in (0, 1], shape (n,).
    """

    probability: FloatArray
    occurred: NDArray[np.int8]
    issue_time: IntArray
    known_time: IntArray
    weight: FloatArray

    def outcomes(self) -> tuple[IntArray, IntArray]:
        """Windows with a forecast and an outcome, in the order in which outcomes are known; and when."""
        usable = np.flatnonzero((self.occurred >= 0) & ~np.isnan(self.probability))
        order = usable[np.argsort(self.known_time[usable], kind="stable")]
        return order, self.known_time[order]

    def spans(self, days: float) -> list[tuple[int, int, int]]:
        """First window, window after the last, and first issue time, of each stretch of so many days."""
        if not self.issue_time.size:
            return []
        number = ((self.issue_time - self.issue_time[0]) // round(days * 86_400)).astype(np.int64)
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        stops = np.append(starts[1:], number.size)
        return [(int(a), int(b), int(self.issue_time[a])) for a, b in zip(starts, stops, strict=True)]


def share_new(region: NDArray[np.object_], valid_from: IntArray, valid_to: IntArray) -> FloatArray:
    """How much of each valid span no earlier window of its region had, as a part of its length, shape (n,).

    Windows of 24 h that are issued every hour share 23 h with the one before: each is a 24th of an outcome.

    Args:
        region: Shape (n,).
        valid_from: Shape (n,) [s].
        valid_to: Shape (n,) [s].
    """
    order = np.lexsort((valid_to, region.astype(str)))
    same = np.append(False, region[order][1:] == region[order][:-1])
    before = np.append(0, valid_to[order][:-1])
    length = np.maximum(1, valid_to - valid_from)[order]
    new = np.where(same, np.clip((valid_to[order] - before) / length, 1e-3, 1.0), 1.0)
    share = np.empty(order.size)
    share[order] = new
    return share
