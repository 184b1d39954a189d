"""The made-up class: every kind of student is in it, and what they deserve is what their code earns."""

import json
import random
import re

import pytest

from grader.course import Course, CourseError
from grader.demo import LATE, ON_TIME, _names, make_demo
from grader.engine.layouts import find_submissions
from grader.engine.official import quiet
from tests.grader.conftest import MISTAKES, NOTEBOOK, ROOT, make_course

MODULE = "01_windows"
POINTS = {"windows-test-1": 1.0, "windows-test-2": 2.0}


@pytest.fixture(scope="module")
def demo(built_course, tmp_path_factory):
    return make_demo(built_course, 16, tmp_path_factory.mktemp("demo") / "class")


def students_of(demo, module=MODULE):
    return json.loads(demo.expected.read_text())["modules"][module]["students"]


def by_kind(demo, kind):
    (name,) = [name for name, told in students_of(demo).items() if told["kind"] == kind]
    return name, students_of(demo)[name]


def notebook_of(demo, name):
    return json.loads((demo.folder / name / MODULE / f"{MODULE}.ipynb").read_text())


def sources(notebook):
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def test_there_is_one_of_each_kind(demo):
    kinds = [told["kind"] for told in students_of(demo).values()]
    assert len(kinds) == demo.students == demo.submissions == 16
    assert {kind for kind in kinds if kind.startswith("mistake")} == {
        "mistake: forgets_the_first of windows",
        "mistake: rounds_down of windows",
        "mistake: ignores_stride of windows",
    }
    assert {kind for kind in kinds if not kind.startswith("mistake")} == {
        "right",
        "blank",
        "partly done",
        "late",
        "out of order",
        "warned",
        "damaged: truncated file",
        "damaged: deleted test cell",
        "damaged: edited test cell",
        "damaged: duplicated cell",
        "damaged: renamed file",
    }


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("late", 3.0),
        ("out of order", 3.0),
        ("warned", 3.0),
        ("damaged: deleted test cell", 3.0),
        ("damaged: duplicated cell", 3.0),
        ("damaged: renamed file", 3.0),
        ("damaged: truncated file", 0.0),
        ("blank", 0.0),
        ("partly done", 0.0),
        ("mistake: forgets_the_first of windows", 0.0),
        ("mistake: rounds_down of windows", 1.0),
        ("mistake: ignores_stride of windows", 0.0),
    ],
)
def test_each_kind_deserves_its_points(demo, kind, points):
    _, told = by_kind(demo, kind)
    assert told["points"] == points == sum(told["cells"].values())
    assert told["cells"].keys() == POINTS.keys()


def test_the_class_lies_as_nbgrader_collects_it(demo):
    found = find_submissions(demo.folder, [MODULE])
    assert [place.assignment for place in found] == [MODULE] * 16
    assert {place.student for place in found} == students_of(demo).keys()
    unreadable = [place.student for place in found if place.read().problem]
    assert unreadable == [by_kind(demo, "damaged: truncated file")[0]]
    renamed, _ = by_kind(demo, "damaged: renamed file")
    assert [path.name for path in sorted((demo.folder / renamed / MODULE).iterdir())] == [
        "01_windows (1).ipynb",
        "timestamp.txt",
    ]
    late, _ = by_kind(demo, "late")
    stamps = {path.parts[-3]: path.read_text() for path in demo.folder.glob("*/*/timestamp.txt")}
    assert [name for name, stamp in stamps.items() if stamp.startswith(LATE)] == [late]
    assert all(stamp.startswith(ON_TIME) for name, stamp in stamps.items() if name != late)


def test_what_is_odd_is_in_the_notebook(demo, built_course):
    blank = sources(json.loads((built_course.notebooks / MODULE / f"{MODULE}.ipynb").read_text()))
    assert sources(notebook_of(demo, by_kind(demo, "blank")[0])) == blank
    deleted = sources(notebook_of(demo, by_kind(demo, "damaged: deleted test cell")[0]))
    assert len(blank.keys() - deleted.keys()) == 1
    assert (blank.keys() - deleted.keys()) <= POINTS.keys()
    _, told = by_kind(demo, "damaged: edited test cell")
    edited = sources(notebook_of(demo, by_kind(demo, "damaged: edited test cell")[0]))
    assert all("close enough" in edited[cell] for cell in POINTS)
    assert told["points"] < 3
    twice = [cell["id"] for cell in notebook_of(demo, by_kind(demo, "damaged: duplicated cell")[0])["cells"]]
    assert twice.count("windows") == 2
    moved = [cell["id"] for cell in notebook_of(demo, by_kind(demo, "out of order")[0])["cells"]]
    assert moved[-1] == "windows"
    assert "file=sys.stderr" in sources(notebook_of(demo, by_kind(demo, "warned")[0]))["windows"]


