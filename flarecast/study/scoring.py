"""Scores of the arms, all resampled alike: the same regions drawn for all, so that differences are paired."""

import json
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.cycles import rotation_of
from flarecast.decision import best_decision_thresholds
from flarecast.schema import ROLES
from flarecast.skill import Estimate

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SCORES = ("tss", "hss", "recall", "average_precision", "bss", "ece")
"""Of calibrated forecasts; bss and ece also raw."""


@dataclass(frozen=True)
class Draw:
    """Which blocks of the file are drawn how often, in two ways: regions, and 27-day rotations.

    Attributes:
        codes: Block of every window of the file, one array (window,) a way.
        counts: Drawn how often, one array (resample, block) a way.
    """

    codes: tuple[NDArray[np.int64], ...]
    counts: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Scored:
    """Estimates by score, one a way of drawing; and what they were made of."""

    estimates: dict[str, tuple[Estimate, ...]]
    n: int
    n_events: int


def draw_blocks(forecasts: xr.Dataset, resamples: int, rng: np.random.Generator) -> Draw:
    """Draw regions and rotations of a whole file, for all arms together."""
    ways = (forecasts["cluster"].values, rotation_of(forecasts["valid_from"].values))
    blocks = [skill.blocks_of(way) for way in ways]
    counts = tuple(skill.draw_counts(one.n, resamples, rng) for one in blocks)
    return Draw(tuple(one.code for one in blocks), counts)


def rows_of(forecasts: xr.Dataset, event: int, role: str = "test") -> BoolArray:
    """Windows of a role with a forecast and a known outcome, shape (window,)."""
    known = forecasts["occurred"].values[:, event] >= 0
    there = ~np.isnan(forecasts["probability"].values[:, event])
    rows: BoolArray = (forecasts["role"].values == ROLES.index(role)) & known & there
    return rows


def resampled_to_balance(forecasts: xr.Dataset, event: int, rng: np.random.Generator) -> BoolArray:
    """Test windows after undersampling: all events and as many others, shape (window,)."""
    rows = rows_of(forecasts, event)
    occurred = forecasts["occurred"].values[:, event] == 1
    others = np.flatnonzero(rows & ~occurred)
    kept = rng.choice(others, size=min(others.size, int((rows & occurred).sum())), replace=False)
    balanced: BoolArray = rows & occurred
    balanced[kept] = True
    return balanced


def decision_threshold(forecasts: xr.Dataset, event: int) -> float:
    """Threshold on the calibrated probability with the best TSS in calibration; 0.5 where there was none."""
    name = str(forecasts["event"].values[event])
    said = json.loads(forecasts.attrs["decision_threshold"]).get(name, {}).get("tss")
    return 0.5 if said is None else float(said)


def best_threshold(forecasts: xr.Dataset, event: int, role: str) -> float:
    """Threshold on the calibrated probability with the best TSS in a role; 0.5 where there is none."""
    rows = rows_of(forecasts, event, role)
    found = best_decision_thresholds(
        forecasts["probability"].values[rows, event], forecasts["occurred"].values[rows, event] == 1
    )
    return 0.5 if found is None else found["tss"]


def score_rows(
    forecasts: xr.Dataset, event: int, rows: BoolArray, draw: Draw, threshold: float | None = None
) -> Scored:
    """All scores of some windows.

    Args:
        forecasts: Calibrated forecasts.
        event: Column.
        rows: Windows to score, shape (window,).
        draw: The blocks that all arms are resampled by.
        threshold: Decision threshold; that of the calibration if None.
    """
    cut = decision_threshold(forecasts, event) if threshold is None else threshold
    probability = forecasts["probability"].values[rows, event]
    raw = forecasts["probability_raw"].values[rows, event]
    occurred = forecasts["occurred"].values[rows, event] == 1
    ways: list[dict[str, Estimate]] = []
    for code, counts in zip(draw.codes, draw.counts, strict=True):
        sample = sample_of(occurred, code[rows], counts)
        found = skill.estimate_contingency(sample, probability, cut)
        found |= skill.estimate_probability(sample, probability) | skill.estimate_ranking(sample, probability)
        of_raw = skill.estimate_probability(sample, raw)
        found |= {f"{name}_raw": of_raw[name] for name in ("bss", "ece")}
        if min(sample.n_event_blocks, sample.n_quiet_blocks) < skill.FEWEST_EVENT_BLOCKS:
            found = {name: _without_resamples(one) for name, one in found.items()}
        ways.append(found)
    estimates = {name: tuple(way[name] for way in ways) for name in ways[0]}
    return Scored(estimates, int(rows.sum()), int(occurred.sum()))


def bounds(estimates: tuple[Estimate, ...], confidence: float) -> tuple[float, float]:
    """The wider of the two intervals; NaN where one cannot be had, as with too few blocks with events."""
    widest = (np.nan, np.nan)
    for estimate in estimates:
        known = estimate.resampled[~np.isnan(estimate.resampled)]
        if not known.size:
            return np.nan, np.nan
        low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
        if not high - low <= widest[1] - widest[0]:
            widest = (float(low), float(high))
    return widest


def difference(first: tuple[Estimate, ...], second: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    """Paired differences, a way of drawing each."""
    return tuple(skill.minus(one, other) for one, other in zip(first, second, strict=True))


def _without_resamples(estimate: Estimate) -> Estimate:
    """A value of which nobody knows how sure it is."""
    nothing, left_out = (np.full_like(one, np.nan) for one in (estimate.resampled, estimate.left_out))
    return replace(estimate, resampled=nothing, left_out=left_out)


def sample_of(occurred: BoolArray, code: NDArray[np.int64], counts: NDArray[np.uint8]) -> skill.Sample:
    """Windows whose blocks are numbered as in the whole file."""
    return skill.Sample(
        occurred=occurred,
        year=np.zeros(occurred.size, dtype=np.int64),
        blocks=skill.Blocks(code, counts.shape[1]),
        counts=counts,
        n_event_blocks=int(np.unique(code[occurred]).size),
        n_quiet_blocks=int(np.unique(code[~occurred]).size),
    )
