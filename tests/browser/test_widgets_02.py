"""The widgets of 02 in a real JupyterLab: mouse and keyboard, wrong learners, both themes, a narrow page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.harness import NotebookPage
from tests.browser.widgets import after, check_nothing_is_cut_off_on_a_narrow_page, pause

SETUP = """
import math
import numpy as np
from convnets.widgets import ComputationGraph, Playground

class Value:
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = float(data), tuple(inputs), 0.0
    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])
    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data))
        return Value(y, [(self, y * (1 - y))])
    def backward(self, gradient=1.0):
        self.grad = gradient  # wrong: a node that is used twice keeps its last gradient only
        for source, slope in self.inputs:
            source.backward(gradient * slope)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def gradient_step(parameters, gradients, lr):
    return {name: parameters[name] - lr * gradients[name] for name in parameters}
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., NotebookPage]) -> NotebookPage:
    return open_notebook([SETUP], name="widgets_02")


def button(widget: Locator, name: str) -> Locator:
    return widget.get_by_role("button", name=name, exact=True)


def quantity(widget: Locator, label: str, node: str) -> Locator:
    """The number that a node of the graph shows beside `label`."""
    return widget.locator(f'[data-quantity="{label}@{node}"]')


def colour(canvas: Locator, x: float, y: float) -> list[int]:
    """Red, green and blue of a canvas at a share of its width and height."""
    pixel: list[int] = canvas.evaluate(
        """(node, [x, y]) => [...node.getContext("2d").getImageData(x * node.width, y * node.height, 1, 1).data]""",
        [x, y],
    )
    return pixel[:3]


def drawn(canvas: Locator) -> str:
    """All of a canvas, to see whether it changed."""
    data: str = canvas.evaluate("node => node.toDataURL()")
    return data


def surface(widget: Locator) -> Locator:
    return widget.locator(".play-surface")


def steps(widget: Locator) -> int:
    return int(widget.locator('[data-number="steps"]').inner_text())


# The computation graph


def test_the_graph_is_stepped_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("ComputationGraph()")
    expect(quantity(widget, "z", "j1")).to_have_text("")
    after(widget, button(widget, "step forward").click)
    expect(quantity(widget, "z", "j1")).to_have_text("0.750")
    expect(quantity(widget, "y", "j1")).to_have_text("0.679")
    expect(widget.locator(".graph-worked").first).to_have_text("= 0.8·1 + 0.3·(−0.5) + 0.1 = 0.750")
    expect(widget.locator(".cnn-status")).to_contain_text("Step 1 of 11, forward, unit j1 of H1: z_j1 = 0.750")
    after(widget, button(widget, "to the end").click)
    expect(quantity(widget, "∂E/∂y", "l")).to_have_text("−0.739")
    expect(quantity(widget, "∂E/∂z", "j1")).to_have_text("−0.021")
    expect(widget.locator('[data-node="j1"]')).to_have_attribute("data-lit", "backward")
    expect(button(widget, "step forward")).to_be_disabled()
    after(widget, button(widget, "step back").click)
    expect(quantity(widget, "∂E/∂z", "j1")).to_have_text("")
    after(widget, button(widget, "to the start").click)
    expect(quantity(widget, "y", "j1")).to_have_text("")
    expect(widget.locator(".cnn-note")).to_have_text(
        "Your Value is not written yet: the toolkit computes these numbers."
    )


def test_the_graph_is_stepped_and_changed_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("ComputationGraph()")
    press = notebook.page.keyboard.press
    button(widget, "step forward").focus()
    after(widget, lambda: press("Enter"))
    after(widget, lambda: press("Space"))
    expect(quantity(widget, "y", "j2")).to_have_text("0.259")
    widget.locator(".graph-timeline input").focus()
    after(widget, lambda: press("End"))
    expect(quantity(widget, "∂E/∂z", "j1")).to_have_text("−0.021")
    after(widget, lambda: press("ArrowLeft"))
    expect(widget.locator(".cnn-code")).to_have_text("ComputationGraph(step=10)")
    widget.locator(".graph-change select").focus()
    after(widget, lambda: widget.locator(".graph-change select").select_option("x1"))
    widget.locator(".graph-change input").focus()
    before = quantity(widget, "z", "l").text_content()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.locator(".cnn-code")).to_have_text("ComputationGraph(step=10, selected='x1', values={'x1': 1.05})")
    assert quantity(widget, "z", "l").text_content() != before
    # JupyterLab's own shortcuts must not see these keys.
    assert notebook.page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_a_weight_is_chosen_and_dragged_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("ComputationGraph(step=11)")
    gradient = quantity(widget, "∂E/∂y", "j1").text_content()
    after(widget, widget.locator(".graph-edge-label", has_text="−0.7").click)
    expect(widget.locator(".graph-change label").nth(1)).to_have_text("wj1k2")
    box = widget.locator(".graph-change input").bounding_box()
    assert box is not None
    mouse = notebook.page.mouse
    mouse.move(box["x"] + 0.38 * box["width"], box["y"] + box["height"] / 2)
    mouse.down()
    after(widget, lambda: mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2, steps=8))
    mouse.up()
    expect(widget.locator(".graph-weight.graph-picked")).to_have_text(
        widget.locator(".graph-change output").inner_text()
    )
    assert float(widget.locator(".graph-change output").inner_text()) > 2
    assert quantity(widget, "∂E/∂y", "j1").text_content() != gradient
    after(widget, button(widget, "restore all numbers").click)
    expect(quantity(widget, "∂E/∂y", "j1")).to_have_text(gradient)


