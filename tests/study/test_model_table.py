"""The study of models: options from inside training, the same windows for all, words from numbers."""

import csv
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast import schema
from flarecast.cli import main
from flarecast.config import load_config, parse_config
from flarecast.models import MODELS
from flarecast.references import REFERENCE_NAMES
from flarecast.study.choosing import candidates
from flarecast.study.model_page import model_page, sentences
from flarecast.study.model_rows import DIFFERENCE, SCORES, verdict
from flarecast.windows import open_windows

PRESETS = sorted((Path(__file__).parents[2] / "configs/studies").glob("models-*.toml"))
LEAVES = "aeon.transformations.collection.convolution_based"
THREE = (
    'study.models={logistic={name="logistic"}, nearest={name="nearest"}, '
    'lstm={name="lstm", options={hidden=4, layers=1}}, rocket={name="minirocket"}}'
)
SMALL = [
    'events=["C1.0", "M1.0"]',
    "split.strategy=by_time",
    "split.options={train=[0.0, 0.7], test=[0.7, 1.0]}",
    "evaluate.resamples=100",
    "train.epochs=2",
    "study.event=M1.0",
    "study.inner={folds=2, first_test=0.5}",
    "study.tries={nearest=[{neighbours=5}, {neighbours=100}], logistic=[{inverse_penalty=1.0}, "
    "{inverse_penalty=0.0001}]}",
]


def study(windows_path, folder, *changes, workers=1):
    sets = [word for change in (*SMALL, *changes) for word in ("--set", change)]
    words = ["study", "models", "--windows", windows_path, "-o", folder, *sets]
    words += ["--device", "cpu", "--workers", workers]
    return CliRunner().invoke(main, [str(word) for word in words])


def read(folder, name="models.json"):
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def done(windows_path, tmp_path_factory):
    """Three models of four: the fourth wants an extra that is made to be missing."""
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, LEAVES, None)
        result = study(windows_path, folder, THREE)
    assert result.exit_code == 0, result.output
    return folder


def test_every_model_and_baseline_has_a_row_an_event_on_the_same_windows(done):
    content = read(done)
    for event in ("C1.0", "M1.0"):
        rows = [row for row in content["rows"] if row["event"] == event]
        assert [row["name"] for row in rows] == ["logistic", "nearest", "lstm", *REFERENCE_NAMES]
        assert len({(row["n"], row["n_events"]) for row in rows}) == 1
        kinds = {row["name"]: row["kind"] for row in rows}
        assert (kinds["lstm"], kinds["nearest"], kinds["climatology"]) == ("network", "classical", "baseline")


def test_the_difference_is_a_models_minus_the_logistics(done):
    rows = {(row["event"], row["name"]): row for row in read(done)["rows"]}
    for (event, name), row in rows.items():
        against = rows[event, "logistic"]["bss"]["value"]
        if name == "logistic":
            assert row[DIFFERENCE] is None
            continue
        cell = row[DIFFERENCE]
        assert cell["value"] == pytest.approx(row["bss"]["value"] - against)
        assert cell["low"] <= cell["value"] <= cell["high"]
    assert rows["C1.0", "climatology"][DIFFERENCE]["value"] != 0


def test_what_cannot_be_trained_is_said_and_holds_nobody_up(done):
    content = read(done)
    assert set(content["refused"]) == {"rocket"}
    page = (done / "models.md").read_text(encoding="utf-8")
    assert "rocket could not be trained: minirocket: expected aeon" in page
    assert "pip install 'flarecast[rocket]'" in page


def test_the_options_with_the_least_log_loss_are_those_of_the_row(done):
    content = read(done)
    assert set(content["tries"]) == {"logistic", "nearest"}
    for name, tries in content["tries"].items():
        (chosen,) = (row for row in tries if row["chosen"])
        assert chosen["log_loss"] == min(row["log_loss"] for row in tries)
        assert len({row["n"] for row in tries}) == 1
        assert all(row["options"] == chosen["options"] for row in content["rows"] if row["name"] == name)


def test_seconds_are_kept_apart_from_what_is_the_same_in_every_run(done):
    seconds = read(done, "seconds.json")["seconds"]
    assert set(seconds) == {"logistic", "nearest", "lstm"}
    for name in ("models.json", "models.csv", "scores.json"):
        assert "seconds" not in (done / name).read_text(encoding="utf-8")
    assert f"{seconds['lstm']:.1f} |" in (done / "models.md").read_text(encoding="utf-8")


