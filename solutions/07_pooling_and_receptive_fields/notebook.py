# %% [markdown]
# # 07 Pooling and receptive fields
#
# ![Left, a 4 × 4 map in four squares of 2 × 2; the largest number of each, 6, 8, 3 and 4, goes to a 2 × 2 map, and
# on the way back the four gradients return to exactly these pixels, all others get 0. Right, three rows of squares: an
# output at the top rests on three units of the middle row, and these on five of the seven pixels at the bottom, to
# which 1, 2, 3, 2 and 1 paths lead.](pictures/pooling.png)
#
# *Left: max pooling keeps the largest number of each window, and the gradient returns to the winner alone. Right: one
# output of two 3 × 3 layers sees 5 of 7 pixels in each direction.*
#
# Between the convolutions of module 06 stand layers without a single weight. They make the maps smaller, and with it
# everything behind them cheaper; they let each unit see more of the picture; and they are said to make a net
# indifferent to where a thing is. You write them forwards and backwards, work out what a unit sees, and then put the
# last claim to the test: you move digits by a few pixels and count how often a net changes its mind.
#
# {{card:160}}
#
# Take it in two sittings: pause after Part 2.
#
# **Afterwards you can**
#
# - write max and average pooling with overlapping windows, padding and ceil mode, forwards and backwards;
# - say who gets the gradient when several pixels tie;
# - write average pooling as a convolution with a stride, and say why;
# - compute size, spacing and place of any receptive field, and measure it;
# - measure how far a net's answer depends on a shift, and say what pooling and blurring do about it.
#
# **You need** [06 The convolutional layer](../06_convolutional_layer/06_convolutional_layer.ipynb): windows cut out
# with slices, and a way back that adds up where windows overlap.
#
# **From the lectures** B (pooling, receptive fields, dilation), C and D (max and average pooling, the 5 × 5 field of
# two layers, AlexNet's 3 × 3 pooling with stride 2).

# %% setup
import numpy as np
import torch

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("07_pooling_and_receptive_fields")
check, hint = lesson.check, lesson.hint


def cover(x, out_shape, kernel_size, stride, padding, value):
    """Frame the maps so that every window lies inside: `padding` pixels around, more where the last window sticks out.

    x has the shape (N, C, H, W), out_shape is (H', W'); the frame holds `value`. Pixel (p, q) of the maps is pixel
    (p + padding, q + padding) of what is returned, a new array.
    """
    frame = [(0, 0), (0, 0)]
    for size, out in zip(x.shape[2:], out_shape, strict=True):
        frame.append((padding, max(padding, (out - 1) * stride + kernel_size - size - padding)))
    return np.pad(x, frame, constant_values=value)


def shifted(x, rows, columns):
    """Move maps down by `rows` and to the right by `columns` pixels (negative: up, left); what comes in is 0."""
    height, width = x.shape[-2:]
    down, right = max(rows, 0), max(columns, 0)
    up, left = max(-rows, 0), max(-columns, 0)
    moved = np.zeros_like(x)
    moved[..., down : height - up, right : width - left] = x[..., up : height - down, left : width - right]
    return moved


def layer(kernel_size, stride=1, padding=0, dilation=1):
    """Describe a layer by the four numbers that its receptive field depends on, as a tuple in this order."""
    return (kernel_size, stride, padding, dilation)


def torch_pool(kind, x, kernel_size, **options):
    """Return PyTorch's output, kind "max" or "avg": what the tests compare with."""
    pool = {"max": torch.nn.functional.max_pool2d, "avg": torch.nn.functional.avg_pool2d}[kind]
    return pool(torch.tensor(x), kernel_size, **options).numpy()


def torch_pool_gradient(kind, grad_output, x, kernel_size, **options):
    """Return PyTorch's gradient with respect to x: what the tests compare with."""
    pool = {"max": torch.nn.functional.max_pool2d, "avg": torch.nn.functional.avg_pool2d}[kind]
    inputs = torch.tensor(x, requires_grad=True)
    (gradient,) = torch.autograd.grad(pool(inputs, kernel_size, **options), inputs, torch.tensor(grad_output))
    return gradient.numpy()


# %% [markdown]
# The setup gives you four helpers. `cover` frames the maps with a value of your choice until every window lies inside;
# `shifted` moves pictures; `layer` describes a layer by four numbers; the `torch_…` functions are PyTorch's answers.
#
# ## Before you begin: a prediction
#
# Three small nets read digits. They have the same layers, the same number of weights and the same start. They differ
# only in how they halve their maps, twice: by convolutions with stride 2, by max pooling, by average pooling. Then the
# digits are moved by up to three pixels.

# %% experiment seconds=5
lesson.predict(
    "which_is_steadiest",
    "Which of the three nets keeps its answer most often when a digit moves?",
    [
        "The one with strided convolutions",
        "The one with max pooling",
        "The one with average pooling",
        "None: they are within half a percentage point of each other",
    ],
)

# %% [markdown]
# # Part 1 · The largest in the window
#
# ## {{exercise:pool_output_size}}
#
# A pooling window of $K$ pixels moves in steps of $S$, like a kernel. Along a side of $n$ pixels with $P$ padded at
# both ends it has
#
# $$n' = \left\lfloor \frac{n + 2P - K}{S} \right\rfloor + 1$$
#
# places. Where $S$ does not divide, pixels are left over that no window sees. For pooling there is a second
# way, **ceil mode**: round up, $\lceil\cdot\rceil$ in the place of $\lfloor\cdot\rfloor$. A last window is added that
# sticks out; it pools what it finds. Caffe, in which AlexNet became known, rounds up.
#
# One exception keeps ceil mode sane. Counted from the first padded pixel, the last window starts at $(n' - 1)S$. If
# that is $n + P$ or more, it would begin behind the last real pixel and find padding only. Then it is dropped, and
# $n'$ is one less.
#
# Padding is at most half a kernel, $P \le \lfloor K/2 \rfloor$, for otherwise the first window might see padding only.
#
# **By hand.** AlexNet pools 55 pixels with $K = 3, S = 2$: $(55 - 3)/2 + 1 = 27$. With 6 pixels, $K = 3$, $S = 2$:
# $\lfloor 1.5 \rfloor + 1 = 2$ windows, or 3 in ceil mode; the third covers pixels 4, 5 and the one behind them that
# does not exist.


# %% exercise="pool_output_size" difficulty=2 minutes=12
def pool_output_size(size, kernel_size, stride, padding=0, ceil_mode=False):
    """Count the places of a pooling window along one side.

    Parameters
    ----------
    size : int, at least 1
        Pixels along the side.
    kernel_size, stride : int, at least 1
    padding : int, from 0 to kernel_size // 2
        Pixels added at both ends.
    ceil_mode : bool
        Whether a last window that sticks out counts, unless it would start behind the last real pixel.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If an argument is outside its range, or if the kernel is larger than the padded side.
    """
    ### BEGIN SOLUTION
    if min(size, kernel_size, stride) < 1:
        raise ValueError(f"size, kernel_size and stride must be at least 1, not {size}, {kernel_size}, {stride}")
    if not 0 <= padding <= kernel_size // 2:
        raise ValueError(f"padding must be from 0 to {kernel_size // 2}, half the kernel, not {padding}")
    room = size + 2 * padding - kernel_size
    if room < 0:
        raise ValueError(f"a window of {kernel_size} does not fit into {size + 2 * padding} pixels")
    if not ceil_mode:
        return room // stride + 1
    out = -(-room // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out
    ### END SOLUTION


# %% tests="pool_output_size" points=1
# The sizes of AlexNet's three pooling layers, LeNet's first; then one padded pixel, and pixels that are left over.
check(pool_output_size, 55, 3, 2).gives(27)
check(pool_output_size, 55, 3, 2).satisfies(
    lambda out: isinstance(out, int | np.integer), "the count is an int, no float"
)
check(pool_output_size, 27, 3, 2).gives(13)
check(pool_output_size, 13, 3, 2).gives(6)
check(pool_output_size, 28, 2, 2).gives(14)
check(pool_output_size, 112, 3, 2, padding=1).gives(56)
check(pool_output_size, 4, 3, 1, padding=1).gives(4)
check(pool_output_size, 7, 2, 2).gives(3)
# A window larger than the side; a border wider than half a kernel, or negative; steps and windows of nothing.
check(pool_output_size, 2, 3, 1).raises(ValueError)
check(pool_output_size, 8, 3, 2, padding=2).raises(ValueError)
check(pool_output_size, 5, 2, 1, padding=-1).raises(ValueError)
check(pool_output_size, 5, 2, 0).raises(ValueError)
check(pool_output_size, 5, 0, 1).raises(ValueError)
### BEGIN HIDDEN TESTS
for size, kernel_size, stride, padding in [(0, 1, 1, 0), (0, 2, 1, 1), (5, 2, -1, 0), (7, 4, 2, -2), (1, 4, 1, 1)]:
    check(pool_output_size, size, kernel_size, stride, padding).raises(ValueError)
for size in range(1, 12):
    for kernel_size, stride, padding in [(1, 1, 0), (2, 3, 1), (3, 2, 1), (4, 1, 2), (5, 4, 0), (1, 3, 0)]:
        if size + 2 * padding >= kernel_size:
            expected = torch_pool("max", np.zeros((1, 1, size, size)), kernel_size, stride=stride, padding=padding)
            check(pool_output_size, size, kernel_size, stride, padding).gives(expected.shape[2])
### END HIDDEN TESTS

# %% tests="pool_output_size" points=1
# The example above; a side that divides, where nothing changes; three pixels left over at stride 4.
check(pool_output_size, 6, 3, 2, ceil_mode=False).gives(2)
check(pool_output_size, 6, 3, 2, ceil_mode=True).gives(3)
check(pool_output_size, 55, 3, 2, ceil_mode=True).gives(27)
check(pool_output_size, 9, 2, 4, ceil_mode=True).gives(3)
# Here a third window would see padding only: it would start at 4 = n + P. And the same without padding.
check(pool_output_size, 3, 2, 2, padding=1, ceil_mode=True).gives(2)
check(pool_output_size, 5, 1, 3, ceil_mode=True).gives(2)
# Here the fourth window starts at 6: behind the padded pixel in front that is pixel 5, the last real one. It stays.
check(pool_output_size, 6, 3, 2, padding=1, ceil_mode=True).gives(4)
### BEGIN HIDDEN TESTS
for size in range(1, 14):
    for kernel_size, stride, padding in [(1, 1, 0), (2, 3, 1), (3, 2, 1), (4, 1, 2), (5, 4, 0), (1, 4, 0), (2, 2, 1)]:
        if size + 2 * padding >= kernel_size:
            options = {"stride": stride, "padding": padding, "ceil_mode": True}
            expected = torch_pool("max", np.zeros((1, 1, size, size)), kernel_size, **options)
            check(pool_output_size, size, kernel_size, **options).gives(expected.shape[2])
check(pool_output_size, 1, 4, 2, 1, ceil_mode=True).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:max_pool2d}}
#
# **Max pooling** keeps the largest number of each window and forgets where it stood. Each channel is pooled by itself,
# so the number of channels stays. With $\tilde{x}$ for the framed maps,
#
# $$y_{ncij} = \max_{0 \le a, b < K} \tilde{x}_{n,\,c,\;iS + a,\;jS + b}$$
#
# $n$ is the image, $c$ the channel, $(i, j)$ the window and $(a, b)$ a place in it. The input has the shape
# $(N, C, H, W)$, the output $(N, C, H', W')$. Where no stride is given, it is the kernel's size: windows side by
# side. AlexNet's windows of 3 × 3 with stride 2 overlap.
#
# Which number belongs into the frame? Not 0: a window of negative numbers at the border would then give 0,
# a number that stands nowhere in it. The frame must never win.
#
# As in `im2col`, all the pixels in place $(a, b)$ of their windows are one slice with step $S$,
# `framed[:, :, a::S, b::S]`, cut off after $H'$ rows and $W'$ columns. So a loop over the $K^2$ places is enough.
#
# Lecture D's slide shows the answer, [[6, 8], [3, 4]]; its input did not survive. The course CS231n has the same
# answer with the input below.


