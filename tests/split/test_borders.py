"""Whatever the windows: no time strategy leaves a leak, and the audit counts what is there."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flarecast import cycles, schema
from flarecast.audit import audit
from flarecast.errors import FlarecastError
from flarecast.split import linked_regions, make_split

HOUR, DAY = 3600, 86_400
START = cycles.seconds("2005-03-01")  # 3.75 years before the border between cycles 23 and 24
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

suns = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "kind": st.sampled_from(["disk", "regions", "both"]),
        "n_steps": st.integers(1, 10),
        "cadence_hours": st.sampled_from([6, 24, 96]),
        "memory": st.sampled_from([0.0, 0.3, 77.77, 600.0]),
        "lead": st.sampled_from([0.0, 24.0, 200.0]),
        "horizon": st.sampled_from([1.0, 24.0, 72.0]),
    }
)


def make_sun(make_windows, sun):
    """Tracks with gaps over eight years: the disk, or regions of which some have two names or two tracks."""
    rng = np.random.default_rng(sun["seed"])
    tracks = []
    if sun["kind"] != "regions":
        times = START + DAY * np.arange(8 * 365)
        tracks.append(("disk", "", times[rng.random(times.size) < 0.9], thinned(times, rng, 0.8)))
    if sun["kind"] != "disk":
        for number in range(120):
            begin = START + int(rng.integers(0, 8 * 365)) * DAY + int(rng.integers(0, DAY))
            times = begin + 12 * HOUR * np.arange(int(rng.integers(2, 30)))
            noaa = ",".join(str(11_000 + n) for n in rng.integers(0, 400, size=rng.integers(0, 3)))
            name = f"HARP {number % 115}"  # a few come twice: two tracks of one region, maybe years apart
            tracks.append((name, noaa, times[rng.random(times.size) < 0.8], thinned(times, rng, 0.7)))
    keys = ("n_steps", "cadence_hours", "memory", "lead", "horizon")
    return make_windows(tracks, **{key: sun[key] for key in keys})


def thinned(times, rng, share):
    return times[(rng.random(times.size) < share) | (np.arange(times.size) == 0)]


def leaks_by_hand(windows, role):
    """Kinds of leaks between any two roles, pair of windows by pair of windows."""
    reach = windows.attrs["n_steps"] * windows.attrs["cadence_minutes"] * 60
    reach += windows["feature_memory_hours"].values.max() * HOUR
    issue, region = windows["issue_time"].values, linked_regions(windows)
    start, stop = windows["valid_from"].values, windows["valid_to"].values
    first, after = (
        windows["first_row"].values,
        windows["first_row"].values + windows["n_rows"].values,
    )
    differ = (role[:, None] != role) & (role[:, None] > 0) & (role > 0)
    same = differ & (region[:, None] == region)
    history = (issue[:, None] > issue - reach) & (issue > issue[:, None] - reach)
    outcome = (start[:, None] < stop) & (start < stop[:, None])
    mixed = (issue[:, None] - reach < stop) & (start <= issue[:, None])
    rows = np.minimum(after[:, None], after) > np.maximum(first[:, None], first)
    disk = windows["region"].values == "disk"
    return {
        "shared row": bool((differ & rows).any()),
        "shared region": bool((same & ~disk).any()),
        "overlapping history or outcome": bool((same & (history | outcome | mixed)).any()),
    }


@pytest.mark.parametrize("strategy", ["by_cycle", "by_time"])
@given(sun=suns, fraction=st.floats(0.3, 0.8))
@FEW
def test_no_time_strategy_leaves_a_leak(make_windows, strategy, sun, fraction):
    windows = make_sun(make_windows, sun)
    options = {"train": (0.0, fraction), "test": (fraction, 1.0)} if strategy == "by_time" else {}
    options["pattern"] = "tvtc"
    try:
        split = make_split(windows, strategy, np.random.default_rng(0), options=options)
    except FlarecastError as refusal:
        assume("block_rotations" not in str(refusal))  # too short a span for the pattern
        assume("outside the embargo" not in str(refusal))
        raise
    role = split["role"].values[0]
    assert audit(windows, split, ("M1.0",)).leaks == ()
    assert not any(leaks_by_hand(windows, role).values())
    issue, gap = windows["issue_time"].values, split.attrs["embargo_hours"] * HOUR
    for number in range(2, 5):
        mine, lower = issue[role == number], issue[(role > 0) & (role < number)]
        assert not mine.size or not lower.size or np.abs(mine[:, None] - lower).min() >= gap


@given(sun=suns, share=st.floats(0.02, 0.98), blocked=st.booleans())
@FEW
def test_the_audit_finds_exactly_the_leaks_that_there_are(make_windows, sun, share, blocked):
    windows = make_sun(make_windows, sun)
    rng = np.random.default_rng(sun["seed"])
    n = windows.sizes["window"]
    role = rng.integers(0, 5, size=n)
    if (
        blocked
    ):  # roles by region and by stretches of time leave fewer leaks, so that their absence is met too
        role = (linked_regions(windows) * 7 + (windows["issue_time"].values - START) // (400 * DAY)) % 5
        role[rng.random(n) > share] = 0
    split = schema.build(
        schema.SPLIT,
        {"role": role[None, :]},
        {"windows_sha256": "", "strategy": "by hand", "embargo_hours": 0.0, "history": ""},
    )
    kinds = {finding.kind for finding in audit(windows, split).leaks}
    assert kinds == {kind for kind, there in leaks_by_hand(windows, role).items() if there}


@given(n_steps=st.integers(1, 30), memory=st.floats(0, 700), horizon=st.floats(1, 72))
@FEW
def test_a_daily_record_leaks_without_the_embargo_and_not_with_it(make_windows, n_steps, memory, horizon):
    sun = {"seed": 0, "kind": "disk", "n_steps": n_steps, "cadence_hours": 24, "memory": memory, "lead": 0.0}
    windows = make_sun(make_windows, sun | {"horizon": horizon})
    options = {"train": (0.0, 0.5), "test": (0.5, 1.0), "pattern": "t"}
    bare = make_split(windows, "by_time", np.random.default_rng(0), embargo_hours=0.0, options=options)
    assert audit(windows, bare).leaks
    full = make_split(windows, "by_time", np.random.default_rng(0), options=options)
    assert not audit(windows, full).leaks


def test_an_embargo_an_hour_too_short_leaks(make_windows):
    times = START + HOUR * np.arange(4000)
    windows = make_windows([("disk", "", times, times)], n_steps=24, cadence_hours=1, memory=48.0)
    options = {"train": (0.0, 0.5), "test": (0.5, 1.0), "pattern": "t"}
    leaks = {}
    for hours in (95.0, 96.0):
        split = make_split(windows, "by_time", np.random.default_rng(0), embargo_hours=hours, options=options)
        leaks[hours] = audit(windows, split).leaks
    assert leaks[96.0] == ()
    assert [finding.count for finding in leaks[95.0]] == [1]
