"""Which features are worth learning from: entries of `SELECTIONS`, fitted on training windows alone.

Every function takes statistics of each feature over the window, shape (window, statistic, feature), `last`
being the first statistic, and the windows' exclusive classes, shape (window,); it gives a score of each
feature, shape (feature,), of which the highest `count` are kept. A filter looks at one feature at a time, a
wrapper fits models on sets of them, an embedded selection reads what one fitted model uses.
"""

import warnings
from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from flarecast.errors import FlarecastError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Count = Annotated[int, Field(ge=1)]

BLOCKS = 3
"""Parts of the training windows, in their order, that the wrapper holds out in turn."""


def score_by_anova(values: FloatArray, classes: IntArray, rng: np.random.Generator, count: int) -> FloatArray:  # noqa: ARG001
    """Filter: the largest F of the classes' means among a feature's statistics."""
    from sklearn.feature_selection import f_classif

    return _by_column(values, lambda columns: f_classif(columns, classes)[0])


def score_by_information(
    values: FloatArray,
    classes: IntArray,
    rng: np.random.Generator,
    count: int,  # noqa: ARG001
) -> FloatArray:
    """Filter: the largest mutual information with the class among a feature's statistics [nat]."""
    from sklearn.feature_selection import mutual_info_classif

    seed = int(rng.integers(2**31))
    return _by_column(values, lambda columns: mutual_info_classif(columns, classes, random_state=seed))


def score_by_steps(values: FloatArray, classes: IntArray, rng: np.random.Generator, count: int) -> FloatArray:  # noqa: ARG001
    """Wrapper: 1 for each feature that forward steps take, 0 for the others.

    Each step takes the feature whose latest value helps most a ridge regression of the class's number, on
    held-out blocks of the training windows.
    """
    from sklearn.feature_selection import SequentialFeatureSelector
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold

    last = values[:, 0]
    if count == last.shape[1]:
        return np.ones(count)
    selector = SequentialFeatureSelector(Ridge(), n_features_to_select=count, cv=KFold(BLOCKS))
    return np.asarray(selector.fit(last, classes.astype(np.float64)).get_support(), dtype=np.float64)


def score_by_l1(values: FloatArray, classes: IntArray, rng: np.random.Generator, count: int) -> FloatArray:  # noqa: ARG001
    """Embedded: the summed size of a feature's coefficients in a logistic regression with an L1 penalty."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    seed = int(rng.integers(2**31))
    regression = LogisticRegression(C=0.1, l1_ratio=1.0, solver="saga", max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the order of sizes settles long before
        regression.fit(values.reshape(len(values), -1), classes)
    return np.asarray(np.abs(regression.coef_).reshape(-1, *values.shape[1:]).sum(axis=(0, 1)))


def score_by_trees(values: FloatArray, classes: IntArray, rng: np.random.Generator, count: int) -> FloatArray:  # noqa: ARG001
    """Embedded: the summed importance of a feature's statistics in a random forest."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(100, min_samples_leaf=10, random_state=int(rng.integers(2**31)))
    forest.fit(values.reshape(len(values), -1), classes)
    return np.asarray(forest.feature_importances_.reshape(values.shape[1:]).sum(axis=0))


Score = Callable[[FloatArray, IntArray, np.random.Generator, int], FloatArray]

SELECTIONS: dict[str, Score] = {
    "anova": score_by_anova,
    "mutual_information": score_by_information,
    "sequential": score_by_steps,
    "l1": score_by_l1,
    "trees": score_by_trees,
}
"""Name in `model.select`: the function."""


def check_selection(*, count: Count = 8, max_windows: Annotated[int, Field(ge=10)] = 10_000) -> None:
    """Options of every selection.

    Args:
        count: Features to keep.
        max_windows: Training windows looked at, evenly spaced in their order where there are more.
    """


def select_features(
    name: str,
    values: FloatArray,
    classes: IntArray,
    rng: np.random.Generator,
    count: int = 8,
    max_windows: int = 10_000,
) -> IntArray:
    """Places of the features to keep, ascending, shape (count,).

    Args:
        name: Entry of `SELECTIONS`.
        values: Statistics of training windows, `last` first, shape (window, statistic, feature).
        classes: Their exclusive classes, shape (window,).
        rng: Where the selection draws.
        count: Features to keep.
        max_windows: Windows looked at.

    Raises:
        FlarecastError: More features are asked for than there are, or the windows are of one class.
    """
    n_features = values.shape[2]
    if count > n_features:
        raise FlarecastError(
            f"model.select_options: expected a count of at most {n_features}, the number of features, "
            f"got {count}"
        )
    if np.unique(classes).size < 2:
        raise FlarecastError(
            "model.select: expected training windows of two classes or more, got one; leave out model.select"
        )
    chosen = np.linspace(0, len(values) - 1, min(len(values), max_windows)).astype(np.int64)
    shown = values[chosen]
    spread = shown.std(axis=0)
    standardised = (shown - shown.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    standardised[:, spread <= 1e-9] = 0.0
    score = SELECTIONS[name](standardised, classes[chosen], rng, count)
    return np.sort(np.argsort(-score, kind="stable")[:count])


def _by_column(values: FloatArray, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """The largest of a feature's column scores; a constant column has score 0."""
    flat = values.reshape(len(values), -1)
    varies = flat.std(axis=0) > 0
    score = np.zeros(flat.shape[1])
    if varies.any():
        score[varies] = np.nan_to_num(function(flat[:, varies]))
    return np.asarray(score.reshape(values.shape[1:]).max(axis=0))
