"""The windows on which forecasts are scored together: those whose outcome is known and that all have."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flarecast.evaluate.contenders import Contender

BoolArray = NDArray[np.bool_]


def forecasts_any(contender: Contender, event: int, rows: BoolArray) -> bool:
    """Whether a contender has at least one forecast of an event in some windows, shape (window,)."""
    return bool((rows & ~np.isnan(contender.probability[:, event])).any())


def common_rows(contenders: Sequence[Contender], event: int, known: BoolArray) -> BoolArray:
    """Of the windows whose outcome is known, shape (window,), those that all contenders forecast."""
    missing = np.any([np.isnan(one.probability[:, event]) for one in contenders], axis=0)
    both: BoolArray = known & ~missing
    return both


def count_rows(rows: BoolArray, known: BoolArray, common: BoolArray) -> dict[str, int]:
    """How many windows were scored, and why the others were not."""
    return {
        "windows": int(rows.sum()),
        "outcome_unknown": int((rows & ~known).sum()),
        "not_forecast_by_all": int((known & ~common).sum()),
        "scored": int(common.sum()),
    }
