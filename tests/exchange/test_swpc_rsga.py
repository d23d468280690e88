"""SWPC's RSGA: probabilities by the valid dates of section III, revisions, archives whole and cut short."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from flarecast import cycles, schema
from flarecast.errors import FlarecastError
from flarecast.exchange.swpc_rsga import Unreadable, parse_report, read_swpc_rsga
from flarecast.ingest import dsd

DATA = Path(__file__).parents[2] / "../shared/data/noaa_daily"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/noaa_daily is not there")

DAY = 86_400


def report(
    issued="2012 Mar 15 2200 UTC", dates="16 Mar-18 Mar", m="Class M    60/50/40", x="Class X    10/05/01"
):
    """Text of a report in the layout since 1998."""
    return f""":Product: 0315RSGA.txt
:Issued: {issued}
# Prepared jointly by the U.S. Dept. of Commerce, NOAA,
#
Joint USAF/NOAA Report of Solar and Geophysical Activity
IB.  Solar Activity Forecast: Class M events are likely. Event probabilities are
unchanged.
III.  Event Probabilities {dates}
{m}
{x}
Proton     01/01/01
PCAF       green
IV.  Penticton 10.7 cm Flux
Class M    99/99/99
"""


def archive(path, reports, written=0):
    """Write reports (name: text) as a tar.gz, each written one second after the one before."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("2012_RSGA")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for number, (name, text) in enumerate(reports.items()):
            member = tarfile.TarInfo(f"2012_RSGA/{name}")
            member.size = len(text.encode())
            member.mtime = written + number
            tar.addfile(member, io.BytesIO(text.encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def read(folder, *texts):
    """Read reports out of one archive, named in their order."""
    archive(folder / "2012_RSGA.tar.gz", {f"{number:08d}RSGA.txt": text for number, text in enumerate(texts)})
    return read_swpc_rsga(folder)


def rows(forecasts):
    """(valid day, issue time, M, X) of every window."""
    return [
        (cycles.iso(valid)[:10], cycles.iso(issued)[:16], round(100 * m), round(100 * x))
        for valid, issued, (m, x) in zip(
            forecasts["valid_from"].values,
            forecasts["issue_time"].values,
            forecasts["probability"].values,
            strict=True,
        )
    ]


def test_a_report_gives_three_days_of_m_and_x(tmp_path):
    swpc = read(tmp_path, report())

    assert rows(swpc) == [
        ("2012-03-16", "2012-03-15T22:00", 60, 10),
        ("2012-03-17", "2012-03-15T22:00", 50, 5),
        ("2012-03-18", "2012-03-15T22:00", 40, 1),
    ]
    assert swpc["event"].values.tolist() == ["M1.0", "X1.0"]
    assert (swpc["valid_to"].values - swpc["valid_from"].values == DAY).all()
    assert (swpc["occurred"].values == -1).all()
    assert set(swpc["region"].values) == {"disk"}
    assert swpc["cluster"].values[0] == f"rotation {cycles.rotation_of(cycles.seconds('2012-03-16'))}"
    assert (swpc["role"].values == 0).all()
    assert swpc.attrs["forecast_name"] == "swpc"


@pytest.mark.parametrize(
    ("issued", "dates", "first_day"),
    [
        ("2012 Mar 15 2200 UTC", "16 Mar-18 Mar", "2012-03-16"),
        ("1996 SEP 28 2200 UTC", "29 SEP-01 OCT", "1996-09-29"),
        ("2000 Mar 09 0238 UT", "09 MAR-11 MAR", "2000-03-09"),
        ("2011 Dec 31 2203 UTC", "01 Jan-03 Jan", "2012-01-01"),
        ("2011 Dec 30 2203 UTC", "31 Dec-02 Jan", "2011-12-31"),
        ("2012 Jan 01 0310 UTC", "31 Dec-02 Jan", "2011-12-31"),
        ("2012 Feb 27 2200 UTC", "28 Feb-01 Mar", "2012-02-28"),
        ("2012 Feb 28 2200 UTC", "29 Feb - 02 Mar", "2012-02-29"),
        ("2014 Jun 01 0320 UTC", "01 Jun-02 Jun", "2014-06-01"),
        ("2012 March 15 22:00", "16 march-18 march", "2012-03-16"),
    ],
)
def test_the_dates_of_section_iii_say_which_days_are_meant(issued, dates, first_day):
    parsed = parse_report(report(issued, dates))

    assert parsed.first_day == cycles.seconds(first_day)


@pytest.mark.parametrize(
    ("m", "x", "expected"),
    [
        ("CLASS M    01/01/01", "CLASS X    01/01/01", [(1, 1), (1, 1), (1, 1)]),
        ("Class M 5/5/5", "Class X 1/1/1", [(5, 1), (5, 1), (5, 1)]),
        ("Class M    75/75/75 ", "Class X    20/20/20 ", [(75, 20), (75, 20), (75, 20)]),
        ("Class M    <01/<01/05", "Class X    <01/<01/<01", [(1, 1), (1, 1), (5, 1)]),
        ("Class M    100/ 0/10", "Class X    00/00/00", [(100, 0), (0, 0), (10, 0)]),
        ("Class M    05/05/05", "", [(5, np.nan), (5, np.nan), (5, np.nan)]),
    ],
)
def test_percentages_in_every_spelling(m, x, expected):
    np.testing.assert_array_equal(parse_report(report(m=m, x=x)).percent, expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no issue time"),
        (report(issued="2012 Foo 15 2200"), "no issue time"),
        (report(issued="2012 Mar 15 2500"), "no issue time"),
        (report().split("III.")[0], "no section III"),
        (report().split("0/40")[0] + "0/4", "no probabilities"),
        (report(dates="16 Mrz-18 Mrz"), "no dates in section III"),
        (report(dates="31 Feb-02 Mar"), "no dates in section III"),
        (report(dates="16 Mar-20 Mar"), "dates of section III are not three days"),
        (report(dates="18 Mar-16 Mar"), "dates of section III are not three days"),
        (report(dates="16 Apr-18 Apr"), "dates of section III far from the issue time"),
        (report(m="", x=""), "no probabilities"),
        (report(m="Class M    60/60"), "not three percentages"),
        (report(m="Class M    60/60/60/60"), "not three percentages"),
        (report(m="Class M    --/--/--"), "not three percentages"),
        (report(m="Class M    -5/05/05"), "not three percentages"),
        (report(m="Class M    60/101/60"), "a percentage above 100"),
    ],
)
def test_a_report_without_usable_numbers_is_counted_by_reason(tmp_path, text, reason):
    with pytest.raises(Unreadable, match=f"^{reason}$"):
        parse_report(text)

    swpc = read(tmp_path, report(), text)

    assert swpc.sizes["window"] == 3
    assert (swpc.attrs["n_reports"], swpc.attrs["n_reports_read"], swpc.attrs["n_skipped"]) == (2, 1, 1)
    assert swpc.attrs["skipped"] == f"{reason} 1"


def test_of_two_reports_the_last_issued_before_the_day_counts(tmp_path):
    first = report(m="Class M    05/05/05")
    corrected = report(issued="2012 Mar 15 2320 UTC")

    for texts in ([first, corrected], [corrected, first]):
        swpc = read(tmp_path, *texts)
        assert rows(swpc)[0] == ("2012-03-16", "2012-03-15T23:20", 60, 10)
        assert swpc.sizes["window"] == 3
        assert (swpc.attrs["n_replaced"], swpc.attrs["n_revisions"], swpc.attrs["n_late"]) == (3, 3, 0)


def test_day_two_and_three_are_not_replaced_by_a_later_day_one(tmp_path):
    monday = report()
    tuesday = report("2012 Mar 16 2200 UTC", "17 Mar-19 Mar", "Class M    20/20/20")

    swpc = read(tmp_path, monday, tuesday)

    of_the_17th = [row for row in rows(swpc) if row[0] == "2012-03-17"]
    assert of_the_17th == [
        ("2012-03-17", "2012-03-15T22:00", 50, 5),
        ("2012-03-17", "2012-03-16T22:00", 20, 10),
    ]
    assert swpc.attrs["n_replaced"] == 0


def test_a_late_report_counts_only_where_no_other_came_in_time(tmp_path):
    late = report("2012 Mar 16 0500 UTC", m="Class M    90/80/70")
    later = report("2012 Mar 16 0900 UTC", m="Class M    91/81/71")
    in_time = report()

    alone = read(tmp_path, later, late)
    assert rows(alone)[0] == ("2012-03-16", "2012-03-16T05:00", 90, 10)
    assert alone.attrs["n_late"] == 1

    both = read(tmp_path, in_time, late)
    assert rows(both)[0] == ("2012-03-16", "2012-03-15T22:00", 60, 10)
    assert both.attrs["n_late"] == 0
    assert both.attrs["n_revisions"] == 1
    # Its second day begins 19 hours after its issue: day 1 for it, beside day 2 of the report in time.
    assert ("2012-03-17", "2012-03-16T05:00", 80, 5) in rows(both)
    assert ("2012-03-17", "2012-03-15T22:00", 50, 5) in rows(both)


def test_a_report_issued_as_the_day_begins_is_in_time(tmp_path):
    assert read(tmp_path, report("2012 Mar 16 0000 UTC")).attrs["n_late"] == 0


def test_of_two_reports_with_one_issue_time_the_one_written_last_counts(tmp_path):
    texts = {"20120315RSGA.txt": report(m="Class M    05/05/50"), "0315RSGA.txt": report()}
    archive(tmp_path / "2012_RSGA.tar.gz", texts)

    swpc = read_swpc_rsga(tmp_path)

    assert rows(swpc)[0] == ("2012-03-16", "2012-03-15T22:00", 60, 10)
    assert (swpc.attrs["n_conflicts"], swpc.attrs["n_repeats"], swpc.attrs["n_revisions"]) == (3, 0, 0)


def test_the_same_report_twice_is_a_repeat(tmp_path):
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "20120315RSGA.txt").write_text(report())

    swpc = read(tmp_path, report())

    assert swpc.sizes["window"] == 3
    assert (swpc.attrs["n_repeats"], swpc.attrs["n_conflicts"]) == (3, 0)
    assert swpc.attrs["source_files"].count("\n") == 1


