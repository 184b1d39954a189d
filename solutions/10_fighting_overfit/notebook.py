# %% [markdown]
# # 10 Fighting overfit
#
# ![Eight pictures of one cat: the photograph; mirrored; shifted down and to the right with black where nothing is
# known; a crop of it; with noise; twice in other colours, once brighter and once bluer; and all of these
# together.](pictures/augmented.png)
#
# *One photograph, and seven more that show the same cat. The label costs nothing: it stays.*
#
# A network with more parameters than examples can learn its examples by heart. What helps are more examples, invented
# from those at hand; a price on large weights; a network that is never quite whole while it learns; and stopping in
# time. In this notebook you write all four by hand. Then you measure for each a case in which it helps and one in which
# it brings little or harms.
#
# {{card:190}}
#
# A good place to pause is the end of Part 3.
#
# **Afterwards you can**
#
# - write the usual augmentations for a whole batch, each image with its own random numbers;
# - say what AlexNet's colour jitter adds to a picture, and why it depends on the unit of the pixels;
# - convert between the ways in which L1, L2, elastic net and weight decay are written;
# - scale dropout in both ways, and say what a slide leaves out that gives only one of the two numbers;
# - decide from a question about the data, and not from habit, which of these to use.
#
# **You need** backpropagation from [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) and the layout
# $(N, C, H, W)$ from [06 The convolutional layer](../06_convolutional_layer/06_convolutional_layer.ipynb).
#
# **From the lectures** A (AlexNet's augmentation and dropout), B (augmentation, L1 and L2, dropout), C (penalties in
# the loss, dropout).

# %% setup
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("10_fighting_overfit")
check, hint = lesson.check, lesson.hint

# What the experiments measure; the claim table reads it. A gain is an array with one number for each draw.
measured = {}


def photo_batch(*names):
    """Return the middle of photographs as a batch, float32 (N, 3, 128, 128) of 0 to 1."""
    pictures = []
    for name in names:
        photo = data.photograph(name)
        top, left = (photo.shape[0] - 256) // 2, (photo.shape[1] - 256) // 2
        square = photo[top : top + 256, left : left + 256].reshape(128, 2, 128, 2, 3)
        pictures.append(square.mean(axis=(1, 3)).transpose(2, 0, 1) / 255)
    return np.array(pictures, np.float32)


def drawn(images, seed):
    """Return 500 training images and labels, another 500 to hold out, drawn by this seed."""
    chosen = np.random.default_rng(100 + seed).permutation(len(images.x_train))[:1000]
    (x, held_x), (y, held_y) = (np.split(part[chosen], 2) for part in (images.x_train, images.y_train))
    return x, y, held_x, held_y


# %% [markdown]
# # Part 1 · The gap
#
# **Overfitting** is the gap between the loss on the examples that a network was trained on and the loss on others. A
# **regulariser** is anything that is meant to close it. There are two kinds of question to ask of one. Does it bring
# knowledge that the examples do not hold, as "a shifted 3 is still a 3" does? Or does it only make the network less
# able to follow every example, which is worth something where examples are wrong?
#
# ### Before you begin: a prediction
#
# A small ConvNet learns from 500 digits. Once it sees each digit in 60 epochs at its place, once each digit is moved at
# every step by up to 3 pixels up or down and up to 3 to the side. Nobody moves the test digits.

# %% experiment seconds=5
lesson.predict(
    "shifted_digits",
    "How does the share of test digits read right change with the random shifts?",
    [
        "It falls: the network trains on places that the test never shows",
        "It stays within 1 percentage point",
        "It rises by 1 to 2 points",
        "It rises by more than 2 points",
    ],
)

# %% [markdown] covers="77"
# # Part 2 · More examples from the same ones
#
# Lecture B lists augmentations: *flipping, random crop, random translation, colour/brightness change, adding noise*.
# Lecture A tells how AlexNet did it: small translations and reflections, and random shifts along the principal axes of
# colour. AlexNet's pictures were changed by Python on the CPU while the GPU trained on the batch before. The lecture
# adds that this is increasingly a bottleneck today; Part 7 measures what share of a training step it takes here.
#
# The augmentations of Parts 2 and 3 take a batch `x` of shape $(N, C, H, W)$ with numbers from 0 to 1, return a **new**
# array of the same dtype, and treat every image by itself. Where chance decides, a NumPy generator `rng` is handed in,
# and the text says which numbers to draw from it: that makes an augmentation repeatable, and checkable. If you are
# stuck, `hint("flip")` gives a hint, and a stronger one each time.
#
# ## {{exercise:flip}}
#
# A **reflection** mirrors an image left to right. Draw $u$ = `rng.random(N)`, one number in $[0, 1)$ for each image, in
# one call. Image $n$ is mirrored where $u_n < p$:
#
# $$\text{mirrored}_{n,c,i,j} = x_{n,\,c,\,i,\,W-1-j}$$


# %% exercise="flip" difficulty=1 minutes=8 covers="77"
def flip(x, rng, p=0.5):
    """Mirror each image left to right with probability p.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Stays as it is.
    rng : numpy.random.Generator
        Asked once, for `rng.random(N)`.
    p : float, 0 to 1
        Images whose number is smaller than p are mirrored.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Of the dtype of x.

    Raises
    ------
    ValueError
        If p is not between 0 and 1.
    """
    ### BEGIN SOLUTION
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie between 0 and 1, not at {p}")
    mirrored = rng.random(len(x)) < p
    return np.where(mirrored[:, np.newaxis, np.newaxis, np.newaxis], x[..., ::-1], x)
    ### END SOLUTION


# %% tests="flip" points=1
# Two images of two channels and 2 x 3 pixels: all are mirrored with p = 1, none with p = 0.
x = np.arange(24.0).reshape(2, 2, 2, 3)
first, second = (
    [[[2, 1, 0], [5, 4, 3]], [[8, 7, 6], [11, 10, 9]]],
    [[[14, 13, 12], [17, 16, 15]], [[20, 19, 18], [23, 22, 21]]],
)
all_mirrored = [first, second]
check(flip, x, np.random.default_rng(0), 1.0).gives(all_mirrored)
check(flip, x, np.random.default_rng(0), 0.0).gives(x)
# Five images whose numbers are 0.64, 0.27, 0.04, 0.02 and 0.81: the three in the middle are mirrored.
x = np.arange(60, dtype=np.float32).reshape(5, 2, 2, 3)
expected = np.stack([x[0], x[1, :, :, ::-1], x[2, :, :, ::-1], x[3, :, :, ::-1], x[4]])
check(flip, x, np.random.default_rng(0)).gives(expected, dtype=np.float32)
check(flip, x, np.random.default_rng(0), 1.5).raises(ValueError)
check(flip, x, np.random.default_rng(0), -0.1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(flip, x, np.random.default_rng(0), -2.0).raises(ValueError)
for n, c, height, width, p in [(1, 3, 4, 5, 0.7), (9, 1, 3, 2, 0.3), (6, 3, 1, 7, 0.9)]:
    x = np.random.default_rng(1).normal(size=(n, c, height, width))
    numbers = np.random.default_rng(2).random(n)
    expected = np.stack([np.flip(image, 2) if u < p else image for image, u in zip(x, numbers, strict=True)])
    check(flip, x, np.random.default_rng(2), p).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:shift}}
#
# A **translation** by $(d, r)$ moves an image down by $d$ pixels and to the right by $r$; negative numbers move it up
# and to the left. What leaves the frame is lost, and the pixels that become free get the number `fill`:
#
# $$\text{moved}_{n,c,i,j} = \begin{cases} x_{n,\,c,\,i-d_n,\,j-r_n} & \text{if that pixel exists} \\
# \text{fill} & \text{otherwise} \end{cases}$$
#
# Here there is no chance yet: `offsets` holds the pair $(d_n, r_n)$ of each image. Watch the case $d = 0$, in which a
# slice such as `[:-d]` is empty, and shifts as large as the image or larger, after which every pixel is `fill`.


# %% exercise="shift" difficulty=2 minutes=15 covers="77"
def shift(x, offsets, fill=0.0):
    """Move each image by its own whole number of pixels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Stays as it is.
    offsets : ndarray of int, shape (N, 2)
        Pixels down and pixels to the right; any size.
    fill : float
        What pixels get that were outside.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Of the dtype of x.

    Raises
    ------
    ValueError
        If offsets has not the shape (N, 2).
    """
    ### BEGIN SOLUTION
    if np.shape(offsets) != (len(x), 2):
        raise ValueError(f"offsets must have the shape ({len(x)}, 2), not {np.shape(offsets)}")
    height, width = x.shape[2:]
    moved = np.full_like(x, fill)
    for image, target, (down, right) in zip(x, moved, offsets, strict=True):
        if abs(down) < height and abs(right) < width:
            target[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
                :, max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
            ]
    return moved
    ### END SOLUTION


# %% tests="shift" points=1
# Two images of 3 x 4 pixels: one goes down by 1 and right by 2, the other stays.
x = np.arange(1.0, 25.0).reshape(2, 1, 3, 4)
moved = [[[0, 0, 0, 0], [0, 0, 1, 2], [0, 0, 5, 6]]]
check(shift, x, np.array([[1, 2], [0, 0]])).gives([moved, x[1]])
# Up by 1, and left by 3; then to the right, with 99 in the free pixels.
expected = [[[[5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 0]]], [[[16, 0, 0, 0], [20, 0, 0, 0], [24, 0, 0, 0]]]]
check(shift, x, np.array([[-1, 0], [0, -3]])).gives(expected)
by_three = [[99, 99, 99, 1], [99, 99, 99, 5], [99, 99, 99, 9]]
by_one = [[99, 13, 14, 15], [99, 17, 18, 19], [99, 21, 22, 23]]
check(shift, x, np.array([[0, 3], [0, 1]]), fill=99.0).gives([[by_three], [by_one]])
### BEGIN HIDDEN TESTS
for n, c, height, width in [(4, 3, 5, 7), (1, 1, 1, 6), (3, 2, 8, 2)]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, c, height, width))
    offsets = rng.integers(-3, 4, (n, 2))
    expected = np.full(x.shape, 0.5)
    for place in np.ndindex(x.shape):
        row, column = place[2] - offsets[place[0], 0], place[3] - offsets[place[0], 1]
        if 0 <= row < height and 0 <= column < width:
            expected[place] = x[place[0], place[1], row, column]
    check(shift, x, offsets, 0.5).gives(expected)
### END HIDDEN TESTS

