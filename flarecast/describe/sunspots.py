"""Monthly sunspot numbers from SILSO's files `SN_m_tot_V2.0.csv` and `SN_d_tot_V2.0.csv`.

    1749;01;1749.042;  96.7; -1.0;   -1;1      year; month; decimal year; number; deviation; n; final
    1818;01;01;1818.001;  -1; -1.0;   0;1     year; month; day; ...

A number of -1 is missing. Source: WDC-SILSO, Royal Observatory of Belgium, Brussels (CC BY-NC 4.0).
"""

import math
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flarecast.errors import FlarecastError

DAY = 86_400
_COLUMN_OF_NUMBER = {7: 3, 8: 4}
_EPOCH = date(1970, 1, 1).toordinal()


def read_sunspots(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Mean sunspot number of each month.

    Args:
        path: SILSO's daily or monthly file.

    Returns:
        Middle of each month, UTC [s since 1970], and the mean number, each of shape (month,), ascending.

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
    return np.array(order), np.array([sum(months[month]) / len(months[month]) for month in order])


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
