# %% [markdown]
# # 16 Every pixel
#
# ![From left to right: a butterflyfish on a photograph; the coarse map of a fully convolutional network, 4 × 4 squares;
# the U-shaped net, boxes that shrink on the way down and grow on the way up, with arrows across; the mask of the
# fish, one label for every pixel.](pictures/every_pixel.png)
#
# *A classifier gives one answer for a picture. Here every pixel gets one: slide the classifier, enlarge its map, or
# go down and up again with arrows across.*
#
# Where in the picture is the bird, and where does it end? A classifier throws that away on purpose: every pooling
# layer makes it care less about where. In this notebook you get it back in three ways: by turning a classifier into a
# network that gives a map, by dilated convolutions that see far without pooling, and by upconvolutions, which
# enlarge. Then you build a U-Net and cut stamps out of photographs with it.
#
# {{card:205}}
#
# Take it in two sittings: pause after Part 3.
#
# **Afterwards you can**
#
# - say what segmentation gives and how intersection over union judges it;
# - turn a classifier into a fully convolutional network with the same weights;
# - compute a dilated convolution and the receptive field of a context module;
# - derive the upconvolution as the gradient of a convolution, and say where checkerboards come from;
# - build a U-Net and measure what its skips are good for.
#
# **You need** [05 Convolution arithmetic](../05_convolution_arithmetic/05_convolution_arithmetic.ipynb) and
# [06 The convolutional layer](../06_convolutional_layer/06_convolutional_layer.ipynb) for sizes and gradients,
# [07](../07_pooling_and_receptive_fields/07_pooling_and_receptive_fields.ipynb) for receptive fields, and classes of
# PyTorch as in [12](../12_architectures_2/12_architectures_2.ipynb).
#
# **From the lectures** B (segmentation, fully convolutional networks, upconvolution, dilated convolution) and E
# (U-Net).

# %% setup
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets import data, plots, segmentation, timing, training
from convnets.checks import open_lesson
from convnets.models import unet
from convnets.models.efficientnet_lite0 import as_sequence, efficientnet_lite0

lesson = open_lesson("16_every_pixel")
check, hint = lesson.check, lesson.hint


def two_convs(c_in, c_out):
    """Return two 3 × 3 convolutions that keep the size, each with batch normalization and ReLU: an nn.Sequential."""
    return unet.two_convs(c_in, c_out, batch_norm=True)


def drawn(seed, *shape):
    """Return numbers drawn from a normal distribution, a float64 array of this shape."""
    return np.random.default_rng(seed).normal(size=shape)


def filled(network, seed):
    """Set all parameters of a network to numbers drawn by their names, in float64; return it in evaluation mode."""
    network.double().eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            rng = np.random.default_rng([seed, *map(ord, name)])
            shape = tuple(parameter.shape)
            parameter.copy_(torch.from_numpy(rng.uniform(0.2, 0.9, shape) * rng.choice([-1, 1], shape)))
    return network


def small_classifier(seed=160):
    """Return a classifier for pictures of 2 channels, 10 × 8 pixels, with numbers drawn; its last map is 3 × 2."""
    layers = [
        *(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3)),
    ]
    return filled(nn.Sequential(*layers), seed)


def classifier_on(seed, height, width):
    """Slide the classifier itself over the pictures, with its stride of 2."""
    pictures, classifier = torch.from_numpy(drawn(seed, 2, 2, height, width)), small_classifier(seed)
    rows, columns = (height - 10) // 2 + 1, (width - 8) // 2 + 1
    scores = np.zeros((2, 3, rows, columns))
    with torch.no_grad():
        for i, j in np.ndindex(rows, columns):
            window = pictures[:, :, 2 * i : 2 * i + 10, 2 * j : 2 * j + 8]
            scores[:, :, i, j] = classifier(window).numpy()
    return scores


def witness(seed, rows, columns, c_in, classes, width, levels, skips=True):
    """Return what the toolkit's U-Net with drawn numbers says about two pictures."""
    net = filled(unet.UNet(c_in, classes, width, levels, skips=skips, batch_norm=True), seed)
    return net(torch.from_numpy(drawn(seed, 2, c_in, rows, columns))).detach().numpy()


def torch_transposed(x, weight, bias=None, **options):
    """Return PyTorch's answer to an upconvolution of NumPy arrays."""
    bias = None if bias is None else torch.tensor(bias)
    return F.conv_transpose2d(torch.tensor(x), torch.tensor(weight), bias, **options).numpy()


def torch_conv(x, weight, bias=None, **options):
    """Return PyTorch's answer to a convolution of NumPy arrays."""
    bias = None if bias is None else torch.tensor(bias)
    return F.conv2d(torch.tensor(x), torch.tensor(weight), bias, **options).numpy()


def gradient_of_conv(grad_output, x_shape, weight, **options):
    """Return PyTorch's ∂L/∂x of `F.conv2d(x, weight, **options)` for an x of this shape and ∂L/∂y = grad_output."""
    x = torch.zeros(x_shape, dtype=torch.float64, requires_grad=True)
    y = F.conv2d(x, torch.tensor(weight), **options)
    return torch.autograd.grad(y, x, torch.tensor(grad_output))[0].numpy()


# %% [markdown]
# The setup gives you `two_convs`, which you will need for the U-Net. The other helpers are for the tests: `drawn`
# draws numbers, `filled` gives a network drawn weights, `small_classifier` makes a small classifier, and the rest are
# PyTorch's answers.
#
# ## Before you begin: a prediction
#
# Two networks cut objects out of photographs. Both shrink the picture three times by half, to an eighth of its side,
# and enlarge it again, with the same layers and the same number of weights. One has arrows across: on the way up it
# gets the maps of the way down once more. The other gets zeros there.

# %% experiment seconds=5
lesson.predict(
    "what_skips_do",
    "Where does the net without arrows make more errors a pixel than the one with them?",
    [
        "Nowhere: both are equally good",
        "Only within two pixels of an outline; elsewhere no more than the other",
        "In both places, but at outlines the factor is the larger one",
        "In both places, and away from outlines the factor is the larger one",
    ],
)

# %% [markdown] covers="131"
# # Part 1 · One answer, or one for each pixel
#
# | | classification | segmentation |
# | --- | --- | --- |
# | the question | what is in the picture? | to what does each pixel belong? |
# | logits | $(N, C)$ | $(N, C, H, W)$ |
# | labels | $(N,)$, one class number a picture | $(N, H, W)$, one a pixel |
# | loss | cross-entropy, mean over $N$ pictures | cross-entropy, mean over $N \cdot H \cdot W$ pixels |
# | where a thing is | must not matter | is the answer |
#
# $N$ is the number of pictures, $C$ that of classes, $H \times W$ the size. The softmax runs over the axis of the
# classes, for each pixel by itself.
#
# ## {{exercise:iou}}
#
# How good is a map of labels? The share of right pixels flatters: where nine tenths are background, a net that never
# finds anything has 90 %. So each class $c$ is judged by itself. Let $P_c$ be the set of pixels that were given class
# $c$, and $T_c$ the set that truly has it, over **all** pictures together. **Intersection over union** is
#
# $$\mathrm{IoU}_c = \frac{|P_c \cap T_c|}{|P_c \cup T_c|}$$
#
# It is 1 only where both sets are the same, and pixels missed count as much as pixels too many. If a class occurs in
# neither set, its IoU is not a number: NaN.
#
# Some data sets mark pixels at outlines, whose truth nobody knows, with a label of their own, mostly 255. Such pixels
# **do not count at all**, whatever was predicted there.
#
# **By hand.** Labels $(0, 0, 1, 1, 1, 1)$, predicted $(0, 1, 1, 1, 0, 0)$: class 1 has the intersection 2 and the union
# 5, IoU 0.4; class 0 has 1 and 4, IoU 0.25.


# %% exercise="iou" difficulty=2 minutes=15
def iou(predicted, labels, classes, ignore=255):
    """Return the intersection over union of each class.

    Parameters
    ----------
    predicted : int ndarray, any shape
        The class of each pixel, 0 to classes - 1 wherever a pixel counts.
    labels : int ndarray, shape of predicted
        The true class of each pixel, or `ignore`.
    classes : int
        Number of classes.
    ignore : int
        The label of pixels that do not count.

    Returns
    -------
    float64 ndarray, shape (classes,)
        0 to 1; NaN for a class that no counted pixel has, in neither of the two.

    Raises
    ------
    ValueError
        If the shapes differ, or if a pixel that counts has a label or a prediction outside 0 to classes - 1.
    """
    ### BEGIN SOLUTION
    if predicted.shape != labels.shape:
        raise ValueError(f"predicted has shape {predicted.shape}, labels {labels.shape}: they must be the same")
    counts = labels != ignore
    predicted, labels = predicted[counts], labels[counts]
    for name, numbers in (("predicted", predicted), ("labels", labels)):
        if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
            raise ValueError(f"{name} must be from 0 to {classes - 1} wherever a pixel counts")
    result = np.full(classes, np.nan)
    for c in range(classes):
        union = np.count_nonzero((predicted == c) | (labels == c))
        if union:
            result[c] = np.count_nonzero((predicted == c) & (labels == c)) / union
    return result
    ### END SOLUTION


# %% tests="iou" points=1 covers="131"
def kind_of_answer(predicted, labels, classes):
    """the type of iou(predicted, labels, classes)"""
    answer = iou(predicted, labels, classes)
    return "ndarray" if isinstance(answer, np.ndarray) else type(answer).__name__


# The example worked out above; then two pictures with three classes, judged together and not one by one.
labels, given = np.array([0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 1, 0, 0])
check(iou, given, labels, 2).gives([1 / 4, 2 / 5])
check(kind_of_answer, given, labels, 2).gives("ndarray")
truth = np.array([[[0, 0, 1], [2, 1, 1]], [[0, 0, 0], [0, 0, 2]]])
given = np.array([[[0, 1, 1], [2, 2, 1]], [[0, 0, 0], [2, 0, 0]]])
check(iou, given, truth, 3).gives([5 / 8, 2 / 4, 1 / 4], dtype=np.float64)
check(iou, truth, truth, 3).gives([1, 1, 1])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(161)
p, t = rng.integers(0, 5, (4, 7, 3)), rng.integers(0, 5, (4, 7, 3))
table = np.zeros((5, 5))
np.add.at(table, (p.ravel(), t.ravel()), 1)
check(iou, p, t, 5).gives(np.diag(table) / (table.sum(0) + table.sum(1) - np.diag(table)))
check(iou, p.astype(np.uint8), t.astype(np.uint8), 5).gives(
    np.diag(table) / (table.sum(0) + table.sum(1) - np.diag(table))
)
### END HIDDEN TESTS

