"""What a remedy may know of the train windows, and the sub-classes that it may count them by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.goes import SUB_CLASSES

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Steps = Callable[[IntArray], NDArray[np.float32]]

OPEN = "open"
"""Name of the sub-class of a side none of whose windows has a known letter."""


@dataclass(frozen=True)
class TrainWindows:
    """The windows of the train role, in the order of the file.

    Attributes:
        low: Lowest exclusive class that each may have, shape (window,).
        high: Highest one, shape (window,).
        classes: Names of the exclusive classes, ascending.
        positive_class: Exclusive classes from this one on count as events.
        sub_class: Index into `goes.SUB_CLASSES` of the largest flare, -1 where open, shape (window,).
        region: Code of the region, shape (window,).
        issue_time: UTC [s since 1970], shape (window,).
        steps: Scaled and filled steps of chosen windows, shape (n, n_steps, n_features), never NaN.
    """

    low: IntArray
    high: IntArray
    classes: tuple[str, ...]
    positive_class: int
    sub_class: NDArray[np.int8]
    region: IntArray
    issue_time: IntArray
    steps: Steps

    def __len__(self) -> int:
        """Number of windows."""
        return self.low.size

    @property
    def n_classes(self) -> int:
        """Number of exclusive classes."""
        return len(self.classes)

    @property
    def event(self) -> str:
        """Name of the lowest class that counts as an event."""
        return self.classes[self.positive_class]

    def sides(self) -> tuple[BoolArray, BoolArray]:
        """Windows known to hold an event and windows known to hold none; the rest may be either.

        Returns:
            Positive and negative windows, each of shape (window,).

        Raises:
            FlarecastError: A side is empty.
        """
        positive, negative = self.low >= self.positive_class, self.high < self.positive_class
        if not (positive.any() and negative.any()):
            raise FlarecastError(
                "balance: expected train windows with and without an event, "
                f"got {positive.sum()} with and {negative.sum()} without; "
                "choose another balance.event, another split, or balance.name none"
            )
        return positive, negative

    def require_all_classes(self, name: str) -> None:
        """Make sure that some window is known to be of each exclusive class.

        Raises:
            FlarecastError: A class is absent; the message names it.
        """
        counts = np.bincount(self.low[self.low == self.high], minlength=self.n_classes)
        absent = [self.classes[k] for k in np.flatnonzero(counts == 0)]
        if absent:
            raise FlarecastError(
                f"{name}: expected train windows of every class, got none of {', '.join(absent)}; "
                "take other train dates, leave the class out of events, or choose another balance.name"
            )


@dataclass(frozen=True)
class Strata:
    """Train windows by sub-class and side.

    Attributes:
        names: Letter of each stratum, quiet first; with ` (event)` where a letter is on both sides.
        positive: Whether its windows hold the event, shape (stratum,).
        counts: Number of its windows, shape (stratum,).
        place: Stratum of each window, -1 where it has none, shape (window,).
    """

    names: tuple[str, ...]
    positive: BoolArray
    counts: IntArray
    place: IntArray


def strata(train: TrainWindows) -> Strata:
    """Sort train windows into sub-classes X, M, C, B and quiet, each on its side of the event.

    Windows that may be on either side, or of several letters, are in none. A side without any known letter,
    as where the flare list starts at M1.0, is one stratum.

    Raises:
        FlarecastError: There are no positives or no negatives.
    """
    code = np.full(len(train), -1, dtype=np.int64)
    for side, there in enumerate(reversed(train.sides())):  # negative, positive
        lettered = there & (train.sub_class >= 0)
        code[lettered] = side * 10 + train.sub_class[lettered]
        if not lettered.any():
            code[there] = side * 10 + len(SUB_CLASSES)
    found, place, counts = np.unique(code, return_inverse=True, return_counts=True)
    if found[0] == -1:
        found, place, counts = found[1:], place - 1, counts[1:]
    letters = [(*SUB_CLASSES, OPEN)[one % 10] for one in found]
    positive = found >= 10
    names = tuple(
        f"{letter} (event)" if of_event and letters.count(letter) > 1 else letter
        for letter, of_event in zip(letters, positive, strict=True)
    )
    return Strata(names, positive, counts.astype(np.int64), place.astype(np.int64))
