"""The late policy: its file, and its boundaries."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from grader.classroom.late import read_policy
from grader.course import Course, CourseError

BERLIN = ZoneInfo("Europe/Berlin")
POLICY = """
timezone = "Europe/Berlin"
grace_minutes = 15
percent_per_day = 10
most_percent = 35

[due]
"05" = 2026-03-27T18:00:00
06_layer = 2026-10-24T18:00:00

[extensions.ada]
"05" = 2026-03-29T12:00:00

[extensions.ben]
all = 2
"06" = 1
"""


@pytest.fixture
def course(tmp_path):
    for module in ("05_convolution", "06_layer", "07_pooling"):
        folder = tmp_path / "solutions" / module
        folder.mkdir(parents=True)
        (folder / "notebook.py").touch()
    return Course(tmp_path)


@pytest.fixture
def policy(course):
    return read(course, POLICY)


def read(course, text):
    (course.root / "late.toml").write_text(text, encoding="utf-8")
    return read_policy(course)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_a_course_without_the_file_has_no_policy(course):
    assert read_policy(course) is None


@pytest.mark.parametrize(
    ("handed_in", "days", "percent"),
    [
        ("2026-03-01T00:00:00", 0, 0),
        ("2026-03-27T18:00:00", 0, 0),
        ("2026-03-27T18:15:00", 0, 0),
        ("2026-03-27T18:15:01", 1, 10),
        ("2026-03-28T18:15:00", 1, 10),
        ("2026-03-28T18:15:01", 2, 20),
        ("2026-03-30T18:16:00", 4, 35),
        ("2026-06-30T00:00:00", 95, 35),
    ],
)
def test_each_day_begun_costs_up_to_the_cap(policy, handed_in, days, percent):
    late = policy.lateness("zoe", "05_convolution", at(handed_in))
    assert (late.days, late.percent) == (days, percent)
    assert late.lost(20) == pytest.approx(20 * percent / 100)
    assert late.lost(-1) == 0


def test_a_day_of_23_hours_is_a_day(policy):
    """On 29 March 2026 Berlin's clocks go from 02:00 to 03:00: 18:15 comes an hour early for whoever counts hours."""
    due = at("2026-03-27T18:00:00").astimezone(UTC)
    end = due + timedelta(hours=47, minutes=15)
    assert policy.lateness("zoe", "05_convolution", end).days == 2
    assert policy.lateness("zoe", "05_convolution", end + timedelta(seconds=1)).days == 3


def test_a_day_of_25_hours_is_a_day(policy):
    due = at("2026-10-24T18:00:00").astimezone(UTC)
    end = due + timedelta(hours=25, minutes=15)
    assert policy.lateness("zoe", "06_layer", end).days == 1
    assert policy.lateness("zoe", "06_layer", end + timedelta(seconds=1)).days == 2


def test_an_hour_that_the_clocks_show_twice_is_two_hours(course):
    policy = read(course, 'timezone = "Europe/Berlin"\npercent_per_day = 5\n[due]\n"05" = 2026-10-25T02:30:00\n')
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert policy.lateness("zoe", "05_convolution", first).days == 0
    assert policy.lateness("zoe", "05_convolution", first + timedelta(minutes=1)).days == 1


def test_times_without_a_zone_are_nbgraders_utc(policy):
    assert policy.lateness("zoe", "05_convolution", datetime(2026, 3, 27, 17, 15)).days == 0
    assert policy.lateness("zoe", "05_convolution", datetime(2026, 3, 27, 17, 16)).days == 1


def test_extensions(policy):
    assert policy.due_for("ada", "05_convolution") == at("2026-03-29T12:00:00")
    assert policy.due_for("ada", "06_layer") == at("2026-10-24T18:00:00")
    assert policy.due_for("ben", "05_convolution") == at("2026-03-29T18:00:00")
    assert policy.due_for("ben", "06_layer") == at("2026-10-25T18:00:00")
    assert policy.students == {"ada", "ben"}


def test_no_due_date_or_no_time_is_not_late(policy):
    assert policy.lateness("zoe", "07_pooling", at("2030-01-01T00:00:00")) is None
    assert policy.lateness("zoe", "05_convolution", None) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[due", "cannot be read"),
        ("grace_minutes = 5", "say where the course is"),
        ('timezone = "Europe/Atlantis"', "there is no time zone 'Europe/Atlantis'"),
        ('timezone = "../../etc/passwd"', "there is no time zone"),
        ('timezone = "UTC"\nper_day = 10', "there is no per_day: the keys are timezone, grace_minutes"),
        ('timezone = "UTC"\npercent_per_day = 110', "percent_per_day is a number from 0 to 100, not 110"),
        ('timezone = "UTC"\npercent_per_day = true', "percent_per_day is a number from 0 to 100, not True"),
        ('timezone = "UTC"\ndue = 3', "due is a table of its own"),
        ('timezone = "UTC"\n[due]\n"99" = 2026-03-28T18:00:00', "due names no module: there is no '99'"),
        ('timezone = "UTC"\n[due]\n"05" = 2026-03-28', "due.05 is a day and a time"),
        ('timezone = "UTC"\n[due]\n"05" = "tomorrow"', "due.05 is a day and a time"),
        ('timezone = "Europe/Berlin"\n[due]\n"05" = 2026-03-29T02:30:00', "there is no 02:30 on that day"),
        ('timezone = "UTC"\n[extensions]\nada = 3', "ada is a table of its own"),
        ('timezone = "UTC"\n[extensions.ada]\nall = 2026-03-28T18:00:00', "extensions.ada.all is a whole number"),
        ('timezone = "UTC"\n[extensions.ada]\n"05" = -1', "or a due date as 2026-04-02T18:00:00, not -1"),
        ('timezone = "UTC"\n[extensions.ada]\n"50" = 1', "extensions.ada.50 names no module"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(course, text, told):
    with pytest.raises(CourseError, match=r"late\.toml") as error:
        read(course, text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
