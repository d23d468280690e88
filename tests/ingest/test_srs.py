"""Region summaries line by line: all layouts since 1996, dates by majority, what is misprinted."""

from pathlib import Path

import numpy as np
import pytest

from flarecast.cycles import iso
from flarecast.flares.archives import Text, texts
from flarecast.ingest import srs
from flarecast.ingest.spot_classes import mcintosh, mount_wilson

DATA = Path(__file__).parents[2] / "../shared/data/noaa_text"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/noaa_text is not there")

SUMMARY = """:Product: 0308SRS.txt
:Issued: 2012 Mar 08 0030 UTC
# Prepared jointly by the U.S. Dept. of Commerce, NOAA,
#
Joint USAF/NOAA Solar Region Summary
SRS Number 68 Issued at 0030Z on 08 Mar 2012
Report compiled from data received at SWO on 07 Mar
I.  Regions with Sunspots.  Locations Valid at 07/2400Z
Nmbr Location  Lo  Area  Z   LL   NN Mag Type
1428 S17W05   319  0300 Dko  07   16 Beta
1429 N17E15   299  1270 Dkc  10   28 Beta-Gamma-Delta
IA. H-alpha Plages without Spots.  Locations Valid at 07/2400Z Mar
Nmbr  Location  Lo
1427  N15W87   042
II. Regions Due to Return 08 Mar to 10 Mar
Nmbr Lat    Lo
1420 N11    216
"""


def parse(text=SUMMARY, name="20120308SRS.txt"):
    tally = srs.SrsTally()
    return srs.parse_srs(Text(name, name, text), tally), tally


def in_section_1(line):
    summary, tally = parse(SUMMARY.replace("1428 S17W05   319  0300 Dko  07   16 Beta", line))
    return {region.region: region for region in summary.regions}.get(11428), tally


def test_a_summary_is_valid_at_the_midnight_of_its_issue_and_numbers_get_five_digits():
    summary, tally = parse()
    assert iso(summary.time) == "2012-03-08T00:00:00Z"
    assert [(region.region, region.section) for region in summary.regions] == [
        (11428, 1),
        (11429, 1),
        (11427, 2),
        (11420, 3),
    ]
    region = summary.regions[1]
    assert (region.latitude, region.longitude, region.area) == (17, -15, 1270)
    assert (region.extent, region.spot_count) == (10, 28)
    assert (region.mcintosh_z, region.mcintosh_p, region.mcintosh_c, region.mount_wilson) == (4, 5, 3, 5)
    assert not tally.skipped


def test_a_region_due_to_return_is_behind_the_east_limb():
    summary, _ = parse()
    assert -115 < summary.regions[-1].longitude < -85


@pytest.mark.parametrize(
    ("line", "area", "spots", "mount_wilson_class"),
    [
        ("1428  S17W05  319  0300 DKO  07  016 BETA", 300, 16, 1),
        ("1428 S17W05   319  0300 Dko  07   123 Beta", 300, 123, 1),
        ("1428 S17W05   319  0300 Dko  07   16  ", 300, 16, np.nan),
        ("1428 S17W05   319  0300 Dko  07    Beta", 300, np.nan, 1),
        ("1428 S17W05   319", np.nan, np.nan, np.nan),
        ("1428", None, None, None),
        ("1428 S17W0*   319  0300 Dko  07   16 Beta", 300, 16, 1),
        ("1428 S17W05   319  9300 Dko  07   16 Beta", np.nan, 16, 1),
        ("1428 ?", np.nan, np.nan, np.nan),
    ],
)
def test_a_line_of_section_1_counts_by_its_number_whatever_it_lacks(line, area, spots, mount_wilson_class):
    region, tally = in_section_1(line)
    if area is None:
        assert region is None
        assert tally.skipped == {srs.NO_NUMBER: 1}
    else:
        np.testing.assert_equal(
            (region.area, region.spot_count, region.mount_wilson), (area, spots, mount_wilson_class)
        )


def test_a_number_of_another_time_is_counted_and_left_out():
    region, tally = in_section_1("7428 S17W05   319  0300 Dko  07   16 Beta")
    assert region is None
    assert tally.skipped == {srs.NO_NUMBER: 1}
    assert (
        "20120308SRS.txt line 10: expected the number of a region of that time, got '7428" in tally.first_bad
    )


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ((":Issued: 2012 Mar 08 0030", ":Issued: 2012 Mar 07 2200"), "2012-03-08"),
        ((":Issued: 2012 Mar 08 0030", ":Issued: 1912 Mar 08 0030"), "2012-03-08"),
        (("on 08 Mar 2012", "on 09 Mar 2012"), "2012-03-08"),
        (("on 08 Mar 2012", ""), "2012-03-08"),
    ],
)
def test_of_contradicting_dates_the_majority_counts(change, valid):
    assert iso(parse(SUMMARY.replace(*change))[0].time)[:10] == valid


def test_a_summary_without_a_date_is_counted():
    text = SUMMARY.replace(":Issued: 2012 Mar 08 0030 UTC", "").replace("on 08 Mar 2012", "")
    for content in (text, "", "\x00\xff"):
        summary, tally = parse(content)
        assert summary is None
        assert tally.skipped == {srs.NO_DATE: 1}


def test_of_two_summaries_of_a_day_the_one_issued_last_counts():
    early, late = parse()[0], parse(SUMMARY.replace("0030 UTC", "0145 UTC").replace("1270", "1300"))[0]
    for order in ([early, late], [late, early]):
        assert srs.latest_summaries(order) == [late]


def test_letters_that_do_not_exist_have_no_number():
    np.testing.assert_equal(mcintosh("Dkc"), (4, 5, 3))
    np.testing.assert_equal(mcintosh("D?c"), (4, np.nan, 3))
    np.testing.assert_equal(mcintosh(""), (np.nan,) * 3)
    classes = ["Alpha", "BETA", "Gamma", "Beta-Gamma", "Beta-Delta", "Beta-Gamma-Delta", "?"]
    np.testing.assert_equal([mount_wilson(name) for name in classes], [0, 1, 2, 3, 3, 5, np.nan])


@needs_data
@pytest.mark.parametrize(
    ("name", "valid", "sections"),
    [
        ("19960106SRS.txt", "1996-01-06", (2, 2, 0)),
        ("19960513SRS.txt", "1996-05-13", (2, 2, 0)),
        ("20000927SRS.txt", "2000-09-27", (9, 0, 0)),
        ("20020624SRS.txt", "2002-06-24", (8, 3, 3)),
        ("20100621SRS.txt", "2010-06-21", (1, 1, 1)),
        ("20150306SRS.txt", "2015-03-06", (2, 1, 1)),
    ],
)
def test_odd_layouts_are_read_whole(name, valid, sections):
    (text,) = texts(DATA / "srs_edge_cases" / name, srs.SUFFIX)
    tally = srs.SrsTally()
    summary = srs.parse_srs(text, tally)
    assert iso(summary.time)[:10] == valid
    assert (
        tuple(sum(region.section == number for region in summary.regions) for number in (1, 2, 3)) == sections
    )
    assert not tally.skipped
    assert tally.n_incomplete == 0
    expected = {"1996": 7900, "2000": 9100, "2002": 9900, "2010": 11000, "2015": 12200}[valid[:4]]
    assert all(0 <= region.region - expected < 120 for region in summary.regions)
