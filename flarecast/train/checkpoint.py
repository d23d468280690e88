"""State of a training after an epoch, so that a killed one goes on as if nothing had happened.

One file, written aside and renamed: tensors, numbers and text only, read with `weights_only=True`.
"""

import hashlib
import io
import json
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from flarecast.files import replacing

NAME = "checkpoint.pt"

OF_ANOTHER = "a checkpoint of another configuration, other data, another device or other versions"
"""Why a checkpoint is not gone on from, though it can be read."""


def identity(content: dict[str, Any]) -> str:
    """Hash of all that a training depends on; a checkpoint of another identity is not gone on from."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def write_checkpoint(path: Path, state: dict[str, Any], whose: str) -> None:
    """Write the state of the training `whose`.

    Raises:
        FlarecastError: The folder cannot be written.
    """
    content = io.BytesIO()  # torch would hide from us why a file cannot be written
    torch.save({"identity": whose, "state": state}, content)
    with replacing(path) as aside:
        aside.write_bytes(content.getvalue())


def read_checkpoint(held: bytes, whose: str) -> tuple[dict[str, Any] | None, str]:
    """State of the training `whose`, None where there is none; and why a file with content has none."""
    if not held:
        return None, ""
    try:
        content = torch.load(io.BytesIO(held), map_location="cpu", weights_only=True)
        state: dict[str, Any] = content["state"]
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, UnpicklingError):
        return None, "expected a checkpoint, got a file that cannot be read"
    if content.get("identity") != whose:
        return None, OF_ANOTHER
    return state, ""
