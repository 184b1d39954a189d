"""Make the pictures of the instructor's guide: a feedback page of a class that `grader demo` makes.

Usage, from the root of the repository::

    python -m tests.browser.guide_pictures
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from grader.build import build_module
from grader.classroom.feedback import page
from grader.classroom.scores import Score
from grader.course import Course
from grader.demo import make_demo
from grader.engine.layouts import find_submissions
from grader.engine.limits import Limits
from grader.engine.release import make_release
from grader.engine.run import Work, ready_to_examine
from grader.engine.sandbox import probe
from tests.browser.harness import ROOT, chromium
from tests.browser.static_pictures import small_png

MODULE = "05_convolution_arithmetic"
PICTURE = ROOT / "docs" / "pictures" / "feedback.png"
#: Padding counted once: one wrong line, and what follows from it.
MISTAKE = "pads_one_end"


def main() -> None:
    """Grade one student of the demo class and photograph the page."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "solutions" / MODULE, root / "solutions" / MODULE)
        shutil.copyfile(ROOT / "nbgrader_config.py", root / "nbgrader_config.py")
        course = Course(root)
        build_module(course, MODULE)
        made = make_demo(course, 40, root / "submitted", modules=[MODULE])
        release = make_release(course, MODULE)
        text = made.expected.read_text(encoding="utf-8")
        students = json.loads(text)["modules"][MODULE]["students"]
        student = next(name for name, told in students.items() if MISTAKE in told["kind"])
        (found,) = [one for one in find_submissions(root / "submitted", [MODULE]) if one.student == student]
        with ready_to_examine({MODULE: release}, probe(), Limits(), allow_unconfined=True) as examine:
            result = examine(Work(found, MODULE))
        (root / "page.html").write_text(page(release, Score(result)), encoding="utf-8")
        with chromium() as browser:
            shown = browser.new_page(viewport={"width": 760, "height": 860})
            shown.goto((root / "page.html").as_uri())
            PICTURE.write_bytes(small_png(shown.screenshot(), 120_000))


if __name__ == "__main__":
    main()
