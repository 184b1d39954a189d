"""The kernel painter: paint a small kernel and see at once what it makes of a photograph.

The state and the pictures of it are plain Python (:class:`KernelPainterState`, :func:`view_of`); the browser draws.
Brightness runs from 0 (black) to 255 (white) throughout.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name
from PIL import Image

from convnets.widgets.base import (
    Array,
    CourseWidget,
    Learner,
    Outcome,
    as_numbers,
    assets,
    call_learner,
    counted,
    number,
)

Grid = tuple[tuple[float, ...], ...]
#: Name, label, weights and divisor of each preset.
PRESETS: dict[str, tuple[str, Grid, int]] = {
    "identity": ("identity", ((0, 0, 0), (0, 1, 0), (0, 0, 0)), 1),
    "edge": ("edge", ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)), 1),
    "sobel_x": ("Sobel →", ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)), 1),
    "sobel_y": ("Sobel ↓", ((-1, -2, -1), (0, 0, 0), (1, 2, 1)), 1),
    "box": ("box mean", ((1, 1, 1), (1, 1, 1), (1, 1, 1)), 9),
    "gauss": ("Gauss", ((1, 2, 1), (2, 4, 2), (1, 2, 1)), 16),
    "sharpen": ("sharpen", ((0, -1, 0), (-1, 5, -1), (0, -1, 0)), 1),
}
SIDES = (3, 5)
LONGEST_SIDE = 160
LARGEST_DIVISOR = 99
CROP = 28

#: A learner's function that needs longer for the whole picture draws a crop of it instead. The way from the browser
#: to the kernel and back takes some 60 ms, and a change shall show within 100 ms.
LIVE_MS = 40.0


@dataclass(frozen=True)
class KernelPainterState:
    """All there is to know of one picture.

    Attributes
    ----------
    kernel : 2-D grid of numbers, 3×3 or 5×5
        The weights before they are divided.
    divisor : int
        What every weight is divided by, so that 1/9 and 4/16 stay readable.
    brush : float or None
        The weight that a click paints; None: a click only selects a cell to type into.
    """

    kernel: Any = PRESETS["edge"][1]
    divisor: int = 1
    brush: float | None = None

    def __post_init__(self) -> None:
        array = np.asarray(self.kernel, dtype=np.float64)
        if array.shape not in {(side, side) for side in SIDES} or not np.isfinite(array).all():
            raise ValueError(f"kernel is a 3×3 or 5×5 array of numbers, not one of shape {array.shape}.")
        if not isinstance(self.divisor, int) or not 1 <= self.divisor <= LARGEST_DIVISOR:
            raise ValueError(f"divisor is a whole number from 1 to {LARGEST_DIVISOR}, not {self.divisor!r}.")
        object.__setattr__(self, "kernel", tuple(tuple(float(weight) for weight in row) for row in array))

    @property
    def weights(self) -> Array:
        """The kernel that is applied, shape (K, K)."""
        return np.array(self.kernel) / self.divisor

    @property
    def preset(self) -> str:
        """The name of the preset this is, empty for a kernel of one's own."""
        for name, (_, kernel, divisor) in PRESETS.items():
            if self.kernel == kernel and self.divisor == divisor:
                return name
        return ""


def of_preset(name: str) -> dict[str, Any]:
    """Return the fields of the state that a preset sets."""
    if name not in PRESETS:
        raise ValueError(f"preset is one of {', '.join(PRESETS)}, not {name!r}.")
    return {"kernel": PRESETS[name][1], "divisor": PRESETS[name][2]}


def resized(kernel: Grid, side: int) -> Array:
    """Return the kernel with zeros around it, or cut down to its middle."""
    array = np.array(kernel)
    margin = (side - len(array)) // 2
    return np.pad(array, margin) if margin > 0 else array[-margin : len(array) + margin, -margin : len(array) + margin]


def prepared(photograph: npt.ArrayLike) -> Array:
    """Make a photograph grey and small enough for a live picture.

    Parameters
    ----------
    photograph : array_like, shape (H, W) or (H, W, 3)
        Brightness from 0 to 255, or floats from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (H, W)
        From 0 to 255; the longer side has at most 160 pixels.

    Raises
    ------
    ValueError
        If the photograph has another shape, holds no numbers, or is smaller than 8×8.
    """
    array = np.asarray(photograph)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or array.dtype.kind not in "fiu":
        raise ValueError(f"photograph is an array of shape (H, W) or (H, W, 3), not {array.shape} of {array.dtype}.")
    if min(array.shape[:2]) < 8 or not np.isfinite(array).all():
        raise ValueError("photograph has at least 8×8 pixels, all of them finite numbers.")
    unit = array.dtype.kind == "f" and array.max() <= 1
    grey = array.astype(np.float64) * (255 if unit else 1)
    if grey.ndim == 3:
        grey = grey @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in Pillow's convert("L")
    height, width = grey.shape
    if max(height, width) > LONGEST_SIDE:
        scale = LONGEST_SIDE / max(height, width)
        size = (max(8, round(width * scale)), max(8, round(height * scale)))
        small = Image.fromarray(grey.astype(np.float32)).resize(size, Image.Resampling.BOX)
        grey = np.asarray(small, dtype=np.float64)
    # Whole numbers, as in a photograph: the learner's function sees what a pixel can be.
    return np.asarray(np.round(grey), dtype=np.float64)


