"""The study of temporal coherence: what it finds where the answer is known, and how it goes on."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from flarecast import scale
from flarecast.cli import main
from flarecast.config import parse_config
from flarecast.errors import FlarecastError
from flarecast.study import STUDIES
from flarecast.study.arms import CONTRASTS, REMEDIES_BY_DEFAULT, arms_of
from flarecast.study.contrasts import MAKERS
from flarecast.study.sentences import paragraph, told
from flarecast.study.variants import dealt_out, rescaled
from flarecast.windows import open_windows

SMALL = [
    'events=["C1.0", "M1.0", "X1.0"]',
    "split.strategy=by_region",
    "split.options={train=0.5, validation=0.1, calibration=0.15, test=0.25}",
    "evaluate.resamples=200",
    'study.models={svm={name="svm", options={gamma=0.5}}, logistic={name="logistic"}}',
]
SUPPLE = {"svm": [{"gamma": 0.01}, {"gamma": 5.0, "inverse_penalty": 100.0}]}


def call(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def study(windows_path, folder, *changes, workers=1):
    sets = [word for change in (*SMALL, *changes) for word in ("--set", change)]
    return call(
        *("study", "temporal-coherence", "--windows", windows_path, "-o", folder, *sets),
        *("--device", "cpu", "--workers", workers),
    )


@pytest.fixture(scope="module")
def done(windows_path, tmp_path_factory):
    """All contrasts on the toy, with few remedies."""
    folder = tmp_path_factory.mktemp("done")
    result = study(
        windows_path,
        folder,
        "study.tries={svm=[{gamma=0.01}, {gamma=5.0, inverse_penalty=100.0}]}",
        'study.remedies={undersample={name="undersample"}, "class weights"={name="class_weights"}, '
        'logit={name="logit_adjustment"}}',
    )
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def content(done):
    """study.json of it."""
    return json.loads((done / "study.json").read_text(encoding="utf-8"))


def rows(content, contrast, **wanted):
    return [
        row
        for row in content["contrasts"][contrast]["rows"]
        if all(row[key] == value for key, value in wanted.items())
    ]


def test_a_random_split_finds_skill_where_there_is_none_and_a_coherent_one_does_not(content):
    (row,) = rows(content, "random_split", model="svm", score="tss")
    assert row["value"] > 0.6, "copies of the test windows were in training"
    assert abs(row["value_against"]) < 0.35, "a new region tells nothing"
    assert row["low"] > 0.2


def test_inner_validation_at_random_promises_what_test_does_not_give(content):
    promised = {row["arm"]: row for row in rows(content, "inner_validation", model="svm") if "chosen" in row}
    at_random = promised["promised, chosen on random windows"]
    assert at_random["value"] > 0.5
    assert at_random["difference"] > 0.3
    assert at_random["low"] > 0
    assert not rows(content, "inner_validation", model="logistic"), "it has nothing to choose from"


def test_a_balanced_test_set_lifts_precision_and_leaves_the_tss(content):
    for row in rows(content, "resampled_test", score="tss"):
        assert abs(row["difference"]) < 0.2
    for row in content["contrasts"]["resampled_test"]["rows"]:
        assert row["n"] == 2 * row["n_events"]


def test_a_threshold_from_test_never_has_a_smaller_tss(content):
    for row in rows(content, "threshold", score="tss"):
        assert row["difference"] >= 0


def test_remedies_are_compared_with_none_and_what_cannot_be_had_is_said(content):
    arms = {(row["model"], row["arm"]) for row in content["contrasts"]["remedies"]["rows"]}
    assert arms == {(model, arm) for model in ("svm", "logistic") for arm in ("undersample", "class weights")}
    assert set(content["refused"]) == {"svm, logit", "logistic, logit"}
    assert "fitted by gradient" in content["refused"]["svm, logit"]


def test_every_contrast_has_its_rows_and_its_paragraph(content):
    assert list(content["contrasts"]) == list(CONTRASTS) == list(MAKERS)
    for name, contrast in content["contrasts"].items():
        assert contrast["rows"], name
        assert contrast["paragraph"] == paragraph(name, contrast["rows"])
        for row in contrast["rows"]:
            if row["low"] is not None:
                assert row["low"] <= row["high"]
            if row["difference"] is not None:
                assert row["difference"] == pytest.approx(row["value"] - row["value_against"])


def test_the_page_needs_nothing_else_and_shows_three_pictures(done, content):
    text = (done / "study.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<svg", text)) == 3
    assert not re.search(r"<script|<img|<link|src=|@import", text)
    for contrast in content["contrasts"].values():
        assert contrast["paragraph"].split(";")[0] in text.replace("&#x27;", "'")


@pytest.mark.slow
def test_a_study_goes_on_where_it_was_whatever_the_number_of_workers(done, windows_path, tmp_path):
    changes = ['study.contrasts=["random_split"]', 'study.models={logistic={name="logistic"}}']
    first = study(windows_path, tmp_path, *changes, workers=2)
    assert first.exit_code == 0, first.output
    assert "2 trainings, 0 of them done before" in first.output
    before = (tmp_path / "study.json").read_bytes(), (tmp_path / "study.html").read_bytes()

    (tmp_path / "arms" / "logistic-random-split" / "arm.json").unlink()
    again = study(windows_path, tmp_path, *changes)
    assert "2 trainings, 1 of them done before" in again.output
    assert ((tmp_path / "study.json").read_bytes(), (tmp_path / "study.html").read_bytes()) == before

    other = study(windows_path, tmp_path, *changes, "scale.name=standard")
    assert "2 trainings, 0 of them done before" in other.output


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('study.contrasts=["oracle"]', "study.contrasts: expected some of random_split, inner_validation"),
        ("study.contrasts=[]", "expected some of random_split"),
        ("study.event=M5.0", "study.event 'M5.0' is not among events"),
        ('study.models={a={name="oracle"}}', "study.models.a: expected a model out of climatology"),
        ('study.remedies={a={name="rose"}}', "study.remedies.a: expected a remedy out of none, undersample"),
        ('study.remedies={none={name="undersample"}}', "under another name than none"),
        ('study.remedies={"a b"={name="none"}, "a-b"={name="none"}}', "svm-a-b twice; rename"),
        ("split.strategy=random_windows", "expected a split without leaks to hold the wrong ways against"),
        ("study.repeats=3", "unknown key study.repeats; known here: contrasts, event, inner, inner_every"),
    ],
)
def test_what_cannot_be_studied_is_one_sentence(change, words, windows_path, tmp_path):
    result = study(windows_path, tmp_path / "s", change)
    assert result.exit_code == 1
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not (tmp_path / "s" / "arms").exists()


def test_an_unknown_study_and_absent_windows_are_one_sentence(tmp_path):
    unknown = call("study", "sunspots", "-o", tmp_path).output
    assert f"study: expected one of {', '.join(sorted(STUDIES))}, got 'sunspots'" in unknown
    result = call("study", "temporal-coherence", "--windows", tmp_path / "w.nc", "-o", tmp_path / "s")
    assert "leave --windows out to ingest them" in result.output


def test_roles_dealt_out_anew_keep_their_sizes_and_leave_unused_windows_alone():
    role = np.random.default_rng(0).integers(0, 5, 400).astype(np.int8)
    split = xr.Dataset({"role": (("fold", "window"), role[None])})
    for roles, moving in (("random", [1, 2, 3, 4]), ("inner_random", [1, 2])):
        other = dealt_out(split, roles, np.random.default_rng(1))["role"].values[0]
        np.testing.assert_array_equal(np.bincount(other), np.bincount(role))
        fixed = ~np.isin(role, moving)
        np.testing.assert_array_equal(other[fixed], role[fixed])
        assert (other[~fixed] != role[~fixed]).mean() > 0.2
    assert dealt_out(split, "coherent", np.random.default_rng(1)) is split
    np.testing.assert_array_equal(split["role"].values[0], role)


def test_values_are_scaled_by_all_windows_or_by_those_of_each_role(windows_path):
    windows = open_windows(windows_path)
    role = (np.arange(windows.sizes["window"]) % 5).astype(np.int8)
    whole = rescaled(windows, role, "scaled_on_all", "standard")["values"].values
    used = role > 0  # a window has one row
    expected = scale.fit(windows["values"].values[used], "standard").apply(windows["values"].values[used])
    np.testing.assert_array_equal(whole[used], expected)
    assert np.isnan(whole[~used]).all()
    each = rescaled(windows, role, "scaled_per_role", "standard")["values"].values
    for one in range(1, 5):
        np.testing.assert_allclose(each[role == one].mean(axis=0), 0, atol=1e-5)
    assert rescaled(windows, role, "as_measured", "standard") is windows


def test_every_remedy_of_the_package_is_tried_by_default():
    from flarecast.balance import BALANCERS

    assert {section["name"] for section in REMEDIES_BY_DEFAULT.values()} == {*BALANCERS} - {"none"}
    arms = arms_of(parse_config({}))
    assert {arm.model for arm in arms} == {"svm", "logistic", "lstm"}
    assert all(arm.config.calibrate.name == "platt" for arm in arms)
    assert len({arm.key for arm in arms}) == len(arms)


def test_words_say_whether_a_difference_can_be_told_from_nothing():
    row = {"value": 0.7, "value_against": 0.5, "difference": 0.2, "low": 0.1, "high": 0.3}
    assert told(row) == "from 0.500 to 0.700 (+0.200 [+0.100, +0.300], beyond chance)"
    assert told(row | {"low": -0.1}).endswith("[-0.100, +0.300], not to be told from 0)")
    assert told(row | {"low": None, "high": None}) == "from 0.500 to 0.700 (+0.200, no interval)"
    assert told(row | {"difference": None}) == "not defined here"
    assert paragraph("remedies", []).startswith("Nothing was compared")


@pytest.mark.slow
def test_the_simulated_sun_in_a_small_setting_finds_raw_probabilities_destroyed(tmp_path):
    result = call(
        *("study", "temporal-coherence", "-o", tmp_path, "--workers", 2, "--device", "cpu"),
        *("--set", 'events=["C1.0"]', "--set", "split.strategy=by_region", "--set", "evaluate.resamples=200"),
        *("--set", "ingest.options={n_regions=500, n_steps=6, cadence_minutes=60, first_date='2011-01', "
          "last_date='2014-01'}", "--set", "train.epochs=3"),
        *("--set", "study.models={svm={name='svm', options={max_windows=600}}, logistic={name='logistic'}, "
          "lstm={name='lstm', options={hidden=8, layers=1}}}"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert {arm["model"] for arm in content["arms"]} == {"svm", "logistic", "lstm", "simulation"}
    assert set(content["refused"]) == {"svm, logit adjustment", "logistic, logit adjustment"}
    weighted = rows(content, "remedies", model="logistic", arm="class weights")
    scores = {row["score"]: row for row in weighted}
    assert scores["bss_raw"]["high"] < 0
    assert abs(scores["bss"]["difference"]) < 0.03


def test_a_model_that_cannot_be_trained_at_all_is_an_error(windows_path, tmp_path):
    with pytest.raises(FlarecastError, match="Z9"):
        parse_config({"events": ["Z9"]})
    result = study(windows_path, tmp_path, 'study.models={a={name="logistic", features=["none"]}}')
    assert result.exit_code == 1
    assert "a: features: expected none" in result.output
