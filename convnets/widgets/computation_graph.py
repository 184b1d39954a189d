"""Backpropagation as a graph stepped forward and back, after the figure of LeCun, Bengio and Hinton (Nature 2015).

The numbers come from the learner's scalar autograd class ``Value`` where it is written. The toolkit computes the
same numbers by the chain rule as the figure writes it (no autograd), so that every difference can be pointed at.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from convnets.widgets.base import CourseWidget, assets, call_learner

Numbers = dict[str, float]
Rule = tuple[str, str]

FORWARD = "forward"
BACKWARD = "backward"


@dataclass(frozen=True)
class Leaf:
    """A number of the graph that the learner may change.

    Attributes
    ----------
    symbol : str
        How it is written; ``_{...}`` marks an index.
    words : str
        What it is, for the list of numbers.
    group : str
        The heading it stands under in that list.
    default : float
        Its first value.
    low, high : float
        The ends of its slider.
    """

    symbol: str
    words: str
    group: str
    default: float
    low: float = -3.0
    high: float = 3.0


@dataclass(frozen=True)
class Step:
    """One step of the walk through the graph.

    Attributes
    ----------
    node : str
        The node that is lit.
    direction : {"forward", "backward"}
        Which way the walk goes.
    title : str
        What happens, in a few words.
    found : tuple of str
        The quantities that this step finds, in the order of the rules.
    edges : tuple of str
        The edges that carry numbers in this step.
    """

    node: str
    direction: str
    title: str
    found: tuple[str, ...]
    edges: tuple[str, ...]


def show(value: float) -> str:
    """Write a computed number for the picture: three decimals, or two digits where it is small; whole numbers as such.

    >>> show(-0.12345), show(0.00123), show(2.0), show(0.0)
    ('−0.123', '0.0012', '2', '0')
    """
    if not math.isfinite(value):
        text = "nan" if math.isnan(value) else f"{value}".replace("inf", "∞")
    elif value.is_integer() and abs(value) < 1000.0:
        text = f"{value:.0f}"
    elif abs(value) >= 1000.0:
        text = f"{value:.3g}"
    else:
        text = f"{value:.3f}" if abs(value) >= 0.01 else f"{value:.2g}"
    return text.replace("-", "−")


def short(value: float) -> str:
    """Write a number that was set by hand: no more digits than it has.

    >>> short(1.0), short(-0.25)
    ('1', '−0.25')
    """
    return f"{value:.4g}".replace("-", "−")


def factor(text: str) -> str:
    """Put a negative number into brackets, as it stands behind a sign.

    >>> factor("−0.5"), factor("0.5")
    ('(−0.5)', '0.5')
    """
    return f"({text})" if text.startswith("−") else text


class Example(ABC):
    """A graph: its leaves, its steps, its rules and where its nodes are drawn."""

    #: The size of the drawing.
    size: ClassVar[tuple[int, int]]
    leaves: dict[str, Leaf]
    steps: tuple[Step, ...]
    symbols: dict[str, str]

    @property
    def first(self) -> str:
        """The leaf that is chosen at the beginning."""
        return next(iter(self.leaves))

    def numbers(self, values: Mapping[str, float]) -> Numbers:
        """Return all leaves, the changed ones with their new value."""
        return {name: values.get(name, leaf.default) for name, leaf in self.leaves.items()}

    @abstractmethod
    def compute(self, leaves: Numbers) -> Numbers:
        """Return every quantity of the graph by the chain rule, written out."""

    @abstractmethod
    def build(self, leaves: dict[str, Any], constant: Callable[[float], Any]) -> dict[str, Any]:
        """Return every node by +, * and ``sigmoid()`` on `leaves`, which may be the learner's; the last is the root.

        The keys are the names of the forward quantities.
        """

    @abstractmethod
    def node_of(self, gradient: str) -> str:
        """Return the name (of a leaf or of :meth:`build`) of the node that a backward quantity belongs to."""

    @abstractmethod
    def rules(self, step: Step, leaves: Numbers, known: Numbers) -> list[Rule]:
        """Return the rules that `step` used, each as (formula, the same with its numbers)."""

    @abstractmethod
    def layout(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the nodes and the edges with their places in the drawing and the names of their quantities."""

    def messages(self, leaves: Numbers, known: Numbers) -> Numbers:
        """Return what each edge carries backward, where the drawing shows that."""
        return {}

    def headings(self) -> list[dict[str, Any]]:
        """Return the words over the columns of the drawing."""
        return []


