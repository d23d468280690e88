"""`flarecast download`."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from flarecast.cli.options import OUT_FOLDER, config_options, quiet, say, talk_options
from flarecast.errors import FlarecastError


@click.command("download")
@click.argument("source")
@config_options
@click.option("-o", "--output", type=OUT_FOLDER, required=True, help="Folder for the files: a RAW.")
@click.option("--from", "first_year", type=int, help="First year (noaa, goes).")
@click.option("--to", "last_year", type=int, help="Last year; default: the one that ended last.")
@click.option(
    "--only",
    multiple=True,
    help="A part, repeatable: DSD, SRS, events or RSGA (noaa), a partition (swan-sf), a satellite (goes).",
)
@click.option(
    "--base-url",
    help="Address to use in place of the source's own, as of a mirror; also $FLARECAST_BASE_URL.",
)
@talk_options
def command(
    source: str,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path,
    first_year: int | None,
    last_year: int | None,
    only: tuple[str, ...],
    base_url: str | None,
) -> None:
    """Fetch a source's raw data from those who publish them.

    SOURCE is swan-sf (6.5 GB), noaa, goes, sharp (which NOAA regions each HARP holds), silso or from-config
    (what [download] says). What is there and whole is not fetched again; a transfer that was cut goes on
    where it ended. flarecast-download.json in the folder says what came, from where and when.
    """
    from flarecast.config import load_config

    config = load_config(config_path, changes).download
    name = config.source if source == "from-config" else source
    if name is None:
        raise FlarecastError(f"{config_path or 'config'}: expected a [download] with a source, got none")
    asked = {"first_year": first_year, "last_year": last_year, "only": list(only) or None}
    options = dict(config.options) if name == config.source else {}
    options |= {key: value for key, value in asked.items() if value is not None}
    fetch(name, output, options, base_url)


def fetch(source: str, folder: Path, options: Mapping[str, Any], base_url: str | None = None) -> None:
    """Download into a folder, with a progress bar, and say what came."""
    from flarecast.config import check_options
    from flarecast.download import SOURCES, Means, download
    from flarecast.download.wanted import nothing
    from flarecast.errors import choose

    plan = choose("download.source", source, SOURCES).plan
    checked = check_options(plan, options, f"download {source}")
    with byte_progress() as step:
        means = Means(say=say, step=step or nothing)
        outcome = download(source, folder, checked, base_url or os.environ.get("FLARECAST_BASE_URL"), means)
    absent = f", {len(outcome.absent)} not published yet" if outcome.absent else ""
    say(f"{folder}: {len(outcome.fetched)} files fetched, {len(outcome.kept)} were here{absent}")


@contextmanager
def byte_progress() -> Iterator[Callable[[str, int, int | None], Any] | None]:
    """A bar for each file on stderr; None where stderr is no terminal or -q was given."""
    if quiet() or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def step(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                for task in tasks.values():
                    bar.remove_task(task)
                tasks.clear()
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield step
