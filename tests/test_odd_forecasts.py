"""Anybody's forecasts that are odd but legal: each has a defined result and a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast import cycles
from flarecast.cli import main

DAY = 86_400
HEADER = "issue_time,valid_from,valid_to,region,event,probability,occurred"


def table(path: Path, probability, occurred, step: int = DAY, region: str = "disk", zone: str = "Z") -> Path:
    """Forecasts of M1.0, or of M1.0 and X1.0 where there are two columns."""
    rows = [HEADER]
    for nth, (stated, happened) in enumerate(zip(probability, occurred, strict=True)):
        start = cycles.seconds("2012-01-01") + step * nth
        times = ",".join(cycles.iso(one).replace("Z", zone) for one in (start, start, start + DAY))
        for event, p, o in zip(
            ("M1.0", "X1.0"), np.atleast_1d(stated), np.atleast_1d(happened), strict=False
        ):
            rows.append(f"{times},{region},{event},{p},{o}")
    path.write_text("\n".join(rows) + "\n")
    return path


def evaluated(path: Path, tmp_path: Path) -> tuple[dict, str]:
    out = tmp_path / "scores.json"
    arguments = ["evaluate", str(path), "-o", str(out), "--set", "evaluate.resamples=100"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    records = json.loads(out.read_text())["records"]
    assert all(one["value"] is not None or one["reason"] for one in records)
    main_rule: dict = {}
    for one in records:
        if (one["subset"], one["event"], one["forecast"]) == ("all", "M1.0", "model"):
            main_rule.setdefault(one["score"], one)
    return main_rule, done.output


def drawn(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    p = rng.random(n).round(3)
    return p, (rng.random(n) < p).astype(int)


@pytest.mark.parametrize("constant", [0.0, 0.3, 1.0])
def test_a_constant_forecast_has_no_skill_and_no_order(tmp_path, constant):
    _, occurred = drawn()
    scores, _ = evaluated(table(tmp_path / "f.csv", np.full(400, constant), occurred), tmp_path)
    assert scores["tss"]["value"] == 0
    assert scores["roc_auc"]["value"] == 0.5
    assert scores["average_precision"]["value"] == pytest.approx(occurred.mean())
    assert scores["bss"]["value"] <= 0
    assert scores["sharpness"]["value"] == pytest.approx(0, abs=1e-7)
    assert scores["calibration_slope"]["value"] is None


def test_without_events_skill_is_undefined_and_the_rest_is_not(tmp_path):
    p, _ = drawn()
    scores, text = evaluated(table(tmp_path / "f.csv", p, np.zeros(400, int)), tmp_path)
    assert scores["tss"] | {"value": None, "reason": "no events"} == scores["tss"]
    assert scores["brier"]["value"] == pytest.approx(np.mean(p**2))
    assert "M1.0: the model had " in " ".join(text.split())
    assert "no events in 400 windows; scores that need one are undefined" in text


def test_one_block_gives_values_without_intervals(tmp_path):
    p, occurred = drawn()
    scores, text = evaluated(table(tmp_path / "f.csv", p, occurred, step=3600, region="NOAA 11429"), tmp_path)
    assert scores["tss"]["value"] is not None
    assert scores["tss"]["low"] is None
    assert "1 block" in scores["tss"]["reason"]
    assert "only 1 region or rotation with events; no intervals" in text


def test_times_without_zone_are_taken_as_utc_and_counted(tmp_path):
    p, occurred = drawn(50)
    _, text = evaluated(table(tmp_path / "f.csv", p, occurred, zone=""), tmp_path)
    assert "150 times name no zone and were read as UTC" in text


def test_outcomes_and_probabilities_that_are_not_nested_are_counted(tmp_path):
    p, occurred = drawn(100)
    both = np.stack([p, np.where(np.arange(100) < 7, np.minimum(p + 0.1, 1), p / 2)], axis=1)
    happened = np.stack([occurred, np.where(np.arange(100) < 5, 1, 0) * (1 - occurred)], axis=1)
    _, text = evaluated(table(tmp_path / "f.csv", both, happened), tmp_path)
    n_events = int(((happened[:, 1] == 1) & (happened[:, 0] == 0)).sum())
    assert f"{n_events} windows have an event without the weaker ones" in text
    assert (
        f"{int((both[:, 1] > both[:, 0]).sum())} windows have a stronger event that is more probable" in text
    )
