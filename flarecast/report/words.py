"""What the numbers say, in words: made from records of scores.json and from nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

from flarecast.cycles import iso
from flarecast.report.content import MODEL, Content, Record
from flarecast.report.names import label_of

WITHIN = "Intervals are about sampling within this period, not about the next solar cycle."


def headline(content: Content) -> list[str]:
    """What the model can and cannot do, a sentence each.

    Args:
        content: A run.
    """
    event = content.main_event
    said = [_skill(content, event)]
    if content.both(event):
        return said
    about = (_compared(content, event), _caught(content, event), _calibration(content, event))
    said += [one for one in about if one]
    said += [_other(content, one) for one in content.events if one != event and not content.both(one)]
    said += [_ceiling(content, event)] if content.record(event, "truth_observed", "bss") else []
    return [*said, WITHIN]


def audit_verdict(audit: Mapping[str, Any]) -> tuple[str, str]:
    """Verdict of the audit as a word (good, warning, bad, unknown) and a sentence."""
    if not audit:
        return "unknown", "The split was not audited: nobody has looked for leaks."
    leaks, warnings = int(audit["n_leaks"]), int(audit["n_warnings"])
    if leaks:
        return "bad", f"{leaks} leak{'' if leaks == 1 else 's'} found: these scores cannot be believed."
    if warnings:
        return "warning", f"No leak found; {warnings} warning{'' if warnings == 1 else 's'}."
    return "good", "No leak found, no warning."


def period(content: Content) -> str:
    """First and last day of the windows scored: `2008-12-01 to 2019-11-30`."""
    start = content.forecasts["valid_from"].values[content.scored]
    return f"{iso(start.min())[:10]} to {iso(start.max())[:10]}" if start.size else "no windows"


def what(content: Content) -> str:
    """What was forecast from what, in a sentence."""
    attributes = content.forecasts.attrs
    lead, horizon = (float(attributes.get(f"{name}_hours", 0)) for name in ("lead", "horizon"))
    events = " and ".join(content.events) if len(content.events) < 3 else ", ".join(content.events)
    source = str(attributes.get("source", "an unnamed source"))
    span = f"the {horizon:g} h " + (f"that begin {lead:g} h after issue" if lead else "after issue")
    model = str(attributes.get("model_name", attributes.get("forecast_name", MODEL)))
    model += f" (mean of {content.n_members} members)" if content.n_members else ""
    scored = period(content)
    return f"Flares of {events} or more in {span}, forecast by {model} from {source}; scored {scored}."


def interval(record: Record | None, digits: int = 3) -> str:
    """`0.315 [0.24, 0.38]`, or why not."""
    if record is None:
        return "not scored"
    if record["value"] is None:
        return str(record["reason"] or "undefined")
    if record["low"] is None:
        return f"{record['value']:z.{digits}f} (no interval)"
    bounds = f"[{record['low']:z.2f}, {record['high']:z.2f}]"
    return f"{record['value']:z.{digits}f} {bounds}"


def _skill(content: Content, event: str) -> str:
    """Whether there is skill at all."""
    record = content.record(event, MODEL, "bss")
    if record is None or record["value"] is None:
        return f"Nothing can be said of {event} or more: {content.both(event) or interval(record)}."
    where = f"in {record['n']:,} windows with {record['n_events']:,} events of {event} or more"
    brier = f"Brier skill score {interval(record)}"
    if record["low"] is None:
        return f"Too few independent events to tell whether there is skill {where} ({brier})."
    if record["low"] > 0:
        return f"The probabilities have skill beyond the base rate {where} ({brier})."
    if record["high"] < 0:
        return f"The probabilities are worse than the base rate alone {where} ({brier})."
    return f"The probabilities cannot be told from the base rate alone {where} ({brier})."


def _compared(content: Content, event: str) -> str:
    """Which forecasts it beats, which it does not, by the paired difference of the Brier score."""
    found: dict[str, list[str]] = {"better than": [], "worse than": [], "not distinguishable from": []}
    for name in content.compared(event):
        record = content.record(event, MODEL, f"brier_minus_{name}")
        if record is None or record["low"] is None or name in ("truth", "truth_observed"):
            continue
        verdict = "better than" if record["high"] < 0 else "worse than" if record["low"] > 0 else ""
        found[verdict or "not distinguishable from"].append(label_of(name))
    parts = [f"{verdict} {_listed(names)}" for verdict, names in found.items() if names]
    return f"By Brier score on the same windows it is {'; '.join(parts)}." if parts else ""


def _caught(content: Content, event: str) -> str:
    """What a warning service would see at the decision threshold."""
    recall, wrong = (content.record(event, MODEL, name) for name in ("recall", "false_alarm_ratio"))
    if recall is None or wrong is None or recall["value"] is None or wrong["value"] is None:
        return ""
    return (
        f"Warning at its decision threshold of {_percent(recall.get('decision_threshold'))}, it catches "
        f"{recall['value']:.0%} of the events, and {wrong['value']:.0%} of its warnings are false alarms."
    )


def _calibration(content: Content, event: str) -> str:
    """Whether probabilities mean what they say."""
    slope = content.record(event, MODEL, "calibration_slope")
    intercept = content.record(event, MODEL, "calibration_intercept")
    if slope is None or slope["low"] is None:
        return ""
    if slope["high"] < 1:
        return f"Its probabilities are too bold (calibration slope {interval(slope, 2)})."
    if slope["low"] > 1:
        return f"Its probabilities are too timid (calibration slope {interval(slope, 2)})."
    bounds = None if intercept is None else (intercept["low"], intercept["high"])
    if intercept is not None and bounds and None not in bounds and not bounds[0] <= 0 <= bounds[1]:
        way = "too high" if intercept["high"] < 0 else "too low"
        return f"Its probabilities are {way} on the whole (calibration intercept {interval(intercept, 2)})."
    return f"Its probabilities agree with what came (calibration slope {interval(slope, 2)})."


def _other(content: Content, event: str) -> str:
    """Skill for another event, in one clause."""
    record = content.record(event, MODEL, "bss")
    if record is None or record["low"] is None:
        return f"For {event} or more there are too few independent events for an answer."
    if record["low"] > 0:
        return f"For {event} or more there is skill, too ({interval(record)})."
    verdict = "harm" if record["high"] < 0 else "no skill that could be told from chance"
    return f"For {event} or more there is {verdict} ({interval(record)})."


def _ceiling(content: Content, event: str) -> str:
    """The best possible forecast of a simulation."""
    best = content.record(event, "truth_observed", "bss")
    return f"The best forecast that the data allow, which only a simulation knows, reaches {interval(best)}."


def _listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(value: float | None) -> str:
    """A probability in per cent with two figures."""
    return "each fold" if value is None else f"{value:.2%}" if value < 0.1 else f"{value:.0%}"


def findings(audit: Mapping[str, Any], most: int = 40) -> Iterator[tuple[str, str]]:
    """Level and message of the audit's findings, leaks first."""
    order = sorted(audit.get("findings", ()), key=lambda finding: finding["level"] != "leak")
    yield from ((str(one["level"]), str(one["message"])) for one in order[:most])
    if len(order) > most:
        yield "warning", f"... and {len(order) - most} more in audit.json"
