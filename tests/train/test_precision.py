"""How exactly a network is computed, and that torch is left as it was."""

import shutil
from dataclasses import replace

import pytest
import torch
from linear_network import Linear, batch

from flarecast.chain.environment import environment
from flarecast.config.sections import Train
from flarecast.losses import cross_entropy
from flarecast.models import load_builder
from flarecast.models.shape import Shape
from flarecast.train import gradient, train
from flarecast.train.gradient import Descent, build_optimizer, training_step
from flarecast.train.precision import casting, deterministic_algorithms, matrix_products, precision_on

SMALL = {
    "lstm": {"hidden": 8},
    "gru": {"hidden": 8},
    "cnn": {"channels": (8,), "kernel": 3},
    "resnet": {"channels": (8,), "kernel": 3},
    "inception_time": {"filters": 4, "kernels": (3,), "depth": 3},
    "cnn_lstm": {"channels": (8,), "kernel": 3, "hidden": 8},
    "transformer": {"size": 16, "heads": 2},
}


def test_bf16_is_for_matrix_products_and_the_loss_stays_in_single_precision():
    module = Linear()
    with casting(torch.device("cpu"), "bf16"):
        assert module(torch.ones(2, 1, 4), None).dtype == torch.bfloat16
    with casting(torch.device("cpu"), "tf32"):
        assert module(torch.ones(2, 1, 4), None).dtype == torch.float32
    assert [precision_on(torch.device(name), "bf16") for name in ("cuda", "cpu")] == ["bf16", "float32"]


@pytest.mark.parametrize("name", SMALL)
def test_every_network_learns_in_bf16_under_a_loss_in_single_precision(name, monkeypatch):
    monkeypatch.setattr(gradient, "precision_on", lambda device, asked: asked)
    module = load_builder(name)(Shape(2, 6, 4), **{**SMALL[name], "mask": True})
    optimizer = build_optimizer(module.parameters(), Train(learning_rate=0.01))
    dtypes = set()

    def watched(logits, *others):
        dtypes.add(logits.dtype)
        return cross_entropy(logits, *others)

    one = replace(batch(), steps=torch.cat([batch(n_inputs=2).steps, torch.ones(16, 3, 2)], dim=2))
    descent = Descent(module, optimizer, watched, Train(precision="bf16"))
    losses = [training_step(descent, one).item() for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]
    assert dtypes == {torch.float32}
    assert {weights.dtype for weights in module.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", ("highest", False)), ("tf32", ("high", True))]
)
def test_products_are_as_exact_as_asked_for_and_torch_is_left_as_it_was(precision, expected):
    def now():
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = now()
    with matrix_products(precision):
        assert now() == expected
    assert now() == before


@pytest.mark.parametrize("asked", [True, False])
def test_determinism_can_be_switched_and_is_left_as_it_was(asked):
    def now():
        return torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark

    before = now()
    with deterministic_algorithms(asked, torch.device("cpu")):
        assert now() == (asked, not asked)
    assert now() == before


def test_precision_and_determinism_are_recorded(windows, split, configure, tmp_path):
    config = configure(
        "lstm", train={"epochs": 1, "averaging": "none", "precision": "bf16", "deterministic": False}
    )
    said = train(windows, split, config, folder=tmp_path, device="cpu").training
    assert (said["precision"], said["deterministic"], said["threads"]) == ("float32", True, 1)
    assert environment(config, {}, "cpu")["precision"] == "float32"
    assert environment(config, {}, "cpu")["deterministic"] is False


def test_a_network_that_cannot_be_compiled_is_computed_as_it_is_and_that_is_told_once(
    windows, split, configure, tmp_path, monkeypatch
):
    def broken(module):
        def forward(steps, last_class):
            raise RuntimeError("no C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1")

        return forward

    plain = train(windows, split, configure("cnn", train={"epochs": 2}), folder=tmp_path / "a", device="cpu")
    monkeypatch.setattr(torch, "compile", broken)
    said, config = [], configure("cnn", train={"epochs": 2, "compile": True})
    model = train(windows, split, config, folder=tmp_path / "b", device="cpu", say=said.append)
    assert said == [
        "train.compile: the network could not be compiled (no C++ compiler found); it is computed as it is"
    ]
    for got, wanted in zip(model.module.parameters(), plain.module.parameters(), strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler uses what torch deprecates
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles for the CPU with a C++ compiler")
def test_a_compiled_network_learns_the_same(windows, split, configure, tmp_path):
    options, said, weights = {"channels": (8,), "kernel": 3, "dropout": 0.0}, [], []
    for chosen in (False, True):
        settings = {"epochs": 2, "averaging": "none", "compile": chosen, "optimizer": "sgd"}
        config = configure("cnn", model={"options": options}, train=settings)
        folder = tmp_path / str(chosen)
        model = train(windows, split, config, folder=folder, device="cpu", say=said.append)
        weights.append(torch.cat([value.ravel() for value in model.module.parameters()]))
    assert not said
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-5)
