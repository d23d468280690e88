"""JSOC is asked through drms, politely, once for each part; whatever it answers, nothing is lost."""

import json
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from sharp_records import record, write_table

from flarecast import schema
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.sharp import ingest_sharp
from flarecast.ingest.sharps import asking, cache

SERIES = "hmi.sharp_cea_720s"


def answers(tmp_path, series=SERIES):
    return {path.name: path.read_bytes() for path in (tmp_path / "raw/sharp_cache" / series).glob("*")}


def test_keywords_are_asked_of_the_server_by_drms_itself(ask, jsoc, monkeypatch):
    import drms

    calls = []
    query = drms.Client.query

    def spy(self, record_set, **options):
        calls.append((record_set, options["key"]))
        return query(self, record_set, **options)

    monkeypatch.setattr(drms.Client, "query", spy)
    windows = ask(harps=(377,))
    schema.check(windows, schema.WINDOWS)
    assert [record_set for record_set, _ in calls] == ["hmi.sharp_cea_720s[377]"]
    assert {"T_REC", "HARPNUM", "QUALITY", "USFLUX"} <= set(calls[0][1])
    assert all(agent.startswith(f"drms/{drms.__version__}") for agent in jsoc.agents)
    assert [query["op"] for query in jsoc.requests] == [["series_struct"], ["rs_list"]]


def test_the_same_is_never_asked_twice_and_gives_the_same_windows(ask, jsoc):
    first = ask(harps=(377, 380))
    n_requests = len(jsoc.requests)
    second = ask(harps=(377, 380))
    assert len(jsoc.requests) == n_requests
    assert first.drop_attrs().identical(second.drop_attrs())
    assert (first.attrs["n_answers_new"], second.attrs["n_answers_new"]) == (2, 0)
    assert second.attrs["n_answers_kept"] == 2


def test_beside_each_answer_stand_its_query_its_time_and_its_hash(ask, tmp_path):
    ask(harps=(377,))
    found = answers(tmp_path)
    note = json.loads(found["harp00377.json"])
    assert note["query"] == "hmi.sharp_cea_720s[377]"
    assert note["sha256"] == schema_hash(found["harp00377.csv"])
    assert note["n_records"] == 240
    assert note["settled"] is True
    assert abs(seconds(note["accessed"]) - cache.now()) < 600


def schema_hash(content):
    import hashlib

    return hashlib.sha256(content).hexdigest()


def test_a_span_is_asked_for_a_day_at_a_time_for_all_harps(ask, jsoc):
    windows = ask(start="2011-02-13T00:00", stop="2011-02-14T12:00")
    assert jsoc.queries() == [f"{SERIES}[][2011.02.{day}_00:00:00_TAI/1d]" for day in (13, 14)]
    assert set(windows["region"].values) == {"HARP 377", "HARP 380"}
    last_record = seconds("2011-02-14T12:00") - 720
    assert windows["time"].values.max() < last_record + 2 * 720


@pytest.mark.parametrize("by", ["question", "list"])
def test_a_noaa_number_leads_to_its_harps(ask, jsoc, tmp_path, by):
    if by == "list":
        (tmp_path / "raw").mkdir()
        (tmp_path / "raw/all_harps_with_noaa_ars.txt").write_text("HARPNUM NOAA_ARS\n376 11157\n377 11158\n")
    windows = ask(noaa=(1158,))
    assert set(windows["region"].values) == {"HARP 377"}
    asked = [f'{SERIES}[][][? NOAA_ARS ~ "11158" ?]'] if by == "question" else []
    assert jsoc.queries() == [*asked, f"{SERIES}[377]"]
    ask(noaa=(11158,))
    assert len(jsoc.queries()) == len(asked) + 1


def test_a_noaa_number_is_looked_for_in_the_span(ask, jsoc):
    ask(noaa=(11158,), start="2011-02-13", stop="2011-02-14T12:00")
    assert jsoc.queries()[0] == f'{SERIES}[][2011.02.13_00:00:00_TAI/2d][? NOAA_ARS ~ "11158" ?]'


