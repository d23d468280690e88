"""Every kind of finding is planted in a clean split of the simulated Sun and found; clean splits pass."""

import numpy as np
import pytest

from flarecast import goes, schema
from flarecast.audit import audit
from flarecast.ingest.simulated import ingest_simulated
from flarecast.split import make_split

TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)
HOUR = 3600


@pytest.fixture(scope="module")
def sun():
    """Windows of 12 h, 12 h apart, so that no two share a row."""
    return ingest_simulated(
        None, np.random.default_rng(5), n_regions=500, first_date="2011-06", last_date="2014-12"
    )


class Case:
    """A copy of the windows, the roles of a clean split, and what the plants need to know of them."""

    def __init__(self, windows):
        self.windows = windows.copy(deep=True)
        self.split = make_split(windows, "by_region", np.random.default_rng(2))
        self.role = self.split["role"].values[0]
        self.event = goes.events(windows, "M1.0") == 1
        self.first = windows["first_row"].values
        self.last = self.first + windows["n_rows"].values - 1
        self.whole = windows["n_rows"].values == windows.attrs["n_steps"]
        self.rng = np.random.default_rng(3)

    def of(self, role, chosen=True):
        return np.flatnonzero((self.role == role) & self.whole & chosen)

    def put(self, feature, windows, values):
        """Set the last row of some windows; the rows before stay."""
        column = list(self.windows["feature"].values).index(feature)
        self.windows["values"].values[self.last[windows], column] = values

    def set(self, name, windows, values):
        array = self.windows[name].values.copy()
        array[windows] = values
        self.windows[name] = (self.windows[name].dims, array, self.windows[name].attrs)

    def rows_of(self, windows):
        return np.concatenate([np.arange(self.first[i], self.last[i] + 1) for i in windows])


def shared_row(case):
    one, other = case.of(TRAIN)[0], case.of(TEST)[0]
    case.set("first_row", other, case.first[one])


def shared_region(case):
    case.set("region", case.of(TEST)[:1], case.windows["region"].values[case.of(TRAIN)[0]])


def shared_number(case):
    for role in (CALIBRATION, TEST):
        case.set("noaa_regions", case.of(role)[:1], "14999")


def overlap(case):
    one, other = case.of(TRAIN)[0], case.of(TEST)[0]
    case.set("region", [one, other], "disk")
    for name in ("issue_time", "valid_from", "valid_to"):
        case.set(name, other, case.windows[name].values[one] + 6 * HOUR)


def late_row(case):
    window = case.of(TRAIN)[0]
    case.set("time", case.last[window], case.windows["issue_time"].values[window] + 60)


def row_at_peak(case):
    window = case.of(VALIDATION, case.event)[0]
    case.set("flare_peak", window, case.windows["time"].values[case.last[window]])


def label_name(case):
    names = case.windows["feature"].values.astype(object)
    names[3] = "MFLARE_LABEL"
    case.windows["feature"] = ("feature", names)


def label_value(case):
    case.put("EPSX", np.arange(case.last.size), case.event)


def single_feature(case):
    case.put("EPSY", np.arange(case.last.size), case.event + case.rng.normal(0, 0.25, case.event.size))


def single_gap(case):
    column = list(case.windows["feature"].values).index("R_VALUE")
    case.windows["values"].values[:, column] = 1.0
    case.windows["values"].values[case.rows_of(np.flatnonzero(case.event)), column] = np.nan


def hour_of_day(case):
    noon = case.windows["issue_time"].values % (24 * HOUR) == 12 * HOUR
    case.role[noon != case.event] = 0
    case.split["role"].values[0] = case.role


def same_window(case):
    one, other = case.of(TRAIN)[7], case.of(TEST)[7]
    values = case.windows["values"].values
    values[case.first[other] : case.last[other] + 1] = values[case.first[one] : case.last[one] + 1]


LEAKS = {
    "a shared row": (shared_row, "shared row"),
    "a shared region": (shared_region, "shared region"),
    "a region under another number": (shared_number, "shared region"),
    "overlapping history or outcome": (overlap, "overlapping history or outcome"),
    "a row after the issue": (late_row, "row after the issue time"),
    "a row at the peak": (row_at_peak, "row after the peak"),
    "a label column by its name": (label_name, "label column"),
    "a label column by its values": (label_value, "label column"),
    "a feature that tells too much": (single_feature, "single feature"),
    "gaps that tell too much": (single_gap, "missingness"),
    "the hour of day": (hour_of_day, "hour of day"),
    "a window under two names": (same_window, "same window"),
}


@pytest.mark.parametrize(("plant", "kind"), LEAKS.values(), ids=LEAKS)
def test_a_planted_leak_is_found(sun, kinds, plant, kind):
    case = Case(sun)
    plant(case)
    found = audit(case.windows, case.split, ("M1.0",))
    assert kind in kinds(found)
    assert kinds(found).count(kind) == 1


def begun(case):
    window = case.of(TEST, case.event)[0]
    case.set("flare_start", window, case.windows["issue_time"].values[window] - 600)


