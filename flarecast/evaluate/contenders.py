"""The forecasts that are scored together, each with the decision thresholds that it may use.

A decision threshold comes from calibration windows or is 0.5, never from the windows that are scored.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.decision import best_decision_thresholds
from flarecast.errors import FlarecastError
from flarecast.evaluate.pairing import Paired
from flarecast.schema import ROLES

FloatArray = NDArray[np.float64]

Rules = dict[str, float | FloatArray]
"""Decision threshold by rule: one for all windows, or one a window where folds have their own."""

NO_CHOICE = 0.5
FIXED: Rules = {"fixed": NO_CHOICE}
"""Decision threshold where none was chosen."""

MODEL = "model"
"""Name of the forecasts that are evaluated; all differences are theirs minus another's."""


@dataclass(frozen=True)
class Contender:
    """One forecast of all windows and events.

    Attributes:
        name: As in scores.json.
        probability: NaN where there is none, shape (window, event).
        rules: For every event the decision threshold by rule, the main one first: `tss` and `hss` were best
            by that score on calibration windows, others serve a purpose there (see `decision`), `fixed` was
            not chosen.
        compared: Whether the model is compared with it.
        given: Whether it came from a file of its own.
    """

    name: str
    probability: FloatArray
    rules: tuple[Rules, ...]
    compared: bool = True
    given: bool = False


def contenders_of(
    forecasts: xr.Dataset, references: Mapping[str, Paired], warnings: list[str]
) -> list[Contender]:
    """List the forecasts to score: the model first, then its raw form, references, truths.

    Args:
        forecasts: The forecasts that are evaluated.
        references: Other files' forecasts by name.
        warnings: Sentences are added here.
    """
    events = [str(event) for event in forecasts["event"].values]
    probability = np.asarray(forecasts["probability"].values)
    found = [Contender(MODEL, probability, _model_rules(forecasts, events, warnings), compared=False)]
    if "probability_raw" in forecasts:
        found.append(contender_raw(forecasts))
    if "rival_probability" in forecasts:
        for nth, name in enumerate(map(str, forecasts["rival"].values)):
            values = np.asarray(forecasts["rival_probability"].values[:, :, nth])
            found.append(Contender(name, values, _rules(forecasts, values)))
    if "reference" in forecasts:
        for nth, name in enumerate(map(str, forecasts["forecast"].values)):
            values = np.asarray(forecasts["reference"].values[:, :, nth])
            # Persistence says 0 or 1; there is nothing to choose.
            fixed = name == "persistence"
            found.append(Contender(name, values, _fixed(events) if fixed else _rules(forecasts, values)))
    for name, paired in references.items():
        rules = tuple(chosen | FIXED for chosen in _chosen(forecasts, paired.probability))
        found.append(Contender(name, paired.probability, rules, given=True))
    for name in ("truth_observed", "truth"):
        if name in forecasts:
            values = np.asarray(forecasts[name].values)
            found.append(Contender(name, values, _rules(forecasts, values)))
    return found


def contender_raw(forecasts: xr.Dataset) -> Contender:
    """The model's forecasts before calibration."""
    name = "probability_raw" if "probability_raw" in forecasts else "probability"
    raw = np.asarray(forecasts[name].values)
    return Contender("raw", raw, _rules(forecasts, raw), compared=False)


def reference_names(forecasts: xr.Dataset, references: Mapping[str, xr.Dataset]) -> dict[str, str]:
    """Name of each given reference in scores.json: what its file says, else its key.

    Raises:
        FlarecastError: Two would have one name.
    """
    taken = {MODEL, "raw", "truth", "truth_observed"}
    taken |= {str(name) for name in forecasts["rival"].values} if "rival" in forecasts else set()
    if "forecast" in forecasts:
        taken |= {str(name) for name in forecasts["forecast"].values}
    names = {}
    for key, reference in references.items():
        own = str(reference.attrs.get("forecast_name", ""))
        name = key if own in ("", *taken) else own
        if name in taken:
            raise FlarecastError(
                f"reference {key}: expected a name that is not taken, got {name!r}; rename the file"
            )
        taken.add(name)
        names[key] = name
    return names


