"""Lines of a figure differ in more than colour, and its numbers can be read."""

import re
from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

from flarecast.describe.colours import FORECAST_COLOURS, FORECAST_LINES
from flarecast.describe.picture import settle
from flarecast.report.canvas import SETTINGS, style_of
from flarecast.report.content import Content, read_content
from flarecast.report.figures import comparison, members
from flarecast.report.figures.decision import draw_decision
from flarecast.report.figures.training import draw_training


def test_forecasts_that_are_drawn_together_differ_in_their_lines():
    assert FORECAST_LINES.keys() == FORECAST_COLOURS.keys()
    together = ("model", "swpc", "truth_observed", "history_decay", "recent_27")
    others = [f"other_{number}" for number in range(1, 5)]
    for names in (together, ("model", *others)):
        assert len({str(style_of(name)["linestyle"]) for name in names}) == len(names)


def test_sixteen_rivals_differ_and_the_first_four_in_their_lines_alone():
    names = [f"rival {number}" for number in range(16)]
    styles = [style_of(name, ["model", *names]) for name in names]
    assert len({str(style) for style in styles}) == 16
    assert len({str(style["linestyle"]) for style in styles[:4]}) == 4
    assert "-" not in {style["linestyle"] for style in styles}, "the model alone is drawn without a break"


@pytest.mark.parametrize("name", ["roc_M1.0", "precision_recall_M1.0", "misses_M1.0"])
def test_dashes_tell_the_lines_of_a_picture_apart(run, name):
    drawn = (run.figures / f"{name}.svg").read_text(encoding="utf-8")
    assert len(set(re.findall(r"stroke-dasharray: ([\d., ]+)", drawn))) >= 2


def test_inputs_are_named_scaled_values_where_the_model_scales_them(run):
    assert "scaled value" in (run.figures / "misses_M1.0.svg").read_text(encoding="utf-8")


def test_numbers_below_the_panels_of_a_comparison_do_not_touch(run, monkeypatch):
    monkeypatch.setattr(comparison, "_limits", lambda *_: (-0.43, 0.32))  # ticks at -0.25, 0 and 0.25
    with mpl.rc_context(SETTINGS):
        figure = comparison.draw_comparison(read_content(run), "C1.0").figure
        figure.canvas.draw()
    for axes in figure.axes:
        inside = [one for one in axes.get_xticklabels() if -0.43 < one.get_position()[0] < 0.32]
        ends = [one.get_window_extent() for one in inside]
        assert len(ends) == 3
        assert all(left.x1 + 2 < right.x0 for left, right in pairwise(ends))


@pytest.mark.parametrize(
    ("phase", "kept", "said"),
    [
        ("descent", "best", "the epoch whose weights were kept"),
        ("descent", "averaged", "the epoch whose average was kept"),
        ("averaging", "best", "the epoch whose weights were kept"),
        ("averaging", "averaged", "best in the descent; training went on from them"),
    ],
)
def test_the_picture_of_a_training_says_what_was_kept(phase, kept, said):
    epochs = [
        {"epoch": number, "phase": one, "train_loss": 1.0, "validation_loss": 2 - number / 4}
        for number, one in enumerate(["descent", phase], start=1)
    ]
    history = [*epochs, {"kept": kept, "best_epoch": 1}]
    assert said in draw_training(SimpleNamespace(history=history, missing={})).caption


@pytest.mark.parametrize("first", [0.0, 0.2])
def test_the_names_of_the_curves_of_doubt_do_not_lie_on_them(first, members_run, monkeypatch):
    kept = np.linspace(0.05, 1, 50)
    curve = first + (0.1 - first) * kept
    names = ("by_doubt", "by_probability", "difference", "low", "high")
    monkeypatch.setattr(members, "_retained", lambda *_: {"kept": kept, **dict.fromkeys(names, curve)})
    with mpl.rc_context(SETTINGS):
        figure = members.draw_doubt(read_content(members_run), "C1.0").figure
        figure.canvas.draw()
    above = figure.axes[0]
    box = above.get_legend().get_window_extent()
    assert not any(box.contains(*point) for point in above.transData.transform(np.c_[kept, curve]))


def test_the_axis_of_a_probability_that_is_always_the_same_has_some_width(run, monkeypatch):
    one = 0.1752395318946809  # rounded anew on its way through the logarithm
    monkeypatch.setattr(Content, "probability", lambda self, *_: np.full(self.scored.size, one))
    monkeypatch.setattr(Content, "record", lambda *_, **__: {"decision_threshold": one})
    with mpl.rc_context(SETTINGS):
        figure = draw_decision(read_content(run), "C1.0").figure
        settle(figure)
    low, high = figure.axes[0].get_xlim()
    assert low < 0.9 * one
    assert high > 1.1 * one
