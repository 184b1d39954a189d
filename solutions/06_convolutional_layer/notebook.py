# %% [markdown]
# # 06 The convolutional layer
#
# ![Left, a 4 × 4 image with the numbers 1 to 16 and its four 3 × 3 windows, outlined in four colours. An arrow
# named im2col leads to a 9 × 4 matrix in which each window is a column of its colour. Right, one filter as a row of
# nine weights times these columns gives a row of four outputs, which become a 2 × 2 map. An arrow back from the
# columns to the image is named col2im, adds up; a 4 × 4 table says how many terms come back to each pixel: 1 in the
# corners, 2 at the edges, 4 in the middle.](pictures/columns.png)
#
# *Forwards, every window becomes a column and the layer is one matrix product. Backwards, the columns are laid back
# on the image, and where windows overlap they add up: a corner pixel collects 1 term, a middle one 4.*
#
# Module 05 slid one kernel over one image. A layer does it for a batch of images, many channels and many filters,
# at the speed of a matrix product, and it can be run backwards. In this notebook you write that layer in NumPy. At
# the end five of them are a LeNet that learns to read digits, and PyTorch's LeNet, started from the same weights,
# shows the same losses.
#
# {{card:180}}
#
# Take it in two sittings: pause after Part 3.
#
# **Afterwards you can**
#
# - write a convolutional layer with stride, padding and dilation as loops, and as one matrix product;
# - derive every gradient of a convolution, and say which terms it sums and why;
# - run the layer backwards for input, weights and bias, and prove the result right;
# - say what 1 × 1 convolutions and fully connected layers have to do with each other.
#
# **You need** [05 Convolution arithmetic](../05_convolution_arithmetic/05_convolution_arithmetic.ipynb) and the
# chain rule of [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb): local derivative × what arrives from
# above, added up where paths meet.
#
# **From the lectures** B (convolutional layer, its gradients), C and D (layers stacked, 1 × 1 convolutions).

# %% setup
import time

import numpy as np
import torch

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("06_convolutional_layer")
check, hint = lesson.check, lesson.hint


def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Return how many windows fit along one side; pixels left over after the last one are ignored, as in PyTorch."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if min(size, kernel, stride, dilation) < 1 or padding < 0 or room < 0:
        raise ValueError(f"no window fits: {size=}, {kernel=}, {stride=}, {padding=}, {dilation=}")
    return room // stride + 1


def output_shape(x, weight, stride=1, padding=0, dilation=1):
    """Return (N, C_out, H', W') of a layer, or raise the ValueError that says why there is none."""
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(f"x and weight must have four axes, not {x.ndim} and {weight.ndim}")
    if x.shape[1] != weight.shape[1]:
        raise ValueError(f"x has {x.shape[1]} channels, the filters have {weight.shape[1]}")
    sides = zip(x.shape[2:], weight.shape[2:], strict=True)
    return (len(x), len(weight), *(output_size(n, k, stride, padding, dilation) for n, k in sides))


def torch_conv2d(x, weight, bias=None, **options):
    """Return PyTorch's output: what the tests compare with."""
    tensors = [None if value is None else torch.tensor(value) for value in (x, weight, bias)]
    return torch.nn.functional.conv2d(*tensors, **options).numpy()


def torch_gradients(grad_output, x, weight, **options):
    """Return PyTorch's gradients with respect to x, weight and bias: what the tests compare with."""
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, weight, np.zeros(len(weight), weight.dtype))]
    y = torch.nn.functional.conv2d(*inputs, **options)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, inputs, torch.tensor(grad_output)))


# %% [markdown]
# The setup gives you two helpers. `output_size` is that of module 05 with one difference: where the stride does not
# divide, it rounds down, as PyTorch does, because from here on we build what PyTorch builds. The last pixels are then
# seen by no window. `output_shape` does it for a whole layer and raises a `ValueError` for axes, channels or sizes
# that cannot be. Whenever an exercise asks for a `ValueError`, calling the right helper raises it.
#
# ## Before you begin: a prediction
#
# Python is slow at loops, and PyTorch's convolutions have been tuned for years.

# %% experiment seconds=5
lesson.predict(
    "numpy_against_pytorch",
    "Your NumPy LeNet and PyTorch's train on the same digits, each on one thread. How much longer will NumPy take?",
    [
        "Less than 3 times as long",
        "3 to 30 times as long",
        "30 to 300 times as long",
        "More than 300 times as long",
    ],
)

# %% [markdown]
# # Part 1 · The layer, word for word
#
# A layer has the following arrays. Their order of axes is PyTorch's, and that of the whole course.
#
# | array | shape | meaning |
# | --- | --- | --- |
# | `x` | $(N, C_{in}, H, W)$ | $N$ images of $C_{in}$ channels |
# | `weight` | $(C_{out}, C_{in}, K_h, K_w)$ | $C_{out}$ filters, each as deep as the input; often $K_h = K_w = K$ |
# | `bias` | $(C_{out},)$ | one number a filter, added at all its positions |
# | `y` | $(N, C_{out}, H', W')$ | one map for each image and filter |
#
# ## {{exercise:conv2d_naive}}
#
# With stride $S$, padding $P$ and dilation $d$, and with $\tilde{x}$ for the images with $P$ zeros on all four sides,
#
# $$y_{nkij} = \text{bias}_k + \sum_{c=0}^{C_{in}-1} \sum_{a=0}^{K_h-1} \sum_{b=0}^{K_w-1}
# w_{kcab}\;\tilde{x}_{n,\,c,\;iS + ad,\;jS + bd}$$
#
# Here $n$ is the image, $k$ the filter, $(i, j)$ the position in the map, $c$ the channel and $(a, b)$ the row and
# column in the kernel. Write it as it stands, with loops. It will be slow, and it will be right: the rest of the
# notebook compares itself with it. An array of four axes gets its border of $P$ zeros on the last two by
# `np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))`.
#
# Lecture B's example: images of 5 × 5 × 3, two 3 × 3 filters, padding 1, stride 2. The weights have the shape
# (2, 3, 3, 3), the bias (2,), the output (N, 2, 3, 3).


