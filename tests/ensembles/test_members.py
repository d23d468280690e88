"""Ensembles: how members come about, what they forecast together, and what cannot be had."""

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from trained import history

from flarecast import schema
from flarecast.calibrate import calibrate
from flarecast.config import parse_config
from flarecast.ensembles import ENSEMBLES, check_ensemble, recipe_of, recipes
from flarecast.ensembles.bayes import draw_heads
from flarecast.ensembles.members import member_folder, with_members
from flarecast.errors import FlarecastError
from flarecast.forecast import class_probability, forecast
from flarecast.forecast.folds import forecast_folds
from flarecast.goes import occurred_table
from flarecast.model_file import load
from flarecast.pretraining.fitting import check_parts as check_pretraining
from flarecast.resources import ALONE, Resources
from flarecast.train import check_parts
from flarecast.train.bagging import bag_of, draw_bag
from flarecast.train.trainings import train_all
from flarecast.uncertainty import credible_range, entropy_parts, mean_probability

WITHOUT_GP = pytest.mark.skipif(find_spec("gpytorch") is None, reason="the extra gp is not installed")

HOW = {
    "deep": {"members": 3},
    "snapshot": {"members": 2},
    "bagging": {"members": 3},
    "mc_dropout": {"members": 4},
    "laplace": {"members": 6},
    "variational": {"members": 6, "epochs": 1},
    "gp": {"members": 6, "epochs": 1},
}
KINDS = [pytest.param(name, marks=WITHOUT_GP) if name == "gp" else name for name in HOW]
EPOCHS = {"epochs": 4, "batch_size": 32}


