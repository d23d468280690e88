"""A report shows a run as it is, whatever the run is."""

import csv
import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.errors import FlarecastError
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json, write_json
from flarecast.report import write_report
from flarecast.run_folder import RunFolder
from flarecast.schema import FORECASTS, ROLES, save

ROOT = Path(__file__).parents[2]
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Tags with their attributes; says whether they nest."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.nested = [], [], True

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.nested &= bool(self.open) and self.open.pop() == tag


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def copy(plain_run, tmp_path):
    """A run that a test may spoil."""
    shutil.copytree(
        plain_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("figures", "*.html", "*.md")
    )
    return RunFolder(tmp_path / "run")


@pytest.fixture
def spoil(copy):
    """Change the forecasts of a run and write its report."""

    def changed(change):
        forecasts = open_netcdf(copy.calibrated).load()
        save(change(forecasts), copy.calibrated, FORECASTS)
        return {panel.name: panel for panel in write_report(copy)}

    return changed


def test_the_page_is_one_file_that_asks_for_nothing_else(run):
    reader = read(run.report)
    assert reader.nested
    assert not reader.open
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in reader.tags} - {"image"}
    for _, attrs in reader.tags:
        for name in ("src", "href", "xlink:href"):
            assert attrs.get(name, "#").startswith(("#", "data:image/png")), attrs
    assert "@import" not in run.report.read_text()
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", run.report.read_text())


def test_identifiers_are_unique_and_every_reference_has_its_target(run):
    reader = read(run.report)
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    text = run.report.read_text()
    wanted = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    assert wanted <= set(ids)


@pytest.fixture(scope="module")
def again(run):
    """The report written a second time: bytes before, bytes after, and its figures."""

    def contents():
        return {path.name: path.read_bytes() for path in (run.report, run.card, *run.figures.iterdir())}

    before = contents()
    panels = write_report(run)
    return before, contents(), panels


def test_every_figure_is_drawn_or_says_why_not_and_lies_beside_the_page(run, again):
    page = unescape(run.report.read_text())
    *_, panels = again
    assert sum(panel.figure is not None for panel in panels) > 20
    for panel in panels:
        if panel.figure is None:
            assert panel.missing
            assert f"Not shown: {panel.missing}" in page
            continue
        assert {f"{panel.name}.svg", f"{panel.name}.pdf"} <= {path.name for path in run.figures.iterdir()}
        assert f"{panel.name}.csv" in {path.name for path in run.figures.iterdir()}
        assert len({len(column) for column in panel.table.values()}) == 1
    assert page.count("<svg ") == sum(panel.figure is not None for panel in panels)


def test_the_same_run_gives_the_same_bytes(again):
    before, after, _ = again
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []


def test_names_of_the_run_are_text_not_markup(run):
    page = run.report.read_text()
    assert "<b>sun" not in page
    assert "small &lt;b&gt;sun" in page
    assert "<b>sun" not in run.card.read_text().split("---", 2)[2]


def test_names_of_regions_are_text_not_markup(spoil, copy):
    def change(forecasts):
        named = np.array(["<script>alert(1)</script>"] * forecasts.sizes["window"], dtype=object)
        return forecasts.assign(region=("window", named), cluster=("window", forecasts["cluster"].values))

    spoil(change)
    text = copy.report.read_text()
    assert "<script" not in text
    assert "&lt;script" in text


def test_the_numbers_of_the_comparison_are_those_of_the_scores(run):
    records = read_json(run.scores)["records"]
    wanted = {
        record["forecast"]: record["value"]
        for record in records
        if (record["role"], record["subset"], record["event"], record["score"])
        == ("test", "all", "M1.0", "bss")
    }
    rows = [row for row in rows_of(run.figures / "comparison_M1.0.csv") if row["score"] == "bss"]
    assert {row["forecast"] for row in rows} >= {"model", "climatology", "truth_observed"}
    for row in rows:
        assert float(row["value"]) == pytest.approx(wanted[row["forecast"]], rel=1e-12)