class Network(Example):
    """The lecture's net: two inputs, hidden layers H1 and H2 of two sigmoid units, one output, E = (y − t)²."""

    size = (648, 292)

    layers: ClassVar[tuple[tuple[str, ...], ...]] = (("i1", "i2"), ("j1", "j2"), ("k1", "k2"), ("l",))
    layer_names: ClassVar[tuple[str, ...]] = ("inputs", "H1", "H2", "output")
    _weights: ClassVar[tuple[tuple[tuple[float, ...], ...], ...]] = (
        ((0.8, -0.4), (0.3, 0.9)),
        ((1.2, -0.7), (-0.5, 0.6)),
        ((1.0,), (-1.5,)),
    )
    _biases: ClassVar[tuple[tuple[float, ...], ...]] = ((0.1, -0.2), (0.0, 0.3), (0.2,))

    def __init__(self) -> None:
        self.leaves = {
            "x1": Leaf("x_1", "input x1", "inputs and target", 1.0),
            "x2": Leaf("x_2", "input x2", "inputs and target", -0.5),
            "t": Leaf("t", "target t", "inputs and target", 0.9, 0.0, 1.0),
        }
        for depth, (above, below) in enumerate(zip(self.layers[1:], self.layers, strict=False)):
            group = f"{self.layer_names[depth]} → {self.layer_names[depth + 1]}"
            for source, row in zip(below, self._weights[depth], strict=True):
                for unit, value in zip(above, row, strict=True):
                    self.leaves[f"w_{source}{unit}"] = Leaf(
                        f"w_{{{source}{unit}}}", f"weight from {source} to {unit}", group, value
                    )
            for unit, value in zip(above, self._biases[depth], strict=True):
                self.leaves[f"b_{unit}"] = Leaf(f"b_{{{unit}}}", f"bias of {unit}", group, value)
        self.units = [unit for layer in self.layers[1:] for unit in layer]
        self.symbols = {"E": "E"}
        for unit in self.units:
            self.symbols |= {
                f"z_{unit}": f"z_{{{unit}}}",
                f"y_{unit}": f"y_{{{unit}}}",
                f"dy_{unit}": f"∂E/∂y_{{{unit}}}",
                f"dz_{unit}": f"∂E/∂z_{{{unit}}}",
            }
        self.symbols |= {
            f"d{name}": f"∂E/∂{self.leaves[name].symbol}" for name in self.leaves if name[:2] in ("w_", "b_")
        }
        self.steps = (
            *(self._forward_step(unit) for unit in self.units),
            Step("E", FORWARD, "the error of the output", ("E",), ("l-E", "t-E")),
            *(self._backward_step(unit) for unit in reversed(self.units)),
        )

    @property
    def first(self) -> str:
        """A weight in the middle of the net: it acts on everything behind it."""
        return "w_j1k1"

    def below(self, unit: str) -> tuple[str, ...]:
        """Return the units (or inputs) that feed `unit`."""
        return self.layers[self._depth(unit) - 1]

    def above(self, unit: str) -> tuple[str, ...]:
        """Return the units that `unit` feeds."""
        return self.layers[self._depth(unit) + 1]

    def _depth(self, unit: str) -> int:
        return next(depth for depth, layer in enumerate(self.layers) if unit in layer)

    def _where(self, unit: str) -> str:
        return "the output l" if unit == "l" else f"unit {unit} of {self.layer_names[self._depth(unit)]}"

    def _forward_step(self, unit: str) -> Step:
        edges = tuple(f"w_{source}{unit}" for source in self.below(unit))
        return Step(unit, FORWARD, f"{self._where(unit)}", (f"z_{unit}", f"y_{unit}"), edges)

    def _backward_step(self, unit: str) -> Step:
        inward = tuple(f"w_{source}{unit}" for source in self.below(unit))
        outward = ("l-E",) if unit == "l" else tuple(f"w_{unit}{target}" for target in self.above(unit))
        found = (f"dy_{unit}", f"dz_{unit}", *(f"d{name}" for name in inward), f"db_{unit}")
        return Step(unit, BACKWARD, f"{self._where(unit)}, then its weights", found, outward)

    @staticmethod
    def _output_name(unit: str) -> str:
        """Return the name of what a unit or an input hands on: ``"x1"`` for ``"i1"``, ``"y_j1"`` for ``"j1"``."""
        return f"x{unit[1:]}" if unit.startswith("i") else f"y_{unit}"

    def _symbol(self, name: str) -> str:
        return self.symbols[name] if name in self.symbols else self.leaves[name].symbol

    def compute(self, leaves: Numbers) -> Numbers:
        """Return z, y, E and all gradients by the figure's rules."""
        n = dict(leaves)
        for unit in self.units:
            terms = (leaves[f"w_{source}{unit}"] * n[self._output_name(source)] for source in self.below(unit))
            n[f"z_{unit}"] = sum(terms) + leaves[f"b_{unit}"]
            n[f"y_{unit}"] = 1.0 / (1.0 + math.exp(-n[f"z_{unit}"]))
        n["E"] = (n["y_l"] - leaves["t"]) ** 2
        for unit in reversed(self.units):
            y = n[f"y_{unit}"]
            if unit == "l":
                n["dy_l"] = 2.0 * (y - leaves["t"])
            else:
                n[f"dy_{unit}"] = sum(leaves[f"w_{unit}{up}"] * n[f"dz_{up}"] for up in self.above(unit))
            n[f"dz_{unit}"] = n[f"dy_{unit}"] * y * (1.0 - y)
            n[f"db_{unit}"] = n[f"dz_{unit}"]
            for source in self.below(unit):
                n[f"dw_{source}{unit}"] = n[f"dz_{unit}"] * n[self._output_name(source)]
        return {name: n[name] for step in self.steps for name in step.found}

    def build(self, leaves: dict[str, Any], constant: Callable[[float], Any]) -> dict[str, Any]:
        """Return z, y and E as nodes; the error is a node times itself, so that ``*`` must add up its gradients."""
        nodes: dict[str, Any] = {}
        for unit in self.units:
            total = leaves[f"b_{unit}"]
            for source in self.below(unit):
                name = self._output_name(source)
                total = leaves[f"w_{source}{unit}"] * (nodes[name] if name in nodes else leaves[name]) + total
            nodes[f"z_{unit}"] = total
            nodes[f"y_{unit}"] = total.sigmoid()
        error = nodes["y_l"] + constant(-1.0) * leaves["t"]
        nodes["E"] = error * error
        return nodes

    def node_of(self, gradient: str) -> str:
        """Return ``"z_k1"`` for ``"dz_k1"``, ``"w_j1k1"`` for ``"dw_j1k1"``."""
        return {"y": "y_", "z": "z_", "w": "w_", "b": "b_"}[gradient[1]] + gradient[3:]

    def rules(self, step: Step, leaves: Numbers, known: Numbers) -> list[Rule]:
        """Return the rules of a step with the numbers of the picture."""
        n = {**leaves, **known}
        unit = step.node
        if unit == "E":
            return [("E = (y_{l} − t)²", f"({show(n['y_l'])} − {short(n['t'])})² = {show(n['E'])}")]
        index = {"j": "i", "k": "j", "l": "k"}[unit[0]]
        if step.direction == FORWARD:
            source_symbol = f"x_{{{index}}}" if index == "i" else f"y_{{{index}}}"
            terms = [
                f"{factor(short(n[f'w_{source}{unit}']))}·{factor(self._text(n, self._output_name(source)))}"
                for source in self.below(unit)
            ]
            return [
                (
                    f"z_{{{unit}}} = Σ_{{{index}}} w_{{{index}{unit}}} {source_symbol} + b_{{{unit}}}",
                    f"{' + '.join(terms)} + {factor(short(n[f'b_{unit}']))} = {show(n[f'z_{unit}'])}",
                ),
                (f"y_{{{unit}}} = σ(z_{{{unit}}})", f"σ({show(n[f'z_{unit}'])}) = {show(n[f'y_{unit}'])}"),
            ]
        y, dy, dz = show(n[f"y_{unit}"]), show(n[f"dy_{unit}"]), show(n[f"dz_{unit}"])
        if unit == "l":
            from_above = ("∂E/∂y_{l} = 2 (y_{l} − t)", f"2·({y} − {short(n['t'])}) = {dy}")
        else:
            up_index = {"j": "k", "k": "l"}[unit[0]]
            terms = [f"{factor(short(n[f'w_{unit}{up}']))}·{factor(show(n[f'dz_{up}']))}" for up in self.above(unit)]
            from_above = (
                f"∂E/∂y_{{{unit}}} = Σ_{{{up_index}}} w_{{{unit}{up_index}}} ∂E/∂z_{{{up_index}}}",
                f"{' + '.join(terms)} = {dy}",
            )
        to_weights = [
            (
                f"∂E/∂w_{{{source}{unit}}} = {self._symbol(self._output_name(source))} ∂E/∂z_{{{unit}}}",
                f"{factor(self._text(n, self._output_name(source)))}·{factor(dz)} = {show(n[f'dw_{source}{unit}'])}",
            )
            for source in self.below(unit)
        ]
        return [
            from_above,
            (
                f"∂E/∂z_{{{unit}}} = ∂E/∂y_{{{unit}}} · y_{{{unit}}}(1 − y_{{{unit}}})",
                f"{factor(dy)}·{y}·(1 − {y}) = {dz}",
            ),
            *to_weights,
            (f"∂E/∂b_{{{unit}}} = ∂E/∂z_{{{unit}}}", show(n[f"db_{unit}"])),
        ]

    def _text(self, n: Numbers, name: str) -> str:
        return short(n[name]) if name in self.leaves else show(n[name])

    _columns: ClassVar[tuple[int, ...]] = (30, 168, 332, 494)
    _error_column: ClassVar[int] = 607

    def _place(self, unit: str) -> tuple[int, int]:
        layer = self.layers[self._depth(unit)]
        row = 160 if len(layer) == 1 else (86, 232)[layer.index(unit)]
        return self._columns[self._depth(unit)], row

    def layout(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the columns inputs, H1, H2, output and error, from left to right."""
        nodes: list[dict[str, Any]] = []
        for source in self.layers[0]:
            x, y = self._place(source)
            nodes.append({"id": source, "x": x, "y": y, "width": 58, "leaf": self._output_name(source), "rows": []})
        for unit in self.units:
            x, y = self._place(unit)
            rows = [("z", f"z_{unit}"), ("y", f"y_{unit}"), ("∂E/∂y", f"dy_{unit}"), ("∂E/∂z", f"dz_{unit}")]
            nodes.append({"id": unit, "x": x, "y": y, "width": 104, "title": unit, "leaf": f"b_{unit}", "rows": rows})
        nodes.append(
            {"id": "E", "x": self._error_column, "y": 160, "width": 78, "title": "(y − t)²", "rows": [("E", "E")]}
        )
        nodes.append({"id": "t", "x": self._error_column, "y": 252, "width": 56, "leaf": "t", "rows": []})
        edges: list[dict[str, Any]] = []
        for unit in self.units:
            for source in self.below(unit):
                name = f"w_{source}{unit}"
                start, end = self._place(source), self._place(unit)
                half = 29 if source.startswith("i") else 52
                # Edges that cross carry their label near their own source, where no other edge runs.
                edges.append(
                    {
                        "id": name,
                        "from": [start[0] + half, start[1]],
                        "to": [end[0] - 52, end[1]],
                        "label_at": 0.5 if start[1] == end[1] or unit == "l" else 0.36,
                        "leaf": name,
                        "gradient": f"d{name}",
                    }
                )
        edges.append({"id": "l-E", "from": [546, 160], "to": [568, 160], "label_at": 0.5})
        edges.append({"id": "t-E", "from": [self._error_column, 237], "to": [self._error_column, 184], "label_at": 0.5})
        return nodes, edges

    def headings(self) -> list[dict[str, Any]]:
        """Return the names of the layers with their index letters, as in the figure."""
        words = ("input i", "H1, units j", "H2, units k", "output l", "error")
        return [{"x": x, "text": text} for x, text in zip((*self._columns, self._error_column), words, strict=True)]


class Reuse(Example):
    """e = a·b + a: the node a is used twice, so two gradients arrive at it and add up."""

    size = (640, 232)

    def __init__(self) -> None:
        self.leaves = {
            "a": Leaf("a", "a, used twice", "numbers", 2.0),
            "b": Leaf("b", "b, used once", "numbers", 3.0, -5.0, 5.0),
        }
        self.symbols = {"c": "c", "e": "e"} | {f"d{name}": f"∂e/∂{name}" for name in "ecab"}
        self.steps = (
            Step("c", FORWARD, "the product", ("c",), ("a-c", "b-c")),
            Step("e", FORWARD, "the sum; a is used a second time", ("e",), ("c-e", "a-e")),
            Step("e", BACKWARD, "begin at the end with 1", ("de",), ()),
            Step("c", BACKWARD, "a sum hands its gradient on unchanged", ("dc",), ("c-e",)),
            Step("b", BACKWARD, "a product hands on the other factor", ("db",), ("b-c",)),
            Step("a", BACKWARD, "two paths arrive at a: their gradients add up", ("da",), ("a-c", "a-e")),
        )

    def compute(self, leaves: Numbers) -> Numbers:
        """Return the values and, by the chain rule, the gradients of e = a·b + a."""
        a, b = leaves["a"], leaves["b"]
        return {"c": a * b, "e": a * b + a, "de": 1.0, "dc": 1.0, "db": a, "da": b + 1.0}

    def build(self, leaves: dict[str, Any], constant: Callable[[float], Any]) -> dict[str, Any]:
        """Return the nodes c and e."""
        c = leaves["a"] * leaves["b"]
        return {"c": c, "e": c + leaves["a"]}

    def node_of(self, gradient: str) -> str:
        """Return ``"a"`` for ``"da"``."""
        return gradient[1:]

    def rules(self, step: Step, leaves: Numbers, known: Numbers) -> list[Rule]:
        """Return the rules of a step with the numbers of the picture."""
        n = {**leaves, **known}
        a, b = factor(short(n["a"])), factor(short(n["b"]))
        if step.direction == FORWARD:
            return {
                "c": [("c = a·b", f"{a}·{b} = {show(n['c'])}")],
                "e": [("e = c + a", f"{show(n['c'])} + {a} = {show(n['e'])}")],
            }[step.node]
        dc, de = factor(show(n["dc"])), factor(show(n["de"]))
        return {
            "e": [("∂e/∂e = 1", show(n["de"]))],
            "c": [("∂e/∂c = ∂e/∂e · 1", f"{de}·1 = {dc}")],
            "b": [("∂e/∂b = ∂e/∂c · a", f"{dc}·{a} = {show(n['db'])}")],
            "a": [("∂e/∂a = ∂e/∂c · b + ∂e/∂e · 1", f"{dc}·{b} + {de}·1 = {show(n['da'])}")],
        }[step.node]

    def messages(self, leaves: Numbers, known: Numbers) -> Numbers:
        """Return the gradient that each use of a node hands back; the two that arrive at a are its terms."""
        return {
            "c-e": known["de"],
            "a-e": known["de"],
            "b-c": known["dc"] * leaves["a"],
            "a-c": known["dc"] * leaves["b"],
        }

    def layout(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return a and b on the left, c in the middle, e on the right."""
        nodes: list[dict[str, Any]] = [
            {"id": "a", "x": 90, "y": 50, "width": 128, "leaf": "a", "rows": [("∂e/∂a", "da")]},
            {"id": "b", "x": 90, "y": 196, "width": 128, "leaf": "b", "rows": [("∂e/∂b", "db")]},
            {"id": "c", "x": 320, "y": 156, "width": 128, "title": "a·b", "rows": [("c", "c"), ("∂e/∂c", "dc")]},
            {"id": "e", "x": 550, "y": 84, "width": 128, "title": "c + a", "rows": [("e", "e"), ("∂e/∂e", "de")]},
        ]
        ends = {
            "a-c": ([154, 60], [256, 146]),
            "b-c": ([154, 196], [256, 170]),
            "c-e": ([384, 156], [486, 98]),
            "a-e": ([154, 46], [486, 70]),
        }
        edges = [{"id": name, "from": start, "to": end, "label_at": 0.5} for name, (start, end) in ends.items()]
        return nodes, edges


EXAMPLES: dict[str, Example] = {"network": Network(), "reuse": Reuse()}


@dataclass(frozen=True)
class GraphState:
    """Which graph, which step, which numbers.

    Attributes
    ----------
    example : {"network", "reuse"}
        The lecture's net, or an expression in which a node is used twice.
    step : int
        How many steps have been taken, 0 to the number of steps of the example.
    selected : str
        The leaf that the slider changes, ``"w_j1k1"``; empty for the first choice of the example.
    values : dict of str to float
        The leaves that differ from their default.
    """

    example: str = "network"
    step: int = 0
    selected: str = ""
    values: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.example not in EXAMPLES:
            raise ValueError(f"example is one of {', '.join(EXAMPLES)}, not {self.example!r}")
        example = EXAMPLES[self.example]
        if not 0 <= self.step <= len(example.steps):
            raise ValueError(f"step lies between 0 and {len(example.steps)}, not at {self.step}")
        for name in (self.selected, *self.values):
            if name and name not in example.leaves:
                raise ValueError(f"{name!r} is no number of this graph: it has {', '.join(example.leaves)}")
        for name, value in self.values.items():
            leaf = example.leaves[name]
            if not leaf.low <= value <= leaf.high:
                raise ValueError(f"{name} lies between {leaf.low:g} and {leaf.high:g}, not at {value:g}")


@dataclass(frozen=True)
class Learner:
    """What the learner's class made of the graph.

    Attributes
    ----------
    known : dict of str to float
        The quantities that it computed; the others are the toolkit's.
    words : str
        What to say about it.
    wrong : bool
        Whether `words` tell of an error.
    """

    known: Numbers
    words: str
    wrong: bool


def walk(state: GraphState, action: str) -> GraphState:
    """Return the state after one of the four buttons.

    >>> walk(GraphState(), "forward").step
    1
    """
    last = len(EXAMPLES[state.example].steps)
    step = {"start": 0, "back": max(0, state.step - 1), "forward": min(last, state.step + 1), "end": last}[action]
    return replace(state, step=step)


def change(state: GraphState, name: str, value: float) -> GraphState:
    """Return the state with one leaf changed; a leaf that is back at its default is forgotten."""
    values = {**state.values, name: float(value)}
    if name in (leaves := EXAMPLES[state.example].leaves) and leaves[name].default == value:
        del values[name]
    return replace(state, values=values)


def ask_learner(example: Example, leaves: Numbers, Value: Callable[[float], Any] | None) -> Learner:
    """Run the graph on the learner's class, as far as it is written.

    Parameters
    ----------
    example : Example
        The graph.
    leaves : dict of str to float
        Its numbers.
    Value : class or None
        The learner's class: ``Value(data)`` with ``.data``, ``.grad``, ``+``, ``*``, ``.sigmoid()``, ``.backward()``.

    Returns
    -------
    Learner
        Its numbers and the sentence that says where they come from.
    """
    if Value is None:
        return Learner({}, "Your Value is not written yet: the toolkit computes these numbers.", False)
    lifted: dict[str, Any] = {}
    nodes: dict[str, Any] = {}

    def run_forward() -> Numbers:
        lifted.update((name, Value(number)) for name, number in leaves.items())
        nodes.update(example.build(lifted, Value))
        return {name: float(node.data) for name, node in nodes.items()}

    def run_backward() -> Numbers:
        list(nodes.values())[-1].backward()
        everything = {**lifted, **nodes}
        gradients = [name for step in example.steps if step.direction == BACKWARD for name in step.found]
        return {name: float(everything[example.node_of(name)].grad) for name in gradients}

    forward = call_learner("Value", run_forward)
    if forward.kind == "error":
        return Learner({}, f"{forward.words}. The toolkit computes these numbers.", True)
    if forward.kind == "missing":
        return Learner({}, "Your Value is not complete yet: the toolkit computes these numbers.", False)
    backward = call_learner("Value.backward()", run_backward)
    if backward.kind == "error":
        return Learner(forward.value, f"{backward.words}. The gradients are the toolkit's.", True)
    if backward.kind == "missing":
        words = (
            "Your Value computes the way forward. Its backward() is not written yet: the gradients are the toolkit's."
        )
        return Learner(forward.value, words, False)
    return Learner({**forward.value, **backward.value}, "Your Value computes every number here.", False)


def differs(got: float, expected: float) -> bool:
    """Return whether two numbers are different beyond rounding; NaN always is."""
    return not abs(got - expected) <= 1e-9 + 1e-6 * abs(expected)


def view_of(state: GraphState, Value: Callable[[float], Any] | None = None) -> dict[str, Any]:
    """Return everything that the browser draws.

    Parameters
    ----------
    state : GraphState
        What to show.
    Value : class or None
        The learner's class, see :func:`ask_learner`.
    """
    example = EXAMPLES[state.example]
    leaves = example.numbers(state.values)
    oracle = example.compute(leaves)
    learner = ask_learner(example, leaves, Value)
    known = {**oracle, **learner.known}
    wrong = [name for name in oracle if differs(known[name], oracle[name])]

    step = example.steps[state.step - 1] if state.step else None
    found = {name for past in example.steps[: state.step] for name in past.found}
    now = set(step.found) if step else set()

    def quantity(name: str, label: str) -> dict[str, Any]:
        return {
            "label": label,
            "text": show(known[name]) if name in found else "",
            "now": name in now,
            "direction": BACKWARD if name.startswith("d") else FORWARD,
            "toolkit": show(oracle[name]) if name in found and name in wrong else "",
        }

    def leaf_text(item: dict[str, Any]) -> dict[str, Any] | None:
        if "leaf" not in item:
            return None
        leaf = example.leaves[item["leaf"]]
        symbol = "b" if item["leaf"].startswith("b_") else leaf.symbol
        return {"name": item["leaf"], "symbol": symbol, "text": short(leaves[item["leaf"]])}

    nodes, edges = example.layout()
    drawn_nodes = [
        {
            **node,
            "leaf": leaf_text(node),
            "rows": [quantity(name, label) for label, name in node["rows"]],
            "lit": step.direction if step and step.node == node["id"] else "",
        }
        for node in nodes
    ]
    messages = example.messages(leaves, known)
    handed = {edge for past in example.steps[: state.step] if past.direction == BACKWARD for edge in past.edges}

    def carried(edge: dict[str, Any]) -> dict[str, Any] | None:
        if "gradient" in edge:
            return quantity(edge["gradient"], "∂E/∂w")
        if edge["id"] in messages and edge["id"] in handed:
            return {
                "label": "handed back",
                "text": show(messages[edge["id"]]),
                "now": edge["id"] in step_edges,
                "toolkit": "",
            }
        return None

    step_edges = step.edges if step else ()
    drawn_edges = [
        {
            **edge,
            "leaf": leaf_text(edge),
            "gradient": carried(edge),
            "lit": step.direction if step and edge["id"] in step_edges else "",
            "strength": min(1.0, abs(leaves[edge["leaf"]]) / 2.0) if "leaf" in edge else 0.4,
        }
        for edge in edges
    ]

    chosen = state.selected or example.first
    leaf = example.leaves[chosen]
    words, is_wrong = learner.words, learner.wrong
    if wrong:
        at = next(number for number, past in enumerate(example.steps, start=1) if wrong[0] in past.found)
        words = (
            f"Your Value differs from the toolkit first at step {at}, {example.symbols[wrong[0]]}: "
            f"yours {show(known[wrong[0]])}, the toolkit's {show(oracle[wrong[0]])}."
        )
        is_wrong = True
    return {
        "example": state.example,
        "size": list(example.size),
        "headings": example.headings(),
        "nodes": drawn_nodes,
        "edges": drawn_edges,
        "step": state.step,
        "steps": len(example.steps),
        "turning": next(n for n, past in enumerate(example.steps) if past.direction == BACKWARD),
        "direction": step.direction if step else "",
        "title": step.title if step else "",
        "rules": [list(rule) for rule in example.rules(step, leaves, known)] if step else [],
        "selected": chosen,
        "leaves": [
            {"name": name, "symbol": item.symbol, "words": item.words, "group": item.group}
            for name, item in example.leaves.items()
        ],
        "slider": {"value": leaves[chosen], "min": leaf.low, "max": leaf.high},
        "changed": bool(state.values),
        "words": words,
        "wrong": is_wrong,
        "status": describe(example, step, state.step, known),
    }


def describe(example: Example, step: Step | None, number: int, known: Numbers) -> str:
    """Return the sentence that is read aloud: which step this is, and what it found."""
    if step is None:
        return "At the start: the inputs, weights and biases are given. Step forward to compute the first node."
    results = ", ".join(f"{example.symbols[name]} = {show(known[name])}" for name in step.found[:2])
    sentence = f"Step {number} of {len(example.steps)}, {step.direction}, {step.title}: {results}."
    return sentence.replace("_{", "_").replace("}", "")


class ComputationGraph(CourseWidget[GraphState]):
    """A graph stepped forward (z, y) and backward (∂E/∂y, ∂E/∂z), with every rule written out in numbers.

    Parameters
    ----------
    Value : class, optional
        The learner's scalar autograd class: ``Value(data)`` with ``.data``, ``.grad``, ``+``, ``*``, ``.sigmoid()``
        and ``.backward()``. Where it is not written, the toolkit computes, and the widget says so.
    example : {"network", "reuse"}
        The lecture's net with two hidden layers, or ``e = a·b + a``.
    step : int
        How many steps have been taken.
    selected : str
        The number that the slider changes.
    values : dict of str to float, optional
        Numbers that differ from their default, ``{"w_j1k1": 0.5}``.

    Raises
    ------
    ValueError
        For an example, a step or a number that does not exist.
    """

    _esm, _css = assets("computation_graph")

    def __init__(
        self,
        Value: Callable[[float], Any] | None = None,
        *,
        example: str = "network",
        step: int = 0,
        selected: str = "",
        values: Mapping[str, float] | None = None,
    ) -> None:
        self.Value = Value
        super().__init__(GraphState(example, step, selected, dict(values or {})), (("Value", Value),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.Value)

    def act(self, state: GraphState, action: str, values: dict[str, Any]) -> GraphState:
        """Answer the buttons, the list of examples, the list of numbers and the slider."""
        if action in ("start", "back", "forward", "end"):
            return walk(state, action)
        if action == "example":
            return GraphState(**values)
        if action == "restore":
            return replace(state, values={})
        if action == "set" and "value" in values:
            state = change(state, state.selected or EXAMPLES[state.example].first, values.pop("value"))
        return super().act(state, action, values)
