"""Roles by phase of the cycle and by partition of SWAN-SF; interleaved blocks with test among them."""

import numpy as np
import pytest

from flarecast import cycles
from flarecast.split import make_split

DAY, HOUR = 86_400, 3600
UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST = range(5)
LEARNS = (TRAIN, VALIDATION, CALIBRATION)


def rng():
    return np.random.default_rng(7)


def roles_of(windows, strategy, **options):
    return make_split(windows, strategy, rng(), options=options)["role"].values


def test_by_phase_keeps_phases_of_every_cycle_apart(disk):
    role = roles_of(disk, "by_phase")[0]
    phase = cycles.phase_of(disk["issue_time"].values)
    assert set(phase[role == TEST]) == {cycles.PHASES.index("maximum")}
    assert (role[phase == cycles.PHASES.index("maximum")] == TEST).all()
    for kind in LEARNS:
        assert set(phase[role == kind]) == {0, 1, 3}


def test_by_phase_can_pick_a_phase_of_one_cycle(disk):
    role = roles_of(disk, "by_phase", train=("23 rise", "23 maximum"), test=("24 maximum",))[0]
    time = disk["issue_time"].values
    assert set(cycles.cycle_of(time[np.isin(role, LEARNS)])) == {23}
    assert set(cycles.cycle_of(time[role == TEST])) == {24}


def test_by_partition_learns_from_some_and_tests_on_others(regions):
    role, partition = roles_of(regions, "by_partition", train=(2, 4), test=(1, 5))[0], regions["partition"]
    for kind in LEARNS:
        assert set(partition.values[role == kind]) == {2, 4}
    assert set(partition.values[role == TEST]) == {1, 5}


def test_by_partition_takes_a_partition_for_each_role(regions):
    role = roles_of(regions, "by_partition", train=(1, 2), validation=(3,), calibration=(4,), test=(5,))[0]
    partition = regions["partition"].values
    for kind, numbers in ((TRAIN, {1, 2}), (VALIDATION, {3}), (CALIBRATION, {4}), (TEST, {5})):
        assert set(partition[role == kind]) == numbers


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("next", [(1, 2), (2, 3), (3, 4), (4, 5)]),
        ("all", [(one, other) for one in range(1, 6) for other in range(1, 6) if one != other]),
    ],
)
def test_by_partition_makes_a_fold_of_every_pair(pairs, expected, regions):
    split = make_split(regions, "by_partition", rng(), options={"pairs": pairs})
    partition = regions["partition"].values
    found = []
    for fold in split["role"].values:
        (one,), (other,) = set(partition[np.isin(fold, LEARNS)]), set(partition[fold == TEST])
        found.append((int(one), int(other)))
    assert found == expected
    assert split.attrs["fold_names"].splitlines()[0] == "train 1 and test 2"


def test_partitions_that_overlap_in_time_lose_the_embargo_on_the_training_side(make_windows):
    start = cycles.seconds("2010-05")
    tracks = []
    for number in range(300):
        times = start + DAY * np.arange(4 * number, 4 * number + 5)
        tracks.append((f"HARP {number}", "", times, times))
    windows = make_windows(tracks, n_steps=1)
    day = (windows["issue_time"].values - start) // DAY
    number = np.repeat(np.arange(300), 5)
    partition = np.where(number < 200, 1, 2) - (number % 2) * ((number >= 200) & (number < 203))
    windows["partition"] = ("window", partition.astype(np.int8))
    role = roles_of(windows, "by_partition")[0]
    assert np.abs(day[np.isin(role, LEARNS)][:, None] - day[role == TEST]).min() == 2
    assert (role[partition == 2] == TEST).all()


def test_blocks_give_every_role_every_phase_and_keep_test_between_training_blocks(disk):
    split = make_split(disk, "blocks", rng())
    role, time = split["role"].values[0], disk["issue_time"].values
    for kind in (*LEARNS, TEST):
        assert set(cycles.phase_of(time[role == kind])) == {0, 1, 2, 3}
    tested = time[role == TEST]
    assert time[role == TRAIN].min() < tested.min()
    assert time[role == TRAIN].max() > tested.max()
    share = np.bincount(role[role > UNUSED], minlength=5) / (role > UNUSED).sum()
    assert 0.12 < share[TEST] < 0.25


def test_blocks_shrink_to_a_short_span(make_windows):
    times = np.arange(cycles.seconds("2013-01"), cycles.seconds("2015-01"), DAY)
    windows = make_windows([("disk", "", times, times)], n_steps=1)
    split = make_split(windows, "blocks", rng())
    assert split.attrs["blocks"].startswith("2 rotations each, in turn ")
    assert set(split["role"].values[0]) == {UNUSED, TRAIN, VALIDATION, CALIBRATION, TEST}
