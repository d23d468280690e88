"""GOES classes as numbers, and events from bounds of a peak."""

import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from flarecast import goes
from flarecast.errors import FlarecastError

CLASSES = [f"{letter}{tenths / 10:.1f}" for letter in "ABCM" for tenths in range(10, 100)]
CLASSES += [f"X{tenths / 10:.1f}" for tenths in range(10, 201)]
"""Every class to one decimal, A1.0 to X20.0, ascending."""


def windows_with(peak_flux, peak_flux_upper, unassigned=0.0):
    """The part of a windows file that events are made of."""
    arrays = np.broadcast_arrays(np.atleast_1d(peak_flux), peak_flux_upper, unassigned)
    names = ("peak_flux", "peak_flux_upper", "unassigned_peak_flux")
    return xr.Dataset({name: ("window", array) for name, array in zip(names, arrays, strict=True)})


@pytest.mark.parametrize(
    ("text", "flux"),
    [
        ("A1.0", 1e-8),
        ("B5.5", 5.5e-7),
        ("C", 1e-6),
        ("C4.7", 4.7e-6),
        ("M1.0", 1e-5),
        ("M9.9", 9.9e-5),
        ("X1", 1e-4),
        ("X9.3", 9.3e-4),
        ("X10", 1e-3),
        ("X17.2", 1.72e-3),
        ("m2.5", 2.5e-5),
        (" X28+"[:-1], 2.8e-3),
        ("C.5", 5e-7),
        ("M5.", 5e-5),
    ],
)
def test_a_class_is_the_float_that_its_flux_is_written_as(text, flux):
    assert goes.parse_class(text) == flux


@pytest.mark.parametrize(
    "text",
    ["", "Z9", "Z9.0", "1.0", "M-1", "M0", "M0.0", "MM1", "M1.0.0", "M1,5", "X inf", "nan", "M1e3", "M 1"],
)
def test_what_is_no_class_is_refused_with_the_value(text):
    with pytest.raises(FlarecastError, match="GOES class: expected a letter") as caught:
        goes.parse_class(text)
    assert repr(text) in str(caught.value)


def test_every_class_from_a1_to_x20_comes_back_as_it_was():
    assert [goes.format_class(goes.parse_class(text)) for text in CLASSES] == CLASSES
    single = [goes.format_class(float(np.float32(goes.parse_class(text)))) for text in CLASSES]
    assert single == CLASSES, "also through float32"


def test_classes_rise_as_numbers_not_as_text():
    fluxes = [goes.parse_class(text) for text in CLASSES]
    assert all(low < high for low, high in itertools.pairwise(fluxes))
    assert goes.parse_class("X10") > goes.parse_class("X9.9")
    assert goes.ascending(("C1.0", "M1.0", "X1.0", "X10.0"))
    assert not goes.ascending(("X10.0", "X9.0"))
    assert not goes.ascending(("M1.0", "M1"))


@pytest.mark.parametrize(
    ("flux", "text"),
    [
        (1.09e-5, "M1.0"),
        (9.99e-6, "C9.9"),
        (1.72e-3, "X17.2"),
        (5e-9, "A0.5"),
        (0.0, "quiet"),
        (np.nan, "quiet"),
    ],
)
def test_a_flux_is_printed_as_the_operational_lists_cut_it(flux, text):
    assert goes.format_class(flux) == text


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("m1", "M1.0"),
        (" C ", "C1.0"),
        ("C10", "M1.0"),
        ("x12.0", "X12.0"),
        ("m1.43", "M1.43"),
        ("A0.05", "A0.05"),
    ],
)
def test_a_class_has_one_spelling_and_loses_no_digit(text, spelled):
    assert goes.spell_class(text) == spelled
    assert goes.parse_class(spelled) == pytest.approx(goes.parse_class(text), rel=1e-12)


@given(st.floats(1e-8, 2e-3))
def test_a_printed_class_is_at_most_its_flux_and_less_than_a_tenth_below(flux):
    low = goes.parse_class(goes.format_class(flux))
    step = max(goes.DECADES[letter] for letter in "ABCMX" if goes.DECADES[letter] <= low * (1 + 1e-6)) / 10
    assert low <= flux * (1 + 2e-6)
    assert flux < (low + step) * (1 + 1e-6)


def test_a_class_read_from_float32_still_reaches_its_threshold():
    assert float(np.float32(1e-5)) < 1e-5
    for text in CLASSES:
        flux = goes.parse_class(text)
        assert goes.at_least(np.float32(flux), flux)
        assert not goes.at_least(flux * (1 - 1e-4), flux)


def test_a_missing_flux_reaches_nothing():
    np.testing.assert_array_equal(goes.at_least([np.nan, 1.0, np.inf], 1e-5), [False, True, True])


@pytest.mark.parametrize(
    ("letter", "bounds"),
    [
        ("A", (1e-8, 9.9e-8)),
        ("B", (1e-7, 9.9e-7)),
        ("C", (1e-6, 9.9e-6)),
        ("M", (1e-5, 9.9e-5)),
        ("X", (1e-4, np.inf)),
    ],
)
def test_a_bare_letter_means_its_whole_decade(letter, bounds):
    assert goes.class_bounds(letter) == bounds
    assert goes.class_bounds(letter.lower()) == bounds


def test_no_letter_is_no_class():
    for text in ("", "Z"):
        with pytest.raises(FlarecastError, match="GOES class"):
            goes.class_bounds(text)


def test_below_a_floor_lies_the_class_before_it():
    for lower, floor in itertools.pairwise(CLASSES):
        assert goes.below(goes.parse_class(floor)) == pytest.approx(goes.parse_class(lower), rel=1e-9)
        assert goes.format_class(goes.below(goes.parse_class(floor))) == lower
    assert goes.below(float(np.float32(1e-6))) == pytest.approx(9.9e-7, rel=1e-6)


