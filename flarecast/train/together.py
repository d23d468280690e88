"""Trainings side by side: members that differ in their random numbers go through each epoch as one network.

Each is the training that it is alone, with validation, patience, averages, history and model folder of its
own; only the way through an epoch is shared (`stacked`), by those that are at the same place. Checkpoints of
all are one file, written when all have gone as far, so that a killed call goes on to the same bits.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any, Generic, TypeVar

import torch

from flarecast.batches import WindowTensors
from flarecast.train.checkpoint import NAME, OF_ANOTHER, write_checkpoint
from flarecast.train.epochs import Course
from flarecast.train.passes import EpochLosses, train_epoch
from flarecast.train.stacked import epoch_key, train_epoch_together
from flarecast.train.task import Beside, Task
from flarecast.train.training_state import State, Store, find_checkpoint

T = TypeVar("T")


class Runner(Generic[T]):
    """A training on its way, with the random numbers of torch that are its own.

    Attributes:
        wanted: Who is to go through an epoch, and on what; None once the training has ended.
        result: What came of it.
    """

    def __init__(self, course: Course[T], device: torch.device) -> None:
        self.course, self.device = course, device
        self.random = _random_numbers(device)
        self.wanted: tuple[State, Task] | None = None
        self.result: T | None = None
        self.go_on(None)

    def go_on(self, losses: EpochLosses | None) -> None:
        """Let the training go on to the next epoch that it wants, or to its end."""
        self.use_random_numbers()
        try:
            self.wanted = next(self.course) if losses is None else self.course.send(losses)
        except StopIteration as end:
            self.wanted, self.result = None, end.value
        self.keep_random_numbers()

    def use_random_numbers(self) -> None:
        """Let torch draw this training's random numbers."""
        torch.set_rng_state(self.random[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(self.random[1])

    def keep_random_numbers(self) -> None:
        """Remember how far torch has drawn them."""
        self.random = _random_numbers(self.device)


def train_together(
    starts: Sequence[Callable[[Beside], Course[T]]], store: Store, device: torch.device
) -> list[T]:
    """Run trainings side by side, inside `torch_state`.

    Args:
        starts: Begin a training each: of one model, the same windows and settings, with other random numbers.
        store: Where the checkpoint of all goes; it stays until `finish` has written the models.
        device: Where they train.

    Returns:
        What came of each.

    Raises:
        FlarecastError: As the trainings.
    """
    contents = find_checkpoint(store) or {}
    with ExitStack() as opened:
        runners: list[Runner[T]] = []
        tensors: WindowTensors | None = None
        for start in starts:
            course = start(Beside(len(starts), tensors, contents))
            runners.append(Runner(opened.enter_context(closing(course)), device))
            if tensors is None and runners[-1].wanted is not None:
                tensors = runners[-1].wanted[1].natural.tensors
        if contents and all(runner.wanted and not runner.wanted[0].epoch for runner in runners):
            store.say(f"{store.folder / NAME}: {OF_ANOTHER}; training starts anew")
            contents.clear()
        while any(runner.wanted for runner in runners):
            for group in _at_the_same_place(runners, tensors):
                _go_through_an_epoch(group)
            write_checkpoint(store.folder / NAME, contents, store.identity)
    return [runner.result for runner in runners if runner.result is not None]


def _go_through_an_epoch(group: Sequence[Runner[Any]]) -> None:
    """Let some go through an epoch as one, with the random numbers of the first, and then each go on."""
    wanted = [runner.wanted for runner in group if runner.wanted is not None]
    group[0].use_random_numbers()
    if len(group) == 1:
        losses = [train_epoch(*wanted[0])]
    else:
        losses = train_epoch_together([state for state, _ in wanted], [task for _, task in wanted])
    group[0].keep_random_numbers()
    for runner, own in zip(group, losses, strict=True):
        runner.go_on(own)


def _at_the_same_place(runners: Sequence[Runner[T]], tensors: WindowTensors | None) -> list[list[Runner[T]]]:
    """Those under way by what their next epoch has in common; whose windows lie elsewhere goes alone."""
    groups: dict[Any, list[Runner[T]]] = {}
    for number, runner in enumerate(runners):
        if runner.wanted is not None:
            apart = number if runner.wanted[1].train.tensors is not tensors else None
            groups.setdefault((apart, *epoch_key(*runner.wanted)), []).append(runner)
    return list(groups.values())


def _random_numbers(device: torch.device) -> tuple[torch.Tensor, ...]:
    """State of the random numbers of the CPU, and of the device if it is CUDA's."""
    on_cuda = device.type == "cuda"
    return torch.get_rng_state(), *([torch.cuda.get_rng_state()] if on_cuda else [])
