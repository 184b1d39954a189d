"""Statistics of a module over a class: scores, questions, mistakes, lateness, and who should be looked at.

Scores are taken one after the other and only numbers and names of them are kept, so that a class of any size fits.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from grader.classroom.outline import Question, outline, title_of
from grader.classroom.scores import Score
from grader.engine.release import Release
from grader.engine.result import CellResult, Outcome

#: Answers below which a discrimination is uncertain.
CERTAIN = 30
#: Standard errors on both sides of an interval that holds the true value 95 times of 100.
SPREAD = 1.96
#: An easier question is one that this share more of the class solved.
EASIER = 0.2
#: Reversed pairs of questions, and their share of all possible ones, from which a student is an outlier.
REVERSED, REVERSED_SHARE = 3, 0.5
#: Standard deviations between a student's place in a module and in the other modules; how many others there must be.
UNLIKE, OTHERS = 2.0, 2

#: Shares of points that differ by less are the same.
ROUNDING = 1e-9

_STUB = re.compile(r"`(\w+)` is not written yet\.")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class QuestionStatistics:
    """How a class did on a question.

    Attributes
    ----------
    question : Question
        Which.
    graded : int
        Students whose points are known.
    share : float, optional
        Mean share of the points earned, 0 to 1; the difficulty. None while no more are graded than wait.
    full : int
        Students with all points.
    blank, unrecognised : int
        Students who left the stub, and those whose answer fails in a way that is no known mistake.
    failing, follows : int
        Students whose answer fails, and how many of these pass with the official earlier answers.
    waiting : int
        Students for whom a person has to look.
    discrimination, low, high : float, optional
        Correlation of the question's points with those of all others, and its 95 % interval; None where the share
        is, and where the points of one of both do not differ. For a question of right or wrong this is the
        point-biserial correlation, corrected for the question's own part of the total.
    outcomes : dict of str to int
        Test cells by how they ended.
    seconds, slowest : float
        Median and maximum of what the tests took, in seconds.
    """

    question: Question
    graded: int
    share: float | None
    full: int
    blank: int
    unrecognised: int
    failing: int
    follows: int
    waiting: int
    discrimination: float | None
    low: float | None
    high: float | None
    outcomes: dict[str, int]
    seconds: float
    slowest: float

    @property
    def uncertain(self) -> bool:
        """Whether few answers stand behind the discrimination."""
        return self.graded < CERTAIN


@dataclass(frozen=True)
class Mistake:
    """A known mistake and who made it.

    Attributes
    ----------
    exercise, name, reason : str
        Of which exercise, what it is called, and what it is told.
    students : tuple of str
        Who, answers that only follow an earlier wrong one left out.
    """

    exercise: str
    name: str
    reason: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Late:
    """What came late.

    Attributes
    ----------
    days : dict of int to tuple of str
        Who came so many days late, 1 and more.
    in_time, unknown : int
        How many came in time; of how many nobody knows, or no due date is declared.
    lost : float
        Points that it cost.
    """

    days: dict[int, tuple[str, ...]]
    in_time: int
    unknown: int
    lost: float

    @property
    def students(self) -> int:
        """How many were late."""
        return sum(map(len, self.days.values()))

    @property
    def known(self) -> bool:
        """Whether of anybody is known when it came and when it was due."""
        return bool(self.days or self.in_time)


@dataclass(frozen=True)
class Outlier:
    """A student whose result is unlike the others', and by which rule."""

    student: str
    rule: str
    why: str