# %% tests="shift" points=1
# In the precision that networks use, with three channels; then out of the frame altogether.
x = np.random.default_rng(4).random((2, 3, 4, 5)).astype(np.float32)
expected = np.zeros_like(x)
expected[0, :, 2:, :4] = x[0, :, :2, 1:]
expected[1, :, :3] = x[1, :, 1:]
check(shift, x, np.array([[2, -1], [-1, 0]])).gives(expected, dtype=np.float32)
check(shift, x, np.array([[4, 0], [0, -6]])).gives(np.zeros_like(x))
# One pair for two images, and three numbers for one image.
check(shift, x, np.array([[1, 1]])).raises(ValueError)
check(shift, x, np.array([[1, 1, 0], [0, 1, 1]])).raises(ValueError)
### BEGIN HIDDEN TESTS
check(shift, x, np.array([1, 2])).raises(ValueError)
check(shift, x, np.array([[-9, 9], [7, -1]]), 1.0).gives(np.ones_like(x), dtype=np.float32)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:random_crop}}
#
# A **crop** cuts a square of $S \times S$ pixels out of an image at a random place. AlexNet trained on crops of $224
# \times 224$ from pictures of $256 \times 256$ (227 in the lectures' table). For small images one adds a border of
# zeros first: an image with $P$ pixels of padding on each side has $(H + 2P) \times (W + 2P)$ pixels.
#
# How many places are there for the upper edge? The last one that fits is $H + 2P - S$. Draw the upper edges of all
# images in one call, then the left edges in a second: `rng.integers(0, places, N)` gives $N$ whole numbers from 0 to
# `places` − 1.


# %% exercise="random_crop" difficulty=2 minutes=12 covers="77"
def random_crop(x, size, rng, padding=0):
    """Cut a square out of each image at a random place.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    size : int, at least 1
        Side of the square in pixels.
    rng : numpy.random.Generator
        Asked twice: for N upper edges, then for N left edges; every place that fits is equally likely.
    padding : int, at least 0
        Zeros put on each of the four sides first.

    Returns
    -------
    ndarray, shape (N, C, size, size)
        Of the dtype of x.

    Raises
    ------
    ValueError
        If size is less than 1, padding is negative, or the square does not fit.
    """
    ### BEGIN SOLUTION
    height, width = (side + 2 * padding for side in x.shape[2:])
    if size < 1 or padding < 0 or size > min(height, width):
        raise ValueError(f"no square of {size} pixels fits into {height} × {width} ({padding=})")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    tops = rng.integers(0, height - size + 1, len(x))
    lefts = rng.integers(0, width - size + 1, len(x))
    pairs = zip(padded, tops, lefts, strict=True)
    return np.stack([image[:, top : top + size, left : left + size] for image, top, left in pairs])
    ### END SOLUTION


# %% tests="random_crop" points=1
# A square as large as the image fits at one place only.
x = np.arange(1.0, 19.0).reshape(2, 1, 3, 3)
check(random_crop, x, 3, np.random.default_rng(0)).gives(x)
# Three images of 4 x 6 pixels, a square of 2: upper edges 0 to 2, left edges 0 to 4.
x = np.arange(72.0).reshape(3, 1, 4, 6)
draws = np.random.default_rng(5)
tops, lefts = draws.integers(0, 3, 3), draws.integers(0, 5, 3)
expected = np.stack([x[n, :, tops[n] : tops[n] + 2, lefts[n] : lefts[n] + 2] for n in range(3)])
check(random_crop, x, 2, np.random.default_rng(5)).gives(expected)
check(random_crop, x, 5, np.random.default_rng(5)).raises(ValueError)
check(random_crop, x, 0, np.random.default_rng(5)).raises(ValueError)
### BEGIN HIDDEN TESTS
for n, c, height, width, size in [(5, 3, 7, 4, 3), (1, 2, 1, 9, 1), (6, 1, 5, 5, 4)]:
    x = np.random.default_rng(6).normal(size=(n, c, height, width)).astype(np.float32)
    draws = np.random.default_rng(7)
    tops, lefts = draws.integers(0, height - size + 1, n), draws.integers(0, width - size + 1, n)
    expected = np.stack([x[k, :, tops[k] : tops[k] + size, lefts[k] : lefts[k] + size] for k in range(n)])
    check(random_crop, x, size, np.random.default_rng(7)).gives(expected, dtype=np.float32)
### END HIDDEN TESTS

# %% tests="random_crop" points=1
# With a border: four images of 3 x 4 pixels become 7 x 8, and squares of 4 are cut out of them. float32 stays float32.
x = np.arange(1, 49, dtype=np.float32).reshape(4, 1, 3, 4)
framed = np.zeros((4, 1, 7, 8), np.float32)
framed[:, :, 2:5, 2:6] = x
draws = np.random.default_rng(8)
tops, lefts = draws.integers(0, 4, 4), draws.integers(0, 5, 4)
expected = np.stack([framed[n, :, tops[n] : tops[n] + 4, lefts[n] : lefts[n] + 4] for n in range(4)])
check(random_crop, x, 4, np.random.default_rng(8), padding=2).gives(expected, dtype=np.float32)
check(random_crop, x, 2, np.random.default_rng(8), padding=-1).raises(ValueError)
check(random_crop, x, 6, np.random.default_rng(8), padding=1).raises(ValueError)
### BEGIN HIDDEN TESTS
for n, c, height, width, size, padding in [(3, 2, 4, 5, 4, 2), (2, 3, 1, 1, 3, 4), (5, 1, 6, 3, 5, 1)]:
    x = np.random.default_rng(9).normal(size=(n, c, height, width))
    framed = torch.nn.functional.pad(torch.tensor(x), (padding,) * 4).numpy()
    draws = np.random.default_rng(10)
    tops = draws.integers(0, height + 2 * padding - size + 1, n)
    lefts = draws.integers(0, width + 2 * padding - size + 1, n)
    expected = np.stack([framed[k, :, tops[k] : tops[k] + size, lefts[k] : lefts[k] + size] for k in range(n)])
    check(random_crop, x, size, np.random.default_rng(10), padding).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:add_noise}}
#
# **Noise** adds to every number of the batch a random one of its own, with mean 0 and standard deviation $\sigma$ =
# `std`, and cuts off what leaves the range of pixels:
#
# $$\text{noisy} = \min(\max(x + \sigma z,\; 0),\; 1), \qquad z = \texttt{rng.normal(size=x.shape)}$$
#
# `rng.normal` gives float64. What you return has the dtype of `x`.


# %% exercise="add_noise" difficulty=1 minutes=6 covers="77"
def add_noise(x, std, rng):
    """Add normally distributed noise and keep the numbers between 0 and 1.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        From 0 to 1; stays as it is.
    std : float, at least 0
        Standard deviation of what is added.
    rng : numpy.random.Generator
        Asked once, for `rng.normal(size=x.shape)`.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        Of the dtype of x, from 0 to 1.

    Raises
    ------
    ValueError
        If std is negative.
    """
    ### BEGIN SOLUTION
    if std < 0:
        raise ValueError(f"std must be at least 0, not {std}")
    return np.clip(x + std * rng.normal(size=x.shape), 0, 1).astype(x.dtype)
    ### END SOLUTION


# %% tests="add_noise" points=1
# Without noise nothing changes; then two mid-grey images, on which little noise leaves the range nowhere.
x = np.full((2, 1, 2, 3), 0.5)
check(add_noise, x, 0.0, np.random.default_rng(0)).gives(x)
z = np.random.default_rng(11).normal(size=(2, 1, 2, 3))
check(add_noise, x, 0.1, np.random.default_rng(11)).gives(0.5 + 0.1 * z)
# Much noise is cut off at 0 and at 1; float32 stays float32.
expected = np.where(0.5 + 2 * z > 1, 1, np.where(0.5 + 2 * z < 0, 0, 0.5 + 2 * z))
check(add_noise, x.astype(np.float32), 2.0, np.random.default_rng(11)).gives(expected, rtol=1e-6, dtype=np.float32)
check(add_noise, x, -0.1, np.random.default_rng(11)).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, std in [((1, 3, 4, 5), 0.3), ((3, 1, 2, 2), 1.0)]:
    x = np.random.default_rng(12).random(shape)
    z = np.random.default_rng(13).normal(size=shape)
    expected = torch.clamp(torch.tensor(x) + std * torch.tensor(z), 0, 1).numpy()
    check(add_noise, x, std, np.random.default_rng(13)).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: mix them
#
# Six draws of one photograph, made by **your** functions in the order of the controls. (The colours are the toolkit's
# until you have written Part 3; come back then.)
#
# 1. Turn on one after the other. Up to where would you still give the picture its label at once?
# 2. Which of these pictures could a camera have taken? Which could not?
# 3. Choose the rocket, then the palace. Which augmentation is harmless for one and strange for the other?

# %% widget="augmentation_mixer"
# alt: Six draws of one photograph, mirrored, shifted and cropped by random amounts, below the controls of the mixer.
# picture: AugmentationMixer(flip, shift, random_crop, add_noise, photograph="coffee", shift_by=12, crop=12)
from convnets.widgets import AugmentationMixer

AugmentationMixer(flip, shift, random_crop, add_noise)

# %% [markdown]
# ### Crop and shift are relatives
#
# A crop of the old size with padding $P$ is a shift by at most $P$: where the crop begins at row $t$ of the padded
# image, the content has moved down by $P - t$. The next cell draws both from the same numbers and compares every pixel.

# %% experiment seconds=3
digits_here = data.digits(200, 1).x_train
cropped = random_crop(digits_here, 28, np.random.default_rng(0), padding=3)
again = np.random.default_rng(0)
edges = np.stack([again.integers(0, 7, len(digits_here)), again.integers(0, 7, len(digits_here))], axis=1)
largest = float(np.abs(cropped - shift(digits_here, 3 - edges)).max())
print(f"200 digits, crops of 28 × 28 with padding 3: largest difference to the shifts by 3 − edge: {largest}")
lesson.target("crop with padding 3 against shift, largest difference of a pixel", largest, exactly=0.0)

# %% [markdown]
# So whatever is measured for shifts below holds for such crops too. A crop without padding, AlexNet's, also magnifies:
# its square becomes the whole input.
#
# # Part 3 · Colours
#
# ## {{exercise:colour_axes}}
#
# AlexNet also changed the colours, and not each of red, green and blue by itself: in photographs the three go up and
# down together. Take **every pixel** of the training images as a point with three coordinates. Their mean $\mu$ and
# covariance are
#
# $$\mu = \frac{1}{M}\sum_{m=1}^{M} v_m \qquad C = \frac{1}{M} \sum_{m=1}^{M} (v_m - \mu)(v_m - \mu)^T$$
#
# where $v_m$ is pixel $m$ as a column of three numbers and $M = N H W$ counts the pixels; $C$ has the shape (3, 3).
# (`np.cov` divides by $M - 1$ unless told.) Its eigenvectors $p_1, p_2, p_3$ are the axes along which colours vary
# without correlation, its eigenvalues $\lambda_1 \ge \lambda_2 \ge \lambda_3$ the variances along them. (So $p_k$ is an
# axis in this part, not a probability, and $\lambda_k$ not the price that it is in Part 4.) `np.linalg.eigh` finds both
# for a symmetric matrix; look up in which order it gives them. An eigenvector may come with either sign, both right.


# %% exercise="colour_axes" difficulty=2 minutes=14 covers="77"
def colour_axes(x):
    """Find the principal axes of the colours of all pixels.

    Parameters
    ----------
    x : ndarray, shape (N, 3, H, W)
        Red, green and blue, from 0 to 1.

    Returns
    -------
    eigenvalues : ndarray, shape (3,)
        Variances along the axes, the largest first.
    eigenvectors : ndarray, shape (3, 3)
        Column i is the axis of eigenvalue i, of length 1.

    Raises
    ------
    ValueError
        If x has not three channels.
    """
    ### BEGIN SOLUTION
    if x.ndim != 4 or x.shape[1] != 3:
        raise ValueError(f"x must have the shape (N, 3, H, W), not {x.shape}")
    pixels = x.transpose(1, 0, 2, 3).reshape(3, -1)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    eigenvalues, eigenvectors = np.linalg.eigh(centred @ centred.T / pixels.shape[1])
    return eigenvalues[::-1], eigenvectors[:, ::-1]
    ### END SOLUTION


