"""Follow-through: an answer that may have failed because of an earlier one is tried again with the official one.

Which answers have to do with which is read from their text, generously: trying in vain costs a process, no more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from grader.engine.official import Official, OfficialTest
from grader.engine.put_back import Step, defined_names
from grader.engine.release import OfficialCell, Release

_WORD = re.compile(r"\w+")


def mentioned_words(source: str) -> set[str]:
    """Return all words of a cell's text, names among them."""
    return set(_WORD.findall(source))


def depends_on(
    exercises: Collection[str],
    *,
    official: Official,
    steps: Sequence[Step],
    exercise: str,
    tests: Sequence[OfficialTest],
) -> bool:
    """Tell whether an answer, or a test of it, mentions other exercises, over whatever cells and helpers.

    Parameters
    ----------
    exercises : collection of str
        The others.
    official : Official
        The release, for the helpers of setup cells.
    steps : sequence of Step
        The learner's cells.
    exercise : str
        The answer.
    tests : sequence of OfficialTest
        Its test cells.
    """
    own = [(defined_names(step.source), mentioned_words(step.source)) for step in steps if not step.official]
    words: set[str] = set()
    new = {exercise}.union(*(test.mentions for test in tests))
    while new:
        words |= new
        found = set().union(*(official.mentioned_by(name) for name in new))
        for defined, mentioned in own:
            if defined & new:
                found |= mentioned
        new = found - words
    return not words.isdisjoint(name for cell in _cells_of(official.release, exercises) for name in cell.names)


def with_official(exercises: Collection[str], *, release: Release, steps: Sequence[Step]) -> list[Step]:
    """Return a submission's steps with the official cells in the place of some exercises' answers.

    Where another of the learner's cells defines the same, or there is no answer, they also run at the end.
    """
    official = {cell.exercise: Step(cell.id, cell.source, official=True) for cell in _cells_of(release, exercises)}
    replaced = [official.get(step.exercise, step) for step in steps]
    own = set().union(*(defined_names(step.source) for step in replaced if not step.official), ())
    last = [step for name, step in official.items() if name in own or step not in replaced]
    return [*replaced, *last]


def _cells_of(release: Release, exercises: Collection[str]) -> list[OfficialCell]:
    return [cell for cell in release.having("exercise") if cell.exercise in exercises]
