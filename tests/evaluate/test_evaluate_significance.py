"""P-values of differences in scores.json, Holm's correction, forms of intervals, what is said of blocks."""

import numpy as np
import pytest
import xarray as xr

from flarecast import cycles, skill
from flarecast.evaluate import evaluate
from flarecast.schema import FORECASTS, ROLES, build

DAY = 86_400
START = cycles.seconds("2012-01-01")


def forecasts_of(n_regions: int = 60, days: int = 12, rivals: dict | None = None) -> xr.Dataset:
    """Forecasts of M1.0 for regions whose days look alike, and of rivals whose view is blurred so far."""
    rng = np.random.default_rng(0)
    region = np.repeat(np.arange(n_regions), days)
    activity = rng.normal(-1, 1.2, n_regions)[region]
    occurred = rng.random(region.size) < 1 / (1 + np.exp(-activity))
    blurs = {"model": 0.2} | ({"near": 0.25, "far": 2.5} if rivals is None else rivals)
    seen = {name: activity + rng.normal(0, blur, n_regions)[region] for name, blur in blurs.items()}
    probability = {name: 1 / (1 + np.exp(-one))[:, None] for name, one in seen.items()}
    own = probability.pop("model")
    issue = START + DAY * (np.arange(region.size) % days + 9 * (region % 40))
    label = np.array([f"SIM {one}" for one in region], dtype=object)
    arrays = {
        "event": ["M1.0"],
        "probability": own,
        "occurred": occurred[:, None],
        "issue_time": issue,
        "valid_from": issue.copy(),
        "valid_to": issue + DAY,
        "region": label,
        "cluster": label,
        "role": np.full(region.size, ROLES.index("test")),
        "fold": np.zeros(region.size),
        "forecast": list(probability),
        "reference": np.stack(list(probability.values()), axis=2),
    }
    return build(FORECASTS, arrays, {"forecast_name": "model", "history": "test"})


def scores_of(forecasts: xr.Dataset, seed: int = 0, **options) -> dict:
    return evaluate(forecasts, rng=np.random.default_rng(seed), **({"resamples": 199} | options))


def difference(content: dict, score: str, other: str) -> dict:
    return next(one for one in content["records"] if one["score"] == f"{score}_minus_{other}")


def test_every_difference_has_a_p_value_that_agrees_with_its_interval():
    content = scores_of(forecasts_of())
    differences = [one for one in content["records"] if "_minus_" in one["score"]]
    assert {one["reference"] for one in differences} == {"near", "far"}
    assert all({"p_value", "p_holm"} <= one.keys() for one in differences)
    for score in ("brier", "bss", "average_precision", "roc_auc"):
        far, near = difference(content, score, "far"), difference(content, score, "near")
        assert far["p_value"] < 0.02, score
        assert not far["low"] < 0 < far["high"], score
        assert near["p_value"] > 0.05, score
        assert near["low"] < 0 < near["high"], score


def test_several_forecasts_compared_on_one_score_are_corrected_together():
    content = scores_of(forecasts_of())
    pair = [difference(content, "brier", other) for other in ("near", "far")]
    expected = skill.holm([one["p_value"] for one in pair])
    assert [one["p_holm"] for one in pair] == pytest.approx(list(expected))
    assert pair[1]["p_holm"] == pytest.approx(2 * pair[1]["p_value"])
    alone = difference(scores_of(forecasts_of(rivals={"far": 2.5})), "brier", "far")
    assert alone["p_holm"] == alone["p_value"]


def test_the_same_seed_gives_the_same_p_values_and_scores_do_not_hang_on_them():
    first, again, other = (scores_of(forecasts_of(), seed) for seed in (0, 0, 1))
    assert first == again
    p_values = [difference(one, "brier", "near")["p_value"] for one in (first, other)]
    assert p_values[0] != p_values[1]


@pytest.mark.parametrize("n_regions", [1, 4])
def test_without_an_interval_there_is_no_p_value_either(n_regions):
    one = difference(scores_of(forecasts_of(n_regions), blocks="region"), "brier", "far")
    assert one["value"] is not None
    assert one["low"] is one["p_value"] is one["p_holm"] is None
    assert one["reason"].startswith("no interval: only")


def test_the_form_of_the_intervals_is_chosen_and_said():
    contents = {form: scores_of(forecasts_of(), interval=form) for form in ("shifted", "bca", "percentile")}
    bounds = set()
    for form, content in contents.items():
        assert content["interval"] == form
        assert content["about_intervals"].endswith("not between cycles")
        record = next(one for one in content["records"] if one["score"] == "brier")
        bounds.add((record["low"], record["high"]))
    assert len(bounds) == 3


def test_blocks_and_those_with_events_are_counted_for_every_way_to_draw_them():
    content = scores_of(forecasts_of())
    region, rotation = (content["blocks"]["M1.0"][way] for way in ("region", "rotation"))
    assert region["n_blocks"] == 60
    assert 5 < rotation["n_event_blocks"] <= rotation["n_blocks"] < 20
    by_region = scores_of(forecasts_of(), blocks="region")
    assert set(by_region["blocks"]["M1.0"]) == {"region"}


def test_constant_forecasts_differ_in_a_defined_way():
    forecasts = forecasts_of(rivals={"flat": 0.5})
    forecasts["reference"][:] = 0.2
    content = scores_of(forecasts)
    assert difference(content, "roc_auc", "flat")["p_value"] < 0.05
    undefined = difference(content, "calibration_slope", "flat")
    assert undefined["value"] is None
    assert undefined["p_value"] is None
    assert undefined["reason"]
