"""`flarecast run`."""

from pathlib import Path

import click

from flarecast.cli.download import fetch
from flarecast.cli.options import (
    IN,
    OUT,
    OUT_FOLDER,
    device_option,
    epoch_progress,
    say,
    talk_options,
    workers_option,
)


@click.command("run")
@click.argument("raw", type=IN, required=False)
@click.option("-c", "--config", "config_path", type=IN, help="TOML file of the run; its stem names the run.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one key, e.g. train.epochs=5."
)
@click.option("-o", "--output", type=OUT_FOLDER, help="The run's folder; default data/runs/<run>.")
@click.option(
    "--windows", "windows_path", type=OUT, help="windows.nc to write; default data/windows/<run>.nc."
)
@device_option
@workers_option
@talk_options
def command(
    raw: Path | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
    windows_path: Path | None,
    device: str,
    workers: int,
) -> None:
    """The whole chain in one process, for those without make.

    RAW is the folder of raw data. The simulated Sun needs none, and a run with a [download] fetches it to
    data/raw/<run> where it is not named.
    """
    from flarecast.chain import RunFolder, run_all
    from flarecast.cli.table import print_scores
    from flarecast.config import load_config
    from flarecast.resources import Resources

    name = config_path.stem if config_path else "simulated"
    folder = output or Path("data/runs") / name
    run = RunFolder(folder, windows_path or Path("data/windows") / f"{name}.nc")
    config = load_config(config_path, changes)
    if raw is None and config.download.source is not None:
        raw = Path("data/raw") / name
        fetch(config.download.source, raw, config.download.options)
    with epoch_progress() as progress:
        content = run_all(config, raw, run, Resources(device, workers, progress, say), say)
    print_scores(content)
    for warning in content["warnings"]:
        say(f"warning: {warning}")
