"""A variational last layer: independent Gaussians of its numbers, fitted by the evidence lower bound (ELBO).

The network below is as it was trained. The outputs of the layer are drawn, not its weights (the local
reparameterisation), and the Kullback-Leibler term grows from 0 to its full weight over the first `warm_up` of
the epochs, so that the layer learns before it forgets.

Logits of the classes are known in their differences alone. Were each drawn by itself, the differences would
spread too much, up to twice in variance; so what has a prior and is drawn are differences from the lowest.

Source: Blundell et al. (2015), arXiv 1505.05424; Kingma et al. (2015), arXiv 1506.02557; warm-up from
    Sonderby et al. (2016), arXiv 1602.02282, section 2.3.
"""

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
    mean.requires_grad_()
    log_spread = torch.full_like(mean, FIRST_SPREAD).log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_spread], lr=learning_rate)
    steps = max(LEAST_STEPS, epochs * -(-len(embedded.low) // BATCH))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    link, inputs = link_of(head), embedded.with_one
    places = _batches(len(inputs), steps, generator)
    for nth, place in enumerate(places):
        optimizer.zero_grad()
        here = inputs[place.to(inputs.device)]
        spread = (here.square() @ (2 * log_spread).exp().T).sqrt()
        noise = torch.randn(spread.shape, generator=generator, dtype=torch.float64).to(spread)
        said = link(pad(here @ mean.T + spread * noise, (n_lowest, 0)))
        chosen = place.to(embedded.low.device)
        fit = embedded.weight[chosen] * log_likelihood(said, embedded.low[chosen], embedded.high[chosen])
        distance = divergence(mean, log_spread, start, prior_scale)
        loss = (
            weight_of_divergence((nth + 1) / steps, warm_up) * distance / (independent * len(inputs))
            - fit.mean()
        )
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        falling.step()
    noise = torch.randn((n, *mean.shape), generator=generator, dtype=torch.float64).to(mean)
    drawn = mean.detach() + log_spread.detach().exp() * noise
    return [with_numbers(head, pad(one, (0, 0, n_lowest, 0))) for one in drawn]


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
