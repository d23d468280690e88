"""Options of a model, chosen by rolling origin inside the training span: nothing of test is looked at.

Each fold learns from what came before its test span; its early stopping reads the last stretch of that. The
forecasts of all test spans are pooled, raw, and the options with the least log loss of the study's event win.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flarecast import skill
from flarecast.audit import require_events
from flarecast.chain import check_parts, open_pair, run_audit, run_split
from flarecast.config import Config, parse_config
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.forecast import class_probability, class_to_event
from flarecast.goes import occurred_table
from flarecast.schema import ROLES, SPLIT, WINDOWS, save
from flarecast.study.arms import models_of, tries_of
from flarecast.study.jobs import Outcome
from flarecast.train import train
from flarecast.train.trainings import final_fold

INNER = {"folds": 3, "first_test": 0.4, "validation": 0.1, "calibration": 0.1}
"""Options of the rolling origin where `study.inner` leaves them out."""

TRAIN, VALIDATION, CALIBRATION, TEST = (ROLES.index(name) for name in ROLES[1:])


@dataclass(frozen=True)
class Place:
    """What all trainings of one kind share: windows.nc, split.nc, folder and device."""

    windows: Path
    split: Path
    folder: Path
    device: str


def judged(config: Config) -> str:
    """The event that decides."""
    return config.study.event or config.balanced_event


def candidates(config: Config) -> dict[str, list[Config]]:
    """Configurations that each model chooses among, without rivals; one where it has no choice.

    Raises:
        FlarecastError: An unknown model or option.
    """
    found = {}
    for name, section in models_of(config).items():
        tries = tries_of(config, name) or ({},)
        try:
            found[name] = [_with_options(config, section, options) for options in tries]
        except FlarecastError as error:
            raise FlarecastError(f"study.models.{name}: {error}") from error
    return found


def make_inner(config: Config, windows_path: Path, split_path: Path, folder: Path) -> Path:
    """Windows of the training span, or some of them, and their split: `folder`/windows.nc and split.nc.

    What the rolling origin would calibrate on is for early stopping, too: nothing is calibrated here.

    Returns:
        Path of the split.

    Raises:
        FlarecastError: The span is too short for the folds, a fold has no event to learn from or to stop by,
            or the split leaks.
    """
    windows, split = open_pair(windows_path, split_path)
    role = split["role"].values[final_fold(split)]
    trains = np.flatnonzero(np.isin(role, (TRAIN, VALIDATION, CALIBRATION)))[:: config.study.inner_every]
    inner = folder / "windows.nc"
    save(windows.isel(window=trains), inner, WINDOWS)
    section = config.split.model_dump(exclude_none=True)
    section |= {"strategy": "rolling_origin", "options": INNER | config.study.inner}
    folds = _changed(config, {"split": section, "calibrate": {"fit_on": "calibration"}})
    try:
        made = run_split(inner, folds, folder / "split.nc")
        made["role"].values[made["role"].values == CALIBRATION] = VALIDATION
        require_events(windows.isel(window=trains), made, [judged(config)], config.train.unassigned)
    except FlarecastError as error:
        raise FlarecastError(f"study.inner: {error}") from error
    save(made, folder / "split.nc", SPLIT)
    leaks = run_audit(inner, folder / "split.nc", folds, None).leaks
    if leaks and not config.train.allow_leaks:
        raise FlarecastError(f"study.inner: {'; '.join(leak.message for leak in leaks)}")
    return folder / "split.nc"


def score_candidate(config: Config, place: Place) -> dict[str, Any]:
    """Train in every fold and score the pooled test spans: `log_loss` [nat], `n` and `n_events`.

    Raises:
        FlarecastError: As `train`.
    """
    windows, split = open_pair(place.windows, place.split)
    fit = partial(train, device=place.device)
    fit = partial(fit, windows_sha256=sha256(place.windows), split_sha256=sha256(place.split))
    occurred = occurred_table(windows, config.events, config.unassigned)
    event = config.events.index(judged(config))
    said, came = [], []
    for fold, role in enumerate(split["role"].values):
        model = fit(windows, split, config, folder=place.folder / str(fold), fold=fold)
        keep = np.flatnonzero((role == TEST) & (occurred[:, event] >= 0))
        probability = class_probability(windows, model, occurred, place.device, keep)
        said.append(class_to_event(probability)[:, event])
        came.append(occurred[keep, event] == 1)
    forecast, truth = np.concatenate(said), np.concatenate(came)
    there = ~np.isnan(forecast)
    sums = skill.sum_probability(forecast[there], truth[there])
    return {
        "log_loss": float(skill.log_loss(sums)),
        "n": int(there.sum()),
        "n_events": int(truth[there].sum()),
    }


def chosen(of_model: list[Config], scores: Outcome, names: list[str]) -> tuple[Config, list[dict[str, Any]]]:
    """The candidate with the least log loss, the first of equals, and a row for each that could be scored.

    Args:
        of_model: Candidates.
        scores: What `score_candidate` gave, by name.
        names: Name of each candidate there.
    """
    rows = [
        {"options": one.model.options, **scores.results[name]}
        for one, name in zip(of_model, names, strict=True)
        if name in scores.results
    ]
    if not rows:
        return of_model[0], []
    best = min(rows, key=lambda row: float(row["log_loss"]))
    for row in rows:
        row["chosen"] = row is best
    return next(one for one in of_model if one.model.options == best["options"]), rows


def _with_options(config: Config, section: Mapping[str, Any], options: Mapping[str, Any]) -> Config:
    """A configuration with another model and other options of it, without rivals, checked."""
    model = {**section, "options": {**section["options"], **options}}
    changed = _changed(config, {"model": model, "rivals": {}})
    check_parts(changed, deep=True)
    return changed


def _changed(config: Config, sections: Mapping[str, Any]) -> Config:
    """A configuration with other sections."""
    return parse_config({**config.resolved(), **sections}, "study")
