# %% [markdown]
# # 17 Visualization: what networks see
#
# ![Four pictures that a network has painted. The head of a pink bird with a dark bill, the wing of a butterfly, the
# petals of a flower, and a photograph of a Chinese palace with eyes and snouts in its trees.](pictures/painted.png)
#
# *Nobody painted these. Each was made by asking a network that only knows how to classify: what would you like to see
# more of? You will write what it takes.*
#
# Lectures A and E look into a trained network. There are three ways to look. At its **weights**; at what **excites** a
# unit; and at which pixels of a picture a **decision** depends on. Each of them yields impressive pictures, and each
# can mislead, so every method here is measured and not only admired.
#
# {{card:200}}
#
# The exercises take 118 of these minutes; the others are for reading, playing and the written answers. Take it in two
# sittings: pause after Part 2.
#
# **Afterwards you can**
#
# - draw weights, find the patches that excite a unit most, and say exactly which pixels it sees;
# - make maps of what a decision depends on, by covering, by gradients and by Grad-CAM;
# - test such a map: does it lie on the right thing, and does it notice when the network is replaced?
# - paint what a class or a unit asks for, and say which part of the picture came from the network and which from you.
#
# **You need** [07 Pooling and receptive
# fields](../07_pooling_and_receptive_fields/07_pooling_and_receptive_fields.ipynb) for the fields, and [02 MLP
# backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) for gradients.
#
# **From the lectures** A and E (visualising filters, units, classes; deep dream), and Zeiler and Fergus's figures in B,
# C and D.

# %% setup
import copy
import time
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from convnets import data, plots, seeing, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("17_visualization")
check, hint = lesson.check, lesson.hint


def small_net(inputs=6, classes=3, seed=0, dtype=torch.float64):
    """Return a network of 5 tanh units for pictures (or maps) of `inputs` values."""
    rng = np.random.default_rng([17, seed])
    net = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 5), nn.Tanh(), nn.Linear(5, classes)).to(dtype).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.tensor(rng.normal(size=tuple(parameter.shape))))
    return net


def small_picture(channels=1, height=2, width=3, seed=0, dtype=torch.float64):
    """Return one picture (1, channels, height, width) with values from 0.1 to 0.9."""
    x = np.random.default_rng([71, seed]).uniform(0.1, 0.9, size=(1, channels, height, width))
    return torch.tensor(x).to(dtype)


def slopes_by_hand(net, x, target):
    """Return the gradient of a score of a `small_net` by its inputs, written out in NumPy."""
    a, b = net[1].weight.detach().numpy(), net[3].weight.detach().numpy()
    hidden = np.tanh(a @ x.reshape(-1) + net[1].bias.detach().numpy())
    return ((b[target] * (1 - hidden**2)) @ a).reshape(x.shape)


