"""What explain found is shown in the report, or why it is not."""

import pytest

from flarecast.errors import FlarecastError
from flarecast.files import write_json
from flarecast.report import write_report


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
