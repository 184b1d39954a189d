"""Similar answers of a class: fragments of code that few share find the candidates, an exact comparison judges them.

Names that an answer chose itself, comments, docstrings, texts and layout do not count. What stands in the official
notebook, solutions included, is taken out of every answer first; for pairs also what more than `COMMON` students
share. What remains is compared by the longest common subsequence of its tokens (RapidFuzz). Similar is not copied: it
is a reason to look.

Sources: Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting", 2003.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rapidfuzz.distance import Indel

from grader.engine.put_back import defined_names, put_back
from grader.engine.release import Release
from grader.engine.submission import Submission

#: Tokens of a fragment; about one and a half lines.
FRAGMENT = 10
#: Of so many fragments in a row the one with the least fingerprint is kept.
WINDOW = 4
#: What more students than this share is common to the class; MOSS has the same number.
COMMON = 10
#: Tokens that remain of an answer that is compared; about four lines.
LEAST = 30
#: Share of the remaining tokens that two similar answers have in common, in the same order.
SIMILAR = 0.8
#: Tokens that a listed pair has in common, over all exercises.
LISTED = 40
#: Tokens of an answer that are looked at.
LONGEST = 4_000

_TOKEN = re.compile(
    r"""
    \#[^\n]*
    | (?P<long>[rbfuRBFU]{0,2}(?P<quote>\"{3}|'{3})(?:[^\\]|\\.)*?(?:(?P=quote)|\Z))
    | (?P<text>[rbfuRBFU]{0,2}(?:"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))
    | (?P<name>[^\W\d]\w*)
    | (?P<other>\d[\w.]* | [^\w\s])
    """,
    re.X | re.S,
)
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))

#: Numbers: Python hashes them alike in every process, so that the same class gives the same report.
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Shared:
    """An exercise to which two answers are similar.

    Attributes
    ----------
    exercise : str
        Its name.
    similarity : float
        Share of tokens in common, `SIMILAR` to 1.
    tokens : int
        How many they have in common.
    """

    exercise: str
    similarity: float
    tokens: int


@dataclass(frozen=True)
class Pair:
    """Two students with similar answers.

    Attributes
    ----------
    students : tuple of str
        The two.
    shared : tuple of Shared
        Where, most tokens first.
    """

    students: tuple[str, str]
    shared: tuple[Shared, ...]

    @property
    def tokens(self) -> int:
        """Tokens in common."""
        return sum(one.tokens for one in self.shared)


@dataclass(frozen=True)
class Group:
    """Students that similar pairs connect.

    Attributes
    ----------
    students : tuple of str
        Two or more.
    pairs : tuple of Pair
        Most tokens in common first.
    """

    students: tuple[str, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class SameAnswer:
    """An answer that more than `COMMON` students gave, token by token, and that is not the official one.

    Attributes
    ----------
    exercise : str
        To which exercise.
    students : tuple of str
        Whose.
    tokens : int
        Tokens that are in no official code.
    """

    exercise: str
    students: tuple[str, ...]
    tokens: int


@dataclass(frozen=True)
class Similarity:
    """What a comparison found.

    Attributes
    ----------
    students : int
        Whose answers were compared.
    answers : int
        Answers with enough code of their own to be compared.
    candidates : int
        Pairs of answers that were compared token by token.
    groups : tuple of Group
        Most tokens in common first.
    same : tuple of SameAnswer
        Most students first.
    """

    students: int
    answers: int
    candidates: int
    groups: tuple[Group, ...]
    same: tuple[SameAnswer, ...]


def answers_of(release: Release, submission: Submission) -> dict[str, str]:
    """Return a student's code for each exercise, wherever in the notebook it stands; none of an unreadable one."""
    if submission.problem:
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for step in put_back(release, submission).steps:
        if not step.official:
            named = {step.exercise} if step.exercise else defined_names(step.source) & set(release.exercises)
            for exercise in sorted(named):
                found[exercise].append(step.source)
    return {exercise: "\n\n".join(sources) for exercise, sources in found.items()}


def find_similar(release: Release, answers: Iterable[tuple[str, dict[str, str]]]) -> Similarity:
    """Compare the answers of a class.

    Parameters
    ----------
    release : Release
        The module; all of its code is taken out of the answers.
    answers : iterable of (str, dict of str to str)
        Each student's code for each exercise, as `answers_of` has it. Every student comes once.
    """
    official = [text for cell in release.cells if cell.code for text in (cell.source, cell.visible)]
    names = frozenset(name for cell in release.having("setup", "exercise") for name in cell.names)
    tokens_of = _Tokens(names)
    known = {fragment for text in official for fragment in _fragments(tokens_of(text))}
    own: dict[str, dict[Tokens, list[str]]] = {exercise: defaultdict(list) for exercise in release.exercises}
    students = 0
    for student, sources in answers:
        students += 1
        for exercise, source in sources.items():
            rest = _without(tokens_of(source), known)
            if exercise in own and len(rest) >= LEAST:
                own[exercise][rest].append(student)
    compared = [_Comparison(exercise, found) for exercise, found in own.items()]
    pairs: dict[tuple[str, str], list[Shared]] = defaultdict(list)
    for one in compared:
        for both, shared in one.pairs():
            pairs[both].append(shared)
    listed = [
        Pair(both, tuple(sorted(shared, key=lambda one: (-one.tokens, one.exercise))))
        for both, shared in pairs.items()
        if sum(one.tokens for one in shared) >= LISTED
    ]
    same = [one for comparison in compared for one in comparison.same]
    return Similarity(
        students=students,
        answers=sum(len(whose) for found in own.values() for whose in found.values()),
        candidates=sum(one.candidates for one in compared),
        groups=tuple(_groups(listed)),
        same=tuple(sorted(same, key=lambda one: (-len(one.students), one.exercise, one.students))),
    )


class _Tokens:
    """Cuts code into tokens; names that an answer chose for itself are all alike.

    Parameters
    ----------
    names : frozenset of str
        Names that the official notebook defines for all cells: imports, constants, the exercises.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._kept = names | _KEPT
        self._numbers: dict[str, int] = {}

    def __call__(self, source: str) -> Tokens:
        tokens = itertools.islice(self._tokens(source), LONGEST)
        return tuple(self._numbers.setdefault(token, len(self._numbers)) for token in tokens)

    def _tokens(self, source: str) -> Iterator[str]:
        before = ""
        for found in _TOKEN.finditer(source):
            if found["name"]:
                token = found["name"] if before == "." or found["name"] in self._kept else "name"
            elif found["text"]:
                token = '""'
            elif found["other"]:
                token = found["other"]
            else:
                continue  # comments, and texts of several lines, which are docstrings
            yield token
            before = token


def _fragments(tokens: Tokens) -> Iterator[int]:
    """Yield the fingerprint of each fragment in order."""
    for i in range(len(tokens) - FRAGMENT + 1):
        yield hash(tokens[i : i + FRAGMENT])


def _without(tokens: Tokens, known: set[int]) -> Tokens:
    """Return the tokens that lie in no known fragment."""
    covered = 0  # tokens before this one are known
    rest = []
    fragments = itertools.chain(_fragments(tokens), itertools.repeat(None))
    for i, (token, fragment) in enumerate(zip(tokens, fragments, strict=False)):
        if fragment in known:
            covered = i + FRAGMENT
        if i >= covered:
            rest.append(token)
    return tuple(rest)


@dataclass
class _Comparison:
    """The answers to one exercise.

    Attributes
    ----------
    exercise : str
        Its name.
    answers : dict of tuple of int to list of str
        Who gave each answer, of what is not official.
    candidates : int
        Pairs that were compared exactly.
    """

    exercise: str
    answers: dict[Tokens, list[str]]
    candidates: int = 0
    same: list[SameAnswer] = field(init=False)

    def __post_init__(self) -> None:
        self.same = [
            SameAnswer(self.exercise, tuple(sorted(whose)), len(answer))
            for answer, whose in self.answers.items()
            if len(whose) > COMMON
        ]

    def pairs(self) -> Iterator[tuple[tuple[str, str], Shared]]:
        """Yield pairs of students with similar answers."""
        sharing: Counter[int] = Counter()
        for answer, whose in self.answers.items():
            for fragment in set(_fragments(answer)):
                sharing[fragment] += len(whose)
        common = {fragment for fragment, count in sharing.items() if count > COMMON}
        rare: dict[Tokens, list[str]] = defaultdict(list)
        for answer, whose in self.answers.items():
            rest = _without(answer, common)
            if len(rest) >= LEAST:
                rare[rest] += whose
        for rest, whose in rare.items():
            yield from _between(whose, whose, Shared(self.exercise, 1.0, len(rest)))
        for one, other in self._candidates(rare):
            self.candidates += 1
            similarity = Indel.normalized_similarity(one, other, score_cutoff=SIMILAR)
            if similarity:
                in_common = round(similarity * (len(one) + len(other)) / 2)
                yield from _between(rare[one], rare[other], Shared(self.exercise, similarity, in_common))

    @staticmethod
    def _candidates(rare: Iterable[Tokens]) -> Iterator[tuple[Tokens, Tokens]]:
        """Yield the pairs of answers that have a fingerprint in common."""
        having: dict[int, list[int]] = defaultdict(list)
        listed = list(rare)
        for number, answer in enumerate(listed):
            for fingerprint in _winnowed(answer):
                having[fingerprint].append(number)
        # Cutting out what is common can bring forth a fragment that more share: of those each is paired with few.
        pairs = {
            (one, other)
            for numbers in having.values()
            for place, one in enumerate(numbers)
            for other in numbers[place + 1 : place + 1 + COMMON]
        }
        for one, other in sorted(pairs):
            yield listed[one], listed[other]


def _winnowed(tokens: Tokens) -> set[int]:
    """Return the fingerprints that stand for an answer: the least one of each window."""
    fragments = list(_fragments(tokens))
    windows = (fragments[i : i + WINDOW] for i in range(max(1, len(fragments) - WINDOW + 1)))
    return {min(window) for window in windows if window}


def _between(some: Iterable[str], others: Iterable[str], shared: Shared) -> Iterator[tuple[tuple[str, str], Shared]]:
    pairs = {(min(one, other), max(one, other)) for one in some for other in others if one != other}
    for pair in sorted(pairs):
        yield pair, shared


def _groups(pairs: Iterable[Pair]) -> Iterator[Group]:
    """Yield the students that pairs connect, by any number of steps."""
    parent: dict[str, str] = {}

    def head(student: str) -> str:
        while parent.setdefault(student, student) != student:
            parent[student] = student = parent[parent[student]]
        return student

    strongest = sorted(pairs, key=lambda one: (-one.tokens, one.students))
    for pair in strongest:
        parent[head(pair.students[0])] = head(pair.students[1])
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in strongest:
        groups[head(pair.students[0])].append(pair)
    for group in groups.values():
        students = dict.fromkeys(student for pair in group for student in pair.students)
        yield Group(tuple(students), tuple(group))
