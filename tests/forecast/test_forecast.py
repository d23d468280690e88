import json

import numpy as np
import pytest
import torch

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.forecast import class_to_event, forecast
from flarecast.goes import occurred_table
from flarecast.model_file import load
from flarecast.train import train


@pytest.fixture(scope="module")
def model(windows, split, configure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    train(windows, split, configure("lstm"), folder=folder, device="cpu")
    return load(folder, "cpu")


def test_forecasts_follow_the_schema_and_carry_what_scores_need(windows, split, model):
    role = split["role"].values[0]
    made = forecast(windows, model, role=role, fold=0, device="cpu")
    schema.check(made, schema.FORECASTS)
    assert list(made["event"].values) == ["C1.0", "M1.0", "X1.0"]
    np.testing.assert_array_equal(made["probability"], made["probability_raw"])
    np.testing.assert_array_equal(made["role"], role)
    for name in ("issue_time", "valid_from", "valid_to", "region", "peak_flux", "peak_flux_upper"):
        np.testing.assert_array_equal(made[name], windows[name])
    assert "climatology" in made["forecast"].values
    climatology = made["reference"].sel(forecast="climatology")
    np.testing.assert_allclose(climatology, np.tile(model.training_base_rate, (len(role), 1)))
    assert made.attrs["calibrated"] == 0
    assert made.attrs["forecast_name"] == "model"
    for name in ("training_base_rate", "prior_natural", "prior_trained"):
        np.testing.assert_array_equal(made.attrs[name], getattr(model, name))


def test_forecasts_come_back_from_a_file(windows, model, tmp_path):
    made = forecast(windows, model, device="cpu")
    schema.save(made, tmp_path / "forecasts.nc", schema.FORECASTS)
    again = schema.open_file(tmp_path / "forecasts.nc", schema.FORECASTS)
    np.testing.assert_array_equal(again["probability"], made["probability"])
    assert (made["role"].values == 0).all()


def test_outcomes_are_yes_no_or_unknown_and_unknown_ones_are_forecast_too(windows, model):
    made = forecast(windows, model, device="cpu")
    peak, upper = windows["peak_flux"].values, windows["peak_flux_upper"].values
    expected = np.where(peak >= 9.9e-6, 1, np.where(upper < 9.9e-6, 0, -1))
    np.testing.assert_array_equal(made["occurred"][:, 1], expected)
    unknown = (expected == -1) & (windows["region"].values != "SIM 0")
    assert np.isfinite(made["probability"].values[unknown]).all()


def test_a_forecast_does_not_depend_on_the_outcomes_of_its_own_time(windows, model):
    blind = windows.copy(deep=True)
    blind["peak_flux"].values[:] = 0.0
    blind["peak_flux_upper"].values[:] = np.inf
    expected = forecast(windows, model, device="cpu")["probability"]
    np.testing.assert_array_equal(forecast(blind, model, device="cpu")["probability"], expected)


def test_a_forecast_does_not_depend_on_the_windows_beside_it(windows, model):
    expected = forecast(windows, model, device="cpu")["probability"].values
    few = windows.isel(window=[3, 77, 400])
    got = forecast(few, model, device="cpu")["probability"].values
    np.testing.assert_allclose(got, expected[[3, 77, 400]], atol=1e-6)


def test_windows_without_a_value_are_not_forecast_and_all_others_are_finite(windows, model):
    made = forecast(windows, model, device="cpu")["probability"].values
    silent = windows["region"].values == "SIM 0"
    assert np.isnan(made[silent]).all()
    assert np.isfinite(made[~silent]).all()
    assert np.isnan(windows["values"].values).any()


def test_events_are_sums_over_the_classes_above_and_nested():
    classes = np.random.default_rng(0).dirichlet(np.ones(4), size=1000)
    made = class_to_event(classes)
    np.testing.assert_allclose(made, np.stack([classes[:, k:].sum(axis=1) for k in (1, 2, 3)], axis=1))
    assert (np.diff(made, axis=1) <= 0).all()
    assert made.max() <= 1


def test_truths_stand_in_the_column_of_their_class(windows, model):
    made = forecast(windows, model, device="cpu")
    assert (made["truth"].values[:, :2] == [0.5, 0.2]).all()
    assert np.isnan(made["truth"].values[:, 2]).all()
    assert "truth_observed" not in made


def test_clusters_are_regions_and_rotations_of_the_disk(windows, model):
    np.testing.assert_array_equal(forecast(windows, model, device="cpu")["cluster"], windows["region"])
    disk = windows.copy(deep=True)
    disk["region"].values[:] = "disk"
    got = forecast(disk, model, device="cpu")["cluster"].values
    first = np.unique(got, return_index=True)[1]
    assert [name.split()[0] for name in got[first]] == ["rotation"] * 3


def test_longitude_is_that_of_the_last_row_and_flares_under_way_are_marked(windows, model):
    made = forecast(windows, model, device="cpu")
    last = windows["first_row"].values + windows["n_rows"].values - 1
    np.testing.assert_array_equal(made["longitude"], windows["longitude"].values[last])
    start = windows["flare_start"].values
    under_way = (start != schema.NO_TIME) & (start < windows["issue_time"].values)
    np.testing.assert_array_equal(made["in_progress"], under_way)
    assert under_way.any()
    np.testing.assert_array_equal(made["flare_peak"], windows["flare_peak"].values)


def test_a_flare_that_starts_at_issue_time_is_under_way_and_without_starts_nobody_knows(windows, model):
    at_issue, unknown = windows.copy(deep=True), windows.copy(deep=True)
    at_issue["flare_start"].values[:] = windows["issue_time"].values
    assert forecast(at_issue, model, device="cpu")["in_progress"].values.all()
    unknown["flare_start"].values[:] = schema.NO_TIME
    assert "in_progress" not in forecast(unknown, model, device="cpu")


def test_flares_without_a_region_mask_negatives_in_training_and_do_not_in_scoring(
    windows, split, configure, tmp_path
):
    role = split["role"].values[0]
    nameless = windows.copy(deep=True)
    nameless["unassigned_peak_flux"].values[::3] = 2e-5
    rates = {}
    for unassigned in ("ignore", "mask"):
        config = configure("climatology", train={"unassigned": unassigned})
        trained = train(nameless, split, config, folder=tmp_path / unassigned, device="cpu")
        made = forecast(nameless, trained, role=role, device="cpu")
        np.testing.assert_array_equal(made["occurred"], occurred_table(nameless, trained.events))
        assert made.attrs["unassigned"] == "ignore"
        assert (made["unassigned_peak_flux"].values[::3] == 2e-5).all()
        expected = occurred_table(nameless, trained.events, unassigned)
        # The first region has no value in any row and trains nothing.
        known = expected[(role == 1) & (windows["region"].values != "SIM 0")]
        rates[unassigned] = [(known[:, j] == 1).sum() / (known[:, j] >= 0).sum() for j in range(3)]
        np.testing.assert_allclose(trained.training_base_rate, rates[unassigned])
    assert rates["mask"][1] > rates["ignore"][1]
    assert rates["mask"][2] == rates["ignore"][2]


def test_a_calibration_is_applied_and_keeps_the_raw_probabilities(windows, split, model):
    from flarecast.calibrate import calibrate

    raw = forecast(windows, model, role=split["role"].values[0], device="cpu")
    calibrated, calibration = calibrate(raw, "platt", {})
    made = forecast(windows, model, role=split["role"].values[0], device="cpu", calibration=calibration)
    np.testing.assert_array_equal(made["probability"], calibrated["probability"])
    np.testing.assert_array_equal(made["probability_raw"], raw["probability"])
    assert made.attrs["calibrated"] == 1
    assert json.loads(made.attrs["decision_threshold"]) == calibration["decision_threshold"]


def test_windows_of_another_feature_set_are_refused(windows, model):
    with pytest.raises(FlarecastError, match="no feature R_VALUE"):
        forecast(windows.isel(feature=[0, 2]), model, device="cpu")


def test_no_window_gives_no_forecast(windows, model):
    made = forecast(windows.isel(window=slice(0)), model, device="cpu")
    assert made["probability"].shape == (0, 3)


def test_forecasting_leaves_the_state_of_torch_as_it_was(windows, model):
    before = torch.get_rng_state(), torch.get_num_threads()
    forecast(windows, model, device="cpu")
    assert torch.equal(before[0], torch.get_rng_state())
    assert torch.get_num_threads() == before[1]
