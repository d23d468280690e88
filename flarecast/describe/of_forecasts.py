"""What is in a file of forecasts, and in a split."""

from typing import Any

import numpy as np
import xarray as xr

from flarecast.describe.counts import Table, class_numbers, count_by, count_over_time, longest_gaps, span_text
from flarecast.schema import ROLES

DAY = 86_400


def describe_forecasts(forecasts: xr.Dataset) -> dict[str, Any]:
    """Summary and tables of forecasts; classes where the file knows the peak fluxes."""
    role = forecasts["role"].values
    summary = {
        "forecast_name": str(forecasts.attrs["forecast_name"]),
        "windows": forecasts.sizes["window"],
        "regions": int(np.unique(forecasts["region"].values.astype(str)).size),
        "clusters": int(np.unique(forecasts["cluster"].values.astype(str)).size),
        "folds": int(np.unique(forecasts["fold"].values).size),
        **{f"{name}_issue_time": text for name, text in span_text(forecasts["issue_time"].values).items()},
        "references": ", ".join(map(str, forecasts["forecast"].values)) if "forecast" in forecasts else "",
    }
    if "in_progress" in forecasts:
        summary["in_progress_windows"] = int((forecasts["in_progress"].values == 1).sum())
    tables: dict[str, Table] = {}
    if "peak_flux" in forecasts and "peak_flux_upper" in forecasts:
        numbers = class_numbers(forecasts["peak_flux"].values, forecasts["peak_flux_upper"].values)
        tables = count_over_time(forecasts["valid_from"].values, numbers)
        tables["classes by role"] = count_by("role", np.array(ROLES)[role], numbers)
    tables["events by role"] = _events(forecasts)
    tables["gaps"] = longest_gaps(forecasts["issue_time"].values, DAY)
    return {"summary": summary | {"history": str(forecasts.attrs["history"])}, "tables": tables}


def describe_split(split: xr.Dataset) -> dict[str, Any]:
    """Summary and table of roles of a split."""
    told = ("Conventions", "history")
    own = {str(name): _plain(value) for name, value in split.attrs.items() if name not in told}
    summary = own | {"folds": split.sizes["fold"], "windows": split.sizes["window"]}
    counts = [np.bincount(role, minlength=len(ROLES)).tolist() for role in split["role"].values]
    roles = [{"fold": fold, **dict(zip(ROLES, row, strict=True))} for fold, row in enumerate(counts)]
    summary["history"] = str(split.attrs["history"])
    return {"summary": summary, "tables": {"roles": roles}}


def _events(forecasts: xr.Dataset) -> Table:
    """For each event and role: outcomes, absent probabilities, mean probability and base rate."""
    role = forecasts["role"].values
    table = []
    for column, event in enumerate(forecasts["event"].values):
        for number in np.unique(role):
            chosen = role == number
            probability = forecasts["probability"].values[chosen, column]
            occurred = forecasts["occurred"].values[chosen, column]
            known = (occurred >= 0) & ~np.isnan(probability)
            table.append(
                {
                    "event": str(event),
                    "role": ROLES[number],
                    "yes": int((occurred == 1).sum()),
                    "no": int((occurred == 0).sum()),
                    "unknown": int((occurred < 0).sum()),
                    "not_forecast": int(np.isnan(probability).sum()),
                    "mean_probability": _mean(probability[known]),
                    "base_rate": _mean(occurred[known]),
                }
            )
    return table


def _mean(values: np.ndarray) -> float | None:
    """Mean to six digits; None where there is nothing."""
    return round(float(values.mean()), 6) if values.size else None


def _plain(value: Any) -> Any:
    """A number or text of Python."""
    return value.tolist() if hasattr(value, "tolist") else value
