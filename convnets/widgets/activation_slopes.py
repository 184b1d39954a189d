"""An activation function and its slope, by the learner's own functions, and what is left of a gradient in depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, Trade, as_numbers, assets, number

# The toolkit's stand-in for a function of the learner, with the sentences about it, is shared with the playground.

KINDS = ("sigmoid", "tanh", "relu", "leaky relu", "maxout")
#: Where curves are drawn; 0 is one of the places.
REACH, SAMPLES = 4.0, 161
GRID = np.linspace(-REACH, REACH, SAMPLES)
MAX_LAYERS = 30
#: Pieces and slopes of maxout and of leaky ReLU can be set up to this size.
STEEPEST = 2.0


@dataclass(frozen=True)
class SlopesState:
    """All there is to know of one picture.

    Attributes
    ----------
    kind : {"sigmoid", "tanh", "relu", "leaky relu", "maxout"}
        The activation function.
    x : float
        Where the point stands, −4 to 4.
    layers : int
        How many layers with this slope a gradient passes, 1 to 30.
    alpha : float
        Slope of the leaky ReLU on its left, −2 to 2.
    w1, b1, w2, b2 : float
        The two pieces of the maxout unit, −2 to 2.
    """

    kind: str = "sigmoid"
    x: float = 2.0
    layers: int = 10
    alpha: float = 0.1
    w1: float = 1.0
    b1: float = 0.0
    w2: float = -0.5
    b2: float = -1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}.")
        if not -REACH <= self.x <= REACH:
            raise ValueError(f"x lies between −{REACH:g} and {REACH:g}, not at {self.x:g}.")
        if not isinstance(self.layers, int) or not 1 <= self.layers <= MAX_LAYERS:
            raise ValueError(f"layers is a whole number from 1 to {MAX_LAYERS}, not {self.layers!r}.")
        for name in ("alpha", "w1", "b1", "w2", "b2"):
            if not abs(getattr(self, name)) <= STEEPEST:
                raise ValueError(f"{name} lies between −{STEEPEST:g} and {STEEPEST:g}, not at {getattr(self, name):g}.")


def reference(state: SlopesState, x: Array) -> tuple[Array, Array]:
    """Return the toolkit's values and slopes at places x of shape (N,); where two pieces meet, the left slope.

    For maxout the first of two equal pieces gives the slope.
    """
    if state.kind == "sigmoid":
        y = 0.5 + 0.5 * np.tanh(0.5 * x)
        return y, y * (1 - y)
    if state.kind == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    if state.kind == "maxout":
        first, second = state.w1 * x + state.b1, state.w2 * x + state.b2
        return np.maximum(first, second), np.where(first >= second, state.w1, state.w2)
    alpha = state.alpha if state.kind == "leaky relu" else 0.0
    return np.where(x > 0, x, alpha * x), np.where(x > 0, 1.0, alpha)


class Functions:
    """The learner's functions behind the curves, each replaced by the toolkit's where it cannot be used.

    Parameters
    ----------
    **functions : callable or None
        By the names they have in module 03.
    """

    def __init__(self, **functions: Learner) -> None:
        self.functions = functions

    def values(self, state: SlopesState) -> tuple[Array, Array, list[dict[str, Any]]]:
        """Return values and slopes on `GRID` and at the point, (SAMPLES + 1,) each, and sentences about whose they are.

        The last entry belongs to the point.
        """
        x = np.append(GRID, state.x)
        expected_y, expected_slope = reference(state, x)
        ones = np.ones_like(x)
        pieces = np.array([[[state.w1]], [[state.w2]]]), np.array([[state.b1], [state.b2]])
        # Name of the function, its arguments, and how its answer becomes a curve.
        asked: dict[str, list[tuple[str, tuple[Any, ...], tuple[int, ...]]]] = {
            "sigmoid": [],
            "tanh": [("tanh_from_sigmoid", (x,), x.shape)],
            "relu": [("relu", (x,), x.shape), ("relu_backward", (ones, x), x.shape)],
            "leaky relu": [
                ("leaky_relu", (x, state.alpha), x.shape),
                ("leaky_relu_backward", (ones, x, state.alpha), x.shape),
            ],
            "maxout": [
                ("maxout", (x[:, None], *pieces), (len(x), 1)),
                ("maxout_backward", (ones[:, None], x[:, None], *pieces), (len(x), 1)),
            ],
        }
        curves, notes = [expected_y, expected_slope], []
        for at, (name, arguments, shape) in enumerate(asked[state.kind]):
            trade = Trade(name, self.functions.get(name))
            outcome = trade.ask(*arguments)
            if outcome is not None:
                answer = outcome.value
                if name == "maxout_backward":
                    answer = answer[0] if isinstance(answer, tuple | list) and answer else None
                mine = as_numbers(answer)
                if mine is None or mine.shape != shape:
                    trade.refuse(f"returned no array of shape {shape}")
                else:
                    mine = mine.ravel()
                    trade.words = difference(name, x, mine, curves[at])
                    curves[at] = mine
            if trade.missing:
                notes.append({"text": f"Your {name} is not written yet: the toolkit's is drawn.", "wrong": False})
            elif trade.words:
                notes.append({"text": trade.words, "wrong": True})
        return curves[0], curves[1], notes


def difference(name: str, x: Array, mine: Array, expected: Array) -> str:
    """Say where a curve differs from the toolkit's; an empty text where it does not."""
    off = ~np.isclose(mine, expected, rtol=1e-6, atol=1e-9)
    if not off.any():
        return ""
    # The point's own place comes last and is the most telling.
    at = int(np.flatnonzero(off)[-1])
    what = "slope" if name.endswith("_backward") else "value"
    return (
        f"Your {name} differs from the toolkit's: at x = {number(x[at])} its {what} is {number(mine[at])}, "
        f"the toolkit's {number(expected[at])}. Yours is drawn."
    )


