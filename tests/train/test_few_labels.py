"""Few labels: encoders that saw no outcome, frozen layers, hidden labels, pseudo-labels, what to label."""

import json
from contextlib import suppress

import numpy as np
import pytest
import torch
from calling import call
from safetensors.torch import load_file
from torch import nn
from trained import weights

from flarecast.audit.runs import _start
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.pretraining import TASKS
from flarecast.pretraining.fitting import check_parts, pretrain
from flarecast.schema import ROLES
from flarecast.seen import pack, unpack
from flarecast.train import train

NETWORKS = ["lstm", "gru", "cnn", "resnet", "inception_time", "cnn_lstm", "transformer"]
TRAIN, TEST = ROLES.index("train"), ROLES.index("test")


def encoder_of(windows, role, config, folder, **more):
    return pretrain(windows, role, config, folder=folder, device="cpu", **more)


@pytest.fixture(scope="module")
def encoder(windows, role, configure, tmp_path_factory):
    """Folder of a pretrained resnet, which has batch norm."""
    folder = tmp_path_factory.mktemp("encoder")
    encoder_of(windows, role, configure("resnet", pretrain={"epochs": 2}), folder)
    return folder


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_an_encoder_and_a_head_that_nothing_follows(name, configure):
    torch.manual_seed(0)
    module = load_builder(name)(Shape(3, 6, 4), **configure(name).model.options).eval()
    inputs = 6 if load_builder(name).__kwdefaults__["mask"] else 3
    steps, last_class = torch.rand(5, 6, inputs), torch.full((5,), -1)
    whole = module(steps, last_class)
    head, module.head = module.head, nn.Identity()
    hidden = module(steps, last_class)
    assert hidden.shape == (5, head.in_features)
    torch.testing.assert_close(head(hidden), whole)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["lstm", "resnet"])
def test_pretraining_learns_and_says_what_it_saw(task, name, windows, role, configure, tmp_path):
    config = configure(name, pretrain={"name": task, "epochs": 12, "batch_size": 64, "learning_rate": 0.01})
    said = encoder_of(windows, role, config, tmp_path).training
    assert said["loss_last"] < 0.95 * said["loss_first"]
    saw = {part: unpack(text, role.size) for part, text in said["seen"].items()}
    assert set(np.unique(role[saw["pretraining"]])) == {TRAIN, 2, 3}
    assert set(np.unique(role[saw["scaler"]])) == {TRAIN}
    assert {path.name for path in tmp_path.iterdir()} == {
        "encoder.json",
        "encoder.safetensors",
        "history.jsonl",
    }


@pytest.mark.parametrize("task", TASKS)
def test_neither_test_rows_nor_any_outcome_change_an_encoder(task, windows, role, configure, tmp_path):
    config = configure("resnet", pretrain={"name": task, "epochs": 2})
    encoder_of(windows, role, config, tmp_path / "before")
    tested = np.isin(windows["track"].values, np.flatnonzero(np.arange(60) % 10 >= 8))
    values = np.where(tested[:, None], 1e6, windows["values"].values)
    peak = windows["peak_flux"].values[::-1].copy()
    changed = windows.assign(
        values=(("row", "feature"), values.astype(np.float32)),
        peak_flux=("window", peak),
        peak_flux_upper=("window", np.maximum(peak, 9.9e-7)),
    )
    encoder_of(changed, role, config, tmp_path / "after")
    for name in ("encoder.safetensors", "history.jsonl", "encoder.json"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()
    unused = np.where(role == TRAIN, 0, role)
    unused[np.flatnonzero(role == TRAIN)[:100]] = TRAIN
    fewer = encoder_of(windows, unused, config, tmp_path / "unused").training
    assert not (unpack(fewer["seen"]["pretraining"], role.size) & (unused == 0)).any()


@pytest.mark.parametrize("averaging", ["none", "swa"])
def test_a_probe_changes_the_head_alone(averaging, windows, split, configure, encoder, tmp_path):
    settings = {"init_from": str(encoder), "frozen": ["encoder"], "averaging": averaging, "epochs": 4}
    config = configure("resnet", train=settings)
    model = train(windows, split, config, folder=tmp_path, device="cpu")
    before = load_file(encoder / "encoder.safetensors")
    after = weights(tmp_path)
    assert before.keys() == {name for name in after if not name.startswith("head.")}
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=0)
    assert after["head.weight"].abs().sum() > 0
    assert model.training["started_from"]["task"] == "masked"
    assert model.training["started_from"]["sha256"] == sha256(encoder / "encoder.safetensors")


