"""Grid and random search on one landscape of scores, with the projections on both settings (Bergstra and Bengio 2012).

The landscape is made up: a ridge over the learning rate and another over the weight decay, added with weights that the
learner chooses. The learner's ``grid`` and ``random_search`` make the points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Learner, Trade, assets, counted, missing_words, number

Setting = dict[str, float]
Space = dict[str, tuple[float, float]]

RATE, DECAY = "learning rate", "weight decay"
SPACE: Space = {RATE: (1e-4, 10.0), DECAY: (1e-7, 0.1)}
#: Width of both ridges, and the place of the one over the weight decay, as shares of an axis.
WIDTH = 0.09
DECAY_RIDGE = 0.42
FEWEST, MOST = 2, 6
MOST_SEEDS = 999
ROUNDS = 100
#: Places of the ridge over which the last sentence averages.
RIDGES = np.linspace(0, 1, 51)


@dataclass(frozen=True)
class SearchPictureState:
    """All there is to know of one picture.

    Attributes
    ----------
    points : int
        Values of each setting in the grid, 2 to 6; both searches have points² trials.
    seed : int
        Of the random draw, 0 to 999.
    ridge : float
        Where along the horizontal axis scores are best, 0 to 1.
    weight : float
        How much the vertical setting counts, 0 (not at all) to 0.5 (as much as the horizontal one).
    """

    points: int = 4
    seed: int = 1
    ridge: float = 0.44
    weight: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.points, int) or not FEWEST <= self.points <= MOST:
            raise ValueError(f"points is a whole number from {FEWEST} to {MOST}, not {self.points!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed <= MOST_SEEDS:
            raise ValueError(f"seed is a whole number from 0 to {MOST_SEEDS}, not {self.seed!r}.")
        if not 0 <= self.ridge <= 1:
            raise ValueError(f"ridge lies between 0 and 1, not at {self.ridge!r}.")
        if not 0 <= self.weight <= 0.5:
            raise ValueError(f"weight lies between 0 and 0.5, not at {self.weight!r}.")


def toolkit_grid(space: Space, points: int) -> list[Setting]:
    """List all combinations as the exercise defines them."""
    settings: list[Setting] = [{}]
    for name, (low, high) in space.items():
        values = [low * (high / low) ** (i / (points - 1)) for i in range(points)]
        settings = [{**setting, name: value} for setting in settings for value in values]
    return settings


def toolkit_random_search(
    score: Callable[[Setting], float], space: Space, trials: int, rng: np.random.Generator
) -> tuple[Setting, list[Setting], list[float]]:
    """Draw and score settings as the exercise defines it; scores of this widget are never NaN."""
    rows = rng.random((trials, len(space)))
    settings = [
        {name: low * (high / low) ** float(u) for (name, (low, high)), u in zip(space.items(), row, strict=True)}
        for row in rows
    ]
    scores = [score(setting) for setting in settings]
    return settings[int(np.argmax(scores))], settings, scores


def height(place: Array | float, ridge: Array | float) -> Array:
    """Return the height of a ridge, 0 to 1, at places along an axis."""
    return np.asarray(np.exp(-(((place - ridge) / WIDTH) ** 2)))


def place_of(setting: Setting) -> tuple[float, float]:
    """Return where a setting stands, as shares of the two logarithmic axes."""
    x, y = (float(np.log(setting[name] / low) / np.log(high / low)) for name, (low, high) in SPACE.items())
    return x, y


def scorer(state: SearchPictureState) -> Callable[[Setting], float]:
    """Return the function that scores a setting, 0 to 1."""

    def score(setting: Setting) -> float:
        x, y = place_of(setting)
        return float((1 - state.weight) * height(x, state.ridge) + state.weight * height(y, DECAY_RIDGE))

    return score


def settings_of(value: Any, count: int) -> list[Setting] | None:
    """Return a list of `count` settings with two positive numbers each, None where it is none."""
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    rows: list[Setting] = []
    for row in value:
        try:
            setting = {name: float(row[name]) for name in SPACE}
        except (KeyError, TypeError, ValueError, IndexError):
            return None
        if not all(0 < number < np.inf for number in setting.values()):
            return None
        rows.append(setting)
    return rows


def grid_points(state: SearchPictureState, trade: Trade) -> list[Setting]:
    """Return the points of the learner's grid, of the toolkit's where that cannot be used."""
    truth = toolkit_grid(SPACE, state.points)
    outcome = trade.ask(SPACE, state.points)
    if outcome is None:
        return truth
    rows = settings_of(outcome.value, len(truth))
    if rows is None:
        trade.refuse(f"returned no list of {len(truth)} settings with positive numbers")
        return truth
    if not np.allclose([place_of(row) for row in rows], [place_of(row) for row in truth], atol=1e-6):
        trade.words = "Your grid differs from the toolkit's. Yours is drawn."
    return rows


def random_points(state: SearchPictureState, trade: Trade, seed: int) -> list[Setting]:
    """Return the trials of the learner's random search, of the toolkit's where that cannot be used."""
    score, trials = scorer(state), state.points**2
    best, truth, _ = toolkit_random_search(score, SPACE, trials, np.random.default_rng(seed))
    outcome = trade.ask(score, SPACE, trials, np.random.default_rng(seed))
    if outcome is None:
        return truth
    value = outcome.value
    rows = settings_of(value[1], trials) if isinstance(value, list | tuple) and len(value) == 3 else None
    kept = settings_of([value[0]], 1) if rows is not None else None
    if rows is None or kept is None:
        trade.refuse(f"returned no (best, settings, scores) with {trials} settings")
        return truth
    if not np.allclose([place_of(row) for row in rows], [place_of(row) for row in truth], atol=1e-6):
        trade.words = "The settings of your random_search differ from the toolkit's. Yours are drawn."
    elif not np.allclose(place_of(kept[0]), place_of(best), atol=1e-6):
        trade.words = "Your random_search draws the right settings, but keeps another one than the best."
    return rows


def best_along(state: SearchPictureState, settings: list[Setting]) -> Array:
    """Return the best score of these settings for each of the places of the ridge, shape (len(RIDGES),)."""
    low, high = np.array([SPACE[name] for name in (RATE, DECAY)]).T
    values = np.array([[setting[RATE], setting[DECAY]] for setting in settings])
    x, y = (np.log(values / low) / np.log(high / low)).T
    across, up = height(x[:, None], RIDGES), height(y, DECAY_RIDGE)
    return np.asarray(((1 - state.weight) * across + state.weight * up[:, None]).max(axis=0))


def side_of(state: SearchPictureState, settings: list[Setting]) -> dict[str, Any]:
    """Describe one of the two squares: its points with their scores, and which of them is the best."""
    score = scorer(state)
    places = [place_of(setting) for setting in settings]
    scores = [score(setting) for setting in settings]
    return {
        "points": [[round(x, 4), round(y, 4), round(s, 4)] for (x, y), s in zip(places, scores, strict=True)],
        "best": int(np.argmax(scores)),
        "found": round(max(scores), 4),
        "values": [len({round(place[axis], 6) for place in places}) for axis in (0, 1)],
    }


def view_of(state: SearchPictureState, grid: Learner = None, random_search: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : SearchPictureState
    grid, random_search : callable or None
        The learner's functions; the toolkit fills in where one is missing or fails.
    """
    by_grid, by_chance = Trade("grid", grid), Trade("random_search", random_search)
    grid_rows = grid_points(state, by_grid)
    left, along = side_of(state, grid_rows), best_along(state, grid_rows)
    right = side_of(state, random_points(state, by_chance, state.seed))
    score = scorer(state)
    wins, leads = 0, []
    for round_ in range(ROUNDS):
        # The first error of a learner's function is what is said; the rest of the rounds is the toolkit's.
        rows = random_points(state, by_chance, 1000 + round_)
        wins += max(score(row) for row in rows) > left["found"]
        # The same trials on every place of the ridge: random search does not look at the scores when it draws.
        leads.append(best_along(state, rows) - along)
    missing = [trade.name for trade in (by_grid, by_chance) if trade.missing]
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": trade.words, "wrong": True} for trade in (by_grid, by_chance) if trade.words]
    axis = np.linspace(0, 1, 49)
    return {
        "points": [state.points, FEWEST, MOST],
        "ridge": state.ridge,
        "weight": state.weight,
        "profiles": [np.round(height(axis, place), 3).tolist() for place in (state.ridge, DECAY_RIDGE)],
        "names": [RATE, DECAY],
        "grid": left,
        "random": right,
        "notes": notes,
        "status": (
            f"{state.points**2} trials each. The grid tries {counted(left['values'][0], 'learning rate')} and finds "
            f"{number(left['found'])}; random search tries {right['values'][0]} and finds {number(right['found'])}. "
            f"In {wins} of {ROUNDS} other draws random search finds more than the grid. Over all places of the ridge "
            f"it does so in {100 * np.mean(np.array(leads) > 0):.0f} % of the cases; mean lead {np.mean(leads):+.2f}."
        ),
    }


