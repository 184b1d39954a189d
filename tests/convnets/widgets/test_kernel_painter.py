"""The kernel painter's state and pictures, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from convnets.widgets.kernel_painter import (
    PRESETS,
    KernelPainter,
    KernelPainterState,
    crop_of,
    meaning,
    of_preset,
    prepared,
    resized,
    shades,
    toolkit_result,
    view_of,
)

PHOTO = np.random.default_rng(5).integers(0, 256, (40, 60)).astype(np.float64)


def correlate(image, kernel, stride=1, padding=0):
    return np.einsum("ijkl,kl->ij", sliding_window_view(image, kernel.shape), kernel)


def of(name):
    return KernelPainterState(**of_preset(name))


def pixels(picture):
    return np.frombuffer(picture["bytes"], np.uint8).reshape(picture["height"], picture["width"])


def words(view):
    return " ".join(note["words"] for note in view["notes"])


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("edge", [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
        ("box", np.ones((3, 3)) / 9),
        ("sharpen", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        ("gauss", np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16),
        ("identity", [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
        ("sobel_x", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        ("sobel_y", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    ],
)
def test_presets_hold_the_lectures_weights(name, weights):
    assert np.allclose(of(name).weights, weights)
    assert of(name).preset == name
    assert view_of(of(name), PHOTO)["preset"] == name


def test_there_are_no_other_presets():
    assert len(PRESETS) == 7
    assert KernelPainterState(divisor=2).preset == ""


def test_identity_returns_the_photograph_without_its_margin():
    view = view_of(of("identity"), PHOTO)
    assert np.array_equal(pixels(view["photo"]), PHOTO)
    assert np.array_equal(pixels(view["result"]), PHOTO[1:-1, 1:-1])
    assert not view["signed"]


def test_the_result_is_the_sum_over_each_window():
    weights = np.random.default_rng(6).normal(size=(5, 5))
    assert np.allclose(toolkit_result(PHOTO, weights), correlate(PHOTO, weights))


def test_signed_results_have_a_mid_grey_zero():
    flat = np.full((12, 12), 200.0)
    view = view_of(of("edge"), flat)
    assert view["signed"]
    assert set(pixels(view["result"]).ravel()) == {128}
    assert list(shades(np.array([-400.0, -255.0, 0.0, 100.0, 255.0, np.nan]), True)) == [0, 0, 128, 178, 255, 128]
    assert list(shades(np.array([-5.0, 17.0, 300.0]), False)) == [0, 17, 255]


@pytest.mark.parametrize(
    ("total", "said"),
    [(0, "changes only"), (1, "keeps brightness"), (-1, "turns brightness over"), (0.5, "keeps 0.5"), (3, "3 times")],
)
def test_the_sum_of_the_weights_is_explained(total, said):
    kernel = np.zeros((3, 3))
    kernel[1, 1] = total
    view = view_of(KernelPainterState(kernel), PHOTO)
    assert said in view["meaning"]
    assert view["sum"] == str(total).replace("-", "−")
    assert view["signed"] == (total <= 0)


def test_gauss_and_box_sum_to_one():
    assert "keeps brightness" in meaning(float(of("gauss").weights.sum()))
    assert "keeps brightness" in meaning(float(of("box").weights.sum()))


def test_a_missing_function_is_filled_in_and_said():
    def missing(*_, **__):
        raise NotImplementedError("your code here")

    for function in (None, missing):
        view = view_of(of("box"), PHOTO, function)
        assert words(view) == "Your cross_correlate2d is not written yet: the toolkit computes this picture."
        assert not any(note["wrong"] for note in view["notes"])


def test_a_right_function_draws_the_picture_without_a_word():
    view = view_of(of("sobel_x"), PHOTO, correlate)
    assert view["notes"] == []
    assert view["frame"] is None


def test_a_wrong_function_draws_its_own_numbers_and_is_told():
    view = view_of(of("sobel_x"), PHOTO, lambda image, kernel, **_: -correlate(image, kernel))
    truth = correlate(PHOTO, of("sobel_x").weights)
    assert np.array_equal(pixels(view["result"]).ravel(), list(shades(-truth, True)))
    assert "differs from the sum in" in words(view)
    assert f"at [0, 0] it gives {-truth[0, 0]:.0f}".replace("-", "−") in words(view)
    assert view["notes"][0]["wrong"]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_, **__: None, "returned NoneType"),
        (lambda image, kernel, **_: image, "returned shape (40, 60), the result has shape (38, 58)"),
        (lambda image, kernel, **_: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_what_is_no_picture_is_said_and_replaced(function, said):
    view = view_of(of("edge"), PHOTO, function)
    assert said in words(view)
    assert pixels(view["result"]).shape == (38, 58)
    assert view["notes"][0]["wrong"]


def test_a_slow_function_draws_only_the_framed_patch():
    called = []

    def recorded(image, kernel, stride=1, padding=0):
        called.append(image.shape)
        return -correlate(image, kernel)

    view = view_of(of("sobel_x"), PHOTO, recorded, needed_ms=240.0)
    top, left, height, width = view["frame"]
    assert called == [(28, 28)]
    assert (height, width) == (26, 26)
    assert (top, left) == crop_of(PHOTO)[:2] == (6, 16)
    truth = correlate(PHOTO, of("sobel_x").weights)
    expected = truth.copy()
    expected[6:32, 16:42] *= -1
    assert np.array_equal(pixels(view["result"]).ravel(), list(shades(expected, True)))
    assert "needs about 240 ms" in words(view)
    assert "differs from the sum" in words(view)
    right = view_of(of("sobel_x"), PHOTO, correlate, needed_ms=240.0)
    assert "which agrees" in words(right)
    assert not any(note["wrong"] for note in right["notes"])


def test_the_time_a_function_needs_is_measured_once_for_each_size_of_kernel():
    widget = KernelPainter(correlate, PHOTO)
    assert list(widget.needed_ms) == [3]
    measured = widget.needed_ms[3]
    widget._receive(None, {"do": "preset", "name": "box"}, [])
    assert widget.needed_ms == {3: measured}
    widget._receive(None, {"do": "resize", "side": 5}, [])
    assert list(widget.needed_ms) == [3, 5]


def test_photographs_become_grey_small_and_whole():
    colour = np.zeros((300, 450, 3), np.uint8)
    colour[..., 1] = 100
    grey = prepared(colour)
    assert grey.shape == (107, 160)
    assert set(grey.ravel()) == {59.0}
    assert prepared(np.full((10, 10), 0.5))[0, 0] == 128
    assert prepared(np.full((10, 10), 77, np.uint8))[0, 0] == 77


@pytest.mark.parametrize(
    ("photograph", "message"),
    [
        (np.zeros(5), r"photograph is an array of shape \(H, W\) or \(H, W, 3\), not \(5,\)"),
        (np.zeros((9, 9, 4)), "photograph is an array"),
        (np.full((9, 9), "x"), "photograph is an array"),
        (np.zeros((3, 90)), "at least 8×8"),
        (np.full((9, 9), np.nan), "finite numbers"),
    ],
)
def test_photographs_that_are_none_are_refused(photograph, message):
    with pytest.raises(ValueError, match=message):
        KernelPainter(None, photograph)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": np.ones((4, 4))}, r"kernel is a 3×3 or 5×5 array of numbers, not one of shape \(4, 4\)"),
        ({"kernel": np.ones((3, 3)), "divisor": 0}, "divisor is a whole number from 1 to 99"),
        ({"preset": "emboss"}, "preset is one of identity, edge"),
        ({"preset": "edge", "kernel": np.ones((3, 3))}, "Give kernel or preset, not both"),
    ],
)
def test_kernels_that_cannot_be_used_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        KernelPainter(None, PHOTO, **options)


def test_the_actions_of_the_controls():
    widget = KernelPainter(None, PHOTO)
    painted = widget.act(widget.state, "weigh", {"row": 0, "column": 2, "weight": 4})
    assert painted.kernel[0] == (-1, -1, 4)
    assert widget.act(painted, "preset", {"name": "gauss"}) == of("gauss")
    large = widget.act(widget.state, "resize", {"side": 5})
    assert np.array_equal(np.array(large.kernel)[1:4, 1:4], np.array(widget.state.kernel))
    assert sum(map(sum, large.kernel)) == 0
    assert widget.act(large, "resize", {"side": 3}) == widget.state
    assert widget.act(widget.state, "set", {"brush": 2, "divisor": 3}).divisor == 3


def test_resizing_to_the_same_side_changes_nothing():
    kernel = of("sobel_x").kernel
    assert resized(kernel, 3).tolist() == np.array(kernel).tolist()


def test_the_line_of_code_restores_the_state():
    names = {"KernelPainter": KernelPainter, "photograph": PHOTO, "correlate": correlate}
    lines = {
        "KernelPainter(correlate, photograph=photograph)": {},
        'KernelPainter(correlate, photograph=photograph, preset="gauss")': {"preset": "gauss"},
        "KernelPainter(correlate, photograph=photograph, kernel=[[1, 1, 1], [1, 1, 1], [1, 1, 1]], divisor=3)": {
            "kernel": np.ones((3, 3)),
            "divisor": 3,
        },
    }
    for line, options in lines.items():
        widget = KernelPainter(correlate, PHOTO, **options)
        assert widget.as_code() == line
        assert eval(line, names).state == widget.state
    widget.update(brush=1)
    assert "brush" not in widget.as_code()


def test_packaged_photographs_are_known_by_name():
    assert KernelPainter().as_code() == "KernelPainter()"
    assert KernelPainter(photograph="coffee").as_code() == 'KernelPainter(photograph="coffee")'
    assert not np.array_equal(KernelPainter().photo, KernelPainter(photograph="coffee").photo)
