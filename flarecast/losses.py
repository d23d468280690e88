"""Training losses of models with nested events: entries of `LOSSES`, called like `cross_entropy`.

All but the cross entropy act on the probabilities of the events, p(>= j), one after the other, and take an
`event_weight`, one number an event (1 each if None); an event whose outcome is unknown is left out. An honest
(proper) loss is least where the probabilities are the true ones. The others trade that for something else and
need a calibration afterwards; whichever is trained on, validation is by log likelihood.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from flarecast.errors import FlarecastError

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
EventWeight = tuple[Annotated[float, Field(ge=0)], ...] | None

LEAST_COUNT = 1e-12
"""Stands for a sum of weights that is 0, so that a share of nothing is 0."""


def negative_log_likelihood(logits: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Minus the log of the probability that a window's compatible classes have together.

    From 0 (certain and right) upwards. Where the class is known this is the usual cross entropy; where an
    outcome is unknown, the mass of all classes it leaves open counts, and nothing is made up.

    Args:
        logits: Of the K + 1 exclusive classes, shape (window, class).
        low: Lowest class that the outcome allows, shape (window,).
        high: Highest class that the outcome allows, shape (window,).

    Returns:
        Shape (window,) [nat].
    """
    log_probability = torch.log_softmax(logits, dim=1)
    classes = torch.arange(logits.shape[1], device=logits.device)
    open_to = (classes >= low[:, None]) & (classes <= high[:, None])
    return -torch.logsumexp(log_probability.masked_fill(~open_to, -torch.inf), dim=1)