# %% tests="iou" points=1
# Class 2 is nowhere: NaN. Class 1 was only predicted, class 3 only true: 0.
check(iou, np.array([0, 0, 1, 0]), np.array([0, 0, 0, 3]), 4).gives([1 / 2, 0, np.nan, 0])
# Pixels labelled 255 do not count, whatever was predicted there; 9 has no meaning unless it is the one to ignore.
labels = np.array([[0, 255, 1, 1], [255, 0, 1, 0]])
given = np.array([[0, 1, 1, 0], [0, 1, 1, 0]])
check(iou, given, labels, 2).gives([2 / 4, 2 / 4])
check(iou, np.where(labels == 255, 255, given), labels, 2).gives([2 / 4, 2 / 4])
check(iou, given, np.where(labels == 255, 9, labels), 2, ignore=9).gives([2 / 4, 2 / 4])
check(iou, given, np.where(labels == 255, 9, labels), 2).raises(ValueError)
check(iou, given - 1, labels, 2).raises(ValueError)
check(iou, given + 1, labels, 2).raises(ValueError)
check(iou, np.where(labels == 0, 255, given), labels, 2).raises(ValueError)
check(iou, given, labels[:, :3], 2).raises(ValueError)
check(iou, given, labels[:1], 2).raises(ValueError)
check(iou, given, labels.T, 2).raises(ValueError)
### BEGIN HIDDEN TESTS
check(iou, given, labels, 3).gives([2 / 4, 2 / 4, np.nan])
check(iou, given, labels - 1, 2, ignore=254).raises(ValueError)
check(iou, given, np.full_like(labels, 255), 2).gives([np.nan, np.nan])
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · A classifier that slides
#
# ## {{exercise:fcn_from_classifier}}
#
# A classifier ends in fully connected layers, and they demand one fixed size of picture. But a fully connected layer
# **is** a convolution. Say the last map has the shape $(C, h, w)$; flattening makes $C \cdot h \cdot w$ numbers of
# it, and the first `nn.Linear` has a weight of shape $(D, C h w)$. Read the same numbers as $D$ filters of shape $(C,
# h, w)$: on a map of exactly $h \times w$ they fit into one place and give the same $D$ numbers. Every further
# `nn.Linear` $(E, D)$ becomes a filter bank $(E, D, 1, 1)$.
#
# Nothing is learnt anew. But now the picture may be larger than before: the filters of shape $h \times w$ find
# several places, and out comes a **map of scores**, as if the classifier had been slid over the picture, with a
# stride that is the product of all strides. That is a *fully convolutional network* (FCN).
#
# Your function gets the classifier as an `nn.Sequential` with exactly one `nn.Flatten` in it, and the shape of the
# pictures it was made for. To find $(C, h, w)$, send zeros of this shape through the layers before the `nn.Flatten`.
# What comes before it and layers without weights (ReLU, dropout) are handed on: the same objects. The new
# convolutions get **copies** of the numbers, so that the classifier stays as it is. It may be in single or in double
# precision: make the zeros and the new convolutions of the dtype of its weights.


# %% exercise="fcn_from_classifier" difficulty=3 minutes=25 covers="132"
def fcn_from_classifier(layers, input_shape):
    """Turn a classifier into a fully convolutional network with the same weights.

    Parameters
    ----------
    layers : nn.Sequential
        Layers that make maps, one nn.Flatten, then nn.Linear and layers without weights; in evaluation mode, all
        weights float32 or all float64. It stays as it is.
    input_shape : tuple (C, H, W)
        Pictures that the classifier takes.

    Returns
    -------
    nn.Sequential
        As many layers as before less the nn.Flatten: each nn.Linear is an nn.Conv2d now, of the same dtype. Maps
        (N, C, H', W') to (N, classes, ...); for H' × W' = H × W the last two sides are 1.

    Raises
    ------
    ValueError
        If there is not exactly one nn.Flatten.
    """
    ### BEGIN SOLUTION
    layers = list(layers)
    places = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten)]
    if len(places) != 1:
        raise ValueError(f"there must be one nn.Flatten, not {len(places)}")
    before, after = layers[: places[0]], layers[places[0] + 1 :]
    like = next((p for layer in layers for p in layer.parameters()), torch.zeros(()))
    with torch.no_grad():
        sides = nn.Sequential(*before)(torch.zeros(1, *input_shape, dtype=like.dtype)).shape[1:]
        converted = []
        for layer in after:
            if isinstance(layer, nn.Linear):
                shape = (layer.out_features, *sides)
                conv = nn.Conv2d(shape[1], shape[0], tuple(sides[1:]), bias=layer.bias is not None, dtype=like.dtype)
                conv.weight.copy_(layer.weight.reshape(shape))
                if layer.bias is not None:
                    conv.bias.copy_(layer.bias)
                layer, sides = conv, (layer.out_features, 1, 1)
            converted.append(layer)
    return nn.Sequential(*before, *converted)
    ### END SOLUTION


# %% tests="fcn_from_classifier" points=1 covers="132"
def kinds_of_layers():
    """[type of each layer of fcn_from_classifier(small_classifier(), (2, 10, 8))]"""
    network = fcn_from_classifier(small_classifier(), (2, 10, 8))
    return [type(layer).__name__ for layer in network.children()]


def shapes_of_weights():
    """[shape of each weight and bias of fcn_from_classifier(small_classifier(), (2, 10, 8))]"""
    return [tuple(p.shape) for p in fcn_from_classifier(small_classifier(), (2, 10, 8)).parameters()]


def dtypes_of_weights():
    """{dtype of each weight and bias of fcn_from_classifier(small_classifier().float(), (2, 10, 8))}"""
    network = fcn_from_classifier(small_classifier().float(), (2, 10, 8))
    return sorted({str(p.dtype) for p in network.parameters()})


# The small classifier of the setup: conv, ReLU, pool, conv, ReLU, Flatten, Linear, ReLU, Dropout, Linear.
check(kinds_of_layers).gives(["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "Conv2d", "ReLU", "Dropout", "Conv2d"])
check(shapes_of_weights).gives([(3, 2, 3, 3), (3,), (4, 3, 2, 2), (4,), (5, 4, 3, 2), (5,), (3, 5, 1, 1), (3,)])
# It is in double precision; the same in single precision.
check(dtypes_of_weights).gives(["torch.float32"])


# %% tests="fcn_from_classifier" points=1
def fcn_on(seed, height, width):
    """fcn_from_classifier(small_classifier(seed), (2, 10, 8))(two pictures of height × width)"""
    pictures = torch.from_numpy(drawn(seed, 2, 2, height, width))
    return fcn_from_classifier(small_classifier(seed), (2, 10, 8))(pictures).detach().numpy()


def numbers_of_the_first_convolution(name):
    """weight or bias of the first layer behind the maps: fcn_from_classifier(small_classifier(), (2, 10, 8))[5]"""
    return getattr(fcn_from_classifier(small_classifier(), (2, 10, 8))[5], name).detach().numpy()


# The numbers of the classifier's first nn.Linear; on pictures of its own size its logits, in one place.
linear = small_classifier()[6]
check(numbers_of_the_first_convolution, "weight").gives(linear.weight.detach().reshape(5, 4, 3, 2).numpy())
check(numbers_of_the_first_convolution, "bias").gives(linear.bias.detach().numpy())
check(fcn_on, 162, 10, 8).gives(classifier_on(162, 10, 8))


# %% tests="fcn_from_classifier" points=1
def fcn_on(seed, height, width):
    """fcn_from_classifier(small_classifier(seed), (2, 10, 8))(two pictures of height × width)"""
    pictures = torch.from_numpy(drawn(seed, 2, 2, height, width))
    return fcn_from_classifier(small_classifier(seed), (2, 10, 8))(pictures).detach().numpy()


def logits_before_and_after():
    """classifier's logits before and after: network = fcn_from_classifier(classifier, shape); network's weights = 0"""
    classifier, picture = small_classifier(), torch.from_numpy(drawn(163, 1, 2, 10, 8))
    before = classifier(picture).detach().numpy().copy()
    network = fcn_from_classifier(classifier, (2, 10, 8))
    with torch.no_grad():
        for layer in list(network.children())[5:]:
            for p in layer.parameters():
                p.zero_()
    return [before, classifier(picture).detach().numpy()]


def without_flatten():
    """fcn_from_classifier(nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU()), (2, 10, 8))"""
    return fcn_from_classifier(nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU()), (2, 10, 8))


def two_flattens():
    """fcn_from_classifier of a network with two nn.Flatten"""
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Flatten(), nn.Linear(4, 3))
    return fcn_from_classifier(network, (3, 2, 2))


# On larger pictures: a map of scores, each as if the classifier had looked at its window. The classifier is unharmed.
check(fcn_on, 164, 16, 10).gives(classifier_on(164, 16, 10))
once = small_classifier()(torch.from_numpy(drawn(163, 1, 2, 10, 8))).detach().numpy()
check(logits_before_and_after).gives([once, once])
check(without_flatten).raises(ValueError)
check(two_flattens).raises(ValueError)
### BEGIN HIDDEN TESTS
check(fcn_on, 165, 13, 21).gives(classifier_on(165, 13, 21))


def without_biases():
    """fcn_from_classifier of nn.Flatten and two nn.Linear, the first without bias, on a picture of 3 × 4"""
    network = filled(nn.Sequential(nn.Flatten(), nn.Linear(12, 4, bias=False), nn.Linear(4, 2)), 166)
    return fcn_from_classifier(network, (2, 2, 3))(torch.from_numpy(drawn(167, 1, 2, 3, 4))).detach().numpy()


whole = filled(nn.Sequential(nn.Flatten(), nn.Linear(12, 4, bias=False), nn.Linear(4, 2)), 166)
picture = torch.from_numpy(drawn(167, 1, 2, 3, 4))
windows = [[whole(picture[:, :, i : i + 2, j : j + 3])[0].detach().numpy() for j in (0, 1)] for i in (0, 1)]
check(without_biases).gives(np.array(windows).transpose(2, 0, 1)[None])
### END HIDDEN TESTS

# %% [markdown]
# ### A page of digits
#
# LeNet learns single digits of 28 × 28 pixels for one epoch. Your function turns it into an FCN, which reads a whole
# page of 84 × 140 pixels in one go. The same scores could be had by cutting out every window at stride 4 and
# classifying it: the cell compares the numbers and the time. Place (i, j) of the map belongs to the window with its
# upper left corner at pixel (4i, 4j); in the figure each score lies in the middle of its window, and rings mark the
# digits.

# %% experiment seconds=25 covers="132"
images = data.digits(training.full_or_fast(8000, 500), 40)
with timing.one_thread():
    torch.manual_seed(0)
    lenet = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    for right in training.sgd_epochs(
        lenet, torch.from_numpy(images.x_train), torch.from_numpy(images.y_train), 1, lr=0.05
    ):
        print(f"LeNet after one epoch: {right:.1f} % of the digits right while it learnt")
    lenet.eval()
    sliding_lenet = fcn_from_classifier(lenet, (1, 28, 28)).eval()

    page = torch.zeros(1, 1, 84, 140)
    corners = [(4, 8), (0, 60), (12, 104), (44, 0), (52, 48), (48, 108)]
    chosen = [int(np.flatnonzero(images.y_test == digit)[0]) for digit in (3, 1, 4, 7, 0, 3)]
    for (top, left), k in zip(corners, chosen, strict=True):
        page[0, 0, top : top + 28, left : left + 28] += torch.from_numpy(images.x_test[k, 0])

    def by_fcn():
        """Score the whole page at once."""
        with torch.no_grad():
            return sliding_lenet(page)

    def by_windows():
        """Score window after window, each padded as LeNet pads a digit."""
        with torch.no_grad():
            windows = F.unfold(page, 28, stride=4).transpose(1, 2).reshape(-1, 1, 28, 28)
            return lenet(windows).T.reshape(1, 10, 15, 29)

    times = {"one pass of the FCN": timing.cpu_ms(by_fcn), "435 windows": timing.cpu_ms(by_windows)}
    scores, window_scores = by_fcn(), by_windows()
