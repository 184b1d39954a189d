"""Collecting: platforms' downloads named by the platforms' own rules, folders, zips, and what must not get lost."""

import errno
import glob
import json
import os
import re
import stat
import warnings
import zipfile

import pytest
from click.testing import CliRunner

from grader.classroom import collect as module_under_test
from grader.classroom.collect import collect
from grader.classroom.roster import read_roster
from grader.classroom.tables import to_csv
from grader.cli import main
from grader.course import CourseError
from grader.engine.layouts import find_submissions
from grader.engine.submission import LARGEST_NOTEBOOK

MODULE, OTHER = "01_windows", "02_mlp_backprop"
#: id, given and family name, Canvas's and Moodle's number; an empty one is not in the roster.
PEOPLE = [
    ("ada", "María José", "Núñez Peña", "101", "5551"),
    ("siobhan", "Siobhán", "O'Neill", "102", "5552"),
    ("zoe", "Zoe\N{COMBINING DIAERESIS}", "Nguyễn", "103", "5553"),
    ("00712345", "Jürgen", "Groß-Löwe", "104", "5554"),
    ("li", "小龍", "李", "105", "5555"),
    ("quote", '"Bobby"', "Tables & Sons; Ltd", "106", "5556"),
]


def canvas(given, family, user, upload, file, late=False, anonymous=""):
    """Name a file as ``get_filename`` and ``add_upload_submission`` of Canvas's content_zipper.rb do."""
    name = re.sub(r"_(\d+)_", r"\1", f"{family}, {given}" if family else given).lower()
    who = [None if anonymous else name, "LATE" if late else None, f"anon_{anonymous}" if anonymous else user]
    # Ruby's [[:word:]] has marks that combine, too.
    front = "".join(c for c in "_".join(filter(None, who)) if re.match(r"\w|[\u0300-\u036f]", c))
    return f"{front}_{upload}_" + re.sub(r'[\x00/\\:*?"<>|]+', "_", file)


def moodle(full_name, participant, file, form="folder", kind="file"):
    """Name a file as Moodle's mod_assign\\downloader does; versions up to 4.0 put ``_`` at the folder's end."""

    def clean(text):
        return re.sub(r"[\x00-\x1f&<>\"`|':\\/]", "", text)

    prefix = clean(full_name.replace("_", " ") + (f"_{participant}" if participant else ""))
    front = clean(f"{prefix}_assignsubmission_{kind}")
    return {"folder": f"{front}/{file}", "old": f"{front}_/{file}", "flat": f"{front}_{clean(file)}"}[form]


@pytest.fixture
def course(course):
    (course.solutions / OTHER).mkdir()
    (course.solutions / OTHER / "notebook.py").write_text("")
    return course


def roster_of(course, people=PEOPLE, lms=True):
    rows = [["id", "first name", "last name", "canvas id", "moodle id"]]
    rows += [
        [one, given, family, *((canvas_id, moodle_id) if lms else ("", ""))]
        for one, given, family, canvas_id, moodle_id in people
    ]
    path = course.root / "roster.csv"
    path.write_bytes(to_csv(rows))
    return read_roster(path)


