"""Scores of the arms of a study: arms of too few blocks with events have values and no intervals."""

import json

import numpy as np

from flarecast import cycles
from flarecast.schema import FORECASTS, ROLES, build
from flarecast.study.scoring import bounds, difference, draw_blocks, score_rows

DAY = 86_400


def forecasts_of(occurred):
    """Forecasts of 20 regions of ten days each, a region every 27 days."""
    n = occurred.size
    region = np.array([f"SIM {nth // 10}" for nth in range(n)], dtype=object)
    issue = cycles.seconds("2012-01-01") + DAY * (27 * (np.arange(n) // 10) + np.arange(n) % 10)
    probability = np.where(occurred, 0.6, 0.2)[:, None] + 0.001 * (np.arange(n) % 7)[:, None]
    arrays = {
        "event": ["M1.0"],
        "probability": probability,
        "probability_raw": probability,
        "occurred": occurred[:, None],
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.full(n, ROLES.index("test")),
        "fold": np.zeros(n),
    }
    said = {"forecast_name": "model", "history": "test", "decision_threshold": json.dumps({})}
    return build(FORECASTS, arrays, said)


def test_an_arm_of_few_blocks_can_be_held_against_one_of_many():
    forecasts = forecasts_of(np.arange(200) % 10 == 3)
    draw = draw_blocks(forecasts, 100, np.random.default_rng(0))
    everything = np.ones(200, dtype=bool)
    few = np.arange(200) < 30
    whole, part = (score_rows(forecasts, 0, rows, draw) for rows in (everything, few))
    for pair in ((whole, part), (part, whole)):
        found = difference(*(one.estimates["brier"] for one in pair))
        assert np.isfinite(found[0].value)
        assert np.isnan(bounds(found, 0.95)).all()
    assert np.isfinite(bounds(whole.estimates["brier"], 0.95)).all()
