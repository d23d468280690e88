"""The door: `flarecast COMMAND`. A command's module is imported when it is called, not before."""

import importlib
from typing import Any

import click

from flarecast import __version__
from flarecast.errors import FlarecastError

COMMANDS: dict[str, tuple[str, str]] = {
    "ingest": ("flarecast.cli.ingest", "Raw archives -> windows.nc."),
    "read-forecasts": ("flarecast.cli.read_forecasts", "Forecasts made elsewhere -> forecasts.nc."),
    "split": ("flarecast.cli.split", "Give every window a role -> split.nc."),
    "audit": ("flarecast.cli.audit", "Look for leaks between roles; exit 1 on a leak."),
    "train": ("flarecast.cli.train", "Fit a model on the train role -> a model folder."),
    "forecast": ("flarecast.cli.forecast", "Windows and a model -> probabilities."),
    "calibrate": ("flarecast.cli.calibrate", "Mend probabilities on the calibration role -> calibrated.nc."),
    "evaluate": ("flarecast.cli.evaluate", "Score anybody's forecasts, with intervals -> scores.json."),
    "record": ("flarecast.cli.record", "Write a run's resolved configuration and environment."),
    "run": ("flarecast.cli.run", "The whole chain in one process."),
}
"""Command: (module, one-line help)."""


class Door(click.Group):
    """A group that imports a command when it is called and tells a FlarecastError in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the chain."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a FlarecastError becomes one line and exit 1, a traceback with -v."""
        try:
            return super().invoke(ctx)
        except FlarecastError as error:
            if ctx.ensure_object(dict).get("verbose"):
                raise
            raise click.ClickException(str(error)) from error


@click.command(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flarecast")
def main() -> None:
    """From raw archives to calibrated solar-flare probabilities whose skill can be believed.

    The chain: ingest -> split -> audit -> train -> forecast -> calibrate -> evaluate. Each stage reads files
    and writes one; `make train evaluate` and `flarecast run` call them all.
    """
