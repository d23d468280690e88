"""What a study is given, and what it tells whoever started it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sources:
    """What the command line names: raw data, or windows that are there already; or neither."""

    raw: Path | None = None
    windows: Path | None = None


@dataclass(frozen=True)
class Told:
    """The result in words; everything else is in the files of the study's folder.

    Attributes:
        paragraphs: Data, for stdout.
        page: The file to read.
        about: A sentence on it.
    """

    paragraphs: tuple[str, ...]
    page: Path
    about: str
