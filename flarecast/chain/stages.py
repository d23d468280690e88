"""The stages, each from files to a file, and all of them in one process.

`flarecast <stage>` and `make <stage>` call the same functions; `run` calls them one after the other. torch is
imported only by the stages that need it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from flarecast import exchange
from flarecast import split as splitting
from flarecast.audit import (
    Audit,
    audit_for,
    audit_run,
    check_same_windows,
    collect,
    require_events,
    roles_of,
)
from flarecast.calibrate import calibrate as calibrate_forecasts
from flarecast.calibrate import remarks
from flarecast.calibrate.combining import fit_combinations, with_combinations
from flarecast.chain.environment import environment
from flarecast.chain.parts import check_parts
from flarecast.chain.provenance import known_accesses, provenance
from flarecast.chain.sources import make_windows
from flarecast.config import Config, check_options, load_config, write_config
from flarecast.errors import FlarecastError, choose
from flarecast.evaluate import evaluate as score_forecasts
from flarecast.exchange.netcdf import open_netcdf
from flarecast.files import read_json, sha256, write_json
from flarecast.resources import ALONE, Resources, started_together
from flarecast.run_folder import RunFolder
from flarecast.schema import FORECASTS, SPLIT, WINDOWS, open_file, save
from flarecast.seen import record_evaluation
from flarecast.windows import open_windows

if TYPE_CHECKING:
    from flarecast.model_file import TrainedModel

Say = Callable[[str], object]


def run_ingest(config: Config, raw: Path | None, out: Path, scheduler: str = "") -> xr.Dataset:
    """Raw archives -> windows.nc, read on a dask cluster where one is given (`ingest.cluster.spreading`)."""
    windows = make_windows(config, raw, scheduler)
    # Looked at afterwards, because a source may fetch and keep answers itself.
    windows.attrs |= provenance(config.ingest.source, known_accesses(raw), windows)
    save(windows, out, WINDOWS)
    return windows


def run_read_forecasts(
    reader: str, raw: Path, out: Path, options: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Forecasts made elsewhere -> forecasts.nc."""
    read = choose("reader", reader, exchange.READERS)
    forecasts = read(raw, **check_options(read, options or {}, f"read-forecasts {reader}"))
    exchange.save_forecasts(forecasts, out)
    return forecasts


def run_split(windows_path: Path, config: Config, out: Path) -> xr.Dataset:
    """windows.nc -> split.nc."""
    windows = open_windows(windows_path)
    strategy = choose("split.strategy", config.split.strategy, splitting.STRATEGIES)
    options = check_options(strategy, config.split.options, "split.options", ("embargo_hours",))
    split = splitting.make_split(
        windows,
        config.split.strategy,
        config.generator("split"),
        embargo_hours=config.split.embargo_hours,
        options=options,
        windows_sha256=sha256(windows_path),
        out_of_fold=config.calibrate.folds if config.fit_on == "out_of_fold" else 0,
        returning=config.split.returning,
    )
    save(split, out, SPLIT)
    return split


def open_pair(windows_path: Path, split_path: Path) -> tuple[xr.Dataset, xr.Dataset]:
    """Open windows and the split made of them.

    Raises:
        FlarecastError: One is missing or broken, or the split was made of other windows.
    """
    windows, split = open_windows(windows_path), open_file(split_path, SPLIT)
    check_same_windows(split, sha256(windows_path))
    roles_of(windows, split)
    return windows, split


def run_audit(windows_path: Path, split_path: Path, config: Config, out: Path | None) -> Audit:
    """windows.nc and split.nc -> audit.json."""
    windows, split = open_pair(windows_path, split_path)
    found = audit_for(windows, split, config)
    if out is not None:
        write_json(out, found.as_json())
    return found


def run_audit_run(run: RunFolder, config: Config, out: Path | None) -> Audit:
    """A run's folder -> audit.json: its split, and what its model, calibration and evaluations saw."""
    found = run_audit(windows_of(run), run.split, config, None)
    more = audit_run(run.folder, sha256(windows_of(run)), config_of(run).resolved())
    found = collect([*found.findings, *more], found.counts)
    if out is not None:
        write_json(out, found.as_json())
    return found


def run_train(
    windows_path: Path,
    split_path: Path,
    config: Config,
    folder: Path,
    resources: Resources = ALONE,
) -> "TrainedModel":
    """windows.nc and split.nc -> a model folder, rivals and folds included, unless the split leaks.

    Raises:
        FlarecastError: A leak (unless train.allow_leaks), or no event to train or validate on.
    """
    from flarecast.train.trainings import train_all

    windows, split = open_pair(windows_path, split_path)
    found = audit_for(windows, split, config)
    if found.leaks and not config.train.allow_leaks:
        leaks = "; ".join(finding.message for finding in found.leaks)
        raise FlarecastError(f"{split_path}: {leaks}; train.allow_leaks = true trains all the same")
    require_events(windows, split, config.events, config.train.unassigned)
    return train_all(windows_path, split_path, config, folder, resources)


