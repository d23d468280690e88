"""Read a mapping from TOML and from options, or say all that is wrong with it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flarecast.errors import FlarecastError
from flarecast.ingest.tables.mapping import Table


def read_mapping(path: str, given: Mapping[str, Any]) -> Table:
    """Read and check a mapping.

    Args:
        path: TOML file with the sections under `ingest.options`; empty for none.
        given: Sections by name, whose keys replace those of the file, and `max_bad_rows`; None = not given.

    Raises:
        FlarecastError: No such file, no TOML, or sections that are not allowed; all problems are named.
    """
    content = _read(Path(path)) if path else {}
    for name, value in given.items():
        if isinstance(value, Mapping) and isinstance(content.get(name), Mapping):
            content[name] = {**content[name], **value}
        elif value is not None:
            content[name] = value
    features = content.get("features", {})
    if isinstance(features, Mapping):
        content["features"] = {
            name: {"unit": value} if isinstance(value, str) else value for name, value in features.items()
        }
    try:
        return Table.model_validate(_tuples(content))
    except ValidationError as error:
        raise FlarecastError(_sentence(path or "ingest.options", error)) from error


def _read(path: Path) -> dict[str, Any]:
    """Sections of a TOML file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FlarecastError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FlarecastError(f"{path}: expected TOML, got something else ({error})") from error
    ingest = content.get("ingest", {})
    options = ingest.get("options", {}) if isinstance(ingest, dict) else {}
    if not isinstance(options, dict) or not options:
        raise FlarecastError(f"{path}: expected sections like [ingest.options.features], got none")
    return dict(options)


def _tuples(content: Any) -> Any:
    """Lists as tuples, which a strict model wants."""
    if isinstance(content, Mapping):
        return {key: _tuples(value) for key, value in content.items()}
    return tuple(_tuples(item) for item in content) if isinstance(content, list) else content


def _sentence(where: str, error: ValidationError) -> str:
    """All problems of a mapping in one line."""
    problems = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key"
        elif problem["type"] == "missing":
            text = "is missing"
        elif problem["type"] != "value_error":
            text = f"{text[:1].lower()}{text[1:]}, got {problem['input']!r}"
        problems.append(f"{place}: {text}" if place else text)
    return f"{where}: " + "; ".join(problems)
