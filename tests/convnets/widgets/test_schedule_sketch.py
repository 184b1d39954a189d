"""The schedule sketch's task, presets and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets import schedule_sketch
from convnets.widgets.schedule_sketch import (
    CURVATURE,
    FIRST_LR,
    LADDER,
    LIMIT,
    NOISE,
    PRESETS,
    START,
    STEPS,
    STRETCH,
    STRETCHES,
    Follower,
    ScheduleSketch,
    SketchState,
    best_constant,
    ending,
    view_of,
)


def own_sgd(x, grad, state, lr):
    return x - lr * grad, state


def unwritten(*_, **__):
    raise NotImplementedError("your code here")


def constant(lr):
    return (lr,) * STRETCHES


def notes(sgd=None, schedule=None):
    view = view_of(SketchState(), Follower(sgd, schedule))
    return [(note["text"], note["wrong"]) for note in view["notes"]]


def expected_losses(lrs):
    """The loss on average over all noise, in closed form: each mean square obeys a recursion of its own."""
    square, losses = START**2, []
    for lr in np.repeat(lrs, STRETCH):
        square = (1 - lr * CURVATURE) ** 2 * square + (lr * NOISE) ** 2
        losses.append(0.5 * np.sum(CURVATURE * square))
    return np.array(losses)


@pytest.mark.parametrize("lrs", [constant(0.02), constant(0.003), tuple(np.geomspace(0.03, 0.001, STRETCHES))])
def test_the_curve_follows_the_closed_form(lrs):
    losses = Follower(None, None).losses(lrs)
    assert losses.shape == (STEPS + 1,)
    assert losses[0] == pytest.approx(0.5 * np.sum(CURVATURE * START**2))
    expected = expected_losses(lrs)
    # 64 runs: the mean over the last stretch wanders by a tenth or so.
    assert ending(losses) == pytest.approx(expected[-STRETCH:].mean(), rel=0.2)
    assert losses[20] == pytest.approx(expected[19], rel=0.1)


def test_the_best_constant_is_that_of_the_closed_form_to_a_rung():
    lr, loss = best_constant()
    endings = {rung: expected_losses(constant(rung))[-STRETCH:].mean() for rung in LADDER if rung < LIMIT}
    best = min(endings, key=endings.get)
    assert abs(LADDER.index(lr) - LADDER.index(best)) <= 1
    assert loss == pytest.approx(endings[best], rel=0.2)


def test_annealing_beats_every_constant_learning_rate_by_far():
    lrs = (0.0316,) * 8 + tuple(0.0316 * 0.8**n for n in range(12))
    assert ending(Follower(None, None).losses(lrs)) < best_constant()[1] / 2.5


def test_above_the_limit_it_diverges_and_says_so():
    widget = ScheduleSketch(lrs=[0.1] * 3 + [0.01] * 17)
    assert widget.view["status"].startswith("Diverged: 3 stretches above 2/50 = 0.04")
    assert widget.view["ending"] == "diverged"
    assert max(widget.view["curve"]) == 1.0
    # A schedule that diverged is not in the way of the first good one.
    widget._receive(widget, {"do": "set", "lrs": list(constant(0.01))}, None)
    assert widget.state.best == constant(0.01)


@pytest.mark.parametrize("kind", PRESETS)
def test_presets_are_what_schedule_returns(kind):
    calls = []

    def own(kind, lr, t, **settings):
        calls.append((kind, t, len(settings.get("losses", ()))))
        return schedule_sketch.schedule(kind, lr, t, **settings)

    follower = Follower(None, own)
    assert follower.schedule.words == ""
    calls.clear()
    rates = follower.preset(kind, 0.0398)
    assert [call[:2] for call in calls] == [(kind, t) for t in range(STRETCHES)]
    assert rates == Follower(None, None).preset(kind, 0.0398)
    assert rates[0] == 0.0398
    assert rates[-1] < 0.02
    if kind == "plateau":
        assert [call[2] for call in calls] == list(range(STRETCHES))


def test_presets_stay_within_what_can_be_drawn():
    assert Follower(None, None).preset("constant", 0.05) == constant(0.05)
    grows = Follower(None, lambda kind, lr, t, **_: lr * 10.0 ** (3 * t - 20)).preset("step", 0.02)
    assert min(grows) == LADDER[0]
    assert max(grows) == LADDER[-1]


def test_buttons_and_the_best_so_far():
    widget = ScheduleSketch()
    assert widget.view["best_curve"] == []
    widget._receive(widget, {"do": "set", "lrs": list(constant(0.0398))}, None)
    assert widget.state.best == constant(FIRST_LR)
    assert widget.view["best_curve"] != []
    widget._receive(widget, {"do": "preset", "kind": "cosine"}, None)
    cosine = widget.state.lrs
    assert widget.state.best == cosine
    assert "times lower than the best constant learning rate, 0.02" in widget.view["status"]
    widget._receive(widget, {"do": "preset", "kind": "constant"}, None)
    assert widget.state.lrs == constant(0.0398)
    widget._receive(widget, {"do": "recall"}, None)
    assert widget.state.lrs == cosine


def test_the_learners_sgd_does_the_work():
    calls = []

    def counted(x, grad, state, lr):
        calls.append(lr)
        return x - lr * grad, state

    follower = Follower(counted, None)
    calls.clear()
    np.testing.assert_allclose(follower.losses(constant(0.01)), Follower(None, None).losses(constant(0.01)))
    assert calls == [0.01] * STEPS
    follower.losses(constant(0.01))
    assert len(calls) == STEPS  # a known schedule costs nothing


def test_wrong_functions_are_used_and_said():
    follower = Follower(lambda x, grad, state, lr: (x - 0.5 * lr * grad, state), lambda kind, lr, t, **_: lr)
    view = view_of(SketchState(), follower)
    assert view["notes"][0] == {
        "text": "Your sgd differs from the toolkit's: it steps from 1 to 0.85, the toolkit's to 0.7. The curve follows "
        "yours.",
        "wrong": True,
    }
    assert view["notes"][1]["text"] == (
        "Your schedule differs from the toolkit's: 'step' from 0.02 gives 0.02 at t = 5, the toolkit's 0.01. The "
        "buttons draw yours."
    )
    np.testing.assert_allclose(
        follower.losses(constant(0.02))[1:10], Follower(None, None).losses(constant(0.01))[1:10], rtol=0.2
    )
    assert follower.preset("cosine", 0.03) == constant(0.03)


@pytest.mark.parametrize(
    ("sgd", "schedule", "text"),
    [
        (lambda x, grad, state, lr: x, None, "Your sgd does not return two things, x and state."),
        (lambda x, grad, state, lr: (1.0, state), None, "Your sgd returns no x of shape (1, 2) for one of that shape."),
        (lambda x, grad, state, lr: 1 / 0, None, "Your sgd raised ZeroDivisionError: division by zero."),
        (None, lambda kind, lr, t, **_: None, "Your schedule returns no number for 'step'."),
        (None, lambda kind, lr, t: lr, "Your schedule raised TypeError"),
    ],
)
def test_broken_functions_are_said_and_replaced(sgd, schedule, text):
    said = notes(sgd, schedule)
    assert said[0][0].startswith(text)
    assert said[0][1]
    follower = Follower(sgd, schedule)
    np.testing.assert_allclose(follower.losses(constant(0.01)), Follower(None, None).losses(constant(0.01)))
    assert follower.preset("step", 0.02) == Follower(None, None).preset("step", 0.02)


@pytest.mark.parametrize(("lr", "word"), [(0.1, "very high"), (0.0398, "high"), (0.02, "good"), (0.001, "low")])
def test_the_monitor_tells_the_four_curves_apart(lr, word):
    calls = []

    def own(losses):
        calls.append(losses)
        return schedule_sketch.diagnose(losses)

    follower = Follower(None, None, own)
    view = view_of(SketchState(constant(lr)), follower)
    assert view["diagnosis"] == word
    assert len(calls[-1]) == STRETCHES + 1
    assert calls[-1][0] == pytest.approx(75.0)
    assert view["notes"][-1]["text"] == "At work here: your diagnose."


def test_a_wrong_diagnosis_is_said_for_the_curve_it_is_wrong_about():
    widget = ScheduleSketch(None, None, lambda losses: "good", lrs=constant(0.001))
    assert widget.view["diagnosis"] == "good"
    wrong = [note["text"] for note in widget.view["notes"] if note["wrong"]]
    assert wrong == ["Your diagnose calls this learning rate 'good', the toolkit's 'low'."]
    widget._receive(widget, {"do": "set", "lrs": list(constant(0.02))}, None)
    assert not any(note["wrong"] for note in widget.view["notes"])


def test_without_diagnose_nothing_is_judged():
    assert view_of(SketchState(), Follower(None, None))["diagnosis"] == ""
    missing = view_of(SketchState(), Follower(None, None, unwritten))
    assert missing["diagnosis"] == "good"
    assert missing["notes"][-1]["text"] == "Your diagnose is not written yet: the toolkit's takes its place."
    broken = view_of(SketchState(), Follower(None, None, lambda losses: None))
    assert broken["notes"][0]["text"] == "Your diagnose returns no word. The toolkit's takes its place."
    assert broken["diagnosis"] == "good"


def test_functions_that_are_not_written_are_said():
    assert notes(unwritten, None) == [
        ("Your sgd is not written yet: the toolkit's takes its place.", False),
        ("Your schedule is not written yet: the toolkit's takes its place.", False),
    ]
    assert notes(own_sgd, schedule_sketch.schedule) == [("At work here: your sgd, your schedule.", False)]


@pytest.mark.parametrize(
    ("lrs", "message"),
    [
        ([0.01] * 19, "lrs holds 20 learning rates, one for each stretch, not 19"),
        ([0.01] * 19 + [0.2], "a learning rate lies between 0.0001 and 0.1, not at 0.2"),
    ],
)
def test_a_schedule_that_cannot_be_drawn_is_refused(lrs, message):
    with pytest.raises(ValueError, match=message):
        SketchState(tuple(lrs))


def test_one_line_of_python_restores_the_widget():
    first = ScheduleSketch(own_sgd, lrs=np.geomspace(0.03, 0.001, STRETCHES).tolist())
    again = eval(first.as_code())
    np.testing.assert_allclose(again.state.lrs, first.state.lrs, rtol=1e-5)
    assert again.view["ending"] == first.view["ending"]
    assert ScheduleSketch().as_code() == "ScheduleSketch()"
