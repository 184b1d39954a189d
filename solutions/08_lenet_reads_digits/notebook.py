# %% [markdown] covers="73"
# # 08 LeNet reads digits
#
# ![A handwritten 4 of 32 × 32 pixels, then what each layer of a trained LeNet-5 makes of it: 6 maps of 28 × 28, the
# same of 14 × 14, 16 maps of 10 × 10, the same of 5 × 5, 120 and 84 numbers laid out in grids, and an axis of the ten
# digits with a single bar, that of the 4; the others are too short to be seen.](pictures/lenet.png)
#
# *One digit on its way through a trained LeNet-5. From left to right the maps get smaller and more, until ten numbers
# are left.*
#
# Between 1988 and 1993 Larry Jackel's department at Bell Labs in Holmdel built a PC with a camera and a frame grabber
# that read handwritten digits; a few years later its successors read cheques in banks. Networks of this kind are small
# enough to be written in ten lines. In this notebook you write LeNet-5 in the manner of 1998 and as it is built now,
# count what it stores and what it computes, set its speed beside that of the signal processor of 1993, train it in a
# few seconds, and watch it read what you draw. At the end you take the one thing from it that it was built upon, and
# see what is left.
#
# {{card:120}}
#
# *The last two exercises are optional and not in this time: 20 minutes more.*
#
# **Afterwards you can**
#
# - write LeNet-5 in PyTorch and say the shape after every layer;
# - count parameters and multiplications of a network, and say where each of them sits;
# - time a network fairly;
# - write the training loop that all later notebooks use;
# - say which knowledge about pictures is built into a convolutional network, and prove it by an experiment.
#
# **You need** [06 The convolutional layer](../06_convolutional_layer/06_convolutional_layer.ipynb),
# [07 Pooling and receptive fields](../07_pooling_and_receptive_fields/07_pooling_and_receptive_fields.ipynb) and the
# optimisers of [04](../04_optimizers/04_optimizers.ipynb).
#
# **From the lectures** A (LeNet 1989, the demo, cheques), C and E (LeNet-5), D (feature maps, the DSP).

# %% setup
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets import data, plots, timing, training
from convnets.checks import open_lesson
from convnets.models import lenet, lenet_1998

lesson = open_lesson("08_lenet_reads_digits")
check, hint = lesson.check, lesson.hint


def load_digits(n_train, n_test):
    """Return x_train, y_train, x_test, y_test as tensors; pictures (N, 1, 32, 32), framed by 2 pixels of paper."""
    digits = data.digits(n_train, n_test)
    return (
        lenet_1998.as_input(digits.x_train),
        torch.from_numpy(digits.y_train),
        lenet_1998.as_input(digits.x_test),
        torch.from_numpy(digits.y_test),
    )


def percent_right(model, x, y):
    """Return how many of the pictures x the model gives their class y, in percent."""
    model.eval()
    with torch.no_grad():
        return 100 * (model(x).argmax(dim=1) == y).double().mean().item()


# %% [markdown]
# ## Before you begin: a prediction
#
# Draw a shuffled order of the 1,024 pixel positions once. Then shuffle *every* picture, of the training set and of the
# test set, in this same order. You could not read a single digit any more; but nothing is lost: each picture can be put
# back.

# %% experiment seconds=5
lesson.predict(
    "shuffled_pixels",
    "A LeNet and a fully connected net with as many parameters are trained and tested on shuffled digits. "
    "Which of them reads worse than before?",
    ["both", "only the LeNet", "only the fully connected net", "neither: both can learn the new order"],
)

# %% [markdown] covers="71"
# # Part 1 · The network
#
# The data first: digits of MNIST, which was made in the 1990s from forms filled in by American high-school pupils and
# census clerks. The course has 10,000 of them; here a network learns from 8,000 and is tested on 1,000 others. LeCun's
# network of 1989, which is credited with weight sharing and was trained by backpropagation and stochastic gradient
# descent, learned on its predecessor: zip codes cut from real envelopes.
#
# MNIST's pictures have 28 × 28 pixels, LeNet-5 reads 32 × 32: `load_digits` adds 2 pixels of paper on each side. Paper
# becomes −0.1 and ink 1.175, values of the paper of 1998 that put the mean near 0 (module 03 says what for).

# %% experiment seconds=5 covers="71"
sample = data.digits(60, 10)
fig = plots.images(1 - sample.x_train[:, 0], [""] * 60, columns=15, size=0.55)
plots.show(
    fig,
    alt="Sixty handwritten digits in four rows. The first row reads "
    f"{' '.join(map(str, sample.y_train[:15]))}; slant, width and thickness of the strokes differ.",
)
framed, *_ = load_digits(1000, 1)
print(
    f"As the network gets them: {framed.shape[2]} × {framed.shape[3]} pixels from {framed.min():.1f} to "
    f"{framed.max():.3f}, mean {framed.mean():.2f}, standard deviation {framed.std():.2f}"
)

# %% [markdown]
# ## {{exercise:LeNet5}}
#
# LeNet-5 takes pictures of 32 × 32 pixels with one channel. The layer names are those of the paper: C for convolutions,
# S for subsampling (pooling), F for fully connected.
#
# | layer | what it is | output |
# | --- | --- | --- |
# | C1 | 6 filters of 5 × 5, no padding; activation | 6 × 28 × 28 |
# | S2 | pooling over 2 × 2 squares, stride 2 | 6 × 14 × 14 |
# | C3 | 16 filters of 5 × 5 over all 6 maps, no padding; activation | 16 × 10 × 10 |
# | S4 | pooling over 2 × 2 squares, stride 2 | 16 × 5 × 5 |
# | C5 | 120 units, each connected to all 400 numbers of S4; activation | 120 |
# | F6 | 84 units, fully connected; activation | 84 |
# | output | 10 logits, fully connected, nothing after them | 10 |
#
# Lecture C lists it as CONV – POOL – CONV – POOL – CONV – FC. C5 counts as a convolution there: its filters of 5 × 5
# meet maps of 5 × 5, there is one window, and a convolution with one window is a fully connected layer (module 06).
# Write it as `nn.Flatten` and `nn.Linear`.
#
# Two forms. **Modern**, as it is built now: ReLU and max pooling. **In the manner of 1998**: tanh and average pooling
# (the optional part says what else the paper had). Both pool *after* the activation. The class inherits from
# `nn.Sequential`: hand all layers to `super().__init__(...)` in order, and `forward` is already written.


# %% exercise="LeNet5" difficulty=2 minutes=13 covers="74"
class LeNet5(nn.Sequential):
    """LeNet-5: (N, 1, 32, 32) to logits (N, classes).

    Parameters
    ----------
    classes : int
        Number of logits.
    modern : bool
        ReLU and max pooling; otherwise tanh and average pooling, in the manner of 1998.
    """

    def __init__(self, classes=10, *, modern=True):
        ### BEGIN SOLUTION
        activation, pool = (nn.ReLU, nn.MaxPool2d) if modern else (nn.Tanh, nn.AvgPool2d)
        super().__init__(
            nn.Conv2d(1, 6, 5),
            activation(),
            pool(2),
            nn.Conv2d(6, 16, 5),
            activation(),
            pool(2),
            nn.Flatten(),
            nn.Linear(400, 120),
            activation(),
            nn.Linear(120, 84),
            activation(),
            nn.Linear(84, classes),
        )
        ### END SOLUTION


# %% tests="LeNet5" points=1
def sizes_of_weights_and_biases(**options):
    """For each weight and bias of LeNet5(**options), in order: how many numbers it holds"""
    return [parameter.numel() for parameter in LeNet5(**options).parameters()]


def shape_of_the_answer(n, **options):
    """Shape of LeNet5(**options)(x) for x of shape (n, 1, 32, 32)"""
    return tuple(LeNet5(**options)(torch.zeros(n, 1, 32, 32)).shape)


# Lecture C's "60k parameters", layer by layer; seven classes change the last layer only.
check(sizes_of_weights_and_biases).gives([150, 6, 2400, 16, 48000, 120, 10080, 84, 840, 10])
check(shape_of_the_answer, 3).gives((3, 10))
check(sizes_of_weights_and_biases, classes=7, modern=False).gives([150, 6, 2400, 16, 48000, 120, 10080, 84, 588, 7])
### BEGIN HIDDEN TESTS
check(shape_of_the_answer, 1, classes=3).gives((1, 3))
check(shape_of_the_answer, 2, classes=26, modern=False).gives((2, 26))
### END HIDDEN TESTS


