"""Audit a run: what its models, calibration and evaluations saw, against the roles of its split.

model.json says which windows its scaler (which fills what is missing, too), its weights and its early
stopping saw, calibration.json which forecasts its curves and decision thresholds saw, evaluations.jsonl how
often test was scored. Hashes tie them to the files that they were made of.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flarecast.audit.findings import Finding, and_so_on, counted, note
from flarecast.calibrate.calibration import apply_calibration, for_fold
from flarecast.calibrate.updating import check_no_look_ahead, is_updated
from flarecast.errors import FlarecastError
from flarecast.files import read_json, sha256
from flarecast.schema import FORECASTS, ROLES, SPLIT, open_file
from flarecast.seen import EXPLANATION, read_evaluations, unpack

TEST, CALIBRATION = ROLES.index("test"), ROLES.index("calibration")

ALLOWED = {
    "scaler": "train",
    "weights": "train",
    "pseudo_labels": "train",
    "early_stopping": "validation",
}
"""What was fitted, and the one role that it may have seen."""

SECTIONS = ("events", "unassigned", "scale", "balance", "model", "train")
"""Sections of a configuration that decide a model."""

REPLAYED = 12
"""Issue times of each fold at which an update is replayed with all hidden that was not known then."""

RoleArray = NDArray[np.int8]


def audit_run(folder: Path, windows_sha256: str, config: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings of a run's folder, as far as the run has gone.

    Args:
        folder: RUN_DIR.
        windows_sha256: Hash of the windows file.
        config: The resolved configuration of the run.

    Raises:
        FlarecastError: A file is damaged.
    """
    split = open_file(folder / "split.nc", SPLIT)
    roles = np.asarray(split["role"].values, dtype=np.int8)
    hashes = {"windows_sha256": windows_sha256, "split_sha256": sha256(folder / "split.nc")}
    recorded = read_json(folder / "environment.json")["inputs"]
    for name, got in zip(("windows", "split"), hashes.values(), strict=True):
        if recorded.get(name, {}).get("sha256", got) != got:
            yield _changed("environment.json", f"another file of {name} than there is; run the chain again")
    models = sorted((folder / "model").rglob("model.json"))
    if not models:
        yield note("model", "the run has no model yet; what it saw is not checked")
    for path in models:
        yield from _model(path, path.relative_to(folder).as_posix(), roles, hashes)
    if (folder / "model" / "model.json").is_file():
        yield from _config(read_json(folder / "model" / "model.json").get("config", {}), config)
    yield from _calibration(folder, roles, int(split.attrs.get("final_fold", 0)))
    yield from _evaluations(folder)


def _model(path: Path, shown: str, roles: RoleArray, hashes: Mapping[str, str]) -> Iterator[Finding]:
    """What one model saw, and whether its files are those that belong together."""
    said = read_json(path)
    weights = path.with_name("model.safetensors")
    if not weights.is_file() or sha256(weights) != said.get("weights_sha256"):
        yield _changed(shown, "other weights than model.safetensors holds; train anew")
    training = said.get("training", {})
    seen = training.get("seen")
    if not isinstance(seen, dict):
        yield note("model", f"{shown} does not say which windows it saw; train anew to have that checked")
        return
    for name, got in hashes.items():
        if training.get(name) != got:
            what = name.removesuffix("_sha256")
            yield _changed(shown, f"a model trained on another file of {what} than there is; train anew")
            return
    fold = int(training.get("fold", 0))
    if not 0 <= fold < len(roles):
        yield _changed(shown, f"fold {fold} of a split of {counted(len(roles), 'fold')}; train anew")
        return
    for part, allowed in ALLOWED.items():
        if part in seen:
            mask = unpack(seen[part], roles.shape[1])
            what = f"{part.replace('_', ' ')} of {shown}"
            yield from _outside(mask, roles[fold], ROLES.index(allowed), what, fold)
    yield from _start(training.get("started_from"), shown, roles[fold], hashes, fold)


def _start(
    record: dict[str, Any] | None, shown: str, role: NDArray[np.int8], hashes: Mapping[str, str], fold: int
) -> Iterator[Finding]:
    """What the encoder saw that a model started from, and that one before it: anything but test windows.

    Validation and calibration windows may be seen without their outcomes; a model that was trained elsewhere
    may have been trained on other roles of another split.
    """
    while record is not None:
        if record.get("windows_sha256") != hashes["windows_sha256"]:
            text = f"{shown} started from an encoder of other windows; what that saw of test is not checked"
            yield note("model", text)
        elif isinstance(record.get("seen"), dict):
            saw = [unpack(text, role.size) for text in record["seen"].values()]
            tested = np.logical_or.reduce([*saw, np.zeros(role.size, dtype=bool)]) & (role == TEST)
            if tested.any():
                text = (
                    f"the encoder that {shown} started from saw {int(tested.sum()):,} windows of test; "
                    "pretrain on this split"
                )
                count = int(tested.sum())
                yield Finding("fitted outside its role", "leak", text, count, (shown,), ("test",), fold)
        record = record.get("started_from")


def _config(trained: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Finding]:
    """Sections of the run's configuration that are not those of the model."""
    sections = (*SECTIONS, *(["ensemble"] if "ensemble" in trained else []))  # older models have none
    changed = [name for name in sections if trained.get(name) != config.get(name)]
    if changed:
        yield _changed("config.toml", f"another {', '.join(changed)} than the model was trained with")


