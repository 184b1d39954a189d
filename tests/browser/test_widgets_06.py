"""The widget of 06 in a real JupyterLab: cells by mouse and by keyboard, a buggy learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage, turn_of
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page

SETUP = """
import numpy as np
import torch
from convnets.widgets import ConvolutionTerms

def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    tensors = map(torch.tensor, (x, weight, bias))
    return torch.nn.functional.conv2d(*tensors, stride=stride, padding=padding, dilation=dilation).numpy()

def turned(grad_output, x, weight, stride=1, padding=0, dilation=1):
    inputs = [torch.tensor(v, requires_grad=True) for v in (x, weight[:, :, ::-1, ::-1].copy(), np.zeros(len(weight)))]
    y = torch.nn.functional.conv2d(*inputs, stride=stride, padding=padding, dilation=dilation)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, inputs, torch.tensor(grad_output)))
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_06")


def cell(widget: Locator, grid: str, row: int, column: int) -> Locator:
    """One cell of a grid."""
    return widget.locator(f'.ct-panel-{grid} .ct-cell[data-row="{row}"][data-column="{column}"]')


def marked(widget: Locator, grid: str) -> list[str]:
    """The cells of a grid that take part, as "row column: numbers of the terms"."""
    return widget.locator(f".ct-panel-{grid} .ct-used").evaluate_all(
        "nodes => nodes.map((n) => `${n.dataset.row} ${n.dataset.column}: ${n.dataset.terms}`)"
    )


def test_it_opens_with_the_lectures_two_terms(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms(conv2d)")
    expect(widget.locator(".ct-sum")).to_contain_text("∂L/∂x₁₂ = ∂L/∂y₁₁·w₁₂ + ∂L/∂y₁₂·w₁₁")
    assert marked(widget, "grad_output") == ["0 0: 1", "0 1: 2"]
    assert marked(widget, "weight") == ["0 0: 2", "0 1: 1"]
    expect(widget.locator(".cnn-note")).to_contain_text("conv2d_backward is not written yet")


def test_the_mouse_points_at_cells_of_every_framed_grid(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms()")
    after(widget, cell(widget, "grad_x", 1, 1).hover)
    expect(widget.locator(".ct-sum")).to_contain_text("∂L/∂y₁₁·w₂₂ + ∂L/∂y₁₂·w₂₁ + ∂L/∂y₂₁·w₁₂ + ∂L/∂y₂₂·w₁₁")
    after(widget, cell(widget, "y", 0, 1).hover)
    expect(widget.locator(".cnn-status")).to_contain_text("y[0, 1] =")
    assert len(marked(widget, "x")) == 9
    assert len(marked(widget, "weight")) == 9
    after(widget, cell(widget, "grad_weight", 2, 0).hover)
    assert marked(widget, "x") == ["2 0: 1", "2 1: 2", "3 0: 3", "3 1: 4"]
    after(widget, cell(widget, "grad_bias", 0, 0).hover)
    expect(widget.locator(".ct-sum")).to_contain_text("∂L/∂b = ∂L/∂y₁₁ + ∂L/∂y₁₂ + ∂L/∂y₂₁ + ∂L/∂y₂₂")
    # A cell of a grid that is only looked at changes nothing.
    turn = turn_of(widget)
    cell(widget, "x", 0, 0).hover()
    notebook.page.wait_for_timeout(300)
    assert turn_of(widget) == turn


def test_the_keyboard_reaches_every_framed_grid(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms()")
    press = notebook.page.keyboard.press
    notebook.page.mouse.move(0, 0)
    widget.get_by_label("dilation", exact=True).focus()
    after(widget, lambda: press("Tab"))
    expect(widget.locator(".cnn-status")).to_contain_text("y[0, 0] =")
    after(widget, lambda: press("Tab"))
    expect(widget.locator(".cnn-status")).to_contain_text("grad_x[0, 0] =")
    after(widget, lambda: press("ArrowDown"))
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".cnn-status")).to_contain_text("grad_x[1, 1] =")
    expect(cell(widget, "grad_x", 1, 1)).to_have_class("ct-cell ct-here")
    after(widget, lambda: press("Home"))
    expect(widget.locator(".cnn-status")).to_contain_text("grad_x[0, 0] =")
    after(widget, lambda: press("Tab"))
    expect(widget.locator(".cnn-status")).to_contain_text("grad_weight[0, 0] =")
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_controls_change_the_sizes_by_mouse_and_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms(cell=(3, 3))")
    widget.get_by_label("stride", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert widget.locator(".ct-panel-y .ct-cell").count() == 1
    expect(widget.locator(".cnn-status")).to_have_text("grad_x[3, 3] = 0: no product contains this entry.")
    box = widget.get_by_label("padding", exact=True).bounding_box()
    assert box is not None
    after(widget, lambda: notebook.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    assert widget.locator(".ct-panel-y .ct-cell").count() == 4
    expect(widget.locator(".cnn-code")).to_contain_text("ConvolutionTerms(stride=2, padding=1")


def test_a_kernel_that_does_not_fit_is_said_and_the_control_goes_back(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms(size=3)")
    dilation = widget.get_by_label("dilation", exact=True)
    dilation.focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.get_by_role("alert")).to_contain_text("No window fits: the kernel spans 5 pixels")
    expect(dilation).to_have_value("1")


def test_a_buggy_gradient_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("ConvolutionTerms(conv2d, turned)")
    expect(widget.locator(".ct-notes .cnn-wrong")).to_contain_text("In grad_x your turned differs")
    assert widget.locator(".ct-panel-grad_x .ct-wrong").count() > 0
    assert widget.locator(".ct-panel-y .ct-wrong").count() == 0


@pytest.mark.parametrize(
    "code", ["ConvolutionTerms()", "ConvolutionTerms(size=6, kernel=4, padding=2, target='y', cell=(3, 3))"]
)
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code), "*")