def test_the_csv_holds_what_the_json_holds(done):
    with (done / "models.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    rows = read(done)["rows"]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert (line["event"], line["name"]) == (row["event"], row["name"])
        assert json.loads(line["options"]) == row["options"]
        for score in SCORES:
            said = {"": row[score]["value"], "_low": row[score]["low"], "_high": row[score]["high"]}
            assert {end: line[score + end] for end in said} == {
                end: "" if value is None else repr(value) for end, value in said.items()
            }


@pytest.mark.slow
def test_a_study_of_models_goes_on_where_it_was_whatever_the_number_of_workers(windows_path, tmp_path):
    models = 'study.models={logistic={name="logistic"}, nearest={name="nearest"}}'
    first = study(windows_path, tmp_path, models, workers=2)
    assert first.exit_code == 0, first.output
    assert "4 tries, 0 of them done before" in first.output
    names = ("models.json", "models.csv", "scores.json")
    before = [(tmp_path / name).read_bytes() for name in names]

    (tmp_path / "models" / "nearest" / "calibrated.nc").unlink()
    (tmp_path / "tries" / "nearest-1" / "try.json").unlink()
    again = study(windows_path, tmp_path, models)
    assert "4 tries, 3 of them done before" in again.output
    assert "2 trainings, 1 of them done before" in again.output
    assert [(tmp_path / name).read_bytes() for name in names] == before

    other = study(windows_path, tmp_path, models, "calibrate.name=none")
    assert "4 tries, 4 of them done before" in other.output, "nothing was calibrated there"
    assert "2 trainings, 0 of them done before" in other.output


@pytest.mark.slow
def test_what_happens_in_test_changes_no_choice(windows_path, tmp_path):
    """Other outcomes and values after the training span: the tries come to the same numbers."""
    windows = open_windows(windows_path)
    issue = windows["issue_time"].values
    later = issue >= issue.min() + 0.7 * (issue.max() - issue.min())
    other = windows.load().copy(deep=True)
    rng = np.random.default_rng(0)
    other["peak_flux"].values[later] = rng.permutation(other["peak_flux"].values[later])
    other["peak_flux_upper"].values[later] = np.maximum(
        other["peak_flux"].values[later], other["peak_flux_upper"].values[later]
    )
    other["values"].values[later] *= -3  # a row is a window here
    schema.save(other, tmp_path / "other.nc", schema.WINDOWS)
    tries = []
    for name, path in (("a", windows_path), ("b", tmp_path / "other.nc")):
        models = 'study.models={logistic={name="logistic"}, nearest={name="nearest"}}'
        assert study(path, tmp_path / name, models).exit_code == 0
        tries.append(read(tmp_path / name)["tries"])
    assert tries[0] == tries[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('study.models={svm={name="svm"}}', "study.models: expected one called logistic"),
        ('study.models={persistence={name="persistence"}}', "expected names of letters, digits, - and _"),
        ('study.models={"a b"={name="lstm"}}', "got a b"),
        ('study.models={logistic={name="oracle"}}', "study.models.logistic: expected a model out of"),
        ("study.inner={oracle=3}", "study.inner: split.options: "),
        ("study.inner={folds=2, first_test=0.03}", "study.inner: split.validation: expected windows from"),
        ("study.tries={nearest=[{neighbours=0}]}", "study.models.nearest: model.options: neighbours"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(change, words, windows_path, tmp_path):
    result = study(windows_path, tmp_path / "s", THREE, change)
    assert result.exit_code == 1
    assert words in result.output
    assert not (tmp_path / "s" / "models").exists()


def cell(value, low, high):
    return {"value": value, "low": low, "high": high}


def row(name, kind, difference):
    scores = {score: cell(0.2, 0.1, 0.3) for score in SCORES}
    head = {"event": "M1.0", "name": name, "kind": kind, "model": name, "options": {}, "n": 10, "n_events": 3}
    return head | scores | {DIFFERENCE: difference}


def test_words_say_which_network_beats_the_logistic_and_which_does_not():
    rows = [
        row("logistic", "classical", None),
        row("lstm", "network", cell(0.02, 0.01, 0.03)),
        row("gru", "network", cell(0.02, -0.01, 0.05)),
        row("cnn", "network", cell(-0.02, -0.03, -0.01)),
        row("resnet", "network", cell(0.02, None, None)),
        row("svm", "classical", cell(-0.1, -0.2, 0.0)),
    ]
    content = {"event": "M1.0", "rows": rows, "confidence": 0.95, "refused": {"rocket": "no aeon"}}
    classical, networks, chance, refused = sentences(content)
    assert networks == (
        "Of 4 networks 1 beats the logistic in BSS: lstm (+0.020 [+0.010, +0.030]). Not better, as the "
        "interval holds 0: gru (+0.020 [-0.010, +0.050]). Not better but worse: cnn (-0.020 [-0.030, "
        "-0.010]). Not shown to be better, for want of an interval: resnet (+0.020)."
    )
    assert classical.startswith("Of 1 classical models none beats the logistic in BSS. Not better, as")
    assert chance.startswith("5 models are compared")
    assert "one in 20" in chance
    assert refused == "rocket could not be trained: no aeon."
    page = model_page(content | {"run": "r", "about": "A.", "tries": {}}, {"lstm": 1.25})
    assert page.index("| logistic |") < page.index("| lstm |")
    assert "| lstm | 0.200 [0.10, 0.30] |" in page
    assert verdict(None) == "unknown"


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_leaves_no_model_out_and_gives_each_a_choice(path):
    config = load_config(path)
    expected = {*MODELS} - {"climatology", "persistence"}
    if config.ingest.source == "noaa-disk":
        expected -= {"spot_class"}  # the disk has no McIntosh class
    assert {section.name for section in config.study.models.values()} == expected
    assert set(config.study.tries) == set(config.study.models)
    for name, tries in candidates(config).items():
        assert len(tries) >= 2, name
        assert len({str(one.model.options) for one in tries}) == len(tries), name
    assert "flarecast study models" in path.read_text(encoding="utf-8").splitlines()[1]


def test_there_is_a_preset_for_each_of_the_three_data_sets():
    sources = {tomllib.loads(path.read_text(encoding="utf-8"))["ingest"]["source"] for path in PRESETS}
    assert sources == {"noaa-regions", "table", "noaa-disk"}


def test_without_models_named_every_one_takes_part():
    from flarecast.study.model_table import _with_models

    named = _with_models(parse_config({})).study.models
    assert set(named) == {*MODELS} - {"climatology", "persistence"}


def test_windows_of_test_are_not_in_the_file_that_options_are_chosen_on(done, windows_path):
    inner = open_windows(done / "inner" / "windows.nc")
    last = int(inner["issue_time"].values.max())
    split = schema.open_file(done / "split.nc", schema.SPLIT)["role"].values[0]
    tested = open_windows(windows_path)["issue_time"].values[split == 4]
    assert last < tested.min()
