"""A learning-rate schedule drawn by hand, and the loss of the learner's ``sgd`` that follows it.

The task is a noisy quadratic, the ravine of module 04 with gradients that are off by chance: a large learning rate is
needed to come along the flat direction in time, a small one to come to rest across the steep one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from convnets.widgets.base import Array, CourseWidget, Trade, as_numbers, assets, counted, number

# The toolkit's stand-in for a function of the learner, with the sentences about it, is shared with the playground.

#: Stretches that can be drawn, steps in each, runs whose mean loss is shown.
STRETCHES, STRETCH, RUNS = 20, 10, 64
STEPS = STRETCHES * STRETCH
#: Curvature of the two directions, the start of every run, standard deviation of the gradient's noise.
CURVATURE = np.array([1.0, 50.0])
START = np.array([10.0, 1.0])
NOISE = 3.0
#: Learning rates that can be drawn: ten rungs for each power of ten.
LADDER = tuple(float(f"{10 ** (-4 + rung / 10):.3g}") for rung in range(31))
LOWEST, HIGHEST = LADDER[0], LADDER[-1]
FIRST_LR = LADDER[23]
#: Above this learning rate gradient descent leaves the ravine.
LIMIT = 2 / 50
#: The chart of the loss ends here; higher losses are drawn at its edge.
LOSS_RANGE = (0.02, 200.0)
#: A run whose mean loss has passed this has diverged, and stays so.
DIVERGED = 1e4

#: What the buttons draw: the arguments of the learner's ``schedule`` with one step of t per stretch.
PRESETS: dict[str, dict[str, Any]] = {
    "step": {"every": 5, "factor": 0.5},
    "exponential": {"k": 0.1},
    "cosine": {"total": STRETCHES, "lr_min": LOWEST},
    "plateau": {"factor": 0.5, "patience": 1},
}


def sgd(x: Array, grad: Array, state: dict[str, Any], lr: float) -> tuple[Array, dict[str, Any]]:
    """Take a step of gradient descent."""
    return x - lr * grad, state


def schedule(
    kind: str,
    lr: float,
    t: int,
    *,
    every: int = 10,
    factor: float = 0.5,
    k: float = 0.05,
    total: int = 100,
    lr_min: float = 0.0,
    losses: Sequence[float] = (),
    patience: int = 10,
) -> float:
    """Return the learning rate at t: the toolkit's ``schedule`` of module 04."""
    if kind == "step":
        return lr * float(factor ** (t // every))
    if kind == "exponential":
        return lr * float(np.exp(-k * t))
    if kind == "cosine":
        return lr_min + 0.5 * (lr - lr_min) * (1 + float(np.cos(np.pi * min(t / total, 1.0))))
    best, bad = np.inf, 0
    for loss in losses[:t]:
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad > patience:
            lr, bad = lr * factor, 0
    return lr


def diagnose(losses: Sequence[float]) -> str:
    """Return "very high", "high", "low" or "good": the toolkit's ``diagnose`` of module 04."""
    curve = np.asarray(losses, dtype=np.float64)
    if not np.all(np.isfinite(curve)):
        return "very high"
    n, q = len(curve), len(curve) // 4
    tail, before = curve[-q:].mean(), curve[-2 * q : -q].mean()
    drop, fall = curve[0] - tail, before - tail
    climb = np.maximum(np.diff(curve[n // 2 :]), 0).sum()
    falling = fall > 0.05 * drop and climb <= 0.05 * drop
    if drop <= 0 or (drop < 0.1 * curve[0] and not falling):
        return "very high"
    if climb > 0.05 * drop:
        return "high"
    return "low" if falling else "good"


@dataclass(frozen=True)
class SketchState:
    """The schedule that is drawn.

    Attributes
    ----------
    lrs : tuple of float
        The learning rate of each of the 20 stretches, 0.0001 to 0.1.
    best : tuple of float
        The schedule that ended lowest so far; empty before there is one.
    """

    lrs: tuple[float, ...] = (FIRST_LR,) * STRETCHES
    best: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lrs", "best"):
            object.__setattr__(self, name, tuple(float(lr) for lr in getattr(self, name)))
        if len(self.lrs) != STRETCHES:
            raise ValueError(f"lrs holds {STRETCHES} learning rates, one for each stretch, not {len(self.lrs)}")
        outside = [lr for lr in self.lrs if not LOWEST <= lr <= HIGHEST]
        if outside:
            raise ValueError(f"a learning rate lies between {LOWEST:g} and {HIGHEST:g}, not at {outside[0]:g}")


@cache
def noise() -> Array:
    """Return what is added to the gradients of each step and run, (STEPS, RUNS, 2): the same for every schedule."""
    drawn: Array = np.random.default_rng(4).standard_normal((STEPS, RUNS, 2))
    return NOISE * drawn


def mean_loss(x: Array) -> float:
    """Return ½ (x² + 50 y²), the mean over all runs, of places x (RUNS, 2)."""
    return float(np.mean(0.5 * (CURVATURE * x**2).sum(axis=-1)))


def with_settings(function: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """Return a `schedule` that takes its keyword arguments as one dict, as :class:`Trade` hands on positions only."""
    return function and (lambda kind, lr, t, settings: function(kind, lr, t, **settings))


class Follower:
    """Lets the learner's ``sgd`` follow schedules, draws what ``schedule`` returns, and asks ``diagnose``.

    Parameters
    ----------
    learner_sgd, learner_schedule : callable or None
        The learner's functions.
    learner_diagnose : callable or None
        The learner's ``diagnose(losses)``; with None nothing is diagnosed.
    """

    def __init__(
        self,
        learner_sgd: Callable[..., Any] | None,
        learner_schedule: Callable[..., Any] | None,
        learner_diagnose: Callable[..., Any] | None = None,
    ) -> None:
        self.sgd = Trade("sgd", learner_sgd)
        self.diagnose = Trade("diagnose", learner_diagnose) if learner_diagnose else None
        self.schedule = Trade("schedule", with_settings(learner_schedule))
        self._known: dict[tuple[float, ...], Array] = {}
        self._try_sgd()
        self._try_schedule()

    def losses(self, lrs: tuple[float, ...]) -> Array:
        """Return the mean loss before the first step and after each, (STEPS + 1,), for a learning rate a stretch."""
        if lrs not in self._known:
            x = np.tile(START, (RUNS, 1))
            curve = [mean_loss(x)]
            for stretch, lr in enumerate(lrs):
                x, part = self.follow(x, stretch, lr)
                curve += part
            # A quadratic forgives any excursion once lr is small again; numbers in a network do not come back.
            beyond = np.flatnonzero(~(np.array(curve) < DIVERGED))
            if beyond.size:
                curve[beyond[0] :] = [np.inf] * (STEPS + 1 - int(beyond[0]))
            # Every schedule along a dragged bar comes by: a few hundred are worth remembering, thousands are not.
            if len(self._known) > 300:
                self._known.clear()
            self._known[lrs] = np.array(curve)
        return self._known[lrs]

    def follow(self, x: Array, stretch: int, lr: float) -> tuple[Array, list[float]]:
        """Take the steps of one stretch; return where the runs are then and the mean loss after each step."""
        losses = []
        with np.errstate(all="ignore"):
            for t in range(stretch * STRETCH, (stretch + 1) * STRETCH):
                x = self.step(x, CURVATURE * x + noise()[t], lr)
                losses.append(mean_loss(x))
        return x, losses

    def step(self, x: Array, grad: Array, lr: float) -> Array:
        """Take one step with the learner's sgd, with the toolkit's where that cannot be used."""
        outcome = self.sgd.ask(x, grad, {}, lr)
        if outcome is not None:
            answer = outcome.value
            if not isinstance(answer, tuple | list) or len(answer) != 2:
                self.sgd.refuse("does not return two things, x and state")
            elif (new := as_numbers(answer[0])) is None or new.shape != x.shape:
                self.sgd.refuse(f"returns no x of shape {x.shape} for one of that shape")
            else:
                return new
        return sgd(x, grad, {}, lr)[0]

    def rate(self, kind: str, lr: float, t: int, losses: Sequence[float]) -> float:
        """Return the learner's learning rate for stretch t, the toolkit's where that cannot be used."""
        settings = PRESETS[kind] | ({"losses": list(losses)} if kind == "plateau" else {})
        outcome = self.schedule.ask(kind, lr, t, settings)
        if outcome is not None:
            got = as_numbers(outcome.value)
            if got is not None and got.ndim == 0 and np.isfinite(got):
                return float(got)
            self.schedule.refuse(f"returns no number for {kind!r}")
        return schedule(kind, lr, t, **settings)

    def preset(self, kind: str, lr: float) -> tuple[float, ...]:
        """Return the learning rate of each stretch as `schedule` gives it, kept within what can be drawn.

        Parameters
        ----------
        kind : str
            A name of `PRESETS`, or "constant".
        lr : float
            The first learning rate.
        """
        if kind == "constant":
            return (lr,) * STRETCHES
        x = np.tile(START, (RUNS, 1))
        rates: list[float] = []
        means: list[float] = []
        for stretch in range(STRETCHES):
            wanted = self.rate(kind, lr, stretch, means)
            rates.append(float(f"{min(max(wanted, LOWEST), HIGHEST):.3g}"))
            # "plateau" looks at the loss of the stretches before.
            x, part = self.follow(x, stretch, rates[-1])
            means.append(float(np.mean(part)))
        return tuple(rates)

    def diagnosis(self, losses: Array) -> str:
        """Return what `diagnose` says of a curve, the start and the end of each stretch; empty where nobody asked."""
        if self.diagnose is None:
            return ""
        curve = [float(loss) for loss in losses[::STRETCH]]
        expected = diagnose(curve)
        outcome = self.diagnose.ask(curve)
        if outcome is None:
            return expected
        got = outcome.value
        if not isinstance(got, str):
            self.diagnose.refuse("returns no word")
            return expected
        # The words are about the curve that is shown now.
        self.diagnose.words = ""
        if got != expected:
            self.diagnose.words = f"Your diagnose calls this learning rate {got!r}, the toolkit's {expected!r}."
        return got

    def _try_sgd(self) -> None:
        """Compare one step with the toolkit's."""
        x, grad = np.array([[1.0, -2.0]]), np.array([[3.0, -40.0]])
        got, expected = self.step(x, grad, 0.1), sgd(x, grad, {}, 0.1)[0]
        if self.sgd.function is not None and not np.allclose(got, expected, rtol=1e-6, atol=1e-9):
            self.sgd.words = (
                f"Your sgd differs from the toolkit's: it steps from 1 to {number(got[0, 0])}, the toolkit's to "
                f"{number(expected[0, 0])}. The curve follows yours."
            )

    def _try_schedule(self) -> None:
        """Compare a few learning rates with the toolkit's."""
        for kind, settings in PRESETS.items():
            given = settings | ({"losses": [2.0, 1.0, 1.0, 1.0, 1.0, 0.5]} if kind == "plateau" else {})
            for t in (0, 4, 5, 6):
                expected = schedule(kind, 0.02, t, **given)
                got = self.rate(kind, 0.02, t, given.get("losses", ()))
                if self.schedule.function is None:
                    return
                if not np.isclose(got, expected, rtol=1e-6, atol=0.0):
                    self.schedule.words = (
                        f"Your schedule differs from the toolkit's: {kind!r} from 0.02 gives {got:.4g} at t = {t}, the "
                        f"toolkit's {expected:.4g}. The buttons draw yours."
                    )
                    return


def ending(losses: Array) -> float:
    """Return what a schedule is judged by: the mean loss of the last stretch, infinite where it diverged."""
    return float(np.mean(losses[-STRETCH:]))


@cache
def best_constant() -> tuple[float, float]:
    """Return the constant learning rate of the ladder that ends lowest, and its ending, by the toolkit's sgd."""
    own = Follower(None, None)
    endings = {lr: ending(own.losses((lr,) * STRETCHES)) for lr in LADDER if lr < LIMIT}
    lr = min(endings, key=lambda lr: endings[lr])
    return lr, endings[lr]


def told(loss: float) -> str:
    """Write an ending."""
    return f"{loss:.3f}" if loss < DIVERGED else "diverged"


def view_of(state: SketchState, follower: Follower) -> dict[str, Any]:
    """Return everything that the browser draws.

    Parameters
    ----------
    state : SketchState
        The schedule.
    follower : Follower
        Follows it.
    """
    losses = follower.losses(state.lrs)
    constant_lr, constant = best_constant()
    low, high = LOSS_RANGE

    def shares(curve: Array) -> list[float]:
        """Heights in the chart of the loss, 0 at its foot and 1 at its top."""
        inside = np.clip(curve, low, high)
        return [round(float(share), 4) for share in np.log(inside / low) / np.log(high / low)]

    return {
        "lrs": list(state.lrs),
        "ladder": list(LADDER),
        "heights": [round(float(np.log(lr / LOWEST) / np.log(HIGHEST / LOWEST)), 4) for lr in state.lrs],
        "limit_height": round(float(np.log(LIMIT / LOWEST) / np.log(HIGHEST / LOWEST)), 4),
        "stretch": STRETCH,
        "curve": shares(losses),
        "best_curve": shares(follower.losses(state.best)) if state.best and state.best != state.lrs else [],
        "constant_height": shares(np.array([constant]))[0],
        "loss_range": list(LOSS_RANGE),
        "ending": told(ending(losses)),
        "best": told(ending(follower.losses(state.best))) if state.best else "–",
        "constant": f"{told(constant)} (lr {constant_lr:g})",
        # Before the notes, which tell what came of it.
        "diagnosis": follower.diagnosis(losses),
        "notes": notes(follower),
        "status": describe(state, follower),
    }


def notes(follower: Follower) -> list[dict[str, Any]]:
    """Return the sentences about the learner's functions, each with whether it tells of something wrong."""
    trades = [trade for trade in (follower.sgd, follower.schedule, follower.diagnose) if trade]
    said = [{"text": trade.words, "wrong": True} for trade in trades if trade.words]
    for trade in trades:
        if trade.missing:
            text = f"Your {trade.name} is not written yet: the toolkit's takes its place."
            said.append({"text": text, "wrong": False})
    at_work = [f"your {trade.name}" for trade in trades if not trade.words and not trade.missing]
    if at_work:
        said.append({"text": f"At work here: {', '.join(at_work)}.", "wrong": False})
    return said


def describe(state: SketchState, follower: Follower) -> str:
    """Return the sentence that is read aloud."""
    losses = follower.losses(state.lrs)
    end, (lr, constant) = ending(losses), best_constant()
    if not end < DIVERGED:
        above = counted(sum(rate > LIMIT for rate in state.lrs), "stretch").replace("stretchs", "stretches")
        return (
            f"Diverged: {above} above 2/50 = 0.04, where each step across the ravine lands further out than the one "
            "before."
        )
    if end < constant:
        compared = f"{constant / end:.1f} times lower than the best constant learning rate, {lr:g}"
    else:
        compared = f"the best constant learning rate, {lr:g}, ends at {constant:.3f}"
    return f"The last stretch has a mean loss of {end:.3f}: {compared}."


class ScheduleSketch(CourseWidget[SketchState]):
    """Draw the learning rate over 200 steps; the loss of sgd on a noisy ravine follows at once.

    Parameters
    ----------
    sgd : callable, optional
        The learner's ``sgd(x, grad, state, lr) -> (x, state)``. Where it is not written, the toolkit's is used, and the
        widget says so.
    schedule : callable, optional
        The learner's ``schedule(kind, lr, t, ...)``, behind the buttons.
    diagnose : callable, optional
        The learner's ``diagnose(losses)``: the sketch becomes a monitor that judges the loss curve. Without it nothing
        is judged.
    lrs
        See :class:`SketchState`.

    Raises
    ------
    ValueError
        For a schedule of another length or out of range.
    """

    _esm, _css = assets("schedule_sketch")
    passing = frozenset({"best"})

    def __init__(
        self,
        sgd: Callable[..., Any] | None = None,
        schedule: Callable[..., Any] | None = None,
        diagnose: Callable[..., Any] | None = None,
        *,
        lrs: Sequence[float] = SketchState().lrs,
    ) -> None:
        state = SketchState(tuple(lrs))
        self.follower = Follower(sgd, schedule, diagnose)
        super().__init__(state, (("sgd", sgd), ("schedule", schedule), ("diagnose", diagnose)))

    def picture(self) -> dict[str, Any]:
        """Follow the schedule, keep it if none ended lower, and return the view."""
        best = self.state.best
        if not best or ending(self.follower.losses(self.state.lrs)) < ending(self.follower.losses(best)):
            self.state = replace(self.state, best=self.state.lrs)
        return view_of(self.state, self.follower)

    def act(self, state: SketchState, action: str, values: dict[str, Any]) -> SketchState:
        """Answer the buttons; what is drawn comes as "set"."""
        if action == "preset":
            return replace(state, lrs=self.follower.preset(values["kind"], state.lrs[0]))
        if action == "recall":
            return replace(state, lrs=state.best)
        return super().act(state, action, values)
