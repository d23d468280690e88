"""Scores of flares and days: which flares were warned of and how early, days of false alarm, the all-clear.

Windows that overlap share flares; here a flare counts once. A warning is a probability at or above the main
decision threshold, in a window that was issued before the flare began.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes, skill
from flarecast.evaluate.contenders import Contender
from flarecast.evaluate.history import quiet_days
from flarecast.evaluate.records import Drawn, Place, Scored, cut_of, records
from flarecast.schema import NO_TIME

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

QUIET_DAYS = 30
"""So many days without an event make the next flare a first one, and a day without one a quiet day [d]."""

YEAR = 365.25
HOUR = 3600


@dataclass(frozen=True)
class Occasions:
    """Flares and days behind the windows scored.

    Attributes:
        flare: Flare of each window, -1 where none or already begun, shape (window,).
        first: First window of each flare, shape (flare,).
        letter: Class of each flare, empty where unknown, shape (flare,).
        peak: When it peaked [s since 1970], `NO_TIME` = unknown, shape (flare,).
        day: Day and region of each window, shape (window,).
        first_of_day: First window of each day, shape (day,).
        eventful: Whether an event came true in some window of the day, shape (day,).
        quiet: Whether no event was known for `QUIET_DAYS`, shape (window,).
    """

    flare: IntArray
    first: IntArray
    letter: NDArray[np.object_]
    peak: IntArray
    day: IntArray
    first_of_day: IntArray
    eventful: BoolArray
    quiet: BoolArray


def score_occasions(
    forecasts: xr.Dataset,
    contenders: Iterable[Contender],
    event: int,
    common: BoolArray,
    drawn: Drawn,
    place: Place,
) -> list[dict[str, Any]]:
    """Records of the scores of `skill.OCCASIONS`.

    Args:
        forecasts: The forecasts that are evaluated.
        contenders: Forecasts to score.
        event: Column of the event.
        common: Windows that are scored, shape (window,).
        drawn: The same windows, drawn.
        place: What the records have in common.
    """
    occasions = find_occasions(forecasts, event, common)
    issue = forecasts["issue_time"].values[common]
    found: list[dict[str, Any]] = []
    for one in contenders:
        rule, cut = next(iter(one.rules[event].items()))
        threshold = cut_of(cut, common)
        warned = one.probability[common, event] >= threshold
        parts = _gains(occasions, warned, issue)
        estimates = {
            (name, rule): tuple(
                skill.estimate_occasions(sample, name, sample.blocks.code[window], gain)
                for sample in drawn.ways.values()
            )
            for name, (window, gain) in parts.items()
        }
        scored = Scored(one.name, rule, estimates, dict.fromkeys(estimates, threshold))
        # n is of windows in every record; how many flares or days there are is said beside it.
        sizes = {name: int(window.size) for name, (window, _) in parts.items()}
        found += [
            record | {"n_occasions": sizes[record["score"]]} for record in records(scored, drawn, place)
        ]
    return found


def find_occasions(forecasts: xr.Dataset, event: int, common: BoolArray) -> Occasions:
    """Flares and days of the windows scored; without times of peaks each event window is its own flare."""
    rows = forecasts.isel(window=np.flatnonzero(common))
    occurred = rows["occurred"].values[:, event] == 1
    region = np.unique(rows["region"].values.astype(str), return_inverse=True)[1]
    start = rows["valid_from"].values
    peak = rows["flare_peak"].values if "flare_peak" in rows else np.full(start.size, NO_TIME)
    began = rows["in_progress"].values == 1 if "in_progress" in rows else np.zeros(start.size, dtype=bool)
    counted = occurred & ~began
    named = np.where(peak != NO_TIME, peak, start)
    key = np.stack([region, peak != NO_TIME, named], axis=1)[counted]
    _, first, place = np.unique(key, axis=0, return_index=True, return_inverse=True)
    flare = np.full(start.size, -1, dtype=np.int64)
    flare[counted] = place.ravel()
    first = np.flatnonzero(counted)[first]
    flux = rows["peak_flux"].values if "peak_flux" in rows else np.zeros(start.size)
    day_key = np.stack([region, rows["issue_time"].values // cycles.DAY], axis=1)
    _, first_of_day, day = np.unique(day_key, axis=0, return_index=True, return_inverse=True)
    day = day.ravel()
    eventful = np.zeros(first_of_day.size, dtype=bool)
    np.logical_or.at(eventful, day, occurred)
    quiet = quiet_days(forecasts, event)[common] > QUIET_DAYS
    return Occasions(flare, first, _letters(flux[first]), peak[first], day, first_of_day, eventful, quiet)


def _gains(
    occasions: Occasions, warned: BoolArray, issue_time: IntArray
) -> Mapping[str, tuple[IntArray, FloatArray]]:
    """For every score a window of each occasion, and what the occasion brought."""
    n_flares = occasions.first.size
    warning = warned & (occasions.flare >= 0)
    hit = np.zeros(n_flares, dtype=bool)
    hit[occasions.flare[warning]] = True
    earliest = np.full(n_flares, np.iinfo(np.int64).max)
    np.minimum.at(earliest, occasions.flare[warning], issue_time[warning])
    timed = hit & (occasions.peak != NO_TIME)
    alarmed = np.zeros(occasions.eventful.size, dtype=bool)
    np.logical_or.at(alarmed, occasions.day, warned)
    first_flare = occasions.quiet[occasions.first]
    quiet_day = occasions.quiet[occasions.first_of_day] & ~occasions.eventful
    days, flares = occasions.first_of_day, occasions.first
    letters = {one: occasions.letter == one for one in "CMX" if (occasions.letter == one).any()}
    false_alarm = (alarmed & ~occasions.eventful) * YEAR
    found = {
        "flare_recall": (flares, hit),
        **{f"flare_recall_{one}": (flares[is_a], hit[is_a]) for one, is_a in letters.items()},
        "flare_lead_hours": (flares[timed], (occasions.peak[timed] - earliest[timed]) / HOUR),
        "first_flare_recall": (flares[first_flare], hit[first_flare]),
        "false_alarm_days": (days, false_alarm),
        "all_clear_days": (days[~alarmed], ~occasions.eventful[~alarmed]),
        "quiet_days_clear": (days[quiet_day], ~alarmed[quiet_day]),
    }
    shown = {name for name in found if not name.startswith("flare_recall_") or found[name][0].size}
    return {
        name: (window, gain.astype(np.float64)) for name, (window, gain) in found.items() if name in shown
    }


def _letters(flux: FloatArray) -> NDArray[np.object_]:
    """Letter of each flux's class; empty where it is 0, which says nothing."""
    letters = np.full(flux.size, "", dtype=object)
    for letter, decade in sorted(goes.DECADES.items(), key=lambda one: one[1]):
        letters[goes.at_least(flux, decade)] = letter
    return letters