# %% exercise="max_pool2d" difficulty=2 minutes=15 covers="64"
def max_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    """Keep the largest number of each window.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, C, H, W)
    kernel_size : int
        Windows of kernel_size × kernel_size pixels.
    stride : int, or None for kernel_size
    padding : int
    ceil_mode : bool

    Returns
    -------
    ndarray, shape (N, C, H', W'), dtype of x

    Raises
    ------
    ValueError
        Where `pool_output_size` raises one.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    out = [pool_output_size(size, kernel_size, stride, padding, ceil_mode) for size in x.shape[2:]]
    framed = cover(x, out, kernel_size, stride, padding, -np.inf)
    y = np.full((*x.shape[:2], *out), -np.inf, x.dtype)
    for a in range(kernel_size):
        for b in range(kernel_size):
            y = np.maximum(y, framed[:, :, a::stride, b::stride][:, :, : out[0], : out[1]])
    return y
    ### END SOLUTION


# %% tests="max_pool2d" points=1 covers="64"
# CS231n's map, with the answer of lecture D; then windows one pixel apart, which overlap.
cs231n = np.array([[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]])[None, None]
check(max_pool2d, cs231n, 2).gives([[[[6, 8], [3, 4]]]])
check(max_pool2d, cs231n, 2, stride=1).gives([[[[6, 7, 8], [6, 7, 8], [3, 3, 4]]]])
check(max_pool2d, cs231n, 3, stride=1).gives([[[[7, 8], [7, 8]]]])
# Two images of two channels, more columns than rows, in the precision that networks use.
rng = np.random.default_rng(700)
x = rng.normal(size=(2, 2, 4, 7)).astype(np.float32)
check(max_pool2d, x, 2).gives(torch_pool("max", x, 2), dtype=np.float32)
check(max_pool2d, x, 5).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride in [
    ((1, 1, 1, 1), 1, 1),
    ((2, 3, 9, 5), 3, 2),
    ((1, 2, 3, 8), 2, 5),
    ((3, 1, 6, 4), 4, 1),
]:
    x = rng.normal(size=shape)
    check(max_pool2d, x, kernel_size, stride).gives(torch_pool("max", x, kernel_size, stride=stride))
### END HIDDEN TESTS

# %% tests="max_pool2d" points=1
# All numbers are negative: nothing but a pixel of the window may come out.
negative = np.array([[-9.0, -2.0, -3.0], [-4.0, -8.0, -6.0], [-7.0, -1.0, -5.0]])[None, None]
check(max_pool2d, negative, 2, padding=1).gives([[[[-9, -2], [-4, -1]]]])
# Ceil mode: the last row and column of windows stick out, and pool what they find.
check(max_pool2d, negative, 2, ceil_mode=True).gives([[[[-2, -3], [-1, -5]]]])
rng = np.random.default_rng(701)
x = rng.normal(size=(2, 3, 6, 8)) - 5
options = {"stride": 2, "padding": 1, "ceil_mode": True}
check(max_pool2d, x, 3, **options).gives(torch_pool("max", x, 3, **options))
check(max_pool2d, x, 3, stride=2, padding=2).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride, padding in [
    ((2, 1, 5, 4), 3, 2, 1),
    ((1, 2, 7, 3), 2, 2, 1),
    ((2, 2, 5, 10), 4, 3, 2),
    ((1, 1, 5, 6), 1, 3, 0),
]:
    x = rng.normal(size=shape) - 5
    for ceil_mode in (False, True):
        options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
        check(max_pool2d, x, kernel_size, **options).gives(torch_pool("max", x, kernel_size, **options))
x = x.astype(np.float32)
check(max_pool2d, x, 2, padding=1).gives(torch_pool("max", x, 2, padding=1), dtype=np.float32)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:max_pool2d_backward}}
#
# A maximum is its largest argument, and near it nothing else matters: the derivative is 1 with respect to the winner
# and 0 with respect to all others. So the gradient of an output goes back, whole, to the pixel that won the window:
#
# $$\frac{\partial L}{\partial x_{ncpq}} = \sum_{i,\,j\;:\;\text{pixel } (p,\,q) \text{ wins window } (i,\,j)}
# \frac{\partial L}{\partial y_{ncij}}$$
#
# Windows that overlap may have the same winner; its gradients **add up**, as at any place where paths meet.
#
# **Ties.** Where two pixels are equally large, the maximum has a kink and no derivative. A rule has to choose. Giving
# each winner the whole gradient would create gradient out of nothing; sharing it would be possible; PyTorch, and
# this course, give it to the **first** in reading order: smallest row, then smallest column.
#
# The loop over the places of the window meets them in reading order. So remember for each window whether it
# has already found its winner.


# %% exercise="max_pool2d_backward" difficulty=3 minutes=25 covers="64"
def max_pool2d_backward(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    """Send the gradient of each window back to the pixel that won it.

    Parameters
    ----------
    grad_output : ndarray, shape (N, C, H', W')
        ∂L/∂y.
    x : ndarray, shape (N, C, H, W)
        The input of the way forward.
    kernel_size, stride, padding, ceil_mode
        Those of the way forward.

    Returns
    -------
    ndarray, shape of x, dtype of grad_output
        Of several equal pixels of a window, the first in reading order has won.

    Raises
    ------
    ValueError
        Where `max_pool2d` raises one, or if grad_output has not the shape of its output.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    y = max_pool2d(x, kernel_size, stride, padding, ceil_mode)
    if grad_output.shape != y.shape:
        raise ValueError(f"grad_output must have the shape of the output, {y.shape}, not {grad_output.shape}")
    rows, columns = y.shape[2:]
    framed = cover(x, (rows, columns), kernel_size, stride, padding, -np.inf)
    grad = np.zeros(framed.shape, grad_output.dtype)
    without_winner = np.ones(y.shape, bool)
    for a in range(kernel_size):
        for b in range(kernel_size):
            pixels = framed[:, :, a::stride, b::stride][:, :, :rows, :columns]
            wins = without_winner & (pixels == y)
            grad[:, :, a::stride, b::stride][:, :, :rows, :columns] += wins * grad_output
            without_winner &= ~wins
    return grad[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    ### END SOLUTION


# %% tests="max_pool2d_backward" points=1
# CS231n's map: the gradients 1, 10, 100 and 1000 show which window each came from.
cs231n = np.array([[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]])[None, None]
grad_output = np.array([[1.0, 10.0], [100.0, 1000.0]])[None, None]
check(max_pool2d_backward, grad_output, cs231n, 2).gives(
    [[[[0, 0, 0, 0], [0, 1, 0, 10], [100, 0, 0, 0], [0, 0, 0, 1000]]]]
)
# Two images of two channels without ties. A row and a column are left over: their gradient is 0.
rng = np.random.default_rng(702)
x, grad_output = rng.normal(size=(2, 2, 5, 7)), rng.normal(size=(2, 2, 2, 3))
check(max_pool2d_backward, grad_output, x, 2).gives_gradient(torch_pool_gradient("max", grad_output, x, 2))
check(max_pool2d_backward, grad_output[:, :, :1], x, 2).raises(ValueError)
# In the precision that networks use.
x, grad_output = x.astype(np.float32), grad_output.astype(np.float32)
expected = torch_pool_gradient("max", grad_output, x, 2)
check(max_pool2d_backward, grad_output, x, 2).gives(expected, rtol=1e-5, atol=1e-6, dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, kernel_size in [((1, 1, 1, 1), 1), ((2, 3, 9, 6), 3), ((1, 2, 4, 5), 4)]:
    x = rng.normal(size=shape)
    grad_output = rng.normal(size=torch_pool("max", x, kernel_size).shape)
    expected = torch_pool_gradient("max", grad_output, x, kernel_size)
    check(max_pool2d_backward, grad_output, x, kernel_size).gives_gradient(expected)
    check(max_pool2d_backward, grad_output.astype(np.float32), x.astype(np.float32), kernel_size).gives(
        expected, rtol=1e-5, atol=1e-5, dtype=np.float32
    )
### END HIDDEN TESTS

# %% tests="max_pool2d_backward" points=1
# Ties: a pair of sevens in a row, in a column and on the diagonal; then four equal pixels.
pairs = np.array([[0.0, 0.0, 7.0, 1.0, 1.0, 7.0], [7.0, 7.0, 7.0, 1.0, 7.0, 1.0]])[None, None]
check(max_pool2d_backward, np.array([[[[1.0, 10.0, 100.0]]]]), pairs, 2).gives(
    [[[[0, 0, 10, 0, 0, 100], [1, 0, 0, 0, 0, 0]]]]
)
check(max_pool2d_backward, np.array([[[[5.0]]]]), np.zeros((1, 1, 2, 2)), 2).gives([[[[5, 0], [0, 0]]]])
# After a ReLU whole maps are 0, in every channel and image. Nothing is lost and nothing comes on top.
zeros = np.zeros((2, 2, 2, 4))
check(max_pool2d_backward, np.arange(1.0, 9.0).reshape(2, 2, 1, 2), zeros, 2).gives(
    torch_pool_gradient("max", np.arange(1.0, 9.0).reshape(2, 2, 1, 2), zeros, 2)
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(703)
for shape, kernel_size, stride in [((2, 3, 6, 8), 2, 2), ((1, 2, 7, 9), 3, 2), ((2, 1, 5, 5), 3, 1)]:
    x = rng.integers(0, 3, size=shape).astype(float)
    grad_output = rng.normal(size=torch_pool("max", x, kernel_size, stride=stride).shape)
    check(max_pool2d_backward, grad_output, x, kernel_size, stride).gives_gradient(
        torch_pool_gradient("max", grad_output, x, kernel_size, stride=stride)
    )
### END HIDDEN TESTS

# %% tests="max_pool2d_backward" points=1
# AlexNet's windows, 3 × 3 with stride 2: the 9 in the middle wins all four of them.
middle = np.arange(25.0).reshape(5, 5) % 4
middle[2, 2] = 9
grad_output = np.array([[1.0, 10.0], [100.0, 1000.0]])[None, None]
only_the_middle = np.zeros((5, 5))
only_the_middle[2, 2] = 1111
check(max_pool2d_backward, grad_output, middle[None, None], 3, stride=2).gives(only_the_middle[None, None])
# With a border, with windows that stick out, and with both; all numbers are negative.
rng = np.random.default_rng(704)
for options in [{"padding": 1}, {"ceil_mode": True}, {"padding": 1, "ceil_mode": True}]:
    x = rng.normal(size=(2, 2, 6, 8)) - 5
    options = {"stride": 2, **options}
    grad_output = rng.normal(size=torch_pool("max", x, 3, **options).shape)
    check(max_pool2d_backward, grad_output, x, 3, **options).gives_gradient(
        torch_pool_gradient("max", grad_output, x, 3, **options)
    )
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride, padding, ceil_mode in [
    ((2, 1, 5, 4), 3, 1, 1, False),
    ((1, 2, 7, 3), 2, 2, 1, True),
    ((2, 2, 5, 10), 4, 3, 2, True),
    ((1, 1, 8, 9), 2, 4, 0, False),
]:
    x = rng.normal(size=shape) - 5
    options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    grad_output = rng.normal(size=torch_pool("max", x, kernel_size, **options).shape)
    check(max_pool2d_backward, grad_output, x, kernel_size, **options).gives_gradient(
        torch_pool_gradient("max", grad_output, x, kernel_size, **options)
    )
### END HIDDEN TESTS

# %% [markdown]
# ### How often do pixels tie?
#
# A window of four zeros is a tie of four, and a ReLU makes many zeros. Does the rule then decide how a net learns? The
# cell below runs a photograph and a thousand digits through eight random 3 × 3 filters and a ReLU, and counts. A window
# whose maximum is 0 sends its gradient to a pixel at which the ReLU is shut: the ReLU multiplies it by 0, whoever got
# it. So only ties of positive numbers are decided by the rule.


# %% experiment seconds=5
def count_ties(maps):
    """Return the shares, in percent, of the 2 × 2 windows of (N, C, H, W) that tie, and that tie above 0."""
    corners = np.stack([maps[:, :, a::2, b::2] for a in (0, 1) for b in (0, 1)])
    largest = corners.max(axis=0)
    tied = (corners == largest).sum(axis=0) > 1
    return 100 * float(tied.mean()), 100 * float((tied & (largest > 0)).mean())


rng = np.random.default_rng(0)
filters = torch.tensor(rng.normal(size=(8, 1, 3, 3)))
cat = torch.tensor(data.photograph("cat").mean(axis=2)[None, None, :300, :450] / 255)
digits = torch.tensor(data.digits(1, training.full_or_fast(1000, 100)).x_test.astype(np.float64))
cat_maps, digit_maps = (torch.nn.functional.conv2d(x, filters, padding=1).numpy() for x in (cat, digits))
ties = {
    "photograph, 8 filters": count_ties(cat_maps),
    "photograph, filters, ReLU": count_ties(np.maximum(cat_maps, 0)),
    "digits, 8 filters": count_ties(digit_maps),
    "digits, filters, ReLU": count_ties(np.maximum(digit_maps, 0)),
}
print(f"{'% of all 2 × 2 windows':26}{'tied':>8}{'tied above 0':>15}")
for name, (tied, above) in ties.items():
    print(f"{name:26}{tied:8.1f}{above:15.1f}")

# The ReLU in front of the pooling: its gradient is that of the pooling times (x > 0).
maps, after = digit_maps[:50], np.maximum(digit_maps[:50], 0)
grad_output = rng.normal(size=(50, 8, 14, 14))
first = max_pool2d_backward(grad_output, after, 2) * (maps > 0)
# With rows and columns reversed, the last of a window comes first; the result is turned back.
last = max_pool2d_backward(grad_output[:, :, ::-1, ::-1], after[:, :, ::-1, ::-1], 2)[:, :, ::-1, ::-1] * (maps > 0)
differ = 100 * float((first != last).mean())
print(f"\ndigits, first winner against last: the gradient in front of the ReLU differs at {differ:.2f} % of the pixels")
lesson.target(
    "windows that tie behind the ReLU, photograph", ties["photograph, filters, ReLU"][0], at_least=20, unit="%"
)
lesson.target("pixels at which the rule for ties matters, in front of the ReLU", differ, at_most=1, unit="%")

# %% [markdown]
# The digits tie before the ReLU too: their paper is the same number everywhere.

# %% [markdown]
# # Part 2 · The mean of the window
#
# ## {{exercise:avg_pool2d}}
#
# LeNet's "subsampling" layers of 1998 are **average pooling** (with a weight and a bias a map, which later nets
# dropped):
#
# $$y_{ncij} = \frac{1}{D_{ij}} \sum_{a=0}^{K-1} \sum_{b=0}^{K-1} \tilde{x}_{n,\,c,\;iS + a,\;jS + b}$$
#
# Now the frame does hold zeros: they add nothing to the sum. But do they count? There are two conventions, and
# PyTorch has a switch for them, `count_include_pad`:
#
# - `True`, the default: $D_{ij} = K^2$, always. A window at the border is darkened by its padded zeros.
# - `False`: $D_{ij}$ is the number of *real* pixels in window $(i, j)$, so that a map of ones stays a map of ones.
#
# (Ceil mode is left out here. It exists for averages too; its divisor is a third convention.)


# %% exercise="avg_pool2d" difficulty=2 minutes=12 covers="65"
def avg_pool2d(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    """Take the mean of each window.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, C, H, W)
    kernel_size : int
    stride : int, or None for kernel_size
    padding : int
    count_include_pad : bool
        Whether padded pixels count in the divisor.

    Returns
    -------
    ndarray, shape (N, C, H', W'), dtype of x

    Raises
    ------
    ValueError
        Where `pool_output_size` raises one.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    rows, columns = (pool_output_size(size, kernel_size, stride, padding) for size in x.shape[2:])

    def window_sums(maps):
        framed = cover(maps, (rows, columns), kernel_size, stride, padding, 0)
        sums = np.zeros((*maps.shape[:2], rows, columns), x.dtype)
        for a in range(kernel_size):
            for b in range(kernel_size):
                sums += framed[:, :, a::stride, b::stride][:, :, :rows, :columns]
        return sums

    if count_include_pad:
        return window_sums(x) / kernel_size**2
    return window_sums(x) / window_sums(np.ones_like(x[:1, :1]))
    ### END SOLUTION


# %% tests="avg_pool2d" points=1
# CS231n's map; then windows that overlap.
cs231n = np.array([[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]])[None, None]
check(avg_pool2d, cs231n, 2).gives([[[[3.25, 5.25], [2, 2]]]])
check(avg_pool2d, cs231n, 2, stride=1).gives([[[[3.25, 4, 5.25], [4, 4, 4], [2, 2, 2]]]])
# Two images of two channels, more columns than rows, in the precision that networks use.
rng = np.random.default_rng(705)
x = rng.normal(size=(2, 2, 5, 7)).astype(np.float32)
check(avg_pool2d, x, 3, stride=2).gives(torch_pool("avg", x, 3, stride=2), rtol=1e-5, atol=1e-6, dtype=np.float32)
check(avg_pool2d, x, 6).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride in [
    ((1, 1, 1, 1), 1, 1),
    ((2, 3, 9, 5), 3, 2),
    ((1, 2, 3, 8), 2, 5),
    ((3, 1, 6, 4), 4, 1),
]:
    x = rng.normal(size=shape)
    check(avg_pool2d, x, kernel_size, stride).gives(torch_pool("avg", x, kernel_size, stride=stride))
### END HIDDEN TESTS

# %% tests="avg_pool2d" points=1
# A map of twelves under 2 × 2 windows with one padded pixel: corners hold one real pixel, edges two.
twelves = np.full((1, 1, 4, 4), 12.0)
check(avg_pool2d, twelves, 2, padding=1).gives([[[[3, 6, 3], [6, 12, 6], [3, 6, 3]]]])
check(avg_pool2d, twelves, 2, padding=1, count_include_pad=False).gives(np.full((1, 1, 3, 3), 12.0))
# A pixel that is 0 is real, and counts.
half_black = np.array([[0.0, 12.0], [0.0, 12.0]])[None, None]
check(avg_pool2d, half_black, 2, 1, 1, count_include_pad=False).gives([[[[0, 6, 12], [0, 6, 12], [0, 6, 12]]]])
# Overlapping windows on a map whose pixels differ: 3 × 3 with stride 2, as in lecture B's convolution.
rng = np.random.default_rng(706)
x = rng.normal(size=(2, 2, 5, 7))
for count_include_pad in (True, False):
    options = {"stride": 2, "padding": 1, "count_include_pad": count_include_pad}
    check(avg_pool2d, x, 3, **options).gives(torch_pool("avg", x, 3, **options))
check(avg_pool2d, x, 3, padding=2).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride, padding in [((2, 1, 5, 4), 3, 1, 1), ((1, 2, 7, 3), 2, 3, 1), ((2, 2, 5, 10), 4, 3, 2)]:
    x = rng.normal(size=shape)
    for count_include_pad in (True, False):
        options = {"stride": stride, "padding": padding, "count_include_pad": count_include_pad}
        check(avg_pool2d, x, kernel_size, **options).gives(torch_pool("avg", x, kernel_size, **options))
x = x.astype(np.float32)
check(avg_pool2d, x, 2, padding=1, count_include_pad=False).gives(
    torch_pool("avg", x, 2, padding=1, count_include_pad=False), rtol=1e-5, atol=1e-6, dtype=np.float32
)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:avg_pool2d_backward}}
#
# The mean is a weighted sum in which every pixel has the same weight, $1/D_{ij}$. So every pixel of a window gets the
# same share of its gradient:
#
# $$\frac{\partial L}{\partial x_{ncpq}} = \sum_{i,\,j\;:\;\text{window } (i,\,j) \text{ sees } (p,\,q)}
# \frac{1}{D_{ij}} \frac{\partial L}{\partial y_{ncij}}$$
#
# No pixel's value occurs here: the way back needs the *shape* of $x$ only, where max pooling needed $x$ itself (or had
# to remember the winners). The frame gets its shares too; they are cut off at the end. The divisors are those of
# exercise 4: if you count the real pixels in a helper of your own, written in its cell, you can use it here.


# %% exercise="avg_pool2d_backward" difficulty=2 minutes=12 covers="65"
def avg_pool2d_backward(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    """Share the gradient of each window among its pixels.

    Parameters
    ----------
    grad_output : ndarray, shape (N, C, H', W')
        ∂L/∂y.
    x_shape : (int, int, int, int)
        N, C, H and W of the input of the way forward.
    kernel_size, stride, padding, count_include_pad
        Those of the way forward.

    Returns
    -------
    ndarray, shape x_shape, dtype of grad_output

    Raises
    ------
    ValueError
        Where `pool_output_size` raises one, or if grad_output has not the shape of the output.
    """
    ### BEGIN SOLUTION
    stride = kernel_size if stride is None else stride
    height, width = x_shape[2:]
    rows, columns = (pool_output_size(size, kernel_size, stride, padding) for size in (height, width))
    if grad_output.shape != (*x_shape[:2], rows, columns):
        raise ValueError(f"grad_output must have shape {(*x_shape[:2], rows, columns)}, not {grad_output.shape}")
    places = [(a, b) for a in range(kernel_size) for b in range(kernel_size)]
    divisor = kernel_size**2
    if not count_include_pad:
        real = cover(
            np.ones((1, 1, height, width), grad_output.dtype), (rows, columns), kernel_size, stride, padding, 0
        )
        divisor = sum(real[:, :, a::stride, b::stride][:, :, :rows, :columns] for a, b in places)
    share = grad_output / divisor
    grad = cover(np.zeros(x_shape, grad_output.dtype), (rows, columns), kernel_size, stride, padding, 0)
    for a, b in places:
        grad[:, :, a::stride, b::stride][:, :, :rows, :columns] += share
    return grad[:, :, padding : padding + height, padding : padding + width]
    ### END SOLUTION


# %% tests="avg_pool2d_backward" points=1
# Four windows side by side; then overlapping ones of ones, where each pixel counts its windows in quarters.
grad_output = np.array([[4.0, 40.0], [400.0, 4000.0]])[None, None]
check(avg_pool2d_backward, grad_output, (1, 1, 4, 4), 2).gives(
    [[[[1, 1, 10, 10], [1, 1, 10, 10], [100, 100, 1000, 1000], [100, 100, 1000, 1000]]]]
)
check(avg_pool2d_backward, np.ones((1, 1, 2, 3)), (1, 1, 3, 4), 2, stride=1).gives(
    [[[[0.25, 0.5, 0.5, 0.25], [0.5, 1, 1, 0.5], [0.25, 0.5, 0.5, 0.25]]]]
)
# Two images, two channels, 3 × 3 with stride 2. A column is left over: its gradient is 0.
rng = np.random.default_rng(707)
grad_output = rng.normal(size=(2, 2, 2, 3))
check(avg_pool2d_backward, grad_output, (2, 2, 5, 8), 3, stride=2).gives_gradient(
    torch_pool_gradient("avg", grad_output, np.zeros((2, 2, 5, 8)), 3, stride=2)
)
check(avg_pool2d_backward, grad_output, (2, 2, 5, 9), 3, stride=2).raises(ValueError)
check(avg_pool2d_backward, grad_output[:, :, :1], (2, 2, 5, 8), 3, stride=2).raises(ValueError)
# In the precision that networks use.
grad_output = grad_output.astype(np.float32)
expected = torch_pool_gradient("avg", grad_output, np.zeros((2, 2, 5, 8), np.float32), 3, stride=2)
check(avg_pool2d_backward, grad_output, (2, 2, 5, 8), 3, stride=2).gives(
    expected, rtol=1e-5, atol=1e-6, dtype=np.float32
)
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride in [
    ((1, 1, 1, 1), 1, 1),
    ((2, 3, 9, 5), 3, 2),
    ((1, 2, 3, 8), 2, 5),
    ((3, 1, 6, 4), 4, 1),
]:
    grad_output = rng.normal(size=torch_pool("avg", np.zeros(shape), kernel_size, stride=stride).shape)
    expected = torch_pool_gradient("avg", grad_output, np.zeros(shape), kernel_size, stride=stride)
    check(avg_pool2d_backward, grad_output, shape, kernel_size, stride).gives_gradient(expected)
    check(avg_pool2d_backward, grad_output.astype(np.float32), shape, kernel_size, stride).gives(
        expected, rtol=1e-5, atol=1e-5, dtype=np.float32
    )
### END HIDDEN TESTS

# %% tests="avg_pool2d_backward" points=1
# One padded pixel: with it counted, each corner window gives a quarter to its one real pixel; without, all of it.
ones = np.ones((1, 1, 3, 3))
check(avg_pool2d_backward, 4 * ones, (1, 1, 4, 4), 2, padding=1).gives(np.ones((1, 1, 4, 4)))
check(avg_pool2d_backward, 4 * ones, (1, 1, 4, 4), 2, padding=1, count_include_pad=False).gives(
    [[[[4, 2, 2, 4], [2, 1, 1, 2], [2, 1, 1, 2], [4, 2, 2, 4]]]]
)
rng = np.random.default_rng(708)
grad_output = rng.normal(size=(2, 2, 3, 4))
for count_include_pad in (True, False):
    options = {"stride": 2, "padding": 1, "count_include_pad": count_include_pad}
    check(avg_pool2d_backward, grad_output, (2, 2, 5, 7), 3, **options).gives_gradient(
        torch_pool_gradient("avg", grad_output, np.zeros((2, 2, 5, 7)), 3, **options)
    )
### BEGIN HIDDEN TESTS
for shape, kernel_size, stride, padding in [((2, 1, 5, 4), 3, 1, 1), ((1, 2, 7, 3), 2, 3, 1), ((2, 2, 5, 10), 4, 3, 2)]:
    for count_include_pad in (True, False):
        options = {"stride": stride, "padding": padding, "count_include_pad": count_include_pad}
        grad_output = rng.normal(size=torch_pool("avg", np.zeros(shape), kernel_size, **options).shape)
        check(avg_pool2d_backward, grad_output, shape, kernel_size, **options).gives_gradient(
            torch_pool_gradient("avg", grad_output, np.zeros(shape), kernel_size, **options)
        )
### END HIDDEN TESTS

# %% [markdown]
# ### Play: the gradient's way back
#
# Step through the windows with ▶ Play, or click a window's output, or use the arrow keys. Above, the window and what
# it gives; below, what its gradient becomes, added to what the windows before it gave. **Your** four functions compute
# both; a cell that they get wrong is marked.
#
# Try: (1) max pooling, 3 × 3, stride 2: find a pixel that collects from several windows. (2) The map "after a ReLU":
# where do ties send the gradient? (3) Average pooling with padding, and the padding counted or not.

# %% widget="pooling_stepper"
# alt: A 5 × 5 map under 3 × 3 windows with stride 2, their 2 × 2 maxima, and the way back: a 9 collects 3 + 4 = 7.
# picture: PoolingStepper(max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward, position=(1, 1))
from convnets.widgets import PoolingStepper

PoolingStepper(max_pool2d, max_pool2d_backward, avg_pool2d, avg_pool2d_backward)

# %% [markdown]
# ### Proof
#
# Three witnesses at many settings: PyTorch for the outputs, PyTorch for the gradients, and central differences of
# **your own** way forward. For max pooling the numbers of a map are all at least 0.01 apart, so that a nudge of 0.001
# never changes the winner: at a kink a difference says nothing.


# %% experiment seconds=5
def central_difference(loss, values, step=1e-3):
    """Return the gradient of a loss, a function of an array, by nudging each entry up and down (module 02)."""
    gradient = np.zeros_like(values)
    for index in np.ndindex(values.shape):
        above, below = values.copy(), values.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (loss(above) - loss(below)) / (2 * step)
    return gradient


def relative_error(a, b):
    """Return max |a - b| / (max |a| + max |b|), as module 02 does."""
    return float(np.abs(a - b).max() / (np.abs(a).max() + np.abs(b).max()))


def witnesses(rng, kind, kernel_size, **options):
    """Return how far the learner's pooling is from each witness on one random map."""
    x = 0.01 * rng.permutation(2 * 2 * 6 * 7).reshape(2, 2, 6, 7) - 1
    pool = {"max": max_pool2d, "avg": avg_pool2d}[kind]
    y = pool(x, kernel_size, **options)
    grad_output = rng.normal(size=y.shape)
    if kind == "max":
        gradient = max_pool2d_backward(grad_output, x, kernel_size, **options)
    else:
        gradient = avg_pool2d_backward(grad_output, x.shape, kernel_size, **options)
    return (
        float(np.abs(y - torch_pool(kind, x, kernel_size, **options)).max()),
        relative_error(gradient, torch_pool_gradient(kind, grad_output, x, kernel_size, **options)),
        relative_error(
            gradient, central_difference(lambda v: float((grad_output * pool(v, kernel_size, **options)).sum()), x)
        ),
    )


rng = np.random.default_rng(1)
switches = {"max": "ceil_mode", "avg": "count_include_pad"}
settings = [
    (kind, k, {"stride": s, "padding": p, switch: on})
    for kind, switch in switches.items()
    for k, s in ((2, 2), (3, 2), (3, 1), (2, 3))
    for p in (0, 1)
    for on in (False, True)
]
found = [witnesses(rng, kind, k, **options) for kind, k, options in training.progress(settings, "setting")]
output_error, torch_error, nudged_error = (max(errors) for errors in zip(*found, strict=True))
print(f"{len(settings)} settings of both kinds of pooling")
lesson.target("output against PyTorch, largest difference", output_error, at_most=1e-12)
lesson.target("gradients against PyTorch, relative error", torch_error, at_most=1e-12)
lesson.target("gradients against central differences, relative error", nudged_error, at_most=1e-9)

# %% [markdown]
# # Part 3 · Two relatives
#
# ## {{exercise:global_avg_pool}}
#
# Make the window as large as the map, and each channel becomes one number, its mean:
#
# $$y_{nc} = \frac{1}{HW} \sum_{p=0}^{H-1} \sum_{q=0}^{W-1} x_{ncpq}$$
#
# **Global average pooling** ends most nets since Network in Network and GoogLeNet, where it replaced fully connected
# layers that held most of the weights (module 12). It has none, and it takes maps of any size.


# %% exercise="global_avg_pool" difficulty=1 minutes=3
def global_avg_pool(x):
    """Take the mean of every channel.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, C, H, W)

    Returns
    -------
    ndarray, shape (N, C), dtype of x

    Raises
    ------
    ValueError
        If x has not four axes.
    """
    ### BEGIN SOLUTION
    if x.ndim != 4:
        raise ValueError(f"x must have the axes (N, C, H, W), not {x.ndim} axes")
    return x.mean(axis=(2, 3))
    ### END SOLUTION


# %% tests="global_avg_pool" points=1
# Two images of three channels, each filled with one number; then CS231n's map.
six_maps = np.arange(1.0, 7.0).reshape(2, 3, 1, 1) * np.ones((1, 1, 4, 5))
check(global_avg_pool, six_maps).gives([[1, 2, 3], [4, 5, 6]])
cs231n = np.array([[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]])[None, None]
check(global_avg_pool, cs231n).gives([[3.125]])
# Maps that are not square and hold many numbers, in the precision that networks use.
x = np.random.default_rng(709).normal(size=(2, 3, 4, 7)).astype(np.float32)
expected = torch.nn.functional.adaptive_avg_pool2d(torch.tensor(x), 1).numpy()[:, :, 0, 0]
check(global_avg_pool, x).gives(expected, rtol=1e-5, atol=1e-6, dtype=np.float32)
check(global_avg_pool, six_maps[0]).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(714)
for shape in [(1, 1, 1, 1), (3, 2, 7, 4), (2, 5, 1, 6)]:
    x = rng.normal(size=shape).astype(np.float32)
    expected = torch.nn.functional.adaptive_avg_pool2d(torch.tensor(x), 1).numpy()[:, :, 0, 0]
    check(global_avg_pool, x).gives(expected, rtol=1e-5, atol=1e-6, dtype=np.float32)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:strided_conv_as_pool}}
#
# A mean is a weighted sum of the pixels in a window, and weighted sums of windows are convolutions. So average pooling
# *is* a convolution with stride, whose weights nobody has to learn. But a layer's filter sees all channels, and
# pooling keeps them apart: filter $k$ must have the kernel in channel $k$ and zeros in all the others,
#
# $$w_{kcab} = \begin{cases} \text{kernel}_{ab} & \text{if } c = k \\ 0 & \text{otherwise} \end{cases}$$
#
# With the kernel $\frac{1}{4}\begin{bmatrix} 1 & 1 \\ 1 & 1 \end{bmatrix}$ and stride 2 it is average pooling. Any
# other kernel gives another linear way to shrink maps; Part 5 uses one that blurs. Max pooling is not among them: a
# maximum is no weighted sum. And if the weights *are* learned, channels included, pooling and convolution have become
# one layer, a strided convolution, which lectures B and D see coming.


# %% exercise="strided_conv_as_pool" difficulty=1 minutes=7
def strided_conv_as_pool(kernel, channels):
    """Return the filters of a convolution that applies one kernel to each channel by itself.

    Parameters
    ----------
    kernel : ndarray, shape (K_h, K_w)
        All entries 1 / (K_h·K_w) for average pooling.
    channels : int, at least 1

    Returns
    -------
    ndarray, shape (channels, channels, K_h, K_w), dtype of kernel

    Raises
    ------
    ValueError
        If kernel has not two axes, or channels is less than 1.
    """
    ### BEGIN SOLUTION
    if kernel.ndim != 2 or channels < 1:
        raise ValueError(f"a kernel of two axes and at least 1 channel, not {kernel.ndim} axes, {channels} channels")
    weight = np.zeros((channels, channels, *kernel.shape), kernel.dtype)
    weight[np.arange(channels), np.arange(channels)] = kernel
    return weight
    ### END SOLUTION


# %% tests="strided_conv_as_pool" points=1
def convolve(x, kernel, stride):
    """Convolve x in PyTorch with strided_conv_as_pool(kernel, channels of x)."""
    return torch.nn.functional.conv2d(
        torch.tensor(x), torch.tensor(np.asarray(strided_conv_as_pool(kernel, x.shape[1]))), stride=stride
    ).numpy()


# A kernel of one row for two channels: the weights themselves.
check(strided_conv_as_pool, np.array([[3.0, 5.0]]), 2).gives([[[[3, 5]], [[0, 0]]], [[[0, 0]], [[3, 5]]]])
# Average pooling of three channels, side by side and overlapping.
rng = np.random.default_rng(710)
x = rng.normal(size=(2, 3, 6, 7))
check(convolve, x, np.full((2, 2), 1 / 4), 2).gives(torch_pool("avg", x, 2))
check(convolve, x, np.full((3, 3), 1 / 9), 2).gives(torch_pool("avg", x, 3, stride=2))
check(strided_conv_as_pool, np.full((1, 2), 0.5, np.float32), 1).gives([[[[0.5, 0.5]]]], dtype=np.float32)
check(strided_conv_as_pool, np.ones((2, 2)), 0).raises(ValueError)
check(strided_conv_as_pool, np.ones(4), 2).raises(ValueError)
### BEGIN HIDDEN TESTS
check(strided_conv_as_pool, np.ones((1, 2, 2)), 2).raises(ValueError)
check(strided_conv_as_pool, np.ones((1, 1), np.float32), 1).gives([[[[1]]]], dtype=np.float32)
for channels, size in [(1, (2, 3)), (5, (3, 1)), (4, (2, 2))]:
    kernel, x = rng.normal(size=size), rng.normal(size=(2, channels, 5, 6))
    depthwise = torch.tensor(np.broadcast_to(kernel, (channels, 1, *size)).copy())
    expected = torch.nn.functional.conv2d(torch.tensor(x), depthwise, stride=2, groups=channels)
    check(convolve, x, kernel, 2).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# # Part 4 · What a unit sees
#
# The **receptive field** of a unit is the set of pixels that can change it. Lecture C: "one output value is connected
# to 25 input pixels". Two 3 × 3 layers take 7 × 7 pixels to 3 × 3 values, and each of these sees 5 × 5 pixels: 3 × 3
# units of the layer between, whose windows together are 5 pixels wide.
#
# Rows and columns behave alike, so one side is enough. Describe every layer, convolution or pooling, by its kernel size
# $k$, stride $s$, padding $p$ and dilation $d$, in this order: `layer(3, stride=2)` is `(3, 2, 0, 1)`.
#
# ## {{exercise:receptive_field}}
#
# Walk from the pixels upwards, and carry two numbers along: the size $r$ of the field, and the **jump** $j$, the
# distance in pixels between two neighbouring units. A pixel sees itself: $r_0 = 1$, $j_0 = 1$. A unit of layer $\ell$
# rests on units of the layer below that span $d_\ell (k_\ell - 1)$ steps of $j_{\ell-1}$ pixels each, so
#
# $$r_\ell = r_{\ell-1} + d_\ell\,(k_\ell - 1)\; j_{\ell-1}, \qquad j_\ell = j_{\ell-1}\; s_\ell$$
#
# A layer's own stride does not widen its own field, but the fields of all layers behind it.
#
# **By hand.** Two 3 × 3 layers: $1 + 2 \cdot 1 = 3$, then $3 + 2 \cdot 1 = 5$. With a 2 × 2 pooling of stride 2 between
# them: $3$, then $3 + 1 = 4$ and $j = 2$, then $4 + 2 \cdot 2 = 8$.


# %% exercise="receptive_field" difficulty=2 minutes=8 covers="69"
def receptive_field(layers):
    """Return how many pixels the field of one output spans, along one side.

    Parameters
    ----------
    layers : list of (int, int, int, int)
        Kernel size, stride, padding and dilation of each layer, the first one next to the pixels.

    Returns
    -------
    int
        From the first to the last pixel seen, padding counted as if it were pixels; 1 without layers.

    Raises
    ------
    ValueError
        If a kernel size, stride or dilation is less than 1.
    """
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel_size, stride, _, dilation in layers:
        if min(kernel_size, stride, dilation) < 1:
            raise ValueError(
                f"kernel size, stride and dilation must be at least 1: {kernel_size}, {stride}, {dilation}"
            )
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% tests="receptive_field" points=1
def pixels_seen(layers, unit):
    """Collect the pixels below a unit, layer by layer from the top: no formula in it."""
    seen = {unit}
    for kernel_size, stride, padding, dilation in reversed(layers):
        seen = {i * stride - padding + a * dilation for i in seen for a in range(kernel_size)}
    return sorted(seen)


# Lecture C: two layers of 3 × 3. Then no layer, one, and lecture B's growth with 3, 4 and 5 of them.
check(receptive_field, [layer(3), layer(3)]).gives(5)
check(receptive_field, []).gives(1)
check(receptive_field, [layer(7, stride=2, padding=3)]).gives(7)
for count in (3, 4, 5):
    check(receptive_field, count * [layer(3)]).gives(1 + 2 * count)
# Lecture B: dilations 1, 2, 4 and 8. Four layers span as much as fifteen without dilation.
check(receptive_field, [layer(3, padding=d, dilation=d) for d in (1, 2, 4, 8)]).gives(31)
check(receptive_field, [layer(3), layer(0)]).raises(ValueError)
check(receptive_field, [layer(3, stride=0), layer(3)]).raises(ValueError)
check(receptive_field, [layer(3, dilation=0)]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(receptive_field, [layer(3, dilation=-1), layer(3)]).raises(ValueError)
check(receptive_field, [layer(3), layer(3, stride=0)]).raises(ValueError)
for layers in ([layer(1)], [layer(5), layer(1), layer(2)], [layer(4, dilation=3), layer(3, dilation=2)]):
    seen = pixels_seen(layers, 0)
    check(receptive_field, layers).gives(seen[-1] - seen[0] + 1)
### END HIDDEN TESTS


# %% tests="receptive_field" points=1
def pixels_seen(layers, unit):
    """Collect the pixels below a unit, layer by layer from the top: no formula in it."""
    seen = {unit}
    for kernel_size, stride, padding, dilation in reversed(layers):
        seen = {i * stride - padding + a * dilation for i in seen for a in range(kernel_size)}
    return sorted(seen)


# A pooling layer between the two; a stride at the very end, which changes nothing any more.
check(receptive_field, [layer(3), layer(2, stride=2), layer(3)]).gives(8)
check(receptive_field, [layer(3), layer(3, stride=2)]).gives(5)
# LeNet's C5 sees all of its 32 × 32 pixels. Then stride and dilation at once.
lenet = [layer(5), layer(2, stride=2), layer(5), layer(2, stride=2), layer(5)]
check(receptive_field, lenet).gives(32)
mixed = [layer(3, stride=3), layer(3, stride=2, padding=1), layer(3, dilation=2)]
seen = pixels_seen(mixed, 0)
check(receptive_field, mixed).gives(seen[-1] - seen[0] + 1)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(711)
for depth in (2, 3, 4):
    layers = [
        layer(int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 2)), int(rng.integers(1, 4)))
        for _ in range(depth)
    ]
    seen = pixels_seen(layers, 0)
    check(receptive_field, layers).gives(seen[-1] - seen[0] + 1)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:jump_and_start}}
