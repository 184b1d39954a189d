"""How far a linear score moves when every input changes by at most ε, against the number of inputs.

Inputs have standard deviation 1, weights 1/√D, so that the score of an untouched input is about as large as 1 whatever
D is. What changes with D is what an aimed change of fixed size can do to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, Trade, as_numbers, assets, missing_words

#: Numbers of inputs to choose from; the last one is a photograph of 224 × 224 pixels in three colours.
DIMENSIONS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 150_528)
#: Largest changes of an input to choose from.
EPSILONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
MOST_DRAWS = 99
#: Draws of random signs whose typical change is shown.
RANDOM_DRAWS = 24


@dataclass(frozen=True)
class ScoreByDimensionState:
    """All there is to know of one picture.

    Attributes
    ----------
    dimension : int
        Number of inputs, one of `DIMENSIONS`.
    epsilon : float
        Largest change of an input, one of `EPSILONS`.
    draw : int
        Number of the draw of inputs and weights, 0 to 99.
    """

    dimension: int = 10
    epsilon: float = 0.05
    draw: int = 1

    def __post_init__(self) -> None:
        if self.dimension not in DIMENSIONS:
            raise ValueError(f"dimension is one of {', '.join(map(str, DIMENSIONS))}, not {self.dimension!r}.")
        if self.epsilon not in EPSILONS:
            raise ValueError(f"epsilon is one of {', '.join(map(str, EPSILONS))}, not {self.epsilon!r}.")
        if not (0 <= self.draw <= MOST_DRAWS and int(self.draw) == self.draw):
            raise ValueError(f"draw is a whole number from 0 to {MOST_DRAWS}, not {self.draw!r}.")


@cache
def drawn(dimension: int, draw: int) -> tuple[Array, Array, float]:
    """Return inputs (D,), weights (D,) and the typical change of the score by random signs of size 1."""
    rng = np.random.default_rng([18, draw, dimension])
    x, weight = rng.normal(size=dimension), rng.normal(size=dimension) / np.sqrt(dimension)
    changes = [weight @ rng.choice([-1.0, 1.0], size=dimension) for _ in range(RANDOM_DRAWS)]
    return x, weight, float(np.sqrt(np.mean(np.square(changes))))


def toolkit_gap(weight: Array, epsilon: float) -> float:
    """Return how far the score can rise."""
    return float(epsilon * np.abs(weight).sum())


def toolkit_nudge(x: Array, weight: Array, epsilon: float) -> Array:
    """Return the input moved by epsilon along the signs of the weights."""
    return x + epsilon * np.sign(weight)


def gaps_of(state: ScoreByDimensionState, linear_gap: Trade) -> list[float]:
    """Return the largest change of the score for every number of inputs, by the learner's function where it can."""
    gaps = []
    for dimension in DIMENSIONS:
        weight = drawn(dimension, state.draw)[1]
        truth = toolkit_gap(weight, state.epsilon)
        outcome = linear_gap.ask(weight, state.epsilon)
        given = as_numbers(outcome.value) if outcome is not None else None
        if outcome is not None and (given is None or given.ndim or not np.isclose(given, truth, rtol=1e-6)):
            got = "no number" if given is None or given.ndim else f"{float(given):.4g}"
            linear_gap.refuse(f"gave {got} for {dimension:,} inputs, where {truth:.4g} was expected")
        gaps.append(truth)
    return gaps


def nudged_score(state: ScoreByDimensionState, nudge: Trade) -> float:
    """Return the score after an aimed change against its sign."""
    x, weight, _ = drawn(state.dimension, state.draw)
    epsilon = -float(np.sign(x @ weight)) * state.epsilon
    truth = toolkit_nudge(x, weight, epsilon)
    outcome = nudge.ask(x, weight, epsilon)
    if outcome is not None:
        given = as_numbers(outcome.value)
        if given is None or given.shape != truth.shape or not np.isfinite(given).all():
            nudge.refuse(f"did not give {len(truth):,} finite numbers")
        elif not np.allclose(given, truth, rtol=1e-6, atol=1e-9):
            nudge.refuse(f"brings the score to {given @ weight:.3g}, where {truth @ weight:.3g} was expected")
    return float(truth @ weight)


def view_of(state: ScoreByDimensionState, linear_gap: Learner, nudge: Learner) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : ScoreByDimensionState
    linear_gap, nudge : callable or None
        The learner's functions.
    """
    gap_trade, nudge_trade = Trade("linear_gap", linear_gap), Trade("nudge", nudge)
    gaps = gaps_of(state, gap_trade)
    after = nudged_score(state, nudge_trade)
    x, weight, _ = drawn(state.dimension, state.draw)
    score = float(x @ weight)
    place = DIMENSIONS.index(state.dimension)
    random = [state.epsilon * drawn(dimension, state.draw)[2] for dimension in DIMENSIONS]
    trades = (gap_trade, nudge_trade)
    notes = [{"words": trade.words, "wrong": True} for trade in trades if trade.words]
    if missing := [trade.name for trade in trades if trade.missing]:
        notes.append({"words": missing_words(missing), "wrong": False})
    turned = score * after < 0
    noun = "input" if state.dimension == 1 else "inputs"
    return {
        "dimensions": list(DIMENSIONS),
        "dimension": state.dimension,
        "epsilons": list(EPSILONS),
        "epsilon": state.epsilon,
        "draw": [state.draw, 0, MOST_DRAWS],
        "aimed": gaps,
        "random": random,
        "scores": [abs(float(np.dot(*drawn(dimension, state.draw)[:2]))) for dimension in DIMENSIONS],
        "numbers": [
            ["score", f"{score:+.3f}".replace("-", "−")],
            ["aimed change", f"{gaps[place]:.3f}"],
            ["random change", f"{random[place]:.3f}"],
            ["score after the aimed change", f"{after:+.3f}".replace("-", "−")],
        ],
        "turned": turned,
        "notes": notes,
        "status": f"{state.dimension:,} {noun}, ε = {state.epsilon:g}: an aimed change moves the score by "
        f"{gaps[place]:.3g}, random signs by about {random[place]:.2g}. The score goes from {score:.2f} to {after:.2f}"
        f"{': its sign is turned round.' if turned else ' and keeps its sign.'}".replace("-", "−"),
    }


class ScoreByDimension(CourseWidget[ScoreByDimensionState]):
    """The change of a linear score against the number of inputs, aimed and random.

    Parameters
    ----------
    linear_gap, nudge : callable or None
        Yours, as the exercises define them. Without one, or while it raises ``NotImplementedError``, the toolkit takes
        its place and says so.
    dimension, epsilon, draw
        See :class:`ScoreByDimensionState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ScoreByDimension(dimension=1000, epsilon=0.1).as_code()
    'ScoreByDimension(dimension=1000, epsilon=0.1)'
    """

    _esm, _css = assets("score_by_dimension")

    def __init__(
        self,
        linear_gap: Learner = None,
        nudge: Learner = None,
        *,
        dimension: int = ScoreByDimensionState.dimension,
        epsilon: float = ScoreByDimensionState.epsilon,
        draw: int = ScoreByDimensionState.draw,
    ) -> None:
        self.learners = (linear_gap, nudge)
        state = ScoreByDimensionState(dimension, epsilon, draw)
        super().__init__(state, (("linear_gap", linear_gap), ("nudge", nudge)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, *self.learners)
