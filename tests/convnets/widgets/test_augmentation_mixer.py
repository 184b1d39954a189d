"""The augmentation mixer: its steps, comparisons and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets.augmentation_mixer import (
    PHOTOGRAPHS,
    SIDE,
    TOOLKIT,
    AugmentationMixer,
    AugmentationMixerState,
    axes_of,
    mixed,
    photo_of,
    view_of,
)

EVERYTHING = {"flip_p": 0.5, "shift_by": 5, "crop": 16, "noise": 0.1, "colour": 0.5}


def unwritten(*_):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_every_photograph_is_square_and_from_0_to_1(name):
    photo = photo_of(name)
    assert photo.shape == (3, SIDE, SIDE)
    assert 0 <= photo.min() < 0.3 < 0.6 < photo.max() <= 1
    variances, axes = axes_of(name)
    assert variances[0] > variances[1] > variances[2] > 0
    np.testing.assert_allclose(axes @ np.diag(variances) @ axes.T, np.cov(photo.reshape(3, -1), bias=True), atol=1e-12)


def test_without_any_step_six_copies_are_shown():
    x, notes = mixed(AugmentationMixerState(flip_p=0), {})
    assert notes == []
    np.testing.assert_array_equal(x, np.repeat(photo_of("cat")[None], 6, axis=0))


def test_each_version_is_mirrored_or_not():
    x, _ = mixed(AugmentationMixerState(flip_p=0.5), TOOLKIT)
    photo = photo_of("cat")
    kinds = [bool(np.array_equal(version, photo[:, :, ::-1])) for version in x]
    assert set(kinds) == {True, False}
    assert all(np.array_equal(version, photo) for version, is_mirrored in zip(x, kinds, strict=True) if not is_mirrored)
    mirrored, _ = mixed(AugmentationMixerState(flip_p=1), TOOLKIT)
    np.testing.assert_array_equal(mirrored[0], photo[:, :, ::-1])


def test_shift_moves_down_and_to_the_right_and_leaves_black():
    x = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    moved = TOOLKIT["shift"](x, np.array([[1, -1]]))
    np.testing.assert_array_equal(moved, [[[[0, 0, 0], [2, 3, 0], [5, 6, 0]]]])


def test_crop_noise_and_colour_change_what_they_should():
    cropped, _ = mixed(AugmentationMixerState(flip_p=0, crop=16), TOOLKIT)
    assert cropped.shape == (6, 3, SIDE - 16, SIDE - 16)
    assert not np.array_equal(cropped[0], cropped[1])
    noisy, _ = mixed(AugmentationMixerState(flip_p=0, noise=0.1), TOOLKIT)
    middle = np.abs(photo_of("cat") - 0.5) < 0.1  # where noise is not cut off
    assert np.std((noisy[0] - photo_of("cat"))[middle]) == pytest.approx(0.1, abs=0.02)
    coloured, _ = mixed(AugmentationMixerState(flip_p=0, colour=0.2), TOOLKIT)
    inside = (coloured[0] > 0) & (coloured[0] < 1)
    for change, seen in zip(coloured[0] - photo_of("cat"), inside, strict=True):
        assert np.ptp(change[seen]) < 1e-12


def test_another_draw_gives_other_pictures_and_the_same_draw_the_same():
    one, _ = mixed(AugmentationMixerState(**EVERYTHING, draw=1), TOOLKIT)
    same, _ = mixed(AugmentationMixerState(**EVERYTHING, draw=1), TOOLKIT)
    other, _ = mixed(AugmentationMixerState(**EVERYTHING, draw=2), TOOLKIT)
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_right_functions_are_not_remarked_on():
    view = view_of(AugmentationMixerState(**EVERYTHING), TOOLKIT)
    assert view["notes"] == []
    assert view["versions"]["side"] == SIDE - 16
    assert len(view["versions"]["bytes"]) == 6 * 3 * (SIDE - 16) ** 2
    assert view["original"]["bytes"][:3] == bytes(np.round(255 * photo_of("cat")[:, 0, 0]).astype(np.uint8))


def test_a_missing_function_is_named_only_when_it_is_used():
    some = {"flip": TOOLKIT["flip"], "shift": unwritten}
    assert view_of(AugmentationMixerState(), some)["notes"] == []
    view = view_of(AugmentationMixerState(shift_by=3, colour=0.1), some)
    assert "Your shift is not written yet" in words(view)
    assert "Your pca_colour_jitter is not written yet" in words(view)
    assert [note["wrong"] for note in view["notes"]] == [False, False]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, _: np.roll(x, 2, 3), "Your shift differs from the toolkit's in 6 of 6 pictures. Yours are shown."),
        (lambda *_: 1 / 0, "raised ZeroDivisionError"),
        (lambda *_: None, "Your shift returned nothing"),
        (lambda x, _: x[:, :, :5], "Your shift returned shape (6, 3, 5, 96)"),
        (lambda *_: "moved", "Your shift returned no numbers"),
        (lambda x, _: x * np.nan, "finite numbers were expected"),
    ],
)
def test_a_function_that_is_wrong_is_said(function, said):
    view = view_of(AugmentationMixerState(shift_by=3), {**TOOLKIT, "shift": function})
    assert said in words(view)
    assert view["notes"][0]["wrong"]


def test_a_wrong_step_does_not_disturb_the_random_numbers_after_it():
    def greedy(x, rng, p):
        rng.random(1000)
        return TOOLKIT["flip"](x, rng, p)

    view = view_of(AugmentationMixerState(noise=0.1), {**TOOLKIT, "flip": greedy})
    assert "Your flip differs" in words(view)
    assert "add_noise" not in words(view)


def test_a_function_cannot_damage_the_photograph():
    def in_place(x, _):
        x[:] = 0
        return x

    before = photo_of("cat").copy()
    view_of(AugmentationMixerState(shift_by=3), {**TOOLKIT, "shift": in_place})
    np.testing.assert_array_equal(photo_of("cat"), before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"photograph": "dog"}, "photograph is one of astronaut"),
        ({"flip_p": 1.1}, "flip_p lies between 0 and 1"),
        ({"shift_by": 25}, "shift_by lies between 0 and 24"),
        ({"shift_by": 2.5}, "shift_by is a whole number"),
        ({"crop": -1}, "crop lies between 0 and 48"),
        ({"noise": 0.5}, "noise lies between 0 and 0.3"),
        ({"colour": 4}, "colour lies between 0 and 3"),
        ({"draw": 100}, "draw lies between 0 and 99"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        AugmentationMixer(**options)
    assert "\n" not in str(caught.value)


def test_the_status_names_what_is_done():
    assert "nothing changed" in view_of(AugmentationMixerState(flip_p=0), TOOLKIT)["status"]
    status = view_of(AugmentationMixerState(**EVERYTHING), TOOLKIT)["status"]
    assert "mirrored with probability 0.5, shifted by up to 5 pixels, cropped to 80 × 80" in status


def test_the_line_of_code_restores_the_state():
    assert AugmentationMixer().as_code() == "AugmentationMixer()"

    def flip(x, rng, p):
        return TOOLKIT["flip"](x, rng, p)

    own = AugmentationMixer(flip, photograph="rocket", shift_by=3, noise=0.05)
    assert own.as_code() == "AugmentationMixer(flip, photograph='rocket', shift_by=3, noise=0.05)"
    assert eval(own.as_code(), {"AugmentationMixer": AugmentationMixer, "flip": flip}).state == own.state