def test_the_decision_curve_agrees_with_the_score_at_the_chosen_threshold(run):
    record = next(
        record
        for record in read_json(run.scores)["records"]
        if (record["event"], record["forecast"], record["score"], record["subset"])
        == ("C1.0", "model", "tss", "all")
    )
    rows = rows_of(run.figures / "decision_C1.0.csv")
    threshold, tss = (np.array([float(row[name]) for row in rows]) for name in ("decision_threshold", "tss"))
    at = np.argmin(np.abs(threshold - record["decision_threshold"]))
    assert tss[at] == pytest.approx(record["value"], abs=0.02)
    assert float(rows[at]["tss_low"]) <= tss[at] <= float(rows[at]["tss_high"])


def test_reliability_counts_every_window_once_and_bands_hold_the_diagonal(run):
    rows = rows_of(run.figures / "reliability_C1.0.csv")
    record = next(
        record
        for record in read_json(run.scores)["records"]
        if (record["event"], record["forecast"], record["score"], record["subset"])
        == ("C1.0", "model", "brier", "all")
    )
    assert sum(float(row["windows"]) for row in rows) == record["n"]
    assert sum(float(row["events"]) for row in rows) == record["n_events"]
    for row in rows:
        assert (
            float(row["consistency_low"]) <= float(row["mean_probability"]) <= float(row["consistency_high"])
        )


def test_the_split_in_numbers_counts_every_window_once(run):
    rows = rows_of(run.figures / "split.csv")
    roles = open_netcdf(run.calibrated)["role"].values
    for number, name in enumerate(ROLES):
        counted = sum(int(row["windows"]) for row in rows if (row["role"], row["fold"]) == (name, "0"))
        assert counted == (roles == number).sum()


def test_the_roc_curve_of_the_csv_has_the_area_of_the_score(run):
    rows = rows_of(run.figures / "roc_C1.0.csv")
    area = np.trapezoid([float(row["model"]) for row in rows], [float(row["x"]) for row in rows])
    record = next(
        record
        for record in read_json(run.scores)["records"]
        if (record["event"], record["forecast"], record["score"], record["subset"])
        == ("C1.0", "model", "roc_auc", "all")
    )
    assert area == pytest.approx(record["value"], abs=0.01)


def test_missing_parts_are_said_in_their_places(copy):
    for name in ("audit.json", "split.nc", "config.toml", "model/model.json", "model/history.jsonl"):
        (copy.folder / name).unlink()
    environment = read_json(copy.environment)
    environment["inputs"]["windows"]["path"] = "gone.nc"
    write_json(copy.environment, environment)
    panels = {panel.name: panel for panel in write_report(copy)}
    text = unescape(copy.report.read_text())
    for reason in ("not audited", "split.nc is not in the run", "The configuration is not in the run"):
        assert reason in text
    assert "history.jsonl is not in the run" in panels["training"].missing
    assert "gone.nc" in panels["misses_C1.0"].missing


def test_a_run_without_its_environment_says_which_windows_are_unknown(copy):
    copy.environment.unlink()
    panels = {panel.name: panel for panel in write_report(copy)}
    assert "does not say which windows" in panels["misses_C1.0"].missing


def test_a_test_role_without_events_says_so(spoil):
    def quiet(forecasts):
        test = forecasts["role"].values == ROLES.index("test")
        occurred = forecasts["occurred"].values.copy()
        occurred[test] = 0
        return forecasts.assign(occurred=forecasts["occurred"].copy(data=occurred))

    panels = spoil(quiet)
    assert "no event of C1.0 or more" in panels["reliability_C1.0"].missing
    assert "no event of C1.0 or more" in panels["calendar_C1.0"].missing


def test_a_test_role_of_events_alone_says_so(spoil):
    def stormy(forecasts):
        return forecasts.assign(
            occurred=forecasts["occurred"].copy(data=np.ones_like(forecasts["occurred"].values))
        )

    assert "every one of the" in spoil(stormy)["roc_C1.0"].missing


@pytest.mark.slow
def test_outcomes_that_nobody_knows_are_said(spoil):
    def unknown(forecasts):
        nothing = np.full_like(forecasts["occurred"].values, -1)
        return forecasts.assign(occurred=forecasts["occurred"].copy(data=nothing))

    assert "no window with a known outcome" in spoil(unknown)["value_C1.0"].missing