# %% tests="LeNet5" points=2
def fixed_parameters(sizes):
    """Draw numbers for parameters of these shapes: weights with variance 2 / fan-in, small biases."""
    rng = np.random.default_rng(80)
    scales = [np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1 for shape in sizes]
    return [torch.from_numpy(s * rng.normal(size=shape)) for s, shape in zip(scales, sizes, strict=True)]


def logits_of(x, **options):
    """net = LeNet5(**options).double(); its weights and biases are set to fixed numbers; net(x)"""
    net = LeNet5(**options).double()
    parameters = list(net.parameters())
    with torch.no_grad():
        for own, fixed in zip(parameters, fixed_parameters([tuple(p.shape) for p in parameters]), strict=True):
            own.copy_(fixed)
        return net(x).numpy()


def expected_logits(x, activation, pool, classes=10):
    """Compute LeNet-5 with PyTorch's functions alone."""
    shapes = [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 400), (120,), (84, 120), (84,), (classes, 84), (classes,)]
    w1, b1, w3, b3, w5, b5, w6, b6, w7, b7 = fixed_parameters(shapes)
    x = pool(activation(F.conv2d(x, w1, b1)), 2)
    x = pool(activation(F.conv2d(x, w3, b3)), 2)
    x = activation(F.linear(x.flatten(1), w5, b5))
    return F.linear(activation(F.linear(x, w6, b6)), w7, b7).numpy()


# Two pictures of noise, in both forms.
noise = torch.from_numpy(np.random.default_rng(81).normal(size=(2, 1, 32, 32)))
check(logits_of, noise).gives(expected_logits(noise, F.relu, F.max_pool2d))
check(logits_of, noise, modern=False).gives(expected_logits(noise, torch.tanh, F.avg_pool2d))
### BEGIN HIDDEN TESTS
one = noise[:1] * 3
check(logits_of, one, classes=4).gives(expected_logits(one, F.relu, F.max_pool2d, 4))
check(logits_of, one, classes=4, modern=False).gives(expected_logits(one, torch.tanh, F.avg_pool2d, 4))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:layer_shapes}}
#
# "As we go deeper: width and height ↓, number of filters ↑" (lecture C). Rather than believe it, let a picture through
# the network and note the shape after every layer. An `nn.Sequential` can be walked through like a list:
# `for layer in model`.


# %% exercise="layer_shapes" difficulty=1 minutes=6 covers="74"
def layer_shapes(model, shape):
    """Return the shape of a picture and of what each layer makes of it.

    Parameters
    ----------
    model : nn.Sequential
        L layers; none of them holds further layers.
    shape : tuple of int
        Shape of one picture, (C, H, W).

    Returns
    -------
    list of L + 1 tuples of int
        First `shape` itself, then one for every layer, also for those without parameters. No batch axis.
    """
    ### BEGIN SOLUTION
    x = torch.zeros(1, *shape)
    shapes = [tuple(shape)]
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            shapes.append(tuple(x.shape[1:]))
    return shapes
    ### END SOLUTION


# %% tests="layer_shapes" points=2
# Module 05's layer of 760 parameters on a 32 × 32 picture with three channels, and what usually follows it.
first_layer = nn.Sequential(nn.Conv2d(3, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1960, 10))
check(layer_shapes, first_layer, (3, 32, 32)).gives(
    [(3, 32, 32), (10, 28, 28), (10, 28, 28), (10, 14, 14), (1960,), (10,)]
)
# Two layers on a picture that is wider than high.
check(layer_shapes, nn.Sequential(nn.AvgPool2d(3), nn.Conv2d(1, 2, 2)), (1, 6, 9)).gives(
    [(1, 6, 9), (1, 2, 3), (2, 1, 2)]
)
### BEGIN HIDDEN TESTS
lenet_shapes = [(1, 32, 32), (6, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 10, 10), (16, 5, 5)]
lenet_shapes += [(400,), (120,), (120,), (84,), (84,), (10,)]
check(layer_shapes, lenet.LeNet5(), (1, 32, 32)).gives(lenet_shapes)
strided = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), nn.Tanh(), nn.Flatten())
check(layer_shapes, strided, (2, 7, 5)).gives([(2, 7, 5), (4, 4, 3), (4, 4, 3), (48,)])
check(layer_shapes, nn.Sequential(nn.Linear(3, 1)), (3,)).gives([(3,), (1,)])
### END HIDDEN TESTS

# %% [markdown] covers="76"
# ## {{exercise:count_parameters}}
#
# "60k parameters" (lecture C). Three numbers go by that name, and your function tells them apart:
#
# - 61,706 for the net that you have just written;
# - 60,850 for the net of 1998 (`lenet_1998.OriginalLeNet5`, the subject of the optional part): its C3 leaves out
#   connections with 900 weights, and S2 and S4 learn a factor and a bias for each map, 2 · 6 + 2 · 16 = 44. So
#   61,706 − 900 + 44 = 60,850;
# - 60,000 in the paper, whose last layer compares with fixed pictures of the digits: its 850 numbers are not learnt.
#
# So count what training can change, and count it once:
#
# - weights and biases of all layers, each with all its numbers (`numel()`);
# - not those that are *frozen*: their `requires_grad` is `False`;
# - a parameter that two layers share once. (Shared weights are how convolutions were first described: "each plane is a
#   feature map: units whose weights are constrained to be identical", lecture D.)


# %% exercise="count_parameters" difficulty=1 minutes=5 covers="74"
def count_parameters(model):
    """Return how many numbers training can change.

    Parameters
    ----------
    model : nn.Module

    Returns
    -------
    int
        Numbers in all parameters with requires_grad; what two layers share counts once.
    """
    ### BEGIN SOLUTION
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    ### END SOLUTION


# %% tests="count_parameters" points=1
# LeNet-5 now and in 1998; and the answer is an int, neither a float nor a tensor.
check(count_parameters, lenet.LeNet5()).gives(61706)
check(count_parameters, lenet_1998.OriginalLeNet5()).gives(60850)
check(count_parameters, nn.Linear(4, 3)).satisfies(lambda n: isinstance(n, int | np.integer), "the answer is an int")
### BEGIN HIDDEN TESTS
check(count_parameters, nn.Conv2d(3, 10, 5)).gives(760)
check(count_parameters, nn.Sequential(nn.Linear(7, 5, bias=False), nn.ReLU())).gives(35)
check(count_parameters, nn.ReLU()).gives(0)
### END HIDDEN TESTS


# %% tests="count_parameters" points=1
def frozen_first_layer():
    """count_parameters of Linear(4, 3), frozen, and Linear(3, 2) behind it"""
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    return count_parameters(model)


def fixed_last_layer():
    """count_parameters of OriginalLeNet5() with its last layer frozen, as in the paper"""
    model = lenet_1998.OriginalLeNet5()
    model[-1].requires_grad_(False)
    return count_parameters(model)


def the_same_layer_twice():
    """count_parameters of one Linear(3, 3) that is used twice"""
    layer = nn.Linear(3, 3)
    return count_parameters(nn.Sequential(layer, nn.Tanh(), layer))


# Batch normalisation (module 09) also keeps running averages, which no gradient changes.
check(count_parameters, nn.BatchNorm2d(5)).gives(10)
check(frozen_first_layer).gives(8)
check(fixed_last_layer).gives(60000)
check(the_same_layer_twice).gives(12)
### BEGIN HIDDEN TESTS


def shared_weight_own_biases():
    """count_parameters of two Linear(3, 3) with one weight and two biases"""
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    return count_parameters(nn.Sequential(first, second))


check(shared_weight_own_biases).gives(15)
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · What it computes
#
# ## {{exercise:count_macs}}
#
# A **multiply-accumulate** (MAC) multiplies an input with a weight and adds the product to a sum. It is the unit in
# which the processors of 1993 were rated, and their makers count it as one operation. For one picture:
#
# $$\text{MACs}_{\text{conv}} = \underbrace{H' W'}_{\text{positions}} \cdot \underbrace{C_{out}}_{\text{maps}} \cdot
# \underbrace{\tfrac{C_{in}}{g} K_h K_w}_{\text{weights of one map}}, \qquad
# \text{MACs}_{\text{linear}} = \text{out} \cdot \text{in}$$
#
# with the output of height $H'$ and width $W'$, and $g$ groups (1 unless the layer says otherwise; `weight` then has
# the shape $(C_{out}, C_{in}/g, K_h, K_w)$). Biases, activations and pooling count nothing here.


