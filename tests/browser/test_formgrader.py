"""Grading by hand: formgrader in JupyterLab on the gradebook that ``grader grade`` filled."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from grader.build import build_module
from grader.course import Course
from grader.demo import make_demo
from grader.gradebook import ManualGrade, read_manual_scores
from tests.browser.harness import running_lab
from tests.grader.conftest import make_course

MODULE = "01_windows"
#: formgrader fetches MathJax from a content network; this stands in for it.
MATHJAX = "MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {Interest(tell) { tell('End'); }}}}};"
#: A written answer that would like to act.
HOSTILE = 'Because of the stride. <script>window.hit = 1</script> <img src=x onerror="window.hit = 2">'


@dataclass(frozen=True)
class Class:
    """A class of three that is graded: who is right, who made a mistake, who handed in a blank notebook."""

    course: Course
    right: str
    mistaken: str
    blank: str
    points: dict[str, float]

    def grade(self, verb: str, *options: str) -> list[dict[str, object]]:
        """Give the command ``grader VERB submitted`` and return its rows."""
        program = Path(sys.executable).with_name("grader")
        command = [program, verb, "submitted", "--json", "--jobs", "1", *options]
        run = subprocess.run(command, cwd=self.course.root, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        told = json.loads(run.stdout)
        assert told["gradebook_failures"] == {}
        return list(told["submissions"])


@pytest.fixture
def graded(tmp_path: Path) -> Class:
    course = make_course(tmp_path / "notebooks")
    build_module(course, MODULE)
    demo = make_demo(course, 3, course.root / "submitted")
    for path in demo.folder.rglob("*.ipynb"):
        notebook = json.loads(path.read_text())
        (answer,) = [cell for cell in notebook["cells"] if cell["id"] == "why"]
        if "Your answer here." not in "".join(answer["source"]):
            answer["source"] = HOSTILE
            path.write_text(json.dumps(notebook))
    students = json.loads(demo.expected.read_text())["modules"][MODULE]["students"]
    kinds = {told["kind"].split(":")[0]: name for name, told in students.items()}
    points = {name: told["points"] for name, told in students.items()}
    made = Class(course, kinds["right"], kinds["mistake"], kinds["blank"], points)
    made.grade("grade")
    return made


@pytest.fixture
def lab_page(graded: Class, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    """JupyterLab in the course's folder."""
    with running_lab(tmp_path) as lab:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.route("**/*mathjax*/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
        page.goto(f"{lab.url}/lab?token={lab.token}")
        page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('nbgrader:open-formgrader')")
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        yield page
        page.close()


def opened(page: Page) -> FrameLocator:
    """formgrader in a tab of JupyterLab, newly opened."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget?.close()")
    page.evaluate("() => window.jupyterapp.commands.execute('nbgrader:open-formgrader').then(() => null)")
    return page.frame_locator("iframe")


def row(frame: FrameLocator, text: str) -> Locator:
    return frame.locator("#main-table tr", has_text=text)


def expect_listed(page: Page, shown: dict[str, tuple[str, str]]) -> FrameLocator:
    """The list of submissions shows each student's score and what is to do."""
    frame = opened(page)
    row(frame, MODULE).locator("td.num-submissions a").click()
    for student, (score, status) in shown.items():
        expect(row(frame, student).locator(".score")).to_have_text(score)
        expect(row(frame, student).locator(".status")).to_have_text(status)
    expect(frame.locator("#main-table tr")).to_have_count(len(shown))
    return frame


def test_a_written_answer_graded_by_hand_counts_and_stays(graded: Class, lab_page: Page) -> None:
    right, mistaken, blank = graded.right, graded.mistaken, graded.blank
    listed = {
        right: ("3 / 5", "needs manual grading"),
        mistaken: (f"{graded.points[mistaken]:g} / 5", "needs manual grading"),
        blank: ("0 / 5", "graded"),
    }
    frame = expect_listed(lab_page, listed)

    # The queue holds the two notebooks in which something is written.
    frame.get_by_role("link", name="Manual Grading").click()
    frame.locator("#main-table a", has_text=MODULE).click()
    frame.locator("ol.breadcrumb li.active", has_text=MODULE).wait_for()
    frame.locator("#main-table a", has_text=MODULE).click()
    waiting = frame.locator("#main-table tr", has=frame.locator(".needs-manual-grade .glyphicon-ok"))
    expect(waiting).to_have_count(2)
    expect(row(frame, right).locator(".written-score")).to_have_text("0 / 2")
    expect(row(frame, right).locator(".tests-failed .glyphicon-ok")).to_have_count(0)
    expect(row(frame, mistaken).locator(".tests-failed .glyphicon-ok")).to_have_count(1)
    expect(row(frame, blank).locator(".needs-manual-grade .glyphicon-ok")).to_have_count(0)

    # The instructor takes the one that is right otherwise: tests, answer, a box for points, one for a comment.
    row(frame, right).locator(".glyphicon-eye-open").click()
    row(frame, right).locator("a.name-shown").click()
    expect(frame.locator("#windows-test-1")).to_have_attribute("placeholder", "1")
    expect(frame.locator("body")).to_contain_text("Passed: 2 of 2 points")
    answer = frame.locator(".nbgrader_cell", has=frame.locator("#why"))
    expect(answer).to_contain_text("Because of the stride.")
    frame.locator("#why-comment").fill("Say which stride.")
    frame.locator("#why").fill("1.5")
    frame.locator("#why").press("Tab")
    expect(frame.locator("#why:not(.needs_manual_grade)")).to_have_count(1)
    assert frame.locator("body").evaluate("() => window.hit") is None

    listed[right] = ("4.5 / 5", "graded")
    expect_listed(lab_page, listed)

    # Other limits are another environment: everything is graded again, once by each verb, and once more for nothing.
    for verb, limit, state in (("regrade", "9", "graded"), ("grade", "8", "graded"), ("grade", "8", "kept")):
        rows = graded.grade(verb, "--limit-call", limit)
        assert {told["state"] for told in rows} == {state}
        assert {told["student"]: told["points"] for told in rows} == graded.points
    frame = expect_listed(lab_page, listed)
    given = read_manual_scores(graded.course, MODULE)
    assert given[right] == {"why": ManualGrade(1.5, None, "Say which stride.", False)}
    assert given.keys() == {right, mistaken}
    assert given[mistaken]["why"].pending

    # What was not answered says so.
    row(frame, blank).locator("a").first.click()
    frame.locator("#main-table a", has_text=MODULE).click()
    expect(frame.locator("#windows-comment")).to_have_attribute("placeholder", "No response.")
