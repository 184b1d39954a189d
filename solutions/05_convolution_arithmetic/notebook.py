# %% [markdown]
# # 05 Convolution arithmetic
#
# ![An 18 × 18 drawing holds a small triangle and a small square. A 7 × 7 triangle filter slides over it.
# The map of sums has its largest value, 18, where the triangle stands and no more than 7 at the square.
# After the activation only positive sums are left, the maximum 18 is above the threshold 14: triangle
# found.](pictures/triangle.png)
#
# *Lay a small filter on the image, multiply pixel by pixel, take the sum, write it down, move on. The
# triangle answers with 18, the square with 7; a threshold of 14 tells them apart. (The images of Part 2 hold
# other shapes and stray dots as well, so its figures differ: 17.4, and 7.3 without the triangle.)*
#
# A convolutional layer is a small filter laid on every position of an image. At each position it
# multiplies, sums and writes down one number. That is the whole operation. What a network costs, and
# whether it can be built at all, follows from counting: how many positions there are, how many weights, how
# many multiplications. This notebook counts.
#
# {{card:105}}
#
# **Afterwards you can**
#
# - say for every kernel, stride, padding and dilation how large the output is, and when there is none;
# - slide a kernel over an image in code, and check a slide that did it by hand;
# - tell cross-correlation, which networks compute, from convolution, after which they are named;
# - count the weights and the multiplications of a layer, and say where a network spends each.
#
# **You need** NumPy slicing, and the neuron of [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb):
# a weighted sum and an activation.
#
# **From the lectures** D (convolutional layer, practice examples, spatial dimensions), B (the 200 × 200
# image, strides and padding), C (image kernels), A (the triangle, the first LeNet). Two of their slides are
# wrong; you will find both.

# %% setup
import numpy as np
import torch

from convnets import data, plots, training
from convnets.checks import open_lesson

lesson = open_lesson("05_convolution_arithmetic")
check, hint = lesson.check, lesson.hint

# %% [markdown]
# ## Before you begin: a prediction
#
# An image of 200 × 200 pixels feeds 400,000 hidden units. Connect every unit with every pixel, and the
# layer has 16 billion weights and makes 16 billion multiplications. Now let each unit see a field of only
# 10 × 10 pixels, arrange the units in 10 maps of 200 × 200, and let all units of a map share one filter.
# Choose before you read on; the headline experiment settles it.

# %% experiment seconds=5
lesson.predict(
    "what_sharing_saves",
    "From fully connected to 10 shared filters of 10 × 10: what becomes smaller, and by how much?",
    [
        "Weights and multiplications both become 400 times fewer",
        "Weights and multiplications both become 16 million times fewer",
        "Weights become 16 million times fewer, multiplications 400 times",
        "Weights become 400 times fewer, multiplications 16 million times",
    ],
)

# %% [markdown]
# # Part 1 · How many windows fit?
#
# Four numbers say how a kernel moves along one side of an image. Height and width are treated alike, so one
# side is enough. Names differ between sources; this course uses PyTorch's.
#
# | here | argument | lecture D | meaning | unit |
# | --- | --- | --- | --- | --- |
# | $N$ | `size` | $N$, $W_1$, $H_1$ | length of the side | pixels |
# | $K$ | `kernel` | $F$ | weights along one side of the kernel | weights |
# | $S$ | `stride` | $S$ | distance between neighbouring windows | pixels |
# | $P$ | `padding` | $P$ | zeros added at **each** end of the side | pixels |
# | $d$ | `dilation` | – | distance between neighbouring weights | pixels |
#
# Beware of $K$: in lecture D it is the number of filters. Here that number is $C_{out}$, `out_channels`.
#
# ## {{exercise:dilated_extent}}
#
# A kernel of $K$ weights usually covers $K$ neighbouring pixels. With *dilation* $d$ its weights stand $d$
# pixels apart, like the teeth of a comb, and the pixels between them are skipped. From the first covered
# pixel to the last, both included, the kernel then spans its **extent** $E$. With $d = 1$ the teeth touch
# and $E = K$. Three weights at $d = 2$ stand on pixels 0, 2 and 4: $E = 5$.
#
# Write $E$ as a formula in $K$ and $d$. How many gaps are there between $K$ teeth?
#
# Stuck? `hint("dilated_extent")`, in a cell of your own, opens the next of three hints. Every exercise has
# them.


# %% exercise="dilated_extent" difficulty=1 minutes=4
def dilated_extent(kernel, dilation):
    """Return how many pixels a dilated kernel spans along one side.

    Parameters
    ----------
    kernel : int, at least 1
        Number of weights along the side.
    dilation : int, at least 1
        Distance between neighbouring weights in pixels; 1 means that they touch.

    Returns
    -------
    int
        Pixels from the first covered one to the last, both included.

    Raises
    ------
    ValueError
        If kernel or dilation is less than 1.
    """
    ### BEGIN SOLUTION
    if kernel < 1 or dilation < 1:
        raise ValueError(f"kernel and dilation must be at least 1, not {kernel} and {dilation}")
    return dilation * (kernel - 1) + 1
    ### END SOLUTION


# %% tests="dilated_extent" points=1
# Teeth that touch; teeth with one pixel between them; a single tooth has no gap to widen.
check(dilated_extent, 3, 1).gives(3)
check(dilated_extent, 3, 2).gives(5)
check(dilated_extent, 5, 3).gives(13)
check(dilated_extent, 1, 4).gives(1)
check(dilated_extent, 3, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(dilated_extent, 0, 1).raises(ValueError)
check(dilated_extent, 3, -2).raises(ValueError)
rng = np.random.default_rng(51)
for _ in range(5):
    taps, gap = int(rng.integers(1, 12)), int(rng.integers(1, 9))
    # Place the teeth one by one and measure the comb.
    teeth = [gap * tooth for tooth in range(taps)]
    check(dilated_extent, taps, gap).gives(teeth[-1] - teeth[0] + 1)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:output_size}}
#
# ![Seven pixels in a row and the windows of a kernel of three. Stride 1: five windows. Stride 2: three
# windows. Stride 3: two windows, one pixel is left over and a third window would stick out by two pixels,
# so it cannot fit. Stride 3 with one zero at each end: three windows. Stride 1 with dilation 2: the kernel
# spans five pixels and three windows fit.](pictures/windows.png)
#
# *Each bar is one window, each window gives one output. In the third row one pixel is left over: the last
# window has no place to stand.*
#
# Padding makes the side $N + 2P$ long. The first window uses up $E$ pixels of it, with $E = d\,(K - 1) + 1$
# as above. What is left, $N + 2P - E$, holds one more window for every $S$ pixels:
#
# $$N' = \frac{N + 2P - E}{S} + 1$$
#
# The lecture's 7 pixels and 3 weights give 5 outputs at stride 1 and 3 at stride 2. At stride 3 they give
# $(7 - 3)/3 + 1 = 2.33$, and a third of a window does not exist. The lecture says "cannot fit"; your
# function says so too, by raising a `ValueError`.
#
# PyTorch rounds down instead: it returns 2, and pixel 6 is never looked at. No message tells you. That is
# convenient and a frequent source of shapes nobody planned, so in this notebook a window that does not fit
# is an error, everywhere.


