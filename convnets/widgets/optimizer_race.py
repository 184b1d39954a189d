"""Optimizers racing on a surface from a start point that is chosen by click; earlier paths stay.

The six rules are those of module 04, each ``x, state = rule(x, grad, state, lr)``. The learner's functions run where
they are written; the toolkit's run elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Trade, as_numbers, assets, counted, number

# The toolkit's stand-in for a function of the learner, with the sentences about it, is shared with the playground.

State = dict[str, Any]
Rule = Callable[..., tuple[Array, State]]

MAX_STEPS = 300
#: Steps between two pictures and the rest between them in milliseconds.
CHUNK, TICK_MS = 2, 40
#: Earlier paths that stay in the picture.
MAX_KEPT = 18
#: A path that leaves this multiple of the picture's half width is called diverged and ends.
DIVERGED = 50.0
#: Columns and rows of the heights that the browser paints.
GRID = (96, 60)
#: Width and height of the picture in its own units.
WIDTH, HEIGHT = 960, 600
#: Learning rates that can be chosen.
LADDER = (*(float(f"{digit}e{power}") for power in range(-5, 0) for digit in (1, 2, 3, 5, 7)), 1.0, 2.0)
#: An optimizer has arrived when f is within this of the lowest value.
ARRIVED = 1e-2
#: The rate at which earlier velocity and averages are forgotten: the defaults of module 04.
MU, DECAY, BETA1, BETA2 = 0.9, 0.99, 0.9, 0.999


def sgd(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step of gradient descent."""
    return x - lr * grad, state


def momentum(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step with momentum 0.9."""
    v = MU * state.get("v", 0.0) - lr * grad
    return x + v, {"v": v}


def nesterov(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step of Nesterov's rule with momentum 0.9; x is the place ahead."""
    v = MU * state.get("v", 0.0) - lr * grad
    return x + MU * v - lr * grad, {"v": v}


def adagrad(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step of Adagrad."""
    total = state.get("cache", 0.0) + grad**2
    return x - lr * grad / (np.sqrt(total) + 1e-10), {"cache": total}


def rmsprop(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step of RMSProp with decay 0.99."""
    average = DECAY * state.get("cache", 0.0) + (1 - DECAY) * grad**2
    return x - lr * grad / (np.sqrt(average) + 1e-8), {"cache": average}


def adam(x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
    """Take a step of Adam with bias correction."""
    t = state.get("t", 0) + 1
    m = BETA1 * state.get("m", 0.0) + (1 - BETA1) * grad
    v = BETA2 * state.get("v", 0.0) + (1 - BETA2) * grad**2
    return x - lr * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + 1e-8), {"m": m, "v": v, "t": t}


#: The toolkit's rules in the order of the widget's arguments.
RULES: dict[str, Rule] = {rule.__name__: rule for rule in (sgd, momentum, nesterov, adagrad, rmsprop, adam)}
#: How the table names them.
TITLES = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "adagrad": "Adagrad",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}


@dataclass(frozen=True)
class Surface:
    """A function of two variables, its gradient and how it is shown.

    Attributes
    ----------
    height, gradient : callable
        Of x and y, numbers or arrays of one shape; the gradient as a pair.
    box : tuple of float
        Left, right, bottom, top of the picture.
    start : tuple of float
        Where a race begins at first.
    minima : tuple of (float, float)
        The lowest points.
    lrs : tuple of float
        A learning rate for each rule, in the order of `RULES`, with which it gets somewhere.
    noise : float
        Standard deviation of what is added to each entry of the gradient.
    words : str
        What it is, in a few words.
    """

    height: Callable[[Any, Any], Any]
    gradient: Callable[[Any, Any], tuple[Any, Any]]
    box: tuple[float, float, float, float]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]
    lrs: tuple[float, ...]
    noise: float
    words: str

    @property
    def lowest(self) -> float:
        """The smallest value of the function."""
        return float(self.height(*self.minima[0]))


def _beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    along_x = 2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1))
    return along_x, 2 * x * (a + 2 * b * y + 3 * c * y**2)


