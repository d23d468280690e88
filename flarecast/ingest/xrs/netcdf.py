"""GOES X-ray files as NOAA archives them, netCDF of all generations.

| layout | satellites | time | fluxes | flags | scale |
|---|---|---|---|---|---|
| science, averages and 1 s | 8 to 19 | `time` since 2000-01-01 12:00 | `xrsa_flux` | `xrsa_flag(s)` | true |
| science, 2 and 3 s | 1 to 15 | `time` since 1970 | `a_flux` | `a_flags` | true |
| as operated, averages | 8 to 15 | `time_tag` [ms] | `A_AVG` | `A_QUAL_FLAG` | operational |
| as operated, 2 and 3 s | 8 to 15 | `time_tag` [ms] | `A_FLUX` | `A_QUAL_FLAG` | operational |

A sample with a flag is left out, unless the flag says saturated (a lower bound of a large flare) or that the
gain changed. Electrons that hit the sensor look like X-rays: a sample is left out where a flag says so, or
where the file's own estimate of them is more than half of what was observed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.io import netcdf_file

from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.xrs.minutes import LARGEST_FLUX, TRUE_PER_OPERATIONAL, Minutes, averaged

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NAME = re.compile(r".*(?:xrs|goes).*\.nc", re.IGNORECASE)
OTHER_PRODUCTS = re.compile(r"flsum|fldet|flloc|bkd|ratio", re.IGNORECASE)
"""Flare summaries, detections, places and daily backgrounds: of the same instrument, and no series."""

MOST_SAMPLES = 40_000_000
"""A year of 1 s; a file that says it has more is damaged."""

USED_FLAGS = ("good_data", "valid", "saturated", "gain_state_change")
"""Meanings of flags whose samples are used."""

MOST_ELECTRONS = 0.5
"""Share of the observed flux that may be electrons; beyond it their estimate decides the result."""

_CONTAMINATED = re.compile(r"contaminat|invalid", re.IGNORECASE)
_UNITS = re.compile(
    r"(milliseconds|seconds|minutes) since (\d{4})-(\d{2})-(\d{2})(?:[T ]+(\d{2}):(\d{2})(?::(\d{2})\S*)?)?.*"
)
_SECONDS = {"milliseconds": 1e-3, "seconds": 1.0, "minutes": 60.0}
_SATELLITE = re.compile(r"(?:^|[^a-z])g(?:oes)?[-_ ]?(\d{1,2})(?!\d)", re.IGNORECASE)
_DATED = re.compile(r"_(?:d(\d{4})(\d{2})(\d{2})|y(\d{4}))_")
_EARLIEST, _LATEST = seconds("1974-01"), seconds("2100-01")
_DAMAGED = (OSError, ValueError, KeyError, RuntimeError, TypeError, IndexError, AttributeError, MemoryError)


@dataclass(frozen=True)
class Layout:
    """Names of a generation's variables, channel A and B, and the scale of its fluxes."""

    time: str
    flux: tuple[str, str]
    flags: tuple[tuple[str, ...], tuple[str, ...]]
    scale: str


LAYOUTS = (
    Layout(
        "time", ("xrsa_flux", "xrsb_flux"), (("xrsa_flag", "xrsa_flags"), ("xrsb_flag", "xrsb_flags")), "true"
    ),
    Layout("time", ("a_flux", "b_flux"), (("a_flags",), ("b_flags",)), "true"),
    Layout("time_tag", ("A_AVG", "B_AVG"), (("A_QUAL_FLAG",), ("B_QUAL_FLAG",)), "operational"),
    Layout("time_tag", ("A_FLUX", "B_FLUX"), (("A_QUAL_FLAG",), ("B_QUAL_FLAG",)), "operational"),
)


VARIABLES = sorted(
    {name for one in LAYOUTS for name in (one.time, *one.flux, *one.flags[0], *one.flags[1])}
    | {f"xrs{letter}_flux_{what}" for letter in "ab" for what in ("electrons", "observed")}
    | {"electron_correction_flag"}
)
ATTRIBUTES = (
    *("units", "platform", "_FillValue", "missing_value", "valid_min", "valid_max"),
    *("flag_meanings", "flag_masks", "flag_values"),
)


def find_netcdf(folder: Path) -> list[Path]:
    """Files of X-ray series in a folder and below it, by name."""
    paths = [
        path
        for path in folder.rglob("*.nc")
        if NAME.fullmatch(path.name) and not OTHER_PRODUCTS.search(path.name) and path.is_file()
    ]
    return sorted(paths, key=lambda path: (path.name, str(path)))


