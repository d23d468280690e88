"""Options that several commands share, and how they talk."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from flarecast.errors import FlarecastError

Command = Callable[..., Any]

IN = click.Path(path_type=Path)
"""A path to read: checked by the reader, whose sentence is better than click's."""


class OutputPath(click.Path):
    """A file, or a folder of files, to write; that it can be is looked at before any work is done."""

    def __init__(self, folder: bool = False) -> None:
        super().__init__(path_type=Path)
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no file (or no folder), and what lies below no folder or a read-only one."""
        path = Path(str(super().convert(value, param, ctx)))
        if not self.folder and path.exists() and not path.is_file():
            raise FlarecastError(f"{path}: cannot be written (it is there and no file)")
        places = [path.absolute(), *path.absolute().parents][0 if self.folder else 1 :]
        folder = next(place for place in places if place.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise FlarecastError(f"{path}: cannot be written ({folder} is no folder that can be written)")
        return path


OUT = OutputPath()
"""A file to write."""

OUT_FOLDER = OutputPath(folder=True)
"""A folder to write files to."""


def config_options(function: Command) -> Command:
    """Add -c/--config and --set."""
    function = click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change one key, e.g. split.strategy=by_region.",
    )(function)
    return click.option(
        "-c", "--config", "config_path", type=IN, help="TOML file of the run; default: defaults."
    )(function)


def device_option(function: Command) -> Command:
    """Add --device."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where torch computes.",
    )(function)


def fitting_options(output: str) -> Callable[[Command], Command]:
    """Add WINDOWS and SPLIT, -c/--config and --set, -o/--output, a folder to write, and --device.

    Args:
        output: What the folder is.
    """

    def add(function: Command) -> Command:
        function = device_option(function)
        function = click.option("-o", "--output", type=OUT_FOLDER, required=True, help=output)(function)
        function = click.argument("split", type=IN)(config_options(function))
        return click.argument("windows", type=IN)(function)

    return add


def sunspots_option(function: Command) -> Command:
    """Add --sunspots, for commands that draw over time."""
    said = "SILSO's daily or monthly CSV, drawn behind; without it the sunspot number of the windows, if any."
    return click.option("--sunspots", type=IN, help=said)(function)


def talk_options(function: Command) -> Command:
    """Add -v and -q, kept in the context for the door and for `say`."""

    def keep(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(ctx: click.Context, param: click.Parameter, value: bool) -> None:
            ctx.find_root().ensure_object(dict)[name] = value

        return callback

    for flags, name, text in (
        (("-q", "--quiet"), "quiet", "Say nothing but errors."),
        (("-v", "--verbose"), "verbose", "Show the traceback of an error."),
    ):
        function = click.option(*flags, is_flag=True, expose_value=False, callback=keep(name), help=text)(
            function
        )
    return function


workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Folds and rivals trained at the same time.",
)
"""Processes that train; what is trained does not depend on it."""


def quiet() -> bool:
    """Whether -q was given."""
    return bool(click.get_current_context().find_root().ensure_object(dict).get("quiet"))


def say(text: str) -> None:
    """Talk on stderr unless -q was given."""
    if not quiet():
        click.echo(text, err=True)


@contextmanager
def epoch_progress(shown: bool = True) -> Iterator[Callable[[int, int, dict[str, Any]], None] | None]:
    """A progress bar of epochs on stderr; None where stderr is no terminal or -q was given."""
    if not shown or quiet() or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("train", total=None)

        def step(epoch: int, epochs: int, entry: dict[str, Any]) -> None:
            loss = entry.get("validation_loss")
            text = f"train, validation loss {loss:.4f}" if isinstance(loss, float) else "train"
            bar.update(task, completed=epoch, total=epochs, description=text)

        yield step