def zipped(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return path


def unpacked(folder, files):
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def contents(folder):
    return {name: data for name, (data, _) in tree(folder).items()}


def place(student, module=MODULE):
    return f"{student}/{module}/{module}.ipynb"


# --- Canvas -----------------------------------------------------------------------------------------------------


def test_canvas_by_its_numbers_with_all_that_canvas_puts_there(course):
    files = {
        canvas(given, family, user, 9000 + i, f"{MODULE}.ipynb"): f"by {one}\xff".encode("latin-1")
        for i, (one, given, family, user, _) in enumerate(PEOPLE[:4])
    }
    late = canvas("小龍", "李", "105", 9100, f"{MODULE}-2.ipynb", late=True)
    files |= {
        late: b"third",
        canvas("小龍", "李", "105", 9050, f"{MODULE}-1.ipynb", late=True): b"second",
        canvas("小龍", "李", "105", 9020, f"{MODULE}.ipynb", late=True): b"first",
        canvas("", "Somebody Else", "999", 9200, f"{MODULE}.ipynb"): b"?",
        canvas("", "", "", 9201, f"{MODULE}.ipynb", anonymous="AbC12"): b"?",
        canvas("", "", "", 9202, f"{MODULE}.ipynb", anonymous="dEf34", late=True): b"?",
        "nunezpenamariajose_101_text.html": b"<p>a text</p>",
        "nunezpenamariajose_LATE_101_link.html": b"<a>a link</a>",
        canvas("Siobhán", "O'Neill", "102", 9300, "notes.pdf"): b"%PDF",
    }
    assert "núñezpeñamaríajosé_101_9000_01_windows.ipynb" in files
    assert "anon_AbC12_9201_01_windows.ipynb" in files
    done = collect(course, zipped(course.root / "submissions.zip", files), roster=roster_of(course))
    there = contents(course.root / "submitted")
    assert there == {place(one): f"by {one}\xff".encode("latin-1") for one, *_ in PEOPLE[:4]} | {place("li"): b"third"}
    (li,) = [line for line in done.lines if line.student == "li"]
    assert (li.name, li.state, li.handed_in) == (late, "new", "")
    assert li.remarks == (
        "Late, by Canvas's word; it does not tell when it came.",
        f"Handed in before, not collected: {MODULE}.ipynb, {MODULE}-1.ipynb.",
    )
    assert all(not line.remarks for line in done.lines if line.student != "li")
    assert [left.name for left in done.unmatched] == sorted(name for name, data in files.items() if data == b"?")
    assert done.missing == ((MODULE, "quote"),)
    assert (done.texts, done.others, done.whole) == (
        2,
        ("o'neillsiobhán_102".replace("'", "") + "_9300_notes.pdf",),
        False,
    )


def test_canvas_by_name_where_the_roster_has_no_numbers(course):
    files = {
        canvas(given, family, user, 9000 + i, f"{MODULE}.ipynb"): one.encode()
        for i, (one, given, family, user, _) in enumerate(PEOPLE)
    }
    done = collect(course, zipped(course.root / "s.zip", files), roster=roster_of(course, lms=False))
    assert contents(course.root / "submitted") == {place(one): one.encode() for one, *_ in PEOPLE}
    assert done.whole


def test_one_name_of_two_is_not_matched_and_another_number_is_another_person(course):
    people = [("k1", "Kim", "Lee", "", ""), ("k2", "Lee", "Kim", "", ""), ("m", "Max", "Ek", "7", "")]
    files = {
        canvas("Kim", "Lee", "50", 1, f"{MODULE}.ipynb"): b"k",
        canvas("Max", "Ek", "8", 2, f"{MODULE}.ipynb"): b"m",
    }
    done = collect(course, zipped(course.root / "s.zip", files), roster=roster_of(course, people))
    assert [left.why.split(":")[0] for left in done.unmatched] == [
        "'ekmax' (8) is not in the roster; a group's name, or somebody who left?",
        "'leekim' (50) can be any of k1, k2",
    ]
    assert not (course.root / "submitted").exists()


def test_a_groups_name_is_told(course):
    files = {canvas("", "Team 1", "101", 1, f"{MODULE}.ipynb"): b"ours"}
    done = collect(course, zipped(course.root / "s.zip", files), roster=roster_of(course))
    assert done.lines[0].student == "ada"
    assert "Handed in as 'team1': a group's?" in done.lines[0].remarks[0]


def test_two_accounts_of_one_student_and_two_notebooks_are_doubles(course):
    people = [("m", "Max", "Ek", "", ""), ("n", "Nora", "Ek", "4", "")]
    files = {
        canvas("Max", "Ek", "8", 1, f"{MODULE}.ipynb"): b"1",
        canvas("Max", "Ek", "9", 2, f"{MODULE}.ipynb"): b"2",
        canvas("Nora", "Ek", "4", 3, "draft.ipynb"): b"3",
        canvas("Nora", "Ek", "4", 4, "final.ipynb"): b"4",
    }
    done = collect(course, zipped(course.root / "s.zip", files), module=MODULE, roster=roster_of(course, people))
    assert [left.name for left in done.doubles] == sorted(files)
    assert "ekmax 8 and ekmax 9 are one student" in done.doubles[0].why
    assert f"none named {MODULE}" in done.doubles[2].why
    # The one with the module's name counts, whatever came later.
    files[canvas("Nora", "Ek", "4", 2, f"{MODULE}.ipynb")] = b"named"
    done = collect(course, zipped(course.root / "s.zip", files), module=MODULE, roster=roster_of(course, people))
    assert contents(course.root / "submitted") == {place("n"): b"named"}
    assert done.lines[0].remarks == ("Other notebooks, not collected: draft.ipynb, final.ipynb.",)


def test_the_module_is_told_by_file_by_folder_or_by_hand(course):
    files = {
        f"{OTHER}/" + canvas("Siobhán", "O'Neill", "102", 1, "mine.ipynb"): b"1",
        canvas("María José", "Núñez Peña", "101", 2, "mine.ipynb"): b"2",
        canvas("小龍", "李", "105", 3, f"{OTHER} (2).ipynb"): b"3",
    }
    source, roster = zipped(course.root / "s.zip", files), roster_of(course)
    done = collect(course, source, roster=roster, dry_run=True)
    assert [(line.student, line.module) for line in done.lines] == [("li", OTHER), ("siobhan", OTHER)]
    assert "its module is unknown; name it with --module" in done.unmatched[0].why
    done = collect(course, source, roster=roster, module=MODULE)
    assert [(line.student, line.module) for line in done.lines] == [("ada", MODULE)]
    assert {left.why for left in done.unmatched} == {f"it is named after {OTHER}, not after {MODULE}"}


# --- Moodle -----------------------------------------------------------------------------------------------------

WORKSHEET = [
    "Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments",
]


def worksheet(course, rows, name="worksheet.csv"):
    lines = [
        f'Participant {number},"{full_name}",{id_number},,Submitted for grading,,3.00,Yes,"{when}",-,'
        for number, full_name, id_number, when in rows
    ]
    path = course.root / name
    path.write_text("\r\n".join([*WORKSHEET, *lines, ""]), encoding="utf-8-sig")
    return path


def policy(course, zone="Europe/Berlin"):
    (course.root / "late.toml").write_text(f'timezone = "{zone}"\n')


@pytest.mark.parametrize("lms", [True, False])
@pytest.mark.parametrize("form", ["folder", "old", "flat"])
def test_moodle_by_number_or_by_name_in_all_its_forms(course, form, lms):
    files = {
        moodle(f"{given} {family}", participant, f"{MODULE}.ipynb", form): one.encode()
        for one, given, family, _, participant in PEOPLE
    }
    files |= {
        moodle("Siobhán O'Neill", "5552", "onlinetext.html", form, kind="onlinetext"): b"<p>",
        moodle("Team one", "77", f"{MODULE}.ipynb", form): b"?",
        moodle("Default group", "", f"{MODULE}.ipynb", form): b"?",
        moodle("Participant", "9999", f"{MODULE}.ipynb", form): b"?",
        moodle("Siobhán O'Neill", "5552", "plan.txt", form): b"-",
    }
    done = collect(course, zipped(course.root / "m.zip", files), roster=roster_of(course, lms=lms))
    assert contents(course.root / "submitted") == {place(one): one.encode() for one, *_ in PEOPLE}
    assert [left.name for left in done.unmatched] == sorted(name for name, data in files.items() if data == b"?")
    assert (done.texts, len(done.others), done.missing) == (1, 1, ())
    assert not any(line.remarks for line in done.lines)


def test_moodle_in_an_unpacked_folder_with_folders_of_the_students(course):
    files = {moodle("Siobhán O'Neill", "5552", f"week 1/{MODULE}.ipynb"): b"deep"}
    collect(course, unpacked(course.root / "download", files), roster=roster_of(course))
    assert contents(course.root / "submitted") == {place("siobhan"): b"deep"}


def test_a_worksheet_tells_times_and_who_a_participant_is(course):
    """The roster is of another assignment: there, each has another number."""
    people = [(one, given, family, "", "1" + number) for one, given, family, _, number in PEOPLE[:2]]
    people += [("n1", "Kim", "Lee", "", ""), ("n2", "Kim", "Lee", "", "")]
    policy(course)
    rows = [
        ("5551", "María José Núñez Peña", "", "Friday, 27 February 2026, 6:00 PM"),
        ("5552", "Siobhán O'Neill", "", "Saturday, 28 March 2026, 11:30 PM"),
        ("5601", "Kim Lee", "n2", "Sunday, March 29, 2026, 3:00 AM"),
        ("5602", "Kim Lee", "n1", "-"),
    ]
    names = {row[0]: row[1] for row in rows}
    files = {moodle(names[number], number, f"{MODULE}.ipynb"): number.encode() for number in names}
    source, roster = zipped(course.root / "m.zip", files), roster_of(course, people)
    done = collect(course, source, roster=roster, times=str(worksheet(course, rows)))
    there = contents(course.root / "submitted")
    assert {name: data for name, data in there.items() if name.endswith(".ipynb")} == {
        place("ada"): b"5551",
        place("siobhan"): b"5552",
        place("n2"): b"5601",
        place("n1"): b"5602",
    }
    stamps = {name.split("/")[0]: data.decode() for name, data in there.items() if name.endswith("timestamp.txt")}
    assert stamps == {
        "ada": "2026-02-27 17:00:00 UTC\n",
        "siobhan": "2026-03-28 22:30:00 UTC\n",
        "n2": "2026-03-29 01:00:00 UTC\n",  # the clocks went forward at 2
    }
    assert {line.student: line.handed_in for line in done.lines}["ada"] == "2026-02-27T17:00:00+00:00"
    assert done.whole


def test_an_hour_that_the_clocks_show_twice_is_the_first(course):
    policy(course)
    rows = [("5551", "María José Núñez Peña", "", "Sunday, 25 October 2026, 2:30 AM")]
    source = zipped(course.root / "m.zip", {moodle("x", "5551", f"{MODULE}.ipynb"): b"1"})
    done = collect(course, source, roster=roster_of(course), times=str(worksheet(course, rows)))
    assert done.lines[0].handed_in == "2026-10-25T00:30:00+00:00"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Identifier,Vollständiger Name\n", "no column 'Last modified (submission)': download the grading worksheet"),
        ("ID,Zuletzt\n", "no column 'Identifier'"),
        (
            WORKSHEET[0] + '\nParticipant 1,A,,,,,,,"Freitag, 27. Februar 2026, 18:00",,\n',
            "line 2: 'Freitag, 27. Februar 2026, 18:00' is no date",
        ),
    ],
)
def test_a_worksheet_that_cannot_be_read_is_told(course, text, told):
    policy(course)
    (course.root / "w.csv").write_text(text)
    with pytest.raises(CourseError) as error:
        collect(course, unpacked(course.root / "in", {}), times=str(course.root / "w.csv"))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_times_need_to_know_by_whose_clocks(course):
    with pytest.raises(CourseError, match=r'tells times without a zone.*timezone = "Europe/Berlin"'):
        collect(course, unpacked(course.root / "in", {}), times="worksheet.csv")


