"""A course of one small module, made anew for each test that changes it."""

import shutil
from pathlib import Path

import pytest

from grader.course import Course

ROOT = Path(__file__).resolve().parents[2]

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

# %% [markdown]
# ## {{exercise:windows}}

# %% exercise="windows" difficulty=1 minutes=5
def windows(size, kernel, stride=1):
    """Return the number of windows."""
    ### BEGIN SOLUTION
    span_between_the_ends = size - kernel
    if span_between_the_ends % stride:
        raise ValueError("cannot fit")
    return span_between_the_ends // stride + 1
    ### END SOLUTION

# %% tests="windows" points=1
check(windows, 7, 3).gives(5)
check(windows, 7, 3, stride=2).gives(3)

# %% tests="windows" points=2
check(windows, 7, 3, stride=3).raises(ValueError)
### BEGIN HIDDEN TESTS
a_secret_size = 91
check(windows, a_secret_size, 1, stride=3).gives(31)
### END HIDDEN TESTS

# %% [markdown] answer="why" points=2
# ### BEGIN SOLUTION
# A model answer that nobody sees.
# ### END SOLUTION

# %% experiment seconds=2
lesson.target("windows", windows(7, 3), exactly=5)
'''

MISTAKES = '''\
"""Wrong answers."""

from convnets.checks.authoring import mistake

hints = {"windows": ("a symptom", "an idea", "an outline")}


@mistake("windows", "The first window is missing.")
def forgets_the_first(size, kernel, stride=1):
    a_line_of_a_wrong_answer = (size - kernel) // stride
    return a_line_of_a_wrong_answer


@mistake("windows", "Where the last window does not fit you round down.")
def rounds_down(size, kernel, stride=1):
    return (size - kernel) // stride + 1


@mistake("windows", "The stride is not used.")
def ignores_stride(size, kernel, stride=1):
    return windows(size, kernel)
'''


def make_course(folder: Path, notebook: str = NOTEBOOK, mistakes: str = MISTAKES) -> Course:
    module = folder / "solutions" / "01_windows"
    module.mkdir(parents=True)
    (module / "notebook.py").write_text(notebook, encoding="utf-8")
    (module / "mistakes.py").write_text(mistakes, encoding="utf-8")
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    return Course(folder)


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path)


@pytest.fixture(scope="session")
def built_course(tmp_path_factory):
    from grader.build import build_module

    made = make_course(tmp_path_factory.mktemp("course"))
    assert build_module(made, "01_windows") == ["01_windows.checks.json", "01_windows.ipynb"]
    return made


@pytest.fixture
def small(built_course, tmp_path):
    """A class of the small module, nobody graded yet."""
    from tests.grader.small_class import ClassOf

    shutil.copytree(built_course.root, tmp_path / "course")
    return ClassOf(Course(tmp_path / "course"))
