"""Each region counts alike, however long it was watched."""

from typing import Literal

import numpy as np

from flarecast.balance.balanced import Balanced, balanced
from flarecast.balance.train_windows import TrainWindows
from flarecast.errors import FlarecastError


def region_balance(
    train: TrainWindows, rng: np.random.Generator, *, method: Literal["weights", "draw"] = "weights"
) -> Balanced:
    """Give every region the same part in training.

    A region that crosses the disk in two weeks has ten times the windows of one that lives for a day, and
    they are not ten times the knowledge. Windows whose outcome is open count as any other.

    Args:
        train: The train windows.
        rng: Source of the draw.
        method: `weights`: every window once, with weight 1 / (windows of its region); `draw`: as many
            windows as there are, each of a region drawn at random.

    Raises:
        FlarecastError: There is one region alone.
    """
    _, place, counts = np.unique(train.region, return_inverse=True, return_counts=True)
    if counts.size < 2:
        raise FlarecastError(
            f"region_balance: expected train windows of several regions, got {counts.size}; "
            "use another balance.name, or windows of active regions"
        )
    weight = len(train) / (counts.size * counts[place])
    if method == "weights":
        return balanced(train, np.arange(len(train)), weight, analytic=False)
    drawn = rng.choice(len(train), size=len(train), p=weight / weight.sum())
    return balanced(train, drawn, analytic=False)
