"""NOAA's daily record as windows: when a day is known, what its flares say, what the record is worth."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from flarecast import cycles, features, goes, schema, windows
from flarecast.errors import FlarecastError
from flarecast.ingest import dsd
from flarecast.ingest.noaa_disk import FEATURES, ingest_noaa_disk

DATA = Path(__file__).parents[2] / "../shared/data/noaa_daily"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/noaa_daily is not there")

DAY = 86_400
START = date(2012, 1, 1)
QUIET_UPPER = 9.9e-7


def day_line(day, c=0, m=0, x=0, f107=100, area=200):
    """A line of the layout since 1997."""
    return f"{day:%Y %m %d}  {f107}  61  {area}  0  -999  B4.4  {c}  {m}  {x}  2  0  0  0"


def random_lines(n_days=100, seed=4):
    """Lines by day, with flares and gaps."""
    rng = np.random.default_rng(seed)
    lines = {}
    for number in range(n_days):
        day = START + timedelta(number)
        c, m, x = rng.poisson([3, 0.4, 0.05])
        lines[day] = day_line(day, c, m, x, rng.integers(80, 200), rng.integers(0, 2000))
    lines[START + timedelta(20)] = day_line(START + timedelta(20), "*", "*", "*")
    del lines[START + timedelta(50)]
    return lines


def ingest(folder, lines, **options):
    """Write lines (day: line) to a file in a sub-folder and ingest the folder."""
    path = folder / "DSD" / "2012_DSD.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("# Date\n" + "\n".join(lines.values()) + "\n")
    return ingest_noaa_disk(folder, np.random.default_rng(0), **options)


def with_counts(*counts):
    """Lines of consecutive days with given (C, M, X) counts; None leaves the day out."""
    days = [START + timedelta(number) for number in range(len(counts))]
    return {
        day: day_line(day, *triple) for day, triple in zip(days, counts, strict=True) if triple is not None
    }


def test_a_day_is_stamped_when_it_is_over(tmp_path):
    disk = ingest(tmp_path, random_lines(), history_days=5)

    assert disk["time"].values[0] == cycles.seconds("2012-01-02")
    assert (np.diff(disk["time"].values) == DAY).all()
    assert disk["issue_time"].values[0] == cycles.seconds("2012-01-06")
    assert (disk["issue_time"].values % DAY == 0).all()
    assert disk["issue_time"].values[-1] == disk["time"].values[-1]
    np.testing.assert_array_equal(disk["valid_from"], disk["issue_time"])
    np.testing.assert_array_equal(disk["valid_to"] - disk["valid_from"], DAY)


def test_a_window_holds_the_last_days_and_ends_with_the_day_just_over(tmp_path):
    disk = ingest(tmp_path, random_lines(), history_days=5)
    f107 = windows.gather(disk, features=["f107"])[:, :, 0]

    column = disk["values"].values[:, list(disk["feature"].values).index("f107")]
    np.testing.assert_array_equal(f107[0], column[:5])
    np.testing.assert_array_equal(f107[-1], column[-5:])
    assert (disk["n_rows"].values == 5).all()


@pytest.mark.parametrize("number", [0, 30, 60, 99])
def test_changing_a_day_changes_no_feature_of_a_window_issued_before_it_was_over(tmp_path, number):
    lines = random_lines()
    day = START + timedelta(number)
    issued = cycles.seconds(day.isoformat())
    options = {"history_days": 3}
    before = ingest(tmp_path, lines, **options)
    after = ingest(tmp_path, lines | {day: day_line(day, 30, 9, 4, 290, 5000)}, **options)

    known = before["issue_time"].values <= issued
    assert number == 0 or known.any()
    np.testing.assert_array_equal(windows.gather(before)[known], windows.gather(after)[known])
    next_day = after["issue_time"].values == max(issued + DAY, after["issue_time"].values[0])
    assert not np.array_equal(
        windows.gather(before)[next_day], windows.gather(after)[next_day], equal_nan=True
    )


def test_no_feature_reads_further_back_than_its_memory(tmp_path):
    lines = random_lines()
    disk = ingest(tmp_path, lines, history_days=1)
    time = disk["time"].values

    for number in (10, 35, 70):
        changed = START + timedelta(number)
        other = ingest(tmp_path, lines | {changed: day_line(changed, 50, 9, 4, 290, 9999)}, history_days=1)
        end_of_day = cycles.seconds(changed.isoformat()) + DAY
        for column, memory in enumerate(disk["feature_memory_hours"].values):
            differs = disk["values"].values[:, column] != other["values"].values[:, column]
            differs &= ~np.isnan(other["values"].values[:, column])
            beyond = end_of_day <= time - memory * 3600
            assert not (differs & beyond).any(), disk["feature"].values[column]
            assert not (differs & (time < end_of_day)).any(), disk["feature"].values[column]


def test_the_default_features_remember_at_most_27_days():
    assert max(feature.memory_days for feature in FEATURES.values()) == 27


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((0, 0, 0), 0.0, QUIET_UPPER),
        ((3, 0, 0), 1e-6, 9.9e-6),
        ((3, 2, 0), 1e-5, 9.9e-5),
        ((0, 0, 1), 1e-4, np.inf),
        (("*", "*", "*"), 0.0, np.inf),
        (("-1", "-1", "-1"), 0.0, np.inf),
        (("*", 0, 0), 0.0, 9.9e-6),
        ((0, 1, "*"), 1e-5, np.inf),
        (None, 0.0, np.inf),
    ],
)
def test_counts_bound_the_peak_flux_by_class(tmp_path, counts, low, high):
    disk = ingest(tmp_path, with_counts((0, 0, 0), counts, (0, 0, 0)), history_days=1)

    np.testing.assert_allclose(disk["peak_flux"].values[0], low, rtol=1e-12)
    np.testing.assert_allclose(disk["peak_flux_upper"].values[0], high, rtol=1e-12)


def test_events_follow_from_the_counts(tmp_path):
    days = [(0, 0, 0), (0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 1), ("*", "*", "*"), ("*", 1, 0)]
    disk = ingest(tmp_path, with_counts(*days), history_days=1)

    occurred = goes.occurred_table(disk, ("C1.0", "M1.0", "X1.0"))

    assert occurred.tolist() == [
        [0, 0, 0],
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
        [-1, -1, -1],
        [1, 1, 0],
        [-1, -1, -1],
    ]
    np.testing.assert_array_equal(occurred, goes.occurred_table(disk, ("C1.0", "M1.0", "X1.0"), "mask"))


def test_a_span_of_days_is_known_only_if_every_day_is_or_one_is_positive(tmp_path):
    days = [(0, 0, 0), (0, 0, 0), (0, 1, 0), None, (0, 0, 0), (0, 0, 0), (0, 0, 0)]
    disk = ingest(tmp_path, with_counts(*days), history_days=1, lead_hours=24, horizon_hours=48)

    np.testing.assert_array_equal(disk["valid_from"] - disk["issue_time"], DAY)
    np.testing.assert_array_equal(disk["valid_to"] - disk["valid_from"], 2 * DAY)
    # Issued at the end of day 0, 1, 2, 4, 5, 6, valid on the days 2-3, 3-4, 4-5, 6-7, ...: the window that
    # would have nothing but the missing day 3 as its history is none.
    issued = [cycles.seconds((START + timedelta(number + 1)).isoformat()) for number in (0, 1, 2, 4, 5, 6)]
    assert disk["issue_time"].values.tolist() == issued
    assert goes.events(disk, "M1.0").tolist() == [1, -1, 0, -1, -1, -1]


def test_the_last_window_has_no_outcome_yet(tmp_path):
    disk = ingest(tmp_path, random_lines(), history_days=27)

    assert goes.events(disk, "M1.0")[-1] == -1
    assert (goes.events(disk, "M1.0")[:-1] >= 0).mean() > 0.9


def test_a_missing_day_is_nan_where_a_feature_is_of_that_day_alone(tmp_path):
    disk = ingest(tmp_path, random_lines(), history_days=3)
    gap = disk["values"].values[50]

    missing = {str(name) for name in disk["feature"].values[np.isnan(gap)]}

    of_the_day = {name for name, feature in FEATURES.items() if feature.memory_days == 1}
    assert of_the_day <= missing
    assert not {name for name in missing if name.endswith(("_9d", "_27d", "_7d"))}


def test_the_dataset_says_where_it_comes_from_and_survives_a_file(tmp_path):
    lines = random_lines()
    first = lines[START]
    disk = ingest(
        tmp_path, lines | {"bad": "2012 03 01 130", "again": first, "other": first.replace("61", "62")}
    )

    assert disk.attrs["source"] == "noaa-disk"
    assert disk.attrs["sampling"] == "natural"
    assert disk.attrs["n_steps"] == 27
    assert disk.attrs["source_files"].endswith(" DSD/2012_DSD.txt")
    assert disk.attrs["n_value_lines"] == 102
    assert disk.attrs["n_rows_read"] == 99
    assert disk.attrs["n_skipped"] == 3
    assert disk.attrs["skipped"] == "repeated day, other values 1, repeated day, same values 1, wrong width 1"
    assert disk.attrs["n_days_without_line"] == 1
    schema.save(disk, tmp_path / "windows.nc", schema.WINDOWS)
    again = schema.open_file(tmp_path / "windows.nc", schema.WINDOWS)
    np.testing.assert_array_equal(again["values"], disk["values"])


def test_flares_are_on_the_true_scale_from_goes_16_on(tmp_path):
    days = [date(2019, 12, 1) + timedelta(number) for number in range(20)]
    (tmp_path / "2019_DSD.txt").write_text("\n".join(day_line(day) for day in days))

    disk = ingest_noaa_disk(tmp_path, np.random.default_rng(0), history_days=1)

    true = disk["flux_scale"].values == goes.FLUX_SCALES.index("true")
    np.testing.assert_array_equal(true, disk["valid_from"].values >= cycles.seconds("2019-12-09"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon_hours": 12}, "horizon_hours: expected whole days like 24"),
        ({"horizon_hours": 0}, "horizon_hours: expected whole days like 24"),
        ({"horizon_hours": float("nan")}, "horizon_hours: expected whole days like 24"),
        ({"lead_hours": 6}, "lead_hours: expected whole days like 0 or 24"),
        ({"lead_hours": -24}, "lead_hours: expected whole days like 0 or 24"),
        ({"history_days": 0}, "history_days: expected at least 1, got 0"),
        ({"max_bad_rows": -1}, "max_bad_rows: expected at least 0, got -1"),
        ({"history_days": 101}, "expected at least history_days = 101 days, got 100"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(tmp_path, options, message):
    with pytest.raises(FlarecastError, match=message):
        ingest(tmp_path, random_lines(), **options)


def test_all_bad_options_are_named_at_once(tmp_path):
    with pytest.raises(FlarecastError, match=r"lead_hours.*; horizon_hours.*"):
        ingest(tmp_path, random_lines(), lead_hours=1, horizon_hours=1)


def test_a_missing_or_empty_folder_is_one_sentence(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(
        FlarecastError, match=r"expected a folder with YYYY_DSD\.txt files, got none; name it"
    ):
        ingest_noaa_disk(None, rng)
    with pytest.raises(
        FlarecastError, match=r"nowhere: expected a folder with YYYY_DSD\.txt files, found none"
    ):
        ingest_noaa_disk(tmp_path / "nowhere", rng)
    (tmp_path / "DSD.csv").write_text("1,2")
    with pytest.raises(FlarecastError, match=r"expected files named like 2012_DSD\.txt in it or below"):
        ingest_noaa_disk(tmp_path, rng)


@pytest.fixture(scope="module")
def real():
    """The record of 1996 to 2019-11 as windows."""
    return ingest_noaa_disk(DATA, np.random.default_rng(0))


def in_cycle(disk, number):
    """Windows of a solar cycle with a known outcome."""
    return (cycles.cycle_of(disk["valid_from"].values) == number) & (goes.events(disk, "M1.0") >= 0)


def skill(probability, occurred):
    """Average precision, area under the ROC curve and Brier skill score against the sample's base rate."""
    base_rate = occurred.mean()
    brier = ((probability - occurred) ** 2).mean()
    return (
        average_precision_score(occurred, probability),
        roc_auc_score(occurred, probability),
        1 - brier / (base_rate * (1 - base_rate)),
    )