def _calibration(folder: Path, roles: RoleArray, final: int) -> Iterator[Finding]:
    """What curves and decision thresholds saw, for the model and each rival."""
    path, forecasts_path = folder / "calibration.json", folder / "forecasts.nc"
    if not path.is_file() or not forecasts_path.is_file():
        yield note("calibration", "the run has no calibration yet; what it saw is not checked")
        return
    said = read_json(path)
    if said.get("forecasts_sha256") != sha256(forecasts_path):
        yield _changed(
            "calibration.json", "a calibration of other forecasts than forecasts.nc; calibrate anew"
        )
        return
    forecasts = open_file(forecasts_path, FORECASTS)
    fold, role = forecasts["fold"].values, forecasts["role"].values
    if not np.array_equal(role, _roles_of_rows(fold, roles, final)):
        yield _changed("forecasts.nc", "other roles than split.nc; forecast anew")
        return
    fitted = {"the model": said, **said.get("rivals", {}), **said.get("combinations", {})}
    for name, one in fitted.items():
        if "seen" not in one:
            yield note("calibration", f"the calibration of {name} does not say what it saw; calibrate anew")
        for number, part in one.get("folds", {"": one}).items():
            if "seen" in part:
                mask = unpack(part["seen"], role.size)
                what = f"calibration and decision thresholds of {name}"
                yield from _outside(mask, role, CALIBRATION, what, int(number or final))
    yield from _look_ahead(folder / "calibrated.nc", said)


def _look_ahead(path: Path, calibration: Mapping[str, Any]) -> Iterator[Finding]:
    """Leak: probabilities that hang on outcomes, or forecasts, from after their issue time."""
    if not is_updated(calibration) or not path.is_file():
        return
    calibrated = open_file(path, FORECASTS)
    for fold in np.unique(calibrated["fold"].values).tolist():
        mine = calibrated.isel(window=np.flatnonzero(calibrated["fold"].values == fold))
        own = for_fold(calibration, fold)
        events = [str(event) for event in mine["event"].values]
        static, _ = apply_calibration(mine["probability_raw"].values, own, events)
        when = check_no_look_ahead(mine, mine["probability"].values, static, own, REPLAYED)
        if when is not None:
            text = (
                f"calibrated.nc holds other probabilities for {when} than calibration.json gives from what "
                "was known then; an outcome counts from the end of its span plus calibrate.delay_hours, "
                "calibrate anew"
            )
            yield Finding("looked ahead", "leak", text, 1, (when,), ("test",), fold)
            return


def _roles_of_rows(fold: NDArray[np.integer], roles: RoleArray, final: int) -> RoleArray:
    """Role of each row of forecasts: all windows in the final fold, those held out in the others."""
    parts = [roles[final]]
    for number in range(len(roles)):
        if number != final:
            parts.append(roles[number][np.isin(roles[number], (CALIBRATION, TEST))])
    expected = np.concatenate(parts)
    return expected if expected.size == fold.size else np.zeros(0, dtype=np.int8)


def _evaluations(folder: Path) -> Iterator[Finding]:
    """Warning: one test that several forecasts were scored on."""
    tests: dict[str, list[dict[str, Any]]] = {}
    evaluations = read_evaluations(folder)
    looks = [entry for entry in evaluations if entry.get("forecasts") == EXPLANATION]
    if looks:
        text = (
            "test was looked at to explain the model; what is changed because of that, features or groups, "
            "is fitted on test: keep a test that nobody has looked at"
        )
        yield Finding("test explained", "warning", text, len(looks), (), ("test",))
    for entry in evaluations:
        if entry not in looks:
            tests.setdefault(str(entry.get("test_sha256")), []).append(entry)
    if not tests:
        yield note("evaluations", "the run's test was not scored yet")
    for entries in tests.values():
        if len(entries) > 1:
            names = tuple(str(entry.get("forecasts")) for entry in entries)
            text = (
                f"test was scored {len(entries)} times with different forecasts{and_so_on(names)}; the best "
                "of several is too good, keep a test that nobody has looked at"
            )
            yield Finding("test scored again", "warning", text, len(entries), names[:5], ("test",))


def _outside(
    mask: NDArray[np.bool_], role: RoleArray, allowed: int, what: str, fold: int
) -> Iterator[Finding]:
    """Leak: something was fitted on windows of another role than its own."""
    number, count = np.unique(role[mask & (role != allowed)], return_counts=True)
    if number.size:
        roles = tuple(ROLES[one] for one in number)
        words = ", ".join(f"{n:,} {name}" for n, name in zip(count.tolist(), roles, strict=True))
        text = (
            f"{what} saw windows outside {ROLES[allowed]} ({words}); fit on {ROLES[allowed]} alone and "
            "evaluate anew"
        )
        yield Finding("fitted outside its role", "leak", text, int(count.sum()), (), roles, fold)


def _changed(shown: str, got: str) -> Finding:
    """Leak: files of a run that do not belong together, so that nothing they say holds."""
    text = f"{shown} names {got}"
    return Finding("changed file", "leak", text, 1, (shown,))


def check_run(folder: Path) -> None:
    """Raise unless a folder is that of a run.

    Raises:
        FlarecastError: It has no config.toml, environment.json or split.nc.
    """
    absent = [
        name for name in ("config.toml", "environment.json", "split.nc") if not (folder / name).is_file()
    ]
    if absent:
        raise FlarecastError(
            f"{folder}: expected a run's folder, got one without {', '.join(absent)}; name "
            "data/runs/RUN, or windows.nc and split.nc"
        )
