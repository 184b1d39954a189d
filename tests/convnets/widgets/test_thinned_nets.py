"""The thinned nets: masks, outputs and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets.thinned_nets import (
    ACTIVATIONS,
    WEIGHTS,
    ThinnedNets,
    ThinnedNetsState,
    all_outputs,
    toolkit_dropout,
    view_of,
)


def keeps_with_p(x, p, rng, training=True, inverted=True):
    return toolkit_dropout(x, 1 - p, rng, training, inverted)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def test_there_are_sixteen_nets_and_their_chances_sum_to_one():
    outputs, chances = all_outputs(0.3, scaled=False)
    assert len(outputs) == 16
    assert chances.sum() == pytest.approx(1)
    # The net without any unit, and the whole one, with their chances.
    assert (outputs[0], chances[0]) == (0, pytest.approx(0.3**4))
    assert (outputs[-1], chances[-1]) == (pytest.approx(ACTIVATIONS @ WEIGHTS), pytest.approx(0.7**4))


@pytest.mark.parametrize("scaling", ["inverted", "classic"])
@pytest.mark.parametrize("p", [0.0, 0.25, 0.9])
def test_the_whole_net_in_use_is_the_mean_of_all_when_it_is_scaled(scaling, p):
    view = view_of(ThinnedNetsState(p=p, scaling=scaling), toolkit_dropout)
    outputs, chances = all_outputs(p, scaling == "inverted")
    assert view["whole"] == pytest.approx(chances @ outputs, abs=1e-4)
    assert "That is the mean of all thinned nets" in view["status"]
    assert view["notes"] == []


def test_the_slide_without_a_scale_does_not_agree():
    view = view_of(ThinnedNetsState(p=0.25, scaling="neither"), toolkit_dropout)
    assert view["whole"] == pytest.approx(ACTIVATIONS @ WEIGHTS)
    assert "training and use do not agree" in view["status"]


def test_more_draws_keep_the_earlier_ones_and_come_near_the_mean():
    few = view_of(ThinnedNetsState(draws=5), toolkit_dropout)
    many = view_of(ThinnedNetsState(draws=200), toolkit_dropout)
    assert many["outputs"][:5] == few["outputs"]
    outputs, chances = all_outputs(0.5, scaled=True)
    assert set(np.round(many["outputs"], 3)) <= set(np.round(outputs, 3))
    spread = np.sqrt(chances @ (outputs - chances @ outputs) ** 2)
    assert abs(many["mean"] - many["whole"]) < 4 * spread / np.sqrt(200)


def test_the_latest_net_is_drawn():
    view = view_of(ThinnedNetsState(draws=3), toolkit_dropout)
    y, kept = toolkit_dropout(ACTIVATIONS, 0.5, np.random.default_rng(2))
    assert [unit["kept"] for unit in view["units"]] == kept.tolist()
    assert view["outputs"][-1] == pytest.approx(y @ WEIGHTS)
    low, high = view["range"]
    assert low < min(view["outputs"]) <= max(view["outputs"]) < high


def test_only_nets_that_can_happen_have_a_stick():
    assert len(view_of(ThinnedNetsState(p=0.0))["nets"]) == 1
    assert len(view_of(ThinnedNetsState(p=0.5))["nets"]) == 16


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "dropout is not written yet", False),
        (unwritten, "dropout is not written yet", False),
        (lambda *_: 1 / 0, "raised ZeroDivisionError", True),
        (lambda x, *_: x, "returned no pair", True),
        (lambda x, *_: (x[:2], x[:2] > 0), "returned no pair", True),
        (lambda x, *_: (x * np.nan, x > 0), "returned no pair", True),
    ],
)
def test_a_function_that_cannot_be_used_is_said_once_and_replaced(function, said, wrong):
    view = view_of(ThinnedNetsState(draws=4), function)
    assert said in words(view)
    assert [note["wrong"] for note in view["notes"]] == [wrong]
    assert view["outputs"] == view_of(ThinnedNetsState(draws=4), toolkit_dropout)["outputs"]


def test_a_wrong_function_is_drawn_and_said():
    view = view_of(ThinnedNetsState(p=0.25, draws=4), keeps_with_p)
    assert "in training; expected was" in words(view)
    assert len(view["notes"]) == 1
    assert view["outputs"] != view_of(ThinnedNetsState(p=0.25, draws=4), toolkit_dropout)["outputs"]


def test_a_function_that_drops_in_use_is_seen():
    def drops_in_use(x, p, rng, training=True, inverted=True):
        return toolkit_dropout(x, p, rng, True, inverted)

    view = view_of(ThinnedNetsState(), drops_in_use)
    assert "in use; expected was (2, 1, 3, 1.5)" in words(view)


def test_a_mask_that_belongs_to_other_activations_is_seen():
    view = view_of(ThinnedNetsState(), lambda *args: (toolkit_dropout(*args)[0], np.zeros(4, bool)))
    assert "Your mask in training is not the one" in words(view)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.95}, "p lies between 0 and 0.9"),
        ({"p": -0.1}, "p lies between 0 and 0.9"),
        ({"scaling": "both"}, "scaling is one of inverted, classic, neither"),
        ({"draws": 0}, "draws is a whole number from 1 to 200"),
        ({"draws": 2.5}, "draws is a whole number from 1 to 200"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ThinnedNets(**options)
    assert "\n" not in str(caught.value)


def test_the_buttons_draw_more_up_to_the_most():
    widget = ThinnedNets(draws=190)
    assert widget.act(widget.state, "draw", {"more": 1}).draws == 191
    assert widget.act(widget.state, "draw", {"more": 20}).draws == 200


def test_the_line_of_code_restores_the_state():
    assert ThinnedNets().as_code() == "ThinnedNets()"
    own = ThinnedNets(toolkit_dropout, p=0.25, scaling="classic", draws=7)
    assert own.as_code() == "ThinnedNets(toolkit_dropout, p=0.25, scaling='classic', draws=7)"
    names = {"ThinnedNets": ThinnedNets, "toolkit_dropout": toolkit_dropout}
    assert eval(own.as_code(), names).state == own.state
