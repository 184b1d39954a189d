"""Submissions: whatever is handed in is read or told in one line, and the official cells are put back."""

import copy
import io
import json
import os
import zipfile

import pytest

from grader.course import CourseError
from grader.engine import submission as submissions
from grader.engine.layouts import find_submissions
from grader.engine.put_back import LONGEST_CELL, _longest_increasing, defined_names, put_back
from grader.engine.submission import read_submission
from tests.grader.engine.conftest import SOLUTIONS, cell, notebook

MODULES = ["01_windows", "02_mlp_backprop"]


def read(data):
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return read_submission(text, "ann")


def plan_of(release, data):
    return put_back(release, read(data))


def index(data, grade_id):
    return next(i for i, c in enumerate(data["cells"]) if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


@pytest.fixture
def data(release):
    return notebook(release)


# Reading one notebook.


def test_a_good_notebook(release, data):
    submission = read(data)
    assert (submission.problem, submission.remarks) == ("", ())
    assert [c.mark for c in submission.cells] == [c.id for c in release.cells]
    assert len(submission.key) == 64
    assert submission.key != read(data | {"nbformat_minor": 4}).key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe", "no notebook"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no notebook"),
        (b"PK\x03\x04", "no notebook"),
        (b"[1, 2]", "no notebook"),
        (b'"cells"', "no notebook"),
        (b"{}", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [{"cell_type": "code"', "damaged or cut off in line 1"),
        (b'{"cells": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"cells": ' + b"[" * 1_000_001, "more than a million"),
        (b'{"cells": [' + b"9" * 5_000 + b"]}", "number too long"),
        (b"<html>Please log in</html>", "no notebook"),
    ],
)
def test_what_is_no_notebook_is_told_in_one_line(text, told):
    problem = read(text).problem
    assert told in problem
    assert "\n" not in problem
    assert len(problem) < 200


def test_a_file_too_large_is_not_parsed(monkeypatch):
    monkeypatch.setattr(submissions.json, "loads", lambda _: pytest.fail("parsed"))
    assert "200 MiB" in read(b"{" + b" " * (200 * 2**20)).problem


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le"])
def test_other_encodings_are_read(data, encoding):
    submission = read(json.dumps(data, ensure_ascii=False).encode(encoding))
    assert submission.cells == read(data).cells
    assert len(submission.remarks) == 1


def test_bytes_that_are_not_utf8_are_replaced(data):
    data["cells"][-1]["source"] = ["# Größe"]
    submission = read(json.dumps(data, ensure_ascii=False).encode("latin-1", "replace"))
    assert submission.cells[-1].source == "# Gr��e"
    assert "replaced" in submission.remarks[0]


def test_format_3_is_read(data):
    cells = [
        {
            "cell_type": c["cell_type"],
            "metadata": c["metadata"],
            "input" if c["cell_type"] == "code" else "source": c["source"],
        }
        for c in data["cells"]
    ]
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells[:5]}, {"cells": cells[5:]}]}
    submission = read(old)
    assert submission.cells == read(data).cells
    assert submission.remarks == ("The notebook is in the old format 3.",)


def test_odd_cells_are_left_out_and_told(data):
    odd = [None, 3, {}, {"cell_type": "code", "source": 3}, {"cell_type": [], "source": ""}]
    data["cells"] = odd + data["cells"]
    submission = read(data)
    assert len(submission.cells) == len(data["cells"]) - len(odd)
    assert submission.remarks[0] == "Cell 1 is damaged and was left out."
    assert len(submission.remarks) == len(odd)


def test_odd_metadata_do_no_harm():
    odd = [
        {"nbgrader": 3},
        {"nbgrader": {"grade_id": ["x"], "points": "many", "grade": "yes"}, "tags": "skip-execution"},
        {"nbgrader": {"points": float("nan")}, "tags": [[1]]},
        {"nbgrader": {"points": 10**400}},
        [],
    ]
    cells = [cell("code", "x = '\ud800\r\n'") | {"metadata": metadata} for metadata in odd]
    submission = read({"cells": cells, "metadata": []})
    assert {(c.source, c.mark, c.points, c.skipped) for c in submission.cells} == {("x = '�\n'", "", None, False)}


def test_a_kernel_of_another_language_is_told(data):
    data["metadata"] = {"kernelspec": {"language": "julia", "name": "julia-1.9"}}
    assert "julia" in read(data).remarks[0]


# Putting the official cells back.


def steps(plan):
    return [step.id for step in plan.steps]