def read_netcdf(path: Path) -> Minutes:
    """Read one file.

    Raises:
        FlarecastError: It cannot be read, is no such netCDF, damaged, or of another time than its name says.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    if start.lstrip()[:1] == b"<":
        raise FlarecastError(f"{path}: expected netCDF of GOES X-rays, got a web page; get the file again")
    try:
        with np.errstate(all="ignore"):  # damaged numbers
            dataset = _load_netcdf3(path) if start[:3] == b"CDF" else _load_netcdf4(path)
            return _minutes(path, dataset)
    except _DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise FlarecastError(
            f"{path}: expected netCDF of GOES X-rays, got a file that cannot be read ({reason})"
        ) from error


def _load_netcdf4(path: Path) -> xr.Dataset:
    """The variables that are used; through h5py, for h5netcdf leaves noise behind where a file is damaged."""
    with h5py.File(path, "r") as file:
        variables = {name: file[name] for name in VARIABLES if isinstance(file.get(name), h5py.Dataset)}
        loaded = {
            name: (f"length_{variable.size}", variable[()], _attributes(variable.attrs))
            for name, variable in variables.items()
            if variable.ndim == 1 and variable.size <= MOST_SAMPLES
        }
        return xr.Dataset(loaded, attrs={**_attributes(file.attrs), "names": ", ".join(list(file)[:8])})


def _load_netcdf3(path: Path) -> xr.Dataset:
    """The variables that are used."""
    with netcdf_file(path, "r", mmap=False, maskandscale=False) as file:
        variables = {name: file.variables[name] for name in VARIABLES if name in file.variables}
        loaded = {
            name: (f"length_{variable.data.size}", variable.data, _attributes(variable._attributes))
            for name, variable in variables.items()
            if variable.data.ndim == 1 and variable.data.size <= MOST_SAMPLES
        }
        names = ", ".join(list(file.variables)[:8])
        return xr.Dataset(loaded, attrs={**_attributes(file._attributes), "names": names})


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are used, text as text and arrays of one value as that value."""
    found = {}
    for name in ATTRIBUTES:
        value = attributes[name] if name in attributes else None  # noqa: SIM401  (h5py's get hides faults)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        elif isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(()).item()
        if value is not None:
            found[name] = value
    return found


def satellite_of(attributes: Mapping[Any, Any], name: str) -> int:
    """GOES number by the file's attribute `platform`, else by its name; 0 where neither tells."""
    for text in (str(attributes.get("platform", "")), name):
        match = _SATELLITE.search(text)
        if match:
            return int(match[1])
    return 0


def _minutes(path: Path, dataset: xr.Dataset) -> Minutes:
    """Means by minute of an open file."""
    layout = next((one for one in LAYOUTS if {one.time, *one.flux} <= set(dataset.variables)), None)
    if layout is None:
        known = "; ".join(f"{one.time}, {', '.join(one.flux)}" for one in LAYOUTS)
        raise FlarecastError(f"{path}: expected variables {known}, got {dataset.attrs['names'] or 'none'}")
    n_samples = dataset[layout.time].size
    shapes = {dataset[name].shape for name in (layout.time, *layout.flux)}
    if shapes != {(n_samples,)} or n_samples > MOST_SAMPLES:
        raise FlarecastError(f"{path}: expected series of one length, got shapes {sorted(shapes)}")
    time = _time(dataset[layout.time])
    dated = (time >= _EARLIEST) & (time < _LATEST)
    _check_dates(path, time[dated])
    read = [_channel(dataset, layout, channel) for channel in range(2)]
    minute, flux = averaged(time[dated], np.stack([values for values, _, _ in read], axis=1)[dated])
    n_flagged, n_contaminated = (int((reason & dated).sum()) for reason in read[1][1:])
    satellite = satellite_of(dataset.attrs, path.name)
    return Minutes(minute, flux, satellite, True, n_samples, n_flagged, n_contaminated, layout.scale)


def _channel(dataset: xr.Dataset, layout: Layout, channel: int) -> tuple[FloatArray, BoolArray, BoolArray]:
    """True flux of a channel, NaN = not to be used; which samples are flagged, and which are electrons."""
    values = _numbers(dataset[layout.flux[channel]])
    flagged = _flagged(dataset, layout.flags[channel], values.size)
    electrons = _electrons(dataset, layout.flux[channel], values.size) & ~flagged
    values[flagged | electrons | ~(np.abs(values) <= LARGEST_FLUX)] = np.nan
    if layout.scale == "operational":
        values *= TRUE_PER_OPERATIONAL[channel]
    return values, flagged, electrons


