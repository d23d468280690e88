"""What members buy: do uncertain forecasts fail more, and does averaging members improve them?

One network is trained in every way that gives members, on the same windows. The calibration role is blocks of
the training dates that were held out, the test role what comes after them, so the same questions are asked of
a span that training knows and of one, like another cycle, that it does not.
"""

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from flarecast.calibrate import calibrate
from flarecast.calibrate.calibration import RANGE_NAMES
from flarecast.config import Config, parse_config
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import replacing, sha256, write_json
from flarecast.forecast.folds import forecast_folds
from flarecast.report.document import Document, Part, Picture, document_page, plain_table
from flarecast.resources import Resources
from flarecast.schema import FORECASTS, SPLIT, open_file, save
from flarecast.study.doubt import Doubted, doubted, draw_retention, excess_of_doubted
from flarecast.study.figures import draw_svg
from flarecast.study.files import make_files
from flarecast.study.jobs import Job, Say, run_jobs
from flarecast.study.scoring import Draw, bounds, difference, draw_blocks, rows_of, score_rows
from flarecast.study.told import Sources, Told
from flarecast.train.trainings import train_all
from flarecast.windows import open_windows

JSON, HTML, PICTURE = "study.json", "study.html", "retention.png"
FORECAST = "calibrated.nc"
SINGLE = "deep"
"""Arm whose members are what everybody would train without an ensemble, from five seeds."""

ROLES_ASKED = {"calibration": "held out of the training dates", "test": "test"}
SCORES = {"bss": "BSS", "ece": "ECE", "average_precision": "AP"}

ARMS: dict[str, dict[str, Any]] = {
    "deep": {"ensemble": {"name": "deep", "options": {"members": 5}}},
    "bagging": {"ensemble": {"name": "bagging", "options": {"members": 5}}},
    "snapshot": {"ensemble": {"name": "snapshot", "options": {"members": 5}}},
    "mc_dropout": {"ensemble": {"name": "mc_dropout", "options": {"members": 20}}},
    "laplace": {"ensemble": {"name": "laplace", "options": {"members": 20}}},
    "variational": {"ensemble": {"name": "variational", "options": {"members": 20}}},
    "gp": {"ensemble": {"name": "gp", "options": {"members": 20}}},
    "swag": {"train": {"averaging": "swag", "averaging_options": {"per_epoch": 4, "members": 20}}},
}
"""What each arm changes in the configuration."""

SEVERAL_SEEDS = frozenset({"deep", "bagging", "snapshot"})
"""Arms of networks of their own, compared with the mean of five single ones; the others with the first."""


def uncertainty(config: Config, sources: Sources, folder: Path, resources: Resources, say: Say) -> Told:
    """Train all arms that are not done yet, compare them, and write study.json, study.html, retention.png.

    Args:
        config: Sections study (`event`), scale, model, train, evaluate and run, and the events, are used.
        sources: Raw data or windows.
        folder: Where arms and results go.
        resources: Device and processes.
        say: Told of each arm that is done.

    Raises:
        FlarecastError: As `make_files`; or the plain networks cannot be trained.
    """
    plain = config.resolved() | {"calibrate": {"name": "platt", "fit_on": "calibration"}, "rivals": {}}
    windows, split = make_files(parse_config(plain, "study"), sources, folder)
    jobs = _jobs(plain, windows, split, folder / "arms", resources.device)
    outcome = run_jobs(jobs, resources.workers, say, "arms")
    arms = {job.name: open_netcdf(job.done.parent / FORECAST) for job in jobs if job.name in outcome.results}
    return _compare(config, arms, outcome.refused, folder)


def _compare(
    config: Config, arms: Mapping[str, xr.Dataset], refused: Mapping[str, str], folder: Path
) -> Told:
    """Compare the arms in both roles, and write what came out."""
    event = config.events.index(config.study.event or config.balanced_event)
    draw = draw_blocks(arms[SINGLE], config.evaluate.resamples, config.generator("study"))
    singles = [_single(arms[SINGLE], nth) for nth in range(arms[SINGLE].sizes["realization"])]
    rows, panels = [], {}
    for role, title in ROLES_ASKED.items():
        said = {name: doubted(one, event, role, draw) for name, one in arms.items()}
        panels[title] = said
        for name, one in arms.items():
            against = singles if name in SEVERAL_SEEDS else singles[:1]
            bought = _bought(one, against, (event, role), draw, config.evaluate.confidence)
            rows.append({"role": role, "arm": name, **bought, **_fails(said[name], config)})
    content = {
        "study": "uncertainty",
        "run": folder.name,
        "event": config.events[event],
        "about": _about(arms[SINGLE], event, config),
        "rows": rows,
        "refused": dict(refused),
    }
    write_json(folder / JSON, content)
    return _tell(content, panels, folder)


def _jobs(plain: Mapping[str, Any], windows: Path, split: Path, folder: Path, device: str) -> list[Job]:
    """The work of all arms, each in a folder of its own."""
    whose, jobs = [sha256(windows), sha256(split)], []
    for name, changes in ARMS.items():
        arm, own = _changed(plain, changes), folder / name
        work = partial(_run_arm, windows, split, arm, own, device)
        jobs.append(Job(name, own / "arm.json", [arm.resolved(), whose], work, required=name == SINGLE))
    return jobs


