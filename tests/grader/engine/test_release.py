"""The official side of a module: made from the text notebook, kept until something changes, counted in full."""

import json
from dataclasses import replace

import numpy as np
import pytest

from grader.course import CourseError
from grader.engine import release as releases
from grader.engine.errors import EngineError
from grader.engine.official import Official
from grader.engine.release import OfficialCell, Release, make_release
from tests.grader.conftest import ROOT, make_course
from tests.grader.engine.conftest import MISTAKES, MODULE, NOTEBOOK


def test_cells_and_their_roles(release):
    roles = {cell.id: cell.role for cell in release.cells if cell.role != "prose"}
    assert roles == {
        "setup-1": "setup",
        "windows": "exercise",
        "windows-test-1": "tests",
        "windows-test-2": "tests",
        "setup-2": "setup",
        "total": "exercise",
        "total-test-1": "tests",
        "halved": "exercise",
        "halved-test-1": "tests",
        "why": "answer",
        "experiment-1": "experiment",
    }
    assert release.exercises == release.names == ("windows", "total", "halved")
    assert release.points == 31
    assert release.profile == "numpy"
    assert release.unneeded == {"matplotlib.pyplot", "torch._dynamo"}
    assert {cell.id: cell.checks for cell in release.having("tests")} == {
        "windows-test-1": 2,
        "windows-test-2": 4,
        "total-test-1": 2,
        "halved-test-1": 2,
    }


def test_visible_text_is_what_nbgrader_hands_out(release):
    student = json.loads(
        (ROOT / "notebooks" / "05_convolution_arithmetic" / "05_convolution_arithmetic.ipynb").read_text()
    )
    from grader.course import Course

    real = make_release(Course(ROOT), "05_convolution_arithmetic")
    assert {cell["id"]: "".join(cell["source"]) for cell in student["cells"]} == {c.id: c.visible for c in real.cells}
    assert real.profile == "torch"
    first = replace(real.having("exercise")[0], source="optimizer = torch.optim.SGD(model.parameters(), lr=0.1)")
    assert real.unneeded - replace(real, cells=(*real.cells, first)).unneeded == {"torch._dynamo"}
    assert "your code here" in release.by_id["windows"].visible
    test = release.by_id["windows-test-2"]
    assert "4711" in test.source
    assert "4711" not in test.visible
    assert [number for number in range(1, 20) if test.hides(number)] == [3, 4, 5, 6, 7]


def test_mistakes_are_recorded_at_hidden_checks_too(release):
    found = {(known.cell, known.ordinal) for known in release.record.mistakes if known.name == "ignores_stride"}
    # In the second cell it passes both visible checks; ordinals go on through the hidden part.
    assert found == {("windows-test-1", 1), ("windows-test-2", 2)}
    known = release.recognise("windows-test-2", 2, {"shape": [], "entries": [91.0]})
    assert known is not None
    assert known.reason == "The stride is not used."
    assert release.recognise("windows-test-2", 3, {"shape": [], "entries": [91.0]}) is None


def test_a_release_is_kept_until_its_module_changes(tmp_path, monkeypatch):
    course = make_course(tmp_path, NOTEBOOK, MISTAKES)
    first = make_release(course, MODULE)
    path = tmp_path / "build" / "releases" / f"{MODULE}.json"
    with monkeypatch.context() as patch:
        patch.setattr(releases, "_make", lambda *_: pytest.fail("made again"))
        again = make_release(course, MODULE)
    assert again.to_json() == first.to_json()
    assert again.fingerprint == first.fingerprint
    source = tmp_path / "solutions" / MODULE / "notebook.py"
    source.write_text(NOTEBOOK.replace("# Why are there", "# Say why there are"), encoding="utf-8")
    assert make_release(course, MODULE).fingerprint == first.fingerprint, "prose changes no result"
    source.write_text(NOTEBOOK.replace("a_secret_size = 91", "a_secret_size = 61").replace("gives(31)", "gives(21)"))
    changed = make_release(course, MODULE)
    assert changed.fingerprint != first.fingerprint
    path.write_text("damaged", encoding="utf-8")
    assert make_release(course, MODULE).fingerprint == changed.fingerprint


@pytest.mark.parametrize("text", ["[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_release_is_refused(text):
    with pytest.raises(ValueError, match="release"):
        Release.from_json(text)


def test_a_solution_that_fails_its_hidden_test_is_told(tmp_path):
    course = make_course(tmp_path, NOTEBOOK.replace("gives(31)", "gives(32)"), MISTAKES)
    with pytest.raises(CourseError, match="fails its own hidden test"):
        make_release(course, MODULE)


def test_a_code_cell_with_nbgraders_metadata_is_told(tmp_path):
    marks = json.dumps({"grade": True, "grade_id": "x", "points": 1, "locked": True, "solution": False, "task": False})
    course = make_course(tmp_path, NOTEBOOK + f"\n# %% nbgrader={marks}\nassert True\n", MISTAKES)
    with pytest.raises(CourseError, match="tag it setup"):
        make_release(course, MODULE)


# The trusted side of a release.


@pytest.fixture
def official(release):
    return Official(release)


def learners():
    return {"windows": lambda *_, **__: 0, "total": lambda *_: 0, "halved": lambda x: x / 2}


def test_test_cells_are_cut_before_what_is_hidden(official):
    assert [[part.hidden for part in test.parts] for test in official.tests] == [
        [False],
        [False, True],
        [False, True],
        [False, True],
    ]


def test_a_statement_that_holds_a_hidden_line_is_hidden(official):
    source = (
        "a = 1\nfor i in range(2):\n    b = i\n    ### BEGIN HIDDEN TESTS\n    c = i\n    ### END HIDDEN TESTS\nd = 2\n"
    )
    cell = OfficialCell("t", "tests", True, source, "", hidden=((4, 6),))
    test = official._test(cell)
    names = {}
    exec(test.parts[0].code, names)
    assert "a" in names
    assert "b" not in names


def test_official_names_make_place_for_the_learners(official):
    official.begin({})
    assert not {"windows", "total", "halved"} & official.namespace.keys()
    official.begin(learners())
    assert official.namespace["windows_of_numbers"]() == 0


def test_no_test_cell_leaves_a_trace(official):
    official.begin(learners())
    official.namespace["numbers"][:] = -1
    official.namespace["sizes"].clear()
    official.namespace["np"] = None
    official.namespace["left_behind"] = 1
    official.begin(learners())
    assert official.namespace["numbers"].tolist() == [0, 1, 2, 3]
    assert official.namespace["sizes"] == [5, 7]
    assert official.namespace["np"] is np
    assert "left_behind" not in official.namespace


def test_random_numbers_begin_at_the_seed_and_go_on_after_a_pause(official):
    official.begin({})
    whole = np.random.rand(4).tolist()
    np.random.rand(7)
    official.begin({})
    first = np.random.rand(2).tolist()
    pause = official.pause()
    official.begin({})
    np.random.rand(9)
    official.resume(pause)
    assert first + np.random.rand(2).tolist() == whole


def test_official_code_that_does_not_run_is_told(release):
    setup = OfficialCell("setup-1", "setup", True, "import no_such_module", "")
    with pytest.raises(EngineError, match=r"setup-1 does not run: ModuleNotFoundError"):
        Official(Release(MODULE, (setup,), release.record))
