"""A pooling window, step by step: what each window gives, and where its gradient goes.

The state and the pictures of it are plain Python (:class:`PoolingStepperState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name

from convnets.widgets.base import (
    Array,
    Learner,
    as_numbers,
    assets,
    call_learner,
    counted,
    missing_words,
    number,
)
from convnets.widgets.walking import Walk, WalkingWidget

Cell = tuple[int, int]
#: Lowest and highest values of the controls; larger pictures are not readable.
LIMITS = {"size": (4, 6), "kernel": (2, 4), "stride": (1, 4), "padding": (0, 2)}
KINDS = ("max", "avg")
#: The maps; a smaller size is their upper left. "numbers" begins with CS231n's 4×4, "relu" has ties.
MAPS: dict[str, Array] = {
    "numbers": np.array(
        [
            [1.0, 1, 2, 4, 0, 3],
            [5, 6, 7, 8, 2, 1],
            [3, 2, 1, 0, 5, 2],
            [1, 2, 3, 4, 3, 6],
            [2, 0, 9, 1, 2, 4],
            [4, 3, 5, 2, 7, 1],
        ]
    ),
    "relu": np.array(
        [
            [0.0, 0, 3, 0, 0, 2],
            [0, 0, 0, 3, 0, 0],
            [4, 0, 0, 0, 0, 1],
            [0, 4, 0, 0, 5, 0],
            [0, 0, 2, 2, 0, 0],
            [1, 0, 0, 0, 0, 3],
        ]
    ),
}
TICK_MS = 900


@dataclass(frozen=True)
class PoolingStepperState(Walk):
    """All there is to know of one picture.

    Attributes
    ----------
    kind : {"max", "avg"}
    map : {"numbers", "relu"}
        Which map is pooled: numbers that differ, or many equal zeros.
    size, kernel, stride, padding : int
        Side of the square map and of the square window, as in ``max_pool2d``.
    ceil_mode : bool
        Whether a window that sticks out counts; max pooling only.
    count_include_pad : bool
        Whether padded zeros count in the divisor; average pooling only.
    position : (int, int)
        Row and column of the window that is shown; moved into the output where it lies outside.
    playing : bool
        Whether the position advances by itself.
    """

    kind: str = "max"
    map: str = "numbers"
    size: int = 5
    kernel: int = 3
    stride: int = 2
    padding: int = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    position: Cell = (0, 0)
    playing: bool = False

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise ValueError(f"{name} is a whole number from {lowest} to {highest}, not {value!r}.")
        for name, known in (("kind", KINDS), ("map", tuple(MAPS))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}.")
        if self.padding > self.kernel // 2:
            raise ValueError(f"padding is at most half the kernel, {self.kernel // 2}: a window needs a real pixel.")
        if len(self.position) != 2 or not all(isinstance(index, int) for index in self.position):
            raise ValueError(f"position is (row, column) of the output, not {self.position!r}.")
        row, column = (min(max(index, 0), self.out - 1) for index in self.position)
        object.__setattr__(self, "position", (row, column))  # a frozen dataclass is filled in once, here

    @property
    def x(self) -> Array:
        """The map, shape (size, size)."""
        return MAPS[self.map][: self.size, : self.size]

    @property
    def out(self) -> int:
        """Side of the output."""
        room = self.size + 2 * self.padding - self.kernel
        if self.kind == "avg" or not self.ceil_mode:
            return room // self.stride + 1
        out = -(-room // self.stride) + 1
        return out - 1 if (out - 1) * self.stride >= self.size + self.padding else out

    @property
    def grad_output(self) -> Array:
        """The gradient of the loss with respect to the output, shape (out, out): 1, 2, 3 and so on."""
        return np.arange(1.0, self.out**2 + 1).reshape(self.out, self.out)

    @property
    def framed(self) -> int:
        """Side of the map with its padding and with what windows that stick out cover."""
        return max(self.size + 2 * self.padding, (self.out - 1) * self.stride + self.kernel)

    @property
    def places(self) -> tuple[int, int] | None:
        """Rows and columns of the windows."""
        return (self.out, self.out)

    @property
    def sent(self) -> Array:
        """`grad_output` up to and with the present window, 0 behind it."""
        index = np.arange(self.out**2).reshape(self.out, self.out)
        return np.where(index <= index[self.position], self.grad_output, 0.0)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of the learner's functions after the kernel's size."""
        switch = "ceil_mode" if self.kind == "max" else "count_include_pad"
        return {"stride": self.stride, "padding": self.padding, switch: getattr(self, switch)}


def window_of(state: PoolingStepperState) -> list[Cell]:
    """List the real pixels of the present window, in reading order."""
    first = [index * state.stride - state.padding for index in state.position]
    rows, columns = (range(max(start, 0), min(start + state.kernel, state.size)) for start in first)
    return [(p, q) for p in rows for q in columns]