def test_a_zips_times_are_taken_only_when_asked_for(course):
    policy(course)
    member = zipfile.ZipInfo(canvas("小龍", "李", "105", 3, f"{MODULE}.ipynb"), (2026, 7, 1, 12, 0, 0))
    source, roster = zipped(course.root / "s.zip", [(member, b"1")]), roster_of(course)
    assert collect(course, source, roster=roster).lines[0].handed_in == ""
    done = collect(course, source, roster=roster, times="zip")
    assert (done.lines[0].state, done.lines[0].handed_in) == ("timed", "2026-07-01T10:00:00+00:00")
    assert (course.root / "submitted/li" / MODULE / "timestamp.txt").read_text() == "2026-07-01 10:00:00 UTC\n"


# --- Folders ----------------------------------------------------------------------------------------------------


def test_nbgraders_layout_comes_with_its_times(course):
    files = {
        place("ada"): b"\x00 no notebook at all",
        f"ada/{MODULE}/timestamp.txt": "2026-02-27 18:00:00.250000 UTC",
        place("bob, jr"): b"b",
        f"bob, jr/{MODULE}/timestamp.txt": "soon",
        f"eve/{MODULE}/a.ipynb": b"1",
        f"eve/{MODULE}/b.ipynb": b"2",
        f"dan/{MODULE}/readme.md": b"-",
    }
    done = collect(course, zipped(course.root / "class.zip", files))
    assert contents(course.root / "submitted") == {
        place("ada"): files[place("ada")],
        f"ada/{MODULE}/timestamp.txt": b"2026-02-27 18:00:00.250000 UTC\n",
        place("bob, jr"): b"b",
    }
    assert [(left.name.split("/")[0], left.why.split(":")[0]) for left in done.unmatched] == [
        ("dan", "there is no notebook in the folder"),
        ("eve", "there are 2 notebooks (a.ipynb, b.ipynb), and none has the assignment's name"),
    ]
    assert done.lines[1].remarks == ("Its timestamp.txt holds no time; it was not taken.",)
    assert done.others == (f"dan/{MODULE}/readme.md",)


