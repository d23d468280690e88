"""The work of a study in pieces: each in a folder of its own, done once, several at the same time."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flarecast.errors import FlarecastError
from flarecast.files import read_json, write_json
from flarecast.resources import end_with_parent
from flarecast.train.checkpoint import identity

Say = Callable[[str], object]


@dataclass(frozen=True)
class Job:
    """One piece.

    Attributes:
        name: For whoever watches.
        done: File that is written last, with what the work gave; without a file beside it that the result
            names under `made` the work is done anew.
        depends_on: All that the result depends on, as plain values.
        work: Gives the result as plain values; it can be sent to another process.
        required: Whether the study ends where it fails.
    """

    name: str
    done: Path
    depends_on: Any
    work: Callable[[], dict[str, Any]]
    required: bool = False


@dataclass(frozen=True)
class Outcome:
    """What the jobs gave, and why some gave nothing; by name."""

    results: Mapping[str, dict[str, Any]]
    refused: Mapping[str, str]


def run_jobs(jobs: Sequence[Job], workers: int, say: Say, what: str = "trainings") -> Outcome:
    """Do all jobs that are not done yet.

    A job that raises a FlarecastError is refused, and tried again when the study goes on.

    Args:
        jobs: Names and files that differ.
        workers: Processes.
        say: Told of each job that is done.
        what: Name of the jobs, for it.

    Raises:
        FlarecastError: A required job failed.
    """
    results = {job.name: said for job in jobs if (said := _read_done(job)) is not None}
    refused: dict[str, str] = {}
    left = [job for job in jobs if job.name not in results]
    say(f"{len(jobs)} {what}, {len(results)} of them done before")

    def note(job: Job, said: dict[str, Any] | str) -> None:
        if isinstance(said, str) and job.required:
            raise FlarecastError(said)
        if isinstance(said, str):
            refused[job.name] = said
        else:
            results[job.name] = said
        say(f"{job.name}: {said if isinstance(said, str) else said.get('reason') or 'done'}")

    if workers == 1 or len(left) < 2:
        for job in left:
            note(job, _do(job))
        return Outcome(results, refused)
    with ProcessPoolExecutor(min(workers, len(left)), get_context("spawn"), end_with_parent) as pool:
        running = {pool.submit(_do, job): job for job in left}
        for one in as_completed(running):
            note(running[one], one.result())
    return Outcome(results, refused)


def _do(job: Job) -> dict[str, Any] | str:
    """Do a job and note that it is done; the reason why not, if it cannot be."""
    try:
        said = job.work()
    except FlarecastError as error:
        return str(error)
    write_json(job.done, {"identity": _whose(job), **said})
    return said


def _read_done(job: Job) -> dict[str, Any] | None:
    """What a job gave before, from the same; None where it is to be done."""
    said: dict[str, Any] = read_json(job.done) if job.done.is_file() else {}
    if said.pop("identity", None) != _whose(job):
        return None
    return said if all((job.done.parent / name).is_file() for name in said.get("made", ())) else None


def _whose(job: Job) -> str:
    """Hash of all that a job depends on."""
    return identity({"job": job.depends_on})
