"""What occurred in the spans of forecasts, by a list of flares."""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.evaluate.pairing import fill_outcomes
from flarecast.flares import read_flares
from flarecast.flares.clock import DAY
from flarecast.schema import NO_TIME

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DISK = "disk"


def fill_truth(forecasts: xr.Dataset, truth: xr.Dataset | Path) -> tuple[xr.Dataset, list[str]]:
    """Take what occurred from windows or from a list of flares, and from nowhere else.

    Args:
        forecasts: Forecasts.
        truth: Windows of the same regions and spans, or any list that `read-flares` reads.

    Returns:
        The forecasts with `occurred` replaced, and a sentence where some windows have no known outcome.

    Raises:
        FlarecastError: The list is none, or has no flares.
    """
    if isinstance(truth, Path):
        filled, unmatched = fill_from_flares(forecasts, truth)
        where = "are outside the list of flares"
    else:
        filled, unmatched = fill_outcomes(forecasts, truth)
        where = "have no match in the truth file"
    return filled, [f"{unmatched:,} windows {where}: their outcome is unknown"] if unmatched else []


def fill_from_flares(forecasts: xr.Dataset, path: Path) -> tuple[xr.Dataset, int]:
    """Take what occurred from a list of flares, and from nowhere else.

    A flare belongs by its peak to the disk and to the NOAA region that it names. The list is taken as
    complete from the day of its first flare to that of its last; outside, and for regions without a NOAA
    number, nothing is known. Attribute `unassigned` (`ignore` or `mask`) of the forecasts is about flares
    without a region.

    Args:
        forecasts: Forecasts of the disk or of regions named like `NOAA 11429`.
        path: Any list that `read-flares` reads.

    Returns:
        The forecasts with `occurred` replaced, and how many windows have no known outcome for any event.

    Raises:
        FlarecastError: The file is no list of flares, or has none.
    """
    table = read_flares([path])
    if not len(table):
        raise FlarecastError(f"{path}: expected flares, got a list without any")
    column = {name: table[name].to_numpy() for name in ("start", "peak", "flux", "flux_upper", "region")}
    time = np.where(column["peak"] != NO_TIME, column["peak"], column["start"])
    number = np.array([_number(str(region)) for region in forecasts["region"].values], dtype=np.int64)
    start, stop = forecasts["valid_from"].values, forecasts["valid_to"].values
    covered = (start >= time.min() // DAY * DAY) & (stop <= (time.max() // DAY + 1) * DAY) & (number >= 0)
    span = (number, start, stop)
    occurred = np.full(forecasts["probability"].shape, -1, dtype=np.int8)
    for nth, event in enumerate(forecasts["event"].values):
        limit = goes.parse_class(str(event))
        surely, perhaps = (goes.at_least(column[name], limit) for name in ("flux", "flux_upper"))
        yes = _any(span, column["region"][surely], time[surely])
        maybe = _any(span, column["region"][perhaps], time[perhaps])
        if forecasts.attrs.get("unassigned", "ignore") == "mask":
            nameless = perhaps & (column["region"] == 0)
            maybe |= _any((np.zeros_like(number), start, stop), column["region"][nameless], time[nameless])
        occurred[:, nth] = np.where(yes, 1, np.where(covered & ~maybe, 0, -1))
    filled = forecasts.assign(occurred=forecasts["occurred"].copy(data=occurred))
    return filled, int((occurred < 0).all(axis=1).sum())


def _number(region: str) -> int:
    """NOAA number of a region, 0 for the disk, -1 where there is none."""
    if region == DISK:
        return 0
    name, _, digits = region.partition(" ")
    return int(digits) if name == "NOAA" and digits.isdecimal() else -1


def _any(span: tuple[IntArray, IntArray, IntArray], region: IntArray, time: IntArray) -> BoolArray:
    """Whether a flare of the region, or any for the disk (0), lies in each span, shape (window,)."""
    number, start, stop = span
    there = np.zeros(number.size, dtype=bool)
    for one in np.unique(number[number >= 0]):
        mine = number == one
        times = np.sort(time if one == 0 else time[region == one])
        there[mine] = np.searchsorted(times, stop[mine]) > np.searchsorted(times, start[mine])
    return there
