"""What forecasts hang on: swaps of whole regions, permutation importance, integrated gradients."""

import csv
import sys

import numpy as np
import pytest
import torch

from flarecast import schema
from flarecast.batches import gather_inputs
from flarecast.config import parse_config
from flarecast.config.sections import Explain
from flarecast.errors import FlarecastError
from flarecast.explain import explain_importance, explain_windows, open_explained
from flarecast.explain import permuted as permuting
from flarecast.explain.pictures import draw_attributions, draw_importance
from flarecast.explain.tables import write_attributions
from flarecast.explain.units import make_units
from flarecast.files import sha256
from flarecast.resources import Resources
from flarecast.train import train
from flarecast.train.trainings import train_all
from flarecast.windows import step_rows

NETWORKS = ["lstm", "gru", "cnn", "resnet", "inception_time", "cnn_lstm", "transformer"]


@pytest.fixture(scope="module")
def explained(windows, split, configure, tmp_path_factory):
    """Windows of a role as one model sees them: `explained(model, role=..., ...)`."""
    roles = split
    folder = tmp_path_factory.mktemp("explained")
    schema.save(windows, folder / "windows.nc", schema.WINDOWS)
    made_of = split.assign_attrs(windows_sha256=sha256(folder / "windows.nc"))
    schema.save(made_of, folder / "split.nc", schema.SPLIT)

    def make(name="logistic", role="test", epochs=8, split=True, **model):
        where = folder / "-".join([name, str(epochs), *map(str, model)])
        if not where.exists():
            settings = {"epochs": epochs, "averaging": "none"}
            train(windows, roles, configure(name, train=settings, model=model), folder=where, device="cpu")
        inputs = (folder / "windows.nc", where)
        return open_explained(inputs, folder / "split.nc" if split else None, role, "cpu")

    return make


def config(**sections):
    return parse_config({"evaluate": {"resamples": 200, "blocks": "region"}, **sections})


def drops(content, score="bss", event="M1.0"):
    return {one["unit"]: one for one in content["records"] if (one["score"], one["event"]) == (score, event)}


@pytest.mark.parametrize("name", ["logistic", "lstm"])
def test_what_decides_the_flares_matters_and_noise_does_not(explained, name):
    found = drops(explain_importance(explained(name, role="train"), config()))
    assert found["TOTFX"]["low"] > 0.02
    assert found["TOTFX"]["drop"] > 5 * abs(found["noise"]["drop"])
    assert found["TOTFX"]["drop"] > found["R_VALUE"]["drop"]
    spans = [one["drop"] for one in found.values() if one["kind"] == "span"]
    assert len(spans) == 6
    assert max(spans) == spans[-1]  # the last step knows the level best


@pytest.fixture(scope="module")
def planted(windows, split, configure, tmp_path_factory):
    """Noise in which one feature at one step decides the flares, as a network sees the test role."""
    folder = tmp_path_factory.mktemp("planted")
    values = np.random.default_rng(3).normal(size=windows["values"].shape).astype(np.float32)
    rows = step_rows(windows, np.arange(windows.sizes["window"]))[:, 3]
    there = (rows >= 0) & (windows["n_rows"].values > 0)
    peak = np.where(there & (values[rows, 1] > 0.3), 3e-5, 0.0)
    upper = np.where(there, np.maximum(peak, 9.9e-7), np.inf)
    made = windows.assign(
        values=(("row", "feature"), values),
        peak_flux=("window", peak),
        peak_flux_upper=("window", upper),
    )
    schema.save(made, folder / "windows.nc", schema.WINDOWS)
    made_of = split.assign_attrs(windows_sha256=sha256(folder / "windows.nc"))
    schema.save(made_of, folder / "split.nc", schema.SPLIT)
    options = {"channels": [8], "kernel": 6, "dropout": 0.0}
    settings = {"epochs": 40, "averaging": "none", "patience": 40}
    wanted = configure(
        "cnn", train=settings, model={"options": options}, events=["M1.0"], scale={"name": "none"}
    )
    train(made, split, wanted, folder=folder / "model", device="cpu")
    return open_explained((folder / "windows.nc", folder / "model"), folder / "split.nc", "test", "cpu")


