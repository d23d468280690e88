"""Score a forecast beside its references: the content of scores.json."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.evaluate.breakdowns import MOST_RESAMPLES, compared_in_parts, score_breakdowns
from flarecast.evaluate.cautions import (
    pairing_warnings,
    reading_warnings,
    sample_warnings,
    unknown_warnings,
)
from flarecast.evaluate.classes import class_rows, forecast_classes, score_classes
from flarecast.evaluate.contenders import Contender, contender_raw, contenders_of, reference_names
from flarecast.evaluate.occasions import score_occasions
from flarecast.evaluate.pairing import Paired, describe, pair, require_pairs
from flarecast.evaluate.records import Drawn, Place, difference_records, lost_record, records, score
from flarecast.evaluate.significance import add_holm, permute
from flarecast.evaluate.simpson import simpson_warnings
from flarecast.evaluate.spread import seed_spread
from flarecast.evaluate.subsets import (
    OUT_OF_FOLD,
    BlockChoice,
    draw_ways,
    out_of_fold_subsets,
    subsets_of,
)
from flarecast.evaluate.together import common_rows, count_rows, forecasts_any
from flarecast.evaluate.truth import fill_truth
from flarecast.schema import ROLES

BoolArray = NDArray[np.bool_]
Draw = Callable[[xr.Dataset, int, BoolArray], Drawn]

ABOUT_INTERVALS = "intervals are about sampling within this period, not between cycles"

WITHOUT_DECISION = (*skill.RANKING, *skill.PROBABILITY, *skill.CALIBRATION, *skill.ECONOMIC)
"""Scores that need no decision threshold."""


def evaluate(  # noqa: PLR0913  inputs, how to resample, and two names for the record
    forecasts: xr.Dataset,
    *,
    references: Mapping[str, xr.Dataset] | None = None,
    truth: xr.Dataset | Path | None = None,
    rng: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
    blocks: BlockChoice = "wider",
    interval: skill.Form = "shifted",
    run: str = "",
    data: str = "",
) -> dict[str, Any]:
    """Score forecasts with intervals, on the windows that every forecast has.

    Role test is scored, or all windows where there is none. The forecasts evaluated are called `model`;
    beside them stand `raw`, the references in the file, the truths of a simulation, and the references given.
    Of several records of one score the first has the main decision threshold.

    Args:
        forecasts: Forecasts, ours or anybody's.
        references: Other forecasts by name; a name in their own attribute goes first.
        truth: Windows, or a list of flares, that say what occurred, in place of the file's own outcomes.
        rng: Source of the resamples.
        resamples: How many.
        confidence: Of the intervals.
        blocks: What the bootstrap draws as a whole: each `region`, each 27-day `rotation` of a fixed
            calendar, or both, one after the other, of which the `wider` interval is reported.
        interval: How intervals follow from resamples, see `skill.interval`.
        run: Name of the run, for the record.
        data: Name of the file, for the record.

    Returns:
        `run`, `data`, `forecast_name`, `calibrated` (by us), `role`, `resamples`, `confidence`, `interval`,
        `about_intervals` (a sentence), `blocks` (of every event: how many, and with events), `seed_spread`
        (over members of an ensemble), `records`, `confusion` (where there are several events: windows by
        class forecast and observed), `warnings` (sentences) and `pairing` (how many windows were compared and
        left out, with both issue times).

    Raises:
        FlarecastError: A reference has nothing in common with the forecasts, or its name is taken.
    """
    warnings = reading_warnings(forecasts)
    if truth is not None:
        forecasts, said = fill_truth(forecasts, truth)
        warnings += said
    role, rows = _scored_rows(forecasts)
    paired = _pair_all(forecasts, references or {})
    contenders = contenders_of(forecasts, paired, warnings)
    pairing = {name: describe(forecasts, one, rows) for name, one in paired.items()}
    for name, told in pairing.items():
        warnings += pairing_warnings(name, told)
    content: dict[str, Any] = {
        "run": run,
        "data": data,
        "forecast_name": str(forecasts.attrs["forecast_name"]),
        "calibrated": bool(forecasts.attrs.get("calibrated", False)),
        "role": role,
        "resamples": resamples,
        "confidence": confidence,
        "interval": interval,
        "about_intervals": ABOUT_INTERVALS,
        "blocks": {},
        "seed_spread": [],
        "warnings": warnings,
        "pairing": {"references": pairing, "events": {}},
        "records": [],
    }
    draw = partial(draw_ways, blocks=blocks, rng=rng, resamples=resamples)
    draw_fewer = partial(draw, resamples=min(resamples, MOST_RESAMPLES))
    contest = _Contest(forecasts, contenders, rows, draw, draw_fewer)
    for event in range(forecasts.sizes["event"]):
        place = _place(forecasts, event, role, confidence, interval)
        _add_event(content, contest, event, place)
    if forecasts.sizes["event"] > 1:
        place = _place(forecasts, 0, role, confidence, interval)
        content |= _score_all_classes(contest, place, content["records"])
    return content


@dataclass(frozen=True)
class _Contest:
    """Who is scored, on which windows, shape (window,), and how these are resampled, in full and briefly."""

    forecasts: xr.Dataset
    contenders: list[Contender]
    rows: BoolArray
    draw: Draw
    draw_fewer: Draw


def _add_event(content: dict[str, Any], contest: _Contest, event: int, place: Place) -> None:
    """Add to the content what there is to say of one event."""
    forecasts, found, warnings = contest.forecasts, content["records"], content["warnings"]
    known = contest.rows & (forecasts["occurred"].values[:, event] >= 0)
    present = _present(contest.contenders, event, known, place.event, warnings)
    common = common_rows(present, event, known)
    counts = count_rows(contest.rows, known, common)
    drawn = contest.draw(forecasts, event, common)
    content["pairing"]["events"][place.event] = counts
    content["blocks"][place.event] = _block_counts(drawn)
    found += _score_event(present, event, common, place, drawn)
    found += _score_subsets(forecasts, present, event, common, place, contest.draw)
    found += score_occasions(forecasts, compared_in_parts(present), event, common, drawn, place)
    found += score_breakdowns(forecasts, present, event, common, place, contest.draw_fewer)
    warnings += simpson_warnings(found, place.event)
    found += _score_folds(forecasts, event, place, contest.draw)
    content["seed_spread"] += seed_spread(forecasts, event, common, place.role)
    warnings += sample_warnings(place.event, drawn)
    warnings += unknown_warnings(place.event, counts)


def _score_all_classes(contest: _Contest, place: Place, found: list[dict[str, Any]]) -> dict[str, Any]:
    """All records, with those of all events together, and the confusion matrices."""
    forecasts, rows = contest.forecasts, contest.rows
    present = forecast_classes(contest.contenders, rows)
    common = class_rows(forecasts, present, rows)
    drawn = contest.draw(forecasts, 0, common)
    more, confusions = score_classes(forecasts, present, common, drawn, place)
    return {"records": found + more, "confusion": confusions}


def _scored_rows(forecasts: xr.Dataset) -> tuple[str, BoolArray]:
    """Role test, or every window where there is none."""
    test = forecasts["role"].values == ROLES.index("test")
    return ("test", test) if test.any() else ("all", np.ones(test.size, dtype=bool))


def _pair_all(forecasts: xr.Dataset, references: Mapping[str, xr.Dataset]) -> dict[str, Paired]:
    """Lay every given reference beside the forecasts, by its name in scores.json."""
    paired = {}
    for key, name in reference_names(forecasts, references).items():
        paired[name] = pair(forecasts, references[key])
        require_pairs(name, forecasts, references[key], paired[name])
    return paired


def _place(forecasts: xr.Dataset, event: int, role: str, confidence: float, form: skill.Form) -> Place:
    """What the records of one event have in common."""
    return Place(
        role=role,
        event=str(forecasts["event"].values[event]),
        subset="all",
        case_control=forecasts.attrs.get("sampling") == "case-control",
        confidence=confidence,
        form=form,
        training_base_rate=_training_rate(forecasts, event),
    )


def _training_rate(forecasts: xr.Dataset, event: int) -> float | NDArray[np.float64]:
    """Event rate that training saw; where folds differ, that of each window's, shape (window,)."""
    if forecasts.attrs.get("final_fold") is not None and np.unique(forecasts["fold"].values).size > 1:
        names = [str(name) for name in forecasts["forecast"].values]
        rate: NDArray[np.float64] = forecasts["reference"].values[:, event, names.index("climatology")]
        return rate
    rates = np.atleast_1d(forecasts.attrs.get("training_base_rate", np.nan))
    return float(rates[event]) if event < rates.size else np.nan


