"""Compare forecasts pair by pair, on the windows that all of them have: the content of compare.json."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.compare.entries import Entry
from flarecast.compare.matching import leading, pair_all, settle_outcomes
from flarecast.compare.rules import contenders, rule_sentence
from flarecast.compare.scorecard import scorecard
from flarecast.evaluate.cautions import pairing_warnings, reading_warnings, sample_warnings, unknown_warnings
from flarecast.evaluate.contenders import Contender
from flarecast.evaluate.evaluation import ABOUT_INTERVALS
from flarecast.evaluate.pairing import Paired, describe
from flarecast.evaluate.records import Drawn, Place, difference_records, records, relative_skill_record, score
from flarecast.evaluate.significance import add_holm, permute
from flarecast.evaluate.subsets import BlockChoice, draw_ways
from flarecast.evaluate.together import common_rows, count_rows, forecasts_any
from flarecast.exchange.forecast_csv import day_ahead

BoolArray = NDArray[np.bool_]

MATCHING = (
    "forecasts pair by region, valid span and day ahead, never by the exact issue time",
    "of several issues the last at or before the start of the span counts, else the first after it",
    "only windows that all have forecast, and whose outcome is known, are compared",
    "better: the interval of the difference leaves 0 out; p: blocks swapped at random, Holm over the pairs",
)
"""The rules, in words."""


def compare(  # noqa: PLR0913  inputs, and how to resample
    entries: Sequence[Entry],
    *,
    truth: xr.Dataset | Path | None = None,
    baselines: Sequence[str] = (),
    rng: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
    blocks: BlockChoice = "wider",
    interval: skill.Form = "shifted",
) -> dict[str, Any]:
    """Score forecasts on their common windows, and every pair of them against each other.

    Args:
        entries: Two or more; the windows of the first lead.
        truth: Windows, or a list of flares, that say what occurred, in place of the files' own outcomes.
        baselines: Names of reference forecasts inside a file, say `climatology`, to compare as well.
        rng: Source of the resamples, and of the swaps of the permutation test.
        resamples: How many.
        confidence: Of the intervals.
        blocks: What the bootstrap draws as a whole, see `evaluate`.
        interval: How intervals follow from resamples, see `skill.interval`.

    Returns:
        `forecasts`, `rules` (sentences), `truth`, `warnings`, `pairing`, `records` (as in scores.json,
        differences named `<score>_minus_<other>`, Brier skill with another as the reference
        `bss_against_<other>`) and `scorecard` (who is better at what).

    Raises:
        FlarecastError: Nothing in common, outcomes that contradict each other, or none at all.
    """
    lead = leading(entries)
    paired = pair_all(lead, entries)
    warnings = _reading(entries, paired)
    lead, said = settle_outcomes(lead, paired, truth)
    if any(entry.forecasts.attrs.get("sampling") == "case-control" for entry in entries):
        lead = lead.assign_attrs(sampling="case-control")
    everybody = contenders(lead, entries, paired, baselines, warnings)
    held = {entry.name for entry in entries if entry.reference} | set(baselines)
    rows = np.ones(lead.sizes["window"], dtype=bool)
    pairing = {entry.name: describe(lead, paired[entry.name], rows) for entry in entries[1:]}
    for entry in entries[1:]:
        warnings += _unpaired(entry, pairing[entry.name], truth is not None)
    content: dict[str, Any] = {
        "forecasts": [_about(entry, lead, paired[entry.name]) for entry in entries],
        "baselines": list(baselines),
        "rules": [*MATCHING, _roles(entries), rule_sentence(entries, everybody)],
        "truth": "the files, which agree" if truth is None else _named(truth),
        "resamples": resamples,
        "confidence": confidence,
        "interval": interval,
        "about_intervals": ABOUT_INTERVALS,
        "warnings": [*warnings, *said],
        "pairing": {"forecasts": pairing, "events": {}},
        "records": [],
        "scorecard": [],
    }
    draw = partial(draw_ways, blocks=blocks, rng=rng, resamples=resamples)
    contest = _Contest(lead, everybody, held, draw)
    for event in range(lead.sizes["event"]):
        _add_event(content, contest, event, _place(lead, event, confidence, interval))
    return content


@dataclass(frozen=True)
class _Contest:
    """Who is compared on which windows, and how these are drawn; those `held` are not among each other."""

    windows: xr.Dataset
    everybody: Sequence[Contender]
    held: set[str]
    draw: Callable[[xr.Dataset, int, BoolArray], Drawn]


def _add_event(content: dict[str, Any], contest: _Contest, event: int, place: Place) -> None:
    """Add to the content what there is to say of one event, if two forecasts have it."""
    windows, warnings = contest.windows, content["warnings"]
    known = windows["occurred"].values[:, event] >= 0
    if not known.any():
        warnings.append(f"{place.event}: no outcome is known; it is not compared")
        return
    present = _present(contest.everybody, event, known, place.event, warnings)
    if len(present) < 2:
        return
    common = common_rows(present, event, known)
    counts = count_rows(np.ones_like(known), known, common)
    content["pairing"]["events"][place.event] = counts
    drawn = contest.draw(windows, event, common)
    warnings += sample_warnings(place.event, drawn)
    warnings += unknown_warnings(place.event, counts)
    found, differences = _compare_event(present, contest.held, event, common, (drawn, place))
    content["records"] += [*found, *differences]
    content["scorecard"] += scorecard(differences)


def _compare_event(
    present: Sequence[Contender],
    held: set[str],
    event: int,
    common: BoolArray,
    how: tuple[Drawn, Place],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Records of one event: scores and mutual skill; paired differences."""
    drawn, place = how
    scored = [score(one, event, common, drawn, place) for one in present]
    found = [record for one in scored for record in records(one, drawn, place)]
    differences: list[dict[str, Any]] = []
    for (first, ours), (second, theirs) in combinations(zip(present, scored, strict=True), 2):
        if first.name in held and second.name in held:
            continue
        p_values = permute(first, second, event, common, drawn, place)
        differences += difference_records(ours, theirs, drawn, place, p_values)
        found.append(relative_skill_record(ours, theirs, drawn, place))
        found.append(relative_skill_record(theirs, ours, drawn, place))
    add_holm(differences)
    known = [
        [one for one in some if not one["score"].startswith("bss_train")] for some in (found, differences)
    ]
    return known[0], known[1]


