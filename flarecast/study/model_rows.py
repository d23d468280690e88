"""Rows of the table of models, out of scores.json."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from flarecast.config import Config
from flarecast.config.sections import Model
from flarecast.cycles import iso
from flarecast.references import REFERENCE_NAMES
from flarecast.schema import ROLES

AGAINST = "logistic"
"""Name of the model that all others are compared with."""

SCORES = ("average_precision", "bss", "bss_year", "tss")
DIFFERENCE = f"bss_minus_{AGAINST}"
COUNTED = ("climatology", "persistence", "spot_class")
"""Models that count what followed, and so stand with the baselines."""

Cell = dict[str, float | None]


def rows_of(
    scores: Mapping[str, Any], models: Mapping[str, Model], by_gradient: Sequence[str]
) -> list[dict[str, Any]]:
    """A row a model and event: kind, options, and scores with the bounds of their intervals.

    Args:
        scores: Content of scores.json, of the logistic regression with all others as rivals.
        models: Section `model` of each with its chosen options, by name.
        by_gradient: Those fitted by gradient.
    """
    records = _by_key(scores)
    rows = []
    for event in scores["pairing"]["events"]:
        for name in (*models, *REFERENCE_NAMES):
            forecast = "model" if name == AGAINST else name
            if (event, forecast, "bss") not in records:
                continue
            record = records[event, forecast, "bss"]
            cells = {score: _cell(records[event, forecast, score]) for score in SCORES}
            against = records.get((event, "model", f"bss_minus_{name}"))
            rows.append(
                {
                    "event": event,
                    "name": name,
                    "kind": _kind(name, models, by_gradient),
                    "model": models[name].name if name in models else None,
                    "options": models[name].options if name in models else {},
                    "n": record["n"],
                    "n_events": record["n_events"],
                    **cells,
                    DIFFERENCE: None if against is None else _turned(_cell(against)),
                }
            )
    return rows


def about(forecasts: xr.Dataset, config: Config) -> str:
    """A sentence on the windows and how they were dealt with."""
    event = config.study.event or config.balanced_event
    column = config.events.index(event)
    final = forecasts["fold"].values == int(forecasts.attrs.get("final_fold", 0))
    parts = []
    for number, name in enumerate(ROLES):
        held_out = name == "calibration" and bool(forecasts.attrs.get("out_of_fold"))
        mine = (forecasts["role"].values == number) & (~final if held_out else final)
        if name == "unused" or not mine.any():
            continue
        issued = forecasts["issue_time"].values[mine]
        came = int((forecasts["occurred"].values[mine, column] == 1).sum())
        span = f"{iso(int(issued.min()))[:10]} to {iso(int(issued.max()))[:10]}"
        what = f"{name} (out of fold)" if held_out else name
        parts.append(f"{what} {mine.sum():,} windows, {came:,} of them with an event, {span}")
    return (
        f"Event: {event}. {forecasts.attrs['source']}, split {config.split.strategy}: {'; '.join(parts)}. "
        f"All models are calibrated alike ({config.calibrate.name}, {config.fit_on}); intervals: "
        f"{config.evaluate.confidence:.0%}, {config.evaluate.resamples:,} draws of whole blocks."
    )


def _by_key(scores: Mapping[str, Any]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Records of all windows by event, forecast and score, the main decision threshold first."""
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for record in scores["records"]:
        if record["subset"] == "all" and record["role"] == scores["role"]:
            found.setdefault((record["event"], record["forecast"], record["score"]), record)
    return found


def _cell(record: Mapping[str, Any]) -> Cell:
    """Value and bounds."""
    return {name: record[name] for name in ("value", "low", "high")}


def _turned(cell: Cell) -> Cell:
    """The difference the other way round."""
    value, low, high = (None if one is None else -one for one in cell.values())
    return {"value": value, "low": high, "high": low}


def _kind(name: str, models: Mapping[str, Model], by_gradient: Sequence[str]) -> str:
    """`network`, `classical` or `baseline`."""
    if name not in models or models[name].name in COUNTED:
        return "baseline"
    return "network" if name in by_gradient else "classical"


def verdict(cell: Cell | None) -> str:
    """Whether a difference to the logistic leaves 0 out."""
    if cell is None or cell["low"] is None or cell["high"] is None or np.isnan(cell["low"]):
        return "unknown"
    return "better" if cell["low"] > 0 else "worse" if cell["high"] < 0 else "alike"
