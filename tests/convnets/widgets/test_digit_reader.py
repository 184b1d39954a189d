"""Whose network reads, what is said about it, and how digits are cut out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from convnets.models.lenet import LeNet5
from convnets.widgets.digit_reader import centred, normalised, pieces, reader_of, toolkit_epoch, unseen_digits


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setenv("CONVNETS_FAST", "1")
    reader_of.cache_clear()
    yield
    reader_of.cache_clear()


class Tiny(nn.Sequential):
    """Trains in no time."""

    def __init__(self):
        super().__init__(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(64, 10))


class Unwritten(nn.Sequential):
    def __init__(self):
        raise NotImplementedError("your code here")


class SevenClasses(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(1024, 7))


def unwritten(*_):
    raise NotImplementedError("your code here")


def broken(*_):
    raise KeyError("rng")


def explodes(model, optimizer, x, y, batch_size, rng):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(np.nan)


def test_the_learners_own_net_reads_after_the_learners_own_loop():
    calls = []

    def counting(model, optimizer, x, y, batch_size, rng):
        calls.append((type(model).__name__, optimizer.param_groups[0]["lr"], len(x)))
        return toolkit_epoch(model, optimizer, x, y, batch_size, rng)

    reader = reader_of(Tiny, counting)
    assert isinstance(reader.model, Tiny)
    assert reader.notes == ()
    assert [call[:2] for call in calls] == [("Tiny", 0.05), ("Tiny", 0.05), ("Tiny", 0.01)]
    assert reader_of(Tiny, counting) is reader
    x, y = unseen_digits()
    probability = reader.probabilities(x)
    assert probability.shape == (1000, 10)
    assert np.allclose(probability.sum(axis=1), 1)
    assert (probability.argmax(axis=1) == y).mean() > 0.7


@pytest.mark.parametrize(
    ("net", "loop", "kind", "words"),
    [
        (None, toolkit_epoch, LeNet5, [("Your LeNet5 is not written yet: the toolkit's is used.", False)]),
        (Unwritten, toolkit_epoch, LeNet5, [("Your LeNet5 is not written yet: the toolkit's is used.", False)]),
        (Tiny, unwritten, Tiny, [("Your train_epoch is not written yet: the toolkit's is used.", False)]),
        (Tiny, broken, Tiny, [("With your train_epoch: KeyError: 'rng'. The toolkit's is used.", True)]),
    ],
)
def test_the_toolkit_stands_in_and_says_so(net, loop, kind, words):
    reader = reader_of(net, loop)
    assert isinstance(reader.model, kind)
    assert list(reader.notes) == words


def test_a_net_with_seven_classes_is_replaced():
    reader = reader_of(SevenClasses, toolkit_epoch)
    assert isinstance(reader.model, LeNet5)
    ((words, wrong),) = reader.notes
    assert words.startswith("With your LeNet5: ")
    assert wrong


def test_a_loop_that_leaves_no_numbers_is_replaced():
    reader = reader_of(Tiny, explodes)
    ((words, wrong),) = reader.notes
    assert "With your train_epoch: ValueError: the net answers" in words
    assert wrong
    assert np.isfinite(reader.probabilities(torch.zeros(1, 1, 32, 32))).all()


def test_training_leaves_the_global_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    reader_of(Tiny, toolkit_epoch)
    assert torch.rand(1) == expected


def test_pieces_are_what_empty_columns_keep_apart():
    ink = np.zeros((20, 40))
    ink[3:9, 2:7] = 1
    ink[12:15, 4:10] = 1  # shares columns with the first
    ink[5:18, 20:24] = 1
    ink[0:2, 30:32] = 1  # a speck
    assert pieces(ink) == [(3, 2, 12, 8), (5, 20, 13, 4)]
    assert pieces(np.zeros((5, 5))) == []


@pytest.mark.parametrize(("height", "width"), [(60, 30), (10, 44), (5, 5), (90, 2)])
def test_normalised_digits_are_20_pixels_long_and_centred(height, width):
    field = normalised(np.ones((height, width)))
    assert field.shape == (28, 28)
    rows, columns = (np.flatnonzero(field.any(axis=1 - axis)) for axis in (0, 1))
    assert max(len(rows), len(columns)) == 20
    for places in (rows, columns):
        assert abs(places.mean() - 13.5) <= 0.5


def test_the_mass_is_in_the_middle_and_not_the_box():
    digit = np.zeros((20, 12), np.float32)
    digit[:, :2] = 1  # heavy on the left
    digit[0, :] = 1
    field = centred(digit)
    centre = np.average(np.arange(28), weights=field.sum(axis=0))
    assert abs(centre - 13.5) <= 0.5
    across = centred(digit, axes=(0,))
    assert np.flatnonzero(across.any(axis=0)).tolist() == list(range(8, 20))
    assert not centred(np.zeros((20, 20), np.float32)).any()
