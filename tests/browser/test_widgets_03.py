"""The widgets of 03 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_nothing_is_cut_off_on_a_narrow_page, click_at, code

SETUP = """
import numpy as np
from convnets.widgets import ActivationSlopes, SignalDepth

def relu(x):
    return np.maximum(x, 0)

def activation_stds(x, weights, activation):
    stds = []
    for weight in weights:
        x = activation(x @ weight.T)
        stds.append(np.std(x))
    return np.array(stds)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_03")


# Activation and slope


def figure(widget: Locator, name: str) -> str:
    return widget.locator(f'[data-number="{name}"]').inner_text()


def curves(widget: Locator) -> str:
    return widget.locator(".as-values .as-curve").inner_html()


def test_a_click_on_the_curve_moves_the_point(notebook: NotebookPage) -> None:
    widget = notebook.run("ActivationSlopes()")
    assert (figure(widget, "value"), figure(widget, "slope"), figure(widget, "left")) == ("0.881", "0.105", "1.6e−10")
    chart = widget.locator(".as-values")
    middle = 34 / 420 + (420 - 40) / 420 / 2
    after(widget, lambda: click_at(widget, chart, middle, 0.3))
    assert (figure(widget, "value"), figure(widget, "slope")) == ("0.5", "0.25")
    assert code(widget) == "ActivationSlopes(x=0)"
    before = curves(widget)
    after(widget, lambda: widget.get_by_role("radio", name="relu", exact=True).click())
    assert curves(widget) != before
    assert figure(widget, "left") == "0"
    box = widget.locator(".as-slopes").bounding_box()
    assert box is not None
    mouse = notebook.page.mouse
    mouse.move(box["x"] + middle * box["width"], box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 40, steps=6)
    mouse.up()
    expect(widget.locator('[data-number="slope"]')).to_have_text("1")
    expect(widget.locator(".cnn-status")).to_contain_text("The whole gradient passes 10 layers.")


def test_slopes_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ActivationSlopes(kind='relu')")
    press = notebook.page.keyboard.press
    widget.get_by_role("radio", name="relu", exact=True).focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.get_by_role("radio", name="leaky relu")).to_be_checked()
    alpha = widget.get_by_label("α", exact=True)
    expect(alpha).to_be_visible()
    before = curves(widget)
    alpha.focus()
    after(widget, lambda: press("ArrowRight"))
    assert curves(widget) != before
    widget.get_by_label("x", exact=True).focus()
    after(widget, lambda: press("Home"))
    assert figure(widget, "slope") == "0.15"
    widget.get_by_label("layers", exact=True).focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".as-bar")).to_have_count(11)
    assert code(widget) == "ActivationSlopes(kind='leaky relu', x=-4, layers=11, alpha=0.15)"


def test_a_wrong_relu_is_drawn_and_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("ActivationSlopes(None, np.abs, kind='relu', x=-2)")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("✗ Your relu differs from the toolkit's")
    assert figure(widget, "value") == "2"
    right = notebook.run("ActivationSlopes(None, relu, kind='relu', x=-2)")
    assert figure(right, "value") == "0"
    expect(right.locator(".cnn-note.cnn-wrong")).to_have_count(0)


def test_the_slopes_line_of_python_restores_them(notebook: NotebookPage) -> None:
    widget = notebook.run("ActivationSlopes(kind='maxout')")
    after(widget, lambda: click_at(widget, widget.get_by_label("w₂"), 0.2, 0.5))
    again = notebook.run(code(widget))
    assert curves(again) == curves(widget)


# Signal by depth


def stds(widget: Locator) -> list[float]:
    words = [node.inner_text().removeprefix("std ").replace("−", "-") for node in widget.locator(".sd-std").all()]
    return [float(text.replace(",", "")) for text in words]


def bars(widget: Locator) -> str:
    return widget.locator(".sd-histogram").last.inner_html()


def test_the_gain_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("SignalDepth(activation_stds, relu)")
    before, at_first = stds(widget), bars(widget)
    assert len(before) == 10
    assert before[-1] < 0.1 * before[0]
    gain = widget.get_by_label("gain")
    after(widget, lambda: click_at(widget, gain, 0.34, 0.5))
    expect(gain).to_have_value("1.4")
    now = stds(widget)
    assert 0.5 < now[-1] / now[0] < 2
    assert bars(widget) != at_first
    after(widget, lambda: widget.get_by_role("radio", name="tanh").click())
    after(widget, lambda: widget.get_by_role("radio", name="50", exact=True).click())
    after(widget, widget.get_by_role("button", name="more seed").click)
    assert code(widget) == "SignalDepth(activation_stds, relu, activation='tanh', gain=1.4, width=50, seed=1)"


def test_the_gain_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("SignalDepth()")
    press = notebook.page.keyboard.press
    widget.get_by_label("gain").focus()
    line = widget.locator(".sd-line").get_attribute("points")
    after(widget, lambda: press("ArrowRight"))
    expect(widget.get_by_label("gain")).to_have_value("1.05")
    assert widget.locator(".sd-line").get_attribute("points") != line
    after(widget, lambda: press("End"))
    assert stds(widget)[-1] > 1000
    widget.get_by_role("radio", name="relu", exact=True).focus()
    after(widget, lambda: press("ArrowLeft"))
    expect(widget.get_by_role("radio", name="linear")).to_be_checked()


def test_wrong_functions_are_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("SignalDepth(lambda *given: activation_stds(*given) ** 2, relu)")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("✗ Your activation_stds differs from the toolkit's")
    widget = notebook.run("SignalDepth(activation_stds, np.abs)")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("✗ Your relu differs from the toolkit's")


# Both


@pytest.mark.parametrize("line", ["ActivationSlopes(kind='maxout')", "SignalDepth()"])
def test_nothing_is_cut_off_on_a_narrow_page(notebook: NotebookPage, line: str) -> None:
    check_nothing_is_cut_off_on_a_narrow_page(notebook, line)


def test_both_themes_are_followed_at_once(notebook: NotebookPage) -> None:
    slopes = notebook.run("ActivationSlopes()")
    depth = notebook.run("SignalDepth()")
    parts = [slopes.locator(".as-tick").first, depth.locator(".sd-tick").first]
    fill = "node => getComputedStyle(node).fill"
    light = [part.evaluate(fill) for part in parts]
    try:
        notebook.theme("dark")
        for part, before in zip(parts, light, strict=True):
            notebook.page.wait_for_function(
                "([node, old]) => getComputedStyle(node).fill !== old", arg=[part.element_handle(), before]
            )
    finally:
        notebook.theme("light")
