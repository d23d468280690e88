"""`flarecast audit`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, talk_options
from flarecast.errors import FlarecastError


@click.command("audit")
@click.argument("windows_or_run", type=IN, required=False)
@click.argument("split", type=IN, required=False)
@click.option(
    "--train",
    "train_table",
    type=IN,
    help="Anybody's CSV of training rows; columns of regions and times are looked for.",
)
@click.option(
    "--test", "test_table", type=IN, help="CSV of test rows; may be the same file with a role column."
)
@click.option(
    "--region", metavar="COL", help="Column of regions in --train and --test: name, or number from 1."
)
@click.option("--time", metavar="COL", help="Column of times, likewise.")
@config_options
@click.option("-o", "--output", type=OUT, help="audit.json to write.")
@talk_options
@click.pass_context
def command(
    ctx: click.Context,
    windows_or_run: Path | None,
    split: Path | None,
    train_table: Path | None,
    test_table: Path | None,
    region: str | None,
    time: str | None,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
) -> None:
    """Look for leaks between roles.

    Takes windows.nc and split.nc, or a run's folder, or two CSV files of somebody else's split (--train,
    --test). Exit 1 on a leak. docs/audit.md says what each finding means and how to mend it.
    """
    from flarecast.audit import audit_tables, check_run, read_tables
    from flarecast.chain import RunFolder, config_of, run_audit, run_audit_run
    from flarecast.config import load_config
    from flarecast.files import write_json

    config = load_config(config_path, changes)
    tables = (train_table, test_table)
    if train_table and test_table and windows_or_run is None:
        found = audit_tables(*read_tables(train_table, test_table, region, time))
        if output:
            write_json(output, found.as_json())
    elif any(tables) or region or time:
        raise click.UsageError(
            "--train and --test go together, without windows.nc; --region and --time need both"
        )
    elif windows_or_run and split:
        found = run_audit(windows_or_run, split, config, output)
    elif windows_or_run and windows_or_run.is_dir():
        run = RunFolder(windows_or_run)
        check_run(run.folder)
        config = config if config_path else config_of(run)
        found = run_audit_run(run, config, output)
    elif windows_or_run and not windows_or_run.exists():
        raise FlarecastError(f"{windows_or_run}: expected windows.nc or a run's folder, found none")
    else:
        raise click.UsageError("name windows.nc and split.nc, or a run's folder, or --train and --test")
    for sentence in found.sentences():
        click.echo(sentence)
    if found.leaks and not config.train.allow_leaks:
        ctx.exit(1)