# %% exercise="conv2d_naive" difficulty=2 minutes=18 covers="62"
def conv2d_naive(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Compute a convolutional layer with loops.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, K_h, K_w)
        Not flipped.
    bias : ndarray, shape (C_out,), or None
    stride, dilation : int, at least 1
    padding : int, at least 0
        Zeros on each of the four sides of each channel.

    Returns
    -------
    ndarray, shape (N, C_out, H', W')
        Of the dtype of the products, `np.result_type(x, weight)`.

    Raises
    ------
    ValueError
        Where `output_shape` raises one.
    """
    ### BEGIN SOLUTION
    y = np.zeros(output_shape(x, weight, stride, padding, dilation), np.result_type(x, weight))
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height, width = (dilation * (k - 1) + 1 for k in weight.shape[2:])
    for n, k, i, j in np.ndindex(y.shape):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + height : dilation, left : left + width : dilation]
        y[n, k, i, j] = (window * weight[k]).sum()
        if bias is not None:
            y[n, k, i, j] += bias[k]
    return y
    ### END SOLUTION


# %% tests="conv2d_naive" points=1
# The practice example of lecture D as a batch of one image with one channel; then with a bias.
image = np.array([[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]])[None, None]
kernel = np.array([[1, 0, 2], [-1, 1, 1], [0, 2, 1]])[None, None]
check(conv2d_naive, image, kernel).gives([[[[2, -1, 2], [2, 0, 9], [0, 5, -2]]]])
check(conv2d_naive, image, kernel, np.array([10])).gives([[[[12, 9, 12], [12, 10, 19], [10, 15, 8]]]])
# The two channels of module 05: their maps are summed, and the bias is added once.
two_channels = np.array([[[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[0, 1, 1], [2, 0, 1], [1, 1, 0]]]])
two_kernels = np.array([[[[1, 0], [0, 1]], [[0, -1], [1, 0]]]])
check(conv2d_naive, two_channels, two_kernels, np.array([5])).gives([[[[8, 9], [6, 7]]]])
# Two images of two channels, three filters, more columns than rows, in the precision that networks use.
rng = np.random.default_rng(60)
x, weight = rng.normal(size=(2, 2, 2, 4)).astype(np.float32), rng.normal(size=(3, 2, 1, 3)).astype(np.float32)
bias = np.array([1, 2, 3], np.float32)
check(conv2d_naive, x, weight, bias).gives(torch_conv2d(x, weight, bias), rtol=1e-5, atol=1e-5, dtype=np.float32)
### BEGIN HIDDEN TESTS
for n, c, height, width, out, k_h, k_w in [(1, 1, 3, 3, 1, 3, 3), (3, 4, 5, 2, 2, 1, 2), (2, 1, 1, 6, 3, 1, 4)]:
    x, weight = rng.normal(size=(n, c, height, width)), rng.normal(size=(out, c, k_h, k_w))
    bias = rng.normal(size=out)
    check(conv2d_naive, x, weight, bias).gives(torch_conv2d(x, weight, bias))
    check(conv2d_naive, x, weight).gives(torch_conv2d(x, weight))
### END HIDDEN TESTS

# %% tests="conv2d_naive" points=1 covers="55"
# The practice example with windows two pixels apart, with a border of zeros, and with teeth two pixels apart.
image = np.array([[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]])[None, None]
kernel = np.array([[1, 0, 2], [-1, 1, 1], [0, 2, 1]])[None, None]
check(conv2d_naive, image, kernel, stride=2).gives([[[[2, 2], [0, -2]]]])
check(conv2d_naive, image, kernel, stride=2, padding=1).gives([[[[-1, 5, 5], [4, 0, 4], [0, 4, 0]]]])
check(conv2d_naive, image, kernel, dilation=2).gives([[[[5]]]])
# Lecture B's layer: two images, two filters, padding 1, stride 2.
rng = np.random.default_rng(61)
x, weight, bias = rng.normal(size=(2, 3, 5, 5)), rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)
check(conv2d_naive, x, weight, bias, stride=2, padding=1).gives(torch_conv2d(x, weight, bias, stride=2, padding=1))
# Windows that do not fit, and three channels for filters of two.
check(conv2d_naive, x[:, :, :2], weight).raises(ValueError)
check(conv2d_naive, x, weight[:, :2]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv2d_naive, x[0], weight).raises(ValueError)
check(conv2d_naive, x, weight, bias, 0).raises(ValueError)
for height, width, k, stride, padding, dilation in [
    (7, 8, 3, 2, 0, 1),
    (6, 9, 2, 3, 1, 2),
    (5, 4, 3, 1, 2, 2),
    (9, 7, 2, 4, 0, 3),
    (1, 1, 3, 2, 1, 1),
]:
    x, weight, bias = rng.normal(size=(2, 2, height, width)), rng.normal(size=(3, 2, k, k)), rng.normal(size=3)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    check(conv2d_naive, x, weight, bias, **options).gives(torch_conv2d(x, weight, bias, **options))
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · Backwards, by hand
#
# To train the layer we need the gradient of the loss $L$ with respect to everything that goes into it. What arrives
# from above is `grad_output`, $\partial L/\partial y$, of the shape of $y$. Lecture B works it out on the smallest
# example that shows everything: a 4 × 4 input, a 3 × 3 kernel, a 2 × 2 output, no bias. The lecture counts from 1, so
# its $x_{12}$ is `x[0, 1]`: row 1, column 2.
#
# $$y_{11} = \sum_{i=1}^{3} \sum_{j=1}^{3} w_{ij}\, x_{ij}, \qquad
# \frac{\partial L}{\partial x_{11}} = \sum_i \sum_j \frac{\partial L}{\partial y_{ij}}
# \frac{\partial y_{ij}}{\partial x_{11}} = \frac{\partial L}{\partial y_{11}}\, w_{11}$$
#
# The corner $x_{11}$ is seen by one window only, that of $y_{11}$, and stands under the weight $w_{11}$. So it has one
# term. Its neighbour $x_{12}$ is seen by two windows.
#
# ## {{exercise:grad_x12_by_hand}}
#
# Find the two outputs in which $x_{12}$ takes part, and the weight under which it stands in each. Then write
# $\partial L/\partial x_{12}$ as a sum of two products. Paper helps: draw the 4 × 4 grid and lay the window on it
# twice.


# %% exercise="grad_x12_by_hand" difficulty=1 minutes=6 covers="63"
def grad_x12_by_hand(grad_output, weight):
    """Return ∂L/∂x₁₂ of a 3 × 3 convolution on a 4 × 4 input, at stride 1 and without padding.

    Parameters
    ----------
    grad_output : ndarray, shape (2, 2)
        ∂L/∂y.
    weight : ndarray, shape (3, 3)

    Returns
    -------
    float
        The gradient with respect to x[0, 1].
    """
    ### BEGIN SOLUTION
    return grad_output[0, 0] * weight[0, 1] + grad_output[0, 1] * weight[0, 0]
    ### END SOLUTION


# %% tests="grad_x12_by_hand" points=1
# Numbers that show where they come from: the weights are the digits 1 to 9, the gradients 1, 10, 100 and 1000.
digits_1_to_9 = np.arange(1.0, 10.0).reshape(3, 3)
check(grad_x12_by_hand, np.array([[1.0, 10.0], [100.0, 1000.0]]), digits_1_to_9).gives(12.0)
# Only the second window; then neither of the two.
check(grad_x12_by_hand, np.array([[0.0, 2.0], [0.0, 0.0]]), digits_1_to_9).gives(2.0)
check(grad_x12_by_hand, np.array([[0.0, 0.0], [3.0, 5.0]]), digits_1_to_9).gives(0.0)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(62)
for _ in range(3):
    grad_output, weight = rng.normal(size=(2, 2)), rng.normal(size=(3, 3))
    grad_x, _, _ = torch_gradients(grad_output[None, None], np.zeros((1, 1, 4, 4)), weight[None, None])
    check(grad_x12_by_hand, grad_output, weight).gives(float(grad_x[0, 0, 0, 1]))
### END HIDDEN TESTS

# %% [markdown]
# ### Play: every term
#
# Point at a cell of a framed grid, and see the products that it is the sum of; the small numbers say which two factors
# belong together. It opens with the term you have just written. Look for the pixels with one, two and four terms, then
# compare the terms of an output with those of a gradient. Where do the weights run forwards, where backwards? Last, set
# the stride to 2: one row and one column of `grad_x` turn to zero. Why?
#
# The output is computed by **your** `conv2d_naive`. The gradients are still the toolkit's; Part 4 changes that.

# %% widget="convolution_terms" covers="63"
# alt: A 4 × 4 input, a 3 × 3 kernel and the 2 × 2 output; below, the three gradients, and two terms of ∂L/∂x₁₂.
from convnets.widgets import ConvolutionTerms

ConvolutionTerms(conv2d_naive)

# %% [markdown]
# ## {{exercise:grad_x_by_hand}}
#
# Now all sixteen, and at once for any size. Pixel $x_{pq}$ stands under weight $w_{ab}$ in the window of output
# $y_{ij}$ exactly when $p = i + a$ and $q = j + b$ (counted from 0). So, summing over the outputs and using
# $a = p - i$, $b = q - j$,
#
# $$\frac{\partial L}{\partial x_{pq}} = \sum_{i} \sum_{j} \frac{\partial L}{\partial y_{ij}}\; w_{p-i,\;q-j}$$
#
# where only those terms count whose weight exists: $0 \le p - i < K_h$ and $0 \le q - j < K_w$.
#
# There are two ways to write this. *Gather*: for each pixel, look for the outputs that saw it. *Scatter*: for each
# output, add its share to all the pixels that it saw. One of the two needs no case distinction at the border.


# %% exercise="grad_x_by_hand" difficulty=2 minutes=12 covers="63"
def grad_x_by_hand(grad_output, weight):
    """Return the gradient of one convolution with respect to its input, at stride 1 and without padding.

    Parameters
    ----------
    grad_output : ndarray, shape (H', W')
        ∂L/∂y; in the lecture (2, 2).
    weight : ndarray, shape (K_h, K_w)
        In the lecture (3, 3).

    Returns
    -------
    ndarray, shape (H' + K_h − 1, W' + K_w − 1)
        ∂L/∂x; in the lecture the sixteen numbers of a 4 × 4 input.
    """
    ### BEGIN SOLUTION
    (out_height, out_width), (k_height, k_width) = grad_output.shape, weight.shape
    grad_x = np.zeros((out_height + k_height - 1, out_width + k_width - 1), np.result_type(grad_output, weight))
    for i, j in np.ndindex(grad_output.shape):
        grad_x[i : i + k_height, j : j + k_width] += grad_output[i, j] * weight
    return grad_x
    ### END SOLUTION


# %% tests="grad_x_by_hand" points=1
# One output at a time: its gradient reaches the nine pixels of its window.
digits_1_to_9 = np.arange(1.0, 10.0).reshape(3, 3)
last_output = np.array([[0.0, 0.0], [0.0, 1.0]])
check(grad_x_by_hand, last_output, digits_1_to_9).gives([[0, 0, 0, 0], [0, 1, 2, 3], [0, 4, 5, 6], [0, 7, 8, 9]])
# With weights of 1 and gradients of 1, each pixel counts the windows that see it.
check(grad_x_by_hand, np.ones((2, 2)), np.ones((3, 3))).gives([[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(63)
grad_output, weight = rng.normal(size=(2, 2)), rng.normal(size=(3, 3))
(grad_x,) = torch_gradients(grad_output[None, None], np.zeros((1, 1, 4, 4)), weight[None, None])[0][0]
check(grad_x_by_hand, grad_output, weight).gives(grad_x)
### END HIDDEN TESTS

# %% tests="grad_x_by_hand" points=1
# All sixteen of the lecture, with numbers that show where they come from. Row 0, column 1 is the 12 of x₁₂.
check(grad_x_by_hand, np.array([[1.0, 10.0], [100.0, 1000.0]]), np.arange(1.0, 10.0).reshape(3, 3)).gives(
    [[1, 12, 23, 30], [104, 1245, 2356, 3060], [407, 4578, 5689, 6090], [700, 7800, 8900, 9000]]
)
# One row of three outputs, one row of two weights.
check(grad_x_by_hand, np.array([[1.0, 10.0, 100.0]]), np.array([[2.0, 3.0]])).gives([[2, 23, 230, 300]])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(64)
for out, k in [((3, 5), (2, 4)), ((1, 1), (3, 2)), ((4, 2), (1, 1)), ((2, 6), (5, 3))]:
    grad_output, weight = rng.normal(size=out), rng.normal(size=k)
    sides = [n + m - 1 for n, m in zip(out, k, strict=True)]
    grad_x, _, _ = torch_gradients(grad_output[None, None], np.zeros((1, 1, *sides)), weight[None, None])
    check(grad_x_by_hand, grad_output, weight).gives(grad_x[0, 0])
### END HIDDEN TESTS

# %% [markdown]
# ### All sixteen, read off your function and checked by numbers
#
# Your function is a sum of products, so it can be asked for its formulas: let one gradient and one weight be 1 and
# all others 0; the pixels where a 1 comes out have the product of these two among their terms. The cell below asks all
# 4 · 9 = 36 questions and writes the answers down in the lecture's notation. Then it nudges each of the sixteen pixels
# up and down, runs **your** `conv2d_naive`, and compares.


# %% experiment seconds=5 covers="63"
def read_off_terms():
    """List the terms of all sixteen gradients in the lecture's notation, counted from 1."""
    terms = {(p, q): [] for p in range(4) for q in range(4)}
    for i, j in np.ndindex(2, 2):
        for a, b in np.ndindex(3, 3):
            grad_output, weight = np.zeros((2, 2)), np.zeros((3, 3))
            grad_output[i, j] = weight[a, b] = 1
            for p, q in np.argwhere(grad_x_by_hand(grad_output, weight)):
                terms[int(p), int(q)].append(f"∂L/∂y{i + 1}{j + 1}·w{a + 1}{b + 1}")
    return terms


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


terms = read_off_terms()
for (p, q), found in terms.items():
    print(f"∂L/∂x{p + 1}{q + 1} = {' + '.join(found)}")

rng = np.random.default_rng(0)
x, weight, grad_output = rng.normal(size=(1, 1, 4, 4)), rng.normal(size=(1, 1, 3, 3)), rng.normal(size=(1, 1, 2, 2))
nudged = central_difference(lambda values: float((grad_output * conv2d_naive(values, weight)).sum()), x)
sixteen_error = relative_error(grad_x_by_hand(grad_output[0, 0], weight[0, 0]), nudged[0, 0])
print(f"\nAgainst central differences: relative error {sixteen_error:.1e}")
lesson.target("terms in the sixteen gradients", sum(len(found) for found in terms.values()), exactly=36)
lesson.target("the sixteen against central differences, relative error", sixteen_error, at_most=1e-7)

# %% [markdown]
# Read the terms of $\partial L/\partial x_{22}$: while the outputs run forwards from $y_{11}$ to $y_{22}$, the weights
# run backwards, from $w_{22}$ to $w_{11}$. Lay the gradients on a wide border of zeros, turn the kernel by 180° and
# cross-correlate: the same sums. So the way back of a cross-correlation is a convolution, flip included. Part 4 checks
# this on whole layers; module 16 builds an upsampling layer from it, the *transposed convolution*.
#
# # Part 3 · One matrix product
#
# Your loops compute one output at a time, and each costs several Python steps. A processor is fast when it gets one
# large task, and the task that it does best is a matrix product. So let us rearrange the layer into one: write each
# window as a column.
#
# ## {{exercise:im2col}}
#
# `im2col` ("image to columns") copies every window of every image into a column. A window has
# $Q = C_{in} K_h K_w$ pixels and an image has $L = H'W'$ windows, so `cols` has the shape $(N, Q, L)$:
#
# $$\text{cols}_{n,\; (c K_h + a) K_w + b,\;\; iW' + j} = \tilde{x}_{n,\,c,\;iS + ad,\;jS + bd}$$
#
# A row of `cols` belongs to one channel and one place in the kernel, in the order in which
# `weight.reshape(C_out, -1)` lists the weights: channels first, then rows, then columns. A column belongs to one
# position, in reading order. (PyTorch has the same function; it is called `unfold`.)
#
# **By hand.** The 3 × 4 image with the numbers 1 to 12 has six 2 × 2 windows:
#
# $$\begin{bmatrix} 1 & 2 & 3 & 4 \\ 5 & 6 & 7 & 8 \\ 9 & 10 & 11 & 12 \end{bmatrix} \;\to\;
# \begin{bmatrix} 1 & 2 & 3 & 5 & 6 & 7 \\ 2 & 3 & 4 & 6 & 7 & 8 \\
# 5 & 6 & 7 & 9 & 10 & 11 \\ 6 & 7 & 8 & 10 & 11 & 12 \end{bmatrix}$$
#
# Look at a *row* of the result: the first holds the pixels that stand under the first weight. They are a piece of
# the image, cut out with a slice: `x[..., 0:2, 0:3]`. With stride $S$ the slice has the step $S$, and in any case
# $H'$ rows and $W'$ columns. So a loop over the $K_h K_w$ places of the kernel is enough, each copying a whole
# piece of all images at once. An array of the shape $(N, C_{in}, K_h, K_w, H', W')$ takes the pieces; a reshape at
# the end makes it `cols`.


# %% exercise="im2col" difficulty=3 minutes=25
def im2col(x, kernel_size, stride=1, padding=0, dilation=1):
    """Copy every window of every image into a column.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    kernel_size : (int, int)
        K_h and K_w.
    stride, padding, dilation : int
        As in `conv2d_naive`.

    Returns
    -------
    ndarray, shape (N, C·K_h·K_w, H'·W'), dtype of x
        Rows ordered by channel, row and column of the kernel; columns by row and column of the output.

    Raises
    ------
    ValueError
        Where `output_size` raises one.
    """
    ### BEGIN SOLUTION
    n, channels, height, width = x.shape
    k_height, k_width = kernel_size
    out_height = output_size(height, k_height, stride, padding, dilation)
    out_width = output_size(width, k_width, stride, padding, dilation)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((n, channels, k_height, k_width, out_height, out_width), x.dtype)
    for a in range(k_height):
        for b in range(k_width):
            # All pixels under weight (a, b): the first is (a d, b d), the next are S apart.
            pixels = padded[:, :, a * dilation :: stride, b * dilation :: stride]
            cols[:, :, a, b] = pixels[:, :, :out_height, :out_width]
    return cols.reshape(n, channels * k_height * k_width, out_height * out_width)
    ### END SOLUTION


