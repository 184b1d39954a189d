"""The course's own test cells, unmodified, judge alike on both sides of the split."""

import ast
import re
from pathlib import Path

import pytest

from grader.build.recording import Workbench
from grader.build.text import read_text_notebook
from tests.grader.engine.learners import open_session

ROOT = Path(__file__).resolve().parents[3]
MODULES = [
    path.parent.name for path in sorted(ROOT.glob("solutions/*/mistakes.py")) if path.parent.name != "00_start_here"
]
#: The line of the answer that raised: only a kernel, and the learner's process, know the text of a cell.
_LINE = re.compile(r"\n +in .+, line \d+: .*")


class Sides:
    """A module's answers in this process and in a learner's."""

    def __init__(self, module):
        folder = ROOT / "solutions" / module
        notebook = read_text_notebook(folder / "notebook.py")
        self.here = Workbench(notebook, folder)
        self.here.lesson.record = self.here.record()
        self.there = Workbench(notebook, folder)
        self.there.lesson.record = self.here.lesson.record
        self.session = open_session(cell=120.0, call=60.0)
        for cell in notebook.cells:
            if cell.role in ("setup", "exercise"):
                assert self.session.run_cell(cell.source, f"line-{cell.line}") == ""
        for name in names_of_exercises(notebook):
            self.there.namespace[name] = self.session.get(name)
        assert self.session.run_cell((folder / "mistakes.py").read_text(encoding="utf-8"), "mistakes") == ""
        rename = "for _v in list(globals().values()):\n    _m = getattr(_v, '__dict__', {}).get('__mistake__')\n"
        assert (
            self.session.run_cell(f"{rename}    if hasattr(_m, 'exercise'): _v.__name__ = _m.exercise", "names") == ""
        )


def names_of_exercises(notebook):
    return [
        node.name
        for cell in notebook.exercises
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


@pytest.fixture(scope="module", params=MODULES)
def sides(request):
    sides = Sides(request.param)
    yield sides
    sides.session.close()


def test_official_solutions_pass_through_the_split(sides):
    tests = [cell for cell in sides.there.notebook.cells if cell.role == "tests"]
    failures = {cell.line: str(sides.there.run_tests(cell)) for cell in tests if sides.there.run_tests(cell)}
    assert not failures
    assert tests


def test_every_known_mistake_is_told_alike(sides):
    seen = 0
    for wrong in sides.here.wrong_answers:
        proxy = sides.session.get(wrong.name)
        for cell in sides.here.notebook.tests_of(wrong.exercise):
            for hidden in (False, True):
                here = sides.here.run_tests(cell, wrong.answer, hidden=hidden)
                there = sides.there.run_tests(cell, proxy, hidden=hidden)
                where = f"{wrong.name}, line {cell.line}"
                assert (here is None) == (there is None), where
                if here is not None:
                    seen += 1
                    assert _LINE.sub("", str(there)) == _LINE.sub("", str(here)), where
                    assert there.report.reason == here.report.reason, where
                    assert there.ordinal == here.ordinal, where
    assert seen > len(sides.here.wrong_answers)