# %% tests="colour_axes" points=1
def variances(x):
    """eigenvalues, _ = colour_axes(x); eigenvalues"""
    return colour_axes(x)[0]


# Four pixels along the greys: (0, 0, 0), (0.2, 0.2, 0.2), (0.6, 0.6, 0.6) and (1, 1, 1). All variance is on one axis.
greys = np.array([0.0, 0.2, 0.6, 1.0]).reshape(2, 1, 1, 2) * np.ones((1, 3, 1, 1))
check(variances, greys).gives([3 * 0.1475, 0, 0])
# Two images of 2 x 3 pixels, in which red varies most and blue least.
x = np.random.default_rng(14).random((2, 3, 2, 3)) * np.array([1.0, 0.5, 0.2]).reshape(1, 3, 1, 1)
red, green, blue = (x[:, c].ravel() for c in range(3))
covariance = torch.cov(torch.tensor(np.stack([red, green, blue])), correction=0)
check(variances, x).gives(torch.linalg.eigvalsh(covariance).numpy()[::-1].copy())
check(variances, x[:, :2]).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape in [(1, 3, 5, 2), (4, 3, 1, 3)]:
    x = np.random.default_rng(15).random(shape) ** np.array([1, 2, 3]).reshape(1, 3, 1, 1)
    points = np.stack([x[:, c].ravel() for c in range(3)])
    check(variances, x).gives(np.sort(np.linalg.eigvalsh(np.cov(points, bias=True)))[::-1])
check(variances, np.ones((2, 4, 3, 3))).raises(ValueError)
### END HIDDEN TESTS


# %% tests="colour_axes" points=1
def covariance_from_axes(x):
    """eigenvalues, eigenvectors = colour_axes(x); eigenvectors @ np.diag(eigenvalues) @ eigenvectors.T"""
    eigenvalues, eigenvectors = colour_axes(x)
    return eigenvectors @ np.diag(eigenvalues) @ eigenvectors.T


# The axes in columns, in the order of their eigenvalues, give the covariance back. The signs drop out.
x = np.random.default_rng(16).random((2, 3, 2, 3)) * np.array([0.3, 1.0, 0.6]).reshape(1, 3, 1, 1)
points = np.stack([x[:, c].ravel() for c in range(3)])
check(covariance_from_axes, x).gives(np.cov(points, bias=True))
### BEGIN HIDDEN TESTS
for shape in [(3, 3, 4, 2), (1, 3, 6, 5)]:
    x = np.random.default_rng(17).random(shape) ** np.array([3, 1, 2]).reshape(1, 3, 1, 1)
    points = np.stack([x[:, c].ravel() for c in range(3)])
    check(covariance_from_axes, x).gives(np.cov(points, bias=True))
    check(colour_axes, x).satisfies(
        lambda pair: np.allclose(pair[1].T @ pair[1], np.eye(3)), "the axes have length 1 and right angles"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:pca_colour_jitter}}
#
# AlexNet adds one and the same colour to all pixels of an image, another one for each image and each time it is shown:
#
# $$\text{jittered}_{n,c,i,j} = x_{n,c,i,j} + \sum_{k=1}^{3} p_{k,c}\; \alpha_{n,k}\, \lambda_k$$
#
# $p_{k,c}$ is coordinate $c$ of axis $k$, which stands in column $k$ of `eigenvectors`; $\alpha_{n,k}$ is drawn from a
# normal distribution with mean 0 and standard deviation 0.1. Here `alpha` is handed in. Cut the result off at 0 and 1.


# %% exercise="pca_colour_jitter" difficulty=2 minutes=12 covers="77"
def pca_colour_jitter(x, alpha, eigenvalues, eigenvectors):
    """Add to each image one colour along the principal axes, as AlexNet did.

    Parameters
    ----------
    x : ndarray, shape (N, 3, H, W)
        From 0 to 1; stays as it is.
    alpha : ndarray, shape (N, 3)
        How far each image goes along each axis.
    eigenvalues : ndarray, shape (3,)
    eigenvectors : ndarray, shape (3, 3)
        Column k is the axis of eigenvalue k.

    Returns
    -------
    ndarray, shape (N, 3, H, W)
        Of the dtype of x, from 0 to 1.

    Raises
    ------
    ValueError
        If alpha has not the shape (N, 3).
    """
    ### BEGIN SOLUTION
    if np.shape(alpha) != (len(x), 3):
        raise ValueError(f"alpha must have the shape ({len(x)}, 3), not {np.shape(alpha)}")
    colour = (alpha * eigenvalues) @ eigenvectors.T
    return np.clip(x + colour[:, :, np.newaxis, np.newaxis], 0, 1).astype(x.dtype)
    ### END SOLUTION


# %% tests="pca_colour_jitter" points=1
# Axes that need no arithmetic: the first is green, the second blue, the third minus red.
axes = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
values = np.array([0.3, 0.2, 0.04])
x = np.full((2, 3, 1, 2), 0.5)
expected = np.array([[0.5, 0.8, 0.5], [0.48, 0.44, 0.3]])[:, :, None, None] * np.ones((2, 3, 1, 2))
check(pca_colour_jitter, x, np.array([[1.0, 0.0, 0.0], [-0.2, -1.0, 0.5]]), values, axes).gives(expected)
# Far along an axis the colours are cut off; one row of alpha for two images is an error.
far = np.array([[4.0, 0.0, 0.0], [-4.0, 0.0, 5.0]])
expected = np.array([[0.5, 1.0, 0.5], [0.3, 0.0, 0.5]])[:, :, None, None] * np.ones((2, 3, 1, 2))
check(pca_colour_jitter, x, far, values, axes).gives(expected)
check(pca_colour_jitter, x, far[:1], values, axes).raises(ValueError)
### BEGIN HIDDEN TESTS
check(pca_colour_jitter, x, far[:, :2], values, axes).raises(ValueError)
check(pca_colour_jitter, x, far[0], values, axes).raises(ValueError)
### END HIDDEN TESTS

# %% tests="pca_colour_jitter" points=1
# Oblique axes, three images, float32. Every pixel of an image gets the same colour.
rng = np.random.default_rng(18)
axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
values, alpha = np.array([0.9, 0.3, 0.1]), 0.3 * rng.normal(size=(3, 3))
x = rng.random((3, 3, 2, 2)).astype(np.float32)
added = np.array([sum(alpha[n, k] * values[k] * axes[:, k] for k in range(3)) for n in range(3)])
expected = np.minimum(np.maximum(x + added[:, :, None, None], 0), 1)
check(pca_colour_jitter, x, alpha, values, axes).gives(expected, rtol=1e-6, atol=1e-6, dtype=np.float32)
### BEGIN HIDDEN TESTS
for n, height, width in [(1, 3, 1), (4, 2, 5)]:
    x, alpha = rng.random((n, 3, height, width)), 0.4 * rng.normal(size=(n, 3))
    added = torch.einsum("ck,k,nk->nc", *(torch.tensor(part) for part in (axes, values, alpha))).numpy()
    expected = torch.clamp(torch.tensor(x + added[:, :, None, None]), 0, 1).numpy()
    check(pca_colour_jitter, x, alpha, values, axes).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ### Audit: in which unit?
#
# AlexNet's paper scales by the eigenvalues, which are *variances*. A variance has the unit of the pixels squared, and
# the paper does not say whether its pixels run to 1 or to 255. The cell takes the axes of four photographs and asks
# what the formula adds at $\alpha_1 = 0.1$, one standard deviation along the first axis, in the two units and with
# $\sqrt{\lambda}$, which has the unit of the pixels themselves.

# %% experiment seconds=5
photos = photo_batch("cat", "coffee", "flower", "rocket")
eigenvalues, eigenvectors = colour_axes(photos)
first_axis = eigenvectors[:, 0] * np.sign(eigenvectors[:, 0].sum())
share_of_first = float(eigenvalues[0] / eigenvalues.sum())
print(f"eigenvalues {np.round(eigenvalues, 4)}: the first axis holds {share_of_first:.0%} of the variance")
print(f"first axis, as (red, green, blue): {np.round(first_axis, 2)}; a pure grey would be 0.58 three times")
levels = {
    "λ, pixels 0 to 1": 255 * 0.1 * eigenvalues[0],
    "λ, pixels 0 to 255": 0.1 * eigenvalues[0] * 255**2,
    "√λ, either unit": 255 * 0.1 * np.sqrt(eigenvalues[0]),
}
for words, level in levels.items():
    print(f"{words:18}: one standard deviation is {level:7.1f} grey levels of 255")

# %% [markdown]
# In the unit 0 to 255 the formula as printed drives most pictures to black or white, so it can only be meant for pixels
# of a small range. There it changes them very little, as the next figure shows. Along the first axis red, green and
# blue go up together, with most red in these photographs: nearly the *brightness change* of lecture B's list.
#
# ### Each augmentation on real images

# %% experiment seconds=10
photos = photo_batch("cat", "coffee", "flower")
rng = np.random.default_rng(3)
variances, axes = colour_axes(photos)
# Either sign of an axis is right; here each points to more light.
axes_of_colour = variances, axes * np.where(axes.sum(axis=0) < 0, -1, 1)
versions = {
    "photograph": photos,
    "flip": flip(photos, rng, 1.0),
    "shift (12, −20)": shift(photos, np.array([[12, -20]] * 3)),
    "crop of 96": random_crop(photos, 96, rng),
    "noise, std 0.1": add_noise(photos, 0.1, rng),
    "colour, α 0.1": pca_colour_jitter(photos, np.array([[0.1, -0.1, 0.1]] * 3), *axes_of_colour),
    "brighter, α₁ = 1.5": pca_colour_jitter(photos, np.array([[1.5, 0.0, 0.0]] * 3), *axes_of_colour),
    "other hue, α₂ = 5": pca_colour_jitter(photos, np.array([[0.0, 5.0, 0.0]] * 3), *axes_of_colour),
}
pictures = [images[n].transpose(1, 2, 0) for n in range(len(photos)) for images in versions.values()]
titles = [*versions] + [""] * (2 * len(versions))
plots.show(
    plots.images(pictures, titles, columns=len(versions), size=1.35),
    alt=f"Three photographs, a cat, a cup of coffee and a flower, each in {len(versions)} versions: "
    f"{', '.join(versions)}. The shift leaves black bars at the top and at the right, the crop is a closer view, the "
    "noise speckles everything; AlexNet's colour change can hardly be seen, fifteen times as far along the first axis "
    "the picture is plainly brighter, and far along the second axis it changes its hue.",
)

