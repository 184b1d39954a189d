"""The histograms around batch normalization: their logits, counts and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.batchnorm_histograms import (
    ACTIVATIONS,
    BatchnormHistograms,
    BatchnormHistogramsState,
    flat_logits,
    flat_ranges,
    logits_of,
    normalised,
    view_of,
)


def batchnorm_forward(x, weight, bias, running_mean, running_var, training=True):
    y = weight * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) + bias
    return y, running_mean, running_var


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


@pytest.mark.parametrize(("mean", "std", "seed"), [(3.0, 2.5, 0), (-8.0, 0.1, 7), (0.0, 5.0, 99)])
def test_logits_have_exactly_the_mean_and_spread_of_the_state(mean, std, seed):
    x = logits_of(BatchnormHistogramsState(mean=mean, std=std, seed=seed))
    assert x.shape == (400,)
    assert x.mean() == pytest.approx(mean, abs=1e-12)
    assert x.std() == pytest.approx(std)


def test_the_toolkit_normalises_as_pytorch_does():
    x = logits_of(BatchnormHistogramsState())
    given = torch.tensor(x[:, None]), None, None, torch.tensor([2.0]), torch.tensor([-1.0])
    expected = torch.nn.functional.batch_norm(*(g.double() if g is not None else g for g in given), training=True)
    np.testing.assert_allclose(normalised(x, 2.0, -1.0), expected.numpy()[:, 0])


def test_what_comes_in_moves_the_first_row_only_and_the_scale_the_second():
    first = view_of(BatchnormHistogramsState(mean=2, std=1), batchnorm_forward)
    moved = view_of(BatchnormHistogramsState(mean=-6, std=1), batchnorm_forward)
    assert moved["before"] != first["before"]
    assert moved["after"] == first["after"]
    scaled = view_of(BatchnormHistogramsState(mean=2, std=1, weight=2, bias=-3), batchnorm_forward)
    assert scaled["before"] == first["before"]
    assert (scaled["after"]["mean"], scaled["after"]["std"]) == ("−3.00", "2.00")


def test_the_bars_hold_all_examples_even_those_beyond_the_ends():
    view = view_of(BatchnormHistogramsState(mean=8, std=5))
    assert sum(view["before"]["bars"]) == pytest.approx(1, abs=0.01)
    assert view["before"]["bars"][-1] > 0.05


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_and_their_largest_value(name):
    activation, derivative, largest = ACTIVATIONS[name]
    x = np.linspace(-7, 7, 1000)
    nudged = (activation(x + 1e-6) - activation(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(derivative(x), nudged, atol=1e-6)
    assert derivative(np.linspace(-7, 7, 10001)).max() == pytest.approx(largest, abs=1e-6)


def test_the_sentence_counts_logits_without_and_with_the_layer():
    said = view_of(BatchnormHistogramsState(), batchnorm_forward)["status"]
    assert said == "In the flat part of the sigmoid: 157 of 400 logits without batch normalization, 1 with it."


def test_flat_logits_and_the_ranges_that_are_drawn():
    assert flat_logits(np.array([-1.0, 0.0, 1.0]), "ReLU") == 2
    assert flat_logits(np.array([-4.0, -3.0, 3.0, 4.0]), "sigmoid") == 2
    assert flat_ranges("ReLU") == [[-12.0, 0.0]]
    (low, left), (right, high) = flat_ranges("sigmoid")
    assert (low, high) == (-12.0, 12.0)
    # 4 σ'(x) = 1 / cosh²(x/2) falls to a tenth at 2 arcosh(√10).
    assert right == pytest.approx(2 * np.arccosh(np.sqrt(10)), abs=0.01)
    assert left == -right


def test_the_identity_button_undoes_the_normalisation():
    widget = BatchnormHistograms(batchnorm_forward, mean=-4, std=3)
    widget._receive(None, {"do": "identity"}, [])
    assert widget.view["before"]["mean"] == widget.view["after"]["mean"]
    assert widget.view["status"].startswith("BN(x) = x")
    widget._receive(None, {"do": "fresh"}, [])
    assert (widget.state.weight, widget.state.bias) == (1.0, 0.0)
    assert not widget.view["status"].startswith("BN(x) = x")
    # At the ends of the sliders it works too.
    widget.update(mean=8.0, std=5.0)
    widget._receive(None, {"do": "identity"}, [])
    assert widget.view["problem"] == ""


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "batchnorm_forward is not written yet", False),
        (unwritten, "batchnorm_forward is not written yet", False),
        (lambda *_: 1 / 0, "raised ZeroDivisionError", True),
        (lambda *_: None, "returned no (y, running_mean, running_var)", True),
        (lambda x, *_: (x[:3], 0, 0), "returned no (y, running_mean, running_var)", True),
        (lambda x, *_: (x * np.nan, 0, 0), "returned no (y, running_mean, running_var)", True),
    ],
)
def test_a_function_that_cannot_be_used_is_said_and_replaced(function, said, wrong):
    view = view_of(BatchnormHistogramsState(), function)
    assert said in words(view)
    assert view["notes"][0]["wrong"] == wrong
    assert view["after"] == view_of(BatchnormHistogramsState(), batchnorm_forward)["after"]


def test_the_learners_numbers_are_drawn_even_where_they_are_wrong():
    view = view_of(BatchnormHistogramsState(), lambda x, *_: (x - x.mean(), 0, 0))
    assert view["after"]["std"] == "2.50"
    assert "Yours is drawn: mean" in words(view)
    assert view["notes"][0]["wrong"]
    assert view_of(BatchnormHistogramsState(), batchnorm_forward)["notes"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": 9.0}, "mean lies between -8 and 8"),
        ({"std": 0.0}, "std lies between 0.1 and 5"),
        ({"weight": -4.0}, "weight lies between -3 and 6"),
        ({"bias": 10.0}, "bias lies between -8 and 8"),
        ({"activation": "maxout"}, "activation is one of sigmoid, tanh, ReLU"),
        ({"seed": 100}, "seed is a whole number from 0 to 99"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        BatchnormHistograms(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    assert BatchnormHistograms().as_code() == "BatchnormHistograms()"
    own = BatchnormHistograms(batchnorm_forward, mean=-2.5, weight=3.0, activation="tanh", seed=4)
    assert own.as_code() == "BatchnormHistograms(batchnorm_forward, mean=-2.5, weight=3, activation='tanh', seed=4)"
    names = {"BatchnormHistograms": BatchnormHistograms, "batchnorm_forward": batchnorm_forward}
    assert eval(own.as_code(), names).state == own.state
