"""Forecasts whose scores are known, their references, and what evaluation says of them, for tests."""

import json

import numpy as np
import xarray as xr

from flarecast import cycles
from flarecast.evaluate import evaluate
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
START = cycles.seconds("2012-01-01")
CALIBRATION, TEST = ROLES.index("calibration"), ROLES.index("test")


def forecasts_of(n: int = 900, seed: int = 0, attributes: dict | None = None, **changes) -> xr.Dataset:
    """Daily forecasts of M1.0 and X1.0 for 60 regions; the first third calibrates, the rest is tested."""
    rng = np.random.default_rng(seed)
    region = np.array([f"SIM {nth}" for nth in np.arange(n) % 60], dtype=object)
    activity = rng.normal(-1, 1, 60)[np.arange(n) % 60, None] - np.array([0, 1.5]) + rng.normal(0, 1, (n, 1))
    probability = 1 / (1 + np.exp(-activity))
    level = rng.random((n, 1))
    occurred = level < probability
    issue = START + DAY * np.arange(n)
    reference = np.stack([np.tile([0.3, 0.12], (n, 1)), (rng.random((n, 1)) < probability) * 1.0], axis=2)
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": probability,
        "probability_raw": probability**0.5,
        "occurred": occurred,
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.where(np.arange(n) < n // 3, CALIBRATION, TEST),
        "fold": np.zeros(n),
        "forecast": ["climatology", "persistence"],
        "reference": reference,
        "truth_observed": probability,
        "in_progress": rng.random(n) < 0.1,
    } | changes
    given = {
        "forecast_name": "model",
        "history": "test",
        "training_base_rate": np.array([0.3, 0.12]),
        "decision_threshold": json.dumps(
            {"M1.0": {"tss": 0.3, "hss": 0.45}, "X1.0": {"tss": 0.1, "hss": 0.2}}
        ),
    }
    present = {name: values for name, values in arrays.items() if values is not None}
    return build(FORECASTS, present, given | (attributes or {}))


def foreign(forecasts: xr.Dataset, name: str = "swpc", keep: slice | np.ndarray = slice(None), **changes):
    """Somebody's forecasts of the same spans, issued two hours earlier."""
    arrays = {
        "event": forecasts["event"].values,
        "probability": 0.7 * forecasts["probability"].values[keep] + 0.1,
        "occurred": np.full(forecasts["occurred"].values[keep].shape, -1),
        "issue_time": forecasts["issue_time"].values[keep] - 7200,
        **{key: forecasts[key].values[keep] for key in ("valid_from", "valid_to", "region", "cluster")},
        "role": np.zeros(forecasts["role"].values[keep].size),
        "fold": np.zeros(forecasts["role"].values[keep].size),
    } | changes
    return build(FORECASTS, arrays, {"forecast_name": name, "history": "test"})


def scores_of(forecasts, seed=0, **options):
    return evaluate(
        forecasts, rng=np.random.default_rng(seed), **({"resamples": 100, "blocks": "region"} | options)
    )


def record(content, score, event="M1.0", forecast="model", subset="all", rule=None):
    """The first record of that name: the one at the main decision threshold."""
    for one in content["records"]:
        same = (one["score"], one["event"], one["forecast"], one["subset"]) == (
            score,
            event,
            forecast,
            subset,
        )
        if same and rule in (None, one.get("decision_rule")):
            return one
    raise AssertionError(f"no record {score} {event} {forecast} {subset} {rule}")