# %% [markdown] covers="78"
# To play with the colours too, go back to the mixer and give it a fifth function:
# `AugmentationMixer(flip, shift, random_crop, add_noise, pca_colour_jitter)`.
#
# Read the columns and ask of each: would the picture still get its label, and could it have been taken? A mirrored cat
# is as likely as the cat; mirrored handwriting is not. The answers are knowledge about the pictures, and that is what
# an augmentation brings.
#
# # Part 4 · A price on weights
#
# ## {{exercise:penalty}}
#
# A **penalty** is added to the loss and grows with the weights. Biases are left out. Three forms are
# common, the last written in two ways:
#
# | name | what is added |
# | --- | --- |
# | L2 | $\lambda_2 \sum w^2$ |
# | L1 | $\lambda_1 \sum \lvert w \rvert$ |
# | elastic net (lecture B) | $\lambda_1 \sum \lvert w \rvert + \lambda_2 \sum w^2$ |
# | elastic net (lecture C) | $\lambda\,(\beta \sum w^2 + \sum \lvert w \rvert)$ |
#
# So lecture C's $\lambda$ and $\beta$ are lecture B's $\lambda_1 = \lambda$ and $\lambda_2 = \lambda \beta$. The sums
# run over all weights of all layers. There is no root in L2 and no mean. The gradient with respect to one weight is
#
# $$\frac{\partial R}{\partial w} = \lambda_1\,\text{sign}(w) + 2 \lambda_2\, w$$
#
# $\lvert w \rvert$ has no derivative at 0; take $\text{sign}(0) = 0$ there. Plain gradient descent with L2 multiplies
# every weight by $1 - 2\lambda_2 \cdot \text{lr}$ at each step, which is why it is also called **weight decay**. SGD's
# `weight_decay`, as AlexNet's $5 \cdot 10^{-4}$, is the whole factor: $2\lambda_2$, not $\lambda_2$. Adam, as in Part
# 7, rescales every gradient, that of L2 too: there L2 is a price still, but not weight decay.


# %% exercise="penalty" difficulty=2 minutes=12 covers="78"
def penalty(weights, l1=0.0, l2=0.0):
    """Compute what L1 and L2 add to the loss, and its gradients.

    Parameters
    ----------
    weights : list of ndarray
        The weights of all layers, of any shapes.
    l1, l2 : float, at least 0
        λ₁ and λ₂.

    Returns
    -------
    value : float
    gradients : list of ndarray
        One for each array of weights, of its shape and dtype.

    Raises
    ------
    ValueError
        If l1 or l2 is negative.
    """
    ### BEGIN SOLUTION
    if l1 < 0 or l2 < 0:
        raise ValueError(f"l1 and l2 must be at least 0, not {l1} and {l2}")
    value = sum(l1 * np.abs(w).sum() + l2 * (w**2).sum() for w in weights)
    return float(value), [l1 * np.sign(w) + 2 * l2 * w for w in weights]
    ### END SOLUTION


# %% tests="penalty" points=1
def value_of(weights, l1=0.0, l2=0.0):
    """value, _ = penalty(weights, l1, l2); value"""
    return penalty(weights, l1, l2)[0]


# Two layers: the sum of |w| is 14, the sum of w² is 38.
two_layers = [np.array([[1.0, -2.0, 0.0], [3.0, 0.0, -4.0]]), np.array([[-2.0], [0.0], [2.0]])]
check(value_of, two_layers, l2=0.5).gives(19.0)
check(value_of, two_layers, l1=0.5).gives(7.0)
# Lecture C's elastic net with λ = 0.1 and β = 3.
check(value_of, two_layers, l1=0.1, l2=0.3).gives(1.4 + 0.3 * 38)
check(value_of, two_layers, l1=-0.1).raises(ValueError)
check(value_of, two_layers, l2=-1.0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(value_of, two_layers, l1=0.5, l2=-0.1).raises(ValueError)
check(value_of, two_layers).gives(0.0)
rng = np.random.default_rng(19)
many = [rng.normal(size=shape) for shape in [(3, 2, 5, 5), (4,), (1, 7)]]
flat = torch.cat([torch.tensor(w).flatten() for w in many])
expected = float(0.2 * torch.linalg.vector_norm(flat, 1) + 0.7 * torch.linalg.vector_norm(flat, 2) ** 2)
check(value_of, many, l1=0.2, l2=0.7).gives(expected)
### END HIDDEN TESTS


# %% tests="penalty" points=1
def gradients_of(weights, l1=0.0, l2=0.0):
    """_, gradients = penalty(weights, l1, l2); gradients"""
    return penalty(weights, l1, l2)[1]


# L2 alone, L1 alone, and both.
two_layers = [np.array([[1.0, -2.0, 0.0], [3.0, 0.0, -4.0]]), np.array([[-2.0], [0.0], [2.0]])]
check(gradients_of, two_layers, l2=0.5).gives([[[1, -2, 0], [3, 0, -4]], [[-2], [0], [2]]])
check(gradients_of, two_layers, l1=0.5).gives([[[0.5, -0.5, 0], [0.5, 0, -0.5]], [[-0.5], [0], [0.5]]])
check(gradients_of, [np.array([2.0, -3.0])], l1=0.1, l2=0.3).gives([[1.3, -1.9]])
check(gradients_of, [np.array([[2.0], [-3.0]], np.float32)], l2=0.3).satisfies(
    lambda gradients: [g.dtype for g in gradients] == [np.float32], "float32 weights have float32 gradients"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(20)
many = [rng.normal(size=shape) for shape in [(2, 3, 3), (5,), (1, 4)]]
tensors = [torch.tensor(w, requires_grad=True) for w in many]
sum(0.4 * w.abs().sum() + 0.9 * (w * w).sum() for w in tensors).backward()
check(gradients_of, many, l1=0.4, l2=0.9).gives([w.grad.numpy() for w in tensors])
check(gradients_of, many, l1=-0.1).raises(ValueError)
### END HIDDEN TESTS


# %% tests="penalty" points=1
def weights_after_a_step(weight, lr, weight_decay):
    """_, (gradient,) = penalty([weight], l2=weight_decay / 2); weight - lr * gradient"""
    _, (gradient,) = penalty([weight], l2=weight_decay / 2)
    return weight - lr * gradient


# PyTorch's SGD with AlexNet's weight_decay, on a loss whose own gradient is 0.
weight = np.array([[10.0, -20.0], [5.0, 0.0]])
tensor = torch.tensor(weight, requires_grad=True)
tensor.grad = torch.zeros_like(tensor)
torch.optim.SGD([tensor], lr=0.5, weight_decay=5e-4).step()
check(weights_after_a_step, weight, 0.5, 5e-4).gives(tensor.detach().numpy())
### BEGIN HIDDEN TESTS
weight = np.random.default_rng(21).normal(size=(3, 2, 4))
check(weights_after_a_step, weight, 0.1, 0.2).gives(0.98 * weight)
### END HIDDEN TESTS

# %% [markdown]
# ### What the two do to a weight
#
# Lecture B: penalties *limit the network capacity by encouraging distributed and sparse weights*. Which of the two
# words belongs to which penalty? Two problems small enough to see it, both solved by gradient descent with your
# gradients. First one weight $w$ that the loss $\frac{1}{2}(w - a)^2$ pulls to $a$. Then two weights whose inputs are
# equal, $\frac{1}{2}(w_1 + w_2 - 1)^2$, from the start $(1, 0)$: the data do not care how the two share the work.


# %% experiment seconds=5
def settled(weights, loss_gradient, l1, l2):
    """Return the weights, shape (D,), after 4,000 steps of gradient descent on loss and penalty."""
    for lr in np.geomspace(0.1, 1e-5, 4000):
        weights = weights - lr * (loss_gradient(weights) + penalty([weights], l1, l2)[1][0])
    return weights


pulled_to = np.linspace(-2, 2, 41)
strengths = {"L1, λ₁ = 0.5": (0.5, 0.0), "L2, λ₂ = 0.5": (0.0, 0.5), "elastic net, 0.25 and 0.25": (0.25, 0.25)}
curves = {name: settled(pulled_to, lambda w: w - pulled_to, *pair) for name, pair in strengths.items()}
shares = {name: settled(np.array([1.0, 0.0]), lambda w: w.sum() - 1, *pair) for name, pair in strengths.items()}
zeros = {name: int((np.abs(curve) < 1e-3).sum()) for name, curve in curves.items()}
for name in strengths:
    first, second = shares[name]
    print(f"{name:27}: {zeros[name]:2} of 41 single weights end at 0; the two end at {first:.3f} and {second:.3f}")

fig, ax = plots.figure(width=5.6, height=3.4)
ax.plot(pulled_to, pulled_to, color="grey", linewidth=1, linestyle=":", label="no penalty")
for name, curve in curves.items():
    ax.plot(pulled_to, curve, label=name)
ax.set(xlabel="a, where the data want the weight", ylabel="where it ends")
ax.legend(fontsize=9)
plots.show(
    fig,
    alt="Where one weight ends against where the data pull it. L1 moves every weight towards 0 by the same amount and "
    f"leaves {zeros['L1, λ₁ = 0.5']} of 41 at 0; L2 halves every weight; the elastic net leaves "
    f"{zeros['elastic net, 0.25 and 0.25']} at 0, and its line lies between the two others.",
)

# %% [markdown] covers="79"
# L1 takes the same amount from every weight, and those that are smaller than it end at 0: **sparse**. L2 takes a share,
# so that no weight gets to 0 by it, and it divides the work among equal inputs: **distributed**. Between equal inputs
# L1 has no preference: $\lvert w_1 \rvert + \lvert w_2 \rvert$ is the same for every split with equal signs, so the two
# stay near the split that they began with, and neither is made 0.
#
# # Part 5 · Dropout
#
# ## {{exercise:dropout}}
#
# In training, **dropout** sets each activation to 0 with probability $p$, by itself and anew for each example. Lecture
# A: *randomly zero activations (with prob. 0.5) during training*, which *reduces co-adaptation of neurons*. What is
# left of a layer is a random part of it, a **thinned net**, so that training *simulates training an ensemble of sparse
# architectures*.
#
# In use, nothing is dropped. Then the next layer would get more than it is used to: an activation $a$ comes through
# with probability $1 - p$, so its mean in training is $(1 - p)\,a$. There are two ways to make training and use agree:
#
# | | training, $m$ = 1 where kept and 0 where dropped | use |
# | --- | --- | --- |
# | **classic**, as in the papers of 2012 and 2014 | $y = m\,x$ | $y = (1 - p)\,x$ |
# | **inverted**, as in PyTorch | $y = m\,x / (1 - p)$ | $y = x$ |
#
# Draw $u$ = `rng.random(x.shape)` in one call; an activation is kept where $u \ge p$. In use `rng` is not asked.
#
# Beware of the letter: in lecture A and in PyTorch $p$ is the probability to *drop*; lecture B's
# $p_{\text{Keep}} = 0.75$ is $1 - p$.


# %% exercise="dropout" difficulty=2 minutes=15 covers="79"
def dropout(x, p, rng, training=True, inverted=True):
    """Drop activations in training, scaled so that training and use agree on average.

    Parameters
    ----------
    x : ndarray, any shape
        Stays as it is.
    p : float, at least 0 and less than 1
        Probability of an activation to be dropped.
    rng : numpy.random.Generator
        In training asked once, for `rng.random(x.shape)`.
    training : bool
    inverted : bool
        Whether to scale in training (inverted) or in use (classic).

    Returns
    -------
    y : ndarray, shape of x
        Of the dtype of x.
    kept : ndarray of bool, shape of x
        True where the activation was kept; in use True everywhere.

    Raises
    ------
    ValueError
        If p is not in the range [0, 1).
    """
    ### BEGIN SOLUTION
    if not 0 <= p < 1:
        raise ValueError(f"p must be at least 0 and less than 1, not {p}")
    if not training:
        return (x.copy() if inverted else x * (1 - p)), np.ones(x.shape, bool)
    kept = rng.random(x.shape) >= p
    return (x * kept / (1 - p) if inverted else x * kept), kept
    ### END SOLUTION


# %% tests="dropout" points=1
# Training, inverted. The numbers drawn are 0.64, 0.27, 0.04 and 0.02, 0.81, 0.91: with p = 0.5, three are kept.
x = np.array([[4.0, 8.0, 12.0], [-4.0, 0.0, 16.0]])
half_kept = np.array([[True, False, False], [False, True, True]])
check(dropout, x, 0.5, np.random.default_rng(0)).gives((np.array([[8.0, 0.0, 0.0], [0.0, 0.0, 32.0]]), half_kept))
# With p = 0.2 four are kept. float32 stays float32, the mask is one of bool; p = 1 leaves nothing to scale.
kept = np.array([[True, True, False], [False, True, True]])
check(dropout, x, 0.2, np.random.default_rng(0)).gives((np.array([[5.0, 10.0, 0.0], [0.0, 0.0, 20.0]]), kept))
check(dropout, x.astype(np.float32), 0.5, np.random.default_rng(0)).satisfies(
    lambda pair: pair[0].dtype == np.float32, "y has the dtype of x, float32"
)
check(dropout, x, 0.5, np.random.default_rng(0)).satisfies(
    lambda pair: pair[1].dtype == bool, "kept has the dtype bool"
)
check(dropout, x, 1.0, np.random.default_rng(0)).raises(ValueError)
check(dropout, x, -0.1, np.random.default_rng(0)).raises(ValueError)
### BEGIN HIDDEN TESTS
check(dropout, x, -1.0, np.random.default_rng(0)).raises(ValueError)
for shape, p in [((2, 3, 4, 5), 0.2), ((7,), 0.9), ((1, 6), 0.0)]:
    x = np.random.default_rng(22).normal(size=shape)
    u = np.random.default_rng(23).random(shape)
    expected = np.where(u < p, 0, x / (1 - p)), u >= p
    check(dropout, x, p, np.random.default_rng(23)).gives(expected)
### END HIDDEN TESTS

# %% tests="dropout" points=1
# The classic way: no scale in training, the probability to keep in use.
x = np.array([[5.0, 10.0, 15.0], [-5.0, 0.0, 20.0]])
half_kept = np.array([[True, False, False], [False, True, True]])
trained = np.array([[5.0, 0.0, 0.0], [0.0, 0.0, 20.0]])
check(dropout, x, 0.5, np.random.default_rng(0), inverted=False).gives((trained, half_kept))
used = np.array([[4.0, 8.0, 12.0], [-4.0, 0.0, 16.0]])
check(dropout, x, 0.2, np.random.default_rng(0), training=False, inverted=False).gives((used, np.ones((2, 3), bool)))
### BEGIN HIDDEN TESTS
x = np.random.default_rng(24).normal(size=(5, 2)).astype(np.float32)
u = np.random.default_rng(25).random((5, 2))
check(dropout, x, 0.6, np.random.default_rng(25), True, False).gives((np.where(u >= 0.6, x, 0), u >= 0.6), rtol=1e-6)
check(dropout, x, 0.6, None, False, False).gives((0.4 * x, np.ones((5, 2), bool)), rtol=1e-6)
### END HIDDEN TESTS


# %% tests="dropout" points=1
def in_use(x, p):
    """y, kept = dropout(x, p, rng, training=False); y, kept, and the next number of rng"""
    rng = np.random.default_rng(26)
    y, kept = dropout(x, p, rng, training=False)
    return y, kept, float(rng.random())


# The inverted way in use: nothing is dropped, nothing is scaled, and rng is not asked.
x = np.array([[0.5, -1.0, 2.0], [4.0, 0.0, -8.0]])
next_number = float(np.random.default_rng(26).random())
check(in_use, x, 0.25).gives((x, np.ones((2, 3), bool), next_number))
check(in_use, x, 1.2).raises(ValueError)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(27).normal(size=(3, 2, 2, 4))
check(in_use, x, 0.9).gives((x, np.ones(x.shape, bool), next_number))


def mean_in_training(inverted):
    """Mean of dropout over 100,000 ones at p = 0.3, rounded to two decimals"""
    y, _ = dropout(np.ones(100_000), 0.3, np.random.default_rng(28), inverted=inverted)
    return round(float(np.mean(y)), 2)


check(mean_in_training, True).gives(1.0)
check(mean_in_training, False).gives(0.7)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:dropout_backward}}
#
# Dropout in training multiplies each activation by a number that does not depend on it: 0 or the scale. So the gradient
# on its way back is multiplied by the same number. `kept` is the mask that `dropout` returned.


