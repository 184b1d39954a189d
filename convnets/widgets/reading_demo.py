"""The demo of 1993: draw digits on a line, and a LeNet reads them while every layer's maps are shown.

Two ways to find the digits. *Boxes*: pieces of ink that empty columns keep apart are cut out and brought into the form
of the training digits. *Scan*: the net's field is moved along the line and the net is asked at every place.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from convnets.models.lenet_1998 import as_input
from convnets.widgets.base import Array, CourseWidget, Learner, assets, counted
from convnets.widgets.digit_reader import DIGIT, Reader, centred, normalised, pieces, reader_of

#: The line that is drawn on, in pixels.
WIDTH, HEIGHT = 640, 150
PEN = (4, 20)
MOST_POINTS = 6000
#: Size of a typed digit and the gap before it.
TYPED_WIDTH, TYPED_HEIGHT, GAP = 52, 92, 26
#: Scanning, in pixels of which a digit has 20: how far the ink of a window may be off its middle, how sure the net must
#: be, how far apart two digits are at least.
OFF_MIDDLE, SURE, APART = 2.5, 0.6, 9
#: Share of the ink that each of a window's 20 columns lets through: neighbours that look in at the sides fade.
FADE = np.clip((10 - np.abs(np.arange(DIGIT) - (DIGIT - 1) / 2)) / 4, 0, 1).astype(np.float32)
#: What the DSP of 1993 read in a second: from camera to answer, and the network alone.
PIPELINE, NETWORK = "10 to 12", "30"

Point = tuple[int, int]
Stroke = tuple[Point, ...]


def _round(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Cut the corners of a line of points twice (Chaikin)."""
    for _ in range(2):
        cut = [points[0]]
        for (x0, y0), (x1, y1) in pairwise(points):
            cut += [(0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1), (0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1)]
        points = [*cut, points[-1]]
    return points


#: How a typed digit is written, in a box from (0, 0), upper left, to (1, 1); round strokes and straight ones.
_ROUND: dict[str, list[tuple[float, float]]] = {
    "0": [(0.5, 0), (0.05, 0.1), (0, 0.9), (0.5, 1), (1, 0.9), (0.95, 0.1), (0.45, 0)],
    "2": [(0.05, 0.25), (0.15, 0), (0.9, 0), (0.95, 0.4), (0.4, 0.75), (0, 1), (0.3, 1), (1, 1)],
    "3": [(0.1, 0.08), (0.9, -0.05), (1, 0.42), (0.3, 0.47), (1.05, 0.5), (1, 1.05), (0, 0.95)],
    "5": [(0.9, 0), (0.5, 0), (0.2, 0), (0.15, 0.2), (0.1, 0.42), (0.6, 0.35), (1.05, 0.6), (0.8, 1.05), (0, 0.95)],
    "6": [(0.8, 0), (0.3, 0.2), (0, 0.6), (0.1, 1), (0.8, 1.05), (0.95, 0.65), (0.5, 0.45), (0.08, 0.72)],
    "8": [
        (0.9, 0.1),
        (0.4, -0.08),
        (0.05, 0.25),
        (0.9, 0.65),
        (0.95, 1),
        (0.1, 1.08),
        (0.05, 0.7),
        (0.95, 0.3),
        (0.9, 0.1),
    ],
    "9": [(0.9, 0.2), (0.6, -0.05), (0.05, 0.05), (0.1, 0.5), (0.7, 0.5), (0.9, 0.2), (0.85, 0.6), (0.6, 1)],
}
GLYPHS: dict[str, list[list[tuple[float, float]]]] = {
    **{digit: [_round(points)] for digit, points in _ROUND.items()},
    "1": [[(0.55, 0), (0.45, 1)]],
    "4": [[(0.3, 0), (0.05, 0.6), (0.95, 0.6)], [(0.75, 0.1), (0.65, 1)]],
    "7": [[(0.05, 0.02), (0.95, 0), (0.4, 1)]],
}


def written(digit: str, left: int) -> tuple[Stroke, ...]:
    """Return the strokes of a typed digit whose box begins at column `left`."""
    top = (HEIGHT - TYPED_HEIGHT) // 2
    return tuple(
        tuple((round(left + x * TYPED_WIDTH), round(top + y * TYPED_HEIGHT)) for x, y in points)
        for points in GLYPHS[digit]
    )


