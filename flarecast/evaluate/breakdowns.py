"""Scores by cycle, phase, year, longitude and flaring history, and where the pooled score contradicts them.

Only the forecasts and scores that a reader compares between parts are kept, so that scores.json stays small.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, skill
from flarecast.evaluate.contenders import MODEL, Contender
from flarecast.evaluate.history import quiet_days
from flarecast.evaluate.records import Drawn, Place, Scored, cut_of, records
from flarecast.evaluate.subsets import Subset

BoolArray = NDArray[np.bool_]
Draw = Callable[[xr.Dataset, int, BoolArray], Drawn]

SCORES = ("tss", "recall", "false_alarm_ratio", "roc_auc", "average_precision", "bss", "base_rate", "ece")
"""Scores that are broken down."""

BASELINES = ("persistence", "recent_365")
"""Reference forecasts inside a file that are broken down beside the model and the references given."""

LONGITUDES = (0, 30, 60, 90)
"""Edges of the rings around the central meridian [deg]."""

FLARING_DAYS, AFTER_DAYS = 30, 3
"""With an event known in so many days a history is flaring, else quiet; so many are `after_event` [d]."""


MOST_RESAMPLES = 300
"""Of each part: there are some twenty, each costs nearly as much as the whole, and is read roughly."""

MOST_PARTS = 30
"""Of more years the cycles and phases say enough."""


def compared_in_parts(contenders: Sequence[Contender]) -> list[Contender]:
    """The model, the references given, and the baselines of its file."""
    return [one for one in contenders if one.name == MODEL or one.given or one.name in BASELINES]


def score_breakdowns(
    forecasts: xr.Dataset,
    contenders: Sequence[Contender],
    event: int,
    common: BoolArray,
    place: Place,
    draw: Draw,
) -> list[dict[str, Any]]:
    """Records of every part of one event's windows.

    Args:
        forecasts: The forecasts that are evaluated.
        contenders: Those scored on the whole.
        event: Column of the event.
        common: Windows that are scored, shape (window,).
        place: What the records have in common.
        draw: Resamples some windows.
    """
    found: list[dict[str, Any]] = []
    chosen = compared_in_parts(contenders)
    for part in parts_of(forecasts, event, common):
        drawn, where = draw(forecasts, event, part.rows), replace(place, subset=part.name)
        for one in chosen:
            found += records(_score_briefly(one, event, part.rows, drawn), drawn, where, SCORES)
    return found


def _score_briefly(contender: Contender, event: int, rows: BoolArray, drawn: Drawn) -> Scored:
    """Scores at the main decision threshold, of the order, and of probabilities; without those that refit."""
    rule, cut = next(iter(contender.rules[event].items()))
    probability, threshold = contender.probability[rows, event], cut_of(cut, rows)
    ways = []
    for sample in drawn.ways.values():
        contingency = skill.estimate_contingency(sample, probability, threshold)
        plain = skill.estimate_ranking(sample, probability) | skill.estimate_probability(sample, probability)
        ways.append({(name, rule): one for name, one in contingency.items()})
        ways[-1] |= {(name, ""): one for name, one in plain.items()}
    estimates = {key: tuple(way[key] for way in ways) for key in ways[0] if key[0] in SCORES}
    thresholds = {key: threshold for key in estimates if key[1] == rule}
    return Scored(contender.name, rule, estimates, thresholds)


def parts_of(forecasts: xr.Dataset, event: int, common: BoolArray) -> Iterator[Subset]:
    """Parts of the windows scored: of each way to divide them that has more than one part."""
    start = forecasts["valid_from"].values
    year = start.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    phase = np.array(cycles.PHASES)[cycles.phase_of(start)]
    for name, values in (("cycle", cycles.cycle_of(start)), ("phase", phase), ("year", year)):
        distinct = np.unique(values[common])
        if 1 < distinct.size <= MOST_PARTS:
            yield from (Subset(f"{name}_{one}", common & (values == one)) for one in distinct)
    if "longitude" in forecasts:
        away = np.abs(forecasts["longitude"].values)
        for low, high in pairwise(LONGITUDES):
            ring = common & (away >= low) & ((away < high) | (away == LONGITUDES[-1]))
            if ring.any():
                yield Subset(f"longitude_{low}-{high}", ring)
    since = quiet_days(forecasts, event)
    flaring = since <= FLARING_DAYS
    if (common & flaring).any() and (common & ~flaring).any():
        yield Subset("history_flaring", common & flaring)
        yield Subset("history_quiet", common & ~flaring)
        if (common & (since < AFTER_DAYS)).any():
            yield Subset("after_event", common & (since < AFTER_DAYS))
