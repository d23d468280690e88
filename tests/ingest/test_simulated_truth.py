"""The two truths of the simulated Sun, what the rows tell, and what a random split pretends."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flarecast import cycles, goes
from flarecast.ingest import simulated
from flarecast.ingest.simulated import ingest_simulated
from flarecast.ingest.sun import emergence, flares, parameters, rows, states, truth
from flarecast.windows import gather

LETTERS = "CMX"


@pytest.fixture(scope="module")
def sun():
    return ingest_simulated(None, np.random.default_rng(11), n_regions=1500)


@pytest.fixture(scope="module")
def small():
    """Regions, lives, issues and rows of a few regions, as the source makes them on its way."""
    rng = np.random.default_rng(2)
    regions = emergence.emerge(12, cycles.seconds("2000-01"), cycles.seconds("2002-01"), rng)
    lives = states.live(regions, rng)
    plan = simulated.Plan(12, 60, 12, 0, 24)
    region, issue_time = simulated._issues(regions, lives, plan, cycles.seconds("2003-01"))
    seen = rows.observe(regions, lives, *simulated._used_rows(regions, region, issue_time, plan), rng)
    ages = issue_time // 3600 - regions.start[region]
    issues = truth.Issues(region, ages, regions.n_visible[region] - ages)
    return regions, lives, seen, issues


@pytest.fixture(scope="module")
def tables():
    return np.stack([truth.outcome_table(goes.DECADES[letter], 0, 24, 0.1) for letter in LETTERS])


def occurred(windows, letter):
    return windows["peak_flux"].values >= goes.DECADES[letter] * (1 - 1e-6)


def region_error(difference, region):
    """Sum of differences over its standard error when regions are independent and nothing in one is."""
    sums = np.bincount(region, difference)
    return sums.sum() / np.sqrt((sums**2).sum())


def region_of(windows):
    return windows["track"].values[windows["first_row"].values]


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("name", ["truth", "truth_observed"])
def test_the_mean_truth_matches_the_event_rate_within_its_error(sun, name, letter):
    difference = sun[f"{name}_{letter}"].values - occurred(sun, letter)
    assert abs(region_error(difference, region_of(sun))) < 3.5


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("name", ["truth", "truth_observed"])
def test_both_truths_are_calibrated_in_every_range_of_probability(sun, name, letter):
    probability, happened, region = sun[f"{name}_{letter}"].values, occurred(sun, letter), region_of(sun)
    for low, high in ((0, 0.01), (0.01, 0.05), (0.05, 0.2), (0.2, 0.5), (0.5, 1)):
        inside = (probability >= low) & (probability < high)
        if happened[inside].sum() >= 10:
            assert abs(region_error((probability - happened)[inside], region[inside])) < 4


@pytest.mark.parametrize("letter", LETTERS)
def test_truth_observed_is_the_expectation_of_truth(sun, letter):
    difference = sun[f"truth_{letter}"].values - sun[f"truth_observed_{letter}"].values
    assert abs(region_error(difference, region_of(sun))) < 3.5
    weight = sun[f"truth_observed_{letter}"].values
    assert abs(region_error(difference * weight, region_of(sun))) < 3.5


def test_the_hidden_state_tells_more_than_the_rows_and_the_rows_more_than_the_rate(sun):
    for letter in "CM":
        happened = occurred(sun, letter)
        errors = [
            np.mean((probability - happened) ** 2)
            for probability in (sun[f"truth_{letter}"], sun[f"truth_observed_{letter}"], happened.mean())
        ]
        assert errors[0] < 0.97 * errors[1] < 0.9 * errors[2]


def test_probabilities_are_nested(sun):
    for name in ("truth", "truth_observed"):
        c, m, x = (sun[f"{name}_{letter}"].values for letter in LETTERS)
        assert (c >= m).all()
        assert (m >= x).all()


def test_the_outcome_table_agrees_with_simulated_futures():
    rng, n, lead, horizon = np.random.default_rng(0), 40_000, 3, 12
    level, trigger = np.full(n, 12), np.ones(n, dtype=int)
    alive, none = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    rate = flares.drawn_rate() * flares.share_at_least(1e-5) * 0.9
    for hour in range(lead + 7):  # only 7 of the 12 hours are in view
        alive &= rng.random(n) >= states.fading()[level]
        level = states._draw(states.level_moves()[level], rng)
        trigger = states._draw(states.trigger_moves()[trigger], rng)
        if hour >= lead:
            none &= ~(alive & (rng.poisson(rate[level, trigger]) > 0))
    expected = truth.outcome_table(1e-5, lead, horizon, 0.1)[7, 12, 1]
    assert 1 - none.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n))


def test_a_region_that_is_leaving_over_the_limb_cannot_flare(tables):
    assert not tables[:, 0].any()
    assert (np.diff(tables, axis=1) > 0).all()
    assert not truth.outcome_table(1e-5, 30, 24, 0.0)[0].any()


def test_a_lead_takes_its_hours_from_those_left_in_view(small):
    regions, lives, seen, _ = small
    issues = truth.Issues(*(np.array(values) for values in ((0, 0, 0), (1, 1, 1), (40, 10, 3))))
    table = truth.outcome_table(1e-5, 8, 24, 0.0)[None]
    expected = table[0, [24, 2, 0], lives.level[0, 0], lives.trigger[0, 0]]
    np.testing.assert_array_equal(truth.given_state(table, lives, issues, 8)[0], expected)
    found = truth.given_rows(table, regions, seen, issues, 8)[0]
    assert found[0] > found[1] > found[2] == 0


def test_the_filter_agrees_with_bayes_rule_written_out_over_all_four_states(small, tables):
    regions, _, seen, issues = small
    found = truth.given_rows(tables, regions, seen, issues, 0)
    level_prior = states.level_prior(regions)
    alive = states.level_moves() * (1 - states.fading())[:, None]
    for number in np.unique(issues.region):
        mine, own = np.flatnonzero(issues.region == number), seen.region == number
        belief = np.einsum(
            "d,l,t,m->dltm",
            states.DISGUISE_PRIOR,
            level_prior[number],
            states.stationary(states.trigger_moves()),
            states.stationary(states.mood_moves()),
        )
        hour_of = (seen.time[own] - 1) // 3600 - regions.start[number]
        for hour in range(issues.age[mine].max()):
            if hour:
                belief = np.einsum(
                    "dltm,lk,tu,mn->dkun", belief, alive, states.trigger_moves(), states.mood_moves()
                )
            for row in np.flatnonzero(own)[(hour_of == hour) & ~seen.missing[own]]:
                belief = belief * _likelihood(seen, row)
            belief /= belief.sum()
            for window in mine[issues.age[mine] == hour + 1]:
                left = min(24, issues.to_limb[window])
                expected = np.einsum("dltm,elt->e", belief, tables[:, left])
                np.testing.assert_allclose(found[:, window], expected, rtol=1e-6, atol=1e-12)


def _likelihood(seen, row):
    """Density of a row's stage and stress in each state, shape (disguise, level, trigger, mood)."""
    stage = states.DISGUISES[:, None, None, None] + np.arange(states.N_LEVELS)[:, None, None]
    stress = np.arange(2)[:, None] + states.MOODS
    first = (float(seen.stage[row]) + rows.STAGE_AT_ZERO - stage) / float(seen.noise[0, row])
    second = (float(seen.stress[row]) - stress) / float(seen.noise[1, row])
    logarithm = -(first**2 + second**2) / 2
    return np.exp(logarithm - logarithm.max())