class SearchPicture(CourseWidget[SearchPictureState]):
    """A grid and random search side by side, made by your ``grid`` and ``random_search``.

    Parameters
    ----------
    grid : callable or None
        Yours: ``grid(space, points)`` lists settings. Without it, or while it raises ``NotImplementedError``, the
        toolkit makes the points and says so.
    random_search : callable or None
        Yours: ``random_search(score, space, trials, rng)`` returns best, settings and scores.
    points, seed, ridge, weight
        See :class:`SearchPictureState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> SearchPicture(points=3, ridge=0.6).as_code()
    'SearchPicture(points=3, ridge=0.6)'
    """

    _esm, _css = assets("search_picture")

    def __init__(
        self,
        grid: Learner = None,
        random_search: Learner = None,
        *,
        points: int = SearchPictureState.points,
        seed: int = SearchPictureState.seed,
        ridge: float = SearchPictureState.ridge,
        weight: float = SearchPictureState.weight,
    ) -> None:
        self.grid, self.random_search = grid, random_search
        state = SearchPictureState(points, seed, ridge, weight)
        super().__init__(state, (("grid", grid), ("random_search", random_search)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.grid, self.random_search)

    def act(self, state: SearchPictureState, action: str, values: dict[str, Any]) -> SearchPictureState:
        """Answer the button that draws anew."""
        if action == "draw":
            return replace(state, seed=(state.seed + 1) % (MOST_SEEDS + 1))
        return super().act(state, action, values)