def resize(x, size):
    """Return pictures (N, C, H, W) scaled to size = (height, width)."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False, antialias=True)


# %% [markdown]
# The tests use `small_net()`, a network with 5 hidden units, `small_picture()`, a picture for it, and `slopes_by_hand`,
# its gradient written out for comparison. `resize` is for you, too.
#
# ## Before you begin: a prediction
#
# There are several methods that draw a map of a picture, from coarse ones of 5 × 5 squares to sharp ones of single
# pixels: what does the network's decision rest on? As a test, the weights in the upper quarter of the network's layers
# are now shuffled, the classifier among them. What the network says is nonsense then. A map that explains its
# *decision* should become a different one.

# %% experiment seconds=5
lesson.predict(
    "which_map_stays",
    "Which maps stay nearly what they were, though the network talks nonsense?",
    [
        "None: they all come from the weights, so they all change beyond recognition",
        "All: what can be seen in a map is mostly the picture",
        "The one that looks sharpest and most convincing to us; the others change",
        "The coarsest one; the others change",
    ],
)

# %% [markdown] covers="137"
# # Part 1 · Weights
#
# A filter of the first layer has as many channels as a picture, three, so it *is* a small picture. Lecture A shows the
# 64 filters of VGG's conv1_1 (and grids of conv2_1, conv3_1 and conv4_1 with 128, 256 and 512), lecture E those of
# AlexNet: edges of all directions, spots of colour.
#
# ## {{exercise:filter_grid}}
#
# Weights have the shape $(N, C, K_h, K_w)$, with $C = 3$ colours or $C = 1$. They are negative and positive, and of any
# size; a picture needs 0 to 1. So each filter is scaled **on its own**, all its channels together:
#
# $$v = \frac{w - \min w}{\max w - \min w}.$$
#
# A filter whose weights are all equal becomes 0.5 everywhere. The tiles are laid out row by row, with places for
# `columns` of them in a row, also if there are fewer filters, and with `gap` pixels between neighbours (none at the
# rim). Gaps and places without a filter are white: 1.


# %% exercise="filter_grid" difficulty=2 minutes=13 covers="137"
def filter_grid(weight, columns, gap=1):
    """Lay out filters as one picture.

    Parameters
    ----------
    weight : ndarray, shape (N, C, K_h, K_w)
        C is 1 or 3. Stays as it is.
    columns : int
        Tiles in a row, also if there are fewer filters.
    gap : int
        White pixels between neighbouring tiles, 0 or more.

    Returns
    -------
    ndarray of float64, shape (rows · K_h + (rows − 1) · gap, columns · K_w + (columns − 1) · gap, C)
        0 to 1, with as many rows as are needed.

    Raises
    ------
    ValueError
        If C is neither 1 nor 3.
    """
    ### BEGIN SOLUTION
    n, c, height, width = weight.shape
    if c not in (1, 3):
        raise ValueError(f"a filter can be drawn with 1 or 3 channels, not with {c}")
    rows = -(-n // columns)
    grid = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, c))
    for i, one in enumerate(weight):
        low, high = one.min(), one.max()
        tile = (one - low) / (high - low) if high > low else np.full(one.shape, 0.5)
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        grid[top : top + height, left : left + width] = tile.transpose(1, 2, 0)
    return grid
    ### END SOLUTION


# %% tests="filter_grid" points=1 covers="137"
# Three grey filters of 2 × 3 weights, two in a row, a gap of 1; the fourth place stays white.
grey = np.array([[[[0.0, 1, 2], [3, 4, 8]]], [[[-4.0, 4, 0], [2, -2, 1]]], [[[5.0, 5, 5], [5, 5, 5]]]])
expected = np.ones((5, 7))
expected[:2, :3] = [[0, 0.125, 0.25], [0.375, 0.5, 1]]
expected[:2, 4:] = [[0, 1, 0.5], [0.75, 0.25, 0.625]]
expected[3:, :3] = 0.5


def shape_and_dtype():
    """filter_grid(three grey filters of 2 × 3, 2): shape and dtype"""
    grid = filter_grid(grey, 2)
    return grid.shape, str(grid.dtype)


def in_grey(weight, columns, gap=1):
    """filter_grid(weight, columns, gap)[..., 0]"""
    return filter_grid(weight, columns, gap)[..., 0]


check(shape_and_dtype).gives(((5, 7, 1), "float64"))
check(in_grey, grey, 2).gives(expected)
# The first two in a row of 3 without a gap: the third place stays white.
check(in_grey, grey[:2], 3, gap=0).gives(
    [[0, 0.125, 0.25, 0, 1, 0.5, 1, 1, 1], [0.375, 0.5, 1, 0.75, 0.25, 0.625, 1, 1, 1]]
)
### BEGIN HIDDEN TESTS
check(filter_grid, grey, 1, 2).satisfies(lambda y: y.shape == (10, 3, 1), "one column with gaps of 2 has 10 × 3 pixels")
check(filter_grid, grey.astype(np.float32), 2).gives(expected[..., None], dtype=np.float64)
### END HIDDEN TESTS


# %% tests="filter_grid" points=1
# One filter in colour: its smallest weight is −1, in green; its largest is 3, in red.
colour = np.array([[[[3.0, 1.0], [0.0, 2.0]], [[-1.0, 0.0], [1.0, 1.0]], [[0.0, 2.0], [-0.5, 0.5]]]])
as_colours = [[[1, 0, 0.25], [0.5, 0.25, 0.75]], [[0.25, 0.5, 0.125], [0.75, 0.5, 0.375]]]
check(filter_grid, colour, 1).gives(as_colours)
# Two in colour below each other, the second ten times as large: each is scaled on its own.
check(filter_grid, np.concatenate([colour, 10 * colour]), 1, gap=2).gives(
    np.concatenate([as_colours, np.ones((2, 2, 3)), as_colours])
)
check(filter_grid, np.zeros((4, 2, 3, 3)), 2).raises(ValueError)
check(filter_grid, np.ones((2, 4, 3, 3)), 2).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(170)
weight = rng.normal(size=(7, 3, 3, 4))
tile = filter_grid
check(tile, weight, 4, 1).satisfies(
    lambda y: (
        y.shape == (7, 19, 3)
        and np.allclose(y[4:7, 5:9], ((weight[5] - weight[5].min()) / np.ptp(weight[5])).transpose(1, 2, 0))
    ),
    "filter 5 lies in the second row, at the second place",
)
### END HIDDEN TESTS

# %% [markdown]
# ### Filters of a trained network, and of an untrained one
#
# EfficientNet-Lite0 has 32 filters of 3 × 3 in three colours. Further up, most of its layers with more than one pixel
# are *depthwise*: each filter sees one channel only, so it can be drawn in grey. The table counts how alike
# neighbouring weights are (the correlation of weights that lie side by side): random weights know nothing of
# neighbours.


# %% experiment seconds=1 folded=true
SIDE = training.full_or_fast(160, 64)
CLASSES = {name: i for i, name in reversed(list(enumerate(data.imagenet_classes())))}


def as_array(x):
    """Return a picture (1, 3, H, W) as (H, W, 3)."""
    return x[0].permute(1, 2, 0).numpy()


CLAIMS = {}


def claim(slide_says, we_measured, conditions, verdict):
    """Keep a line for the table at the end; a run on very little data gives no verdict."""
    verdict = "cannot be tested here" if training.fast_mode() else verdict
    CLAIMS[slide_says] = plots.Claim(slide_says, we_measured, conditions, verdict)


def neighbours_alike(weight):
    """Return the correlation of weights with their right and lower neighbours."""
    pairs = [(weight[..., :-1], weight[..., 1:]), (weight[..., :-1, :], weight[..., 1:, :])]
    a, b = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))
    return float(np.corrcoef(a, b)[0, 1])


# %% experiment seconds=10 covers="137"
eyes = seeing.network().network
layers = {
    "stem": eyes.stem[0].weight,
    "block 1": eyes.blocks[0].path[0].weight,
    "block 5": eyes.blocks[4].path[3].weight,
    "block 13": eyes.blocks[12].path[3].weight,
}
rng = np.random.default_rng(17)
trained_filters = {name: weight.numpy() for name, weight in layers.items()}
untrained_filters = {name: rng.normal(size=tuple(weight.shape)) for name, weight in layers.items()}
alike = {}
print(f"{'layer':10}{'filters':>9}{'size':>7}{'neighbours alike':>19}{'untrained':>11}")
for name, weight in trained_filters.items():
    alike[name] = neighbours_alike(weight)
    print(
        f"{name:10}{len(weight):9}{weight.shape[-1]:5} ×{weight.shape[-2]}{alike[name]:19.2f}"
        f"{neighbours_alike(untrained_filters[name]):11.2f}"
    )
plots.show(
    plots.images(
        [
            filter_grid(trained_filters["stem"], 8),
            filter_grid(trained_filters["block 1"], 8),
            filter_grid(trained_filters["block 13"][:32], 8),
            filter_grid(untrained_filters["stem"], 8),
        ],
        ["stem, 3 × 3 × 3", "block 1, 3 × 3", "block 13, 32 of 5 × 5", "stem, untrained"],
    ),
    alt="Four sheets of 32 filters. The trained ones of the stem show edges and colours, those of block 1 edges and "
    "spots, those of block 13 spots and slopes; untrained ones show coloured noise.",
)
claim(
    "first-layer filters are edges and colours (A, E)",
    f"neighbouring weights correlate by {alike['stem']:.2f}, random ones by "
    f"{neighbours_alike(untrained_filters['stem']):.2f}",
    "EfficientNet-Lite0, 32 filters of 3 × 3",
    "holds" if alike["stem"] > 0.1 else "does not hold",
)

# %% [markdown]
# In the stem you find the lecture's edges and colours, although filters of 3 × 3 leave little room for them. The
# filters of block 13 are smooth too, those of block 5 a little, those of block 1 hardly more than chance. But what are
# they edges *of*? They filter channels that are themselves made of channels, and a picture of the weights does not say
# what those mean. For later layers, the weights alone tell little. So ask instead what excites a unit.
#
# # Part 2 · What excites a unit
#
# A **unit** is one channel of a feature map; it has one **activation** at each position $(i, j)$ of that map. Girshick
# and colleagues (2014) ran a network over many pictures and cut out the patches with the largest activations of a unit:
# people, text, dots, reflections. It needs two things: the positions, and how a position translates into pixels.
#
# ## {{exercise:top_patches}}
#
# Given feature maps of $N$ pictures, find the best position of the unit in each picture, and return the $k$ pictures in
# which it is most active, the best one first. One patch for each picture, otherwise they would all show the same thing.
# Among equals, the earlier picture comes first, and within a picture the upper one, then the one on the left.


# %% exercise="top_patches" difficulty=2 minutes=12 covers="138"
def top_patches(features, unit, k):
    """Find where a unit is most active, once in each picture.

    Parameters
    ----------
    features : ndarray, shape (N, C, H, W)
        Feature maps of N pictures.
    unit : int
        The channel, 0 to C − 1.
    k : int
        How many, 1 to N.

    Returns
    -------
    list of (int, int, int, float)
        Number of the picture, row and column in its feature map, activation; the largest activation first.

    Raises
    ------
    ValueError
        If k is not in 1 to N.
    """
    ### BEGIN SOLUTION
    n, _, _, width = features.shape
    if not 1 <= k <= n:
        raise ValueError(f"there are {n} pictures, so k is 1 to {n}, not {k}")
    flat = features[:, unit].reshape(n, -1)
    best = flat.max(axis=1)
    pictures = np.argsort(-best, kind="stable")[:k]
    places = flat.argmax(axis=1)
    return [(int(i), int(places[i]) // width, int(places[i]) % width, float(best[i])) for i in pictures]
    ### END SOLUTION


# %% tests="top_patches" points=1 covers="138"
# Three pictures, two units, maps of 2 × 3. Unit 1 has its best in picture 2, then 0, then 1.
maps = np.zeros((3, 2, 2, 3))
maps[:, 0] = [[[9.0, 8, 7], [6, 5, 4]], [[1, 2, 3], [4, 5, 30]], [[0, 20, 0], [0, 0, 0]]]
maps[:, 1] = [[[0.5, 1, 4], [2, 3, 0]], [[-3, -2, -1.5], [-8, -2.5, -4]], [[5.5, 0, 0], [0, 6, 5]]]


def found_again():
    """[maps[picture, 1, row, column] for picture, row, column, activation in top_patches(maps, 1, 3)]"""
    return [float(maps[picture, 1, row, column]) for picture, row, column, _ in top_patches(maps, 1, 3)]


check(top_patches, maps, 1, 3).gives([(2, 1, 1, 6.0), (0, 0, 2, 4.0), (1, 0, 2, -1.5)])
check(top_patches, maps, 1, 2).gives([(2, 1, 1, 6.0), (0, 0, 2, 4.0)])
check(top_patches, maps, 0, 1).gives([(1, 1, 2, 30.0)])
# The places are whole numbers: the maps can be asked for them.
check(found_again).gives([6.0, 4.0, -1.5])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(171)
features = rng.normal(size=(6, 3, 4, 7))
every = [(*np.unravel_index(one[2].argmax(), one[2].shape), float(one[2].max())) for one in features]
order = sorted(range(6), key=lambda i: -every[i][2])
check(top_patches, features, 2, 4).gives([(i, int(every[i][0]), int(every[i][1]), every[i][2]) for i in order[:4]])
### END HIDDEN TESTS


# %% tests="top_patches" points=1
# Equal activations: the earlier picture, the upper position, the one on the left.
equal = np.array([[[[0.0, 0, 3], [3, 0, 3]]], [[[1.0, 2, 0], [2, 0, 0]]], [[[0.0, 0, 0], [0, 3, 0]]]])
check(top_patches, equal, 0, 3).gives([(0, 0, 2, 3.0), (2, 1, 1, 3.0), (1, 0, 1, 2.0)])
check(top_patches, equal, 0, 4).raises(ValueError)
check(top_patches, equal, 0, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(top_patches, equal, 0, -1).raises(ValueError)
check(top_patches, equal.astype(np.float32), 0, 1).gives([(0, 0, 2, 3.0)])
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:patch_box}}
#
# Which pixels does the unit at row $i$, column $j$ see? Go through the layers as in module 07, each with kernel size
# $K$, stride $S$, padding $P$ (at the top and the left) and dilation $D$. Three numbers change on the way:
#
# - the **jump** $J$, the distance of neighbouring units in pixels, begins at 1;
# - the **field** $f$, how many pixels a unit spans, begins at 1;
# - the **start** $s$, the first pixel that unit 0 sees, begins at 0.
#
# $$f \leftarrow f + D (K - 1) J, \qquad s \leftarrow s - P J, \qquad J \leftarrow J S ,$$
#
# in this order: the first two use the jump *before* this layer. The unit at row $i$ sees the rows from $s + iJ$ up to
# and without $s + iJ + f$; columns likewise. What lies outside the picture is padding, and the box ends at the rim.


# %% exercise="patch_box" difficulty=2 minutes=9 covers="138"
def patch_box(layers, row, column, height, width):
    """Return the box of pixels that a unit sees.

    Parameters
    ----------
    layers : list of (int, int, int, int)
        Kernel size, stride, padding and dilation of each layer, the first one next to the pixels.
    row, column : int
        The unit's position in its feature map.
    height, width : int
        Size of the picture in pixels.

    Returns
    -------
    (top, left, bottom, right) : tuple of int
        The pixels from top to bottom − 1 and from left to right − 1, within the picture.
    """
    ### BEGIN SOLUTION
    jump, field, start = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        field += dilation * (kernel - 1) * jump
        start -= padding * jump
        jump *= stride
    top, left = start + row * jump, start + column * jump
    return max(top, 0), max(left, 0), min(top + field, height), min(left + field, width)
    ### END SOLUTION


# %% tests="patch_box" points=1 covers="138"
# One layer of 3 × 3, a second one, then the first two with padding 1: at the rim a part of the field is padding.
check(patch_box, [(3, 1, 0, 1)], 2, 5, 10, 12).gives((2, 5, 5, 8))
check(patch_box, [(3, 1, 0, 1), (3, 1, 0, 1)], 2, 5, 10, 12).gives((2, 5, 7, 10))
check(patch_box, [(3, 1, 1, 1), (3, 1, 1, 1)], 4, 1, 10, 12).gives((2, 0, 7, 4))
check(patch_box, [(3, 1, 1, 1), (3, 1, 1, 1)], 9, 11, 10, 12).gives((7, 9, 10, 12))
# No layer: the unit is a pixel.
check(patch_box, [], 3, 7, 10, 12).gives((3, 7, 4, 8))


def cut_from_a_picture():
    """np.zeros((10, 12))[top:bottom, left:right].shape with the box patch_box([(3, 1, 1, 1)], 0, 4, 10, 12)"""
    top, left, bottom, right = patch_box([(3, 1, 1, 1)], 0, 4, 10, 12)
    return np.zeros((10, 12))[top:bottom, left:right].shape


check(cut_from_a_picture).gives((2, 3))


# %% tests="patch_box" points=1
# Strides, paddings, dilation: (5, 2, 1), then (3, 2, 1), then (3, 1, 2) with dilation 2.
strided = [(5, 2, 1, 1), (3, 2, 1, 1)]
dilated = [*strided, (3, 1, 2, 2)]
check(patch_box, strided, 3, 5, 60, 80).gives((9, 17, 18, 26))
check(patch_box, dilated, 6, 7, 60, 80).gives((13, 17, 38, 42))
check(patch_box, dilated, 13, 1, 60, 80).gives((41, 0, 60, 18))
check(patch_box, [(2, 2, 0, 1), (4, 3, 2, 1), (3, 1, 0, 3)], 2, 4, 50, 70).gives((8, 20, 50, 64))


### BEGIN HIDDEN TESTS
def pixels_seen(layers, unit, size):
    """Collect the pixels below a unit, layer by layer from the top: no formula in it."""
    seen = {unit}
    for kernel, stride, padding, dilation in reversed(layers):
        seen = {i * stride - padding + a * dilation for i in seen for a in range(kernel)}
    return max(min(seen), 0), min(max(seen) + 1, size)


def by_collecting(layers, row, column, height, width):
    """The same by collecting pixels."""
    (top, bottom), (left, right) = pixels_seen(layers, row, height), pixels_seen(layers, column, width)
    return top, left, bottom, right


for block, row, column in [(3, 20, 0), (5, 7, 19), (8, 4, 5)]:
    stack = seeing.layers_up_to(block, 160)
    check(patch_box, stack, row, column, 160, 160).gives(by_collecting(stack, row, column, 160, 160))
### END HIDDEN TESTS

# %% [markdown]
# ### Is the box exact?
#
# The album of this notebook has 216 pictures: the stamps on grey, and ten photographs. Three units of
# EfficientNet-Lite0, each with the four pictures in which it is most active. Then the test: everything **outside** the
# box is replaced by noise. If the box is right, the activation does not change by anything. And with a box that is one
# pixel smaller?


# %% experiment seconds=2 folded=true
ALBUM = training.full_or_fast(None, 24)
UNITS = ((3, 11), (5, 8), (8, 16))


def album_maps():
    """Return the feature maps of the album behind four blocks, computed once."""
    return seeing.album_maps((3, 5, 8, 11), SIDE, ALBUM)


def picture_of(number):
    """Return a picture of the album, (1, 3, SIDE, SIDE)."""
    return torch.from_numpy(seeing.album(SIDE)[number].copy()).permute(2, 0, 1)[None] / 255


def activation_of(x, block, unit, row, column):
    """Return one activation as a number."""
    with torch.no_grad():
        return float(seeing.network().maps(x, block)[0, unit, row, column])


def with_noise_outside(x, box, shrink=0):
    """Replace all pixels outside a box by noise; the box loses `shrink` pixels on each side first."""
    top, left, bottom, right = box
    inside = torch.zeros_like(x)
    inside[..., top + shrink : bottom - shrink, left + shrink : right - shrink] = 1
    noise = torch.tensor(np.random.default_rng(17).uniform(size=tuple(x.shape)), dtype=x.dtype)
    return inside * x + (1 - inside) * noise


def cut_out(x, box):
    """Return the pixels of a box as a square picture; white is beyond the rim."""
    top, left, bottom, right = box
    side = max(bottom - top, right - left)
    page = np.ones((side, side, 3))
    down = side - (bottom - top) if top == 0 else 0
    over = side - (right - left) if left == 0 else 0
    page[down : down + bottom - top, over : over + right - left] = as_array(x)[top:bottom, left:right]
    return page


# %% experiment seconds=40 covers="138"
patches, titles, exact_errors, smaller_errors = [], [], [], []
for block, unit in UNITS:
    layers_below = seeing.layers_up_to(block, SIDE)
    for number, row, column, value in top_patches(album_maps()[block], unit, 4):
        box = patch_box(layers_below, row, column, SIDE, SIDE)
        x = picture_of(number)
        now = activation_of(x, block, unit, row, column)
        exact_errors.append(abs(activation_of(with_noise_outside(x, box), block, unit, row, column) - now) / abs(now))
        smaller = with_noise_outside(x, box, shrink=1)
        smaller_errors.append(abs(activation_of(smaller, block, unit, row, column) - now) / abs(now))
        patches.append(cut_out(x, box))
        titles.append(f"block {block}, unit {unit}: {value:.1f}")
        print(f"block {block} unit {unit:3} picture {number:3} box {box} activation {value:6.2f}")
plots.show(
    plots.images(patches, titles),
    alt="Three rows of four patches, drawn equally large: the four that excite one unit most. The fields are 19, "
    "67 and 147 pixels wide, cut at the rim. Block 3: turquoise surfaces; block 5: legs of animals; "
    "block 8: an orange, a kiwi, a tripod and a mandarin.",
)
largest_error = max(exact_errors)
print(f"noise outside the box changes the activation by at most {largest_error:.1e} (relative)")
print(
    f"with a box one pixel smaller on each side by up to {100 * max(smaller_errors):.1f} %, "
    f"half of them by less than {100 * np.median(smaller_errors):.1f} %"
)
lesson.target("largest relative change by noise outside the boxes", largest_error, at_most=1e-4)
claim(
    "patches that excite a unit most have something in common (E)",
    f"noise outside the boxes changes an activation by {largest_error:.0e}; the rest is yours to judge",
    f"{len(patches)} patches of three units",
    "cannot be tested here",
)

# %% [markdown]
# Patches of one row often have something in common that can be put into words: a texture, a colour, a kind of edge. Not
# every row: block 8's unit likes three round fruits, and a tripod. Nothing outside the box matters, to the last digits
# of float32; so the box is exact. The rim of the field hardly counts, though: without its outermost pixels most
# activations change by little, a few by a tenth (module 07: the *effective* field is smaller than the field).
#
# ### Play: a unit and its patches
#
# 1. Choose a unit of block 3 and describe it in three words. Then look at all nine patches: does your description hold?
# 2. Do the same in block 8. Which units are hard to put into words?
# 3. Where in the boxes is what the patches have in common? Why do boxes at the rim look cut off?
# 4. In block 11 the field is larger than the picture. What can the boxes still tell?

# %% widget="unit_explorer" covers="138"
# alt: Nine pictures of the album in which one unit of block 5 is most active, each with the box of pixels that it sees.
from convnets.widgets import UnitExplorer

UnitExplorer(top_patches, patch_box)

# %% [markdown] covers="144"
# ### What in the patch was it? Zeiler and Fergus
#
# A patch shows what the unit *could* have seen. Zeiler and Fergus (2013) wanted to know which part of it counted. They
# sent the activation back through the network to the pixels. Lectures B, C and D show their grids: for each unit the
# nine best patches, and beside each patch what came back.
#
# Going back through a convolution is its gradient (module 06). The three methods differ at the ReLU only. Let $z$ be
# what went into it on the way up, and $g$ what comes to it on the way back:
#
# | method | what passes the ReLU on the way back |
# | --- | --- |
# | gradient (saliency) | $g$ where $z > 0$, otherwise 0 |
# | Zeiler and Fergus's "deconvolution" | $g$ where $g > 0$, otherwise 0 |
# | **guided** backpropagation (Springenberg et al. 2015) | $g$ where $z > 0$ and $g > 0$, otherwise 0 |
#
# Only the first one is the derivative of anything. (EfficientNet-Lite0 has ReLU6, which also stops at 6; "where $z >
# 0$" is then "where $0 < z < 6$". And the deconvolution was made for networks with max pooling, whose switches remember
# where a maximum was; this network has none.)


# %% experiment seconds=2 folded=true
BACK_UNITS = ((5, 8), (11, 4))


class BackwardRule(torch.autograd.Function):
    """ReLU6 with a rule of its own for the way back."""

    @staticmethod
    def forward(ctx, z, rule):
        ctx.save_for_backward(z)
        ctx.rule = rule
        return z.clamp(0, 6)

    @staticmethod
    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        passes = torch.ones_like(z, dtype=torch.bool)
        if ctx.rule != "deconvolution":
            passes &= (z > 0) & (z < 6)
        if ctx.rule != "gradient":
            passes &= g > 0
        return torch.where(passes, g, 0), None


class RuledReLU6(nn.Module):
    """Stands in the place of a ReLU6."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, z):
        return BackwardRule.apply(z, self.rule)


