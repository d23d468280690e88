"""From scored arms to contrasts: two ways to do one thing, the difference, and its interval."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from flarecast.skill import Estimate
from flarecast.study.arms import NONE
from flarecast.study.scoring import (
    Draw,
    Scored,
    best_threshold,
    bounds,
    difference,
    resampled_to_balance,
    rows_of,
    score_rows,
)

Estimates = tuple[Estimate, ...]

DIFFERENCES = ("tss", "hss", "recall", "average_precision", "bss", "bss_raw", "ece", "ece_raw")


@dataclass(frozen=True)
class Bench:
    """All that a contrast may ask for.

    Attributes:
        forecasts: Calibrated forecasts by model and arm; arms that could not be trained are absent.
        event: Column of the event.
        draw: The blocks that all arms are resampled by.
        seed: Of the resampled test set.
        confidence: Of the intervals.
    """

    forecasts: Mapping[str, Mapping[str, xr.Dataset]]
    event: int
    draw: Draw
    seed: int
    confidence: float

    def score(self, model: str, arm: str = NONE) -> Scored:
        """An arm on its own test windows, at the threshold of its own calibration."""
        forecasts = self.forecasts[model][arm]
        return score_rows(forecasts, self.event, rows_of(forecasts, self.event), self.draw)

    def ceilings(self) -> Iterator[tuple[str, Scored]]:
        """What a simulation knows, on the test windows of the run: the best from the rows, and all."""
        forecasts = next(iter(self.forecasts.values()))[NONE]
        for variable, name in (
            ("truth_observed", "best possible from rows"),
            ("truth", "hidden state known"),
        ):
            if variable in forecasts and not np.isnan(forecasts[variable].values[:, self.event]).any():
                truth = forecasts[variable]
                known = forecasts.assign(probability=truth, probability_raw=truth)
                cut = best_threshold(known, self.event, "calibration")
                yield name, score_rows(known, self.event, rows_of(known, self.event), self.draw, cut)


def random_split(bench: Bench) -> Iterator[dict[str, Any]]:
    """Random windows against the split of the run."""
    yield from _against_none(bench, ("random split",))


def normalisation(bench: Bench) -> Iterator[dict[str, Any]]:
    """Scaled by all windows, or each role by itself, against by the train role."""
    yield from _against_none(bench, ("scaled on all", "scaled per role"))


def remedies(bench: Bench) -> Iterator[dict[str, Any]]:
    """Every remedy against none."""
    for model, arms in bench.forecasts.items():
        others = ("random split", "scaled on all", "scaled per role", NONE)
        names = [name for name in arms if name not in others and not name.startswith("try ")]
        yield from _against_none(bench, tuple(names), model)


def resampled_test(bench: Bench) -> Iterator[dict[str, Any]]:
    """A balanced test set against nature's, the same forecasts."""
    for model, arms in bench.forecasts.items():
        forecasts, plain = arms[NONE], bench.score(model)
        rows = resampled_to_balance(forecasts, bench.event, np.random.default_rng(bench.seed))
        balanced = score_rows(forecasts, bench.event, rows, bench.draw)
        yield from _differences(bench, model, ("balanced test set", balanced), ("natural test set", plain))


def threshold(bench: Bench) -> Iterator[dict[str, Any]]:
    """The decision threshold that is best on test against the one from calibration."""
    for model, arms in bench.forecasts.items():
        forecasts, plain = arms[NONE], bench.score(model)
        cut = best_threshold(forecasts, bench.event, "test")
        rows = rows_of(forecasts, bench.event)
        flattered = score_rows(forecasts, bench.event, rows, bench.draw, cut)
        names = ("threshold from test", flattered), ("threshold from calibration", plain)
        yield from _differences(bench, model, *names, scores=("tss", "hss", "recall"))


def inner_validation(bench: Bench) -> Iterator[dict[str, Any]]:
    """What inner validation promised, and what test gave, for the options that it chose."""
    for model, arms in bench.forecasts.items():
        found = {}
        for suffix, words in ((" inner random", "chosen on random windows"), ("", "chosen on whole regions")):
            tries = [name for name in arms if name.startswith("try ")]
            tries = [name for name in tries if name.endswith(" inner random") == bool(suffix)]
            if len(tries) < 2:
                break
            found[words] = _chosen(bench, model, tries)
        if len(found) < 2:
            continue
        for words, (promised, given, name) in found.items():
            row = _row(bench, model, "tss", (f"promised, {words}", promised), (f"test, {words}", given))
            yield row | {"chosen": name.removesuffix(" inner random")}
        (first, one), (second, other) = found.items()
        yield _row(bench, model, "tss", (f"test, {first}", one[1]), (f"test, {second}", other[1]))


MAKERS: dict[str, Callable[[Bench], Iterator[dict[str, Any]]]] = {
    "random_split": random_split,
    "inner_validation": inner_validation,
    "normalisation": normalisation,
    "resampled_test": resampled_test,
    "threshold": threshold,
    "remedies": remedies,
}
"""Contrast: function that gives its rows, a model, a pair and a score each."""


def _chosen(bench: Bench, model: str, tries: list[str]) -> tuple[Estimates, Estimates, str]:
    """TSS on validation of the best of the tries, its TSS on test at the same threshold, its name."""
    best: tuple[float, Scored, str, float] | None = None
    for name in tries:
        forecasts = bench.forecasts[model][name]
        cut = best_threshold(forecasts, bench.event, "validation")
        rows = rows_of(forecasts, bench.event, "validation")
        scored = score_rows(forecasts, bench.event, rows, bench.draw, cut)
        value = scored.estimates["tss"][0].value
        if best is None or value > best[0]:
            best = (value, scored, name, cut)
    assert best is not None
    forecasts = bench.forecasts[model][best[2]]
    given = score_rows(forecasts, bench.event, rows_of(forecasts, bench.event), bench.draw, best[3])
    return best[1].estimates["tss"], given.estimates["tss"], best[2]


def _against_none(bench: Bench, names: tuple[str, ...], only: str | None = None) -> Iterator[dict[str, Any]]:
    """Arms against the plain one of their model."""
    for model, arms in bench.forecasts.items():
        if only in (None, model):
            plain = bench.score(model)
            for name in names:
                if name in arms:
                    yield from _differences(bench, model, (name, bench.score(model, name)), (NONE, plain))


def _differences(
    bench: Bench,
    model: str,
    first: tuple[str, Scored],
    second: tuple[str, Scored],
    scores: tuple[str, ...] = DIFFERENCES,
) -> Iterator[dict[str, Any]]:
    """Rows of two scored arms, one a score."""
    for score in scores:
        pair = ((name, scored.estimates[score]) for name, scored in (first, second))
        yield _row(bench, model, score, *pair) | {"n": first[1].n, "n_events": first[1].n_events}


def _row(
    bench: Bench, model: str, score: str, first: tuple[str, Estimates], second: tuple[str, Estimates]
) -> dict[str, Any]:
    """One difference with its interval; null where it is undefined."""
    gap = difference(first[1], second[1])
    numbers = {"value": first[1][0].value, "value_against": second[1][0].value, "difference": gap[0].value}
    low, high = bounds(gap, bench.confidence)
    plain = {key: _number(value) for key, value in (numbers | {"low": low, "high": high}).items()}
    return {"model": model, "arm": first[0], "against": second[0], "score": score, **plain}


def _number(value: float) -> float | None:
    """A number for JSON; what is undefined is null."""
    return None if np.isnan(value) else float(value)
