"""Runs explained: every fold by what it did not see, and a look at test recorded."""

import json

import numpy as np
import pytest
from calling import call

from flarecast import schema
from flarecast.config.sections import Explain
from flarecast.explain import open_explained
from flarecast.explain import permuted as permuting
from flarecast.explain.units import make_units
from flarecast.windows import open_windows

CHANGES = (
    "ingest.options.n_regions=300",
    "ingest.options.n_steps=6",
    "model.name=logistic",
    "split.strategy=by_region",
    "balance.name=class_weights",
    "events=['C1.0', 'M1.0']",
    "evaluate.resamples=100",
    "calibrate.fit_on=out_of_fold",
    "calibrate.folds=3",
    "explain.only=['TOTUSJH', 'R_VALUE', '0.4 to 0 h before']",
    "explain.spans=3",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    changes = [word for change in CHANGES for word in ("--set", change)]
    call("run", *changes, "-o", folder / "run", "--windows", folder / "windows.nc", "--device", "cpu", "-q")
    return folder / "run"


def test_a_run_is_explained_by_the_models_of_its_folds_each_on_what_it_did_not_see(run, tmp_path):
    output = call("explain", run, "-o", tmp_path / "out", "--device", "cpu")
    split = schema.open_file(run / "split.nc", schema.SPLIT)["role"].values
    explained = open_explained((run,), None, None, "cpu")
    assert len(explained.parts) == 3
    for fold, part in enumerate(explained.parts, start=1):
        assert (split[fold, part.index] == schema.ROLES.index("calibration")).all()
    assert "M1.0: bss" in output
    assert "of role calibration, calibrated" in output
    content = json.loads((tmp_path / "out" / "importance.json").read_text(encoding="utf-8"))
    lines = (tmp_path / "out" / "importance.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + len(content["records"])
    assert lines[0].startswith("event,score,kind,unit,drop,low,high,spread,base,n,n_events")
    assert (tmp_path / "out" / "importance-M1.0.svg").is_file()
    again = call("explain", run, "-o", tmp_path / "again", "--device", "cpu")
    assert again.replace("again", "out") == output
    for name in ("importance.csv", "importance-C1.0.svg"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert not (run / "evaluations.jsonl").read_text(encoding="utf-8").count("explanation")


def test_what_is_explained_of_a_run_are_its_calibrated_forecasts_of_every_fold(run):
    saved = schema.open_file(run / "calibrated.nc", schema.FORECASTS)
    role = saved["role"].values == schema.ROLES.index("calibration")
    for fold, part in enumerate(open_explained((run,), None, None, "cpu").parts, start=1):
        rows = np.flatnonzero(role & (saved["fold"].values == fold))
        place = {(saved["region"].values[row], saved["issue_time"].values[row]): row for row in rows}
        names = zip(part.forecasts["region"].values, part.forecasts["issue_time"].values, strict=True)
        same = saved["probability"].values[[place[name] for name in names]]
        np.testing.assert_allclose(part.forecasts["probability"].values, same, rtol=1e-5)
        assert (np.abs(same - part.forecasts["probability_raw"].values) > 1e-3).any()
        units = make_units(
            open_windows(run.parent / "windows.nc"), part.model.features, Explain(only=("TOTUSJH",))
        )
        found = permuting.permuted_probability(part, units, np.arange(part.index.size))
        np.testing.assert_allclose(found[0], same, rtol=1e-5)


def test_a_look_at_test_is_recorded_once_and_the_audit_warns_of_it(run, tmp_path):
    for _ in range(2):
        call("explain", run, "--role", "test", "-o", tmp_path / "out", "--set", "explain.repeats=1")
    lines = (run / "evaluations.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["forecasts"] for line in lines] == ["calibrated.nc", "explanation"]
    call("audit", run, "-o", tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["findings"]
    kinds = {one["kind"]: one for one in found}
    assert kinds["test explained"]["level"] == "warning"
    assert "test scored again" not in kinds


def test_windows_of_a_logistic_regression_are_explained_too(run, tmp_path):
    windows = run.parent / "windows.nc"
    words = ("explain", windows, run / "model", "--split", run / "split.nc", "--role", "train")
    output = call(*words, "--top", 2, "--event", "C1.0", "-o", tmp_path)
    assert output.count("log odds from") == 2
    assert "raw, not calibrated" in output
    assert "2 windows of role train" in output
    content = json.loads((tmp_path / "attributions.json").read_text(encoding="utf-8"))
    for one in content["records"]:
        assert one["completeness_error"] < 1e-3
        assert sum(one["by_feature"].values()) == pytest.approx(one["sum_of_attributions"])
        assert sum(one["by_step"]) == pytest.approx(one["log_odds"] - one["baseline_log_odds"], abs=1e-3)
    lines = (tmp_path / "attributions.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 2 * 6 * 24
    assert (tmp_path / "attributions.svg").is_file()


def test_a_folder_that_is_no_run_and_too_many_names_are_refused(tmp_path):
    assert "expected a run with a trained model" in call("explain", tmp_path, "-o", tmp_path / "o", code=1)
    call("explain", "a", "b", "c", "-o", tmp_path / "o", code=2)
    call("explain", "a", "--split", "s.nc", "-o", tmp_path / "o", code=2)
    said = call("explain", "a", "--event", "C1.0", "-o", tmp_path / "o", code=2)
    assert "--event belongs to --window and --top" in said
    assert not list(tmp_path.iterdir())
