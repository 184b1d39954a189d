"""The class report: one HTML file for instructors, which loads nothing and works without a network.

Whatever a student wrote is text in it: it is escaped everywhere, and the page's own policy allows no script and no
style but the two that are in it, each by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from convnets.checks.render import with_code
from grader.classroom import figures
from grader.classroom.class_statistics import ModuleStatistics, Tally, outliers_between, percent
from grader.classroom.roster import Roster
from grader.classroom.scores import Score, read_scores
from grader.classroom.similarity import Similarity, answers_of, find_similar
from grader.course import Course, CourseError
from grader.engine.layouts import find_submissions
from grader.engine.release import Release, make_release
from grader.engine.result import capped
from grader.engine.run import Work, assign

#: Rows of a table before the rest is folded away, rows that are folded away, and names in one cell.
TOP, FOLDED, NAMES = 10, 100, 50
#: Similar groups whose code is shown, and characters of each answer.
EXCERPTS, EXCERPT = 5, 3_000

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Excerpt:
    """Two similar answers side by side.

    Attributes
    ----------
    exercise : str
        The exercise where they have most in common.
    students, codes : tuple of str
        Whose, and their code.
    """

    exercise: str
    students: tuple[str, str]
    codes: tuple[str, str]


@dataclass(frozen=True)
class ModuleReport:
    """What the report tells of a module.

    Attributes
    ----------
    statistics : ModuleStatistics
        Of the class.
    similarity : Similarity, optional
        None where the submissions were not given.
    excerpts : tuple of Excerpt
        Of the strongest pair of each of the first groups; none in an anonymous report.
    absent, strangers : tuple of str, optional
        On the roster without a result, and with a result but not on the roster; None without a roster.
    """

    statistics: ModuleStatistics
    similarity: Similarity | None = None
    excerpts: tuple[Excerpt, ...] = ()
    absent: tuple[str, ...] | None = None
    strangers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Report:
    """The report of a class.

    Attributes
    ----------
    modules : tuple of ModuleReport
        In order.
    names : mapping of str to str
        What students are called on the page, where that is not their id.
    anonymous : bool
        Students are numbers.
    """

    modules: tuple[ModuleReport, ...]
    names: Mapping[str, str]
    anonymous: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return everything the page shows, and what it leaves out of long lists."""
        return {"anonymous": self.anonymous, "modules": [_module_dict(one) for one in self.modules]}


def make_report(
    course: Course,
    modules: Iterable[str],
    *,
    roster: Roster | None = None,
    submissions: Path | None = None,
    anonymous: bool = False,
    gradebook: str | None = None,
) -> Report:
    """Make the report of a class.

    Parameters
    ----------
    course : Course
        The course.
    modules : iterable of str
        Modules that have results.
    roster : Roster, optional
        For names, and for who handed in nothing.
    submissions : Path, optional
        Folder or zip of the submissions: their answers are compared.
    anonymous : bool
        Call students by numbers, drawn anew for each report.
    gradebook : str, optional
        Database URL, as for `read_scores`.

    Raises
    ------
    CourseError
        When something cannot be read.
    """
    modules = list(modules)
    called = _numbered() if anonymous else str
    work = _work(course, modules, submissions) if submissions is not None else {}
    tallies, students = {}, defaultdict(set)
    for module in modules:
        tallies[module] = Tally(make_release(course, module))
        for score in read_scores(course, [module], gradebook=gradebook):
            students[module].add(score.student)
            tallies[module].add(_renamed(score, called(score.student)) if anonymous else score)
    statistics = {module: tally.statistics() for module, tally in tallies.items()}
    unlike = outliers_between(statistics.values())
    reports = []
    for module in modules:
        one = statistics[module]
        one = replace(one, outliers=(*one.outliers, *unlike[module]))
        similarity: Similarity | None = None
        excerpts: tuple[Excerpt, ...] = ()
        if submissions is not None:
            similarity, excerpts = _compared(tallies[module].release, work[module], called, anonymous)
        absent = strangers = None
        if roster is not None:
            ids = {student.id for student in roster.students}
            absent = tuple(called(student.id) for student in roster.students if student.id not in students[module])
            strangers = tuple(sorted(called(student) for student in students[module] - ids))
        reports.append(ModuleReport(one, similarity, excerpts, absent, strangers))
    names = {one.id: f"{one.name} ({one.id})" for one in roster.students if one.name} if roster else {}
    return Report(tuple(reports), {} if anonymous else names, anonymous)