def toolkit_result(photo: Array, weights: Array) -> Array:
    """Cross-correlate with PyTorch, without padding; shape (H − K + 1, W − K + 1)."""
    x, weight = (torch.from_numpy(np.ascontiguousarray(array))[None, None] for array in (photo, weights))
    return np.asarray(F.conv2d(x, weight)[0, 0].numpy(), dtype=np.float64)


def shades(values: Array, signed: bool) -> bytes:
    """Return one byte a pixel: the values themselves, or (`signed`) −255 black, 0 mid-grey, 255 white."""
    numbers = np.nan_to_num(values)
    return np.clip(127.5 + numbers / 2 if signed else numbers, 0, 255).round().astype(np.uint8).tobytes()


def meaning(total: float) -> str:
    """Say what the sum of the weights does to a patch of even brightness."""
    if abs(total) < 1e-9:
        return "shows changes only: an even patch becomes 0, drawn mid-grey; positive is lighter, negative darker"
    if abs(total - 1) < 1e-9:
        return "keeps brightness: an even patch stays as it is"
    if total < 0:
        return "turns brightness over: an even patch becomes negative; 0 is drawn mid-grey"
    if total < 1:
        return f"darkens: an even patch keeps {number(total)} of its brightness"
    return f"brightens: an even patch becomes {number(total)} times as bright; above 255 is drawn white"


