import json

import numpy as np
import pytest
import torch

from flarecast import __version__
from flarecast.errors import FlarecastError
from flarecast.model_file import check_fits, load
from flarecast.models import MODELS
from flarecast.train import train


@pytest.fixture(scope="module")
def trained(windows, split, configure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    return train(windows, split, configure("cnn"), folder=folder, device="cpu"), folder


@pytest.fixture
def folder(trained, tmp_path):
    for name in ("model.safetensors", "model.json"):
        (tmp_path / name).write_bytes((trained[1] / name).read_bytes())
    return tmp_path


def change(folder, **changes):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_loaded_is_what_was_saved(trained):
    model, folder = trained
    again = load(folder, "cpu")
    for name in ("features", "events", "n_steps", "cadence_minutes", "lead_hours", "horizon_hours"):
        assert getattr(again, name) == getattr(model, name)
    for name in ("config", "model_name", "model_options", "unassigned", "training"):
        assert getattr(again, name) == getattr(model, name)
    for name in ("prior_natural", "prior_trained", "training_base_rate"):
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    for name in ("size", "centre", "spread"):
        np.testing.assert_array_equal(getattr(again.scaler, name), getattr(model.scaler, name))
    for name, value in model.module.state_dict().items():
        assert torch.equal(again.module.state_dict()[name], value)
    assert not again.module.training


def test_a_folder_holds_no_pickle_and_no_checkpoint_once_training_is_over(trained):
    assert {path.name for path in trained[1].iterdir()} == {
        "history.jsonl",
        "model.json",
        "model.safetensors",
    }


def test_loading_draws_no_random_number(trained):
    before = torch.get_rng_state()
    load(trained[1], "cpu")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FlarecastError, match=rf"{name}: expected .* found none|{name}: expected .* got none"):
        load(folder, "cpu")


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-9] + b"\0" * 9])
def test_a_damaged_file_is_named_in_one_sentence(folder, name, damage):
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FlarecastError) as caught:
        load(folder, "cpu")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "flarecast model one"},
        {"model_name": "oracle"},
        {"model_options": {"channels": [8, 8, 8], "kernel": 3}},
        {"model_options": {"depth": 3}},
        {"events": ["M1.0"]},
        {"features": ["TOTFX"]},
        {"prior_natural": [1.0, 0.0]},
        {"training_base_rate": None},
        {"n_steps": "many"},
        {"config": {"train": {"threads": 0}}},
        {"surprise": 1},
    ],
    ids=lambda changes: "-".join(map(str, changes)),
)
def test_a_description_of_another_model_is_refused(folder, changes):
    change(folder, **changes)
    with pytest.raises(FlarecastError, match=r"model\.(json|safetensors)"):
        load(folder, "cpu")


def test_a_model_of_a_newer_version_says_that_it_needs_one(folder):
    change(folder, format="flarecast model 2", new_key=1)
    with pytest.raises(FlarecastError) as caught:
        load(folder, "cpu")
    assert str(caught.value) == (
        f"{folder / 'model.json'}: expected 'flarecast model 1', got 'flarecast model 2'; this needs a "
        f"newer flarecast than {__version__}"
    )


def test_weights_of_another_type_or_with_other_keys_are_refused(folder):
    from safetensors.torch import load_file, save_file

    from flarecast.files import sha256

    path = folder / "model.safetensors"
    tensors = load_file(path)
    wrong = [
        {name: value.double() if "head" in name else value for name, value in tensors.items()},
        {name: value for name, value in tensors.items() if "head" not in name},
        {**tensors, "extra": torch.zeros(1)},
    ]
    for changed in wrong:
        save_file(changed, path)
        change(folder, weights_sha256=sha256(path))
        with pytest.raises(FlarecastError, match=r"model\.safetensors: expected a trained model"):
            load(folder, "cpu")


@pytest.mark.parametrize("name", MODELS)
def test_every_model_keeps_all_it_knows_in_its_state(name):
    from flarecast.models import load_builder
    from flarecast.models.shape import Shape

    with torch.device("meta"):
        module = load_builder(name)(Shape(2, 3, 4))
    assert {key for key, _ in module.named_buffers()} <= set(module.state_dict())


def test_windows_of_another_kind_are_refused_with_all_differences(trained, windows):
    model, _ = trained
    check_fits(model, windows)
    other = windows.assign_coords(feature=["TOTFX", "TOTBSQ", "noise"]).assign_attrs(
        n_steps=5, lead_hours=24.0
    )
    with pytest.raises(FlarecastError, match="no feature R_VALUE; n_steps 5, not 6; lead_hours 24, not 0"):
        check_fits(model, other)


def test_features_in_another_order_are_no_other_kind(trained, windows):
    from flarecast.forecast import forecast

    model, _ = trained
    turned = windows.isel(feature=[2, 0, 1])
    expected = forecast(windows, model, device="cpu")["probability"]
    np.testing.assert_array_equal(forecast(turned, model, device="cpu")["probability"], expected)


def test_a_scaler_that_nobody_knows_is_refused(folder):
    scaler = json.loads((folder / "model.json").read_text())["scaler"]
    change(folder, scaler={**scaler, "name": "robust"})
    with pytest.raises(FlarecastError, match="got scaler 'robust'; train anew"):
        load(folder, "cpu")