def _run_arm(windows: Path, split: Path, config: Config, folder: Path, device: str) -> dict[str, Any]:
    """Train, forecast with all members, calibrate."""
    train_all(windows, split, config, folder / "model", Resources(device))
    roles = open_file(split, SPLIT)
    made = forecast_folds(open_windows(windows), roles, folder / "model", device=device)
    mended, _ = calibrate(made, config.calibrate.name, config.calibrate.options)
    save(mended, folder / FORECAST, FORECASTS)
    return {"made": [FORECAST]}


def _changed(plain: Mapping[str, Any], changes: Mapping[str, dict[str, Any]]) -> Config:
    """The configuration of an arm."""
    content = dict(plain)
    content.pop("study", None)
    for section, values in changes.items():
        content[section] = {**content.get(section, {}), **values}
    return parse_config(content, "study")


def _single(forecasts: xr.Dataset, nth: int) -> xr.Dataset:
    """One member of an ensemble as forecasts of its own, calibrated by itself."""
    raw = forecasts["member"].values[:, :, nth].astype(np.float64)
    dims = ("window", "event")
    alone = forecasts.drop_vars(["member", *RANGE_NAMES, "aleatoric", "epistemic"])
    return calibrate(alone.assign(probability=(dims, raw), probability_raw=(dims, raw)), "platt", {})[0]


def _bought(
    forecasts: xr.Dataset,
    singles: list[xr.Dataset],
    what: tuple[int, str],
    draw: Draw,
    confidence: float,
) -> dict[str, Any]:
    """Scores of the members' mean, and what it has over single networks, the mean of the differences."""
    event, role = what
    ours = score_rows(forecasts, event, rows_of(forecasts, event, role), draw).estimates
    theirs = [score_rows(one, event, rows_of(one, event, role), draw).estimates for one in singles]
    found: dict[str, Any] = {}
    for name in SCORES:
        each = [difference(ours[name], one[name]) for one in theirs]
        ways = []
        for way in zip(*each, strict=True):
            values = np.mean([one.value for one in way]), np.mean([one.resampled for one in way], axis=0)
            ways.append(type(way[0])(float(values[0]), values[1], way[0].reason))
        low, high = bounds(tuple(ways), confidence)
        found[name] = {
            "value": _number(ours[name][0].value),
            "gain": _number(ways[0].value),
            "low": _number(low),
            "high": _number(high),
        }
    return found


def _fails(windows: Doubted, config: Config) -> dict[str, Any]:
    """Whether doubted windows fail more than trusted ones of nearly the same probability."""
    value, low, high = excess_of_doubted(windows, config.evaluate.confidence)
    mean = float(windows.error.mean())
    return {
        "brier": mean,
        "doubted_minus_trusted": {"gain": _number(value), "low": _number(low), "high": _number(high)},
    }


def _about(forecasts: xr.Dataset, event: int, config: Config) -> str:
    """A sentence on the windows."""
    counts = []
    for role, title in ROLES_ASKED.items():
        rows = rows_of(forecasts, event, role)
        n_events = int((forecasts["occurred"].values[rows, event] == 1).sum())
        counts.append(f"{title} {rows.sum():,} windows, {n_events:,} with an event")
    return (
        f"Event: {config.events[event]}; {'; '.join(counts)}. {config.model.name}, calibrated by Platt "
        "scaling on the held-out blocks of the training dates."
    )


def _tell(content: Mapping[str, Any], panels: Mapping[str, Mapping[str, Doubted]], folder: Path) -> Told:
    """Write picture and page; the table as text."""
    figure = draw_retention(panels)
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110, metadata={"Software": None})
    with replacing(folder / PICTURE) as aside:
        aside.write_bytes(image.getvalue())
    lines = [list(_cells(row)) for row in content["rows"]]
    head = ["role", "arm", *SCORES.values(), "doubted less trusted, excess error"]
    refused = tuple(f"{name}: {why}" for name, why in content["refused"].items())
    shown = (Picture(draw_svg(figure), "error-retention curves", "The doubted windows are left out first."),)
    text = document_page(
        Document(
            "study of uncertainty",
            content["run"],
            (content["about"],),
            (
                Part("What members buy", tables=(plain_table(head, lines),)),
                Part("Do the uncertain forecasts fail more?", pictures=shown),
                *((Part("What could not be trained", remarks=refused),) if refused else ()),
            ),
        )
    )
    with replacing(folder / HTML) as aside:
        aside.write_text(text, encoding="utf-8")
    table = "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])
    return Told((table,), folder / HTML, str(content["about"]))


def _cells(row: Mapping[str, Any]) -> list[str]:
    """One line of the table."""
    cells = [ROLES_ASKED[row["role"]], row["arm"]]
    for name in SCORES:
        value = row[name]["value"]
        cells.append(f"{'-' if value is None else f'{value:.3f}'} ({_gain(row[name])})")
    return [*cells, _gain(row["doubted_minus_trusted"])]


def _gain(said: Mapping[str, float | None]) -> str:
    """A difference with its interval."""
    value, low, high = said["gain"], said["low"], said["high"]
    if value is None:
        return "-"
    return f"{value:+.4f}" + ("" if low is None or high is None else f" [{low:+.4f}, {high:+.4f}]")


def _number(value: float) -> float | None:
    """A number, or null where there is none."""
    return float(value) if np.isfinite(value) else None
