"""The sliding kernel's state and pictures, without a kernel or a browser."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from convnets.widgets.base import call_learner, literal, number
from convnets.widgets.sliding_kernel import (
    IMAGE_PATTERN,
    LIMITS,
    SlidingKernel,
    SlidingKernelState,
    changed,
    learner_output,
    size_formula,
    toolkit_output,
    view_of,
)
from convnets.widgets.walking import stepped

IMAGE = [[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]]
KERNEL = [[1, 0, 2], [-1, 1, 1], [0, 2, 1]]
LECTURE = [[2, -1, 2], [2, 0, 9], [0, 5, -2]]


def correlate(image, kernel, stride=1, padding=0):
    """A right answer by loops, as a learner writes it."""
    x = np.pad(image, padding)
    rows, columns = ((n - k) // stride + 1 for n, k in zip(x.shape, kernel.shape, strict=True))
    return np.array(
        [
            [
                (x[i * stride : i * stride + len(kernel), j * stride : j * stride + kernel.shape[1]] * kernel).sum()
                for j in range(columns)
            ]
            for i in range(rows)
        ]
    )


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    gap = size + 2 * padding - dilation * (kernel - 1) - 1
    if gap < 0 or gap % stride:
        raise ValueError("the kernel does not fit")
    return gap // stride + 1


def texts(view):
    return [[cell["text"] for cell in row] for row in view["output"]]


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def is_wrong(view):
    return any(note["wrong"] for note in view["notes"])


def test_the_default_is_the_lectures_practice_example():
    state = SlidingKernelState()
    assert state.image_array.tolist() == IMAGE
    assert state.kernel_array.tolist() == KERNEL
    view = view_of(state)
    assert texts(view) == [[number(value) for value in row] for row in LECTURE]
    assert view["formula"] == ["(5 − 3 + 2·0)/1 + 1 = 3"]


def test_the_sum_is_written_out_with_the_numbers_of_the_window():
    view = view_of(SlidingKernelState(position=(1, 1)))
    assert view["terms"] == ["0·1", "2·0", "1·2", "0·(−1)", "(−2)·1", "0·1", "1·0", "0·2", "0·1"]
    assert view["total"] == "0"
    covered = [(i, j, c["weight"]) for i, row in enumerate(view["field"]) for j, c in enumerate(row) if "weight" in c]
    positions = itertools.product((1, 2, 3), (1, 2, 3))
    assert covered == [(i, j, number(w)) for (i, j), w in zip(positions, np.ravel(KERNEL), strict=True)]


def test_the_output_is_filled_in_reading_order_up_to_the_position():
    shown = [[cell["shown"] for cell in row] for row in view_of(SlidingKernelState(position=(1, 0)))["output"]]
    assert shown == [[True, True, True], [True, False, False], [False, False, False]]


@pytest.mark.parametrize(
    ("transposed", "stride", "padding", "dilation", "image", "kernel"),
    [
        case
        for case in itertools.product((False, True), (1, 2, 3), (0, 1, 2), (1, 2), (4, 5, 7), (2, 3, 5))
        if case[4] <= LIMITS[case[0]]["image_size"]
        and case[5] <= LIMITS[case[0]]["kernel_size"]
        and (not case[0] or case[2] <= case[3] * (case[5] - 1))
    ],
)
def test_field_window_and_learner_agree_with_pytorch(transposed, stride, padding, dilation, image, kernel):
    """Every window's sum, its drawn cells and a learner's right function give PyTorch's number."""
    state = SlidingKernelState(image, kernel, stride, padding, dilation, transposed)
    if state.output_shape is None:
        assert not transposed
        assert view_of(state)["output"] == []
        return
    truth = toolkit_output(state)
    assert truth.shape == state.output_shape
    assert size_formula(state, 0).endswith(f"= {truth.shape[0]}")
    np.testing.assert_allclose(learner_output(state, correlate).value, truth)
    last = (truth.shape[0] - 1, truth.shape[1] - 1)
    for position in ((0, 0), (truth.shape[0] // 2, 0), last):
        view = view_of(SlidingKernelState(image, kernel, stride, padding, dilation, transposed, position), correlate)
        cells = [cell for row in view["field"] for cell in row if "weight" in cell]
        value = sum(float(c["text"].replace("−", "-")) * float(c["weight"].replace("−", "-")) for c in cells)
        assert value == pytest.approx(truth[position])
        assert len(cells) == kernel**2
        assert view["total"] == number(truth[position])
        assert not is_wrong(view)


def test_the_fields_input_cells_hold_the_image_and_the_rest_are_zeros():
    for state in (SlidingKernelState(padding=2), SlidingKernelState(transposed=True, stride=2, padding=1)):
        cells = [cell for row in view_of(state)["field"] for cell in row]
        assert [cell["text"] for cell in cells if cell["kind"] == "input"] == [number(v) for v in np.ravel(IMAGE)]
        assert {cell["text"] for cell in cells if cell["kind"] == "zero"} == {"0"}


def test_images_that_are_not_square_get_one_formula_for_each_axis():
    image = np.arange(20).reshape(4, 5)
    state = SlidingKernelState(image=image, padding=1)
    view = view_of(state, correlate, output_size)
    assert view["formula"] == ["(4 − 3 + 2·1)/1 + 1 = 4", "(5 − 3 + 2·1)/1 + 1 = 5"]
    assert np.shape(texts(view)) == (4, 5)
    assert not is_wrong(view)


def test_cannot_fit_is_said_in_words_and_never_drawn():
    view = view_of(SlidingKernelState(image=7, stride=3), correlate, output_size)
    assert view["formula"] == ["(7 − 3 + 2·0)/3 + 1 = 2.33: cannot fit"]
    assert not view["fits"]
    assert view["output"] == []
    assert "2.33" in view["no_output"]
    assert "columns 6–8" in view["status"]
    assert "2 columns more" in view["status"]
    assert view["start"] == (0, 6)
    assert {c["kind"] for row in view["field"] for c in row[7:]} == {"beyond"}
    assert words(view) == "Your output_size says so too: the kernel does not fit"


def test_a_kernel_larger_than_its_input_hangs_over_on_both_sides():
    view = view_of(SlidingKernelState(image=2))
    assert view["formula"] == ["(2 − 3 + 2·0)/1 + 1: cannot fit, the window is larger than the padded input"]
    assert "1 row and 1 column more" in view["status"]
    assert view["no_output"] == "The window is larger than the input."


def test_only_rows_that_do_not_fit_are_shown_along_the_rows():
    view = view_of(SlidingKernelState(image=np.ones((6, 5)), stride=2))
    assert view["start"] == (4, 0)
    assert "1 row more" in view["status"]


@pytest.mark.parametrize("missing", [None, lambda *_, **__: (_ for _ in ()).throw(NotImplementedError)])
def test_a_function_that_is_not_written_yet_is_filled_in_and_said(missing):
    view = view_of(SlidingKernelState(), missing, missing)
    both = "Your cross_correlate2d and output_size are not written yet: the toolkit computes this picture."
    assert words(view) == both
    assert not is_wrong(view)
    assert texts(view)[1][2] == "9"
    view = view_of(SlidingKernelState(), correlate, missing)
    assert words(view) == "Your output_size is not written yet: the toolkit computes this picture."


def test_an_error_of_the_learner_is_shown_in_words():
    def broken(image, kernel, stride=1, padding=0):
        return image[99]

    view = view_of(SlidingKernelState(), broken, output_size)
    assert is_wrong(view)
    assert words(view).startswith("Your cross_correlate2d raised IndexError: index 99 is out of bounds")
    assert "toolkit's numbers" in words(view)
    assert texts(view)[0][0] == "2"


def test_cells_that_differ_are_marked_and_said_in_words():
    def wrong_in_one_cell(*args, **kwargs):
        result = correlate(*args, **kwargs)
        result[0, 0] = -2
        return result

    view = view_of(SlidingKernelState(), wrong_in_one_cell, output_size)
    assert [cell["wrong"] for row in view["output"] for cell in row] == [True] + [False] * 8
    assert texts(view)[0][0] == "−2"
    assert view["output"][0][0]["truth"] == "2"
    assert "differs from the sum in 1 of 9 cells" in words(view)
    assert "Here it gives −2, the sum is 2." in words(view)
    elsewhere = view_of(SlidingKernelState(position=(1, 1)), wrong_in_one_cell, output_size)
    assert "Here" not in words(elsewhere)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "returned NoneType"), ("text", "returned str"), (np.ones((5, 5)), "returned shape (5, 5)")],
)
def test_results_that_are_no_output_are_said(value, said):
    view = view_of(SlidingKernelState(), lambda *_, **__: value, output_size)
    assert said in words(view)
    assert is_wrong(view)
    assert texts(view)[0][0] == "2"