def test_recorded_tables_under_raw_are_not_asked_for(ask, jsoc, tmp_path):
    write_table(tmp_path / "raw/harp377.csv", [record(number) for number in range(240)])
    assert set(ask(harps=(377,))["region"].values) == {"HARP 377"}
    assert set(ask(start="2011-02-13", stop="2011-02-15")["region"].values) == {"HARP 377"}
    assert not jsoc.requests
    ask(harps=(377, 380))
    assert jsoc.queries() == [f"{SERIES}[380]"]


def test_kept_answers_are_a_source_without_a_request_and_without_drms(ask, jsoc, tmp_path, monkeypatch):
    first = ask(start="2011-02-13", stop="2011-02-15")
    monkeypatch.setitem(sys.modules, "drms", None)
    n_requests = len(jsoc.requests)
    again = ingest_sharp(tmp_path / "raw", np.random.default_rng(0))
    assert len(jsoc.requests) == n_requests
    assert set(again["region"].values) == set(first["region"].values)


def test_without_drms_one_sentence_says_how_to_install_it(ask, monkeypatch):
    monkeypatch.setitem(sys.modules, "drms", None)
    with pytest.raises(FlarecastError, match=r"pip install 'flarecast\[live\]'"):
        ask(harps=(377,))


@pytest.mark.parametrize(
    "mood",
    [
        *("busy", "overrun", "html", "cut", "half_json", "without_a_key"),
        *("uneven", "empty", "null", "silent", "gone"),
    ],
)
def test_one_bad_answer_is_forgotten_after_a_good_one(ask, jsoc, mood):
    jsoc.moods = [mood]
    assert ask(harps=(377,)).sizes["row"] == 240
    assert len(jsoc.queries()) == 2


@pytest.mark.parametrize(
    ("mood", "told", "n_queries"),
    [
        ("busy", "HTTP 503 after 3 attempts", 3),
        ("overrun", "HTTP 429 after 3 attempts", 3),
        ("html", "no JSON, '<!DOCTYPE html>", 3),
        ("cut", "the connection was cut", 3),
        ("half_json", "no JSON", 3),
        ("without_a_key", "half an answer, without AREA_ACR", 3),
        ("uneven", "half an answer", 3),
        ("empty", "no JSON, ''", 3),
        ("null", "half an answer", 3),
        ("silent", "silence", 3),
        ("gone", "broken connection", 3),
        ("refusing", "Maximum number of queries reached", 1),
        ("a_year_ahead", "look at the clocks", 1),
        ("of_another_harp", "expected records of HARP 380, got HARP 9", 1),
    ],
)
def test_only_bad_answers_are_one_sentence_and_what_was_answered_before_stays(
    ask, jsoc, tmp_path, mood, told, n_queries
):
    ask(harps=(377,))
    before = answers(tmp_path)
    jsoc.requests.clear()
    jsoc.moods = [mood] * 3
    span = {"start": "2011-02-13T00:00:00", "stop": "2011-02-13T12:00"}
    with pytest.raises(FlarecastError, match=told) as caught:
        ask(**span) if mood == "a_year_ahead" else ask(harps=(377, 380))
    assert "\n" not in str(caught.value)
    assert len(jsoc.queries()) == n_queries
    assert answers(tmp_path) == before
    jsoc.moods = []
    assert ask(harps=(377, 380)).attrs["n_answers_kept"] == 1


def test_a_day_without_records_is_kept_as_such(ask, jsoc):
    jsoc.moods = ["without_records"]
    windows = ask(start="2011-02-13", stop="2011-02-15")
    assert iso_days(windows) == {"2011-02-14"}
    ask(start="2011-02-13", stop="2011-02-15")
    assert len(jsoc.queries()) == 2


def iso_days(windows):
    return {str(day) for day in windows["time"].values.astype("datetime64[s]").astype("datetime64[D]")}


def test_a_query_cut_in_the_middle_goes_on_where_it_was(ask, jsoc):
    jsoc.moods = ["good", *["busy"] * 3]
    with pytest.raises(FlarecastError, match="call again later"):
        ask(start="2011-02-13", stop="2011-02-15")
    jsoc.requests.clear()
    ask(start="2011-02-13", stop="2011-02-15")
    assert jsoc.queries() == [f"{SERIES}[][2011.02.14_00:00:00_TAI/1d]"]