def toolkit_arrays(state: PoolingStepperState) -> dict[str, Array]:
    """Compute the output, and the gradient of the windows up to the present one, with PyTorch."""
    x = torch.tensor(state.x[None, None], requires_grad=True)
    pool = F.max_pool2d if state.kind == "max" else F.avg_pool2d
    y = pool(x, state.kernel, **state.options)
    (grad_x,) = torch.autograd.grad(y, x, torch.tensor(state.sent[None, None]))
    return {"y": y.detach().numpy()[0, 0], "grad_x": grad_x.numpy()[0, 0]}


def learner_arrays(
    state: PoolingStepperState, forward: Learner, backward: Learner, truth: dict[str, Array]
) -> tuple[dict[str, Array], list[str], list[str]]:
    """Compute the same arrays with the learner's two functions of this kind.

    Returns
    -------
    arrays : dict of ndarray
        As `toolkit_arrays`; where the learner gives none, or one of another shape, the toolkit's.
    missing, problems : list of str
        Functions that are not written yet, and one sentence for whatever else went wrong.
    """
    arrays, missing, problems = dict(truth), [], []
    x, sent = state.x[None, None], state.sent[None, None]
    calls = [
        ("y", f"{state.kind}_pool2d", forward, (x,)),
        ("grad_x", f"{state.kind}_pool2d_backward", backward, (sent, x if state.kind == "max" else x.shape)),
    ]
    for which, default, function, args in calls:
        name = getattr(function, "__name__", default)
        outcome = call_learner(name, function, *args, state.kernel, **state.options)
        if outcome.kind == "missing":
            missing.append(name)
        elif outcome.kind == "error":
            problems.append(f"{outcome.words}. The toolkit's numbers are shown.")
        else:
            mine, shape = as_numbers(outcome.value), (1, 1, *truth[which].shape)
            if mine is None or mine.shape != shape:
                got = type(outcome.value).__name__ if mine is None else f"shape {mine.shape}"
                problems.append(f"Your {name} gives {got} for {which}, which has shape {shape}.")
            else:
                arrays[which] = mine[0, 0]
    return arrays, missing, problems


def map_cells(state: PoolingStepperState, covered: list[Cell], winner: Cell | None) -> list[list[dict[str, Any]]]:
    """Describe the framed map: ``"kind"`` real, pad or beyond, ``"text"``, ``"covered"``, ``"wins"``, ``"ties"``."""
    top, left = (index * state.stride for index in state.position)
    largest = max(state.x[cell] for cell in covered)
    rows = []
    for i in range(state.framed):
        row = []
        for j in range(state.framed):
            p, q = i - state.padding, j - state.padding
            real = 0 <= p < state.size and 0 <= q < state.size
            padded = max(i, j) < state.size + 2 * state.padding
            inside = top <= i < top + state.kernel and left <= j < left + state.kernel
            frame = "−∞" if state.kind == "max" else "0"
            tied = real and inside and state.kind == "max" and state.x[p, q] == largest
            row.append(
                {
                    "kind": "real" if real else "pad" if padded else "beyond",
                    "text": number(state.x[p, q]) if real else frame if padded else "",
                    "covered": inside,
                    "wins": (p, q) == winner,
                    "ties": bool(tied) and (p, q) != winner,
                }
            )
        rows.append(row)
    return rows


def sentence_of(state: PoolingStepperState, covered: list[Cell], winner: Cell | None) -> tuple[str, str]:
    """Write what the present window computes, and where its gradient goes."""
    i, j = state.position
    values = [number(state.x[cell]) for cell in covered]
    sent = number(state.grad_output[i, j])
    if winner is not None:
        tied = sum(state.x[cell] == state.x[winner] for cell in covered)
        first = f", the first of {tied} that tie" if tied > 1 else ""
        forwards = f"y[{i}, {j}] = max({', '.join(values)}) = {number(state.x[winner])}"
        return forwards, f"its gradient, {sent}, goes to x[{winner[0]}, {winner[1]}]{first}"
    divisor = state.kernel**2 if state.count_include_pad else len(covered)
    total = number(sum(float(state.x[cell]) for cell in covered) / divisor)
    share = number(float(state.grad_output[i, j]) / divisor)
    forwards = f"y[{i}, {j}] = ({' + '.join(values)}) / {divisor} = {total}"
    lost = "" if state.count_include_pad is False or len(covered) == divisor else ", the rest to the padding"
    return (
        forwards,
        f"of its gradient, {sent}, each of {counted(len(covered), 'pixel')} gets {sent}/{divisor} = {share}{lost}",
    )


