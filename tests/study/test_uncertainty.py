"""The study of uncertainty: what it says of doubt that means something, and that it can be rerun."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.skill import RETAINED, draw_counts
from flarecast.study import uncertainty as study_of
from flarecast.study.doubt import Doubted, excess_of_doubted, retention

ARMS = {
    "deep": {"ensemble": {"name": "deep", "options": {"members": 3}}},
    "mc_dropout": {"ensemble": {"name": "mc_dropout", "options": {"members": 5}}},
}
SMALL = (
    'events=["C1.0", "M1.0"]',
    "split.strategy=by_region",
    "split.options={train=0.4, validation=0.1, calibration=0.25, test=0.25}",
    "evaluate.resamples=100",
    "model.options={hidden=4, layers=1, dropout=0.3}",
    "train.epochs=2",
)


def made(doubt_means_error, n=4000):
    """Forecasts of which the doubted half says too little, or not."""
    rng = np.random.default_rng(5)
    truth, doubt = rng.beta(1, 5, size=n), rng.random(n)
    probability = np.where(doubt_means_error & (doubt > 0.5), 0.5 * truth, truth)
    error = (probability - (rng.random(n) < truth)) ** 2
    block = np.arange(n) // 20
    counts = draw_counts(block.max() + 1, 300, rng)
    return Doubted(error, probability, doubt, (block,), (counts,))


def test_resamples_without_a_doubted_window_are_left_out():
    doubt = np.arange(80) % 2 * 0.5 + 0.1
    probability = np.repeat(np.linspace(0.1, 0.9, 40), 2)
    block = (doubt > 0.5).astype(np.int64)
    counts = np.array([[2, 0], [1, 1], [0, 2]], dtype=np.uint8)
    windows = Doubted(np.where(doubt > 0.5, 0.5, 0.2), probability, doubt, (block,), (counts,))
    value, low, high = excess_of_doubted(windows, 0.95)
    assert low == value == high


def test_doubt_that_means_error_is_found_and_doubt_at_random_is_not():
    value, low, high = excess_of_doubted(made(True), 0.95)
    assert 0.005 < low < value < high
    value, low, high = excess_of_doubted(made(False), 0.95)
    assert low < 0 < high
    assert abs(value) < 0.01


def test_doubt_that_only_repeats_the_probability_says_nothing_at_equal_probability():
    windows = made(False)
    repeated = Doubted(
        windows.error, windows.probability, windows.probability, windows.blocks, windows.counts
    )
    curve = retention(repeated, repeated.epistemic)
    assert curve[0] < 0.3 * curve[-1], "the curve falls all the same"
    value, _, _ = excess_of_doubted(repeated, 0.95)
    assert abs(value) < 0.01


def test_a_retention_curve_ends_at_the_error_of_all_and_falls_where_doubt_is_right():
    windows = made(True)
    curve = retention(windows, windows.error)
    assert curve.shape == RETAINED.shape
    assert curve[-1] == pytest.approx(windows.error.mean())
    assert (np.diff(curve) >= 0).all()


def test_few_windows_have_no_interval():
    few = made(True, 30)
    assert np.isnan(excess_of_doubted(few, 0.95)).all()


def test_the_study_writes_table_picture_and_page_and_does_nothing_twice(windows_path, tmp_path, monkeypatch):
    import importlib

    module = importlib.import_module("flarecast.study.uncertainty")
    monkeypatch.setattr(module, "ARMS", ARMS)
    sets = [word for change in SMALL for word in ("--set", change)]
    words = [
        "study",
        "uncertainty",
        "--windows",
        str(windows_path),
        "-o",
        str(tmp_path),
        *sets,
        "--device",
        "cpu",
    ]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    content = json.loads((tmp_path / "study.json").read_text())
    assert [(row["role"], row["arm"]) for row in content["rows"]] == [
        ("calibration", "deep"), ("calibration", "mc_dropout"), ("test", "deep"), ("test", "mc_dropout"),
    ]  # fmt: skip
    assert all(row["brier"] > 0 for row in content["rows"])
    assert (tmp_path / "retention.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg " in (tmp_path / "study.html").read_text()
    assert "| test | deep |" in first.output
    before = (tmp_path / "study.json").read_bytes()
    again = CliRunner().invoke(main, words)
    assert "2 arms, 2 of them done before" in again.output
    assert (tmp_path / "study.json").read_bytes() == before
    assert study_of.__name__ == "uncertainty"
