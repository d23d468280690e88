"""P-values of differences: blocks swapped between two contenders, and Holm's correction over several."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import skill
from flarecast.evaluate.contenders import Contender
from flarecast.evaluate.records import SAMPLE_RULE, Drawn, Place, PValues, cut_of


def permute(
    first: Contender, second: Contender, event: int, rows: NDArray[np.bool_], drawn: Drawn, place: Place
) -> PValues:
    """P-values of the differences of two contenders in every score, for every way to take blocks.

    There are as many swaps as resamples; each rule for the decision threshold meets the same of the other and
    its main one.

    Args:
        first: One forecast.
        second: Another.
        event: Column of the event.
        rows: Windows that are scored, shape (window,).
        drawn: The same windows, drawn.
        place: What the records have in common.

    Returns:
        By what is drawn as a whole, then by score, rule and the other's rule; nothing without windows.
    """
    if not rows.any():
        return {}
    probability = first.probability[rows, event], second.probability[rows, event]
    cuts, theirs = (
        {rule: cut_of(threshold, rows) for rule, threshold in one.rules[event].items()}
        for one in (first, second)
    )
    rate = cut_of(place.training_base_rate, rows)
    found: PValues = {}
    for way, sample in drawn.ways.items():
        swaps = drawn.draw_swaps(way)
        of_rules = {
            (name, rule, other): p
            for rule, cut in cuts.items()
            for other in {rule, next(iter(theirs))} & theirs.keys()
            for name, p in skill.permute_contingency(
                sample, swaps, (probability[0], cut), (probability[1], theirs[other])
            ).items()
        }
        of_all = skill.permute_probability(sample, swaps, *probability, rate)
        of_all |= skill.permute_ranking(sample, swaps, *probability)
        of_all |= skill.permute_calibration(sample, swaps, *probability)
        of_all |= skill.permute_economic(sample, swaps, *probability)
        found[way] = of_rules | {(name, *_rule_twice(name)): p for name, p in of_all.items()}
    return found


def add_holm(records: Iterable[dict[str, Any]]) -> None:
    """Add `p_holm` to records of differences: corrected over all that are about one score and rule."""
    families: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for record in records:
        families.setdefault(_family(record), []).append(record)
    for family in families.values():
        found = np.array([record["p_value"] for record in family], dtype=np.float64)  # None becomes NaN
        for record, corrected in zip(family, skill.holm(found), strict=True):
            record["p_holm"] = None if np.isnan(corrected) else float(corrected)


def _family(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What several tests have in common that are corrected together."""
    name = str(record["score"]).removesuffix(f"_minus_{record['reference']}")
    return record["role"], record["event"], record["subset"], name, record.get("decision_rule")


def _rule_twice(name: str) -> tuple[str, str]:
    return (SAMPLE_RULE, SAMPLE_RULE) if name == "tss_max" else ("", "")
