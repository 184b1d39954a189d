"""The activation curves, their slopes and their sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.activation_slopes import (
    GRID,
    KINDS,
    ActivationSlopes,
    Functions,
    SlopesState,
    reference,
    scientific,
    view_of,
)


def relu(x):
    return np.maximum(x, 0)


def relu_backward(grad_output, x):
    return grad_output * (x > 0)


def maxout(x, weight, bias):
    return (np.einsum("nd,khd->nkh", x, weight) + bias).max(axis=1)


def maxout_backward(grad_output, x, weight, bias):
    pieces = np.einsum("nd,khd->nkh", x, weight) + bias
    won = pieces.argmax(axis=1)[:, None] == np.arange(len(weight))[:, None]
    g = won * grad_output[:, None]
    return np.einsum("nkh,khd->nd", g, weight), np.einsum("nkh,nd->khd", g, x), g.sum(axis=0)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["text"] for note in view["notes"])


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_slopes_are_pytorchs(kind):
    state = SlopesState(kind, alpha=0.3, w1=0.7, b1=0.2, w2=-1.1, b2=-0.4)
    x = torch.linspace(-3.9, 3.9, 40, dtype=torch.float64, requires_grad=True)
    y = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky relu": lambda x: torch.nn.functional.leaky_relu(x, 0.3),
        "maxout": lambda x: torch.maximum(0.7 * x + 0.2, -1.1 * x - 0.4),
    }[kind](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    got_y, got_slope = reference(state, x.detach().numpy())
    np.testing.assert_allclose(got_y, y.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(got_slope, slope.numpy(), atol=1e-12)


def test_at_zero_the_left_slope_counts():
    assert reference(SlopesState("relu"), np.zeros(1))[1] == 0
    assert reference(SlopesState("leaky relu", alpha=0.25), np.zeros(1))[1] == 0.25


def test_depth_multiplies_the_slope():
    view = view_of(SlopesState("sigmoid", x=2.0, layers=10), Functions())
    assert view["left_words"] == "1.6e−10"
    np.testing.assert_allclose(view["left"][0], np.log10(0.104994), atol=1e-4)
    np.testing.assert_allclose(np.diff(view["left"]), view["left"][0], atol=1e-9)
    assert "After 10 layers with this slope a gradient of 1 is 1.6e−10" in view["status"]
    assert "The whole gradient passes" in view_of(SlopesState("relu", x=2.0), Functions())["status"]
    off = view_of(SlopesState("relu", x=-2.0), Functions())
    assert off["left"] == [None] * 10
    assert "Nothing of a gradient passes" in off["status"]


def test_a_jump_of_the_slope_breaks_its_line_and_not_the_curve():
    view = view_of(SlopesState("relu"), Functions())
    assert len(view["curve"]) == 1
    assert [len(line) for line in view["slope"]] == [81, 80]
    assert view["slope"][0][-1] == [0.0, 0.0]
    assert view["slope"][1][0] == [GRID[81].round(3), 1.0]


def test_right_functions_are_drawn_without_a_word():
    own = Functions(relu=relu, relu_backward=relu_backward, maxout=maxout, maxout_backward=maxout_backward)
    for kind in ("relu", "maxout"):
        assert view_of(SlopesState(kind), own)["notes"] == []
        assert view_of(SlopesState(kind), own)["curve"] == view_of(SlopesState(kind), Functions())["curve"]


def test_a_wrong_function_is_drawn_and_named():
    view = view_of(SlopesState("relu", x=-1.0), Functions(relu=np.abs, relu_backward=relu_backward))
    assert view["point"] == [-1.0, 1.0, 0.0]
    assert view["notes"] == [{"text": view["notes"][0]["text"], "wrong": True}]
    assert "Your relu differs from the toolkit's: at x = −1 its value is 1, the toolkit's 0" in words(view)
    slope = view_of(SlopesState("relu", x=0.0), Functions(relu=relu, relu_backward=lambda g, x: g * (x >= 0)))
    assert "Your relu_backward differs from the toolkit's: at x = 0 its slope is 1, the toolkit's 0" in words(slope)


def test_functions_that_cannot_be_used_are_replaced():
    broken = view_of(SlopesState("maxout"), Functions(maxout=lambda x, weight, bias: 3.0, maxout_backward=unwritten))
    assert broken["curve"] == view_of(SlopesState("maxout"), Functions())["curve"]
    assert "Your maxout returned no array of shape (162, 1). The toolkit's takes its place." in words(broken)
    assert "Your maxout_backward is not written yet" in words(broken)
    raising = view_of(SlopesState("tanh"), Functions(tanh_from_sigmoid=lambda x: x[500]))
    assert "Your tanh_from_sigmoid raised IndexError" in words(raising)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "swish"}, "kind is one of sigmoid"),
        ({"x": 5.0}, "x lies between −4 and 4"),
        ({"layers": 0}, "layers is a whole number from 1 to 30"),
        ({"alpha": 3.0}, "alpha lies between −2 and 2"),
        ({"b2": -2.5}, "b2 lies between −2 and 2"),
    ],
)
def test_a_state_that_cannot_be_drawn_is_refused_in_words(wrong, told):
    with pytest.raises(ValueError, match=told):
        ActivationSlopes(**wrong)


def test_the_line_of_python_names_functions_and_changes():
    widget = ActivationSlopes(None, relu, kind="leaky relu", alpha=0.5)
    assert widget.as_code() == "ActivationSlopes(None, relu, kind='leaky relu', alpha=0.5)"
    widget.update(x=-1.5, layers=3)
    assert widget.view["left_words"] == "0.125"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (0.0, "0"), (1024.0, "1,024"), (2.0**30, "1.1e9"), (-1.6e-10, "−1.6e−10"), (5e-4, "5.0e−4")],
)
def test_small_and_large_shares_are_short(value, text):
    assert scientific(value) == text
