"""Every model on the same windows, against a logistic regression: who beats it, and who does not."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import xarray as xr

from flarecast.calibrate import calibrate
from flarecast.config import RIVAL_NAME, TAKEN, Config, parse_config
from flarecast.errors import FlarecastError
from flarecast.evaluate import evaluate
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import replacing, sha256, write_json
from flarecast.forecast.folds import forecast_folds
from flarecast.models import MODELS, load_builder
from flarecast.resources import Resources
from flarecast.schema import FORECASTS, SPLIT, open_file, save
from flarecast.study.choosing import Place, candidates, chosen, make_inner, score_candidate
from flarecast.study.files import make_files
from flarecast.study.jobs import Job, Outcome, Say, run_jobs
from flarecast.study.model_page import model_page, sentences, write_csv
from flarecast.study.model_rows import AGAINST, about, rows_of
from flarecast.study.told import Sources, Told
from flarecast.study.trainings import SECTIONS
from flarecast.train.trainings import train_all
from flarecast.windows import open_windows

PAGE, JSON, CSV, SECONDS, SCORES = "models.md", "models.json", "models.csv", "seconds.json", "scores.json"
FORECAST = "calibrated.nc"
TRIED = tuple(name for name in SECTIONS if name not in ("ensemble", "calibrate"))
"""What a try depends on: it has no members, and its forecasts stay raw."""

REFERENCES_ALREADY = ("climatology", "persistence")
"""Models that are no arm unless named: as references they stand beside every model."""


def model_table(config: Config, sources: Sources, folder: Path, resources: Resources, say: Say) -> Told:
    """Choose options inside training, train, calibrate and score every model, and write the table.

    Args:
        config: Its models, or every model there is; the run's split and calibration hold for all.
        sources: Raw data or windows.
        folder: Where tries, trainings, scores.json, models.json, models.csv and models.md go; what is done
            is not done again. The seconds of training are in seconds.json and models.md alone, as they are
            never twice the same.
        resources: Device and processes.
        say: Told of each training that is done.

    Raises:
        FlarecastError: As `make_files`; no logistic regression to compare with, or one that cannot be
            trained; a name that is taken.
    """
    config = _with_models(config)
    of_models = candidates(config)
    windows, split = make_files(config, sources, folder)
    picked, tries = _choose(of_models, windows, split, folder, resources, say)
    place = Place(windows, split, folder / "models", resources.device)
    outcome = _train(picked, place, resources.workers, say)
    forecasts = _side_by_side({name: place.folder / name / FORECAST for name in outcome.results})
    say(f"{len(outcome.results)} models: scores")
    scores = evaluate(
        forecasts,
        rng=config.generator("evaluate"),
        resamples=config.evaluate.resamples,
        confidence=config.evaluate.confidence,
        blocks=config.evaluate.blocks,
        run=folder.name,
    )
    by_gradient = [name for name, said in outcome.results.items() if said["by_gradient"]]
    content = {
        "study": "models",
        "run": folder.name,
        "event": config.study.event or config.balanced_event,
        "about": about(forecasts, config),
        "confidence": config.evaluate.confidence,
        "resamples": config.evaluate.resamples,
        "pairing": scores["pairing"]["events"],
        "rows": rows_of(scores, {name: one.model for name, one in picked.items()}, by_gradient),
        "tries": tries,
        "refused": dict(outcome.refused),
    }
    seconds = {name: said["seconds"] for name, said in outcome.results.items()}
    write_json(folder / SCORES, scores)
    write_json(folder / JSON, content)
    write_json(folder / SECONDS, {"workers": resources.workers, "seconds": seconds})
    write_csv(content["rows"], folder / CSV)
    with replacing(folder / PAGE) as aside:
        aside.write_text(model_page(content, seconds), encoding="utf-8")
    return Told(tuple(sentences(content)), folder / PAGE, content["about"])


def _with_models(config: Config) -> Config:
    """The configuration with the models that take part.

    Raises:
        FlarecastError: None is the logistic regression, or a name is no name or taken.
    """
    named = config.study.models
    if not named:
        every = {name: {"name": name} for name in MODELS if name not in REFERENCES_ALREADY}
        study = config.study.model_dump(mode="json", exclude_none=True) | {"models": every}
        return parse_config(config.resolved() | {"study": study, "rivals": {}}, "study")
    wrong = [name for name in named if not re.fullmatch(RIVAL_NAME, name) or name in TAKEN]
    if wrong:
        raise FlarecastError(
            f"study.models: expected names of letters, digits, - and _ that are not one of "
            f"{', '.join(TAKEN)}, got {', '.join(wrong)}"
        )
    if AGAINST not in named:
        raise FlarecastError(
            f"study.models: expected one called {AGAINST}, with which all others are compared, got "
            f"{', '.join(named)}"
        )
    return config.model_copy(update={"rivals": {}})


def _choose(
    of_models: Mapping[str, list[Config]],
    windows: Path,
    split: Path,
    folder: Path,
    resources: Resources,
    say: Say,
) -> tuple[dict[str, Config], dict[str, list[dict[str, Any]]]]:
    """The options of each model that has a choice, and what each try came to."""
    several = {name: tries for name, tries in of_models.items() if len(tries) > 1}
    if not several:
        return {name: tries[0] for name, tries in of_models.items()}, {}
    config = next(iter(several.values()))[0]
    inner = make_inner(config, windows, split, folder / "inner")
    data = [sha256(folder / "inner" / "windows.nc"), sha256(inner)]
    jobs, names = [], {}
    for model, tries in several.items():
        names[model] = [f"{model}, try {nth}" for nth in range(len(tries))]
        for nth, one in enumerate(tries):
            into = folder / "tries" / f"{model}-{nth}"
            place = Place(folder / "inner" / "windows.nc", inner, into, resources.device)
            work = partial(score_candidate, one, place)
            jobs.append(Job(names[model][nth], into / "try.json", _matters(one, TRIED, data), work))
    scores = run_jobs(jobs, resources.workers, say, "tries")
    picked = {name: tries[0] for name, tries in of_models.items()}
    rows = {}
    for model, tries in several.items():
        picked[model], rows[model] = chosen(tries, scores, names[model])
    return picked, rows


def _train(picked: Mapping[str, Config], place: Place, workers: int, say: Say) -> Outcome:
    """Train every model that is not there yet, the logistic regression first."""
    data = [sha256(place.windows), sha256(place.split)]
    order = sorted(picked, key=lambda name: name != AGAINST)
    jobs = [
        Job(
            name=name,
            done=place.folder / name / "arm.json",
            depends_on=_matters(picked[name], SECTIONS, data),
            work=partial(_train_one, picked[name], place, place.folder / name),
            required=name == AGAINST,
        )
        for name in order
    ]
    outcome = run_jobs(jobs, workers, say)
    there = {name: outcome.results[name] for name in order if name in outcome.results}
    return Outcome(there, outcome.refused)


def _train_one(config: Config, place: Place, folder: Path) -> dict[str, Any]:
    """One model in all folds, up to its calibrated forecasts; how long its training took [s]."""
    load_builder(config.model.name)  # imports are not training
    start = perf_counter()
    model = train_all(place.windows, place.split, config, folder / "model", Resources(place.device))
    seconds = perf_counter() - start
    windows, split = open_windows(place.windows), open_file(place.split, SPLIT)
    made = forecast_folds(windows, split, folder / "model", device=place.device)
    calibrated, _ = calibrate(made, config.calibrate.name, config.calibrate.options)
    save(calibrated, folder / FORECAST, FORECASTS)
    by_gradient = model.training["kept"] != "fitted directly"
    return {"seconds": round(seconds, 2), "by_gradient": by_gradient, "made": [FORECAST]}


def _side_by_side(paths: Mapping[str, Path]) -> xr.Dataset:
    """Calibrated forecasts of all models in one file, the logistic regression's with all others as rivals."""
    first = open_netcdf(paths[AGAINST])
    others = {name: open_netcdf(path) for name, path in paths.items() if name != AGAINST}
    if not others:
        return first
    arrays: dict[str, Any] = {"rival": ("rival", np.array(list(others), dtype=object))}
    for name in ("probability", "probability_raw"):
        stacked = np.stack([one[name].values for one in others.values()], axis=2)
        arrays[f"rival_{name}"] = (("window", "event", "rival"), stacked)
    return first.assign(arrays)


def _matters(config: Config, sections: tuple[str, ...], data: list[str]) -> list[Any]:
    """All that a training depends on, as plain values."""
    resolved = config.resolved()
    return [{name: resolved.get(name) for name in sections}, config.study.event, data]
