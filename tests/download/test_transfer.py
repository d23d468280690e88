"""One file: cut, resumed, too long, wrong, refused; nothing wrong gets the file's name."""

import hashlib
import json
import os
from dataclasses import replace

import pytest

from flarecast.download.obtain import obtain_all
from flarecast.download.records import read_record
from flarecast.download.wanted import NoRoom, Unreachable, Wanted
from flarecast.errors import FlarecastError

BODY = b"\x1f\x8b" + bytes(range(256)) * 4000
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()


@pytest.fixture
def wanted(peer):
    peer.files["/a.tar.gz"] = BODY
    return Wanted("a.tar.gz", (f"{peer.url}/a.tar.gz",), size=len(BODY), hash=MD5)


@pytest.fixture
def fetch(tmp_path, means):
    def run(item, here=(), **changes):
        return obtain_all([item], tmp_path, here, replace(means, **changes))

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_and_is_written_down(fetch, wanted, tmp_path, peer):
    assert fetch(wanted).fetched == ["a.tar.gz"]
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY
    assert names(tmp_path) == ["a.tar.gz", "flarecast-download.json"]
    entry = read_record(tmp_path)["a.tar.gz"]
    assert entry.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (entry.url, entry.accessed) == (f"{peer.url}/a.tar.gz", "2026-11-03T12:00:00Z")
    assert fetch(wanted, here=["a.tar.gz"]).kept == ["a.tar.gz"]
    assert len(peer.asked) == 1


def test_a_cut_transfer_goes_on_where_it_ended(fetch, wanted, tmp_path, peer, tricks, slept):
    peer.tricks["/a.tar.gz"] = [tricks["cut"](393_216), tricks["cut"](262_144)]
    fetch(wanted)
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY
    assert peer.ranges("/a.tar.gz") == [None, "bytes=393216-", "bytes=655360-"]
    assert peer.sent == len(BODY)  # no byte twice
    assert slept == [1, 1]  # every try brought bytes


def test_the_next_call_goes_on_where_a_failed_one_ended(fetch, wanted, tmp_path, peer, tricks):
    peer.tricks["/a.tar.gz"] = [tricks["cut"](393_216), *[tricks["cut"](0)] * 3]
    with pytest.raises(FlarecastError, match=r"cut, 3 times; the first 393,216 bytes are kept"):
        fetch(wanted)
    assert names(tmp_path) == ["a.tar.gz.part", "a.tar.gz.part.json"]
    fetch(wanted)
    assert peer.ranges("/a.tar.gz")[-1] == "bytes=393216-"
    assert names(tmp_path) == ["a.tar.gz", "flarecast-download.json"]


def test_a_killed_call_leaves_a_part_that_is_whole(fetch, wanted, tmp_path, peer):
    (tmp_path / "a.tar.gz.part").write_bytes(BODY)
    fetch(wanted)
    assert peer.asked == []
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY


def test_a_part_of_another_version_is_not_continued(fetch, wanted, tmp_path, peer, tricks):
    grown = replace(wanted, hash=None, size=None)
    peer.tricks["/a.tar.gz"] = [tricks["cut"](393_216), *[tricks["cut"](0)] * 3]
    with pytest.raises(FlarecastError, match="cut"):
        fetch(grown)
    peer.files["/a.tar.gz"] = BODY[:-1] + b"x"
    fetch(grown)
    assert peer.ranges("/a.tar.gz")[-1] == "bytes=393216-"
    assert peer.asked[-1][1]["If-Range"]
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY[:-1] + b"x"


def test_a_part_of_unknown_version_is_begun_anew(fetch, wanted, tmp_path, peer):
    (tmp_path / "a.tar.gz.part").write_bytes(b"\x1f\x8bsomething else")
    fetch(replace(wanted, hash=None, size=None))
    assert peer.ranges("/a.tar.gz") == [None]
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY


def test_a_server_without_ranges_sends_all_again(fetch, wanted, tmp_path, peer, tricks):
    peer.tricks["/a.tar.gz"] = [tricks["cut"](393_216), tricks["whole"]()]
    fetch(wanted)
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY
    assert peer.sent == len(BODY) + 393_216


