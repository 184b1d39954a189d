"""What the tests of all widgets do: act on a control and wait for the kernel, look at both themes and a narrow page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage, turn_of, wait_turn

NARROW, WIDE = 600, 1100


def after(widget: Locator, action: Callable[[], object]) -> None:
    """Do something to a control and wait for the kernel's answer."""
    turn = turn_of(widget)
    action()
    wait_turn(widget, turn)


def pause(widget: Locator) -> None:
    """Stop a widget that goes on by itself; a step that was on its way is answered before the pause is."""
    pausing = widget.get_by_role("button", name="Pause")
    pausing.click()
    expect(pausing).to_have_count(0)


def code(widget: Locator) -> str:
    """The code that a widget shows for its state."""
    return widget.locator(".cnn-code").inner_text()


def click_at(widget: Locator, part: Locator, x: float, y: float = 0.5) -> None:
    """Click at shares of a part's width and height, as a mouse does."""
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    assert box is not None
    widget.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def click_slider(widget: Locator, label: str, share: float) -> None:
    """Click a slider at a share of its width."""
    click_at(widget, widget.get_by_label(label, exact=True), share)


def check_words_in_both_themes_and_on_a_narrow_page(notebook: NotebookPage, widget: Locator, parts: str = "") -> None:
    """Check that words stand out in both themes, and that at 600 pixels the widget is no wider than its place.

    Parameters
    ----------
    parts : str
        CSS selector of parts inside the widget of which none may be wider than the page; none are looked at without.
    """
    try:
        backgrounds = []
        for theme in ("light", "dark"):
            notebook.theme(theme)
            paper, ink = widget.evaluate(
                "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
                ".map((text) => Number(text.match(/[0-9.]+/)[0]))"
            )
            backgrounds.append(paper)
            assert abs(paper - ink) > 150, f"{theme}: text of {ink} on {paper}"
        assert backgrounds[0] > 200 > 60 > backgrounds[1]
        assert widget.evaluate("node => node.scrollWidth <= node.clientWidth")
        notebook.width(NARROW)
        if parts:
            assert widget.evaluate(
                "(node, parts) => [node, ...node.querySelectorAll(parts)].every((n) => n.scrollWidth <= innerWidth)",
                parts,
            )
        assert widget.evaluate("node => node.scrollWidth <= node.clientWidth")
    finally:
        notebook.theme("light")
        notebook.width(WIDE)


def check_nothing_is_cut_off_on_a_narrow_page(notebook: NotebookPage, code: str) -> None:
    """Check that at 600 pixels no control and no picture of a widget sticks out of it."""
    notebook.width(NARROW)
    try:
        right = notebook.run(code).evaluate(
            """node => {
              const edge = node.getBoundingClientRect().right;
              const parts = [...node.querySelectorAll("button, input, select, canvas, svg, p, legend")];
              return Math.max(...parts.map((part) => part.getBoundingClientRect().right)) - edge;
            }"""
        )
        assert right <= 0
    finally:
        notebook.width(WIDE)
