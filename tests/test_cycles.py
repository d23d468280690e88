"""Solar cycles, phases and rotations by date."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flarecast import cycles
from flarecast.errors import FlarecastError

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0),
        ("2012-03", 1_330_560_000),
        ("2012-03-07T00:24", 1_331_079_840),
        ("2012-03-07T00:24:00Z", 1_331_079_840),
        ("2012-03-07T01:24:00+01:00", 1_331_079_840),
        ("1969-12-31", -DAY),
    ],
)
def test_dates_become_utc_seconds(text, expected):
    assert cycles.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2012-13", "2012-02-30", "12-03-07"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(FlarecastError, match="date: expected an ISO date like 2012-03-07, got"):
        cycles.seconds(text)


@given(st.integers(-(2**31), 2**33))
def test_a_time_printed_is_a_time_read(time):
    assert cycles.seconds(cycles.iso(time)) == time


@pytest.mark.parametrize(
    ("cycle", "first", "next_first"),
    [
        (21, "1976-03", "1986-09"),
        (22, "1986-09", "1996-08"),
        (23, "1996-08", "2008-12"),
        (24, "2008-12", "2019-12"),
    ],
)
def test_a_cycle_lasts_from_the_month_of_its_minimum_to_the_next(cycle, first, next_first):
    begin, end = cycles.span(cycle)
    assert (cycles.iso(begin)[:7], cycles.iso(end)[:7]) == (first, next_first)
    times = [begin - 1, begin, end - 1, end]
    previous = cycle - 1 if cycle > 21 else 0
    assert cycles.cycle_of(times).tolist() == [previous, cycle, cycle, cycle + 1]


def test_the_running_cycle_has_no_end_and_others_are_unknown():
    assert cycles.span(25) == (cycles.seconds("2019-12-01"), np.iinfo(np.int64).max)
    with pytest.raises(FlarecastError, match=r"solar cycle: expected one of 21, 22, 23, 24, 25, got 20"):
        cycles.span(20)


def test_the_month_of_a_minimum_belongs_to_the_cycle_that_it_begins():
    for cycle, (minimum, _) in cycles.CYCLES.items():
        assert cycles.cycle_of(cycles.seconds(f"{minimum}-15")) == cycle


def test_cycles_alternate_between_minima_and_maxima():
    dates = [cycles.seconds(month) for pair in cycles.CYCLES.values() for month in pair]
    assert dates == sorted(dates)
    assert all(9 < (b - a) / DAY / 365.25 < 13 for a, b in zip(dates[::2], dates[2::2], strict=False))


@pytest.mark.parametrize(
    ("date", "phase"),
    [
        ("2007-07-01", "minimum"),
        ("2008-12-15", "minimum"),
        ("2010-05-15", "minimum"),
        ("2010-07-01", "rise"),
        ("2012-03-01", "rise"),
        ("2012-05-01", "maximum"),
        ("2014-04-01", "maximum"),
        ("2016-03-01", "maximum"),
        ("2016-05-01", "decline"),
        ("2018-05-01", "decline"),
        ("2018-07-01", "minimum"),
        ("2022-01-01", "rise"),
        ("2024-10-15", "maximum"),
        ("2027-01-01", "decline"),
    ],
)
def test_phases_follow_the_dates_of_minima_and_maxima(date, phase):
    assert cycles.PHASES[int(cycles.phase_of(cycles.seconds(date)))] == phase


@pytest.mark.parametrize(
    ("cycle", "without"),
    # Cycle 22 rose within 38 months, so its minimum (18 months) and its maximum (24 months) touch.
    [(21, ""), (22, "rise"), (23, ""), (24, "")],
)
def test_every_cycle_passes_through_its_phases_in_order(cycle, without):
    begin, end = cycles.span(cycle)
    phases = cycles.phase_of(np.arange(begin, end, DAY))
    changes = phases[np.flatnonzero(np.diff(phases, prepend=-1))]
    order = [phase for phase in (*cycles.PHASES, "minimum") if phase != without]
    assert [cycles.PHASES[i] for i in changes] == order


@pytest.mark.parametrize("function", [cycles.cycle_of, cycles.phase_of, cycles.rotation_of])
def test_times_of_any_shape_are_taken(function):
    times = cycles.seconds("2001-01-01") + np.arange(6).reshape(2, 3) * 400 * DAY
    together = function(times)
    assert together.shape == (2, 3)
    assert together.tolist() == [[int(function(time)) for time in row] for row in times]


def test_rotations_are_27_day_blocks_of_a_fixed_calendar():
    origin = datetime(1832, 2, 8, tzinfo=UTC)
    for number in (1, 2, 100, 2_243, 2_600):
        begin = int((origin + timedelta(days=27 * (number - 1))).timestamp())
        assert cycles.rotation_of([begin - 1, begin, begin + 27 * DAY - 1]).tolist() == [
            number - 1,
            number,
            number,
        ]


@given(st.integers(-(2**32), 2**33))
def test_a_rotation_later_is_the_next_rotation(time):
    first = int(cycles.rotation_of(time))
    assert int(cycles.rotation_of(time + 27 * DAY)) == first + 1
    assert int(cycles.rotation_of(time + DAY)) in (first, first + 1)


def test_the_longitude_that_faces_us_agrees_with_a_region_summary():
    # Valid at 2012-03-08 00:00: region 1428 at W05 is at Carrington longitude 319, region 1429 at E15 at 299.
    assert cycles.central_longitude(cycles.seconds("2012-03-08")) == pytest.approx(314, abs=2)
