"""Datasets made by a schema, and all that is wrong with one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.schema.variables import FileSchema, Variable


def build(schema: FileSchema, arrays: Mapping[str, Any], attributes: Mapping[str, Any]) -> xr.Dataset:
    """Make a legal Dataset from plain arrays: types cast, CF attributes set, variables checked.

    Args:
        schema: `WINDOWS`, `SPLIT` or `FORECASTS`.
        arrays: Array of each variable, by name, in the dimensions of the schema.
        attributes: The file's attributes (no None; lists of text become newline-separated text).

    Raises:
        FlarecastError: It breaks the schema; all problems are named.
    """
    unknown = [name for name in arrays if name not in schema.variables]
    if unknown:
        raise FlarecastError(f"{schema.name}: unknown variables {', '.join(unknown)}")
    variables = {}
    for name, values in arrays.items():
        spec = schema.variables[name]
        variables[name] = (spec.dims, _array(f"{schema.name}: {name}", values, spec), spec.attributes)
    own = [name for name in variables if schema.variables[name].dims == (name,)]
    coordinates = {name: variables.pop(name) for name in own}
    plain = {name: _attribute(value) for name, value in attributes.items()}
    try:
        dataset = xr.Dataset(variables, coordinates, {"Conventions": "CF-1.11", **plain})
    except ValueError as error:
        raise FlarecastError(f"{schema.name}: expected arrays that fit together, got {error}") from error
    check(dataset, schema)
    return dataset


def check(dataset: xr.Dataset, schema: FileSchema, where: str = "") -> None:
    """Raise one FlarecastError that names every way in which a Dataset breaks its schema."""
    problems = [f"attribute {name} is missing" for name in schema.attributes if name not in dataset.attrs]
    problems += [f"attribute {name} is None" for name, value in dataset.attrs.items() if value is None]
    for name, spec in schema.variables.items():
        if name not in dataset.variables:
            if spec.required:
                problems.append(f"variable {name} is missing")
            continue
        problems += _problems(name, dataset[name], spec)
    if problems:
        raise FlarecastError(f"{where or schema.name}: expected a {schema.name} file; " + "; ".join(problems))


def _attribute(value: Any) -> Any:
    """Join a list of texts by newlines; netCDF attributes hold no lists of text that all readers know."""
    listed = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    return "\n".join(value) if listed else value


def _array(what: str, values: Any, spec: Variable) -> np.ndarray:
    """Array of a variable's type and dimensions; what an integer cannot hold, like 0.5 or NaN, is refused."""
    try:
        array = np.asarray(values)
        with np.errstate(invalid="ignore"):
            cast = _text(array) if spec.dtype == "text" else array.astype(spec.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise FlarecastError(f"{what}: expected {spec.dtype}, got {error}") from error
    if cast.dtype.kind in "iu" and array.dtype.kind in "iuf" and not np.array_equal(cast, array):
        raise FlarecastError(f"{what}: expected {spec.dtype}, got {array[cast != array].flat[0]}")
    if cast.ndim != len(spec.dims):
        raise FlarecastError(f"{what}: expected dimensions ({', '.join(spec.dims)}), got shape {cast.shape}")
    return cast


def _text(array: np.ndarray) -> np.ndarray:
    """Array of Python strings, the one form of text that netCDF takes without a fixed width."""
    if not array.size:
        return np.empty(array.shape, dtype=str)  # of no objects xarray would guess a number
    if array.dtype == object and all(type(text) is str for text in array.flat):
        return array.copy()  # millions of names are few texts
    out = np.empty(array.shape, dtype=object)
    out[...] = array.astype(str)
    return out


def _problems(name: str, variable: xr.DataArray, spec: Variable) -> list[str]:
    """Ways in which one variable breaks its specification."""
    problems = []
    if tuple(map(str, variable.dims)) != spec.dims:
        got = ", ".join(map(str, variable.dims))
        problems.append(f"{name} has dimensions ({got}), not ({', '.join(spec.dims)})")
    if spec.dtype == "text":
        return (
            problems if variable.dtype.kind in "OUT" else [*problems, f"{name} is {variable.dtype}, not text"]
        )
    if variable.dtype != np.dtype(spec.dtype):
        return [*problems, f"{name} is {variable.dtype}, not {spec.dtype}"]
    values = variable.values
    if spec.flags:
        odd = np.setdiff1d(np.unique(values), [value for _, value in spec.flags])
        if odd.size:
            problems.append(f"{name} holds {odd[0]}, which is no flag")
    if spec.low is not None and spec.high is not None and values.size:
        wrong = (values < spec.low) | (values > spec.high)
        if wrong.any():
            problems.append(f"{name} holds {values[wrong].flat[0]:g}, outside [{spec.low:g}, {spec.high:g}]")
    return problems