# %% exercise="count_macs" difficulty=2 minutes=11
def count_macs(model, shape):
    """Return the multiply-accumulates of each layer for one picture.

    Parameters
    ----------
    model : nn.Sequential
        L layers, among them `nn.Conv2d` and `nn.Linear`; none holds further layers.
    shape : tuple of int
        Shape of one picture, (C, H, W).

    Returns
    -------
    list of L int
        One number for every layer, 0 for all layers but `nn.Conv2d` and `nn.Linear`.
    """
    ### BEGIN SOLUTION
    x = torch.zeros(1, *shape)
    macs = []
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                macs.append(layer.weight.numel() * x.shape[2] * x.shape[3])
            elif isinstance(layer, nn.Linear):
                macs.append(layer.weight.numel())
            else:
                macs.append(0)
    return macs
    ### END SOLUTION


# %% tests="count_macs" points=1
# LeNet-5, layer by layer; module 05's 3 × 3 kernel on a 5 × 5 picture: 9 positions, 9 products each.
check(count_macs, nn.Sequential(nn.Conv2d(1, 1, 3)), (1, 5, 5)).gives([81])
check(count_macs, lenet.LeNet5(), (1, 32, 32)).gives([117600, 0, 0, 240000, 0, 0, 0, 48000, 0, 10080, 0, 840])
### BEGIN HIDDEN TESTS
check(count_macs, lenet.LeNet5(7, modern=False), (1, 32, 32)).gives(
    [117600, 0, 0, 240000, 0, 0, 0, 48000, 0, 10080, 0, 588]
)
check(count_macs, nn.Sequential(nn.Flatten(), nn.Linear(6, 5, bias=False)), (1, 2, 3)).gives([0, 30])
### END HIDDEN TESTS

# %% tests="count_macs" points=2
# H ≠ W, a kernel of 2 × 3, stride 2 and padding 1: 3 · 4 positions, 4 maps, 2 · 2 · 3 weights each.
check(count_macs, nn.Sequential(nn.Conv2d(2, 4, (2, 3), stride=2, padding=1)), (2, 5, 7)).gives([576])
# Each of four channels filtered by itself, then 1 × 1 across them: 16 positions.
depthwise = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU(), nn.Conv2d(4, 8, 1))
check(count_macs, depthwise, (4, 4, 4)).gives([576, 0, 512])
### BEGIN HIDDEN TESTS
check(count_macs, nn.Sequential(nn.Conv2d(3, 6, 3, dilation=2, groups=3), nn.MaxPool2d(2)), (3, 6, 9)).gives([540, 0])
check(count_macs, nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1, bias=False)), (3, 2, 5)).gives([0, 60])
check(count_macs, nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), (5,)).gives([20, 0, 12])
### END HIDDEN TESTS

# %% [markdown]
# ### Where things sit
#
# Your three functions on your network. Compare the two columns on the right, largest with largest.

# %% experiment seconds=5 covers="74"
net = LeNet5()
shapes, macs = layer_shapes(net, (1, 32, 32)), count_macs(net, (1, 32, 32))
print(f"{'layer':<12}{'output':>14}{'parameters':>13}{'':>8}{'MACs':>10}{'':>8}")
for layer, shape, products in zip(net, shapes[1:], macs, strict=True):
    numbers = count_parameters(layer)
    share = f"{100 * numbers / 61706:.1f} %" if numbers else ""
    effort = f"{100 * products / 416520:.1f} %" if products else ""
    print(
        f"{type(layer).__name__:<12}{' × '.join(map(str, shape)):>14}{numbers:>13,}{share:>8}{products:>10,}{effort:>8}"
    )
print(f"{'together':<26}{count_parameters(net):>13,}{'':>8}{sum(macs):>10,}")
lesson.target("parameters of your LeNet-5", count_parameters(net), exactly=61706)
paper = lenet_1998.OriginalLeNet5()
left_out = count_parameters(nn.Conv2d(6, 16, 5)) - count_parameters(paper[4])
pooled = count_parameters(paper[2]) + count_parameters(paper[6])
print(
    f"1998: {count_parameters(net):,} - {left_out} + {pooled} = {count_parameters(net) - left_out + pooled:,}, "
    f"of which the last layer has {count_parameters(paper[-1])}"
)
lesson.target("parameters of the net of 1998", count_parameters(paper), exactly=60850)
paper[-1].requires_grad_(False)
lesson.target("the same with a fixed last layer", count_parameters(paper), exactly=60000)
lesson.target("multiply-accumulates a digit", sum(macs), exactly=416520)

# %% [markdown]
# A kernel of C1 has 25 weights and is used at 784 positions; a weight of C5 is used once. So the convolutions
# have few parameters and most of the work, the first fully connected layer has most of the parameters and little of the
# work. Remember it for module 11: the fully connected layers of VGG-16 have most of its parameters and next to none of
# its work.
#
# ### Audit the papers
#
# The publications state how many **connections** a network has (every input of every unit and its bias, shared or not)
# and how many independent parameters. Three networks, each unit counted anew:
#
# - the zip-code network (1989): 16 × 16 pixels, strides instead of pooling, weights shared but every unit with its own
#   bias: 64,660 connections, 9,760 parameters;
# - the network of the NIPS paper (1989), later called LeNet 1: 28 × 28 pixels, 4 maps, then 12 maps that see one
#   or two of the 4: 98,442 connections, 2,578 parameters;
# - LeNet-5 (1998): 340,908 connections, 60,000 parameters.

# %% experiment seconds=5 covers="71"
# Layer: units, inputs of one unit with its bias, parameters. A sum in the place of "units × inputs" where units differ.
PAPERS = {
    "zip codes 1989": {
        "H1": (12 * 8 * 8 * 26, 12 * 25 + 768),
        "H2": (12 * 4 * 4 * 201, 12 * 200 + 192),
        "H3": (30 * 193, 30 * 193),
        "output": (10 * 31, 10 * 31),
    },
    "LeNet 1, 1989": {
        "H1": (4 * 24 * 24 * 26, 4 * 26),
        "H2": (4 * 12 * 12 * 5, 4 * 2),
        "H3": (8 * 8 * (4 * 26 + 8 * 51), 4 * 26 + 8 * 51),
        "H4": (12 * 4 * 4 * 5, 12 * 2),
        "output": (10 * 193, 10 * 193),
    },
    "LeNet-5, 1998": {
        "C1": (6 * 28 * 28 * 26, 6 * 26),
        "S2": (6 * 14 * 14 * 5, 6 * 2),
        "C3": (10 * 10 * (60 * 25 + 16), 60 * 25 + 16),
        "S4": (16 * 5 * 5 * 5, 16 * 2),
        "C5": (120 * 401, 120 * 401),
        "F6": (84 * 121, 84 * 121),
        "output": (10 * 84, 0),
    },
}
published = {"zip codes 1989": (64660, 9760), "LeNet 1, 1989": (98442, 2578), "LeNet-5, 1998": (340908, 60000)}
recounted = {name: tuple(map(sum, zip(*layers.values(), strict=True))) for name, layers in PAPERS.items()}
for name, (connections, numbers) in recounted.items():
    lesson.target(f"{name}: connections", connections, exactly=published[name][0])
    lesson.target(f"{name}: parameters", numbers, exactly=published[name][1])

# %% [markdown]
# Unlike some of the slides, the papers stand up. Without shared weights, the 122,304 connections of LeNet-5's C1 would
# be as many parameters, and there are 156.
#
# ## {{exercise:digits_per_second}}
#
# The demo of 1993 ran on a DSP32C, a signal processor of AT&T in a 486 PC, which did up to 12.5 million MACs a
# second (lecture D). The network read 30 digits a second on it, and 10 to 12 with camera, cutting out and
# normalising (lecture A). What does your machine do?
#
# To time a computation is easy to get wrong. The first call is slow: memory is fetched, libraries prepare themselves.
# Other programs disturb single runs; they only ever make them longer. PyTorch notes everything for a gradient unless
# told not to. So:
#
# 1. switch the gradient off (`torch.no_grad()`);
# 2. let the model answer `x` once, untimed, to warm up;
# 3. let it answer `x` again, `repeats` times, and take the time of each run with `clock`, a function that returns
#    seconds; the clock's zero has no meaning, differences have;
# 4. the shortest run is the least disturbed one: use it.