# %% tests="im2col" points=1
# The example worked out above; then two channels, whose pixels are one after the other in the column.
one_to_twelve = np.arange(1, 13).reshape(1, 1, 3, 4)
by_hand = [[1, 2, 3, 5, 6, 7], [2, 3, 4, 6, 7, 8], [5, 6, 7, 9, 10, 11], [6, 7, 8, 10, 11, 12]]
check(im2col, one_to_twelve, (2, 2)).gives([by_hand])
check(im2col, np.arange(1, 9).reshape(1, 2, 2, 2), (2, 2)).gives([[[1], [2], [3], [4], [5], [6], [7], [8]]])
# A kernel of one row and three columns; two images, in the precision that networks use.
check(im2col, one_to_twelve, (1, 3)).gives([[[1, 2, 5, 6, 9, 10], [2, 3, 6, 7, 10, 11], [3, 4, 7, 8, 11, 12]]])
check(im2col, np.arange(1, 13, dtype=np.float32).reshape(2, 1, 2, 3), (2, 3)).gives(
    np.arange(1.0, 13.0).reshape(2, 6, 1), dtype=np.float32
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(65)
for shape, size in [((2, 3, 5, 7), (3, 2)), ((1, 1, 4, 4), (4, 4)), ((3, 2, 2, 6), (1, 1)), ((2, 5, 6, 3), (2, 3))]:
    x = rng.normal(size=shape)
    check(im2col, x, size).gives(torch.nn.functional.unfold(torch.tensor(x), size))
check(im2col, x.astype(np.float32), (2, 2)).gives(
    torch.nn.functional.unfold(torch.tensor(x.astype(np.float32)), (2, 2)), dtype=np.float32
)
check(im2col, x, (7, 1)).raises(ValueError)
### END HIDDEN TESTS

# %% tests="im2col" points=1
# Stride 2 keeps windows (0, 0) and (0, 2) of the example above; with padding the first window is nearly empty.
one_to_twelve = np.arange(1, 13).reshape(1, 1, 3, 4)
check(im2col, one_to_twelve, (2, 2), stride=2).gives([[[1, 3], [2, 4], [5, 7], [6, 8]]])
check(im2col, one_to_twelve, (2, 2), stride=2, padding=1).gives(
    [[[0, 0, 0, 0, 6, 8], [0, 0, 0, 5, 7, 0], [0, 2, 4, 0, 10, 12], [1, 3, 0, 9, 11, 0]]]
)
check(im2col, one_to_twelve, (2, 2), dilation=2).gives([[[1, 2], [3, 4], [9, 10], [11, 12]]])
check(im2col, one_to_twelve, (4, 2)).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(66)
for shape, size, stride, padding, dilation in [
    ((2, 3, 7, 8), (3, 3), 2, 1, 1),
    ((1, 2, 9, 6), (2, 3), 3, 0, 2),
    ((2, 1, 5, 5), (3, 3), 2, 2, 2),
    ((1, 1, 8, 3), (2, 1), 5, 1, 3),
]:
    x = rng.normal(size=shape)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    check(im2col, x, size, **options).gives(torch.nn.functional.unfold(torch.tensor(x), size, **options))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:conv2d}}
#
# Now the layer is one matrix product. Let $W$ be the weights as a matrix of shape $(C_{out}, Q)$, one filter a row.
# For each image,
#
# $$\underbrace{y}_{(C_{out},\, L)} = \underbrace{W}_{(C_{out},\, Q)}\;\underbrace{\text{cols}}_{(Q,\, L)}
# + \underbrace{b}_{(C_{out},\, 1)}$$
#
# and a reshape turns the $L$ columns into the maps of $H' \times W'$. NumPy's `@` multiplies a matrix of shape
# $(C_{out}, Q)$ with a stack of shape $(N, Q, L)$ image by image: no loop over images, filters or positions is left.