def test_wrong_sizes_of_the_learner_are_said():
    view = view_of(SlidingKernelState(padding=1), correlate, lambda size, kernel, **_: size - kernel + 1)
    assert "output_size(5, 3, stride=1, padding=1, dilation=1) gives 3, the formula gives 5" in words(view)
    view = view_of(SlidingKernelState(image=7, stride=3), correlate, lambda size, kernel, **_: 2)
    assert "gives 2, but the kernel cannot fit: raise a ValueError here" in words(view)
    view = view_of(SlidingKernelState(), correlate, lambda size, kernel: 3)
    assert "TypeError" in words(view)


def test_the_learner_cannot_damage_the_picture_in_place():
    def greedy(image, kernel, stride=1, padding=0):
        image *= 0
        kernel *= 0
        return np.zeros((3, 3))

    state = SlidingKernelState()
    view_of(state, greedy)
    assert state.image_array.tolist() == IMAGE
    assert state.kernel_array.tolist() == KERNEL


def test_stepping_goes_in_reading_order_and_stops_at_the_end():
    state, seen = SlidingKernelState(stride=2, playing=True), [(0, 0)]
    while state.playing:
        state = stepped(state)
        seen.append(state.position)
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert state.at_end
    assert stepped(state).position == (1, 1)


def test_the_actions_of_buttons_and_keys():
    widget = SlidingKernel()
    state = widget.state

    def after(action, **values):
        return widget.act(state, action, values)

    assert after("step").position == (0, 1)
    assert after("move", rows=1, columns=0).position == (1, 0)
    assert after("move", rows=-1, columns=0).position == (0, 0)
    assert after("show", row=2, column=1).position == (2, 1)
    assert after("play").playing
    assert not widget.act(SlidingKernelState(image=7, stride=3), "play", {}).playing
    assert widget.act(SlidingKernelState(position=(2, 2)), "play", {}).position == (0, 0)
    assert widget.act(SlidingKernelState(position=(2, 2)), "reset", {}).position == (0, 0)
    assert widget.act(state, "tick", {}) == state
    assert after("weigh", row=0, column=1, weight=5).kernel_array[0].tolist() == [1, 5, 2]
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        after("fly")


