"""Signals through ten layers and the sentences about them, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.signal_depth import BINS, DEPTH, DepthState, SignalDepth, Signals, bars, drawn, view_of


def relu(x):
    return np.maximum(x, 0)


def activation_stds(x, weights, activation):
    stds = []
    for weight in weights:
        x = activation(x @ weight.T)
        stds.append(np.std(x))
    return np.array(stds)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["text"] for note in view["notes"])


def stds_of(**state):
    return Signals(None).run(DepthState(**state))[1]


@pytest.mark.parametrize("activation", ["linear", "relu", "leaky relu", "tanh", "sigmoid"])
def test_layers_are_pytorchs(activation):
    state = DepthState(activation, gain=1.3, width=50, seed=3)
    x, weights = drawn(50, 3)
    function = {
        "linear": lambda x: x,
        "relu": torch.relu,
        "leaky relu": torch.nn.functional.leaky_relu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }[activation]
    h = torch.tensor(x)
    layers, stds, _ = Signals(None).run(state)
    assert len(layers) == DEPTH
    for layer, std, weight in zip(layers, stds, weights, strict=True):
        h = function(torch.nn.functional.linear(h, 1.3 * torch.tensor(weight)))
        np.testing.assert_allclose(layer, h.numpy(), atol=1e-10)
        assert std == pytest.approx(h.std(correction=0).item())


def test_the_gain_that_keeps_each_signal_alive():
    for activation, gain in [("linear", 1.0), ("relu", 2**0.5)]:
        first, *_, last = stds_of(activation=activation, gain=gain, width=400)
        assert 0.7 < last / first < 1.4
    assert stds_of(activation="relu", gain=1.0)[-1] < 0.1
    assert stds_of(activation="relu", gain=3.0)[-1] > 100
    assert 0.85 < stds_of(activation="tanh", gain=4.0)[-1] <= 1.0


def test_histograms_have_one_bar_for_all_that_is_off():
    heights = bars(np.array([[0.0, 0.0, 0.0, 0.0, 0.5, 99.0]]))
    assert len(heights) == BINS
    assert heights[BINS // 2] == 1.0
    assert heights[-1] == 0.5
    assert sum(height > 0 for height in heights) == 3


def test_the_learners_functions_run_and_are_judged():
    right = view_of(DepthState(), Signals(activation_stds, relu=relu))
    assert right["notes"] == []
    assert right["stds"] == view_of(DepthState(), Signals(None))["stds"]

    variances = view_of(DepthState(), Signals(lambda *given: activation_stds(*given) ** 2, relu=relu))
    assert "Your activation_stds differs from the toolkit's" in words(variances)
    assert variances["stds"] != right["stds"]

    absolute = view_of(DepthState(), Signals(activation_stds, relu=np.abs))
    assert "Your relu differs from the toolkit's: −2 becomes 2, not 0" in words(absolute)
    assert absolute["bars"] != right["bars"]


def test_functions_that_cannot_be_used_are_replaced():
    view = view_of(DepthState(), Signals(unwritten, relu=lambda x: x.sum()))
    assert view["stds"] == view_of(DepthState(), Signals(None))["stds"]
    assert "Your activation_stds is not written yet" in words(view)
    assert "Your relu returns no array of shape (2, 3)" in words(view)
    short = view_of(DepthState(), Signals(lambda x, weights, activation: np.ones(3), relu=relu))
    assert "Your activation_stds returned no array of shape (10,) for 10 layers" in words(short)


def test_the_sentence_tells_the_factor_of_a_layer():
    assert "a factor of 0.7" in view_of(DepthState(), Signals(None))["status"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"activation": "swish"}, "activation is one of linear"),
        ({"gain": 0.0}, "gain lies between 0.1 and 4"),
        ({"width": 100}, "width is one of 50, 200, 400"),
        ({"seed": -1}, "seed is a whole number"),
    ],
)
def test_a_state_that_cannot_be_drawn_is_refused_in_words(wrong, told):
    with pytest.raises(ValueError, match=told):
        SignalDepth(**wrong)


def test_the_line_of_python_names_functions_and_changes():
    widget = SignalDepth(activation_stds, relu, gain=2.0)
    assert widget.as_code() == "SignalDepth(activation_stds, relu, gain=2)"
    widget.update(activation="tanh", seed=4)
    assert widget.as_code() == "SignalDepth(activation_stds, relu, activation='tanh', gain=2, seed=4)"
