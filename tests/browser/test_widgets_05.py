"""The widgets of 05 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
import numpy as np
from convnets.widgets import KernelPainter, SlidingKernel

photo = np.random.default_rng(5).integers(0, 256, (60, 80)).astype(float)

def flipped(image, kernel, stride=1, padding=0):
    x, k = np.pad(image, padding), kernel[::-1, ::-1]
    starts = [range(0, size - side + 1, stride) for size, side in zip(x.shape, k.shape)]
    return np.array([[(x[i : i + len(k), j : j + len(k)] * k).sum() for j in starts[1]] for i in starts[0]])
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_05")


def output(widget: Locator) -> str:
    """The output grid's numbers, cells not yet reached as a dot."""
    return " ".join(widget.locator(".sk-output .sk-cell").all_inner_texts())


def test_sliding_kernel_follows_the_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel()")
    assert output(widget) == "2 · · · · · · · ·"
    after(widget, widget.get_by_role("button", name="Step").click)
    assert output(widget) == "2 −1 · · · · · · ·"
    after(widget, lambda: click_slider(widget, "padding", 0.34))
    expect(widget.locator(".sk-formula")).to_contain_text("(5 − 3 + 2·1)/1 + 1 = 5")
    assert widget.locator(".sk-output .sk-cell").count() == 25
    assert widget.locator(".sk-field .sk-cell").count() == 49
    after(widget, lambda: widget.locator(".sk-output .sk-cell").nth(24).click())
    # The 5×5 output of the practice example with padding 1: its middle is the lecture's 3×3.
    assert output(widget).split()[6:9] == ["2", "−1", "2"]
    assert output(widget).split()[16:19] == ["0", "5", "−2"]
    expect(widget.locator(".cnn-code")).to_have_text("SlidingKernel(padding=1, position=(4, 4))")


def test_sliding_kernel_follows_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel()")
    press = notebook.page.keyboard.press
    widget.get_by_label("stride", exact=True).focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".sk-formula")).to_contain_text("(5 − 3 + 2·0)/2 + 1 = 2")
    widget.locator(".sk-output").focus()
    after(widget, lambda: press("ArrowDown"))
    after(widget, lambda: press("ArrowRight"))
    assert output(widget) == "2 2 0 −2"
    expect(widget.locator(".cnn-status")).to_contain_text("output[1, 1] = −2: the window covers rows 2–4")
    expect(widget.locator(".sk-sum")).to_contain_text("= −2")
    after(widget, lambda: press("ArrowUp"))
    assert output(widget) == "2 2 · ·"
    after(widget, lambda: press("Home"))
    assert output(widget) == "2 · · ·"
    # JupyterLab's own shortcuts must not see these keys: its selected cell is still the last one.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"
    assert widget.locator(".sk-output").evaluate("node => node === document.activeElement")


