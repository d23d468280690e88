"""The audit finds every leak that is planted, warns where roles differ, and says what it saw."""

import json

import numpy as np
import pandas as pd
import pytest

from flarecast import cycles, schema
from flarecast.audit import audit, audit_tables, check_same_windows, read_table, require_events
from flarecast.errors import FlarecastError
from flarecast.files import write_json
from flarecast.split import make_split
from flarecast.windows import cut

DAY = 86_400
TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)
START = cycles.seconds("2011-01-01")


def make_windows(tracks, flux=0.0, scale=0, memory=0.0):
    """Daily windows with two days of history and a horizon of a day: (region, numbers, issue times) each."""
    issue = np.concatenate([np.asarray(times) for _, _, times in tracks])
    track = np.repeat(np.arange(len(tracks)), [len(times) for _, _, times in tracks])
    first_row, n_rows = cut(issue, track, issue, track, 2 * DAY)
    peak = np.broadcast_to(np.asarray(flux, dtype=float), issue.shape)
    n = issue.size
    arrays = {
        "values": np.zeros((n, 1)),
        "feature": ["area"],
        "feature_unit": ["1"],
        "feature_memory_hours": [memory],
        "time": issue,
        "track": track,
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": [tracks[number][0] for number in track],
        "noaa_regions": [tracks[number][1] for number in track],
        "peak_flux": peak,
        "peak_flux_upper": np.where(peak > 0, peak, 9.9e-7),
        "unassigned_peak_flux": np.zeros(n),
        "flare_start": np.full(n, schema.NO_TIME),
        "flare_peak": np.full(n, schema.NO_TIME),
        "flare_id": [""] * n,
        "flux_scale": np.broadcast_to(scale, issue.shape),
        "partition": np.zeros(n),
    }
    attributes = {
        "n_steps": 2,
        "cadence_minutes": 1440,
        "lead_hours": 0.0,
        "horizon_hours": 24.0,
        "latency_minutes": 0,
        "source": "test",
        "sampling": "natural",
        "source_files": "",
        "context_features": "",
        "history": "made for a test",
    }
    return schema.build(schema.WINDOWS, arrays, attributes)


def make_roles(*folds, windows_sha256="abc"):
    attributes = {
        "windows_sha256": windows_sha256,
        "strategy": "by hand",
        "embargo_hours": 0.0,
        "history": "",
    }
    return schema.build(schema.SPLIT, {"role": np.array(folds, dtype=np.int8)}, attributes)


def days(first, n):
    return START + DAY * np.arange(first, first + n)


def crowd(prefix, n, first=0):
    """Regions of one window each, so that no warning about few blocks is due."""
    return [(f"{prefix} {number}", "", days(first + 10 * number, 1)) for number in range(n)]


def kinds(found, level="leak"):
    return [finding.kind for finding in found.findings if finding.level == level]


