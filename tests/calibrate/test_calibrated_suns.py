"""Simulated Suns: class-weighted forecasts fail a test of calibration, and pass it once calibrated."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_calibration.py"


@pytest.mark.slow
def test_of_ten_suns_nearly_all_calibrated_forecasts_pass_and_hardly_any_weighted_ones():
    p_values = runpy.run_path(str(SCRIPT))["p_values"]
    found = [p_values(seed) for seed in range(10)]
    passed = {name: sum(one[name] >= 0.05 for one in found) for name in found[0]}
    assert passed["weighted, none"] <= 3
    assert passed["weighted, prior"] >= 8
    assert passed["weighted, platt"] >= 8
    assert passed["truth given the rows"] >= 8
