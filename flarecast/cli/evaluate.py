"""`flarecast evaluate`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, talk_options


@click.command("evaluate")
@click.argument("forecasts", type=IN)
@click.option(
    "--reference", "references", type=IN, multiple=True, help="Other forecasts (.nc or .csv) to compare with."
)
@click.option("--truth", type=IN, help="What occurred: windows.nc, or a list of flares (.csv).")
@config_options
@click.option("-o", "--output", type=OUT, help="scores.json to write.")
@talk_options
def command(
    forecasts: Path,
    references: tuple[Path, ...],
    truth: Path | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
) -> None:
    """Score forecasts, ours or anybody's (.nc or .csv), with intervals.

    Scores the test role, or all rows where there is none, and prints a table.
    """
    from flarecast.chain import run_evaluate
    from flarecast.cli.table import print_scores
    from flarecast.config import load_config

    content = run_evaluate(forecasts, references, truth, load_config(config_path, changes), output)
    print_scores(content)
    for warning in content["warnings"]:
        say(f"warning: {warning}")
    if output:
        say(f"{output}: {len(content['records']):,} records")