#
# Where is the field? Unit 0 of the first layer begins at pixel $-p_1$, in the padding. In general, the first unit of
# layer $\ell$ rests on unit $-p_\ell$ of the layer below, which begins $p_\ell$ jumps to the left of that layer's first
# one. So with $t$ for the first pixel that unit 0 sees, $t_0 = 0$ and
#
# $$t_\ell = t_{\ell-1} - p_\ell\; j_{\ell-1}, \qquad j_\ell = j_{\ell-1}\; s_\ell$$
#
# Then unit $i$ sees the pixels $t + i\,j$ to $t + i\,j + r - 1$, and its middle is at $t + i\,j + (r - 1)/2$. With
# the padding chosen well, middle 0 falls on pixel 0 and the map lies straight on the picture; with another it is pushed
# aside. Whoever draws a box around what a unit saw (modules 16 and 17) needs these three numbers.
#
# Each of the two functions refuses only what it uses: this one stride and padding, `receptive_field` kernel size,
# stride and dilation.


# %% exercise="jump_and_start" difficulty=1 minutes=5
def jump_and_start(layers):
    """Return the distance between neighbouring outputs in pixels, and the first pixel that output 0 sees.

    Parameters
    ----------
    layers : list of (int, int, int, int)
        As in `receptive_field`.

    Returns
    -------
    jump : int
    start : int
        Negative where the field begins in the padding.

    Raises
    ------
    ValueError
        If a stride is less than 1 or a padding less than 0.
    """
    ### BEGIN SOLUTION
    jump, start = 1, 0
    for _, stride, padding, _ in layers:
        if stride < 1 or padding < 0:
            raise ValueError(f"stride must be at least 1 and padding at least 0, not {stride} and {padding}")
        start -= padding * jump
        jump *= stride
    return jump, start
    ### END SOLUTION


