"""A network as a table of layers: change one and see shapes, parameters, multiply-accumulates and memory follow.

The state and the pictures of it are plain Python (:class:`ArchitectureState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from convnets.models import specs
from convnets.models.vgg import STAGES
from convnets.widgets.base import CourseWidget, Learner, assets, call_learner

#: Place of a layer in the spec, name of a field, its new value.
Change = tuple[int, str, int]

NETWORKS: dict[str, list[specs.Layer]] = {
    "LeNet-5": specs.lenet5(),
    "AlexNet": specs.alexnet(),
    "AlexNet, one GPU": specs.alexnet(two_gpus=False),
    "VGG-11": specs.vgg(STAGES["A"]),
    "VGG-16": specs.vgg(STAGES["D"]),
    "VGG-19": specs.vgg(STAGES["E"]),
}
#: What can be changed of each kind of layer.
FIELDS: dict[str, tuple[str, ...]] = {
    "image": ("side",),
    "conv": ("filters", "kernel", "stride", "padding", "groups"),
    "pool": ("kernel", "stride"),
    "lrn": (),
    "fc": ("units",),
}
LIMITS = {
    "side": (8, 1024),
    "filters": (1, 4096),
    "kernel": (1, 15),
    "stride": (1, 8),
    "padding": (0, 7),
    "groups": (1, 1024),
    "units": (1, 16384),
    "batch": (1, 1024),
}
#: Columns of the table with a bar each, and what the learner's rows are compared in.
MEASURES = ("parameters", "macs", "values")
COUNTED = ("shape", "values", "weights", "biases", "macs")


@dataclass(frozen=True)
class ArchitectureState:
    """All there is to know of one picture.

    Attributes
    ----------
    network : str
        A name of `NETWORKS`.
    layer : int
        The entry of the spec that the controls change, 0 the picture; moved to the last one where it lies beyond.
    changes : tuple of (int, str, int)
        Entry, field and value of everything that differs from the network as published; a picture's field is "side".
    batch : int
        Pictures whose activations are kept, 1 to 1,024.
    """

    network: str = "VGG-16"
    layer: int = 1
    changes: tuple[Change, ...] = ()
    batch: int = 1

    def __post_init__(self) -> None:
        put = object.__setattr__  # a frozen dataclass is filled in once, here
        if self.network not in NETWORKS:
            raise ValueError(f"network is one of {', '.join(NETWORKS)}, not {self.network!r}.")
        spec = NETWORKS[self.network]
        put(self, "changes", tuple((place, field, value) for place, field, value in self.changes))
        for place, field, value in self.changes:
            if not 0 <= place < len(spec) or field not in FIELDS[spec[place]["kind"]]:
                raise ValueError(f"{self.network} has nothing called {field!r} in layer {place}.")
            within(field, value)
        within("batch", self.batch)
        put(self, "layer", min(max(self.layer, 0), len(spec) - 1))

    @property
    def spec(self) -> list[specs.Layer]:
        """The network with all changes made."""
        spec = [dict(layer) for layer in NETWORKS[self.network]]
        for place, field, value in self.changes:
            if field == "side":
                spec[place]["shape"] = (spec[place]["shape"][0], value, value)
            else:
                spec[place][field] = value
        return spec


def within(field: str, value: int) -> None:
    """Refuse a value outside the limits of its control."""
    lowest, highest = LIMITS[field]
    if not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueError(f"{field} is a whole number from {lowest} to {highest:,}, not {value!r}.")


def value_of(layer: specs.Layer, field: str) -> int:
    """Return a field of a layer; a picture's side is its height."""
    return int(layer["shape"][1] if field == "side" else layer[field])


def changed(state: ArchitectureState, place: int, field: str, value: int) -> ArchitectureState:
    """Return the state with one more change; a change back to the published value is forgotten."""
    changes = {(where, name): number for where, name, number in state.changes}
    changes[place, field] = value
    layer = NETWORKS[state.network][place]
    if field in FIELDS[layer["kind"]] and value == value_of(layer, field):
        del changes[place, field]
    return replace(state, changes=tuple((*key, number) for key, number in sorted(changes.items())))


def counted_rows(spec: list[specs.Layer]) -> tuple[list[specs.Row], str]:
    """Return the rows of the layers that fit, and in words why the next one does not, empty where all do."""
    rows: list[specs.Row] = []
    for end in range(1, len(spec) + 1):
        try:
            rows = specs.layer_table(spec[:end])
        except ValueError as error:
            return rows, str(error)
    return rows, ""