# %% exercise="dropout_backward" difficulty=1 minutes=5
def dropout_backward(grad_output, kept, p, inverted=True):
    """Return the gradient of the loss with respect to the input of dropout in training.

    Parameters
    ----------
    grad_output : ndarray, any shape
        ∂L/∂y.
    kept : ndarray of bool, shape of grad_output
    p : float, at least 0 and less than 1
    inverted : bool

    Returns
    -------
    ndarray, shape of grad_output
        Of the dtype of grad_output.
    """
    ### BEGIN SOLUTION
    return grad_output * kept / (1 - p) if inverted else grad_output * kept
    ### END SOLUTION


# %% tests="dropout_backward" points=1
# Where the activation was dropped no gradient comes back. float32 stays float32.
grad_output = np.array([[4.0, 8.0, 12.0], [-4.0, 2.0, 16.0]])
kept = np.array([[True, True, False], [False, True, True]])
check(dropout_backward, grad_output, kept, 0.2).gives([[5.0, 10.0, 0.0], [0.0, 2.5, 20.0]])
check(dropout_backward, grad_output, kept, 0.2, inverted=False).gives([[4.0, 8.0, 0.0], [0.0, 2.0, 16.0]])
single = grad_output.astype(np.float32)
check(dropout_backward, single, kept, 0.2).gives([[5.0, 10.0, 0.0], [0.0, 2.5, 20.0]], rtol=1e-6, dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, p in [((2, 3, 4), 0.8), ((5,), 0.0)]:
    rng = np.random.default_rng(29)
    x, grad_output, kept = rng.normal(size=shape), rng.normal(size=shape), rng.random(shape) >= p
    tensor = torch.tensor(x, requires_grad=True)
    (tensor * torch.tensor(kept) / (1 - p)).backward(torch.tensor(grad_output))
    check(dropout_backward, grad_output, kept, p).gives(tensor.grad.numpy())
check(dropout_backward, grad_output.astype(np.float32), kept, 0.0).gives(
    (grad_output * kept).astype(np.float32), dtype=np.float32
)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: draw thinned nets
#
# Four hidden units, one output. Each click draws another mask from **your** `dropout`; the dots collect the outputs of
# the nets drawn so far, the line is their mean, and the diamond is the whole net in use, scaled by your function.
#
# 1. How many different nets are there? How many draws does the mean need to come near the diamond?
# 2. Change the scaling from inverted to classic. What moves: the dots, the diamond, or both?
# 3. Choose *neither scaled*: lecture B's slide read literally, $p_{\text{Keep}} = 0.75$ in training and 1 in
#    use. Set p to 0.25. How far is the diamond from the mean now?

# %% widget="thinned_nets"
# alt: A net with four hidden units, three of them crossed out, and a strip with the outputs of the thinned nets drawn.
# picture: ThinnedNets(dropout, p=0.5, draws=12)
from convnets.widgets import ThinnedNets

ThinnedNets(dropout)

# %% [markdown]
# ### Is the whole net the mean of the thinned ones?
#
# Lecture B: in use, *no dropout [is] applied, with the interpretation of evaluating an averaged prediction across the
# exponentially-sized ensemble of all sub-networks*. Ten units have $2^{10} = 1024$ sub-networks, few enough to compute
# every one, weighted by its probability. The cell takes a random net with ten droppable units, three classes, and two
# layouts: all ten in the last hidden layer, or five in each of two, with a ReLU between.


# %% experiment seconds=10 covers="79"
def softmax(logits):
    """Return the probabilities of each row."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def all_nets(hidden, p, rng):
    """Return logits (1024, 3) of all thinned nets, their probabilities (1024,), and the logits (3,) of the net in use.

    `hidden` is (10,) for one layer or (5, 5) for two; dropout is inverted.
    """
    masks = (np.arange(1024)[:, None] >> np.arange(10)) % 2
    chance = np.prod(np.where(masks == 1, 1 - p, p), axis=1)
    sizes = (8, *hidden, 3)
    weights = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in pairwise(sizes)]
    x = rng.normal(size=(1, 8))

    def run(scales):
        h = x
        for weight, scale in zip(weights, scales, strict=False):
            h = np.maximum(h @ weight, 0) * scale
        return h @ weights[-1]

    thinned = run(np.split(masks / (1 - p), np.cumsum(hidden)[:-1], axis=1))
    in_use = [dropout(np.ones((1, n)), p, None, training=False)[0] for n in hidden]
    return thinned, chance, run(in_use)[0]


ensemble = {}
for name, hidden in {"one layer of ten": (10,), "two layers of five": (5, 5)}.items():
    apart, spread, probabilities, geometric = [], [], [], []
    for seed in range(20):
        thinned, chance, whole = all_nets(hidden, 0.5, np.random.default_rng(seed))
        apart.append(np.abs(chance @ thinned - whole).max())
        spread.append(np.sqrt(chance @ (thinned - chance @ thinned) ** 2).max())
        probabilities.append(np.abs(chance @ softmax(thinned) - softmax(whole)).max())
        product = np.exp(chance @ np.log(softmax(thinned)))
        geometric.append(np.abs(product / product.sum() - softmax(whole)).max())
    ensemble[name] = max(apart), float(np.mean(apart) / np.mean(spread)), max(probabilities), max(geometric)
    print(f"{name}, 20 random nets, p = 0.5:")
    share = f"on average {ensemble[name][1]:.0%} of their spread"
    print(f"  mean logits against the whole net: at most {max(apart):.1e} apart, {share}")
    print(f"  mean probabilities: at most {max(probabilities):.3f} apart")
    print(f"  geometric mean of the probabilities, made to sum to 1: at most {max(geometric):.1e} apart")
measured["ensemble"] = ensemble
one_layer = ensemble["one layer of ten"][0]
lesson.target("one layer: mean logits of 1,024 nets against the net in use", one_layer, at_most=1e-12)

# %% [markdown]
# With one layer the mean of the *logits* is exact, because the output is linear in the mask, and so the probabilities
# of the net in use are the geometric mean of the sub-networks'. The usual, arithmetic mean of probabilities is another
# number; and with a ReLU after a dropped layer even the logits agree only roughly. The interpretation is exact for
# one layer, and an approximation for deep nets.
#
# # Part 6 · Stopping in time
#
# ## {{exercise:early_stopping}}
#
# The training loss goes on falling while the loss on **held-out** examples, which are not trained on, turns round. One
# keeps the network of the best epoch so far and stops when there has been no improvement for a while. Epochs are
# counted from 0.
#
# - An epoch is an **improvement** if its held-out loss is smaller than the best one so far by *more than* `min_delta`.
#   Only an improvement changes the best. The first epoch is one always.
# - Training stops after the first epoch that is the `patience`-th **in a row** without improvement, or when the losses
#   are used up.
#
# Example, patience 2, min_delta 0: the losses 5, 3, 4, 2, 6, 7, 1 improve at epochs 0, 1 and 3; epochs 4 and 5 do not.
# So the best epoch is 3, six epochs were run, and the 1 that would have come is never seen.


# %% exercise="early_stopping" difficulty=2 minutes=12
def early_stopping(losses, patience, min_delta=0.0):
    """Say which epoch is kept and how many epochs are run.

    Parameters
    ----------
    losses : list of float
        Held-out loss after each epoch, as they would come without stopping.
    patience : int, at least 1
        Epochs in a row without improvement after which training stops.
    min_delta : float, at least 0
        By how much more than this a loss must fall below the best to count.

    Returns
    -------
    best : int
        The epoch of the last improvement, counted from 0.
    epochs : int
        How many epochs were run.

    Raises
    ------
    ValueError
        If losses is empty or patience less than 1.
    """
    ### BEGIN SOLUTION
    if len(losses) == 0 or patience < 1:
        raise ValueError(f"at least one loss and a patience of at least 1 are needed, not {len(losses)} and {patience}")
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] - min_delta:
            best = epoch
        elif epoch - best == patience:
            return best, epoch + 1
    return best, len(losses)
    ### END SOLUTION


# %% tests="early_stopping" points=1
# Two epochs in a row without improvement. Then the example of the text; with more patience the last loss is seen.
check(early_stopping, [5.0, 3.0, 2.0, 4.0, 6.0, 7.0, 8.0], 2).gives((2, 5))
check(early_stopping, [5.0, 3.0, 4.0, 2.0, 6.0, 7.0, 1.0], 2).gives((3, 6))
check(early_stopping, [5.0, 3.0, 4.0, 2.0, 6.0, 7.0, 1.0], 3).gives((6, 7))
# Falling again is not yet an improvement; an equal loss is none either.
check(early_stopping, [4.0, 2.0, 6.0, 5.0, 3.0, 1.0], 3).gives((1, 5))
check(early_stopping, [4.0, 2.0, 2.0, 2.0, 1.0], 2).gives((1, 4))
# Small steps do not count: 9.5 and 9.2 are too near to 10, but 8.9 is not; and 8.2 is too near to 8.9.
check(early_stopping, [10.0, 9.5, 9.2, 8.9, 8.5, 8.7, 8.2, 8.6], 3, min_delta=1.0).gives((3, 7))
# The first epoch is an improvement, also where none follows.
check(early_stopping, [3.0, 4.0, 5.0, 6.0], 2).gives((0, 3))
check(early_stopping, [3.0, 2.0], 0).raises(ValueError)
check(early_stopping, [], 2).raises(ValueError)
### BEGIN HIDDEN TESTS
check(early_stopping, [2.5], 1).gives((0, 1))
check(early_stopping, [1.0, 2.0, 0.5], 1).gives((0, 2))
check(early_stopping, [3.0, 2.0, 1.0], 5).gives((2, 3))
check(early_stopping, [9.0, 8.0, 7.0, 6.0, 5.0], 2, 2.0).gives((0, 3))
check(early_stopping, [5.0, 4.0], -1).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# # Part 7 · What each of them is worth
#
# Two networks do the measuring, both trained with Adam on 500 examples. A small ConvNet of PyTorch's, whose batches go
# through **your** augmentations: two 3 × 3 convolutions of stride 2 with 16 and 32 filters, then 64 units; the learning
# rate falls to 2 % of its start. And an MLP in NumPy with two hidden layers, whose activations go through **your**
# `dropout` and whose weights through **your** `penalty`. The next cell holds both; nothing in it is new.
#
# What counts is the share of *test* examples read right, and beside it stands the share of the *training* examples: the
# distance of the two is the gap. A net with augmentation or dropout never sees the same example twice and needs more
# epochs. So both nets of a comparison get the same number of epochs, and enough for the slower one, but for one case
# that shows what goes wrong otherwise.


# %% experiment seconds=1 folded=true
def accuracy(net, x, y):
    """Return the percentage of images that a PyTorch net labels right."""
    with torch.no_grad():
        return 100 * float((net(torch.from_numpy(x)).argmax(dim=1).numpy() == y).mean())


def train_conv(x, y, seed, augment=None, epochs=60):
    """Train the small ConvNet and return it; `augment(batch, rng)` changes each batch before it is used."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = nn.Sequential(
        *(nn.Conv2d(x.shape[1], 16, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10)),
    ).to(memory_format=torch.channels_last)  # the order of numbers in memory in which a CPU convolves fastest
    epochs = training.full_or_fast(epochs, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3, fused=True)  # one pass over all weights: the same, faster
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, epochs * -(-len(x) // 50))
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 50):
            chosen = order[start : start + 50]
            batch = x[chosen] if augment is None else augment(x[chosen], rng)
            logits = net(torch.from_numpy(np.ascontiguousarray(batch)))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(y[chosen]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            decay.step()
    return net


def shifted_by_3(batch, rng):
    """Move each image by up to 3 pixels up or down and up to 3 to the side."""
    return shift(batch, rng.integers(-3, 4, (len(batch), 2)))


def train_mlp(x, y, held_out, test, seed, width=128, p=0.0, l1=0.0, l2=0.0, epochs=60, every_epoch=True):
    """Train the MLP; return held-out losses and test accuracies in %, (epochs,) each, and the training accuracy in %.

    `x` is (N, D); `held_out` and `test` are pairs of inputs and labels. Without `every_epoch` both are looked at after
    the last epoch alone, (1,) each, which takes half the time.
    """
    rng = np.random.default_rng(seed)
    sizes = (x.shape[1], width, width, 10)
    weights = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(sizes)]
    biases = [np.zeros(b, np.float32) for b in sizes[1:]]
    parameters = weights + biases
    mean, square = ([np.zeros_like(w) for w in parameters] for _ in range(2))
    steps, losses, accuracies = 0, [], []

    def forward(h, training_now):
        layers, masks = [h], []
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            h, kept = dropout(np.maximum(h @ weight + bias, 0), p, rng, training_now)
            layers.append(h)
            masks.append(kept)
        logits = h @ weights[-1] + biases[-1]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return layers, masks, exponentials / exponentials.sum(axis=1, keepdims=True)

    def right_in(inputs, labels):
        return 100 * float((forward(inputs, False)[2].argmax(axis=1) == labels).mean())

    epochs = training.full_or_fast(epochs, 2)
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 50):
            chosen = order[start : start + 50]
            layers, masks, grad = forward(x[chosen], True)
            grad[np.arange(len(chosen)), y[chosen]] -= 1
            grad /= len(chosen)
            grad_weights, grad_biases = [], []
            for i in (2, 1, 0):
                grad_weights.insert(0, layers[i].T @ grad)
                grad_biases.insert(0, grad.sum(axis=0))
                if i:
                    grad = dropout_backward(grad @ weights[i].T, masks[i - 1], p) * (layers[i] > 0)
            if l1 or l2:
                prices = penalty(weights, l1, l2)[1]
                grad_weights = [a + b for a, b in zip(grad_weights, prices, strict=True)]
            steps += 1
            # Adam. Each pass over the weights costs time, so both corrections are taken into the learning rate.
            lr = 1e-3 * (1 - 0.999**steps) ** 0.5 / (1 - 0.9**steps)
            for w, g, m, v in zip(parameters, grad_weights + grad_biases, mean, square, strict=True):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                w -= lr * m / (np.sqrt(v) + 1e-8)
        if every_epoch or epoch + 1 == epochs:
            chance = forward(held_out[0], False)[2][np.arange(len(held_out[1])), held_out[1]]
            losses.append(float(-np.log(chance + 1e-12).mean()))
            accuracies.append(right_in(*test))
    return np.array(losses), np.array(accuracies), right_in(x, y)


