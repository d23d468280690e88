"""What is wrong with a table or its mapping is counted, or said in one sentence."""

import numpy as np
import pytest
from damaging import damage
from small_table import BLOCK_MAPPING, BLOCKS, MAPPING, OWN, ROWS, read, refused

from flarecast.errors import FlarecastError
from flarecast.ingest.table import ingest_table


@pytest.mark.parametrize(
    ("old", "new", "reason", "sentence"),
    [
        ("9e22", "9e2x", "no number", "line 5: USFLUX: expected a number, got '9e2x'"),
        ("9e22", "inf", "no number", "expected a number, got 'inf'"),
        ("9e22", "1_0", "no number", "expected a number, got '1_0'"),
        ("9e22,AXX", "9e22", "wrong width", "line 5: expected 5 cells, got 4 in '11430,2012-03"),
        ("9e22", '"9e22', "wrong width", "line 5: expected 5 cells, got 0"),
        (
            "11430,2012-03-05",
            "11430,2012-03-35",
            "no time",
            "time: expected a time like iso, got '2012-03-35",
        ),
        ("11430,2012-03-05", "11430,1812-03-05", "no time", "got '1812-03-05"),
        ("11430", "", "no region", "region: expected a region's number, got ''"),
        ("11430", "HARP 7", "no region", "got 'HARP 7'"),
        ("AXX", "ZXX", "no code", "McIntosh: expected one of A, E, got 'ZXX'"),
        ("X5.4", "Z5.4", "no outcome", "class: expected a GOES class or N, got 'Z5.4'"),
        ("X5.4", "X0.0", "no outcome", "class: expected a GOES class or N, got 'X0.0'"),
    ],
)
def test_a_broken_row_is_left_out_counted_and_shown(tmp_path, old, new, reason, sentence):
    assert ROWS.count(old) == 1
    windows = read(tmp_path, ROWS.replace(old, new))
    assert windows.attrs["skipped"] == f"{reason} 1"
    assert sentence in windows.attrs["first_skipped"]
    assert "table.csv line 5" in windows.attrs["first_skipped"]
    assert windows.sizes["window"] == 3
    assert windows.attrs["n_value_lines"] == 4


def test_the_first_twenty_broken_rows_are_shown_and_too_many_are_an_error(tmp_path):
    text = ROWS + "x,y\n" * 30
    windows = read(tmp_path, text, max_bad_rows=30)
    assert windows.attrs["n_skipped"] == 30
    assert len(windows.attrs["first_skipped"].splitlines()) == 20
    message = refused(tmp_path, text, max_bad_rows=29)
    assert "line 6: expected 5 cells, got 2 in 'x,y'" in message
    assert "30 of 34 rows are broken (wrong width 30), more than max_bad_rows = 29" in message
    assert "more than max_bad_rows = 20" in refused(tmp_path, text)