# %% exercise="conv2d" difficulty=2 minutes=10 covers="62"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Compute a convolutional layer with one matrix product.

    Parameters and return value are those of `conv2d_naive`.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, K_h, K_w)
    bias : ndarray, shape (C_out,), or None
    stride, padding, dilation : int

    Returns
    -------
    ndarray, shape (N, C_out, H', W'), dtype `np.result_type(x, weight)`

    Raises
    ------
    ValueError
        Where `output_shape` raises one.
    """
    ### BEGIN SOLUTION
    shape = output_shape(x, weight, stride, padding, dilation)
    y = weight.reshape(len(weight), -1) @ im2col(x, weight.shape[2:], stride, padding, dilation)
    if bias is not None:
        y += bias[:, None]
    return y.reshape(shape)
    ### END SOLUTION


# %% tests="conv2d" points=1
# The practice example of lecture D, without and with a bias; two channels.
image = np.array([[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]])[None, None]
kernel = np.array([[1, 0, 2], [-1, 1, 1], [0, 2, 1]])[None, None]
check(conv2d, image, kernel).gives([[[[2, -1, 2], [2, 0, 9], [0, 5, -2]]]])
check(conv2d, image, kernel, np.array([10])).gives([[[[12, 9, 12], [12, 10, 19], [10, 15, 8]]]])
two_channels = np.array([[[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[0, 1, 1], [2, 0, 1], [1, 1, 0]]]])
two_kernels = np.array([[[[1, 0], [0, 1]], [[0, -1], [1, 0]]]])
check(conv2d, two_channels, two_kernels).gives([[[[3, 4], [1, 2]]]])
# Two images, two filters on a map of two columns, and a bias for each filter.
rng = np.random.default_rng(67)
x, weight = rng.normal(size=(2, 2, 2, 3)).astype(np.float32), rng.normal(size=(2, 2, 1, 2)).astype(np.float32)
bias = np.array([1, 2], np.float32)
check(conv2d, x, weight, bias).gives(torch_conv2d(x, weight, bias), rtol=1e-5, atol=1e-5, dtype=np.float32)
### BEGIN HIDDEN TESTS
for n, c, height, width, out, k_h, k_w in [(1, 1, 3, 3, 1, 3, 3), (3, 4, 5, 2, 2, 1, 2), (2, 1, 1, 6, 3, 1, 4)]:
    x, weight = rng.normal(size=(n, c, height, width)), rng.normal(size=(out, c, k_h, k_w))
    bias = rng.normal(size=out)
    check(conv2d, x, weight, bias).gives(torch_conv2d(x, weight, bias), rtol=1e-10, atol=1e-10)
    check(conv2d, x, weight).gives(torch_conv2d(x, weight), rtol=1e-10, atol=1e-10)
### END HIDDEN TESTS

# %% tests="conv2d" points=1
image = np.array([[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]])[None, None]
kernel = np.array([[1, 0, 2], [-1, 1, 1], [0, 2, 1]])[None, None]
check(conv2d, image, kernel, stride=2).gives([[[[2, 2], [0, -2]]]])
check(conv2d, image, kernel, stride=2, padding=1).gives([[[[-1, 5, 5], [4, 0, 4], [0, 4, 0]]]])
check(conv2d, image, kernel, dilation=2).gives([[[[5]]]])
# A weight matrix has a place for three channels, the images have two; and a window that does not fit.
check(conv2d, np.ones((1, 2, 5, 5)), np.ones((4, 3, 2, 2))).raises(ValueError)
check(conv2d, np.ones((1, 2, 5, 2)), np.ones((4, 2, 3, 3))).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv2d, np.ones((2, 5, 5)), np.ones((4, 2, 3, 3))).raises(ValueError)
# Channels that do not agree although the numbers of weights do: 2 · 2 · 2 = 1 · 2 · 4.
check(conv2d, np.ones((1, 2, 5, 5)), np.ones((3, 1, 2, 4))).raises(ValueError)
rng = np.random.default_rng(68)
for height, width, k, stride, padding, dilation in [
    (7, 8, 3, 2, 0, 1),
    (6, 9, 2, 3, 1, 2),
    (5, 4, 3, 1, 2, 2),
    (9, 7, 2, 4, 0, 3),
    (1, 1, 3, 2, 1, 1),
]:
    x, weight, bias = rng.normal(size=(2, 2, height, width)), rng.normal(size=(3, 2, k, k)), rng.normal(size=3)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    check(conv2d, x, weight, bias, **options).gives(torch_conv2d(x, weight, bias, **options), rtol=1e-10, atol=1e-10)
### END HIDDEN TESTS

# %% [markdown]
# # Part 4 · The layer, backwards
#
# ## {{exercise:col2im}}
#
# `im2col` copies a pixel into every column whose window sees it. Its way back, `col2im`, takes an array of the shape
# of `cols` and **adds** each entry to the pixel it was copied from. It is the *scatter* of Part 2 for whole batches:
#
# $$\tilde{x}_{n,\,c,\,p,\,q} = \sum \text{cols}_{n,\; (c K_h + a) K_w + b,\;\; iW' + j}
# \quad\text{over all } a, b, i, j \text{ with } p = iS + ad,\; q = jS + bd$$
#
# Afterwards the border of $P$ zeros is cut off: nobody needs the gradient of a padded zero. `col2im` is not the inverse
# of `im2col`: columns of ones come back as the number of windows that see each pixel. It is its *transpose*.
# Written as a matrix, `im2col` has a 1 for each copy, and whoever runs a matrix backwards multiplies by its transpose.
#
# Within one place $(a, b)$ of the kernel all pixels are different, so `+=` on a slice is safe there. (With indices that
# repeat it is not: `x[[0, 0]] += 1` adds 1, once.)


# %% exercise="col2im" difficulty=3 minutes=12
def col2im(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    """Add every entry of the columns to the pixel that `im2col` copied it from.

    Parameters
    ----------
    cols : ndarray, shape (N, C·K_h·K_w, H'·W')
        As `im2col` orders them.
    x_shape : (int, int, int, int)
        N, C, H and W of the images, without padding.
    kernel_size : (int, int)
        K_h and K_w.
    stride, padding, dilation : int

    Returns
    -------
    ndarray, shape (N, C, H, W), dtype of cols
        0 at pixels that no window sees.

    Raises
    ------
    ValueError
        Where `output_size` raises one.
    """
    ### BEGIN SOLUTION
    n, channels, height, width = x_shape
    k_height, k_width = kernel_size
    out_height = output_size(height, k_height, stride, padding, dilation)
    out_width = output_size(width, k_width, stride, padding, dilation)
    cols = cols.reshape(n, channels, k_height, k_width, out_height, out_width)
    padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding), cols.dtype)
    for a in range(k_height):
        for b in range(k_width):
            pixels = padded[:, :, a * dilation :: stride, b * dilation :: stride]
            # A slice is a view: what is added to it is added to the images.
            pixels[:, :, :out_height, :out_width] += cols[:, :, a, b]
    return padded[:, :, padding : padding + height, padding : padding + width]
    ### END SOLUTION


# %% tests="col2im" points=1
# Six windows of 2 × 2 on 3 × 4 pixels, filled with 1, 10, 100 and so on: each pixel tells which of them see it.
windows = np.ones((1, 4, 1)) * [1, 10, 100, 1000, 10_000, 100_000]
check(col2im, windows, (1, 1, 3, 4), (2, 2)).gives(
    [[[[1, 11, 110, 100], [1001, 11_011, 110_110, 100_100], [1000, 11_000, 110_000, 100_000]]]]
)
# Columns of ones count the windows. With a border of zeros every pixel is seen four times.
check(col2im, np.ones((1, 4, 20)), (1, 1, 3, 4), (2, 2), padding=1).gives(np.full((1, 1, 3, 4), 4.0))
# One column for each image: two of 2 × 3 pixels, whose windows are as large as they are; then three channels.
one_window = np.arange(1.0, 13.0).reshape(2, 6, 1)
check(col2im, one_window, (2, 1, 2, 3), (2, 3)).gives([[[[1, 2, 3], [4, 5, 6]]], [[[7, 8, 9], [10, 11, 12]]]])
one_window = one_window.astype(np.float32)
check(col2im, one_window, (2, 3, 1, 2), (1, 2)).gives(one_window.reshape(2, 3, 1, 2), dtype=np.float32)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(69)
for shape, size in [((2, 3, 5, 7), (3, 2)), ((1, 1, 4, 4), (4, 4)), ((3, 2, 2, 6), (1, 1)), ((2, 5, 6, 3), (2, 3))]:
    length = (shape[2] - size[0] + 1) * (shape[3] - size[1] + 1)
    cols = rng.normal(size=(shape[0], shape[1] * size[0] * size[1], length))
    expected = torch.nn.functional.fold(torch.tensor(cols), shape[2:], size)
    check(col2im, cols, shape, size).gives(expected)
    check(col2im, cols.astype(np.float32), shape, size).gives(expected, rtol=1e-5, atol=1e-5, dtype=np.float32)
### END HIDDEN TESTS

# %% tests="col2im" points=1
# Stride 2 and dilation 2 on 3 × 5 pixels: some are seen by no window. Then all options against PyTorch's `fold`.
check(col2im, np.ones((1, 4, 2)), (1, 1, 3, 5), (2, 2), stride=2).gives(
    [[[[1, 1, 1, 1, 0], [1, 1, 1, 1, 0], [0, 0, 0, 0, 0]]]]
)
check(col2im, np.ones((1, 4, 1)) * [1, 10, 100], (1, 1, 3, 5), (2, 2), dilation=2).gives(
    [[[[1, 10, 101, 10, 100], [0, 0, 0, 0, 0], [1, 10, 101, 10, 100]]]]
)
cols = np.arange(2.0 * 8 * 9).reshape(2, 8, 9)
options = {"stride": 2, "padding": 1}
expected = torch.nn.functional.fold(torch.tensor(cols), (4, 5), (2, 2), **options)
check(col2im, cols, (2, 2, 4, 5), (2, 2), **options).gives(expected)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(70)
for shape, size, stride, padding, dilation in [
    ((2, 3, 7, 8), (3, 3), 2, 1, 1),
    ((1, 2, 9, 6), (2, 3), 3, 0, 2),
    ((2, 1, 5, 5), (3, 3), 2, 2, 2),
    ((1, 1, 8, 3), (2, 1), 5, 1, 3),
]:
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    cols_shape = torch.nn.functional.unfold(torch.zeros(shape), size, **options).shape
    cols = rng.normal(size=cols_shape)
    expected = torch.nn.functional.fold(torch.tensor(cols), shape[2:], size, **options)
    check(col2im, cols, shape, size, **options).gives(expected)
check(col2im, np.ones((1, 4, 1)), (1, 1, 1, 4), (2, 2)).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:conv2d_backward}}
#
# Everything is ready. Write $G$ for `grad_output` with its maps as rows, $(N, C_{out}, L)$, and look back at
# $y = W\,\text{cols} + b$. For one image it is the fully connected layer of module 02, with `cols` in the place of the
# input, so its gradients are known; the images share the parameters, so theirs add up.
#
# $$\frac{\partial L}{\partial b_k} = \sum_{n,\,l} G_{nkl}, \qquad
# \frac{\partial L}{\partial W} = \sum_n G_n\, \text{cols}_n^{\top}, \qquad
# \frac{\partial L}{\partial \text{cols}_n} = W^{\top} G_n$$
#
# The last one is a gradient for each copy of a pixel. A pixel's own gradient is the sum over its copies:
# $\partial L/\partial x = \text{col2im}(\partial L/\partial \text{cols})$.
#
# Sums, not means: where a mean over the batch is wanted, the loss has already divided by $N$, and `grad_output`
# contains it. Mind the images in $\partial L/\partial W$. Either multiply the stacks with `@` and add up over the
# images, or sum over $n$ and $l$ in one step (`np.tensordot` and `np.einsum` do that). The $\top$ at
# $\text{cols}_n$ swaps the two axes of each image's matrix: `cols.swapaxes(1, 2)`. `cols.T` would reverse all three.


# %% exercise="conv2d_backward" difficulty=3 minutes=30 covers="62"
def conv2d_backward(grad_output, x, weight, stride=1, padding=0, dilation=1):
    """Run a convolutional layer backwards.

    Parameters
    ----------
    grad_output : ndarray, shape (N, C_out, H', W')
        ∂L/∂y.
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, K_h, K_w)
    stride, padding, dilation : int
        Those of the way forward.

    Returns
    -------
    grad_x : ndarray, shape of x
    grad_weight : ndarray, shape of weight
    grad_bias : ndarray, shape (C_out,)

    Raises
    ------
    ValueError
        Where `output_shape` raises one, or when grad_output has not the shape it gives.
    """
    ### BEGIN SOLUTION
    shape = output_shape(x, weight, stride, padding, dilation)
    if grad_output.shape != shape:
        raise ValueError(f"grad_output must have the shape of the output, {shape}, not {grad_output.shape}")
    kernel_size = weight.shape[2:]
    grad = grad_output.reshape(len(x), len(weight), -1)
    cols = im2col(x, kernel_size, stride, padding, dilation)
    grad_weight = np.tensordot(grad, cols, axes=([0, 2], [0, 2])).reshape(weight.shape)
    grad_cols = weight.reshape(len(weight), -1).T @ grad
    grad_x = col2im(grad_cols, x.shape, kernel_size, stride, padding, dilation)
    return grad_x, grad_weight, grad_output.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% tests="conv2d_backward" points=1
def grad_weight_and_bias(grad_output, x, weight, **options):
    """Return the last two of conv2d_backward(grad_output, x, weight, ...) as a dict."""
    _, grad_weight, grad_bias = conv2d_backward(grad_output, x, weight, **options)
    return {"grad_weight": grad_weight, "grad_bias": grad_bias}


def expected_weight_and_bias(grad_output, x, weight):
    _, grad_weight, grad_bias = torch_gradients(grad_output, x, weight)
    return {"grad_weight": grad_weight, "grad_bias": grad_bias}


# The lecture's sizes. The pixels are 1 to 16; the gradients 1, 10, 100 and 1000 show where each sum comes from.
one_to_sixteen = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
grad_output = np.array([[1.0, 10.0], [100.0, 1000.0]])[None, None]
check(conv2d_backward, grad_output, one_to_sixteen, np.ones((1, 1, 3, 3))).satisfies(
    lambda given: isinstance(given, tuple | list) and [*map(np.shape, given)] == [(1, 1, 4, 4), (1, 1, 3, 3), (1,)],
    "it returns grad_x, grad_weight and grad_bias, in this order, of the shapes of x, weight and bias",
)
check(grad_weight_and_bias, grad_output, one_to_sixteen, np.ones((1, 1, 3, 3))).gives(
    {
        "grad_weight": np.array([[[[6521.0, 7632, 8743], [10965, 12076, 13187], [15409, 16520, 17631]]]]),
        "grad_bias": np.array([1111.0]),
    }
)
# Two images, three channels, two filters, more columns than rows.
rng = np.random.default_rng(71)
x, weight, grad_output = rng.normal(size=(2, 3, 2, 3)), rng.normal(size=(2, 3, 1, 2)), rng.normal(size=(2, 2, 2, 2))
check(grad_weight_and_bias, grad_output, x, weight).gives_gradient(expected_weight_and_bias(grad_output, x, weight))
### BEGIN HIDDEN TESTS
for n, c, height, width, out, k_h, k_w in [(1, 1, 3, 3, 1, 3, 3), (3, 4, 5, 2, 2, 1, 2), (2, 1, 1, 6, 3, 1, 4)]:
    x, weight = rng.normal(size=(n, c, height, width)), rng.normal(size=(out, c, k_h, k_w))
    grad_output = rng.normal(size=(n, out, height - k_h + 1, width - k_w + 1))
    check(grad_weight_and_bias, grad_output, x, weight).gives_gradient(expected_weight_and_bias(grad_output, x, weight))
### END HIDDEN TESTS


# %% tests="conv2d_backward" points=1
def grad_x_of(grad_output, x, weight, **options):
    """Return the first of conv2d_backward(grad_output, x, weight, ...)."""
    grad_x, _, _ = conv2d_backward(grad_output, x, weight, **options)
    return grad_x


# All sixteen of the lecture, as in grad_x_by_hand; then two images, three channels and two filters.
grad_output, digits_1_to_9 = np.array([[1.0, 10.0], [100.0, 1000.0]]), np.arange(1.0, 10.0).reshape(3, 3)
sixteen = [[1, 12, 23, 30], [104, 1245, 2356, 3060], [407, 4578, 5689, 6090], [700, 7800, 8900, 9000]]
check(grad_x_of, grad_output[None, None], np.ones((1, 1, 4, 4)), digits_1_to_9[None, None]).gives(
    np.array([[sixteen]], float)
)
rng = np.random.default_rng(72)
x, weight, grad_output = rng.normal(size=(2, 3, 2, 3)), rng.normal(size=(2, 3, 1, 2)), rng.normal(size=(2, 2, 2, 2))
check(grad_x_of, grad_output, x, weight).gives_gradient(torch_gradients(grad_output, x, weight)[0])
### BEGIN HIDDEN TESTS
for n, c, height, width, out, k_h, k_w in [(1, 1, 3, 3, 1, 3, 3), (3, 4, 5, 2, 2, 1, 2), (2, 1, 1, 6, 3, 1, 4)]:
    x, weight = rng.normal(size=(n, c, height, width)), rng.normal(size=(out, c, k_h, k_w))
    grad_output = rng.normal(size=(n, out, height - k_h + 1, width - k_w + 1))
    check(grad_x_of, grad_output, x, weight).gives_gradient(torch_gradients(grad_output, x, weight)[0])
x, weight, grad_output = (value.astype(np.float32) for value in (x, weight, grad_output))
check(grad_x_of, grad_output, x, weight).gives(
    torch_gradients(grad_output, x, weight)[0], rtol=1e-4, atol=1e-4, dtype=np.float32
)
### END HIDDEN TESTS


# %% tests="conv2d_backward" points=2
def gradients(grad_output, x, weight, stride, padding, dilation):
    """Return conv2d_backward(grad_output, x, weight, stride, padding, dilation) as a dict."""
    grads = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    return dict(zip(("grad_x", "grad_weight", "grad_bias"), grads, strict=True))


def expected_gradients(grad_output, x, weight, stride, padding, dilation):
    grads = torch_gradients(grad_output, x, weight, stride=stride, padding=padding, dilation=dilation)
    return dict(zip(("grad_x", "grad_weight", "grad_bias"), grads, strict=True))


# One option at a time, then all of them. At stride 3 the last pixels are seen by no window: their gradient is 0.
rng = np.random.default_rng(73)
for size, stride, padding, dilation in [(5, 2, 0, 1), (3, 1, 1, 1), (5, 1, 0, 2), (4, 3, 0, 1), (4, 2, 2, 2)]:
    x, weight = rng.normal(size=(1, 1, size, size + 1)), rng.normal(size=(2, 1, 3, 3))
    grad_output = rng.normal(size=output_shape(x, weight, stride, padding, dilation))
    options = (stride, padding, dilation)
    check(gradients, grad_output, x, weight, *options).gives_gradient(
        expected_gradients(grad_output, x, weight, *options)
    )
# A grad_output of 1 × 4 where the output is 2 × 2.
check(gradients, np.ones((1, 1, 1, 4)), np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), 1, 0, 1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(gradients, np.ones((1, 1, 4, 4)), np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), 1, 0, 1).raises(ValueError)
check(gradients, np.ones((1, 3, 2, 2)), np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)), 1, 0, 1).raises(ValueError)
check(gradients, np.ones((1, 1, 2, 2)), np.ones((1, 2, 4, 4)), np.ones((1, 1, 3, 3)), 1, 0, 1).raises(ValueError)
for height, width, k, stride, padding, dilation in [
    (7, 8, 3, 2, 0, 1),
    (6, 9, 2, 3, 1, 2),
    (5, 4, 3, 1, 2, 2),
    (9, 7, 2, 4, 0, 3),
    (1, 1, 3, 2, 1, 1),
]:
    x, weight = rng.normal(size=(2, 2, height, width)), rng.normal(size=(3, 2, k, k))
    options = (stride, padding, dilation)
    grad_output = rng.normal(size=output_shape(x, weight, *options))
    check(gradients, grad_output, x, weight, *options).gives_gradient(
        expected_gradients(grad_output, x, weight, *options)
    )
### END HIDDEN TESTS

# %% [markdown]
# ### Play: your gradients
#
# The same widget, now with **your** `conv2d` and `conv2d_backward`: a cell that your function gets wrong is marked.
# It opens at stride 2 with padding 1. Count the terms of neighbouring pixels of `grad_x`: 1, 2 and 4 alternate, though
# all of them lie in the middle of the image. Module 16 meets this checkerboard again, and it is no friend there.

# %% widget="convolution_terms_backward"
# alt: A 5 × 5 input with stride 2 and padding 1; the gradient of the middle pixel is one term, its factors are marked.
from convnets.widgets import ConvolutionTerms

ConvolutionTerms(conv2d, conv2d_backward, size=5, stride=2, padding=1, cell=(2, 2))

# %% [markdown]
# ### Proof
#
# Three witnesses for the whole layer, at 24 settings of stride, padding and dilation: PyTorch for the output;
# PyTorch for the gradients; and central differences of **your own** `conv2d`, which need no PyTorch at all. The
# layer is linear in each of its arguments, so the central difference has no error but that of rounding. Below them
# stands the promise of Part 2: at stride 1, `grad_x` is your own `conv2d` of `grad_output` with the kernels turned
# by 180° and the roles of the channels exchanged.


# %% experiment seconds=2
def witnesses(rng, **options):
    """Return how far the learner's layer is from each witness, for random arrays at these options."""
    x, weight, bias = rng.normal(size=(2, 2, 6, 7)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
    y = conv2d(x, weight, bias, **options)
    grad_output = rng.normal(size=y.shape)

    def loss(x=x, weight=weight, bias=bias):
        return float((grad_output * conv2d(x, weight, bias, **options)).sum())

    nudged = [
        central_difference(lambda value: loss(x=value), x),
        central_difference(lambda value: loss(weight=value), weight),
        central_difference(lambda value: loss(bias=value), bias),
    ]
    mine = conv2d_backward(grad_output, x, weight, **options)
    by_torch = torch_gradients(grad_output, x, weight, **options)
    return [
        float(np.abs(y - torch_conv2d(x, weight, bias, **options)).max()),
        max(map(relative_error, mine, by_torch)),
        max(map(relative_error, mine, nudged)),
    ]


# %% experiment seconds=20
rng = np.random.default_rng(1)
settings = [(s, p, d) for s in (1, 2, 3) for p in (0, 1, 2, 3) for d in (1, 2)]
found = [witnesses(rng, stride=s, padding=p, dilation=d) for s, p, d in training.progress(settings, "setting")]
output_error, torch_error, nudged_error = (max(errors) for errors in zip(*found, strict=True))

x, weight = rng.normal(size=(2, 3, 8, 9)), rng.normal(size=(4, 3, 3, 3))
grad_output = rng.normal(size=output_shape(x, weight))
turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
as_convolution = relative_error(conv2d(grad_output, turned, padding=2), conv2d_backward(grad_output, x, weight)[0])
print(f"{len(settings)} settings. At stride 1, grad_x as a convolution: relative error {as_convolution:.1e}")
lesson.target("output against PyTorch, largest difference", output_error, at_most=1e-10)
lesson.target("gradients against PyTorch, relative error", torch_error, at_most=1e-7)
lesson.target("gradients against central differences, relative error", nudged_error, at_most=1e-7)

# %% [markdown]
# # Part 5 · How fast?
#
# Three layers, each a batch: the two convolutions of LeNet on digits, and a 3 × 3 layer as VGG has them. Five ways to
# compute them, on one thread, in float32, the precision that networks use:
#
# - **your `conv2d_naive`**, a Python step for each output, or even for each product (one image and one filter are
#   timed, and multiplied);
# - **a loop over the positions**, all images and filters of a position at once;
# - **your `conv2d`**, columns and one matrix product an image;
# - **strided views**: `sliding_window_view` describes all windows without copying, the reshape before the product
#   copies them;
# - **PyTorch**.


# %% experiment seconds=5
def conv2d_positions(x, weight, bias, padding):
    """Loop over the positions of the output; stride 1."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    y = np.empty(output_shape(x, weight, padding=padding), x.dtype)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            window = padded[:, :, i : i + weight.shape[2], j : j + weight.shape[3]]
            y[:, :, i, j] = np.tensordot(window, weight, axes=([1, 2, 3], [1, 2, 3])) + bias
    return y


def conv2d_views(x, weight, bias, padding):
    """Describe all windows by strides, then multiply; stride 1."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    n, channels, out_height, out_width, k_height, k_width = windows.shape
    cols = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, channels * k_height * k_width, out_height * out_width)
    y = weight.reshape(len(weight), -1) @ cols + bias[:, None]
    return y.reshape(n, len(weight), out_height, out_width)


