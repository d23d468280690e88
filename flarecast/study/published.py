"""Numbers of Camporeale & Berger on SWPC's forecasts and persistence, as printed, to two digits.

Source: Camporeale & Berger (2025), Space Weather 23, e2025SW004546 (arXiv 2508.01114), Tables 2-5 and 9-12
and the counts of its X forecasts, as transcribed in the public replication shoulders-ai/repliclaude. Full
disk, one forecast a day, 1998 to 2024, 9,828 days with 2,021 days of M and 254 days of X flares.
"""

from dataclasses import dataclass

DAYS, M_DAYS, X_DAYS = 9828, 2021, 254
FIRST_YEAR, LAST_YEAR = 1998, 2024


@dataclass(frozen=True)
class Printed:
    """One row of one table.

    Attributes:
        table: Its number.
        event: `M` or `X`.
        day_ahead: 1, 2 or 3.
        forecast: `swpc` or `persistence`.
        threshold: Decision threshold; persistence says 0 or 1.
        scores: Printed scores by name.
    """

    table: int
    event: str
    day_ahead: int
    forecast: str
    threshold: float
    scores: dict[str, float]


PRINTED = (
    Printed(
        *(2, "M", 1, "swpc", 0.5),
        {
            **{"precision": 0.62, "recall": 0.53, "f1": 0.57, "brier": 0.11, "roc_auc": 0.87},
            **{"csi": 0.40, "tss": 0.44, "hss": 0.47},
        },
    ),
    Printed(
        *(2, "M", 1, "persistence", 0.5),
        {
            **{"precision": 0.57, "recall": 0.57, "f1": 0.57, "brier": 0.18, "roc_auc": 0.73},
            **{"csi": 0.40, "tss": 0.46, "hss": 0.46},
        },
    ),
    Printed(3, "M", 2, "swpc", 0.5, {"tss": 0.37}),
    Printed(3, "M", 2, "persistence", 0.5, {"tss": 0.41}),
    Printed(4, "M", 3, "swpc", 0.5, {"tss": 0.34}),
    Printed(4, "M", 3, "persistence", 0.5, {"tss": 0.36}),
    Printed(5, "X", 1, "swpc", 0.5, {"recall": 0.08, "tss": 0.08, "hss": 0.12, "roc_auc": 0.87}),
    Printed(5, "X", 1, "persistence", 0.5, {"tss": 0.19, "hss": 0.19}),
    Printed(9, "M", 1, "swpc", 0.20, {"tss": 0.58, "false_alarm_ratio": 0.56}),
    Printed(9, "M", 1, "persistence", 0.5, {"tss": 0.46, "false_alarm_ratio": 0.43}),
    Printed(10, "M", 2, "swpc", 0.20, {"tss": 0.54}),
    Printed(11, "M", 3, "swpc", 0.20, {"tss": 0.51}),
    Printed(12, "X", 1, "swpc", 0.05, {"tss": 0.61, "false_alarm_ratio": 0.93}),
)
"""Rows; the thresholds of Tables 10 and 11 are not transcribed, that of Table 9 is taken for them."""

PRINTED_CELLS = {
    "storm after the calm": {"hits": 56, "misses": 10, "false_alarms": 1257, "correct_negatives": 5735},
    "all clear": {"hits": 150, "misses": 1, "false_alarms": 576, "correct_negatives": 38},
}
"""X at 5 %: days with more than 30 days since the last X flare, and the three days after each X day."""

BY_CYCLE: dict[tuple[int, str], dict[str, float]] = {
    (23, "catalogue"): {"tss": 0.494, "average_precision": 0.584, "roc_auc": 0.840, "bss": 0.269},
    (23, "operational"): {"tss": 0.491, "average_precision": 0.557, "roc_auc": 0.844, "bss": 0.236},
    (24, "catalogue"): {"tss": 0.596, "average_precision": 0.511, "roc_auc": 0.876, "bss": 0.284},
    (24, "operational"): {"tss": 0.582, "average_precision": 0.412, "roc_auc": 0.870, "bss": 0.184},
}
"""SWPC, days with an M flare, at 0.20: measured from the files of that replication, not printed."""

DAYS_25, BRIER_25 = 1849, (1 - 0.410) * 0.289 * (1 - 0.289)
"""Days of cycle 25 up to 2024 in that replication, and SWPC's Brier score, from its BSS and base rate (M)."""