SURFACES: dict[str, Surface] = {
    "ravine": Surface(
        height=lambda x, y: 0.5 * (x**2 + 50 * y**2),
        gradient=lambda x, y: (x, 50 * y),
        box=(-11.0, 5.0, -1.7, 1.7),
        start=(-10.0, 1.0),
        minima=((0.0, 0.0),),
        lrs=(0.03, 0.01, 0.01, 1.0, 0.2, 0.5),
        noise=0.0,
        words="½(x² + 50y²): steep across, flat along",
    ),
    "saddle": Surface(
        height=lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.05 * y**4,
        gradient=lambda x, y: (x, -y + 0.2 * y**3),
        box=(-5.2, 5.2, -3.25, 3.25),
        start=(-4.0, 0.01),
        minima=((0.0, math.sqrt(5.0)), (0.0, -math.sqrt(5.0))),
        lrs=(0.1, 0.03, 0.03, 0.5, 0.05, 0.1),
        noise=0.0,
        words="½x² − ½y² + 0.05y⁴: a pass at (0, 0) between two hollows",
    ),
    "beale": Surface(
        height=_beale,
        gradient=_beale_gradient,
        box=(-4.8, 4.8, -3.0, 3.0),
        start=(1.0, 1.5),
        minima=((3.0, 0.5),),
        lrs=(0.01, 0.002, 0.002, 0.5, 0.05, 0.1),
        noise=0.0,
        words="Beale's function: a flat curved valley between walls of height 10⁵",
    ),
    "noisy": Surface(
        height=lambda x, y: 0.5 * (x**2 + 5 * y**2),
        gradient=lambda x, y: (x, 5 * y),
        box=(-7.0, 4.2, -3.5, 3.5),
        start=(-6.0, 2.0),
        minima=((0.0, 0.0),),
        lrs=(0.1, 0.02, 0.02, 1.0, 0.1, 0.2),
        noise=4.0,
        words="½(x² + 5y²), every gradient off by chance as in a minibatch",
    ),
}

Kept = tuple[str, float, float, float, int]
"""An earlier path: the rule, its learning rate, x and y of the start, steps taken."""


@dataclass(frozen=True)
class RaceState:
    """All settings of the race and how far it has come.

    Attributes
    ----------
    surface : {"ravine", "saddle", "beale", "noisy"}
    start : tuple of float
        x and y of the start, inside the picture; empty for the surface's own.
    lrs : tuple of float
        Learning rate of each of the six rules; empty for the surface's own.
    shown : tuple of str
        The rules that race.
    steps : int
        Steps taken, 0 to 300.
    kept : tuple
        Earlier paths, each (rule, lr, x, y, steps); at most 18.
    seed : int
        Of the noise.
    playing : bool
        Whether the race goes on by itself.
    """

    surface: str = "ravine"
    start: tuple[float, ...] = ()
    lrs: tuple[float, ...] = ()
    shown: tuple[str, ...] = ("sgd", "momentum", "adam")
    steps: int = 0
    kept: tuple[Kept, ...] = ()
    seed: int = 0
    playing: bool = False

    def __post_init__(self) -> None:
        if self.surface not in SURFACES:
            raise ValueError(f"surface is one of {', '.join(SURFACES)}, not {self.surface!r}")
        surface = SURFACES[self.surface]
        for name, default in (("start", surface.start), ("lrs", surface.lrs)):
            values = tuple(float(value) for value in getattr(self, name))
            object.__setattr__(self, name, () if values == default else values)
        kept = tuple((str(rule), float(lr), float(x), float(y), int(n)) for rule, lr, x, y, n in self.kept)
        object.__setattr__(self, "kept", kept)
        # In the table's order, so that one choice is written in one way only.
        object.__setattr__(self, "shown", tuple(sorted(set(self.shown), key=rank)))
        if self.start and not inside(self.start, surface.box):
            left, right, bottom, top = surface.box
            raise ValueError(
                f"start lies in the picture, x from {left:g} to {right:g} and y from {bottom:g} to {top:g}, "
                f"not at {list(self.start)}"
            )
        if self.lrs and (len(self.lrs) != len(RULES) or not all(0 < lr <= 10 for lr in self.lrs)):
            raise ValueError(f"lrs holds {len(RULES)} learning rates above 0 and at most 10, not {list(self.lrs)}")
        unknown = [rule for rule in (*self.shown, *(path[0] for path in kept)) if rule not in RULES]
        if unknown:
            raise ValueError(f"the rules are {', '.join(RULES)}, not {unknown[0]!r}")
        if not 0 <= self.steps <= MAX_STEPS:
            raise ValueError(f"steps lies between 0 and {MAX_STEPS}, not at {self.steps}")
        if len(kept) > MAX_KEPT:
            raise ValueError(f"kept holds at most {MAX_KEPT} earlier paths, not {len(kept)}")
        if self.seed < 0:
            raise ValueError(f"seed is a whole number from 0, not {self.seed}")

    @property
    def place(self) -> tuple[float, ...]:
        """The start point, the surface's own where none was chosen."""
        return self.start or SURFACES[self.surface].start

    @property
    def rates(self) -> tuple[float, ...]:
        """The six learning rates, the surface's own where none were chosen."""
        return self.lrs or SURFACES[self.surface].lrs


