"""The upconvolution stepper: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from convnets.widgets.upconvolution_stepper import (
    UpconvolutionStepper,
    UpconvolutionStepperState,
    overlap_of,
    view_of,
)
from convnets.widgets.walking import stepped

LAST = (2, 2)


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    y = F.conv_transpose2d(torch.tensor(x), torch.tensor(weight), None, stride, padding, output_padding, 1, dilation)
    return y.numpy()


def texts(view, name):
    return [[cell["text"] for cell in row] for row in view[name]]


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def test_one_stamp_is_the_filter_and_all_make_a_checkerboard():
    view = view_of(UpconvolutionStepperState(size=2), conv_transpose2d)
    assert texts(view, "y") == [["1", "1", "1", "0", "0"]] * 3 + [["0"] * 5] * 2
    whole = view_of(UpconvolutionStepperState(size=2, position=(1, 1)), conv_transpose2d)
    assert texts(whole, "y")[2] == ["2", "2", "4", "2", "2"]
    assert whole["overlap"] == "Away from the border each pixel gets 1 to 4 stamps: a checkerboard."
    assert not whole["notes"]
    json.dumps(whole)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 3), (2, 1), (5, 1)])
def test_stamps_are_even_where_the_stride_divides_the_kernel(kernel, stride):
    state = UpconvolutionStepperState(kernel=kernel, stride=stride)
    assert overlap_of(state) == ((kernel // stride) ** 2,) * 2
    assert "an even picture" in view_of(state)["overlap"]


def test_gaps_count_as_pixels_without_a_stamp():
    assert overlap_of(UpconvolutionStepperState(kernel=2, stride=3)) == (0, 1)


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("stride", "output_padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, 2, 2), (1, 1, 2)])
def test_the_kept_cells_are_pytorchs_output(padding, stride, output_padding, dilation):
    state = UpconvolutionStepperState(
        3, 3, stride, padding, output_padding, dilation, "numbers", "numbers", position=LAST
    )
    view = view_of(state, conv_transpose2d)
    kept = [float(cell["text"]) for row in view["y"] for cell in row if cell["kept"]]
    expected = conv_transpose2d(state.x[None, None], state.weight[None, None], None, **state.options)
    np.testing.assert_array_equal(kept, expected.ravel())
    assert sum(cell["here"] for row in view["y"] for cell in row) == 9
    assert not view["notes"]


def test_a_wrong_function_is_marked_and_its_numbers_are_shown():
    def overwrites(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
        return np.minimum(conv_transpose2d(x, weight, bias, stride, padding, output_padding, dilation), 1)

    view = view_of(UpconvolutionStepperState(size=2, position=(1, 1)), overwrites)
    assert words(view) == "Your overwrites is wrong in 9 cells (✗)."
    assert view["y"][2][2]["wrong"] == "yours 1, right is 4"


def test_missing_failing_and_shapeless_functions_are_said():
    def stub(*_, **__):
        raise NotImplementedError("your code here")

    def fails(*_, **__):
        raise KeyError("channels")

    state = UpconvolutionStepperState()
    assert words(view_of(state, stub)) == "Your stub is not written yet: the toolkit computes this picture."
    assert "Your fails raised KeyError" in words(view_of(state, fails))
    assert "gives shape (2, 2) for the output, which has shape (1, 1, 7, 7)" in words(
        view_of(state, lambda *_, **__: np.zeros((2, 2)))
    )
    assert "gives NoneType" in words(view_of(state, lambda *_, **__: None))


def test_the_actions_of_buttons_keys_and_clock():
    widget = UpconvolutionStepper()
    state = widget.state
    assert widget.act(state, "step", {}).position == (0, 1)
    assert widget.act(state, "end", {}).position == LAST
    assert widget.act(state, "move", {"rows": 1, "columns": -1}).position == (1, 0)
    assert widget.act(state, "show", {"row": 2, "column": 1}).position == (2, 1)
    assert widget.act(replace(state, position=LAST), "reset", {}).position == (0, 0)
    playing = widget.act(replace(state, position=LAST), "play", {})
    assert (playing.position, playing.playing) == ((0, 0), True)
    assert widget.act(playing, "tick", {}).position == (0, 1)
    assert widget.act(state, "tick", {}) == state
    assert stepped(replace(state, position=LAST, playing=True)).playing is False
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        widget.act(state, "fly", {})


def test_a_smaller_stride_takes_its_output_padding_along():
    widget = UpconvolutionStepper(stride=3, output_padding=2)
    assert widget.act(widget.state, "set", {"stride": 2}).output_padding == 1
    widget._receive(None, {"do": "set", "stride": 1}, [])
    widget._receive(None, {"do": "set", "output_padding": 1}, [])
    assert widget.view["problem"] == "output_padding is at most 0: less than the stride or the dilation."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, "stride is a whole number from 1 to 3, not 0"),
        ({"filter": "gauss"}, "filter is one of ones, numbers, not 'gauss'"),
        ({"output_padding": 2}, "output_padding is at most 1"),
        ({"size": 2, "kernel": 2, "stride": 1, "padding": 2}, "cuts off the whole output"),
        ({"position": (0.5, 0)}, "position is"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        UpconvolutionStepper(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    widget = UpconvolutionStepper(conv_transpose2d, kernel=4, padding=1, filter="numbers", position=(1, 2))
    expected = "UpconvolutionStepper(conv_transpose2d, kernel=4, padding=1, filter='numbers', position=[1, 2])"
    assert widget.as_code() == expected
    again = eval(expected, {"UpconvolutionStepper": UpconvolutionStepper, "conv_transpose2d": conv_transpose2d})
    assert again.state == widget.state