def test_a_range_that_is_not_satisfiable_begins_anew(fetch, wanted, tmp_path, peer):
    (tmp_path / "a.tar.gz.part").write_bytes(BODY + b"more")
    (tmp_path / "a.tar.gz.part.json").write_text(
        json.dumps({"ftp": False, "etag": '"x"', "last_modified": ""})
    )
    fetch(replace(wanted, size=None))
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY


def test_an_answer_from_another_byte_than_asked_is_refused(fetch, wanted, peer, tricks, tmp_path):
    peer.tricks["/a.tar.gz"] = [tricks["cut"](65_536), tricks["status"](206, Content_Range="bytes 5-9/10")]
    with pytest.raises(FlarecastError, match=r"expected bytes from 65536 on, got 'bytes 5-9/10'"):
        fetch(wanted)
    assert not (tmp_path / "a.tar.gz").exists()


def test_a_file_of_the_wrong_length_is_refused(fetch, wanted, tmp_path, peer):
    peer.files["/a.tar.gz"] = BODY + b"x"
    with pytest.raises(FlarecastError, match=r"expected 1,024,002 bytes, got 1,024,003"):
        fetch(wanted)
    assert names(tmp_path) == []


def test_more_bytes_than_promised_are_refused(fetch, wanted, tmp_path, peer):
    with pytest.raises(FlarecastError, match="expected at most 1,000 bytes, got 1,024,002"):
        fetch(replace(wanted, hash=None, size=None, limit=1000))

    def endless(handler, body):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)

    peer.tricks["/a.tar.gz"] = [endless]
    with pytest.raises(FlarecastError, match="expected 1,000 bytes, got more"):
        fetch(replace(wanted, hash=None, size=None, limit=1000))
    assert names(tmp_path) == []


def test_wrong_bytes_do_not_get_the_name_and_are_fetched_anew(fetch, wanted, tmp_path, peer):
    peer.files["/a.tar.gz"] = BODY[:-1] + b"x"
    with pytest.raises(FlarecastError, match=r"expected md5:\w+, got other bytes from .*; call again"):
        fetch(wanted)
    assert names(tmp_path) == []
    peer.files["/a.tar.gz"] = BODY
    fetch(wanted)
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY


def test_an_older_good_file_survives_a_bad_new_one(fetch, wanted, tmp_path, peer):
    item = replace(wanted, hash=None, size=None, grows=True)
    fetch(item)
    peer.files["/a.tar.gz"] = b"<!DOCTYPE html><html>Please log in</html>"
    with pytest.raises(FlarecastError, match="got a web page"):
        fetch(item, here=["a.tar.gz"])
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY
    assert names(tmp_path) == ["a.tar.gz", "flarecast-download.json"]


def test_a_file_that_grows_is_asked_for_and_comes_only_when_it_changed(fetch, wanted, tmp_path, peer):
    item = replace(wanted, hash=None, size=None, grows=True)
    fetch(item)
    assert fetch(item, here=["a.tar.gz"]).kept == ["a.tar.gz"]
    assert "If-None-Match" in peer.asked[-1][1]
    assert peer.sent == len(BODY)
    peer.files["/a.tar.gz"] = BODY + b"one more day"
    assert fetch(item, here=["a.tar.gz"]).fetched == ["a.tar.gz"]
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY + b"one more day"


def test_a_file_that_grows_stays_when_its_server_is_gone(fetch, wanted, tmp_path, peer):
    item = replace(wanted, hash=None, size=None, grows=True)
    fetch(item)
    peer.close()
    said = []
    assert fetch(item, here=["a.tar.gz"], say=said.append).kept == ["a.tar.gz"]
    assert "kept as it is; " in said[0]


@pytest.mark.parametrize(
    "page", [b"<html><body>Sign in</body></html>", b"\n <!doctype HTML>", b"not gzip", b""]
)
def test_what_is_no_such_file_is_refused(fetch, wanted, tmp_path, peer, page):
    peer.files["/a.tar.gz"] = page
    with pytest.raises(
        FlarecastError, match=r"a\.tar\.gz: expected a (\.gz )?file, got (a web page|one|an empty)"
    ):
        fetch(replace(wanted, hash=None, size=None))
    assert names(tmp_path) == []