def ruled(network, rule):
    """Return the network itself, with the rule put into every ReLU6."""
    for part in list(network.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.ReLU6 | RuledReLU6):
                setattr(part, name, RuledReLU6(rule))
    return network


@cache
def guided_network(rule):
    """Return a second copy of the network in which gradients go back by a rule."""
    return ruled(copy.deepcopy(seeing.network()), rule)


def sent_back(x, block, unit, row, column, rule):
    """Send one activation back to the pixels; returns (1, 3, H, W), 0 where nothing arrived."""
    pixels = x.clone().requires_grad_(True)
    value = guided_network(rule).maps(pixels, block)[0, unit, row, column]
    return torch.autograd.grad(value, pixels)[0]


def visible(back):
    """Return what was sent back as a picture: grey is 0."""
    strong = float(back.abs().flatten().kthvalue(int(0.998 * back.numel())).values)
    return (0.5 + back / (2 * strong + 1e-12)).clamp(0, 1)


# %% experiment seconds=30 covers="144"
shown, titles = [], []
alike_back = {"gradient": [], "deconvolution": [], "guided": []}
with timing.one_thread():
    for block, unit in BACK_UNITS:
        layers_below = seeing.layers_up_to(block, SIDE)
        sent = {rule: [] for rule in alike_back}
        for number, row, column, _ in top_patches(album_maps()[block], unit, 2):
            box = patch_box(layers_below, row, column, SIDE, SIDE)
            shown.append(cut_out(picture_of(number), box))
            titles.append(f"block {block}, unit {unit}")
            for rule, pictures in sent.items():
                back = sent_back(picture_of(number), block, unit, row, column, rule)
                # The same pixels around the unit for both patches: two jumps to each side.
                middle = [int(place * SIDE / album_maps()[block].shape[-1]) for place in (row, column)]
                reach = 2 * SIDE // album_maps()[block].shape[-1]
                pictures.append(
                    np.pad(as_array(back), ((reach, reach), (reach, reach), (0, 0)))[
                        middle[0] : middle[0] + 2 * reach, middle[1] : middle[1] + 2 * reach
                    ]
                )
                shown.append(cut_out(visible(back), box))
                titles.append(rule)
        for rule, (first, second) in sent.items():
            alike_back[rule].append(float(np.corrcoef(first.ravel(), second.ravel())[0, 1]))
plots.show(
    plots.images(shown, titles),
    alt="Rows of four: a patch, and what its unit's activation sends back by gradient, deconvolution and guided "
    "backpropagation. The gradient is noisy, the deconvolution is nearly the same grid for both patches of a unit, and "
    "the guided picture is the sparsest.",
)
for rule, values in alike_back.items():
    print(f"{rule:14} correlation of what two patches of one unit send back: {', '.join(f'{v:.2f}' for v in values)}")

# %% [markdown]
# The gradient is noisy. The **deconvolution** sends back nearly the same grid for both patches (the printed
# correlations of the pixels around the unit): without the switches of max pooling, nothing on the way back knows the
# picture. Zeiler and Fergus's network had them, so their grids do depend on it; in this network, the method tells
# nothing about a patch. The **guided** pictures are the clearest: in the upper block one sees the edges that belong to
# the patch.
#
# The grids in the lectures look as convincing, and from them comes the well-known ladder: layer 1 edges, layer 2
# corners and textures, layer 3 parts, layers 4 and 5 objects. Keep one question in mind until the end of Part 3: are
# the outlines what the *unit* responds to, or are they the outlines of the *picture*, which another network would send
# back as well?
#
# # Part 3 · What a decision depends on
#
# Now one picture and one class. A **map** gives each place a number: how much does the score of the class depend on it?
#
# ## {{exercise:occlusion_map}}
#
# The most honest method changes the picture and looks (Zeiler and Fergus, lecture E). A square of `side` × `side`
# pixels is set to `fill`, in all channels, and the score of class `target` is read. Then the square moves on by `step`
# pixels. The entry $(a, b)$ of the map is the score with the square's upper left corner at row $a \cdot \text{step}$,
# column $b \cdot \text{step}$. The square always lies wholly within the picture, so the map has
#
# $$\Big(\Big\lfloor \frac{H - \text{side}}{\text{step}} \Big\rfloor + 1\Big) \times
# \Big(\Big\lfloor \frac{W - \text{side}}{\text{step}} \Big\rfloor + 1\Big)$$
#
# entries. A **low** score means: what was covered there mattered. Use `torch.no_grad()`, and give the model several
# covered pictures at once, say one row of the map: that is faster than one by one.


# %% exercise="occlusion_map" difficulty=2 minutes=13 covers="139"
def occlusion_map(model, x, target, side, step, fill=0.0):
    """Return the score of a class while a square moves over a picture.

    Parameters
    ----------
    model : nn.Module
        Maps (N, C, H, W) to scores (N, classes).
    x : Tensor, shape (1, C, H, W)
        The picture; stays as it is.
    target : int
        The class.
    side, step : int
        Side of the square and how far it moves, in pixels.
    fill : float
        Value of the covered pixels.

    Returns
    -------
    Tensor, shape ((H − side) // step + 1, (W − side) // step + 1)
        Scores; needs no gradient.

    Raises
    ------
    ValueError
        If the square is larger than the picture.
    """
    ### BEGIN SOLUTION
    height, width = x.shape[-2:]
    if side > height or side > width:
        raise ValueError(f"a square of {side} pixels does not fit into {height} × {width}")
    rows = []
    with torch.no_grad():
        for top in range(0, height - side + 1, step):
            covered = []
            for left in range(0, width - side + 1, step):
                one = x.clone()
                one[..., top : top + side, left : left + side] = fill
                covered.append(one)
            rows.append(model(torch.cat(covered))[:, target])
    return torch.stack(rows)
    ### END SOLUTION


