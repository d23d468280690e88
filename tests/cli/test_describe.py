"""`flarecast describe` prints tables, JSON and pictures; talk goes to stderr."""

import json

import pytest
from click.testing import CliRunner

from flarecast.cli import main

FLARES = """start,peak,end,flux,region,source,flux_scale
2012-03-07T00:02:00Z,2012-03-07T00:24:00Z,2012-03-07T00:40:00Z,5.4e-4,NOAA 11429,noaa,operational
2014-10-24T21:07:00Z,2014-10-24T21:41:00Z,2014-10-24T22:13:00Z,3.1e-4,NOAA 12192,noaa,operational
"""


@pytest.fixture
def flares(tmp_path):
    path = tmp_path / "flares.csv"
    path.write_text(FLARES, encoding="utf-8")
    return path


def call(*words):
    return CliRunner().invoke(main, ["describe", *map(str, words)])


def test_a_table_is_printed(flares):
    result = call(flares)
    assert result.exit_code == 0, result.output
    assert "classes by year" in result.stdout
    assert "X5.4" in result.stdout


def test_json_is_printed_or_written(flares, tmp_path):
    printed = call(flares, "--json")
    written = call(flares, "-o", tmp_path / "d.json")
    assert json.loads(printed.stdout) == json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert written.stdout == ""


def test_a_picture_is_written_and_named_on_stderr(flares, tmp_path):
    result = call(flares, "--json", "--plot", tmp_path / "p.svg")
    assert (tmp_path / "p.svg").is_file()
    assert "p.svg" in result.stderr
    assert json.loads(result.stdout)["kind"] == "flares"


def test_sunspots_without_a_picture_are_a_usage_error(flares, tmp_path):
    assert call(flares, "--sunspots", flares).exit_code == 2


def test_a_missing_file_is_one_sentence(tmp_path):
    result = call(tmp_path / "nothing.nc")
    assert result.exit_code == 1
    assert "nothing.nc" in result.output
