"""What a reader of scores should know beforehand, in sentences: lenient reading, pairing, small samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from flarecast import skill
from flarecast.evaluate.records import Drawn
from flarecast.exchange.forecast_csv import day_ahead


def reading_warnings(forecasts: xr.Dataset) -> list[str]:
    """What the reader of the file was lenient about, and what is mixed in it."""
    sentences = {
        "n_late": "forecasts were issued after their span had begun",
        "n_times_without_zone": "times name no zone and were read as UTC",
    }
    counts = {name: int(forecasts.attrs.get(name, 0)) for name in sentences}
    found = [f"{counts[name]:,} {text}" for name, text in sentences.items() if counts[name]]
    ahead = np.unique(day_ahead(forecasts["issue_time"].values, forecasts["valid_from"].values))
    if ahead.size > 1:
        found.append(f"forecasts for days {', '.join(map(str, ahead))} ahead are scored together")
    occurred = forecasts["occurred"].values
    reached = np.maximum.accumulate((occurred == 1)[:, ::-1], axis=1)[:, ::-1]  # it or a stronger event
    contradictory = int((reached & (occurred == 0)).any(axis=1).sum())
    if contradictory:
        found.append(f"{contradictory:,} windows have an event without the weaker ones that it includes")
    stated = forecasts["probability"].values
    least = np.fmin.accumulate(stated, axis=1)  # of it and all weaker events
    rising = int((stated > least).any(axis=1).sum())
    if rising:
        found.append(f"{rising:,} windows have a stronger event that is more probable than a weaker one")
    return found


def pairing_warnings(name: str, found: dict[str, Any]) -> list[str]:
    """What the reader should know of a pairing."""
    sentences = {
        "unpaired": "windows have no forecast of {} and are left out for all",
        "outcomes_that_differ": "windows have another outcome in the file of {}, which is not used",
        "not_in_its_test_role": "windows are not in the test role of {}, which may have been fitted on them",
    }
    return [f"{found[key]:,} {text.format(name)}" for key, text in sentences.items() if found[key]]


def unknown_warnings(label: str, counts: Mapping[str, int]) -> list[str]:
    """Windows left out because nobody knows what happened, which may hang on what happened."""
    unknown, windows = counts["outcome_unknown"], counts["windows"]
    if not unknown or not counts["scored"]:
        return []
    return [f"{label}: {unknown:,} of {windows:,} windows have an unknown outcome and are left out"]


def sample_warnings(label: str, drawn: Drawn) -> list[str]:
    """What of an event's windows is too small to be believed: the fewest blocks of any way to draw them."""
    n, blocks = drawn.first.n, min(sample.n_event_blocks for sample in drawn.ways.values())
    if not n:
        return [f"{label}: no window with a known outcome that all forecast; nothing is scored"]
    if not blocks:
        return [f"{label}: no events in {n:,} windows; scores that need one are undefined"]
    if blocks < skill.FEWEST_EVENT_BLOCKS:
        return [f"{label}: only {_blocks(blocks)} with events; no intervals"]
    if blocks < skill.FEW_EVENT_BLOCKS:
        return [f"{label}: only {_blocks(blocks)} with events; intervals are uncertain"]
    return []


def _blocks(count: int) -> str:
    """`1 region or rotation`, `3 regions or rotations`."""
    return f"{count} region or rotation" if count == 1 else f"{count} regions or rotations"