# %% tests="occlusion_map" points=1 covers="139"
def sums(height, width):
    """Return a model with two scores: the sum of all values, and their sum weighted by 0, 1, 2 and so on."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(height * width, 2, bias=False)).double()
    with torch.no_grad():
        net[1].weight.copy_(torch.stack([torch.ones(height * width), torch.arange(height * width)]))
    return net


# A picture of 2 × 3 pixels with the sum 21; the first score adds up what is left. The second, 70 in all, weights it.
six = torch.tensor([[[[1.0, 2, 3], [4, 5, 6]]]], dtype=torch.float64)
check(occlusion_map, sums(2, 3), six, 0, 1, 1).gives([[20.0, 19, 18], [17, 16, 15]], dtype=np.float64)
check(occlusion_map, sums(2, 3), six, 0, 2, 1).gives([[9.0, 5]])
check(occlusion_map, sums(2, 3), six, 1, 1, 2).gives([[70.0, 64]])
check(occlusion_map, sums(2, 3), six, 0, 1, 1, fill=0.5).gives([[20.5, 19.5, 18.5], [17.5, 16.5, 15.5]])
### BEGIN HIDDEN TESTS
check(occlusion_map, sums(2, 3), six, 1, 2, 3, 1.0).gives([[44.0]])
### END HIDDEN TESTS


# %% tests="occlusion_map" points=1
def needs_gradient():
    """occlusion_map(small_net(), small_picture(), 0, 1, 1).requires_grad"""
    return bool(occlusion_map(small_net(), small_picture(), 0, 1, 1).requires_grad)


# Two colours of 5 × 8 pixels, a square of 2 that moves by 3; then a square of 3 that moves by 2.
colours = small_picture(2, 5, 8)
check(occlusion_map, small_net(80), colours, 2, 2, 3).gives(
    [[-5.506979043, -5.244843273, -5.367880778], [-4.654020006, -4.176721731, -5.309939973]], rtol=1e-6
)
check(occlusion_map, small_net(80), colours, 1, 3, 2, 0.25).gives(
    [[2.533475021, 2.432022742, 2.328378296], [2.63381397, 2.657926088, 2.518034742]], rtol=1e-6
)
check(needs_gradient).gives(False)
# The square may fill the picture; it may not be larger, in either direction.
check(occlusion_map, small_net(4), small_picture(1, 2, 2), 0, 2, 1).gives([[-2.530564299]], rtol=1e-6)
check(occlusion_map, small_net(), small_picture(), 0, 3, 1).raises(ValueError)
check(occlusion_map, small_net(), small_picture(1, 3, 2), 0, 3, 1).raises(ValueError)


### BEGIN HIDDEN TESTS
def by_hand(net, x, target, side, step, fill):
    """The same for a `small_net`, in NumPy, one covered picture at a time."""
    (a, c), (b, d) = ((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in (net[1], net[3]))
    rows = (x.shape[2] - side) // step + 1
    columns = (x.shape[3] - side) // step + 1
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            one = x.numpy().copy()
            one[:, :, i * step : i * step + side, j * step : j * step + side] = fill
            result[i, j] = (b @ np.tanh(a @ one.ravel() + c) + d)[target]
    return result


odd = small_picture(3, 7, 4, seed=3)
check(occlusion_map, small_net(84, seed=3), odd, 0, 2, 2, 0.5).gives(by_hand(small_net(84, seed=3), odd, 0, 2, 2, 0.5))
### END HIDDEN TESTS

# %% [markdown]
# ### A cup behind a square
#
# A square of zeros moves over the photographed coffee. The network sees an espresso, sometimes a cup; covering a part
# can turn the one into the other, so the score is the probability of **either**. The same is then done to the cat, with
# the five kinds of cat that the network knows.


# %% experiment seconds=2 folded=true
CATS = seeing.AnyOf(("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"))
CUPS = seeing.AnyOf(("espresso", "cup"))
COVER, COVER_STEP = training.full_or_fast((56, 8), (24, 20))


def spread_out(small, height, width):
    """Return a map (h, w) as an array of height × width."""
    return resize(torch.as_tensor(small)[None, None].float(), (height, width))[0, 0].numpy()


def drop_by_pixel(scores, before, side, step, size):
    """Return how much the score falls on average when a pixel is covered, (size, size)."""
    total, times = np.zeros((size, size)), np.zeros((size, size))
    for i, line in enumerate(np.asarray(scores)):
        for j, score in enumerate(line):
            place = (slice(i * step, i * step + side), slice(j * step, j * step + side))
            total[place] += before - score
            times[place] += 1
    return total / np.maximum(times, 1)


def laid_over(picture, heat):
    """Return a picture (H, W, 3) darkened where a map is low."""
    bright = np.clip(heat / max(float(np.quantile(heat, 0.99)), 1e-12), 0, 1)
    return picture * (0.25 + 0.75 * bright[..., None])


# %% experiment seconds=40 covers="139"
coffee = seeing.photograph("coffee", SIDE)
with timing.one_thread():
    p_before = float(CUPS(coffee)[0, 0])
    p_covered = occlusion_map(CUPS, coffee, 0, COVER, COVER_STEP)
    p_with_grey = occlusion_map(CUPS, coffee, 0, COVER, 2 * COVER_STEP, fill=0.5)
    p_cat = occlusion_map(CATS, seeing.photograph("cat", SIDE), 0, COVER, 2 * COVER_STEP)
top, left = (COVER_STEP * int(place) for place in divmod(int(p_covered.argmin()), p_covered.shape[1]))
worst_cup = coffee.clone()
worst_cup[..., top : top + COVER, left : left + COVER] = 0
p_worst = float(p_covered.min())
what_mattered = drop_by_pixel(p_covered, p_before, COVER, COVER_STEP, SIDE)
print(f"p(espresso or cup): {p_before:.3f}; with the worst square, at row {top} and column {left}, {p_worst:.3f}")
print(f"half of all squares leave at least {float(p_covered.median()):.3f}")
print(
    f"at every other place the worst black square leaves {float(p_covered[::2, ::2].min()):.3f}, the worst grey one "
    f"{float(p_with_grey.min()):.3f}; "
    f"p(any cat) behind its worst square {float(p_cat.min()):.3f}"
)
plots.show(
    plots.images(
        [as_array(coffee), p_covered.numpy(), laid_over(as_array(coffee), what_mattered), as_array(worst_cup)],
        [f"p = {p_before:.2f}", "p by place of the square", "what mattered", f"worst square: {p_worst:.2f}"],
        vmin=0,
        vmax=1,
    ),
    alt=f"A cup of coffee; the map of probabilities by the square's upper left corner, so its dark places lie above "
    f"and to the left of what mattered; the cup, bright where it "
    f"mattered; the cup behind the worst square, with which p falls from {p_before:.2f} to {p_worst:.2f}.",
)

# %% [markdown]
# The map answers a question that everybody understands: *what happens if this is not there?* Most places do not matter;
# one does. (A place is the square's upper left *corner*, so the dark spot of the second picture lies above and to the
# left of what mattered.) And it has its limits. At the same places, a grey square does less harm than a black one, so
# black is itself something that the network sees. No square of this size takes the cat away: it fills the picture, and
# what is covered in one place is to be seen in another. What *two* squares would do together stays unknown.
#
# ### Play: your own square
#
# Drag the square over the picture, or move it with the arrow keys. The map is computed by **your** `occlusion_map`.
#
# 1. The coffee: where does the square hurt most? What does the network say then?
# 2. Make the square smaller. From which side on does no place take the cup away any more?
# 3. Fill with grey or white in place of black: does the map stay the same?
# 4. The cat: how large must a square be to hide it, and where?
# 5. Take "tiger and zebra", score tiger. What happens when you cover the zebra? Covering can raise a score.

# %% widget="occluder" covers="139"
# alt: A cup of coffee with a black square over its middle, the map of probabilities for every place, and bars.
# picture: Occluder(occlusion_map, row=24, column=48)
from convnets.widgets import Occluder

Occluder(occlusion_map)

# %% [markdown]
# ## {{exercise:saliency}}
#
# Covering takes hundreds of runs. One gradient says for all pixels at once how the score $s_t$ changes when a pixel
# changes a little (Simonyan et al. 2013). A pixel has $C$ channels; the largest of them counts:
#
# $$M_{ij} = \max_c \Big| \frac{\partial s_t}{\partial x_{c i j}} \Big| .$$
#
# The score is the model's own output for class $t$, not its probability: the probability also rises when other classes
# fall. Take the gradient by a copy, `x.detach().clone().requires_grad_(True)`, with
# `torch.autograd.grad(score, copy)`, which returns a tuple of one and leaves nothing in the `.grad` of the parameters.


# %% exercise="saliency" difficulty=1 minutes=7
def saliency(model, x, target):
    """Return how strongly a score reacts to each pixel.

    Parameters
    ----------
    model : nn.Module
        Maps (1, C, H, W) to scores (1, classes). The gradients of its parameters are not changed.
    x : Tensor, shape (1, C, H, W)
        Stays as it is.
    target : int
        The class.

    Returns
    -------
    Tensor, shape (H, W)
        0 or more.
    """
    ### BEGIN SOLUTION
    pixels = x.detach().clone().requires_grad_(True)
    (slopes,) = torch.autograd.grad(model(pixels)[0, target], pixels)
    return slopes[0].abs().amax(dim=0)
    ### END SOLUTION


# %% tests="saliency" points=1
def left_behind():
    """saliency(net, x, 1): how many parameters of net have a .grad? Does x need a gradient?"""
    net, x = small_net(), small_picture()
    saliency(net, x, 1)
    return sum(parameter.grad is not None for parameter in net.parameters()), bool(x.requires_grad)


def is_a_tensor():
    """Is saliency(net, x, 1) a PyTorch tensor?"""
    return torch.is_tensor(saliency(small_net(), small_picture(), 1))


# A linear model for two colours of 1 × 3 pixels: the weights are the slopes.
linear = nn.Sequential(nn.Flatten(), nn.Linear(6, 2, bias=False)).double()
with torch.no_grad():
    linear[1].weight.copy_(torch.tensor([[1.0, -5, 0.5, -2, -4, 0.25], [0, 1, -3, 2, -0.5, 7]]))
check(saliency, linear, small_picture(2, 1, 3), 0).gives([[2.0, 5.0, 0.5]])
check(saliency, linear, small_picture(2, 1, 3), 1).gives([[2.0, 1.0, 7.0]])
# A net that bends, one channel, then three.
check(saliency, small_net(), small_picture(), 2).gives(
    [[0.702776786, 0.650138549, 0.644901252], [0.039066168, 1.806278136, 0.557727459]], rtol=1e-6
)
check(saliency, small_net(24, seed=1), small_picture(3, 2, 4, seed=1), 1).gives(
    [[0.27464481, 0.174429178, 0.136090903, 0.326323718], [0.19725083, 0.197825206, 0.229983198, 0.248323893]],
    rtol=1e-6,
)
check(left_behind).gives((0, False))
check(is_a_tensor).gives(True)
### BEGIN HIDDEN TESTS
other, other_picture = small_net(30, seed=2), small_picture(2, 5, 3, seed=2)
check(saliency, other, other_picture, 0).gives(np.abs(slopes_by_hand(other, other_picture.numpy(), 0))[0].max(axis=0))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:grad_cam}}
#
# Single pixels are noisy. **Grad-CAM** (Selvaraju et al. 2017) asks the feature maps of a late layer instead, which are
# coarse, but know what they see. Cut the network in two: `features` maps the picture to maps $A$ with $K$ channels of
# $h \times w$ positions, `head` maps these to the scores. The weight of a channel is the *mean* of its gradients over
# all positions, and the map is the weighted sum of the channels, of which only the positive part is kept, because it is
# what speaks *for* the class:
#
# $$\alpha_k = \frac{1}{h\, w} \sum_{i,j} \frac{\partial s_t}{\partial A_{k i j}}, \qquad
# M_{ij} = \mathrm{ReLU}\Big(\sum_k \alpha_k A_{k i j}\Big).$$
#
# Weights may be negative; the ReLU comes last. The map has the size of the feature maps; it is enlarged for drawing
# only. The networks may be frozen, so that `features(x)` has no graph: detach the maps and let them ask for the
# gradient themselves, `.detach().requires_grad_(True)`.


# %% exercise="grad_cam" difficulty=2 minutes=14
def grad_cam(features, head, x, target):
    """Return where the features speak for a class.

    Parameters
    ----------
    features : nn.Module
        Maps (1, C, H, W) to feature maps (1, K, h, w).
    head : nn.Module
        Maps feature maps to scores (1, classes). The gradients of its parameters are not changed.
    x : Tensor, shape (1, C, H, W)
    target : int
        The class.

    Returns
    -------
    Tensor, shape (h, w)
        0 or more; needs no gradient.
    """
    ### BEGIN SOLUTION
    maps = features(x).detach().requires_grad_(True)
    (slopes,) = torch.autograd.grad(head(maps)[0, target], maps)
    weights = slopes[0].mean(dim=(1, 2))
    return torch.einsum("k,khw->hw", weights, maps[0]).relu().detach()
    ### END SOLUTION


# %% tests="grad_cam" points=1
def two_maps():
    """Return features that double the first map and quadruple the second, and a head whose slopes are known."""
    features = nn.Conv2d(2, 2, 1, groups=2, bias=False).double()
    head = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False)).double()
    slopes = [[1.0, 2, 0, 3, 0, 0, -1, 0, -4, 0, -1, 0], [-2, 0, 1, 0, -1, -1, 3, 6, 0, 0, 3, 0]]
    with torch.no_grad():
        features.weight.copy_(torch.tensor([2.0, 4.0]).reshape(2, 1, 1, 1))
        head[1].weight.copy_(torch.tensor(slopes))
    return features, head


# The feature maps are [[1, 2, 0], [4, 0.5, 2]] and [[1, 0, 4], [2, 3, −1.5]]. For class 0 the mean slopes are 1 and −1,
# for class 1 they are −0.5 and 2.
x = torch.tensor([[[[0.5, 1, 0], [2, 0.25, 1]], [[0.25, 0, 1], [0.5, 0.75, -0.375]]]], dtype=torch.float64)
check(grad_cam, *two_maps(), x, 0).gives([[0.0, 2.0, 0.0], [2.0, 0.0, 3.5]])
check(grad_cam, *two_maps(), x, 1).gives([[1.5, 0.0, 8.0], [2.0, 5.75, 0.0]])
### BEGIN HIDDEN TESTS
check(grad_cam, *two_maps(), 2 * x, 0).gives([[0.0, 4.0, 0.0], [4.0, 0.0, 7.0]])
### END HIDDEN TESTS


# %% tests="grad_cam" points=1
def convolving(seed):
    """Return features of three maps: one convolution of 2 × 2 of two colours, and tanh."""
    rng = np.random.default_rng([172, seed])
    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Tanh()).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.tensor(rng.normal(size=tuple(parameter.shape))))
    return net


def mapped(height, width, target, seed):
    """grad_cam(a convolution with tanh, a net, a picture of two colours, target), both with frozen parameters"""
    features = convolving(seed).requires_grad_(False)
    head = small_net(3 * (height - 1) * (width - 1), seed=seed).requires_grad_(False)
    return grad_cam(features, head, small_picture(2, height, width, seed=seed), target).numpy()


def left_behind():
    """grad_cam(features, head, x, 0): how many parameters have a .grad? Does the map need a gradient?"""
    features, head = convolving(0), small_net(18)
    found = grad_cam(features, head, small_picture(2, 3, 4), 0)
    given = sum(parameter.grad is not None for net in (features, head) for parameter in net.parameters())
    return given, bool(found.requires_grad)


check(left_behind).gives((0, False))
# Networks whose parameters need no gradient, as below. They bend: three maps of 3 × 4 positions, then of 4 × 2.
check(mapped, 4, 5, 2, 0).gives(
    [
        [0, 0, 0.21198865, 0.313521652],
        [0.312888931, 0.091076546, 0.17112792, 0.412922452],
        [0.023419556, 0.237793717, 0.342739887, 0.199973645],
    ],
    rtol=1e-6,
)
check(mapped, 5, 3, 1, 1).gives([[0, 0], [0, 0.006405568], [0, 0.010141183], [0.010152545, 0.008628988]], rtol=1e-6)


### BEGIN HIDDEN TESTS
def by_hand(height, width, target, seed):
    """The formula, with the slopes of the head written out."""
    with torch.no_grad():
        maps = convolving(seed)(small_picture(2, height, width, seed=seed)).numpy()
    slopes = slopes_by_hand(small_net(maps.size, seed=seed), maps, target)[0]
    alpha = slopes.reshape(3, -1).mean(axis=1)
    return np.maximum(sum(a * one for a, one in zip(alpha, maps[0], strict=True)), 0)


for height, width, target, seed in [(3, 3, 1, 2), (6, 4, 0, 3)]:
    check(mapped, height, width, target, seed).gives(by_hand(height, width, target, seed))
### END HIDDEN TESTS

# %% [markdown]
# ### Two animals, one picture
#
# Which of the maps is right? Nobody knows what a network "really" looks at, so here are pictures with a clear answer:
# two stamps side by side. A map for the left one should lie on the left half. For each method we count which share of
# the map does.


# %% experiment seconds=2 folded=true
PAIRS = training.full_or_fast(
    (("zebra", "rooster"), ("tiger", "pink_flamingo"), ("penguin", "strawberry"), ("peacock", "zebra")),
    (("zebra", "rooster"),),
)
CLASS_OF = {
    "zebra": "zebra",
    "rooster": "cock",
    "tiger": "tiger",
    "pink_flamingo": "flamingo",
    "penguin": "king penguin",
    "strawberry": "strawberry",
    "peacock": "peacock",
}


class Features(nn.Module):
    """The network up to its last feature maps."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network.maps(x, 17)