def logistic(predictors, occurred, train, test, strength):
    """Probabilities of the test rows by a logistic regression on standardised predictors."""
    scaled = (predictors - predictors[train].mean(axis=0)) / predictors[train].std(axis=0)
    model = LogisticRegression(C=strength, max_iter=2000).fit(scaled[train], occurred[train])
    return model.predict_proba(scaled[test])[:, 1]


@needs_data
def test_the_real_record_has_the_known_events(real):
    occurred = goes.occurred_table(real, ("C1.0", "M1.0", "X1.0"))
    cycle_23, cycle_24 = in_cycle(real, 23), in_cycle(real, 24)

    assert real.attrs["n_value_lines"] == real.attrs["n_rows_read"] == 8735
    assert real.attrs["n_skipped"] == 0
    assert (cycle_23.sum(), cycle_24.sum()) == (4469, 4017)
    assert (occurred[cycle_23] == 1).sum(axis=0).tolist() == [2591, 856, 106]
    assert (occurred[cycle_24] == 1).sum(axis=0).tolist() == [1747, 438, 44]
    assert occurred[cycle_24, 1].mean() == pytest.approx(0.108, abs=0.002)
    assert (real["flux_scale"].values == 0).all()


@needs_data
def test_six_lagged_numbers_reach_their_published_skill_on_cycle_24(real):
    daily = dsd.read_dsd(sorted(DATA.rglob("*_DSD.txt")), 0)
    flared = (np.nan_to_num(daily.columns["m_flares"]) + np.nan_to_num(daily.columns["x_flares"]) > 0) * 1.0
    x_day = (np.nan_to_num(daily.columns["x_flares"]) > 0) * 1.0
    lagged = [
        flared,
        features.trailing_sum(flared, 7, 0.0),
        features.trailing_sum(flared, 27, 0.0),
        np.log1p(features.steps_since(flared, 365)),
        daily.columns["sunspot_number"],
        features.trailing_sum(x_day, 27, 0.0),
    ]
    occurred = goes.events(real, "M1.0")
    train, test = in_cycle(real, 23), in_cycle(real, 24)

    last_row = real["first_row"].values + real["n_rows"].values - 1
    probability = logistic(np.stack(lagged, axis=1)[last_row], occurred, train, test, 1.0)

    assert skill(probability, occurred[test]) == pytest.approx((0.466, 0.880, 0.255), abs=0.01)


@needs_data
def test_the_default_features_of_the_last_day_beat_six_and_eleven_lagged_numbers(real):
    values = windows.gather(real)[:, -1].astype(np.float64)
    occurred = goes.events(real, "M1.0")
    train, test = in_cycle(real, 23), in_cycle(real, 24)

    filled = np.where(np.isnan(values), np.nanmean(values[train], axis=0), values)
    average_precision, roc_auc, brier_skill = skill(
        logistic(filled, occurred, train, test, 0.03), occurred[test]
    )

    assert average_precision > 0.53
    assert roc_auc > 0.895
    assert brier_skill > 0.29
