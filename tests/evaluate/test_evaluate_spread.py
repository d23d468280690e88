"""Spread of scores over the members of an ensemble, apart from the intervals."""

import numpy as np
import pytest
import xarray as xr
from sklearn import metrics

from flarecast import cycles
from flarecast.evaluate import evaluate
from flarecast.evaluate.spread import seed_spread
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
START = cycles.seconds("2012-01-01")


def forecasts_of(members: int = 4, n: int = 600) -> xr.Dataset:
    rng = np.random.default_rng(0)
    activity = rng.normal(-1, 1.2, 40)[np.arange(n) % 40]
    occurred = rng.random(n) < 1 / (1 + np.exp(-activity))
    each = 1 / (1 + np.exp(-activity[:, None] - rng.normal(0, 0.6, (n, max(1, members)))))
    issue = START + DAY * np.arange(n)
    region = np.array([f"SIM {one}" for one in np.arange(n) % 40], dtype=object)
    arrays = {
        "event": ["M1.0"],
        "probability": each.mean(axis=1)[:, None],
        "occurred": occurred[:, None],
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.full(n, ROLES.index("test")),
        "fold": np.zeros(n),
    }
    if members:
        arrays["member"] = each[:, None, :]
    return build(FORECASTS, arrays, {"forecast_name": "model", "history": "test"})


def spread(forecasts: xr.Dataset) -> dict[str, dict]:
    every = np.ones(forecasts.sizes["window"], dtype=bool)
    return {row["score"]: row for row in seed_spread(forecasts, 0, every, "test")}


def test_the_spread_is_over_the_scores_of_the_members_one_by_one():
    forecasts = forecasts_of()
    found = spread(forecasts)
    occurred, member = forecasts["occurred"].values[:, 0], forecasts["member"].values[:, 0].astype(float)
    for name, score in (
        ("brier", metrics.brier_score_loss),
        ("roc_auc", metrics.roc_auc_score),
        ("bss", metrics.d2_brier_score),
    ):
        values = [score(occurred, one) for one in member.T]
        row = found[name]
        assert row["mean"] == pytest.approx(np.mean(values))
        assert row["deviation"] == pytest.approx(np.std(values, ddof=1))
        assert (row["lowest"], row["highest"]) == pytest.approx((min(values), max(values)))
    assert found["brier"]["n_members"] == 4
    assert "tss" not in found  # a member has no decision threshold of its own


def test_scores_json_has_the_spread_apart_from_the_records():
    content = evaluate(forecasts_of(), rng=np.random.default_rng(0), resamples=100)
    assert {row["event"] for row in content["seed_spread"]} == {"M1.0"}
    assert all("lowest" not in record for record in content["records"])


@pytest.mark.parametrize("members", [0, 1])
def test_without_several_members_there_is_no_spread(members):
    content = evaluate(forecasts_of(members), rng=np.random.default_rng(0), resamples=100)
    assert content["seed_spread"] == []


def test_what_is_undefined_for_a_member_has_a_reason():
    forecasts = forecasts_of()
    forecasts["occurred"][:] = 0
    found = spread(forecasts)
    assert found["roc_auc"]["mean"] is None
    assert found["roc_auc"]["reason"] == "no events"
    assert found["brier"]["mean"] is not None
    forecasts = forecasts_of()
    forecasts.attrs["sampling"] = "case-control"
    assert spread(forecasts)["brier"]["reason"].startswith("depends on the base rate")


def test_the_table_tells_the_spread(capsys):
    from flarecast.cli.table import print_scores

    print_scores(evaluate(forecasts_of(), rng=np.random.default_rng(0), resamples=100))
    assert "- M1.0: 4 members, uncalibrated, one by one: BSS" in capsys.readouterr().out