class Head(nn.Module):
    """What follows on them."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, maps):
        return self.network.classify(maps)


def cam_of(network, x, target):
    """Return Grad-CAM by your function, enlarged to the picture."""
    return spread_out(grad_cam(Features(network), Head(network), x, target), *x.shape[-2:])


def smoothed_saliency(network, x, target):
    """Return your saliency, blurred a little to be seen."""
    return seeing.blur(saliency(network, x, target)[None, None], 1.5)[0, 0].numpy()


def occlusion_of(network, x, target):
    """Return how much covering each pixel lowers the score, by your occlusion_map; gains count as 0."""
    with torch.no_grad():
        before = float(network(x)[0, target])
    scores = occlusion_map(network, x, target, SIDE // 4, SIDE // 8, fill=0.5)
    return np.clip(drop_by_pixel(scores, before, SIDE // 4, SIDE // 8, SIDE), 0, None)


METHODS = {"occlusion": occlusion_of, "saliency": smoothed_saliency, "Grad-CAM": cam_of}

# %% experiment seconds=50 covers="139"
shares = {name: [] for name in METHODS}
shown, titles = [], []
with timing.one_thread():
    for names in training.progress(PAIRS, "pair"):
        x, on_the_left = seeing.pair(*names, SIDE)
        for place, name in enumerate(names):
            half = on_the_left if place == 0 else ~on_the_left
            if names == PAIRS[0]:
                shown.append(as_array(x))
                titles.append(f"class {CLASS_OF[name]}")
            for method, map_of in METHODS.items():
                heat = map_of(seeing.network(), x, CLASSES[CLASS_OF[name]])
                shares[method].append(float(heat[half].sum() / max(heat.sum(), 1e-12)))
                if names == PAIRS[0]:
                    shown.append(laid_over(as_array(x), heat))
                    titles.append(f"{method}: {100 * shares[method][-1]:.0f} %")
plots.show(
    plots.images(shown, titles),
    alt=f"Zebra on the left, rooster on the right, and maps for each class by three methods, with the share of the map "
    f"that lies on the half of its class. {'; '.join(titles)}.",
)
for method, values in shares.items():
    print(f"{method:10} on the half of its class: {100 * np.mean(values):3.0f} % (least {100 * min(values):.0f} %)")
places = " × ".join(str(n) for n in grad_cam(Features(seeing.network()), Head(seeing.network()), x, 0).shape)
print(f"Grad-CAM's own map has {places} places for {SIDE} × {SIDE} pixels")
for name, lecture in (("an occlusion map", "E"), ("the gradient", "course"), ("Grad-CAM", "course")):
    values = shares[{"an occlusion map": "occlusion", "the gradient": "saliency"}.get(name, name)]
    mean = float(np.mean(values))
    claim(
        f"{name} shows where the class is ({lecture})",
        f"{100 * mean:.0f} % of it on the half of its class, at least {100 * min(values):.0f} %",
        f"{len(PAIRS)} pairs of stamps; 50 % is chance",
        "holds" if min(values) > 0.7 else "partly" if mean > 0.65 else "does not hold",
    )
lesson.target(
    "share of Grad-CAM on the half of its class, mean", 100 * float(np.mean(shares["Grad-CAM"])), at_least=75, unit="%"
)

# %% [markdown]
# A map that knew nothing would have 50 % on the half of its class. The printed means rank the methods on this one task.
# Saliency finds *both* animals more than the class in question: nearly every sharp edge moves every score a little.
# Grad-CAM mostly finds the half, but it has a few places for the whole picture, and where nothing speaks for the class,
# it is empty.
#
# ### The sanity check
#
# Adebayo and colleagues (2018) asked a simpler question: does the map depend on the network at all? Shuffle the weights
# of its layers, beginning at the top, and compare the map with that of the trained network. With the classifier alone
# shuffled, the class means nothing any more; with the upper quarter, the last features do not either.
#
# The number is the rank correlation: 1, the same order of pixels from low to high; 0, nothing in common. An empty map
# (Grad-CAM's, where its ReLU leaves nothing) counts as 0.


# %% experiment seconds=2 folded=true
def shuffled(network, share, seed):
    """Shuffle the weights of the upper share of all layers with weights, in place; at least those of the classifier."""
    rng = np.random.default_rng(seed)
    parts = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    for part in parts[-max(round(share * len(parts)), 1) :]:
        flat = part.weight.detach().numpy().ravel()
        part.weight.data = torch.tensor(rng.permutation(flat).reshape(tuple(part.weight.shape)))
    return network


def guided_map(network, x, target):
    """Return the size of what guided backpropagation sends to the pixels, (H, W), blurred like saliency."""
    return smoothed_saliency(network, x, target)


def ranks(values):
    """Return the rank of each value; equal ones share the mean of theirs."""
    _, where, times = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    return (times.cumsum() - (times + 1) / 2)[where]


def rank_correlation(a, b):
    """Return Spearman's correlation of two maps; an empty map has nothing in common with any."""
    a, b = ranks(a), ranks(b)
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


# %% experiment seconds=40
SHARES = training.full_or_fast(
    {"classifier": 0.0, "a quarter": 0.25, "half": 0.5, "all": 1.0}, {"classifier": 0.0, "a quarter": 0.25}
)
SHUFFLES = training.full_or_fast((0, 1), (0,))
RULES = {
    "saliency": ("gradient", smoothed_saliency),
    "Grad-CAM": ("gradient", cam_of),
    "guided": ("guided", guided_map),
}
survival, empty, shown, titles = {}, {}, [], []
with timing.one_thread():
    for method, (rule, map_of) in training.progress(RULES.items(), "method"):
        photos = [seeing.photograph(name, SIDE) for name in training.full_or_fast(("coffee", "cat"), ("coffee",))]
        targets = [int(seeing.network()(x).argmax()) for x in photos]
        trained = [map_of(guided_network(rule), x, target) for x, target in zip(photos, targets, strict=True)]
        shown.append(trained[0])
        titles.append(f"{method}, trained")
        for how, share in SHARES.items():
            for seed in SHUFFLES:
                network = shuffled(copy.deepcopy(guided_network(rule)), share, seed)
                for x, target, own in zip(photos, targets, trained, strict=True):
                    other = map_of(network, x, target)
                    survival.setdefault((method, how), []).append(rank_correlation(own, other))
                    empty.setdefault((method, how), []).append(not other.any())
                    if x is photos[0] and seed == 0 and how != "classifier":
                        shown.append(other)
                        titles.append(f"{how} shuffled" + (": empty" if empty[method, how][-1] else ""))
plots.show(
    plots.images(shown, titles),
    alt="Three rows of maps of the coffee: saliency, Grad-CAM and guided backpropagation, by the trained network "
    "and with a quarter, half and all of its layers shuffled. Saliency keeps the ring of the cup up to half. "
    "Grad-CAM's map is empty or another one at once. The guided map hardly changes until half of the layers are "
    "shuffled.",
)
print(f"{'layers shuffled':10}" + "".join(f"{how:>22}" for how in SHARES))
for method in RULES:
    cells = [f"{np.mean(v):6.2f} ({min(v):.2f} … {max(v):.2f})" for v in (survival[method, how] for how in SHARES)]
    print(f"{method:15}" + "".join(f"{cell:>22}" for cell in cells))
counts = ", ".join(f"{how} {sum(empty['Grad-CAM', how])}" for how in SHARES)
print(f"empty maps of Grad-CAM, of {len(empty['Grad-CAM', how])} each, which count as 0: {counts}")
cam_left, guided_left = (float(np.mean(survival[method, "a quarter"])) for method in ("Grad-CAM", "guided"))
lesson.target("Grad-CAM's correlation, a quarter shuffled", cam_left, at_most=0.5)
lesson.target("guided backpropagation's correlation, a quarter shuffled", guided_left, at_least=0.9)
claim(
    "what is sent back to the pixels shows what the unit saw (B, C, D)",
    f"guided maps of a network with a quarter of its layers shuffled correlate by {guided_left:.2f}, "
    f"{how} shuffled {float(np.mean(survival['guided', how])):.2f}",
    "rank correlation, two photographs",
    "partly" if guided_left > 0.9 else "holds",
)
lesson.reveal(
    "which_map_stays",
    answer=2,
    because="Guided backpropagation looks best, and hardly notices that the upper layers were shuffled.",
)

# %% [markdown]
# The map that convinces the eye most, the guided one, does not notice that a quarter of the network talks nonsense.
# What passes two conditions at every ReLU is decided by the lower layers and the picture; the class has no part in it.
# So the outlines beside Zeiler and Fergus's patches are true of the picture, and say less about the unit than they seem
# to. Grad-CAM passes: it has to, because it is made from the upper layers. An empty map counts as passed, and says
# honestly that nothing speaks for the class. With the classifier alone shuffled, its range is wide: the weights of the
# channels are drawn by lot then, the channels themselves still light up on the cup, and four runs are few. Saliency
# lies between: it keeps the ring of the cup while half of the layers are shuffled. A map should therefore come with two
# numbers: how much of it lies on the right thing, and how much survives shuffling.
#
# # Part 4 · What would you like to see?
#
# Until now the pictures were given. Now the picture is what is sought: which $x$ makes a score largest? Start from
# grey, and climb. Lecture E: "a few lines".
#
# ## {{exercise:gradient_ascent}}
#
# The **objective** $f$ gives one number for a picture. Each step moves the picture along its gradient $g$, divided by
# its root mean square, so that `lr` ($\eta$) is the typical change of a pixel, however steep the objective is:
#
# $$x \leftarrow \mathrm{clip}\Big(x + \eta\, \frac{g}{\sqrt{\mathrm{mean}(g^2)}},\ 0,\ 1\Big).$$
#
# The mean runs over all values of $g$. Where $g$ is 0 everywhere, the picture stays as it is.
#
# The first regulariser is built in: **jitter**. A network that must not rely on single pixels should like the picture
# also when it is shifted. In each step
#
# 1. draw two whole numbers: `dy, dx = rng.integers(-jitter, jitter + 1, size=2)`;
# 2. roll the picture by $dy$ rows and $dx$ columns (`torch.roll(x, (dy, dx), (2, 3))`; what leaves on one side comes
#    back on the other) and take the gradient *there*;
# 3. roll the gradient back, and make the step.
#
# The history takes the objective's number before each step (`value.item()`), of the picture as it was shifted then.
# With `jitter=0` nothing is drawn and nothing rolled. `rng` gives NumPy's integers: `int(dy)`, `int(dx)` for PyTorch.