# %% exercise="digits_per_second" difficulty=2 minutes=10 covers="72"
def digits_per_second(model, x, repeats=5, clock=time.process_time):
    """Measure how many pictures a model reads in a second.

    Parameters
    ----------
    model : callable
        Called as ``model(x)``.
    x : Tensor, shape (N, 1, H, W)
        N pictures, read in one call.
    repeats : int, at least 1
        Number of timed calls; one more goes before them.
    clock : callable
        Returns a time in seconds; `time.process_time` counts what this process computes.

    Returns
    -------
    float
        N divided by the time of the shortest timed call.

    Raises
    ------
    ValueError
        If repeats is less than 1.
    """
    ### BEGIN SOLUTION
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    seconds = []
    with torch.no_grad():
        model(x)
        for _ in range(repeats):
            start = clock()
            model(x)
            seconds.append(clock() - start)
    return len(x) / min(seconds)
    ### END SOLUTION


# %% tests="digits_per_second" points=2
def speed_of_a_fake(durations, digits, repeats):
    """A fake model that needs these times, call by call, on a fake clock; three times as long with gradients on"""
    now, calls = torch.tensor(100.0, dtype=torch.float64), torch.tensor(0)

    def model(x):
        duration = durations[calls] if calls < len(durations) else 50.0
        now.add_(duration * (3 if torch.is_grad_enabled() else 1))
        calls.add_(1)
        return torch.zeros(len(x), 10)

    def clock():
        return now.item()

    return digits_per_second(model, torch.zeros(digits, 1, 32, 32), repeats, clock)


# The first call takes 8 s, the others 2, 1 and 4 s: 10 digits in 1 s. Then one timed call, of 4 s.
check(speed_of_a_fake, (8.0, 2.0, 1.0, 4.0), 10, 3).gives(10.0)
check(speed_of_a_fake, (2.0, 4.0, 1.0), 6, 1).gives(1.5)
# The slowest call comes last, the warm-up would have been the fastest; and no call at all cannot be timed.
check(speed_of_a_fake, (0.5, 1.0, 1.0, 3.0), 100, 3).gives(100.0)
check(speed_of_a_fake, (1.0, 1.0), 5, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(speed_of_a_fake, (0.25, 1.0, 0.5, 2.0, 0.5, 0.125), 1, 4).gives(2.0)
check(speed_of_a_fake, (1.0, 2.0, 8.0, 4.0), 7, 2).gives(3.5)
check(speed_of_a_fake, (1.0, 1.0), 5, -1).raises(ValueError)
### END HIDDEN TESTS


# %% experiment seconds=2 folded=true
def draw_speeds(speeds):
    """Draw bars of digits a second on a logarithmic axis."""
    fig, ax = plots.figure(width=8.0, height=2.7)
    names, values = list(speeds), list(speeds.values())
    colours = [plots.PALETTE[1] if "DSP" in name else plots.PALETTE[0] for name in names]
    ax.barh(names, values, color=colours, height=0.6)
    for i, value in enumerate(values):
        ax.text(value * 1.1, i, f"{value:,.0f}", va="center", fontsize=9)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set(xscale="log", xlim=(3, 20 * max(values)), xlabel="digits read in a second (logarithmic)")
    plots.show(
        fig,
        alt="Bars on a logarithmic axis, digits read in a second: "
        + "; ".join(f"{name.replace(chr(10), ' ')} {value:,.0f}" for name, value in speeds.items()),
    )


# %% experiment seconds=20 covers="72"
def one_by_one(model):
    """Return a model that reads its pictures one after the other, as they came from the camera."""
    return lambda x: torch.cat([model(x[i : i + 1]) for i in range(len(x))])


pictures, *_ = load_digits(200, 1)
net = LeNet5()
with timing.one_thread():
    single = digits_per_second(one_by_one(net), pictures)
    together = digits_per_second(net, pictures)
DSP_MACS = 12.5e6
macs = sum(count_macs(net, (1, 32, 32)))
for how, speed in (("one digit at a time", single), ("200 digits at once", together)):
    print(f"Your machine, {how + ':':<21}{speed:>8,.0f} digits/s, {speed * macs / 1e6:>6,.0f} million MACs a second.")
for name, (connections, _) in recounted.items():
    print(f"The DSP's 12.5 million a second allow {DSP_MACS / connections:6.1f} digits/s of {name} at most.")
print(f"Your LeNet-5 has {macs:,} MACs: at most {DSP_MACS / macs:.2f} digits/s on the DSP.")
lesson.target("your machine, one digit at a time", round(single), at_least=300, unit="digits/s")
draw_speeds(
    {
        "DSP 1993, camera to answer": 11,
        "DSP 1993, network alone": 30,
        "yours, one digit at a time": single,
        "yours, 200 at once": together,
    }
)

# %% [markdown]
# Two lines are about LeNet-5. The paper's allows more digits because its C3 leaves out connections; that the papers
# count pooling and biases too, and your net's line only MACs, makes little difference. Which of the two networks of
# 1989 was in the demo is told in two ways: lecture D names the paper of LeNet 1, the 30 digits a second stand in
# lecture A under the zip-code network. Either could have run several times faster, had the DSP done nothing but
# multiply; moving data takes time too.
#
# Look at the last line: with full connections LeNet-5 fits the lecture's 30 to three digits. It is a coincidence:
# LeNet-5 was published in 1998, five years after the demo. A figure that agrees is not yet a figure that explains.
#
# # Part 3 · Learning to read
#
# ## {{exercise:train_epoch}}
#
# From here on the loop around `loss.backward()` is the same in every notebook. One **epoch** shows every picture once,
# in **batches** of $B$, in a new order each time:
#
# 1. put the model into training mode (`model.train()`: layers of modules 09 and 10 need it);
# 2. draw the order with `rng.permutation(len(x))`;
# 3. for each batch, the next $B$ of this order (the last batch may be smaller, and takes part): set the gradients to
#    zero, compute the mean cross-entropy of the batch with `F.cross_entropy(logits, y)`, run backwards, let the
#    optimiser take its step;
# 4. return the mean loss over all *pictures*, $\frac{1}{N} \sum_b n_b L_b$ with $n_b$ pictures and mean loss $L_b$ in
#    batch $b$, each as computed before that batch's step.


# %% exercise="train_epoch" difficulty=2 minutes=14
def train_epoch(model, optimizer, x, y, batch_size, rng):
    """Train a model on every picture once.

    Parameters
    ----------
    model : nn.Module
        Maps x to logits, (N, classes). Changed in place.
    optimizer : torch.optim.Optimizer
        Of the model's parameters.
    x : Tensor, shape (N, ...)
    y : Tensor of int64, shape (N,)
        Class numbers.
    batch_size : int
        B, at least 1; the last batch has what is left.
    rng : numpy.random.Generator
        Draws the order, by one call of ``rng.permutation(N)``.

    Returns
    -------
    float
        Mean loss over the N pictures.
    """
    ### BEGIN SOLUTION
    model.train()
    order = torch.from_numpy(rng.permutation(len(x)))
    total = 0.0
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)
    ### END SOLUTION


# %% tests="train_epoch" points=2
def linear_model():
    """Three inputs, four classes, fixed weights."""
    model = nn.Linear(3, 4, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.arange(12.0, dtype=torch.float64).reshape(4, 3) / 10 - 0.5)
        model.bias.zero_()
    return model


def one_epoch(x, y, batch_size, lr, seed=0):
    """model = nn.Linear(3, 4); train_epoch(model, SGD, x, y, batch_size, default_rng(seed)): loss, weight, bias"""
    model = linear_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss = train_epoch(model, optimizer, x, y, batch_size, np.random.default_rng(seed))
    return {"loss": loss, "weight": model.weight.detach().numpy(), "bias": model.bias.detach().numpy()}


def expected_epoch(x, y, batch_size, lr, seed=0):
    """Softmax regression in NumPy, with the gradient in closed form."""
    x, y = x.numpy(), y.numpy()
    weight, bias, total = np.arange(12.0).reshape(4, 3) / 10 - 0.5, np.zeros(4), 0.0
    order = np.random.default_rng(seed).permutation(len(x))
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        powers = np.exp(x[batch] @ weight.T + bias)
        probability = powers / powers.sum(axis=1, keepdims=True)
        total -= np.log(probability[np.arange(len(batch)), y[batch]]).sum()
        error = (probability - np.eye(4)[y[batch]]) / len(batch)
        weight, bias = weight - lr * error.T @ x[batch], bias - lr * error.sum(axis=0)
    return {"loss": total / len(x), "weight": weight, "bias": bias}