def layer_name(layer: specs.Layer) -> str:
    """Write a layer in short: "conv 96 · 11×11 /4", "pool 2×2 /2", "fc 4,096"."""
    kind = layer["kind"]
    if kind == "image":
        return "picture"
    if kind == "fc":
        return f"fc {layer['units']:,}"
    if kind == "lrn":
        return "lrn"
    kernel = f"{layer['kernel']}×{layer['kernel']}"
    stride = f" /{layer['stride']}" if layer["stride"] > 1 else ""
    if kind == "pool":
        return f"pool {kernel}{stride}"
    padding = f" p{layer['padding']}" if layer["padding"] else ""
    groups = f" g{layer['groups']}" if layer["groups"] > 1 else ""
    return f"conv {layer['filters']:,} · {kernel}{stride}{padding}{groups}"


def short(value: float) -> str:
    """Write a count with three digits: "0", "1,728", "36.9 k", "102.8 M", "15.5 G"."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size * (10 if unit == "k" else 1):
            return f"{value / size:.1f} {unit}"
    return f"{value:,.0f}"


def size_of(values: int) -> str:
    """Write the memory of so many float32 numbers, in millions of bytes."""
    return f"{values * 4 / 1e6:,.1f} MB"


def learner_rows(
    spec: list[specs.Layer], own: list[specs.Row], problem: str, layer_table: Learner
) -> tuple[list[specs.Row], set[int], list[dict[str, Any]]]:
    """Return the rows to show, which of them are wrong, and notes: the learner's where they can be used.

    Where the spec does not fit, a ``ValueError`` is the right answer, and the toolkit's rows up to there are shown.
    """

    def note(words: str, wrong: bool = True) -> list[dict[str, Any]]:
        return [{"words": words, "wrong": wrong}]

    outcome = call_learner("layer_table", layer_table, spec)
    if outcome.kind == "missing":
        return own, set(), note(outcome.words, wrong=False)
    if outcome.kind == "error":
        if problem and isinstance(outcome.value, ValueError):
            return own, set(), note("Your layer_table refuses it too.", wrong=False)
        return own, set(), note(f"{outcome.words}. The toolkit's table is shown.")
    if problem:
        return own, {len(own)}, note("Your layer_table takes this network; it should raise a ValueError.")
    rows = outcome.value
    if not isinstance(rows, Sequence) or len(rows) != len(own) or not all(isinstance(row, dict) for row in rows):
        return own, set(), note(f"Your layer_table returned no list of {len(own)} dicts. The toolkit's table is shown.")
    lacking = [name for name in COUNTED[1:] if not all(isinstance(row.get(name), Integral) for row in rows)]
    if lacking:
        names = ", ".join(lacking)
        return own, set(), note(f"Your rows lack whole numbers under {names}. The toolkit's table is shown.")
    differences = [difference(row, right) for row, right in zip(rows, own, strict=True)]
    wrong = [place for place, name in enumerate(differences) if name]
    if not wrong:
        return own, set(), []
    first, name = wrong[0], differences[wrong[0]]
    found, expected = rows[first].get(name), own[first][name]
    words = f"Your row {first} ({layer_name(spec[first])}) has {name} {found}; expected was {expected}."
    shown = [{**right, **{name: int(row[name]) for name in COUNTED[1:]}} for row, right in zip(rows, own, strict=True)]
    return shown, set(wrong), note(words)


def difference(row: specs.Row, right: specs.Row) -> str:
    """Return under which name a learner's row differs first, empty where it does not; a shape may be a list."""
    shape = row.get("shape")
    if not isinstance(shape, Sequence) or tuple(shape) != right["shape"]:
        return "shape"
    return next((name for name in COUNTED[1:] if row[name] != right[name]), "")


