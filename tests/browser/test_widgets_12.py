"""The widgets of 12 in a real JupyterLab: controls by mouse and by keyboard, a buggy learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
from convnets.models.resnet import NarrowResNet
from convnets.widgets import DepthCurves, GradientByLayer

def made(depth, residual=True, width=16, channels=3):
    return NarrowResNet(depth, residual=residual, width=width, channels=channels)

def always_plain(depth, residual=True, width=16, channels=3):
    return made(depth, False, width, channels)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_12")


def thick(widget: Locator) -> list[str]:
    """The curves of the chosen depth."""
    lines = widget.locator(".dc-line.dc-chosen").all()
    return sorted(line.get_attribute("data-line") or "" for line in lines)


def points(widget: Locator, kind: str) -> list[str]:
    """The points of one kind's gradients."""
    return (widget.locator(f'.gl-line[data-line="{kind}"]').get_attribute("points") or "").split(" ")


def test_the_depth_moves_by_mouse_and_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("DepthCurves()")
    assert thick(widget) == ["plain-20-0", "plain-20-1", "residual-20-0", "residual-20-1"]
    before = widget.locator('[data-last="plain"]').inner_text()
    after(widget, lambda: click_slider(widget, "layers", 0.99))
    assert thick(widget) == ["plain-56-0", "plain-56-1", "residual-56-0", "residual-56-1"]
    assert widget.locator('[data-last="plain"]').inner_text() != before
    expect(widget.locator(".cnn-code")).to_have_text("DepthCurves(depth=56)")
    widget.get_by_label("layers", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    assert thick(widget)[0] == "plain-44-0"


def test_the_other_error_and_a_quieter_picture(notebook: NotebookPage) -> None:
    widget = notebook.run("DepthCurves(depth=44)")
    expect(widget.locator(".dc-line")).to_have_count(20)
    training = widget.locator('[data-last="residual"]').inner_text()
    after(widget, widget.get_by_role("radio", name="test pictures").click)
    assert widget.locator('[data-last="residual"]').inner_text() != training
    expect(widget.locator(".cnn-status")).to_contain_text("44 layers, test error after 8 epochs")
    widget.get_by_label("other depths behind").focus()
    after(widget, lambda: notebook.page.keyboard.press("Space"))
    expect(widget.locator(".dc-line")).to_have_count(4)


def test_gradients_change_with_depth_and_normalization(notebook: NotebookPage) -> None:
    widget = notebook.run("GradientByLayer(made)")
    expect(widget.locator(".cnn-note")).to_have_count(0)
    assert len(points(widget, "plain")) == 19
    after(widget, lambda: click_slider(widget, "layers", 0.99))
    assert len(points(widget, "residual")) == 55
    with_norm = points(widget, "plain")
    after(widget, widget.get_by_role("radio", name="off").click)
    assert points(widget, "plain") != with_norm
    expect(widget.locator(".cnn-status")).to_contain_text("56 layers without batch normalization")
    expect(widget.locator(".cnn-note")).to_contain_text("below 10⁻⁶ and drawn on the lower edge")
    widget.get_by_label("layers", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    assert len(points(widget, "plain")) == 7


def test_another_seed_by_its_button(notebook: NotebookPage) -> None:
    widget = notebook.run("GradientByLayer(made, depth=8)")
    before = points(widget, "residual")
    after(widget, widget.get_by_role("button", name="more seed").click)
    assert points(widget, "residual") != before
    expect(widget.locator(".cnn-code")).to_have_text("GradientByLayer(made, depth=8, seed=1)")


def test_a_net_without_skips_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("GradientByLayer(always_plain, depth=8)")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("makes another residual network than the toolkit's")
    assert points(widget, "residual") == points(widget, "plain")


@pytest.mark.parametrize("code", ["DepthCurves(depth=56)", "GradientByLayer(made, depth=56)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code))
