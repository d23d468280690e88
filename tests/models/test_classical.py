"""Models that scikit-learn fits: their forecasts are computed from plain arrays alone."""

import json

import numpy as np
import pytest
import torch

from flarecast.batches import Batch
from flarecast.errors import FlarecastError
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.models.tabular import ALL
from flarecast.train import train

CLASSICAL = ["random_forest", "gradient_boosting", "nearest"]


def sample(n=300, n_steps=5, n_features=3, n_classes=3, seed=0, weighted=True):
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(n, 1, 1))
    steps = (level + rng.normal(0, 0.5, (n, n_steps, n_features))).astype(np.float32)
    classes = np.digitize(level[:, 0, 0] + rng.normal(0, 0.3, n), [0.0, 1.0][: n_classes - 1])
    weight = rng.uniform(0.5, 3, n).astype(np.float32) if weighted else np.ones(n, np.float32)
    return steps, classes, weight


def batch(steps, low, weight, high=None):
    n = len(steps)
    lowest, highest = torch.as_tensor(low), torch.as_tensor(low if high is None else high)
    return Batch(torch.from_numpy(steps), torch.full((n,), -1), lowest, highest, torch.from_numpy(weight))


def shares(classes, n_classes):
    return torch.from_numpy(np.bincount(classes, minlength=n_classes) / len(classes))


def fitted(name, steps, classes, weight, n_classes=3, **options):
    torch.manual_seed(3)
    unmasked = {} if name == "spot_class" else {"mask": False}
    shape = Shape(steps.shape[2], steps.shape[1], n_classes)
    module = load_builder(name)(shape, **{**unmasked, **options})
    module.fit_directly([batch(steps, classes, weight)], shares(classes, n_classes))
    return module.eval()


def said(module, steps):
    return torch.softmax(module(torch.from_numpy(steps), torch.full((len(steps),), -1)), dim=1).numpy()