@pytest.mark.parametrize("damage", ["bytes", "no note", "note", "half a note"])
def test_a_damaged_answer_is_not_believed_and_asked_for_again(ask, jsoc, tmp_path, damage):
    good = ask(harps=(377,))
    path = tmp_path / "raw/sharp_cache" / SERIES / "harp00377.csv"
    note = path.with_suffix(".json")
    if damage == "bytes":
        path.write_text(path.read_text().replace("500.25", "900.25"))
    elif damage == "no note":
        note.unlink()
    elif damage == "note":
        note.write_text("[1, 2]")
    else:
        note.write_text(note.read_text()[:50])
    with pytest.raises(FlarecastError, match="expected the bytes whose hash"):
        ingest_sharp(tmp_path / "raw", np.random.default_rng(0))
    again = ask(harps=(377,))
    assert len(jsoc.queries()) == 2
    assert again.drop_attrs().identical(good.drop_attrs())


def test_a_new_feature_is_asked_for_and_an_absent_one_is_told(ask, jsoc):
    ask(harps=(377,))
    jsoc.keywords["NPIX"] = "int"
    for one in jsoc.records[SERIES]:
        one["NPIX"] = "1200"
    windows = ask(harps=(377,), features=("USFLUX", "NPIX"))
    assert windows["feature"].values.tolist() == ["USFLUX", "NPIX"]
    assert len(jsoc.queries()) == 2
    with pytest.raises(FlarecastError, match="expected values of GWILL"):
        ask(harps=(377,), features=("USFLUX", "GWILL"))


def test_a_running_day_is_asked_for_again_and_kept_as_it_was_when_the_server_is_down(ask, jsoc, monkeypatch):
    clock = seconds("2011-02-13T20:00")
    monkeypatch.setattr(cache, "now", lambda: clock)
    own = jsoc.records["hmi.sharp_cea_720s_nrt"]
    own += [record(number) for number in range(90)]
    span = {"series": "nrt", "start": "2011-02-13T01:00", "stop": "2011-02-13T23:00", "n_steps": 20}
    n_early = ask(**span).sizes["row"]
    own += [record(number) for number in range(90, 100)]
    assert ask(**span).sizes["row"] == n_early, "asked less than a cadence ago"
    clock += 7200
    assert ask(**span).sizes["row"] == n_early + 10
    clock += 7200
    jsoc.moods = ["busy"] * 3
    old = ask(**span)
    assert old.sizes["row"] == n_early + 10
    assert old.attrs["n_answers_outdated"] == 1


def test_a_proxy_that_wants_a_password_is_one_sentence_and_is_not_asked_again(ask, jsoc, monkeypatch):
    monkeypatch.setenv("http_proxy", jsoc.address.partition("/cgi-bin")[0])
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)
    with pytest.raises(FlarecastError, match="407, a proxy that asks for a password"):
        ask(harps=(377,), server="http://jsoc.invalid/cgi-bin/ajax/")
    assert len(jsoc.requests) == 1


def test_no_server_at_all_is_one_sentence_with_the_way_out(ask, jsoc):
    jsoc.shutdown()
    jsoc.server_close()
    with pytest.raises(FlarecastError, match=r"no connection .* or put recorded tables into RAW"):
        ask(harps=(377,))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"server": "file:///etc"}, "server: expected JSOC or an address"),
        ({"server": "ftp://jsoc/x"}, "server: expected JSOC or an address"),
        ({"server": "nowhere"}, "server: expected JSOC or an address, got 'nowhere'"),
        ({"harps": (0,)}, "harps: expected numbers of 1"),
        ({"noaa": (20_000,)}, "noaa: expected numbers of 11040"),
        ({"start": "2011-02-13"}, "expected both or none"),
        ({"start": "2011-02-14", "stop": "2011-02-13"}, "expected start before stop"),
        ({"start": "2011-02-13", "stop": "2011-02-13"}, "expected start before stop"),
        ({"start": "2001-02-13", "stop": "2011-02-13"}, "expected times from 2010-03-24 on"),
        ({"start": "soon", "stop": "2011-02-13"}, "expected an ISO date"),
        ({"cadence_minutes": 18.0, "n_steps": 0}, "n_steps.*cadence_minutes: expected a multiple of 12"),
        ({"features": ("XR_MAX",)}, "features: expected some of"),
        ({"retries": -1}, "retries: expected 0 to 100"),
        ({"harps": (99_999,)}, "expected records of HARP 99999"),
        ({"noaa": (11_900,)}, "NOAA 11900: expected a HARP with it"),
        ({"start": "2015-01-01", "stop": "2015-01-02"}, "expected records of the span"),
        ({"series": "nrt", "harps": (377,)}, "two series number their HARPs apart"),
    ],
)
def test_what_cannot_be_asked_or_is_not_there_is_one_sentence(ask, options, told):
    with pytest.raises(FlarecastError, match=told) as caught:
        ask(**({"harps": (377,)} if "server" in options else {}) | options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [None, "there", "absent"])
