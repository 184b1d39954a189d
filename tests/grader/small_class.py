"""A small class: results written by hand into a gradebook, and nbgrader's view of it."""

import json
from contextlib import contextmanager

from grader.engine.put_back import put_back
from grader.engine.release import make_release
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.submission import read_submission
from grader.gradebook import open_gradebook

SMALL = "01_windows"
ANSWER = "def windows(size, kernel, stride=1):\n    return (size - kernel) // stride + 1\n"
WRITTEN = "Because $n = 3$, and **that** is all."


def student_notebook(course, module, **changed):
    """The bytes of a student notebook with the sources of some cells exchanged."""
    notebook = json.loads((course.notebooks / module / f"{module}.ipynb").read_text())
    for cell in notebook["cells"]:
        cell["source"] = changed.get(cell["id"], cell["source"])
    return json.dumps(notebook).encode()


def result_of(release, submission, points=None, outcome=Outcome.Failed, **fields):
    """What grading may give: points per test cell, full ones where none are given."""
    plan = put_back(release, submission)
    cells = []
    for cell in release.having("tests"):
        earned = cell.points if points is None else points.get(cell.id, 0.0)
        end = Outcome.Passed if earned else outcome
        message = "" if earned else f"{cell.exercise}: The shape is (2,), expected (3,)."
        cells.append(CellResult(cell.id, cell.exercise, earned, cell.points, end, message))
    written = tuple(
        WrittenAnswer(cell.id, cell.points, plan.written[cell.id], plan.written[cell.id] != cell.visible)
        for cell in release.having("answer")
    )
    return Result(submission.student, release.module, submission.key, tuple(cells), written, plan.edits, **fields)


class ClassOf:
    """A course with one built module, and a hand to write results with."""

    def __init__(self, course, url=None, module=SMALL):
        self.course, self.url, self.module = course, url, module
        self.release = make_release(course, module)

    def write(self, student, points=None, submitted_at=None, sources=None, outcome=Outcome.Failed, **fields):
        given = {"windows": ANSWER, "why": WRITTEN} if sources is None else sources
        submission = read_submission(student_notebook(self.course, self.module, **given), student)
        result = result_of(self.release, submission, points, outcome, **fields)
        with open_gradebook(self.course, self.url) as gradebook:
            gradebook.write(self.release, result, submission, submitted_at)
        return result

    @property
    def database(self):
        return self.url or f"sqlite:///{self.course.root / 'gradebook.db'}"

    @contextmanager
    def nbgrader(self):
        """nbgrader's own view of the gradebook."""
        from nbgrader.api import Gradebook

        with Gradebook(self.database) as gradebook:
            yield gradebook

    def grade(self, student, cell, **values):
        """Do what formgrader does when a person gives a score."""
        with self.nbgrader() as gradebook:
            grade = gradebook.find_grade(cell, self.module, self.module, student)
            for name, value in {"needs_manual_grade": False, **values}.items():
                setattr(grade, name, value)
            gradebook.db.commit()

    def seen(self, student):
        """What nbgrader shows of a submission: its scores, its notebook's, its cells' and the comments."""
        with self.nbgrader() as gradebook:
            submission = gradebook.find_submission(self.module, student)
            (notebook,) = submission.notebooks
            found = {
                "submission": submission.to_dict() | {"seconds late": submission.total_seconds_late},
                "notebook": notebook.to_dict() | {"penalty": notebook.late_submission_penalty},
                "grades": {grade.name: grade.to_dict() | {"score": grade.score} for grade in notebook.grades},
                "comments": {comment.name: comment.to_dict() for comment in notebook.comments},
            }
        for entry in (found["submission"], found["notebook"], *found["grades"].values(), *found["comments"].values()):
            del entry["id"], entry["student"]
        return found

    def autograded(self, student):
        return self.course.root / "autograded" / student / self.module / f"{self.module}.ipynb"

    def shown(self, student):
        return {cell["id"]: cell for cell in json.loads(self.autograded(student).read_text())["cells"]}