def rank(rule: str) -> int:
    """Return the place of a rule in the table; an unknown one comes last."""
    return list(RULES).index(rule) if rule in RULES else len(RULES)


def inside(place: Sequence[float], box: tuple[float, float, float, float]) -> bool:
    """Return whether (x, y) lies in a box (left, right, bottom, top)."""
    return len(place) == 2 and box[0] <= place[0] <= box[1] and box[2] <= place[1] <= box[3]


def with_paths_kept(state: RaceState) -> RaceState:
    """Return the state with the present paths among the earlier ones, the oldest dropped."""
    if state.steps == 0:
        return state
    x, y = state.place
    paths: list[Kept] = [(rule, state.rates[rank(rule)], x, y, state.steps) for rule in state.shown]
    kept = [path for path in state.kept if path not in paths] + paths
    return replace(state, kept=tuple(kept[-MAX_KEPT:]))


def next_state(state: RaceState, action: str, values: dict[str, Any]) -> RaceState:
    """Return the state after a control was used.

    Parameters
    ----------
    state : RaceState
        The present state.
    action : {"play", "pause", "step", "tick", "reset", "keep", "clear", "start", "nudge", "toggle", "surface", "set"}
        What was asked for.
    values : dict
        ``at`` (shares of width and height from the top left) for start, ``by`` (fortieths of the picture) for nudge,
        ``rule`` for toggle, ``surface`` for surface, fields of the state for set.
    """
    surface = SURFACES[state.surface]
    left, right, bottom, top = surface.box
    match action:
        case "play":
            # At the end the race begins anew.
            return replace(state, playing=True, steps=0 if state.steps == MAX_STEPS else state.steps)
        case "pause":
            return replace(state, playing=False)
        case "step":
            return replace(state, playing=False, steps=min(state.steps + 1, MAX_STEPS))
        case "tick":
            steps = min(state.steps + CHUNK, MAX_STEPS) if state.playing else state.steps
            return replace(state, steps=steps, playing=state.playing and steps < MAX_STEPS)
        case "reset":
            return replace(state, playing=False, steps=0)
        case "keep":
            return with_paths_kept(state)
        case "clear":
            return replace(state, kept=())
        case "start" | "nudge":
            if action == "start":
                x = left + values["at"][0] * (right - left)
                y = top - values["at"][1] * (top - bottom)
            else:
                x = state.place[0] + values["by"][0] * (right - left) / 40
                y = state.place[1] + values["by"][1] * (top - bottom) / 40
            place = (round(min(max(x, left), right), 3), round(min(max(y, bottom), top), 3))
            return replace(with_paths_kept(state), start=place, steps=0, playing=action == "start")
        case "toggle":
            rule = values["rule"]
            shown = tuple(other for other in state.shown if other != rule)
            return replace(state, shown=shown if rule in state.shown else (*shown, rule))
        case "surface":
            # A start, learning rates and paths of one surface mean nothing on another.
            return RaceState(values["surface"], shown=state.shown, seed=state.seed)
        case "set":
            return replace(state, **values)
    raise ValueError(f"OptimizerRace knows no action {action!r}")