def test_a_missing_file_is_told_and_the_others_come(wanted, tmp_path, peer, means):
    other = replace(wanted, name="b.tar.gz", urls=(f"{peer.url}/b.tar.gz",))
    with pytest.raises(FlarecastError, match=r"1 of 2 files are here; .*b\.tar\.gz: .* no such file \(404\)"):
        obtain_all([other, wanted], tmp_path, (), means)
    assert (tmp_path / "a.tar.gz").is_file()
    assert obtain_all([replace(other, optional=True)], tmp_path, (), means).absent == ["b.tar.gz"]


def test_a_busy_server_is_given_the_time_it_asks_for(fetch, wanted, peer, tricks, slept):
    later = "Tue, 03 Nov 2026 12:00:30 GMT"
    busy = [tricks["status"](429, Retry_After="7"), tricks["status"](503, Retry_After=later)]
    peer.tricks["/a.tar.gz"] = busy
    assert fetch(wanted).fetched
    assert slept == [7, 30]


def test_without_a_time_the_waits_double_and_end(fetch, wanted, peer, tricks, slept):
    peer.tricks["/a.tar.gz"] = [tricks["status"](503)] * 9
    with pytest.raises(Unreachable, match=r"the server says 503 Service Unavailable, 3 times"):
        fetch(wanted)
    assert slept == [1, 2]


def test_a_server_that_asks_for_hours_is_left_alone(fetch, wanted, peer, tricks, slept):
    peer.tricks["/a.tar.gz"] = [tricks["status"](503, Retry_After="7200")]
    with pytest.raises(FlarecastError, match=r"asks to wait 120 minutes \(503\)"):
        fetch(wanted)
    assert slept == []


@pytest.mark.parametrize(
    ("code", "words"), [(500, "500 .*3 times"), (403, "got 403 Forbidden; fetch it by hand")]
)
def test_one_file_that_a_server_cannot_give_is_named(fetch, wanted, peer, tricks, code, words):
    peer.tricks["/a.tar.gz"] = [tricks["status"](code)] * 9
    with pytest.raises(FlarecastError, match=words) as caught:
        fetch(wanted)
    assert not isinstance(caught.value, Unreachable)


def test_redirects_are_followed_but_not_in_a_circle(fetch, wanted, peer, tricks):
    peer.tricks["/a.tar.gz"] = [tricks["status"](302, Location="/b")]
    peer.files["/b"] = BODY
    assert fetch(wanted).fetched
    peer.tricks["/c"] = [tricks["status"](301, Location="/d")]
    peer.tricks["/d"] = [tricks["status"](301, Location="/c")]
    with pytest.raises(FlarecastError, match="redirects in a circle"):
        fetch(replace(wanted, name="c.tar.gz", urls=(f"{peer.url}/c",)))


def test_a_stranger_is_followed_only_where_a_hash_is_known(fetch, wanted, peer, tricks, tmp_path):
    there = peer.url.replace("127.0.0.1", "localhost") + "/a.tar.gz"
    peer.tricks["/x"] = [tricks["status"](302, Location=there)] * 2
    item = replace(wanted, urls=(f"{peer.url}/x",))
    with pytest.raises(
        FlarecastError, match=r"redirect to another host \(localhost\), which is not followed"
    ):
        fetch(replace(item, hash=None))
    assert names(tmp_path) == []
    assert fetch(item).fetched


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_leaves_http_nowhere(fetch, wanted, peer, tricks, target):
    peer.tricks["/a.tar.gz"] = [tricks["status"](302, Location=target)]
    with pytest.raises(FlarecastError, match="it is not followed"):
        fetch(wanted)


def test_a_refused_connection_is_tried_and_told(fetch, wanted, peer, slept):
    peer.close()
    with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1:\d+, or it was cut, 3 times$"):
        fetch(wanted)
    assert slept == [1, 2]


def test_an_unknown_host_is_told_at_once(fetch, wanted, peer, slept):
    with pytest.raises(Unreachable, match=r"no\.such\.host\.invalid is not known \(no network\?\)"):
        fetch(replace(wanted, urls=("http://no.such.host.invalid/a",)))
    assert slept == []