# %% exercise="gradient_ascent" difficulty=3 minutes=22 covers="140"
def gradient_ascent(objective, x, lr, steps, jitter=0, rng=None):
    """Change a picture so that an objective rises.

    Parameters
    ----------
    objective : nn.Module
        Maps (1, C, H, W) to a tensor of one number, of any shape. The gradients of its parameters are not changed.
    x : Tensor, shape (1, C, H, W)
        Where to start, 0 to 1; stays as it is.
    lr : float
        Root mean square of a step, before the clip.
    steps : int
        How many, 0 or more.
    jitter : int
        Largest shift in pixels.
    rng : numpy.random.Generator, optional
        Needed where jitter is above 0.

    Returns
    -------
    image : Tensor, shape and dtype of x
        0 to 1; needs no gradient.
    history : list of float
        The objective before each step, of the picture as it was shifted then.
    """
    ### BEGIN SOLUTION
    x, history = x.detach().clone(), []
    for _ in range(steps):
        dy, dx = (int(shift) for shift in rng.integers(-jitter, jitter + 1, size=2)) if jitter else (0, 0)
        pixels = torch.roll(x, (dy, dx), (2, 3)).requires_grad_(True)
        value = objective(pixels)
        (slopes,) = torch.autograd.grad(value, pixels)
        slopes = torch.roll(slopes, (-dy, -dx), (2, 3))
        size = slopes.square().mean().sqrt()
        if size > 0:
            x = (x + lr * slopes / size).clamp(0, 1)
        history.append(float(value.detach()))
    return x, history
    ### END SOLUTION


# %% tests="gradient_ascent" points=1 covers="140"
def linear_objective(slopes):
    """Return the objective that weights the pixels."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(slopes.size, 1, bias=False)).double()
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor(slopes.reshape(1, -1)))
    return net


def climbed_line(lr, steps):
    """gradient_ascent(slopes [[7, −1]], the picture [[0.5, 0.25]], lr, steps)"""
    image, history = gradient_ascent(
        linear_objective(np.array([[7.0, -1.0]])), torch.tensor([[[[0.5, 0.25]]]], dtype=torch.float64), lr, steps
    )
    return image.numpy(), [float(value) for value in history]


def climbed_flat():
    """gradient_ascent(an objective that is 0 everywhere, the picture [[0.5, 0.25]], 0.1, 2)"""
    image, history = gradient_ascent(
        linear_objective(np.array([[0.0, 0.0]])), torch.tensor([[[[0.5, 0.25]]]], dtype=torch.float64), 0.1, 2
    )
    return image.numpy(), [float(value) for value in history]


def climbed(lr, steps, channels=1, height=2, width=3, seed=0):
    """gradient_ascent(a net that bends, a small picture, lr, steps)"""
    net = small_net(channels * height * width, 1, seed)
    image, history = gradient_ascent(net, small_picture(channels, height, width, seed), lr, steps)
    return image.numpy(), [float(value) for value in history]


# Slopes 7 and −1 have a root mean square of 5: a step of 0.125 moves by 0.175 and −0.025. The objective was 3.25.
check(climbed_line, 0.125, 1).gives((np.array([[[[0.675, 0.225]]]]), [3.25]))
# Far steps end at the rim; no step changes nothing.
check(climbed_line, 0.25, 6).gives((np.array([[[[1.0, 0.0]]]]), [3.25, 5.75, 6.85, 6.9, 6.95, 7.0]))
check(climbed_line, 0.25, 0).gives((np.array([[[[0.5, 0.25]]]]), []))
check(climbed_flat).gives((np.array([[[[0.5, 0.25]]]]), [0.0, 0.0]))
# A net that bends: one channel of 2 × 3 pixels, then two of 1 × 3.
check(climbed, 0.05, 4).gives(
    (
        [[[[0.199662966, 0.548338181, 0.423903853], [0.400244616, 0.570318079, 0.182647972]]]],
        [-0.784768431, -0.663309337, -0.508070193, -0.305200165],
    ),
    rtol=1e-6,
)
check(climbed, 0.03, 3, 2, 1, 3, 1).gives(
    (
        [[[[0.878926112, 0.435486624, 0.491036298]], [[0.273749954, 0.96953129, 0.818071319]]]],
        [1.779713355, 1.874366534, 1.974602422],
    ),
    rtol=1e-6,
)


### BEGIN HIDDEN TESTS
def by_hand(lr, steps, channels=1, height=2, width=3, seed=0):
    """The same from the formula."""
    net, x, history = small_net(channels * height * width, 1, seed), small_picture(channels, height, width, seed), []
    x = x.numpy()
    for _ in range(steps):
        with torch.no_grad():
            history.append(float(net(torch.tensor(x))))
        slopes = slopes_by_hand(net, x, 0)
        x = np.clip(x + lr * slopes / np.sqrt((slopes**2).sum() / slopes.size), 0, 1)
    return x, history


check(climbed, 0.3, 5, 2, 3, 3, 2).gives(by_hand(0.3, 5, 2, 3, 3, 2), rtol=1e-6)
### END HIDDEN TESTS


# %% tests="gradient_ascent" points=1 covers="140"
def climbed_with_jitter(lr, steps, jitter, seed, height=3, width=4):
    """gradient_ascent(a net that bends, a picture of 3 × 4 pixels, lr, steps, jitter, np.random.default_rng(seed))"""
    net, x = small_net(height * width, 1, seed), small_picture(1, height, width, seed)
    image, history = gradient_ascent(net, x, lr, steps, jitter, np.random.default_rng(seed))
    return image.numpy(), [float(value) for value in history]


def left_behind():
    """gradient_ascent(net, x, 0.1, 2) = y, _: (parameters of net with a .grad, y.requires_grad, x changed?)"""
    net, x = small_net(6, 1), small_picture()
    y, _ = gradient_ascent(net, x, 0.1, 2)
    changed = bool((x != small_picture()).any())
    return sum(p.grad is not None for p in net.parameters()), bool(y.requires_grad), changed


def in_float32():
    """gradient_ascent(net, a picture in float32, 0.1, 2, 1, rng)[0]"""
    net, x = small_net(6, 1, dtype=torch.float32), small_picture(dtype=torch.float32)
    return gradient_ascent(net, x, 0.1, 2, 1, np.random.default_rng(0))[0].numpy()


# One step with a shift of (2, −2); then four steps, with shifts of up to 2 pixels.
check(climbed_with_jitter, 0.05, 1, 2, 3).gives(
    (
        [
            [
                [
                    [0.401726592, 0.768162442, 0.26303422, 0.302032569],
                    [0.132793327, 0.854345538, 0.622746538, 0.382482206],
                    [0.18650625, 0.822118758, 0.786990985, 0.888700072],
                ]
            ]
        ],
        [-0.303654969],
    ),
    rtol=1e-6,
)
check(climbed_with_jitter, 0.04, 4, 2, 4).gives(
    (
        [
            [
                [
                    [0.420217892, 0.489941461, 0.072290611, 0.231671687],
                    [0.094753597, 0.133060356, 0.17369538, 0.111934711],
                    [0.689694453, 0.718948317, 0.645054983, 0.380417727],
                ]
            ]
        ],
        [3.988964806, 2.507097579, 2.19164323, 2.643349579],
    ),
    rtol=1e-6,
)
check(left_behind).gives((0, False, False))
check(in_float32).satisfies(lambda y: y.dtype == np.float32 and y.shape == (1, 1, 2, 3), "float32, the shape of x")


### BEGIN HIDDEN TESTS
def by_hand(lr, steps, jitter, seed, height=3, width=4):
    """The same from the formula, with the slopes written out."""
    net, x, history = small_net(height * width, 1, seed), small_picture(1, height, width, seed).numpy(), []
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        dy, dx = rng.integers(-jitter, jitter + 1, size=2)
        shifted = np.roll(x, (dy, dx), (2, 3))
        with torch.no_grad():
            history.append(float(net(torch.tensor(shifted))))
        slopes = np.roll(slopes_by_hand(net, shifted, 0), (-dy, -dx), (2, 3))
        x = np.clip(x + lr * slopes / np.sqrt((slopes**2).mean()), 0, 1)
    return x, history


check(climbed_with_jitter, 0.06, 4, 1, 5).gives(by_hand(0.06, 4, 1, 5), rtol=1e-6)
check(climbed_with_jitter, 0.1, 6, 3, 6).gives(by_hand(0.1, 6, 3, 6), rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:total_variation}}
#
# Climbed without restraint, a picture becomes noise. Photographs are mostly smooth: neighbouring pixels are alike. A
# **smoothness prior** says so. Lecture E shows Google's pictures (a starfish, a banana, a parachute), which were made
# with one. A simple one is the **total variation**, here with squares, of pictures $x$ of any number of channels,
#
# $$V(x) = \sum_{i, j} (x_{i+1,\,j} - x_{ij})^2 + \sum_{i, j} (x_{i,\,j+1} - x_{ij})^2 ,$$
#
# summed over all pictures and channels, each pair of neighbours once. Return it with its gradient, written out
# (autograd gives the same). A pixel stands in at most four of the squares: each neighbour $y$ of $x_{ij}$ adds
# $2\,(x_{ij} - y)$ to $\partial V / \partial x_{ij}$.


# %% exercise="total_variation" difficulty=2 minutes=13 covers="141"
def total_variation(x):
    """Return how rough a picture is, and the gradient of that.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
        Stays as it is.

    Returns
    -------
    value : float
        The sum of the squared differences of neighbouring pixels.
    gradient : Tensor, shape and dtype of x
    """
    ### BEGIN SOLUTION
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    gradient = torch.zeros_like(x)
    gradient[..., 1:, :] += 2 * down
    gradient[..., :-1, :] -= 2 * down
    gradient[..., 1:] += 2 * right
    gradient[..., :-1] -= 2 * right
    return float(down.square().sum() + right.square().sum()), gradient
    ### END SOLUTION


# %% tests="total_variation" points=1 covers="141"
def value_of(x):
    """total_variation(x)[0], for an array x"""
    return float(total_variation(torch.tensor(x))[0])


# Two rows: downwards 1 + 4, to the right 9 + 16. One row: 1 + 9. One column: 4. Equal pixels: 0.
check(value_of, np.array([[[[0.0, 3.0], [1.0, 5.0]]]])).gives(30.0)
check(value_of, np.array([[[[1.0, 2.0, 5.0]]]])).gives(10.0)
check(value_of, np.array([[[[1.0], [3.0]]]])).gives(4.0)
check(value_of, np.full((2, 3, 4, 5), 0.7)).gives(0.0)
# Two pictures of two channels.
several = np.array(
    [[[[2.0, 7, 1], [0, 4, 9]], [[5, 5, 3], [8, 1, 6]]], [[[1, 0, 0], [3, 3, 7]], [[2, 9, 4], [4, 0, 5]]]]
)
check(value_of, several).gives(571.0)


### BEGIN HIDDEN TESTS
def rough_by_hand(x):
    """The sum, pair by pair."""
    height, width = x.shape[2:]
    pairs = [(i, j, i + 1, j) for i in range(height - 1) for j in range(width)]
    pairs += [(i, j, i, j + 1) for i in range(height) for j in range(width - 1)]
    return sum(float(((x[:, :, a, b] - x[:, :, p, q]) ** 2).sum()) for a, b, p, q in pairs)


several = np.random.default_rng(173).uniform(size=(2, 3, 4, 5))
check(value_of, several).gives(rough_by_hand(several))
check(value_of, np.array([[[[0.25]]]])).gives(0.0)
check(value_of, several[:1, :, :, :2]).gives(rough_by_hand(several[:1, :, :, :2]))
### END HIDDEN TESTS


# %% tests="total_variation" points=1 covers="141"
def gradient_of(x):
    """total_variation(x)[1].numpy(), for an array x"""
    return total_variation(torch.tensor(x))[1].numpy()


# [1, 2, 5]: 2 (1 − 2), then 2 (2 − 1) + 2 (2 − 5), then 2 (5 − 2).
check(gradient_of, np.array([[[[1.0, 2.0, 5.0]]]])).gives_gradient([[[[-2.0, -4.0, 6.0]]]])
check(gradient_of, np.array([[[[0.0, 3.0], [1.0, 5.0]]]])).gives_gradient([[[[-8.0, 2.0], [-6.0, 12.0]]]])
# Two pictures of two channels.
several = np.array(
    [[[[2.0, 7, 1], [0, 4, 9]], [[5, 5, 3], [8, 1, 6]]], [[[1, 0, 0], [3, 3, 7]], [[2, 9, 4], [4, 0, 5]]]]
)
check(gradient_of, several).gives_gradient(
    [
        [[[-6.0, 28, -28], [-12, -8, 26]], [[-6, 12, -10], [20, -32, 16]]],
        [[[-2, -8, -14], [4, -2, 22]], [[-18, 42, -12], [12, -36, 12]]],
    ]
)
check(gradient_of, several[:1].astype(np.float32)).satisfies(
    lambda y: y.dtype == np.float32 and y.shape == (1, 2, 2, 3), "float32 stays float32, and the shape is that of x"
)


### BEGIN HIDDEN TESTS
def by_differences(x):
    """Central differences of the sum over all pairs."""
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        values = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * 0.5
            values.append(float((np.diff(moved, axis=2) ** 2).sum() + (np.diff(moved, axis=3) ** 2).sum()))
        result[index] = values[0] - values[1]
    return result


several = np.random.default_rng(174).uniform(size=(2, 2, 3, 4))
check(gradient_of, several).gives_gradient(by_differences(several))
check(gradient_of, several[:, :, :1]).gives_gradient(by_differences(several[:, :, :1]))
check(gradient_of, np.full((1, 1, 3, 3), 0.5)).gives(np.zeros((1, 1, 3, 3)))
### END HIDDEN TESTS

# %% [markdown]
# A small step *down* this gradient, $x - 0.1\, \partial V / \partial x$, takes 0.2 of the difference to each neighbour
# away: every pixel moves towards the mean of its neighbours. That is a blur. A smoothness prior and "blur the picture
# now and then" are the same thing, and that is how your function is used below.
#
# ### Objectives that can be put together
#
# In about 60 lines: objectives for classes and units, sums and multiples of them, and ways to look at the picture
# before it is judged (blurred, mirrored, resized). Everything below is built from these.


# %% experiment seconds=2
class Objective(nn.Module):
    """A number for a picture. Objectives can be added, multiplied, and looked at through a transformation."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value(x)

    def __add__(self, other):
        return Objective(lambda x: self(x) + other(x))

    def __rmul__(self, factor):
        return Objective(lambda x: factor * self(x))

    def __sub__(self, other):
        return self + (-1) * other

    def through(self, *looks):
        """Return the objective of the picture as seen through transformations, the first one first."""

        def value(x):
            for look in looks:
                x = look(x)
            return self(x)

        return Objective(value)


