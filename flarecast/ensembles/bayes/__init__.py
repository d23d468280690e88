"""Bayes on the last layer, and by dropout: what draws the members of an ensemble from one trained network.

An entry of `POSTERIORS` is a file with `draw_heads(head, embedded, prior, n, generator, *, <options>)`: it
gives heads to put in the place of the network's own. What lies below the last layer is taken as known, so the
doubt is a lower bound of what there should be.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import torch
from torch import nn

from flarecast.batches import Batch
from flarecast.ensembles.bayes.embedding import embed
from flarecast.errors import FlarecastError

POSTERIORS: dict[str, str] = {
    "laplace": "flarecast.ensembles.bayes.laplace",
    "variational": "flarecast.ensembles.bayes.variational",
    "gp": "flarecast.ensembles.bayes.gaussian_process",
}
"""Name in a `Recipe`: the module that has its `draw_heads`."""


def draw_heads(  # noqa: PLR0913  (how many, from what, by what: each a plain keyword)
    posterior: str,
    module: nn.Module,
    batches: Iterable[Batch],
    *,
    prior: torch.Tensor,
    n: int,
    generator: torch.Generator,
    options: Mapping[str, Any],
) -> list[nn.Module]:
    """Draw last layers of a trained network.

    Args:
        posterior: Entry of `POSTERIORS`.
        module: The network.
        batches: What it was fitted to.
        prior: Class priors that its head started at, shape (class,).
        n: How many to draw.
        generator: On the CPU, of all that is random.
        options: Of the posterior.

    Returns:
        Heads on the device of the network.

    Raises:
        FlarecastError: With these options there is no posterior, or it says nothing finite.
    """
    draw = import_module(POSTERIORS[posterior]).draw_heads
    embedded = embed(module, batches)
    try:
        heads: list[nn.Module] = draw(module.head, embedded, prior, n, generator, **options)
    except (torch.linalg.LinAlgError, ArithmeticError):  # type: ignore[attr-defined]  # re-exported as it is
        heads = []
    with torch.inference_mode():
        hidden = embedded.hidden.float()
        good = heads and all(head(hidden).isfinite().all() for head in heads)
    if not good:
        given = ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
        raise FlarecastError(
            f"ensemble.name {posterior}: expected members that say finite numbers, got none with {given}; "
            "set less extreme ensemble.options"
        )
    return heads
