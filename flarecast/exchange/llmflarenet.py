"""Daily forecasts of active regions by networks of LLMFlareNet, a CSV a network (`Transformer.csv`, ...).

    T_REC,_modelType,JianceType,NOAA_ARS,CV0_prob,...,CV9_prob,Nmbr,CV_average,Class,new_noaaid,predictday
    20220218,Transformer,TSS,12946,0.157,...,0.233,12946,0.192,N,12946,20220219

`CV_average` is the mean of ten networks' probability of a flare of class M or more on the UTC day
`predictday`, from magnetograms up to the end of the day before: it is read as issued as the day begins.
`Class` is the largest flare of the region that begins on that day, N where there is none.
"""

from collections import Counter
from pathlib import Path

import xarray as xr

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.exchange import method_csv
from flarecast.exchange.choosing import Row, as_forecasts, source_files
from flarecast.exchange.method_csv import Cells
from flarecast.flares import clock
from flarecast.flares.layouts import number
from flarecast.flares.numbering import complete_one, printed_number
from flarecast.schema import NO_TIME

COLUMNS = ("_modelType", "CV_average", "Class", "new_noaaid", "predictday")
WHAT = "a CSV of LLMFlareNet's daily mode"
EVENT = "M1.0"
QUIET = "N"
NO_DAY, NO_REGION, NO_PROBABILITY, NO_CLASS = "no day", "no region", "no probability", "no class"


def read_llmflarenet(raw: Path, *, method: str = "") -> xr.Dataset:
    """Read the forecasts of one network, and what occurred.

    Args:
        raw: The CSV, or a folder searched for such.
        method: Name in the column `_modelType`; needed where there are several.

    Returns:
        A forecasts Dataset of M1.0. Attributes count lines, and those skipped by reason.

    Raises:
        FlarecastError: No such file, no such network, or no forecast of it.
    """
    paths = method_csv.find_files(raw, COLUMNS, WHAT)
    lines = [line for path in paths for line in method_csv.read_lines(path, COLUMNS, WHAT)]
    method, methods = method_csv.choose_method(raw, method, {cells["_modelType"] for _, cells in lines})
    skipped: Counter[str] = Counter()
    rows: list[Row] = []
    first_bad = ""
    mine = [(where, cells) for where, cells in lines if cells["_modelType"] == method]
    for where, cells in mine:
        found = _row(cells)
        if isinstance(found, str):
            skipped[found] += 1
            first_bad = first_bad or f"{where}: {found} in {','.join(cells.values())[:100]!r}"
        else:
            rows.append(found)
    if not rows:
        raise FlarecastError(first_bad)
    attributes = {
        "source": "llmflarenet",
        "source_files": source_files(raw, paths),
        "history": f"read-forecasts llmflarenet: method {method} of {', '.join(methods)}",
        "n_lines": len(mine),
        "n_skipped": skipped.total(),
        "skipped": ", ".join(f"{reason} {count}" for reason, count in sorted(skipped.items())),
    }
    return as_forecasts(rows, method, attributes)


def _row(cells: Cells) -> Row | str:
    """The forecast of a line; or why there is none."""
    digits = cells["predictday"]
    if len(digits) != 8 or not digits.isascii() or not digits.isdecimal():
        return NO_DAY
    day = clock.day_start(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if day == NO_TIME:
        return NO_DAY
    region = complete_one(printed_number(cells["new_noaaid"]), day)
    if not region:
        return NO_REGION
    probability = number(cells["CV_average"]) if cells["CV_average"] else -1.0
    if not 0 <= probability <= 1:
        return NO_PROBABILITY
    occurred = _occurred(cells["Class"])
    if occurred is None:
        return NO_CLASS
    return Row(day, day, day + clock.DAY, f"NOAA {region}", EVENT, probability, occurred)


def _occurred(cls: str) -> int | None:
    """1, 0, -1 where the cell is empty; None where it is no class."""
    if cls in ("", QUIET):
        return -1 if not cls else 0
    try:
        flux = goes.class_bounds(cls)[0] if cls in goes.DECADES else goes.parse_class(cls)
    except FlarecastError:
        return None
    return int(flux >= goes.parse_class(EVENT) * (1 - goes.TOLERANCE))
