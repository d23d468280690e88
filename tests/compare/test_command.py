"""`flarecast compare` as a user meets it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast import cycles
from flarecast.chain import run_read_forecasts
from flarecast.cli import main

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "operational").is_dir(), reason="../shared/data is not there")

DAY = 86_400
HEADER = "issue_time,valid_from,valid_to,region,event,probability,occurred"


def table(path: Path, seed: int, n: int = 300) -> Path:
    rng, truth = np.random.default_rng(seed), np.random.default_rng(0)
    lines = [HEADER]
    for nth in range(n):
        start = cycles.seconds("2012-01-01") + DAY * nth
        p = truth.random()
        occurred = int(truth.random() < p)
        stated = np.clip(p + rng.normal(0, 0.1 + 0.2 * seed), 0, 1)
        times = ",".join(cycles.iso(one) for one in (start, start, start + DAY))
        lines.append(f"{times},disk,M1.0,{stated:.4f},{occurred}")
    path.write_text("\n".join(lines) + "\n")
    return path


def call(*arguments: object):
    return CliRunner().invoke(main, ["compare", *map(str, arguments), "--set", "evaluate.resamples=200"])


def test_the_table_fits_80_columns_and_the_files_hold_all(tmp_path):
    paths = [table(tmp_path / f"{name}.csv", nth) for nth, name in enumerate(("a", "long" * 12, "c"))]
    out, numbers = tmp_path / "compare.json", tmp_path / "out.csv"
    done = call(*paths, "-o", out, "--csv", numbers)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "M1.0 or more: 300 windows" in done.stdout
    assert sum("Who is better at what" in line for line in lines) == 1
    content = json.loads(out.read_text())
    assert [one["name"] for one in content["forecasts"]] == ["a", "long" * 12, "c"]
    with numbers.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(content["records"])
    told = {(row["forecast"], row["score"]): row["better"] for row in rows if row["better"]}
    card = {
        (row["first"], f"{row['score']}_minus_{row['second']}"): row["better"] for row in content["scorecard"]
    }
    assert told == {key: name for key, name in card.items() if name}
    assert told
    differences = [row for row in rows if "_minus_" in row["score"]]
    assert all(bool(row["p_holm"]) == bool(row["p_value"]) for row in differences)


def test_many_forecasts_are_printed_against_the_first_and_written_whole(tmp_path):
    paths = [table(tmp_path / f"{name}.csv", nth, 150) for nth, name in enumerate("abcde")]
    done = call(*paths, "-o", tmp_path / "c.json")
    assert done.exit_code == 0, done.output
    assert "a - e" in done.stdout
    assert "b - c" not in done.stdout
    card = json.loads((tmp_path / "c.json").read_text())["scorecard"]
    assert ("b", "c") in {(row["first"], row["second"]) for row in card}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "Missing argument"),
        (("a.csv",), 1, "expected two or more forecasts, got 1"),
        (("a.csv", "--baseline", "climatology"), 1, "got only files without any"),
        (("a.csv", "absent.csv"), 1, "expected a CSV of forecasts, found no file"),
        (("a.csv", "b.csv", "--truth", "absent.csv"), 1, "cannot be read"),
        (("a.csv", "b.csv", "--baseline", "climatology"), 1, "got only files without any"),
        (("a.csv", "b.csv", "--day-ahead", "0"), 2, "x>=1"),
        (("a.csv", "b.csv", "--day-ahead", "2"), 1, "expected forecasts 2 days ahead"),
        (("a.csv", "b.csv", "-o", "no/such/folder/c.json"), 0, "records"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "a.csv", 1)
    table(tmp_path / "b.csv", 2)
    done = call(*arguments)
    assert done.exit_code == code, done.output
    assert says in done.output
    assert "Traceback" not in done.output


@needs_data
def test_the_met_offices_copy_of_swpcs_forecasts_is_as_good_as_swpcs_own(tmp_path):
    run_read_forecasts("moswoc", DATA / "operational/moswoc", tmp_path / "copy.nc")
    run_read_forecasts("swpc-rsga", DATA / "noaa_daily/RSGA/2014_RSGA.tar.gz", tmp_path / "own.nc")
    done = call(tmp_path / "copy.nc", tmp_path / "own.nc", "--day-ahead", "1", "-o", tmp_path / "c.json")
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "c.json").read_text())
    assert content["pairing"]["forecasts"]["own"]["issue_offset_hours"] == -2
    assert content["pairing"]["events"]["M1.0"]["scored"] == 362
    assert {row["better"] for row in content["scorecard"] if row["event"] == "M1.0"} == {None}
