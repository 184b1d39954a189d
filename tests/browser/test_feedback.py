"""Feedback pages of hostile notebooks in a real browser: nothing runs, loads or covers the score."""

import pytest

from grader.classroom.feedback import page
from grader.engine.release import make_release
from tests.browser.contrast import faint_texts
from tests.grader.classroom.test_feedback import HOSTILE, MODULE, score
from tests.grader.conftest import make_course

BIG = "<img width=9999 height=9999 style='position:fixed;top:0;left:0;background:red' src='data:image/png;base64,AAAA'>"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    from grader.build import build_module

    course = make_course(tmp_path_factory.mktemp("course"))
    build_module(course, MODULE)
    return make_release(course, MODULE)


@pytest.mark.parametrize(("scheme", "width"), [("light", 900), ("dark", 360)])
def test_nothing_runs_loads_or_covers_the_score(release, browser, tmp_path, scheme, width):
    path = tmp_path / "page.html"
    path.write_text(page(release, score("\n\n".join([*HOSTILE, BIG]) + "x" * 400)), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown = context.new_page()
    asked, dialogs, errors = [], [], []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    shown.on("console", lambda message: errors.append(message.text))
    shown.goto(path.as_uri())
    assert shown.title() == f"{release.module.replace('01_w', '01 W')} · ada"
    assert asked == [path.as_uri()]
    assert (dialogs, errors) == ([], [])
    assert shown.locator("script, iframe, img, object, form, input").count() == 0
    on_top = """() => {
        const box = document.querySelector(".score").getBoundingClientRect();
        return document.elementFromPoint(box.left + 4, box.top + box.height / 2).closest(".score") !== null;
    }"""
    assert shown.evaluate(on_top)
    assert shown.locator(".score").inner_text() == "1 of 5 points so far"
    # Nothing has to be scrolled sideways.
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(release, browser, tmp_path, scheme):
    """Each text has the contrast that WCAG 2.2 asks of small ones, 4.5 to 1."""
    path = tmp_path / "page.html"
    path.write_text(page(release, score()), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme)
    shown = context.new_page()
    shown.goto(path.as_uri())
    assert faint_texts(shown) == []
    assert shown.locator("main h2").count() == 2
    assert shown.locator("html[lang=en]").count() == 1
    context.close()
