"""Walk through the plane of a deep autoencoder's two-number codes: the decoder paints what stands for each point.

Places in the plane are shares of its width and height: (0, 0) lower left, (1, 1) upper right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from convnets import data, training
from convnets.models.autoencoder import Layer, TiedAutoencoder, denoising_layer, fit_autoencoder, sigmoid
from convnets.widgets.base import Array, CourseWidget, Learner, Trade, assets, missing_words

#: Values of a picture, units of the encoder's layers, length of the code.
SIZES = (784, 200, 50, 2)
SIDE = 28
#: Test digits shown as points; pictures along each side of the atlas, and pixels of each.
SHOWN, ATLAS, TILE = 500, 16, 14
#: Share of the width that an arrow key moves.
STEP = 0.02


@dataclass(frozen=True)
class CodeExplorerState:
    """Where the cross stands and what the plane shows.

    Attributes
    ----------
    x, y : float
        Place of the cross, 0 to 1; y grows upwards.
    show : {"points", "pictures"}
        The codes of test digits, or what the decoder paints everywhere.
    """

    x: float = 0.5
    y: float = 0.5
    show: str = "points"

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise ValueError(f"x and y lie between 0 and 1, not at ({self.x!r}, {self.y!r}).")
        if self.show not in ("points", "pictures"):
            raise ValueError(f'show is "points" or "pictures", not {self.show!r}.')
        object.__setattr__(self, "x", round(float(self.x), 3))
        object.__setattr__(self, "y", round(float(self.y), 3))


@dataclass(frozen=True, eq=False)
class CodePlane:
    """A trained autoencoder with its plane.

    Attributes
    ----------
    model : TiedAutoencoder
    low, size : float64 arrays, shape (2,)
        Code at the lower left corner; width and height.
    places : float64 array, shape (N, 2)
        Codes of the test digits as places in the plane.
    digits : float32 array, shape (N, 784)
    labels : int64 array, shape (N,)
    notes : tuple of (str, bool)
        Sentences to show, each with whether it says that something is wrong.
    """

    model: TiedAutoencoder
    low: Array
    size: Array
    places: Array
    digits: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    notes: tuple[tuple[str, bool], ...]

    def painted(self, places: Array) -> Array:
        """Return what the decoder paints at places (N, 2): pictures (N, 28, 28), 0 to 1."""
        code = torch.tensor(self.low + places * self.size, dtype=torch.float32)
        with torch.no_grad():
            return np.asarray(self.model.decode(code).double().numpy()).reshape(-1, SIDE, SIDE)


def toolkit_stack(x: Any, sizes: Any, train: Callable[[Any, int], Layer]) -> list[Layer]:
    """Train layer upon layer: the toolkit's ``stack`` of module 15."""
    layers = []
    for size in sizes:
        weight, bias = train(x, size)
        layers.append((weight, bias))
        x = sigmoid(x @ weight.T + bias)
    return layers