def test_probabilities_that_are_all_equal_are_drawn(spoil):
    def constant(forecasts):
        same = np.full_like(forecasts["probability"].values, 0.1)
        return forecasts.assign(probability=forecasts["probability"].copy(data=same))

    panels = spoil(constant)
    assert panels["reliability_C1.0"].figure is not None
    assert panels["roc_C1.0"].figure is not None


@pytest.mark.parametrize("said", ["nothing", pytest.param("of no event", marks=pytest.mark.slow)])
def test_who_said_nothing_of_any_event_is_not_drawn_beside_the_model(said, spoil):
    def silent(forecasts):  # as the truth of the simulated Sun is of C5.0
        spoken = (said != "nothing") & (forecasts["occurred"] != 1)
        truth = forecasts["truth"].where(spoken).astype(forecasts["truth"].dtype)
        return forecasts.assign(truth=truth, truth_observed=truth)

    panel = spoil(silent)["roc_C1.0"]
    assert panel.figure is not None
    assert "truth_observed" not in panel.table


def test_one_event_alone_makes_a_report(copy):
    write_report(copy)
    assert "C1.0 or more</h2>" in copy.report.read_text()
    assert "M1.0" not in copy.report.read_text()


@pytest.mark.slow
def test_a_million_windows_make_a_small_page(tmp_path):
    made = run_path(str(ROOT / "scripts/bench_report.py"))["make_run"](tmp_path, 1_000_000)
    write_report(made)
    assert made.report.stat().st_size < 3e6


@pytest.mark.parametrize("name", ["scores.json", "calibrated.nc"])
def test_a_run_that_was_not_evaluated_is_refused_in_one_sentence(copy, name):
    (copy.folder / name).unlink()
    (copy.forecasts).unlink()
    with pytest.raises(FlarecastError, match="first"):
        write_report(copy)
    result = CliRunner().invoke(main, ["report", str(copy.folder)])
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert not copy.report.exists()


def test_scores_of_another_kind_are_refused(copy):
    write_json(copy.scores, {"records": []})
    with pytest.raises(FlarecastError, match="evaluate anew"):
        write_report(copy)


@pytest.mark.slow
def test_uncalibrated_forecasts_make_a_report(copy):
    copy.calibrated.unlink()
    write_report(copy)
    assert copy.report.is_file()


def test_the_model_card_has_readable_metadata(run):
    _, head, body = run.card.read_text().split("---\n", 2)
    values = {json.loads(line.split("type: ")[1]) for line in head.splitlines() if '- type: "' in line}
    assert {"bss", "average_precision", "tss", "brier", "ece"} <= values
    assert all(re.fullmatch(r"      value: -?\d.*", line) for line in head.splitlines() if "value:" in line)
    for heading in (
        "Intended use",
        "Training data and split",
        "Evaluation",
        "Limits",
        "Ethical",
        "reproduce",
    ):
        assert heading in body


@pytest.mark.slow
def test_sunspots_are_drawn_where_a_file_is_named(copy, tmp_path):
    lines = [
        f"{year};{month:02};{year + month / 12:.3f};  96.7;  9.0;  900;1"
        for year in range(2008, 2026)
        for month in range(1, 13)
    ]
    (tmp_path / "SN_m_tot_V2.0.csv").write_text("\n".join(lines))
    result = CliRunner().invoke(
        main, ["report", str(copy.folder), "--sunspots", str(tmp_path / "SN_m_tot_V2.0.csv")]
    )
    assert result.exit_code == 0, result.output
    assert "WDC-SILSO" in copy.report.read_text()


