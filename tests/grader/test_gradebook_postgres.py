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
from grader.gradebook import ManualGrade, open_gradebook, read_manual_scores
from tests.grader.test_gradebook import ANSWER, SMALL, ClassOf


def program(name):
    """A program of PostgreSQL's server; Debian keeps them off the path."""
    places = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True), os.environ["PATH"]]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return found


@pytest.fixture(scope="module")
def server():
    """The folder of a running server's socket; its data are thrown away."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    # The server refuses to run as root.
    other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if other:
        shutil.chown(folder, other["user"], other["group"])
    data, log = folder / "data", folder / "log"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder} | other
    options = f"-F -k {folder} -c listen_addresses=''"
    try:
        subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "grader", "-E", "UTF8", "--no-sync"], **quiet)
        subprocess.run([pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start"], **quiet)
        try:
            yield folder
        finally:
            subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"], **quiet)
    finally:
        shutil.rmtree(folder)


def connect(server, database):
    import psycopg

    return psycopg.connect(host=str(server), user="grader", dbname=database, autocommit=True)


@pytest.fixture
def class_in(server, built_course, tmp_path):
    """A class of the small module whose gradebook is an empty database."""
    shutil.copytree(built_course.root, tmp_path / "course")
    with connect(server, "postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS class WITH (FORCE)")
        connection.execute("CREATE DATABASE class")
    url = f"postgresql+psycopg://grader@/class?host={server}"
    return ClassOf(Course(tmp_path / "course"), url)


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


def test_the_plain_url_is_understood(class_in):
    class_in.url = class_in.url.replace("postgresql+psycopg", "postgresql")
    with open_gradebook(class_in.course, class_in.url) as gradebook:
        assert gradebook.manual_scores(SMALL) == {}


def test_a_rebuilt_module_is_entered_anew(class_in):
    with class_in.nbgrader():
        pass  # only the tables
    class_in.write("ada")
    with class_in.nbgrader() as gradebook:
        gradebook.find_grade_cell("why", SMALL, SMALL).max_score = 9
        gradebook.db.commit()
    class_in.write("bob")
    assert class_in.seen("bob")["grades"]["why"]["max_score"] == 2


def test_a_module_that_is_not_built_is_told(class_in):
    shutil.rmtree(class_in.course.source)
    with pytest.raises(CourseError, match="01_windows is not built: run grader build 01_windows"):
        class_in.write("ada")


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
        pytest.raises(CourseError, match=r"has held the gradebook .* for 1 s .*: close it and go on"),
    ):
        class_in.write("ada", {}, flags=("Look at it.",))
    assert class_in.seen("ada")["submission"]["score"] == 3
    class_in.write("ada", {}, flags=("Look at it.",))
    assert class_in.seen("ada")["submission"]["score"] == 0


def test_a_server_that_is_away_is_told_without_the_password(class_in):
    with pytest.raises(CourseError) as told:
        open_gradebook(class_in.course, "postgresql://grader:secret@127.0.0.1:9/class")
    assert str(told.value).startswith("the gradebook postgresql+psycopg://grader:***@127.0.0.1:9/class cannot be used:")
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)
