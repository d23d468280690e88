"""`flarecast calibrate`."""

from pathlib import Path

import click

from flarecast.cli.options import IN, OUT, config_options, say, talk_options


@click.command("calibrate")
@click.argument("forecasts", type=IN)
@config_options
@click.option(
    "-o", "--output", type=OUT, required=True, help="calibrated.nc to write; calibration.json goes beside."
)
@talk_options
def command(forecasts: Path, config_path: Path | None, changes: tuple[str, ...], output: Path) -> None:
    """Undo the prior that balancing moved, then mend probabilities on the calibration role."""
    from flarecast.calibrate import remarks
    from flarecast.chain import check_parts, run_calibrate
    from flarecast.config import load_config
    from flarecast.files import read_json

    config = load_config(config_path, changes)
    check_parts(config)
    run_calibrate(forecasts, config, output)
    numbers = output.parent / "calibration.json"
    for sentence in remarks(read_json(numbers)):
        say(sentence)
    how = config.calibrate.name
    how += "" if config.calibrate.update == "none" else f", kept up to date by {config.calibrate.update}"
    say(f"{output}: calibrated by {how}; numbers in {numbers}")
