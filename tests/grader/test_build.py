"""The build: roles, placeholders, byte-stable student notebooks without any secret, one line for each mistake."""

import json
import shutil

import nbformat
import pytest
from click.testing import CliRunner

from convnets.checks import LessonRecord
from grader.build import build_module, drift, read_text_notebook
from grader.build.recording import Workbench
from grader.cli import main
from grader.course import CourseError
from tests.grader.conftest import MISTAKES, NOTEBOOK, ROOT, make_course


@pytest.fixture(scope="module")
def student(built_course):
    return nbformat.read(built_course.notebooks / "01_windows" / "01_windows.ipynb", as_version=4)


@pytest.fixture(scope="module")
def record(built_course):
    path = built_course.notebooks / "01_windows" / "01_windows.checks.json"
    return LessonRecord.from_json(path.read_text(encoding="utf-8"))


def cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def test_roles_become_nbgrader_metadata(student):
    nbformat.validate(student)
    roles = {
        cell.id: (cell.metadata.nbgrader.grade, cell.metadata.nbgrader.solution, cell.metadata.nbgrader.locked)
        for cell in student.cells
    }
    assert roles == {
        "text-1": (False, False, True),
        "setup-1": (False, False, True),
        "text-2": (False, False, True),
        "windows": (False, True, False),
        "windows-test-1": (True, False, True),
        "windows-test-2": (True, False, True),
        "why": (True, True, False),
        "experiment-1": (False, False, True),
    }
    assert cell(student, "windows-test-2").metadata.nbgrader.points == 2
    assert cell(student, "experiment-1").metadata.tags == ["skip-execution"]


def test_placeholders_are_filled_from_the_tags(student):
    assert (
        "**10 minutes · 1 exercise · 5 points (3 checked at once, 2 for written answers)**" in student.cells[0].source
    )
    heading = cell(student, "text-2").source
    assert heading == "## Exercise 1 · `windows`\n\n*Difficulty 1 of 3 ●○○ · 5 minutes · 3 points*"


def test_students_get_a_stub(student):
    assert cell(student, "windows").source.endswith('    raise NotImplementedError("your code here")')
    assert cell(student, "why").source == "Your answer here."


@pytest.mark.parametrize(
    "secret", ["span_between_the_ends", "a_secret_size", "model answer", "a_line_of_a_wrong_answer", "BEGIN HIDDEN"]
)
def test_no_secret_reaches_learners(built_course, secret):
    for path in (built_course.notebooks / "01_windows").iterdir():
        assert secret not in path.read_text(encoding="utf-8"), path


def test_the_record_counts_checks_and_holds_outcomes(record):
    assert {name: (test.points, test.checks) for name, test in record.cells.items()} == {
        "windows-test-1": (1, 2),
        "windows-test-2": (2, 1),
    }
    assert record.exercises["windows"].parameters == ("size", "kernel", "stride")
    assert record.minutes == 10
    told = {(known.name, known.cell, known.ordinal, known.outcome["entries"][0]) for known in record.mistakes}
    assert told == {
        ("forgets_the_first", "windows-test-1", 0, 4.0),
        ("forgets_the_first", "windows-test-2", 0, 1.0),
        ("rounds_down", "windows-test-2", 0, 2.0),
        ("ignores_stride", "windows-test-1", 1, 5.0),
        ("ignores_stride", "windows-test-2", 0, 5.0),
    }


def test_a_second_build_makes_the_same_bytes(built_course, tmp_path):
    again = make_course(tmp_path)
    build_module(again, "01_windows")
    for path in (again.notebooks / "01_windows").iterdir():
        assert path.read_bytes() == (built_course.notebooks / "01_windows" / path.name).read_bytes()
    assert drift(again, "01_windows") == []
    assert build_module(again, "01_windows") == []


def test_drift_is_seen(built_course, tmp_path):
    course = make_course(tmp_path)
    assert drift(course, "01_windows") == ["01_windows.checks.json", "01_windows.ipynb"]
    shutil.copytree(built_course.notebooks, course.notebooks)
    assert drift(course, "01_windows") == []
    path = course.notebooks / "01_windows" / "01_windows.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("10 minutes", "11 minutes"), encoding="utf-8")
    (course.notebooks / "01_windows" / "left_over.txt").write_text("x")
    assert drift(course, "01_windows") == ["01_windows.ipynb", "left_over.txt"]