def crop_of(photo: Array) -> tuple[int, int, int, int]:
    """Return top, left, height and width of the middle of a photograph, at most 28×28 pixels."""
    height, width = (min(CROP, size) for size in photo.shape)
    return (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2, height, width


def estimated_ms(photo: Array, weights: Array, cross_correlate2d: Learner) -> float:
    """Estimate from a crop how long a learner's function needs for the whole photograph, in milliseconds."""
    top, left, height, width = crop_of(photo)
    crop = photo[top : top + height, left : left + width]
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        call_learner("cross_correlate2d", cross_correlate2d, crop, weights)
        seconds.append(time.perf_counter() - start)
    return min(seconds) * 1000 * photo.size / crop.size


def compared(outcome: Outcome, truth: Array) -> tuple[Array, str]:
    """Return the picture to draw for what a learner's function gave, and what is wrong with it (or nothing)."""
    name = "Your cross_correlate2d"
    if outcome.kind == "error":
        return truth, f"{outcome.words}. The toolkit's picture is shown."
    given = as_numbers(outcome.value)
    if given is None:
        return truth, f"{name} returned {type(outcome.value).__name__}, not an array of numbers."
    if given.shape != truth.shape:
        words = f"{name} returned shape {given.shape}, the result has shape {truth.shape}"
        return truth, f"{words}. The toolkit's picture is shown."
    differs = ~np.isclose(given, truth, rtol=1e-5, atol=1e-3)
    if not differs.any():
        return given, ""
    row, column = np.argwhere(differs)[0]
    words = f"{name} differs from the sum in {differs.sum():,} of {counted(differs.size, 'pixel')}"
    first = f"at [{row}, {column}] it gives {number(given[row, column])}, the sum is {number(truth[row, column])}"
    return given, f"{words}: {first}. Your numbers are drawn."


def view_of(
    state: KernelPainterState, photo: Array, cross_correlate2d: Learner = None, needed_ms: float = 0.0
) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : KernelPainterState
    photo : ndarray of float64, shape (H, W)
        As :func:`prepared` returns it.
    cross_correlate2d : callable or None
        The learner's function, called where it exists; PyTorch fills in and is what it is compared with.
    needed_ms : float
        How long the learner's function needs for the whole photograph. Above 40 ms the toolkit draws the live picture
        and the learner's function the framed middle of it.
    """
    weights, total = state.weights, float(state.weights.sum())
    result = toolkit_result(photo, weights)
    frame, notes = None, []
    if needed_ms <= LIVE_MS:
        outcome = call_learner("cross_correlate2d", cross_correlate2d, photo, weights)
    else:
        top, left, height, width = crop_of(photo)
        crop = photo[top : top + height, left : left + width]
        outcome = call_learner("cross_correlate2d", cross_correlate2d, crop, weights)
    if outcome.kind == "missing":
        notes.append({"words": outcome.words, "wrong": False})
    elif needed_ms <= LIVE_MS:
        result, words = compared(outcome, result)
        if words:
            notes.append({"words": words, "wrong": True})
    else:
        side = len(weights) - 1
        frame = [top, left, height - side, width - side]
        mine = np.s_[top : top + height - side, left : left + width - side]
        patch, words = compared(outcome, result[mine])
        result[mine] = patch
        pace = f"Your cross_correlate2d needs about {round(needed_ms, -1):.0f} ms for this picture, too long to follow "
        pace += "your hand: the toolkit draws it, and yours draws the framed patch"
        notes.append({"words": f"{pace}{'.' if words else ', which agrees.'}", "wrong": False})
        if words:
            notes.append({"words": words, "wrong": True})
    signed = total < 1e-9
    name = PRESETS[state.preset][0] if state.preset else "your kernel"
    return {
        "kernel": [[number(weight) for weight in row] for row in state.kernel],
        "presets": [[key, label] for key, (label, _, _) in PRESETS.items()],
        "preset": state.preset,
        "side": len(state.kernel),
        "divisor": [state.divisor, 1, LARGEST_DIVISOR],
        "brush": state.brush,
        "sum": number(total),
        "meaning": meaning(total),
        "signed": signed,
        "photo": {"height": photo.shape[0], "width": photo.shape[1], "bytes": shades(photo, False)},
        "result": {"height": result.shape[0], "width": result.shape[1], "bytes": shades(result, signed)},
        "frame": frame,
        "notes": notes,
        "status": f"{name[0].upper()}{name[1:]}: the result runs from {number(round(float(result.min())))} "
        f"to {number(round(float(result.max())))}.",
    }


class KernelPainter(CourseWidget[KernelPainterState]):
    """Paint a kernel and watch your own ``cross_correlate2d`` apply it to a photograph.

    Parameters
    ----------
    cross_correlate2d : callable or None
        Yours: ``cross_correlate2d(image, kernel, stride=1, padding=0)`` on 2-D arrays. Without it, or while it raises
        ``NotImplementedError``, the toolkit computes the picture and says so.
    photograph : str, array_like of shape (H, W) or (H, W, 3), or None
        A name that ``convnets.data.photograph`` knows, or brightness from 0 to 255 (floats: also 0 to 1).
        Default: ``"cat"``. It is made grey, with at most 160 pixels on its longer side.
    kernel : array_like of shape (3, 3) or (5, 5)
        Default: the edge kernel.
    divisor : int
        What every weight of `kernel` is divided by.
    preset : {"identity", "edge", "sobel_x", "sobel_y", "box", "gauss", "sharpen"}
        Instead of `kernel` and `divisor`.

    Raises
    ------
    ValueError
        For a kernel, preset or photograph that cannot be used; the message says what is possible.

    Examples
    --------
    >>> KernelPainter(photograph="coffee", preset="gauss").as_code()
    'KernelPainter(photograph="coffee", preset="gauss")'
    """

    _esm, _css = assets("kernel_painter")
    passing = frozenset({"brush"})

    def __init__(
        self,
        cross_correlate2d: Learner = None,
        photograph: str | npt.ArrayLike | None = None,
        *,
        kernel: npt.ArrayLike | None = None,
        divisor: int = 1,
        preset: str | None = None,
    ) -> None:
        if kernel is not None and preset is not None:
            raise ValueError("Give kernel or preset, not both.")
        if kernel is None:
            state = KernelPainterState(**of_preset(preset or "edge"))
        else:
            state = KernelPainterState(kernel, divisor)
        self.cross_correlate2d = cross_correlate2d
        self.photograph = photograph if isinstance(photograph, str | None) else ""
        if isinstance(photograph, str | None):
            from convnets.data import photograph as packaged  # only where no array was given

            photograph = packaged(photograph or "cat")
        self.photo = prepared(photograph)
        #: Milliseconds that the learner's function needs, by side of the kernel. Measured once, not at each change:
        #: near the limit the picture would flicker between the two ways.
        self.needed_ms: dict[int, float] = {}
        super().__init__(state, (("cross_correlate2d", cross_correlate2d),))

    def settings(self) -> dict[str, str]:
        """Return the keyword arguments that restore the state; ``photograph`` stands for an array that was given."""
        given = super().settings()
        if self.state.preset:
            given = {"preset": f'"{self.state.preset}"'} if given else {}
        if self.photograph is not None:
            given = {"photograph": f'"{self.photograph}"' if self.photograph else "photograph"} | given
        return given

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        side = len(self.state.kernel)
        if side not in self.needed_ms:
            self.needed_ms[side] = estimated_ms(self.photo, self.state.weights, self.cross_correlate2d)
        return view_of(self.state, self.photo, self.cross_correlate2d, self.needed_ms[side])

    def act(self, state: KernelPainterState, action: str, values: dict[str, Any]) -> KernelPainterState:
        """Answer the presets, the size, the brush and a painted or typed weight."""
        match action:
            case "preset":
                return replace(state, **of_preset(values["name"]))
            case "resize":
                return replace(state, kernel=resized(state.kernel, values["side"]))
            case "weigh":
                kernel = np.array(state.kernel)
                kernel[values["row"], values["column"]] = values["weight"]
                return replace(state, kernel=kernel)
        return super().act(state, action, values)
