"""Any table as windows: CSV or Parquet through a mapping that says what each column is.

The mapping is a TOML file, or sections of the configuration (see `tables.mapping`); `configs/sources/` holds
some for published data. A row that holds no region, time, number or outcome where the mapping expects one is
left out and counted, the first 20 in words. Nothing is guessed: a column that is not named is not read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast import files, schema, windows
from flarecast.errors import FlarecastError
from flarecast.ingest.tables.cells import PARQUET, Cells, features_there, read_cells
from flarecast.ingest.tables.loading import read_mapping
from flarecast.ingest.tables.mapping import Table
from flarecast.ingest.tables.tracks import Laid, lay_blocks, lay_rows
from flarecast.ingest.tables.values import GOES_16, Rows, read_rows


def ingest_table(  # noqa: PLR0913 - the options of a source are its keyword arguments
    raw: Path | None,
    rng: np.random.Generator,  # noqa: ARG001  (every source has this signature; this one draws nothing)
    *,
    mapping: str = "",
    file: dict[str, Any] | None = None,
    window: dict[str, Any] | None = None,
    region: dict[str, Any] | None = None,
    time: dict[str, Any] | None = None,
    features: dict[str, Any] | None = None,
    outcome: dict[str, Any] | None = None,
    event: dict[str, Any] | None = None,
    max_bad_rows: int | None = None,
) -> xr.Dataset:
    """Windows of a table.

    Args:
        raw: File to read, or a folder whose files match `file.pattern`.
        rng: Not used.
        mapping: TOML file with the sections that follow under `ingest.options`; what is given here goes
            before what it says.
        file: Separator, names of columns where there is no header, ...
        window: Layout, steps, cadence, lead, horizon, latency, sampling.
        region: Column and kind of number of the region.
        time: Column, format and scale of the time.
        features: Unit of each feature, or a table of unit, column, factor, codes, ...
        outcome: Columns of class, flux, counts or label; without it outcomes are unknown.
        event: Columns of the flare's times and identifier.
        max_bad_rows: Rows that may be left out, 20 unless the mapping says otherwise.

    Returns:
        A windows Dataset; attributes count the rows read, left out (by reason), repeated and conflicting.

    Raises:
        FlarecastError: A mapping that is not allowed or names a column that is not there, a file that cannot
            be read, or too many broken rows.
    """
    sections = {
        "file": file,
        "window": window,
        "region": region,
        "time": time,
        "features": features,
        "outcome": outcome,
        "event": event,
        "max_bad_rows": max_bad_rows,
    }
    table = read_mapping(mapping, sections)
    paths = _find(raw, table)
    cells = read_cells(paths, table)
    names = features_there(cells, table)
    rows = read_rows(cells, table, names)
    laid = lay_blocks(cells, table, rows) if table.window.layout == "blocks" else lay_rows(cells, table, rows)
    _check_tally(paths, cells, laid, table.max_bad_rows)
    arrays = _rows(table, names, rows, laid) | _windows(table, rows, laid)
    return schema.build(schema.WINDOWS, arrays, _attributes(table, raw or Path(), cells, laid))


def _find(raw: Path | None, table: Table) -> list[Path]:
    """The file, or the files of a folder, by name."""
    if raw is None:
        raise FlarecastError("table: expected a CSV or Parquet file, got none; name it as RAW")
    if raw.is_file():
        found = [raw]
    elif raw.is_dir():
        found = sorted(path for path in raw.rglob(table.file.pattern) if path.is_file())
    else:
        raise FlarecastError(f"{raw}: expected a CSV or Parquet file, found none")
    if not found:
        raise FlarecastError(f"{raw}: expected files named like {table.file.pattern} in it, found none")
    if table.time.hours_before is not None:
        _check_names(found, table.time.hours_before)
    return found


def _check_names(paths: Sequence[Path], pattern: str) -> None:
    """Refuse files whose names do not say how many hours before an event they are."""
    import re

    for path in paths:
        match = re.search(pattern, path.name)
        if match is None or not match[1].replace(".", "", 1).isdecimal():
            raise FlarecastError(f"{path}: expected a name with hours like {pattern}, got {path.name}")


def _check_tally(paths: Sequence[Path], cells: Cells, laid: Laid, max_bad_rows: int) -> None:
    """Refuse a table of which too many rows, or all, are left out."""
    n_bad = cells.tally.skipped.total()
    if n_bad > max_bad_rows:
        raise FlarecastError(
            f"{cells.tally.first[0]}; {n_bad} of {cells.n_rows} rows are broken ({_counts(cells)}), more than"
            f" max_bad_rows = {max_bad_rows}: mend the mapping or the file, or raise max_bad_rows"
        )
    if not laid.last.size:
        first = f"{cells.tally.first[0]}; " if cells.tally.first else ""
        raise FlarecastError(f"{first}{paths[0]}: expected rows, got none")


def _counts(cells: Cells) -> str:
    """Rows left out, by reason."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(cells.tally.skipped.items()))


