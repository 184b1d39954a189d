"""Gradient by layer: state, networks and pictures, without a kernel or a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from convnets.models.resnet import NarrowResNet, he_init
from convnets.widgets.gradient_by_layer import (
    WIDTH,
    GradientByLayer,
    GradientByLayerState,
    Gradients,
    batch,
    beyond,
    gradient_norms,
    power,
    toolkit,
    view_of,
    without_batchnorm,
)


def shallow(depth, residual=True, width=16, channels=3):
    return NarrowResNet(8, residual=residual, width=width, channels=channels)


def always_plain(depth, residual=True, width=16, channels=3):
    return NarrowResNet(depth, residual=False, width=width, channels=channels)


def for_colours(depth, residual=True, width=16, channels=3):
    return NarrowResNet(depth, residual=residual, width=width)


def not_written(depth, residual=True, width=16, channels=3):
    raise NotImplementedError("your code here")


def test_the_norms_are_those_of_autograd():
    model = NarrowResNet(8, channels=1, width=WIDTH)
    he_init(model, 3)
    x, y = batch()
    nn.functional.cross_entropy(model(x), y).backward()
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    norms = gradient_norms(NarrowResNet(8, channels=1, width=WIDTH), GradientByLayerState(depth=8, seed=3))
    assert len(norms) == 7
    assert norms[0] == pytest.approx(float(torch.linalg.vector_norm(first.weight.grad)), rel=1e-4)


def test_with_batch_normalization_plain_gradients_grow_and_residual_ones_do_not():
    norms, _ = Gradients(None).of(GradientByLayerState(depth=56))
    assert norms["plain"][0] > 100 * norms["plain"][-1]
    assert norms["residual"][0] < 20 * norms["residual"][-1]


def test_batch_normalization_can_be_taken_out():
    model = NarrowResNet(8)
    without_batchnorm(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    on, off = (view_of(GradientByLayerState(batchnorm=norm), Gradients(None)) for norm in (True, False))
    assert on["lines"] != off["lines"]
    assert "without batch normalization" in off["status"]


def test_the_view_of_the_toolkits_networks():
    view = view_of(GradientByLayerState(depth=20), Gradients(toolkit))
    assert [line["kind"] for line in view["lines"]] == ["plain", "residual"]
    assert all(len(line["powers"]) == 19 for line in view["lines"])
    assert view["notes"] == []
    json.dumps(view)


def test_a_function_that_is_not_written_is_told_quietly():
    for function in (None, not_written):
        (note,) = view_of(GradientByLayerState(depth=8), Gradients(function))["notes"]
        assert "plain_or_residual is not written yet" in note["text"]
        assert not note["wrong"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (shallow, "made 7 convolutions for depth 20, not 19"),
        (for_colours, "made a network that raised RuntimeError"),
        (lambda *args: None, "returns no network"),
        (lambda depth: None, "raised TypeError"),
    ],
)
def test_what_cannot_be_used_is_said_and_replaced(function, words):
    view = view_of(GradientByLayerState(depth=20), Gradients(function))
    assert words in view["notes"][0]["text"]
    assert view["notes"][0]["wrong"]
    assert view["lines"] == view_of(GradientByLayerState(depth=20), Gradients(None))["lines"]


def test_another_network_is_drawn_and_marked():
    view = view_of(GradientByLayerState(depth=14), Gradients(always_plain))
    assert "another residual network than the toolkit's" in view["notes"][0]["text"]
    assert view["lines"][1]["powers"] == view["lines"][0]["powers"]


def test_norms_beyond_the_picture_stay_at_its_edge():
    assert [power(norm) for norm in (0.0, 1e-30, 1.0, 1e30, np.inf, np.nan)] == [-6.0, -6.0, 0.0, 6.0, 6.0, 6.0]


def test_norms_beyond_the_picture_are_told():
    norms = {"plain": [1e-7, 0.0, 1.0], "residual": [1.0, 1e7, np.inf]}
    assert beyond(norms) == [
        "plain: 2 of 3 norms are below 10⁻⁶ and drawn on the lower edge.",
        "residual: 2 of 3 norms are above 10⁶ and drawn on the upper edge.",
    ]
    assert beyond({"plain": [1e-6, 1e6]}) == []
    view = view_of(GradientByLayerState(depth=56, batchnorm=False), Gradients(toolkit))
    assert [note["wrong"] for note in view["notes"]] == [False]
    assert view["notes"][0]["text"].startswith("plain: ")


def test_states_that_cannot_be_drawn_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"depth is one of 8, 14, .*, 56, not 10"):
        GradientByLayer(depth=10)
    with pytest.raises(ValueError, match="seed is a whole number from 0 to 9, not 10"):
        GradientByLayer(seed=10)


def test_the_line_of_code_restores_the_state():
    widget = GradientByLayer(toolkit, depth=8, batchnorm=False, seed=2)
    assert widget.as_code() == "GradientByLayer(toolkit, depth=8, batchnorm=False, seed=2)"
    again = eval(widget.as_code(), {"GradientByLayer": GradientByLayer, "toolkit": toolkit})
    assert again.state == widget.state
