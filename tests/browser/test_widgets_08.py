"""The widgets of 08 in a real JupyterLab: controls by mouse and by keyboard, a missing learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, click_at, code

#: The reader learns from 2,000 digits here: it makes mistakes, and the tests do not ask what it reads.
SETUP = """
import os
os.environ["CONVNETS_FAST"] = "1"
from convnets.widgets import ConfusionBrowser, ReadingDemo

def unwritten(*_):
    raise NotImplementedError

def broken(*_):
    raise KeyError("rng")
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_08")


def drag(widget: Locator, points: list[tuple[float, float]]) -> None:
    """Draw a stroke through points, in shares of the line's width and height."""
    box = widget.locator(".read-paper").bounding_box()
    assert box is not None
    mouse = widget.page.mouse
    for at, (x, y) in enumerate(points):
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if at == 0 else 8)
        if at == 0:
            mouse.down()
    mouse.up()


def maps(widget: Locator, layer: str) -> list[str]:
    """The maps of a layer as drawn."""
    canvases = widget.locator(f'[data-layer="{layer}"] canvas')
    drawn: list[str] = canvases.evaluate_all("nodes => nodes.map(node => node.toDataURL())")
    return drawn


def test_digits_drawn_with_the_mouse_are_boxed_and_read(notebook: NotebookPage) -> None:
    widget = notebook.run("ReadingDemo()")
    assert widget.locator(".read-answer").count() == 0
    expect(widget.locator(".read-hint")).to_be_visible()
    drag(widget, [(0.1, 0.2), (0.1, 0.8)])
    expect(widget.locator(".read-answer")).to_have_count(1)
    drag(widget, [(0.25, 0.2), (0.35, 0.2), (0.29, 0.8)])
    expect(widget.locator(".read-answer")).to_have_count(2)
    expect(widget.locator(".read-hint")).to_be_hidden()
    assert widget.locator(".read-paper polyline").count() == 2
    assert code(widget).count("]], [[") == 1  # two strokes, neither twice
    assert [len(maps(widget, layer)) for layer in ("C1", "S2", "C3", "S4", "C5", "F6")] == [6, 6, 16, 16, 1, 1]
    first = maps(widget, "C1")
    after(widget, widget.locator(".read-answer").nth(1).click)
    assert maps(widget, "C1") != first
    expect(widget.locator(".read-answer").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(widget.locator(".cnn-status")).to_contain_text("2 digits cut out and read in")
    after(widget, widget.get_by_role("button", name="Undo stroke").click)
    expect(widget.locator(".read-answer")).to_have_count(1)
    after(widget, widget.get_by_role("button", name="Clear").click)
    expect(widget.locator(".read-hint")).to_be_visible()
    expect(widget.locator(".read-output")).to_be_hidden()


def test_digits_typed_on_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ReadingDemo()")
    press = notebook.page.keyboard.press
    widget.locator(".read-paper").focus()
    for digit in "304":
        after(widget, lambda digit=digit: press(digit))
    expect(widget.locator(".read-answer")).to_have_count(3)
    assert widget.locator(".read-paper polyline").count() == 4
    first = maps(widget, "S4")
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".read-answer").nth(1)).to_have_attribute("aria-pressed", "true")
    assert maps(widget, "S4") != first
    widget.locator(".read-answer").nth(1).focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".read-answer").nth(2)).to_be_focused()
    widget.locator(".read-paper").focus()
    after(widget, lambda: press("Backspace"))
    assert widget.locator(".read-paper polyline").count() == 3
    after(widget, lambda: press("Escape"))
    assert widget.locator(".read-paper polyline").count() == 0
    assert code(widget) == "ReadingDemo(chosen=2)"


def test_scan_and_pen_by_keyboard_and_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run('ReadingDemo(typed="17")')
    expect(widget.locator(".read-scan")).to_be_hidden()
    widget.get_by_role("radio", name="boxes").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".read-scan")).to_be_visible()
    assert "probability of each class" in (widget.locator(".read-scan").get_attribute("aria-label") or "")
    expect(widget.locator(".cnn-status")).to_contain_text("places read in")
    before = str(widget.locator(".read-scan").evaluate("node => node.toDataURL()"))
    after(widget, lambda: click_at(widget, widget.get_by_label("pen", exact=True), 0.9))
    assert "pen=1" in code(widget)
    assert str(widget.locator(".read-scan").evaluate("node => node.toDataURL()")) != before


def test_a_learner_that_is_missing_or_wrong_is_told(notebook: NotebookPage) -> None:
    widget = notebook.run('ReadingDemo(unwritten, broken, typed="5")')
    notes = widget.locator(".read-notes .cnn-note")
    expect(notes).to_have_count(2)
    expect(notes.nth(0)).to_have_text("Your LeNet5 is not written yet: the toolkit's is used.")
    expect(notes.nth(1)).to_have_text("✗ With your train_epoch: KeyError: 'rng'. The toolkit's is used.")
    assert code(widget).startswith("ReadingDemo(unwritten, broken, strokes=")
    expect(widget.locator(".read-answer")).to_have_count(1)


def test_the_table_by_mouse_and_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ConfusionBrowser(actual=4, answer=9)")
    cell = widget.locator('td[data-actual="4"][data-answer="9"]')
    expect(cell).to_have_attribute("aria-selected", "true")
    expect(widget.locator(".conf-words")).to_contain_text("of class 4 taken for 9")
    after(widget, widget.locator('td[data-actual="3"][data-answer="3"]').click)
    expect(widget.locator(".conf-words")).to_contain_text("are read right")
    expect(widget.locator(".conf-digit canvas")).to_have_count(12)
    widget.locator('td[data-actual="3"][data-answer="3"]').focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowDown"))
    expect(widget.locator('td[data-actual="4"][data-answer="3"]')).to_be_focused()
    assert code(widget) == "ConfusionBrowser(actual=4, answer=3)"


def test_refusing_by_mouse_and_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ConfusionBrowser()")
    expect(widget.locator(".cnn-status")).to_contain_text(", 0 refused.")
    point = widget.locator(".conf-point")
    start = float(point.get_attribute("cx") or 0)
    slider = widget.get_by_label("refuse to answer below", exact=True)
    after(widget, lambda: click_at(widget, slider, 0.8))
    middle = float(point.get_attribute("cx") or 0)
    assert middle > start
    expect(widget.locator(".cnn-status")).not_to_contain_text(", 0 refused.")
    slider.focus()
    after(widget, lambda: notebook.page.keyboard.press("End"))
    assert code(widget) == "ConfusionBrowser(threshold=99)"
    assert float(point.get_attribute("cx") or 0) > middle


def test_both_themes_and_a_narrow_window(notebook: NotebookPage) -> None:
    widget = notebook.run('ReadingDemo(typed="25")')
    try:
        colours = set()
        for theme in ("light", "dark"):
            notebook.theme(theme)
            stroke = widget.locator(".read-paper polyline").first
            colours.add(str(stroke.evaluate("node => getComputedStyle(node).stroke")))
        assert len(colours) == 2
        notebook.width(600)
        for shown in (widget, notebook.run("ConfusionBrowser()")):
            too_wide = shown.evaluate("node => node.scrollWidth - node.clientWidth")
            assert int(too_wide) <= 1
    finally:
        notebook.theme("light")
        notebook.width(1100)
