"""Dropout as a sampler of thinned nets: draw masks, collect outputs, and compare their mean with the whole net in use.

The net is fixed: one hidden layer of four units, one output that adds them up with weights of its own. The learner's
``dropout`` draws the masks and scales. With one layer the output is linear in the mask, so the mean of all sixteen
thinned nets, weighted by their chances, can be computed and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, counted, number

Mask = npt.NDArray[np.bool_]

#: Activations of the hidden units, and the weights of the output.
ACTIVATIONS = np.array([2.0, 1.0, 3.0, 1.5])
WEIGHTS = np.array([1.0, -2.0, 0.5, 2.0])
#: Name of a scaling: whether training is scaled, whether use is.
SCALINGS: dict[str, tuple[bool, bool]] = {
    "inverted": (True, False),
    "classic": (False, True),
    "neither": (False, False),
}
MOST_DRAWS = 200
LARGEST_P = 0.9


@dataclass(frozen=True)
class ThinnedNetsState:
    """All there is to know of one picture.

    Attributes
    ----------
    p : float
        Probability of a unit to be dropped, 0 to 0.9.
    scaling : {"inverted", "classic", "neither"}
        Where the factor stands: in training, in use, or nowhere.
    draws : int
        Thinned nets drawn so far, 1 to 200.
    """

    p: float = 0.5
    scaling: str = "inverted"
    draws: int = 1

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise ValueError(f"scaling is one of {', '.join(SCALINGS)}, not {self.scaling!r}.")
        if not 0 <= self.p <= LARGEST_P:
            raise ValueError(f"p lies between 0 and {LARGEST_P}, not at {self.p!r}.")
        if not isinstance(self.draws, int) or not 1 <= self.draws <= MOST_DRAWS:
            raise ValueError(f"draws is a whole number from 1 to {MOST_DRAWS}, not {self.draws!r}.")


def toolkit_dropout(
    x: Array, p: float, rng: np.random.Generator, training: bool = True, inverted: bool = True
) -> tuple[Array, Mask]:
    """Drop activations as the exercise defines it."""
    if not training:
        return x if inverted else x * (1 - p), np.ones(x.shape, bool)
    kept = rng.random(x.shape) >= p
    return x * kept / (1 - p) if inverted else x * kept, kept


def pair_of(value: Any) -> tuple[Array, Mask] | None:
    """Return what a learner's ``dropout`` gave as activations (4,) and mask (4,), None where it is no such pair."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return None
    y, kept = as_numbers(value[0]), as_numbers(value[1])
    if y is None or kept is None or y.shape != (4,) or kept.shape != (4,) or not np.isfinite(y).all():
        return None
    return y, kept.astype(bool)


class Sampler:
    """Draws thinned nets with the learner's ``dropout``, or with the toolkit's as soon as that cannot be used."""

    def __init__(self, dropout: Learner) -> None:
        self.dropout = dropout
        self.notes: list[dict[str, Any]] = []

    def run(self, seed: int, p: float, training: bool, inverted: bool) -> tuple[Array, Mask]:
        """Return activations and mask of one call, and note what is wrong with it, once."""
        truth = toolkit_dropout(ACTIVATIONS, p, np.random.default_rng(seed), training, inverted)
        if self.dropout is None and self.notes:
            return truth
        arguments = ACTIVATIONS, p, np.random.default_rng(seed), training, inverted
        outcome = call_learner("dropout", self.dropout, *arguments)
        if outcome.kind == "missing":
            return self.give_up(outcome.words, False, truth)
        if outcome.kind == "error":
            return self.give_up(f"{outcome.words}. The toolkit's dropout takes its place.", True, truth)
        pair = pair_of(outcome.value)
        if pair is None:
            words = "Your dropout returned no pair (y, kept) of four finite numbers and four truth values."
            return self.give_up(f"{words} The toolkit's takes its place.", True, truth)
        if not self.notes and not (np.allclose(pair[0], truth[0]) and np.array_equal(pair[1], truth[1])):
            when = "training" if training else "use"
            words = f"Yours gives {row(pair[0])} in {when}; expected was {row(truth[0])}. Yours is drawn."
            if np.allclose(pair[0], truth[0]):
                words = f"Your mask in {when} is not the one that its activations show. Yours is drawn."
            self.notes.append({"words": words, "wrong": True})
        return pair

    def give_up(self, words: str, wrong: bool, truth: tuple[Array, Mask]) -> tuple[Array, Mask]:
        """Let the toolkit take over."""
        self.dropout = None
        self.notes = [{"words": words, "wrong": wrong}]
        return truth


