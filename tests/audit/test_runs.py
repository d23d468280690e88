"""The audit of a run checks what its models, calibration and evaluations saw, and that its files fit."""

import json
import shutil

import numpy as np
import pytest
from calling import call
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.errors import FlarecastError
from flarecast.schema import FORECASTS, ROLES, SPLIT, open_file, save
from flarecast.seen import pack, unpack

CHANGES = (
    "ingest.options.n_regions=300",
    "ingest.options.n_steps=6",
    "model.name=logistic",
    "split.strategy=by_region",
    "events=['C1.0', 'M1.0']",
    "evaluate.resamples=100",
)


def make_run(folder, fit_on):
    changes = [word for change in (*CHANGES, f"calibrate.fit_on={fit_on}") for word in ("--set", change)]
    windows, run = folder / "windows.nc", folder / "run"
    call("ingest", "from-config", *changes, "-o", windows)
    call("split", windows, *changes, "-o", run / "split.nc")
    call("record", windows, run / "split.nc", *changes, "-o", run)
    call("train", windows, run / "split.nc", *changes, "-o", run / "model", "--device", "cpu")
    call("forecast", windows, run / "model", "--split", run / "split.nc", "-o", run / "forecasts.nc")
    call("calibrate", run / "forecasts.nc", *changes, "-o", run / "calibrated.nc")
    call("evaluate", run / "calibrated.nc", *changes, "-o", run / "scores.json")
    return run


