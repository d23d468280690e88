"""Economic value of forecasts: the scores library, the user's expenses, limits."""

import numpy as np
import pytest
import xarray as xr
from scores import probability as theirs

from flarecast import skill


def forecasts(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    activity = rng.normal(-2.5, 1.5, n)
    return 1 / (1 + np.exp(-activity - rng.normal(0, 0.5, n))), rng.random(n) < 1 / (1 + np.exp(-activity))


def test_the_value_is_that_of_the_scores_library_where_users_act_at_their_own_ratio():
    probability, occurred = forecasts()
    expected = theirs.relative_economic_value(
        xr.DataArray(probability, dims="window"),
        xr.DataArray(occurred.astype(float), dims="window"),
        cost_loss_ratios=list(skill.COST_RATIOS),
        probability_thresholds=list(skill.COST_RATIOS),
        generate_equilibrium_point_rev=True,
    )["equilibrium_point"]
    found = skill.economic_value(skill.sum_costs(probability, occurred))
    np.testing.assert_allclose(found, expected.values)


def test_the_value_is_the_expense_saved_of_what_perfect_forecasts_save():
    probability, occurred = forecasts()
    cost = 0.05
    expense = np.where(probability >= cost, cost, occurred * 1.0).mean()
    climate = min(cost, occurred.mean())
    perfect = cost * occurred.mean()
    found = skill.economic_value(skill.sum_costs(probability, occurred, ratios=[cost]))
    assert found[0] == pytest.approx((climate - expense) / (climate - perfect))


def test_perfect_forecasts_are_worth_1_the_base_rate_nothing_and_lies_cost():
    _, occurred = forecasts()
    sums = skill.sum_costs(occurred * 1.0, occurred)
    np.testing.assert_allclose(skill.economic_value(sums), 1)
    constant = skill.sum_costs(np.full(occurred.size, occurred.mean()), occurred)
    np.testing.assert_allclose(skill.economic_value(constant), 0, atol=1e-12)
    wrong = skill.sum_costs(1.0 - occurred, occurred)
    assert (skill.economic_value(wrong) < 0).all()
    assert np.isnan(skill.economic_value(skill.sum_costs(np.full(9, 0.1), np.zeros(9, dtype=bool)))).all()