def odd_hours(case):
    noon = case.windows["issue_time"].values % (24 * HOUR) == 12 * HOUR
    case.role[~case.event & noon & (case.rng.random(noon.size) < 0.8)] = 0
    case.role[case.event & ~noon & (case.rng.random(noon.size) < 0.8)] = 0
    case.split["role"].values[0] = case.role


def odd_gaps(case):
    column = list(case.windows["feature"].values).index("R_VALUE")
    gappy = np.flatnonzero(case.rng.random(case.event.size) < np.where(case.event, 0.7, 0.2))
    case.windows["values"].values[:, column] = 1.0
    case.windows["values"].values[case.rows_of(gappy), column] = np.nan


def case_control(case):
    case.windows.attrs["sampling"] = "case-control"


def base_rate(case):
    case.role[case.of(TEST, ~case.event)[::2]] = 0
    case.role[case.of(TEST, ~case.event)[::3]] = 0
    case.split["role"].values[0] = case.role


def class_mix(case):
    small = goes.at_least(case.windows["peak_flux"].values, 1e-8) & ~case.event
    case.role[case.of(TEST, small)] = 0
    case.split["role"].values[0] = case.role


def scale_flag(case):
    tests = case.role == TEST
    case.set("flux_scale", tests, 1 - case.windows["flux_scale"].values[tests])


def scale_unsaid(case):
    scaled = case.windows["peak_flux"].values[case.role == TEST] * goes.OPERATIONAL_TO_TRUE
    case.set("peak_flux", case.role == TEST, scaled)


def cadence(case):
    tests = case.of(TEST)
    case.set("time", case.last[tests] - 1, case.windows["time"].values[case.last[tests]] - 1440)


def feature_scale(case):
    column = list(case.windows["feature"].values).index("USFLUX")
    case.windows["values"].values[case.rows_of(case.of(TEST)), column] *= 1e-8


def few_blocks(case):
    case.role[case.of(TEST, case.event)[5:]] = 0
    case.split["role"].values[0] = case.role


def no_minimum(case):
    issue = case.windows["issue_time"].values
    tests = np.flatnonzero(case.role == TEST)
    for name in ("issue_time", "valid_from", "valid_to", "flare_start", "flare_peak"):
        moved = case.windows[name].values[tests]
        case.set(name, tests, np.where(moved == schema.NO_TIME, moved, moved + 6 * 365 * 24 * HOUR))
    assert (issue > 0).all()


WARNINGS = {
    "roles of the same days": (lambda case: None, "contemporaneous roles", "of which train holds"),
    "a flare that has begun": (begun, "in progress", "of them in test"),
    "an odd hour": (odd_hours, "hour of day", "goes with M1.0 in train (AUC"),
    "odd gaps": (odd_gaps, "missingness", "missing values of R_VALUE go with M1.0"),
    "a case-control sample": (case_control, "sampling", "case-control sample"),
    "another base rate": (base_rate, "base rate", "test"),
    "another mix of classes": (class_mix, "class mix", "and test ("),
    "another scale by flag": (scale_flag, "flux scale", "by a factor of 1.43"),
    "another scale unsaid": (scale_unsaid, "flux scale", "times those of train by the decimals"),
    "another cadence": (cadence, "cadence", "test 24 min"),
    "another unit": (feature_scale, "feature distribution", "which corresponds to a unit of 1e8"),
    "few event blocks": (few_blocks, "few event blocks", "test has"),
    "a phase that train lacks": (no_minimum, "cycle phase", "train has no window in the"),
}


@pytest.mark.parametrize(("plant", "kind", "words"), WARNINGS.values(), ids=WARNINGS)
def test_a_planted_difference_is_warned_about(sun, plant, kind, words):
    case = Case(sun)
    plant(case)
    found = audit(case.windows, case.split, ("M1.0",))
    said = [finding.message for finding in found.warnings if finding.kind == kind]
    assert said
    assert any(words in message for message in said)


QUIET = {"shared region", "in progress", "hour of day", "missingness", "sampling", "flux scale", "cadence"}


def test_the_clean_split_has_neither_leaks_nor_the_planted_warnings(sun, kinds):
    case = Case(sun)
    found = audit(case.windows, case.split, ("M1.0",))
    assert found.leaks == ()
    assert not set(kinds(found, "warning")) & (QUIET - {"in progress"} | {"feature distribution"})


@pytest.mark.parametrize("seed", range(3))
def test_a_split_by_region_passes(seed):
    check_seed(seed, n_regions=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_splits_by_region_of_the_simulated_sun_pass(seed):
    check_seed(seed, n_regions=2000)


def check_seed(seed, n_regions):
    windows = ingest_simulated(None, np.random.default_rng(seed), n_regions=n_regions)
    split = make_split(windows, "by_region", np.random.default_rng(seed))
    found = audit(windows, split, ("C1.0", "M1.0", "X1.0"))
    assert [finding.message for finding in found.leaks] == []
