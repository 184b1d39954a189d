"""Coverage: the key is read, refused and kept from learners; the page says what is held; the course holds it all."""

import pytest
from click.testing import CliRunner

from grader.build import read_text_notebook
from grader.build.coverage import PAGE, read_coverage
from grader.build.expand import expand
from grader.cli import main
from grader.course import Course, CourseError
from tests.grader.conftest import NOTEBOOK, ROOT, make_course

WIDGET = '# %% widget="dial"\n# alt: a dial\ndial'
KEPT = '# %% nbgrader={"grade_id": "made_by_hand", "grade": false, "solution": false, "locked": true}\n1'
HEADS = {
    "# %% [markdown]\n# # 01 Windows": '# %% [markdown] covers="1"\n# # 01 Windows',
    "# %% setup": '# %% setup covers="2"',
    "# %% [markdown]\n# ## {{exercise:windows}}": '# %% [markdown] covers="3"\n# Before.\n#\n# ## {{exercise:windows}}',
    '# %% exercise="windows" difficulty=1 minutes=5': '# %% exercise="windows" difficulty=1 minutes=5 covers="1 E1"',
    '# %% tests="windows" points=1': '# %% tests="windows" points=1 covers="5"',
    '# %% tests="windows" points=2': '# %% tests="windows" points=2 covers="5"',
    'answer="why" points=2': 'answer="why" points=2 covers="6"',
    "# %% experiment seconds=2": '# %% experiment seconds=2 covers="7"',
    '# %% widget="dial"': '# %% widget="dial" covers="8"',
    '"locked": true}': '"locked": true} covers="9"',
}
INVENTORY = """\
id,module,kinds,lectures,what
1,01,implement number,"A, B",How many windows fit
2,02,play,C,One | or the other
E1,01,erratum,D,"The slide says 4, it is 5"
"""


def covered(text=f"{NOTEBOOK}\n{WIDGET}\n\n{KEPT}\n"):
    for old, new in HEADS.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def course_with(folder, cell_covers, inventory=INVENTORY):
    """A course whose exercise covers some items."""
    head = '# %% exercise="windows" difficulty=1 minutes=5'
    course = make_course(folder, NOTEBOOK.replace(head, f'{head} covers="{cell_covers}"'))
    (folder / "docs").mkdir()
    (folder / "docs" / "inventory.csv").write_text(inventory, encoding="utf-8")
    return course


def read(course):
    return read_text_notebook(course.solutions / "01_windows" / "notebook.py")


def test_the_key_is_read_from_cells_of_every_role(tmp_path):
    cells = read(make_course(tmp_path, covered())).cells
    assert [(cell.role, cell.covers) for cell in cells] == [
        ("prose", ("1",)),
        ("setup", ("2",)),
        ("prose", ("3",)),
        ("exercise", ("1", "E1")),
        ("tests", ("5",)),
        ("tests", ("5",)),
        ("answer", ("6",)),
        ("experiment", ("7",)),
        ("widget", ("8",)),
        ("kept", ("9",)),
    ]


def test_learners_do_not_get_the_key(tmp_path):
    with_key = covered()
    without = with_key
    for items in ("1", "2", "3", "1 E1", "5", "6", "7", "8", "9"):
        without = without.replace(f' covers="{items}"', "")
    assert "covers" not in without
    made = [expand(read(make_course(tmp_path / name, text))) for name, text in (("a", with_key), ("b", without))]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ('covers=""', "covers='' names no items of the inventory; write covers=\"46 47 E1\""),
        ("covers=46", "covers=46 names no items of the inventory"),
        ('covers="46, 47"', "covers='46, 47' names no items of the inventory"),
        ('covers="e1"', "covers='e1' names no items of the inventory"),
        ('covers="46 E1 46"', "covers='46 E1 46' names 46 twice; leave one out"),
    ],
)
def test_a_key_that_cannot_be_read_is_told_in_one_line(tmp_path, key, message):
    course = make_course(tmp_path, NOTEBOOK.replace("# %% setup", f"# %% setup {key}"))
    with pytest.raises(CourseError) as caught:
        read(course)
    assert f"notebook.py:6: {message}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_item_that_is_not_in_the_inventory_is_told_with_its_cell(tmp_path):
    course = course_with(tmp_path, "1 3")
    with pytest.raises(CourseError, match=r"notebook\.py:17: covers item 3, which is not in docs/inventory\.csv$"):
        read_coverage(course)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id,module", "module,id", r"inventory\.csv: the first line must be id,module,kinds,lectures,what"),
        ("2,02,play", "1,02,play", r"inventory\.csv:3: item 1 is there twice"),
        ("play", "dance", r"inventory\.csv:3: 'dance' is no kind of item; there are implement, measure, play"),
        ("2,02,play,C,", "2,02,play,", r"inventory\.csv:3: a line has 5 fields, none of them empty"),
        ("2,02,play,C,", "2,02,play,C,,", r"inventory\.csv:3: a line has 5 fields, none of them empty"),
        ("02,play", ",play", r"inventory\.csv:3: a line has 5 fields, none of them empty"),
    ],
)
def test_a_broken_inventory_is_told_with_its_line(tmp_path, old, new, message):
    course = course_with(tmp_path, "1", INVENTORY.replace(old, new))
    with pytest.raises(CourseError, match=message):
        read_coverage(course)


