"""Denoise your drawing: paper, noise, repair and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets.denoise_drawing import (
    MOST_POINTS,
    DenoiseDrawing,
    DenoiseDrawingState,
    decibels,
    inked,
    repairer,
    toolkit_corrupt,
    toolkit_forward,
    typed,
    view_of,
)


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setenv("CONVNETS_FAST", "1")
    repairer.cache_clear()
    yield
    repairer.cache_clear()


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def picture(view, at):
    return np.frombuffer(view["panels"][at]["bytes"], np.uint8).reshape(28, 28)


def test_ink_has_the_form_of_the_training_digits():
    ink = inked([[(20, 20), (20, 120)]])
    assert ink.shape == (28, 28)
    rows, columns = np.nonzero(ink > 0.5)
    assert rows.max() - rows.min() == 19
    assert abs(rows.mean() - 13.5) <= 1
    assert abs(columns.mean() - 13.5) <= 1
    assert inked([[(200, 100), (200, 200)]]) == pytest.approx(ink, abs=0.2)
    assert not inked([]).any()
    assert inked([[(50, 50)]]).any()


def test_the_three_kinds_of_noise():
    x = np.full((1, 10_000), 0.5, np.float32)
    rng = np.random.default_rng
    masked = toolkit_corrupt(x, 0.3, rng(0))
    assert sorted(np.unique(masked)) == [0, 0.5]
    assert (masked == 0).mean() == pytest.approx(0.3, abs=0.02)
    salted = toolkit_corrupt(x, 0.4, rng(0), "salt_pepper")
    assert [(salted == value).mean() for value in (0, 1)] == pytest.approx([0.2, 0.2], abs=0.02)
    noisy = toolkit_corrupt(x, 0.1, rng(0), "gaussian")
    assert noisy.std() == pytest.approx(0.1, abs=0.005)
    assert toolkit_corrupt(x, 3, rng(0), "gaussian").max() == 1
    assert {a.dtype for a in (masked, salted, noisy)} == {np.dtype(np.float32)}


def test_the_view_follows_level_draw_and_kind():
    state = DenoiseDrawingState(typed("5"))
    view = view_of(state, {})
    assert [panel["title"] for panel in view["panels"]] == ["as the net's digits", "spoilt", "repaired"]
    assert np.array_equal(picture(view, 0), np.round(255 * inked(state.strokes)))
    for changes in ({"level": 0.6}, {"draw": 1}, {"kind": "mask"}):
        other = view_of(DenoiseDrawingState(typed("5"), **changes), {})
        assert np.array_equal(picture(other, 0), picture(view, 0))
        assert not np.array_equal(picture(other, 1), picture(view, 1))
        assert not np.array_equal(picture(other, 2), picture(view, 2))
    clean = view_of(DenoiseDrawingState(typed("5"), level=0.0), {})
    assert np.array_equal(picture(clean, 0), picture(clean, 1))
    assert "spoilt by salt and pepper of 0: ∞ dB" in clean["status"]
    assert view_of(DenoiseDrawingState(), {})["status"].startswith("An empty page")


def test_a_net_that_was_trained_in_full_repairs(monkeypatch):
    monkeypatch.delenv("CONVNETS_FAST")
    repairer.cache_clear()
    for digit in "235":
        before, after = (panel["words"] for panel in view_of(DenoiseDrawingState(typed(digit)), {})["panels"][1:])
        assert float(after.split()[0]) > float(before.split()[0]) + 2


def test_what_is_said_of_the_learners_functions():
    state = DenoiseDrawingState(typed("3"))

    def forward_without_bias(x, weight, bias_hidden, bias_visible):
        return toolkit_forward(x, weight, bias_hidden, 0 * bias_visible)

    def unwritten(*_):
        raise NotImplementedError("your code here")

    def broken(*_):
        raise KeyError("u")

    right = {"corrupt": toolkit_corrupt, "autoencoder_forward": toolkit_forward}
    assert words(view_of(state, right)) == ""
    both = words(view_of(state, {"corrupt": None, "autoencoder_forward": unwritten}))
    assert both == "Your corrupt and autoencoder_forward are not written yet: the toolkit computes this picture."
    assert "Your corrupt raised KeyError" in words(view_of(state, {**right, "corrupt": broken}))
    different = view_of(state, {**right, "autoencoder_forward": forward_without_bias})
    assert "Your autoencoder_forward differs from the toolkit's in" in words(different)
    assert not np.array_equal(picture(different, 2), picture(view_of(state, right), 2))
    wrong_shape = words(view_of(state, {**right, "autoencoder_forward": lambda *_: np.zeros(3)}))
    assert "returned shape (3,); (1, 784) finite numbers were expected" in wrong_shape
    assert "returned no numbers" in words(view_of(state, {**right, "corrupt": lambda *_: None}))


def test_decibels():
    assert decibels(np.zeros((2, 2)), np.full((2, 2), 0.1)) == "20.0 dB"
    assert decibels(np.ones(3), np.ones(3)) == "∞ dB"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strokes": [[[300, 3]]]}, "within 280"),
        ({"strokes": [[]]}, "at least one point"),
        ({"strokes": "31"}, "a list of strokes"),
        ({"strokes": [[[1, 1]] * (MOST_POINTS + 1)]}, "too much ink"),
        ({"kind": "blur"}, "kind is one of"),
        ({"level": 1.2}, "level lies between"),
        ({"draw": -1}, "draw is a whole number"),
    ],
)
def test_states_without_meaning(fields, message):
    with pytest.raises(ValueError, match=message):
        DenoiseDrawingState(**fields)


def test_actions_and_the_line_of_python():
    widget = DenoiseDrawing(typed="1")
    widget._receive(None, {"do": "type", "digit": "4"}, None)
    assert len(widget.state.strokes) == 2
    widget._receive(None, {"do": "undo"}, None)
    widget._receive(None, {"do": "set", "kind": "mask", "level": 0.5}, None)
    restored = eval(widget.as_code(), {"DenoiseDrawing": DenoiseDrawing})
    assert restored.state == widget.state
    assert len(restored.state.strokes) == 1
    widget._receive(None, {"do": "type", "digit": "x"}, None)
    assert "a digit from 0 to 9" in widget.view["problem"]
