"""Schedules of the learning rate during the descent: entries of `SCHEDULES`.

Each is a function of the epochs done, a fraction inside an epoch, and of the epochs planned, to a factor of
`train.learning_rate`; it is asked before every step and has no state, so a killed training goes on with the
same rates. Averaging of weights runs at its own constant rate afterwards.
"""

import math
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from flarecast.errors import FlarecastError

Factor = Annotated[float, Field(gt=0, le=1)]


def constant(done: float, epochs: int) -> float:  # noqa: ARG001  (the signature is that of every entry)
    """Always the whole rate."""
    return 1.0


def step(
    done: float,
    epochs: int,  # noqa: ARG001
    *,
    every: Annotated[int, Field(ge=1)] = 10,
    factor: Factor = 0.1,
) -> float:
    """Times `factor` after each `every` epochs."""
    return float(factor ** (done // every))


def exponential(done: float, epochs: int, *, factor: Factor = 0.95) -> float:  # noqa: ARG001
    """Times `factor` an epoch, little by little."""
    return float(factor**done)


def cosine(done: float, epochs: int, *, final: Annotated[float, Field(ge=0, le=1)] = 0.0) -> float:
    """From the whole rate to `final` of it along half a cosine.

    Source: Loshchilov & Hutter (2017), arXiv 1608.03983, without restarts.
    """
    return _between(1.0, final, done / epochs)


def one_cycle(
    done: float,
    epochs: int,
    *,
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.3,
    start: Factor = 0.04,
    final: Annotated[float, Field(ge=0, le=1)] = 4e-6,
) -> float:
    """From `start` up to the whole rate in the first `warm_up` of the epochs, then down to `final`.

    Both along half a cosine. Planned epochs after which nothing is averaged suit it best: patience that ends
    the descent early cuts the way down.

    Source: Smith & Topin (2018), arXiv 1708.07120, with the cosines and numbers of torch's OneCycleLR.
    """
    share = done / epochs
    if share < warm_up:
        return _between(start, 1.0, share / warm_up)
    return _between(1.0, final, (share - warm_up) / (1 - warm_up))


def cyclical(
    done: float,
    epochs: int,
    *,
    cycle: Annotated[int, Field(ge=1)] = 5,
    final: Annotated[float, Field(ge=0, le=1)] = 0.05,
) -> float:
    """From the whole rate straight down to `final` of it in each `cycle` epochs, then up at once.

    With t the share of the cycle that is done, 1 - t + t x `final`; at the cycle's first step t = 0. (The
    paper counts the step itself: its first t is 1 / steps of a cycle, its last 1.)

    Raises:
        FlarecastError: No cycle ends within the epochs.

    Source: Izmailov et al. (2018), arXiv 1803.05407, section 3.2.
    """
    if cycle > epochs:
        raise FlarecastError(
            f"cycle: expected at most as many epochs as are run, {epochs}, got {cycle}; "
            "shorten it or train longer"
        )
    share = done % cycle / cycle
    return 1 - share + share * final


def cyclic_cosine(done: float, epochs: int, *, cycles: Annotated[int, Field(ge=1)] = 5) -> float:
    """From the whole rate to 0 along half a cosine, `cycles` times over, then up at once.

    A cycle has epochs / `cycles` whole epochs, rounded up, so that each ends with an epoch; the last cycle
    may be cut off.

    Raises:
        FlarecastError: There are more cycles than epochs.

    Source: Huang et al. (2017), arXiv 1704.00109, eq. 2.
    """
    if cycles > epochs:
        raise FlarecastError(
            f"cycles: expected at most one for each of {epochs} epochs, got {cycles}; "
            "ask for fewer or train longer"
        )
    length = math.ceil(epochs / cycles)
    return _between(1.0, 0.0, done % length / length)


def _between(first: float, last: float, share: float) -> float:
    """From the first at share 0 to the last at share 1 along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "cyclical": cyclical,
    "cyclic_cosine": cyclic_cosine,
}
"""Name in `train.schedule`: the function; its keyword-only arguments are `train.schedule_options`."""
