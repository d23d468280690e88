"""Forecasts as netCDF that obey the schema and still contradict themselves are refused in one sentence."""

import numpy as np
import pytest

from flarecast import cycles, schema
from flarecast.errors import FlarecastError
from flarecast.exchange import open_forecasts

DAY = 86_400
START = cycles.seconds("2012-03-07")


def saved(folder, attributes=None, **changes):
    """A file of two windows and two events, changed."""
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": [[0.4, 0.1], [0.3, 0.2]],
        "occurred": [[1, 0], [0, -1]],
        "issue_time": [START, START + DAY],
        "valid_from": [START, START + DAY],
        "valid_to": [START + DAY, START + 2 * DAY],
        "region": ["disk", "disk"],
        "cluster": ["rotation 1", "rotation 1"],
        "role": [3, 4],
        "fold": [0, 0],
    } | changes
    given = {"forecast_name": "model", "history": "test", "training_base_rate": np.array([0.1, 0.01])}
    path = folder / "forecasts.nc"
    schema.save(schema.build(schema.FORECASTS, arrays, given | (attributes or {})), path, schema.FORECASTS)
    return path


def test_forecasts_that_fit_themselves_are_read(tmp_path):
    assert open_forecasts(saved(tmp_path)).sizes["window"] == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"event": ["M1.0", "Z9"]}, "'Z9'"),
        ({"event": ["X1.0", "M1.0"]}, "events are X1.0, M1.0, not GOES classes that rise"),
        ({"event": ["M1.0", "M1.0"]}, "not GOES classes that rise"),
        ({"valid_to": [START - DAY, START + 2 * DAY]}, "valid_to is not after valid_from in 1 windows"),
        ({"attributes": {"training_base_rate": "high"}}, "training_base_rate is 'high', not 2 numbers"),
        ({"attributes": {"prior_natural": np.ones(2)}}, "prior_natural is array"),
        ({"attributes": {"sampling": "some"}}, "sampling is 'some', none of natural"),
    ],
)
def test_what_contradicts_itself_is_named(changes, says, tmp_path):
    path = saved(tmp_path, **changes)
    with pytest.raises(FlarecastError) as told:
        open_forecasts(path)
    assert says in str(told.value)
    assert str(path) in str(told.value)


def test_a_time_without_a_date_breaks_the_schema(tmp_path):
    with pytest.raises(FlarecastError, match="issue_time holds"):
        saved(tmp_path, issue_time=[2**62, START])