# %% tests="jump_and_start" points=1
def pixels_seen(layers, unit):
    """Collect the pixels below a unit, layer by layer from the top: no formula in it."""
    seen = {unit}
    for kernel_size, stride, padding, dilation in reversed(layers):
        seen = {i * stride - padding + a * dilation for i in seen for a in range(kernel_size)}
    return sorted(seen)


# No layer; lecture C's two; LeNet without padding; a padded layer before, and one behind a stride.
check(jump_and_start, []).gives((1, 0))
check(jump_and_start, [layer(3), layer(3)]).gives((1, 0))
check(jump_and_start, [layer(3), layer(3)]).satisfies(
    lambda both: all(isinstance(number, int | np.integer) for number in both), "jump and start are ints, no floats"
)
check(jump_and_start, [layer(5), layer(2, stride=2), layer(5), layer(2, stride=2), layer(5)]).gives((4, 0))
check(jump_and_start, [layer(3, padding=1), layer(2, stride=2)]).gives((2, -1))
check(jump_and_start, [layer(2, stride=2), layer(3, padding=1)]).gives((2, -2))
# Dilation pulls the places of a kernel apart; its first place stays on the first padded pixel.
check(jump_and_start, [layer(3, padding=2, dilation=2)]).gives((1, -2))
# The beginning of ResNet: 7 × 7 with stride 2, max pooling 3 × 3 with stride 2, and a 3 × 3 layer, all padded.
resnet = [layer(7, 2, 3), layer(3, 2, 1), layer(3, 1, 1)]
first, second = pixels_seen(resnet, 0)[0], pixels_seen(resnet, 1)[0]
check(jump_and_start, resnet).gives((second - first, first))
check(jump_and_start, [layer(3, stride=0)]).raises(ValueError)
check(jump_and_start, [layer(3, padding=-1)]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(jump_and_start, [layer(3), layer(3, stride=-1)]).raises(ValueError)
rng = np.random.default_rng(712)
for depth in (1, 2, 3, 4):
    layers = [
        layer(int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(0, 3)), int(rng.integers(1, 4)))
        for _ in range(depth)
    ]
    first, second = pixels_seen(layers, 0)[0], pixels_seen(layers, 1)[0]
    check(jump_and_start, layers).gives((second - first, first))
