"""The source of a run's windows and the contexts that join them, with the options that the run gives them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import xarray as xr

from flarecast import ingest
from flarecast.config import Config
from flarecast.config.checking import check_options
from flarecast.errors import FlarecastError, choose
from flarecast.ingest.cluster import spreading


def source_of(config: Config) -> tuple[Callable[..., xr.Dataset], list[Callable[..., xr.Dataset]]]:
    """Source and contexts, names and options checked.

    Returns:
        `(raw, rng) -> windows`, and a list of `(windows, raw) -> windows` in the order of the configuration.

    Raises:
        FlarecastError: An unknown source, context or option, or options of a context that is not named.
    """
    asked = config.ingest
    source = choose("ingest.source", asked.source, ingest.SOURCES)
    options = check_options(source, asked.options, "ingest.options")
    unused = sorted(set(asked.context_options) - set(asked.context))
    if unused:
        raise FlarecastError(
            f"ingest.context_options: expected contexts named in context, got {', '.join(unused)}"
        )
    contexts: list[Callable[..., xr.Dataset]] = []
    for name in asked.context:
        join = choose("ingest.context", name, ingest.CONTEXTS)
        chosen = check_options(join, asked.context_options.get(name, {}), f"ingest.context_options.{name}")
        contexts.append(partial(join, **chosen))
    return partial(source, **options), contexts


def make_windows(config: Config, raw: Path | None, scheduler: str = "") -> xr.Dataset:
    """Windows of a run's source, with its contexts joined.

    Args:
        config: The configuration.
        raw: Its raw data.
        scheduler: Where the source is read, if not in this process: see `ingest.cluster.spreading`.

    Raises:
        FlarecastError: It cannot be read, or not on a cluster.
    """
    source, contexts = source_of(config)
    rng = config.generator("ingest")
    if not scheduler:
        windows = source(raw, rng)
    elif config.ingest.source not in ingest.SPREAD:
        raise FlarecastError(
            f"--scheduler: expected a source of many archives ({', '.join(ingest.SPREAD)}), got"
            f" {config.ingest.source}; leave it out"
        )
    else:
        with spreading(scheduler) as spread:
            windows = source(raw, rng, spread)
    for join in contexts:
        windows = join(windows, raw)
    return windows
