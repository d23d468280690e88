"""A sparse variational Gaussian process on the embedding, a function an event; wants the extra `gp`.

A function is the log odds of an event given the event below. Windows tell of each by itself, so that the
posterior, in which functions are independent, need not be wider than the truth: logits of the classes are
known in their differences alone. gpytorch fits the kernel and the distribution of the functions at the
inducing points by the evidence lower bound; a prior of the kernel's variance keeps few windows from choosing
functions that are flat, and sure of it. Functions are then drawn from it by pathwise conditioning and kept as
plain numbers, so that forecasts need no gpytorch. Far from all training windows a draw goes back to the
prior, so doubt grows there, which the linear heads cannot do.

Source: Hensman et al. (2015), arXiv 1411.2005; Wilson et al. (2020), arXiv 2002.09309.
"""

import warnings
from dataclasses import replace
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from flarecast.ensembles.bayes.embedding import Embedded, log_likelihood
from flarecast.errors import FlarecastError
from flarecast.models.head import INDUCING, WAVES, FunctionHead, nested_link, nested_log_odds
from flarecast.models.shape import Shape

BATCH = 256
LEAST_STEPS = 500
JITTER = 1e-4
"""Added to the kernel's diagonal at the inducing points."""

VARIANCE, LOG_SPREAD = 2.0, 1.0
"""Prior of the kernel's variance: its median (odds vary 4 times either way) and the spread of its log."""

LEAST_SPREAD = 1e-6


def draw_heads(  # noqa: PLR0913  (the signature is that of every posterior)
    head: nn.Module,
    embedded: Embedded,
    prior: Tensor,
    n: int,
    generator: torch.Generator,
    *,
    epochs: int,
    learning_rate: float,
    independent: float,
) -> list[FunctionHead]:
    """Draw functions from the process.

    Args:
        head: The trained head, whose place they take.
        embedded: The training windows.
        prior: Class priors that the head started at, shape (class,): the functions' mean far from all data.
        n: How many to draw.
        generator: On the CPU.
        epochs: Passes over the windows, 500 steps at least.
        learning_rate: Of Adam; it falls to 0 along a cosine.
        independent: Share of the windows that count as independent of each other.

    Raises:
        FlarecastError: gpytorch is not installed.
    """
    del head
    device = embedded.hidden.device
    centre = embedded.hidden.mean(dim=0)
    spread = embedded.hidden.std(dim=0, correction=0).clamp_min(LEAST_SPREAD)
    placed = (embedded.hidden - centre) / spread
    inducing = placed[torch.randint(len(placed), (INDUCING,), generator=generator).to(device)]
    mean = nested_log_odds(prior.double()).to(device)
    how = epochs, learning_rate, independent
    process = _fit(replace(embedded, hidden=placed), inducing, mean, generator, how)
    drawn = [_draw(process, mean, generator) for _ in range(n)]
    heads = []
    for numbers in drawn:
        made = FunctionHead(placed.shape[1], Shape(0, 0, len(prior))).to(device)
        for name, value in {"centre": centre, "spread": spread, **numbers}.items():
            getattr(made, name).copy_(value)
        heads.append(made)
    return heads


def require_gpytorch() -> ModuleType:
    """gpytorch, where it is installed.

    Raises:
        FlarecastError: It is not; the message says how to have it.
    """
    try:
        with warnings.catch_warnings():  # a dependency of it uses what torch has deprecated
            warnings.simplefilter("ignore", DeprecationWarning)
            import gpytorch
    except ImportError as error:
        raise FlarecastError(
            "ensemble.name gp: expected gpytorch, found none; install it by pip install 'flarecast[gp]'"
        ) from error
    module: ModuleType = gpytorch
    return module