def test_a_mistake_is_written_as_a_learner_would(demo):
    plain = sources(notebook_of(demo, by_kind(demo, "mistake: rounds_down of windows")[0]))["windows"]
    assert plain == "def windows(size, kernel, stride=1):\n    return (size - kernel) // stride + 1"
    # One that calls the official answer gets it under another name.
    calling = sources(notebook_of(demo, by_kind(demo, "mistake: ignores_stride of windows")[0]))["windows"]
    names = {}
    exec(calling, names)
    assert names["windows"](7, 3, stride=2) == 5
    assert names["right_windows"](7, 3, stride=2) == 3


def test_helpers_of_a_mistake_come_along(tmp_path):
    mistakes = MISTAKES + (
        "\n\nSHIFT = 1\n\n\ndef helper(size):\n    return windows(size, 1) + SHIFT\n\n\n"
        '@mistake("windows", "It is one too many.")\n'
        "def with_a_helper(size, kernel, stride=1):\n"
        '    """windows is named in a text: windows(ü) stays."""\n'
        "    return helper(size - kernel + 1) if stride == 1 else 0\n"
    )
    course = make_course(tmp_path / "course", NOTEBOOK, mistakes)
    from grader.build import build_module

    build_module(course, MODULE)
    demo = make_demo(course, 15, tmp_path / "class")
    text = sources(notebook_of(demo, by_kind(demo, "mistake: with_a_helper of windows")[0]))["windows"]
    names = {}
    exec(text, names)
    assert names["windows"](7, 3) == 6
    assert "windows is named in a text: windows(ü) stays." in text
    assert "@mistake" not in text


def test_the_same_seed_makes_the_same_class(built_course, tmp_path, demo):
    again = make_demo(built_course, 16, tmp_path / "again")
    other = make_demo(built_course, 16, tmp_path / "other", seed=1)
    files = sorted(path.relative_to(demo.folder) for path in demo.folder.rglob("*.*"))
    assert files == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*.*"))
    assert all((demo.folder / path).read_bytes() == (again.folder / path).read_bytes() for path in files)
    assert students_of(demo) == students_of(again)
    assert students_of(demo) != students_of(other)


def test_a_larger_class_goes_through_the_kinds_again(built_course, tmp_path):
    demo = make_demo(built_course, 60, tmp_path / "class")
    kinds = [told["kind"] for told in students_of(demo).values()]
    assert all(kinds.count(kind) >= 2 for kind in set(kinds))
    assert kinds.count("right") > 10


def test_names_are_those_of_a_roster(built_course, tmp_path, demo):
    for awkward in ("Núñez Peña, María José", "Siobhán O'Neill", "=Ann+Lee", "00712345"):
        assert awkward in students_of(demo)
    assert "Núñez Peña, María José" in students_of(make_demo(built_course, 1, tmp_path / "one"))
    names = list(_names(5_000, random.Random(3)))
    assert len(set(names)) == len(names) == 5_000
    assert all(name == name.strip() and not re.search(r"[/\\*?\[\]]", name) for name in names)


def test_bad_requests_are_told(built_course, course, tmp_path, demo):
    with pytest.raises(CourseError, match="is not empty"):
        make_demo(built_course, 3, demo.folder)
    with pytest.raises(CourseError, match="at least one student"):
        make_demo(built_course, 0, tmp_path / "class")
    with pytest.raises(CourseError, match="no module is built"):
        make_demo(course, 3, tmp_path / "class")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["02_mlp_backprop", "05_convolution_arithmetic"])
def test_every_known_mistake_of_the_course_costs_points(module, tmp_path):
    with quiet():
        demo = make_demo(Course(ROOT), 100, tmp_path / "class", modules=[module])
    told = json.loads(demo.expected.read_text())["modules"][module]
    wrong = {s["kind"]: s["points"] for s in told["students"].values() if s["kind"].startswith("mistake")}
    assert len(wrong) > 20
    assert [kind for kind, points in wrong.items() if points >= told["max_points"]] == []
