"""Datasets in files and out of them."""

from pathlib import Path
from typing import Any

import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.files import replacing
from flarecast.schema.checking import check
from flarecast.schema.variables import FileSchema


def save(dataset: xr.Dataset, path: Path, schema: FileSchema) -> None:
    """Check a Dataset and write it as netCDF-4, aside and renamed.

    Raises:
        FlarecastError: It breaks the schema, or the folder cannot be written.
    """
    check(dataset, schema)
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind in "fiu":
            encoding[str(name)] = {"_FillValue": None}
            if variable.size > 1000:
                rows = max(1, min(variable.shape[0], 1_000_000 // max(1, variable.size // variable.shape[0])))
                chunks = (rows, *variable.shape[1:])
                encoding[str(name)] |= {"zlib": True, "complevel": 1, "shuffle": True, "chunksizes": chunks}
    with replacing(path) as aside:  # through memory: HDF5 on a full disk takes the whole process down
        aside.write_bytes(dataset.to_netcdf(engine="h5netcdf", encoding=encoding))


def open_file(path: Path, schema: FileSchema) -> xr.Dataset:
    """Read a file whole, close it, check it.

    Raises:
        FlarecastError: It is missing, no netCDF, or breaks the schema.
    """
    if not path.is_file():
        raise FlarecastError(f"{path}: expected a {schema.name} file, found none")
    try:
        with xr.open_dataset(path, engine="h5netcdf", decode_cf=False, phony_dims="sort") as lazy:
            dataset = lazy.load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        text = f"{path}: expected a {schema.name} file, got no readable netCDF ({reason})"
        raise FlarecastError(text) from error
    check(dataset, schema, str(path))
    return dataset
