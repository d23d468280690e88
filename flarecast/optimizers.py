"""Optimisers: entries of `OPTIMIZERS`, on torch.optim.

Called with the parameters, the learning rate and the weight decay. Decay is decoupled from the gradient in
`adamw` alone; in all others it is a penalty on squared weights, which adaptive optimisers scale as they scale
the gradient. All that they know is in their state, so a killed training goes on to the same bits.
"""

from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import Field
from torch import nn, optim

from flarecast.errors import FlarecastError

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Parameters = Iterable[nn.Parameter]


def sgd(
    parameters: Parameters,
    rate: float,
    decay: float,
    *,
    momentum: Share = 0.9,
    nesterov: bool = False,
) -> optim.Optimizer:
    """Stochastic gradient descent with momentum, the gradient taken ahead with `nesterov`.

    Wants a larger learning rate than the adaptive ones, 0.01 to 0.1.

    Raises:
        FlarecastError: Nesterov without momentum.

    Source: Sutskever et al. (2013), PMLR 28, 1139.
    """
    if nesterov and momentum == 0:
        raise FlarecastError(
            "train.optimizer_options: expected momentum above 0 with nesterov, got momentum 0; "
            "set it or leave nesterov out"
        )
    return optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=momentum, nesterov=nesterov)


def adagrad(parameters: Parameters, rate: float, decay: float, *, eps: Positive = 1e-10) -> optim.Optimizer:
    """A rate of its own for each weight, falling with all squared gradients so far.

    Source: Duchi et al. (2011), JMLR 12, 2121.
    """
    return optim.Adagrad(parameters, lr=rate, weight_decay=decay, eps=eps)


def adadelta(
    parameters: Parameters, rate: float, decay: float, *, rho: Share = 0.9, eps: Positive = 1e-6
) -> optim.Optimizer:
    """Steps in units of the last steps; made for a learning rate of 1.

    Source: Zeiler (2012), arXiv 1212.5701.
    """
    return optim.Adadelta(parameters, lr=rate, weight_decay=decay, rho=rho, eps=eps)


def rmsprop(  # noqa: PLR0913  (options are arguments)
    parameters: Parameters,
    rate: float,
    decay: float,
    *,
    alpha: Share = 0.99,
    momentum: Share = 0.0,
    centered: bool = False,
    eps: Positive = 1e-8,
) -> optim.Optimizer:
    """Gradients over the running root of their mean square, or of their variance if `centered`.

    Source: Hinton, Srivastava & Swersky (2012), lecture 6e of Neural Networks for Machine Learning.
    """
    return optim.RMSprop(
        parameters, lr=rate, weight_decay=decay, alpha=alpha, momentum=momentum, centered=centered, eps=eps
    )


def adam(
    parameters: Parameters,
    rate: float,
    decay: float,
    *,
    betas: tuple[Share, Share] = (0.9, 0.999),
    eps: Positive = 1e-8,
) -> optim.Optimizer:
    """Running mean of gradients over the running root of their mean square.

    Source: Kingma & Ba (2015), arXiv 1412.6980.
    """
    return optim.Adam(parameters, lr=rate, weight_decay=decay, betas=betas, eps=eps)


def adamw(
    parameters: Parameters,
    rate: float,
    decay: float,
    *,
    betas: tuple[Share, Share] = (0.9, 0.999),
    eps: Positive = 1e-8,
) -> optim.Optimizer:
    """Adam with weights that decay by themselves, whatever their gradients.

    Source: Loshchilov & Hutter (2019), arXiv 1711.05101.
    """
    return optim.AdamW(parameters, lr=rate, weight_decay=decay, betas=betas, eps=eps)


OPTIMIZERS: dict[str, Callable[..., optim.Optimizer]] = {
    "sgd": sgd,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
}
"""Name in `train.optimizer`: the function; its keyword-only arguments are `train.optimizer_options`."""