print(f"A page of {tuple(page.shape[2:])} pixels gives scores of shape {tuple(scores.shape)}.")
for name, ms in times.items():
    print(f"{name:20}{ms:8.1f} ms")
inner = (scores - window_scores).abs().amax(dim=1)[0]
same_answer = (scores.argmax(1) == window_scores.argmax(1)).float().mean().item()
at_corners = [(top // 4, left // 4) for top, left in corners]
read = [int(scores[0, :, i, j].argmax()) for i, j in at_corners]
print(f"Read at the six places of the digits: {read}, and there are {[int(images.y_test[k]) for k in chosen]}.")
print(f"Same class at {same_answer:.0%} of all places; scores differ by up to {inner.max():.2f}.")
maps = np.zeros((10, 84, 140))
maps[:, 12:72, 12:128] = np.kron(torch.softmax(scores, dim=1)[0].numpy(), np.ones((4, 4)))  # 4 × 4 pixels a score
fig = plots.images(
    [page[0, 0], *(maps[digit] for digit in (3, 1, 7))],
    ["the page", *(f"probability of a {digit}" for digit in (3, 1, 7))],
    columns=2,
    size=3.0,
    vmin=0,
    vmax=1,
)
for ax, digit in zip(fig.axes[1:], (3, 1, 7), strict=True):
    for (top, left), k in zip(corners, chosen, strict=True):
        if images.y_test[k] == digit:
            ax.plot(left + 13.5, top + 13.5, "o", ms=20, mfc="none", mec=plots.PALETTE[1], mew=2)
plots.show(
    fig,
    alt="A page with six digits and three coarse maps of the probabilities of 3, 1 and 7, with rings around the places "
    "of their digits. In the map of 3 both rings hold bright squares, and there are a few elsewhere; in that of 1 all "
    "the empty paper is bright; in that of 7 the ring is bright, and so are places below and above other digits.",
)
lesson.target("windows against the FCN, CPU time", times["435 windows"] / times["one pass of the FCN"], at_least=3)

# %% [markdown]
# One pass is many times cheaper, because neighbouring windows share nearly all their work. Two things are worth a
# look. The scores are not exactly equal: LeNet pads its input with two zeros, and a window cut out of the page has
# zeros where the page has its neighbours. And the net says *something* everywhere, on empty paper too: it never
# learnt a class "nothing here". That is why segmentation is trained with a background class.
#
# The map is coarse: one score for each 4 × 4 pixels here, one for each 32 × 32 in VGG-16. There are two ways out: do
# not shrink (Part 3), or enlarge again (Part 4).
#
# # Part 3 · See far without shrinking
#
# ## {{exercise:dilated_conv2d}}
#
# Pooling has a purpose: behind it, a 3 × 3 filter sees twice as far. A **dilated** convolution sees far without
# it: its weights stand $d$ pixels apart, with gaps between them in which nothing is read. For the input $x$ of shape
# $(N, C, H, W)$ and weights $w$ of shape $(C_\text{out}, C, K_h, K_w)$,
#
# $$y_{noij} = b_o + \sum_{c} \sum_{a=0}^{K_h-1} \sum_{b=0}^{K_w-1} w_{ocab}\; \tilde{x}_{n,\,c,\;i + a d,\;j + b d}$$
#
# $\tilde x$ is $x$ with $P$ zeros around it, $d$ is the **dilation**, 1 for a usual convolution, and $b_o$ the bias
# of filter $o$. The filter spans $d(K - 1) + 1$ pixels, so that $H' = H + 2P - d(K_h - 1)$, and the same for the
# width. The number of weights stays.
#
# **By hand,** in one dimension: $x = (1, 3, 4, 7, 5, 0)$, $w = (2, 1, -1)$, $d = 2$: the filter spans five of the six,
# and $y = (2 + 4 - 5,\ 6 + 7 - 0) = (1, 13)$.
#
# Use NumPy. As in notebook 06, a loop over the $K_h \cdot K_w$ places of the kernel is enough.


# %% exercise="dilated_conv2d" difficulty=2 minutes=15 covers="135"
def dilated_conv2d(x, weight, bias=None, padding=0, dilation=1):
    """Convolve with gaps between the weights (stride 1, no flip).

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, C, H, W)
    weight : ndarray, shape (C_out, C, K_h, K_w)
    bias : ndarray, shape (C_out,), or None
    padding : int, at least 0
        Zeros on each of the four sides.
    dilation : int, at least 1
        Distance between neighbouring weights, in pixels.

    Returns
    -------
    ndarray, shape (N, C_out, H', W'), dtype of x

    Raises
    ------
    ValueError
        If the channels of x and weight differ, padding or dilation is outside its range, or the dilated filter does
        not fit into the padded maps.
    """
    ### BEGIN SOLUTION
    if x.shape[1] != weight.shape[1]:
        raise ValueError(f"x has {x.shape[1]} channels, weight expects {weight.shape[1]}")
    if padding < 0 or dilation < 1:
        raise ValueError(f"padding >= 0 and dilation >= 1 are needed, not {padding} and {dilation}")
    rows, columns = (
        side + 2 * padding - dilation * (kernel - 1) for side, kernel in zip(x.shape[2:], weight.shape[2:], strict=True)
    )
    if min(rows, columns) < 1:
        raise ValueError("the dilated filter is larger than the padded maps")
    framed = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    y = np.zeros((len(x), len(weight), rows, columns), x.dtype)
    for a, b in np.ndindex(weight.shape[2:]):
        seen = framed[:, :, a * dilation : a * dilation + rows, b * dilation : b * dilation + columns]
        y += np.einsum("nchw,oc->nohw", seen, weight[:, :, a, b])
    return y if bias is None else (y + bias[:, None, None]).astype(x.dtype)
    ### END SOLUTION


# %% tests="dilated_conv2d" points=1 covers="135"
# One row, with the example above; then the lecture's figure: 3 × 3 weights with dilation 2 see nine pixels of 5 × 5.
row = np.array([[[[1.0, 3.0, 4.0, 7.0, 5.0, 0.0]]]])
edge = np.array([[[[2.0, 1.0, -1.0]]]])
check(dilated_conv2d, row, edge).gives([[[[1, 3, 10, 19]]]])
check(dilated_conv2d, row, edge, dilation=2).gives([[[[1, 13]]]])
picture, weight = np.arange(42.0).reshape(1, 1, 6, 7) ** 2, np.arange(1.0, 10).reshape(1, 1, 3, 3)
seen = picture[0, 0, 0:5:2, 0:5:2]
check(dilated_conv2d, picture[:, :, :5, :5], weight, dilation=2).gives([[[[float((seen * weight).sum())]]]])
check(dilated_conv2d, picture, weight, dilation=2).gives(torch_conv(picture, weight, dilation=2))
check(dilated_conv2d, picture, weight, padding=2, dilation=2).gives(torch_conv(picture, weight, padding=2, dilation=2))
### BEGIN HIDDEN TESTS
for padding, dilation in [(0, 1), (1, 2), (3, 3), (4, 1)]:
    check(dilated_conv2d, picture, weight, None, padding, dilation).gives(
        torch_conv(picture, weight, padding=padding, dilation=dilation)
    )
### END HIDDEN TESTS

# %% tests="dilated_conv2d" points=1
# Two pictures of 3 channels, 9 × 6; 4 filters of 2 × 3 with biases; single precision; arguments without meaning.
x, weight, bias = drawn(170, 2, 3, 9, 6), drawn(171, 4, 3, 2, 3), drawn(172, 4)
check(dilated_conv2d, x, weight, bias, 1, 3).gives(torch_conv(x, weight, bias, padding=1, dilation=3))
x32, weight32, bias32 = (array.astype(np.float32) for array in (x, weight, bias))
expected = torch_conv(x32, weight32, bias32, padding=2, dilation=2)
check(dilated_conv2d, x32, weight32, bias32, 2, 2).gives(expected, rtol=1e-4, atol=1e-4, dtype=np.float32)
expected = torch_conv(x32, weight32, padding=1)
check(dilated_conv2d, x32, weight32, padding=1).gives(expected, rtol=1e-4, atol=1e-4, dtype=np.float32)
check(dilated_conv2d, x, weight[:, :2], bias).raises(ValueError)
check(dilated_conv2d, x, weight[:, :1], bias).raises(ValueError)
check(dilated_conv2d, x, weight, bias, 0, 3).raises(ValueError)
check(dilated_conv2d, x, weight, bias, 0, 9).raises(ValueError)
check(dilated_conv2d, x, weight, bias, 0, 0).raises(ValueError)
check(dilated_conv2d, x, weight, bias, -1, 1).raises(ValueError)
check(dilated_conv2d, x, weight, bias, -1, 2).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, padding, dilation in [((1, 3, 3, 8), 0, 2), ((3, 3, 5, 5), 4, 4), ((1, 3, 2, 3), 0, 1)]:
    x = drawn(173, *shape)
    check(dilated_conv2d, x, weight, None, padding, dilation).gives(
        torch_conv(x, weight, padding=padding, dilation=dilation)
    )
check(dilated_conv2d, drawn(174, 1, 3, 3, 4), weight, bias, 0, 3).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:context_receptive_field}}
#
# A layer whose filter spans $d(K - 1) + 1$ pixels adds $d(K - 1)$ to the receptive field of what comes before it (all
# strides are 1). After layers with dilations $d_1, \dots, d_l$,
#
# $$r_l = 1 + (K - 1) \sum_{i=1}^{l} d_i$$
#
# With all dilations 1 that grows **linearly**. The slide writes $l \cdot (k - 1) + k$ for $l$ layers on top of a
# first one (and prints a 1 in the place of the letter $l$; notebook 07 has audited that). With dilations 1, 2, 4, 8 …
# the sum doubles with each layer, and the field grows **exponentially** while the number of weights grows linearly.
#
# Yu and Koltun's *context module* has seven layers of 3 × 3 with the dilations 1, 1, 2, 4, 8, 16, 1. It is put behind
# a classifier's layers and lets each pixel's answer depend on its surroundings.


