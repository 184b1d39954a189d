"""Masks of a U-Net laid over unseen scenes: with and without skips, at any threshold, hits, misses and false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from convnets import data, segmentation
from convnets.models import unet
from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, missing_words, number

#: What is laid over the scene.
LAYERS = ("mask", "truth", "errors", "probability")
THRESHOLDS = (0.05, 0.95, 0.05)


@dataclass(frozen=True)
class SegmentationOverlayState:
    """All there is to know of one picture.

    Attributes
    ----------
    scene : int
        Number of the test scene, from 1; the last one where there are fewer.
    skips : bool
        Which of the two nets is shown.
    layer : {"mask", "truth", "errors", "probability"}
        What is laid over the scene.
    threshold : float
        A pixel belongs to the stamp where its probability is at least this, 0.05 to 0.95.
    """

    scene: int = 1
    skips: bool = True
    layer: str = "errors"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.scene, int) or self.scene < 1:
            raise ValueError(f"scene is a whole number from 1 on, not {self.scene!r}.")
        if self.layer not in LAYERS:
            raise ValueError(f"layer is one of {', '.join(LAYERS)}, not {self.layer!r}.")
        if not THRESHOLDS[0] <= self.threshold <= THRESHOLDS[1]:
            raise ValueError(f"threshold lies between {THRESHOLDS[0]} and {THRESHOLDS[1]}, not at {self.threshold!r}.")
        object.__setattr__(self, "threshold", round(float(self.threshold), 2))


@dataclass(frozen=True, eq=False)
class Predictions:
    """What both nets say about the test scenes.

    Attributes
    ----------
    scenes : Scenes
    probability : dict of bool to float32 array, shape (N, H, W)
        Of the stamp, by the nets with and without skips.
    notes : tuple of (str, bool)
        Sentences to show, each with whether it says that something is wrong.
    """

    scenes: segmentation.Scenes
    probability: dict[bool, npt.NDArray[np.float32]]
    notes: tuple[tuple[str, bool], ...]


def _toolkit_unet(c_in: int, classes: int, *, skips: bool) -> nn.Module:
    return unet.UNet(c_in, classes, 8, 3, skips=skips, batch_norm=True)


def toolkit_iou(predicted: Any, labels: Any, classes: int) -> Array:
    """Return intersection over union of each class: the toolkit's ``iou`` of module 16, without pixels to ignore."""
    result = np.full(classes, np.nan)
    for c in range(classes):
        if union := np.count_nonzero((predicted == c) | (labels == c)):
            result[c] = np.count_nonzero((predicted == c) & (labels == c)) / union
    return result


@lru_cache(maxsize=2)
def predictions_of(make: Callable[..., nn.Module] | None) -> Predictions:
    """Train the learner's U-Net with and without skips, or the toolkit's, and run both on the test scenes.

    The trained weights are kept on disk; without them this takes half a minute.
    """
    scenes = segmentation.unseen_scenes()

    def probabilities(source: Callable[..., nn.Module]) -> dict[bool, npt.NDArray[np.float32]]:
        nets = {skips: segmentation.trained_unet(source, skips) for skips in (True, False)}
        given = {skips: segmentation.predicted(net, scenes.x) for skips, net in nets.items()}
        expected = (len(scenes.x), 2, *scenes.y.shape[1:])
        if any(one.shape != expected for one in given.values()):
            raise ValueError(f"its logits must have the shape {expected}.")
        return {skips: one[:, 1] for skips, one in given.items()}

    notes: tuple[tuple[str, bool], ...] = ()
    outcome = call_learner("UNet", None if make is None else lambda: probabilities(make))
    if outcome.kind == "value":
        return Predictions(scenes, outcome.value, notes)
    if outcome.kind == "missing":
        notes = ((missing_words(["UNet"]), False),)
    else:
        notes = ((f"{outcome.words.rstrip('.')}. The toolkit's U-Net takes its place.", True),)
    return Predictions(scenes, probabilities(_toolkit_unet), notes)


