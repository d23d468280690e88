"""The study of calibration on a small simulated Sun: what it asks, finds, keeps and tells."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.study.calibration import VARIANTS
from flarecast.study.calibration_page import draw_lesson
from flarecast.study.calibration_words import QUESTIONS, paragraphs, told

CHANGES = (
    'events=["C1.0", "M1.0"]',
    "ingest.options={n_regions=200, n_steps=6, cadence_minutes=60}",
    "ingest.options.first_date=2011-01",
    "ingest.options.last_date=2015-01",
    "split.strategy=by_region",
    "study.event=C1.0",
    "model.name=logistic",
    "model.options={statistics=['last']}",
    "rivals.weighted={balance={name='class_weights', event='C1.0'}}",
    "evaluate.resamples=100",
)


def study(folder, *changes):
    sets = [word for change in (*CHANGES, *changes) for word in ("--set", change)]
    words = ["study", "calibration", *sets, "-o", str(folder), "--device", "cpu"]
    return CliRunner().invoke(main, words)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    result = study(folder)
    assert result.exit_code == 0, result.output
    return folder, result


@pytest.fixture(scope="module")
def content(done):
    return json.loads((done[0] / "study.json").read_text(encoding="utf-8"))


def test_every_way_is_scored_for_every_contender_and_event(content):
    found = [(row["contender"], row["event"], row["way"]) for row in content["scores"]]
    assert len(set(found)) == len(found) == 2 * 2 * len(VARIANTS)
    for row in content["scores"]:
        assert row["bss"]["low"] is None or row["bss"]["low"] <= row["bss"]["high"]
        assert row["way"] != "raw" or row["bss_minus_raw"]["value"] == 0


def test_a_lesson_without_skill_has_a_picture_without_bars(content):
    nothing = [row | {"bss": row["bss"] | {"value": None}} for row in content["scores"]]
    with_skill, without = (
        draw_lesson(content | {"scores": rows})[0] for rows in (content["scores"], nothing)
    )
    assert without != with_skill
    first, other = dict.fromkeys(row["contender"] for row in nothing)
    half = [row if row["contender"] == other else nothing[nth] for nth, row in enumerate(content["scores"])]
    assert first != other
    assert draw_lesson(content | {"scores": half})[0] not in (with_skill, without)


def test_calibration_gives_back_what_weights_take(content):
    (row,) = [row for row in content["weighting"] if row["event"] == "C1.0"]
    assert (row["contender"], row["against"]) == ("weighted", "model")
    assert row["bss_raw"]["value"] < row["bss_natural"]["value"] - 0.1
    assert row["difference"]["value"] == pytest.approx(0, abs=0.03)
    assert row["bss_calibrated"]["value"] == pytest.approx(
        row["bss_natural"]["value"] + row["difference"]["value"]
    )


def test_the_planted_shift_takes_three_quarters_of_the_events_and_leaves_the_rest(content):
    natural, planted = (content["shift"][kind][0]["rate"] for kind in ("natural", "planted"))
    odds = planted / (1 - planted) / (natural / (1 - natural))
    assert odds == pytest.approx(0.25, abs=0.06)


def test_years_count_every_scored_window_once(content):
    scored = {row["n"] for row in content["scores"] if row["event"] == "C1.0"}
    assert {sum(row["n"] for row in content["years"])} == scored
    assert [row["year"] for row in content["years"]] == [2011, 2012, 2013, 2014]


def test_what_a_threshold_loses_is_the_best_minus_the_reached(content):
    for row in content["thresholds"]:
        assert row["lost"]["value"] == pytest.approx(row["tss_max"]["value"] - row["tss"]["value"])
        assert row["lost"]["value"] >= 0


def test_reliability_has_bands_around_its_points(content):
    assert list(content["reliability"]) == ["weighted, raw", "weighted, calibrated", "model, raw"]
    for points in content["reliability"].values():
        assert len(points) >= 4
        assert (np.diff([point["forecast"] for point in points]) > 0).all()
        inside = [point["low"] - 1e-9 <= point["frequency"] <= point["high"] + 1e-9 for point in points]
        assert np.mean(inside) > 0.8


def test_every_question_is_answered_in_print_and_on_the_page(done, content):
    folder, result = done
    page = (folder / "study.html").read_text(encoding="utf-8")
    assert set(content["paragraphs"]) == set(QUESTIONS)
    for paragraph in content["paragraphs"].values():
        assert paragraph in result.stdout
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert (folder / "lesson.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_trained_is_not_trained_again_and_gives_the_same(done, content):
    folder, _ = done
    before = (folder / "forecasts.nc").stat().st_mtime_ns
    again = study(folder)
    assert again.exit_code == 0
    assert "train logistic" not in again.stderr
    assert (folder / "forecasts.nc").stat().st_mtime_ns == before
    assert json.loads((folder / "study.json").read_text(encoding="utf-8")) == content


def test_without_a_balanced_contender_or_several_events_the_study_says_so(content):
    alone = paragraphs({**content, "weighting": [], "nesting": [], "years": []})
    assert alone["weighting"] == "No balanced contender has one beside it that is otherwise the same."
    assert alone["nesting"] == "There is one event: nothing to nest."
    assert alone["years"] == "Nothing could be scored."


def test_numbers_are_told_with_their_interval_or_as_undefined():
    assert told({"value": 0.12345, "low": 0.1, "high": 0.2}, signed=True) == "+0.123 [+0.100, +0.200]"
    assert told({"value": 0.5, "low": None, "high": None}) == "0.500"
    assert told({"value": None, "low": None, "high": None}) == "undefined"
