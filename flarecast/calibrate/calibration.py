"""A fitted calibration, as plain numbers, and what it makes of probabilities.

Content of calibration.json: `name`, `options`, `events`, the natural and the trained prior of the classes,
and for every event the numbers of its curve and its decision thresholds; `nesting` says whether curves are of
events or of each event given the one below (absent in older files: of events). Where each fold of a split has
a test of its own, `folds` holds such a content for each; `fold_priors` holds the priors of the models whose
out-of-fold forecasts were calibrated together; `rivals` the same for models trained beside the model.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.calibrate.updating import is_updated, updated
from flarecast.calibrators import CURVES, NESTINGS, RANGES, conditional_share, correct_prior, nest
from flarecast.errors import FlarecastError, choose
from flarecast.schema import FORECASTS
from flarecast.uncertainty import credible_range

FloatArray = NDArray[np.float64]

RANGE_NAMES = ("probability_lower", "probability_upper")


def apply_calibration(
    probability_raw: FloatArray, calibration: Mapping[str, Any], events: Sequence[str]
) -> tuple[FloatArray, int]:
    """Map raw probabilities of one model by a fitted calibration.

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
    with _refusing_damage():
        _check_events(calibration, events)
        curve = choose("calibration: name", calibration["name"], CURVES)
        natural, broken = corrected(np.asarray(probability_raw, dtype=np.float64), calibration)
        probability = _through(natural, calibration, events, curve)
    nested = nest(probability)
    return nested, int(np.count_nonzero(broken | (nested < probability)))


def apply_ranges(
    probability_raw: FloatArray, calibration: Mapping[str, Any], events: Sequence[str]
) -> tuple[FloatArray, FloatArray] | None:
    """Lower and upper ends of the range around each calibrated probability; None where the curve has none.

    Args:
        probability_raw: Shape (window, event); NaN stays NaN.
        calibration: As for `apply_calibration`.
        events: The events of the columns.

    Raises:
        FlarecastError: The calibration is of other events, or no calibration.
    """
    with _refusing_damage():
        _check_events(calibration, events)
        if calibration["name"] not in RANGES:
            return None
        ranges = RANGES[calibration["name"]]
        natural, _ = corrected(np.asarray(probability_raw, dtype=np.float64), calibration)
        lower = _through(natural, calibration, events, lambda one, numbers: ranges(one, numbers)[0])
        upper = _through(natural, calibration, events, lambda one, numbers: ranges(one, numbers)[1])
    return nest(lower), nest(upper)


@contextmanager
def _refusing_damage() -> Iterator[None]:
    """Say in one sentence what is wrong with a calibration that lacks numbers or holds others."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise FlarecastError(
            "calibration: expected what `flarecast calibrate` writes, "
            f"got something else ({type(error).__name__}: {error}); calibrate anew"
        ) from error


def _check_events(calibration: Mapping[str, Any], events: Sequence[str]) -> None:
    """Raise unless a calibration is of these events."""
    if list(calibration["events"]) != list(events):
        raise FlarecastError(
            f"calibration: expected one of the events {', '.join(events)}, "
            f"got one of {', '.join(map(str, calibration['events']))}; calibrate these forecasts anew"
        )


def _through(
    natural: FloatArray, calibration: Mapping[str, Any], events: Sequence[str], curve: Callable[..., Any]
) -> FloatArray:
    """Probabilities along the curves of a calibration, event by event (window, event), not yet nested.

    Where nesting is `conditional`, the curve of an event is of its chance given the event below, which is
    multiplied with that event's probability; where the event below is missing it stays as it was.
    """
    conditional = choose("calibration: nesting", calibration.get("nesting", "minimum"), NESTINGS)
    probability = natural.copy()
    for j, event in enumerate(events):
        numbers = calibration["event_calibration"][event]
        if conditional and j > 0:
            given = probability[:, j - 1] * curve(conditional_share(natural, j), numbers)
            probability[:, j] = np.where(np.isnan(given), natural[:, j], given)
        else:
            probability[:, j] = curve(natural[:, j], numbers)
    return probability


def calibrated(forecasts: xr.Dataset, calibration: Mapping[str, Any]) -> xr.Dataset:
    """Forecasts, and those of their rivals, mapped by a fitted calibration; all else as it was.

    The range of a model with members is theirs, mapped by the same curve; what each of them says stays raw.
    Attributes `calibrated` (1), `decision_threshold` (JSON: event, rule, value or null) and `n_cells_changed`
    (by nesting) are the calibration's.

    Raises:
        FlarecastError: The calibration is of other events or lacks a rival, or is none.
    """
    raw = np.asarray(forecasts[raw_name(forecasts)].values, dtype=np.float64)
    probability, n_changed = _mapped(forecasts, raw, calibration)
    variables = {"probability": probability, "probability_raw": raw}
    if calibration["name"] in RANGES and not is_updated(calibration):
        variables |= dict(zip(RANGE_NAMES, _ranges(forecasts, raw, calibration), strict=True))
    if "member" in forecasts:
        variables |= _member_range(forecasts, variables, calibration)
    if "rival" in forecasts:
        raw = np.asarray(forecasts["rival_probability_raw"].values, dtype=np.float64)
        names = [str(name) for name in forecasts["rival"].values]
        mapped = [
            _mapped(forecasts, raw[:, :, nth], calibration.get("rivals", {}).get(name, {}))[0]
            for nth, name in enumerate(names)
        ]
        variables["rival_probability"] = np.stack(mapped, axis=2)
    assigned = {
        name: (FORECASTS.variables[name].dims, values, FORECASTS.variables[name].attributes)
        for name, values in variables.items()
    }
    return forecasts.assign(assigned).assign_attrs(
        calibrated=1,
        decision_threshold=json.dumps(_decision_thresholds(calibration), allow_nan=False),
        n_cells_changed=n_changed,
        history=f"{forecasts.attrs['history']}\ncalibrated: {calibration['name']}",
    )


def for_fold(calibration: Mapping[str, Any], fold: int) -> Mapping[str, Any]:
    """The calibration of one fold's model: its own, or the common one with the priors of that model."""
    if str(fold) in calibration.get("folds", {}):
        own: Mapping[str, Any] = calibration["folds"][str(fold)]
        return own
    return {**calibration, **calibration.get("fold_priors", {}).get(str(fold), {})}


