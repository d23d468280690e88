"""Permutation importance: how much worse forecasts become when a unit no longer belongs to its window.

The drop is in skill on whole windows, so that a feature which another one repeats shows little of what it
holds: permute the group. Every unit is permuted by the same swaps, and scored on the same resamples of
blocks, so that differences between units are paired, too. Source: Breiman (2001), Machine Learning 45, 5;
Fisher et al. (2019), JMLR 20, 177.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import skill
from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.evaluate.records import CASE_CONTROL, Drawn, widest
from flarecast.evaluate.subsets import draw_ways
from flarecast.explain.parts import Explained
from flarecast.explain.permuted import permuted_probability
from flarecast.explain.swaps import swap_regions
from flarecast.explain.units import Unit, make_units

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Estimates = dict[str, list[skill.Estimate]]

SCORES: dict[str, int] = {"average_precision": 1, "bss": 1, "roc_auc": 1, "log_loss": -1}
"""Scores that may drop, and whether more of them is better (1) or worse (-1)."""


@dataclass(frozen=True)
class _Forecasts:
    """Windows of all parts together: outcomes, and probabilities before and after permuting.

    Attributes:
        forecasts: Of all parts, one behind the other.
        permuted: Shape (repeat, unit, window, event).
    """

    forecasts: xr.Dataset
    permuted: FloatArray


def explain_importance(explained: Explained, config: Config) -> dict[str, Any]:
    """Importance of features, groups, spans of steps and the latest known outcome for every event.

    Args:
        explained: Windows and models.
        config: Sections run, explain and evaluate are used.

    Returns:
        `name`, `role`, `calibrated`, `repeats`, `records`: event, score, kind, unit, drop (positive: worse
        without), low, high, spread (standard deviation over repeats), base, n, n_events, n_blocks,
        n_event_blocks, blocks, reason.

    Raises:
        FlarecastError: No event occurred in the role, an unknown group, or too few regions to permute.
    """
    settings, rng = config.explain, config.generator("explain")
    features = list(dict.fromkeys(name for part in explained.parts for name in part.model.features))
    units = make_units(explained.windows, features, settings)
    found = _permute(explained, units, settings.repeats, rng)
    occurred = found.forecasts["occurred"].values
    if not (occurred == 1).any():
        events = ", ".join(map(str, found.forecasts["event"].values))
        raise FlarecastError(
            f"role {explained.role}: expected windows with an event out of {events}, got none among "
            f"{len(occurred):,}; name another --role"
        )
    records: list[dict[str, Any]] = []
    for event in range(occurred.shape[1]):
        records += _event_records(found, units, event, config, rng)
    return {
        "name": explained.name,
        "role": explained.role,
        "calibrated": explained.parts[0].calibration is not None,
        "repeats": settings.repeats,
        "records": records,
    }


def _permute(
    explained: Explained, units: Sequence[Unit], repeats: int, rng: np.random.Generator
) -> _Forecasts:
    """Forecast all parts as they are and permuted; regions are swapped inside a part."""
    permuted = []
    for part in explained.parts:
        cluster, issue = (part.forecasts[name].values for name in ("cluster", "issue_time"))
        donors = [swap_regions(cluster, issue, rng) for _ in range(repeats)]
        permuted.append(np.stack([permuted_probability(part, units, donor) for donor in donors]))
    together = xr.concat(
        [part.forecasts for part in explained.parts], "window", data_vars="minimal", coords="minimal",
        compat="override", join="exact", combine_attrs="override",
    )  # fmt: skip
    return _Forecasts(together, np.concatenate(permuted, axis=2))


def _event_records(
    found: _Forecasts, units: Sequence[Unit], event: int, config: Config, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Records of one event; units that change no forecast at all are left out where they are an outcome."""
    forecasts = found.forecasts
    rows = forecasts["occurred"].values[:, event] >= 0
    drawn = draw_ways(
        forecasts, event, rows, blocks=config.evaluate.blocks, rng=rng, resamples=config.evaluate.resamples
    )
    own = np.asarray(forecasts["probability"].values[rows, event], dtype=np.float64)
    base = _estimate(drawn, own)
    records = []
    for nth, unit in enumerate(units):
        probability = found.permuted[:, nth][:, rows, event]
        if unit.kind == "outcome" and (probability == own).all():
            continue  # most models do not read it
        repeats = [_estimate(drawn, one) for one in probability]
        for score, sign in SCORES.items():
            drops = [
                [_signed(skill.minus(*pair), sign) for pair in zip(base[score], one[score], strict=True)]
                for one in repeats
            ]
            said = {
                "event": str(forecasts["event"].values[event]),
                "score": score,
                "kind": unit.kind,
                "unit": unit.name,
            }
            case_control = forecasts.attrs.get("sampling") == "case-control"
            unfit = case_control and skill.SCORES[score].hangs_on_rate
            records.append(said | _record(drops, base[score][0].value, drawn, config, unfit))
    return records


def _estimate(drawn: Drawn, probability: FloatArray) -> Estimates:
    """The scores of one forecast, resampled in each way."""
    found: Estimates = {name: [] for name in SCORES}
    for sample in drawn.ways.values():
        both = skill.estimate_ranking(sample, probability) | skill.estimate_probability(sample, probability)
        for name, estimates in found.items():
            estimates.append(both[name])
    return found


def _mean(estimates: Sequence[skill.Estimate]) -> skill.Estimate:
    """Mean over repeats, in value and in every resample."""
    return replace(
        estimates[0],
        value=float(np.mean([one.value for one in estimates])),
        resampled=np.mean([one.resampled for one in estimates], axis=0),
        left_out=np.mean([one.left_out for one in estimates], axis=0),
    )


def _signed(estimate: skill.Estimate, sign: int) -> skill.Estimate:
    """A difference that is positive where the first forecast is better."""
    return replace(
        estimate,
        value=sign * estimate.value,
        resampled=sign * estimate.resampled,
        left_out=sign * estimate.left_out,
        limits=estimate.limits if sign > 0 else (-estimate.limits[1], -estimate.limits[0]),
    )


def _record(
    drops: list[list[skill.Estimate]], base: float, drawn: Drawn, config: Config, unfit: bool
) -> dict[str, Any]:
    """Mean drop over repeats with its interval, and how far single repeats differ; drops (repeat)(way)."""
    ways = tuple(_mean(way) for way in zip(*drops, strict=True))
    if unfit:
        ways = tuple(replace(one, value=np.nan, reason=CASE_CONTROL) for one in ways)
        base = np.nan
    blocks, bounds = widest(ways, drawn, config.evaluate.confidence, config.evaluate.interval)
    sample = drawn.ways[blocks]
    values = [repeat[0].value for repeat in drops]
    spread = np.nan if unfit or len(values) < 2 else float(np.std(values, ddof=1))
    return {
        "drop": ways[0].value,
        "low": bounds.low,
        "high": bounds.high,
        "spread": spread,
        "base": base,
        "n": sample.n,
        "n_events": sample.n_events,
        "n_blocks": sample.blocks.n,
        "n_event_blocks": sample.n_event_blocks,
        "blocks": blocks,
        "reason": bounds.reason or None,
    }
