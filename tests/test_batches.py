import numpy as np
import pytest
import torch

from flarecast.batches import (
    Sample,
    choose_device,
    gather_steps,
    has_values,
    ordered,
    shuffled,
    to_device,
    with_windows,
)
from flarecast.errors import FlarecastError

CPU = torch.device("cpu")


def filled_by_hand(values, step_rows):
    """Last value carried forward inside each window, 0 before the first: step by step."""
    out = np.zeros((*step_rows.shape, values.shape[1]), dtype=np.float32)
    for window, rows in enumerate(step_rows):
        held = np.zeros(values.shape[1], dtype=np.float32)
        for step, row in enumerate(rows):
            if row >= 0:
                held = np.where(np.isnan(values[row]), held, values[row])
            out[window, step] = held
    return out


def random_windows(seed, missing):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, 3)).astype(np.float32)
    values[rng.random(values.shape) < missing] = np.nan
    step_rows = np.full((50, 6), -1)
    for window in range(50):  # rows of a track follow each other, steps without a row lie between
        steps = np.flatnonzero(rng.random(6) > 0.3)
        step_rows[window, steps] = rng.integers(0, 34) + np.arange(steps.size)
    return values, step_rows


@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
def test_gaps_are_filled_inside_the_window_and_from_nowhere_else(missing):
    values, step_rows = random_windows(1, missing)
    tensors = to_device(values, step_rows, np.full(50, -1), CPU)
    assert (tensors.origin is None) == (missing == 0)
    got = gather_steps(tensors, torch.arange(50))
    np.testing.assert_array_equal(got, filled_by_hand(values, step_rows))


def test_nothing_is_carried_into_a_window_from_before_its_first_row():
    values = np.array([[5.0], [np.nan], [7.0]], dtype=np.float32)
    tensors = to_device(values, np.array([[1, 2]]), np.array([-1]), CPU)
    np.testing.assert_array_equal(gather_steps(tensors, torch.tensor([0]))[0, :, 0], [0, 7])


def test_a_window_has_values_when_any_cell_of_its_rows_has_one():
    values, step_rows = random_windows(2, 0.9)
    step_rows[:5] = -1
    expected = [bool(np.isfinite(values[rows[rows >= 0]]).any()) for rows in step_rows]
    tensors = to_device(values, step_rows, np.full(50, -1), CPU)
    assert has_values(tensors).tolist() == expected
    assert 0 < sum(expected) < 50


@pytest.mark.parametrize("missing", [0.0, 0.5, 1.0])
def test_windows_added_behind_others_change_none_of_them(missing):
    values, step_rows = random_windows(4, missing)
    step_rows[:5] = -1
    before = to_device(values, step_rows, np.arange(50), CPU)
    more = torch.randn(7, 6, 3)
    after = with_windows(before, more, torch.arange(7))
    np.testing.assert_array_equal(gather_steps(after, torch.arange(50)), filled_by_hand(values, step_rows))
    np.testing.assert_array_equal(gather_steps(after, torch.arange(50, 57)), more)
    assert after.last_class.tolist() == [*range(50), *range(7)]
    assert has_values(after).tolist() == has_values(before).tolist() + [True] * 7
    assert after.step_rows.dtype == before.step_rows.dtype


def test_no_window_added_behind_others_is_none():
    values, step_rows = random_windows(4, 0.5)
    before = to_device(values, step_rows, np.arange(50), CPU)
    after = with_windows(before, torch.zeros(0, 6, 3), torch.arange(0))
    np.testing.assert_array_equal(gather_steps(after, torch.arange(50)), filled_by_hand(values, step_rows))
    assert after.last_class.tolist() == before.last_class.tolist()


def test_a_file_without_rows_gives_windows_of_zeros():
    tensors = to_device(np.empty((0, 2), dtype=np.float32), np.full((3, 4), -1), np.full(3, -1), CPU)
    assert gather_steps(tensors, torch.arange(3)).abs().sum() == 0
    assert not has_values(tensors).any()


def test_ordered_batches_hold_every_window_of_the_sample_once():
    values, step_rows = random_windows(3, 0.2)
    tensors = to_device(values, step_rows, np.arange(50), CPU)
    index = torch.arange(10, 31)
    sample = Sample(tensors, index, index, index + 1, index.float())
    batches = list(ordered(sample, 8))
    assert [len(batch.steps) for batch in batches] == [8, 8, 5]
    for name in ("last_class", "low", "weight"):
        np.testing.assert_array_equal(torch.cat([getattr(batch, name) for batch in batches]), index)


@pytest.mark.parametrize(("n", "sizes"), [(10, [4, 4, 2]), (9, [4, 5]), (1, [1]), (8, [4, 4])])
def test_shuffled_batches_are_a_permutation_and_no_last_batch_stands_alone(n, sizes):
    batches = shuffled(n, 4, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in batches] == sizes
    assert sorted(torch.cat(batches).tolist()) == list(range(n))


def test_auto_takes_what_there_is():
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu").type == "cpu"


def test_cuda_without_cuda_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(FlarecastError) as caught:
        choose_device("cuda")
    assert str(caught.value) == "device: expected a CUDA device, found none; use --device cpu"


def test_an_unknown_device_is_refused():
    with pytest.raises(FlarecastError, match="expected auto, cpu or cuda, got 'tpu'"):
        choose_device("tpu")
