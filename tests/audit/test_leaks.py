"""Leaks between the roles of every fold are found, each once and in words; where there is none, none is."""

import numpy as np
import pytest

from flarecast.audit import audit, check_same_windows, require_events
from flarecast.errors import FlarecastError
from flarecast.split import make_split

TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)

LEAKS = {
    "adjacent windows of the disk share a row": (
        [("disk", "", [0, 1])],
        [TRAIN, TEST],
        ["shared row", "overlapping history or outcome"],
        "1 row in windows of both train and test, e.g. disk at 2011-01-02T00:00:00Z; split by region",
    ),
    "windows of the disk two days apart share time": (
        [("disk", "", [0, 1, 2])],
        [TRAIN, 0, VALIDATION],
        ["overlapping history or outcome"],
        "1 validation window overlaps history or outcome of train in one track, e.g. disk at 2011-01-03",
    ),
    "an outcome before training shares time with its history": (
        [("disk", "", [0, 1, 2])],
        [VALIDATION, 0, TRAIN],
        ["overlapping history or outcome"],
        "1 validation window overlaps history or outcome of train in one track, e.g. disk at 2011-01-01",
    ),
    "a region in two roles": (
        [("HARP 377", "", [0]), ("HARP 377", "", [100])],
        [VALIDATION, CALIBRATION],
        ["shared region"],
        "1 region appears in both validation and calibration, e.g. HARP 377; split by region or widen",
    ),
    "a region under another number": (
        [("HARP 377", "11158", [0]), ("HARP 9", "", [9]), ("NOAA 11158", "", [100])],
        [TRAIN, TEST, TEST],
        ["shared region"],
        r"1 region appears in both train and test, e.g. HARP 377 (also NOAA 11158);",
    ),
    "a region through a third one": (
        [
            ("HARP 1", "11001", [0]),
            ("HARP 2", "11001,11002", [50]),
            ("HARP 3", "11002", [99]),
        ],
        [CALIBRATION, 0, TEST],
        ["shared region"],
        r"1 region appears in both calibration and test, e.g. HARP 1 (also HARP 3);",
    ),
    "two tracks of one region at one time": (
        [("HARP 377", "", [0]), ("HARP 377", "", [60 / 86_400])],
        [TRAIN, TEST],
        ["shared region", "overlapping history or outcome"],
        "1 region appears in both train and test",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tracks", "roles", "expected", "message"), LEAKS.values(), ids=LEAKS)
def test_every_planted_leak_is_found_once_and_said_in_words(
    make_windows, make_roles, kinds, tracks, roles, expected, message
):
    found = audit(make_windows(tracks), make_roles(roles))
    assert kinds(found) == expected
    assert message in found.leaks[0].message
    assert [finding.count for finding in found.leaks] == [1] * len(expected)


def test_no_leak_is_reported_where_there_is_none(make_windows, make_roles, crowd):
    tracks = [*crowd("HARP", 40), ("disk", "", [0]), ("disk", "", [3])]
    flux = np.resize([2e-5, 0.0], 42)
    found = audit(make_windows(tracks, flux), make_roles([TRAIN] * 20 + [TEST] * 20 + [TRAIN, TEST]))
    assert found.leaks == ()
    assert found.sentences()[0] == "no leak found"


def test_unused_windows_are_in_nobodys_way(make_windows, make_roles):
    found = audit(make_windows([("disk", "", [0, 1, 2, 3, 4])]), make_roles([TRAIN, 0, 0, TEST, 0]))
    assert found.leaks == ()


def test_the_memory_of_features_counts_as_history(make_windows, make_roles, kinds):
    tracks, roles = [("disk", "", np.arange(11) + 0)], make_roles([TRAIN, *[0] * 9, TEST])
    assert kinds(audit(make_windows(tracks, memory=7 * 24.0), roles)) == []
    assert kinds(audit(make_windows(tracks, memory=7 * 24.1), roles)) == ["overlapping history or outcome"]


def test_random_windows_never_pass(make_windows, kinds):
    windows = make_windows([(f"HARP {number}", "", np.arange(10) + 20 * number) for number in range(50)])
    for seed in range(5):
        split = make_split(windows, "random_windows", np.random.default_rng(seed))
        assert set(kinds(audit(windows, split))) == {
            "shared row",
            "shared region",
            "overlapping history or outcome",
        }


def test_by_region_always_passes(make_windows):
    windows = make_windows(
        [(f"HARP {number}", f"{11000 + number // 2}", np.arange(10) + number) for number in range(50)]
    )
    for seed in range(20):
        split = make_split(windows, "by_region", np.random.default_rng(seed))
        assert audit(windows, split).leaks == ()


def test_every_fold_is_audited_and_named(make_windows, make_roles):
    windows = make_windows([("HARP 1", "", [0]), ("HARP 1", "", [50]), ("HARP 2", "", [60])])
    found = audit(windows, make_roles([TRAIN, TRAIN, TEST], [TRAIN, TEST, TEST]))
    assert [finding.fold for finding in found.leaks] == [1]
    assert found.leaks[0].message.startswith("fold 1: 1 region appears")


def test_a_list_of_many_examples_is_cut(make_windows, make_roles, crowd):
    windows = make_windows([*crowd("HARP", 9), *crowd("HARP", 9, first=500)])
    leak = audit(windows, make_roles([TRAIN] * 9 + [TEST] * 9)).leaks[0]
    assert leak.count == 9
    assert leak.message.startswith(
        "9 regions appear in both train and test, e.g. HARP 0, HARP 1, HARP 2; split by"
    )
    assert len(leak.examples) == 5


def test_a_split_of_other_windows_is_refused(make_windows, make_roles, crowd):
    check_same_windows(make_roles([TRAIN], windows_sha256="1" * 64), "1" * 64)
    with pytest.raises(
        FlarecastError, match="made of the windows file 222222222222, got one made of 111111111111"
    ):
        check_same_windows(make_roles([TRAIN], windows_sha256="1" * 64), "2" * 64)
    with pytest.raises(FlarecastError, match="expected roles for 3 windows, got 1 fold of 2"):
        audit(make_windows(crowd("HARP", 3)), make_roles([TRAIN, TEST]))


def test_training_and_validation_must_hold_every_trained_event(make_windows, make_roles, crowd):
    flux = np.array([2e-4, 0.0, 2e-5, 0.0])
    windows = make_windows(crowd("HARP", 4), flux)
    roles = make_roles([TRAIN, TRAIN, VALIDATION, VALIDATION])
    require_events(windows, roles, ("C1.0", "M1.0"))
    with pytest.raises(FlarecastError) as caught:
        require_events(windows, roles, ("M1.0", "X1.0"))
    text = (
        "split: expected at least one X1.0 event in validation, got none in 2 windows; train a smaller class"
    )
    assert str(caught.value).startswith(text)
    folds = make_roles([TRAIN, TRAIN, VALIDATION, VALIDATION], [VALIDATION, TEST, TEST, TEST])
    with pytest.raises(FlarecastError, match=r"M1.0 event in train of fold 1, got none in 0 windows;"):
        require_events(windows, folds, ("M1.0",))
    twice = make_roles(*2 * [[TRAIN, TRAIN, VALIDATION, VALIDATION]])
    with pytest.raises(
        FlarecastError,
        match=r"^split: expected at least one X1.0 event in validation of folds 0, 1, got none in 4 w",
    ):
        require_events(windows, twice, ("M1.0", "X1.0"))


def test_a_split_without_a_fold_is_refused(make_windows, make_roles):
    windows = make_windows([("A", "", [0, 1, 2])])
    with pytest.raises(FlarecastError, match="got 0 folds of 3"):
        audit(windows, make_roles([1, 1, 1]).isel(fold=slice(0, 0)))


def test_out_of_fold_folds_may_not_touch_the_test_windows_of_the_first(make_windows, make_roles, kinds):
    windows = make_windows(
        [("HARP 1", "", [0]), ("HARP 2", "", [10]), ("HARP 3", "", [20]), ("HARP 3", "", [90])]
    )
    clean = make_roles([TRAIN, TRAIN, TEST, TEST], [TRAIN, CALIBRATION, 0, 0], inner=(0, 1))
    assert audit(windows, clean).leaks == ()
    region = make_roles([TRAIN, TRAIN, 0, TEST], [TRAIN, CALIBRATION, TRAIN, 0], inner=(0, 1))
    assert kinds(audit(windows, region)) == ["shared region"]
    assert "in both out-of-fold and test, e.g. HARP 3" in audit(windows, region).leaks[0].message
    same = make_roles([TRAIN, TRAIN, TEST, TEST], [CALIBRATION, 0, TRAIN, 0], inner=(0, 1))
    assert "shared window" in kinds(audit(windows, same))
    other = make_roles([TRAIN, TRAIN, TEST, TEST], [CALIBRATION, 0, TRAIN, TRAIN], inner=(0, 0))
    assert audit(windows, other).leaks == ()