def _rows(table: Table, names: Sequence[str], rows: Rows, laid: Laid) -> dict[str, Any]:
    """Variables of the rows and features; a row's time is when it is known."""
    found = {
        "values": rows.values[laid.row],
        "feature": list(names),
        "feature_unit": [table.features[name].unit for name in names],
        "feature_memory_hours": [table.features[name].memory_hours for name in names],
        "time": laid.time + round(table.window.latency_minutes * 60),
        "track": laid.track,
    }
    if rows.longitude is not None:
        found["longitude"] = rows.longitude[laid.row]
    return found


def _windows(table: Table, rows: Rows, laid: Laid) -> dict[str, Any]:
    """Variables of the windows."""
    rule = table.window
    time = laid.time + round(rule.latency_minutes * 60)
    issue_time, track = time[laid.last], laid.track[laid.last]
    if rule.layout == "windows":
        first_row, n_rows = laid.last, np.ones(laid.last.size, dtype=np.int64)
    else:
        span = rule.n_steps * round(rule.cadence_minutes * 60)
        first_row, n_rows = windows.cut(time, laid.track, issue_time, track, span)
    valid_from = issue_time + round(rule.lead_hours * 3600)
    row = laid.row[laid.last]
    scale = table.outcome.flux_scale if table.outcome else "by_date"
    true = valid_from >= GOES_16 if scale == "by_date" else np.full(row.size, scale == "true")
    return {
        "first_row": first_row,
        "n_rows": n_rows,
        "issue_time": issue_time,
        "valid_from": valid_from,
        "valid_to": valid_from + round(rule.horizon_hours * 3600),
        "region": rows.region[row],
        "noaa_regions": rows.noaa[row],
        "peak_flux": rows.low[row],
        "peak_flux_upper": rows.high[row],
        "unassigned_peak_flux": np.zeros(row.size),
        "flare_start": rows.flare_start[row],
        "flare_peak": rows.flare_peak[row],
        "flare_id": rows.flare_id[row],
        "flux_scale": true,
        "partition": np.zeros(row.size),
    }


def _attributes(table: Table, raw: Path, cells: Cells, laid: Laid) -> dict[str, Any]:
    """Attributes of the file, with what became of the rows."""
    rule = table.window
    n_bad = cells.tally.skipped.total()
    folder = raw if raw.is_dir() else raw.parent
    hashed = [f"{files.sha256(path)} {path.relative_to(folder).as_posix()}" for path in cells.files]
    kind = "Parquet" if cells.files[0].suffix in PARQUET else "CSV"
    return {
        "n_steps": rule.n_steps,
        "cadence_minutes": float(rule.cadence_minutes),
        "lead_hours": float(rule.lead_hours),
        "horizon_hours": float(rule.horizon_hours),
        "latency_minutes": float(rule.latency_minutes),
        "source": "table",
        "sampling": rule.sampling,
        "source_files": hashed,
        "context_features": [],
        "history": f"ingest table: {len(cells.files)} {kind} files, layout {rule.layout}",
        "n_value_lines": cells.n_rows,
        "n_rows_read": cells.n_rows - n_bad,
        "n_skipped": n_bad,
        "skipped": _counts(cells),
        "first_skipped": list(cells.tally.first),
        "n_repeated_rows": laid.n_repeated,
        "n_conflicting_rows": laid.n_conflicting,
    }
