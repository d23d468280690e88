"""Forecasts made of those of the model and its rivals: soft voting and stacking.

Both start from calibrated probabilities and are fitted on windows of role calibration alone, which no
contender was trained on: of folds, their out-of-fold forecasts. (The contenders' own curves were fitted on
the same windows; these have so few numbers that it matters little.) They stand among the rivals, as `vote`
and `stack`, and are scored like them.

Source: stacking, Wolpert (1992), Neural Networks 5, 241.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.calibrators import nest
from flarecast.errors import FlarecastError, choose
from flarecast.schema import FORECASTS, ROLES
from flarecast.seen import pack

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CALIBRATION = ROLES.index("calibration")
SMALLEST = 1e-9
"""Probabilities are kept this far from 0 and 1, so that their logits are finite."""

RIDGE, FEWEST = 1.0, 20
"""Pull of the weights towards those of a plain mean, about one event's worth; events that a fit wants."""


def fit_vote(probability: FloatArray, occurred: BoolArray) -> dict[str, Any]:
    """Slope and intercept on the logit of the mean probability: a mean of good forecasts is too timid."""
    return _line(_logit(probability.mean(axis=1))[:, None], occurred)


def fit_stack(probability: FloatArray, occurred: BoolArray) -> dict[str, Any]:
    """Weights of the contenders' logits, by logistic regression, held towards equal ones."""
    return _line(_logit(probability), occurred)


def vote(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Mean of the contenders' probabilities along its line, shape (window,), from (window, contender)."""
    return _along(_logit(probability.mean(axis=1))[:, None], numbers)


def stack(probability: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Weighted sum of the contenders' logits, as a probability, shape (window,), from (window, contender)."""
    return _along(_logit(probability), numbers)


COMBINATIONS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[..., FloatArray]]] = {
    "vote": (fit_vote, vote),
    "stack": (fit_stack, stack),
}
"""Name in `calibrate.combine`: function that fits an event's numbers, and the one that uses them."""


def fit_combinations(
    forecasts: xr.Dataset, names: Sequence[str], rows: BoolArray | None = None
) -> dict[str, Any]:
    """Fit combinations of the model and its rivals.

    Args:
        forecasts: Calibrated forecasts with rivals.
        names: Entries of `COMBINATIONS`.
        rows: Windows to fit on, shape (window,); those of role calibration if None.

    Returns:
        For each name its `contenders`, the numbers of each event, and which windows it saw; under `folds`
        those of each fold where each has a test of its own.

    Raises:
        FlarecastError: An unknown name; no rivals; or windows that a contender may have been trained on, or
            that it is tested on.
    """
    contenders = _contenders(forecasts)
    role, fold = forecasts["role"].values, forecasts["fold"].values
    chosen = role == CALIBRATION if rows is None else rows
    _require_held_out(role[chosen])
    alone = bool(forecasts.attrs.get("out_of_fold")) or np.unique(fold).size < 2
    found: dict[str, Any] = {}
    for name in names:
        fit, _ = choose("calibrate.combine", name, COMBINATIONS)
        start = {"contenders": contenders}
        if alone:
            found[name] = {**start, **_fitted(forecasts, fit, chosen)}
            continue
        folds = {str(one): _fitted(forecasts, fit, chosen & (fold == one)) for one in np.unique(fold)}
        final = str(forecasts.attrs.get("final_fold", 0))
        found[name] = {**start, **folds.get(final, {}), "folds": folds}
    return found


def with_combinations(forecasts: xr.Dataset, fitted: Mapping[str, Any]) -> xr.Dataset:
    """Calibrated forecasts with combinations among the rivals.

    Raises:
        FlarecastError: The combinations are of other contenders.
    """
    if not fitted:
        return forecasts
    probability, fold = _probability(forecasts), forecasts["fold"].values
    events = [str(event) for event in forecasts["event"].values]
    made = {}
    for name, said in fitted.items():
        if list(said["contenders"]) != _contenders(forecasts):
            raise FlarecastError(
                f"calibration: expected a combination of {', '.join(_contenders(forecasts))}, got one of "
                f"{', '.join(said['contenders'])}; calibrate anew"
            )
        out = np.full(probability.shape[:2], np.nan)
        for one in np.unique(fold):
            mine, numbers = fold == one, said.get("folds", {}).get(str(one), said)
            for j, event in enumerate(events):
                out[mine, j] = COMBINATIONS[name][1](probability[mine, j], numbers["events"][event])
        made[name] = nest(out)
    return _among_rivals(forecasts, made)


