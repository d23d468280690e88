"""What each remedy beyond drawing and weighing promises."""

import numpy as np
import pytest

from flarecast.balance import BALANCERS, NOT_ANALYTIC
from flarecast.balance.coherent import hard_negatives
from flarecast.errors import FlarecastError

HOUR = 3600


def balance(name, train, seed=0, **options):
    return BALANCERS[name](train, np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def regions(make_train):
    """Forty regions watched hourly for up to two weeks; C and quiet in spells, M and X in three of them."""
    rng = np.random.default_rng(3)
    region = np.repeat(np.arange(40), rng.integers(30, 330, 40))
    time = np.concatenate([np.arange(n) for n in np.bincount(region)]) * HOUR
    low = (rng.random(region.size) < 0.1).astype(np.int64)
    for one, letter in ((3, 2), (17, 2), (29, 3)):
        low[np.flatnonzero(region == one)[10:20]] = letter
    return make_train(low, region=region, issue_time=time)


def least_gap(train, index):
    gaps = [np.diff(np.sort(train.issue_time[index[train.region[index] == r]])) for r in range(40)]
    return min((gap.min() for gap in gaps if gap.size), default=np.inf) / HOUR


@pytest.mark.parametrize("hours", [1.5, 24.0, 100.0])
@pytest.mark.parametrize("ratio", [None, 1.0])
def test_no_two_negatives_of_a_region_are_nearer_than_asked(hours, ratio, regions):
    kept = balance("undersample_coherent", regions, hours=hours, ratio=ratio).index
    negatives, positives = kept[regions.low[kept] < 2], kept[regions.low[kept] >= 2]
    assert least_gap(regions, negatives) >= hours
    assert positives.size == 30
    if ratio is None:
        assert set(regions.region[negatives]) == set(range(40))
        for window in np.flatnonzero(regions.low < 2):  # none could be added
            same = negatives[regions.region[negatives] == regions.region[window]]
            assert (np.abs(regions.issue_time[same] - regions.issue_time[window]) < hours * HOUR).any()
    else:
        assert negatives.size == 30


def test_positives_are_thinned_where_asked(regions):
    kept = balance("undersample_coherent", regions, hours=5, thin_positives=True).index
    positives = kept[regions.low[kept] >= 2]
    assert 3 <= positives.size <= 6
    assert least_gap(regions, positives) >= 5


def test_hard_negatives_go_first_and_regions_take_turns(regions):
    positive, negative = regions.sides()
    hard = hard_negatives(regions, positive, negative)
    assert hard[(regions.low == 1)].all()
    assert hard[negative & (regions.region == 17)].all()
    assert not hard[(regions.low == 0) & (regions.region == 5)].any()
    for share, expected in ((0.0, 0), (0.5, 30), (1.0, 60)):
        kept = balance("undersample_coherent", regions, ratio=2.0, hard=share).index
        negatives = kept[regions.low[kept] < 2]
        assert negatives.size == 60
        easy = negatives[~hard[negatives]]
        assert hard[negatives].sum() == max(expected, 60 - easy.size)
        if share < 1:
            assert np.ptp(np.bincount(regions.region[easy], minlength=40)[:3]) <= 1
    every = balance("undersample_coherent", regions).index
    in_quiet = every[(regions.region[every] == 5) & (regions.low[every] < 2)]
    by_chance = 0.1 * in_quiet.size
    assert (regions.low[in_quiet] == 1).sum() > 3 * by_chance


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hours": 0.0}, "hours: expected a number above 0"),
        ({"ratio": -1.0}, "ratio: expected a number above 0"),
        ({"hard": 1.5}, "hard: expected a share from 0 to 1, got 1.5"),
        ({"ratio": 100.0}, r"expected at least 3,000 negatives 24 h apart, got \d+; lower balance\.options"),
    ],
)
def test_coherent_undersampling_refuses_what_cannot_be_had(options, words, regions):
    with pytest.raises(FlarecastError, match=words):
        balance("undersample_coherent", regions, **options)


def test_regions_weigh_alike_however_many_windows_they_have(regions):
    weighed = balance("region_balance", regions)
    total = np.bincount(regions.region, weighed.weight)
    np.testing.assert_allclose(total, len(regions) / 40, rtol=1e-5)
    drawn = balance("region_balance", regions, method="draw").index
    expected = len(regions) / 40
    assert np.abs(np.bincount(regions.region[drawn]) - expected).max() < 5 * np.sqrt(expected)
    assert drawn.size == len(regions)