@dataclass(frozen=True)
class Bin:
    """Students with a share of the points from `low` up to below `high`; the last one has its end."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class ModuleStatistics:
    """How a class did in a module.

    Attributes
    ----------
    module, title : str
        Its name and its heading.
    max_points : float
        To be earned, written answers included.
    scores : dict of str to float
        Each student's share of the points, what being late costs taken off; answers that wait count to neither side.
    unreadable, ungraded, older : tuple of str
        Who handed in what cannot be read; whose grading failed; whose result is of another version of the module.
        They are left out of all figures.
    questions : tuple of QuestionStatistics
        In the notebook's order.
    mistakes : tuple of Mistake
        Most students first.
    unmade : int
        Known mistakes that nobody made.
    late : Late
        Who was late.
    outliers : tuple of Outlier
        By the rules of `outliers_within` and `outliers_between`.
    flags : dict of str to tuple of str
        What a person should look at, and with whom.
    last : str
        When the last test ran, UTC, ISO 8601.
    """

    module: str
    title: str
    max_points: float
    scores: dict[str, float]
    unreadable: tuple[str, ...]
    ungraded: tuple[str, ...]
    older: tuple[str, ...]
    questions: tuple[QuestionStatistics, ...]
    mistakes: tuple[Mistake, ...]
    unmade: int
    late: Late
    outliers: tuple[Outlier, ...]
    flags: dict[str, tuple[str, ...]]
    last: str

    @property
    def submissions(self) -> int:
        """How many there are, those left out included."""
        return len(self.scores) + len(self.unreadable) + len(self.ungraded) + len(self.older)

    @property
    def waiting(self) -> int:
        """Answers that wait for a person."""
        return sum(one.waiting for one in self.questions)

    @property
    def shares(self) -> Floats:
        """Each student's share of the points, in order of `scores`."""
        return _array(self.scores)

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The distribution of the shares: steps of 10 %, of 5 % from 100 students on."""
        edges = np.linspace(0.0, 1.0, 21 if len(self.scores) >= 100 else 11)
        # Credit on top can lead above all points.
        counts, _ = np.histogram(np.clip(self.shares, 0.0, 1.0), edges)
        return tuple(
            Bin(float(low), float(high), int(count)) for low, high, count in zip(edges, edges[1:], counts, strict=False)
        )

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median and third quartile of the shares; 0 where nobody is graded."""
        if not self.scores:
            return 0.0, 0.0, 0.0
        first, median, third = np.percentile(self.shares, [25, 50, 75])
        return float(first), float(median), float(third)

    @property
    def mean(self) -> float:
        """Mean share of the points; 0 where nobody is graded."""
        return float(self.shares.mean()) if self.scores else 0.0

    @property
    def full(self) -> int:
        """Students with all points."""
        return int((self.shares >= 1 - ROUNDING).sum())


def _array(scores: Mapping[str, float]) -> Floats:
    return np.fromiter(scores.values(), np.float64)


def percent(share: float) -> str:
    """Write a share in per cent, whole; never 100 or 0 for what is less or more."""
    whole = round(share * 100)
    if whole == 100 and share < 1 - ROUNDING:
        return ">99\N{NO-BREAK SPACE}%"
    return "<1\N{NO-BREAK SPACE}%" if whole == 0 and share > 0 else f"{whole}\N{NO-BREAK SPACE}%"