def test_sizes_grow_with_the_pattern_and_keep_the_numbers_given():
    assert changed(SlidingKernelState(), {"image_size": 7}).image == 7
    own = SlidingKernelState(image=np.full((2, 2), 9))
    grown = changed(own, {"image_size": 3}).image_array
    assert grown[:2, :2].tolist() == [[9, 9], [9, 9]]
    assert grown[2].tolist() == IMAGE_PATTERN[2, :3].tolist()


def test_switching_to_transposed_brings_the_controls_within_its_limits():
    state = SlidingKernelState(image=9, kernel=5, stride=4, padding=3, dilation=3)
    new = changed(state, {"transposed": True})
    assert (new.image, new.kernel, new.stride, new.dilation, new.padding) == (5, 4, 3, 2, 3)
    assert changed(SlidingKernelState(kernel=2, padding=3), {"transposed": True}).padding == 1
    assert changed(SlidingKernelState(transposed=True, padding=2), {"kernel_size": 2}).padding == 1


def test_a_position_outside_moves_to_the_nearest_cell():
    assert SlidingKernelState(position=(9, 9)).position == (2, 2)
    assert changed(SlidingKernelState(position=(2, 2)), {"stride": 2}).position == (1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, "stride is a whole number from 1 to 4, not 0"),
        ({"padding": 7}, "padding is a whole number from 0 to 3"),
        ({"image": [1, 2, 3]}, r"image is a 2-D array of numbers, not one of shape \(3,\)"),
        ({"image": 12}, "image as a size is a whole number from 1 to 9"),
        ({"image": np.ones((12, 12))}, "image has at most 9 rows"),
        ({"kernel": [[np.nan]]}, "kernel is a 2-D array of numbers"),
        ({"transposed": True, "padding": 3}, r"padding is at most dilation·\(kernel − 1\) = 2 when transposed"),
        ({"transposed": True, "image": 9}, "image has at most 5 rows and 5 columns when transposed"),
        ({"position": (1,)}, "position is"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        SlidingKernel(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    assert SlidingKernel(stride=2, padding=1).as_code() == "SlidingKernel(stride=2, padding=1)"
    assert SlidingKernel(correlate, output_size).as_code() == "SlidingKernel(correlate, output_size)"
    assert SlidingKernel(None, output_size).as_code() == "SlidingKernel(None, output_size)"
    own = SlidingKernel(image=[[1, 2.5], [0, -3]], kernel=1, position=(0, 1), transposed=True, stride=3)
    again = eval(own.as_code(), {"SlidingKernel": SlidingKernel})
    assert again.state == own.state
    assert own.as_code().endswith("kernel=1, stride=3, transposed=True, position=(0, 1))")


def test_messages_of_the_browser_are_answered_with_one_view_each():
    widget = SlidingKernel()
    turn = widget.view["turn"]
    widget._receive(None, {"do": "set", "stride": 2}, [])
    assert (widget.state.stride, widget.view["turn"]) == (2, turn + 1)
    assert widget.view["code"] == "SlidingKernel(stride=2)"
    widget._receive(None, {"do": "set", "stride": 77}, [])
    assert widget.state.stride == 2
    assert widget.view["problem"].startswith("stride is a whole number")
    assert widget.view["turn"] == turn + 2


def test_a_tick_counts_once():
    widget = SlidingKernel()
    widget._receive(None, {"do": "play"}, [])
    turn = widget.view["turn"]
    widget._receive(None, {"do": "tick", "turn": turn}, [])
    widget._receive(None, {"do": "tick", "turn": turn}, [])
    assert widget.state.position == (0, 1)
    assert widget.state.playing


def test_numbers_and_literals_read_well():
    assert [number(v) for v in (-2.0, 0.5, 1 / 3, -0.0001, 12)] == ["−2", "0.5", "0.333", "0", "12"]
    assert literal(np.array([[1.0, 0.5]])) == "[[1, 0.5]]"


def test_learner_errors_without_a_message_still_make_a_sentence():
    def silent():
        raise ZeroDivisionError

    assert call_learner("f", silent).words == "Your f raised ZeroDivisionError"


def test_tensors_are_numbers_too():
    view = view_of(SlidingKernelState(), lambda *args, **kwargs: torch.tensor(correlate(*args, **kwargs)), output_size)
    assert not view["notes"]
