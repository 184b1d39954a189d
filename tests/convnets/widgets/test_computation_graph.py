"""The computation graph's state, numbers and sentences, without a kernel or a browser."""

from __future__ import annotations

import math

import pytest
import torch

from convnets.widgets.computation_graph import (
    EXAMPLES,
    ComputationGraph,
    GraphState,
    change,
    factor,
    short,
    show,
    view_of,
    walk,
)

LAST = len(EXAMPLES["network"].steps)


class Value:
    """A right scalar autograd class; its subclasses are what learners get wrong."""

    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = float(data), tuple(inputs), 0.0

    def __add__(self, other):
        return type(self)(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return type(self)(self.data * other.data, [(self, other.data), (other, self.data)])

    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data))
        return type(self)(y, [(self, y * (1 - y))])

    def receive(self, gradient):
        self.grad += gradient

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for source, _ in node.inputs:
                    visit(source)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for source, slope in node.inputs:
                source.receive(slope * node.grad)


class Overwrites(Value):
    def receive(self, gradient):
        self.grad = gradient


class Unwritten(Value):
    def __mul__(self, other):
        raise NotImplementedError("your code here")


class ForwardOnly(Value):
    def backward(self):
        raise NotImplementedError("your code here")


class Breaks(Value):
    def sigmoid(self):
        return math.sqrt(-1.0)


class BreaksBackward(Value):
    def backward(self):
        raise KeyError("inputs")


class LosesTheBias(Value):
    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data - 0.5))
        return type(self)(y, [(self, y * (1 - y))])


def by_torch(values):
    """The 2-2-2-1 net in PyTorch: its z, y, E and their gradients under the widget's names."""
    n = EXAMPLES["network"].numbers(values)
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in n.items()}
    z, y = {}, {"i1": tensors["x1"], "i2": tensors["x2"]}
    for below, above in ((("i1", "i2"), ("j1", "j2")), (("j1", "j2"), ("k1", "k2")), (("k1", "k2"), ("l",))):
        for unit in above:
            z[unit] = sum(tensors[f"w_{source}{unit}"] * y[source] for source in below) + tensors[f"b_{unit}"]
            y[unit] = torch.sigmoid(z[unit])
            z[unit].retain_grad()
            y[unit].retain_grad()
    error = (y["l"] - tensors["t"]) ** 2
    error.backward()
    result = {"E": error.item()}
    for unit in z:
        result |= {f"z_{unit}": z[unit].item(), f"y_{unit}": y[unit].item()}
        result |= {f"dz_{unit}": z[unit].grad.item(), f"dy_{unit}": y[unit].grad.item()}
    return result | {f"d{name}": tensors[name].grad.item() for name in n if name[:2] in ("w_", "b_")}


def node(view, name):
    return next(item for item in view["nodes"] if item["id"] == name)


def row(view, name, label):
    return next(item for item in node(view, name)["rows"] if item["label"] == label)


def edge(view, name):
    return next(item for item in view["edges"] if item["id"] == name)


@pytest.mark.parametrize("values", [{}, {"x1": -2.0, "t": 0.1, "w_k2l": 2.5, "b_j2": 1.0, "w_i2j1": -3.0}])
def test_the_toolkit_agrees_with_torch(values):
    network = EXAMPLES["network"]
    assert network.compute(network.numbers(values)) == pytest.approx(by_torch(values), rel=1e-12)


def test_forward_steps_fill_the_graph_from_left_to_right():
    state = GraphState()
    seen = []
    for _ in range(6):
        state = walk(state, "forward")
        view = view_of(state)
        assert view["direction"] == "forward"
        seen.append(next(item["id"] for item in view["nodes"] if item["lit"]))
    assert seen == ["j1", "j2", "k1", "k2", "l", "E"]
    assert row(view, "l", "y")["text"]
    assert not row(view, "l", "∂E/∂y")["text"]


