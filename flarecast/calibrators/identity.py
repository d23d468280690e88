"""Nothing to fit, and the reasons for which others fit nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]


def fit(probability: FloatArray, occurred: NDArray[np.bool_]) -> dict[str, Any]:  # noqa: ARG001 -- shared signature
    """No numbers: probabilities stay as they are."""
    return {"reason": None}


def apply(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:  # noqa: ARG001 -- shared signature
    """The same probabilities."""
    return probability.copy()


def too_few(occurred: NDArray[np.bool_], min_events: int) -> str | None:
    """Why a curve cannot be fitted: fewer events, or fewer non-events, than needed; None if it can.

    Args:
        occurred: Outcomes of the calibration windows, shape (n,).
        min_events: How many of each are needed.
    """
    if not occurred.size:
        return "no forecast with a known outcome in calibration: only the prior is corrected"
    n_events, n_quiet = int(occurred.sum()), int((~occurred).sum())
    if min(n_events, n_quiet) >= min_events:
        return None
    what, count = ("event", n_events) if n_events < min_events else ("non-event", n_quiet)
    found = f"{count} {what}{'' if count == 1 else 's'}"
    return f"{found} in calibration, {min_events} needed: only the prior is corrected"


def check_min_events(min_events: int) -> None:
    """Raise unless at least one event is asked for."""
    if min_events < 1:
        raise FlarecastError(f"calibrate.options: min_events: expected at least 1, got {min_events}")
