"""Who trains what: this process, several that it starts, or those of torchrun; one model, or some as one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import xarray as xr

from flarecast.batches import choose_device
from flarecast.config import Config
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.memory import enough_memory
from flarecast.model_file import TrainedModel
from flarecast.resources import ALONE_IN_TRAINING, Resources, end_with_parent
from flarecast.schema import SPLIT, open_file
from flarecast.train.checkpoint import identity
from flarecast.train.course import course_of, finish
from flarecast.train.epochs import Course
from flarecast.train.precision import torch_state
from flarecast.train.processes import wait_for_all
from flarecast.train.stage import How, check_parts, train
from flarecast.train.task import Beside, Plan
from flarecast.train.together import train_together
from flarecast.train.training_state import Store
from flarecast.windows import open_windows


@dataclass(frozen=True)
class Training:
    """One model of one fold: what to train on, how, and where it goes."""

    windows: Path
    split: Path
    config: Config
    fold: int
    folder: Path
    device: str = "auto"
    plan: Plan | None = None
    name: str = ""


Group = tuple[Training, ...]
"""A training, or some that go through their epochs as one."""


@dataclass(frozen=True)
class Opened:
    """Windows and their split, as read, and the hashes of their files."""

    windows: xr.Dataset
    split: xr.Dataset
    windows_sha256: str
    split_sha256: str


Read = Callable[[Path, Path], Opened]


def run_trainings(groups: list[Group], resources: Resources) -> None:
    """Train, in this process or in several.

    Raises:
        FlarecastError: As `train`, of the first training that failed, named.
    """
    apart = any(one.config.train.parallel == "trainings" for group in groups for one in group)
    read = cache(_read)  # trainings one after the other share what they read
    if resources.processes.size > 1 and apart:
        _share_out(groups, resources, read)
    elif resources.workers == 1 or len(groups) < 2:
        for group in groups:
            _train(group, resources, read)
    else:
        n_workers = min(resources.workers, len(groups))
        with ProcessPoolExecutor(n_workers, get_context("spawn"), end_with_parent) as pool:
            for said in pool.map(_train_apart, groups):
                for sentence in said:
                    resources.say(sentence)


def _share_out(groups: list[Group], resources: Resources, read: Read) -> None:
    """Train every n-th in this process, the others in the other n - 1, and wait for them.

    Raises:
        FlarecastError: One failed, here or elsewhere.
    """
    processes, failed = resources.processes, ""
    for group in groups[processes.rank :: processes.size]:
        try:
            _train(group, replace(resources, processes=ALONE_IN_TRAINING), read)
        except FlarecastError as error:
            failed = str(error)
            break
    failed = wait_for_all(processes, failed)
    if failed:
        raise FlarecastError(failed)


def _train_apart(group: Group) -> list[str]:
    """Train in a process of its own; what a user should know of it."""
    said: list[str] = []
    _train(group, Resources(say=said.append), _read)
    return said


def _train(group: Group, resources: Resources, read: Read) -> None:
    """Train one model, or several as one; each one after the other where processes train a model together."""
    if len(group) > 1 and resources.processes.size == 1:
        _train_as_one(group, resources, read)
        return
    for training in group:
        opened = read(training.windows, training.split)
        with _named(training):
            train(opened.windows, opened.split, training.config, **_how(training, opened, resources))


@enough_memory(
    "the windows and a batch of them for each member",
    "lower train.batch_size or set ensemble.options.stacked to never, or use --device cpu",
)
def _train_as_one(group: Group, resources: Resources, read: Read) -> None:
    """Train several models whose epochs are gone through as one; the last is written last."""
    last = group[-1]
    check_parts(last.config)
    device = choose_device(last.device)
    opened = read(last.windows, last.split)

    def start(training: Training, beside: Beside) -> Course[TrainedModel]:
        with _named(training):
            how = _how(training, opened, resources)
            course = course_of(opened.windows, opened.split, training.config, beside=beside, **how)
            return (yield from course)

    store = Store(last.folder, identity({"side by side": len(group)}), resources.say)  # each knows its own
    with torch_state(last.config.train, device):
        models = train_together([partial(start, training) for training in group], store, device)
    for training, model in zip(group, models, strict=True):
        finish(model, training.folder)


def _read(windows: Path, split: Path) -> Opened:
    """Read windows and their split."""
    return Opened(open_windows(windows), open_file(split, SPLIT), sha256(windows), sha256(split))


def _how(training: Training, opened: Opened, resources: Resources) -> How:
    """What `train` is told beside windows, split and configuration."""
    return How(
        folder=training.folder,
        device=training.device,
        fold=training.fold,
        plan=training.plan,
        windows_sha256=opened.windows_sha256,
        split_sha256=opened.split_sha256,
        progress=resources.progress,
        say=resources.say,
        processes=resources.processes,
        keep_finished=True,
    )


@contextmanager
def _named(training: Training) -> Iterator[None]:
    """Let an error say which training it was."""
    try:
        yield
    except FlarecastError as error:
        if training.name in ("", "model"):
            raise
        raise FlarecastError(f"{training.name}: {error}") from error
