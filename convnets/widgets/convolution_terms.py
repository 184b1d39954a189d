"""The terms of a convolution: every cell of the output and of the three gradients as the sum of its products.

The state and the pictures of it are plain Python (:class:`ConvolutionTermsState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name

from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, counted, number
from convnets.widgets.sliding_kernel import IMAGE_PATTERN, times

Cell = tuple[int, int]
#: The factors of one product: each the name of an array and a cell of it.
Term = tuple[tuple[str, Cell], ...]

#: Lowest and highest values of the controls; larger pictures are not readable.
LIMITS = {"size": (2, 6), "kernel": (1, 4), "stride": (1, 3), "padding": (0, 2), "dilation": (1, 2)}
BIAS = 1.0
TARGETS = ("y", "grad_x", "grad_weight", "grad_bias")
#: The kernel: no zeros, so that no term vanishes, and no symmetry.
WEIGHT_PATTERN: Array = np.array([[1.0, 3, -2, 1], [2, 1, -1, 2], [-3, 1, 2, -1], [1, 2, -2, 3]])
_ROWS, _COLUMNS = np.indices((10, 10))
#: ∂L/∂y: no zeros either; the output's size is taken from the upper left.
GRAD_PATTERN: Array = np.array([1.0, 2, -1, 3, -2])[(3 * _ROWS + _COLUMNS + _ROWS * _COLUMNS) % 5]


@dataclass(frozen=True)
class ConvolutionTermsState:
    """All there is to know of one picture.

    Attributes
    ----------
    size, kernel : int
        Side of the square input and of the square kernel.
    stride, padding, dilation : int
        As in ``conv2d``; where the stride does not divide, the last pixels are not seen.
    target : {"y", "grad_x", "grad_weight", "grad_bias"}
        Which array the terms are of.
    cell : (int, int)
        Row and column in it; moved into the array where it lies outside.
    """

    size: int = 4
    kernel: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    target: str = "grad_x"
    cell: Cell = (0, 1)

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise ValueError(f"{name} is a whole number from {lowest} to {highest}, not {value!r}.")
        if self.target not in TARGETS:
            raise ValueError(f"target is one of {', '.join(TARGETS)}, not {self.target!r}.")
        extent, room = self.dilation * (self.kernel - 1) + 1, self.size + 2 * self.padding
        if extent > room:
            raise ValueError(f"No window fits: the kernel spans {extent} pixels, the padded input has {room}.")
        if len(self.cell) != 2 or not all(isinstance(index, int) for index in self.cell):
            raise ValueError(f"cell is (row, column), not {self.cell!r}.")
        side = self.side_of(self.target)
        row, column = (min(max(index, 0), side - 1) for index in self.cell)
        object.__setattr__(self, "cell", (row, column))  # a frozen dataclass is filled in once, here

    @property
    def out(self) -> int:
        """Side of the output."""
        return (self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @property
    def x(self) -> Array:
        """The input, shape (size, size)."""
        return IMAGE_PATTERN[: self.size, : self.size]

    @property
    def weight(self) -> Array:
        """The kernel, shape (kernel, kernel)."""
        return WEIGHT_PATTERN[: self.kernel, : self.kernel]

    @property
    def grad_output(self) -> Array:
        """The gradient of the loss with respect to the output, shape (out, out)."""
        return GRAD_PATTERN[: self.out, : self.out]

    def side_of(self, target: str) -> int:
        """Return the side of a target's square array."""
        return {"y": self.out, "grad_x": self.size, "grad_weight": self.kernel, "grad_bias": 1}[target]


def connections(state: ConvolutionTermsState) -> list[tuple[Cell, Cell, Cell]]:
    """List which output, weight and pixel meet in a product, in reading order; padded zeros are left out.

    This is the whole layer: ``y[i, j]`` holds the product of ``weight[a, b]`` and ``x[p, q]`` exactly where
    ``p = stride·i + dilation·a − padding``, and likewise ``q`` from ``j`` and ``b``.
    """
    met = []
    for i, j in np.ndindex(state.out, state.out):
        for a, b in np.ndindex(state.kernel, state.kernel):
            p = state.stride * i + state.dilation * a - state.padding
            q = state.stride * j + state.dilation * b - state.padding
            if 0 <= p < state.size and 0 <= q < state.size:
                met.append(((i, j), (a, b), (p, q)))
    return met


def terms_of(state: ConvolutionTermsState) -> list[Term]:
    """Return the products whose sum is the state's cell; an output's bias is not among them."""
    if state.target == "grad_bias":
        return [(("grad_output", out),) for out in np.ndindex(state.out, state.out)]
    met = connections(state)
    if state.target == "y":
        return [(("weight", tap), ("x", pixel)) for out, tap, pixel in met if out == state.cell]
    if state.target == "grad_x":
        return [(("grad_output", out), ("weight", tap)) for out, tap, pixel in met if pixel == state.cell]
    return [(("grad_output", out), ("x", pixel)) for out, tap, pixel in met if tap == state.cell]


