"""Cells to outcomes: bounds of the largest flare peak in the valid span of a window."""

import math
import re

import numpy as np
from numpy.typing import NDArray

from flarecast import goes
from flarecast.ingest.tables.cells import Cells, is_missing
from flarecast.ingest.tables.mapping import Outcome, Table

FloatArray = NDArray[np.float64]


def read_outcomes(cells: Cells, table: Table) -> tuple[FloatArray, FloatArray]:
    """Bounds of the largest flare peak in the valid span of a window that ends with each row [W m-2]."""
    low, high = np.zeros(cells.n_rows), np.full(cells.n_rows, np.inf)
    outcome = table.outcome
    if outcome is None:
        return low, high
    names = [outcome.class_column, outcome.magnitude_column, outcome.flux_column, outcome.label_column]
    names += list((outcome.counts or {}).values())
    given = [name for name in names if name is not None]
    known: dict[tuple[str, ...], tuple[float, float] | str] = {}
    for row, texts in enumerate(zip(*(cells.columns[name] for name in given), strict=True)):
        if texts not in known:
            known[texts] = _bounds(dict(zip(given, texts, strict=True)), outcome, table)
        found = known[texts]
        if isinstance(found, str):
            cells.leave_out(row, "no outcome", found)
        else:
            low[row], high[row] = found
    return low, high


def _bounds(texts: dict[str, str], outcome: Outcome, table: Table) -> tuple[float, float] | str:
    """Smallest and largest that the largest peak can be [W m-2]; or what is wrong with the cells."""
    found: tuple[float, float] | str = (0.0, math.inf)
    if outcome.class_column is not None:
        found = _of_class(texts, outcome, table)
    elif outcome.flux_column is not None:
        found = _of_flux(texts[outcome.flux_column], outcome, table)
    elif outcome.counts is not None:
        found = _of_counts({letter: texts[name] for letter, name in outcome.counts.items()}, outcome, table)
    if isinstance(found, str) or outcome.label_column is None:
        return found
    low, high = found
    text = texts[outcome.label_column]
    threshold = goes.parse_class(outcome.event)
    if is_missing(text, table.file):
        return low, high
    if text in outcome.positive and goes.at_least(high, threshold):
        return max(low, threshold), high
    if text in outcome.negative and not goes.at_least(low, threshold):
        return low, min(high, goes.below(threshold))
    wanted = f"{outcome.label_column}: expected one of {', '.join((*outcome.positive, *outcome.negative))}"
    return f"{wanted} that agrees with {goes.format_class(low)}, got {text[:60]!r}"


def _of_class(texts: dict[str, str], outcome: Outcome, table: Table) -> tuple[float, float] | str:
    """Bounds of a class, a bare letter, or a word for quiet."""
    text = texts[outcome.class_column or ""]
    if text in outcome.quiet:
        return 0.0, goes.below(goes.parse_class(outcome.floor))
    if is_missing(text, table.file):
        return 0.0, math.inf
    if outcome.magnitude_column is not None:
        text += texts[outcome.magnitude_column]
    match = re.fullmatch(r"([ABCMX])(\d{1,3}(\.\d*)?)?", text.upper())
    if match is None or (match[2] and float(match[2]) <= 0):
        words = f" or {', '.join(outcome.quiet)}" if outcome.quiet else ""
        return f"{outcome.class_column}: expected a GOES class{words}, got {text[:60]!r}"
    if not match[2]:
        low, high = goes.class_bounds(match[1])
    else:
        low = high = goes.parse_class(text)
    return low, (high if outcome.known_largest else math.inf)


def _of_flux(text: str, outcome: Outcome, table: Table) -> tuple[float, float] | str:
    """Bounds of a peak flux."""
    if is_missing(text, table.file):
        return 0.0, math.inf
    try:
        number = float(text) if "_" not in text else math.nan
        flux = 10.0**number if outcome.flux_form == "log10" else number
    except (ValueError, OverflowError):
        flux = math.nan
    if not 0 <= flux < 1:
        kind = "log10 of a flux" if outcome.flux_form == "log10" else "flux"
        return f"{outcome.flux_column}: expected a {kind} below 1 W m-2, got {text[:60]!r}"
    if flux == 0:
        return 0.0, goes.below(goes.parse_class(outcome.floor))
    return flux, (flux if outcome.known_largest else math.inf)


def _of_counts(texts: dict[str, str], outcome: Outcome, table: Table) -> tuple[float, float] | str:
    """Bounds of numbers of flares by letter; a count that is missing may have been any."""
    low, high = 0.0, goes.below(goes.DECADES[min(texts, key=lambda letter: goes.DECADES[letter])])
    for letter, text in sorted(texts.items(), key=lambda item: goes.DECADES[item[0]]):
        least, most = goes.class_bounds(letter)
        try:
            count = float(text) if "_" not in text else math.nan
        except ValueError:
            count = math.nan
        if is_missing(text, table.file):
            high = max(high, most)
        elif not (0 <= count < 1e6 and count == int(count)):
            return f"{(outcome.counts or {})[letter]}: expected a number of flares, got {text[:60]!r}"  # type: ignore[index]
        elif count > 0:
            low, high = least, max(high, most)
    return low, high
