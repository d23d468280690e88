"""What calibration mends and what it cannot: models trained once, calibrated in every way.

The configuration's model and rivals are trained and forecast as in a run; each way to calibrate is then
applied to the same forecasts. Of a rival that is balanced and another contender that differs in nothing else,
the study asks what balancing took and what calibration gives back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast.calibrate import calibrate
from flarecast.chain import run_forecast, run_train
from flarecast.config import Config
from flarecast.config.sections import Calibrate
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json, replacing, sha256, write_json
from flarecast.resources import Resources
from flarecast.schema import ROLES
from flarecast.study.calibration_page import draw_lesson, page
from flarecast.study.calibration_scores import Bench, names_of
from flarecast.study.calibration_words import paragraphs
from flarecast.study.files import make_files
from flarecast.study.jobs import Say
from flarecast.study.told import Sources, Told
from flarecast.train.checkpoint import identity

JSON, HTML, PICTURE, TRAINED = "study.json", "study.html", "lesson", "trained.json"
SECTIONS = ("run", "events", "unassigned", "scale", "balance", "model", "train", "rivals", "ensemble")

VARIANTS: dict[str, dict[str, Any]] = {
    "raw": {"name": "none"},
    "prior": {"name": "prior"},
    "temperature": {"name": "temperature"},
    "platt": {"name": "platt"},
    "beta": {"name": "beta"},
    "isotonic": {"name": "isotonic"},
    "venn_abers": {"name": "venn_abers"},
    "auto": {"name": "auto"},
    "conditional": {"name": "platt", "nesting": "conditional"},
    "sequential": {"name": "platt", "update": "sequential"},
    "refit expanding": {"name": "platt", "update": "refit", "update_options": {"span": "expanding"}},
    "refit sliding": {"name": "platt", "update": "refit", "update_options": {"span": "sliding"}},
    "em": {"name": "platt", "update": "em"},
    "black_box": {"name": "platt", "update": "black_box"},
}
"""Ways to calibrate, by their name in the study; the last seven are Platt scaling and something more."""

REMAINING = 0.25
"""Part of the test's events that the planted shift of the event rate leaves."""


def calibration(config: Config, sources: Sources, folder: Path, resources: Resources, say: Say) -> Told:
    """Train and forecast once, calibrate in every way, write study.json, study.html and lesson.png.

    Args:
        config: A run's, with the rivals that are compared.
        sources: Raw data or windows.
        folder: Of the study.
        resources: Device and processes.
        say: Told of each stage.

    Raises:
        FlarecastError: As the stages of a run.
    """
    windows, split = make_files(config, sources, folder)
    forecasts = _forecasts(config, windows, split, folder, resources, say)
    say(f"calibrate in {len(VARIANTS)} ways")
    bench = _bench(config, forecasts, VARIANTS)
    event = config.events.index(config.study.event or config.balanced_event)
    thinned = _thinned(forecasts, event, config.generator("study shift"))
    shifted = _bench(config, thinned, {name: VARIANTS[name] for name in ("platt", "em", "black_box")})
    say("score")
    content: dict[str, Any] = {
        "study": "calibration",
        "run": folder.name,
        "event": config.events[event],
        "about": _about(forecasts, config),
        "confidence": config.evaluate.confidence,
        "resamples": config.evaluate.resamples,
        "scores": list(bench.all_scores()),
        "weighting": list(bench.weighting(_pairs(config))),
        "nesting": list(bench.nesting()),
        "shift": {"natural": list(bench.shift(event)), "planted": list(shifted.shift(event))},
        "years": list(bench.years(event)),
        "thresholds": list(bench.thresholds()),
        "reliability": bench.reliability(event, _pairs(config)),
    }
    content["paragraphs"] = paragraphs(content)
    write_json(folder / JSON, content)
    svg, png = draw_lesson(content)
    for name, data in ((HTML, page(content, svg).encode()), (f"{PICTURE}.png", png)):
        with replacing(folder / name) as aside:
            aside.write_bytes(data)
    return Told(tuple(content["paragraphs"].values()), folder / HTML, str(content["about"]))


def _forecasts(
    config: Config, windows: Path, split: Path, folder: Path, resources: Resources, say: Say
) -> xr.Dataset:
    """Raw forecasts of all contenders, made once and again where what they depend on has changed."""
    resolved, made = config.resolved(), folder / "forecasts.nc"
    whose = identity(
        {"parts": {name: resolved.get(name) for name in SECTIONS}, "data": [sha256(windows), sha256(split)]}
    )
    done = folder / TRAINED
    if not (made.is_file() and done.is_file() and read_json(done).get("identity") == whose):
        say(f"train {', '.join(names_of(config.model.name, config.rivals))}")
        run_train(windows, split, config, folder / "model", resources)
        run_forecast(windows, folder / "model", split, made, resources.device)
        write_json(done, {"identity": whose})
    return open_netcdf(made)


def _bench(config: Config, forecasts: xr.Dataset, variants: Mapping[str, dict[str, Any]]) -> Bench:
    """The test windows under every way to calibrate, and the blocks that all are resampled by."""
    test = np.flatnonzero(forecasts["role"].values == ROLES.index("test"))
    found = {}
    for name, settings in variants.items():
        chosen = Calibrate(**settings)
        mended, _ = calibrate(forecasts, chosen.name, {}, settings=chosen)
        found[name] = mended.isel(window=test)
    return Bench.of(found, config, config.generator("study"))


def _thinned(forecasts: xr.Dataset, event: int, rng: np.random.Generator) -> xr.Dataset:
    """Forecasts without most of the test's windows with the event, drawn at random: the rate alone moves."""
    test = forecasts["role"].values == ROLES.index("test")
    occurred = forecasts["occurred"].values[:, event] == 1
    gone = test & occurred & (rng.random(test.size) >= REMAINING)
    return forecasts.isel(window=np.flatnonzero(~gone))


def _pairs(config: Config) -> dict[str, str]:
    """Contenders that are balanced, each with the one that is not and is otherwise the same."""
    contenders = {"model": config} | {name: config.of_rival(name) for name in config.rivals}
    plain = {name: one for name, one in contenders.items() if one.balance.name == "none"}
    return {
        name: other
        for name, one in contenders.items()
        for other, same in plain.items()
        if one.balance.name != "none"
        and (one.model, one.train, one.scale) == (same.model, same.train, same.scale)
    }


def _about(forecasts: xr.Dataset, config: Config) -> str:
    """A sentence on the windows and roles."""
    role, final = forecasts["role"].values, forecasts["fold"].values == int(forecasts.attrs["final_fold"])
    event = config.study.event or config.balanced_event
    came = forecasts["occurred"].values[:, config.events.index(event)] == 1
    parts = []
    for name in ("train", "calibration", "test"):
        mine = (role == ROLES.index(name)) & (final | (name == "calibration"))
        parts.append(f"{name} {mine.sum():,} windows, {(mine & came).sum():,} with {event} or more")
    fitted = "out-of-fold forecasts of the train role" if config.fit_on == "out_of_fold" else "its own role"
    return (
        f"Split {config.split.strategy}: {'; '.join(parts)}. Calibration is fitted on {fitted}. "
        "All numbers are of the test role."
    )
