"""Files: written aside and renamed, hashed, JSON without surprises."""

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flarecast.errors import FlarecastError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; rename it to `path` if the block succeeds, else remove it.

    Raises:
        FlarecastError: The folder cannot be made or written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        aside.replace(path)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if aside.exists():
            aside.unlink()


def sha256(path: Path) -> str:
    """Hash of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys off, two spaces, and NaN or infinity as null."""
    with replacing(path) as aside:
        aside.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FlarecastError: It is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise FlarecastError(f"{path}: expected JSON, got something else ({error})") from error


def _no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which are no JSON, though Python reads them."""
    raise ValueError(f"{name} is no JSON")


def _finite(content: Any) -> Any:
    """Replace every float that JSON cannot hold by None, and numpy scalars by Python's."""
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    if hasattr(content, "tolist"):
        return _finite(content.tolist())
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
