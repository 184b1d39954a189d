"""The terms of a convolution: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from convnets.widgets.base import number
from convnets.widgets.convolution_terms import (
    BIAS,
    TARGETS,
    ConvolutionTerms,
    ConvolutionTermsState,
    connections,
    symbol,
    terms_of,
    toolkit_arrays,
    view_of,
)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    return torch.nn.functional.conv2d(*map(torch.tensor, (x, weight, bias)), **options).numpy()


def conv2d_backward(grad_output, x, weight, stride=1, padding=0, dilation=1):
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, weight, np.zeros(len(weight)))]
    y = torch.nn.functional.conv2d(*inputs, stride=stride, padding=padding, dilation=dilation)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, inputs, torch.tensor(grad_output)))


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def is_wrong(view):
    return any(note["wrong"] for note in view["notes"])


def wrong_cells(view, name):
    return [(i, j) for i, row in enumerate(view["grids"][name]) for j, cell in enumerate(row) if "wrong" in cell]


def test_the_lectures_two_terms_are_what_opens():
    view = view_of(ConvolutionTermsState(), conv2d, conv2d_backward)
    assert view["symbol"] == "∂L/∂x₁₂"
    assert view["symbols"] == ["∂L/∂y₁₁·w₁₂", "∂L/∂y₁₂·w₁₁"]
    assert view["products"] == ["1·3", "2·1"]
    assert view["total"] == "5"
    assert view["status"] == "grad_x[0, 1] = 5, 2 terms."
    assert not view["notes"]


def test_the_lectures_output_and_its_first_gradient():
    view = view_of(ConvolutionTermsState(target="y", cell=(0, 0)))
    expected = [f"w{i}{j}·x{i}{j}" for i in "₁₂₃" for j in "₁₂₃"]
    assert view["symbols"] == [*expected, "b"]
    assert view_of(ConvolutionTermsState(cell=(0, 0)))["symbols"] == ["∂L/∂y₁₁·w₁₁"]


def test_the_sixteen_gradients_have_as_many_terms_as_windows_see_the_pixel():
    counts = [[len(terms_of(ConvolutionTermsState(cell=(i, j)))) for j in range(4)] for i in range(4)]
    assert counts == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]


SETTINGS = [
    dict(zip(("size", "kernel", "stride", "padding", "dilation"), setting, strict=True))
    for setting in itertools.product((3, 4, 6), (1, 2, 3), (1, 2, 3), (0, 1, 2), (1, 2))
    if setting[4] * (setting[1] - 1) + 1 <= setting[0] + 2 * setting[3]
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "-".join(map(str, setting.values())))
def test_terms_add_up_to_pytorchs_numbers(setting):
    truth = toolkit_arrays(ConvolutionTermsState(**setting))
    for target in TARGETS:
        for cell in np.ndindex(truth[target].shape):
            state = ConvolutionTermsState(**setting, target=target, cell=cell)
            arrays = {"x": state.x, "weight": state.weight, "grad_output": state.grad_output}
            value = sum(np.prod([arrays[name][index] for name, index in term]) for term in terms_of(state))
            if target == "y":
                value += BIAS
            assert value == pytest.approx(truth[target][cell])


def test_marks_pair_the_two_factors_of_each_term():
    state = ConvolutionTermsState(cell=(1, 1))
    view = view_of(state)
    for place, term in enumerate(terms_of(state), start=1):
        for name, (i, j) in term:
            assert place in view["grids"][name][i][j]["terms"]
    assert not any(cell["terms"] for row in view["grids"]["x"] for cell in row)


def test_padded_zeros_are_counted_in_words():
    view = view_of(ConvolutionTermsState(padding=1, target="y", cell=(0, 0)))
    assert len(view["symbols"]) == 4 + 1
    assert view["status"].endswith("5 weights of 9 lie on padded zeros and add nothing.")


def test_a_pixel_that_no_window_sees_has_no_terms():
    view = view_of(ConvolutionTermsState(size=4, kernel=3, stride=2, cell=(3, 3)))
    assert view["symbols"] == []
    assert view["status"] == "grad_x[3, 3] = 0: no product contains this entry."


def test_the_bias_gradient_sums_the_gradient_of_the_output():
    view = view_of(ConvolutionTermsState(target="grad_bias"))
    assert view["symbol"] == "∂L/∂b"
    assert view["symbols"] == ["∂L/∂y₁₁", "∂L/∂y₁₂", "∂L/∂y₂₁", "∂L/∂y₂₂"]
    assert view["products"] == ["1", "2", "3", "1"]
    assert view["total"] == "7"


def test_every_connection_is_one_product():
    state = ConvolutionTermsState()
    assert len(connections(state)) == 4 * 9
    assert len(set(connections(state))) == 4 * 9


def stub(*args, **kwargs):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ((None, stub), "Your conv2d and stub are not written yet: the toolkit computes the output and the gradients."),
        ((conv2d, None), "Your conv2d_backward is not written yet: the toolkit computes the gradients."),
        ((stub, conv2d_backward), "Your stub is not written yet: the toolkit computes the output."),
    ],
)
def test_functions_not_written_yet_are_filled_in_and_said(functions, said):
    view = view_of(ConvolutionTermsState(), *functions)
    assert words(view) == said
    assert not is_wrong(view)


def test_a_wrong_gradient_is_marked_where_it_differs():
    def unflipped(grad_output, x, weight, **options):
        _, *rest = conv2d_backward(grad_output, x, weight, **options)
        return conv2d_backward(grad_output, x, weight[:, :, ::-1, ::-1].copy(), **options)[0], *rest

    view = view_of(ConvolutionTermsState(), conv2d, unflipped)
    state = ConvolutionTermsState()
    truth = toolkit_arrays(state)["grad_x"]
    mine = unflipped(*(array[None, None] for array in (state.grad_output, state.x, state.weight)))[0][0, 0]
    differs = np.argwhere(~np.isclose(mine, truth)).tolist()
    assert differs
    assert wrong_cells(view, "grad_x") == [tuple(index) for index in differs]
    assert "In grad_x your unflipped differs" in words(view)
    assert "grad_weight" not in words(view)
    # Entry [0, 1] is right by chance, entry [1, 1] is wrong.
    assert "Here" not in words(view)
    here = f"Here it gives {number(mine[1, 1])}, the sum is {number(truth[1, 1])}."
    assert here in words(view_of(ConvolutionTermsState(cell=(1, 1)), conv2d, unflipped))
    assert view["total"] == number(truth[0, 1])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "should return 3 arrays: grad_x, grad_weight, grad_bias"),
        ((np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 3, 3)), np.zeros(1)), "gives shape (1, 1, 2, 2) for grad_x"),
        ((np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 3, 3)), np.zeros((1, 1))), "for grad_bias, which has shape (1,)"),
        ((np.zeros((1, 1, 4, 4)), None, np.zeros(1)), "gives NoneType for grad_weight"),
    ],
)
def test_answers_that_are_no_gradients_are_said(value, said):
    view = view_of(ConvolutionTermsState(), conv2d, lambda *args, **kwargs: value)
    assert said in words(view)
    assert is_wrong(view)


def test_an_error_of_the_learner_is_shown_in_words():
    def broken(x, weight, bias, **options):
        return x[99]

    view = view_of(ConvolutionTermsState(), broken, conv2d_backward)
    assert words(view).startswith("Your broken raised IndexError")
    assert is_wrong(view)


def test_the_learner_cannot_damage_the_picture_in_place():
    def greedy(x, weight, bias, **options):
        x *= 0
        weight *= 0
        return np.full((1, 1, 2, 2), BIAS)

    state = ConvolutionTermsState()
    before = state.x.copy(), state.weight.copy()
    view_of(state, greedy)
    assert np.array_equal(state.x, before[0])
    assert np.array_equal(state.weight, before[1])


def test_the_actions_of_pointer_and_keys():
    widget = ConvolutionTerms()
    state = widget.state
    assert widget.act(state, "set", {"target": "y", "cell": [1, 0]}).cell == (1, 0)
    assert widget.act(state, "move", {"rows": 1, "columns": 0}).cell == (1, 1)
    assert widget.act(state, "move", {"rows": -1, "columns": 0}).cell == (0, 1)
    assert widget.act(state, "enter", {"target": "grad_x"}) == state
    entered = widget.act(state, "enter", {"target": "grad_weight"})
    assert (entered.target, entered.cell) == ("grad_weight", (0, 0))
    assert widget.act(state, "set", {"target": "grad_bias", "cell": [0, 5]}).cell == (0, 0)
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        widget.act(state, "fly", {})


def test_a_kernel_that_does_not_fit_is_refused_in_words_and_the_picture_stays():
    widget = ConvolutionTerms(size=3)
    widget._receive(None, {"do": "set", "dilation": 2}, [])
    assert widget.view["problem"] == "No window fits: the kernel spans 5 pixels, the padded input has 3."
    assert widget.state.dilation == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 0}, "stride is a whole number from 1 to 3, not 0"),
        ({"size": 9}, "size is a whole number from 2 to 6"),
        ({"target": "grad"}, "target is one of y, grad_x, grad_weight, grad_bias, not 'grad'"),
        ({"cell": (1,)}, "cell is"),
        ({"size": 2}, "No window fits: the kernel spans 3 pixels"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ConvolutionTerms(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    widget = ConvolutionTerms(conv2d, conv2d_backward, stride=2, padding=1, target="y", cell=(1, 1))
    code = widget.as_code()
    assert code == "ConvolutionTerms(conv2d, conv2d_backward, stride=2, padding=1, target='y', cell=[1, 1])"
    names = {"ConvolutionTerms": ConvolutionTerms, "conv2d": conv2d, "conv2d_backward": conv2d_backward}
    assert eval(code, names).state == widget.state


def test_entries_are_written_as_in_the_lecture():
    assert symbol("x", (0, 1)) == "x₁₂"
    assert symbol("grad_weight", (2, 0)) == "∂L/∂w₃₁"
    assert symbol("grad_output", (9, 0)) == "∂L/∂y₁₀,₁"
    assert symbol("grad_bias", (0, 0)) == "∂L/∂b"
