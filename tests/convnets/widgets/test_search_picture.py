"""The search picture: points, projections, rounds and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets.search_picture import (
    DECAY_RIDGE,
    RIDGES,
    ROUNDS,
    SPACE,
    SearchPicture,
    SearchPictureState,
    best_along,
    place_of,
    scorer,
    toolkit_grid,
    toolkit_random_search,
    view_of,
)


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def wins(view):
    return int(view["status"].split("In ")[1].split(" of ")[0])


def linear_grid(space, points):
    (a, b), (c, d) = space.values()
    names = list(space)
    return [{names[0]: x, names[1]: y} for x in np.linspace(a, b, points) for y in np.linspace(c, d, points)]


def nan_free_but_worst(score, space, trials, rng):
    _, settings, scores = toolkit_random_search(score, space, trials, rng)
    return settings[int(np.argmin(scores))], settings, scores


def test_the_ends_of_the_space_are_the_corners_of_the_square():
    corners = [place_of(setting) for setting in toolkit_grid(SPACE, 2)]
    assert np.allclose(corners, [(0, 0), (0, 1), (1, 0), (1, 1)])


def test_the_score_is_the_sum_of_two_ridges():
    state = SearchPictureState(ridge=0.3, weight=0.2)
    names = list(SPACE)

    def setting(x, y):
        return {
            name: low * (high / low) ** share
            for name, (low, high), share in zip(names, SPACE.values(), (x, y), strict=True)
        }

    assert scorer(state)(setting(0.3, DECAY_RIDGE)) == pytest.approx(1)
    assert scorer(state)(setting(0.3, 1.0)) == pytest.approx(0.8, abs=1e-6)
    assert scorer(state)(setting(1.0, DECAY_RIDGE)) == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("points", [2, 4, 6])
def test_the_grid_tries_few_values_of_each_setting_and_chance_tries_many(points):
    view = view_of(SearchPictureState(points=points), toolkit_grid, toolkit_random_search)
    assert view["grid"]["values"] == [points, points]
    assert view["random"]["values"] == [points**2, points**2]
    assert len(view["grid"]["points"]) == len(view["random"]["points"]) == points**2
    assert view["notes"] == []


def test_the_best_point_is_the_one_with_the_largest_score():
    for side in ("grid", "random"):
        points = view_of(SearchPictureState())[side]
        scores = [score for *_, score in points["points"]]
        assert points["found"] == max(scores) == scores[points["best"]]


def test_a_grid_that_hits_the_ridge_loses_no_round_and_one_between_loses_most():
    on_it, between = (view_of(SearchPictureState(ridge=ridge, weight=0.0)) for ridge in (1 / 3, 0.5))
    assert wins(on_it) == 0
    assert wins(between) > 0.8 * ROUNDS


def test_the_picture_begins_with_a_draw_that_shows_what_most_draws_show():
    view = view_of(SearchPictureState())
    assert wins(view) > 0.9 * ROUNDS
    assert view["random"]["found"] > view["grid"]["found"]


def test_the_last_sentence_averages_over_all_places_of_the_ridge():
    def last_sentence(**options):
        return view_of(SearchPictureState(**options))["status"].split(". ")[-1]

    assert last_sentence(ridge=0.1) == last_sentence(ridge=0.9)
    assert last_sentence(weight=0.1) != last_sentence(weight=0.5)


def test_the_advantage_of_chance_shrinks_when_both_settings_matter():
    def advantage(weight):
        state = SearchPictureState(weight=weight)
        by_grid = best_along(state, toolkit_grid(SPACE, 4))
        # By the definition: each place of the ridge is scored as a picture of its own.
        for ridge, best in list(zip(RIDGES, by_grid, strict=True))[::10]:
            score = scorer(SearchPictureState(ridge=float(ridge), weight=weight))
            assert best == pytest.approx(max(score(row) for row in toolkit_grid(SPACE, 4)))
        draws = [toolkit_random_search(lambda _: 0.0, SPACE, 16, np.random.default_rng(k))[1] for k in range(50)]
        return np.mean([best_along(state, rows) - by_grid for rows in draws])

    assert 0 < advantage(0.5) < 0.7 * advantage(0.0)


def test_another_seed_moves_the_random_points_only():
    first, second = (view_of(SearchPictureState(seed=seed)) for seed in (1, 2))
    assert first["grid"] == second["grid"]
    assert first["random"] != second["random"]
    # The rounds that are counted do not depend on what is drawn.
    assert wins(first) == wins(second)


@pytest.mark.parametrize("function", [None, unwritten])
def test_functions_that_are_not_written_are_named_once(function):
    view = view_of(SearchPictureState(), function, function)
    assert words(view) == "Your grid and random_search are not written yet: the toolkit computes this picture."
    assert [note["wrong"] for note in view["notes"]] == [False]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_: 1 / 0, "Your grid raised ZeroDivisionError"),
        (lambda *_: [{"learning rate": 1.0}], "returned no list of 16 settings"),
        (lambda *_: [{"learning rate": 1.0}] * 16, "returned no list of 16 settings"),
        (lambda *_: [{"learning rate": -1.0, "weight decay": 1e-3}] * 16, "returned no list of 16 settings"),
        (lambda *_: 5, "returned no list of 16 settings"),
    ],
)
def test_a_grid_that_cannot_be_used_is_said_and_replaced(function, said):
    view = view_of(SearchPictureState(), function, toolkit_random_search)
    assert said in words(view)
    assert view["grid"] == view_of(SearchPictureState())["grid"]


@pytest.mark.parametrize(
    "function",
    [
        lambda *_: 1 / 0,
        lambda *_: None,
        lambda *_: ({}, [], []),
        lambda score, space, trials, rng: ({}, *toolkit_random_search(score, space, trials, rng)[1:]),
    ],
)
def test_a_random_search_that_cannot_be_used_is_said_once_and_replaced(function):
    view = view_of(SearchPictureState(), toolkit_grid, function)
    assert len(view["notes"]) == 1
    assert "takes its place" in words(view)
    assert view["random"] == view_of(SearchPictureState())["random"]


def test_wrong_points_are_drawn_and_said():
    view = view_of(SearchPictureState(), linear_grid, toolkit_random_search)
    assert words(view) == "Your grid differs from the toolkit's. Yours is drawn."
    assert view["grid"] != view_of(SearchPictureState())["grid"]


def test_a_search_that_keeps_the_wrong_setting_is_said():
    view = view_of(SearchPictureState(), toolkit_grid, nan_free_but_worst)
    assert "keeps another one than the best" in words(view)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 1}, "points is a whole number from 2 to 6"),
        ({"points": 7}, "points is a whole number from 2 to 6"),
        ({"points": 2.5}, "points is a whole number from 2 to 6"),
        ({"seed": -1}, "seed is a whole number from 0 to 999"),
        ({"ridge": 1.2}, "ridge lies between 0 and 1"),
        ({"weight": 0.6}, "weight lies between 0 and 0.5"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        SearchPicture(**options)
    assert "\n" not in str(caught.value)


def test_the_button_draws_anew_and_begins_again_after_the_last():
    widget = SearchPicture()
    assert widget.act(widget.state, "draw", {}).seed == 2
    assert widget.act(SearchPictureState(seed=999), "draw", {}).seed == 0


def test_the_line_of_code_restores_the_state():
    assert SearchPicture().as_code() == "SearchPicture()"
    own = SearchPicture(toolkit_grid, points=3, seed=7, ridge=0.24, weight=0.5)
    assert own.as_code() == "SearchPicture(toolkit_grid, points=3, seed=7, ridge=0.24, weight=0.5)"
    assert eval(own.as_code(), {"SearchPicture": SearchPicture, "toolkit_grid": toolkit_grid}).state == own.state