### END HIDDEN TESTS

# %% [markdown]
# ### Play: paint the field
#
# Each row is a map, the pixels at the bottom. Click a unit, or walk with the arrow keys: all it rests on is painted
# down to the pixels; the darker, the more paths lead there. The bracket below the pixels is what **your**
# `receptive_field` and `jump_and_start` say. Choose a net, then change a layer.
#
# Try: (1) two 3 × 3 layers against one 5 × 5. (2) Give the first layer stride 2: which rows widen? (3) "dilated":
# how many paths lead to each pixel, and does the field have holes? Then set all four dilations to 2.

# %% widget="receptive_field_painter"
# alt: An output of two 3 × 3 layers rests on 3 units of the row below, and these on 5 of 7 pixels: 1, 2, 3, 2, 1 paths.
from convnets.widgets import ReceptiveFieldPainter

ReceptiveFieldPainter(receptive_field, jump_and_start)

# %% [markdown]
# ### Measured against predicted
#
# A field can be measured without any formula: build the net, ask for the gradient of one output with respect to the
# picture, and see where it is not 0. The weights of the nets below are all equal within a layer, and all pooling is
# average pooling, so that no term is lost or cancels by chance; max pooling sees the same windows. Per net, three
# outputs are asked: the first, the middle and the last. Part of the fields of the first and last lie in the padding,
# where there are no pixels.


# %% experiment seconds=30 covers="69"
def conv3(count):
    """`count` layers of 3 × 3 that keep the size, as VGG has them."""
    return count * [layer(3, padding=1)]


POOL = [layer(2, stride=2)]
NETS = {
    "lecture C: two 3 × 3": ([layer(3), layer(3)], 7),
    "ten 3 × 3": (10 * [layer(3)], 41),
    "dilations 1, 2, 4, 8": ([layer(3, padding=d, dilation=d) for d in (1, 2, 4, 8)], 48),
    "LeNet-5, C5": ([layer(5), *POOL, layer(5), *POOL, layer(5)], 44),
    "AlexNet, pool 5": (
        [layer(11, 4), layer(3, 2), layer(5, 1, 2), layer(3, 2), *conv3(3), layer(3, 2)],
        227,
    ),
    "VGG-16, pool 5": (
        [*conv3(2), *POOL, *conv3(2), *POOL, *conv3(3), *POOL, *conv3(3), *POOL, *conv3(3), *POOL],
        288,
    ),
    "ResNet, first block": ([layer(7, 2, 3), layer(3, 2, 1), *conv3(2)], 64),
}


def run_net(layers, x):
    """Run a net of one channel in which every layer takes the mean of its windows: all its weights are equal."""
    for kernel_size, stride, padding, dilation in layers:
        weight = torch.full((1, 1, kernel_size, kernel_size), 1 / kernel_size**2, dtype=x.dtype)
        x = torch.nn.functional.conv2d(x, weight, stride=stride, padding=padding, dilation=dilation)
    return x


