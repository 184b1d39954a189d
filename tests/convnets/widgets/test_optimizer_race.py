"""The race's surfaces, rules, paths and sentences, without a kernel or a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from convnets.widgets import optimizer_race
from convnets.widgets.optimizer_race import (
    GRID,
    HEIGHT,
    MAX_KEPT,
    MAX_STEPS,
    RULES,
    SURFACES,
    WIDTH,
    OptimizerRace,
    RaceState,
    Runner,
    arrival,
    drawn,
    heights_of,
    next_state,
    noise_of,
    view_of,
)

ALL = tuple(RULES)


def unwritten(*_, **__):
    raise NotImplementedError("your code here")


def own_sgd(x, grad, state, lr):
    return x - lr * grad, state


def runner(**functions):
    return Runner({name: functions.get(name) for name in RULES})


def view(own=None, **fields):
    return view_of(RaceState(**fields), own or runner())


def row(view, rule):
    return next(row for row in view["rows"] if row["rule"] == rule)


def said(**functions):
    return [(note["text"], note["wrong"]) for note in view(runner(**functions))["notes"]]


def torch_places(make, lr, gradient, start, steps):
    parameter = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = make([parameter], lr=lr)
    places = [np.array(start)]
    for _ in range(steps):
        parameter.grad = torch.tensor(np.array(gradient(*places[-1])))
        optimizer.step()
        places.append(parameter.detach().numpy().copy())
    return np.array(places)


TORCH = {
    "sgd": torch.optim.SGD,
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, nesterov=True),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_toolkits_rules_walk_as_torchs(rule):
    surface = SURFACES["saddle"]
    path = runner().path(rule, 0.02, (1.5, -0.7), "saddle", 0, 50)
    expected = torch_places(TORCH[rule], 0.02, surface.gradient, (1.5, -0.7), 50)
    np.testing.assert_allclose(path, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_are_those_of_the_heights_and_minima_are_lowest(name):
    surface = SURFACES[name]
    rng = np.random.default_rng(0)
    left, right, bottom, top = surface.box
    for x, y in zip(rng.uniform(left, right, 20), rng.uniform(bottom, top, 20), strict=True):
        a, b = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        height = surface.height(a, b)
        expected = torch.autograd.grad(height, (a, b))
        height = height.item()
        np.testing.assert_allclose(surface.gradient(x, y), [float(g) for g in expected], rtol=1e-9, atol=1e-9)
        assert height >= surface.lowest
    for minimum in surface.minima:
        np.testing.assert_allclose(surface.gradient(*minimum), 0, atol=1e-12)
        assert surface.height(*minimum) == pytest.approx(surface.lowest)


@pytest.mark.parametrize("name", ["ravine", "saddle", "beale"])
def test_every_rule_arrives_with_the_surfaces_own_learning_rate(name):
    rows = view(surface=name, shown=ALL, steps=MAX_STEPS)["rows"]
    assert all(row["arrived"] is not None for row in rows)


def test_on_the_noisy_surface_plain_descent_never_rests():
    assert row(view(surface="noisy", shown=ALL, steps=MAX_STEPS), "sgd")["arrived"] is None
    assert noise_of("noisy", 0).std() == pytest.approx(SURFACES["noisy"].noise, rel=0.1)
    assert not np.array_equal(noise_of("noisy", 0), noise_of("noisy", 1))
    assert not noise_of("ravine", 0).any()


def test_a_path_does_not_depend_on_how_it_was_cut_into_pieces():
    at_once, in_pieces = runner(), runner()
    for steps in (1, 7, 7, 30):
        in_pieces.path("adam", 0.1, (2.0, 1.0), "noisy", 3, steps)
    expected = at_once.path("adam", 0.1, (2.0, 1.0), "noisy", 3, 30)
    assert np.array_equal(in_pieces.path("adam", 0.1, (2.0, 1.0), "noisy", 3, 30), expected)
    assert np.array_equal(in_pieces.path("adam", 0.1, (2.0, 1.0), "noisy", 3, 5), expected[:6])


def test_the_stability_limit_of_the_ravine_is_seen():
    lrs = list(SURFACES["ravine"].lrs)
    for lr, diverges in ((0.039, False), (0.041, True)):
        lrs[0] = lr
        path = runner().path("sgd", lr, (-10.0, 1.0), "ravine", 0, MAX_STEPS)
        assert bool(abs(path[-1][1]) > 1) is diverges
    lrs[0] = 0.1
    shown = view(lrs=lrs, steps=100, shown=("sgd",))
    assert row(shown, "sgd")["value"] == "diverged"
    assert len(row(shown, "sgd")["path"]) < 30
    assert shown["status"] == "After 100 steps from (−10, 1): SGD diverged."


def test_arrival_is_for_good():
    assert arrival(np.array([5.0, 0.005, 3.0, 0.009, 0.001]), 0.0) == 3
    assert arrival(np.array([5.0, 0.005, 3.0]), 0.0) is None
    assert arrival(np.array([0.0]), 0.0) == 0
    assert arrival(np.array([1.0, np.nan]), 0.0) is None


def test_a_path_is_drawn_in_the_pictures_units_without_corners_that_do_not_move():
    box = (-1.0, 1.0, 0.0, 2.0)
    path = np.array([[-1.0, 2.0], [1.0, 0.0], [1.0, 0.0], [1e9, np.nan]])
    assert drawn(path, box) == [[0, 0], [WIDTH, HEIGHT], [9999, 0]]


def test_heights_are_lowest_at_the_minimum_and_highest_far_away():
    land = np.frombuffer(heights_of("ravine"), "<f4").reshape(GRID[1], GRID[0])
    assert land.min() == 0
    assert land.max() == 1
    i, j = np.unravel_index(land.argmin(), land.shape)
    left, right, _, _ = SURFACES["ravine"].box
    assert abs(left + j / (GRID[0] - 1) * (right - left)) < 0.2
    assert abs(i - GRID[1] / 2) <= 1


def test_a_click_starts_there_and_keeps_the_paths():
    state = RaceState(steps=40, shown=("sgd", "adam"), playing=True)
    clicked = next_state(state, "start", {"at": [0.5, 0.25]})
    assert clicked.start == (-3.0, 0.85)
    assert (clicked.steps, clicked.playing) == (0, True)
    assert clicked.kept == (("sgd", 0.03, -10.0, 1.0, 40), ("adam", 0.5, -10.0, 1.0, 40))
    shown = view_of(clicked, runner())
    assert [path["rule"] for path in shown["earlier"]] == ["sgd", "adam"]
    assert shown["earlier"][0]["path"] == row(view(shown=("sgd",), steps=40), "sgd")["path"]
    assert next_state(clicked, "clear", {}).kept == ()
    # Nothing was run yet: nothing is kept.
    assert next_state(clicked, "start", {"at": [0.1, 0.1]}).kept == clicked.kept


def test_only_the_latest_paths_are_kept_each_once():
    state = RaceState(shown=ALL, steps=10)
    for share in np.linspace(0.1, 0.9, 6):
        state = replace(next_state(state, "start", {"at": [share, 0.3]}), steps=10)
    assert len(state.kept) == MAX_KEPT
    assert state.kept[-1][0] == "adam"
    assert next_state(state, "keep", {}).kept[-6:] == next_state(next_state(state, "keep", {}), "keep", {}).kept[-6:]


def test_arrow_keys_move_the_start_within_the_picture():
    moved = next_state(RaceState(), "nudge", {"by": [1, 0]})
    assert moved.start == (-9.6, 1.0)
    assert not moved.playing
    for _ in range(60):
        moved = next_state(moved, "nudge", {"by": [0, 1]})
    assert moved.start == (-9.6, 1.7)


def test_controls_change_the_state():
    state = RaceState(steps=40, playing=True)
    assert next_state(state, "tick", {}).steps == 42
    assert next_state(state, "pause", {}) == replace(state, playing=False)
    assert next_state(state, "step", {}) == replace(state, steps=41, playing=False)
    assert next_state(state, "reset", {}) == RaceState()
    assert next_state(state, "toggle", {"rule": "rmsprop"}).shown == ("sgd", "momentum", "rmsprop", "adam")
    assert next_state(state, "toggle", {"rule": "sgd"}).shown == ("momentum", "adam")
    assert next_state(state, "surface", {"surface": "beale"}) == RaceState("beale")
    lrs = [0.02, *SURFACES["ravine"].lrs[1:]]
    assert next_state(state, "set", {"lrs": lrs}).rates[0] == 0.02
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        next_state(state, "fly", {})


def test_the_race_ends_and_begins_anew():
    state = next_state(RaceState(steps=MAX_STEPS - 1, playing=True), "tick", {})
    assert (state.steps, state.playing) == (MAX_STEPS, False)
    assert next_state(state, "play", {}).steps == 0
    assert next_state(replace(state, steps=0), "tick", {}).steps == 0


def test_the_learners_rules_run():
    calls = []

    def counted(x, grad, state, lr):
        calls.append(lr)
        return x - lr * grad, state

    own = runner(sgd=counted)
    path = own.path("sgd", 0.03, (-10.0, 1.0), "ravine", 0, 20)
    assert calls == [0.1] * 3 + [0.03] * 20
    np.testing.assert_allclose(path, runner().path("sgd", 0.03, (-10.0, 1.0), "ravine", 0, 20))
    own.path("sgd", 0.03, (-10.0, 1.0), "ravine", 0, 20)
    assert len(calls) == 23  # a known path costs nothing
    assert said(sgd=counted)[-1] == ("Your functions in the race: sgd.", False)


def test_a_wrong_rule_races_and_is_marked():
    own = runner(momentum=lambda x, grad, state, lr: (x - lr * grad, state))
    shown = view(own, steps=10)
    assert row(shown, "momentum")["wrong"]
    assert not row(shown, "sgd")["wrong"]
    # Its first step is right: the difference shows at the second.
    assert shown["notes"][0] == {
        "text": "Your momentum differs from the toolkit's: after step 2 of a trial its x is (0.6, 1.5), the toolkit's "
        "(0.33, 5.1). The race runs yours.",
        "wrong": True,
    }
    np.testing.assert_allclose(
        own.path("momentum", 0.01, (-10.0, 1.0), "ravine", 0, 10),
        runner().path("sgd", 0.01, (-10.0, 1.0), "ravine", 0, 10),
    )


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (lambda x, grad, state, lr: x - lr * grad, "Your sgd does not return two things, x and state."),
        (lambda x, grad, state, lr: (x.sum(), state), "Your sgd returns no x of shape (2,)"),
        (lambda x, grad, state, lr: (x, None), "Your sgd returns no dict as its state."),
        (lambda x, grad, state, lr: 1 / 0, "Your sgd raised ZeroDivisionError: division by zero."),
    ],
)
def test_a_broken_rule_is_said_and_replaced(rule, text):
    own = runner(sgd=rule)
    shown = view(own, steps=20, shown=("sgd",))
    assert shown["notes"][0]["text"].startswith(text)
    assert shown["notes"][0]["wrong"]
    assert row(shown, "sgd")["path"] == row(view(steps=20, shown=("sgd",)), "sgd")["path"]


def test_a_rule_that_breaks_on_the_way_leaves_a_state_that_does_no_harm():
    calls = []

    def breaks_later(x, grad, state, lr):
        calls.append(1)
        if len(calls) > 8:
            raise RuntimeError("enough")
        return x - lr * grad, {"v": "no array"}

    own = runner(momentum=breaks_later)
    path = own.path("momentum", 0.01, (-10.0, 1.0), "ravine", 0, 30)
    assert len(path) == 31
    assert np.isfinite(path).all()


def test_rules_that_are_not_written_are_said_once():
    assert said(sgd=own_sgd, adam=unwritten)[0] == (
        "Not written yet: momentum, nesterov, adagrad, rmsprop, adam. The toolkit's own run there.",
        False,
    )


def test_a_rule_that_writes_into_its_arguments_does_no_harm():
    def in_place(x, grad, state, lr):
        x -= lr * grad
        return x, state

    np.testing.assert_allclose(
        runner(sgd=in_place).path("sgd", 0.02, (-10.0, 1.0), "ravine", 0, 9),
        runner().path("sgd", 0.02, (-10.0, 1.0), "ravine", 0, 9),
    )


def test_only_a_playing_view_asks_for_the_next_tick():
    widget = OptimizerRace()
    assert "tick_ms" not in widget.view
    widget._receive(widget, {"do": "play"}, None)
    assert widget.view["tick_ms"] == optimizer_race.TICK_MS
    widget._receive(widget, {"do": "tick", "turn": widget.turn}, None)
    assert widget.view["steps"] == optimizer_race.CHUNK
    spoken = widget.view["status"]
    widget._receive(widget, {"do": "tick", "turn": widget.turn}, None)
    assert widget.view["status"] == spoken
    widget._receive(widget, {"do": "pause"}, None)
    assert widget.view["status"].startswith("After 4 steps from (−10, 1): SGD is at f = ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"surface": "bowl"}, "surface is one of ravine, saddle, beale, noisy, not 'bowl'"),
        ({"start": (-20, 0)}, "start lies in the picture, x from -11 to 5"),
        ({"start": (1.0,)}, "start lies in the picture"),
        ({"lrs": (0.1,)}, "lrs holds 6 learning rates above 0"),
        ({"lrs": (0.1, 0, 1, 1, 1, 1)}, "lrs holds 6 learning rates above 0"),
        ({"shown": ("adamw",)}, "the rules are sgd, momentum, nesterov, adagrad, rmsprop, adam, not 'adamw'"),
        ({"kept": (("lion", 0.1, 0, 0, 5),)}, "the rules are sgd"),
        ({"steps": 301}, "steps lies between 0 and 300"),
        ({"kept": (("sgd", 0.1, 0, 0, 5),) * 19}, "kept holds at most 18 earlier paths, not 19"),
        ({"seed": -1}, "seed is a whole number from 0"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        RaceState(**fields)


@pytest.mark.parametrize(
    "widget",
    [
        lambda: OptimizerRace(),
        lambda: OptimizerRace(own_sgd, surface="noisy", start=(1.5, -2), seed=3, steps=50, shown=ALL),
        lambda: OptimizerRace(None, own_sgd, lrs=(0.01, 0.02, 0.03, 0.1, 0.2, 0.3), kept=[["adam", 0.1, -3, 1, 20]]),
    ],
)
def test_one_line_of_python_restores_the_widget(widget):
    first = widget()
    again = eval(first.as_code())
    assert again.state == first.state
    assert again.view["rows"] == first.view["rows"]
    assert again.view["earlier"] == first.view["earlier"]
