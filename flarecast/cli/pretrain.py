"""`flarecast pretrain`."""

from pathlib import Path

import click

from flarecast.cli.options import epoch_progress, fitting_options, say, talk_options


@click.command("pretrain")
@fitting_options("Folder of encoders to write.")
@talk_options
def command(
    windows: Path, split: Path, config_path: Path | None, changes: tuple[str, ...], output: Path, device: str
) -> None:
    """Teach the model's encoder on windows without their outcomes, in every fold; test windows are left out.

    `[pretrain]` names the task, masked or contrastive. `train.init_from = "FOLDER"` starts a training there;
    with `train.frozen = ["encoder"]` the head alone is trained. A killed pretraining goes on from its
    last epoch when the same command is given again. docs/few_labels.md
    """
    from flarecast.config import load_config
    from flarecast.pretraining.running import run_pretrain
    from flarecast.resources import Resources

    config = load_config(config_path, changes)
    with epoch_progress() as progress:
        start = run_pretrain(windows, split, config, output, Resources(device, 1, progress, say))
    said = start.training
    losses = f"loss {said['loss_first']:.3f} at first, {said['loss_last']:.3f} at last"
    seen = f"{said['windows']:,} windows without outcomes"
    say(f"{output}: {start.model_name}, {said['task']}, {seen}, {losses}")