def test_folders_are_matched_to_a_roster_by_id_address_and_name(course):
    files = {
        place("ADA"): b"a",
        f"O'Neill, Siobhán_{MODULE}.ipynb": b"s",
        f"Groß-Löwe Jürgen/{MODULE}.ipynb": b"j",
        place("nobody"): b"n",
    }
    done = collect(course, unpacked(course.root / "in", files), roster=roster_of(course))
    assert contents(course.root / "submitted") == {place("ada"): b"a", place("siobhan"): b"s", place("00712345"): b"j"}
    assert [left.name for left in done.unmatched] == [place("nobody")]
    assert done.missing == ((MODULE, "zoe"), (MODULE, "li"), (MODULE, "quote"))


def test_a_download_needs_a_roster(course):
    source = zipped(course.root / "s.zip", {canvas("Max", "Ek", "8", 1, f"{MODULE}.ipynb"): b"1"})
    with pytest.raises(CourseError, match="name the students with --roster"):
        collect(course, source)


def test_a_demo_class_is_collected_as_it_is(built_course, tmp_path):
    from grader.demo import make_demo

    made = make_demo(built_course, 24, tmp_path / "class")
    done = collect(built_course, made.folder, to=tmp_path / "submitted")
    before = {name: data for name, data in contents(made.folder).items() if name.endswith(".ipynb")}
    after = contents(tmp_path / "submitted")
    assert sorted(data for name, data in after.items() if name.endswith(".ipynb")) == sorted(before.values())
    assert (len(done.lines), done.whole) == (24, True)
    assert sum(name.endswith("timestamp.txt") for name in after) == 24


