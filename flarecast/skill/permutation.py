"""Whether two forecasts of the same windows differ by more than chance: swaps of whole blocks, and Holm.

If it made no difference which of two forecasts is called which, every block of windows could as well have
had them the other way round. The scores' sums by block are therefore swapped at random, block by block, and
the difference that was found is placed among those that the swaps give.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.skill.calibration import N_FIT_BINS, sum_calibration
from flarecast.skill.classes import sum_classes
from flarecast.skill.contingency import contingency_table
from flarecast.skill.economic import sum_costs
from flarecast.skill.intervals import Sample
from flarecast.skill.probability import sum_probability
from flarecast.skill.ranking import rank
from flarecast.skill.scores import (
    CALIBRATION,
    CONTINGENCY,
    ECONOMIC,
    NEEDS,
    PROBABILITY,
    RANKING,
    Score,
    scores_of_classes,
)
from flarecast.skill.sums import Blocks, BoolArray, FloatArray, combined, each, total

Sums = TypeVar("Sums")

ByteArray = NDArray[np.uint8]

N_SWAP_BINS = 300
"""Most rank bins, about, in which the ranks of both forecasts are counted."""

ROUNDING = 1e-9
"""Differences that are equal up to this share of the one found count as equal."""


def draw_swaps(n_blocks: int, permutations: int, rng: np.random.Generator) -> ByteArray:
    """Which blocks change sides, 0 or 1 with equal chance, shape (permutation, block)."""
    return rng.integers(2, size=(permutations, n_blocks), dtype=np.uint8)


def permute_contingency(
    sample: Sample,
    swaps: ByteArray,
    first: tuple[FloatArray, float | FloatArray],
    second: tuple[FloatArray, float | FloatArray],
) -> dict[str, float]:
    """P-values of the differences in all scores of yes/no forecasts, by name.

    Args:
        sample: Windows both are scored on.
        swaps: See `draw_swaps`.
        first: Probabilities in [0, 1], shape (window,), and their decision threshold.
        second: The same of the other forecast, at its own decision threshold.

    Returns:
        Two-sided p-values, see `p_value`.
    """
    tables = [contingency_table(one, sample.occurred, cut, sample.blocks) for one, cut in (first, second)]
    return _p_values(CONTINGENCY, tables[0], tables[1], swaps)


def permute_probability(
    sample: Sample,
    swaps: ByteArray,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    training_base_rate: float | FloatArray = np.nan,
) -> dict[str, float]:
    """P-values of the differences in all scores of probabilities, by name; windows stay in their bins."""
    sums = [
        sum_probability(
            one, sample.occurred, sample.blocks, year=sample.year, training_base_rate=training_base_rate
        )
        for one in (first, second)
    ]
    return _p_values(PROBABILITY, sums[0], sums[1], swaps)


def permute_ranking(
    sample: Sample, swaps: ByteArray, first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[str, float]:
    """P-values of the differences in all scores of the order of forecasts, by name.

    What is swapped is each window's mean rank in its own forecast, so that two forecasts of one order but of
    different levels do not differ.
    """
    ranks = np.concatenate([_mean_rank(one) for one in (first, second)])
    ranked = rank(ranks, np.tile(sample.occurred, 2), _both(sample.blocks), N_SWAP_BINS)
    return _p_values(RANKING, *_halves(ranked, sample.blocks.n), swaps)


def permute_calibration(
    sample: Sample, swaps: ByteArray, first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[str, float]:
    """P-values of the differences in all scores that refit the forecasts, by name.

    Slope and intercept are one Newton step from the fit of both forecasts together.
    """
    both = np.concatenate([first, second])
    sums = sum_calibration(both, np.tile(sample.occurred, 2), _both(sample.blocks), N_FIT_BINS)
    return _p_values(CALIBRATION, *_halves(sums, sample.blocks.n), swaps)


def permute_economic(
    sample: Sample, swaps: ByteArray, first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[str, float]:
    """P-values of the differences in economic value at every cost-loss ratio, by name."""
    sums = [sum_costs(one, sample.occurred, sample.blocks) for one in (first, second)]
    return _p_values(ECONOMIC, sums[0], sums[1], swaps)


def permute_classes(
    blocks: Blocks,
    swaps: ByteArray,
    occurred: BoolArray,
    forecasts: Sequence[tuple[FloatArray, FloatArray]],
    labels: Sequence[str],
) -> dict[str, float]:
    """P-values of the differences in all scores of several nested events at once, by name.

    Args:
        blocks: Block of each window.
        swaps: See `draw_swaps`.
        occurred: Outcomes, shape (window, event).
        forecasts: Probabilities, shape (window, event), and decision thresholds, of either forecast.
        labels: Name of each class, shape (class,).
    """
    first, second = (sum_classes(one, occurred, cut, blocks) for one, cut in forecasts)
    return _p_values(scores_of_classes(labels), first, second, swaps)


def p_value(score: Score, first: Sums, second: Sums, swaps: ByteArray) -> float:
    """How often swapped blocks differ at least as much as the two forecasts do.

    (1 + swaps with |difference| >= the one found) / (1 + swaps), of those in which both scores are defined.
    It asks whether the two forecasts are interchangeable, block by block; forecasts that are not may still
    score alike.

    Args:
        score: What is compared.
        first: Sums by block.
        second: Those of the other forecast, in the same bins if any.
        swaps: See `draw_swaps`, shape (permutation, block).

    Returns:
        Two-sided p-value; NaN where the difference is undefined.

    Source: Fisher (1935), The Design of Experiments; Hamill (1999), Wea. Forecasting 14, 155 (by blocks);
    Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39 (on the 1).
    """
    return _p_values({"score": score}, first, second, swaps)["score"]


def holm(p_values: ArrayLike) -> FloatArray:
    """P-values of several tests, corrected so that one of them is wrongly small as rarely as a single one is.

    The smallest of m is taken m times, the next m - 1 times, and so on, none below one before it, none above
    1. Holds however the tests depend on each other.

    Args:
        p_values: Shape (test,); NaN is no test.

    Returns:
        Shape (test,); NaN where there was no test.

    Source: Holm (1979), Scand. J. Stat. 6, 65.
    """
    found = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(found)[: int((~np.isnan(found)).sum())]  # NaN is sorted last
    corrected = np.full(found.shape, np.nan)
    steps = found[order] * np.arange(order.size, 0, -1)
    corrected[order] = np.maximum.accumulate(steps).clip(max=1)
    return corrected


def _p_values(scores: Mapping[str, Score], first: Sums, second: Sums, swaps: ByteArray) -> dict[str, float]:
    """P-value of every score of a family."""
    moved = combined(each(np.subtract, second, first), swaps)
    sides = [each(np.add, total(first), moved), each(np.subtract, total(second), moved)]
    found = {}
    for name, score in scores.items():
        observed = float(score.compute(total(first)) - score.compute(total(second)))
        defined = np.logical_and.reduce([NEEDS[need][1](side) for need in score.needs for side in sides])
        drawn = np.where(defined, score.compute(sides[0]) - score.compute(sides[1]), np.nan)
        met = all(NEEDS[need][1](total(side)) for need in score.needs for side in (first, second))
        found[name] = _share_beyond(observed, drawn) if met else np.nan
    return found


def _share_beyond(observed: float, drawn: FloatArray) -> float:
    """Share of differences, the one found among them, that are as large as it is."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(observed):
        return float("nan")
    least = abs(observed) * (1 - ROUNDING) - np.finfo(np.float64).eps
    return float((1 + (np.abs(known) >= least).sum()) / (1 + known.size))


def _mean_rank(probability: FloatArray) -> FloatArray:
    """Mean rank of each probability among all, in [0, 1]."""
    _, code, count = np.unique(probability, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - count / 2)[code] / max(1, probability.size))


def _both(blocks: Blocks) -> Blocks:
    """Blocks of two forecasts laid end to end, none shared."""
    return Blocks(np.concatenate([blocks.code, blocks.code + blocks.n]), 2 * blocks.n)


def _halves(sums: Sums, n_blocks: int) -> tuple[Sums, Sums]:
    """Sums of either forecast, of those by blocks of both."""
    return each(lambda value: value[:n_blocks], sums), each(lambda value: value[n_blocks:], sums)