@pytest.mark.parametrize(
    ("before", "after", "drifted"),
    [
        ("4.0", "4.000001", False),
        ("4.0", "4.001", True),
        ("forgets_the_first", "forgets_one", True),
        ('"title": "', '"title": "The ', True),
        ('"format": 1', '"format": 0', True),
        ('"minutes"', '"hours"', True),
    ],
)
def test_what_another_processor_computes_is_no_drift(built_course, tmp_path, before, after, drifted):
    course = make_course(tmp_path)
    shutil.copytree(built_course.notebooks, course.notebooks)
    path = course.notebooks / "01_windows" / "01_windows.checks.json"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    assert drift(course, "01_windows") == (["01_windows.checks.json"] if drifted else [])


def test_a_build_leaves_a_record_that_agrees(built_course, tmp_path):
    course = make_course(tmp_path)
    shutil.copytree(built_course.notebooks, course.notebooks)
    home = course.notebooks / "01_windows"
    record = home / "01_windows.checks.json"
    record.write_text(record.read_text(encoding="utf-8").replace("4.0", "4.000001"), encoding="utf-8")
    (home / "pictures").mkdir()
    (home / "pictures" / "left_over.png").write_text("x")
    (home / "01_windows.ipynb").write_text("old", encoding="utf-8")
    assert build_module(course, "01_windows") == ["01_windows.ipynb", "pictures/left_over.png"]
    assert "4.000001" in record.read_text(encoding="utf-8")
    assert not (home / "pictures" / "left_over.png").exists()
    notebook = (home / "01_windows.ipynb").read_bytes()
    assert notebook == (built_course.notebooks / "01_windows" / "01_windows.ipynb").read_bytes()


def test_a_failed_build_keeps_the_old_notebook(course):
    build_module(course, "01_windows")
    path = course.notebooks / "01_windows" / "01_windows.ipynb"
    before = path.read_bytes()
    source = course.solutions / "01_windows" / "notebook.py"
    source.write_text(NOTEBOOK.replace("gives(5)", "gives(6)"), encoding="utf-8")
    with pytest.raises(CourseError, match="the solution fails its own test"):
        build_module(course, "01_windows")
    assert path.read_bytes() == before


def test_a_cell_that_carries_nbgrader_metadata_is_kept(course):
    meta = (
        '{"grade": true, "solution": false, "locked": true, "points": 1.0, "grade_id": "by_hand", "task": false, '
        '"schema_version": 3, "cell_type": "code"}'
    )
    source = course.solutions / "01_windows" / "notebook.py"
    source.write_text(f"{NOTEBOOK}\n# %% nbgrader={meta}\nassert windows(5, 5) == 1\n", encoding="utf-8")
    build_module(course, "01_windows")
    student = nbformat.read(course.notebooks / "01_windows" / "01_windows.ipynb", as_version=4)
    assert cell(student, "by_hand").metadata.nbgrader.points == 1
    assert cell(student, "by_hand").source == "assert windows(5, 5) == 1"


def test_a_folded_cell_hides_its_code(course):
    source = course.solutions / "01_windows" / "notebook.py"
    source.write_text(NOTEBOOK.replace("experiment seconds=2", "experiment seconds=2 folded=true"), encoding="utf-8")
    build_module(course, "01_windows")
    student = nbformat.read(course.notebooks / "01_windows" / "01_windows.ipynb", as_version=4)
    assert cell(student, "experiment-1").metadata.jupyter.source_hidden is True
    assert "jupyter" not in cell(student, "setup-1").metadata


def test_pictures_of_the_prose_go_along(course):
    source = course.solutions / "01_windows" / "notebook.py"
    source.write_text(
        NOTEBOOK.replace("{{card:10}}", "{{card:10}}\n#\n# ![A dot.](pictures/dot.svg)"), encoding="utf-8"
    )
    with pytest.raises(CourseError, match=r"the prose shows pictures/dot.svg, which is not in"):
        build_module(course, "01_windows")
    (source.parent / "pictures").mkdir()
    (source.parent / "pictures" / "dot.svg").write_text("<svg/>")
    build_module(course, "01_windows")
    assert (course.notebooks / "01_windows" / "pictures" / "dot.svg").read_text() == "<svg/>"


