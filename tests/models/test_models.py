import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.svm import SVC

from flarecast.batches import Batch
from flarecast.config import check_options
from flarecast.errors import FlarecastError
from flarecast.forecast import class_probability, forecast
from flarecast.goes import compatible_classes, occurred_table
from flarecast.model_file import load
from flarecast.models import MODELS, load_builder, takes_mask
from flarecast.models.shape import Shape
from flarecast.train import train

EVENTS = ("C1.0", "M1.0", "X1.0")


def likelihood(windows, model, chosen):
    """Mean log likelihood of the windows whose class is known."""
    occurred = occurred_table(windows, EVENTS)
    low, high = compatible_classes(occurred)
    probability = class_probability(windows, model, occurred, "cpu")
    scored = chosen & (low == high) & ~np.isnan(probability[:, 0])
    return np.log(probability[scored, low[scored]]).mean()


def batch(steps, classes, last_class=None):
    n = len(steps)
    low = torch.as_tensor(classes)
    last = torch.full((n,), -1) if last_class is None else torch.as_tensor(last_class)
    return Batch(torch.as_tensor(steps, dtype=torch.float32), last, low, low, torch.ones(n))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_trains_forecasts_nested_and_comes_back_from_disk_to_the_bit(
    name, windows, split, configure, tmp_path
):
    if name == "minirocket":
        pytest.importorskip("aeon", reason="aeon, of the extra rocket, is not installed")
    config = configure(name)
    model = train(windows, split, config, folder=tmp_path / "a", device="cpu")
    shape = Shape(3, 6, 4)
    assert model.shape == shape
    n_inputs = shape.n_inputs(takes_mask(name, config.model.options))
    logits = model.module(torch.zeros(5, 6, n_inputs), torch.tensor([-1, 0, 1, 2, 3]))
    assert logits.shape == (5, 4)

    made = forecast(windows, model, device="cpu")
    probability = made["probability"].values
    silent = windows["region"].values == "SIM 0"
    assert np.isnan(probability[silent]).all()
    assert np.isfinite(probability[~silent]).all()
    assert (np.diff(probability[~silent], axis=1) <= 0).all()
    assert ((probability[~silent] >= 0) & (probability[~silent] <= 1)).all()

    train(windows, split, config, folder=tmp_path / "b", device="cpu")
    for file in ("model.safetensors", "model.json", "history.jsonl"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    again = forecast(windows, load(tmp_path / "a", "cpu"), device="cpu")
    np.testing.assert_array_equal(again["probability"].values, probability)

    test = split["role"].values[0] == 4
    climatology = train(windows, split, configure("climatology"), folder=tmp_path / "c", device="cpu")
    gain = likelihood(windows, model, test) - likelihood(windows, climatology, test)
    if name == "climatology":
        assert gain == 0
    elif name == "spot_class":  # the features are no spot classes, so none has been seen before
        assert abs(gain) < 0.01
    else:
        assert gain > 0.2


OVERFITS = {
    "random_forest": {"trees": 50, "min_leaf": 1, "mask": False},
    "gradient_boosting": {"min_leaf": 2, "learning_rate": 0.3, "mask": False},
    "nearest": {"neighbours": 1, "mask": False},
    "spot_class": {"windows_of_all": 0.01},
    "logistic": {"inverse_penalty": 1e4},
    "svm": {"inverse_penalty": 1e4, "gamma": 1.0},
}


def few_windows():
    rng = np.random.default_rng(11)
    return rng.normal(size=(64, 6, 3)).astype(np.float32), np.repeat([0, 1, 2, 3], 16)


def fitted(name):
    """A model of 64 windows whose classes are noise, seeded; None where it is fitted by gradient."""
    torch.manual_seed(5)
    module = load_builder(name)(Shape(3, 6, 4), **OVERFITS[name])
    steps, classes = few_windows()
    module.fit_directly([batch(steps, classes)], torch.full((4,), 0.25, dtype=torch.float64))
    return module.eval()


@pytest.mark.parametrize("name", OVERFITS)
def test_a_model_fitted_directly_overfits_64_windows_the_same_each_time(name):
    steps, classes = few_windows()
    logits = fitted(name)(torch.from_numpy(steps), torch.full((64,), -1))
    least = {"logistic": 0.6, "svm": 0.0}.get(name, 0.9)  # margins of held-out blocks tell nothing of noise
    assert (logits.argmax(dim=1).numpy() == classes).mean() > least
    assert torch.equal(logits, fitted(name)(torch.from_numpy(steps), torch.full((64,), -1)))


@pytest.mark.parametrize("name", OVERFITS)
def test_a_window_of_which_nothing_is_known_has_a_finite_forecast(name):
    logits = fitted(name)(torch.zeros(2, 6, 3), torch.full((2,), -1))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_built_by_keywords_alone_and_refuses_an_option_it_does_not_know(name):
    build = load_builder(name)
    first, *options = inspect.signature(build).parameters.values()
    assert first.name == "shape"
    assert all(option.kind is option.KEYWORD_ONLY for option in options)
    with pytest.raises(FlarecastError, match=r"model\.options: unknown key widht"):
        check_options(build, {"widht": 3}, "model.options")


def test_an_unknown_model_lists_those_there_are():
    with pytest.raises(
        FlarecastError, match="expected one of climatology, cnn, cnn_lstm, gradient_boosting, gru"
    ):
        load_builder("oracle")


@pytest.mark.parametrize(
    ("name", "options"), [("lstm", {"hidden": 0}), ("lstm", {"dropout": 1.0}), ("cnn", {"channels": []})]
)
def test_options_out_of_range_are_refused(name, options):
    with pytest.raises(FlarecastError, match=next(iter(options))):
        check_options(load_builder(name), options, "model.options")


@pytest.mark.parametrize("name", ["lstm", "cnn", *OVERFITS])
@pytest.mark.parametrize("n_steps", [1, 2])
def test_models_work_on_windows_of_one_or_two_steps(name, n_steps):
    module = load_builder(name)(Shape(2, n_steps, 3), **OVERFITS.get(name, {})).eval()
    logits = module(torch.randn(4, n_steps, 2), torch.full((4,), -1))
    assert torch.isfinite(logits).all()


def test_climatology_says_the_class_priors():
    module = load_builder("climatology")(Shape(1, 1, 3))
    module.fit_directly([], torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64))
    probability = torch.softmax(module(torch.zeros(2, 1, 1), torch.tensor([-1, 2])), dim=1)
    np.testing.assert_allclose(probability, [[0.7, 0.2, 0.1]] * 2, rtol=1e-12)