def test_backward_steps_go_from_the_output_to_the_first_layer():
    seen = []
    for step in range(7, LAST + 1):
        view = view_of(GraphState(step=step))
        assert view["direction"] == "backward"
        seen.append(next(item["id"] for item in view["nodes"] if item["lit"]))
    assert seen == ["l", "k2", "k1", "j2", "j1"]
    assert all(item["text"] for unit in seen for item in node(view, unit)["rows"])


def test_only_what_has_been_computed_is_shown():
    view = view_of(GraphState(step=8))
    assert row(view, "k2", "∂E/∂z")["text"]
    assert not row(view, "k1", "∂E/∂z")["text"]
    assert edge(view, "w_j1k2")["gradient"]["text"]
    assert not edge(view, "w_j1k1")["gradient"]["text"]


def test_the_rules_stand_with_their_numbers():
    n = by_torch({})
    rules = dict(view_of(GraphState(step=3))["rules"])
    assert rules["z_{k1} = Σ_{j} w_{jk1} y_{j} + b_{k1}"] == (
        f"1.2·{show(n['y_j1'])} + (−0.5)·{show(n['y_j2'])} + 0 = {show(n['z_k1'])}"
    )
    rules = dict(view_of(GraphState(step=LAST))["rules"])
    assert rules["∂E/∂y_{j1} = Σ_{k} w_{j1k} ∂E/∂z_{k}"] == (
        f"1.2·({show(n['dz_k1'])}) + (−0.7)·{show(n['dz_k2'])} = {show(n['dy_j1'])}"
    )
    assert rules["∂E/∂z_{j1} = ∂E/∂y_{j1} · y_{j1}(1 − y_{j1})"].endswith(f"= {show(n['dz_j1'])}")
    rules = dict(view_of(GraphState(step=7))["rules"])
    assert rules["∂E/∂y_{l} = 2 (y_{l} − t)"] == f"2·({show(n['y_l'])} − 0.9) = {show(n['dy_l'])}"


def test_gradients_of_a_node_used_twice_add_up():
    view = view_of(GraphState("reuse", 6, values={"a": 2.0, "b": 3.0}))
    assert row(view, "a", "∂e/∂a")["text"] == "4"
    assert [edge(view, name)["gradient"]["text"] for name in ("a-c", "a-e")] == ["3", "1"]
    assert dict(view["rules"]) == {"∂e/∂a = ∂e/∂c · b + ∂e/∂e · 1": "1·3 + 1·1 = 4"}


@pytest.mark.parametrize("example", ["network", "reuse"])
def test_every_step_can_be_drawn(example):
    for step in range(len(EXAMPLES[example].steps) + 1):
        view = view_of(GraphState(example, step), Value)
        assert view["status"]
        assert not view["wrong"]
        assert view["words"] == "Your Value computes every number here."
        assert bool(view["rules"]) is (step > 0)


def test_the_learners_numbers_are_shown():
    assert row(view_of(GraphState(step=1), LosesTheBias), "j1", "y")["text"] == show(1 / (1 + math.exp(-0.75 - 0.5)))


def test_a_wrong_value_is_marked_where_it_is_first_wrong():
    view = view_of(GraphState(step=1), LosesTheBias)
    assert row(view, "j1", "z")["toolkit"] == ""
    assert row(view, "j1", "y")["toolkit"] == show(1 / (1 + math.exp(-0.75)))
    assert "first at step 1, y_{j1}" in view["words"]
    assert view["wrong"]


def test_a_class_that_forgets_to_add_gradients_is_found_out():
    view = view_of(GraphState("reuse", 6), Overwrites)
    assert row(view, "a", "∂e/∂a")["toolkit"] == "4"
    assert view["words"].startswith("Your Value differs from the toolkit first at step 6, ∂e/∂a")
    view = view_of(GraphState(step=LAST), Overwrites)
    assert "first at step 7, ∂E/∂y_{l}" in view["words"]


