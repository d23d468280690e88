"""Undo the prior that balancing moved, fit a curve per event, choose decision thresholds.

All that is fitted is fitted on windows of role calibration, of every fold, and nothing else.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import schema
from flarecast.calibrators import CALIBRATORS, CURVES, correct_prior, nest
from flarecast.config import check_options
from flarecast.decision import RULES, best_decision_thresholds
from flarecast.errors import FlarecastError, choose

FloatArray = NDArray[np.float64]


def calibrate(
    forecasts: xr.Dataset, name: str, options: Mapping[str, Any]
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Fit a calibration on the calibration role and apply it to all windows.

    Args:
        forecasts: Forecasts with `role`; raw probabilities are `probability_raw`, else `probability`.
            Attributes `prior_natural` and `prior_trained` (event + 1) say how balancing moved the prior;
            without them it did not.
        name: Entry of `CALIBRATORS`.
        options: Keyword arguments of that entry.

    Returns:
        The forecasts with calibrated `probability`, the raw ones in `probability_raw`, attributes
        `calibrated` (1), `decision_threshold` (JSON: event, rule, value or null) and `n_cells_changed` (by
        nesting); and the calibration as plain numbers, as in calibration.json, enough for
        `apply_calibration`.

    Raises:
        FlarecastError: An unknown name or option, or priors that do not fit the events.
    """
    fit = choose("calibrate.name", name, CALIBRATORS)
    checked = check_options(fit, options, "calibrate.options")
    events = tuple(map(str, forecasts["event"].values))
    raw = np.asarray(forecasts[_raw_name(forecasts)].values, dtype=np.float64)
    natural, trained = _priors(forecasts, name)
    calibration: dict[str, Any] = {
        "name": name,
        "options": {
            key: list(value) if isinstance(value, tuple) else value for key, value in checked.items()
        },
        "events": list(events),
        "prior_natural": natural,
        "prior_trained": trained,
        "prior_corrected": natural is not None and natural != trained,
    }
    corrected, _ = _corrected(raw, calibration)
    occurred = forecasts["occurred"].values
    chosen = forecasts["role"].values == schema.ROLES.index("calibration")
    known = chosen[:, None] & (occurred >= 0) & ~np.isnan(raw)
    calibration["event_calibration"] = {
        event: _fitted(fit, checked, corrected[known[:, j], j], occurred[known[:, j], j] == 1)
        for j, event in enumerate(events)
    }
    probability, n_changed = apply_calibration(raw, calibration, events)
    for j, event in enumerate(events):
        _add_decision_thresholds(
            calibration, event, probability[known[:, j], j], occurred[known[:, j], j] == 1
        )
    calibration["cells_changed"] = n_changed
    return _calibrated(forecasts, probability, raw, calibration), calibration


def apply_calibration(
    probability_raw: FloatArray, calibration: Mapping[str, Any], events: Sequence[str]
) -> tuple[FloatArray, int]:
    """Map raw probabilities by a fitted calibration.

    Args:
        probability_raw: Shape (window, event); NaN stays NaN.
        calibration: As `calibrate` gives it, or as read from calibration.json.
        events: The events of the columns.

    Returns:
        Calibrated probabilities, nested along the events, shape (window, event); and how many cells the
        running minimum changed to keep them nested.

    Raises:
        FlarecastError: The calibration is of other events, or no calibration.
    """
    try:
        if list(calibration["events"]) != list(events):
            raise FlarecastError(
                f"calibration: expected one of the events {', '.join(events)}, "
                f"got one of {', '.join(map(str, calibration['events']))}; calibrate these forecasts anew"
            )
        curve = choose("calibration: name", calibration["name"], CURVES)
        probability, broken = _corrected(np.asarray(probability_raw, dtype=np.float64), calibration)
        for j, event in enumerate(events):
            probability[:, j] = curve(probability[:, j], calibration["event_calibration"][event])
    except (KeyError, TypeError, ValueError) as error:
        raise FlarecastError(
            "calibration: expected what `flarecast calibrate` writes, "
            f"got something else ({type(error).__name__}: {error}); calibrate anew"
        ) from error
    nested = nest(probability)
    return nested, int(np.count_nonzero(broken | (nested < probability)))


def _corrected(raw: FloatArray, calibration: Mapping[str, Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Probabilities under the natural prior, and the cells whose nesting had to be mended before."""
    if not calibration["prior_corrected"]:
        return raw.copy(), np.zeros(raw.shape, dtype=bool)
    nested = nest(raw)
    corrected = correct_prior(nested, calibration["prior_natural"], calibration["prior_trained"])
    return corrected, nested < raw


def _raw_name(forecasts: xr.Dataset) -> str:
    """Name of the variable with uncalibrated probabilities."""
    return "probability_raw" if "probability_raw" in forecasts else "probability"


def _priors(forecasts: xr.Dataset, name: str) -> tuple[list[float] | None, list[float] | None]:
    """Natural and trained prior of the exclusive classes; None, None where unknown or not to be undone."""
    there = [key for key in ("prior_natural", "prior_trained") if key in forecasts.attrs]
    if name == "none" or not there:
        return None, None
    if len(there) == 1:
        raise FlarecastError(f"forecasts: expected prior_natural and prior_trained, got {there[0]} alone")
    natural, trained = (np.atleast_1d(forecasts.attrs[key]).astype(np.float64).tolist() for key in there)
    return natural, trained


def _fitted(
    fit: Any, options: Mapping[str, Any], probability: FloatArray, occurred: NDArray[np.bool_]
) -> dict[str, Any]:
    """Numbers of one event's curve, with the size of the sample behind them."""
    return {**fit(probability, occurred, **options), "n": int(occurred.size), "n_events": int(occurred.sum())}


def _add_decision_thresholds(
    calibration: dict[str, Any], event: str, probability: FloatArray, occurred: NDArray[np.bool_]
) -> None:
    """Add one event's decision thresholds to a calibration: null with a reason where no score is defined."""
    thresholds = best_decision_thresholds(probability, occurred)
    reason = None
    if thresholds is None:
        what = (
            "window with known outcome" if not occurred.size else "non-event" if occurred.all() else "event"
        )
        reason = f"no {what} in calibration: no score to maximise"
    calibration.setdefault("decision_threshold", {})[event] = thresholds or dict.fromkeys(RULES)
    calibration["event_calibration"][event]["decision_threshold_reason"] = reason


def _calibrated(
    forecasts: xr.Dataset, probability: FloatArray, raw: FloatArray, calibration: Mapping[str, Any]
) -> xr.Dataset:
    """Forecasts with calibrated probabilities; everything else as it was."""
    variables = {"probability": probability, "probability_raw": raw}
    assigned = {
        name: (spec.dims, variables[name], spec.attributes)
        for name, spec in schema.FORECASTS.variables.items()
        if name in variables
    }
    return forecasts.assign(assigned).assign_attrs(
        calibrated=1,
        decision_threshold=json.dumps(calibration["decision_threshold"], allow_nan=False),
        n_cells_changed=calibration["cells_changed"],
        history=f"{forecasts.attrs['history']}\ncalibrated: {calibration['name']}",
    )
