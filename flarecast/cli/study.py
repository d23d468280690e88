"""`flarecast study`."""

from pathlib import Path

import click

from flarecast.cli.options import (
    IN,
    OUT_FOLDER,
    config_options,
    device_option,
    say,
    talk_options,
    workers_option,
)


@click.command("study")
@click.argument("name")
@click.argument("raw", type=IN, required=False)
@config_options
@click.option("-o", "--output", type=OUT_FOLDER, help="Folder of the study; default data/studies/<config>.")
@click.option("--windows", "windows_path", type=IN, help="windows.nc to study; else they are ingested.")
@device_option
@workers_option
@talk_options
def command(
    name: str,
    raw: Path | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
    windows_path: Path | None,
    device: str,
    workers: int,
) -> None:
    """Train many models on the same windows, and compare them with paired intervals.

    NAME is temporal-coherence: random against coherent splits, inner validation, normalisation, a resampled
    test set, thresholds from test, and every remedy for rare events; calibration: the run's model and rivals
    calibrated in every way; or uncertainty: whether forecasts that an ensemble doubts fail more, and what
    averaging its members buys; these write study.json and study.html. Or models: every model against a
    logistic regression, options chosen inside the training span; writes models.md, models.csv and
    models.json. Or swpc-verification: SWPC's forecasts in RAW held against the numbers published on them;
    writes swpc_verification.md and .json. What is done is not done again when the same command is given
    again.
    """
    from flarecast.config import load_config
    from flarecast.errors import choose
    from flarecast.resources import Resources
    from flarecast.study import STUDIES
    from flarecast.study.told import Sources

    study = choose("study", name, STUDIES)
    folder = output or Path("data/studies") / (config_path.stem if config_path else name)
    config = load_config(config_path, changes)
    told = study(config, Sources(raw, windows_path), folder, Resources(device, workers), say)
    for paragraph in told.paragraphs:
        click.echo(f"{paragraph}\n")
    say(f"{told.page}: {told.about}")
