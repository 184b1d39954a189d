"""The widgets of 09 in a real JupyterLab: mouse, keyboard, buggy learners, both themes, narrow windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page, click_slider

SETUP = """
import numpy as np
from convnets.widgets import BatchnormHistograms, TrainEvalSwitch

def batchnorm_forward(x, weight, bias, running_mean, running_var, training=True):
    if training and len(x) < 2:
        raise ValueError("more than one example is needed")
    mean, var = (x.mean(axis=0), x.var(axis=0)) if training else (running_mean, running_var)
    return weight * (x - mean) / np.sqrt(var + 1e-5) + bias, running_mean, running_var

def forgets_to_centre(x, weight, bias, running_mean, running_var, training=True):
    return weight * x / np.sqrt(x.var(axis=0) + 1e-5) + bias, running_mean, running_var

def never_in_eval(x, weight, bias, running_mean, running_var, training=True):
    return batchnorm_forward(x, weight, bias, running_mean, running_var)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_09")


def code(widget: Locator) -> Locator:
    return widget.locator(".cnn-code")


def bars(widget: Locator, row: str) -> str:
    return widget.locator(f".bh-{row}").get_attribute("d") or ""


def words(widget: Locator, row: str) -> Locator:
    return widget.locator(f'[data-row="{row}"]')


def outputs(widget: Locator) -> list[float]:
    """Return where the outputs' dots stand, the marked one last."""
    return [float(x) for x in widget.locator(".te-out").evaluate_all("dots => dots.map((d) => d.getAttribute('cx'))")]


def test_the_input_moves_the_upper_histogram_only(notebook: NotebookPage) -> None:
    widget = notebook.run("BatchnormHistograms(batchnorm_forward)")
    upper, lower = bars(widget, "before"), bars(widget, "after")
    after(widget, lambda: click_slider(widget, "mean of x", 0.1))
    assert bars(widget, "before") != upper
    assert bars(widget, "after") == lower
    expect(words(widget, "after")).to_contain_text("mean 0.00, standard deviation 1.00")
    expect(words(widget, "after")).to_contain_text("of 400 logits in the flat part")


def test_scale_and_offset_move_the_lower_histogram_by_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("BatchnormHistograms(batchnorm_forward)")
    upper, lower = bars(widget, "before"), bars(widget, "after")
    widget.get_by_label("α (weight)", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowRight"))
    expect(code(widget)).to_contain_text("weight=1.1")
    widget.get_by_label("β (bias)", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("PageDown"))
    assert bars(widget, "before") == upper
    assert bars(widget, "after") != lower
    expect(words(widget, "after")).to_contain_text("standard deviation 1.10")
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_the_identity_button_and_the_way_back(notebook: NotebookPage) -> None:
    widget = notebook.run("BatchnormHistograms(batchnorm_forward, mean=-3, std=2)")
    after(widget, widget.get_by_role("button", name="α = √(std² + ε), β = mean").click)
    expect(widget.locator(".cnn-status")).to_contain_text("BN(x) = x")
    assert bars(widget, "before") == bars(widget, "after")
    after(widget, widget.get_by_role("button", name="α = 1, β = 0").click)
    assert bars(widget, "before") != bars(widget, "after")
    curve = widget.locator(".bh-activation").first.get_attribute("points")
    after(widget, lambda: widget.get_by_role("radio", name="ReLU").check(force=True))
    assert widget.locator(".bh-activation").first.get_attribute("points") != curve


def test_a_buggy_or_missing_forward_pass_is_seen(notebook: NotebookPage) -> None:
    right = bars(notebook.run("BatchnormHistograms(batchnorm_forward)"), "after")
    widget = notebook.run("BatchnormHistograms(forgets_to_centre)")
    expect(widget.locator(".bh-notes .cnn-wrong")).to_contain_text("Yours is drawn: mean")
    assert bars(widget, "after") != right
    missing = notebook.run("BatchnormHistograms()")
    expect(missing.locator(".cnn-note")).to_contain_text("batchnorm_forward is not written yet")
    assert bars(missing, "after") == right


def test_the_switch_is_moved_by_mouse_and_the_company_stops_to_matter(notebook: NotebookPage) -> None:
    widget = notebook.run("TrainEvalSwitch(batchnorm_forward)")
    expect(widget.locator(".te-key")).to_have_text("mean used")
    first = outputs(widget)
    after(widget, widget.get_by_role("button", name="more draw of the others").click)
    assert outputs(widget)[-1] != first[-1]
    after(widget, lambda: widget.get_by_role("radio", name="eval: running statistics").check(force=True))
    expect(widget.locator(".cnn-status")).to_contain_text("The company does not matter")
    marked = outputs(widget)[-1]
    after(widget, widget.get_by_role("button", name="more draw of the others").click)
    assert outputs(widget)[-1] == marked
    after(widget, lambda: click_slider(widget, "batches seen before", 0.02))
    assert outputs(widget)[-1] != marked


def test_small_batches_by_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("TrainEvalSwitch(batchnorm_forward, size=3)")
    widget.get_by_label("batch size", exact=True).focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    expect(widget.locator(".te-out")).to_have_count(2)
    middle = sum(outputs(widget)) / 2
    assert middle == pytest.approx(320, abs=0.1)  # −1 and +1, on both sides of 0
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    expect(widget.locator(".te-refused")).to_have_count(1)
    expect(widget.locator(".te-notes")).to_contain_text("PyTorch refuses it too")
    after(widget, lambda: widget.get_by_role("radio", name="eval: running statistics").check(force=True))
    expect(widget.locator(".te-refused")).to_have_count(0)


def test_a_layer_that_never_leaves_train_mode_is_seen(notebook: NotebookPage) -> None:
    widget = notebook.run('TrainEvalSwitch(never_in_eval, mode="eval")')
    expect(widget.locator(".te-notes .cnn-wrong")).to_contain_text("in eval mode; expected was")


@pytest.mark.parametrize("line", ["BatchnormHistograms(batchnorm_forward)", "TrainEvalSwitch(batchnorm_forward)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, line: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(line))
