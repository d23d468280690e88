"""Audit other people's splits: a table of training windows against a table of test windows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles
from flarecast.audit.findings import Audit, Finding, and_so_on, collect, counted, note, share
from flarecast.audit.leaks import touched
from flarecast.audit.table_reading import SPAN
from flarecast.errors import FlarecastError
from flarecast.split.regions import DISK, linked_regions

NEAR_HOURS = 24
"""Rows of one region that are nearer in time share history and, in a forecast for a day, outcome [h]."""

LEAST_COLUMNS = 3
"""Numbers, a time among them, that rows must share to be the same where nothing else tells."""

_ROLES = ("train", "test")


def audit_tables(train: pd.DataFrame, test: pd.DataFrame) -> Audit:
    """Compare two tables of windows, as far as their columns allow; the notes say what could not be checked.

    Args:
        train: As `read_table` gives it.
        test: The same.

    Raises:
        FlarecastError: The tables share neither regions nor times nor enough numbers.
    """
    both = pd.concat([train, test], ignore_index=True, join="inner")
    has_region, has_time = "region" in both, "issue_time" in both
    findings: list[Finding] = [
        note("histories", "histories and features are not in these tables; not checked")
    ]
    if has_region:
        both["code"] = _codes(both)
        findings += _region_findings(both, len(train))
    if has_time:
        findings += _time_findings(both, len(train), has_region)
    else:
        findings.append(note("times", "no column of times in both tables; near times are not checked"))
    if not has_region:
        findings.append(
            note("regions", "no column of regions in both tables; shared regions are not checked")
        )
    if not (has_region and has_time):
        findings += _shared_rows(both, len(train), alone=not (has_region or has_time))
    counts = [
        {
            "fold": 0,
            "role": name,
            "windows": len(table),
            "regions": int(table["region"].nunique()) if has_region else 0,
            "events": {},
        }
        for name, table in zip(_ROLES, (train, test), strict=True)
    ]
    return collect(findings, counts)


def _codes(both: pd.DataFrame) -> NDArray[np.int64]:
    """Number of the linked region of each row, -1 where it is unknown, shape (row,)."""
    names = {name: ("window", both[name].to_numpy(dtype=object)) for name in ("region", "noaa_regions")}
    return np.where(both["region"] == "", -1, linked_regions(xr.Dataset(names)))


def _labels(rows: pd.DataFrame) -> tuple[str, ...]:
    """First rows in words, as far as they have a region and a time."""
    names = rows["region"].head(5) if "region" in rows else [""] * min(5, len(rows))
    times = [f"at {cycles.iso(time)}" for time in rows["issue_time"].head(5)]
    return tuple(f"{name} {time}".strip() for name, time in zip(names, times, strict=True))


def _region_findings(both: pd.DataFrame, n_train: int) -> Iterator[Finding]:
    """Regions of both tables, under any number; the disk exempt."""
    unknown = int((both["code"] < 0).sum())
    if unknown:
        yield note("regions", f"{counted(unknown, 'row')} without a region; not checked for shared regions")
    known = both[(both["code"] >= 0) & (both["region"] != DISK)]
    first, second = (
        part.drop_duplicates("code").set_index("code")["region"] for part in _parts(known, n_train)
    )
    codes = [code for code in first.index if code in second.index]
    if codes:
        names = tuple(
            first[code] if first[code] == second[code] else f"{first[code]} (also {second[code]})"
            for code in codes
        )
        n_rows = int(known.loc[known.index >= n_train, "code"].isin(codes).sum())
        n_test = len(both) - n_train
        text = (
            f"{counted(len(codes), 'region')} appear{'s' * (len(codes) == 1)} in both train and test"
            f"{and_so_on(names)}, with {n_rows:,} of {n_test:,} test rows ({share(n_rows, n_test)}); "
            "split by region"
        )
        yield Finding("shared region", "leak", text, len(codes), names[:5], _ROLES)
    kinds = [set(part["region"].str.extract(r"^(HARP|NOAA) ")[0].dropna()) for part in _parts(known, n_train)]
    if kinds[0] and kinds[1] and not kinds[0] & kinds[1]:
        words = " and ".join("/".join(kind) for kind in kinds)
        yield note("regions", f"train and test count regions differently ({words}); name columns of one kind")


def _parts(rows: pd.DataFrame, n_train: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of train and of test; the index says which."""
    return rows[rows.index < n_train], rows[rows.index >= n_train]