def typed(strokes: tuple[Stroke, ...], digits: str) -> tuple[Stroke, ...]:
    """Add typed digits to the right of what is on the line.

    Raises
    ------
    ValueError
        For anything but digits, and when the line is full.
    """
    for digit in digits:
        if digit not in GLYPHS:
            raise ValueError(f"type digits from 0 to 9, not {digit!r}.")
        used = max((x for stroke in strokes for x, _ in stroke), default=0)
        if used + GAP + TYPED_WIDTH > WIDTH - 8:
            raise ValueError("The line is full: Backspace removes the last stroke, Escape all of them.")
        strokes = (*strokes, *written(digit, used + GAP))
    return strokes


@dataclass(frozen=True)
class ReadingState:
    """What is on the line and how it is read.

    Attributes
    ----------
    strokes : tuple of strokes, each a tuple of points (x, y)
        In pixels from the upper left corner, 0 to 640 and 0 to 150.
    mode : {"boxes", "scan"}
        How the digits are found.
    chosen : int
        Which of the digits found, from the left, has its maps shown; beyond the last it is the last.
    pen : int
        Width of the strokes in pixels, 4 to 20.
    """

    strokes: Any = ()
    mode: str = "boxes"
    chosen: int = 0
    pen: int = 10

    def __post_init__(self) -> None:
        try:
            strokes = tuple(tuple((round(x), round(y)) for x, y in stroke) for stroke in self.strokes)
        except (TypeError, ValueError):
            raise ValueError("strokes is a list of strokes, each a list of points [x, y].") from None
        points = [point for stroke in strokes for point in stroke]
        if any(not (0 <= x <= WIDTH and 0 <= y <= HEIGHT) for x, y in points) or not all(strokes):
            raise ValueError(f"a stroke has at least one point, and all lie within {WIDTH} × {HEIGHT}.")
        if len(points) > MOST_POINTS:
            raise ValueError(f"This is too much ink: {len(points):,} points, {MOST_POINTS:,} at most.")
        if self.mode not in ("boxes", "scan"):
            raise ValueError(f'mode is "boxes" or "scan", not {self.mode!r}.')
        if not isinstance(self.pen, int) or not PEN[0] <= self.pen <= PEN[1]:
            raise ValueError(f"pen is a whole number from {PEN[0]} to {PEN[1]}, not {self.pen!r}.")
        if not isinstance(self.chosen, int) or self.chosen < 0:
            raise ValueError(f"chosen is a number of a digit from the left, from 0, not {self.chosen!r}.")
        object.__setattr__(self, "strokes", strokes)


@dataclass(frozen=True)
class Found:
    """A digit on the line: its box (top, left, height, width), the picture the net is given, its probabilities."""

    box: tuple[int, int, int, int]
    picture: npt.NDArray[np.float32]
    probability: Array

    @property
    def answer(self) -> int:
        """The most probable class."""
        return int(self.probability.argmax())


