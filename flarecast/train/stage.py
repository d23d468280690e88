"""windows.nc and split.nc -> a trained model: everything that is fitted, is fitted here, on the train role.

The validation role decides when to stop and which weights to keep. Of windows of other roles only the
outcomes that were over when a train or validation window was issued are looked at. The caller audits first.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Required, TypedDict, Unpack

import xarray as xr
from torch import nn

from flarecast import scale
from flarecast.balance import BALANCERS
from flarecast.batches import choose_device
from flarecast.config import Config, check_options
from flarecast.ensembles import as_trained, check_ensemble, skeleton
from flarecast.errors import FlarecastError, choose
from flarecast.memory import enough_memory
from flarecast.model_file import TrainedModel
from flarecast.models.head import check_trained
from flarecast.resources import ALONE_IN_TRAINING, Processes
from flarecast.selection import SELECTIONS, check_selection
from flarecast.train.averaging_phase import build_averaging, check_averaging, phases
from flarecast.train.course import course_of, finish
from flarecast.train.epochs import Progress, run_alone
from flarecast.train.frozen import freeze
from flarecast.train.gradient import build_optimizer, build_schedule, check_parts_add_up
from flarecast.train.precision import torch_state
from flarecast.train.prepare import chosen_loss
from flarecast.train.processes import FIRST, wait_for_all
from flarecast.train.task import Plan


def check_parts(config: Config) -> None:
    """Check the names and options of all that training uses, before any data are read.

    Raises:
        FlarecastError: An unknown part or option.
    """
    choose("scale.name", config.scale.name, scale.SCALES)
    chosen_loss(config)
    module = skeleton(config)
    check_ensemble(config)
    settings = as_trained(config).train
    build_optimizer(nn.LayerNorm(1).parameters(), settings)  # of weights that no random number starts
    build_schedule(settings, phases(settings)[0])
    check_parts_add_up(settings)
    if hasattr(module, "fit_directly"):
        _check_direct(config)
    else:
        check_averaging(settings)
        check_trained(module.head)  # type: ignore[arg-type]
        freeze(module, settings.frozen)
    if config.model.select is not None:
        choose("model.select", config.model.select, SELECTIONS)
    check_options(check_selection, config.model.select_options, "model.select_options")
    balancer = choose("balance.name", config.balance.name, BALANCERS)
    check_options(balancer, config.balance.options, "balance.options")


def _check_direct(config: Config) -> None:
    """Make sure that nothing is asked of a model fitted directly that only descent can give.

    Averages but of SWAG change nothing there, so they need not fit into the epochs.
    """
    averaging = build_averaging(config.train)
    asked = {
        "train.init_from": (config.train.init_from is not None, "leave it out"),
        "train.frozen": (bool(config.train.frozen), "leave it out"),
        "balance.name logit_adjustment": (config.balance.name == "logit_adjustment", "use class_weights"),
        f"train.averaging {config.train.averaging}": (
            averaging is not None and averaging.members > 0,
            "set train.averaging to none",
        ),
    }
    for what, (wanted, instead) in asked.items():
        if wanted:
            raise FlarecastError(
                f"{what}: expected a model that is fitted by gradient, got {config.model.name}; {instead}"
            )


class How(TypedDict, total=False):
    """How and where a model is trained.

    Attributes:
        folder: Where model.safetensors, history.jsonl and, last, model.json go.
        device: auto, cpu or cuda.
        fold: Fold of the split.
        plan: How long to train where the fold has no validation role.
        windows_sha256: Hash of the windows file, part of what a checkpoint belongs to.
        split_sha256: Hash of the split file, likewise.
        progress: Called after each epoch with epochs done, epochs planned, and the line of the history.
        say: Told sentences that a user should know.
        processes: Those that train the model together; the first writes.
        keep_finished: Whether the model of the very same training, where the folder holds it, is kept.
    """

    folder: Required[Path]
    device: str
    fold: int
    plan: Plan | None
    windows_sha256: str
    split_sha256: str
    progress: Progress | None
    say: Callable[[str], object]
    processes: Processes
    keep_finished: bool


@enough_memory(
    "the windows and a batch of them", "lower train.device_share or train.batch_size, or use --device cpu"
)
def train(windows: xr.Dataset, split: xr.Dataset, config: Config, **how: Unpack[How]) -> TrainedModel:
    """Fit a model and write its folder; a killed call goes on from its last epoch when repeated.

    On CPU the same call gives the same weights to the bit, killed or not, with the same number of threads and
    the same versions. On CUDA deterministic algorithms are asked for, unless `train.deterministic` is false.

    Args:
        windows: A windows Dataset.
        split: Its split.
        config: Sections run, scale, balance, model and train, and the events, are used.
        how: See `How`.

    Raises:
        FlarecastError: No such part, option or device; no usable window in train or validation; a loss that
            is not finite; a folder that cannot be written.
    """
    check_parts(config)
    with torch_state(config.train, choose_device(how.get("device", "auto"))):
        model = run_alone(course_of(windows, split, config, **how))
    processes = how.get("processes", ALONE_IN_TRAINING)
    if processes.rank == FIRST:
        finish(model, how["folder"])
    wait_for_all(processes)
    return model