def test_fine_tuning_starts_from_the_encoder_and_its_scaler_and_changes_it(
    windows, split, configure, encoder, tmp_path
):
    settings = {"init_from": str(encoder), "epochs": 1, "averaging": "none", "learning_rate": 1e-6}
    near = train(windows, split, configure("resnet", train=settings), folder=tmp_path / "near", device="cpu")
    scratch = configure("resnet", train={name: settings[name] for name in settings if name != "init_from"})
    far = train(windows, split, scratch, folder=tmp_path / "far", device="cpu")
    kernels = {
        name: value
        for name, value in load_file(encoder / "encoder.safetensors").items()
        if name.endswith("weight") and value.ndim == 3
    }
    assert kernels
    for name, value in kernels.items():
        ours, theirs = (model.module.state_dict()[name] for model in (near, far))
        assert 0 < (ours - value).abs().max() < 1e-3 < (theirs - value).abs().max()
    said = json.loads((encoder / "encoder.json").read_text(encoding="utf-8"))["scaler"]
    np.testing.assert_array_equal(near.scaler.centre, said["centre"])


def test_a_named_layer_stays_while_the_others_learn(windows, split, configure, tmp_path):
    first = configure("cnn", train={"epochs": 1, "averaging": "none"})
    train(windows, split, first, folder=tmp_path / "first", device="cpu")
    settings = {
        "epochs": 2,
        "averaging": "none",
        "init_from": str(tmp_path / "first"),
        "frozen": ["blocks.0"],
    }
    train(windows, split, configure("cnn", train=settings), folder=tmp_path / "second", device="cpu")
    before, after = weights(tmp_path / "first"), weights(tmp_path / "second")
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith("blocks.0.")} <= same
    assert "blocks.1.convolution.weight" not in same


def test_a_checkpoint_is_not_gone_on_from_when_the_encoder_was_another(
    windows, split, role, configure, tmp_path
):
    settings = {"init_from": str(tmp_path / "encoder"), "epochs": 4, "averaging": "none"}
    config = configure("cnn", train=settings)

    def train_until(last):
        done = []

        def stop(epoch, *_):
            done.append(epoch)
            if epoch == last:
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            train(windows, split, config, folder=tmp_path / "model", device="cpu", progress=stop)
        return done

    encoder_of(windows, role, configure("cnn", pretrain={"epochs": 1}), tmp_path / "encoder")
    assert train_until(2) == [1, 2]
    assert train_until(3) == [3]
    encoder_of(windows, role, configure("cnn", pretrain={"epochs": 2}), tmp_path / "encoder")
    assert train_until(9) == [1, 2, 3, 4]


def test_an_encoder_that_saw_test_windows_is_refused_and_found_by_the_audit(
    windows, split, role, configure, tmp_path
):
    seen_all = np.where(role == TEST, TRAIN, role)
    made_of = {"windows_sha256": "w"}
    encoder_of(windows, seen_all, configure("cnn", pretrain={"epochs": 1}), tmp_path / "e", made_of=made_of)
    settings = {"init_from": str(tmp_path / "e"), "epochs": 1, "averaging": "none"}
    config = configure("cnn", train=settings)
    with pytest.raises(
        FlarecastError, match=r"saw no test window of this split, got one that saw \d+; pretrain"
    ):
        train(windows, split, config, folder=tmp_path / "m", device="cpu", windows_sha256="w")
    allowed = configure("cnn", train={**settings, "allow_leaks": True})
    model = train(windows, split, allowed, folder=tmp_path / "m", device="cpu", windows_sha256="w")
    record = model.training["started_from"]
    (found,) = _start(record, "model.json", role, {"windows_sha256": "w"}, 0)
    assert (found.level, found.kind) == ("leak", "fitted outside its role")
    (unknown,) = _start(record, "model.json", role, {"windows_sha256": "other"}, 0)
    assert unknown.level == "note"
    second = configure("cnn", train={**settings, "init_from": str(tmp_path / "m")})
    with pytest.raises(FlarecastError, match="got one that saw"):  # by way of the model in between
        train(windows, split, second, folder=tmp_path / "n", device="cpu", windows_sha256="w")


@pytest.mark.parametrize(
    ("name", "settings", "sections", "words"),
    [
        ("resnet", {"frozen": ["block"]}, {}, "train.frozen: expected encoder or layers out of blocks, head"),
        ("resnet", {"frozen": ["encoder", "head"]}, {}, "a layer that is left to train, got all of them"),
        ("resnet", {"init_from": "nowhere"}, {}, "a folder of `flarecast pretrain` or of a trained model"),
        ("cnn", {"init_from": "E"}, {}, "got model.name 'cnn', not 'resnet'"),
        ("resnet", {"init_from": "E"}, {"scale": {"name": "none"}}, "scale.name 'none', not 'signed_log'"),
        (
            "resnet",
            {"init_from": "E"},
            {"model": {"options": {"channels": [4]}}},
            r"other options \(blocks\.\S+ of [\d x]+, not [\d x]+\)$",
        ),
        ("resnet", {"init_from": "E"}, {"model": {"features": ["TOTFX"]}}, "model.features .'TOTFX',., not"),
        (
            "logistic",
            {"frozen": ["encoder"]},
            {},
            "expected a model that is fitted by gradient, got logistic",
        ),
    ],
)
def test_a_start_that_does_not_suit_is_one_sentence(
    name, settings, sections, words, windows, split, configure, encoder, tmp_path
):
    values = {key: str(encoder) if value == "E" else value for key, value in settings.items()}
    if sections.get("model", {}).get("features"):
        sections = {"model": {**sections["model"], "options": configure("resnet").model.options}}
    config = configure(name, train={"epochs": 1, "averaging": "none", **values}, **sections)
    with pytest.raises(FlarecastError, match=words):
        train(windows, split, config, folder=tmp_path / "m", device="cpu")