# %% exercise="output_size" difficulty=1 minutes=9 covers="50 51"
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Return how many windows fit along one side.

    Parameters
    ----------
    size : int, at least 1
        Length of the side in pixels.
    kernel : int, at least 1
        Number of weights along the side.
    stride : int, at least 1
        Distance between the starts of neighbouring windows in pixels.
    padding : int, at least 0
        Zeros added at each of the two ends.
    dilation : int, at least 1
        Distance between neighbouring weights in pixels.

    Returns
    -------
    int
        Number of windows, which is the length of the output's side.

    Raises
    ------
    ValueError
        If an argument is below its range, if not even one window fits, or if pixels are left over after
        the last window.
    """
    ### BEGIN SOLUTION
    if size < 1 or stride < 1 or padding < 0:
        raise ValueError("size and stride must be at least 1, padding at least 0")
    extent = dilated_extent(kernel, dilation)
    room = size + 2 * padding - extent
    if room < 0:
        raise ValueError(f"a kernel that spans {extent} pixels cannot fit into {size} + 2 × {padding}")
    if room % stride:
        windows = f"({size} + 2 × {padding} − {extent}) / {stride} + 1 = {room / stride + 1:.2f}"
        raise ValueError(f"cannot fit: {windows} windows")
    return room // stride + 1
    ### END SOLUTION


# %% tests="output_size" points=1
# The lecture's 7 pixels and 3 weights at strides 1, 2 and 3, then its layer on 32 × 32 × 3.
check(output_size, 7, 3).gives(5)
check(output_size, 7, 3, stride=2).gives(3)
check(output_size, 7, 3, stride=3).raises(ValueError)
check(output_size, 32, 5, stride=1, padding=2).gives(32)
check(output_size, 32, 5).gives(28)
check(output_size, 5, 3, stride=2, padding=1).gives(3)
# A number of windows is counted, not measured.
check(output_size, 7, 3, stride=2).satisfies(
    lambda n: isinstance(n, int | np.integer), "the answer is an int, no float"
)
### BEGIN HIDDEN TESTS
check(output_size, 1, 1).gives(1)
check(output_size, 3, 3).gives(1)
check(output_size, 10, 2, stride=4).gives(3)
check(output_size, 10, 2, stride=3).raises(ValueError)
rng = np.random.default_rng(52)
for _ in range(8):
    size, kernel = int(rng.integers(8, 40)), int(rng.integers(1, 8))
    stride, padding = int(rng.integers(1, 5)), int(rng.integers(0, 4))
    # Lay the windows down one by one and see whether the last one ends at the last pixel.
    last_start = size + 2 * padding - kernel
    starts = list(range(0, last_start + 1, stride))
    if starts[-1] == last_start:
        check(output_size, size, kernel, stride, padding).gives(len(starts))
    else:
        check(output_size, size, kernel, stride, padding).raises(ValueError)
### END HIDDEN TESTS

# %% tests="output_size" points=1
# Dilation, and two famous slides: AlexNet's first layer (kernel 11, stride 4) is drawn on 224 pixels.
check(output_size, 7, 3, dilation=2).gives(3)
check(output_size, 32, 3, padding=2, dilation=2).gives(32)
check(output_size, 227, 11, stride=4).gives(55)
check(output_size, 224, 11, stride=4).raises(ValueError)
# A kernel larger than the image, and senseless arguments: without pixels there is nothing to pad.
check(output_size, 3, 5).raises(ValueError)
check(output_size, 0, 3, padding=2).raises(ValueError)
check(output_size, 7, 3, stride=0).raises(ValueError)
check(output_size, 7, 3, padding=-1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(output_size, 0, 1).raises(ValueError)
check(output_size, 7, 0).raises(ValueError)
check(output_size, 7, 3, stride=-1).raises(ValueError)
check(output_size, 7, 3, dilation=0).raises(ValueError)
check(output_size, 7, 4, dilation=3).raises(ValueError)
check(output_size, 3, 6, padding=1).raises(ValueError)
rng = np.random.default_rng(53)
for _ in range(8):
    kernel, stride, dilation = (int(value) for value in rng.integers(1, 5, 3))
    padding = int(rng.integers(0, 3))
    # Sizes made to fit, so that PyTorch's rounding plays no part.
    size = dilation * (kernel - 1) + 1 + stride * int(rng.integers(3, 9)) - 2 * padding
    if size < 1:
        continue
    row, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    out = torch.nn.functional.conv1d(row, weight, stride=stride, padding=padding, dilation=dilation)
    check(output_size, size, kernel, stride, padding, dilation).gives(out.shape[-1])
### END HIDDEN TESTS

# %% [markdown] covers="52 57"
# ### Why zeros at the border?
#
# The lecture gives three reasons to pad: any filter can be made to fit, the size can be kept, and the maps
# do not shrink too fast. There is a price: at the border a window sees zeros where there is no image, and
# what it reports there is weaker (a test of `cross_correlate2d` shows it).
#
# The lecture also lists settings in common use: kernel, stride and padding $(3, 1, 1)$, $(5, 1, 2)$,
# $(1, 1, 0)$, and $(5, 2, \text{whatever fits})$; the number of filters is usually a power of two (32, 64,
# 128, 512). The last setting is worth a second look. Ask your function what does fit.


# %% experiment seconds=5 covers="52 57"
def fitted(*args, **kwargs):
    """The output size as text, or a dash where nothing fits."""
    try:
        return str(output_size(*args, **kwargs))
    except ValueError:
        return "–"


print(
    "Common settings on 32 pixels:", *(f"{s} → {fitted(32, *s)}" for s in [(3, 1, 1), (5, 1, 2), (1, 1, 0)]), sep="  "
)

print("\nKernel 5, stride 2, 'whatever fits'. Rows: padding; columns: size.")
sizes = range(28, 37)
print("      ", *(f"{size:3d}" for size in sizes))
for padding in range(5):
    print(f"  P={padding}  ", *(f"{fitted(size, 5, 2, padding):>3}" for size in sizes))

print("\nSizes from 216 to 232 on which AlexNet's first layer fits (kernel 11, stride 4, no padding):")
for size in range(216, 233):
    if fitted(size, 11, 4) != "–":
        print(f"  {size} → {fitted(size, 11, 4)}", end="")

sides = [32]
for _ in range(10):
    if fitted(sides[-1], 5) == "–":
        break
    sides.append(output_size(sides[-1], 5))
chain = " → ".join(map(str, sides))
print(f"\n\nLayers of 5 × 5 without padding: {chain} → cannot fit, after {len(sides) - 1} layers")

# %% [markdown] covers="E3"
# Read the table by columns. A size of 29, 31, 33 or 35 takes every padding; 28, 30, 32, 34 and 36 take
# none, because $N - 5 + 2P$ is odd whatever $P$ is, and an odd number is not a multiple of the stride 2.
# Padding both ends alike changes the length by an even number. So "any filter fits" holds at stride 1 and
# not in general.
#
# The same happens on the AlexNet slides: $224 - 11 + 2P$ is odd, never a multiple of 4. The paper's drawing
# says 224, the arithmetic says $(224 - 11)/4 + 1 = 54.25$, and 227 gives the 55 that everyone quotes.
# Implementations that keep 224 pad by 2 and round down.
#
# ## {{exercise:same_padding}}
#
# A layer that keeps the size can be stacked as often as you like. At stride 1, $N' = N$ asks for
# $2P = E - 1$: the zeros at both ends together replace what the first window uses up. $P$ is added at each
# end, so it must be a whole number. If it is not, no symmetric padding keeps the size.


# %% exercise="same_padding" difficulty=1 minutes=4
def same_padding(kernel, dilation=1):
    """Return the padding at each end that keeps the size at stride 1.

    Parameters
    ----------
    kernel : int, at least 1
        Number of weights along the side.
    dilation : int, at least 1
        Distance between neighbouring weights in pixels.

    Returns
    -------
    int
        Zeros at each of the two ends.

    Raises
    ------
    ValueError
        If an argument is less than 1, or if no symmetric padding keeps the size.
    """
    ### BEGIN SOLUTION
    extent = dilated_extent(kernel, dilation)
    if extent % 2 == 0:
        raise ValueError(f"a kernel that spans {extent} pixels, an even number, needs one zero more at one end")
    return (extent - 1) // 2
    ### END SOLUTION


# %% tests="same_padding" points=1
# The common settings; an even kernel; then dilation, which can make an even kernel odd.
check(same_padding, 3).gives(1)
check(same_padding, 5).gives(2)
check(same_padding, 1).gives(0)
check(same_padding, 2).raises(ValueError)
check(same_padding, 5).satisfies(lambda n: isinstance(n, int | np.integer), "the answer is an int, no float")
check(same_padding, 3, dilation=2).gives(2)
check(same_padding, 4, dilation=2).gives(3)
check(same_padding, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(same_padding, 11).gives(5)
check(same_padding, 6).raises(ValueError)
check(same_padding, 2, dilation=3).raises(ValueError)
check(same_padding, 3, dilation=0).raises(ValueError)
rng = np.random.default_rng(54)
for _ in range(5):
    kernel, dilation = int(rng.integers(2, 8)), int(rng.integers(1, 5))
    row, weight = torch.zeros(1, 1, 40), torch.zeros(1, 1, kernel)
    # Try every padding on 40 pixels: at most one keeps the size.
    outs = [torch.nn.functional.conv1d(row, weight, padding=p, dilation=dilation).shape[-1] for p in range(20)]
    if 40 in outs:
        check(same_padding, kernel, dilation).gives(outs.index(40))
    else:
        check(same_padding, kernel, dilation).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · Slide the kernel
#
# ## {{exercise:cross_correlate2d}}
#
# Call the image $x$, of shape $(H, W)$, and the kernel $w$, of shape $(K_h, K_w)$. Both are indexed from 0,
# rows first. Pad $x$ with $P$ zeros on all four sides and call that $\tilde{x}$. The output $y$ has the
# shape $(H', W')$ that `output_size` gives for each side, and
#
# $$y_{ij} = \sum_{a=0}^{K_h-1} \sum_{b=0}^{K_w-1} w_{ab}\;\tilde{x}_{iS+a,\;jS+b}$$
#
# In words: the window for output $(i, j)$ has its upper left corner at row $iS$ and column $jS$ of the
# padded image; multiply it by the kernel entry by entry and sum. This is **cross-correlation**. It is what
# every deep learning library computes under the name of convolution.
#
# The lecture's practice example is a 5 × 5 image and a 3 × 3 kernel. Its upper left window and the kernel
# are
#
# $$\begin{bmatrix} 1 & 0 & 0 \\ -1 & 0 & 2 \\ 1 & 0 & -2 \end{bmatrix}, \quad
# \begin{bmatrix} 1 & 0 & 2 \\ -1 & 1 & 1 \\ 0 & 2 & 1 \end{bmatrix}$$
#
# and their products sum to
#
# $$y_{00} = \underbrace{1 + 0 + 0}_{\text{row } 0} + \underbrace{1 + 0 + 2}_{\text{row } 1}
# + \underbrace{0 + 0 - 2}_{\text{row } 2} = 2$$
#
# Two rules for your function:
#
# - Where a window does not fit, it raises the `ValueError` that `output_size` raises. (Call `output_size`
#   and it will.)
# - Whole numbers stay exact. Photographs come as `uint8`, whose arithmetic starts again from 0 after 255,
#   so integers are multiplied and summed as `int64`. Everything else keeps the dtype that NumPy gives the
#   product: `np.result_type(image, kernel)` names it, and `np.issubdtype(dtype, np.integer)` tells whether
#   it holds integers.

# %% setup
lecture_image = np.array([[1, 0, 0, 0, 1], [-1, 0, 2, 1, 2], [1, 0, -2, 0, -1], [1, 1, 0, 0, 2], [-2, 0, 3, 0, 0]])
lecture_kernel = np.array([[1, 0, 2], [-1, 1, 1], [0, 2, 1]])


# %% exercise="cross_correlate2d" difficulty=2 minutes=22
def cross_correlate2d(image, kernel, stride=1, padding=0):
    """Slide a kernel over an image: multiply each window by the kernel and sum.

    Parameters
    ----------
    image : array (H, W)
        Integers of any width, or floating point.
    kernel : array (K_h, K_w)
        As it lies on the window: it is not flipped.
    stride : int, at least 1
        Distance between neighbouring windows in pixels, down and across.
    padding : int, at least 0
        Zeros added on each of the four sides.

    Returns
    -------
    array (H', W')
        ``int64`` when image and kernel both hold integers, otherwise the floating type of their product
        (`np.result_type`).

    Raises
    ------
    ValueError
        If image or kernel is not two-dimensional, or where `output_size` raises one.
    """
    ### BEGIN SOLUTION
    image, kernel = np.asarray(image), np.asarray(kernel)
    if image.ndim != 2 or kernel.ndim != 2:
        raise ValueError(f"image and kernel must be two-dimensional, not {image.ndim}-D and {kernel.ndim}-D")
    out_height = output_size(image.shape[0], kernel.shape[0], stride, padding)
    out_width = output_size(image.shape[1], kernel.shape[1], stride, padding)
    dtype = np.result_type(image, kernel)
    if np.issubdtype(dtype, np.integer):
        dtype = np.int64
    padded = np.pad(image.astype(dtype), padding)
    out = np.zeros((out_height, out_width), dtype)
    # The formula, with all (i, j) at once for each (a, b): K_h K_w steps on whole images, where a loop
    # over windows would take H' W' steps on small ones.
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            seen_by_this_weight = padded[a::stride, b::stride][:out_height, :out_width]
            out += kernel[a, b].astype(dtype) * seen_by_this_weight
    return out
    ### END SOLUTION


# %% tests="cross_correlate2d" points=1 covers="46"
# The lecture's practice example; the image without its last row, then the kernel without its last row: height and
# width need not agree.
check(cross_correlate2d, lecture_image, lecture_kernel).gives([[2, -1, 2], [2, 0, 9], [0, 5, -2]])
check(cross_correlate2d, lecture_image[:4], lecture_kernel).gives([[2, -1, 2], [2, 0, 9]])
check(cross_correlate2d, lecture_image, lecture_kernel[:2]).gives([[4, 3, 3], [0, 0, 7], [-3, -1, -2], [6, 4, 1]])
check(cross_correlate2d, lecture_image, np.array([[3]])).gives(3 * lecture_image)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(55)
for shape, kernel_shape in [((6, 9), (3, 3)), ((8, 5), (2, 2)), ((7, 4), (3, 2)), ((3, 3), (3, 3)), ((1, 6), (1, 4))]:
    image, kernel = rng.normal(size=shape), rng.normal(size=kernel_shape)
    expected = torch.nn.functional.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None])[0, 0]
    check(cross_correlate2d, image, kernel).gives(expected)
### END HIDDEN TESTS

# %% tests="cross_correlate2d" points=1 covers="47"
# Windows two pixels apart. At stride 4 the second window would stick out.
check(cross_correlate2d, lecture_image, lecture_kernel, stride=2).gives([[2, 2], [0, -2]])
check(cross_correlate2d, lecture_image, np.array([[1]]), stride=4).gives([[1, 1], [-2, 0]])
check(cross_correlate2d, lecture_image, lecture_kernel, stride=4).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(56)
for shape, kernel_shape, stride in [
    ((7, 11), (3, 3), 2),
    ((5, 9), (1, 1), 4),
    ((8, 5), (2, 2), 3),
    ((10, 7), (4, 1), 3),
]:
    image, kernel = rng.normal(size=shape), rng.normal(size=kernel_shape)
    expected = torch.nn.functional.conv2d(
        torch.tensor(image)[None, None], torch.tensor(kernel)[None, None], stride=stride
    )[0, 0]
    check(cross_correlate2d, image, kernel, stride=stride).gives(expected)
check(cross_correlate2d, np.ones((7, 8)), np.ones((3, 3)), stride=2).raises(ValueError)
check(cross_correlate2d, np.ones((8, 7)), np.ones((3, 3)), stride=2).raises(ValueError)
### END HIDDEN TESTS

# %% tests="cross_correlate2d" points=1
# Counting real pixels: a window of ones at a corner of nine ones sees four of them, the rest are padded zeros.
check(cross_correlate2d, np.ones((3, 3)), np.ones((3, 3)), padding=1).gives([[4, 6, 4], [6, 9, 6], [4, 6, 4]])
check(cross_correlate2d, lecture_image, lecture_kernel, stride=2, padding=1).gives([[-1, 5, 5], [4, 0, 4], [0, 4, 0]])
# Two rows of the image, two rows of the kernel: 2 × 5 pixels, 2 × 3 weights.
check(cross_correlate2d, lecture_image[:2], lecture_kernel[:2], stride=2, padding=1).gives([[1, 0, 1], [0, 2, 1]])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(57)
for shape, kernel_shape, stride, padding in [
    ((5, 8), (3, 3), 1, 1),
    ((6, 4), (5, 5), 1, 2),
    ((5, 9), (3, 3), 2, 1),
    ((4, 6), (2, 2), 5, 2),
    ((1, 1), (3, 3), 1, 1),
]:
    image, kernel = rng.normal(size=shape), rng.normal(size=kernel_shape)
    expected = torch.nn.functional.conv2d(
        torch.tensor(image)[None, None], torch.tensor(kernel)[None, None], stride=stride, padding=padding
    )[0, 0].numpy()
    heights, widths = ((n + 2 * padding - k) % stride for n, k in zip(shape, kernel_shape, strict=True))
    if heights or widths:
        check(cross_correlate2d, image, kernel, stride=stride, padding=padding).raises(ValueError)
    else:
        check(cross_correlate2d, image, kernel, stride=stride, padding=padding).gives(expected)
### END HIDDEN TESTS

# %% tests="cross_correlate2d" points=1
# Bright pixels of a photograph: 2 · 200 is more than a uint8 can hold, and so is the sum, nine times 400.
check(cross_correlate2d, np.full((3, 3), 200, np.uint8), np.full((3, 3), 2, np.uint8)).gives([[3600]], dtype=np.int64)
check(cross_correlate2d, np.ones((3, 3), np.float32), np.ones((2, 2), np.float32)).gives(
    [[4, 4], [4, 4]], dtype=np.float32
)
# A colour photograph has three axes: one too many here. A kernel larger than the image, and stride 0.
check(cross_correlate2d, np.ones((5, 5, 3)), np.ones((3, 3))).raises(ValueError)
check(cross_correlate2d, np.ones((2, 5)), np.ones((3, 3))).raises(ValueError)
check(cross_correlate2d, np.ones((5, 5)), np.ones((3, 3)), stride=0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(cross_correlate2d, np.ones((5, 5)), np.ones(3)).raises(ValueError)
check(cross_correlate2d, np.ones((5, 2)), np.ones((3, 3))).raises(ValueError)
check(cross_correlate2d, np.ones((5, 5)), np.ones((3, 3)), padding=-1).raises(ValueError)
rng = np.random.default_rng(58)
pixels = rng.integers(0, 256, (6, 7)).astype(np.uint8)
weights = rng.integers(-3, 4, (3, 3)).astype(np.int8)
expected = torch.nn.functional.conv2d(
    torch.tensor(pixels.astype(float))[None, None], torch.tensor(weights.astype(float))[None, None]
)[0, 0].numpy()
check(cross_correlate2d, pixels, weights).gives(expected.astype(np.int64), dtype=np.int64)
check(cross_correlate2d, pixels, weights / 9).gives(expected / 9, dtype=np.float64)
check(cross_correlate2d, pixels.astype(np.float32), weights.astype(np.float32)).gives(
    expected, rtol=1e-5, atol=1e-3, dtype=np.float32
)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: the kernel that slides
#
# The widget runs **your** function. Press Play or step through the windows; move the stride, the padding
# and the dilation; type another kernel. (Your function knows no dilation: for it the widget puts zeros
# between your kernel's weights.) Where the windows cannot fit it says so in words, and draws the window
# that sticks out. Try the four animations of lecture B: no padding at stride 1 and 2, padding 1 at
# stride 2 and 1. Then switch to *transposed*, which Part 4 explains.

# %% widget="sliding_kernel" covers="60"
# alt: A 5 × 5 image with one 3 × 3 window outlined, the kernel, their nine products and sum, and the output so far.
# picture: SlidingKernel(cross_correlate2d, output_size, position=(1, 1))
from convnets.widgets import SlidingKernel

SlidingKernel(cross_correlate2d, output_size)

# %% [markdown]
# ### The triangle, found
#
# Lecture A explains a convolutional network in five steps: multiply the pixels by the filter and take the
# sum, apply an activation, take the maximum, compare it with a threshold: triangle found. Here it happens
# with your function. The filter has +1 on the triangle's 18 stroke pixels and −18/31 on the other 31, so
# that its entries sum to 0 and a plain bright area gets no reward. The images also hold some stray dots; the
# threshold is 14.

# %% experiment seconds=10 covers="44"
SHAPES = {
    "triangle": ["...#...", "..#.#..", "..#.#..", ".#...#.", ".#...#.", "#.....#", "#######"],
    "square": ["#######", "#.....#", "#.....#", "#.....#", "#.....#", "#.....#", "#######"],
    "circle": ["..###..", ".#...#.", "#.....#", "#.....#", "#.....#", ".#...#.", "..###.."],
    "cross": ["#.....#", ".#...#.", "..#.#..", "...#...", "..#.#..", ".#...#.", "#.....#"],
}
shape_pixels = {name: np.array([[c == "#" for c in row] for row in rows]) * 1.0 for name, rows in SHAPES.items()}
triangle_filter = np.where(shape_pixels["triangle"] > 0, 1.0, -18 / 31)


def scene(*names):
    """An image of 16 × 44 with the named shapes side by side and stray dots at 25 random places."""
    rng = np.random.default_rng(5)
    picture = np.zeros((16, 44))
    for place, name in enumerate(names):
        picture[4:11, 3 + 14 * place : 10 + 14 * place] = shape_pixels[name]
    picture[rng.integers(0, 16, 25), rng.integers(0, 44, 25)] = 1
    return picture


fig, axes = plots.figure(2, 4, width=9.0, height=2.7, width_ratios=[44, 10, 38, 38])
found = []
for i, names in enumerate([("square", "triangle", "circle"), ("square", "cross", "circle")]):
    picture = scene(*names)
    sums = cross_correlate2d(picture, triangle_filter)
    activation = np.maximum(0, sums)
    strongest = activation.max()
    row, column = np.unravel_index(activation.argmax(), activation.shape)
    found.append("triangle found" if strongest > 14 else "no triangle")
    print(f"{', '.join(names)}: maximum {strongest:.1f} at row {row}, column {column}; {found[-1]}")
    stages = [
        ("image", picture, 0, 1),
        ("filter", triangle_filter, -1, 1),
        ("sums", sums, -18, 18),
        (f"activation: maximum {strongest:.1f}", activation, 0, 18),
    ]
    for ax, (title, stage, black, white) in zip(axes[i], stages, strict=True):
        ax.imshow(stage, cmap="gray", vmin=black, vmax=white)
        ax.set_title(title, loc="center", fontsize=9)
        ax.axis("off")
plots.show(
    fig,
    alt="Two rows: image, triangle filter, map of sums, map after the activation. In the first row one bright point "
    f"marks the triangle among square and circle ({found[0]}); in the second no point is bright ({found[1]}).",
)

# %% [markdown]
# Nobody drew the filters of a trained network. "We can learn the filter", says the same slide, and what it
# takes is already here. Let $y$ be the map that a filter $w$ gives on the image $x$, and $t$ the map that
# we want. The squared error $L = \sum_{ij} (y_{ij} - t_{ij})^2$ has the gradient
#
# $$\frac{\partial L}{\partial w_{ab}} = 2 \sum_{ij} (y_{ij} - t_{ij})\, x_{i+a,\,j+b}$$
#
# Compare it with the formula of the exercise: it is the cross-correlation of the image with the error, by
# your own function. The cell below is shown only an image and the map of an edge filter it never sees,
# starts from zero weights, and descends. (Module 06 builds the whole layer's gradient.)

# %% experiment seconds=15 covers="44"
edge = np.array([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]])
noise = np.random.default_rng(0).normal(size=(34, 34))
wanted = cross_correlate2d(noise, edge)

learned, snapshots = np.zeros((3, 3)), {}
for step in training.progress(range(training.full_or_fast(61, 21)), "step"):
    if step in (0, 1, 3, 10, 60):
        snapshots[f"step {step}"] = learned.copy()
    error = cross_correlate2d(noise, learned) - wanted
    learned = learned - 0.2 * 2 * cross_correlate2d(noise, error) / error.size
learning_error = float(np.abs(learned - edge).max())
print(f"Largest difference from the hidden filter: {learning_error:.1e}")

fig = plots.images(list(snapshots.values()), list(snapshots), columns=5, size=1.6, cmap="gray", vmin=-2, vmax=8)
*_, latest = snapshots.values()
centre, rim = latest[1, 1], (latest.sum() - latest[1, 1]) / 8
for ax, weight in zip(fig.axes, snapshots.values(), strict=True):
    for (row, column), value in np.ndenumerate(weight):
        ax.text(column, row, f"{value:.1f}", ha="center", va="center", color="black" if value > 3 else "white")
plots.show(
    fig,
    alt=f"The learned 3 × 3 filter at {len(snapshots)} moments: all zeros, then a positive centre and negative rim "
    f"that grow towards the hidden edge filter's 8 and -1; at {list(snapshots)[-1]} the centre is {centre:.1f} and "
    f"the rim {rim:.1f}.",
)

# %% [markdown]
# ## {{exercise:audit_slide}}
#
# Lecture D prints this answer for its practice example at stride 2: `[[2, −2], [0, −2]]`. A claim like this
# can be checked by machine. Write the auditor: compute the right output, compare it with the claimed one
# entry by entry, and list what differs. Rows and columns count from 0, row by row, from the upper left.


# %% exercise="audit_slide" difficulty=1 minutes=8 covers="47 E1"
def audit_slide(image, kernel, claimed, stride=1, padding=0):
    """List the entries of a claimed cross-correlation that are wrong.

    Parameters
    ----------
    image : array (H, W)
    kernel : array (K_h, K_w)
    claimed : array_like (H', W')
        The output that a slide prints: a nested list or an array.
    stride, padding : int
        As in `cross_correlate2d`.

    Returns
    -------
    list of (row, column, claimed, correct)
        One tuple of numbers for each wrong entry (`np.isclose` decides), in reading order; empty when
        the slide is right.

    Raises
    ------
    ValueError
        If the claimed output does not have the shape of the correct one.
    """
    ### BEGIN SOLUTION
    correct = cross_correlate2d(image, kernel, stride, padding)
    claimed = np.asarray(claimed)
    if claimed.shape != correct.shape:
        raise ValueError(f"the slide's output has shape {claimed.shape}, the correct one {correct.shape}")
    wrong = np.argwhere(~np.isclose(claimed, correct))
    return [(int(i), int(j), claimed[i, j].item(), correct[i, j].item()) for i, j in wrong]
    ### END SOLUTION


# %% tests="audit_slide" points=1
# The slide at stride 1 is right. The slide at stride 2 is not. With padding 1 it would have nine entries.
check(audit_slide, lecture_image, lecture_kernel, [[2, -1, 2], [2, 0, 9], [0, 5, -2]]).gives([])
check(audit_slide, lecture_image, lecture_kernel, [[2, -2], [0, -2]], stride=2).gives([(0, 1, -2, 2)])
nine_entries = [[-1, 5, 5], [4, 0, 4], [0, 4, 0]]
check(audit_slide, lecture_image, lecture_kernel, nine_entries, stride=2, padding=1).gives([])
# A slide with two errors, to be listed in reading order.
check(audit_slide, lecture_image, lecture_kernel, [[2, -1, 1], [2, 0, 9], [1, 5, -2]]).gives(
    [(0, 2, 1, 2), (2, 0, 1, 0)]
)
# Whoever forgets the stride claims an output of another shape: that is no list of entries but an error.
check(audit_slide, lecture_image, lecture_kernel, [[2, -1, 2], [2, 0, 9], [0, 5, -2]], stride=2).raises(ValueError)
check(audit_slide, lecture_image, lecture_kernel, [[2, 2, 2]]).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(59)
for (height, width), stride, padding in [((5, 7), 2, 0), ((4, 6), 1, 1), ((6, 9), 3, 0)]:
    image, kernel = rng.integers(-9, 10, (height, width)), rng.integers(-9, 10, (3, 3))
    correct = torch.nn.functional.conv2d(
        torch.tensor(image * 1.0)[None, None], torch.tensor(kernel * 1.0)[None, None], stride=stride, padding=padding
    )[0, 0].numpy()
    claimed = correct.copy()
    row, column = int(rng.integers(claimed.shape[0])), int(rng.integers(claimed.shape[1]))
    claimed[row, column] += 3
    expected = [(row, column, float(claimed[row, column]), float(correct[row, column]))]
    check(audit_slide, image, kernel, claimed, stride, padding).gives(expected)
    check(audit_slide, image, kernel, correct, stride, padding).gives([])
check(audit_slide, lecture_image, lecture_kernel, 2, stride=2).raises(ValueError)
check(audit_slide, lecture_image, lecture_kernel, [[2], [2], [0]]).raises(ValueError)
check(audit_slide, np.ones((3, 3)), np.full((3, 3), 1 / 9), [[1.0]]).gives([])
### END HIDDEN TESTS

# %% [markdown]
# ### A second prediction
#
# Lecture C shows what single kernels do to a photograph. Its four are
#
# $$\begin{array}{cc}
# \text{edge detection} & \text{box mean} \\
# \begin{bmatrix} -1 & -1 & -1 \\ -1 & 8 & -1 \\ -1 & -1 & -1 \end{bmatrix} &
# \frac{1}{9}\begin{bmatrix} 1 & 1 & 1 \\ 1 & 1 & 1 \\ 1 & 1 & 1 \end{bmatrix} \\[1em]
# \text{sharpen} & \text{Gaussian blur} \\
# \begin{bmatrix} 0 & -1 & 0 \\ -1 & 5 & -1 \\ 0 & -1 & 0 \end{bmatrix} &
# \frac{1}{16}\begin{bmatrix} 1 & 2 & 1 \\ 2 & 4 & 2 \\ 1 & 2 & 1 \end{bmatrix}
# \end{array}$$
#
# The entries of the first sum to 0: a plain area becomes 0, which the figure below draws black and the
# widget after it mid-grey. Those of the other three sum to 1: a plain area keeps its brightness.
#
# Mathematicians flip the kernel in both directions before they slide it; networks do not.

# %% experiment seconds=5
lesson.predict(
    "which_presets_notice",
    "Which of the four kernels gives a different picture when it is flipped upside down and left to right?",
    ["Edge detection only", "Edge detection and sharpen", "All four", "None of the four"],
)

# %% [markdown]
# ## {{exercise:convolve2d}}
#
# The **convolution** of mathematics and signal processing runs backwards through the kernel,
#
# $$(w * x)_{ij} = \sum_{a} \sum_{b} w_{ab}\; x_{i + K_h - 1 - a,\; j + K_w - 1 - b}$$
#
# which is the cross-correlation with a kernel turned by 180°. Without a flip there would be no law
# $w * x = x * w$, and the image of a single bright point would be the kernel turned by 180°. (The law holds
# for the *full* convolution, with the image padded by $K - 1$; our function returns only its inside.) A network
# learns its weights, and it learns them flipped or unflipped equally well. So libraries leave the flip out
# and keep the name, and the slides of lectures C and D do the same.
#
# On the practice example the flip matters: the answer becomes `[[−2, 1, −4], [4, 4, 5], [2, −3, 2]]`.


# %% exercise="convolve2d" difficulty=1 minutes=3 covers="48"
def convolve2d(image, kernel):
    """Convolve an image with a kernel, as mathematics defines it, at stride 1 and without padding.

    Parameters
    ----------
    image : array (H, W)
    kernel : array (K_h, K_w)
        Turned by 180° before it slides.

    Returns
    -------
    array (H − K_h + 1, W − K_w + 1)
        Same dtype rules as `cross_correlate2d`.

    Raises
    ------
    ValueError
        If image or kernel is not two-dimensional, or if the kernel is larger than the image.
    """
    ### BEGIN SOLUTION
    kernel = np.asarray(kernel)
    # Checked here because flipping needs two axes.
    if kernel.ndim != 2:
        raise ValueError(f"the kernel must be two-dimensional, not {kernel.ndim}-D")
    return cross_correlate2d(image, kernel[::-1, ::-1])
    ### END SOLUTION


# %% tests="convolve2d" points=1
# The practice example with a flipped kernel, then one bright point: convolution copies the kernel to it.
check(convolve2d, lecture_image, lecture_kernel).gives([[-2, 1, -4], [4, 4, 5], [2, -3, 2]])
bright_point = np.zeros((5, 5))
bright_point[2, 2] = 1
check(convolve2d, bright_point, lecture_kernel).gives(lecture_kernel)
check(convolve2d, np.ones((2, 2)), np.ones((3, 3))).raises(ValueError)
### BEGIN HIDDEN TESTS
check(convolve2d, np.ones((5, 5)), np.ones(3)).raises(ValueError)
rng = np.random.default_rng(60)
for length, taps in [(9, 4), (6, 1), (7, 7)]:
    # In one row, NumPy's own convolve is the definition.
    row, kernel = rng.normal(size=length), rng.normal(size=taps)
    check(convolve2d, row[None], kernel[None]).gives(np.convolve(row, kernel, "valid")[None])
    check(convolve2d, row[:, None], kernel[:, None]).gives(np.convolve(row, kernel, "valid")[:, None])
image, kernel = rng.normal(size=(6, 8)), rng.normal(size=(2, 3))
flipped = torch.tensor(kernel).flip(0, 1)
check(convolve2d, image, kernel).gives(
    torch.nn.functional.conv2d(torch.tensor(image)[None, None], flipped[None, None])[0, 0]
)
### END HIDDEN TESTS

# %% experiment seconds=15 covers="45 48"
presets = {
    "edge": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "box mean": np.ones((3, 3)) / 9,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "Gaussian blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
}
photograph = data.photograph("cat")
# Every second pixel, and the mean of red, green and blue.
grey = photograph[::2, ::2].mean(axis=2)
print(f"The photograph: {photograph.dtype} {photograph.shape}; here: {grey.dtype} {grey.shape}")

print("Grey values run from 0 to 255. The sums are not clipped to that range: they may be negative, or larger.")
print(f"{'kernel':16}{'sum of entries':>16}{'largest change by flipping':>30}")
for name, kernel in {**presets, "practice example": lecture_kernel}.items():
    change = np.abs(convolve2d(grey, kernel) - cross_correlate2d(grey, kernel)).max()
    print(f"{name:16}{kernel.sum():16.1f}{change:30.1f}")

filtered = {name: cross_correlate2d(grey, kernel) for name, kernel in presets.items()}
fig, axes = plots.figure(2, 3, width=9.0, height=4.4)
for ax in axes.flat:
    ax.axis("off")
for i, (name, picture) in enumerate({"photograph": grey, **filtered}.items()):
    axes.flat[i].imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.flat[i].set_title(name, loc="center", fontsize=10)
plots.show(
    fig,
    alt="A photograph of a cat and four filtered versions: edge detection leaves thin bright outlines of "
    "whiskers and eyes on black, box mean and Gaussian blur soften it, sharpen makes fur and whiskers crisp.",
)
lesson.reveal(
    "which_presets_notice",
    answer=3,
    because="Turned by 180° each of the four is the same kernel again. "
    "The practice kernel is not, and its picture changes.",
)

# %% [markdown]
# ### Play: paint a kernel
#
# Click into the kernel to change a weight, or start from a preset. Where **your** function filters the cat
# in less than 40 ms, the picture is yours. A slower one draws a framed patch, which is compared, and the
# toolkit draws the rest. Two things to try: find a kernel that lights up only the left-hand side of things,
# then one that shifts the picture by one pixel and does nothing else.

# %% widget="kernel_painter" covers="45"
# alt: A 3 × 3 kernel of numbers, buttons for presets, and the photograph of a cat before and after the edge kernel.
from convnets.widgets import KernelPainter

KernelPainter(cross_correlate2d)

# %% [markdown]
# ## {{exercise:correlate_channels}}
#
# A colour image has $C = 3$ channels, and the maps inside a network have hundreds. A filter then has one
# $K \times K$ kernel for each channel: $x$ has the shape $(C, H, W)$, $w$ has $(C, K, K)$. Slide each
# kernel over its own channel and **sum** the maps:
#
# $$y_{ij} = \sum_{c=0}^{C-1} \sum_{a=0}^{K-1} \sum_{b=0}^{K-1} w_{cab}\; x_{c,\,i+a,\,j+b}$$
#
# However many channels go in, one map of shape $(H', W')$ comes out. The lecture's figure for this is lost,
# so here is a small one of our own with $C = 2$:
#
# $$\begin{aligned}
# \begin{bmatrix} 1 & 2 & 0 \\ 0 & 1 & 3 \\ 2 & 0 & 1 \end{bmatrix} \;\text{with}\;
# \begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix} \;&\text{gives}\; \begin{bmatrix} 2 & 5 \\ 0 & 2 \end{bmatrix} \\
# \begin{bmatrix} 0 & 1 & 1 \\ 2 & 0 & 1 \\ 1 & 1 & 0 \end{bmatrix} \;\text{with}\;
# \begin{bmatrix} 0 & -1 \\ 1 & 0 \end{bmatrix} \;&\text{gives}\; \begin{bmatrix} 1 & -1 \\ 1 & 0 \end{bmatrix} \\
# &\text{together}\; \begin{bmatrix} 3 & 4 \\ 1 & 2 \end{bmatrix}
# \end{aligned}$$


# %% exercise="correlate_channels" difficulty=2 minutes=7 covers="49"
def correlate_channels(image, kernel):
    """Cross-correlate an image of several channels with one filter, at stride 1 and without padding.

    Parameters
    ----------
    image : array (C, H, W)
    kernel : array (C, K, K)
        One kernel for each channel.

    Returns
    -------
    array (H − K + 1, W − K + 1)
        The sum over the channels. Same dtype rules as `cross_correlate2d`.

    Raises
    ------
    ValueError
        If image or kernel is not three-dimensional, if their numbers of channels differ, or if the kernel
        is larger than the image.
    """
    ### BEGIN SOLUTION
    image, kernel = np.asarray(image), np.asarray(kernel)
    if image.ndim != 3 or kernel.ndim != 3:
        raise ValueError(f"image and kernel must be three-dimensional, not {image.ndim}-D and {kernel.ndim}-D")
    if len(image) != len(kernel):
        raise ValueError(f"the image has {len(image)} channels, the kernel {len(kernel)}")
    return sum(cross_correlate2d(image[c], kernel[c]) for c in range(len(image)))
    ### END SOLUTION


# %% tests="correlate_channels" points=1
# The two channels worked out above; one channel is the two-dimensional case, and integers stay integers.
two_channels = np.array([[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[0, 1, 1], [2, 0, 1], [1, 1, 0]]])
two_kernels = np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]]])
check(correlate_channels, two_channels, two_kernels).gives([[3, 4], [1, 2]])
check(correlate_channels, two_channels[:, :2], two_kernels).gives([[3, 4]])
practice = [[2, -1, 2], [2, 0, 9], [0, 5, -2]]
check(correlate_channels, lecture_image[None], lecture_kernel[None]).gives(practice, dtype=np.int64)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(61)
for (channels, height, width), size in [((3, 6, 9), 3), ((5, 7, 4), 2), ((1, 5, 6), 5), ((4, 3, 3), 1)]:
    image, kernel = rng.normal(size=(channels, height, width)), rng.normal(size=(channels, size, size))
    expected = torch.nn.functional.conv2d(torch.tensor(image)[None], torch.tensor(kernel)[None])[0, 0]
    check(correlate_channels, image, kernel).gives(expected)
image, kernel = image.astype(np.float32), kernel.astype(np.float32)
check(correlate_channels, image, kernel).gives(expected, rtol=1e-5, atol=1e-5, dtype=np.float32)
### END HIDDEN TESTS

# %% tests="correlate_channels" points=1
# Three channels against two kernels; a grey image without its channel axis; a kernel too large.
check(correlate_channels, np.ones((3, 4, 4)), np.ones((2, 3, 3))).raises(ValueError)
check(correlate_channels, np.ones((4, 4)), np.ones((1, 3, 3))).raises(ValueError)
check(correlate_channels, np.ones((3, 4, 4)), np.ones((3, 5, 5))).raises(ValueError)
### BEGIN HIDDEN TESTS
check(correlate_channels, np.ones((2, 4, 4)), np.ones((3, 3, 3))).raises(ValueError)
check(correlate_channels, np.ones((3, 4, 4)), np.ones((3, 3))).raises(ValueError)
check(correlate_channels, np.ones((1, 4, 4)), np.ones((3, 3, 3))).raises(ValueError)
pixels = np.full((3, 2, 2), 200, np.uint8)
check(correlate_channels, pixels, np.ones((3, 2, 2), np.uint8)).gives([[2400]], dtype=np.int64)
### END HIDDEN TESTS

# %% [markdown] covers="51 56"
# # Part 3 · Count
#
# A convolutional layer has $C_{out}$ such filters. Each gives one map; stacked, the maps are a new "image"
# of $C_{out}$ channels, ready for the next layer. In the lecture's summary (its letters in brackets):
#
# - The layer takes $C_{in} \times H \times W$ ($D_1$, $H_1$, $W_1$) and has four hyperparameters: the
#   number of filters $C_{out}$ ($K$), their size $K$ ($F$), the stride $S$ and the padding $P$.
# - It gives $C_{out} \times H' \times W'$ with $H' = (H - K + 2P)/S + 1$ and $W'$ alike; $D_2$ is the
#   number of filters.
# - Each filter has $K \cdot K \cdot C_{in}$ weights and one bias. The same weights serve at every position:
#   neither $H$ nor $W$ is in this count.
# - Map number $k$ of the output is the image cross-correlated with filter number $k$, plus bias number $k$.
#
# ## {{exercise:conv_parameters}}
#
# The lecture's layer: an input of 32 × 32 × 3 and ten 5 × 5 filters. One filter has $5 · 5 · 3 + 1 = 76$
# parameters, the ten have 760.


# %% exercise="conv_parameters" difficulty=1 minutes=3 covers="53 55 56"
def conv_parameters(in_channels, out_channels, kernel, bias=True):
    """Count the parameters of a convolutional layer.

    Parameters
    ----------
    in_channels : int, at least 1
        Channels of the input.
    out_channels : int, at least 1
        Number of filters.
    kernel : int, at least 1
        Weights along one side of the square kernels.
    bias : bool
        Whether each filter has a bias.

    Returns
    -------
    int
        Weights, and biases if there are any.

    Raises
    ------
    ValueError
        If a number is less than 1.
    """
    ### BEGIN SOLUTION
    if min(in_channels, out_channels, kernel) < 1:
        raise ValueError("in_channels, out_channels and kernel must be at least 1")
    return out_channels * (kernel * kernel * in_channels + int(bias))
    ### END SOLUTION


# %% tests="conv_parameters" points=1
# Lecture D: one 5 × 5 filter on three channels, then ten.
check(conv_parameters, 3, 1, 5).gives(76)
check(conv_parameters, 3, 10, 5).gives(760)
# Lecture B: two 3 × 3 filters on three channels, 54 weights and 2 biases.
check(conv_parameters, 3, 2, 3, bias=False).gives(54)
check(conv_parameters, 3, 2, 3).gives(54 + 2)
check(conv_parameters, 0, 2, 3).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv_parameters, 3, 0, 3).raises(ValueError)
check(conv_parameters, 3, 2, 0).raises(ValueError)
check(conv_parameters, 3, 2, -3).raises(ValueError)
rng = np.random.default_rng(62)
for _ in range(5):
    in_channels, out_channels, kernel = (int(value) for value in rng.integers(1, 12, 3))
    for bias in (True, False):
        layer = torch.nn.Conv2d(in_channels, out_channels, kernel, bias=bias)
        expected = sum(parameter.numel() for parameter in layer.parameters())
        check(conv_parameters, in_channels, out_channels, kernel, bias).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:conv_macs}}
#
# Time goes with multiplications, not with parameters. A **multiply-accumulate** (MAC) is one multiplication
# and the addition that takes up its result; biases are not counted. Each entry of the output costs one MAC
# for each weight of its filter, and the output has $C_{out} \cdot H' \cdot W'$ entries.
#
# A fully connected layer from $n$ to $m$ units is the special case $K = 1$ on a map of $1 \times 1$:
# $n \cdot m$ weights, $n \cdot m$ MACs.


# %% exercise="conv_macs" difficulty=1 minutes=3
def conv_macs(in_channels, out_channels, kernel, out_height, out_width):
    """Count the multiply-accumulates of a convolutional layer for one image.

    Parameters
    ----------
    in_channels, out_channels, kernel : int, at least 1
        As in `conv_parameters`.
    out_height, out_width : int, at least 1
        Size of the **output** maps in pixels.

    Returns
    -------
    int
        Multiply-accumulates; biases are not counted.

    Raises
    ------
    ValueError
        If a number is less than 1.
    """
    ### BEGIN SOLUTION
    if min(in_channels, out_channels, kernel, out_height, out_width) < 1:
        raise ValueError("all five numbers must be at least 1")
    return kernel * kernel * in_channels * out_channels * out_height * out_width
    ### END SOLUTION


# %% tests="conv_macs" points=1
# The lecture's ten 5 × 5 filters: 75 weights a filter, 10 · 32 · 32 outputs.
check(conv_macs, 3, 10, 5, 32, 32).gives(768_000)
# Six 3 × 3 filters on one channel, with an output of 4 rows and 7 columns.
check(conv_macs, 1, 6, 3, 4, 7).gives(1512)
# Fully connected, from 120 to 84 units.
check(conv_macs, 120, 84, 1, 1, 1).gives(10_080)
check(conv_macs, 3, 10, 5, 0, 32).raises(ValueError)
### BEGIN HIDDEN TESTS
check(conv_macs, 0, 10, 5, 32, 32).raises(ValueError)
check(conv_macs, 3, 10, 5, 32, -1).raises(ValueError)
check(conv_macs, 3, 96, 11, 55, 55).gives(105_415_200)
rng = np.random.default_rng(63)
for _ in range(4):
    in_channels, out_channels, kernel, height, width = (int(value) for value in rng.integers(1, 7, 5))
    # With an image and weights of ones every product is 1, so the output adds up to the number of products.
    image = torch.ones(1, in_channels, height + kernel - 1, width + kernel - 1, dtype=torch.float64)
    weight = torch.ones(out_channels, in_channels, kernel, kernel, dtype=torch.float64)
    products = int(torch.nn.functional.conv2d(image, weight).sum())
    check(conv_macs, in_channels, out_channels, kernel, height, width).gives(products)
### END HIDDEN TESTS

# %% [markdown]
# Three layers of the lectures, put together from what you have written. Each line is computed by your
# functions, the last one by a real pass: six random 5 × 5 filters over a 32 × 32 colour patch, six maps
# stacked.

# %% experiment seconds=10 covers="53 54 55"
for lecture, in_channels, size, out_channels, kernel, stride, padding in [
    ("D", 3, 32, 10, 5, 1, 2),
    ("C", 3, 32, 6, 5, 1, 0),
    ("B", 3, 5, 2, 3, 2, 1),
]:
    out = output_size(size, kernel, stride, padding)
    weights = conv_parameters(in_channels, out_channels, kernel, bias=False)
    macs = conv_macs(in_channels, out_channels, kernel, out, out)
    print(
        f"{lecture}: {in_channels} × {size} × {size} → {out_channels} × {out} × {out} (K={kernel}, S={stride}, "
        f"P={padding});  {weights} weights + {out_channels} biases, {macs:,} MACs"
    )

rng = np.random.default_rng(0)
patch, filters = rng.normal(size=(3, 32, 32)), rng.normal(size=(6, 3, 5, 5))
print("C, a real pass:", np.stack([correlate_channels(patch, weight) for weight in filters]).shape)

# %% [markdown]
# ## {{exercise:connection_counts}}
#
# Back to the prediction. Lecture B wires an image of 200 × 200 pixels to 400,000 hidden units in three
# ways:
#
# 1. **Fully connected:** every unit sees every pixel, through weights of its own.
# 2. **Locally connected:** every unit sees a field of 10 × 10 pixels, through weights of its own. *Local
#    connections capture local dependencies.*
# 3. **Convolutional:** the units form 10 maps of 200 × 200, and all units of a map share one 10 × 10
#    filter. *Shared weights exploit stationarity:* what is worth detecting in one place is worth detecting
#    in another.
#
# Count weights and multiplications for each, without biases. As on the slide, every unit has a full field,
# at the border too (the image is thought to be padded). A unit makes one multiplication for each pixel it
# sees, whoever owns the weight.


# %% exercise="connection_counts" difficulty=2 minutes=8 covers="58"
def connection_counts(height, width, maps, kernel):
    """Count weights and multiplications of three ways to wire an image to `maps` maps of its own size.

    Parameters
    ----------
    height, width : int, at least 1
        Size of the image, which has one channel, and of each map, in pixels.
    maps : int, at least 1
        Number of maps: there are ``maps * height * width`` hidden units.
    kernel : int, at least 1
        Side of the square field a unit sees in the local and the convolutional wiring.

    Returns
    -------
    dict of str to (weights, multiplications)
        With the keys ``"fully connected"``, ``"locally connected"`` and ``"convolutional"``; whole numbers,
        biases not counted.

    Raises
    ------
    ValueError
        If a number is less than 1.
    """
    ### BEGIN SOLUTION
    if min(height, width, maps, kernel) < 1:
        raise ValueError("height, width, maps and kernel must be at least 1")
    pixels, field = height * width, kernel * kernel
    units = maps * pixels
    return {
        "fully connected": (units * pixels, units * pixels),
        "locally connected": (units * field, units * field),
        "convolutional": (maps * field, units * field),
    }
    ### END SOLUTION


# %% tests="connection_counts" points=1
# A small one to work out on paper: 2 × 3 pixels, two maps, a single pixel as field.
check(connection_counts, 2, 3, 2, 1).gives(
    {"fully connected": (72, 72), "locally connected": (12, 12), "convolutional": (2, 12)}
)
check(connection_counts, 2, 3, 2, 1).satisfies(
    lambda counts: all(isinstance(n, int | np.integer) for pair in counts.values() for n in pair),
    "every count is an int, no float",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(64)
for _ in range(4):
    height, width, maps = (int(value) for value in rng.integers(2, 7, 3))
    kernel = int(rng.choice([1, 3, 5]))
    dense = torch.nn.Linear(height * width, maps * height * width, bias=False).weight.numel()
    layer = torch.nn.Conv2d(1, maps, kernel, padding=kernel // 2, bias=False)
    fields = layer(torch.zeros(1, 1, height, width)).numel() * kernel * kernel
    check(connection_counts, height, width, maps, kernel).gives(
        {
            "fully connected": (dense, dense),
            "locally connected": (fields, fields),
            "convolutional": (layer.weight.numel(), fields),
        }
    )
### END HIDDEN TESTS

# %% tests="connection_counts" points=1
# Lecture B's image: 16 billion, 40 million and one thousand weights.
check(connection_counts, 200, 200, 10, 10).gives(
    {
        "fully connected": (16_000_000_000, 16_000_000_000),
        "locally connected": (40_000_000, 40_000_000),
        "convolutional": (1_000, 40_000_000),
    }
)
check(connection_counts, 200, 200, 10, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(connection_counts, 0, 200, 10, 10).raises(ValueError)
check(connection_counts, 200, 200, -1, 10).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### Are the two assumptions true of a photograph?
#
# A unit may look at a small field if what belongs together lies close together. Units may share a filter if
# the statistics are the same everywhere. Both can be measured: how strongly do two pixels correlate that
# lie a given distance apart, and is it the same in the four quarters of the picture? As a control, the same
# pixels in shuffled order.

# %% experiment seconds=10 covers="61"
grey = data.photograph("cat").mean(axis=2)
shuffled = np.random.default_rng(0).permutation(grey.ravel()).reshape(grey.shape)


def correlation(picture, distance):
    """Correlation of pixels that lie `distance` apart in a row."""
    return np.corrcoef(picture[:, :-distance].ravel(), picture[:, distance:].ravel())[0, 1]


distances = [1, 2, 4, 8, 16, 32, 64, 128]
by_distance = {
    "photograph": [correlation(grey, distance) for distance in distances],
    "pixels shuffled": [correlation(shuffled, distance) for distance in distances],
}
height, width = grey.shape[0] // 2, grey.shape[1] // 2
quarters = [correlation(grey[i * height :, j * width :][:height, :width], 1) for i in (0, 1) for j in (0, 1)]
print("Correlation of neighbours in the four quarters:", ", ".join(f"{value:.3f}" for value in quarters))

fig, ax = plots.figure(width=5.6, height=3.0)
for i, (name, values) in enumerate(by_distance.items()):
    ax.plot(distances, values, marker=plots.MARKERS[i], label=name)
ax.set(xscale="log", xlabel="distance in pixels", ylabel="correlation", title="Pixels that lie close are alike")
ax.set_xticks(distances, distances)
ax.minorticks_off()
ax.legend()
plots.show(
    fig,
    alt=f"Correlation of two pixels against their distance: {by_distance['photograph'][0]:.2f} at 1 pixel, "
    f"{by_distance['photograph'][4]:.2f} at 16 and {by_distance['photograph'][7]:.2f} at 128; "
    "about 0 at every distance once shuffled.",
)

# %% [markdown]
# # Part 4 · The way back
#
# ## {{exercise:transposed_output_size}}
#
# Networks that label every pixel shrink an image and must grow it again. A **transposed convolution** runs
# the arithmetic backwards: it takes a map of the size that a convolution would give, and returns one of the
# size that it would take. Solve $N' = (N + 2P - E)/S + 1$ for $N$:
#
# $$N = (N' - 1)\,S + E - 2P$$
#
# Read it forwards: each of $N'$ inputs paints a stamp of $E$ pixels; the stamps begin $S$ pixels apart;
# where they overlap they add; at the end $P$ pixels are cut off at each end. A stride that made maps
# smaller now makes them larger. The widget's *transposed* mode gives the same numbers by another route: it
# spreads the input with $S - 1$ zeros between its pixels and slides the kernel, turned by 180°, over it.
#
# PyTorch rounds down, so its convolution with kernel 3 and stride 2 takes 7 pixels and 8 pixels to the same
# size 3, and the way back is ambiguous. The argument `output_padding` decides: it adds that many pixels at
# one end of the output. Rounding at stride $S$ loses $S - 1$ pixels at most, so an `output_padding` below the
# stride is always enough. PyTorch also accepts one that is below the dilation. Keep to its rule: raise only
# if `output_padding` is negative, or at least as large as **both** stride and dilation.


# %% exercise="transposed_output_size" difficulty=2 minutes=8
def transposed_output_size(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    """Return the length of a side after a transposed convolution.

    Parameters
    ----------
    size : int, at least 1
        Length of the input's side in pixels.
    kernel, stride, padding, dilation : int
        Of the convolution that is run backwards; ranges as in `output_size`.
    output_padding : int, at least 0
        Pixels added at one end of the output. Below the stride or below the dilation: one of the two is
        enough.

    Returns
    -------
    int
        Length of the output's side in pixels.

    Raises
    ------
    ValueError
        If an argument is out of its range, or if nothing is left of the output.
    """
    ### BEGIN SOLUTION
    if size < 1 or stride < 1 or padding < 0:
        raise ValueError("size and stride must be at least 1, padding at least 0")
    extent = dilated_extent(kernel, dilation)
    if not 0 <= output_padding < max(stride, dilation):
        raise ValueError(f"output_padding {output_padding} must be at least 0 and less than stride or dilation")
    out = (size - 1) * stride + extent - 2 * padding + output_padding
    if out < 1:
        raise ValueError(f"nothing is left: the padding of {padding} cuts off the whole output")
    return out
    ### END SOLUTION


# %% tests="transposed_output_size" points=1
# Back from the lecture's 7 → 5 and 7 → 3; twice the size, as in a U-Net; the ambiguity resolved, 8 → 3 → 8.
check(transposed_output_size, 5, 3).gives(7)
check(transposed_output_size, 3, 3, stride=2).gives(7)
check(transposed_output_size, 4, 4, stride=2, padding=1).gives(8)
check(transposed_output_size, 3, 3, stride=2, output_padding=1).gives(8)
# Dilation, which allows an output_padding too.
check(transposed_output_size, 3, 3, dilation=2).gives(7)
check(transposed_output_size, 3, 3, dilation=2, output_padding=1).gives(8)
# Two pixels more than any rounding lost; all of the output cut off; no stride.
check(transposed_output_size, 3, 3, stride=2, output_padding=2).raises(ValueError)
check(transposed_output_size, 1, 2, padding=1).raises(ValueError)
check(transposed_output_size, 3, 3, stride=0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(transposed_output_size, 0, 3).raises(ValueError)
check(transposed_output_size, 3, 0).raises(ValueError)
check(transposed_output_size, 3, 3, padding=-1).raises(ValueError)
check(transposed_output_size, 3, 3, stride=2, output_padding=-1).raises(ValueError)
check(transposed_output_size, 3, 3, output_padding=1).raises(ValueError)
check(transposed_output_size, 3, 3, stride=2, dilation=3, output_padding=3).raises(ValueError)
rng = np.random.default_rng(65)
for _ in range(8):
    size, kernel, stride, dilation = (int(value) for value in rng.integers(1, 6, 4))
    extra = int(rng.integers(0, max(stride, dilation)))
    # A padding that leaves something of the output.
    padding = int(rng.integers(0, min(3, ((size - 1) * stride + dilation * (kernel - 1) + extra) // 2 + 1)))
    out = torch.nn.functional.conv_transpose1d(
        torch.zeros(1, 1, size),
        torch.zeros(1, 1, kernel),
        stride=stride,
        padding=padding,
        output_padding=extra,
        dilation=dilation,
    )
    check(transposed_output_size, size, kernel, stride, padding, extra, dilation).gives(out.shape[-1])
### END HIDDEN TESTS

# %% [markdown]
# # The headline experiment: where do the weights go, where the work?
#
# First the three wirings of the 200 × 200 image. Then two real networks, layer by layer: LeNet-5 (1998, in
# its modern form with full connections) and AlexNet (2012, drawn for one GPU). The lectures make two claims
# about them: *"most computation is spent on convolutions, most space on fully connected layers"* (B), and
# *fully connected: large number of weights, small number of computations; convolutional: the other way
# round* (D). Your functions do the counting.

# %% experiment seconds=20 covers="58"
counts = connection_counts(200, 200, 10, 10)
for wiring, (weights, multiplications) in counts.items():
    print(f"{wiring:18}{weights:>16,} weights{multiplications:>18,} multiplications")
for wiring, weights, multiplications in [
    ("fully connected", 16_000_000_000, 16_000_000_000),
    ("locally connected", 40_000_000, 40_000_000),
    ("convolutional", 1_000, 40_000_000),
]:
    lesson.target(f"200 × 200 image, {wiring}: weights", counts[wiring][0], exactly=weights)
    lesson.target(f"200 × 200 image, {wiring}: multiplications", counts[wiring][1], exactly=multiplications)

lesson.target("parameters of ten 5 × 5 filters on three channels", conv_parameters(3, 10, 5), exactly=760)
practice = [[2, -1, 2], [2, 0, 9], [0, 5, -2]]
wrong_at_1 = audit_slide(lecture_image, lecture_kernel, practice)
wrong_at_2 = audit_slide(lecture_image, lecture_kernel, [[2, -2], [0, -2]], stride=2)
plain = [tuple(int(number) for number in entry) for entry in wrong_at_2]
print("Errors on the slide at stride 2, as (row, column, claimed, correct):", plain)
lesson.target("wrong entries on the practice slide, stride 1", len(wrong_at_1), exactly=0)
lesson.target("wrong entries on the practice slide, stride 2", len(wrong_at_2), exactly=1)

lesson.reveal(
    "what_sharing_saves",
    answer=2,
    because="Locality divides both by 400 (40,000 pixels against 100). Sharing divides the weights by another 40,000, "
    "the positions of a map, and saves no multiplication: every position is still computed.",
)

# %% experiment seconds=20 covers="59"
# Each layer: name, kind, in_channels, out_channels, kernel, side of its output maps.
# A pooling layer has windows too, so output_size serves it: 2 × 2 at stride 2 in LeNet-5, 3 × 3 at stride 2 in AlexNet.
lenet5 = [
    ("conv1", "conv", 1, 6, 5, output_size(32, 5)),
    ("conv2", "conv", 6, 16, 5, output_size(output_size(28, 2, stride=2), 5)),
    ("fc1", "fc", 16 * 5 * 5, 120, 1, 1),
    ("fc2", "fc", 120, 84, 1, 1),
    ("fc3", "fc", 84, 10, 1, 1),
]
side1 = output_size(227, 11, stride=4)
side2 = output_size(output_size(side1, 3, stride=2), 5, padding=2)
side3 = output_size(output_size(side2, 3, stride=2), 3, padding=1)
pooled = output_size(side3, 3, stride=2)
alexnet = [
    ("conv1", "conv", 3, 96, 11, side1),
    ("conv2", "conv", 96, 256, 5, side2),
    ("conv3", "conv", 256, 384, 3, side3),
    ("conv4", "conv", 384, 384, 3, side3),
    ("conv5", "conv", 384, 256, 3, side3),
    ("fc6", "fc", 256 * pooled * pooled, 4096, 1, 1),
    ("fc7", "fc", 4096, 4096, 1, 1),
    ("fc8", "fc", 4096, 1000, 1, 1),
]

totals = {}
for network, layers in {"LeNet-5": lenet5, "AlexNet": alexnet}.items():
    print(f"\n{network:10}{'output':>14}{'parameters':>14}{'MACs':>16}{'MACs a weight':>16}")
    totals[network] = {"conv": [0, 0], "fc": [0, 0]}
    for name, kind, in_channels, out_channels, kernel, side in layers:
        parameters = conv_parameters(in_channels, out_channels, kernel)
        macs = conv_macs(in_channels, out_channels, kernel, side, side)
        totals[network][kind][0] += parameters
        totals[network][kind][1] += macs
        weights = conv_parameters(in_channels, out_channels, kernel, bias=False)
        print(f"{name:10}{f'{out_channels} × {side} × {side}':>14}{parameters:14,}{macs:16,}{macs // weights:16,}")
    both = np.sum(list(totals[network].values()), axis=0)
    print(f"{'total':10}{'':14}{both[0]:14,}{both[1]:16,}")
shares = {
    network: (100 * of["fc"][0] / (of["fc"][0] + of["conv"][0]), 100 * of["conv"][1] / (of["fc"][1] + of["conv"][1]))
    for network, of in totals.items()
}

print()
lesson.target("LeNet-5, parameters", sum(totals["LeNet-5"][kind][0] for kind in ("conv", "fc")), exactly=61_706)
lesson.target("LeNet-5, MACs", sum(totals["LeNet-5"][kind][1] for kind in ("conv", "fc")), exactly=416_520)
lesson.target(
    "AlexNet without groups, parameters", sum(totals["AlexNet"][kind][0] for kind in ("conv", "fc")), exactly=62_378_344
)


def in_words(count):
    """A count as short as a bar's label has to be."""
    for unit, name in [(10**9, "billion"), (10**6, "million")]:
        if count >= unit:
            return f"{count / unit:g}\n{name}"
    return f"{count:,}"


