"""The ReLU steps' network, training and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets.widgets.relu_steps import (
    CHUNK,
    LR,
    MAX_STEPS,
    SAMPLES,
    SEEN,
    TARGETS,
    ReluSteps,
    ReluStepsState,
    Training,
    formula,
    interpolation,
    largest,
    network,
    view_of,
)


def relu_interpolation(knots, values):
    slopes = np.diff(values) / np.diff(knots)
    return np.diff(slopes, prepend=0.0), values[0]


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("units", [1, 5, 64])
def test_the_network_built_by_hand_is_numpys_interpolation(target, units):
    knots = np.linspace(0, 1, units + 1)
    values = TARGETS[target](knots)
    weight, bias = interpolation(knots, values)
    assert weight.shape == (units,)
    np.testing.assert_allclose(network(SAMPLES, knots[:-1], weight, bias), np.interp(SAMPLES, knots, values), atol=1e-9)


def test_twice_the_units_quarter_the_error_of_a_smooth_curve_only():
    def error(target, units):
        return float(view_of(ReluStepsState(target=target, units=units))["error"])

    assert error("sine", 16) / error("sine", 32) == pytest.approx(4, rel=0.05)
    assert error("root", 16) / error("root", 64) == pytest.approx(2, rel=0.05)
    assert error("jump", 64) > 0.7


def test_units_are_switched_on_from_the_left():
    full = np.array(view_of(ReluStepsState(units=4))["curve"])
    two = np.array(view_of(ReluStepsState(units=4, shown=2))["curve"])
    left = SAMPLES <= 0.5
    np.testing.assert_array_equal(full[left], two[left])
    assert not np.allclose(full[~left], two[~left])
    # Behind its last bend the line goes straight on.
    np.testing.assert_allclose(np.diff(two[SAMPLES > 0.5, 1], 2), 0, atol=2e-4)
    none = np.array(view_of(ReluStepsState(units=4, shown=0))["curve"])
    assert set(none[:, 1]) == {0.0}
    assert [x for x, _ in view_of(ReluStepsState(units=4, shown=2))["bends"]] == [0, 0.25]
    assert "2 of 4 units are switched on" in view_of(ReluStepsState(units=4, shown=2))["status"]


def test_the_learners_weights_are_drawn_and_judged():
    right = view_of(ReluStepsState(), relu_interpolation)
    assert right["notes"] == []

    def slopes_for_weights(knots, values):
        return np.diff(values) / np.diff(knots), values[0]

    wrong = view_of(ReluStepsState(), slopes_for_weights)
    assert wrong["curve"] != right["curve"]
    assert "With your weights the curve has" in words(wrong)
    assert wrong["notes"][0]["wrong"]


@pytest.mark.parametrize(
    ("function", "said", "wrong"),
    [
        (None, "relu_interpolation is not written yet", False),
        (unwritten, "relu_interpolation is not written yet", False),
        (lambda *_: 1 / 0, "raised ZeroDivisionError", True),
        (lambda *_: None, "returned no weight of shape (6,)", True),
        (lambda *_: (np.ones(7), 0.0), "returned no weight of shape (6,)", True),
        (lambda *_: (np.ones(6), np.ones(2)), "returned no weight of shape (6,)", True),
    ],
)
def test_a_function_that_cannot_be_used_is_said_and_replaced(function, said, wrong):
    view = view_of(ReluStepsState(), function)
    assert said in words(view)
    assert view["notes"][0]["wrong"] == wrong
    assert view["curve"] == view_of(ReluStepsState(), relu_interpolation)["curve"]


def test_training_takes_the_steps_of_torchs_adam():
    training = Training(ReluStepsState(units=5, seed=3))
    weight, bias, out, out_bias = (torch.tensor(p, requires_grad=True) for p in training.parameters)
    optimizer = torch.optim.Adam([weight, bias, out, out_bias], lr=LR)
    x, wanted = torch.tensor(2 * SEEN - 1), torch.tensor(TARGETS["sine"](SEEN))
    for _ in range(25):
        optimizer.zero_grad()
        ((torch.relu(torch.outer(x, weight) + bias) @ out + out_bias - wanted) ** 2).mean().backward()
        optimizer.step()
    training.train_to(25)
    for mine, theirs in zip(training.parameters, (weight, bias, out, out_bias), strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-7, atol=1e-9)


def test_a_trained_network_bends_where_its_units_switch():
    training = Training(ReluStepsState(units=4, seed=1))
    weight, bias, *_ = training.parameters
    bends = training.bends()
    for x in bends:
        assert np.abs(weight * (2 * x - 1) + bias).min() < 1e-9
    inside = np.abs(bias / weight) < 1
    assert len(bends) == inside.sum()


def test_training_goes_on_by_ticks_and_however_it_is_cut():
    widget = ReluSteps(relu_interpolation, units=4)
    widget._receive(None, {"do": "play"}, [])
    assert widget.state.playing
    assert widget.view["tick_ms"] > 0
    for _ in range(3):
        widget._receive(None, {"do": "tick", "turn": widget.turn}, [])
    steps = widget.state.steps
    assert steps == 1 + 3 * CHUNK
    at_once = ReluSteps(relu_interpolation, units=4, steps=steps)
    assert at_once.view["curve"] == widget.view["curve"]
    # Back to fewer steps: training begins again.
    widget.update(steps=10)
    assert widget.trained.steps == 10


def test_training_lowers_the_error_and_ends():
    widget = ReluSteps(units=12, steps=1)
    early = float(widget.view["error"])
    widget.update(steps=1500)
    assert float(widget.view["error"]) < early / 2
    assert "Built by hand, as many units have" in widget.view["status"]
    last = widget.act(ReluStepsState(steps=MAX_STEPS - 1, playing=True), "tick", {})
    assert (last.steps, last.playing) == (MAX_STEPS, False)
    assert not widget.act(ReluStepsState(steps=MAX_STEPS), "play", {}).playing


def test_the_actions_of_controls_and_buttons():
    widget = ReluSteps()
    state = ReluStepsState(units=8, shown=3, steps=200, playing=True)

    def after(action, **values):
        return widget.act(state, action, values)

    assert not after("pause").playing
    assert (after("build").steps, after("build").playing) == (0, False)
    assert after("set", units=4) == ReluStepsState(units=4)
    assert after("set", target="jump").target == "jump"
    assert (after("set", target="jump").steps, after("set", target="jump").shown) == (0, None)
    assert (after("set", seed=2).steps, after("set", seed=2).units) == (0, 8)
    assert after("set", shown=5).shown == 5
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        after("fly")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "cosine"}, "target is one of sine, bumps, kink, root, jump"),
        ({"units": 0}, "units is a whole number from 1 to 64"),
        ({"units": 2.5}, "units is a whole number from 1 to 64"),
        ({"shown": 7}, "shown is a whole number from 0 to units = 6"),
        ({"steps": 5000}, "steps lies between 0 and 4,000"),
        ({"seed": -1}, "seed is a whole number from 0"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ReluSteps(**options)
    assert "\n" not in str(caught.value)


def test_the_formula_is_written_out():
    text = formula(1.0, np.array([2.0, -2.0, -3.0]), np.array([0.0, 1.0, 3.0]))
    assert text == "f(x) = 1 + 2·max(0, x − 0) − 2·max(0, x − 1) − 3·max(0, x − 3)"
    assert formula(0.0, np.ones(5), np.arange(5.0)).endswith("+ … (2 more)")


def test_the_line_of_code_restores_the_state():
    assert ReluSteps().as_code() == "ReluSteps()"
    own = ReluSteps(relu_interpolation, target="jump", units=12, shown=4)
    assert own.as_code() == "ReluSteps(relu_interpolation, target='jump', units=12, shown=4)"
    names = {"ReluSteps": ReluSteps, "relu_interpolation": relu_interpolation}
    assert eval(own.as_code(), names).state == own.state


def test_the_largest_error_is_taken_over_all_samples():
    curve = TARGETS["sine"](SAMPLES)
    curve[7] += 0.25
    assert largest(curve, "sine") == pytest.approx(0.25)
