"""The widgets of 14 in a real JupyterLab: controls by mouse and by keyboard, a buggy learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
from convnets.widgets import FreezeDepth, StampSearch
from convnets.widgets.freeze_depth import freeze, parameter_groups
from convnets.widgets.stamp_search import nearest

def forgets_the_mask(queries, gallery, k, cosine, forbidden):
    return nearest(queries, gallery, k, cosine)

def weights_only(layers, n, fix_statistics=False):
    for layer in list(layers)[:n]:
        layer.requires_grad_(False)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_14")


def found(widget: Locator) -> list[str]:
    """The names that are shown as neighbours."""
    return widget.locator(".ss-figure figcaption b").all_inner_texts()


def test_a_stamp_is_asked_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("StampSearch(nearest, vectors='pixels')")
    first = found(widget)
    assert len(first) == 9
    after(widget, widget.locator('.ss-small[data-number="60"]').click)
    assert found(widget) != first
    expect(widget.locator('.ss-small[aria-selected="true"]')).to_have_attribute("data-number", "60")
    # A neighbour asks next.
    neighbour = widget.locator(".ss-large").nth(2)
    number = neighbour.get_attribute("data-number")
    after(widget, neighbour.click)
    assert f"asked={number}" in widget.locator(".cnn-code").inner_text()
    expect(widget.locator(".cnn-note")).to_have_count(0)


def test_a_stamp_is_asked_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("StampSearch(nearest, vectors='pixels')")
    widget.locator('.ss-small[data-number="0"]').focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator('.ss-small[data-number="1"]')).to_be_focused()
    after(widget, lambda: notebook.page.keyboard.press("End"))
    expect(widget.locator(".cnn-code")).to_contain_text("asked=205")
    after(widget, lambda: notebook.page.keyboard.press("ArrowUp"))
    asked = int(widget.locator('.ss-small[aria-selected="true"]').get_attribute("data-number") or 0)
    assert 150 < asked < 200


def test_switches_of_the_search(notebook: NotebookPage) -> None:
    widget = notebook.run("StampSearch(nearest, vectors='pixels', asked=5)")
    by_cosine = found(widget)
    after(widget, widget.get_by_role("radio", name="dot product").click)
    assert found(widget) != by_cosine
    after(widget, widget.get_by_role("radio", name="may not").click)
    assert widget.locator(".cnn-code").inner_text() == (
        "StampSearch(nearest, asked=5, vectors='pixels', cosine=False, relatives=False)"
    )


def test_a_forgotten_mask_is_told(notebook: NotebookPage) -> None:
    widget = notebook.run("StampSearch(forgets_the_mask, vectors='pixels')")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("found a stamp that is forbidden")


def trained(widget: Locator) -> int:
    """How many layers are trained."""
    return widget.locator('.fd-bar[data-trained="true"]').count()


def test_the_depth_by_mouse_and_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("FreezeDepth(freeze, parameter_groups)")
    assert trained(widget) == 6
    expect(widget.locator('.fd-bar[data-layer="classifier"]')).to_have_attribute("data-rate", "lr/10")
    after(widget, lambda: click_slider(widget, "frozen layers", 0.02))
    assert trained(widget) == 19
    widget.get_by_label("frozen layers", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert trained(widget) == 18
    after(widget, lambda: notebook.page.keyboard.press("End"))
    expect(widget.locator(".cnn-status")).to_contain_text("20 layers frozen: 15,372 of 3,386,380")


def test_statistics_move_or_stay(notebook: NotebookPage) -> None:
    widget = notebook.run("FreezeDepth(freeze, parameter_groups)")
    assert widget.locator('.fd-bar[data-moving="true"]').count() == 5
    after(widget, widget.get_by_role("radio", name="fixed").click)
    assert widget.locator('.fd-bar[data-moving="true"]').count() == 0
    widget.get_by_role("radio", name="fixed").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    assert widget.locator('.fd-bar[data-moving="true"]').count() == 5


def test_frozen_layers_whose_statistics_move_are_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("FreezeDepth(weights_only, parameter_groups, frozen=4)")
    expect(widget.locator(".fd-bar.fd-wrong")).to_have_count(4)
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("Your freeze is not what the exercise asks for")


@pytest.mark.parametrize("code", ["StampSearch(vectors='pixels', asked=40)", "FreezeDepth(frozen=7)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code))
