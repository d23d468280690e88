"""Sources through the command: which files they are made of, and what a user is told."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from flarecast import download as downloading
from flarecast.cli import main
from flarecast.config import check_options
from flarecast.download import SOURCES, download, read_record
from flarecast.download.records import alone
from flarecast.download.wanted import Means
from flarecast.errors import FlarecastError

LOCK = ".flarecast-download.lock"
GZ = b"\x1f\x8b" + b"x" * 100
NC = b"\x89HDF" + b"x" * 100
DATAVERSE = "/api/datasets/:persistentId/?persistentId=doi:10.7910/DVN/EBCFKM"
NEW = "/platforms/solar-space-observing-satellites/goes/goes{n}/l2/data/xrsf-l2-avg1m_science/"
OLD = "/data/goes-space-environment-monitor/access/science/xrs/goes{n:02d}/xrsf-l2-avg1m_science/{y}/{m:02d}/"


def put_swan(peer, bodies, **changes):
    """A data set with archives, as Dataverse describes it."""
    files = []
    for number, (name, body) in enumerate(bodies.items()):
        peer.files[f"/api/access/datafile/{number}"] = body
        md5 = hashlib.md5(body).hexdigest()
        file = {"id": number, "filename": name, "filesize": len(body), "md5": md5}
        files.append({"dataFile": file | {"checksum": {"type": "MD5", "value": md5}} | changes})
    peer.files[DATAVERSE] = json.dumps({"status": "OK", "data": {"latestVersion": {"files": files}}}).encode()


def archives():
    return {f"partition{number}_instances.tar.gz": GZ + b"%d" % number for number in range(1, 6)}


def put_listing(peer, folder, names, body=NC):
    """A folder as Apache lists it."""
    links = "".join(f'<a href="{name}">{name}</a>\n' for name in ["?C=N;O=D", "/parent/", *names])
    peer.files[folder] = f"<html><h1>Index of {folder}</h1>{links}</html>".encode()
    peer.files.update({f"{folder}{name}": body for name in names})


def call(*words, code=0, env=None):
    result = CliRunner().invoke(main, ["download", *map(str, words)], env=env)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_swan_sf_is_checked_against_what_dataverse_says(peer, tmp_path, means):
    put_swan(peer, archives() | {"readme.txt": b"read me"})
    assert len(download("swan-sf", tmp_path, base_url=peer.url, means=means).fetched) == 5
    assert (tmp_path / "partition3_instances.tar.gz").read_bytes() == GZ + b"3"
    asked = len(peer.asked)
    assert len(download("swan-sf", tmp_path, base_url=peer.url, means=means).kept) == 5
    assert len(peer.asked) == asked  # whole and here: nobody is asked
    (tmp_path / "partition3_instances.tar.gz").write_bytes(GZ)
    assert download("swan-sf", tmp_path, base_url=peer.url, means=means).fetched == [
        "partition3_instances.tar.gz"
    ]


def test_swan_sf_archives_with_other_bytes_are_refused(peer, tmp_path, means):
    put_swan(peer, archives())
    peer.files["/api/access/datafile/1"] = GZ + b"x"
    with pytest.raises(FlarecastError, match=r"4 of 5 files are here; partition2\S+: expected md5:"):
        download("swan-sf", tmp_path, base_url=peer.url, means=means)
    assert not (tmp_path / "partition2_instances.tar.gz").exists()


def test_swan_sf_placed_by_hand_needs_no_network(peer, tmp_path, means):
    peer.close()
    with pytest.raises(FlarecastError, match=r"fetch by hand partition1\S+ .* from https://doi.org/10.7910"):
        download("swan-sf", tmp_path, base_url=peer.url, means=means)
    for name, body in archives().items():
        (tmp_path / name).write_bytes(body)
    assert len(download("swan-sf", tmp_path, base_url=peer.url, means=means).kept) == 5
    assert not read_record(tmp_path)["partition1_instances.tar.gz"].accessed


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b"<html>maintenance</html>", "expected Dataverse's description of a data set, got '<html>"),
        (b'{"data": {"latestVersion": {}}}', "expected Dataverse's description"),
        (b'{"data": {"latestVersion": {"files": []}}}', r"expected partition1\S+, .*got no files"),
        (b"{", "expected Dataverse's description"),
    ],
)
def test_half_an_answer_of_dataverse_is_told(peer, tmp_path, means, page, words):
    peer.files[DATAVERSE] = page
    with pytest.raises(FlarecastError, match=words):
        download("swan-sf", tmp_path, base_url=peer.url, means=means)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_name_that_climbs_is_not_fetched(peer, tmp_path, means):
    put_swan(peer, archives() | {"../../evil.tar.gz": GZ})
    with pytest.raises(FlarecastError, match=r"expected plain file names, got '\.\./\.\./evil"):
        download("swan-sf", tmp_path, base_url=peer.url, means=means)
    put_listing(peer, NEW.format(n=16), ["../../sci_xrsf-l2-avg1m_g16_y2018_v2-2-1.nc"])
    years = {"first_year": 2018, "last_year": 2018}
    with pytest.raises(FlarecastError, match=r"expected plain file names, got '\.\./\.\./sci"):
        download("goes", tmp_path, years, base_url=peer.url, means=means)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_noaa_brings_years_and_kinds(peer, tmp_path, means):
    for year in (2018, 2019):
        peer.files[f"/{year}/{year}_DSD.txt"] = b":Product: Daily Solar Data\n"
        peer.files[f"/{year}/{year}_SRS.tar.gz"] = GZ
    years = {"first_year": 2018, "last_year": 2019}
    only = {"only": ("DSD", "SRS")}
    assert download("noaa", tmp_path, years | only, base_url=peer.url, means=means).fetched == [
        "2018_DSD.txt",
        "2019_DSD.txt",
        "2018_SRS.tar.gz",
        "2019_SRS.tar.gz",
    ]
    with pytest.raises(FlarecastError, match=r"4 of 8 files are here; .*2018_events.tar.gz: .* no such file"):
        download("noaa", tmp_path, years, base_url=peer.url, means=means)


def test_the_year_that_runs_is_asked_for_again_and_the_last_may_be_late(peer, tmp_path, means):
    for year in (2025, 2026):
        peer.files[f"/{year}/{year}_DSD.txt"] = b"days\n"
    options = {"only": ("DSD",), "first_year": 2025, "last_year": 2026}
    download("noaa", tmp_path, options, base_url=peer.url, means=means)
    peer.files["/2026/2026_DSD.txt"] += b"one more\n"
    again = download("noaa", tmp_path, options, base_url=peer.url, means=means)
    assert (again.fetched, again.kept) == (["2026_DSD.txt"], ["2025_DSD.txt"])
    # In January the archive of the year that just ended may not be there.
    january = Means(
        now=lambda: datetime(2027, 1, 2, tzinfo=UTC), sleep=means.sleep, free_bytes=means.free_bytes
    )
    del peer.files["/2026/2026_DSD.txt"]
    other = download("noaa", tmp_path / "b", {"only": ("DSD",), "first_year": 2025}, peer.url, january)
    assert (other.fetched, other.absent) == (["2025_DSD.txt"], ["2026_DSD.txt"])


def test_noaa_comes_over_ftp_or_where_that_is_barred_over_https(peer, ftp_peer, tmp_path, means, monkeypatch):
    ftp_peer.files["/pub/2019/2019_DSD.txt"] = peer.files["/pub/2019/2019_DSD.txt"] = b"days\n"
    source = SOURCES["noaa"]
    options = {"only": ("DSD",), "first_year": 2019, "last_year": 2019}
    bases = (f"{ftp_peer.url}/pub", f"{peer.url}/pub")
    monkeypatch.setitem(downloading.SOURCES, "noaa", downloading.Source(bases, source.plan, source.by_hand))
    download("noaa", tmp_path / "a", options, means=means)
    assert read_record(tmp_path / "a")["2019_DSD.txt"].url.startswith("ftp://")
    ftp_peer.close()
    bases = ("ftp://no.such.host.invalid/pub", f"{peer.url}/pub")
    monkeypatch.setitem(downloading.SOURCES, "noaa", downloading.Source(bases, source.plan, source.by_hand))
    download("noaa", tmp_path / "b", options, means=means)
    assert read_record(tmp_path / "b")["2019_DSD.txt"].url.startswith("http://")


def test_goes_picks_satellites_and_the_newest_versions(peer, tmp_path, means):
    names = ["sci_xrsf-l2-avg1m_g16_y2018_v2-2-0.nc", "sci_xrsf-l2-avg1m_g16_y2018_v2-10-0.nc", "other.nc"]
    put_listing(peer, NEW.format(n=16), names)
    years = {"first_year": 2018, "last_year": 2018}
    assert download("goes", tmp_path, years, base_url=peer.url, means=means).fetched == [names[1]]
    asked = len(peer.asked)
    assert download("goes", tmp_path, years, base_url=peer.url, means=means).kept == [names[1]]
    assert len(peer.asked) == asked
    days = [f"sci_xrsf-l2-avg1m_g15_d201603{day:02d}_v1-0-0.nc" for day in (1, 2)]
    put_listing(peer, OLD.format(n=15, y=2016, m=3), days)
    years = {"first_year": 2016, "last_year": 2016}
    assert download("goes", tmp_path, years, base_url=peer.url, means=means).fetched == days
    with pytest.raises(FlarecastError, match="satellites 8 have no data in those years"):
        download("goes", tmp_path, years | {"only": ("8",)}, base_url=peer.url, means=means)


def test_sharp_and_silso_are_asked_again_each_time(peer, tmp_path, means):
    peer.files["/doc/data/hmi/harpnum_to_noaa/all_harps_with_noaa_ars.txt"] = b"HARPNUM NOAA_ARS\n1 11067\n"
    peer.files["/INFO/sndtotcsv.php"] = b"2026;01;01;2026.001; 100; 10.0; 30;0\n"
    for source, name in (("sharp", "all_harps_with_noaa_ars.txt"), ("silso", "SN_d_tot_V2.0.csv")):
        assert download(source, tmp_path, base_url=peer.url, means=means).fetched == [name]
        assert download(source, tmp_path, base_url=peer.url, means=means).kept == [name]


def test_the_command_says_what_came(peer, tmp_path):
    peer.files["/2019/2019_DSD.txt"] = b"days\n"
    words = ("noaa", "-o", tmp_path, "--from", 2019, "--to", 2019, "--only", "DSD")
    assert call(*words, "--base-url", peer.url).endswith("1 files fetched, 0 were here\n")
    assert call(*words, env={"FLARECAST_BASE_URL": peer.url}).endswith("0 files fetched, 1 were here\n")


def test_the_command_takes_what_a_run_says(peer, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(
        '[download]\nsource = "noaa"\noptions = { only = ["DSD"], first_year = 2018, last_year = 2019 }\n'
    )
    for year in (2018, 2019):
        peer.files[f"/{year}/{year}_DSD.txt"] = b"days\n"
    words = ("from-config", "-c", config, "-o", tmp_path / "raw", "--base-url", peer.url)
    assert "2 files fetched" in call(*words)
    assert "raw: 0 files fetched, 1 were here" in call(*words, "--from", 2019)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("swan",), "download.source: expected one of goes, noaa, sharp, silso, swan-sf, got 'swan'"),
        (("from-config",), r"expected a \[download\] with a source, got none"),
        (("noaa", "--from", 2020, "--to", 2010), "expected 1996 <= first <= last <= .*change --from or --to"),
        (("noaa", "--only", "dsd"), "expected kinds of file out of DSD, SRS, events, RSGA, got dsd"),
        (("swan-sf", "--only", "6"), "expected partitions out of 1, 2, 3, 4, 5, got 6"),
        (("silso", "--from", 2000), "download silso: unknown key first_year; known here: none"),
        (("silso", "--base-url", "nowhere"), "nowhere.*expected an address"),
    ],
)
def test_a_slip_is_told_in_one_line(tmp_path, words, sentence):
    text = call(*words, "-o", tmp_path / "raw", code=1)
    assert re.search(sentence, text)
    assert len(text.strip().splitlines()) == 1


def test_without_a_network_one_line_says_what_to_fetch_and_where_to_put_it(tmp_path):
    words = ("silso", "--base-url", "http://no.such.host.invalid", "-o", tmp_path / "raw")
    text = call(*words, code=1)
    assert "not known (no network?)" in text
    assert (
        f"fetch by hand SN_d_tot_V2.0.csv from https://www.sidc.be/SILSO/datafiles and put it into {tmp_path}"
        in text
    )
    assert len(text.strip().splitlines()) == 1


def test_two_downloads_do_not_write_into_one_folder(tmp_path, means):
    with alone(tmp_path), pytest.raises(FlarecastError, match="another download at work there; wait"):
        download("silso", tmp_path, base_url="http://no.such.host.invalid", means=means)
    with pytest.raises(FlarecastError, match="not known"):
        download("silso", tmp_path, base_url="http://no.such.host.invalid", means=means)


def test_a_damaged_record_is_told(tmp_path, means):
    (tmp_path / "flarecast-download.json").write_text('{"files": {"a": {"sha": 1}}}')
    with pytest.raises(FlarecastError, match="expected the record that `flarecast download` writes"):
        download("silso", tmp_path, means=means)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "configs").glob("*.toml")), ids=lambda p: p.stem
)
def test_what_the_runs_say_can_be_downloaded(path):
    from flarecast.config import load_config

    wanted = load_config(path).download
    if wanted.source:
        check_options(SOURCES[wanted.source].plan, wanted.options, "download.options")