def test_importance_finds_the_feature_and_the_step_that_decide_and_nothing_else(planted):
    wanted = config(explain={"repeats": 10, "groups": {"noises": ["TOTFX", "noise"]}})
    content = explain_importance(planted, wanted)
    for score in ("average_precision", "roc_auc", "log_loss"):
        assert drops(content, score)["R_VALUE"]["low"] > 0.1  # positive is worse, of the loss too
    found = drops(content)
    assert found["R_VALUE"]["base"] > 0.8
    for name in ("R_VALUE", "6 to 4 h before"):
        assert found[name]["low"] > 1  # a sharp forecast of another window is worse than the base rate
    for name in ("TOTFX", "noise", "noises"):
        assert found[name]["low"] < 0 < found[name]["high"]
    others = [one["drop"] for name, one in found.items() if name not in ("R_VALUE", "6 to 4 h before")]
    assert len(others) == 8
    assert max(map(abs, others)) < 0.1


def test_gradients_find_the_step_that_decides_and_the_table_its_hours(planted, tmp_path):
    found = explain_windows(planted, "M1.0", top=4)
    for one in found:
        place = np.unravel_index(np.abs(one.shares).argmax(), one.shares.shape)
        assert place == (3, 1)
        assert one.shares[place] > 0
    write_attributions(found, planted, tmp_path)
    with (tmp_path / "attributions.csv").open(encoding="utf-8") as file:
        largest = max(csv.DictReader(file), key=lambda line: abs(float(line["log_odds"])))
    assert (largest["feature"], largest["hours_before_issue"]) == ("R_VALUE", "4")


def test_a_feature_that_the_model_does_not_read_is_not_listed_and_one_without_weight_loses_nothing(explained):
    model = explained("logistic", features=["TOTFX", "noise"])
    assert "R_VALUE" not in drops(explain_importance(model, config()))
    (part,) = model.parts
    with torch.no_grad():
        part.model.module.head.weight[:, 1::2] = 0.0  # statistics by feature, noise the second
    units = make_units(model.windows, part.model.features, Explain(only=("noise", "TOTFX")))
    assert [unit.name for unit in units] == ["TOTFX", "noise"]
    donors = (np.roll(np.arange(part.index.size), turn) for turn in (9, 20))
    first, second = (permuting.permuted_probability(part, units, donor) for donor in donors)
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != second[0]).mean() > 0.9


@pytest.mark.parametrize("name", ["cnn", "resnet", "random_forest", "persistence"])
def test_windows_put_in_for_themselves_give_the_forecasts_as_they_were(explained, name):
    (part,) = explained(name).parts
    units = make_units(explained(name).windows, part.model.features, Explain())
    found = permuting.permuted_probability(part, units, np.arange(part.index.size))
    before = np.broadcast_to(part.forecasts["probability"].values, found.shape)
    np.testing.assert_allclose(found, before, 1e-5)


def test_only_the_inputs_of_a_unit_are_put_in_its_mask_with_them(explained):
    (part,) = explained("resnet").parts
    (feature, span) = make_units(
        explained("resnet").windows, part.model.features, Explain(only=("R_VALUE", "4 to 2 h before"))
    )
    donor = np.roll(np.arange(part.index.size), 9)
    found = permuting.permuted_probability(part, [feature, span], donor)
    places = (np.arange(donor.size), donor)
    own, other = (gather_inputs(part.tensors, torch.from_numpy(place)) for place in places)
    one, two = own.clone(), own.clone()
    one[:, :, 1], one[:, :, 4] = other[:, :, 1], other[:, :, 4]  # three features, then the mask of each
    two[:, 4] = other[:, 4]
    for inputs, got in zip((one, two), found, strict=True):
        with torch.no_grad():
            logits = part.model.module(inputs, part.tensors.last_class)
        of_class = torch.softmax(logits.double(), dim=1).numpy()
        np.testing.assert_allclose(got[:, -1], of_class[:, -1], rtol=1e-5)


def test_a_model_with_members_is_explained_by_their_mean(windows, split, configure, tmp_path):
    made_of = split.assign_attrs(windows_sha256="")
    schema.save(windows, tmp_path / "windows.nc", schema.WINDOWS)
    made_of.attrs["windows_sha256"] = sha256(tmp_path / "windows.nc")
    schema.save(made_of, tmp_path / "split.nc", schema.SPLIT)
    paths = (tmp_path / "windows.nc", tmp_path / "split.nc")
    settings = {"epochs": 3, "averaging": "none"}
    wanted = configure("cnn", train=settings, ensemble={"name": "bagging", "options": {"members": 3}})
    train_all(*paths, wanted, tmp_path / "model", Resources(device="cpu"))
    (part,) = open_explained((paths[0], tmp_path / "model"), paths[1], "test", "cpu").parts
    assert sum(len(sight.models) for sight in part.sights) == 3
    units = make_units(windows, part.model.features, Explain())
    found = permuting.permuted_probability(part, units, np.arange(part.index.size))
    before = np.broadcast_to(part.forecasts["probability"].values, found.shape)
    np.testing.assert_allclose(found, before, 1e-5)