def measured_field(layers, size, unit):
    """Return the first and the last row whose pixels have a gradient, for output (unit, unit)."""
    x = torch.zeros((1, 1, size, size), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(run_net(layers, x)[0, 0, unit, unit], x)
    rows = gradient[0, 0].sum(dim=1).nonzero().flatten()
    return int(rows[0]), int(rows[-1])


def predicted_field(layers, size, unit):
    """Return the same from the learner's functions; pixels outside the picture do not exist."""
    (jump, start), field = jump_and_start(layers), receptive_field(layers)
    first = start + unit * jump
    return max(first, 0), min(first + field - 1, size - 1)


print(f"{'net':24}{'pixels':>8}{'field':>8}{'jump':>6}{'start':>7}   outputs: pixels measured")
asked = agreed = 0
with timing.one_thread():
    for name, (layers, size) in NETS.items():
        outputs = run_net(layers, torch.zeros((1, 1, size, size))).shape[2]
        units = sorted({0, outputs // 2, outputs - 1})
        measured = [measured_field(layers, size, unit) for unit in units]
        asked += len(units)
        agreed += sum(predicted_field(layers, size, i) == seen for i, seen in zip(units, measured, strict=True))
        jump, start = jump_and_start(layers)
        spans = ", ".join(f"{unit}: {first}-{last}" for unit, (first, last) in zip(units, measured, strict=True))
        print(f"{name:24}{size:8}{receptive_field(layers):8}{jump:6}{start:7}   {spans}")
print(f"\n{asked} fields of {len(NETS)} nets measured, {agreed} as predicted")
lesson.target("field of lecture C's two 3 × 3 layers, pixels a side", receptive_field([layer(3), layer(3)]), exactly=5)
lesson.target("fields measured that differ from the predicted ones", asked - agreed, exactly=0)

# %% [markdown] covers="E6"
# AlexNet's last pooling layer sees 195 of 227 pixels, VGG's 212 of its 224 (measured on 288, and LeNet on 44, so that
# the field in the middle lies inside): their units look at nearly the whole picture. ResNet's field starts in the
# padding, at a negative pixel.
#
# **Audit the slide.** Lecture B: "Receptive field grows linearly with #layers: $1 \cdot (k-1)+k$". That is the field
# of *two* layers of size $k$, and it does not contain the number of layers. With $l$ layers behind the first one, each
# adds $k - 1$: the field is $l \cdot (k-1) + k$, and the slide's 1 must be an $l$. The claim table below compares both.
#
# ### A field is not used evenly
#
# How *much* does each pixel count? Count the paths: a pixel in the middle reaches the output in many ways, one at
# the edge in a single way. Here are nets of 5, 10 and 20 layers of 3 × 3 with random weights, 200 of each depth, and
# the mean size of the gradient along the middle row. Luo and others named what they found the *effective* receptive
# field.


# %% experiment seconds=2 folded=true
def draw_profiles(profiles, spreads):
    """Draw the mean gradient along a row for each depth, as a share of its largest value."""
    fig, ax = plots.figure(width=7.0, height=3.0)
    for k, (depth, profile) in enumerate(profiles.items()):
        field, middle = 2 * depth + 1, len(profile) // 2
        offsets = np.arange(-depth, depth + 1)
        ax.plot(
            offsets,
            (profile / profile.max())[middle - depth : middle + depth + 1],
            color=plots.PALETTE[k],
            linestyle=plots.LINES[k],
            marker=plots.MARKERS[k],
            markersize=3,
            label=f"{depth} layers: field {field}, spread ±{spreads[depth]:.1f}",
        )
    ax.set(xlabel="pixels from the middle", ylabel="mean |gradient|, largest = 1", ylim=(0, None))
    ax.set_title("What a unit sees, and how much of it counts")
    ax.legend(loc="upper left", fontsize=8)
    parts = [
        f"{depth} layers have a field of {2 * depth + 1} and a spread of {spreads[depth]:.1f}" for depth in profiles
    ]
    plots.show(
        fig,
        alt="The mean gradient along the middle row falls off like a bell on both sides. "
        f"In pixels: {'; '.join(parts)}. The fields grow with the depth, the spreads more slowly.",
    )


# %% experiment seconds=20
def gradient_profile(depth, nets, rng):
    """Return the mean |gradient| along the middle row for `nets` random linear nets of `depth` 3 × 3 layers."""
    size = 2 * depth + 1
    gradient = torch.ones((1, nets, 1, 1), dtype=torch.float64)
    for _ in range(depth):
        # One net a channel: groups keep them apart. The transposed convolution is a layer's way back.
        weight = torch.tensor(rng.normal(size=(nets, 1, 3, 3)) / 3)
        gradient = torch.nn.functional.conv_transpose2d(gradient, weight, groups=nets)
    return gradient.abs().mean(dim=1)[0, size // 2].numpy()


def spread(profile):
    """Return the standard deviation in pixels of a profile, read as a distribution."""
    offsets = np.arange(len(profile)) - len(profile) // 2
    return float(np.sqrt((profile * offsets**2).sum() / profile.sum()))


rng = np.random.default_rng(3)
with timing.one_thread():
    nets = training.full_or_fast(200, 20)
    profiles = {depth: gradient_profile(depth, nets, rng) for depth in (5, 10, 20)}
spreads = {depth: spread(profile) for depth, profile in profiles.items()}
shares = {
    depth: 100 * float(profile[depth - depth // 2 : depth + depth // 2 + 1].sum() / profile.sum())
    for depth, profile in profiles.items()
}
for depth in profiles:
    print(
        f"{depth:2} layers: field {2 * depth + 1}, spread {spreads[depth]:.1f} pixels; "
        f"{shares[depth]:.0f} % of the gradient in the middle half of the row"
    )
print(f"\nfrom 5 to 20 layers: field × {41 / 11:.1f}, spread × {spreads[20] / spreads[5]:.1f}; √(20/5) = 2")
lesson.target("growth of the spread from 5 to 20 layers", spreads[20] / spreads[5], at_most=2.5, unit="×")
draw_profiles(profiles, spreads)

# %% [markdown]
# The field grows like the depth, its used part like the square root of the depth: a sum of many small steps, as in a
# random walk. So 20 layers see 41 pixels and mostly use the middle ones. Dilation and pooling widen both.
#
# # Part 5 · Does it matter where a thing is?
#
# A convolution at stride 1 is *equivariant*: move the picture and the maps move with it, unchanged. A mean over all
# positions behind it would not notice. Any step of 2 breaks this: of two neighbouring pixels one begins a window and
# the other does not, so the maps of a picture moved by one pixel are not the old maps, moved.
#
# R. Zhang's example is the signal 0 0 1 1 0 0 1 1 …, pooled by twos. Start it one pixel later, and max pooling
# gives something else altogether. Signal processing knows the cause, *aliasing*: whoever keeps every second sample of a
# signal that changes faster than that gets an answer that depends on where he starts. It knows the remedy too:
# **blur first**. Take the maximum in steps of 1, which is equivariant; then average neighbours with the weights
# $\frac14 [1\;2\;1]$ and keep every second result. In two dimensions the blur is
# $\frac{1}{16}[1\;2\;1]^\top[1\;2\;1]$, a strided convolution, whose filters your `strided_conv_as_pool` makes.


# %% experiment seconds=5
def pooled_signal(start, blur):
    """Pool 0 0 1 1 0 0 1 1 … by twos, from pixel `start` on; with `blur`, max in steps of 1, then [1 2 1]/4 by twos."""
    signal = np.tile([0.0, 0.0, 1.0, 1.0], 8)[start : start + 19]
    rows = np.tile(signal, (4, 1))[None, None]
    if not blur:
        return max_pool2d(rows, 2)[0, 0, 0, :8]
    dense = max_pool2d(rows, 2, stride=1)
    weight = strided_conv_as_pool(np.outer([1, 2, 1], [1, 2, 1]) / 16, 1)
    return torch.nn.functional.conv2d(torch.tensor(dense), torch.tensor(weight), stride=2).numpy()[0, 0, 0, :8]


signal_differs = {}
for name, blur in (("max pooling", False), ("max, then blur", True)):
    first, second = pooled_signal(0, blur), pooled_signal(1, blur)
    signal_differs[name] = float(np.abs(first - second).max())
    for start, pooled in ((0, first), (1, second)):
        print(f"{name:15} from pixel {start}:", *(f"{value:5.2f}" for value in pooled))
    print(f"{'':15} largest difference {signal_differs[name]:.2f}\n")
lesson.target("max pooling, largest difference after one pixel", signal_differs["max pooling"], exactly=1.0)
lesson.target("blurred, largest difference after one pixel", signal_differs["max, then blur"], exactly=0.25)

# %% [markdown]
# ## {{exercise:shift_consistency}}
#
# Now for whole nets. A net is **shift-consistent** on a picture and two shifts of it when it gives the same class for
# both, right or wrong. With pictures $x_1, \dots, x_N$, shifts $\sigma_1, \dots, \sigma_T$ (each so many rows down and
# columns to the right) and $f$ for the class that the net answers,
#
# $$\text{consistency} = \frac{2}{N\,T(T-1)} \sum_{n=1}^{N} \sum_{s < t}
# \left[\, f(\sigma_s x_n) = f(\sigma_t x_n) \,\right]$$
#
# where $[\cdot]$ is 1 if the statement is true and 0 if not: the share of all pictures and all pairs of
# different shifts. The labels do not occur in it. A net that always says "7" is perfectly consistent, so look at
# its accuracy too.
#
# `classify` takes pictures of shape $(N, C, H, W)$ and returns $N$ class numbers. Call it once a shift, not once a
# pair, on pictures moved by the setup's `shifted`.


# %% exercise="shift_consistency" difficulty=2 minutes=12
def shift_consistency(classify, x, shifts):
    """Return how often a classifier gives one answer to two shifts of a picture.

    Parameters
    ----------
    classify : callable
        Takes an ndarray of the shape of x, returns N class numbers.
    x : ndarray, shape (N, C, H, W)
    shifts : list of (int, int)
        Rows and columns of each shift, at least two shifts.

    Returns
    -------
    float
        Share of the pictures and pairs of different shifts with the same answer, from 0 to 1.

    Raises
    ------
    ValueError
        If there are fewer than two shifts.
    """
    ### BEGIN SOLUTION
    if len(shifts) < 2:
        raise ValueError(f"a pair takes at least two shifts, not {len(shifts)}")
    answers = np.array([classify(shifted(x, rows, columns)) for rows, columns in shifts])
    first, second = np.triu_indices(len(shifts), k=1)
    return float((answers[first] == answers[second]).mean())
    ### END SOLUTION


# %% tests="shift_consistency" points=1
def brightest_column(x):
    return np.asarray(x)[:, 0].max(axis=1).argmax(axis=1)


def left_or_right(x):
    return brightest_column(x) // 4


def brightness(x):
    return np.asarray(x).sum(axis=(1, 2, 3)) > 1.5


# Two pictures of 8 × 8 with one bright pixel each, in columns 2 and 4. Brightness never changes under these shifts;
# the brightest column always does; the half it lies in does so for the second picture, one pixel to the left.
pictures = np.zeros((2, 1, 8, 8))
pictures[0, 0, 3, 2], pictures[1, 0, 3, 4] = 1, 2
check(shift_consistency, brightness, pictures, [(0, 0), (1, 0), (0, -1), (-2, 2)]).gives(1.0)
check(shift_consistency, brightest_column, pictures, [(0, 0), (0, 1), (0, 2)]).gives(0.0)
check(shift_consistency, left_or_right, pictures, [(0, 0), (0, -1)]).gives(0.5)
# Three shifts make three pairs. The first picture stays left in all; the second agrees in one pair of three.
check(shift_consistency, left_or_right, pictures, [(0, 0), (0, -1), (0, -2)]).gives(2 / 3)
# Down and up leave the columns as they are.
check(shift_consistency, brightest_column, pictures, [(0, 0), (2, 0), (-3, 0)]).gives(1.0)
check(shift_consistency, brightness, pictures, [(0, 0)]).raises(ValueError)


def times_called(shifts):
    """Count how often shift_consistency calls classify."""
    calls = []

    def classify(x):
        calls.append(1)
        return brightest_column(x)

    shift_consistency(classify, pictures, shifts)
    return len(calls)


# Once a shift: a large net is slow, and four shifts make six pairs.
check(times_called, [(0, 0), (0, 1), (1, 0), (1, 1)]).gives(4)
### BEGIN HIDDEN TESTS
check(shift_consistency, brightness, pictures, []).raises(ValueError)
### END HIDDEN TESTS


# %% tests="shift_consistency" points=1
def fullest_quarter(x):
    """The number of the quarter of the picture that holds most: 0 and 1 above, 2 and 3 below."""
    x = np.asarray(x)[:, 0]
    height, width = x.shape[1] // 2, x.shape[2] // 2
    halves = [(slice(i, i + height), slice(j, j + width)) for i in (0, height) for j in (0, width)]
    return np.array([x[:, rows, columns].sum(axis=(1, 2)) for rows, columns in halves]).argmax(axis=0)


def expected_consistency(x, shifts):
    moved = []
    for rows, columns in shifts:
        framed = np.pad(x, ((0, 0), (0, 0), (9, 9), (9, 9)))
        height, width = x.shape[2:]
        moved.append(fullest_quarter(framed[:, :, 9 - rows : 9 - rows + height, 9 - columns : 9 - columns + width]))
    pairs = [(s, t) for s in range(len(shifts)) for t in range(s)]
    return sum((moved[s] == moved[t]).sum() for s, t in pairs) / (len(x) * len(pairs))


# Noise that a shift pushes out of the picture: what comes in must be 0, not what went out.
rng = np.random.default_rng(713)
noise = rng.random(size=(12, 1, 6, 8)) ** 4
shifts = [(0, 0), (1, -2), (-2, 1), (3, 0)]
check(shift_consistency, fullest_quarter, noise, shifts).gives(expected_consistency(noise, shifts))
### BEGIN HIDDEN TESTS
for n, shifts in [
    (1, [(0, 0), (2, 2)]),
    (7, [(0, 1), (1, 0), (-1, -1)]),
    (20, [(r, c) for r in (-2, 2) for c in (-3, 0, 3)]),
]:
    noise = rng.random(size=(n, 1, 8, 6)) ** 4
    check(shift_consistency, fullest_quarter, noise, shifts).gives(expected_consistency(noise, shifts))
### END HIDDEN TESTS

# %% [markdown]
# ### Five ways to halve a map
#
# The net: 3 × 3 convolution to 8 maps, ReLU, *halve*; 3 × 3 to 16, ReLU, *halve*; 3 × 3 to 16, ReLU; the mean over all
# positions (global average pooling), a fully connected layer to 10 classes. The ways to halve:
#
# - **strided**: the convolution itself takes steps of 2, without pooling, as lecture B expects of future nets;
# - **max**: 2 × 2 with stride 2;
# - **average**: 2 × 2 with stride 2, as a convolution whose filters come from your `strided_conv_as_pool`;
# - **strided + blur**: the convolution in steps of 1, then $\frac{1}{16}[1\;2\;1]^\top[1\;2\;1]$ in steps of 2;
# - **max + blur**: the maximum in steps of 1, then the same blur in steps of 2.
#
# All have the same number of weights, start from the same ones and see the same digits in the same order, and none has
# ever seen a digit moved. The digits get 4 empty pixels on each side, so that a shift pushes nothing out. They are
# moved by up to 3 pixels up or down and left or right; your `shift_consistency` compares 12 of the 49 shifts with each
# other, 66 pairs.


# %% experiment seconds=5
F = torch.nn.functional
BLUR = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]) / 16


def linear_pool(x, kernel, padding):
    """Shrink maps by 2 with one kernel for all channels; the filters are the learner's."""
    weight = strided_conv_as_pool(kernel, x.shape[1]).astype(np.float32)
    return F.conv2d(x, torch.from_numpy(weight), stride=2, padding=padding)


def densest(x):
    """Max pooling of 2 × 2 in steps of 1, one row and column of zeros added (behind a ReLU they never win alone)."""
    x = F.pad(x, (0, 1, 0, 1))
    # max(a, b) = a + ReLU(b − a): here a few times as fast as PyTorch's maximum, there and back.
    x = x[:, :, :-1] + F.relu(x[:, :, 1:] - x[:, :, :-1])
    return x[:, :, :, :-1] + F.relu(x[:, :, :, 1:] - x[:, :, :, :-1])


# Each way: the stride of the convolution, and what follows on the ReLU.
WAYS = {
    "strided": (2, lambda x: x),
    "max": (1, lambda x: F.max_pool2d(x, 2)),
    "average": (1, lambda x: linear_pool(x, np.full((2, 2), 0.25), 0)),
    "strided + blur": (1, lambda x: linear_pool(x, BLUR, 1)),
    "max + blur": (1, lambda x: linear_pool(densest(x), BLUR, 1)),
}
SHAPES = [(8, 1, 3, 3), (16, 8, 3, 3), (16, 16, 3, 3), (10, 16)]


def run(way, parameters, x):
    """Return the scores, (N, 10)."""
    stride, shrink = WAYS[way]
    c1, b1, c2, b2, c3, b3, w, b = parameters
    x = shrink(F.relu(F.conv2d(x, c1, b1, stride=stride, padding=1)))
    x = shrink(F.relu(F.conv2d(x, c2, b2, stride=stride, padding=1)))
    x = F.relu(F.conv2d(x, c3, b3, padding=1))
    return F.linear(x.mean(dim=(2, 3)), w, b)


def framed_digits(x):
    """Put 4 empty pixels around each digit."""
    return torch.from_numpy(np.pad(x, ((0, 0), (0, 0), (4, 4), (4, 4))))


def trainable(value):
    """Return an array as a parameter; kernels in channels_last, the order in memory that a CPU convolves fastest."""
    order = torch.channels_last if value.ndim == 4 else torch.contiguous_format
    return torch.tensor(value, dtype=torch.float32).contiguous(memory_format=order).requires_grad_()


def train(way, seed, x, y, epochs):
    """Train a net with Adam (module 04), the rate rising and falling once; return its parameters."""
    rng = np.random.default_rng(seed)
    parameters = []
    for shape in SHAPES:
        parameters += [rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:])), np.zeros(shape[0])]
    parameters = [trainable(value) for value in parameters]
    optimizer = torch.optim.Adam(parameters, fused=True)  # one pass over all weights: the same, faster
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=epochs * (len(x) // 32))
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(len(x)))
        for batch in order[: len(x) // 32 * 32].split(32):
            optimizer.zero_grad()
            F.cross_entropy(run(way, parameters, x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()
    return [value.detach() for value in parameters]


def measure(way, seed, digits, shifts, epochs):
    """Train one net; return its accuracy and its consistency on the test digits, in percent."""
    parameters = train(way, seed, framed_digits(digits.x_train), torch.from_numpy(digits.y_train), epochs)

    def classify(x):
        return run(way, parameters, torch.from_numpy(x)).argmax(dim=1).numpy()

    test = framed_digits(digits.x_test).numpy()
    accuracy = 100 * float((classify(test) == digits.y_test).mean())
    return accuracy, 100 * shift_consistency(classify, test[: training.full_or_fast(200, 40)], shifts)


# %% experiment seconds=2 folded=true
def draw_consistency(found):
    """Draw consistency against accuracy, one point a net."""
    fig, ax = plots.figure(width=7.0, height=3.4)
    for k, (way, values) in enumerate(found.items()):
        accuracy, consistency = np.array(values).T
        ax.scatter(accuracy, consistency, color=plots.PALETTE[k], marker=plots.MARKERS[k], s=45, label=way)
    ax.set(xlabel="test digits right, %", ylabel="same answer after a shift, %")
    ax.set_title("Accuracy does not tell how steady a net is")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    means = {way: np.mean(values, axis=0) for way, values in found.items()}
    parts = [f"{way} {accuracy:.1f} and {consistency:.1f}" for way, (accuracy, consistency) in means.items()]
    plots.show(
        fig,
        alt="Consistency under shifts against accuracy, one point a net. Means of accuracy and consistency in percent: "
        f"{'; '.join(parts)}.",
    )


# %% experiment seconds=60 covers="66"
digits = data.digits(*training.full_or_fast((2500, 1000), (256, 64)))
all_shifts = [(rows, columns) for rows in range(-3, 4) for columns in range(-3, 4)]
chosen = np.random.default_rng(7).permutation(len(all_shifts))[:12]
shifts = [all_shifts[i] for i in chosen]
seeds, epochs = training.full_or_fast((3, 3), (1, 1))
found = {way: [] for way in WAYS}
with timing.one_thread():
    for seed, way in training.progress([(seed, way) for seed in range(seeds) for way in WAYS], "net"):
        found[way].append(measure(way, seed, digits, shifts, epochs))

weights = sum(int(np.prod(shape)) + shape[0] for shape in SHAPES)
print(f"{len(WAYS)} nets of {weights:,} parameters each, {seeds} starts, {len(shifts)} shifts\n")
print(f"{'':16}{'digits right, %':>22}{'same answer, %':>30}")
for way, values in found.items():
    accuracy, consistency = np.array(values).T
    print(
        f"{way:16}{accuracy.mean():12.1f} ({accuracy.min():.1f}-{accuracy.max():.1f})"
        f"{consistency.mean():18.1f} ({consistency.min():.1f}-{consistency.max():.1f})"
    )
consistency = {way: np.array(values)[:, 1] for way, values in found.items()}
gains = consistency["max"] - consistency["strided"]
blurred = float((consistency["strided + blur"] - consistency["strided"]).min())
blurred_max = float((consistency["max + blur"] - consistency["max"]).min())
print(f"\nmax against strided, gain at each start: {', '.join(f'{gain:+.1f}' for gain in gains)} points")
print(f"max + blur against max, smallest gain: {blurred_max:+.1f} points")
lesson.target("max pooling over strided, consistency, mean gain", float(gains.mean()), at_least=2, unit="points")
lesson.target("blur over strided, consistency, smallest gain", blurred, at_least=3, unit="points")
draw_consistency(found)
order = {"strided": 0, "max": 1, "average": 2}
steadiest = sorted(order, key=lambda way: -consistency[way].mean())
means = {way: float(consistency[way].mean()) for way in WAYS}
if not training.fast_mode():
    lesson.reveal(
        "which_is_steadiest",
        answer=3 if means[steadiest[0]] - means[steadiest[2]] < 0.5 else order[steadiest[0]],
        because=f"Strided {means['strided']:.1f} %, max {means['max']:.1f} %, average {means['average']:.1f} %. "
        "Strides never look at three of four places, the maximum lets the loudest of the four speak, the average lets "
        "all of them.",
    )

# %% [markdown]
# **How to read this.** None of the five has seen a moved digit, and with the mean over all positions at their end
# none would care about shifts, were it not for the two steps of 2 (and for the borders). What differs is only what is
# kept where three of four places are thrown away: one of four (strided), the largest of four (max), a mean of four
# (average) or of nine (strided + blur); max + blur takes such a mean of maxima, so it looks at 4 × 4 pixels. The gaps
# lie between one, the largest and a mean; average and blur cannot be told apart here. R. Zhang found that a blur makes
# nets on ImageNet steadier, those with strided convolutions and those with max pooling. The average is a blur as well,
# if a short one.
#
# Three starts are few. The cell above is locked: copy it below, put `range(3, 10)` in the place of `range(seeds)` in
# the loop, and run the copy, which takes about twice as long. At some starts max pooling comes close to strided +
# blur, or passes it. See whether the strided net stays behind the other four at yours.
#
# ### Fewer parameters, less overfitting?
#
# Lecture B: pooling is "used to reduce spatial size of the input, thus reduce number of parameters and overfitting".
# Pooling has no influence on the parameters of convolutions; but behind them stands a fully connected layer, and it
# has a weight for each number that it reads. The cell builds LeNet's convolutions with pooling, with strides in its
# place, and with neither, trains each on 300 digits and looks at digits that it has not seen. The last column is what
# overfitting costs: right in training minus right in the test. If that followed the number of parameters, the strided
# and the pooled net would have the same gap.


# %% experiment seconds=50 covers="66"
def lenet(kind, seed):
    """Build LeNet's two convolutions with what stands between them; return the net and the numbers its head reads."""
    torch.manual_seed(seed)
    stride = 2 if kind == "strided" else 1
    shrink = torch.nn.MaxPool2d(2) if kind == "pooled" else torch.nn.Identity()
    sizes = [28 // stride]
    if kind == "pooled":
        sizes.append(pool_output_size(sizes[-1], 2, 2))
    sizes.append((sizes[-1] - 5) // stride + 1)
    if kind == "pooled":
        sizes.append(pool_output_size(sizes[-1], 2, 2))
    reads = 16 * sizes[-1] ** 2
    layers = [torch.nn.Conv2d(1, 6, 5, stride, 2), torch.nn.ReLU(), shrink]
    layers += [torch.nn.Conv2d(6, 16, 5, stride), torch.nn.ReLU(), shrink, torch.nn.Flatten()]
    layers += [torch.nn.Linear(reads, 120), torch.nn.ReLU(), torch.nn.Linear(120, 10)]
    return torch.nn.Sequential(*layers).to(memory_format=torch.channels_last), reads


def overfit(kind, seed, digits, steps):
    """Train on few digits; return parameters, numbers read by the head, accuracy in training and test in percent."""
    net, reads = lenet(kind, seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, fused=True)
    x, y = torch.from_numpy(digits.x_train), torch.from_numpy(digits.y_train)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        batch = torch.from_numpy(rng.permutation(len(x))[:50])
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        right = [
            100 * float((net(torch.from_numpy(images)).argmax(dim=1).numpy() == labels).mean())
            for images, labels in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test))
        ]
    return sum(p.numel() for p in net.parameters()), reads, *right


few_digits = data.digits(*training.full_or_fast((300, 1000), (100, 100)))
starts, steps = training.full_or_fast((3, 120), (1, 5))
kinds = ("neither", "strided", "pooled")
overfitted = {kind: [] for kind in kinds}
with timing.one_thread():
    for seed, kind in training.progress([(seed, kind) for seed in range(starts) for kind in kinds], "net"):
        overfitted[kind].append(overfit(kind, seed, few_digits, steps))

print(f"{'':10}{'head reads':>12}{'parameters':>12}{'training, %':>13}{'test, %':>20}{'gap':>8}")
for kind, rows in overfitted.items():
    parameters, reads, *_ = rows[0]
    learned, tested = np.array(rows)[:, 2:].T
    span = f"{tested.mean():.1f} ({tested.min():.1f}-{tested.max():.1f})"
    print(f"{kind:10}{reads:12,}{parameters:12,}{learned.mean():13.1f}{span:>20}{(learned - tested).mean():8.1f}")
parameter_ratio = overfitted["neither"][0][0] / overfitted["pooled"][0][0]
print(f"\nneither has {parameter_ratio:.0f} × the parameters of the two others")
lesson.target("parameters of the pooled net", int(overfitted["pooled"][0][0]), exactly=51_902)

# %% [markdown]
# Strides save the same parameters as pooling, a factor of 21, and leave the gap where it was without either, at about
# 13 points; pooling brings it down to about 10. So the slide's *thus* does not hold here: pooling makes the net overfit
# less, but the saved parameters are not the reason.
#
# ### What became of the claims

# %% experiment seconds=5 folded=true covers="66 E6"
cs231n = np.array([[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]])[None, None]
pooled = max_pool2d(cs231n, 2)[0, 0].astype(int).tolist()
alexnet = [pool_output_size(size, 3, 2) for size in (55, 27, 13)]
pixels = receptive_field([layer(3), layer(3)]) ** 2
growth = {count: receptive_field(count * [layer(3)]) for count in (2, 3, 4, 5)}
printed, meant = 1 * (3 - 1) + 3, {count: (count - 1) * (3 - 1) + 3 for count in growth}
dilated = [receptive_field([layer(3, padding=2**i, dilation=2**i) for i in range(count)]) for count in (1, 2, 3, 4)]
gaps = {kind: np.array([row[2] - row[3] for row in rows]) for kind, rows in overfitted.items()}
accuracies = {way: np.array(values)[:, 0] for way, values in found.items()}


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


def all_above(higher, lower):
    """Tell whether it is higher at every start, lower at every start or mixed."""
    return "holds" if (higher > lower).all() else "does not hold" if (higher < lower).all() else "partly"


helps = {kind: all_above(gaps["neither"], gaps[kind]) for kind in ("strided", "pooled")}
plots.claims(
    [
        plots.Claim(
            "max pooling 2 × 2 with stride 2 gives [[6, 8], [3, 4]] (D)",
            f"{pooled}",
            "your max_pool2d on CS231n's map; the slide's own input is lost",
            "holds" if pooled == [[6, 8], [3, 4]] else "does not hold",
        ),
        plots.Claim(
            "AlexNet's 3 × 3 pooling with stride 2: 55 → 27, 27 → 13, 13 → 6 (C, E)",
            f"{alexnet}",
            "your pool_output_size; it divides everywhere, so ceil mode gives the same",
            "holds" if alexnet == [27, 13, 6] else "does not hold",
        ),
        plots.Claim(
            "two 3 × 3 layers: one output value is connected to 25 input pixels (C)",
            f"{pixels}; {agreed} of {asked} measured fields of {len(NETS)} nets are as predicted",
            "your receptive_field, jump_and_start; gradients of nets with equal weights",
            "holds" if pixels == 25 and agreed == asked else "does not hold",
        ),
        plots.Claim(
            "the receptive field grows linearly with the layers: 1·(k−1)+k (B)",
            f"2, 3, 4, 5 layers: {', '.join(map(str, growth.values()))}; the slide's formula gives {printed} for all, "
            f"l·(k−1)+k with l = layers − 1 gives {', '.join(map(str, meant.values()))}",
            "k = 3, stride 1; linear it is, the printed 1 must be an l",
            "partly" if list(growth.values()) == list(meant.values()) else "does not hold",
        ),
        plots.Claim(
            "dilated convolutions: exponentially growing receptive fields (B)",
            f"1 to 4 layers: {', '.join(map(str, dilated))}",
            "3 × 3, dilations 1, 2, 4, 8, doubled from layer to layer",
            "holds" if dilated == [2 ** (count + 1) - 1 for count in (1, 2, 3, 4)] else "does not hold",
        ),
        plots.Claim(
            "pooling reduces the number of parameters (B)",
            f"{overfitted['neither'][0][0]:,} without, {overfitted['pooled'][0][0]:,} with: "
            f"{parameter_ratio:.0f} × fewer",
            "LeNet's convolutions and a fully connected head; with a global average at the end it would be 1 ×",
            "holds" if parameter_ratio > 1 else "does not hold",
        ),
        plots.Claim(
            "… and thus overfitting (B)",
            f"training − test: {gaps['neither'].mean():.1f} points without, {gaps['strided'].mean():.1f} with strides, "
            f"{gaps['pooled'].mean():.1f} with pooling",
            f"{len(few_digits.x_train)} digits, {starts} starts, {steps} steps; strides save as many parameters",
            # The *thus* needs both: the strided net has as few parameters as the pooled one.
            judged(helps["pooled"] if helps["pooled"] != "holds" or helps["strided"] == "holds" else "partly"),
        ),
        plots.Claim(
            "trend towards getting rid of pooling (D); good generative models discard it, few to no pooling layers in "
            "future (B)",
            f"digits right: strided {accuracies['strided'].mean():.1f} %, max {accuracies['max'].mean():.1f} %; "
            f"same answer after a shift: {means['strided']:.1f} % and {means['max']:.1f} %",
            f"small net, {len(digits.x_train):,} digits, {seeds} starts: it works without, and costs steadiness here; "
            "what other people build is not measured",
            "cannot be tested here",
        ),
        plots.Claim(
            "then average pooling was used, now max pooling (C)",
            f"digits right: average {accuracies['average'].mean():.1f} %, max {accuracies['max'].mean():.1f} %; same "
            f"answer after a shift: {means['average']:.1f} % and {means['max']:.1f} %",
            "the same net and starts; a habit, not a law",
            "cannot be tested here",
        ),
        plots.Claim(
            "(course) pooling makes a net steadier under shifts than its strided twin",
            f"max over strided: {', '.join(f'{gain:+.1f}' for gain in gains)} points; average over strided: "
            f"{means['average'] - means['strided']:+.1f} in the mean",
            f"{seeds} starts, shifts of up to 3 pixels, {len(shifts)} of 49, none in training; other starts: see above",
            judged("holds" if gains.min() > 0 else "partly" if gains.mean() > 0 else "does not hold"),
        ),
        plots.Claim(
            "(Zhang 2019) blurring before each step of 2 makes it steadier still",
            f"smallest gain: {blurred:.1f} points over strided, {blurred_max:.1f} over max",
            "the same; not trained on more data, no weights added",
            judged(
                "holds"
                if min(blurred, blurred_max) > 0
                else "partly"
                if max(means["strided + blur"] - means["strided"], means["max + blur"] - means["max"]) > 0
                else "does not hold"
            ),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person. Use figures from this notebook.
#
# **The way back (1 point).** (a) Max pooling with windows of 3 × 3 and stride 2: up to how many windows can send their
# gradient to one pixel, and where does such a pixel stand in each of them? (b) A colleague's backward gives *every*
# pixel that equals the maximum the whole gradient. He tests it on normal random numbers against PyTorch and finds no
# difference. In which nets will it be wrong, by what factor is the gradient of one 2 × 2 window multiplied at most, and
# why will training often not show it?

# %% [markdown] answer="the_way_back" points=1
# ### BEGIN SOLUTION
# (a) Four: a pixel whose row and column are both even (and not at the border) is the lower right, lower left, upper
# right and upper left corner of four windows. If it wins all, their gradients add up, as in the test with the 9.
#
# (b) Wherever maps hold equal numbers: behind a ReLU, where many windows hold ties of zeros (the
# table of ties), on pictures with flat areas, and in low precision. A window of four ties gives out up to four times
# its gradient. Random normal numbers never tie, so that test cannot see it. In training, ties of zeros behind a ReLU
# do no harm, since the ReLU multiplies their gradient by 0; only ties of positive numbers count, and these are rare.
#
# **Rubric:** 0.5 for four windows and their corners; 0.5 for ties behind a ReLU with the factor four *and* one reason
# why it stays unseen (no ties in the test, or the ReLU's zero).
# ### END SOLUTION

# %% [markdown]
# **How steady? (1 point)** You build a net that counts cells in microscope pictures and want it not to depend on where
# a cell happens to lie. Choose a way to halve its maps, with figures from the table above. What does consistency not
# tell you, and which two other remedies are there that this notebook did not try, one in the data, one in the layers?

# %% [markdown] answer="how_steady" points=1
# ### BEGIN SOLUTION
# Average pooling or a blur before each step of 2: in the table they keep their answer most often, with no less
# accuracy than the strided net (figures from the own table), and they cost no weights. Consistency says nothing about
# being right: a net that always gives the same answer has 100 %. It was also measured on one data set, for small
# shifts of whole pixels. Other remedies: in the data, training on shifted pictures (augmentation, module 10), or
# averaging the answers to several shifts of a picture; in the layers, not shrinking at all (dilated convolutions,
# module 16).
#
# **Rubric:** 0.5 for a choice with figures from the own run; 0.25 for consistency without accuracy being worthless;
# 0.25 for two other remedies, one of each kind.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. Pooling summarises windows without weights. The gradient of a maximum returns to its (first) winner, that of a mean
#    to all pixels in equal shares; where windows overlap, the shares add up.
# 2. A field grows by $d(k-1)$ jumps a layer, and each stride multiplies the jumps of all layers behind it; most of the
#    field counts little.
# 3. Every step of 2 makes the answer depend on where a thing is. In our runs the largest of four before the step made a
#    net steadier than one of four, and a mean or a blur steadier still; which of these two made no difference.
#
# **Can you explain …**
#
# - why max pooling is padded with −∞ and average pooling with 0?
# - which windows ceil mode adds, and which it drops again?
# - why average pooling is a convolution and max pooling is not?
# - why the stride of a layer does not widen its own receptive field?
# - why a net of stride-1 convolutions and a global mean cannot tell where a thing is, and one with strides can?
#
# **Three readings**
#
# - W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the effective receptive field in deep convolutional neural
#   networks*, NIPS 2016, arXiv:1701.04128.
# - R. Zhang, *Making convolutional networks shift-invariant again*, ICML 2019, arXiv:1904.11486: the blur, the signal
#   0 0 1 1, and consistency.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, *Striving for simplicity: the all convolutional net*,
#   arXiv:1412.6806: pooling replaced by convolutions with stride.
#
# Next: 08 LeNet reads digits, in which all of this reads handwriting.
