"""The augmentation mixer: six random versions of one photograph, made by the learner's own functions.

The steps run in the order of the controls: mirror, shift, crop, noise, colour. Each step has random numbers of its own,
so that a wrong step does not disturb those after it. Pictures are float64 (N, 3, H, W) from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from convnets.data import photograph as packaged
from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, number

#: Photographs to choose from: those in colour.
PHOTOGRAPHS = ("astronaut", "cat", "coffee", "flower", "palace", "rocket")
#: Side of the photograph in pixels, and how many versions are drawn.
SIDE, VERSIONS = 96, 6
#: Lowest and highest value and step of each slider.
LIMITS: dict[str, tuple[float, float, float]] = {
    "flip_p": (0, 1, 0.1),
    "shift_by": (0, 24, 1),
    "crop": (0, 48, 4),
    "noise": (0, 0.3, 0.01),
    "colour": (0, 3, 0.1),
}
MOST_DRAWS = 99


@dataclass(frozen=True)
class AugmentationMixerState:
    """All there is to know of one picture.

    Attributes
    ----------
    photograph : str
        One of `PHOTOGRAPHS`.
    flip_p : float
        Probability to be mirrored, 0 to 1.
    shift_by : int
        Pixels of 96 at most down, up and to either side, 0 to 24.
    crop : int
        How many pixels smaller than the photograph the square is, 0 to 48.
    noise : float
        Standard deviation of the noise, 0 to 0.3.
    colour : float
        Standard deviation of the factors α of AlexNet's colour change, 0 to 3; AlexNet's own is 0.1.
    draw : int
        Number of the draw, 0 to 99.
    """

    photograph: str = "cat"
    flip_p: float = 0.5
    shift_by: int = 0
    crop: int = 0
    noise: float = 0.0
    colour: float = 0.0
    draw: int = 0

    def __post_init__(self) -> None:
        if self.photograph not in PHOTOGRAPHS:
            raise ValueError(f"photograph is one of {', '.join(PHOTOGRAPHS)}, not {self.photograph!r}.")
        for name, (low, high, _) in {**LIMITS, "draw": (0, MOST_DRAWS, 1)}.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} lies between {number(low)} and {number(high)}, not at {value!r}.")
            if name in ("shift_by", "crop", "draw") and int(value) != value:
                raise ValueError(f"{name} is a whole number, not {value!r}.")


@cache
def photo_of(name: str) -> Array:
    """Return the middle of a photograph, float64 (3, 96, 96) from 0 to 1."""
    photo = packaged(name)
    side = 3 * SIDE
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    square = photo[top : top + side, left : left + side].reshape(SIDE, 3, SIDE, 3, 3).mean(axis=(1, 3)) / 255
    return np.asarray(square.transpose(2, 0, 1))


@cache
def axes_of(name: str) -> tuple[Array, Array]:
    """Return the variances (3,), the largest first, and the axes (3, 3), in columns, of a photograph's colours."""
    pixels = photo_of(name).reshape(3, -1)
    variances, axes = np.linalg.eigh(np.cov(pixels, bias=True))
    return variances[::-1].copy(), axes[:, ::-1].copy()


# The toolkit's own versions of the exercises: they draw where the learner's are missing, and are compared with them.


def toolkit_flip(x: Array, rng: np.random.Generator, p: float) -> Array:
    """Mirror each image with probability p."""
    return np.where((rng.random(len(x)) < p)[:, None, None, None], x[..., ::-1], x)


def toolkit_shift(x: Array, offsets: Any) -> Array:
    """Move each image by its offsets, with zeros in the free pixels."""
    margin = int(np.abs(offsets).max(initial=0))
    padded = np.pad(x, ((0, 0), (0, 0), (margin, margin), (margin, margin)))
    height, width = x.shape[2:]
    corners = margin - np.asarray(offsets)
    pairs = zip(padded, corners, strict=True)
    return np.stack([image[:, top : top + height, left : left + width] for image, (top, left) in pairs])


def toolkit_random_crop(x: Array, size: int, rng: np.random.Generator) -> Array:
    """Cut a square out of each image."""
    tops = rng.integers(0, x.shape[2] - size + 1, len(x))
    lefts = rng.integers(0, x.shape[3] - size + 1, len(x))
    corners = zip(x, tops, lefts, strict=True)
    return np.stack([image[:, top : top + size, left : left + size] for image, top, left in corners])


def toolkit_add_noise(x: Array, std: float, rng: np.random.Generator) -> Array:
    """Add normally distributed noise."""
    return np.clip(x + std * rng.normal(size=x.shape), 0, 1)


def toolkit_pca_colour_jitter(x: Array, alpha: Array, eigenvalues: Array, eigenvectors: Array) -> Array:
    """Add a colour along the principal axes to each image."""
    return np.clip(x + ((alpha * eigenvalues) @ eigenvectors.T)[:, :, None, None], 0, 1)


TOOLKIT: dict[str, Callable[..., Array]] = {
    "flip": toolkit_flip,
    "shift": toolkit_shift,
    "random_crop": toolkit_random_crop,
    "add_noise": toolkit_add_noise,
    "pca_colour_jitter": toolkit_pca_colour_jitter,
}


