"""Which kind of file it is, and its description."""

from pathlib import Path
from typing import Any

import xarray as xr

from flarecast.describe.of_flares import describe_flares, read_flares
from flarecast.describe.of_forecasts import describe_forecasts, describe_split
from flarecast.describe.of_windows import describe_windows
from flarecast.errors import FlarecastError
from flarecast.exchange import open_forecasts
from flarecast.files import sha256
from flarecast.schema import SPLIT, WINDOWS, open_file


def kind_of(path: Path) -> str:
    """What a file is: `windows`, `split`, `forecasts` or `flares`.

    Raises:
        FlarecastError: It is missing, or none of them.
    """
    if not path.is_file():
        raise FlarecastError(f"{path}: expected windows.nc, split.nc, forecasts or flares.csv, found none")
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", errors="replace") as file:
            names = {name.strip().strip('"') for name in file.readline(10_000).split(",")}
        if "probability" in names:
            return "forecasts"
        if {"peak", "flux"} <= names:
            return "flares"
        raise FlarecastError(
            f"{path} line 1: expected a header with probability (forecasts) or peak and flux (flares), got"
            f" {', '.join(sorted(names))[:100]!r}"
        )
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_cf=False, phony_dims="sort") as dataset:
            names = {str(name) for name in dataset.variables}
    except (OSError, ValueError, KeyError, RuntimeError):
        return "windows"  # whose reader says what is wrong
    if "probability" in names:
        return "forecasts"
    return "split" if "role" in names and "values" not in names else "windows"


def describe(path: Path, split_path: Path | None = None) -> dict[str, Any]:
    """What is in a file, as plain tables.

    Args:
        path: windows.nc, split.nc, forecasts (.nc or .csv) or flares.csv.
        split_path: For windows, their split: classes are counted by role, too.

    Returns:
        `file`, `kind`, `sha256`, `summary` (name: number or text), `tables` (name: rows) and, for windows,
        `files` (hash and name of what they were made of). No NaN, nothing but plain types.

    Raises:
        FlarecastError: The file is missing or damaged, or the split was made of other windows.
    """
    kind = kind_of(path)
    head = {"file": path.name, "kind": kind, "sha256": sha256(path)}
    if split_path is not None and kind != "windows":
        raise FlarecastError(f"{path}: expected windows to go with {split_path}, got {kind}")
    if kind == "windows":
        windows = open_file(path, WINDOWS)
        split = _split_of(split_path, head["sha256"]) if split_path else None
        return head | describe_windows(windows, split)
    if kind == "split":
        return head | describe_split(open_file(path, SPLIT))
    if kind == "flares":
        return head | describe_flares(read_flares(path))
    return head | describe_forecasts(open_forecasts(path))


def _split_of(path: Path, windows_sha256: str) -> xr.Dataset:
    """The split of some windows.

    Raises:
        FlarecastError: It was made of others.
    """
    split = open_file(path, SPLIT)
    if split.attrs["windows_sha256"] != windows_sha256:
        raise FlarecastError(
            f"{path}: expected the split of windows with sha256 {windows_sha256[:12]}, got that of"
            f" {str(split.attrs['windows_sha256'])[:12]}; split these windows"
        )
    return split
