"""Training loops: the steps are SGD's, in an order that the seed decides."""

import pytest
import torch
from torch import nn

from convnets.training import sgd_epochs


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(3)
    return torch.randn(10, 4, generator=generator), torch.randint(0, 3, (10,), generator=generator)


def linear():
    model = nn.Linear(4, 3)
    with torch.no_grad():
        model.weight.copy_(torch.arange(12.0).reshape(3, 4) / 10 - 0.5)
        model.bias.zero_()
    return model


def test_one_whole_batch_is_one_step_of_sgd(points):
    x, y = points
    model, by_hand = linear(), linear()
    right = list(sgd_epochs(model, x, y, 1, lr=0.5, batch_size=10, weight_decay=0.1))
    logits = by_hand(x)
    nn.functional.cross_entropy(logits, y).backward()
    expected = by_hand.weight - 0.5 * (by_hand.weight.grad + 0.1 * by_hand.weight)
    torch.testing.assert_close(model.weight, expected)
    assert right == [pytest.approx(100 * (logits.argmax(1) == y).double().mean().item())]


def test_the_seed_decides_the_order_and_nothing_else_does(points):
    x, y = points
    ends = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(ends))
        model = linear()
        assert len(list(sgd_epochs(model, x, y, 3, lr=0.1, batch_size=4, seed=seed))) == 3
        ends.append(model.weight.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_look_in_between_does_not_leave_the_model_in_evaluation_mode(points):
    x, y = points
    model = nn.Sequential(linear(), nn.BatchNorm1d(3))
    for epoch, _ in enumerate(sgd_epochs(model, x, y, 2, lr=0.1, batch_size=5)):
        assert model.training
        assert int(model[1].num_batches_tracked) == 2 * (epoch + 1)
        model.eval()