def class_score(name):
    """The logit of a class: what the network says before it compares."""
    return Objective(lambda x: seeing.network()(x)[0, CLASSES[name]])


def class_probability(name):
    """The logarithm of the probability of a class: it also rises when other classes fall."""
    return Objective(lambda x: F.log_softmax(seeing.network()(x), dim=1)[0, CLASSES[name]])


def unit_mean(block, unit):
    """The mean activation of a unit, over all positions."""
    return Objective(lambda x: seeing.network().maps(x, block)[0, unit].mean())


def layer_energy(block):
    """How strongly a whole layer responds: what deep dream climbs."""
    return Objective(lambda x: seeing.network().maps(x, block).square().mean())


def blurred(sigma):
    """Look through ground glass: the gradient is blurred as well."""
    return lambda x: seeing.blur(x, sigma)


def mirrored(rng):
    """Look into a mirror, every other time."""
    return lambda x: x.flip(3) if rng.random() < 0.5 else x


def rescaled(rng, share=0.1):
    """Look from a little nearer or farther away."""

    def look(x):
        height, width = x.shape[-2:]
        factor = rng.uniform(1 - share, 1 + share)
        size = round(factor * height), round(factor * width)
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    return look


example = class_score("flamingo") - 0.5 * class_score("American alligator") + 2 * unit_mean(5, 8)
print(f"a combination of three objectives, for the cat: {float(example(seeing.photograph('cat', SIDE))):.2f}")

# %% [markdown]
# ### A flamingo, one regulariser after the other
#
# Four attempts at the same class: climb the score from grey noise with your `gradient_ascent`; add jitter (and a
# mirror, and a little nearer and farther); add smoothness (the gradient seen through a blur, a step down your
# `total_variation` now and then, and smaller and smaller steps); and begin small, so that the large shapes come first,
# and let the picture grow.


# %% experiment seconds=2 folded=true
SIZES = training.full_or_fast((64, 90, 128, 180), (32, 48))
STEPS_A_SIZE = training.full_or_fast(30, 5)
JITTER = 12
RATES = (0.02, 0.015, 0.01, 0.005)  # one for each quarter of the steps


