"""The segmentation overlay: masks, figures and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from convnets import segmentation
from convnets.models import unet
from convnets.widgets.segmentation_overlay import (
    Predictions,
    SegmentationOverlay,
    SegmentationOverlayState,
    predictions_of,
    toolkit_iou,
    view_of,
)


@pytest.fixture(scope="module", autouse=True)
def fast_mode():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVNETS_FAST", "1")
        predictions_of.cache_clear()
        yield
    predictions_of.cache_clear()


@pytest.fixture(scope="module")
def given():
    """Two scenes: with skips the left half is sure to be the stamp, without them nothing is."""
    scenes = segmentation.scenes(2, test=True, side=8)
    left = np.broadcast_to(np.linspace(1, 0, 8, dtype=np.float32), (2, 8, 8)).copy()
    return Predictions(scenes, {True: left, False: np.zeros_like(left)}, ())


def codes(view):
    return np.frombuffer(view["codes"], np.uint8).reshape(view["side"], view["side"])


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def test_errors_tell_right_missed_and_too_many_apart(given):
    view = view_of(SegmentationOverlayState(), given, toolkit_iou)
    truth, mask = given.scenes.y[0], given.probability[True][0] >= 0.5
    np.testing.assert_array_equal(codes(view) == 1, (truth == 1) & mask)
    np.testing.assert_array_equal(codes(view) == 2, (truth == 1) & ~mask)
    np.testing.assert_array_equal(codes(view) == 3, (truth == 0) & mask)
    assert f"{(codes(view) == 2).sum()} pixels missed, {(codes(view) == 3).sum()} too many" in view["status"]
    assert f"IoU of the stamp {toolkit_iou(mask, truth, 2)[1]:.2f}" in view["status"]
    assert not view["notes"]


def test_the_layers_show_mask_truth_and_probability(given):
    np.testing.assert_array_equal(codes(view_of(SegmentationOverlayState(layer="truth"), given)), given.scenes.y[0])
    mask = codes(view_of(SegmentationOverlayState(layer="mask", threshold=0.8), given))
    np.testing.assert_array_equal(mask, given.probability[True][0] >= 0.8)
    grey = view_of(SegmentationOverlayState(layer="probability"), given)
    assert not codes(grey).any()
    assert np.frombuffer(grey["under"], np.uint8)[0] == 255
    assert grey["picture"] != grey["under"]


def test_without_skips_the_other_net_speaks(given):
    view = view_of(SegmentationOverlayState(skips=False, layer="mask"), given)
    assert not codes(view).any()
    assert "without skips: IoU of the stamp 0.00" in view["status"]


def test_scenes_beyond_the_last_are_the_last(given):
    assert view_of(SegmentationOverlayState(scene=200), given)["scene"] == [2, 1, 2]


def test_the_learners_iou_is_called_and_compared(given):
    def unwritten(*_):
        raise NotImplementedError("your code here")

    state = SegmentationOverlayState()
    assert words(view_of(state, given, unwritten)).startswith("Your iou is not written yet")
    assert "Your iou gives 2 for the stamp, right is" in words(view_of(state, given, lambda *_: np.array([1.0, 2.0])))
    assert "does not give two numbers" in words(view_of(state, given, lambda *_: 0.5))

    def broken(*_):
        raise ZeroDivisionError("no pixels")

    assert "Your iou raised ZeroDivisionError" in words(view_of(state, given, broken))


def test_a_learners_unet_is_trained_and_a_missing_one_is_replaced():
    def made(c_in, classes, skips=True):
        return unet.UNet(c_in, classes, 2, 1, skips=skips, batch_norm=True)

    mine = predictions_of(made)
    assert mine.notes == ()
    assert mine.probability[True].shape == mine.scenes.y.shape
    assert not np.array_equal(mine.probability[True], mine.probability[False])

    class Unwritten(nn.Module):
        def __init__(self, c_in, classes, skips=True):
            super().__init__()
            raise NotImplementedError("your code here")

    missing = predictions_of(Unwritten)
    assert missing.notes == (("Your UNet is not written yet: the toolkit computes this picture.", False),)

    class Grey(nn.Module):
        def __init__(self, c_in, classes, skips=True):
            super().__init__()
            self.layer = nn.Conv2d(c_in, 3, 1)

        def forward(self, x):
            return self.layer(x)

    ((sentence, is_wrong),) = predictions_of(Grey).notes
    assert is_wrong
    assert "its logits must have the shape" in sentence


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scene": 0}, "scene is a whole number from 1 on, not 0"),
        ({"layer": "outline"}, "layer is one of mask, truth, errors, probability, not 'outline'"),
        ({"threshold": 1.5}, "threshold lies between 0.05 and 0.95, not at 1.5"),
    ],
)
def test_states_without_meaning_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SegmentationOverlayState(**options)


def test_the_line_of_code_restores_the_state():
    widget = SegmentationOverlay(None, toolkit_iou, scene=3, skips=False, threshold=0.3)
    assert widget.as_code() == "SegmentationOverlay(None, toolkit_iou, scene=3, skips=False, threshold=0.3)"
