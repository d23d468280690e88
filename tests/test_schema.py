"""The three netCDF files: built, checked, written, read."""

import numpy as np
import pytest
import xarray as xr

from flarecast import schema
from flarecast.errors import FlarecastError

FOLD_SPLIT = {"windows_sha256": "00ff", "strategy": "by_time", "embargo_hours": 36.0, "history": "split"}

WINDOWS_ATTRIBUTES = {
    "n_steps": 2,
    "cadence_minutes": 12.0,
    "lead_hours": 0.0,
    "horizon_hours": 24.0,
    "latency_minutes": 0.0,
    "source": "simulated",
    "sampling": "natural",
    "source_files": ["00ff a.txt", "ff00 b.txt"],
    "context_features": [],
    "history": "made for a test",
}


def windows_arrays(n_windows=3):
    """Every required variable of a windows file with five rows and two features."""
    window, time = np.arange(n_windows), 86_400 * np.arange(n_windows)
    return {
        "values": [[1.5, np.nan], [0, 1], [2, 3], [4, 5], [np.inf, -1]],
        "feature": ["TOTUSJH", "R_VALUE"],
        "feature_unit": ["G2 m-1", "Mx"],
        "feature_memory_hours": [0, 24],
        "time": 720 * np.arange(5),
        "track": [0, 0, 0, 1, 1],
        "first_row": window,
        "n_rows": np.minimum(window, 2),
        "issue_time": time,
        "valid_from": time,
        "valid_to": time + 86_400,
        "region": [f"SIM {number}" for number in window],
        "noaa_regions": ["", "11429,11430", ""][:n_windows],
        "peak_flux": np.full(n_windows, 1e-5),
        "peak_flux_upper": np.full(n_windows, np.inf),
        "unassigned_peak_flux": np.zeros(n_windows),
        "flare_start": np.full(n_windows, schema.NO_TIME),
        "flare_peak": time + 60,
        "flare_id": ["", "été ☀", "x"][:n_windows],
        "flux_scale": np.zeros(n_windows),
        "partition": np.ones(n_windows),
    }


def forecasts_arrays(n_windows=4):
    """Every variable of a forecasts file with two events and two references."""
    window = np.arange(n_windows)
    rng = np.random.default_rng(0)
    table = np.sort(rng.random((n_windows, 2)), axis=1)[:, ::-1]
    return {
        "event": ["M1.0", "X1.0"],
        "probability": table,
        "probability_raw": table,
        "occurred": np.array([[1, 0], [0, 0], [-1, -1], [1, 1]])[:n_windows],
        "issue_time": window,
        "valid_from": window,
        "valid_to": window + 1,
        "region": ["disk"] * n_windows,
        "cluster": ["rotation 2100"] * n_windows,
        "role": np.minimum(window, 4),
        "fold": np.zeros(n_windows),
        "forecast": ["climatology", "persistence"],
        "reference": np.stack([table, table], axis=2),
        "truth": table,
        "truth_observed": np.where(table > 0.5, np.nan, table),
        "peak_flux": np.full(n_windows, 1e-5),
        "peak_flux_upper": np.full(n_windows, np.inf),
        "in_progress": np.zeros(n_windows),
        "flare_peak": np.full(n_windows, schema.NO_TIME),
        "longitude": np.full(n_windows, np.nan),
    }


FORECASTS_ATTRIBUTES = {
    "forecast_name": "model",
    "history": "forecast",
    "prior_natural": np.array([0.9, 0.08, 0.02]),
    "prior_trained": np.array([0.5, 0.3, 0.2]),
}

FILES = {
    "windows": (schema.WINDOWS, windows_arrays, WINDOWS_ATTRIBUTES),
    "split": (schema.SPLIT, lambda n=3: {"role": np.resize(np.arange(5), (2, n))}, FOLD_SPLIT),
    "forecasts": (schema.FORECASTS, forecasts_arrays, FORECASTS_ATTRIBUTES),
}


