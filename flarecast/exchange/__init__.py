"""Forecasts made elsewhere, and the two forms that forecasts are kept in.

A reader is a function `(raw, *, options) -> forecasts` of `schema.FORECASTS`, called by `flarecast
read-forecasts`.
"""

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.exchange.forecast_csv import read_csv, write_csv
from flarecast.exchange.llmflarenet import read_llmflarenet
from flarecast.exchange.moswoc import read_moswoc
from flarecast.exchange.netcdf import open_netcdf
from flarecast.exchange.scoreboard import read_scoreboard
from flarecast.exchange.swpc_json import read_swpc_json
from flarecast.exchange.swpc_rsga import read_swpc_rsga
from flarecast.schema import FORECASTS, save

READERS: dict[str, Callable[..., xr.Dataset]] = {
    "llmflarenet": read_llmflarenet,
    "moswoc": read_moswoc,
    "scoreboard": read_scoreboard,
    "swpc-json": read_swpc_json,
    "swpc-rsga": read_swpc_rsga,
}


def open_forecasts(path: Path) -> xr.Dataset:
    """Read forecasts, ours or anybody's, from .csv or .nc.

    Raises:
        FlarecastError: It is missing or no such file.
    """
    return read_csv(path) if path.suffix == ".csv" else open_netcdf(path)


def save_forecasts(forecasts: xr.Dataset, path: Path) -> None:
    """Write forecasts as .csv or .nc.

    Raises:
        FlarecastError: The name ends otherwise, or the folder cannot be written.
    """
    if path.suffix == ".csv":
        write_csv(forecasts, path)
    elif path.suffix == ".nc":
        save(forecasts, path, FORECASTS)
    else:
        raise FlarecastError(f"{path}: expected a name that ends in .nc or .csv")
