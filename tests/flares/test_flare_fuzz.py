"""Damaged flare lists and event reports: flares and a count, or a FlarecastError; never anything else."""

import gzip
import io
import tarfile

import numpy as np
import pytest
from damaging import damage

from flarecast.errors import FlarecastError
from flarecast.flares import read_flares

REPORT = """:Product: 20120307events.txt
:Created: 2012 Mar 10 0332 UT
:Date: 2012 03 07
# Missing data: ////
#                            Edited Events for 2012 Mar 07
#Event    Begin    Max       End  Obs  Q  Type  Loc/Frq   Particulars       Reg#
1940 +     0002   0024      0040  G15  5   XRA  1-8A      X5.4    2.8E-01   1429
1940 +    B0010  U0024     A0054  SVI  2   FLA  S17W86    1F                1165
10   +     2345   ////      0030  G15  5   XRA  1-8A      M1      2.8E-01
99         2353   0001      0010  10   5   XRA  1-8A      C       1.5E00    0005
"""
OLD_REPORT = """Prepared by the U.S. Dept. of Commerce, NOAA, Space Environment Center
0402 UT 1 Oct 1996

EDITED EVENTS for 1996 Sep 28

Event     Begin    Max       End  Obs  Q  Type  Loc/Frq   Particulars       Reg#

5130       1659   1704      1708  GO9  5   XRA  1-8A      B1.6    6.76E-05
"""
ROW = "2012-03-07T00:02:00,2012-03-07T00:24:00,2012-03-07T00:40:00"
LISTS = {
    "20120307events.txt": REPORT,
    "19960928events.txt": OLD_REPORT,
    "hek.csv": f"event_starttime,event_peaktime,event_endtime,fl_goescls,ar_noaanum\n{ROW},X5.4,11429\n"
    f"{ROW},C1.4,\n",
    "clear.csv": f",start_time,peak_time,end_time,label,noaa_ar,obs,cls\n0,{ROW},X5.4,11429,G15,X\n",
    "net.csv": "Flare Class,Start Time,Peak Time,End Time,Active Region Number\n"
    "X17.2,2003-10-28T09:51Z,2003-10-28T//://Z,2003-10-28T11:24Z,10486\n",
    "latest.csv": "EventID,EName,Start,Stop,Peak,GOES_Class,Derived_Position,NOAA_ID\n"
    "20220128,gev_1,2022/01/28 15:35:00,16:01:00,15:46:00,B6.6,N18E24,N17W40  ( 2936 + 2938 )\n",
    "records.csv": "NOAA_AR,Flare Start Time,Flare Level,HARPNUM\n11069,2010-05-10 10:59:00,11.4,8\n",
    "arflares24h.csv": "NOAA_ar_num,T_REC,log_intensity,category\n11067,1272694320.0,-6.537602002101044,B\n",
    "flares.csv": "start,peak,end,flux,flux_upper,region,source,flux_scale\n"
    "2012-03-07T00:02:00Z,2012-03-07T00:24:00Z,,0.0001,inf,11429,a.csv,true\n",
    "xray_flares.json": '[{"begin_time":"2026-06-26T12:23:00Z","begin_class":"C1.6","max_class":"C5.7",\n'
    '"max_time":"2026-06-26T12:48:00Z","end_time":"2026-06-26T13:04:00Z","satellite":18},\n'
    '{"begin_time":"2026-06-26T15:00:00Z","max_time":null,"max_class":null,"end_time":null,"satellite":18}]\n',
    "mx.txt": "2014 01 01 1840 1852 1903 M9.9 1936\n2016 02 15 1041 1100 1106 M1.1 NaN\n",
}
CHARACTERS = b"0123456789ABCMX.,:/-+ \t\n\r\"'eE\x00\x1a\xff\xc3"


def check(path):
    try:
        table = read_flares([path], max_bad_rows=10)
    except FlarecastError:
        return 0
    assert table.attrs["n_flares"] == len(table)
    assert (table["flux"] > 0).all()
    assert (table["flux_upper"] >= table["flux"]).all()
    assert ((table["region"] == 0) | (table["region"] > 0)).all()
    return len(table)


@pytest.mark.parametrize("n_mutants", [700, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_lists_give_flares_and_a_count_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20120307)
    names = list(LISTS)
    n_flares = 0
    for number in range(n_mutants):
        name = names[number % len(names)]
        path = tmp_path / name
        path.write_bytes(damage(LISTS[name], CHARACTERS, rng))
        n_flares += check(path)
    assert n_flares > n_mutants / 3, (
        "most mutants should still hold a flare, or the test tests the header only"
    )


def archive(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize("n_mutants", [300, pytest.param(3_000, marks=pytest.mark.slow)])
def test_damaged_archives_give_flares_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(1)
    tar = archive({"2012_events/20120307events.txt": REPORT, "19960928events.txt": OLD_REPORT})
    packed = gzip.compress(tar, mtime=0)
    path = tmp_path / "2012_events.tar.gz"
    n_flares = 0
    for number in range(n_mutants):
        content = bytearray(tar if number % 2 else packed)
        for place in rng.integers(len(content), size=rng.integers(1, 4)).tolist():
            content[place] = int(rng.integers(256))
        if number % 5 == 0:
            del content[int(rng.integers(len(content))) :]
        path.write_bytes(gzip.compress(bytes(content), 1, mtime=0) if number % 2 else bytes(content))
        n_flares += check(path)
    assert n_flares > n_mutants / 10


def test_a_truncated_archive_is_told_in_a_sentence(tmp_path):
    path = tmp_path / "2012_events.tar.gz"
    path.write_bytes(gzip.compress(archive({"20120307events.txt": REPORT}), mtime=0)[:-20])
    with pytest.raises(FlarecastError, match="got one damaged or cut short"):
        read_flares([path])


def test_concatenated_gzip_members_are_one_archive(tmp_path):
    tar = archive({"20120307events.txt": REPORT, "19960928events.txt": OLD_REPORT})
    path = tmp_path / "2012_events.tar.gz"
    path.write_bytes(gzip.compress(tar[:700], mtime=0) + gzip.compress(tar[700:], mtime=0))
    assert len(read_flares([path])) == 4


def test_a_name_that_climbs_is_read_and_nothing_is_written(tmp_path):
    (tmp_path / "raw").mkdir()
    path = tmp_path / "raw" / "2012_events.tar.gz"
    path.write_bytes(gzip.compress(archive({"../../20120307events.txt": REPORT}), mtime=0))
    assert len(read_flares([path])) == 3
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "raw", path]


def test_a_bomb_ends_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("flarecast.flares.archives.LARGEST_ARCHIVE", 3_000_000)
    path = tmp_path / "2012_events.tar.gz"
    path.write_bytes(gzip.compress(archive({"20120307events.txt": REPORT, "z": "0" * 9_000_000}), mtime=0))
    with pytest.raises(FlarecastError, match="expected texts of a few MB, got more than 3 MB"):
        read_flares([path])
