"""The pooling stepper: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from convnets.widgets.base import number
from convnets.widgets.pooling_stepper import (
    LIMITS,
    MAPS,
    PoolingStepper,
    PoolingStepperState,
    toolkit_arrays,
    view_of,
    window_of,
)
from convnets.widgets.walking import stepped


def max_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return F.max_pool2d(torch.tensor(x), kernel_size, stride, padding, ceil_mode=ceil_mode).numpy()


def max_pool2d_backward(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    inputs = torch.tensor(x, requires_grad=True)
    y = F.max_pool2d(inputs, kernel_size, stride, padding, ceil_mode=ceil_mode)
    return torch.autograd.grad(y, inputs, torch.tensor(grad_output))[0].numpy()


def avg_pool2d(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return F.avg_pool2d(torch.tensor(x), kernel_size, stride, padding, count_include_pad=count_include_pad).numpy()


def avg_pool2d_backward(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    inputs = torch.zeros(x_shape, dtype=torch.float64, requires_grad=True)
    y = F.avg_pool2d(inputs, kernel_size, stride, padding, count_include_pad=count_include_pad)
    return torch.autograd.grad(y, inputs, torch.tensor(grad_output))[0].numpy()


LEARNERS = (max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward)


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def is_wrong(view):
    return any(note["wrong"] for note in view["notes"])


def texts(view, name):
    return [[cell["text"] for cell in row] for row in view[name]]


def places(view, name, key):
    return [(i, j) for i, row in enumerate(view[name]) for j, cell in enumerate(row) if cell[key]]


def test_cs231ns_map_gives_the_lectures_answer():
    view = view_of(PoolingStepperState(size=4, kernel=2), *LEARNERS)
    assert texts(view, "y") == [["6", "8"], ["3", "4"]]
    assert view["status"] == "Window 1 of 4: y[0, 0] = max(1, 1, 5, 6) = 6; its gradient, 1, goes to x[1, 1]."
    assert not view["notes"]


def test_gradients_of_the_windows_so_far_add_up_at_a_common_winner():
    state = PoolingStepperState(position=(1, 0))
    assert toolkit_arrays(state)["grad_x"][4, 2] == 3
    view = view_of(replace(state, position=(1, 1)), *LEARNERS)
    assert view["grad_x"][4][2]["text"] == "7"
    assert places(view, "grad_x", "here") == [(4, 2)]
    assert places(view, "grad_output", "sent") == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_the_first_of_equal_pixels_wins_and_the_others_are_marked():
    view = view_of(PoolingStepperState(map="relu", size=4, kernel=2))
    assert places(view, "x", "wins") == [(0, 0)]
    assert places(view, "x", "ties") == [(0, 1), (1, 0), (1, 1)]
    assert "goes to x[0, 0], the first of 4 that tie" in view["status"]


SETTINGS = [
    dict(zip(("kind", "map", "kernel", "stride", "padding", "switch"), setting, strict=True))
    for setting in itertools.product(
        ("max", "avg"), MAPS, (2, 3, 4), range(LIMITS["stride"][0], LIMITS["stride"][1] + 1), (0, 1, 2), (False, True)
    )
    if setting[4] <= setting[2] // 2
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "-".join(map(str, setting.values())))
def test_windows_and_sentences_agree_with_pytorch(setting):
    switch = {"ceil_mode" if setting["kind"] == "max" else "count_include_pad": setting["switch"]}
    options = {name: value for name, value in setting.items() if name != "switch"} | switch
    first = PoolingStepperState(**options, size=5)
    truth = toolkit_arrays(first)["y"]
    assert truth.shape == (first.out, first.out)
    for position in np.ndindex(truth.shape):
        state = replace(first, position=position)
        view = view_of(state, *LEARNERS)
        values = [state.x[cell] for cell in window_of(state)]
        assert f" = {number(truth[position])}; " in view["status"]
        counted = 1 if state.kind == "max" else len(values) if not state.count_include_pad else state.kernel**2
        mine = max(values) if state.kind == "max" else sum(values) / counted
        assert mine == pytest.approx(truth[position])
        # What this window adds is what the sentence says.
        before = toolkit_arrays(state)["grad_x"] - (
            0 if position == (0, 0) else toolkit_arrays(replace(state, position=previous(state)))["grad_x"]
        )
        assert {(int(i), int(j)) for i, j in np.argwhere(before)} == set(places(view, "grad_x", "here"))
        # The frame covers what is drawn as covered, real or not.
        assert len(places(view, "x", "covered")) == state.kernel**2
        assert not view["notes"]
        json.dumps(view)


def previous(state):
    """The position before this one, in reading order."""
    return divmod(state.position[0] * state.out + state.position[1] - 1, state.out)


def test_the_frame_shows_what_it_is_padded_with():
    for kind, text in (("max", "−∞"), ("avg", "0")):
        view = view_of(PoolingStepperState(kind=kind, padding=1))
        assert {cell["text"] for row in view["x"] for cell in row if cell["kind"] == "pad"} == {text}
    sticking_out = view_of(PoolingStepperState(size=4, ceil_mode=True, position=(1, 1)))
    assert [cell["kind"] for cell in sticking_out["x"][4]] == ["beyond"] * 5


def test_functions_not_written_yet_are_filled_in_and_said():
    def stub(*args, **kwargs):
        raise NotImplementedError("your code here")

    view = view_of(PoolingStepperState(), None, stub)
    assert words(view) == "Your max_pool2d and stub are not written yet: the toolkit computes this picture."
    assert texts(view, "y") == [["7", "8"], ["9", "9"]]


def test_only_the_functions_of_this_kind_are_called():
    def broken(*args, **kwargs):
        raise KeyError("never called")

    assert not view_of(PoolingStepperState(), max_pool2d, max_pool2d_backward, broken, broken)["notes"]
    assert "Your broken raised KeyError" in words(
        view_of(PoolingStepperState(kind="avg"), *LEARNERS[:2], broken, broken)
    )


def test_a_gradient_that_gives_to_all_that_tie_is_marked():
    def to_all(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
        y = max_pool2d(x, kernel_size, stride)
        grad = np.zeros_like(x)
        for index in np.ndindex(y.shape[2:]):
            window = tuple(slice(k * stride, k * stride + kernel_size) for k in index)
            grad[0, 0][window] += (x[0, 0][window] == y[0, 0][index]) * grad_output[0, 0][index]
        return grad

    view = view_of(PoolingStepperState(map="relu", size=4, kernel=2), max_pool2d, to_all)
    assert places(view, "grad_x", "wrong") == [(0, 1), (1, 0), (1, 1)]
    assert words(view) == "In grad_x your to_all is wrong in 3 cells (✗)."
    assert is_wrong(view)
    assert view["grad_x"][0][1]["wrong"] == "yours 1, right is 0"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "gives NoneType for y, which has shape (1, 1, 2, 2)"), (np.zeros((2, 2)), "gives shape (2, 2) for y")],
)
def test_answers_that_are_no_maps_are_said(value, said):
    view = view_of(PoolingStepperState(), lambda *args, **kwargs: value, max_pool2d_backward)
    assert said in words(view)
    assert is_wrong(view)
    assert texts(view, "y") == [["7", "8"], ["9", "9"]]


def test_the_learner_cannot_damage_the_picture_in_place():
    def greedy(x, *args, **kwargs):
        x *= 0
        return np.zeros((1, 1, 2, 2))

    before = MAPS["numbers"].copy()
    view_of(PoolingStepperState(), greedy, max_pool2d_backward)
    assert np.array_equal(MAPS["numbers"], before)


def test_stepping_ends_at_the_last_window_and_stops_playing():
    state = PoolingStepperState(position=(0, 1), playing=True)
    assert stepped(state).position == (1, 0)
    assert stepped(state).playing
    last = stepped(stepped(state))
    assert (last.position, last.playing) == ((1, 1), False)
    assert stepped(last) == last


def test_the_actions_of_buttons_keys_and_clock():
    widget = PoolingStepper()
    state = widget.state
    assert widget.act(state, "move", {"rows": 1, "columns": 1}).position == (1, 1)
    assert widget.act(state, "move", {"rows": -1, "columns": 0}).position == (0, 0)
    assert widget.act(state, "show", {"row": 1, "column": 0}).position == (1, 0)
    playing = widget.act(replace(state, position=(1, 1)), "play", {})
    assert (playing.position, playing.playing) == ((0, 0), True)
    assert widget.act(playing, "tick", {}).position == (0, 1)
    assert widget.act(state, "tick", {}) == state
    assert widget.act(state, "switch", {"on": True}).ceil_mode
    assert not widget.act(replace(state, kind="avg"), "switch", {"on": False}).count_include_pad
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        widget.act(state, "fly", {})


def test_a_smaller_kernel_takes_its_padding_along():
    widget = PoolingStepper(kernel=4, padding=2)
    assert widget.act(widget.state, "set", {"kernel": 2}).padding == 1
    widget._receive(None, {"do": "set", "kernel": 3}, [])
    widget._receive(None, {"do": "set", "padding": 2}, [])
    assert widget.view["problem"] == "padding is at most half the kernel, 1: a window needs a real pixel."
    assert widget.state.padding == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, "stride is a whole number from 1 to 4, not 0"),
        ({"size": 9}, "size is a whole number from 4 to 6"),
        ({"kind": "median"}, "kind is one of max, avg, not 'median'"),
        ({"map": "photo"}, "map is one of numbers, relu, not 'photo'"),
        ({"padding": 2}, "padding is at most half the kernel, 1"),
        ({"position": (0.5, 0)}, "position is"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        PoolingStepper(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    widget = PoolingStepper(*LEARNERS, kind="avg", padding=1, count_include_pad=False, position=(1, 0))
    names = "max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward"
    expected = f"PoolingStepper({names}, kind='avg', padding=1, count_include_pad=False, position=[1, 0])"
    assert widget.as_code() == expected
    space = {"PoolingStepper": PoolingStepper, **{function.__name__: function for function in LEARNERS}}
    assert eval(expected, space).state == widget.state