# %% exercise="context_receptive_field" difficulty=1 minutes=7 covers="134 135"
def context_receptive_field(dilations, kernel=3):
    """Return the receptive field after each layer of a context module, along one side.

    Parameters
    ----------
    dilations : sequence of int, each at least 1
        One a layer, in order; may be empty.
    kernel : int, at least 1
        Side of every filter. All strides are 1.

    Returns
    -------
    list of int
        As long as `dilations`.

    Raises
    ------
    ValueError
        If kernel or a dilation is less than 1.
    """
    ### BEGIN SOLUTION
    if kernel < 1 or any(dilation < 1 for dilation in dilations):
        raise ValueError("kernel and every dilation must be at least 1")
    fields, field = [], 1
    for dilation in dilations:
        field += (kernel - 1) * dilation
        fields.append(field)
    return fields
    ### END SOLUTION


# %% tests="context_receptive_field" points=1 covers="134 135"
def kind_of_answer(dilations):
    """the type of context_receptive_field(dilations)"""
    return type(context_receptive_field(dilations)).__name__


# Yu and Koltun's module: their table 1 has the same numbers. Then their figure 1: dilations 1, 2, 4.
check(context_receptive_field, [1, 1, 2, 4, 8, 16, 1]).gives([3, 5, 9, 17, 33, 65, 67])
check(context_receptive_field, [1, 2, 4]).gives([3, 7, 15])
check(kind_of_answer, [1, 2, 4]).gives("list")

# %% tests="context_receptive_field" points=1
# Without dilation: l·(k − 1) + k for l layers on top of a first one. A larger kernel; no layer; a kernel of 1.
check(context_receptive_field, [1] * 5, kernel=5).gives([layers * 4 + 5 for layers in range(5)])
check(context_receptive_field, (3, 1, 2), kernel=4).gives([10, 13, 19])
check(context_receptive_field, []).gives([])
check(context_receptive_field, [2, 5], kernel=1).gives([1, 1])
check(context_receptive_field, [1, 0, 2]).raises(ValueError)
check(context_receptive_field, [1, 2], kernel=0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(context_receptive_field, [-1]).raises(ValueError)
for kernel, dilations in [(2, [1, 3, 9]), (7, [4]), (3, [2] * 6)]:
    probe = torch.zeros(1, 1, 161, dtype=torch.float64, requires_grad=True)
    fields, y = [], probe
    for dilation in dilations:
        y = F.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), dilation=dilation)
        (gradient,) = torch.autograd.grad(y[0, 0, 0], probe, retain_graph=True)
        fields.append(int(gradient.nonzero().max()) + 1)
    check(context_receptive_field, dilations, kernel).gives(fields)
### END HIDDEN TESTS

# %% [markdown]
# ### Linear, exponential, and what it costs
#
# Rows of 3 × 3 layers with 16 channels: how many layers, and how many weights, until one unit sees 67 pixels?

# %% experiment seconds=5 covers="134 E6"
plain_fields = context_receptive_field([1] * 33)
doubled_fields = context_receptive_field([2**k for k in range(6)])
yu_koltun = context_receptive_field([1, 1, 2, 4, 8, 16, 1])
weights_a_layer = 16 * 16 * 9
first_plain = next(k for k, field in enumerate(plain_fields, start=1) if field >= 67)
print(f"dilation 1 everywhere: 67 pixels after {first_plain} layers, {first_plain * weights_a_layer:,} weights")
print(f"dilations 1, 1, 2, 4, 8, 16, 1: {yu_koltun}, after 7 layers, {7 * weights_a_layer:,} weights")
print(f"one kernel of 67 × 67: {16 * 16 * 67**2:,} weights")
field, jump = 1, 1
for _ in range(4):
    field, jump = field + 2 * jump + jump, 2 * jump  # 3 × 3, then 2 × 2 pooling with stride 2
print(
    f"3 × 3 and 2 × 2 pooling, four times, and a last 3 × 3: {field + 2 * jump} pixels, {5 * weights_a_layer:,} "
    f"weights, a map of 1/{jump} of the side"
)
slide = [1 * (3 - 1) + 3 for _ in range(1, 4)]
right = [layers * (3 - 1) + 3 for layers in range(1, 4)]
print(f"1, 2 and 3 layers on a first one: {plain_fields[1:4]}; l·(k − 1) + k gives {right}, as printed {slide}")
side = 64
unpadded = [
    tuple(torch_conv(np.zeros((1, 1, side, side)), np.zeros((1, 1, kernel, kernel))).shape[2:])
    for kernel in (3, 17, 33)
]
print(f"One unpadded kernel of 3, 17 and 33 on {side} × {side} pixels leaves {unpadded}.")
fig, ax = plots.figure(width=5.6, height=2.9)
ax.plot(range(1, 11), plain_fields[:10], marker="o", label="all dilations 1")
ax.plot(range(1, 8), yu_koltun, marker="s", label="1, 1, 2, 4, 8, 16, 1")
ax.plot(range(1, 7), doubled_fields, marker="^", label="1, 2, 4, 8, 16, 32")
ax.set(xlabel="layers of 3 × 3", ylabel="receptive field, pixels")
ax.legend()
plots.show(
    fig,
    alt="Receptive field against layers: a straight line to 21 pixels at 10 layers without dilation; with doubling "
    "dilations it bends upwards, to 127 pixels at 6 layers; Yu and Koltun's module ends at 67 after 7.",
)
lesson.target("receptive field of the context module", yu_koltun[-1], exactly=67)

# %% [markdown]
# The slide says that large kernels lose resolution. The printed sizes show what is meant: a kernel that is not padded
# eats the border, the larger the more. With padding of half the kernel nothing is lost, only paid for in weights.
# Pooling pays in resolution, as its row shows. Dilation pays in memory and arithmetic, since all maps stay at full
# size, and a dilated layer leaves out the pixels in its gaps.
#
# ### With and without dilation: stamps on photographs
#
# Now to real pixels. `segmentation.scenes(n)` puts stamps (cut-out photographs of birds, fruit, tools …) on other
# photographs; the truth of each pixel comes from the stamp's alpha channel: class 1, "stamp", where it covers at
# least half of the pixel, class 0 elsewhere. Training scenes show the 126 stamps of the training set on the left
# parts of ten photographs, test scenes the 80 other stamps on the right parts.
#
# Two nets with seven 3 × 3 layers of 8 channels and exactly the same number of weights: one with all dilations 1, one
# with Yu and Koltun's. Neither shrinks anything. (Trained weights are kept on disk: a second run takes a moment.)


# %% experiment seconds=30 covers="135"
def context_net(dilations, width=8):
    """Return 3 × 3 layers that keep the size, with batch normalization and ReLU, and a 1 × 1 layer for two classes."""
    layers, channels = [], 3
    for dilation in dilations:
        layers.append(nn.Conv2d(channels, width, 3, padding=dilation, dilation=dilation, bias=False))
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(channels, 2, 1))


train = segmentation.scenes(training.full_or_fast(504, 64))
test = segmentation.unseen_scenes()
context_iou = {}
rows = {"all dilations 1": [1] * 7, "1, 1, 2, 4, 8, 16, 1": [1, 1, 2, 4, 8, 16, 1]}
for name, dilations in training.progress(rows.items(), "net"):
    torch.manual_seed(0)
    net = segmentation.fitted(context_net(dilations), train.x, train.y, training.full_or_fast(12, 1))
    context_iou[name] = iou(segmentation.predicted(net, test.x).argmax(axis=1), test.y, 2)
    field = context_receptive_field(dilations)[-1]
    weights = sum(p.numel() for p in net.parameters())
    print(
        f"{name:22} field {field:2} pixels, {weights:,} parameters: IoU of background "
        f"{context_iou[name][0]:.3f}, of stamps {context_iou[name][1]:.3f}, mean {context_iou[name].mean():.3f}"
    )
dilation_gain = 100 * (context_iou["1, 1, 2, 4, 8, 16, 1"].mean() - context_iou["all dilations 1"].mean())
lesson.target("gain in mean IoU by dilation", dilation_gain, at_least=1, unit="points")

# %% [markdown]
# Same weights, same arithmetic: the gain is what a far look is worth. A field of 15 pixels sees texture; to know that a
# piece of texture belongs to a stamp, one has to see the stamp.
#
# # Part 4 · Up again
#
# ## {{exercise:conv_transpose2d}}
#
# A convolution with stride 2 halves a map. Which layer doubles it? You know it already: it is the way back of that
# convolution. Look at the way back at stride 1 first. Take lecture B's example, a 3 × 3 filter $w$ on a 4 × 4 input,
# output 2 × 2:
#
# $$y_{11} = \sum_{i,j=1}^{3} w_{ij}\, x_{ij}, \qquad
# \frac{\partial L}{\partial x_{11}} = \frac{\partial L}{\partial y_{11}} w_{11}, \qquad
# \frac{\partial L}{\partial x_{12}} =
# \frac{\partial L}{\partial y_{11}} w_{12} + \frac{\partial L}{\partial y_{12}} w_{11}$$
#
# Read it from the output's side: each output's gradient is multiplied by the **whole filter**, and this small picture
# is added to ∂L/∂x at the place that the output had looked at. At stride 1 these stamps of the filter lie one pixel
# apart, and 2 × 2 numbers become 4 × 4. With stride 2 they lie two apart, and a map becomes about
# twice as large. An **upconvolution** (transposed convolution) is this operation in its own right: its input $x$ takes
# the place of the gradient.
#
# $$y_{n,\,o,\;iS + aD - P,\;jS + bD - P} \;\mathrel{+}= \; x_{ncij}\; w_{coab} \qquad\text{for all } c, i, j, a, b$$
#
# and in the end the bias $b_o$ is added once to every pixel. $x$ has the shape $(N, C, H, W)$. $w$ has the shape $(C,
# C_\text{out}, K_h, K_w)$: the **first** axis belongs to the input, since this is the filter bank of the convolution
# whose way back we walk. $S$ (`stride`) is the distance of neighbouring stamps of the filter, $D$ (`dilation`) that
# of its weights. $P$ (`padding`) rows and columns are **cut off** on each side: what the convolution had padded has
# no gradient to return to. With `output_padding` $Q$,
#
# $$H' = (H - 1)\,S + D\,(K_h - 1) + 1 - 2P + Q$$
#
# Several sizes shrink to the same $H$ when the stride does not divide. $Q$ says which of them is meant: it
# keeps $Q$ rows and columns more **at the end**; those that no stamp reaches hold only the bias. $0 \le Q <
# \max(S, D)$. Use NumPy.
#
# **By hand.** The 2 × 2 input $(1, 10;\ 100, 1000)$ and the filter $(1, 2, 3;\ 4, 5, 6;\ 7, 8, 9)$, stride 1: the
# first row of the output is $1,\ 2 + 10 = 12,\ 3 + 20 = 23,\ 30$. The digits show which input each part came from.