def run_forecast(
    windows_path: Path, folder: Path, split_path: Path | None, out: Path, device: str = "auto"
) -> tuple[xr.Dataset, bool]:
    """windows.nc and a model -> forecasts, calibrated where the folder is a run's.

    Args:
        windows_path: Windows, seen in training or not.
        folder: RUN_DIR (its calibration is applied) or MODEL_DIR (forecasts stay raw).
        split_path: Split that gives roles; without it every role is unused.
        out: .nc or .csv.
        device: auto, cpu or cuda.

    Returns:
        The forecasts, and whether they are calibrated.
    """
    from flarecast.forecast.folds import forecast_folds

    run = RunFolder(folder)
    of_run = (run.model / "model.json").is_file()
    calibration = read_json(run.calibration) if of_run and run.calibration.is_file() else None
    if split_path is None:
        windows, split = open_windows(windows_path), None
    else:
        windows, split = open_pair(windows_path, split_path)
    models = run.model if of_run else folder
    forecasts = forecast_folds(windows, split, models, device=device, calibration=calibration)
    exchange.save_forecasts(forecasts, out)
    return forecasts, calibration is not None


def run_calibrate(forecasts_path: Path, config: Config, out: Path) -> xr.Dataset:
    """forecasts.nc -> calibrated.nc and, beside it, calibration.json."""
    forecasts = open_netcdf(forecasts_path)
    settings = config.calibrate
    calibrated, calibration = calibrate_forecasts(
        forecasts, settings.name, settings.options, settings=settings, rng=config.generator("calibrate")
    )
    if settings.combine:
        calibration["combinations"] = fit_combinations(calibrated, settings.combine)
        calibrated = with_combinations(calibrated, calibration["combinations"])
    calibration["forecasts_sha256"] = sha256(forecasts_path)
    write_json(out.parent / "calibration.json", calibration)
    save(calibrated, out, FORECASTS)
    return calibrated


def run_evaluate(
    forecasts_path: Path,
    references: Sequence[Path],
    truth: Path | None,
    config: Config,
    out: Path | None,
) -> dict[str, Any]:
    """Forecasts, ours or others', and references -> scores.json.

    Raises:
        FlarecastError: A file is missing or no such file, or two references have one name.
    """
    named: dict[str, xr.Dataset] = {}
    for path in references:
        if path.stem in named:
            raise FlarecastError(
                f"reference {path}: expected a name of its own, got a second {path.stem}; rename the file"
            )
        named[path.stem] = exchange.open_forecasts(path)
    forecasts = exchange.open_forecasts(forecasts_path)
    forecasts.attrs.setdefault("unassigned", config.unassigned)  # ours say how they were trained
    content = score_forecasts(
        forecasts,
        references=named,
        truth=truth if truth is None or truth.suffix.lower() != ".nc" else open_windows(truth),
        rng=config.generator("evaluate"),
        resamples=config.evaluate.resamples,
        confidence=config.evaluate.confidence,
        blocks=config.evaluate.blocks,
        interval=config.evaluate.interval,
        run=forecasts_path.resolve().parent.name,
        data=forecasts_path.name,
    )
    record_evaluation(forecasts_path, forecasts)
    if out is not None:
        write_json(out, content)
    return content


def record(config: Config, folder: Path, inputs: Mapping[str, Path], device: str = "auto") -> None:
    """Write config.toml (resolved) and environment.json of a run."""
    write_config(config, RunFolder(folder).config)
    write_json(RunFolder(folder).environment, environment(config, inputs, device))


def run_all(
    config: Config,
    raw: Path | None,
    run: RunFolder,
    resources: Resources = ALONE,
    say: Say = str,
) -> dict[str, Any]:
    """The whole chain in one process; returns the content of scores.json."""
    if started_together() > 1:
        raise FlarecastError(
            f"run: expected one process, got {started_together()} of torchrun; use that with flarecast train"
        )
    from flarecast.report import write_report

    check_parts(config, deep=True)
    references = [_reference(name, raw, run.folder) for name in config.evaluate.references]
    say(f"ingest {config.ingest.source} -> {run.windows}")
    run_ingest(config, raw, run.windows)
    say(f"split {config.split.strategy} -> {run.split}")
    run_split(run.windows, config, run.split)
    record(config, run.folder, {"windows": run.windows, "split": run.split}, resources.device)
    for sentence in run_audit(run.windows, run.split, config, run.audit).sentences():
        say(f"audit: {sentence}")
    say(f"train {config.model.name} -> {run.model}")
    run_train(run.windows, run.split, config, run.model, resources)
    say(f"forecast -> {run.forecasts}")
    run_forecast(run.windows, run.model, run.split, run.forecasts, resources.device)
    say(f"calibrate {config.calibrate.name} -> {run.calibrated}")
    run_calibrate(run.forecasts, config, run.calibrated)
    for sentence in remarks(read_json(run.calibration)):
        say(f"calibrate: {sentence}")
    say(f"evaluate -> {run.scores}")
    content = run_evaluate(run.calibrated, references, None, config, run.scores)
    say(f"report -> {run.report}")
    write_report(run)
    return content


def windows_of(run: RunFolder) -> Path:
    """Windows file that a run was made of, as its environment.json names it."""
    path = Path(read_json(run.environment)["inputs"]["windows"]["path"])
    if not path.is_file():
        raise FlarecastError(f"{run.folder}: expected its windows at {path}, found none; name them")
    return path


def config_of(run: RunFolder) -> Config:
    """Resolved configuration of a run."""
    return load_config(run.config)


def _reference(name: str, raw: Path | None, folder: Path) -> Path:
    """A reference is a file, or the name of a reader for the same RAW, which is read here."""
    if name not in exchange.READERS:
        if not Path(name).is_file():
            readers = ", ".join(exchange.READERS)
            raise FlarecastError(f"evaluate.references: expected a file or one of {readers}, got {name!r}")
        return Path(name)
    if raw is None:
        raise FlarecastError(f"evaluate.references: {name} reads RAW, got none; name the folder")
    out = folder / f"{name}.nc"
    run_read_forecasts(name, raw, out)
    return out
