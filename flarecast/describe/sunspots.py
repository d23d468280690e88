"""Monthly sunspot numbers from SILSO's files `SN_m_tot_V2.0.csv` and `SN_d_tot_V2.0.csv`, or from windows.

    1749;01;1749.042;  96.7; -1.0;   -1;1      year; month; decimal year; number; deviation; n; final
    1818;01;01;1818.001;  -1; -1.0;   0;1     year; month; day; ...

A number of -1 is missing. Source: WDC-SILSO, Royal Observatory of Belgium, Brussels (CC BY-NC 4.0).

Windows of NOAA's daily record hold SWPC's own number of each day.
"""

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

DAY = 86_400
_COLUMN_OF_NUMBER = {7: 3, 8: 4}
_EPOCH = date(1970, 1, 1).toordinal()

FEATURE = "sunspot_number"
SILSO = "WDC-SILSO, Royal Observatory of Belgium, Brussels"
_CREDITS = {"noaa-disk": "NOAA SWPC, daily solar data"}


@dataclass(frozen=True)
class Sunspots:
    """Mean sunspot number of each month.

    Attributes:
        month: Middle of each month, UTC [s since 1970], ascending, shape (month,).
        number: Mean number, shape (month,).
        source: Whose they are.
    """

    month: NDArray[np.int64]
    number: NDArray[np.float64]
    source: str

    @property
    def credit(self) -> str:
        """What stands beside a picture."""
        return f"Sunspot number: {self.source}"


def find_sunspots(path: Path | None, windows: xr.Dataset | None) -> Sunspots | None:
    """Sunspot numbers of a file of SILSO's, else of the windows, where those have them as a feature.

    Args:
        path: SILSO's daily or monthly file.
        windows: A windows Dataset.

    Raises:
        FlarecastError: The file cannot be read, or a line is not of its form.
    """
    if path is not None:
        return read_sunspots(path)
    if windows is None or FEATURE not in windows["feature"].values:
        return None
    return _of_windows(windows)


def _of_windows(windows: xr.Dataset) -> Sunspots | None:
    """Mean of the days of each month; None where none is known."""
    column = windows["feature"].values.tolist().index(FEATURE)
    # A row is stamped when its content is complete: the last of a month at the start of the next.
    time, first = np.unique(windows["time"].values, return_index=True)
    number = windows["values"].values[first, column].astype(np.float64)
    known = np.isfinite(number)
    day_over = (time[known] - 1).astype("datetime64[s]")
    months, place = np.unique(day_over.astype("datetime64[M]"), return_inverse=True)
    middle = months.astype("datetime64[s]").astype(np.int64) + 14 * DAY
    source = str(windows.attrs["source"])
    mean = np.bincount(place, number[known]) / np.bincount(place)
    return Sunspots(middle, mean, _CREDITS.get(source, source)) if months.size else None


def read_sunspots(path: Path) -> Sunspots:
    """Mean sunspot number of each month.

    Args:
        path: SILSO's daily or monthly file.

    Raises:
        FlarecastError: It cannot be read, or a line is not of that form.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise FlarecastError(f"{path}: expected SILSO sunspot numbers, got no text") from error
    months: dict[int, list[float]] = {}
    for place, line in enumerate(lines, 1):
        if line.strip():
            month, number = _month(f"{path} line {place}", line)
            if number >= 0:
                months.setdefault(month, []).append(number)
    if not months:
        raise FlarecastError(f"{path}: expected SILSO sunspot numbers, got none")
    order = sorted(months)
    means = [sum(months[month]) / len(months[month]) for month in order]
    return Sunspots(np.array(order), np.array(means), SILSO)


def _month(where: str, line: str) -> tuple[int, float]:
    """Middle of the month of a line [s since 1970], and its number."""
    cells = line.rstrip(";\r").split(";")
    try:
        middle = (date(int(cells[0]), int(cells[1]), 15).toordinal() - _EPOCH) * DAY
        number = float(cells[_COLUMN_OF_NUMBER[len(cells)]])
    except (KeyError, IndexError, ValueError, OverflowError) as error:
        raise FlarecastError(
            f"{where}: expected year;month;[day;]decimal year;number;... as of SILSO, got {line[:60]!r}"
        ) from error
    if not math.isfinite(number) or number > 1000:
        raise FlarecastError(f"{where}: expected a sunspot number up to 1000, got {number:g}")
    return middle, number
