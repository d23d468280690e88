"""Selections find the features that tell, and look at nothing but the train role."""

import numpy as np
import pytest

from flarecast.errors import FlarecastError
from flarecast.selection import SELECTIONS, select_features


def table(n=400, seed=0):
    """Statistics of eight features; the classes follow 2 and 5, feature 7 is constant."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 2, 8))
    values[:, :, 7] = 3.0
    signal = values[:, 0, 2] + values[:, 0, 5] + rng.normal(0, 0.3, n)
    return values, np.digitize(signal, [0.5, 1.5])


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_selection_finds_the_features_that_tell_and_the_same_ones_twice(name):
    values, classes = table()
    for _ in range(2):
        chosen = select_features(name, values, classes, np.random.default_rng(1), count=2)
        assert chosen.tolist() == [2, 5]


@pytest.mark.parametrize("name", SELECTIONS)
def test_every_selection_may_keep_all(name):
    values, classes = table(100)
    assert select_features(name, values, classes, np.random.default_rng(1)).tolist() == list(range(8))


@pytest.mark.parametrize("name", ["anova", "mutual_information"])
def test_a_filter_takes_the_best_statistic_of_a_feature(name):
    values, classes = table()
    values = values[:, ::-1]
    assert select_features(name, values, classes, np.random.default_rng(1), count=2).tolist() == [2, 5]


def test_too_many_features_and_a_single_class_are_refused():
    values, classes = table(50)
    with pytest.raises(FlarecastError, match="count of at most 8, the number of features, got 9"):
        select_features("anova", values, classes, np.random.default_rng(0), count=9)
    with pytest.raises(FlarecastError, match="two classes or more"):
        select_features("anova", values, np.zeros(50, np.int64), np.random.default_rng(0))
    with pytest.raises(FlarecastError, match="two classes or more"):
        select_features("anova", values[:0], classes[:0], np.random.default_rng(0))
