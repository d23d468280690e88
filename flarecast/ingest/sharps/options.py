"""The options of `ingest sharp`, checked and in the terms of its parts."""

import math
from collections.abc import Sequence

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.ingest.sharps.asking import Manners
from flarecast.ingest.sharps.keywords import CADENCE, FEATURES, UNITS
from flarecast.ingest.sharps.records import LARGEST_HARP
from flarecast.ingest.sharps.rows import Grid, Rules
from flarecast.ingest.sharps.slots import FIRST_LIGHT, LAST, nearest_slot, to_tai

LONGEST = 366 * 1440
"""Of any time asked for [min]."""

MOST_STEPS = 10_000
FIRST_NOAA, LAST_NOAA = 11_040, 19_999
"""NOAA numbers since HMI observes; printed with four digits they lack the first."""


def check(
    n_steps: int,
    minutes: tuple[float, float, float, float, float],
    least_known: float,
    rules: Rules,
    manners: Manners,
    max_bad_rows: int,
) -> None:
    """Refuse options that make no sense; all are named.

    Args:
        n_steps: Steps in a window.
        minutes: Cadence, stride, lead, horizon and latency.
        least_known: Share of steps.
        rules: Which records count.
        manners: How the server is asked.
        max_bad_rows: Lines that may be skipped.

    Raises:
        FlarecastError: Some make no sense.
    """
    cadence, stride, lead, horizon, latency = minutes
    step = CADENCE / 60
    ranges = (
        ("n_steps", n_steps, 1, MOST_STEPS),
        ("cadence_minutes", cadence, step, LONGEST),
        ("stride_minutes", stride, 1, LONGEST),
        ("lead_hours", lead / 60, 0, LONGEST / 60),
        ("horizon_hours", horizon / 60, 1 / 60, LONGEST / 60),
        ("latency_minutes", latency, 0, LONGEST),
        ("least_known", least_known, 0, 1),
        ("quality_mask", rules.quality_mask, 0, 0xFFFFFFFF),
        ("velocity_limit", rules.velocity_limit, 0, math.inf),
        ("longitude_limit", rules.longitude_limit, 0, 180),
        ("max_bad_rows", max_bad_rows, 0, math.inf),
        ("pause_seconds", manners.pause_seconds, 0, 3600),
        ("retries", manners.retries, 0, 100),
        ("timeout_seconds", manners.timeout_seconds, 0.001, 86_400),
    )
    problems = [
        f"{name}: expected {low:g} to {high:g}, got {value:g}"
        for name, value, low, high in ranges
        if not low <= value <= high
    ]
    if cadence % step:
        problems.append(f"cadence_minutes: expected a multiple of {step:g}, got {cadence:g}")
    if problems:
        raise FlarecastError("; ".join(problems))


def read_grid(n_steps: int, minutes: tuple[float, float, float, float, float], least_known: float) -> Grid:
    """Steps and windows in seconds, from cadence, stride, lead, horizon and latency in minutes."""
    cadence, stride, lead, horizon, latency = (round(one * 60) for one in minutes)
    return Grid(n_steps, cadence, stride, lead, horizon, latency, least_known)


def read_features(names: Sequence[str]) -> tuple[str, ...]:
    """Keywords that are features; the usual ones if none is named.

    Raises:
        FlarecastError: One is named twice or is not among `keywords.UNITS`.
    """
    unknown = [name for name in names if name not in UNITS]
    if unknown or len(set(names)) < len(names):
        got = ", ".join(unknown) or "one of them twice"
        raise FlarecastError(f"features: expected some of {', '.join(UNITS)}, got {got}")
    return tuple(names) or tuple(FEATURES)


def read_harps(numbers: Sequence[int]) -> tuple[int, ...]:
    """HARP numbers, ascending, each once.

    Raises:
        FlarecastError: One can be none.
    """
    wrong = [number for number in numbers if not 1 <= number <= LARGEST_HARP]
    if wrong:
        raise FlarecastError(f"harps: expected numbers of 1 to {LARGEST_HARP}, got {wrong[0]}")
    return tuple(sorted(set(numbers)))


def read_noaa(numbers: Sequence[int]) -> tuple[int, ...]:
    """Five-digit NOAA numbers, ascending, each once; 1429 is 11429, since HMI has seen no other.

    Raises:
        FlarecastError: One is of a region from before HMI.
    """
    full = [number + 10_000 if 0 < number < 10_000 else number for number in numbers]
    wrong = [number for number in full if not FIRST_NOAA <= number <= LAST_NOAA]
    if wrong:
        raise FlarecastError(f"noaa: expected numbers of {FIRST_NOAA} to {LAST_NOAA}, got {wrong[0]}")
    return tuple(sorted(set(full)))


def read_span(start: str, stop: str) -> tuple[int, int]:
    """TAI of the first slot wanted and of the one up to which; 0 = any.

    Raises:
        FlarecastError: One is no date, only one is given, or the span is empty or begins before HMI.
    """
    if not start and not stop:
        return 0, 0
    if not start or not stop:
        raise FlarecastError(f"start, stop: expected both or none, got {start or stop!r} alone")
    first, last = cycles.seconds(start), cycles.seconds(stop)
    if not first < last:
        raise FlarecastError(f"start, stop: expected start before stop, got {start} and {stop}")
    if first < FIRST_LIGHT or last > LAST:
        raise FlarecastError(
            f"start, stop: expected times from {cycles.iso(FIRST_LIGHT)[:10]} on, got {start} to {stop}"
        )
    return nearest_slot(to_tai(first)), nearest_slot(to_tai(last))
