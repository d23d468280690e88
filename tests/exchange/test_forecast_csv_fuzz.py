"""Forecast CSV read piece by piece, and damaged: forecasts or one sentence, nothing else."""

import numpy as np
import pytest
import xarray as xr

from flarecast import cycles, schema
from flarecast.errors import FlarecastError
from flarecast.exchange import csv_columns
from flarecast.exchange.forecast_csv import read_csv

HEADER = "issue_time,valid_from,valid_to,region,event,probability,occurred"
CHARACTERS = b"0123456789,:-.+eETZ \t\n\r\"'disknaMX\x00\xff\xc3\\"
CELLS = (
    *("", "0", "1", "0.25", "nan", "1e-3", "1.203", "60", "-1", "inf", "1_0", "disk", "NOAA 11429", " ", "M"),
    *("x", "M1.0", "X9.9", "Z1", "A0", "2012-03-05T00:00:00Z", "2012-03-05", "2012-03-05T00:00+01:00"),
    *("20120305T000000", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2012-03-05T24:00"),
)
DAY = 86_400


def lines(n: int, seed: int = 0) -> list[str]:
    """Forecasts of two events and three regions, day 1 and 2, with repeats, gaps and several issues."""
    rng = np.random.default_rng(seed)
    outcome: dict[tuple, int] = {}
    stated: dict[tuple, float] = {}
    found = []
    for _ in range(n):
        day = int(rng.integers(0, 8))
        start = cycles.seconds("2012-03-01") + DAY * day
        issue = start - int(rng.choice([0, 7200, DAY, 30 * 3600, -3600]))
        region, event = rng.choice(["disk", "NOAA 11429", "HARP 7"]), rng.choice(["M1.0", "X1.0"])
        happened = outcome.setdefault((region, start, event), int(rng.integers(-1, 2)))
        p = stated.setdefault((region, start, event, issue), round(float(rng.random()), 3))
        cells = [
            *map(cycles.iso, (issue, start, start + DAY)),
            *(region, event, "" if rng.random() < 0.1 else p),
            "" if happened < 0 or rng.random() < 0.2 else happened,
        ]
        found.append(",".join(map(str, cells)))
    return found


@pytest.mark.parametrize("piece", [1, 3, 50])
def test_a_file_read_in_pieces_gives_what_it_gives_whole(tmp_path, monkeypatch, piece):
    path = tmp_path / "f.csv"
    path.write_text("\n".join([HEADER, *lines(120), "", *lines(40, 0)]) + "\n")
    whole = read_csv(path)
    assert whole.sizes["window"] > 30
    monkeypatch.setattr(csv_columns, "PIECE", piece)
    xr.testing.assert_identical(read_csv(path), whole)


def test_problems_in_several_pieces_are_counted_together_with_their_first_line(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_columns, "PIECE", 2)
    span = "2012-03-06T22:00:00Z,2012-03-07T00:00:00Z,2012-03-08T00:00:00Z,disk,M1.0"
    path = tmp_path / "f.csv"
    path.write_text("\n".join([HEADER, f"{span},0.5,1", f"{span},30,", f"{span},,", f"{span},70,2"]) + "\n")
    says = (
        r"got 30 in line 3 and 1 more; they look like percent, divide by 100; occurred: .* got 2 in line 5$"
    )
    with pytest.raises(FlarecastError, match=says):
        read_csv(path)
    path.write_text("\n".join([HEADER, f"{span},0.5,", f"{span},,", f"{span},0.6,"]) + "\n")
    with pytest.raises(FlarecastError, match=r"got 0.5 in line 2 and 0.6 in line 4 for disk from 2012-03-07"):
        read_csv(path)


def test_hundreds_of_classes_are_as_many_events(tmp_path):
    span = "2012-03-06T22:00:00Z,2012-03-07T00:00:00Z,2012-03-08T00:00:00Z,disk"
    classes = [f"{letter}{tenth / 10}" for letter in "CMX" for tenth in range(10, 100)]
    path = tmp_path / "f.csv"
    path.write_text("\n".join([HEADER, *(f"{span},{name},0.5,1" for name in reversed(classes))]) + "\n")
    assert read_csv(path)["event"].values.tolist() == classes


def odd_cell(content: bytes, rng: np.random.Generator) -> bytes:
    """A table with one cell replaced by what may stand in another."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    row = rows[int(rng.integers(1, len(rows)))]
    row[int(rng.integers(len(row)))] = str(rng.choice(CELLS))
    return "\n".join(",".join(cells) for cells in rows).encode()


def mutant(content: bytes, rng: np.random.Generator) -> bytes:
    """A text with a few bytes changed, put in, doubled or cut, as files get damaged."""
    out = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(len(out))) if out else 0
        kind = int(rng.integers(4))
        if kind == 0:
            out[place : place + 1] = bytes([CHARACTERS[int(rng.integers(len(CHARACTERS)))]])
        elif kind == 1:
            del out[place : place + int(rng.integers(1, 40))]
        elif kind == 2:
            out[place:place] = out[max(0, place - int(rng.integers(1, 120))) : place]
        else:
            out[place:place] = bytes([CHARACTERS[int(rng.integers(len(CHARACTERS)))]]) * int(
                rng.integers(1, 50)
            )
    return bytes(out)


@pytest.mark.parametrize("n_mutants", [600, pytest.param(6_000, marks=pytest.mark.slow)])
def test_damaged_files_are_read_or_refused_in_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20120307)
    content = ("\n".join([HEADER, *lines(12)]) + "\n").encode()
    path = tmp_path / "f.csv"
    n_read = 0
    for nth in range(n_mutants):
        path.write_bytes((mutant if nth % 2 else odd_cell)(content, rng))
        try:
            forecasts = read_csv(path)
        except FlarecastError as error:
            sentence = str(error)
            assert "\n" not in sentence
            assert len(sentence) < 1500
            assert "f.csv: " in sentence
            continue
        schema.check(forecasts, schema.FORECASTS)
        assert forecasts.sizes["window"] > 0
        assert (forecasts["valid_to"].values > forecasts["valid_from"].values).all()
        n_read += 1
    assert 0.1 * n_mutants < n_read < 0.9 * n_mutants
