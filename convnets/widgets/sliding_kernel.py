"""The sliding kernel: one window of a 2-D cross-correlation, its sum, and the output that grows with it.

The state and the pictures of it are plain Python (:class:`SlidingKernelState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name

from convnets.widgets.base import (
    Array,
    Learner,
    Outcome,
    as_numbers,
    assets,
    call_learner,
    counted,
    missing_words,
    number,
)
from convnets.widgets.walking import Walk, WalkingWidget

Grid = tuple[tuple[float, ...], ...]
# Their upper left 5×5 and 3×3 are the lecture's practice example; the rest continues them for larger sizes.
IMAGE_PATTERN = np.array(
    [
        [1, 0, 0, 0, 1, 2, 0, -1, 1],
        [-1, 0, 2, 1, 2, 0, 1, 0, -2],
        [1, 0, -2, 0, -1, 1, 0, 2, 0],
        [1, 1, 0, 0, 2, -1, 3, 0, 1],
        [-2, 0, 3, 0, 0, 1, 0, -1, 2],
        [0, 2, 1, -1, 0, 0, 2, 1, 0],
        [1, -1, 0, 2, 1, 0, -2, 0, 1],
        [0, 1, -2, 0, 3, 1, 0, 0, -1],
        [2, 0, 1, 0, -1, 2, 1, 0, 0],
    ],
    dtype=np.float64,
)
KERNEL_PATTERN = np.array(
    [[1, 0, 2, 0, -1], [-1, 1, 1, 0, 1], [0, 2, 1, -1, 0], [1, 0, 0, 2, 0], [0, -1, 1, 0, 1]],
    dtype=np.float64,
)

#: Largest values of the controls. A transposed convolution spreads its input, so it gets less of it.
LIMITS = {
    False: {"image_size": 9, "kernel_size": 5, "stride": 4, "padding": 3, "dilation": 3},
    True: {"image_size": 5, "kernel_size": 4, "stride": 3, "padding": 3, "dilation": 2},
}
TICK_MS = 450


def grid_of(values: npt.ArrayLike | int, pattern: Array, name: str) -> Grid | int:
    """Check an image or a kernel and make it part of a state.

    Parameters
    ----------
    values : array_like, shape (H, W), or int
        The numbers, or the side of the upper left square of `pattern`.
    pattern : ndarray
        The numbers that stand for an int.
    name : str
        What error messages call it.

    Returns
    -------
    tuple of tuples of float, or int
        An int also where the numbers are those of `pattern`, so that equal pictures are equal states.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        size: int = int(array)
        if size != array or not 1 <= size <= len(pattern):
            raise ValueError(f"{name} as a size is a whole number from 1 to {len(pattern)}, not {values!r}.")
        return size
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{name} is a 2-D array of numbers, not one of shape {array.shape}.")
    rows, columns = array.shape
    if rows == columns <= len(pattern) and np.array_equal(array, pattern[:rows, :rows]):
        return int(rows)
    return tuple(tuple(float(value) for value in row) for row in array)


def resized(array: Array, size: int, pattern: Array) -> Array:
    """Return a `size`×`size` array: `array` where it reaches, `pattern` beyond it."""
    result = pattern[:size, :size].copy()
    rows, columns = min(size, array.shape[0]), min(size, array.shape[1])
    result[:rows, :columns] = array[:rows, :columns]
    return result


