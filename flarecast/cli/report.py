"""`flarecast report`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, say, sunspots_option, talk_options


@click.command("report")
@click.argument("run_dir", type=IN)
@sunspots_option
@talk_options
def command(run_dir: Path, sunspots: Path | None) -> None:
    """One page that people read: report.html of a run, with MODEL_CARD.md and figures/ beside it.

    RUN_DIR holds scores.json and calibrated.nc at least; what else is missing is said in its place.
    """
    from flarecast.report import write_report
    from flarecast.run_folder import RunFolder

    run = RunFolder(run_dir)
    panels = write_report(run, sunspots)
    drawn = sum(panel.figure is not None for panel in panels)
    say(f"{run.report}: {drawn} figures; {run.card}")
