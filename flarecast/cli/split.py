"""`flarecast split`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, sunspots_option, talk_options


@click.command("split")
@click.argument("windows", type=IN)
@config_options
@click.option("-o", "--output", type=OUT, required=True, help="split.nc to write.")
@click.option("--plot", "picture", type=OUT, help="Picture to write, .png, .svg or .pdf: roles over time.")
@sunspots_option
@talk_options
def command(
    windows: Path,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path,
    picture: Path | None,
    sunspots: Path | None,
) -> None:
    """Give every window a role: train, validation, calibration, test or unused."""
    import numpy as np

    from flarecast.chain import check_parts, run_split
    from flarecast.config import load_config
    from flarecast.describe import check_name, plot_split
    from flarecast.schema import ROLES
    from flarecast.windows import open_windows

    if sunspots and not picture:
        raise click.UsageError("--sunspots goes with --plot")
    if picture:
        check_name(picture)
    config = load_config(config_path, changes)
    check_parts(config)
    split = run_split(windows, config, output)
    names = str(split.attrs.get("fold_names", "")).splitlines()
    for fold, role in enumerate(split["role"].values):
        counts = np.bincount(role, minlength=len(ROLES))
        text = ", ".join(f"{count:,} {name}" for name, count in zip(ROLES, counts, strict=True))
        where = f" fold {fold} ({names[fold]})" if len(names) > 1 else ""
        say(f"{output}:{where} {text}")
    if "warning" in split.attrs:
        say(f"{output}: warning: {split.attrs['warning']}")
    if picture:
        plot_split(open_windows(windows), split, picture, config.balanced_event, sunspots)
        say(f"{picture}: roles of {output} over time")
