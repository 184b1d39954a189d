"""The widgets of 18 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
import numpy as np
from convnets.widgets import EpsilonSlider, ScoreByDimension
from convnets.widgets.epsilon_slider import pgd, random_sign_control, targeted_fgsm

def linear_gap(weight, epsilon):
    return float(epsilon * np.abs(weight).sum())

def euclidean(weight, epsilon):
    return float(epsilon * np.sqrt((weight**2).sum()))

def nudge(x, weight, epsilon):
    return x + epsilon * np.sign(weight)

def too_far(model, x, labels, epsilon, step, steps, targeted=False):
    return (x + 2 * epsilon).clamp(0, 1)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_18")


def pictures(widget: Locator) -> list[str]:
    """Return the three pictures as data URLs."""
    return list(widget.locator(".es-panels canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())"))


def aimed(widget: Locator) -> list[float]:
    """Return the aimed change for every number of inputs, as drawn."""
    return [
        float(size) for size in widget.locator("circle.sd-aimed").evaluate_all("all => all.map((d) => d.dataset.size)")
    ]


def test_the_dimension_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("ScoreByDimension(linear_gap, nudge)")
    expect(widget.locator("circle.sd-aimed")).to_have_count(11)
    small = widget.locator('[data-number="aimed change"]').inner_text()
    after(widget, lambda: click_slider(widget, "number of inputs, D", 0.98))
    expect(widget.locator(".cnn-code")).to_contain_text("dimension=150528")
    assert float(widget.locator('[data-number="aimed change"]').inner_text()) > 50 * float(small)
    expect(widget.locator(".cnn-status")).to_contain_text("turned round")
    expect(widget.locator(".cnn-note")).to_have_count(0)


def test_epsilon_and_draw_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ScoreByDimension(linear_gap, nudge)")
    before = aimed(widget)
    widget.get_by_label("ε, largest change of an input", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("epsilon=0.1")
    assert all(new == pytest.approx(2 * old) for new, old in zip(aimed(widget), before, strict=True))
    score = widget.locator('[data-number="score"]').inner_text()
    widget.get_by_label("draw", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowUp"))
    assert widget.locator('[data-number="score"]').inner_text() != score
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_the_euclidean_length_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("ScoreByDimension(euclidean, nudge)")
    expect(widget.locator(".sd-notes .cnn-wrong")).to_contain_text("Your linear_gap gave")


def test_a_cat_becomes_a_goldfish_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("EpsilonSlider(targeted_fgsm, pgd, random_sign_control)")
    expect(widget.locator(".es-row").first).not_to_have_attribute("data-class", "goldfish")
    still = pictures(widget)
    assert still[0] == still[2]
    after(widget, lambda: click_slider(widget, "ε, in steps of 255", 0.25))
    expect(widget.locator(".es-row").first).to_have_attribute("data-class", "goldfish")
    moved = pictures(widget)
    assert moved[0] == still[0]
    assert moved[1] != still[1]
    assert moved[2] != still[2]
    after(widget, lambda: widget.get_by_role("radio", name="one step").check(force=True))
    expect(widget.locator(".es-row").first).not_to_have_attribute("data-class", "goldfish")
    expect(widget.locator(".cnn-note")).to_have_count(0)


def test_the_attack_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("EpsilonSlider(targeted_fgsm, None, random_sign_control, method='random', epsilon=1)")
    still = pictures(widget)
    widget.get_by_label("ε, in steps of 255", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("epsilon=1.5")
    assert pictures(widget)[1] != still[1]
    widget.get_by_role("radio", name="random signs").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_contain_text("method='one step'")
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-note")).to_contain_text("Your pgd is not written yet")


def test_another_photograph_and_another_target(notebook: NotebookPage) -> None:
    widget = notebook.run("EpsilonSlider(targeted_fgsm, pgd, random_sign_control, method='random', epsilon=1)")
    still = pictures(widget)
    after(widget, lambda: widget.get_by_role("radio", name="rocket").check(force=True))
    assert pictures(widget)[0] != still[0]
    after(widget, lambda: widget.get_by_role("radio", name="teapot").check(force=True))
    expect(widget.locator(".es-aimed")).to_have_attribute("data-class", "teapot")


def test_a_change_beyond_epsilon_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("EpsilonSlider(targeted_fgsm, too_far, epsilon=2)")
    expect(widget.locator(".es-notes .cnn-wrong")).to_contain_text("which is more than ε")


@pytest.mark.parametrize("line", ["ScoreByDimension(linear_gap, nudge)", "EpsilonSlider(method='random', epsilon=2)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))
