"""Undo the prior that balancing moved, fit a curve per event, choose decision thresholds.

All that is fitted is fitted on windows of role calibration and nothing else: of the one fold; or of all
out-of-fold forecasts together, for the model that is trained on the whole; or, where each fold has a test of
its own, of that fold alone, since the calibration windows of one may be the test of another.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import schema
from flarecast.calibrate.calibration import calibrated, corrected, for_fold, raw_name
from flarecast.calibrate.thresholds import add_decision_thresholds, calibrated_sample, parts_of
from flarecast.calibrate.updating import describe_update
from flarecast.calibrators import CALIBRATORS, NESTINGS, TAKES_GROUP, conditional_share
from flarecast.config import check_options
from flarecast.config.sections import Calibrate
from flarecast.errors import FlarecastError, choose
from flarecast.seen import pack

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MODEL = "model"


BY_DEFAULT = Calibrate()
GIVEN = ("group",)
"""Arguments of a calibrator that are passed here."""


def calibrate(
    forecasts: xr.Dataset,
    name: str,
    options: Mapping[str, Any],
    *,
    settings: Calibrate = BY_DEFAULT,
    rng: np.random.Generator | None = None,
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Fit a calibration on the calibration role and apply it to all windows, rivals included.

    Args:
        forecasts: Forecasts with `role`; raw probabilities are `probability_raw`, else `probability`.
            Attributes `prior_natural` and `prior_trained` (event + 1), or `priors` (JSON: fold, model), say
            how balancing moved the prior; without them it did not.
        name: Entry of `CALIBRATORS`.
        options: Keyword arguments of that entry.
        settings: `nesting`, `decision`, `update` and what belongs to it are used.
        rng: Source of the resamples for the intervals of decision thresholds; without it there are none.

    Returns:
        The forecasts as `calibrated` gives them, and the content of calibration.json (see `calibration`).

    Raises:
        FlarecastError: An unknown name or option, or priors that do not fit the events.
    """
    fit = choose("calibrate.name", name, CALIBRATORS)
    checked = check_options(fit, options, "calibrate.options", GIVEN)
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in checked.items()}
    events = [str(event) for event in forecasts["event"].values]
    head = {"name": name, "options": plain, "events": events, "nesting": settings.nesting}
    fitted = partial(_fitted_model, forecasts, partial(fit, **checked), head)
    calibration = fitted(MODEL, np.asarray(forecasts[raw_name(forecasts)].values, dtype=np.float64))
    if "rival" in forecasts:
        raw = np.asarray(forecasts["rival_probability_raw"].values, dtype=np.float64)
        calibration["rivals"] = {
            str(rival): fitted(str(rival), raw[:, :, nth])
            for nth, rival in enumerate(forecasts["rival"].values)
        }
    add_decision_thresholds(forecasts, calibration, settings.decision, rng)
    for part, raw in parts_of(forecasts, calibration):
        sample = calibrated_sample(forecasts, part, raw)
        part["update"].update(describe_update(forecasts, sample, settings, _rows_of(forecasts, part)))
    mended = calibrated(forecasts, calibration)
    calibration["cells_changed"] = int(mended.attrs["n_cells_changed"])
    return mended, calibration


def remarks(calibration: Mapping[str, Any]) -> list[str]:
    """Why some curves were not fitted and some decision thresholds not chosen, a sentence each.

    Args:
        calibration: Content of calibration.json; of the model, in the final fold.
    """
    found = []
    for event, numbers in calibration["event_calibration"].items():
        reasons = (numbers.get("reason"), numbers.get("decision_threshold_reason"))
        found += [f"{event}: {reason}" for reason in reasons if reason]
    return found


def _fitted_model(
    forecasts: xr.Dataset, fit: Callable[..., Any], head: Mapping[str, Any], model: str, raw: FloatArray
) -> dict[str, Any]:
    """Calibration of one model: one for all folds, or one a fold where each has its own test."""
    fold = forecasts["fold"].values
    numbers = [int(one) for one in np.unique(fold)]
    final = int(forecasts.attrs.get("final_fold", 0))
    priors = {one: _priors(forecasts, head["name"], model, one) for one in numbers or [final]}
    start = {**head, **priors.get(final, next(iter(priors.values())))}
    everything = np.ones(fold.size, dtype=bool)
    if len(numbers) < 2 or forecasts.attrs.get("out_of_fold"):
        others = {str(one): prior for one, prior in priors.items() if one != final}
        return _fitted(forecasts, fit, start | ({"fold_priors": others} if others else {}), raw, everything)
    found = {
        str(one): _fitted(forecasts, fit, {**head, **priors[one], "fold": one}, raw, fold == one)
        for one in numbers
    }
    return {**found[str(final)], "folds": found}


