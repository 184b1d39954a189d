"""The widgets of 04 in a real JupyterLab: controls by mouse and by keyboard, buggy learners, both themes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_nothing_is_cut_off_on_a_narrow_page, click_at, code, pause

SETUP = """
from convnets.widgets import OptimizerRace, ScheduleSketch

def sgd(x, grad, state, lr):
    return x - lr * grad, state

def climbs(x, grad, state, lr):
    return x + lr * grad, state
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_04")


def button(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("button", name=name, exact=True)


# The race


def path(widget: Locator, rule: str) -> str:
    """The corners of a rule's path as drawn."""
    return widget.locator(f'[data-path="{rule}"]').get_attribute("points") or ""


def land(widget: Locator) -> str:
    return str(widget.locator(".race-land").evaluate("node => node.toDataURL()"))


def test_a_click_starts_a_race_and_earlier_paths_stay(notebook: NotebookPage) -> None:
    widget = notebook.run("OptimizerRace(sgd)")
    picture = widget.locator(".race-picture")
    click_at(widget, picture, 0.25, 0.2)
    notebook.page.wait_for_function(
        "node => Number(node.value) >= 40", arg=widget.get_by_label("step", exact=True).element_handle()
    )
    pause(widget)
    first = path(widget, "sgd")
    x, y = map(float, first.split()[0].split(","))
    assert abs(x - 240) < 6
    assert abs(y - 120) < 6
    assert len(first.split()) > 10
    assert widget.locator(".race-earlier").count() == 0
    click_at(widget, picture, 0.6, 0.8)
    expect(widget.locator(".race-earlier")).to_have_count(3)
    assert widget.locator(".race-earlier").first.get_attribute("points") == first
    pause(widget)
    after(widget, button(widget, "remove earlier paths").click)
    expect(widget.locator(".race-earlier")).to_have_count(0)


def test_the_races_controls_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("OptimizerRace(steps=40)")
    before, ground = path(widget, "sgd"), land(widget)
    after(widget, lambda: click_at(widget, widget.get_by_label("lr of sgd"), 0.2, 0.5))
    assert path(widget, "sgd") != before
    after(widget, lambda: widget.get_by_role("checkbox", name="Nesterov").click())
    assert path(widget, "nesterov") != ""
    after(widget, lambda: widget.get_by_role("checkbox", name="SGD").click())
    expect(widget.locator('[data-path="sgd"]')).to_have_count(0)
    after(widget, button(widget, "one step of every rule").click)
    expect(widget.get_by_label("step", exact=True)).to_have_value("41")
    after(widget, lambda: click_at(widget, widget.get_by_label("step", exact=True), 0.98, 0.5))
    expect(widget.locator(".cnn-status")).to_contain_text("arrived at step")
    after(widget, lambda: widget.get_by_role("radio", name="Beale").click())
    expect(widget.locator(".race-words")).to_contain_text("Beale's function")
    assert land(widget) != ground
    assert code(widget) == "OptimizerRace(surface='beale', shown=['momentum', 'nesterov', 'adam'])"


def test_the_races_controls_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("OptimizerRace()")
    press = notebook.page.keyboard.press
    widget.get_by_role("radio", name="ravine").focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.get_by_role("radio", name="saddle")).to_be_checked()
    picture = widget.locator(".race-picture")
    picture.focus()
    after(widget, lambda: press("ArrowRight"))
    after(widget, lambda: press("ArrowUp"))
    expect(picture).to_have_attribute(
        "aria-label", "saddle surface, start (−3.74, 0.173); the arrow keys move the start, Enter starts the race"
    )
    press("Enter")
    expect(button(widget, "❚❚ Pause")).to_be_visible()
    expect(button(widget, "▶ Race")).to_be_visible(timeout=40_000)
    assert widget.get_by_label("step", exact=True).input_value() == "300"
    widget.get_by_label("lr of adam").focus()
    before = path(widget, "adam")
    after(widget, lambda: press("ArrowRight"))
    assert path(widget, "adam") != before
    widget.get_by_role("checkbox", name="Momentum").focus()
    after(widget, lambda: press("Space"))
    expect(widget.locator('[data-path="momentum"]')).to_have_count(0)


def test_a_wrong_rule_is_marked_in_the_race(notebook: NotebookPage) -> None:
    widget = notebook.run("OptimizerRace(climbs, steps=60)")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("✗ Your sgd differs from the toolkit's")
    expect(widget.locator('[data-rule="sgd"]')).to_contain_text("✗ SGD")
    expect(widget.locator('[data-rule="sgd"]')).to_contain_text("diverged")


def test_the_races_line_of_python_restores_it(notebook: NotebookPage) -> None:
    widget = notebook.run("OptimizerRace(sgd, surface='noisy', steps=30)")
    click_at(widget, widget.locator(".race-picture"), 0.4, 0.2)
    expect(widget.locator(".race-earlier")).to_have_count(3)
    pause(widget)
    again = notebook.run(code(widget))
    assert again.locator(".race-paths").inner_html() == widget.locator(".race-paths").inner_html()


# The schedule sketch


def bars(widget: Locator) -> list[float]:
    return [float(bar.get_attribute("aria-valuenow") or 0) for bar in widget.locator(".sketch-bar").all()]