@dataclass
class Tally:
    """Counts the scores of one module, one after the other.

    Attributes
    ----------
    release : Release
        The module as it is graded now.
    """

    release: Release
    _questions: tuple[Question, ...] = field(init=False)
    _scores: dict[str, float] = field(default_factory=dict)
    _points: list[list[float]] = field(default_factory=list)
    _seconds: list[list[float]] = field(default_factory=list)
    _left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _mistakes: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _days: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _punctual: Counter[str] = field(default_factory=Counter)
    _lost: float = 0.0
    _flags: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _last: str = ""

    def __post_init__(self) -> None:
        self._questions = outline(self.release)
        self._cells = {cell for question in self._questions for cell in question.cells}

    def add(self, score: Score) -> None:
        """Count a score."""
        student = score.student
        for flag in score.result.flags:
            self._flags[flag].append(student)
        self._last = max(self._last, score.graded_at)
        self._count_late(score)
        outcomes = {cell.outcome for cell in score.result.cells}
        if score.points.keys() != self._cells:
            self._left_out["older"].append(student)
        elif Outcome.EngineError in outcomes:
            self._left_out["ungraded"].append(student)
        elif outcomes == {Outcome.Unreadable}:
            self._left_out["unreadable"].append(student)
        else:
            self._count(score)

    def _count(self, score: Score) -> None:
        results = {cell.cell: cell for cell in score.result.cells}
        waiting = sum(answer.max_points for answer in score.result.written if score.points[answer.cell] is None)
        self._scores[score.student] = score.total / ((score.max_points - waiting) or 1.0)
        points, seconds = [], []
        for question in self._questions:
            cells = [results[cell] for cell in question.cells if cell in results]
            known = [score.points[cell] for cell in question.cells]
            points.append(sum(math.nan if one is None else one for one in known))
            seconds.append(sum(cell.seconds for cell in cells))
            self._outcomes[question.id].update(cell.outcome.value for cell in cells)
            counts = self._counts[question.id]
            counts["waiting"] += any(cell in score.waiting for cell in question.cells)
            counts.update(_standing(question, cells))
        self._points.append(points)
        self._seconds.append(seconds)
        made = {
            (cell.exercise, cell.mistake, cell.reason)
            for cell in score.result.cells
            if cell.mistake and cell.follow_through is not Outcome.Passed
        }
        for mistake in made:
            self._mistakes[mistake].append(score.student)

    def _count_late(self, score: Score) -> None:
        if score.lateness is None:
            self._punctual["unknown"] += 1
        elif score.lateness.days:
            self._days[score.lateness.days].append(score.student)
            self._lost += score.lost
        else:
            self._punctual["in time"] += 1

    def statistics(self) -> ModuleStatistics:
        """Return what was counted."""
        points = np.array(self._points, np.float64).reshape(len(self._points), len(self._questions))
        seconds = np.array(self._seconds, np.float64).reshape(points.shape)
        shares = points / np.array([question.max_points or 1.0 for question in self._questions])
        known = {(mistake.exercise, mistake.name) for mistake in self.release.record.mistakes}
        return ModuleStatistics(
            module=self.release.module,
            title=title_of(self.release),
            max_points=self.release.points,
            scores=dict(self._scores),
            unreadable=tuple(self._left_out["unreadable"]),
            ungraded=tuple(self._left_out["ungraded"]),
            older=tuple(self._left_out["older"]),
            questions=tuple(self._question(i, points, seconds[:, i]) for i in range(len(self._questions))),
            mistakes=tuple(
                Mistake(*mistake, tuple(students))
                for mistake, students in sorted(self._mistakes.items(), key=lambda one: (-len(one[1]), one[0]))
            ),
            unmade=len(known - {mistake[:2] for mistake in self._mistakes}),
            late=Late(
                {days: tuple(students) for days, students in sorted(self._days.items())},
                self._punctual["in time"],
                self._punctual["unknown"],
                self._lost,
            ),
            outliers=tuple(outliers_within(list(self._scores), _array(self._scores), shares)),
            flags={
                flag: tuple(students)
                for flag, students in sorted(self._flags.items(), key=lambda one: (-len(one[1]), one[0]))
            },
            last=self._last,
        )

    def _question(self, number: int, points: Floats, seconds: Floats) -> QuestionStatistics:
        question = self._questions[number]
        counts = self._counts[question.id]
        mine = points[:, number]
        known = ~np.isnan(mine)
        graded = int(known.sum())
        # What nobody has to grade comes first: blank answers. They alone say nothing.
        told = graded > len(mine) - graded and question.max_points > 0
        r = discrimination(points, number) if told else None
        low, high = interval(r, graded) if r is not None else (None, None)
        return QuestionStatistics(
            question=question,
            graded=graded,
            share=float(mine[known].mean() / question.max_points) if told else None,
            full=int((mine[known] >= question.max_points * (1 - ROUNDING)).sum()),
            blank=counts["blank"],
            unrecognised=counts["unrecognised"],
            failing=counts["failing"],
            follows=counts["follows"],
            waiting=counts["waiting"],
            discrimination=r,
            low=low,
            high=high,
            outcomes=dict(self._outcomes[question.id].most_common()),
            seconds=float(np.median(seconds)) if len(seconds) else 0.0,
            slowest=float(seconds.max()) if len(seconds) else 0.0,
        )


def _standing(question: Question, cells: Iterable[CellResult]) -> list[str]:
    """Return what is counted of an answer to an exercise that fails a test."""
    failing = [cell for cell in cells if cell.outcome is not Outcome.Passed]
    if not failing:
        return []
    if all(cell.follow_through is Outcome.Passed for cell in failing):
        return ["failing", "follows"]
    own = [cell for cell in failing if cell.follow_through is not Outcome.Passed]
    stubs = [found[1] for cell in own if (found := _STUB.match(cell.message))]
    if question.id in stubs or all(cell.outcome is Outcome.Missing for cell in own):
        return ["failing", "blank"]
    return ["failing"] if any(cell.mistake for cell in own) else ["failing", "unrecognised"]


