"""The receptive-field painter: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from convnets.widgets.receptive_field_painter import (
    NETS,
    ReceptiveFieldPainter,
    ReceptiveFieldState,
    geometry,
    layer_name,
    paths_of,
    view_of,
)


def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, _, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field


def jump_and_start(layers):
    jump, start = 1, 0
    for _, stride, padding, _ in layers:
        start -= padding * jump
        jump *= stride
    return jump, start


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def is_wrong(view):
    return any(note["wrong"] for note in view["notes"])


def test_the_lectures_two_layers_see_five_of_seven_pixels():
    view = view_of(ReceptiveFieldState(), receptive_field, jump_and_start)
    assert [row["paths"] for row in view["rows"]] == [[0, 1, 2, 3, 2, 1, 0], [0, 1, 1, 1, 0], [0, 1, 0]]
    assert view["bracket"] == [1, 5]
    assert view["status"] == "Unit 1 of map 2 sees pixels 1 to 5, a field of 5, by 9 paths."
    assert not view["notes"]


@pytest.mark.parametrize("name", NETS)
def test_paths_are_the_gradients_of_a_net_of_ones(name):
    layers, pixels = NETS[name]
    state = ReceptiveFieldState(layers, pixels)
    for row in range(1, len(layers) + 1):
        for unit in {0, state.sizes[row] // 2, state.sizes[row] - 1}:
            x = torch.zeros((1, 1, pixels), dtype=torch.float64, requires_grad=True)
            y = x
            for kernel, stride, padding, dilation in layers[:row]:
                weight = torch.ones((1, 1, kernel), dtype=torch.float64)
                y = torch.nn.functional.conv1d(y, weight, None, stride, padding, dilation)
            assert y.shape[2] == state.sizes[row]
            (gradient,) = torch.autograd.grad(y[0, 0, unit], x)
            painted = ReceptiveFieldState(layers, pixels, unit=(row, unit))
            assert paths_of(painted)[0].tolist() == gradient[0, 0].tolist()
            view = view_of(painted, receptive_field, jump_and_start)
            assert not view["notes"]
            json.dumps(view)


@pytest.mark.parametrize("name", NETS)
def test_geometry_follows_the_formulas(name):
    layers, _ = NETS[name]
    for count in range(len(layers) + 1):
        assert geometry(layers[:count]) == (receptive_field(layers[:count]), *jump_and_start(layers[:count]))


def test_holes_and_padding_are_said():
    gridded = ReceptiveFieldState(((3, 1, 2, 2), (3, 1, 2, 2)), 21)
    assert "The field has holes: 4 pixels in it cannot be seen." in view_of(gridded)["status"]
    corner = ReceptiveFieldState(((3, 1, 1, 1),), 7, unit=(1, 0))
    assert view_of(corner)["status"].endswith("1 pixel of it lies in the padding.")
    assert view_of(corner)["reach"] == [-1, 7]


def test_functions_not_written_yet_are_filled_in_and_said():
    def stub(layers):
        raise NotImplementedError("your code here")

    view = view_of(ReceptiveFieldState(), stub)
    assert words(view) == "Your stub and jump_and_start are not written yet: the toolkit computes this picture."
    assert view["bracket"] == [1, 5]


def test_a_wrong_formula_draws_a_wrong_bracket_and_is_said():
    def adds_kernels(layers):
        return sum(kernel for kernel, *_ in layers)

    view = view_of(ReceptiveFieldState(), adds_kernels, jump_and_start)
    assert view["wrong"]
    assert view["bracket"] == [1, 6]
    assert words(view) == "Your functions say pixels 1 to 6; the taps lead to 1 to 5."
    # The painted pixels stay right.
    assert view["rows"][0]["paths"] == [0, 1, 2, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ((lambda layers: 5.0, jump_and_start), "should return one whole number"),
        ((receptive_field, lambda layers: 1), "should return two whole numbers, jump and start"),
        ((lambda layers: layers[9], jump_and_start), "raised IndexError"),
        ((lambda layers: None, jump_and_start), "should return one whole number"),
    ],
)
def test_answers_that_are_no_numbers_are_said(functions, said):
    view = view_of(ReceptiveFieldState(), *functions)
    assert said in words(view)
    assert is_wrong(view)
    assert not view["wrong"]


def test_numpys_whole_numbers_count_as_whole():
    view = view_of(ReceptiveFieldState(), lambda layers: np.int64(5), lambda layers: (np.int64(1), np.int64(0)))
    assert not view["notes"]


def test_the_actions_of_controls_pointer_and_keys():
    widget = ReceptiveFieldPainter()
    state = widget.state
    assert widget.act(state, "set", {"kernel": 5}).layers == ((5, 1, 0, 1), (3, 1, 0, 1))
    assert widget.act(state, "set", {"layer": 1, "stride": 2}).layers == ((3, 1, 0, 1), (3, 2, 0, 1))
    assert widget.act(state, "set", {"pixels": 9}).sizes == [9, 7, 5]
    added = widget.act(state, "add", {})
    assert (added.layers[-1], added.layer) == ((3, 1, 1, 1), 2)
    assert widget.act(added, "remove", {}).layer == 1
    assert widget.act(state, "net", {"name": "LeNet-5"}).sizes == [32, 28, 14, 10, 5, 1]
    assert widget.act(state, "show", {"row": 1, "index": 4}).painted == (1, 4)
    assert widget.act(state, "move", {"rows": 0, "columns": -1}).painted == (2, 0)
    # Down to the map below: the unit under the painted one; the pixels themselves are no units of a layer.
    down = widget.act(state, "move", {"rows": 1, "columns": 0})
    assert down.painted == (1, 2)
    assert widget.act(down, "move", {"rows": 1, "columns": 0}).painted == (1, 2)
    assert widget.act(down, "move", {"rows": -1, "columns": 0}).painted == (2, 1)
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        widget.act(state, "fly", {})


def test_a_painted_unit_moves_into_a_picture_that_shrinks():
    widget = ReceptiveFieldPainter(pixels=12, unit=(2, 7))
    assert widget.act(widget.state, "set", {"pixels": 7}).painted == (2, 2)


def test_a_layer_that_does_not_fit_is_refused_in_words_and_the_picture_stays():
    widget = ReceptiveFieldPainter()
    widget._receive(None, {"do": "set", "kernel": 7}, [])
    assert widget.view["problem"] == "Layer 2 does not fit: its window spans 3 units, 1 are there."
    assert widget.state.layers[0][0] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": []}, "layers are 1 to 5, not 0"),
        ({"layers": [(3, 1)]}, "a layer is four numbers, kernel, stride, padding, dilation"),
        ({"layers": [(3, 0, 0, 1)]}, "stride is a whole number from 1 to 4, not 0"),
        ({"pixels": 4}, "pixels is a whole number from 5 to 48"),
        ({"layers": [(9, 1, 0, 1)]}, "Layer 1 does not fit: its window spans 9 units, 7 are there"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ReceptiveFieldPainter(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    layers = [(3, 2, 1, 1), (3, 1, 0, 2)]
    widget = ReceptiveFieldPainter(receptive_field, jump_and_start, layers=layers, pixels=20, layer=1, unit=(1, 3))
    expected = (
        "ReceptiveFieldPainter(receptive_field, jump_and_start, layers=[[3, 2, 1, 1], [3, 1, 0, 2]], pixels=20, "
        "layer=1, unit=[1, 3])"
    )
    assert widget.as_code() == expected
    names = {"receptive_field": receptive_field, "jump_and_start": jump_and_start}
    assert eval(expected, {"ReceptiveFieldPainter": ReceptiveFieldPainter, **names}).state == widget.state


def test_layers_are_written_in_short():
    assert layer_name((3, 1, 0, 1)) == "3×3"
    assert layer_name((7, 2, 3, 1)) == "7×7 /2 p3"
    assert layer_name((3, 1, 4, 4)) == "3×3 p4 d4"