def toolkit_arrays(state: ConvolutionTermsState) -> dict[str, Array]:
    """Compute the output and the three gradients with PyTorch; each has two axes."""
    x, weight, bias = (
        torch.tensor(values, requires_grad=True)
        for values in (state.x[None, None], state.weight[None, None], np.array([BIAS]))
    )
    y = F.conv2d(x, weight, bias, stride=state.stride, padding=state.padding, dilation=state.dilation)
    gradients = torch.autograd.grad(y, (x, weight, bias), torch.tensor(state.grad_output[None, None]))
    grad_x, grad_weight, grad_bias = (gradient.numpy() for gradient in gradients)
    return {
        "y": y.detach().numpy()[0, 0],
        "grad_x": grad_x[0, 0],
        "grad_weight": grad_weight[0, 0],
        "grad_bias": grad_bias[None],
    }


def learner_arrays(
    state: ConvolutionTermsState, conv2d: Learner, conv2d_backward: Learner, truth: dict[str, Array]
) -> tuple[dict[str, Array], list[tuple[str, str]], list[str]]:
    """Compute the same arrays with the learner's functions.

    Returns
    -------
    arrays : dict of ndarray
        As `toolkit_arrays`; where the learner gives none, or one of another shape, the toolkit's.
    missing : list of (str, str)
        Functions that are not written yet, each with what the toolkit computes in its place.
    problems : list of str
        One sentence for whatever else went wrong.
    """
    x, weight, grad_output = (a[None, None].copy() for a in (state.x, state.weight, state.grad_output))
    options = {"stride": state.stride, "padding": state.padding, "dilation": state.dilation}
    arrays, missing, problems = dict(truth), [], []
    gradients = ["grad_x", "grad_weight", "grad_bias"]
    calls: list[tuple[str, str, Learner, tuple[Any, ...], list[str]]] = [
        ("conv2d", "the output", conv2d, (x, weight, np.array([BIAS])), ["y"]),
        ("conv2d_backward", "the gradients", conv2d_backward, (grad_output, x, weight), gradients),
    ]
    for default, what, function, args, names in calls:
        name = getattr(function, "__name__", default)
        outcome = call_learner(name, function, *args, **options)
        if outcome.kind == "missing":
            missing.append((name, what))
            continue
        if outcome.kind == "error":
            problems.append(f"{outcome.words}. The toolkit's numbers are shown.")
            continue
        given = [outcome.value] if len(names) == 1 else outcome.value
        if not isinstance(given, list | tuple) or len(given) != len(names):
            problems.append(f"Your {name} should return {len(names)} arrays: {', '.join(names)}.")
            continue
        for which, value in zip(names, given, strict=True):
            wanted = truth[which] if which == "grad_bias" else truth[which][None, None]
            mine, shape = as_numbers(value), wanted[0].shape if which == "grad_bias" else wanted.shape
            if mine is None or mine.shape != shape:
                got = type(value).__name__ if mine is None else f"shape {mine.shape}"
                problems.append(f"Your {name} gives {got} for {which}, which has shape {shape}.")
            else:
                arrays[which] = mine.reshape(truth[which].shape)
    return arrays, missing, problems


def missing_words(missing: list[tuple[str, str]]) -> str:
    """Say which functions are not written yet and what the toolkit computes in their place."""
    names, whats = (" and ".join(column) for column in zip(*missing, strict=True))
    return f"Your {names} {'is' if len(missing) == 1 else 'are'} not written yet: the toolkit computes {whats}."


SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SYMBOLS = {"x": "x", "weight": "w", "grad_output": "∂L/∂y", "y": "y", "grad_x": "∂L/∂x", "grad_weight": "∂L/∂w"}


def symbol(name: str, cell: Cell) -> str:
    """Write an entry as the lecture does, counted from 1: ``∂L/∂x₁₂`` for ``grad_x[0, 1]``."""
    if name == "grad_bias":
        return "∂L/∂b"
    row, column = (index + 1 for index in cell)
    comma = "," if max(row, column) > 9 else ""
    return SYMBOLS[name] + f"{row}{comma}{column}".translate(SUBSCRIPTS)


def grid_cells(
    values: Array, marks: dict[Cell, list[int]], wrong: npt.NDArray[np.bool_] | None = None, truth: Array | None = None
) -> list[list[dict[str, Any]]]:
    """Describe the cells of one array: ``"text"``, the numbers of the ``"terms"`` it takes part in, ``"wrong"``."""
    rows = []
    for i in range(values.shape[0]):
        row = []
        for j in range(values.shape[1]):
            cell: dict[str, Any] = {"text": number(values[i, j]), "terms": marks.get((i, j), [])}
            if wrong is not None and truth is not None and wrong[i, j]:
                cell["wrong"] = f"yours {number(values[i, j])}, the sum is {number(truth[i, j])}"
            row.append(cell)
        rows.append(row)
    return rows