@cache
def noise_of(surface: str, seed: int) -> Array:
    """Return what is added to the gradient at each step, (MAX_STEPS, 2): the same for all rules, for a fair race."""
    drawn: Array = np.random.default_rng(seed).standard_normal((MAX_STEPS, 2))
    return SURFACES[surface].noise * drawn


class Runner:
    """Runs rules on a surface and remembers their paths, so that going on costs only the new steps.

    Parameters
    ----------
    functions : dict of callable or None
        The learner's rule under each name of `RULES`.
    """

    def __init__(self, functions: dict[str, Callable[..., Any] | None]) -> None:
        self.trades = {name: Trade(name, function) for name, function in functions.items()}
        self._paths: dict[tuple[Any, ...], tuple[list[Array], State]] = {}
        for name in RULES:
            self._try(name)

    def path(self, rule: str, lr: float, start: Sequence[float], surface: str, seed: int, steps: int) -> Array:
        """Return the places visited, the start first, (steps + 1, 2); fewer where the path left all bounds.

        Parameters
        ----------
        rule : str
            A name of `RULES`.
        lr : float
            Learning rate.
        start : (float, float)
            Where it begins.
        surface : str
            A name of `SURFACES`.
        seed : int
            Of the noise.
        steps : int
            How many steps.
        """
        key = (rule, lr, *start, surface, seed)
        places, state = self._paths.get(key, ([np.array(start, dtype=np.float64)], {}))
        shape = SURFACES[surface]
        far = DIVERGED * max(shape.box[1] - shape.box[0], shape.box[3] - shape.box[2]) / 2
        with np.errstate(all="ignore"):
            while len(places) <= steps and bool(np.all(np.abs(places[-1]) <= far)):
                grad = np.array(shape.gradient(*places[-1])) + noise_of(surface, seed)[len(places) - 1]
                new, state = self.step(rule, places[-1], grad, state, lr)
                places.append(new)
        # A rule replaced on the way is replaced from there on: its paths so far stay as they were.
        self._paths[key] = (places, state)
        return np.array(places[: steps + 1])

    def step(self, rule: str, x: Array, grad: Array, state: State, lr: float) -> tuple[Array, State]:
        """Take one step with the learner's rule, with the toolkit's where that cannot be used."""
        trade = self.trades[rule]
        outcome = trade.ask(x, grad, state, lr)
        if outcome is not None:
            answer = outcome.value
            if not isinstance(answer, tuple | list) or len(answer) != 2:
                trade.refuse("does not return two things, x and state")
            elif (new := as_numbers(answer[0])) is None or new.shape != x.shape:
                trade.refuse(f"returns no x of shape {x.shape} for one of that shape")
            elif not isinstance(answer[1], dict):
                trade.refuse("returns no dict as its state")
            else:
                return new, answer[1]
        try:
            return RULES[rule](x, grad, state, lr)
        except (TypeError, ValueError):  # a state that the learner's rule left behind
            return RULES[rule](x, grad, {}, lr)

    def _try(self, rule: str) -> None:
        """Compare three steps with the toolkit's; a difference is said, and the learner's rule goes on racing."""
        mine = theirs = np.array([1.0, -2.0])
        state: State = {}
        their_state: State = {}
        with np.errstate(all="ignore"):
            for step, grad in enumerate(np.array([[3.0, -40.0], [1.0, 5.0], [-2.0, 0.5]]), start=1):
                mine, state = self.step(rule, mine, grad, state, 0.1)
                theirs, their_state = RULES[rule](theirs, grad, their_state, 0.1)
                trade = self.trades[rule]
                if trade.function is not None and not np.allclose(mine, theirs, rtol=1e-6, atol=1e-9):
                    trade.words = (
                        f"Your {rule} differs from the toolkit's: after step {step} of a trial its x is "
                        f"({number(mine[0])}, {number(mine[1])}), the toolkit's ({number(theirs[0])}, "
                        f"{number(theirs[1])}). The race runs yours."
                    )
                    return


