"""Draw a digit, spoil it with the learner's noise, and see what the learner's autoencoder makes of it.

Pictures are float32 (28, 28), 0 for paper and 1 for ink.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from convnets import data, training
from convnets.models.autoencoder import denoising_layer, sigmoid
from convnets.widgets.base import CourseWidget, Learner, Trade, as_numbers, assets, counted, missing_words, number
from convnets.widgets.digit_reader import normalised
from convnets.widgets.reading_demo import GLYPHS

Picture = npt.NDArray[np.float32]

#: Side of the paper, of the net's pictures, and the pen, in pixels.
PAPER, SIDE, PEN = 280, 28, 22
MOST_POINTS = 3000
#: Kinds of noise, with their names in sentences and on the buttons.
KINDS = {"mask": "mask", "salt_pepper": "salt and pepper", "gaussian": "gaussian"}
#: What the net was trained on, and how many units it has.
TRAINED_KIND, TRAINED_LEVEL, UNITS = "salt_pepper", 0.33, 256
MOST_DRAWS = 99


@dataclass(frozen=True)
class DenoiseDrawingState:
    """What is drawn and how it is spoilt.

    Attributes
    ----------
    strokes : tuple of strokes, each a tuple of points (x, y)
        In pixels from the upper left corner, 0 to 280.
    kind : {"mask", "salt_pepper", "gaussian"}
    level : float
        Strength of the noise, 0 to 1.
    draw : int
        Number of the draw of the noise, 0 to 99.
    """

    strokes: Any = ()
    kind: str = TRAINED_KIND
    level: float = TRAINED_LEVEL
    draw: int = 0

    def __post_init__(self) -> None:
        try:
            strokes = tuple(tuple((round(x), round(y)) for x, y in stroke) for stroke in self.strokes)
        except (TypeError, ValueError):
            raise ValueError("strokes is a list of strokes, each a list of points [x, y].") from None
        points = [point for stroke in strokes for point in stroke]
        if any(not (0 <= x <= PAPER and 0 <= y <= PAPER) for x, y in points) or not all(strokes):
            raise ValueError(f"a stroke has at least one point, and all lie within {PAPER} × {PAPER}.")
        if len(points) > MOST_POINTS:
            raise ValueError(f"This is too much ink: {len(points):,} points, {MOST_POINTS:,} at most.")
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if not 0 <= self.level <= 1:
            raise ValueError(f"level lies between 0 and 1, not at {self.level!r}.")
        if not isinstance(self.draw, int) or not 0 <= self.draw <= MOST_DRAWS:
            raise ValueError(f"draw is a whole number from 0 to {MOST_DRAWS}, not {self.draw!r}.")
        object.__setattr__(self, "strokes", strokes)


def typed(digit: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return the strokes of a typed digit in the middle of the paper.

    Raises
    ------
    ValueError
        For anything but one digit.
    """
    if digit not in GLYPHS:
        raise ValueError(f"type a digit from 0 to 9, not {digit!r}.")
    width, height = 0.4 * PAPER, 0.66 * PAPER
    left, top = (PAPER - width) / 2, (PAPER - height) / 2
    return tuple(tuple((round(left + x * width), round(top + y * height)) for x, y in line) for line in GLYPHS[digit])