def conv2d_torch(x, weight, bias, padding):
    """Call PyTorch on the same memory."""
    with torch.no_grad():
        return torch.nn.functional.conv2d(*map(torch.from_numpy, (x, weight, bias)), padding=padding).numpy()


LAYERS = {  # images, C_in, side, C_out, kernel, padding
    "LeNet, first": (64, 1, 28, 6, 5, 2),
    "LeNet, second": (64, 6, 14, 16, 5, 0),
    "3 × 3, as in VGG": (16, 32, 28, 64, 3, 1),
}
WAYS = ["conv2d_naive (yours)", "loop over positions", "conv2d (yours)", "strided views", "PyTorch"]


# %% experiment seconds=2 folded=true
def print_times(times, ratios):
    """Print the table of CPU times, with the size of the columns in its last line."""
    print(f"{'milliseconds (× PyTorch)':26}", *(f"{layer:>22}" for layer in LAYERS))
    for row, way in enumerate(WAYS):
        decimals = 0 if row == 0 else 1  # the first way is timed on one map and multiplied: no decimals
        figures = ((times[layer][row], ratios[layer][row]) for layer in LAYERS)
        print(f"{way:26}", *(f"{ms:12,.{decimals}f} ({ratio:7,.{decimals}f})" for ms, ratio in figures))
    sizes = []
    for n, c_in, side, _, k, padding in LAYERS.values():
        size = c_in * k * k * output_size(side, k, padding=padding) ** 2
        sizes.append(f"{4e-6 * n * size:.1f} MB ({size / (c_in * side**2):.1f} × x)")
    print(f"{'size of the columns':26}", *(f"{size:>22}" for size in sizes))


def draw_times(times, against_pytorch):
    """Draw the CPU times of all layers and ways."""
    fig, ax = plots.figure(width=7.4, height=3.2)
    for row, way in enumerate(WAYS):
        look = {"color": plots.PALETTE[row], "hatch": ["", "//", "..", "xx", ""][row], "edgecolor": "white"}
        heights = [times[layer][row] for layer in LAYERS]
        ax.bar(np.arange(len(LAYERS)) + 0.16 * (row - 2), heights, 0.15, label=way, **look)
    ax.set(yscale="log", ylabel="CPU time in ms", title="One layer, five ways")
    ax.set_xticks(range(len(LAYERS)), [f"{layer}\n{n} images" for layer, (n, *_) in LAYERS.items()])
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    others = (f"{way} {ratio:,.1f} times" for way, ratio in against_pytorch.items() if way != "PyTorch")
    plots.show(
        fig,
        alt="CPU time of three layers on a logarithmic scale. Relative to PyTorch, geometric mean of the layers: "
        f"{'; '.join(others)}.",
    )


# %% experiment seconds=40
def time_five_ways(n, c_in, side, c_out, k, padding, dtype=np.float32):
    """Return the CPU time of one layer in ms, computed in each of the five ways."""
    rng = np.random.default_rng(2)
    shapes = [(n, c_in, side, side), (c_out, c_in, k, k), (c_out,)]
    x, weight, bias = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    ways = [
        lambda: conv2d_naive(x[:1], weight[:1], bias[:1], padding=padding),
        lambda: conv2d_positions(x, weight, bias, padding),
        lambda: conv2d(x, weight, bias, padding=padding),
        lambda: conv2d_views(x, weight, bias, padding),
        lambda: conv2d_torch(x, weight, bias, padding),
    ]
    repeats = [2, 3, *[training.full_or_fast(25, 2)] * 3]
    spent = [timing.cpu_ms(way, repeat) for way, repeat in zip(ways, repeats, strict=True)]
    return np.array([n * c_out * spent[0], *spent[1:]])


with timing.one_thread():
    times = {layer: time_five_ways(*sizes) for layer, sizes in LAYERS.items()}
    times64 = {layer: time_five_ways(*sizes, np.float64) for layer, sizes in LAYERS.items()}
ratios = {layer: spent / spent[-1] for layer, spent in times.items()}
ratios64 = {layer: spent / spent[-1] for layer, spent in times64.items()}
means = np.prod(list(ratios.values()), axis=0) ** (1 / len(LAYERS))
against_pytorch = dict(zip(WAYS, means, strict=True))

print_times(times, ratios)
over_naive = round(min(spent[0] / spent[2] for spent in times.values()))
over_positions = [spent[1] / spent[2] for spent in times.values()]
print(f"\nyour conv2d over a loop over positions: {', '.join(f'{ratio:.1f} ×' for ratio in over_positions)}")
print(f"your conv2d against PyTorch in float64: {', '.join(f'{ratio[2]:.1f} ×' for ratio in ratios64.values())}")
lesson.target(
    "speed-up of your conv2d over your conv2d_naive, smallest of the three layers", over_naive, at_least=10, unit="×"
)
lesson.target("your conv2d against PyTorch, geometric mean", float(means[2]), at_most=3, unit="×")
if means[2] > 3:
    print("More than 3 times: does your im2col loop over the positions instead of the places of the kernel?")
draw_times(times, against_pytorch)

# %% [markdown]
# What makes the difference is not the number of multiplications, which is the same in every row, but the number of
# Python steps: one for each output, one for each position, or $K_h K_w$ for a whole batch. The price stands in the last
# line of the table: the columns hold every pixel as often as windows see it, up to $K_h K_w$ times.
#
# Why is PyTorch further ahead in float32? There, on Intel and AMD processors, it hands the layer to the library oneDNN,
# which works on the image itself. For float64 oneDNN has no convolution, and PyTorch makes columns as you do.
#
# ### What the copying costs
#
# A step of training runs `im2col` twice, once on each way, and `col2im` once; the rest are three matrix products and
# what NumPy does around them (`np.tensordot`, for one, copies the columns once more). Here are the times in float64,
# the precision of Part 7.

# %% experiment seconds=10
STEP = ["im2col", "col2im", "conv2d", "conv2d_backward"]


def time_a_step(n, c_in, side, c_out, k, padding):
    """Return the CPU time in ms of the four functions of STEP for one layer in float64."""
    rng = np.random.default_rng(3)
    x, weight = rng.normal(size=(n, c_in, side, side)), rng.normal(size=(c_out, c_in, k, k))
    cols, y = im2col(x, (k, k), padding=padding), conv2d(x, weight, padding=padding)
    calls = [
        lambda: im2col(x, (k, k), padding=padding),
        lambda: col2im(cols, x.shape, (k, k), padding=padding),
        lambda: conv2d(x, weight, padding=padding),
        lambda: conv2d_backward(y, x, weight, padding=padding),
    ]
    return dict(zip(STEP, (timing.cpu_ms(call, training.full_or_fast(15, 2)) for call in calls), strict=True))


with timing.one_thread():
    steps = {layer: time_a_step(*sizes) for layer, sizes in LAYERS.items()}
copying = {
    layer: 100 * (2 * spent["im2col"] + spent["col2im"]) / (spent["conv2d"] + spent["conv2d_backward"])
    for layer, spent in steps.items()
}
print(f"{'milliseconds, float64':44}", *(f"{layer:>18}" for layer in LAYERS))
contains = ["", "", " (contains im2col)", " (contains im2col and col2im)"]
for name, inside in zip(STEP, contains, strict=True):
    print(f"{name + inside:44}", *(f"{spent[name]:18.1f}" for spent in steps.values()))
print(f"{'% of both ways in im2col and col2im':44}", *(f"{share:18.0f}" for share in copying.values()))

# %% [markdown]
# # Part 6 · Layers that are matrix products anyway
#
# ## {{exercise:conv1x1_as_matmul}}
#
# Lecture C asks what a **1 × 1 convolution** does. Its example has one channel and the kernel `[2]`: every pixel is
# doubled, the last one to $-1 \cdot 2 = -2$. With one channel that is all. With $C_{in}$ channels, the window is
# one pixel with all its channels, so at every pixel the layer is a fully connected layer from $C_{in}$ to $C_{out}$
# numbers, the same for all pixels:
#
# $$y_{nkij} = b_k + \sum_c w_{kc}\; x_{ncij}$$
#
# There is nothing to copy: the pixels, written in a row, are the columns already. Write it as a matrix product and a
# reshape or two, without `im2col`. (No test can see which way you took.)


# %% exercise="conv1x1_as_matmul" difficulty=1 minutes=8 covers="67"
def conv1x1_as_matmul(x, weight, bias=None):
    """Compute a 1 × 1 convolution as a matrix product.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in, 1, 1)
    bias : ndarray, shape (C_out,), or None

    Returns
    -------
    ndarray, shape (N, C_out, H, W)

    Raises
    ------
    ValueError
        If the kernel is not 1 × 1, or where `output_shape` raises one.
    """
    ### BEGIN SOLUTION
    shape = output_shape(x, weight)
    if weight.shape[2:] != (1, 1):
        raise ValueError(f"the kernel must be 1 × 1, not {weight.shape[2]} × {weight.shape[3]}")
    y = weight[:, :, 0, 0] @ x.reshape(len(x), x.shape[1], -1)
    if bias is not None:
        y += bias[:, None]
    return y.reshape(shape)
    ### END SOLUTION


