"""`flarecast read-forecasts`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, say, talk_options


@click.command("read-forecasts")
@click.argument("reader")
@click.argument("raw", type=IN)
@click.option("-o", "--output", type=OUT, required=True, help="forecasts.nc (or .csv) to write.")
@talk_options
def command(reader: str, raw: Path, output: Path) -> None:
    """Forecasts made elsewhere -> forecasts.nc.

    READER is swpc-rsga: M and X probabilities of NOAA's daily reports, YYYY_RSGA.tar.gz anywhere below RAW.
    """
    from flarecast.chain import run_read_forecasts

    forecasts = run_read_forecasts(reader, raw, output)
    say(f"{output}: {forecasts.sizes['window']:,} forecasts of {', '.join(forecasts['event'].values)}")
    for name, value in forecasts.attrs.items():
        if str(name).startswith("n_"):
            say(f"  {name}: {value}")
