"""The widgets of 11 in a real JupyterLab: controls by mouse and by keyboard, a buggy learner, both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_words_in_both_themes_and_on_a_narrow_page

SETUP = """
from convnets.models import specs
from convnets.widgets import ArchitectureCalculator, ImagenetWinners

def without_biases(spec):
    return [{**row, "biases": 0} for row in specs.layer_table(spec)]
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_11")


def total(widget: Locator, name: str) -> str:
    """A sum under the calculator's table."""
    return widget.locator(f'[data-total="{name}"]').inner_text()


def rows(widget: Locator) -> list[str]:
    """The shapes in the calculator's table."""
    return widget.locator(".ac-shape").all_inner_texts()


def detail(widget: Locator, name: str) -> str:
    """A fact about the bar that is pointed at."""
    return widget.locator(f'[data-detail="{name}"]').inner_text()


def test_the_calculator_opens_with_vgg_16_and_changes_network(notebook: NotebookPage) -> None:
    widget = notebook.run("ArchitectureCalculator(specs.layer_table)")
    assert total(widget, "parameters") == "138,357,544"
    assert len(rows(widget)) == 22
    after(widget, widget.get_by_role("radio", name="LeNet-5").click)
    assert total(widget, "parameters") == "61,706"
    assert rows(widget)[:3] == ["1 × 32 × 32", "6 × 28 × 28", "6 × 14 × 14"]
    expect(widget.locator(".cnn-note")).to_have_count(0)


def test_a_layer_is_chosen_and_changed_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("ArchitectureCalculator(specs.layer_table, network='LeNet-5')")
    after(widget, widget.locator(".ac-name").nth(3).click)
    expect(widget.locator(".ac-chosen")).to_have_text("Row 3: conv 16 · 5×5")
    after(widget, widget.get_by_role("button", name="twice as many").click)
    assert rows(widget)[3] == "32 × 10 × 10"
    assert total(widget, "parameters") == f"{61_706 + 16 * 151 + 400 * 120:,}"
    expect(widget.locator(".ac-row.ac-changed")).to_have_count(1)
    expect(widget.locator(".cnn-code")).to_contain_text("changes=[[3, 'filters', 32]]")
    after(widget, widget.get_by_role("button", name="As published").click)
    assert total(widget, "parameters") == "61,706"


def test_the_arrow_keys_choose_a_row_and_typing_changes_it(notebook: NotebookPage) -> None:
    widget = notebook.run("ArchitectureCalculator(network='AlexNet')")
    keyboard = notebook.page.keyboard
    widget.locator(".ac-name").nth(1).focus()
    after(widget, lambda: keyboard.press("ArrowUp"))
    expect(widget.locator(".ac-name").nth(0)).to_be_focused()
    side = widget.get_by_label("side", exact=True)
    side.fill("224")
    after(widget, lambda: side.press("Enter"))
    expect(widget.locator(".cnn-status")).to_contain_text("(224 + 2 · 0 − 11) / 4 is no whole number")
    assert rows(widget)[1:3] == ["does not fit", "–"]
    expect(widget.locator(".ac-totals > div")).to_have_count(0)
    side.fill("259")
    after(widget, lambda: side.press("Enter"))
    assert rows(widget)[1] == "96 × 63 × 63"


def test_groups_and_the_batch(notebook: NotebookPage) -> None:
    widget = notebook.run("ArchitectureCalculator(network='AlexNet', layer=4)")
    after(widget, widget.get_by_role("button", name="less groups").click)
    assert total(widget, "parameters") == f"{60_965_224 + 307_200:,}"
    batch = widget.get_by_label("pictures in the batch", exact=True)
    batch.fill("128")
    after(widget, lambda: batch.press("Tab"))
    expect(widget.locator(".ac-remark").nth(2)).to_have_text("for one picture; 723.6 MB for 128 pictures")


def test_a_buggy_table_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("ArchitectureCalculator(without_biases, network='LeNet-5')")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("has biases 0; expected was 6")
    assert total(widget, "parameters") == "61,470"
    expect(widget.locator(".ac-row.ac-wrong")).to_have_count(5)


def test_the_winners_follow_the_pointer_and_the_arrow_keys(notebook: NotebookPage) -> None:
    widget = notebook.run("ImagenetWinners()")
    assert detail(widget, "entry") == "AlexNet, 7 networks"
    after(widget, widget.locator('[data-entry="5"] .iw-area').hover)
    assert detail(widget, "entry") == "ResNet, 6 networks"
    assert detail(widget, "top-5 error") == "3.57 %"
    # The pointer leaves: otherwise it would rest on a bar that the redrawn chart puts under it.
    notebook.page.mouse.move(0, 0)
    widget.locator(".iw-chart").focus()
    after(widget, lambda: notebook.page.keyboard.press("ArrowLeft"))
    assert detail(widget, "year") == "2014"
    after(widget, lambda: notebook.page.keyboard.press("End"))
    expect(widget.locator(".cnn-status")).to_contain_text("2017: SENet")


def test_depth_and_second_places(notebook: NotebookPage) -> None:
    widget = notebook.run("ImagenetWinners(entry=5)")
    after(widget, widget.get_by_role("radio", name="depth").click)
    assert widget.locator(".iw-label").all_text_contents() == ["–", "–", "8", "8", "22", "152", "–", "154"]
    expect(widget.locator(".iw-person")).to_have_count(0)
    after(widget, widget.get_by_role("radio", name="top-5 error").click)
    widget.get_by_label("second places").focus()
    after(widget, lambda: notebook.page.keyboard.press("Space"))
    expect(widget.locator(".iw-column")).to_have_count(12)
    expect(widget.locator(".iw-person")).to_have_count(2)
    assert detail(widget, "entry") == "ResNet, 6 networks"


@pytest.mark.parametrize("code", ["ArchitectureCalculator(network='AlexNet')", "ImagenetWinners(everything=True)"])
def test_both_themes_have_readable_words_and_600_pixels_are_enough(notebook: NotebookPage, code: str) -> None:
    check_words_in_both_themes_and_on_a_narrow_page(notebook, notebook.run(code))
