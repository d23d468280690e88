"""How far members of an ensemble spread in every score: chance of training, apart from chance of sampling."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.evaluate.records import CASE_CONTROL, number_of


def seed_spread(
    forecasts: xr.Dataset, event: int, rows: NDArray[np.bool_], role: str
) -> list[dict[str, Any]]:
    """Spread over the members of each score that needs no decision threshold.

    Every member is scored alone, uncalibrated, on the same windows. Members of a deep ensemble differ by the
    seed of training alone; what others differ by is told by their ensemble. No interval of scores.json
    contains this spread, nor it those.

    Args:
        forecasts: Forecasts; without `member`, or with a single one, there is no spread.
        event: Column of the event.
        rows: Windows that are scored, shape (window,).
        role: As in the records.

    Returns:
        A row a score: how many members, their mean, standard deviation (n - 1), smallest and largest value;
        null with a reason where a member's score is undefined.
    """
    if "member" not in forecasts or forecasts.sizes["realization"] < 2:
        return []
    member = forecasts["member"].values[:, event].astype(np.float64)
    rows = rows & ~np.isnan(member).any(axis=1)
    occurred = forecasts["occurred"].values[rows, event] == 1
    # One block that is never drawn: values alone.
    sample = skill.draw_sample(occurred, np.zeros(occurred.size), np.random.default_rng(0), resamples=0)
    found = [_score(sample, one) for one in member[rows].T]
    by_outcome = forecasts.attrs.get("sampling") == "case-control"
    common = {"role": role, "event": str(forecasts["event"].values[event]), "n_members": len(found)}
    return [
        common | {"score": name, "n": sample.n, "n_events": sample.n_events} | _row(name, found, by_outcome)
        for name in found[0]
    ]


def _score(sample: skill.Sample, probability: NDArray[np.float64]) -> dict[str, skill.Estimate]:
    """Scores of one member that need no decision threshold."""
    return (
        skill.estimate_ranking(sample, probability)
        | skill.estimate_probability(sample, probability)
        | skill.estimate_calibration(sample, probability)
        | skill.estimate_economic(sample, probability)
    )


def _row(name: str, found: list[dict[str, skill.Estimate]], by_outcome: bool) -> dict[str, Any]:
    """Mean and spread of one score."""
    reason = next((one[name].reason for one in found if one[name].reason), None)
    if by_outcome and skill.find_score(name).hangs_on_rate:
        reason = CASE_CONTROL
    values = np.array([np.nan if reason else one[name].value for one in found])
    return {
        "mean": number_of(values.mean()),
        "deviation": number_of(values.std(ddof=1)),
        "lowest": number_of(values.min()),
        "highest": number_of(values.max()),
        "reason": reason,
    }