def view_of(
    state: PoolingStepperState,
    max_pool2d: Learner = None,
    max_pool2d_backward: Learner = None,
    avg_pool2d: Learner = None,
    avg_pool2d_backward: Learner = None,
) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : PoolingStepperState
    max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward : callable or None
        The learner's functions, called where they exist; PyTorch fills in and is what they are compared with.
    """
    forward, backward = (max_pool2d, max_pool2d_backward) if state.kind == "max" else (avg_pool2d, avg_pool2d_backward)
    truth = toolkit_arrays(state)
    mine, missing, problems = learner_arrays(state, forward, backward, truth)
    wrong = {name: ~np.isclose(mine[name], truth[name], rtol=1e-6, atol=1e-9) for name in truth}
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": words, "wrong": True} for words in problems]
    for name, function, default in (("y", forward, ""), ("grad_x", backward, "_backward")):
        if wrong[name].any():
            given = getattr(function, "__name__", f"{state.kind}_pool2d{default}")
            words = f"In {name} your {given} is wrong in {counted(int(wrong[name].sum()), 'cell')} (✗)."
            notes.append({"words": words, "wrong": True})

    covered = window_of(state)
    # max() keeps the first of several equal ones, as the rule for ties wants it.
    winner = max(covered, key=lambda cell: float(state.x[cell])) if state.kind == "max" else None
    receives = covered if winner is None else [winner]
    forwards, backwards = sentence_of(state, covered, winner)

    def cells(name: str, marked: list[Cell]) -> list[list[dict[str, Any]]]:
        return [
            [
                {
                    "text": number(mine[name][i, j]),
                    "here": (i, j) in marked,
                    "wrong": f"yours {number(mine[name][i, j])}, right is {number(truth[name][i, j])}"
                    if wrong[name][i, j]
                    else "",
                }
                for j in range(mine[name].shape[1])
            ]
            for i in range(mine[name].shape[0])
        ]

    return {
        "controls": {name: [getattr(state, name), *limits] for name, limits in LIMITS.items()},
        "kind": state.kind,
        "map": state.map,
        "switch": state.ceil_mode if state.kind == "max" else state.count_include_pad,
        "position": state.position,
        "start": [index * state.stride for index in state.position],
        "kernel": state.kernel,
        "frame": state.padding,
        "x": map_cells(state, covered, winner),
        "y": cells("y", [state.position]),
        "grad_output": [
            [
                {
                    "text": number(state.grad_output[i, j]),
                    "here": (i, j) == state.position,
                    "sent": bool(state.sent[i, j]),
                }
                for j in range(state.out)
            ]
            for i in range(state.out)
        ],
        "grad_x": cells("grad_x", receives),
        "notes": notes,
        "playing": state.playing,
        "at_end": state.at_end,
        "tick_ms": TICK_MS if state.playing else 0,
        "status": f"Window {state.position[0] * state.out + state.position[1] + 1} of {state.out**2}: "
        f"{forwards}; {backwards}.",
    }


class PoolingStepper(WalkingWidget[PoolingStepperState]):
    """Step a pooling window over a map and watch the gradient's way back, computed by your own functions.

    Parameters
    ----------
    max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward : callable or None
        Yours: ``max_pool2d(x, kernel_size, stride, padding, ceil_mode)``,
        ``max_pool2d_backward(grad_output, x, kernel_size, …)``,
        ``avg_pool2d(x, kernel_size, stride, padding, count_include_pad)`` and
        ``avg_pool2d_backward(grad_output, x_shape, kernel_size, …)``. Without one, or while it raises
        ``NotImplementedError``, the toolkit computes the picture and says so.
    kind : {"max", "avg"}
    map : {"numbers", "relu"}
    size, kernel, stride, padding : int
    ceil_mode, count_include_pad : bool
    position : (int, int)
        Row and column of the output whose window is shown.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> PoolingStepper(kernel=2, size=4).as_code()
    'PoolingStepper(size=4, kernel=2)'
    """

    _esm, _css = assets("pooling_stepper")

    def __init__(
        self,
        max_pool2d: Learner = None,
        max_pool2d_backward: Learner = None,
        avg_pool2d: Learner = None,
        avg_pool2d_backward: Learner = None,
        *,
        kind: str = "max",
        map: str = "numbers",
        size: int = 5,
        kernel: int = 3,
        stride: int = 2,
        padding: int = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        position: Cell = (0, 0),
    ) -> None:
        self.learners = (max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward)
        state = PoolingStepperState(
            kind, map, size, kernel, stride, padding, ceil_mode, count_include_pad, (position[0], position[1])
        )
        names = ("max_pool2d", "max_pool2d_backward", "avg_pool2d", "avg_pool2d_backward")
        super().__init__(state, tuple(zip(names, self.learners, strict=True)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, *self.learners)

    def act(self, state: PoolingStepperState, action: str, values: dict[str, Any]) -> PoolingStepperState:
        """Answer the controls, too."""
        match action:
            case "switch":
                name = "ceil_mode" if state.kind == "max" else "count_include_pad"
                return replace(state, **{name: values["on"]})
            case "set" if "kernel" in values:
                # A smaller kernel allows less padding: the border shrinks with it.
                values = {"padding": min(state.padding, values["kernel"] // 2)} | values
        return super().act(state, action, values)