def cross_entropy(logits: Tensor, low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    """Interval cross entropy: mean over windows of weight x `negative_log_likelihood`.

    Keeps probabilities honest. Weights have mean 1 over the whole training sample, and the mean is over
    windows, not over weights: dividing by the weights of a batch would count a rare event less in the very
    batches that hold it.

    Args:
        logits: Of the K + 1 exclusive classes, shape (window, class).
        low: Lowest class that the outcome allows, shape (window,).
        high: Highest class that the outcome allows, shape (window,).
        weight: Of each window, shape (window,).

    Returns:
        Scalar [nat].
    """
    return (weight * negative_log_likelihood(logits, low, high)).mean()


def with_offset(loss: Loss, offset: Tensor) -> Loss:
    """A loss that adds an offset, shape (class,), to the logits first."""
    return lambda logits, low, high, weight: loss(logits + offset, low, high, weight)


@dataclass(frozen=True)
class _Events:
    """What logits say of the nested events, and what is known of them; each of shape (window, event)."""

    log_yes: Tensor
    log_no: Tensor
    occurred: Tensor
    known: Tensor

    @property
    def log_right(self) -> Tensor:
        """Log probability of what happened."""
        return torch.where(self.occurred, self.log_yes, self.log_no)

    @property
    def log_wrong(self) -> Tensor:
        """Log probability of what did not."""
        return torch.where(self.occurred, self.log_no, self.log_yes)


def _events(logits: Tensor, low: Tensor, high: Tensor) -> _Events:
    """Events 1 to K from K + 1 classes; event j occurred where the class is j or above."""
    log_class = torch.log_softmax(logits, dim=1)
    events = range(1, logits.shape[1])
    number = torch.arange(1, logits.shape[1], device=logits.device)
    occurred = low[:, None] >= number
    return _Events(
        torch.stack([torch.logsumexp(log_class[:, j:], dim=1) for j in events], dim=1),
        torch.stack([torch.logsumexp(log_class[:, :j], dim=1) for j in events], dim=1),
        occurred,
        occurred | (high[:, None] < number),
    )


def _event_weights(events: _Events, event_weight: EventWeight) -> Tensor:
    """Weight of each event, shape (event,)."""
    n_events = events.known.shape[1]
    if event_weight is not None and len(event_weight) != n_events:
        raise FlarecastError(
            f"train.loss_options: expected event_weight with a number for each of {n_events} events, "
            f"got {len(event_weight)}"
        )
    return events.log_yes.new_tensor(event_weight or [1.0] * n_events)


def _mean(cost: Tensor, events: _Events, weight: Tensor, event_weight: EventWeight) -> Tensor:
    """Mean over windows of the weighted sum over known events."""
    counted = weight[:, None] * events.known * _event_weights(events, event_weight)
    return (counted * cost).sum(dim=1).mean()


def binary_cross_entropy(
    logits: Tensor, low: Tensor, high: Tensor, weight: Tensor, *, event_weight: EventWeight = None
) -> Tensor:
    """Binary cross entropy of each event.

    Keeps probabilities honest, whatever the weights of the events: these only say how much each counts. With
    one event it is `cross_entropy`. Arguments and result as there; `event_weight` as for all [nat].
    """
    events = _events(logits, low, high)
    return _mean(-events.log_right, events, weight, event_weight)


def focal(
    logits: Tensor,
    low: Tensor,
    high: Tensor,
    weight: Tensor,
    *,
    gamma: Annotated[float, Field(ge=0)] = 2.0,
    event_weight: EventWeight = None,
) -> Tensor:
    """Binary cross entropy x (1 - p of what happened) ** gamma: easy windows count less.

    Does not keep probabilities honest but for gamma = 0: they are drawn towards 1/2. With one event a
    calibration undoes it, as the order is kept.

    Source: Lin et al. (2017), arXiv 1708.02002, eq. 4.
    """
    events = _events(logits, low, high)
    cost = -events.log_right * torch.exp(gamma * events.log_wrong)
    return _mean(cost, events, weight, event_weight)


def label_smoothing(
    logits: Tensor,
    low: Tensor,
    high: Tensor,
    weight: Tensor,
    *,
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05,
    event_weight: EventWeight = None,
) -> Tensor:
    """Binary cross entropy with outcomes 1 - smoothing / 2 and smoothing / 2 in the place of 1 and 0.

    Does not keep probabilities honest: where the truth is p it is least at (1 - smoothing) p + smoothing / 2,
    which is far off for rare events.

    Source: Szegedy et al. (2016), arXiv 1512.00567, section 7.
    """
    events = _events(logits, low, high)
    cost = -(1 - smoothing / 2) * events.log_right - smoothing / 2 * events.log_wrong
    return _mean(cost, events, weight, event_weight)


def hinge(
    logits: Tensor,
    low: Tensor,
    high: Tensor,
    weight: Tensor,
    *,
    margin: Annotated[float, Field(gt=0)] = 1.0,
    event_weight: EventWeight = None,
) -> Tensor:
    """What the log odds of what happened fall short of a margin, as in a support vector machine.

    Does not keep probabilities honest: all that it learns is on which side of 1/2 the truth is, so of an
    event that is rare everywhere it may learn nothing but no.

    Source: Cortes & Vapnik (1995), Mach. Learn. 20, 273.
    """
    events = _events(logits, low, high)
    cost = torch.relu(margin - (events.log_right - events.log_wrong))
    return _mean(cost, events, weight, event_weight)


def brier(
    logits: Tensor, low: Tensor, high: Tensor, weight: Tensor, *, event_weight: EventWeight = None
) -> Tensor:
    """Squared difference of probability and outcome, summed over events: with weights 1 the ranked
    probability score.

    Keeps probabilities honest. Misses of rare events cost at most 1, so it minds them less than a log loss.

    Source: Brier (1950), Mon. Weather Rev. 78, 1; Epstein (1969), J. Appl. Meteor. 8, 985.
    """
    events = _events(logits, low, high)
    return _mean(torch.exp(2 * events.log_wrong), events, weight, event_weight)


def ordinal(
    logits: Tensor,
    low: Tensor,
    high: Tensor,
    weight: Tensor,
    *,
    strength: Annotated[float, Field(ge=0)] = 1.0,
    event_weight: EventWeight = None,
) -> Tensor:
    """Binary cross entropy / distance ** strength, the distance from a window's class to the event's border.

    The classes next to the border, one above and one below, have distance 1 and count most; of several
    classes that an outcome leaves open, the one nearest to the border is taken. Does not keep probabilities
    honest but for strength = 0 or a single event: what lies far from the border is counted too little. The
    paper's sub-classes are here the classes between the events.

    Source: Pandey et al. (2024), IEEE DSAA; Pandey et al. (2025), arXiv 2510.04063.
    """
    events = _events(logits, low, high)
    number = torch.arange(1, logits.shape[1], device=logits.device)
    distance = torch.where(events.occurred, low[:, None] - number + 1, number - high[:, None])
    cost = -events.log_right * distance.clamp_min(1).to(logits.dtype) ** -strength
    return _mean(cost, events, weight, event_weight)


def score_oriented(  # noqa: PLR0913  (options are arguments)
    logits: Tensor,
    low: Tensor,
    high: Tensor,
    weight: Tensor,
    *,
    score: Literal["tss", "csi"] = "tss",
    threshold: Literal["uniform", "cosine"] = "uniform",
    centre: Annotated[float, Field(ge=0, le=1)] = 0.5,
    width: Annotated[float, Field(gt=0)] = 0.5,
    event_weight: EventWeight = None,
) -> Tensor:
    """1 - TSS or 1 - CSI of a batch, with the counts that a random decision threshold gives on average.

    Does not keep probabilities honest: it is least where each is 0 or 1, on the side that the score asks for.
    A score is no mean over windows: a batch without an event teaches TSS only not to raise false alarms and
    CSI nothing, so make batches large. Windows of unknown outcome are in no count.

    Args:
        logits: As in `cross_entropy`, and so the next three.
        low: Lowest class that the outcome allows.
        high: Highest class that the outcome allows.
        weight: Of each window.
        score: Which score.
        threshold: How the decision threshold is distributed, over `centre` - `width` to `centre` + `width`.
        centre: Its middle; near it, probabilities are moved most.
        width: Half the width of its distribution.
        event_weight: As for all.

    Returns:
        Scalar, summed over events.

    Source: Marchetti et al. (2022), Pattern Recognit. 132, 108913.
    """
    events = _events(logits, low, high)
    place = ((torch.exp(events.log_yes) - centre) / width).clamp(-1, 1)
    wave = torch.sin(math.pi * place) / math.pi if threshold == "cosine" else 0.0
    forecast = (1 + place + wave) / 2  # share of thresholds at or below the probability
    counted = weight[:, None] * events.known
    yes, no = counted * events.occurred, counted * ~events.occurred
    hits, misses = (yes * forecast).sum(dim=0), (yes * (1 - forecast)).sum(dim=0)
    false_alarms, correct_negatives = (no * forecast).sum(dim=0), (no * (1 - forecast)).sum(dim=0)
    if score == "tss":
        lost = _share(misses, hits) + _share(false_alarms, correct_negatives)
    else:
        lost = _share(misses + false_alarms, hits)
    return (lost * _event_weights(events, event_weight)).sum()


def _share(part: Tensor, rest: Tensor) -> Tensor:
    """Part / (part + rest); 0 where both are 0."""
    return part / (part + rest).clamp_min(LEAST_COUNT)


LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "focal": focal,
    "label_smoothing": label_smoothing,
    "hinge": hinge,
    "brier": brier,
    "ordinal": ordinal,
    "score_oriented": score_oriented,
}
"""Name in `train.loss`: the function; its keyword-only arguments are `train.loss_options`."""

WHOLE_BATCH = frozenset({"score_oriented"})
"""Those that score a batch as a whole; all others are means over its windows."""