@cache
def heights_of(surface: str) -> bytes:
    """Return the surface for the browser to paint: GRID float32, row by row from the top, 0 lowest and 1 highest.

    The logarithm of the height above the minimum is what is shown: level lines stay visible near the minimum as on
    the walls.
    """
    shape = SURFACES[surface]
    left, right, bottom, top = shape.box
    x, y = np.meshgrid(np.linspace(left, right, GRID[0]), np.linspace(top, bottom, GRID[1]))
    level = np.log(shape.height(x, y) - shape.lowest + 0.02)
    level = (level - level.min()) / (level.max() - level.min())
    return bytes(level.astype("<f4").tobytes())


def drawn(path: Array, box: tuple[float, float, float, float]) -> list[list[int]]:
    """Return the corners of a path in the picture's units, those that do not move left out."""
    left, right, bottom, top = box
    # What lies far outside is drawn at the edge of what a browser can draw.
    x = np.clip((path[:, 0] - left) / (right - left) * WIDTH, -9999, 9999)
    y = np.clip((top - path[:, 1]) / (top - bottom) * HEIGHT, -9999, 9999)
    corners = np.rint(np.nan_to_num(np.stack([x, y], axis=1))).astype(int)
    moved = np.any(np.diff(corners, axis=0) != 0, axis=1)
    return [[int(a), int(b)] for a, b in corners[np.concatenate([[True], moved])]]


def arrival(values: Array, lowest: float) -> int | None:
    """Return the step from which f stays within `ARRIVED` of the lowest value, None where it does not (yet)."""
    away = np.flatnonzero(~(values - lowest < ARRIVED))
    first = int(away[-1]) + 1 if away.size else 0
    return first if first < len(values) else None


def view_of(state: RaceState, runner: Runner) -> dict[str, Any]:
    """Return everything that the browser draws.

    Parameters
    ----------
    state : RaceState
        What is set and shown.
    runner : Runner
        Runs the rules.
    """
    surface = SURFACES[state.surface]
    rows = []
    for rule, lr in zip(RULES, state.rates, strict=True):
        row: dict[str, Any] = {"rule": rule, "title": TITLES[rule], "lr": lr, "shown": rule in state.shown}
        row["place_on_ladder"] = int(np.argmin(np.abs(np.log(np.array(LADDER) / lr))))
        if row["shown"]:
            path = runner.path(rule, lr, state.place, state.surface, state.seed, state.steps)
            with np.errstate(all="ignore"):
                values = np.asarray(surface.height(path[:, 0], path[:, 1]), dtype=np.float64)
            row["diverged"] = len(path) <= state.steps
            row["arrived"] = None if row["diverged"] else arrival(values, surface.lowest)
            row["value"] = "diverged" if row["diverged"] else f"{values[-1]:.3g}".replace("-", "−")
            row["path"] = drawn(path, surface.box)
        # After the path, whose last step may have broken the learner's rule.
        row["wrong"] = bool(runner.trades[rule].words)
        rows.append(row)
    earlier = [
        {"rule": rule, "path": drawn(runner.path(rule, lr, (x, y), state.surface, state.seed, steps), surface.box)}
        for rule, lr, x, y, steps in state.kept
    ]
    return {
        "surface": state.surface,
        "words": surface.words,
        "heights": heights_of(state.surface),
        "grid": list(GRID),
        "ladder": list(LADDER),
        "start": drawn(np.array([state.place]), surface.box)[0],
        "start_words": f"start ({number(state.place[0])}, {number(state.place[1])})",
        "minima": drawn(np.array(surface.minima), surface.box),
        "rows": rows,
        "earlier": earlier,
        "steps": state.steps,
        "most_steps": MAX_STEPS,
        "playing": state.playing,
        "notes": notes(runner),
        "status": describe(state, rows),
        **({"tick_ms": TICK_MS} if state.playing else {}),
    }


