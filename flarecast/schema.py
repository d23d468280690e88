"""The three netCDF files of flarecast: every variable's dimensions, type, unit and meaning, once.

`WINDOWS`, `SPLIT` and `FORECASTS` are tables. `build` makes a Dataset from plain arrays by them, `check`
says all that is wrong with one, `save` and `open_file` write and read them (netCDF-4, CF-1.11). Times are
int64 UTC seconds since 1970, never decoded; text is an array of `str`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast.errors import FlarecastError
from flarecast.files import replacing

ROLES = ("unused", "train", "validation", "calibration", "test")
"""Roles of a window in a split, by their value in the file."""

SAMPLINGS = ("natural", "filtered", "case-control")
"""How the windows of a source were chosen."""

TIME_UNIT = "seconds since 1970-01-01T00:00:00"
YEARS = (-62_135_596_800, 253_402_300_799)
"""First and last second that has a date: the years 1 to 9999 [s since 1970]."""


@dataclass(frozen=True)
class Variable:
    """One variable of a file: dimensions, type (`text` or a numpy name), CF unit, meaning."""

    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str
    required: bool = True
    flags: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """CF attributes of the variable."""
        attributes: dict[str, Any] = {"long_name": self.meaning}
        if self.unit:
            attributes["units"] = self.unit
        if self.unit == TIME_UNIT:
            attributes |= {
                "standard_name": "time",
                "calendar": "standard",
                "units_metadata": "leap_seconds: none",
            }
        if self.flags:
            attributes["flag_values"] = np.array([value for _, value in self.flags], dtype=self.dtype)
            attributes["flag_meanings"] = " ".join(name for name, _ in self.flags)
        if self.low is not None and self.high is not None:
            attributes["valid_range"] = np.array([self.low, self.high], dtype=self.dtype)
        return attributes


@dataclass(frozen=True)
class FileSchema:
    """A kind of file: its name in messages, its variables, the attributes it must carry."""

    name: str
    variables: Mapping[str, Variable]
    attributes: tuple[str, ...]


def _time(dim: str, meaning: str, absent: bool = False, required: bool = True) -> Variable:
    low, high = (None, None) if absent else YEARS
    return Variable((dim,), "int64", TIME_UNIT, meaning, required, low=low, high=high)


def _flux(meaning: str, required: bool = True) -> Variable:
    return Variable(("window",), "float64", "W m-2", meaning, required)


def _truth(letter: str, given: str) -> Variable:
    meaning = f"probability of an event of class {letter}1.0 or more given {given} (simulated only)"
    return Variable(("window",), "float64", "1", meaning, required=False, low=0.0, high=1.0)


_FLAG_SCALE = (("operational", 0), ("true", 1))
_FLAG_USE = (("score", 0), ("out_of_fold", 1))
_FLAG_ROLE = tuple((name, number) for number, name in enumerate(ROLES))

WINDOWS = FileSchema(
    "windows",
    {
        "values": Variable(("row", "feature"), "float32", "", "feature values of a row; NaN = missing"),
        "feature": Variable(("feature",), "text", "", "name of the feature"),
        "feature_unit": Variable(("feature",), "text", "", "unit of the feature"),
        "feature_memory_hours": Variable(
            ("feature",), "float64", "h", "how far before its row's time it reads data", low=0.0, high=1e9
        ),
        "time": _time("row", "when the row's content is complete and knowable"),
        "track": Variable(("row",), "int32", "", "series that the row belongs to"),
        "longitude": Variable(("row",), "float32", "degree", "Stonyhurst longitude, west positive", False),
        "first_row": Variable(("window",), "int64", "", "first row of the window's slice"),
        "n_rows": Variable(("window",), "int32", "", "rows in the window's slice"),
        "issue_time": _time("window", "when the forecast is issued"),
        "valid_from": _time("window", "start of the span forecast, inclusive"),
        "valid_to": _time("window", "end of the span forecast, exclusive"),
        "region": Variable(("window",), "text", "", "region or disk"),
        "noaa_regions": Variable(("window",), "text", "", "five-digit NOAA region numbers, comma separated"),
        "peak_flux": _flux("largest flare peak in the valid span, smallest it can be; 0 = quiet"),
        "peak_flux_upper": _flux("largest flare peak in the valid span, largest it can be; inf = unknown"),
        "unassigned_peak_flux": _flux("largest flare without a region in the valid span; 0 = none"),
        "flare_start": _time("window", "start of that largest flare; smallest int64 = none or unknown", True),
        "flare_peak": _time("window", "peak of that largest flare; smallest int64 = none or unknown", True),
        "flare_id": Variable(
            ("window",), "text", "", "identifier of that largest flare; empty = none or unknown"
        ),
        "flux_scale": Variable(("window",), "int8", "1", "scale of the flare classes", flags=_FLAG_SCALE),
        "partition": Variable(("window",), "int8", "1", "SWAN-SF partition, 0 = none", low=0, high=5),
    }
    | {f"truth_{letter}": _truth(letter, "the hidden state at issue time") for letter in "CMX"}
    | {f"truth_observed_{letter}": _truth(letter, "the rows known at issue time") for letter in "CMX"},
    (
        "n_steps",
        "cadence_minutes",
        "lead_hours",
        "horizon_hours",
        "latency_minutes",
        "source",
        "sampling",
        "source_files",
        "context_features",
        "history",
    ),
)

NO_TIME = int(np.iinfo(np.int64).min)
"""Value of a time that is absent."""

SPLIT = FileSchema(
    "split",
    {
        "role": Variable(("fold", "window"), "int8", "1", "role", flags=_FLAG_ROLE),
        "fold_use": Variable(("fold",), "int8", "1", "use of the fold; absent = score", False, _FLAG_USE),
    },
    ("windows_sha256", "strategy", "embargo_hours", "history"),
)


def _probability(
    meaning: str, required: bool = False, dims: tuple[str, ...] = ("window", "event")
) -> Variable:
    return Variable(dims, "float64", "1", meaning, required, low=0.0, high=1.0)


def _bits(meaning: str) -> Variable:
    return Variable(("window", "event"), "float64", "bit", meaning, False, low=0.0, high=1.0)


FORECASTS = FileSchema(
    "forecasts",
    {
        "event": Variable(("event",), "text", "", "GOES class reached or exceeded, ascending"),
        "probability": _probability("probability; NaN = not forecast", required=True),
        "probability_raw": _probability("probability before calibration"),
        "probability_lower": _probability("lower end of the range of the probability"),
        "probability_upper": _probability("upper end of the range of the probability"),
        "occurred": Variable(
            ("window", "event"), "int8", "1", "outcome", flags=(("unknown", -1), ("no", 0), ("yes", 1))
        ),
        "issue_time": _time("window", "when the forecast was issued"),
        "valid_from": _time("window", "start of the span forecast, inclusive"),
        "valid_to": _time("window", "end of the span forecast, exclusive"),
        "region": Variable(("window",), "text", "", "region or disk"),
        "cluster": Variable(
            ("window",), "text", "", "what is resampled as a whole: a region or a 27-day rotation"
        ),
        "role": Variable(("window",), "int8", "1", "role", flags=_FLAG_ROLE),
        "fold": Variable(("window",), "int32", "1", "fold whose model made the forecast"),
        "forecast": Variable(("forecast",), "text", "", "name of the reference forecast", required=False),
        "reference": _probability("reference forecast; NaN = none", dims=("window", "event", "forecast")),
        "rival": Variable(("rival",), "text", "", "name of a model trained beside the model", required=False),
        "rival_probability": _probability("probability of a rival", dims=("window", "event", "rival")),
        "rival_probability_raw": _probability(
            "probability of a rival before calibration", dims=("window", "event", "rival")
        ),
        "member": Variable(
            ("window", "event", "realization"),
            "float32",
            "1",
            "probability by each member of an ensemble, before calibration",
            False,
            low=0.0,
            high=1.0,
        ),
        "aleatoric": _bits("mean entropy of the members: what none of them can know"),
        "epistemic": _bits("entropy of the members' mean less their mean entropy: what more data could tell"),
        "truth": _probability("probability given the hidden state (simulated)"),
        "truth_observed": _probability("best forecast from the rows (simulated)"),
        "peak_flux": _flux("largest peak, smallest it can be", required=False),
        "peak_flux_upper": _flux("largest peak, largest it can be", required=False),
        "unassigned_peak_flux": _flux("largest peak without a region, 0 = none", required=False),
        "in_progress": Variable(("window",), "int8", "1", "1 = that flare had begun at issue time", False),
        "flare_peak": _time("window", "when it peaked; smallest int64 = none or unknown", True, False),
        "longitude": Variable(("window",), "float32", "degree", "Stonyhurst longitude at issue time", False),
    },
    ("forecast_name", "history"),
)


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