def test_gradients_of_a_reused_node_add_up_and_a_wrong_value_is_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("ComputationGraph(Value)")
    after(widget, lambda: widget.get_by_role("radio", name="e = a·b + a").click())
    after(widget, button(widget, "to the end").click)
    wrong = quantity(widget, "∂e/∂a", "a")
    expect(wrong).to_have_text("✗1the toolkit's: 4")
    expect(widget.locator(".cnn-note.cnn-wrong")).to_have_text(
        "✗ Your Value differs from the toolkit first at step 6, ∂e/∂a: yours 1, the toolkit's 4."
    )
    expect(widget.locator(".cnn-code")).to_have_text("ComputationGraph(Value, example='reuse', step=6)")


def test_the_graphs_line_of_python_restores_it(notebook: NotebookPage) -> None:
    widget = notebook.run("ComputationGraph()")
    after(widget, button(widget, "to the end").click)
    after(widget, lambda: widget.locator(".graph-leaf", has_text="0.9").click())
    code = widget.locator(".cnn-code").inner_text()
    assert code == "ComputationGraph(step=11, selected='t')"
    again = notebook.run(code)
    assert again.locator(".graph-drawing").inner_html() == widget.locator(".graph-drawing").inner_html()


# The playground


def test_training_runs_pauses_and_moves_the_surface(notebook: NotebookPage) -> None:
    widget = notebook.run("Playground(sigmoid, gradient_step)")
    before = drawn(surface(widget))
    expect(widget.locator(".cnn-note")).to_have_text("Your sigmoid and your gradient_step are at work in this net.")
    button(widget, "▶ Train").click()
    notebook.page.wait_for_function(
        "node => Number(node.textContent) >= 800", arg=widget.locator('[data-number="steps"]').element_handle()
    )
    # The kernel answers other cells while the net trains.
    assert (
        notebook.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".requestExecute({ code: '1 + 1', store_history: false }).done.then((reply) => reply.content.status)"
        )
        == "ok"
    )
    pause(widget)
    stopped = steps(widget)
    notebook.page.wait_for_timeout(400)
    assert steps(widget) == stopped
    assert drawn(surface(widget)) != before
    inside, corner = colour(surface(widget), 0.5, 0.5), colour(surface(widget), 0.02, 0.02)
    assert inside[0] > inside[2]  # orange: +1
    assert corner[2] > corner[0]  # blue: −1
    assert float(widget.locator('[data-number="train"]').inner_text()) < 0.2
    expect(widget.locator(".cnn-status")).to_contain_text(f"After {stopped} steps the loss is")
    after(widget, button(widget, "back to the first weights").click)
    assert steps(widget) == 0
    assert drawn(surface(widget)) == before


def test_the_playgrounds_controls_by_mouse(notebook: NotebookPage) -> None:
    widget = notebook.run("Playground(steps=50)")
    before = drawn(surface(widget))
    after(widget, lambda: widget.get_by_role("radio", name="spiral").click())
    assert drawn(surface(widget)) != before
    assert steps(widget) == 0
    after(widget, button(widget, "more hidden layers").click)
    assert widget.locator(".play-units:visible").count() == 4
    after(widget, button(widget, "more units in hidden layer 3").click)
    assert widget.locator("button.play-unit:visible").count() == 13
    assert widget.locator(".play-wires path").count() == 2 * 4 + 4 * 4 + 4 * 5 + 5
    box = widget.get_by_label("noise", exact=True).bounding_box()
    assert box is not None
    before = drawn(surface(widget))
    after(widget, lambda: notebook.page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2))
    assert drawn(surface(widget)) != before
    after(widget, lambda: widget.get_by_label("activation").select_option("relu"))
    after(widget, lambda: widget.get_by_label("learning rate").select_option("0.03"))
    after(widget, widget.get_by_role("button", name="hidden layer 3, unit 5").click)
    expect(widget.locator(".play-caption")).to_have_text("hidden layer 3, unit 5")
    expect(widget.locator(".cnn-code")).to_have_text(
        "Playground(dataset='spiral', noise=0.8, hidden=[4, 4, 5], activation='relu', lr=0.03, shown=[3, 5])"
    )