# --- Nothing is lost ----------------------------------------------------------------------------------------------


def hand_in(course, data, upload=1, name="s.zip", **options):
    source = zipped(course.root / name, {canvas("小龍", "李", "105", upload, f"{MODULE}.ipynb"): data})
    return collect(course, source, roster=roster_of(course), **options)


def test_twice_changes_nothing_and_a_dry_run_changes_nothing(course):
    assert hand_in(course, b"1", dry_run=True).lines[0].state == "new"
    assert not (course.root / "submitted").exists()
    assert hand_in(course, b"1").missing == tuple((MODULE, one) for one, *_ in PEOPLE if one != "li")
    before = tree(course.root / "submitted")
    assert hand_in(course, b"1").lines[0].state == "unchanged"
    assert hand_in(course, b"2", dry_run=True).lines[0].state == "replaced"
    assert tree(course.root / "submitted") == before


def test_what_is_replaced_is_kept_with_its_time_and_never_comes_back(course):
    hand_in(course, b"1")
    stamp = course.root / "submitted/li" / MODULE / "timestamp.txt"
    stamp.write_text("2026-02-27 18:00:00 UTC\n")
    assert hand_in(course, b"2").lines[0].state == "replaced"
    assert hand_in(course, b"3").lines[0].state == "replaced"
    expected = {
        place("li"): b"3",
        f".earlier/li/{MODULE}/{MODULE}.1.ipynb": b"1",
        f".earlier/li/{MODULE}/{MODULE}.1.timestamp.txt": b"2026-02-27 18:00:00 UTC\n",
        f".earlier/li/{MODULE}/{MODULE}.2.ipynb": b"2",
    }
    assert contents(course.root / "submitted") == expected
    # An old download by mistake.
    assert hand_in(course, b"1").lines[0].state == "older"
    assert contents(course.root / "submitted") == expected
    assert hand_in(course, b"3").missing == tuple((MODULE, one) for one, *_ in PEOPLE if one != "li")


def test_an_earlier_time_does_not_replace_a_later_one(course):
    def take(data, when):
        return collect(course, zipped(course.root / "c.zip", {place("ada"): data, f"ada/{MODULE}/timestamp.txt": when}))

    assert take(b"late", "2026-03-02 12:00:00 UTC").lines[0].state == "new"
    assert take(b"early", "2026-03-01 12:00:00 UTC").lines[0].state == "older"
    assert (course.root / "submitted" / place("ada")).read_bytes() == b"late"
    assert take(b"later", "2026-03-03 12:00:00 UTC").lines[0].state == "replaced"


