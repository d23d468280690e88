"""A sentence for each score that a report shows."""

GLOSSARY = {
    "Brier score": "mean squared difference between probability and outcome (1 or 0); 0 is perfect.",
    "Brier skill score (BSS)": "share by which the Brier score is smaller than that of the base rate of the "
    "scored windows; 1 is perfect, 0 as good as always saying the base rate, below 0 worse.",
    "average precision (AP)": "mean precision at the rank of each event; means nothing without base rate.",
    "ROC AUC": "chance that an event got a higher probability than a quiet window; 0.5 is guessing; easily "
    "pleased where most windows are plainly quiet.",
    "TSS": "true skill statistic, recall minus false alarm rate; does not depend on the base rate, and so "
    "does not mind many false alarms of a rare event.",
    "HSS": "Heidke skill score, share of correct yes/no forecasts beyond chance; depends on the base rate.",
    "recall": "share of the events that were forecast.",
    "precision": "share of the warnings that came true; 1 minus the false alarm ratio.",
    "false alarm rate": "share of the quiet windows that were warned in vain.",
    "false alarm ratio": "share of the warnings that were in vain.",
    "frequency bias": "number of warnings over number of events; 1 is as many as come.",
    "ECE": "expected calibration error, mean distance between probability and observed frequency over bins; "
    "never quite 0, even for perfect forecasts, and larger in small samples.",
    "calibration slope": "1 if probabilities are as bold as they should be; below too bold, above too timid.",
    "calibration intercept": "0 if probabilities are right on the whole; below 0 too high.",
    "relative economic value": "share of the possible saving that a user reaches who acts when the "
    "probability exceeds cost over loss.",
    "flares and days": "each flare counts once; it was warned of if a window issued before it began reached "
    "the decision threshold. A first flare follows 30 days without one; a clear day carried no warning.",
    "RPSS, GMGS, weighted kappa": "skill for all classes at once: of the ranked probabilities, of yes/no "
    "forecasts with more weight for rare classes, of agreement beyond chance; 1 is perfect, 0 no skill.",
    "climatology": "the event rate of the training windows, always.",
    "recent_27, recent_365": "event rate of the last 27 or 365 days known at issue.",
    "persistence": "what happened in the last span known at issue; calibrated: the training rate after that.",
    "best possible": "the true probability given all that a forecaster sees; only a simulation knows it.",
    "members": "models that differ in random numbers, windows or weights; their mean is the forecast.",
    "epistemic doubt": "entropy of the members' mean less their mean entropy, in bit: what they disagree on "
    "and more data could tell; members that are alike know no doubt.",
    "p (Brier, Holm)": "chance of so large a difference between forecasts of equal skill, found by swapping "
    "them block by block; corrected for the number of forecasts compared.",
    "interval": "95 % of the values when whole regions, or 27-day rotations, are drawn with replacement, the "
    "wider of the two; windows of one region are near copies of each other and are never drawn singly.",
}
"""Term: what it means."""
