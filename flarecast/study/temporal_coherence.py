"""What temporal coherence does to scores: the questions of the early papers, asked on any windows.

Source: Ahmadzadeh et al. (2019), IEEE Big Data, arXiv 1911.09061; (2021), ApJS 254, 23.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast.config import Config, parse_config
from flarecast.files import replacing, write_json
from flarecast.resources import Resources
from flarecast.schema import ROLES
from flarecast.study.arms import NONE, Arm, arms_of, chosen_contrasts
from flarecast.study.contrasts import DIFFERENCES, MAKERS, Bench
from flarecast.study.figures import draw_inflation, draw_reliability, draw_remedies
from flarecast.study.files import make_files
from flarecast.study.jobs import Say
from flarecast.study.page import page
from flarecast.study.scoring import bounds, draw_blocks
from flarecast.study.sentences import paragraph
from flarecast.study.told import Sources, Told
from flarecast.study.trainings import Place, forecasts_of, run_arms

JSON, HTML = "study.json", "study.html"
SHOWN = (NONE, "undersample", "class weights", "under, coherent")
"""Arms whose reliability is drawn, of the first model."""


def temporal_coherence(
    config: Config, sources: Sources, folder: Path, resources: Resources, say: Say
) -> Told:
    """Train all arms that are not done yet, compare them, and write study.json and study.html.

    Args:
        config: Sections study, scale, train, evaluate and run, and the events, are used.
        sources: Raw data or windows.
        folder: Where arms, study.json and study.html go.
        resources: Device and processes.
        say: Told of each arm that is done.

    Raises:
        FlarecastError: As `make_files`; an unknown contrast, model or remedy, or a model that cannot be
            trained at all.
    """
    calibrated = config.resolved() | {"calibrate": {"name": "platt", "fit_on": "calibration"}}
    windows, split = make_files(parse_config(calibrated, "study"), sources, folder)
    contrasts = chosen_contrasts(config)
    arms = arms_of(config)
    place = Place(windows, split, folder / "arms", resources.device)
    refused = run_arms(arms, place, resources.workers, say)
    there = [arm for arm in arms if arm.key not in refused]
    bench = _bench(config, there, place)
    found: dict[str, Any] = {}
    for name in contrasts:
        rows = list(MAKERS[name](bench))
        found[name] = {"rows": rows, "paragraph": paragraph(name, rows)}
    first = bench.forecasts[arms[0].model]
    content = {
        "study": "temporal-coherence",
        "run": folder.name,
        "event": config.study.event or config.balanced_event,
        "about": _about(bench, first[NONE], config),
        "confidence": config.evaluate.confidence,
        "resamples": config.evaluate.resamples,
        "contrasts": found,
        "arms": _scored(bench),
        "refused": {f"{arm.model}, {arm.name}": refused[arm.key] for arm in arms if arm.key in refused},
    }
    write_json(folder / JSON, content)
    shown = {name: first[name] for name in SHOWN if name in first}
    with replacing(folder / HTML) as aside:
        aside.write_text(page(content, _draw(found, shown, bench.event)), encoding="utf-8")
    told = tuple(contrast["paragraph"] for contrast in found.values())
    return Told(told, folder / HTML, str(content["about"]))


def _draw(found: Mapping[str, Any], shown: Mapping[str, xr.Dataset], event: int) -> dict[str, str]:
    """Pictures of what was found; of the remedies, if asked for, with the reliability of some."""
    pictures = {"inflation": draw_inflation(found)}
    if "remedies" in found:
        pictures |= {
            "remedies": draw_remedies(found["remedies"]["rows"]),
            "reliability": draw_reliability(shown, event),
        }
    return pictures


def _bench(config: Config, arms: Sequence[Arm], place: Place) -> Bench:
    """All forecasts, and the blocks that they are resampled by."""
    forecasts: dict[str, dict[str, xr.Dataset]] = {}
    for arm in arms:
        forecasts.setdefault(arm.model, {})[arm.name] = forecasts_of(arm, place)
    anyone = next(iter(forecasts.values()))[NONE]
    rng = config.generator("study")
    event = config.events.index(config.study.event or config.balanced_event)
    draw = draw_blocks(anyone, config.evaluate.resamples, rng)
    return Bench(forecasts, event, draw, int(rng.integers(2**32)), config.evaluate.confidence)


def _scored(bench: Bench) -> list[dict[str, Any]]:
    """Scores of all arms with their intervals, each on its own test windows; a simulation's ceiling last."""
    found = []
    named = [(model, arm, bench.score(model, arm)) for model, arms in bench.forecasts.items() for arm in arms]
    named += [("simulation", name, scored) for name, scored in bench.ceilings()]
    for model, arm, scored in named:
        scores = {}
        for name in DIFFERENCES:
            low, high = bounds(scored.estimates[name], bench.confidence)
            numbers = {"value": scored.estimates[name][0].value, "low": low, "high": high}
            scores[name] = {key: None if np.isnan(value) else value for key, value in numbers.items()}
        found.append(
            {"model": model, "arm": arm, "n": scored.n, "n_events": scored.n_events, "scores": scores}
        )
    return found


def _about(bench: Bench, forecasts: xr.Dataset, config: Config) -> str:
    """A sentence on the windows and roles."""
    role = forecasts["role"].values
    occurred = forecasts["occurred"].values[:, bench.event]
    parts = []
    for name in ROLES[1:]:
        mine = role == ROLES.index(name)
        parts.append(f"{name} {mine.sum():,} windows, {(occurred[mine] == 1).sum():,} with an event")
    n_regions = np.unique(forecasts["region"].values.astype(str)).size
    event = config.study.event or config.balanced_event
    return (
        f"Event: {event} within the horizon. {role.size:,} windows of {n_regions:,} regions, split "
        f"{config.split.strategy}: {'; '.join(parts)}. Forecasts are calibrated by Platt scaling on the "
        "calibration role."
    )
