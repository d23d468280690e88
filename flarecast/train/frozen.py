"""Layers that stay as they are while the others are trained."""

from collections.abc import Sequence

from torch import nn

from flarecast.errors import FlarecastError

ENCODER = "encoder"
"""Name in `train.frozen` of all but the head."""


def freeze(module: nn.Module, names: Sequence[str]) -> None:
    """Let no step change some layers of a network.

    Args:
        module: A network that ends in `head`.
        names: Layers as `named_modules` names them, or `encoder`, all but the head.

    Raises:
        FlarecastError: No such layer, or nothing is left to train.
    """
    layers = [
        name for name, layer in module.named_modules() if name and any(True for _ in layer.parameters())
    ]
    unknown = [name for name in names if name not in (*layers, ENCODER)]
    if unknown:
        outer = [name for name in layers if "." not in name]
        raise FlarecastError(
            f"train.frozen: expected {ENCODER} or layers out of {', '.join(outer)} and what is inside them, "
            f"got {', '.join(unknown)}"
        )
    for path, weight in module.named_parameters():
        of_encoder = ENCODER in names and not path.startswith("head.")
        if of_encoder or any(path.startswith(f"{name}.") for name in names):
            weight.requires_grad_(False)
    if not any(weight.requires_grad for weight in module.parameters()):
        raise FlarecastError(
            f"train.frozen: expected a layer that is left to train, got all of them ({', '.join(names)})"
        )


def to_training(module: nn.Module) -> None:
    """Put a network in the mode of training, but for frozen layers: their batch norm and dropout rest."""
    module.train()
    for layer in module.modules():
        if is_frozen(layer):
            layer.eval()


def is_frozen(layer: nn.Module) -> bool:
    """Whether a layer has weights and none of them is trained."""
    weights = list(layer.parameters())
    return bool(weights) and not any(weight.requires_grad for weight in weights)
