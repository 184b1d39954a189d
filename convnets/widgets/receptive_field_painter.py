"""What a unit sees: click a unit of a small net and everything it rests on is painted, down to the pixels.

The state and the pictures of it are plain Python (:class:`ReceptiveFieldState`, :func:`view_of`); the browser draws.
One side of the maps is shown: rows and columns behave alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets.widgets.base import CourseWidget, Learner, assets, call_learner, counted, missing_words, number

#: Kernel size, stride, padding and dilation.
Layer = tuple[int, int, int, int]
Counts = npt.NDArray[np.int64]

FIELDS = ("kernel", "stride", "padding", "dilation")
#: Lowest and highest values of the controls; larger pictures are not readable.
LIMITS = {"pixels": (5, 48), "kernel": (1, 11), "stride": (1, 4), "padding": (0, 8), "dilation": (1, 8)}
MOST_LAYERS = 5
#: Nets to begin with: layers and pixels.
NETS: dict[str, tuple[tuple[Layer, ...], int]] = {
    "two 3 × 3": (((3, 1, 0, 1), (3, 1, 0, 1)), 7),
    "one 5 × 5": (((5, 1, 0, 1),), 7),
    "pooled": (((3, 1, 0, 1), (2, 2, 0, 1), (3, 1, 0, 1)), 16),
    "dilated": (((3, 1, 1, 1), (3, 1, 2, 2), (3, 1, 4, 4), (3, 1, 8, 8)), 41),
    "LeNet-5": (((5, 1, 0, 1), (2, 2, 0, 1), (5, 1, 0, 1), (2, 2, 0, 1), (5, 1, 0, 1)), 32),
    "ResNet": (((7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1)), 48),
}


@dataclass(frozen=True)
class ReceptiveFieldState:
    """All there is to know of one picture.

    Attributes
    ----------
    layers : tuple of (int, int, int, int)
        Kernel size, stride, padding and dilation of 1 to 5 layers, the first one next to the pixels.
    pixels : int
        Pixels along the side.
    layer : int
        The layer that the controls change, counted from 0; moved to the last one where it lies beyond.
    unit : None or (int, int)
        Map and number of the unit that is painted, map 1 that of the first layer; moved into the picture where it lies
        outside. None: the middle of the last map.
    """

    layers: tuple[Layer, ...] = NETS["two 3 × 3"][0]
    pixels: int = NETS["two 3 × 3"][1]
    layer: int = 0
    unit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__  # a frozen dataclass is filled in once, here
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise ValueError(f"layers are 1 to {MOST_LAYERS}, not {len(self.layers)}.")
        if any(len(layer) != len(FIELDS) for layer in self.layers):
            raise ValueError(f"a layer is four numbers, {', '.join(FIELDS)}.")
        put(self, "layers", tuple(tuple(layer) for layer in self.layers))
        values = [("pixels", self.pixels)]
        values += [pair for layer in self.layers for pair in zip(FIELDS, layer, strict=True)]
        for name, value in values:
            lowest, highest = LIMITS[name]
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise ValueError(f"{name} is a whole number from {lowest} to {highest}, not {value!r}.")
        for place, (size, layer) in enumerate(zip(self.sizes, self.layers, strict=False), start=1):
            extent, room = layer[3] * (layer[0] - 1) + 1, size + 2 * layer[2]
            if extent > room:
                raise ValueError(f"Layer {place} does not fit: its window spans {extent} units, {room} are there.")
        put(self, "layer", min(max(self.layer, 0), len(self.layers) - 1))
        if self.unit is not None:
            row = min(max(self.unit[0], 1), len(self.layers))
            put(self, "unit", (row, min(max(self.unit[1], 0), self.sizes[row] - 1)))

    @property
    def sizes(self) -> list[int]:
        """Units of each map, the pixels first; it ends at the first layer that does not fit."""
        sizes = [self.pixels]
        for kernel, stride, padding, dilation in self.layers:
            room = sizes[-1] + 2 * padding - dilation * (kernel - 1) - 1
            if room < 0:
                break
            sizes.append(room // stride + 1)
        return sizes

    @property
    def painted(self) -> tuple[int, int]:
        """Map and number of the unit that is painted."""
        return self.unit or (len(self.layers), self.sizes[-1] // 2)


def taps(layer: Layer, unit: int) -> list[int]:
    """List the units of the map below that a unit rests on; numbers outside the map lie in the padding."""
    kernel, stride, padding, dilation = layer
    return [unit * stride - padding + a * dilation for a in range(kernel)]


def paths_of(state: ReceptiveFieldState) -> list[Counts]:
    """Count, for every unit of every map from the painted one down, the paths that lead from it to the painted unit.

    Returns
    -------
    list of ndarray of int
        One for each map, the pixels first, up to the map of the painted unit.
    """
    row, unit = state.painted
    counts = np.zeros(state.sizes[row], np.int64)
    counts[unit] = 1
    found = [counts]
    for layer, size in zip(reversed(state.layers[:row]), reversed(state.sizes[:row]), strict=True):
        below = np.zeros(size, np.int64)
        for upper in np.flatnonzero(found[0]):
            for lower in taps(layer, int(upper)):
                if 0 <= lower < size:
                    below[lower] += found[0][upper]
        found.insert(0, below)
    return found


def geometry(layers: Sequence[Layer]) -> tuple[int, int, int]:
    """Return field, jump and start of a stack of layers by following the outermost taps of units 0 and 1 down."""
    spans = []
    for unit in (0, 1):
        first = last = unit
        for layer in reversed(layers):
            first, last = taps(layer, first)[0], taps(layer, last)[-1]
        spans.append((first, last))
    (first, last), (second, _) = spans
    return last - first + 1, second - first, first


def learner_span(
    state: ReceptiveFieldState, receptive_field: Learner, jump_and_start: Learner
) -> tuple[tuple[int, int] | None, list[str], list[str]]:
    """Compute the first and the last pixel of the painted unit's field with the learner's functions.

    Returns
    -------
    span : (int, int) or None
        None where a function gives no whole numbers.
    missing, problems : list of str
        Functions that are not written yet (the toolkit's numbers fill in), and a sentence for each other trouble.
    """
    row, unit = state.painted
    layers = list(state.layers[:row])
    field, jump, start = geometry(layers)
    missing, problems = [], []
    answers: dict[str, tuple[int, ...]] = {"receptive_field": (field,), "jump_and_start": (jump, start)}
    for default, function in (("receptive_field", receptive_field), ("jump_and_start", jump_and_start)):
        name = getattr(function, "__name__", default)
        outcome = call_learner(name, function, layers)
        if outcome.kind == "missing":
            missing.append(name)
        elif outcome.kind == "error":
            problems.append(f"{outcome.words}.")
        else:
            value = outcome.value if isinstance(outcome.value, tuple | list) else (outcome.value,)
            wanted = answers[default]
            if len(value) != len(wanted) or not all(isinstance(v, int | np.integer) for v in value):
                what = "one whole number" if len(wanted) == 1 else "two whole numbers, jump and start"
                problems.append(f"Your {name} should return {what}.")
            else:
                answers[default] = tuple(int(v) for v in value)
    if problems:
        return None, missing, problems
    (field,), (jump, start) = answers["receptive_field"], answers["jump_and_start"]
    return (start + unit * jump, start + unit * jump + field - 1), missing, problems


def layer_name(layer: Layer) -> str:
    """Write a layer in short: ``3×3``, ``3×3 /2 p1``, ``3×3 p4 d4``."""
    kernel, stride, padding, dilation = layer
    parts = [f"{kernel}×{kernel}"]
    parts += [f"/{stride}"] if stride > 1 else []
    parts += [f"p{padding}"] if padding else []
    parts += [f"d{dilation}"] if dilation > 1 else []
    return " ".join(parts)


def view_of(
    state: ReceptiveFieldState, receptive_field: Learner = None, jump_and_start: Learner = None
) -> dict[str, Any]:
    """Describe the picture of a state for the browser; all places are in pixels, pixel 0 from 0 to 1.

    Parameters
    ----------
    state : ReceptiveFieldState
    receptive_field, jump_and_start : callable or None
        The learner's functions, called where they exist.
    """
    row, unit = state.painted
    paths = paths_of(state)
    field, jump, start = geometry(state.layers[:row])
    first, last = start + unit * jump, start + unit * jump + field - 1
    span, missing, problems = learner_span(state, receptive_field, jump_and_start)
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": words, "wrong": True} for words in problems]
    wrong = span is not None and span != (first, last)
    if span is not None and wrong:
        words = (
            f"Your functions say pixels {number(span[0])} to {number(span[1])}; the taps lead to {number(first)} to "
        )
        notes.append({"words": f"{words}{number(last)}.", "wrong": True})

    rows = []
    for place, size in enumerate(state.sizes):
        own_field, own_jump, own_start = geometry(state.layers[:place])
        middle = own_start + own_field / 2
        seen = paths[place] if place < len(paths) else np.zeros(size, np.int64)
        rows.append(
            {
                "name": "pixels" if place == 0 else f"{place}: {layer_name(state.layers[place - 1])}",
                "field": own_field,
                "jump": own_jump,
                "first": middle - own_jump / 2,
                "paths": seen.tolist(),
                "painted": unit if place == row else -1,
            }
        )

    pixels = np.flatnonzero(paths[0])
    total = int(paths[0].sum())
    seen_words = f"pixels {number(first)} to {number(last)}, a field of {field}"
    status = f"Unit {unit} of map {row} sees {seen_words}, by {counted(total, 'path')}."
    holes = len(range(max(first, 0), min(last, state.pixels - 1) + 1)) - len(pixels)
    if holes:
        status += f" The field has holes: {counted(holes, 'pixel')} in it cannot be seen."
    outside = max(-first, 0) + max(last - state.pixels + 1, 0)
    if outside:
        status += f" {counted(outside, 'pixel')} of it {'lies' if outside == 1 else 'lie'} in the padding."
    kernel, stride, padding, dilation = state.layers[state.layer]
    values = {"pixels": state.pixels, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    net = next((name for name, net in NETS.items() if net == (state.layers, state.pixels)), "")
    return {
        "controls": {name: [value, *LIMITS[name]] for name, value in values.items()},
        "net": net,
        "layers": [layer_name(layer) for layer in state.layers],
        "layer": state.layer,
        "most_layers": MOST_LAYERS,
        "rows": rows,
        "pixels": state.pixels,
        "bracket": list(span) if span is not None else [first, last],
        "wrong": wrong,
        "reach": [min(0, first), max(state.pixels, last + 1)],
        "notes": notes,
        "status": status,
    }


def moved(state: ReceptiveFieldState, rows: int, columns: int) -> ReceptiveFieldState:
    """Return the state `columns` units further, or at the nearest unit of another map (`rows` up is negative)."""
    row, unit = state.painted
    wanted = min(max(row - rows, 1), len(state.layers))
    if wanted == row:
        return replace(state, unit=(row, unit + columns))
    field, jump, start = geometry(state.layers[:row])
    middle = start + unit * jump + field / 2
    field, jump, start = geometry(state.layers[:wanted])
    return replace(state, unit=(wanted, round((middle - start - field / 2) / jump)))


class ReceptiveFieldPainter(CourseWidget[ReceptiveFieldState]):
    """Click a unit of a small net: what it sees is painted, and your own formulas draw the bracket.

    Parameters
    ----------
    receptive_field : callable or None
        Yours: ``receptive_field(layers)`` with layers as tuples ``(kernel_size, stride, padding, dilation)``. Without
        it, or while it raises ``NotImplementedError``, the toolkit computes it and says so.
    jump_and_start : callable or None
        Yours: ``jump_and_start(layers)``, which returns two whole numbers.
    layers : sequence of (int, int, int, int)
        Default: lecture C's two 3×3 layers.
    pixels : int
    layer : int
        The layer that the controls change, counted from 0.
    unit : (int, int), optional
        Map and number of the unit that is painted; default: the middle of the last map.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ReceptiveFieldPainter(layers=[(5, 1, 0, 1)]).as_code()
    'ReceptiveFieldPainter(layers=[[5, 1, 0, 1]])'
    """

    _esm, _css = assets("receptive_field_painter")

    def __init__(
        self,
        receptive_field: Learner = None,
        jump_and_start: Learner = None,
        *,
        layers: Sequence[Sequence[int]] = NETS["two 3 × 3"][0],
        pixels: int = NETS["two 3 × 3"][1],
        layer: int = 0,
        unit: tuple[int, int] | None = None,
    ) -> None:
        self.receptive_field, self.jump_and_start = receptive_field, jump_and_start
        given: Any = tuple(tuple(one) for one in layers)
        state = ReceptiveFieldState(given, pixels, layer, None if unit is None else (unit[0], unit[1]))
        names = (("receptive_field", receptive_field), ("jump_and_start", jump_and_start))
        super().__init__(state, names)

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.receptive_field, self.jump_and_start)

    def act(self, state: ReceptiveFieldState, action: str, values: dict[str, Any]) -> ReceptiveFieldState:
        """Answer the controls, the buttons, the pointer and the keys."""
        match action:
            case "net":
                layers, pixels = NETS[values["name"]]
                return ReceptiveFieldState(layers, pixels)
            case "add":
                return replace(state, layers=(*state.layers, (3, 1, 1, 1)), layer=len(state.layers), unit=None)
            case "remove":
                return replace(state, layers=state.layers[:-1], unit=None)
            case "show":
                return replace(state, unit=(values["row"], values["index"]))
            case "move":
                return moved(state, values["rows"], values["columns"])
            case "set":
                own = {name: value for name, value in values.items() if name not in FIELDS}
                new = replace(state, layer=own.pop("layer", state.layer))
                layer: Any = tuple(
                    values.get(name, old) for name, old in zip(FIELDS, new.layers[new.layer], strict=True)
                )
                layers = (*new.layers[: new.layer], layer, *new.layers[new.layer + 1 :])
                return replace(new, layers=layers, **own)
        return super().act(state, action, values)
