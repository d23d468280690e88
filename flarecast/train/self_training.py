"""Pseudo-labels: outcomes that a model gives to train windows of which nobody told it the outcome.

They are given to windows of the train role alone, of unknown outcome or hidden by `train.label_share`, never
to another role, and they stay apart: class priors, base rates, batch norm and validation know the honest
labels only. Source: Lee (2013), ICML workshop on representation learning; in the proportions of the classes
Zou et al. (2018), arXiv 1810.07911.
"""

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import nn

from flarecast.batches import gather_inputs, has_values, send, to_device
from flarecast.config import Config
from flarecast.config.sections import SelfTraining
from flarecast.goes import compatible_classes, occurred_table
from flarecast.memory import place_of_rows
from flarecast.models import takes_mask
from flarecast.references import last_known_class
from flarecast.schema import ROLES
from flarecast.train.labels import PseudoLabels, hidden_labels
from flarecast.train.prepare import Prepared
from flarecast.windows import feature_columns, step_rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TEACHERS = "teachers"
"""Folder of a training where the models that gave labels keep their checkpoints; gone when it is done."""

BATCH = 1024


def give_labels(
    windows: xr.Dataset,
    role: NDArray[np.int8],
    config: Config,
    device: torch.device,
    prepared: Prepared,
    module: nn.Module,
) -> PseudoLabels:
    """Let a fitted model label the train windows without outcome, the surest of them.

    Args:
        windows: A windows Dataset.
        role: Index into `ROLES`, shape (window,).
        config: The configuration.
        device: Where to compute.
        prepared: What the model was fitted to.
        module: The model.
    """
    occurred = occurred_table(windows, config.events, config.train.unassigned)
    low, _ = compatible_classes(occurred)
    known = np.asarray((occurred >= 0).any(axis=1))
    hidden = hidden_labels(windows, role, low, known, config)
    index = np.flatnonzero((role == ROLES.index("train")) & (hidden | ~known))
    if not index.size:  # every outcome is known and shown
        return PseudoLabels(index, index, config.train.self_training.weight)
    values = windows["values"].values[:, feature_columns(windows, prepared.features)]
    latest = last_known_class(
        windows, *compatible_classes(occurred_table(windows, config.events, config.unassigned))
    )
    scaled, rows = prepared.scaler.apply(values), step_rows(windows, index)
    masked = takes_mask(config.model.name, config.model.options)
    rows_on = place_of_rows(scaled, rows, device, config.train.device_share)
    tensors = to_device(scaled, rows, latest[index], device, masked, rows_on)
    found = [torch.zeros((0, occurred.shape[1] + 1), dtype=torch.float64, device=device)]
    module.eval()
    with torch.inference_mode():
        for place in torch.split(torch.arange(index.size, device=tensors.last_class.device), BATCH):
            last_class = send(tensors.last_class[place], device)
            logits = module(gather_inputs(tensors, place), last_class) + prepared.task.log_correction
            found.append(torch.softmax(logits.double(), dim=1))
    probability: FloatArray = torch.cat(found).cpu().numpy()
    probability[~has_values(tensors).cpu().numpy()] = 0.0
    return choose_surest(index, probability, prepared.prior_natural, config.train.self_training)


def choose_surest(
    index: IntArray, probability: FloatArray, prior: FloatArray, settings: SelfTraining
) -> PseudoLabels:
    """The surest windows of each class, as many of each as the honest labels have in proportion.

    Without proportions nearly all sure labels would be of the commonest class. Rare classes choose first.

    Args:
        index: Windows of the file, shape (n,).
        probability: Of each class, shape (n, class).
        prior: Shares of the classes among honest labels, shape (class,).
        settings: Section `train.self_training`.
    """
    label = np.full(index.size, -1, dtype=np.int64)
    for number in np.argsort(prior, kind="stable"):
        wanted = round(settings.share * index.size * float(prior[number]))
        order = np.argsort(-probability[:, number], kind="stable")
        sure = order[(probability[order, number] > settings.confidence) & (label[order] < 0)]
        label[sure[:wanted]] = number
    taken = np.flatnonzero(label >= 0)
    return PseudoLabels(index[taken], label[taken], settings.weight)
