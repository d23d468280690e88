"""Roles by number, and what a strategy gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flarecast.schema import ROLES

UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(len(ROLES))

RoleArray = NDArray[np.int8]


@dataclass(frozen=True)
class Roles:
    """Role of every window in every fold, and what the borders between roles cost.

    Attributes:
        role: Index into `schema.ROLES`, shape (fold, window).
        planned: Roles before the borders took theirs, same shape; None: as `role`.
        embargo_hours: Least time between the issue times of two roles [h]; 0 where none is kept.
        n_outside: Windows that the strategy gave no role, over all folds.
        n_straddling_regions: Regions that lay on both sides of a border, over all folds.
        n_straddling_windows_unused: Windows of those regions left unused, over all folds.
        n_embargoed: Windows left unused because another role is too near in time, over all folds.
        details: What else the strategy chose, in words, by name.
    """

    role: RoleArray
    planned: RoleArray | None = None
    embargo_hours: float = 0.0
    n_outside: int = 0
    n_straddling_regions: int = 0
    n_straddling_windows_unused: int = 0
    n_embargoed: int = 0
    details: Mapping[str, str] = field(default_factory=dict)
