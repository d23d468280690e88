"""What the study of calibration found, in words made from its numbers and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]

QUESTIONS = {
    "weighting": "What does balanced training cost, and what does calibration give back?",
    "calibrators": "Which calibrator?",
    "tested": "Are the forecasts calibrated?",
    "nesting": "Nested events: the running minimum, or each event given the one below?",
    "years": "Does a calibration last?",
    "shift": "Can the event rate be had without outcomes?",
    "thresholds": "What does it cost to choose the decision threshold on calibration?",
}
ON_TOP = ("conditional", "sequential", "refit expanding", "refit sliding", "em", "black_box")
"""Ways that are not calibrators of their own."""


def paragraphs(content: Mapping[str, Any]) -> dict[str, str]:
    """An answer to each question, by its name in `QUESTIONS`."""
    return {
        "weighting": _weighting(content["weighting"]),
        "calibrators": _calibrators(content["scores"]),
        "tested": _tested(content["scores"]),
        "nesting": _nesting(content["nesting"]),
        "years": _years(content["years"], content["event"]),
        "shift": _shift(content["shift"], content["event"]),
        "thresholds": _thresholds(content["thresholds"]),
    }


def told(found: Mapping[str, float | None], signed: bool = False) -> str:
    """`0.18 [0.11, 0.23]`, or that it is undefined."""
    if found["value"] is None:
        return "undefined"
    sign = "+" if signed else ""
    text = f"{found['value']:{sign}.3f}"
    return text if found["low"] is None else f"{text} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


def _weighting(rows: Rows) -> str:
    """BSS raw, calibrated, and against the model without weights."""
    sentences = [
        f"{row['event']}, {row['contender']}: BSS {told(row['bss_raw'])} raw and "
        f"{told(row['bss_calibrated'])} calibrated, against {told(row['bss_natural'])} of {row['against']} "
        f"without weights and uncalibrated (difference {told(row['difference'], signed=True)})."
        for row in rows
    ]
    return " ".join(sentences) or "No balanced contender has one beside it that is otherwise the same."


def _calibrators(rows: Rows) -> str:
    """Best by log loss, for each contender and event, and what Platt changed."""
    sentences = []
    for contender, event in dict.fromkeys((row["contender"], row["event"]) for row in rows):
        mine = [row for row in rows if (row["contender"], row["event"]) == (contender, event)]
        by_way = {row["way"]: row for row in mine}
        losses = {
            way: row["log_loss"]["value"]
            for way, row in by_way.items()
            if way not in ON_TOP and row["log_loss"]["value"] is not None
        }
        if not losses:
            continue
        best = min(losses, key=losses.__getitem__)
        platt, auto = by_way["platt"], by_way["auto"]
        sentences.append(
            f"{event}, {contender}: smallest log loss by {best} ({losses[best]:.4f}; raw "
            f"{losses['raw']:.4f}, platt {losses['platt']:.4f}, auto {losses['auto']:.4f}); BSS against raw "
            f"{told(platt['bss_minus_raw'], signed=True)} by platt, "
            f"{told(auto['bss_minus_raw'], signed=True)} by auto."
        )
    return " ".join(sentences) or "Nothing could be scored."


def _tested(rows: Rows) -> str:
    """Which contenders pass a test, raw and calibrated."""
    sentences = []
    for way in ("raw", "platt", "auto", "sequential"):
        mine = [row for row in rows if row["way"] == way and row["p_value"] is not None]
        passed = [f"{row['contender']} ({row['event']})" for row in mine if row["p_value"] >= 0.05]
        words = f": {', '.join(passed)}" if passed else ""
        sentences.append(f"{way}: {len(passed)} of {len(mine)} pass at the 5 % level{words}.")
    return " ".join(sentences)


def _nesting(rows: Rows) -> str:
    """Differences conditional minus minimum."""
    if not rows:
        return "There is one event: nothing to nest."
    sentences = [
        f"{row['event']}, {row['contender']}: conditional curves change BSS by "
        f"{told(row['bss'], signed=True)} and log loss by {told(row['log_loss'], signed=True)}."
        for row in rows
    ]
    return " ".join(sentences)


def _years(rows: Rows, event: str) -> str:
    """Bias and Brier score of the frozen and of the sequential calibration."""
    if not rows:
        return "Nothing could be scored."
    n = sum(row["n"] for row in rows)

    def mean(key: str, way: str) -> float:
        return float(sum(row["n"] * row[key][way] for row in rows) / n)

    rate = sum(row["n_events"] for row in rows) / n
    worst = max(rows, key=lambda row: abs(row["mean_probability"]["platt"] - row["rate"]))
    better = sum(row["brier"]["sequential"] < row["brier"]["platt"] for row in rows)
    said = {way: mean("mean_probability", way) for way in ("platt", "sequential")}
    then = worst["mean_probability"]
    return (
        f"{event}: over {len(rows)} years it came in {rate:.4f} of the windows; frozen calibration said "
        f"{said['platt']:.4f}, sequential {said['sequential']:.4f}. Frozen it was furthest off in "
        f"{worst['year']}: {then['platt']:.3f} against {worst['rate']:.3f} (sequential "
        f"{then['sequential']:.3f}). Sequential recalibration has the smaller Brier score in {better} of "
        f"{len(rows)} years, {mean('brier', 'sequential'):.5f} against {mean('brier', 'platt'):.5f} over all."
    )


def _shift(tables: Mapping[str, Rows], event: str) -> str:
    """What EM and black box did where nothing but the cycle changed, and where the rate alone was changed."""
    sentences = []
    for kind, words in (
        ("natural", "as it is"),
        ("planted", "after three quarters of the test's events were taken out at random"),
    ):
        rows = [row for row in tables[kind] if row["contender"] == "model"]
        changes = ", ".join(
            f"{row['way']} {told(row['difference'], signed=True)} (mean forecast "
            f"{row['mean_probability']:.4f})"
            for row in rows
            if row["way"] != "platt"
        )
        fixed = next(row for row in rows if row["way"] == "platt")
        sentences.append(
            f"{event}, {words} (rate {fixed['rate']:.4f}, mean forecast {fixed['mean_probability']:.4f}, BSS "
            f"{told(fixed['bss'])}): change of BSS by {changes}."
        )
    return " ".join(sentences)


def _thresholds(rows: Rows) -> str:
    """TSS reached, and lost against the best on test."""
    return " ".join(
        f"{row['event']}: TSS {told(row['tss'])} at {row['threshold']:.3g} from calibration, "
        f"{told(row['lost'])} below the best that test allows."
        for row in rows
    )