def draw_gains(title, gains):
    """Draw the gain in accuracy of each case, a dot for each draw and a bar for their mean; grey: below 0.5 points."""
    fig, ax = plots.figure(width=7.6, height=0.9 + 0.42 * len(gains))
    for row, values in enumerate(gains.values()):
        helps, harms = (plots.PALETTE[0], "o"), (plots.PALETTE[1], "s")
        colour, marker = ("grey", "D") if abs(values.mean()) < 0.5 else helps if values.mean() > 0 else harms
        ax.barh(row, values.mean(), height=0.6, color=colour, alpha=0.3)
        ax.plot(values, np.full(len(values), row), marker, color=colour, markersize=5)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(gains)), list(gains))
    ax.invert_yaxis()
    ax.set(title=title, xlabel="gain in test accuracy, points (dots: draws, bar: mean)")
    means = "; ".join(f"{name}: {values.mean():+.1f}" for name, values in gains.items())
    plots.show(fig, alt=f"Gains in test accuracy in points, mean over the draws. {means}.")


# %% [markdown]
# ### The headline: shifts on 500 digits
#
# Three draws of 500 digits, each trained on with and without shifts, tested on the same 2,000 digits that nobody
# moved. The cell also measures how much of the training time your `shift` takes. (About 20 seconds.)

# %% experiment seconds=55
digits = data.digits(n_test=training.full_or_fast(2000, 200))
plain, moved, by_heart, by_heart_moved = [], [], [], []
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(3, 1)), "draw of digits"):
        x, y, *_ = drawn(digits, seed)
        net = train_conv(x, y, seed)
        by_heart.append(accuracy(net, x, y))
        plain.append(accuracy(net, digits.x_test, digits.y_test))
        net = train_conv(x, y, seed, shifted_by_3)
        by_heart_moved.append(accuracy(net, x, y))
        moved.append(accuracy(net, digits.x_test, digits.y_test))
    batch = digits.x_train[:50]
    shift_ms = timing.cpu_ms(lambda: shifted_by_3(batch, np.random.default_rng(0)))
    ten_steps_ms = timing.cpu_ms(lambda: train_conv(x, y, 0, None, 1), 2)
gain = np.array(moved) - np.array(plain)
measured["shifts, digits"] = gain
shift_share = measured["share of shift"] = shift_ms / (shift_ms + ten_steps_ms / 10)
for way, known, new in (("without shifts", by_heart, plain), ("with shifts", by_heart_moved, moved)):
    print(
        f"{way:14}: read right are {np.mean(known):.1f} % of the training and {np.mean(new):.1f} % of the test digits"
    )
    print(f"{'':14}  a gap of {np.mean(known) - np.mean(new):.1f} points; test digits by draw {np.round(new, 1)} %")
print(f"your shift takes {shift_ms:.1f} ms a batch of 50, {shift_share:.0%} of the CPU time of a training step with it")
lesson.target("gain by shifts of up to 3 pixels on 500 digits, mean", gain.mean(), at_least=2.0, unit="points")