def test_a_widget_has_its_static_picture_in_its_place(course):
    source = course.solutions / "01_windows" / "notebook.py"
    source.write_text(f'{NOTEBOOK}\n# %% widget="dial"\n# alt: A dial at noon.\nprint("dial")\n', encoding="utf-8")
    with pytest.raises(CourseError, match=r"pictures/dial.png is missing: make it with"):
        build_module(course, "01_windows")
    (source.parent / "pictures").mkdir()
    (source.parent / "pictures" / "dial.png").write_bytes(b"picture")
    build_module(course, "01_windows")
    student = nbformat.read(course.notebooks / "01_windows" / "01_windows.ipynb", as_version=4)
    (output,) = cell(student, "widget-dial").outputs
    assert output.data["image/png"] == "cGljdHVyZQ=="
    assert output.metadata["image/png"]["alt"] == "A dial at noon."


BROKEN = [
    ('tests="windows" points=1', 'tests="windoes" points=1', "tests of 'windoes', but there is no such exercise"),
    ('tests="windows" points=1', 'tests="windows"', "points is missing"),
    ('tests="windows" points=1', 'tests="windows" points="one"', "points='one' is not a number"),
    ('tests="windows" points=1', 'tests="windows" points=1 colour=2', "the tag 'colour' is unknown"),
    ("difficulty=1", "difficulty=4", "difficulty=4; it is 1, 2 or 3"),
    ("# %% setup", "# %% setpu", "the tag 'setpu' is unknown"),
    ("# %% setup", "# %%", "a code cell needs a role"),
    ('exercise="windows"', 'exercise="2 windows"', "is not a Python name"),
    ('exercise="windows"', 'exercise="windows" tests="windows"', "a cell has one role"),
    ('answer="why"', 'answer="windows"', "the name 'windows' is taken by the cell in line 17"),
    ("experiment seconds=2", "experiment", "seconds is missing"),
    ("experiment seconds=2", "experiment seconds=2 folded=2", "the tag 'folded' is unknown"),
    ("experiment seconds=2", 'widget="dial"', "the widget has no alt text"),
    ("    ### END SOLUTION", "", "### BEGIN SOLUTION and ### END SOLUTION do not match"),
    ("### END HIDDEN TESTS", "", "### BEGIN HIDDEN and ### END HIDDEN do not match"),
    ("    ### BEGIN SOLUTION\n    span", "    span", "'windows' has no solution"),
    ("{{card:10}}", "{{card}}", "the placeholder {{card}} is unknown"),
    ("{{exercise:windows}}", "{{exercise:doors}}", "there is no exercise 'doors' for its heading"),
    ("lesson = open_lesson", "course = open_lesson", "does not run: NameError: name 'lesson' is not defined"),
    ("import numpy as np", "import numpyy as np", "does not run: ModuleNotFoundError"),
    ("gives(5)", "gives(6)", "the solution fails its own test"),
    ("check(windows, 7, 3).gives(5)\ncheck(windows, 7, 3, stride=2).gives(3)", "pass", "the test cell has no check"),
    ("def windows(", "def doors(", "the solution does not define windows"),
    ("check(windows, 7, 3).gives(5)", "assert windows(7, 3) / 0", "raised ZeroDivisionError outside a check"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_notebook_is_told_in_one_line(tmp_path, old, new, message):
    assert old in NOTEBOOK
    course = make_course(tmp_path, NOTEBOOK.replace(old, new, 1))
    with pytest.raises(CourseError) as caught:
        build_module(course, "01_windows")
    assert message in str(caught.value)
    if "fails its own test" not in message:
        assert len(str(caught.value).splitlines()) == 1


def test_an_exercise_without_tests(tmp_path):
    begin, end = NOTEBOOK.index('# %% tests="windows" points=1'), NOTEBOOK.index("# %% [markdown] answer")
    course = make_course(tmp_path, NOTEBOOK[:begin] + NOTEBOOK[end:])
    with pytest.raises(CourseError, match="the exercise 'windows' has no tests; add a cell tests='windows'"):
        build_module(course, "01_windows")


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            '@mistake("windows", "?")\ndef right(*a, **k):\n    return windows(*a, **k)',
            "right passes every visible test",
        ),
        ('@mistake("doors", "?")\ndef wrong(): ...', "there is no exercise 'doors' in the notebook"),
        ('@mistake("windows", "?")\ndef twin(size, kernel, stride=1):\n    return (size - kernel) // stride', "twin"),
        ("1 / 0", "does not run: ZeroDivisionError"),
    ],
)
def test_broken_mistakes_are_told(tmp_path, addition, message):
    course = make_course(tmp_path, mistakes=f"{MISTAKES}\n\n{addition}\n")
    with pytest.raises(CourseError, match=message):
        build_module(course, "01_windows")