# %% exercise="conv_transpose2d" difficulty=3 minutes=30 covers="133"
def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    """Enlarge maps by an upconvolution, the gradient of a convolution with respect to its input.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (N, C, H, W)
    weight : ndarray, shape (C, C_out, K_h, K_w)
    bias : ndarray, shape (C_out,), or None
    stride, dilation : int, at least 1
    padding : int, at least 0
        Rows and columns cut off on each of the four sides.
    output_padding : int, from 0 to max(stride, dilation) - 1
        Rows and columns more at the bottom and on the right.

    Returns
    -------
    ndarray, shape (N, C_out, H', W'), dtype of x

    Raises
    ------
    ValueError
        If the channels of x and weight differ, an argument is outside its range, or nothing is left of the output.
    """
    ### BEGIN SOLUTION
    if x.shape[1] != weight.shape[0]:
        raise ValueError(f"x has {x.shape[1]} channels, weight expects {weight.shape[0]}")
    if min(stride, dilation) < 1 or padding < 0 or not 0 <= output_padding < max(stride, dilation):
        raise ValueError("stride and dilation >= 1, padding >= 0, 0 <= output_padding < max(stride, dilation)")
    (n, _, height, width), (_, c_out, k_h, k_w) = x.shape, weight.shape
    rows = (height - 1) * stride + dilation * (k_h - 1) + 1 + output_padding
    columns = (width - 1) * stride + dilation * (k_w - 1) + 1 + output_padding
    if min(rows, columns) <= 2 * padding:
        raise ValueError(f"a padding of {padding} cuts off the whole output")
    y = np.zeros((n, c_out, rows, columns), x.dtype)
    for a, b in np.ndindex(k_h, k_w):
        top, left = a * dilation, b * dilation
        part = y[:, :, top : top + height * stride : stride, left : left + width * stride : stride]
        part[:, :, :height, :width] += np.einsum("nchw,co->nohw", x, weight[:, :, a, b])
    y = y[:, :, padding : rows - padding, padding : columns - padding]
    return y.copy() if bias is None else (y + bias[:, None, None]).astype(x.dtype)
    ### END SOLUTION


# %% tests="conv_transpose2d" points=1 covers="133"
# The example above; then the same with a bias, and the gradient of lecture B's convolution: all sixteen numbers.
x = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
weight = np.arange(1.0, 10).reshape(1, 1, 3, 3)
enlarged = [[1, 12, 23, 30], [104, 1245, 2356, 3060], [407, 4578, 5689, 6090], [700, 7800, 8900, 9000]]
check(conv_transpose2d, x, weight).gives([[enlarged]])
check(conv_transpose2d, x, weight, np.array([0.5])).gives([[np.array(enlarged) + 0.5]])
check(conv_transpose2d, x, weight).gives(gradient_of_conv(x, (1, 1, 4, 4), weight))
# Two pictures of 3 channels; the filter bank gives 2 channels and is 2 × 4 pixels large.
x, weight, bias = drawn(180, 2, 3, 3, 5), drawn(181, 3, 2, 2, 4), drawn(182, 2)
check(conv_transpose2d, x, weight, bias).gives(torch_transposed(x, weight, bias))
check(conv_transpose2d, x, weight[:2], bias).raises(ValueError)
check(conv_transpose2d, x, weight[:1], bias).raises(ValueError)
### BEGIN HIDDEN TESTS
x32, weight32, bias32 = (array.astype(np.float32) for array in (x, weight, bias))
expected = torch_transposed(x32, weight32, bias32)
check(conv_transpose2d, x32, weight32, bias32).gives(expected, rtol=1e-4, atol=1e-4, dtype=np.float32)
square = drawn(183, 3, 3, 3, 3)
check(conv_transpose2d, x, square).gives(torch_transposed(x, square))
### END HIDDEN TESTS

# %% tests="conv_transpose2d" points=1 covers="133"
# Stride, then padding, then both with output padding. The last is the way back of a convolution with stride 2 on 6 × 8.
x, weight, bias = drawn(184, 2, 2, 3, 4), drawn(185, 2, 3, 3, 3), drawn(186, 3)
check(conv_transpose2d, x, weight, bias, stride=2).gives(torch_transposed(x, weight, bias, stride=2))
check(conv_transpose2d, x, weight, bias, padding=1).gives(torch_transposed(x, weight, bias, padding=1))
options = {"stride": 2, "padding": 1, "output_padding": 1}
check(conv_transpose2d, x, weight, bias, **options).gives(torch_transposed(x, weight, bias, **options))
check(conv_transpose2d, x, weight, **options).gives(gradient_of_conv(x, (2, 3, 6, 8), weight, stride=2, padding=1))
# In single precision, with gaps: the filters do not touch.
x32, small = x.astype(np.float32), drawn(187, 2, 3, 2, 1).astype(np.float32)
expected = torch_transposed(x32, small, bias.astype(np.float32), stride=3)
check(conv_transpose2d, x32, small, bias.astype(np.float32), stride=3).gives(
    expected, rtol=1e-4, atol=1e-4, dtype=np.float32
)
expected = torch_transposed(x32, small, stride=2)
check(conv_transpose2d, x32, small, stride=2).gives(expected, rtol=1e-4, atol=1e-4, dtype=np.float32)
### BEGIN HIDDEN TESTS
for stride, padding, output_padding in [(4, 0, 3), (3, 2, 1), (1, 2, 0), (2, 2, 1), (5, 1, 0)]:
    options = {"stride": stride, "padding": padding, "output_padding": output_padding}
    check(conv_transpose2d, x, weight, bias, **options).gives(torch_transposed(x, weight, bias, **options))
### END HIDDEN TESTS

# %% tests="conv_transpose2d" points=1 covers="133"
# Dilation alone and with all else; then arguments outside their range. A dilation of 3 allows an output padding of 2.
x, weight, bias = drawn(188, 2, 2, 3, 4), drawn(189, 2, 3, 3, 2), drawn(190, 3)
check(conv_transpose2d, x, weight, bias, dilation=2).gives(torch_transposed(x, weight, bias, dilation=2))
options = {"stride": 2, "padding": 1, "output_padding": 2, "dilation": 3}
check(conv_transpose2d, x, weight, bias, **options).gives(torch_transposed(x, weight, bias, **options))
check(conv_transpose2d, x, weight, bias, stride=2, output_padding=2).raises(ValueError)
check(conv_transpose2d, x, weight, bias, stride=2, output_padding=3, dilation=3).raises(ValueError)
check(conv_transpose2d, x, weight, bias, output_padding=1).raises(ValueError)
check(conv_transpose2d, x, weight, bias, stride=2, output_padding=-1).raises(ValueError)
check(conv_transpose2d, x, weight, bias, stride=3, padding=2, output_padding=-1).raises(ValueError)
check(conv_transpose2d, x, weight, bias, padding=3).raises(ValueError)
check(conv_transpose2d, x[:, :, :2, :3], weight, bias, padding=2).raises(ValueError)
check(conv_transpose2d, x, weight, bias, padding=-1).raises(ValueError)
check(conv_transpose2d, x, weight, bias, stride=0).raises(ValueError)
check(conv_transpose2d, x, weight, bias, dilation=0).raises(ValueError)
### BEGIN HIDDEN TESTS
for stride, padding, output_padding, dilation in [(1, 0, 1, 2), (3, 4, 2, 2), (2, 3, 3, 4), (4, 2, 0, 3)]:
    options = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    check(conv_transpose2d, x, weight, bias, **options).gives(torch_transposed(x, weight, bias, **options))
check(conv_transpose2d, x, weight, bias, stride=0, dilation=2).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### Why "transposed", and what a stride does here
#
# A convolution is linear, so there is a matrix $M$ with $y = M x$, for the lecture's example of shape 4 × 16. The
# gradient of any $y = M x$ is $M^\mathsf{T}\, \partial L/\partial y$: the upconvolution is the product with the
# **transposed** matrix, hence the name. (It is no inverse: $M^\mathsf{T} M x$ is not $x$.)
#
# And there is a third way to see it. Put $S - 1$ zeros between the input's pixels, frame it with $K - 1 - P$ zeros,
# and convolve with the filter turned by 180°, at stride 1. A stride of the convolution has become an enlargement of
# the input of its gradient. The cell compares the three.

# %% experiment seconds=5 covers="133"
filters = np.arange(1.0, 10).reshape(1, 1, 3, 3)
units = np.eye(16).reshape(16, 1, 4, 4)
matrix = torch_conv(units, filters).reshape(16, 4).T
some = drawn(191, 1, 1, 2, 2)
by_matrix = (matrix.T @ some.ravel()).reshape(4, 4)
off_matrix = float(np.abs(conv_transpose2d(some, filters)[0, 0] - by_matrix).max())
print("M is", matrix.shape, "and its first row is", matrix[0].astype(int))
names = [[f"g{i}{j}" for j in (1, 2)] for i in (1, 2)]
print("All sixteen derivatives, with g for the derivatives of L with respect to y:")
for i in range(4):
    for j in range(4):
        terms = [
            f"{names[k][m]}·w{i - k + 1}{j - m + 1}"
            for k in (0, 1)
            for m in (0, 1)
            if 0 <= i - k < 3 and 0 <= j - m < 3
        ]
        print(f"  dL/dx{i + 1}{j + 1} = {' + '.join(terms)}")

off_zeros = 0.0
for stride, kernel, padding in [(2, 3, 0), (2, 4, 1), (3, 5, 2), (4, 4, 0)]:
    small, bank = drawn(192, 2, 3, 4, 5), drawn(193, 3, 2, kernel, kernel)
    spread = np.zeros((2, 3, 3 * stride + 1, 4 * stride + 1))
    spread[:, :, ::stride, ::stride] = small
    turned = bank.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1].copy()
    wanted = torch_conv(spread, turned, padding=kernel - 1 - padding)
    off_zeros = max(off_zeros, float(np.abs(conv_transpose2d(small, bank, None, stride, padding) - wanted).max()))
lesson.target("your conv_transpose2d against the transposed matrix", off_matrix, at_most=1e-10)
lesson.target("against zeros between the pixels and a convolution", off_zeros, at_most=1e-10)

# %% widget="upconvolution_stepper"
# alt: A 3 × 3 input beside a 7 × 7 output on which 3 × 3 filters are stamped two apart; overlaps make a checkerboard.
from convnets.widgets import UpconvolutionStepper

# picture: UpconvolutionStepper(conv_transpose2d, position=(2, 2))
UpconvolutionStepper(conv_transpose2d)

# %% [markdown]
# Step through it: each input pixel stamps the filter onto the output. With all weights 1 and an input of ones, an
# output pixel counts how many stamps reach it. For a kernel of 3 and stride 2 that is 1, 2 or 4: a **checkerboard**,
# out of an input without any pattern. Try a kernel of 4 or 2.
#
# ### The checkerboard seen
#
# Only the interior counts, where stamps from all sides could arrive. Then a photograph, made small and enlarged
# again: by an upconvolution with a kernel of 3 whose weights are equal, and by one with a kernel of 4.

# %% experiment seconds=10 covers="133"
unevenness = {}
for kernel, stride in [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (5, 3), (6, 3)]:
    counts = conv_transpose2d(np.ones((1, 1, 9, 9)), np.ones((1, 1, kernel, kernel)), stride=stride)[0, 0]
    inside = counts[kernel:-kernel, kernel:-kernel]
    unevenness[kernel, stride] = inside.max() / inside.min()
    print(
        f"kernel {kernel}, stride {stride}: {inside.min():.0f} to {inside.max():.0f} stamps on a pixel, "
        f"{'even' if unevenness[kernel, stride] == 1 else 'checkerboard'}"
    )