def _place(lead: xr.Dataset, event: int, confidence: float, form: skill.Form) -> Place:
    """What the records of one event have in common."""
    return Place(
        role="common",
        event=str(lead["event"].values[event]),
        subset="all",
        case_control=lead.attrs.get("sampling") == "case-control",
        confidence=confidence,
        form=form,
        training_base_rate=np.nan,
    )


def _present(
    everybody: Sequence[Contender], event: int, known: BoolArray, label: str, warnings: list[str]
) -> list[Contender]:
    """Those with at least one forecast of the event."""
    there = [forecasts_any(one, event, known) for one in everybody]
    absent = [one.name for one, has_any in zip(everybody, there, strict=True) if not has_any]
    if absent:
        warnings.append(f"{label}: no forecast of it by {', '.join(absent)}")
    return [one for one, has_any in zip(everybody, there, strict=True) if has_any]


def _reading(entries: Sequence[Entry], paired: Mapping[str, Paired]) -> list[str]:
    """What the readers of the files were lenient about, as far as it is about windows compared."""
    found = []
    for entry in entries:
        rows = paired[entry.name].row
        used = entry.scored.isel(window=rows[rows >= 0])
        late = int((used["issue_time"].values > used["valid_from"].values).sum())
        found += [f"{entry.name}: {said}" for said in reading_warnings(used.assign_attrs(n_late=late))]
    return found


def _unpaired(entry: Entry, found: dict[str, Any], by_truth: bool) -> list[str]:
    """What the reader should know of a pairing; outcomes that no longer count are not worth a word."""
    return pairing_warnings(entry.name, found | ({"outcomes_that_differ": 0} if by_truth else {}))


def _about(entry: Entry, lead: xr.Dataset, paired: Paired) -> dict[str, Any]:
    """Name, file and issue times of one of the forecasts."""
    ahead = day_ahead(entry.scored["issue_time"].values, entry.scored["valid_from"].values)
    there = paired.row >= 0
    lead_time = (lead["valid_from"].values - paired.issue_time)[there]
    return {
        "name": entry.name,
        "file": entry.path.name,
        "reference": entry.reference,
        "role": entry.role,
        "windows": int(entry.rows.size),
        "common": int(there.sum()),
        "days_ahead": [int(one) for one in np.unique(ahead)],
        "hours_issued_before": float(np.median(lead_time)) / 3600 if there.any() else None,
    }


def _roles(entries: Sequence[Entry]) -> str:
    """Which windows of each file may be compared, in words."""
    tested = [entry.name for entry in entries if entry.role == "test"]
    others = [entry.name for entry in entries if entry.role != "test"]
    parts = [f"the test role of {', '.join(tested)}" if tested else ""]
    parts.append(f"all windows of {', '.join(others)}, without roles" if others else "")
    return f"windows: {'; '.join(part for part in parts if part)}"


def _named(truth: xr.Dataset | Path) -> str:
    """The truth's name."""
    return truth.name if isinstance(truth, Path) else f"windows of {truth.attrs.get('source', 'a file')}"