def steps_of(state: AugmentationMixerState) -> list[tuple[str, Callable[[], tuple[Any, ...]]]]:
    """Return the names of the functions in use and what makes their arguments after x, with fresh random numbers."""

    def rng(step: int) -> np.random.Generator:
        return np.random.default_rng([state.draw, step])

    steps: list[tuple[str, Callable[[], tuple[Any, ...]]]] = []
    if state.flip_p:
        steps.append(("flip", lambda: (rng(0), state.flip_p)))
    if state.shift_by:
        offsets = rng(1).integers(-state.shift_by, state.shift_by + 1, (VERSIONS, 2))
        steps.append(("shift", lambda: (offsets,)))
    if state.crop:
        steps.append(("random_crop", lambda: (SIDE - state.crop, rng(2))))
    if state.noise:
        steps.append(("add_noise", lambda: (state.noise, rng(3))))
    if state.colour:
        alpha = state.colour * rng(4).normal(size=(VERSIONS, 3))
        steps.append(("pca_colour_jitter", lambda: (alpha, *axes_of(state.photograph))))
    return steps


def mixed(state: AugmentationMixerState, functions: Mapping[str, Learner]) -> tuple[Array, list[dict[str, Any]]]:
    """Return the versions, (6, 3, H, W), and notes on functions that are missing, fail or differ."""
    x = np.repeat(photo_of(state.photograph)[None], VERSIONS, axis=0)
    notes = []
    for name, arguments in steps_of(state):
        truth = TOOLKIT[name](x, *arguments())
        outcome = call_learner(name, functions.get(name), x, *arguments())
        x, words = judged(name, outcome.kind, outcome.words, outcome.value, truth)
        if words:
            notes.append({"words": words, "wrong": outcome.kind != "missing"})
    return x, notes


def judged(name: str, kind: str, words: str, value: Any, truth: Array) -> tuple[Array, str]:
    """Return the pictures to go on with after a step, and what there is to say about it."""
    if kind != "value":
        return truth, words if kind == "missing" else f"{words}. The toolkit's pictures are shown."
    given = as_numbers(value)
    if given is None or given.shape != truth.shape or not np.isfinite(given).all():
        shape = "nothing" if value is None else f"shape {np.shape(value)}" if given is not None else "no numbers"
        expected = f"{truth.shape} finite numbers were expected"
        return truth, f"Your {name} returned {shape}; {expected}. The toolkit's pictures are shown."
    differs = ~np.isclose(given, truth, rtol=1e-5, atol=1e-5)
    if not differs.any():
        return given, ""
    images = int(differs.any(axis=(1, 2, 3)).sum())
    return given, f"Your {name} differs from the toolkit's in {images} of {len(truth)} pictures. Yours are shown."


def bytes_of(x: Array) -> bytes:
    """Return (N, 3, H, W) as red, green and blue bytes, picture by picture and row by row."""
    return (np.clip(x, 0, 1).transpose(0, 2, 3, 1) * 255).round().astype(np.uint8).tobytes()


def describe(state: AugmentationMixerState) -> str:
    """Say what is done to the photograph."""
    size = SIDE - state.crop
    parts = [
        f"mirrored with probability {number(state.flip_p)}" if state.flip_p else "",
        f"shifted by up to {state.shift_by} pixels" if state.shift_by else "",
        f"cropped to {size} × {size}" if state.crop else "",
        f"with noise of {number(state.noise)}" if state.noise else "",
        f"coloured with α of {number(state.colour)}" if state.colour else "",
    ]
    done = ", ".join(part for part in parts if part) or "nothing changed"
    return f"{VERSIONS} versions of the {state.photograph}, {SIDE} × {SIDE} pixels: {done}."


def view_of(state: AugmentationMixerState, functions: Mapping[str, Learner]) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : AugmentationMixerState
    functions : mapping of str to callable or None
        The learner's functions by the names of the exercises.
    """
    x, notes = mixed(state, functions)
    return {
        "photographs": list(PHOTOGRAPHS),
        "photograph": state.photograph,
        "sliders": {name: [getattr(state, name), *limits] for name, limits in LIMITS.items()},
        "draw": [state.draw, 0, MOST_DRAWS],
        "original": {"side": SIDE, "bytes": bytes_of(photo_of(state.photograph)[None])},
        "versions": {"side": x.shape[2], "count": len(x), "bytes": bytes_of(x)},
        "notes": notes,
        "status": describe(state),
    }


class AugmentationMixer(CourseWidget[AugmentationMixerState]):
    """Six random versions of a photograph, made by your own augmentations.

    Parameters
    ----------
    flip, shift, random_crop, add_noise, pca_colour_jitter : callable or None
        Yours, as the exercises define them. Without one, or while it raises ``NotImplementedError``, the toolkit takes
        its place and says so as soon as it is used.
    photograph, flip_p, shift_by, crop, noise, colour, draw
        See :class:`AugmentationMixerState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> AugmentationMixer(shift_by=8, crop=16).as_code()
    'AugmentationMixer(shift_by=8, crop=16)'
    """

    _esm, _css = assets("augmentation_mixer")

    def __init__(
        self,
        flip: Learner = None,
        shift: Learner = None,
        random_crop: Learner = None,
        add_noise: Learner = None,
        pca_colour_jitter: Learner = None,
        *,
        photograph: str = AugmentationMixerState.photograph,
        flip_p: float = AugmentationMixerState.flip_p,
        shift_by: int = AugmentationMixerState.shift_by,
        crop: int = AugmentationMixerState.crop,
        noise: float = AugmentationMixerState.noise,
        colour: float = AugmentationMixerState.colour,
        draw: int = AugmentationMixerState.draw,
    ) -> None:
        self.learners = dict(zip(TOOLKIT, (flip, shift, random_crop, add_noise, pca_colour_jitter), strict=True))
        state = AugmentationMixerState(photograph, flip_p, shift_by, crop, noise, colour, draw)
        super().__init__(state, tuple(self.learners.items()))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.learners)
