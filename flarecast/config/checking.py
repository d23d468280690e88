"""What is wrong with values that a model or a part's signature does not take, all of it in one line."""

import inspect
import json
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from flarecast.errors import FlarecastError


def check_options(
    function: Callable[..., Any], options: Mapping[str, Any], what: str, given: Collection[str] = ()
) -> dict[str, Any]:
    """Check options against the keyword-only arguments of a part's function, names and types.

    Args:
        function: The part.
        options: What the configuration says.
        what: Name of the section in messages, like `split.options`.
        given: Arguments that the stage itself passes, so that options may not.

    Returns:
        The options in the types of the signature (arrays become tuples).

    Raises:
        FlarecastError: Unknown names (the known ones are listed) or wrong types.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    known = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in given}
    fields: dict[str, Any] = {
        name: (Any if p.annotation is p.empty else p.annotation, ... if p.default is p.empty else p.default)
        for name, p in known.items()
    }
    checker = create_model("Options", __config__=ConfigDict(extra="forbid", strict=True), **fields)
    try:
        checked = checker.model_validate_json(json.dumps(dict(options), default=str))
    except ValidationError as error:
        raise FlarecastError(problems_of(what, error, checker)) from error
    return {name: getattr(checked, name) for name in options}


def problems_of(where: str, error: ValidationError, model: type[BaseModel]) -> str:
    """All problems of a validation in one line; an unknown key lists the known ones."""
    problems = []
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = sorted(_fields_at(model, problem["loc"][:-1]))
            problems.append(f"unknown key {place}; known here: {', '.join(known) or 'none'}")
        else:
            reason = problem["msg"].removeprefix("Value error, ")
            reason = reason if reason[1:2].isupper() else reason[:1].lower() + reason[1:]
            got = "" if problem["type"] in ("value_error", "missing") else f", got {problem['input']!r}"
            problems.append(f"{place}: {reason}{got}" if place else reason + got)
    return f"{where}: " + "; ".join(problems)


def _fields_at(model: type[BaseModel], place: Sequence[int | str]) -> Collection[str]:
    """Names of the keys of the section that a place leads to."""
    fields = model.model_fields
    for name in place:
        inner = fields[str(name)].annotation if str(name) in fields else None
        if (
            not isinstance(inner, type)
            or isinstance(inner, types.GenericAlias)
            or not issubclass(inner, BaseModel)
        ):
            return ()
        fields = inner.model_fields
    return fields