LEAKS = {
    "adjacent windows of the disk share a row": (
        [("disk", "", days(0, 2))],
        [TRAIN, TEST],
        ["shared row", "overlapping history or outcome"],
        "1 row in windows of both train and test, e.g. disk at 2011-01-02T00:00:00Z; split by region",
    ),
    "windows of the disk two days apart share time": (
        [("disk", "", days(0, 3))],
        [TRAIN, 0, VALIDATION],
        ["overlapping history or outcome"],
        "1 validation window overlaps history or outcome of train in one track, e.g. disk at 2011-01-03",
    ),
    "a region in two roles": (
        [("HARP 377", "", days(0, 1)), ("HARP 377", "", days(100, 1))],
        [VALIDATION, CALIBRATION],
        ["shared region"],
        "1 region appears in both validation and calibration, e.g. HARP 377; split by region or widen",
    ),
    "a region under another number": (
        [("HARP 377", "11158", days(0, 1)), ("HARP 9", "", days(9, 1)), ("NOAA 11158", "", days(100, 1))],
        [TRAIN, TEST, TEST],
        ["shared region"],
        r"1 region appears in both train and test, e.g. HARP 377 (also NOAA 11158);",
    ),
    "a region through a third one": (
        [
            ("HARP 1", "11001", days(0, 1)),
            ("HARP 2", "11001,11002", days(50, 1)),
            ("HARP 3", "11002", days(99, 1)),
        ],
        [CALIBRATION, 0, TEST],
        ["shared region"],
        r"1 region appears in both calibration and test, e.g. HARP 1 (also HARP 3);",
    ),
    "two tracks of one region at one time": (
        [("HARP 377", "", days(0, 1)), ("HARP 377", "", days(0, 1) + 60)],
        [TRAIN, TEST],
        ["shared region", "overlapping history or outcome"],
        "1 region appears in both train and test",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tracks", "roles", "expected", "message"), LEAKS.values(), ids=LEAKS)
def test_every_planted_leak_is_found_once_and_said_in_words(tracks, roles, expected, message):
    found = audit(make_windows(tracks), make_roles(roles))
    assert kinds(found) == expected
    assert message in found.leaks[0].message
    assert [finding.count for finding in found.leaks] == [1] * len(expected)


def test_no_leak_is_reported_where_there_is_none():
    tracks = [*crowd("HARP", 40), ("disk", "", days(0, 1)), ("disk", "", days(3, 1))]
    flux = np.resize([2e-5, 0.0], 42)
    found = audit(make_windows(tracks, flux), make_roles([TRAIN] * 20 + [TEST] * 20 + [TRAIN, TEST]))
    assert found.leaks == ()
    assert found.sentences()[0] == "no leak found"


def test_unused_windows_are_in_nobodys_way():
    found = audit(make_windows([("disk", "", days(0, 5))]), make_roles([TRAIN, 0, 0, TEST, 0]))
    assert found.leaks == ()


def test_the_memory_of_features_counts_as_history():
    tracks, roles = [("disk", "", days(0, 11))], make_roles([TRAIN, *[0] * 9, TEST])
    assert kinds(audit(make_windows(tracks, memory=7 * 24.0), roles)) == []
    assert kinds(audit(make_windows(tracks, memory=7 * 24.1), roles)) == ["overlapping history or outcome"]


def test_random_windows_never_pass():
    windows = make_windows([(f"HARP {number}", "", days(20 * number, 10)) for number in range(50)])
    for seed in range(5):
        split = make_split(windows, "random_windows", np.random.default_rng(seed))
        assert set(kinds(audit(windows, split))) == {
            "shared row",
            "shared region",
            "overlapping history or outcome",
        }


def test_by_region_always_passes():
    windows = make_windows(
        [(f"HARP {number}", f"{11000 + number // 2}", days(number, 10)) for number in range(50)]
    )
    for seed in range(20):
        split = make_split(windows, "by_region", np.random.default_rng(seed))
        assert audit(windows, split).leaks == ()


def test_every_fold_is_audited_and_named():
    windows = make_windows(
        [("HARP 1", "", days(0, 1)), ("HARP 1", "", days(50, 1)), ("HARP 2", "", days(60, 1))]
    )
    found = audit(windows, make_roles([TRAIN, TRAIN, TEST], [TRAIN, TEST, TEST]))
    assert [finding.fold for finding in found.leaks] == [1]
    assert found.leaks[0].message.startswith("fold 1: 1 region appears")


def test_a_list_of_many_examples_is_cut():
    windows = make_windows([*crowd("HARP", 9), *crowd("HARP", 9, first=500)])
    leak = audit(windows, make_roles([TRAIN] * 9 + [TEST] * 9)).leaks[0]
    assert leak.count == 9
    assert leak.message.startswith(
        "9 regions appear in both train and test, e.g. HARP 0, HARP 1, HARP 2; split by"
    )
    assert len(leak.examples) == 5


def test_base_rates_that_differ_by_more_than_twice_are_warned_about():
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


def test_a_role_without_any_event_differs_infinitely():
    flux = np.zeros(200)
    flux[:50] = 2e-5
    found = audit(make_windows(crowd("HARP", 200), flux), make_roles([TRAIN] * 100 + [TEST] * 100))
    text = next(finding.message for finding in found.warnings if finding.kind == "base rate")
    assert "differ infinitely between train (0.5000) and test (0.0000)" in text


def test_roles_of_different_flux_scales_are_warned_about():
    roles = make_roles([TRAIN] * 30 + [TEST] * 30)
    found = audit(make_windows(crowd("HARP", 60), scale=np.repeat([0, 1], 30)), roles)
    text = next(finding.message for finding in found.warnings if finding.kind == "flux scale")
    assert "train operational, test true" in text
    assert "1.43e-05 W m-2" in text
    same = audit(make_windows(crowd("HARP", 60), scale=1), roles)
    assert "flux scale" not in kinds(same, "warning")


def test_under_twenty_event_blocks_are_warned_about():
    roles = make_roles([TRAIN] * 20 + [VALIDATION] * 20 + [CALIBRATION] * 20 + [TEST] * 20)
    for n, warned in ((20, []), (19, ["few event blocks"])):
        flux = np.full(80, 2e-5)
        flux[60 + n :] = 0
        found = audit(make_windows(crowd("HARP", 80), flux), roles)
        assert kinds(found, "warning") == warned
    assert "test has 19 event blocks of M1.0 in 20 windows, fewer than 20" in found.warnings[0].message


def test_event_blocks_are_regions_or_rotations_of_the_disk():
    flux = np.full(60, 2e-5)
    flux[50:] = 0
    disk = make_windows([("disk", "", days(0, 60))], flux)
    counts = audit(disk, make_roles([TEST] * 60)).counts
    test = next(entry for entry in counts if entry["role"] == "test")
    expected = np.unique(cycles.rotation_of(days(0, 50))).size
    assert test["events"]["M1.0"] == {
        "known": 60,
        "events": 50,
        "base_rate": 50 / 60,
        "event_blocks": expected,
    }
    region = make_windows([("HARP 1", "11001", days(0, 30)), ("HARP 2", "11001", days(90, 30))], flux)
    counts = audit(region, make_roles([TEST] * 60)).counts
    test = next(entry for entry in counts if entry["role"] == "test")
    assert test["events"]["M1.0"]["event_blocks"] == 1
    assert test["regions"] == 1


def test_unknown_outcomes_are_neither_events_nor_counted():
    windows = make_windows(crowd("HARP", 4), [2e-5, 0.0, 0.0, 0.0])
    windows["peak_flux_upper"][2:] = np.inf
    counts = audit(windows, make_roles([TRAIN] * 4)).counts
    train = next(entry for entry in counts if entry["role"] == "train")
    assert train["windows"] == 4
    assert train["events"]["M1.0"]["known"] == 2
    assert train["events"]["M1.0"]["base_rate"] == 0.5


def test_an_audit_is_plain_json(tmp_path):
    windows = make_windows([("HARP 377", "", days(0, 1)), ("HARP 377", "", days(100, 1))], [2e-5, 0])
    found = audit(windows, make_roles([TRAIN, TEST]), ("M1.0", "X1.0"))
    write_json(tmp_path / "audit.json", found.as_json())
    read = json.loads((tmp_path / "audit.json").read_text())
    assert read["n_leaks"] == 1
    assert read["findings"][0]["kind"] == "shared region"
    assert read["findings"][0]["roles"] == ["train", "test"]
    assert [entry["role"] for entry in read["counts"]] == list(schema.ROLES)
    assert found.sentences()[0].startswith("leak: 1 region")


def test_a_split_of_other_windows_is_refused():
    check_same_windows(make_roles([TRAIN], windows_sha256="1" * 64), "1" * 64)
    with pytest.raises(
        FlarecastError, match="made of the windows file 222222222222, got one made of 111111111111"
    ):
        check_same_windows(make_roles([TRAIN], windows_sha256="1" * 64), "2" * 64)
    with pytest.raises(FlarecastError, match="expected roles for 3 windows, got 1 fold of 2"):
        audit(make_windows(crowd("HARP", 3)), make_roles([TRAIN, TEST]))


def test_training_and_validation_must_hold_every_trained_event():
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


def write(path, text):
    path.write_text(text)
    return path


TABLE = "region,issue_time,valid_from,valid_to,probability\n"


def test_tables_of_others_are_compared(tmp_path):
    train = TABLE + (
        "HARP 1,2011-01-01T00:00:00Z,2011-01-01T00:00:00Z,2011-01-02T00:00:00Z,0.1\n"
        "HARP 2,2011-01-05,2011-01-05,2011-01-06,0.1\n"
        "disk,2011-01-05,2011-01-05,2011-01-06,0.1\n"
    )
    test = TABLE + (
        "HARP 1,2011-01-01T00:00,2011-01-01,2011-01-02,0.2\n"
        "HARP 3,2011-02-01,2011-02-01,2011-02-02,0.2\n"
        "disk,2011-01-05T12:00:00,2011-01-05T12:00:00,2011-01-06T12:00:00,0.2\n"
    )
    tables = [read_table(write(tmp_path / f"{i}.csv", text)) for i, text in enumerate((train, test))]
    found = audit_tables(*tables)
    assert {finding.kind: finding.count for finding in found.leaks} == {
        "shared window": 1,
        "shared region": 1,
        "overlapping outcome": 2,
    }
    assert found.leaks[1].message.startswith("1 region appears in both train and test, e.g. HARP 1;")
    assert found.leaks[2].examples == ("HARP 1 at 2011-01-01T00:00:00Z", "disk at 2011-01-05T12:00:00Z")
    assert kinds(found, "warning") == ["test before train"]
    assert any("not checked" in sentence for sentence in found.sentences())


def test_outcomes_of_unequal_length_overlap_where_they_share_a_second(tmp_path):
    train = TABLE + (
        "disk,2011-01-01,2011-01-01,2011-03-01,0\n"
        "disk,2011-01-05,2011-01-05,2011-01-06,0\n"
        "disk,2011-06-01,2011-06-01,2011-06-02,0\n"
    )
    test = TABLE + (
        "disk,2011-02-01,2011-02-01,2011-02-02,0\n"  # inside the first, which begins before the second
        "disk,2011-03-01,2011-03-01,2011-03-02,0\n"  # begins where the first ends
        "disk,2011-05-31,2011-05-31,2011-06-01,0\n"  # ends where the third begins
    )
    tables = [read_table(write(tmp_path / f"{i}.csv", text)) for i, text in enumerate((train, test))]
    leaks = audit_tables(*tables).leaks
    assert [(leak.kind, leak.examples) for leak in leaks] == [
        ("overlapping outcome", ("disk at 2011-02-01T00:00:00Z",))
    ]


def test_clean_tables_pass_and_say_what_was_not_checked(tmp_path):
    train = read_table(write(tmp_path / "a.csv", "region,issue_time\nHARP 1,2011-01-01\nHARP 2,2011-01-02\n"))
    test = read_table(write(tmp_path / "b.csv", "issue_time,region\n2012-01-01,HARP 3\n"))
    found = audit_tables(train, test)
    assert found.findings == ()
    assert [note.split(";")[1] for note in found.notes] == [
        " their overlap is not checked",
        " overlap of outcomes is not checked",
    ]
    assert isinstance(train, pd.DataFrame)
    assert train["issue_time"].tolist() == [cycles.seconds("2011-01-01"), cycles.seconds("2011-01-02")]


BAD_TABLES = {
    "no columns": ("harp,time\n1,2011-01-01\n", "expected columns region and issue_time, got harp, time"),
    "no rows": ("region,issue_time\n", "expected rows, got a table without any"),
    "empty": ("", "expected a CSV table, got something else"),
    "no time": ("region,issue_time\nHARP 1,2011-01-01\nHARP 1,soon\n", "got 'soon' in line 3"),
    "no region": ("region,issue_time\n,2011-01-01\n", "a region in every row, got none in line 2"),
    "backwards": (TABLE + "a,2011-01-01,2011-01-02,2011-01-01,0\n", "valid_from before valid_to, .* line 2"),
}


@pytest.mark.parametrize(("text", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_that_cannot_be_read_are_refused(text, message, tmp_path):
    with pytest.raises(FlarecastError, match=message):
        read_table(write(tmp_path / "table.csv", text))


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(FlarecastError, match=r"nowhere.csv: cannot be read"):
        read_table(tmp_path / "nowhere.csv")


def test_tables_with_blanks_after_commas_or_a_comma_too_many_are_read(tmp_path):
    text = "region, issue_time\nHARP 1, 2011-01-01,\nHARP 2, 2011-01-02,\n"
    assert read_table(write(tmp_path / "a.csv", text))["region"].tolist() == ["HARP 1", "HARP 2"]


def test_a_split_without_a_fold_is_refused():
    windows = make_windows([("A", "", days(0, 3))])
    with pytest.raises(FlarecastError, match="got 0 folds of 3"):
        audit(windows, make_roles([1, 1, 1]).isel(fold=slice(0, 0)))
