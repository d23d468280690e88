"""Several forecasts of the same windows, ours or anybody's, compared pair by pair: who is better at what."""

from flarecast.compare.comparison import compare
from flarecast.compare.entries import Entry, open_entries
from flarecast.compare.stage import run_compare
from flarecast.compare.writing import write_comparison

__all__ = ["Entry", "compare", "open_entries", "run_compare", "write_comparison"]