def test_stray_names_are_read_and_other_members_are_not(tmp_path):
    texts = {"2024onRSGA.txt": report(), "README.txt": report("2012 Mar 16 2200 UTC", "17 Mar-19 Mar")}
    archive(tmp_path / "deep" / "er" / "2012_rsga.tar.gz", texts)

    assert read_swpc_rsga(tmp_path).attrs["n_reports"] == 1


def test_a_name_in_an_archive_is_never_a_path(tmp_path):
    archive(tmp_path / "raw" / "2012_RSGA.tar.gz", {"../../../evilRSGA.txt": report()})

    assert read_swpc_rsga(tmp_path / "raw").sizes["window"] == 3
    assert [path.name for path in tmp_path.rglob("*.txt")] == []


def test_one_archive_or_one_report_may_be_named(tmp_path):
    archive(tmp_path / "2012_RSGA.tar.gz", {"0315RSGA.txt": report()})
    (tmp_path / "0316RSGA.txt").write_text(report("2012 Mar 16 2200 UTC", "17 Mar-19 Mar"))

    assert read_swpc_rsga(tmp_path / "2012_RSGA.tar.gz").sizes["window"] == 3
    assert read_swpc_rsga(tmp_path / "0316RSGA.txt").attrs["source_files"].endswith(" 0316RSGA.txt")
    assert read_swpc_rsga(tmp_path).sizes["window"] == 6


