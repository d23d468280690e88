"""MiniRocket: our convolutions are the paper's, and aeon's to the bit; a forecast needs no aeon."""

import sys
from itertools import combinations
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from flarecast.errors import FlarecastError
from flarecast.forecast import forecast
from flarecast.model_file import load
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.train import train

LEAVES = "aeon.transformations.collection.convolution_based"
HEAVY = list(combinations(range(9), 3))


def drawn(signal, kernels, rng):
    """Arrays as aeon keeps them, levels drawn from the values themselves."""
    n_features, n_steps = signal.shape[1:]
    dilation = np.array([1, 2] if n_steps > 16 else [1], np.int32)
    per_kernel = kernels // 84
    level_count = np.full(dilation.size, per_kernel // dilation.size, np.int32)
    level_count[0] += per_kernel - level_count.sum()
    count = rng.integers(1, min(n_features, 3) + 1, 84 * dilation.size).astype(np.int32)
    channel = np.concatenate([rng.choice(n_features, one, replace=False) for one in count]).astype(np.int32)
    level = rng.normal(0, 2, 84 * per_kernel).astype(np.float32)
    return count, channel, dilation, level_count, level


@pytest.fixture
def without_aeon(monkeypatch):
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "aeon", None)
    monkeypatch.setitem(sys.modules, LEAVES, None)


@pytest.fixture
def stand_in(monkeypatch):
    """In aeon's place something that finds levels at random: what surrounds it is tested everywhere."""

    class MiniRocket:
        def __init__(self, kernels, random_state):
            self.kernels, self.rng = kernels, np.random.default_rng(random_state)
            np.random.seed(0)  # noqa: NPY002  (so does aeon)

        def fit(self, signal):
            return SimpleNamespace(parameters=drawn(signal, self.kernels, self.rng))

    module = ModuleType(LEAVES)
    module.MiniRocket = MiniRocket
    monkeypatch.setitem(sys.modules, LEAVES, module)


def built(n_features, n_steps, kernels=168, arrays=None):
    module = load_builder("minirocket")(Shape(n_features, n_steps, 3), kernels=kernels)
    if arrays is not None:
        names = ("channel_count", "channel", "dilation", "level_count", "level")
        module.keep(**dict(zip(names, arrays, strict=True)))
    return module


def one_by_one(window, arrays):
    """Shares of one window (feature, step), from the paper's definition."""
    count, channel, dilations, level_count, levels = arrays
    shares, combination, last = [], 0, 0
    first = np.concatenate([[0], np.cumsum(count)])
    for nth, dilation in enumerate(dilations):
        reach = 4 * dilation
        for kernel, heavy in enumerate(HEAVY):
            mine = channel[first[combination] : first[combination + 1]]
            padded = np.pad(window[mine].sum(axis=0), reach)
            curve = [
                sum((2 if tap in heavy else -1) * padded[step + tap * dilation] for tap in range(9))
                for step in range(window.shape[1])
            ]
            if (nth + kernel) % 2:
                curve = curve[reach : len(curve) - reach]
            for level in levels[last : last + level_count[nth]]:
                shares.append(np.mean(np.array(curve) > level))
            combination, last = combination + 1, last + level_count[nth]
    return np.array(shares)


@pytest.mark.parametrize(("n_features", "n_steps"), [(1, 9), (3, 12), (2, 30)])
def test_a_share_is_that_of_the_papers_convolutions(n_features, n_steps):
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(3, n_steps, n_features)).astype(np.float32)
    arrays = drawn(steps.transpose(0, 2, 1), 168, rng)
    got = built(n_features, n_steps, arrays=arrays).table(torch.from_numpy(steps)).numpy()
    expected = [one_by_one(window.T.astype(np.float64), arrays) for window in steps]
    np.testing.assert_array_equal(got, expected)
    assert ((got > 0) & (got < 1)).mean() > 0.3


@pytest.mark.parametrize(
    ("n_features", "n_steps", "kernels"), [(1, 20, 84), (5, 27, 500), (24, 60, 1000), (3, 4, 200)]
)
def test_shares_are_those_of_aeon(n_features, n_steps, kernels):
    pytest.importorskip("aeon", reason="aeon, of the extra rocket, is not installed")
    from aeon.transformations.collection.convolution_based import MiniRocket

    rng = np.random.default_rng(1)
    steps = rng.normal(size=(80, n_steps, n_features)).astype(np.float32)
    whole = np.pad(steps, ((0, 0), (max(0, 9 - n_steps), 0), (0, 0))).transpose(0, 2, 1)
    theirs = MiniRocket(kernels, random_state=3).fit(whole)
    ours = built(n_features, n_steps, kernels, theirs.parameters).table(torch.from_numpy(steps)).numpy()
    # A level may lie on a value to the last bit, which float32 then finds above or below.
    assert (np.abs(ours - theirs.transform(whole)) < 1e-6).mean() > 0.999


def test_every_batch_size_gives_the_same_bits():
    rng = np.random.default_rng(2)
    steps = torch.from_numpy(rng.normal(size=(300, 12, 3)).astype(np.float32))
    module = built(3, 12, arrays=drawn(steps.numpy().transpose(0, 2, 1), 168, rng))
    alone = torch.cat([module.table(steps[nth : nth + 1]) for nth in range(300)])
    assert torch.equal(module.table(steps), alone)


def test_it_trains_comes_back_from_disk_and_forecasts_without_aeon(
    stand_in, windows, split, configure, tmp_path, monkeypatch
):
    np.random.seed(7)  # noqa: NPY002  (the state that is to be left alone)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    config = configure("minirocket", model={"options": {"kernels": 84, "inverse_penalty": 0.01}})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert model.training["kept_as"].startswith("fitted arrays")
    made = forecast(windows, model, device="cpu")["probability"].values
    monkeypatch.setitem(sys.modules, LEAVES, None)
    again = forecast(windows, load(tmp_path, "cpu"), device="cpu")["probability"].values
    np.testing.assert_array_equal(again, made)
    known = ~np.isnan(made[:, 0])
    assert made[known].std(axis=0).min() > 0.01
    level = windows["peak_flux"].values >= 1e-6
    assert made[known & level, 0].mean() > made[known & ~level, 0].mean() + 0.1


def test_where_aeon_is_missing_one_sentence_says_what_to_install(
    without_aeon, windows, split, configure, tmp_path
):
    config = configure("minirocket", model={"options": {}})
    with pytest.raises(FlarecastError, match=r"expected aeon.*pip install 'flarecast\[rocket\]'"):
        train(windows, split, config, folder=tmp_path, device="cpu")


def test_long_training_is_thinned_evenly(stand_in, windows, split, configure, tmp_path):
    config = configure("minirocket", model={"options": {"kernels": 84, "max_windows": 40}})
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    assert model.training["windows_fitted"] == 40
