"""A variational last layer: independent Gaussians of its numbers, fitted by the evidence lower bound (ELBO).

The network below is as it was trained. The outputs of the layer are drawn, not its weights (the local
reparameterisation), and the Kullback-Leibler term grows from 0 to its full weight over the first `warm_up` of
the epochs, so that the layer learns before it forgets.

Logits of the classes are known in their differences alone. Were each drawn by itself, the differences would
spread too much, up to twice in variance; so what has a prior and is drawn are differences from the lowest.

Source: Blundell et al. (2015), arXiv 1505.05424; Kingma et al. (2015), arXiv 1506.02557; warm-up from
    Sonderby et al. (2016), arXiv 1602.02282, section 2.3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from flarecast.ensembles.bayes.embedding import (
    Embedded,
    link_of,
    log_likelihood,
    numbers_of,
    start_of,
    with_numbers,
)
from flarecast.models.head import ClassHead

BATCH = 256
LEAST_STEPS = 500
"""Steps of the optimiser at least, whatever the epochs: few windows make short epochs."""

FIRST_SPREAD = 0.05
"""Standard deviation that every number starts with."""


def draw_heads(  # noqa: PLR0913  (the signature is that of every posterior)
    head: nn.Linear,
    embedded: Embedded,
    prior: Tensor,
    n: int,
    generator: torch.Generator,
    *,
    prior_scale: float,
    epochs: int,
    warm_up: float,
    learning_rate: float,
    independent: float,
) -> list[nn.Linear]:
    """Draw heads from the Gaussians.

    Args:
        head: The trained head, where the means start.
        embedded: The training windows.
        prior: Class priors that the head started at, shape (class,).
        n: How many to draw.
        generator: On the CPU.
        prior_scale: Standard deviation around the start of each number, of a class's logit less the lowest's.
        epochs: Passes over the windows, 500 steps at least.
        warm_up: Share of them in which the Kullback-Leibler term grows.
        learning_rate: Of Adam; it falls to 0 along a cosine.
        independent: Share of the windows that count as independent of each other.
    """
    n_lowest = int(isinstance(head, ClassHead))  # whose logit is 0
    start, mean = (
        numbers[n_lowest:] - n_lowest * numbers[:1] for numbers in (start_of(head, prior), numbers_of(head))
    )
    layer = _Gaussians(mean.requires_grad_(), torch.full_like(mean, FIRST_SPREAD).log().requires_grad_())
    optimizer = torch.optim.Adam([layer.mean, layer.log_spread], lr=learning_rate)
    steps = max(LEAST_STEPS, epochs * -(-len(embedded.low) // BATCH))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    link, inputs = link_of(head), embedded.with_one
    for nth, place in enumerate(_batches(len(inputs), steps, generator)):
        optimizer.zero_grad()
        said = link(pad(layer.draw_outputs(inputs[place.to(inputs.device)], generator), (n_lowest, 0)))
        chosen = place.to(embedded.low.device)
        fit = embedded.weight[chosen] * log_likelihood(said, embedded.low[chosen], embedded.high[chosen])
        distance = divergence(layer.mean, layer.log_spread, start, prior_scale)
        counted = weight_of_divergence((nth + 1) / steps, warm_up) * distance / (independent * len(inputs))
        loss = counted - fit.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()
    drawn = layer.draw(n, generator)
    return [with_numbers(head, pad(one, (0, 0, n_lowest, 0))) for one in drawn]


@dataclass(frozen=True)
class _Gaussians:
    """Independent Gaussians of a layer's numbers: mean and log of the spread, shape (output, size + 1)."""

    mean: Tensor
    log_spread: Tensor

    def draw_outputs(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Outputs for windows, shape (n, output), of inputs (n, size + 1): the local reparameterisation."""
        spread = (inputs.square() @ (2 * self.log_spread).exp().T).sqrt()
        return inputs @ self.mean.T + spread * _noise(spread.shape, generator).to(spread)

    @torch.no_grad()
    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Numbers of `n` layers, shape (n, output, size + 1)."""
        noise = _noise((n, *self.mean.shape), generator).to(self.mean)
        return self.mean + self.log_spread.exp() * noise


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Standard normal numbers, on the CPU, float64."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def weight_of_divergence(done: float, warm_up: float) -> float:
    """Weight of the Kullback-Leibler term by the share of steps done: straight from 0 to 1 at `warm_up`."""
    return min(1.0, done / warm_up) if warm_up > 0 else 1.0


def divergence(mean: Tensor, log_spread: Tensor, start: Tensor, scale: float) -> Tensor:
    """Kullback-Leibler divergence of the Gaussians from the prior N(start, scale^2), summed [nat]."""
    ratio = (2 * log_spread).exp() / scale**2
    return 0.5 * (ratio + (mean - start).square() / scale**2 - 1 - ratio.log()).sum()


def _batches(n: int, steps: int, generator: torch.Generator) -> list[Tensor]:
    """Places of the windows of each step, all windows once before any comes again."""
    found: list[Tensor] = []
    while len(found) < steps:
        found += torch.split(torch.randperm(n, generator=generator), BATCH)
    return found[:steps]
