"""SWPC's forecasts verified as Camporeale & Berger did, with every reading of the flare records.

The published rows of SWPC and of persistence are computed again from the daily reports as far as the years
go, number by number; what differs is told with the reason.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast import cycles, skill
from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.exchange.forecast_csv import day_ahead
from flarecast.exchange.swpc_rsga import read_swpc_rsga
from flarecast.files import replacing, write_json
from flarecast.resources import Resources
from flarecast.study.daily_labels import DAY, Labels, labels_of
from flarecast.study.published import (
    BY_CYCLE,
    DAYS,
    FIRST_YEAR,
    LAST_YEAR,
    PRINTED,
    PRINTED_CELLS,
    Printed,
)
from flarecast.study.told import Sources, Told
from flarecast.study.verification_page import page

Say = Callable[[str], object]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

JSON, PAGE = "swpc_verification.json", "swpc_verification.md"
LONG_QUIET, AFTER = 30, (1, 2, 3)
X_THRESHOLD, M_THRESHOLD = 0.05, 0.20
NEAR = 0.0101
"""So far may two numbers lie apart that are printed to two digits and stand for the same thing."""


@dataclass(frozen=True)
class Issued:
    """SWPC's probabilities, NaN = none, shape (day, day ahead, class), and days since 1970, shape (day,)."""

    day: IntArray
    probability: FloatArray

    def of(self, event: str, ahead: int) -> FloatArray:
        """Probability of an event so many days ahead, shape (day,)."""
        return self.probability[:, ahead - 1, "MX".index(event)]


def swpc_verification(
    config: Config,  # noqa: ARG001  (every study is called alike)
    sources: Sources,
    folder: Path,
    resources: Resources,  # noqa: ARG001
    say: Say,
) -> Told:
    """Compute the published numbers again, and write swpc_verification.json and swpc_verification.md.

    Args:
        config: Not used.
        sources: RAW: a folder with `YYYY_RSGA.tar.gz`, `YYYY_DSD.txt` and, best, a list of flares.
        folder: Where the two files go.
        resources: Not used.
        say: Told what is read.

    Raises:
        FlarecastError: No RAW, no reports, no daily data, or none of the years.
    """
    if sources.raw is None:
        raise FlarecastError("swpc-verification: expected RAW with RSGA and DSD files, got none; name it")
    issued = read_issued(sources.raw)
    say(f"{issued.day.size:,} days with reports")
    labels, about = labels_of(sources.raw)
    content: dict[str, Any] = {
        "study": "swpc-verification",
        "years": _years(issued),
        "days": int(issued.day.size),
        "published_days": DAYS,
        "about": about,
        "tables": [row for one in PRINTED for row in printed_rows(one, issued, labels)],
        "cells": [row for one in labels if one.event == "X" for row in history_cells(issued, one)],
        "cycles": list(cycle_rows(issued, labels)),
        "labels": [_count(one, issued) for one in labels],
    }
    write_json(folder / JSON, content)
    with replacing(folder / PAGE) as aside:
        aside.write_text(page(content), encoding="utf-8")
    near = [row for row in content["tables"] if abs(row["difference"]) <= NEAR]
    largest = max((abs(row["difference"]) for row in content["cycles"]), default=float("nan"))
    told = (
        f"{content['years']} of {FIRST_YEAR}-{LAST_YEAR}: {len(near)} of {len(content['tables'])} "
        "numbers, over "
        f"all readings of the flare records, lie within 0.01 of the printed ones; by cycle the largest "
        f"difference from an independent replication is {largest:.3f}."
    )
    return Told((told,), folder / PAGE, f"{issued.day.size:,} days")