# %% experiment seconds=5
if "shifts, digits" not in measured:
    print("The cell above has not run to its end.")
else:
    mean_gain = float(measured["shifts, digits"].mean())
    lesson.reveal(
        "shifted_digits",
        answer=0 if mean_gain < -1 else 1 if mean_gain <= 1 else 2 if mean_gain <= 2 else 3,
        because=f"The mean gain is {mean_gain:+.1f} points. No test digit is moved by force, but handwriting is never "
        "quite in its place, and a net that has seen each digit in up to 49 places learns strokes instead of pixels.",
    )

# %% [markdown]
# ### The same shifts on clothes, and how long to train
#
# Clothes of Fashion-MNIST fill their frame and always stand alike: one would expect little from shifts. Two draws of
# 500, tested on 2,000 clothes as they stand, and on the same with noise (std 0.3), which no shift prepares for. Each
# pair of nets is trained twice, for 25 epochs and for 100. (About 20 seconds.)

# %% experiment seconds=50
clothes = data.fashion_mnist(5000, training.full_or_fast(2000, 200))
noisy_clothes = add_noise(clothes.x_test, 0.3, np.random.default_rng(2))
known, clean, noisy = {}, {}, {}
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(2, 1)), "draw of clothes"):
        x, y, *_ = drawn(clothes, seed)
        for epochs in (25, 100):
            for way, augment in {"without shifts": None, "with shifts": shifted_by_3}.items():
                net = train_conv(x, y, seed, augment, epochs)
                known.setdefault((way, epochs), []).append(accuracy(net, x, y))
                clean.setdefault((way, epochs), []).append(accuracy(net, clothes.x_test, clothes.y_test))
                noisy.setdefault((way, epochs), []).append(accuracy(net, noisy_clothes, clothes.y_test))
for epochs in (25, 100):
    for way in ("without shifts", "with shifts"):
        shares = (
            f"{np.mean(known[way, epochs]):5.1f} % of the training and {np.mean(clean[way, epochs]):.1f} % of the test"
        )
        print(f"{epochs:3} epochs, {way:14}: read right are {shares} clothes")
    for test, found in {"clothes": clean, "noisy clothes": noisy}.items():
        gain = measured[f"shift, {test}: {epochs} epochs"] = np.array(found["with shifts", epochs]) - np.array(
            found["without shifts", epochs]
        )
        print(f"{epochs:3} epochs, {test}: gain by shifts {gain.mean():+.1f} points ({np.round(gain, 1)})")

# %% [markdown]
# After 25 epochs one would say that shifts harm on clothes. But the net that sees the clothes moved has not even learnt
# its training clothes by then: it is behind, not wrong. A comparison after too few epochs measures the speed of
# learning. Look at the share of the training examples before you judge. On noisy clothes more epochs do not make up for
# the loss: there the shifts harm.
#
# ### Augmentations: where they help, and where not
#
# The same net, 500 pictures, 40 epochs, two draws. (About 20 seconds.) For each augmentation one case that it fits and
# one that it does not fit; for shifts the figure repeats the two cells above.
#
# | augmentation | fits | does not fit |
# | --- | --- | --- |
# | flip | clothes, tested on pictures that face either way | digits |
# | noise, std 0.2 | clothes, tested on noisy pictures (std 0.3) | clothes, tested on clean pictures |
# | colours, std 1 | clothes in lamp light, tested with coloured stray light | tested in the light of training |
# | colours, AlexNet's std 0.1 | the same stray light, for comparison | |
#
# The coloured pictures are the clothes times a lamp's colour (each channel × 0.8 to 1); stray light adds one random
# colour to the whole picture. The noise and the light of the test are drawn once.


# %% experiment seconds=58
def in_lamp_light(images, seed, stray=0.0):
    """Make grey images (N, 1, H, W) coloured ones (N, 3, H, W), with stray light of this standard deviation."""
    rng = np.random.default_rng(seed)
    lit = images * rng.uniform(0.8, 1.0, (len(images), 3, 1, 1)) + stray * rng.normal(size=(len(images), 3, 1, 1))
    return np.clip(lit, 0, 1).astype(np.float32)


def jittered(axes, std):
    """Return an augmentation that moves the colours along these axes."""
    return lambda batch, rng: pca_colour_jitter(batch, std * rng.normal(size=(len(batch), 3)), *axes)


clothes = data.fashion_mnist(5000, training.full_or_fast(1000, 100))
few_digits = data.digits(n_test=training.full_or_fast(1000, 100))
x_test, y_test = clothes.x_test, clothes.y_test
own_tests = {
    "clean": x_test,
    "either way": flip(x_test, np.random.default_rng(1)),
    "noisy": add_noise(x_test, 0.3, np.random.default_rng(2)),
}
lit_tests = {"same light": in_lamp_light(x_test, 3), "stray light": in_lamp_light(x_test, 3, stray=0.3)}
found, by_heart = {}, []
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(2, 1)), "draw"):
        x, y, *_ = drawn(clothes, seed)
        for way, augment in {"none": None, "flip": flip, "noise": lambda b, rng: add_noise(b, 0.2, rng)}.items():
            net = train_conv(x, y, seed, augment, 40)
            by_heart.append(accuracy(net, x, y))
            for name, pictures in own_tests.items():
                found.setdefault((way, name), []).append(accuracy(net, pictures, y_test))
        lit = in_lamp_light(x, seed)
        axes_of_colour = colour_axes(lit)
        for way, std in {"none": None, "colours": 1.0, "AlexNet's": 0.1}.items():
            net = train_conv(lit, y, seed, None if std is None else jittered(axes_of_colour, std), 40)
            by_heart.append(accuracy(net, lit, y))
            for name, pictures in lit_tests.items():
                found.setdefault((way, name), []).append(accuracy(net, pictures, y_test))
        x, y, *_ = drawn(few_digits, seed)
        for way, augment in {"none": None, "flip": flip}.items():
            net = train_conv(x, y, seed, augment, 40)
            by_heart.append(accuracy(net, x, y))
            found.setdefault((way, "digits"), []).append(accuracy(net, few_digits.x_test, few_digits.y_test))
pairs = {
    "flip, clothes facing either way": ("flip", "either way"),
    "flip, digits": ("flip", "digits"),
    "noise, noisy clothes": ("noise", "noisy"),
    "noise, clean clothes": ("noise", "clean"),
    "colours, stray light": ("colours", "stray light"),
    "colours, same light": ("colours", "same light"),
    "AlexNet's colours, stray light": ("AlexNet's", "stray light"),
}
augmentation_gains = {
    name: np.array(found[way, test]) - np.array(found["none", test]) for name, (way, test) in pairs.items()
}
measured |= augmentation_gains
for name, values in augmentation_gains.items():
    without = np.mean(found["none", pairs[name][1]])
    print(f"{name:32} {without:5.1f} % without, gain {values.mean():+5.1f} points ({np.round(values, 1)})")
print(f"every net reads at least {min(by_heart):.1f} % of its training pictures right")
shift_gains = {
    f"shift, {name}": measured[key]
    for name, key in (
        ("digits", "shifts, digits"),
        ("clothes", "shift, clothes: 100 epochs"),
        ("noisy clothes", "shift, noisy clothes: 100 epochs"),
    )
    if key in measured
}
draw_gains("Augmentations, 500 pictures", shift_gains | augmentation_gains)

# %% [markdown]
# An augmentation pays where the test varies in the same way, and the training pictures do not. Where the test shows
# what training shows already, it brings little or costs something; where it invents pictures that mean something
# else, as a mirrored digit, it costs.
#
# ### Penalties, dropout and stopping: right labels and wrong ones
#
# Now the MLP with 128 units in each hidden layer, 60 epochs on 500 digits as they are, and on the same digits after
# 40 % of the labels were drawn anew at random (a tenth of those hit the right label by chance; the held-out labels
# suffer in the same way, the test labels are right). A net that can learn everything by heart learns wrong labels too.
# Last, dropout on a net of 16 units a layer, which has no unit to spare; both nets get 200 epochs, since dropout on so
# few units is slow. The strengths are the same in all cases. They were chosen in a few trials with wrong labels. (About
# half a minute.)

# %% experiment seconds=58
REGULARISERS = {
    "dropout, p = 0.5": {"p": 0.5},
    "L2, λ₂ = 0.02": {"l2": 0.02},
    "L1, λ₁ = 0.003": {"l1": 0.003},
    "elastic net": {"l1": 0.0015, "l2": 0.01},
}
all_digits = data.digits(n_test=training.full_or_fast(1000, 100))
test = all_digits.x_test.reshape(len(all_digits.x_test), -1), all_digits.y_test
ends, by_heart, stopped, runs = {}, {}, {}, {}
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(3, 1)), "draw of digits"):
        x, y, held_x, held_y = drawn(all_digits, seed)
        x, held_x = x.reshape(len(x), -1), held_x.reshape(len(held_x), -1)
        rng = np.random.default_rng(200 + seed)
        wrong_y, wrong_held = (np.where(rng.random(500) < 0.4, rng.integers(0, 10, 500), part) for part in (y, held_y))
        for labels, train_y, hold_y in (("right", y, held_y), ("wrong", wrong_y, wrong_held)):
            for way, options in {"none": {}, **REGULARISERS}.items():
                # The first draw's curves are drawn; early stopping looks at every net without a regulariser.
                every = seed == 0 or way == "none"
                losses, right, known = train_mlp(x, train_y, (held_x, hold_y), test, seed, **options, every_epoch=every)
                ends.setdefault((way, labels), []).append(right[-1])
                by_heart.setdefault((way, labels), []).append(known)
                runs.setdefault((way, labels), (losses, right))
                if way == "none":
                    best, epochs_run = early_stopping(list(losses), patience=5)
                    stopped.setdefault(labels, []).append((right[best], epochs_run))
        for way, options in {"none": {}, "dropout, p = 0.5": {"p": 0.5}}.items():
            nets = {"width": 16, "epochs": 200, "every_epoch": False}
            _, right, known = train_mlp(x, y, (held_x, held_y), test, seed, **nets, **options)
            ends.setdefault((way, "16 units"), []).append(right[-1])
            by_heart.setdefault((way, "16 units"), []).append(known)
for labels in ("right", "wrong"):
    ends["early stopping", labels] = [accuracy_then for accuracy_then, _ in stopped[labels]]
regulariser_gains = {
    f"{way}: {labels} labels": np.array(ends[way, labels]) - np.array(ends["none", labels])
    for way in (*REGULARISERS, "early stopping")
    for labels in ("wrong", "right")
}
small = np.array(ends["dropout, p = 0.5", "16 units"]) - np.array(ends["none", "16 units"])
regulariser_gains["dropout, p = 0.5: right labels, 16 units"] = small
measured |= regulariser_gains
measured["runs"] = runs
for (way, labels), known in by_heart.items():
    shares = f"{np.mean(known):5.1f} % of the training labels and {np.mean(ends[way, labels]):.1f} % of the test labels"
    print(f"{labels:8}, {way:16}: at the end it gives {shares}")