def ensemble(name, **options):
    return {"name": name, "options": HOW[name] | options}


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    """Members that differ are enough here; how good a posterior is, test_bayes asks."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("variational", "gaussian_process"):
            patch.setattr(f"flarecast.ensembles.bayes.{module}.LEAST_STEPS", 20)
        yield


@pytest.fixture(scope="module")
def files(windows, split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    schema.save(windows, folder / "windows.nc", schema.WINDOWS)
    schema.save(split, folder / "split.nc", schema.SPLIT)
    return folder / "windows.nc", folder / "split.nc"


@pytest.fixture(scope="module")
def trained(files, configure, tmp_path_factory):
    """Folder of a model with members of a kind, each kind trained once."""
    done = {}

    def train(name):
        if name not in done:
            done[name] = tmp_path_factory.mktemp(name)
            config = configure("lstm", train=EPOCHS, ensemble=ensemble(name))
            train_all(*files, config, done[name], ALONE)
        return done[name]

    return train


def test_every_kind_of_ensemble_is_tested():
    assert set(HOW) | {"none"} == set(ENSEMBLES)


@pytest.mark.parametrize("name", KINDS)
def test_members_forecast_together(name, windows, split, trained):
    made = forecast_folds(windows, split, trained(name), device="cpu")
    schema.check(made, schema.FORECASTS)
    member = made["member"].values
    assert member.shape == (windows.sizes["window"], 3, HOW[name]["members"])
    there = windows["region"].values != "SIM 0"
    assert np.isfinite(member[there]).all()
    assert np.isnan(member[~there]).all()
    assert (np.diff(member[there], axis=1) <= 0).all()
    np.testing.assert_array_equal(made["probability_raw"], mean_probability(member))
    np.testing.assert_array_equal(made["probability"], made["probability_raw"])
    assert member[there].std(axis=2).mean() > 1e-4, "members differ"
    lower, mean, upper = (made[f"probability{end}"].values[there] for end in ("_lower", "", "_upper"))
    assert (lower <= mean).all()
    assert (mean <= upper).all()
    aleatoric, epistemic = made["aleatoric"].values[there], made["epistemic"].values[there]
    assert epistemic.min() >= 0
    assert epistemic.max() > 0
    assert (aleatoric + epistemic).max() <= 1


@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    name, windows, split, files, configure, trained, tmp_path
):
    first = forecast_folds(windows, split, trained(name), device="cpu")
    for seed, same in ((0, True), (1, False)):
        config = configure("lstm", train=EPOCHS, ensemble=ensemble(name), run={"seed": seed})
        train_all(*files, config, tmp_path / str(seed), Resources("cpu", 1, None))
        again = forecast_folds(windows, split, tmp_path / str(seed), device="cpu")
        np.testing.assert_equal(np.array_equal(first["member"], again["member"], equal_nan=True), same)


@pytest.mark.parametrize("name", KINDS)
def test_what_a_member_says_of_a_window_does_not_depend_on_those_beside_it(name, windows, split, trained):
    whole = forecast_folds(windows, split, trained(name), device="cpu")["member"].values
    few = windows.isel(window=[30, 31, 200])
    got = forecast_folds(few, None, trained(name), device="cpu")["member"].values
    np.testing.assert_allclose(got, whole[[30, 31, 200]], atol=1e-5)


def test_members_that_another_configuration_left_go_before_others_are_trained(files, configure, tmp_path):
    swag = {"averaging": "swag", "epochs": 4, "averaging_options": {"members": 2, "per_epoch": 2}}
    for kind, train, numbers in (
        ("deep", EPOCHS, ["1", "2"]),
        ("none", swag, ["1", "2"]),
        ("deep", EPOCHS, ["1", "2"]),
        ("none", EPOCHS, []),
    ):
        section = {"name": "deep", "options": {"members": 3}} if kind == "deep" else {}
        config = configure("lstm", train=train, ensemble=section)
        (tmp_path / "members" / "7").mkdir(parents=True, exist_ok=True)
        train_all(*files, config, tmp_path, ALONE)
        assert sorted(path.name for path in (tmp_path / "members").glob("*")) == numbers
        assert all((tmp_path / "members" / number / "model.json").exists() for number in numbers)


def test_a_posterior_is_that_of_the_windows_that_the_network_was_fitted_to(
    files, configure, tmp_path, monkeypatch
):
    seen = []

    def spy(posterior, module, batches, **how):
        kept = list(batches)
        seen.append(torch.cat([batch.low for batch in kept]))
        return draw_heads(posterior, module, kept, **how)

    monkeypatch.setattr("flarecast.train.members.draw_heads", spy)
    balance = {"name": "undersample", "event": "X1.0"}
    train = {"epochs": 1, "averaging": "none"}
    config = configure("lstm", train=train, ensemble=ensemble("laplace"), balance=balance)
    said = train_all(*files, config, tmp_path, ALONE)
    assert len(seen[0]) == said.training["windows_train_balanced"]
    assert len(seen[0]) != said.training["windows_validation"]
    assert float((seen[0] == 3).float().mean()) == pytest.approx(said.prior_trained[3], abs=0.02)


@pytest.mark.parametrize("name", ["laplace", "variational"])
def test_members_that_share_all_but_the_head_say_what_each_says_alone(name, windows, trained):
    folder = trained(name)
    model = with_members(load(folder, "cpu"), folder, "cpu")
    occurred = occurred_table(windows, model.events)
    together = forecast(windows, model, device="cpu")["member"].values
    for nth, member in enumerate(model.members):
        alone = class_probability(windows, member, occurred, "cpu")
        np.testing.assert_allclose(together[:, 0, nth], alone[:, 1:].sum(axis=1), rtol=1e-5)


def test_a_deep_ensemble_counts_the_model_and_a_bag_does_not(windows, trained):
    for name, included in (("deep", True), ("bagging", False)):
        model = load(trained(name), "cpu")
        whole = with_members(model, trained(name), "cpu")
        assert (whole.members[0].module is model.module) == included
        assert len(whole.members) == 3


def test_each_member_is_a_model_folder_that_forecasts_alone(windows, split, trained):
    alone = forecast_folds(windows, split, member_folder(trained("bagging"), 2), device="cpu")
    together = forecast_folds(windows, split, trained("bagging"), device="cpu")
    np.testing.assert_allclose(alone["probability"], together["member"][:, :, 1], rtol=1e-6)
    assert "member" not in alone


def test_snapshots_are_taken_at_the_end_of_each_cycle_and_the_rate_starts_anew(trained):
    folder = trained("snapshot")
    rates = [line["learning_rate"] for line in history(folder) if "train_loss" in line]
    assert len(rates) == EPOCHS["epochs"]
    assert rates[1] < rates[0]
    assert rates[2] == rates[0]
    epochs = [load(member_folder(folder, number), "cpu").training["epochs"] for number in (1, 2)]
    assert epochs == [2, 4]


def test_a_killed_snapshot_training_goes_on_to_the_same_members(files, configure, trained, tmp_path):
    config = configure("lstm", train=EPOCHS, ensemble=ensemble("snapshot"))

    def stop(done, *_):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_all(*files, config, tmp_path, Resources("cpu", 1, stop))
    assert not (tmp_path / "model.json").exists()
    train_all(*files, config, tmp_path, ALONE)
    for number in (1, 2):
        whole, again = (
            member_folder(one, number) / "model.safetensors" for one in (trained("snapshot"), tmp_path)
        )
        assert whole.read_bytes() == again.read_bytes()


def test_folds_and_rivals_hold_their_own_members(windows, files, configure, tmp_path):
    path = files[0]
    region = np.array([int(name.split()[1]) for name in windows["region"].values])
    final = np.array([1, 1, 1, 1, 1, 2, 2, 3, 4, 4])[region % 10]
    fold = np.array([3, 1, 1, 1, 1, 2, 2, 1, 0, 0])[region % 10]
    attributes = {"windows_sha256": "", "strategy": "by_region", "embargo_hours": 0.0, "history": "toy"}
    two = schema.build(
        schema.SPLIT, {"role": np.stack([final, fold])}, attributes | {"final_fold": 0, "out_of_fold": 1}
    )
    schema.save(two, tmp_path / "split.nc", schema.SPLIT)
    bags = {"name": "bagging", "options": {"members": 2}}
    config = configure(
        "logistic", rivals={"deep": {"model": {"name": "cnn", "options": {"channels": [4]}}, "train": EPOCHS,
                                     "ensemble": {"name": "deep", "options": {"members": 2}}}}, ensemble=bags
    )  # fmt: skip
    folder = tmp_path / "model"
    train_all(path, tmp_path / "split.nc", config, folder, ALONE)
    found = sorted(one.parent.relative_to(folder).as_posix() for one in folder.rglob("model.json"))
    assert found == [
        ".", "folds/1", "folds/1/members/1", "folds/1/members/2", "members/1", "members/2",
        "rivals/deep", "rivals/deep/folds/1", "rivals/deep/folds/1/members/1", "rivals/deep/members/1",
    ]  # fmt: skip
    made = forecast_folds(windows, two, folder, device="cpu")
    assert made["member"].shape[2] == 2
    assert made["rival"].values.tolist() == ["deep"]

    plain = configure("logistic")
    train_all(path, tmp_path / "split.nc", plain, folder, ALONE)
    assert not list(folder.rglob("members/*"))
    assert "member" not in forecast_folds(windows, two, folder, device="cpu")


def test_calibration_maps_mean_and_range_along_one_curve_and_leaves_members_raw(windows, split, trained):
    raw = forecast_folds(windows, split, trained("deep"), device="cpu")
    mended, calibration = calibrate(raw, "platt", {"min_events": 3})
    assert mended.attrs["calibrated"] == 1
    for name in ("member", "aleatoric", "epistemic"):
        np.testing.assert_array_equal(mended[name], raw[name])
    lower, probability, upper = (mended[f"probability{end}"].values for end in ("_lower", "", "_upper"))
    there = np.isfinite(probability)
    assert (lower[there] <= probability[there]).all()
    assert (probability[there] <= upper[there]).all()
    moved = (mended["probability_upper"] - raw["probability_upper"]).values
    assert np.nanmax(np.abs(moved)) > 1e-3
    again = forecast_folds(windows, split, trained("deep"), device="cpu", calibration=calibration)
    np.testing.assert_array_equal(again["probability_upper"], upper)


def test_a_member_of_another_feature_set_is_refused(windows, trained):
    folder = trained("deep")
    model = load(folder, "cpu")
    with pytest.raises(
        FlarecastError, match="features of the model, TOTFX, R_VALUE, got TOTFX, R_VALUE, noise"
    ):
        with_members(replace(model, features=("TOTFX", "R_VALUE")), folder, "cpu")


def test_members_that_are_missing_are_named(files, configure, tmp_path):
    config = configure("logistic", ensemble={"name": "bagging", "options": {"members": 3}})
    train_all(*files, config, tmp_path, ALONE)
    (member_folder(tmp_path, 2) / "model.json").unlink()
    with pytest.raises(FlarecastError, match="expected members 1 to 3, got 1, 3; train anew"):
        with_members(load(tmp_path, "cpu"), tmp_path, "cpu")


def test_a_folder_with_one_member_is_no_ensemble(files, configure, tmp_path):
    train_all(*files, configure("logistic"), tmp_path, ALONE)
    train_all(*files, configure("logistic"), member_folder(tmp_path, 1), ALONE)
    with pytest.raises(FlarecastError, match="expected at least 2 members, got 1"):
        with_members(load(tmp_path, "cpu"), tmp_path, "cpu")


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"ensemble": ensemble("deep", members=1)}, "at least 2 members, got 1"),
        ({"ensemble": ensemble("mc_dropout"), "model": {"options": {}}}, "dropout above 0, got lstm with 0"),
        (
            {"ensemble": ensemble("snapshot", members=5), "train": {"epochs": 3}},
            "5 cycles share evenly, got 3; set it to 5",
        ),
        ({"ensemble": ensemble("snapshot"), "train": {"schedule": "step"}}, "set train.schedule itself"),
        ({"ensemble": {"name": "committee"}}, "ensemble.name: expected one of bagging, deep"),
        ({"ensemble": ensemble("deep", size=3)}, "unknown key size; known here: members"),
        ({"ensemble": ensemble("deep", members=-3)}, "greater than or equal to 1, got -3"),
        ({"ensemble": ensemble("deep", members=1.5)}, "members: input should be a valid integer, got 1.5"),
        ({"ensemble": ensemble("deep", members=True)}, "members: input should be a valid integer, got True"),
        ({"ensemble": ensemble("variational", warm_up=2)}, "warm_up: input should be less than or equal to"),
        (
            {"ensemble": ensemble("laplace", prior_precision=float("inf"))},
            "prior_precision: input should be a finite number, got inf",
        ),
    ],
    ids=[
        *(
            "one member",
            "dropout 0",
            "long cycles",
            "schedule",
            "name",
            "option",
            "negative",
            "a half",
            "yes",
        ),
        *("warm up", "infinite"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(sections, words, configure):
    config = configure("lstm", **sections)
    with pytest.raises(FlarecastError, match=words) as error:
        check_parts(config)
    assert "\n" not in str(error.value)


def test_a_function_drawn_from_a_process_is_not_trained(files, configure, tmp_path):
    config = configure("lstm", model={"options": {"head": "gp"}})
    for refuse in (check_parts, check_pretraining, lambda config: train_all(*files, config, tmp_path, ALONE)):
        with pytest.raises(FlarecastError, match="expected head classes or nested, got gp"):
            refuse(config)


@pytest.mark.parametrize(
    ("averaging", "options"), [("swa", {"anneal": 2}), ("swa", {"cycle": 9}), ("ema", {"decay": 0.9})]
)
def test_snapshots_leave_averaging_with_its_options_out(averaging, options, files, configure, tmp_path):
    settings = {"epochs": 2, "averaging": averaging, "averaging_options": options}
    config = configure("lstm", train=settings, ensemble=ensemble("snapshot", members=2))
    check_parts(config)
    assert train_all(*files, config, tmp_path, ALONE).training["kept"] == "best"


@pytest.mark.parametrize("name", [name for name in HOW if name != "bagging"])
def test_a_model_that_is_not_trained_by_gradient_can_only_be_bagged(name, configure):
    with pytest.raises(FlarecastError, match="trained by gradient, got random_forest; use bagging"):
        check_parts(configure("random_forest", ensemble={"name": name}))
    check_parts(configure("random_forest", ensemble={"name": "bagging"}))


def test_averaging_that_writes_members_leaves_no_room_for_others(configure):
    with pytest.raises(FlarecastError, match="expected another train"):
        check_ensemble(configure("lstm", ensemble=ensemble("deep"), train={"averaging": "swag"}))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("laplace", {"prior_precision": 1e-300}),
        ("variational", {"learning_rate": 1e30}),
        ("variational", {"prior_scale": 1e300}),
        pytest.param("gp", {"learning_rate": 1e8}, marks=WITHOUT_GP),
    ],
)
def test_a_posterior_that_says_nothing_finite_is_one_sentence_and_leaves_no_model(
    name, options, files, configure, tmp_path
):
    config = configure("lstm", train={"epochs": 1, "averaging": "none"}, ensemble=ensemble(name, **options))
    with pytest.raises(
        FlarecastError, match=f"ensemble.name {name}: expected members that say finite"
    ) as said:
        train_all(*files, config, tmp_path, ALONE)
    assert "\n" not in str(said.value)
    assert not (tmp_path / "model.json").exists()


@pytest.mark.parametrize("rival", [False, True])
def test_only_training_makes_a_member_of_a_training(rival, files, configure, tmp_path):
    """Else the model would be taken for a member, and its own members never be looked for."""
    train_all(*files, configure("logistic"), tmp_path, ALONE)
    lone = {"ensemble": {"name": "bagging", "member": 2}}
    config = configure("logistic", **({"rivals": {"one": lone}} if rival else lone))
    name = "rival one" if rival else "model"
    with pytest.raises(FlarecastError, match=f"^{name}: expected no ensemble.member, .* got 2; leave it out"):
        train_all(*files, config, tmp_path, ALONE)
    assert (tmp_path / "model.json").exists(), "what was there is not lost"


def test_a_model_whose_file_has_no_dropout_is_not_thinned(windows, trained, tmp_path):
    shutil.copytree(trained("mc_dropout"), tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    said = json.loads(path.read_text())
    said["model_options"]["dropout"] = 0.0
    path.write_text(json.dumps(said))
    with pytest.raises(FlarecastError, match="expected a model with dropout above 0, got lstm with 0; train"):
        with_members(load(tmp_path / "model", "cpu"), tmp_path / "model", "cpu")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda one: (one / "model.safetensors").write_bytes(b"junk"), "weights that model.json names, got"),
        (lambda one: (one / "model.safetensors").unlink(), "weights that model.json names, got none"),
        (lambda one: (one / "model.json").write_text('{"format"'), "expected JSON, got something else"),
        (lambda one: rewrite(one, lead_hours=24.0), "the lead hours of the model, 0.0, got 24.0; train anew"),
        (lambda one: rewrite(one, horizon_hours=48.0), "the horizon hours of the model, 24.0, got 48.0"),
        (lambda one: shutil.copytree(one, one.parent / "9"), "members 1 to 3, got 1, 2, 3, 9; train anew"),
        (lambda one: shutil.rmtree(one.parent), "expected members 1 to 3, got none; train anew"),
    ],
    ids=["other weights", "no weights", "half a file", "lead", "horizon", "one more", "none"],
)
def test_a_damaged_or_other_member_is_named_in_one_sentence(damage, words, trained, tmp_path):
    shutil.copytree(trained("bagging"), tmp_path / "model")
    damage(member_folder(tmp_path / "model", 2))
    with pytest.raises(FlarecastError, match=words) as said:
        with_members(load(tmp_path / "model", "cpu"), tmp_path / "model", "cpu")
    assert "\n" not in str(said.value)


def rewrite(folder, **changes):
    said = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(said | changes))


def test_a_missing_extra_is_named(configure, monkeypatch):
    monkeypatch.setattr(recipes, "find_spec", lambda name: None)
    with pytest.raises(FlarecastError, match=r"pip install 'flarecast\[gp\]'"):
        check_ensemble(configure("lstm", ensemble={"name": "gp"}))


def test_a_rival_is_single_unless_it_asks_for_members():
    config = parse_config(
        {"ensemble": {"name": "deep"}, "rivals": {"one": {}, "bags": {"ensemble": {"name": "bagging"}}}}
    )
    assert config.of_rival("one").ensemble.name == "none"
    assert recipe_of(config.of_rival("bags")).trained == 10


def test_a_bag_holds_whole_regions_with_all_their_windows():
    cluster = np.repeat(np.array([f"SIM {n}" for n in range(50)], dtype=object), 7)
    bag = draw_bag(cluster, np.random.default_rng(0))
    names, counts = np.unique(cluster[bag].astype(str), return_counts=True)
    assert bag.size == cluster.size
    assert (counts % 7 == 0).all()
    assert 25 < names.size < 40, "about 63 % of the regions"
    for name in names:
        of_region = np.flatnonzero(cluster == name)
        assert set(of_region) <= set(bag.tolist())


def test_no_bag_lacks_the_only_region_with_an_event(windows, configure):
    region = windows["region"].values.astype(str)
    low = np.where(region == region[0], 3, 0)
    for number in range(1, 21):  # a bag has 63 % of the regions
        config = configure("logistic", ensemble=ensemble("bagging")).of_member(number)
        bag = bag_of(windows, np.arange(region.size), low, config)
        assert low[bag].max() == 3
        assert np.unique(region[bag]).size < 50


def test_a_single_region_makes_no_bags_that_differ():
    with pytest.raises(
        FlarecastError, match=r"of several regions .*, got 1, so that all members would be alike"
    ):
        draw_bag(np.repeat(np.array(["SIM 1"], dtype=object), 7), np.random.default_rng(0))


def test_entropy_parts_of_known_members():
    member = np.array([[[0.5, 0.5]], [[0.0, 1.0]], [[0.1, 0.1]]])
    aleatoric, epistemic = entropy_parts(member)
    np.testing.assert_allclose(aleatoric[:, 0], [1.0, 0.0, 0.4689955935892812])
    np.testing.assert_allclose(epistemic[:, 0], [0.0, 1.0, 0.0], atol=1e-12)


def test_the_range_holds_the_mean_even_of_a_lone_voice():
    member = np.full((1, 1, 100), 0.001)
    member[..., -1] = 1.0
    lower, upper = credible_range(member)
    assert lower[0, 0] == pytest.approx(0.001)
    assert upper[0, 0] == pytest.approx(0.001 * 0.99 + 0.01)


def test_torch_state_is_left_alone_by_members(windows, trained):
    before = torch.get_rng_state()
    folder = trained("mc_dropout")
    forecast(windows, with_members(load(folder, "cpu"), folder, "cpu"), device="cpu")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("name", ["snapshot", "laplace", "swag"])
def test_what_a_killed_training_left_half_written_of_a_member_goes(name, files, configure, tmp_path):
    averaged = {"averaging": "swag", "averaging_options": {"members": 2, "per_epoch": 2}}
    asked = {"train": EPOCHS | averaged} if name == "swag" else {"train": EPOCHS, "ensemble": ensemble(name)}
    config = configure("lstm", **asked)
    half = tmp_path / "members" / "1" / ".model.json.1.part"
    half.parent.mkdir(parents=True)
    half.write_text("half", encoding="utf-8")
    train_all(*files, config, tmp_path, ALONE)
    assert (half.parent / "model.json").is_file()
    assert not half.exists()
