"""A device that is too small, and losses that are not finite: the same steps, or one sentence."""

import json

import pytest
import torch

from flarecast.errors import FlarecastError
from flarecast.models.lstm import LSTM
from flarecast.train import train


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


@pytest.fixture
def device_for(monkeypatch):
    """Let the network find no more memory than for so many windows."""

    def make(n_windows, steps_before=0):
        forward = LSTM.forward
        seen = []

        def little(self, steps, last_class):
            seen.append(len(steps))
            if self.training and len(seen) > steps_before and len(steps) > n_windows:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return forward(self, steps, last_class)

        monkeypatch.setattr(LSTM, "forward", little)
        return seen

    return make


def test_a_batch_too_large_for_the_device_goes_in_halves_to_the_same_weights_and_is_told(
    windows, split, configure, tmp_path, device_for
):
    config = configure("lstm", model={"options": {"hidden": 8, "dropout": 0.0}}, train={"epochs": 3})
    whole = train(windows, split, config, folder=tmp_path / "whole", device="cpu")
    device_for(16, steps_before=3)
    said = []
    halved = train(windows, split, config, folder=tmp_path / "halved", device="cpu", say=said.append)
    for got, wanted in zip(halved.module.parameters(), whole.module.parameters(), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)
    assert (whole.training["parts"], halved.training["parts"]) == (1, 2)
    assert history(tmp_path / "halved")[-1]["parts"] == 2
    assert said == [
        f"{tmp_path / 'halved'}: the device's memory is too small for batches of 32; from epoch 1 on they go "
        "in 2 parts, which changes no step"
    ]


def test_a_device_too_small_for_half_a_batch_ends_in_one_sentence(
    windows, split, configure, tmp_path, device_for
):
    seen = device_for(15)
    with pytest.raises(FlarecastError) as caught:
        train(windows, split, configure("lstm"), folder=tmp_path, device="cpu")
    assert str(caught.value) == (
        "device memory: expected room for 16 windows at once, got too little; lower train.batch_size, raise "
        "train.accumulate, choose a smaller network, or use --device cpu"
    )
    assert seen == [32, 16]
    assert not (tmp_path / "model.json").exists()


def test_a_training_that_went_in_halves_goes_on_in_halves(windows, split, configure, tmp_path, device_for):
    def stop(done, *_):
        if done == 1:
            raise KeyboardInterrupt

    device_for(16)
    config = configure("lstm", train={"epochs": 2})
    with pytest.raises(KeyboardInterrupt):
        train(windows, split, config, folder=tmp_path, device="cpu", progress=stop)
    seen = device_for(16)
    said = []
    model = train(windows, split, config, folder=tmp_path, device="cpu", say=said.append)
    assert max(seen[:5]) == 16
    assert model.training["parts"] == 2
    assert not said


def test_the_batch_of_a_loss_that_is_not_finite_is_named(windows, split, configure, tmp_path, monkeypatch):
    forward, seen = LSTM.forward, []

    def explode(self, steps, last_class):
        seen.extend([1] * self.training)
        return forward(self, steps, last_class) * (torch.nan if len(seen) == 10 else 1.0)

    monkeypatch.setattr(LSTM, "forward", explode)
    with pytest.raises(FlarecastError) as caught:
        train(windows, split, configure("lstm"), folder=tmp_path, device="cpu")
    assert str(caught.value) == (
        "training loss: expected a finite number, got nan in epoch 2, batch 3 of 7, at learning rate 0.02; "
        "lower train.learning_rate"
    )
