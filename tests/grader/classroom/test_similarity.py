"""Similar answers: copies are found through disguises, common ground and official code are not."""

import random
import subprocess
import sys

import pytest

from grader.classroom import similarity
from grader.classroom.similarity import answers_of, find_similar
from grader.engine.submission import read_submission
from tests.grader.classroom.report_class import EXERCISES, a_release
from tests.grader.conftest import ROOT
from tests.grader.small_class import ANSWER, SMALL, student_notebook

RELEASE = a_release()
OFFICIAL = next(cell.source for cell in RELEASE.cells if cell.id == "one")

COPIED = '''
def one(x):
    """Add them up."""
    # from the slides
    kept, seen = [], {}
    for place, value in enumerate(x):
        if value > 1 and value not in seen:
            seen[value] = place
            kept.append(value ** 2 - place)
        elif len(kept) % 3 == 2:
            kept.pop()
    return max(kept, default=0) + min(seen.values())
'''
DISGUISED = """
def one(x):
    best = []
    where = dict()
    where = {}
    best, where = [], {}
    for i, v in enumerate(x):   # my own work
        if v > 1 and v not in where:
            where[v] = i
            best.append(v ** 2 - i)
        elif len(best) % 3 == 2:
            best.pop()

    return (max(best, default=0) + min(where.values()))
"""


def program(seed):
    """An answer that nobody else gives."""
    chance = random.Random(seed)
    names = ["len", "max", "min", "abs", "sum", "sorted", "range", "int"]
    lines = [
        f"    {chance.choice('abcd')} = {chance.choice(names)}(x) {chance.choice('+-*/%')} {chance.randrange(99)}"
        f" {chance.choice('+-*/%')} {chance.choice(names)}({chance.choice('abcd')}[{chance.randrange(99)}])"
        for _ in range(6)
    ]
    return "\n".join(["def one(x):", *lines, "    return a"])


def pairs(answers, exercise="one"):
    found = find_similar(RELEASE, [(student, {exercise: code}) for student, code in answers.items()])
    return {pair.students: pair for group in found.groups for pair in group.pairs}, found


def test_a_copy_is_found_through_new_names_comments_and_layout():
    others = {f"s{i}": program(i) for i in range(20)}
    found, told = pairs({**others, "ada": COPIED, "bob": DISGUISED})
    assert list(found) == [("ada", "bob")]
    (shared,) = found["ada", "bob"].shared
    assert shared.exercise == "one"
    assert similarity.SIMILAR <= shared.similarity < 1
    assert shared.tokens >= similarity.LISTED
    assert (told.students, told.answers) == (22, 22)


def test_official_code_says_nothing():
    renamed = OFFICIAL.replace("total", "result").replace("value", "v")
    found, told = pairs({"ada": OFFICIAL, "bob": renamed, "eve": OFFICIAL + "\n# mine"})
    assert (found, told.answers) == ({}, 0)


def test_a_pair_of_a_few_lines_in_one_exercise_is_not_listed_but_in_two_it_is():
    few = "def one(x):\n    return {max(x): min(x)} if x[2:] else [sum(x[1:])]"
    found, told = pairs(dict.fromkeys(("ada", "bob"), few))
    assert (found, told.answers) == ({}, 2)
    both = {"one": few, "two": few.replace("one", "two")}
    (group,) = find_similar(RELEASE, [("ada", both), ("bob", both)]).groups
    assert [shared.similarity for shared in group.pairs[0].shared] == [1.0, 1.0]
    assert similarity.LISTED <= group.pairs[0].tokens < 2 * similarity.LISTED


def test_short_answers_are_not_compared():
    found, told = pairs(dict.fromkeys(("ada", "bob"), "def one(x):\n    return x[0] ** 7 if x else -1"))
    assert (found, told.answers) == ({}, 0)


@pytest.mark.parametrize(("many", "listed"), [(similarity.COMMON, True), (similarity.COMMON + 1, False)])
def test_what_more_than_ten_share_is_common_ground_and_told_apart(many, listed):
    found, told = pairs({f"s{i:02}": COPIED for i in range(many)})
    assert len(found) == (many * (many - 1) // 2 if listed else 0)
    assert [len(same.students) for same in told.same] == ([] if listed else [many])
    assert [len(group.students) for group in told.groups] == ([many] if listed else [])


def test_a_pair_beside_common_ground_is_found_by_what_only_it_has():
    common = program("common").replace("\n    return a", "")
    answers = {f"s{i:02}": f"{common}\n{program(i).split(':', 1)[1]}" for i in range(15)}
    copied = COPIED.split('"""', 2)[2]
    answers |= {"ada": common + copied, "bob": f"{common}\n    # mine{copied}"}
    found, _ = pairs(answers)
    assert list(found) == [("ada", "bob")]


def test_pairs_that_share_in_several_exercises_come_first_and_students_are_grouped():
    def three(seed):
        return {name: program(f"{seed} {name}").replace("one", name) for name in EXERCISES}

    shared = three("shared")
    answers = [("ada", shared), ("bob", shared), ("eve", {**three("eve"), "two": shared["two"]}), ("ida", three("ida"))]
    (group,) = find_similar(RELEASE, answers).groups
    assert group.students[:2] == ("ada", "bob")
    assert set(group.students) == {"ada", "bob", "eve"}
    assert {one.exercise for one in group.pairs[0].shared} == set(EXERCISES)


@pytest.mark.parametrize(
    "hostile",
    [
        '"""' * 20_001,
        "'\\" * 50_000,
        "#" * 1_000_000,
        "((((" * 100_000,
        "\x00\ud800" * 1000,
        'x = f"""{' * 10_000 + "\\",
        "def one(x): return " + "x+" * 200_000,
    ],
    ids=str,
)
def test_no_text_stops_the_comparison(hostile):
    found, _ = pairs({"ada": hostile, "bob": COPIED, "eve": COPIED})
    assert ("bob", "eve") in found


def test_the_same_class_gives_the_same_pairs_in_every_process():
    code = (
        "from tests.grader.classroom.test_similarity import *\n"
        "print(pairs({f's{i}': program(i) for i in range(150)})[1])"
    )
    told = set()
    for seed in ("1", "2"):
        options = {"cwd": ROOT, "env": {"PYTHONHASHSEED": seed}}
        told.add(subprocess.run([sys.executable, "-c", code], **options, capture_output=True, check=True).stdout)
    assert len(told) == 1


def test_answers_are_found_by_cell_and_by_name(small):
    notebook = student_notebook(small.course, SMALL, windows=ANSWER)
    assert answers_of(small.release, read_submission(notebook, "ada")) == {"windows": ANSWER}
    moved = student_notebook(small.course, SMALL, windows="pass").replace(b'"pass"', b'"def windows(a): return 1"')
    assert answers_of(small.release, read_submission(moved, "ada")) == {"windows": "def windows(a): return 1"}
    assert answers_of(small.release, read_submission(b"{", "ada")) == {}
