"""Damaged tables, headers, lists and kept answers: records and a count, or a FlarecastError; nothing else."""

import numpy as np
import pytest
from damaging import damage

from flarecast import schema
from flarecast.errors import FlarecastError
from flarecast.ingest.sharp import ingest_sharp
from flarecast.ingest.sharps import cache
from flarecast.ingest.sharps.harp_map import parse_map
from flarecast.ingest.sharps.keywords import FEATURES, SERIES
from flarecast.ingest.sharps.records import Tally, parse_records, put_together
from flarecast.ingest.sharps.tables import parse_header, parse_table

TABLE = """T_REC,HARPNUM,QUALITY,OBS_VR,LON_FWT,CRVAL1,CRLN_OBS,NOAA_ARS,USFLUX,R_VALUE,AREA_ACR
2011.02.15_00:00:00_TAI,377,0x00000000,1200.5,-20.25,30,50,"11158,11159",2.0e+22,4.5,500.25
2011.02.15_00:12:00.000_TAI,377,65536,-3600,nan,30,50,MISSING,2.1e+22,0.0,
20110215_002400_TAI,380,0,,71,,,11160,2.2e+22,4.5,501
"""
HEADER = """SIMPLE  =                    T / file does conform to FITS standard
T_REC   = '2024.06.28_00:00:00.000_TAI' / [TAI] Slot time
USFLUX  =       1.99282158E+21 / [Maxwell] Total unsigned flux
R_VALUE =                   0. / [Maxwell] Unsigned Flux R
CRVAL1  =  -27.392353100000001 / [degree] Longitude at center of patch
CRLN_OBS=           25.1685467 / [deg] Carrington longitude of the observer
OBS_VR  =    2669.484835845205 / [m/s] velocity of the observer in radial direct
QUALITY =                    0 / SHARP Quality index
HARPNUM =                11465 / HARP ID
LON_FWT =          -56.1843529 / [degree] Stonyhurst longitude of flux
NOAA_ARS= '13733   '           / Comma
DRMS_ID = 'hmi.sharp_cea_720s:9252513:magnetogram' / DRMS ID
"""
LIST = "HARPNUM NOAA_ARS\n1 11067\n49 11076,11080\n377 11158\n"
NAMES = tuple(FEATURES)
CHARACTERS = b"0123456789eE.+-,_:'\" =/TAIx\t\n\r\x00\xff\xc3"


def read(columns):
    """Records of cells; what they hold is possible."""
    tally = Tally()
    parsed = parse_records(columns, "x", NAMES, tally)
    records = put_together([parsed], len(NAMES), tally)
    assert tally.n_read + sum(tally.skipped.values()) == tally.n_lines
    assert tally.n_read == records.harp.size + tally.n_repeated + tally.n_conflicting
    assert ((records.harp > 0) & (records.harp < 100_000)).all()
    assert (records.tai % 720 == 0).all()
    assert not (np.abs(records.longitude) > 180).any()
    assert not np.isinf(records.values).any()
    assert all(len(one) == 5 for text in records.noaa for one in text.split(",") if one)
    return records.harp.size


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_tables_give_records_and_a_count_or_one_sentence(n_mutants):
    rng = np.random.default_rng(377)
    n_records = 0
    for number in range(n_mutants):
        text = TABLE if number % 2 else TABLE.replace(',"11158,11159"', ",11158").replace(",", "\t")
        try:
            columns = parse_table(
                damage(text, CHARACTERS, rng).decode("utf-8-sig", errors="replace"), "x", Tally()
            )
        except FlarecastError:
            continue
        n_records += read(columns)
    assert n_records > n_mutants


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_headers_give_a_record_or_a_count(n_mutants):
    rng = np.random.default_rng(11_465)
    n_records = 0
    for _ in range(n_mutants):
        tally = Tally()
        columns = parse_header(
            damage(HEADER, CHARACTERS, rng).decode("latin-1"), "x", "hmi.sharp_cea_720s", tally
        )
        n_records += read(columns)
        assert columns["T_REC"] or tally.skipped
    assert n_records > n_mutants / 2


@pytest.mark.parametrize("n_mutants", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_damaged_list_of_harps_is_read_or_one_sentence(n_mutants):
    rng = np.random.default_rng(49)
    n_harps = 0
    for _ in range(n_mutants):
        try:
            found = parse_map(damage(LIST, CHARACTERS, rng).decode("utf-8-sig", errors="replace"), "x")
        except FlarecastError:
            continue
        n_harps += len(found)
        assert all(9_999 < number < 100_000 for numbers in found.values() for number in numbers)
    assert n_harps > n_mutants / 3


@pytest.mark.parametrize("n_mutants", [300, pytest.param(3_000, marks=pytest.mark.slow)])
def test_a_damaged_kept_answer_is_never_believed(tmp_path, n_mutants):
    rng = np.random.default_rng(3)
    path = cache.folder_of(tmp_path, SERIES["definitive"]) / "harp00377.csv"
    columns = parse_table(TABLE, "x", Tally())
    cache.store(path, columns, {"query": "x", "absent_keywords": []}, settled=True)
    good, note = path.read_text(), path.with_suffix(".json").read_text()
    n_believed = 0
    for number in range(n_mutants):
        csv, json = (
            (damage(good, CHARACTERS, rng), note.encode())
            if number % 2
            else (good.encode(), damage(note, CHARACTERS, rng))
        )
        path.write_bytes(csv)
        path.with_suffix(".json").write_bytes(json)
        kept = cache.load(path, (), Tally())
        n_believed += kept is not None
        assert kept is None or kept.columns == columns
    assert n_believed < n_mutants / 2


@pytest.mark.parametrize("n_mutants", [100, pytest.param(1_500, marks=pytest.mark.slow)])
def test_damaged_folders_give_windows_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(8)
    n_windows = 0
    for _ in range(n_mutants):
        for name, text in (("a.csv", TABLE), ("b.header", HEADER), ("all_harps_with_noaa_ars.txt", LIST)):
            (tmp_path / name).write_bytes(damage(text, CHARACTERS, rng))
        try:
            windows = ingest_sharp(tmp_path, rng, n_steps=2, stride_minutes=12.0)
        except FlarecastError:
            continue
        schema.check(windows, schema.WINDOWS)
        n_windows += windows.sizes["window"]
    assert n_windows > n_mutants / 6
