"""Which windows something was fitted on, and which forecasts were scored, as text that an audit can read.

A set of windows is one bit a window, packed, compressed and written in base 64: sixty thousand windows take a
few kilobytes.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from flarecast.errors import FlarecastError
from flarecast.files import replacing
from flarecast.schema import ROLES

TEST = ROLES.index("test")

EVALUATIONS = "evaluations.jsonl"
"""File of a run folder with a line for each time that its test role was scored with other forecasts."""

EXPLANATION = "explanation"
"""What stands in the place of a file of forecasts where test was looked at to explain a model."""


def pack(index: NDArray[np.integer], n: int) -> str:
    """A set of windows out of n as text."""
    mask = np.zeros(n, dtype=np.bool_)
    mask[index] = True
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes(), 9)).decode("ascii")


def unpack(text: str, n: int) -> NDArray[np.bool_]:
    """Whether each of n windows is in a packed set, shape (n,).

    Raises:
        FlarecastError: It is no such text, or of another number of windows.
    """
    n_bytes = (n + 7) // 8
    try:
        packed = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), n_bytes + 1)
    except (binascii.Error, zlib.error, ValueError, TypeError) as error:
        raise FlarecastError(f"windows seen: expected packed bits, got something else ({error})") from error
    if len(packed) != n_bytes:
        raise FlarecastError(f"windows seen: expected bits of {n:,} windows, got {8 * len(packed):,} bits")
    mask: NDArray[np.bool_] = np.unpackbits(np.frombuffer(packed, np.uint8), count=n).astype(np.bool_)
    return mask


def read_evaluations(folder: Path) -> list[dict[str, Any]]:
    """Lines of a run's evaluations.jsonl; none where it was never evaluated.

    Raises:
        FlarecastError: It is damaged.
    """
    path = folder / EVALUATIONS
    if not path.is_file():
        return []
    try:
        return [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError) as error:
        raise FlarecastError(
            f"{path}: expected a JSON object a line, got something else ({error})"
        ) from error


def record_evaluation(path: Path, forecasts: xr.Dataset) -> None:
    """Add a line to a run's evaluations.jsonl, unless these forecasts of its test were scored before.

    Args:
        path: File of forecasts; nothing is recorded where its folder is not a run's.
        forecasts: Its content; nothing is recorded without a test role.

    Raises:
        FlarecastError: The file is damaged or cannot be written.
    """
    test = np.flatnonzero(forecasts["role"].values == TEST) if "role" in forecasts else np.zeros(0, np.int64)
    if test.size:
        _record(path.parent, forecasts.isel(window=test), path.name)


def record_look(folder: Path, parts: Sequence[xr.Dataset]) -> None:
    """Add a line to a run's evaluations.jsonl that says that its test was looked at to explain a model.

    Args:
        folder: RUN_DIR; nothing is recorded where it is none.
        parts: Forecasts that were looked at; nothing is recorded without a test role.

    Raises:
        FlarecastError: The file is damaged or cannot be written.
    """
    names = ["region", "issue_time", "probability"]
    tests = [part[names].isel(window=np.flatnonzero(part["role"].values == TEST)) for part in parts]
    rows = xr.concat(tests, "window", join="exact")
    if rows.sizes["window"]:
        _record(folder, rows, EXPLANATION)


def _record(folder: Path, rows: xr.Dataset, name: str) -> None:
    """Add a line for these forecasts of test windows, unless there is one."""
    if not (folder / "environment.json").is_file():
        return
    texts = "\n".join([*map(str, rows["region"].values), *map(str, rows["issue_time"].values)])
    entry = {
        "test_sha256": hashlib.sha256(texts.encode()).hexdigest(),
        "forecasts_sha256": hashlib.sha256(rows["probability"].values.tobytes()).hexdigest(),
        "forecasts": name,
        "n_test": int(rows.sizes["window"]),
    }
    before = read_evaluations(folder)
    keys = ("test_sha256", "forecasts_sha256", *(("forecasts",) if name == EXPLANATION else ()))
    if all(any(one.get(key) != entry[key] for key in keys) for one in before):
        with replacing(folder / EVALUATIONS) as aside:
            lines = [json.dumps(one) for one in [*before, entry]]
            aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
