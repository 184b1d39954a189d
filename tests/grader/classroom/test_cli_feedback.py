"""`grader feedback` as an instructor types it."""

import json
import zipfile

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.engine.store import Key, ResultsStore
from tests.grader.small_class import SMALL


@pytest.fixture
def graded(small, monkeypatch):
    """The small class, two of them graded."""
    with ResultsStore(small.course.results).writing() as store:
        for student in ("ada", "bob"):
            result = small.write(student)
            store.append(result, Key(result.submission_key, "tests", "environment"))
    monkeypatch.chdir(small.course.root)
    return small


def feedback(*arguments):
    return CliRunner().invoke(main, ["feedback", *map(str, arguments)])


def test_pages_of_all_with_names_from_the_roster(graded):
    (graded.course.root / "roster.csv").write_text("id,name,moodle id\nada,Ada Núñez,55\n", encoding="utf-8")
    done = feedback("--zip", "back.zip")
    assert done.exit_code == 0
    assert "2 pages in" in done.output
    assert "2 with answers that wait for a person" in done.output
    page = graded.course.root / "feedback" / "ada" / SMALL / f"{SMALL}.html"
    assert "Feedback for Ada Núñez" in page.read_text(encoding="utf-8")
    names = zipfile.ZipFile("back.zip").namelist()
    assert names == [f"Ada Núñez_55_assignsubmission_file_/{SMALL}.html", f"bob_{SMALL}.html"]


def test_one_student_elsewhere_as_json(graded, tmp_path):
    done = feedback("01", "--student", "bob", "--to", tmp_path / "back", "--json")
    assert json.loads(done.output) == {"to": str(tmp_path / "back"), "pages": 1, "waiting": 1, "modules": [SMALL]}
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["bob"]


def test_what_nbgrader_needs_to_give_pages_back_lies_beside_them_and_nowhere_else(graded, tmp_path):
    submission = graded.course.root / "submitted" / "ada" / SMALL
    submission.mkdir(parents=True)
    for name in ("timestamp.txt", "submission_secret.txt", "notes.txt"):
        (submission / name).write_text(f"{name} of ada")
    assert feedback().exit_code == 0
    beside = {path.name: path.read_text() for path in (graded.course.root / "feedback" / "ada" / SMALL).glob("*.txt")}
    assert beside == {name: f"{name} of ada" for name in ("timestamp.txt", "submission_secret.txt")}
    assert feedback("--to", tmp_path / "back").exit_code == 0
    assert [path.name for path in (tmp_path / "back" / "ada" / SMALL).iterdir()] == [f"{SMALL}.html"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--student", "eve"], "nothing of 'eve' is graded"),
        (["99"], "there is no module '99'"),
        (["--roster", "none.csv"], "the roster none.csv cannot be read"),
        (["--gradebook", "nonsense"], "the gradebook's URL cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line(graded, arguments, told):
    done = feedback(*arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_nothing_graded_yet(small, monkeypatch):
    monkeypatch.chdir(small.course.root)
    done = feedback()
    assert (done.exit_code, "run grader grade SUBMISSIONS" in done.output) == (1, True)
