"""A photograph under attack: its attacks, comparisons and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets import timing
from convnets.widgets import epsilon_slider
from convnets.widgets.epsilon_slider import (
    METHODS,
    PHOTOGRAPHS,
    SIDE,
    TARGETS,
    TOOLKIT,
    EpsilonSlider,
    EpsilonSliderState,
    attack,
    changed_picture,
    photo_of,
    slopes,
    target_number,
    view_of,
)


@pytest.fixture(autouse=True)
def on_one_thread():
    with timing.one_thread():
        yield


def unwritten(*_, **__):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_square_and_from_0_to_1(name):
    photo = photo_of(name)
    assert photo.shape == (1, 3, SIDE, SIDE)
    assert 0 <= float(photo.min()) < float(photo.max()) <= 1


def test_targets_are_classes_of_imagenet():
    assert [int(target_number(name)) for name in TARGETS] == [1, 9, 980, 849]


def test_slopes_are_those_of_the_cross_entropy():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 4)).double()
    x, labels = torch.rand(3, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 3, 1])
    p = net(x).softmax(dim=1).detach() - torch.nn.functional.one_hot(labels, 4)
    torch.testing.assert_close(slopes(net, x, labels), (p @ net[1].weight.detach()).reshape(x.shape))
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_no_change_is_larger_than_epsilon(method):
    state = EpsilonSliderState(method=method, epsilon=4)
    x = attack(state, TOOLKIT[METHODS[method]])
    change = 255 * (x - photo_of("cat")).abs()
    assert 3.9 < float(change.max()) < 4.001
    assert 0 <= float(x.min()) <= float(x.max()) <= 1


def test_ten_steps_make_a_goldfish_and_one_step_does_not():
    by_pgd = view_of(EpsilonSliderState(epsilon=4), TOOLKIT["pgd"])
    assert by_pgd["classes"][0][0] == "goldfish"
    assert by_pgd["classes"][0][1] > 0.9
    assert "sees goldfish" in by_pgd["status"]
    for method in ("one step", "random"):
        other = view_of(EpsilonSliderState(epsilon=4, method=method), TOOLKIT[METHODS[method]])
        assert other["classes"][0][0] != "goldfish"
        assert other["classes"][-1][2]  # the target is shown, though it is not among the best
        assert "goldfish 0.0" in other["status"]


def test_pictures_are_rounded_to_8_bits_and_the_change_is_drawn_ten_times_as_strong():
    view = view_of(EpsilonSliderState(method="random", epsilon=2), TOOLKIT["random_sign_control"])
    before, change, after = (
        np.frombuffer(picture["bytes"], np.uint8).reshape(SIDE, SIDE, 3).astype(int) for picture in view["pictures"]
    )
    inside = (after > 2) & (after < 253)
    assert set(np.unique(after - before)) <= {-3, -2, -1, 0, 1, 2, 3}
    drawn = (change - 127.5) / 10
    assert np.abs(drawn - (after - before))[inside].max() < 0.6


def test_right_functions_are_not_remarked_on():
    for method, name in METHODS.items():
        assert view_of(EpsilonSliderState(method=method, epsilon=1), TOOLKIT[name])["notes"] == []


def test_a_missing_function_is_named_and_replaced():
    for learner in (None, unwritten):
        view = view_of(EpsilonSliderState(method="one step", epsilon=1), learner)
        assert "Your targeted_fgsm is not written yet" in words(view)
        assert not view["notes"][0]["wrong"]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, epsilon, rng: x + 1.5 * epsilon, "changed a value by 3 of 255, which is more than ε"),
        (lambda x, epsilon, rng: x - 2, "returned values outside 0 to 1"),
        (lambda *_: 1 / 0, "raised ZeroDivisionError"),
        (lambda *_: None, "returned nothing"),
        (lambda x, epsilon, rng: x[0], "returned shape (3, 128, 128)"),
        (lambda x, epsilon, rng: x.numpy(), "not a tensor"),
        (lambda x, epsilon, rng: x * float("nan"), "not finite"),
    ],
)
def test_a_function_that_is_wrong_is_said_and_replaced(function, said):
    state = EpsilonSliderState(method="random", epsilon=2)
    x, notes = changed_picture(state, function)
    assert said in notes[0]["words"]
    assert notes[0]["wrong"]
    torch.testing.assert_close(x, attack(state, TOOLKIT["random_sign_control"]))


def test_a_function_cannot_damage_the_photograph():
    before = photo_of("cat").clone()
    changed_picture(EpsilonSliderState(method="random", epsilon=2), lambda x, epsilon, rng: x.zero_())
    torch.testing.assert_close(photo_of("cat"), before)


def test_what_was_shown_before_is_kept(monkeypatch):
    calls = []
    widget = EpsilonSlider(method="random")
    whole = epsilon_slider.view_of
    monkeypatch.setattr(epsilon_slider, "view_of", lambda *given: calls.append(given) or whole(*given))
    widget.update(epsilon=1)
    widget.update(epsilon=0)
    widget.update(epsilon=1)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"photograph": "dog"}, "photograph is one of cat, coffee"),
        ({"method": "fgsm"}, "method is one of random, one step, PGD"),
        ({"target": "cat"}, "target is one of goldfish"),
        ({"epsilon": 17}, r"epsilon lies between 0 and 16 \(of 255\)"),
        ({"epsilon": -1}, "epsilon lies between 0"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        EpsilonSlider(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    def pgd(*given, **named):
        return TOOLKIT["pgd"](*given, **named)

    own = EpsilonSlider(None, pgd, photograph="rocket", method="random", epsilon=1.5)
    assert own.as_code() == "EpsilonSlider(None, pgd, photograph='rocket', method='random', epsilon=1.5)"
    assert eval(own.as_code(), {"EpsilonSlider": EpsilonSlider, "pgd": pgd}).state == own.state
