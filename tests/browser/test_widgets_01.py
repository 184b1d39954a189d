"""The widgets of 01 in a real JupyterLab: handles dragged and moved by keys, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, pause

SETUP = """
import numpy as np
from convnets.widgets import Neuron, ReluSteps

def perceptron_predict(x, weight, bias):
    return np.where(x @ weight + bias >= 0, 1, -1)

def without_bias(x, weight, bias):
    return np.where(x @ weight >= 0, 1, -1)

def perceptron_fit(x, target, epochs):
    weight, bias, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        count = 0
        for example, label in zip(x, target):
            if (1 if example @ weight + bias >= 0 else -1) != label:
                weight, bias, count = weight + label * example, bias + label, count + 1
        mistakes.append(count)
        if count == 0:
            break
    return weight, bias, mistakes

def slopes_for_weights(knots, values):
    return np.diff(values) / np.diff(knots), values[0]
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_01")


def code(widget: Locator) -> Locator:
    return widget.locator(".cnn-code")


def drawn(widget: Locator) -> str:
    """All of the painted plane, to see whether it changed."""
    data: str = widget.locator(".nn-paint").evaluate("node => node.toDataURL()")
    return data


def drag(widget: Locator, handle: str, x: float, y: float) -> None:
    """Drag a handle to a place in the plane's own numbers, as a mouse does."""
    mouse = widget.page.mouse
    widget.locator(handle).scroll_into_view_if_needed()
    box = widget.locator(".nn-board").bounding_box()
    start = widget.locator(f"{handle} .nn-reach").bounding_box()
    assert box is not None
    assert start is not None
    mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] * (x + 3) / 6, box["y"] + box["height"] * (3 - y) / 6, steps=6)
    mouse.up()


def test_the_weights_are_dragged_and_the_plane_is_painted_anew(notebook: NotebookPage) -> None:
    widget = notebook.run("Neuron(perceptron_predict, perceptron_fit)")
    before = drawn(widget)
    expect(widget.locator(".nn-wrong")).to_have_count(9)
    drag(widget, ".nn-tip", 1.2, 1.5)
    # The place where the mouse let go, to within a pixel.
    expect(widget.locator(".nn-weight").first).to_have_text("1.20")
    expect(widget.locator(".nn-weight").nth(1)).to_have_text("1.50")
    assert drawn(widget) != before
    drag(widget, ".nn-foot", 0.3, 0.4)
    expect(widget.locator(".nn-wrong")).to_have_count(0)
    expect(widget.locator(".cnn-status")).to_contain_text("0 of 24 points on the wrong side. Margin γ =")
    expect(widget.get_by_role("button", name="the perceptron's update")).to_be_disabled()


def test_handles_and_sliders_follow_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("Neuron(perceptron_predict, weight=[1, 1], bias=0)")
    press = notebook.page.keyboard.press
    widget.locator(".nn-tip").focus()
    after(widget, lambda: press("ArrowRight"))
    after(widget, lambda: press("ArrowDown"))
    expect(code(widget)).to_contain_text("weight=[1.1, 0.9], bias=0")
    widget.locator(".nn-foot").focus()
    after(widget, lambda: press("ArrowUp"))
    expect(code(widget)).to_contain_text("bias=0.1")
    widget.get_by_label("w₁", exact=True).focus()
    after(widget, lambda: press("ArrowLeft"))
    expect(code(widget)).to_contain_text("weight=[1.05, 0.9]")
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_a_click_shows_a_points_sum(notebook: NotebookPage) -> None:
    widget = notebook.run("Neuron(perceptron_predict, weight=[2, -1], bias=0.5)")
    after(widget, lambda: widget.locator('[data-point="7"]').click())
    expect(widget.locator(".nn-caption")).to_contain_text("point 7")
    x1, x2 = notebook.output_text(
        "from convnets.widgets.neuron import make_points; print(*make_points('apart')[0][7])"
    ).split()
    total = 2 * float(x1) - float(x2) + 0.5
    expect(widget.locator(".nn-formula")).to_contain_text(f"= {total:.3g}".replace("-", "−"))


