"""A dask cluster, which does the same to many things at once: the archives of a source, one task each."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from flarecast.errors import FlarecastError

Spread = Callable[[Callable[[Any], Any], list[Any]], Iterable[Any]]

_ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?|ucx)://)?(?:[\w.-]+|\[[\da-fA-F:.%]+\]):\d{1,5}", re.ASCII)

MOST_WORKERS = 1024
"""More processes on one machine are a slip of the finger."""

PATIENCE = 10
"""How long a scheduler, and the first worker, may take to answer [s]."""


@contextmanager
def spreading(scheduler: str) -> Iterator[Spread]:
    """Reach a cluster, or start one here; closed at the end if it was.

    Args:
        scheduler: Address of a dask scheduler (`tcp://host:8786`), or how many worker processes to start.

    Yields:
        What `map` does, on the cluster: results in the order of the items, the first error raised.

    Raises:
        FlarecastError: This is no address, dask is not installed, nobody answers, or the cluster breaks down.
    """
    n_workers = int(scheduler) if scheduler.isascii() and scheduler.isdecimal() else None
    if n_workers is None and not _ADDRESS.fullmatch(scheduler):
        raise FlarecastError(
            "--scheduler: expected a number of workers or the address of a dask scheduler like"
            f" tcp://host:8786, got {scheduler!r}"
        )
    if n_workers is not None and not 1 <= n_workers <= MOST_WORKERS:
        raise FlarecastError(f"--scheduler: expected 1 to {MOST_WORKERS} workers, got {n_workers}")
    try:
        import distributed
    except ImportError as error:
        raise FlarecastError(
            "--scheduler: expected dask, got none; pip install 'flarecast[scale]'"
        ) from error
    with ExitStack() as opened:
        address: Any = scheduler
        if n_workers is not None:
            # One thread each: reading holds the interpreter. No dashboard: it would need bokeh and a port.
            cluster: Any = distributed.LocalCluster
            address = opened.enter_context(
                cluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
            )
        try:
            connect: Any = distributed.Client
            client = opened.enter_context(connect(address, timeout=PATIENCE, set_as_default=False))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise FlarecastError(
                f"--scheduler: expected a dask scheduler with workers at {scheduler}, got no answer"
                f" ({_reason(error)})"
            ) from error
        yield lambda function, items: _results(client, function, items)


def _results(client: Any, function: Callable[[Any], Any], items: list[Any]) -> Iterator[Any]:
    """Results in the order of the items, each let go once it is taken."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    futures = client.map(partial(_try, function), items, pure=False)
    try:
        while futures:
            result, error = futures.pop(0).result()
            if error is not None:
                raise error
            yield result
    except (KilledWorker, FutureCancelledError, OSError, ImportError) as broken:
        raise FlarecastError(
            "--scheduler: expected workers that have this flarecast and see the same files, got"
            f" {type(broken).__name__} ({_reason(broken)}); look into their logs"
        ) from broken


def _try(function: Callable[[Any], Any], item: Any) -> tuple[Any, FlarecastError | None]:
    """On the cluster: the result, or what the user can mend, which is nothing for the cluster's logs."""
    try:
        return function(item), None
    except FlarecastError as error:
        return None, error


def _reason(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0]
