"""The playground's points, net, training and sentences, without a kernel or a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from convnets.widgets.playground import (
    ACTIVATIONS,
    CELLS,
    DATASETS,
    GRID,
    LIMIT,
    MAX_STEPS,
    RECORD,
    TRAIN,
    Playground,
    PlaygroundState,
    Training,
    backward,
    curve,
    forward,
    make_parameters,
    make_points,
    mean_loss,
    next_state,
    view_of,
)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradient_step(parameters, gradients, lr):
    return {name: parameters[name] - lr * gradients[name] for name in parameters}


def unwritten(*_):
    raise NotImplementedError("your code here")


def trained(learner_sigmoid=None, learner_step=None, **fields):
    training = Training(PlaygroundState(**fields), learner_sigmoid, learner_step)
    training.train_to(training.state.steps)
    return training


def notes(learner_sigmoid=None, learner_step=None, **fields):
    view = view_of(PlaygroundState(**fields), trained(learner_sigmoid, learner_step, **fields))
    return [(note["text"], note["wrong"]) for note in view["notes"]]


def maps(view):
    return np.frombuffer(view["maps"], np.uint8).reshape(-1, GRID, GRID)


@pytest.mark.parametrize("dataset", DATASETS)
def test_points_are_balanced_repeatable_and_inside_the_picture(dataset):
    points, targets = make_points(dataset, 0.8, 3)
    assert points.shape == (240, 2)
    assert np.abs(points).max() <= LIMIT
    assert np.sum(targets[:TRAIN]) == np.sum(targets[TRAIN:]) == 0
    assert np.array_equal(points, make_points(dataset, 0.8, 3)[0])
    assert not np.array_equal(points, make_points(dataset, 0.8, 4)[0])


def test_without_noise_the_shapes_are_exact():
    points, targets = make_points("circles", 0.0, 0)
    radius = np.hypot(*points.T)
    assert radius[targets > 0].max() < 1.2
    assert radius[targets < 0].min() > 1.8
    points, targets = make_points("xor", 0.0, 0)
    assert np.array_equal(np.sign(points[:, 0] * points[:, 1]), targets)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (3,), (5, 2, 4)])
def test_gradients_agree_with_torch(activation, hidden):
    activate, derivative, gain = ACTIVATIONS[activation]
    parameters = make_parameters(hidden, gain, 1)
    rng = np.random.default_rng(2)
    parameters = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in parameters.items()}
    x, targets = make_points("spiral", 0.1, 5, 20)
    outputs = forward(parameters, x, activate)

    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    y = torch.tensor(x)
    for layer in range(1, len(hidden) + 2):
        y = y @ tensors[f"weight{layer}"].T + tensors[f"bias{layer}"]
        if layer <= len(hidden):
            y = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "linear": torch.clone}[activation](y)
    loss = ((y[:, 0] - torch.tensor(targets)) ** 2).mean()
    loss.backward()

    assert mean_loss(outputs[-1], targets) == pytest.approx(loss.item(), rel=1e-12)
    gradients = backward(parameters, outputs, targets, derivative)
    assert gradients.keys() == parameters.keys()
    for name, tensor in tensors.items():
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("dataset", "hidden", "lr", "steps"),
    [
        ("blobs", (), 0.1, 100),
        ("circles", (4, 4), 0.3, 1500),
        ("xor", (4, 4), 0.3, 1500),
        ("spiral", (8, 8), 0.1, 2500),
    ],
)
def test_every_data_set_can_be_learned(dataset, hidden, lr, steps):
    training = trained(dataset=dataset, hidden=hidden, activation="tanh", lr=lr, steps=steps)
    assert training.right() >= 0.97


def test_without_a_hidden_layer_circles_cannot_be_learned():
    assert trained(hidden=(), lr=0.1, steps=1000).right() <= 0.8


def test_steps_in_chunks_give_the_same_numbers_as_at_once():
    at_once, in_chunks = trained(steps=55), trained(steps=0)
    for steps in (1, 17, 18, 40, 55):
        in_chunks.train_to(steps)
    for name, value in at_once.parameters.items():
        assert np.array_equal(value, in_chunks.parameters[name])
    assert at_once.history[-1] == in_chunks.history[-1]


def test_the_learners_functions_do_the_work_and_change_nothing():
    calls = []

    def counted(parameters, gradients, lr):
        calls.append(lr)
        return gradient_step(parameters, gradients, lr)

    training = trained(sigmoid, counted, steps=30, lr=0.2)
    assert calls == [0.2] * 31  # one of them to try it
    for name, value in trained(steps=30, lr=0.2).parameters.items():
        np.testing.assert_allclose(training.parameters[name], value, rtol=1e-9)
    assert notes(sigmoid, gradient_step) == [("Your sigmoid and your gradient_step are at work in this net.", False)]


def test_a_wrong_function_is_used_marked_and_said():
    training = trained(lambda z: 0.5 * sigmoid(z), lambda p, g, lr: {name: p[name] + lr * g[name] for name in p})
    view = view_of(training.state, training)
    assert view["wrong_sigmoid"]
    assert view["wrong_step"]
    assert "at z = −5 it gives 0.003346, the toolkit's gives 0.006693" in view["notes"][0]["text"]
    assert "differs from the toolkit's: it takes weight1[0, 0]" in view["notes"][1]["text"]
    assert all(note["wrong"] for note in view["notes"])
    before = training.history[0][1]
    training.train_to(20)
    assert training.history[-1][1] > before  # uphill: the learner's own step is the one that is taken


def test_a_sigmoid_that_overflows_is_found():
    (text, wrong), _ = notes(lambda z: np.exp(z) / (1 + np.exp(z)))
    assert "at z = 800 it gives nan" in text
    assert wrong


def test_a_step_that_changes_its_argument_is_found_and_does_no_harm():
    def in_place(parameters, gradients, lr):
        for name in parameters:
            parameters[name] -= lr * gradients[name]
        return parameters

    assert notes(sigmoid, in_place)[0] == (
        "Your gradient_step changes its argument parameters in place (weight1).",
        True,
    )
    np.testing.assert_allclose(
        trained(sigmoid, in_place, steps=9).parameters["weight1"], trained(steps=9).parameters["weight1"]
    )


@pytest.mark.parametrize(
    ("learner_sigmoid", "learner_step", "text", "wrong"),
    [
        (None, None, "Your sigmoid and your gradient_step are not written yet: the toolkit's take their place.", False),
        (unwritten, gradient_step, "Your sigmoid is not written yet: the toolkit's takes its place.", False),
        (lambda z: z.mean(), None, "Your sigmoid returns no array of shape (2, 3) for one of that shape.", True),
        (lambda z: z / "1", None, "Your sigmoid raised TypeError", True),
        (None, lambda p, g, lr: 1 / 0, "Your gradient_step raised ZeroDivisionError: division by zero.", True),
        (None, lambda p, g, lr: None, "Your gradient_step returns NoneType, not a dict of arrays.", True),
        (None, lambda p, g, lr: {**p, "bias2": 1.0}, "Your gradient_step returns no bias2 of shape (4,).", True),
    ],
)
def test_what_is_not_written_or_broken_is_said_and_filled_in(learner_sigmoid, learner_step, text, wrong):
    told = notes(learner_sigmoid, learner_step)
    assert any(text in said and wrong is is_wrong for said, is_wrong in told), told
    training = trained(learner_sigmoid, learner_step, steps=20)
    np.testing.assert_allclose(training.parameters["weight1"], trained(steps=20).parameters["weight1"])


def test_a_sigmoid_that_is_not_used_is_not_spoken_of():
    assert notes(unwritten, gradient_step, activation="tanh") == [("Your gradient_step is at work in this net.", False)]
    assert notes(unwritten, gradient_step, hidden=()) == [("Your gradient_step is at work in this net.", False)]


def test_a_function_that_breaks_on_the_way_is_replaced():
    calls = []

    def breaks_later(parameters, gradients, lr):
        calls.append(1)
        if len(calls) > 5:
            raise RuntimeError("enough")
        return gradient_step(parameters, gradients, lr)

    training = trained(None, breaks_later, steps=40)
    assert len(calls) == 6
    assert (
        training.stepper.words
        == "Your gradient_step raised RuntimeError: enough. The toolkit's gradient_step takes its place."
    )
    np.testing.assert_allclose(training.parameters["bias1"], trained(steps=40).parameters["bias1"])


def test_too_large_a_learning_rate_stops_with_a_sentence():
    widget = Playground(lr=3.0, steps=500)
    assert widget.state.steps < 500
    assert widget.view["status"] == (
        f"The loss diverged at step {widget.state.steps}: lr = 3 is too large here. Choose a smaller learning rate."
    )
    assert widget.view["train"] == "diverged"
    assert widget.view["finished"]
    widget._receive(widget, {"do": "play"}, None)
    assert not widget.state.playing


def test_pictures_show_the_inputs_every_unit_and_the_output():
    training = trained(dataset="blobs", hidden=(3, 2), activation="tanh", lr=0.1, steps=200)
    pictures = maps(view_of(training.state, training))
    assert pictures.shape == (2 + 3 + 2 + 1, GRID, GRID)
    assert (pictures[0][:, 0] < 10).all()  # x1 grows to the right
    assert (pictures[1][0] > 245).all()  # x2 grows upwards
    output = forward(training.parameters, CELLS, np.tanh)[-1].reshape(GRID, GRID)
    assert np.array_equal(pictures[-1] > 127.5, output > 0)
    assert pictures[-1][0, -1] > 200 > 60 > pictures[-1][-1, 0]  # +1 lies top right


def test_relu_pictures_use_their_own_range():
    training = trained(activation="relu", hidden=(4,))
    pictures = maps(view_of(training.state, training))[2:-1]
    assert (pictures.reshape(4, -1).max(axis=1) == 255).all()
    assert (pictures >= 127).all()


def test_the_curve_keeps_its_ends_and_stays_small():
    history = [(step, 1.0 / (step + 1), 2.0) for step in range(0, 20_000, RECORD)]
    rows = curve(history)
    assert len(rows) <= 161
    assert rows[0] == list(history[0])
    assert rows[-1] == list(history[-1])
    assert curve([(0, 1.0, 1.0), (3, float("nan"), 1.0)]) == [[0, 1.0, 1.0]]


def test_controls_change_the_state():
    state = PlaygroundState(steps=40, playing=True)
    assert next_state(state, "tick", {}).steps == 50
    assert next_state(state, "pause", {}) == replace(state, playing=False)
    assert next_state(state, "step", {}) == replace(state, steps=41, playing=False)
    assert next_state(state, "reset", {}) == PlaygroundState()
    assert next_state(state, "set", {"noise": 0.4}) == replace(state, noise=0.4, steps=0)
    assert next_state(state, "layers", {"count": 3}).hidden == (4, 4, 4)
    assert next_state(state, "layers", {"count": 0}).hidden == ()
    assert next_state(state, "units", {"layer": 2, "units": 7}).hidden == (4, 7)
    shown = next_state(state, "show", {"unit": [2, 4]})
    assert shown == replace(state, shown=(2, 4))
    assert next_state(shown, "show", {"unit": [2, 4]}).shown == ()
    assert next_state(shown, "units", {"layer": 2, "units": 3}).shown == ()
    assert next_state(shown, "units", {"layer": 1, "units": 3}).shown == (2, 4)


def test_a_tick_after_the_pause_trains_no_further():
    state = next_state(PlaygroundState(steps=40, playing=True), "pause", {})
    assert next_state(state, "tick", {}) == state


def test_training_ends_by_itself():
    state = next_state(PlaygroundState(steps=MAX_STEPS - 3, playing=True), "tick", {})
    assert (state.steps, state.playing) == (MAX_STEPS, False)


def test_only_a_playing_view_asks_for_the_next_tick():
    widget = Playground()
    assert "tick_ms" not in widget.view
    widget._receive(widget, {"do": "play"}, None)
    assert widget.view["tick_ms"] > 0
    widget._receive(widget, {"do": "tick", "turn": widget.turn}, None)
    assert widget.view["steps"] == 10
    spoken = widget.view["status"]
    widget._receive(widget, {"do": "tick", "turn": widget.turn}, None)
    assert widget.view["status"] == spoken  # a live region that changes at every tick would never stop talking
    widget._receive(widget, {"do": "pause"}, None)
    assert "tick_ms" not in widget.view
    assert "After 20 steps" in widget.view["status"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dataset": "moons"}, "dataset is one of blobs, circles, xor, spiral, not 'moons'"),
        ({"activation": "gelu"}, "activation is one of sigmoid, tanh, relu, linear"),
        ({"hidden": (4, 9)}, "hidden holds at most 3 layers of 1 to 8 units, not \\[4, 9\\]"),
        ({"hidden": (1, 1, 1, 1)}, "hidden holds at most 3 layers"),
        ({"noise": -0.1}, "noise lies between 0 and 0.8"),
        ({"lr": 0}, "lr lies above 0"),
        ({"steps": 30_000}, "steps lies between 0 and 20000"),
        ({"seed": -1}, "seed is a whole number from 0"),
        ({"shown": (3, 1)}, "shown names a hidden unit"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        PlaygroundState(**fields)


@pytest.mark.parametrize(
    "widget",
    [
        lambda: Playground(),
        lambda: Playground(sigmoid, gradient_step, dataset="xor", hidden=(), lr=0.05, steps=30),
        lambda: Playground(None, gradient_step, noise=0.3, hidden=(8, 2), activation="relu", seed=3, shown=(2, 1)),
    ],
)
def test_one_line_of_python_restores_the_widget(widget):
    first = widget()
    again = eval(first.as_code())
    assert again.state == first.state
    assert again.learner == first.learner
    assert again.view["maps"] == first.view["maps"]
    assert again.view["train"] == first.view["train"]