fig, (left, right) = plots.figure(1, 2, width=9.0, height=3.2)
places = np.arange(3)
for offset, what, colour, hatch in [
    (-0.2, "weights", plots.PALETTE[0], ""),
    (0.2, "multiplications", plots.PALETTE[1], "//"),
]:
    column = 0 if what == "weights" else 1
    heights = [of[column] for of in counts.values()]
    drawn = left.bar(places + offset, heights, 0.38, color=colour, hatch=hatch, edgecolor="white", label=what)
    left.bar_label(drawn, [in_words(height) for height in heights], padding=2, fontsize=8, linespacing=0.95)
left.set(yscale="log", ylim=(1e2, 1e13), title="One layer on 200 × 200 pixels, three wirings")
left.set_xticks(places, list(counts))
left.legend(loc="upper right", ncols=2)
bars = [
    (f"{network}\n{what}", totals[network], column)
    for network in totals
    for column, what in enumerate(["parameters", "MACs"])
]
for place, (_, of, column) in enumerate(bars):
    conv_share = 100 * of["conv"][column] / (of["conv"][column] + of["fc"][column])
    for kind, start, share, colour, hatch in [
        ("convolutional", 0, conv_share, plots.PALETTE[2], ""),
        ("fully connected", conv_share, 100 - conv_share, plots.PALETTE[5], ".."),
    ]:
        right.barh(
            place, share, left=start, color=colour, hatch=hatch, edgecolor="white", label=kind if place == 0 else None
        )
        if share > 12:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            right.text(start + share / 2, place, f"{share:.1f} %", ha="center", va="center", fontsize=9, bbox=box)
