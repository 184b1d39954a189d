"""The late policy of a course, declared in one file: due dates, grace, per cent a day, a cap, extensions.

``late.toml`` in the course's folder::

    timezone = "Europe/Berlin"   # of all times in this file
    grace_minutes = 15           # nobody is late within it
    percent_per_day = 10         # of the points earned, for each day begun
    most_percent = 50            # never more

    [due]
    "05" = 2026-03-28T18:00:00   # a module by its number or name

    [extensions.ada]
    "05" = 2026-04-02T18:00:00   # a due date of her own
    all = 2                      # or so many days more, for one module or for all others

A day late ends at the due date's time of day on the next day of the calendar, with the grace on top: around a change
of the clocks it has 23 or 25 hours, as for everybody else in that town.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.course import Course, CourseError

FILE = "late.toml"
#: In place of a module's name in a student's extensions.
ALL = "all"

_NUMBERS = {"grace_minutes": 24 * 60.0, "percent_per_day": 100.0, "most_percent": 100.0}
_KEYS = ("timezone", *_NUMBERS, "due", "extensions")
#: A year and more is a slip of the finger, and would be counted day by day.
_MOST_DAYS = 400


@dataclass(frozen=True)
class Lateness:
    """How late a submission is, and what that costs.

    Attributes
    ----------
    due : datetime
        When it was due for this student, in the course's time zone.
    handed_in : datetime
        When it came, in the course's time zone.
    days : int
        Days begun since then; 0 in time or within the grace.
    percent : float
        Of the points earned, that are lost; 0 to 100.
    """

    due: datetime
    handed_in: datetime
    days: int
    percent: float

    def lost(self, points: float) -> float:
        """Return how many of the points earned are lost."""
        return max(0.0, points) * self.percent / 100


@dataclass(frozen=True)
class LatePolicy:
    """What being late costs; see the module's text for the file.

    Attributes
    ----------
    timezone : ZoneInfo
        Of the due dates.
    grace : timedelta
        Nobody is late within it.
    percent_per_day, most_percent : float
        Of the points earned: for each day begun, and at most.
    due : dict of str to datetime
        Per module, times of day in the time zone.
    own_due : dict of (str, str) to datetime
        Due dates of single students, under student and module.
    more_days : dict of (str, str) to int
        Days more, under student and module or `ALL`.
    """

    timezone: ZoneInfo
    grace: timedelta = timedelta()
    percent_per_day: float = 0.0
    most_percent: float = 100.0
    due: dict[str, datetime] = field(default_factory=dict)
    own_due: dict[tuple[str, str], datetime] = field(default_factory=dict)
    more_days: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def students(self) -> set[str]:
        """Who has an extension."""
        return {student for student, _ in (*self.own_due, *self.more_days)}

    def due_for(self, student: str, module: str) -> datetime | None:
        """Return when a module is due for a student, in the course's time zone; None for one without a due date."""
        own = self.own_due.get((student, module))
        if own is not None or module not in self.due:
            return own
        days = self.more_days.get((student, module), self.more_days.get((student, ALL), 0))
        return _later(self.due[module], days)

    def lateness(self, student: str, module: str, handed_in: datetime | None) -> Lateness | None:
        """Return how late a submission is.

        Parameters
        ----------
        student, module : str
            Whose, and to which module.
        handed_in : datetime, optional
            When; without a zone it is in UTC, as nbgrader keeps it.

        Returns
        -------
        Lateness or None
            None where the module is not due, or nobody knows when it was handed in.
        """
        due = self.due_for(student, module)
        if due is None or handed_in is None:
            return None
        moment = (handed_in if handed_in.tzinfo else handed_in.replace(tzinfo=UTC)).astimezone(UTC)
        # Comparing in UTC: two times in one zone are compared by their clocks, which an hour can show twice.
        begun = (days for days in range(_MOST_DAYS) if moment <= _later(due, days).astimezone(UTC) + self.grace)
        days = next(begun, _MOST_DAYS)
        percent = min(days * self.percent_per_day, self.most_percent)
        return Lateness(due, moment.astimezone(self.timezone), days, percent)


def read_policy(course: Course) -> LatePolicy | None:
    """Read a course's late policy; None for a course without one.

    Raises
    ------
    CourseError
        When the file cannot be read, or says what cannot be.
    """
    path = course.root / FILE
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error
    try:
        return _policy(told, course.modules())
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from error


def _policy(told: Mapping[str, Any], modules: list[str]) -> LatePolicy:
    _refuse_unknown(told, _KEYS, "")
    name = told.get("timezone")
    if not isinstance(name, str):
        raise ValueError('say where the course is: timezone = "Europe/Berlin"')
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f'there is no time zone {name!r}: write one as "America/New_York"') from error
    numbers = {key: _number(told, key, most) for key, most in _NUMBERS.items() if key in told}
    due = {}
    for key, value in _table(told, "due").items():
        due[_module(key, modules, "due")] = _moment(value, zone, f"due.{key}")
    own_due: dict[tuple[str, str], datetime] = {}
    more_days: dict[tuple[str, str], int] = {}
    for student in _table(told, "extensions"):
        for key, value in _table(told["extensions"], student).items():
            where = f"extensions.{student}.{key}"
            if key != ALL and (module := _module(key, modules, where)) and isinstance(value, datetime):
                own_due[student, module] = _moment(value, zone, where)
            elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_DAYS:
                more_days[student, key if key == ALL else module] = value
            else:
                also = "" if key == ALL else ", or a due date as 2026-04-02T18:00:00"
                raise ValueError(f"{where} is a whole number of days below {_MOST_DAYS}{also}, not {value!r}")
    return LatePolicy(
        timezone=zone,
        grace=timedelta(minutes=numbers.get("grace_minutes", 0.0)),
        percent_per_day=numbers.get("percent_per_day", 0.0),
        most_percent=numbers.get("most_percent", 100.0),
        due=due,
        own_due=own_due,
        more_days=more_days,
    )


def _refuse_unknown(told: Iterable[str], known: Iterable[str], where: str) -> None:
    for key in told:
        if key not in known:
            raise ValueError(f"there is no {where}{key}: the keys are {', '.join(known)}")


def _table(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = told.get(key, {})
    if not isinstance(table, dict):
        raise ValueError(f"{key} is a table of its own: begin it with a line in brackets")
    return table


def _number(told: Mapping[str, Any], key: str, most: float) -> float:
    value = told[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{key} is a number from 0 to {most:g}, not {value!r}")
    return float(value)


def _module(name: str, modules: list[str], where: str) -> str:
    found = [module for module in modules if name in (module, module.split("_")[0])]
    if not found:
        raise ValueError(f"{where} names no module: there is no {name!r}, the modules are {', '.join(modules)}")
    return found[0]


def _moment(value: Any, zone: ZoneInfo, where: str) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"{where} is a day and a time as 2026-03-28T18:00:00, not {value!r}")
    if value.tzinfo is not None:
        return value.astimezone(zone)
    moment = value.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != value:
        raise ValueError(f"{where}: the clocks are put forward then, there is no {value:%H:%M} on that day in {zone}")
    return moment


def _later(due: datetime, days: int) -> datetime:
    """Return the same time of day, days later."""
    return due + timedelta(days=days)  # in one zone datetime counts by the clock
