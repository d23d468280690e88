"""Laplace's approximation of the last layer: a Gaussian at the trained weights, as wide as the data allow.

The curvature is the Fisher information of the head's outputs (the generalised Gauss-Newton matrix), exact for
the linear layer that a head is. The prior is a Gaussian around the head that knows the class priors alone;
its precision is the one that makes the training windows most likely (the evidence), unless it is given.

Overlapping windows are near copies of each other and are counted as if they were not, so the range is too
narrow; `independent` says what share of them counts.

Source: MacKay (1992), Neural Computation 4, 448 and 720; Daxberger et al. (2021), arXiv 2106.14806.
"""

import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from flarecast.ensembles.bayes.embedding import Embedded, link_of, numbers_of, start_of, with_numbers

PRECISIONS = (1e-4, 1e8)
"""Limits of the precision that the evidence chooses: where data say nothing of it, it would run away."""

STEPS = 200
BATCH = 4096


def draw_heads(  # noqa: PLR0913  (the signature is that of every posterior)
    head: nn.Linear,
    embedded: Embedded,
    prior: Tensor,
    n: int,
    generator: torch.Generator,
    *,
    prior_precision: float | None,
    independent: float,
) -> list[nn.Linear]:
    """Draw heads from the Gaussian.

    Args:
        head: The trained head.
        embedded: The training windows.
        prior: Class priors that the head started at, shape (class,).
        n: How many to draw.
        generator: On the CPU.
        prior_precision: Of each number around the start; None: the best by the evidence.
        independent: Share of the windows that count as independent of each other.
    """
    mode, start = numbers_of(head), start_of(head, prior)
    curvature = independent * information(head, embedded)
    chosen = evidence_precision(curvature, mode - start) if prior_precision is None else prior_precision
    precision = curvature + chosen * torch.eye(len(curvature)).to(curvature)
    root = torch.linalg.cholesky(precision)
    noise = torch.randn(len(root), n, generator=generator, dtype=torch.float64).to(root)
    away = torch.linalg.solve_triangular(root.T, noise, upper=True)
    return [with_numbers(head, mode + one.view_as(mode)) for one in away.T]


def information(head: nn.Linear, embedded: Embedded) -> Tensor:
    """Fisher information of a head's numbers, summed over the windows whose class is known.

    Shape (number, number), the numbers in the order of `numbers_of`, row by row. A window whose class is
    known in part is left out, which widens the posterior.
    """
    link = link_of(head)
    known = torch.nonzero(embedded.low == embedded.high)[:, 0]
    outputs, size = head.out_features, head.in_features + 1
    total = torch.zeros(outputs, size, outputs, size, dtype=torch.float64, device=embedded.hidden.device)
    numbers = numbers_of(head)
    for place in torch.split(known, BATCH):
        inputs = embedded.with_one[place]
        said = inputs @ numbers.T
        slope = vmap(jacrev(link))(said)
        fisher = torch.einsum("nk,nka,nkb->nab", link(said).exp(), slope, slope)
        fisher = fisher * embedded.weight[place, None, None]
        for a in range(outputs):
            for b in range(outputs):
                total[a, :, b] += inputs.T @ (fisher[:, a, b, None] * inputs)
    return total.view(outputs * size, outputs * size)


def evidence_precision(curvature: Tensor, away: Tensor) -> float:
    """Precision of the prior that makes the training windows most likely.

    MacKay's fixed point: the number of directions that the data settle, over the squared distance of the
    trained numbers from the prior's mean.

    Args:
        curvature: Of the log likelihood, shape (number, number).
        away: Trained numbers less the prior's mean, any shape of that many.
    """
    eigenvalues = torch.linalg.eigvalsh(curvature).clamp_min(0.0)
    squared = float(away.square().sum())
    precision = 1.0
    for _ in range(STEPS):
        settled = float((eigenvalues / (eigenvalues + precision)).sum())
        new = settled / squared if squared > 0 else PRECISIONS[1]
        precision = min(max(new, PRECISIONS[0]), PRECISIONS[1])
    return precision
