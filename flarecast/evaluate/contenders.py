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

FIXED = {"fixed": 0.5}
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
            by that score on calibration windows, `fixed` was not chosen.
        compared: Whether the model is compared with it.
        given: Whether it came from a file of its own.
    """

    name: str
    probability: FloatArray
    rules: tuple[dict[str, float], ...]
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


def _fixed(events: list[str]) -> tuple[dict[str, float], ...]:
    return tuple(dict(FIXED) for _ in events)


def _model_rules(
    forecasts: xr.Dataset, events: list[str], warnings: list[str]
) -> tuple[dict[str, float], ...]:
    """Decision thresholds that calibration left in the file's attribute, 0.5 where it left none."""
    if "decision_threshold" not in forecasts.attrs:
        return _fixed(events)
    try:
        table = json.loads(forecasts.attrs["decision_threshold"])
        by_event = [
            {rule: float(value) for rule, value in dict(table.get(event) or {}).items() if value is not None}
            for event in events
        ]
    except (ValueError, TypeError, AttributeError) as error:
        raise FlarecastError(
            "forecasts: expected attribute decision_threshold as JSON of events and rules, "
            f"got {forecasts.attrs['decision_threshold']!r}; calibrate anew"
        ) from error
    rules = []
    for event, chosen in zip(events, by_event, strict=True):
        known = {rule: chosen[rule] for rule in ("tss", "hss") if rule in chosen}
        if "tss" not in known:
            warnings.append(f"{event}: calibration chose no decision threshold, 0.5 is used")
            known = FIXED | known
        rules.append(known)
    return tuple(rules)


def _rules(forecasts: xr.Dataset, probability: FloatArray) -> tuple[dict[str, float], ...]:
    """Decision thresholds best on the calibration windows, 0.5 where there are none."""
    return tuple(chosen or dict(FIXED) for chosen in _chosen(forecasts, probability))


def _chosen(forecasts: xr.Dataset, probability: FloatArray) -> list[dict[str, float]]:
    """Decision thresholds best on the calibration windows, for every event; empty where undefined."""
    occurred = forecasts["occurred"].values
    calibrates = forecasts["role"].values == ROLES.index("calibration")
    chosen = []
    for event in range(occurred.shape[1]):
        rows = calibrates & (occurred[:, event] >= 0) & ~np.isnan(probability[:, event])
        best = best_decision_thresholds(probability[rows, event], occurred[rows, event] == 1)
        chosen.append(dict(best or {}))
    return chosen
