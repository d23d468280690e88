"""Sources of windows.

A source is a function `(raw, rng, *, options) -> windows`: it reads the folder RAW (or simulates with the
generator) and gives a Dataset of `schema.WINDOWS`. To add one: write a file, add a line here, add its name to
the shared test.

A context is a function `(windows, raw, *, options) -> windows` that adds features of the whole Sun to the
rows of any source, as known at each row's time.
"""

from collections.abc import Callable

import xarray as xr

from flarecast.ingest.goes_xrs import join_goes_xrs
from flarecast.ingest.noaa_disk import ingest_noaa_disk
from flarecast.ingest.noaa_regions import ingest_noaa_regions
from flarecast.ingest.sharp import ingest_sharp
from flarecast.ingest.simulated import ingest_simulated
from flarecast.ingest.swan_sf import ingest_swan_sf
from flarecast.ingest.table import ingest_table

SOURCES: dict[str, Callable[..., xr.Dataset]] = {
    "noaa-disk": ingest_noaa_disk,
    "noaa-regions": ingest_noaa_regions,
    "sharp": ingest_sharp,
    "simulated": ingest_simulated,
    "swan-sf": ingest_swan_sf,
    "table": ingest_table,
}

CONTEXTS: dict[str, Callable[..., xr.Dataset]] = {
    "goes-xrs": join_goes_xrs,
}

SPREAD = ("swan-sf",)
"""Sources that take `spread`, by which a cluster reads their archives."""
