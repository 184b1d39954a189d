"""Checks that teach: what test cells are written with, and what a learner reads when one fails.

A notebook opens its lesson once and writes its test cells with ``check``::

    lesson = open_lesson("05_convolution_arithmetic")
    check, hint = lesson.check, lesson.hint

    check(output_size, 7, 3, stride=2).gives(3)
    check(output_size, 7, 3, stride=3).raises(ValueError)
"""

from convnets.checks.call import Call, CheckFailed
from convnets.checks.lesson import Lesson, open_lesson
from convnets.checks.overview import show_progress
from convnets.checks.record import LessonRecord

__all__ = ["Call", "CheckFailed", "Lesson", "LessonRecord", "open_lesson", "show_progress"]