def test_a_missing_inventory_is_told(course):
    with pytest.raises(CourseError, match=r"inventory\.csv is missing"):
        read_coverage(course)


def test_places_are_named_as_learners_find_them(tmp_path):
    items = "".join(f"{item},01,play,A,Something\n" for item in (*range(1, 10), "E1"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "inventory.csv").write_text(f"id,module,kinds,lectures,what\n{items}", encoding="utf-8")
    places = read_coverage(make_course(tmp_path, covered())).places
    assert {item: [place.name for place in found] for item, found in places.items()} == {
        "1": ["text *01 Windows*", "exercise `windows`"],
        "2": ["setup *01 Windows*"],
        "3": ["text *01 Windows* / `windows`"],
        "4": [],
        "5": ["tests of `windows`"],
        "6": ["question `why`"],
        "7": ["experiment `windows`"],
        "8": ["widget `dial`"],
        "9": ["cell `made_by_hand`"],
        "E1": ["exercise `windows`"],
    }


def test_the_page_shows_what_is_held_and_what_is_missing(tmp_path):
    found = read_coverage(course_with(tmp_path, "1 E1"))
    assert [item.id for item in found.missing] == ["2"]
    where = "[01](../notebooks/01_windows/01_windows.ipynb) · exercise `windows`"
    assert found.page().partition("when it is out of date.\n")[2] == (
        "\n2 of 3 items are held. Missing: 2.\n"
        "\n## 01 Windows\n\n"
        "| item | kind | what | lectures | where |\n| --- | --- | --- | --- | --- |\n"
        f"| 1 | implement, number | How many windows fit | A, B | {where} |\n"
        "\n## Module 02\n\n"
        "| item | kind | what | lectures | where |\n| --- | --- | --- | --- | --- |\n"
        "| 2 | play | One \\| or the other | C | **missing** |\n"
        "\n## Errata: what the slides say, and what is right\n\n"
        "| item | kind | what | lectures | where |\n| --- | --- | --- | --- | --- |\n"
        f"| E1 | erratum | The slide says 4, it is 5 | D | {where} |\n"
    )


def test_an_item_may_be_held_by_several_modules(tmp_path):
    course = course_with(tmp_path, "2")
    (course.solutions / "01_windows").rename(course.solutions / "02_doors")
    course_with(tmp_path / "other", "1 2")
    (tmp_path / "other" / "solutions" / "01_windows").rename(course.solutions / "01_windows")
    assert (
        "| 2 | play | One \\| or the other | C | "
        "[01](../notebooks/01_windows/01_windows.ipynb) · exercise `windows`; "
        "[02](../notebooks/02_doors/02_doors.ipynb) · exercise `windows` |"
    ) in read_coverage(course).page()


def test_the_command_writes_and_checks_the_page(tmp_path, monkeypatch):
    course = course_with(tmp_path, "1 E1")
    monkeypatch.chdir(course.root)
    page = course.root / PAGE

    refused = CliRunner().invoke(main, ["coverage", "--check"])
    assert (refused.exit_code, page.is_file()) == (1, False)
    assert refused.output.splitlines()[-1] == f"Error: {PAGE} is out of date; run: grader coverage"

    written = CliRunner().invoke(main, ["coverage"])
    assert (written.exit_code, written.output) == (0, f"missing in 02: 2 One | or the other\n{PAGE}: changed\n")
    assert page.read_text(encoding="utf-8") == read_coverage(course).page()

    again = CliRunner().invoke(main, ["coverage", "--check"])
    assert (again.exit_code, again.output.splitlines()[-1]) == (0, f"{PAGE}: unchanged")


@pytest.fixture(scope="module")
def whole():
    return read_coverage(Course(ROOT))


def test_the_inventory_has_every_item_of_the_lectures(whole):
    assert {item.id for item in whole.items} == {str(n) for n in range(1, 157)} | {f"E{n}" for n in range(1, 17)}
    assert {item.module for item in whole.items} == {f"{n:02}" for n in range(1, 20)}


def test_the_course_holds_every_item(whole):
    assert [f"{item.module}: {item.id}" for item in whole.missing] == []


def test_the_page_is_up_to_date(whole):
    assert (ROOT / PAGE).read_text(encoding="utf-8") == whole.page(), "run: grader coverage"