def luminance(colour):
    channel = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(channel <= 0.03928, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_light_and_dark(run, dark):
    style = run.report.read_text().split("<style>")[1].split("</style>")[0]
    parts = style.split("@media (prefers-color-scheme: dark)")
    known = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", parts[0]))
    if dark:
        known |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", parts[1].split("* {")[0]))
    for text in ("ink", "faint", "accent", "good", "warn", "bad"):
        for ground in ("paper", "card"):
            pair = sorted((luminance(known[text]), luminance(known[ground])))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (text, ground)


def test_the_folder_of_figures_holds_no_half_files(run):
    assert {path.suffix for path in Path(run.figures).iterdir()} == {".svg", ".pdf", ".csv"}


def test_a_comparison_is_a_page_of_the_same_look(copy, tmp_path):
    shutil.copy(copy.forecasts, tmp_path / "raw.nc")
    words = ("compare", copy.folder, tmp_path / "raw.nc", "--html", tmp_path / "c.html")
    result = CliRunner().invoke(main, [*map(str, words), "--set", "evaluate.resamples=100"])
    assert result.exit_code == 0, result.output
    reader = read(tmp_path / "c.html")
    assert reader.nested
    assert not reader.open
    text = (tmp_path / "c.html").read_text()
    assert text.count("<svg ") == 1
    assert "Who is better at what" in text
    assert "<b>sun" not in text


def lost(kind, unit, drop, **more):
    record = {"event": "C1.0", "score": "bss", "kind": kind, "unit": unit, "drop": drop}
    return record | {"low": 0.01, "high": 0.03, "spread": 0.001} | more


def test_importance_of_features_groups_and_steps_is_shown_where_it_was_computed(copy):
    records = [
        lost("feature", "TOTPOT", 0.01, low=None, high=None),
        lost("feature", "TOTUSJH <b>", 0.02),
        lost("feature", "of another score", 0.5, score="roc_auc"),
        lost("group", "helicity", 0.03),
        lost("span", "2 to 1 h before", 0.001),
        lost("span", "1 to 0 h before", 0.04),
        lost("outcome", "latest known outcome", 0.05),
    ]
    copy.importance.parent.mkdir()
    write_json(copy.importance, {"role": "calibration", "records": records})
    panels = {panel.name: panel for panel in write_report(copy)}
    table = panels["importance"].table
    assert table["drop"] == [0.02, 0.01, 0.03, 0.001, 0.04]
    assert table["kind"] == ["feature", "feature", "group", "span", "span"]
    assert "TOTUSJH &lt;b&gt;" in copy.report.read_text()
    assert "explain RUN_DIR --top 4 -o RUN_DIR/explain" in panels["attributions"].missing


def test_importance_is_that_of_ranking_where_brier_skill_is_undefined(copy):
    records = [lost("feature", "TOTPOT", None), lost("feature", "TOTPOT", 0.2, score="roc_auc")]
    copy.importance.parent.mkdir()
    write_json(copy.importance, {"role": "calibration", "records": records})
    panels = {panel.name: panel for panel in write_report(copy)}
    assert panels["importance"].table["score"] == ["roc_auc"]


def test_shares_of_single_forecasts_are_shown_where_they_were_computed(copy):
    one = {"region": "SIM <b>", "issue_time": "2011-02-13T00:00Z", "event": "C1.0", "probability": 0.4}
    shares = {f"F{number}": number * (-1.0) ** number for number in range(20)}
    records = [one | {"by_feature": shares, "by_step": [0.1, 0.2, 9.7]}] * 6
    copy.attributions.parent.mkdir()
    write_json(copy.attributions, {"role": "calibration", "records": records})
    panels = {panel.name: panel for panel in write_report(copy)}
    table = panels["attributions"].table
    assert table["unit"][:2] == ("F19", "F18")
    assert table["log_odds"][:2] == (-19.0, 18.0)
    assert table["unit"][8:11] == (-2, -1, 0)
    assert len(table["unit"]) == 4 * (8 + 3)
    assert "SIM &lt;b&gt;" in copy.report.read_text()


@pytest.mark.parametrize("content", ['{"records": [{"event": "C1.0"}]}', '{"records": 1}', "[1]"])
def test_a_damaged_explanation_is_one_sentence(copy, content):
    for path in (copy.importance, copy.attributions):
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        with pytest.raises(FlarecastError, match=f"{path.name}: expected .*, got"):
            write_report(copy)
        path.unlink()
