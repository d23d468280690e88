"""Where the numbers of a windows file came from."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import xarray as xr
from click.testing import CliRunner

from flarecast import __version__
from flarecast.chain.provenance import CITATIONS, known_accesses, provenance
from flarecast.cli import main
from flarecast.download.records import Entry, write_record
from flarecast.ingest import SOURCES

DAYS = "".join(f"2021 01 {day:02d}  75  25  10  0  -999  B1.0  1  0  0  0  0  0  0\n" for day in range(1, 29))
URL = "ftp://ftp.swpc.noaa.gov/pub/warehouse/2021/2021_DSD.txt"
ACCESSED = "2026-11-03T12:00:00Z"


@pytest.fixture
def raw(tmp_path):
    """A folder with a file that was downloaded and one that was put there by hand."""
    folder = tmp_path / "raw"
    folder.mkdir()
    record = {}
    for name, text, origin in (
        ("2021_DSD.txt", DAYS, (URL, ACCESSED)),
        ("2020_DSD.txt", "# none\n" + DAYS, ("", "")),
    ):
        body = (":Product: Daily Solar Data\n" + text.replace("2021", name[:4])).encode()
        (folder / name).write_bytes(body)
        record[name] = Entry(hashlib.sha256(body).hexdigest(), len(body), *origin)
    write_record(folder, record)
    return folder


def ingest(raw, out):
    words = ["ingest", "noaa-disk", str(raw), "--set", "ingest.options.history_days=3", "-o", str(out)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output


def describe(*words):
    result = CliRunner().invoke(main, ["describe", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


def test_windows_say_where_each_file_came_from_and_describe_prints_it(raw, tmp_path):
    ingest(raw, tmp_path / "windows.nc")
    told = json.loads(describe(tmp_path / "windows.nc", "--json"))
    sha = hashlib.sha256((raw / "2021_DSD.txt").read_bytes()).hexdigest()
    files = {file["name"]: file for file in told["files"]}
    assert files["2021_DSD.txt"] == {"sha256": sha, "name": "2021_DSD.txt", "accessed": ACCESSED, "url": URL}
    assert files["2020_DSD.txt"]["url"] is None  # put there by hand
    assert told["summary"]["flarecast_version"] == __version__
    assert told["summary"]["citations"].startswith("noaa: NOAA Space Weather Prediction Center")
    text = describe(tmp_path / "windows.nc")
    for word in (URL, ACCESSED, sha, "(public domain)", f"flarecast_version              {__version__}"):
        assert word in text


def test_a_file_that_was_changed_since_has_no_origin(raw, tmp_path):
    (raw / "2021_DSD.txt").write_text((raw / "2021_DSD.txt").read_text() + "# touched\n")
    ingest(raw, tmp_path / "windows.nc")
    assert "url" not in json.loads(describe(tmp_path / "windows.nc", "--json"))["files"][0]


def test_the_origin_of_a_part_of_a_download_is_known(raw):
    assert known_accesses(raw / "2021_DSD.txt") == known_accesses(raw)
    assert list(known_accesses(raw).values()) == [(ACCESSED, URL)]
    assert known_accesses(None) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"files": {"a": 1}}'])
def test_a_damaged_record_does_not_keep_the_data_from_being_read(raw, text):
    (raw / "flarecast-download.json").write_text(text)
    (raw / "other.json").write_text("[1]")
    (raw / "other.csv").write_text("a\n")
    assert known_accesses(raw) == {}


def test_answers_that_were_kept_tell_their_query(tmp_path):
    (tmp_path / "a.csv").write_text("T_REC\n")
    note = {"sha256": "ab", "accessed": ACCESSED, "server": "http://jsoc", "query": "hmi.sharp_cea_720s[377]"}
    (tmp_path / "a.json").write_text(json.dumps(note))
    assert known_accesses(tmp_path) == {"ab": (ACCESSED, "http://jsoc hmi.sharp_cea_720s[377]")}


def test_data_that_join_a_source_are_cited_too():
    windows = xr.Dataset(attrs={"source_files": "00 a.tar.gz\n01 xrs/sci_xrsf-l2-avg1m_g16_y2018_v2-2-0.nc"})
    lines = provenance("swan-sf", {}, windows)["citations"].splitlines()
    assert [line.partition(":")[0] for line in lines] == ["swan-sf", "goes"]
    assert lines[0].endswith("(CC0)")


def test_every_source_has_a_citation_that_its_page_gives():
    pages = Path(__file__).parents[2] / "docs"
    text = re.sub(r"\s+", " ", "".join(path.read_text(encoding="utf-8") for path in pages.glob("*.md")))
    for source in SOURCES:
        windows = xr.Dataset(attrs={"source_files": ""})
        assert provenance(source, {}, windows)["citations"], source
    for data, citation in CITATIONS.items():
        for doi in re.findall(r"doi:\S+?(?=[;,]|$)", citation.text):
            assert doi in text, data
