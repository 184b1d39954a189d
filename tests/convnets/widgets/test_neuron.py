"""The neuron's points, painting, margin, updates and sentences, without a kernel or a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from convnets.widgets.neuron import (
    CELLS,
    DATASETS,
    EPOCHS,
    GRID,
    LIMIT,
    Neuron,
    NeuronState,
    fitted,
    make_points,
    margin_of,
    predicted,
    scores,
    stepped,
    view_of,
    within_limits,
)

SEPARATED = NeuronState(weight=(1.2, 1.6), bias=-1)


def perceptron_predict(x, weight, bias):
    return np.where(x @ weight + bias >= 0, 1, -1)


def perceptron_fit(x, target, epochs):
    weight, bias, mistakes = np.zeros(2), 0.0, []
    for _ in range(epochs):
        count = 0
        for example, label in zip(x, target, strict=True):
            if (1 if example @ weight + bias >= 0 else -1) != label:
                weight, bias, count = weight + label * example, bias + label, count + 1
        mistakes.append(count)
        if count == 0:
            break
    return weight, bias, mistakes


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def is_wrong(view):
    return any(note["wrong"] for note in view["notes"])


@pytest.mark.parametrize("dataset", DATASETS)
def test_points_are_the_same_each_time_have_one_decimal_and_both_classes(dataset):
    x, target = make_points(dataset)
    again, _ = make_points(dataset)
    np.testing.assert_array_equal(x, again)
    np.testing.assert_allclose(x, x.round(1))
    assert set(target) == {-1.0, 1.0}
    assert np.abs(x).max() < LIMIT


def test_two_sets_are_separable_and_two_are_not():
    for dataset, separable in (("apart", True), ("narrow", True), ("overlap", False), ("XOR", False)):
        *_, mistakes = perceptron_fit(*make_points(dataset), 2000)
        assert (mistakes[-1] == 0) == separable, dataset


def test_the_narrow_set_costs_the_perceptron_dozens_of_mistakes_and_the_other_a_few():
    """What the play asks learners to see: a smaller margin, a larger bound, and more mistakes."""
    outcome = {}
    for dataset in ("apart", "narrow"):
        x, target = make_points(dataset)
        gamma, radius = margin_of(NeuronState(dataset=dataset, weight=(0.6, 0.8), bias=-0.5))
        *_, mistakes = perceptron_fit(x, target, EPOCHS)
        assert mistakes[-1] == 0
        outcome[dataset] = gamma, (radius / gamma) ** 2, sum(mistakes)
    assert outcome["narrow"][0] < outcome["apart"][0] / 3
    assert outcome["narrow"][1] > 400 > outcome["narrow"][2] >= 24
    assert outcome["apart"][1] < 30
    assert outcome["apart"][2] <= 5


def test_a_sum_of_zero_is_plus_one():
    state = NeuronState(weight=(0.1, 0.2), bias=-0.5)
    on_the_line = np.array([[1.0, 2.0], [3.0, 1.0], [1.0, 1.9]])
    assert predicted(state, on_the_line).tolist() == [1.0, 1.0, -1.0]
    assert predicted(NeuronState(weight=(0, 0), bias=0), on_the_line).tolist() == [1.0, 1.0, 1.0]


def test_the_plane_is_painted_by_the_learners_function():
    view = view_of(SEPARATED, perceptron_predict)
    plane = np.frombuffer(view["plane"], np.uint8).reshape(GRID, GRID)
    # Row 0 is the top: x₂ is large there. Column 0 is the left.
    assert plane[0, -1] == 1
    assert plane[-1, 0] == 0
    expected = (CELLS @ [1.2, 1.6] - 1 >= 0).reshape(GRID, GRID)
    np.testing.assert_array_equal(plane, expected)
    assert view["notes"] == []

    def forgets_the_bias(x, weight, bias):
        return perceptron_predict(x, weight, 0)

    wrong = view_of(SEPARATED, forgets_the_bias)
    assert is_wrong(wrong)
    assert "the sign of the sum is" in words(wrong)
    assert wrong["plane"] != view["plane"]


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "perceptron_predict is not written yet", False),
        (unwritten, "perceptron_predict is not written yet", False),
        (lambda x, weight, bias: None, "returned NoneType", True),
        (lambda x, weight, bias: np.ones((2, 2)), "returned shape (2, 2)", True),
        (lambda x, weight, bias: 1 / 0, "raised ZeroDivisionError", True),
    ],
)
def test_a_function_that_cannot_paint_is_said_and_replaced(function, said, wrong):
    view = view_of(SEPARATED, function)
    assert said in words(view)
    assert is_wrong(view) == wrong
    assert view["plane"] == view_of(SEPARATED, perceptron_predict)["plane"]


def test_wrong_points_are_marked_and_counted():
    view = view_of(NeuronState(), perceptron_predict)
    x, target = make_points("apart")
    expected = perceptron_predict(x, np.array([1.0, -0.5]), 0.5) != target
    assert [point["wrong"] for point in view["points"]] == expected.tolist()
    assert view["wrong_count"] == expected.sum() > 0
    assert view["status"].startswith(f"{expected.sum()} of 24 points on the wrong side")
    assert not view["done"]
    assert view_of(SEPARATED)["done"]


def test_the_sum_of_the_chosen_point_is_written_out():
    x, _ = make_points("apart")
    state = NeuronState(weight=(2, -1), bias=-0.5, point=3)
    view = view_of(state)
    total = float(scores(state, x[3:4])[0])
    assert view["formula"].startswith("2·")
    assert "(−1)·" in view["formula"]
    assert view["formula"].endswith(f"+ (−0.5) = {total:g}".replace("= -", "= −"))
    assert view["output"] == ("+1" if total >= 0 else "−1")


def test_the_handle_of_the_line_stands_on_the_line_next_to_the_origin():
    view = view_of(NeuronState(weight=(3, 0), bias=-1.5))
    assert view["foot"] == [0.5, 0]
    assert view["handle"]
    far = view_of(NeuronState(weight=(0.5, 0), bias=-3))
    assert far["foot"] == [6, 0]
    assert not far["handle"]
    assert view_of(NeuronState(weight=(0, 0)))["foot"] is None


def test_the_margin_counts_the_bias_and_the_bound_is_kept():
    gamma, radius = margin_of(SEPARATED)
    x, target = make_points("apart")
    full = np.hstack([x, np.ones((len(x), 1))])
    unit = np.array([1.2, 1.6, -1]) / np.linalg.norm([1.2, 1.6, -1])
    assert gamma == pytest.approx((target * (full @ unit)).min())
    assert radius == pytest.approx(np.linalg.norm(full, axis=1).max())
    *_, mistakes = perceptron_fit(x, target, EPOCHS)
    assert 0 < sum(mistakes) <= (radius / gamma) ** 2
    assert f"(R/γ)² = {int((radius / gamma) ** 2)} mistakes" in view_of(SEPARATED)["status"]
    assert margin_of(NeuronState()) is None
    assert margin_of(NeuronState(weight=(0, 0), bias=0)) is None


def test_a_step_is_the_perceptrons_update_at_the_next_wrong_point():
    x, target = make_points("apart")
    state = NeuronState(weight=(0, 0), bias=0)
    # With a sum of 0 everywhere every point gets +1, so the first −1 is the first mistake.
    first = int(np.argmax(target < 0))
    after = stepped(state)
    assert after.point == first
    np.testing.assert_allclose([*after.weight, after.bias], [*-x[first], -1.0])
    assert after.updates == 1
    assert stepped(after).point != first
    assert stepped(SEPARATED) == SEPARATED


def test_steps_lead_to_a_line_that_separates():
    state = NeuronState(weight=(0, 0), bias=0)
    for _ in range(200):
        state = stepped(state)
    assert view_of(state)["done"]
    assert 0 < state.updates < 200


def test_steps_are_the_perceptrons_own():
    """Step by step from zero weights, the mistakes of a whole training come in the same order."""
    for dataset in ("apart", "narrow"):
        x, target = make_points(dataset)
        state = NeuronState(dataset=dataset, weight=(0, 0), bias=0)
        while not view_of(state)["done"]:
            state = stepped(state)
        weight, bias, mistakes = perceptron_fit(x, target, 500)
        assert state.updates == sum(mistakes)
        np.testing.assert_allclose([*state.weight, state.bias], [*weight, bias])


def test_an_arrow_that_would_leave_the_plane_is_drawn_shorter():
    view = view_of(NeuronState(weight=(6, -3), bias=1.5))
    assert view["tip"] == [3, -1.5]
    assert view["weight"] == [6, -3]
    assert view["range"] == 6
    inside = view_of(NeuronState(weight=(1, -0.5)))
    assert (inside["tip"], inside["range"]) == ([1, -0.5], 3)


def test_weights_out_of_range_are_divided_together():
    state = within_limits(NeuronState(), (198, -99), 49.5)
    assert (*state.weight, state.bias) == (99, -49.5, 24.75)
    assert within_limits(NeuronState(), (1, 2), 0.5).weight == (1, 2)


def test_the_learners_fit_is_run_on_the_points():
    state, note = fitted(NeuronState(), perceptron_fit)
    assert note is None
    assert view_of(state)["done"]
    assert state.mistakes[-1] == 0
    view = view_of(state)
    assert f"Your perceptron_fit made {sum(state.mistakes)} mistake" in view["status"]
    never, _ = fitted(NeuronState(dataset="XOR"), perceptron_fit)
    assert len(never.mistakes) == EPOCHS
    assert "the last of them was not free of mistakes" in view_of(never)["status"]


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "Your perceptron_fit is not written yet: use Step instead.", False),
        (unwritten, "Your perceptron_fit is not written yet: use Step instead.", False),
        (lambda *_: 1 / 0, "Your perceptron_fit raised ZeroDivisionError", True),
        (lambda *_: None, "returned no weight of shape (2,)", True),
        (lambda *_: (np.ones(3), 0.0, [0]), "returned no weight of shape (2,)", True),
        (lambda *_: (np.full(2, np.nan), 0.0, [0]), "returned no weight of shape (2,)", True),
    ],
)
def test_a_fit_that_cannot_be_used_changes_nothing_and_is_said(function, said, wrong):
    state, note = fitted(NeuronState(), function)
    assert state == NeuronState()
    assert said in note["words"]
    assert note["wrong"] == wrong


def test_the_learner_cannot_damage_the_points_in_place():
    def greedy(x, target, epochs):
        x *= 0
        target *= 0
        return np.ones(2), 0.0, [0]

    fitted(NeuronState(), greedy)
    assert np.abs(make_points("apart")[0]).max() > 1


def test_the_actions_of_handles_sliders_and_buttons():
    widget = Neuron(perceptron_predict, perceptron_fit)
    state = replace(widget.state, updates=3, mistakes=(1, 0))

    def after(action, **values):
        return widget.act(state, action, values)

    assert after("drag", x=0.123, y=-2.456).weight == (0.12, -2.46)
    assert after("drag", x=900, y=0).weight == (99, 0)
    # The line passes through the place where its handle is let go.
    moved = after("shift", x=1.0, y=1.0)
    assert scores(moved, np.array([[1.0, 1.0]]))[0] == 0
    assert after("nudge", w1=0.1, w2=0).weight == (1.1, -0.5)
    assert after("nudge", b=-0.1).bias == 0.4
    assert after("nudge", b=900).bias == 99
    # By hand: what the perceptron did is forgotten. Choosing a point is no change of the weights.
    assert after("nudge", b=0.1).updates == 0
    assert after("set", bias=1.0).mistakes == ()
    assert after("set", point=4).mistakes == (1, 0)
    assert after("set", dataset="XOR").point == 0
    assert after("step").updates == 4
    assert after("fit").mistakes[-1] == 0
    assert after("reset") == NeuronState()
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        after("fly")


def test_what_the_fit_was_told_is_shown_until_the_next_action():
    widget = Neuron(perceptron_predict)
    widget._receive(None, {"do": "fit"}, [])
    assert "perceptron_fit is not written yet" in words(widget.view)
    widget._receive(None, {"do": "nudge", "b": 0.1}, [])
    assert widget.view["notes"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "moons"}, "dataset is one of apart, narrow, overlap, XOR"),
        ({"weight": [1]}, "weight is a pair of numbers"),
        ({"weight": [100, 0]}, "weights and bias lie between −99 and 99"),
        ({"bias": -99.5}, "weights and bias lie between −99 and 99"),
        ({"bias": float("nan")}, "weights and bias lie between −99 and 99"),
        ({"point": 24}, "point is a whole number from 0 to 23"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        Neuron(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    assert Neuron().as_code() == "Neuron()"
    own = Neuron(perceptron_predict, perceptron_fit, dataset="narrow", weight=[0.25, -1], bias=2, point=5)
    line = "Neuron(perceptron_predict, perceptron_fit, dataset='narrow', weight=[0.25, -1], bias=2, point=5)"
    assert own.as_code() == line
    names = {"Neuron": Neuron, "perceptron_predict": perceptron_predict, "perceptron_fit": perceptron_fit}
    assert eval(line, names).state == own.state