def test_what_runs(release, data):
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "windows", "setup-2", "total", "halved"]
    assert [step.official for step in plan.steps] == [True, False, True, False, False]
    assert plan.edits == ()
    assert plan.steps[1].source.rstrip() == SOLUTIONS["windows"].rstrip()


def test_own_cells_run_in_their_order(release, data):
    for where, text in ((index(data, "windows"), "first = 1"), (len(data["cells"]), "last = 1")):
        data["cells"].insert(where, cell("code", text))
    data["cells"].append(cell("code", "slow()", tags=["skip-execution"]))
    data["cells"].append(cell("markdown", "def windows(): my notes"))
    plan = plan_of(release, data)
    assert [step.source for step in plan.steps if step.id.startswith("cell")] == ["first = 1", "last = 1"]
    assert steps(plan)[1] == "cell 4"
    assert plan.edits == ()


def test_setup_edited_or_deleted_is_put_back(release, data):
    data["cells"][index(data, "setup-1")]["source"] = "import numpy as np\nhelper = 1"
    del data["cells"][index(data, "setup-2")]
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "cell 2", "windows", "setup-2", "total", "halved"]
    assert "open_lesson" in plan.steps[0].source
    assert plan.edits == (
        "The cell setup-1 was edited; the official one was used.",
        "The cell setup-2 was deleted; the official one was used.",
    )


def test_setup_runs_before_what_follows_it_in_the_course(release, data):
    data["cells"].append(data["cells"].pop(index(data, "setup-1")))
    data["cells"].insert(0, data["cells"].pop(index(data, "total")))
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "setup-2", "total", "windows", "halved"]
    assert plan.edits == ("The cell total was moved.", "The cell setup-1 was moved.")


def test_test_cells_and_experiments_never_run(release, data):
    for name in ("windows-test-1", "experiment-1"):
        data["cells"][index(data, name)]["source"] = "import os\nos.remove('x')"
        data["cells"].append(cell("code", release.by_id[name].visible))
    plan = plan_of(release, data)
    assert not any("os.remove" in step.source or "RuntimeError" in step.source for step in plan.steps)
    assert not any("check(" in step.source for step in plan.steps)
    assert "The cell windows-test-1 was edited; the official one was used." in plan.edits


def test_points_and_marks_that_were_changed(release, data):
    marks = data["cells"][index(data, "total-test-1")]["metadata"]["nbgrader"]
    marks |= {"points": 400, "locked": False}
    plan = plan_of(release, data)
    assert plan.edits == (
        "The points of total-test-1 were changed to 400; the official 4 count.",
        "The marks of the cell total-test-1 were changed; the official ones count.",
    )


def test_ids_that_were_lost(release, data):
    for each in data["cells"]:
        each["metadata"] = {}
        del each["id"]
    plan = plan_of(release, data)
    assert [step.source.rstrip() for step in plan.steps if not step.official] == [
        s.rstrip() for s in SOLUTIONS.values()
    ]
    assert plan.problem == ""
    assert any(edit.startswith("The answer to windows was found in cell 4") for edit in plan.edits)


def test_the_cell_id_serves_where_the_metadata_are_lost(release, data):
    for each in data["cells"]:
        each["metadata"] = {}
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "windows", "setup-2", "total", "halved"]
    assert plan.edits == ()


def test_an_answer_in_a_cell_of_another_kind(release, data):
    data["cells"][index(data, "windows")]["cell_type"] = "markdown"
    data["cells"][index(data, "total")]["cell_type"] = "raw"
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "windows", "setup-2", "total", "halved"]
    assert len(plan.edits) == 2


def test_an_answer_in_a_test_cell(release, data):
    where = index(data, "windows-test-1")
    data["cells"][where]["source"] = SOLUTIONS["windows"]
    data["cells"][index(data, "windows")]["source"] = release.by_id["windows"].visible
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", f"cell {where + 1}", "setup-2", "total", "halved"], "the stub is left out"
    assert "The cell windows-test-1 was used for an answer (windows)." in plan.edits


def test_what_is_defined_last_counts_but_no_copy_of_the_stub(release, data):
    answer = data["cells"][index(data, "windows")]
    data["cells"].append(copy.deepcopy(answer) | {"source": "def windows(size, kernel, stride=1):\n    return 7"})
    data["cells"].append(copy.deepcopy(answer) | {"source": release.by_id["windows"].visible})
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "windows", "setup-2", "total", "halved", f"cell {len(data['cells']) - 1}"]
    assert "There is more than one cell of windows: what is defined last counts." in plan.edits