def inked(state: ReadingState) -> Array:
    """Draw the strokes: (HEIGHT, WIDTH), 0 for paper and 1 for ink."""
    picture = Image.new("L", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    radius = state.pen / 2
    for stroke in state.strokes:
        if len(stroke) > 1:
            draw.line(stroke, fill=255, width=state.pen)
        for x, y in stroke:  # round ends and joints
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(picture, dtype=np.float64) / 255


def by_boxes(ink: Array, reader: Reader) -> list[Found]:
    """Cut the pieces out, normalise them, and let the net read them all at once."""
    boxes = pieces(ink)
    if not boxes:
        return []
    pictures = np.stack([normalised(ink[top : top + h, left : left + w]) for top, left, h, w in boxes])
    probability = reader.probabilities(as_input(pictures[:, None]))
    return [Found(*each) for each in zip(boxes, pictures, probability, strict=True)]


@dataclass(frozen=True)
class Scan:
    """What the net said at every place: the columns of the line at the windows' middles, and (T, 10) probabilities."""

    columns: Array
    probability: Array


def by_scan(ink: Array, reader: Reader) -> tuple[list[Found], Scan]:
    """Move a field of 20 columns along the line; a digit is where the ink is in its middle and the net is sure."""
    rows = np.flatnonzero((ink > 0.5).any(axis=1))
    if len(rows) == 0:
        return [], Scan(np.zeros(0), np.zeros((0, 10)))
    top, height = int(rows[0]), int(rows[-1] - rows[0] + 1)
    scale = DIGIT / max(height, 40)  # a dash is no digit: it is not blown up to a digit's height
    band = ink[top : top + height]
    size = (max(DIGIT, round(WIDTH * scale)), max(1, round(height * scale)))
    line = np.asarray(Image.fromarray(band.astype(np.float32)).resize(size, Image.Resampling.BOX))
    stretch = WIDTH / line.shape[1]
    margin = DIGIT // 2  # so that the first window's middle is the first column
    padded = np.pad(line, ((0, 0), (margin, margin)))
    places = range(line.shape[1] + 1)
    windows = FADE * np.stack([padded[:, place : place + DIGIT] for place in places])
    pictures = np.stack([centred(window, axes=(0,)) for window in windows])
    probability = reader.probabilities(as_input(pictures[:, None]))
    mass = windows.sum(axis=(1, 2))
    middle = (windows.sum(axis=1) * np.arange(DIGIT)).sum(axis=1) / np.maximum(mass, 1e-9)
    sure = probability.max(axis=1)
    possible = (mass > 8) & (np.abs(middle - (DIGIT - 1) / 2) <= OFF_MIDDLE) & (sure >= SURE)
    taken: list[int] = []
    for place in sorted(np.flatnonzero(possible).tolist(), key=lambda place: -sure[place]):
        if all(abs(place - other) >= APART for other in taken):
            taken.append(place)
    found = [
        Found(
            (top, round((place - margin) * stretch), height, round(DIGIT * stretch)),
            pictures[place],
            probability[place],
        )
        for place in sorted(taken)
    ]
    return found, Scan(np.array(places) * stretch, probability)


def layer_maps(model: nn.Module, x: Tensor) -> list[dict[str, Any]]:
    """Return what each layer makes of one picture, (1, 1, 32, 32): pooling and activations, not what is before them.

    Returns
    -------
    list of dict
        ``name``, ``maps`` and ``height`` × ``width`` of each, and ``bytes``: −127 to 127, the layer's largest.
    """
    layers = list(model) if isinstance(model, nn.Sequential) else []
    shown = []
    with torch.no_grad():
        for layer in layers[:-1]:
            x = layer(x)
            if not isinstance(layer, nn.Conv2d | nn.Linear | nn.Flatten):
                shown.append(x[0].double().numpy())
    names: tuple[str, ...] = ("C1", "S2", "C3", "S4", "C5", "F6")
    if len(shown) != len(names):
        names = tuple(f"layer {k + 1}" for k in range(len(shown)))
    described = []
    for name, values in zip(names, shown, strict=True):
        grid = values if values.ndim == 3 else values.reshape(1, 1, -1)
        largest = float(np.abs(grid).max()) or 1.0
        described.append(
            {
                "name": name,
                "maps": grid.shape[0],
                "height": grid.shape[1],
                "width": grid.shape[2],
                "shape": " × ".join(map(str, values.shape)),
                "bytes": np.round(127 * grid / largest).astype(np.int8).tobytes(),
            }
        )
    return described


def percent(share: float) -> str:
    """Write a probability: 97 %, or <1 % and >99 % where rounding would claim certainty."""
    return "<1 %" if share < 0.01 else ">99 %" if share > 0.99 else f"{100 * share:.0f} %"


def view_of(state: ReadingState, reader: Reader) -> dict[str, Any]:
    """Describe the line, what is read on it and the maps of the chosen digit."""
    ink = inked(state)
    start = time.perf_counter()
    found, scan = (by_boxes(ink, reader), None) if state.mode == "boxes" else by_scan(ink, reader)
    seconds = time.perf_counter() - start
    chosen = min(state.chosen, len(found) - 1)
    layers: list[dict[str, Any]] = []
    bars: list[float] = []
    if found:
        digit = found[chosen]
        x = as_input(digit.picture[None, None])
        picture = np.round(127 * np.clip((x[0, 0].numpy() + 0.1) / 1.275, 0, 1)).astype(np.int8)
        own = {"name": "input", "maps": 1, "height": 32, "width": 32, "shape": "32 × 32", "bytes": picture.tobytes()}
        layers = [own, *layer_maps(reader.model, x)]
        bars = [float(p) for p in digit.probability]
    answers = " ".join(str(digit.answer) for digit in found)
    if not state.strokes:
        status = "The line is empty: draw digits with the mouse, or choose the line and type them."
    elif not found:
        status = "Nothing is read: " + ("no place where the net is sure." if scan else "the ink is too small.")
    else:
        asked = len(found) if scan is None else len(scan.columns)
        rate = asked / max(seconds, 1e-6)
        status = f"It reads {answers}. Digit {chosen + 1} is read as {found[chosen].answer} "
        status += f"({percent(float(found[chosen].probability.max()))}). "
        what, did, dsp = ("digit", "cut out and read", PIPELINE) if scan is None else ("place", "read", NETWORK)
        status += f"{counted(asked, what)} {did} in {1000 * seconds:.1f} ms: {rate:,.0f} a second; in 1993 {dsp}."
    view: dict[str, Any] = {
        "size": [WIDTH, HEIGHT],
        "strokes": state.strokes,
        "pen": [state.pen, *PEN],
        "mode": state.mode,
        "chosen": chosen,
        "found": [
            {"box": digit.box, "answer": str(digit.answer), "sure": percent(float(digit.probability.max()))}
            for digit in found
        ],
        "scan": None,
        "layers": layers,
        "bars": bars,
        "notes": [{"words": words, "wrong": wrong} for words, wrong in reader.notes],
        "status": status,
    }
    if scan is not None and len(scan.columns):
        shades = np.round(255 * scan.probability.T).astype(np.uint8)
        view["scan"] = {
            "first": float(scan.columns[0]),
            "last": float(scan.columns[-1]),
            "places": len(scan.columns),
            "bytes": np.ascontiguousarray(shades).tobytes(),
        }
    return view


class ReadingDemo(CourseWidget[ReadingState]):
    """Draw digits, and your own LeNet, trained by your own loop, reads them.

    Parameters
    ----------
    lenet5 : callable or None
        Yours: ``LeNet5()`` makes a network that maps (N, 1, 32, 32) to logits (N, 10); an ``nn.Sequential`` shows its
        layers. Without it, or while it raises, the toolkit's reads and says so.
    train_epoch : callable or None
        Yours: ``train_epoch(model, optimizer, x, y, batch_size, rng)``. Three epochs, some seconds, when the widget is
        first made.
    typed : str
        Digits to write on the line at first, such as ``"31415"``.
    strokes : sequence of strokes, each a sequence of (x, y)
        What is on the line at first, before `typed`; the line has 640 × 150 pixels.
    mode : {"boxes", "scan"}
    chosen : int
        The digit from the left, from 0, whose maps are shown.
    pen : int
        Width of the strokes, 4 to 20 pixels.

    Raises
    ------
    ValueError
        For strokes beyond the line, digits that do not fit on it, or an unknown mode.
    """

    _esm, _css = assets("drawing_paper", "reading_demo")

    def __init__(
        self,
        lenet5: Learner = None,
        train_epoch: Learner = None,
        *,
        typed: str = "",
        strokes: Any = (),
        mode: str = "boxes",
        chosen: int = 0,
        pen: int = 10,
    ) -> None:
        state = ReadingState(strokes, mode, chosen, pen)
        if typed:
            state = with_typed(state, typed)
        self.reader = reader_of(lenet5, train_epoch)
        super().__init__(state, (("LeNet5", lenet5), ("train_epoch", train_epoch)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.reader)

    def act(self, state: ReadingState, action: str, values: dict[str, Any]) -> ReadingState:
        """Answer a typed digit, the removal of the last stroke, and the arrow keys among the digits."""
        match action:
            case "type":
                return with_typed(state, values["digit"])
            case "undo":
                return replace(state, strokes=state.strokes[:-1])
        return super().act(state, action, values)


def with_typed(state: ReadingState, digits: str) -> ReadingState:
    """Return the state with typed digits added."""
    return replace(state, strokes=typed(state.strokes, digits))