def _present(
    contenders: list[Contender], event: int, known: BoolArray, label: str, warnings: list[str]
) -> list[Contender]:
    """Contenders with at least one forecast of the event; the model always."""
    there = [forecasts_any(one, event, known) for one in contenders]
    for one, has_any in zip(contenders, there, strict=True):
        if one.given and not has_any:
            warnings.append(f"{label}: {one.name} has no forecast of it for these windows and is left out")
    there[0] = True
    return [one for one, has_any in zip(contenders, there, strict=True) if has_any]


def _block_counts(drawn: Drawn) -> dict[str, dict[str, int]]:
    """How many blocks there are, and how many with events, for every way to draw them."""
    return {
        way: {"n_blocks": sample.blocks.n, "n_event_blocks": sample.n_event_blocks}
        for way, sample in drawn.ways.items()
    }


def _score_event(
    contenders: list[Contender], event: int, common: BoolArray, place: Place, drawn: Drawn
) -> list[dict[str, Any]]:
    """Records of one event: the scores of all, and the model's differences to those it is compared with."""
    scored = [score(one, event, common, drawn, place) for one in contenders]
    found = [record for one in scored for record in records(one, drawn, place)]
    found += [lost_record(one, drawn, place) for one in scored]
    differences: list[dict[str, Any]] = []
    for contender, other in zip(contenders, scored, strict=True):
        if contender.compared:
            p_values = permute(contenders[0], contender, event, common, drawn, place)
            differences += difference_records(scored[0], other, drawn, place, p_values)
    add_holm(differences)
    return found + differences


