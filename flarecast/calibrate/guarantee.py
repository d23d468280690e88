"""Decision thresholds with a recall that is guaranteed, by conformal risk control (extra `conformal`)."""

import warnings

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]

GRID = (1e-5, 0.99, 120)
"""Decision thresholds that are tried: first, last, how many, evenly spaced in the logit; fixed beforehand."""


def guaranteed_recall_threshold(
    probability: FloatArray,
    occurred: NDArray[np.bool_],
    cluster: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    recall: float,
    confidence: float,
) -> float | None:
    """Highest decision threshold whose recall is at least so large with at least so much confidence.

    The guarantee is for exchangeable events. Events of one region or rotation are near copies, so one of each
    is drawn; what is guaranteed is the recall of such events under the calibration's climate, not under that
    of another cycle.

    Args:
        probability: Calibrated forecasts, shape (n,).
        occurred: Whether the event came, shape (n,).
        cluster: Block of each window, shape (n,).
        rng: Draws one event of each block.
        recall: Least part of the events that are forecast.
        confidence: How sure that is.

    Returns:
        The threshold; None where too few blocks have events for any.

    Raises:
        FlarecastError: MAPIE is not installed.
    Source: Angelopoulos et al. (2021), arXiv 2110.01052 (learn then test), by MAPIE.
    """
    try:
        from mapie.risk_control import BinaryClassificationController
    except ImportError as error:
        raise FlarecastError(
            "calibrate.decision: guaranteed_recall: expected MAPIE, got none; "
            "pip install 'flarecast[conformal]'"
        ) from error
    drawn = _one_event_each(occurred, cluster, rng)
    if not drawn.size:
        return None
    low, high, n_tried = GRID
    odds = np.linspace(np.log(low / (1 - low)), np.log(high / (1 - high)), n_tried)
    controller = BinaryClassificationController(
        lambda one: np.stack([1 - one[:, 0], one[:, 0]], axis=1),
        risk="recall",
        target_level=recall,
        confidence_level=confidence,
        list_predict_params=1 / (1 + np.exp(-odds)),
        fwer_method="fixed_sequence",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is none: we say so ourselves
        controller.calibrate(probability[drawn, None], np.ones(drawn.size, dtype=np.int64))
    valid = np.asarray(controller.valid_predict_params, dtype=np.float64)
    return float(valid.max()) if valid.size else None


def _one_event_each(
    occurred: NDArray[np.bool_], cluster: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Index of one event of each block that has any."""
    events = rng.permutation(np.flatnonzero(occurred))
    return events[np.unique(cluster[events], return_index=True)[1]]