def test_nothing_named_and_nothing_there_is_one_sentence_with_the_way_out(tmp_path, raw):
    folder = {None: None, "there": tmp_path, "absent": tmp_path / "absent"}[raw]
    with pytest.raises(FlarecastError, match="harps, noaa, or start and stop"):
        ingest_sharp(folder, np.random.default_rng(0))


def test_records_from_the_future_are_not_kept(ask, jsoc, tmp_path):
    jsoc.records[SERIES] += [record(number, 400, start=np.datetime64("2099-01-01")) for number in range(9)]
    with pytest.raises(FlarecastError, match="expected records of HARP 400, got HARP 400 at 2099"):
        ask(harps=(400,))
    assert not answers(tmp_path)


def test_questions_wait_and_wait_longer_each_time(monkeypatch):
    waits = []
    monkeypatch.setattr(asking.time, "sleep", waits.append)
    manners = asking.Manners("JSOC", 1.0, 3, 0.5)

    def never():
        raise ConnectionResetError("reset")

    with pytest.raises(FlarecastError, match=r"a broken connection \(reset\) after 4 attempts"):
        asking._patiently(never, manners, "x")
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_busy_server_is_left_alone_as_long_as_it_asks(monkeypatch):
    from email.message import Message
    from urllib.error import HTTPError

    waits = []
    monkeypatch.setattr(asking.time, "sleep", waits.append)
    headers = Message()
    headers["Retry-After"] = "30"

    def busy():
        raise HTTPError("http://jsoc", 503, "busy", headers, None)

    with pytest.raises(FlarecastError, match="HTTP 503 after 3 attempts"):
        asking._patiently(busy, asking.Manners("JSOC", 1.0, 2, 0.5), "x")
    assert waits == [1.0, 30.0, 30.0]


def test_an_error_of_ours_is_not_called_the_servers():
    def wrong():
        raise AssertionError("ours")

    with pytest.raises(AssertionError, match="ours"):
        asking._patiently(wrong, asking.Manners("JSOC", 0.0, 3, 0.5), "x")


def test_a_question_leaves_the_sockets_as_they_were(ask):
    import socket

    ask(harps=(377,))
    assert socket.getdefaulttimeout() is None


def test_the_command_asks_and_the_file_says_where_and_when(jsoc, tmp_path):
    from click.testing import CliRunner

    from flarecast.cli import main
    from flarecast.schema import WINDOWS, open_file

    given = ["ingest", "sharp", str(tmp_path / "raw"), "-o", str(tmp_path / "windows.nc")]
    for name, value in (("server", jsoc.address), ("pause_seconds", 0.0), ("harps", [377])):
        given += ["--set", f"ingest.options.{name}={json.dumps(value)}"]
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.output
    windows = open_file(tmp_path / "windows.nc", WINDOWS)
    accesses = windows.attrs["accesses"]
    assert accesses.startswith(windows.attrs["source_files"].split()[0])
    assert accesses.endswith(f"{jsoc.address} {SERIES}[377]")
    assert "sharp: Bobra et al. (2014)" in windows.attrs["citations"]


def test_raw_may_be_a_folder_that_is_not_there_yet(ask, tmp_path):
    ask(harps=(377,))
    assert Path(tmp_path / "raw/sharp_cache").is_dir()
