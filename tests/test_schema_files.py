"""Files that cannot be read or written as netCDF of ours."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from flarecast import schema
from flarecast.errors import FlarecastError


def split():
    """A small split file."""
    attributes = {"windows_sha256": "00ff", "strategy": "by_time", "embargo_hours": 36.0, "history": "split"}
    return schema.build(schema.SPLIT, {"role": [[1, 2, 3, 4]]}, attributes)


def forecasts():
    """A small forecasts file."""
    arrays = {
        "event": ["M1.0"],
        "probability": [[0.5]],
        "occurred": [[1]],
        "issue_time": [0],
        "valid_from": [0],
        "valid_to": [86_400],
        "region": ["disk"],
        "cluster": ["rotation 1"],
        "role": [4],
        "fold": [0],
    }
    return schema.build(schema.FORECASTS, arrays, {"forecast_name": "model", "history": ""})


def unreadable(folder):
    """Paths that hold no file of ours, by what they are."""
    schema.save(split(), folder / "whole.nc", schema.SPLIT)
    (folder / "text.nc").write_text("no netCDF")
    (folder / "empty.nc").write_bytes(b"")
    (folder / "half.nc").write_bytes((folder / "whole.nc").read_bytes()[:4000])
    with h5py.File(folder / "other.nc", "w") as other:
        other["x"] = np.arange(3)
    schema.save(forecasts(), folder / "forecasts.nc", schema.FORECASTS)
    return folder


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.nc", "expected a split file, found none"),
        (".", "expected a split file, found none"),
        ("text.nc", "expected a split file, got no readable netCDF"),
        ("empty.nc", "expected a split file, got no readable netCDF"),
        ("half.nc", "expected a split file, got no readable netCDF"),
        ("other.nc", "expected a split file; attribute windows_sha256 is missing"),
        ("forecasts.nc", "expected a split file; attribute windows_sha256 is missing"),
    ],
)
def test_what_is_no_such_file_is_one_sentence_with_its_name(name, message, tmp_path):
    path = unreadable(tmp_path) / name
    with pytest.raises(FlarecastError) as caught:
        schema.open_file(path, schema.SPLIT)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_where_the_folder_cannot_be_written_nothing_is(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FlarecastError, match=r"split\.nc: cannot be written"):
        schema.save(split(), tmp_path / "file" / "split.nc", schema.SPLIT)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "split.nc"
    schema.save(split(), path, schema.SPLIT)
    before = path.read_bytes()

    write_bytes = Path.write_bytes

    def fail(aside, content):
        write_bytes(aside, bytes(content)[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(FlarecastError, match=r"split\.nc: cannot be written \(No space left on device\)"):
        schema.save(split(), path, schema.SPLIT)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["split.nc"]
