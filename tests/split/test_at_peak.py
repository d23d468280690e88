"""Windows that hold the peak of their own flare are used by no strategy, and counted."""

import numpy as np
import pytest

from flarecast import schema
from flarecast.split import holds_peak, make_split

DAY = 86_400


@pytest.mark.parametrize("strategy", ["by_region", "by_time", "random_windows"])
def test_a_window_whose_last_row_is_at_the_peak_is_left_unused(make_windows, strategy):
    tracks = [(f"HARP {i}", "", np.arange(i * 40, i * 40 + 9) * DAY, [(i * 40 + 8) * DAY]) for i in range(20)]
    windows = make_windows(tracks)
    peak = np.full(20, schema.NO_TIME)
    issue = windows["issue_time"].values
    peak[[3, 4]] = issue[3], issue[4] + 60  # in the second of the issue, and a minute later
    windows["flare_peak"] = ("window", peak, windows["flare_peak"].attrs)
    assert np.flatnonzero(holds_peak(windows)).tolist() == [3]
    split = make_split(
        windows, strategy, np.random.default_rng(0), embargo_hours=0 if strategy == "by_time" else None
    )
    assert split["role"].values[0, 3] == 0
    assert split["role"].values[0, 4] > 0
    assert split.attrs["n_at_peak"] == 1
