"""What is in a windows file."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import cycles, goes
from flarecast.describe.counts import (
    CLASSES,
    UNCERTAIN,
    UNKNOWN,
    FloatArray,
    IntArray,
    Table,
    class_numbers,
    count_by,
    count_over_time,
    longest_gaps,
    span_text,
)
from flarecast.schema import NO_TIME, ROLES, WINDOWS

EVENTS = ("C1.0", "M1.0", "X1.0")

_PLACES = ("n_steps", "cadence_minutes", "lead_hours", "horizon_hours", "latency_minutes")


def describe_windows(windows: xr.Dataset, split: xr.Dataset | None) -> dict[str, Any]:
    """Summary and tables of windows, by role too where a split is given.

    Years, cycles and phases are those of `valid_from`, when a window's flares may begin to count.
    """
    numbers = class_numbers(windows["peak_flux"].values, windows["peak_flux_upper"].values)
    tables = count_over_time(windows["valid_from"].values, numbers)
    tables["classes by partition"] = count_by("partition", windows["partition"].values, numbers)
    if split is not None:
        tables["classes by role"] = _by_role(split["role"].values, numbers)
    tables["events"] = _events(windows)
    tables["regions"] = _regions(windows, numbers)
    tables["missing cells"] = _missing(windows)
    tables["gaps"] = longest_gaps(
        windows["issue_time"].values, max(cycles.DAY, windows.attrs["cadence_minutes"] * 90)
    )
    return {"summary": _summary(windows, numbers), "tables": tables, "files": _files(windows)}


def in_progress(windows: xr.Dataset) -> NDArray[np.bool_]:
    """Windows whose largest flare had begun when the forecast was issued, shape (window,)."""
    start = windows["flare_start"].values
    begun: NDArray[np.bool_] = (start != NO_TIME) & (start <= windows["issue_time"].values)
    return begun


def truncated(windows: xr.Dataset) -> NDArray[np.bool_]:
    """Windows whose valid span runs on beyond the last row of their region, shape (window,)."""
    region = np.unique(windows["region"].values.astype(str), return_inverse=True)[1]
    n_rows = windows["n_rows"].values.astype(np.int64)
    if not (n_rows > 0).any():
        return np.ones(region.size, dtype=bool)
    time, track = windows["time"].values, windows["track"].values
    last_of_track = np.full(int(track.max()) + 1, NO_TIME)
    np.maximum.at(last_of_track, track, time)
    own = track[np.minimum(windows["first_row"].values, track.size - 1)]
    last_row = np.where(n_rows > 0, last_of_track[own], NO_TIME)
    last = np.full(int(region.max()) + 1, NO_TIME)
    np.maximum.at(last, region, last_row)
    beyond: NDArray[np.bool_] = windows["valid_to"].values > last[region]
    return beyond


def _summary(windows: xr.Dataset, numbers: IntArray) -> dict[str, Any]:
    """One number or text each."""
    numbered = [number for text in windows["noaa_regions"].values for number in str(text).split(",")]
    issue_time = windows["issue_time"].values
    own = {name: _plain(windows.attrs[name]) for name in ("source", "sampling", *_PLACES)}
    counted = {
        "windows": windows.sizes["window"],
        "rows": windows.sizes["row"],
        "tracks": int(np.unique(windows["track"].values).size),
        "features": windows.sizes["feature"],
        "regions": int(np.unique(windows["region"].values.astype(str)).size),
        "noaa_regions": len({number.strip() for number in numbered} - {""}),
        **{f"{name}_issue_time": text for name, text in span_text(issue_time).items()},
        "unknown_windows": int((numbers == UNKNOWN).sum()),
        "uncertain_windows": int((numbers == UNCERTAIN).sum()),
        "truncated_windows": int(truncated(windows).sum()),
        "in_progress_windows": int(in_progress(windows).sum()),
        "windows_with_unassigned_flare": int((windows["unassigned_peak_flux"].values > 0).sum()),
        "windows_without_all_steps": int((windows["n_rows"].values < windows.attrs["n_steps"]).sum()),
        **_tracks(windows),
    }
    told = {*own, *WINDOWS.attributes, "Conventions", "source_files", "accesses"}
    more = {str(name): _plain(value) for name, value in windows.attrs.items() if name not in told}
    return own | counted | more | {"history": _plain(windows.attrs["history"])}


def _tracks(windows: xr.Dataset) -> dict[str, Any]:
    """Steps that are absent between the first and the last row of their track."""
    time, track = windows["time"].values, windows["track"].values
    cadence = float(windows.attrs["cadence_minutes"]) * 60
    step = np.diff(time)[np.diff(track) == 0]
    absent = np.maximum(np.rint(step / cadence).astype(np.int64) - 1, 0)
    values = windows["values"].values
    return {
        "gaps_in_tracks": int((absent > 0).sum()),
        "steps_absent_in_tracks": int(absent.sum()),
        "longest_gap_in_a_track_hours": round(float(step.max()) / 3600, 2) if absent.any() else 0.0,
        "rows_without_any_value": int(np.isnan(values).all(axis=1).sum()) if values.shape[1] else 0,
    }


def _by_role(role: NDArray[np.int8], numbers: IntArray) -> Table:
    """Class counts by role, of each fold where there are several."""
    tables = []
    for fold, of_fold in enumerate(role):
        rows = count_by("role", of_fold, numbers)
        extra = {"fold": fold} if len(role) > 1 else {}
        tables += [extra | row | {"role": ROLES[row["role"]]} for row in rows]
    return tables


def _events(windows: xr.Dataset) -> Table:
    """For each threshold the windows with, without and with an unknown event, and what masking changes."""
    begun = in_progress(windows)
    table = []
    for event in EVENTS:
        occurred, masked = goes.events(windows, event), goes.events(windows, event, "mask")
        unassigned = goes.at_least(windows["unassigned_peak_flux"].values, goes.parse_class(event))
        table.append(
            {
                "event": event,
                "yes": int((occurred == 1).sum()),
                "no": int((occurred == 0).sum()),
                "unknown": int((occurred < 0).sum()),
                "in_progress": int(((occurred == 1) & begun).sum()),
                "with_unassigned_flare": int(unassigned.sum()),
                "unknown_when_masked": int((masked < 0).sum()),
            }
        )
    return table


def _regions(windows: xr.Dataset, numbers: IntArray) -> Table:
    """One row a region: windows, first and last issue, its largest flare; the largest first."""
    names, place = np.unique(windows["region"].values.astype(str), return_inverse=True)
    issue, peak = windows["issue_time"].values, windows["peak_flux"].values
    count = np.bincount(place, minlength=names.size)
    unknown = np.bincount(place, numbers == UNKNOWN, minlength=names.size)
    first, last = np.full(names.size, np.iinfo(np.int64).max), np.full(names.size, NO_TIME)
    largest: FloatArray = np.zeros(names.size)
    np.minimum.at(first, place, issue)
    np.maximum.at(last, place, issue)
    np.maximum.at(largest, place, peak)
    return [
        {
            "region": str(names[number]),
            "windows": int(count[number]),
            "first": cycles.iso(first[number]),
            "last": cycles.iso(last[number]),
            "largest": goes.format_class(largest[number]) if unknown[number] < count[number] else CLASSES[7],
        }
        for number in np.lexsort((names, -count, -largest))
    ]


def _missing(windows: xr.Dataset) -> Table:
    """For each feature its unit, the missing cells of the rows, and the range of the others."""
    values = windows["values"].values
    table = []
    names = windows["feature"].values
    for column, (name, unit) in enumerate(zip(names, windows["feature_unit"].values, strict=True)):
        there = values[:, column][~np.isnan(values[:, column])]
        n_missing = values.shape[0] - there.size
        table.append(
            {
                "feature": str(name),
                "unit": str(unit),
                "missing": n_missing,
                "share": round(n_missing / max(1, values.shape[0]), 6),
                "smallest": float(there.min()) + 0.0 if there.size else None,  # no -0.0
                "largest": float(there.max()) + 0.0 if there.size else None,
                "memory_hours": float(windows["feature_memory_hours"].values[column]),
            }
        )
    return table


def _files(windows: xr.Dataset) -> Table:
    """Hash and name of the files that the windows were made of, and where and when they were fetched."""
    lines = str(windows.attrs["source_files"]).splitlines()
    accesses = [line.split(" ", 2) for line in str(windows.attrs.get("accesses", "")).splitlines()]
    known = {sha: (accessed, url) for sha, accessed, url in accesses}
    table: Table = []
    for sha, _, name in (line.partition(" ") for line in lines if line):
        accessed, url = known.get(sha, (None, None))
        table.append({"sha256": sha, "name": name} | ({"accessed": accessed, "url": url} if known else {}))
    return table


def _plain(value: Any) -> Any:
    """A number or text of Python."""
    return value.tolist() if hasattr(value, "tolist") else value
