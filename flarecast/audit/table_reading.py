"""Other people's tables as the audit compares them: regions, times and, for want of these, all numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

from flarecast.audit.table_columns import ROLE_NAMES, find_columns, read_cells, region_names, times_of
from flarecast.errors import FlarecastError

SPAN = ("valid_from", "valid_to")

MOST_BAD = 0.05
"""Share of rows without a readable time from which a table is refused."""


def read_tables(
    train: Path, test: Path, region: str | None = None, time: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read two tables that are to be compared; one file may hold both, with a column that says which.

    Args:
        train: CSV of training rows.
        test: CSV of test rows.
        region: Column of regions, by name or number from 1; None looks for one.
        time: Column of times, likewise.

    Returns:
        As `read_table`.

    Raises:
        FlarecastError: As `read_table`; or one file for both without a column that tells them apart.
    """
    cells = [read_cells(path) for path in (train, test)]
    if train.resolve() == test.resolve():
        cells = [_of_role(table, train, role) for table, role in zip(cells, ("train", "test"), strict=True)]
    asked = {"region": region, "time": time}
    first = _table(cells[0], train, asked, list(cells[1].columns))
    return first, _table(cells[1], test, asked, list(cells[0].columns))


def read_table(path: Path, region: str | None = None, time: str | None = None) -> pd.DataFrame:
    """Read a table of windows.

    Returns:
        Of these columns those that there are: `region` and `noaa_regions` (text, empty = unknown),
        `issue_time`, `valid_from` and `valid_to` (int64 UTC s since 1970); without regions or without times
        also every cell as text, as `cell NAME`.

    Raises:
        FlarecastError: No such file, no CSV, no such column, no time in many rows, an end before its start.
    """
    return _table(read_cells(path), path, {"region": region, "time": time}, [])


def _of_role(cells: pd.DataFrame, path: Path, role: str) -> pd.DataFrame:
    """Rows of a file that holds both roles.

    Raises:
        FlarecastError: No column says which row is which.
    """
    for name in cells.columns:
        mine = cells[name].str.casefold().str.startswith(role)
        if name.casefold() in ROLE_NAMES and mine.any():
            return cells[mine].reset_index(drop=True)
    raise FlarecastError(
        f"{path}: expected two files, or one with a column {', '.join(ROLE_NAMES[:3])} ... that says train "
        f"and test, got one without {role}; name two files"
    )


def _table(cells: pd.DataFrame, path: Path, asked: dict[str, str | None], others: list[str]) -> pd.DataFrame:
    """The columns of a table that the audit compares; see `read_table`."""
    found = find_columns(cells, path, asked, others)
    table = pd.DataFrame(index=cells.index)
    regions = region_names(cells, found)
    if regions is not None:
        if (regions["region"] == "").all():
            column = found.get("region", found.get("file"))
            raise FlarecastError(
                f"{path}: expected regions in column {column}, got none; name another by --region"
            )
        table[["region", "noaa_regions"]] = regions
    if "time" in found or "file" in found:
        table["issue_time"] = _seconds(cells, found.get("time", found.get("file", "")), path)
    if set(SPAN) <= set(cells.columns):
        for name in SPAN:
            table[name] = _seconds(cells, name, path)
        backwards = (table["valid_to"] <= table["valid_from"]).to_numpy()
        if backwards.any():
            line = int(np.flatnonzero(backwards)[0]) + 2
            raise FlarecastError(
                f"{path}: expected valid_from before valid_to, got the opposite in line {line}"
            )
    if "region" not in table or "issue_time" not in table:
        table = table.join(cells.add_prefix("cell "))
    return table.dropna(subset=[name for name in ("issue_time", *SPAN) if name in table]).reset_index(
        drop=True
    )


def _seconds(cells: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Times of a column; a few that cannot be read are left out.

    Raises:
        FlarecastError: More than a few.
    """
    times = times_of(cells, name)
    bad = times.isna().to_numpy()
    if bad.mean() > MOST_BAD:
        place = int(np.flatnonzero(bad)[0])
        raise FlarecastError(
            f"{path}: expected times in {name}, like 2012-03-07T00:24, got {cells[name].iloc[place]!r} in "
            f"line {place + 2}; name another column by --time"
        )
    return times