def view_of(state: ArchitectureState, layer_table: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : ArchitectureState
    layer_table : callable or None
        The learner's function; the toolkit counts where it is missing or fails.
    """
    spec = state.spec
    own, problem = counted_rows(spec)
    rows, wrong, notes = learner_rows(spec, own, problem, layer_table)
    touched = {place for place, _, _ in state.changes}
    numbers = [
        {"parameters": row["weights"] + row["biases"], "macs": row["macs"], "values": row["values"]} for row in rows
    ]
    most = {name: max([row[name] for row in numbers] + [1]) for name in MEASURES}
    shown = []
    for place, layer in enumerate(spec):
        fits = place < len(rows)
        cells = [
            {
                "text": short(numbers[place][name]),
                "full": f"{numbers[place][name]:,}",
                "share": round(numbers[place][name] / most[name], 4),
            }
            for name in (MEASURES if fits else ())
        ]
        shown.append(
            {
                "name": layer_name(layer),
                "kind": layer["kind"],
                "shape": " × ".join(map(str, rows[place]["shape"])) if fits else "",
                "cells": cells,
                "changed": place in touched,
                "wrong": place in wrong or (bool(problem) and place == len(rows)),
            }
        )
    layer = spec[state.layer]
    fields = {field: [value_of(layer, field), *LIMITS[field]] for field in FIELDS[layer["kind"]]}
    return {
        "network": state.network,
        "layer": state.layer,
        "layer_name": layer_name(layer),
        "fields": fields,
        "batch": [state.batch, *LIMITS["batch"]],
        "rows": shown,
        "totals": [] if problem else totals(numbers, rows, state.batch),
        "fits": not problem,
        "changed": bool(state.changes),
        "notes": notes,
        "status": f"{layer_name(spec[len(rows)])} in row {len(rows)}: {problem}." if problem else told(state, rows),
    }


def totals(numbers: list[dict[str, int]], rows: list[specs.Row], batch: int) -> list[list[str]]:
    """Return name, figure and remark of each sum under the table."""
    sums = {name: sum(row[name] for row in numbers) for name in MEASURES}
    weights = sum(row["weights"] for row in rows)
    kept = "1 picture" if batch == 1 else f"{batch:,} pictures"
    return [
        ["parameters", f"{sums['parameters']:,}", f"{size_of(sums['parameters'])}; {weights:,} without biases"],
        ["multiply-accumulates", f"{sums['macs']:,}", "for one picture"],
        ["activations", f"{sums['values']:,}", f"for one picture; {size_of(sums['values'] * batch)} for {kept}"],
    ]


def told(state: ArchitectureState, rows: list[specs.Row]) -> str:
    """Say in one or two sentences what the network costs and where it is."""
    parameters = sum(row["weights"] + row["biases"] for row in rows)
    macs = sum(row["macs"] for row in rows)
    dense = [row for row in rows if row["kind"] == "fc"]
    share = [
        100 * sum(row["weights"] + row["biases"] for row in dense) / max(parameters, 1),
        100 * sum(row["macs"] for row in dense) / max(macs, 1),
    ]
    name = f"{state.network}, changed," if state.changes else state.network
    return (
        f"{name} has {parameters:,} parameters and needs {short(macs)} multiply-accumulates for a picture. The fully "
        f"connected layers hold {share[0]:.1f} % of the parameters and do {share[1]:.1f} % of the multiplications."
    )


class ArchitectureCalculator(CourseWidget[ArchitectureState]):
    """LeNet-5, AlexNet or VGG as a table counted by your ``layer_table``; change any layer.

    Parameters
    ----------
    layer_table : callable or None
        Yours: ``layer_table(spec)`` returns one dict a row. Without it, or while it raises ``NotImplementedError``, the
        toolkit counts and says so.
    network, layer, changes, batch
        See :class:`ArchitectureState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ArchitectureCalculator(network="AlexNet", changes=[(0, "side", 224)]).as_code()
    "ArchitectureCalculator(network='AlexNet', changes=[[0, 'side', 224]])"
    """

    _esm, _css = assets("architecture_calculator")

    def __init__(
        self,
        layer_table: Learner = None,
        *,
        network: str = ArchitectureState.network,
        layer: int = ArchitectureState.layer,
        changes: Sequence[Sequence[Any]] = (),
        batch: int = ArchitectureState.batch,
    ) -> None:
        self.layer_table = layer_table
        given: Any = tuple(tuple(change) for change in changes)
        super().__init__(ArchitectureState(network, layer, given, batch), (("layer_table", layer_table),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.layer_table)

    def act(self, state: ArchitectureState, action: str, values: dict[str, Any]) -> ArchitectureState:
        """Answer the networks, the table's rows and keys, and the controls of one layer."""
        match action:
            case "network":
                return ArchitectureState(values["name"], batch=state.batch)
            case "reset":
                return replace(state, changes=())
            case "move":
                return replace(state, layer=state.layer + values["by"])
            case "change":
                return changed(state, state.layer, values["field"], values["value"])
            case "scale":
                # Half or twice as many filters or units, within the limits of the control.
                layer = state.spec[state.layer]
                field = "units" if layer["kind"] == "fc" else "filters"
                lowest, highest = LIMITS[field]
                wanted = int(value_of(layer, field) * values["by"])
                return changed(state, state.layer, field, min(max(wanted, lowest), highest))
        return super().act(state, action, values)