def test_persistence_counts_what_followed_what():
    module = load_builder("persistence")(Shape(1, 1, 2))
    prior = torch.tensor([0.5, 0.5], dtype=torch.float64)
    fitted = batch(np.zeros((6, 1, 1)), [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1])
    module.fit_directly([fitted], prior)
    probability = torch.softmax(module(torch.zeros(3, 1, 1), torch.tensor([-1, 0, 1])), dim=1)
    np.testing.assert_allclose(probability, [[0.5, 0.5], [3.5 / 5, 1.5 / 5], [0.5 / 3, 2.5 / 3]], rtol=1e-12)


def test_persistence_leaves_out_windows_of_unknown_class():
    module = load_builder("persistence")(Shape(1, 1, 2))
    open_window = Batch(
        torch.zeros(1, 1, 1), torch.tensor([0]), torch.tensor([0]), torch.tensor([1]), torch.ones(1)
    )
    module.fit_directly([open_window], torch.tensor([0.9, 0.1], dtype=torch.float64))
    np.testing.assert_allclose(torch.softmax(module.log_table, dim=1)[1], [0.9, 0.1], rtol=1e-12)


def test_logistic_statistics_are_those_of_numpy():
    steps = np.random.default_rng(1).normal(size=(5, 7, 2)).astype(np.float32)
    module = load_builder("logistic")(Shape(2, 7, 2))
    got = module.window_statistics(torch.from_numpy(steps)).numpy()
    wide = steps.astype(np.float64)
    slope = np.stack([np.polyfit(np.linspace(0, 1, 7), wide[:, :, f].T, 1)[0] for f in range(2)], axis=1)
    expected = [wide[:, -1], wide.mean(1), wide.std(1), wide.min(1), wide.max(1), slope]
    np.testing.assert_allclose(got, np.concatenate(expected, axis=1), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_gives_the_probabilities_of_scikit_learn(n_classes):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    steps = rng.normal(size=(200, 1, 3)).astype(np.float32)
    classes = np.digitize(steps[:, 0, 0] + rng.normal(0, 0.5, 200), [0.0, 0.8][: n_classes - 1])
    module = load_builder("logistic")(Shape(3, 1, n_classes), statistics=("last",), inverse_penalty=0.5)
    module.fit_directly([batch(steps, classes)], torch.full((n_classes,), 1 / n_classes))
    values = steps[:, 0].astype(np.float64)
    values = (values - values.mean(0)) / values.std(0)
    expected = LogisticRegression(C=0.5, max_iter=2000).fit(values, classes).predict_proba(values)
    got = torch.softmax(module(torch.from_numpy(steps), torch.zeros(200)), dim=1).detach()
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_logistic_gives_a_class_it_never_saw_a_tiny_probability():
    rng = np.random.default_rng(3)
    steps = rng.normal(size=(60, 1, 1)).astype(np.float32)
    module = load_builder("logistic")(Shape(1, 1, 4))
    module.fit_directly([batch(steps, np.where(steps[:, 0, 0] > 0, 2, 0))], torch.full((4,), 0.25))
    probability = torch.softmax(module(torch.from_numpy(steps), torch.zeros(60)), dim=1).detach()
    assert (probability[:, [1, 3]] <= 1e-6).all()
    assert probability[steps[:, 0, 0] > 1, 2].min() > 0.5


def test_logistic_on_a_single_class_falls_back_to_the_priors():
    module = load_builder("logistic")(Shape(1, 1, 2))
    module.fit_directly([batch(np.ones((4, 1, 1)), [0, 0, 0, 0])], torch.tensor([1.0, 0.0]))
    probability = torch.softmax(module(torch.ones(1, 1, 1), torch.zeros(1)), dim=1).detach()
    np.testing.assert_allclose(probability, [[1, 1e-6]], atol=1e-6)


def test_the_network_of_convolutions_sees_no_later_step():
    module = load_builder("cnn")(Shape(1, 8, 2), channels=(4,), kernel=3).eval()
    steps = torch.randn(1, 8, 1)
    changed = steps.clone()
    changed[:, 5] += 1
    difference = (module.blocks(steps.transpose(1, 2)) - module.blocks(changed.transpose(1, 2))).abs()[0]
    assert difference[:, :5].max() == 0
    assert difference[:, 5:].max() > 0


@pytest.mark.parametrize("n_windows", [250, 40])
def test_support_vectors_give_the_margins_of_scikit_learn(n_windows):
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(n_windows, 4, 2)).astype(np.float32)
    classes = np.digitize(
        steps[:, -1, 0] + steps[:, :, 1].mean(1) ** 2 + rng.normal(0, 0.3, n_windows), [0.5, 1]
    )
    module = load_builder("svm")(Shape(2, 4, 3), inverse_penalty=3.0, gamma=0.2)
    prior = torch.from_numpy(np.bincount(classes, minlength=3) / n_windows)
    parts = [batch(steps[part], classes[part]) for part in np.array_split(np.arange(n_windows), 3)]
    module.fit_directly(parts, prior)
    values = module.standardised(torch.from_numpy(steps))
    assert values.mean(dim=0).abs().max() < 1e-6
    for event in range(2):
        machine = SVC(C=3.0, gamma=0.2).fit(values.numpy(), classes > event)
        expected = machine.decision_function(values.numpy())
        np.testing.assert_allclose(module.margins(values)[:, event], expected, atol=1e-9)
        np.testing.assert_array_equal(module.margins(values)[:, event] > 0, machine.predict(values.numpy()))
    probability = torch.softmax(module(torch.from_numpy(steps), torch.full((n_windows,), -1)), dim=1).numpy()
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert len(module.support) <= n_windows
    assert abs(probability[:, 1:].sum(axis=1).mean() - (classes > 0).mean()) < 0.1


