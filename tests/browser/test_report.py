"""The class report in a real browser: hostile names and answers do nothing, tables sort, a phone shows it whole."""

import pytest

from grader.classroom.report import page
from tests.browser.contrast import faint_texts
from tests.grader.classroom.report_class import a_score
from tests.grader.classroom.test_report import HOSTILE, a_report, hostile_report


def opened(browser, path, html, **options):
    """A page, and what it asked for or complained of."""
    path.write_bytes(html.encode("utf-8", "replace"))
    shown = browser.new_context(**options).new_page()
    odd = []
    shown.on("request", lambda request: odd.append(request.url))
    shown.on("dialog", lambda dialog: (odd.append(dialog.message), dialog.dismiss()))
    shown.on("console", lambda message: odd.append(message.text))
    shown.on("pageerror", lambda error: odd.append(str(error)))
    shown.goto(path.as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    return shown, odd


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 360)])
def test_hostile_names_and_answers_are_text(browser, tmp_path, scheme, width):
    path = tmp_path / "report.html"
    html = page(hostile_report())
    shown, odd = opened(browser, path, html, color_scheme=scheme, viewport={"width": width, "height": 800})
    assert odd == [path.as_uri()]
    assert shown.title() == "Class report"
    assert shown.locator("img, iframe, object, link, form, input, foreignObject").count() == 0
    assert shown.locator("script").count() == shown.locator("style").count() == 1
    told = shown.locator("main").inner_text()
    for name in HOSTILE[:7]:
        assert name in told
    # Only tables scroll sideways.
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # The policy holds: a script, a style and a picture that got in would do nothing.
    shown.evaluate(
        """() => {
        const add = (name, text) => {
            document.body.append(Object.assign(document.createElement(name), { textContent: text }));
        };
        add("script", "document.title = 'gone'");
        add("style", "main { display: none }");
        document.body.append(Object.assign(new Image(), { src: "https://example.org/x.png" }));
    }"""
    )
    assert shown.title() == "Class report"
    assert shown.locator("main").is_visible()
    assert sum("The action has been blocked" in told for told in odd) == 3
    shown.context.close()


def test_tables_sort_by_number_and_back(browser, tmp_path):
    ends = ("PPP", "PMP", "FMP", "PFF")
    html = page(a_report([a_score(f"s{i}", ends[i % 4], written=True) for i in range(40)]))
    shown, odd = opened(browser, tmp_path / "report.html", html)
    table = shown.locator("table.sortable", has_text="Discrimi").first
    heading = table.locator("th", has_text="Points earned")
    order = "(table) => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent)"
    assert table.evaluate(order) == ["1", "2", "3", "W1"]
    heading.get_by_role("button").press("Enter")
    assert (heading.get_attribute("aria-sort"), table.evaluate(order)) == ("ascending", ["2", "1", "3", "W1"])
    heading.get_by_role("button").click()
    # What is not known stays last.
    assert (heading.get_attribute("aria-sort"), table.evaluate(order)) == ("descending", ["1", "3", "2", "W1"])
    assert len(odd) == 1
    shown.context.close()


def test_figures_say_what_lies_under_the_pointer(browser, tmp_path):
    html = page(a_report([a_score(f"s{i}", "PPP" if i % 2 else "FFF", written=True) for i in range(8)]))
    shown, _ = opened(browser, tmp_path / "report.html", html, viewport={"width": 1000, "height": 4000})
    under = """(figure) => {
        const box = figure.getBoundingClientRect();
        const node = document.elementFromPoint(box.left + 0.12 * box.width, box.top + 0.3 * box.height);
        return node.parentNode.querySelector("title").textContent;
    }"""
    assert [figure.evaluate(under) for figure in shown.locator("svg.figure").all()] == [
        "0\N{NO-BREAK SPACE}% to 10\N{NO-BREAK SPACE}% of the points: 4 students",
        "Exercise 1 · one: 50\N{NO-BREAK SPACE}% of the points, 8 students",
        "Exercise 2 · two: passed, 4 of 8 test cells (50\N{NO-BREAK SPACE}%)",
    ]
    shown.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser, tmp_path, scheme):
    """Each text has the contrast that WCAG 2.2 asks of small ones, 4.5 to 1; a figure's too."""
    ends = ("PPP", "PMP", "FMT", "PFF")
    html = page(a_report([a_score(f"s{i}", ends[i % 4], days=i % 2) for i in range(8)]))
    shown, _ = opened(browser, tmp_path / "report.html", html, color_scheme=scheme)
    assert faint_texts(shown) == []
    shown.context.close()