def test_frozen_layers_that_start_from_nothing_are_remarked_on(windows, split, configure, encoder, tmp_path):
    settings = {"epochs": 1, "averaging": "none", "frozen": ["encoder"]}
    said = []
    train(
        windows,
        split,
        configure("resnet", train=settings),
        folder=tmp_path / "a",
        device="cpu",
        say=said.append,
    )
    assert any("train.frozen: frozen layers keep random weights" in sentence for sentence in said)
    said.clear()
    started = configure("resnet", train={**settings, "init_from": str(encoder)})
    train(windows, split, started, folder=tmp_path / "b", device="cpu", say=said.append)
    assert not any("train.frozen" in sentence for sentence in said)


def test_a_damaged_encoder_is_one_sentence(windows, role, split, configure, tmp_path):
    encoder_of(windows, role, configure("cnn", pretrain={"epochs": 1}), tmp_path)
    config = configure("cnn", train={"init_from": str(tmp_path), "epochs": 1, "averaging": "none"})
    (tmp_path / "encoder.safetensors").write_bytes(b"x")
    with pytest.raises(FlarecastError, match=r"expected the weights that encoder.json names"):
        train(windows, split, config, folder=tmp_path / "m", device="cpu")
    (tmp_path / "encoder.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected an encoder, got format: field required"):
        train(windows, split, config, folder=tmp_path / "m", device="cpu")


def test_what_cannot_be_pretrained_is_one_sentence(configure):
    with pytest.raises(FlarecastError, match=r"expected a network, .*got model.name logistic"):
        check_parts(configure("logistic"))
    with pytest.raises(FlarecastError, match=r"no outcome has chosen, got model.select anova"):
        check_parts(configure("cnn", model={"select": "anova"}))
    with pytest.raises(FlarecastError, match=r"pretrain.name: expected one of contrastive, masked"):
        check_parts(configure("cnn", pretrain={"name": "jigsaw"}))
    with pytest.raises(FlarecastError, match=r"pretrain.options: unknown key hue"):
        check_parts(configure("cnn", pretrain={"options": {"hue": 1}}))


def test_pretrain_gives_every_fold_an_encoder_and_a_run_that_starts_there_passes_its_audit(tmp_path):
    changes = [
        "ingest.options={n_regions=200, n_steps=6}",
        "model={name='cnn', options={channels=[4], kernel=3}}",
        "train={epochs=2, averaging='none'}",
        "pretrain={epochs=1}",
        "split.strategy=by_region",
        "events=['C1.0']",
        "calibrate={fit_on='out_of_fold', folds=2}",
    ]
    words = [word for change in changes for word in ("--set", change)]
    run, paths = tmp_path / "run", (tmp_path / "windows.nc", tmp_path / "run" / "split.nc")
    call("ingest", "from-config", *words, "-o", paths[0])
    call("split", paths[0], *words, "-o", paths[1])
    said = call("pretrain", *paths, *words, "-o", tmp_path / "encoders", "--device", "cpu")
    assert "cnn, masked" in said
    assert "windows without outcomes" in said
    assert {path.name for path in (tmp_path / "encoders" / "folds").iterdir()} == {"1", "2"}
    words += ["--set", f"train.init_from='{tmp_path / 'encoders'}'"]
    call("record", *paths, *words, "-o", run)
    call("train", *paths, *words, "-o", run / "model", "--device", "cpu")
    started = [
        json.loads(path.read_text(encoding="utf-8"))["training"]["started_from"]
        for path in sorted(run.glob("model/**/model.json"))
    ]
    assert sorted(one["fold"] for one in started) == [0, 1, 2]
    assert len({one["sha256"] for one in started}) == 3
    said = call("audit", run, "-o", tmp_path / "audit.json")
    found = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["findings"]
    assert not [one for one in found if one["level"] == "leak" or "encoder" in one["message"]]


def test_a_rival_with_a_model_of_its_own_does_not_start_from_the_encoder_of_the_model(configure):
    rivals = {"logistic": {"model": {"name": "logistic"}}, "smaller": {"train": {"epochs": 2}}}
    config = configure("cnn", train={"init_from": "somewhere", "frozen": ["encoder"]}, rivals=rivals)
    other, same = (config.of_rival(name).train for name in rivals)
    assert (other.init_from, other.frozen) == (None, ())
    assert (same.init_from, same.frozen) == ("somewhere", ("encoder",))


def test_a_start_from_other_windows_is_told_apart(role):
    record = {"windows_sha256": "w", "seen": {"pretraining": pack(np.flatnonzero(role == TRAIN), role.size)}}
    assert not list(_start(record, "model.json", role, {"windows_sha256": "w"}, 0))
