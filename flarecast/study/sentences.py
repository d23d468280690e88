"""A paragraph for each contrast, made from its numbers and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]

NAMES = {
    "tss": "TSS",
    "hss": "HSS",
    "recall": "recall",
    "average_precision": "average precision",
    "bss": "calibrated BSS",
    "bss_raw": "raw BSS",
    "ece": "calibrated ECE",
    "ece_raw": "raw ECE",
}


def paragraph(contrast: str, rows: Rows) -> str:
    """What a contrast came to, in words."""
    if not rows:
        return "Nothing was compared: no arm of this contrast could be trained on these windows."
    return PARAGRAPHS.get(contrast, _differences)(rows)


def told(row: Mapping[str, Any]) -> str:
    """`from 0.61 to 0.79 (+0.18 [0.12, 0.23])`, and whether that can be told from 0."""
    if row["difference"] is None:
        return "not defined here"
    text = f"from {row['value_against']:.3f} to {row['value']:.3f} ({row['difference']:+.3f}"
    if row["low"] is None:
        return f"{text}, no interval)"
    return f"{text} [{row['low']:+.3f}, {row['high']:+.3f}], {distinct(row)})"


def distinct(row: Mapping[str, Any]) -> str:
    """Whether an interval leaves 0 out, in words."""
    if row["low"] > 0 or row["high"] < 0:
        return "beyond chance"
    return "not to be told from 0"


def _differences(rows: Rows) -> str:
    """A sentence a model and arm: TSS, average precision and BSS."""
    sentences = []
    for model, arm in dict.fromkeys((row["model"], row["arm"]) for row in rows):
        of_arm = [row for row in rows if (row["model"], row["arm"]) == (model, arm)]
        shown = [row for row in of_arm if row["score"] in ("tss", "average_precision", "hss", "bss")]
        against = shown[0]["against"]
        words = "; ".join(f"{NAMES[row['score']]} {told(row)}" for row in shown)
        what = arm if against == "none" else f"{arm} instead of {against}"
        sentences.append(f"{model}, {what}: {words}.")
    return " ".join(sentences)


def _inner(rows: Rows) -> str:
    """What was promised and what was given."""
    sentences = []
    for row in rows:
        if row["arm"].startswith("promised"):
            way = row["arm"].removeprefix("promised, ")
            sentences.append(
                f"{row['model']}, options {way}: validation promised a TSS of {_plain(row['value'])}, test "
                f"gave {_plain(row['value_against'])}; the promise was off by "
                f"{_plain(row['difference'], signed=True)} {_interval(row)}."
            )
        else:
            sentences.append(f"On test, choosing at random moves the TSS of {row['model']} {told(row)}.")
    return " ".join(sentences)


def _remedies(rows: Rows) -> str:
    """How many remedies helped, and what they did to raw probabilities."""
    sentences = []
    for model in dict.fromkeys(row["model"] for row in rows):
        for score in ("tss", "bss_raw", "bss"):
            known = [
                row
                for row in rows
                if row["model"] == model and row["score"] == score and row["low"] is not None
            ]
            if not known:
                continue
            better = [row["arm"] for row in known if row["low"] > 0]
            worse = [row["arm"] for row in known if row["high"] < 0]
            best = max(known, key=lambda row: row["difference"])
            sentences.append(
                f"{model}, {NAMES[score]}: of {len(known)} remedies {len(better)} raise it beyond chance"
                f"{_listed(better)} and {len(worse)} lower it{_listed(worse)}; the best is {best['arm']}, "
                f"{told(best)}."
            )
    return " ".join(sentences)


PARAGRAPHS: dict[str, Callable[[Rows], str]] = {"inner_validation": _inner, "remedies": _remedies}
"""Contrasts that are told in their own way; the others by their differences."""


def _plain(value: float | None, signed: bool = False) -> str:
    """A number with three decimals."""
    return "an undefined value" if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def _interval(row: Mapping[str, Any]) -> str:
    """`[+0.02, +0.10]`, or nothing."""
    return "" if row["low"] is None else f"[{row['low']:+.3f}, {row['high']:+.3f}]"


def _listed(names: Sequence[str]) -> str:
    """` (a, b)`, or nothing."""
    return f" ({', '.join(names)})" if names else ""
