"""A device that is too small, losses that are not finite, odd windows: the same steps, or one sentence."""

import numpy as np
import pytest
import torch
from trained import history

from flarecast import memory
from flarecast.batches import Sample, ordered, take, to_device, with_windows
from flarecast.errors import FlarecastError
from flarecast.forecast import forecast
from flarecast.models.lstm import Recurrent
from flarecast.train import epochs, placing, train


@pytest.fixture
def device_for(monkeypatch):
    """Let the network find no more memory than for so many windows."""

    def make(n_windows, steps_before=0):
        forward = Recurrent.forward
        seen = []

        def little(self, steps, last_class):
            seen.append(len(steps))
            if self.training and len(seen) > steps_before and len(steps) > n_windows:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return forward(self, steps, last_class)

        monkeypatch.setattr(Recurrent, "forward", little)
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


def test_a_device_too_small_for_anything_else_ends_in_one_sentence(
    windows, split, configure, tmp_path, monkeypatch
):
    def full(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(epochs, "validation_loss", full)
    with pytest.raises(FlarecastError) as caught:
        train(windows, split, configure("lstm"), folder=tmp_path, device="cpu")
    assert str(caught.value) == (
        "device memory: expected room for the windows and a batch of them, got too little; lower "
        "train.device_share or train.batch_size, or use --device cpu"
    )


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
    forward, seen = Recurrent.forward, []

    def explode(self, steps, last_class):
        seen.extend([1] * self.training)
        return forward(self, steps, last_class) * (torch.nan if len(seen) == 10 else 1.0)

    monkeypatch.setattr(Recurrent, "forward", explode)
    with pytest.raises(FlarecastError) as caught:
        train(windows, split, configure("lstm"), folder=tmp_path, device="cpu")
    assert str(caught.value) == (
        "training loss: expected a finite number, got nan in epoch 2, batch 3 of 7, at learning rate 0.02; "
        "lower train.learning_rate"
    )


@pytest.mark.parametrize(
    ("missing", "free", "share", "expected"),
    [
        (False, 10_000, 0.5, "cuda"),
        (False, 9_800, 0.5, "cpu"),
        (False, 9_800, 1.0, "cuda"),
        (True, 10_000, 0.5, "cpu"),
        (True, 14_000, 0.5, "cuda"),
    ],
)
def test_rows_go_to_the_device_if_they_fit_into_a_share_of_its_memory(
    missing, free, share, expected, monkeypatch
):
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    values = np.full((250, 2), np.nan if missing else 1.0, dtype=np.float32)  # 2,000 bytes, twice with gaps
    rows = np.zeros((106, 4), dtype=np.int64)  # 2,968 bytes
    assert memory.place_of_rows(values, rows, torch.device("cuda"), share).type == expected
    assert memory.place_of_rows(values, rows, torch.device("cpu"), 0.0).type == "cpu"


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_size_of_rows_is_that_of_their_tensors(share):
    rng = np.random.default_rng(0)
    values = np.where(rng.random((40, 3)) < share, np.nan, 1.0).astype(np.float32)
    rows = np.arange(36).reshape(6, 6)
    tensors = to_device(values, rows, np.zeros(6), torch.device("cpu"))
    held = [tensors.values, tensors.origin, tensors.step_rows, tensors.first_row, tensors.last_class]
    size = sum(tensor.nbytes for tensor in held if tensor is not None)
    of_last_row = tensors.values[-1].nbytes * (2 if share else 1)
    assert memory.size_on_device(values, rows) == size - of_last_row


@pytest.mark.parametrize("name", ["lstm", "cnn"])
@pytest.mark.parametrize("balance", ["none", "smote"])
def test_rows_in_the_memory_of_the_host_train_the_same_bits(
    name, balance, windows, split, configure, tmp_path, monkeypatch
):
    """Without CUDA the host is the device, so that only the way through it is another."""
    sections = {"train": {"epochs": 2}, "balance": {"name": balance, "event": "M1.0"}}
    config = configure(name, **sections)
    train(windows, split, config, folder=tmp_path / "device", device="cpu")
    asked = []

    def host(values, step_rows, device, share):
        asked.append((device.type, share))
        return memory.HOST

    monkeypatch.setattr(placing, "place_of_rows", host)
    train(windows, split, config, folder=tmp_path / "host", device="cpu")
    assert asked == [("cpu", 0.5)]
    for file in ("model.safetensors", "model.json"):
        assert (tmp_path / "device" / file).read_bytes() == (tmp_path / "host" / file).read_bytes()


def test_batches_go_to_the_device_whose_rows_lie_in_the_memory_of_the_host():
    """The device without storage takes what is sent to it, and computes nothing."""
    values = np.ones((40, 3), dtype=np.float32)
    values[::7] = np.nan
    there, here = torch.device("meta"), torch.device("cpu")
    tensors = to_device(values, np.arange(36).reshape(6, 6), np.zeros(6), there, True, here)
    assert tensors.values.device == tensors.step_rows.device == here
    index = torch.arange(6)
    sample = Sample(tensors, index, index, index, index.float())
    for batch in (take(sample, torch.tensor([1, 2])), *ordered(sample, 4)):
        for name in ("steps", "last_class", "low", "high", "weight"):
            assert getattr(batch, name).device == there, name
    more = with_windows(tensors, torch.ones(2, 6, 3), torch.zeros(2, dtype=torch.int64))
    assert (more.device, more.values.device) == (there, here)


def test_a_forecast_that_the_device_has_no_room_for_ends_in_one_sentence(
    windows, split, configure, tmp_path, monkeypatch
):
    model = train(
        windows,
        split,
        configure("lstm", train={"epochs": 1, "averaging": "none"}),
        folder=tmp_path,
        device="cpu",
    )

    def full(self, steps, last_class):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(Recurrent, "forward", full)
    with pytest.raises(FlarecastError) as caught:
        forecast(windows, model, device="cpu")
    assert str(caught.value) == (
        "device memory: expected room for 1024 windows at once, got too little; use --device cpu"
    )


@pytest.mark.parametrize("name", ["cnn", "transformer", "logistic"])
def test_features_with_one_value_or_none_are_told_and_do_no_harm(name, windows, split, configure, tmp_path):
    odd = windows.copy(deep=True)
    odd["values"].values[:, 1], odd["values"].values[:, 2] = 7.0, np.nan
    said = []
    config = configure(name, train={"epochs": 2})
    model = train(odd, split, config, folder=tmp_path, device="cpu", say=said.append)
    assert said == [
        "train role: features that tell nothing, for they have one value there or none: R_VALUE, noise; "
        "leave them out with model.features"
    ]
    silent = odd["region"].values == "SIM 0"
    assert np.isfinite(forecast(odd, model, device="cpu")["probability"].values[~silent]).all()
    other = odd.copy(deep=True)
    other["values"].values[:, 2] = 1e6
    assert np.isfinite(forecast(other, model, device="cpu")["probability"].values[~silent]).all()


def test_windows_without_a_single_value_are_refused(windows, split, configure, tmp_path):
    empty = windows.copy(deep=True)
    empty["values"].values[:] = np.nan
    with pytest.raises(FlarecastError, match="train role: expected windows with values and a known outcome"):
        train(empty, split, configure(), folder=tmp_path, device="cpu")


def test_a_batch_larger_than_the_data_is_one_step_an_epoch_and_that_is_told(
    windows, split, configure, tmp_path
):
    said, config = [], configure("cnn", train={"epochs": 2, "batch_size": 10_000})
    model = train(windows, split, config, folder=tmp_path, device="cpu", say=said.append)
    assert said == [
        f"train.batch_size: 10000 is more than the {model.training['windows_train']} windows to train on; "
        "every epoch is a single step"
    ]
    assert len(history(tmp_path)) == 3


def test_a_class_that_no_train_window_holds_gets_next_to_no_probability(windows, split, configure, tmp_path):
    without = windows.copy(deep=True)
    high = (without["peak_flux"].values >= 1e-4) & (split["role"].values[0] == 1)
    for name in ("peak_flux", "peak_flux_upper"):
        without[name].values[high] = 3e-5
    for name in ("cnn", "logistic", "random_forest"):
        config = configure(name, train={"epochs": 2})
        model = train(without, split, config, folder=tmp_path / name, device="cpu")
        probability = forecast(without, model, device="cpu")["probability"].values
        assert np.nanmax(probability[:, 2]) < 0.05
        assert np.nanmin(probability) >= 0
