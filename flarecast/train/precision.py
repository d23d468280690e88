"""How exactly a network is computed, and torch's own state while it is trained.

`float32` is full single precision, also where CUDA has something faster. `tf32` rounds the factors of matrix
products to 10 bits of fraction, `bf16` lets autocast compute them, and what follows, in 7 bits (weights,
losses and batch-norm statistics stay float32). Both are CUDA's: elsewhere all is float32.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from flarecast.batches import cpu_threads
from flarecast.config import Config
from flarecast.config.sections import Train

PRECISIONS = ("float32", "tf32", "bf16")


def precision_on(device: torch.device, asked: str) -> str:
    """Precision that a device computes in, of the one asked for."""
    return asked if device.type == "cuda" else "float32"


def casting(device: torch.device, precision: str) -> torch.autocast:
    """Autocast to bfloat16 inside the block, where the precision is bf16."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def compiled_forward(module: nn.Module, say: Callable[[str], object]) -> Callable[[Tensor, Tensor], Tensor]:
    """What computes a network's output by a program that torch makes of it; the network itself if it cannot.

    The weights are the network's own. A program is made at the first call, and for other sizes of a batch.

    Args:
        module: The network.
        say: Told why it is not compiled, once.
    """
    made: list[Callable[[Tensor, Tensor], Tensor]] = []

    def forward(steps: Tensor, last_class: Tensor) -> Tensor:
        if module not in made:
            try:
                made[:] = made or [torch.compile(module)]
                return made[0](steps, last_class)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # torch and the compilers behind it raise many kinds
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
                say(f"train.compile: the network could not be compiled ({reason}); it is computed as it is")
                made[:] = [module]
        output: Tensor = module(steps, last_class)
        return output

    return forward


@contextmanager
def matrix_products(precision: str) -> Iterator[None]:
    """Let CUDA multiply matrices in TF32 inside the block, or not; torch's defaults differ by operation."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
        torch.backends.cudnn.allow_tf32 = precision != "float32"
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


@contextmanager
def deterministic_algorithms(asked: bool, device: torch.device) -> Iterator[None]:
    """Let torch use deterministic algorithms alone inside the block, if asked; put all back afterwards.

    Without them CUDA chooses the fastest algorithm by trying, and two trainings differ in their last digits.
    On the CPU nothing changes.
    """
    on_cuda = device.type == "cuda"
    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    cudnn = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    try:
        torch.use_deterministic_algorithms(asked)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = not asked, asked
        if on_cuda and workspace is None:  # cuBLAS is deterministic only with a workspace of fixed size
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = cudnn
        if on_cuda and workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@contextmanager
def seeded(seed: int, device: torch.device, threads: int) -> Iterator[None]:
    """Seed torch's random numbers and set its threads inside the block; both are put back."""
    with torch.random.fork_rng(devices=devices_of(device)), cpu_threads(threads):
        torch.manual_seed(seed)
        yield


def devices_of(device: torch.device) -> list[int]:
    """Numbers of the CUDA devices whose random numbers a training on a device draws."""
    return [torch.cuda.current_device()] if device.type == "cuda" else []


def seed_training(config: Config) -> torch.Generator:
    """Seed torch for a training; returns the generator of the order of windows."""
    seeds = config.generator("train").integers(2**62, size=2)
    torch.manual_seed(int(seeds[0]))
    return torch.Generator().manual_seed(int(seeds[1]))


@contextmanager
def torch_state(settings: Train, device: torch.device) -> Iterator[None]:
    """Say how torch computes, and on how many threads; its global state is put back afterwards."""
    with (
        torch.random.fork_rng(devices=devices_of(device)),
        cpu_threads(settings.threads),
        deterministic_algorithms(settings.deterministic, device),
        matrix_products(precision_on(device, settings.precision)),
    ):
        yield
