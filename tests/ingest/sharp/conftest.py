"""A loopback server that speaks JSOC's `jsoc_info` as drms calls it, at its best and worst; its records."""

import json
import re
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from sharp_records import record

from flarecast.ingest.sharp import ingest_sharp

KEYWORDS = {
    "HARPNUM": "int",
    "T_REC": "time",
    "QUALITY": "int",
    "OBS_VR": "double",
    "LON_FWT": "float",
    "LON_MIN": "float",
    "LON_MAX": "float",
    "CRVAL1": "float",
    "CRLN_OBS": "float",
    "NOAA_AR": "int",
    "NOAA_ARS": "string",
    "USFLUX": "float",
    "TOTUSJH": "float",
    "TOTPOT": "float",
    "R_VALUE": "float",
    "AREA_ACR": "float",
}
RANGE = re.compile(r"(\d{4}\.\d{2}\.\d{2})_(\d{2}:\d{2}:\d{2})_TAI/(\d+)d")
RECORD_SET = re.compile(r'([\w.]+)\[(\d*)\](?:\[([^\]?]*)\])?(?:\[\? NOAA_ARS ~ "(\d+)" \?\])?')


class Jsoc(ThreadingHTTPServer):
    """Records by series, a queue of moods (one a request, then good), and every request as it came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.records = {"hmi.sharp_cea_720s": [], "hmi.sharp_cea_720s_nrt": []}
        self.moods = []
        self.requests = []
        self.agents = []
        self.keywords = dict(KEYWORDS)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}/cgi-bin/ajax/"

    def queries(self):
        """Record sets asked for."""
        return [query["ds"][0] for query in self.requests if query.get("op") == ["rs_list"]]


class Handler(BaseHTTPRequestHandler):
    """`op=series_struct` and `op=rs_list`; what else is asked is answered as JSOC does, by a status."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.requests.append(query)
        self.server.agents.append(self.headers.get("User-Agent", ""))
        if self.path.startswith("http://"):
            self.reply(407, b"<html>Proxy Authentication Required</html>", "text/html")
            return
        asked = query.get("op") == ["rs_list"]
        mood = self.server.moods.pop(0) if asked and self.server.moods else "good"
        answer = self.answer(query) if parts.path.endswith("/jsoc_info") else None
        if answer is None:
            self.reply(404, b"<html>Not Found</html>", "text/html")
        else:
            getattr(self, f"be_{mood}")(answer)

    def answer(self, query):
        """What JSOC answers, before its mood."""
        series = query["ds"][0].partition("[")[0]
        if series not in self.server.records:
            return {"status": 1, "error": f"Series '{series}' does not exist"}
        if query["op"] == ["series_struct"]:
            return {
                "note": "",
                "primekeys": ["HARPNUM", "T_REC"],
                "keywords": [
                    {"name": name, "type": kind, "units": "", "note": ""}
                    for name, kind in self.server.keywords.items()
                ],
                "segments": [],
                "links": [],
                "status": 0,
            }
        match = RECORD_SET.fullmatch(query["ds"][0])
        if match is None:
            return {"status": 1, "error": "Cannot parse record set"}
        chosen = [record for record in self.server.records[series] if wanted(record, *match.groups()[1:])]
        if "n" in query:
            chosen = chosen[: int(query["n"][0])]
        keys = query["key"][0].split(",")
        columns = [{"name": key, "values": [str(record.get(key, "Invalid KeyLink")) for record in chosen]}
                   for key in keys]  # fmt: skip
        return {"keywords": columns, "segments": [], "links": [], "count": len(chosen), "status": 0}

    def reply(self, code, content, kind="application/json", length=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def be_good(self, answer):
        self.reply(200, json.dumps(answer).encode())

    def be_busy(self, answer):
        self.reply(503, b"<html>Service Unavailable</html>", "text/html")

    def be_overrun(self, answer):
        self.reply(429, b"<html>Too Many Requests</html>", "text/html")

    def be_html(self, answer):
        self.reply(200, b"<!DOCTYPE html><html><body>JSOC is down for maintenance</body></html>", "text/html")

    def be_cut(self, answer):
        content = json.dumps(answer).encode()
        self.reply(200, content[: len(content) // 2], length=len(content))

    def be_half_json(self, answer):
        content = json.dumps(answer).encode()
        self.reply(200, content[: len(content) // 2])

    def be_without_a_key(self, answer):
        self.reply(200, json.dumps(answer | {"keywords": answer["keywords"][:-1]}).encode())

    def be_uneven(self, answer):
        answer["keywords"][-1]["values"] = answer["keywords"][-1]["values"][:-1]
        self.be_good(answer)

    def be_empty(self, answer):
        self.reply(200, b"")

    def be_without_records(self, answer):
        self.be_good({"status": 0, "count": 0, "runtime": 0.02})

    def be_refusing(self, answer):
        self.be_good({"status": 1, "error": "Maximum number of queries\nreached"})

    def be_null(self, answer):
        self.reply(200, b"null")

    def be_silent(self, answer):
        time.sleep(1.5)
        self.close_connection = True

    def be_gone(self, answer):
        self.close_connection = True

    def be_a_year_ahead(self, answer):
        for column in answer["keywords"]:
            if column["name"] == "T_REC":
                column["values"] = [f"{int(text[:4]) + 1}{text[4:]}" for text in column["values"]]
        self.be_good(answer)

    def be_of_another_harp(self, answer):
        for column in answer["keywords"]:
            if column["name"] == "HARPNUM":
                column["values"] = ["9"] * len(column["values"])
        self.be_good(answer)


def wanted(record, harp, span, noaa):
    """Whether a record is of a record set."""
    if harp and str(record["HARPNUM"]) != harp:
        return False
    if noaa and noaa not in str(record.get("NOAA_ARS", "")):
        return False
    if not span:
        return True
    day, _, days = RANGE.fullmatch(span).groups()
    first, date = (np.datetime64(text[:10].replace(".", "-")) for text in (day, record["T_REC"]))
    return 0 <= (date - first).astype(int) < int(days)


@contextmanager
def serving():
    """A server that runs while the block does."""
    server = Jsoc()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def jsoc(monkeypatch):
    """A server with two days of two HARPs, one without a NOAA region; nothing stands between."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)
    with serving() as server:
        own = server.records["hmi.sharp_cea_720s"]
        own += [record(number) for number in range(240)]
        own += [record(number, 380, "MISSING") for number in range(60, 180)]
        yield server
    urllib.request.install_opener(None)


@pytest.fixture
def ask(jsoc, tmp_path):
    """`ingest sharp` of that server, without pauses."""

    def ingest(**options):
        given = {"server": jsoc.address, "pause_seconds": 0.0, "retries": 2, "timeout_seconds": 0.5}
        return ingest_sharp(tmp_path / "raw", np.random.default_rng(0), **(given | options))

    return ingest


@pytest.fixture
def raw(tmp_path):
    """A folder of recorded tables, not there yet."""
    return tmp_path / "raw"
