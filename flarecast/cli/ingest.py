"""`flarecast ingest`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, talk_options

COUNTS = (
    "n_value_lines",
    "n_rows_read",
    "n_skipped",
    "skipped",
    "n_served_records",
    "n_served_days",
    "n_days_of_counts",
    "served_skipped",
    "n_incomplete",
    "n_unknown",
    "unassigned_by_year",
    "n_repeated_rows",
    "n_conflicting_rows",
    "rules",
    "n_bad_quality",
    "n_too_fast",
    "n_beyond_longitude_limit",
    "n_windows_too_sparse",
    "n_windows_beyond_longitude_limit",
    "n_harps_without_noaa",
    "n_doubtful",
    "n_answers_new",
    "n_answers_kept",
    "n_answers_outdated",
    "harps_without_records",
    "first_skipped",
    "goes_xrs",
)
"""Attributes in which a source says what it read."""


@click.command("ingest")
@click.argument("source")
@click.argument("raw", type=IN, required=False)
@config_options
@click.option("-o", "--output", type=OUT, required=True, help="windows.nc to write.")
@click.option(
    "--scheduler",
    default="",
    metavar="ADDRESS|N",
    help="Read the archives of swan-sf on a dask cluster: its scheduler's address (tcp://host:8786), or how"
    " many workers to start here; the result is the same. Needs flarecast[scale].",
)
@talk_options
def command(
    source: str,
    raw: Path | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path,
    scheduler: str,
) -> None:
    """Raw archives -> windows.nc.

    SOURCE is simulated, noaa-disk, noaa-regions, swan-sf, sharp, table or from-config (what [ingest] says).
    RAW is the folder of raw data, searched recursively (for a table its file or folder); simulated needs
    none, and sharp keeps JSOC's answers in it. --set 'ingest.context=["goes-xrs"]' joins GOES X-rays that
    lie in RAW, too.
    """
    from flarecast.chain import check_parts, run_ingest
    from flarecast.config import load_config

    named = () if source == "from-config" else (f'ingest.source="{source}"',)
    config = load_config(config_path, (*changes, *named))
    check_parts(config)
    windows = run_ingest(config, raw, output, scheduler)
    say(
        f"{output}: {windows.sizes['window']:,} windows of {windows.sizes['feature']} features, "
        f"{windows.sizes['row']:,} rows"
    )
    for name in COUNTS:
        if windows.attrs.get(name):
            say(f"  {name}: {windows.attrs[name]}")
