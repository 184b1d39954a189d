"""The widgets of 07 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage, turn_of
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page

SETUP = """
import numpy as np
import torch
from convnets.widgets import PoolingStepper, ReceptiveFieldPainter

def max_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    pool = torch.nn.functional.max_pool2d
    return pool(torch.tensor(x), kernel_size, stride, padding, ceil_mode=ceil_mode).numpy()

def first_row_only(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    grad = np.zeros_like(x)
    grad[0, 0, 0, 0] = grad_output.sum()
    return grad

def adds_kernels(layers):
    return sum(kernel for kernel, *_ in layers)

def jump_and_start(layers):
    return 1, 0
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_07")


def texts(widget: Locator, grid: str) -> list[str]:
    """The cells of one of the stepper's grids, in reading order."""
    return widget.locator(f".ps-{grid} .ps-cell").all_inner_texts()


def paths(widget: Locator, row: int) -> list[int]:
    """How many paths lead from each unit of a map of the painter."""
    nodes = widget.locator(f'.rf-unit[data-row="{row}"]')
    return nodes.evaluate_all("nodes => nodes.map((node) => Number(node.dataset.paths))")


def unit(widget: Locator, row: int, index: int) -> Locator:
    return widget.locator(f'.rf-unit[data-row="{row}"][data-index="{index}"]')


def test_the_stepper_walks_by_button_and_fills_the_gradient(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper(max_pool2d, size=4, kernel=2)")
    assert texts(widget, "y") == ["6", "8", "3", "4"]
    assert texts(widget, "grad_x") == [*"00000", "1", *"0000000000"]
    step = widget.get_by_role("button", name="Step")
    for _ in range(3):
        after(widget, step.click)
    assert texts(widget, "grad_x") == ["0", "0", "0", "0", "0", "1", "0", "2", "3", "0", "0", "0", "0", "0", "0", "4"]
    expect(step).to_be_disabled()
    after(widget, widget.get_by_role("button", name="Reset").click)
    expect(widget.locator(".cnn-status")).to_contain_text("Window 1 of 4")
    expect(widget.locator(".cnn-note")).to_contain_text("max_pool2d_backward is not written yet")


def test_the_stepper_plays_to_the_end_by_itself(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper()")
    widget.get_by_role("button", name="Play").click()
    expect(widget.locator(".cnn-status")).to_contain_text("Window 4 of 4")
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    assert texts(widget, "grad_x")[22] == "7"


def test_a_click_and_the_arrow_keys_choose_the_window(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper()")
    after(widget, widget.locator('.ps-y .ps-cell[data-row="1"][data-column="0"]').click)
    expect(widget.locator(".cnn-status")).to_contain_text("y[1, 0] = max(3, 2, 1, 1, 2, 3, 2, 0, 9) = 9")
    widget.locator(".ps-y").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".cnn-status")).to_contain_text("y[1, 1] =")
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    expect(widget.locator(".cnn-status")).to_contain_text("y[0, 0] =")
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_average_with_padding_counted_or_not(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper(kernel=2, stride=1, padding=1, size=4)")
    after(widget, widget.get_by_role("radio", name="average").click)
    assert texts(widget, "y")[0] == "0.25"
    expect(widget.get_by_label("padding counts")).to_be_checked()
    widget.get_by_label("padding counts").focus()
    after(widget, lambda: notebook.page.keyboard.press("Space"))
    assert texts(widget, "y")[0] == "1"
    expect(widget.locator(".cnn-code")).to_contain_text("count_include_pad=False")


def test_sliders_change_the_sizes_and_ceil_mode_adds_windows(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper(size=4)")
    assert len(texts(widget, "y")) == 1
    after(widget, widget.get_by_label("ceil mode").click)
    assert len(texts(widget, "y")) == 4
    widget.get_by_label("stride", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    expect(widget.locator(".cnn-code")).to_contain_text("stride=1, ceil_mode=True")
    assert len(texts(widget, "y")) == 4
    widget.get_by_label("padding", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("End"))
    expect(widget.get_by_role("alert")).to_contain_text("padding is at most half the kernel, 1")


def test_a_buggy_gradient_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("PoolingStepper(max_pool2d, first_row_only)")
    expect(widget.locator(".ps-notes .cnn-wrong")).to_contain_text("In grad_x your first_row_only is wrong in 2 cells")
    assert widget.locator(".ps-grad_x .ps-wrong").count() == 2
    assert widget.locator(".ps-y .ps-wrong").count() == 0


def test_the_painter_opens_with_the_lectures_field(notebook: NotebookPage) -> None:
    widget = notebook.run("ReceptiveFieldPainter()")
    assert [paths(widget, row) for row in (0, 1, 2)] == [[0, 1, 2, 3, 2, 1, 0], [0, 1, 1, 1, 0], [0, 1, 0]]
    expect(widget.locator(".rf-bracket-words")).to_have_text("pixels 1 to 5")
    expect(widget.locator(".cnn-note")).to_contain_text("receptive_field and jump_and_start are not written yet")


def test_the_painter_follows_the_mouse_and_the_arrow_keys(notebook: NotebookPage) -> None:
    widget = notebook.run("ReceptiveFieldPainter()")
    after(widget, unit(widget, 2, 2).click)
    assert paths(widget, 0) == [0, 0, 1, 2, 3, 2, 1]
    after(widget, unit(widget, 1, 0).click)
    assert paths(widget, 0) == [1, 1, 1, 0, 0, 0, 0]
    widget.locator(".rf-picture").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert paths(widget, 0) == [0, 1, 1, 1, 0, 0, 0]
    after(widget, lambda: notebook.page.keyboard.press("ArrowUp"))
    assert paths(widget, 0) == [1, 2, 3, 2, 1, 0, 0]
    # The pixels rest on nothing: a click changes nothing.
    turn = turn_of(widget)
    unit(widget, 0, 3).click()
    notebook.page.wait_for_timeout(300)
    assert turn_of(widget) == turn


def test_nets_layers_and_sliders(notebook: NotebookPage) -> None:
    widget = notebook.run("ReceptiveFieldPainter()")
    after(widget, widget.get_by_role("radio", name="LeNet-5").click)
    assert len(paths(widget, 0)) == 32
    assert all(paths(widget, 0))
    after(widget, widget.get_by_role("radio", name="two 3 × 3").click)
    widget.get_by_label("stride", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    assert paths(widget, 0) == [1, 1, 2, 1, 2, 1, 1]
    after(widget, widget.get_by_role("button", name="add a layer at the top").click)
    assert len(widget.locator(".rf-layers button").all()) == 3
    after(widget, widget.get_by_role("button", name="1: 3×3 /2").click)
    expect(widget.get_by_label("stride", exact=True)).to_have_value("2")
    box = widget.get_by_label("kernel size", exact=True).bounding_box()
    assert box is not None
    after(widget, lambda: notebook.page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2))
    expect(widget.get_by_role("alert")).to_contain_text("does not fit")
    expect(widget.get_by_label("kernel size", exact=True)).to_have_value("3")


def test_a_wrong_formula_draws_a_red_bracket(notebook: NotebookPage) -> None:
    widget = notebook.run("ReceptiveFieldPainter(adds_kernels, jump_and_start)")
    expect(widget.locator(".rf-bracket-words")).to_have_text("✗ pixels 1 to 6")
    expect(widget.locator(".rf-notes .cnn-wrong")).to_contain_text("Your functions say pixels 1 to 6")


@pytest.mark.parametrize(
    "code",
    [
        "PoolingStepper()",
        "PoolingStepper(kind='avg', size=6, kernel=4, stride=1, padding=2)",
        "ReceptiveFieldPainter()",
        "ReceptiveFieldPainter(layers=[(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1)], pixels=48, unit=(3, 0))",
    ],
)
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code), ".cnn-stage, .cnn-stage *")