def _fixed(events: list[str]) -> tuple[Rules, ...]:
    return tuple(dict(FIXED) for _ in events)


def _model_rules(forecasts: xr.Dataset, events: list[str], warnings: list[str]) -> tuple[Rules, ...]:
    """Decision thresholds that calibration left in the file's attribute, 0.5 where it left none."""
    if "decision_threshold" not in forecasts.attrs:
        return _fixed(events)
    try:
        table = json.loads(forecasts.attrs["decision_threshold"])
        folds = {int(fold): dict(one) for fold, one in table.get("folds", {}).items()}
        tables = [folds.get(fold, table) for fold in _folds(forecasts)]
        by_event = [[_numbers(one.get(event)) for one in tables] for event in events]
    except (ValueError, TypeError, AttributeError) as error:
        raise FlarecastError(
            "forecasts: expected attribute decision_threshold as JSON of events and rules, "
            f"got {forecasts.attrs['decision_threshold']!r}; calibrate anew"
        ) from error
    rules = []
    for event, chosen in zip(events, by_event, strict=True):
        if not all("tss" in one for one in chosen):
            warnings.append(f"{event}: calibration chose no decision threshold, 0.5 is used")
        if "tss" in set().union(*chosen):
            rules.append(_laid_out(forecasts, chosen))
        else:
            rules.append(FIXED | (_laid_out(forecasts, chosen) if any(chosen) else {}))
    return tuple(rules)


def _numbers(table: Mapping[str, float | None] | None) -> dict[str, float]:
    """Decision thresholds of one event, the main one first; those that are null left out."""
    said = dict.fromkeys(("tss", "hss")) | dict(table or {})
    return {rule: float(value) for rule, value in said.items() if value is not None}


def _rules(forecasts: xr.Dataset, probability: FloatArray) -> tuple[Rules, ...]:
    """Decision thresholds best on the calibration windows, 0.5 where there are none."""
    return tuple(chosen or dict(FIXED) for chosen in _chosen(forecasts, probability))


def _chosen(forecasts: xr.Dataset, probability: FloatArray) -> list[Rules]:
    """Decision thresholds best on the calibration windows, for every event; empty where undefined.

    Where several folds have a test, each takes those of its own calibration windows: those of another may
    be its test.
    """
    occurred, fold = forecasts["occurred"].values, forecasts["fold"].values
    calibrates = forecasts["role"].values == ROLES.index("calibration")
    folds = _folds(forecasts)
    found = []
    for event in range(occurred.shape[1]):
        known = calibrates & (occurred[:, event] >= 0) & ~np.isnan(probability[:, event])
        chosen = []
        for one in folds:
            rows = known & (fold == one) if len(folds) > 1 else known
            best = best_decision_thresholds(probability[rows, event], occurred[rows, event] == 1)
            chosen.append(dict(best or {}))
        found.append(_laid_out(forecasts, chosen) if any(chosen) else {})
    return found


def _folds(forecasts: xr.Dataset) -> list[int]:
    """Folds with a test of their own; one where there are no others."""
    tested = forecasts["role"].values == ROLES.index("test")
    return [int(fold) for fold in np.unique(forecasts["fold"].values[tested])] or [0]


def _laid_out(forecasts: xr.Dataset, chosen: list[dict[str, float]]) -> Rules:
    """One decision threshold a rule; of several folds that of each window's fold, 0.5 where it has none."""
    if len(chosen) == 1:
        return dict(chosen[0])
    fold = forecasts["fold"].values
    rules: Rules = {}
    for rule in next(one for one in chosen if one):
        cut = np.full(fold.size, NO_CHOICE)
        for number, one in zip(_folds(forecasts), chosen, strict=True):
            cut[fold == number] = one.get(rule, NO_CHOICE)
        rules[rule] = cut
    return rules