def _fit(
    embedded: Embedded,
    inducing: Tensor,
    mean: Tensor,
    generator: torch.Generator,
    how: tuple[int, float, float],
) -> Any:
    """The process with the best lower bound of the evidence, its kernel and distribution fitted together.

    Raises:
        ArithmeticError: The bound is not finite.
    """
    epochs, learning_rate, independent = how
    process = _process(require_gpytorch(), inducing, len(mean))
    optimizer = torch.optim.Adam(process.parameters(), lr=learning_rate)
    n = len(embedded.low)
    steps = max(LEAST_STEPS, epochs * -(-n // BATCH))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    process.train()
    for _ in range(steps):
        place = torch.randint(n, (min(BATCH, n),), generator=generator).to(inducing.device)
        optimizer.zero_grad()
        functions = process(embedded.hidden[place])
        noise = torch.randn(functions.mean.shape, generator=generator, dtype=torch.float64).to(inducing)
        said = mean + (functions.mean + functions.variance.sqrt() * noise).T
        fit = embedded.weight[place] * log_likelihood(
            nested_link(said), embedded.low[place], embedded.high[place]
        )
        distance = process.variational_strategy.kl_divergence().sum() + _surprise(process.covar_module)
        loss = distance / (independent * n) - fit.mean()
        if not loss.isfinite():
            raise ArithmeticError
        loss.backward()
        optimizer.step()
        falling.step()
    return process.eval()


def _surprise(kernel: Any) -> Tensor:
    """Negative log density of a kernel's variance under its prior, without its constant [nat]."""
    surprise: Tensor = 0.5 * ((kernel.outputscale / VARIANCE).log() / LOG_SPREAD).square()
    return surprise


def _process(gpytorch: ModuleType, inducing: Tensor, n_functions: int) -> Any:
    """Functions of one kernel, independent of each other before any data."""
    batch = torch.Size([n_functions])

    class Process(gpytorch.models.ApproximateGP):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            distribution = gpytorch.variational.CholeskyVariationalDistribution(
                len(inducing), batch_shape=batch, mean_init_std=0.0
            )
            strategy = gpytorch.variational.VariationalStrategy(
                self, inducing, distribution, learn_inducing_locations=False, jitter_val=JITTER
            )
            super().__init__(strategy)
            self.mean_module = gpytorch.means.ZeroMean(batch_shape=batch)
            self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())
            self.covar_module.base_kernel.lengthscale = inducing.shape[1] ** 0.5

        def forward(self, placed: Tensor) -> Any:
            covariance = self.covar_module(placed)
            return gpytorch.distributions.MultivariateNormal(self.mean_module(placed), covariance)

    return Process().to(inducing)


@torch.no_grad()
def _draw(process: Any, mean: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Numbers of one `FunctionHead`: waves drawn from the prior, bent to values at the inducing points."""
    kernel, strategy = process.covar_module, process.variational_strategy
    inducing = strategy.inducing_points.detach()
    length, variance = kernel.base_kernel.lengthscale.squeeze(), kernel.outputscale
    n, size = inducing.shape

    def noise(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator, dtype=torch.float64).to(inducing)

    frequency = noise(WAVES, size) / length
    turn = torch.rand(WAVES, generator=generator, dtype=torch.float64).to(inducing)
    phase = 2 * torch.pi * turn
    amplitude = (2 * variance / WAVES).sqrt() * noise(WAVES, len(mean))
    before = torch.cos(inducing @ frequency.T + phase) @ amplitude
    near = torch.exp(-0.5 * (torch.cdist(inducing, inducing) / length).square())
    covariance = variance * near + JITTER * torch.eye(n).to(inducing)
    distribution = strategy._variational_distribution
    root = distribution.chol_variational_covar.tril()
    white = distribution.variational_mean + (root @ noise(len(mean), n, 1)).squeeze(-1)
    values = torch.linalg.cholesky(covariance) @ white.T
    return {
        "frequency": frequency,
        "phase": phase,
        "amplitude": amplitude,
        "inducing": inducing,
        "length": length,
        "pull": variance * torch.linalg.solve(covariance, values - before),
        "mean": mean,
    }