# --- Discrimination -------------------------------------------------------------------------------------------


def discrimination(points: Floats, number: int) -> float | None:
    """Return the corrected item-total correlation of a question.

    Parameters
    ----------
    points : ndarray (students, questions), float64
        NaN where nobody knows yet; columns with one do not count to the total.
    number : int
        Column of the question.

    Returns
    -------
    float or None
        −1 to 1; None where fewer than three students are graded, or where the question's points or those of the
        others do not differ.
    """
    unknown = np.isnan(points).sum(axis=0)
    unknown[number] = 1  # the question itself does not count to the rest
    known = ~np.isnan(points[:, number])
    mine, rest = points[known, number], points[known][:, unknown == 0].sum(axis=1)
    if len(mine) < 3 or np.ptp(mine) == 0 or np.ptp(rest) == 0:
        return None
    return float(np.clip(np.corrcoef(mine, rest)[0, 1], -1.0, 1.0))


def interval(r: float, number: int) -> tuple[float, float] | tuple[None, None]:
    """Return a correlation's 95 % interval by Fisher's z, approximate for points that are not normal.

    Parameters
    ----------
    r : float
        The correlation.
    number : int
        Of so many students; below 4 there is no interval.
    """
    if number < 4:
        return None, None
    z = math.atanh(max(-0.999999, min(0.999999, r)))
    width = SPREAD / math.sqrt(number - 3)
    return math.tanh(z - width), math.tanh(z + width)


# --- Outliers -------------------------------------------------------------------------------------------------


def outliers_within(students: list[str], scores: Floats, shares: Floats) -> Iterator[Outlier]:
    """Yield the outliers of one module.

    Parameters
    ----------
    students : list of str
        Whose.
    scores : ndarray (students,), float64
        Share of all points.
    shares : ndarray (students, questions), float64
        Share of each question's points; columns with NaN are passed over.
    """
    if len(students) >= 4:
        lower, upper = np.percentile(scores, [25, 75])
        fence = lower - 1.5 * (upper - lower)
        for i in np.flatnonzero(scores < fence) if upper > lower else ():
            yield Outlier(students[i], "low", f"{percent(scores[i])} of the points; the fence is at {percent(fence)}")
    solved = shares[:, ~np.isnan(shares).any(axis=0)] >= 1 - ROUNDING
    if solved.size:
        rate = solved.mean(axis=0)
        easier = np.subtract.outer(rate, rate) >= EASIER  # easier[i, j]: i was solved by more than j
        reversed_pairs = ((~solved).astype(np.int64) @ easier.astype(np.int64) * solved).sum(axis=1)
        possible = solved.sum(axis=1) * (~solved).sum(axis=1)
        for i in np.flatnonzero((reversed_pairs >= REVERSED) & (reversed_pairs >= REVERSED_SHARE * possible)):
            why = f"{reversed_pairs[i]} of {possible[i]} pairs reversed: the harder one solved, the easier one not"
            yield Outlier(students[i], "reversed", why)


def outliers_between(modules: Iterable[ModuleStatistics]) -> dict[str, list[Outlier]]:
    """Return who is unlike themselves, for each module: far above or below their place in the other modules."""
    places: dict[str, dict[str, float]] = defaultdict(dict)
    for one in modules:
        shares = one.shares
        deviation = float(shares.std()) if len(shares) >= CERTAIN else 0.0
        if deviation:
            for student, share in zip(one.scores, shares, strict=True):
                places[student][one.module] = float((share - shares.mean()) / deviation)
    found: dict[str, list[Outlier]] = defaultdict(list)
    for student, here in places.items():
        for module, place in here.items():
            others = [other for name, other in here.items() if name != module]
            if len(others) >= OTHERS and abs(place - sum(others) / len(others)) >= UNLIKE:
                usual = sum(others) / len(others)
                why = f"{place:+.1f} standard deviations from the mean, {usual:+.1f} in {len(others)} other modules"
                found[module].append(Outlier(student, "unlike", why))
    return found
