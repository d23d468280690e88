"""Interleaved blocks: phases for all, whole rotations, borders between cycles."""

from itertools import pairwise

import numpy as np
import pytest

from flarecast import cycles
from flarecast.split import make_split
from flarecast.split.interleaving import interleave, make_calendar

DAY = 86_400
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)


def rng():
    return np.random.default_rng(7)


def days(start, stop, step=1):
    return np.arange(cycles.seconds(start), cycles.seconds(stop), step * DAY)


@pytest.mark.parametrize("role", [TRAIN, VALIDATION, CALIBRATION])
def test_by_cycle_lets_every_role_see_every_phase(disk, role):
    split = make_split(disk, "by_cycle", rng())
    mine = split["role"].values[0] == role
    phase = cycles.phase_of(disk["issue_time"].values[mine])
    assert set(phase) == set(range(len(cycles.PHASES)))


def test_by_cycle_blocks_are_whole_rotations_in_the_pattern_and_outlast_the_embargo(disk):
    split = make_split(disk, "by_cycle", rng(), embargo_hours=0.0)
    role, time = split["role"].values[0], disk["issue_time"].values
    inside = cycles.cycle_of(time) == 23
    role, time = role[inside], time[inside]
    borders = np.flatnonzero(np.diff(role)) + 1
    lengths = np.diff(time[borders]) / DAY
    assert set(lengths) == {162.0, 324.0}
    rotation = cycles.rotation_of(time)
    assert (rotation[borders] == rotation[borders - 1] + 1).all()
    assert "vttctt" in split.attrs["blocks"]
    order = [role[0], *role[borders]]
    assert order[:8] == [VALIDATION, TRAIN, CALIBRATION, TRAIN, VALIDATION, TRAIN, CALIBRATION, TRAIN]


def test_no_block_is_shorter_than_two_and_a_half_embargoes(disk):
    split = make_split(disk, "by_cycle", rng(), embargo_hours=1560.0)
    assert split.attrs["blocks"].startswith("7 rotations")
    role, time = split["role"].values[0], disk["issue_time"].values
    for kind in (VALIDATION, CALIBRATION):
        mine = time[role == kind]
        starts = np.concatenate([[0], np.flatnonzero(np.diff(mine) > DAY) + 1, [mine.size]])
        for first, after in pairwise(starts):
            near_test = mine[after - 1] > cycles.span(23)[1] - 2 * 1560 * 3600
            assert near_test or mine[after - 1] - mine[first] + DAY >= 2.5 * 1560 * 3600


@pytest.mark.parametrize(("extra_days", "n_left_over"), [(50, 0), (52, 52)])
def test_what_is_left_over_is_a_block_only_if_it_outlasts_two_and_a_half_embargoes(extra_days, n_left_over):
    start = cycles.seconds("1832-02-08") + 2300 * 27 * DAY
    time = start + DAY * np.arange(4 * 54 + extra_days)
    role, _ = interleave(time, make_calendar(2, "tvc", embargo=20.0 * 24))  # 2.5 embargoes are 50 d
    lengths = np.diff([0, *np.flatnonzero(np.diff(role)) + 1, role.size]).tolist()
    assert lengths == ([54] * 4 + [n_left_over] if n_left_over else [54] * 3 + [54 + extra_days])


def test_a_begun_rotation_joins_the_first_block():
    start = cycles.seconds("1832-02-08") + 2300 * 27 * DAY
    time = start + DAY * np.arange(20, 7 * 27)
    role, _ = interleave(time, make_calendar(2, "tvc", embargo=0.0))
    assert np.diff([0, *np.flatnonzero(np.diff(role)) + 1, role.size]).tolist() == [7 + 54, 54, 54]


def test_by_cycle_keeps_cycles_apart_and_leaves_others_unused(disk):
    role = make_split(disk, "by_cycle", rng())["role"].values[0]
    cycle = cycles.cycle_of(disk["issue_time"].values)
    assert set(cycle[role == TEST]) == {24}
    assert set(cycle[(role > UNUSED) & (role < TEST)]) == {23}
    assert (role[(cycle != 23) & (cycle != 24)] == UNUSED).all()
    assert (role[cycle == 24] == TEST).all(), "test loses nothing to the embargo"


def test_by_cycle_can_test_on_an_earlier_cycle(disk):
    options = {"train_cycles": (24,), "test_cycles": (23,)}
    split = make_split(disk, "by_cycle", rng(), options=options)
    role, time = split["role"].values[0], disk["issue_time"].values
    assert time[role == TEST].max() < time[(role > UNUSED) & (role < TEST)].min()
    gap = time[(role > UNUSED) & (role < TEST)].min() - time[role == TEST].max()
    assert gap >= split.attrs["embargo_hours"] * 3600


def test_cycles_around_the_test_cycle_have_a_calendar_each(make_windows):
    times = days("1987-01", "2019-06", 3)
    windows = make_windows([("disk", "", times, times)], n_steps=2, cadence_hours=72)
    options = {"train_cycles": (22, 24), "test_cycles": (23,)}
    split = make_split(windows, "by_cycle", rng(), options=options)
    assert split.attrs["blocks"].count("rotations each") == 2