def test_rows_after_issue_time_change_no_truth_observed(small, tables):
    regions, _, seen, issues = small
    before = truth.given_rows(tables, regions, seen, issues, 0)
    cutoff = regions.start + 100
    late = seen.time > cutoff[seen.region] * 3600
    altered = replace(
        seen, stage=seen.stage + late * np.float32(0.6), stress=seen.stress - late * np.float32(0.4)
    )
    after = truth.given_rows(tables, regions, altered, issues, 0)
    known = issues.age <= 100
    np.testing.assert_array_equal(after[:, known], before[:, known])
    assert (after[:, ~known] != before[:, ~known]).any()


def test_rows_that_are_missing_tell_nothing(small, tables):
    regions, _, seen, issues = small
    rubbish = np.where(seen.missing, 99, seen.stage).astype(np.float32)
    assert seen.missing.any()
    np.testing.assert_array_equal(
        truth.given_rows(tables, regions, replace(seen, stage=rubbish), issues, 0),
        truth.given_rows(tables, regions, seen, issues, 0),
    )


@pytest.mark.parametrize("absent", parameters.FEATURES)
def test_what_a_row_shows_of_the_state_follows_from_its_stored_cells_without_any_one_of_them(small, absent):
    seen = small[2]
    whole = ~np.isnan(seen.values).any(axis=1)
    cells = dict(zip(parameters.FEATURES, seen.values[whole].T.astype(np.float64), strict=True))
    loads, sums = [], []
    for name, parameter in parameters.PARAMETERS.items():
        # R_VALUE is left out with the absent one: it may be 0, and then says nothing.
        if parameter.loads and name not in (absent, "R_VALUE"):
            loads.append([parameter.loads.get(factor, 0) for factor in parameters.FACTORS])
            sums.append(_unlink(cells[name], parameter.link) - parameter.centre)
    factors = np.linalg.lstsq(np.array(loads), np.array(sums), rcond=None)[0]
    np.testing.assert_allclose(factors[0], seen.stage[whole], atol=0.05)
    np.testing.assert_allclose(factors[1], seen.stress[whole], atol=0.05)