def seed_drawn():
    torch.manual_seed(3)
    return int(torch.randint(2**31 - 1, ()).item())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_forest_votes_like_scikit_learns(n_classes):
    from sklearn.ensemble import RandomForestClassifier

    steps, classes, weight = sample(n_classes=n_classes)
    module = fitted("random_forest", steps, classes, weight, n_classes, trees=30, min_leaf=3)
    forest = RandomForestClassifier(30, min_samples_leaf=3, max_features=0.2, random_state=seed_drawn())
    values = module.table(torch.from_numpy(steps)).numpy()
    forest.fit(values, classes, weight.astype(np.float64))
    unseen = module.table(torch.from_numpy(sample(seed=1)[0]))
    np.testing.assert_allclose(module.votes(unseen), forest.predict_proba(unseen.numpy()), atol=1e-14)
    expected = (30 * forest.predict_proba(unseen.numpy()) + shares(classes, n_classes).numpy()) / 31
    np.testing.assert_allclose(module.probabilities(unseen), expected, atol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_boosting_forecasts_like_scikit_learns(n_classes):
    from sklearn.ensemble import HistGradientBoostingClassifier

    steps, classes, weight = sample(n_classes=n_classes)
    module = fitted("gradient_boosting", steps, classes, weight, n_classes, rounds=20)
    theirs = HistGradientBoostingClassifier(
        max_iter=20, learning_rate=0.05, max_leaf_nodes=8, early_stopping=False, random_state=seed_drawn()
    )
    values = module.table(torch.from_numpy(steps)).numpy()
    theirs.fit(values, classes, weight.astype(np.float64))
    unseen = module.table(torch.from_numpy(sample(seed=1)[0]))
    np.testing.assert_allclose(module.probabilities(unseen), theirs.predict_proba(unseen.numpy()), atol=1e-13)


def test_neighbours_without_weights_are_those_of_scikit_learn():
    from sklearn.neighbors import KNeighborsClassifier

    steps, classes, weight = sample(weighted=False)
    module = fitted("nearest", steps, classes, weight, neighbours=7)
    values = module.table(torch.from_numpy(steps)).numpy()
    centre, spread = values.mean(axis=0), values.std(axis=0)
    theirs = KNeighborsClassifier(7).fit((values - centre) / spread, classes)
    unseen = module.table(torch.from_numpy(sample(seed=1)[0]))
    expected = theirs.predict_proba((unseen.numpy() - centre) / spread)
    np.testing.assert_allclose(module.votes(unseen) / 7, expected, atol=1e-15)


def test_a_neighbour_votes_with_its_weight():
    steps, classes, weight = sample(weighted=False)
    weight[classes == 2] = 4.0
    heavy = fitted("nearest", steps, classes, weight, neighbours=7)
    light = fitted("nearest", steps, classes, np.ones_like(weight), neighbours=7)
    values = heavy.table(torch.from_numpy(sample(seed=1)[0]))
    expected = light.votes(values).numpy() * [1, 1, 4]
    np.testing.assert_allclose(heavy.votes(values), expected)


def test_a_table_that_is_too_long_is_thinned_evenly():
    steps, classes, weight = sample()
    module = fitted("nearest", steps, classes, weight, max_windows=30)
    assert module.known.shape == (30, 12)
    assert np.isfinite(said(module, steps)).all()


@pytest.mark.parametrize("name", CLASSICAL)
def test_windows_of_unknown_class_are_left_out(name):
    steps, classes, weight = sample()
    torch.manual_seed(3)
    module = load_builder(name)(Shape(3, 5, 3), mask=False)
    open_to = batch(steps[:50] + 9, np.zeros(50, np.int64), weight[:50], np.full(50, 2))
    notes = module.fit_directly([batch(steps, classes, weight), open_to], shares(classes, 3))
    assert notes["windows_fitted"] == len(steps)
    np.testing.assert_array_equal(said(module, steps), said(fitted(name, steps, classes, weight), steps))


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_heavier_class_is_forecast_more_often(name):
    steps, classes, weight = sample(weighted=False)
    heavy = np.where(classes == 2, np.float32(8), np.float32(1))
    plain, more = (said(fitted(name, steps, classes, one), steps)[:, 2].mean() for one in (weight, heavy))
    assert more > plain * 1.05


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_class_that_no_window_has_keeps_a_tiny_probability(name):
    steps, classes, weight = sample()
    probability = said(fitted(name, steps, np.where(classes > 0, 2, 0), weight, 4), steps)
    assert np.isfinite(probability).all()
    assert (probability[:, [1, 3]] < 1e-5).all()
    assert probability[classes == 2, 2].mean() > 0.7


@pytest.mark.parametrize("name", [*CLASSICAL, "spot_class"])
def test_a_single_class_leaves_the_priors(name):
    steps, _, weight = sample(n=40)
    probability = said(fitted(name, steps, np.zeros(40, np.int64), weight), steps)
    np.testing.assert_allclose(probability, np.repeat([[1.0, 1e-6, 1e-6]], 40, axis=0), atol=3e-6)


@pytest.mark.parametrize("name", CLASSICAL)
def test_constant_and_huge_features_do_no_harm(name):
    steps, classes, weight = sample()
    steps[:, :, 1] = 3.0
    steps[:, :, 2] *= 1e30
    assert np.isfinite(said(fitted(name, steps, classes, weight), steps)).all()


def test_boosting_refuses_trees_that_it_does_not_know(monkeypatch):
    from sklearn.ensemble import HistGradientBoostingClassifier

    def otherwise(self, values):
        return np.full((len(values), 3), 1 / 3)

    monkeypatch.setattr(HistGradientBoostingClassifier, "predict_proba", otherwise)
    with pytest.raises(FlarecastError, match=r"install scikit-learn 1\.8"):
        fitted("gradient_boosting", *sample())


def test_rates_by_spot_class_are_shares_beside_windows_of_the_rate_of_all():
    steps = np.repeat(np.array([[[1.0, 2.0]], [[3.0, 0.0]]], np.float32), 40, axis=0)
    classes = np.repeat([0, 1, 0], [30, 10, 40])
    module = fitted("spot_class", steps, classes, np.ones(80, np.float32), 2, windows_of_all=8.0)
    new = np.array([[[1.0, 2.0]], [[3.0, 0.0]], [[1.0, 0.0]]], np.float32)
    np.testing.assert_allclose(said(module, new)[:, 1], [11 / 48, 1 / 48, 1 / 8], rtol=1e-6)
    np.testing.assert_allclose(module.rate[0], -np.log(1 - 11 / 48), rtol=1e-12)


def test_rates_by_spot_class_count_what_is_known_of_an_outcome():
    steps = np.ones((30, 1, 1), np.float32)
    low, high = np.repeat([0, 1, 1], 10), np.repeat([0, 1, 2], 10)
    module = load_builder("spot_class")(Shape(1, 1, 3), windows_of_all=1e-9)
    prior = torch.tensor([1 / 3, 1 / 2, 1 / 6], dtype=torch.float64)
    module.fit_directly([batch(steps, low, np.ones(30, np.float32), high)], prior)
    got = -np.expm1(-module.rate[0].numpy())
    np.testing.assert_allclose(got, [2 / 3, 1e-6], atol=2e-6)


@pytest.mark.parametrize(
    ("name", "kept"), [("random_forest", "fitted arrays"), ("nearest", "training table")]
)
def test_the_model_file_says_what_is_kept(name, kept, windows, split, configure, tmp_path):
    train(windows, split, configure(name), folder=tmp_path, device="cpu")
    training = json.loads((tmp_path / "model.json").read_text())["training"]
    assert training["kept_as"].startswith(kept)
    assert 0 < training["windows_fitted"] <= training["windows_train"]


def test_every_statistic_of_windows_is_offered():
    from flarecast.features import STATISTICS

    assert set(ALL) == set(STATISTICS)


@pytest.mark.parametrize("name", CLASSICAL)
def test_with_a_mask_statistics_are_of_what_was_observed(name):
    from flarecast.features import window_statistics

    steps, _, _ = sample(n=6)
    seen = np.random.default_rng(4).random(steps.shape) > 0.3
    seen[0, :, 1] = False
    module = load_builder(name)(Shape(3, 5, 3), mask=True, statistics=ALL)
    masked = np.concatenate([np.where(seen, steps, 0), seen], axis=2).astype(np.float32)
    expected = window_statistics(np.where(seen, steps, np.float32(np.nan)), ALL).reshape(6, -1)
    got = module.table(torch.from_numpy(masked)).numpy()
    np.testing.assert_array_equal(got, np.nan_to_num(expected))
    assert got[0, ALL.index("missing_share") * 3 + 1] == 1


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_gap_changes_the_forecast_of_a_model_with_a_mask(name, windows, split, configure, tmp_path):
    options = {"statistics": ["last", "missing_share"], "mask": True}
    model = train(windows, split, configure(name, model={"options": options}), folder=tmp_path, device="cpu")
    generator = torch.Generator().manual_seed(0)
    whole = torch.cat([torch.randn(200, 6, 3, generator=generator), torch.ones(200, 6, 3)], dim=2)
    gaps = whole.clone()
    gaps[:, :4, 3:] = 0
    last = torch.full((200,), -1)
    assert not torch.equal(model.module(whole, last), model.module(gaps, last))


def test_features_that_are_no_spot_classes_are_refused():
    steps = np.random.default_rng(0).normal(size=(1001, 1, 2)).astype(np.float32)
    with pytest.raises(FlarecastError, match=r"got 1001; set model\.features"):
        fitted("spot_class", steps, np.arange(1001) % 3, np.ones(1001, np.float32))
