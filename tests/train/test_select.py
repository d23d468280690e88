"""`model.select`: features chosen on the train role and written into model.json."""

import json

import numpy as np
import pytest

from flarecast.errors import FlarecastError
from flarecast.forecast import forecast
from flarecast.model_file import load
from flarecast.train import check_parts, train


def selecting(configure, model="logistic", select="anova", **options):
    return configure(model, model={"select": select, "select_options": options})


@pytest.mark.parametrize("select", ["anova", "l1", "sequential"])
def test_the_chosen_features_are_written_down_and_are_all_that_a_forecast_needs(
    select, windows, split, configure, tmp_path
):
    config = selecting(configure, select=select, count=2)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    said = json.loads((tmp_path / "model.json").read_text())
    assert said["features"] == list(model.features) == ["TOTFX", "R_VALUE"]
    assert said["config"]["model"]["select"] == select
    expected = forecast(windows, model, device="cpu")["probability"].values
    without = windows.isel(feature=[1, 0])
    got = forecast(without, load(tmp_path, "cpu"), device="cpu")["probability"].values
    np.testing.assert_array_equal(got, expected)


def test_a_network_learns_from_chosen_features_too(windows, split, configure, tmp_path):
    config = selecting(configure, "cnn", "mutual_information", count=1)
    assert train(windows, split, config, folder=tmp_path, device="cpu").shape.n_features == 1


def test_windows_of_other_roles_do_not_change_the_choice(windows, split, configure, tmp_path):
    test = split["role"].values[0] != 1
    changed = windows.copy(deep=True)
    rows = np.zeros(windows.sizes["row"], dtype=bool)
    for first, count in zip(windows["first_row"].values[test], windows["n_rows"].values[test], strict=True):
        rows[first : first + count] = True
    changed["values"].values[rows, :2] = 0
    changed["values"].values[rows, 2] = changed["track"].values[rows]
    config = selecting(configure, count=1)
    models = [
        train(one, split, config, folder=tmp_path / str(n), device="cpu")
        for n, one in enumerate((windows, changed))
    ]
    assert models[0].features == models[1].features
    for name, value in models[0].module.state_dict().items():
        np.testing.assert_array_equal(value, models[1].module.state_dict()[name])


def test_a_model_without_selection_keeps_all_features(windows, split, configure, tmp_path):
    model = train(windows, split, configure("logistic"), folder=tmp_path, device="cpu")
    assert model.features == ("TOTFX", "R_VALUE", "noise")


@pytest.mark.parametrize(
    ("select", "options", "said"),
    [
        ("pca", {}, "model.select: expected one of anova, l1, mutual_information, sequential, trees"),
        ("anova", {"count": 0}, "model.select_options: count"),
        ("anova", {"number": 3}, "unknown key number; known here: count, max_windows"),
    ],
)
def test_an_unknown_selection_or_option_is_refused_before_any_data_are_read(select, options, said, configure):
    with pytest.raises(FlarecastError, match=said):
        check_parts(selecting(configure, select=select, **options))