@dataclass(frozen=True)
class SlidingKernelState(Walk):
    """All there is to know of one picture.

    Attributes
    ----------
    image, kernel : 2-D grid of numbers, or int
        An int stands for that many rows and columns of the practice example.
    stride, padding, dilation : int
    transposed : bool
        Whether the picture is a transposed convolution.
    position : (int, int)
        Row and column of the output cell whose window is shown; moved into the output where it lies outside.
    playing : bool
        Whether the position advances by itself.
    """

    image: Any = 5
    kernel: Any = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    transposed: bool = False
    position: tuple[int, int] = (0, 0)
    playing: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__  # a frozen dataclass is filled in once, here
        put(self, "image", grid_of(self.image, IMAGE_PATTERN, "image"))
        put(self, "kernel", grid_of(self.kernel, KERNEL_PATTERN, "kernel"))
        limits = LIMITS[self.transposed]
        for name, lowest in (("stride", 1), ("padding", 0), ("dilation", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or not lowest <= value <= limits[name]:
                raise ValueError(f"{name} is a whole number from {lowest} to {limits[name]}, not {value!r}.")
        for name, values in (("image", self.image_array), ("kernel", self.kernel_array)):
            most = limits[f"{name}_size"]
            if max(values.shape) > most:
                kind = " when transposed" if self.transposed else ""
                raise ValueError(f"{name} has at most {most} rows and {most} columns{kind}, to stay readable.")
        if self.transposed and self.padding > (least := min(self.extent) - 1):
            raise ValueError(f"padding is at most dilation·(kernel − 1) = {least} when transposed.")
        if len(self.position) != 2 or not all(isinstance(index, int) for index in self.position):
            raise ValueError(f"position is (row, column) of the output, not {self.position!r}.")
        rows, columns = self.output_shape or (1, 1)
        row, column = self.position
        put(self, "position", (min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)))

    @property
    def image_array(self) -> Array:
        """The image, shape (H, W)."""
        size = self.image
        return IMAGE_PATTERN[:size, :size] if isinstance(size, int) else np.array(size)

    @property
    def kernel_array(self) -> Array:
        """The kernel as it is written, shape (K, K)."""
        size = self.kernel
        return KERNEL_PATTERN[:size, :size] if isinstance(size, int) else np.array(size)

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns that the dilated kernel reaches over."""
        rows, columns = self.kernel_array.shape
        return self.dilation * (rows - 1) + 1, self.dilation * (columns - 1) + 1

    @property
    def window_stride(self) -> int:
        """The step of the window: a transposed convolution spreads its input and slides by 1."""
        return 1 if self.transposed else self.stride

    @property
    def taps(self) -> Array:
        """The weights as the window holds them: turned by 180 degrees for a transposed convolution."""
        return self.kernel_array[::-1, ::-1] if self.transposed else self.kernel_array

    @property
    def field(self) -> Array:
        """What the window slides over: the padded image, or the spread and padded one (transposed)."""
        image = self.image_array
        if not self.transposed:
            return np.pad(image, self.padding)
        rows, columns = image.shape
        spread = np.zeros(((rows - 1) * self.stride + 1, (columns - 1) * self.stride + 1))
        spread[:: self.stride, :: self.stride] = image
        top, left = (extent - 1 - self.padding for extent in self.extent)
        return np.pad(spread, ((top, top), (left, left)))

    @property
    def places(self) -> tuple[int, int] | None:
        """Rows and columns of the windows; None where the window does not fit."""
        return self.output_shape

    @property
    def output_shape(self) -> tuple[int, int] | None:
        """Rows and columns of the output; None where the kernel cannot fit."""
        sizes = []
        for size, extent in zip(self.field.shape, self.extent, strict=True):
            if size < extent or (size - extent) % self.window_stride:
                return None
            sizes.append((size - extent) // self.window_stride + 1)
        return sizes[0], sizes[1]


def dilated(kernel: Array, dilation: int) -> Array:
    """Return the kernel with ``dilation - 1`` zeros between its weights."""
    rows, columns = kernel.shape
    result = np.zeros((dilation * (rows - 1) + 1, dilation * (columns - 1) + 1))
    result[::dilation, ::dilation] = kernel
    return result


def toolkit_output(state: SlidingKernelState) -> Array:
    """Compute the output with PyTorch, which the learner's own function is compared with; shape (H, W)."""
    image = torch.from_numpy(state.image_array.copy())[None, None]
    weight = torch.from_numpy(state.kernel_array.copy())[None, None]
    compute = F.conv_transpose2d if state.transposed else F.conv2d
    result = compute(image, weight, stride=state.stride, padding=state.padding, dilation=state.dilation)
    return np.asarray(result[0, 0].numpy(), dtype=np.float64)


def learner_output(state: SlidingKernelState, cross_correlate2d: Learner) -> Outcome:
    """Compute the output with the learner's function.

    It knows neither dilation nor transposed convolutions: it gets the dilated kernel (zeros between the weights),
    and for a transposed convolution the spread and padded image with the kernel turned by 180 degrees.
    """
    taps = dilated(state.taps, state.dilation)
    name = "cross_correlate2d"
    if state.transposed:
        return call_learner(name, cross_correlate2d, state.field, taps)
    image = state.image_array
    return call_learner(name, cross_correlate2d, image, taps, stride=state.stride, padding=state.padding)


def times(*factors: float) -> str:
    """Write a product with signs that can be read: ``(−1)·2``."""
    return "·".join(f"({number(factor)})" if factor < 0 else number(factor) for factor in factors)


def size_formula(state: SlidingKernelState, axis: int) -> str:
    """Write the output size along `axis` with its numbers: ``(7 − 3 + 2·0)/3 + 1 = 2.33: cannot fit``."""
    size, kernel = state.image_array.shape[axis], state.kernel_array.shape[axis]
    stride, padding, dilation, extent = state.stride, state.padding, state.dilation, state.extent[axis]
    if state.transposed:
        total = (size - 1) * stride - 2 * padding + extent
        return f"({size} − 1)·{stride} − 2·{padding} + {dilation}·({kernel} − 1) + 1 = {total}"
    gap = size - extent + 2 * padding
    reach = str(kernel) if dilation == 1 else f"({dilation}·({kernel} − 1) + 1)"
    value = gap / stride + 1
    formula = f"({size} − {reach} + 2·{padding})/{stride} + 1"
    if gap < 0:
        return f"{formula}: cannot fit, the window is larger than the padded input"
    if gap % stride:
        return f"{formula} = {value:.2f}: cannot fit"
    return f"{formula} = {number(value)}"


def overhang(state: SlidingKernelState) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where a window that does not fit starts, and the rows and columns by which it hangs over.

    A window larger than the field hangs over it everywhere. Where the stride does not divide, the first window too
    many is shown along the columns, or along the rows where the columns fit.
    """
    (height, width), (rows, columns), step = state.field.shape, state.extent, state.window_stride
    if height < rows or width < columns:
        return (0, 0), (max(0, rows - height), max(0, columns - width))
    if rest := (width - columns) % step:
        return (0, width - columns - rest + step), (0, step - rest)
    rest = (height - rows) % step
    return (height - rows - rest + step, 0), (step - rest, 0)


def field_cells(
    state: SlidingKernelState, start: tuple[int, int], beyond: tuple[int, int]
) -> list[list[dict[str, Any]]]:
    """Describe every cell of the field, with the window at `start` and the rows and columns it hangs over.

    Returns
    -------
    list of rows of dict
        ``"kind"``: "input", "zero" (padding, or between spread inputs) or "beyond" (outside the field);
        ``"text"``: its number; ``"weight"``: the weight on it, where the window has one; ``"sign"``: of that weight.
    """
    field, taps = state.field, state.taps
    real = np.zeros(field.shape, dtype=bool)
    step = state.stride if state.transposed else 1
    # How far the zeros reach before the first input cell: the rest is symmetric.
    top, left = ((extent - 1 - state.padding if state.transposed else state.padding) for extent in state.extent)
    real[top : len(field) - top : step, left : field.shape[1] - left : step] = True
    rows = []
    for row in range(field.shape[0] + beyond[0]):
        cells = []
        for column in range(field.shape[1] + beyond[1]):
            inside = row < field.shape[0] and column < field.shape[1]
            kind = ("input" if real[row, column] else "zero") if inside else "beyond"
            cell: dict[str, Any] = {"kind": kind, "text": number(field[row, column]) if inside else ""}
            (i, i_rest), (j, j_rest) = (
                divmod(row - start[0], state.dilation),
                divmod(column - start[1], state.dilation),
            )
            if not (i_rest or j_rest) and 0 <= i < taps.shape[0] and 0 <= j < taps.shape[1]:
                cell |= {"weight": number(taps[i, j]), "sign": int(np.sign(taps[i, j]))}
            cells.append(cell)
        rows.append(cells)
    return rows


def size_notes(state: SlidingKernelState, output_size: Learner) -> tuple[list[dict[str, Any]], bool]:
    """Compare the learner's output sizes with the formula; returns notes and whether the function is missing."""
    if state.transposed:
        return [], False
    notes: list[dict[str, Any]] = []
    for axis in range(1 if square(state) else 2):
        size, kernel = state.image_array.shape[axis], state.kernel_array.shape[axis]
        gap = size + 2 * state.padding - state.extent[axis]
        fits = gap >= 0 and gap % state.stride == 0
        options = {"stride": state.stride, "padding": state.padding, "dilation": state.dilation}
        outcome = call_learner("output_size", output_size, size, kernel, **options)
        if outcome.kind == "missing":
            return [], True
        call = (
            f"output_size({size}, {kernel}, stride={state.stride}, padding={state.padding}, dilation={state.dilation})"
        )
        if outcome.kind == "error":
            if not fits and isinstance(outcome.value, ValueError):
                notes.append({"words": f"Your output_size says so too: {outcome.value}", "wrong": False})
            else:
                notes.append({"words": f"{outcome.words} in {call}.", "wrong": True})
        elif not fits:
            words = f"Your {call} gives {outcome.value!r}, but the kernel cannot fit: raise a ValueError here."
            notes.append({"words": words, "wrong": True})
        elif not np.array_equal(outcome.value, gap // state.stride + 1):
            words = f"Your {call} gives {outcome.value!r}, the formula gives {gap // state.stride + 1}."
            notes.append({"words": words, "wrong": True})
    return notes, False


def square(state: SlidingKernelState) -> bool:
    """Whether one formula describes rows and columns alike."""
    return len({*zip(state.image_array.shape, state.kernel_array.shape, strict=True)}) == 1


def view_of(
    state: SlidingKernelState, cross_correlate2d: Learner = None, output_size: Learner = None
) -> dict[str, Any]:
    """Describe the picture of a state for the browser; see :func:`field_cells` for the cells of the field.

    Parameters
    ----------
    state : SlidingKernelState
    cross_correlate2d, output_size : callable or None
        The learner's functions, called where they exist; PyTorch fills in and is what they are compared with.
    """
    shape = state.output_shape
    axes = range(1 if square(state) else 2)
    limits = LIMITS[state.transposed]
    most_padding = min(limits["padding"], min(state.extent) - 1) if state.transposed else limits["padding"]
    notes, size_missing = size_notes(state, output_size)
    height, width = state.field.shape
    kind = "spread " if state.transposed else "padded " if state.padding else ""
    view: dict[str, Any] = {
        "field_name": f"{kind}input · {height} × {width}",
        "position": state.position,
        "controls": {
            "image_size": [max(state.image_array.shape), 1, limits["image_size"]],
            "kernel_size": [max(state.kernel_array.shape), 1, limits["kernel_size"]],
            "stride": [state.stride, 1, limits["stride"]],
            "padding": [state.padding, 0, most_padding],
            "dilation": [state.dilation, 1, limits["dilation"]],
        },
        "transposed": state.transposed,
        "playing": state.playing,
        "at_end": state.at_end,
        "tick_ms": TICK_MS if state.playing else 0,
        "kernel": [[number(weight) for weight in row] for row in state.kernel_array],
        "formula": [size_formula(state, axis) for axis in axes],
        "fits": shape is not None,
        "extent": state.extent,
    }
    if shape is None:
        start, beyond = overhang(state)
        axis = 1 if beyond[1] else 0
        fraction = (state.field.shape[axis] - state.extent[axis]) / state.stride + 1
        lacking = " and ".join(
            counted(count, noun) for count, noun in zip(beyond, ("row", "column"), strict=True) if count
        )
        if size_missing:
            notes.append({"words": missing_words(["output_size"]), "wrong": False})
        return view | {
            "start": start,
            "field": field_cells(state, start, beyond),
            "output": [],
            "no_output": "The window is larger than the input."
            if start == (0, 0)
            else f"{fraction:.2f} is no whole number of cells.",
            "terms": [],
            "total": "",
            "notes": notes,
            "status": f"Cannot fit: the window at rows {start[0]}–{start[0] + state.extent[0] - 1} and columns "
            f"{start[1]}–{start[1] + state.extent[1] - 1} needs {lacking} more than the {kind}input has.",
        }

    row, column = state.position
    start = (row * state.window_stride, column * state.window_stride)
    truth = toolkit_output(state)
    outcome = learner_output(state, cross_correlate2d)
    mine, words = truth, ""
    if outcome.kind == "error":
        words = f"{outcome.words}. The toolkit's numbers are shown."
    if outcome.kind == "value":
        given = as_numbers(outcome.value)
        if given is None:
            words = f"Your cross_correlate2d returned {type(outcome.value).__name__}, not an array of numbers."
        elif given.shape != truth.shape:
            words = (
                f"Your cross_correlate2d returned shape {given.shape}, the output has shape {truth.shape}: "
                "the toolkit's numbers are shown."
            )
        else:
            mine = given
    differs = ~np.isclose(mine, truth, rtol=1e-6, atol=1e-9)
    if differs.any():
        total = differs.sum()
        words = f"Your cross_correlate2d differs from the sum in {total} of {counted(differs.size, 'cell')} (marked ✗)."
        if differs[row, column]:
            words += f" Here it gives {number(mine[row, column])}, the sum is {number(truth[row, column])}."
    missing = ["cross_correlate2d"] * (outcome.kind == "missing") + ["output_size"] * size_missing
    if missing:
        notes.append({"words": missing_words(missing), "wrong": False})
    if words:
        notes.append({"words": words, "wrong": True})

    patch = state.field[
        start[0] : start[0] + state.extent[0] : state.dilation,
        start[1] : start[1] + state.extent[1] : state.dilation,
    ]
    pairs = zip(patch.ravel(), state.taps.ravel(), strict=True)
    turned = " The kernel is turned by 180° over the spread input." if state.transposed else ""
    return view | {
        "start": start,
        "field": field_cells(state, start, (0, 0)),
        "output": [
            [
                {
                    "text": number(mine[i, j]),
                    "shown": (i, j) <= state.position,
                    "wrong": bool(differs[i, j]),
                    "truth": number(truth[i, j]),
                }
                for j in range(shape[1])
            ]
            for i in range(shape[0])
        ],
        "terms": [times(value, weight) for value, weight in pairs],
        "total": number(truth[row, column]),
        "notes": notes,
        "status": f"output[{row}, {column}] = {number(mine[row, column])}: the window covers rows "
        f"{start[0]}–{start[0] + state.extent[0] - 1} and columns {start[1]}–{start[1] + state.extent[1] - 1} "
        f"of the {kind}input.{turned}",
    }


def changed(state: SlidingKernelState, values: dict[str, Any]) -> SlidingKernelState:
    """Return the state after a control has changed.

    `values` are fields of the state, or ``image_size`` and ``kernel_size``. Switching between the two modes brings
    the rest within the limits of the new one.
    """
    transposed = values.get("transposed", state.transposed)
    limits = LIMITS[transposed]
    new = {name: value for name, value in values.items() if not name.endswith("_size")}
    for name, array, pattern in (
        ("image", state.image_array, IMAGE_PATTERN),
        ("kernel", state.kernel_array, KERNEL_PATTERN),
    ):
        size = values.get(f"{name}_size", max(array.shape))
        if f"{name}_size" in values or (transposed != state.transposed and size > limits[f"{name}_size"]):
            new[name] = resized(array, min(size, limits[f"{name}_size"]), pattern)
    if transposed != state.transposed:
        for name in ("stride", "dilation"):
            new.setdefault(name, min(getattr(state, name), limits[name]))
    if transposed and "padding" not in values:
        kernel = replace(state, transposed=False, kernel=new.get("kernel", state.kernel)).kernel_array
        side = min(kernel.shape)
        new["padding"] = min(state.padding, new.get("dilation", state.dilation) * (side - 1))
    return replace(state, **new)


class SlidingKernel(WalkingWidget[SlidingKernelState]):
    """Slide a kernel over an image and watch your own ``cross_correlate2d`` fill the output.

    Parameters
    ----------
    cross_correlate2d : callable or None
        Yours: ``cross_correlate2d(image, kernel, stride=1, padding=0)`` on 2-D arrays. Without it, or while it raises
        ``NotImplementedError``, the toolkit computes the picture and says so.
    output_size : callable or None
        Yours: ``output_size(size, kernel, stride=1, padding=0, dilation=1)``.
    image, kernel : array_like of shape (H, W), or int
        Default: the lecture's practice example, 5×5 and 3×3; an int is another size of it.
    stride, padding, dilation : int
    transposed : bool
        Show the transposed convolution instead.
    position : (int, int)
        Row and column of the output cell whose window is shown.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> SlidingKernel(stride=2, padding=1).as_code()
    'SlidingKernel(stride=2, padding=1)'
    """

    _esm, _css = assets("sliding_kernel")

    def __init__(
        self,
        cross_correlate2d: Learner = None,
        output_size: Learner = None,
        *,
        image: npt.ArrayLike | int = 5,
        kernel: npt.ArrayLike | int = 3,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        transposed: bool = False,
        position: tuple[int, int] = (0, 0),
    ) -> None:
        self.cross_correlate2d, self.output_size = cross_correlate2d, output_size
        state = SlidingKernelState(image, kernel, stride, padding, dilation, transposed, position)
        super().__init__(state, (("cross_correlate2d", cross_correlate2d), ("output_size", output_size)))

    def settings(self) -> dict[str, str]:
        """Return the keyword arguments that restore the state, the position as a tuple."""
        given = super().settings()
        return given | {"position": str(self.state.position)} if "position" in given else given

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.cross_correlate2d, self.output_size)

    def act(self, state: SlidingKernelState, action: str, values: dict[str, Any]) -> SlidingKernelState:
        """Answer the controls, too."""
        if action == "weigh":
            kernel = state.kernel_array.copy()
            kernel[values["row"], values["column"]] = values["weight"]
            return replace(state, kernel=kernel)
        return changed(state, values) if action == "set" else super().act(state, action, values)
