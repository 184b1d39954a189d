"""The soft labels: teacher, student, steps and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.soft_labels import (
    EXAMPLES,
    TEMPERATURES,
    SoftLabels,
    SoftLabelsState,
    percent,
    toolkit_loss,
    view_of,
)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def half_gradient(*arguments):
    loss, gradient = toolkit_loss(*arguments)
    return loss, gradient / 2


def test_the_toolkit_loss_and_gradient_are_pytorchs():
    rng = np.random.default_rng(0)
    student, teacher, labels = rng.normal(size=(3, 10)), 4 * rng.normal(size=(3, 10)), np.array([1, 9, 0])
    z = torch.tensor(student, requires_grad=True)
    soft = torch.nn.functional.kl_div(
        (z / 5).log_softmax(1), (torch.tensor(teacher) / 5).softmax(1), reduction="batchmean"
    )
    expected = 0.7 * 25 * soft + 0.3 * torch.nn.functional.cross_entropy(z, torch.tensor(labels))
    expected.backward()
    loss, gradient = toolkit_loss(student, teacher, labels, 5.0, 0.7)
    assert loss == pytest.approx(expected.item())
    assert np.allclose(gradient, z.grad.numpy())


@pytest.mark.parametrize("example", range(len(EXAMPLES)))
def test_a_higher_temperature_flattens_the_teacher(example):
    largest = [max(view_of(SoftLabelsState(example, t))["teacher"]) for t in TEMPERATURES]
    assert largest == sorted(largest, reverse=True)
    assert largest[-1] < 0.3 < largest[0]
    logits = torch.tensor(list(EXAMPLES.values())[example], dtype=torch.float64)
    assert np.allclose(view_of(SoftLabelsState(example, 3.0))["teacher"], (logits / 3).softmax(0), atol=1e-4)


def test_the_student_begins_with_equal_probabilities_and_learns_the_teachers():
    begin, end = (view_of(SoftLabelsState(temperature=5.0, steps=steps)) for steps in (0, 200))
    assert np.allclose(begin["student"], 0.1)
    assert np.allclose(end["student"], end["teacher"], atol=0.02)


def test_the_labels_alone_say_nothing_of_the_second_class():
    view = view_of(SoftLabelsState(alpha=0.0, steps=50))
    others = np.delete(view["student"], view["label"])
    assert view["label"] == 3
    assert view["student"][3] > 0.9
    assert np.allclose(others, others[0])


def test_the_pictures_are_the_digits_that_are_named():
    view = view_of(SoftLabelsState())
    assert [label for _, label in view["examples"]] == ["a 3", "a 2", "a 9", "a 6"]
    assert np.shape(view["picture"]) == (28, 28)
    assert (np.min(view["picture"]), np.max(view["picture"]) > 200) == (0, True)


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "distillation_loss is not written yet", False),
        (unwritten, "distillation_loss is not written yet", False),
        (lambda *_: 1 / 0, "raised ZeroDivisionError", True),
        (lambda *_: 1.0, "returned no pair", True),
        (lambda *_: (1.0, np.zeros(10)), "returned no pair", True),
        (lambda *_: (1.0, np.full((1, 10), np.nan)), "returned no pair", True),
        (lambda *_: (np.nan, np.zeros((1, 10))), "returned no pair", True),
    ],
)
def test_a_function_that_cannot_be_used_is_said_once_and_replaced(function, said, wrong):
    view = view_of(SoftLabelsState(steps=3), function)
    assert said in words(view)
    assert [note["wrong"] for note in view["notes"]] == [wrong]
    assert view["student"] == view_of(SoftLabelsState(steps=3), toolkit_loss)["student"]


def test_a_wrong_gradient_is_used_and_said():
    view = view_of(SoftLabelsState(steps=3), half_gradient)
    assert "The gradient of your distillation_loss differs" in words(view)
    assert view["student"] != view_of(SoftLabelsState(steps=3), toolkit_loss)["student"]


def test_a_wrong_loss_is_said():
    view = view_of(
        SoftLabelsState(temperature=2.0), lambda *given: (toolkit_loss(*given)[0] / 4, toolkit_loss(*given)[1])
    )
    assert "Your loss is" in words(view)


@pytest.mark.parametrize(("share", "text"), [(0.97, "97 %"), (0.0461, "4.6 %"), (0.0004, "< 0.1 %"), (1.0, "100 %")])
def test_shares_are_written_in_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"example": 4}, "example is a whole number from 0 to 3"),
        ({"temperature": 4.0}, "temperature is one of 0.5, 1, 2"),
        ({"alpha": 1.1}, "alpha lies between 0 and 1"),
        ({"steps": -1}, "steps is a whole number from 0 to 200"),
        ({"steps": 1.5}, "steps is a whole number from 0 to 200"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        SoftLabels(**options)
    assert "\n" not in str(caught.value)


def test_the_controls_train_up_to_the_most_and_move_along_the_temperatures():
    widget = SoftLabels(steps=195)
    assert widget.act(widget.state, "train", {"more": 1}).steps == 196
    assert widget.act(widget.state, "train", {"more": 10}).steps == 200
    assert widget.act(widget.state, "set", {"place": 5, "alpha": 0.5}).temperature == 10
    with pytest.raises(ValueError, match="none at place 7"):
        widget.act(widget.state, "set", {"place": 7})


def test_the_line_of_code_restores_the_state():
    assert SoftLabels().as_code() == "SoftLabels()"
    own = SoftLabels(toolkit_loss, example=2, temperature=5.0, alpha=0.25, steps=12)
    assert own.as_code() == "SoftLabels(toolkit_loss, example=2, temperature=5, alpha=0.25, steps=12)"
    assert eval(own.as_code(), {"SoftLabels": SoftLabels, "toolkit_loss": toolkit_loss}).state == own.state
