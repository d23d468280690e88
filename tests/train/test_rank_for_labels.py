"""Windows ranked by what their labels would tell."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from calling import call

from flarecast import schema
from flarecast.files import sha256
from flarecast.goes import occurred_table
from flarecast.informative import candidates, rank_windows
from flarecast.model_file import load
from flarecast.resources import Resources
from flarecast.schema import ROLES
from flarecast.train.trainings import train_all

TRAIN, TEST = ROLES.index("train"), ROLES.index("test")


@pytest.fixture(scope="module")
def ensemble(windows, split, configure, tmp_path_factory):
    """Folder of windows, a split, and a model with three members, which knows a third of the outcomes."""
    folder = tmp_path_factory.mktemp("ensemble")
    schema.save(windows, folder / "windows.nc", schema.WINDOWS)
    made_of = split.assign_attrs(windows_sha256=sha256(folder / "windows.nc"))
    schema.save(made_of, folder / "split.nc", schema.SPLIT)
    settings = {"epochs": 2, "averaging": "none"}
    config = configure("cnn", train=settings, ensemble={"name": "deep", "options": {"members": 3}})
    train_all(folder / "windows.nc", folder / "split.nc", config, folder / "model", Resources(device="cpu"))
    return folder


def test_the_most_telling_window_of_each_region_comes_first_and_copies_last(ensemble, windows, role):
    from flarecast.ensembles.members import with_members

    model = with_members(load(ensemble / "model", "cpu"), ensemble / "model", "cpu")
    index = candidates(windows, model, role, every=True)
    assert (role[index] != TEST).all()
    ranking = rank_windows(windows, model, index, "cpu")
    region = windows["region"].values.astype(str)[ranking.window]
    first = ranking.turn == 1
    n_first = int(first.sum())
    assert first[:n_first].all()
    assert len(set(region[:n_first])) == n_first == len(set(region))
    assert (np.diff(ranking.epistemic[:n_first]) <= 0).all()
    for name in set(region):
        here = region == name
        assert ranking.epistemic[here & first][0] == ranking.epistemic[here].max()
        issued = windows["issue_time"].values[ranking.window[here & (ranking.turn > 0)]]
        assert (np.diff(np.sort(issued)) >= 24 * 3600).all()
    assert (ranking.turn == 0).any()
    assert (ranking.turn[-int((ranking.turn == 0).sum()) :] == 0).all()


def test_doubt_is_the_mutual_information_of_class_and_member(ensemble, windows, monkeypatch):
    from flarecast import informative

    model = replace(load(ensemble / "model", "cpu"), members=(1, 2))
    said = np.array([[[1.0, 0, 0, 0], [0.5, 0.5, 0, 0]], [[0, 1.0, 0, 0], [0.5, 0.5, 0, 0]]])
    monkeypatch.setattr(informative, "class_probabilities", lambda *_: said)
    ranking = rank_windows(windows, model, np.array([0, 8]), "cpu")
    np.testing.assert_array_equal(ranking.window, [0, 8])
    np.testing.assert_allclose(ranking.epistemic, [1, 0], atol=1e-12)
    np.testing.assert_allclose(ranking.aleatoric, [0, 1], atol=1e-12)


def test_rank_for_labels_lists_windows_of_unknown_outcome(ensemble, windows, role, tmp_path):
    paths = ensemble / "windows.nc", ensemble / "model"
    said = call("rank-for-labels", *paths, "--split", ensemble / "split.nc", "-o", tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f"{len(rows):,} windows, the first" in said
    numbers = np.array([int(row["window"]) for row in rows])
    occurred = occurred_table(windows, ("C1.0", "M1.0", "X1.0"))
    assert (occurred[numbers] == -1).all()
    assert (role[numbers] != TEST).all()
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["region"] == windows["region"].values[numbers[0]]
    assert 0 <= float(rows[0]["epistemic_bit"]) <= 2
    call("rank-for-labels", *paths, "--all", "-o", tmp_path / "all.csv")
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) > 400


def test_windows_that_a_run_tests_are_not_ranked_though_no_split_is_named(ensemble, role, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(ensemble / "model", run / "model")
    shutil.copy(ensemble / "split.nc", run / "split.nc")
    call("rank-for-labels", ensemble / "windows.nc", run, "--all", "-o", tmp_path / "r.csv")
    numbers = np.loadtxt(tmp_path / "r.csv", delimiter=",", skiprows=1, usecols=1, dtype=int)
    assert (role[numbers] != TEST).all()
    alone = call(
        "rank-for-labels", ensemble / "windows.nc", ensemble / "model", "--all", "-o", tmp_path / "a"
    )
    assert "no split is named, so windows of any role are ranked" in alone
    numbers = np.loadtxt(tmp_path / "a", delimiter=",", skiprows=1, usecols=1, dtype=int)
    assert (role[numbers] == TEST).any()


def test_a_model_alone_or_windows_without_doubt_cannot_be_ranked(ensemble, windows, tmp_path):
    member = ensemble / "model" / "members" / "1"
    said = call("rank-for-labels", ensemble / "windows.nc", member, "-o", tmp_path / "r.csv", code=1)
    assert "expected a model with members" in said
    known = windows.assign(peak_flux_upper=windows["peak_flux"].clip(min=9.9e-7))
    schema.save(known, tmp_path / "known.nc", schema.WINDOWS)
    said = call(
        "rank-for-labels", tmp_path / "known.nc", ensemble / "model", "-o", tmp_path / "r.csv", code=1
    )
    assert "expected some of unknown outcome" in said
    assert not (tmp_path / "r.csv").exists()
