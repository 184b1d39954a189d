"""The widgets of 16 in a real JupyterLab: mouse, keyboard, buggy learners, both themes, narrow windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
import os
os.environ["CONVNETS_FAST"] = "1"  # the two nets of the overlay are trained for a moment only
import numpy as np
import torch
from convnets.widgets import SegmentationOverlay, UpconvolutionStepper

def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    up = torch.nn.functional.conv_transpose2d
    return up(torch.tensor(x), torch.tensor(weight), None, stride, padding, output_padding, 1, dilation).numpy()

def overwrites(*args, **options):
    return np.minimum(conv_transpose2d(*args, **options), 1)

def iou(predicted, labels, classes):
    return np.array([((predicted == c) & (labels == c)).sum() / ((predicted == c) | (labels == c)).sum()
                     for c in range(classes)])
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_16")


def texts(widget: Locator) -> list[str]:
    """The cells of the stepper's output, in reading order."""
    return widget.locator(".us-y .us-cell").all_inner_texts()


def pixels(widget: Locator) -> str:
    """Return the overlay as a data URL."""
    return str(widget.locator("canvas.so-over").evaluate("canvas => canvas.toDataURL()"))


def test_stamps_add_up_to_a_checkerboard(notebook: NotebookPage) -> None:
    widget = notebook.run("UpconvolutionStepper(conv_transpose2d, size=2)")
    assert sum(map(int, texts(widget))) == 9
    after(widget, widget.get_by_role("button", name="Step").click)
    assert sum(map(int, texts(widget))) == 18
    after(widget, widget.get_by_role("button", name="all stamps").click)
    assert texts(widget)[12] == "4"
    expect(widget.get_by_role("button", name="Step")).to_be_disabled()
    expect(widget.locator(".us-overlap")).to_contain_text("1 to 4 stamps: a checkerboard")
    after(widget, lambda: click_slider(widget, "kernel size", 0.02))
    expect(widget.locator(".us-overlap")).to_contain_text("1 stamp: an even picture")


def test_the_stepper_by_keys_and_by_clicks(notebook: NotebookPage) -> None:
    widget = notebook.run("UpconvolutionStepper(conv_transpose2d)")
    widget.locator(".us-x").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowDown"))
    expect(widget.locator(".cnn-status")).to_contain_text("Stamp 4 of 9")
    after(widget, lambda: notebook.page.keyboard.press("End"))
    expect(widget.locator(".cnn-status")).to_contain_text("Stamp 9 of 9")
    after(widget, widget.locator('.us-x .us-cell[data-row="0"][data-column="1"]').click)
    expect(widget.locator(".cnn-code")).to_contain_text("position=[0, 1]")
    widget.get_by_label("padding", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(widget.locator(".us-cut")).to_have_count(24)
    expect(widget.locator(".us-kept")).to_have_count(25)


def test_the_stepper_plays_to_the_end_by_itself(notebook: NotebookPage) -> None:
    widget = notebook.run("UpconvolutionStepper(size=2)")
    widget.get_by_role("button", name="Play").click()
    expect(widget.locator(".cnn-status")).to_contain_text("Stamp 4 of 4")
    expect(widget.locator(".cnn-note")).to_contain_text("conv_transpose2d is not written yet")


def test_a_function_that_overwrites_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("UpconvolutionStepper(overwrites, position=(2, 2))")
    expect(widget.locator(".us-wrong")).to_have_count(24)
    expect(widget.locator(".cnn-wrong")).to_contain_text("Your overwrites is wrong in 24 cells")


def test_the_overlay_shows_another_scene_net_and_layer(notebook: NotebookPage) -> None:
    widget = notebook.run("SegmentationOverlay(None, iou)")
    first = pixels(widget)
    expect(widget.locator(".cnn-note")).to_contain_text("Your UNet is not written yet")
    after(widget, widget.get_by_role("button", name="more scene").click)
    second = pixels(widget)
    assert second != first
    expect(widget.locator(".cnn-status")).to_contain_text("Scene 2")
    after(widget, lambda: widget.get_by_role("radio", name="truth").check(force=True))
    truth = pixels(widget)
    assert truth != second
    after(widget, lambda: widget.get_by_role("radio", name="without").check(force=True))
    assert pixels(widget) == truth
    expect(widget.locator(".cnn-status")).to_contain_text("without skips")
    after(widget, lambda: widget.get_by_role("radio", name="probability").check(force=True))
    assert pixels(widget) != truth


def test_the_threshold_by_mouse_and_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run('SegmentationOverlay(None, iou, layer="mask")')
    after(widget, lambda: click_slider(widget, "threshold", 0.02))
    everything = pixels(widget)
    expect(widget.locator(".cnn-code")).to_contain_text("threshold=0.05")
    widget.get_by_label("threshold", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("End"))
    assert pixels(widget) != everything
    expect(widget.locator(".cnn-code")).to_contain_text("threshold=0.95")


@pytest.mark.parametrize(
    "code", ["UpconvolutionStepper(conv_transpose2d, size=4, kernel=5, stride=3)", "SegmentationOverlay(None, iou)"]
)
def test_words_stand_out_in_both_themes_and_fit_a_narrow_page(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code))
