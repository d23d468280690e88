"""The region studies on real data: a model, its rival and the baselines in one table."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flarecast.cli import main

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
RUNS = {"regions": ("noaa_text", 3957, 127), "ar-days": ("ar_days", 3633, 132)}


@pytest.fixture(scope="module", params=["regions", pytest.param("ar-days", marks=pytest.mark.slow)])
def run(request, tmp_path_factory):
    raw, *counts = RUNS[request.param]
    if not (DATA / raw).is_dir():
        pytest.skip(f"{DATA / raw} is not here")
    folder = tmp_path_factory.mktemp(request.param)
    words = ["run", DATA / raw, "-c", ROOT / "configs" / f"{request.param}.toml", "--device", "cpu"]
    words += ["--set", "rivals.lstm.train.epochs=3", "-o", folder, "--windows", folder / "w.nc"]
    if request.param == "ar-days":
        words += ["--set", f"ingest.options.mapping='{ROOT}/configs/sources/ar_days.toml'"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return json.loads((folder / "scores.json").read_text()), counts, result.output


def test_model_rival_and_baselines_stand_in_one_table(run):
    content, (n, n_events), output = run
    found = {}
    for record in content["records"]:
        if record["role"] == "test":
            found.setdefault((record["event"], record["subset"], record["forecast"], record["score"]), record)
    for event in ("C1.0", "M1.0"):
        for name in ("model", "lstm", "climatology", "recent_27", "recent_365", "persistence"):
            assert found[event, "all", name, "tss"]["value"] is not None
            assert f"\n{name}" in output
        assert found[event, "all", "model", "bss_minus_lstm"]["low"] is not None
    brier = found["M1.0", "all", "model", "brier"]
    assert (brier["n"], brier["n_events"]) == (n, n_events)
    assert {record["blocks"] for record in found.values()} == {"region", "rotation"}
    assert found["M1.0", "all", "model", "brier_minus_climatology"]["high"] < 0


def test_unassigned_flares_are_scored_both_ways_where_there_are_some(run):
    content, (n, _), _ = run
    masked = [one for one in content["records"] if one["subset"] == "unassigned_masked"]
    if n == RUNS["regions"][1]:
        assert {one["forecast"] for one in masked} >= {"model", "lstm", "persistence"}
        assert {one["n"] for one in masked if one["event"] == "M1.0"} == {3922}
    else:
        assert not masked
