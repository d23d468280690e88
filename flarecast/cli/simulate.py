"""`flarecast simulate`."""

from pathlib import Path

import click

from flarecast.cli.options import OUT_FOLDER, config_options, say, talk_options


@click.command("simulate")
@config_options
@click.option("-o", "--output", type=OUT_FOLDER, required=True, help="Folder for the archives: a RAW.")
@talk_options
def command(config_path: Path | None, changes: tuple[str, ...], output: Path) -> None:
    """The simulated Sun as SWAN-SF archives.

    Writes partition1_instances.tar.gz to partition5_instances.tar.gz, which `flarecast ingest swan-sf` reads.
    [simulate] says how many windows there are, of which dates, and whether files are in random order.
    """
    from flarecast.config import load_config
    from flarecast.ingest.sun.archive import write_archives

    config = load_config(config_path, changes)
    written = write_archives(output, config.generator("simulate"), **dict(config.simulate))
    say(
        f"{output}: {written.n_windows:,} windows of {written.n_regions:,} regions, {written.n_rows:,} rows,"
        f" in {len(written.paths)} archives"
    )
