"""Windows, regions and events of each role; warnings where base rates differ or events are few."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.audit.findings import EVENT_BLOCKS, FEW_BLOCKS, Finding, counted
from flarecast.schema import ROLES

BASE_RATE_RATIO = 2.0
"""Base rates of two roles that differ by more are warned about."""

Counts = Mapping[str, Any]


def count_roles(
    role: NDArray[np.int8], region: NDArray[np.int64], block: NDArray[np.int64],
    occurred: NDArray[np.int8], events: Sequence[str],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Windows, regions and events of each role.

    Args:
        role: Role in one fold, shape (window,).
        region: Linked region, shape (window,).
        block: Independent block, shape (window,).
        occurred: 1, 0 or -1, shape (window, event).
        events: GOES classes.
    """
    table = {}
    for number, name in enumerate(ROLES):
        mine = role == number
        by_event = {}
        for column, event in enumerate(events):
            yes, known = mine & (occurred[:, column] == 1), mine & (occurred[:, column] >= 0)
            by_event[event] = {
                "known": int(known.sum()),
                "events": int(yes.sum()),
                "base_rate": float(yes.sum() / known.sum()) if known.any() else None,
                "event_blocks": int(np.unique(block[yes]).size),
            }
        table[name] = {
            "windows": int(mine.sum()),
            "regions": int(np.unique(region[mine]).size),
            "events": by_event,
        }
    return table


def base_rates(counts: Mapping[str, Counts], events: Sequence[str]) -> Iterator[Finding]:
    """Warn, an event at a time, where base rates differ by more than 2x; the worst pair is named."""
    for event in events:
        rates = {
            name: entry["events"][event]["base_rate"]
            for name, entry in counts.items()
            if name != ROLES[0] and entry["events"][event]["known"]
        }
        wide = [
            pair
            for pair in combinations(rates, 2)
            if _ratio(rates[pair[0]], rates[pair[1]]) > BASE_RATE_RATIO
        ]
        if wide:
            one, other = max(wide, key=lambda pair: _ratio(rates[pair[0]], rates[pair[1]]))
            ratio = _ratio(rates[one], rates[other])
            factor = f"by a factor of {ratio:.1f}" if np.isfinite(ratio) else "infinitely"
            text = (
                f"base rates of {event} differ {factor} between {one} ({rates[one]:.4f}) and {other} "
                f"({rates[other]:.4f}); probabilities will be off where the rate moved, and scores that "
                "depend on it do not compare"
            )
            yield Finding("base rate", "warning", text, len(wide), pairs_in_words(wide), (one, other))


def few_event_blocks(counts: Mapping[str, Counts], events: Sequence[str]) -> Iterator[Finding]:
    """Warn where a role has under 20 independent blocks with an event."""
    for name, entry in counts.items():
        for event in events:
            n = entry["events"][event]["event_blocks"]
            if name != ROLES[0] and entry["windows"] and n < EVENT_BLOCKS:
                text = (
                    f"{name} has {counted(n, 'event block')} of {event} in "
                    f"{counted(entry['windows'], 'window')}, fewer than {EVENT_BLOCKS}; "
                    "intervals will be wide"
                )
                yield Finding(FEW_BLOCKS, "warning", text, n, (event,), (name,))


def _ratio(one: float, other: float) -> float:
    """Larger over smaller; 1 for two zeros, infinite for one."""
    low, high = sorted((one, other))
    return high / low if low > 0 else (1.0 if high == 0 else np.inf)


def pairs_in_words(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Pairs of roles in words."""
    return tuple(f"{one} and {other}" for one, other in pairs)
