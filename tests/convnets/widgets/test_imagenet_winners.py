"""ImageNet's winners by year: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import json

import pytest

from convnets.widgets.imagenet_winners import ImagenetWinners, ImagenetWinnersState, view_of


def detail(view, name):
    return dict(view["details"])[name]


def test_it_opens_with_the_winners_and_alexnet():
    view = view_of(ImagenetWinnersState())
    assert [bar["year"] for bar in view["bars"]] == list(range(2010, 2018))
    assert [bar["height"] for bar in view["bars"]] == [28.2, 25.8, 15.3, 11.2, 6.7, 3.57, 2.99, 2.25]
    assert view["status"] == "2012: AlexNet, 7 networks by SuperVision won with 15.3 % top-5 error, 8 layers."
    assert detail(view, "against the winner before") == "41 % lower"
    assert view["lines"] == [[5.1, "a trained person: 5.1 %"]]
    json.dumps(view)


def test_depth_has_no_bar_where_there_is_no_network_and_no_person():
    view = view_of(ImagenetWinnersState(measure="layers"))
    assert [bar["height"] for bar in view["bars"]] == [None, None, 8, 8, 22, 152, None, 154]
    assert view["bars"][0]["label"] == "–"
    assert not view["lines"]
    assert max(height for bar in view["bars"] if (height := bar["height"])) <= view["top"]


def test_everything_adds_second_places_and_the_second_person():
    view = view_of(ImagenetWinnersState(everything=True))
    assert len(view["bars"]) == 12
    assert {bar["role"] for bar in view["bars"]} == {"winner", "second", "without extra data"}
    assert [value for value, _ in view["lines"]] == [5.1, 12.0]


def test_the_first_year_has_nothing_before_it():
    assert detail(view_of(ImagenetWinnersState(entry=0)), "against the winner before") == "–"


def test_the_actions_of_controls_pointer_and_keys():
    widget = ImagenetWinners()
    state = widget.state
    assert widget.act(state, "move", {"by": 1}).entry == 3
    assert widget.act(state, "move", {"by": -1000}).entry == 0
    assert widget.act(state, "move", {"by": 1000}).entry == 7
    assert widget.act(state, "set", {"entry": 5}).entry == 5
    assert widget.act(state, "set", {"measure": "layers"}).measure == "layers"
    # The entry stays the same when others come in between; one that goes leaves the winner of its year.
    resnet = widget.act(widget.act(state, "set", {"entry": 5}), "everything", {"on": True})
    assert view_of(resnet)["status"].startswith("2015: ResNet")
    second = widget.act(resnet, "set", {"entry": 4})
    assert view_of(second)["status"].startswith("2012: SIFT and Fisher vectors by ISI came second")
    assert view_of(widget.act(second, "everything", {"on": False}))["status"].startswith("2012: AlexNet, 7")


def test_states_that_cannot_be_drawn_are_refused_in_one_line():
    with pytest.raises(ValueError, match='measure is "error" or "layers", not \'price\''):
        ImagenetWinners(measure="price")


def test_the_line_of_code_restores_the_state():
    widget = ImagenetWinners(measure="layers", everything=True, entry=6)
    assert widget.as_code() == "ImagenetWinners(measure='layers', everything=True, entry=6)"
    assert eval(widget.as_code(), {"ImagenetWinners": ImagenetWinners}).state == widget.state
