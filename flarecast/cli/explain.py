"""`flarecast explain`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT_FOLDER, config_options, device_option, say, talk_options


@click.command("explain")
@click.argument("inputs", type=IN, nargs=-1, required=True, metavar="RUN_DIR | WINDOWS MODEL_DIR")
@click.option("--split", "split_path", type=IN, help="split.nc that gives the windows of MODEL_DIR roles.")
@click.option("--role", help="Role to look at, or all; default calibration, else validation.")
@click.option(
    "--window",
    "named",
    multiple=True,
    metavar="N|REGION@TIME",
    help="Integrated gradients of this window instead of importance; may be given again.",
)
@click.option(
    "--top", type=click.IntRange(min=0), default=0, help="... of so many with the highest probability."
)
@click.option("--event", default="", help="... of this event; default M1.0, else the first.")
@config_options
@click.option(
    "-o", "--output", type=OUT_FOLDER, required=True, help="Folder of tables and pictures to write."
)
@device_option
@talk_options
def command(
    inputs: tuple[Path, ...],
    split_path: Path | None,
    role: str | None,
    named: tuple[str, ...],
    top: int,
    event: str,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path,
    device: str,
) -> None:
    """What forecasts hang on: permutation importance, or integrated gradients of single windows.

    Importance permutes each feature, group of features and span of time steps between whole regions and says
    how much skill is lost, for any model. With --window or --top the log odds of single forecasts are shared
    out among features and steps, for networks. A look at the test role of a run is recorded for its audit.
    """
    if len(inputs) > 2 or (len(inputs) == 1 and split_path):
        raise click.UsageError("name a run's folder, or windows.nc and a model's folder (then --split, too)")
    if event and not (named or top):
        raise click.UsageError("--event belongs to --window and --top; importance is that of all events")
    from flarecast.config import load_config
    from flarecast.explain import open_explained
    from flarecast.explain.explaining import write_explanation
    from flarecast.explain.tables import told

    path = config_path or (inputs[0] / "config.toml" if len(inputs) == 1 else None)
    explained = open_explained(inputs, split_path, role, device)
    content = write_explanation(explained, load_config(path, changes), output, event, named, top)
    for line in told(content):
        click.echo(line)
    single = bool(named or top)  # shares are of what the network itself says
    raw = single or explained.parts[0].calibration is None
    n_windows = len(content["records"]) if single else sum(part.index.size for part in explained.parts)
    kind = "raw, not calibrated" if raw else "calibrated"
    say(f"{output}: {n_windows:,} windows of role {explained.role}, {kind}")