def corrected(raw: FloatArray, calibration: Mapping[str, Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Probabilities under the natural prior, and the cells whose nesting had to be mended before."""
    if not calibration["prior_corrected"]:
        return raw.copy(), np.zeros(raw.shape, dtype=bool)
    nested = nest(raw)
    moved = correct_prior(nested, calibration["prior_natural"], calibration["prior_trained"])
    return moved, nested < raw


def raw_name(forecasts: xr.Dataset) -> str:
    """Name of the variable with uncalibrated probabilities."""
    return "probability_raw" if "probability_raw" in forecasts else "probability"


def _mapped(forecasts: xr.Dataset, raw: FloatArray, calibration: Mapping[str, Any]) -> tuple[FloatArray, int]:
    """Probabilities of one model, each fold by its own numbers, and how many cells nesting changed."""
    events = tuple(map(str, forecasts["event"].values))
    fold = forecasts["fold"].values
    probability, n_changed = np.empty_like(raw), 0
    for one in np.unique(fold):
        rows = fold == one
        own = for_fold(calibration, int(one))
        static, changed = apply_calibration(raw[rows], own, events)
        probability[rows] = updated(forecasts, static, own, rows)
        n_changed += changed
    return probability, n_changed


def _ranges(
    forecasts: xr.Dataset, raw: FloatArray, calibration: Mapping[str, Any]
) -> tuple[FloatArray, FloatArray]:
    """Ends of the range of the model's probabilities, each fold by its own numbers."""
    events = tuple(map(str, forecasts["event"].values))
    fold = forecasts["fold"].values
    lower, upper = np.full_like(raw, np.nan), np.full_like(raw, np.nan)
    for one in np.unique(fold):
        rows = fold == one
        found = apply_ranges(raw[rows], for_fold(calibration, int(one)), events)
        if found is not None:
            lower[rows], upper[rows] = found
    return lower, upper


def _member_range(
    forecasts: xr.Dataset, found: Mapping[str, FloatArray], calibration: Mapping[str, Any]
) -> dict[str, FloatArray]:
    """Range of the members along the model's curve, widened to hold the probability and the curve's range."""
    ends = (_mapped(forecasts, end, calibration)[0] for end in credible_range(forecasts["member"].values))
    return {
        name: widen.reduce([end, *(found[one] for one in ("probability", name) if one in found)])
        for name, end, widen in zip(RANGE_NAMES, ends, (np.fmin, np.fmax), strict=True)
    }


def _decision_thresholds(calibration: Mapping[str, Any]) -> dict[str, Any]:
    """Decision thresholds by event and rule; under `folds` those of folds that have their own."""
    found = dict(calibration.get("decision_threshold", {}))
    if "folds" in calibration:
        found["folds"] = {
            fold: one.get("decision_threshold", {}) for fold, one in calibration["folds"].items()
        }
    return found
