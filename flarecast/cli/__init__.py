"""The door: `flarecast COMMAND`. A command's module is imported when it is called, not before."""

import errno
import importlib
import signal
import sys
import threading
from typing import Any

import click

from flarecast import __version__
from flarecast.errors import FlarecastError

COMMANDS: dict[str, tuple[str, str]] = {
    "simulate": ("flarecast.cli.simulate", "The simulated Sun as SWAN-SF archives."),
    "download": ("flarecast.cli.download", "Fetch raw data from those who publish them."),
    "ingest": ("flarecast.cli.ingest", "Raw archives -> windows.nc."),
    "read-forecasts": ("flarecast.cli.read_forecasts", "Forecasts made elsewhere -> forecasts.nc."),
    "read-flares": ("flarecast.cli.read_flares", "Flare lists of any kind -> flares.csv."),
    "describe": ("flarecast.cli.describe", "What is in a file: counts, gaps, hashes, a picture."),
    "split": ("flarecast.cli.split", "Give every window a role -> split.nc."),
    "audit": ("flarecast.cli.audit", "Look for leaks between roles; exit 1 on a leak."),
    "pretrain": ("flarecast.cli.pretrain", "Teach an encoder without outcomes -> a folder to train from."),
    "train": ("flarecast.cli.train", "Fit a model on the train role -> a model folder."),
    "forecast": ("flarecast.cli.forecast", "Windows and a model -> probabilities."),
    "calibrate": ("flarecast.cli.calibrate", "Mend probabilities on the calibration role -> calibrated.nc."),
    "evaluate": ("flarecast.cli.evaluate", "Score anybody's forecasts, with intervals -> scores.json."),
    "explain": ("flarecast.cli.explain", "What forecasts hang on -> tables and pictures."),
    "compare": ("flarecast.cli.compare", "Runs and anybody's forecasts, pair by pair -> compare.json."),
    "report": ("flarecast.cli.report", "A run as one page, with a model card and figures -> report.html."),
    "rank-for-labels": ("flarecast.cli.rank_for_labels", "Windows whose outcome would tell most -> CSV."),
    "record": ("flarecast.cli.record", "Write a run's resolved configuration and environment."),
    "study": ("flarecast.cli.study", "Many trainings compared with paired intervals -> JSON and HTML."),
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
        """Run a command; an error becomes one line and exit 1, a traceback with -v."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            broken_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE  # click's business
            if ctx.ensure_object(dict).get("verbose") or broken_pipe:
                raise
            raise click.ClickException(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    """One line for any error; one that nobody foresaw is called so."""
    text = " ".join(str(error).split("\n"))
    if isinstance(error, FlarecastError):
        return text
    return f"unexpected {type(error).__name__}: {text[:300]}; -v shows where, please report it"


def _terminate(signal_number: int, frame: object) -> None:
    """End as by an exception, so that what is half-written is removed."""
    sys.exit(128 + signal_number)


@click.command(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="flarecast")
@click.pass_context
def main(ctx: click.Context) -> None:
    """From raw archives to calibrated solar-flare probabilities whose skill can be believed.

    The chain: ingest -> split -> audit -> train -> forecast -> calibrate -> evaluate -> report. Each stage
    reads files and writes one; `make train evaluate report` and `flarecast run` call them all.
    """
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _terminate)
        ctx.call_on_close(lambda: signal.signal(signal.SIGTERM, before))
