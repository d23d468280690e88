"""Scores of all nested events of a forecast at once: records of event `classes`, and confusion matrices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.evaluate.contenders import Contender
from flarecast.evaluate.records import Drawn, Estimates, Place, PValues, cut_of, number_of, record_of
from flarecast.evaluate.significance import add_holm

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

CLASSES = "classes"
"""Event of the records that are about all events together."""

NONE = "none"
"""Class of windows without any of the events."""


@dataclass(frozen=True)
class ClassForecast:
    """One contender on the windows scored, shapes (window, event), and its scores in all ways to resample."""

    name: str
    probability: FloatArray
    cut: FloatArray
    estimates: dict[str, Estimates]


def labels_of(forecasts: xr.Dataset) -> tuple[str, ...]:
    """Class names: `none`, then each event, which is then that event and no stronger one."""
    return (NONE, *map(str, forecasts["event"].values))


def class_rows(forecasts: xr.Dataset, contenders: Sequence[Contender], rows: BoolArray) -> BoolArray:
    """Windows whose outcome is known for every event, and which all contenders forecast for every event."""
    known = rows & (forecasts["occurred"].values >= 0).all(axis=1)
    missing = np.any([np.isnan(one.probability).any(axis=1) for one in contenders], axis=0)
    both: BoolArray = known & ~missing
    return both


def forecast_classes(contenders: Sequence[Contender], rows: BoolArray) -> list[Contender]:
    """Contenders that forecast every event somewhere in the windows; the first, the model, always."""
    there = [(rows & ~np.isnan(one.probability).any(axis=1)).any() for one in contenders]
    return [one for nth, one in enumerate(contenders) if nth == 0 or there[nth]]


def score_classes(
    forecasts: xr.Dataset, contenders: Sequence[Contender], rows: BoolArray, drawn: Drawn, place: Place
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Scores of classes of every contender, the model's differences, and confusion matrices.

    A class is forecast at the main decision threshold of each event. `n_events` and the blocks with events
    are those of what a score hangs on: of one class its own, of `gmgs` the class that the fewest blocks hold,
    else of the weakest event.

    Args:
        forecasts: The forecasts that are evaluated.
        contenders: See `forecast_classes`.
        rows: Windows that are scored, shape (window,).
        drawn: The same windows, drawn.
        place: What the records have in common; its event is replaced.

    Returns:
        Records, and confusion matrices: `counts` by class forecast, then class observed.
    """
    place, labels = replace(place, event=CLASSES), labels_of(forecasts)
    occurred = forecasts["occurred"].values[rows] == 1
    views = {label: _view(drawn, skill.class_of(occurred) == nth) for nth, label in enumerate(labels)}
    rarest = min(views.values(), key=lambda view: view.first.n_event_blocks)
    views |= {"": drawn, "gmgs": rarest}
    scored = [_score(one, occurred, rows, drawn, labels) for one in contenders]
    records = [
        record_of(one.name, name, estimates, _view_of(name, views), place)
        for one in scored
        for name, estimates in one.estimates.items()
    ]
    differences: list[dict[str, Any]] = []
    for contender, other in zip(contenders, scored, strict=True):
        if contender.compared:
            p_values = _permute(scored[0], other, occurred, drawn, labels)
            differences += _differences(scored[0], other, views, place, p_values)
    add_holm(differences)
    return records + differences, [_confusion(one, occurred, place, labels) for one in scored]


def _score(
    contender: Contender, occurred: BoolArray, rows: BoolArray, drawn: Drawn, labels: Sequence[str]
) -> ClassForecast:
    """Scores of classes of one contender, resampled in every way."""
    probability = contender.probability[rows]
    cuts = [cut_of(next(iter(rules.values())), rows) for rules in contender.rules]
    cut = np.stack([np.broadcast_to(one, len(probability)) for one in cuts], axis=1)
    ways = [
        skill.estimate_classes(sample, probability, occurred, cut, labels) for sample in drawn.ways.values()
    ]
    return ClassForecast(
        contender.name, probability, cut, {name: tuple(way[name] for way in ways) for name in ways[0]}
    )


def _view(drawn: Drawn, occurred: BoolArray) -> Drawn:
    """The same windows and draws, as seen by one class."""
    ways = {
        way: replace(
            sample,
            occurred=occurred,
            n_event_blocks=int(np.unique(sample.blocks.code[occurred]).size),
            n_quiet_blocks=int(np.unique(sample.blocks.code[~occurred]).size),
        )
        for way, sample in drawn.ways.items()
    }
    return replace(drawn, ways=ways)


def _view_of(score: str, views: dict[str, Drawn]) -> Drawn:
    """The windows as seen by what a score hangs on."""
    return views.get(score) or views[score.partition("@")[2]]


def _permute(
    first: ClassForecast, second: ClassForecast, occurred: BoolArray, drawn: Drawn, labels: Sequence[str]
) -> PValues:
    """P-values of the differences of two contenders, by way and score."""
    pair = [(one.probability, one.cut) for one in (first, second)]
    found: PValues = {}
    for way, sample in drawn.ways.items():
        swaps = drawn.draw_swaps(way)
        of_way = skill.permute_classes(sample.blocks, swaps, occurred, pair, labels)
        found[way] = {(name, "", ""): p for name, p in of_way.items()}
    return found


def _differences(
    model: ClassForecast, other: ClassForecast, views: dict[str, Drawn], place: Place, p_values: PValues
) -> Iterator[dict[str, Any]]:
    """Records of the paired differences model minus another."""
    for name, estimates in model.estimates.items():
        pairs = zip(estimates, other.estimates[name], strict=True)
        difference = tuple(skill.minus(ours, its) for ours, its in pairs)
        drawn = _view_of(name, views)
        record = record_of(model.name, f"{name}_minus_{other.name}", difference, drawn, place, hangs_on=name)
        p_value = p_values[record["blocks"]][name, "", ""]
        yield record | {
            "reference": other.name,
            "p_value": None if record["low"] is None else number_of(p_value),
        }


def _confusion(
    scored: ClassForecast, occurred: BoolArray, place: Place, labels: Sequence[str]
) -> dict[str, Any]:
    """Windows by class forecast and class observed, and the decision thresholds behind them."""
    counts = skill.sum_classes(scored.probability, occurred, scored.cut).confusion
    thresholds = [np.unique(scored.cut[:, nth]).tolist() for nth in range(scored.cut.shape[1])]
    return {
        "role": place.role,
        "forecast": scored.name,
        "classes": list(labels),
        "counts": counts.astype(int).tolist(),
        "decision_thresholds": dict(zip(labels[1:], thresholds, strict=True)),
    }