def _score_subsets(
    forecasts: xr.Dataset,
    contenders: list[Contender],
    event: int,
    common: BoolArray,
    place: Place,
    draw: Draw,
) -> list[dict[str, Any]]:
    """Records of the subsets of one event's windows."""
    found: list[dict[str, Any]] = []
    for subset in subsets_of(forecasts, event, common):
        drawn, part = draw(forecasts, event, subset.rows), replace(place, subset=subset.name)
        for one in contenders if subset.of_all else contenders[:1]:
            found += records(score(one, event, subset.rows, drawn, part), drawn, part)
    return found


def _score_folds(forecasts: xr.Dataset, event: int, place: Place, draw: Draw) -> list[dict[str, Any]]:
    """Raw forecasts of windows that their model was not trained on, pooled and fold by fold.

    Calibration was fitted on these windows, so that calibrated scores, and those with a decision threshold,
    would flatter.
    """
    raw = contender_raw(forecasts)
    found: list[dict[str, Any]] = []
    for subset in out_of_fold_subsets(forecasts, raw.probability, event):
        drawn = draw(forecasts, event, subset.rows)
        part = replace(place, role=OUT_OF_FOLD, subset=subset.name)
        scored = score(raw, event, subset.rows, drawn, part)
        found += records(scored, drawn, part, WITHOUT_DECISION)
    return found