for labels, rows in stopped.items():
    most = len(runs["none", labels][0])
    print(f"{labels:8}: early stopping ran {[int(epochs_run) for _, epochs_run in rows]} epochs of {most}")
for name, values in regulariser_gains.items():
    print(f"{name:42} {values.mean():+6.1f} points ({np.round(values, 1)})")
draw_gains("500 digits, an MLP", regulariser_gains)
lesson.target(
    "gain by dropout with 40 % of the labels drawn anew, mean",
    measured["dropout, p = 0.5: wrong labels"].mean(),
    at_least=5.0,
    unit="points",
)

# %% experiment seconds=5
if "runs" not in measured:
    print("The cell above has not run to its end.")
else:
    runs = measured["runs"]
    stars = []
    fig, axes = plots.figure(1, 2, width=8.6, height=3.6, sharey=True)
    for ax, labels in zip(axes, ("right", "wrong"), strict=True):
        for k, way in enumerate(("none", *REGULARISERS)):
            style = plots.LINES[k % len(plots.LINES)]
            ax.plot(runs[way, labels][1], color=plots.PALETTE[k], linestyle=style, linewidth=1.4, label=way)
        losses, right = runs["none", labels]
        best = early_stopping(list(losses), patience=5)[0]
        ax.plot(best, right[best], "k*", markersize=11, label="early stopping keeps")
        ax.set(title=f"{labels} labels, first draw", xlabel="epoch")
        stars.append(f"{right[best]:.0f} % with {labels} labels")
    axes[0].set(ylabel="test digits read right, %")
    axes[0].legend(fontsize=8)
    peak, last = runs["none", "wrong"][1].max(), runs["none", "wrong"][1][-1]
    slow = (runs["none", "right"][1] - runs["dropout, p = 0.5", "right"][1])[: training.full_or_fast(3, 1)]
    plots.show(
        fig,
        alt="Test accuracy by epoch. With right labels all curves rise and then stay nearly level; dropout is "
        f"{slow[-1]:.0f} points behind after {len(slow)} epochs and catches up. With wrong labels the net without "
        f"any regulariser rises to {peak:.0f} % and ends at {last:.0f} %; at the end "
        + ", ".join(f"{way} has {runs[way, 'wrong'][1][-1]:.0f} %" for way in REGULARISERS)
        + f". Stars mark what early stopping keeps: {' and '.join(stars)}.",
    )

# %% [markdown]
# Read both panels from left to right. With wrong labels the net first learns what the digits have in common, which is
# right, and then each wrong label by heart. Every regulariser hinders the second step, in its own way; the shares of
# the training labels printed above say how much. None forbids it: the curves sink in the end, later and less. With
# right labels there is little to be kept from: read in the figure above what each of them gives or costs then.
#
# ### What became of the claims
#
# Most rows hold two numbers: the gain in a case that fits, and in one that was chosen because it should not. *Holds*:
# at least 1 point in both. *Partly*: in the first only, which is what one expects of a regulariser, by that choice.
# *Does not hold*: less than 1 point even where it should fit.


# %% experiment seconds=5 folded=true
def gain_of(name):
    """Return the gain in words and its mean, or None where its cell has not run to its end."""
    values = measured.get(name)
    return ("not measured", None) if values is None else (f"{values.mean():+.1f} points", float(values.mean()))


def verdict_of(fits, does_not_fit):
    """Judge "it helps" by the mean gain where it should fit and where it should not."""
    if training.fast_mode() or fits is None or does_not_fit is None:
        return "cannot be tested here"
    return "does not hold" if fits < 1 else "holds" if does_not_fit >= 1 else "partly"


rows = []
for slide, fits, does_not_fit, conditions in (
    (
        "translations help (A, B)",
        "shifts, digits",
        "shift, noisy clothes: 100 epochs",
        "500 digits, 60 epochs; 500 clothes, tested on noisy pictures, 100 epochs",
    ),
    (
        "reflections help (A, B)",
        "flip, clothes facing either way",
        "flip, digits",
        "500 clothes, tested facing either way; 500 digits",
    ),
    ("adding noise helps (B)", "noise, noisy clothes", "noise, clean clothes", "tested on noisy, on clean pictures"),
    (
        "shifts along eigen-colours help (A)",
        "colours, stray light",
        "colours, same light",
        "std 1, not 0.1; tested with stray light, in the light of training",
    ),
    ("L2 on weights (B, C)", "L2, λ₂ = 0.02: wrong labels", "L2, λ₂ = 0.02: right labels", ""),
    ("L1 on weights (B, C)", "L1, λ₁ = 0.003: wrong labels", "L1, λ₁ = 0.003: right labels", ""),
    ("elastic net (B, C)", "elastic net: wrong labels", "elastic net: right labels", ""),
    ("dropout prevents overfitting (C)", "dropout, p = 0.5: wrong labels", "dropout, p = 0.5: right labels", ""),
    ("(course) early stopping helps", "early stopping: wrong labels", "early stopping: right labels", ""),
):
    (first, a), (second, b) = gain_of(fits), gain_of(does_not_fit)
    where = conditions or "500 digits: 40 % of the labels drawn anew; all right"
    rows.append(plots.Claim(slide, f"{first}; {second}", where, verdict_of(a, b)))
alexnet, _ = gain_of("AlexNet's colours, stray light")
rows.append(
    plots.Claim(
        "eigen-colours with a standard deviation of 0.1 (A; AlexNet)",
        alexnet,
        "pixels from 0 to 1, clothes with made-up stray light far larger than this jitter, two draws",
        "cannot be tested here",
    )
)
if "ensemble" in measured:
    one, two = measured["ensemble"].values()
    rows.append(
        plots.Claim(
            "in use: an averaged prediction across all sub-networks (B)",
            f"logits: one layer {one[0]:.0e} apart, two layers on average {two[1]:.0%} of their spread; probabilities "
            f"up to {max(one[2], two[2]):.2f} apart",
            "1,024 sub-networks, 20 random nets, p = 0.5",
            "partly" if one[0] < 1e-9 and two[0] > 1e-6 else "holds" if two[0] <= 1e-6 else "does not hold",
        )
    )
kept_mean = float(np.mean(dropout(np.ones(100_000), 0.25, np.random.default_rng(0), True, False)[0]))
inverted_mean = float(np.mean(dropout(np.ones(100_000), 0.25, np.random.default_rng(0), True, True)[0]))
rows.append(
    plots.Claim(
        "training pKeep = 0.75, evaluation pKeep = 1 (B)",
        f"mean of ones in training: {kept_mean:.2f} unscaled, {inverted_mean:.2f} inverted; in use 1",
        "100,000 activations; the slide names no scale",
        "partly" if abs(kept_mean - 1) > 0.1 and abs(inverted_mean - 1) < 0.02 else "does not hold",
    )
)
rows.append(
    plots.Claim(
        "reduces co-adaptation of neurons (A)",
        "not measured",
        "it would need a measure of co-adaptation; the gains above do not tell the reason",
        "cannot be tested here",
    )
)
if "share of shift" in measured:
    share = measured["share of shift"]
    rows.append(
        plots.Claim(
            "transformations on the CPU are increasingly a bottleneck (A)",
            f"your shift takes {share:.0%} of a training step's CPU time",
            "28 × 28 pixels, a small net on one thread, no GPU beside it",
            "cannot be tested here",
        )
    )
plots.claims(rows)

# %% [markdown]
# # In your own words
#
# These two are read by a person.
#
# **Which one, and why (1 point; 0.5 points for each part).** You have 800 X-ray pictures of hands. Some of the labels
# are wrong, and nobody knows which. The pictures come from one hospital; the network will be used in others, whose
# machines give brighter and darker pictures; all are saved as RGB pictures of greys. The question is whether a *left*
# hand is broken; there are no right hands, neither here nor in use. (a) Choose two augmentations of this notebook that
# you would use, in a changed form if you like, and one that you would not, each with its reason. (b) Choose one further
# regulariser against the wrong labels and name the measurement of this notebook that speaks for it.

# %% [markdown] answer="which_one" points=1
# ### BEGIN SOLUTION
# (a) Yes: small shifts, since a hand does not lie in the same place each time; brightness, that is jitter along the
# first colour axis or another brightness change, since the machines differ in it; also small noise. No: flips: they
# invent right hands, which never come, and the side could matter to a reader; larger crops may cut off the break.
#
# (b) Dropout, L2 or early stopping: with 40 % of the labels drawn anew each of them gained many points in "Penalties,
# dropout and stopping", while with right labels they brought little or cost something. Early stopping needs held-out
# pictures, best with labels that were checked.
#
# **Rubric:** (a) 0.5 for two augmentations that fit and one that does not, each with a reason from the task (a
# different choice with a good reason counts); (b) 0.5 for one regulariser and its gain with wrong labels, from the
# figure or the table.
# ### END SOLUTION

# %% [markdown]
# **The missing number (1 point; 0.5 points for each part).** A colleague's network was trained with $p = 0.75$ dropped
# in the hidden layer, behind its ReLU, by the classic way. In use they switch dropout off and forget the factor. After
# the dropout come one linear layer without bias and a softmax. (a) By what factor are the logits wrong, and does the
# class with the largest probability change? (b) What happens to the probabilities, and why would inverted dropout have
# forgiven the omission?

# %% [markdown] answer="missing_number" points=1
# ### BEGIN SOLUTION
# (a) The factor 1 − p = 0.25 is missing, so the hidden activations, and with them the logits, are 4 times too large.
# All logits grow by the same positive factor, so the largest stays the largest: the class does not change.
#
# (b) The softmax of 4 times the logits is much more certain: probabilities move towards 0 and 1, and the loss on wrong
# answers grows. With inverted dropout the scale 1/(1 − p) is in the training; in use there is nothing to do, so there
# is nothing to forget.
#
# **Rubric:** (a) 0.5 for the factor 4 and "the class stays" with its reason; (b) 0.5 for overconfident probabilities
# and for the scale being in training.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. An augmentation is knowledge: it says which changes of a picture keep its label. It helps where the world makes
#    these changes and the training set does not.
# 2. Penalties, dropout and early stopping keep a network from following single examples; they help where single
#    examples mislead, and cost a little where they do not.
# 3. Dropout trains thinned nets that share their weights. Training and use must be scaled alike, in training (inverted)
#    or in use (classic).
#
# **Can you explain …**
#
# - why a flip is good for cats and bad for digits?
# - what a crop with padding has to do with a shift?
# - why the unit of the pixels matters for AlexNet's colours?
# - why L1 gives zeros and L2 does not?
# - where SGD's `weight_decay` differs from $\lambda_2$?
# - for which net the mean of all thinned nets is computed exactly by the whole one?
#
# **Three readings**
#
# - A. Krizhevsky, I. Sutskever, G. Hinton, *ImageNet classification with deep convolutional neural networks*, NIPS
#   2012: section 4, the two forms of augmentation and dropout.
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, *Dropout: a simple way to prevent neural
#   networks from overfitting*, Journal of Machine Learning Research 15 (2014).
# - C. Zhang, S. Bengio, M. Hardt, B. Recht, O. Vinyals, *Understanding deep learning requires rethinking
#   generalization*, ICLR 2017 (arXiv:1611.03530): networks that learn random labels by heart.
#
# Next: 11 Architectures I, counting the classics.
