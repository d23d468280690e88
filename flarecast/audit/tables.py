"""Audit other people's splits: a table of training windows against a table of test windows."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from flarecast import cycles
from flarecast.audit.findings import Audit, Finding, and_so_on, counted
from flarecast.audit.leaks import touched
from flarecast.errors import FlarecastError
from flarecast.split.regions import DISK

REQUIRED = ("region", "issue_time")
OPTIONAL = ("valid_from", "valid_to")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV with columns region and issue_time and, where there are, valid_from and valid_to.

    Returns:
        Columns region (text) and times (int64 UTC s since 1970).

    Raises:
        FlarecastError: No such file, no CSV, a column missing, a time that is none, an end before its start.
    """
    try:
        with warnings.catch_warnings(action="ignore", category=pd.errors.ParserWarning):  # a comma too many
            read = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False, skipinitialspace=True)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # pandas' own errors and wrong encodings
        raise FlarecastError(f"{path}: expected a CSV table, got something else ({error})") from error
    read.columns = read.columns.str.strip()
    absent = [name for name in REQUIRED if name not in read.columns]
    if absent:
        raise FlarecastError(
            f"{path}: expected columns {' and '.join(REQUIRED)}, got {', '.join(map(str, read.columns))}"
        )
    if read.empty:
        raise FlarecastError(f"{path}: expected rows, got a table without any")
    table = pd.DataFrame({"region": read["region"].str.strip()})
    nameless = table["region"] == ""
    if nameless.any():
        raise FlarecastError(f"{path}: expected a region in every row, got none in line {_line(nameless)}")
    for name in ("issue_time", *(OPTIONAL if set(OPTIONAL) <= set(read.columns) else ())):
        times = pd.to_datetime(read[name], utc=True, errors="coerce", format="ISO8601")
        if times.isna().any():
            line = _line(times.isna())
            raise FlarecastError(
                f"{path}: expected ISO times in {name}, got {read[name].iloc[line - 2]!r} in line {line}"
            )
        table[name] = times.dt.tz_localize(None).astype("datetime64[s]").astype(np.int64)
    if "valid_to" in table and (table["valid_to"] <= table["valid_from"]).any():
        line = _line(table["valid_to"] <= table["valid_from"])
        raise FlarecastError(f"{path}: expected valid_from before valid_to, got the opposite in line {line}")
    return table


def audit_tables(train: pd.DataFrame, test: pd.DataFrame) -> Audit:
    """Compare two tables of windows: shared windows, shared regions, overlapping outcomes, order in time.

    Regions are compared by name alone. Histories are not in such tables, and rows and features neither, so
    that an audit without a leak is weaker than one of windows.nc and split.nc; the notes say so.

    Args:
        train: Columns region (text), issue_time, optionally valid_from and valid_to (int64 UTC s since 1970).
        test: The same.
    """
    findings = [*_shared_windows(train, test), *_shared_regions(train, test)]
    notes = ["histories and other names of a region are not in these tables; their overlap is not checked"]
    if "valid_to" in train and "valid_to" in test:
        findings += _overlapping_outcomes(train, test)
    else:
        notes.append("valid_from and valid_to are not in both tables; overlap of outcomes is not checked")
    findings += _order(train, test)
    counts = tuple(
        {
            "fold": 0,
            "role": name,
            "windows": len(table),
            "regions": int(table["region"].nunique()),
            "events": {},
        }
        for name, table in (("train", train), ("test", test))
    )
    return Audit(tuple(findings), counts, tuple(notes))


def _line(wrong: pd.Series) -> int:
    """Line of the file with the first row that is wrong; the header is line 1."""
    return int(np.flatnonzero(wrong.to_numpy())[0]) + 2


def _labels(rows: pd.DataFrame) -> tuple[str, ...]:
    """First rows in words."""
    first = rows.head(5)
    pairs = zip(first["region"], first["issue_time"], strict=True)
    return tuple(f"{region} at {cycles.iso(time)}" for region, time in pairs)


def _shared_windows(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Finding]:
    """Windows, by region and issue time, of both tables."""
    key = ["region", "issue_time"]
    both = test[key].drop_duplicates().merge(train[key].drop_duplicates(), on=key)
    if len(both):
        text = (
            f"{counted(len(both), 'window')} in both train and test{and_so_on(_labels(both))}; "
            "split by region or by time"
        )
        yield Finding("shared window", "leak", text, len(both), _labels(both), ("train", "test"))


def _shared_regions(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Finding]:
    """Regions of both tables; the disk exempt."""
    known = set(test["region"]) - {DISK}
    shared = [name for name in train["region"].drop_duplicates() if name in known]
    if shared:
        text = (
            f"{counted(len(shared), 'region')} appear{'s' * (len(shared) == 1)} in both train and test"
            f"{and_so_on(shared)}; split by region or widen the gap"
        )
        yield Finding("shared region", "leak", text, len(shared), tuple(shared[:5]), ("train", "test"))


def _overlapping_outcomes(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Finding]:
    """Test windows whose valid span meets one of train in the same region."""
    rows = pd.concat([train, test], ignore_index=True)
    region = pd.factorize(rows["region"])[0].astype(np.int64)
    span = (rows["valid_from"].to_numpy(), rows["valid_to"].to_numpy())
    mine, theirs = np.arange(len(train)), np.arange(len(train), len(rows))
    overlaps = touched(span, theirs, span, mine, region)
    if overlaps.any():
        n, examples = int(overlaps.sum()), _labels(test[overlaps])
        text = (
            f"{counted(n, 'test window')} overlap{'s' * (n == 1)} outcomes of train in one region"
            f"{and_so_on(examples)}; widen the gap"
        )
        yield Finding("overlapping outcome", "leak", text, n, examples, ("train", "test"))


def _order(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Finding]:
    """Test windows issued before the last of train: the model knows a later Sun."""
    latest = int(train["issue_time"].max())
    early = test[test["issue_time"] <= latest]
    if len(early):
        text = (
            f"{counted(len(early), 'test window')} of {len(test):,} issued up to the last training window "
            f"({cycles.iso(latest)}){and_so_on(_labels(early))}; an operational model would not have known it"
        )
        yield Finding("test before train", "warning", text, len(early), _labels(early), ("train", "test"))
