"""Files: written aside and renamed, hashed, JSON without surprises."""

import json
import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flarecast.errors import FlarecastError
from flarecast.files import read_json, replacing, sha256, write_json


def names_in(folder):
    """Names of all that lies in a folder."""
    return [path.name for path in folder.iterdir()]


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "out.txt"
    with replacing(path) as aside:
        aside.write_text("half")
        assert not path.exists()
        assert aside.parent == path.parent
    assert path.read_text() == "half"
    assert names_in(path.parent) == ["out.txt"]


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def write_and_break():
        with replacing(path) as aside:
            aside.write_text("half")
            raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        write_and_break()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["out.txt"]


def test_a_block_that_is_interrupted_leaves_nothing(tmp_path):
    def write_and_stop():
        with replacing(tmp_path / "out.txt") as aside:
            aside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    assert names_in(tmp_path) == []


def test_a_user_error_inside_the_block_is_told_as_it_is(tmp_path):
    def write_and_complain():
        with replacing(tmp_path / "out.txt"):
            raise FlarecastError("forecasts: expected this, got that")

    with pytest.raises(FlarecastError, match=r"^forecasts: expected this, got that$"):
        write_and_complain()


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "out.txt", tmp_path / "file" / "deeper" / "out.txt"):
        with pytest.raises(FlarecastError, match=r"out\.txt: cannot be written \("), replacing(path) as aside:
            aside.write_text("")
    assert names_in(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(FlarecastError, match="cannot be written"),
            replacing(tmp_path / "out.txt") as aside,
        ):
            aside.write_text("")
    finally:
        tmp_path.chmod(0o700)
    assert names_in(tmp_path) == []


def test_a_name_that_is_a_folder_is_one_sentence_and_leaves_no_half_file(tmp_path):
    (tmp_path / "out.txt").mkdir()
    with (
        pytest.raises(FlarecastError, match=r"out\.txt: cannot be written"),
        replacing(tmp_path / "out.txt") as aside,
    ):
        aside.write_text("whole")
    assert names_in(tmp_path) == ["out.txt"]


def test_the_hash_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_json_holds_null_for_what_is_not_finite_and_plain_numbers_for_numpys(tmp_path):
    content = {
        "nan": math.nan,
        "list": [np.float32(0.5), -math.inf, np.int8(3)],
        "array": np.array([[1.0, np.nan]]),
        "flag": np.bool_(True),
        "nothing": None,
        "tuple": (1, "text"),
        3: "number as key",
    }
    write_json(tmp_path / "out.json", content)
    assert read_json(tmp_path / "out.json") == {
        "nan": None,
        "list": [0.5, None, 3],
        "array": [[1.0, None]],
        "flag": True,
        "nothing": None,
        "tuple": [1, "text"],
        "3": "number as key",
    }
    text = (tmp_path / "out.json").read_text()
    assert text.endswith("}\n")
    assert text.index("nan") < text.index("flag"), "the order of the keys is kept"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_json_comes_back_as_it_was(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    write_json(path, content)
    assert read_json(path) == content
    assert json.dumps(read_json(path)) == json.dumps(content)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{'a': 1}"])
def test_what_is_no_json_is_one_sentence(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(FlarecastError, match=r"bad\.json: expected JSON, got something else"):
        read_json(tmp_path / "bad.json")


def test_json_that_is_missing_or_a_folder_is_one_sentence(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(FlarecastError, match="cannot be read"):
            read_json(path)


@pytest.mark.parametrize("text", ['{"slope": NaN}', '{"slope": -Infinity}'])
def test_json_with_what_is_no_json_is_refused(text, tmp_path):
    (tmp_path / "calibration.json").write_text(text, encoding="utf-8")
    with pytest.raises(FlarecastError, match="is no JSON"):
        read_json(tmp_path / "calibration.json")
