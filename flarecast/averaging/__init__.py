"""Averages of a network's weights: entries of `AVERAGINGS`.

An entry is a function of the options in `train.averaging_options`, keyword-only, that says when weights are
collected, at which learning rate, and into what; averages themselves are torch's `AveragedModel`s.
"""

from collections.abc import Callable

from flarecast.averaging.averages import Averaging as Averaging
from flarecast.averaging.averages import ema, swa, swag, without
from flarecast.averaging.batch_norm import refresh_batch_norm as refresh_batch_norm

AVERAGINGS: dict[str, Callable[..., Averaging | None]] = {
    "none": without,
    "swa": swa,
    "ema": ema,
    "swag": swag,
}
"""Name in `train.averaging`: the function; it gives None where nothing is averaged."""