def test_missing_mistakes_are_told(course):
    (course.solutions / "01_windows" / "mistakes.py").unlink()
    with pytest.raises(CourseError, match=r"mistakes.py is missing"):
        build_module(course, "01_windows")


def test_a_mistake_may_use_the_official_solution(course):
    notebook = read_text_notebook(course.solutions / "01_windows" / "notebook.py")
    workbench = Workbench(notebook, course.solutions / "01_windows")
    by_name = {wrong.name: wrong.answer for wrong in workbench.wrong_answers}
    assert by_name["ignores_stride"](7, 3, 2) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "01_widows"], "there is no module '01_widows': did you mean 01_windows?"),
        (["build", "99"], "there is no module '99': the modules are 01_windows"),
        (["verify", "nothing-of-the-kind"], "there is no module"),
    ],
)
def test_unknown_modules_on_the_command_line(course, monkeypatch, arguments, message):
    monkeypatch.chdir(course.root)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.strip().splitlines()[-1].startswith(f"Error: {message}")


def test_outside_a_course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["build"])
    assert result.exit_code == 1
    assert "go to the folder that holds nbgrader_config.py" in result.output


def test_build_and_check_on_the_command_line(course, monkeypatch):
    monkeypatch.chdir(course.root)
    checked = CliRunner().invoke(main, ["build", "--check"])
    assert checked.exit_code == 1
    assert "run: grader build 01_windows" in checked.output
    assert CliRunner().invoke(main, ["build", "01"]).output == "01_windows: changed\n"
    assert CliRunner().invoke(main, ["build", "--check"]).exit_code == 0


class TestTheCourse:
    """The committed course itself."""

    def modules(self):
        return sorted(path.parent.name for path in (ROOT / "solutions").glob("*/notebook.py"))

    def test_every_module_has_twenty_points_or_none(self):
        for module in self.modules():
            notebook = read_text_notebook(ROOT / "solutions" / module / "notebook.py")
            assert sum(cell.points for cell in notebook.cells) in (0, 20), module

    def test_no_solution_and_no_hidden_test_is_in_anything_learners_get(self):
        """Every telling line of a solution or hidden test is absent from notebooks, records and toolkit."""
        given = {
            path: path.read_text(encoding="utf-8")
            for folder in ("notebooks", "convnets")
            for path in (ROOT / folder).rglob("*")
            if path.suffix in (".ipynb", ".json", ".py", ".js")
        }
        assert given
        for module in self.modules():
            notebook = read_text_notebook(ROOT / "solutions" / module / "notebook.py")
            visible = "\n".join(_without_solutions(cell.visible) for cell in notebook.cells)
            for secret in _secret_lines(notebook):
                if secret in visible:
                    continue
                quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
                found = [path for path, text in given.items() if secret in text or quoted in text]
                # A one-line formula of the field may stand in the toolkit for its own sake, and a notebook may be given
                # what another has learners write.
                found = [path for path in found if path.suffix != ".py" and path.parent.name in (module, "widgets")]
                assert not found, f"{module}: {secret!r} is in {found[0]}"


def _without_solutions(source):
    kept, inside = [], False
    for line in source.splitlines():
        if "### BEGIN SOLUTION" in line:
            inside = True
        if not inside:
            kept.append(line)
        if "### END SOLUTION" in line:
            inside = False
    return "\n".join(kept)


def _secret_lines(notebook):
    for cell in notebook.cells:
        open_lines = _without_solutions(cell.visible).splitlines()
        for line in cell.source.splitlines():
            text = line.strip()
            seeds = text.startswith("rng = np.random.default_rng(")  # tells nothing: two notebooks may share one
            if len(text) > 24 and line not in open_lines and not text.startswith("###") and not seeds:
                yield text