def test_the_playgrounds_controls_by_keyboard(notebook: NotebookPage) -> None:
    widget = notebook.run("Playground()")
    press = notebook.page.keyboard.press
    before = drawn(surface(widget))
    widget.get_by_role("radio", name="circles").focus()
    after(widget, lambda: press("ArrowRight"))
    expect(widget.get_by_role("radio", name="XOR")).to_be_checked()
    assert drawn(surface(widget)) != before
    widget.get_by_label("noise", exact=True).focus()
    after(widget, lambda: press("ArrowRight"))
    widget.get_by_label("units in hidden layer 1", exact=True).focus()
    after(widget, lambda: press("ArrowUp"))
    assert widget.locator("button.play-unit:visible").count() == 9
    widget.get_by_label("activation").focus()
    after(widget, lambda: press("ArrowDown"))
    button(widget, "▶ Train").focus()
    after(widget, lambda: press("Space"))
    expect(button(widget, "❚❚ Pause")).to_be_focused()
    press("Space")
    expect(button(widget, "▶ Train")).to_be_focused()
    button(widget, "one step of gradient descent").focus()
    stopped = steps(widget)
    after(widget, lambda: press("Enter"))
    assert steps(widget) == stopped + 1
    widget.get_by_role("button", name="hidden layer 1, unit 5").focus()
    after(widget, lambda: press("Enter"))
    expect(widget.get_by_role("button", name="hidden layer 1, unit 5")).to_have_attribute("aria-pressed", "true")
    expect(widget.locator(".cnn-code")).to_have_text(
        f"Playground(dataset='xor', noise=0.2, hidden=[5, 4], activation='tanh', steps={stopped + 1}, shown=[1, 5])"
    )


def test_wrong_functions_are_marked(notebook: NotebookPage) -> None:
    widget = notebook.run("Playground(lambda z: 1 / (1 + np.exp(z)), lambda p, g, lr: 1 / 0)")
    expect(widget.locator(".cnn-note.cnn-wrong").nth(0)).to_contain_text(
        "✗ Your sigmoid differs from the toolkit's: at z ="
    )
    expect(widget.locator(".cnn-note.cnn-wrong").nth(1)).to_contain_text("Your gradient_step raised ZeroDivisionError")
    assert widget.locator("button.play-unit[data-wrong]:visible").count() == 8


def test_a_loss_that_diverges_is_said_and_stops_training(notebook: NotebookPage) -> None:
    widget = notebook.run("Playground(lr=3)")
    button(widget, "▶ Train").click()
    expect(widget.locator(".cnn-status")).to_contain_text("The loss diverged at step")
    expect(button(widget, "▶ Train")).to_be_disabled()
    expect(widget.locator('[data-number="train"]')).to_contain_text("diverged")


# Both


@pytest.mark.parametrize(
    "code", ["ComputationGraph(step=11)", "ComputationGraph(example='reuse', step=6)", "Playground(hidden=(8, 8, 8))"]
)
def test_nothing_is_cut_off_on_a_narrow_page(notebook: NotebookPage, code: str) -> None:
    check_nothing_is_cut_off_on_a_narrow_page(notebook, code)


def test_both_themes_are_followed_at_once(notebook: NotebookPage) -> None:
    graph = notebook.run("ComputationGraph(step=3)")
    playground = notebook.run("Playground(lr=0.05)")
    # The second widget's style sheet leaves the first one as it was.
    assert graph.locator(".graph-timeline input").evaluate("node => node.clientWidth") > 200
    fill = "node => getComputedStyle(node).fill"
    card = graph.locator('[data-node="k1"] .graph-card')
    number = quantity(graph, "y", "k1")
    light = card.evaluate(fill), number.evaluate(fill), drawn(surface(playground))
    try:
        notebook.theme("dark")
        notebook.page.wait_for_function(
            "([node, old]) => node.toDataURL() !== old", arg=[surface(playground).element_handle(), light[2]]
        )
        dark = card.evaluate(fill), number.evaluate(fill), drawn(surface(playground))
        assert all(before != now for before, now in zip(light, dark, strict=True))
    finally:
        notebook.theme("light")
