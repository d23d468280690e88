"""Where a score of all years together contradicts the years: Simpson's paradox, said in sentences.

A forecast that knows only which years are active ranks windows of different years well, and none of one year.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from flarecast.evaluate.contenders import MODEL

SCORES = ("tss", "bss", "roc_auc")
"""Scores looked at."""

FEWEST = 5
"""Years with fewer events, or fewer non-events, say too little to contradict anything."""

FEWEST_YEARS = 3

Values = dict[tuple[str, str], float]
Yearly = dict[tuple[str, str], dict[str, float]]


def simpson_warnings(found: Sequence[Mapping[str, Any]], event: str) -> list[str]:
    """Sentences on pooled scores that the years contradict, in sign, in size or in rank.

    In sign: a pooled BSS above 0 that most years do not have. In size: a pooled score outside the range of
    the years. In rank: a forecast that beats another on all windows and loses to it in most years.

    Args:
        found: Records, of all windows and of the years.
        event: GOES class.
    """
    pooled, yearly = _by_year(found, event)
    return [*_signs(pooled, yearly, event), *_sizes(pooled, yearly, event), *_ranks(pooled, yearly, event)]


def _signs(pooled: Values, yearly: Yearly, event: str) -> Iterator[str]:
    """Forecasts with skill on the whole and none in most years."""
    for (forecast, name), value in pooled.items():
        values = np.array(list(yearly[forecast, name].values()))
        n_not = int((values <= 0).sum())
        if name == "bss" and value > 0 and 2 * n_not > values.size:
            yield (
                f"{event}: the pooled bss of {forecast} is {value:+.2f}, but not above 0 in {n_not} of "
                f"{values.size} years: it knows good years from bad ones (Simpson's paradox)"
            )


def _sizes(pooled: Values, yearly: Yearly, event: str) -> Iterator[str]:
    """Forecasts whose pooled scores no year reaches, or all exceed."""
    for forecast in dict.fromkeys(name for name, _ in pooled):
        parts = []
        for name in SCORES:
            values = list(yearly.get((forecast, name), {}).values())
            if (forecast, name) in pooled and not min(values) <= pooled[forecast, name] <= max(values):
                parts.append(
                    f"{name} {pooled[forecast, name]:.2f} (years {min(values):.2f} to {max(values):.2f})"
                )
        if parts:
            yield (
                f"{event}: pooled scores of {forecast} lie outside all of its years: {', '.join(parts)} "
                "(Simpson's paradox)"
            )


def _ranks(pooled: Values, yearly: Yearly, event: str) -> Iterator[str]:
    """Pairs with the model whose order most years turn round."""
    for (other, name), value in pooled.items():
        if other == MODEL or (MODEL, name) not in pooled:
            continue
        ours, theirs = yearly[MODEL, name], yearly[other, name]
        ahead = np.sign(pooled[MODEL, name] - value)
        order = np.array([np.sign(ours[year] - theirs[year]) for year in ours if year in theirs])
        turned = int((order == -ahead).sum())
        if order.size >= FEWEST_YEARS and ahead and 2 * turned > order.size:
            better, worse = (MODEL, other) if ahead > 0 else (other, MODEL)
            yield (
                f"{event}: {better} has the higher pooled {name}, but {worse} in {turned} of {order.size} "
                "years (Simpson's paradox)"
            )


def _by_year(found: Sequence[Mapping[str, Any]], event: str) -> tuple[Values, Yearly]:
    """Values by forecast and score, pooled and of the years, where enough years have enough events."""
    pooled: Values = {}
    yearly: Yearly = {}
    for record in found:
        key, subset = (str(record["forecast"]), str(record["score"])), str(record["subset"])
        if record["event"] != event or key[1] not in SCORES or record["value"] is None:
            continue
        if subset == "all" and record["role"] != "out_of_fold":
            pooled.setdefault(key, record["value"])
        enough = min(record["n_events"], record["n"] - record["n_events"]) >= FEWEST
        if subset.startswith("year_") and enough:
            yearly.setdefault(key, {}).setdefault(subset, record["value"])
    return {key: value for key, value in pooled.items() if len(yearly.get(key, {})) >= FEWEST_YEARS}, yearly
