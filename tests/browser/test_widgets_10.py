"""The widgets of 10 in a real JupyterLab: mouse, keyboard, buggy learners, both themes, narrow windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
import numpy as np
from convnets.widgets import AugmentationMixer, ThinnedNets

def flip(x, rng, p=0.5):
    return np.where((rng.random(len(x)) < p)[:, None, None, None], x[..., ::-1], x)

def rolls(x, offsets, fill=0.0):
    return np.stack([np.roll(image, tuple(pair), (1, 2)) for image, pair in zip(x, offsets)])

def dropout(x, p, rng, training=True, inverted=True):
    if not training:
        return (x if inverted else x * (1 - p)), np.ones(x.shape, bool)
    kept = rng.random(x.shape) >= p
    return (x * kept / (1 - p) if inverted else x * kept), kept

def keeps_with_p(x, p, rng, training=True, inverted=True):
    return dropout(x, 1 - p, rng, training, inverted)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_10")


def pixels(widget: Locator) -> list[str]:
    """Return the pictures of the six versions as data URLs."""
    return list(widget.locator(".am-versions canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())"))


def circles(widget: Locator) -> int:
    """Return how many outputs are drawn; one circle more is in the legend."""
    return widget.locator(".tn-dot").count() - 1


def test_mirroring_makes_two_kinds_of_versions(notebook: NotebookPage) -> None:
    widget = notebook.run("AugmentationMixer(flip)")
    expect(widget.locator(".am-versions canvas")).to_have_count(6)
    assert len(set(pixels(widget))) == 2
    after(widget, lambda: click_slider(widget, "mirror, probability", 0.02))
    assert len(set(pixels(widget))) == 1
    expect(widget.locator(".cnn-status")).to_contain_text("nothing changed")


def test_sliders_draw_and_photograph_change_the_pictures(notebook: NotebookPage) -> None:
    widget = notebook.run("AugmentationMixer(flip, flip_p=0)")
    still = pixels(widget)
    after(widget, lambda: click_slider(widget, "shift, pixels", 0.5))
    moved = pixels(widget)
    assert len(set(moved)) > 1
    assert moved != still
    expect(widget.locator(".cnn-note")).to_contain_text("Your shift is not written yet")
    after(widget, widget.get_by_role("button", name="more draw").click)
    assert pixels(widget) != moved
    before = pixels(widget)
    after(widget, lambda: widget.get_by_role("radio", name="rocket").check(force=True))
    assert pixels(widget) != before
    expect(widget.locator(".cnn-code")).to_contain_text("photograph='rocket'")


def test_the_mixer_by_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("AugmentationMixer(flip, flip_p=0)")
    still = pixels(widget)
    widget.get_by_label("noise, std", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert pixels(widget) != still
    expect(widget.locator(".cnn-code")).to_contain_text("noise=0.01")
    widget.get_by_label("crop, pixels less", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert widget.locator(".am-versions canvas").first.evaluate("canvas => canvas.width") == 92
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_a_roll_in_the_place_of_a_shift_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("AugmentationMixer(flip, rolls, shift_by=12)")
    expect(widget.locator(".am-notes .cnn-wrong")).to_contain_text("Your shift differs from the toolkit's")


def test_nets_are_drawn_by_the_buttons(notebook: NotebookPage) -> None:
    widget = notebook.run("ThinnedNets(dropout)")
    assert circles(widget) == 1
    after(widget, widget.get_by_role("button", name="Draw one").click)
    assert circles(widget) == 2
    dropped = widget.locator(".tn-cross").count()
    expect(widget.locator(".tn-unit.tn-dropped")).to_have_count(dropped)
    after(widget, widget.get_by_role("button", name="Draw 20").click)
    assert circles(widget) == 22
    expect(widget.locator(".cnn-status")).to_contain_text("That is the mean of all thinned nets")
    after(widget, widget.get_by_role("button", name="Start again").click)
    assert circles(widget) == 1


def test_the_scaling_moves_the_diamond(notebook: NotebookPage) -> None:
    widget = notebook.run("ThinnedNets(dropout, p=0.25, draws=5)")
    after(widget, lambda: widget.get_by_role("radio", name="classic: in use").check(force=True))
    expect(widget.locator(".cnn-status")).to_contain_text("the whole net in use gives 3.375")
    after(widget, lambda: widget.get_by_role("radio", name="neither scaled").check(force=True))
    expect(widget.locator(".cnn-status")).to_contain_text("training and use do not agree")


def test_the_nets_by_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ThinnedNets(dropout)")
    widget.get_by_label("p, probability to drop", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    expect(widget.locator(".tn-cross")).to_have_count(0)
    expect(widget.locator(".tn-strip .tn-stick")).to_have_count(2)  # one net, and the legend
    widget.get_by_label("nets drawn", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowUp"))
    assert circles(widget) == 2


def test_p_taken_for_the_probability_to_keep_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("ThinnedNets(keeps_with_p, p=0.25)")
    expect(widget.locator(".tn-notes .cnn-wrong")).to_contain_text("in training; expected was")


@pytest.mark.parametrize("line", ["AugmentationMixer(flip)", "ThinnedNets(dropout, draws=6)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))