def test_one_region_alone_cannot_be_balanced(make_train):
    train = make_train([0, 0, 2], region=np.zeros(3, dtype=np.int64))
    with pytest.raises(FlarecastError, match="several regions, got 1; use another"):
        balance("region_balance", train)


def test_noisy_copies_are_near_their_parents_and_marked(make_train):
    train = make_train(np.repeat([0, 1, 2, 3], [200, 50, 12, 4]))
    made = balance("oversample_noisy", train, jitter=0.01, scaling=0.02).made
    assert len(made) == 250 - 16
    parents = train.steps(made.parent)
    np.testing.assert_array_equal(made.low, train.low[made.parent])
    assert (made.low >= 2).all()
    change = made.steps - parents
    assert 0.005 < change.std() < 0.2
    exact = balance("oversample_noisy", train, jitter=0.0, scaling=0.0).made
    np.testing.assert_array_equal(exact.steps, train.steps(exact.parent))
    scaled = balance("oversample_noisy", train, jitter=0.0, scaling=0.3).made
    factor = scaled.steps / train.steps(scaled.parent)
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1], factor.shape), rtol=1e-4)


def test_under_and_over_at_once_gives_the_published_counts(make_letters):
    train = make_letters({"quiet": 60_130, "B": 5_692, "C": 6_416, "M": 1_089, "X": 165})
    both = balance("under_over", train)
    observed = both.index[both.index < len(train)]
    assert len(both.made) == 1_650 + 1_633
    assert (train.low[observed] >= 3).sum() + len(both.made) == 4_537
    negatives = np.bincount(train.sub_class[observed])[:3]
    assert negatives.sum() == 5_444
    np.testing.assert_allclose(negatives, 5_444 * np.array([60_130, 5_692, 6_416]) / 72_238, atol=1)
    assert np.bincount(train.sub_class[both.made.parent]).tolist() == [0, 0, 0, 1_633, 1_650]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("oversample_noisy", {"jitter": -0.1}, "jitter: expected a number not below 0, got -0.1"),
        ("oversample_noisy", {"scaling": np.inf}, "scaling: expected a number not below 0"),
        ("under_over", {"copies": {"Z": 2.0}}, "numbers not below 0 of B, C, M or X, got {'Z': 2.0}"),
        ("under_over", {"copies": {"X": -2.0}}, "numbers not below 0 of B, C, M or X"),
        ("under_over", {"ratio": 50.0}, r"expected at least .* train windows of quiet, got 200"),
    ],
)
def test_noise_that_cannot_be_is_refused(name, options, words, make_train):
    with pytest.raises(FlarecastError, match=words):
        balance(name, make_train(np.repeat([0, 1, 2, 3], [200, 50, 12, 4])), **options)


def test_smote_mixes_windows_of_one_class_of_the_train_role(make_train):
    train = make_train(np.repeat([0, 1, 2, 3], [300, 60, 30, 10]))
    grown = balance("smote", train)
    made = grown.made
    assert len(made) == 360 - 40
    assert np.bincount(made.low).tolist() == [0, 0, 240, 80]
    assert (made.parent == -1).all()
    np.testing.assert_array_equal(made.low, made.high)
    np.testing.assert_array_equal(grown.index, np.arange(400 + 320))
    for one in (2, 3):
        window = train.steps(np.flatnonzero(train.low == one)).reshape(-1, 6)
        mixed = made.steps[made.low == one].reshape(-1, 6)
        assert (mixed >= window.min(axis=0) - 1e-6).all()
        assert (mixed <= window.max(axis=0) + 1e-6).all()
        for row in mixed[:20]:  # on the line between two windows
            distance = np.linalg.norm(window - row, axis=1)
            pairs = np.linalg.norm(window[:, None] - window[None], axis=2)
            assert np.abs(distance[:, None] + distance[None] - pairs).min() < 1e-4


def test_smote_without_need_adds_nothing(make_train):
    grown = balance("smote", make_train(np.repeat([0, 2], [10, 30])))
    assert grown.made is None
    assert grown.index.size == 40


def test_smote_with_fewer_windows_than_neighbours_says_the_way_out(make_train):
    train = make_train(np.repeat([0, 2, 3], [100, 30, 4]))
    with pytest.raises(FlarecastError) as caught:
        balance("smote", train)
    assert str(caught.value) == (
        "smote: expected more than 5 train windows of class X1.0, got 4; "
        "lower balance.options.neighbours, or use oversample"
    )
    assert balance("smote", train, neighbours=3).made is not None


