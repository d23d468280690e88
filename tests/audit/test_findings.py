"""An audit as JSON and as lines for a terminal."""

import json

from flarecast import schema
from flarecast.audit import audit
from flarecast.files import write_json

TRAIN, VALIDATION, CALIBRATION, TEST = range(1, 5)


def test_an_audit_is_plain_json(make_windows, make_roles, tmp_path):
    windows = make_windows([("HARP 377", "", [0]), ("HARP 377", "", [100])], [2e-5, 0])
    found = audit(windows, make_roles([TRAIN, TEST]), ("M1.0", "X1.0"))
    write_json(tmp_path / "audit.json", found.as_json())
    read = json.loads((tmp_path / "audit.json").read_text())
    assert read["n_leaks"] == 1
    assert read["findings"][0]["kind"] == "shared region"
    assert read["findings"][0]["roles"] == ["train", "test"]
    assert [entry["role"] for entry in read["counts"]] == list(schema.ROLES)
    assert found.sentences()[0].startswith("leak: 1 region")


def test_what_is_so_in_several_folds_is_said_once(make_windows, make_roles):
    windows = make_windows([("HARP 377", "", [0]), ("HARP 377", "", [100])])
    found = audit(windows, make_roles([TRAIN, TEST], [TRAIN, TEST], [TRAIN, TRAIN]))
    assert [finding.fold for finding in found.leaks] == [0, 1]
    lines = [line for line in found.sentences() if line.startswith("leak")]
    assert len(lines) == 1
    assert lines[0].startswith("leak: fold 0: 1 region appears")
    assert lines[0].endswith("(likewise in fold 1)")


def test_few_event_blocks_of_all_roles_are_one_line(make_windows, make_roles, crowd):
    found = audit(make_windows(crowd("HARP", 4), 2e-5), make_roles([TRAIN, TRAIN, TEST, TEST]))
    lines = [line for line in found.sentences() if "intervals will be wide" in line]
    assert len(lines) == 1
    assert "train M1.0 2; test M1.0 2" in lines[0]


def test_leaks_come_first_and_notes_last(make_windows, make_roles):
    windows = make_windows([("HARP 377", "", [0]), ("HARP 377", "", [100])], 2e-5)
    lines = audit(windows, make_roles([TRAIN, TEST])).sentences()
    levels = [line.split(":")[0] for line in lines]
    assert levels == sorted(levels, key=["leak", "warning", "note"].index)
    assert set(levels) == {"leak", "warning", "note"}