def test_the_mirror_is_asked_when_the_first_is_not_there(fetch, wanted, peer):
    assert fetch(replace(wanted, urls=("http://no.such.host.invalid/a", *wanted.urls))).fetched


def test_a_proxy_that_wants_a_password_is_named_without_telling_it(fetch, wanted, peer, tricks, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", peer.url.replace("//", "//me:secret@"))
    monkeypatch.setenv("NO_PROXY", "")
    peer.tricks["http://data.example/a"] = [tricks["status"](407)] * 9
    with pytest.raises(
        Unreachable, match="the proxy asks for a password; name it in the environment"
    ) as caught:
        fetch(replace(wanted, urls=("http://data.example/a",)))
    assert "secret" not in str(caught.value)


def test_a_tunnel_that_wants_a_password_is_named_too(fetch, wanted, peer, monkeypatch):
    def refuse(handler):
        handler.send_response(407)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    monkeypatch.setattr(peer.server.RequestHandlerClass, "do_CONNECT", refuse, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", peer.url)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(Unreachable, match="the proxy asks for a password"):
        fetch(replace(wanted, urls=("https://data.example/a",)))


def test_a_full_disk_is_seen_before_and_nothing_is_lost(fetch, wanted, tmp_path, peer):
    (tmp_path / "a.tar.gz.part").write_bytes(BODY[:1000])
    with pytest.raises(NoRoom, match=r"expected 65 MB of free space, got 10"):
        fetch(wanted, free_bytes=lambda folder: 10 * 2**20)
    assert peer.asked == []
    with pytest.raises(NoRoom, match="expected 65 MB"):  # the size is known only when the server answers
        fetch(replace(wanted, size=None), free_bytes=lambda folder: 64 * 2**20 + 9)
    assert (tmp_path / "a.tar.gz.part").stat().st_size == 1000


def test_a_disk_that_fills_up_keeps_what_came(fetch, wanted, tmp_path, peer, monkeypatch):
    steps = []

    def fill(name, done, total):
        steps.append(done)
        if len(steps) == 2:
            raise OSError(28, os.strerror(28))

    with pytest.raises(NoRoom, match="the disk is full"):
        fetch(wanted, step=fill)
    assert (tmp_path / "a.tar.gz.part").stat().st_size == steps[-1] < len(BODY)


def test_a_file_put_there_by_hand_is_kept_and_written_down(fetch, wanted, tmp_path, peer):
    (tmp_path / "a.tar.gz").write_bytes(BODY)
    assert fetch(wanted).kept == ["a.tar.gz"]
    assert read_record(tmp_path)["a.tar.gz"].url == ""
    assert peer.asked == []
    (tmp_path / "a.tar.gz").write_bytes(b"\x1f\x8bdamaged")
    assert fetch(wanted).fetched == ["a.tar.gz"]


def test_a_page_put_there_by_hand_is_refused(fetch, wanted, tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"<html>")
    with pytest.raises(FlarecastError, match="web page"):
        fetch(replace(wanted, hash=None))


def test_ftp_goes_on_where_it_ended_and_knows_what_is_unchanged(fetch, wanted, tmp_path, ftp_peer):
    item = replace(wanted, urls=(f"{ftp_peer.url}/pub/a.tar.gz",), hash=None, size=None, grows=True)
    ftp_peer.files["/pub/a.tar.gz"], ftp_peer.cuts = BODY, [393_216]
    assert fetch(item).fetched
    assert (tmp_path / "a.tar.gz").read_bytes() == BODY
    assert "REST 393216" in ftp_peer.asked
    assert fetch(item, here=["a.tar.gz"]).kept
    assert sum(line.startswith("RETR") for line in ftp_peer.asked) == 2
    with pytest.raises(FlarecastError, match=r"no such file \(550\)"):
        fetch(replace(item, name="b.gz", urls=(f"{ftp_peer.url}/b.gz",)))
    ftp_peer.close()


@pytest.mark.parametrize("url", ["gopher://host/a", "host/a", "http://"])
def test_an_address_that_is_none_is_refused(fetch, wanted, url):
    with pytest.raises(FlarecastError, match=r"expected an address|no connection|not known"):
        fetch(replace(wanted, urls=(url,)))