def page(report: Report) -> str:
    """Return the report as one HTML file."""
    style, script = (Markup(_read(name)) for name in ("report.css", "report.js"))  # our own
    return (
        _environment(report.names)
        .get_template("report.html.jinja")
        .render(
            report=report,
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
            figures=figures,
            percent=percent,
            people=figures.people,
            number=_number,
            TOP=TOP,
            FOLDED=FOLDED,
            NAMES=NAMES,
        )
    )


# --- Submissions ----------------------------------------------------------------------------------------------


def _work(course: Course, modules: list[str], submissions: Path) -> dict[str, list[Work]]:
    only = modules[0] if len(modules) == 1 else ""
    work, _ = assign(find_submissions(submissions, course.modules()), course.modules(), module=only)
    mine: dict[str, list[Work]] = {module: [item for item in work if item.module == module] for module in modules}
    if not any(mine.values()):
        raise CourseError(
            f"there are no submissions to {', '.join(modules)} in {submissions}: name their folder or zip"
        )
    return mine


def _compared(
    release: Release, work: list[Work], called: Callable[[str], str], anonymous: bool
) -> tuple[Similarity, tuple[Excerpt, ...]]:
    places = {called(item.student): item for item in work}
    answers = ((student, answers_of(release, item.read())) for student, item in places.items())
    similarity = find_similar(release, answers)
    return similarity, () if anonymous else tuple(_excerpts(release, similarity, places))


def _excerpts(release: Release, similarity: Similarity, places: Mapping[str, Work]) -> Iterator[Excerpt]:
    for group in similarity.groups[:EXCERPTS]:
        pair = group.pairs[0]
        exercise = pair.shared[0].exercise
        one, other = (answers_of(release, places[student].read()).get(exercise, "") for student in pair.students)
        yield Excerpt(exercise, pair.students, (capped(one.strip(), EXCERPT), capped(other.strip(), EXCERPT)))


# --- Names ----------------------------------------------------------------------------------------------------


def _numbered() -> Callable[[str], str]:
    """Return a function that gives each student a number that tells nothing of the name or of its place."""
    chance = random.SystemRandom()
    given: dict[str, str] = {}
    taken: set[int] = set()

    def called(student: str) -> str:
        if student not in given:
            number = chance.randrange(1_000, 10_000)
            while number in taken:
                number = chance.randrange(1_000, 1_000_000)
            taken.add(number)
            given[student] = f"student {number}"
        return given[student]

    return called


def _renamed(score: Score, called: str) -> Score:
    """Return a score under another name, which takes the student's place in what the grader says of them."""
    flags = tuple(flag.replace(score.student, called) for flag in score.result.flags)
    return replace(score, result=replace(score.result, student=called, flags=flags))


# --- The page -------------------------------------------------------------------------------------------------


def _module_dict(one: ModuleReport) -> dict[str, Any]:
    statistics = one.statistics
    told = asdict(one)
    first, median, third = statistics.quartiles
    told["statistics"] |= {
        "submissions": statistics.submissions,
        "mean": statistics.mean,
        "quartiles": [first, median, third],
        "bins": [asdict(each) for each in statistics.bins],
    }
    del told["excerpts"]
    return told


def _number(value: float) -> str:
    """Write points as people do: at most two digits behind the point."""
    return f"{round(value, 2):,g}" if abs(value) < 1e5 else f"{value:,.0f}"


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a content security policy names an inline script or style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment(names: Mapping[str, str]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = lambda text: Markup(with_code(text))  # it escapes
    environment.filters["who"] = lambda student: names.get(student, student)
    return environment