def test_cleaning_removes_negatives_among_positives_and_nothing_else(make_train):
    low = np.repeat([0, 2], [40, 20])
    steps = np.arange(60, dtype=np.float32)[:, None, None] * np.ones((1, 2, 1), np.float32)
    steps[39] = 50.4  # a negative in the midst of the positives
    train = make_train(low, steps=lambda index: steps[index])
    assert 39 not in balance("edited_neighbours", train).index
    assert 39 not in balance("tomek_links", train).index
    for name in ("edited_neighbours", "tomek_links"):
        kept = balance(name, train).index
        assert set(range(40, 60)) <= set(kept)
        assert set(range(30)) <= set(kept)


def test_cleaning_that_leaves_no_negative_says_so(make_train):
    steps = np.random.default_rng(0).normal(size=(43, 2, 1)).astype(np.float32) * 0.01
    train = make_train(np.repeat([0, 2], [3, 40]), steps=lambda index: steps[index])
    with pytest.raises(FlarecastError, match="negatives that are unlike the positives, got none among 3"):
        balance("edited_neighbours", train)
    with pytest.raises(FlarecastError, match="more than 50 train windows, got 43"):
        balance("edited_neighbours", train, neighbours=50)


@pytest.mark.parametrize("name", ["smote", "tomek_links", "edited_neighbours"])
def test_a_missing_value_is_refused_where_windows_are_compared(name, make_train):
    steps = np.zeros((100, 2, 2), dtype=np.float32)
    steps[[84, 87], 1, 0] = np.nan
    train = make_train(np.repeat([0, 2], [80, 20]), steps=lambda index: steps[index])
    with pytest.raises(FlarecastError, match=f"{name}: expected windows without missing .* NaN in 2 of"):
        balance(name, train)


def test_effective_numbers_lie_between_equal_and_inverse_frequency(make_train):
    low = np.repeat([0, 1, 2, 3], [9000, 900, 80, 20])
    train = make_train(low)
    counts = np.bincount(low)

    def weights(beta):
        weight = balance("effective_number", train, beta=beta).weight
        return weight[np.cumsum(counts) - 1].astype(np.float64)

    np.testing.assert_allclose(weights(0.0), 1)
    inverse = weights(1 - 1e-9)
    np.testing.assert_allclose(inverse * counts, inverse[0] * counts[0], rtol=1e-4)
    np.testing.assert_allclose(weights(0.999), (1 - 0.999) / (1 - 0.999**counts), rtol=1e-5)


def test_given_class_weights_are_taken_and_weight_0_leaves_windows_out(make_train):
    train = make_train(np.repeat([0, 1, 2, 3], [90, 10, 8, 2]))
    weighed = balance("class_weights", train, weights=(0.0, 1.0, 2.0, 4.0))
    assert weighed.index.min() == 90
    np.testing.assert_allclose(weighed.prior, np.array([0, 10, 16, 8]) / 34, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("class_weights", {"weights": (0.0, 0.0, 0.0, 0.0)}, "not all 0 where there are windows, got"),
        ("class_weights", {"weights": (1.0, -1.0, 1.0, 1.0)}, "none below 0"),
        ("class_weights", {"weights": (1.0, 2.0)}, "expected 4 numbers, of below C1.0, C1.0, M1.0, X1.0"),
        ("effective_number", {"beta": 1.0}, "beta: expected a number from 0 to below 1, got 1"),
        ("logit_adjustment", {"strength": 0.0}, "strength: expected a number above 0"),
    ],
)
def test_weights_that_cannot_be_are_refused(name, options, words, make_train):
    with pytest.raises(FlarecastError, match=words):
        balance(name, make_train(np.repeat([0, 1, 2, 3], [90, 10, 8, 2])), **options)


@pytest.mark.parametrize("name", ["effective_number", "logit_adjustment"])
def test_a_class_without_windows_has_no_weight(name, make_train):
    with pytest.raises(
        FlarecastError, match=f"{name}: expected .* every class, got none of X1.0; take other"
    ):
        balance(name, make_train(np.repeat([0, 1, 2], [90, 10, 8])))


def test_logit_adjustment_states_the_prior_that_its_offset_leaves(make_train):
    natural = np.array([0.8, 0.1, 0.08, 0.02])
    train = make_train(np.repeat([0, 1, 2, 3], [80, 10, 8, 2]))
    whole = balance("logit_adjustment", train)
    np.testing.assert_allclose(whole.prior, 0.25)
    np.testing.assert_allclose(whole.logit_offset, np.log(natural))
    half = balance("logit_adjustment", train, strength=0.5)
    np.testing.assert_allclose(half.prior, np.sqrt(natural) / np.sqrt(natural).sum())
    assert (half.weight == 1).all()
    assert half.prior is not NOT_ANALYTIC
