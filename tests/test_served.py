"""JSON as SWPC serves it: records with their places, or one sentence on what is wrong with the file."""

import json

import pytest

from flarecast import served
from flarecast.errors import FlarecastError

FLARE = {
    "time_tag": "2026-06-26T12:23:00Z",
    "begin_time": "2026-06-26T12:23:00Z",
    "max_time": "2026-06-26T12:48:00Z",
    "max_class": "C5.7",
    "satellite": 18,
}


def write(tmp_path, content, name="xray_flares.json"):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: rows,
        lambda rows: {"_cached_at": "2025-10-24T20:00:00", "data": rows},
        lambda rows: {"data": {"_cached_at": 1, "data": rows}},
    ],
    ids=["as served", "cached", "cached twice"],
)
def test_records_are_found_inside_whatever_others_put_around_them(tmp_path, wrap):
    tally = served.Served()
    path = write(tmp_path, wrap([FLARE, FLARE]))
    records = served.read_records(path, "flares", tally)
    assert [where for where, _ in records] == [f"{path} record 0", f"{path} record 1"]
    assert records[1][1] == FLARE
    assert (tally.n_records, tally.reasons()) == (2, "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<!DOCTYPE html><html>Service Unavailable", "expected JSON, got a web page"),
        ("\n  <html>", "expected JSON, got a web page"),
        (json.dumps([FLARE])[:-30], "got half of it"),
        ("", "got half of it"),
        ('[{"begin_time": NaN}]', "NaN is no JSON"),
        ("[1, 2", "got half of it"),
        ("begin,max\n1,2\n", "expected JSON, got something else"),
        ("[" * 100_000, "expected JSON"),
        (b"\xff\xfe\x00[", "expected JSON, got something else"),
        ("17", "expected a list of records, got int '17'"),
        ({"error": "rate limit"}, "expected a list of records, got one record with error"),
        ([["time_tag", "flux"], ["2025", 1]], "expected records with begin_time"),
        ([{"observed_date": "2025-10-24", "region": 4252}], "got observed_date, region"),
    ],
)
def test_what_is_no_list_of_these_records_is_refused_in_one_sentence(tmp_path, content, sentence):
    path = write(tmp_path, content)
    with pytest.raises(FlarecastError, match=sentence) as caught:
        served.read_records(path, "flares", served.Served())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_list_has_no_records_and_is_no_error(tmp_path):
    assert served.read_records(write(tmp_path, []), "flares", served.Served()) == []


def test_elements_that_are_no_records_are_counted_and_the_first_is_named(tmp_path):
    tally = served.Served()
    path = write(tmp_path, [None, FLARE, "M1.0", [1]])
    assert len(served.read_records(path, "flares", tally)) == 1
    assert tally.reasons() == "no record 3"
    assert tally.first_bad == f"{path} record 0: expected a record with named fields, got 'None'"


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(served, "LARGEST", 1_000_000)
    path = write(tmp_path, b" " * 1_000_001)
    with pytest.raises(FlarecastError, match="at most 1 MB of JSON, got more"):
        served.load(path, "x.json")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FlarecastError, match="cannot be read"):
            served.load(path, "x.json")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *((3, 3.0), ("3.5", 3.5), (True, None), (None, None), ("M", None), (101, None), (-1, None)),
        *(([3], None), (10**400, None), ("1e999", None), ("nan", None)),
    ],
)
def test_a_number_is_inside_its_range_or_missing(value, found):
    number = served.number({"p": value}, "p", 0, 100)
    assert number == found if found is not None else number != number


def test_a_record_with_a_clock_wrong_by_a_year_is_left_out_of_its_file():
    tally = served.Served()
    records = [(f"r{day}", {"t": day * 86_400}) for day in (10, 11, 12, 12 - 365, 13)] + [("none", {"t": -1})]
    kept = served.timed(records, lambda record: record["t"], -1, tally)
    assert [where for where, _, _ in kept] == ["r10", "r11", "r12", "r13", "none"]
    assert tally.reasons() == "a time far from the others of its file 1"


def test_files_are_found_by_their_names_in_any_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in (
        "deep/solar_regions_202510.json",
        "solar-regions.json",
        "solar_regions.txt",
        "xrays-1-day.json",
    ):
        (tmp_path / name).write_text("[]")
    assert [path.name for path in served.find(tmp_path, "regions")] == [
        "solar-regions.json",
        "solar_regions_202510.json",
    ]
    assert [path.name for path in served.find(tmp_path, "xrays")] == ["xrays-1-day.json"]
