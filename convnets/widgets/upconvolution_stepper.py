"""An upconvolution, step by step: each input pixel stamps the filter onto the output; overlaps make checkerboards.

The state and the pictures of it are plain Python (:class:`UpconvolutionStepperState`, :func:`view_of`); the browser
draws.
"""

from __future__ import annotations

from dataclasses import dataclass
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
LIMITS = {
    "size": (2, 4),
    "kernel": (2, 5),
    "stride": (1, 3),
    "padding": (0, 2),
    "output_padding": (0, 2),
    "dilation": (1, 2),
}
FILTERS = ("ones", "numbers")
INPUTS = ("ones", "numbers")
TICK_MS = 700


@dataclass(frozen=True)
class UpconvolutionStepperState(Walk):
    """All there is to know of one picture.

    Attributes
    ----------
    size, kernel, stride, padding, output_padding, dilation : int
        Side of the square input and of the square filter, and the options of ``conv_transpose2d``.
    filter : {"ones", "numbers"}
        All weights 1, or 1, 2, 3 and so on.
    input : {"ones", "numbers"}
        All pixels 1, or 1, 2, 3 and so on.
    position : (int, int)
        Row and column of the input pixel whose stamp comes last; moved into the input where it lies outside.
    playing : bool
        Whether the position advances by itself.
    """

    size: int = 3
    kernel: int = 3
    stride: int = 2
    padding: int = 0
    output_padding: int = 0
    dilation: int = 1
    filter: str = "ones"
    input: str = "ones"
    position: Cell = (0, 0)
    playing: bool = False

    def __post_init__(self) -> None:
        for name, (lowest, highest) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise ValueError(f"{name} is a whole number from {lowest} to {highest}, not {value!r}.")
        for name, known in (("filter", FILTERS), ("input", INPUTS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}.")
        if self.output_padding >= max(self.stride, self.dilation):
            most = max(self.stride, self.dilation) - 1
            raise ValueError(f"output_padding is at most {most}: less than the stride or the dilation.")
        if self.out < 1:
            raise ValueError(f"A padding of {self.padding} cuts off the whole output: choose less, or a larger kernel.")
        if len(self.position) != 2 or not all(isinstance(index, int) for index in self.position):
            raise ValueError(f"position is (row, column) of the input, not {self.position!r}.")
        row, column = (min(max(index, 0), self.size - 1) for index in self.position)
        object.__setattr__(self, "position", (row, column))  # a frozen dataclass is filled in once, here

    @property
    def x(self) -> Array:
        """The input, shape (size, size)."""
        return _values(self.input, self.size)

    @property
    def weight(self) -> Array:
        """The filter, shape (kernel, kernel)."""
        return _values(self.filter, self.kernel)

    @property
    def whole(self) -> int:
        """Side of the output before the padding is cut off."""
        return (self.size - 1) * self.stride + self.dilation * (self.kernel - 1) + 1 + self.output_padding

    @property
    def out(self) -> int:
        """Side of the output."""
        return self.whole - 2 * self.padding

    @property
    def stamped(self) -> Array:
        """The input up to and with the present pixel, 0 behind it."""
        index = np.arange(self.size**2).reshape(self.size, self.size)
        return np.where(index <= index[self.position], self.x, 0.0)

    @property
    def places(self) -> tuple[int, int] | None:
        """Rows and columns of the input's pixels."""
        return (self.size, self.size)

    @property
    def options(self) -> dict[str, int]:
        """The arguments of ``conv_transpose2d`` after the bias."""
        return {name: getattr(self, name) for name in ("stride", "padding", "output_padding", "dilation")}


def _values(kind: str, side: int) -> Array:
    return np.ones((side, side)) if kind == "ones" else np.arange(1.0, side**2 + 1).reshape(side, side)


def upconvolved(x: Array, weight: Array, **options: int) -> Array:
    """Return PyTorch's upconvolution of one map (H, W) by one filter (K, K)."""
    y = F.conv_transpose2d(torch.tensor(x)[None, None], torch.tensor(weight)[None, None], **options)  # type: ignore[arg-type]
    return np.asarray(y[0, 0].numpy())


def overlap_of(state: UpconvolutionStepperState) -> tuple[int, int]:
    """Return how many stamps reach a pixel away from the border: at least, and at most."""
    ones = np.ones((state.kernel, state.kernel))
    margin = state.dilation * (state.kernel - 1) + 1
    counts = upconvolved(np.ones((24, 24)), ones, stride=state.stride, dilation=state.dilation)
    inside = counts[margin:-margin, margin:-margin]
    return int(inside.min()), int(inside.max())


def learner_output(state: UpconvolutionStepperState, function: Learner, truth: Array) -> tuple[Array, list[str], str]:
    """Return the output by the learner's function, or the toolkit's; who is missing; and what went wrong."""
    name = getattr(function, "__name__", "conv_transpose2d")
    x, weight = state.stamped[None, None], state.weight[None, None]
    outcome = call_learner(name, function, x, weight, None, **state.options)
    if outcome.kind == "missing":
        return truth, [name], ""
    if outcome.kind == "error":
        return truth, [], f"{outcome.words}. The toolkit's numbers are shown."
    mine, shape = as_numbers(outcome.value), (1, 1, *truth.shape)
    if mine is None or mine.shape != shape:
        got = type(outcome.value).__name__ if mine is None else f"shape {mine.shape}"
        return truth, [], f"Your {name} gives {got} for the output, which has shape {shape}."
    return mine[0, 0], [], ""


def view_of(state: UpconvolutionStepperState, conv_transpose2d: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : UpconvolutionStepperState
    conv_transpose2d : callable or None
        The learner's function; PyTorch fills in and is what it is compared with.
    """
    uncut = {**state.options, "padding": 0}
    whole = upconvolved(state.stamped, state.weight, **uncut)
    kept = slice(state.padding, state.whole - state.padding)
    truth = whole[kept, kept]
    mine, missing, problem = learner_output(state, conv_transpose2d, truth)
    wrong = ~np.isclose(mine, truth, rtol=1e-6, atol=1e-9)
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": problem, "wrong": True}] if problem else []
    if wrong.any():
        name = getattr(conv_transpose2d, "__name__", "conv_transpose2d")
        notes.append({"words": f"Your {name} is wrong in {counted(int(wrong.sum()), 'cell')} (✗).", "wrong": True})

    highest = upconvolved(state.x, state.weight, **uncut).max()
    top, left = (index * state.stride for index in state.position)
    reach = range(0, state.dilation * state.kernel, state.dilation)
    under = {(top + a, left + b) for a in reach for b in reach}
    cells = []
    for i in range(state.whole):
        row = []
        for j in range(state.whole):
            p, q = i - state.padding, j - state.padding
            is_kept = 0 <= p < state.out and 0 <= q < state.out
            value = mine[p, q] if is_kept else whole[i, j]
            is_wrong = bool(is_kept and wrong[p, q])
            row.append(
                {
                    "text": number(value),
                    "kept": is_kept,
                    "here": (i, j) in under,
                    "share": round(float(np.clip(value / highest, 0, 1)), 3) if np.isfinite(value) else 0,
                    "wrong": f"yours {number(mine[p, q])}, right is {number(truth[p, q])}" if is_wrong else "",
                }
            )
        cells.append(row)

    least, most = overlap_of(state)
    reached = f"{least} to {most} stamps" if least != most else counted(most, "stamp")
    even = "an even picture" if least == most else "a checkerboard"
    i, j = state.position
    return {
        "controls": {name: [getattr(state, name), *limits] for name, limits in LIMITS.items()},
        "filter": state.filter,
        "input": state.input,
        "x": [
            [
                {"text": number(state.x[p, q]), "here": (p, q) == (i, j), "sent": bool(state.stamped[p, q])}
                for q in range(state.size)
            ]
            for p in range(state.size)
        ],
        "weight": [[{"text": number(value)} for value in row] for row in state.weight],
        "y": cells,
        "sizes": f"y, {state.out} × {state.out}" + (f" of {state.whole} × {state.whole}" if state.padding else ""),
        "overlap": f"Away from the border each pixel gets {reached}: {even}.",
        "notes": notes,
        "playing": state.playing,
        "at_end": state.at_end,
        "tick_ms": TICK_MS if state.playing else 0,
        "status": f"Stamp {i * state.size + j + 1} of {state.size**2}: {number(state.x[i, j])} times the filter is "
        f"added, from row {top - state.padding}, column {left - state.padding} of y on.",
    }


class UpconvolutionStepper(WalkingWidget[UpconvolutionStepperState]):
    """Watch an upconvolution stamp its filter onto the output, computed by your own function.

    Parameters
    ----------
    conv_transpose2d : callable or None
        Yours: ``conv_transpose2d(x, weight, bias, stride, padding, output_padding, dilation)``. Without it, or while it
        raises ``NotImplementedError``, the toolkit computes the picture and says so.
    size, kernel, stride, padding, output_padding, dilation : int
    filter, input : {"ones", "numbers"}
    position : (int, int)
        Row and column of the input pixel whose stamp comes last.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> UpconvolutionStepper(kernel=4, padding=1).as_code()
    'UpconvolutionStepper(kernel=4, padding=1)'
    """

    _esm, _css = assets("upconvolution_stepper")

    def __init__(
        self,
        conv_transpose2d: Learner = None,
        *,
        size: int = 3,
        kernel: int = 3,
        stride: int = 2,
        padding: int = 0,
        output_padding: int = 0,
        dilation: int = 1,
        filter: str = "ones",
        input: str = "ones",
        position: Cell = (0, 0),
    ) -> None:
        self.conv_transpose2d = conv_transpose2d
        state = UpconvolutionStepperState(
            *(size, kernel, stride, padding, output_padding, dilation), filter, input, (position[0], position[1])
        )
        super().__init__(state, (("conv_transpose2d", conv_transpose2d),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.conv_transpose2d)

    def act(self, state: UpconvolutionStepperState, action: str, values: dict[str, Any]) -> UpconvolutionStepperState:
        """Answer the controls, too."""
        if action == "set" and {"stride", "dilation"} & values.keys():
            # A smaller stride allows less output padding: it shrinks with it.
            most = max(values.get("stride", state.stride), values.get("dilation", state.dilation)) - 1
            values = {"output_padding": min(state.output_padding, most)} | values
        return super().act(state, action, values)