def _fitted(forecasts: xr.Dataset, fit: Callable[..., dict[str, Any]], rows: BoolArray) -> dict[str, Any]:
    """Numbers of every event, and the windows they were fitted on."""
    probability, occurred = _probability(forecasts), forecasts["occurred"].values
    numbers, seen = {}, np.zeros(rows.size, dtype=bool)
    for j, event in enumerate(map(str, forecasts["event"].values)):
        mine = rows & (occurred[:, j] >= 0) & ~np.isnan(probability[:, j]).any(axis=1)
        numbers[event] = fit(probability[mine, j], occurred[mine, j] == 1)
        seen |= mine
    return {"events": numbers, "seen": pack(np.flatnonzero(seen), rows.size)}


def _require_held_out(role: NDArray[np.integer]) -> None:
    """Make sure that nothing is fitted on windows of another role than calibration."""
    wrong, count = np.unique(role[role != CALIBRATION], return_counts=True)
    if wrong.size:
        got = ", ".join(f"{n:,} {ROLES[one]}" for one, n in zip(wrong, count, strict=True))
        raise FlarecastError(
            f"calibrate.combine: expected held-out windows of role calibration alone, got {got}; fit on "
            "forecasts of windows that no contender was trained on or is tested on"
        )


def _contenders(forecasts: xr.Dataset) -> list[str]:
    """The model and its rivals, combinations left out."""
    rivals = [str(name) for name in forecasts["rival"].values] if "rival" in forecasts else []
    rivals = [name for name in rivals if name not in COMBINATIONS]
    if not rivals:
        raise FlarecastError(
            "calibrate.combine: expected a model with rivals, got the model alone; add a section "
            "[rivals.NAME]"
        )
    return ["model", *rivals]


def _probability(forecasts: xr.Dataset) -> FloatArray:
    """Calibrated probabilities of all contenders, shape (window, event, contender)."""
    names = [str(name) for name in forecasts["rival"].values]
    kept = [nth for nth, name in enumerate(names) if name not in COMBINATIONS]
    ours = forecasts["probability"].values[:, :, None]
    return np.concatenate([ours, forecasts["rival_probability"].values[:, :, kept]], axis=2)


def _among_rivals(forecasts: xr.Dataset, made: Mapping[str, FloatArray]) -> xr.Dataset:
    """Forecasts with more rivals; what is combined has no other raw form than itself."""
    names = [str(name) for name in forecasts["rival"].values]
    kept = [nth for nth, name in enumerate(names) if name not in COMBINATIONS]
    new = np.stack(list(made.values()), axis=2)
    assigned: dict[str, Any] = {}
    for name in ("rival_probability", "rival_probability_raw"):
        values = np.concatenate([forecasts[name].values[:, :, kept], new], axis=2)
        assigned[name] = (FORECASTS.variables[name].dims, values, FORECASTS.variables[name].attributes)
    text = np.array([*(names[nth] for nth in kept), *made], dtype=object)
    rival = FORECASTS.variables["rival"]
    bare = forecasts.drop_vars(["rival", "rival_probability", "rival_probability_raw"])
    return bare.assign(assigned).assign_coords(rival=(rival.dims, text, rival.attributes))


def _logit(probability: FloatArray) -> FloatArray:
    """Log odds, finite; NaN stays NaN."""
    inside = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _along(logit: FloatArray, numbers: Mapping[str, Any]) -> FloatArray:
    """Probabilities of weighted sums of logits, shape (window,), from (window, input)."""
    from scipy.special import expit

    summed = (logit * np.asarray(numbers["weights"])).sum(axis=1) + float(numbers["intercept"])
    return np.asarray(expit(summed))


def _line(logit: FloatArray, occurred: BoolArray) -> dict[str, Any]:
    """Weights and intercept of the penalised logistic regression; a plain mean where there is too little."""
    from scipy.optimize import minimize
    from scipy.special import expit

    equal = np.full(logit.shape[1], 1 / logit.shape[1])
    rarer = int(min(occurred.sum(), (~occurred).sum()))
    if rarer < FEWEST:
        reason = f"{rarer} events or non-events, fewer than {FEWEST}: equal weights"
        return {"weights": equal.tolist(), "intercept": 0.0, "reason": reason}
    sign, pull = np.where(occurred, 1.0, -1.0), RIDGE / occurred.size
    start = np.append(equal, 0.0)

    # Sums over elements, not matrix products: these would depend on the number of threads in the last bits.
    def loss(numbers: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * ((logit * numbers[:-1]).sum(axis=1) + numbers[-1])
        error, away = -sign * expit(-margin), numbers - start
        gradient = np.append((error[:, None] * logit).mean(axis=0), error.mean()) + pull * away
        return float(np.logaddexp(0.0, -margin).mean() + pull / 2 * (away**2).sum()), gradient

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-8}).x
    return {"weights": found[:-1].tolist(), "intercept": float(found[-1]), "reason": None}