points_rng = np.random.default_rng(82)
points, classes = torch.from_numpy(points_rng.normal(size=(10, 3))), torch.from_numpy(points_rng.integers(0, 4, 10))
# Ten points in one batch: one step. Then in batches of 4, 4 and 2.
check(one_epoch, points, classes, 10, 0.5).gives(expected_epoch(points, classes, 10, 0.5))
check(one_epoch, points, classes, 4, 0.5).gives(expected_epoch(points, classes, 4, 0.5))
### BEGIN HIDDEN TESTS
check(one_epoch, points, classes, 3, 0.2, 7).gives(expected_epoch(points, classes, 3, 0.2, 7))
check(one_epoch, points, classes, 64, 1.0, 8).gives(expected_epoch(points, classes, 64, 1.0, 8))
check(one_epoch, points[:1], classes[:1], 1, 0.1).gives(expected_epoch(points[:1], classes[:1], 1, 0.1))
### END HIDDEN TESTS


# %% tests="train_epoch" points=2
def after_an_evaluation(x, y):
    """model.eval(); train_epoch(model, ...); model.training"""
    model = nn.Sequential(nn.Linear(3, 4, dtype=torch.float64), nn.Dropout(0.0)).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_epoch(model, optimizer, x, y, 5, np.random.default_rng(0))
    return model.training


def type_of_the_loss(x, y):
    """type(train_epoch(model, ...)).__name__; NumPy's float64 is a float too"""
    model = nn.Linear(3, 4, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = train_epoch(model, optimizer, x, y, 5, np.random.default_rng(0))
    return "float" if isinstance(loss, float) else type(loss).__name__


def zero_weights(x, y, batch_size):
    """model = nn.Linear(3, 4), all zeros, with old gradients of 1; one epoch, lr 1: the loss, and the bias after it"""
    model = nn.Linear(3, 4, dtype=torch.float64)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    (model.weight.sum() + model.bias.sum()).backward()
    loss = train_epoch(model, optimizer, x, y, batch_size, np.random.default_rng(0))
    return {"loss": loss, "bias": model.bias.detach().numpy()}


state_rng = np.random.default_rng(86)
x, y = torch.from_numpy(state_rng.normal(size=(8, 3))), torch.tensor([0, 1, 1, 2, 2, 2, 3, 3])
# A model that was tested before is in evaluation mode. From zero weights every class has probability 1/4 at first: the
# loss is ln 4, and one step of lr 1 moves the bias to each class's share of the pictures minus 1/4.
check(after_an_evaluation, x, y).gives(True)
check(type_of_the_loss, x, y).gives("float")
check(zero_weights, x, y, 8).gives({"loss": np.log(4), "bias": np.array([1, 2, 3, 2]) / 8 - 0.25})
### BEGIN HIDDEN TESTS
check(zero_weights, x[:4], y[:4], 9).gives({"loss": np.log(4), "bias": np.array([1, 2, 1, 0]) / 4 - 0.25})


def pictures_as_input(x, y):
    """One epoch of Flatten and Linear from zero on pictures, in one batch: the mean loss"""
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 4))
    nn.init.zeros_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    return train_epoch(model, torch.optim.SGD(model.parameters(), lr=0.3), x, y, 5, np.random.default_rng(3))


check(pictures_as_input, torch.ones(5, 1, 2, 3), torch.tensor([0, 1, 2, 3, 0])).gives(np.log(4), rtol=1e-5)
### END HIDDEN TESTS


# %% [markdown]
# ### The headline: two LeNets, a few seconds
#
# Your network in both forms on 8,000 digits, tested on 1,000 others: six epochs of stochastic gradient descent with
# momentum 0.9, at learning rate 0.05, and 0.01 for the last two. One epoch takes a second of CPU time or less; the
# zip-code network of 1989 was trained for three days on a workstation.


# %% experiment seconds=2 folded=true
def draw_curves(curves):
    """Draw the test accuracy of each net after each epoch."""
    fig, ax = plots.figure(width=7.4, height=3.0)
    for k, (name, values) in enumerate(curves.items()):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, marker=plots.MARKERS[k], linestyle=plots.LINES[k], label=name)
    ax.axhline(95, color="#777777", linewidth=0.9, linestyle=":")
    ax.text(1, 95.15, "target 95 %", fontsize=8, color="#555555")
    ax.set(xlabel="epoch", ylabel="test digits read right, %")
    ax.xaxis.set_major_locator(matplotlib_integers())
    ax.legend(loc="lower right")
    plots.show(
        fig,
        alt="Accuracy on the test digits after every epoch. "
        + "; ".join(f"{name}: from {values[0]:.1f} to {values[-1]:.1f} %" for name, values in curves.items()),
    )


def matplotlib_integers():
    """Return a locator that labels whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)


# %% experiment seconds=60
def trained(make, x, y, x_test, y_test, seed, lrs, batch_size=64):
    """Train a new net with the learner's train_epoch; return it, its test accuracy after each epoch, CPU seconds."""
    torch.manual_seed(seed)
    model, rng = make(), np.random.default_rng(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lrs[0], momentum=0.9)
    curve, seconds = [], 0.0
    for lr in training.progress(lrs, "epoch"):
        optimizer.param_groups[0]["lr"] = lr
        start = time.process_time()
        train_epoch(model, optimizer, x, y, batch_size, rng)
        seconds += time.process_time() - start
        curve.append(percent_right(model, x_test, y_test))
    return model, curve, seconds


LRS = training.full_or_fast([0.05] * 4 + [0.01] * 2, [0.05])
digits = load_digits(*training.full_or_fast((8000, 1000), (640, 200)))
curves, cpu = {}, {}
with timing.one_thread():
    for name, modern in (("ReLU, max pooling (now)", True), ("tanh, average pooling (then)", False)):
        reader, curves[name], cpu[name] = trained(lambda modern=modern: LeNet5(modern=modern), *digits, 0, LRS)
        print(f"{name:<30}{curves[name][-1]:6.1f} % of {len(digits[3]):,} test digits, {cpu[name]:5.1f} s of CPU time")
now, then = curves
lesson.target("test digits read by your modern LeNet", curves[now][-1], at_least=95, unit="%")
lesson.target("CPU time of its training", round(cpu[now], 1), at_most=15, unit="s")
draw_curves(curves)

# %% [markdown]
# ### Play: the demo of 1993
#
# Clear the line and draw a few digits side by side, or type them. Boxes are put around the pieces of ink; each piece is
# shrunk to 20 pixels, centred by its mass in a field of 32 × 32 as the digits of MNIST are, and read by **your**
# network, trained by **your** loop (anew when the cell starts, a few seconds; for three epochs only, so it errs a
# little more often than the net above). Choose an answer to see what every layer makes of that digit.
#
# Things to try: a 7 with and without a bar, a 1 with a serif, a 4 closed at the top, a very thin and a very thick pen;
# a letter. Draw two digits that touch: there is one box, and its answer must be wrong. *Scan* looks for no boxes: the
# field is moved along the line, the network is asked at every place, and a digit is where it is sure and the ink is in
# the middle. (The paper of 1998 does this for cheques, with the whole net as a convolution, as yours was in module
# 06.)

# %% widget="reading_demo" covers="73"
# alt: 1993 on a line, each digit in a box with the answer above it; below, the maps of every layer for the first 9.
from convnets.widgets import ReadingDemo

ReadingDemo(LeNet5, train_epoch, typed="1993", chosen=1)

# %% [markdown]
# ### Play: who is taken for whom
#
# The 1,000 test digits by what they are (rows) and what that same network of three epochs says (columns). Choose a cell
# to see its digits.
# Then raise the bar: a machine that reads cheques does not have to answer. It may hand a digit to a person when its
# best probability is below a threshold. How many must it refuse to make half as many errors?

# %% widget="confusion_browser"
# alt: A 10 × 10 table of true class against answer with large numbers on the diagonal; beside it the misread digits.
from convnets.widgets import ConfusionBrowser

ConfusionBrowser(LeNet5, train_epoch)

# %% [markdown]
# # Part 4 · What the network knows about pictures
#
# The abstract of 1989 (lecture A) says where the success comes from: constraints from the task are built into the
# architecture. Which? C1 assumes that *neighbouring* pixels belong together, and that what is worth finding at one
# place is worth finding at another. Both are statements about where pixels are. Take the places away, and see what they
# were worth.
#
# ## {{exercise:permute_pixels}}
#
# A picture of $H \times W$ pixels has the positions $0 \ldots HW - 1$, counted along the rows. A permutation $\pi$
# lists all of them in some order, and the new picture has at position $i$ what was at $\pi(i)$:
#
# $$\tilde{x}_{n,\,c,\,i} = x_{n,\,c,\,\pi(i)}$$
#
# The same $\pi$ for every picture $n$ and every channel $c$.


