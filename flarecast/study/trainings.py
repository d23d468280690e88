"""Run the arms of a study: each in a folder of its own, done once, several at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from flarecast.calibrate import calibrate
from flarecast.errors import FlarecastError
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import sha256
from flarecast.forecast import forecast
from flarecast.schema import FORECASTS, SPLIT, open_file, save
from flarecast.study.arms import NONE, Arm
from flarecast.study.jobs import Job, Say, run_jobs
from flarecast.study.variants import dealt_out, rescaled
from flarecast.train import train
from flarecast.windows import open_windows

DONE, FORECAST = "arm.json", "calibrated.nc"
SECTIONS = ("run", "events", "unassigned", "scale", "balance", "model", "train", "ensemble", "calibrate")


@dataclass(frozen=True)
class Place:
    """What the arms of a study share.

    Attributes:
        windows: windows.nc.
        split: split.nc, the coherent one.
        folder: Where arms are kept.
        device: auto, cpu or cuda.
    """

    windows: Path
    split: Path
    folder: Path
    device: str


def run_arms(arms: Sequence[Arm], place: Place, workers: int, say: Say) -> dict[str, str]:
    """Train, forecast and calibrate all arms that are not done yet.

    Returns:
        Why some could not be trained, by key: a remedy that these windows do not allow.

    Raises:
        FlarecastError: The plain training of a model failed.
    """
    data = [sha256(place.windows), sha256(place.split)]
    jobs = {
        arm.key: Job(
            name=f"{arm.model}, {arm.name}",
            done=place.folder / arm.key / DONE,
            depends_on=_what_matters(arm, data),
            work=partial(run_arm, arm, place),
            required=arm.name == NONE,
        )
        for arm in arms
    }
    results = run_jobs(list(jobs.values()), workers, say).results
    reasons = {key: str(results[job.name]["reason"]) for key, job in jobs.items()}
    return {key: reason for key, reason in reasons.items() if reason}


def run_arm(arm: Arm, place: Place) -> dict[str, Any]:
    """One arm, up to its calibrated forecasts; the `reason` why not, if it cannot be had.

    Raises:
        FlarecastError: It is the plain training of a model.
    """
    folder = place.folder / arm.key
    split = dealt_out(open_file(place.split, SPLIT), arm.roles, arm.config.generator(f"study {arm.roles}"))
    role = split["role"].values[0]
    windows = rescaled(open_windows(place.windows), role, arm.values, arm.scaling)
    try:
        model = train(windows, split, arm.config, folder=folder / "model", device=place.device)
        made = forecast(windows, model, role=role, device=place.device)
        calibrated, _ = calibrate(made, arm.config.calibrate.name, arm.config.calibrate.options)
        save(calibrated, folder / FORECAST, FORECASTS)
    except FlarecastError as error:
        if arm.name == NONE:
            raise FlarecastError(f"{arm.model}: {error}") from error
        return {"reason": str(error)}
    return {"reason": "", "made": [FORECAST]}


def forecasts_of(arm: Arm, place: Place) -> xr.Dataset:
    """Calibrated forecasts of an arm that is done."""
    return open_netcdf(place.folder / arm.key / FORECAST)


def _what_matters(arm: Arm, data: list[str]) -> list[Any]:
    """All that an arm depends on, as plain values."""
    resolved = arm.config.resolved()
    return [{k: resolved.get(k) for k in SECTIONS}, arm.values, arm.scaling, arm.roles, data]
