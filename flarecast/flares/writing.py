"""The table of flares as flares.csv, which `read_flares` reads back."""

from pathlib import Path

import pandas as pd

from flarecast.cycles import iso
from flarecast.files import replacing
from flarecast.flares.reading import COLUMNS
from flarecast.schema import NO_TIME


def write_flares(table: pd.DataFrame, path: Path) -> None:
    """Write flares as CSV: times in ISO-8601, empty where unknown; fluxes in W m-2 to the last digit.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    text = table.loc[:, list(COLUMNS)].copy()
    for name in ("start", "peak", "end"):
        text[name] = ["" if time == NO_TIME else iso(time) for time in table[name].tolist()]
    for name in ("flux", "flux_upper"):
        text[name] = [repr(value) for value in table[name].tolist()]
    with replacing(path) as aside:
        text.to_csv(aside, index=False, lineterminator="\n")
