"""The widgets of 13 in a real JupyterLab: mouse, keyboard, buggy learners, both themes, narrow windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import (
    after,
    check_nothing_is_cut_off_on_a_narrow_page,
    check_words_in_both_themes_and_on_a_narrow_page,
    click_slider,
)

SETUP = """
import numpy as np
from convnets.widgets import SearchPicture, SoftLabels
from convnets.widgets.search_picture import toolkit_random_search
from convnets.widgets.soft_labels import toolkit_loss

def linear_grid(space, points):
    (a, b), (c, d) = space.values()
    names = list(space)
    return [{names[0]: x, names[1]: y} for x in np.linspace(a, b, points) for y in np.linspace(c, d, points)]

def no_t_squared(student, teacher, labels, temperature, alpha):
    loss, gradient = toolkit_loss(student, teacher, labels, temperature, alpha)
    return loss / temperature**2, gradient / temperature**2
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_13")


def places(widget: Locator, square: int) -> list[str]:
    """Return where the points of a square stand."""
    circles = widget.locator(".sp-square").nth(square).locator(".sp-point")
    return list(
        circles.evaluate_all("all => all.map((node) => node.getAttribute('cx') + ' ' + node.getAttribute('cy'))")
    )


def heights(widget: Locator, kind: str) -> list[float]:
    """Return the heights of the teacher's bars or of the student's dots above the axis, for the ten classes."""
    attribute = {".sl-bar": "height", ".sl-dot": "cy"}[kind]
    values = widget.locator(f".sl-chart {kind}").evaluate_all(
        f"all => all.map((node) => Number(node.getAttribute('{attribute}')))"
    )
    return [value if attribute == "height" else 202 - value for value in values[:10]]


def test_drawing_anew_moves_the_random_points_and_not_the_grid(notebook: NotebookPage) -> None:
    widget = notebook.run("SearchPicture()")
    grid, chance = places(widget, 0), places(widget, 1)
    assert len(set(grid)) == len(set(chance)) == 16
    after(widget, widget.get_by_role("button", name="Draw anew").click)
    assert places(widget, 0) == grid
    assert places(widget, 1) != chance
    expect(widget.locator(".cnn-code")).to_contain_text("seed=2")


def test_the_ridge_moves_the_landscape_and_decides_who_wins(notebook: NotebookPage) -> None:
    widget = notebook.run("SearchPicture(weight=0)")
    image = widget.locator(".sp-square image").first
    before = image.get_attribute("href")
    expect(widget.locator(".cnn-status")).to_contain_text("The grid tries 4 learning rates")
    after(widget, lambda: click_slider(widget, "place of the best learning rate", 0.35))
    assert image.get_attribute("href") != before
    curve = widget.locator(".sp-curve").nth(1).get_attribute("points")
    after(widget, lambda: click_slider(widget, "weight of the weight decay", 0.95))
    assert widget.locator(".sp-curve").nth(1).get_attribute("points") != curve


def test_the_search_by_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("SearchPicture()")
    widget.get_by_label("values per setting of the grid", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowDown"))
    assert len(places(widget, 0)) == len(places(widget, 1)) == 9
    widget.get_by_label("place of the best learning rate", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    expect(widget.locator(".cnn-code")).to_contain_text("SearchPicture(points=3, ridge=0)")
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_a_linear_grid_is_drawn_and_said(notebook: NotebookPage) -> None:
    widget = notebook.run("SearchPicture(linear_grid, toolkit_random_search)")
    expect(widget.locator(".sp-notes .cnn-wrong")).to_contain_text("Your grid differs from the toolkit's")
    expect(widget.locator(".sp-notes .cnn-note")).to_have_count(1)


def test_the_temperature_flattens_the_bars(notebook: NotebookPage) -> None:
    widget = notebook.run("SoftLabels(toolkit_loss)")
    sharp = heights(widget, ".sl-bar")
    after(widget, lambda: click_slider(widget, "temperature T", 0.97))
    flat = heights(widget, ".sl-bar")
    assert max(flat) < max(sharp)
    assert min(flat) > min(sharp)
    expect(widget.locator(".cnn-code")).to_contain_text("temperature=20")


def test_the_student_follows_the_teacher_by_the_buttons(notebook: NotebookPage) -> None:
    widget = notebook.run("SoftLabels(toolkit_loss, temperature=5)")
    begin, bars = heights(widget, ".sl-dot"), heights(widget, ".sl-bar")
    assert max(begin) - min(begin) < 0.1
    after(widget, widget.get_by_role("button", name="Train 1 step").click)
    first = heights(widget, ".sl-dot")
    after(widget, widget.get_by_role("button", name="Train 10").click)
    later = heights(widget, ".sl-dot")
    assert abs(bars[3] - later[3]) < abs(bars[3] - first[3]) < abs(bars[3] - begin[3])
    after(widget, widget.get_by_role("button", name="Start again").click)
    assert heights(widget, ".sl-dot") == begin


def test_the_soft_labels_by_the_keyboard_and_another_digit(notebook: NotebookPage) -> None:
    widget = notebook.run("SoftLabels(toolkit_loss)")
    widget.get_by_label("α, weight of the teacher", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    expect(widget.locator(".cnn-code")).to_contain_text("alpha=0")
    widget.get_by_label("steps of the student", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowUp"))
    expect(widget.locator(".cnn-code")).to_contain_text("steps=1")
    canvas = widget.locator(".sl-digit")
    before = canvas.evaluate("node => node.toDataURL()")
    after(widget, lambda: widget.get_by_role("radio", name="a 9").check(force=True))
    assert canvas.evaluate("node => node.toDataURL()") != before
    expect(widget.locator(".cnn-status")).to_contain_text("Label 9")


def test_a_loss_without_its_factor_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run("SoftLabels(no_t_squared, temperature=3, steps=2)")
    expect(widget.locator(".sl-notes .cnn-wrong")).to_contain_text("The gradient of your distillation_loss differs")


@pytest.mark.parametrize("line", ["SearchPicture()", "SoftLabels(toolkit_loss, temperature=3, steps=5)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))
    check_nothing_is_cut_off_on_a_narrow_page(notebook, line)
