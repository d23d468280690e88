"""Folds and rivals through the chain: who is trained on what, and which forecasts calibrate."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from calling import call

from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.model_file import load
from flarecast.schema import FORECASTS, ROLES, SPLIT, WINDOWS, open_file, save
from flarecast.train.task import Plan
from flarecast.train.trainings import plan_of

TRAIN, CALIBRATION, TEST = (ROLES.index(name) for name in ("train", "calibration", "test"))
CHANGES = (
    "ingest.options.n_regions=300",
    "split.strategy=by_region",
    "events=['C1.0', 'M1.0']",
    "model.options.hidden=8",
    "model.options.layers=1",
    "train.epochs=4",
    "calibrate.fit_on=out_of_fold",
    "calibrate.folds=3",
    "evaluate.resamples=100",
    "rivals.logistic.model={name='logistic'}",
    "rivals.weighted={model={name='logistic'}, balance={name='class_weights'}}",
)


def changes(*more):
    return [word for change in (*CHANGES, *more) for word in ("--set", change)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    call("run", *changes(), "-o", folder, "--windows", folder / "windows.nc", "--device", "cpu")
    return folder


@pytest.fixture(scope="module")
def forecasts(run):
    return open_file(run / "calibrated.nc", FORECASTS)


def test_every_fold_and_rival_has_a_model_of_its_own(run):
    folders = {path.parent.relative_to(run / "model").as_posix() for path in run.glob("model/**/model.json")}
    of_one = {".", "folds/1", "folds/2", "folds/3"}
    rivals = {
        f"rivals/{name}/{one}".removesuffix("/.") for name in ("logistic", "weighted") for one in of_one
    }
    assert folders == of_one | rivals
    assert load(run / "model" / "rivals" / "logistic", "cpu").model_name == "logistic"


def test_the_final_model_trains_on_the_whole_span_for_the_median_epoch(run):
    split = open_file(run / "split.nc", SPLIT)
    final = load(run / "model", "cpu").training
    assert final["windows_validation"] == 0
    assert final["windows_train"] > 0.95 * (split["role"].values[0] == TRAIN).sum()
    best = [load(run / "model" / "folds" / str(k), "cpu").training["best_epoch"] for k in (1, 2, 3)]
    assert final["best_epoch"] == np.median(best)


def test_calibration_windows_are_those_held_out_each_forecast_by_its_fold(run, forecasts):
    split, fold = open_file(run / "split.nc", SPLIT), forecasts["fold"].values
    for one in (1, 2, 3):
        assert (fold == one).sum() == (split["role"].values[one] == CALIBRATION).sum()
        assert (forecasts["role"].values[fold == one] == CALIBRATION).all()
    assert not (forecasts["role"].values[fold == 0] == CALIBRATION).any()
    assert (fold == 0).sum() == split.sizes["window"]


def test_test_outcomes_change_no_fitted_number(run, forecasts, tmp_path):
    raw = open_file(run / "forecasts.nc", FORECASTS)
    tested = raw["role"].values == TEST
    raw["occurred"].values[tested] = 1 - raw["occurred"].values[tested].clip(0)
    save(raw, tmp_path / "forecasts.nc", FORECASTS)
    call("calibrate", tmp_path / "forecasts.nc", *changes(), "-o", tmp_path / "calibrated.nc")
    told = [json.loads((folder / "calibration.json").read_text()) for folder in (run, tmp_path)]
    for one in told:
        one.pop("forecasts_sha256")
    assert told[0] == told[1]
    changed = open_file(tmp_path / "calibrated.nc", FORECASTS)
    np.testing.assert_array_equal(changed["probability"].values, forecasts["probability"].values)


def test_rivals_are_scored_beside_the_model_each_calibrated(run, forecasts):
    records = json.loads((run / "scores.json").read_text())["records"]
    found = {(one["forecast"], one["score"]) for one in records if one["role"] == "test"}
    assert {("logistic", "tss"), ("weighted", "bss"), ("model", "bss_minus_logistic")} <= found
    tested = (forecasts["role"].values == TEST) & (forecasts["occurred"].values[:, 1] >= 0)
    rate = (forecasts["occurred"].values[tested, 1] == 1).mean()
    weighted = list(forecasts["rival"].values).index("weighted")
    assert forecasts["rival_probability_raw"].values[tested, 1, weighted].mean() > 3 * rate
    assert forecasts["rival_probability"].values[tested, 1, weighted].mean() < 2 * rate


def test_each_fold_and_the_pool_are_reported_raw(run):
    records = json.loads((run / "scores.json").read_text())["records"]
    mine = [one for one in records if one["role"] == "out_of_fold" and one["event"] == "M1.0"]
    assert {one["subset"] for one in mine} == {"all", "fold_1", "fold_2", "fold_3"}
    assert {one["forecast"] for one in mine} == {"raw"}
    assert not {"tss", "hss", "recall"} & {one["score"] for one in mine}
    said = call("evaluate", run / "calibrated.nc", *changes())
    number = r"(-?\d\.\d\d|-)"
    assert re.search(
        rf"- M1.0 out of fold, uncalibrated: BSS {number}; by fold {number}, {number}, {number}\n", said
    )
    counts = {one["subset"]: one["n"] for one in mine if one["score"] == "brier"}
    assert counts["all"] == sum(counts[f"fold_{k}"] for k in (1, 2, 3))


def test_a_csv_tells_each_forecast_once_by_the_final_model(run, tmp_path):
    call("forecast", run / "windows.nc", run, "--split", run / "split.nc", "-o", tmp_path / "all.csv")
    table = pd.read_csv(tmp_path / "all.csv")
    assert not table.duplicated(["issue_time", "region", "event"]).any()
    assert len(table) == 2 * open_file(run / "windows.nc", WINDOWS).sizes["window"]


@pytest.mark.slow
def test_workers_change_no_byte_and_stale_models_go(run, tmp_path):
    (tmp_path / "model" / "rivals" / "old").mkdir(parents=True)
    (tmp_path / "model" / "folds" / "9").mkdir(parents=True)
    words = (run / "windows.nc", run / "split.nc", *changes(), "-o", tmp_path / "model", "--device", "cpu")
    call("train", *words, "--workers", 2)
    for path in run.glob("model/**/model.safetensors"):
        assert sha256(path) == sha256(tmp_path / "model" / path.relative_to(run / "model"))
    assert not (tmp_path / "model" / "rivals" / "old").exists()
    assert not (tmp_path / "model" / "folds" / "9").exists()


def test_a_plan_averages_where_most_folds_kept_the_average(run):
    folders = [run / "model" / "folds" / str(k) for k in (1, 2, 3)]
    kept = [load(folder, "cpu").training["kept"] for folder in folders]
    config = load(run / "model", "cpu").config
    from flarecast.config import parse_config

    plan = plan_of(folders, parse_config(config))
    assert isinstance(plan, Plan)
    assert (plan.averaging > 0) == (kept.count("averaged") >= 2)
    with pytest.raises(FlarecastError, match="expected a validation role, or folds"):
        plan_of([], parse_config(config))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("rivals.model.model={name='logistic'}", "rivals.model: expected a name"),
        ("rivals.a/b.model={name='logistic'}", "rivals.a/b: expected a name"),
        ("rivals.a.split={strategy='by_time'}", "rivals.a: expected sections scale, balance, model, train"),
        ("rivals.a.model={name='logistik'}", "rivals.a: model.name"),
        ("rivals.a.model={name='logistic', options={penalty=3}}", "rivals.a: model.options"),
    ],
)
def test_a_rival_that_makes_no_sense_is_refused_before_anything_runs(change, sentence, tmp_path):
    result = call("run", *changes(change), "-o", tmp_path / "r", "--windows", tmp_path / "w.nc", code=1)
    assert sentence in result
    assert len(result.strip().splitlines()) == 1
    assert not (tmp_path / "w.nc").exists()


def test_a_fold_without_an_event_is_refused_with_the_way_out(run, tmp_path):
    words = (
        run / "windows.nc",
        run / "split.nc",
        *changes("events=['C1.0', 'X20']"),
        "-o",
        tmp_path / "model",
    )
    said = call("train", *words, "--device", "cpu", code=1)
    assert "expected at least one X20" in said
    assert 'set calibrate.folds lower or calibrate.fit_on = "calibration", train a smaller class' in said