def _unlink(values, link):
    if link in ("exp", "handed"):
        return np.log(np.abs(values))
    if link in ("angle", "percent"):
        share = values / (90 if link == "angle" else 100)
        return np.log(share / (1 - share))
    return values


def test_a_random_split_visibly_inflates_tss_over_the_by_cycle_split(sun):
    means = np.nanmean(gather(sun).astype(np.float64), axis=1)
    size = np.median(np.abs(means), axis=0)
    statistics = np.arcsinh(3 * means / np.where(size > 0, size, 1))
    happened, issue = occurred(sun, "C"), sun["issue_time"].values
    cycle = cycles.cycle_of(issue)
    border = cycles.seconds(cycles.CYCLES[25][0])
    by_cycle = cycle < 25, (cycle == 25) & (issue > border + 14 * cycles.DAY)
    chance = np.random.default_rng(0).random(issue.size) < by_cycle[0].mean()
    skill = {}
    for name, (train, test) in (("by cycle", by_cycle), ("random", (chance, ~chance))):
        model = make_pipeline(StandardScaler(), KNeighborsClassifier(5))
        model.fit(statistics[train], happened[train])
        forecast = model.predict_proba(statistics[test])[:, 1] >= happened[train].mean()
        skill[name] = forecast[happened[test]].mean() - forecast[~happened[test]].mean()
    assert skill["by cycle"] > 0.15
    assert skill["random"] > skill["by cycle"] + 0.15


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_default_sun_has_events_enough_in_every_role_and_class_shares_like_swan_sf(seed):
    # The generator that `run.seed` gives the stage ingest.
    windows = ingest_simulated(None, np.random.default_rng([seed, zlib.crc32(b"ingest")]))
    assert np.unique(windows["region"].values).size >= 1000
    classes = np.sum(
        [goes.at_least(windows["peak_flux"].values, f) for f in (1e-7, 1e-6, 1e-5, 1e-4)], axis=0
    )
    shares = np.bincount(classes, minlength=5) / classes.size
    swan_sf = np.array([274_242, 18_125, 32_584, 5_689, 545]) / 331_185
    assert (np.abs(np.log(shares / swan_sf)) < np.log(4)).all()
    issue = windows["issue_time"].values
    block = (issue - cycles.seconds("1996-08")) // (6 * cycles.ROTATION_DAYS * cycles.DAY) % 6
    role = np.where(cycles.cycle_of(issue) == 25, 3, np.array([0, 0, 1, 0, 0, 2])[block])
    for number in range(4):
        for letter, least in (("M", 30), ("X", 8)):
            there = (role == number) & occurred(windows, letter)
            assert np.unique(windows["region"].values[there]).size >= least