even_where_divisible = all((ratio == 1) == (kernel % stride == 0) for (kernel, stride), ratio in unevenness.items())

photo = data.photograph("cat")[60:252, 110:302].astype(np.float64).transpose(2, 0, 1)[:, None] / 255
small = photo.reshape(3, 1, 64, 3, 64, 3).mean(axis=(3, 5))
large = {
    kernel: conv_transpose2d(
        small, np.full((1, 1, kernel, kernel), 4 / kernel**2), None, 2, kernel // 2 - 1 + kernel % 2
    )
    for kernel in (3, 4)
}


def shown(picture):
    """Return a detail of a picture (3, 1, H, W) as matplotlib shows it."""
    return np.clip(picture[:, 0, 20:84, 30:94].transpose(1, 2, 0), 0, 1)


fig = plots.images(
    [np.clip(small[:, 0, 10:42, 15:47].transpose(1, 2, 0), 0, 1), shown(large[3]), shown(large[4])],
    ["small", "kernel 3, stride 2", "kernel 4, stride 2"],
    columns=3,
    size=2.6,
)
plots.show(
    fig,
    alt="A cat's eye: small; enlarged with a kernel of 3, with a fine grid of dark and bright pixels all "
    "over it; enlarged with a kernel of 4, smooth.",
)
lesson.target("unevenness of kernel 3 with stride 2", unevenness[3, 2], exactly=4)

# %% [markdown]
# The rule of the printed table: where the stride divides the kernel, every pixel gets equally many stamps. Weights
# can learn to undo the pattern, but at the start it is there, and trained networks often keep a trace of it. The
# U-Net below uses kernel 2 with stride 2: no overlap at all.
#
# ## {{exercise:bilinear_kernel}}
#
# An upconvolution can enlarge without having learnt anything. For a factor $f$, bilinear interpolation is the
# upconvolution with stride $f$, padding $\lfloor f / 2 \rfloor$ and a kernel of side
#
# $$K = 2f - (f \bmod 2), \qquad k_{ab} = t_a t_b, \qquad t_a = 1 - \frac{|a - m|}{f}, \qquad m = \frac{K - 1}{2}$$
#
# for $a, b = 0, \dots, K - 1$: a pyramid with its tip at $m$, in the middle. With this padding $n$ pixels become
# exactly $f \cdot n$. For $C$ channels the weight has the shape $(C, C, K, K)$, and each channel is enlarged by
# itself: the pyramid stands where both channels are the same, all else is 0.
#
# FCN starts its upconvolutions with this kernel, so that they interpolate before they have learnt anything. Yours is
# a NumPy array.
#
# **By hand.** $f = 2$: $K = 4$, $m = 1.5$, $t = (1/4, 3/4, 3/4, 1/4)$. $f = 3$: $K = 5$, $m = 2$,
# $t = (1/3, 2/3, 1, 2/3, 1/3)$.


# %% exercise="bilinear_kernel" difficulty=1 minutes=10 covers="132"
def bilinear_kernel(factor, channels=1):
    """Return the weight of an upconvolution that enlarges bilinearly, each channel by itself.

    Parameters
    ----------
    factor : int, at least 1
        How many times as large a side becomes; the stride of the upconvolution.
    channels : int, at least 1

    Returns
    -------
    float64 ndarray, shape (channels, channels, K, K), K = 2 * factor - factor % 2

    Raises
    ------
    ValueError
        If factor or channels is less than 1.
    """
    ### BEGIN SOLUTION
    if min(factor, channels) < 1:
        raise ValueError(f"factor and channels must be at least 1, not {factor} and {channels}")
    side = 2 * factor - factor % 2
    t = 1 - np.abs(np.arange(side) - (side - 1) / 2) / factor
    return np.eye(channels)[:, :, None, None] * np.outer(t, t)
    ### END SOLUTION


# %% tests="bilinear_kernel" points=1
def kind_of_answer(factor):
    """the type of bilinear_kernel(factor)"""
    answer = bilinear_kernel(factor)
    return "ndarray" if isinstance(answer, np.ndarray) else type(answer).__name__


