"""What a report says of the members of an ensemble, and that it says nothing where there are none."""

import shutil
from html import unescape

import numpy as np
import pytest

from flarecast import skill
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json
from flarecast.report import write_report
from flarecast.run_folder import RunFolder
from flarecast.schema import FORECASTS, ROLES, save


def columns_of(path):
    """Columns of a table of numbers, by name."""
    return np.genfromtxt(path, delimiter=",", names=True)


@pytest.fixture(scope="module")
def scored(members_run):
    """Forecasts of the test role."""
    forecasts = open_netcdf(members_run.calibrated)
    return forecasts.isel(window=np.flatnonzero(forecasts["role"].values == ROLES.index("test")))


def test_the_page_and_the_card_say_that_forecasts_are_the_mean_of_members(members_run):
    for path in (members_run.report, members_run.card):
        text = unescape(path.read_text())
        assert "logistic (mean of 3 members)" in text
        assert "bagging (members 3), 3 members" in text


def test_a_model_without_members_has_no_word_of_them(plain_run):
    page = plain_run.report.read_text()
    assert "mean of" not in page.split("</header>")[0]
    assert "one by one" not in page
    assert "figure-ranges" not in page
    assert "figure-doubt" not in page
    assert not list(plain_run.figures.glob("doubt*"))


def test_ranges_of_the_picture_are_medians_that_hold_the_forecast(members_run, scored):
    drawn = columns_of(members_run.figures / "ranges_C1.0.csv")
    assert drawn["windows"].sum() == scored.sizes["window"]
    assert "ensembles are too sure" in members_run.report.read_text()
    assert (drawn["low"] <= drawn["probability"]).all()
    assert (drawn["probability"] <= drawn["high"]).all()
    likeliest = np.argsort(scored["probability"].values[:, 0], kind="stable")[-int(drawn["windows"][-1]) :]
    upper = np.median(scored["probability_upper"].values[likeliest, 0])
    assert drawn["high"][-1] == pytest.approx(upper, rel=1e-9)


def test_the_retention_curve_ends_at_the_brier_score_and_starts_with_the_windows_trusted_most(
    members_run, scored
):
    drawn = columns_of(members_run.figures / "doubt_C1.0.csv")
    error = (scored["probability"].values[:, 0] - scored["occurred"].values[:, 0]) ** 2
    least = np.argsort(scored["epistemic"].values[:, 0], kind="stable")[: round(error.size / 2)]
    half = np.argmin(np.abs(drawn["kept"] - 0.5))
    assert drawn["by_doubt"][half] == pytest.approx(error[least].mean())
    assert drawn["by_doubt"][-1] == pytest.approx(error.mean())
    assert drawn["difference"][-1] == pytest.approx(0, abs=1e-12)
    assert (drawn["low"] < drawn["high"]).any()


def test_the_spread_of_members_is_that_of_the_scores(members_run):
    page = unescape(members_run.report.read_text())
    found = [one for one in read_json(members_run.scores)["seed_spread"] if one["score"] == "bss"]
    assert "The 3 members one by one, uncalibrated" in page
    for key in ("mean", "deviation", "lowest", "highest"):
        assert f"<span>{found[0][key]:.3f}</span>" in page


def test_members_of_whose_event_nothing_came_say_so(members_run, tmp_path):
    shutil.copytree(members_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("figures", "*.html"))
    copy = RunFolder(tmp_path / "run")
    forecasts = open_netcdf(copy.calibrated).load()
    forecasts["occurred"][:] = 0
    save(forecasts, copy.calibrated, FORECASTS)
    panels = {panel.name: panel for panel in write_report(copy)}
    assert "no event of C1.0 or more" in panels["doubt_C1.0"].missing
    assert panels["ranges_C1.0"].figure is not None


def test_doubt_that_knows_the_errors_keeps_the_smaller_ones():
    error = np.random.default_rng(0).random(200)
    sums = skill.sum_retained(error, error, share=np.array([0.001, 0.25, 1.0]))
    kept = np.sort(error)
    assert skill.retained_error(sums) == pytest.approx([kept[0], kept[:50].mean(), kept.mean()])


def test_errors_retained_are_the_same_block_by_block():
    rng = np.random.default_rng(1)
    error, doubt = rng.random((2, 300))
    blocks = skill.blocks_of(rng.integers(20, size=300))
    of_blocks = skill.sum_retained(error, doubt, blocks)
    whole = skill.retained_error(skill.sum_retained(error, doubt))
    assert skill.retained_error(skill.total(of_blocks)) == pytest.approx(whole)
    once = skill.combined(of_blocks, np.ones((1, blocks.n)))
    assert skill.retained_error(once)[0] == pytest.approx(whole)