def test_permuting_does_not_depend_on_the_size_of_batches(explained, monkeypatch):
    before = explain_importance(explained("cnn"), config())
    monkeypatch.setattr(permuting, "BATCH", 7)
    after = explain_importance(explained("cnn"), config())
    for one, other in zip(before["records"], after["records"], strict=True):
        assert one["drop"] == pytest.approx(other["drop"], abs=1e-5)
        assert one["low"] == pytest.approx(other["low"], abs=1e-4, nan_ok=True)


def test_the_latest_outcome_is_listed_for_the_model_that_reads_it_alone(explained):
    found = drops(explain_importance(explained("persistence"), config()), "roc_auc")
    assert found["latest known outcome"]["drop"] > 0
    assert {one["drop"] for one in found.values() if one["kind"] != "outcome"} == {0.0}
    assert "latest known outcome" not in drops(explain_importance(explained("logistic"), config()))


def test_groups_are_those_of_the_configuration_else_by_prefix_or_unit(windows):
    features = ("TOTFX", "R_VALUE", "noise")

    def groups(**settings):
        units = make_units(windows, features, Explain(**settings))
        return {unit.name: unit.features for unit in units if unit.kind == "group"}

    assert groups(groups={"field": ("TOTFX", "R_VALUE")}) == {"field": ("TOTFX", "R_VALUE")}
    assert groups() == groups(group_by="unit") == {}  # a group of one feature is that feature
    named = windows.assign_coords(feature=["hot_a", "hot_b", "cold"])
    units = make_units(named, ("hot_a", "hot_b", "cold"), Explain())
    assert [unit.features for unit in units if unit.kind == "group"] == [("hot_a", "hot_b")]
    same = windows.assign(feature_unit=("feature", ["G", "G", "1"]))
    units = make_units(same, features, Explain(group_by="unit"))
    assert [unit.name for unit in units if unit.kind == "group"] == ["in G"]


def test_a_group_loses_what_its_features_hold_together(explained):
    wanted = config(explain={"groups": {"activity": ["TOTFX", "R_VALUE"]}})
    found = drops(explain_importance(explained("logistic"), wanted))
    assert found["activity"]["kind"] == "group"
    assert found["activity"]["drop"] > max(found["TOTFX"]["drop"], found["R_VALUE"]["drop"])


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            {"groups": {"helicity": ["TOTUSJH", "TOTFX"]}},
            r"explain.groups: .*TOTFX, R_VALUE.*helicity names",
        ),
        ({"only": ["TOTFX", "helicity"]}, r"explain.only: expected some of TOTFX, .*got helicity"),
    ],
    ids=["feature of a group", "group"],
)
def test_an_unknown_group_is_one_sentence_that_lists_what_there_is(explained, section, words):
    with pytest.raises(FlarecastError, match=words):
        explain_importance(explained("logistic"), config(explain=section))


def test_a_role_without_events_or_windows_is_one_sentence(explained):
    model = explained("logistic")
    occurred = model.parts[0].forecasts["occurred"]
    quiet = model.parts[0].forecasts.assign(occurred=occurred.clip(max=0))
    object.__setattr__(model.parts[0], "forecasts", quiet)
    with pytest.raises(FlarecastError, match=r"role test: expected windows with an event out of C1.0"):
        explain_importance(model, config())
    known = "train, validation, calibration, test, all"
    with pytest.raises(FlarecastError, match=f"--role: expected one of {known}, got holdout"):
        explained("logistic", role="holdout")
    with pytest.raises(FlarecastError, match="--role test: expected a split that says who has it, got none"):
        explained("logistic", split=False)
    whole = explained("logistic", role=None, split=False)
    assert whole.role == "all"
    assert whole.parts[0].index.size > 400


