"""The stage: files -> the content of compare.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flarecast.compare.comparison import compare
from flarecast.compare.entries import open_entries
from flarecast.config import Config
from flarecast.seen import record_evaluation
from flarecast.windows import open_windows


def run_compare(
    paths: Sequence[Path],
    references: Sequence[Path],
    truth: Path | None,
    config: Config,
    *,
    baselines: Sequence[str] = (),
    days_ahead: Sequence[int] = (),
) -> dict[str, Any]:
    """Runs and forecasts of anybody -> compare.json's content; see `compare` and `open_entries`.

    Raises:
        FlarecastError: A file is missing or no such file, or nothing is common to all.
    """
    entries = open_entries(paths, references, baselines=baselines, days_ahead=days_ahead)
    entries[0].forecasts.attrs.setdefault("unassigned", config.unassigned)
    content = compare(
        entries,
        truth=truth if truth is None or truth.suffix.lower() != ".nc" else open_windows(truth),
        baselines=baselines,
        rng=config.generator("compare"),
        resamples=config.evaluate.resamples,
        confidence=config.evaluate.confidence,
        blocks=config.evaluate.blocks,
        interval=config.evaluate.interval,
    )
    for entry in entries:
        record_evaluation(entry.path, entry.forecasts)
    return content
