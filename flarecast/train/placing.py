"""Windows on the device: chosen by role, their rows scaled.

The scaler is fitted on the train role.
"""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from flarecast import scale
from flarecast.batches import WindowTensors, has_values, to_device
from flarecast.config import Config
from flarecast.memory import place_of_rows
from flarecast.models import takes_mask
from flarecast.scale import Scaler
from flarecast.schema import ROLES
from flarecast.train.labels import PseudoLabels
from flarecast.windows import feature_columns, step_rows

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Given:
    """What is not fitted here: a scaler with its features, outcomes that a model gave, rows on the device."""

    scaler: Scaler | None = None
    features: tuple[str, ...] | None = None
    pseudo: PseudoLabels | None = None
    tensors: WindowTensors | None = None


NOTHING = Given()


@dataclass(frozen=True)
class Chosen:
    """Windows of the file by what they are for, in the order in which they go to the device."""

    train: IntArray
    validation: IntArray
    hidden: IntArray
    pseudo: IntArray

    @property
    def all(self) -> IntArray:
        """One behind the other; some twice."""
        return np.concatenate([self.train, self.validation, self.hidden, self.pseudo])

    @property
    def n_honest(self) -> int:
        """Windows whose outcome is known and shown; they come first."""
        return self.train.size + self.validation.size

    @property
    def of_scaler(self) -> IntArray:
        """Places of the train windows whose outcome is known, shown or not."""
        places: IntArray = np.r_[: self.train.size, self.n_honest : self.n_honest + self.hidden.size]
        return places


@dataclass(frozen=True)
class Placed:
    """Windows on the device, and what was fitted to put them there.

    Attributes:
        tensors: All windows, in the order of `Chosen.all`.
        scaler: Normalisation of their rows.
        features: Names of the features, in order.
        train: Places of the train windows that hold any value and whose outcome is shown.
        validation: Places of such validation windows.
        mute: Features that have one value, or none, in the train windows.
    """

    tensors: WindowTensors
    scaler: Scaler
    features: tuple[str, ...]
    train: IntArray
    validation: IntArray
    mute: tuple[str, ...]


def choose_windows(
    role: NDArray[np.int8], known: NDArray[np.bool_], hidden: NDArray[np.bool_], given: Given
) -> Chosen:
    """Windows by what they are for."""
    return Chosen(
        train=np.flatnonzero(known & ~hidden & (role == ROLES.index("train"))),
        validation=np.flatnonzero(known & (role == ROLES.index("validation"))),
        hidden=np.flatnonzero(hidden),
        pseudo=np.zeros(0, dtype=np.int64) if given.pseudo is None else given.pseudo.index,
    )


def place_windows(
    windows: xr.Dataset,
    chosen: Chosen,
    last_class: IntArray,
    config: Config,
    device: torch.device,
    given: Given = NOTHING,
) -> Placed:
    """Scale the rows of chosen windows as their train windows say, and put them on the device.

    Args:
        windows: A windows Dataset.
        chosen: Which of them.
        last_class: Class of the latest known outcome, -1 if none, shape (window,).
        config: The configuration.
        device: Where to.
        given: A scaler and its features, or windows that are on the device already.

    Raises:
        FlarecastError: A feature is not in the file.
    """
    features = config.model.features or given.features or tuple(map(str, windows["feature"].values))
    columns = feature_columns(windows, features)
    values, rows = _rows_in_use(windows["values"].values, columns, step_rows(windows, chosen.all))
    fitted_on = values[in_use(rows[chosen.of_scaler], len(values))]
    scaler = given.scaler or scale.fit(fitted_on, config.scale.name)
    tensors = given.tensors
    if tensors is None:
        tensors = _on_device(scaler.apply(values), rows, last_class[chosen.all], config, device)
    usable = np.flatnonzero(has_values(tensors).cpu().numpy()[: chosen.n_honest])
    train, validation = np.split(usable, [np.searchsorted(usable, chosen.train.size)])
    return Placed(tensors, scaler, features, train, validation, _mute(fitted_on, features))


def _on_device(
    scaled: NDArray[np.float32], rows: IntArray, last_class: IntArray, config: Config, device: torch.device
) -> WindowTensors:
    """Rows and windows where `train.device_share` lets them be, with a mask where the model takes one."""
    rows_on = place_of_rows(scaled, rows, device, config.train.device_share)
    masked = takes_mask(config.model.name, config.model.options)
    return to_device(scaled, rows, last_class, device, masked, rows_on)


def _mute(rows: NDArray[np.float32], features: tuple[str, ...]) -> tuple[str, ...]:
    """Features that do not vary over rows, shape (row, feature), or are missing in all of them."""
    there = np.isfinite(rows)
    least = np.where(there, rows, np.inf).min(axis=0, initial=np.inf)
    most = np.where(there, rows, -np.inf).max(axis=0, initial=-np.inf)
    return tuple(name for name, varies in zip(features, least < most, strict=True) if not varies)


def in_use(rows: IntArray, n_rows: int) -> NDArray[np.bool_]:
    """Which rows occur in windows, shape (row,)."""
    used = np.zeros(n_rows + 1, dtype=bool)
    used[rows] = True  # -1, an absent step, marks the last, which is cut off
    return used[:-1]


def _rows_in_use(
    values: NDArray[np.float32], columns: IntArray, rows: IntArray
) -> tuple[NDArray[np.float32], IntArray]:
    """Values of the rows that occur in windows, and the steps' rows numbered anew."""
    used = in_use(rows, len(values))
    number = np.full(used.size + 1, -1, dtype=np.int64)
    number[:-1][used] = np.arange(np.count_nonzero(used))
    return values[np.ix_(used, columns)], number[rows]