def test_scores_that_hang_on_the_base_rate_are_null_for_windows_chosen_by_their_outcome(explained):
    model = explained("logistic")
    model.parts[0].forecasts.attrs["sampling"] = "case-control"
    found = explain_importance(model, config())
    model.parts[0].forecasts.attrs["sampling"] = "natural"
    assert np.isnan(drops(found)["TOTFX"]["drop"])
    assert "case-control" in drops(found)["TOTFX"]["reason"]
    assert drops(found, "roc_auc")["TOTFX"]["drop"] > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_shares_of_every_network_add_up_to_the_difference_from_the_baseline(explained, name):
    model = explained(name, epochs=2)
    (part,) = model.parts
    for one in explain_windows(model, "M1.0", top=2):
        assert one.shares.shape == (6, 3)
        assert one.error < 1e-3
        assert abs(one.log_odds - one.baseline) > 1e-6
        said = part.forecasts["probability_raw"].values[one.choice.place, 1]
        assert one.probability == pytest.approx(said, abs=1e-5)


def test_the_baseline_is_the_training_mean_and_what_was_observed_stays_so(explained):
    model = explained("resnet", epochs=2)
    (part,) = model.parts
    (one,) = explain_windows(model, "C1.0", top=1)
    inputs = gather_inputs(part.tensors, torch.tensor([one.choice.place]))
    np.testing.assert_allclose(one.values, inputs[0, :, :3].numpy())
    inputs[:, :, :3] = 0.0
    with torch.no_grad():
        of_class = torch.softmax(part.model.module(inputs, torch.tensor([-1])).double(), dim=1)[0]
    assert one.baseline == pytest.approx(float(torch.log(of_class[1:].sum() / of_class[0])), abs=1e-5)


def test_the_likeliest_windows_are_of_as_many_regions(explained):
    model = explained("lstm", epochs=2)
    found = explain_windows(model, "M1.0", top=3)
    assert len({one.choice.region for one in found}) == 3
    probability = [one.probability for one in found]
    assert probability == sorted(probability, reverse=True)
    highest = model.parts[0].forecasts["probability"].values[:, 1].max()
    assert probability[0] == pytest.approx(highest, abs=1e-5)


def test_a_window_is_named_by_number_or_by_region_and_time(explained):
    model = explained("lstm", epochs=2)
    (chosen,) = explain_windows(model, "M1.0", top=1)
    by_number = explain_windows(model, "M1.0", named=(str(chosen.choice.window),))
    by_name = explain_windows(model, "M1.0", named=(f"{chosen.choice.region}@{chosen.choice.issue_time}",))
    assert by_number[0].choice == by_name[0].choice == chosen.choice


@pytest.mark.parametrize("name", ["999999", "0", "-1", "SIM 8", "SIM 77@1970-01-11T04:00Z"])
def test_a_window_that_does_not_exist_is_one_sentence_that_names_one_that_does(explained, name):
    with pytest.raises(FlarecastError, match=rf"--window {name}: .*role test .*like \d+ or SIM \d+@19"):
        explain_windows(explained("lstm", epochs=2), "M1.0", named=(name,))


def test_an_event_or_a_time_that_is_none_is_one_sentence(explained):
    with pytest.raises(FlarecastError, match=r"--event: expected one of C1.0, M1.0, X1.0, got 'M5.0'"):
        explain_windows(explained("lstm", epochs=2), "M5.0", top=1)
    with pytest.raises(FlarecastError, match="date: expected an ISO date"):
        explain_windows(explained("lstm", epochs=2), "M1.0", named=("SIM 8@yesterday",))


@pytest.mark.parametrize("name", ["random_forest", "persistence", "climatology", "nearest"])
def test_a_model_without_a_gradient_is_sent_to_permutation_importance(explained, name):
    with pytest.raises(FlarecastError, match=f"got {name}; explain it by permutation"):
        explain_windows(explained(name), "C1.0", top=1)


def test_without_captum_the_extra_is_named(explained, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(FlarecastError, match=r"pip install 'flarecast\[explain\]'"):
        explain_windows(explained("lstm", epochs=2), "M1.0", top=1)


def test_pictures_of_the_same_explanation_have_the_same_bytes(explained, tmp_path):
    content = explain_importance(explained("logistic"), config(explain={"repeats": 1}))
    shares = explain_windows(explained("lstm", epochs=2), "M1.0", top=2)
    for name in ("a", "b"):
        draw_importance(content, "M1.0", tmp_path / f"{name}.svg")
        draw_attributions(shares, tmp_path / f"{name}-windows.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a-windows.svg").read_bytes() == (tmp_path / "b-windows.svg").read_bytes()
