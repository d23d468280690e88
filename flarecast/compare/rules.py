"""The decision thresholds that each of the forecasts compared may use.

A run brings those that its calibration chose. Anybody else takes, as in `evaluate`, the ones best on its own
forecasts over the calibration windows of the first run that has some, and 0.5 beside them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.compare.entries import Entry
from flarecast.errors import FlarecastError
from flarecast.evaluate.contenders import FIXED, NO_CHOICE, Contender, Rules, contenders_of
from flarecast.evaluate.pairing import Paired, pair

IntArray = NDArray[np.int64]


def contenders(
    lead: xr.Dataset,
    entries: Sequence[Entry],
    paired: Mapping[str, Paired],
    baselines: Sequence[str],
    warnings: list[str],
) -> list[Contender]:
    """What is scored: every entry, then the baselines, on the windows of the first entry.

    Args:
        lead: Windows compared, see `matching.leading`.
        entries: The forecasts.
        paired: Their forecasts beside those windows, by name.
        baselines: Names of reference forecasts inside the first entry that has any.
        warnings: Sentences are added here.

    Raises:
        FlarecastError: No entry holds such a baseline.
    """
    calibrating = next((entry for entry in entries if _chose(entry) and entry.calibrates), None)
    found = []
    for entry in entries:
        one = paired[entry.name]
        if _chose(entry):
            own = contenders_of(entry.scored, {}, warnings)[0]
            rules = _laid(lead, own.rules, entry.scored["event"].values, one.row)
        elif calibrating is not None:
            rules = _chosen(lead, calibrating, entry, paired)
        else:
            rules = tuple(dict(FIXED) for _ in lead["event"].values)
        found.append(Contender(entry.name, one.probability, rules, given=True))
    return found + [_baseline(lead, name, entries, paired) for name in baselines]


def rule_sentence(entries: Sequence[Entry], everybody: Sequence[Contender]) -> str:
    """Where decision thresholds come from, in words."""
    calibrating = next((entry.name for entry in entries if _chose(entry) and entry.calibrates), "")
    own = {entry.name for entry in entries if _chose(entry)}
    found: dict[str, list[str]] = {}
    for one in everybody:
        if all(next(iter(rules)) == "fixed" for rules in one.rules):
            how = "0.5, for want of calibration windows, for"
        elif one.name in own:
            how = "those that its calibration chose for"
        else:
            how = f"those best on its own forecasts over the calibration windows of {calibrating} for"
        found.setdefault(how, []).append(one.name)
    return "decision thresholds: " + "; ".join(f"{how} {', '.join(names)}" for how, names in found.items())


def _chose(entry: Entry) -> bool:
    """Whether calibration left decision thresholds in its file."""
    return "decision_threshold" in entry.forecasts.attrs


def _chosen(lead: xr.Dataset, run: Entry, entry: Entry, paired: Mapping[str, Paired]) -> tuple[Rules, ...]:
    """Decision thresholds best on an entry's own forecasts over the calibration windows of a run."""
    beside = pair(run.forecasts, entry.forecasts)
    listed = contenders_of(run.forecasts, {entry.name: beside}, [])
    own = next(one for one in listed if one.given and one.name == entry.name)
    return _laid(lead, own.rules, run.forecasts["event"].values, _row_of(run, paired))


def _row_of(entry: Entry, paired: Mapping[str, Paired]) -> IntArray:
    """Window of an entry's whole file for every window compared, -1 where there is none."""
    row = paired[entry.name].row
    return np.where(row >= 0, entry.rows[row], -1)


def _laid(
    lead: xr.Dataset, rules: Sequence[Rules], events: NDArray[np.object_], row: IntArray
) -> tuple[Rules, ...]:
    """Decision thresholds of a file's events and windows, in the events and windows compared."""
    of_event = {str(event): one for event, one in zip(events, rules, strict=True)}
    return tuple(
        {
            rule: np.where(row >= 0, cut[row], NO_CHOICE) if isinstance(cut, np.ndarray) else cut
            for rule, cut in of_event.get(str(event), FIXED).items()
        }
        for event in lead["event"].values
    )


def _baseline(
    lead: xr.Dataset, name: str, entries: Sequence[Entry], paired: Mapping[str, Paired]
) -> Contender:
    """A reference forecast that stands in an entry's file."""
    holding = [entry for entry in entries if "reference" in entry.forecasts]
    known = list(dict.fromkeys(str(one) for entry in holding for one in entry.forecasts["forecast"].values))
    for entry in holding:
        listed = {one.name: one for one in contenders_of(entry.forecasts, {}, [])}
        if name in entry.forecasts["forecast"].values and name in listed:
            row = _row_of(entry, paired)
            columns = {str(event): nth for nth, event in enumerate(entry.forecasts["event"].values)}
            probability = np.full(lead["probability"].shape, np.nan)
            for nth, event in enumerate(map(str, lead["event"].values)):
                if event in columns:
                    values = listed[name].probability[row, columns[event]]
                    probability[:, nth] = np.where(row >= 0, values, np.nan)
            rules = _laid(lead, listed[name].rules, entry.forecasts["event"].values, row)
            return Contender(name, probability, rules)
    raise FlarecastError(
        f"--baseline {name}: expected a reference forecast in one of the files, got only "
        f"{', '.join(known) or 'files without any'}"
    )