right.set(xlabel="share in %", xlim=(0, 100), title="Two networks")
right.set_yticks(range(len(bars)), [name for name, *_ in bars])
right.invert_yaxis()
right.grid(visible=False)
right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
plots.show(
    fig,
    alt="Left, on a logarithmic scale: fully connected 16 billion weights and multiplications, "
    "locally connected 40 million of both, convolutional 1,000 weights and 40 million multiplications. "
    f"Right: fully connected layers hold {shares['LeNet-5'][0]:.1f} % of LeNet-5's and "
    f"{shares['AlexNet'][0]:.1f} % of AlexNet's parameters, convolutions make "
    f"{shares['LeNet-5'][1]:.1f} % and {shares['AlexNet'][1]:.1f} % of the MACs.",
)

# %% [markdown]
# ### What became of the claims
#
# Look at the last column of the tables. A weight of a fully connected layer is used once. A weight of a
# convolution is used at every position of its map: 55 × 55 = 3,025 times in AlexNet's first layer. That is
# all there is to the difference between space and time.

# %% experiment seconds=5 folded=true
fitting = [n for n in range(5, 65) if any(fitted(n, 5, 2, p) != "–" for p in range(5))]
conv = totals["AlexNet"]["conv"]
# conv3 of LeNet-5, as its paper calls it: 5 × 5 kernels on a map of 5 × 5, the same numbers as fc1.
lenet_fc1 = conv_parameters(400, 120, 1)
lenet_fc_share = 100 * (totals["LeNet-5"]["fc"][0] - lenet_fc1) / 61_706
plots.claims(
    [
        plots.Claim(
            "stride-2 practice answer [[2, −2], [0, −2]] (D)",
            f"{len(wrong_at_2)} wrong entry: row {wrong_at_2[0][0]}, column {wrong_at_2[0][1]} is {wrong_at_2[0][3]}",
            "exact arithmetic",
            "does not hold",
        ),
        plots.Claim(
            "AlexNet takes 224 × 224 (A, D)",
            f"(224 − 11)/4 + 1 = {(224 - 11) / 4 + 1}; 227 gives {side1}",
            "kernel 11, stride 4, any symmetric padding",
            "does not hold",
        ),
        plots.Claim(
            "zero padding: fit for filters of any size (D)",
            f"kernel 5, stride 2 fits {len(fitting)} of 60 sizes, the odd ones",
            "sizes 5 to 64, equal padding 0 to 4 at both ends; at stride 1 all fit",
            "partly",
        ),
        plots.Claim(
            "most computation in convolutions, most space in fully connected layers (B)",
            f"AlexNet: {shares['AlexNet'][1]:.1f} % of MACs, {shares['AlexNet'][0]:.1f} % of parameters",
            "without the two-GPU groups",
            "holds",
        ),
        plots.Claim(
            "the same, for LeNet-5",
            f"{shares['LeNet-5'][1]:.1f} % of MACs, {shares['LeNet-5'][0]:.1f} % of parameters; "
            f"with the third layer counted as convolution, as its paper does, {lenet_fc_share:.1f} % of parameters",
            "full connections; the third layer is both: 5 × 5 kernels on a 5 × 5 map",
            "partly",
        ),
        plots.Claim(
            "fully connected: many weights, little computation; convolutional: few weights, much computation (D)",
            f"AlexNet: 1 MAC a weight against {conv[1] / conv[0]:.0f}; but for equal units on 200 × 200, "
            f"fully connected costs {counts['fully connected'][1] // counts['convolutional'][1]} "
            f"times more multiplications",
            "per weight it holds, per hidden unit it is the other way round",
            "partly",
        ),
        plots.Claim(
            "local dependencies and stationarity (B)",
            f"neighbours correlate {by_distance['photograph'][0]:.2f}, pixels 128 apart "
            f"{by_distance['photograph'][-1]:.2f}; quarters {min(quarters):.2f} to {max(quarters):.2f}",
            "one photograph, pixels in a row",
            "holds",
        ),
        plots.Claim(
            "we can learn the filter (A, C)",
            f"edge filter found to within {learning_error:.0e}",
            f"one filter, {training.full_or_fast(61, 21)} steps on a 34 × 34 noise image",
            "holds",
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person. Use figures from this notebook.
#
# **Why convolution? (2 points)** From 16 billion weights to 1,000: (a) Which factor comes from local
# connections and which from sharing? (b) Which property of images justifies each of the two? (c) Name a
# kind of input for which sharing weights over positions would be wrong. (d) The LeNet paper of 1989 wants
# to "reduce the number of free parameters in the network as much as possible without overly reducing its
# computational power". Why does that make correct generalisation more probable?

# %% [markdown] answer="why_sharing" points=2 covers="61"
# ### BEGIN SOLUTION
# (a) Local connections: 40,000 pixels against 100, a factor of 400. Sharing: one filter serves the 40,000
# positions of its map, a factor of 40,000. Together 16 million.
#
# (b) Locality: pixels that lie close depend on each other (the measured correlation of neighbours is close
# to 1 and falls with distance). Sharing: stationarity, the statistics are the same at all positions (the
# four quarters agree), so a detector that is useful in one place is useful in others.
#
# (c) Anything whose positions have meanings of their own: a table of a patient's measurements, pixels in a
# fixed random order, aligned passport photographs (eyes always at the top), a spectrogram along its
# frequency axis.
#
# (d) Fewer free parameters mean fewer functions that the network can represent (reduced entropy, smaller VC
# dimension), so fewer that fit the training data by accident; if the ones that remain still include a good
# solution, a fit on the training data is likelier to be that one.
#
# **Rubric:** 0.5 for each part. (a) both factors; (b) both properties, each tied to the right saving; (c)
# an example with its reason in a few words; (d) links fewer parameters to fewer accidental fits *and* says
# that the good solution must remain.
# ### END SOLUTION

# %% [markdown]
# **Fully connected or convolutional? (1 point)** A colleague writes: "To make my AlexNet smaller on disk I
# shall drop some convolutional filters, and to make it faster I shall shrink fc6 and fc7." What will
# happen, in numbers, and what would you advise?

# %% [markdown] answer="smaller_or_faster" points=1 covers="59"
# ### BEGIN SOLUTION
# It is the wrong way round. The fully connected layers hold 94.0 % of AlexNet's 62.4 million parameters and
# the convolutions the remaining 6.0 %, so dropping filters hardly changes the file. (It also narrows fc6's
# input when they are filters of conv5, which is where most of any saving would come from.) The convolutions
# make 94.8 % of the MACs, so shrinking fc6 and fc7 can save 5.2 % of the work at the very most. To make it
# smaller, shrink or replace the fully connected layers (fc6 alone has 37.8 million parameters); to make it
# faster, use fewer filters, smaller kernels or smaller maps.
#
# **Rubric:** 0.5 for saying that it is the wrong way round, with the two shares (about 94 % and 95 %); 0.5
# for the advice in the right direction for both aims.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. Along each side $(N + 2P - E)/S + 1$ windows fit, with $E = d(K - 1) + 1$; if that is not whole, say so
#    instead of rounding.
# 2. Networks cross-correlate: multiply, sum, do not flip; over channels the maps add up, and each filter
#    gives one map.
# 3. Local fields save weights and multiplications alike (400 times here); sharing saves weights only
#    (40,000 times).
#
# **Can you explain…**
#
# - why 7 pixels, a kernel of 3 and stride 3 are an error here and give 2 in PyTorch?
# - why no equal padding makes a kernel of 5 at stride 2 fit 32 pixels?
# - why the edge kernel does not notice being flipped, and a network would not care if it did?
# - why 760 parameters need 768,000 multiplications?
# - why a transposed convolution needs `output_padding` and a convolution does not?
#
# **Three readings**
#
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285. The
#   relationships of Parts 1 and 4, numbered, with one drawing each; read chapter 4 for the transposed ones.
# - Stanford CS231n, *Convolutional networks* (cs231n.github.io/convolutional-networks). The layer's summary of
#   Part 3, and lecture B's 5 × 5 × 3 example as an animation with numbers; check one of its windows by hand.
# - Y. LeCun et al., *Backpropagation applied to handwritten zip code recognition*, Neural Computation 1 (1989).
#   The source of question (d); read on for how sharing weights puts knowledge of the task into a network.
#
# Next: 06 The convolutional layer, which makes all of this fast and runs it backwards.