# %% exercise="permute_pixels" difficulty=1 minutes=8
def permute_pixels(x, permutation):
    """Shuffle the pixels of all pictures in the same order.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Stays as it is.
    permutation : ndarray of int, shape (H·W,)
        Position i of the result shows position permutation[i] of x, counted along the rows.

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If permutation does not hold each of 0 … H·W − 1 exactly once.
    """
    ### BEGIN SOLUTION
    positions = x.shape[2] * x.shape[3]
    if not np.array_equal(np.sort(permutation), np.arange(positions)):
        raise ValueError(f"permutation must hold each of 0 to {positions - 1} once")
    return x.reshape(*x.shape[:2], positions)[:, :, permutation].reshape(x.shape)
    ### END SOLUTION


# %% tests="permute_pixels" points=1
# Positions 0 to 5 of a 2 × 3 picture, moved one place on; then two pictures of two channels.
numbered = np.array([[[[10, 11, 12], [13, 14, 15]]]])
check(permute_pixels, numbered, np.array([5, 0, 1, 2, 3, 4])).gives([[[[15, 10, 11], [12, 13, 14]]]])
four_maps = np.arange(16).reshape(2, 2, 2, 2)
check(permute_pixels, four_maps, np.array([2, 0, 3, 1])).gives(
    [[[[2, 0], [3, 1]], [[6, 4], [7, 5]]], [[[10, 8], [11, 9]], [[14, 12], [15, 13]]]]
)
# Position 1 twice and position 2 never; one position too few; four different numbers, one of them no position.
check(permute_pixels, four_maps, np.array([0, 1, 1, 3])).raises(ValueError)
check(permute_pixels, four_maps, np.array([0, 1, 2])).raises(ValueError)
check(permute_pixels, four_maps, np.array([0, 1, 2, -1])).raises(ValueError)
check(permute_pixels, four_maps, np.array([1, 2, 3, 4])).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(83)
x, order = rng.normal(size=(3, 2, 4, 5)).astype(np.float32), rng.permutation(20)
expected = np.stack([[np.take(channel, order).reshape(4, 5) for channel in picture] for picture in x])
check(permute_pixels, x, order).gives(expected, dtype=np.float32)
check(permute_pixels, x[:1, :1], np.arange(20)).gives(x[:1, :1])
check(permute_pixels, x, order + 1).raises(ValueError)
### END HIDDEN TESTS


# %% [markdown]
# ### The experiment
#
# 2,000 digits in their own order and shuffled; your LeNet, and a fully connected net of about as many parameters; three
# starts each. And one control: the fully connected net is trained once more on shuffled digits, from a start whose
# first-layer weights are shuffled in the same order. To this net nothing has changed at all: every unit gets the same
# sum in another order.


# %% experiment seconds=2 folded=true
def draw_shuffled(picture, shuffled, results):
    """Draw a digit, its shuffled twin, and the accuracies of all runs."""
    fig, (left, middle, right) = plots.figure(1, 3, width=9.0, height=2.8, width_ratios=[1, 1, 2.4])
    for ax, shown, title in ((left, picture, "a digit"), (middle, shuffled, "the same, shuffled")):
        ax.imshow(shown, cmap="gray_r")
        ax.axis("off")
        ax.set_title(title, fontsize=9)
    for k, (net, runs) in enumerate(results.items()):
        for run in runs:
            right.plot([0, 1], run, color=plots.PALETTE[k], marker=plots.MARKERS[k], linestyle=plots.LINES[k])
        right.plot([], [], color=plots.PALETTE[k], marker=plots.MARKERS[k], linestyle=plots.LINES[k], label=net)
    right.set(xticks=[0, 1], xticklabels=["own order", "shuffled"], xlim=(-0.25, 1.25), ylabel="test digits right, %")
    fig.get_layout_engine().set(wspace=0.06)  # room for the label beside the pictures
    right.legend(loc="lower left")
    means = {net: np.mean(runs, axis=0) for net, runs in results.items()}
    plots.show(
        fig,
        alt="A digit, and the same pixels shuffled: noise. Right, the accuracy of every run in both orders; means: "
        + "; ".join(f"{net} {own:.1f} % and shuffled {other:.1f} %" for net, (own, other) in means.items()),
    )