def test_what_is_kept_is_no_submission_for_us_or_for_nbgrader(course):
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    hand_in(course, b"1")
    hand_in(course, b"2")
    assert (course.root / "submitted/.earlier").is_dir()
    found = find_submissions(course.root / "submitted", [MODULE])
    assert [(one.student, one.name) for one in found] == [("li", place("li"))]
    directory = CourseDirectory(config=Config({"CourseDirectory": {"root": str(course.root)}}))
    # The pattern with which nbgrader lists submissions.
    submitted = glob.glob(directory.format_path("submitted", "*", "*"))
    assert submitted == [str(course.root / "submitted" / "li" / MODULE)]


@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_a_full_disk_at_any_moment_loses_nothing_and_the_next_run_goes_on(course, monkeypatch, stop):
    policy(course)
    rows = [("5551", "x", "", "Friday, 27 February 2026, 6:00 PM")]
    source, roster = course.root / "m.zip", roster_of(course)

    def take(data, minute):
        rows[0] = (*rows[0][:3], f"Friday, 27 February 2026, 6:{minute} PM")
        zipped(source, {moodle("x", "5551", f"{MODULE}.ipynb"): data})
        return collect(course, source, roster=roster, times=str(worksheet(course, rows)))

    take(b"first", "00")
    write, calls = module_under_test.write_whole, []

    def failing(path, data):
        calls.append(path)
        if len(calls) == stop + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, data)

    monkeypatch.setattr(module_under_test, "write_whole", failing)
    with pytest.raises(OSError, match="No space left"):
        take(b"second", "30")
    left = contents(course.root / "submitted")
    assert left[place("ada")] in (b"first", b"second")
    assert b"first" in left.values()
    # No time beside a notebook that it is not of.
    if f"ada/{MODULE}/timestamp.txt" in left:
        assert left[f"ada/{MODULE}/timestamp.txt"] == b"2026-02-27 17:00:00 UTC\n"
        assert left[place("ada")] == b"first"
    monkeypatch.setattr(module_under_test, "write_whole", write)
    take(b"second", "30")
    assert contents(course.root / "submitted") == {
        place("ada"): b"second",
        f"ada/{MODULE}/timestamp.txt": b"2026-02-27 17:30:00 UTC\n",
        f".earlier/ada/{MODULE}/{MODULE}.1.ipynb": b"first",
        f".earlier/ada/{MODULE}/{MODULE}.1.timestamp.txt": b"2026-02-27 17:00:00 UTC\n",
    }


# --- What must do no harm -----------------------------------------------------------------------------------------


def test_unsafe_names_links_and_huge_files_are_told_and_nothing_is_written(course, monkeypatch):
    link = zipfile.ZipInfo(place("link"))
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    files = [
        (f"../../{MODULE}.ipynb", b"out"),
        (f"/etc/{MODULE}.ipynb", b"out"),
        ("a/b/c/d/e/f/g.ipynb", b"deep"),
        (f"..\\..\\{MODULE}.ipynb", b"out"),
        (link, b"/etc/passwd"),
        (place("x\x01y"), b"control"),
        (place("twice"), b"1"),
        (place("twice"), b"2"),
        (place("n" * 200), b"long"),
    ]
    done = collect(course, zipped(course.root / "class.zip", files))
    assert [line.student for line in done.lines] == ["twice"]
    told = {left.name: left.why for left in done.unmatched}
    unsafe = [
        f"..\\..\\{MODULE}.ipynb",
        f"../../{MODULE}.ipynb",
        f"/etc/{MODULE}.ipynb",
        "a/b/c/d/e/f/g.ipynb",
        place("twice"),
    ]
    assert {told.pop(name) for name in unsafe} == {"a name that is not safe, or there twice"}
    assert told.pop(place("link")) == "this is a link; hand in the file itself"
    assert set(told.values()) == {"its folder's or file's name cannot be a student's"}
    assert contents(course.root / "submitted") == {place("twice"): b"2"}
    assert sorted(path.name for path in course.root.parent.iterdir() if path.suffix == ".ipynb") == []


def test_a_member_larger_than_it_declares_is_not_cut(course, monkeypatch):
    monkeypatch.setattr("grader.engine.layouts.LARGEST_NOTEBOOK", 100)
    monkeypatch.setattr("grader.engine.submission.LARGEST_NOTEBOOK", 100)
    monkeypatch.setattr("grader.engine.layouts.refuse_large", lambda size: None)
    assert LARGEST_NOTEBOOK > 100
    source = zipped(course.root / "class.zip", {place("big"): b"x" * 1000})
    done = collect(course, source)
    assert not done.lines
    assert "the file has" in done.unmatched[0].why