def _time_findings(both: pd.DataFrame, n_train: int, has_region: bool) -> Iterator[Finding]:
    """Shared and near windows of one region, order in time, days that both roles hold."""
    train, test = _parts(both, n_train)
    single = all(part["issue_time"].is_unique for part in (train, test))
    if has_region or single:
        both["code"] = both["code"] if has_region else 0
        yield from _near(both, n_train)
    else:
        n = int(test["issue_time"].isin(train["issue_time"]).sum())
        text = (
            f"{counted(n, 'test row')} ({share(n, len(test))}) with the time of a training row; without "
            "regions nobody can tell whether of the same, name their column by --region"
        )
        if n:
            yield Finding("shared times", "warning", text, n, (), _ROLES)
    yield from _order(train, test)
    day = cycles.DAY
    n = int((test["issue_time"] // day).isin(train["issue_time"] // day).sum())
    if n and has_region:
        text = (
            f"{share(n, len(test))} of {len(test):,} test rows lie on days of which train has rows, too; the "
            "scores say nothing about another time"
        )
        yield Finding("contemporaneous roles", "warning", text, n, (), _ROLES)


def _near(both: pd.DataFrame, n_train: int) -> Iterator[Finding]:
    """Windows of both tables, and test windows near one of train in one region, or with its outcome."""
    train, test = _parts(both[both["code"] >= 0], n_train)
    key = ["code", "issue_time"]
    same = test[pd.MultiIndex.from_frame(test[key]).isin(pd.MultiIndex.from_frame(train[key]))]
    if len(same):
        text = (
            f"{counted(len(same), 'window')} in both train and test{and_so_on(_labels(same))}; "
            "split by region or by time"
        )
        yield Finding("shared window", "leak", text, len(same), _labels(same), _ROLES)
    index, code = np.arange(len(both)), both["code"].to_numpy(dtype=np.int64)
    mine, theirs = train.index.to_numpy(), test.index.to_numpy()
    time = both["issue_time"].to_numpy(dtype=np.int64)
    kind, what = "near times", f"lie{{s}} less than {NEAR_HOURS} h from a training window of the same region"
    span = reach = (time, time + 1)
    if set(SPAN) <= set(both.columns):
        kind, what = "overlapping outcome", "overlap{s} outcomes of train in one region"
        span = reach = tuple(both[name].to_numpy(dtype=np.int64) for name in SPAN)
    else:
        reach = (time - NEAR_HOURS * 3600 + 1, time + NEAR_HOURS * 3600)
    close = index[theirs[touched(span, theirs, reach, mine, code)]]
    if kind == "near times":
        close = close[~np.isin(close, same.index)]
    if close.size:
        n, examples = close.size, _labels(both.loc[close])
        text = (
            f"{counted(n, 'test window')} {what.format(s='s' * (n == 1))}{and_so_on(examples)}; widen the gap"
        )
        yield Finding(kind, "leak", text, n, examples, _ROLES)


def _shared_rows(both: pd.DataFrame, n_train: int, alone: bool) -> Iterator[Finding]:
    """Test rows whose numbers are those of a training row, in tables that lack regions or times.

    Raises:
        FlarecastError: There is nothing else to compare, and hardly a number either.
    """
    cells = both[[name for name in both.columns if name.startswith("cell ")]]
    numbers = cells.apply(pd.to_numeric, errors="coerce")
    numbers = numbers.loc[:, numbers.notna().any() & (numbers.nunique() > 2)]
    if "issue_time" in both:
        numbers = numbers.assign(time=both["issue_time"])
    least = LEAST_COLUMNS - ("issue_time" in both)
    if numbers.shape[1] < least:
        if alone:
            names = (
                ", ".join(name.removeprefix("cell ") for name in list(cells.columns)[:10])
                or "no common column"
            )
            raise FlarecastError(
                "--train and --test: expected columns of regions or times (like HARPNUM, T_REC, "
                f"issue_time), got {names}; name them by --region COL --time COL"
            )
        return
    hashed = pd.util.hash_pandas_object(numbers, index=False)
    train, test = hashed[hashed.index < n_train], hashed[hashed.index >= n_train]
    n = int(test.isin(train).sum())
    if n:
        text = (
            f"{counted(n, 'test row')} ({share(n, len(test))}) hold{'s' * (n == 1)} the numbers of a "
            f"training row in all of {numbers.shape[1]} columns; take them out of one"
        )
        yield Finding("shared row", "leak", text, n, (), _ROLES)


def _order(train: pd.DataFrame, test: pd.DataFrame) -> Iterator[Finding]:
    """Test windows issued before the last of train: the model knows a later Sun."""
    latest = int(train["issue_time"].max())
    early = test[test["issue_time"] <= latest]
    if len(early):
        text = (
            f"{counted(len(early), 'test window')} of {len(test):,} issued up to the last training window "
            f"({cycles.iso(latest)}){and_so_on(_labels(early))}; an operational model would not have known it"
        )
        yield Finding("test before train", "warning", text, len(early), _labels(early), _ROLES)