@pytest.fixture(scope="module", params=["calibration", "out_of_fold"])
def made(request, tmp_path_factory):
    return make_run(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run, to be spoilt."""
    return shutil.copytree(made, tmp_path / "run")


def found(run, code=1):
    """Findings of the run that are not about its windows."""
    output = run / "audit.json"
    call("audit", run, "-o", output, code=code)
    kinds = ("changed file", "fitted outside its role", "test scored again", "model", "calibration")
    findings = json.loads(output.read_text(encoding="utf-8"))["findings"]
    return [(one["kind"], one["message"]) for one in findings if one["kind"] in kinds]


def change(path, edit):
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_clean_run_passes_and_all_of_it_was_checked(run):
    assert found(run, code=0) == []


def test_what_was_fitted_saw_the_windows_of_its_role_and_no_others(run):
    role = open_file(run / "split.nc", SPLIT)["role"].values
    for path in (run / "model").rglob("model.json"):
        training = json.loads(path.read_text(encoding="utf-8"))["training"]
        seen = {part: unpack(text, role.shape[1]) for part, text in training["seen"].items()}
        fold = role[training["fold"]]
        assert seen["scaler"].sum() >= seen["weights"].sum() == training["windows_train"] > 0
        assert (fold[seen["scaler"]] == ROLES.index("train")).all()
        if "early_stopping" in seen:
            assert (fold[seen["early_stopping"]] == ROLES.index("validation")).all()


@pytest.mark.parametrize("part", ["scaler", "weights", "early_stopping"])
def test_a_model_that_saw_test_windows_is_a_leak(run, part):
    role = open_file(run / "split.nc", SPLIT)["role"].values[0]
    tests = np.flatnonzero(role == ROLES.index("test"))[:7]
    change(
        run / "model" / "model.json",
        lambda said: said["training"]["seen"].update({part: pack(tests, role.size)}),
    )
    ((kind, message),) = found(run)
    assert kind == "fitted outside its role"
    assert message.startswith(f"{part.replace('_', ' ')} of model/model.json saw windows outside")
    assert "(7 test)" in message


def test_a_calibration_that_saw_test_windows_is_a_leak(run):
    role = open_file(run / "forecasts.nc", FORECASTS)["role"].values
    tests = np.flatnonzero(role == ROLES.index("test"))[:5]
    change(run / "calibration.json", lambda said: said.update(seen=pack(tests, role.size)))
    ((kind, message),) = found(run)
    assert kind == "fitted outside its role"
    assert message.startswith(
        "calibration and decision thresholds of the model saw windows outside calibration"
    )


def test_another_split_than_that_of_the_model_is_a_leak(run):
    split = open_file(run / "split.nc", SPLIT)
    role = split["role"].values.copy()
    role[0, np.flatnonzero(role[0] == ROLES.index("train"))[0]] = 0
    save(split.assign(role=(split["role"].dims, role, split["role"].attrs)), run / "split.nc", SPLIT)
    messages = [message for kind, message in found(run) if kind == "changed file"]
    assert "environment.json names another file of split than there is; run the chain again" in messages
    assert any(
        text.startswith("model/model.json names a model trained on another file of split")
        for text in messages
    )
    assert any(text.startswith("forecasts.nc names other roles than split.nc") for text in messages)


def test_other_weights_forecasts_or_settings_are_leaks(run):
    weights = run / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    change(run / "calibration.json", lambda said: said.update(forecasts_sha256="0" * 64))
    config = run / "config.toml"
    config.write_text(config.read_text().replace("epochs = 30", "epochs = 31"))
    assert [message.split(" names ")[0] for _, message in found(run)] == [
        "model/model.json",
        "config.toml",
        "calibration.json",
    ]


def test_files_from_before_say_that_they_were_not_checked(run):
    for path in (run / "model").rglob("model.json"):
        change(path, lambda said: said["training"].pop("seen"))
    change(run / "calibration.json", lambda said: said.pop("seen"))
    kinds = [kind for kind, _ in found(run, code=0)]
    assert set(kinds) == {"model", "calibration"}


def test_scoring_the_same_forecasts_again_is_one_evaluation_and_others_are_counted(run):
    call("evaluate", run / "calibrated.nc", "--set", "evaluate.resamples=100")
    assert found(run, code=0) == []
    call("evaluate", run / "forecasts.nc", "--set", "evaluate.resamples=100")
    ((kind, message),) = found(run, code=0)
    assert kind == "test scored again"
    assert message.startswith(
        "test was scored 2 times with different forecasts, e.g. calibrated.nc, forecasts.nc;"
    )


def test_a_run_that_has_not_gone_far_says_so(run):
    shutil.rmtree(run / "model")
    for name in ("calibration.json", "evaluations.jsonl"):
        (run / name).unlink()
    notes = [message for _, message in found(run, code=0)]
    assert notes == [
        "the run has no model yet; what it saw is not checked",
        "the run has no calibration yet; what it saw is not checked",
    ]


def test_a_folder_that_is_no_run_is_refused_in_one_sentence(tmp_path):
    result = CliRunner().invoke(main, ["audit", str(tmp_path)])
    assert result.exit_code == 1
    assert "expected a run's folder, got one without config.toml, environment.json, split.nc" in result.output


def test_packed_windows_come_back_and_broken_ones_are_refused():
    for index in ([], [0], [3, 64, 99]):
        assert np.flatnonzero(unpack(pack(np.array(index, dtype=int), 100), 100)).tolist() == index
    with pytest.raises(FlarecastError, match="expected bits of 900 windows"):
        unpack(pack(np.array([1]), 100), 900)
    for text in ("!", "AAAA", 3):
        with pytest.raises(FlarecastError, match="expected packed bits"):
            unpack(text, 100)


def updated_run(run):
    """The run, calibrated by a calibration that goes on learning."""
    call(
        "calibrate", run / "forecasts.nc", "--set", "calibrate.update=sequential", "-o", run / "calibrated.nc"
    )
    (run / "evaluations.jsonl").unlink(missing_ok=True)
    return run


def test_an_update_that_learns_from_what_was_known_passes(run):
    assert found(updated_run(run), code=0) == []


def test_an_update_that_looks_ahead_is_a_leak(run, monkeypatch):
    from flarecast.calibrate import updating

    honest = updating.known_time
    with monkeypatch.context() as patched:
        patched.setattr(updating, "known_time", lambda one, delay: honest(one, delay) - 10 * 86_400)
        updated_run(run)
    output = run / "audit.json"
    call("audit", run, "-o", output, code=1)
    leaks = [
        one for one in json.loads(output.read_text(encoding="utf-8"))["findings"] if one["level"] == "leak"
    ]
    assert [one["kind"] for one in leaks] == ["looked ahead"]
    assert "than calibration.json gives from what was known then" in leaks[0]["message"]
