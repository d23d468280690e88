"""`flarecast split`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, talk_options


@click.command("split")
@click.argument("windows", type=IN)
@config_options
@click.option("-o", "--output", type=OUT, required=True, help="split.nc to write.")
@talk_options
def command(windows: Path, config_path: Path | None, changes: tuple[str, ...], output: Path) -> None:
    """Give every window a role: train, validation, calibration, test or unused."""
    import numpy as np

    from flarecast.chain import check_parts, run_split
    from flarecast.config import load_config
    from flarecast.schema import ROLES

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
