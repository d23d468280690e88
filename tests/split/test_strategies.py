"""What every strategy promises."""

import json

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.audit import audit
from flarecast.split import STRATEGIES, make_split

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


OPTIONS = {
    "by_cycle": {"train_cycles": (23,), "test_cycles": (24,)},
    "by_phase": {"train": ("rise", "maximum"), "test": ("24 minimum", "23 decline")},
    "by_partition": {"train": (1, 3), "test": (5,)},
    "by_time": {"train": (0.0, 0.6), "test": (0.6, 1.0)},
    "blocks": {"block_rotations": 3},
    "rolling_origin": {"train": "sliding"},
    "k_fold_time": {"folds": 4},
    "by_region": {},
    "k_fold_region": {"folds": 3},
    "random_windows": {},
}
FOLDS = {"rolling_origin": 5, "k_fold_time": 4, "k_fold_region": 3}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_a_legal_split_whose_counts_add_up(strategy, regions):
    split = make_split(regions, strategy, rng(), options=OPTIONS[strategy], windows_sha256="abc")
    schema.check(split, schema.SPLIT)
    role = split["role"].values
    assert role.shape == (FOLDS.get(strategy, 1), regions.sizes["window"])
    assert len(split.attrs.get("fold_names", "one").splitlines()) == len(role)
    for fold in role:
        assert set(np.unique(fold)) >= {TRAIN, VALIDATION, CALIBRATION, TEST}
    parts = ("n_outside", "n_straddling_windows_unused", "n_embargoed")
    assert (role == UNUSED).sum() == sum(split.attrs[part] for part in parts)
    assert split.attrs["windows_sha256"] == "abc"
    assert split.attrs["strategy"] == strategy
    assert json.loads(split.attrs["options"]).keys() >= OPTIONS[strategy].keys()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_audit_finds_leaks_in_windows_at_random_and_in_no_other_strategy(strategy, regions):
    split = make_split(regions, strategy, rng(), options=OPTIONS[strategy])
    assert bool(audit(regions, split).leaks) == (strategy == "random_windows")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_repeats_itself_and_survives_a_file(strategy, regions, tmp_path):
    first, again = (make_split(regions, strategy, rng(), options=OPTIONS[strategy]) for _ in range(2))
    schema.save(first, tmp_path / "split.nc", schema.SPLIT)
    read = schema.open_file(tmp_path / "split.nc", schema.SPLIT)
    np.testing.assert_array_equal(first["role"], again["role"])
    np.testing.assert_array_equal(first["role"], read["role"])


def test_random_windows_has_the_fractions_asked_for(regions):
    options = {"train": 0.5, "validation": 0.0, "calibration": 0.25, "test": 0.25}
    role = make_split(regions, "random_windows", rng(), options=options)["role"].values[0]
    assert np.bincount(role, minlength=5).tolist() == [0, 1500, 0, 750, 750]
