"""`flarecast train`."""

from pathlib import Path

import click

from flarecast.cli.options import epoch_progress, fitting_options, say, talk_options, workers_option


@click.command("train")
@fitting_options("Model folder to write.")
@workers_option
@talk_options
def command(
    windows: Path,
    split: Path,
    config_path: Path | None,
    changes: tuple[str, ...],
    output: Path,
    device: str,
    workers: int,
) -> None:
    """Fit the model, and its rivals, on the train role of every fold; a leaking split is refused.

    A killed training goes on from its last epoch when the same command is given again. Several GPUs or
    machines: torchrun --nproc-per-node N -m flarecast train ... (docs/training.md).
    """
    from flarecast.chain import check_parts, run_train
    from flarecast.config import load_config
    from flarecast.resources import Resources
    from flarecast.train.processes import FIRST, joined

    config = load_config(config_path, changes)
    check_parts(config, deep=True)
    with joined(device) as processes:
        tell = say if processes.rank == FIRST else str
        with epoch_progress(shown=processes.rank == FIRST) as progress:
            resources = Resources(device, workers, progress, tell, processes)
            model = run_train(windows, split, config, output, resources)
        tell(f"{output}: {model.model_name} for {', '.join(model.events)}")
