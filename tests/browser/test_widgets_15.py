"""The widgets of 15 in a real JupyterLab: drawing and walking by mouse and keyboard, a missing learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_at, click_slider, code

#: The nets learn from 1,000 digits here: the tests do not ask how well they repair and paint.
SETUP = """
import os
os.environ["CONVNETS_FAST"] = "1"
from convnets.widgets import CodeExplorer, DenoiseDrawing

def unwritten(*_):
    raise NotImplementedError

def broken(*_):
    raise KeyError("layers")
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_15")


def drawn(widget: Locator, canvases: str) -> list[str]:
    """Some pictures as drawn."""
    pictures: list[str] = widget.locator(canvases).evaluate_all("nodes => nodes.map(node => node.toDataURL())")
    return pictures


def settled(widget: Locator) -> None:
    """Wait until the browser has drawn what it asked for last: a picture on the way is not drawn if a newer one is."""
    widget.page.wait_for_function(
        """async (node) => {
          const turn = node.dataset.turn;
          await new Promise((resolve) => setTimeout(resolve, 250));
          return node.dataset.turn === turn;
        }""",
        arg=widget.element_handle(),
    )


def drag(widget: Locator, part: str, points: list[tuple[float, float]]) -> None:
    """Press the mouse at the first of some points, in shares of a part's sides, and move it along the others."""
    place = widget.locator(part)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    mouse = widget.page.mouse
    for at, (x, y) in enumerate(points):
        mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if at == 0 else 8)
        if at == 0:
            mouse.down()
    mouse.up()
    settled(widget)


def test_a_digit_drawn_with_the_mouse_is_spoilt_and_repaired(notebook: NotebookPage) -> None:
    widget = notebook.run("DenoiseDrawing()")
    expect(widget.locator(".dn-hint")).to_be_visible()
    empty = drawn(widget, ".dn-panel canvas")
    drag(widget, ".dn-paper", [(0.5, 0.15), (0.5, 0.85)])
    expect(widget.locator(".dn-hint")).to_be_hidden()
    expect(widget.locator(".cnn-status")).to_contain_text("The drawing, spoilt by salt and pepper of 0.33")
    assert widget.locator(".dn-paper polyline").count() == 1
    one = drawn(widget, ".dn-panel canvas")
    assert len(one) == 3
    assert all(a != b for a, b in zip(one, empty, strict=True))
    drag(widget, ".dn-paper", [(0.3, 0.5), (0.7, 0.5)])
    expect(widget.locator(".dn-paper polyline")).to_have_count(2)
    after(widget, widget.get_by_role("button", name="Undo stroke").click)
    assert widget.locator(".dn-paper polyline").count() == 1
    after(widget, widget.get_by_role("button", name="Clear").click)
    expect(widget.locator(".dn-hint")).to_be_visible()
    assert code(widget) == "DenoiseDrawing()"


def test_digits_and_noise_by_keyboard_and_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("DenoiseDrawing()")
    press = notebook.page.keyboard.press
    widget.locator(".dn-paper").focus()
    after(widget, lambda: press("4"))
    assert widget.locator(".dn-paper polyline").count() == 2
    after(widget, lambda: press("Backspace"))
    assert widget.locator(".dn-paper polyline").count() == 1
    before = drawn(widget, ".dn-panel canvas")
    after(widget, lambda: click_slider(widget, "level", 0.9))
    changed = drawn(widget, ".dn-panel canvas")
    assert changed[0] == before[0]
    assert changed[1] != before[1]
    widget.get_by_role("radio", name="salt and pepper").focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".cnn-status")).to_contain_text("spoilt by gaussian")
    after(widget, widget.get_by_role("button", name="more draw of the noise").click)
    assert "kind='gaussian'" in code(widget)
    assert "draw=1" in code(widget)
    widget.locator(".dn-paper").focus()
    after(widget, lambda: press("Escape"))
    assert widget.locator(".dn-paper polyline").count() == 0


def test_walking_through_the_plane_by_mouse_and_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("CodeExplorer()")
    middle = drawn(widget, ".ce-panel canvas")
    after(widget, lambda: click_at(widget, widget.locator(".ce-plane"), 0.2, 0.3))
    corner = drawn(widget, ".ce-panel canvas")
    assert corner[0] != middle[0]
    restored = code(widget)
    assert "x=0.2" in restored
    assert "y=0.7" in restored or "y=0.69" in restored
    press = notebook.page.keyboard.press
    widget.locator(".ce-plane").focus()
    left = float(widget.locator(".ce-cross").evaluate("node => parseFloat(node.style.left)"))
    after(widget, lambda: press("ArrowRight"))
    assert float(widget.locator(".ce-cross").evaluate("node => parseFloat(node.style.left)")) == pytest.approx(
        left + 2, abs=0.1
    )
    assert drawn(widget, ".ce-panel canvas")[0] != corner[0]
    after(widget, lambda: press("3"))
    there = code(widget)
    after(widget, lambda: press("ArrowUp"))
    assert code(widget) != there


def test_the_plane_shows_points_or_pictures(notebook: NotebookPage) -> None:
    widget = notebook.run("CodeExplorer(x=0.3)")
    expect(widget.locator(".ce-points")).to_be_visible()
    expect(widget.locator(".ce-atlas")).to_be_hidden()
    widget.get_by_role("radio", name="test digits").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".ce-points")).to_be_hidden()
    expect(widget.locator(".ce-atlas")).to_be_visible()
    assert int(widget.locator(".ce-atlas").evaluate("node => node.width")) == 224
    assert code(widget) == "CodeExplorer(x=0.3, show='pictures')"


def test_a_learner_that_is_missing_or_wrong_is_told(notebook: NotebookPage) -> None:
    widget = notebook.run('DenoiseDrawing(unwritten, broken, typed="7")')
    notes = widget.locator(".dn-notes .cnn-note")
    expect(notes).to_have_count(2)
    expect(notes.nth(0)).to_have_text("Your corrupt is not written yet: the toolkit computes this picture.")
    expect(notes.nth(1)).to_contain_text("✗ Your autoencoder_forward raised KeyError: 'layers'")
    explorer = notebook.run("CodeExplorer(broken)")
    expect(explorer.locator(".ce-notes .cnn-note")).to_contain_text("Your stack raised KeyError")
    assert code(explorer) == "CodeExplorer(broken)"


def test_both_themes_and_a_narrow_window(notebook: NotebookPage) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(
        notebook, notebook.run('DenoiseDrawing(typed="2")'), "canvas, .dn-paper"
    )
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run("CodeExplorer()"), "canvas, .ce-plane")
