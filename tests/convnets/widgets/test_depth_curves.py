"""Plain against residual by depth: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import json

import pytest

from convnets.data import plain_and_residual
from convnets.widgets.depth_curves import DepthCurves, DepthCurvesState, view_of


def test_it_draws_all_curves_and_the_chosen_depth_last():
    view = view_of(DepthCurvesState(depth=32))
    assert len(view["lines"]) == len(plain_and_residual()) == 20
    assert [line["chosen"] for line in view["lines"]] == [False] * 16 + [True] * 4
    assert {line["depth"] for line in view["lines"][-4:]} == {32}
    json.dumps(view)


def test_the_errors_are_the_stored_ones():
    view = view_of(DepthCurvesState(depth=56, measure="test", others=False))
    stored = {(c.depth, c.residual, c.seed): c for c in plain_and_residual()}
    assert len(view["lines"]) == 4
    for line in view["lines"]:
        curve = stored[56, line["kind"] == "residual", line["seed"]]
        assert line["errors"] == curve.test_error.tolist()
    plain = [stored[56, False, seed].test_error[-1] for seed in (0, 1)]
    assert view["last"][0] == ["plain", f"{plain[0]:.1f} % and {plain[1]:.1f} %"]
    assert view["status"].startswith("56 layers, test error after 8 epochs, two seeds: plain ")


def test_the_two_errors_differ():
    assert view_of(DepthCurvesState())["last"] != view_of(DepthCurvesState(measure="test"))["last"]


def test_states_that_cannot_be_drawn_are_refused_in_one_line():
    with pytest.raises(ValueError, match="depth is one of 8, 20, 32, 44, 56, not 21"):
        DepthCurves(depth=21)
    with pytest.raises(ValueError, match='measure is "train" or "test", not \'loss\''):
        DepthCurves(measure="loss")


def test_the_line_of_code_restores_the_state():
    widget = DepthCurves(depth=44, measure="test", others=False)
    assert widget.as_code() == "DepthCurves(depth=44, measure='test', others=False)"
    assert eval(widget.as_code(), {"DepthCurves": DepthCurves}).state == widget.state
