"""Tables of classes, flares and days hold what scores.json holds, and are not there where it has none."""

from dataclasses import replace
from html import unescape

import pytest

from flarecast.files import read_json
from flarecast.report.content import read_content
from flarecast.report.outcome_tables import OF_FLARES, class_tables, flare_tables
from flarecast.report.tables import cell_of
from flarecast.report.words import interval


@pytest.fixture(scope="module")
def content(run):
    return read_content(run)


@pytest.fixture(scope="module")
def records(run):
    """Records of all windows by event, forecast and score; of several the first."""
    found = {}
    for one in read_json(run.scores)["records"]:
        if (one["subset"], one["role"]) == ("all", "test"):
            found.setdefault((one["event"], one["forecast"], one["score"]), one)
    return found


def test_flares_and_days_of_every_event_are_those_of_the_scores(content, records):
    tables = flare_tables(content)
    assert [table.event for table in tables] == ["C1.0", "M1.0", "X1.0"]
    record = records["M1.0", "model", "flare_recall"]
    first = records["M1.0", "model", "first_flare_recall"]["n_occasions"]
    table = tables[1]
    assert table.title == f"Flares and days: {record['n_occasions']} flares, {first} of them first ones"
    model = next(row for row in table.rows if row.main)
    assert model.cells[0].value == f"{record['value']:.3f}"
    days = records["M1.0", "model", "false_alarm_days"]["value"]
    assert model.cells[list(OF_FLARES).index("false_alarm_days")].value == f"{days:.1f}"


def test_all_classes_at_once_and_each_of_the_model(content, records):
    whole, of_classes = class_tables(content)
    rows = {row.name: row for row in whole.rows}
    assert rows["climatology"].cells[0].value == f"{records['classes', 'climatology', 'rpss']['value']:z.3f}"
    assert [row.name.split(" (")[0] for row in of_classes.rows] == [
        "below C1.0",
        "C1.0 to M1.0",
        "M1.0 to X1.0",
        "X1.0 or more",
    ]
    record = records["classes", "model", "class_recall@C1.0"]
    assert of_classes.rows[1].name.endswith(f"({record['n_events']:,} windows)")
    assert of_classes.rows[1].cells[0].value == f"{record['value']:.3f}"


def test_the_tables_stand_on_the_page(run):
    page = unescape(run.report.read_text())
    for title in ("All classes at once", "The model, class by class", "Flares and days"):
        assert title in page


def test_one_event_has_no_table_of_classes(plain_run):
    assert class_tables(read_content(plain_run)) == []
    assert "class by class" not in plain_run.report.read_text()


def test_scores_without_flares_and_classes_have_no_such_tables(content):
    windows = [
        one for one in content.scores["records"] if "n_occasions" not in one and one["event"] != "classes"
    ]
    bare = replace(content, scores=content.scores | {"records": windows, "confusion": []})
    assert flare_tables(bare) == []
    assert class_tables(bare) == []


def test_a_value_that_rounds_to_zero_has_no_sign():
    record = {"value": -1e-5, "low": -0.001, "high": 0.2}
    assert cell_of(record).value == "0.000"
    assert cell_of(record).interval == "[0.00, 0.20]"
    assert cell_of(record, coarse=True).interval == "[0.0, 0.2]"


def test_no_number_of_the_report_is_minus_zero():
    record = {"value": -0.0004, "low": -0.004, "high": 0.2, "reason": None}
    assert interval(record) == "0.000 [0.00, 0.20]"
    assert interval(record | {"low": None}) == "0.000 (no interval)"
