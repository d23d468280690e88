"""Bring the files that are wanted and not here: fetched aside, checked, renamed, written down."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flarecast import __version__
from flarecast.download.records import Entry, read_record, write_record
from flarecast.download.transfer import check_kind, check_space, forget, size_of, transfer
from flarecast.download.wanted import Answer, Means, Missing, NoRoom, Unreachable, Wanted
from flarecast.errors import FlarecastError
from flarecast.files import sha256


@dataclass
class Outcome:
    """Names of the files that came, that were here, and that there are not (yet)."""

    fetched: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def obtain_all(wanted: Sequence[Wanted], folder: Path, here: Collection[str], means: Means) -> Outcome:
    """Bring files into a folder and write down what came, after each one.

    Args:
        wanted: The files.
        folder: Where they go.
        here: Names of those that came earlier and are whole.
        means: What is used of the world.

    Raises:
        Unreachable: There is no way to the server, so that nothing else would come either.
        NoRoom: The disk is full, or would be.
        FlarecastError: Some could not be had; all problems are named, the others came.
    """
    outcome, problems = Outcome(), []
    missing = [item for item in wanted if item.name not in here]
    check_space(sum((item.size or 0) - size_of(_part(folder, item)) for item in missing), folder, means)
    for item in wanted:
        try:
            outcome_of = _obtain(item, folder, item.name in here, means)
            getattr(outcome, outcome_of).append(item.name)
        except Missing as error:
            if item.optional:
                means.say(f"{item.name}: not there yet")
                outcome.absent.append(item.name)
            else:
                problems.append(str(error))
        except (Unreachable, NoRoom):
            raise
        except FlarecastError as error:
            problems.append(str(error))
    if problems:
        more = f" (and {len(problems) - 5} more problems)" if len(problems) > 5 else ""
        raise FlarecastError(
            f"{folder}: {len(outcome.fetched) + len(outcome.kept)} of {len(wanted)} files are here; "
            + "; ".join(problems[:5])
            + more
        )
    return outcome


def read_text(item: Wanted, folder: Path, means: Means) -> str:
    """A small text that says what there is; it is not kept."""
    part = _part(folder, item)
    forget(part)
    try:
        transfer(item, part, {}, means)
        return part.read_text(encoding="utf-8", errors="replace")
    finally:
        forget(part)


def _obtain(item: Wanted, folder: Path, here: bool, means: Means) -> str:
    """Bring one file unless it is here; gives the field of `Outcome` that it belongs to."""
    path, record = folder / item.name, read_record(folder)
    entry = record.get(item.name)
    if path.is_file() and (entry is None or not entry.url) and _has_hash(path, item):
        check_kind(path, item.name)
        write_record(folder, record | {item.name: Entry(sha256(path), path.stat().st_size)})
        return "kept"
    if here and not item.grows:
        return "kept"
    try:
        answer = _fetch(item, path, entry.version if here and entry else {}, means)
    except Unreachable as error:
        if not here:
            raise
        means.say(f"{item.name}: kept as it is; {error}")
        return "kept"
    if answer is None:
        return "kept"
    entry = Entry(
        sha256=sha256(path),
        size=path.stat().st_size,
        url=answer.url,
        accessed=means.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        etag=answer.etag,
        last_modified=answer.last_modified,
        flarecast=__version__,
    )
    write_record(folder, record | {item.name: entry})
    return "fetched"


def _fetch(item: Wanted, path: Path, unless: dict[str, str], means: Means) -> Answer | None:
    """Fetch a file through pooch, which checks its hash; it gets its name when all is well."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it would print every address on its own
    part, aside = _part(path.parent, item), f".{item.name}.fetched"
    answers: list[Answer | None] = []

    def bring(_: str, output_file: str, __: object) -> None:
        """Transfer into the part, which outlives a failure, and hand it to pooch when it is whole."""
        answers.append(transfer(item, part, unless, means))
        if answers[0] is not None:
            try:
                check_kind(part, item.name)
            except FlarecastError:
                forget(part)
                raise
            part.replace(output_file)

    path.with_name(aside).unlink(missing_ok=True)
    try:
        fetched = pooch.retrieve(item.urls[0], item.hash, fname=aside, path=path.parent, downloader=bring)
    except ValueError as error:
        forget(part)
        raise FlarecastError(
            f"{item.name}: expected {item.hash}, got other bytes from {item.urls[0]};"
            " call again, it is fetched anew"
        ) from error
    if answers[0] is None:
        Path(fetched).unlink(missing_ok=True)
        return None
    Path(fetched).replace(path)
    forget(part)
    return answers[0]


def _has_hash(path: Path, item: Wanted) -> bool:
    """Whether a file that was put here by hand has the hash that is fixed, if one is."""
    algorithm, _, value = (item.hash or "").partition(":")
    if not value:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() == value


def _part(folder: Path, item: Wanted) -> Path:
    """Where the bytes of a file gather."""
    return folder / f"{item.name}.part"
