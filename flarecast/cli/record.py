"""`flarecast record`."""

from pathlib import Path

import click

from flarecast.cli.options import fitting_options, say, talk_options


@click.command("record")
@fitting_options("The run's folder.")
@talk_options
def command(
    windows: Path, split: Path, config_path: Path | None, changes: tuple[str, ...], output: Path, device: str
) -> None:
    """Write config.toml (resolved) and environment.json (versions, commit, device, input hashes) of a run."""
    from flarecast.chain import check_parts, record
    from flarecast.config import load_config

    config = load_config(config_path, changes)
    check_parts(config)
    record(config, output, {"windows": windows, "split": split}, device)
    say(f"{output}: config.toml, environment.json")
