"""The variables of windows, splits and forecasts."""

from flarecast.schema.variables import TIME_UNIT, YEARS, FileSchema, Variable

ROLES = ("unused", "train", "validation", "calibration", "test")
"""Roles of a window in a split, by their value in the file."""

SAMPLINGS = ("natural", "filtered", "case-control")
"""How the windows of a source were chosen."""


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
