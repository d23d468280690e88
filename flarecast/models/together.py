"""Several networks on the same windows: what they have in common is computed once."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

HEAD = "head."


class Together:
    """Networks that see the same steps; those that differ in the head alone share all that is below it."""

    def __init__(self, modules: Sequence[nn.Module], kinds: Sequence[str]) -> None:
        """Sort networks by what they share.

        Args:
            modules: The networks.
            kinds: What each is and is built with, in text; only networks of one kind share anything.
        """
        self.size = len(modules)
        below: dict[str, list[tuple[nn.Module, list[int]]]] = {}
        for nth, (module, kind) in enumerate(zip(modules, kinds, strict=True)):
            groups = below.setdefault(kind, [])
            alike = next((group for first, group in groups if _differ_in_head_alone(first, module)), None)
            if alike is None:
                groups.append((module, [nth]))
            else:
                alike.append(nth)
        self.groups = [[(nth, modules[nth]) for nth in group] for one in below.values() for _, group in one]

    def logits(self, steps: Tensor, last_class: Tensor) -> Tensor:
        """Logits of all of them, shape (network, b, class), float64."""
        found: list[Tensor] = [steps] * self.size
        for group in self.groups:
            nth, first = group[0]
            hidden: list[Tensor] = []
            hook = None
            if len(group) > 1:
                head: nn.Module = first.head  # type: ignore[assignment]
                hook = head.register_forward_pre_hook(lambda _, inputs, into=hidden: into.append(inputs[0]))
            found[nth] = first(steps, last_class)
            if hook is not None:
                hook.remove()
            for other, module in group[1:]:
                found[other] = module.head(hidden[0])  # type: ignore[operator]
        return torch.stack([one.double() for one in found])


def _differ_in_head_alone(first: nn.Module, second: nn.Module) -> bool:
    """Whether two networks of a kind have heads, and below them the same numbers."""
    if not (hasattr(first, "head") and hasattr(second, "head")):
        return False
    below = [
        {name: value for name, value in module.state_dict().items() if not name.startswith(HEAD)}
        for module in (first, second)
    ]
    same_names = below[0].keys() == below[1].keys()
    return same_names and all(torch.equal(value, below[1][name]) for name, value in below[0].items())