def curve(widget: Locator) -> str:
    return widget.locator(".sketch-line").get_attribute("points") or ""


def number(widget: Locator, name: str) -> float:
    return float(widget.locator(f'[data-number="{name}"]').inner_text())


def test_a_schedule_is_drawn_with_the_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("ScheduleSketch(sgd, lrs=[0.0316] * 20)")
    before, first = curve(widget), number(widget, "ending")
    box = widget.locator(".sketch-bars").bounding_box()
    assert box is not None
    scale = box["width"] / 860
    mouse = notebook.page.mouse

    def draw() -> None:
        """From the eleventh bar, at 0.0316, down to 0.001 at the last: a diagonal stroke."""
        mouse.move(box["x"] + (52 + 404 + 20) * scale, box["y"] + 31 * scale)
        mouse.down()
        mouse.move(box["x"] + (860 - 12) * scale, box["y"] + 127 * scale, steps=8)
        mouse.up()

    after(widget, draw)
    expect(widget.locator(".sketch-bar").last).to_have_attribute("aria-valuenow", "0.001")
    drawn = bars(widget)
    assert drawn[:10] == [0.0316] * 10
    assert all(later <= earlier for earlier, later in pairwise(drawn))
    notebook.page.wait_for_function(
        "([node, old]) => node.getAttribute('points') !== old",
        arg=[widget.locator(".sketch-line").element_handle(), before],
    )
    expect(widget.locator(".cnn-status")).to_contain_text("times lower than the best constant learning rate")
    assert number(widget, "ending") < first / 2


def test_a_schedule_is_drawn_with_the_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ScheduleSketch(sgd)")
    press = notebook.page.keyboard.press
    widget.locator(".sketch-bar").first.focus()
    before = curve(widget)
    after(widget, lambda: press("ArrowDown"))
    assert bars(widget)[:2] == [0.0158, 0.02]
    assert curve(widget) != before
    press("ArrowRight")
    after(widget, lambda: press("PageUp"))
    assert bars(widget)[:3] == [0.0158, 0.0631, 0.02]
    expect(widget.locator(".sketch-above")).to_have_count(1)
    after(widget, lambda: press("End"))
    after(widget, lambda: press("ArrowLeft") or press("End"))
    expect(widget.locator(".cnn-status")).to_contain_text("Diverged: 2 stretches above 2/50 = 0.04")
    # The first bar that was left is no longer a stop of the Tab key.
    assert [bar.get_attribute("tabindex") for bar in widget.locator(".sketch-bar").all()[:3]] == ["0", "-1", "-1"]


def test_buttons_draw_what_schedule_returns(notebook: NotebookPage) -> None:
    widget = notebook.run("ScheduleSketch(sgd, lambda kind, lr, t, **_: lr / 3 ** (t // 15))")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_contain_text("✗ Your schedule differs from the toolkit's: 'step'")
    after(widget, widget.get_by_role("button", name='draw the schedule "cosine" from the first bar on').click)
    assert bars(widget) == [0.02] * 15 + [0.00667] * 5
    after(widget, widget.get_by_role("button", name='draw the schedule "constant" from the first bar on').click)
    assert bars(widget) == [0.02] * 20
    after(widget, button(widget, "draw the schedule that ended lowest").click)
    assert bars(widget) == [0.02] * 15 + [0.00667] * 5
    expect(button(widget, "draw the schedule that ended lowest")).to_be_disabled()


def test_the_monitor_judges_the_curve(notebook: NotebookPage) -> None:
    widget = notebook.run("ScheduleSketch(None, None, lambda losses: 'good' if losses[-1] < 1 else 'low')")
    judged = widget.locator('[data-number="diagnosis"]')
    expect(judged).to_have_text("good")
    widget.locator(".sketch-bar").first.focus()
    after(widget, lambda: notebook.page.keyboard.press("Home"))
    after(widget, widget.get_by_role("button", name='draw the schedule "constant" from the first bar on').click)
    expect(judged).to_have_text("low")
    assert notebook.run("ScheduleSketch()").locator('[data-number="diagnosis"]').is_hidden()


# Both


@pytest.mark.parametrize("line", ["OptimizerRace(steps=60)", "ScheduleSketch()"])
def test_nothing_is_cut_off_on_a_narrow_page(notebook: NotebookPage, line: str) -> None:
    check_nothing_is_cut_off_on_a_narrow_page(notebook, line)


def test_both_themes_are_followed_at_once(notebook: NotebookPage) -> None:
    race = notebook.run("OptimizerRace(steps=20)")
    sketch = notebook.run("ScheduleSketch()")
    stroke = "node => getComputedStyle(node).stroke"
    label = "node => getComputedStyle(node).fill"
    parts = (
        lambda: land(race),
        lambda: race.locator('[data-path="sgd"]').evaluate(stroke),
        lambda: sketch.locator(".sketch-label").first.evaluate(label),
    )
    light = [part() for part in parts]
    try:
        notebook.theme("dark")
        notebook.page.wait_for_function(
            "([node, old]) => node.toDataURL() !== old",
            arg=[race.locator(".race-land").element_handle(), light[0]],
        )
        assert all(part() != before for part, before in zip(parts, light, strict=True))
    finally:
        notebook.theme("light")
