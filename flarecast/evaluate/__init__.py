"""Forecasts -> scores with intervals, for ours and anybody's, on the windows that all of them forecast."""

from flarecast.evaluate.evaluation import evaluate
from flarecast.evaluate.pairing import Paired, fill_outcomes, pair
from flarecast.evaluate.table import HEADLINE, score_table

__all__ = ["HEADLINE", "Paired", "evaluate", "fill_outcomes", "pair", "score_table"]