@pytest.mark.parametrize(
    ("given", "words", "wrong"),
    [
        (None, "Your Value is not written yet: the toolkit computes these numbers.", False),
        (Unwritten, "Your Value is not complete yet: the toolkit computes these numbers.", False),
        (ForwardOnly, "Its backward() is not written yet: the gradients are the toolkit's.", False),
        (Breaks, "Your Value raised ValueError: math domain error", True),
        (BreaksBackward, "Your Value.backward() raised KeyError: 'inputs'. The gradients are the toolkit's.", True),
    ],
)
def test_what_is_not_written_or_broken_is_said_and_filled_in(given, words, wrong):
    view = view_of(GraphState(step=LAST), given)
    assert words in view["words"]
    assert view["wrong"] is wrong
    assert row(view, "j1", "∂E/∂z")["text"] == show(by_torch({})["dz_j1"])


def test_a_changed_weight_changes_what_stands_behind_it_and_nothing_before():
    before, after = view_of(GraphState(step=LAST)), view_of(change(GraphState(step=LAST), "w_j1k1", -2.0))
    assert row(before, "j1", "y") == row(after, "j1", "y")
    assert row(before, "k1", "z")["text"] != row(after, "k1", "z")["text"]
    assert row(before, "j1", "∂E/∂y")["text"] != row(after, "j1", "∂E/∂y")["text"]
    assert edge(after, "w_j1k1")["leaf"]["text"] == "−2"


def test_a_number_back_at_its_default_is_forgotten():
    state = change(change(GraphState(), "x1", 2.0), "x1", 1.0)
    assert state == GraphState()


def test_the_walk_stops_at_both_ends():
    assert walk(GraphState(), "back").step == 0
    assert walk(GraphState(step=LAST), "forward").step == LAST
    assert walk(GraphState(), "end").step == LAST
    assert walk(GraphState(step=4), "start").step == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"example": "tree"}, "example is one of network, reuse"),
        ({"step": 12}, "step lies between 0 and 11"),
        ({"step": 7, "example": "reuse"}, "step lies between 0 and 6"),
        ({"selected": "w_k1k2"}, "is no number of this graph"),
        ({"values": {"q": 1.0}}, "is no number of this graph"),
        ({"values": {"t": 2.0}}, "t lies between 0 and 1"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        GraphState(**fields)


@pytest.mark.parametrize(
    "widget",
    [
        lambda: ComputationGraph(),
        lambda: ComputationGraph(step=7, selected="t", values={"w_k1l": -0.25, "x2": 1.5}),
        lambda: ComputationGraph(Value, example="reuse", step=3, values={"b": 4.0}),
    ],
)
def test_one_line_of_python_restores_the_widget(widget):
    first = widget()
    again = eval(first.as_code())
    assert again.state == first.state
    assert again.Value is first.Value


def test_the_line_names_only_what_differs():
    assert ComputationGraph(Value, step=2).as_code() == "ComputationGraph(Value, step=2)"


def test_the_browsers_messages_change_the_state():
    graph = ComputationGraph()
    graph._receive(graph, {"do": "forward"}, None)
    graph._receive(graph, {"do": "set", "selected": "x2"}, None)
    graph._receive(graph, {"do": "set", "value": 0.75}, None)
    assert graph.state == GraphState(step=1, selected="x2", values={"x2": 0.75})
    graph._receive(graph, {"do": "restore"}, None)
    assert graph.state.values == {}
    graph._receive(graph, {"do": "example", "example": "reuse"}, None)
    assert graph.state == GraphState("reuse")
    graph._receive(graph, {"do": "set", "step": 9}, None)
    assert "step lies between 0 and 6" in graph.view["problem"]


def test_numbers_are_short_and_carry_a_true_minus():
    assert [show(v) for v in (-0.12345, 0.00123, 2.0, 0.0, math.nan, -math.inf, 12345.6)] == [
        "−0.123", "0.0012", "2", "0", "nan", "−∞", "1.23e+04",
    ]  # fmt: skip
    assert [short(0.5), short(-0.25), factor(short(-0.25))] == ["0.5", "−0.25", "(−0.25)"]