def built(kind):
    spec, arrays, attributes = FILES[kind]
    return schema.build(spec, arrays(), attributes)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_comes_back_as_it_was_and_writes_the_same_bytes_again(kind, tmp_path):
    dataset, spec = built(kind), FILES[kind][0]
    schema.save(dataset, tmp_path / "a.nc", spec)
    back = schema.open_file(tmp_path / "a.nc", spec)
    xr.testing.assert_identical(back, dataset)
    for name, variable in dataset.variables.items():
        text = FILES[kind][0].variables[name].dtype == "text"
        assert text or back.variables[name].dtype == variable.dtype, name
    schema.save(back, tmp_path / "b.nc", spec)
    schema.save(built(kind), tmp_path / "c.nc", spec)
    content = (tmp_path / "a.nc").read_bytes()
    assert (tmp_path / "b.nc").read_bytes() == content
    assert (tmp_path / "c.nc").read_bytes() == content


def test_a_large_file_is_compressed_and_comes_back_as_it_was(tmp_path):
    dataset = schema.build(schema.SPLIT, {"role": np.resize([1, 1, 2, 4], (3, 400_000))}, FOLD_SPLIT)
    schema.save(dataset, tmp_path / "split.nc", schema.SPLIT)
    assert (tmp_path / "split.nc").stat().st_size < 100_000
    xr.testing.assert_identical(schema.open_file(tmp_path / "split.nc", schema.SPLIT), dataset)


def test_a_file_without_windows_comes_back_as_it_was(tmp_path):
    dataset = schema.build(schema.FORECASTS, forecasts_arrays(0), FORECASTS_ATTRIBUTES)
    schema.save(dataset, tmp_path / "empty.nc", schema.FORECASTS)
    xr.testing.assert_identical(schema.open_file(tmp_path / "empty.nc", schema.FORECASTS), dataset)


def test_a_file_that_was_read_is_not_locked(tmp_path):
    dataset = built("split")
    schema.save(dataset, tmp_path / "split.nc", schema.SPLIT)
    opened = schema.open_file(tmp_path / "split.nc", schema.SPLIT)
    schema.save(opened, tmp_path / "split.nc", schema.SPLIT)
    (tmp_path / "split.nc").write_bytes(b"")
    np.testing.assert_array_equal(opened["role"].values, dataset["role"].values)


def test_times_and_text_are_plain_and_carry_their_meaning(tmp_path):
    schema.save(built("windows"), tmp_path / "windows.nc", schema.WINDOWS)
    windows = schema.open_file(tmp_path / "windows.nc", schema.WINDOWS)
    assert windows["issue_time"].dtype == np.int64
    assert windows["issue_time"].attrs["units"] == schema.TIME_UNIT
    assert windows["issue_time"].attrs["units_metadata"] == "leap_seconds: none"
    assert windows["region"].values.tolist() == ["SIM 0", "SIM 1", "SIM 2"]
    assert windows["flare_id"].values.tolist() == ["", "été ☀", "x"]
    assert windows["flux_scale"].attrs["flag_meanings"] == "operational true"
    assert windows["peak_flux"].attrs["units"] == "W m-2"
    assert windows.attrs["Conventions"] == "CF-1.11"
    assert windows.attrs["source_files"] == "00ff a.txt\nff00 b.txt"
    assert windows.attrs["context_features"] == ""


@pytest.mark.parametrize("kind", FILES)
def test_every_missing_variable_and_attribute_is_named_once(kind):
    spec, _, _ = FILES[kind]
    required = [name for name, variable in spec.variables.items() if variable.required]
    with pytest.raises(FlarecastError) as caught:
        schema.check(xr.Dataset(), spec, "some/file.nc")
    text = str(caught.value)
    assert text.startswith(f"some/file.nc: expected a {spec.name} file; ")
    for name in required:
        assert text.count(f"variable {name} is missing") == 1
    for name in spec.attributes:
        assert text.count(f"attribute {name} is missing") == 1
    assert text.count(" is missing") == len(required) + len(spec.attributes)