def _time(variable: xr.DataArray) -> FloatArray:
    """UTC seconds since 1970; NaN where missing."""
    match = _UNITS.fullmatch(str(variable.attrs.get("units", "")).strip())
    if match is None:
        raise ValueError(f"unit of time {variable.attrs.get('units')!r}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[1:])
    epoch = datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    return _numbers(variable) * _SECONDS[match[1]] + epoch


def _check_dates(path: Path, time: FloatArray) -> None:
    """Refuse a file whose times are not those that its name tells: its clock, or its name, is wrong."""
    if not time.size:
        raise FlarecastError(f"{path}: expected times between 1974 and 2100, got none")
    match = _DATED.search(path.name)
    if match is None:
        return
    dated = f"{match[4]}-01-01" if match[4] else "-".join(match.groups()[:3])
    first = seconds(dated)
    last = seconds(f"{int(match[4]) + 1}-01-01") if match[4] else first + 86_400
    middle = float(np.median(time))
    if not first - 3600 <= middle <= last + 3600:
        raise FlarecastError(
            f"{path}: expected times of {match[4] or dated} as its name says, got {iso(int(middle))};"
            " get the file again"
        )


def _numbers(variable: xr.DataArray) -> FloatArray:
    """Values, NaN where they are the fill value or outside the valid range."""
    values = np.asarray(variable.values)
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{variable.name} holds {values.dtype}")
    out = values.astype(np.float64)
    attributes = variable.attrs
    for name in ("_FillValue", "missing_value"):
        if name in attributes:
            out[values == np.asarray(attributes[name]).astype(values.dtype)] = np.nan
    low = float(attributes.get("valid_min", -np.inf))
    high = float(attributes.get("valid_max", np.inf))
    out[~((out >= low) & (out <= high))] = np.nan
    out[out <= -9999] = np.nan
    return out


def _flagged(dataset: xr.Dataset, names: tuple[str, ...], n_samples: int) -> BoolArray:
    """Samples that the channel's flag says not to use; none where the file has no flag."""
    variable = next((dataset[name] for name in names if name in dataset.variables), None)
    return _set_flags(variable, n_samples, lambda meaning: meaning not in USED_FLAGS, unnamed=True)


def _electrons(dataset: xr.Dataset, flux: str, n_samples: int) -> BoolArray:
    """Samples that are electrons for the larger part, by a flag or by the file's own estimate."""
    flag = dataset.get("electron_correction_flag")
    bad = _set_flags(flag, n_samples, lambda name: _CONTAMINATED.search(name) is not None, unnamed=False)
    names = (f"{flux}_electrons", f"{flux}_observed")
    if all(name in dataset.variables and dataset[name].shape == (n_samples,) for name in names):
        electrons, observed = (_numbers(dataset[name]) for name in names)
        bad |= electrons > MOST_ELECTRONS * observed
    return bad


def _set_flags(variable: xr.DataArray | None, n_samples: int, is_bad: Any, unnamed: bool) -> BoolArray:
    """Samples with a flag whose meaning is bad.

    Args:
        variable: Bit flags with `flag_meanings` and `flag_masks`; none = nothing is flagged.
        n_samples: Samples that there are.
        is_bad: Says of a meaning whether it is.
        unnamed: Whether a flag without meanings is bad where it is not 0.
    """
    if variable is None or variable.shape != (n_samples,):
        return np.zeros(n_samples, dtype=bool)
    numbers = np.asarray(variable.values).astype(np.float64)
    fill = np.asarray(variable.attrs.get("_FillValue", np.nan)).astype(np.float64)
    missing = np.isnan(numbers) | (numbers == fill) | (numbers < 0)
    flags = np.where(missing, 0, numbers).astype(np.int64)
    meanings = str(variable.attrs.get("flag_meanings", "")).split()
    masks = np.atleast_1d(variable.attrs.get("flag_masks", [])).astype(np.int64)
    if not meanings or masks.size != len(meanings):
        return missing | (flags != 0) if unnamed else np.zeros(n_samples, dtype=bool)
    wanted = np.atleast_1d(variable.attrs.get("flag_values", masks)).astype(np.int64)
    if wanted.size != masks.size:
        wanted = masks
    bad = missing if unnamed else np.zeros(n_samples, dtype=bool)
    for meaning, mask, value in zip(meanings, masks.tolist(), wanted.tolist(), strict=True):
        if value != 0 and is_bad(meaning):
            bad = bad | ((flags & mask) == value)
    return bad