def painted(objective, shake=True, smooth=True, grow=True, seed=0):
    """Climb an objective from grey noise with your functions; returns the picture (1, 3, H, W)."""
    rng = np.random.default_rng(seed)
    sizes = SIZES if grow else SIZES[-1:]
    rounds = (STEPS_A_SIZE if grow else 2 * STEPS_A_SIZE) // 5
    looks = ([blurred(0.8)] if smooth else []) + ([mirrored(rng), rescaled(rng)] if shake else [])
    seen = objective.through(*looks)
    noise = 0.5 + 0.05 * rng.normal(size=(1, 3, sizes[0], sizes[0]))
    x = torch.tensor(noise, dtype=torch.float32).clamp(0, 1)
    turns = [size for size in sizes for _ in range(rounds)]
    for turn, size in enumerate(turns):
        x = resize(x, (size, size))
        # Smoothness asks for smaller and smaller steps, too: what the large ones have roughened is then worn away.
        lr = RATES[4 * turn // len(turns)] if smooth else RATES[0]
        x, _ = gradient_ascent(seen, x, lr, 5, JITTER if shake else 0, rng)
        if smooth:
            x = x - 0.04 * total_variation(x)[1]
    for _ in range(2 if smooth else 0):
        x = x - 0.1 * total_variation(x)[1]
    return x.clamp(0, 1)


def probability(x, name):
    """Return the probability of a class."""
    with torch.no_grad():
        return float(seeing.network()(x).softmax(dim=1)[0, CLASSES[name]])


def roughness(x):
    """Return your total variation for each value of the picture."""
    return total_variation(x)[0] / x.numel()


# %% experiment seconds=55 covers="141"
ladder = {
    "nothing": {"shake": False, "smooth": False, "grow": False},
    "+ jitter": {"smooth": False, "grow": False},
    "+ smoothness": {"grow": False},
    "+ growing": {},
}
flamingos, sure, rough = {}, {}, {}
with timing.one_thread():
    for how, switches in training.progress(ladder.items(), "regulariser"):
        start = time.process_time()
        flamingos[how] = painted(class_score("flamingo"), **switches)
        seconds = time.process_time() - start
        sure[how] = probability(flamingos[how], "flamingo")
        rough[how] = roughness(flamingos[how])
        print(f"{how:13} p(flamingo) {sure[how]:.3f}, roughness {rough[how]:.4f}, {seconds:.1f} s CPU")
    rough_photo = roughness(seeing.photograph("flower", SIZES[-1]))
print(f"a photograph (the flower) of that size has a roughness of {rough_photo:.4f}")
plots.show(
    plots.images([as_array(x) for x in flamingos.values()], list(flamingos)),
    alt="Four pictures made for the class flamingo: coloured noise with a hint of a neck; noise with a clearer neck; a "
    "thin neck on calm ground; and the head, bill and breast of a flamingo, when all regularisers come together.",
)
lesson.target("probability of a flamingo in plain noise", sure["nothing"], at_least=0.99)
lesson.target("how many times smoother the last picture is", rough["nothing"] / rough["+ growing"], at_least=6)
claim(
    "a few lines climb to any class (E)",
    f"p(flamingo) = {sure['nothing']:.3f} without a regulariser; we see noise",
    "EfficientNet-Lite0, from grey noise",
    "holds" if sure["nothing"] > 0.99 else "partly",
)
claim(
    "a smoothness prior makes the pictures recognisable (E)",
    f"{rough['nothing'] / rough['+ growing']:.0f} times smoother; to our eyes growing sizes did the rest",
    "flamingo, one regulariser after the other",
    "partly" if rough["+ growing"] < rough["nothing"] else "does not hold",
)

# %% [markdown]
# Look at the first picture and at its probability. The network is as sure as can be, and we see noise, with at best a
# hint of a neck in it: this climb alone makes the fooling images of module 18. Each regulariser takes something from
# the network's freedom, and with each of them we see more: a neck, a calm ground, at last a head with its bill. The
# network's probability hardly changes on the way. So the difference between noise and a bird lies not in what the
# network *wants*, but in what we *forbid*.
#
# ### Three more classes

# %% experiment seconds=40 covers="141"
NAMES = training.full_or_fast(("monarch", "daisy", "volcano"), ("daisy",))
portraits = {}
with timing.one_thread():
    for name in training.progress(NAMES, "class"):
        start = time.process_time()
        portraits[name] = painted(class_score(name))
        seconds = time.process_time() - start
        print(f"{name:8} p = {probability(portraits[name], name):.3f}, {seconds:.1f} s CPU")
plots.show(
    plots.images([as_array(x) for x in portraits.values()], list(portraits), columns=3, size=2.4),
    alt=f"Pictures made for the classes {', '.join(portraits)}.",
)

# %% [markdown]
# The butterfly's wing and the petals are not copied from any photograph: all that went in is "more of this class". You
# also see what is *not* there: a whole flamingo. The score adds up evidence over all positions, and a head and a breast
# are enough.
#
# ### What the units want
#
# The same climb for units of growing depth. Above the picture that was painted, below the patch of the album that
# excites the unit most. Do they agree?

# %% experiment seconds=40 covers="140 144"
WANTED = training.full_or_fast((*UNITS, (11, 4)), UNITS[1:2])
painted_units, best_patches, titles = [], [], []
with timing.one_thread():
    for block, unit in training.progress(WANTED, "unit"):
        rng = np.random.default_rng(block)
        seen = unit_mean(block, unit).through(blurred(0.6))
        x = torch.tensor(0.5 + 0.05 * rng.normal(size=(1, 3, 96, 96)), dtype=torch.float32).clamp(0, 1)
        x, history = gradient_ascent(seen, x, 0.02, training.full_or_fast(40, 3), 8, rng)
        painted_units.append(as_array(x))
        number, row, column, value = top_patches(album_maps()[block], unit, 1)[0]
        best_patches.append(
            cut_out(picture_of(number), patch_box(seeing.layers_up_to(block, SIDE), row, column, SIDE, SIDE))
        )
        titles.append(f"block {block}, unit {unit}")
        print(
            f"block {block:2} unit {unit:3}: mean activation {history[0]:6.2f} → {history[-1]:6.2f}; "
            f"best patch {value:.2f}"
        )
plots.show(
    plots.images(painted_units + best_patches, titles + ["best patch"] * len(titles), columns=len(titles)),
    alt="Above, patterns painted for four units: turquoise stripes for block 3, crossing dark bars for block 5, a "
    "coloured mesh for block 8, bundles of straight lines for block 11. Below, the patch that excites each unit most: "
    "a turquoise surface, legs, an orange, a bird.",
)

# %% [markdown] covers="144"
# Sometimes they agree: block 3's unit paints the turquoise of its patches, that of block 5, whose patches are legs,
# dark bars, that of block 11 straight lines. From the mesh of block 8's unit nobody would guess the fruit. The patch
# shows what there was in 216 pictures; the painting goes where no photograph is, and its *mean* activation is between
# about two thirds of the largest in any patch and twice that. Both are evidence, neither is the meaning of the unit.
#
# # Part 5 · Deep dream
#
# Lecture E ends with Google's *Inceptionism* (2015): start from a photograph and let the network have more of whatever
# it sees in it. Clouds become dogs, "admiral dog", "pig-snail", "camel-bird", "dog-fish".
#
# ## {{exercise:deep_dream}}
#
# Climbing at full size paints only what fits into a receptive field: small things. So the dream goes through
# **octaves**, the same photograph at growing sizes. The **detail** $d$ that was dreamed at one size is enlarged and
# laid on the photograph of the next size. With sizes $(H_1, W_1), \dots, (H_n, W_n)$, and $d$ at first 0:
#
# $$b = \mathrm{resize}(\text{photo}, (H_k, W_k)), \qquad d' = \mathrm{resize}(d, (H_k, W_k)),$$
#
# $$x = \mathrm{climb}\big(\mathrm{clip}(b + d',\ 0,\ 1)\big), \qquad d = x - b .$$
#
# The photograph is taken from the original each time, so it stays sharp. The last $x$ is the dream. `climb` is given:
# any function that makes a picture of a picture, such as some steps of `gradient_ascent`. What it returns is taken as
# it is, without a clip, and a detail may be negative. `resize(x, (height, width))` is in the setup cell.


# %% exercise="deep_dream" difficulty=2 minutes=15 covers="142"
def deep_dream(climb, photo, sizes):
    """Dream through octaves.

    Parameters
    ----------
    climb : callable
        Maps a picture (1, C, h, w) to a picture of the same shape.
    photo : Tensor, shape (1, C, H, W)
        0 to 1; stays as it is.
    sizes : list of (int, int)
        Height and width of each octave, the smallest first.

    Returns
    -------
    Tensor, shape (1, C, *sizes[-1])

    Raises
    ------
    ValueError
        If there is no octave.
    """
    ### BEGIN SOLUTION
    if not sizes:
        raise ValueError("a dream needs at least one octave")
    detail = torch.zeros_like(photo)
    for size in sizes:
        base = resize(photo, size)
        x = climb((base + resize(detail, size)).clamp(0, 1))
        detail = x - base
    return x
    ### END SOLUTION


# %% tests="deep_dream" points=1 covers="142"
def dreamed(climb, sizes, seed=0):
    """deep_dream(climb, a photograph of two channels, 12 × 16 pixels, sizes)"""
    return deep_dream(climb, small_picture(2, 12, 16, seed), sizes).numpy()


def moved(by, sizes):
    """deep_dream(a climb that adds `by` to every value, a photograph of two channels, 12 × 16 pixels, sizes)"""
    return dreamed(lambda x: x + by, sizes)


def steeper(x):
    """Add a slope: −0.2 at the left rim, 0.2 at the right rim."""
    return x + torch.linspace(-0.2, 0.2, x.shape[-1], dtype=x.dtype)


def steeper_on_grey():
    """deep_dream(a climb that adds a slope from −0.2 to 0.2, a grey photograph, [(1, 2), (1, 4)])"""
    return deep_dream(steeper, torch.full((1, 1, 1, 4), 0.5, dtype=torch.float64), [(1, 2), (1, 4)]).numpy()


# One octave: the climb of the photograph at that size.
small = resize(small_picture(2, 12, 16), (6, 8)).numpy()
check(moved, 0.25, [(12, 16)]).gives(small_picture(2, 12, 16).numpy() + 0.25)
check(dreamed, steeper, [(6, 8)]).gives(small + np.linspace(-0.2, 0.2, 8))
# The same change in each of three octaves is three times the change, brighter or darker.
check(moved, 0.03, [(4, 4), (12, 16), (6, 8)]).gives(small + 0.09)
check(moved, -0.03, [(4, 4), (12, 16), (6, 8)]).gives(small - 0.09)
# What climb is given ends at 1, what it returns is taken as it is: min(photo + 0.5, 1) + 0.5.
check(moved, 0.5, [(12, 16), (12, 16)]).gives(small_picture(2, 12, 16).numpy().clip(0, 0.5) + 1)
# The detail [−0.2, 0.2] of the first octave, enlarged, is [−0.2, −0.1, 0.1, 0.2]; the second adds its own slope.
check(steeper_on_grey).gives([[[[0.1, 1 / 3, 2 / 3, 0.9]]]])


### BEGIN HIDDEN TESTS
def by_hand(climb, sizes, seed=0):
    """The same, octave by octave."""
    photo = small_picture(2, 12, 16, seed)
    bases = [resize(photo, size) for size in sizes]
    x = climb(bases[0])
    for k in range(1, len(bases)):
        x = climb((bases[k] + resize(x - bases[k - 1], sizes[k])).clamp(0, 1))
    return x.numpy()


for sizes, seed in [([(5, 7), (8, 11), (12, 16)], 0), ([(4, 4), (6, 9), (9, 12), (18, 20)], 1)]:
    check(dreamed, steeper, sizes, seed).gives(by_hand(steeper, sizes, seed))
### END HIDDEN TESTS


# %% tests="deep_dream" points=1
def calls_of(sizes):
    """The shapes with which deep_dream calls climb, for a photograph of two channels."""
    seen = []

    def watched(x):
        seen.append(tuple(x.shape))
        return x

    deep_dream(watched, small_picture(2, 12, 16), sizes)
    return seen


def photo_afterwards():
    """The photograph after deep_dream with a climb that changes what it is given."""
    photo = small_picture(2, 12, 16)
    deep_dream(lambda x: x.mul_(0.5), photo, [(12, 16), (12, 16)])
    return photo.numpy()


def largest_given():
    """The largest value that climb is given, when it raises everything by 0.5 each time."""
    largest = []

    def raised(x):
        largest.append(float(x.max()))
        return x + 0.5

    deep_dream(raised, small_picture(2, 12, 16), [(6, 8), (12, 16), (12, 16)])
    return max(largest)


check(calls_of, [(5, 7), (8, 11), (12, 16)]).gives([(1, 2, 5, 7), (1, 2, 8, 11), (1, 2, 12, 16)])
check(photo_afterwards).gives(small_picture(2, 12, 16).numpy())
check(largest_given).gives(1.0)
check(deep_dream, torch.neg, small_picture(), []).raises(ValueError)
### BEGIN HIDDEN TESTS
check(calls_of, [(3, 4)]).gives([(1, 2, 3, 4)])
### END HIDDEN TESTS

# %% [markdown]
# ### The palace dreams
#
# Four layers, from edges to parts of animals, over the same photograph. Nothing names a class: the objective is the
# energy of the whole layer.

# %% experiment seconds=50 covers="142"
OCTAVES = training.full_or_fast([(114, 171), (160, 240), (224, 336)], [(32, 48), (48, 72)])
DREAM_BLOCKS = training.full_or_fast((3, 5, 8, 11), (5,))
palace = torch.from_numpy(data.photograph("palace").copy()).permute(2, 0, 1)[None] / 255
palace = resize(palace, OCTAVES[-1]).clamp(0, 1)


def climbing(block):
    """Return a climb of ten steps towards more energy of a layer."""
    rng = np.random.default_rng(0)
    steps = training.full_or_fast(10, 1)
    return lambda x: gradient_ascent(layer_energy(block), x, 0.015, steps, 16, rng)[0]


dreams = {}
with timing.one_thread():
    for block in training.progress(DREAM_BLOCKS, "layer"):
        start = time.process_time()
        dreams[block] = deep_dream(climbing(block), palace, OCTAVES)
        seconds = time.process_time() - start
        moved = float((dreams[block] - palace).square().mean().sqrt())
        with torch.no_grad():
            energies = [float(layer_energy(block)(x)) for x in (palace, dreams[block])]
        print(
            f"block {block:2}: energy × {energies[1] / energies[0]:.1f}, pixels moved by {moved:.2f} (rms), "
            f"{seconds:.1f} s CPU"
        )
plots.show(
    plots.images([as_array(x) for x in dreams.values()], [f"block {block}" for block in dreams], columns=2, size=3.6),
    alt="The palace, dreamed by four layers: lines and hatching by blocks 3 and 5, rings and eyes by block 8, and by "
    "block 11 animals with snouts and eyes in the trees and bushes.",
)
claim(
    "a layer can be made to see more of what it sees (E)",
    f"energy of block {block}: × {energies[1] / energies[0]:.1f}, while pixels move by {moved:.2f}",
    f"the palace, {len(OCTAVES)} octaves",
    "holds" if energies[1] > 1.5 * energies[0] else "does not hold",
)

# %% [markdown]
# Low blocks draw lines along the lines that are there; block 8 loves rings and eyes; block 11 has seen many animals
# (about 400 of ImageNet's 1,000 classes are animals, 118 of them dogs), and finds them in trees and bushes. The dream
# tells what a layer is *ready* to see, which depends on what it was trained on as much as on the photograph.
#
# **Play.** Add a cell and dream on: another photograph (`seeing.photograph("flower", 224)`), a block in between
# (`climbing(9)`), more octaves, a dream that starts from the dream before. Or let the objective be one that you put
# together: what does `class_score("goldfish")` find in the palace?
#
# ### What became of the claims

# %% experiment seconds=5
# Each experiment has left its line here; run those that are missing.
plots.claims(list(CLAIMS.values()))

# %% [markdown] covers="143 144"
# Lecture E ends its pictures with a question that is easy to forget while looking at them: what do they tell? To make
# them recognisable, priors were needed, and priors come from us. That is your question, too.
#
# # In your own words
#
# These two are read by a person. Use figures that your cells printed.
#
# **What do such pictures tell? (2 points, 0.5 for each part.)** (a) The plain climb reached which probability, and what
# was to be seen? What follows for the sentence "this is what the network thinks a flamingo looks like"? (b) Name two of
# the priors you switched on, and for each what it forbids. (c) The painted picture of a unit and its best patches
# differ. Name one thing that each can show and the other cannot. (d) Zeiler and Fergus concluded from their grids that
# layers build up from edges to objects. Which of your measurements warns against reading such grids as the meaning of a
# unit, and why?

# %% [markdown] answer="what_pictures_tell" points=2 covers="143 144"
# ### BEGIN SOLUTION
# (a) p = 1.00, and little but coloured noise was to be seen. The network accepts noise as a flamingo, so a recognisable
# picture is one of very many inputs that it likes, chosen by us; it is not "the" idea of the class.
#
# (b) Jitter (with mirror and rescaling) forbids patterns that work at one exact position or size only. Smoothness
# forbids neighbouring pixels that differ much. Growing from small sizes forbids that fine detail comes before large
# shapes. Starting near grey and the clip to 0 … 1 are priors, too.
#
# (c) Patches are real pictures, so they show what the unit meets in practice, but only what happens to be in the album,
# and everything in the patch is there whether it counts or not. The painting shows only what raises the unit, also
# combinations that no photograph has; but it goes far from photographs, and depends on priors.
#
# (d) The guided map of a network with a quarter of its layers shuffled correlates by about 0.99 with the trained one's.
# Outlines that stay when the upper layers talk nonsense come from the picture and the lower layers; a grid of them
# looks convincing whatever the unit does.
#
# **Rubric:** 0.5 for each part. (a) the probability near 1 with noise, and "one of many"; (b) two priors with what they
# forbid, 0.25 each; (c) one strength of each, 0.25 each; (d) the shuffling figure, and that the outlines belong to the
# picture.
# ### END SOLUTION

# %% [markdown]
# **Choose a map (1 point, 0.5 for each part).** A hospital wants to show doctors which part of an X-ray a network's
# decision rests on. (a) Somebody proposes guided backpropagation, "because it is the sharpest". Answer with one of your
# measurements. (b) Which method would you propose, which two tests would you ask for first, and which weakness of the
# method would you tell the doctors?

# %% [markdown] answer="choose_a_map" points=1
# ### BEGIN SOLUTION
# (a) Sharp is not faithful: with a quarter of the layers shuffled the network says nonsense, and the guided map
# correlates by about 0.99 with the one before. Doctors would see the outlines of the bones and believe that these were
# the reason.
#
# (b) Grad-CAM or occlusion. First the sanity check (the map must change when layers are shuffled), then a localisation
# test on pictures with a known answer, as with the pairs of stamps. Grad-CAM is coarse, a few positions for the whole
# picture, and may be empty. Occlusion depends on size and fill of the square, takes hundreds of runs, and misses what
# is there twice.
#
# **Rubric:** (a) 0.5 for the figure with its meaning; (b) 0.25 for two tests, 0.25 for a method with its weakness.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. Weights can be read in the first layer only. Further up, patches with exact boxes show what a unit met, ascent
#    shows what it would like, and the two need not agree.
# 2. A map of a decision is a claim: count how much of it lies on the right thing, and how much of it survives when the
#    network is shuffled. The sharpest map survived nearly unchanged.
# 3. Plain ascent gives noise at p = 1; what makes it a picture are the priors that we add. Deep dream is the same climb
#    from a photograph.
#
# **Can you explain …**
#
# - why the padding of every layer shifts the box, and why the field uses the jump before the layer?
# - why p(any cat) is a better score for an occlusion map than p(tabby)?
# - why Grad-CAM averages the gradient over positions, and why its ReLU comes last?
# - why a step down the total variation is a blur?
# - what octaves do that more steps at full size would not?
#
# **Three readings**
#
# - M. D. Zeiler, R. Fergus, *Visualizing and understanding convolutional networks*, ECCV 2014, arXiv:1311.2901: the
#   grids of the lectures, and the occlusion maps.
# - J. Adebayo et al., *Sanity checks for saliency maps*, NeurIPS 2018, arXiv:1810.03292: the test you have repeated.
# - C. Olah, A. Mordvintsev, L. Schubert, *Feature visualization*, Distill 2017, doi:10.23915/distill.00007:
#   regularisers and objectives, with many pictures.
#
# (Grad-CAM: R. R. Selvaraju et al., ICCV 2017, arXiv:1610.02391. Saliency: K. Simonyan, A. Vedaldi, A. Zisserman, 2013,
# arXiv:1312.6034. Deep dream: A. Mordvintsev, C. Olah, M. Tyka, *Inceptionism*, Google Research Blog, 2015.)
#
# Next: 18 Adversarial examples.
