"""Train windows to balance: classes and regions as wanted, steps that show the class."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flarecast.balance import TrainWindows

HOUR = 3600
LETTERS = {"quiet": 0, "B": 1, "C": 2, "M": 3, "X": 4}


def of_classes(low: Any, high: Any = None, **changes: Any) -> TrainWindows:
    """Windows of exclusive classes quiet, C, M and X, an hour apart, in twenty regions in turn."""
    low = np.asarray(low, dtype=np.int64)
    high = low if high is None else np.asarray(high, dtype=np.int64)
    n = low.size
    noise = np.random.default_rng(11).normal(0, 0.5, (n, 3, 2)).astype(np.float32)
    steps = noise + low[:, None, None].astype(np.float32)
    parts: dict[str, Any] = {
        "low": low,
        "high": high,
        "classes": ("below C1.0", "C1.0", "M1.0", "X1.0", "X10.0")[: max(4, int(high.max()) + 1)],
        "positive_class": 2,
        "sub_class": np.where(low == high, np.array([0, 2, 3, 4, 4])[low], -1).astype(np.int8),
        "region": np.arange(n) % 20,
        "issue_time": np.arange(n) // 20 * HOUR,
        "steps": lambda index: steps[index],
    }
    return TrainWindows(**parts | changes)


def of_letters(counts: dict[str, int], events: tuple[str, ...] = ("B", "C", "M", "X")) -> TrainWindows:
    """So many windows of each letter, shuffled; exclusive classes start at the letters named."""
    letters = np.repeat([LETTERS[name] for name in counts], list(counts.values()))
    letters = np.random.default_rng(5).permutation(letters)
    low = sum((letters >= LETTERS[event]).astype(np.int64) for event in events)
    return of_classes(
        low,
        classes=(f"below {events[0]}1.0", *(f"{event}1.0" for event in events)),
        positive_class=events.index("M") + 1,
        sub_class=letters.astype(np.int8),
        steps=lambda index: np.zeros((index.size, 1, 1), dtype=np.float32),
    )


@pytest.fixture(scope="session")
def make_train() -> Callable[..., TrainWindows]:
    """`make_train(low, high=None, **parts)`."""
    return of_classes


@pytest.fixture(scope="session")
def make_letters() -> Callable[..., TrainWindows]:
    """`make_letters({"quiet": 100, "M": 3}, events)`."""
    return of_letters