def read_issued(raw: Path) -> Issued:
    """SWPC's forecasts of the years of the paper, by day and day ahead.

    Raises:
        FlarecastError: There is none.
    """
    forecasts = read_swpc_rsga(raw)
    start = forecasts["valid_from"].values
    ahead = day_ahead(forecasts["issue_time"].values, start)
    first, end = (cycles.seconds(f"{year}-01-01") for year in (FIRST_YEAR, LAST_YEAR + 1))
    kept = np.flatnonzero((start >= first) & (start < end) & (ahead <= len(AFTER)))
    if not kept.size:
        raise FlarecastError(
            f"{raw}: expected reports of {FIRST_YEAR} to {LAST_YEAR}, got none of those years"
        )
    day, place = np.unique(start[kept] // DAY, return_inverse=True)
    probability = np.full((day.size, len(AFTER), 2), np.nan)
    probability[place, ahead[kept] - 1] = forecasts["probability"].values[kept]
    return Issued(day, probability)


def printed_rows(printed: Printed, issued: Issued, labels: Sequence[Labels]) -> Iterator[dict[str, Any]]:
    """The scores of a printed row by every reading of its event."""
    for one in labels:
        if one.event != printed.event:
            continue
        probability, occurred = _beside(printed, issued, one)
        scores = score_plainly(probability, occurred, printed.threshold)
        for name, value in printed.scores.items():
            yield {
                **{"table": printed.table, "event": printed.event, "day_ahead": printed.day_ahead},
                **{"forecast": printed.forecast, "threshold": printed.threshold, "labels": one.name},
                **{"score": name, "published": value, "ours": scores[name]},
                **{"difference": scores[name] - value},
                **{"n": int(occurred.size), "n_events": int(occurred.sum())},
            }


def _beside(printed: Printed, issued: Issued, labels: Labels) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Forecast and outcome of the days that have both; persistence says what the last known day was."""
    occurred = labels.of(issued.day)
    stated = issued.of(printed.event, printed.day_ahead)
    before = labels.of(issued.day - printed.day_ahead).astype(np.float64)
    before[before < 0] = np.nan
    probability = stated if printed.forecast == "swpc" else before
    known = (occurred >= 0) & ~np.isnan(probability) & ~np.isnan(stated)
    return probability[known], occurred[known] == 1


def score_plainly(probability: FloatArray, occurred: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    """All scores of a sample by name, without intervals."""
    families = (
        (skill.CONTINGENCY, skill.contingency_table(probability, occurred, threshold)),
        (skill.RANKING, skill.rank(probability, occurred)),
        (skill.PROBABILITY, skill.sum_probability(probability, occurred)),
    )
    return {name: float(score.compute(sums)) for scores, sums in families for name, score in scores.items()}


def history_cells(issued: Issued, labels: Labels) -> Iterator[dict[str, Any]]:
    """Counts of X forecasts at 5 % after long quiet, and on the three days after each X day."""
    stated, occurred = issued.of("X", 1), labels.of(issued.day)
    known = ~np.isnan(stated) & (occurred >= 0)
    events = np.flatnonzero(labels.occurred == 1) + labels.first_day
    last = np.searchsorted(events, issued.day) - 1
    # Before the first event on record it has been quiet since the record began, at least.
    earlier = np.append(labels.first_day - 1, events)[last + 1]
    since = issued.day - earlier
    weight = np.zeros(issued.day.size, dtype=np.int64)
    for later in AFTER:  # a day after two X days counts twice, as 765 = 3 x 255 days of the paper do
        weight += np.isin(issued.day - later, events)
    for name, counted in (
        ("storm after the calm", (since > LONG_QUIET + 1).astype(np.int64)),
        ("all clear", weight),
    ):
        times = np.where(known, counted, 0)
        warned, happened = np.nan_to_num(stated) >= X_THRESHOLD, occurred == 1
        cells = {
            "hits": warned & happened,
            "misses": ~warned & happened,
            "false_alarms": warned & ~happened,
            "correct_negatives": ~warned & ~happened,
        }
        ours = {cell: int(times[rows].sum()) for cell, rows in cells.items()}
        yield {"what": name, "labels": labels.name, "published": PRINTED_CELLS[name], "ours": ours}


def cycle_rows(issued: Issued, labels: Sequence[Labels]) -> Iterator[dict[str, Any]]:
    """Scores of each cycle beside those of an independent replication, days with an M flare at 0.20."""
    by_name = {one.name: one for one in labels if one.event == "M"}
    number = cycles.cycle_of(issued.day * DAY)
    for (cycle, name), values in BY_CYCLE.items():
        reading = f"{name}, M alone"
        if reading not in by_name:
            continue
        occurred, stated = by_name[reading].of(issued.day), issued.of("M", 1)
        rows = (number == cycle) & (occurred >= 0) & ~np.isnan(stated)
        if not rows.any():
            continue
        scores = score_plainly(stated[rows], occurred[rows] == 1, M_THRESHOLD)
        for score, value in values.items():
            yield {
                **{"cycle": cycle, "labels": reading, "score": score, "published": value},
                **{"ours": scores[score], "difference": scores[score] - value, "n": int(rows.sum())},
            }


def _count(labels: Labels, issued: Issued) -> dict[str, Any]:
    """How many days of the reports a reading knows, and with an event."""
    occurred = labels.of(issued.day)
    return {
        **{"labels": labels.name, "event": labels.event},
        **{"days": int((occurred >= 0).sum()), "events": int((occurred == 1).sum())},
    }


def _years(issued: Issued) -> str:
    """`1998-01-01 to 2019-11-30`."""
    return f"{cycles.iso(issued.day[0] * DAY)[:10]} to {cycles.iso(issued.day[-1] * DAY)[:10]}"