def test_every_control_is_reached_by_tab_and_named(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel()")
    widget.get_by_role("radio", name="cross-correlation").focus()
    names = []
    for _ in range(20):
        names.append(
            widget.page.evaluate(
                "() => { const n = document.activeElement;"
                " return n.getAttribute('aria-label') || n.labels?.[0]?.innerText || n.innerText; }"
            )
        )
        notebook.page.keyboard.press("Tab")
    controls = ["cross-correlation", "▶ Play", "Step", "Reset", "input size", "kernel size", "stride", "padding"]
    assert names[:8] == controls
    assert "weight in row 0, column 0" in names
    assert "output, 3 rows, 3 columns; the arrow keys move the window" in names
    assert names[-1] == "this state as Python"


def test_sliding_kernel_says_cannot_fit_in_words(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel(image=7, stride=2)")
    widget.get_by_label("stride", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".sk-formula")).to_contain_text("(7 − 3 + 2·0)/3 + 1 = 2.33: cannot fit")
    expect(widget.locator(".sk-no-output")).to_be_visible()
    expect(widget.locator(".sk-output")).to_be_hidden()
    expect(widget.get_by_role("button", name="Play")).to_be_disabled()
    red, green, blue = widget.locator(".sk-formula code").evaluate(
        """node => {
          const canvas = new OffscreenCanvas(1, 1).getContext("2d");
          canvas.fillStyle = getComputedStyle(node).color;
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    assert red > 2 * max(green, blue)
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    expect(widget.locator(".sk-output")).to_be_visible()


def test_sliding_kernel_plays_to_the_end_and_stops(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel(stride=2)")
    widget.get_by_role("button", name="Play").click()
    expect(widget.get_by_role("button", name="Pause")).to_be_visible()
    expect(widget.locator(".sk-output .sk-shown")).to_have_count(4)
    expect(widget.get_by_role("button", name="Play")).to_be_visible()
    assert output(widget) == "2 2 0 −2"
    after(widget, widget.get_by_role("button", name="Reset").click)
    assert output(widget) == "2 · · ·"


def test_sliding_kernel_transposed(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel(stride=2)")
    after(widget, lambda: widget.get_by_role("radio", name="transposed").click())
    expect(widget.locator(".sk-formula")).to_contain_text("(5 − 1)·2 − 2·0 + 1·(3 − 1) + 1 = 11")
    assert widget.locator(".sk-output .sk-cell").count() == 121
    assert widget.locator(".sk-field .sk-input").count() == 25


def test_a_weight_typed_into_the_kernel_changes_the_sum(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel()")
    widget.get_by_label("weight in row 0, column 0").fill("4")
    expect(widget.locator(".sk-sum")).to_contain_text("= 5")
    assert output(widget).startswith("5 ")
    notebook.page.keyboard.press("ArrowRight")
    assert widget.get_by_label("weight in row 0, column 1").evaluate("node => node === document.activeElement")


def test_a_buggy_function_is_seen_in_both_widgets(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel(flipped)")
    expect(widget.locator(".sk-notes .cnn-wrong")).to_contain_text("Your cross_correlate2d differs from the sum in")
    expect(widget.locator(".sk-output .sk-wrong")).to_have_count(1)
    painter = notebook.run('KernelPainter(flipped, photo, preset="sobel_x")')
    expect(painter.locator(".kp-notes .cnn-wrong")).to_contain_text("differs from the sum in")
    after(painter, lambda: painter.get_by_role("radio", name="box mean").click())
    expect(painter.locator(".kp-notes .cnn-wrong")).to_have_count(0)


def test_a_function_not_written_yet_is_said(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel()")
    expect(widget.locator(".cnn-note")).to_contain_text("cross_correlate2d and output_size are not written yet")


def test_the_line_of_code_is_copied_and_restores_the_state(notebook: NotebookPage) -> None:
    widget = notebook.run("SlidingKernel(padding=1, dilation=2, position=(1, 1))")
    shown = output(widget)
    widget.get_by_role("button", name="copy this line of Python").click()
    expect(widget.get_by_text("Copied")).to_be_visible()
    code = notebook.page.evaluate("navigator.clipboard.readText()")
    assert output(notebook.run(code)) == shown


def grey_values(widget: Locator) -> list[int]:
    """The grey values of the result's canvas."""
    values: list[int] = widget.locator(".kp-result canvas").evaluate(
        """node => {
          const { data } = node.getContext("2d").getImageData(0, 0, node.width, node.height);
          return [...data].filter((_, index) => index % 4 === 0);
        }"""
    )
    return values


def test_kernel_painter_by_mouse_and_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("KernelPainter(None, photo)")
    edges = grey_values(widget)
    after(widget, lambda: widget.get_by_role("radio", name="identity").click())
    same = grey_values(widget)
    assert same != edges
    crop = notebook.output_text("print(*photo[1:-1, 1:-1].astype(int).ravel())")
    assert same == [int(value) for value in crop.split()]
    # By mouse: choose a brush, drag it over two cells.
    after(widget, lambda: widget.get_by_role("radio", name="2", exact=True).click())
    first, second = (widget.get_by_label(f"weight in row 0, column {column}") for column in (0, 1))
    first.hover()
    notebook.page.mouse.down()
    second.hover()
    notebook.page.mouse.up()
    expect(second).to_have_value("2")
    expect(first).to_have_value("2")
    expect(widget.locator(".kp-words")).to_contain_text("sum of the weights 5 brightens")
    # By keyboard: back to the identity by typing.
    first.focus()
    notebook.page.keyboard.type("0")
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.keyboard.type("0")
    expect(widget.locator(".kp-words")).to_contain_text("sum of the weights 1 keeps brightness")
    expect(widget.get_by_role("radio", name="identity")).to_be_checked()
    assert grey_values(widget) == same


def test_kernel_painter_divides_and_resizes(notebook: NotebookPage) -> None:
    widget = notebook.run("KernelPainter(None, photo, kernel=np.ones((3, 3)))")
    expect(widget.locator(".kp-words")).to_contain_text("sum of the weights 9")
    widget.get_by_label("divided by", exact=True).fill("9")
    after(widget, lambda: notebook.page.keyboard.press("Enter"))
    expect(widget.get_by_role("radio", name="box mean")).to_be_checked()
    after(widget, lambda: widget.get_by_role("radio", name="5 × 5").click())
    assert widget.locator(".cnn-number-grid input").count() == 25
    expect(widget.locator(".kp-words")).to_contain_text("sum of the weights 1 ")


@pytest.mark.parametrize("code", ["SlidingKernel(image=9, kernel=5, padding=3)", "KernelPainter(None, photo)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code), "*")
