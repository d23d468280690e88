"""Features of the whole Sun that join the rows of any source, as known at each row's time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast import schema
from flarecast.errors import FlarecastError

Feature = tuple[NDArray[np.float64], str, float]


def with_context(
    windows: xr.Dataset,
    features: Mapping[str, Feature],
    source_files: Sequence[str],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Add features to the rows of a windows Dataset, and name them in `context_features`.

    Args:
        windows: Windows of any source.
        features: Name -> values (row,), unit, memory [h]; a row's values are of what was known at its time.
        source_files: Hash and name of each file that they were made of.
        attributes: Attributes to add; `history` goes on where the file's ends.

    Raises:
        FlarecastError: The windows have a feature of that name.
    """
    there = [str(name) for name in windows["feature"].values]
    twice = sorted(set(there) & set(features))
    if twice:
        raise FlarecastError(f"context: expected new features, got {', '.join(twice)} a second time")
    arrays: dict[str, Any] = {str(name): windows[name].values for name in windows.variables}
    columns = [np.asarray(values, dtype=np.float32) for values, _, _ in features.values()]
    arrays |= {
        "values": np.concatenate([arrays["values"], np.stack(columns, axis=1)], axis=1),
        "feature": [*there, *features],
        "feature_unit": [*arrays["feature_unit"], *(unit for _, unit, _ in features.values())],
        "feature_memory_hours": [
            *arrays["feature_memory_hours"],
            *(memory for _, _, memory in features.values()),
        ],
    }
    joined = {
        "context_features": [*_listed(windows, "context_features"), *features],
        "source_files": [*_listed(windows, "source_files"), *source_files],
        "history": f"{windows.attrs['history']}; {attributes['history']}",
    }
    return schema.build(schema.WINDOWS, arrays, {**windows.attrs, **attributes, **joined})


def _listed(windows: xr.Dataset, name: str) -> list[str]:
    """Lines of an attribute that lists texts."""
    value = windows.attrs.get(name, "")
    lines = value.split("\n") if isinstance(value, str) else list(value)
    return [str(line) for line in lines if str(line)]