def _fitted(
    forecasts: xr.Dataset, fit: Callable[..., Any], start: dict[str, Any], raw: FloatArray, rows: BoolArray
) -> dict[str, Any]:
    """Curves and decision thresholds of every event, from the calibration windows among some rows."""
    fold, occurred = forecasts["fold"].values, forecasts["occurred"].values
    chosen = rows & (forecasts["role"].values == schema.ROLES.index("calibration"))
    natural = raw.copy()
    for one in np.unique(fold[chosen]):
        of_fold = chosen & (fold == one)
        natural[of_fold], _ = corrected(raw[of_fold], for_fold(start, int(one)))
    known = chosen[:, None] & (occurred >= 0) & ~np.isnan(raw)
    curves = {}
    for j, event in enumerate(start["events"]):
        mine, probability = known[:, j], natural[:, j]
        if NESTINGS[start["nesting"]] and j > 0:
            mine = mine & known[:, j - 1] & (occurred[:, j - 1] == 1)
            probability = conditional_share(natural, j)
        group = {"group": forecasts["cluster"].values[mine]} if start["name"] in TAKES_GROUP else {}
        numbers = fit(probability[mine], occurred[mine, j] == 1, **group)
        if numbers["reason"] is not None and not start["prior_analytic"]:
            numbers["reason"] += ", which undoes this kind of balancing only roughly"
        curves[event] = {**numbers, "n": int(mine.sum()), "n_events": int((occurred[mine, j] == 1).sum())}
    seen = pack(np.flatnonzero(known.any(axis=1)), fold.size)
    later: dict[str, Any] = {"decision_threshold": {}, "decision_threshold_interval": {}, "update": {}}
    return {**start, "event_calibration": curves, **later, "seen": seen}


def _rows_of(forecasts: xr.Dataset, part: Mapping[str, Any]) -> BoolArray:
    """Windows of the models that a part of a calibration is for."""
    fold = forecasts["fold"].values
    if "fold" in part:
        rows: BoolArray = fold == part["fold"]
        return rows
    return np.ones(fold.size, dtype=np.bool_)


def _priors(forecasts: xr.Dataset, name: str, model: str, fold: int) -> dict[str, Any]:
    """Natural and trained prior of the exclusive classes, null where unknown or not to be undone.

    Where balancing changed more than the prior, correcting it is the first step and the curve the second.
    """
    said: Mapping[str, Any] = forecasts.attrs
    if "priors" in forecasts.attrs:
        try:
            said = json.loads(forecasts.attrs["priors"])[str(fold)][model]
        except (ValueError, KeyError, TypeError) as error:
            raise FlarecastError(
                f"forecasts: expected attribute priors as JSON with fold {fold} and {model}, "
                f"got {forecasts.attrs['priors']!r}; forecast anew"
            ) from error
    analytic = bool(said.get("prior_analytic", True))
    if not analytic and name in ("none", "prior"):
        raise FlarecastError(
            f"forecasts of {model}: balancing moved them in a way that no prior undoes, so expected a fitted "
            f"calibrator, got calibrate.name {name}; use platt"
        )
    there = [key for key in ("prior_natural", "prior_trained") if key in said]
    if name == "none" or not there:
        return {
            "prior_natural": None,
            "prior_trained": None,
            "prior_corrected": False,
            "prior_analytic": analytic,
        }
    if len(there) == 1:
        raise FlarecastError(f"forecasts: expected prior_natural and prior_trained, got {there[0]} alone")
    natural, trained = (np.atleast_1d(said[key]).astype(np.float64).tolist() for key in there)
    return {
        "prior_natural": natural,
        "prior_trained": trained,
        "prior_corrected": natural != trained,
        "prior_analytic": analytic,
    }
