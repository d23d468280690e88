"""Normalisation of feature values: fitted once on training rows, applied to all.

Statistics are float64, because the square of a SHARP parameter like `TOTFX` overflows float32. What is
missing stays missing: filling happens inside a window, after scaling, where 0 is the training mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flarecast.errors import choose

FloatArray = NDArray[np.float64]

SCALES: dict[str, str] = {
    "standard": "minus the mean, over the standard deviation",
    "signed_log": "sign(x) log(1 + |x| / s), s the median size of what is not 0; then standard",
    "none": "as it is",
}
"""Names of the normalisations and what they do."""

_BLOCK = 65_536


@dataclass(frozen=True)
class Scaler:
    """A fitted normalisation: (f(value) - centre) / spread, feature by feature.

    Attributes:
        name: Entry of `SCALES`.
        size: Value at which the signed logarithm bends, in the feature's unit, shape (feature,).
        centre: Mean of f over the training rows, shape (feature,).
        spread: Standard deviation of f over the training rows, 1 where it is 0, shape (feature,).
    """

    name: str
    size: FloatArray
    centre: FloatArray
    spread: FloatArray

    def apply(self, values: ArrayLike) -> NDArray[np.float32]:
        """Scaled values, shape as given (..., feature); what is not finite becomes NaN."""
        values = np.asarray(values)
        out = np.empty(values.shape, dtype=np.float32)
        flat, out_flat = values.reshape(-1, values.shape[-1]), out.reshape(-1, values.shape[-1])
        # In blocks, so that float64 copies of a large file never exist at once.
        for start in range(0, len(flat), _BLOCK):
            block = slice(start, start + _BLOCK)
            out_flat[block] = (_bent(flat[block], self.name, self.size) - self.centre) / self.spread
        return out


def fit(rows: ArrayLike, name: str = "signed_log") -> Scaler:
    """Fit a normalisation on training rows; missing cells are left out of every statistic.

    Args:
        rows: Feature values of the rows of the train role, each row once, shape (row, feature).
        name: Entry of `SCALES`.

    Returns:
        The scaler; a feature without any finite value, or with only one, keeps spread 1.

    Raises:
        FlarecastError: No such normalisation.
    """
    choose("scale.name", name, SCALES)
    rows = np.asarray(rows)
    n_features = rows.shape[1]
    size, centre, spread = np.ones(n_features), np.zeros(n_features), np.ones(n_features)
    if name == "none":
        return Scaler(name, size, centre, spread)
    for feature in range(n_features):
        column = rows[:, feature].astype(np.float64)
        column = column[np.isfinite(column)]
        if name == "signed_log" and column.any():
            size[feature] = np.median(np.abs(column[column != 0]))
        bent = _bent(column, name, size[feature])
        if bent.size:
            centre[feature] = bent.mean()
            deviation = float(bent.std())
            # A constant column has a deviation of rounding errors, not of 0.
            constant = deviation <= 1e-12 * max(1.0, float(np.abs(bent).max()))
            spread[feature] = 1.0 if constant else deviation
    return Scaler(name, size, centre, spread)


def _bent(values: NDArray[np.floating], name: str, size: FloatArray | float) -> FloatArray:
    """The function f of a normalisation in float64; what is not finite becomes NaN."""
    wide = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    if name == "signed_log":
        return np.asarray(np.sign(wide) * np.log1p(np.abs(wide) / size), dtype=np.float64)
    return np.asarray(wide, dtype=np.float64)
