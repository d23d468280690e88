"""Roles that differ in events, classes, scale, cadence, features or dates are warned about."""

import numpy as np

from flarecast import cycles
from flarecast.audit import audit

TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)


def test_base_rates_that_differ_by_more_than_twice_are_warned_about(make_windows, make_roles, crowd, kinds):
    tracks = crowd("HARP", 200)
    roles = make_roles([TRAIN] * 100 + [TEST] * 100)
    for n, warned in ((50, []), (51, ["base rate"])):
        flux = np.zeros(200)
        flux[:n] = flux[100:125] = 2e-5
        found = audit(make_windows(tracks, flux), roles)
        assert [kind for kind in kinds(found, "warning") if kind == "base rate"] == warned
    text = next(finding.message for finding in found.warnings if finding.kind == "base rate")
    assert text.startswith(
        "base rates of M1.0 differ by a factor of 2.0 between train (0.5100) and test (0.2500)"
    )


def test_a_role_without_any_event_differs_infinitely(make_windows, make_roles, crowd):
    flux = np.zeros(200)
    flux[:50] = 2e-5
    found = audit(make_windows(crowd("HARP", 200), flux), make_roles([TRAIN] * 100 + [TEST] * 100))
    text = next(finding.message for finding in found.warnings if finding.kind == "base rate")
    assert "differ infinitely between train (0.5000) and test (0.0000)" in text


def test_roles_of_different_flux_scales_are_warned_about(make_windows, make_roles, crowd, kinds):
    roles = make_roles([TRAIN] * 30 + [TEST] * 30)
    found = audit(make_windows(crowd("HARP", 60), scale=np.repeat([0, 1], 30)), roles)
    text = next(finding.message for finding in found.warnings if finding.kind == "flux scale")
    assert "train operational, test true" in text
    assert "1.43e-05 W m-2" in text
    same = audit(make_windows(crowd("HARP", 60), scale=1), roles)
    assert "flux scale" not in kinds(same, "warning")


def test_under_twenty_event_blocks_are_warned_about(make_windows, make_roles, crowd, kinds):
    roles = make_roles([TRAIN] * 20 + [VALIDATION] * 20 + [CALIBRATION] * 20 + [TEST] * 20)
    for n, warned in ((20, []), (19, ["few event blocks"])):
        flux = np.full(80, 2e-5)
        flux[60 + n :] = 0
        found = audit(make_windows(crowd("HARP", 80), flux), roles)
        assert [kind for kind in kinds(found, "warning") if kind != "cycle phase"] == warned
    few = next(finding for finding in found.warnings if finding.kind == "few event blocks")
    assert "test has 19 event blocks of M1.0 in 20 windows, fewer than 20" in few.message


def test_event_blocks_are_regions_or_rotations_of_the_disk(make_windows, make_roles):
    flux = np.full(60, 2e-5)
    flux[50:] = 0
    disk = make_windows([("disk", "", np.arange(60) + 0)], flux)
    counts = audit(disk, make_roles([TEST] * 60)).counts
    test = next(entry for entry in counts if entry["role"] == "test")
    expected = np.unique(cycles.rotation_of(cycles.seconds("2011-01-01") + cycles.DAY * np.arange(50))).size
    assert test["events"]["M1.0"] == {
        "known": 60,
        "events": 50,
        "base_rate": 50 / 60,
        "event_blocks": expected,
    }
    region = make_windows(
        [("HARP 1", "11001", np.arange(30) + 0), ("HARP 2", "11001", np.arange(30) + 90)], flux
    )
    counts = audit(region, make_roles([TEST] * 60)).counts
    test = next(entry for entry in counts if entry["role"] == "test")
    assert test["events"]["M1.0"]["event_blocks"] == 1
    assert test["regions"] == 1


def test_unknown_outcomes_are_neither_events_nor_counted(make_windows, make_roles, crowd):
    windows = make_windows(crowd("HARP", 4), [2e-5, 0.0, 0.0, 0.0])
    windows["peak_flux_upper"][2:] = np.inf
    counts = audit(windows, make_roles([TRAIN] * 4)).counts
    train = next(entry for entry in counts if entry["role"] == "train")
    assert train["windows"] == 4
    assert train["events"]["M1.0"]["known"] == 2
    assert train["events"]["M1.0"]["base_rate"] == 0.5


def test_a_role_without_a_phase_that_test_has_is_warned_about(make_windows, make_roles, kinds):
    months = np.arange(100) * 15.0  # from the rise of cycle 24 into its maximum
    windows = make_windows([(f"HARP {number}", "", [day]) for number, day in enumerate(months)])
    phase = cycles.phase_of(windows["issue_time"].values)
    roles = np.where(phase == cycles.PHASES.index("rise"), TRAIN, TEST)
    found = audit(windows, make_roles(roles))
    text = next(finding.message for finding in found.warnings if finding.kind == "cycle phase")
    assert "train has no window in the maximum" in text
    roles[::5] = TRAIN
    assert "cycle phase" not in kinds(audit(windows, make_roles(roles)), "warning")


def test_roles_of_the_same_days_are_warned_about_unless_they_are_of_the_disk(make_windows, make_roles, kinds):
    regions = [(f"HARP {number}", "", [number // 2]) for number in range(40)]
    found = audit(make_windows(regions), make_roles([TRAIN, TEST] * 20))
    assert kinds(found, "warning").count("contemporaneous roles") == 1
    assert "100 % of 20 test windows were issued on days of which train holds" in " ".join(found.sentences())
    disk = make_windows([("disk", "", np.arange(40))])
    assert "contemporaneous roles" not in kinds(audit(disk, make_roles([TRAIN, TEST] * 20)), "warning")


def test_a_sample_that_is_not_natural_is_warned_about(make_windows, make_roles, crowd, kinds):
    windows = make_windows(crowd("HARP", 40))
    for sampling, warned in (("natural", 0), ("filtered", 1), ("case-control", 1)):
        windows.attrs["sampling"] = sampling
        assert kinds(audit(windows, make_roles([TRAIN, TEST] * 20)), "warning").count("sampling") == warned