def test_a_table_without_a_good_row_is_refused(tmp_path):
    header = ROWS.splitlines()[0]
    assert "expected rows, got none" in refused(tmp_path, header + "\n")
    assert "expected 5 cells" in refused(tmp_path, header + "\n1,2\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"region": {"column": "harp"}},
            "table.csv line 1: expected the columns 'harp' that the mapping names",
        ),
        ({"features": {"TOTPOT": "erg cm-1", "USFLUX": "Mx"}}, "expected the columns 'TOTPOT'"),
        ({"features": {"USFLUX": ""}}, "features.USFLUX.unit"),
        ({"features": {"USFLUX": {"column": "USFLUX"}}}, "features.USFLUX.unit: is missing"),
        ({"features": {}}, "features"),
        ({"features": {"USFLUX": 3}}, "features.USFLUX"),
        ({"window": {"sampling": "random"}}, "window.sampling: input should be 'natural', 'filtered' or"),
        ({"window": {"layout": "blocks"}}, "expected one of rows_per_block and block_column, got 0"),
        ({"window": {"rows_per_block": 3}}, "expected none of rows_per_block and block_column, got 1"),
        ({"window": {"layout": "windows"}}, "expected n_steps = 1, got 2"),
        ({"window": {"cadence_minutes": 0.05}}, "expected less than half of cadence_minutes"),
        ({"window": {"cadence_minutes": 1.001}}, "expected whole seconds"),
        ({"window": {"steps": 3}}, "window.steps: unknown key"),
        ({"time": {"hours_before": "h"}}, "expected a pattern with one group"),
        ({"time": {"hours_before": "("}}, "expected a regular expression"),
        ({"time": {"format": "%Y %Y"}}, "expected iso, unix or a format like %Y-%m-%d %H:%M, got '%Y %Y'"),
        ({"time": {"format": "%Q"}}, "expected iso, unix or a format"),
        ({"event": {"format": "%H:%M"}}, "expected a format with a year"),
        ({"file": {"pattern": "/etc/*"}}, "expected a pattern of file names"),
        ({"time": {"scale": "UT"}}, "time.scale"),
        ({"outcome": {}}, "expected one of class_column, flux_column, counts and label_column, got none"),
        ({"outcome": {"class_column": "class", "flux_column": "class"}}, "got class_column and flux_column"),
        ({"outcome": {"flux_column": "class", "magnitude_column": "x"}}, "expected a class_column beside it"),
        ({"outcome": {"class_column": "class", "floor": "Z"}}, "'Z'"),
        ({"file": {"separator": '"'}}, "expected a character that parts cells"),
        ({"features": {"USFLUX": {"unit": "Mx", "factor": 0.0}}}, "expected a number other than 0"),
        ({"features": {"n": {"unit": "1", "optional": True}}}, "expected a column of at least one feature"),
        ({"max_bad_rows": -1}, "max_bad_rows"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_one_sentence(tmp_path, changes, message):
    assert message in refused(tmp_path, **changes)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    assert "expected each column once" in refused(
        tmp_path, ROWS.replace("McIntosh", "class", 1), features={"USFLUX": "Mx"}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected the columns"),
        (b"\x1f\x8b\x08" + bytes(40), "expected text, got gzip data; unpack it first"),
        (b"PK\x03\x04" + bytes(40), "got zip data"),
        (b"<html>404</html>", "expected the columns"),
        (np.random.default_rng(5).bytes(5000), "expected"),
        (ROWS.encode() + b"9" * 1_000_001, "line 6: expected less than 1,000,000 characters"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(FlarecastError, match=message) as error:
        ingest_table(tmp_path / "t.csv", np.random.default_rng(0), **MAPPING)
    assert "t.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_is_one_sentence(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(FlarecastError, match="expected a CSV or Parquet file, got none; name it as RAW"):
        ingest_table(None, rng, **MAPPING)
    with pytest.raises(FlarecastError, match="found none"):
        ingest_table(tmp_path / "t.csv", rng, **MAPPING)
    with pytest.raises(FlarecastError, match="cannot be read"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))
    (tmp_path / "m.toml").write_text("[ingest]\nsource = 'table'\n", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected sections like"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))
    (tmp_path / "m.toml").write_text("[ingest", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected TOML"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    import pandas as pd

    def missing(path):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", missing)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(FlarecastError, match="expected pyarrow to read Parquet, got none; pip install"):
        ingest_table(tmp_path / "t.parquet", np.random.default_rng(0), **MAPPING)


MUTANTS = [pytest.param(1000, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("n", MUTANTS)
@pytest.mark.parametrize("layout", ["rows", "blocks"])
def test_a_garbled_table_is_rows_and_a_count_or_one_sentence(tmp_path, layout, n):
    rng = np.random.default_rng(13)
    changes = BLOCK_MAPPING if layout == "blocks" else {}
    mapping = {name: MAPPING.get(name, {}) | changes.get(name, {}) for name in {*MAPPING, *changes}}
    mapping["features"] = changes.get("features", MAPPING["features"])
    outcomes = set()
    for _ in range(n):
        garbled = damage(BLOCKS if layout == "blocks" else ROWS, b',"', rng)
        (tmp_path / "t.csv").write_bytes(garbled)
        message = ""
        try:
            windows = ingest_table(tmp_path / "t.csv", rng, **mapping, max_bad_rows=4)
        except FlarecastError as error:
            message = str(error)
            assert "\n" not in message
        else:
            assert windows.attrs["n_value_lines"] == windows.attrs["n_rows_read"] + windows.attrs["n_skipped"]
            assert windows.sizes["row"] == windows.attrs["n_rows_read"] - windows.attrs["n_repeated_rows"]
            assert windows.attrs["n_skipped"] <= 4
        outcomes.add(bool(message))
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "n", [pytest.param(300, id="some"), pytest.param(3000, id="many", marks=pytest.mark.slow)]
)
def test_a_garbled_mapping_is_read_or_refused_in_one_sentence(tmp_path, n):
    (tmp_path / "t.csv").write_text(ROWS, encoding="utf-8")
    rng = np.random.default_rng(17)
    for _ in range(n):
        (tmp_path / "m.toml").write_bytes(damage(OWN, b'=[]{}"', rng))
        message = ""
        try:
            ingest_table(tmp_path / "t.csv", np.random.default_rng(0), mapping=str(tmp_path / "m.toml"))
        except FlarecastError as error:
            message = str(error)
        assert "\n" not in message
