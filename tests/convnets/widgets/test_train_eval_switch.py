"""The train/eval switch: its batches, statistics and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.train_eval_switch import (
    DRAWS,
    TrainEvalSwitch,
    TrainEvalSwitchState,
    batch_of,
    normalised,
    running_of,
    view_of,
)


def batchnorm_forward(x, weight, bias, running_mean, running_var, training=True):
    if training and len(x) < 2:
        raise ValueError("more than one example is needed")
    mean, var = (x.mean(axis=0), x.var(axis=0)) if training else (running_mean, running_var)
    return weight * (x - mean) / np.sqrt(var + 1e-5) + bias, running_mean, running_var


def always_training(x, weight, bias, running_mean, running_var, training=True):
    return batchnorm_forward(x, weight, bias, running_mean, running_var, True)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def test_the_marked_example_stays_when_its_company_is_drawn_anew():
    one, other = batch_of(TrainEvalSwitchState(draw=1)), batch_of(TrainEvalSwitchState(draw=2))
    assert one[0] == other[0] == 3.0
    assert not np.any(one[1:] == other[1:])
    # A larger batch keeps the company that a smaller one had.
    np.testing.assert_array_equal(batch_of(TrainEvalSwitchState(draw=1, size=20))[:8], one)


@pytest.mark.parametrize("batches", [0, 1, 50])
def test_the_running_statistics_are_pytorchs(batches):
    layer = torch.nn.BatchNorm1d(1).double()
    rng = np.random.default_rng(1000)
    for _ in range(batches):
        layer(torch.tensor(2 + 1.5 * rng.normal(size=(8, 1))))
    mean, var = running_of(batches)
    np.testing.assert_allclose(mean, layer.running_mean.numpy())
    np.testing.assert_allclose(var, layer.running_var.numpy())


def test_train_and_eval_normalise_by_the_batch_and_by_the_running_statistics():
    x, running = np.array([1.0, 3.0]), (np.array([1.0]), np.array([4.0]))
    np.testing.assert_allclose(normalised(x, "train", running), [-1, 1], atol=1e-4)
    np.testing.assert_allclose(normalised(x, "eval", running), [0, 1], atol=1e-4)


def test_the_company_decides_in_train_mode_only():
    train = view_of(TrainEvalSwitchState(), batchnorm_forward)
    assert len(train["answers"]) == DRAWS
    assert np.ptp(train["answers"]) > 0.3
    evaluated = view_of(TrainEvalSwitchState(mode="eval"), batchnorm_forward)
    assert np.ptp(evaluated["answers"]) == 0
    assert "The company does not matter" in evaluated["status"]
    assert "In 30 draws of company it becomes" in train["status"]


def test_two_examples_become_minus_one_and_one():
    pairs = view_of(TrainEvalSwitchState(size=2), batchnorm_forward)["pairs"]
    assert sorted(round(y, 3) for _, y in pairs) == [-1, 1]


def test_a_batch_of_one_is_refused_in_train_mode_and_allowed_in_eval_mode():
    train = view_of(TrainEvalSwitchState(size=1), batchnorm_forward)
    assert train["refused"]
    assert train["pairs"] == [[3.0, 0.0]]
    assert "PyTorch refuses it too" in words(train)
    assert not train["notes"][0]["wrong"]
    assert "The layer refuses" in train["status"]
    evaluated = view_of(TrainEvalSwitchState(size=1, mode="eval"), batchnorm_forward)
    assert not evaluated["refused"]
    assert evaluated["notes"] == []
    careless = view_of(TrainEvalSwitchState(size=1), lambda x, *_: (0 * x, 0, 0))
    assert careless["notes"][0]["wrong"]
    assert "PyTorch raises a ValueError" in words(careless)


def test_the_running_statistics_need_batches_to_become_true():
    def used(batches):
        return view_of(TrainEvalSwitchState(mode="eval", batches=batches))["used_mean"]

    assert used(0) == 0
    assert abs(used(50) - 2) < abs(used(5) - 2)
    assert view_of(TrainEvalSwitchState(mode="eval", batches=1))["status"].endswith("statistics of 1 batch do.")


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "batchnorm_forward is not written yet", False),
        (unwritten, "batchnorm_forward is not written yet", False),
        (lambda *_: 1 / 0, "raised ZeroDivisionError", True),
        (lambda *_: int("one"), "raised ValueError", True),
        (lambda *_: None, "returned no (y, running_mean, running_var)", True),
        (lambda x, *_: (x[:3], 0, 0), "returned no (y, running_mean, running_var)", True),
    ],
)
def test_a_function_that_cannot_be_used_is_said_and_replaced(function, said, wrong):
    view = view_of(TrainEvalSwitchState(), function)
    assert said in words(view)
    assert view["notes"][0]["wrong"] == wrong
    assert view["pairs"] == view_of(TrainEvalSwitchState(), batchnorm_forward)["pairs"]


def test_a_function_that_never_leaves_train_mode_is_seen():
    view = view_of(TrainEvalSwitchState(mode="eval"), always_training)
    assert "in eval mode; expected was" in words(view)
    assert view["pairs"] == view_of(TrainEvalSwitchState(), batchnorm_forward)["pairs"]
    assert view_of(TrainEvalSwitchState(), always_training)["notes"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "test"}, 'mode is "train" or "eval"'),
        ({"size": 0}, "size lies between 1 and 32"),
        ({"value": 9.0}, "value lies between -2 and 6"),
        ({"draw": -1}, "draw lies between 0 and 99"),
        ({"batches": 201}, "batches lies between 0 and 200"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        TrainEvalSwitch(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    assert TrainEvalSwitch().as_code() == "TrainEvalSwitch()"
    own = TrainEvalSwitch(batchnorm_forward, mode="eval", size=1, draw=3, batches=5)
    assert own.as_code() == "TrainEvalSwitch(batchnorm_forward, mode='eval', size=1, draw=3, batches=5)"
    names = {"TrainEvalSwitch": TrainEvalSwitch, "batchnorm_forward": batchnorm_forward}
    assert eval(own.as_code(), names).state == own.state
