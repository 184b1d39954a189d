"""The same gradebook in PostgreSQL: a real server from Debian's package, on a Unix socket of its own."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader import gradebook as writer
from grader.course import Course, CourseError
from grader.engine.release import make_release
from grader.engine.submission import read_submission
from grader.gradebook import ManualGrade, open_gradebook, read_manual_scores
from tests.grader.small_class import ANSWER, SMALL, ClassOf, result_of, student_notebook


def program(name):
    """A program of PostgreSQL's server; Debian keeps them off the path."""
    places = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True), os.environ["PATH"]]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found


class Server:
    """A server of its own in a folder, which also holds its socket; `other` is the account that it runs under."""

    def __init__(self, folder, other):
        self.folder, self.other = folder, other

    def run(self, name, *arguments):
        command = [program(name), "-D", self.folder / "data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.other)

    def start(self):
        options = f"-F -k {self.folder} -c listen_addresses=''"
        self.run("pg_ctl", "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self):
        self.run("pg_ctl", "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="module")
def server():
    """A running server; its data are thrown away."""
    program("initdb")
    # The server refuses to run as root.
    other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if other:
        shutil.chown(folder, other["user"], other["group"])
    made = Server(folder, other)
    try:
        made.run("initdb", "-A", "trust", "-U", "grader", "-E", "UTF8", "--no-sync")
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


def connect(server, database):
    import psycopg

    return psycopg.connect(host=str(server.folder), user="grader", dbname=database, autocommit=True)


def url_of(server, database):
    return f"postgresql+psycopg://grader@/{database}?host={server.folder}"


@pytest.fixture(scope="module")
def entered(server, built_course):
    """Name of a database that holds the module and no submission."""
    with connect(server, "postgres") as connection:
        connection.execute("CREATE DATABASE entered")
    with open_gradebook(built_course, url_of(server, "entered")) as gradebook:
        gradebook._module(make_release(built_course, SMALL))
    return "entered"


def make_class(server, built_course, folder, template):
    """A class of the small module whose gradebook is a copy of a database."""
    shutil.copytree(built_course.root, folder)
    with connect(server, "postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS class WITH (FORCE)")
        connection.execute(f"CREATE DATABASE class TEMPLATE {template}")
    return ClassOf(Course(folder), url_of(server, "class"))


@pytest.fixture
def class_in(server, entered, built_course, tmp_path):
    return make_class(server, built_course, tmp_path / "course", entered)


@pytest.fixture
def class_in_empty(server, built_course, tmp_path):
    return make_class(server, built_course, tmp_path / "course", "template0")


def test_nbgrader_shows_the_same_from_both_databases(class_in):
    sqlite = ClassOf(class_in.course)
    for number, points in enumerate(({}, {"windows-test-1": 1.0}, None)):
        sources = {} if points == {} else None
        for course_class in (sqlite, class_in):
            course_class.write(f"student{number}", points, sources=sources)
            course_class.write(f"student{number}", points, sources=sources)
        assert class_in.seen(f"student{number}") == sqlite.seen(f"student{number}")
    assert class_in.seen("student2")["submission"]["score"] == 3


def test_people_and_their_scores(class_in):
    class_in.write("ada")
    class_in.grade("ada", "why", manual_score=1.5)
    class_in.write("ada")
    assert class_in.seen("ada")["submission"]["score"] == 4.5
    class_in.write("ada", sources={"windows": ANSWER, "why": "Another thought."})
    found = read_manual_scores(class_in.course, SMALL, class_in.url)
    assert found == {"ada": {"why": ManualGrade(1.5, None, None, True)}}


def test_the_plain_url_is_understood(class_in_empty):
    class_in_empty.url = class_in_empty.url.replace("postgresql+psycopg", "postgresql")
    with open_gradebook(class_in_empty.course, class_in_empty.url) as gradebook:
        assert gradebook.manual_scores(SMALL) == {}


def test_a_rebuilt_module_is_entered_anew(class_in_empty):
    with class_in_empty.nbgrader():
        pass  # only the tables
    class_in_empty.write("ada")
    with class_in_empty.nbgrader() as gradebook:
        gradebook.find_grade_cell("why", SMALL, SMALL).max_score = 9
        gradebook.db.commit()
    class_in_empty.write("bob")
    assert class_in_empty.seen("bob")["grades"]["why"]["max_score"] == 2


def test_a_module_that_is_not_built_is_told(class_in_empty):
    shutil.rmtree(class_in_empty.course.source)
    with pytest.raises(CourseError, match="01_windows is not built: run grader build 01_windows"):
        class_in_empty.write("ada")


@contextmanager
def held_row(server, student):
    with connect(server, "class") as connection, connection.transaction():
        connection.execute("SELECT 1 FROM submitted_notebook FOR UPDATE")
        connection.execute("UPDATE student SET email = 'x' WHERE id = %s", [student])
        yield


def test_a_held_row_is_waited_for_and_then_told(server, class_in, monkeypatch):
    class_in.write("ada")
    monkeypatch.setattr(writer, "PATIENCE", 1)
    with (
        held_row(server, "ada"),
        pytest.raises(CourseError, match=r"another program holds the gradebook .*: close it"),
    ):
        class_in.write("ada", {}, flags=("Look at it.",))
    assert class_in.seen("ada")["submission"]["score"] == 3
    class_in.write("ada", {}, flags=("Look at it.",))
    assert class_in.seen("ada")["submission"]["score"] == 0


def test_a_server_that_is_away_is_told_without_the_password(class_in):
    with pytest.raises(CourseError) as told:
        open_gradebook(class_in.course, "postgresql://grader:secret@127.0.0.1:9/class")
    name = "postgresql+psycopg://grader:***@127.0.0.1:9/class"
    assert str(told.value).startswith(f"the server of the gradebook {name} does not answer (")
    assert str(told.value).endswith("): start it")
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_server_that_goes_away_costs_one_submission_and_no_grade(server, class_in):
    """One open gradebook, as in a run: what is written while the server is away is told; afterwards it goes on."""
    class_in.write("ada")
    with open_gradebook(class_in.course, class_in.url) as gradebook:

        def write(student):
            submission = read_submission(student_notebook(class_in.course, SMALL, windows=ANSWER), student)
            gradebook.write(class_in.release, result_of(class_in.release, submission), submission)

        write("bob")
        server.stop()
        try:
            for student in ("eve", "zoe"):
                with pytest.raises(CourseError, match=r"^the server of the gradebook .* does not answer .*: start it$"):
                    write(student)
        finally:
            server.start()
        write("zoe")
    with class_in.nbgrader() as gradebook:
        found = {submission.student_id: submission.score for submission in gradebook.assignment_submissions(SMALL)}
    assert found == {"ada": 3, "bob": 3, "zoe": 3}
    assert not (class_in.course.root / "autograded" / "eve" / SMALL / f"{SMALL}.ipynb").exists()