PROBLEMS = {
    "dimensions": (
        lambda data: data.assign(role=("event", np.zeros(2, dtype=np.int8))),
        "role has dimensions (event), not (window)",
    ),
    "transposed": (
        lambda data: data.assign(probability=data["probability"].T),
        "probability has dimensions (event, window), not (window, event)",
    ),
    "type": (lambda data: data.assign(role=data["role"].astype(np.int64)), "role is int64, not int8"),
    "float as time": (
        lambda data: data.assign(issue_time=data["issue_time"].astype(np.float64)),
        "issue_time is float64, not int64",
    ),
    "number as text": (lambda data: data.assign(region=data["issue_time"]), "region is int64, not text"),
    "above the range": (
        lambda data: data.assign(probability=data["probability"] + 0.75),
        "outside [0, 1]",
    ),
    "below the range": (
        lambda data: data.assign(reference=data["reference"] - 1),
        "outside [0, 1]",
    ),
    "infinite": (
        lambda data: data.assign(truth=data["truth"] + np.inf),
        "truth holds inf, outside [0, 1]",
    ),
    "flag": (lambda data: data.assign(role=data["role"] + np.int8(2)), "role holds 5, which is no flag"),
    "outcome": (
        lambda data: data.assign(occurred=-2 * abs(data["occurred"])),
        "occurred holds -2, which is no flag",
    ),
    "no attribute": (
        lambda data: data.drop_attrs(deep=False).assign_attrs(history=""),
        "attribute forecast_name is missing",
    ),
    "attribute without value": (lambda data: data.assign_attrs(note=None), "attribute note is None"),
    "no variable": (lambda data: data.drop_vars("cluster"), "variable cluster is missing"),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_is_found_alone_and_nothing_is_written(problem, tmp_path):
    spoil, message = PROBLEMS[problem]
    spoiled = spoil(built("forecasts"))
    for refuse in (
        lambda: schema.check(spoiled, schema.FORECASTS),
        lambda: schema.save(spoiled, tmp_path / "new" / "bad.nc", schema.FORECASTS),
    ):
        with pytest.raises(FlarecastError) as caught:
            refuse()
        assert str(caught.value).startswith("forecasts: expected a forecasts file; ")
        assert str(caught.value).endswith(message)
        assert str(caught.value).count(";") == 1
    assert list(tmp_path.iterdir()) == []


def test_several_problems_come_in_one_sentence():
    spoiled = built("forecasts").drop_vars("cluster").assign_attrs(note=None)
    spoiled["role"] = spoiled["role"] + np.int8(2)
    with pytest.raises(FlarecastError) as caught:
        schema.check(spoiled, schema.FORECASTS)
    for message in ("variable cluster is missing", "attribute note is None", "role holds 5"):
        assert message in str(caught.value)


def test_optional_variables_and_missing_values_are_legal():
    arrays = forecasts_arrays()
    optional = [name for name, variable in schema.FORECASTS.variables.items() if not variable.required]
    arrays = {name: array for name, array in arrays.items() if name not in optional}
    arrays["probability"] = np.full((4, 2), np.nan)
    built = schema.build(schema.FORECASTS, arrays, FORECASTS_ATTRIBUTES)
    assert not set(optional) & set(built.variables)
    assert np.isnan(built["probability"].values).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilty": [0.5]}, "forecasts: unknown variables probabilty"),
        (
            {"role": [[0, 1, 2, 3]]},
            r"forecasts: role: expected dimensions \(window\), got shape \(1, 4\)",
        ),
        ({"role": [0, 1]}, "forecasts: expected arrays that fit together"),
        ({"role": [0, 0.5, 1, 1]}, r"forecasts: role: expected int8, got 0\.5"),
        ({"occurred": [[1, 0], [0, 0], [np.nan, 0], [1, 1]]}, "forecasts: occurred: expected int8, got nan"),
        ({"fold": [0, 0, 0, 2**40]}, "forecasts: fold: expected int32, got 1099511627776"),
        ({"issue_time": ["now"] * 4}, "forecasts: issue_time: expected int64, got invalid literal"),
        (
            {"probability": [["high"] * 2] * 4},
            "forecasts: probability: expected float64, got could not convert",
        ),
        ({"role": [0, 1, 2, 9]}, "role holds 9, which is no flag"),
    ],
)
def test_arrays_that_do_not_fit_the_schema_are_refused_and_never_cut_to_fit(change, message):
    with pytest.raises(FlarecastError, match=message):
        schema.build(schema.FORECASTS, forecasts_arrays() | change, FORECASTS_ATTRIBUTES)


def test_a_dataset_shares_no_memory_with_the_arrays_it_is_made_of():
    time = 86_400 * np.arange(4)
    forecasts = schema.build(
        schema.FORECASTS, forecasts_arrays() | {"issue_time": time, "valid_from": time}, FORECASTS_ATTRIBUTES
    )
    forecasts["issue_time"].values[:] = 0
    np.testing.assert_array_equal(forecasts["valid_from"].values, time)
    assert time[1] == 86_400
