"""Run the arms of a study: each in a folder of its own, done once, several at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import xarray as xr

from flarecast.calibrate import calibrate
from flarecast.checkpoint import identity
from flarecast.errors import FlarecastError
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json, sha256, write_json
from flarecast.forecast import forecast
from flarecast.schema import FORECASTS, SPLIT, open_file, save
from flarecast.study.arms import Arm
from flarecast.study.variants import dealt_out, rescaled
from flarecast.train import train
from flarecast.windows import open_windows

DONE, FORECAST = "arm.json", "calibrated.nc"
SECTIONS = ("run", "events", "unassigned", "scale", "balance", "model", "train", "calibrate")

Say = Callable[[str], object]


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
    refused: dict[str, str] = {}
    left = [arm for arm in arms if not _is_done(arm, place, data, refused)]
    say(f"{len(arms)} trainings, {len(arms) - len(left)} of them done before")
    if workers == 1 or len(left) < 2:
        for arm in left:
            _note(arm, run_arm(arm, place, data), refused, say)
        return refused
    with ProcessPoolExecutor(min(workers, len(left)), get_context("spawn")) as pool:
        running = {pool.submit(run_arm, arm, place, data): arm for arm in left}
        for one in as_completed(running):
            _note(running[one], one.result(), refused, say)
    return refused


def run_arm(arm: Arm, place: Place, data: list[str]) -> str:
    """One arm, up to its calibrated forecasts; the reason why not, if it cannot be had.

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
        reason = ""
    except FlarecastError as error:
        if arm.name == "none":
            raise FlarecastError(f"{arm.model}: {error}") from error
        reason = str(error)
    write_json(folder / DONE, {"identity": _whose(arm, data), "reason": reason})
    return reason


def forecasts_of(arm: Arm, place: Place) -> xr.Dataset:
    """Calibrated forecasts of an arm that is done."""
    return open_netcdf(place.folder / arm.key / FORECAST)


def _whose(arm: Arm, data: list[str]) -> str:
    """Hash of all that an arm depends on."""
    resolved = arm.config.resolved()
    return identity(
        {"arm": [{k: resolved.get(k) for k in SECTIONS}, arm.values, arm.scaling, arm.roles, data]}
    )


def _is_done(arm: Arm, place: Place, data: list[str], refused: dict[str, str]) -> bool:
    """Whether an arm was run before on the same data; a reason against it is taken over."""
    path = place.folder / arm.key / DONE
    if not path.is_file():
        return False
    said = read_json(path)
    if said.get("identity") != _whose(arm, data):
        return False
    if said["reason"]:
        refused[arm.key] = said["reason"]
    return bool(said["reason"]) or (place.folder / arm.key / FORECAST).is_file()


def _note(arm: Arm, reason: str, refused: dict[str, str], say: Say) -> None:
    """Tell of an arm that is done."""
    say(f"{arm.model}, {arm.name}: {reason or 'done'}")
    if reason:
        refused[arm.key] = reason
