"""`flarecast describe`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, say, talk_options


@click.command("describe")
@click.argument("file", type=IN)
@click.option("--split", type=IN, help="split.nc of the windows: count classes by role, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all rows, instead of tables.")
@click.option("-o", "--output", type=OUT, help="Write the JSON to this file.")
@click.option("--plot", "picture", type=OUT, help="Picture to write, .png, .svg or .pdf: classes over time.")
@click.option("--sunspots", type=IN, help="SILSO's daily or monthly CSV, drawn behind the classes.")
@talk_options
def command(
    file: Path,
    split: Path | None,
    as_json: bool,
    output: Path | None,
    picture: Path | None,
    sunspots: Path | None,
) -> None:
    """What is in a file: windows.nc, split.nc, forecasts (.nc, .csv) or flares.csv.

    Classes per year, cycle, phase, partition and role, regions, spans and gaps, missing cells, windows whose
    outcome is unknown, truncated or in progress, unassigned flares, hashes.
    """
    import json

    from flarecast.describe import as_text, describe, plot
    from flarecast.files import write_json

    if sunspots and not picture:
        raise click.UsageError("--sunspots goes with --plot")
    description = describe(file, split)
    if picture:
        plot(file, picture, sunspots)
        say(f"{picture}: classes of {file} over time")
    if output:
        write_json(output, description)
    if as_json:
        click.echo(json.dumps(description, indent=2, allow_nan=False))
    elif not output:
        click.echo(as_text(description))
