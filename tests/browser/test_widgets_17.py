"""The widgets of 17 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page

SETUP = """
from convnets.widgets import Occluder, UnitExplorer
from convnets.widgets.occluder import occlusion_map
from convnets.widgets.unit_explorer import patch_box, top_patches

def turned(*given):
    return occlusion_map(*given).T

def weakest(features, unit, k):
    return top_patches(features, unit, k)[::-1]
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_17")


def canvases(widget: Locator, place: str) -> list[str]:
    """Return pictures as data URLs."""
    return list(widget.locator(f"{place} canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())"))


def with_the_square(widget: Locator) -> float:
    """Return the probability with the square, as drawn."""
    return float(widget.locator('[data-class="with the square"] .oc-share').inner_text())


def middle_of(widget: Locator, place: str) -> tuple[float, float, float]:
    """Return the middle of a node on the page, and its width."""
    box = widget.locator(place).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def test_the_square_is_dragged_over_the_cup(notebook: NotebookPage) -> None:
    widget = notebook.run("Occluder(occlusion_map)")
    expect(widget.locator(".cnn-note")).to_have_count(0)
    assert with_the_square(widget) > 0.9
    still = canvases(widget, ".oc-frame")
    mouse = notebook.page.mouse
    widget.locator(".oc-frame").first.scroll_into_view_if_needed()
    x, y, _ = middle_of(widget, ".oc-square")
    _, _, width = middle_of(widget, ".oc-frame >> nth=0")
    mouse.move(x, y)
    after(widget, mouse.down)
    # Taken in its middle, the square goes with the pointer: 48 pixels to the right and 24 down.
    after(widget, lambda: mouse.move(x + width * 48 / 128, y + width * 24 / 128))
    mouse.up()
    expect(widget.locator(".cnn-code")).to_contain_text("row=24, column=48")
    assert with_the_square(widget) < 0.1
    assert canvases(widget, ".oc-frame") == still  # the picture and the map are what they were
    mouse.move(x, y)  # the button is up: nothing moves any more
    expect(widget.locator(".cnn-code")).to_contain_text("row=24, column=48")


def test_a_click_on_the_map_puts_the_square_there(notebook: NotebookPage) -> None:
    widget = notebook.run("Occluder(occlusion_map, side=96)")
    x, y, width = middle_of(widget, ".oc-map")
    after(widget, lambda: notebook.page.mouse.click(x + 0.45 * width, y - 0.45 * width))
    expect(widget.locator(".cnn-code")).to_contain_text("column=32, side=96")


def test_the_square_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("Occluder(occlusion_map, side=96)")
    widget.locator(".oc-frame").first.focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowDown"))
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("row=8, column=8")
    widget.get_by_label("row", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("row=9, column=8")
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_another_picture_another_score_another_fill(notebook: NotebookPage) -> None:
    widget = notebook.run("Occluder(occlusion_map, side=96)")
    still = canvases(widget, ".oc-frame")
    after(widget, lambda: widget.get_by_role("radio", name="tiger and zebra").check(force=True))
    moved = canvases(widget, ".oc-frame")
    assert moved[0] != still[0]
    assert moved[1] != still[1]
    after(widget, lambda: widget.get_by_role("radio", name="tiger", exact=True).check(force=True))
    expect(widget.locator(".cnn-status")).to_contain_text("p(tiger)")
    after(widget, lambda: widget.get_by_role("radio", name="white").check(force=True))
    expect(widget.locator(".oc-square")).to_have_attribute("data-fill", "white")


def test_a_turned_map_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("Occluder(turned, side=96)")
    expect(widget.locator(".oc-notes .cnn-wrong")).to_contain_text("Your occlusion_map gave")


def test_units_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("UnitExplorer(top_patches, patch_box)")
    expect(widget.locator(".ue-grid canvas")).to_have_count(9)
    expect(widget.locator(".cnn-note")).to_have_count(0)
    still = canvases(widget, ".ue-grid")
    after(widget, lambda: widget.get_by_role("button", name="more unit").click())
    expect(widget.locator(".cnn-code")).to_contain_text("unit=9")
    assert canvases(widget, ".ue-grid") != still
    width = middle_of(widget, ".ue-box >> nth=0")[2]
    after(widget, lambda: widget.get_by_role("radio", name="block 3").check(force=True))
    assert middle_of(widget, ".ue-box >> nth=0")[2] < 0.5 * width
    after(widget, lambda: widget.get_by_role("radio", name="patches alone").check(force=True))
    expect(widget.locator(".ue-box").first).to_be_hidden()


def test_units_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("UnitExplorer(top_patches, None, block=3)")
    expect(widget.locator(".cnn-note")).to_contain_text("Your patch_box is not written yet")
    still = canvases(widget, ".ue-grid")
    widget.get_by_label("all units", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("unit=9")
    assert canvases(widget, ".ue-grid") != still
    widget.get_by_role("radio", name="block 3").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-status")).to_contain_text("Block 5, unit 9")


def test_the_weakest_first_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("UnitExplorer(weakest, patch_box)")
    expect(widget.locator(".ue-notes .cnn-wrong")).to_contain_text("Your top_patches is wrong from place 1 on")


@pytest.mark.parametrize("line", ["Occluder(occlusion_map, row=24, column=48)", "UnitExplorer(weakest, block=8)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))
