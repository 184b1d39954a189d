"""The results store: what was written is there, whatever happened to the writer."""

import json
import os
import resource
import signal

import pytest

from grader.course import CourseError
from grader.engine.result import CellResult, Outcome, Result, WrittenAnswer
from grader.engine.store import Key, ResultsStore

KEY = Key("s", "t", "e")


def a_result(student="ada", points=1.0, module="01_windows", message="", outcome=None):
    outcome = outcome or (Outcome.Passed if points else Outcome.Failed)
    cell = CellResult("windows-test-1", "windows", points, 1.0, outcome, message)
    return Result(student, module, "s", (cell,), (WrittenAnswer("why", 2.0, "because", True),))


@pytest.fixture
def store(tmp_path):
    return ResultsStore(tmp_path / "results")


def test_results_come_back_by_student_and_by_content(store):
    first, second, third = a_result(), a_result(points=0.0, message="zwölf\n\u2028 ✗"), a_result("bob")
    newer = Key("s2", "t", "e")
    with store.writing():
        store.append(first, KEY)
        store.append(second, newer)
        store.append(third, KEY)
        store.append(a_result(module="02_other"), KEY)
    again = ResultsStore(store.folder)
    for reader in (store, again):
        assert reader.modules() == ["01_windows", "02_other"]
        latest = reader.latest("01_windows")
        assert {name: reader.result(stored) for name, stored in latest.items()} == {"ada": second, "bob": third}
        assert [stored.key for stored in reader.find("01_windows", student="ada")] == [KEY, newer]
        assert [stored.student for stored in reader.find("01_windows", key=KEY)] == ["ada", "bob"]
        assert [reader.result(stored) for stored in reader.all("01_windows")] == [first, second, third]
    assert again.latest("03_nothing") == {}
    assert KEY.changes(newer) == ["the submission"]
    assert KEY.changes(Key("s", "x", "y")) == ["the tests", "the environment"]


def test_a_failure_of_the_grader_is_not_settled(store):
    with store.writing():
        store.append(a_result(points=0.0, outcome=Outcome.EngineError), KEY)
        store.append(a_result("bob", points=0.0, outcome=Outcome.Died), KEY)
    latest = ResultsStore(store.folder).latest("01_windows")
    assert {name: stored.settled for name, stored in latest.items()} == {"ada": False, "bob": True}


def test_marks_tell_what_is_in_which_gradebook(store):
    with store.writing():
        stored = store.append(a_result(), KEY)
        other = store.append(a_result("bob"), KEY)
        store.mark_entered(stored, "sqlite:///a")
    for reader in (store, ResultsStore(store.folder)):
        assert reader.is_entered(stored, "sqlite:///a")
        assert not reader.is_entered(stored, "sqlite:///b")
        assert not reader.is_entered(other, "sqlite:///a")
        assert len(reader.all("01_windows")) == 2


@pytest.mark.parametrize("torn", [b"{", b'{"format": 1, "student": "bob"', b"\0" * 100_000, b"\xff"])
def test_a_line_that_a_crash_cut_off_is_passed_over_and_rewritten(store, torn):
    path = store.folder / "01_windows.jsonl"
    with store.writing():
        store.append(a_result(), KEY)
        whole = path.read_bytes()
        path.write_bytes(whole + torn)
    assert list(ResultsStore(store.folder).latest("01_windows")) == ["ada"]
    with store.writing():
        store.append(a_result("bob"), KEY)
    assert path.read_bytes().startswith(whole + b'{"format"')
    again = ResultsStore(store.folder)
    assert list(again.latest("01_windows")) == ["ada", "bob"]
    assert again.result(again.latest("01_windows")["bob"]) == a_result("bob")
    assert again.damaged("01_windows") == 0


def test_a_file_that_is_only_a_torn_line_is_begun_anew(store):
    store.folder.mkdir()
    path = store.folder / "01_windows.jsonl"
    path.write_bytes(b"x" * 200_000)
    with store.writing():
        store.append(a_result(), KEY)
    assert path.read_bytes().startswith(b"{")
    assert list(ResultsStore(store.folder).latest("01_windows")) == ["ada"]


def test_a_damaged_line_costs_no_other(store):
    path = store.folder / "01_windows.jsonl"
    with store.writing():
        for name in ("ada", "bob", "eve"):
            store.append(a_result(name), KEY)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = b"\0" * (len(lines[1]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))
    again = ResultsStore(store.folder)
    assert list(again.latest("01_windows")) == ["ada", "eve"]
    assert again.result(again.latest("01_windows")["eve"]) == a_result("eve")
    assert again.damaged("01_windows") == 1


@pytest.mark.parametrize("room", [0, 1, 50])
def test_a_full_disk_is_told_and_loses_nothing(store, room):
    path = store.folder / "01_windows.jsonl"
    with store.writing():
        store.append(a_result(), KEY)
        whole = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # The kernel takes what there is room for and refuses the rest, as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, hard))
        try:
            with pytest.raises(CourseError, match=r"01_windows\.jsonl cannot be written: .*command again") as told:
                store.append(a_result("bob"), KEY)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "\n" not in str(told.value)
        assert path.read_bytes() == whole
        store.append(a_result("bob"), KEY)
    assert list(ResultsStore(store.folder).latest("01_windows")) == ["ada", "bob"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    store = ResultsStore(tmp_path / "file" / "results")
    with pytest.raises(CourseError, match="cannot be written"), store.writing():
        pass


def test_there_is_one_writer(store):
    with store.writing():
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                with ResultsStore(store.folder).writing():
                    os.write(writer, b"wrote")
            except CourseError as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        assert b"another grader writes to" in os.read(reader, 1000)
    with ResultsStore(store.folder).writing():
        pass


def test_nothing_is_added_without_the_lock(store):
    with pytest.raises(RuntimeError):
        store.append(a_result(), KEY)


def test_a_writer_killed_at_any_moment_leaves_whole_results(store):
    """What the writer said it wrote is there; nothing is there twice; the next writer can go on."""
    for _ in range(10):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            with ResultsStore(store.folder).writing() as mine:
                for i in range(10_000):
                    mine.append(a_result(f"{os.getpid()}-{i}", message="x" * 1900), KEY)
                    os.write(writer, b"\0")
        os.close(writer)
        said = len(os.read(reader, 7))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while block := os.read(reader, 65536):
            said += len(block)
        os.close(reader)
        after = ResultsStore(store.folder)
        kept = [stored for stored in after.all("01_windows") if stored.student.startswith(f"{pid}-")]
        assert [stored.student for stored in kept] == [f"{pid}-{i}" for i in range(len(kept))]
        assert said <= len(kept) <= said + 1
        assert after.damaged("01_windows") == 0
    for line in (store.folder / "01_windows.jsonl").read_bytes().splitlines()[:-1]:
        json.loads(line)


def test_names_that_are_no_unicode_come_back(store):
    name = os.fsdecode(b"j\xf6rg")
    with store.writing():
        store.append(a_result(name), KEY)
    assert list(ResultsStore(store.folder).latest("01_windows")) == [name]