def notes(runner: Runner) -> list[dict[str, Any]]:
    """Return the sentences about the learner's functions, each with whether it tells of something wrong."""
    trades = runner.trades.values()
    said = [{"text": trade.words, "wrong": True} for trade in trades if trade.words]
    missing = [trade.name for trade in trades if trade.missing]
    if missing:
        text = f"Not written yet: {', '.join(missing)}. The toolkit's own run there."
        said.append({"text": text, "wrong": False})
    at_work = [trade.name for trade in trades if not trade.words and not trade.missing]
    if at_work:
        said.append({"text": f"Your functions in the race: {', '.join(at_work)}.", "wrong": False})
    return said


def describe(state: RaceState, rows: list[dict[str, Any]]) -> str:
    """Return the sentence that is read aloud; it stays the same while the race goes on."""
    racing = [row for row in rows if row["shown"]]
    names = ", ".join(row["title"] for row in racing) or "nobody"
    place = f"({number(state.place[0])}, {number(state.place[1])})"
    if state.playing:
        return f"On their way from {place} on the {state.surface} surface: {names}."
    if state.steps == 0:
        return f"At the start {place} on the {state.surface} surface: {names}. Press Race, or click in the picture."
    arrived = sorted((row["arrived"], row["title"]) for row in racing if row["arrived"] is not None)
    told = [f"{title} arrived at step {step}" for step, title in arrived]
    told += [f"{row['title']} diverged" for row in racing if row["diverged"]]
    told += [
        f"{row['title']} is at f = {row['value']}" for row in racing if row["arrived"] is None and not row["diverged"]
    ]
    return f"After {counted(state.steps, 'step')} from {place}: {'; '.join(told) or 'nobody races'}."


class OptimizerRace(CourseWidget[RaceState]):
    """Six update rules on four surfaces, from a start that is set by click or by the arrow keys.

    Parameters
    ----------
    sgd, momentum, nesterov, adagrad, rmsprop, adam : callable, optional
        The learner's rules, each ``(x, grad, state, lr) -> (x, state)`` with the defaults of module 04. Where one is
        not written, the toolkit's is used, and the widget says so.
    surface, start, lrs, shown, steps, kept, seed
        See :class:`RaceState`.

    Raises
    ------
    ValueError
        For a setting that does not exist or is out of range.
    """

    _esm, _css = assets("optimizer_race")
    passing = frozenset({"playing"})

    def __init__(
        self,
        sgd: Callable[..., Any] | None = None,
        momentum: Callable[..., Any] | None = None,
        nesterov: Callable[..., Any] | None = None,
        adagrad: Callable[..., Any] | None = None,
        rmsprop: Callable[..., Any] | None = None,
        adam: Callable[..., Any] | None = None,
        *,
        surface: str = "ravine",
        start: Sequence[float] = (),
        lrs: Sequence[float] = (),
        shown: Sequence[str] = ("sgd", "momentum", "adam"),
        steps: int = 0,
        kept: Sequence[Sequence[Any]] = (),
        seed: int = 0,
    ) -> None:
        paths = tuple((str(rule), float(lr), float(x), float(y), int(n)) for rule, lr, x, y, n in kept)
        state = RaceState(surface, tuple(start), tuple(lrs), tuple(shown), steps, paths, seed)
        functions = dict(zip(RULES, (sgd, momentum, nesterov, adagrad, rmsprop, adam), strict=True))
        self.runner = Runner(functions)
        super().__init__(state, tuple(functions.items()))

    def picture(self) -> dict[str, Any]:
        """Run the rules up to the present step and return the view."""
        return view_of(self.state, self.runner)

    def act(self, state: RaceState, action: str, values: dict[str, Any]) -> RaceState:
        """Answer the controls, and the ticks that keep the race going."""
        return next_state(state, action, values)