def test_an_endless_cell_is_not_run(release, data):
    data["cells"].append(cell("code", "x = 1\n" * LONGEST_CELL))
    plan = plan_of(release, data)
    assert steps(plan) == ["setup-1", "windows", "setup-2", "total", "halved"]
    assert "more than a million characters" in plan.edits[0]


def test_much_code_is_not_all_run(release, data):
    data["cells"] += [cell("code", f"x = {n}\n" + "#" * (LONGEST_CELL // 2)) for n in range(10)]
    plan = plan_of(release, data)
    assert len(plan.steps) == 5 + 7
    assert len(plan.edits) == 3


def test_many_copies_take_no_long_time(release, data):
    stub = data["cells"][index(data, "windows")] | {"source": release.by_id["windows"].visible}
    data["cells"] += [stub] * 4_000
    assert len(plan_of(release, data).steps) == 5


def test_written_answers(release, data):
    where = index(data, "why")
    stub = plan_of(release, data)
    assert stub.written == {"why": release.by_id["why"].visible}
    data["cells"][where]["source"] = "Because of the border."
    assert plan_of(release, data).written == {"why": "Because of the border."}
    data["cells"][where] = cell("markdown", "Because of the border.")
    lost = plan_of(release, data)
    assert lost.written == {"why": "Because of the border."}
    assert "found behind its question" in lost.edits[0]
    del data["cells"][where]
    gone = plan_of(release, data)
    assert gone.written == stub.written
    assert gone.edits == ("The written answer why was deleted.",)


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [cell("markdown", "# Holidays")],
        [cell("code", "def sigmoid(z):\n    return 1", nbgrader={"grade_id": "sigmoid"})],
        [cell("code", "import numpy", nbgrader={"grade_id": "setup-1"})],
    ],
)
def test_another_assignment_is_told(release, cells):
    assert plan_of(release, {"cells": cells}).problem == (
        "this is no submission to 01_windows (01 Windows): none of its exercises is in the notebook"
    )


def test_names_that_a_cell_defines():
    source = (
        "def f(a=1):\n    inner = 1\nclass G: pass\nasync def h(): ...\nx = 1\ny: int = 2\nx == 3\nz += 1\n# no = 1"
    )
    assert defined_names(source) == {"f", "G", "h", "x", "y"}


def test_the_longest_run_in_order():
    assert _longest_increasing([3, 0, 1, 5, 2, 4]) in ({0, 1, 2, 4}, {0, 1, 4, 5})
    assert _longest_increasing([]) == set()


# Finding the submissions of a class.


def make_files(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def who(found):
    return [(each.student, each.assignment, each.problem) for each in found]


GOOD = b'{"cells": []}'
NBGRADER = {
    "ann/01_windows/01_windows.ipynb": GOOD,
    "ann/01_windows/pictures/x.png": b"x",
    "ann/01_windows/.ipynb_checkpoints/01_windows-checkpoint.ipynb": GOOD,
    "ann/02_mlp_backprop/02_mlp_backprop.ipynb": GOOD,
    "bob/01_windows/01_windows (1).ipynb": GOOD,
    "bob/01_windows/timestamp.txt": b"2026",
}
FLAT = {"ann.ipynb": GOOD, "01_windows_bob (2).ipynb": GOOD, "cy-01_windows.ipynb.txt": GOOD, "notes.txt": b"x"}


@pytest.mark.parametrize("form", ["folder", "zip", "wrapped zip"])
def test_nbgraders_layout(tmp_path, form):
    source = tmp_path / "class"
    if form == "folder":
        make_files(source, NBGRADER)
    else:
        wrapper = "downloads/" if form == "wrapped zip" else ""
        source = zipped(tmp_path / "class.zip", {wrapper + name: text for name, text in NBGRADER.items()})
    found = find_submissions(source, MODULES)
    assert who(found) == [
        ("ann", "01_windows", ""),
        ("ann", "02_mlp_backprop", ""),
        ("bob", "01_windows", ""),
    ]
    assert found[2].remarks == ("The file was renamed to 01_windows (1).ipynb.",)
    assert all(each.read().key for each in found)


@pytest.mark.parametrize("form", ["folder", "zip", "wrapped zip"])
def test_a_flat_folder(tmp_path, form):
    source = tmp_path / "class"
    if form == "folder":
        make_files(source, FLAT)
    else:
        wrapper = "downloads/" if form == "wrapped zip" else ""
        source = zipped(tmp_path / "class.zip", {wrapper + name: text for name, text in FLAT.items()})
    found = find_submissions(source, MODULES)
    assert who(found) == [("ann", "", ""), ("bob", "01_windows", ""), ("cy", "01_windows", "")]
    assert all(each.read().key for each in found)


def test_a_folder_a_student_and_a_single_file(tmp_path):
    make_files(
        tmp_path,
        {"class/ann/01_windows.ipynb": GOOD, "class/ann/02_mlp_backprop.ipynb": GOOD, "class/bob/x.ipynb": GOOD},
    )
    assert who(find_submissions(tmp_path / "class", MODULES)) == [
        ("ann", "01_windows", ""),
        ("ann", "02_mlp_backprop", ""),
        ("bob", "", ""),
    ]
    assert who(find_submissions(tmp_path / "class" / "bob" / "x.ipynb", MODULES)) == [("x", "", "")]


def test_what_cannot_be_read_costs_nobody_else(tmp_path):
    make_files(
        tmp_path,
        {
            "ann/01_windows/01_windows.ipynb": GOOD,
            "bob/01_windows/one.ipynb": GOOD,
            "bob/01_windows/two.ipynb": GOOD,
            "cy/01_windows/answers.py": b"x",
            "dee/01_windows/01_windows.ipynb/x.txt": b"x",
            "eve/01_windows/01_windows.ipynb": b"",
        },
    )
    (tmp_path / "fay" / "01_windows").mkdir(parents=True)
    (tmp_path / "fay" / "01_windows" / "01_windows.ipynb").symlink_to(tmp_path / "ann/01_windows/01_windows.ipynb")
    (tmp_path / "gus" / "01_windows").mkdir(parents=True)
    os.mkfifo(tmp_path / "gus" / "01_windows" / "01_windows.ipynb")
    with open(tmp_path / "hal.ipynb", "wb") as file:
        file.truncate(200 * 2**20)
    problems = {each.student: each.read().problem for each in find_submissions(tmp_path, MODULES)}
    assert problems == {
        "ann": "",
        "bob": "there are 2 notebooks (one.ipynb, two.ipynb), and none has the assignment's name: hand in one",
        "cy": "there is no notebook in the folder",
        "dee": "this is a folder, not a file",
        "eve": "the file is empty",
        "fay": "the file cannot be opened: it is a link; hand in the file itself",
        "gus": "this is no plain file",
        "hal": "the file has 200 MiB, the most is 100: clear its outputs and save it again",
    }


def test_the_assignments_own_name_wins_over_others(tmp_path):
    make_files(tmp_path, {"ann/01_windows/01_windows.ipynb": GOOD, "ann/01_windows/draft.ipynb": GOOD})
    (found,) = find_submissions(tmp_path, MODULES)
    assert found.name == "ann/01_windows/01_windows.ipynb"
    assert found.remarks == ("There are more notebooks in the folder (draft.ipynb); they were not read.",)


def test_nothing_in_a_zip_leads_out_of_it(tmp_path):
    path = zipped(tmp_path / "evil.zip", {"../../ann.ipynb": GOOD, "/etc/bob.ipynb": GOOD, "cy.ipynb": GOOD})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("dee.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = find_submissions(path, MODULES)
    assert [each.student for each in found] == ["cy", "dee"]
    assert found[1].read().problem == "this is a link; hand in the file itself"
    assert sorted(os.listdir(tmp_path)) == ["evil.zip"]


def test_a_zip_member_that_is_a_bomb_or_damaged(tmp_path):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ann.ipynb", b" " * (150 * 2**20))
        archive.writestr("bob.ipynb", GOOD * 1000)
        archive.writestr("cy.ipynb", GOOD)
    data = bytearray(path.read_bytes())
    where = data.index(b"bob.ipynb") + len(b"bob.ipynb")
    data[where + 3 : where + 9] = b"\xff" * 6
    path.write_bytes(data)
    problems = [each.read().problem for each in find_submissions(path, MODULES)]
    assert "150 MiB" in problems[0]
    assert "cannot be unpacked" in problems[1]
    assert problems[2] == ""


def test_what_is_no_class_at_all(tmp_path):
    with pytest.raises(CourseError, match="does not exist"):
        find_submissions(tmp_path / "nowhere", MODULES)
    (tmp_path / "class.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(CourseError, match="no zip file"):
        find_submissions(tmp_path / "class.zip", MODULES)
    assert find_submissions(tmp_path, MODULES) == []


def test_an_encrypted_member_is_told(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ann.ipynb", GOOD)
    data = bytearray(buffer.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (tmp_path / "class.zip").write_bytes(data)
    (found,) = find_submissions(tmp_path / "class.zip", MODULES)
    assert "cannot be unpacked" in found.read().problem