def judged(function: Learner, mask: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> tuple[Array, str, bool]:
    """Return the IoU of both classes by the learner's function or the toolkit's, a note, and whether it is an error."""
    right = toolkit_iou(mask, truth, 2)
    outcome = call_learner("iou", function, mask, truth, 2)
    if outcome.kind != "value":
        wrong = outcome.kind == "error"
        return right, outcome.words if not wrong else f"{outcome.words}. The toolkit's figures are shown.", wrong
    mine = as_numbers(outcome.value)
    if mine is None or mine.shape != (2,):
        return right, "Your iou does not give two numbers. The toolkit's figures are shown.", True
    if not np.allclose(mine, right, equal_nan=True):
        return mine, f"Your iou gives {number(mine[1])} for the stamp, right is {number(right[1])}.", True
    return mine, "", False


def view_of(state: SegmentationOverlayState, given: Predictions, iou: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : SegmentationOverlayState
    given : Predictions
    iou : callable or None
        The learner's function, for the figures below the picture.
    """
    n = len(given.scenes.x)
    k = min(state.scene, n) - 1
    truth, probability = given.scenes.y[k], given.probability[state.skips][k]
    mask = (probability >= state.threshold).astype(np.int64)
    everywhere = (given.probability[state.skips] >= state.threshold).astype(np.int64)
    own, words, wrong = judged(iou, mask, truth)
    overall, _, _ = judged(iou, everywhere, given.scenes.y)
    missed, extra = int(((truth == 1) & (mask == 0)).sum()), int(((truth == 0) & (mask == 1)).sum())
    # 0: nothing, 1: right, 2: missed, 3: too many.
    codes = {
        "mask": mask,
        "truth": truth,
        "errors": np.where(mask == truth, mask, np.where(truth == 1, 2, 3)),
        "probability": np.zeros_like(truth),
    }[state.layer]
    colours = (given.scenes.x[k].transpose(1, 2, 0) + 1) / 2
    over = np.repeat(probability[..., None], 3, axis=2) if state.layer == "probability" else colours
    stamps = data.stamps()
    number_of = int(given.scenes.stamps[k])
    notes = [*given.notes, *([(words, wrong)] if words else [])]
    return {
        "scene": [k + 1, 1, n],
        "skips": "yes" if state.skips else "no",
        "layer": state.layer,
        "threshold": [state.threshold, *THRESHOLDS],
        "side": truth.shape[0],
        "picture": _bytes(colours),
        "under": _bytes(over),
        "codes": codes.astype(np.uint8).tobytes(),
        "notes": [{"words": sentence, "wrong": is_wrong} for sentence, is_wrong in notes],
        "status": f"Scene {k + 1}, {stamps.subjects[number_of]} ({stamps.classes[stamps.labels[number_of]]}), "
        f"{'with' if state.skips else 'without'} skips: IoU of the stamp {_two(own[1])}, {missed} pixels missed, "
        f"{extra} too many. All {n} scenes: IoU of background {_two(overall[0])}, of stamps {_two(overall[1])}.",
    }


def _two(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:.2f}"


def _bytes(colours: npt.NDArray[np.float32]) -> bytes:
    """Return (H, W, 3) of 0 to 1 as red, green and blue bytes."""
    return (np.clip(colours, 0, 1) * 255).round().astype(np.uint8).tobytes()


class SegmentationOverlay(CourseWidget[SegmentationOverlayState]):
    """Look at what your U-Net says about unseen scenes, pixel by pixel.

    Parameters
    ----------
    UNet : type or None
        Yours: ``UNet(c_in, classes, skips=...)``. Without it, or while it raises ``NotImplementedError``, the toolkit's
        takes its place. Both nets are trained the first time, half a minute, and then read from disk.
    iou : callable or None
        Yours: ``iou(predicted, labels, classes)``.
    scene, skips, layer, threshold
        See :class:`SegmentationOverlayState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    """

    _esm, _css = assets("segmentation_overlay")

    def __init__(
        self,
        UNet: Callable[..., nn.Module] | None = None,  # the exercise's name of the class
        iou: Learner = None,
        *,
        scene: int = 1,
        skips: bool = True,
        layer: str = "errors",
        threshold: float = 0.5,
    ) -> None:
        self.given, self.iou = predictions_of(UNet), iou
        super().__init__(SegmentationOverlayState(scene, skips, layer, threshold), (("UNet", UNet), ("iou", iou)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.given, self.iou)