# %% tests="conv1x1_as_matmul" points=1 covers="68"
# Lecture C: the kernel [2] doubles every pixel.
lecture_c = np.array([[-5, 3, 2, -5, 3], [4, 3, 2, 1, -3], [1, 0, 3, 3, 5], [-2, 0, 1, 4, 4], [5, 6, 7, 9, -1]])
doubled = [[-10, 6, 4, -10, 6], [8, 6, 4, 2, -6], [2, 0, 6, 6, 10], [-4, 0, 2, 8, 8], [10, 12, 14, 18, -2]]
check(conv1x1_as_matmul, lecture_c[None, None], np.array([[[[2]]]])).gives([[doubled]])
# Two channels in, two out: the sum of the channels, and their difference. Then with a bias for each.
two_channels = np.array([[[[1, 2]], [[10, 30]]]])
sum_and_difference = np.array([[1, 1], [1, -1]])[:, :, None, None]
check(conv1x1_as_matmul, two_channels, sum_and_difference).gives([[[[11, 32]], [[-9, -28]]]])
check(conv1x1_as_matmul, two_channels, sum_and_difference, np.array([100, 200])).gives([[[[111, 132]], [[191, 172]]]])
# A matrix that is not symmetric, on two images; then a 3 × 3 kernel, and one channel too few.
first_and_swapped = np.array([[0, 1], [2, 0]])[:, :, None, None]
two_images = np.arange(1, 9).reshape(2, 2, 1, 2)
check(conv1x1_as_matmul, two_images, first_and_swapped).gives([[[[3, 4]], [[2, 4]]], [[[7, 8]], [[10, 12]]]])
check(conv1x1_as_matmul, np.ones((1, 2, 5, 5)), np.ones((4, 2, 3, 3))).raises(ValueError)
check(conv1x1_as_matmul, np.ones((1, 2, 5, 5)), np.ones((4, 1, 1, 1))).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv1x1_as_matmul, np.ones((2, 5, 5)), np.ones((4, 2, 1, 1))).raises(ValueError)
rng = np.random.default_rng(74)
for n, c_in, height, width, c_out in [(2, 3, 4, 5, 6), (1, 1, 3, 2, 4), (3, 5, 1, 1, 2), (2, 4, 6, 1, 1)]:
    x, weight, bias = (
        rng.normal(size=(n, c_in, height, width)),
        rng.normal(size=(c_out, c_in, 1, 1)),
        rng.normal(size=c_out),
    )
    check(conv1x1_as_matmul, x, weight, bias).gives(torch_conv2d(x, weight, bias))
    check(conv1x1_as_matmul, x, weight).gives(torch_conv2d(x, weight))
x, weight = x.astype(np.float32), weight.astype(np.float32)
check(conv1x1_as_matmul, x, weight).gives(torch_conv2d(x, weight), rtol=1e-5, atol=1e-5, dtype=np.float32)
### END HIDDEN TESTS

# %% [markdown] covers="67"
# ## {{exercise:linear_to_conv}}
#
# The other way round, every fully connected layer is a convolution. Take a layer with a matrix of shape
# $(M, C \cdot H \cdot W)$ that reads the $C$ maps of $H \times W$ pixels, flattened. A convolution with $M$ filters
# that are as large as the whole maps has one window, and computes the same $M$ numbers as maps of 1 × 1. The fully
# connected layers after it are then 1 × 1 convolutions.
#
# Lecture D shows TensorFlow's official AlexNet, which is written like this: "Use conv2d instead of fully_connected
# layers". Its `fc6` is a 5 × 5 convolution to 4096 maps without padding (`VALID`), then comes dropout, and `fc7` is a
# 1 × 1 convolution. (The weights begin as normal numbers of standard deviation 0.005, none beyond two of them, the
# biases at 0.1.) What is gained? A fully connected layer takes one size of image. A convolution also takes a larger
# one, and then answers at every position of it. You will see this at the end.
#
# Flattening is `reshape(N, -1)`: channel by channel, each in reading order.


# %% exercise="linear_to_conv" difficulty=1 minutes=6 covers="67"
def linear_to_conv(weight, channels, height, width):
    """Write the matrix of a fully connected layer as the filters of a convolution.

    Parameters
    ----------
    weight : ndarray, shape (M, channels·height·width)
        The layer computes ``x.reshape(N, -1) @ weight.T`` for x of shape (N, channels, height, width).
    channels, height, width : int
        Size of the maps that it reads.

    Returns
    -------
    ndarray, shape (M, channels, height, width)

    Raises
    ------
    ValueError
        If weight is no matrix, or has not channels·height·width columns.
    """
    ### BEGIN SOLUTION
    if weight.ndim != 2 or weight.shape[1] != channels * height * width:
        raise ValueError(f"weight must have shape (M, {channels * height * width}), not {weight.shape}")
    return weight.reshape(len(weight), channels, height, width)
    ### END SOLUTION


# %% tests="linear_to_conv" points=1
def fully_connected_by_convolution(x, weight):
    """Convolve x with linear_to_conv(weight, C, H, W) in PyTorch; the maps of 1 × 1 as (N, M)."""
    return torch_conv2d(x, np.asarray(linear_to_conv(weight, *x.shape[1:])))[:, :, 0, 0]


# Two units that read three channels of 2 × 1: their weights are numbered. Then what they compute, for H ≠ W.
numbered = np.arange(1.0, 13.0).reshape(2, 6)
check(linear_to_conv, numbered, 3, 2, 1).gives(
    np.array([[[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]], [[[7.0], [8.0]], [[9.0], [10.0]], [[11.0], [12.0]]]])
)
rng = np.random.default_rng(75)
x, weight = rng.normal(size=(4, 2, 2, 3)), rng.normal(size=(5, 12))
check(fully_connected_by_convolution, x, weight).gives(x.reshape(4, -1) @ weight.T)
# Two units that read 6 numbers are not four units that read 1 × 1 × 3.
check(linear_to_conv, numbered, 1, 1, 3).raises(ValueError)
### BEGIN HIDDEN TESTS
check(linear_to_conv, weight, 2, 2, 2).raises(ValueError)
check(linear_to_conv, weight[0], 2, 2, 3).raises(ValueError)
# 24 numbers in all would fit into (M, 3, 2, 2), were M free: the columns decide.
check(linear_to_conv, np.ones((4, 6)), 3, 2, 2).raises(ValueError)
for n, channels, height, width, units in [(2, 3, 4, 2, 1), (1, 1, 1, 5, 3), (3, 4, 1, 1, 2)]:
    x, weight = rng.normal(size=(n, channels, height, width)), rng.normal(size=(units, channels * height * width))
    check(fully_connected_by_convolution, x, weight).gives(x.reshape(n, -1) @ weight.T)
### END HIDDEN TESTS

# %% [markdown] covers="70"
# # Part 7 · Your layers learn to read
#
# A ConvNet is convolutions with activations between them, stacked (lectures C and D). Here is LeNet-5 in its modern
# form with the average pooling of 1998, and **all five layers with weights are yours**: three of them fully
# connected in the books, convolutions here.
#
# | layer | filters | output |
# | --- | --- | --- |
# | C1, ReLU, mean over 2 × 2 | 6 of 1 × 5 × 5, padding 2 | 6 × 14 × 14 |
# | C3, ReLU, mean over 2 × 2 | 16 of 6 × 5 × 5 | 16 × 5 × 5 |
# | C5, ReLU | 120 of 16 × 5 × 5, a matrix through `linear_to_conv` | 120 × 1 × 1 |
# | F6, ReLU | 84 of 120 × 1 × 1, by `conv1x1_as_matmul` | 84 × 1 × 1 |
# | output | 10 of 84 × 1 × 1, by `conv1x1_as_matmul` | 10 × 1 × 1 |
#
# The way back of each is your `conv2d_backward`. Softmax and cross-entropy are those of module 01, momentum that of
# module 04, and pooling is the subject of module 07. Both nets are fed the same digits in the same order from the same
# weights. Were one of your gradients wrong anywhere, the losses would part within a few steps.


# %% experiment seconds=5
SHAPES = {"C1": (6, 1, 5, 5), "C3": (16, 6, 5, 5), "C5": (120, 400), "F6": (84, 120), "output": (10, 84)}
PADDING = {"C1": 2}


def lenet_parameters(seed, dtype):
    """Draw He-initialised weights (module 03); the fully connected ones as matrices."""
    rng = np.random.default_rng(seed)
    parameters = {}
    for layer, shape in SHAPES.items():
        scale = np.sqrt(2 / np.prod(shape[1:]))
        parameters[layer] = ((scale * rng.normal(size=shape)).astype(dtype), np.zeros(shape[0], dtype))
    return parameters


def as_convolutions(parameters):
    """Turn the three matrices into filters with the learner's function."""
    maps = {"C5": (16, 5, 5), "F6": (120, 1, 1), "output": (84, 1, 1)}
    return {
        layer: (linear_to_conv(weight, *maps[layer]) if layer in maps else weight, bias)
        for layer, (weight, bias) in parameters.items()
    }


def mean_pool(x):
    """Halve height and width: the mean of each 2 × 2 square."""
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def mean_pool_backward(grad_output):
    """Give each of the four pixels a quarter of the gradient."""
    return grad_output.repeat(2, axis=2).repeat(2, axis=3) / 4


def lenet_forward(parameters, x):
    """Return the scores, (N, 10, H', W'), and for each layer its input and what it gave before the activation."""
    cache = {}
    for layer, (weight, bias) in parameters.items():
        if weight.shape[2:] == (1, 1):
            z = conv1x1_as_matmul(x, weight, bias)
        else:
            z = conv2d(x, weight, bias, padding=PADDING.get(layer, 0))
        cache[layer] = (x, z)
        x = z if layer == "output" else np.maximum(z, 0)
        if layer in ("C1", "C3"):
            x = mean_pool(x)
    return x, cache


def lenet_backward(parameters, cache, grad):
    """Return the gradients of all weights and biases; grad is that of the scores."""
    gradients = {}
    for layer, (weight, _) in reversed(parameters.items()):
        x, z = cache[layer]
        if layer in ("C1", "C3"):
            grad = mean_pool_backward(grad)
        if layer != "output":
            grad = grad * (z > 0)
        grad, *gradients[layer] = conv2d_backward(grad, x, weight, padding=PADDING.get(layer, 0))
    return gradients


def cross_entropy(scores, labels):
    """Return the mean loss of scores (N, 10, 1, 1) and its gradient."""
    n = np.arange(len(labels))
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probability = powers / powers.sum(axis=1, keepdims=True)
    loss = -np.log(probability[n, labels, 0, 0]).mean()
    probability[n, labels, 0, 0] -= 1
    return float(loss), probability / len(labels)


def batches(seed, images, epochs, size=64):
    """Yield the numbers of the images of each batch, in a new order each epoch."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(images))
        yield from (order[i : i + size] for i in range(0, len(images) - size + 1, size))


digits = data.digits(*training.full_or_fast((8000, 2000), (640, 200)))
test_images = digits.x_test.astype(np.float64)
LR, MOMENTUM = 0.02, 0.9


def numpy_lenet(seed, images, labels, epochs, dtype):
    """Train the learner's net; return its parameters and the loss of every batch."""
    parameters = as_convolutions(lenet_parameters(seed, dtype))
    velocity = {layer: [np.zeros_like(value) for value in pair] for layer, pair in parameters.items()}
    losses = []
    for batch in training.progress(list(batches(seed, images, epochs)), "batch"):
        scores, cache = lenet_forward(parameters, images[batch])
        loss, grad = cross_entropy(scores, labels[batch])
        for layer, gradients in lenet_backward(parameters, cache, grad).items():
            velocity[layer] = [MOMENTUM * v - LR * g for v, g in zip(velocity[layer], gradients, strict=True)]
            parameters[layer] = tuple(p + v for p, v in zip(parameters[layer], velocity[layer], strict=True))
        losses.append(loss)
    return parameters, losses


