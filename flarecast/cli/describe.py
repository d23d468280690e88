"""`flarecast describe`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, say, sunspots_option, talk_options


@click.command("describe")
@click.argument("file", type=IN, required=False)
@click.option(
    "--compare",
    "pair",
    type=IN,
    nargs=2,
    metavar="A.nc B.nc",
    help="Two windows files instead: how the features of B differ from those of A.",
)
@click.option("--split", type=IN, help="split.nc of the windows: count classes by role, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all rows, instead of tables.")
@click.option("-o", "--output", type=OUT, help="Write the JSON to this file.")
@click.option("--plot", "picture", type=OUT, help="Picture to write, .png, .svg or .pdf: classes over time.")
@sunspots_option
@talk_options
def command(
    file: Path | None,
    pair: tuple[Path, Path] | None,
    split: Path | None,
    as_json: bool,
    output: Path | None,
    picture: Path | None,
    sunspots: Path | None,
) -> None:
    """What is in a file: windows.nc, split.nc, forecasts (.nc, .csv) or flares.csv.

    Classes per year, cycle, phase, partition and role, regions, spans and gaps, missing cells, windows whose
    outcome is unknown, truncated or in progress, unassigned flares, hashes.

    With --compare two windows files of the same regions, say of definitive and near-real-time data: for each
    feature the pairs of values, median ratio and difference, correlation, missing in one only.
    """
    import json

    from flarecast.describe import as_text, compare, describe, plot
    from flarecast.files import write_json

    if sunspots and not picture:
        raise click.UsageError("--sunspots goes with --plot")
    if pair and (file or split or picture):
        raise click.UsageError("--compare goes with two files and without FILE, --split and --plot")
    if not pair and not file:
        raise click.UsageError("Missing argument 'FILE'.")
    description = compare(*pair) if pair else describe(Path(str(file)), split)
    if picture and file:
        plot(file, picture, sunspots)
        say(f"{picture}: classes of {file} over time")
    if output:
        write_json(output, description)
    if as_json:
        click.echo(json.dumps(description, indent=2, allow_nan=False))
    elif not output:
        click.echo(as_text(description))