def segments(y: Array) -> list[list[list[float]]]:
    """Return a curve on `GRID` as polylines of [x, y], broken where it jumps."""
    pairs = [[round(float(a), 3), round(float(b), 4)] for a, b in zip(GRID, np.nan_to_num(y), strict=True)]
    breaks = [int(at) + 1 for at in np.flatnonzero(np.abs(np.diff(y)) > 0.15)]
    return [pairs[a:b] for a, b in zip([0, *breaks], [*breaks, len(pairs)], strict=True)]


def scientific(value: float) -> str:
    """Write a share of a gradient: 0.105, 1.6e−10, 0, −0.5.

    >>> scientific(0.25), scientific(1.6271e-10), scientific(1024.0)
    ('0.25', '1.6e−10', '1,024')
    """
    if value == 0 or 1e-3 <= abs(value) < 10:
        return number(value)
    text = f"{value:,.0f}" if 10 <= abs(value) < 1e6 else f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return text.replace("e+", "e").replace("-", "−")


def view_of(state: SlopesState, functions: Functions) -> dict[str, Any]:
    """Return everything that the browser draws."""
    y, slope, notes = functions.values(state)
    here, steep = float(y[-1]), float(slope[-1])
    with np.errstate(over="ignore"):
        shares = np.float64(steep) ** np.arange(1, state.layers + 1)
    low = min(-0.1, float(slope.min()) - 0.1)
    high = max(1.1, float(slope.max()) + 0.1)
    return {
        "kind": state.kind,
        "kinds": list(KINDS),
        "settings": {name: getattr(state, name) for name in ("x", "layers", "alpha", "w1", "b1", "w2", "b2")},
        "reach": REACH,
        "max_layers": MAX_LAYERS,
        "steepest": STEEPEST,
        "curve": segments(y[:-1]),
        "slope": segments(slope[:-1]),
        "slope_range": [low, high],
        "point": [state.x, here, steep],
        # Powers of ten for the chart, −20 to 2; None where nothing is left.
        "left": [None if share == 0 else float(np.clip(np.log10(abs(share)), -20, 2)) for share in shares],
        "value_words": number(here),
        "slope_words": number(steep),
        "left_words": scientific(float(shares[-1])),
        "notes": notes,
        "status": describe(state, here, steep, float(shares[-1])),
    }


def describe(state: SlopesState, here: float, steep: float, left: float) -> str:
    """Say in a sentence what the point shows."""
    words = f"{state.kind} at x = {number(state.x)}: value {number(here)}, slope {number(steep)}."
    layers = "1 layer" if state.layers == 1 else f"{state.layers} layers"
    if left == 0:
        return f"{words} Nothing of a gradient passes."
    if steep == 1:
        return f"{words} The whole gradient passes {layers}."
    return f"{words} After {layers} with this slope a gradient of 1 is {scientific(left)}."


class ActivationSlopes(CourseWidget[SlopesState]):
    """Move a point along an activation function; read its value, its slope, and what depth leaves of a gradient.

    Parameters
    ----------
    tanh_from_sigmoid, relu, relu_backward, leaky_relu, leaky_relu_backward, maxout, maxout_backward
        Callables, optional: the learner's functions of module 03. Where one is not written, the toolkit's is drawn,
        and the widget says so.
    kind, x, layers, alpha, w1, b1, w2, b2
        See :class:`SlopesState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    """

    _esm, _css = assets("activation_slopes")

    def __init__(
        self,
        tanh_from_sigmoid: Learner = None,
        relu: Learner = None,
        relu_backward: Learner = None,
        leaky_relu: Learner = None,
        leaky_relu_backward: Learner = None,
        maxout: Learner = None,
        maxout_backward: Learner = None,
        *,
        kind: str = SlopesState.kind,
        x: float = SlopesState.x,
        layers: int = SlopesState.layers,
        alpha: float = SlopesState.alpha,
        w1: float = SlopesState.w1,
        b1: float = SlopesState.b1,
        w2: float = SlopesState.w2,
        b2: float = SlopesState.b2,
    ) -> None:
        given: dict[str, Learner] = {
            "tanh_from_sigmoid": tanh_from_sigmoid,
            "relu": relu,
            "relu_backward": relu_backward,
            "leaky_relu": leaky_relu,
            "leaky_relu_backward": leaky_relu_backward,
            "maxout": maxout,
            "maxout_backward": maxout_backward,
        }
        self.learner = Functions(**given)
        super().__init__(SlopesState(kind, x, layers, alpha, w1, b1, w2, b2), tuple(given.items()))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.learner)