def torch_lenet(seed, images, labels, epochs, dtype):
    """Train PyTorch's net from the same weights; return a function that gives its scores and the losses."""
    F = torch.nn.functional
    net = {
        layer: [torch.tensor(value, requires_grad=True) for value in pair]
        for layer, pair in lenet_parameters(seed, dtype).items()
    }

    def forward(x):
        x = F.avg_pool2d(F.relu(F.conv2d(x, *net["C1"], padding=2)), 2)
        x = F.avg_pool2d(F.relu(F.conv2d(x, *net["C3"])), 2)
        x = F.relu(F.linear(x.flatten(1), *net["C5"]))
        return F.linear(F.relu(F.linear(x, *net["F6"])), *net["output"])

    optimizer = torch.optim.SGD([tensor for pair in net.values() for tensor in pair], lr=LR, momentum=MOMENTUM)
    losses = []
    for batch in training.progress(list(batches(seed, images, epochs)), "batch"):
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(torch.from_numpy(images[batch])), torch.from_numpy(labels[batch]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return forward, losses


# %% experiment seconds=2 folded=true
def draw_losses(losses, apart):
    """Draw the losses of both nets, one on top of the other."""
    fig, ax = plots.figure(width=7.4, height=3.0)
    ax.plot(losses[0], color=plots.PALETTE[4], linewidth=4, linestyle="-", label="your NumPy LeNet")
    ax.plot(losses[1], color=plots.PALETTE[6], linewidth=0.9, linestyle="--", label="PyTorch's LeNet")
    ax.set(xlabel="batch of 64 digits", ylabel="loss of the batch", ylim=(0, None))
    ax.set_title(f"Same start, same digits: the losses differ by at most {apart:.0e}")
    ax.legend()
    plots.show(
        fig,
        alt=f"The loss of every batch for both nets: from {losses[0][0]:.2f} down to about "
        f"{np.median(losses[0][-20:]):.2f}. The two curves lie on top of each other; they differ by at most "
        f"{apart:.0e}.",
    )


# %% experiment seconds=60
def race(seed, images, labels, epochs, dtype):
    """Train both nets; return the learner's, the scores function of PyTorch's, both losses, both CPU times in s."""
    images = images.astype(dtype)
    start = time.process_time()
    parameters, numpy_losses = numpy_lenet(seed, images, labels, epochs, dtype)
    middle = time.process_time()
    torch_scores, torch_losses = torch_lenet(seed, images, labels, epochs, dtype)
    seconds = middle - start, time.process_time() - middle
    return parameters, torch_scores, np.array([numpy_losses, torch_losses]), seconds


epochs = training.full_or_fast(3, 1)
with timing.one_thread():
    # One batch for each, so that neither is charged for what a library prepares when it is first used.
    race(0, digits.x_train[:64], digits.y_train[:64], 1, np.float64)
    lenet, torch_scores, losses, seconds = race(0, digits.x_train, digits.y_train, epochs, np.float64)
    *_, seconds32 = race(0, digits.x_train, digits.y_train, 1, np.float32)
    predicted = lenet_forward(lenet, test_images)[0][:, :, 0, 0].argmax(axis=1)
    with torch.no_grad():
        torch_predicted = torch_scores(torch.from_numpy(test_images)).argmax(dim=1).numpy()

apart = float(np.abs(losses[0] - losses[1]).max())
accuracy = 100 * float((predicted == digits.y_test).mean())
torch_accuracy = 100 * float((torch_predicted == digits.y_test).mean())
same_answers = int((predicted == torch_predicted).sum())
slower, slower32 = seconds[0] / seconds[1], seconds32[0] / seconds32[1]
print(f"{'':10}{'CPU s, float64':>16}{'CPU s, float32, 1 epoch':>26}{'digits right':>16}")
print(f"{'yours':10}{seconds[0]:16.1f}{seconds32[0]:26.1f}{accuracy:14.2f} %")
print(f"{'PyTorch':10}{seconds[1]:16.1f}{seconds32[1]:26.1f}{torch_accuracy:14.2f} %")
print(f"{'ratio':10}{slower:16.2f}{slower32:26.2f}")
print(f"\nBoth nets give the same answer to {same_answers:,} of {len(predicted):,} digits.")
lesson.target("test digits read by your NumPy LeNet", accuracy, at_least=93, unit="%")
lesson.target("largest difference of the two nets' losses, all batches", apart, at_most=1e-9)
lesson.target("CPU time of your LeNet's training", seconds[0], at_most=60, unit="s")
lesson.target("your LeNet's CPU time over PyTorch's, float64", slower, at_most=3, unit="×")

draw_losses(losses, apart)
lesson.reveal(
    "numpy_against_pytorch",
    answer=int(np.searchsorted([3, 30, 300], slower)),
    because=f"NumPy needed {seconds[0]:.1f} s and PyTorch {seconds[1]:.1f} s: {slower:.1f} times as long in float64, "
    f"and {slower32:.1f} times in float32. No loop over positions is left. In Part 5 copying columns there and back, "
    f"in im2col and col2im, took {copying['LeNet, first']:.0f} and {copying['LeNet, second']:.0f} % of the time of "
    "LeNet's two convolutions.",
)

# %% [markdown] covers="70"
# ### From edges to classes
#
# Zeiler and Fergus's picture in lectures C and D names the layers of a ConvNet low-level, mid-level and high-level
# features, and at their end a *linearly separable classifier*. Linearly separable can be measured: give the numbers
# behind each layer to a linear classifier, here least squares with a small penalty, and count how many unseen digits it
# gets right. The same net before training is the control: what do five layers of random weights give?


# %% experiment seconds=2 folded=true
def draw_first_layer(parameters, image):
    """Draw the filters of C1 and what each makes of a digit."""
    filters, (_, maps) = parameters["C1"][0][:, 0], lenet_forward(parameters, image)[1]["C1"]
    fig, axes = plots.figure(2, 7, width=9.0, height=2.9)
    for ax in axes.flat:
        ax.axis("off")
    for column, picture in enumerate([image[0, 0], *np.maximum(maps[0], 0)]):
        axes[1, column].imshow(picture, cmap="gray")
        axes[1, column].set_title("digit" if column == 0 else f"map {column}", loc="center", fontsize=9)
    limit = np.abs(filters).max()
    for column, kernel in enumerate(filters, start=1):
        axes[0, column].imshow(kernel, cmap="PuOr_r", vmin=-limit, vmax=limit)
        axes[0, column].set_title(f"filter {column}", loc="center", fontsize=9)
    plots.show(
        fig,
        alt="Above, the six 5 × 5 filters that your first layer learned, orange positive and violet negative. Below, a "
        "test digit and its six maps after the ReLU: each map keeps other strokes and edges of it.",
    )


# %% experiment seconds=20 covers="70"
def linear_probe(features, labels, test_features, test_labels):
    """Fit a linear classifier by least squares on one-hot labels; return its accuracy in percent."""
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    a, b = ((np.c_[(f - mean) / scale, np.ones(len(f))]) for f in (features, test_features))
    penalty = 0.1 * len(a) * np.eye(a.shape[1])
    solution = np.linalg.solve(a.T @ a + penalty, a.T @ np.eye(10)[labels])
    return 100 * float(((b @ solution).argmax(axis=1) == test_labels).mean())


def stages(parameters, images):
    """Return the numbers behind each stage of the net, one row an image."""
    _, cache = lenet_forward(parameters, images)
    inputs = {"pixels": "C1", "C1": "C3", "C3": "C5", "C5": "F6", "F6": "output"}
    return {stage: cache[layer][0].reshape(len(images), -1) for stage, layer in inputs.items()}


def separability(parameters):
    """Return the accuracy in percent of a linear classifier behind each stage of the net."""
    train_stages, test_stages = stages(parameters, probe_images), stages(parameters, test_images)
    return {
        stage: linear_probe(train_stages[stage], digits.y_train[:few], test_stages[stage], digits.y_test)
        for stage in train_stages
    }


few = training.full_or_fast(2000, 300)
probe_images = digits.x_train[:few].astype(np.float64)
with timing.one_thread():
    separable = {"untrained": separability(as_convolutions(lenet_parameters(0, np.float64)))}
    separable["trained"] = separability(lenet)
widths = {stage: values.shape[1] for stage, values in stages(lenet, probe_images[:1]).items()}
print(f"Linear classifier on {few:,} digits: % of {len(digits.y_test):,} unseen digits right, by the layer it reads")
print(f"{'':12}", *(f"{stage:>9}" for stage in widths))
print(f"{'numbers':12}", *(f"{width:9,}" for width in widths.values()))
for name, row in separable.items():
    print(f"{name:12}", *(f"{value:9.1f}" for value in row.values()))

draw_first_layer(lenet, test_images[:1])

# %% [markdown]
# **How to read this.** Behind the convolutions the digits are easier to separate than as pixels, and this holds for
# random filters too: windows, ReLU and pooling do much of it before anything is learned. What training adds stands at
# the end. Layers of random weights lose on the way from C3 to F6 most of what the convolutions had won; the trained
# ones keep it, in 84 numbers.
#
# ### One net, a longer picture
#
# The net was trained on 28 × 28 pixels. Nothing in a convolution knows this number, and your net consists of
# convolutions only. So hand it a strip of eight digits, 28 × 224 pixels. The first layer's maps become longer, and
# so do all others; C5's 5 × 5 windows now have 50 positions side by side, and the net answers at each: every 4 pixels,
# because each of the two poolings halves the width. Every seventh answer belongs to one whole digit, and it must be
# the answer that the net gives for the digit alone. There is one condition: alone, C1 pads a digit with 2 zeros on
# each side, and in the strip the neighbour's pixels stand there. So the cell takes digits that end at least 2 pixels
# before their left and right side.
#
# In the picture the circles mark the true classes: a circle on a dark field is a digit read right, one on white a digit
# read wrongly.


# %% experiment seconds=2 folded=true
def draw_strip(strip, scores, labels, answers):
    """Draw the strip and, below it, the probabilities of the ten classes at every position."""
    probability = np.exp(scores - scores.max(axis=0))
    probability /= probability.sum(axis=0)
    fig, (above, below) = plots.figure(2, 1, width=9.0, height=3.3, height_ratios=[1, 1.3])
    above.imshow(strip[0, 0], cmap="gray_r", aspect="auto", extent=(0, strip.shape[3], 28, 0))
    above.axis("off")
    above.set_title("A strip of eight test digits, and what the net says at every position")
    below.imshow(probability, cmap="Blues", aspect="auto", extent=(12, 12 + 4 * scores.shape[1], 9.5, -0.5))
    below.set(xlim=(0, strip.shape[3]), yticks=range(10), ylabel="class", xlabel="pixel at the middle of the window")
    below.set_title("Blue: the probability of each class. Circles: the true classes", fontsize=10)
    below.grid(visible=False)
    for place, label in enumerate(labels):
        below.plot(14 + 28 * place, label, marker="o", markersize=9, markerfacecolor="none", color=plots.PALETTE[1])
    plots.show(
        fig,
        alt="A strip of eight handwritten digits and, below, the net's probability for each class at every fourth "
        f"pixel. Circles mark the true class in the middle of each digit: {', '.join(map(str, labels))}; the net says "
        f"{', '.join(map(str, answers))}. Between the digits the answers change.",
    )


# %% experiment seconds=10
untrained = as_convolutions(lenet_parameters(0, np.float64))
for width in (28, 224):
    print(f"28 × {width} pixels: scores of shape {lenet_forward(untrained, np.zeros((1, 1, 28, width)))[0].shape}")

framed = (test_images[..., [0, 1, -2, -1]] == 0).all(axis=(1, 2, 3))
strip_digits, strip_labels = test_images[framed][:8], digits.y_test[framed][:8]
strip = np.concatenate(list(strip_digits), axis=2)[None]
scores = lenet_forward(lenet, strip)[0][0, :, 0]
alone = lenet_forward(lenet, strip_digits)[0][:, :, 0, 0]
answers = alone.argmax(axis=1)
strip_apart = float(np.abs(scores[:, ::7].T - alone).max())
with timing.one_thread():
    crops = np.concatenate([strip[:, :, :, left : left + 28] for left in range(0, strip.shape[3] - 27, 4)])
    once = timing.cpu_ms(lambda: lenet_forward(lenet, strip), 5)
    by_crops = timing.cpu_ms(lambda: lenet_forward(lenet, crops), 5)
print(f"left out: {(~framed).sum()} of {len(framed):,} test digits, with ink within 2 pixels of the left or right side")
print(f"the digits {strip_labels} are read as {answers}: {(answers == strip_labels).sum()} of 8 right")
print(f"at the eight digits the scores differ from the single answers by at most {strip_apart:.1e}")
print(f"one pass over the strip {once:.1f} ms; {len(crops)} single 28 × 28 pictures {by_crops:.1f} ms")
lesson.target("strip against single digits, largest difference of scores", strip_apart, at_most=1e-9)

draw_strip(strip, scores, strip_labels, answers)

# %% [markdown]
# ### What became of the claims

# %% experiment seconds=5 folded=true
lecture_b = conv2d(np.zeros((1, 3, 5, 5)), np.zeros((2, 3, 3, 3)), stride=2, padding=1).shape[1:]
lecture_c = conv1x1_as_matmul(np.array([[[[-1]]]]), np.array([[[[2]]]])).item()
first, last = separable["trained"]["pixels"], separable["trained"]["F6"]
control = separable["untrained"]["F6"]
best_stage, best_control = max(separable["untrained"].items(), key=lambda pair: pair[1])


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


plots.claims(
    [
        plots.Claim(
            "5 × 5 × 3, two 3 × 3 filters, padding 1, stride 2: 3 × 3 × 2 (B)",
            f"(C, H, W) = {lecture_b}",
            "your conv2d; weights 2 × 3 × 3 × 3, bias 2",
            "holds" if lecture_b == (2, 3, 3) else "does not hold",
        ),
        plots.Claim(
            "1 × 1 kernel [2]: −1 · 2 = −2 (C)",
            f"{lecture_c}".replace("-", "−"),
            "your conv1x1_as_matmul; the other 24 entries are checked in its tests",
            "holds" if lecture_c == -2 else "does not hold",
        ),
        plots.Claim(
            "∂L/∂x₁₁ has one term, ∂L/∂x₁₂ two (B)",
            f"{len(terms[0, 0])} and {len(terms[0, 1])}; all sixteen together "
            f"{sum(len(found) for found in terms.values())}, relative error {sixteen_error:.0e}",
            "3 × 3 kernel on 4 × 4, read off your function, central differences",
            "holds",
        ),
        plots.Claim(
            "the gradient of a convolution is a convolution again (B, upconvolution)",
            f"relative error {as_convolution:.0e}",
            "stride 1: kernels turned by 180°, channels exchanged; at other strides the gradients must first be spread",
            "holds",
        ),
        plots.Claim(
            "(course) columns make NumPy as fast as PyTorch",
            f"one layer: {', '.join(f'{ratio[2]:.1f} ×' for ratio in ratios.values())} in float32, "
            f"{', '.join(f'{ratio[2]:.1f} ×' for ratio in ratios64.values())} in float64; "
            f"training LeNet: {slower32:.1f} × and {slower:.1f} ×",
            "PyTorch = 1, one thread, CPU time; the layers forwards only",
            judged(
                "holds" if max(slower, slower32) <= 1.2 else "partly" if max(slower, slower32) <= 3 else "does not hold"
            ),
        ),
        plots.Claim(
            "(course) columns are at least 10 times faster than loops over positions",
            f"against your loops over every output at least {over_naive:,.0f} ×; against a loop over positions alone "
            f"{min(over_positions):.1f} to {max(over_positions):.1f} ×",
            "three layers, one thread, float32",
            judged("holds" if min(over_positions) >= 10 else "partly" if over_naive >= 10 else "does not hold"),
        ),
        plots.Claim(
            "1 × 1 convolution can be used for implementing a fully connected layer (D)",
            f"your LeNet has no other layers; it and PyTorch's, with fully connected ones, differ by {apart:.0e} in "
            "the losses",
            f"{len(losses[0])} batches, float64, same start",
            judged("holds" if apart < 1e-9 else "does not hold"),
        ),
        plots.Claim(
            "low-, mid-, high-level features, then a linearly separable classifier (C, D)",
            f"linear classifier on pixels {first:.1f} %, on F6 {last:.1f} %; on F6 of the untrained net {control:.1f} "
            f"%, but on its {best_stage} {best_control:.1f} %",
            f"least squares on {few:,} digits; one start; that features are edges, parts and objects was not measured",
            judged(
                "holds" if last > best_control + 1 else "partly" if last > max(first, control) + 1 else "does not hold"
            ),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person. Use figures from this notebook for the first.
#
# **What the columns cost (2 points).** (a) By what factor is `cols` larger than `x` for a 3 × 3 kernel at stride 1 with
# padding 1, and why is it smaller for LeNet's second layer than $K_h K_w = 25$? (b) The columns hold more numbers and
# copying them takes time. Why is `conv2d` still faster than both loops? (c) `conv2d_backward` computes the columns a
# second time. Say what keeping them from the way forward would gain and what it would cost, with the figures of Part 5.
# (d) For which kernel is there nothing to copy, and why?

# %% [markdown] answer="cost_of_columns" points=2
# ### BEGIN SOLUTION
# (a) 9 times: every pixel is copied once for each of the nine places of the kernel. LeNet's second layer has no
# padding: only 10 × 10 of 14 × 14 positions have a window, so the factor is 25 · 100/196 = 12.8, as in the table.
#
# (b) The multiplications are the same in all ways. The loops pay for Python steps, one for each output or position, and
# each step multiplies little. With columns there are $K_h K_w$ copies of large pieces and one matrix product an image,
# which uses the processor's vector units and caches well.
#
# (c) It saves one `im2col` a step: the first row of the table in "What the copying costs", to be compared with its
# last but one, the way back. It costs memory: the columns of all layers must be kept until the way back, in the place
# of inputs that are up to $K_h K_w$ times smaller (the last line of the first table). Worth it for small batches, not
# where memory limits the batch.
#
# (d) The 1 × 1 kernel at stride 1: each window is one pixel, so `x.reshape(N, C, H·W)` is `cols` already.
#
# **Rubric:** 0.5 for each part. (a) factor 9 and the missing positions; (b) Python steps against one large product,
# with the equal number of multiplications; (c) both time and memory, each with a figure; (d) 1 × 1 with its reason.
# ### END SOLUTION

# %% [markdown]
# **Why activations? (1 point)** A colleague stacks two 3 × 3 convolutions at stride 1, each from one channel to one
# channel, without padding and bias, and leaves out the ReLU between them. Which single layer computes the same, how
# large is its kernel, and how many free numbers has it? How many of them can the two layers set independently, at most?
# What does the ReLU change?

# %% [markdown] answer="why_activations" points=1
# ### BEGIN SOLUTION
# A convolution is linear, and two linear maps one after the other are linear: each output is a sum over a 5 × 5
# field, so one 5 × 5 convolution does the same; its kernel is the full convolution of the two 3 × 3 kernels. It has 25
# free numbers, the two layers have 18 weights: they reach only those kernels that are products of this kind. At most 17
# can be set independently, because one scale is shared: twice the first kernel and half the second give the same
# product. The ReLU between them makes the whole no longer linear: the two layers then compute functions that no
# single convolution computes, which is what makes depth worth something.
#
# **Rubric:** 0.5 for the single 5 × 5 layer with its reason (linear after linear); 0.5 for at most 18 (or 17) of 25
# free numbers *or* for saying clearly that ReLU breaks the linearity so that stacking adds something.
# ### END SOLUTION

# %% [markdown]
# # Optional
#
# ## {{exercise:conv2d_groups}}
#
# *No points; for those who want the whole signature of `torch.nn.functional.conv2d`.* AlexNet had to fit on two
# GPUs, so some of its layers were split into two **groups**: half of the filters sees only the first half of the
# channels, the other half only the second. With $g$ groups, filter number $k$ belongs to group $\lfloor
# k\,g/C_{out} \rfloor$ and sees $C_{in}/g$ channels, so `weight` has the shape $(C_{out}, C_{in}/g, K_h, K_w)$: $g$
# times fewer weights and multiplications. With $g = C_{in}$ each channel is filtered by itself, which is called
# *depthwise*, and small modern networks are built of that and 1 × 1 convolutions.


# %% exercise="conv2d_groups" difficulty=2 minutes=12
def conv2d_groups(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Compute a convolutional layer whose channels and filters are split into groups.

    Parameters
    ----------
    x : ndarray, shape (N, C_in, H, W)
    weight : ndarray, shape (C_out, C_in / groups, K_h, K_w)
    bias : ndarray, shape (C_out,), or None
    stride, padding, dilation : int
    groups : int, at least 1
        Divides C_in and C_out. Group number m has the m-th part of the channels and of the filters, in order.

    Returns
    -------
    ndarray, shape (N, C_out, H', W')

    Raises
    ------
    ValueError
        If groups is less than 1, does not divide C_in and C_out, or where `output_shape` raises one for a group.
    """
    ### BEGIN SOLUTION
    c_out, c_in = len(weight), x.shape[1]
    if groups < 1 or c_in % groups or c_out % groups:
        raise ValueError(f"groups must divide {c_in} channels and {c_out} filters, and {groups} does not")
    maps = []
    for m in range(groups):
        channels = slice(m * c_in // groups, (m + 1) * c_in // groups)
        filters = slice(m * c_out // groups, (m + 1) * c_out // groups)
        group_bias = None if bias is None else bias[filters]
        maps.append(conv2d(x[:, channels], weight[filters], group_bias, stride, padding, dilation))
    return np.concatenate(maps, axis=1)
    ### END SOLUTION


# %% tests="conv2d_groups" points=0
# Depthwise, three channels of one pixel each times 1, 10 and 100; then two groups of two channels, four filters.
three_pixels = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
check(conv2d_groups, three_pixels, np.array([1.0, 10.0, 100.0]).reshape(3, 1, 1, 1), groups=3).gives(
    np.array([1.0, 20.0, 300.0]).reshape(1, 3, 1, 1)
)
rng = np.random.default_rng(76)
x, weight, bias = rng.normal(size=(2, 4, 2, 3)), rng.normal(size=(4, 2, 2, 2)), rng.normal(size=4)
options = {"stride": 2, "padding": 1, "groups": 2}
check(conv2d_groups, x, weight, bias, **options).gives(torch_conv2d(x, weight, bias, **options))
check(conv2d_groups, x, weight, groups=2).gives(torch_conv2d(x, weight, groups=2))
# Four channels cannot be split into three groups, and nothing into none.
check(conv2d_groups, x, np.ones((3, 1, 2, 2)), groups=3).raises(ValueError)
check(conv2d_groups, x, weight, groups=0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv2d_groups, x, np.ones((3, 2, 2, 2)), groups=2).raises(ValueError)
check(conv2d_groups, x, np.ones((4, 4, 2, 2)), groups=2).raises(ValueError)
check(conv2d_groups, x, np.ones((3, 4, 2, 2))).gives(torch_conv2d(x, np.ones((3, 4, 2, 2))))
for c_in, c_out, groups, dilation in [(6, 3, 3, 2), (4, 8, 4, 1), (6, 4, 2, 2)]:
    x, weight = rng.normal(size=(1, c_in, 7, 5)), rng.normal(size=(c_out, c_in // groups, 3, 3))
    options = {"dilation": dilation, "groups": groups}
    check(conv2d_groups, x, weight, **options).gives(torch_conv2d(x, weight, **options))
### END HIDDEN TESTS

# %% [markdown]
# # Recap
#
# 1. A convolutional layer is one matrix product, $W\,\text{cols} + b$, once every window is a column.
# 2. Its way back is that of a fully connected layer, followed by `col2im`, which adds up what a pixel's copies receive;
#    at stride 1 this is again a convolution, with the kernel turned by 180°.
# 3. Fully connected layers are convolutions whose window is the whole map, 1 × 1 convolutions are fully connected
#    layers at every pixel; a net of convolutions only takes pictures of any larger size.
#
# **Can you explain …**
#
# - why $\partial L/\partial x_{11}$ has one term and $\partial L/\partial x_{22}$ four?
# - why `col2im` adds where `im2col` copies, and why it is not its inverse?
# - what the gradient of a pixel is that no window sees, and when there are such pixels?
# - why the gradient of the weights is summed over images *and* positions?
# - why five layers as matrix products stay within 3 times PyTorch's time, while a loop over every output takes
#   hundreds or thousands of times as long?
#
# **Three readings**
#
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285: chapter 4, where the
#   convolution is written as a matrix and the way back as its transpose.
# - S. Chetlur et al., *cuDNN: Efficient primitives for deep learning*, arXiv:1410.0759: how to keep the
#   matrix product without storing the columns.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-based learning applied to document recognition*,
#   Proceedings of the IEEE 86 (1998): section VII is about nets that read a longer picture by replication, as yours
#   did.
#
# Next: 07 Pooling and receptive fields, the layer between the layers.