def test_links_in_folders_are_not_followed(course, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(b"a classmate's")
    (tmp_path / "in/eve" / MODULE).mkdir(parents=True)
    (tmp_path / "in" / place("eve")).symlink_to(secret)
    done = collect(course, tmp_path / "in")
    assert "it is a link" in done.unmatched[0].why
    (course.root / "submitted/ada" / MODULE).mkdir(parents=True)
    (course.root / "submitted" / place("ada")).symlink_to(secret)
    with pytest.raises(CourseError, match="is a link"):
        collect(course, unpacked(tmp_path / "in2", {place("ada"): b"1"}))
    assert secret.read_bytes() == b"a classmate's"


def test_three_thousand_students_read_the_zips_list_once(course, monkeypatch):
    people = [(f"s{i}", "Ada", f"Number{i}", str(i + 10_000), "") for i in range(3000)]
    files = {canvas("Ada", f"Number{i}", str(i + 10_000), i, f"{MODULE}.ipynb"): b"%d" % i for i in range(3000)}
    source, roster = zipped(course.root / "s.zip", files), roster_of(course, people)
    opened = []
    read = zipfile.ZipFile._RealGetContents
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", lambda self: (opened.append(1), read(self)))
    done = collect(course, source, roster=roster, dry_run=True)
    assert (len(done.lines), done.whole, done.missing) == (3000, True, ())
    assert len(opened) == 2


# --- As it is typed -----------------------------------------------------------------------------------------------


@pytest.fixture
def here(course, monkeypatch):
    monkeypatch.chdir(course.root)
    return course


def grader(*arguments, code=0):
    run = CliRunner().invoke(main, arguments)
    assert run.exit_code == code, (run.output, run.stderr, run.exception)
    return run


def test_collect_as_it_is_typed(here):
    files = {
        canvas("小龍", "李", "105", 7, "mine.ipynb", late=True): b"1",
        canvas("Max", "\x1b[31mEk", "8", 1, "mine.ipynb"): b"?",
        "lixiao_105_text.html": b"-",
    }
    zipped(here.root / "submissions.zip", files)
    roster_of(here, PEOPLE[3:5])
    run = grader("collect", "submissions.zip", "--module=01", "--dry-run", code=1)
    assert "1 submission · 1 new · 1 not matched · 0 double · 1 missing · 1 text passed over" in run.stdout
    assert run.stdout.splitlines()[-1].endswith("nothing changed: --dry-run")
    assert not (here.root / "submitted").exists()
    run = grader("collect", "submissions.zip", "--module=01", code=1)
    assert run.stderr.splitlines() == [
        "not matched: 31mekmax_8_1_mine.ipynb: '31mekmax' (8) is not in the roster; "
        "a group's name, or somebody who left?",
        f"missing: 00712345 ({MODULE})",
    ]
    assert re.search(r"li +│ 01_windows +│ new +│ +│ Late, by Canvas's word", run.stdout)
    told = json.loads(grader("collect", "submissions.zip", "--module=01", "--json", code=1).stdout)
    assert told["lines"][0]["state"] == "unchanged"
    assert told["missing"] == [[MODULE, "00712345"]]
    assert (told["texts"], told["dry_run"]) == (1, False)


def test_collect_then_status_sees_them(here):
    unpacked(here.root / "in", {place("ada"): b"{}"})
    grader("collect", "in", "--to", "elsewhere")
    assert contents(here.root / "elsewhere") == {place("ada"): b"{}"}
    assert "1 unchanged" in grader("collect", "in", "--to", "elsewhere").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere does not exist: name a folder, a zip file or a notebook"),
        (["in", "--module", "42"], "there is no module '42'"),
        (["in", "--roster", "none.csv"], "the roster none.csv cannot be read: No such file"),
        (["in", "--times", "w.csv"], "w.csv tells times without a zone"),
        (["broken.zip"], "broken.zip is no zip file"),
    ],
)
def test_what_cannot_be_is_one_line(here, arguments, told):
    unpacked(here.root / "in", {place("ada"): b"{}"})
    (here.root / "broken.zip").write_bytes(b"PK not")
    run = grader("collect", *arguments, code=1)
    (line,) = run.stderr.splitlines()
    assert told in line