# The two examples, for one channel. A factor of 1 changes nothing.
t = np.array([1, 3, 3, 1]) / 4
check(bilinear_kernel, 2).gives(np.outer(t, t)[None, None], dtype=np.float64)
check(kind_of_answer, 2).gives("ndarray")
t = np.array([1, 2, 3, 2, 1]) / 3
check(bilinear_kernel, 3).gives(np.outer(t, t)[None, None], rtol=1e-12)
check(bilinear_kernel, 1).gives([[[[1]]]])
check(bilinear_kernel, 0).raises(ValueError)
check(bilinear_kernel, 2, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(bilinear_kernel, -3).raises(ValueError)
check(bilinear_kernel, 2, -1).raises(ValueError)
### END HIDDEN TESTS


# %% tests="bilinear_kernel" points=1
def enlarged_inside(factor, channels):
    """F.conv_transpose2d(x, bilinear_kernel(factor, channels), stride=factor, padding=factor // 2), without a border"""
    x = torch.from_numpy(drawn(194, 1, channels, 5, 6))
    weight = torch.as_tensor(bilinear_kernel(factor, channels))
    y = F.conv_transpose2d(x, weight, stride=factor, padding=factor // 2).numpy()
    return y[:, :, factor:-factor, factor:-factor]


def interpolated_inside(factor, channels):
    """Return PyTorch's bilinear enlargement of the same maps, without a border."""
    x = torch.from_numpy(drawn(194, 1, channels, 5, 6))
    y = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False).numpy()
    return y[:, :, factor:-factor, factor:-factor]


# Two channels do not mix. Maps enlarged by it are PyTorch's bilinear ones, away from the border.
t = np.array([1, 3, 3, 1]) / 4
expected = np.zeros((2, 2, 4, 4))
expected[0, 0] = expected[1, 1] = np.outer(t, t)
check(bilinear_kernel, 2, 2).gives(expected)
check(enlarged_inside, 4, 3).gives(interpolated_inside(4, 3))
check(enlarged_inside, 3, 2).gives(interpolated_inside(3, 2))
### BEGIN HIDDEN TESTS
for factor, channels in [(2, 1), (5, 2), (8, 1), (7, 3)]:
    check(enlarged_inside, factor, channels).gives(interpolated_inside(factor, channels))
### END HIDDEN TESTS

# %% [markdown]
# ### FCN-32s, FCN-16s, FCN-8s
#
# Long, Shelhamer and Darrell slid VGG-16 over the picture: one score for 32 × 32 pixels, enlarged bilinearly, is
# **FCN-32s**. Then they went back for finer maps. A 1 × 1 convolution on a map at stride 16 gives scores too; they
# are added to the coarse ones, enlarged twofold (**FCN-16s**); the same again at stride 8 is **FCN-8s**.
#
# The cell does so with EfficientNet-Lite0, which knows ImageNet and stays as it is. Its maps at strides 32, 16 and 8
# get a 1 × 1 convolution each for the two classes; your `bilinear_kernel` does all the enlarging. Only the 1 × 1
# convolutions learn, from 252 scenes of 96 × 96 pixels. The finer ones start at zero, as in the paper.

# %% experiment seconds=25 covers="132"
fcn_train = segmentation.scenes(training.full_or_fast(252, 32), side=96)
fcn_test = segmentation.scenes(training.full_or_fast(120, 16), test=True, side=96, seed=1)
backbone = as_sequence(efficientnet_lite0())


def maps_at_strides(x):
    """Return EfficientNet's maps at strides 8, 16 and 32."""
    wanted, maps = {"block5": 8, "block11": 16, "block16": 32}, {8: [], 16: [], 32: []}
    with torch.no_grad():
        for part in torch.from_numpy(x).split(16):
            for name, layer in backbone.named_children():
                part = layer(part)
                if name in wanted:
                    maps[wanted[name]].append(part)
                if name == "block16":
                    break
    return {stride: torch.cat(parts).contiguous() for stride, parts in maps.items()}


def enlarged(scores, factor):
    """Enlarge scores (N, 2, H, W) by the upconvolution with your bilinear kernel."""
    weight = torch.from_numpy(bilinear_kernel(factor, 2)).float()
    return F.conv_transpose2d(scores, weight, stride=factor, padding=factor // 2)


def ladder(finest, maps, labels, seed=0):
    """Train the 1 × 1 convolutions of FCN-32s, -16s or -8s; return a function from maps to logits at full size."""
    torch.manual_seed(seed)
    heads = {s: nn.Conv2d(maps[s].shape[1], 2, 1) for s in (32, 16, 8) if s >= finest}
    for stride, head in heads.items():
        if stride < 32:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def logits(given):
        total = heads[32](given[32])
        for stride in (16, 8):
            if stride >= finest:
                total = enlarged(total, 2) + heads[stride](given[stride])
        return enlarged(total, finest)

    optimizer = torch.optim.Adam([p for head in heads.values() for p in head.parameters()], lr=0.01)
    for _ in range(training.full_or_fast(6, 1)):
        for batch in torch.randperm(len(labels)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(logits({s: m[batch] for s, m in maps.items()}), labels[batch]).backward()
            optimizer.step()
    return logits


with timing.one_thread():
    fcn_maps, test_maps = maps_at_strides(fcn_train.x), maps_at_strides(fcn_test.x)
    fcn_iou, fcn_masks = {}, {}
    for finest in (32, 16, 8):
        logits = ladder(finest, fcn_maps, torch.from_numpy(fcn_train.y))
        with torch.no_grad():
            fcn_masks[finest] = logits(test_maps).argmax(dim=1).numpy()
        fcn_iou[finest] = iou(fcn_masks[finest], fcn_test.y, 2)
        print(
            f"FCN-{finest}s: IoU of background {fcn_iou[finest][0]:.3f}, of stamps {fcn_iou[finest][1]:.3f}, "
            f"mean {fcn_iou[finest].mean():.3f}"
        )
rows = []
for k in (2, 8):
    rows += [(fcn_test.x[k].transpose(1, 2, 0) + 1) / 2, *(fcn_masks[s][k] for s in (32, 16, 8)), fcn_test.y[k]]
fig = plots.images(rows, ["scene", "FCN-32s", "FCN-16s", "FCN-8s", "truth"] * 2, columns=5, size=1.45, vmin=0, vmax=1)
plots.show(
    fig,
    alt="Two unseen scenes, a sheep and a fish, with the masks of FCN-32s, FCN-16s and FCN-8s and the truth: first a "
    "shapeless blob, then the body, at last some of what sticks out of it; thin parts are missing or too thick in all "
    "three, and masks run on to the edge of the picture.",
)
lesson.target("mean IoU of FCN-8s", fcn_iou[8].mean(), at_least=0.70)
lesson.target("FCN-8s less FCN-32s", 100 * (fcn_iou[8].mean() - fcn_iou[32].mean()), at_least=10, unit="points")

# %% [markdown]
# Each step down the ladder doubles the resolution of the scores, and the IoU says what that is worth: the first step
# most. These nets know ImageNet. The next one knows nothing, and has to find its own maps.

# %% [markdown]
# # Part 5 · U-Net
#
# ## {{exercise:UNet}}
#
# FCN adds coarse scores and fine scores. U-Net goes further: it has a whole way up, as wide as the way down, and at
# each size the maps of the way down are **stacked** onto those that come from below. What a thing is comes from the
# bottom of the U, where a unit sees all of the picture; where it ends comes across.
#
# With `width` $w$ and `levels` $L$, level $l = 0, \dots, L$ has $w_l = w \cdot 2^l$ channels and maps of
# $H/2^l \times W/2^l$ pixels.
#
# | part | layers | what it does |
# | --- | --- | --- |
# | `down[0]` | `two_convs(c_in, w_0)` | at full size |
# | `down[l]`, $l = 1 \dots L$ | 2 × 2 max pooling, then `two_convs(w_{l-1}, w_l)` | halves, doubles the channels |
# | `enlarge[k]`, $k = 0 \dots L - 1$ | `nn.ConvTranspose2d(w_{L-k}, w_{L-k-1}, 2, 2)` | doubles the size |
# | `up[k]` | `two_convs(2 w_{L-k-1}, w_{L-k-1})` | on the kept maps (**first**) and the enlarged ones, stacked |
# | `classifier` | `nn.Conv2d(w_0, classes, 1)` | a logit for each class at each pixel |
#
# `down`, `enlarge` and `up` are `nn.ModuleList`s with $L + 1$, $L$ and $L$ entries; pooling has no weights
# (`F.max_pool2d`). The maps that go across are those **after** `down[l]`, before pooling, for $l = L - 1, \dots, 0$.
# With `skips=False` zeros of the same shape are stacked in their place: the same layers, the same number of weights,
# and nothing comes across.
#
# `two_convs` from the setup is two 3 × 3 convolutions with batch normalization and ReLU that keep the size. The paper
# of 2015 has no batch normalization and no padding, and 31 million parameters; this one is small and learns in
# seconds.


# %% exercise="UNet" difficulty=3 minutes=30 covers="136"
class UNet(nn.Module):
    """Down, up, and across: (N, c_in, H, W) to logits (N, classes, H, W).

    Parameters
    ----------
    c_in, classes : int
    width : int
        Channels at full size.
    levels : int
        How often the maps are halved.
    skips : bool
        Whether maps of the way down are stacked onto those of the way up; zeros otherwise.

    Attributes
    ----------
    down, enlarge, up : nn.ModuleList
    classifier : nn.Conv2d

    Raises
    ------
    ValueError
        In `forward`, if H or W is not a multiple of 2 ** levels.
    """

    def __init__(self, c_in, classes, width=8, levels=3, skips=True):
        super().__init__()
        ### BEGIN SOLUTION
        widths = [width * 2**level for level in range(levels + 1)]
        sources = [c_in, *widths[:-1]]
        self.down = nn.ModuleList([two_convs(a, b) for a, b in zip(sources, widths, strict=True)])
        going_up = list(range(levels))[::-1]
        self.enlarge = nn.ModuleList([nn.ConvTranspose2d(widths[k + 1], widths[k], 2, 2) for k in going_up])
        self.up = nn.ModuleList([two_convs(2 * widths[k], widths[k]) for k in going_up])
        self.classifier = nn.Conv2d(width, classes, 1)
        self.skips = skips
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        multiple = 2 ** len(self.up)
        if x.shape[2] % multiple or x.shape[3] % multiple:
            raise ValueError(f"the sides must be multiples of {multiple}, not {tuple(x.shape[2:])}")
        x = self.down[0](x)
        kept = []
        for convs in self.down[1:]:
            kept.append(x)
            x = convs(F.max_pool2d(x, 2))
        for enlarge, convs in zip(self.enlarge, self.up, strict=True):
            across = kept.pop()
            x = convs(torch.cat([across if self.skips else torch.zeros_like(across), enlarge(x)], dim=1))
        return self.classifier(x)
        ### END SOLUTION


# %% tests="UNet" points=1 covers="136"
def shapes_of_parameters(*options):
    """{name: shape} of the weights with more than one axis of UNet(*options)"""
    return {name: tuple(p.shape) for name, p in UNet(*options).named_parameters() if p.ndim > 1}


def number_of_weights(*options):
    """Number of parameters of UNet(*options)"""
    return sum(p.numel() for p in UNet(*options).parameters())


def table_of_shapes(c_in, classes, width, levels):
    """Write down the shapes of the table."""
    widths = [width * 2**level for level in range(levels + 1)]
    shapes = {"classifier.weight": (classes, width, 1, 1)}
    for level, c_out in enumerate(widths):
        source = widths[level - 1] if level else c_in
        shapes[f"down.{level}.0.weight"] = (c_out, source, 3, 3)
        shapes[f"down.{level}.3.weight"] = (c_out, c_out, 3, 3)
    for k in range(levels):
        below, own = widths[levels - k], widths[levels - k - 1]
        shapes[f"enlarge.{k}.weight"] = (below, own, 2, 2)
        shapes[f"up.{k}.0.weight"] = (own, 2 * own, 3, 3)
        shapes[f"up.{k}.3.weight"] = (own, own, 3, 3)
    return shapes


# Pictures of 3 channels, 2 classes, width 8, 3 levels, and with all biases; then other numbers.
check(shapes_of_parameters, 3, 2).gives(table_of_shapes(3, 2, 8, 3))
check(number_of_weights, 3, 2).gives(121_186)
check(shapes_of_parameters, 1, 5, 3, 2).gives(table_of_shapes(1, 5, 3, 2))
### BEGIN HIDDEN TESTS
check(shapes_of_parameters, 2, 3, 4, 1).gives(table_of_shapes(2, 3, 4, 1))
### END HIDDEN TESTS


# %% tests="UNet" points=1
def maps_stacked(net):
    """Return what up[0] gets in a net of one level: it and the classifier hand on what they get."""
    net.up[0] = net.classifier = nn.Identity()
    return net(torch.from_numpy(drawn(194, 2, 3, 6, 4))).detach().numpy()


def first_half_of_the_stack():
    """what net.up[0] gets, the first half of the channels; net = filled(UNet(3, 2, width=2, levels=1), 194)"""
    return maps_stacked(filled(UNet(3, 2, 2, 1), 194))[:, :2]


def second_half_of_the_stack():
    """what net.up[0] gets, the second half of the channels; net = filled(UNet(3, 2, width=2, levels=1), 194)"""
    return maps_stacked(filled(UNet(3, 2, 2, 1), 194))[:, 2:]


def logits_of(seed, rows, columns, c_in, **options):
    """net = filled(UNet(c_in, **options), seed), in evaluation mode; net(two pictures of rows × columns)"""
    net = filled(UNet(c_in, **options), seed)
    return net(torch.from_numpy(drawn(seed, 2, c_in, rows, columns))).detach().numpy()


# What the first step up gets: the maps of down[0], and those that enlarge[0] makes of what down[1] says of the pooled.
stack = maps_stacked(filled(unet.UNet(3, 2, 2, 1, batch_norm=True), 194))
check(first_half_of_the_stack).gives(stack[:, :2], rtol=1e-6)
check(second_half_of_the_stack).gives(stack[:, 2:], rtol=1e-6)
# The logits, with one level and with three; more rows than columns. All numbers of the net are drawn.
options = {"rows": 6, "columns": 4, "c_in": 3, "classes": 2, "width": 2, "levels": 1}
check(logits_of, 195, **options).gives(witness(195, **options), rtol=1e-6)
options = {"rows": 24, "columns": 16, "c_in": 1, "classes": 4, "width": 2, "levels": 3}
check(logits_of, 196, **options).gives(witness(196, **options), rtol=1e-6)
### BEGIN HIDDEN TESTS
options = {"rows": 8, "columns": 12, "c_in": 2, "classes": 3, "width": 3, "levels": 2}
check(logits_of, 197, **options).gives(witness(197, **options), rtol=1e-6)
### END HIDDEN TESTS


# %% tests="UNet" points=1
def logits_of(seed, rows, columns, c_in, **options):
    """net = filled(UNet(c_in, **options), seed), in evaluation mode; net(two pictures of rows × columns)"""
    net = filled(UNet(c_in, **options), seed)
    return net(torch.from_numpy(drawn(seed, 2, c_in, rows, columns))).detach().numpy()


def number_of_weights(*options, **more):
    """Number of parameters of UNet(*options)"""
    return sum(p.numel() for p in UNet(*options, **more).parameters())


# Without skips: other logits, the same number of weights. Sides that cannot be halved three times are refused.
options = {"rows": 8, "columns": 16, "c_in": 3, "classes": 2, "width": 2, "levels": 2, "skips": False}
check(logits_of, 198, **options).gives(witness(198, **options), rtol=1e-6)
check(number_of_weights, 3, 2, skips=False).gives(121_186)
check(logits_of, 199, 24, 20, 3, classes=2, width=2, levels=3).raises(ValueError)
check(logits_of, 199, 12, 24, 3, classes=2, width=2, levels=3).raises(ValueError)
### BEGIN HIDDEN TESTS
options = {"rows": 4, "columns": 6, "c_in": 1, "classes": 3, "width": 3, "levels": 1, "skips": False}
check(logits_of, 200, **options).gives(witness(200, **options), rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# # Part 6 · Cutting stamps out of photographs
#
# Your U-Net learns from 1,008 scenes of 32 × 32 pixels, twelve times over, once with skips and once without, from
# the same start. Then it sees 240 scenes with the 80 stamps of the test set. Errors are counted twice: within two
# pixels of the true outline, and everywhere else.

# %% experiment seconds=60 covers="136"
test = segmentation.unseen_scenes()


def near_outline(labels, pixels=2):
    """Return which pixels of labels (N, H, W) have the other class within so many pixels."""
    own = torch.from_numpy(labels).double()[:, None]
    framed = F.pad(own, (pixels,) * 4, mode="replicate")
    highest, lowest = F.max_pool2d(framed, 2 * pixels + 1, 1), -F.max_pool2d(-framed, 2 * pixels + 1, 1)
    return (highest != lowest)[:, 0].numpy()


outline = near_outline(test.y)
unet_iou, masks, errors = {}, {}, {}
for skips in training.progress((True, False), "net"):
    net = segmentation.trained_unet(UNet, skips)
    masks[skips] = segmentation.predicted(net, test.x).argmax(axis=1)
    unet_iou[skips] = iou(masks[skips], test.y, 2)
    wrong = masks[skips] != test.y
    errors[skips] = 100 * wrong[outline].mean(), 100 * wrong[~outline].mean()
    print(
        f"{'with' if skips else 'without':8} skips: IoU of background {unet_iou[skips][0]:.3f}, of stamps "
        f"{unet_iou[skips][1]:.3f}, mean {unet_iou[skips].mean():.3f}; wrong pixels {errors[skips][0]:.1f} % near "
        f"outlines, {errors[skips][1]:.1f} % elsewhere"
    )
all_background = iou(np.zeros_like(test.y), test.y, 2)
print(
    f"A net that says background everywhere: {100 * (test.y == 0).mean():.0f} % right, mean IoU "
    f"{all_background.mean():.3f}"
)

stamps = data.stamps()
kinds = stamps.labels[test.stamps]
by_kind = {
    name: [iou(masks[skips][kinds == k], test.y[kinds == k], 2)[1] for skips in (True, False)]
    for k, name in enumerate(stamps.classes)
    if np.any(kinds == k)
}
fig, ax = plots.figure(width=6.6, height=3.0)
places = np.arange(len(by_kind))
for k, (words, hatch) in enumerate([("with skips", ""), ("without skips", "//")]):
    ax.bar(
        places + 0.4 * k - 0.2,
        [pair[k] for pair in by_kind.values()],
        0.38,
        label=words,
        color=plots.PALETTE[k],
        hatch=hatch,
        edgecolor="white",
    )
ax.set_xticks(places, list(by_kind), rotation=35, ha="right")
ax.set(ylabel="IoU of the stamps", ylim=(0, 1.15))
ax.legend(ncols=2, loc="upper right")
plots.show(
    fig,
    alt="IoU of unseen stamps for each kind of thing, with and without skips; kinds differ more than the two nets do.",
)

chosen = np.argsort([iou(m, t, 2)[1] for m, t in zip(masks[True], test.y, strict=True)])
chosen = chosen[[int(share * (len(chosen) - 1)) for share in (0.1, 0.35, 0.6, 0.85)]]
rows, titles = [], []
for i in chosen:
    rows += [(test.x[i].transpose(1, 2, 0) + 1) / 2, test.y[i], masks[True][i], masks[False][i]]
    titles += ["scene", "truth", "with skips", "without skips"]
fig = plots.images(rows, titles, columns=4, size=1.5, vmin=0, vmax=1)
plots.show(
    fig,
    alt="Four unseen scenes, from a bad to a good one, each with its true mask and both nets' masks: those with "
    "skips follow outlines more closely in most scenes, those without are smoother and rounder.",
)
factor_near, factor_else = (errors[False][k] / errors[True][k] for k in (0, 1))
lesson.target("mean IoU with skips", unet_iou[True].mean(), at_least=0.80)
lesson.target(
    "gain in mean IoU by skips", 100 * (unet_iou[True].mean() - unet_iou[False].mean()), at_least=1, unit="points"
)
if max(factor_near, factor_else) < 1.05:
    answer = 0
elif factor_else < 1.05:
    answer = 1
else:
    answer = 2 if factor_near >= factor_else else 3
lesson.reveal(
    "what_skips_do",
    answer=answer,
    because=f"Without skips there are {factor_near:.2f} times as many wrong pixels near outlines and {factor_else:.2f} "
    "times as many elsewhere.",
)

# %% [markdown]
# Near outlines a pixel is wrong several times as often as elsewhere, in both nets, and there the skips help. Elsewhere
# the factor stays near 1: from start to start it falls a little above or below. What is bottom and what is top of the
# U can be seen in the masks: without skips the thing is found as a rule, and its outline is smooth. And look at the
# bars: what kind of thing is to be cut out matters more than the skips do.

# %% widget="segmentation_overlay"
# alt: A stamp on a photograph with the mask of the U-Net laid over it; missed pixels are hatched, its IoU stands below.
from convnets.widgets import SegmentationOverlay

SegmentationOverlay(UNet, iou)

# %% [markdown]
# The same two nets (as trained above), scene by scene. Turn the skips off and on; move the threshold: a pixel is
# given to the stamp when its probability is at least that.
#
# ### What became of the claims


# %% experiment seconds=5 folded=true covers="133 134 135 136 E6"
def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


linear = context_receptive_field([1] * 4)
exponential = context_receptive_field([1, 2, 4, 8])
off = float(np.abs(conv_transpose2d(some, filters) - gradient_of_conv(some, (1, 1, 4, 4), filters)).max())
plots.claims(
    [
        plots.Claim(
            "upconvolution is the gradient of a convolution (B)",
            f"largest difference {off:.0e}",
            "3 × 3 on 4 × 4, your conv_transpose2d against PyTorch's gradient",
            "holds" if off < 1e-10 else "does not hold",
        ),
        plots.Claim(
            "a stride of the convolution becomes upsampling of the input (B)",
            f"zeros between the pixels, then a convolution: largest difference {off_zeros:.0e}",
            "four pairs of kernel and stride",
            "holds" if off_zeros < 1e-10 else "does not hold",
        ),
        plots.Claim(
            "checkerboards where the stride does not divide the kernel (often heard)",
            f"kernel 3, stride 2: {unevenness[3, 2]:.0f} times as many stamps on some pixels as on others; kernel 4: "
            f"{unevenness[4, 2]:.0f}",
            "equal weights, seven pairs counted, away from the border",
            "holds" if even_where_divisible else "does not hold",
        ),
        plots.Claim(
            "the receptive field grows linearly, 1·(k − 1) + k as printed (B)",
            f"3 × 3: {linear}; as printed it would stay at {1 * (3 - 1) + 3}",
            "counted; the 1 should be the letter l, the layers on top of the first",
            "partly" if len(set(np.diff(linear))) == 1 else "does not hold",
        ),
        plots.Claim(
            "dilation: the field grows exponentially (B)",
            f"dilations 1, 2, 4, 8: {exponential}; the module of seven layers {yu_koltun[-1]}",
            "counted; holds as long as the dilations double",
            "holds" if exponential == [2 ** (k + 2) - 1 for k in range(4)] else "does not hold",
        ),
        plots.Claim(
            "large kernels lose resolution (B)",
            f"33 × 33 on 64 × 64 leaves {unpadded[2][0]} × {unpadded[2][1]} without padding",
            "stride 1; with padding of half the kernel the size stays",
            "partly" if unpadded[2][0] < side else "does not hold",
        ),
        plots.Claim(
            "dilated context improves segmentation (B, Yu and Koltun)",
            f"{dilation_gain:+.1f} points of mean IoU",
            "seven layers of 8 channels, same weights; 32 × 32 scenes, one start",
            judged("holds" if dilation_gain >= 1 else "partly" if dilation_gain > 0 else "does not hold"),
        ),
        plots.Claim(
            "FCN-8s better than FCN-16s better than FCN-32s (B)",
            ", ".join(f"{fcn_iou[s].mean():.3f}" for s in (8, 16, 32)),
            "mean IoU; heads on frozen EfficientNet-Lite0, 96 × 96 scenes, one start",
            judged("holds" if fcn_iou[8].mean() > fcn_iou[16].mean() > fcn_iou[32].mean() else "partly"),
        ),
        plots.Claim(
            "skips make outlines precise (E)",
            f"wrong pixels without skips: {factor_near:.2f} times as many near outlines, {factor_else:.2f} elsewhere",
            "two U-Nets with the same weights, 240 unseen scenes, one start",
            judged(
                "holds" if factor_near > max(1.05, factor_else) else "partly" if factor_near > 1.05 else "does not hold"
            ),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person. Use figures that your cells printed.
#
# **Three ways to see far (2 points, 0.5 for each part).** (a) A classifier for 1,000 classes sees one picture of 224
# × 224, and a segmenter for 21 classes sees the same. How many numbers does each give, and what must the second know
# that the first may forget? (b) Name what pooling, a large kernel and dilation each cost for a receptive field of 67
# pixels. (c) Why does FCN-32s give blobs, and what do FCN-16s and FCN-8s add? (d) What do the skips of the U-Net
# carry, and what did your figures say about where they help?

# %% [markdown] answer="see_far" points=2 covers="131"
# ### BEGIN SOLUTION
# (a) 1,000 against 21 · 224 · 224 = 1,053,696. The classifier must not care where the object is (invariance is
# wanted); the segmenter has to know where, to the pixel, as well as what.
#
# (b) Pooling: resolution (a factor 2 each). A large kernel of 67 × 67: weights, 4,489 for each pair of channels
# against 9 · 7 = 63; unpadded it also eats the border. Dilation: no weights and no resolution, but full-size maps
# through all layers, so time and memory; the sampling has gaps.
#
# (c) One score stands for 32 × 32 pixels, and interpolation cannot bring back an outline that the scores do not hold.
# FCN-16s adds scores computed from maps at stride 16, FCN-8s also those at stride 8.
#
# (d) The maps of the way down at the same size: fine, local, precise in place. Any figures of the run: mean IoU with
# and without, wrong pixels near outlines and elsewhere, with the factors.
#
# **Rubric:** 0.5 for each part. (a) both counts (or the factor) and what against where; (b) three costs; (c) stride
# 32 and finer scores added; (d) what is carried and one pair of figures, read correctly.
# ### END SOLUTION

# %% [markdown]
# **Why a transposed convolution is no inverse (1 point, 0.5 for each part).** (a) Why does the gradient of a
# convolution with stride 2 double the size of a map, and what does `output_padding` decide? (b) "Deconvolution undoes
# a convolution", people say. Say in one sentence what it does instead, and where checkerboards come from.

# %% [markdown] answer="no_inverse" points=1
# ### BEGIN SOLUTION
# (a) Every output of the convolution had looked at a window, and windows are two apart; the gradient returns each
# number to its window, so that the windows lie two apart on the larger map (zeros between pixels, then a
# convolution). Inputs of 2n − 1 and 2n pixels, say, shrink to the same size; output_padding says which of them is to
# come back.
#
# (b) It multiplies by the transposed matrix, not by the inverse: shapes return, values do not. Checkerboards: windows
# overlap unevenly where the stride does not divide the kernel, so some pixels get more stamps than others.
#
# **Rubric:** 0.5 for windows two apart (or zeros between pixels) and for the ambiguity of sizes; 0.5 for transposed,
# not inverse, and uneven overlap.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. A fully connected layer is a convolution, so every classifier can slide: its map is coarse, and nothing is learnt
#    anew.
# 2. Dilation makes the receptive field grow exponentially at full resolution; an upconvolution, the gradient of a
#    convolution, enlarges what was shrunk, with a checkerboard where the stride does not divide the kernel.
# 3. U-Net carries fine maps across to the coarse ones; intersection over union, class by class, says what it is
#    worth.
#
# **Can you explain …**
#
# - why 90 % of pixels right can be worthless?
# - why an FCN needs no window cut out, and how much time that saves?
# - why the weight of an upconvolution has the input's channels first?
# - why bilinear interpolation is an upconvolution?
# - why a U-Net without skips is no better than its bottom?
#
# **Three readings**
#
# - J. Long, E. Shelhamer, T. Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015,
#   arXiv:1411.4038: sections 3 and 4.
# - O. Ronneberger, P. Fischer, T. Brox, *U-Net: convolutional networks for biomedical image segmentation*, MICCAI
#   2015, arXiv:1505.04597: figure 1.
# - F. Yu, V. Koltun, *Multi-scale context aggregation by dilated convolutions*, ICLR 2016, arXiv:1511.07122: figure 1
#   and table 1. For checkerboards: A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*,
#   Distill 2016.
#
# Next: 17 Visualization.
