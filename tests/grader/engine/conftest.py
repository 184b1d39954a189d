"""A small module for the engine's tests: three exercises, one of which calls another, and a written answer."""

import pytest

from tests.grader.conftest import make_course

MODULE = "01_windows"

NOTEBOOK = '''\
# %% [markdown]
# # 01 Windows
#
# {{card:10}}

# %% setup
import numpy as np

from convnets.checks import open_lesson

lesson = open_lesson("01_windows")
check, hint = lesson.check, lesson.hint
numbers = np.arange(4.0)


def windows_of_numbers():
    """windows(len(numbers), 2)"""
    return windows(len(numbers), 2)


# %% [markdown]
# ## {{exercise:windows}}

# %% exercise="windows" difficulty=1 minutes=5
def windows(size, kernel, stride=1):
    """Return the number of windows."""
    ### BEGIN SOLUTION
    if (size - kernel) % stride:
        raise ValueError("cannot fit")
    return (size - kernel) // stride + 1
    ### END SOLUTION

# %% tests="windows" points=1
check(windows, 7, 3).gives(5)
check(windows, 7, 3, stride=2).gives(3)

# %% tests="windows" points=2
check(windows, 7, 3, stride=3).raises(ValueError)
check(windows_of_numbers).gives(3)
### BEGIN HIDDEN TESTS
a_secret_size = 91
check(windows, a_secret_size, 1, stride=3).gives(31)
check(windows, 4711, 1).gives(4711)
### END HIDDEN TESTS

# %% setup
sizes = [5, 7]

# %% [markdown]
# ## {{exercise:total}}

# %% exercise="total" difficulty=1 minutes=5
def total(sizes, kernel):
    """Return the number of windows of all sizes."""
    ### BEGIN SOLUTION
    return sum(windows(size, kernel) for size in sizes)
    ### END SOLUTION

# %% tests="total" points=4
check(total, sizes, 3).gives(8)
### BEGIN HIDDEN TESTS
check(total, [10, 20], 2).gives(28)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:halved}}

# %% exercise="halved" difficulty=1 minutes=5
def halved(x):
    """Return x / 2."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION

# %% tests="halved" points=8
check(halved, numbers).gives(np.array([0.0, 0.5, 1.0, 1.5]))
half = halved(numbers)
### BEGIN HIDDEN TESTS
np.testing.assert_allclose(half, [0, 0.5, 1, 1.5])
check(halved, numbers + 1).gives(np.array([0.5, 1.0, 1.5, 2.0]))
### END HIDDEN TESTS

# %% [markdown]
# Why are there fewer windows than pixels?

# %% [markdown] answer="why" points=16
# ### BEGIN SOLUTION
# A model answer that nobody sees.
# ### END SOLUTION

# %% experiment seconds=2
raise RuntimeError("an experiment was run")
'''

MISTAKES = '''\
"""Wrong answers."""

from convnets.checks.authoring import mistake

hints = {}


@mistake("windows", "The first window is missing.")
def forgets_the_first(size, kernel, stride=1):
    return (size - kernel) // stride


@mistake("windows", "Where the last window does not fit you round down.")
def rounds_down(size, kernel, stride=1):
    return (size - kernel) // stride + 1


@mistake("total", "Each size counts.")
def first_only(sizes, kernel):
    return windows(sizes[0], kernel)


@mistake("halved", "You doubled.")
def doubled(x):
    return x * 2


@mistake("halved", "You changed the argument.")
def in_place(x):
    x /= 2
    return x



@mistake("windows", "The stride is not used.")
def ignores_stride(size, kernel, stride=1):
    if (size - kernel) % stride:
        raise ValueError
    return size - kernel + 1
'''

SOLUTIONS = {
    "windows": """\
def windows(size, kernel, stride=1):
    if (size - kernel) % stride:
        raise ValueError("does not fit")
    return (size - kernel) // stride + 1
""",
    "total": "def total(sizes, kernel):\n    return sum(windows(size, kernel) for size in sizes)\n",
    "halved": "def halved(x):\n    return x / 2\n",
}


@pytest.fixture(scope="session")
def engine_course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("engine_course"), NOTEBOOK, MISTAKES)


@pytest.fixture(scope="session")
def release(engine_course):
    from grader.engine.release import make_release

    return make_release(engine_course, MODULE)


def cell(kind, source, **metadata):
    made = {"cell_type": kind, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return made | {"outputs": [], "execution_count": None} if kind == "code" else made


def notebook(release, answers=None, written=None):
    """Return the student notebook as JSON data with these answers in it."""
    answers = SOLUTIONS if answers is None else answers
    cells = []
    for official in release.cells:
        source = (answers | (written or {})).get(official.id, official.visible)
        marks = {
            "grade_id": official.id,
            "grade": official.role in ("tests", "answer"),
            "solution": official.role in ("exercise", "answer"),
            "locked": official.role not in ("exercise", "answer"),
            "schema_version": 3,
            "task": False,
        }
        if official.role in ("tests", "answer"):
            marks["points"] = official.points
        cells.append(cell("code" if official.code else "markdown", source, nbgrader=marks) | {"id": official.id})
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
