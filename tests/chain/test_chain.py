"""The chain, end to end, as a user calls it."""

import json
import re

import numpy as np
import pytest
from calling import call

from flarecast.config import load_config
from flarecast.files import sha256
from flarecast.schema import FORECASTS, SPLIT, WINDOWS, open_file

CHANGES = (
    "ingest.options.n_regions=500",
    "model.options.hidden=8",
    "model.options.layers=1",
    "split.strategy=by_region",
    "events=['C1.0', 'M1.0']",
    "train.epochs=3",
    "evaluate.resamples=100",
)


def changes():
    return [word for change in CHANGES for word in ("--set", change)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run made command by command."""
    folder = tmp_path_factory.mktemp("chain")
    windows, run = folder / "windows.nc", folder / "run"
    call("ingest", "from-config", *changes(), "-o", windows)
    call("split", windows, *changes(), "-o", run / "split.nc")
    call("record", windows, run / "split.nc", *changes(), "-o", run)
    call("audit", windows, run / "split.nc", *changes(), "-o", run / "audit.json")
    call("train", windows, run / "split.nc", *changes(), "-o", run / "model", "--device", "cpu")
    call("forecast", windows, run / "model", "--split", run / "split.nc", "-o", run / "forecasts.nc")
    call("calibrate", run / "forecasts.nc", *changes(), "-o", run / "calibrated.nc")
    result = call("evaluate", run / "calibrated.nc", *changes(), "-o", run / "scores.json")
    (folder / "table.txt").write_text(result, encoding="utf-8")
    return folder


def test_every_file_of_a_run_is_there(folder):
    names = {path.name for path in (folder / "run").iterdir()}
    assert names == {
        *("config.toml", "environment.json", "split.nc", "audit.json", "model", "forecasts.nc"),
        *("calibration.json", "calibrated.nc", "scores.json", "evaluations.jsonl"),
    }
    assert {path.name for path in (folder / "run" / "model").iterdir()} == {
        *("model.safetensors", "model.json", "history.jsonl"),
    }


def test_files_keep_their_contracts(folder):
    windows = open_file(folder / "windows.nc", WINDOWS)
    split = open_file(folder / "run" / "split.nc", SPLIT)
    raw = open_file(folder / "run" / "forecasts.nc", FORECASTS)
    calibrated = open_file(folder / "run" / "calibrated.nc", FORECASTS)
    assert split.attrs["windows_sha256"] == sha256(folder / "windows.nc")
    assert raw.sizes["window"] == windows.sizes["window"]
    np.testing.assert_array_equal(raw["role"].values, split["role"].values[0])
    np.testing.assert_array_equal(calibrated["probability_raw"].values, raw["probability"].values)
    for forecasts in (raw, calibrated):
        probability = forecasts["probability"].values
        assert ((probability >= 0) & (probability <= 1)).all()
        assert (np.diff(probability, axis=1) <= 0).all()
    assert {"climatology", "recent_27", "recent_365", "persistence", "persistence_calibrated"} <= set(
        calibrated["forecast"].values
    )
    for name in ("training_base_rate", "prior_natural", "prior_trained", "decision_threshold"):
        assert name in calibrated.attrs


def test_scores_have_every_name_and_no_score_is_made_up(folder):
    content = json.loads((folder / "run" / "scores.json").read_text(encoding="utf-8"))
    records = content["records"]
    names = {record["score"] for record in records if record["forecast"] == "model"}
    for name in (
        *("tss", "hss", "recall", "precision", "false_alarm_rate", "false_alarm_ratio", "f1", "csi"),
        *(
            "frequency_bias",
            "average_precision",
            "base_rate",
            "roc_auc",
            "brier",
            "bss",
            "bss_train",
            "bss_year",
        ),
        *("log_loss", "ece", "ece_mass", "tss_max", "brier_minus_climatology", "tss_minus_persistence"),
    ):
        assert name in names
    for record in records:
        assert {"role", "event", "forecast", "score", "value", "low", "high", "n", "n_events"} <= set(record)
        assert {"n_blocks", "n_event_blocks", "reason"} <= set(record)
        if record["value"] is None:
            assert record["reason"]
    assert {record["role"] for record in records} == {"test"}
    assert {"model", "raw", "climatology", "recent_27", "persistence", "truth_observed"} <= {
        record["forecast"] for record in records
    }


def test_the_table_shows_the_model_beside_its_references(folder):
    table = (folder / "table.txt").read_text(encoding="utf-8")
    for word in ("M1.0", "model", "climatology", "recent_27", "recent_365", "persistence", "tss", "bss"):
        assert word in table
    rows = [line for line in table.splitlines() if line.startswith((" ", "model", "climatology", "recent"))]
    assert len(rows) > 20
    assert max(map(len, rows)) <= 80


def test_one_process_makes_the_same_bytes_as_the_commands(folder, tmp_path):
    call("run", *changes(), "--windows", tmp_path / "windows.nc", "-o", tmp_path / "run", "--device", "cpu")
    for name in (
        "windows.nc",
        "run/split.nc",
        "run/model/model.safetensors",
        "run/scores.json",
        "run/config.toml",
    ):
        if name == "run/scores.json":
            one, other = (
                json.loads((place / name).read_text(encoding="utf-8")) for place in (folder, tmp_path)
            )
            assert one["records"] == other["records"]
        else:
            assert sha256(folder / name) == sha256(tmp_path / name), name


def test_the_resolved_configuration_is_the_one_asked_for(folder):
    config = load_config(folder / "run" / "config.toml")
    assert config.model.options == {"hidden": 8, "layers": 1}
    environment = json.loads((folder / "run" / "environment.json").read_text(encoding="utf-8"))
    assert environment["inputs"]["windows"]["sha256"] == sha256(folder / "windows.nc")
    assert {"packages", "device", "threads", "seed", "commit"} <= set(environment)


def test_a_run_forecasts_windows_it_has_never_seen(folder, tmp_path):
    unseen = tmp_path / "unseen.nc"
    call("ingest", "simulated", "--set", "run.seed=7", "--set", "ingest.options.n_regions=20", "-o", unseen)
    call("forecast", unseen, folder / "run", "-o", tmp_path / "out.csv")
    call("forecast", unseen, folder / "run", "-o", tmp_path / "out.nc")
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "issue_time,valid_from,valid_to,region,event,probability,occurred"
    assert len(lines) == 1 + 2 * open_file(unseen, WINDOWS).sizes["window"]
    calibrated = open_file(tmp_path / "out.nc", FORECASTS)
    assert not np.array_equal(calibrated["probability"].values, calibrated["probability_raw"].values)
    result = call("forecast", unseen, folder / "run" / "model", "-o", tmp_path / "raw.nc")
    assert "raw, not calibrated" in result
    call("evaluate", tmp_path / "out.csv", "--set", "evaluate.resamples=100")


def test_a_reference_is_named_with_both_issue_times_and_two_of_one_name_are_refused(folder, tmp_path):
    run = folder / "run"
    few = ("--set", "evaluate.resamples=100")
    result = call("evaluate", run / "calibrated.nc", "--reference", run / "forecasts.nc", *few)
    assert "\nmodel, calibrated " in result
    assert "best possible from rows" in result
    said = " ".join(result.split())
    assert re.search(r"- forecasts: [\d,]+ pairs, issued at the same time in the median, e.g. ", said)
    # What was not calibrated is not called so.
    assert "\nmodel, calibrated " not in call("evaluate", run / "forecasts.nc", *few)
    (tmp_path / "forecasts.nc").write_bytes((run / "forecasts.nc").read_bytes())
    both = ("--reference", run / "forecasts.nc", "--reference", tmp_path / "forecasts.nc")
    refused = call("evaluate", run / "calibrated.nc", *both, *few, code=1)
    assert "a second forecasts; rename the file" in refused


def test_a_run_folder_can_be_audited_and_a_random_split_is_refused(folder, tmp_path):
    assert "leak" not in call("audit", folder / "run").lower().replace("no leak", "")
    windows = tmp_path / "hourly.nc"
    call("ingest", "simulated", "--set", "ingest.options={n_regions=20, stride_hours=1}", "-o", windows)
    random = ("--set", "split.strategy=random_windows", "--set", "events=['C1.0']")
    call("split", windows, *random, "-o", tmp_path / "random.nc")
    assert "region" in call("audit", windows, tmp_path / "random.nc", *random, code=1)
    refused = call("train", windows, tmp_path / "random.nc", *random, "-o", tmp_path / "model", code=1)
    assert "allow_leaks" in refused
    assert not (tmp_path / "model").exists()


def test_a_reason_is_told_once_and_cells_stay_apart(capsys):
    from flarecast.cli.table import print_scores

    shared = {"role": "test", "event": "X1.0", "subset": "all", "n": 9, "n_events": 3}
    shared |= {"blocks": "region", "n_event_blocks": 3}
    records = [
        {
            **shared,
            "forecast": name,
            "score": score,
            "value": -12.345,
            "low": None if name == "raw" else -22.5,
            "high": None if name == "raw" else -10.25,
            "reason": "no interval: only 3 blocks with events" if name == "raw" else None,
        }
        for name in ("model", "raw")
        for score in ("tss", "hss", "bss")
    ]
    content = {"records": records, "role": "test", "confidence": 0.95, "pairing": {"references": {}}}
    content |= {"blocks": {"X1.0": {"region": {"n_blocks": 7, "n_event_blocks": 3}}}}
    content |= {"about_intervals": "intervals are about this period"}
    print_scores(content | {"forecast_name": "model", "calibrated": True})
    printed = capsys.readouterr().out
    assert "9 windows, 3 events in 3 of 7 regions" in printed
    assert "- intervals are about this period\n" in printed
    assert printed.count("only 3 blocks with events (tss of raw and 2 more cells)") == 1
    assert printed.count(" -12.345") == 6
    assert printed.count(" [-22.50,-10.25]") == 3
    assert "[-,-]" not in printed, "a line without any interval is left out"
