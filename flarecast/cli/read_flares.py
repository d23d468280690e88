"""`flarecast read-flares`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, say, talk_options


@click.command("read-flares")
@click.argument("lists", metavar="FILE...", nargs=-1, required=True, type=IN)
@click.option("-o", "--output", type=OUT, required=True, help="flares.csv to write.")
@click.option(
    "--flux-scale",
    type=click.Choice(["auto", "operational", "true"]),
    default="auto",
    show_default=True,
    help="Scale that the lists are in; auto: by satellite, else by date.",
)
@click.option(
    "--convert-to",
    type=click.Choice(["none", "operational", "true"]),
    default="none",
    show_default=True,
    help="Scale to bring all fluxes to.",
)
@click.option("--max-bad-rows", type=int, default=100, show_default=True, help="Lines that may be skipped.")
@talk_options
def command(
    lists: tuple[Path, ...], output: Path, flux_scale: str, convert_to: str, max_bad_rows: int
) -> None:
    """Flare lists of any kind -> flares.csv.

    FILE is a flare list (CLEAR, SolarFlareNet, HEK, SolarSoft, flares.csv ...), a NOAA event report, an
    archive of a year of them, or a folder with such. Of several entries of one flare that of the first
    file counts.
    """
    from flarecast.flares import read_flares, write_flares

    table = read_flares(lists, flux_scale=flux_scale, convert_to=convert_to, max_bad_rows=max_bad_rows)  # type: ignore[arg-type]
    write_flares(table, output)
    n_unknown = int((table["region"] == 0).sum())
    say(f"{output}: {len(table):,} flares, {n_unknown:,} without a region")
    for name in ("n_lines", "n_duplicates", "n_region_conflicts", "n_skipped", "skipped", "first_bad"):
        if table.attrs[name]:
            say(f"  {name}: {table.attrs[name]}")
