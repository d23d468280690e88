"""Decision thresholds of a fitted calibration, with intervals, from the windows that it was fitted on."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, decision
from flarecast.calibrate.calibration import apply_calibration, for_fold, raw_name
from flarecast.calibrate.guarantee import guaranteed_recall_threshold
from flarecast.config.sections import Decision
from flarecast.seen import unpack

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

GUARANTEED = "guaranteed_recall"
"""Rule of the threshold whose recall is guaranteed."""


def add_decision_thresholds(
    forecasts: xr.Dataset,
    calibration: dict[str, Any],
    settings: Decision,
    rng: np.random.Generator | None,
) -> None:
    """Add to a calibration, and to those of its folds and rivals, the thresholds of all events and rules.

    `decision_threshold` gets event, rule, value or null; `decision_threshold_interval` the two ends, null
    where there are none; `event_calibration` the reason where a threshold is null.

    Args:
        forecasts: What was calibrated.
        calibration: What `calibrate` fitted, still without thresholds.
        settings: Costs, recalls and resamples.
        rng: Source of the resamples; without it there are no intervals and no guarantee.

    Raises:
        FlarecastError: A guarantee is asked for and MAPIE is not installed.
    """
    for part, raw in parts_of(forecasts, calibration):
        probability, known = calibrated_sample(forecasts, part, raw)
        for j, event in enumerate(part["events"]):
            mine = known[:, j]
            pair = probability[mine, j], forecasts["occurred"].values[mine, j] == 1
            found, reason = _chosen(*pair, list(_ways(forecasts, mine)), settings, rng)
            part["decision_threshold"][event] = found["value"]
            part["decision_threshold_interval"][event] = found["interval"]
            part["event_calibration"][event]["decision_threshold_reason"] = reason


def parts_of(
    forecasts: xr.Dataset, calibration: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """Calibrations that were fitted apart, of the model, rivals and folds, each with its raw forecasts."""
    raw = np.asarray(forecasts[raw_name(forecasts)].values, dtype=np.float64)
    for part in calibration.get("folds", {"": calibration}).values():
        yield part, raw
    for nth, rival in enumerate(calibration.get("rivals", {}).values()):
        theirs = np.asarray(forecasts["rival_probability_raw"].values[:, :, nth], dtype=np.float64)
        for part in rival.get("folds", {"": rival}).values():
            yield part, theirs


def calibrated_sample(
    forecasts: xr.Dataset, calibration: Mapping[str, Any], raw: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Calibrated probabilities of the windows that a calibration was fitted on, and which those are.

    Returns:
        Probabilities, NaN elsewhere, and whether there are one and a known outcome, shapes (window, event).
    """
    fold, occurred = forecasts["fold"].values, forecasts["occurred"].values
    rows = unpack(calibration["seen"], fold.size)
    probability = np.full(raw.shape, np.nan)
    for one in np.unique(fold[rows]):
        of_fold = rows & (fold == one)
        applied = for_fold(calibration, int(one))
        probability[of_fold], _ = apply_calibration(raw[of_fold], applied, calibration["events"])
    known: BoolArray = rows[:, None] & (occurred >= 0) & ~np.isnan(probability)
    return probability, known


def _ways(forecasts: xr.Dataset, rows: BoolArray) -> Iterator[NDArray[np.int64]]:
    """Blocks that are drawn as a whole, numbered: regions, or rotations of the disk; and 27-day rotations."""
    for block in (
        forecasts["cluster"].values[rows].astype(str),
        cycles.rotation_of(forecasts["valid_from"].values[rows]),
    ):
        yield np.unique(block, return_inverse=True)[1].astype(np.int64)


def _chosen(
    probability: FloatArray,
    occurred: BoolArray,
    ways: list[NDArray[np.int64]],
    settings: Decision,
    rng: np.random.Generator | None,
) -> tuple[dict[str, dict[str, Any]], str | None]:
    """Value and interval of every rule for one event, and the reason if values are null."""
    rules = decision.decision_rules(settings.cost_loss_ratio, settings.target_recall)
    recall = settings.guaranteed_recall if rng is not None else None
    names = [*rules, GUARANTEED] if recall is not None else list(rules)
    value: dict[str, float | None] = dict.fromkeys(names)
    interval: dict[str, list[float] | None] = dict.fromkeys(names)
    best = decision.best_decision_thresholds(probability, occurred, rules)
    reason = None
    if best is None:
        what = (
            "window with known outcome" if not occurred.size else "non-event" if occurred.all() else "event"
        )
        reason = f"no {what} in calibration: no score to maximise"
    else:
        value |= best
        if rng is not None:
            interval |= _intervals(probability, occurred, ways, rules, settings, rng)
        if recall is not None and rng is not None:
            sure = {"recall": recall, "confidence": settings.confidence}
            value[GUARANTEED] = guaranteed_recall_threshold(probability, occurred, ways[0], rng, **sure)
            if value[GUARANTEED] is None:
                reason = "too few blocks with events in calibration to guarantee a recall"
    return {"value": value, "interval": interval}, reason


def _intervals(
    probability: FloatArray,
    occurred: BoolArray,
    ways: list[NDArray[np.int64]],
    rules: Mapping[str, decision.Rule],
    settings: Decision,
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Two ends of the threshold of each rule: the wider of drawing regions and of drawing rotations."""
    tail = (1 - settings.confidence) / 2
    found: dict[str, list[float]] = {}
    for block in ways:
        n = int(block.max()) + 1
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=settings.resamples).astype(np.float64)
        resampled = decision.resampled_thresholds(probability, occurred, block, rules, drawn)
        for rule, values in resampled.items():
            if values.size:
                low, high = np.quantile(values, [tail, 1 - tail]).tolist()
                before = found.get(rule, [0.0, -1.0])
                found[rule] = [low, high] if high - low > before[1] - before[0] else before
    return found
