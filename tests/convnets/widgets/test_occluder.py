"""The square over a photograph: its scores, maps and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets import timing
from convnets.widgets import Occluder, occluder
from convnets.widgets.occluder import SCORES, SIDE, OccluderState, covered, map_of, occlusion_map, picture_of, view_of


@pytest.fixture(autouse=True)
def on_one_thread():
    with timing.one_thread():
        yield


# Large squares have few places, so their maps are quick.
QUICK = OccluderState(side=96)


def unwritten(*_, **__):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize("name", SCORES)
def test_pictures_are_square_and_their_scores_are_sure(name):
    x = picture_of(name)
    assert x.shape == (1, 3, SIDE, SIDE)
    assert 0 <= float(x.min()) < float(x.max()) <= 1
    first = next(iter(SCORES[name]))
    assert occluder.chance(OccluderState(picture=name, score=first), x) > 0.85


def test_the_square_covers_its_pixels_and_no_others():
    state = OccluderState(row=10, column=20, side=32, fill="white")
    before, after = picture_of("coffee"), covered(state)
    assert (after[..., 10:42, 20:52] == 1).all()
    changed = (after != before).any(dim=1)[0]
    changed[10:42, 20:52] = False
    assert not changed.any()


def test_the_map_tells_what_the_square_does():
    found, notes = map_of(QUICK, occlusion_map)
    assert notes == []
    assert found.shape == (5, 5)
    for i, j in ((0, 0), (3, 1), (4, 4)):
        state = OccluderState(side=96, row=8 * i, column=8 * j)
        assert found[i, j] == pytest.approx(occluder.chance(state, covered(state)), abs=1e-3)


def test_a_square_over_the_cup_takes_it_away_and_one_in_the_corner_does_not():
    found = np.ones((11, 11))
    corner = view_of(OccluderState(), found, [])
    middle = view_of(OccluderState(row=24, column=48), found, [])
    assert corner["before"] == middle["before"] > 0.9
    assert corner["now"] > 0.9
    assert middle["now"] < 0.1
    assert middle["classes"][0][2] is False
    assert "row 24, column 48: p(espresso or cup) 0.0" in middle["status"]


def test_the_status_names_the_worst_place():
    found = np.ones((11, 11))
    found[3, 7] = 0.25
    assert "Worst place: row 24, column 56, 0.250." in view_of(OccluderState(), found, [])["status"]


def test_a_missing_function_is_named_and_replaced():
    for learner in (None, unwritten):
        found, (note,) = map_of(QUICK, learner)
        assert "Your occlusion_map is not written yet" in note["words"]
        assert not note["wrong"]
        assert found.shape == (5, 5)


def turned(*given):
    return occlusion_map(*given).T


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        (turned, "the score is"),
        (lambda *given: occlusion_map(*given)[:-1], "the shape (4, 5), not 5 × 5 scores"),
        (lambda *given: torch.full((5, 5), float("nan")), "gave nan"),
        (lambda *given: None, "nothing that is a map"),
        (lambda *given: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_wrong_map_is_said_and_replaced(learner, said):
    found, (note,) = map_of(QUICK, learner)
    assert said in note["words"]
    assert "toolkit's map is shown" in note["words"]
    assert note["wrong"]
    np.testing.assert_allclose(found, map_of(QUICK, occlusion_map)[0], atol=1e-5)


def test_a_function_cannot_damage_the_picture():
    before = picture_of("coffee").clone()
    map_of(QUICK, lambda model, x, *given: x.zero_())
    torch.testing.assert_close(picture_of("coffee"), before)


def test_moving_the_square_does_not_compute_the_map_again():
    calls = []

    def watched(*given):
        calls.append(given)
        return occlusion_map(*given)

    widget = Occluder(watched, side=96)
    widget.update(row=8, column=16)
    widget.update(row=16)
    assert len(calls) == 1
    widget.update(fill="grey")
    widget.update(fill="black")
    assert len(calls) == 2


def test_another_picture_brings_its_own_score_and_a_larger_square_stays_inside():
    widget = Occluder(occlusion_map, side=80, row=48, column=48)
    widget.update(picture="cat")
    assert widget.state.score == "any cat"
    widget.update(side=96)
    assert (widget.state.row, widget.state.column) == (32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"picture": "dog"}, "picture is one of coffee, cat"),
        ({"score": "dog"}, "score is one of espresso or cup for coffee"),
        ({"fill": "red"}, "fill is one of black, grey, white"),
        ({"side": 20}, "side is 16 to 96 in steps of 16"),
        ({"row": -1}, "row is a whole number from 0 to 127"),
        ({"column": 1.5}, "column is a whole number"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        OccluderState(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    own = Occluder(occlusion_map, picture="tiger and zebra", score="tiger", row=8, side=96, fill="grey")
    line = "Occluder(occlusion_map, picture='tiger and zebra', score='tiger', row=8, side=96, fill='grey')"
    assert own.as_code() == line
    assert eval(line, {"Occluder": Occluder, "occlusion_map": occlusion_map}).state == own.state
