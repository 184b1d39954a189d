"""Damage to the notebook's structure: what honest accidents do, and what is done on purpose."""

import copy

from tests.grader.submissions.assignments import WRONG, right_answers
from tests.grader.submissions.case import ALL, FIRST, Case, find, own

GROUP = "damage to the structure"


def damaged(name, why, edit, **more):
    return Case(name, GROUP, why, edit=edit, **more)


def tests_of(notebook):
    return [cell for cell in notebook["cells"] if "-test-" in cell["id"]]


def exercises_of(notebook):
    marks = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    return [
        cell
        for cell, mark in zip(notebook["cells"], marks, strict=True)
        if mark.get("solution") and not mark.get("grade")
    ]


def without_tests(notebook):
    for cell in tests_of(notebook):
        notebook["cells"].remove(cell)


def emptied_tests(notebook):
    for cell in tests_of(notebook):
        cell["source"] = "pass"


def more_points(notebook):
    for cell in tests_of(notebook):
        cell["metadata"]["nbgrader"]["points"] = 1000


def tests_as_answers(notebook):
    for cell in tests_of(notebook):
        cell["metadata"]["nbgrader"] |= {"solution": True, "locked": False}
        cell["source"] = "# nothing to test"


def tests_as_markdown(notebook):
    for cell in tests_of(notebook):
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]


def easier_copies(notebook):
    for cell in tests_of(notebook):
        copied = copy.deepcopy(cell) | {"source": "assert True", "id": cell["id"] + "-x"}
        notebook["cells"].append(copied)


def swapped_ids(notebook):
    """Give each test cell the mark of another one: the hardest is worth what the easiest proves."""
    tests = tests_of(notebook)
    marks = [cell["metadata"]["nbgrader"] for cell in tests]
    for cell, mark in zip(tests, reversed(marks), strict=True):
        cell["metadata"]["nbgrader"], cell["id"] = mark, mark["grade_id"]


def tests_first(notebook):
    for cell in tests_of(notebook):
        notebook["cells"].remove(cell)
        notebook["cells"].insert(0, cell)


def reversed_exercises(notebook):
    for cell in exercises_of(notebook):
        notebook["cells"].remove(cell)
        notebook["cells"].append(cell)


def without_marks(notebook):
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        cell["id"] = f"new-{number}"


def without_setup(notebook):
    notebook["cells"].remove(find(notebook, "setup"))


def pasted_together(notebook):
    """All answers in one cell, the official ones deleted."""
    cells = exercises_of(notebook)
    text = "\n\n".join(cell["source"] for cell in cells)
    for cell in cells:
        notebook["cells"].remove(cell)
    notebook["cells"].append(own(text))


def first_attempt_below(notebook):
    """The stub's copy stands below the answer."""
    cell = exercises_of(notebook)[0]
    stub = "def @NAME@(*args, **kwargs):\n    ...\n    raise NotImplementedError('your code here')\n"
    notebook["cells"].append(own("# my first attempt\n" + stub.replace("@NAME@", "old_" + cell["id"])))
    notebook["cells"].insert(0, copy.deepcopy(cell) | {"id": "copied"})


def answer_as_markdown(notebook):
    cell = exercises_of(notebook)[0]
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def skip_tags(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]


def may_raise(notebook):
    for cell in tests_of(notebook):
        cell["metadata"]["tags"] = ["raises-exception"]
        cell["metadata"]["nbgrader"]["task"] = True


def wrong_kernel(notebook):
    notebook["metadata"]["kernelspec"] = {"display_name": "Julia 1.9", "language": "julia", "name": "julia-1.9"}


def old_format(notebook):
    """nbformat 3, as old tools save it: worksheets, input instead of source, no cell ids."""
    cells = notebook.pop("cells")
    for cell in cells:
        del cell["id"]
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "collapsed": False}
            cell["prompt_number"] = cell.pop("execution_count")
    notebook |= {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells, "metadata": {}}]}


def wrong_below_right(notebook):
    profile = "torch" if "leaky" in str(notebook["cells"]) else "numpy"
    for name, text in WRONG[profile].items():
        notebook["cells"].append(copy.deepcopy(find(notebook, name)) | {"source": text, "id": f"{name}-again"})


def right_below_wrong(notebook):
    profile = "torch" if "leaky" in str(notebook["cells"]) else "numpy"
    for name, text in right_answers(profile).items():
        notebook["cells"].append(copy.deepcopy(find(notebook, name)) | {"source": text, "id": f"{name}-again"})


CASES = [
    damaged("deleted-tests", "wrong answers stay wrong without tests", without_tests, loses=ALL, base="wrong"),
    damaged("deleted-tests-right", "right answers are right without tests", without_tests),
    damaged("emptied-tests", "the official tests are put back", emptied_tests, loses=ALL, base="wrong"),
    damaged("more-points", "the official points count", more_points),
    damaged("more-points-wrong", "a thousand points for nothing", more_points, loses=ALL, base="wrong"),
    damaged("tests-as-answers", "a test cell is no answer", tests_as_answers, loses=ALL, base="wrong"),
    damaged("tests-as-markdown", "the answers are right", tests_as_markdown),
    damaged("tests-as-markdown-wrong", "the answers are wrong", tests_as_markdown, loses=ALL, base="wrong"),
    damaged("easier-copies", "a second cell of a test's id is no test", easier_copies, loses=ALL, base="wrong"),
    damaged("swapped-ids", "marks that were exchanged are put right", swapped_ids),
    damaged("swapped-ids-wrong", "one right answer earns its own tests", swapped_ids, base="wrong", loses=ALL),
    damaged("tests-first", "cells are found wherever they stand", tests_first),
    damaged("reversed-exercises", "cells are found wherever they stand", reversed_exercises),
    damaged("without-marks", "answers are found by the names they define", without_marks),
    damaged("without-setup", "the official setup is put back", without_setup),
    damaged("pasted-together", "one cell with all answers has all answers", pasted_together),
    damaged("first-attempt-below", "an attempt under another name changes nothing", first_attempt_below),
    damaged(
        "answer-as-markdown", "an answer in a cell that was turned to text by a key is an answer", answer_as_markdown
    ),
    damaged("skip-tags", "a tag keeps no answer from being run", skip_tags),
    damaged("tests-may-raise", "a tag does not excuse a failed test", may_raise, loses=ALL, base="wrong"),
    damaged("wrong-kernel", "the kernel's name says nothing about the answers", wrong_kernel),
    damaged("old-format", "format 3 holds the same answers", old_format),
    damaged("wrong-below-right", "what is defined last counts, and that is wrong", wrong_below_right, loses=ALL),
    damaged("right-below-wrong", "what is defined last counts", right_below_wrong, base="wrong"),
    Case(
        "deleted-answer",
        GROUP,
        "an exercise that is not there earns nothing, the others do",
        loses=(FIRST,),
        edit=lambda notebook: notebook["cells"].remove(exercises_of(notebook)[0]),
        outcome="Missing",
    ),
    Case("blank", GROUP, "nothing was written", loses=ALL, base="blank"),
]