def test_the_learners_perceptron_finds_the_line(notebook: NotebookPage) -> None:
    widget = notebook.run("Neuron(perceptron_predict, perceptron_fit)")
    after(widget, widget.get_by_role("button", name="Run my perceptron_fit").click)
    expect(widget.locator(".nn-wrong")).to_have_count(0)
    expect(widget.locator(".cnn-status")).to_contain_text("Your perceptron_fit made")
    after(widget, lambda: widget.get_by_role("radio", name="XOR").click())
    after(widget, widget.get_by_role("button", name="Run my perceptron_fit").click)
    expect(widget.locator(".cnn-status")).to_contain_text("the last of them was not free of mistakes")
    after(widget, widget.get_by_role("button", name="Reset").click)
    after(widget, widget.get_by_role("button", name="the perceptron's update").click)
    expect(widget.locator(".cnn-status")).to_contain_text("1 update since the weights were moved by hand")


def test_a_buggy_or_missing_prediction_is_seen(notebook: NotebookPage) -> None:
    right = drawn(notebook.run("Neuron(perceptron_predict)"))
    widget = notebook.run("Neuron(without_bias)")
    expect(widget.locator(".nn-notes .cnn-wrong")).to_contain_text("Your perceptron_predict gives")
    assert drawn(widget) != right
    missing = notebook.run("Neuron()")
    expect(missing.locator(".cnn-note")).to_contain_text("perceptron_predict is not written yet")
    assert drawn(missing) == right


def points(widget: Locator, curve: str) -> str:
    return widget.locator(curve).get_attribute("points") or ""


def test_relu_steps_follow_mouse_and_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ReluSteps()")
    expect(widget.locator(".rs-bend")).to_have_count(6)
    before = points(widget, ".rs-curve")
    widget.get_by_label("hidden units n", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".rs-bend")).to_have_count(7)
    assert points(widget, ".rs-curve") != before
    box = widget.get_by_label("switched on", exact=True).bounding_box()
    assert box is not None
    after(widget, lambda: notebook.page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2))
    expect(widget.locator(".rs-bend")).to_have_count(0)
    expect(widget.locator(".cnn-status")).to_contain_text("0 of 7 units are switched on")
    wanted = points(widget, ".rs-wanted")
    after(widget, lambda: widget.get_by_role("radio", name="jump").click())
    assert points(widget, ".rs-wanted") != wanted
    expect(widget.locator(".rs-bend")).to_have_count(7)


def test_relu_steps_train_and_go_back(notebook: NotebookPage) -> None:
    widget = notebook.run("ReluSteps(units=8)")
    built = points(widget, ".rs-curve")
    widget.get_by_role("button", name="Train").click()
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    expect(widget.locator('[data-number="built_error"]')).to_be_visible()
    pause(widget)
    assert points(widget, ".rs-curve") != built
    expect(widget.locator(".cnn-status")).to_contain_text("Built by hand, as many units have")
    after(widget, widget.get_by_role("button", name="Build by hand").click)
    assert points(widget, ".rs-curve") == built


def test_relu_steps_show_a_buggy_function(notebook: NotebookPage) -> None:
    right = points(notebook.run("ReluSteps()"), ".rs-curve")
    widget = notebook.run("ReluSteps(slopes_for_weights)")
    expect(widget.locator(".rs-notes .cnn-wrong")).to_contain_text("With your weights the curve has")
    assert points(widget, ".rs-curve") != right


@pytest.mark.parametrize("line", ["Neuron(perceptron_predict)", "ReluSteps(units=20)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))


def test_the_painting_follows_the_theme(notebook: NotebookPage) -> None:
    widget = notebook.run("Neuron(perceptron_predict)")
    light = drawn(widget)
    try:
        notebook.theme("dark")
        widget.page.wait_for_function(
            "([node, before]) => node.toDataURL() !== before",
            arg=[widget.locator(".nn-paint").element_handle(), light],
        )
    finally:
        notebook.theme("light")