def test_an_archive_cut_short_anywhere_is_one_sentence(tmp_path):
    path = tmp_path / "2012_RSGA.tar.gz"
    archive(path, {f"{number:04d}RSGA.txt": report() for number in range(40)})
    whole = path.read_bytes()

    for size in (*range(0, len(whole), 23), len(whole) - 8, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(
            FlarecastError, match=r"2012_RSGA\.tar\.gz: expected a whole tar\.gz archive"
        ) as error:
            read_swpc_rsga(tmp_path)
        assert "\n" not in str(error.value)


def test_an_archive_with_a_flipped_bit_is_one_sentence_or_the_same(tmp_path):
    path = tmp_path / "2012_RSGA.tar.gz"
    archive(path, {f"{number:04d}RSGA.txt": report() for number in range(40)})
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    right = rows(read_swpc_rsga(tmp_path))
    rng = np.random.default_rng(2)

    for _ in range(200):
        flipped = whole.copy()
        flipped[rng.integers(whole.size)] ^= 1 << rng.integers(8)
        path.write_bytes(flipped.tobytes())
        message = ""
        try:
            got = rows(read_swpc_rsga(tmp_path))
        except FlarecastError as error:
            message = str(error)
        assert message or got == right
        assert "\n" not in message


@pytest.mark.parametrize(
    "content",
    [b"", np.random.default_rng(1).bytes(3000), gzip.compress(b"no tar", mtime=0), report().encode()],
)
def test_what_is_no_archive_is_one_sentence(tmp_path, content):
    (tmp_path / "2012_RSGA.tar.gz").write_bytes(content)

    with pytest.raises(
        FlarecastError, match=r"2012_RSGA\.tar\.gz: expected a whole tar\.gz archive, got one dam"
    ):
        read_swpc_rsga(tmp_path)


def test_nothing_to_read_is_one_sentence(tmp_path):
    with pytest.raises(FlarecastError, match=r"nowhere: expected a folder with YYYY_RSGA\.tar\.gz files"):
        read_swpc_rsga(tmp_path / "nowhere")
    with pytest.raises(FlarecastError, match=r"expected files like 2012_RSGA\.tar\.gz or 20120315RSGA\.txt"):
        read_swpc_rsga(tmp_path)
    archive(tmp_path / "2012_RSGA.tar.gz", {"README": "hello"})
    with pytest.raises(FlarecastError, match=r"expected reports named like .* in it, found none"):
        read_swpc_rsga(tmp_path)
    archive(tmp_path / "2012_RSGA.tar.gz", {"0315RSGA.txt": "hello"})
    with pytest.raises(FlarecastError, match=r"expected reports with event .*, got none \(no issue time 1\)"):
        read_swpc_rsga(tmp_path)


def test_a_report_of_blank_lines_takes_no_time(tmp_path):
    (tmp_path / "0315RSGA.txt").write_text("\n" * 3_000_000)

    with pytest.raises(FlarecastError, match="no issue time 1"):
        read_swpc_rsga(tmp_path)


def test_the_forecasts_survive_a_file(tmp_path):
    swpc = read(tmp_path, report(x=""))

    schema.save(swpc, tmp_path / "swpc.nc", schema.FORECASTS)

    again = schema.open_file(tmp_path / "swpc.nc", schema.FORECASTS)
    np.testing.assert_array_equal(again["probability"], swpc["probability"])
    assert np.isnan(again["probability"].values[:, 1]).all()


@pytest.fixture(scope="module")
def real():
    """All reports of 1996 to 2019-11."""
    return read_swpc_rsga(DATA)


def day_one(swpc, first, last, in_time_only=False):
    """M probability and outcome (DSD: an M or X flare) on the common days from one date to another."""
    daily = dsd.read_dsd(sorted(DATA.rglob("*_DSD.txt")), 0)
    flares = daily.columns["m_flares"] + daily.columns["x_flares"]
    valid, issued = swpc["valid_from"].values, swpc["issue_time"].values
    chosen = (valid - issued < DAY) & (valid >= cycles.seconds(first)) & (valid < cycles.seconds(last))
    if in_time_only:
        chosen &= issued < valid
    place = valid[chosen] // DAY - daily.day[0]
    inside = (place >= 0) & (place < daily.day.size)
    observed = flares[place[inside]]
    known = ~np.isnan(observed)
    return swpc["probability"].values[chosen, 0][inside][known], observed[known] > 0


def skill(probability, occurred):
    """Average precision, area under the ROC curve and Brier skill score against the sample's base rate."""
    base_rate = occurred.mean()
    brier = ((probability - occurred) ** 2).mean()
    return (
        average_precision_score(occurred, probability),
        roc_auc_score(occurred, probability),
        1 - brier / (base_rate * (1 - base_rate)),
    )


@needs_data
def test_every_real_report_but_a_broken_one_is_read(real):
    counts = {name: value for name, value in real.attrs.items() if name.startswith("n_")}

    assert counts == {
        "n_reports": 8715,
        "n_reports_read": 8714,
        "n_skipped": 1,
        "n_replaced": 85,
        "n_revisions": 79,
        "n_repeats": 3,
        "n_conflicts": 3,
        "n_late": 39,
    }
    assert real.attrs["skipped"] == "no section III 1"
    assert real.sizes["window"] == 3 * 8714 - 85
    assert ("2014-10-10", "2014-10-09T22:00", 40, 5) in rows(real)


@needs_data
def test_one_window_is_left_for_a_day_and_day_ahead(real):
    ahead = 1 + np.maximum(0, (real["valid_from"].values - real["issue_time"].values) // DAY)

    pairs = np.stack([real["valid_from"].values, ahead], axis=1)

    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert set(ahead) == {1, 2, 3}
    assert (np.diff(real["valid_from"].values) >= 0).all()
    assert (real["probability"].values[:, 1] <= real["probability"].values[:, 0]).all()


@needs_data
def test_swpc_has_its_published_skill_on_cycle_24(real):
    probability, occurred = day_one(real, "2008-12", "2019-12")

    assert occurred.size == 4008
    assert occurred.mean() == pytest.approx(0.108, abs=0.01)
    assert skill(probability, occurred) == pytest.approx((0.457, 0.877, 0.227), abs=0.01)


@needs_data
def test_swpc_has_its_published_skill_on_the_days_forecast_in_time(real):
    probability, occurred = day_one(real, "2008-12", "2019-12", in_time_only=True)

    assert occurred.size == 3987
    assert occurred.mean() == pytest.approx(0.108, abs=0.0005)
    assert skill(probability, occurred) == pytest.approx((0.457, 0.877, 0.227), abs=0.005)