def _mask(batch: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return np.where(rng.random(batch.shape) < 0.25, np.float32(0), batch)


@lru_cache(maxsize=2)
def plane_of(stack: Learner) -> CodePlane:
    """Pretrain by the learner's ``stack``, or by the toolkit's, train all layers together and lay out the plane.

    Asked again with the same function, the trained net is returned as it is; otherwise it takes some seconds.
    """
    n, epochs = training.full_or_fast((8000, 12), (1000, 2))
    images = data.digits(n, SHOWN)
    x = images.x_train.reshape(n, -1)

    def first_layers(function: Callable[..., Any]) -> Any:
        rng = np.random.default_rng(0)

        def train(h: Any, size: int) -> Layer:
            return denoising_layer(np.asarray(h, np.float32), size, _mask, rng, epochs=training.full_or_fast(4, 1))[:2]

        return function(x.copy(), SIZES[1:], train)

    trade = Trade("stack", stack and (lambda: first_layers(stack)))
    outcome, model = trade.ask(), None
    if outcome is not None:
        try:
            model = TiedAutoencoder(SIZES, list(outcome.value))
        except (TypeError, ValueError):
            wanted = ", ".join(f"({units}, {inputs})" for inputs, units in pairwise(SIZES))
            trade.refuse(f"did not return three layers (weight, bias) with weights of {wanted}")
    if model is None:
        model = TiedAutoencoder(SIZES, first_layers(toolkit_stack))
    fit_autoencoder(model, torch.from_numpy(x), epochs, seed=0)
    notes = [(missing_words(["stack"]), False)] if trade.missing else []
    notes += [(trade.words, True)] if trade.words else []

    shown = images.x_test.reshape(SHOWN, -1)
    with torch.no_grad():
        codes = model.encode(torch.from_numpy(shown)).double().numpy()
    # The middle 96 % of the codes decide about the plane; stragglers lie at its edge.
    low, high = np.percentile(codes, [2, 98], axis=0)
    low, size = low - 0.08 * (high - low), 1.16 * (high - low)
    places = np.clip((codes - low) / size, 0, 1)
    return CodePlane(model, low, size, places, shown, images.y_test, tuple(notes))


@lru_cache(maxsize=2)
def atlas_of(plane: CodePlane) -> bytes:
    """Return what the decoder paints all over the plane: ATLAS × ATLAS tiles of TILE × TILE bytes, upper row first."""
    ticks = (np.arange(ATLAS) + 0.5) / ATLAS
    places = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
    halves = plane.painted(places).reshape(ATLAS, ATLAS, TILE, 2, TILE, 2).mean(axis=(3, 5))
    sheet = halves.swapaxes(1, 2).reshape(ATLAS * TILE, ATLAS * TILE)
    return _bytes(sheet)


def view_of(state: CodeExplorerState, plane: CodePlane) -> dict[str, Any]:
    """Describe the plane, the cross, what the decoder paints there, and the test digit next to it."""
    place = np.array([state.x, state.y])
    painted = plane.painted(place[None])[0]
    nearest = int(((plane.places - place) ** 2).sum(axis=1).argmin())
    code = plane.low + place * plane.size
    label = int(plane.labels[nearest])
    dots = np.c_[plane.places, plane.labels].astype(np.float32)
    words = f"code ({code[0]:.1f}, {code[1]:.1f})".replace("-", "−")
    side = ATLAS * TILE
    return {
        "x": state.x,
        "y": state.y,
        "show": state.show,
        "step": STEP,
        "dots": dots.tobytes(),
        "atlas": {"side": side, "bytes": atlas_of(plane)} if state.show == "pictures" else None,
        "panels": [
            {"title": "painted", "words": words, "side": SIDE, "bytes": _bytes(painted)},
            {
                "title": "nearest test digit",
                "words": f"a {label}",
                "side": SIDE,
                "bytes": _bytes(plane.digits[nearest].reshape(SIDE, SIDE)),
            },
        ],
        "notes": [{"words": words, "wrong": wrong} for words, wrong in plane.notes],
        "status": f"The cross is at {words}; the nearest of {SHOWN} test digits is a {label}.",
    }


def _bytes(picture: npt.NDArray[Any]) -> bytes:
    return bytes(np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8))


class CodeExplorer(CourseWidget[CodeExplorerState]):
    """Walk through the codes of a deep autoencoder, 784-200-50-2 and back, that begins with your own stack.

    Parameters
    ----------
    stack : callable or None
        Yours: ``stack(x, sizes, train)`` returns (weight, bias) of three layers. Without it, or while it raises, the
        toolkit's takes its place and says so. Some seconds, when the widget is first made.
    x, y, show
        See :class:`CodeExplorerState`.

    Raises
    ------
    ValueError
        For a place beyond the plane, or an unknown view.
    """

    _esm, _css = assets("code_explorer")

    def __init__(
        self,
        stack: Learner = None,
        *,
        x: float = CodeExplorerState.x,
        y: float = CodeExplorerState.y,
        show: str = CodeExplorerState.show,
    ) -> None:
        state = CodeExplorerState(x, y, show)
        self.plane = plane_of(stack)
        super().__init__(state, (("stack", stack),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.plane)

    def act(self, state: CodeExplorerState, action: str, values: dict[str, Any]) -> CodeExplorerState:
        """Answer the arrow keys, by ``dx`` and ``dy``, and a typed digit: to the middle of its class."""
        match action:
            case "move":
                x, y = np.clip([state.x + values["dx"], state.y + values["dy"]], 0, 1)
                return replace(state, x=float(x), y=float(y))
            case "digit":
                own = self.plane.places[self.plane.labels == values["digit"]]
                x, y = np.median(own, axis=0)
                return replace(state, x=float(x), y=float(y))
        return super().act(state, action, values)