def test_a_machine_takes_weights_and_no_more_windows_than_it_may():
    rng = np.random.default_rng(6)
    steps = rng.normal(size=(400, 1, 1)).astype(np.float32)
    classes = (steps[:, 0, 0] + rng.normal(size=400) > 1).astype(np.int64)
    plain, heavy = batch(steps, classes), batch(steps, classes)
    heavy = replace(heavy, weight=torch.where(heavy.low > 0, 4.0, 0.5))
    mean = []
    for part in (plain, heavy):
        module = load_builder("svm")(Shape(1, 1, 2), max_windows=100)
        module.fit_directly([part], torch.tensor([0.7, 0.3], dtype=torch.float64))
        assert len(module.support) <= 100
        mean.append(torch.softmax(module(part.steps, part.last_class), dim=1)[:, 1].mean())
    assert mean[1] > mean[0] + 0.1


def test_an_event_that_no_machine_can_learn_keeps_its_prior():
    module = load_builder("svm")(Shape(1, 1, 3))
    steps = np.random.default_rng(0).normal(size=(40, 1, 1))
    prior = torch.tensor([0.75, 0.25, 0.0], dtype=torch.float64)
    module.fit_directly([batch(steps, (steps[:, 0, 0] > 0.7).astype(np.int64))], prior)
    probability = torch.softmax(module(torch.zeros(1, 1, 1), torch.tensor([-1])), dim=1)
    assert 0 < probability[0, 2] < 1e-5


def test_margins_that_rank_backwards_in_other_blocks_still_rank():
    """Each block is of another kind, as regions are: what one teaches is wrong in the next."""
    rng = np.random.default_rng(2)
    block = np.repeat(np.arange(5), 30)
    kind = rng.normal(size=(5, 3))[block]
    steps = (kind + rng.normal(0, 0.05, (150, 3)))[:, None].astype(np.float32)
    classes = (block % 2 == 1).astype(np.int64)
    module = load_builder("svm")(Shape(3, 1, 2), gamma=1.0)
    module.fit_directly([batch(steps, classes)], torch.tensor([0.6, 0.4], dtype=torch.float64))
    probability = torch.softmax(module(torch.from_numpy(steps), torch.full((150,), -1)), dim=1)[:, 1]
    assert module.slope[0] > 0
    assert probability[classes == 1].min() > probability[classes == 0].max()
