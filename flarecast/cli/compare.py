"""`flarecast compare`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, talk_options


@click.command("compare")
@click.argument("forecasts", type=IN, nargs=-1, required=True)
@click.option(
    "--reference",
    "references",
    type=IN,
    multiple=True,
    help="Forecasts to hold the others against, which are not compared among each other.",
)
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    metavar="NAME",
    help="A reference forecast inside a run to compare as well, e.g. climatology.",
)
@click.option(
    "--day-ahead",
    "days_ahead",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Compare only forecasts of this day ahead; 1 is the span that starts within 24 h.",
)
@click.option("--truth", type=IN, help="What occurred: windows.nc, or a list of flares (.csv).")
@config_options
@click.option("-o", "--output", type=OUT, help="compare.json to write.")
@click.option("--csv", "csv_path", type=OUT, help="CSV of all scores and differences to write.")
@click.option("--html", "html_path", type=OUT, help="Page to write, one file for people.")
@talk_options
def command(
    forecasts: tuple[Path, ...],
    references: tuple[Path, ...],
    baselines: tuple[str, ...],
    days_ahead: tuple[int, ...],
    truth: Path | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
    csv_path: Path | None,
    html_path: Path | None,
) -> None:
    """Compare runs and anybody's forecasts on the windows that all of them have.

    FORECASTS are folders of runs and files (.nc or .csv), two or more. Every pair is compared: differences
    with intervals, permutation tests corrected by Holm, and the Brier skill of each against each. Without
    --truth the files have to agree on what occurred.
    """
    from flarecast.cli.scorecard import print_comparison
    from flarecast.compare import run_compare, write_comparison
    from flarecast.config import load_config
    from flarecast.files import replacing, write_json

    config = load_config(config_path, changes)
    content = run_compare(forecasts, references, truth, config, baselines=baselines, days_ahead=days_ahead)
    if output:
        write_json(output, content)
    if csv_path:
        write_comparison(content, csv_path)
    if html_path:
        from flarecast.report.comparison import comparison_page

        with replacing(html_path) as aside:
            aside.write_text(comparison_page(content), encoding="utf-8")
    print_comparison(content)
    for warning in content["warnings"]:
        say(f"warning: {warning}")
    for path in (output, csv_path, html_path):
        if path:
            say(f"{path}: {len(content['records']):,} records")
