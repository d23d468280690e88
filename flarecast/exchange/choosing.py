"""Forecasts of a third party, one row each, laid out as a forecasts Dataset.

What counts of several forecasts of one thing is said at the head of `forecast_csv`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from flarecast import files
from flarecast.exchange.forecast_csv import counting_rows
from flarecast.exchange.rows import Rows, day_ahead, lay_out, numbered

_KEY = ["region", "valid_from", "valid_to", "day_ahead", "event"]


class Row(NamedTuple):
    """A probability for one event of one region in one span; times in UTC [s since 1970]."""

    issue_time: int
    valid_from: int
    valid_to: int
    region: str
    event: str
    probability: float
    occurred: int = -1


def as_forecasts(rows: Sequence[Row], name: str, attributes: Mapping[str, Any]) -> xr.Dataset:
    """Lay rows out by window and event.

    Args:
        rows: In the order of their files; of two with one issue time the later one counts.
        name: Name of the forecast.
        attributes: Counts and texts; `n_repeats`, `n_conflicts` (same issue time, other probability),
            `n_replaced` and `n_late` are added.

    Returns:
        A forecasts Dataset without roles.
    """
    table = pd.DataFrame(rows, columns=list(Row._fields)).astype({"occurred": "int8"})
    table["day_ahead"] = day_ahead(table["issue_time"], table["valid_from"])
    same_issue = [*_KEY, "issue_time"]
    distinct = table.drop_duplicates([*same_issue, "probability"], keep="last")
    latest = distinct.drop_duplicates(same_issue, keep="last").reset_index(drop=True)
    chosen = latest.iloc[counting_rows(latest, _KEY)]
    counts = {
        "n_repeats": len(table) - len(distinct),
        "n_conflicts": len(distinct) - len(latest),
        "n_replaced": len(latest) - len(chosen),
        "n_late": int((chosen["issue_time"] > chosen["valid_from"]).sum()),
    }
    return lay_out(_as_rows(chosen), name, {**attributes, **counts})


def _as_rows(table: pd.DataFrame) -> Rows:
    """Columns of a table as rows without lines."""
    region, regions = numbered(table["region"].to_numpy())
    event, events = numbered(table["event"].to_numpy(), by_class=True)
    columns = {name: table[name].to_numpy() for name in ("issue_time", "valid_from", "valid_to")}
    return Rows(
        **columns,
        region=region.astype(np.int32),
        event=event.astype(np.int16),
        probability=table["probability"].to_numpy(dtype=np.float64),
        occurred=table["occurred"].to_numpy(),
        line=np.zeros(len(table), dtype=np.int64),
        regions=regions,
        events=events,
    )


def source_files(raw: Path, paths: Sequence[Path]) -> list[str]:
    """Hash and name of each file read."""
    return [
        f"{files.sha256(path)} {path.relative_to(raw).as_posix() if path != raw else path.name}"
        for path in paths
    ]