def view_of(state: ConvolutionTermsState, conv2d: Learner = None, conv2d_backward: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser; see :func:`grid_cells` for the cells.

    Parameters
    ----------
    state : ConvolutionTermsState
    conv2d, conv2d_backward : callable or None
        The learner's functions, called where they exist; PyTorch fills in and is what they are compared with.
    """
    truth = toolkit_arrays(state)
    mine, missing, problems = learner_arrays(state, conv2d, conv2d_backward, truth)
    wrong = {name: ~np.isclose(mine[name], truth[name], rtol=1e-6, atol=1e-9) for name in TARGETS}
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": words, "wrong": True} for words in problems]
    for name in TARGETS:
        if wrong[name].any():
            function, given = (conv2d, "conv2d") if name == "y" else (conv2d_backward, "conv2d_backward")
            given = getattr(function, "__name__", given)
            total = counted(wrong[name].size, "cell")
            words = f"In {name} your {given} differs from the sum of the terms in {wrong[name].sum()} of {total} (✗)."
            if name == state.target and wrong[name][state.cell]:
                here, right = number(mine[name][state.cell]), number(truth[name][state.cell])
                words += f" Here it gives {here}, the sum is {right}."
            notes.append({"words": words, "wrong": True})

    sources = {"x": state.x, "weight": state.weight, "grad_output": state.grad_output}
    marks: dict[str, dict[Cell, list[int]]] = {name: {} for name in sources}
    terms = terms_of(state)
    for place, term in enumerate(terms, start=1):
        for name, cell in term:
            marks[name].setdefault(cell, []).append(place)
    symbols = ["·".join(symbol(*factor) for factor in term) for term in terms]
    products = [times(*(float(sources[name][cell]) for name, cell in term)) for term in terms]
    if state.target == "y":
        symbols.append("b")
        products.append(number(BIAS))
    total = truth[state.target][state.cell]
    index = "[0]" if state.target == "grad_bias" else f"[{state.cell[0]}, {state.cell[1]}]"
    count = counted(len(symbols), "term")
    status = f"{state.target}{index} = {number(mine[state.target][state.cell])}, {count}."
    if not symbols:
        status = f"{state.target}{index} = 0: no product contains this entry."
    padded = state.kernel**2 - len(terms)
    if state.target == "y" and padded:
        status += f" {counted(padded, 'weight')} of {state.kernel**2} lie on padded zeros and add nothing."
    return {
        "controls": {name: [getattr(state, name), *limits] for name, limits in LIMITS.items()},
        "target": state.target,
        "cell": state.cell,
        "grids": {
            **{name: grid_cells(values, marks[name]) for name, values in sources.items()},
            **{name: grid_cells(mine[name], {}, wrong[name], truth[name]) for name in TARGETS},
        },
        "bias": number(BIAS),
        "bias_used": state.target == "y",
        "symbol": symbol(state.target, state.cell),
        "symbols": symbols,
        "products": products,
        "total": number(total),
        "notes": notes,
        "status": status,
    }


class ConvolutionTerms(CourseWidget[ConvolutionTermsState]):
    """Point at a cell of the output or of a gradient and see the products that it is the sum of.

    Parameters
    ----------
    conv2d : callable or None
        Yours: ``conv2d(x, weight, bias, stride=1, padding=0, dilation=1)`` on arrays of shape (N, C, H, W). Without it,
        or while it raises ``NotImplementedError``, the toolkit computes the output and says so.
    conv2d_backward : callable or None
        Yours: ``conv2d_backward(grad_output, x, weight, stride=1, padding=0, dilation=1)``, which returns
        ``(grad_x, grad_weight, grad_bias)``.
    size, kernel, stride, padding, dilation : int
        Default: the lecture's 3×3 kernel on a 4×4 input.
    target : {"y", "grad_x", "grad_weight", "grad_bias"}
        The array whose cell is shown.
    cell : (int, int)
        Row and column of that cell.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> ConvolutionTerms(stride=2, padding=1).as_code()
    'ConvolutionTerms(stride=2, padding=1)'
    """

    _esm, _css = assets("convolution_terms")

    def __init__(
        self,
        conv2d: Learner = None,
        conv2d_backward: Learner = None,
        *,
        size: int = 4,
        kernel: int = 3,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        target: str = "grad_x",
        cell: Cell = (0, 1),
    ) -> None:
        self.conv2d, self.conv2d_backward = conv2d, conv2d_backward
        state = ConvolutionTermsState(size, kernel, stride, padding, dilation, target, cell)
        super().__init__(state, (("conv2d", conv2d), ("conv2d_backward", conv2d_backward)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.conv2d, self.conv2d_backward)

    def act(self, state: ConvolutionTermsState, action: str, values: dict[str, Any]) -> ConvolutionTermsState:
        """Answer the controls and the pointer (``"set"``), Tab into a grid (``"enter"``) and its keys (``"move"``)."""
        match action:
            case "enter":
                target = values["target"]
                return state if target == state.target else replace(state, target=target, cell=(0, 0))
            case "move":
                row, column = state.cell
                return replace(state, cell=(row + values["rows"], column + values["columns"]))
        return super().act(state, action, values)
