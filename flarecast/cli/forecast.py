"""`flarecast forecast`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, device_option, say, talk_options


@click.command("forecast")
@click.argument("windows", type=IN)
@click.argument("folder", type=IN)
@click.option("--split", "split_path", type=IN, help="split.nc that gives the windows their roles.")
@click.option("-o", "--output", type=OUT, required=True, help="forecasts .nc or .csv to write.")
@device_option
@talk_options
def command(windows: Path, folder: Path, split_path: Path | None, output: Path, device: str) -> None:
    """Windows and a model -> probabilities.

    FOLDER is a run's folder, whose calibration is applied, or a model's folder: then the forecasts stay raw.
    """
    import numpy as np

    from flarecast.chain import run_forecast

    forecasts, calibrated = run_forecast(windows, folder, split_path, output, device)
    kind = "calibrated" if calibrated else "raw, not calibrated"
    silent = int(np.isnan(forecasts["probability"].values).all(axis=1).sum())
    counted = f"{forecasts.sizes['window'] - silent:,} forecasts of {', '.join(forecasts['event'].values)}"
    say(f"{output}: {counted}, {kind}")
    if silent:
        say(f"warning: {silent:,} windows hold no value and are not forecast")
