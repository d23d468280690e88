"""Forecasts made elsewhere.

A reader is a function `(raw) -> forecasts` of `schema.FORECASTS`, called by `flarecast read-forecasts`.
"""

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from flarecast.exchange.swpc_rsga import read_swpc_rsga

READERS: dict[str, Callable[[Path], xr.Dataset]] = {
    "swpc-rsga": read_swpc_rsga,
}