def row(values: Array) -> str:
    """Write four numbers."""
    return f"({', '.join(number(value) for value in values)})"


def all_outputs(p: float, scaled: bool) -> tuple[Array, Array]:
    """Return outputs (16,) and chances (16,) of all thinned nets; `scaled` divides the activations by 1 − p."""
    masks = np.array(list(product((0, 1), repeat=len(ACTIVATIONS))))
    chances = np.prod(np.where(masks == 1, 1 - p, p), axis=1)
    return masks * ACTIVATIONS / (1 - p if scaled else 1) @ WEIGHTS, chances


def view_of(state: ThinnedNetsState, dropout: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : ThinnedNetsState
    dropout : callable or None
        The learner's function; the toolkit fills in where it is missing or fails.
    """
    in_training, in_use = SCALINGS[state.scaling]
    sampler = Sampler(dropout)
    drawn = [sampler.run(seed, state.p, True, in_training) for seed in range(state.draws)]
    outputs = [float(y @ WEIGHTS) for y, _ in drawn]
    whole = float(sampler.run(0, state.p, False, not in_use)[0] @ WEIGHTS)
    every, chances = all_outputs(state.p, in_training)
    low, high = min(*every, *outputs, whole), max(*every, *outputs, whole)
    mean, expected = float(np.mean(outputs)), float(chances @ every)
    latest, kept = drawn[-1]
    return {
        "p": [state.p, 0, LARGEST_P],
        "scaling": state.scaling,
        "scalings": list(SCALINGS),
        "draws": [state.draws, 1, MOST_DRAWS],
        "units": [{"value": number(value), "kept": bool(is_kept)} for value, is_kept in zip(latest, kept, strict=True)],
        "weights": [number(weight) for weight in WEIGHTS],
        "output": number(outputs[-1]),
        "range": [float(np.floor(low - 0.5)), float(np.ceil(high + 0.5))],
        "nets": [[round(float(y), 4), round(float(c), 5)] for y, c in zip(every, chances, strict=True) if c > 0],
        "outputs": [round(output, 4) for output in outputs],
        "mean": round(mean, 4),
        "whole": round(whole, 4),
        "notes": sampler.notes,
        "status": describe(state, mean, whole, expected),
    }


def describe(state: ThinnedNetsState, mean: float, whole: float, expected: float) -> str:
    """Say in two sentences how the mean and the whole net compare."""
    drawn = f"{counted(state.draws, 'net')} drawn, mean output {number(mean)}"
    words = f"{drawn}; the whole net in use gives {number(whole)}."
    if abs(whole - expected) < 1e-9:
        return f"{words} That is the mean of all thinned nets."
    return f"{words} The mean of all thinned nets is {number(expected)}: training and use do not agree."


class ThinnedNets(CourseWidget[ThinnedNetsState]):
    """A net with four droppable units: each draw is another thinned net, made by your ``dropout``.

    Parameters
    ----------
    dropout : callable or None
        Yours: ``dropout(x, p, rng, training, inverted)`` returns y and the mask. Without it, or while it raises
        ``NotImplementedError``, the toolkit draws and says so.
    p, scaling, draws
        See :class:`ThinnedNetsState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ThinnedNets(p=0.25, scaling="neither").as_code()
    "ThinnedNets(p=0.25, scaling='neither')"
    """

    _esm, _css = assets("thinned_nets")

    def __init__(
        self,
        dropout: Learner = None,
        *,
        p: float = ThinnedNetsState.p,
        scaling: str = ThinnedNetsState.scaling,
        draws: int = ThinnedNetsState.draws,
    ) -> None:
        self.dropout = dropout
        super().__init__(ThinnedNetsState(p, scaling, draws), (("dropout", dropout),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.dropout)

    def act(self, state: ThinnedNetsState, action: str, values: dict[str, Any]) -> ThinnedNetsState:
        """Answer the buttons that draw more nets."""
        if action == "draw":
            return replace(state, draws=min(state.draws + values["more"], MOST_DRAWS))
        return super().act(state, action, values)
