"""Forecasts of windows in which a unit was replaced by that of another region.

Rows lie on the device once. For each batch the windows' own inputs and those put in are gathered once, and
all units are mixed from these two: the cost is (repeats x units x members) forward passes of the windows, and
two gathers a repeat.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from flarecast.batches import gather_inputs, send
from flarecast.explain.parts import Part, Sight, places, quiet_threads
from flarecast.explain.units import Unit

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

BATCH = 1024
"""Windows gathered at a time, and about as many as a forward pass takes."""


def permuted_probability(part: Part, units: Sequence[Unit], donor: IntArray) -> FloatArray:
    """Probabilities of events with each unit put in from other windows, shape (unit, window, event).

    Args:
        part: Windows and their model.
        units: What is permuted, each by itself.
        donor: Window of the part whose series is put in, shape (window,).
    """
    members = [one for sight in part.sights for one in _pass(part, sight, units, donor)]
    return np.stack([part.probability([one[nth] for one in members]) for nth in range(len(units))])


def _pass(part: Part, sight: Sight, units: Sequence[Unit], donor: IntArray) -> list[FloatArray]:
    """Class probabilities by each model of a sight, shape (unit, window, class) each."""
    model, tensors = part.model, sight.tensors
    masks = np.stack([unit.mask(model.features, model.n_steps, tensors.masked) for unit in units])
    replaced = torch.from_numpy(masks).to(tensors.device)
    outcome = torch.tensor([unit.kind == "outcome" for unit in units], device=tensors.device)
    given = torch.from_numpy(donor).to(tensors.last_class.device)
    out = [np.empty((len(units), part.index.size, len(model.events) + 1)) for _ in sight.models]
    with torch.inference_mode(), quiet_threads(model):
        for place in places(part, BATCH):
            own, other = (gather_inputs(tensors, index) for index in (place, given[place]))
            known = (tensors.last_class[index] for index in (place, given[place]))
            before, instead = (send(one, tensors.device) for one in known)
            rows = place.cpu().numpy()
            for chosen in torch.split(torch.arange(len(units)), max(1, BATCH // len(place))):
                steps = torch.where(replaced[chosen, None], other, own).flatten(0, 1)
                last = torch.where(outcome[chosen, None], instead, before).flatten()
                for one, array in zip(sight.models, out, strict=True):
                    found = torch.softmax(one.module(steps, last).double(), dim=1).cpu().numpy()
                    shape = (len(chosen), len(rows), -1)
                    array[chosen[0] : chosen[-1] + 1, rows] = found.reshape(shape)
    return out
