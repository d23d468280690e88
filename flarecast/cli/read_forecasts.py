"""`flarecast read-forecasts`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, say, talk_options


@click.command("read-forecasts")
@click.argument("reader")
@click.argument("raw", type=IN)
@click.option("-o", "--output", type=OUT, required=True, help="forecasts.nc (or .csv) to write.")
@click.option("--method", help="Whose forecasts, where RAW has those of several.")
@talk_options
def command(reader: str, raw: Path, output: Path, method: str | None) -> None:
    """Forecasts made elsewhere -> forecasts.nc.

    READER is one of

    \b
    swpc-rsga   M and X on the disk out of NOAA's daily reports, YYYY_RSGA.tar.gz
    swpc-json   C, M and X on the disk and of regions: solar_probabilities.json, solar_regions.json
    moswoc      the Met Office's verification files; --method SWPC (default) or IFF
    scoreboard  a CSV of the CCMC Flare Scoreboard; --method as its column model
    llmflarenet daily region forecasts of networks; --method as the column _modelType

    Files lie in RAW or below; of several forecasts of one thing the last issued before its span counts.
    """  # noqa: D301  (click reads the backspace)
    from flarecast.chain import run_read_forecasts

    options = {} if method is None else {"method": method}
    forecasts = run_read_forecasts(reader, raw, output, options)
    say(f"{output}: {forecasts.sizes['window']:,} forecasts of {', '.join(forecasts['event'].values)}")
    for name, value in forecasts.attrs.items():
        if str(name).startswith("n_") or (name == "skipped" and value):
            say(f"  {name}: {value}")