# %% experiment seconds=60
def train_briefly(model, x, y, seed, lrs):
    """Train a model with the learner's loop, one epoch at each learning rate."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lrs[0], momentum=0.9)
    rng = np.random.default_rng(seed)
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        train_epoch(model, optimizer, x, y, 32, rng)
    return model


def fully_connected():
    """Return 1,024 pixels - 59 units - 10 logits: 61,075 parameters."""
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, 59), nn.ReLU(), nn.Linear(59, 10))


own_order = load_digits(*training.full_or_fast((2000, 1000), (320, 200)))
permutation = np.random.default_rng(84).permutation(1024)
x_train, x_test = (
    torch.from_numpy(np.ascontiguousarray(permute_pixels(x.numpy(), permutation))) for x in own_order[::2]
)
shuffled = (x_train, own_order[1], x_test, own_order[3])
starts, lrs = training.full_or_fast((3, [0.05] * 4 + [0.01] * 2), (1, [0.05]))
results = {"LeNet-5": [], "fully connected": []}
with timing.one_thread():
    for seed in training.progress(range(starts), "start"):
        for name, make in (("LeNet-5", LeNet5), ("fully connected", fully_connected)):
            pair = []
            for x, y, x_check, y_check in (own_order, shuffled):
                torch.manual_seed(seed)
                pair.append(percent_right(train_briefly(make(), x, y, seed, lrs), x_check, y_check))
            results[name].append(pair)
    # The control: from the same start, its first layer shuffled along.
    torch.manual_seed(0)
    plain, moved = fully_connected().double(), fully_connected().double()
    moved.load_state_dict(plain.state_dict())
    with torch.no_grad():
        moved[1].weight.copy_(plain[1].weight[:, permutation])
    train_briefly(plain, own_order[0].double(), own_order[1], 0, lrs)
    train_briefly(moved, shuffled[0].double(), shuffled[1], 0, lrs)
    with torch.no_grad():
        apart = (plain(own_order[2].double()) - moved(shuffled[2].double())).abs().max().item()

lost = {name: -np.diff(runs, axis=1)[:, 0] for name, runs in results.items()}
means = {name: round(float(values.mean()), 1) + 0.0 for name, values in lost.items()}  # + 0.0: no "-0.0"
points = {name: f"{mean:.1f}".replace("-", "−") for name, mean in means.items()}
for name, runs in results.items():
    text = ", ".join(f"{own:.1f} → {other:.1f}" for own, other in runs)
    print(f"{name:<16} own order → shuffled: {text}; lost on average {points[name]} points")
print(f"control: logits of the two fully connected nets differ by at most {apart:.0e}")
lesson.target(
    "shuffling costs LeNet-5, least of the starts", round(float(lost["LeNet-5"].min()), 1), at_least=2, unit="points"
)
lesson.target("and the fully connected net, mean", means["fully connected"], at_most=1, unit="points")
lesson.target("control, largest difference of logits", apart, at_most=1e-6)
draw_shuffled(own_order[2][0, 0], shuffled[2][0, 0], results)
lesson.reveal(
    "shuffled_pixels",
    answer=1,
    because=f"LeNet-5 lost {points['LeNet-5']} points on average, the fully connected net {points['fully connected']}. "
    "No position is special to a fully connected layer; a convolution looks at neighbours, and after shuffling they "
    "have nothing to do with each other.",
)

# %% [markdown]
# LeNet-5 still reads most shuffled digits: its fully connected layers see all of the picture. But for the same
# number of parameters it has become the worse choice. Its advantage was knowledge, not size.
#
# The fully connected net is *exactly* as it was in the control only. There the start was shuffled along, so every unit
# begins with the same sums; the gradient of a weight is an error times its pixel, so the first layer's gradient is
# shuffled in the same way, and every step is too. In the runs with three starts the first layer was drawn
# independently of the order: there the accuracies differ a little, up or down, by chance.
#
# Whether to build a convolution in is a question to the data. A sound is a row of samples: neighbours belong together,
# and a click is a click at any time. A table of patients has a column for the age, one for the pulse, one for the
# weight: their order is arbitrary, and no column is like another.
#
# ### What became of the claims

# %% experiment seconds=5 folded=true covers="75 76 E13"
shapes, macs = layer_shapes(LeNet5(), (1, 32, 32)), count_macs(LeNet5(), (1, 32, 32))
maps = [shape for shape in shapes if len(shape) == 3]
grows = all(np.diff([c for c, _, _ in maps]) >= 0) and all(np.diff([h for _, h, _ in maps]) <= 0)
own_means, shuffled_means = ({net: np.mean(runs, axis=0)[k] for net, runs in results.items()} for k in (0, 1))
c1_units = int(np.prod(shapes[1]))


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


plots.claims(
    [
        plots.Claim(
            "LeNet-5 has 60k parameters (C, E)",
            f"{count_parameters(LeNet5()):,} as built now; {count_parameters(lenet_1998.OriginalLeNet5()):,} with the "
            f"connections of 1998; {recounted['LeNet-5, 1998'][1]:,} learnt ones in the paper",
            "your count_parameters; the paper's layers recounted",
            "holds",
        ),
        plots.Claim(
            "as we go deeper: width and height ↓, number of filters ↑ (C, E)",
            " → ".join(" × ".join(map(str, shape)) for shape in dict.fromkeys(maps)),
            "your layer_shapes, up to the first fully connected layer",
            "holds" if grows else "does not hold",
        ),
        plots.Claim(
            "each plane is a feature map: its units' weights are constrained to be identical (D)",
            f"C1: {c1_units * 26:,} connections, {count_parameters(LeNet5()[0])} parameters",
            f"{c1_units:,} units of 25 weights and a bias",
            "holds",
        ),
        plots.Claim(
            "30 digits a second on a DSP with 12.5 million MACs a second (A, D)",
            f"at its peak rate {DSP_MACS / recounted['zip codes 1989'][0]:.0f} of the zip-code net's digits a second, "
            f"{DSP_MACS / recounted['LeNet 1, 1989'][0]:.0f} of LeNet 1's; this machine: {single:,.0f}",
            "counts recomputed; the DSP itself is not at hand, 30 is consistent with its peak rate",
            "cannot be tested here",
        ),
        plots.Claim(
            "tanh and sigmoid are not common now, max pooling is more common (C)",
            f"ReLU and max {curves[now][-1]:.1f} %, tanh and average {curves[then][-1]:.1f} %",
            f"{len(digits[1]):,} digits, {len(LRS)} epochs, one start; a net of this size does not need ReLU",
            judged("partly" if abs(curves[now][-1] - curves[then][-1]) < 3 else "holds"),
        ),
        plots.Claim(
            "constraints from the task, built into the architecture, help to generalise (A)",
            f"own order: LeNet-5 {own_means['LeNet-5']:.1f} %, fully connected {own_means['fully connected']:.1f} %; "
            f"shuffled: {shuffled_means['LeNet-5']:.1f} and {shuffled_means['fully connected']:.1f} %",
            f"{len(own_order[1]):,} digits, {starts} starts, about 61,000 parameters each",
            judged("holds" if own_means["LeNet-5"] > own_means["fully connected"] else "does not hold"),
        ),
        plots.Claim(
            "NCR's machines read 10 to 20 % of all US cheques: in the early 2000s (A), in the late 1990s (D)",
            "nothing",
            "the slides disagree on the date; D quotes the net's author",
            "cannot be tested here",
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person. Use figures from this notebook.
#
# **What order is worth (2 points).** (a) Why can shuffling take nothing from a fully connected net? The control gives
# more than an accuracy: say what it shows, and from which start. (b) Which two assumptions of C1 are wrong for shuffled
# pictures? (c) The shuffled LeNet still reads far more than 10 % right. Which layers do that, and what do the layers
# before them no longer give them? (d) Beside pictures, sounds and tables of patients: name data for which a
# convolution is a good assumption, and data for which it is not, each with a reason.

# %% [markdown] answer="what_order_is_worth" points=2
# ### BEGIN SOLUTION
# (a) A unit of a fully connected layer is a weighted sum over all pixels, and a sum does not care about order: with
# weights shuffled in the same way it is the same number. The gradient of the first layer is then shuffled too, so
# every step is. The control shows that: from the start shuffled along, the trained nets agree to rounding (differences
# below 1e-12 in float64), so nothing that such a net can learn is lost. With an independent random start, shuffled
# weights are as likely as any others; the accuracies differ by chance only.
#
# (b) Locality: that the pixels of a 5 × 5 window belong together; after shuffling neighbours come from anywhere.
# Stationarity (the same weights everywhere): that a pattern worth finding at one place is worth finding at others;
# after shuffling every place has its own statistics. (Pooling also assumes that a small shift means little.)
#
# (c) C5, F6 and the output are fully connected and see all of S4. C1 and C3 no longer give them strokes, edges and
# corners, only what their filters make of windows of unrelated pixels, of which pooling then keeps one number in four.
#
# (d) Good: text as a sequence, spectra, a sensor's series, boards of a game: neighbours belong together, and a pattern
# may stand anywhere. Not good: answers to a questionnaire, the ingredients of a recipe, sets: their order is arbitrary.
#
# **Rubric:** 0.5 for each part. (a) sum independent of order *and* that the control, from the start shuffled along, is
# exact, not only similar; (b) both locality and sharing; (c) the fully connected layers and what was lost before them;
# (d) one example each with a reason.
# ### END SOLUTION

# %% [markdown]
# **Half the work (1 point).** One customer wants your LeNet-5 on a processor that is half as fast, another with half
# the memory for its parameters. With the table of Part 2: which layer would you shrink first for the one, which first
# for the other, and why are they not the same?

# %% [markdown] answer="half_the_work" points=1
# ### BEGIN SOLUTION
# For speed C3: it has 240,000 of 416,520 MACs (57.6 %), so half as many of its connections save 120,000 (the
# table of 1998 keeps 60 of 96 and saves 90,000); C1 and C3 together have 86 %. For memory C5: 48,120 of 61,706
# parameters (78 %), with 60 instead of 120 units it has half of that, and F6 shrinks too. They are different because a
# weight of a convolution is used at every position (100 times in C3, 784 in C1), a weight of C5 once: MACs are
# parameters times positions.
#
# **Rubric:** 0.5 for C3 (or C1 and C3) and C5 with figures; 0.5 for the reason, positions a weight is used at. For
# the memory, fewer maps in C3 are right too where it is said that C5 then has fewer inputs and shrinks with them.
# ### END SOLUTION

# %% [markdown]
# # Optional · The connections of 1998
#
# *No points.* The paper's net differs from your form with tanh in four things: S2 and S4 multiply the sum of a square
# by a learnt factor and add a bias; the activation is 1.7159 tanh(2x / 3), and stands after S2 and S4 too; the last
# layer is fixed; and C3 is not fully connected: each of its 16 maps sees three, four or six of the 6 maps of S2. That
# saved computing time, and it forces the maps to differ: each gets other inputs. The table follows a rule.
#
# `lenet_1998.OriginalLeNet5` has all of this but the fixed layer.
#
# ## {{exercise:connection_table}}
#
# With the maps of S2 in a ring, 0 following 5:
#
# - maps 0 to 5 of C3 see three neighbours: map $k$ sees $k, k + 1, k + 2$;
# - maps 6 to 11 see four neighbours: map $6 + k$ sees $k, \ldots, k + 3$;
# - maps 12, 13, 14 see two pairs of neighbours, opposite in the ring: map $12 + k$ sees $k, k + 1, k + 3, k + 4$;
# - map 15 sees all six.


# %% exercise="connection_table" difficulty=1 minutes=7
def connection_table():
    """Return which maps of S2 each map of C3 sees: table I of the paper.

    Returns
    -------
    ndarray of bool, shape (16, 6)
        Entry (k, c) tells whether map k of C3 sees map c of S2. 60 entries are True.
    """
    ### BEGIN SOLUTION
    table = np.zeros((16, 6), bool)
    for k in range(6):
        table[k, [(k + i) % 6 for i in range(3)]] = True
        table[6 + k, [(k + i) % 6 for i in range(4)]] = True
    for k in range(3):
        table[12 + k, [(k + i) % 6 for i in (0, 1, 3, 4)]] = True
    table[15] = True
    return table
    ### END SOLUTION


# %% tests="connection_table" points=0
def seen_by_map(k):
    """np.flatnonzero(connection_table()[k]): the maps of S2 that map k of C3 sees"""
    return np.flatnonzero(np.asarray(connection_table())[k]).tolist()


def kind_of_the_table():
    """Shape and dtype of the table"""
    table = connection_table()
    return (*table.shape, str(table.dtype))


check(kind_of_the_table).gives((16, 6, "bool"))
# Row by row, as in the paper's table.
for k, seen in enumerate(lenet_1998.C3_TABLE):
    check(seen_by_map, k).gives(list(seen))

# %% [markdown]
# ## {{exercise:sparse_conv2d}}
#
# A layer with such a table has one 5 × 5 kernel for every connection and one bias for every map: 60 · 25 + 16 = 1,516
# parameters where the full layer has 2,416; these are the 900 of exercise 3. Its map $k$ is a sum over the connections
# of row $k$ only:
#
# $$y_k = b_k + \sum_{c:\ \text{table}[k, c]} w_{kc} \star x_c$$
#
# with $\star$ for the sliding sum of module 05. The kernels come in one tensor of shape (connections, K, K), in the
# order in which the connections stand in the table: row by row, in each row from left to right. `F.conv2d` is there for
# you; the question is what to hand to it.


# %% exercise="sparse_conv2d" difficulty=2 minutes=10
def sparse_conv2d(x, weight, bias, table):
    """Compute a convolutional layer whose maps see some of the input maps only.

    Parameters
    ----------
    x : Tensor, shape (N, C_in, H, W)
    weight : Tensor, shape (connections, K, K)
        One kernel for each True of the table, row by row.
    bias : Tensor, shape (C_out,)
    table : Tensor of bool, shape (C_out, C_in)

    Returns
    -------
    Tensor, shape (N, C_out, H', W')
        Stride 1, no padding; gradients reach weight and bias.

    Raises
    ------
    ValueError
        If there is not one kernel for each connection.
    """
    ### BEGIN SOLUTION
    if len(weight) != int(table.sum()):
        raise ValueError(f"the table has {int(table.sum())} connections, and there are {len(weight)} kernels")
    dense = weight.new_zeros(*table.shape, *weight.shape[1:])
    dense[table] = weight
    return F.conv2d(x, dense, bias)
    ### END SOLUTION


# %% tests="sparse_conv2d" points=0
def one_by_one_sum(x, weight, bias, table):
    """Each connection by itself, added up: what the tests compare with."""
    y = bias[None, :, None, None].expand(len(x), -1, x.shape[2] - weight.shape[1] + 1, x.shape[3] - weight.shape[2] + 1)
    y = y.clone()
    for kernel, (k, c) in zip(weight, table.nonzero().tolist(), strict=True):
        y[:, k] += F.conv2d(x[:, c : c + 1], kernel[None, None])[:, 0]
    return y.numpy()


def gradients(x, weight, bias, table):
    """sparse_conv2d(x, weight, bias, table).sum().backward(): weight.grad and bias.grad"""
    weight, bias = weight.clone().requires_grad_(True), bias.clone().requires_grad_(True)
    sparse_conv2d(x, weight, bias, table).sum().backward()
    return {"weight": weight.grad, "bias": bias.grad}


# Three maps of one pixel, 1, 2 and 4; kernels 1, 10, 100: the first map sees the outer two, the second the middle one.
pixels = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 3, 1, 1)
two_maps = torch.tensor([[True, False, True], [False, True, False]])
check(
    sparse_conv2d, pixels, torch.tensor([1.0, 10.0, 100.0]).reshape(3, 1, 1), torch.tensor([0.5, 0.0]), two_maps
).gives([[[[41.5]], [[200.0]]]])
sparse_rng = np.random.default_rng(85)
x, weight, bias = (torch.from_numpy(sparse_rng.normal(size=shape)) for shape in [(2, 3, 4, 5), (3, 2, 2), (2,)])
check(sparse_conv2d, x, weight, bias, two_maps).gives(one_by_one_sum(x, weight, bias, two_maps))
# Two kernels for three connections.
check(sparse_conv2d, x, weight[:2], bias, two_maps).raises(ValueError)
# With one pixel a map, the sum of all outputs grows by the pixel that a kernel meets, and by 1 for each bias.
ones = torch.ones(3, 1, 1, dtype=torch.float64)
check(gradients, pixels.double(), ones, torch.zeros(2, dtype=torch.float64), two_maps).gives_gradient(
    {"weight": np.array([1.0, 4.0, 2.0]).reshape(3, 1, 1), "bias": np.array([1.0, 1.0])}
)
### BEGIN HIDDEN TESTS
table = torch.zeros(16, 6, dtype=torch.bool)
for k, seen in enumerate(lenet_1998.C3_TABLE):
    table[k, list(seen)] = True
x, weight, bias = (torch.from_numpy(sparse_rng.normal(size=shape)) for shape in [(2, 6, 7, 6), (60, 5, 5), (16,)])
check(sparse_conv2d, x, weight, bias, table).gives(one_by_one_sum(x, weight, bias, table))
# The sum of all outputs grows by the sum of a map's windows at each kernel place.
windows = x.numpy().sum(axis=0)
sums = np.stack([[windows[c, a : a + 3, b : b + 2].sum() for a in range(5) for b in range(5)] for c in range(6)])
check(gradients, x, weight, bias, table).gives_gradient(
    {
        "weight": np.stack([sums[c].reshape(5, 5) for seen in lenet_1998.C3_TABLE for c in seen]),
        "bias": np.full(16, 2 * 3 * 2.0),
    }
)
### END HIDDEN TESTS


# %% experiment seconds=40
class MyOriginalLeNet5(lenet_1998.OriginalLeNet5):
    """The network of 1998 whose C3 is computed with your table by your sparse_conv2d."""

    def forward(self, x):
        for layer in self:
            if isinstance(layer, lenet_1998.SparseConv2d):
                x = sparse_conv2d(x, layer.weight, layer.bias, torch.from_numpy(np.asarray(connection_table())))
            else:
                x = layer(x)
        return x


original_digits = load_digits(*training.full_or_fast((8000, 1000), (320, 200)))
torch.manual_seed(0)
original = MyOriginalLeNet5()
optimizer = torch.optim.SGD(original.parameters(), lr=0.02, momentum=0.9)
order_rng = np.random.default_rng(0)
with timing.one_thread():
    for _ in training.progress(range(training.full_or_fast(4, 1)), "epoch"):
        train_epoch(original, optimizer, *original_digits[:2], 64, order_rng)
sparse_share = 60 / 96
print(
    f"{count_parameters(original):,} parameters; C3 has {100 * sparse_share:.1f} % of the connections of a full layer: "
    f"{416520 - 240000 + int(240000 * sparse_share):,} MACs instead of 416,520"
)
lesson.target("parameters of the network of 1998", count_parameters(original), exactly=60850)
lesson.target(
    "test digits read by the network of 1998", percent_right(original, *original_digits[2:]), at_least=93, unit="%"
)

# %% [markdown]
# # Recap
#
# 1. LeNet-5 is two convolutions with pooling and three fully connected layers: 61,706 parameters, most of them in C5,
#    and 416,520 multiply-accumulates a digit, most of them in C3.
# 2. A network is timed without gradients, after a warm-up, by its shortest run; and thirty years of hardware are worth
#    a factor that you have measured.
# 3. A convolution knows that neighbours belong together and that places are alike. On data where this is wrong, it is
#    worse than a fully connected net of the same size.
#
# **Can you explain …**
#
# - why C5 is called a convolution although it is fully connected?
# - where 61,706, 60,850 and 60,000 come from?
# - why the layer with most parameters is not the one with most work?
# - why `zero_grad` stands in the loop, and what happens without it?
# - why shuffled pixels cost a fully connected net nothing, and from which start it ends up exactly the same?
#
# **Three readings**
#
# - Y. LeCun et al., *Backpropagation applied to handwritten zip code recognition*, Neural Computation 1 (1989): the
#   network of 9,760 parameters, its signal processor and its errors.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, *Gradient-based learning applied to document recognition*,
#   Proceedings of the IEEE 86 (1998): section II is LeNet-5, section III compares it with everything else of the time.
# - Y. LeCun et al., *Handwritten digit recognition with a back-propagation network*, NIPS 2 (1989): LeNet 1.
#
# Next: 09 Batch normalization, which lets networks train at learning rates that would break this one.