def inked(strokes: Any) -> Picture:
    """Return the drawing in the form of the training digits, shape (28, 28)."""
    picture = Image.new("L", (PAPER, PAPER))
    draw, radius = ImageDraw.Draw(picture), PEN / 2
    for stroke in strokes:
        if len(stroke) > 1:
            draw.line(stroke, fill=255, width=PEN)
        for x, y in stroke:  # round ends and joints
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink = np.asarray(picture, dtype=np.float64) / 255
    if not ink.any():
        return np.zeros((SIDE, SIDE), np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return normalised(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def toolkit_corrupt(x: Picture, level: float, rng: np.random.Generator, kind: str = "mask") -> Picture:
    """Spoil pictures: the toolkit's ``corrupt`` of module 15."""
    if kind == "gaussian":
        return np.clip(x + level * rng.standard_normal(x.shape), 0, 1).astype(x.dtype)
    u = rng.random(x.shape)
    salt = 1.0 if kind == "salt_pepper" else 0.0
    return np.select([u < (level / 2 if salt else level), u < level], [0.0, salt], x).astype(x.dtype)


def toolkit_forward(
    x: Picture, weight: Picture, bias_hidden: Picture, bias_visible: Picture
) -> tuple[Picture, Picture]:
    """Encode and decode: the toolkit's ``autoencoder_forward`` of module 15."""
    hidden = sigmoid(x @ weight.T + bias_hidden)
    return hidden, sigmoid(hidden @ weight + bias_visible)


@lru_cache(maxsize=1)
def repairer() -> tuple[Picture, Picture, Picture]:
    """Train the net that repairs, on 8,000 spoilt digits; some seconds."""
    digits = data.digits(training.full_or_fast(8000, 1000), 1).x_train.reshape(-1, SIDE**2)

    def noise(batch: Picture, rng: np.random.Generator) -> Picture:
        return toolkit_corrupt(batch, TRAINED_LEVEL, rng, TRAINED_KIND)

    return denoising_layer(digits, UNITS, noise, np.random.default_rng(0), epochs=training.full_or_fast(6, 1))


def decibels(clean: Picture, other: Picture) -> str:
    """Write the peak signal-to-noise ratio of two pictures: 17.3 dB, ∞ dB."""
    mse = float(((clean.astype(np.float64) - other) ** 2).mean())
    return f"{-10 * np.log10(mse):.1f} dB".replace("-", "−") if mse else "∞ dB"


def spoilt_and_repaired(
    state: DenoiseDrawingState, clean: Picture, functions: Mapping[str, Learner]
) -> tuple[Picture, Picture, list[dict[str, Any]]]:
    """Run the learner's two functions, or the toolkit's in their place; return both pictures and the notes."""
    x = clean.reshape(1, -1)
    corrupt, forward = (Trade(name, functions.get(name)) for name in ("corrupt", "autoencoder_forward"))
    notes: list[dict[str, Any]] = []

    spoilt = toolkit_corrupt(x, state.level, np.random.default_rng(state.draw), state.kind)
    outcome = corrupt.ask(x, state.level, np.random.default_rng(state.draw), state.kind)
    if outcome is not None:
        spoilt = _usable(corrupt, outcome.value, spoilt, notes)
    weights = repairer()
    repaired = toolkit_forward(spoilt, *weights)[1]
    outcome = forward.ask(spoilt, *weights)
    if outcome is not None:
        pair = outcome.value
        given = pair[1] if isinstance(pair, tuple | list) and len(pair) == 2 else pair
        repaired = _usable(forward, given, repaired, notes)

    missing = [trade.name for trade in (corrupt, forward) if trade.missing]
    if missing:
        notes.insert(0, {"words": missing_words(missing), "wrong": False})
    notes += [{"words": trade.words, "wrong": True} for trade in (corrupt, forward) if trade.words]
    return spoilt.reshape(SIDE, SIDE), repaired.reshape(SIDE, SIDE), notes


def _usable(trade: Trade, value: Any, truth: Picture, notes: list[dict[str, Any]]) -> Picture:
    """Return a learner's picture where it can be drawn, otherwise the toolkit's; say where they differ."""
    given = as_numbers(value)
    if given is None or given.shape != truth.shape or not np.isfinite(given).all():
        what = f"shape {given.shape}" if given is not None else "no numbers"
        trade.refuse(f"returned {what}; {truth.shape} finite numbers were expected")
        return truth
    differs = int((~np.isclose(given, truth, rtol=1e-4, atol=1e-4)).sum())
    if differs:
        words = f"Your {trade.name} differs from the toolkit's in {counted(differs, 'pixel')}. Yours is shown."
        notes.append({"words": words, "wrong": True})
    return given.astype(np.float32)


def view_of(state: DenoiseDrawingState, functions: Mapping[str, Learner]) -> dict[str, Any]:
    """Describe the drawing, what the noise made of it and what the net made of that."""
    clean = inked(state.strokes)
    spoilt, repaired, notes = spoilt_and_repaired(state, clean, functions)
    before, after = decibels(clean, spoilt), decibels(clean, repaired)
    panels = (("as the net's digits", "", clean), ("spoilt", before, spoilt), ("repaired", after, repaired))
    drawn = "The drawing" if state.strokes else "An empty page"
    return {
        "size": [PAPER, PAPER],
        "pen": PEN,
        "strokes": state.strokes,
        "kinds": list(KINDS),
        "kind": state.kind,
        "level": [state.level, 0, 1, 0.01],
        "draw": [state.draw, 0, MOST_DRAWS],
        "panels": [
            {"title": title, "words": words, "side": SIDE, "bytes": _bytes(picture)} for title, words, picture in panels
        ],
        "notes": notes,
        "status": f"{drawn}, spoilt by {KINDS[state.kind]} of {number(state.level)}: {before}; repaired: {after}.",
    }


def _bytes(picture: Picture) -> bytes:
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8).tobytes()


class DenoiseDrawing(CourseWidget[DenoiseDrawingState]):
    """Draw a digit, spoil it, and let an autoencoder repair it, by your own functions.

    Parameters
    ----------
    corrupt : callable or None
        Yours: ``corrupt(x, level, rng, kind)``. Without it, or while it raises, the toolkit's spoils and says so.
    autoencoder_forward : callable or None
        Yours: ``autoencoder_forward(x, weight, bias_hidden, bias_visible)``. The weights are the toolkit's: 256 units,
        trained on digits with a third of their pixels black or white when the first of these widgets is made.
    typed : str
        A digit to begin with, such as ``"5"``.
    strokes, kind, level, draw
        See :class:`DenoiseDrawingState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    """

    _esm, _css = assets("drawing_paper", "denoise_drawing")

    def __init__(
        self,
        corrupt: Learner = None,
        autoencoder_forward: Learner = None,
        *,
        typed: str = "",
        strokes: Any = (),
        kind: str = DenoiseDrawingState.kind,
        level: float = DenoiseDrawingState.level,
        draw: int = DenoiseDrawingState.draw,
    ) -> None:
        self.learners = {"corrupt": corrupt, "autoencoder_forward": autoencoder_forward}
        state = DenoiseDrawingState(strokes, kind, level, draw)
        super().__init__(with_digit(state, typed) if typed else state, tuple(self.learners.items()))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.learners)

    def act(self, state: DenoiseDrawingState, action: str, values: dict[str, Any]) -> DenoiseDrawingState:
        """Answer a typed digit, which takes the drawing's place, and the removal of the last stroke."""
        match action:
            case "type":
                return with_digit(state, values["digit"])
            case "undo":
                return replace(state, strokes=state.strokes[:-1])
        return super().act(state, action, values)


def with_digit(state: DenoiseDrawingState, digit: str) -> DenoiseDrawingState:
    """Return the state with a typed digit in the place of the drawing."""
    return replace(state, strokes=typed(digit))