@pytest.mark.parametrize(
    ("peak", "upper", "ignore", "mask"),
    [
        # without another flare; "mask" sees one of M3 without a region, too
        pytest.param(2e-5, 2e-5, 1, 1, id="a known event stays one"),
        pytest.param(1e-5, 1e-5, 1, 1, id="exactly the threshold"),
        pytest.param(float(np.float32(1e-5)), float(np.float32(1e-5)), 1, 1, id="the threshold as float32"),
        pytest.param(9.9e-6, 9.9e-6, 0, -1, id="a known non-event"),
        pytest.param(0.0, 9.9e-7, 0, -1, id="quiet on a list from C1.0"),
        pytest.param(1e-6, 9.9e-6, 0, -1, id="a C flare of unknown size"),
        pytest.param(1e-5, 9.9e-5, 1, 1, id="an M flare of unknown size"),
        pytest.param(1e-4, np.inf, 1, 1, id="an X flare of unknown size"),
        pytest.param(0.0, np.inf, -1, -1, id="nothing known"),
        pytest.param(5e-6, 2e-5, -1, -1, id="between bounds"),
        pytest.param(np.nan, np.nan, -1, -1, id="no numbers"),
    ],
)
def test_events_follow_from_the_bounds_of_the_peak(peak, upper, ignore, mask):
    windows = windows_with(peak, upper, unassigned=3e-5)
    assert goes.events(windows, "M1.0").tolist() == [ignore]
    assert goes.events(windows, "M1.0", unassigned="mask").tolist() == [mask]
    assert goes.events(windows_with(peak, upper), "M1.0", unassigned="mask").tolist() == [ignore]
    assert goes.events(windows, "M1.0").dtype == np.int8


def test_a_flare_without_region_masks_only_the_thresholds_that_it_reaches():
    windows = windows_with([0.0, 2e-6], [9.9e-7, 2e-6], unassigned=3e-5)
    table = goes.occurred_table(windows, ("C1.0", "M1.0", "X1.0"), unassigned="mask")
    np.testing.assert_array_equal(table, [[-1, -1, 0], [1, -1, 0]])


def test_whether_there_was_another_flare_may_be_unknown():
    windows = windows_with([0.0, 2e-5], [0.0, 2e-5], unassigned=np.nan)
    assert goes.events(windows, "M1.0", unassigned="mask").tolist() == [-1, 1]
    assert goes.events(windows, "M1.0", unassigned="ignore").tolist() == [0, 1]


@given(
    st.lists(
        st.tuples(st.floats(0, 1e-3), st.floats(0, 1e-3), st.floats(0, 1e-3), st.booleans()),
        min_size=1,
        max_size=20,
    )
)
def test_events_are_nested_and_their_classes_contain_the_truth(rows):
    low, extra, unassigned, unknown = (np.array(column) for column in zip(*rows, strict=True))
    upper = np.where(unknown, np.inf, low + extra)
    thresholds = ("C1.0", "M1.0", "X1.0")
    for kind in ("ignore", "mask"):
        table = goes.occurred_table(windows_with(low, upper, unassigned), thresholds, kind)
        assert table.shape == (len(rows), 3)
        for weaker, stronger in itertools.pairwise(table.T):
            assert (weaker[stronger == 1] == 1).all()
            assert (stronger[weaker == 0] == 0).all()
        first, last = goes.compatible_classes(table)
        truth = np.searchsorted([1e-6 * (1 - 1e-6), 1e-5 * (1 - 1e-6), 1e-4 * (1 - 1e-6)], low, side="right")
        assert ((first <= truth) & (truth <= last)).all()


@pytest.mark.parametrize(
    ("peak", "upper", "unassigned", "letter"),
    [
        (0.0, 9.9e-8, 0.0, "quiet"),
        (0.0, 9.9e-7, 0.0, "quiet"),  # a list that starts at C1.0
        (0.0, 9.9e-6, 0.0, None),  # one that starts at M1.0
        (5e-8, 5e-8, 0.0, "quiet"),  # A flares
        (3e-7, 3e-7, 0.0, "B"),
        (1e-7, 9.9e-7, 0.0, "B"),
        (1e-6, 9.9e-6, 0.0, "C"),
        (1e-6, np.inf, 0.0, None),
        (np.float32(1e-5), np.float32(1e-5), 0.0, "M"),
        (1e-4, np.inf, 0.0, "X"),
        (1.2e-3, 1.2e-3, 0.0, "X"),
        (0.0, np.inf, 0.0, None),
        (0.0, 9.9e-7, 3e-5, None),
        (3e-5, 3e-5, 3e-6, "M"),
        (0.0, 9.9e-7, np.nan, None),
    ],
)
def test_windows_have_the_letter_that_the_record_leaves_no_doubt_of(peak, upper, unassigned, letter):
    found = goes.sub_classes(windows_with(peak, upper, unassigned), "mask")
    assert found.tolist() == [-1 if letter is None else goes.SUB_CLASSES.index(letter)]


@pytest.mark.parametrize(
    ("occurred", "low", "high"),
    [
        ((0, 0), 0, 0),
        ((1, 0), 1, 1),
        ((1, 1), 2, 2),
        ((-1, 0), 0, 1),
        ((1, -1), 1, 2),
        ((0, -1), 0, 0),
        ((-1, 1), 2, 2),
        ((-1, -1), 0, 2),
        ((0, 1), 2, 2),
    ],
)
def test_outcomes_leave_these_classes_open(occurred, low, high):
    first, last = goes.compatible_classes(np.array([occurred], dtype=np.int8))
    assert (first.item(), last.item()) == (low, high)
    assert first.dtype == last.dtype == np.int64
