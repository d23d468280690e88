"""Forecasts as netCDF, ours or anybody's: beyond the schema, what their events, spans and attributes say."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from flarecast import goes
from flarecast.errors import FlarecastError
from flarecast.schema import FORECASTS, SAMPLINGS, open_file


def open_netcdf(path: Path) -> xr.Dataset:
    """Read a forecasts file and make sure that it can be scored and calibrated.

    Raises:
        FlarecastError: It is missing, no forecasts file, or contradicts itself; all problems are named.
    """
    forecasts = open_file(path, FORECASTS)
    try:
        problems = [*_odd_events(forecasts), *_odd_spans(forecasts), *_odd_attributes(forecasts)]
    except FlarecastError as error:
        raise FlarecastError(f"{path}: {error}") from error
    if problems:
        raise FlarecastError(f"{path}: expected forecasts that fit themselves; {'; '.join(problems)}")
    return forecasts


def _odd_events(forecasts: xr.Dataset) -> Iterator[str]:
    """Events that are no rising GOES classes."""
    events = [str(event) for event in forecasts["event"].values]
    if not events or not goes.ascending(events):
        yield f"events are {', '.join(events) or 'none'}, not GOES classes that rise"


def _odd_spans(forecasts: xr.Dataset) -> Iterator[str]:
    """Spans that end before they start."""
    wrong = forecasts["valid_to"].values <= forecasts["valid_from"].values
    if wrong.any():
        yield f"valid_to is not after valid_from in {np.count_nonzero(wrong):,} windows"


def _odd_attributes(forecasts: xr.Dataset) -> Iterator[str]:
    """Attributes, where there are any, that are not what scores and calibration take them for."""
    n_events = forecasts.sizes["event"]
    lengths = {"training_base_rate": n_events, "prior_natural": n_events + 1, "prior_trained": n_events + 1}
    for name, length in lengths.items():
        value = np.atleast_1d(forecasts.attrs.get(name, np.zeros(length)))
        if value.dtype.kind not in "fiu" or value.shape != (length,):
            yield f"attribute {name} is {forecasts.attrs[name]!r}, not {length} numbers"
    sampling = forecasts.attrs.get("sampling", SAMPLINGS[0])
    if sampling not in SAMPLINGS:
        yield f"attribute sampling is {sampling!r}, none of {', '.join(SAMPLINGS)}"
