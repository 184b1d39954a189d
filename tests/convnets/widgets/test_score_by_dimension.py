"""The score by dimension: what is drawn, compared and said, without a kernel or a browser."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convnets.widgets.score_by_dimension import (
    DIMENSIONS,
    ScoreByDimension,
    ScoreByDimensionState,
    drawn,
    toolkit_gap,
    toolkit_nudge,
    view_of,
)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def view(linear_gap=toolkit_gap, nudge=toolkit_nudge, **options):
    return view_of(ScoreByDimensionState(**options), linear_gap, nudge)


def test_scores_have_standard_deviation_one_whatever_the_dimension():
    for dimension in (10, 1_000):
        scores = [float(np.dot(*drawn(dimension, draw)[:2])) for draw in range(100)]
        assert 0.75 < np.std(scores) < 1.25


def test_the_aimed_change_grows_with_the_root_of_the_dimension_and_the_random_one_stays():
    shown = view(epsilon=0.1)
    aimed, random = (dict(zip(DIMENSIONS, shown[name], strict=True)) for name in ("aimed", "random"))
    for dimension in (1_000, 150_528):
        assert aimed[dimension] == pytest.approx(0.1 * math.sqrt(2 / math.pi * dimension), rel=0.1)
        assert 0.05 < random[dimension] < 0.15


def test_the_nudge_is_aimed_against_the_sign_of_the_score():
    for draw in range(6):
        state = ScoreByDimensionState(dimension=300, epsilon=0.01, draw=draw)
        x, weight, _ = drawn(300, draw)
        score = float(x @ weight)
        shown = view_of(state, toolkit_gap, toolkit_nudge)
        after = score - np.sign(score) * 0.01 * np.abs(weight).sum()
        assert shown["turned"] == (score * after < 0)
        assert dict(shown["numbers"])["score after the aimed change"] == f"{after:+.3f}".replace("-", "−")


def test_right_functions_are_not_remarked_on():
    assert view()["notes"] == []


def test_missing_functions_are_named_together():
    notes = view(unwritten, None)["notes"]
    assert [note["wrong"] for note in notes] == [False]
    assert notes[0]["words"].startswith("Your linear_gap and nudge are not written yet")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda w, e: e * np.sqrt((w**2).sum()), "Your linear_gap gave"),
        (lambda w, e: e * np.abs(w), "Your linear_gap gave no number for 1 inputs"),
        (lambda w, e: None, "Your linear_gap gave no number"),
        (lambda w, e: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_a_wrong_gap_is_said(function, said):
    shown = view(function)
    assert said in words(shown)
    assert shown["notes"][0]["wrong"]
    assert shown["aimed"] == view()["aimed"]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, w, e: x + e * w, "Your nudge brings the score to"),
        (lambda x, w, e: x[:-1], "Your nudge did not give 10 finite numbers"),
        (lambda x, w, e: x * np.nan, "Your nudge did not give 10 finite numbers"),
        (lambda x, w, e: "moved", "Your nudge did not give 10 finite numbers"),
    ],
)
def test_a_wrong_nudge_is_said(function, said):
    assert said in words(view(nudge=function))


def test_a_function_cannot_damage_what_is_drawn():
    def in_place(x, weight, epsilon):
        x += epsilon * np.sign(weight)
        return x

    before = drawn(10, 1)[0].copy()
    view(nudge=in_place)
    np.testing.assert_array_equal(drawn(10, 1)[0], before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimension": 11}, "dimension is one of 1, 3, 10"),
        ({"epsilon": 0.3}, "epsilon is one of 0.001"),
        ({"draw": 100}, "draw is a whole number from 0 to 99"),
        ({"draw": 1.5}, "draw is a whole number"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ScoreByDimension(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    own = ScoreByDimension(toolkit_gap, toolkit_nudge, dimension=3_000, epsilon=0.1)
    assert own.as_code() == "ScoreByDimension(toolkit_gap, toolkit_nudge, dimension=3000, epsilon=0.1)"
    assert ScoreByDimension().as_code() == "ScoreByDimension()"
